"""An hour of measurements of one VM or host in two rings of small floats.

Slots are numbered by time, not by arrival: a value belongs to slot ``int(at // step)``, so a gap
is a gap and readings of two hosts (before and after a migration) join without bookkeeping.
The last ten minutes are kept at 2 s, the rest of the hour at 10 s: sixteen kilobytes per thing.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from enum import IntEnum
from math import inf, isnan, nan


class Metric(IntEnum):
    """What is measured, and its place in a slot."""

    CPU = 0
    """Percent."""
    MEMORY = 1
    """Bytes in use (hosts) or assigned (VMs)."""
    NET_IN = 2
    """Bytes per second, as are the next three."""
    NET_OUT = 3
    DISK_READ = 4
    DISK_WRITE = 5


WIDTH = len(Metric)
FINE_STEP, FINE_SLOTS = 2.0, 300
COARSE_STEP, COARSE_SLOTS = 10.0, 361
RATIO = int(COARSE_STEP // FINE_STEP)
HOLD = 15.0
"""Seconds a value stands for itself when nothing newer was read: slower refresh, no hole."""


class Ring:
    """A fixed number of slots of ``WIDTH`` values; missing is NaN."""

    __slots__ = ("head", "slots", "step", "values")

    def __init__(self, step: float, slots: int) -> None:
        self.step = step
        self.slots = slots
        self.values = array("f", [nan]) * (slots * WIDTH)
        self.head = -1
        """Newest slot number; -1 before the first."""

    def put(self, slot: int, values: array[float]) -> None:
        """Write one slot and blank what was skipped. Older than the ring is ignored."""
        if self.head < 0:
            self.head = slot
        if slot <= self.head - self.slots:
            return
        for skipped in range(max(self.head + 1, slot - self.slots + 1), slot):
            self._write(skipped, BLANK)
        self.head = max(self.head, slot)
        self._write(slot, values)

    def _write(self, slot: int, values: array[float]) -> None:
        start = slot % self.slots * WIDTH
        self.values[start : start + WIDTH] = values

    def get(self, slot: int, metric: int) -> float:
        """The value in a slot; NaN when there is none."""
        if not self.head - self.slots < slot <= self.head:
            return nan
        return self.values[slot % self.slots * WIDTH + metric]

    def column(self, first: int, last: int, metric: int) -> array[float]:
        """One metric in slots ``first`` to ``last`` inclusive, as far as the ring reaches."""
        first, last = max(first, self.head - self.slots + 1), min(last, self.head)
        if self.head < 0 or last < first:
            return array("f")
        start, end = first % self.slots * WIDTH, last % self.slots * WIDTH
        if start <= end:
            return self.values[start + metric : end + WIDTH : WIDTH]
        return self.values[start + metric :: WIDTH] + self.values[metric : end + WIDTH : WIDTH]

    def mean(self, first: int, last: int, metric: int) -> float:
        """Mean over slots ``first`` to ``last`` inclusive; NaN when all are missing."""
        total, count = 0.0, 0
        for slot in range(max(first, self.head - self.slots + 1), min(last, self.head) + 1):
            value = self.values[slot % self.slots * WIDTH + metric]
            if value == value:
                total += value
                count += 1
        return total / count if count else nan


BLANK = array("f", [nan]) * WIDTH


class History:
    """The last hour of one VM or host."""

    __slots__ = ("coarse", "fine")

    def __init__(self) -> None:
        self.fine: Ring | None = None
        self.coarse: Ring | None = None

    def record(self, at: float, values: Sequence[float | None]) -> None:
        """Add one reading in the order of ``Metric``; memory is taken with the first value."""
        if self.fine is None or self.coarse is None:
            if all(value is None for value in values):
                return
            self.fine = Ring(FINE_STEP, FINE_SLOTS)
            self.coarse = Ring(COARSE_STEP, COARSE_SLOTS)
        packed = array("f", [nan if value is None else value for value in values])
        slot = int(at // COARSE_STEP)
        if slot > self.coarse.head >= 0:
            self._condense(self.fine, self.coarse, self.coarse.head)
        self.fine.put(int(at // FINE_STEP), packed)
        if slot > self.coarse.head:
            self.coarse.put(slot, packed)

    @staticmethod
    def _condense(fine: Ring, coarse: Ring, slot: int) -> None:
        """Once a coarse slot is over, it becomes the mean of its fine ones."""
        first = slot * RATIO
        start = first % fine.slots * WIDTH  # RATIO divides the slots, so the span never wraps
        span = fine.values[start : start + (min(fine.head - first, RATIO - 1) + 1) * WIDTH]
        means = array("f", BLANK)
        for metric in range(WIDTH):
            known = [value for value in span[metric::WIDTH] if value == value]
            if known:
                means[metric] = sum(known) / len(known)
        coarse.put(slot, means)

    @property
    def newest(self) -> float:
        """Unix time of the slot last written; 0 without any."""
        return 0.0 if self.fine is None else self.fine.head * FINE_STEP

    def latest(self, metric: int) -> float | None:
        """The newest value."""
        if self.fine is None:
            return None
        value = self.fine.get(self.fine.head, metric)
        return None if isnan(value) else value

    def points(self, metric: int, since: float, until: float, buckets: int) -> list[float | None]:
        """Means over ``buckets`` equal spans of time; None where nothing was read.

        A value is held for ``HOLD`` seconds, so buckets finer than the refresh have no holes.
        """
        if self.fine is None or self.coarse is None or buckets <= 0 or until <= since:
            return [None] * max(0, buckets)
        span = (until - since) / buckets
        oldest_fine = (self.fine.head - FINE_SLOTS + 1) * FINE_STEP
        out: list[float | None] = []
        held, held_at = nan, -HOLD
        for index in range(buckets):
            start = since + index * span
            end = start + span
            ring = self.fine if start >= oldest_fine else self.coarse
            value = ring.mean(int(start // ring.step), int((end - 1e-6) // ring.step), metric)
            if not isnan(value):
                held, held_at = value, end
            elif start - held_at < HOLD:
                value = held
            out.append(None if isnan(value) else value)
        return out

    def peak(self, metric: int, since: float, until: float) -> float | None:
        """The highest reading between two moments."""
        if self.fine is None or self.coarse is None:
            return None
        found: list[float] = []
        for ring in (self.fine, self.coarse):
            first, last = int(since // ring.step), int(until // ring.step)
            span = range(max(first, ring.head - ring.slots + 1), min(last, ring.head) + 1)
            found += [v for slot in span if not isnan(v := ring.get(slot, metric))]
        return max(found, default=None)

    def highest(self, metrics: Sequence[int], since: float, until: float) -> float | None:
        """The highest sum of metrics read at the same time between two moments."""
        if self.fine is None or self.coarse is None:
            return None
        rings = [self.fine]
        if since < (self.fine.head - FINE_SLOTS + 1) * FINE_STEP:
            rings.append(self.coarse)
        peak = -inf
        for ring in rings:
            first, last = int(since // ring.step), int(until // ring.step)
            columns = [ring.column(first, last, metric) for metric in metrics]
            peak = max(peak, _highest_sum(columns))
        return None if peak == -inf else peak

    def sums(
        self, metrics: Sequence[int], since: float, until: float, buckets: int
    ) -> list[float | None]:
        """``points`` of several metrics, added up."""
        lines = [self.points(metric, since, until, buckets) for metric in metrics]
        if len(lines) == 1:
            return lines[0]
        out: list[float | None] = []
        for values in zip(*lines, strict=True):
            known = [value for value in values if value is not None]
            out.append(sum(known) if known else None)
        return out


def _highest_sum(columns: Sequence[Sequence[float]]) -> float:
    """The highest sum of a line; where no line is whole, the highest value. -inf without any."""
    lines = columns[0] if len(columns) == 1 else [sum(line) for line in zip(*columns, strict=True)]
    known = [value for value in lines if value == value]
    if not known:
        known = [value for column in columns for value in column if value == value]
    return max(known, default=-inf)

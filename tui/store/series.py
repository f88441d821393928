"""What was measured of one thing, of late finely and long ago coarsely.

How finely is its grain: usually an hour at 2 s and a day at one minute, of which mean and peak are
kept. A metric is the number of a column; ``Metric`` names those of a VM or host.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import add
from typing import Final

from tui.store.codes import MISSING, codes_of, mean_of, value_of
from tui.store.ring import MEAN, PEAK, Ring


class Metric(IntEnum):
    """What is measured of a VM or host, and its place in a reading."""

    CPU = 0
    """Percent."""
    MEMORY = 1
    """Bytes in use (hosts) or assigned (VMs)."""
    NET_IN = 2
    """Bytes per second, as are the next three."""
    NET_OUT = 3
    DISK_READ = 4
    DISK_WRITE = 5


@dataclass(frozen=True, slots=True, eq=False)
class Grain:
    """How finely a thing is remembered: rings of (seconds, slots), the finest first."""

    rings: tuple[tuple[float, int], ...]
    """Each step is a multiple of the one before, each ring longer than a step of the next."""

    @property
    def column(self) -> int:
        """Bytes of one metric once its rings are full: two for a code, 96 for an array."""
        codes = self.rings[0][1] + sum(2 * size for _, size in self.rings[1:])
        return 2 * codes + 96 * len(self.rings)


FULL: Final = Grain(((2.0, 1800), (60.0, 1441)))
THIN: Final = Grain(((2.0, 450), (20.0, 181), (300.0, 289)))
SCANT: Final = Grain(((10.0, 60), (60.0, 61), (1800.0, 49)))
BESIDES: Final = 900
"""Bytes of a history besides its columns."""
HOLD = 15.0
"""Seconds a value stands for itself when nothing newer was read: slower refresh, no hole."""
LATE = 60.0
"""Seconds a reading may come behind a newer one. If it is older, the clock was set back."""


class History:
    """The last day of one thing."""

    __slots__ = ("_due", "_settled", "coarse", "fine", "grain")

    def __init__(self, grain: Grain = FULL) -> None:
        self.grain = grain
        self.fine: Ring | None = None
        """None before the first value: nothing read takes no memory."""
        self.coarse: tuple[Ring, ...] = ()
        """Each condensed from the one before, the first from ``fine``."""
        self._due = 0.0
        """When the first coarse span under way is over."""
        self._settled = False
        """Whether the spans under way are condensed as far as they are known."""

    # -- writing ---------------------------------------------------------------------------

    def record(self, at: float, values: Sequence[float | None], *, widen: bool = True) -> None:
        """Add one reading: a value for each metric. What is not in it was not read.

        Without ``widen`` a metric never read before is left out.
        """
        codes = codes_of(values)
        fine = self.fine
        if fine is None:
            if widen and any(codes):
                self._start(at, codes)
            return
        slot, head = int(at // fine.step), fine.head
        if slot > head:
            if at >= self._due:
                self._condense(self.newest, at)
                self._due = self._end(at)
            fine.put(slot, codes, widen=widen)
        else:
            self._record_late(at, codes, widen=widen)
        self._settled = False

    def _start(self, at: float, codes: Sequence[int]) -> None:
        self.fine, *coarse = _empty(self.grain)
        self.coarse = tuple(coarse)
        self._due = self._end(at)
        self.fine.put(int(at // self.fine.step), codes)

    def _end(self, at: float) -> float:
        """When the first coarse span around a moment ends."""
        step = self.coarse[0].step
        return (at // step + 1) * step

    def _record_late(self, at: float, codes: Sequence[int], *, widen: bool) -> None:
        """What belongs to the newest slot or an earlier one."""
        assert self.fine is not None
        if at < self.newest - LATE:
            self.cut(at)
        if self.fine is None:
            if widen and any(codes):
                self._start(at, codes)
            return
        self.fine.put(int(at // self.fine.step), codes, widen=widen)
        self._condense(at, self.newest)

    def cut(self, at: float) -> None:
        """Forget what is after a moment."""
        if self.fine is None or at >= self.newest:
            return
        for ring in (self.fine, *self.coarse):
            ring.cut(int(at // ring.step))
        if self.fine.head < 0:  # all of it was
            self.fine, self.coarse = None, ()
            return
        self._due = self._end(at)
        self._settled = False

    def _condense(self, moment: float, other: float | None = None) -> None:
        """Make the spans around a moment of what is finer; not those the other is in, too."""
        finer = self.fine
        assert finer is not None
        for ring in self.coarse:
            slot = int(moment // ring.step)
            if other is not None and int(other // ring.step) == slot:
                return
            ring.condense(finer, slot)
            finer = ring

    def thin(self, grain: Grain) -> int:
        """Remember less finely from now on; how many codes that was to write."""
        self.grain = grain
        if self.fine is None:
            return 0
        self._condense(self.newest)
        old = (self.fine, *self.coarse)
        new = _empty(grain)
        for ring in new:
            source = max((r for r in old if r.step <= ring.step), key=lambda r: r.step)
            ratio = int(ring.step // source.step)
            last = source.head // ratio
            for slot in range(max(last - ring.size + 1, source.oldest // ratio), last + 1):
                ring.condense(source, slot)
        self.fine, self.coarse = new[0], tuple(new[1:])
        self._due = self._end(self.newest)
        return sum(map(len, (column or () for ring in new for column in ring.columns)))

    # -- reading ---------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Metrics that were ever read."""
        columns = () if self.fine is None else self.fine.columns
        return len(columns) - columns.count(None)

    @property
    def octets(self) -> int:
        """What its values take in memory."""
        rings = () if self.fine is None else (self.fine, *self.coarse)
        columns = [column for ring in rings for column in ring.columns if column is not None]
        return sum(len(column) * column.itemsize for column in columns)

    @property
    def newest(self) -> float:
        """Unix time of the slot last written; 0 without any."""
        fine = self.fine
        return 0.0 if fine is None or fine.head < 0 else fine.head * fine.step

    def latest(self, metric: int) -> float | None:
        """The newest value."""
        if self.fine is None:
            return None
        return mean_of(self.fine.codes(metric, self.fine.head, self.fine.head))

    def points(self, metric: int, since: float, until: float, buckets: int) -> list[float | None]:
        """Means over ``buckets`` equal spans of time; None where nothing was read.

        A value is held for ``HOLD`` seconds, so buckets finer than the refresh have no holes.
        """
        if self.fine is None or buckets <= 0 or until <= since:
            return [None] * max(0, buckets)
        span = (until - since) / buckets
        finer = self._rings(since)
        ring = finer.pop()
        held, held_at = None, -HOLD
        out: list[float | None] = []
        for index in range(buckets):
            start = since + index * span
            end = start + span
            while finer and start >= finer[-1].reach:
                ring = finer.pop()
            step = ring.step
            value = mean_of(ring.codes(metric, int(start // step), int((end - 1e-6) // step)))
            if value is not None:
                held, held_at = value, end
            elif start - held_at < HOLD:
                value = held
            out.append(value)
        return out

    def peak(self, metric: int, since: float, until: float) -> float | None:
        """The highest reading between two moments."""
        return self.highest((metric,), since, until)

    def highest(self, metrics: Sequence[int], since: float, until: float) -> float | None:
        """The highest sum of metrics read at the same time between two moments.

        Where only means and peaks are left, several metrics are told as the sum of their means or
        as one peak, whichever is higher: there was no less.
        """
        found: list[float] = []
        for ring, first, last in self._stretches(since, until):
            kind = PEAK if ring.kinds > 1 else MEAN
            lines = [ring.codes(metric, first, last, kind) for metric in metrics]
            top = max((max(line) for line in lines if line), default=MISSING)
            if top != MISSING:
                found.append(value_of(top))
            if top != MISSING and len(metrics) > 1:
                if kind == PEAK:
                    lines = [ring.codes(metric, first, last) for metric in metrics]
                found.append(_highest_sum([line for line in lines if line]))
        return max(found, default=None)

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

    def _rings(self, since: float) -> list[Ring]:
        """The rings that know what there was since a moment, the finest first."""
        assert self.fine is not None
        if since >= self.fine.reach:
            return [self.fine]
        if not self._settled:
            self._condense(self.newest)
            self._settled = True
        return [self.fine, *self.coarse]

    def _stretches(self, since: float, until: float) -> Iterator[tuple[Ring, int, int]]:
        """The slots between two moments, as far back as each ring knows them finely."""
        for ring in self._rings(since) if self.fine is not None else ():
            yield ring, int(max(since, ring.reach) // ring.step), int(until // ring.step)
            if since >= ring.reach:
                return
            until = min(until, ring.reach - 1e-6)


def _empty(grain: Grain) -> tuple[Ring, ...]:
    (step, size), *coarser = grain.rings
    return (Ring(step, size, kinds=1), *(Ring(step, size, kinds=2) for step, size in coarser))


def _highest_sum(lines: Sequence[array[int]]) -> float:
    """The highest sum of what was read at the same time."""
    first, *others = lines
    sums = map(value_of, first)
    for line in others:
        sums = map(add, sums, map(value_of, line))
    return max(sums)

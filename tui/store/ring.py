"""A ring of readings: a column of codes for every metric, a slot for every span of time.

Slots are numbered by time, not by arrival: a value belongs to slot ``int(at // step)``, so a gap is
a gap and readings of two hosts (before and after a migration) join without bookkeeping. What a
metric means is not known here: it is the number of a column.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from tui.store.codes import MISSING, codes_of, mean_of

MEAN: Final = 0
PEAK: Final = 1
CHUNK = 60
"""Slots by which columns grow until the ring is full."""
_NONE = array("H")
_ONE = array("H", [MISSING])


def missing(count: int) -> array[int]:
    """That many codes of no reading."""
    return _ONE * count  # takes no more than that, which an array made of bytes does


class Ring:
    """A fixed number of slots, each one code or (of spans made of finer ones) mean and peak."""

    __slots__ = ("_base", "_length", "columns", "head", "kinds", "size", "step")

    def __init__(self, step: float, size: int, *, kinds: int) -> None:
        self.step = step
        self.size = size
        self.kinds = kinds
        """Codes to a slot: 1, or 2 with the peak after the mean."""
        self.columns: list[array[int] | None] = []
        """By metric; a metric never read takes nothing."""
        self.head = -1
        """Newest slot number; -1 before the first."""
        self._base = 0
        """The first slot ever; it has the first place."""
        self._length = 0
        """Places there are in every column: as many as were needed so far."""

    @property
    def reach(self) -> float:
        """Unix time from which on this ring knows what there was."""
        return (self.head - self.size + 1) * self.step

    @property
    def oldest(self) -> int:
        """The first slot that may hold something."""
        return max(self._base, self.head - self.size + 1)

    def codes(self, metric: int, first: int, last: int, kind: int = MEAN) -> array[int]:
        """One metric in slots ``first`` to ``last`` inclusive, as far as the ring reaches."""
        first, last = max(first, self.oldest), min(last, self.head)
        column = self.columns[metric] if metric < len(self.columns) else None
        if column is None or last < first:
            return _NONE
        kinds, size = self.kinds, self.size
        start, end = (first - self._base) % size, (last - self._base) % size
        if start <= end:
            return column[start * kinds + kind : (end + 1) * kinds : kinds]
        absent = missing(min(size - self._length, size - start))
        return (
            column[start * kinds + kind :: kinds]
            + absent
            + column[kind : (end + 1) * kinds : kinds]
        )

    # -- writing ---------------------------------------------------------------------------

    def put(self, slot: int, codes: Sequence[int], *, widen: bool = True) -> None:
        """Write a slot of one kind. Older than the ring is ignored; without ``widen`` so is a
        metric without a column.
        """
        if slot <= self.head and slot < self.oldest:
            return
        place, absent = self._place(slot), 0
        columns = self.columns
        for column, code in zip(columns, codes, strict=False):
            if column is not None:
                column[place] = code
            else:
                absent |= code
        if len(columns) > len(codes):
            for column in columns[len(codes) :]:
                if column is not None:
                    column[place] = MISSING
        elif widen and (absent or len(codes) > len(columns)):
            self._widen(place, codes)

    def _widen(self, place: int, codes: Sequence[int]) -> None:
        for metric, code in enumerate(codes):
            if code and (metric >= len(self.columns) or self.columns[metric] is None):
                self._add(metric)[place] = code

    def condense(self, finer: Ring, slot: int) -> None:
        """Make a slot of those of a finer ring that lie in it."""
        if slot <= self.head and slot < self.oldest:
            return
        ratio = int(self.step // finer.step)
        first, last = slot * ratio, (slot + 1) * ratio - 1
        place, kinds = self._place(slot) * self.kinds, self.kinds
        sources = zip_longest(finer.columns, tuple(self.columns))
        for metric, (source, column) in enumerate(sources):
            if source is None and column is None:
                continue
            column = self._add(metric) if column is None else column
            codes = finer.codes(metric, first, last)
            column[place] = codes_of((mean_of(codes),))[0]
            if kinds > 1:
                peaks = finer.codes(metric, first, last, PEAK) if finer.kinds > 1 else codes
                column[place + PEAK] = max(peaks, default=MISSING)

    def cut(self, slot: int) -> None:
        """Forget what is after a slot."""
        if slot < self._base:
            self._base = self._length = 0
            self.head = -1
            self.columns = []
        elif slot < self.head:
            self._blank(slot + 1, self.head)
            self.head = slot

    def _place(self, slot: int) -> int:
        """Where a slot is, in every column; what was skipped to get there is blank."""
        if slot > self.head >= 0:
            if slot > self.head + 1:
                self._blank(self.head + 1, slot - 1)
            self.head = slot
        elif self.head < 0:
            self._base = self.head = slot
        place = (slot - self._base) % self.size
        if place >= self._length:
            length = min(self.size, (place // CHUNK + 1) * CHUNK)
            more = missing((length - self._length) * self.kinds)
            # Added, not extended: an array that grows in place takes a sixteenth beforehand.
            self.columns = [None if column is None else column + more for column in self.columns]
            self._length = length
        return place

    def _add(self, metric: int) -> array[int]:
        self.columns += [None] * (metric + 1 - len(self.columns))
        column = self.columns[metric] = missing(self._length * self.kinds)
        return column

    def _blank(self, first: int, last: int) -> None:
        first = max(first, last - self.size + 1)
        if last < first:
            return
        start, end = (first - self._base) % self.size, (last - self._base) % self.size
        spans = [(start, end + 1)] if start <= end else [(start, self.size), (0, end + 1)]
        for low, high in spans:
            low, high = low * self.kinds, min(high, self._length) * self.kinds
            for column in self.columns:
                if column is not None and low < high:
                    column[low:high] = missing(high - low)

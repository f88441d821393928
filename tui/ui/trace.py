"""What a graph knows of a series over a span of time. Knows no screen.

Of what was asked before only the end is asked again: readings come late by seconds, not more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Protocol

LATE = 30.0
"""Seconds a reading may come after its time and still be drawn at once."""
LEAD = 16.0
"""Seconds before the first bucket wanted: a value is held that long over what follows it."""
ANEW = 60.0
"""Seconds after which all of it is asked again."""
FRESH = 5.0
"""Buckets up to this long tell what is now; of longer ones the mean would be told."""


class SeriesView(Protocol):
    """Where the values of a series come from."""

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        """One value for each of ``buckets`` equal spans of time; None where nothing is known."""
        ...


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a graph."""

    name: str
    view: SeriesView
    tone: str = ""
    """Empty: ``graph-1`` for the first series, ``graph-2`` for the next …"""
    peak: Callable[[float, float], float | None] | None = None
    """Highest reading between two moments, when the view's means would hide it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is drawn and said of a series."""

    values: list[float | None]
    now: float | None
    """The newest value, where the span ends with it."""
    peak: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time cut into equal buckets."""

    since: float
    until: float
    buckets: int

    @property
    def step(self) -> float:
        """Seconds of a bucket."""
        return (self.until - self.since) / max(1, self.buckets)

    def shift_from(self, other: Stretch) -> int | None:
        """How many buckets later than ``other`` it is; None when they are not cut alike."""
        if self.buckets != other.buckets or abs(self.step - other.step) > 1e-6:
            return None
        shift = (self.until - other.until) / self.step
        return round(shift) if abs(shift - round(shift)) < 1e-3 else None


class Trace:
    """One series, and what it answered last."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self._known: Stretch | None = None
        self._values: list[float | None] = []
        self._peak: float | None = None
        self._asked_at = 0.0
        """When all of it was asked."""

    def facts(self, stretch: Stretch, now: float, *, live: bool) -> Facts:
        """Ask for what may be new."""
        tail = self._tail(stretch, now)
        if tail >= stretch.buckets:
            self._values = self.series.view.points(stretch.since, stretch.until, stretch.buckets)
            self._asked_at = now
        elif tail:
            self._extend(stretch, tail)
        known = [value for value in self._values if value is not None]
        if self.series.peak is None:
            self._peak = max(known, default=None)
        elif tail:
            self._find_peak(stretch, tail)
        self._known = stretch
        mean = sum(known) / len(known) if known else None
        newest = self._newest(stretch, now) if live else None
        return Facts(self._values, newest, self._peak, mean)

    def _tail(self, stretch: Stretch, now: float) -> int:
        """How many buckets at the end may differ from what is known."""
        age = now - self._asked_at
        shift = stretch.shift_from(self._known) if self._known else None
        if shift is None or shift < 0 or not 0 <= age < ANEW:
            return stretch.buckets
        open_ = ceil((stretch.until - (now - LATE)) / stretch.step)
        return min(stretch.buckets, max(shift, open_, 0))

    def _extend(self, stretch: Stretch, tail: int) -> None:
        """Keep what is known; the value held over the first new bucket is read before it."""
        assert self._known is not None
        shift = stretch.shift_from(self._known) or 0
        lead = min(ceil(LEAD / stretch.step), stretch.buckets - tail)
        since = stretch.until - (tail + lead) * stretch.step
        new = self.series.view.points(since, stretch.until, tail + lead)[lead:]
        self._values = self._values[shift : stretch.buckets - tail + shift] + new

    def _find_peak(self, stretch: Stretch, tail: int) -> None:
        """The highest reading. While the span only grows at its end the rest is not read again."""
        peak = self.series.peak
        assert peak is not None
        moved = self._known is None or self._known.since != stretch.since
        if moved or tail >= stretch.buckets:
            self._peak = peak(stretch.since, stretch.until)
            return
        new = peak(stretch.until - tail * stretch.step, stretch.until)
        self._peak = max((v for v in (self._peak, new) if v is not None), default=None)

    def _newest(self, stretch: Stretch, now: float) -> float | None:
        recent = self._values[-3:]
        if stretch.step > FRESH:
            recent = self.series.view.points(now - 18.0, now + 2.0, 10)
        return next((value for value in reversed(recent) if value is not None), None)

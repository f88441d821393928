"""How fast something fills: exact readings over a day, and what may be said of them.

Slopes are medians of equal parts of a stretch of time, so that a big file copied once is no
growth, and nothing is said before there is enough to say it from.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LONG: Final = 86_400.0
"""Seconds readings are kept."""
SHORT: Final = 1800.0
"""Seconds of the stretch that tells what has begun just now."""
LEAST: Final = 600.0
"""Seconds below which nothing is said."""
PARTS: Final = 8
"""Equal parts of a stretch. A slope counts when most of them agree."""
BACK: Final = 120.0
"""Seconds a reading may be older than the last one: several tell of the same thing."""
SPACING: Final = 20.0
"""Seconds between two readings at least, as long as there is room."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope, and between which bounds half of its parts lie; per second."""

    rate: float
    low: float
    high: float

    @property
    def grows(self) -> bool:
        """Most parts of the stretch grew."""
        return self.rate > 0

    def reaches(self, room: float) -> float | None:
        """Seconds until ``room`` more is taken; None when it never will be at this rate."""
        return max(0.0, room) / self.rate if self.rate > 0 else None

    def bounds(self, room: float) -> tuple[float, float | None]:
        """The soonest and the latest of it; None: perhaps never."""
        room = max(0.0, room)
        soonest = room / self.high if self.high > 0 else 0.0
        return soonest, room / self.low if self.low > 0 else None


class Growth:
    """Readings of one amount, thinned out as they become many."""

    __slots__ = ("_at", "_most", "_spacing", "_value")

    def __init__(self, most: int = 256) -> None:
        self._most = max(4 * PARTS, most)
        self._spacing = SPACING
        self._at: list[float] = []
        self._value: list[float] = []

    def __len__(self) -> int:
        return len(self._at)

    def record(self, at: float, value: float) -> None:
        """Add a reading; one a little older than the last tells nothing new. A clock that went
        back further makes what was before incomparable.
        """
        if self._at and self._at[-1] - BACK <= at < self._at[-1]:
            return
        if self._at and at < self._at[-1]:
            self._at.clear()
            self._value.clear()
            self._spacing = SPACING
        if len(self._at) > 1 and self._at[-1] - self._at[-2] < self._spacing:
            self._at[-1], self._value[-1] = at, value
            return
        self._at.append(at)
        self._value.append(value)
        if self._at[0] < at - LONG:
            del self._at[0], self._value[0]
        if len(self._at) > self._most:
            # Every other one goes; the newest stays.
            del self._at[-2::-2], self._value[-2::-2]
            self._spacing = min(2 * self._spacing, LONG / self._most)

    @property
    def waits(self) -> float:
        """Seconds until something may be said, if readings go on."""
        if not self._at:
            return LEAST
        return max(0.0, LEAST - (self._at[-1] - self._at[0]))

    @property
    def trend(self) -> Trend | None:
        """The steeper of what the whole tells and what the last half hour does; None: too little
        is known."""
        known = [t for t in (self._over(LONG), self._over(SHORT)) if t is not None]
        return max(known, key=lambda trend: trend.rate, default=None)

    def _over(self, stretch: float) -> Trend | None:
        if not self._at:
            return None
        start, end = max(self._at[0], self._at[-1] - stretch), self._at[-1]
        inside = len(self._at) - bisect_left(self._at, start)
        if end - start < LEAST or inside <= PARTS:
            return None
        step = (end - start) / PARTS
        values = [self._value_at(start + step * part) for part in range(PARTS + 1)]
        slopes = sorted((b - a) / step for a, b in pairwise(values))
        middle = (slopes[PARTS // 2 - 1] + slopes[PARTS // 2]) / 2
        return Trend(middle, slopes[PARTS // 4], slopes[PARTS - PARTS // 4 - 1])

    def _value_at(self, at: float) -> float:
        """What it was then, on the line between two readings."""
        index = bisect_left(self._at, at)
        if index <= 0:
            return self._value[0]
        if index >= len(self._at):
            return self._value[-1]
        before, after = self._at[index - 1], self._at[index]
        share = (at - before) / (after - before) if after > before else 1.0
        return self._value[index - 1] + share * (self._value[index] - self._value[index - 1])

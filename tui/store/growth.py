"""How fast something fills: exact readings over a day, and what may be said of them.

Slopes are medians of equal parts of a stretch of time, so that a big file copied once is no
growth, and nothing is said before there is enough to say it from.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
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
HELD: Final = 180.0
"""Seconds an amount is taken to stay as it was read, at least."""
SPACING: Final = 20.0
"""Seconds between two readings of a day at least, as long as there is room."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope, and between which bounds half of its parts lie; per second."""

    rate: float
    low: float
    high: float

    def reaches(self, room: float) -> float | None:
        """Seconds until ``room`` more is taken; None when it never will be at this rate."""
        return max(0.0, room) / self.rate if self.rate > 0 else None

    def bounds(self, room: float) -> tuple[float, float | None]:
        """The soonest and the latest of it; None: perhaps never."""
        room = max(0.0, room)
        soonest = room / self.high if self.high > 0 else 0.0
        return soonest, room / self.low if self.low > 0 else None


class Readings:
    """An amount over so many seconds, thinned out as readings become many."""

    __slots__ = ("_most", "_reach", "_spacing", "_usual", "at", "value")

    def __init__(self, reach: float, spacing: float, most: int) -> None:
        self._reach, self._most = reach, most
        self._usual = self._spacing = spacing
        self.at = array("d")
        self.value = array("d")

    def record(self, at: float, value: float) -> None:
        """Add a reading; one a little older than the last tells nothing new. A clock that went
        back further makes what was before incomparable.
        """
        if self.at and self.at[-1] - BACK <= at < self.at[-1]:
            return
        if self.at and at < self.at[-1]:
            del self.at[:], self.value[:]
            self._spacing = self._usual
        if len(self.at) > 1 and self.at[-1] - self.at[-2] < self._spacing:
            self.at[-1], self.value[-1] = at, value
            return
        self.at.append(at)
        self.value.append(value)
        old = bisect_left(self.at, at - self._reach)
        del self.at[:old], self.value[:old]
        if len(self.at) > self._most:
            # Every other one goes; the newest stays.
            del self.at[-2::-2], self.value[-2::-2]
            self._spacing = min(2 * self._spacing, self._reach / self._most)

    def trend(self) -> Trend | None:
        """Of all of them; None: too little is known."""
        if len(self.at) <= PARTS or self.at[-1] - self.at[0] < LEAST:
            return None
        start, step = self.at[0], (self.at[-1] - self.at[0]) / PARTS
        values = [self._value_at(start + step * part) for part in range(PARTS + 1)]
        slopes = sorted((b - a) / step for a, b in pairwise(values))
        middle = (slopes[PARTS // 2 - 1] + slopes[PARTS // 2]) / 2
        return Trend(middle, slopes[PARTS // 4], slopes[PARTS - PARTS // 4 - 1])

    @property
    def held(self) -> float:
        """Seconds a reading stands for what came after it; longer than that nothing was read."""
        return max(HELD, 3 * self._spacing)

    @property
    def closeness(self) -> float:
        """Seconds between two readings."""
        return self._spacing

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        """Means over equal spans of time, or what was read last before; None without either."""
        span = (until - since) / max(1, buckets)
        out: list[float | None] = []
        first = bisect_left(self.at, since)
        for index in range(buckets):
            start = since + index * span
            last = bisect_left(self.at, start + span, first)
            if last > first:
                out.append(sum(self.value[first:last]) / (last - first))
            else:
                held = last > 0 and start - self.at[last - 1] <= self.held
                out.append(self.value[last - 1] if held else None)
            first = last
        return out

    def highest(self, since: float, until: float) -> float | None:
        """Of what was read between two moments, or before."""
        first, last = bisect_left(self.at, since), bisect_right(self.at, until)
        if first > 0 and since - self.at[first - 1] <= self.held:
            first -= 1
        return max(self.value[first:last], default=None)

    def _value_at(self, at: float) -> float:
        """What it was then, on the line between two readings."""
        index = bisect_left(self.at, at)
        if index <= 0:
            return self.value[0]
        if index >= len(self.at):
            return self.value[-1]
        before, after = self.at[index - 1], self.at[index]
        share = (at - before) / (after - before) if after > before else 1.0
        return self.value[index - 1] + share * (self.value[index] - self.value[index - 1])


class Growth:
    """Readings of one amount: of a day, and more closely of the last half hour."""

    __slots__ = ("_day", "_lately", "_reckoned", "_trend")

    def __init__(self, most: int = 256) -> None:
        self._day = Readings(LONG, SPACING, max(4 * PARTS, most))
        self._lately = Readings(SHORT, SHORT / (4 * PARTS), 8 * PARTS)
        self._trend: Trend | None = None
        self._reckoned = True
        """The trend is that of all readings: thousands are sorted by it, few are new."""

    def __len__(self) -> int:
        return len(self._day.at)

    @property
    def newest(self) -> float:
        """Unix time of the newest reading; 0 without any."""
        return self._day.at[-1] if self._day.at else 0.0

    def record(self, at: float, value: float) -> None:
        """Add a reading."""
        self._day.record(at, value)
        self._lately.record(at, value)
        self._reckoned = False

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        """Means over equal spans of time; None where nothing is known."""
        return self._of(since).points(since, until, buckets)

    def highest(self, since: float, until: float) -> float | None:
        """The highest reading between two moments."""
        return self._of(since).highest(since, until)

    def _of(self, since: float) -> Readings:
        """The readings that know most closely what there was since a moment."""
        lately = self._lately
        near = lately.at and lately.at[0] <= since and lately.closeness < self._day.closeness
        return lately if near else self._day

    @property
    def waits(self) -> float:
        """Seconds until something may be said, if readings go on."""
        if not self._day.at:
            return LEAST
        return max(0.0, LEAST - (self._day.at[-1] - self._day.at[0]))

    @property
    def trend(self) -> Trend | None:
        """The steeper of what the whole tells and what the last half hour does; None: too little
        is known."""
        if not self._reckoned:
            known = [t for t in (self._day.trend(), self._lately.trend()) if t is not None]
            self._trend = max(known, key=lambda trend: trend.rate, default=None)
            self._reckoned = True
        return self._trend

"""Curves as characters, scales that do not jump, and the labels of axes.

Pure functions of numbers; no widget, no colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache
from math import ceil, floor, log10

from tui.rows import text
from tui.rows.amounts import brief, often

Values = Sequence[float | None]
Stack = tuple[tuple[str, int], ...]
"""A column of cells, top first: a character, and which series drew it (-1 none)."""
Stroke = tuple[int, int] | None
"""The span of levels a curve covers in a bucket; None where nothing is known."""
Strokes = tuple[Stroke, ...]

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ASCII_EIGHTHS = " ___---=#"
_ASCII_POINTS = "*o+x#@"
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Braille dots of the left and the right column, lowest first."""


class Unit(Enum):
    """What the numbers of a graph are."""

    PERCENT = "percent"
    BYTES = "bytes"
    RATE = "rate"
    """Bytes per second."""
    COUNT = "count"
    OFTEN = "often"
    """Operations or packets, per second or waiting."""
    TIME = "time"
    """Seconds that operations take."""

    def words(self, value: float | None) -> str:
        if self is Unit.PERCENT:
            return text.percent(value)
        if self is Unit.BYTES:
            return text.size(value)
        if self is Unit.RATE:
            return text.rate(value)
        if self is Unit.OFTEN:
            return often(value)
        if self is Unit.TIME:
            return brief(value)
        return "" if value is None else f"{value:,.0f}"

    @property
    def label_width(self) -> int:
        """Cells the longest label of an axis takes."""
        return _LABELS.get(self, 6)

    @property
    def least(self) -> float:
        """The smallest top an axis of this unit may have."""
        return _LEAST.get(self, 4.0)


_LABELS = {Unit.PERCENT: 4, Unit.BYTES: 7, Unit.RATE: 8, Unit.OFTEN: 9, Unit.TIME: 7}
_LEAST = {
    Unit.PERCENT: 100.0, Unit.BYTES: 1024.0**2, Unit.RATE: 10 * 1024.0, Unit.OFTEN: 1.0,
    Unit.TIME: 0.010,
}  # fmt: skip
_BINARY = (Unit.BYTES, Unit.RATE)


# -- scale ---------------------------------------------------------------------------------


def nice_top(peak: float, unit: Unit, least: float = 0.0) -> float:
    """The next round number at or above ``peak``; ``least``: what it is at least, where that is
    not up to the unit.
    """
    if unit is Unit.PERCENT:
        return 100.0
    least = least or unit.least
    if peak <= least:
        return least
    base = 1024.0 ** floor(log10(peak) / log10(1024)) if unit in _BINARY else 1.0
    scaled = peak / base
    power = 10.0 ** floor(log10(scaled))
    step = next((step for step in (1, 2, 5) if scaled <= step * power * 1.0001), 10)
    if base > 1 and step * power >= 1000 * 0.999:
        # After 500 MB comes 1 GB; between 1000 and 1024 the next unit's two.
        return base * (1024.0 if scaled <= 1024 else 2048.0)
    return step * power * base


class Scale:
    """The top of an axis. It rises at once and sinks only when most of it is unused."""

    def __init__(self, unit: Unit, least: float = 0.0) -> None:
        self.unit = unit
        self.least = least
        self.top = least or unit.least

    def fit(self, peak: float) -> float:
        if peak > self.top or peak < self.top * 0.35:
            self.top = nice_top(peak, self.unit, self.least)
        return self.top


# -- curves --------------------------------------------------------------------------------


def levels(values: Values, top: float, height: int) -> list[int]:
    """How high each column of an area is, in eighths of a cell. Nought is a thin line."""
    whole = height * 8
    scale = whole / top if top > 0 else 0.0
    return [0 if v is None else max(1, min(whole, round(v * scale))) for v in values]


def area(level: int, height: int, *, ascii: bool = False) -> Stack:
    """A column of one series, ``level`` eighths high; of nothing for 0."""
    ramp = _ASCII_EIGHTHS if ascii else _EIGHTHS
    parts = [min(8, max(0, level - row * 8)) for row in reversed(range(height))]
    return tuple((ramp[part], 0 if part else -1) for part in parts)


def strokes(values: Values, top: float, levels: int) -> list[Stroke]:
    """For each value the span of levels that joins it to the one before."""
    found: list[Stroke] = []
    scale = (levels - 1) / top if top > 0 else 0.0
    last: int | None = None
    for value in values:
        if value is None:
            found.append(None)
            last = None
            continue
        level = min(levels - 1, max(0, round(value * scale)))
        if last is None or abs(level - last) <= 1:
            found.append((level, level))
        else:
            found.append((last + 1, level) if level > last else (level, last - 1))
        last = level
    return found


def lines(
    series: Sequence[Values], top: float, height: int, *, ascii: bool = False
) -> list[Strokes]:
    """For each column the strokes of all series: in ASCII one each, else two side by side."""
    if ascii:
        return list(zip(*(strokes(values, top, height) for values in series), strict=True))
    halves = []
    for values in series:
        found = strokes(values, top, height * 4) + [None] * (len(values) % 2)
        halves += [found[0::2], found[1::2]]
    return list(zip(*halves, strict=True))


def braille(column: Strokes, height: int) -> Stack:
    """Several series as lines of dots, two buckets to a cell. The first series is on top."""
    bits, owner = [0] * height, [-1] * height
    for index in reversed(range(len(column))):
        if (stroke := column[index]) is None:
            continue
        for y in range(stroke[0], stroke[1] + 1):
            row = height - 1 - y // 4
            bits[row] |= _DOTS[index % 2][y % 4]
            owner[row] = index // 2
    shown = zip(bits, owner, strict=True)
    return tuple((chr(0x2800 + dots) if dots else " ", who) for dots, who in shown)


def points(column: Strokes, height: int) -> Stack:
    """Several series in ASCII: each with a letter of its own."""
    cells = [(" ", -1)] * height
    for index in reversed(range(len(column))):
        if (stroke := column[index]) is None:
            continue
        for y in range(stroke[0], stroke[1] + 1):
            cells[height - 1 - y] = (_ASCII_POINTS[index % len(_ASCII_POINTS)], index)
    return tuple(cells)


def mean(values: Values) -> float | None:
    """Of what is known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


# -- labels --------------------------------------------------------------------------------

_TICKS = (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)


def ago(seconds: float) -> str:
    """``-90s``, ``-5m``: short, for an axis."""
    whole = round(seconds)
    if whole == 0:
        return "now"
    return f"-{whole // 60}m" if whole % 60 == 0 else f"-{whole}s"


@lru_cache(maxsize=64)
def time_axis(window: float, width: int) -> str:
    """Labels under a plot ``width`` cells wide: now at its right edge, as many as have room."""
    line = [" "] * width
    step = next((tick for tick in _TICKS if window / tick * 9 <= width), _TICKS[-1])
    seconds = 0.0
    while seconds <= window:
        label = ago(seconds)
        end = width - round(seconds / window * (width - 1)) if seconds else width
        start = max(0, end - (len(label) + 1) // 2) if seconds else width - len(label)
        free = line[max(0, start - 1) : start + len(label) + 1]
        if start + len(label) <= width and all(char == " " for char in free):
            line[start : start + len(label)] = label
        seconds += step
    return "".join(line)


def clock(moment: float, step: float) -> str:
    """Local time of day, with seconds where a step is finer than a minute."""
    return text.clock(moment) if step < 60 else text.clock(moment)[:5]


@lru_cache(maxsize=64)
def clock_axis(since: float, until: float, width: int) -> str:
    """Labels under a plot that ends some time ago, or is too long for minutes: local times."""
    line = [" "] * width
    window = until - since
    step = next((tick for tick in _TICKS if window / tick * (11 if tick < 60 else 8) <= width),
                _TICKS[-1])  # fmt: skip
    zone = datetime.fromtimestamp(since).astimezone().utcoffset()
    shift = zone.total_seconds() if zone is not None else 0.0
    at, free = ceil((since + shift) / step) * step - shift, 0
    while at < until:
        label = clock(at, step)
        start = int((at - since) / window * width) - len(label) // 2
        if free <= start <= width - len(label):
            line[start : start + len(label)] = label
            free = start + len(label) + 1
        at += step
    return "".join(line)


def cleared(labels: str, start: int, end: int) -> str:
    """Labels without those that reach into some cells."""
    start, end = max(0, start), min(len(labels), end)
    if start >= end:
        return labels
    head = labels[:start]
    if start and labels[start - 1] != " " and labels[start] != " ":
        head = head[: head.rfind(" ") + 1]
    tail = labels[end:]
    if tail and tail[0] != " " and labels[end - 1] != " ":
        tail = tail[tail.find(" ") :] if " " in tail else ""
    return head.ljust(end) + tail.rjust(len(labels) - end)


def value_axis(top: float, unit: Unit, height: int) -> dict[int, str]:
    """Labels beside a plot ``height`` rows high, by row from the top."""
    if height < 2:
        return {}
    labels = {0: unit.words(top), height - 1: unit.words(0)}
    if height >= 7:
        labels[height // 2] = unit.words(top * (height - height // 2) / height)
    return labels

"""Curves as characters, scales that do not jump, and the labels of axes.

Pure functions of numbers; no widget, no colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from math import ceil, floor, log10

from tui.rows import text

Values = Sequence[float | None]
Canvas = list[list[tuple[str, int]]]
"""Rows of cells, top first: a character, and which series drew it (-1 none)."""

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

    def words(self, value: float | None) -> str:
        if self is Unit.PERCENT:
            return text.percent(value)
        if self is Unit.BYTES:
            return text.size(value)
        if self is Unit.RATE:
            return text.rate(value)
        return "" if value is None else f"{value:,.0f}"

    @property
    def label_width(self) -> int:
        """Cells the longest label of an axis takes."""
        return {Unit.PERCENT: 4, Unit.BYTES: 7, Unit.RATE: 8}.get(self, 6)

    @property
    def least(self) -> float:
        """The smallest top an axis of this unit may have."""
        return {Unit.PERCENT: 100.0, Unit.BYTES: 1024.0**2, Unit.RATE: 10 * 1024.0}.get(self, 4.0)


# -- scale ---------------------------------------------------------------------------------


def nice_top(peak: float, unit: Unit) -> float:
    """The next round number at or above ``peak``."""
    if unit is Unit.PERCENT:
        return 100.0
    if peak <= unit.least:
        return unit.least
    base = 1.0 if unit is Unit.COUNT else 1024.0 ** floor(log10(peak) / log10(1024))
    scaled = peak / base
    power = 10.0 ** floor(log10(scaled))
    step = next((step for step in (1, 2, 5) if scaled <= step * power * 1.0001), 10)
    if base > 1 and step * power >= 1000 * 0.999:
        # After 500 MB comes 1 GB; between 1000 and 1024 the next unit's two.
        return base * (1024.0 if scaled <= 1024 else 2048.0)
    return step * power * base


class Scale:
    """The top of an axis. It rises at once and sinks only when most of it is unused."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.top = unit.least

    def fit(self, peak: float) -> float:
        if peak > self.top or peak < self.top * 0.35:
            self.top = nice_top(peak, self.unit)
        return self.top


# -- curves --------------------------------------------------------------------------------


def blank(width: int, height: int) -> Canvas:
    return [[(" ", -1)] * width for _row in range(height)]


def area(values: Values, top: float, height: int, *, ascii: bool = False) -> Canvas:
    """One series as columns of eighths of a cell. Nought is a thin line, a gap is nothing."""
    ramp = _ASCII_EIGHTHS if ascii else _EIGHTHS
    canvas = blank(len(values), height)
    for x, value in enumerate(values):
        if value is None:
            continue
        level = max(1, min(height * 8, round(value / top * height * 8))) if top > 0 else 1
        for row in range(height):
            part = min(8, level - row * 8)
            if part <= 0:
                break
            canvas[height - 1 - row][x] = (ramp[part], 0)
    return canvas


def braille(series: Sequence[Values], top: float, height: int) -> Canvas:
    """Several series as lines of dots, two columns to a cell. The first series is on top."""
    width = max((ceil(len(values) / 2) for values in series), default=0)
    bits = [[0] * width for _row in range(height)]
    owner = [[-1] * width for _row in range(height)]
    for index in range(len(series) - 1, -1, -1):
        for x, low, high in _strokes(series[index], top, height * 4):
            for y in range(low, high + 1):
                row = height - 1 - y // 4
                bits[row][x // 2] |= _DOTS[x % 2][y % 4]
                owner[row][x // 2] = index
    return [
        [(chr(0x2800 + dots) if dots else " ", who) for dots, who in zip(*pair, strict=True)]
        for pair in zip(bits, owner, strict=True)
    ]


def points(series: Sequence[Values], top: float, height: int) -> Canvas:
    """Several series in ASCII: each with a letter of its own."""
    width = max(map(len, series), default=0)
    canvas = blank(width, height)
    for index in range(len(series) - 1, -1, -1):
        for x, low, high in _strokes(series[index], top, height):
            for y in range(low, high + 1):
                canvas[height - 1 - y][x] = (_ASCII_POINTS[index % len(_ASCII_POINTS)], index)
    return canvas


def _strokes(values: Values, top: float, levels: int) -> list[tuple[int, int, int]]:
    """For each known value its column and the span of levels that joins it to the last one."""
    strokes = []
    last: int | None = None
    for x, value in enumerate(values):
        if value is None:
            last = None
            continue
        level = min(levels - 1, max(0, round(value / top * (levels - 1)))) if top > 0 else 0
        low = high = level
        if last is not None and abs(level - last) > 1:
            low, high = (last + 1, level) if level > last else (level, last - 1)
        strokes.append((x, low, high))
        last = level
    return strokes


# -- labels --------------------------------------------------------------------------------

_TICKS = (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def ago(seconds: float) -> str:
    """``-90s``, ``-5m``: short, for an axis."""
    whole = round(seconds)
    if whole == 0:
        return "now"
    return f"-{whole // 60}m" if whole % 60 == 0 else f"-{whole}s"


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


def value_axis(top: float, unit: Unit, height: int) -> dict[int, str]:
    """Labels beside a plot ``height`` rows high, by row from the top."""
    if height < 2:
        return {}
    labels = {0: unit.words(top), height - 1: unit.words(0)}
    if height >= 7:
        labels[height // 2] = unit.words(top * (height - height // 2) / height)
    return labels

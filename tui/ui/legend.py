"""The line above a graph: title on the left, figures on the right. Knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len

from tui.ui.plot import Unit
from tui.ui.rowline import clean, fit
from tui.ui.style import Glyphs

Paint = tuple[str, str, int]
"""A cell: character, tone, and shade (rows from the top; -1 not shaded)."""


@lru_cache(maxsize=1024)
def inked(words: str, tone: str) -> tuple[Paint, ...]:
    return tuple((char, tone, -1) for char in words)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of a series."""

    name: str
    tone: str
    value: str
    """Now, or under the crosshair; empty where neither is shown."""
    peak: str
    mean: str


def header(
    title: str,
    entries: Sequence[Entry],
    width: int,
    glyphs: Glyphs,
    *,
    time: str,
    chosen: bool,
    none: str = "",
) -> list[Paint]:
    """In as much detail as there is room for. ``time``: the crosshair's. ``none``: why nothing
    was read, where it was not.
    """
    title = f"{glyphs.plain('▸')} {title}" if chosen else title
    legend: list[Paint] = []
    for detail in (3, 2, 1, 0, -1):
        legend = _legend(entries, detail, glyphs, time, none)
        if len(legend) + cell_len(title) + 2 <= width:
            break
    title = fit(title, max(0, width - len(legend) - 1), ellipsis=glyphs.ellipsis)
    tone = "chosen" if chosen else "title"
    line: list[Paint] = list(inked(title, tone))
    # A wide character fills two cells: its second is empty so that columns stay true.
    for at in range(len(title) - 1, -1, -1):
        if cell_len(title[at]) == 2:
            line.insert(at + 1, ("", tone, -1))
    line += [(" ", "title", -1)] * (width - len(line) - len(legend))
    return (line + legend)[:width]


def _legend(
    entries: Sequence[Entry], detail: int, glyphs: Glyphs, time: str, none: str
) -> list[Paint]:
    parts: list[Paint] = []
    several = len(entries) > 1
    if time and detail > 0:
        parts += inked(f"{time}  ", "strong")
    if not any(entry.peak or (entry.value and not none) for entry in entries):
        words = none or "no readings"
        return [*parts, *inked(words if entries and detail > 0 else "", "legend")]
    for index, entry in enumerate(entries):
        if index:
            parts += inked(" " * (3 if detail > 0 else 1), "legend")
        if several and detail >= 0:
            mark = f"{key(index, glyphs)} " if detail or glyphs.ascii else ""
            parts += inked(f"{mark}{clean(entry.name)} ", entry.tone)
        parts += inked(entry.value, "strong" if detail > 0 or not several else entry.tone)
        more = []
        if entry.peak and (detail >= 2 or not entry.value):
            more.append(glyphs.peak + entry.peak)
        if entry.mean and detail >= 3:
            more.append(f"avg {entry.mean}")
        if not entry.peak and not entry.value:
            more.append("-")
        words = " ".join(more)
        parts += inked(f" {words}" if words and entry.value else words, "legend")
    return parts


def key(index: int, glyphs: Glyphs) -> str:
    """The mark of a series."""
    return "*o+x#@"[index % 6] if glyphs.ascii else "━"


def entry(
    name: str, tone: str, unit: Unit, figures: tuple[float | None, float | None, float | None],
    *, valued: bool,
) -> Entry:  # fmt: skip
    """``figures``: value, peak and mean. A value that is shown and not known is a dash."""
    value, peak, mean = map(unit.words, figures)
    return Entry(name, tone, (value or "-") if valued else "", peak, mean)

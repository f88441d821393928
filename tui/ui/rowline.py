"""One line of a grid: fitting text to cells, choosing column widths, painting strips.

Pure functions of their arguments; it knows neither the widget nor where rows come from.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.rows.column import Cell, Column
from tui.ui.meters import bar_parts, bar_steps
from tui.ui.style import Glyphs, Tones

GUTTER = 2
"""Cells before the first column: the mark, and how the row stands."""
RANKS = 6
"""So much less important, a column goes before the more important one has to be narrow."""
_SMALLEST_BAR = 3


@dataclass(frozen=True, slots=True)
class Look:
    """How a row stands, besides its cells."""

    stale: int = 0
    """0 fresh, 1 dimmed, 2 dimmed with ``~``, 3 dimmed with ``?``."""
    pending: bool = False
    """An action on it has been asked for and is not yet seen done."""
    marked: bool = False
    depth: int = 0
    """Indentation of its first column, for trees; -1: a plain line among those of a tree."""
    branch: bool | None = None
    """None for a leaf, else whether it is expanded."""
    heading: bool = False
    """Drawn bold."""
    watch: str = ""
    """Tone of something watched; empty when it is not."""


PLAIN = Look()


class Place(NamedTuple):
    """A column where it stands on the screen."""

    column: Column[Any]
    x: int
    width: int


class Piece(NamedTuple):
    """A cell as drawn: two equal pieces look alike, so nothing needs painting."""

    text: str
    tone: str
    filled: int
    """Half cells of its meter; -1 without one."""
    bar: int
    """Cells of its meter."""


class Flashes:
    """Cells highlighted for a while, and until when."""

    def __init__(self) -> None:
        self._until: dict[str, dict[str, float]] = {}

    @property
    def count(self) -> int:
        return len(self._until)

    def add(self, key: str, column: str, until: float) -> None:
        self._until.setdefault(key, {})[column] = until

    def of(self, key: str) -> Collection[str]:
        """Columns of a row that are highlighted."""
        return self._until.get(key, ())

    def end(self, now: float) -> list[str]:
        """Drop what is over; the rows it was in."""
        ended = []
        for key, columns in list(self._until.items()):
            left = {column: until for column, until in columns.items() if until > now}
            if len(left) == len(columns):
                continue
            ended.append(key)
            if left:
                self._until[key] = left
            else:
                del self._until[key]
        return ended


# -- text ----------------------------------------------------------------------------------


def clean(text: str) -> str:
    """``text`` without what would move the terminal's cursor or hide itself."""
    if text.isprintable():
        return text
    kept = (" " if char in "\t\n\r" else char for char in text)
    return "".join(c for c in kept if c == " " or unicodedata.category(c)[0] not in "CZ")


def fit(text: str, width: int, *, ellipsis: str = "…", prose: bool = False) -> str:
    """``text`` in at most ``width`` cells: shortened in its middle, or prose at its end."""
    text = clean(text)
    size = len(text) if text.isascii() else cell_len(text)
    if size <= width:
        return text
    room = width - cell_len(ellipsis)
    if room <= 0:
        return set_cell_size(text, max(0, width))
    if prose:
        return set_cell_size(text, room).rstrip() + ellipsis
    head = _head(text, room - room // 2)
    return head + ellipsis + _tail(text, room - cell_len(head))


def _head(text: str, width: int) -> str:
    """The start of ``text`` in at most ``width`` cells: a wide character is not halved."""
    if text.isascii():
        return text[:width]
    size = end = 0
    while end < len(text) and size + cell_len(text[end]) <= width:
        size += cell_len(text[end])
        end += 1
    return text[:end]


def _tail(text: str, width: int) -> str:
    """The end of ``text`` in at most ``width`` cells."""
    if text.isascii():
        return text[len(text) - width :]
    start = len(text)
    size = 0
    while start and size + cell_len(text[start - 1]) <= width:
        start -= 1
        size += cell_len(text[start])
    return text[start:]


def pad(text: str, width: int, *, right: bool = False) -> str:
    blank = " " * (width - (len(text) if text.isascii() else cell_len(text)))
    return blank + text if right else text + blank


# -- widths --------------------------------------------------------------------------------


def arrange(columns: Sequence[Column[Any]], available: int) -> list[Place]:
    """Which columns show, and where: the least important leave until the rest fits."""
    gap = 2 if available >= 96 else 1
    shown = list(columns)
    while shown:
        worst = max(range(len(shown)), key=lambda at: (shown[at].priority, at))
        rank = shown[worst].priority
        if not rank or _needed(shown, gap, comfort=rank - RANKS) <= available:
            break
        del shown[worst]
    if not shown:
        return []
    widths = [_least(column) for column in shown]
    spare = available - _needed(shown, gap)
    if spare < 0:
        _shrink(widths, -spare)
    else:
        _widen(shown, widths, spare)
    places = []
    x = GUTTER
    for column, width in zip(shown, widths, strict=True):
        places.append(Place(column, x, width))
        x += width + gap
    return places


def _least(column: Column[Any]) -> int:
    return column.minimum or column.width


def _needed(columns: Sequence[Column[Any]], gap: int, *, comfort: int = -1) -> int:
    """Cells for the columns, with a blank at the right edge.

    Those of a priority up to ``comfort`` take what they prefer, the others their least.
    """
    widths = (c.width if c.priority <= comfort else _least(c) for c in columns)
    return GUTTER + sum(widths) + gap * (len(columns) - 1) + 1


def _shrink(widths: list[int], missing: int) -> None:
    while missing > 0 and max(widths) > 3:
        widest = widths.index(max(widths))
        widths[widest] -= 1
        missing -= 1


def _widen(columns: Sequence[Column[Any]], widths: list[int], spare: int) -> None:
    """Spend spare cells: first every column to what it prefers, then those that grow."""
    for rank in sorted({column.priority for column in columns}):
        equals = [at for at, column in enumerate(columns) if column.priority == rank]
        while spare and (short := [at for at in equals if widths[at] < columns[at].width]):
            for at in short[:spare]:
                widths[at] += 1
            spare -= min(spare, len(short))
    growing = [at for at, column in enumerate(columns) if column.grow]
    total = sum(columns[at].width for at in growing)
    left = spare
    for at in growing:
        share = spare * columns[at].width // total
        if not columns[at].prose:
            # A name four times as wide as it likes only pushes its numbers out of sight.
            share = min(share, columns[at].width * 3)
        widths[at] += share
        left -= share
    prose = [at for at in growing if columns[at].prose]
    if prose:
        widths[prose[-1]] += left


# -- cells ---------------------------------------------------------------------------------


def piece(cell: Cell, place: Place, glyphs: Glyphs, *, indent: str = "") -> Piece:
    """The cell as it will be drawn in its place."""
    column, _x, width = place
    text = glyphs.plain(indent + cell.text if indent else cell.text)
    if cell.bar is None:
        fitted = fit(text, width, ellipsis=glyphs.ellipsis, prose=column.prose)
        return Piece(pad(fitted, width, right=column.right), cell.tone, -1, 0)
    text = clean(text)
    reserved = max(cell_len(text), 4)
    room = width - reserved - 1
    if room < _SMALLEST_BAR:
        fitted = fit(text, width, ellipsis=glyphs.ellipsis)
        return Piece(pad(fitted, width, right=True), cell.tone, -1, 0)
    steps = bar_steps(cell.bar, room, glyphs.ascii)
    return Piece(pad(text, width - room, right=True), cell.tone, steps, room)


def indent_of(look: Look, glyphs: Glyphs, *, tree: bool) -> str:
    """What stands before the text of the first column of a tree."""
    if not tree or look.depth < 0:
        return ""
    twig = "  "
    if look.branch is not None:
        twig = f"{glyphs.expanded if look.branch else glyphs.collapsed} "
    return "  " * look.depth + twig


# -- paint ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Brushes:
    """The styles a stylesheet gives a grid."""

    row: Style
    cursor: Style
    cursor_blurred: Style
    header: Style
    changed: Style
    match: Style
    empty: Style
    tones: Tones


class Painter:
    """Paints lines with one set of brushes and glyphs."""

    def __init__(self, brushes: Brushes, glyphs: Glyphs) -> None:
        self.brushes = brushes
        self.glyphs = glyphs
        self._mixed: dict[tuple[int, str, bool, bool], Style] = {}
        self._bases = (brushes.row, brushes.cursor, brushes.cursor_blurred)

    def _style(self, kind: int, tone: str, changed: bool = False, bold: bool = False) -> Style:
        key = (kind, tone, changed, bold)
        mixed = self._mixed.get(key)
        if mixed is None:
            mixed = self._bases[kind] + self.brushes.tones.style(tone)
            if changed:
                mixed += self.brushes.changed
            if bold:
                mixed += Style(bold=True)
            self._mixed[key] = mixed
        return mixed

    def line(
        self,
        pieces: Sequence[Piece],
        places: Sequence[Place],
        look: Look,
        width: int,
        *,
        kind: int = 0,
        changed: Collection[str] = (),
        needle: str = "",
    ) -> Strip:
        """A row. ``kind``: 0 plain, 1 under the cursor, 2 under the cursor of an idle grid."""
        if not places:
            return Strip.blank(width, self._bases[kind])
        segments = self._gutter(look, kind)
        ends = [place.x for place in places[1:]] + [width]
        for index, (part, place, end) in enumerate(zip(pieces, places, ends, strict=True)):
            tone = part.tone
            if look.stale:
                tone = "stale"
            elif kind and tone == "dim":
                tone = ""
            elif look.pending and not index:
                tone = "pending"
            elif look.watch in ("warning", "error") and not index:
                tone = look.watch
            if part.bar:
                segments += self._bar(part, tone, kind, stale=look.stale > 0)
            flash = place.column.id in changed
            style = self._style(kind, tone, flash, look.heading and not index)
            text = part.text
            blank = " " * (end - place.x - place.width)
            if not flash:
                # Blanks have no colour of their own: in one run with the cell they cost a byte.
                text, blank = text + blank, ""
            if needle and not place.column.right and needle in text.lower():
                segments += self._match(text, needle, style)
            else:
                segments.append(Segment(text, style))
            if blank:
                segments.append(Segment(blank, self._style(kind, "")))
        return Strip(segments).simplify().adjust_cell_length(width, self._bases[kind])

    def _gutter(self, look: Look, kind: int) -> list[Segment]:
        glyphs = self.glyphs
        mark = glyphs.marked if look.marked else " "
        stand, tone = " ", ""
        if look.pending:
            stand, tone = glyphs.pending, "pending"
        elif look.stale >= 2:
            stand, tone = (glyphs.old if look.stale == 2 else glyphs.lost), "stale"
        elif look.watch:
            stand, tone = glyphs.watched, "accent" if look.watch == "ok" else look.watch
        return [
            Segment(mark, self._style(kind, "mark" if look.marked else "")),
            Segment(stand, self._style(kind, tone)),
        ]

    def _bar(self, part: Piece, tone: str, kind: int, *, stale: bool) -> list[Segment]:
        filled, rest = bar_parts(part.filled, part.bar, self.glyphs.ascii)
        lit = tone if stale or tone not in ("", "dim") else "accent-bar"
        return [
            Segment(filled, self._style(kind, lit)),
            Segment(rest, self._style(kind, "track")),
        ]

    def _match(self, text: str, needle: str, style: Style) -> list[Segment]:
        lowered = text.lower()
        if len(lowered) != len(text):
            return [Segment(text, style)]
        segments = []
        at = 0
        found = lowered.find(needle)
        while found >= 0:
            segments.append(Segment(text[at:found], style))
            at = found + len(needle)
            segments.append(Segment(text[found:at], style + self.brushes.match))
            found = lowered.find(needle, at)
        segments.append(Segment(text[at:], style))
        return segments

    def header(
        self, places: Sequence[Place], width: int, sort: str, *, descending: bool, hidden: int
    ) -> Strip:
        """Titles; the sorted one carries its arrow, the right edge how many do not show."""
        style = self.brushes.header
        strong = style + self.brushes.tones.style("accent")
        segments = [Segment(" " * GUTTER, style)]
        x = GUTTER
        for place in places:
            segments.append(Segment(" " * (place.x - x), style))
            title = self._title(place, sort, descending=descending)
            segments.append(Segment(title, strong if place.column.id == sort else style))
            x = place.x + place.width
        more = f"+{hidden}" if hidden else ""
        if more and width - x > len(more):
            segments.append(Segment(" " * (width - x - len(more)), style))
            segments.append(Segment(more, style + self.brushes.tones.style("faint")))
        elif x < width:
            segments.append(Segment(" " * (width - x), style))
        strip = Strip(segments)
        return strip.crop(0, width)

    def _title(self, place: Place, sort: str, *, descending: bool) -> str:
        column, _x, width = place
        title = column.title
        if column.id == sort:
            arrow = self.glyphs.descending if descending else self.glyphs.ascending
            room = width - 1
            title = fit(title, room, ellipsis="", prose=True)
            title += arrow
        else:
            title = fit(title, width, ellipsis="", prose=True)
        return pad(title, width, right=column.right)

    def message(self, text: str, y: int, height: int, width: int) -> Strip:
        """Line ``y`` of ``height`` of an empty grid: its message stands in the middle."""
        lines = [clean(line) for line in self.glyphs.plain(text).split("\n")] if text else []
        at = y - max(0, (height - len(lines)) // 2)
        shown = lines[at] if 0 <= at < len(lines) else ""
        shown = fit(shown, max(0, width - 2), ellipsis=self.glyphs.ellipsis, prose=True)
        left = (width - cell_len(shown)) // 2
        line = pad(" " * left + shown, width)
        return Strip([Segment(line, self.brushes.empty)], width)

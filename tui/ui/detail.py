"""Everything about the selected thing, in as many columns as there is room for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from tui.store import Store
from tui.ui.facts import Fact, Section, facts, name_of
from tui.ui.patch import Patch
from tui.ui.rowline import clean, fit, pad
from tui.ui.style import Glyphs, Tones, tones

COLUMN = 46
"""A column of facts is at least this wide."""
LABEL = 13
_UNITS = re.compile(r"(\d) ([KMGTP]?B\b|s\b|ms\b)")


class DetailPane(VerticalScroll):
    """The facts of one thing."""

    DEFAULT_CLASSES = "pane"

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id="detail")
        self._store = store
        self._glyphs = glyphs
        self._key: str | None = None
        self._title = ""
        self._height = 0
        self._body = Patch(id="facts")

    @property
    def key(self) -> str | None:
        """Key of the thing shown."""
        return self._key

    def compose(self) -> ComposeResult:
        yield self._body

    def on_mount(self) -> None:
        self.border_title = Content("Detail")

    def show(self, key: str | None, now: float) -> None:
        """Turn to a thing, or bring what is shown up to date."""
        if key != self._key:
            self._key = key
            self.scroll_home(animate=False)
        row = self._store.row(key) if key else None
        if row is None:
            gone = "Nothing is selected" if key is None else "It is gone from its host"
            self._put(Text(gone, style=tones(self.app).style("dim")), "Detail")
            return
        if not self.is_attached or self.size.width == 0:
            return
        sections = facts(row, self._store, now)
        dash = self._glyphs.plain("—")
        body = layout(sections, self._room, tones(self.app), self._glyphs)
        self._put(body, f"Detail {dash} {clean(name_of(row))}")

    @property
    def _room(self) -> int:
        return max(20, self.scrollable_content_region.width - 1)

    def _put(self, body: Text, title: str) -> None:
        # Whole pages, and none taken back for a few lines: any other height lays the whole screen
        # out again, which costs more than all the rest of a key.
        page = max(1, self.scrollable_content_region.height)
        lines = body.plain.count("\n") + 1
        wanted = -(-lines // page) * page
        if not wanted <= self._height <= wanted + page:
            self._height = wanted
        self._body.put(body.append("\n" * (self._height - lines)))
        if title != self._title:  # setting it paints the whole pane again
            self._title = title
            self.border_title = Content(title)


# -- setting in columns --------------------------------------------------------------------


def layout(sections: Sequence[Section], width: int, ink: Tones, glyphs: Glyphs) -> Text:
    """Sections set in columns of like height, attention always first and full width."""
    top = [section for section in sections if section.title == "Attention"]
    rest = [section for section in sections if section.title != "Attention"]
    lines = [line for section in top for line in _section(section, width, ink, glyphs)]
    if lines:
        lines.append(Text())
    count = max(1, min(len(rest), width // COLUMN, 4))
    inner = (width - 3 * (count - 1)) // count
    blocks = [_section(section, inner, ink, glyphs) for section in rest]
    columns = _deal(blocks, count)
    for index in range(max((len(column) for column in columns), default=0)):
        line = Text()
        for position, column in enumerate(columns):
            cell = column[index] if index < len(column) else Text()
            line.append_text(cell)
            if position < count - 1:
                line.append(" " * (inner - cell_len(cell.plain) + 3))
        lines.append(line)
    return Text("\n").join(lines)


def _deal(blocks: Sequence[list[Text]], count: int) -> list[list[Text]]:
    """Fill columns in reading order, none much longer than the others."""
    total = sum(len(block) + 1 for block in blocks)
    columns: list[list[Text]] = [[]]
    filled = 0
    for block in blocks:
        fair = total * len(columns) / count
        if columns[-1] and len(columns) < count and filled + len(block) / 2 > fair:
            columns.append([])
        if columns[-1]:
            columns[-1].append(Text())
        columns[-1] += block
        filled += len(block) + 1
    return columns


def _section(section: Section, width: int, ink: Tones, glyphs: Glyphs) -> list[Text]:
    urgent = section.title == "Attention"
    head = ink.style("error" if urgent else "accent") + Style(bold=True)
    lines = [Text(fit(section.title, width), style=head)]
    for fact in section.facts:
        lines += _fact(fact, width, ink, glyphs)
    return lines


def _fact(fact: Fact, width: int, ink: Tones, glyphs: Glyphs) -> list[Text]:
    label_style, style = ink.style("dim"), ink.style(fact.tone)
    if not fact.label:
        plain = glyphs.plain(fact.text)
        lines = [part for line in plain.splitlines() for part in wrap(clean(line), width)]
        return [Text(line, style=style) for line in lines[:20]]
    label = pad(fit(fact.label, LABEL - 1, ellipsis=glyphs.ellipsis), LABEL)
    words = wrap(clean(glyphs.plain(fact.text)), max(8, width - LABEL))
    first = Text(label, style=label_style).append(words[0], style=style)
    return [first, *(Text(" " * LABEL).append(line, style=style) for line in words[1:])]


def wrap(words: str, width: int) -> list[str]:
    """Break at blanks, but not between a number and its unit; shorten what has no blank."""
    lines = [""]
    for bound in _UNITS.sub("\\1\0\\2", words).split(" "):
        word = bound.replace("\0", " ")
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
        elif lines[-1]:
            lines.append(fit(word, width))
        else:
            lines[-1] = fit(word, width)
    return lines

"""What the sheets of plans have in common: facts above, a table below, keys at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from tui.rows.column import Column
from tui.ui.grid import Grid, Look
from tui.ui.modal import Modal
from tui.ui.patch import Patch
from tui.ui.rowline import clean, fit, pad
from tui.ui.style import Glyphs, tones

if TYPE_CHECKING:
    from tui.ui.app import DeckApp

HEADING = 12
"""Cells the headings of facts take."""


class PlanView(Modal[None]):
    """A plan, and what became of it."""

    app: DeckApp

    def __init__(self, columns: Sequence[Column[Any]], glyphs: Glyphs, empty: str) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.rows: dict[str, Any] = {}
        self._head = Patch(classes="sheet-head")
        self._facts = Patch(classes="sheet-facts")
        self._foot = Patch(classes="sheet-foot")
        self.grid: Grid[Any] = Grid(
            columns, lambda key: self.rows[key], look=self.look, glyphs=glyphs, empty=empty
        )

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield self._head
            with VerticalScroll(classes="plan-facts", can_focus=False):
                yield self._facts
            with Vertical(classes="sheet-page"):
                yield self.grid
            yield self._foot

    def on_mount(self) -> None:
        self.grid.focus()
        self.call_after_refresh(self.renew)

    def on_resize(self) -> None:
        self.call_after_refresh(self.renew)

    def look(self, row: Any) -> Look:
        """How a line is drawn."""
        return Look()

    def renew(self) -> None:
        """Show what is known now."""

    def action_leave(self) -> None:
        self.leave(None)

    # -- putting it on the screen ----------------------------------------------------------

    @property
    def width(self) -> int:
        """Cells a line of facts may take."""
        return max(40, self.size.width - 3)

    def say(self, head: str, keys: Sequence[tuple[str, str]]) -> None:
        """The first line, and the last: keys and what they do."""
        self._head.put(Text(fit(clean(head), self.size.width - 2), no_wrap=True))
        line, ink = Text(" ", no_wrap=True), tones(self.app)
        for key, words in keys:
            if line.cell_len + len(key) + len(words) + 4 > self.size.width:
                break
            line.append(self.glyphs.plain(key), style=ink.style("accent"))
            line.append(f" {words}   ", style=ink.style("dim"))
        self._foot.put(line)

    def tell(self, facts: Sequence[tuple[str, str, str]]) -> None:
        """Facts: heading, words, tone. Long ones go on below."""
        ink, found = tones(self.app), Text(no_wrap=True)
        room = self.width - HEADING
        for heading, words, tone in facts:
            for at, part in enumerate(self._wrapped(clean(words), room)):
                if found:
                    found.append("\n")
                found.append(pad(heading if at == 0 else "", HEADING), style=ink.style("dim"))
                found.append(self.glyphs.plain(part), style=ink.style(tone) if tone else "")
        self._facts.put(found)

    def _wrapped(self, words: str, width: int) -> list[str]:
        """Lines of at most so many cells."""
        lines = Text(words).wrap(self.app.console, width)
        return [line.plain.rstrip() for line in lines] or [""]

    def put_facts(self, found: Text) -> None:
        """Facts drawn otherwise."""
        self._facts.put(found)

    def show(self, rows: dict[str, Any]) -> None:
        """Rows in their order."""
        self.rows = rows
        self.grid.set_keys(list(rows))
        self.grid.touch(rows)

    @property
    def selected(self) -> Any:
        """The row under the cursor."""
        key = self.grid.cursor_key
        return self.rows.get(key) if key is not None else None

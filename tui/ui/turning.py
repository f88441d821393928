"""A pane of several tables, one at a time, under the line that names them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.store import Store
from tui.ui.patch import Patch
from tui.ui.style import Glyphs, tones
from tui.ui.subjects import Subject
from tui.ui.views import ViewsPane

Titles = Sequence[tuple[str, str]]
"""Id and title of every table, in their order."""


def turns(pane: str) -> list[BindingType]:
    """The keys from table to table, under the names they have for one pane."""
    return [
        Binding("right,right_square_bracket", "turn(1)", "Next", show=False, id=f"{pane}.next"),
        Binding("left,left_square_bracket", "turn(-1)", "Previous", show=False, id=f"{pane}.back"),
    ]


class ViewLine(Patch):
    """Which table is open, which others there are."""

    def __init__(self, glyphs: Glyphs, titles: Titles) -> None:
        super().__init__(classes="fleet-views")
        self._glyphs = glyphs
        self._titles = titles

    def tell(self, current: str) -> None:
        """Mark the open one by more than colour."""
        ink = tones(self.app)
        line = Text(no_wrap=True)
        for name, title in self._titles:
            here = name == current
            style = ink.style("accent" if here else "dim") + Style(bold=here, reverse=here)
            line.append(f" {title} ", style=style)
        line.append(self._glyphs.plain("  ←→"), style=ink.style("faint"))
        self.put(line)

    def name_at(self, x: int) -> str:
        """The table whose title is there."""
        at = 0
        for name, title in self._titles:
            at += len(title) + 2
            if x < at:
                return name
        return ""


class TurningPane(ViewsPane):
    """The pane; what each table lists is its own."""

    def __init__(self, view: str, titles: Titles, store: Store, glyphs: Glyphs) -> None:
        super().__init__(self.subject_of(view, store), store, glyphs)
        self.view = view
        self._tables = titles
        self._line = ViewLine(glyphs, titles)

    @abstractmethod
    def subject_of(self, view: str, store: Store) -> Subject:
        """What a table lists, by its id."""

    def compose(self) -> ComposeResult:
        yield self._line
        yield self.grid

    def on_mount(self) -> None:
        super().on_mount()
        self._line.tell(self.view)

    def open(self, name: str) -> None:
        """Turn to a table, by its id."""
        if name != self.view:
            self.view = name
            self.take(self.subject_of(name, self.store))
        if self.is_attached:
            self._line.tell(name)

    def action_turn(self, by: int) -> None:
        names = [name for name, _ in self._tables]
        self.open(names[(names.index(self.view) + by) % len(names)])

    def on_click(self, event: events.Click) -> None:
        if event.widget is self._line and (name := self._line.name_at(event.x)):
            self.open(name)

"""An action on a set, item by item: requested, accepted, observed; or what went wrong."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.rows import text
from tui.rows.activity import PHASES, remaining
from tui.rows.columns import Cell, Column, plain
from tui.ui.dispatch import Item, Run
from tui.ui.grid import Grid
from tui.ui.modal import Modal
from tui.ui.style import Glyphs


def _state(item: Item) -> Cell:
    if item.dropped:
        return Cell("Not sent", "warning")
    if item.result is None:
        return Cell("Waiting", "dim")
    word, tone = PHASES[item.result.phase]
    percent = f" {item.result.percent}%" if item.result.percent is not None else ""
    return Cell(word + percent if not item.over else word, tone)


def _left(item: Item) -> float | None:
    """Seconds still to go, where it can be told."""
    if item.over or item.result is None:
        return None
    return remaining(item.result.percent, item.result.at - item.begun)


def _time_left(item: Item) -> str:
    seconds = _left(item)
    return "" if seconds is None else text.uptime(seconds)


def _why(item: Item) -> str:
    if item.dropped or item.result is None:
        return item.dropped
    return text.trouble(item.result.trouble)


COLUMNS: tuple[Column[Item], ...] = (
    Column("name", "On", lambda i: i.target.name, plain(lambda i: i.target.name),
           20, 12, priority=0, grow=True),
    Column("host", "Host", lambda i: i.target.host.id, plain(lambda i: i.target.host.id),
           10, 6, priority=1),
    Column("state", "Result", lambda i: _state(i).text, _state, 14, priority=0, flash=True),
    Column("left", "Left", _left, plain(_time_left), 7, right=True, priority=1),
    Column("why", "Why", _why, plain(_why, "error"), 40, 10, priority=2, grow=True, prose=True),
)  # fmt: skip


class RunView(Modal[None]):
    """Live results; leaving it stops nothing."""

    keeps_keys = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "leave", show=False)]

    def __init__(self, run: Run, glyphs: Glyphs) -> None:
        super().__init__()
        self.run = run
        self._frame = Vertical(classes="palette")
        self._items = {item.key: item for item in run.items}
        self.grid: Grid[Item] = Grid(COLUMNS, self._items.__getitem__, glyphs=glyphs)

    def compose(self) -> ComposeResult:
        with self._frame:
            yield self.grid

    def on_mount(self) -> None:
        self.grid.set_keys(list(self._items))
        self.grid.focus()
        self.renew()

    def renew(self) -> None:
        """Results moved."""
        title = f"{self.run.action.title} {len(self.run.items)}: {self.run.tally()}"
        self._frame.border_title = Content(title)
        leave = "esc closes" if self.run.over else "esc closes, it goes on"
        self._frame.border_subtitle = Content(leave)
        self.grid.touch(self._items)

    def on_grid_activated(self) -> None:
        self.leave(None)

    def action_leave(self) -> None:
        self.leave(None)

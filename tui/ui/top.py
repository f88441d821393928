"""Top: who uses most of the fleet now, and who did a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.actions import Kind
from tui.rows.column import Column
from tui.rows.top import WINDOWS, Span, host_columns, vm_columns, window_words
from tui.store import Changes, Store
from tui.ui.fleet import ViewLine
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject
from tui.ui.views import ViewsPane

TITLES: Final = (("vms", "Virtual machines"), ("hosts", "Hosts"))


def _subject(name: str, span: Span) -> Subject:
    """One of the tables, over a span of time."""
    made: Callable[[Span], Sequence[Column[object]]]
    made = vm_columns if name == "vms" else host_columns
    columns = tuple(made(span))
    shown = tuple(column.id for column in columns)
    if name == "vms":
        return Subject(
            "top", "Top virtual machines", "virtual machines", "vm", columns, shown,
            lambda store: store.vms, lambda changes: changes.vms, Kind.VM, "cpu", True,
            empty="No virtual machines yet",
        )  # fmt: skip
    return Subject(
        "top", "Top hosts", "hosts", "host", columns, shown,
        lambda store: store.host_rows, lambda changes: changes.hosts, Kind.HOST, "cpu", True,
        empty="No hosts yet",
    )  # fmt: skip


class TopPane(ViewsPane):
    """Machines or hosts by what they use."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,right_square_bracket", "turn(1)", "Next", show=False, id="top.next"),
        Binding("left,left_square_bracket", "turn(-1)", "Previous", show=False, id="top.back"),
    ]

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        self._span = Span(store)
        super().__init__(_subject("vms", self._span), store, glyphs)
        self.view = "vms"
        self._line = ViewLine(glyphs, TITLES)

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
            self.take(_subject(name, self._span))
        if self.is_attached:
            self._line.tell(name)

    def action_turn(self, by: int) -> None:
        names = [name for name, _ in TITLES]
        self.open(names[(names.index(self.view) + by) % len(names)])

    def next_window(self) -> None:
        """The next longer span of time, then the shortest again."""
        at = WINDOWS.index(self._span.seconds)
        self._span.resize(WINDOWS[(at + 1) % len(WINDOWS)])
        self.subject = _subject(self.view, self._span)
        self.grid.set_columns(self._chosen_columns())
        self.rebuild()

    # -- following the store ---------------------------------------------------------------

    def changed(self, changes: Changes) -> None:
        moved = self.shown and not self.frozen and self._span.renew()
        super().changed(changes)
        if moved:
            self.grid.touch_all()

    def ordered(self) -> list[str]:
        self._span.renew()
        return super().ordered()

    def _notes(self) -> list[str]:
        return [f"last {window_words(self._span.seconds)}", *super()._notes()]

    def on_click(self, event: events.Click) -> None:
        if event.widget is self._line and (name := self._line.name_at(event.x)):
            self.open(name)

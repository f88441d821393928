"""Top: who uses most of the fleet now, and who did a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.binding import BindingType

from tui.actions import Kind
from tui.rows.column import Column
from tui.rows.top import WINDOWS, Span, host_columns, vm_columns, window_words
from tui.store import Changes, Store
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject
from tui.ui.turning import TurningPane, turns

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


class TopPane(TurningPane):
    """Machines or hosts by what they use."""

    BINDINGS: ClassVar[list[BindingType]] = turns("top")

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        self._span = Span(store)
        super().__init__("vms", TITLES, store, glyphs)

    def subject_of(self, view: str, store: Store) -> Subject:
        return _subject(view, self._span)

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

    def jumped(self) -> None:
        self._span.resize(self._span.seconds)
        super().jumped()

    def ordered(self) -> list[str]:
        self._span.renew()
        return super().ordered()

    def _notes(self) -> list[str]:
        return [f"last {window_words(self._span.seconds)}", *super()._notes()]

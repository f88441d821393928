"""The fleet in tables: integration services of every machine, and the audits of all networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.actions import Kind
from tui.rows.matrix import AUDITS, MATRIX_COLUMNS, MATRIX_DEFAULT, Audit, audit_hosts
from tui.store import Store
from tui.ui.patch import Patch
from tui.ui.style import Glyphs, tones
from tui.ui.subjects import Subject
from tui.ui.views import ViewsPane, any_change

SERVICES = Subject(
    "audit", "Integration services", "virtual machines", "vm", MATRIX_COLUMNS, MATRIX_DEFAULT,
    lambda store: store.vms, lambda changes: changes.vms, Kind.VM, "name",
    empty="No virtual machines yet",
)  # fmt: skip
TITLES = (*((audit.id, audit.title) for audit in AUDITS), ("services", "Services"))


def subject_of(audit: Audit, store: Store) -> Subject:
    """An audit as a table, with a column for every host where it has such."""
    columns = tuple(audit.columns(audit_hosts(store)))

    def rows(store: Store) -> Mapping[str, Any]:
        return {line.key: line for line in audit.lines(store)}

    return Subject(
        "audit", f"Network audit, {audit.noun}", audit.noun, "audit", columns,
        tuple(audit.default) or tuple(column.id for column in columns),
        rows, any_change, empty=audit.empty,
    )  # fmt: skip


class ViewLine(Patch):
    """Which table is open, which others there are."""

    def __init__(self, glyphs: Glyphs, titles: Sequence[tuple[str, str]]) -> None:
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


class FleetPane(ViewsPane):
    """One pane, a table at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,right_square_bracket", "turn(1)", "Next", show=False, id="audit.next"),
        Binding("left,left_square_bracket", "turn(-1)", "Previous", show=False, id="audit.back"),
    ]

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(SERVICES, store, glyphs)
        self.view = "services"
        self._line = ViewLine(glyphs, TITLES)
        self._audits = {audit.id: audit for audit in AUDITS}

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
            audit = self._audits.get(name)
            self.take(subject_of(audit, self.store) if audit else SERVICES)
        if self.is_attached:
            self._line.tell(name)

    def action_turn(self, by: int) -> None:
        names = [name for name, _ in TITLES]
        self.open(names[(names.index(self.view) + by) % len(names)])

    def ordered(self) -> list[str]:
        audit = self._audits.get(self.view)
        if audit is not None:
            self._follow_hosts(subject_of(audit, self.store))
        return super().ordered()

    def _follow_hosts(self, fresh: Subject) -> None:
        """Hosts came or went: so do their columns."""
        known = [column.id for column in self.subject.columns]
        if [column.id for column in fresh.columns] != known:
            self.subject, self.columns = fresh, list(fresh.default)
            if self.sort not in self.columns:
                self.sort = ""
            self.grid.set_columns(self._chosen_columns())

    def on_click(self, event: events.Click) -> None:
        if event.widget is self._line and (name := self._line.name_at(event.x)):
            self.open(name)

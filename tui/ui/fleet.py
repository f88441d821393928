"""The fleet in tables: integration services of every machine, and the audits of all networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.binding import BindingType

from tui.actions import Kind
from tui.rows.matrix import AUDITS, MATRIX_COLUMNS, MATRIX_DEFAULT, Audit, audit_hosts
from tui.store import Store
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject
from tui.ui.turning import TurningPane, turns
from tui.ui.views import any_change

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


class FleetPane(TurningPane):
    """One pane, a table at a time."""

    BINDINGS: ClassVar[list[BindingType]] = turns("audit")

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        self._audits = {audit.id: audit for audit in AUDITS}
        super().__init__("services", TITLES, store, glyphs)

    def subject_of(self, view: str, store: Store) -> Subject:
        audit = self._audits.get(view)
        return subject_of(audit, store) if audit else SERVICES

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

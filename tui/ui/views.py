"""A pane that shows several tables in turn, whose rows may stand for things of other panes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tui.actions import Kind
from tui.rows.audit import Line
from tui.rows.filter import Filter, parse
from tui.rows.neighbours import Neighbour
from tui.rows.topology import Node
from tui.store import Changes, Delta, MeterRow, Store
from tui.ui.entries import kind_of
from tui.ui.grid import Look
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject
from tui.ui.tables import TablePane, look_of

LEVEL = Look(depth=-1)
STANDING = (Node, Line, MeterRow, Neighbour)
"""Rows that stand for things of other panes."""


def any_change(changes: Changes) -> Delta:
    """Whatever happened may change the picture; keys of its own it has not."""
    moved = bool(changes.vms or changes.switches or changes.hosts)
    return Delta(added={"."}) if moved else Delta()


def shape_of(store: Store) -> list[Any]:
    """All that derived rows are made of: while it is the same, they are. Loads are not in it."""
    found: list[Any] = []
    for vm in store.vms.values():
        found += (vm, vm.vm, vm.vitals.state)
    for host in store.host_rows.values():
        found += (host, host.host, host.vitals.read_at > 0)
    for switch in store.switches.values():
        found += (switch, switch.switch)
    return found


class ViewsPane(TablePane):
    """What is selected is the thing a row stands for: detail, menu and keys follow it."""

    def __init__(self, subject: Subject, store: Store, glyphs: Glyphs) -> None:
        super().__init__(subject, store, glyphs)
        self._shape: list[Any] = []

    # -- turning ---------------------------------------------------------------------------

    def take(self, subject: Subject) -> None:
        """List something else: its own columns, order and words for filters."""
        self.subject = subject
        self.rows = {}
        self.filter, self.problem = Filter("", None), ""
        self.only_marked = self.only_problems = False
        self.sort, self.descending = subject.sort, subject.descending
        self.columns = list(subject.default)
        self._problems = parse("is:problem", subject.filter_kind)
        self._away = self._settled_on = self._range_from = None
        self.grid.set_needle("")
        self.grid.set_keys([])
        self.grid.set_empty(subject.empty)
        self.grid.set_columns(self._chosen_columns())
        self.grid.set_sort(self.sort, descending=self.descending)
        if self.is_attached:
            self.rebuild()
            self.post_message(self.Changed(self))

    def ordered(self) -> list[str]:
        if self.subject.delta is any_change:
            self._shape = shape_of(self.store)
        self.rows = self.subject.rows(self.store)
        return super().ordered()

    def fill(self) -> None:
        super().fill()
        self.grid.touch_all()

    def changed(self, changes: Changes) -> None:
        if self._same(changes):
            self.grid.touch_all()
        else:
            super().changed(changes)

    def _same(self, changes: Changes) -> bool:
        """Rows are made of what they were made of; only what they show has moved on."""
        if self.subject.delta is not any_change or not any_change(changes) or self.frozen:
            return False
        if not self.shown or self.narrowed or self.sort or not self.settled:
            return False
        return shape_of(self.store) == self._shape

    # -- what rows stand for ---------------------------------------------------------------

    @property
    def selected(self) -> Any:
        """The row under the cursor; None without one."""
        key = self.grid.cursor_key
        return self.rows.get(key) if key is not None else None

    @property
    def cursor(self) -> str | None:
        row = self.selected
        return row.goes if isinstance(row, STANDING) else super().cursor

    @property
    def plotted(self) -> str | None:
        """Key of what graphs show: the row itself where it is measured, else what is selected."""
        row = self.selected
        if isinstance(row, Neighbour):
            return row.plotted
        return row.key if isinstance(row, MeterRow) else self.cursor

    @property
    def kind(self) -> Kind | None:
        """Kind of the thing under the cursor."""
        row = self.selected
        if not isinstance(row, STANDING):
            return self.subject.kind
        thing = row.row if isinstance(row, Node) else self.store.row(row.goes)
        return kind_of(thing) or self.subject.kind

    def look(self, row: Any) -> Look:
        if isinstance(row, Line):
            return replace(LEVEL, stale=int(row.stale))
        return look_of(row, depth=-1)

    # -- marks -----------------------------------------------------------------------------

    def marked(self) -> list[str]:
        """Only where rows are the things themselves; otherwise the one under the cursor counts."""
        return super().marked() if self.kind is self.subject.kind else []

    def markable(self, key: str) -> bool:
        return self.subject.kind is not None and self.store.row(key) is self.rows.get(key)

    def mark(self, keys: Iterable[str], on: bool) -> None:
        super().mark(keys, on)
        self.grid.touch_all()

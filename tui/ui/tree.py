"""The host tree: clusters over their hosts, standalone hosts last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from tui.hyperv.model import Link
from tui.rows import text
from tui.rows.columns import HOST_COLUMNS, Cell, Column, find
from tui.store import Changes, HostRow, Store
from tui.store.groups import PREFIX
from tui.ui import gridevents
from tui.ui.grid import Look
from tui.ui.style import Glyphs
from tui.ui.subjects import HOSTS
from tui.ui.tables import TablePane, look_of


class HostPane(TablePane):
    """Hosts below their clusters; sorting by a column or filtering makes it a plain list."""

    branching: ClassVar[bool] = True

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(HOSTS, store, glyphs)
        self._folded: set[str] = set()
        self._clusters: dict[str, str] = {}
        """The cluster each host stood under when the tree was last set."""

    def row(self, key: str) -> Any:
        return self.store.groups.rows[key] if key.startswith(PREFIX) else self.rows[key]

    def look(self, row: Any) -> Look:
        look = look_of(row)
        if row.group:
            return replace(look, stale=0, branch=row.key not in self._folded, heading=True)
        return replace(look, depth=0 if self._flat else row.depth)

    @property
    def _flat(self) -> bool:
        return bool(self.sort) or self.narrowed

    def ordered(self) -> list[str]:
        if self._flat:
            return super().ordered()
        rows = self.store.tree(frozenset(self._folded))
        self._clusters = {key: row.host.cluster for key, row in self.rows.items()}
        self._shown = {row.key for row in rows if not row.group}
        return [row.key for row in rows]

    def _moves(self, changed: Any) -> bool:
        known = [key for key in changed if key in self.rows]
        if self._flat:
            return super()._moves(known)
        return any(self._clusters.get(key) != self.rows[key].host.cluster for key in known)

    def changed(self, changes: Changes) -> None:
        super().changed(changes)
        if changes.hosts and not self.frozen and self.shown:
            self.retitle()

    def toggle(self, key: str) -> bool:
        """Fold or unfold a group; False when the key is a host."""
        if not key.startswith(PREFIX):
            return False
        self._folded ^= {key}
        self.rebuild()
        self.grid.touch([key])
        return True

    def unfold_to(self, host: str) -> None:
        """Make a host's line visible."""
        row = self.rows.get(host)
        if row is not None and PREFIX + row.host.cluster in self._folded:
            self.toggle(PREFIX + row.host.cluster)

    def on_grid_toggled(self, event: gridevents.Toggled) -> None:
        event.stop()
        self.toggle(event.key)

    def on_resize(self) -> None:
        """Beside other panes it shows state and load alone; alone, every column."""
        self.grid.set_columns(self._chosen_columns())

    def _chosen_columns(self) -> list[Column[HostRow]]:
        if self.is_attached and self.size.width < 72 and self.columns == list(HOSTS.default):
            return list(SLIM)
        return super()._chosen_columns()

    def counts(self) -> str:
        shown = sum(not key.startswith(PREFIX) for key in self.grid.keys)
        total = len(self.rows)
        return f"{shown} of {total}" if self.narrowed else str(total)


SLIM_WORDS = {Link.UP: "Up", Link.SLOW: "Slow", Link.CONNECTING: "Wait", Link.DOWN: "Down"}


def _slim_state(row: HostRow) -> Cell:
    """Glyph and one short word; detail and log tell the rest."""
    if row.group:
        return find(HOST_COLUMNS, "state").cell(row)
    state = text.host_state(row.vitals)
    word = row.pending or SLIM_WORDS[row.vitals.link]
    return Cell(str(text.State(state.glyph, state.plain, word, state.tone)), state.tone)


def _slim() -> Sequence[Column[HostRow]]:
    name, state = find(HOST_COLUMNS, "name"), find(HOST_COLUMNS, "state")
    cpu, memory = find(HOST_COLUMNS, "cpu"), find(HOST_COLUMNS, "memory")
    return (
        replace(name, width=16, minimum=12),
        replace(state, width=7, minimum=6, cell=_slim_state),
        replace(cpu, width=9, minimum=8),
        replace(memory, title="Mem", width=9, minimum=8),
        find(HOST_COLUMNS, "vms"),
        find(HOST_COLUMNS, "age"),
    )


SLIM = _slim()

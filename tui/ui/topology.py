"""The networks: a list of switches, or a tree from the wire to every adapter, or from each back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.actions import Kind
from tui.hyperv.plans.words import several
from tui.rows.topology import (
    NODE_COLUMNS,
    WAYS_DEFAULT,
    WIRES_DEFAULT,
    Node,
    Sort,
    ways,
    wires,
)
from tui.store import Store, SwitchRow
from tui.ui import gridevents
from tui.ui.grid import Look
from tui.ui.style import Glyphs
from tui.ui.subjects import NETWORKS, Subject
from tui.ui.tables import look_of
from tui.ui.views import ViewsPane, any_change

MANY = 150
"""Lines above which a tree begins with its switches folded."""


def _by_key(nodes: list[Node]) -> Mapping[str, Node]:
    return {node.key: node for node in nodes}


WIRES = Subject(
    "networks", "Topology, from the wire", "lines", "line", NODE_COLUMNS, tuple(WIRES_DEFAULT),
    lambda store: _by_key(wires(store)), any_change, Kind.SWITCH, empty="No hosts yet",
)  # fmt: skip
WAYS = Subject(
    "networks", "Topology, from the adapter", "lines", "line", NODE_COLUMNS, tuple(WAYS_DEFAULT),
    lambda store: _by_key(ways(store)), any_change, Kind.SWITCH, empty="No adapters yet",
)  # fmt: skip
VIEWS = (NETWORKS, WIRES, WAYS)


class NetworkPane(ViewsPane):
    """Sorting or filtering makes a tree show what matches, and what that hangs on."""

    branching: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "unfold", "Unfold", show=False, id="networks.unfold"),
        Binding("left", "fold", "Fold", show=False, id="networks.fold"),
    ]

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(NETWORKS, store, glyphs)
        self._turned: set[str] = set()
        """Branches that are not as the tree began."""
        self._folds: frozenset[Sort] = frozenset()
        """Sorts of branches that begin folded."""

    # -- views -----------------------------------------------------------------------------

    @property
    def is_tree(self) -> bool:
        """It shows the topology."""
        return self.subject is not NETWORKS

    def show_view(self, subject: Subject) -> None:
        """The list, or the tree one way or the other."""
        if subject is self.subject:
            return
        self._turned.clear()
        self._folds = frozenset()
        if subject is WAYS:
            self._folds = frozenset({Sort.ADAPTER})
        elif subject is WIRES and len(subject.rows(self.store)) > MANY:
            self._folds = frozenset({Sort.SWITCH})
        self.take(subject)

    def next_view(self) -> None:
        """List, from the wire, from the adapter, list."""
        self.show_view(VIEWS[(VIEWS.index(self.subject) + 1) % len(VIEWS)])

    # -- the tree --------------------------------------------------------------------------

    def look(self, row: Any) -> Look:
        if not isinstance(row, Node):
            return super().look(row)
        look = look_of(row)
        if self.sort:
            return replace(look, depth=-1)
        heading = row.depth == 0 and row.sort is Sort.HOST
        branch = not self._folded(row) if row.branch else None
        return replace(look, depth=row.depth, branch=branch, heading=heading)

    def _folded(self, node: Node) -> bool:
        if not node.branch or self.narrowed:
            return False
        return (node.sort in self._folds) is not (node.key in self._turned)

    def ordered(self) -> list[str]:
        keys = super().ordered()
        if not self.is_tree or self.sort:
            return keys
        shown = self._with_parents(keys) if self.narrowed else None
        found: list[str] = []
        below = -1
        for key, node in self.rows.items():
            if 0 <= below < node.depth or (shown is not None and key not in shown):
                continue
            found.append(key)
            below = node.depth if self._folded(node) else -1
        return found

    def _with_parents(self, keys: list[str]) -> set[str]:
        found: set[str] = set()
        for key in keys:
            while key and key not in found:
                found.add(key)
                key = self.rows[key].parent
        return found

    def turn(self, key: str) -> bool:
        """Fold or unfold a branch; False when there is none."""
        node = self.rows.get(key)
        if not isinstance(node, Node) or not node.branch or self.narrowed or self.sort:
            return False
        self._turned ^= {key}
        self.rebuild()
        self.grid.touch([key])
        return True

    def action_unfold(self) -> None:
        node = self.selected
        if isinstance(node, Node) and self._folded(node):
            self.turn(node.key)

    def action_fold(self) -> None:
        """Fold the branch; where it is folded, go to what it hangs on."""
        node = self.selected
        if not isinstance(node, Node) or self.sort:
            return
        if node.branch and not self._folded(node) and self.turn(node.key):
            return
        self.grid.move_to(node.parent)

    def on_grid_toggled(self, event: gridevents.Toggled) -> None:
        event.stop()
        self.turn(event.key)

    def reveal(self, key: str) -> None:
        """Have a switch on the screen: unfold what hides it, or go back to the list."""
        node = self.rows.get(key)
        if self.is_tree and not isinstance(node, Node):
            self.show_view(NETWORKS)
            return
        while isinstance(node, Node) and (node := self.rows.get(node.parent)) is not None:
            if self._folded(node):
                self.turn(node.key)

    # -- title -----------------------------------------------------------------------------

    def counts(self) -> str:
        if not self.is_tree or self.narrowed:
            return super().counts()
        adapters = sum(node.sort is Sort.ADAPTER for node in self.rows.values())
        return several(adapters, "adapter")

    def markable(self, key: str) -> bool:
        return isinstance(self.store.row(key), SwitchRow) and key in self.store.switches

"""Failover clusters: how each stands in a line; roles, nodes, volumes and more in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.actions import Kind
from tui.hyperv import quorum
from tui.hyperv.cluster import DOWN, PAUSED, UP, Cluster
from tui.hyperv.plans.words import several
from tui.rows import clustering, text
from tui.rows.clusterfindings import cluster_remarks
from tui.rows.matrix import REMARK_COLUMNS
from tui.store import Changes, Delta, Store
from tui.store.clusters import Told
from tui.ui.patch import Patch
from tui.ui.rowline import clean, fit
from tui.ui.style import Glyphs, tones
from tui.ui.subjects import Subject
from tui.ui.turning import TurningPane, turns

OLD = 30.0
"""Seconds after which what was told of a cluster may not be so any more."""
MOST = 6
"""Clusters that get a line of their own."""
_NONE: Final = "No configured host is a node of a failover cluster"


def _any(changes: Changes) -> Delta:
    """Whatever is told of a cluster may change lines that are made of it."""
    moved = bool(changes.roles or changes.nodes or changes.volumes)
    return Delta(added={"."}) if moved else Delta()


def _roles(changes: Changes) -> Delta:
    return changes.roles


def _nodes(changes: Changes) -> Delta:
    return changes.nodes


def _volumes(changes: Changes) -> Delta:
    return changes.volumes


def _by_key(lines: list[Any]) -> Mapping[str, Any]:
    return {line.key: line for line in lines}


ROLES = Subject(
    "cluster", "Roles of clusters", "roles", "role",
    clustering.ROLE_COLUMNS, clustering.ROLE_DEFAULT,
    lambda store: store.clusters.roles, _roles, Kind.ROLE, "name", empty="No roles to show",
)  # fmt: skip
NODES = Subject(
    "cluster", "Nodes of clusters", "nodes", "node",
    clustering.NODE_COLUMNS, clustering.NODE_DEFAULT,
    lambda store: store.clusters.nodes, _nodes, Kind.NODE, "name", empty="No nodes to show",
)  # fmt: skip
VOLUMES = Subject(
    "cluster", "Cluster shared volumes", "shared volumes", "csv",
    clustering.VOLUME_COLUMNS, clustering.VOLUME_DEFAULT,
    lambda store: store.clusters.volumes, _volumes, Kind.CSV, "name",
    empty="No shared volumes to show",
)  # fmt: skip
NETWORKS = Subject(
    "cluster", "Networks of clusters", "networks", "cluster-network",
    clustering.NETWORK_COLUMNS, tuple(column.id for column in clustering.NETWORK_COLUMNS),
    lambda store: _by_key(clustering.network_lines(store)), _any, empty="No networks to show",
)  # fmt: skip
RESOURCES = Subject(
    "cluster", "Resources of clusters", "resources", "resource",
    clustering.RESOURCE_COLUMNS, tuple(column.id for column in clustering.RESOURCE_COLUMNS),
    lambda store: _by_key(clustering.resource_lines(store)), _any, empty="No resources to show",
)  # fmt: skip
FINDINGS = Subject(
    "cluster", "What is wrong with clusters", "findings", "audit",
    REMARK_COLUMNS, ("level", "topic", "finding", "hint"),
    lambda store: _by_key(cluster_remarks(store)), _any,
    empty="Nothing is wrong with any cluster",
)  # fmt: skip
VIEWS: Final = {
    "roles": ROLES, "nodes": NODES, "volumes": VOLUMES,
    "networks": NETWORKS, "resources": RESOURCES, "findings": FINDINGS,
}  # fmt: skip
TITLES: Final = tuple((name, name.capitalize()) for name in VIEWS)
VIEW_OF: Final = {Kind.ROLE: "roles", Kind.NODE: "nodes", Kind.CSV: "volumes"}
"""Where a thing of each kind is listed."""


class Standing(Patch):
    """A line for each cluster: nodes up, votes, witness, and what it survives."""

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(classes="cluster-heads")
        self._store = store
        self._glyphs = glyphs

    def tell(self) -> None:
        """Say how the clusters stand now."""
        known = sorted(self._store.clusters.known.items())
        lines = [self._line(told) for _, told in known[:MOST]]
        if len(known) > MOST:
            rest = f"and {several(len(known) - MOST, 'cluster')} more: Findings names what is wrong"
            lines.append(Text(rest, style=tones(self.app).style("dim")))
        if not lines:
            lines.append(Text(_NONE, style=tones(self.app).style("dim")))
        self.put(Text("\n", no_wrap=True).join(lines))

    def _line(self, told: Told) -> Text:
        ink, cluster = tones(self.app), told.cluster
        line = Text(no_wrap=True)
        line.append(clean(cluster.name), style=ink.style("accent") + Style(bold=True))
        room = self.content_size.width or 80
        late = text.now() - told.at > OLD
        said = [("not heard of since " + text.clock(told.at), "error")] if late else []
        for words, tone in [*said, *parts(cluster)]:
            left = room - cell_len(line.plain) - 2
            if left < 6:
                break
            shown = fit(self._glyphs.plain(words), left, ellipsis=self._glyphs.ellipsis)
            line.append("  ").append(shown, style=ink.style(tone))
        return line


def parts(cluster: Cluster) -> list[tuple[str, str]]:
    """What is told of a cluster, and in which tone."""
    now = quorum.tally(cluster)
    up = sum(node.state in (UP, PAUSED) for node in cluster.nodes)
    down = any(node.state == DOWN for node in cluster.nodes)
    mark = text.State("●", "*", "", "ok")
    if up < len(cluster.nodes):
        mark = text.State("▲", "!", "", "error" if down else "warning")
    found = [(f"{mark}{up}/{len(cluster.nodes)} nodes up", mark.tone)]
    if (paused := sum(node.state == PAUSED for node in cluster.nodes)) > 0:
        found.append((f"{paused} paused", "paused"))
    votes = f"{now.cast}/{now.total} votes, {now.needed} needed"
    found.append((votes, "" if now.held else "error"))
    found.append(_witness(cluster))
    survives, which = quorum.survival(cluster)
    words = f"may lose {which}" if now.held else which
    found.append((words, "ok" if survives else "warning" if now.held else "error"))
    return found


def _witness(cluster: Cluster) -> tuple[str, str]:
    if not quorum.has_witness(cluster):
        even = sum(1 for node in cluster.nodes if node.weight) % 2 == 0
        return "no witness", "warning" if even else "dim"
    if quorum.witness_there(cluster):
        return "witness online", "" if cluster.witness_weight else "dim"
    return "witness not online", "error"


class ClusterPane(TurningPane):
    """One pane, a table at a time, below the line of each cluster."""

    BINDINGS: ClassVar[list[BindingType]] = turns("cluster")

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__("roles", TITLES, store, glyphs)
        self._standing = Standing(store, glyphs)

    def subject_of(self, view: str, store: Store) -> Subject:
        return VIEWS[view]

    def compose(self) -> ComposeResult:
        yield self._standing
        yield from super().compose()

    def changed(self, changes: Changes) -> None:
        super().changed(changes)
        if not self.shown or self.frozen or not self.is_attached:
            return
        if _any(changes):
            self._standing.tell()
        if (self.view == "roles" and changes.vms) or (self.view == "nodes" and changes.hosts):
            self.grid.touch_all()  # a role shows its machine, a node its host

    def catch_up(self, *, now: bool = False) -> None:
        super().catch_up(now=now)
        if self.is_attached:
            self._standing.tell()

    def on_resize(self) -> None:
        self._standing.tell()

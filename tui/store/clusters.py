"""Failover clusters as rows: roles, nodes and shared volumes, whichever node tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tui.collector.messages import Update
from tui.hyperv.model import Cluster
from tui.store.changes import Changes, Delta
from tui.store.fleet import HostEntry
from tui.store.news import news
from tui.store.rows import HostRow, NodeRow, RoleRow, Stale, VmRow, VolumeRow

RENEWED = 5.0
"""Seconds between two words on a cluster, usually."""
Row = TypeVar("Row", RoleRow, NodeRow, VolumeRow)


def role_key(cluster: str, role: str) -> str:
    """The key of a role's row and the id of its target."""
    return f"role:{cluster}/{role}"


def node_key(cluster: str, node: str) -> str:
    return f"node:{cluster}/{node}"


def volume_key(cluster: str, volume: str) -> str:
    return f"csv:{cluster}/{volume}"


@dataclass(slots=True)
class Told:
    """The newest word on a cluster."""

    cluster: Cluster
    host: str
    """Who told it."""
    at: float


class Clusters:
    """Every cluster any host is a node of, by name."""

    def __init__(
        self,
        vms: Mapping[str, VmRow] | None = None,
        hosts: Mapping[str, HostRow] | None = None,
    ) -> None:
        self._vms = vms if vms is not None else {}
        self._hosts = hosts if hosts is not None else {}
        self.known: dict[str, Told] = {}
        self.roles: dict[str, RoleRow] = {}
        self.nodes: dict[str, NodeRow] = {}
        self.volumes: dict[str, VolumeRow] = {}
        self._acted: dict[str, float] = {}
        """When somebody here last acted upon a role or its machine, by the role's key."""

    def cluster(self, name: str) -> Cluster | None:
        """A cluster as it was last told of."""
        told = self.known.get(name)
        return told.cluster if told else None

    def apply(self, entry: HostEntry, update: Update, marks: set[str], changes: Changes) -> None:
        """One host's word. An older one than another node's is of no interest."""
        name = entry.info.cluster
        told = self.known.get(name)
        if update.cluster is None:
            if told is not None and told.host == update.host:
                told.at = max(told.at, update.cluster_at)
            return
        cluster = update.cluster
        told = self.known.get(cluster.name)
        if told is not None and told.at > update.cluster_at:
            return
        if told is not None:
            changes.news += news(told.cluster, cluster, self._busy(told))
        self.known[cluster.name] = Told(cluster, update.host, update.cluster_at)
        self._settle(cluster, entry, marks, changes)

    def _busy(self, told: Told) -> frozenset[str]:
        """Roles that somebody here acted upon since a cluster told that: it may tell of what was
        done when the call has ended already.
        """
        return frozenset(
            row.name
            for key, row in self.roles.items()
            if row.cluster.name == told.cluster.name
            and (_acted_upon(row) or self._acted.get(key, told.at) > told.at)
        )

    def _settle(
        self, cluster: Cluster, entry: HostEntry, marks: set[str], changes: Changes
    ) -> None:
        info, vitals = entry.info, entry.vitals
        roles = {role_key(cluster.name, one.name): one for one in cluster.roles}
        nodes = {node_key(cluster.name, one.name): one for one in cluster.nodes}
        volumes = {volume_key(cluster.name, one.name): one for one in cluster.volumes}
        for key, role in roles.items():
            fresh_role = RoleRow(key, role, cluster, info, vitals, vms=self._vms)
            _place(self.roles, fresh_role, marks, changes.roles)
        for key, node in nodes.items():
            fresh_node = NodeRow(key, node, cluster, info, vitals, hosts=self._hosts)
            _place(self.nodes, fresh_node, marks, changes.nodes)
        for key, volume in volumes.items():
            fresh = VolumeRow(key, volume, cluster, info, vitals)
            _place(self.volumes, fresh, marks, changes.volumes)
        _drop(self.roles, cluster.name, roles, changes.roles)
        _drop(self.nodes, cluster.name, nodes, changes.nodes)
        _drop(self.volumes, cluster.name, volumes, changes.volumes)

    def follow(self, hosts: Mapping[str, HostEntry], changes: Changes, now: float) -> None:
        """Rows point at the record of the host that told of them, and age with it and with the
        word on their cluster: a node may answer while its cluster service does not.
        """
        for row, delta in self._rows(changes):
            entry = hosts.get(row.host.id)
            if entry is None:
                continue
            stale = max(entry.stale, self._age(row.cluster.name, entry, now))
            if row.stale is not stale:
                row.stale = stale
                delta.touch(row.key)
            row.host, row.host_vitals = entry.info, entry.vitals
        self._acted = {key: at for key, at in self._acted.items() if key in self.roles}
        self._acted |= {key: now for key, role in self.roles.items() if _acted_upon(role)}

    def _age(self, cluster: str, entry: HostEntry, now: float) -> Stale:
        told = self.known.get(cluster)
        if told is None or not told.at:
            return Stale.FRESH
        late = (now - told.at) / max(RENEWED, entry.vitals.interval)
        return Stale.OLD if late > 6 else Stale.DIM if late > 3 else Stale.FRESH

    def set_back(self, seconds: float) -> None:
        """The clock was set back by so much."""
        for told in self.known.values():
            told.at = max(0.0, told.at - seconds)
        self._acted = {key: at - seconds for key, at in self._acted.items()}

    def forget(self, hosts: Mapping[str, HostEntry], changes: Changes) -> None:
        """Clusters none of whose nodes is configured any more go."""
        kept = {entry.info.cluster for entry in hosts.values()}
        for name in [name for name in self.known if name not in kept]:
            del self.known[name]
            _drop(self.roles, name, {}, changes.roles)
            _drop(self.nodes, name, {}, changes.nodes)
            _drop(self.volumes, name, {}, changes.volumes)

    def _rows(self, changes: Changes) -> Iterable[tuple[RoleRow | NodeRow | VolumeRow, Delta]]:
        yield from ((row, changes.roles) for row in self.roles.values())
        yield from ((row, changes.nodes) for row in self.nodes.values())
        yield from ((row, changes.volumes) for row in self.volumes.values())


def _acted_upon(row: RoleRow) -> bool:
    """A call on the role or on its machine is under way."""
    machine = row.machine
    return bool(row.pending or (machine is not None and machine.pending))


def _place(rows: dict[str, Row], fresh: Row, marks: set[str], delta: Delta) -> None:
    known = rows.get(fresh.key)
    if known is None:
        fresh.marked = fresh.key in marks
        rows[fresh.key] = fresh
        delta.add(fresh.key)
        return
    if known.thing != fresh.thing or known.cluster is not fresh.cluster:
        delta.touch(fresh.key)
    known.thing, known.cluster = fresh.thing, fresh.cluster
    known.host, known.host_vitals = fresh.host, fresh.host_vitals


def _drop(rows: dict[str, Row], cluster: str, kept: Mapping[str, object], delta: Delta) -> None:
    for key in [key for key, row in rows.items() if row.cluster.name == cluster]:
        if key not in kept:
            del rows[key]
            delta.remove(key)

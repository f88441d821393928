"""Columns of a failover cluster: roles, nodes, shared volumes, networks, resources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tui.hyperv.cluster import (
    DOWN,
    DRAIN_FAILED,
    DRAINED,
    DRAINING,
    FAILED,
    ISOLATED,
    JOINING,
    MACHINE_ROLE,
    MAINTENANCE,
    NO_ACCESS,
    OFFLINE,
    ONLINE,
    PARTIAL,
    PAUSED,
    PENDING,
    QUARANTINED,
    REDIRECTED,
    RESOURCE_FAILED,
    RESOURCE_OFFLINE,
    UP,
    ClusterNetwork,
    ClusterResource,
)
from tui.hyperv.quorum import vote
from tui.rows import levels, text
from tui.rows.audit import Line
from tui.rows.clusterfindings import (
    node_finding,
    role_finding,
    volume_finding,
)
from tui.rows.column import Cell, Column, plain
from tui.rows.levels import Finding
from tui.rows.text import State
from tui.store import Store
from tui.store.clusters import role_key
from tui.store.rows import NodeRow, RoleRow, Stale, VolumeRow

_MOVES = State("◌", "~", "Pending", "changing")
_UNKNOWN = State("?", "?", "Unknown", "unknown")
_BAD = ("▲", "!")
ROLE_STATES: Final = {
    ONLINE: State("●", "*", "Online", "running"),
    OFFLINE: State("○", "o", "Offline", "off"),
    FAILED: State(*_BAD, "Failed", "error"),
    PARTIAL: State("◐", "=", "Partial", "warning"),
    PENDING: _MOVES,
}
NODE_STATES: Final = {
    UP: State("●", "*", "Up", "ok"),
    DOWN: State(*_BAD, "Down", "error"),
    PAUSED: State("‖", "|", "Paused", "paused"),
    JOINING: State("◌", "~", "Joining", "changing"),
}
RESOURCE_STATES: Final = {
    0: State("◐", "=", "Inherited", "dim"),
    1: State("◌", "~", "Starting", "changing"),
    2: State("●", "*", "Online", "ok"),
    3: State("○", "o", "Offline", "off"),
    4: State(*_BAD, "Failed", "error"),
    128: _MOVES,
    129: State("◌", "~", "Going on", "changing"),
    130: State("◌", "~", "Going off", "changing"),
}
NETWORK_STATES: Final = {
    0: State("○", "o", "Unavailable", "warning"),
    1: State(*_BAD, "Down", "error"),
    2: State(*_BAD, "Partitioned", "error"),
    3: State("●", "*", "Up", "ok"),
}
NETWORK_ROLES: Final = {0: "none", 1: "cluster", 2: "clients", 3: "cluster and clients"}
TYPES: Final = {
    1: "Cluster", 2: "Storage", 100: "File server", 101: "Print server", 102: "DHCP server",
    103: "DTC", 104: "Message queue", 105: "WINS", 106: "DFS namespace", 107: "Application",
    108: "Service", 109: "Script", 110: "iSNS", MACHINE_ROLE: "Machine", 112: "Session broker",
    113: "iSCSI target", 114: "Scale-out files", 115: "Replica broker",
}  # fmt: skip
"""GroupType, in words that fit a column."""
PRIORITIES: Final = {0: "no start", 1000: "low", 2000: "medium", 3000: "high"}
_DRAINS: Final = {
    DRAINING: ("draining", "changing"),
    DRAINED: ("drained", "dim"),
    DRAIN_FAILED: ("not drained", "error"),
}
_EVERY_NODE: Final = 4294967295
"""FailoverThreshold of a role that may fail over as often as there are nodes."""


def _shown(state: State, stale: int, pending: str = "") -> Cell:
    if pending:
        state = State("◌", "~", pending, "changing")
    return Cell(str(state), "stale" if stale >= 3 else state.tone)


def _found(finding: Finding | None) -> Cell:
    return Cell(*finding) if finding else Cell("")


# -- roles ---------------------------------------------------------------------------------


def role_state(row: RoleRow) -> State:
    """How a role stands: queued and moving are told apart from what else is pending."""
    role = row.thing
    if role.queued:
        return State("◌", "~", "Queued", "changing")
    if role.state == PENDING and role.percent is not None:
        return State("◌", "~", f"Moving {role.percent}%", "changing")
    return ROLE_STATES.get(role.state, _UNKNOWN)


def role_kind(row: RoleRow) -> str:
    """What kind of role it is."""
    return TYPES.get(row.thing.type, f"type {row.thing.type}")


def priority(row: RoleRow) -> str:
    """Its priority in a word."""
    return PRIORITIES.get(row.thing.priority, str(row.thing.priority))


def limits(row: RoleRow) -> str:
    """How often it may fail over: ``3 in 6 h``."""
    role = row.thing
    if not role.failover_threshold or not role.failover_period:
        return ""
    often = "nodes" if role.failover_threshold == _EVERY_NODE else str(role.failover_threshold)
    return f"{often} in {role.failover_period} h"


def _vm_word(row: RoleRow) -> str:
    machine = row.machine
    return text.vm_shown(machine.vitals).word if machine is not None else ""


def _vm_cell(row: RoleRow) -> Cell:
    machine = row.machine
    if machine is None:
        return Cell(text.unknown() if row.thing.vm else "", "dim")
    state = text.vm_shown(machine.vitals, machine.pending)
    if machine.stale >= Stale.LOST:
        return Cell(str(State("?", "?", state.word, "stale")), "stale")
    return Cell(str(state), state.tone)


def role_note(row: RoleRow) -> Cell:
    """What else deserves to be known: failed and why, locked, not where it should be."""
    role = row.thing
    if (found := role_finding(role, row.cluster)) is not None:
        return Cell(*found)
    if role.locked:
        return Cell("locked", "warning")
    if role.queued:
        return Cell("waits for its turn", "changing")
    if role.preferred and role.owner.casefold() not in (p.casefold() for p in role.preferred):
        return Cell(f"not on {role.preferred[0]}", "accent")
    return Cell("kept apart", "dim") if role.anti_affinity else Cell("")


def _role_problem(row: RoleRow) -> Cell:
    return _found(role_finding(row.thing, row.cluster))


ROLE_COLUMNS: tuple[Column[RoleRow], ...] = (
    Column("name", "Role", lambda r: r.name, plain(lambda r: r.name), 22, 14,
           priority=0, grow=True),
    Column("state", "State", lambda r: role_state(r).word,
           lambda r: _shown(role_state(r), r.stale, r.pending), 14, 12, priority=0, flash=True),
    Column("owner", "Node", lambda r: r.thing.owner, plain(lambda r: r.thing.owner),
           12, 8, priority=0, flash=True),
    Column("vm", "Machine", _vm_word, _vm_cell, 14, 12, priority=2),
    Column("priority", "Priority", lambda r: r.thing.priority, plain(priority), 8, priority=3),
    Column("preferred", "Preferred", lambda r: ", ".join(r.thing.preferred),
           plain(lambda r: ", ".join(r.thing.preferred)), 16, 12, priority=4),
    Column("note", "Note", lambda r: role_note(r).text, role_note, 22, 10, priority=1,
           grow=True, prose=True),
    Column("kind", "Kind", role_kind, plain(role_kind), 10, priority=7),
    Column("cluster", "Cluster", lambda r: r.cluster.name, plain(lambda r: r.cluster.name),
           10, 7, priority=6),
    Column("problem", "Problem", lambda r: _role_problem(r).text, _role_problem,
           24, 10, priority=9, prose=True),
    Column("locked", "Locked", lambda r: r.thing.locked,
           plain(lambda r: "yes" if r.thing.locked else ""), 6, priority=9),
    Column("apart", "Apart", lambda r: ", ".join(r.thing.anti_affinity),
           plain(lambda r: ", ".join(r.thing.anti_affinity)), 16, 8, priority=9),
    Column("failback", "Failback", lambda r: r.thing.failback,
           plain(lambda r: "yes" if r.thing.failback else ""), 8, priority=9),
    Column("limit", "Failovers", lambda r: r.thing.failover_threshold or None, plain(limits),
           12, 8, priority=10),
    Column("resources", "Resources", lambda r: len(r.thing.resources) or None,
           plain(lambda r: text.count(len(r.thing.resources))), 9, right=True, priority=10),
    Column("id", "GUID", lambda r: r.thing.vm, plain(lambda r: r.thing.vm, "dim"),
           36, priority=12),
)  # fmt: skip
ROLE_DEFAULT: Final = (
    "name", "state", "owner", "vm", "priority", "preferred", "note", "kind", "cluster",
)  # fmt: skip


# -- nodes ---------------------------------------------------------------------------------


def node_state(row: NodeRow) -> State:
    """How a node stands; isolated and quarantined are told apart from down."""
    node = row.thing
    if node.information & QUARANTINED:
        return State(*_BAD, "Quarantined", "error")
    if node.information & ISOLATED:
        return State(*_BAD, "Isolated", "error")
    return NODE_STATES.get(node.state, _UNKNOWN)


def node_votes(row: NodeRow) -> Cell:
    """Vote now and vote assigned."""
    node = row.thing
    cast = vote(node) if node.voting else 0
    tone = "" if cast == node.weight else "warning" if node.state == UP else "dim"
    return Cell(f"{cast}/{node.weight}", tone)


def roles_of(row: NodeRow) -> int:
    """How many roles a node has, the cluster's own left out."""
    name = row.thing.name.casefold()
    return sum(role.owner.casefold() == name and not role.core for role in row.cluster.roles)


def volumes_of(row: NodeRow) -> int:
    """How many shared volumes a node coordinates."""
    name = row.thing.name.casefold()
    return sum(volume.owner.casefold() == name for volume in row.cluster.volumes)


def _drain(row: NodeRow) -> Cell:
    return Cell(*_DRAINS.get(row.thing.drain, ("", "")))


def _cpu(row: NodeRow) -> float | None:
    own = row.answering
    return own.vitals.cpu if own is not None else None


def _memory(row: NodeRow) -> float | None:
    own = row.answering
    return text.host_memory(own.host, own.vitals) if own is not None else None


def _bar(measure: str, get: Callable[[NodeRow], float | None]) -> Callable[[NodeRow], Cell]:
    def cell(row: NodeRow) -> Cell:
        share = get(row)
        if share is None:
            return Cell(text.unknown() if row.own is not None else "", "dim")
        tone = levels.tone(measure, share)
        return Cell(text.percent(share), tone, max(0.0, min(1.0, share / 100)))

    return cell


def _vms(row: NodeRow) -> str:
    own = row.answering
    if own is None:
        return text.unknown() if row.own is not None else ""
    return f"{own.running}/{own.total}"


def _node_problem(row: NodeRow) -> Cell:
    return _found(node_finding(row.thing))


NODE_COLUMNS: tuple[Column[NodeRow], ...] = (
    Column("name", "Node", lambda r: r.name, plain(lambda r: r.name), 14, 10,
           priority=0, grow=True),
    Column("state", "State", lambda r: node_state(r).word,
           lambda r: _shown(node_state(r), r.stale, r.pending), 14, 12, priority=0, flash=True),
    Column("votes", "Vote", lambda r: vote(r.thing), node_votes, 5, right=True, priority=0),
    Column("drain", "Drain", lambda r: _drain(r).text, _drain, 11, priority=2),
    Column("roles", "Roles", roles_of, plain(lambda r: str(roles_of(r))), 5, right=True,
           priority=1),
    Column("vms", "VMs", lambda r: r.own.total if r.own else None, plain(_vms), 7, right=True,
           priority=1),
    Column("cpu", "CPU", _cpu, _bar("host_cpu", _cpu), 13, 5, right=True, priority=1),
    Column("memory", "Memory", _memory, _bar("host_memory", _memory), 13, 5, right=True,
           priority=1),
    Column("volumes", "Volumes", volumes_of, plain(lambda r: text.count(volumes_of(r))),
           7, right=True, priority=3),
    Column("host", "Host", lambda r: r.own.host.id if r.own else "",
           plain(lambda r: r.own.host.id if r.own else "not configured"), 14, 8, priority=4),
    Column("cluster", "Cluster", lambda r: r.cluster.name, plain(lambda r: r.cluster.name),
           10, 7, priority=5),
    Column("problem", "Problem", lambda r: _node_problem(r).text, _node_problem,
           24, 10, priority=6, grow=True, prose=True),
)  # fmt: skip
NODE_DEFAULT: Final = (
    "name", "state", "votes", "drain", "roles", "vms", "cpu", "memory", "volumes", "host",
    "cluster",
)  # fmt: skip


# -- shared volumes ------------------------------------------------------------------------


def volume_state(row: VolumeRow) -> State:
    """How a shared volume stands: what keeps people from it first."""
    volume = row.thing
    if volume.fault & NO_ACCESS:
        return State(*_BAD, "No access", "error")
    if volume.state == RESOURCE_FAILED:
        return State(*_BAD, "Failed", "error")
    if volume.state == RESOURCE_OFFLINE:
        return State("○", "o", "Offline", "error")
    if volume.fault & MAINTENANCE:
        return State("‖", "|", "Maintenance", "paused")
    if volume.fault & REDIRECTED:
        return State("◐", "=", "Redirected", "warning")
    if volume.backup:
        return State("●", "*", "Backup", "changing")
    return State("●", "*", "Online", "ok")


def used(row: VolumeRow) -> float | None:
    """Percent of a shared volume in use."""
    volume = row.thing
    return 100 * (volume.size - volume.free) / volume.size if volume.size else None


def _used(row: VolumeRow) -> Cell:
    share = used(row)
    if share is None:
        return Cell(text.unknown(), "dim")
    return Cell(text.percent(share), levels.tone("volume_free", 100 - share), share / 100)


def _size(get: Callable[[VolumeRow], int]) -> Callable[[VolumeRow], Cell]:
    return plain(lambda row: text.size(get(row) or None))


def _volume_problem(row: VolumeRow) -> Cell:
    return _found(volume_finding(row.thing))


VOLUME_COLUMNS: tuple[Column[VolumeRow], ...] = (
    Column("name", "Volume", lambda r: r.label, plain(lambda r: r.label), 16, 10,
           priority=0, grow=True),
    Column("state", "State", lambda r: volume_state(r).word,
           lambda r: _shown(volume_state(r), r.stale, r.pending), 14, 12, priority=0, flash=True),
    Column("owner", "Node", lambda r: r.thing.owner, plain(lambda r: r.thing.owner),
           12, 8, priority=0, flash=True),
    Column("used", "Used", used, _used, 16, 6, right=True, priority=0),
    Column("free", "Free", lambda r: r.thing.free, _size(lambda r: r.thing.free),
           8, right=True, priority=1),
    Column("size", "Size", lambda r: r.thing.size, _size(lambda r: r.thing.size),
           8, right=True, priority=2),
    Column("resource", "Disk", lambda r: r.thing.resource, plain(lambda r: r.thing.resource),
           16, 8, priority=4),
    Column("path", "Path", lambda r: r.thing.path, plain(lambda r: r.thing.path, "dim"),
           26, 12, priority=5),
    Column("cluster", "Cluster", lambda r: r.cluster.name, plain(lambda r: r.cluster.name),
           10, 7, priority=6),
    Column("problem", "Problem", lambda r: _volume_problem(r).text, _volume_problem,
           26, 10, priority=3, grow=True, prose=True),
)  # fmt: skip
VOLUME_DEFAULT: Final = (
    "name", "state", "owner", "used", "free", "size", "resource", "path", "cluster",
)  # fmt: skip


# -- networks and resources ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLine(Line):
    """A network of a cluster."""

    thing: ClusterNetwork

    @property
    def words(self) -> str:
        return self.thing.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLine(Line):
    """A resource of a role; it stands for the role."""

    thing: ClusterResource
    role: str

    @property
    def words(self) -> str:
        return self.thing.name


def network_lines(store: Store) -> list[NetworkLine]:
    """The networks of every cluster."""
    return [
        NetworkLine(
            key=f"net:{told.cluster.name}/{network.name}",
            tone="" if network.state == 3 else "error",
            clusters=(told.cluster.name,),
            thing=network,
        )
        for told in store.clusters.known.values()
        for network in told.cluster.networks
    ]


def resource_lines(store: Store) -> list[ResourceLine]:
    """The resources of every role of every cluster."""
    return [
        ResourceLine(
            key=f"resource:{told.cluster.name}/{resource.name}",
            tone="error" if resource.state == RESOURCE_FAILED else "",
            clusters=(told.cluster.name,),
            goes=role_key(told.cluster.name, role.name),
            thing=resource,
            role=role.name,
        )
        for told in store.clusters.known.values()
        for role in told.cluster.roles
        for resource in role.resources
    ]


def _state_column(states: dict[int, State]) -> Column[Any]:
    def state(row: Any) -> State:
        return states.get(row.thing.state, _UNKNOWN)

    def cell(row: Any) -> Cell:
        return Cell(str(state(row)), state(row).tone)

    return Column(
        "state", "State", lambda r: state(r).word, cell, 14, 12, priority=0, flash=True
    )  # fmt: skip


def _address(row: NetworkLine) -> str:
    network = row.thing
    return f"{network.address}/{network.prefix}" if network.prefix else network.address


def _cluster(row: Line) -> str:
    return ", ".join(row.clusters)


NETWORK_COLUMNS: tuple[Column[NetworkLine], ...] = (
    Column("name", "Network", lambda r: r.thing.name, plain(lambda r: r.thing.name), 24, 14,
           priority=0, grow=True),
    _state_column(NETWORK_STATES),
    Column("address", "Address", _address, plain(_address), 20, 14, priority=0),
    Column("role", "For", lambda r: r.thing.role,
           plain(lambda r: NETWORK_ROLES.get(r.thing.role, str(r.thing.role))), 20, priority=1),
    Column("metric", "Metric", lambda r: r.thing.metric or None,
           plain(lambda r: text.count(r.thing.metric)), 7, right=True, priority=3),
    Column("cluster", "Cluster", _cluster, plain(_cluster), 10, 7, priority=4),
)  # fmt: skip
RESOURCE_COLUMNS: tuple[Column[ResourceLine], ...] = (
    Column("name", "Resource", lambda r: r.thing.name, plain(lambda r: r.thing.name), 32, 16,
           priority=0, grow=True),
    _state_column(RESOURCE_STATES),
    Column("role", "Role", lambda r: r.role, plain(lambda r: r.role), 20, 10, priority=1),
    Column("owner", "Node", lambda r: r.thing.owner, plain(lambda r: r.thing.owner),
           12, 8, priority=0),
    Column("type", "Type", lambda r: r.thing.type, plain(lambda r: r.thing.type), 24, 12,
           priority=2),
    Column("code", "Last error", lambda r: r.thing.code or None,
           plain(lambda r: text.count(r.thing.code), "error"), 10, right=True, priority=3),
    Column("cluster", "Cluster", _cluster, plain(_cluster), 10, 7, priority=5),
)  # fmt: skip

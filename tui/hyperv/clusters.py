"""Failover clusters out of CIM instances. Everything here is a function of its arguments.

A part that is None was not read, and what was known before stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from msgspec.structs import replace

from tui.hyperv import clean, paths
from tui.hyperv.cluster import (
    Cluster,
    ClusterNetwork,
    ClusterNode,
    ClusterResource,
    Role,
    SharedVolume,
)
from tui.wsman.cim import CimInstance, CimRef, CimValue

VIRTUAL_MACHINE = "Virtual Machine"
_WITNESSES = ("file share witness", "cloud witness")
_QUEUED = 4
"""Bit of MSCluster_ResourceGroup.StatusInformation: the move waits in the queue (os-win)."""
_MEGABYTE = 1 << 20

Rows = Sequence[CimInstance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One reading of a cluster, by what it describes."""

    cluster: Rows | None = None
    nodes: Rows | None = None
    groups: Rows | None = None
    resources: Rows | None = None
    preferred: Rows | None = None
    """MSCluster_ResourceGroupToPreferredNode, in the order of preference."""
    volumes: Rows | None = None
    volume_resources: Rows | None = None
    partitions: Rows | None = None
    volume_partitions: Rows | None = None
    networks: Rows | None = None


def join_cluster(previous: Cluster | None, parts: Parts) -> Cluster | None:
    """The cluster with all that one reading tells of it; None while its name is not known."""
    name = clean.text(parts.cluster[0].get("Name")) if parts.cluster else ""
    if previous is not None and name not in ("", previous.name):
        previous = None
    if not name and previous is None:
        return None
    cluster = previous or Cluster(name)
    if parts.cluster:
        cluster = _with_itself(cluster, parts.cluster[0])
    if parts.nodes is not None:
        cluster = replace(cluster, nodes=_nodes(parts.nodes))
    if parts.resources is not None:
        cluster = _with_witness(cluster, parts.resources)
    if parts.groups is not None:
        cluster = replace(cluster, roles=_roles(cluster, parts))
    if parts.volumes is not None:
        cluster = replace(cluster, volumes=_volumes(cluster, parts))
    if parts.networks is not None:
        cluster = replace(cluster, networks=_networks(parts.networks))
    return cluster


def _with_itself(cluster: Cluster, row: CimInstance) -> Cluster:
    get = row.get
    return replace(
        cluster,
        fqdn=clean.text(get("Fqdn")),
        quorum=clean.number(get("QuorumTypeValue")),
        dynamic_quorum=bool(clean.number(get("DynamicQuorumEnabled"))),
        witness_weight=clean.number(get("WitnessDynamicWeight")),
        level=clean.number(get("ClusterFunctionalLevel")),
        parallel_migrations=clean.number(get("MaximumParallelMigrations")),
    )


def _nodes(rows: Rows) -> tuple[ClusterNode, ...]:
    return tuple(sorted(map(node_now, rows), key=lambda node: node.name.casefold()))


def node_now(row: CimInstance) -> ClusterNode:
    """A node as it is told."""
    return ClusterNode(
        name=clean.text(row.get("Name")),
        state=_signed(row.get("State")),
        information=clean.number(row.get("StatusInformation")),
        drain=clean.number(row.get("NodeDrainStatus")),
        weight=clean.number(row.get("NodeWeight")),
        dynamic_weight=clean.number(row.get("DynamicWeight")),
    )


def _signed(value: CimValue) -> int:
    """Unknown is -1, which an unsigned property can only write as its largest number."""
    number = clean.number(value)
    return -1 if number == 0xFFFFFFFF else number


# -- roles ---------------------------------------------------------------------------------


def _roles(cluster: Cluster, parts: Parts) -> tuple[Role, ...]:
    known = {role.name: role for role in cluster.roles}
    resources = _by_group(parts.resources)
    preferred = _preferred(parts.preferred)
    found = []
    for row in parts.groups or ():
        before = known.get(clean.text(row.get("Name")))
        role = _role(row)
        if resources is not None:
            role = _with_resources(role, resources.get(role.name.casefold(), ()))
        elif before is not None:
            role = _as_before(role, before)
        if preferred is not None:
            role = replace(role, preferred=tuple(preferred.get(role.name.casefold(), ())))
        elif before is not None:
            role = replace(role, preferred=before.preferred)
        found.append(role)
    return tuple(sorted(found, key=lambda role: role.name.casefold()))


def _role(row: CimInstance) -> Role:
    get = row.get
    return Role(
        name=clean.text(get("Name")),
        type=clean.number(get("GroupType")),
        state=_signed(get("State")),
        owner=clean.text(get("OwnerNode")),
        core=get("IsCore") is True,
        queued=bool(clean.number(get("StatusInformation")) & _QUEUED),
        locked=bool(clean.number(get("LockedFromMoving"))),
        priority=clean.number(get("Priority")),
        failback=bool(clean.number(get("AutoFailbackType"))),
        failover_threshold=clean.number(get("FailoverThreshold")),
        failover_period=clean.number(get("FailoverPeriod")),
        anti_affinity=clean.texts(get("AntiAffinityClassNames")),
    )


def role_now(before: Role, row: CimInstance) -> Role:
    """A role as it is told, with what only a whole reading tells."""
    return replace(_as_before(_role(row), before), preferred=before.preferred)


def volume_now(before: SharedVolume, row: CimInstance) -> SharedVolume:
    """A shared volume as it is told, with what only a whole reading tells."""
    return replace(
        before,
        fault=clean.number(row.get("FaultState")),
        backup=bool(clean.number(row.get("BackupState"))),
    )


def _as_before(role: Role, before: Role) -> Role:
    """With what only its resources tell."""
    return replace(
        role,
        vm=before.vm,
        vm_name=before.vm_name,
        resources=before.resources,
        offline_action=before.offline_action,
    )


def _by_group(rows: Rows | None) -> Mapping[str, list[CimInstance]] | None:
    if rows is None:
        return None
    found: dict[str, list[CimInstance]] = {}
    for row in rows:
        found.setdefault(clean.text(row.get("OwnerGroup")).casefold(), []).append(row)
    return found


def _with_resources(role: Role, rows: Sequence[CimInstance]) -> Role:
    vm = vm_name = ""
    action = role.offline_action
    for row in rows:
        if clean.text(row.get("Type")) == VIRTUAL_MACHINE:
            vm = paths.guid(private(row, "VmID"))
            action = _private_number(row, "OfflineAction")
            vm_name = clean.text(row.get("Name")).removeprefix(VIRTUAL_MACHINE).strip()
    resources = tuple(sorted(map(_resource, rows), key=lambda one: one.name.casefold()))
    return replace(
        role, vm=vm, vm_name=vm_name, resources=resources, offline_action=action
    )  # fmt: skip


def _resource(row: CimInstance) -> ClusterResource:
    moving = _private_number(row, "MigrationState")
    progress = _private_number(row, "MigrationProgress") if moving else None
    return ClusterResource(
        name=clean.text(row.get("Name")),
        type=clean.text(row.get("Type")),
        state=_signed(row.get("State")),
        owner=clean.text(row.get("OwnerNode")),
        percent=progress,
        code=clean.number(row.get("LastOperationStatusCode")),
    )


def private(row: CimInstance, name: str) -> CimValue:
    """One of a resource's private properties, which depend on its type; None when not told."""
    properties = row.get("PrivateProperties")
    return properties.get(name) if isinstance(properties, CimInstance) else None


def _private_number(row: CimInstance, name: str) -> int | None:
    """A private property that is a number, whichever type it was written in."""
    value = private(row, name)
    if isinstance(value, str):
        return int(value) if value.isdecimal() else None
    return clean.maybe(value)


def _preferred(rows: Rows | None) -> Mapping[str, list[str]] | None:
    if rows is None:
        return None
    found: dict[str, list[str]] = {}
    for row in rows:
        group, node = _name_of(row.get("GroupComponent")), _name_of(row.get("PartComponent"))
        if group and node:
            found.setdefault(group.casefold(), []).append(node)
    return found


def _name_of(value: CimValue) -> str:
    """The Name that a reference, or its path, points at."""
    if isinstance(value, CimRef):
        return clean.text(value.key("Name") or value.key("Path"))
    return clean.text(paths.key(value, "Name") or paths.key(value, "Path"))


def _with_witness(cluster: Cluster, rows: Rows) -> Cluster:
    """The witness is a resource: of its own type, or the disk that quorum names."""
    for row in rows:
        if clean.text(row.get("Type")).casefold() in _WITNESSES:
            state = _signed(row.get("State"))
            return replace(cluster, witness=clean.text(row.get("Name")), witness_state=state)
    return replace(cluster, witness="", witness_state=0)


# -- volumes and networks ------------------------------------------------------------------


def _volumes(cluster: Cluster, parts: Parts) -> tuple[SharedVolume, ...]:
    disks = _pairs(parts.volume_resources)
    partitions = _pairs(parts.volume_partitions)
    resources = {clean.text(row.get("Name")): row for row in parts.resources or ()}
    spaces = {clean.text(row.get("Path"), limit=clean.LONG): row for row in parts.partitions or ()}
    known = {volume.name: volume for volume in cluster.volumes}
    found = []
    for row in parts.volumes or ():
        name = clean.text(row.get("Name"), limit=clean.LONG)
        before = known.get(name) or SharedVolume(name)
        volume = replace(volume_now(before, row), resource=disks.get(name, ""))
        if (disk := resources.get(volume.resource)) is not None:
            owner, state = clean.text(disk.get("OwnerNode")), _signed(disk.get("State"))
            volume = replace(volume, owner=owner, state=state)
        if (space := spaces.get(partitions.get(name, name))) is not None:
            volume = _with_space(volume, space)
        found.append(volume)
    return tuple(sorted(found, key=lambda volume: volume.name.casefold()))


def _with_space(volume: SharedVolume, row: CimInstance) -> SharedVolume:
    """Sizes are in megabytes (unverified)."""
    mounted = clean.texts(row.get("MountPoints"))
    return replace(
        volume,
        path=next(chain(mounted, [clean.text(row.get("Path"), limit=clean.LONG)])),
        size=clean.number(row.get("TotalSize")) * _MEGABYTE,
        free=clean.number(row.get("FreeSpace")) * _MEGABYTE,
    )


def _pairs(rows: Rows | None) -> dict[str, str]:
    names = (
        (_name_of(row.get("GroupComponent")), _name_of(row.get("PartComponent")))
        for row in rows or ()
    )
    return dict(names)


def _networks(rows: Rows) -> tuple[ClusterNetwork, ...]:
    found = [
        ClusterNetwork(
            name=clean.text(row.get("Name")),
            address=clean.text(row.get("Address")),
            prefix=_prefix(row.get("IPv4PrefixLengths")),
            role=clean.number(row.get("Role")),
            state=_signed(row.get("State")),
            metric=clean.number(row.get("Metric")),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda network: network.name.casefold()))


def _prefix(value: CimValue) -> int:
    first = next(iter(clean.texts(value)), "")
    return int(first) if first.isdecimal() else 0

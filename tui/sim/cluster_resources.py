"""The resources of a cluster: names, addresses, disks, the witness, and those of its machines."""

from __future__ import annotations

from collections.abc import Iterator

from tui.sim import shapes
from tui.sim.cluster import GROUP, PENDING, Cluster, Group, Volume
from tui.sim.cluster_roles import BUSY
from tui.sim.move_list import CONFIGURATION, LIVE, VM
from tui.wsman.cim import CimInstance, CimValue

ONLINE, OFFLINE, FAILED = 2, 3, 4
NETWORK_NAME, ADDRESS = "Cluster Name", "Cluster IP Address"


def new(name: str, **values: CimValue) -> CimInstance:
    """An instance of a class of the cluster."""
    common: dict[str, CimValue] = {"Status": "OK", "Caption": "", "Description": ""}
    return shapes.new(name, shapes.CLUSTER, **(common | values))


def properties(**values: CimValue) -> CimInstance:
    """What is private to a type of resource: an object whose class says nothing."""
    return CimInstance("MSCluster_Property", dict(values), shapes.CLUSTER)


def resources(cluster: Cluster) -> Iterator[CimInstance]:
    """Every resource, those of the cluster itself first."""
    yield from _core(cluster)
    for volume in cluster.volumes:
        yield _disk(cluster, volume)
    for group in cluster.groups.values():
        if group.machine is not None:
            yield from _machine(cluster, group)


def _resource(
    cluster: Cluster, name: str, kind: str, group: str, owner: str, state: int, **more: CimValue
) -> CimInstance:
    values: dict[str, CimValue] = {
        "Name": name,
        "Id": cluster.identity("resource", name),
        "Type": kind,
        "OwnerGroup": group,
        "OwnerNode": owner,
        "State": state,
        "StatusInformation": 0,
        "CoreResource": group == GROUP,
        "IsClusterSharedVolume": kind == "Physical Disk",
        "QuorumCapable": kind in ("Physical Disk", "File Share Witness"),
        "PersistentState": state == ONLINE,
        "SeparateMonitor": False,
        "RestartAction": 2,
        "RestartThreshold": 1,
        "RestartPeriod": 900000,
        "RestartDelay": 500,
        "RetryPeriodOnFailure": 3600000,
        "PendingTimeout": 180000,
        "DeadlockTimeout": 300000,
        "ResourceClass": 1 if kind == "Physical Disk" else 0,
        "LastOperationStatusCode": 0,
        "ResourceSpecificStatus": "",
    }
    return new("MSCluster_Resource", **values | more)


def _core(cluster: Cluster) -> Iterator[CimInstance]:
    plan = cluster.plan
    group = cluster.groups[GROUP.lower()]
    owner, state = group.node, BUSY if group.state == PENDING else ONLINE
    name = properties(Name=plan.name, DnsName=plan.name.lower(), DnsSuffix=plan.domain)
    yield _resource(
        cluster, NETWORK_NAME, "Network Name", GROUP, owner, state, PrivateProperties=name
    )
    network, address = plan.networks[0][:2]
    number = properties(
        Address=f"{address.rpartition('.')[0]}.10",
        SubnetMask="255.255.255.0",
        Network=network,
        EnableDhcp=0,
    )
    yield _resource(cluster, ADDRESS, "IP Address", GROUP, owner, state, PrivateProperties=number)
    if plan.witness:
        share = properties(SharePath=plan.share, ArbitrationDelay=6)
        there = state if cluster.witness.up else FAILED
        yield _resource(
            cluster,
            plan.witness,
            "File Share Witness",
            GROUP,
            owner,
            there,
            PrivateProperties=share,
        )


def _disk(cluster: Cluster, volume: Volume) -> CimInstance:
    return _resource(
        cluster,
        volume.disk,
        "Physical Disk",
        cluster.identity("csv", volume.name),
        volume.owner,
        BUSY if volume.moving else ONLINE,
        PrivateProperties=properties(
            DiskIdType=1, DiskIdGuid=f"{{{cluster.identity('disk', volume.name)}}}"
        ),
    )


def vm_name(group: Group) -> str:
    return f"{VM} {group.name}"


def configuration_name(group: Group) -> str:
    return f"{CONFIGURATION} {group.name}"


def _state(group: Group) -> int:
    if group.pending:
        return group.pending
    if group.move is not None and not group.queued:
        return BUSY
    return {0: ONLINE, 1: OFFLINE, 2: FAILED}.get(group.state, BUSY)


def _machine(cluster: Cluster, group: Group) -> Iterator[CimInstance]:
    machine, move = group.machine, group.move
    assert machine is not None
    root = shapes.text(machine.settings, "ConfigurationDataRoot")
    live = move is not None and not group.queued and move.how == LIVE and machine.moving
    percent = move.percent(cluster.fabric.now()) if move is not None and live else 0
    private = properties(
        **group.private,
        VmID=machine.id.lower(),
        VmStoreRootPath=root,
        MigrationState=int(live),
        MigrationProgress=percent,
        MigrationFailureReason=group.error,
    )
    yield _resource(
        cluster,
        vm_name(group),
        VM,
        group.name,
        group.owner,
        _state(group),
        PersistentState=group.wanted,
        LastOperationStatusCode=group.error,
        ResourceSpecificStatus=f"Live Migrating, {percent} percent completed" if live else "",
        StatusInformation=group.information & 0x100,
        PrivateProperties=private,
    )
    yield _resource(
        cluster,
        configuration_name(group),
        CONFIGURATION,
        group.name,
        group.owner,
        FAILED if group.gone else OFFLINE if group.released else ONLINE,
        PrivateProperties=properties(VmID=machine.id.lower(), VmStoreRootPath=root),
    )

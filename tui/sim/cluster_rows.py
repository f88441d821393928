"""root/MSCluster as any node shows it: the instances of its classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.sim import cluster_links, cluster_writes, shapes
from tui.sim.cluster import CORE, DOWN, ISOLATED, Cluster, Group
from tui.sim.cluster_resources import new, resources
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.world import SimHost

Source = Callable[[Cluster], Iterator[CimInstance]]


def install(host: SimHost) -> None:
    """Register the classes with a node's repository; they fault while it is no member."""

    store = host.repository
    for name, source in {**SOURCES, **cluster_links.LINKS}.items():
        store.provide(shapes.CLUSTER, name, partial(_ask, host, source))
        store.provide_writer(shapes.CLUSTER, name, partial(cluster_writes.write, host))


def _ask(host: SimHost, source: Source) -> Iterator[CimInstance]:
    cluster = host.fabric.cluster_of(host)
    if cluster is None:
        return
    cluster.check(host)
    yield from source(cluster)


def clusters(cluster: Cluster) -> Iterator[CimInstance]:
    plan = cluster.plan
    yield new(
        "MSCluster_Cluster",
        **cluster.settings,
        CreationClassName="MSCluster_Cluster",
        Name=plan.name,
        Fqdn=f"{plan.name}.{plan.domain}",
        QuorumType="Majority",
        QuorumTypeValue=2 if cluster.witness.there else 1,
        QuorumPath=plan.share,
        SharedVolumesRoot="C:\\ClusterStorage",
        EnableSharedVolumes=1,
        WitnessDynamicWeight=cluster.witness.dynamic,
        ClusterFunctionalLevel=11,
        ClusterUpgradeVersion=1,
        S2DEnabled=0,
        MaxNumberOfNodes=64,
    )


def nodes(cluster: Cluster) -> Iterator[CimInstance]:
    for node in cluster.nodes.values():
        yield new(
            "MSCluster_Node",
            CreationClassName="MSCluster_Node",
            Name=node.name,
            Id=str(node.number),
            State=node.state,
            NodeDrainStatus=node.drain,
            NodeDrainTarget=node.drain_target,
            DrainErrorCode=node.drain_error,
            NodeFailbackStatus=node.failback,
            StatusInformation=node.information,
            NodeWeight=node.weight,
            DynamicWeight=node.dynamic,
            NeedsPreventQuorum=0,
            BuildNumber=int(node.host.system.build),
            MajorVersion=10,
            MinorVersion=0,
            NodeInstanceID=cluster.identity("node", node.number - 1),
            NodeHighestVersion=720897,
            NodeLowestVersion=720896,
            FaultDomain=("Site:", "Rack:", "Chassis:"),
            Flags=0,
            Characteristics=0,
        )


def groups(cluster: Cluster) -> Iterator[CimInstance]:
    core = [group for group in cluster.groups.values() if group.machine is None]
    roles = [group for group in cluster.groups.values() if group.machine is not None]
    for group in (*core, *roles):
        yield _group(group)


def _group(group: Group) -> CimInstance:
    return new(
        "MSCluster_ResourceGroup",
        **group.values,
        Name=group.name,
        Id=group.id,
        GroupType=group.kind,
        OwnerNode=group.owner,
        State=group.state,
        StatusInformation=group.information,
        IsCore=group.machine is None,
        PersistentState=group.kind == CORE or (group.machine is not None and group.wanted),
        DefaultOwner=4294967295,
        Flags=0,
        Characteristics=0,
    )


def _network_state(cluster: Cluster) -> int:
    """Up; partitioned while a node cannot reach the others."""
    return 2 if any(node.information == ISOLATED for node in cluster.nodes.values()) else 3


def networks(cluster: Cluster) -> Iterator[CimInstance]:
    for name, address, role in cluster.plan.networks:
        yield new(
            "MSCluster_Network",
            Name=name,
            Id=cluster.identity("network", name),
            Address=address,
            AddressMask="255.255.255.0",
            IPv4Addresses=(address,),
            IPv4PrefixLengths=("24",),
            Role=role,
            State=_network_state(cluster),
            AutoMetric=True,
            Metric=70240 if role == 3 else 30240,
        )


def interfaces(cluster: Cluster) -> Iterator[CimInstance]:
    """One for each node and network; State 0 unavailable, 2 unreachable, 3 up."""
    for name, address, _ in cluster.plan.networks:
        for node in cluster.nodes.values():
            own = address.rpartition(".")[0] + f".{10 + node.number}"
            state = 3 if node.state != DOWN else 2 if node.information == ISOLATED else 0
            identity = cluster.identity("interface", node.name, name)
            yield new(
                "MSCluster_NetworkInterface",
                Name=f"{node.name} - {name}",
                DeviceID=identity,
                Id=identity,
                CreationClassName="MSCluster_NetworkInterface",
                SystemCreationClassName="MSCluster_Cluster",
                SystemName=cluster.plan.name,
                Network=name,
                Node=node.name,
                Adapter=node.host.plan.uplinks[0].description,
                Address=own,
                IPv4Addresses=(own,),
                State=state,
                DhcpEnabled=False,
            )


def volumes(cluster: Cluster) -> Iterator[CimInstance]:
    for volume in cluster.volumes:
        yield new(
            "MSCluster_ClusterSharedVolume",
            Name=volume.path,
            VolumeName=f"\\\\?\\Volume{{{cluster.identity('volume', volume.name)}}}\\",
            VolumeOffset=0,
            FaultState=volume.fault,
            BackupState=int(volume.backup),
        )


def partitions(cluster: Cluster) -> Iterator[CimInstance]:
    host = next(iter(cluster.nodes.values())).host
    for index, volume in enumerate(cluster.volumes):
        plans = (v for v in host.plan.volumes if v.name.rstrip("\\") == volume.path)
        plan = next(plans, None)
        size = plan.size * 1024 if plan else 0
        used = host.files.used(plan) >> 20 if plan else 0
        yield new(
            "MSCluster_DiskPartition",
            Name=volume.path,
            Path=volume.path,
            FileSystem="CSVFS",
            FileSystemFlags=0,
            TotalSize=size,
            FreeSpace=size - used,
            MountPoints=(volume.path,),
            PartitionNumber=2,
            VolumeGuid=cluster.identity("volume", volume.name),
            VolumeLabel=volume.name,
            SerialNumber=index + 1,
        )


def disks(cluster: Cluster) -> Iterator[CimInstance]:
    for volume in cluster.volumes:
        yield new(
            "MSCluster_Disk",
            Name=volume.disk,
            Id=cluster.identity("disk", volume.name),
            Number=volume.index + 1,
        )


def types(cluster: Cluster) -> Iterator[CimInstance]:
    seen = dict.fromkeys(shapes.text(item, "Type") for item in resources(cluster))
    for name in seen:
        yield new("MSCluster_ResourceType", Name=name, DisplayName=name)


SOURCES: dict[str, Source] = {
    "MSCluster_Cluster": clusters,
    "MSCluster_Node": nodes,
    "MSCluster_ResourceGroup": groups,
    "MSCluster_Resource": resources,
    "MSCluster_ResourceType": types,
    "MSCluster_Network": networks,
    "MSCluster_NetworkInterface": interfaces,
    "MSCluster_ClusterSharedVolume": volumes,
    "MSCluster_DiskPartition": partitions,
    "MSCluster_Disk": disks,
}

"""Associations between what a cluster consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tui.sim import cluster_resources, shapes
from tui.sim.cluster import Cluster
from tui.sim.cluster_resources import ADDRESS, NETWORK_NAME
from tui.wsman.cim import CimInstance, CimRef

Source = Callable[[Cluster], Iterator[CimInstance]]
Pairs = Callable[[Cluster], Iterator[tuple[CimRef, CimRef]]]


def ref(word: str, name: str) -> CimRef:
    return CimRef(f"MSCluster_{word}", (("Name", name),), shapes.CLUSTER)


def _whole(cluster: Cluster) -> CimRef:
    return ref("Cluster", cluster.plan.name)


def _partition(path: str) -> CimRef:
    return CimRef("MSCluster_DiskPartition", (("Path", path),), shapes.CLUSTER)


def _disk(cluster: Cluster, name: str) -> CimRef:
    return CimRef("MSCluster_Disk", (("Id", cluster.identity("disk", name)),), shapes.CLUSTER)


def _interface(cluster: Cluster, node: str, network: str) -> CimRef:
    keys = (
        ("SystemCreationClassName", "MSCluster_Cluster"),
        ("SystemName", cluster.plan.name),
        ("CreationClassName", "MSCluster_NetworkInterface"),
        ("DeviceID", cluster.identity("interface", node, network)),
    )
    return CimRef("MSCluster_NetworkInterface", keys, shapes.CLUSTER)


Pair = tuple[CimRef, CimRef]


def _nodes(cluster: Cluster) -> Iterator[Pair]:
    return ((_whole(cluster), ref("Node", n.name)) for n in cluster.nodes.values())


def _groups(cluster: Cluster) -> Iterator[Pair]:
    return ((_whole(cluster), ref("ResourceGroup", g.name)) for g in cluster.groups.values())


def _all_resources(cluster: Cluster) -> Iterator[Pair]:
    for item in cluster_resources.resources(cluster):
        yield _whole(cluster), ref("Resource", shapes.text(item, "Name"))


def _all_volumes(cluster: Cluster) -> Iterator[Pair]:
    for volume in cluster.volumes:
        yield _whole(cluster), ref("ClusterSharedVolume", volume.path)


def _networks(cluster: Cluster) -> Iterator[Pair]:
    return ((_whole(cluster), ref("Network", name)) for name, _, _ in cluster.plan.networks)


def _quorum(cluster: Cluster) -> Iterator[Pair]:
    if cluster.plan.witness:
        yield _whole(cluster), ref("Resource", cluster.plan.witness)


def _active_groups(cluster: Cluster) -> Iterator[Pair]:
    for group in cluster.groups.values():
        yield ref("Node", group.owner), ref("ResourceGroup", group.name)


def _active_resources(cluster: Cluster) -> Iterator[Pair]:
    for item in cluster_resources.resources(cluster):
        node = shapes.text(item, "OwnerNode")
        yield ref("Node", node), ref("Resource", shapes.text(item, "Name"))


def _group_resources(cluster: Cluster) -> Iterator[Pair]:
    for item in cluster_resources.resources(cluster):
        group = shapes.text(item, "OwnerGroup")
        if group.lower() in cluster.groups:
            yield ref("ResourceGroup", group), ref("Resource", shapes.text(item, "Name"))


def _preferred(cluster: Cluster) -> Iterator[Pair]:
    for group in cluster.groups.values():
        for name in group.preferred:
            yield ref("ResourceGroup", group.name), ref("Node", name)


def _possible(cluster: Cluster) -> Iterator[Pair]:
    for item in cluster_resources.resources(cluster):
        for node in cluster.nodes.values():
            yield ref("Resource", shapes.text(item, "Name")), ref("Node", node.name)


def _types(cluster: Cluster) -> Iterator[Pair]:
    for item in cluster_resources.resources(cluster):
        kind = ref("ResourceType", shapes.text(item, "Type"))
        yield kind, ref("Resource", shapes.text(item, "Name"))


def _depends(cluster: Cluster) -> Iterator[Pair]:
    """What a resource needs, and the resource."""
    yield ref("Resource", ADDRESS), ref("Resource", NETWORK_NAME)
    for group in cluster.groups.values():
        if group.machine is not None:
            own = ref("Resource", cluster_resources.configuration_name(group))
            yield own, ref("Resource", cluster_resources.vm_name(group))


def _volume_nodes(cluster: Cluster) -> Iterator[Pair]:
    for volume in cluster.volumes:
        yield ref("ClusterSharedVolume", volume.path), ref("Node", volume.owner)


def _volume_resources(cluster: Cluster) -> Iterator[Pair]:
    for volume in cluster.volumes:
        yield ref("ClusterSharedVolume", volume.path), ref("Resource", volume.disk)


def _volume_partitions(cluster: Cluster) -> Iterator[Pair]:
    for volume in cluster.volumes:
        yield ref("ClusterSharedVolume", volume.path), _partition(volume.path)


def _resource_disks(cluster: Cluster) -> Iterator[Pair]:
    for volume in cluster.volumes:
        yield ref("Resource", volume.disk), _disk(cluster, volume.name)


def _disk_partitions(cluster: Cluster) -> Iterator[Pair]:
    for volume in cluster.volumes:
        yield _disk(cluster, volume.name), _partition(volume.path)


def _network_interfaces(cluster: Cluster) -> Iterator[Pair]:
    for name, _, _ in cluster.plan.networks:
        for node in cluster.nodes.values():
            yield ref("Network", name), _interface(cluster, node.name, name)


def _node_interfaces(cluster: Cluster) -> Iterator[Pair]:
    for name, _, _ in cluster.plan.networks:
        for node in cluster.nodes.values():
            yield ref("Node", node.name), _interface(cluster, node.name, name)


def _association(name: str, pairs: Pairs, ends: tuple[str, str]) -> Source:
    def source(cluster: Cluster) -> Iterator[CimInstance]:
        for whole, part in pairs(cluster):
            yield shapes.new(name, shapes.CLUSTER, **{ends[0]: whole, ends[1]: part})

    return source


_PARTS, _NEEDS = ("GroupComponent", "PartComponent"), ("Antecedent", "Dependent")
_TABLE: tuple[tuple[str, Pairs, tuple[str, str]], ...] = (
    ("ClusterToNode", _nodes, _NEEDS),
    ("ClusterToResourceGroup", _groups, _PARTS),
    ("ClusterToResource", _all_resources, _PARTS),
    ("ClusterToClusterSharedVolume", _all_volumes, _PARTS),
    ("ClusterToNetwork", _networks, _PARTS),
    ("ClusterToQuorumResource", _quorum, _PARTS),
    ("NodeToActiveGroup", _active_groups, _PARTS),
    ("NodeToActiveResource", _active_resources, _PARTS),
    ("NodeToNetworkInterface", _node_interfaces, _PARTS),
    ("NetworkToNetworkInterface", _network_interfaces, _PARTS),
    ("ResourceGroupToResource", _group_resources, _PARTS),
    ("ResourceGroupToPreferredNode", _preferred, _PARTS),
    ("ResourceToPossibleOwner", _possible, _PARTS),
    ("ResourceToDependentResource", _depends, _NEEDS),
    ("ResourceTypeToResource", _types, _PARTS),
    ("ResourceToDisk", _resource_disks, _PARTS),
    ("DiskToDiskPartition", _disk_partitions, _PARTS),
    ("ClusterSharedVolumeToNode", _volume_nodes, _PARTS),
    ("ClusterSharedVolumeToResource", _volume_resources, _PARTS),
    ("ClusterSharedVolumeToPartition", _volume_partitions, _PARTS),
)
LINKS: dict[str, Source] = {
    f"MSCluster_{word}": _association(f"MSCluster_{word}", pairs, ends)
    for word, pairs, ends in _TABLE
}

"""root/MSCluster as any node shows it: read from the fabric, so that all nodes agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.sim.machine import Machine
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import ClusterPlan, SimHost

GROUP = "Cluster Group"
STORAGE = "Available Storage"
VM, CONFIGURATION = "Virtual Machine", "Virtual Machine Configuration"


def install(host: SimHost) -> None:
    def provide(name: str, source: object) -> None:
        assert callable(source)
        host.repository.provide(shapes.CLUSTER, name, lambda: source(host))

    for name, source in (
        ("MSCluster_Cluster", cluster),
        ("MSCluster_Node", nodes),
        ("MSCluster_ResourceGroup", groups),
        ("MSCluster_Resource", resources),
        ("MSCluster_Network", networks),
        ("MSCluster_NetworkInterface", interfaces),
        ("MSCluster_ClusterSharedVolume", volumes),
        ("MSCluster_DiskPartition", partitions),
        ("MSCluster_ClusterToNode", cluster_to_node),
        ("MSCluster_ClusterToResourceGroup", cluster_to_group),
        ("MSCluster_NodeToActiveGroup", node_to_group),
        ("MSCluster_ResourceGroupToResource", group_to_resource),
        ("MSCluster_ClusterSharedVolumeToPartition", volume_to_partition),
        ("MSCluster_ClusterSharedVolumeToResource", volume_to_resource),
    ):
        provide(name, source)


def _plan(host: SimHost) -> ClusterPlan:
    return host.fabric.clusters[host.plan.cluster]


def _new(name: str, **values: CimValue) -> CimInstance:
    common: dict[str, CimValue] = {"Status": "OK", "Caption": "", "Description": ""}
    return shapes.new(name, shapes.CLUSTER, **(common | values))


def _id(host: SimHost, *words: object) -> str:
    return shapes.guid(host.fabric.random("cluster", host.plan.cluster, *words)).lower()


def cluster(host: SimHost) -> Iterator[CimInstance]:
    plan = _plan(host)
    yield _new(
        "MSCluster_Cluster",
        CreationClassName="MSCluster_Cluster",
        Name=plan.name,
        Fqdn=f"{plan.name}.{plan.domain}",
        QuorumType="Node and File Share Majority",
        QuorumTypeValue=2,
        QuorumPath="",
        SharedVolumesRoot="C:\\ClusterStorage",
        EnableSharedVolumes=1,
        DynamicQuorumEnabled=1,
        WitnessDynamicWeight=1,
        ClusterFunctionalLevel=11,
        ClusterUpgradeVersion=1,
        S2DEnabled=0,
        DrainOnShutdown=1,
        SameSubnetDelay=1000,
        SameSubnetThreshold=20,
        CrossSubnetDelay=1000,
        CrossSubnetThreshold=20,
        AutoBalancerLevel=1,
        AutoBalancerMode=2,
        BlockCacheSize=1024,
        MaxNumberOfNodes=64,
        MaximumParallelMigrations=1,
    )


def nodes(host: SimHost) -> Iterator[CimInstance]:
    for index, node in enumerate(host.fabric.nodes(host.plan.cluster)):
        yield _new(
            "MSCluster_Node",
            CreationClassName="MSCluster_Node",
            Name=node.name,
            Id=str(index + 1),
            State=0,
            NodeDrainStatus=0,
            StatusInformation=0,
            NodeWeight=1,
            DynamicWeight=1,
            BuildNumber=int(node.system.build),
            MajorVersion=10,
            MinorVersion=0,
            NodeInstanceID=_id(host, "node", index),
            NodeHighestVersion=720897,
            NodeLowestVersion=720896,
            NodeDrainTarget="",
            FaultDomain=("Site:", "Rack:", "Chassis:"),
            Flags=0,
            Characteristics=0,
        )


def machines(host: SimHost) -> Iterator[tuple[SimHost, Machine]]:
    for node in host.fabric.nodes(host.plan.cluster):
        node.ensure()
        for machine in list(node.machines.values()):
            if machine.clustered:
                yield node, machine


def _group(host: SimHost, name: str, kind: int, owner: str, state: int) -> CimInstance:
    return _new(
        "MSCluster_ResourceGroup",
        Name=name,
        Id=_id(host, "group", name),
        GroupType=kind,
        OwnerNode=owner,
        State=state,
        StatusInformation=0,
        Priority=2000 if kind == 111 else 3000,
        IsCore=kind != 111,
        PersistentState=state == 0,
        AutoFailbackType=0,
        FailoverThreshold=4294967295,
        FailoverPeriod=6,
        FailbackWindowStart=-1,
        FailbackWindowEnd=-1,
        DefaultOwner=4294967295,
        AntiAffinityClassNames=(),
        ColdStartSetting=0,
        LockedFromMoving=0,
    )


def groups(host: SimHost) -> Iterator[CimInstance]:
    first = host.fabric.nodes(host.plan.cluster)[0].name
    yield _group(host, GROUP, 1, first, 0)
    yield _group(host, STORAGE, 2, first, 1)
    for node, machine in machines(host):
        yield _group(host, machine.name, 111, node.name, 0 if machine.alive else 1)


def _resource(
    host: SimHost, name: str, kind: str, group: str, owner: str, state: int
) -> CimInstance:
    return _new(
        "MSCluster_Resource",
        Name=name,
        Id=_id(host, "resource", name),
        Type=kind,
        OwnerGroup=group,
        OwnerNode=owner,
        State=state,
        StatusInformation=0,
        CoreResource=group == GROUP,
        IsClusterSharedVolume=kind == "Physical Disk",
        PersistentState=state == 2,
        SeparateMonitor=False,
        RestartAction=2,
        RestartThreshold=1,
        RestartPeriod=900000,
        RestartDelay=500,
        PendingTimeout=180000,
        DeadlockTimeout=300000,
        ResourceClass=1 if kind == "Physical Disk" else 0,
        LastOperationStatusCode=0,
    )


def resources(host: SimHost) -> Iterator[CimInstance]:
    plan = _plan(host)
    owners = [node.name for node in host.fabric.nodes(host.plan.cluster)]
    yield _resource(host, "Cluster Name", "Network Name", GROUP, owners[0], 2)
    yield _resource(host, "Cluster IP Address", "IP Address", GROUP, owners[0], 2)
    yield _resource(host, plan.witness, "File Share Witness", GROUP, owners[0], 2)
    for index, name in enumerate(plan.volumes):
        owner = owners[index % len(owners)]
        yield _resource(host, _disk(index), "Physical Disk", name, owner, 2)
    for node, machine in machines(host):
        name, state = machine.name, 2 if machine.alive else 3
        yield _resource(host, f"{VM} {name}", VM, name, node.name, state)
        yield _resource(host, f"{CONFIGURATION} {name}", CONFIGURATION, name, node.name, 2)


def _disk(index: int) -> str:
    return f"Cluster Disk {index + 1}"


def networks(host: SimHost) -> Iterator[CimInstance]:
    for name, address, role in _plan(host).networks:
        yield _new(
            "MSCluster_Network",
            Name=name,
            Id=_id(host, "network", name),
            Address=address,
            AddressMask="255.255.255.0",
            IPv4Addresses=(address,),
            IPv4PrefixLengths=("24",),
            Role=role,
            State=3,
            AutoMetric=True,
            Metric=70240 if role == 3 else 30240,
        )


def interfaces(host: SimHost) -> Iterator[CimInstance]:
    for name, address, _ in _plan(host).networks:
        for index, node in enumerate(host.fabric.nodes(host.plan.cluster)):
            own = address.rpartition(".")[0] + f".{11 + index}"
            yield _new(
                "MSCluster_NetworkInterface",
                Name=f"{node.name} - {name}",
                DeviceID=_id(host, "interface", node.name, name),
                Id=_id(host, "interface", node.name, name),
                CreationClassName="MSCluster_NetworkInterface",
                SystemCreationClassName="MSCluster_Cluster",
                SystemName=_plan(host).name,
                Network=name,
                Node=node.name,
                Adapter=node.plan.uplinks[0].description,
                Address=own,
                IPv4Addresses=(own,),
                State=3,
                DhcpEnabled=False,
            )


def volumes(host: SimHost) -> Iterator[CimInstance]:
    for name in _plan(host).volumes:
        yield _new(
            "MSCluster_ClusterSharedVolume",
            Name=f"C:\\ClusterStorage\\{name}",
            VolumeName=f"\\\\?\\Volume{{{_id(host, 'volume', name)}}}\\",
            VolumeOffset=0,
            FaultState=0,
            BackupState=0,
        )


def partitions(host: SimHost) -> Iterator[CimInstance]:
    first = host.fabric.nodes(host.plan.cluster)[0]
    for index, name in enumerate(_plan(host).volumes):
        path = f"C:\\ClusterStorage\\{name}"
        volume = next((v for v in first.plan.volumes if v.name.rstrip("\\") == path), None)
        size = volume.size * 1024 if volume else 0
        used = first.files.used(volume) >> 20 if volume else 0
        yield _new(
            "MSCluster_DiskPartition",
            Name=path,
            Path=path,
            FileSystem="CSVFS",
            FileSystemFlags=0,
            TotalSize=size,
            FreeSpace=size - used,
            MountPoints=(path,),
            PartitionNumber=2,
            VolumeGuid=_id(host, "volume", name),
            VolumeLabel=name,
            SerialNumber=index + 1,
        )


# -- associations --------------------------------------------------------------------------


def _ref(host: SimHost, item: CimInstance) -> CimRef:
    return host.repository.ref_of(item)


def cluster_to_node(host: SimHost) -> Iterator[CimInstance]:
    whole = _ref(host, next(cluster(host)))
    for node in nodes(host):
        yield shapes.new(
            "MSCluster_ClusterToNode",
            shapes.CLUSTER,
            Antecedent=whole,
            Dependent=_ref(host, node),
        )


def _contains(name: str, whole: CimRef, part: CimRef) -> CimInstance:
    return shapes.new(name, shapes.CLUSTER, GroupComponent=whole, PartComponent=part)


def cluster_to_group(host: SimHost) -> Iterator[CimInstance]:
    whole = _ref(host, next(cluster(host)))
    for group in groups(host):
        yield _contains("MSCluster_ClusterToResourceGroup", whole, _ref(host, group))


def node_to_group(host: SimHost) -> Iterator[CimInstance]:
    for group in groups(host):
        key = (("Name", shapes.text(group, "OwnerNode")),)
        node = CimRef("MSCluster_Node", key, shapes.CLUSTER)
        yield _contains("MSCluster_NodeToActiveGroup", node, _ref(host, group))


def group_to_resource(host: SimHost) -> Iterator[CimInstance]:
    for resource in resources(host):
        key = (("Name", shapes.text(resource, "OwnerGroup")),)
        group = CimRef("MSCluster_ResourceGroup", key, shapes.CLUSTER)
        yield _contains("MSCluster_ResourceGroupToResource", group, _ref(host, resource))


def volume_to_partition(host: SimHost) -> Iterator[CimInstance]:
    for volume, partition in zip(volumes(host), partitions(host), strict=True):
        name = "MSCluster_ClusterSharedVolumeToPartition"
        yield _contains(name, _ref(host, volume), _ref(host, partition))


def volume_to_resource(host: SimHost) -> Iterator[CimInstance]:
    for index, volume in enumerate(volumes(host)):
        key = (("Name", _disk(index)),)
        disk = CimRef("MSCluster_Resource", key, shapes.CLUSTER)
        yield _contains("MSCluster_ClusterSharedVolumeToResource", _ref(host, volume), disk)

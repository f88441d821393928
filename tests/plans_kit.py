"""Fleets for plans: by hand for a story, or drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from hypothesis import strategies as st

from tui.hyperv import cluster as nouns
from tui.hyperv.cluster import Cluster, ClusterNode, ClusterResource, Role
from tui.hyperv.model import (
    Disk,
    Host,
    HostVitals,
    Inventory,
    Link,
    Nic,
    NicKind,
    Switch,
    SwitchKind,
    Uplink,
    Vm,
    VmVitals,
    Volume,
)

GB = 1 << 30
RUNNING, OFF, SAVED = 2, 3, 6
OWN = 2 * GB
"""What a host uses itself."""
SHARED, LOCAL = "C:\\ClusterStorage\\Volume1\\", "D:\\VMs\\"


def machine(
    name: str, gigabytes: float = 4, cpu: int = 10, *, processors: int = 2, state: int = RUNNING,
    path: str = SHARED, switch: str = "", iso: str = "", dynamic_to: float = 0,
) -> tuple[Vm, VmVitals]:  # fmt: skip
    """A machine without a host."""
    guid = f"{name.upper()}-0000"
    memory = int(gigabytes * GB)
    disks: tuple[Disk, ...] = (Disk("d", f"{path}{name}.vhdx", "SCSI", 0, 0),)
    if iso:
        disks = (*disks, Disk("o", iso, "SCSI", 0, 1, dvd=True))
    nics = (Nic("n", "lan", NicKind.SYNTHETIC, "00155D000001", False, bool(switch),
                switch_name=switch),)  # fmt: skip
    vm = Vm(
        guid, "", name, generation=2, version="10.0", processors=processors,
        memory_startup=memory, memory_maximum=int(dynamic_to * GB), dynamic_memory=bool(dynamic_to),
        nics=nics, disks=disks, complete=True,
    )  # fmt: skip
    on = state == RUNNING
    vitals = VmVitals(guid, "", state, health=5, cpu=cpu if on else None,
                      memory=memory if on else None)  # fmt: skip
    return vm, vitals


def host(
    name: str, machines: Sequence[tuple[Vm, VmVitals]] = (), *, gigabytes: int = 64,
    processors: int = 16, cluster: str = "", link: Link = Link.UP, switches: Sequence[str] = (),
    **more: Any,
) -> Inventory:  # fmt: skip
    """A host with machines."""
    from msgspec import structs

    vms = {vm.id: structs.replace(vm, host=name) for vm, _ in machines}
    vitals = {one.id: structs.replace(one, host=name) for _, one in machines}
    used = sum(one.memory or 0 for one in vitals.values()) + OWN
    working = sum((one.cpu or 0) * vms[key].processors for key, one in vitals.items())
    facts: dict[str, Any] = {
        "name": name, "cluster": cluster, "domain": "corp.example.com", "os": "Windows Server 2022",
        "build": "20348", "processor": "Intel(R) Xeon(R) Gold 6338", "sockets": 2,
        "logical_processors": processors, "memory": gigabytes * GB, "numa_nodes": 1,
        "migration_enabled": True, "max_migrations": 2, "migration_authentication": 1,
        "vhd_path": LOCAL, "volumes": (Volume("C:\\", "", 99 * GB, 50 * GB),
                                      Volume("D:\\", "", 9999 * GB, 5000 * GB)),
        "uplinks": (Uplink("u", "NIC1", "00155D0000AA", 10_000_000_000, True, True),),
    }  # fmt: skip
    found = {
        f"{name}:{title}": Switch(f"{name}:{title}", name, title, title, SwitchKind.EXTERNAL)
        for title in switches
    }
    return Inventory(
        Host(name, "", **(facts | more)),
        HostVitals(name, link=link, read_at=1.0, cpu=working / processors,
                   memory_free=gigabytes * GB - used),
        vms, vitals, found,
    )  # fmt: skip


def role(vm: Vm, owner: str, **more: Any) -> Role:
    """The role of a machine."""
    resources = (ClusterResource(vm.name, "Virtual Machine", nouns.RESOURCE_ONLINE, owner),)
    return Role(vm.name, nouns.MACHINE_ROLE, nouns.ONLINE, owner, vm=vm.id, vm_name=vm.name,
                resources=resources, **more)  # fmt: skip


def fleet(
    *hosts: Inventory, paused: Sequence[str] = (),
    roles: Mapping[str, Mapping[str, Any]] | None = None,
    plain: Sequence[str] = (), others: Sequence[Role] = (),
) -> dict[str, Inventory]:  # fmt: skip
    """Hosts by name; those of one cluster know it. ``roles``: more of some, by machine;
    ``plain``: machines that are no roles.
    """
    from msgspec import structs

    found = {one.host.id: one for one in hosts}
    for name in {one.host.cluster for one in hosts} - {""}:
        nodes = [one for one in hosts if one.host.cluster == name]
        told = Cluster(
            name, dynamic_quorum=True,
            nodes=tuple(
                ClusterNode(n.host.name, nouns.PAUSED if n.host.name in paused else nouns.UP)
                for n in nodes
            ),
            roles=(*(
                role(vm, n.host.name, **(roles or {}).get(vm.name, {}))
                for n in nodes for vm in n.vms.values() if vm.name not in plain
            ), *others),
        )  # fmt: skip
        for one in nodes:
            found[one.host.id] = structs.replace(one, cluster=told, cluster_at=1.0)
    return found


# -- drawn ---------------------------------------------------------------------------------


@st.composite
def fleets_of(draw: st.DrawFn, *, cluster: bool | None = None) -> dict[str, Inventory]:
    """Any fleet of up to five hosts; with ``cluster`` all of them its nodes, or none."""
    number = count(1)
    hosts: list[Inventory] = []
    more: dict[str, dict[str, Any]] = {}
    plain: list[str] = []
    mixed = cluster is None and draw(st.booleans())
    for index in range(draw(st.integers(2, 5))):
        clustered = draw(st.booleans()) if mixed else cluster is not False
        size, processors = draw(st.sampled_from((32, 64, 128))), draw(st.sampled_from((8, 16, 32)))
        left, machines = size - 2, []
        for _ in range(draw(st.sampled_from((0, 1, 2, 4, 7)))):
            gigabytes = draw(st.sampled_from((1, 2, 3, 4, 6, 8, 12, 16, 24)))
            on = gigabytes <= left and draw(st.integers(0, 6)) > 0
            left -= gigabytes if on else 0
            name = f"vm{next(number)}"
            machines.append(machine(
                name, gigabytes, draw(st.integers(0, 100)), processors=draw(st.integers(1, 8)),
                state=RUNNING if on else OFF,
                path=SHARED if clustered and draw(st.integers(0, 9)) else LOCAL,
                switch=draw(st.sampled_from(("", "LAN", "LAN", "DMZ"))),
                iso=LOCAL + "x.iso" if draw(st.integers(0, 14)) == 0 else "",
            ))  # fmt: skip
            more[name] = {
                "anti_affinity": draw(st.sampled_from(((), (), ("a",), ("b",), ("c",)))),
                "priority": draw(st.sampled_from((0, 1000, 2000, 3000))),
                "locked": draw(st.integers(0, 12)) == 0,
                "preferred": draw(st.sampled_from(((), ("HV1",), ("HV2", "HV1")))),
            }
            if draw(st.integers(0, 5)) == 0:
                plain.append(name)
        hosts.append(host(
            f"HV{index + 1}", machines, gigabytes=size, processors=processors,
            cluster="CL" if clustered else "",
            link=Link.UP if draw(st.integers(0, 14)) else Link.DOWN,
            switches=draw(st.sampled_from((("LAN", "DMZ"), ("LAN", "DMZ"), ("LAN",)))),
            migration_enabled=draw(st.integers(0, 9)) > 0,
        ))  # fmt: skip
    paused = [one.host.name for one in hosts if draw(st.integers(0, 14)) == 0]
    return fleet(*hosts, paused=paused, roles=more, plain=plain)

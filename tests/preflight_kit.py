"""A machine and two hosts between which nothing stands in the way, to be spoilt one by one."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tui.hyperv import preflight
from tui.hyperv.cluster import MACHINE_ROLE, Cluster, ClusterNode, Role
from tui.hyperv.model import (
    Checkpoint,
    Disk,
    Host,
    HostVitals,
    Inventory,
    Job,
    Link,
    Nic,
    NicKind,
    Switch,
    SwitchKind,
    Uplink,
    Vlan,
    VlanMode,
    Vm,
    VmVitals,
    Volume,
)
from tui.hyperv.preflight import Cause, Move, Trip, Verdict
from tui.hyperv.sheet import Drive, Image, Sheet

GB = 1 << 30
VM = "11111111-2222-3333-4444-555555555555"
RUNNING, OFF = 2, 3
XEON = "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"
LOCAL, SHARED = "D:\\Hyper-V\\sql01.vhdx", "\\\\FS01\\VMs\\sql01.vhdx"


def host(name: str, **changes: Any) -> Host:
    made = Host(
        name,
        f"http://{name}",
        name=name,
        domain="corp.example.com",
        os="Windows Server 2022",
        build="20348",
        processor=XEON,
        logical_processors=64,
        memory=256 * GB,
        numa_nodes=2,
        numa_spanning=True,
        vhd_path="D:\\Hyper-V\\Virtual Hard Disks",
        vm_path="D:\\Hyper-V",
        migration_enabled=True,
        max_migrations=2,
        max_storage_migrations=2,
        migration_authentication=1,
        migration_compression=True,
        migration_smb=False,
        migration_addresses=("10.20.90.2",),
        migration_networks=("10.20.90.0/24",),
        volumes=(Volume("C:\\", "OS", 400 * GB, 100 * GB), Volume("D:\\", "", 4000 * GB, 800 * GB)),
        uplinks=(Uplink("1", "NIC1", "", 10**10, True, True),),
    )
    return replace(made, **changes)


def vitals(name: str, **changes: Any) -> HostVitals:
    made = HostVitals(name, Link.UP, read_at=1000.0, memory_free=128 * GB, clock=0.5)
    return replace(made, **changes)


def switch(where: str, name: str = "Production", **changes: Any) -> Switch:
    made = Switch(
        f"{where}:{name}", where, f"guid-{name}", name, SwitchKind.EXTERNAL, ("NIC1",), vlans=(20,)
    )
    return replace(made, **changes)


def nic(name: str = "Production", vlan: int = 20) -> Nic:
    setting = Vlan(VlanMode.ACCESS, vlan) if vlan else Vlan()
    return Nic("nic", "eth0", NicKind.SYNTHETIC, "", False, True, "id", name, setting)


def vm(path: str = SHARED, **changes: Any) -> Vm:
    made = Vm(
        VM,
        "HV01",
        "sql01",
        generation=2,
        version="10.0",
        processors=4,
        memory_startup=8 * GB,
        nics=(nic(),),
        disks=(Disk("disk", path, "SCSI", 0, 0),),
        complete=True,
    )
    return replace(made, **changes)


def sheet(used: int = 40 * GB, path: str = LOCAL, trouble: str = "") -> Sheet:
    image = Image(path, used=used, trouble=trouble)
    drive = Drive("disk", "image", "SCSI", 0, 0, path, chain=(image,))
    return Sheet(VM, "HV01", 1000.0, drives=(drive,), folder=path.rpartition("\\")[0])


def inventory(name: str, machine: Vm | None = None, **changes: Any) -> Inventory:
    made = Inventory(host(name), vitals(name), switches={f"{name}:Production": switch(name)})
    if machine is not None:
        made = replace(made, vms={VM: machine}, vm_vitals={VM: state()})
    return replace(made, **changes)


def state(number: int = RUNNING, **changes: Any) -> VmVitals:
    memory = 8 * GB if number == RUNNING else None
    return replace(VmVitals(VM, "HV01", number, memory=memory), **changes)


def job(where: str, number: int = 1, kind: int = 305, **changes: Any) -> Job:
    made = Job(
        f"{where}:job{number}", where, "Moving", kind, 4, 40, 1000.0, 1.0,
        class_name="Msvm_MigrationJob",
    )  # fmt: skip
    return replace(made, **changes)


def cluster(**changes: Any) -> Cluster:
    role = Role("sql01", MACHINE_ROLE, 0, "HV01", vm=VM)
    nodes = (ClusterNode("HV01"), ClusterNode("HV02"))
    return replace(Cluster("CLU", nodes=nodes, roles=(role,)), **changes)


def role(**changes: Any) -> Cluster:
    (found,) = cluster().roles
    return cluster(roles=(replace(found, **changes),))


def checkpoints(number: int) -> tuple[Checkpoint, ...]:
    return tuple(Checkpoint(f"cp{n}", f"cp{n}", 1.0) for n in range(number))


def trip(move: Move = Move.LIVE, **changes: Any) -> Trip:
    """``there``, ``here``: fields of the hosts; ``target``, ``source``: of their inventories;
    the rest is of the trip itself."""
    machine = changes.pop("vm", None) or vm(SHARED if move in (Move.LIVE,) else LOCAL)
    source, target = inventory("HV01", machine), inventory("HV02")
    for end, word in ((source, "here"), (target, "there")):
        fields = changes.pop(word, {})
        clock = {k: fields.pop(k) for k in ("clock", "memory_free", "link") if k in fields}
        changed = replace(
            end, host=replace(end.host, **fields), vitals=replace(end.vitals, **clock)
        )
        source, target = (changed, target) if word == "here" else (source, changed)
    source = replace(source, **changes.pop("source", {}))
    target = replace(target, **changes.pop("target", {}))
    now = changes.pop("vitals", None) or state(OFF if move is Move.OFFLINE else RUNNING)
    if move is Move.STORAGE:
        target = source
    return Trip(machine, now, source, target, move, **changes)


def found(made: Trip, cause: str) -> list[Cause]:
    return [one for one in preflight.judge(made) if one.id == cause]


def verdict(made: Trip, cause: str) -> Verdict:
    return preflight.worst(found(made, cause))

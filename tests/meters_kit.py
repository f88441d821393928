"""Measurements made by hand for the scripted estate."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.scripted import GB, RUNNING, Estate
from tui.collector.messages import Batch, Update
from tui.hyperv.counters import image_key
from tui.hyperv.meters import (
    AdapterMeter,
    DiskMeter,
    Look,
    MachineMeter,
    Meters,
    UplinkMeter,
    VolumeMeter,
)
from tui.hyperv.model import Vm, Volume

MB = 1 << 20
EVERY = (Look.DISKS, Look.ADAPTERS, Look.UPLINKS, Look.VOLUMES, Look.PROCESSORS, Look.MEMORY)
BESIDE = 50.0
"""Writes per second of a volume that no machine does."""
DATA = "D:\\"


def roomy(estate: Estate) -> Estate:
    """Every host has a volume for its machines."""
    for place in estate.hosts.values():
        volumes = (*place.info.volumes, Volume(DATA, "Data", 1024 * GB, 120 * GB))
        place.info = msgspec.structs.replace(place.info, volumes=volumes)
    return estate


def disk(vm: Vm, reads: float = 20.0, **changes: Any) -> DiskMeter:
    """An image of a machine, that reads so often and writes a quarter as often, 8 KB each."""
    path = vm.disks[0].path
    made = DiskMeter(
        f"{vm.host}:{image_key(path)}", vm.host, path, vm.id, DATA,
        reads * 8192, reads * 2048, reads, reads / 4, 0.002, 0.1,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def adapter(vm: Vm, bytes_in: float = 1e5, drops: float = 0.0) -> AdapterMeter:
    switch = f"{vm.host}:{vm.nics[0].switch_id}"
    return AdapterMeter(f"{vm.host}:{vm.nics[0].id}", vm.host, vm.nics[0].name, vm.id, switch,
                        bytes_in, bytes_in / 2, bytes_in / 1000, bytes_in / 2000,
                        drops, 0.0)  # fmt: skip


def meters(estate: Estate, host: str, *looks: Look, **reads: float) -> Meters:
    """What a host tells of its running machines; ``reads`` by name, 20 a second otherwise."""
    place, looks = estate.hosts[host], looks or EVERY
    running = [vm for key, vm in place.vms.items() if place.vitals_of[key].state == RUNNING]
    disks = tuple(disk(vm, reads.get(vm.name, 20.0)) for vm in running)
    volume = VolumeMeter(
        f"{host}:d:\\", host, DATA, False,
        sum(one.read or 0.0 for one in disks), sum(one.write or 0.0 for one in disks),
        sum(one.reads or 0.0 for one in disks), sum(one.writes or 0.0 for one in disks) + BESIDE,
        0.003, 0.5,
    )  # fmt: skip
    uplink = UplinkMeter(f"{host}:Ethernet 1", host, "Ethernet 1", 10**10, 2e6, 1e6, 2e3, 1e3, 0.0,
                         0.0)  # fmt: skip
    machines = tuple(MachineMeter(vm.id, host, 40.0, 2.0, 0.000045, 92, 90) for vm in running)
    told: dict[Look, dict[str, Any]] = {
        Look.DISKS: {"disks": disks},
        Look.ADAPTERS: {"adapters": tuple(adapter(vm) for vm in running)},
        Look.UPLINKS: {"uplinks": (uplink,)},
        Look.VOLUMES: {"volumes": (volume,)},
        Look.PROCESSORS: {"machines": machines},
        Look.MEMORY: {"pressure": 88, "balancing": 20 * GB},
    }
    parts: dict[str, Any] = {}
    for look in looks:
        parts |= told[look]
    return Meters(host, estate.now, looks, **parts)


def told(estate: Estate, found: Meters) -> Update:
    return estate.update(found.host, meters=found)


def measured(estate: Estate, *looks: Look, seconds: float = 2.0, **reads: float) -> Batch:
    """Time passes, and every host tells."""
    estate.now += seconds
    return Batch(
        tuple(told(estate, meters(estate, host, *looks, **reads)) for host in estate.hosts),
        idle=True,
    )

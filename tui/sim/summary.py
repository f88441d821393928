"""Msvm_SummaryInformation: enumerated, and by code through GetSummaryInformation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from tui.sim import devices, network, shapes
from tui.sim.machine import Machine
from tui.sim.replica_info import PROVIDER
from tui.sim.replication import PRIMARY, REPLICA
from tui.wsman.cim import CimInstance, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

CLASS = "Msvm_SummaryInformation"
ALL = frozenset(range(256)) - {5, 6, 7, 107}
"""What an enumeration shows: everything but pictures and checkpoints."""

Reader = Callable[[Machine, CimInstance, float], CimValue]


def _owner(name: str) -> Reader:
    return lambda machine, settings, now: machine.system.values[name]


def _takes_part(machine: Machine) -> bool:
    return machine.system.values["ReplicationMode"] in (PRIMARY, REPLICA)


def _relation(name: str) -> Reader:
    """One value for each of its relationships."""
    return lambda machine, settings, now: (
        (shapes.number(machine.system, name),) if _takes_part(machine) else ()
    )


def _test(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    """The machine that was made from this one to test it."""
    end = machine.replica
    return shapes.system_ref(end.test.id) if end is not None and end.test is not None else None


def _switches(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    names = []
    for nic in machine.nics:
        port = machine.connection(nic)
        switch = network.switch_of(machine.host, port) if port else None
        if switch is not None:
            names.append(shapes.text(switch, "ElementName"))
    return tuple(dict.fromkeys(names))


def _notes(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    return "".join(shapes.strings(settings, "Notes")[:1])


def _load(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    return machine.processor_load(now) if machine.alive else None


def _history(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    if not machine.alive:
        return None
    return tuple(machine.processor_load(now - 2.0 * back) for back in range(20))


def _memory(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    return machine.memory(now) if machine.alive else None


def _available(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    """Percent still free; told only by guests with dynamic memory that answer."""
    if not machine.dynamic or not machine.responsive(now):
        return None
    assigned = machine.memory(now) or 1
    return max(-200, round(100 * (assigned - machine.demand(now)) / assigned))


def _buffer(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    return None if _available(machine, settings, now) is None else 100


def _uptime(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    return int(max(0.0, now - machine.started_at) * 1000) if machine.runs else 0


def _guest(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    answers = machine.responsive(now) and devices.enabled(machine, "KvpExchange")
    return machine.guest.name if answers else None


def _version_state(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    """0 unknown, 1 up to date, 2 mismatch; guests other than Windows do not tell."""
    if not machine.responsive(now) or not machine.guest.windows:
        return 0
    return 2 if machine.outdated else 1


def _tasks(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    return tuple(job.instance for job in machine.host.jobs.of(machine))


def _checkpoints(machine: Machine, settings: CimInstance, now: float) -> CimValue:
    return tuple(item.settings for item in machine.checkpoints.values())


READERS: dict[int, tuple[tuple[str, Reader], ...]] = {
    1: (("ElementName", lambda m, s, now: s.values["ElementName"]),),
    2: (("CreationTime", lambda m, s, now: s.values["CreationTime"]),),
    3: (("Notes", _notes),),
    4: (("NumberOfProcessors", lambda m, s, now: m.cpus),),
    8: (("AllocatedGPU", lambda m, s, now: ""),),
    9: (("VirtualSwitchNames", _switches),),
    10: (("Version", lambda m, s, now: s.values["Version"]),),
    11: (("Shielded", lambda m, s, now: False),),
    100: (
        ("EnabledState", _owner("EnabledState")),
        ("EnhancedSessionModeState", _owner("EnhancedSessionModeState")),
    ),
    101: (("ProcessorLoad", _load),),
    102: (("ProcessorLoadHistory", _history),),
    103: (("MemoryUsage", _memory),),
    104: (("Heartbeat", lambda m, s, now: devices.heartbeat(m, now)),),
    105: (("UpTime", _uptime),),
    106: (("GuestOperatingSystem", _guest),),
    107: (("Snapshots", _checkpoints),),
    108: (("AsynchronousTasks", _tasks),),
    109: (("HealthState", _owner("HealthState")),),
    110: (("OperationalStatus", _owner("OperationalStatus")),),
    111: (("StatusDescriptions", _owner("StatusDescriptions")),),
    112: (("MemoryAvailable", _available),),
    113: (("AvailableMemoryBuffer", _buffer),),
    114: (("ReplicationMode", _owner("ReplicationMode")),),
    115: (("ReplicationState", _owner("ReplicationState")),),
    116: (("ReplicationHealth", _owner("ReplicationHealth")), ("TestReplicaSystem", _test)),
    117: (("ApplicationHealth", lambda m, s, now: 2 if m.responsive(now) else 32896),),
    118: (("ReplicationStateEx", _relation("ReplicationState")),),
    119: (("ReplicationHealthEx", _relation("ReplicationHealth")),),
    120: (("SwapFilesInUse", lambda m, s, now: False if m.alive else None),),
    121: (("IntegrationServicesVersionState", _version_state),),
    122: (("ReplicationProviderId", lambda m, s, now: (PROVIDER,) if _takes_part(m) else ()),),
    123: (("MemorySpansPhysicalNumaNodes", lambda m, s, now: False if m.alive else None),),
    132: (("OtherEnabledState", _owner("OtherEnabledState")),),
}
THUMBNAILS = {5: (80, 60), 6: (160, 120), 7: (320, 240)}


def summary(
    machine: Machine, settings: CimInstance, codes: Iterable[int], now: float
) -> CimInstance:
    """One row; codes from 100 up tell of machines only, not of checkpoints."""
    values: dict[str, CimValue] = {"Name": settings.values["InstanceID"]}
    current = settings is machine.settings
    values = {
        "InstanceID": settings.values["InstanceID"],
        "Name": machine.id if current else shapes.text(settings, "InstanceID").partition(":")[2],
        "HostComputerSystemName": machine.host.name,
        "VirtualSystemSubType": settings.values["VirtualSystemSubType"],
    }
    for code in codes:
        if not current and 100 <= code < 200:
            continue
        for name, read in READERS.get(code, ()):
            values[name] = read(machine, settings, now)
        if code in THUMBNAILS and current:
            values |= _thumbnail(machine, THUMBNAILS[code], now)
    return shapes.new(CLASS, **values)


def _thumbnail(machine: Machine, size: tuple[int, int], now: float) -> dict[str, CimValue]:
    from tui.sim.thumbnail import picture  # pictures are asked for seldom

    if not machine.alive:
        return {}
    data = picture(machine, *size, now)
    return {
        "ThumbnailImage": data,
        "ThumbnailImageWidth": size[0],
        "ThumbnailImageHeight": size[1],
    }


def everything(host: SimHost, codes: Iterable[int] = ALL) -> Iterator[CimInstance]:
    now = host.fabric.now()
    wanted = [code for code in READERS if code in codes] + [c for c in THUMBNAILS if c in codes]
    for machine in list(host.machines.values()):
        yield summary(machine, machine.settings, wanted, now)

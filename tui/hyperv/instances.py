r"""Whose counters those are: instance names joined with the things of a host.

Everything here is a function of its arguments. GUIDs decide where a name holds one, then paths,
then display names as instance names have them. What fits several things belongs to none of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tui.hyperv import clean, counters, paths, states
from tui.hyperv.counters import Values, comparable, image_key
from tui.hyperv.meters import (
    AdapterMeter,
    DiskMeter,
    MachineMeter,
    SwitchMeter,
    UplinkMeter,
    VolumeMeter,
)
from tui.hyperv.model import Inventory, Nic
from tui.hyperv.volumes import SHARED, is_shared, volume_of

_MEGABYTE = 1 << 20
_VIRTUAL_PROCESSOR = re.compile(r"(?P<vm>.*):[^:]*?\d+(?:#\d+)?\Z", re.DOTALL)
_NOTHING: Values = {}

Found = Mapping[str, Values]
"""Values by instance name."""


def _instances(found: Found) -> Iterator[tuple[str, Values]]:
    """Every instance but the total of them, names harmless."""
    for name, values in found.items():
        if not counters.total(name):
            yield clean.text(name, limit=clean.LONG), values


def _sum(*values: float | None) -> float | None:
    """What is known of it; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _weighted(pairs: Iterable[tuple[float | None, float | None]]) -> float | None:
    """Mean of values that are known, by their weights; all alike when none weighs anything."""
    known = [(value, weight or 0.0) for value, weight in pairs if value is not None]
    whole = sum(weight for _, weight in known)
    if whole > 0:
        return sum(value * weight for value, weight in known) / whole
    return sum(value for value, _ in known) / len(known) if known else None


def _only(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Things by name; names that several things have are left out."""
    pairs = set(named)
    times = Counter(name for name, _ in pairs)
    return {name: thing for name, thing in pairs if times[name] == 1}


# -- disks ---------------------------------------------------------------------------------


def join_disks(found: Found, inventory: Inventory) -> tuple[DiskMeter, ...]:
    """Images and who uses them, by path."""
    host = inventory.host.id
    drives = [(disk.path, vm.id) for vm in inventory.vms.values() for disk in vm.disks if disk.path]
    users = _only((image_key(path), vm) for path, vm in drives)
    written = {image_key(path): path for path, _ in drives}
    volumes = inventory.host.volumes
    every = {image_key(name): (name, values) for name, values in _instances(found)}
    opened = Counter(map(counters.family, every))
    disks: list[DiskMeter] = []
    for own, (name, values) in every.items():
        key = own if own in written else counters.family(own)
        path = written.get(key, "")
        volume = volume_of(volumes, path) if path else volume_of(volumes, key, image_key)
        get = values.get
        disks.append(
            DiskMeter(
                id=f"{host}:{own}",
                host=host,
                path=path or name,
                vm=users.get(key, "") if opened[counters.family(own)] == 1 else "",
                volume=volume.name if volume else "",
                read=get("ReadBytesPersec"),
                write=get("WriteBytesPersec"),
                reads=get("ReadOperationsPerSec"),
                writes=get("WriteOperationsPerSec"),
                latency=get("Latency"),
                queue=get("QueueLength"),
            )
        )
    return tuple(disks)


# -- networks ------------------------------------------------------------------------------


def join_adapters(found: Found, inventory: Inventory) -> tuple[AdapterMeter, ...]:
    """Adapters by the GUIDs in their instance names."""
    host = inventory.host.id
    nics = {
        guid: (vm.id, nic)
        for vm in inventory.vms.values()
        for nic in vm.nics
        for guid in paths.guids(nic.id)[1:2]
    }
    adapters: dict[str, AdapterMeter] = {}
    for name, values in _instances(found):
        known = paths.guids(name)
        own = next((guid for guid in known if guid in nics), "")
        vm, nic = nics.get(own) or (counters.adapter_owner(name, inventory.vms), None)
        own = own or next((guid for guid in reversed(known) if guid != vm), "")
        adapter = AdapterMeter(
            id=f"{host}:{own or name}",
            host=host,
            name=(nic.name if nic else "") or _apart_from_guids(name),
            vm=vm,
            switch=_switch_of(nic, name, inventory),
            **_traffic(values),
        )
        adapters[adapter.id] = adapter
    return tuple(adapters.values())


def _apart_from_guids(name: str) -> str:
    """A readable rest of an instance name whose adapter is not known."""
    rest = name
    for guid in paths.guids(name):
        at = rest.upper().find(guid)
        rest = rest[:at] + rest[at + len(guid) :]
    return rest.strip(" _-{}") or name


def _switch_of(nic: Nic | None, name: str, inventory: Inventory) -> str:
    """The switch of a machine's adapter; of the host's own the one it is named after."""
    if nic is not None:
        found = f"{inventory.host.id}:{nic.switch_id}"
        return found if found in inventory.switches else ""
    named = _switches(inventory)
    return named.get(comparable(_apart_from_guids(name)), "")


def _switches(inventory: Inventory) -> dict[str, str]:
    return _only((comparable(switch.name), id_) for id_, switch in inventory.switches.items())


def _traffic(values: Values) -> dict[str, float | None]:
    """What virtual adapters and virtual switches count alike."""
    return {
        "net_in": values.get("BytesReceivedPersec"),
        "net_out": values.get("BytesSentPersec"),
        "packets_in": values.get("PacketsReceivedPersec"),
        "packets_out": values.get("PacketsSentPersec"),
        "drops_in": values.get("DroppedPacketsIncomingPersec"),
        "drops_out": values.get("DroppedPacketsOutgoingPersec"),
    }


def join_switches(found: Found, inventory: Inventory) -> tuple[SwitchMeter, ...]:
    """Switches by their display names."""
    host, named = inventory.host.id, _switches(inventory)
    switches: dict[str, SwitchMeter] = {}
    for name, values in _instances(found):
        known = named.get(comparable(name), "")
        switch = SwitchMeter(
            id=known or f"{host}:{name}",
            host=host,
            name=inventory.switches[known].name if known else name,
            **_traffic(values),
        )
        switches[switch.id] = switch
    return tuple(switches.values())


def join_uplinks(found: Found, inventory: Inventory) -> tuple[UplinkMeter, ...]:
    """Physical adapters by name. Virtual interfaces of a host have counters too: where any
    adapter is known the others are left out."""
    host = inventory.host.id
    named = _only((comparable(uplink.name), uplink.name) for uplink in inventory.host.uplinks)
    every = dict(_instances(found))
    known = {name: named[comparable(name)] for name in every if comparable(name) in named}
    uplinks = []
    for name, values in every.items():
        if known and name not in known:
            continue
        get = values.get
        uplinks.append(
            UplinkMeter(
                id=f"{host}:{known.get(name, name)}",
                host=host,
                name=known.get(name, name),
                speed=int(get("CurrentBandwidth") or 0),
                net_in=get("BytesReceivedPersec"),
                net_out=get("BytesSentPersec"),
                packets_in=get("PacketsReceivedPersec"),
                packets_out=get("PacketsSentPersec"),
                drops_in=_sum(get("PacketsReceivedDiscarded"), get("PacketsReceivedErrors")),
                drops_out=_sum(get("PacketsOutboundDiscarded"), get("PacketsOutboundErrors")),
            )
        )
    return tuple(uplinks)


# -- volumes -------------------------------------------------------------------------------


def join_volumes(found: Found, shared: Found, inventory: Inventory) -> tuple[VolumeMeter, ...]:
    """Volumes by letter or path, shared ones by the name of their folder. Partitions without a
    name of their own have counters too: where any volume is known they are left out."""
    host = inventory.host.id
    names = [volume.name for volume in inventory.host.volumes]
    local = _only((name.rstrip("\\").lower(), name) for name in names)
    folders = _only(
        (name.lower().partition(SHARED)[2].rstrip("\\"), name) for name in names if is_shared(name)
    )
    every = dict(_instances(found))
    known = {name: local[name.lower()] for name in every if name.lower() in local}
    volumes = {}
    for name, values in every.items():
        if not known or name in known:
            volume = _volume(host, known.get(name, name), values)
            volumes[volume.id] = volume
    for name, values in _instances(shared):
        volume = _shared_volume(host, folders.get(name.lower(), name), values)
        volumes[volume.id] = volume
    return tuple(volumes.values())


def _latency(
    measured: float | None, waiting: float | None, operations: float | None
) -> float | None:
    """Seconds an operation took. The measure has 32 bits and is full within seconds where many
    wait; it is then too low, and the mean queue, which has 64, tells (Little's law)."""
    if waiting is None or not operations:
        return measured
    return max(measured or 0.0, waiting / operations)


def _volume(host: str, name: str, values: Values) -> VolumeMeter:
    return VolumeMeter(
        id=f"{host}:{name.lower()}",
        host=host,
        name=name,
        read=values.get("DiskReadBytesPersec"),
        write=values.get("DiskWriteBytesPersec"),
        reads=values.get("DiskReadsPersec"),
        writes=values.get("DiskWritesPersec"),
        latency=_latency(
            values.get("AvgDisksecPerTransfer"),
            values.get("AvgDiskQueueLength"),
            _sum(values.get("DiskReadsPersec"), values.get("DiskWritesPersec")),
        ),
        queue=values.get("CurrentDiskQueueLength"),
    )


def _shared_volume(host: str, name: str, values: Values) -> VolumeMeter:
    get = values.get
    return VolumeMeter(
        id=f"{host}:{name.lower()}",
        host=host,
        name=name,
        shared=True,
        read=get("ReadBytesPersec"),
        write=get("WriteBytesPersec"),
        reads=get("ReadsPersec"),
        writes=get("WritesPersec"),
        latency=_latency(
            _weighted(
                (
                    (get("AvgsecPerRead"), get("ReadsPersec")),
                    (get("AvgsecPerWrite"), get("WritesPersec")),
                )
            ),
            _sum(get("AvgReadQueueLength"), get("AvgWriteQueueLength")),
            _sum(get("ReadsPersec"), get("WritesPersec")),
        ),
        queue=_sum(get("CurrentReadQueueLength"), get("CurrentWriteQueueLength")),
    )


# -- machines ------------------------------------------------------------------------------


def join_machines(
    processors: Found, memory: Found, inventory: Inventory
) -> tuple[MachineMeter, ...]:
    """Machines by name; of several that run under one name none can be told apart."""
    virtual: dict[str, list[Values]] = {}
    for vm, values in _of_machines(processors, inventory, processor=True):
        virtual.setdefault(vm, []).append(values)
    dynamic = dict(_of_machines(memory, inventory, processor=False))
    return tuple(
        _machine(vm, inventory.host.id, virtual.get(vm, []), dynamic.get(vm, _NOTHING))
        for vm in (*virtual, *(vm for vm in dynamic if vm not in virtual))
    )


def _of_machines(
    found: Found, inventory: Inventory, *, processor: bool
) -> Iterator[tuple[str, Values]]:
    """GUID and values of each instance that surely is one machine's."""
    alive = _only(
        (comparable(vm.name), vm.id)
        for vm in inventory.vms.values()
        if vm.id in inventory.vm_vitals and inventory.vm_vitals[vm.id].state in states.HAS_WORKER
    )
    every = [(name, _name_in(name, processor=processor), v) for name, v in _instances(found)]
    times = Counter(counters.family(name) for name, _, _ in every)
    several = {counters.family(vm) for name, vm, _ in every if times[counters.family(name)] > 1}
    for _, vm, values in every:
        identity = alive.get(comparable(vm), "")
        if identity and counters.family(vm) not in several:
            yield identity, values


def _name_in(instance: str, *, processor: bool) -> str:
    """The machine's name in an instance name: ``name:Hv VP 0`` for a virtual processor."""
    if not processor:
        return instance
    found = _VIRTUAL_PROCESSOR.match(instance)
    return found["vm"] if found else ""


def _machine(vm: str, host: str, processors: list[Values], memory: Values) -> MachineMeter:
    def mean(column: str) -> float | None:
        return _weighted((values.get(column), None) for values in processors)

    wait = _weighted(
        (values.get("CPUWaitTimePerDispatch"), values.get("LogicalProcessorDispatchesPersec"))
        for values in processors
    )
    return MachineMeter(
        id=vm,
        host=host,
        guest=mean("PercentGuestRunTime"),
        hypervisor=mean("PercentHypervisorRunTime"),
        wait=wait / 1e9 if wait is not None else None,
        pressure=_whole(memory.get("CurrentPressure")),
        pressure_average=_whole(memory.get("AveragePressure")),
        visible=_bytes(memory.get("GuestVisiblePhysicalMemory")),
        available=_bytes(memory.get("GuestAvailableMemory")),
        paged=_bytes(memory.get("SmartPagingWorkingSetSize")),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else int(megabytes) * _MEGABYTE


def join_balancer(found: Found) -> tuple[int | None, int | None]:
    """Average pressure of a host's dynamic memory, and bytes that may still be given."""
    for _, values in _instances(found):
        return (
            _whole(values.get("AveragePressure")),
            _bytes(values.get("AvailableMemoryForBalancing")),
        )
    return None, None

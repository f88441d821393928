"""Virtual machines out of CIM instances: vitals from the summary, settings from their classes.

Everything here is a function of its arguments. A part that is None was not read, and what was
known before stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tui.hyperv import clean, paths, states
from tui.hyperv.model import Checkpoint, Disk, Integration, Nic, Vm, VmVitals
from tui.wsman.cim import CimInstance

MEGABYTE = 1 << 20
STEADY = 5.0
"""Seconds an uptime may jitter between two ticks without the machine having restarted."""

_LEAST_AVAILABLE = -1000
_REALIZED = "microsoft:hyper-v:system:realized"
_SNAPSHOT = "microsoft:hyper-v:snapshot:"
_GENERATION_2 = ":2"
_PRODUCTION = (3, 4)
_ANSWERS = (2, 3, 6)
"""Heartbeats only a guest that answers has."""

Rows = Sequence[CimInstance]


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes per second of one VM; None when not known."""

    net_in: float | None = None
    net_out: float | None = None
    disk_read: float | None = None
    disk_write: float | None = None


UNKNOWN = Rates()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One slow reading, by what it describes."""

    systems: Rows
    """Settings of machines and checkpoints."""
    processors: Rows | None = None
    memory: Rows | None = None
    security: Rows | None = None
    merging: Rows | None = None
    nics: Mapping[str, tuple[Nic, ...]] | None = None
    disks: Mapping[str, tuple[Disk, ...]] | None = None
    integration: Mapping[str, tuple[Integration, ...]] | None = None
    guests: Mapping[str, Mapping[str, str]] | None = None


# -- fast ----------------------------------------------------------------------------------


def vm_id(row: CimInstance) -> str:
    """The GUID of the machine a summary is about; empty for anything else."""
    return paths.guid(row.get("Name"))


def distinct(rows: Iterable[CimInstance]) -> dict[str, CimInstance]:
    """Summaries by VM. A checkpoint's has no state and gives way to its machine's."""
    found: dict[str, CimInstance] = {}
    for row in rows:
        identity = vm_id(row)
        if identity and (identity not in found or found[identity].get("EnabledState") is None):
            found[identity] = row
    return found


def join_vitals(
    row: CimInstance, host: str, previous: VmVitals | None, now: float, rates: Rates = UNKNOWN
) -> VmVitals:
    """How a machine is, out of its summary."""
    get = row.get
    state = clean.number(get("EnabledState"))
    alive = state in states.HAS_WORKER
    statuses = get("OperationalStatus")
    listed = statuses if isinstance(statuses, tuple) else ()
    memory = clean.maybe(get("MemoryUsage")) if alive else None
    available = clean.maybe(get("MemoryAvailable")) if alive else None
    heartbeat = clean.maybe(get("Heartbeat")) if alive else None
    before = previous if previous is not None and previous.state == state else None
    started_at = _started_at(row, previous, now) if alive else None
    return VmVitals(
        id=vm_id(row),
        host=host,
        state=state,
        state_text=clean.text(get("OtherEnabledState")),
        health=clean.number(get("HealthState")),
        activity=clean.number(listed[1]) if len(listed) > 1 else 0,
        status=clean.number(listed[0]) if listed else 0,
        cpu=clean.maybe(get("ProcessorLoad")) if alive else None,
        memory=memory * MEGABYTE if memory is not None else None,
        memory_available=available if _is_share(available) else None,
        started_at=started_at,
        heartbeat=heartbeat or None,
        net_in=rates.net_in if alive else None,
        net_out=rates.net_out if alive else None,
        disk_read=rates.disk_read if alive else None,
        disk_write=rates.disk_write if alive else None,
        replication=clean.number(get("ReplicationHealth")),
        since=before.since if before else now,
        since_at_least=before.since_at_least if before else previous is None,
        process=previous.process if previous and alive else 0,
        had_contact=_had_contact(heartbeat, started_at, previous),
        replication_mode=previous.replication_mode if previous else 0,
    )


def _had_contact(heartbeat: int | None, started_at: float | None, before: VmVitals | None) -> bool:
    """Guests without the integration services never answer; those that did may fall silent."""
    if heartbeat in _ANSWERS:
        return True
    same_run = before is not None and before.started_at == started_at
    return same_run and before is not None and before.had_contact


def join_standings(
    vitals: Mapping[str, VmVitals], systems: Rows, now: float
) -> dict[str, VmVitals]:
    """Vitals with what the machines themselves tell: since when, and in which process.

    It holds for the state it was told with; a host whose clock is ahead of ours is not believed.
    """
    found = dict(vitals)
    for row in systems:
        known = found.get(vm_id(row))
        if known is None:
            continue
        changed_at = clean.moment(row.get("TimeOfLastStateChange"))
        process = clean.number(row.get("ProcessID")) if known.state in states.HAS_WORKER else 0
        mode = clean.number(row.get("ReplicationMode"))
        if (process, mode) != (known.process, known.replication_mode):
            known = replace(known, process=process, replication_mode=mode)
        if row.get("EnabledState") == known.state and 0 < changed_at <= now:
            known = replace(known, since=changed_at, since_at_least=False)
        found[known.id] = known
    return found


def _is_share(percent: int | None) -> bool:
    """Below zero the guest wants more than it has; hosts also write huge numbers for "none"."""
    return percent is not None and _LEAST_AVAILABLE <= percent <= 100


def _started_at(row: CimInstance, previous: VmVitals | None, now: float) -> float | None:
    """When it started, the same figure tick after tick unless it truly restarted."""
    uptime = clean.number(row.get("UpTime"))
    if uptime <= 0:
        return None
    started = now - uptime / 1000
    before = previous.started_at if previous else None
    return before if before is not None and abs(started - before) < STEADY else started


def join_summary(row: CimInstance, host: str, previous: Vm | None) -> Vm:
    """What a summary tells of a machine's settings: enough for a row, and its present name."""
    name = clean.text(row.get("ElementName"))
    guest = clean.text(row.get("GuestOperatingSystem"))
    if previous is None:
        return Vm(
            id=vm_id(row),
            host=host,
            name=name or vm_id(row),
            processors=clean.number(row.get("NumberOfProcessors")),
            guest=guest,
        )
    if (name and name != previous.name) or (guest and not previous.guest):
        return replace(previous, name=name or previous.name, guest=previous.guest or guest)
    return previous


# -- slow ----------------------------------------------------------------------------------


def join_vms(
    previous: Mapping[str, Vm], parts: Parts, host: str, known: Collection[str]
) -> dict[str, Vm]:
    """Every known machine with all that one slow reading tells of it."""
    settings: dict[str, CimInstance] = {}
    snapshots: dict[str, list[CimInstance]] = {}
    for system in parts.systems:
        kind = paths.same(system.get("VirtualSystemType"))
        owner = paths.guid(system.get("VirtualSystemIdentifier"))
        if kind == _REALIZED:
            settings[owner or paths.owner(system.get("InstanceID"))] = system
        elif kind.startswith(_SNAPSHOT):
            snapshots.setdefault(owner, []).append(system)
    processors = _by_owner(parts.processors)
    memory = _by_owner(parts.memory)
    security = _by_owner(parts.security)
    merging = _by_owner(parts.merging)
    vms: dict[str, Vm] = {}
    for identity in known:
        vm = previous.get(identity) or Vm(id=identity, host=host, name=identity)
        if identity in settings:
            own = settings[identity]
            vm = _with_settings(vm, own, join_checkpoints(snapshots.get(identity, ()), own))
        vm = _with_memory(_with_processor(vm, processors), memory)
        vm = _with_merging(_with_security(vm, security), merging)
        vms[identity] = _with_devices(vm, parts)
    return vms


def _by_owner(rows: Rows | None) -> Mapping[str, CimInstance] | None:
    if rows is None:
        return None
    return {paths.owner(row.get("InstanceID")): row for row in rows}


def _with_settings(vm: Vm, system: CimInstance, checkpoints: tuple[Checkpoint, ...]) -> Vm:
    get = system.get
    subtype = clean.text(get("VirtualSystemSubType"))
    return replace(
        vm,
        name=clean.text(get("ElementName")) or vm.name,
        notes=clean.lines(clean.first(get("Notes"))),
        generation=2 if subtype.endswith(_GENERATION_2) else 1,
        version=clean.text(get("Version")),
        created_at=clean.moment(get("CreationTime")),
        automatic_start=clean.number(get("AutomaticStartupAction")),
        start_delay=int(clean.seconds(get("AutomaticStartupActionDelay"))),
        automatic_stop=clean.number(get("AutomaticShutdownAction")),
        secure_boot=clean.truth(get("SecureBootEnabled")),
        folder=clean.text(get("ConfigurationDataRoot"), limit=clean.LONG),
        checkpoints=checkpoints,
        complete=True,
    )


def _with_processor(vm: Vm, processors: Mapping[str, CimInstance] | None) -> Vm:
    row = processors.get(vm.id) if processors is not None else None
    if row is None:
        return vm
    return replace(
        vm,
        processors=clean.number(row.get("VirtualQuantity")),
        nested=row.get("ExposeVirtualizationExtensions") is True,
        limits_features=row.get("LimitProcessorFeatures") is True,
    )


def _with_memory(vm: Vm, memory: Mapping[str, CimInstance] | None) -> Vm:
    row = memory.get(vm.id) if memory is not None else None
    if row is None:
        return vm
    return replace(
        vm,
        memory_startup=clean.number(row.get("VirtualQuantity")) * MEGABYTE,
        memory_minimum=clean.number(row.get("Reservation")) * MEGABYTE,
        memory_maximum=clean.number(row.get("Limit")) * MEGABYTE,
        dynamic_memory=row.get("DynamicMemoryEnabled") is True,
    )


def _with_security(vm: Vm, security: Mapping[str, CimInstance] | None) -> Vm:
    row = security.get(vm.id) if security is not None else None
    if row is None:
        return vm
    return replace(
        vm,
        tpm=clean.truth(row.get("TpmEnabled")),
        shielded=clean.truth(row.get("ShieldingRequested")),
    )


def _with_merging(vm: Vm, merging: Mapping[str, CimInstance] | None) -> Vm:
    row = merging.get(vm.id) if merging is not None else None
    if row is None:
        return vm
    return replace(vm, merging=clean.number(row.get("EnabledState"), 1) != 0)


def _with_devices(vm: Vm, parts: Parts) -> Vm:
    guest = parts.guests.get(vm.id, {}) if parts.guests is not None else {}
    return replace(
        vm,
        nics=vm.nics if parts.nics is None else parts.nics.get(vm.id, ()),
        disks=vm.disks if parts.disks is None else parts.disks.get(vm.id, ()),
        integration=(
            vm.integration if parts.integration is None else parts.integration.get(vm.id, ())
        ),
        guest=guest.get("OSName") or vm.guest,
        guest_name=guest.get("FullyQualifiedDomainName") or vm.guest_name,
    )


# -- checkpoints ---------------------------------------------------------------------------


def join_checkpoints(
    snapshots: Iterable[CimInstance], system: CimInstance
) -> tuple[Checkpoint, ...]:
    """The checkpoints of one machine, oldest first."""
    rows = list(snapshots)
    ids = {paths.same(row.get("InstanceID")): clean.text(row.get("InstanceID")) for row in rows}
    now_below = _parent_of(system)
    found = [
        Checkpoint(
            id=clean.text(row.get("InstanceID")),
            name=clean.text(row.get("ElementName")) or clean.text(row.get("InstanceID")),
            created_at=clean.moment(row.get("CreationTime")),
            parent=ids.get(_parent_of(row), ""),
            kind=_kind_of(row),
            automatic=row.get("IsAutomaticSnapshot") is True,
            current=paths.same(row.get("InstanceID")) == now_below,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda checkpoint: (checkpoint.created_at, checkpoint.id)))


def _parent_of(system: CimInstance) -> str:
    return paths.same(paths.key(system.get("Parent"), "InstanceID"))


def _kind_of(row: CimInstance) -> str:
    """A saved state makes a checkpoint a standard one, whatever the machine asks for."""
    kind = paths.same(row.get("VirtualSystemType")).removeprefix(_SNAPSHOT).partition(":")[0]
    if kind != "realized":
        return kind
    production = row.get("UserSnapshotType") in _PRODUCTION and row.get("IsSaved") is not True
    return "production" if production else "standard"

"""Why a machine cannot move: what its host, the other one and the way between them lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import disks, files, migration, moves, network, power, processors, shapes
from tui.sim.jobs import JobError, Reason
from tui.sim.machine import OFF, PAUSED, RUNNING, SAVED, Machine
from tui.sim.migration import CREDSSP, LIVE, STORAGE
from tui.sim.moves import Move
from tui.sim.outcome import FAILED, MEMORY
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.world import SimHost

SOURCE_FAILED, LIVE_FAILED = 21024, 21502
CONNECTION, SIGN_IN, CLOSED, LOST = 20306, 20308, 20413, 22038
SWITCH, VERSION, RAM, FILES, KEY, ROLE, TWIN = 33012, 24004, 3122, 21026, 12510, 21116, 21027
"""Numbers of the host's messages, which MessageID tells and the words repeat."""

NO_CREDENTIALS = "No credentials are available in the security package (0x8009030E)."
MISMATCH = "The function requested is not supported (0x80090302)."
UNKNOWN = "No such host is known (0x80072AF9)."
SILENT = (
    "A connection attempt failed because the connected party did not properly respond after a "
    "period of time, or established connection failed because connected host has failed to "
    "respond (0x8007274C)."
)
NO_SERVICE = "Invalid namespace (0x8004100E)."
RESET = "An existing connection was forcibly closed by the remote host (0x80072746)."
SEVERAL = (
    "The virtual machine cannot be moved to the destination computer. The hardware on the "
    "destination computer is not compatible with the hardware requirements of this virtual machine."
)


def error(move: Move) -> JobError | None:
    """Everything that is in the way, as the end of a job."""
    found = list(dict.fromkeys(reasons(move)))
    if not found:
        return None
    code = MEMORY if all(reason.message == RAM for reason in found) else FAILED
    return failure(move, tuple(found), code)


def failure(move: Move, found: tuple[Reason, ...], code: int = FAILED) -> JobError:
    machine = move.machine
    head = Reason(
        SOURCE_FAILED,
        f"Virtual machine migration operation for '{machine.name}' failed at migration source "
        f"'{move.source.name}'. (Virtual machine ID {machine.id}) ({SOURCE_FAILED})",
    )
    return JobError(code, " ".join(r.text for r in (head, *found)), reasons=(head, *found))


def lost(move: Move, words: str = RESET) -> JobError:
    """The other host is gone in the middle of it."""
    text = f"Failed to send data for a Virtual Machine migration to host '{move.asked}': {words}"
    return failure(move, (Reason(LOST, f"{text} ({LOST})"),))


def reasons(move: Move) -> Iterator[Reason]:
    """The way first: where it leads nowhere, nothing else can be known."""
    if move.kind == STORAGE:
        yield from _files(move)
        return
    blocked = list(_connection(move))
    yield from blocked
    if not blocked:
        found = [*_hardware(move), *_files(move)]
        if any(reason.message != RAM for reason in found):
            yield Reason(LIVE_FAILED, f"{SEVERAL} ({LIVE_FAILED})")
        yield from found


# -- the way -------------------------------------------------------------------------------


def reachable(host: SimHost) -> bool:
    return not host.faults.http.refuse_connections and not host.down


def _connection(move: Move) -> Iterator[Reason]:
    source, target, machine = move.source, move.target, move.machine
    if machine.clustered:
        text = (
            f"The virtual machine '{machine.name}' is a clustered role of '{source.plan.cluster}'. "
            "Use the failover cluster to move it to another host."
        )
        yield Reason(ROLE, f"{text} ({ROLE})")
        return
    if not migration.enabled(source):
        yield _closed(move, "outgoing", "source", source.name)
        return
    failed = (
        "The Virtual Machine Management Service failed to establish a connection for a Virtual "
        f"Machine migration with host '{move.asked}':"
    )
    if target is None or not reachable(target):
        yield Reason(CONNECTION, f"{failed} {UNKNOWN if target is None else SILENT} ({CONNECTION})")
    elif target.lacks(shapes.VIRTUALIZATION):
        yield Reason(CONNECTION, f"{failed} {NO_SERVICE} ({CONNECTION})")
    elif not migration.enabled(target):
        yield _closed(move, "incoming", "destination", target.name)
    else:
        yield from _sign_in(move, target, failed)


def _closed(move: Move, way: str, end: str, name: str) -> Reason:
    text = (
        f"The Virtual Machine Management Service blocked an {way} migration of virtual machine "
        f"'{move.machine.name}' at the {end} host '{name}': virtual machine migration is not "
        "enabled there."
    )
    return Reason(CLOSED, f"{text} ({CLOSED})")


def _sign_in(move: Move, target: SimHost, failed: str) -> Iterator[Reason]:
    """CredSSP needs somebody signed in at the source; Kerberos, constrained delegation."""
    source = move.source
    ways = [shapes.number(migration.setting(h), "AuthenticationType") for h in (source, target)]
    why = (
        "The Virtual Machine Management Service failed to authenticate the connection for a "
        "Virtual Machine migration at the source host: "
    )
    if ways[0] != ways[1]:
        words = ["CredSSP" if way == CREDSSP else "Kerberos" for way in ways]
        why += f"'{source.name}' uses {words[0]} and '{target.name}' uses {words[1]}."
        yield Reason(SIGN_IN, f"{failed} {MISMATCH} {why} ({SIGN_IN})")
    elif ways[0] == CREDSSP or not delegated(source, target):
        why += (
            "no suitable credentials available. Make sure the operation is initiated on the source "
            "host of the migration, or the source host is configured to use Kerberos for the "
            "authentication of migration connections and Constrained Delegation is enabled for the "
            "host in Active Directory."
        )
        yield Reason(SIGN_IN, f"{failed} {NO_CREDENTIALS} {why} ({SIGN_IN})")


def delegated(source: SimHost, target: SimHost) -> bool:
    """The source may act for its callers at the target."""
    if source.plan.domain.lower() != target.plan.domain.lower():
        return False
    named = source.plan.delegates
    return named is None or target.name.lower() in (name.lower() for name in named)


# -- what the machine is made of -----------------------------------------------------------


def _hardware(move: Move) -> Iterator[Reason]:
    machine, target = move.machine, move.target
    assert target is not None
    if machine.id in target.machines or machine.id in target.planned:
        text = f"A virtual machine with the identifier {machine.id} exists on '{target.name}'."
        yield Reason(TWIN, f"{text} (0x800700B7) ({TWIN})")
    yield from processor(machine, target)
    version = shapes.text(machine.settings, "Version") or "0"
    if float(version) > float(target.system.configuration):
        text = (
            f"The configuration version {version} of virtual machine '{machine.name}' is not "
            f"supported on physical computer '{target.name}', which knows versions up to "
            f"{target.system.configuration}."
        )
        yield Reason(VERSION, f"{text} ({VERSION})")
    yield from _memory(machine, target)
    yield from _switches(move, target)
    yield from _disks_passed_through(machine, target)
    if machine.alive and power.sealed_from(machine, target):
        text = (
            f"The key protector of virtual machine '{machine.name}' could not be unwrapped on "
            f"'{target.name}'. Details are included in the HostGuardianService-Client event log. "
            "The parameter is incorrect. (0x80070057)"
        )
        yield Reason(KEY, f"{text} ({KEY})")


def processor(machine: Machine, target: SimHost) -> Iterator[Reason]:
    """What a machine has found of its processor, it must find again; one that is off has not."""
    if machine.state == OFF:
        return
    own, other = machine.processor or machine.host.plan.processor, target.plan.processor
    setting = machine.current.at(shapes.PROCESSOR)
    limited = setting is not None and bool(setting.values["LimitProcessorFeatures"])
    if processors.vendor(own) != processors.vendor(other):
        text = (
            f"The virtual machine '{machine.name}' was started on a processor of "
            f"{processors.vendor(own)}, and physical computer '{target.name}' has one of "
            f"{processors.vendor(other)}. (0x80048054)"
        )
    elif not limited and not processors.features(own) <= processors.features(other):
        text = (
            f"The virtual machine '{machine.name}' is using processor-specific features not "
            f"supported on physical computer '{target.name}'. To allow for migration of this "
            "virtual machine to physical computers with different processors, modify the virtual "
            "machine settings to limit the processor features used by the virtual machine. "
            "(0x80048054)"
        )
    else:
        return
    yield Reason(LIVE_FAILED, f"{text} ({LIVE_FAILED})")


def _memory(machine: Machine, target: SimHost) -> Iterator[Reason]:
    if not machine.alive:
        return
    now = target.fabric.now()
    arriving = (m.machine for m in target.moves if m.target is target and not m.waiting)
    promised = sum(one.memory(now) for one in arriving if one is not machine)
    needed = machine.memory(now)
    if power.lacks_memory(target, needed + promised, now):
        text = (
            f"'{machine.name}' was unable to allocate {needed} MB of RAM on '{target.name}': "
            "Insufficient system resources exist to complete the requested service. (0x800705AA)"
        )
        yield Reason(RAM, f"{text} ({RAM})")


def _switches(move: Move, target: SimHost) -> Iterator[Reason]:
    for port in move.machine.current.of(moves.PORT):
        name = switch_name(move, port)
        if name and target.switch_named(name) is None:
            text = f"Could not find Ethernet switch '{name}' on '{target.name}'."
            yield Reason(SWITCH, f"{text} ({SWITCH})")


def switch_name(move: Move, port: CimInstance) -> str:
    """The switch a port is going to be plugged into; empty for none."""
    path = move.ports.get(shapes.text(port, "InstanceID").lower())
    if path is None:
        if port.values["EnabledState"] != 2:
            return ""
        present = network.switch_of(move.source, port)
        known = shapes.text(port, "LastKnownSwitchName")
        return shapes.text(present, "ElementName") if present is not None else known
    if not path:
        return ""
    wanted = path.rpartition('Name="')[2].rstrip('"').upper()
    assert move.target is not None
    for switch in move.target.switches():
        if shapes.text(switch, "Name").upper() == wanted:
            return shapes.text(switch, "ElementName")
    return wanted or path


def _disks_passed_through(machine: Machine, target: SimHost) -> Iterator[Reason]:
    for drive in machine.current.of("Msvm_ResourceAllocationSettingData"):
        if any("Msvm_DiskDrive" in path for path in shapes.strings(drive, "HostResource")):
            text = (
                f"The physical disk '{shapes.text(drive, 'ElementName')}' of virtual machine "
                f"'{machine.name}' cannot be reached from '{target.name}'."
            )
            yield Reason(FILES, f"{text} ({FILES})")


# -- files ---------------------------------------------------------------------------------


def _file(machine: Machine, path: str, problem: disks.Problem, host: SimHost) -> Reason:
    number, words = problem
    text = f"'{machine.name}': '{path}' on '{host.name}': {words} (0x{number:08X})."
    return Reason(FILES, f"{text} ({FILES})")


def _files(move: Move) -> Iterator[Reason]:
    machine, source, target = move.machine, move.source, move.target
    assert target is not None
    for image in machine.images:
        place = move.images.get(shapes.text(image, "InstanceID").lower(), disks.image_path(image))
        if moves.is_iso(image) and place and place not in target.files:
            yield _file(machine, place, disks.MISSING, target)
        elif not moves.is_iso(image) and disks.image_path(image) not in source.files:
            yield _file(machine, disks.image_path(image), disks.MISSING, source)
        elif not moves.is_iso(image) and move.kind == LIVE:
            yield from _shared(move, disks.image_path(image), target)
    if move.kind == LIVE:
        for name in ("ConfigurationDataRoot", "SnapshotDataRoot"):
            yield from _shared(move, shapes.text(machine.settings, name), target)
    else:
        yield from _room(move, target)


def _shared(move: Move, path: str, target: SimHost) -> Iterator[Reason]:
    if move.source.files.shelf(path) is not target.files.shelf(path):
        yield _file(move.machine, path, disks.NO_FOLDER, target)


def _room(move: Move, target: SimHost) -> Iterator[Reason]:
    """New files need a volume, a name that is free, and space."""
    store, needed = target.files, Counter[str]()
    volumes: dict[str, str] = {}
    seen: set[str] = set()
    roots = {move.root(name) for name in moves.ROOTS} - {""}
    for root in sorted(roots):
        if store.volume(root) is None:
            yield _file(move.machine, root, disks.NO_FOLDER, target)
    for old, new in move.files.items():
        volume, file = store.volume(new), move.source.files.get(old)
        if volume is None:
            yield _file(move.machine, new, disks.NO_FOLDER, target)
            continue
        present = store.get(new)
        if (present is not None and not move.overwrites) or new.lower() in seen:
            yield _file(move.machine, new, disks.EXISTS, target)
        elif present is not None and disks.locked(target, present):
            yield _file(move.machine, new, disks.SHARING, target)
        seen.add(new.lower())
        needed[volume.name] += file.used if file is not None else 0
        volumes[volume.name] = new
    for name, amount in needed.items():
        if store.free(volumes[name]) < amount:
            yield _file(move.machine, files.folder_of(volumes[name]), disks.FULL, target)


def busy(move: Move) -> bool:
    """The machine is in no state to be moved, or something else is being done to it."""
    machine = move.machine
    settled = machine.state in (RUNNING, OFF, SAVED, PAUSED)
    at_work = machine.moving or machine.gone or machine.leaving or machine.merging
    return not settled or at_work or bool(move.source.jobs.of(machine))

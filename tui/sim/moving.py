"""A machine changes its host or its place: the beginning, the end, and what is put back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.sim import (
    definitions,
    disks,
    merging,
    migration,
    move_checks,
    moves,
    papers,
    shapes,
)
from tui.sim.files import MB
from tui.sim.jobs import JobError, Work
from tui.sim.machine import OFF, Machine
from tui.sim.migration import LIVE, STORAGE, WHOLE
from tui.sim.moves import Move
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

CLASS = "Msvm_MigrationJob"
WORDS = {
    LIVE: (305, "Moving Virtual Machine"),
    WHOLE: (306, "Moving Virtual Machine and Storage"),
    STORAGE: (307, "Moving Storage"),
}
"""JobType and name, by MigrationType."""
BLOCKED = 8
"""Percent at which a job finds what is in the way."""
DISK_RATE = 450 * MB
"""Bytes copied in a second from one volume to another."""
USABLE, COMPRESSED = 0.8, 1.6
"""Share of a link that carries memory, and what compression makes of it."""


def start(move: Move) -> CimRef:
    """Begin a move, or let it wait for its turn; the job."""
    source, machine = move.source, move.machine
    kind, words = WORDS[move.kind]
    error, percent, seconds = move_checks.error(move), BLOCKED, 2.0
    if error is None:
        seconds = _seconds(move)
        error, percent = _doom(move)
        machine.moving = True
        for host in ends(move):
            host.moves.append(move)
    work = Work(
        kind,
        words,
        seconds,
        lambda at: _arrived(move, at),
        lambda at: _undo(move, at),
        error,
        percent,
        cancellable=True,
        class_name=CLASS,
        more=told(move),
        held=machine.moving,
    )
    move.job = source.jobs.start(work, machine)
    if machine.moving:
        attend(source)
    return move.job


def told(move: Move) -> dict[str, CimValue]:
    """What an Msvm_MigrationJob says beyond other jobs."""
    return {
        "DestinationHost": move.asked,
        "MigrationType": move.kind,
        "VirtualSystemName": move.machine.id,
        "NewSystemSettingData": move.texts[0] or None,
        "NewResourceSettingData": move.texts[1] or None,
    }


def ends(move: Move) -> tuple[SimHost, ...]:
    target = move.target
    return (move.source,) if target is None or target is move.source else (move.source, target)


def _doom(move: Move) -> tuple[JobError | None, int]:
    """What a knob says is going to happen to it."""
    faults, target = move.source.faults, move.target
    if faults.moves_fail_at >= 0 and faults.take("moves_fail"):
        return move_checks.lost(move), faults.moves_fail_at
    if target is not None and target is not move.source and target.faults.vanishes_at >= 0:
        return move_checks.lost(move, move_checks.SILENT), target.faults.vanishes_at
    return None, 0


# -- how long ------------------------------------------------------------------------------


def link(host: SimHost) -> int:
    """Bits per second of the fastest adapter that has a cable."""
    speeds = [plan.speed for plan in host.plan.uplinks if not plan.down]
    return max(speeds, default=1_000_000_000)


def _seconds(move: Move) -> float:
    target, machine = move.target, move.machine
    copied = moves.size(move) if move.kind != LIVE else 0
    if target is None or target is move.source:
        return 3.0 + copied / DISK_RATE
    rate = min(link(move.source), link(target)) / 8 * USABLE
    seconds = 3.0 + copied / min(rate, DISK_RATE)
    if machine.alive:
        wanted = move.settings.values.get("EnableCompression") is not False
        packed = wanted and bool(migration.setting(move.source).values["EnableCompression"])
        memory = machine.memory(move.source.fabric.now()) * MB * 1.1
        seconds += memory / (rate * (COMPRESSED if packed else 1.0))
    return seconds


# -- turns ---------------------------------------------------------------------------------


def attend(host: SimHost) -> None:
    """Let everything begin whose turn it is."""
    for move in list(host.moves):
        if move.waiting and all(_has_room(one, move) for one in ends(move)):
            _begin(move)


def _has_room(host: SimHost, move: Move) -> bool:
    values = migration.setting(host).values
    word = "Storage" if move.kind == STORAGE else "VirtualSystem"
    most = values[f"MaximumActive{word}Migration"]
    active = [m for m in host.moves if not m.waiting and (m.kind == STORAGE) is (word == "Storage")]
    return isinstance(most, int) and len(active) < most


def _begin(move: Move) -> None:
    machine, target = move.machine, move.target
    assert move.job is not None
    assert target is not None
    move.waiting = False
    error = move_checks.error(move)
    if error is not None:  # what was fine when it was asked for may be so no more
        work = move.source.jobs.known[str(move.job.key("InstanceID"))].work
        failing = replace(work, seconds=2.0, error=error, percent=BLOCKED)
        move.source.jobs.release(move.job, failing)
        return
    merging.idle(machine)
    moves.reserve(move)
    if target is not move.source:
        _announce(move, target)
    move.source.jobs.release(move.job)
    _vanish(move, target)


def _announce(move: Move, target: SimHost) -> None:
    """The target shows a planned machine until the machine itself is there."""
    machine = move.machine
    found = definitions.definition(machine)
    folder = move.root("ConfigurationDataRoot")
    move.planned = definitions.plan(target, found, machine.id, folder)
    move.planned.moving = True
    definitions.show(target, move.planned)


def _vanish(move: Move, target: SimHost) -> None:
    """The target goes down on the way, when a knob says so, and comes back later."""
    faults, percent = target.faults, target.faults.vanishes_at
    if percent < 0 or target is move.source:
        return
    faults.vanishes_at = -1
    job = move.source.jobs.known[str(move.job.key("InstanceID"))] if move.job else None
    seconds = job.seconds if job is not None else 0.0

    def back(at: float) -> None:
        faults.http.refuse_connections = False
        faults.http.lose_requests = 0

    def down(at: float) -> None:
        faults.http.refuse_connections = True
        faults.http.lose_requests = -1
        target.fabric.after(faults.vanishes_for, back)

    target.fabric.after(seconds * percent / 100.0, down)


# -- the end -------------------------------------------------------------------------------


def _leave(move: Move) -> None:
    """The move is over, well or not."""
    hosts = ends(move)
    move.machine.moving = False
    if move.planned is not None and move.target is not None:
        definitions.hide(move.target, move.planned)
        move.planned = None
    for host in hosts:
        if move in host.moves:
            host.moves.remove(move)
    for host in hosts:
        attend(host)


def _undo(move: Move, at: float) -> None:
    """The machine stays as it was, where it was."""
    if move.machine.moving:
        moves.abandon(move)
        _leave(move)
        merging.idle(move.machine)


def _arrived(move: Move, at: float) -> tuple[CimRef, ...]:
    machine, source, target = move.machine, move.source, move.target
    assert target is not None
    if target is not source and not move_checks.reachable(target):
        raise move_checks.lost(move)
    if machine.id not in source.machines or machine.state != move.state:
        raise JobError(32775, f"'{machine.name}' has changed its state during the migration.")
    names = {
        shapes.text(port, "InstanceID").lower(): move_checks.switch_name(move, port)
        for port in machine.current.of(moves.PORT)
        if port.values["EnabledState"] == 2 or shapes.text(port, "InstanceID").lower() in move.ports
    }
    if move.kind != LIVE:
        moves.settle_files(move)
    _change_discs(move)
    _leave(move)
    if target is not source:
        transfer(machine, target, names, at)
    else:
        papers.write(machine)
        for checkpoint in machine.checkpoints:
            papers.write_checkpoint(machine, checkpoint)
    merging.idle(machine)
    return ()


def _change_discs(move: Move) -> None:
    """DVD images are put in from elsewhere, or taken out."""
    machine = move.machine
    for key, path in move.images.items():
        image = machine.current.resources[key]
        if moves.is_iso(image) and path:
            image.values["HostResource"] = (path,)
        elif moves.is_iso(image):
            del machine.current.resources[key]
            machine.host.repository.remove(image)


def transfer(machine: Machine, target: SimHost, switches: dict[str, str], at: float) -> None:
    """Take a machine from its host to another one as it is, running or not.

    ``switches`` names, by the InstanceID of a port allocation in lower case, the switch on the
    target each one is plugged into; empty unplugs it. Ports that are not named look for a switch
    of the name they have now.
    """
    source = machine.host
    machine.memory(at)
    if machine.alive:
        source.keep(machine)
    twice = _double(machine) if source.faults.listed_twice > 0 else None
    source.dismiss(machine)
    machine.processor = machine.processor or source.plan.processor
    if machine.state == OFF:
        machine.processor = ""
    _rewrite(machine, source, target)
    machine.number = target.next_number()
    machine.host = target
    for port in machine.current.of(moves.PORT):
        _plug(target, port, switches.get(shapes.text(port, "InstanceID").lower()))
    for configuration in machine.checkpoints.values():
        definitions.reconnect(target, configuration)
    machine.arrive(at)
    target.adopt(machine)
    for checkpoint in machine.checkpoints:
        papers.write_checkpoint(machine, checkpoint)
    if machine.alive:
        target.wake(machine)
    if twice is not None:
        _show_twice(source, twice)


def _rewrite(machine: Machine, source: SimHost, target: SimHost) -> None:
    """Object paths name the host they are on."""
    words = {f"\\\\{source.name}\\root": f"\\\\{target.name}\\root"}
    for configuration in disks.configurations(machine):
        for item in (configuration.settings, *configuration.resources.values()):
            for name, value in item.values.items():
                if name not in ("ElementName", "Notes"):
                    item.values[name] = definitions.rewritten(value, words)


def _plug(target: SimHost, port: CimInstance, name: str | None) -> None:
    """Plug a port into the switch of a name; without one it is left unplugged."""
    if name is None:
        name = shapes.text(port, "LastKnownSwitchName") if port.values["EnabledState"] == 2 else ""
    switch = target.switch_named(name) if name else None
    if switch is None:
        port.values["HostResource"] = None
        port.values["EnabledState"] = 3
        return
    ref = shapes.system_ref(shapes.text(switch, "Name"), "Msvm_VirtualEthernetSwitch")
    port.values["HostResource"] = (shapes.object_path(target.name, ref),)
    port.values["EnabledState"] = 2
    port.values["LastKnownSwitchName"] = name


# -- a source that has not noticed ---------------------------------------------------------


def _double(machine: Machine) -> Machine:
    """The machine as its host goes on to list it."""
    values = dict(machine.system.values)
    system = CimInstance(machine.system.class_name, values, machine.system.namespace)
    current = definitions.copy(machine.current, {})
    made = Machine(
        machine.host,
        machine.id,
        system,
        current,
        machine.guest,
        machine.fqdn,
        machine.load,
        machine.number,
        gone=True,
    )
    made.addresses, made.networks = dict(machine.addresses), dict(machine.networks)
    made.assigned, made.started_at = machine.assigned, machine.started_at
    made.runs = list(machine.runs)
    made.arrive(machine.host.fabric.now())
    return made


def _show_twice(host: SimHost, machine: Machine) -> None:
    merging.idle(machine)
    host.machines[machine.id] = machine
    for item in (machine.system, machine.settings, *machine.current.resources.values()):
        host.repository.add(item)

    def notice(at: float) -> None:
        if host.machines.get(machine.id) is machine:
            host.keep(machine)
            host.dismiss(machine)

    host.fabric.after(host.faults.listed_twice, notice)

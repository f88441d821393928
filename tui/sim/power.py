"""Power of a machine: how its state changes, and what changes along with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.sim import disks, eventlog, merging, papers, replication, shapes
from tui.sim.jobs import JobError
from tui.sim.machine import OFF, PAUSED, RUNNING, SAVED, STOPPING, Machine

if TYPE_CHECKING:
    from tui.sim.world import SimHost

SMALLEST = 512
"""MB that must be left to the host when a machine starts."""


def enter(machine: Machine, state: int, at: float) -> None:
    """Show a state, and health as it should be in it."""
    values = machine.system.values
    values["EnabledState"] = state
    values["TimeOfLastStateChange"] = shapes.when(at)
    values["HealthState"] = 5
    values["OperationalStatus"] = (2,)
    values["StatusDescriptions"] = ("Operating normally",)
    values["Status"] = "OK"
    merging.idle(machine)


def check_start(machine: Machine, at: float) -> JobError | None:
    """Why a machine cannot start."""
    name, host = machine.name, machine.host
    refusal = replication.start_refusal(machine)
    if refusal:
        text = f"'{name}' failed to start because {refusal}."
        return JobError(32775, f"{text} (Virtual machine ID {machine.id}) (0x80070015).")
    blocked = disks.check_open(machine)
    if blocked is not None:
        return blocked
    if machine.unreadable or sealed_from(machine, host):
        return JobError(
            32768,
            f"'{name}' failed to start. (Virtual machine ID {machine.id}) The key protector could "
            "not be unwrapped. (0xC000A002).",
        )
    needed = shapes.number(machine.memory_setting(), "VirtualQuantity")
    if lacks_memory(host, needed, at):
        return JobError(
            32778,
            f"'{name}' could not initialize. Not enough memory in the system to start the virtual "
            f"machine {name} with ram size {needed} megabytes. (Virtual machine ID {machine.id})",
        )
    return None


def sealed_from(machine: Machine, host: SimHost) -> bool:
    """A virtual TPM whose key protector this host's guardians cannot open."""
    security = machine.current.first("Msvm_SecuritySettingData")
    maker = host.fabric.hosts.get(machine.sealed_by)
    if maker is None or security is None or not security.values["TpmEnabled"]:
        return False
    together = bool(host.plan.cluster) and maker.plan.cluster == host.plan.cluster
    return (
        bool(machine.key) and not together and maker.name not in (host.name, *host.plan.guardians)
    )


def lacks_memory(host: SimHost, needed: int, at: float) -> bool:
    """The host has not so many MB left. What this machine has is its own affair."""
    from tui.sim import counters  # it looks back at machines

    return not host.plan.local and counters.free_memory(host, at) >> 20 < needed + SMALLEST


def on(machine: Machine, at: float) -> None:
    """The machine runs, from the beginning."""
    machine.begin(at)
    machine.assigned = 0
    eventlog.plugged(machine, at)
    machine.host.wake(machine)
    machine.saved_state = False
    machine.settings.values["IsSaved"] = False
    papers.write(machine)
    enter(machine, RUNNING, at)


def restored(machine: Machine, at: float) -> None:
    """The machine goes on where it was saved; its guest answers at once."""
    on(machine, at)
    machine.ready_at = at + 2.0


def _down(machine: Machine, at: float) -> None:
    if machine.alive:
        eventlog.unplugged(machine, at)
    machine.host.settle(machine)
    machine.system.values["ProcessID"] = None
    machine.system.values["EnhancedSessionModeState"] = 3
    machine.system.values["HwThreadsPerCoreRealized"] = 0


def off(machine: Machine, at: float) -> None:
    """The machine is off; a saved state is gone."""
    _down(machine, at)
    machine.saved_state = False
    machine.settings.values["IsSaved"] = False
    papers.write(machine)
    enter(machine, OFF, at)


def saved(machine: Machine, at: float) -> None:
    _down(machine, at)
    machine.saved_state = True
    machine.settings.values["IsSaved"] = True
    papers.write(machine)
    enter(machine, SAVED, at)


def paused(machine: Machine, at: float) -> None:
    machine.freeze(at)
    enter(machine, PAUSED, at)


def resumed(machine: Machine, at: float) -> None:
    machine.thaw(at)
    enter(machine, RUNNING, at)


def leave(machine: Machine, *, reboot: bool) -> None:
    """The guest begins to shut down, and after its time has done so, unless it is stuck."""
    fabric = machine.host.fabric
    machine.leaving = True
    run = machine.started_at

    def still() -> bool:
        return machine.leaving and machine.started_at == run and machine.alive

    def going(at: float) -> None:
        if still() and not reboot:
            enter(machine, STOPPING, at)

    def gone(at: float) -> None:
        if not still() or machine.stuck:
            return
        if reboot:
            machine.host.settle(machine)
            on(machine, at)
        else:
            off(machine, at)
        eventlog.told(machine, eventlog.RESTARTED if reboot else eventlog.SHUT_DOWN, at)

    fabric.after(machine.guest.shutdown * 0.25, going)
    fabric.after(machine.guest.shutdown, gone)

"""Methods: the state of virtual machines (Msvm_ComputerSystem.RequestStateChange)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tui.sim import power, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.machine import (
    OFF,
    PAUSED,
    PAUSED_CRITICAL,
    PAUSING,
    RESET,
    RESUMING,
    RUNNING,
    SAVED,
    SAVING,
    STARTING,
    STOPPING,
    Machine,
)
from tui.sim.outcome import FAILED, INVALID, STATE, UNSUPPORTED, Call, Method, Stop, returned
from tui.wsman.cim import CimRef
from tui.wsman.reply import MethodOutput

Effect: TypeAlias = Callable[[Machine, float], None]

START, TURN_OFF, SHUT_DOWN, SAVE, PAUSE, REBOOT, RESETTING = 2, 3, 4, 6, 9, 10, 11
FIRST_GENERATION = frozenset({32768, 32769})
"""Values of the first WMI version, refused with 32775."""
UNWORKABLE = frozenset({32773, 32776, 32777, 32779})
"""Documented or of the first version; observed to fail."""


def request_state_change(call: Call) -> MethodOutput:
    machine = call.host.machine(str(call.instance.values["Name"]))
    wanted = call.number("RequestedState", -1)
    if machine is None:
        return returned(UNSUPPORTED)
    if wanted in FIRST_GENERATION or wanted == SHUT_DOWN:
        raise Stop(STATE)
    if wanted in UNWORKABLE:
        raise Stop(FAILED)
    change = CHANGES.get(wanted)
    if change is None:
        raise Stop(INVALID)
    return call.job(change(call.free(machine)), machine)


def _change(
    machine: Machine,
    kind: int,
    words: str,
    seconds: float,
    through: int,
    effect: Effect,
    error: JobError | None = None,
) -> Work:
    """A job that shows ``through`` while it runs and has its effect when it ends."""
    before = machine.state
    now = machine.host.fabric.now()
    stamp = machine.system.values["TimeOfLastStateChange"]
    health = {
        name: machine.system.values[name]
        for name in ("HealthState", "OperationalStatus", "StatusDescriptions", "Status")
    }
    if through:
        power.enter(machine, through, now)

    def done(at: float) -> tuple[CimRef, ...]:
        effect(machine, at)
        return ()

    def failed(at: float) -> None:
        power.enter(machine, before, at)
        machine.system.values["TimeOfLastStateChange"] = stamp
        machine.system.values.update(health)

    return Work(kind, words, seconds, done, failed, error)


def start(machine: Machine) -> Work:
    now = machine.host.fabric.now()
    if machine.state == OFF:
        error = power.check_start(machine, now)
        return _change(machine, 12, "Starting Virtual Machine", 2.5, STARTING, power.on, error)
    if machine.state == SAVED:
        error = power.check_start(machine, now)
        seconds = 2.0 + _gigabytes(machine) / 4
        words = "Restoring Virtual Machine"
        return _change(machine, 15, words, seconds, STARTING, power.restored, error)
    if machine.state == PAUSED:
        words = "Resuming Virtual Machine"
        return _change(machine, 27, words, 0.6, RESUMING, power.resumed)
    if machine.state == PAUSED_CRITICAL:
        text = f"'{machine.name}' failed to resume: there is not enough space on the disk."
        error = JobError(FAILED, f"{text} (0x80070070).")
        words = "Resuming Virtual Machine"
        return _change(machine, 27, words, 3.0, RESUMING, power.resumed, error)
    raise Stop(STATE)


def _gigabytes(machine: Machine) -> float:
    return shapes.number(machine.memory_setting(), "VirtualQuantity") / 1024.0


def turn_off(machine: Machine) -> Work:
    if machine.state == SAVED:
        return _change(machine, 13, "Powering off Virtual Machine", 0.8, 0, power.off)
    going = machine.state == STOPPING and not machine.leaving
    if machine.state in (OFF, SAVING, RESET) or going:
        raise Stop(STATE)
    machine.leaving = False
    return _change(machine, 13, "Powering off Virtual Machine", 1.5, STOPPING, power.off)


def save(machine: Machine) -> Work:
    if machine.state not in (RUNNING, PAUSED, PAUSED_CRITICAL):
        raise Stop(STATE)
    seconds = 2.0 + max(1.0, _gigabytes(machine)) / 3

    return _change(machine, 14, "Saving Virtual Machine", seconds, SAVING, power.saved)


def pause(machine: Machine) -> Work:
    if machine.state != RUNNING:
        raise Stop(STATE)
    return _change(machine, 26, "Pausing Virtual Machine", 0.5, PAUSING, power.paused)


def reset(machine: Machine) -> Work:
    if machine.state not in (RUNNING, PAUSED, STOPPING):
        raise Stop(STATE)
    machine.leaving = False

    def again(machine: Machine, at: float) -> None:
        machine.host.settle(machine)
        power.on(machine, at)

    return _change(machine, 28, "Resetting Virtual Machine", 1.2, RESET, again)


def reboot(machine: Machine) -> Work:
    if machine.state in (OFF, SAVED):
        return start(machine)
    if machine.state != RUNNING:
        raise Stop(STATE)

    def again(machine: Machine, at: float) -> None:
        machine.host.settle(machine)
        power.on(machine, at)

    return _change(machine, 29, "Rebooting Virtual Machine", 4.0, RESET, again)


CHANGES = {
    START: start,
    TURN_OFF: turn_off,
    SAVE: save,
    PAUSE: pause,
    REBOOT: reboot,
    RESETTING: reset,
}

METHODS: dict[tuple[str, str], Method] = {
    ("Msvm_ComputerSystem", "RequestStateChange"): request_state_change,
}

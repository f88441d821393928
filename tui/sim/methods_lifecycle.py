"""Methods: the end of machines, and their way to a newer configuration version."""

from __future__ import annotations

from tui.sim import definitions, merging, papers, recovery, shapes
from tui.sim.jobs import Work
from tui.sim.machine import OFF, SAVED, Machine
from tui.sim.methods_export import EXPORT, planned
from tui.sim.outcome import INVALID, STATE, Call, Method, Stop
from tui.wsman.cim import CimRef
from tui.wsman.reply import MethodOutput


def destroy(call: Call) -> MethodOutput:
    """The machine must be off or saved. Its disks stay; those of checkpoints are merged first."""
    ref = call.ref(call.get("AffectedSystem"))
    if ref.class_name.lower() == definitions.PLANNED.lower():
        return _destroy_planned(call)
    machine = call.machine(ref)
    if machine.state not in (OFF, SAVED) or _exporting(call, machine):
        raise Stop(STATE)
    if machine.replica is not None and machine.replica.test is not None:
        raise Stop(STATE)
    data = sum(f.used for f in merging.owned(machine).values() if f.automatic)
    merge = not machine.merge_disabled

    def done(at: float) -> tuple[CimRef, ...]:
        papers.erase(machine)
        for checkpoint in list(machine.checkpoints):
            papers.erase(machine, checkpoint)
        call.host.dismiss(machine)
        recovery.left(machine)
        if merge:
            _merge_left(machine)
        return ()

    seconds = 1.0 + (data / merging.RATE if merge else 0.0)
    return call.job(Work(3, "Destroying Virtual Machine", seconds, done), machine)


def _merge_left(machine: Machine) -> None:
    before = merging.owned(machine)
    machine.checkpoints.clear()
    merging.sweep(machine, before)
    merging.finish(machine)


def _exporting(call: Call, machine: Machine) -> bool:
    running = call.host.jobs.of(machine)
    return any(job.instance.values["JobType"] == EXPORT for job in running)


def _destroy_planned(call: Call) -> MethodOutput:
    machine = planned(call, "AffectedSystem")

    def done(at: float) -> tuple[CimRef, ...]:
        definitions.hide(call.host, machine)
        return ()

    return call.job(Work(3, "Destroying Planned Virtual Machine", 0.6, done))


def upgrade(call: Call) -> MethodOutput:
    """To the newest version the host knows, or the one asked for; never back."""
    machine = call.machine(call.get("ComputerSystem"))
    newest, wanted = call.host.system.configuration, ""
    if call.text("UpgradeSettingData").strip():
        given = call.embedded(call.get("UpgradeSettingData"))
        if given.class_name != "Msvm_VirtualSystemUpgradeSettingData":
            raise Stop(INVALID)
        wanted = shapes.text(given, "TargetVersion")
    target, present = wanted or newest, shapes.text(machine.settings, "Version")
    if not _is_version(target) or float(target) > float(newest):
        raise Stop(INVALID)
    if machine.state != OFF or float(target) <= float(present):
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        machine.settings.values["Version"] = target
        machine.system.values["TimeOfLastConfigurationChange"] = shapes.when(at)
        return ()

    return call.job(Work(2, "Upgrading Virtual Machine Version", 1.5, done), machine)


def _is_version(text: str) -> bool:
    whole, dot, part = text.partition(".")
    return whole.isdecimal() and dot == "." and part.isdecimal()


SERVICE = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "DestroySystem"): destroy,
    (SERVICE, "UpgradeSystemVersion"): upgrade,
}

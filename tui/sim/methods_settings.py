"""Methods: defining, changing and removing virtual machines (settings of the whole machine)."""

from __future__ import annotations

from tui.sim import create, devices_add, shapes
from tui.sim.jobs import Work
from tui.sim.machine import OFF, PAUSED_CRITICAL, SAVED, Configuration, Machine
from tui.sim.outcome import FAILED, INVALID, STATE, WRONG_TYPE, Call, Method, Stop
from tui.sim.plan import GB, VmPlan
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

LONGEST_NAME = 100
FIXED = frozenset(
    {
        "InstanceID",
        "VirtualSystemIdentifier",
        "VirtualSystemType",
        "VirtualSystemSubType",
        "ConfigurationID",
        "CreationTime",
        "Parent",
        "IsSaved",
        "Version",
        "Caption",
        "Description",
    }
)
"""Properties a client may send back but not change."""
OFF_ONLY: dict[str, int] = {
    "SecureBootEnabled": STATE,
    "SecureBootTemplateId": STATE,
    "ConsoleMode": STATE,
    "VirtualNumaEnabled": STATE,
    "BootOrder": STATE,
    "LowMmioGapSize": STATE,
    "HighMmioGapSize": STATE,
    "GuestControlledCacheTypes": STATE,
    "BIOSNumLock": FAILED,
}
"""What a running machine refuses to change, and with which code."""
ALLOWED: dict[str, frozenset[int]] = {
    "AutomaticStartupAction": frozenset({2, 3, 4}),
    "AutomaticShutdownAction": frozenset({2, 3, 4}),
    "AutomaticRecoveryAction": frozenset({2, 3, 4}),
    "AutomaticCriticalErrorAction": frozenset({0, 1}),
    "UserSnapshotType": frozenset({2, 3, 4, 5}),
    "EnhancedSessionTransportType": frozenset({0, 1}),
    "NetworkBootPreferredProtocol": frozenset({4096, 4097}),
    "ConsoleMode": frozenset({0, 1, 2, 3}),
}


def configuration(call: Call, instance_id: str) -> tuple[Machine, Configuration]:
    """The machine and the configuration, present or a checkpoint's, an InstanceID belongs to."""
    owner = call.host.owner_of(instance_id or "?")
    if owner is None:
        raise Stop(INVALID)
    machine, checkpoint = owner
    return machine, machine.checkpoints[checkpoint] if checkpoint else machine.current


def modify_system_settings(call: Call) -> MethodOutput:
    given = call.embedded(call.get("SystemSettings"))
    if given.class_name != "Msvm_VirtualSystemSettingData":
        raise Stop(INVALID)
    machine, target = configuration(call, shapes.text(given, "InstanceID"))
    changes = wanted_changes(given, target.settings)
    _check(machine, target, changes)

    def done(at: float) -> tuple[CimRef, ...]:
        target.settings.values.update(changes)
        if target is machine.current:
            machine.system.values["ElementName"] = target.settings.values["ElementName"]
            machine.system.values["TimeOfLastConfigurationChange"] = shapes.when(at)
        return ()

    return call.job(Work(2, "Modifying Virtual Machine", 0.4, done), machine)


def wanted_changes(given: CimInstance, settings: CimInstance) -> dict[str, CimValue]:
    """What a client wants different; only the first line of notes survives."""
    changes: dict[str, CimValue] = {}
    for name, value in given.values.items():
        if name not in settings.values or name in FIXED:
            continue
        if name == "Notes":
            value = value[:1] if isinstance(value, tuple) and value else ("",)
        if value != settings.values[name]:
            changes[name] = value
    return changes


def _check(machine: Machine, target: Configuration, changes: dict[str, CimValue]) -> None:
    name = changes.get("ElementName", "x")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        raise Stop(INVALID)
    if target is not machine.current and set(changes) - {"ElementName", "Notes"}:
        raise Stop(STATE)
    for key, value in changes.items():
        if key in ALLOWED and value not in ALLOWED[key]:
            raise Stop(INVALID)
        if machine.alive and key in OFF_ONLY and target is machine.current:
            raise Stop(OFF_ONLY[key])
    order = changes.get("BootSourceOrder")
    if order is not None and not _permutation(order, target.settings.values["BootSourceOrder"]):
        raise Stop(INVALID)


def _permutation(new: CimValue, old: CimValue) -> bool:
    def tails(value: CimValue) -> list[str]:
        paths = value if isinstance(value, tuple) else ()
        return sorted(str(path).rpartition(":Msvm_")[2].lower() or str(path) for path in paths)

    return tails(new) == tails(old)


# -- whole machines ------------------------------------------------------------------------


def define_system(call: Call) -> MethodOutput:
    """A new machine. 4096, and the machine is found through the job (hyperv-cim.md 5.3)."""
    given = None
    if call.get("SystemSettings"):
        given = call.embedded(call.get("SystemSettings"), WRONG_TYPE)
        if given.class_name != "Msvm_VirtualSystemSettingData":
            raise Stop(INVALID)
    resources = [call.embedded(text) for text in call.many("ResourceSettings")]
    name = (shapes.text(given, "ElementName") if given else "") or "New Virtual Machine"
    if len(name) > LONGEST_NAME:
        raise Stop(INVALID)
    subtype = shapes.text(given, "VirtualSystemSubType") if given else ""
    generation = 2 if subtype.endswith(":2") else 1
    if subtype and not subtype.endswith((":1", ":2")):
        raise Stop(INVALID)
    host = call.host
    version = (shapes.text(given, "Version") if given else "") or ""
    plan = VmPlan(name, "none", memory=1 * GB, generation=generation, version=version, cpus=1)
    random = host.fabric.random(host.name, "defined", host.next_number(), host.fabric.seed)
    machine = create.bare(host, plan, shapes.guid(random), random)
    changes = wanted_changes(given, machine.settings) if given else {}
    _check(machine, machine.current, changes)
    machine.settings.values.update(changes)
    devices_add.furnish(call, machine, resources)

    def done(at: float) -> tuple[CimRef, ...]:
        host.adopt(machine)
        return (shapes.system_ref(machine.id),)

    return call.job(Work(1, "Defining Virtual Machine", 1.2, done))


def destroy_system(call: Call) -> MethodOutput:
    """The machine must be off or saved; its disk images stay."""
    machine = call.machine(call.get("AffectedSystem"))
    if machine.state not in (OFF, SAVED, PAUSED_CRITICAL):
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        call.host.dismiss(machine)
        return ()

    return call.job(Work(3, "Destroying Virtual Machine", 1.0, done), machine)


SERVICE = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ModifySystemSettings"): modify_system_settings,
    (SERVICE, "DefineSystem"): define_system,
    (SERVICE, "DestroySystem"): destroy_system,
}

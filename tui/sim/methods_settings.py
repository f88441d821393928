"""Methods: defining, changing and removing virtual machines (settings of the whole machine)."""

from __future__ import annotations

from tui.sim import create, devices_add, rules, shapes
from tui.sim.jobs import Work
from tui.sim.machine import Configuration, Machine
from tui.sim.outcome import INVALID, STATE, WRONG_TYPE, Call, Method, Stop
from tui.sim.plan import GB, VmPlan
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

LONGEST_NAME = 100
FIXED = frozenset(
    {
        "InstanceID",
        "VirtualSystemIdentifier",
        "VirtualSystemType",
        "ConfigurationID",
        "CreationTime",
        "Parent",
        "IsSaved",
        "Caption",
        "Description",
    }
)
"""Properties a client may send back but not change."""
NEVER = frozenset({"VirtualSystemSubType", "Version"})
"""Refused when they differ: the generation is for life, the version has a method of its own."""
UEFI = frozenset({"SecureBootEnabled", "SecureBootTemplateId", "PauseAfterBootFailure"})
BIOS = frozenset({"BootOrder", "BIOSNumLock"})


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
    """What a client wants different: null is no wish, and only the first note survives."""
    changes: dict[str, CimValue] = {}
    for name, value in given.values.items():
        if name not in settings.values or name in FIXED or value is None:
            continue
        if not value and (name in NEVER or settings.values[name] is None):
            continue
        if name == "Notes":
            value = value[:1] if isinstance(value, tuple) and value else ("",)
        if value != settings.values[name]:
            changes[name] = value
    return changes


def named(value: CimValue) -> str:
    """A name that a machine, a switch or an adapter can have."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise Stop(INVALID)
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise Stop(INVALID)
    return value


def _check(machine: Machine, target: Configuration, changes: dict[str, CimValue]) -> None:
    if "ElementName" in changes:
        named(changes["ElementName"])
    if not NEVER.isdisjoint(changes):
        raise Stop(INVALID)
    if target is not machine.current:
        if set(changes) - {"ElementName", "Notes"}:
            raise Stop(STATE)
        return
    rules.check(machine, rules.SYSTEM, target.settings.values, changes)
    _check_firmware(machine, changes)
    if changes.get("VirtualNumaEnabled") and machine.dynamic:
        raise Stop(INVALID)
    order = changes.get("BootSourceOrder")
    if order is not None and not _permutation(order, target.settings.values["BootSourceOrder"]):
        raise Stop(INVALID)


def _check_firmware(machine: Machine, changes: dict[str, CimValue]) -> None:
    """Generation 1 has a BIOS and no Secure Boot, generation 2 the other way round."""
    foreign = UEFI if machine.generation == 1 else BIOS
    if any(changes.get(name) for name in foreign):
        raise Stop(INVALID)
    security = machine.current.first(rules.SECURITY)
    locked = security is not None and security.values["TpmEnabled"]
    if "SecureBootTemplateId" in changes and locked:
        raise Stop(STATE)
    boot = changes.get("BootOrder")
    if boot is not None and not (isinstance(boot, tuple) and set(boot) <= {0, 1, 2, 3, 4}):
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
    named(name)
    subtype = shapes.text(given, "VirtualSystemSubType") if given else ""
    generation = 2 if subtype.endswith(":2") else 1
    if subtype and not subtype.endswith((":1", ":2")):
        raise Stop(INVALID)
    host = call.host
    version = (shapes.text(given, "Version") if given else "") or ""
    plan = VmPlan(name, "none", memory=1 * GB, generation=generation, version=version, cpus=1)
    random = host.fabric.random(host.name, "defined", host.next_number(), host.fabric.seed)
    machine = create.bare(host, plan, shapes.guid(random), random)
    if not 0 < rules.version(machine) <= float(host.system.configuration):
        raise Stop(INVALID)
    dynamic = any(item.values.get("DynamicMemoryEnabled") for item in resources)
    if dynamic and not (given and given.values.get("VirtualNumaEnabled")):
        machine.settings.values["VirtualNumaEnabled"] = False
    changes = wanted_changes(given, machine.settings) if given else {}
    _check(machine, machine.current, changes)
    machine.settings.values.update(changes)
    devices_add.furnish(call, machine, resources)

    def done(at: float) -> tuple[CimRef, ...]:
        host.adopt(machine)
        return (shapes.system_ref(machine.id),)

    return call.job(Work(1, "Defining Virtual Machine", 1.2, done))


SERVICE = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ModifySystemSettings"): modify_system_settings,
    (SERVICE, "DefineSystem"): define_system,
}

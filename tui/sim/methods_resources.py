"""Methods: devices of virtual machines."""

from __future__ import annotations

from collections.abc import Sequence

from tui.sim import create, devices_add, nics, resource_rules, rules, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.machine import SAVED, Configuration, Machine
from tui.sim.methods_settings import configuration
from tui.sim.outcome import INVALID, STATE, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

NICS = (rules.SYNTHETIC, rules.EMULATED)


def _touched(machine: Machine, at: float) -> None:
    machine.system.values["TimeOfLastConfigurationChange"] = shapes.when(at)


def _present(call: Call, instance_id: str) -> tuple[Machine, Configuration, CimInstance]:
    machine, target = configuration(call, instance_id)
    found = target.resources.get(instance_id.lower())
    if found is None:
        raise Stop(INVALID)
    if target is not machine.current:
        raise Stop(STATE)
    return machine, target, found


def modify(call: Call) -> MethodOutput:
    given = [call.embedded(text) for text in call.many("ResourceSettings")]
    if not given:
        raise Stop(INVALID)
    todo: list[tuple[CimInstance, dict[str, CimValue]]] = []
    owner: Machine | None = None
    error: JobError | None = None
    for item in given:
        owner, _, present = _present(call, shapes.text(item, "InstanceID"))
        wanted = resource_rules.changes(call, owner, present, item)
        error = error or resource_rules.trouble(call, owner, present, wanted)
        todo.append((present, wanted))
    machine = owner

    def done(at: float) -> tuple[CimRef, ...]:
        for present, wanted in todo:
            present.values.update(wanted)
            if machine is not None and present.class_name == nics.PORT:
                nics.settle(call.host, machine, present)
        if machine is not None:
            _touched(machine, at)
        return ()

    words = "Modifying Virtual Machine Resources"
    return call.job(Work(31, words, 0.6, done, error=error), machine)


def add(call: Call) -> MethodOutput:
    """Devices take their places at once, so that two calls cannot want the same slot; others
    see them when the job ends."""
    ref = call.ref(call.get("AffectedConfiguration"))
    if ref.key("Name") and not ref.key("InstanceID"):
        machine = call.machine(ref)
        target = machine.current
    else:
        machine, target = configuration(call, ref.key("InstanceID") or "")
    if target is not machine.current:
        raise Stop(STATE)
    given = [call.embedded(text) for text in call.many("ResourceSettings")]
    if not given:
        raise Stop(INVALID)
    made = _plug_all(call, machine, target, given)

    refs = tuple(shapes.setting_ref(item) for item in made)

    def done(at: float) -> tuple[CimRef, ...]:
        for item in made:
            call.host.repository.add(target.put(item))
            if item.class_name == nics.PORT:
                nics.settle(call.host, machine, item)
        if machine.generation == 2:
            create.order_boot(call.host.name, target)
            for source in target.of("Msvm_BootSourceSettingData"):
                call.host.repository.add(source)
        _touched(machine, at)
        return refs

    def failed(at: float) -> None:
        for item in made:
            target.resources.pop(shapes.text(item, "InstanceID").lower(), None)

    if not machine.alive:
        # Clients take the first reference of the answer for what they have added (libvirt does).
        done(call.host.fabric.now())
        return returned(ResultingResourceSettings=refs)
    started = call.job(Work(30, "Adding Virtual Machine Resources", 0.7, done, failed), machine)
    return MethodOutput(started.return_value, {**started.values, "ResultingResourceSettings": refs})


def _plug_all(
    call: Call, machine: Machine, target: Configuration, given: Sequence[CimInstance]
) -> list[CimInstance]:
    """All or nothing: a refused device takes the ones before it out again."""
    before = dict(target.resources)
    try:
        return [devices_add.plug(call, machine, target, item) for item in given]
    except (Stop, JobError):
        target.resources = before
        raise


def remove(call: Call) -> MethodOutput:
    machine: Machine | None = None
    doomed: list[tuple[Configuration, CimInstance]] = []
    for value in call.many("ResourceSettings"):
        ref = call.ref(value)
        machine, target, found = _present(call, ref.key("InstanceID") or "")
        _check_removal(machine, target, found, [item for _, item in doomed])
        doomed.append((target, found))
        below = target.under(shapes.text(found, "InstanceID")) if found.class_name in NICS else []
        doomed += [(target, item) for item in below]
    if machine is None:
        raise Stop(INVALID)
    owner = machine

    def done(at: float) -> tuple[CimRef, ...]:
        for target, item in doomed:
            target.resources.pop(shapes.text(item, "InstanceID").lower(), None)
            call.host.repository.remove(item)
            for source in target.under(shapes.text(item, "InstanceID")):
                if source.class_name == "Msvm_BootSourceSettingData":
                    target.resources.pop(shapes.text(source, "InstanceID").lower(), None)
                    call.host.repository.remove(source)
        if owner.generation == 2:
            create.order_boot(call.host.name, owner.current)
        _touched(owner, at)
        return ()

    return call.job(Work(32, "Removing Virtual Machine Resources", 0.6, done), machine)


def _check_removal(
    machine: Machine, target: Configuration, item: CimInstance, going: list[CimInstance]
) -> None:
    """What is plugged into it must go first; a running machine keeps what is not hot-pluggable."""
    kind = shapes.number(item, "ResourceType")
    place = shapes.text(item, "InstanceID")
    if kind in (5, 6, 16, 17):
        stem = place.removesuffix("\\D").lower() + "\\"
        children = [
            found
            for key, found in target.resources.items()
            if key.startswith(stem) and found is not item and not key.endswith("\\b")
        ]
        if any(child not in going for child in children):
            raise Stop(STATE)
    fixed = item.class_name in (rules.PROCESSOR, rules.MEMORY, rules.SECURITY)
    if fixed or kind == 5 or "ComponentSettingData" in item.class_name:
        raise Stop(INVALID)
    if machine.state == SAVED and item.class_name in NICS:
        raise Stop(STATE)
    if not machine.fixed:
        return
    legacy = item.class_name == NICS[1] or (item.class_name == NICS[0] and machine.generation == 1)
    media = kind == 31 and item.values["Access"] == 1
    if legacy or kind == 6 or (shapes.IDE in place and not media):
        raise Stop(STATE)


SERVICE = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ModifyResourceSettings"): modify,
    (SERVICE, "AddResourceSettings"): add,
    (SERVICE, "RemoveResourceSettings"): remove,
}

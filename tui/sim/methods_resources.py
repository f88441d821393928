"""Methods: devices of virtual machines, and the features of their switch ports."""

from __future__ import annotations

from collections.abc import Sequence

from tui.sim import create, devices_add, resource_rules, shapes
from tui.sim.jobs import Done, JobError, Work
from tui.sim.machine import Configuration, Machine
from tui.sim.methods_settings import configuration
from tui.sim.outcome import INVALID, STATE, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

NICS = ("Msvm_SyntheticEthernetPortSettingData", "Msvm_EmulatedEthernetPortSettingData")


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
    for item in given:
        owner, _, present = _present(call, shapes.text(item, "InstanceID"))
        todo.append((present, resource_rules.changes(call, owner, present, item)))
    machine = owner

    def done(at: float) -> tuple[CimRef, ...]:
        for present, wanted in todo:
            present.values.update(wanted)
        if machine is not None:
            _touched(machine, at)
        return ()

    return call.job(Work(31, "Modifying Virtual Machine Resources", 0.6, done), machine)


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
    fixed = item.class_name in (
        "Msvm_ProcessorSettingData",
        "Msvm_MemorySettingData",
        "Msvm_SecuritySettingData",
    )
    if fixed or kind == 5 or "ComponentSettingData" in item.class_name:
        raise Stop(INVALID)
    if not machine.alive:
        return
    legacy = item.class_name == NICS[1] or (item.class_name == NICS[0] and machine.generation == 1)
    media = kind == 31 and item.values["Access"] == 1
    if legacy or kind == 6 or (shapes.IDE in place and not media):
        raise Stop(STATE)


# -- features of ports ---------------------------------------------------------------------


def add_features(call: Call) -> MethodOutput:
    port = call.object(call.get("AffectedConfiguration"))
    if port.class_name != "Msvm_EthernetPortAllocationSettingData":
        raise Stop(INVALID)
    made = []
    for text in call.many("FeatureSettings"):
        given = call.embedded(text)
        feature = shapes.FEATURES.get(given.class_name)
        if feature is None:
            raise Stop(INVALID)
        resource_rules.within(given.class_name, given.values)
        values = {k: v for k, v in given.values.items() if k != "InstanceID"}
        identity = f"{shapes.text(port, 'InstanceID')}\\{feature}"
        made.append(shapes.new(given.class_name, **values | {"InstanceID": identity}))
    if not made or any(call.host.repository.get(shapes.setting_ref(m)) for m in made):
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        owner = call.host.owner_of(shapes.text(port, "InstanceID"))
        for item in made:
            stored = call.host.repository.add(item)
            if owner is not None:
                owner[0].current.put(stored)
        return tuple(shapes.setting_ref(item) for item in made)

    return _feature_job(call, 30, "Adding Virtual Machine Resources", port, done)


def _feature_job(call: Call, kind: int, words: str, item: CimInstance, done: Done) -> MethodOutput:
    owner = call.host.owner_of(shapes.text(item, "InstanceID"))
    return call.job(Work(kind, words, 0.3, done), owner[0] if owner else None)


def modify_features(call: Call) -> MethodOutput:
    todo = []
    for text in call.many("FeatureSettings"):
        given = call.embedded(text)
        present = call.object(shapes.setting_ref(given))
        resource_rules.within(given.class_name, given.values)
        todo.append((present, given))
    if not todo:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for present, given in todo:
            present.values.update((k, v) for k, v in given.values.items() if k in present.values)
        return ()

    return _feature_job(call, 31, "Modifying Virtual Machine Resources", todo[0][0], done)


def remove_features(call: Call) -> MethodOutput:
    doomed = [call.object(value) for value in call.many("FeatureSettings")]
    if not doomed or any(item.class_name not in shapes.FEATURES for item in doomed):
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for item in doomed:
            call.host.repository.remove(item)
            key = shapes.text(item, "InstanceID")
            owner = call.host.owner_of(key)
            if owner is not None:
                owner[0].current.resources.pop(key.lower(), None)
        return ()

    return _feature_job(call, 32, "Removing Virtual Machine Resources", doomed[0], done)


SERVICE = "Msvm_VirtualSystemManagementService"
NETWORK = "Msvm_VirtualEthernetSwitchManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ModifyResourceSettings"): modify,
    (SERVICE, "AddResourceSettings"): add,
    (SERVICE, "RemoveResourceSettings"): remove,
    (SERVICE, "AddFeatureSettings"): add_features,
    (SERVICE, "ModifyFeatureSettings"): modify_features,
    (SERVICE, "RemoveFeatureSettings"): remove_features,
    (NETWORK, "AddFeatureSettings"): add_features,
    (NETWORK, "ModifyFeatureSettings"): modify_features,
    (NETWORK, "RemoveFeatureSettings"): remove_features,
}

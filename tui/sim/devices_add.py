"""Plugging devices into a machine's configuration, with the rules of hyperv-cim.md 6.4 and 10."""

from __future__ import annotations

from random import Random

from tui.sim import build, disks, nics, resource_rules, rules, shapes, spare_disks
from tui.sim.machine import Configuration, Machine
from tui.sim.outcome import INVALID, STATE, Call, Stop
from tui.wsman.cim import CimInstance

SCSI_CONTROLLERS = 4
DEVICE = "Msvm_ResourceAllocationSettingData"
"""Older clients write images with this class too; the type tells what is meant."""
KEPT = frozenset({"InstanceID", "Parent", "ResourceType", "ResourceSubType", "Caption"})
"""What a new device has from us whatever the client sends."""


def furnish(call: Call, machine: Machine, given: list[CimInstance]) -> list[CimInstance]:
    """The resources of DefineSystem: processor and memory replace, the others are added."""
    made = []
    for item in given:
        present = machine.current.first(item.class_name)
        single = item.class_name in ("Msvm_ProcessorSettingData", "Msvm_MemorySettingData")
        if single and present is not None:
            present.values.update(resource_rules.changes(call, machine, present, item))
            made.append(present)
        else:
            made.append(plug(call, machine, machine.current, item))
    return made


def plug(call: Call, machine: Machine, target: Configuration, given: CimInstance) -> CimInstance:
    """Make a device from what a client sent, and put it into a configuration."""
    kind = shapes.number(given, "ResourceType")
    name = given.class_name
    if name == "Msvm_EthernetPortAllocationSettingData":
        nic = _parent(call, target, given, 10)
        made = build.connection(call.host.name, nic, None)
        nics.connection(call, machine, nic, given, made)
    elif name == "Msvm_SyntheticEthernetPortSettingData":
        made = nics.adapter(call, machine, target, _random(call), legacy=False)
    elif name == "Msvm_EmulatedEthernetPortSettingData":
        made = nics.adapter(call, machine, target, _random(call), legacy=True)
    elif name == "Msvm_StorageAllocationSettingData" or (name == DEVICE and kind == 31):
        made = _image(call, machine, target, given)
    elif name == DEVICE and kind == 6:
        made = _controller(call, machine, target)
    elif name == DEVICE and kind in (16, 17):
        made = _drive(call, machine, target, given, dvd=kind == 16)
    else:
        raise Stop(INVALID)
    for key, value in given.values.items():
        if value is not None and key in made.values and key not in KEPT:
            made.values[key] = value
    if name in (rules.SYNTHETIC, rules.EMULATED):
        nics.furnish(call.host, machine, made, given.values.get("Address"))
    return target.put(made)


def _random(call: Call) -> Random:
    return call.host.fabric.random(call.host.name, "device", call.host.next_number())


def _parent(call: Call, target: Configuration, given: CimInstance, *kinds: int) -> CimInstance:
    """The resource that a path in Parent names; it must be of this configuration."""
    ref = call.ref(given.values.get("Parent"))
    found = target.resources.get((ref.key("InstanceID") or "").lower())
    if found is None or shapes.number(found, "ResourceType") not in kinds:
        raise Stop(INVALID)
    return found


def _controller(call: Call, machine: Machine, target: Configuration) -> CimInstance:
    present = [r for r in target.resources.values() if shapes.number(r, "ResourceType") == 6]
    if machine.fixed:
        raise Stop(STATE)
    if len(present) >= SCSI_CONTROLLERS:
        raise Stop(INVALID)
    return build.scsi_controller(shapes.text(target.settings, "InstanceID"), _random(call))


def _drive(
    call: Call, machine: Machine, target: Configuration, given: CimInstance, *, dvd: bool
) -> CimInstance:
    controller = _parent(call, target, given, 5, 6)
    ide = shapes.number(controller, "ResourceType") == 5
    if ide and machine.fixed:
        raise Stop(STATE)
    below = f"{shapes.text(controller, 'InstanceID')}\\".lower()
    taken = {
        shapes.text(item, "AddressOnParent")
        for key, item in target.resources.items()
        if key.startswith(below) and key.endswith("\\d")
    }
    slots = 2 if ide else 64
    wish = shapes.text(given, "AddressOnParent")
    slot = wish or next((str(n) for n in range(slots) if str(n) not in taken), "")
    if not slot.isdecimal() or int(slot) >= slots or slot in taken:
        raise Stop(INVALID)
    given.values["AddressOnParent"] = slot
    physical = shapes.text(given, "ResourceSubType").endswith("Physical Disk Drive")
    if physical:
        spare_disks.check(call, given.values.get("HostResource"))
    return build.drive(call.host.name, controller, int(slot), dvd=dvd, physical=physical)


def _image(call: Call, machine: Machine, target: Configuration, given: CimInstance) -> CimInstance:
    holder = _parent(call, target, given, 16, 17)
    place = shapes.text(holder, "InstanceID").removesuffix("\\D") + "\\L"
    path = "".join(shapes.strings(given, "HostResource")[:1])
    if not path or place.lower() in target.resources:
        raise Stop(INVALID)
    iso = shapes.number(holder, "ResourceType") == 16
    if machine.fixed and shapes.IDE in place and not iso:
        raise Stop(STATE)
    problem = disks.check_attach(call.host, machine, path, iso=iso)
    if problem is not None:
        raise problem
    return build.image(call.host.name, holder, path, iso=iso)

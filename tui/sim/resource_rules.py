"""What may be changed of a machine's devices, when, and within which bounds (hyperv-cim.md 6.4)."""

from __future__ import annotations

from tui.sim import devices_add, disks, hardware, shapes
from tui.sim.machine import Machine
from tui.sim.outcome import INVALID, STATE, Call, Stop
from tui.wsman.cim import CimInstance, CimValue

FIXED = frozenset(
    {"InstanceID", "ResourceType", "ResourceSubType", "Parent", "Caption", "Description"}
)
SMALLEST_MEMORY, LARGEST_MEMORY = 32, 12 << 20
MOST_PROCESSORS = {1: 64, 2: 2048}
BOUNDS: dict[str, dict[str, tuple[int, int]]] = {
    "Msvm_ProcessorSettingData": {
        "Limit": (0, 100000),
        "Reservation": (0, 100000),
        "Weight": (0, 10000),
        "HwThreadsPerCore": (0, 2),
    },
    "Msvm_MemorySettingData": {"Weight": (0, 10000), "TargetMemoryBuffer": (5, 2000)},
    "Msvm_EthernetSwitchPortVlanSettingData": {
        "AccessVlanId": (0, 4094),
        "NativeVlanId": (0, 4094),
        "PrimaryVlanId": (0, 4094),
        "SecondaryVlanId": (0, 4094),
        "OperationMode": (0, 3),
    },
}
LIVE_PROCESSOR = frozenset({"Limit", "Reservation", "Weight", "ElementName", "CpuGroupId"})
LIVE_MEMORY = frozenset({"Weight", "TargetMemoryBuffer", "ElementName", "Limit", "Reservation"})

Changes = dict[str, CimValue]


def changes(call: Call, machine: Machine, present: CimInstance, given: CimInstance) -> Changes:
    """What to write into a present resource; Stop when the machine or the values forbid it."""
    if present.class_name != given.class_name:
        raise Stop(INVALID)
    wanted = {
        name: value
        for name, value in given.values.items()
        if name in present.values and name not in FIXED and value != present.values[name]
    }
    within(present.class_name, wanted)
    rule = RULES.get(present.class_name)
    if rule is not None:
        rule(call, machine, present, wanted)
    elif "EnabledState" in wanted and wanted["EnabledState"] not in (2, 3):
        raise Stop(INVALID)
    return wanted


def within(class_name: str, wanted: Changes) -> None:
    """Numbers stay inside their bounds."""
    for name, (low, high) in BOUNDS.get(class_name, {}).items():
        value = wanted.get(name, low)
        if not isinstance(value, int) or not low <= value <= high:
            raise Stop(INVALID)


def _processor(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    count = wanted.get("VirtualQuantity", 1)
    most = MOST_PROCESSORS[machine.generation]
    if not call.host.plan.local:
        most = min(most, hardware.logical_processors(call.host))
    if not isinstance(count, int) or not 1 <= count <= most:
        raise Stop(INVALID)
    if machine.alive and set(wanted) - LIVE_PROCESSOR:
        raise Stop(STATE)


def _memory(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    after = present.values | wanted
    numbers: list[int] = []
    for name in ("Reservation", "VirtualQuantity", "Limit"):
        value = after[name]
        if not isinstance(value, int) or value % 2 or not value >= SMALLEST_MEMORY:
            raise Stop(INVALID)
        numbers.append(value)
    low, startup, high = numbers
    if startup > LARGEST_MEMORY:
        raise Stop(INVALID)
    if after["DynamicMemoryEnabled"]:
        if not low <= startup <= high:
            raise Stop(INVALID)
    elif "VirtualQuantity" in wanted and "Reservation" not in wanted:
        wanted["Reservation"] = startup
    if machine.alive:
        _live_memory(machine, present, wanted)


def _live_memory(machine: Machine, present: CimInstance, wanted: Changes) -> None:
    """A running machine with dynamic memory may only get more room; a static one may resize."""
    if not present.values["DynamicMemoryEnabled"]:
        old = shapes.text(machine.settings, "Version") < "8" and machine.settings.values[
            "Version"
        ] not in ("10.0", "11.0", "12.0")
        if "DynamicMemoryEnabled" in wanted or old:
            raise Stop(STATE)
        return
    if set(wanted) - LIVE_MEMORY:
        raise Stop(STATE)
    lower = wanted.get("Limit", present.values["Limit"])
    raised = wanted.get("Reservation", present.values["Reservation"])
    if lower < present.values["Limit"] or raised > present.values["Reservation"]:  # type: ignore[operator]
        raise Stop(STATE)


def _adapter(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    address = wanted.get("Address", "000000000000")
    if not isinstance(address, str) or len(address) != 12:
        raise Stop(INVALID)
    if any(c not in "0123456789abcdefABCDEF" for c in address):
        raise Stop(INVALID)
    if machine.alive and {"Address", "StaticMacAddress"} & set(wanted):
        raise Stop(STATE)


def _port(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    state = wanted.get("EnabledState", present.values["EnabledState"])
    if state not in (2, 3):
        raise Stop(INVALID)
    paths = wanted.get("HostResource")
    if isinstance(paths, tuple) and paths:
        wanted.update(devices_add.plugged(call, paths) | {"EnabledState": state})
    elif state == 2 and not (present.values["HostResource"] or paths):
        raise Stop(INVALID)
    if state == 2:
        parent = shapes.text(present, "InstanceID").rpartition("\\")[0].lower()
        nic = machine.current.resources.get(parent)
        if nic is not None:
            devices_add.lease(call, machine, nic)


def _image(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    if "HostResource" not in wanted:
        return
    iso = present.values["Access"] == 1
    paths = wanted["HostResource"]
    if not paths and machine.alive:
        raise Stop(INVALID)
    if machine.alive and not iso:
        raise Stop(STATE)
    for path in paths if isinstance(paths, tuple) else ():
        problem = disks.check_attach(call.host, machine, str(path), iso=iso)
        if problem is not None:
            raise problem


RULES = {
    "Msvm_ProcessorSettingData": _processor,
    "Msvm_MemorySettingData": _memory,
    "Msvm_SyntheticEthernetPortSettingData": _adapter,
    "Msvm_EmulatedEthernetPortSettingData": _adapter,
    "Msvm_EthernetPortAllocationSettingData": _port,
    "Msvm_StorageAllocationSettingData": _image,
}

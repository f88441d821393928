"""What a change of a machine's device asks for, judged as a whole (hyperv-cim.md 6.4).

What can be told from one property alone stands in ``rules``.
"""

from __future__ import annotations

from tui.sim import disks, hardware, nics, power, rules, shapes
from tui.sim.jobs import JobError
from tui.sim.machine import Machine
from tui.sim.outcome import INVALID, STATE, Call, Stop
from tui.wsman.cim import CimInstance, CimValue

FIXED = frozenset(
    {"InstanceID", "ResourceType", "ResourceSubType", "Parent", "Caption", "Description"}
)
LARGEST_MEMORY = {1: 1 << 20, 2: 12 << 20}
MOST_PROCESSORS = {1: 64, 2: 2048}

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
    rules.check(machine, present.class_name, present.values, wanted)
    rule = RULES.get(present.class_name)
    if rule is not None:
        rule(call, machine, present, wanted)
    elif "EnabledState" in wanted and wanted["EnabledState"] not in (2, 3):
        raise Stop(INVALID)
    return wanted


def trouble(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> JobError | None:
    """Why a change that was accepted is going to fail: memory for a running machine."""
    if present.class_name != rules.MEMORY or not machine.alive or "VirtualQuantity" not in wanted:
        return None
    words = f"'{machine.name}' failed to modify device 'Memory'. (Virtual machine ID {machine.id})"
    if not machine.guest.resizes:
        return JobError(32768, f"{words} The guest operating system cannot change its memory.")
    grown = int(str(wanted["VirtualQuantity"])) - shapes.number(present, "VirtualQuantity")
    if grown > 0 and power.lacks_memory(call.host, grown, call.host.fabric.now()):
        return JobError(32778, f"{words} Not enough memory in the system: {grown} MB more.")
    return None


def _processor(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    after = present.values | wanted
    most = MOST_PROCESSORS[machine.generation]
    if not call.host.plan.local:
        most = min(most, hardware.logical_processors(call.host))
    count, low, high = (after[name] for name in ("VirtualQuantity", "Reservation", "Limit"))
    if "VirtualQuantity" in wanted and not (isinstance(count, int) and count <= most):
        raise Stop(INVALID)
    if isinstance(low, int) and isinstance(high, int) and low > high:
        raise Stop(INVALID)


def _memory(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    after = present.values | wanted
    numbers = [after[name] for name in ("Reservation", "VirtualQuantity", "Limit")]
    low, startup, high = (n if isinstance(n, int) else 0 for n in numbers)
    if startup > LARGEST_MEMORY[machine.generation]:
        raise Stop(INVALID)
    if after["DynamicMemoryEnabled"]:
        if not low <= startup <= high:
            raise Stop(INVALID)
        if "DynamicMemoryEnabled" in wanted and machine.settings.values["VirtualNumaEnabled"]:
            raise Stop(INVALID)
    elif "VirtualQuantity" in wanted and "Reservation" not in wanted:
        wanted["Reservation"] = startup


def _adapter(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    nics.check_address(call.host, machine, present.values | wanted, wanted)


def _port(call: Call, machine: Machine, present: CimInstance, wanted: Changes) -> None:
    nics.change_port(call, machine, present, wanted)


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

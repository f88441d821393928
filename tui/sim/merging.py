"""Merging what checkpoints leave behind: which image goes into which, when, and with what room.

An image that no configuration names any more, with one automatic child only, takes that child in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import disks, eventlog, files, shapes
from tui.sim.files import FIXED, VirtualFile
from tui.sim.jobs import Work
from tui.sim.machine import Machine
from tui.wsman.cim import CimInstance, CimRef

if TYPE_CHECKING:
    from tui.sim.world import SimHost

CREATING, APPLYING, DELETING, MERGING, EXPORTING = 32768, 32769, 32770, 32772, 32773
MIGRATING = 32774
WORDS = {
    CREATING: "Creating checkpoint",
    APPLYING: "Applying checkpoint",
    DELETING: "Deleting checkpoint",
    MERGING: "Merging disks",
    EXPORTING: "Exporting virtual machine",
    MIGRATING: "Migrating virtual machine",
}
RATE = 400 * files.MB
"""Bytes merged in a second, beside what the machine itself does."""
AGAIN = 60.0
"""Seconds until a merge that lacked room is tried again."""
SETTING, DEVICE = "Msvm_DiskMergeSettingData", "FBD4AF4F-7C02-4DD8-9B6A-3A1C05B4F5B6"
TEMPORARILY_DISABLED, ENABLED = 0, 1


def activity(machine: Machine, code: int) -> None:
    """Show what is going on in the second operational status; 0 for nothing."""
    machine.system.values["OperationalStatus"] = (2, code) if code else (2,)
    first = "Operating normally"
    machine.system.values["StatusDescriptions"] = (first, WORDS[code]) if code else (first,)


def idle(machine: Machine) -> None:
    """Nothing of its own is going on; a merge or a migration may be."""
    activity(machine, MERGING if machine.merging else MIGRATING if machine.moving else 0)


# -- what is there -------------------------------------------------------------------------


def owned(machine: Machine) -> dict[str, VirtualFile]:
    """Every image the machine's configurations need, ancestors included."""
    store = machine.host.files
    return {
        file.key: file
        for configuration in disks.configurations(machine)
        for path in disks.held(configuration)
        for file in store.chain(path)
    }


def pairs(machine: Machine) -> list[tuple[VirtualFile, VirtualFile]]:
    """Child and parent of what can be merged."""
    store = machine.host.files
    named = {p.lower() for c in disks.configurations(machine) for p in disks.held(c)}
    found = []
    for child in owned(machine).values():
        parent = store.get(child.parent) if child.automatic else None
        if parent is None or parent.key in named or len(store.children(parent.path)) != 1:
            continue
        found.append((child, parent))
    return found


def growth(parent: VirtualFile, child: VirtualFile) -> int:
    """How much a parent grows by what its child holds; the rest overwrites what is there."""
    if parent.kind == FIXED:
        return 0
    return max(0, min(parent.size - parent.used, (child.used - files.HEADER) * 3 // 5))


def absorb(host: SimHost, parent: VirtualFile, child: VirtualFile) -> None:
    """One merge: the parent takes the child in, and the child's children hang below it."""
    parent.used += growth(parent, child)
    parent.live = min(parent.size, parent.live + child.live * 3 // 5)
    parent.size, parent.partitioned = child.size, child.partitioned
    for below in host.files.children(child.path):
        below.parent, below.parent_identity = parent.path, parent.identity
    host.files.remove(child.path)


# -- doing it ------------------------------------------------------------------------------


def sweep(machine: Machine, before: dict[str, VirtualFile]) -> None:
    """Remove differencing disks that nothing leads to any more."""
    after = owned(machine)
    for key, file in before.items():
        if file.automatic and key not in after:
            machine.host.files.remove(file.path)


def begin(machine: Machine) -> None:
    """Start to merge what can be merged, unless it is switched off or has begun already."""
    host = machine.host
    todo = pairs(machine)
    if machine.merging or machine.merge_disabled or not todo or machine.id not in host.machines:
        return
    child, parent = todo[0]
    needed = sum(growth(parent, child) for child, parent in todo)
    error = None
    if needed > host.files.free(parent.path):
        what = f"'{machine.name}' failed to merge '{child.path}' (Virtual machine ID {machine.id})"
        error = disks.trouble(what, disks.FULL)
    machine.merging = True
    activity(machine, MERGING)
    eventlog.told(machine, eventlog.MERGE_BEGUN, host.fabric.now())

    def done(at: float) -> tuple[CimRef, ...]:
        machine.merging = False
        finish(machine)
        activity(machine, 0)
        return ()

    def failed(at: float) -> None:
        machine.merging = False
        activity(machine, 0)
        machine.host.fabric.after(AGAIN, lambda _: begin(machine))

    seconds = 1.5 + sum(child.used for child, _ in todo) / RATE
    host.jobs.start(Work(50, "Merging Virtual Hard Disks", seconds, done, failed, error), machine)


def finish(machine: Machine) -> None:
    """Merge all that can be merged now."""
    while todo := pairs(machine):
        child, parent = todo[0]
        absorb(machine.host, parent, child)
        _rename(machine, child.path, parent.path)


def _rename(machine: Machine, old: str, new: str) -> None:
    for configuration in disks.configurations(machine):
        for image in configuration.of("Msvm_StorageAllocationSettingData"):
            if disks.image_path(image).lower() == old.lower():
                image.values["HostResource"] = (new,)


def settings(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_DiskMergeSettingData of every machine: whether its disks are merged by themselves."""
    for machine in list(host.machines.values()):
        yield shapes.new(
            SETTING,
            InstanceID=f"Microsoft:{machine.id}\\{DEVICE}",
            ElementName="Disk Merge Setting Data",
            Caption="Disk Merge Setting Data",
            Description="Settings for the merging of disks.",
            EnabledState=TEMPORARILY_DISABLED if machine.merge_disabled else ENABLED,
        )


def setting_ref(machine: Machine) -> CimRef:
    key = (("InstanceID", f"Microsoft:{machine.id}\\{DEVICE}"),)
    return CimRef(SETTING, key, shapes.VIRTUALIZATION)

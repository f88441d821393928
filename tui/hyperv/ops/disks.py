"""Disks and DVD drives of virtual machines: where they go, adding, removing, changing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.errors import Fault, JobFailed, MethodFailed, Refused, WireError
from tui.hyperv import paths
from tui.hyperv.ops import files, images
from tui.hyperv.ops.calling import (
    add_resources,
    by_instance_id,
    modify_resources,
    remove_resources,
)
from tui.hyperv.ops.images import NewImage
from tui.hyperv.ops.making import Machine, Making
from tui.hyperv.outcome import Outcome, Step, Steps
from tui.hyperv.sheet import Controller, Drive
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_DEVICE = "Msvm_ResourceAllocationSettingData"
_IMAGE = "Msvm_StorageAllocationSettingData"
DVD, DISK = 16, 17
_SCSI, _MEDIA = 6, 31
_PREFIX = "Microsoft:Hyper-V:"
MOST_SCSI = 4

# -- where it goes -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a drive; without a controller, on a SCSI controller that is added first."""

    controller: str
    """InstanceID."""
    number: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new drive needs of its place. ``controller`` is ``SCSI 0`` and the like, or empty."""

    generation: int
    running: bool
    dvd: bool = False
    controller: str = ""
    slot: int | None = None


def label(controller: Controller) -> str:
    """A controller as people name it."""
    return f"{controller.kind} {controller.number}"


def place(controllers: tuple[Controller, ...], wish: Wish) -> Slot | str:
    """A free slot for a drive, or in words why there is none."""
    if wish.controller:
        named = next((c for c in controllers if label(c) == wish.controller), None)
        return _slot_on(named, wish) if named else f"there is no controller {wish.controller}"
    reason = ""
    for controller in sorted(controllers, key=lambda c: _rank(c, controllers, wish)):
        found = _slot_on(controller, wish)
        if isinstance(found, Slot):
            return found
        reason = reason or found
    scsi = sum(1 for controller in controllers if controller.kind == "SCSI")
    if wish.running:
        return reason or "it has no controller, and none can be added while it runs"
    if scsi >= MOST_SCSI or (wish.dvd and wish.generation == 1):
        return reason or "it has no controller for it"
    return Slot("", wish.slot or 0)


def _rank(
    controller: Controller, controllers: tuple[Controller, ...], wish: Wish
) -> tuple[bool, int]:
    """IDE first for what a generation 1 machine boots from, SCSI first for all else."""
    bare = not any(c.taken for c in controllers if (c.kind, c.number) == ("IDE", 0))
    ide_first = not wish.running and (wish.dvd or bare)
    number = -controller.number if wish.dvd else controller.number
    return (controller.kind == "IDE") != ide_first, number


def _slot_on(controller: Controller, wish: Wish) -> Slot | str:
    name = label(controller)
    if controller.kind == "IDE" and wish.running:
        return "IDE takes no drives while the machine runs"
    if controller.kind == "SCSI" and wish.dvd and wish.generation == 1:
        return "a generation 1 machine has its DVD drives on IDE"
    free = [n for n in range(controller.slots) if n not in controller.taken]
    if wish.slot is None:
        return Slot(controller.id, free[0]) if free else f"{name} is full"
    if not 0 <= wish.slot < controller.slots:
        return f"{name} has the slots 0 to {controller.slots - 1}"
    if wish.slot not in free:
        return f"slot {wish.slot} of {name} is taken"
    return Slot(controller.id, wish.slot)


# -- adding --------------------------------------------------------------------------------


def add_disk(client: CimClient, machine: Machine, image: NewImage, slot: Slot) -> Steps:
    """Make an image, if it is a new one, and hang it on a controller."""
    images.check(client, image, f"No disk was added to {machine.name}")
    with Making(f"The disk of {machine.name} is not ready") as making:
        yield from made_image(client, machine, image, making)
        yield from attach(client, machine, image.path, slot, making)


def made_image(client: CimClient, machine: Machine, image: NewImage, making: Making) -> Steps:
    """Make an image, unless it is one that exists."""
    if image.kind == images.EXISTING:
        return
    yield Step(f"Creating {image.path}", images.create(client, image))
    making.add(image.path)
    making.undo = ("disk.delete-file", machine.place.id, {"path": image.path})


def attach(
    client: CimClient,
    machine: Machine,
    path: str,
    slot: Slot,
    making: Making,
    *,
    dvd: bool = False,
) -> Steps:
    """Add a drive and put an image into it; an image that does not go in takes it out again."""
    controller = slot.controller
    if not controller:
        before = _devices(client, machine, _SCSI)
        yield Step("Adding a SCSI controller", add_controller(client, machine))
        controller = _new(before, _devices(client, machine, _SCSI), "SCSI controller", machine)
        making.add("a SCSI controller")
    what = "DVD drive" if dvd else "drive"
    yield Step(f"Adding a {what}", _add_drive(client, machine, controller, slot.number, dvd=dvd))
    drive = drive_at(client, machine, controller, slot.number)
    if not path:
        return
    empty = f"an empty {what} of {machine.name}"
    making.add(empty)
    try:
        yield Step(f"Putting {path} into it", put_in(client, machine, drive, path, dvd=dvd))
    except (JobFailed, MethodFailed, Fault, Refused):
        yield Step(f"Taking the empty {what} out again", _take_out(client, machine, drive))
        making.drop(empty)
        raise
    making.drop(empty)


def add_controller(client: CimClient, machine: Machine) -> Outcome:
    """Add a SCSI controller."""
    values: dict[str, CimValue] = {
        "ResourceType": _SCSI,
        "ResourceSubType": f"{_PREFIX}Synthetic SCSI Controller",
    }
    verb = "add a SCSI controller to"
    return add_resources(client, machine.id, machine.name, verb, [(_DEVICE, values)])


def _add_drive(
    client: CimClient, machine: Machine, controller: str, slot: int, *, dvd: bool
) -> Outcome:
    kind = "DVD" if dvd else "Disk"
    values: dict[str, CimValue] = {
        "ResourceType": DVD if dvd else DISK,
        "ResourceSubType": f"{_PREFIX}Synthetic {kind} Drive",
        "Parent": machine.place.path(by_instance_id(_DEVICE, controller)),
        "AddressOnParent": str(slot),
    }
    return add_resources(client, machine.id, machine.name, "add a drive to", [(_DEVICE, values)])


def put_in(client: CimClient, machine: Machine, drive: str, path: str, *, dvd: bool) -> Outcome:
    """Put an image into a drive that is empty."""
    values: dict[str, CimValue] = {
        "ResourceType": _MEDIA,
        "ResourceSubType": f"{_PREFIX}Virtual {'CD/DVD' if dvd else 'Hard'} Disk",
        "Parent": machine.place.path(by_instance_id(_DEVICE, drive)),
        "HostResource": (path,),
    }
    verb = f"put {path} into a drive of"
    return add_resources(client, machine.id, machine.name, verb, [(_IMAGE, values)])


def _take_out(client: CimClient, machine: Machine, drive: str) -> Outcome:
    return remove_resources(client, machine.name, "remove a drive of", [(_DEVICE, drive)])


def _devices(client: CimClient, machine: Machine, kind: int) -> list[CimInstance]:
    rows = client.query(
        VIRTUALIZATION,
        f"SELECT * FROM {_DEVICE} WHERE InstanceID LIKE 'Microsoft:{machine.id}%' "
        f"AND ResourceType = {kind}",
    )
    return [row for row in rows if paths.owner(row.get("InstanceID")) == machine.id.upper()]


def controllers(client: CimClient, machine: Machine, kind: int = _SCSI) -> list[str]:
    """InstanceIDs of the controllers of a kind: 5 IDE, 6 SCSI."""
    return [str(row.get("InstanceID")) for row in _devices(client, machine, kind)]


def _new(before: list[CimInstance], after: list[CimInstance], what: str, machine: Machine) -> str:
    known = {paths.same(row.get("InstanceID")) for row in before}
    found = [row for row in after if paths.same(row.get("InstanceID")) not in known]
    if len(found) != 1:
        raise WireError(f"The new {what} of {machine.name} cannot be told from the others")
    return str(found[0].get("InstanceID"))


def drive_at(client: CimClient, machine: Machine, controller: str, slot: int) -> str:
    """InstanceID of the drive in a slot."""
    for row in (*_devices(client, machine, DISK), *_devices(client, machine, DVD)):
        parent = paths.key(row.get("Parent"), "InstanceID")
        if paths.same(parent) == paths.same(controller) and row.get("AddressOnParent") == str(slot):
            return str(row.get("InstanceID"))
    raise WireError(f"The new drive of {machine.name} does not show in slot {slot}")


# -- removing ------------------------------------------------------------------------------


def remove_disk(client: CimClient, machine: Machine, drive: Drive, *, delete: bool) -> Steps:
    """Take a disk out of a machine, with its drive; delete its file if wished."""
    with Making(f"A disk of {machine.name} is only partly removed") as making:
        if drive.image_id:
            yield Step(f"Taking {drive.path} out", _without(client, machine, _IMAGE, drive))
            making.add(f"{drive.path} is out of its drive, which stays behind empty")
        yield Step("Removing the drive", _take_out(client, machine, drive.id))
        if not delete or not drive.path:
            return
        if drive.image_id:
            making.drop(f"{drive.path} is out of its drive, which stays behind empty")
        making.add(f"{drive.path} is not attached any more")
        making.undo = (
            "disk.add",
            machine.id,
            {
                "source": "existing",
                "path": drive.path,
                "controller": f"{drive.controller} {drive.controller_number}",
                "slot": drive.slot,
            },
        )
        yield Step(f"Deleting {drive.path}", files.delete(client, drive.path))


def _without(client: CimClient, machine: Machine, class_name: str, drive: Drive) -> Outcome:
    verb = f"take {drive.path} out of"
    return remove_resources(client, machine.name, verb, [(class_name, drive.image_id)])


def delete_file(client: CimClient, path: str) -> Outcome:
    """Delete an image that no machine has."""
    title = f"{path} was not deleted"
    if files.exists(client, path) is None:
        raise Refused(title, cause="it is on a share, which the host does not tell of")
    files.require(client, path, title)
    if images.ending(path) in images.FORMATS:
        images.check_usable(client, path, title)
    return files.delete(client, path)


# -- changing ------------------------------------------------------------------------------


def resize_disk(client: CimClient, machine: Machine, drive: Drive, size: int) -> Steps:
    """Grow or shrink a disk."""
    image = drive.chain[0]
    if image.kind == images.FIXED and size > image.size:
        title = f"The disk of {machine.name} was not resized"
        files.require_room(client, drive.path, title, size - image.size)
    yield Step(f"Resizing {drive.path}", images.resize(client, drive.path, size))


def convert_disk(
    client: CimClient, machine: Machine, drive: Drive, target: NewImage, *, use: bool
) -> Steps:
    """Write a disk into a new file of another kind and, if wished, use that from now on."""
    needed = target.size if target.kind == images.FIXED else sum(i.used for i in drive.chain)
    title = f"The disk of {machine.name} was not converted"
    files.require_vacant(client, target.path, title, needed + images.HEADER)
    with Making(f"{machine.name} still uses {drive.path}") as making:
        yield Step(f"Converting {drive.path}", images.convert(client, drive.path, target))
        if not use:
            return
        making.add(target.path)
        making.undo = ("disk.delete-file", machine.place.id, {"path": target.path})
        yield Step(f"Using {target.path}", use_image(client, machine, drive, target.path))


def merge_disk(client: CimClient, machine: Machine, drive: Drive) -> Steps:
    """Write a differencing disk into its parent and use the parent from now on."""
    parent = drive.chain[1].path
    with Making(f"{machine.name} does not use {parent} yet") as making:
        yield Step(f"Merging {drive.path}", images.merge(client, drive.path, parent))
        making.add(f"{parent} holds what was in {drive.path}")
        yield Step(f"Using {parent}", use_image(client, machine, drive, parent))


def use_image(client: CimClient, machine: Machine, drive: Drive, path: str) -> Outcome:
    """Let a drive hold another image."""
    values: dict[str, CimValue] = {"InstanceID": drive.image_id, "HostResource": (path,)}
    verb = f"put {path} into a drive of"
    return modify_resources(client, machine.name, verb, [(_IMAGE, values)])


# -- DVD -----------------------------------------------------------------------------------


def insert_dvd(
    client: CimClient, machine: Machine, drive: Drive | None, path: str, slot: Slot | None
) -> Steps:
    """Put an ISO image into a drive; without one, into a new drive at ``slot``."""
    files.require(client, path, f"Nothing was inserted into {machine.name}")
    title = f"Inserting {path}"
    if drive is not None and drive.image_id:
        yield Step(title, use_image(client, machine, drive, path))
    elif drive is not None:
        yield Step(title, put_in(client, machine, drive.id, path, dvd=True))
    elif slot is not None:
        with Making(f"The DVD drive of {machine.name} is not ready") as making:
            yield from attach(client, machine, path, slot, making, dvd=True)


def eject_dvd(client: CimClient, machine: Machine, drive: Drive) -> Outcome:
    """Empty a DVD drive."""
    return _without(client, machine, _IMAGE, drive)

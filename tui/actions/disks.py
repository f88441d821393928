"""What can be done to the disks of virtual machines, and to images that no machine has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.actions import drives, places
from tui.actions.amounts import shown_size, size
from tui.actions.common import in_sheet
from tui.actions.declare import Action, Choice, Field, Kind, Part, Risk, Target
from tui.actions.drives import Values
from tui.hyperv.ops import disks, files, images
from tui.hyperv.ops.disks import Slot
from tui.hyperv.ops.images import NewImage
from tui.hyperv.sheet import Drive

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

_GROUP = "Disks"
_CYLINDER = 4 << 20
"""A .vhd file counts in cylinders: its size comes back rounded."""

# -- when ----------------------------------------------------------------------------------


def _no_disks(target: Target) -> str | None:
    known = target.vm.disks if target.vm and target.vm.complete else None
    if known is not None and all(disk.dvd for disk in known):
        return f"{target.name} has no disks"
    return None


def _off_with_disks(target: Target) -> str | None:
    return _no_disks(target) or places.must_be_off(target)


def _removable(target: Target) -> str | None:
    return _no_disks(target) or places.not_saved(target)


# -- adding --------------------------------------------------------------------------------


def _add_conflict(target: Target, values: Values) -> str | None:
    if (why := drives.image_conflict(target, drives.new_image(values))) is not None:
        return why
    slot = drives.slot_for(target, values)
    return slot if isinstance(slot, str) else None


def _add(client: CimClient, target: Target, values: Values) -> Steps:
    slot = drives.slot_for(target, values)
    assert isinstance(slot, Slot), "objection was asked before"
    return disks.add_disk(client, places.machine(target), drives.new_image(values), slot)


def _attached(target: Target, values: Values) -> bool:
    return target.vm is not None and places.user_of(target, str(values["path"])) == target.name


# -- disks that are there ------------------------------------------------------------------


def _remove_conflict(target: Target, values: Values) -> str | None:
    drive = drives.chosen(target, values)
    if drive is None:
        return drives.gone(target, values)
    if drive.controller == "IDE" and places.is_live(target):
        return "IDE lets no disks go while the machine runs"
    if not values.get("delete_file"):
        return None
    if drive.physical:
        return "a disk of the host itself is no file to delete"
    if target.vm is not None and target.vm.checkpoints:
        return "checkpoints need the file: delete them first"
    user = places.user_of(target, drive.path, but=target.id)
    return f"{user} uses {drive.path} too" if user else None


def _remove(client: CimClient, target: Target, values: Values) -> Steps:
    machine, drive = places.machine(target), drives.drive_of(target, values)
    return disks.remove_disk(client, machine, drive, delete=bool(values.get("delete_file")))


def _remove_danger(target: Target, values: Values) -> Risk:
    return Risk.RED if values.get("delete_file") else Risk.AMBER


def _remove_consequences(target: Target, values: Values) -> tuple[str, ...]:
    drive = drives.chosen(target, values)
    if drive is None or not drive.path or not values.get("delete_file"):
        return ()
    return (f"{drive.path} is deleted",)


def _size_now(target: Target) -> int | None:
    drive = drives.chosen(target)
    return drive.chain[0].size if drive and drive.chain and drive.chain[0].size else None


def _readable(drive: Drive) -> str | None:
    if drive.physical:
        return "it is a disk of the host itself, not a file"
    if not drive.chain or drive.chain[0].trouble:
        why = drive.chain[0].trouble if drive.chain else "it has no file"
        return f"the file cannot be read: {why}"
    if images.is_automatic(drive.path):
        return "checkpoints hang on it: delete them first"
    return None


def _resize_conflict(target: Target, values: Values) -> str | None:
    drive = drives.chosen(target, values)
    if drive is None:
        return drives.gone(target, values)
    if (why := _readable(drive)) is not None:
        return why
    image, wanted = drive.chain[0], int(values["size"])
    vhd = images.ending(drive.path) == "vhd"
    if wanted == image.size:
        return f"it has {shown_size(wanted)} already"
    if places.is_live(target) and (vhd or drive.controller == "IDE"):
        return "a running machine lets only .vhdx disks on SCSI be resized"
    if vhd and (wanted < image.size or image.kind == images.DIFFERENCING):
        return "a .vhd disk cannot shrink, and one with a parent cannot be resized"
    if wanted < image.minimum:
        return f"its partitions reach to {shown_size(image.minimum)}: it cannot be smaller"
    if vhd and wanted > drives.LARGEST["vhd"]:
        return f"a .vhd file holds at most {shown_size(drives.LARGEST['vhd'])}"
    free = places.room(target, drive.path)
    more = wanted - image.size
    if image.kind == images.FIXED and free is not None and more > free:
        return f"it would need {shown_size(more)} more, its volume has {free >> 30} GB free"
    return None


def _resize(client: CimClient, target: Target, values: Values) -> Steps:
    drive = drives.drive_of(target, values)
    return disks.resize_disk(client, places.machine(target), drive, int(values["size"]))


def _resized(client: CimClient, target: Target, values: Values) -> bool:
    drive, wanted = drives.drive_of(target, values), int(values["size"])
    size = images.size_of(client, drive.path)
    changed = size != drive.chain[0].size
    return size == wanted or (changed and abs(size - wanted) < _CYLINDER)


def _compact_conflict(target: Target, values: Values) -> str | None:
    drive = drives.chosen(target, values)
    if drive is None:
        return drives.gone(target, values)
    if (why := _readable(drive)) is not None:
        return why
    return "a fixed disk keeps its size" if drive.chain[0].kind == images.FIXED else None


def _compact(client: CimClient, target: Target, values: Values) -> Outcome:
    mode = 1 if values.get("mode") == "quick" else 0
    return images.compact(client, drives.drive_of(target, values).path, mode)


def _convert_path(target: Target) -> str | None:
    drive = drives.chosen(target)
    return f"{drive.path.rpartition('.')[0]}-new.vhdx" if drive else None


def _target_image(drive: Drive, values: Values) -> NewImage:
    return NewImage(str(values["path"]), drives.KINDS[str(values["kind"])], drive.chain[0].size)


def _convert_conflict(target: Target, values: Values) -> str | None:
    drive = drives.chosen(target, values)
    if drive is None:
        return drives.gone(target, values)
    return _readable(drive) or drives.image_conflict(target, _target_image(drive, values))


def _convert(client: CimClient, target: Target, values: Values) -> Steps:
    drive = drives.drive_of(target, values)
    image = _target_image(drive, values)
    use = bool(values.get("use"))
    return disks.convert_disk(client, places.machine(target), drive, image, use=use)


def _converted(client: CimClient, target: Target, values: Values) -> bool:
    return images.kind_of(client, str(values["path"])) == drives.KINDS[str(values["kind"])]


def _in_use(target: Target, values: Values) -> bool:
    """The drive holds the new file, if it was to."""
    return not values.get("use") or _path_in(target, values) == str(values["path"]).casefold()


def _path_in(target: Target, values: Values) -> str:
    """What the inventory has in the drive."""
    wanted = str(values.get("disk") or "").casefold()
    found = target.vm.disks if target.vm else ()
    return next((disk.path.casefold() for disk in found if disk.id.casefold() == wanted), "")


def _merge_conflict(target: Target, values: Values) -> str | None:
    drive = drives.chosen(target, values)
    if drive is None:
        return drives.gone(target, values)
    if (why := _readable(drive)) is not None:
        return why
    if drive.chain[0].kind != images.DIFFERENCING or len(drive.chain) == 1:
        return "it has no parent to be merged into"
    parent = drive.chain[1]
    if parent.trouble:
        return f"its parent {parent.path} cannot be read: {parent.trouble}"
    user = places.user_of(target, parent.path)
    return f"{user} uses its parent {parent.path}" if user else None


def _merge(client: CimClient, target: Target, values: Values) -> Steps:
    return disks.merge_disk(client, places.machine(target), drives.drive_of(target, values))


def _merged(target: Target, before: Target, values: Values) -> bool:
    """The drive holds what was the parent of its file."""
    parent = drives.drive_of(before, values).chain[1].path
    drive = drives.chosen(target, values)
    return drive is not None and drive.path.casefold() == parent.casefold()


def _without_path(target: Target, values: Values) -> bool:
    """The drive is gone from what the inventory lists."""
    wanted = str(values.get("disk") or "").casefold()
    return target.vm is not None and all(d.id.casefold() != wanted for d in target.vm.disks)


# -- files without a machine ---------------------------------------------------------------


def _file_problem(target: Target, value: Any) -> str | None:
    if (why := places.bad_path(value, (*places.DISKS, "iso"))) is not None:
        return why
    user = places.user_of(target, str(value))
    return f"{user} uses it: remove it there" if user else None


def _delete_file(client: CimClient, target: Target, values: Values) -> Outcome:
    return disks.delete_file(client, str(values["path"]))


def _deleted(client: CimClient, target: Target, values: Values) -> bool:
    return files.exists(client, str(values["path"])) is False


# -- the table -----------------------------------------------------------------------------

_SERVICE = "Msvm_ImageManagementService"

ACTIONS: tuple[Action, ...] = (
    Action(
        "disk.add",
        "Add disk",
        "Give the machine another disk, new or from a file that is there",
        Kind.VM,
        _add,
        why_not=places.not_saved,
        observed=_attached,
        form=(*drives.NEW_DISK, *drives.PLACE),
        conflict=_add_conflict,
        effect="The disk is made and appears in the machine",
        calls=f"{_SERVICE}.CreateVirtualHardDisk, AddResourceSettings",
        many=False,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "disk.remove",
        "Remove disk",
        "Take a disk out of the machine, and delete its file if wished",
        Kind.VM,
        _remove,
        why_not=_removable,
        observed=_without_path,
        form=(
            drives.DISK,
            Field(
                "delete_file",
                "Delete the file",
                "What is on the disk is lost for good",
                bool,
                current=lambda target: False,
            ),
        ),
        risk=Risk.AMBER,
        danger=_remove_danger,
        consequences=_remove_consequences,
        conflict=_remove_conflict,
        effect="The guest loses the disk; the file stays unless it is to be deleted",
        calls="RemoveResourceSettings, CIM_DataFile.Delete",
        many=False,
        part=Part.DISK,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "disk.resize",
        "Resize disk",
        "Give a disk another size; partitions inside are the guest's own business",
        Kind.VM,
        _resize,
        why_not=_removable,
        form=(
            drives.DISK,
            Field(
                "size",
                "New size",
                "What the guest sees: 80G, 1.5T",
                size,
                current=_size_now,
                problem=lambda target, value: drives.bad_size(value),
                shown=shown_size,
            ),
        ),
        conflict=_resize_conflict,
        looked=_resized,
        effect="The disk gets the new size; nothing that is on it changes",
        calls=f"{_SERVICE}.ResizeVirtualHardDisk",
        many=False,
        part=Part.DISK,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "disk.compact",
        "Compact disk",
        "Give blocks of the file that hold nothing back to the volume",
        Kind.VM,
        _compact,
        why_not=_off_with_disks,
        form=(
            drives.DISK,
            Field(
                "mode",
                "How",
                "Thoroughly, or only what the file itself marks as free",
                choices=lambda target: (Choice("full", "full"), Choice("quick", "quick")),
                current=lambda target: "full",
            ),
        ),
        conflict=_compact_conflict,
        effect="The file shrinks to what is on the disk",
        calls=f"{_SERVICE}.CompactVirtualHardDisk",
        many=False,
        part=Part.DISK,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "disk.convert",
        "Convert disk",
        "Write a disk into a new file that is fixed or dynamic, .vhdx or .vhd",
        Kind.VM,
        _convert,
        why_not=_off_with_disks,
        form=(
            drives.DISK,
            Field(
                "kind",
                "Kind",
                "Fixed takes its full size at once, dynamic what is on it",
                choices=lambda target: (Choice("dynamic", "dynamic"), Choice("fixed", "fixed")),
                current=lambda target: "dynamic",
            ),
            Field(
                "path",
                "New file",
                "Full path on the host, ending in .vhdx or .vhd",
                current=_convert_path,
                problem=drives.disk_path_problem,
            ),
            Field(
                "use",
                "Use it",
                "The machine uses the new file from then on; the old one stays where it is",
                bool,
                current=lambda target: True,
            ),
        ),
        conflict=_convert_conflict,
        observed=_in_use,
        looked=_converted,
        effect="A new file is written beside the old one, which stays",
        calls=f"{_SERVICE}.ConvertVirtualHardDisk, ModifyResourceSettings",
        many=False,
        part=Part.DISK,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "disk.merge",
        "Merge disk",
        "Write a differencing disk into its parent, and use that from then on",
        Kind.VM,
        _merge,
        why_not=_off_with_disks,
        form=(drives.DISK,),
        risk=Risk.AMBER,
        conflict=_merge_conflict,
        looked=in_sheet(_merged),
        effect="The parent takes the changes in and cannot go back to what it was",
        calls=f"{_SERVICE}.MergeVirtualHardDisk, ModifyResourceSettings",
        many=False,
        part=Part.DISK,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "disk.delete-file",
        "Delete image file",
        "Delete a disk image or ISO file that no machine uses",
        Kind.HOST,
        _delete_file,
        looked=_deleted,
        form=(
            Field(
                "path",
                "File",
                "Full path on the host",
                problem=_file_problem,
            ),
        ),
        risk=Risk.RED,
        effect="The file, and what is in it, is lost for good",
        calls="CIM_DataFile.Delete",
        many=False,
        group=_GROUP,
    ),
)

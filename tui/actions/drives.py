"""Drives of a machine as forms choose them, and the questions about a new disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.actions import places
from tui.actions.amounts import integer, shown_size, size
from tui.actions.declare import Choice, Field, Target
from tui.hyperv.ops import disks, images
from tui.hyperv.ops.disks import Slot, Wish
from tui.hyperv.ops.images import NewImage
from tui.hyperv.sheet import Drive

Values = Mapping[str, Any]

GIGABYTE = 1 << 30
USUAL_SIZE = 127 * GIGABYTE
SMALLEST = 3 << 20
LARGEST = {"vhd": 2040 * GIGABYTE, "vhdx": 64 << 40}
KINDS = {
    "dynamic": images.DYNAMIC,
    "fixed": images.FIXED,
    "differencing": images.DIFFERENCING,
    "existing": images.EXISTING,
}

# -- which drive ---------------------------------------------------------------------------


def drives_of(target: Target, *, dvd: bool) -> tuple[Drive, ...]:
    drives = target.sheet.drives if target.sheet else ()
    return tuple(drive for drive in drives if drive.dvd == dvd)


def place_of(drive: Drive) -> str:
    return f"{drive.controller} {drive.controller_number}:{drive.slot}"


def choices_of(target: Target, *, dvd: bool) -> tuple[Choice, ...]:
    return tuple(
        Choice(drive.id, drive.path or f"empty at {place_of(drive)}", place_of(drive))
        for drive in drives_of(target, dvd=dvd)
    )


def disk_choices(target: Target) -> Sequence[Choice]:
    return choices_of(target, dvd=False)


def dvd_choices(target: Target) -> Sequence[Choice]:
    return choices_of(target, dvd=True)


def only(target: Target, *, dvd: bool) -> str | None:
    """The drive meant when there is one only."""
    found = drives_of(target, dvd=dvd)
    return found[0].id if len(found) == 1 else None


def chosen(target: Target, values: Values | None = None) -> Drive | None:
    wanted = target.chosen or (values or {}).get("disk") or (values or {}).get("dvd")
    drives = target.sheet.drives if target.sheet else ()
    return next((drive for drive in drives if drive.id == wanted), None)


def gone(target: Target, values: Values) -> str | None:
    return None if chosen(target, values) else f"{target.name} has no such drive any more"


def drive_of(target: Target, values: Values) -> Drive:
    drive = chosen(target, values)
    assert drive is not None, "objection was asked before"
    return drive


DISK = Field(
    "disk",
    "Disk",
    "The file of the disk, or its place",
    choices=disk_choices,
    current=lambda target: only(target, dvd=False),
)
DVD = Field(
    "dvd",
    "DVD drive",
    "The drive; without one named, the only one",
    choices=dvd_choices,
    current=lambda target: only(target, dvd=True),
)


# -- new disks -----------------------------------------------------------------------------


def bad_size(value: Any) -> str | None:
    """Why no disk has that size."""
    if not SMALLEST <= int(value) <= LARGEST["vhdx"]:
        return "a disk has 3 MB to 64 TB"
    return "a disk is made of whole sectors of 512 bytes" if int(value) % 512 else None


def new_image(values: Values) -> NewImage:
    kind = KINDS[str(values["source"])]
    sized = kind in (images.FIXED, images.DYNAMIC)
    return NewImage(
        str(values["path"]),
        kind,
        int(values.get("size") or USUAL_SIZE) if sized else 0,
        str(values.get("parent") or "") if kind == images.DIFFERENCING else "",
    )


def image_conflict(target: Target, image: NewImage) -> str | None:
    """Why this image cannot be made or used, as far as the inventory tells."""
    user = places.user_of(target, image.path)
    if user:
        return f"{image.path} is a disk of {user} already"
    if image.kind == images.EXISTING:
        return None
    if image.kind == images.DIFFERENCING:
        return _parent_conflict(target, image)
    ending = images.ending(image.path)
    if image.size > LARGEST.get(ending, LARGEST["vhdx"]):
        return f"a .{ending} file holds at most {shown_size(LARGEST[ending])}"
    free = places.room(target, image.path)
    if image.kind == images.FIXED and free is not None and image.size > free:
        return f"a fixed disk needs {shown_size(image.size)}, its volume has {free >> 30} GB free"
    return None


def _parent_conflict(target: Target, image: NewImage) -> str | None:
    if not image.parent:
        return "a differencing disk needs its parent's path"
    if (why := places.bad_path(image.parent, places.DISKS)) is not None:
        return f"the parent: {why}"
    if images.ending(image.parent) != images.ending(image.path):
        return "a differencing disk has the format of its parent"
    user = places.user_of(target, image.parent)
    return f"{user} writes to {image.parent}, so it cannot be a parent" if user else None


def _wish(target: Target, values: Values, *, dvd: bool = False) -> Wish:
    controller = str(values.get("controller") or "")
    slot = values.get("slot")
    return Wish(
        target.vm.generation if target.vm else 2,
        places.is_live(target),
        dvd,
        "" if controller == "auto" else controller,
        None if slot is None else int(slot),
    )


def slot_for(target: Target, values: Values, *, dvd: bool = False) -> Slot | str:
    controllers = target.sheet.controllers if target.sheet else ()
    return disks.place(controllers, _wish(target, values, dvd=dvd))


def _controller_choices(target: Target) -> Sequence[Choice]:
    controllers = target.sheet.controllers if target.sheet else ()
    return (
        Choice("auto", "automatic", "where there is room"),
        *(
            Choice(disks.label(c), disks.label(c), f"{len(c.taken)} of {c.slots} taken")
            for c in controllers
        ),
    )


def disk_path_problem(target: Target, value: Any) -> str | None:
    """Why that is no path of a disk image."""
    return places.bad_path(value, places.DISKS)


def suggested(target: Target) -> str:
    """A path for a new disk."""
    return places.vacant(target, target.host.vhd_path, places.file_name(target.name), "vhdx")


def _is_new(values: Values) -> bool:
    return values.get("source") in ("dynamic", "fixed")


NEW_DISK = (
    Field(
        "source",
        "Disk",
        "A new file that grows, one of full size, one above a parent, or a file that is there",
        choices=lambda target: (
            Choice("dynamic", "new, dynamic", "takes what is written"),
            Choice("fixed", "new, fixed", "takes its full size at once"),
            Choice("differencing", "new, differencing", "keeps changes to a parent"),
            Choice("existing", "existing file"),
        ),
        current=lambda target: "dynamic",
    ),
    Field(
        "path",
        "File",
        "Full path on the host, ending in .vhdx or .vhd",
        current=suggested,
        problem=disk_path_problem,
    ),
    Field(
        "size",
        "Size",
        "What the guest sees: 80G, 1.5T",
        size,
        current=lambda target: USUAL_SIZE,
        problem=lambda target, value: bad_size(value),
        shown=shown_size,
        when=_is_new,
    ),
    Field(
        "parent",
        "Parent",
        "Full path of the disk whose changes are kept",
        problem=disk_path_problem,
        optional=True,
        when=lambda values: values.get("source") == "differencing",
    ),
)
PLACE = (
    Field(
        "controller",
        "Controller",
        "Where the drive hangs",
        choices=_controller_choices,
        current=lambda target: "auto",
    ),
    Field("slot", "Slot", "Its number on the controller; empty: the first free", integer,
          optional=True),
)  # fmt: skip

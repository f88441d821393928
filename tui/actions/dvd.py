"""What can be done to the DVD drives of virtual machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.actions import drives, places
from tui.actions.declare import Action, Choice, Field, Kind, Part, Target
from tui.actions.drives import Values
from tui.hyperv.ops import disks
from tui.hyperv.ops.disks import Slot
from tui.hyperv.sheet import Drive

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

# -- DVD -----------------------------------------------------------------------------------


def _insert_drive(target: Target, values: Values) -> Drive | None:
    """The drive chosen, else the first empty one, else the first."""
    chosen = drives.chosen(target, values)
    found = [chosen] if chosen else list(drives.drives_of(target, dvd=True))
    return min(found, key=lambda drive: bool(drive.path), default=None)


def _insert_conflict(target: Target, values: Values) -> str | None:
    drive = _insert_drive(target, values)
    if drive is None:
        slot = drives.slot_for(target, {}, dvd=True)
        return f"it has no DVD drive, and {slot}" if isinstance(slot, str) else None
    same = drive.path.casefold() == str(values["path"]).casefold()
    return "it is in the drive already" if same else None


def _insert(client: CimClient, target: Target, values: Values) -> Steps:
    slot = drives.slot_for(target, {}, dvd=True)
    return disks.insert_dvd(
        client,
        places.machine(target),
        _insert_drive(target, values),
        str(values["path"]),
        slot if isinstance(slot, Slot) else None,
    )


def _inserted(target: Target, values: Values) -> bool:
    wanted = str(values["path"]).casefold()
    return target.vm is not None and any(
        disk.dvd and disk.path.casefold() == wanted for disk in target.vm.disks
    )


def _nothing_in(target: Target) -> str | None:
    if target.vm and target.vm.complete and not any(d.dvd and d.path for d in target.vm.disks):
        return f"{target.name} has nothing in a DVD drive"
    return places.not_saved(target)


def _full_drives(target: Target) -> tuple[Drive, ...]:
    return tuple(drive for drive in drives.drives_of(target, dvd=True) if drive.image_id)


def _eject_choices(target: Target) -> Sequence[Choice]:
    return tuple(Choice(d.id, d.path or "a disc", drives.place_of(d)) for d in _full_drives(target))


def _eject_current(target: Target) -> str | None:
    drives = _full_drives(target)
    return drives[0].id if len(drives) == 1 else None


def _eject_conflict(target: Target, values: Values) -> str | None:
    drive = drives.chosen(target, values)
    if drive is None:
        return drives.gone(target, values)
    return None if drive.image_id else "it is empty already"


def _eject(client: CimClient, target: Target, values: Values) -> Outcome:
    return disks.eject_dvd(client, places.machine(target), drives.drive_of(target, values))


def _ejected(target: Target, values: Values) -> bool:
    wanted = str(values.get("dvd") or "").casefold()
    return target.vm is not None and all(
        not disk.path for disk in target.vm.disks if disk.id.casefold() == wanted
    )


# -- the table -----------------------------------------------------------------------------

ACTIONS: tuple[Action, ...] = (
    Action(
        "dvd.insert",
        "Insert DVD",
        "Put an ISO image into the DVD drive, which is added where there is none",
        Kind.VM,
        _insert,
        why_not=places.not_saved,
        observed=_inserted,
        form=(
            Field(
                "path",
                "ISO file",
                "Full path on the host, ending in .iso",
                problem=lambda target, value: places.bad_path(value, ("iso",)),
            ),
            Field(
                "dvd",
                "DVD drive",
                "Which one, where there are several; empty: the first that is empty",
                choices=drives.dvd_choices,
                optional=True,
            ),
        ),
        conflict=_insert_conflict,
        effect="The guest finds the disc in its drive",
        calls="AddResourceSettings or ModifyResourceSettings",
        needs_sheet=True,
        group="Disks",
    ),
    Action(
        "dvd.eject",
        "Eject DVD",
        "Take the image out of a DVD drive",
        Kind.VM,
        _eject,
        why_not=_nothing_in,
        observed=_ejected,
        form=(
            Field(
                "dvd",
                "DVD drive",
                "The drive; without one named, the only one that has a disc",
                choices=_eject_choices,
                current=_eject_current,
            ),
        ),
        conflict=_eject_conflict,
        effect="The drive stays, empty",
        calls="RemoveResourceSettings",
        part=Part.DVD,
        needs_sheet=True,
        group="Disks",
    ),
)

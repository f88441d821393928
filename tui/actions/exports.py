"""Exporting, importing and cloning virtual machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tui.actions import places
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.actions.lifecycle import GROUP, bad_new_name, listed, switch_choices
from tui.hyperv import states
from tui.hyperv.ops import exports
from tui.hyperv.ops.exports import Import

if TYPE_CHECKING:
    from tui.hyperv.outcome import Steps
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]

_SERVICE = "Msvm_VirtualSystemManagementService"


def _needed(target: Target, *, memory: bool) -> int:
    """Bytes a copy of the machine takes: every file of its disks once, and saved memory."""
    drives = target.sheet.drives if target.sheet else ()
    sizes = {image.path.casefold(): image.used for drive in drives for image in drive.chain}
    saved = places.state(target) in states.SAVED and target.sheet is not None
    more = target.sheet.memory.startup if memory and saved and target.sheet else 0
    return sum(sizes.values()) + more


def _not_at_rest(target: Target) -> str | None:
    now = places.state(target)
    if now in states.OFF | states.SAVED | states.RUNNING | states.PAUSED:
        return None
    return f"{target.name} is {states.word(now)}: wait until it is done"


def _bad_folder(target: Target, value: Any) -> str | None:
    return places.bad_path(value)


# -- export --------------------------------------------------------------------------------


def _room_conflict(target: Target, folder: str) -> str | None:
    free, needed = places.room(target, folder), _needed(target, memory=True)
    if free is not None and needed > free:
        return f"it takes {needed >> 30} GB, and the volume has {free >> 30} GB free"
    return None


def _export_conflict(target: Target, values: Values) -> str | None:
    return _room_conflict(target, str(values["folder"]))


def _export(client: CimClient, target: Target, values: Values) -> Steps:
    return exports.export(
        client,
        places.machine(target),
        str(values["folder"]),
        checkpoints=values.get("checkpoints") != "none",
        needed=_needed(target, memory=True),
    )


# -- import --------------------------------------------------------------------------------


def _import_conflict(target: Target, values: Values) -> str | None:
    identity = str(values["path"]).rpartition("\\")[2].partition(".")[0].upper()
    known = next((vm.name for vm in places.machines(target) if vm.id == identity), "")
    if known and values.get("identity") == "same":
        return f"{known} has that identity here: import it with a new one"
    if values.get("files") == "copy" and not target.host.vhd_path:
        return "where this host keeps disks is not known"
    return None


def _import(client: CimClient, target: Target, values: Values) -> Steps:
    copied, fresh = values.get("files") == "copy", values.get("identity") != "same"
    wish = Import(
        str(values["path"]),
        fresh,
        str(values.get("name") or ""),
        str(values.get("switch") or ""),
        target.host.vhd_path if copied else "",
        target.host.vm_path if copied else "",
        fresh,
    )
    return exports.import_machine(client, places.place(target), wish)


def _imported(target: Target, values: Values) -> bool:
    return not values.get("name") or listed(target, values)


# -- clone ---------------------------------------------------------------------------------


def _clone_name(target: Target) -> str:
    taken = {vm.name for vm in places.machines(target)}
    tails = ("-clone", *(f"-clone{number}" for number in range(2, 100)))
    return next((name for tail in tails if (name := target.name + tail) not in taken), target.name)


def _clone_folder(target: Target, values: Values) -> str:
    given = str(values.get("folder") or "")
    return given or places.within(target.host.vm_path, places.file_name(str(values["name"])))


def _clone_conflict(target: Target, values: Values) -> str | None:
    folder = _clone_folder(target, values)
    if (why := places.bad_path(folder)) is not None:
        return f"the folder: {why}"
    return _room_conflict(target, folder)


def _clone(client: CimClient, target: Target, values: Values) -> Steps:
    folder = _clone_folder(target, values)
    needed = _needed(target, memory=False)
    machine = places.machine(target)
    return exports.clone(client, machine, str(values["name"]), folder, needed=needed)


def _cloned(target: Target, values: Values) -> bool:
    return listed(target, values)


# -- the table -----------------------------------------------------------------------------

ACTIONS: tuple[Action, ...] = (
    Action(
        "vm.export",
        "Export machine",
        "Copy the machine with its disks into a folder on the host",
        Kind.VM,
        _export,
        why_not=_not_at_rest,
        form=(
            Field(
                "folder",
                "Folder",
                "Full path; the machine gets a folder of its name in it",
                problem=_bad_folder,
            ),
            Field(
                "checkpoints",
                "Checkpoints",
                "All of them, or only the machine as it is now",
                choices=lambda target: (Choice("all", "all"), Choice("none", "none")),
                current=lambda target: "all",
            ),
        ),
        conflict=_export_conflict,
        effect="Everything is copied; the machine itself goes on",
        calls=f"{_SERVICE}.ExportSystemDefinition",
        needs_sheet=True,
        group=GROUP,
    ),
    Action(
        "vm.import",
        "Import machine",
        "Make a machine of one that was exported",
        Kind.HOST,
        _import,
        observed=_imported,
        form=(
            Field(
                "path",
                "Configuration",
                "Full path of the exported machine's .vmcx file",
                problem=lambda target, value: places.bad_path(value, ("vmcx",)),
            ),
            Field(
                "identity",
                "Identity",
                "A copy beside the original needs a new one",
                choices=lambda target: (
                    Choice("new", "new"),
                    Choice("same", "the one it had"),
                ),
                current=lambda target: "new",
            ),
            Field(
                "files",
                "Files",
                "Use the exported files where they lie, or copy the disks to the host's folder",
                choices=lambda target: (
                    Choice("register", "where they lie"),
                    Choice("copy", "copy"),
                ),
                current=lambda target: "register",
            ),
            Field(
                "name",
                "Name",
                "Empty: the one it had",
                optional=True,
                problem=bad_new_name,
            ),
            Field(
                "switch",
                "Switch",
                "For adapters whose switch this host does not have",
                choices=switch_choices,
                current=lambda target: "",
            ),
        ),
        conflict=_import_conflict,
        risk=Risk.AMBER,
        effect="The machine appears on the host, switched off",
        calls=f"{_SERVICE}.ImportSystemDefinition, ValidatePlannedSystem, RealizePlannedSystem",
        many=False,
        group=GROUP,
    ),
    Action(
        "vm.clone",
        "Clone machine",
        "Make a copy of the machine with an identity and addresses of its own",
        Kind.VM,
        _clone,
        why_not=_not_at_rest,
        observed=_cloned,
        form=(
            Field(
                "name",
                "Name",
                "Of the clone; the guest inside keeps its own",
                current=_clone_name,
                problem=bad_new_name,
            ),
            Field(
                "folder",
                "Folder",
                "A new one for its files; empty: named like it, where the host keeps machines",
                optional=True,
                problem=_bad_folder,
            ),
        ),
        conflict=_clone_conflict,
        effect="Everything but checkpoints is copied; the machine itself goes on",
        calls=f"{_SERVICE}.ExportSystemDefinition, ImportSystemDefinition, RealizePlannedSystem",
        many=False,
        needs_sheet=True,
        group=GROUP,
    ),
)

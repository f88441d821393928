"""Making, copying and deleting virtual machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import drives, names, places
from tui.actions.amounts import integer, memory, shown_size, size
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.hyperv import clean, states, templates
from tui.hyperv.ops import images, lifecycle
from tui.hyperv.ops.images import NewImage
from tui.hyperv.ops.lifecycle import NewMachine
from tui.hyperv.plans.words import several

if TYPE_CHECKING:
    from tui.hyperv.outcome import Steps
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]

GROUP = "Machine"
MEGABYTE = 1 << 20
LEAST_MEMORY = 32 * MEGABYTE
MOST_MEMORY = {1: 1 << 40, 2: 12 << 40}
MOST_PROCESSORS = {1: 64, 2: 2048}
TEMPLATES = {
    "windows": templates.WINDOWS,
    "uefi-ca": templates.UEFI_CA,
    "shielded": templates.SHIELDED,
}
"""Names of ours for the identifiers that every host knows; others go by their identifier."""

# -- questions -----------------------------------------------------------------------------


def bad_new_name(target: Target, value: Any) -> str | None:
    """Why no machine can be called that; hosts allow a name twice."""
    return names.problem(str(value))


def _bad_memory(target: Target, value: Any) -> str | None:
    amount = int(value)
    if amount % (2 * MEGABYTE):
        return "memory comes in steps of 2 MB"
    if amount < LEAST_MEMORY:
        return "a machine has at least 32 MB"
    return "a machine has at most 12 TB" if amount > MOST_MEMORY[2] else None


def _bad_count(target: Target, value: Any) -> str | None:
    count, there = int(value), target.host.logical_processors
    if count < 1:
        return "a machine has at least one processor"
    if there and count > there:
        return f"{target.host.id} has {there} logical processors"
    return None


def _signers(target: Target) -> Sequence[Choice]:
    """The secure boot templates its host supports, and none."""
    ours = {identity: word for word, identity in TEMPLATES.items()}
    notes = {templates.UEFI_CA: "Linux and others"}
    found = (
        Choice(ours.get(each.id, each.id), each.name, notes.get(each.id, ""))
        for each in templates.supported(target.host)
    )
    return (*found, Choice("off", "off"))


def bad_vlan(target: Target, value: Any) -> str | None:
    """Why that is no VLAN."""
    return None if 1 <= int(value) <= 4094 else "VLANs have the numbers 1 to 4094"


def switch_choices(target: Target) -> Sequence[Choice]:
    """The switches of the host, and none."""
    inventory = places.around(target)
    found = inventory.switches.values() if inventory is not None else ()
    return (
        Choice("", "not connected"),
        *(Choice(s.guid, s.name, s.kind.value) for s in sorted(found, key=lambda s: s.name)),
    )


def _bad_folder(target: Target, value: Any) -> str | None:
    return places.bad_path(value)


def _bad_iso(target: Target, value: Any) -> str | None:
    return places.bad_path(value, ("iso",))


def _is_dynamic(values: Values) -> bool:
    return bool(values.get("dynamic"))


def _is_second(values: Values) -> bool:
    return int(values.get("generation") or 2) == 2


def _bad_notes(target: Target, value: Any) -> str | None:
    if names.has_control(str(value), "\n\r\t"):
        return "notes cannot hold control characters"
    return None


# -- create --------------------------------------------------------------------------------

_IDENTITY = (
    Field("name", "Name", "The display name on the host", problem=bad_new_name),
    Field(
        "generation",
        "Generation",
        "2 boots by UEFI, 1 by BIOS; it is for life",
        integer,
        choices=lambda target: (Choice(2, "2", "UEFI"), Choice(1, "1", "BIOS")),
        current=lambda target: 2,
    ),
    Field(
        "cpus",
        "Processors",
        "Virtual processors",
        integer,
        current=lambda target: 2,
        problem=_bad_count,
    ),
    Field(
        "memory",
        "Memory",
        "At start: 4G, 2048M",
        memory,
        current=lambda target: 2 << 30,
        problem=_bad_memory,
        shown=shown_size,
    ),
    Field(
        "dynamic",
        "Dynamic memory",
        "The host gives and takes memory while the machine runs",
        bool,
        current=lambda target: False,
    ),
    Field(
        "minimum",
        "Minimum",
        "What it always keeps",
        memory,
        current=lambda target: 512 * MEGABYTE,
        problem=_bad_memory,
        shown=shown_size,
        when=_is_dynamic,
    ),
    Field(
        "maximum",
        "Maximum",
        "What it can have at most",
        memory,
        current=lambda target: 8 << 30,
        problem=_bad_memory,
        shown=shown_size,
        when=_is_dynamic,
    ),
)
_STORAGE = (
    Field(
        "disk",
        "Disk",
        "A new file that grows, a file that is there, or none",
        choices=lambda target: (
            Choice("new", "new"),
            Choice("existing", "existing file"),
            Choice("none", "none"),
        ),
        current=lambda target: "new",
    ),
    Field(
        "size",
        "Disk size",
        "What the guest sees: 80G, 1.5T",
        size,
        current=lambda target: drives.USUAL_SIZE,
        problem=lambda target, value: drives.bad_size(value),
        shown=shown_size,
        when=lambda values: values.get("disk") == "new",
    ),
    Field(
        "path",
        "Disk file",
        "Full path on the host; empty for a new one: named like the machine, where disks are kept",
        optional=True,
        problem=drives.disk_path_problem,
        when=lambda values: values.get("disk") in ("new", "existing"),
    ),
    Field("iso", "ISO file", "Full path of an image to boot from", optional=True, problem=_bad_iso),
    Field(
        "folder",
        "Folder",
        "Where its own files go; empty: where the host keeps machines",
        optional=True,
        problem=_bad_folder,
    ),
)
_REST = (
    Field(
        "switch",
        "Switch",
        "The virtual switch its adapter is connected to",
        choices=switch_choices,
        current=lambda target: "",
    ),
    Field(
        "vlan",
        "VLAN",
        "Tag of its traffic; empty: none",
        integer,
        optional=True,
        problem=bad_vlan,
        when=lambda values: bool(values.get("switch")),
    ),
    Field(
        "secure_boot",
        "Secure Boot",
        "Whose signatures are trusted",
        choices=_signers,
        current=lambda target: "windows",
        when=_is_second,
    ),
    Field(
        "notes",
        "Notes",
        "Free text; words like #prod count as tags",
        current=lambda target: "",
        problem=_bad_notes,
        multiline=True,
    ),
    Field("start", "Start it", "As soon as it is made", bool, current=lambda target: False),
)


def _new_disk(target: Target, values: Values) -> NewImage | None:
    kind = values.get("disk") or "none"
    if kind == "none":
        return None
    path = str(values.get("path") or "")
    if kind == "existing":
        return NewImage(path)
    name = places.file_name(str(values["name"]))
    path = path or places.within(target.host.vhd_path, f"{name}.vhdx")
    return NewImage(path, images.DYNAMIC, int(values.get("size") or drives.USUAL_SIZE))


def _create_conflict(target: Target, values: Values) -> str | None:
    generation = int(values["generation"])
    wanted = int(values["memory"])
    if wanted > MOST_MEMORY[generation]:
        return f"generation {generation} has at most {shown_size(MOST_MEMORY[generation])}"
    if int(values["cpus"]) > MOST_PROCESSORS[generation]:
        return f"generation {generation} has at most {MOST_PROCESSORS[generation]} processors"
    if _is_dynamic(values) and not int(values["minimum"]) <= wanted <= int(values["maximum"]):
        return (
            f"the minimum ({shown_size(int(values['minimum']))}) must not be above the memory at "
            f"start ({shown_size(wanted)}), nor that above the maximum "
            f"({shown_size(int(values['maximum']))})"
        )
    return _disk_conflict(target, values, generation)


def _disk_conflict(target: Target, values: Values, generation: int) -> str | None:
    disk = _new_disk(target, values)
    if disk is None:
        return None
    if not disk.path:
        return "an existing disk needs its path"
    if "\\" not in disk.path and not values.get("path"):
        return "where this host keeps disks is not known yet: write the full path of the disk"
    if (why := places.bad_path(disk.path, places.DISKS)) is not None:
        return f"the disk: {why}"
    if generation == 2 and images.ending(disk.path) == "vhd":
        return "generation 2 takes .vhdx disks only"
    return drives.image_conflict(target, disk)


def _template(values: Values) -> str | None:
    choice = str(values.get("secure_boot") or "windows")
    return None if choice == "off" else TEMPLATES.get(choice, choice)


def _create(client: CimClient, target: Target, values: Values) -> Steps:
    dynamic = _is_dynamic(values)
    new = NewMachine(
        str(values["name"]),
        int(values["generation"]),
        int(values["cpus"]),
        int(values["memory"]),
        dynamic,
        int(values.get("minimum") or 0) if dynamic else 0,
        int(values.get("maximum") or 0) if dynamic else 0,
        _new_disk(target, values),
        str(values.get("switch") or ""),
        int(values.get("vlan") or 0),
        str(values.get("iso") or ""),
        _template(values),
        str(values.get("notes") or ""),
        str(values.get("folder") or ""),
        bool(values.get("start")),
    )
    return lifecycle.create(client, places.place(target), new)


def listed(target: Target, values: Values) -> bool:
    """A machine of that name is on the host."""
    wanted = clean.text(str(values["name"]))
    return any(vm.name == wanted for vm in places.machines(target))


def _created(target: Target, values: Values) -> bool:
    inventory = places.around(target)
    if inventory is None or not listed(target, values):
        return False
    wanted = clean.text(str(values["name"]))
    now = [inventory.vm_vitals[vm.id].state for vm in inventory.vms.values() if vm.name == wanted]
    return not values.get("start") or any(state not in states.OFF for state in now)


# -- delete --------------------------------------------------------------------------------


def _not_deletable(target: Target) -> str | None:
    now = places.state(target)
    if now in states.OFF | states.SAVED | states.HIBERNATED:
        return None
    return f"{target.name} is {states.word(now)}: turn it off before deleting it"


def paths_of(text: str) -> tuple[str, ...]:
    """Paths apart by semicolons."""
    return tuple(filter(None, (part.strip() for part in text.split(";"))))


def _bad_also(target: Target, value: Any) -> str | None:
    for path in value:
        if (why := places.bad_path(path, (*places.DISKS, "iso"))) is not None:
            return f"{path}: {why}"
        user = places.user_of(target, path, but=target.id)
        if user:
            return f"{user} uses {path}"
    return None


def _doomed(target: Target, values: Values) -> tuple[str, ...]:
    """Files that go with the machine; what another machine uses stays."""
    found = dict.fromkeys(values.get("also") or ())
    if values.get("disks") and target.sheet is not None:
        found |= dict.fromkeys(lifecycle.own_files(target.sheet.drives))
    return tuple(path for path in found if not places.user_of(target, path, but=target.id))


def _delete_consequences(target: Target, values: Values) -> tuple[str, ...]:
    lines = [f"{path} is deleted" for path in _doomed(target, values)]
    if target.sheet is not None and not values.get("disks"):
        kept = lifecycle.own_files(target.sheet.drives)
        lines += [f"{path} stays" for path in kept if path not in (values.get("also") or ())]
    count = len(target.vm.checkpoints) if target.vm else 0
    if count:
        lines.append(f"{several(count, 'checkpoint')} cannot be gone back to")
    return tuple(lines)


def _delete(client: CimClient, target: Target, values: Values) -> Steps:
    return lifecycle.delete(client, places.machine(target), _doomed(target, values))


# -- the table -----------------------------------------------------------------------------

_SERVICE = "Msvm_VirtualSystemManagementService"

ACTIONS: tuple[Action, ...] = (
    Action(
        "vm.create",
        "Create machine",
        "Make a virtual machine on the host, with disk, network and installation image",
        Kind.HOST,
        _create,
        observed=_created,
        form=(*_IDENTITY, *_STORAGE, *_REST),
        conflict=_create_conflict,
        effect="The machine is made step by step; where a step fails, what was made can go again",
        calls=f"{_SERVICE}.DefineSystem, AddResourceSettings, ModifyResourceSettings",
        many=False,
        group=GROUP,
    ),
    Action(
        "vm.delete",
        "Delete machine",
        "Take the machine off its host, with its disks if wished",
        Kind.VM,
        _delete,
        why_not=_not_deletable,
        vanishes=True,
        form=(
            Field(
                "disks",
                "Delete its disks",
                "The files are named; what others use stays",
                bool,
                current=lambda target: False,
            ),
            Field(
                "also",
                "Also delete",
                "Further image files, apart by semicolons",
                paths_of,
                current=lambda target: (),
                problem=_bad_also,
                asked=False,
            ),
        ),
        risk=Risk.RED,
        consequences=_delete_consequences,
        effect="Settings, checkpoints and saved state are gone for good",
        calls=f"{_SERVICE}.DestroySystem, CIM_DataFile.Delete",
        needs_sheet=True,
        group=GROUP,
    ),
)

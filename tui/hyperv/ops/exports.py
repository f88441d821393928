"""Exporting, importing and cloning virtual machines.

An exported machine names its files where they lie. Importing makes a *planned* machine of it,
which is put right for this host, checked, and only then becomes a real one; until that has
happened nothing of it stays when a step fails.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.errors import Fault, HvError, JobFailed, MethodFailed, Refused
from tui.hyperv import clean, paths
from tui.hyperv.ops import files, images, results
from tui.hyperv.ops.calling import (
    embedded,
    invoke,
    modify_resources,
    modify_settings,
    service_ref,
    vm_ref,
)
from tui.hyperv.ops.images import NewImage
from tui.hyperv.ops.lifecycle import destroy_planned
from tui.hyperv.ops.making import Machine, Making, Place
from tui.hyperv.outcome import Outcome, Step, Steps
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_PLANNED, _SYSTEM = "Msvm_PlannedComputerSystem", "Msvm_ComputerSystem"
_PORT = "Msvm_EthernetPortAllocationSettingData"
_IMAGE = "Msvm_StorageAllocationSettingData"
_NICS = ("Msvm_SyntheticEthernetPortSettingData", "Msvm_EmulatedEthernetPortSettingData")
_ALL, _NONE = 0, 1
_CONNECTED, _DISCONNECTED = 2, 3
_ROOTS = ("Configuration", "Snapshot", "Suspend", "SwapFile")


# -- export --------------------------------------------------------------------------------


def export(
    client: CimClient, machine: Machine, folder: str, *, checkpoints: bool, needed: int
) -> Steps:
    """Copy a machine with its disks, and its saved state, into a folder of its own below."""
    title = f"{machine.name} was not exported"
    files.require_folder(client, folder, title)
    files.require_room(client, folder, title, needed)
    step = _export(client, machine, folder, checkpoints=checkpoints, apart=True)
    yield Step(f"Exporting {machine.name}", step)


def _export(
    client: CimClient, machine: Machine, folder: str, *, checkpoints: bool, apart: bool
) -> Outcome:
    settings: dict[str, CimValue] = {
        "CopySnapshotConfiguration": _ALL if checkpoints else _NONE,
        "CopyVmRuntimeInformation": apart,
        "CopyVmStorage": True,
        "CreateVmExportSubdirectory": apart,
    }
    return invoke(
        client,
        service_ref(),
        "ExportSystemDefinition",
        "export",
        machine.name,
        ComputerSystem=vm_ref(machine.id),
        ExportDirectory=folder,
        ExportSettingData=embedded("Msvm_VirtualSystemExportSettingData", settings),
    )


# -- import --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import:
    """How a machine is to be imported."""

    path: str
    """Of its .vmcx file."""
    fresh: bool = False
    """With a new identity."""
    name: str = ""
    """Empty: the one it had."""
    switch: str = ""
    """GUID for adapters whose switch is not here; empty: those are not connected."""
    copy_to: str = ""
    """Folder its disks are copied to; empty: it uses the files where they lie."""
    settings_to: str = ""
    """Folder of its settings, when its disks are copied."""
    new_macs: bool = False


@dataclass(slots=True)
class _Planned:
    """A planned machine, what to call it, and the files made for it."""

    machine: Machine
    copies: list[str] = field(default_factory=list)


def import_machine(client: CimClient, place: Place, wish: Import) -> Steps:
    """Make a machine of exported files."""
    files.require(client, wish.path, "Nothing was imported")
    making = Making("The import is not complete")
    with making:
        yield from _imported(client, place, wish, making)


def _imported(
    client: CimClient, place: Place, wish: Import, making: Making
) -> Generator[Step, None, str]:
    """The steps of an import; the GUID of the machine."""
    before = results.systems(client, _PLANNED)
    snapshots = f"{files.folder_of(files.folder_of(wish.path))}\\Snapshots"
    step = Step("Reading the exported machine", _read(client, wish, snapshots))
    yield step
    identity = results.new_system(client, step.outcome, _PLANNED, before, "A planned machine")
    planned = _Planned(Machine(identity, wish.name or _name(client, identity), place))
    known = results.systems(client, _SYSTEM)
    try:
        yield from _put_right(client, planned, wish, making)
        yield Step("Checking it against this host", _on_planned(client, planned, "Validate"))
        step = Step(f"Making {planned.machine.name}", _on_planned(client, planned, "Realize"))
        yield step
    except (JobFailed, MethodFailed, Fault, Refused):
        yield from _forget(client, planned, making)
        raise
    return results.new_system(client, step.outcome, _SYSTEM, known, planned.machine.name)


def _read(client: CimClient, wish: Import, snapshots: str) -> Outcome:
    return invoke(
        client,
        service_ref(),
        "ImportSystemDefinition",
        "import",
        wish.path,
        SystemDefinitionFile=wish.path,
        SnapshotFolder=snapshots,
        GenerateNewSystemIdentifier=wish.fresh,
    )


def _name(client: CimClient, identity: str) -> str:
    rows = client.query(
        VIRTUALIZATION, f"SELECT ElementName FROM {_PLANNED} WHERE Name = '{identity}'"
    )
    return clean.text(rows[0].get("ElementName")) if rows else identity


def _on_planned(client: CimClient, planned: _Planned, method: str) -> Outcome:
    machine = planned.machine
    keys = (("CreationClassName", _PLANNED), ("Name", machine.id))
    return invoke(
        client,
        service_ref(),
        f"{method}PlannedSystem",
        "import",
        machine.name,
        PlannedSystem=CimRef(_PLANNED, keys, VIRTUALIZATION),
    )


def _forget(client: CimClient, planned: _Planned, making: Making) -> Steps:
    """Take a planned machine away again, with the files copied for it."""
    what = f"the planned machine {planned.machine.name}"
    making.add(what)
    outcome = destroy_planned(client, planned.machine.id, planned.machine.name)
    yield Step("Forgetting the planned machine", outcome)
    making.drop(what)
    for path in planned.copies:
        yield Step(f"Deleting {path}", files.delete(client, path))
        making.drop(path)


# -- fix-ups -------------------------------------------------------------------------------


def _put_right(client: CimClient, planned: _Planned, wish: Import, making: Making) -> Steps:
    """Name, folders, disks, connections and addresses as wished, before it is checked."""
    machine = planned.machine
    settings: dict[str, CimValue] = {}
    if wish.name:
        settings["ElementName"] = wish.name
    if wish.copy_to and wish.settings_to:
        settings |= {f"{word}DataRoot": wish.settings_to for word in _ROOTS}
    if settings:
        yield Step(
            f"Naming it {machine.name}",
            modify_settings(client, machine.id, machine.name, "name", settings),
        )
    if wish.copy_to:
        yield from _copy_disks(client, planned, wish.copy_to, making)
    changes = [*_connections(client, machine, wish.switch), *_addresses(client, machine, wish)]
    if changes:
        yield Step(
            "Adjusting its network", modify_resources(client, machine.name, "adjust", changes)
        )


def _owned(client: CimClient, machine: Machine, class_name: str) -> list[CimInstance]:
    rows = client.query(
        VIRTUALIZATION,
        f"SELECT * FROM {class_name} WHERE InstanceID LIKE 'Microsoft:{machine.id}%'",
    )
    return [row for row in rows if paths.owner(row.get("InstanceID")) == machine.id]


def _connections(
    client: CimClient, machine: Machine, switch: str
) -> list[tuple[str, dict[str, CimValue]]]:
    """Plugs whose switch is not on this host: to the one chosen, else pulled."""
    rows = client.query(VIRTUALIZATION, "SELECT Name FROM Msvm_VirtualEthernetSwitch")
    here = {paths.guid(row.get("Name")) for row in rows}
    found: list[tuple[str, dict[str, CimValue]]] = []
    for port in _owned(client, machine, _PORT):
        target = paths.guid(paths.key(clean.first(port.get("HostResource")), "Name"))
        if port.get("EnabledState") != _CONNECTED or target in here:
            continue
        values: dict[str, CimValue] = {"InstanceID": port.get("InstanceID")}
        if switch:
            keys = (("CreationClassName", "Msvm_VirtualEthernetSwitch"), ("Name", switch))
            ref = CimRef("Msvm_VirtualEthernetSwitch", keys, VIRTUALIZATION)
            values["HostResource"] = (machine.place.path(ref),)
            values["EnabledState"] = _CONNECTED
        else:
            values["EnabledState"] = _DISCONNECTED
        found.append((_PORT, values))
    return found


def _addresses(
    client: CimClient, machine: Machine, wish: Import
) -> list[tuple[str, dict[str, CimValue]]]:
    """Static addresses become dynamic: the machine copied still has them."""
    if not wish.new_macs:
        return []
    return [
        (class_name, {"InstanceID": row.get("InstanceID"), "StaticMacAddress": False})
        for class_name in _NICS
        for row in _owned(client, machine, class_name)
        if row.get("StaticMacAddress") is True
    ]


def _copy_disks(client: CimClient, planned: _Planned, folder: str, making: Making) -> Steps:
    """Copies beside each other in a folder; the machine then uses those."""
    machine = planned.machine
    title = f"{machine.name} was not imported"
    for row in _owned(client, machine, _IMAGE):
        source = clean.text(clean.first(row.get("HostResource")), limit=clean.LONG)
        if images.ending(source) not in (*images.FORMATS, *images.AUTOMATIC):
            continue
        kind = _kind(client, source, title)
        target = files.beside(folder, source.rpartition("\\")[2])
        size = files.file_size(client, source) or 0
        files.require_vacant(client, target, title, size)
        copy = images.convert(client, source, NewImage(target, kind))
        yield Step(f"Copying {source}", copy)
        planned.copies.append(target)
        making.add(target)
        change: dict[str, CimValue] = {
            "InstanceID": row.get("InstanceID"),
            "HostResource": (target,),
        }
        use = modify_resources(client, machine.name, "adjust", [(_IMAGE, change)])
        yield Step(f"Using {target}", use)


def _kind(client: CimClient, path: str, title: str) -> int:
    """Fixed or dynamic; a chain cannot be copied file by file."""
    try:
        setting = images.describe(client, "GetVirtualHardDiskSettingData", "SettingData", path)
    except Fault:
        raise
    except HvError as error:
        raise Refused(title, cause=f"{path} cannot be read: {error.cause}") from error
    kind = clean.number(setting.get("Type"))
    if kind not in (images.FIXED, images.DYNAMIC):
        raise Refused(
            title,
            cause=f"{path} is one of a chain of disks",
            hint="export it without checkpoints, or import it where it lies",
        )
    return kind


# -- clone ---------------------------------------------------------------------------------


def clone(client: CimClient, machine: Machine, name: str, folder: str, *, needed: int) -> Steps:
    """Export a machine into a new folder and import that with a new identity and name.

    The copy stays where it was exported to, so nothing is copied twice; it goes again when it
    cannot be imported.
    """
    title = f"{machine.name} was not cloned"
    if files.folder_exists(client, folder) is not False:
        raise Refused(
            title,
            cause=f"{folder} is there already, or on a share",
            hint="choose another folder on the host itself",
        )
    files.require_room(client, folder, title, needed)
    with Making(f"The clone {name} is not complete") as making:
        step = _export(client, machine, folder, checkpoints=False, apart=False)
        yield Step(f"Copying {machine.name}", step)
        copy = f"the copy in {folder}"
        making.add(copy)
        definition = files.beside(folder, f"Virtual Machines\\{machine.id}.vmcx")
        wish = Import(definition, fresh=True, name=name, new_macs=True)
        try:
            yield from _imported(client, machine.place, wish, making)
        except (JobFailed, MethodFailed, Fault, Refused):
            yield Step("Deleting the copy", files.delete_folder(client, folder))
            making.drop(copy)
            raise

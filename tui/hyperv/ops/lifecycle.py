"""Making virtual machines and taking them away, with their disks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.errors import MethodFailed, Refused, WireError
from tui.hyperv import paths
from tui.hyperv.ops import disks, files, images, results
from tui.hyperv.ops.calling import (
    add_resources,
    by_instance_id,
    embedded,
    invoke,
    modify_resources,
    modify_settings,
    service_ref,
    vm_ref,
)
from tui.hyperv.ops.disks import Slot
from tui.hyperv.ops.images import NewImage
from tui.hyperv.ops.making import Machine, Making, Place, Undo
from tui.hyperv.ops.state import start
from tui.hyperv.outcome import Outcome, Step, Steps
from tui.hyperv.sheet import Drive, Image
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_SYSTEM = "Msvm_ComputerSystem"
_SETTINGS = "Msvm_VirtualSystemSettingData"
_PROCESSOR, _MEMORY = "Msvm_ProcessorSettingData", "Msvm_MemorySettingData"
_NIC = "Msvm_SyntheticEthernetPortSettingData"
_PORT = "Msvm_EthernetPortAllocationSettingData"
_VLAN = "Msvm_EthernetSwitchPortVlanSettingData"
_CONNECTED, _ACCESS = 2, 1
_IDE = 5
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class NewMachine:
    """What a machine to be made is like; sizes in bytes."""

    name: str
    generation: int = 2
    processors: int = 1
    memory: int = 1 << 30
    dynamic: bool = False
    minimum: int = 0
    maximum: int = 0
    disk: NewImage | None = None
    switch: str = ""
    """GUID; empty: its adapter is not connected."""
    vlan: int = 0
    iso: str = ""
    secure_boot: str | None = ""
    """Template; empty: the host's own choice; None: off. Generation 2 only."""
    notes: str = ""
    folder: str = ""
    """Of its files; empty: where the host keeps machines."""
    start: bool = False


# -- making --------------------------------------------------------------------------------


def create(client: CimClient, place: Place, new: NewMachine) -> Steps:
    """Make a machine with all it needs, step by step."""
    _check(client, new)
    before = results.systems(client, _SYSTEM)
    step = Step(f"Defining {new.name}", _define(client, new))
    yield step
    identity = results.new_system(client, step.outcome, _SYSTEM, before, new.name)
    machine = Machine(identity, new.name, place)
    with Making(f"{new.name} is not complete") as making:
        making.add(f"the virtual machine {new.name}")
        making.undo = _undo(machine)
        yield Step("Setting memory and processors", _set_hardware(client, machine, new))
        yield from _drives(client, machine, new, making)
        yield from _network(client, machine, new)
        if new.generation == 2:
            yield from _boot_order(client, machine, new)
        if new.start:
            yield Step(f"Starting {new.name}", start(client, machine.id, new.name))


def _undo(machine: Machine, *also: str) -> Undo:
    """Only what was made goes: a disk that was there before stays."""
    return ("vm.delete", machine.id, {"disks": False, "also": list(also)})


def _check(client: CimClient, new: NewMachine) -> None:
    title = f"{new.name} was not created"
    if new.folder:
        files.require_folder(client, new.folder, title)
    if new.disk is not None:
        images.check(client, new.disk, title)
    if new.iso:
        files.require(client, new.iso, title)
    if new.switch and not client.query(
        VIRTUALIZATION,
        f"SELECT Name FROM Msvm_VirtualEthernetSwitch WHERE Name = '{new.switch}'",
    ):
        raise Refused(title, cause="the virtual switch is not there any more")


def _define(client: CimClient, new: NewMachine) -> Outcome:
    values: dict[str, CimValue] = {
        "ElementName": new.name,
        "VirtualSystemSubType": f"Microsoft:Hyper-V:SubType:{new.generation}",
    }
    if new.notes:
        values["Notes"] = (new.notes,)
    if new.folder:
        values["ConfigurationDataRoot"] = new.folder
        values["SnapshotDataRoot"] = values["SuspendDataRoot"] = new.folder
        values["SwapFileDataRoot"] = new.folder
    if new.dynamic:
        values["VirtualNumaEnabled"] = False
    if new.generation == 2 and new.secure_boot is None:
        values["SecureBootEnabled"] = False
    elif new.generation == 2 and new.secure_boot:
        values["SecureBootEnabled"] = True
        values["SecureBootTemplateId"] = new.secure_boot
    settings = embedded(_SETTINGS, values)
    return invoke(
        client, service_ref(), "DefineSystem", "create", new.name, SystemSettings=settings
    )


def _set_hardware(client: CimClient, machine: Machine, new: NewMachine) -> Outcome:
    memory: dict[str, CimValue] = {
        "InstanceID": _only(client, machine, _MEMORY),
        "DynamicMemoryEnabled": new.dynamic,
        "VirtualQuantity": new.memory // MEGABYTE,
    }
    if new.dynamic:
        memory["Reservation"] = new.minimum // MEGABYTE
        memory["Limit"] = new.maximum // MEGABYTE
    processor: dict[str, CimValue] = {
        "InstanceID": _only(client, machine, _PROCESSOR),
        "VirtualQuantity": new.processors,
    }
    changes: list[tuple[str, dict[str, CimValue]]] = [(_MEMORY, memory), (_PROCESSOR, processor)]
    return modify_resources(client, machine.name, "set up", changes)


def _owned(client: CimClient, machine: Machine, class_name: str) -> list[CimInstance]:
    rows = client.query(
        VIRTUALIZATION,
        f"SELECT * FROM {class_name} WHERE InstanceID LIKE 'Microsoft:{machine.id}%'",
    )
    return [row for row in rows if paths.owner(row.get("InstanceID")) == machine.id]


def _only(client: CimClient, machine: Machine, class_name: str) -> str:
    """InstanceID of the one setting of a class that a new machine has."""
    rows = _owned(client, machine, class_name)
    if len(rows) != 1:
        raise WireError(f"{machine.name} has {len(rows)} of {class_name}, not one")
    return str(rows[0].get("InstanceID"))


# -- drives --------------------------------------------------------------------------------


def _drives(client: CimClient, machine: Machine, new: NewMachine, making: Making) -> Steps:
    """Disk first, then DVD: SCSI for generation 2, the two IDE controllers for generation 1."""
    if new.generation == 2:
        yield Step("Adding a SCSI controller", disks.add_controller(client, machine))
        (controller, *_) = disks.controllers(client, machine)
        first, second = Slot(controller, 0), Slot(controller, 1)
    else:
        ide = disks.controllers(client, machine, _IDE)
        if not ide:
            raise WireError(f"{machine.name} has no IDE controllers")
        first, second = Slot(min(ide), 0), Slot(max(ide), 0)
    if new.disk is not None:
        yield from disks.made_image(client, machine, new.disk, making)
        if new.disk.kind != images.EXISTING:
            making.undo = _undo(machine, new.disk.path)
        yield from disks.attach(client, machine, new.disk.path, first, making)
    if new.iso or new.generation == 1:
        yield from disks.attach(client, machine, new.iso, second, making, dvd=True)


def _boot_order(client: CimClient, machine: Machine, new: NewMachine) -> Steps:
    """Drives before the network, the installation image before the disk."""
    (settings,) = client.query(
        VIRTUALIZATION,
        f"SELECT * FROM {_SETTINGS} WHERE InstanceID = 'Microsoft:{machine.id}'",
    )
    present = settings.get("BootSourceOrder")
    order = [str(path) for path in present] if isinstance(present, tuple) else []
    dvds = [
        paths.same(row.get("InstanceID"))
        for row in _owned(client, machine, "Msvm_ResourceAllocationSettingData")
        if row.get("ResourceType") == disks.DVD
    ]

    nics = [paths.same(row.get("InstanceID")) for row in _owned(client, machine, _NIC)]

    def rank(path: str) -> int:
        source = paths.same(paths.key(path, "InstanceID"))
        if any(source.startswith(dvd) for dvd in dvds):
            return 0 if new.iso else 2
        return 3 if any(source.startswith(nic) for nic in nics) else 1

    wanted = sorted(order, key=rank)
    if wanted != order:
        values: dict[str, CimValue] = {"BootSourceOrder": tuple(wanted)}
        verb = "set the boot order of"
        yield Step(
            "Setting the boot order",
            modify_settings(client, machine.id, machine.name, verb, values),
        )


# -- network -------------------------------------------------------------------------------


def _network(client: CimClient, machine: Machine, new: NewMachine) -> Steps:
    """One adapter, connected and tagged as wished."""
    values: dict[str, CimValue] = {
        "ElementName": "Network Adapter",
        "ResourceType": 10,
        "ResourceSubType": "Microsoft:Hyper-V:Synthetic Ethernet Port",
        "StaticMacAddress": False,
    }
    verb = "add a network adapter to"
    yield Step(
        "Adding a network adapter",
        add_resources(client, machine.id, machine.name, verb, [(_NIC, values)]),
    )
    if not new.switch:
        return
    nic = _only(client, machine, _NIC)
    switch = CimRef(
        "Msvm_VirtualEthernetSwitch",
        (("CreationClassName", "Msvm_VirtualEthernetSwitch"), ("Name", new.switch)),
        VIRTUALIZATION,
    )
    plug: dict[str, CimValue] = {
        "ResourceType": 33,
        "ResourceSubType": "Microsoft:Hyper-V:Ethernet Connection",
        "Parent": machine.place.path(by_instance_id(_NIC, nic)),
        "HostResource": (machine.place.path(switch),),
        "EnabledState": _CONNECTED,
    }
    verb = "connect"
    yield Step(
        "Connecting it", add_resources(client, machine.id, machine.name, verb, [(_PORT, plug)])
    )
    if new.vlan:
        yield Step(f"Setting VLAN {new.vlan}", _tag(client, machine, new.vlan))


def _tag(client: CimClient, machine: Machine, vlan: int) -> Outcome:
    feature = embedded(_VLAN, {"OperationMode": _ACCESS, "AccessVlanId": vlan})
    return invoke(
        client,
        service_ref(),
        "AddFeatureSettings",
        "set the VLAN of",
        machine.name,
        AffectedConfiguration=by_instance_id(_PORT, _only(client, machine, _PORT)),
        FeatureSettings=(feature,),
    )


# -- taking away ---------------------------------------------------------------------------


def own_files(drives: Iterable[Drive]) -> tuple[str, ...]:
    """The files that are a machine's alone: each disk with what checkpoints made of it.

    Below a differencing disk that a person made lies a template others may share; it stays.
    """
    found: dict[str, str] = {}
    for drive in drives:
        if drive.dvd or drive.physical or not drive.path:
            continue
        for image in drive.chain or (Image(drive.path),):
            found.setdefault(image.path.casefold(), image.path)
            if not images.is_automatic(image.path):
                break
    return tuple(found.values())


def delete(client: CimClient, machine: Machine, doomed: Sequence[str]) -> Steps:
    """Take a machine away, and then the files named. Its checkpoints are merged by the host."""
    what = f"the virtual machine {machine.name} is deleted"
    with Making(f"Not all files of {machine.name} are deleted") as making:
        yield Step(f"Deleting {machine.name}", _destroy(client, vm_ref(machine.id), machine.name))
        if doomed:
            _require_gone(client, machine)
            making.add(what)
        left: list[MethodFailed] = []
        for path in doomed:
            try:
                yield Step(f"Deleting {path}", files.delete(client, path))
            except MethodFailed as error:
                left.append(error)
            else:
                making.add(f"{path} is deleted")
        if left:
            raise _left_over(left)


def _left_over(left: Sequence[MethodFailed]) -> MethodFailed:
    first = left[0]
    return MethodFailed(
        "; ".join(error.title for error in left),
        method=first.method,
        code=first.code,
        cause=first.cause,
        hint=first.hint,
    )


def destroy_planned(client: CimClient, identity: str, name: str) -> Outcome:
    """Forget a machine that was imported and not realized."""
    class_name = "Msvm_PlannedComputerSystem"
    keys = (("CreationClassName", class_name), ("Name", identity))
    return _destroy(client, CimRef(class_name, keys, VIRTUALIZATION), name)


def _destroy(client: CimClient, ref: CimRef, name: str) -> Outcome:
    return invoke(client, service_ref(), "DestroySystem", "delete", name, AffectedSystem=ref)


def _require_gone(client: CimClient, machine: Machine) -> None:
    """Its files must stay while the host still has it, whatever the job said."""
    wql = f"SELECT Name FROM {_SYSTEM} WHERE Name = '{machine.id}'"
    if client.query(VIRTUALIZATION, wql):
        raise Refused(
            f"The files of {machine.name} were not deleted",
            cause="the host still lists the machine",
            hint="look at its jobs, and try again",
        )

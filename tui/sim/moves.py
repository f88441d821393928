"""One migration: what a client asks for, and which files it takes where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.sim import disks, files, papers, shapes
from tui.sim.exports import clone
from tui.sim.files import VirtualFile
from tui.sim.machine import Configuration, Machine
from tui.sim.migration import LIVE, SETTING, STORAGE, WHOLE, listeners
from tui.sim.outcome import INVALID, UNSUPPORTED, Call, Stop
from tui.wsman.cim import CimInstance, CimRef

if TYPE_CHECKING:
    from tui.sim.world import Fabric, SimHost

PORT, IMAGE = "Msvm_EthernetPortAllocationSettingData", "Msvm_StorageAllocationSettingData"
ROOTS = (
    "ConfigurationDataRoot",
    "GuestStateDataRoot",
    "SnapshotDataRoot",
    "SuspendDataRoot",
    "SwapFileDataRoot",
    "LogDataRoot",
)


@dataclass(slots=True, eq=False)
class Move:
    """A machine on its way to another host, to another place, or both."""

    machine: Machine
    kind: int
    """MigrationType."""
    asked: str
    """The destination as the client wrote it."""
    target: SimHost | None
    """None when nobody answers to that name."""
    settings: CimInstance
    texts: tuple[str, tuple[str, ...]] = ("", ())
    """NewSystemSettingData and NewResourceSettingData as they came."""
    roots: dict[str, str] = field(default_factory=dict)
    """New folders, by property."""
    images: dict[str, str] = field(default_factory=dict)
    """New paths of images by their InstanceID in lower case; empty takes one out."""
    ports: dict[str, str] = field(default_factory=dict)
    """New switches by the InstanceID of the port allocation; empty unplugs."""
    files: dict[str, str] = field(default_factory=dict)
    """Where each file goes, by its old path in lower case."""
    made: list[VirtualFile] = field(default_factory=list)
    """What has been begun on the target."""
    planned: Machine | None = None
    """What stands for the machine on the target meanwhile."""
    state: int = 0
    """EnabledState of the machine at the beginning."""
    waiting: bool = True
    job: CimRef | None = None

    @property
    def source(self) -> SimHost:
        return self.machine.host

    @property
    def retains(self) -> bool:
        return bool(self.settings.values.get("RetainVhdCopiesOnSource"))

    @property
    def overwrites(self) -> bool:
        return bool(self.settings.values.get("AllowOverwriteExistingFile"))

    def root(self, name: str) -> str:
        return self.roots.get(name) or shapes.text(self.machine.settings, name)


def find_host(fabric: Fabric, name: str) -> SimHost | None:
    """The host with a NetBIOS name, a full name or an address it listens on."""
    wanted = name.strip().rstrip(".").lower()
    for host in fabric.hosts.values():
        if wanted in (host.name.lower(), f"{host.name}.{host.plan.domain}".lower()):
            return host
    for host in fabric.hosts.values():
        if wanted[:1].isdigit() and not host.plan.local:
            host.ensure()
            if wanted in listeners(host):
                return host
    return None


# -- what is asked -------------------------------------------------------------------------


def read(call: Call) -> Move:
    """The move a call asks for; Stop when its parameters make none."""
    machine = call.machine(call.get("ComputerSystem"))
    given = call.embedded(call.get("MigrationSettingData"))
    kind = shapes.number(given, "MigrationType")
    if given.class_name != SETTING:
        raise Stop(INVALID)
    if kind not in (LIVE, STORAGE, WHOLE):
        raise Stop(UNSUPPORTED if kind in (32770, 32772) else INVALID)
    asked = call.text("DestinationHost").strip()
    target = find_host(call.host.fabric, asked) if asked else call.host
    away = target is not call.host
    if away is (kind == STORAGE):
        raise Stop(INVALID)
    if target is not None:
        target.ensure()
    move = Move(machine, kind, asked or call.host.name, target, given, state=machine.state)
    resources = tuple(str(text) for text in call.many("NewResourceSettingData"))
    move.texts = (call.text("NewSystemSettingData"), resources)
    _read_folders(call, move)
    for text in call.many("NewResourceSettingData"):
        _read_resource(move, call.embedded(text))
    if kind != LIVE:
        _place(move)
    return move


def _read_folders(call: Call, move: Move) -> None:
    if not call.text("NewSystemSettingData").strip():
        return
    given = call.embedded(call.get("NewSystemSettingData"))
    if given.class_name != "Msvm_VirtualSystemSettingData":
        raise Stop(INVALID)
    for name in ROOTS:
        asked = shapes.text(given, name)
        path = files.clean(asked)
        if asked and not path:
            raise Stop(INVALID)
        if path and path.lower() != shapes.text(move.machine.settings, name).lower():
            move.roots[name] = path
    if move.kind == LIVE and move.roots:
        raise Stop(INVALID)


def _read_resource(move: Move, given: CimInstance) -> None:
    """A new place for an image, or a new switch for an adapter; all else stays as it is."""
    key = shapes.text(given, "InstanceID").lower()
    present = move.machine.current.resources.get(key)
    if present is None or present.class_name != given.class_name:
        raise Stop(INVALID)
    if "HostResource" not in given.values and "EnabledState" not in given.values:
        return
    paths = given.values.get("HostResource", present.values["HostResource"])
    first = str(paths[0] or "") if isinstance(paths, tuple) and paths else ""
    if present.class_name == PORT:
        if given.values.get("EnabledState") == 3:
            first = ""
        if first != "".join(shapes.strings(present, "HostResource")[:1]):
            move.ports[key] = first
    elif present.class_name == IMAGE:
        path = files.clean(first)
        if not path and (first or not is_iso(present)):
            raise Stop(INVALID)
        if path.lower() == disks.image_path(present).lower():
            return
        if move.kind == LIVE and not is_iso(present):
            raise Stop(INVALID)
        move.images[key] = path


def is_iso(image: CimInstance) -> bool:
    return image.values["Access"] == 1


# -- where files go ------------------------------------------------------------------------


def stays(move: Move, path: str, place: str) -> bool:
    """The file is where it shall be already."""
    target = move.target
    if target is None or path.lower() != place.lower():
        return False
    return move.source.files.shelf(path) is target.files.shelf(place)


def _place(move: Move) -> None:
    """Give every image file its new place; what an image descends from goes into its folder."""
    for configuration in disks.configurations(move.machine):
        for image in configuration.of(IMAGE):
            if not is_iso(image):
                _place_chain(move, configuration, image)


def _place_chain(move: Move, configuration: Configuration, image: CimInstance) -> None:
    leaf = disks.image_path(image)
    current = move.machine.current
    tail = shapes.text(image, "InstanceID").partition("\\")[2]
    own = current.at(tail)
    key = shapes.text(own, "InstanceID").lower() if own is not None else ""
    place = move.images.get(key, "")
    chain = move.source.files.chain(leaf) or [VirtualFile(leaf, 0, 0)]
    for index, file in enumerate(chain):
        if file.key in move.files:
            continue
        new = file.path
        if place:
            folder = files.folder_of(place)
            named = index == 0 and configuration is current
            new = place if named else f"{folder}\\{files.name_of(file.path)}"
        if not stays(move, file.path, new):
            move.files[file.key] = new


def size(move: Move) -> int:
    """Bytes to be copied."""
    store = move.source.files
    found = (store.get(old) for old in move.files)
    return sum(file.used for file in found if file is not None)


def papers_move(move: Move) -> bool:
    """The configuration gets new files."""
    names = ("ConfigurationDataRoot", "SnapshotDataRoot")
    roots = [(shapes.text(move.machine.settings, name), move.root(name)) for name in names]
    return not all(stays(move, old, new) for old, new in roots)


def reserve(move: Move) -> None:
    """Begin the new files; they take their space from the beginning."""
    assert move.target is not None
    store = move.target.files
    for old, new in move.files.items():
        file = move.source.files.get(old)
        if file is None:
            continue
        made = clone(file, new, move.files.get(file.parent.lower(), file.parent))
        made.busy = True
        if move.overwrites:
            store.remove(new)
        move.made.append(store.add(made))


def abandon(move: Move) -> None:
    """Take back what was begun."""
    for file in move.made:
        if move.target is not None:
            move.target.files.remove(file.path)
    move.made.clear()


def settle_files(move: Move) -> None:
    """The copies are complete: the machine names them, and the originals go."""
    machine, source = move.machine, move.source
    old = [file for key in move.files if (file := source.files.get(key)) is not None]
    _erase_papers(move)
    for configuration in disks.configurations(machine):
        for image in configuration.of(IMAGE):
            place = move.files.get(disks.image_path(image).lower())
            if place:
                image.values["HostResource"] = (place,)
        configuration.settings.values.update(move.roots)
    for file in move.made:
        file.busy = False
    for file in old if not move.retains else ():
        others = [one for one in disks.holders(source, file) if one is not machine]
        below = [one for one in source.files.children(file.path) if one.key not in move.files]
        if not others and not below:
            source.files.remove(file.path)
    move.made.clear()


def _erase_papers(move: Move) -> None:
    if papers_move(move):
        papers.erase(move.machine)
        for checkpoint in move.machine.checkpoints:
            papers.erase(move.machine, checkpoint)

"""Writing a machine into a folder: which files there will be, and what they take."""

from __future__ import annotations

from dataclasses import dataclass

from tui.sim import definitions, disks, files, papers, shapes
from tui.sim.files import HEADER, MB, VirtualFile
from tui.sim.machine import Configuration, Machine

ALL, NONE, ONE, ONE_FOR_BACKUP = range(4)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an export takes along."""

    checkpoints: int = ALL
    only: str = ""
    """The one checkpoint that is exported instead of the machine as it is."""
    storage: bool = True
    runtime: bool = True
    """Saved memory."""
    live: bool = False
    """Memory of a running machine is saved with it."""


def clone(file: VirtualFile, path: str, parent: str) -> VirtualFile:
    """The same disk in another place."""
    made = VirtualFile(path, file.size, file.used, parent, file.kind)
    for name in ("live", "partitioned", "block", "sector", "physical", "identity"):
        setattr(made, name, getattr(file, name))
    made.parent_identity = file.parent_identity
    return made


def _flat(chain: list[VirtualFile], path: str) -> VirtualFile:
    """One image with the contents of a chain."""
    base = chain[-1]
    used = min(chain[0].size, sum(file.live for file in chain)) + HEADER
    kind = base.kind if base.kind == files.FIXED else files.DYNAMIC
    made = files.disk(path, chain[0].size, max(used, base.used), kind)
    made.partitioned = chain[0].partitioned
    return made


class Export:
    """The files of one export, planned before the first of them is made."""

    def __init__(self, machine: Machine, folder: str, scope: Scope) -> None:
        self._machine = machine
        self._scope = scope
        self._folder = folder
        self.made: dict[str, VirtualFile] = {}
        """By new path in lower case."""
        self._moved: dict[str, str] = {}
        self._configurations: list[tuple[str, str]] = []
        source = machine.checkpoints[scope.only] if scope.only else machine.current
        kept = [] if scope.checkpoints != ALL else list(machine.checkpoints)
        if scope.storage:
            for configuration in (source, *(machine.checkpoints[key] for key in kept)):
                self._take_images(configuration, whole=scope.checkpoints == ALL)
        stem = f"{folder}\\Virtual Machines\\{machine.id}"
        self._take_papers(source, stem, scope.only)
        for key in kept:
            self._take_papers(machine.checkpoints[key], f"{folder}\\Snapshots\\{key}", key)

    @property
    def size(self) -> int:
        return sum(file.used for file in self.made.values())

    def _free_name(self, path: str) -> str:
        """A place among the exported images that no other one has taken."""
        stem, dot, kind = files.name_of(path).rpartition(".")
        place = f"{self._folder}\\Virtual Hard Disks\\{stem}"
        number = 1
        while f"{place}{'' if number == 1 else f'_{number}'}{dot}{kind}".lower() in self.made:
            number += 1
        return f"{place}{'' if number == 1 else f'_{number}'}{dot}{kind}"

    def _take_images(self, configuration: Configuration, *, whole: bool) -> None:
        store = self._machine.host.files
        for path in disks.held(configuration):
            chain = [file for file in store.chain(path) if file.kind]
            if not chain or path.lower() in self._moved:
                continue
            if whole:
                self._take_chain(chain)
            else:
                target = self._free_name(chain[-1].path)
                self._put(_flat(chain, target), chain[0].key)

    def _take_chain(self, chain: list[VirtualFile]) -> None:
        for file in reversed(chain):
            if file.key in self._moved:
                continue
            parent = self._moved.get(file.parent.lower(), file.parent)
            self._put(clone(file, self._free_name(file.path), parent), file.key)

    def _put(self, file: VirtualFile, origin: str) -> None:
        self.made[file.key] = file
        self._moved[origin] = file.path

    def _take_papers(self, configuration: Configuration, stem: str, checkpoint: str) -> None:
        sizes = papers.sizes(configuration)
        if not self._scope.runtime:
            sizes.pop(papers.MEMORY, None)
        elif self._scope.live and configuration is self._machine.current:
            memory = shapes.number(self._machine.memory_setting(), "VirtualQuantity")
            sizes[papers.MEMORY] = memory * MB
        for kind, size in sizes.items():
            file = VirtualFile(f"{stem}.{kind}", size, size)
            self.made[file.key] = file
        self._configurations.append((f"{stem}.{papers.CONFIGURATION}".lower(), checkpoint))

    def seal(self) -> None:
        """Write the configuration files; they name the images where these are now."""
        for key, checkpoint in self._configurations:
            found = definitions.definition(self._machine, checkpoint)
            self._point_to_copies(found.current)
            memory = key.removesuffix(papers.CONFIGURATION) + papers.MEMORY.lower()
            found.current.settings.values["IsSaved"] = memory in self.made
            whole = "\\virtual machines\\" in key
            found.checkpoint = "" if whole else checkpoint
            if whole and checkpoint:
                words = {checkpoint: self._machine.id}
                found.current = definitions.copy(found.current, words)
            self.made[key].content = found

    def _point_to_copies(self, configuration: Configuration) -> None:
        for image in configuration.of("Msvm_StorageAllocationSettingData"):
            moved = self._moved.get(disks.image_path(image).lower())
            if moved:
                image.values["HostResource"] = (moved,)

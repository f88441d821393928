"""The file system of a host: its volumes, the files on them, and what a disk image is.

Only paths, sizes and parents; who may touch a file while a machine runs is in ``disks``.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5
from zlib import crc32

from tui.sim.plan import VolumePlan

if TYPE_CHECKING:
    from tui.sim.world import SimHost

MB, GIB = 1 << 20, 1 << 30
DAY = 86400.0
HEADER = 4 * MB
"""What an image file needs before it holds any data."""
SHARED = "c:\\clusterstorage\\"
"""Below this, all nodes of a cluster see the same files."""
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
VHD, VHDX, VHDSET = 2, 3, 4
FORMATS = {"vhd": VHD, "avhd": VHD, "vhdx": VHDX, "avhdx": VHDX, "vhds": VHDSET}


def clean(path: str) -> str:
    """A full path as Windows would keep it; empty when it is none."""
    text = ntpath.normpath(path.strip().replace("/", "\\")) if path.strip() else ""
    rooted = len(text) > 2 and text[0].isalpha() and text[1:3] == ":\\"
    if len(text) > 259 or not (rooted or text.startswith("\\\\")):
        return ""
    if any(c in '<>"|?*' or ord(c) < 32 for c in text) or ":" in text[2:]:
        return ""
    return text


def extension(path: str) -> str:
    return ntpath.splitext(path)[1].lstrip(".").lower()


def name_of(path: str) -> str:
    return ntpath.basename(path)


def folder_of(path: str) -> str:
    return ntpath.dirname(path)


@dataclass(slots=True, eq=False)
class VirtualFile:
    """A file; sizes in bytes. ``kind`` is zero when it is no disk image."""

    path: str
    size: int
    """What a guest sees of a disk; the length of anything else."""
    used: int
    """What it takes on its volume."""
    parent: str = ""
    kind: int = 0
    live: int = 0
    """Bytes of a disk that its guest has not thrown away again."""
    partitioned: int = 0
    """Where the last partition of a disk ends."""
    block: int = 32 * MB
    sector: int = 512
    physical: int = 4096
    identity: str = ""
    """The identifier of a disk; children remember that of their parent."""
    parent_identity: str = ""
    made: float = 0.0
    changed: float = 0.0
    busy: bool = False
    """A job is reading or writing it."""
    mounted: bool = False
    """The host itself has it open as a disk."""
    content: object = None
    """What a configuration file holds."""

    @property
    def key(self) -> str:
        return self.path.lower()

    @property
    def format(self) -> int:
        return FORMATS.get(extension(self.path), 0)

    @property
    def automatic(self) -> bool:
        """It was made by a checkpoint, and goes by merging."""
        return extension(self.path) in ("avhd", "avhdx")


@dataclass(slots=True)
class Shelf:
    """Files and folders that belong together: a host's own, or those of a cluster."""

    files: dict[str, VirtualFile] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    furnished: dict[str, int] = field(default_factory=dict)
    """Bytes by volume that were there from the beginning."""


class FileSystem:
    """Every file a host can open, by path without case."""

    def __init__(self, host: SimHost) -> None:
        self._host = host
        self._own = Shelf()

    def shelf(self, path: str) -> Shelf:
        """Where a path is kept; the same for all hosts that see the same file there."""
        lowered = f"{path.lower()}\\"
        shelves = self._host.fabric.shelves
        if self._host.plan.cluster and lowered.startswith(SHARED):
            return shelves.setdefault(self._host.plan.cluster, Shelf())
        for share in self._host.plan.shares:
            if lowered.startswith(share.name.lower()):
                return shelves.setdefault(share.name.lower(), Shelf())
        return self._own

    def _shelves(self) -> list[Shelf]:
        places = [share.name for share in self._host.plan.shares]
        if self._host.plan.cluster:
            places.append(SHARED)
        return [self._own, *map(self.shelf, places)]

    # -- reading ---------------------------------------------------------------------------

    def __iter__(self) -> Iterator[VirtualFile]:
        for shelf in self._shelves():
            yield from list(shelf.files.values())

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def get(self, path: str) -> VirtualFile | None:
        return self.shelf(path).files.get(path.lower())

    def folders(self) -> Iterator[str]:
        """Every folder, in the case it was made with."""
        for shelf in self._shelves():
            yield from list(shelf.folders.values())

    def has_folder(self, path: str) -> bool:
        lowered = path.rstrip("\\").lower()
        return lowered in self.shelf(path).folders or any(
            volume.name.rstrip("\\").lower() == lowered for volume in self._volumes()
        )

    def below(self, folder: str) -> list[VirtualFile]:
        prefix = folder.rstrip("\\").lower() + "\\"
        return [file for file in self if file.key.startswith(prefix)]

    def children(self, path: str) -> list[VirtualFile]:
        """Differencing disks that hang directly below an image."""
        lowered = path.lower()
        return [file for file in self if file.parent.lower() == lowered]

    def chain(self, path: str) -> list[VirtualFile]:
        """The image and its ancestors, as far as they are there."""
        found: list[VirtualFile] = []
        file = self.get(path)
        while file is not None and file not in found:
            found.append(file)
            file = self.get(file.parent) if file.parent else None
        return found

    def settle(self) -> None:
        """Disks that are being written to are as large as they have become."""
        from tui.sim import growing  # it looks at machines, whose files these are

        growing.settle(self._host)

    # -- changing --------------------------------------------------------------------------

    def add(self, file: VirtualFile, *, there: bool = False) -> VirtualFile:
        """Put a file in its place, and make the folders on the way.

        ``there`` says that it has been there all the time, although the host is furnished.
        """
        now = self._host.fabric.now()
        file.made = file.made or now
        file.changed = file.changed or now
        if file.kind and not file.identity:
            file.identity = self.fresh_identity(file.path)
        self.make_folder(folder_of(file.path))
        shelf = self.shelf(file.path)
        shelf.files[file.key] = file
        volume = self.volume(file.path) if there or not self._host.built else None
        if volume is not None:
            shelf.furnished[volume.name] = shelf.furnished.get(volume.name, 0) + file.used
        return file

    def fresh_identity(self, *words: object) -> str:
        """A disk identifier that depends on the words and on this host only."""
        text = "/".join(str(word) for word in (self._host.fabric.seed, self._host.name, *words))
        return str(uuid5(NAMESPACE_URL, text)).upper()

    def remove(self, path: str) -> VirtualFile | None:
        return self.shelf(path).files.pop(path.lower(), None)

    def move(self, file: VirtualFile, path: str) -> None:
        self.remove(file.path)
        file.path = path
        self.add(file)

    def make_folder(self, path: str) -> None:
        while len(path) > 3 and not self.has_folder(path):
            self.shelf(path).folders[path.lower()] = path
            path = folder_of(path)

    def drop_folder(self, path: str) -> None:
        """Forget a folder and everything below it."""
        prefix = path.rstrip("\\").lower()
        for file in self.below(path):
            self.remove(file.path)
        folders = self.shelf(path).folders
        for key in [k for k in folders if k == prefix or k.startswith(prefix + "\\")]:
            del folders[key]

    # -- space -----------------------------------------------------------------------------

    def _volumes(self) -> tuple[VolumePlan, ...]:
        return (*self._host.plan.volumes, *self._host.plan.shares)

    def volume(self, path: str) -> VolumePlan | None:
        """The volume or share a path is on."""
        lowered = f"{path.lower()}\\"
        fitting = [v for v in self._volumes() if lowered.startswith(v.name.lower())]
        return max(fitting, key=lambda volume: len(volume.name), default=None)

    def _files_on(self, volume: VolumePlan) -> int:
        shelf = self.shelf(volume.name.rstrip("\\"))
        prefix = volume.name.lower()
        found = [f for f in shelf.files.values() if f.key.startswith(prefix)]
        if any(
            v.name.lower().startswith(prefix) for v in self._host.plan.volumes if v is not volume
        ):
            found = [f for f in found if self.volume(f.path) is volume]
        return sum(f.used for f in found)

    def _moved(self, volume: VolumePlan) -> tuple[int, int]:
        """Bytes in files at the beginning, and how many there are more now."""
        before = self.shelf(volume.name.rstrip("\\")).furnished.get(volume.name, 0)
        return before, self._files_on(volume) - before

    def used(self, volume: VolumePlan) -> int:
        """Bytes used: the files, all else, and slow growth that is cleaned up every three weeks."""
        fabric = self._host.fabric
        days = (fabric.now() - fabric.origin) / DAY + crc32(volume.name.encode()) % 15
        before, more = self._moved(volume)
        grown = max(volume.used * GIB, before) + int(volume.growth * (days % 21.0) * GIB)
        room = volume.size * GIB - GIB // 8
        return max(0, min(max(min(grown, room) + more, 0), volume.size * GIB))

    def space(self, volume: VolumePlan) -> tuple[int, int]:
        """Capacity and free bytes."""
        self.settle()
        if self._host.plan.local and volume.name == "C:\\":
            from tui.sim import local  # psutil is needed for this host only

            taken = local.sample()
            return taken.disk_total, max(0, taken.disk_free - self._moved(volume)[1])
        capacity = volume.size * GIB
        return capacity, capacity - self.used(volume)

    def free(self, path: str) -> int:
        """Bytes left where a path is; none when there is no such volume."""
        volume = self.volume(path)
        return self.space(volume)[1] if volume is not None else 0


def disk(path: str, size: int, used: int, kind: int = DYNAMIC, parent: str = "") -> VirtualFile:
    """A disk image with the ordinary geometry of its format."""
    block = 2 * MB if kind == DIFFERENCING or FORMATS.get(extension(path)) == VHD else 32 * MB
    file = VirtualFile(path, size, used, parent, kind, block=0 if kind == FIXED else block)
    file.live = max(0, used - HEADER)
    if file.format == VHD:
        file.physical = 512
    return file

"""Disk images in use: who holds which file, and the words for what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.sim.files import VirtualFile
from tui.sim.jobs import JobError
from tui.sim.outcome import FAILED, IN_USE

if TYPE_CHECKING:
    from tui.sim.machine import Configuration, Machine
    from tui.sim.world import SimHost

MISSING = (0x80070002, "The system cannot find the file specified.")
NO_FOLDER = (0x80070003, "The system cannot find the path specified.")
SHARING = (
    0x80070020,
    "The process cannot access the file because it is being used by another process.",
)
EXISTS = (0x80070050, "The file exists.")
FULL = (0x80070070, "There is not enough space on the disk.")
CORRUPT = (0xC03A0005, "The virtual hard disk is corrupted.")
TOO_SMALL = (0xC03A0019, "The size of the virtual hard disk is not valid.")
PARENT_GONE = (0xC03A000D, "The parent virtual hard disk could not be found.")
MISMATCH = (
    0xC03A000E,
    "The chain of virtual hard disks is corrupted. There is a mismatch in the identifiers of the "
    "parent virtual hard disk and differencing disk.",
)
UNSUITABLE = (0xC03A001A, "The virtual hard disk type does not support the operation.")

Problem = tuple[int, str]


def trouble(what: str, problem: Problem, code: int = FAILED) -> JobError:
    """A job's end in the host's words, with the number that is the same in every language."""
    number, words = problem
    return JobError(code, f"{what}: {words} (0x{number:08X}).", number)


def configurations(machine: Machine) -> list[Configuration]:
    return [machine.current, *machine.checkpoints.values()]


def image_path(image: object) -> str:
    """The file a storage allocation names."""
    from tui.wsman.cim import CimInstance

    assert isinstance(image, CimInstance)
    return "".join(shapes.strings(image, "HostResource")[:1])


def held(configuration: Configuration) -> Iterator[str]:
    """Paths of the images in a configuration's drives."""
    for image in configuration.of("Msvm_StorageAllocationSettingData"):
        path = image_path(image)
        if path:
            yield path


def everyone(host: SimHost) -> Iterator[Machine]:
    """The machines that can open this host's files: those of the cluster and of shares."""
    cluster, shares = host.plan.cluster, set(host.plan.shares)
    for one in host.fabric.hosts.values():
        together = (cluster and one.plan.cluster == cluster) or shares.intersection(one.plan.shares)
        if one is host or together:
            yield from (machine for machine in list(one.machines.values()) if not machine.gone)


def holders(host: SimHost, file: VirtualFile) -> list[Machine]:
    """Machines that use an image now, directly or as an ancestor of what they use."""
    return [
        machine
        for machine in everyone(host)
        if any(_within(host, machine.host, path, file) for path in held(machine.current))
    ]


def _within(host: SimHost, owner: SimHost, path: str, file: VirtualFile) -> bool:
    """A path on its owner leads to a file of the host, directly or through its children."""
    if path.lower() == file.key:
        return owner.files.shelf(path) is host.files.shelf(path)
    return any(one is file for one in owner.files.chain(path)[1:])


def running(host: SimHost, file: VirtualFile) -> list[Machine]:
    """Machines that have it open."""
    return [machine for machine in holders(host, file) if machine.alive]


def locked(host: SimHost, file: VirtualFile, but: Machine | None = None) -> bool:
    """Somebody has the file open: a running machine, the host, or a job."""
    if file.busy or file.mounted:
        return True
    return any(machine is not but for machine in running(host, file))


def check_free(host: SimHost, what: str, files: Iterable[VirtualFile]) -> JobError | None:
    """Why files may not be changed: somebody has them open."""
    for file in files:
        if locked(host, file):
            return trouble(f"{what} '{file.path}'", SHARING)
    return None


def check_childless(host: SimHost, what: str, file: VirtualFile) -> JobError | None:
    """Why a file may not be changed: other images need it as it is."""
    below = host.files.children(file.path)
    if not below:
        return None
    words = f"It is the parent of {len(below)} differencing disk(s), '{below[0].path}' among them."
    return JobError(IN_USE, f"{what} '{file.path}': {words} (0xC03A0018).", 0xC03A0018)


def check_place(host: SimHost, what: str, path: str, needed: int) -> JobError | None:
    """Why no file can be made at a path."""
    files = host.files
    if path in files:
        return trouble(f"{what} '{path}'", EXISTS)
    if not files.has_folder(path.rpartition("\\")[0]):
        return trouble(f"{what} '{path}'", NO_FOLDER)
    if files.free(path) < needed:
        return trouble(f"{what} '{path}'", FULL)
    return None


def check_attach(host: SimHost, machine: Machine, path: str, *, iso: bool) -> JobError | None:
    """Why an image cannot be put into a machine's drive."""
    what = f"'{machine.name}' failed to add device. (Virtual machine ID {machine.id}) '{path}'"
    file = host.files.get(path)
    if file is None:
        return trouble(what, MISSING)
    if iso:
        return None
    if not file.kind:
        return trouble(what, CORRUPT)
    if locked(host, file, machine):
        return trouble(what, SHARING)
    return None


def check_open(machine: Machine) -> JobError | None:
    """Why a machine cannot open the images in its drives."""
    host = machine.host
    for image in machine.images:
        path = image_path(image)
        what = (
            f"'{machine.name}' failed to start. (Virtual machine ID {machine.id}) "
            f"Attachment '{path}'"
        )
        chain = host.files.chain(path) if path else []
        if not chain:
            number, words = MISSING
            return JobError(FAILED, f"{what} not found. Error: '{words}' (0x{number:08X}).", number)
        if chain[-1].parent:
            return trouble(f"{what} with parent '{chain[-1].parent}'", PARENT_GONE)
        if image.values["Access"] == 1 or image.values["PersistentReservationsSupported"]:
            continue
        if any(locked(host, file, machine) and not _shared(host, file) for file in chain):
            return trouble(what, SHARING)
    return None


def _shared(host: SimHost, file: VirtualFile) -> bool:
    """A parent of several images is only read, so that many machines may have it open."""
    return not file.busy and not file.mounted and len(host.files.children(file.path)) > 1

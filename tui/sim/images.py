"""What the methods on disk images share: finding the file, starting the storage job, geometry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.sim import disks, files, shapes
from tui.sim.files import DIFFERENCING, FIXED, GIB, HEADER, MB, VHD, VHDX, VirtualFile
from tui.sim.jobs import JobError, Work
from tui.sim.outcome import INVALID, NOT_FOUND, Call, Stop
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.embedded import to_text
from tui.wsman.reply import MethodOutput

SETTINGS, STATE = "Msvm_VirtualHardDiskSettingData", "Msvm_VirtualHardDiskState"
CREATION, FLOPPY, COMPACTION, EXPANSION, MERGING, CONVERSION, MOUNT, INFO, CHECK = range(1, 10)
WORDS = {
    CREATION: "Creating Virtual Hard Disk",
    FLOPPY: "Creating Virtual Floppy Disk",
    COMPACTION: "Compacting Virtual Hard Disk",
    EXPANSION: "Resizing Virtual Hard Disk",
    MERGING: "Merging Virtual Hard Disk",
    CONVERSION: "Converting Virtual Hard Disk",
    MOUNT: "Attaching Virtual Hard Disk",
    INFO: "Setting Virtual Hard Disk Information",
    CHECK: "Validating Virtual Hard Disk",
}
"""JobType of Msvm_StorageJob and its name."""
SMALLEST = 3 * MB
LARGEST = {VHD: 2040 * GIB, VHDX: 64 << 40}
RATE = GIB
"""Bytes that the storage of a host copies or clears in a second."""


def seconds(size: int, *, least: float = 0.6) -> float:
    return least + size / RATE


def path_in(call: Call, name: str) -> str:
    """A path parameter; 32773 when it is none."""
    path = files.clean(call.text(name))
    if not path:
        raise Stop(INVALID)
    return path


def image(call: Call, name: str = "Path") -> VirtualFile:
    """The disk image a parameter names; 32779 when there is none."""
    return image_at(call, path_in(call, name))


def image_at(call: Call, path: str) -> VirtualFile:
    call.host.files.settle()
    file = call.host.files.get(path)
    if file is None:
        raise Stop(NOT_FOUND)
    if not file.kind:
        raise Stop(INVALID)
    return file


def settings(call: Call, name: str = "VirtualDiskSettingData") -> CimInstance:
    given = call.embedded(call.get(name))
    if given.class_name != SETTINGS:
        raise Stop(INVALID)
    return given


@dataclass(frozen=True, slots=True)
class Step:
    """What a storage job does to files, before it is started."""

    kind: int
    seconds: float
    done: Callable[[float], None]
    error: JobError | None = None
    touched: Sequence[VirtualFile] = ()
    """Open while it runs."""
    made: Sequence[VirtualFile] = ()
    """New files, which go again when it fails; they take their space from the beginning."""
    child: str = ""
    parent: str = ""


def start(call: Call, step: Step) -> MethodOutput:
    """Answer with a Msvm_StorageJob; a step that has an error touches nothing."""
    store = call.host.files
    if step.error is not None:
        return call.job(_work(step, None, None))
    for file in step.made:
        store.add(file)
    for file in (*step.touched, *step.made):
        file.busy = True

    def release(at: float) -> None:
        for file in (*step.touched, *step.made):
            file.busy = False
            file.changed = at

    def done(at: float) -> tuple[CimRef, ...]:
        step.done(at)
        release(at)
        return ()

    def failed(at: float) -> None:
        release(at)
        for file in step.made:
            store.remove(file.path)

    return call.job(_work(step, done, failed))


def _work(
    step: Step,
    done: Callable[[float], tuple[CimRef, ...]] | None,
    failed: Callable[[float], None] | None,
) -> Work:
    return Work(
        step.kind,
        WORDS[step.kind],
        step.seconds if step.error is None else 0.6,
        done,
        failed,
        step.error,
        cancellable=True,
        class_name="Msvm_StorageJob",
        child=step.child,
        parent=step.parent,
    )


# -- reading -------------------------------------------------------------------------------


def smallest(file: VirtualFile) -> int:
    """The size below which a disk cannot be shrunk: where its last partition ends."""
    return max(SMALLEST, file.partitioned)


def settings_text(file: VirtualFile) -> str:
    """Msvm_VirtualHardDiskSettingData of an image, as CIM-XML."""
    child = file.kind == DIFFERENCING
    found = shapes.new(
        SETTINGS,
        InstanceID=f"Microsoft:{file.path}",
        ElementName=files.name_of(file.path),
        Caption="Virtual Hard Disk Setting Data",
        Description="Setting Data for a Virtual Hard Disk.",
        Path=file.path,
        Type=file.kind,
        Format=file.format,
        MaxInternalSize=file.size,
        BlockSize=file.block,
        LogicalSectorSize=file.sector,
        PhysicalSectorSize=file.physical,
        VirtualDiskId=file.identity,
        ParentPath=file.parent if child else None,
        ParentIdentifier=file.parent_identity if child else None,
        ParentTimestamp=shapes.when(file.made) if child else shapes.ZERO_TIME,
        DataAlignment=0,
        IsPmemCompatible=False,
        PmemAddressAbstractionType=0,
    )
    return to_text(found)


def state_text(call: Call, file: VirtualFile) -> str:
    """Msvm_VirtualHardDiskState of an image, as CIM-XML."""
    found = shapes.new(
        STATE,
        FileSize=file.used,
        InUse=disks.locked(call.host, file),
        MinInternalSize=file.partitioned,
        FragmentationPercentage=0 if file.kind == FIXED else len(file.path) * 7 % 40,
        Alignment=1,
        PhysicalSectorSize=file.physical,
        Timestamp=shapes.when(file.changed),
    )
    return to_text(found)


def bytes_on_disk(kind: int, size: int) -> int:
    """What a new image takes."""
    return size + HEADER if kind == FIXED else HEADER

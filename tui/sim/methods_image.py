"""Methods: making, reading, resizing and compacting disk images (Msvm_ImageManagementService)."""

from __future__ import annotations

from itertools import pairwise

from tui.sim import disks, files, images, shapes
from tui.sim.files import DIFFERENCING, DYNAMIC, FIXED, MB, VHD, VHDX, VirtualFile
from tui.sim.images import COMPACTION, CREATION, EXPANSION, FLOPPY, Step, seconds
from tui.sim.jobs import JobError
from tui.sim.outcome import FAILED, INVALID, NOT_FOUND, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance
from tui.wsman.reply import MethodOutput

FLOPPY_SIZE = 1474560
FULL, QUICK, RETRIM, PRETRIMMED, PREZEROED = range(5)


# -- creating ------------------------------------------------------------------------------


def create(call: Call) -> MethodOutput:
    given = images.settings(call)
    path = files.clean(shapes.text(given, "Path"))
    kind = shapes.number(given, "Type")
    wanted = _format(path, shapes.number(given, "Format"))
    if not path or kind not in (FIXED, DYNAMIC, DIFFERENCING):
        raise Stop(INVALID)
    parent = _parent_of(call, given, wanted) if kind == DIFFERENCING else None
    size = parent.size if parent is not None else _size(given, wanted)
    file = files.disk(path, size, images.bytes_on_disk(kind, size), kind)
    _geometry(file, given)
    if parent is not None:
        file.parent, file.parent_identity = parent.path, parent.identity
        file.partitioned = parent.partitioned
    error = disks.check_place(call.host, "The system failed to create", path, file.used)
    step = Step(
        CREATION,
        seconds(file.used),
        lambda at: None,
        error,
        made=(file,),
        child=path,
        parent=file.parent,
    )
    return images.start(call, step)


def _format(path: str, wanted: int) -> int:
    """The format a path ends in; 32773 when another one is asked for."""
    found = files.FORMATS.get(files.extension(path), 0)
    if not found or (wanted and wanted != found):
        raise Stop(INVALID)
    return found


def _size(given: CimInstance, wanted: int) -> int:
    size = shapes.number(given, "MaxInternalSize")
    if not images.SMALLEST <= size <= images.LARGEST.get(wanted, images.LARGEST[VHDX]):
        raise Stop(INVALID)
    return size - size % 512


def _parent_of(call: Call, given: CimInstance, wanted: int) -> VirtualFile:
    path = files.clean(shapes.text(given, "ParentPath"))
    if not path:
        raise Stop(INVALID)
    parent = images.image_at(call, path)
    if parent.format != wanted:
        raise Stop(INVALID)
    return parent


def _geometry(file: VirtualFile, given: CimInstance) -> None:
    """Block and sector sizes, which are powers of two within the bounds of the format."""
    block = shapes.number(given, "BlockSize")
    if block and file.kind != FIXED:
        low, high = (MB, 256 * MB) if file.format == VHDX else (512 << 10, 2 * MB)
        if not low <= block <= high or block & (block - 1):
            raise Stop(INVALID)
        file.block = block
    for name, key in (("LogicalSectorSize", "sector"), ("PhysicalSectorSize", "physical")):
        value = shapes.number(given, name)
        allowed = (512, 4096) if file.format == VHDX else (512,)
        if value and value not in allowed:
            raise Stop(INVALID)
        if value:
            setattr(file, key, value)


def create_floppy(call: Call) -> MethodOutput:
    path = images.path_in(call, "Path")
    if files.extension(path) != "vfd":
        raise Stop(INVALID)
    file = VirtualFile(path, FLOPPY_SIZE, FLOPPY_SIZE)
    error = disks.check_place(call.host, "The system failed to create", path, FLOPPY_SIZE)
    return images.start(call, Step(FLOPPY, 0.4, lambda at: None, error, made=(file,), child=path))


# -- reading -------------------------------------------------------------------------------


def get_settings(call: Call) -> MethodOutput:
    return returned(0, SettingData=images.settings_text(images.image(call)))


def get_state(call: Call) -> MethodOutput:
    return returned(0, State=images.state_text(call, images.image(call)))


# -- resizing ------------------------------------------------------------------------------


def resize(call: Call) -> MethodOutput:
    file = images.image(call)
    size = call.number("MaxInternalSize")
    low, high = images.SMALLEST, images.LARGEST.get(file.format, images.LARGEST[VHDX])
    if not low <= size <= high or size % 512 or size == file.size:
        raise Stop(INVALID)
    grown = size - file.size if file.kind == FIXED else 0

    def done(at: float) -> None:
        file.size = size
        file.used += grown
        if file.kind != FIXED:
            file.used = min(file.used, size + files.HEADER)
        file.live = min(file.live, file.used)

    step = Step(
        EXPANSION,
        seconds(max(0, grown)),
        done,
        _resize_error(call, file, size),
        touched=(file,),
        child=file.path,
    )
    return images.start(call, step)


def _resize_error(call: Call, file: VirtualFile, size: int) -> JobError | None:
    host, what = call.host, "The system failed to resize"
    named = f"{what} '{file.path}'"
    error = disks.check_childless(host, what, file)
    if error is not None:
        return error
    if file.automatic or (file.kind == DIFFERENCING and file.format == VHD):
        return disks.trouble(named, disks.UNSUITABLE)
    if disks.locked(host, file) and not _resizable_live(call, file):
        return disks.trouble(named, disks.SHARING)
    if size < file.size and file.format == VHD:
        return disks.trouble(named, disks.UNSUITABLE)
    if size < images.smallest(file):
        return disks.trouble(named, disks.TOO_SMALL)
    if file.kind == FIXED and size - file.size > host.files.free(file.path):
        return disks.trouble(named, disks.FULL)
    return None


def _resizable_live(call: Call, file: VirtualFile) -> bool:
    """A running machine lets its disk be resized when it is VHDX and hangs on SCSI."""
    if file.busy or file.mounted or file.format != VHDX:
        return False
    for machine in disks.running(call.host, file):
        for image in machine.images:
            path, place = disks.image_path(image), shapes.text(image, "InstanceID")
            if path.lower() == file.key and shapes.IDE in place:
                return False
    return True


# -- compacting ----------------------------------------------------------------------------


def compact(call: Call) -> MethodOutput:
    file = images.image(call)
    mode = call.number("Mode")
    if mode not in (FULL, QUICK, RETRIM, PRETRIMMED, PREZEROED):
        raise Stop(INVALID)
    host, what = call.host, "The system failed to compact"
    error = disks.check_free(host, what, (file,)) or disks.check_childless(host, what, file)
    if error is None and file.kind == FIXED:
        error = disks.trouble(f"{what} '{file.path}'", disks.UNSUITABLE)

    def done(at: float) -> None:
        spare = max(0, file.used - files.HEADER - file.live)
        file.used -= spare if mode in (FULL, PREZEROED) else spare // 2

    work = file.used // (1 if mode == FULL else 4)
    step = Step(COMPACTION, seconds(work), done, error, touched=(file,), child=file.path)
    return images.start(call, step)


# -- validating ----------------------------------------------------------------------------


def validate(call: Call) -> MethodOutput:
    """The file and every ancestor are there and belong together."""
    file = images.image(call)
    chain = call.host.files.chain(file.path)
    error = chain_error(f"The validation of '{file.path}' failed", chain)
    step = Step(images.CHECK, seconds(0, least=0.8), lambda at: None, error, child=file.path)
    return images.start(call, step)


def chain_error(what: str, chain: list[VirtualFile]) -> JobError | None:
    """Why a chain of images cannot be opened."""
    if chain[-1].parent:
        if any(one.key == chain[-1].parent.lower() for one in chain):
            return JobError(32787, f"{what}: a cycle in the chain of virtual hard disks.")
        return disks.trouble(what, disks.PARENT_GONE)
    for child, parent in pairwise(chain):
        if child.parent_identity and child.parent_identity != parent.identity:
            return disks.trouble(what, disks.MISMATCH)
    return None


def persistent_reservations(call: Call) -> MethodOutput:
    """Only shared volumes of a cluster can hold shared disks."""
    path = images.path_in(call, "Path")
    if call.host.files.volume(path) is None:
        raise Stop(NOT_FOUND)
    if not path.lower().startswith(files.SHARED):
        raise Stop(FAILED)
    return returned()


SERVICE = "Msvm_ImageManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "CreateVirtualHardDisk"): create,
    (SERVICE, "CreateVirtualFloppyDisk"): create_floppy,
    (SERVICE, "GetVirtualHardDiskSettingData"): get_settings,
    (SERVICE, "GetVirtualHardDiskState"): get_state,
    (SERVICE, "ResizeVirtualHardDisk"): resize,
    (SERVICE, "CompactVirtualHardDisk"): compact,
    (SERVICE, "ValidateVirtualHardDisk"): validate,
    (SERVICE, "ValidatePersistentReservationSupport"): persistent_reservations,
}

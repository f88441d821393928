"""Methods: chains of disk images: convert, merge, set the parent, change settings, attach."""

from __future__ import annotations

from tui.sim import disks, files, images, merging, shapes
from tui.sim.files import DIFFERENCING, DYNAMIC, FIXED, VirtualFile
from tui.sim.images import CONVERSION, INFO, MERGING, MOUNT, Step, seconds
from tui.sim.jobs import JobError
from tui.sim.methods_image import chain_error
from tui.sim.outcome import INVALID, NOT_FOUND, STATE, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance
from tui.wsman.reply import MethodOutput

MOUNTED = "Msvm_MountedStorageImage"
OBJECT_NOT_FOUND = 32789


def whole(chain: list[VirtualFile]) -> int:
    """Bytes that the contents of a chain take in one file."""
    data = sum(file.live for file in chain)
    return min(chain[0].size, data) + files.HEADER


def _sources(call: Call, what: str, file: VirtualFile) -> tuple[list[VirtualFile], JobError | None]:
    """An image with its ancestors, and why they cannot be read."""
    chain = call.host.files.chain(file.path)
    error = disks.check_free(call.host, what, chain[:1])
    return chain, error or chain_error(f"{what} '{file.path}'", chain)


# -- converting ----------------------------------------------------------------------------


def convert(call: Call) -> MethodOutput:
    """A new file with the same contents; the source stays."""
    source = images.image(call, "SourcePath")
    given = images.settings(call)
    path = files.clean(shapes.text(given, "Path"))
    kind = shapes.number(given, "Type") or DYNAMIC
    wanted = files.FORMATS.get(files.extension(path), 0)
    asked = shapes.number(given, "Format") or wanted
    if not wanted or asked != wanted or kind not in (FIXED, DYNAMIC):
        raise Stop(INVALID)
    if source.size > images.LARGEST.get(wanted, source.size):
        raise Stop(INVALID)
    what = "The system failed to convert"
    chain, error = _sources(call, what, source)
    used = source.size + files.HEADER if kind == FIXED else whole(chain)
    target = files.disk(path, source.size, used, kind)
    target.live, target.partitioned = whole(chain) - files.HEADER, source.partitioned
    error = error or disks.check_place(call.host, what, path, used)
    step = Step(
        CONVERSION,
        seconds(used),
        lambda at: None,
        error,
        touched=(source,),
        made=(target,),
        child=path,
        parent=source.path,
    )
    return images.start(call, step)


# -- merging -------------------------------------------------------------------------------


def merge(call: Call) -> MethodOutput:
    """Into an ancestor, whereupon the files between go; or into a new file, and nothing goes."""
    source = images.image(call, "SourcePath")
    path = images.path_in(call, "DestinationPath")
    if source.kind != DIFFERENCING:
        raise Stop(INVALID)
    chain = call.host.files.chain(source.path)
    place = next((n for n, file in enumerate(chain) if n and file.key == path.lower()), 0)
    return _merge_down(call, chain[: place + 1]) if place else _merge_out(call, source, path)


def _merge_down(call: Call, chain: list[VirtualFile]) -> MethodOutput:
    host, what = call.host, "The system failed to merge"
    source, target = chain[0], chain[-1]
    error = disks.check_childless(host, what, source) or disks.check_free(host, what, chain)
    for file in chain[1:]:
        others = [c for c in host.files.children(file.path) if c not in chain]
        if error is None and others:
            error = disks.check_childless(host, what, file)
    more = sum(merging.growth(target, file) for file in chain[:-1])
    if error is None and more > host.files.free(target.path):
        error = disks.trouble(f"{what} '{source.path}'", disks.FULL)

    def done(at: float) -> None:
        for file in chain[-2::-1]:
            merging.absorb(host, target, file)

    work = sum(file.used for file in chain[:-1])
    step = Step(MERGING, seconds(work), done, error, chain, child=source.path, parent=target.path)
    return images.start(call, step)


def _merge_out(call: Call, source: VirtualFile, path: str) -> MethodOutput:
    what = "The system failed to merge"
    chain, error = _sources(call, what, source)
    if files.FORMATS.get(files.extension(path), 0) != source.format:
        raise Stop(INVALID)
    target = files.disk(path, source.size, whole(chain))
    target.partitioned = source.partitioned
    error = error or disks.check_place(call.host, what, path, target.used)
    step = Step(
        MERGING,
        seconds(target.used),
        lambda at: None,
        error,
        (source,),
        (target,),
        source.path,
        path,
    )
    return images.start(call, step)


# -- settings ------------------------------------------------------------------------------


def set_parent(call: Call) -> MethodOutput:
    child, parent = images.image(call, "ChildPath"), images.image(call, "ParentPath")
    if child.kind != DIFFERENCING or child is parent or child.format != parent.format:
        raise Stop(INVALID)
    what = f"The system failed to reconnect '{child.path}' to '{parent.path}'"
    error = disks.check_free(call.host, what, (child,))
    if error is None and child in call.host.files.chain(parent.path):
        error = JobError(32787, f"{what}: a cycle in the chain of virtual hard disks.")
    known = child.parent_identity == parent.identity or bool(call.get("IgnoreIDMismatch"))
    if error is None and (not known or child.size < parent.size):
        error = disks.trouble(what, disks.MISMATCH)

    def done(at: float) -> None:
        child.parent, child.parent_identity = parent.path, parent.identity

    step = Step(INFO, 0.6, done, error, (child,), child=child.path, parent=parent.path)
    return images.start(call, step)


def set_settings(call: Call) -> MethodOutput:
    """Sector size, identifier and parent of an image nobody has open."""
    given = images.settings(call)
    path = files.clean(shapes.text(given, "Path"))
    if not path:
        raise Stop(INVALID)
    file = images.image_at(call, path)
    physical = shapes.number(given, "PhysicalSectorSize") or file.physical
    parent = _new_parent(call, file, given)
    if physical not in (512, 4096) or (physical != file.physical and file.format == files.VHD):
        raise Stop(INVALID)
    error = disks.check_free(call.host, "The system failed to change", (file,))

    def done(at: float) -> None:
        file.physical = physical
        file.identity = shapes.text(given, "VirtualDiskId") or file.identity
        if parent is not None:
            file.parent, file.parent_identity = parent.path, parent.identity

    return images.start(call, Step(INFO, 0.5, done, error, (file,), child=file.path))


def _new_parent(call: Call, file: VirtualFile, given: CimInstance) -> VirtualFile | None:
    wanted = shapes.text(given, "ParentPath")
    if not wanted or wanted.lower() == file.parent.lower():
        return None
    if file.kind != DIFFERENCING:
        raise Stop(INVALID)
    return images.image_at(call, files.clean(wanted) or wanted)


# -- attaching to the host -----------------------------------------------------------------


def attach(call: Call) -> MethodOutput:
    path = images.path_in(call, "Path")
    file = call.host.files.get(path)
    if file is None:
        raise Stop(NOT_FOUND)
    error = disks.check_free(call.host, "The system failed to attach", (file,))
    iso = files.extension(path) == "iso"

    def done(at: float) -> None:
        file.mounted = True
        call.host.repository.add(_mounted(call, file, iso=iso))

    return images.start(call, Step(MOUNT, 1.0, done, error, (file,), child=path))


def _mounted(call: Call, file: VirtualFile, *, iso: bool) -> CimInstance:
    return shapes.new(
        MOUNTED,
        Lun=call.host.next_number() % 64,
        PathId=0,
        PortNumber=1,
        TargetId=0,
        Name=file.path,
        ElementName="Mounted Storage Image",
        Caption="Mounted Storage Image",
        Description="Mounted Storage Image",
        Access=1 if iso or call.get("ReadOnly") else 2,
        Type=int(iso),
        HealthState=5,
        Status="OK",
        OperationalStatus=(2,),
        PnpDevicePath="\\\\?\\scsi#disk&ven_msft&prod_virtual_disk",
    )


def find_mounted(call: Call) -> MethodOutput:
    """By the path of the image, the one criterion that clients use."""
    wanted = files.clean(call.text("SelectionCriterion")).lower()
    if not wanted:
        raise Stop(INVALID)
    if wanted not in call.host.files:
        raise Stop(NOT_FOUND)
    for item in call.host.repository.instances(shapes.VIRTUALIZATION, MOUNTED):
        if shapes.text(item, "Name").lower() == wanted:
            return returned(0, Image=call.host.repository.ref_of(item))
    raise Stop(OBJECT_NOT_FOUND)


def detach(call: Call) -> MethodOutput:
    file = call.host.files.get(shapes.text(call.instance, "Name"))
    if file is None or not file.mounted:
        raise Stop(STATE)
    file.mounted = False
    call.host.repository.remove(call.instance)
    return returned()


SERVICE = "Msvm_ImageManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ConvertVirtualHardDisk"): convert,
    (SERVICE, "MergeVirtualHardDisk"): merge,
    (SERVICE, "SetParentVirtualHardDisk"): set_parent,
    (SERVICE, "SetVirtualHardDiskSettingData"): set_settings,
    (SERVICE, "AttachVirtualHardDisk"): attach,
    (SERVICE, "FindMountedStorageImageInstance"): find_mounted,
    (MOUNTED, "DetachVirtualHardDisk"): detach,
}

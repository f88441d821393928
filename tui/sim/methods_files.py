"""Methods: files and folders of the host (CIM_DataFile, Win32_Directory)."""

from __future__ import annotations

from tui.sim import disks, files, shapes, windows_files
from tui.sim.files import VirtualFile
from tui.sim.outcome import Call, Method, returned
from tui.wsman.reply import MethodOutput

DONE, DENIED, FAILED, NAME, EXISTS, ELSEWHERE, SHARING, WRONG = 0, 2, 8, 9, 10, 13, 15, 21


def _file(call: Call) -> VirtualFile | None:
    return call.host.files.get(shapes.text(call.instance, "Name"))


def delete(call: Call) -> MethodOutput:
    """Remove a file; one that a running machine or a job has open stays."""
    file = _file(call)
    if file is None:
        return returned(DENIED)
    if disks.locked(call.host, file):
        return returned(SHARING)
    call.host.files.remove(file.path)
    return returned(DONE)


def rename(call: Call) -> MethodOutput:
    """Move a file within its volume."""
    file, path = _file(call), files.clean(call.text("FileName"))
    if file is None:
        return returned(DENIED)
    problem = _obstacle(call, file, path)
    if problem:
        return returned(problem)
    if call.host.files.volume(path) is not call.host.files.volume(file.path):
        return returned(ELSEWHERE)
    call.host.files.move(file, path)
    return returned(DONE)


def copy(call: Call) -> MethodOutput:
    file, path = _file(call), files.clean(call.text("FileName"))
    if file is None:
        return returned(DENIED)
    problem = _obstacle(call, file, path)
    if problem:
        return returned(problem)
    if call.host.files.free(path) < file.used:
        return returned(FAILED)
    twin = VirtualFile(path, file.size, file.used, file.parent, file.kind)
    for name in ("live", "partitioned", "block", "identity", "parent_identity", "content"):
        setattr(twin, name, getattr(file, name))
    call.host.files.add(twin)
    return returned(DONE)


def _obstacle(call: Call, file: VirtualFile, path: str) -> int:
    if not path:
        return WRONG
    if disks.locked(call.host, file):
        return SHARING
    if path in call.host.files:
        return EXISTS
    return DONE if call.host.files.has_folder(files.folder_of(path)) else NAME


def delete_folder(call: Call) -> MethodOutput:
    """Remove a folder with everything in it, or nothing of it."""
    path = shapes.text(call.instance, "Name")
    store = call.host.files
    if len(path.rstrip("\\")) < 3 or any(
        v.name.rstrip("\\").lower() == path.rstrip("\\") for v in call.host.plan.volumes
    ):
        return returned(DENIED)
    if any(disks.locked(call.host, file) for file in store.below(path)):
        return returned(SHARING)
    store.drop_folder(path)
    return returned(DONE)


METHODS: dict[tuple[str, str], Method] = {
    (windows_files.FILE, "Delete"): delete,
    (windows_files.FILE, "Rename"): rename,
    (windows_files.FILE, "Copy"): copy,
    (windows_files.FOLDER, "Delete"): delete_folder,
}

"""Where the merging of a machine's disks stands: what deleted checkpoints have left on them."""

from __future__ import annotations

from enum import StrEnum

from tui.hyperv.model import Checkpoint, Vm
from tui.hyperv.ops.images import is_automatic
from tui.hyperv.sheet import Sheet

ACTIVITY = 32772
"""OperationalStatus of a machine whose disks are being merged."""


class Merge(StrEnum):
    """How the merging of a machine's disks stands."""

    NONE = ""
    """Nothing is left to merge."""
    RUNNING = "running"
    WAITING = "waiting"
    DISABLED = "disabled"


def standing(vm: Vm, activity: int, sheet: Sheet | None = None) -> Merge:
    """How it stands, as far as it is known; with the machine in full also below checkpoints."""
    if activity == ACTIVITY:
        return Merge.RUNNING
    if vm.merging is False:
        return Merge.DISABLED
    return Merge.WAITING if left(vm, sheet) else Merge.NONE


def left(vm: Vm, sheet: Sheet | None = None) -> int:
    """Images that no checkpoint needs any more; each drive alone when there are checkpoints."""
    if sheet is None:
        return 0 if vm.checkpoints else sum(is_automatic(disk.path) for disk in vm.disks)
    needed = _needed(vm.checkpoints)
    made = [sum(is_automatic(image.path) for image in drive.chain) for drive in sheet.drives]
    return sum(max(0, number - needed) for number in made)


def _needed(points: tuple[Checkpoint, ...]) -> int:
    """The longest a chain may be: one image for each checkpoint that now hangs below."""
    parents = {point.id: point.parent for point in points}
    at = next((point.id for point in points if point.current), "")
    above: set[str] = set()
    while at in parents and at not in above:
        above.add(at)
        at = parents[at]
    backups = {point.id for point in points if point.kind not in ("standard", "production")}
    return len(above | backups)

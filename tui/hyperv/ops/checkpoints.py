"""Checkpoints of a virtual machine: create, apply, rename, delete, and the merging of disks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.errors import HvError, Refused
from tui.hyperv import clean, paths
from tui.hyperv.ops.calling import by_instance_id, embedded, invoke, modify_settings, service_ref
from tui.hyperv.ops.calling import vm_ref as machine_ref
from tui.hyperv.ops.making import Making
from tui.hyperv.outcome import Done, Outcome, Step, Steps
from tui.wsman.cim import CimRef, CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_SETTINGS = "Msvm_VirtualSystemSettingData"
_MERGING = "Msvm_DiskMergeSettingData"
_FULL = 2
_MERGE = 1


def _service() -> CimRef:
    return service_ref("Msvm_VirtualSystemSnapshotService")


# -- create --------------------------------------------------------------------------------


def create(
    client: CimClient,
    vm_id: str,
    name: str,
    *,
    title: str = "",
    policy: tuple[int, int] | None = None,
) -> Steps:
    """A new checkpoint, renamed to ``title`` if given: hosts take no name when they make one.

    ``policy``: UserSnapshotType as it is and as this one checkpoint wants it. The host takes the
    type from the machine's settings, so these are changed for its sake and changed back, whatever
    becomes of it.
    """
    with Making(f"Creating a checkpoint of {name}") as making:
        yield from _taken(client, vm_id, name, policy, making)
        if title:
            made = _newest(client, vm_id, name)
            making.undo = ("checkpoint.delete", vm_id, {"checkpoint": made})
            yield Step("Naming it", rename(client, name, made, title))


def _taken(
    client: CimClient,
    vm_id: str,
    name: str,
    policy: tuple[int, int] | None,
    making: Making,
) -> Steps:
    before, wanted = policy or (0, 0)
    changed = before != wanted
    notice = f"the checkpoint type of {name} changed"
    if changed:
        yield Step("Choosing its type", _set_type(client, vm_id, name, wanted))
        making.add(notice)
        making.undo = ("vm.set-automatic", vm_id, {"checkpoint_type": before})
    try:
        outcome = invoke(
            client, _service(), "CreateSnapshot", "create a checkpoint of", name,
            AffectedSystem=machine_ref(vm_id), SnapshotSettings="", SnapshotType=_FULL,
        )  # fmt: skip
        yield Step("Creating the checkpoint", outcome)
    except HvError:
        if changed:
            yield Step("Putting the type back", _set_type(client, vm_id, name, before))
            making.drop(notice)
        raise
    making.add(f"a checkpoint of {name}")
    if changed:
        yield Step("Putting the type back", _set_type(client, vm_id, name, before))
        making.drop(notice)
        making.undo = None


def _set_type(client: CimClient, vm_id: str, name: str, policy: int) -> Outcome:
    return modify_settings(
        client, vm_id, name, "set the checkpoint type of", {"UserSnapshotType": policy}
    )


def _newest(client: CimClient, vm_id: str, name: str) -> str:
    """The checkpoint that the machine hangs below now: the one just made."""
    settings = client.get(by_instance_id(_SETTINGS, f"Microsoft:{vm_id}"))
    found = clean.text(paths.key(settings.get("Parent"), "InstanceID"))
    if not found:
        raise Refused(
            f"The new checkpoint of {name} has no name yet",
            cause="the host does not show which one it is",
            hint="rename it once it shows",
        )
    return found


# -- apply ---------------------------------------------------------------------------------


def apply(
    client: CimClient,
    vm_id: str,
    name: str,
    checkpoint: str,
    *,
    stop: Callable[[], Outcome] | None = None,
    safety: str | None = None,
) -> Steps:
    """Bring a machine back to a checkpoint.

    ``safety`` names a checkpoint of how it is now, taken first. ``stop`` turns off or saves a
    machine at work: hosts apply checkpoints only to machines that stand still.
    """
    with Making(f"Applying a checkpoint to {name}") as making:
        if safety is not None:
            yield from _taken(client, vm_id, name, None, making)
            made = _newest(client, vm_id, name)
            making.undo = ("checkpoint.delete", vm_id, {"checkpoint": made})
            if safety:
                yield Step("Naming the safety checkpoint", rename(client, name, made, safety))
        if stop is not None:
            yield Step("Stopping the machine", stop())
            making.add(f"{name} stopped")
        outcome = invoke(
            client, _service(), "ApplySnapshot", "apply a checkpoint to", name,
            Snapshot=by_instance_id(_SETTINGS, checkpoint),
        )  # fmt: skip
        yield Step("Applying the checkpoint", outcome)


# -- rename, delete ------------------------------------------------------------------------


def rename(client: CimClient, name: str, checkpoint: str, title: str) -> Outcome:
    """Give a checkpoint another name."""
    text = embedded(_SETTINGS, {"InstanceID": checkpoint, "ElementName": title})
    return invoke(
        client, service_ref(), "ModifySystemSettings", "rename a checkpoint of", name,
        SystemSettings=text,
    )  # fmt: skip


def delete(client: CimClient, name: str, checkpoint: str) -> Outcome:
    """Delete one; its children hang below its parent then, and its disks are merged."""
    return invoke(
        client, _service(), "DestroySnapshot", "delete a checkpoint of", name,
        AffectedSnapshot=by_instance_id(_SETTINGS, checkpoint),
    )  # fmt: skip


def delete_tree(client: CimClient, name: str, checkpoint: str) -> Outcome:
    """Delete one with everything below it."""
    return invoke(
        client, _service(), "DestroySnapshotTree", "delete checkpoints of", name,
        SnapshotSettingData=by_instance_id(_SETTINGS, checkpoint),
    )  # fmt: skip


# -- merging -------------------------------------------------------------------------------


def enable_merge(client: CimClient, vm_id: str, name: str) -> Outcome:
    """Let the host merge what deleted checkpoints have left, after it had been told not to."""
    rows = client.query(VIRTUALIZATION, f"SELECT * FROM {_MERGING}")
    mine = [row for row in rows if paths.owner(row.get("InstanceID")) == vm_id.upper()]
    if not mine:
        raise Refused(
            f"{name} has no setting for merging",
            cause="its host knows no such setting and always merges",
        )
    if mine[0].get("EnabledState") == _MERGE:
        return Done()
    values: dict[str, CimValue] = {
        "InstanceID": clean.text(mine[0].get("InstanceID")),
        "EnabledState": _MERGE,
    }
    return invoke(
        client, service_ref(), "ModifyDiskMergeSettings", "enable merging of", name,
        SettingData=embedded(_MERGING, values),
    )  # fmt: skip

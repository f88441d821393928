"""Methods: checkpoints of virtual machines (Msvm_VirtualSystemSnapshotService)."""

from __future__ import annotations

from tui.sim import create, disks, merging, papers, power, replication, shapes
from tui.sim.files import MB
from tui.sim.jobs import JobError, Work
from tui.sim.machine import OFF, PAUSED, RUNNING, SAVED, Configuration, Machine
from tui.sim.merging import APPLYING, CREATING, DELETING, activity, idle
from tui.sim.outcome import FAILED, INVALID, STATE, Call, Method, Stop
from tui.sim.plan import CheckpointPlan
from tui.wsman.cim import CimRef
from tui.wsman.reply import MethodOutput

FULL, DISK, RECOVERY = 2, 3, 32768
DISABLED, FALLBACK, PRODUCTION_ONLY, STANDARD = 2, 3, 4, 5


def create_snapshot(call: Call) -> MethodOutput:
    machine = call.free(call.machine(call.get("AffectedSystem")))
    kind = call.number("SnapshotType", FULL)
    if kind not in (FULL, DISK, RECOVERY):
        raise Stop(INVALID)
    if call.text("SnapshotSettings").strip():
        given = call.embedded(call.get("SnapshotSettings"))
        if given.class_name != "Msvm_VirtualSystemSnapshotSettingData":
            raise Stop(INVALID)
    policy = shapes.number(machine.settings, "UserSnapshotType")
    if machine.replica is not None and replication.start_refusal(machine):
        raise Stop(STATE)
    if machine.state not in (RUNNING, OFF, SAVED, PAUSED) or (policy == DISABLED and kind == FULL):
        raise Stop(STATE)
    plan, error = _plan(machine, kind, policy)
    error = error or _lacks_room(machine, plan)
    activity(machine, CREATING)
    memory = shapes.number(machine.memory_setting(), "VirtualQuantity") / 1024
    seconds = 1.5 + (memory / 4 if plan.kind == "standard" and machine.alive else 1.0)
    identity = shapes.guid(
        call.host.fabric.random(machine.id, "checkpoint", call.host.next_number())
    )

    def done(at: float) -> tuple[CimRef, ...]:
        made = create.add_checkpoint(machine, plan, identity, at)
        idle(machine)
        return (shapes.setting_ref(made),)

    work = Work(
        70,
        "Creating Virtual Machine Checkpoint",
        seconds,
        done,
        lambda at: idle(machine),
        error,
        cancellable=True,
    )
    return call.job(work, machine)


def _plan(machine: Machine, kind: int, policy: int) -> tuple[CheckpointPlan, JobError | None]:
    """Production when the policy and the guest allow it, standard otherwise."""
    if kind == RECOVERY:
        return CheckpointPlan("", 0.0, "recovery"), None
    able = not machine.alive or machine.responsive(machine.host.fabric.now())
    if policy == STANDARD or (policy == FALLBACK and not able):
        return CheckpointPlan("", 0.0, "standard"), None
    error = None
    if not able:
        text = f"Production checkpoints cannot be created for '{machine.name}'."
        error = JobError(FAILED, f"{text} (Virtual machine ID {machine.id})")
    return CheckpointPlan("", 0.0, "production"), error


def _lacks_room(machine: Machine, plan: CheckpointPlan) -> JobError | None:
    """The new differencing disks, and memory that is to be saved, must fit."""
    needed = 64 * MB * max(1, len(machine.images))
    if plan.kind == "standard" and machine.alive:
        needed += shapes.number(machine.memory_setting(), "VirtualQuantity") * MB
    root = shapes.text(machine.settings, "SnapshotDataRoot")
    if machine.host.files.free(root) >= needed:
        return None
    what = f"Checkpoint operation for '{machine.name}' failed. (Virtual machine ID {machine.id})"
    return disks.trouble(what, disks.FULL)


# -- finding -------------------------------------------------------------------------------


def _checkpoint(call: Call, name: str) -> tuple[Machine, str]:
    ref = call.ref(call.get(name))
    owner = call.host.owner_of(ref.key("InstanceID") or "?")
    if owner is None or not owner[1]:
        raise Stop(INVALID)
    call.free(owner[0])
    return owner


def _parent(machine: Machine, configuration: Configuration) -> str:
    """GUID of the checkpoint a configuration hangs below; empty at the root."""
    path = shapes.text(configuration.settings, "Parent").upper()
    return next((key for key in machine.checkpoints if key in path), "")


def _children(machine: Machine, identity: str) -> list[Configuration]:
    everyone = [machine.current, *machine.checkpoints.values()]
    return [c for c in everyone if _parent(machine, c) == identity]


# -- deleting ------------------------------------------------------------------------------


def destroy(call: Call) -> MethodOutput:
    machine, identity = _checkpoint(call, "AffectedSnapshot")
    return _delete(call, machine, [identity])


def destroy_tree(call: Call) -> MethodOutput:
    machine, identity = _checkpoint(call, "SnapshotSettingData")
    doomed = [identity]
    for key in doomed:
        below = _children(machine, key)
        doomed += [k for k, c in machine.checkpoints.items() if any(c is b for b in below)]
    return _delete(call, machine, doomed[::-1])


def _delete(call: Call, machine: Machine, doomed: list[str]) -> MethodOutput:
    activity(machine, DELETING)

    def done(at: float) -> tuple[CimRef, ...]:
        before = merging.owned(machine)
        for key in doomed:
            take_out(machine, key)
        merging.sweep(machine, before)
        idle(machine)
        merging.begin(machine)
        return ()

    work = Work(72, "Deleting Virtual Machine Checkpoint", 1.2, done, lambda at: idle(machine))
    return call.job(work, machine)


def take_out(machine: Machine, identity: str) -> None:
    """Remove a checkpoint; its children hang below its parent. Its disks stay as long as needed."""
    gone = machine.checkpoints.get(identity)
    if gone is None:
        return
    children = _children(machine, identity)
    for child in children:
        child.settings.values["Parent"] = gone.settings.values["Parent"]
    papers.erase(machine, identity)
    del machine.checkpoints[identity]
    store = machine.host.repository
    store.remove(gone.settings)
    for item in gone.resources.values():
        store.remove(item)


# -- applying ------------------------------------------------------------------------------


def apply(call: Call) -> MethodOutput:
    """The machine must be off or saved; afterwards it is as the checkpoint was."""
    machine, identity = _checkpoint(call, "Snapshot")
    if machine.state not in (OFF, SAVED):
        raise Stop(STATE)
    activity(machine, APPLYING)

    def done(at: float) -> tuple[CimRef, ...]:
        checkpoint = machine.checkpoints.get(identity)
        if checkpoint is None:
            raise JobError(FAILED, "The checkpoint is gone.")
        restore(machine, checkpoint, identity)
        (power.saved if checkpoint.settings.values["IsSaved"] else power.off)(machine, at)
        return ()

    words = "Applying Virtual Machine Checkpoint"
    return call.job(Work(71, words, 2.0, done, lambda at: idle(machine)), machine)


def restore(machine: Machine, checkpoint: Configuration, identity: str) -> None:
    store = machine.host.repository
    before = merging.owned(machine)
    for item in machine.current.resources.values():
        store.remove(item)
    copy = create.copy_of(checkpoint, identity, machine.id)
    keep = ("ElementName", "VirtualSystemType", "ConfigurationID", "CreationTime", "Description")
    kept = {name: machine.settings.values[name] for name in (*keep, "UserSnapshotType")}
    machine.settings.values.update(copy.settings.values)
    machine.settings.values.update(kept)
    machine.settings.values["IsAutomaticSnapshot"] = False
    machine.settings.values["Parent"] = shapes.setting_path(machine.host.name, checkpoint.settings)
    machine.current.resources = copy.resources
    branch = shapes.guid(machine.host.fabric.random(machine.id, machine.host.next_number()))
    for image in machine.images:
        create.branch(machine, image, branch)
    for item in copy.resources.values():
        store.add(item)
    merging.sweep(machine, before)
    merging.begin(machine)


def clear_state(call: Call) -> MethodOutput:
    machine, identity = _checkpoint(call, "SnapshotSettingData")
    settings = machine.checkpoints[identity].settings

    def done(at: float) -> tuple[CimRef, ...]:
        settings.values["IsSaved"] = False
        papers.write_checkpoint(machine, identity)
        return ()

    return call.job(Work(73, "Clearing Virtual Machine Checkpoint State", 0.5, done), machine)


def modify_merging(call: Call) -> MethodOutput:
    """Switch the merging of a machine's disks off or on; on, and what waited begins."""
    given = call.embedded(call.get("SettingData"))
    state = given.values.get("EnabledState")
    if given.class_name != merging.SETTING or state not in (
        merging.TEMPORARILY_DISABLED,
        merging.ENABLED,
    ):
        raise Stop(INVALID)
    owner = call.host.owner_of(shapes.text(given, "InstanceID") or "?")
    if owner is None or owner[1]:
        raise Stop(INVALID)
    machine = owner[0]

    def done(at: float) -> tuple[CimRef, ...]:
        machine.merge_disabled = state == merging.TEMPORARILY_DISABLED
        merging.begin(machine)
        return ()

    return call.job(Work(31, "Modifying Virtual Machine Resources", 0.3, done), machine)


SERVICE = "Msvm_VirtualSystemSnapshotService"
MANAGEMENT = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "CreateSnapshot"): create_snapshot,
    (SERVICE, "DestroySnapshot"): destroy,
    (SERVICE, "DestroySnapshotTree"): destroy_tree,
    (SERVICE, "ApplySnapshot"): apply,
    (SERVICE, "ClearSnapshotState"): clear_state,
    (MANAGEMENT, "ModifyDiskMergeSettings"): modify_merging,
}

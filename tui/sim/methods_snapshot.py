"""Methods: checkpoints of virtual machines (Msvm_VirtualSystemSnapshotService)."""

from __future__ import annotations

from tui.sim import create, power, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.machine import OFF, PAUSED, RUNNING, SAVED, Configuration, Machine
from tui.sim.outcome import FAILED, INVALID, STATE, Call, Method, Stop
from tui.sim.plan import CheckpointPlan
from tui.wsman.cim import CimRef
from tui.wsman.reply import MethodOutput

FULL, DISK, RECOVERY = 2, 3, 32768
DISABLED, FALLBACK, PRODUCTION_ONLY, STANDARD = 2, 3, 4, 5
CREATING, APPLYING, DELETING, MERGING = 32768, 32769, 32770, 32772
MERGE_SECONDS = 4.0


def activity(machine: Machine, code: int) -> None:
    """Show what is going on in the second operational status; 0 for nothing."""
    machine.system.values["OperationalStatus"] = (2, code) if code else (2,)
    words = {
        CREATING: "Creating checkpoint",
        APPLYING: "Applying checkpoint",
        DELETING: "Deleting checkpoint",
        MERGING: "Merging disks",
    }
    first = "Operating normally"
    machine.system.values["StatusDescriptions"] = (first, words[code]) if code else (first,)


def create_snapshot(call: Call) -> MethodOutput:
    machine = call.machine(call.get("AffectedSystem"))
    kind = call.number("SnapshotType", FULL)
    if kind not in (FULL, DISK, RECOVERY):
        raise Stop(INVALID)
    if call.text("SnapshotSettings").strip():
        given = call.embedded(call.get("SnapshotSettings"))
        if given.class_name != "Msvm_VirtualSystemSnapshotSettingData":
            raise Stop(INVALID)
    policy = shapes.number(machine.settings, "UserSnapshotType")
    if machine.state not in (RUNNING, OFF, SAVED, PAUSED) or (policy == DISABLED and kind == FULL):
        raise Stop(STATE)
    plan, error = _plan(machine, kind, policy)
    activity(machine, CREATING)
    memory = shapes.number(machine.memory_setting(), "VirtualQuantity") / 1024
    seconds = 1.5 + (memory / 4 if plan.kind == "standard" and machine.alive else 1.0)
    identity = shapes.guid(
        call.host.fabric.random(machine.id, "checkpoint", call.host.next_number())
    )

    def done(at: float) -> tuple[CimRef, ...]:
        made = create.add_checkpoint(machine, plan, identity, at)
        activity(machine, 0)
        return (shapes.setting_ref(made),)

    work = Work(
        70,
        "Creating Virtual Machine Checkpoint",
        seconds,
        done,
        lambda at: activity(machine, 0),
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


# -- finding -------------------------------------------------------------------------------


def _checkpoint(call: Call, name: str) -> tuple[Machine, str]:
    ref = call.ref(call.get(name))
    owner = call.host.owner_of(ref.key("InstanceID") or "?")
    if owner is None or not owner[1]:
        raise Stop(INVALID)
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
        for key in doomed:
            _take_out(machine, key)
        activity(machine, MERGING)
        call.host.fabric.after(MERGE_SECONDS, lambda _: activity(machine, 0))
        return ()

    work = Work(
        72, "Deleting Virtual Machine Checkpoint", 1.2, done, lambda at: activity(machine, 0)
    )
    return call.job(work, machine)


def _take_out(machine: Machine, identity: str) -> None:
    """Remove a checkpoint; its children hang below its parent, and its disks are merged."""
    gone = machine.checkpoints.get(identity)
    if gone is None:
        return
    children = _children(machine, identity)
    for child in children:
        child.settings.values["Parent"] = gone.settings.values["Parent"]
    if len(children) == 1:
        _merge(machine, gone, children[0])
    del machine.checkpoints[identity]
    store = machine.host.repository
    store.remove(gone.settings)
    for item in gone.resources.values():
        store.remove(item)


def _images(configuration: Configuration) -> dict[str, str]:
    """Image path by device, whatever GUID the configuration has."""
    found = {}
    for item in configuration.of("Msvm_StorageAllocationSettingData"):
        device = shapes.text(item, "InstanceID").partition("\\")[2].lower()
        found[device] = "".join(shapes.strings(item, "HostResource")[:1])
    return found


def _merge(machine: Machine, gone: Configuration, child: Configuration) -> None:
    """The only child's images are merged into the ones the checkpoint had."""
    kept, merged = _images(gone), _images(child)
    replaced = {merged[d]: path for d, path in kept.items() if d in merged and merged[d] != path}
    for configuration in (machine.current, *machine.checkpoints.values()):
        for item in configuration.of("Msvm_StorageAllocationSettingData"):
            paths = shapes.strings(item, "HostResource")
            if paths and paths[0] in replaced:
                item.values["HostResource"] = (replaced[paths[0]],)
    for path, into in replaced.items():
        leaf = machine.host.files.pop(path, None)
        base = machine.host.files.get(into)
        if leaf is not None and base is not None:
            base.used = min(base.size, base.used + leaf.used)


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
        _restore(machine, checkpoint, identity)
        (power.saved if checkpoint.settings.values["IsSaved"] else power.off)(machine, at)
        return ()

    words = "Applying Virtual Machine Checkpoint"
    return call.job(Work(71, words, 2.0, done, lambda at: activity(machine, 0)), machine)


def _restore(machine: Machine, checkpoint: Configuration, identity: str) -> None:
    store = machine.host.repository
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


def clear_state(call: Call) -> MethodOutput:
    machine, identity = _checkpoint(call, "SnapshotSettingData")
    settings = machine.checkpoints[identity].settings

    def done(at: float) -> tuple[CimRef, ...]:
        settings.values["IsSaved"] = False
        return ()

    return call.job(Work(73, "Clearing Virtual Machine Checkpoint State", 0.5, done), machine)


SERVICE = "Msvm_VirtualSystemSnapshotService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "CreateSnapshot"): create_snapshot,
    (SERVICE, "DestroySnapshot"): destroy,
    (SERVICE, "DestroySnapshotTree"): destroy_tree,
    (SERVICE, "ApplySnapshot"): apply,
    (SERVICE, "ClearSnapshotState"): clear_state,
}

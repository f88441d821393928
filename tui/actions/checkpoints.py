"""Checkpoints of a virtual machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import names
from tui.actions.common import checkpoint_of, only, there, vm_of
from tui.actions.declare import Action, Choice, Field, Kind, Part, Risk, Target
from tui.hyperv import clean, ops, states
from tui.hyperv.model import Checkpoint
from tui.hyperv.ops import checkpoints

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

_GROUP = "Checkpoints"
_DISABLED, _PRODUCTION, _PRODUCTION_ONLY, _STANDARD = 2, 3, 4, 5
_BUSY = states.MOVING
_OWN = ("standard", "production", "recovery", "missing")
"""Kinds that may be deleted here; the others belong to replication and planned machines."""

# -- which ---------------------------------------------------------------------------------


def _all(target: Target) -> Sequence[Checkpoint]:
    return sorted(vm_of(target).checkpoints, key=lambda one: one.created_at)


def _offered(fits: Callable[[Checkpoint], bool]) -> Callable[[Target], Sequence[Choice]]:
    """Checkpoints by name, oldest first; the end of the id tells equal names apart."""

    def choices(target: Target) -> Sequence[Choice]:
        found = [one for one in _all(target) if fits(one)]
        titles = [one.name for one in found]
        return tuple(
            Choice(
                one.id,
                one.name if titles.count(one.name) == 1 else f"{one.name} {one.id[-4:]}",
                f"{one.kind}, now hangs below it" if one.current else one.kind,
            )
            for one in found
        )

    return choices


def _field(fits: Callable[[Checkpoint], bool]) -> Field:
    choices = _offered(fits)
    return Field(
        "checkpoint",
        "Checkpoint",
        "Which checkpoint",
        current=lambda target: only(choices(target)),
        choices=choices,
        problem=there(choices, "checkpoint"),
    )


def _can_go(one: Checkpoint) -> bool:
    return one.kind in _OWN


def _can_return(one: Checkpoint) -> bool:
    """A recovery checkpoint holds disks alone, and only until its backup is done."""
    return one.kind in ("standard", "production")


def _none(fits: Callable[[Checkpoint], bool], verb: str) -> Callable[[Target], str | None]:
    def why_not(target: Target) -> str | None:
        if not vm_of(target).checkpoints:
            return f"{target.name} has no checkpoint"
        if not any(fits(one) for one in vm_of(target).checkpoints):
            return f"{target.name} has no checkpoint that can be {verb}"
        return _moving(target)

    return why_not


def _state(target: Target) -> int:
    return target.vitals.state if target.vitals else 0


def _moving(target: Target) -> str | None:
    if _state(target) in _BUSY:
        return f"{target.name} is {states.word(_state(target))}: wait until it is done"
    return None


def _find(target: Target, arguments: Mapping[str, Any]) -> Checkpoint | None:
    wanted = str(arguments["checkpoint"]).casefold()
    return next((one for one in vm_of(target).checkpoints if one.id.casefold() == wanted), None)


# -- create --------------------------------------------------------------------------------

_TYPES = (
    Choice(0, "as configured"),
    Choice(_STANDARD, "standard", "with the memory of a running machine"),
    Choice(_PRODUCTION_ONLY, "production", "disks only, made consistent by the guest"),
)


def _policy(target: Target) -> int:
    return target.sheet.automatic.checkpoint_type if target.sheet else _PRODUCTION


def _type_problem(target: Target, value: Any) -> str | None:
    if not value and _policy(target) == _DISABLED:
        return f"checkpoints are disabled for {target.name}: choose a type for this one"
    return None


def _title_problem(target: Target, value: Any) -> str | None:
    return names.problem(str(value))


def _create(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Steps:
    now, wanted = _policy(target), int(arguments.get("type") or 0)
    return checkpoints.create(
        client, target.id, target.name,
        title=str(arguments.get("name") or ""),
        policy=(now, wanted or now),
    )  # fmt: skip


def _created(target: Target, before: Target, asked_at: float, arguments: Mapping[str, Any]) -> bool:
    """There is one that was not there before, and it has its name."""
    known = {point.id for point in vm_of(before).checkpoints}
    title = clean.text(str(arguments.get("name") or ""))
    made = [point for point in vm_of(target).checkpoints if point.id not in known]
    return any(not title or point.name == title for point in made)


def _cannot_create(target: Target) -> str | None:
    state = _state(target)
    if state in states.RUNNING | states.OFF | states.SAVED | states.PAUSED:
        return None
    return f"{target.name} is {states.word(state)}, so no checkpoint can be taken"


# -- apply ---------------------------------------------------------------------------------

_STOPS = (
    Choice("turn-off", "turn it off", "what it has not written is lost"),
    Choice("save", "save it", "its memory is written first, and then thrown away"),
)
_STANDING_STILL = states.OFF | states.SAVED


def _stop_problem(target: Target, value: Any) -> str | None:
    if value == "save" and _state(target) not in states.RUNNING | states.PAUSED:
        return f"{target.name} is {states.word(_state(target))} and cannot be saved"
    return None


def _apply(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Steps:
    chosen = str(arguments["checkpoint"])
    verb = ops.save if arguments.get("stop") == "save" else ops.turn_off

    def stop() -> Outcome:
        return verb(client, target.id, target.name)

    found = _find(target, arguments)
    title = f"Before applying {found.name}"[: names.NAME_LIMIT] if found else ""
    return checkpoints.apply(
        client, target.id, target.name, chosen,
        stop=None if _state(target) in _STANDING_STILL else stop,
        safety=title if arguments.get("safety") else None,
    )  # fmt: skip


def _applied(target: Target, arguments: Mapping[str, Any]) -> bool:
    found = _find(target, arguments)
    return found is not None and found.current and _state(target) in _STANDING_STILL


# -- rename, delete, merge -----------------------------------------------------------------


def _rename(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    chosen, title = str(arguments["checkpoint"]), str(arguments["name"])
    return checkpoints.rename(client, target.name, chosen, title)


def _renamed(target: Target, arguments: Mapping[str, Any]) -> bool:
    found = _find(target, arguments)
    return found is not None and found.name == clean.text(str(arguments["name"]))


def _name_now(target: Target) -> str:
    found = checkpoint_of(target)
    return found.name if found else ""


def _delete(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return checkpoints.delete(client, target.name, str(arguments["checkpoint"]))


def _delete_tree(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return checkpoints.delete_tree(client, target.name, str(arguments["checkpoint"]))


def _gone(target: Target, arguments: Mapping[str, Any]) -> bool:
    return _find(target, arguments) is None


def _merges(target: Target) -> str | None:
    vm = vm_of(target)
    if not vm.complete:
        return f"it is not known yet whether the disks of {target.name} are merged"
    if vm.merging is None:
        return f"{target.host.id} knows no such setting: it always merges"
    return f"the disks of {target.name} are merged by themselves already" if vm.merging else None


def _enable_merge(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return checkpoints.enable_merge(client, target.id, target.name)


# -- the table -----------------------------------------------------------------------------

_SERVICE = "Msvm_VirtualSystemSnapshotService"

_CREATE_FORM = (
    Field(
        "name",
        "Name",
        "What it is called; none: the host's own name with the time",
        problem=_title_problem,
        optional=True,
    ),
    Field(
        "type",
        "Type",
        "Standard with memory, production without, or as the machine is configured",
        int,
        current=lambda target: 0,
        choices=lambda target: _TYPES,
        problem=_type_problem,
    ),
)
_APPLY_FORM = (
    _field(_can_return),
    Field(
        "safety",
        "Safety checkpoint",
        "Take a checkpoint of how it is now first, so that there is a way back",
        bool,
        current=lambda target: True,
    ),
    Field(
        "stop",
        "A running machine",
        "How it comes to a standstill before",
        current=lambda target: "turn-off",
        choices=lambda target: _STOPS,
        problem=_stop_problem,
    ),
)

ACTIONS: tuple[Action, ...] = (
    Action(
        "checkpoint.create",
        "Checkpoint",
        "Keep how the machine is now, to return to it later",
        Kind.VM,
        _create,
        key="c",
        why_not=_cannot_create,
        form=_CREATE_FORM,
        since=_created,
        effect="The host keeps the disks as they are now and writes on beside them",
        calls=f"{_SERVICE}.CreateSnapshot",
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "checkpoint.apply",
        "Apply",
        "Bring the machine back to a checkpoint",
        Kind.VM,
        _apply,
        why_not=_none(_can_return, "applied"),
        form=_APPLY_FORM,
        observed=_applied,
        risk=Risk.RED,
        effect="Everything since the checkpoint is lost unless a safety checkpoint keeps it",
        calls=f"{_SERVICE}.ApplySnapshot",
        many=False,
        part=Part.CHECKPOINT,
        group=_GROUP,
    ),
    Action(
        "checkpoint.rename",
        "Rename checkpoint",
        "Give a checkpoint another name",
        Kind.VM,
        _rename,
        why_not=_none(lambda one: True, "renamed"),
        form=(
            _field(lambda one: True),
            Field(
                "name",
                "New name",
                "What it is called from now on",
                current=_name_now,
                problem=_title_problem,
            ),
        ),
        observed=_renamed,
        effect="The checkpoint is listed under the new name",
        calls="Msvm_VirtualSystemManagementService.ModifySystemSettings(ElementName)",
        many=False,
        part=Part.CHECKPOINT,
        group=_GROUP,
    ),
    Action(
        "checkpoint.delete",
        "Delete checkpoint",
        "Delete one checkpoint and keep those below it",
        Kind.VM,
        _delete,
        why_not=_none(_can_go, "deleted"),
        form=(_field(_can_go),),
        observed=_gone,
        risk=Risk.AMBER,
        effect="There is no way back to it any more; the host merges its disks",
        calls=f"{_SERVICE}.DestroySnapshot",
        many=False,
        part=Part.CHECKPOINT,
        group=_GROUP,
    ),
    Action(
        "checkpoint.delete-tree",
        "Delete checkpoint tree",
        "Delete a checkpoint with every checkpoint below it",
        Kind.VM,
        _delete_tree,
        why_not=_none(_can_go, "deleted"),
        form=(_field(_can_go),),
        observed=_gone,
        risk=Risk.RED,
        effect="There is no way back to any of them; the host merges their disks",
        calls=f"{_SERVICE}.DestroySnapshotTree",
        many=False,
        part=Part.CHECKPOINT,
        group=_GROUP,
    ),
    Action(
        "checkpoint.enable-merge",
        "Enable merging",
        "Let the host merge the disks that deleted checkpoints have left",
        Kind.VM,
        _enable_merge,
        why_not=_merges,
        observed=lambda target, arguments: vm_of(target).merging is True,
        effect="The host merges what waits, which takes its disks some time",
        calls="Msvm_VirtualSystemManagementService.ModifyDiskMergeSettings",
        deep=True,
        group=_GROUP,
    ),
)

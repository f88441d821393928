"""What can be done to hosts and to their jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import places
from tui.actions.amounts import integer
from tui.actions.declare import Action, Field, Kind, Risk, Target
from tui.hyperv import ops
from tui.hyperv.cluster import PAUSED, UP
from tui.hyperv.ops import hosts
from tui.hyperv.plans.words import gb, several

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.hyperv.plans.draining import Drain
    from tui.wsman.client import CimClient


def _cancel_job(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    instance_id = target.id.removeprefix(f"{target.host.id}:")
    return ops.cancel_job(client, instance_id, _job_class(target), target.name)


def _job_class(target: Target) -> str:
    return target.job.class_name if target.job else "Msvm_ConcreteJob"


def _not_cancellable(target: Target) -> str | None:
    if target.job is None:
        return "The job is gone"
    if target.job.finished:
        return f"{target.name} has ended"
    if not target.job.cancellable:
        return f"{target.host.id} does not let {target.name} be cancelled"
    return None


def _ended(target: Target, arguments: Mapping[str, Any]) -> bool:
    return target.job is None or target.job.finished


# -- settings ------------------------------------------------------------------------------

_MANAGEMENT = {
    "vhd_path": "DefaultVirtualHardDiskPath",
    "vm_path": "DefaultExternalDataRoot",
    "numa_spanning": "NumaSpanningEnabled",
    "enhanced_session": "EnhancedSessionModeEnabled",
}
_MIGRATION = {
    "migration_enabled": "EnableVirtualSystemMigration",
    "max_migrations": "MaximumActiveVirtualSystemMigration",
    "max_storage_migrations": "MaximumActiveStorageMigration",
}
"""Field of the form, and of ``Host``, to property of the service's settings."""
_MOST = 1024


def _different(
    target: Target, values: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    """Properties whose value is not what the host has now."""
    return {
        name: values[field]
        for field, name in names.items()
        if values.get(field) is not None and values[field] != getattr(target.host, field)
    }


def _set(client: CimClient, target: Target, values: Mapping[str, Any]) -> Steps:
    return hosts.change(
        client,
        target.name,
        _different(target, values, _MANAGEMENT),
        _different(target, values, _MIGRATION),
    )


def _set_conflict(target: Target, values: Mapping[str, Any]) -> str | None:
    if not _different(target, values, _MANAGEMENT | _MIGRATION):
        return "it is so already"
    if values.get("migration_enabled") and not target.host.migration_enabled:
        return None if target.host.domain else "live migration needs a host that is in a domain"
    return None


def _is_set(target: Target, values: Mapping[str, Any]) -> bool:
    return not _different(target, values, _MANAGEMENT | _MIGRATION)


def _limit_problem(target: Target, value: Any) -> str | None:
    return None if 0 <= int(value) <= _MOST else f"a limit is between 0 and {_MOST}"


def _now(field: str) -> Callable[[Target], Any]:
    return lambda target: getattr(target.host, field)


def _folder(field: str, title: str, about: str) -> Field:
    return Field(
        field,
        title,
        about,
        current=_now(field),
        problem=lambda target, value: (
            None if value == getattr(target.host, field) else places.bad_path(value)
        ),
    )


def _switch(field: str, title: str, about: str) -> Field:
    return Field(field, title, about, bool, current=_now(field))


def _limit(field: str, title: str) -> Field:
    about = "How many at once; 0: none"
    return Field(field, title, about, integer, current=_now(field), problem=_limit_problem)


_SETTINGS = (
    _folder("vhd_path", "Disks", "Where new virtual disks go"),
    _folder("vm_path", "Machines", "Where the files of new machines go"),
    _switch(
        "numa_spanning",
        "NUMA spanning",
        "Machines may take memory of several NUMA nodes; counts after a restart of the service",
    ),
    _switch("enhanced_session", "Enhanced session", "Consoles may pass on screen, sound, printers"),
    _switch("migration_enabled", "Live migration", "Machines may move from and to this host"),
    _limit("max_migrations", "Live migrations"),
    _limit("max_storage_migrations", "Storage migrations"),
)


# -- maintenance ---------------------------------------------------------------------------


def _plan(target: Target) -> Drain | None:
    from tui.hyperv.plans import draining

    fleet = target.fleet() if target.fleet is not None else {}
    return draining.drain(fleet, target.host.id) if target.host.id in fleet else None


def _nothing_to_drain(target: Target) -> str | None:
    if target.node is not None and target.node.state not in (UP, PAUSED):
        return f"node {target.node.name} is not up"
    return None


def _drain_danger(target: Target, values: Mapping[str, Any]) -> Risk:
    fleet, host = target.fleet() if target.fleet is not None else {}, target.host.id
    if host not in fleet:
        return Risk.AMBER
    from tui.hyperv.plans import draining

    return Risk.AMBER if draining.quorate(fleet, host) else Risk.RED


def _drain_consequences(target: Target, values: Mapping[str, Any]) -> Sequence[str]:
    plan = _plan(target)
    if plan is None:
        return ()
    lines = [f"{several(len(plan.steps), 'move')}, {gb(plan.memory)} of memory"]
    lines += [f"{stay.name} cannot move: {stay.why}" for stay in plan.held_up]
    return [*lines, *plan.votes, *plan.remarks]


def _cap_problem(target: Target, value: Any) -> str | None:
    return None if 1 <= value <= _MOST else f"between 1 and {_MOST} at once"


_RUN = (
    Field(
        "cap", "At once", "Moves under way at the same time", integer,
        current=lambda target: 2, problem=_cap_problem, asked=False,
    ),
    Field(
        "go_on", "Go on", "Go on after a failure; else what waits is not sent", bool,
        current=lambda target: False, asked=False,
    ),
)  # fmt: skip
_MOVES = (
    "MSCluster_ResourceGroup.MoveToNewNodeParams, "
    "Msvm_VirtualSystemMigrationService.MigrateVirtualSystemToHost"
)


ACTIONS: tuple[Action, ...] = (
    Action(
        "host.drain",
        "Drain",
        "Move everything that runs to other hosts, for maintenance",
        Kind.HOST,
        "open_drain",
        key="D",
        why_not=_nothing_to_drain,
        form=_RUN,
        risk=Risk.AMBER,
        danger=_drain_danger,
        consequences=_drain_consequences,
        effect="A node is paused first, so that nothing new comes; then its machines move, a few "
        "at a time",
        calls=f"MSCluster_Node.Pause(0), {_MOVES}",
        many=False,
        planned=True,
        group="Host",
    ),
    Action(
        "host.resume",
        "Resume",
        "End maintenance: let the host take machines again and bring its own home",
        Kind.HOST,
        "open_resume",
        form=(
            *_RUN,
            Field(
                "home",
                "Bring home",
                "Bring machines back as well",
                bool,
                current=lambda target: True,
                asked=False,
            ),
        ),
        risk=Risk.AMBER,
        effect="A node is resumed; then machines come home: those the deck has moved away, on the "
        "command line the roles whose first preferred owner the node is",
        calls=f"MSCluster_Node.Resume, {_MOVES}",
        many=False,
        planned=True,
        group="Host",
    ),
    Action(
        "host.set",
        "Host settings",
        "Change default folders, NUMA spanning, enhanced session and live migration",
        Kind.HOST,
        _set,
        observed=_is_set,
        form=_SETTINGS,
        conflict=_set_conflict,
        risk=Risk.AMBER,
        effect="New machines and disks follow the new settings; those that are there stay",
        calls="Msvm_VirtualSystemManagementService.ModifyServiceSettings, "
        "Msvm_VirtualSystemMigrationService.ModifyServiceSettings",
        group="Host",
    ),
    Action(
        "host.refresh",
        "Refresh",
        "Read the host again now",
        Kind.HOST,
        "refresh_hosts",
        key="r",
        group="Host",
    ),
    Action(
        "job.cancel",
        "Cancel job",
        "Ask the host to stop a job and undo what it did",
        Kind.JOB,
        _cancel_job,
        why_not=_not_cancellable,
        observed=_ended,
        risk=Risk.AMBER,
        effect="The host stops the job; what it was doing is not done",
        calls="Msvm_ConcreteJob.RequestStateChange(4)",
        group="Job",
    ),
)

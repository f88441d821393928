"""What can be done to hosts and to their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tui.actions.declare import Action, Kind, Risk, Target
from tui.hyperv import ops

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
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


ACTIONS: tuple[Action, ...] = (
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

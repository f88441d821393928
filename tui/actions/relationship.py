"""What the verbs of Hyper-V Replica share: which end they are about, and what it can go back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.actions import common
from tui.actions.declare import Choice, Field, Target
from tui.hyperv import states
from tui.hyperv.model import Checkpoint
from tui.hyperv.replica import Replica, word
from tui.wsman.values import ReplicationState as State

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]
WhyNot = Callable[[Target], str | None]

GROUP = "Replication"
SERVICE = "Msvm_ReplicationService"
REQUEST = "Msvm_ComputerSystem.RequestReplicationStateChange"
USABLE = frozenset({State.REPLICATING, State.SUSPENDED, State.CRITICAL})
"""States of a replica that can take over."""
GONE = "The relationship is gone"

# -- which end -----------------------------------------------------------------------------


def end_of(target: Target) -> Replica:
    assert target.replica is not None
    return target.replica


def state_of(target: Target) -> int:
    return target.replica.state if target.replica else 0


def partner_of(target: Target) -> str:
    """The host at the other end, by the name it has here."""
    if target.partner is not None:
        return target.partner.host
    return end_of(target).partner or "the other host"


def only_on(*, primary: bool, what: str, then: WhyNot) -> WhyNot:
    """A ``why_not``: only on one of the two ends."""

    def why_not(target: Target) -> str | None:
        end = target.replica
        if end is None:
            return GONE
        fits = end.is_primary if primary else end.is_replica
        if not fits:
            where = "primary" if primary else "replica"
            return f"see {partner_of(target)}: {what} is done on the {where}"
        return then(target)

    return why_not


def it_is(target: Target, why: str) -> str:
    return f"{target.name} is {word(state_of(target))}{why}"


def is_off(target: Target) -> bool:
    return target.vitals is None or target.vitals.state in states.OFF


def simple(
    verb: Callable[[CimClient, Replica], Outcome],
) -> Callable[[CimClient, Target, Values], Outcome]:
    return lambda client, target, values: verb(client, end_of(target))


def seen(*wanted: int) -> Callable[[Target, Values], bool]:
    return lambda target, values: target.replica is not None and state_of(target) in wanted


# -- recovery points -----------------------------------------------------------------------


def points_of(target: Target) -> Sequence[Checkpoint]:
    """Recovery points, newest first."""
    found = [one for one in common.vm_of(target).checkpoints if one.kind == "replica"]
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def moment(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "never"


def _point_choices(target: Target) -> Sequence[Choice]:
    last = target.replica.last if target.replica else 0.0
    kept = points_of(target)
    times = [moment(one.created_at) for one in kept]
    return (
        Choice("", "latest", f"as of {moment(last)}"),
        *(
            Choice(one.id, at if times.count(at) == 1 else f"{at} {one.id[-4:]}", one.name)
            for one, at in zip(kept, times, strict=True)
        ),
    )


def _point_problem(target: Target, value: Any) -> str | None:
    if not value or any(one.id.casefold() == str(value).casefold() for one in points_of(target)):
        return None
    return f"{target.name} has no such recovery point any more"


POINT = Field(
    "point",
    "Recovery point",
    "What it starts from: the latest, or an older point",
    current=lambda target: "",
    choices=_point_choices,
    problem=_point_problem,
)

"""Hyper-V Replica: failover planned and not, the way back from it, and the change of roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.actions.declare import Action, Field, Kind, Risk, Target
from tui.actions.relationship import (
    GONE,
    GROUP,
    POINT,
    REQUEST,
    SERVICE,
    USABLE,
    Values,
    end_of,
    is_off,
    it_is,
    moment,
    only_on,
    partner_of,
    points_of,
    seen,
    simple,
    state_of,
)
from tui.hyperv import states
from tui.hyperv.ops import replication
from tui.hyperv.plans.words import several
from tui.hyperv.replica import FAILED_OVER, PLANNED, short
from tui.wsman.values import ReplicationState as State

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

# -- planned failover ----------------------------------------------------------------------


def _not_preparable(target: Target) -> str | None:
    if state_of(target) == State.SYNCED_REPLICATION_COMPLETE:
        return (
            f"{it_is(target, '')} already: go on with the planned failover on {partner_of(target)}"
        )
    if state_of(target) != State.REPLICATING:
        return it_is(target, ": only what replicates can be handed over without loss")
    if not is_off(target):
        assert target.vitals is not None
        return f"{target.name} is {states.word(target.vitals.state)}: shut it down first"
    return None


def _prepared(target: Target) -> bool:
    """The primary has sent all there is: as it says itself or, unseen, as the last cycle was."""
    if target.partner is not None:
        return target.partner.state == State.SYNCED_REPLICATION_COMPLETE
    return end_of(target).last_type == PLANNED


def _not_takeable(target: Target) -> str | None:
    if state_of(target) not in USABLE or not end_of(target).last:
        return it_is(target, ": it cannot take over now")
    if not is_off(target):
        return f"{target.name} is at work on {target.host.id}"
    return None


def _not_completable(target: Target) -> str | None:
    if (why := _not_takeable(target)) is not None:
        return why
    if _prepared(target):
        return None
    if target.partner is None:
        return f"{partner_of(target)} is not prepared: run Prepare failover for it there first"
    return (
        f"{target.name} on {partner_of(target)} is not prepared: prepare the failover there first"
    )


def _planned(client: CimClient, target: Target, values: Values) -> Steps:
    return replication.planned(
        client,
        end_of(target),
        reverse=bool(values["reverse"]),
        start=bool(values["start"]),
    )


def _unseen(target: Target, values: Values) -> Sequence[str]:
    """A primary that nobody here looks at may have been started again since."""
    if target.partner is not None:
        return ()
    source = partner_of(target)
    return (f"{source} is not watched here: if {target.name} runs there, there will be two of it",)


def _unseen_danger(target: Target, values: Values) -> Risk:
    return Risk.RED if target.partner is None else Risk.AMBER


def _running(target: Target) -> bool:
    return target.vitals is not None and target.vitals.state in states.RUNNING


def _took_over(target: Target, values: Values) -> bool:
    if target.replica is None:
        return False
    there = target.replica.is_primary if values.get("reverse") else state_of(target) in FAILED_OVER
    return there and (_running(target) or not values.get("start"))


_START = Field(
    "start",
    "Start it",
    "Start the machine here once it has taken over",
    bool,
    current=lambda target: True,
)

# -- failover ------------------------------------------------------------------------------


def _fail_over(client: CimClient, target: Target, values: Values) -> Steps:
    point = str(values.get("point") or "")
    return replication.fail_over(client, end_of(target), point, start=bool(values["start"]))


def _failed_over(target: Target, values: Values) -> bool:
    return state_of(target) in FAILED_OVER and (_running(target) or not values.get("start"))


def _losses(target: Target, values: Values) -> Sequence[str]:
    """What is lost by it, and what is at stake at the other end."""
    end = end_of(target)
    chosen = str(values.get("point") or "").casefold()
    at = next(
        (one.created_at for one in points_of(target) if one.id.casefold() == chosen),
        end.last,
    )
    source = short(end.primary) or "the primary"
    if _prepared(target) and not chosen:
        lines = [f"{source} is prepared: a planned failover does the same and reverses as well"]
    else:
        lines = [f"what {source} has written since {moment(at)} is lost"]
    if _runs_elsewhere(target):
        lines.append(f"{target.name} still runs on {partner_of(target)}: there would be two of it")
    return lines


def _runs_elsewhere(target: Target) -> bool:
    """The machine at the other end is at work."""
    if target.partner is None or target.fleet is None:
        return False
    found = target.fleet().get(target.partner.host)
    vitals = found.vm_vitals.get(target.partner.vm) if found else None
    return vitals is not None and vitals.state not in states.OFF


# -- afterwards ----------------------------------------------------------------------------


def _not_cancellable(target: Target) -> str | None:
    end = target.replica
    if end is None:
        return GONE
    if end.is_primary:
        if end.state != State.SYNCED_REPLICATION_COMPLETE:
            return it_is(target, ": no planned failover is prepared")
        if target.partner is not None and target.partner.state in FAILED_OVER:
            return f"it has been failed over to {partner_of(target)}: cancel it there first"
        return None
    if end.state != State.RECOVERED:
        return it_is(target, ": there is no failover to cancel")
    return None if is_off(target) else f"{target.name} is at work: turn it off first"


def _cancel(client: CimClient, target: Target, values: Values) -> Outcome:
    end = end_of(target)
    return replication.resume(client, end) if end.is_primary else replication.revert(client, end)


def _cancelled(target: Target, values: Values) -> bool:
    end = target.replica
    if end is None:
        return False
    if end.is_primary:
        return end.state == State.REPLICATING
    return end.state not in FAILED_OVER | {State.FAILOVER_IN_PROGRESS}


def _cancel_losses(target: Target, values: Values) -> Sequence[str]:
    if target.replica is None or target.replica.is_primary:
        return (f"{target.name} replicates to {partner_of(target)} again",)
    return (f"what {target.name} has written on {target.host.id} since the failover is lost",)


def _not_committable(target: Target) -> str | None:
    if state_of(target) == State.RECOVERED:
        return None
    return it_is(target, ": there is no failover to complete")


def _commit_losses(target: Target, values: Values) -> Sequence[str]:
    count = len(points_of(target))
    deleted = several(count, "recovery point is deleted", "recovery points are deleted")
    return (deleted,) if count else ()


def _not_reversible(target: Target) -> str | None:
    if state_of(target) in FAILED_OVER:
        return None
    return it_is(target, ": only what has failed over can be reversed")


def _reverse_losses(target: Target, values: Values) -> Sequence[str]:
    if end_of(target).failed_over == PLANNED:
        return (f"{partner_of(target)} takes the changes of {target.host.id} from now on",)
    return (
        f"what {target.name} holds on {partner_of(target)} alone is overwritten",
        "everything is compared first: start the initial replication afterwards",
    )


# -- the table -----------------------------------------------------------------------------

ACTIONS: tuple[Action, ...] = (
    Action(
        "replica.prepare-failover",
        "Prepare failover",
        "First half of a planned failover: send the last changes of a machine that is off",
        Kind.REPLICA,
        simple(replication.prepare),
        why_not=only_on(primary=True, what="the preparation", then=_not_preparable),
        observed=seen(State.SYNCED_REPLICATION_COMPLETE),
        risk=Risk.AMBER,
        effect="It cannot be started here until it is failed over or the failover is cancelled",
        calls=f"{REQUEST}(4)",
        group=GROUP,
    ),
    Action(
        "replica.planned-failover",
        "Planned failover",
        "Let a prepared replica take over without loss, and replicate back from then on",
        Kind.REPLICA,
        _planned,
        why_not=only_on(
            primary=False, what="the second half of a planned failover", then=_not_completable
        ),
        observed=_took_over,
        form=(
            Field(
                "reverse",
                "Reverse replication",
                "Replicate back to the former primary from then on",
                bool,
                current=lambda target: True,
            ),
            _START,
        ),
        risk=Risk.AMBER,
        danger=_unseen_danger,
        consequences=_unseen,
        effect="The replica becomes the machine people work on",
        calls=f"{SERVICE}.InitiateFailover, ReverseReplicationRelationship",
        group=GROUP,
    ),
    Action(
        "replica.failover",
        "Failover",
        "Let the replica take over without the primary",
        Kind.REPLICA,
        _fail_over,
        why_not=only_on(primary=False, what="a failover", then=_not_takeable),
        observed=_failed_over,
        form=(POINT, _START),
        risk=Risk.RED,
        consequences=_losses,
        effect="The replica becomes the machine people work on, as of its recovery point",
        calls=f"{SERVICE}.InitiateFailover",
        group=GROUP,
    ),
    Action(
        "replica.cancel-failover",
        "Cancel failover",
        "Take back a failover, or the preparation of a planned one",
        Kind.REPLICA,
        _cancel,
        why_not=_not_cancellable,
        observed=_cancelled,
        risk=Risk.AMBER,
        consequences=_cancel_losses,
        effect="The primary is the machine people work on again",
        calls=f"{SERVICE}.RevertFailover, {REQUEST}(3)",
        group=GROUP,
    ),
    Action(
        "replica.commit",
        "Complete failover",
        "Make a failover final",
        Kind.REPLICA,
        simple(replication.commit),
        why_not=only_on(primary=False, what="completing a failover", then=_not_committable),
        observed=seen(State.COMMITTED),
        risk=Risk.RED,
        consequences=_commit_losses,
        effect="There is no way back to before the failover, nor to another recovery point",
        calls=f"{SERVICE}.CommitFailover",
        group=GROUP,
    ),
    Action(
        "replica.reverse",
        "Reverse replication",
        "Replicate back to the former primary after a failover",
        Kind.REPLICA,
        simple(replication.turn_round),
        why_not=only_on(primary=False, what="reversing", then=_not_reversible),
        observed=lambda target, values: bool(target.replica and target.replica.is_primary),
        risk=Risk.AMBER,
        danger=lambda target, values: (
            Risk.AMBER if end_of(target).failed_over == PLANNED else Risk.RED
        ),
        consequences=_reverse_losses,
        effect="Primary and replica change their roles",
        calls=f"{SERVICE}.ReverseReplicationRelationship",
        group=GROUP,
    ),
)

"""Hyper-V Replica: what is sent, and the test of what has arrived.

Each end is acted upon on its own host, and each refusal says where the next step is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions import places
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.actions.relationship import (
    GONE,
    GROUP,
    POINT,
    REQUEST,
    SERVICE,
    USABLE,
    Values,
    end_of,
    it_is,
    only_on,
    partner_of,
    seen,
    simple,
    state_of,
)
from tui.hyperv import states
from tui.hyperv.ops import replication
from tui.hyperv.replica import FAILED_OVER, PAUSED, word
from tui.wsman.values import ReplicationState as State

if TYPE_CHECKING:
    from tui.hyperv.outcome import Steps
    from tui.wsman.client import CimClient

_SENDING = frozenset({
    State.REPLICATING, State.WAITING_TO_COMPLETE_INITIAL_REPLICATION, State.RESYNCHRONIZING,
})  # fmt: skip
_HELD = PAUSED | {State.CRITICAL}
_TESTABLE = USABLE | {State.RESYNCHRONIZATION_SUSPENDED}

# -- pause, resume, send -------------------------------------------------------------------


def _not_pausable(target: Target) -> str | None:
    if target.replica is None:
        return GONE
    if state_of(target) in _SENDING:
        return None
    if state_of(target) in PAUSED:
        return it_is(target, " already")
    return it_is(target, ": there is nothing to pause")


def _not_resumable(target: Target) -> str | None:
    if target.replica is None:
        return GONE
    if state_of(target) in _HELD:
        return None
    if target.partner is not None and target.partner.state in _HELD:
        return f"it is {word(target.partner.state)} on {partner_of(target)}: resume it there"
    return it_is(target, ", neither paused nor in error")


def _not_resynchronizable(target: Target) -> str | None:
    if state_of(target) == State.RESYNCHRONIZING:
        return it_is(target, " already")
    fits = USABLE | {
        State.WAITING_TO_START_RESYNCHRONIZATION, State.RESYNCHRONIZATION_SUSPENDED,
    }  # fmt: skip
    if state_of(target) not in fits or not end_of(target).last:
        return it_is(target, ": there is nothing to compare with")
    if target.partner is not None and target.partner.state in FAILED_OVER:
        return f"the replica on {partner_of(target)} is {word(target.partner.state)}"
    return None


def _resynchronized(target: Target, before: Target, asked_at: float, values: Values) -> bool:
    if target.replica is None or target.replica.state != State.REPLICATING:
        return False
    then = before.replica
    return then is None or then.state != State.REPLICATING or target.replica.last > then.last


def _not_startable(target: Target) -> str | None:
    if state_of(target) == State.READY_FOR_REPLICATION:
        return None
    return it_is(target, ": its initial replication was started already")


_HOW = (
    Choice(replication.OVER_NETWORK, "over the network", "everything is sent"),
    Choice(
        replication.SEEDED,
        "compare",
        "a copy is at the other end, as after a failover: only what differs is sent",
    ),
)

# -- test ----------------------------------------------------------------------------------


def _not_testable(target: Target) -> str | None:
    end = end_of(target)
    if end.test:
        return f"{end.test_name or 'a test machine'} is there already: stop that test first"
    if end.state not in _TESTABLE or not end.last:
        return it_is(target, ": there is nothing to test now")
    return None


def _no_test(target: Target) -> str | None:
    if target.replica is None:
        return GONE
    return None if target.replica.test else f"{target.name} has no test machine on {target.host.id}"


def _stop_test(client: CimClient, target: Target, values: Values) -> Steps:
    end = end_of(target)
    inventory = places.around(target)
    vitals = inventory.vm_vitals.get(end.test) if inventory else None
    still = vitals is not None and vitals.state in states.OFF | states.SAVED
    return replication.stop_test(client, end, running=not still)


# -- the table -----------------------------------------------------------------------------

ACTIONS: tuple[Action, ...] = (
    Action(
        "replica.pause",
        "Pause replication",
        "Send nothing, or take nothing in, until it is resumed",
        Kind.REPLICA,
        simple(replication.pause),
        key="p",
        why_not=_not_pausable,
        observed=seen(*PAUSED),
        effect="Changes gather at the primary until it is resumed",
        calls=f"{REQUEST}(7)",
        group=GROUP,
    ),
    Action(
        "replica.resume",
        "Resume replication",
        "Go on after a pause or an error",
        Kind.REPLICA,
        simple(replication.resume),
        key="u",
        why_not=_not_resumable,
        observed=seen(*_SENDING),
        effect="What has gathered is sent at once",
        calls=f"{REQUEST}(3)",
        group=GROUP,
    ),
    Action(
        "replica.start",
        "Start initial replication",
        "Send the first copy of a machine",
        Kind.REPLICA,
        lambda client, target, values: replication.start(
            client, end_of(target), int(values["how"])
        ),
        why_not=only_on(primary=True, what="initial replication", then=_not_startable),
        observed=seen(State.WAITING_TO_COMPLETE_INITIAL_REPLICATION, State.REPLICATING),
        form=(
            Field(
                "how",
                "How",
                "Send everything, or compare with a copy that is there",
                int,
                current=lambda target: replication.OVER_NETWORK,
                choices=lambda target: _HOW,
            ),
        ),
        effect="The whole of its disks goes over the network unless a copy is there",
        calls=f"{SERVICE}.StartReplication",
        group=GROUP,
    ),
    Action(
        "replica.resync",
        "Resynchronize",
        "Compare both sides block by block and send what differs",
        Kind.REPLICA,
        simple(replication.resynchronize),
        why_not=only_on(primary=True, what="resynchronization", then=_not_resynchronizable),
        since=_resynchronized,
        risk=Risk.AMBER,
        effect="Both hosts read all of its disks; the replica cannot take over meanwhile",
        calls=f"{SERVICE}.Resynchronize",
        group=GROUP,
    ),
    Action(
        "replica.test-failover",
        "Test failover",
        "Make a machine without network from the replica, to see that it works",
        Kind.REPLICA,
        lambda client, target, values: replication.try_out(
            client, end_of(target), str(values.get("point") or "")
        ),
        why_not=only_on(primary=False, what="a test failover", then=_not_testable),
        observed=lambda target, values: bool(target.replica and target.replica.test),
        form=(POINT,),
        effect="Replication goes on; the test machine stays until the test is stopped",
        calls=f"{SERVICE}.TestReplicaSystem",
        group=GROUP,
    ),
    Action(
        "replica.stop-test",
        "Stop test failover",
        "Delete the machine that was made for a test",
        Kind.REPLICA,
        _stop_test,
        why_not=_no_test,
        observed=lambda target, values: bool(target.replica and not target.replica.test),
        risk=Risk.AMBER,
        consequences=lambda target, values: (f"{end_of(target).test_name} is deleted",),
        effect="The test machine is turned off and goes with what it has written",
        calls="Msvm_VirtualSystemManagementService.DestroySystem",
        group=GROUP,
    ),
)

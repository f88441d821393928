"""Methods: the state of a relationship, and failover of every kind.

Planned: the primary, off, is asked for state 4 (synced); the replica is failed over and reversed.
"""

from __future__ import annotations

from tui.sim import recovery, replica_transfer, replication, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.machine import OFF, Machine
from tui.sim.methods_replica import check_relationship, end_of, fault, unfit
from tui.sim.methods_snapshot import restore
from tui.sim.outcome import INVALID, STATE, UNSUPPORTED, Call, Method, Stop
from tui.sim.replica_info import SERVICE, SETTING
from tui.sim.replication import (
    APPLICATION,
    COMMITTED,
    CRITICAL,
    FAILING_OVER,
    INITIAL,
    NEVER,
    PLANNED,
    PREPARED,
    PRIMARY,
    READY,
    RECOVERED,
    REGULAR,
    REPLICA,
    REPLICATING,
    RESYNC_REQUIRED,
    RESYNC_SUSPENDED,
    RESYNCHRONIZING,
    SUSPENDED,
    End,
)
from tui.wsman.cim import CimRef
from tui.wsman.reply import MethodOutput

CHANGE = "Replicating State Change"


# -- the state of a relationship -----------------------------------------------------------


def request(call: Call) -> MethodOutput:
    return _request(call, _machine(call))


def request_ex(call: Call) -> MethodOutput:
    machine = _machine(call)
    if machine.replica is not None:
        check_relationship(call, machine)
    return _request(call, machine)


def _machine(call: Call) -> Machine:
    machine = call.host.machine(str(call.instance.values["Name"]))
    if machine is None:
        raise Stop(UNSUPPORTED)
    return machine


def _request(call: Call, machine: Machine) -> MethodOutput:
    wanted = call.number("RequestedState", -1)
    if wanted not in (READY, INITIAL, REPLICATING, PREPARED, SUSPENDED, RESYNC_REQUIRED):
        raise Stop(INVALID)
    end = machine.replica
    if end is None or end.mode not in (PRIMARY, REPLICA):
        raise Stop(STATE)
    if wanted == SUSPENDED:
        work = _suspend(end)
    elif wanted == REPLICATING:
        work = _resume(end)
    elif wanted == PREPARED:
        work = _prepare(end)
    elif wanted == READY:
        work = _stop_sending(end)
    elif wanted == RESYNC_REQUIRED:
        work = _cancel_resynchronization(end)
    else:
        raise Stop(STATE)
    return call.job(work, machine)


def _suspend(end: End) -> Work:
    before = end.state
    after = {REPLICATING: SUSPENDED, INITIAL: SUSPENDED, RESYNCHRONIZING: RESYNC_SUSPENDED}
    if before not in after:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        if end.mode == PRIMARY:
            replica_transfer.stop(end)
        end.resumes, end.state = before, after[before]
        return ()

    return Work(96, CHANGE, 0.5, done)


def _resume(end: End) -> Work:
    """Back to where a pause or an error has interrupted, or out of what has begun."""
    if end.state == PREPARED:
        return _unprepare(end)
    if end.mode == REPLICA and end.state == RESYNCHRONIZING:
        return _cancel_resynchronization(end)
    if end.state not in (SUSPENDED, CRITICAL, RESYNC_SUSPENDED):
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        _go_on(end, at)
        return ()

    return Work(96, CHANGE, 0.5, done)


def _go_on(end: End, at: float) -> None:
    pair = end.pair
    if end.mode == REPLICA:
        end.state = end.resumes
        return
    if end.state == RESYNC_SUSPENDED:
        replica_transfer.resynchronize(end)
    elif end.resumes == INITIAL:
        replica_transfer.send(end)
    else:
        end.state, pair.in_a_row, pair.trouble = REPLICATING, 0, None
        other = pair.other(end)
        if other is not None and other.state == CRITICAL:
            other.state = REPLICATING
        replication.begin(pair)
        replication.cycle(pair, at)


def _stop_sending(end: End) -> Work:
    if end.mode != PRIMARY or end.state != INITIAL:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        replica_transfer.stop(end)
        end.state = READY
        return ()

    return Work(109, "Stopping Initial Replication", 0.5, done)


def _cancel_resynchronization(end: End) -> Work:
    if end.state not in (RESYNCHRONIZING, RESYNC_SUSPENDED):
        raise Stop(STATE)
    primary = end.pair.primary
    assert primary is not None

    def done(at: float) -> tuple[CimRef, ...]:
        replica_transfer.stop(primary)
        if primary.live:
            primary.state = RESYNC_REQUIRED
        if end.mode == REPLICA:
            end.state = REPLICATING
        return ()

    return Work(110, "Stopping Resynchronization", 0.5, done)


# -- planned failover, on the primary ------------------------------------------------------


def _needs_off(machine: Machine, what: str) -> JobError | None:
    if machine.state == OFF:
        return None
    text = f"Hyper-V failed to {what} for virtual machine '{machine.name}'"
    words = f"{text} (Virtual machine ID {machine.id}): the virtual machine is not turned off."
    return JobError(STATE, f"{words} (0x80070015).")


def _prepare(end: End) -> Work:
    """The last changes go over; from then on the replica may be failed over without any loss."""
    if end.mode != PRIMARY or end.state != REPLICATING:
        raise Stop(STATE)
    pair, machine = end.pair, end.machine
    what = "prepare planned failover"
    began = machine.host.fabric.now()
    size = pair.gather(began)

    def problem() -> JobError | None:
        return _needs_off(machine, what) or fault(machine, replication.obstacle(pair, size), what)

    def done(at: float) -> tuple[CimRef, ...]:
        late = problem()
        if late is not None:
            raise late
        pair.turn += 1
        pair.sending, pair.trouble, pair.in_a_row = False, None, 0
        end.state = PREPARED
        replication.landed(pair, at, pair.gather(at), at, PLANNED)
        return ()

    seconds = 2.0 + size / replication.pace(pair)
    return Work(100, "Initiating Synced Replication", seconds, done, error=problem())


def _unprepare(end: End) -> Work:
    other = end.pair.other(end)
    if other is not None and other.state in (RECOVERED, COMMITTED, FAILING_OVER):
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        end.state = REPLICATING
        replication.begin(end.pair)
        return ()

    return Work(101, "Canceling Synced Replication", 1.0, done)


# -- failover, on the replica --------------------------------------------------------------


def _point(call: Call, end: End) -> str:
    """GUID of the recovery point somebody has chosen; empty for the latest."""
    value = call.get("SnapshotSettingData")
    if value is None or value == "":
        return ""
    owner = call.host.owner_of(call.ref(value).key("InstanceID") or "?")
    if owner is None or owner[0] is not end.machine:
        raise Stop(INVALID)
    if owner[1] and owner[1] not in recovery.points(end.machine):
        raise Stop(INVALID)
    return owner[1]


def _type_of(end: End, chosen: str) -> int:
    """What kind of point the failover goes to."""
    primary = end.pair.other(end)
    if not chosen:
        prepared = primary is not None and primary.state == PREPARED
        return PLANNED if prepared else REGULAR
    kind = end.machine.checkpoints[chosen].settings.values["VirtualSystemType"]
    names = {name: number for number, name in recovery.KINDS.items()}
    found = names.get(str(kind), REGULAR)
    return found if found == APPLICATION else REGULAR


def initiate(call: Call) -> MethodOutput:
    end = end_of(call, REPLICA)
    chosen = _point(call, end)
    before = end.state
    if before not in (REPLICATING, SUSPENDED, CRITICAL) or not end.pair.shipped_at:
        raise Stop(STATE)
    if end.machine.state != OFF:
        raise Stop(STATE)
    end.state = FAILING_OVER

    def done(at: float) -> tuple[CimRef, ...]:
        end.failed_over = _type_of(end, chosen)
        if chosen:
            restore(end.machine, end.machine.checkpoints[chosen], chosen)
        end.state, end.resumes = RECOVERED, before
        return ()

    def failed(at: float) -> None:
        end.state = before

    return call.job(Work(97, "Initiating Failover", 3.0, done, failed), end.machine)


def revert(call: Call) -> MethodOutput:
    """The failover is undone: what the machine has done since is thrown away."""
    end = end_of(call, REPLICA)
    if end.state != RECOVERED or end.machine.state != OFF:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        end.state, end.failed_over = end.resumes, NEVER
        return ()

    return call.job(Work(98, "Reverting Failover", 2.0, done), end.machine)


def commit(call: Call) -> MethodOutput:
    """The failover is final: its recovery points go."""
    end = end_of(call, REPLICA)
    if end.state != RECOVERED:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        end.state = COMMITTED
        recovery.drop(end.machine, recovery.points(end.machine))
        return ()

    return call.job(Work(99, "Committing Failover", 2.0, done), end.machine)


def reverse(call: Call) -> MethodOutput:
    """The roles change; after a planned failover both ends replicate at once."""
    end = end_of(call, REPLICA)
    if end.state not in (RECOVERED, COMMITTED):
        raise Stop(STATE)
    given = call.embedded(call.get("ReplicationSettingData"))
    if given.class_name != SETTING:
        raise Stop(INVALID)
    name = shapes.text(given, "RecoveryConnectionPoint") or shapes.text(
        given, "PrimaryConnectionPoint"
    )
    what = "reverse replication"

    def problem() -> JobError | None:
        found = replication.host_named(call.host.fabric, name)
        old = end.pair.other(end)
        error = fault(end.machine, unfit(call.host, found, name, {}), what)
        if error is not None:
            return error
        if old is None or old.machine.host is not found:
            words = f"the virtual machine could not be found on '{name}'. (0x80070002)."
            return JobError(STATE, f"Hyper-V failed to {what}: {words}")
        if end.failed_over == PLANNED and old.state != PREPARED:
            words = f"it is not prepared for a planned failover on '{name}'. (0x8000FFFF)."
            return JobError(STATE, f"Hyper-V failed to {what}: {words}")
        return _needs_off(old.machine, what)

    def done(at: float) -> tuple[CimRef, ...]:
        late, old = problem(), end.pair.other(end)
        if late is not None or old is None:
            raise late or JobError(STATE, what)
        _turn(end, old, at)
        return ()

    return call.job(Work(104, "Reversing Replication", 5.0, done, error=problem()), end.machine)


def _turn(end: End, old: End, at: float) -> None:
    """The replica becomes the primary, and the old primary its replica."""
    pair = end.pair
    planned = end.failed_over == PLANNED
    recovery.drop(end.machine, recovery.points(end.machine))
    end.mode, old.mode = PRIMARY, REPLICA
    pair.primary, pair.replica = end, old
    there = pair.terms.get("RecoveryHostSystem")
    pair.terms |= {
        "RecoveryHostSystem": pair.terms.get("PrimaryHostSystem"),
        "RecoveryConnectionPoint": pair.terms.get("PrimaryConnectionPoint"),
        "PrimaryHostSystem": there,
        "PrimaryConnectionPoint": there,
    }
    for one in (end, old):
        one.failed_over = NEVER
        one.resumes = REPLICATING
    pair.trouble, pair.in_a_row, pair.pending, pair.marked_at = None, 0, 0, at
    pair.counts = replication.Counts(at)
    if planned:
        end.state = old.state = REPLICATING
        pair.shipped_at = pair.applied_at = at
        replication.begin(pair)
        return
    end.state, old.state = READY, INITIAL
    pair.shipped_at = pair.applied_at = pair.consistent_at = 0.0
    pair.kind = NEVER
    pair.turn += 1


# -- test failover -------------------------------------------------------------------------


def test_replica(call: Call) -> MethodOutput:
    """A machine of its own is made from a point; replication goes on meanwhile."""
    end = end_of(call, REPLICA)
    chosen = _point(call, end)
    states = (REPLICATING, SUSPENDED, CRITICAL, RESYNC_SUSPENDED)
    if end.state not in states or end.test is not None or not end.pair.shipped_at:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        if end.test is not None or (chosen and chosen not in end.machine.checkpoints):
            raise JobError(STATE, f"A test of '{end.machine.name}' is not possible any more.")
        made = recovery.try_out(end, chosen)
        return (shapes.system_ref(made.id),)

    return call.job(Work(102, "Initiating Test Replica", 4.0, done), end.machine)


METHODS: dict[tuple[str, str], Method] = {
    ("Msvm_ComputerSystem", "RequestReplicationStateChange"): request,
    ("Msvm_ComputerSystem", "RequestReplicationStateChangeEx"): request_ex,
    (SERVICE, "InitiateFailover"): initiate,
    (SERVICE, "RevertFailover"): revert,
    (SERVICE, "CommitFailover"): commit,
    (SERVICE, "ReverseReplicationRelationship"): reverse,
    (SERVICE, "TestReplicaSystem"): test_replica,
}

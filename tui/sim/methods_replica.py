"""Methods: relationships of Hyper-V Replica, and what is sent over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from tui.sim import files, recovery, replica_info, replica_transfer, replication, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.machine import Machine
from tui.sim.outcome import (
    FAILED,
    INVALID,
    STATE,
    UNSUPPORTED,
    Call,
    Method,
    Stop,
    returned,
)
from tui.sim.replica_health import NOTHING, issues
from tui.sim.replication import (
    CRITICAL,
    INITIAL,
    INTERVALS,
    PRIMARY,
    READY,
    REPLICA,
    REPLICATING,
    RESYNC_REQUIRED,
    RESYNC_SUSPENDED,
    SUSPENDED,
    Counts,
    End,
    Pair,
)
from tui.wsman.cim import CimRef, CimValue
from tui.wsman.embedded import to_text
from tui.wsman.reply import MethodOutput

if TYPE_CHECKING:
    from tui.sim.world import SimHost

FREE = frozenset(replica_info.DEFAULTS) - {"PrimaryHostSystem", "PrimaryConnectionPoint"}
"""Settings a client may choose."""
BOUNDS: Mapping[str, tuple[int, int]] = {
    "RecoveryHistory": (0, 24),
    "ApplicationConsistentSnapshotInterval": (0, 12),
    "AuthenticationType": (1, 2),
    "RecoveryServerPortNumber": (0, 65535),
}
NETWORK, EXPORT, SEEDED = 1, 2, 3
"""InitialReplicationType."""


def end_of(call: Call, *modes: int) -> End:
    """The end of the machine named; 32775 when it takes part in nothing, or in another role."""
    machine = call.machine(call.get("ComputerSystem"))
    end = machine.replica
    if end is None or end.mode not in (modes or (PRIMARY, REPLICA)):
        raise Stop(STATE)
    return end


def check_relationship(call: Call, machine: Machine) -> None:
    """The relationship given must be the machine's own; the extended one is not kept."""
    given = call.embedded(call.get("ReplicationRelationship"))
    name = shapes.text(given, "InstanceID").lower()
    if given.class_name != replica_info.RELATIONSHIP:
        raise Stop(INVALID)
    if name != replica_info.instance_id(machine).lower():
        raise Stop(INVALID)


def fault(machine: Machine, trouble: replication.Trouble | None, what: str) -> JobError | None:
    """A trouble as the end of a job."""
    if trouble is None:
        return None
    text = f"Hyper-V failed to {what} for virtual machine '{machine.name}'"
    return JobError(FAILED, f"{text} (Virtual machine ID {machine.id}): {trouble.words}")


# -- settings of a relationship ------------------------------------------------------------


def _terms(call: Call) -> dict[str, CimValue]:
    """What a client asks for, checked."""
    given = call.embedded(call.get("ReplicationSettingData"))
    if given.class_name != replica_info.SETTING:
        raise Stop(INVALID)
    terms: dict[str, CimValue] = {
        name: value
        for name, value in given.values.items()
        if value is not None and (name in FREE or name == "IncludedDisks")
    }
    if terms.get("ReplicationInterval", 300) not in INTERVALS:
        raise Stop(INVALID)
    for name, (low, high) in BOUNDS.items():
        value = terms.get(name, low)
        if not isinstance(value, int) or not low <= value <= high:
            raise Stop(INVALID)
    return terms


def _included(call: Call, terms: Mapping[str, CimValue]) -> tuple[str, ...]:
    """InstanceIDs of the disks to replicate, in lower case; none named means all."""
    wanted = terms.get("IncludedDisks")
    texts = wanted if isinstance(wanted, tuple) else ()
    return tuple(shapes.text(call.embedded(text), "InstanceID").lower() for text in texts)


def recovery_host(call: Call, terms: Mapping[str, CimValue]) -> tuple[str, SimHost | None]:
    name = str(terms.get("RecoveryConnectionPoint") or "").strip()
    if not name:
        raise Stop(INVALID)
    found = replication.host_named(call.host.fabric, name)
    if found is call.host:
        raise Stop(INVALID)
    return name, found


def unfit(
    primary: SimHost, recovery_host: SimHost | None, name: str, terms: Mapping[str, CimValue]
) -> replication.Trouble | None:
    """Why a host cannot take replicas on these terms."""
    found = replication.unreachable(primary, recovery_host, name)
    if found is not None or recovery_host is None:
        return found
    service = replication.service(recovery_host)
    kind = terms.get("AuthenticationType", 1)
    allowed = service["AllowedAuthenticationType"]
    port = service["HttpPort" if kind == 1 else "HttpsPort"]
    if not isinstance(allowed, int) or not isinstance(kind, int) or not allowed & kind:
        words = f"The replica server '{name}' does not allow this type of authentication."
        return replication.Trouble("32025", f"{words} (0x80090322).", 117)
    if terms.get("RecoveryServerPortNumber") not in (0, None, port):
        words = f"A connection with the replica server '{name}' could not be established."
        return replication.Trouble("12029", f"{words} (0x00002EFD).", 5, network=True)
    return None


def create(call: Call) -> MethodOutput:
    """The replica appears on the recovery host, still empty; nothing is sent yet."""
    machine = call.machine(call.get("ComputerSystem"))
    terms = _terms(call)
    included = _included(call, terms)
    if machine.replica is not None:
        raise Stop(STATE if machine.replica.mode != REPLICA else UNSUPPORTED)
    name, found = recovery_host(call, terms)
    what = "enable replication"
    error = fault(machine, unfit(call.host, found, name, terms), what)
    error = error or _collision(machine, found)

    def done(at: float) -> tuple[CimRef, ...]:
        trouble = unfit(call.host, found, name, terms)
        late = fault(machine, trouble, what) or _collision(machine, found)
        if late is not None or found is None:
            raise late or JobError(FAILED, what)
        tie(machine, found, terms, included, at)
        return ()

    work = Work(91, "Creating Replication Relationship", 4.0, done, error=error)
    return call.job(work, machine)


def _collision(machine: Machine, found: SimHost | None) -> JobError | None:
    if found is None:
        return None
    words = ""
    if machine.id in found.machines:
        words = f"a virtual machine with this identifier already exists on '{found.name}'"
    elif float(shapes.text(machine.settings, "Version")) > float(found.system.configuration):
        words = f"its configuration version is not supported by '{found.name}'"
    if not words:
        return None
    text = f"Hyper-V failed to enable replication for virtual machine '{machine.name}'"
    return JobError(FAILED, f"{text} (Virtual machine ID {machine.id}): {words}. (0x80070032).")


def tie(
    machine: Machine,
    found: SimHost,
    terms: Mapping[str, CimValue],
    included: tuple[str, ...],
    at: float,
    *,
    seeded: bool = False,
) -> Pair:
    """Make the relationship and its replica machine; it is ready for initial replication."""
    service = replication.service(found)
    port = service["HttpPort" if terms.get("AuthenticationType", 1) == 1 else "HttpsPort"]
    pair = Pair(machine.host.fabric, dict(terms), Counts(at))
    pair.terms |= {
        "PrimaryHostSystem": replication.fqdn(machine.host),
        "PrimaryConnectionPoint": replication.fqdn(machine.host),
        "RecoveryHostSystem": replication.fqdn(found),
        "RecoveryServerPortNumber": port,
    }
    folder = replication.authorization(found, machine.host) or found.plan.store
    copy = recovery.place(machine, found, folder, included, seeded=seeded)
    pair.primary = machine.replica = End(pair, machine, PRIMARY, READY)
    pair.replica = copy.replica = End(pair, copy, REPLICA, INITIAL)
    return pair


def modify(call: Call) -> MethodOutput:
    end = end_of(call)
    terms = _terms(call)
    _included(call, terms)
    pair = end.pair
    name, found = recovery_host(call, pair.terms | terms) if end.mode == PRIMARY else ("", None)
    error = None
    if end.mode == PRIMARY:
        error = fault(end.machine, unfit(call.host, found, name, terms), "change replication")
        target = pair.replica.machine.host if pair.replica is not None else None
        if error is None and found is not target:
            words = f"the replica virtual machine could not be found on '{name}'. (0x80070002)."
            error = JobError(FAILED, f"Hyper-V failed to change replication: {words}")

    def done(at: float) -> tuple[CimRef, ...]:
        before = pair.interval
        pair.terms |= terms
        if pair.interval != before and pair.shipped_at:
            replication.begin(pair)
        return ()

    words = "Modifying Replication Relationship Settings"
    return call.job(Work(92, words, 1.0, done, error=error), end.machine)


def remove(call: Call) -> MethodOutput:
    """This end leaves; the other one must be removed on its own host."""
    return _remove(call, end_of(call))


def remove_ex(call: Call) -> MethodOutput:
    end = end_of(call)
    check_relationship(call, end.machine)
    return _remove(call, end)


def _remove(call: Call, end: End) -> MethodOutput:
    machine = end.machine
    if end.test is not None:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        replica_transfer.stop(end)
        machine.replica = None
        machine.system.values.update(NOTHING)
        recovery.drop(machine, recovery.points(machine))
        return ()

    return call.job(Work(93, "Removing Replication Relationship", 1.5, done), machine)


# -- sending everything --------------------------------------------------------------------


def _wanted_at(call: Call) -> float:
    """When somebody wants it to start; 0 for now."""
    wanted = call.get("StartTime")
    later = isinstance(wanted, datetime) and wanted.timestamp() > call.host.fabric.now()
    return wanted.timestamp() if later and isinstance(wanted, datetime) else 0.0


def start(call: Call) -> MethodOutput:
    end = end_of(call, PRIMARY)
    kind = call.number("InitialReplicationType", NETWORK)
    place = files.clean(call.text("InitialReplicationExportLocation"))
    if kind not in (NETWORK, EXPORT, SEEDED) or (kind == EXPORT and not place):
        raise Stop(INVALID)
    if end.state != READY:
        raise Stop(STATE)
    error = replica_transfer.blocked(end, replica_transfer.total(end))
    starts = _wanted_at(call)
    turn = end.pair.turn

    def due(at: float) -> None:
        if end.live and end.state == READY and end.pair.turn == turn:
            replica_transfer.send(end, seeded=kind == SEEDED)

    def done(at: float) -> tuple[CimRef, ...]:
        end.pair.marked_at, end.pair.pending = at, 0
        if kind == EXPORT:
            end.state = INITIAL
            return ()
        if starts > at:
            call.host.fabric.after(starts - at, due)
        else:
            due(at)
        return ()

    words = "Starting Export of Initial Replica" if kind == EXPORT else "Starting Replication"
    work = Work(118 if kind == EXPORT else 94, words, 1.0, done, error=error)
    return call.job(work, end.machine)


def import_initial(call: Call) -> MethodOutput:
    """What was carried to the recovery host by hand arrives; both ends replicate."""
    end = end_of(call, REPLICA)
    if not files.clean(call.text("InitialReplicationImportLocation")):
        raise Stop(INVALID)
    primary = end.pair.other(end)
    if end.state != INITIAL or primary is None or primary.state != INITIAL or end.pair.job:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        end.state = primary.state = REPLICATING
        recovery.fill(end.pair)
        end.pair.shipped_at = end.pair.applied_at = end.pair.marked_at
        end.pair.kind = replication.REGULAR
        replication.begin(end.pair)
        return ()

    seconds = 2.0 + replica_transfer.total(primary) / replica_transfer.COMPARING
    return call.job(Work(95, "Importing Initial Replica", seconds, done), end.machine)


def resynchronize(call: Call) -> MethodOutput:
    """It is the job itself that compares and sends; a later start leaves the state waiting."""
    end = end_of(call, PRIMARY)
    states = (RESYNC_REQUIRED, CRITICAL, SUSPENDED, RESYNC_SUSPENDED, REPLICATING)
    if end.state not in states or end.pair.job or not end.pair.shipped_at:
        raise Stop(STATE)
    starts = _wanted_at(call)
    if not starts:
        end.pair.turn += 1
        end.pair.sending = False
        return MethodOutput(4096, {"Job": replica_transfer.resynchronize(end)})

    def due(at: float) -> None:
        if end.live and end.state == RESYNC_REQUIRED:
            replica_transfer.resynchronize(end)

    def done(at: float) -> tuple[CimRef, ...]:
        end.state = RESYNC_REQUIRED
        call.host.fabric.after(max(0.0, starts - at), due)
        return ()

    return call.job(Work(107, "Scheduling Resynchronization", 0.5, done), end.machine)


# -- statistics ----------------------------------------------------------------------------


def get_statistics(call: Call) -> MethodOutput:
    return _statistics(call, end_of(call))


def get_statistics_ex(call: Call) -> MethodOutput:
    end = end_of(call)
    check_relationship(call, end.machine)
    return _statistics(call, end)


def _statistics(call: Call, end: End) -> MethodOutput:
    found = [replica_info.error(end, issue) for issue in issues(end, call.host.fabric.now())]
    text = to_text(replica_info.statistics(end), strict=False)
    return returned(0, ReplicationStatistics=(text,), ReplicationHealthIssues=tuple(found) or None)


def reset_statistics(call: Call) -> MethodOutput:
    return _reset(call, end_of(call))


def reset_statistics_ex(call: Call) -> MethodOutput:
    end = end_of(call)
    check_relationship(call, end.machine)
    return _reset(call, end)


def _reset(call: Call, end: End) -> MethodOutput:
    def done(at: float) -> tuple[CimRef, ...]:
        end.pair.counts = Counts(at)
        return ()

    return call.job(Work(119, "Resetting Replica Statistics", 0.3, done), end.machine)


SERVICE = replica_info.SERVICE
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "CreateReplicationRelationship"): create,
    (SERVICE, "ModifyReplicationSettings"): modify,
    (SERVICE, "RemoveReplicationRelationship"): remove,
    (SERVICE, "RemoveReplicationRelationshipEx"): remove_ex,
    (SERVICE, "StartReplication"): start,
    (SERVICE, "ImportInitialReplica"): import_initial,
    (SERVICE, "Resynchronize"): resynchronize,
    (SERVICE, "GetReplicationStatistics"): get_statistics,
    (SERVICE, "GetReplicationStatisticsEx"): get_statistics_ex,
    (SERVICE, "ResetReplicationStatistics"): reset_statistics,
    (SERVICE, "ResetReplicationStatisticsEx"): reset_statistics_ex,
}

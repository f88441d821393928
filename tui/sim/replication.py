"""Hyper-V Replica: two machines of one GUID on two hosts, and what goes over from one to the other.

The primary's end ships what its guest has written once every interval. Each end has a state of its
own, and a failed cycle is known to the primary only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tui.sim import disks, files, shapes
from tui.sim.files import MB
from tui.wsman.cim import CimValue

if TYPE_CHECKING:
    from tui.sim.machine import Machine
    from tui.sim.world import Fabric, SimHost

NO_MODE, PRIMARY, REPLICA, TEST = range(4)
DISABLED, READY, INITIAL, REPLICATING, PREPARED, RECOVERED, COMMITTED, SUSPENDED = range(8)
CRITICAL, RESYNC_REQUIRED, RESYNCHRONIZING, RESYNC_SUSPENDED, FAILING_OVER = range(8, 13)
NEVER, REGULAR, APPLICATION, PLANNED = range(4)
"""Types of a replication, and of a failover."""
INTERVALS = (30, 300, 900)
LINE = 110 * MB
"""Bytes a second between two hosts when nothing is in the way."""
KEPT = 0.3
"""Part of what a guest writes that is still there, and not written over, when it is shipped."""
GROWS = 24
"""A disk of the replica grows by one of so many bytes that arrive."""
RETRIES = 4
"""Failed cycles in a row after which a relationship is critical."""
HOUR = 3600.0

SERVICE_SETTING = "Msvm_ReplicationServiceSettingData"
AUTHORIZATION = "Msvm_ReplicationAuthorizationSettingData"
EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a replication does not get through."""

    code: str
    """MessageID."""
    words: str
    cause: int
    """ProbableCause of Msvm_Error."""
    network: bool = False
    fatal: bool = False
    """Trying again does not help."""


@dataclass(slots=True)
class Counts:
    """What the cycles of a monitoring interval came to."""

    since: float
    succeeded: int = 0
    missed: int = 0
    """Cycles that failed, or were due while the one before was still under way."""
    failed: int = 0
    network: int = 0
    inconsistent: int = 0
    """Application-consistent points the guest could not make."""
    size: int = 0
    largest: int = 0
    latency: float = 0.0
    slowest: float = 0.0


@dataclass(slots=True)
class Line:
    """The way from the primary to the replica of one relationship."""

    rate: int = LINE
    down: bool = False
    full: bool = False
    """The replica's volume takes nothing more."""


@dataclass(slots=True, eq=False)
class End:
    """One side of a relationship: a machine on its host, or a test machine made from a replica."""

    pair: Pair
    machine: Machine
    mode: int
    state: int
    failed_over: int = NEVER
    resumes: int = REPLICATING
    """The state a resume leads back to."""
    test: Machine | None = None

    @property
    def live(self) -> bool:
        """The machine is still there and still takes part."""
        machine = self.machine
        return machine.replica is self and machine.host.machines.get(machine.id) is machine


@dataclass(slots=True, eq=False)
class Pair:
    """A relationship. Both ends share it, as long as neither has left."""

    fabric: Fabric
    terms: dict[str, CimValue]
    """Values of Msvm_ReplicationSettingData that differ from the defaults."""
    counts: Counts
    line: Line = field(default_factory=Line)
    primary: End | None = None
    replica: End | None = None
    shipped_at: float = 0.0
    """When that was taken which has arrived last."""
    applied_at: float = 0.0
    consistent_at: float = 0.0
    kind: int = NEVER
    """Type of the last replication."""
    pending: int = 0
    """Bytes still to be shipped, as of ``marked_at``."""
    marked_at: float = 0.0
    pointed_at: float = 0.0
    """When the last recovery point was made."""
    tested_at: float = 0.0
    sending: bool = False
    in_a_row: int = 0
    """Cycles that have failed one after the other."""
    trouble: Trouble | None = None
    job: str = ""
    """The job that sends everything: initial replication, or resynchronization."""
    turn: int = 0
    """Grows when cycles begin anew; those of an earlier turn are void."""

    @property
    def interval(self) -> int:
        value = self.terms.get("ReplicationInterval")
        return value if isinstance(value, int) else 300

    def other(self, end: End) -> End | None:
        """The opposite end, when it is still there."""
        found = self.replica if end is self.primary else self.primary
        return found if found is not None and found.live else None

    def gather(self, at: float) -> int:
        """Bytes pending at this moment."""
        end = self.primary
        if end is not None and self.marked_at and at > self.marked_at:
            self.pending += int(KEPT * written(end.machine, self.marked_at, at))
        self.marked_at = at
        room = sum(size for size, _ in sizes(end.machine)) if end is not None else 0
        self.pending = min(self.pending, room)
        return self.pending

    def lag(self, now: float) -> float:
        """Seconds the replica is behind."""
        return now - self.shipped_at if self.shipped_at else 0.0


def written(machine: Machine, since: float, until: float) -> int:
    """Bytes the guest has written between two moments of its present run."""
    spans = [(max(start, since), end) for start, end in machine.spans(until) if end > since]
    return machine.load.done(spans).amount(machine.load.write)


def sizes(machine: Machine) -> list[tuple[int, int]]:
    """Size and used bytes of each disk, with everything its image hangs from."""
    found = []
    for image in machine.images:
        chain = machine.host.files.chain(disks.image_path(image))
        if chain and chain[0].kind:
            found.append((chain[0].size, sum(file.used for file in chain)))
    return found


# -- hosts ---------------------------------------------------------------------------------


def fqdn(host: SimHost) -> str:
    """The name hosts know each other by."""
    return f"{host.name}.{host.plan.domain}" if host.plan.domain else host.name


def host_named(fabric: Fabric, name: str) -> SimHost | None:
    """A host by its short or its full name."""
    wanted = name.strip().rstrip(".").lower()
    return next(
        (h for h in fabric.hosts.values() if wanted in (h.name.lower(), fqdn(h).lower())), None
    )


def authorization(host: SimHost, primary: SimHost) -> str | None:
    """Where a host keeps replicas that come from another one; None when it takes none."""
    host.ensure()
    entries = {
        shapes.text(entry, "AllowedPrimaryHostSystem").lower(): entry
        for entry in host.repository.instances(shapes.VIRTUALIZATION, AUTHORIZATION)
    }
    for name in (fqdn(primary).lower(), primary.name.lower(), EVERYBODY):
        if name in entries:
            place = shapes.text(entries[name], "ReplicaStorageLocation")
            return place or f"{host.plan.store}\\Hyper-V Replica"
    return None


def service(host: SimHost) -> dict[str, CimValue]:
    """The settings of a host's replication service."""
    host.ensure()
    return next(iter(host.repository.instances(shapes.VIRTUALIZATION, SERVICE_SETTING))).values


# -- what is in the way --------------------------------------------------------------------


def unreachable(primary: SimHost, recovery: SimHost | None, name: str) -> Trouble | None:
    """Why a host cannot be a recovery server of another one."""
    if recovery is None:
        words = f"The replica server name '{name}' could not be resolved. (0x00002EE7)."
        return Trouble("12007", words, 5, network=True)
    if recovery.faults.replica_down or primary.faults.replica_down:
        words = f"A connection with the replica server '{name}' could not be established."
        return Trouble("12029", f"{words} (0x00002EFD).", 5, network=True)
    if not service(recovery)["RecoveryServerEnabled"]:
        words = f"The replica server '{name}' is not configured to receive replication."
        return Trouble("12029", f"{words} (0x00002EFD).", 5, network=True)
    if authorization(recovery, primary) is None:
        words = f"The replica server '{name}' does not authorize '{fqdn(primary)}' to replicate."
        return Trouble("32026", f"{words} (0x80070005).", 65, fatal=True)
    return None


def obstacle(pair: Pair, size: int) -> Trouble | None:
    """Why nothing can be shipped at this moment."""
    source, target = pair.primary, pair.replica
    assert source is not None
    name = str(pair.terms.get("RecoveryHostSystem") or "")
    if pair.line.down:
        words = f"A connection with the replica server '{name}' could not be established."
        return Trouble("12029", f"{words} (0x00002EFD).", 5, network=True)
    recovery = target.machine.host if target is not None else host_named(pair.fabric, name)
    found = unreachable(source.machine.host, recovery, name)
    if found is not None:
        return found
    if target is None or not target.live or recovery is None:
        words = f"The replica virtual machine could not be found on '{name}'. (0x80070002)."
        return Trouble("32024", words, 73, fatal=True)
    if target.state in (RECOVERED, COMMITTED, FAILING_OVER):
        words = f"The replica virtual machine on '{name}' has been failed over. (0x00008029)."
        return Trouble("32032", words, 128, fatal=True)
    if target.state == SUSPENDED:
        words = f"Replication is paused on the replica server '{name}'. (0x0000802A)."
        return Trouble("32033", words, 128)
    place = shapes.text(target.machine.settings, "ConfigurationDataRoot")
    if pair.line.full or recovery.faults.replica_full or recovery.files.free(place) < size:
        number, words = disks.FULL
        return Trouble("32038", f"{words} (0x{number:08X}).", 50, fatal=True)
    return None


# -- cycles --------------------------------------------------------------------------------


def begin(pair: Pair, first: float | None = None) -> None:
    """Let the cycles run from now on, whatever ran before."""
    pair.turn += 1
    pair.sending = False
    _schedule(pair, pair.interval if first is None else first)


def _schedule(pair: Pair, seconds: float) -> None:
    turn = pair.turn
    pair.fabric.after(seconds, lambda at: _tick(pair, turn, at))


def _tick(pair: Pair, turn: int, at: float) -> None:
    end = pair.primary
    if turn != pair.turn or end is None or not end.live:
        return
    _schedule(pair, pair.interval)
    cycle(pair, at)


def cycle(pair: Pair, at: float) -> None:
    """One cycle: ship what is pending, or count why not."""
    end = pair.primary
    assert end is not None
    length = service(end.machine.host)["MonitoringInterval"]
    if isinstance(length, int) and at - pair.counts.since >= length:
        pair.counts = Counts(at)
    _watch_log(pair, end, at)
    if end.state == RESYNC_REQUIRED and _may_resynchronize(pair, at):
        from tui.sim import replica_transfer  # it looks back at cycles

        replica_transfer.resynchronize(end)
    if end.state != REPLICATING:
        return
    if pair.sending:
        pair.counts.missed += 1
        return
    size = pair.gather(at)
    found = obstacle(pair, size)
    if found is not None:
        failed(pair, found)
        return
    pair.sending = True
    turn = pair.turn
    pair.fabric.after(0.5 + size / pace(pair), lambda now: _arrived(pair, turn, at, size, now))


def pace(pair: Pair) -> float:
    """Bytes a second that get through."""
    end = pair.replica
    slow = end.machine.host.faults.replica_rate * MB if end is not None else 0.0
    return max(1.0, min(pair.line.rate, slow or LINE))


def _watch_log(pair: Pair, end: End, at: float) -> None:
    """A log of changes that outgrows half of the disks is thrown away."""
    if end.state in (REPLICATING, SUSPENDED, CRITICAL) and pair.shipped_at:
        room = sum(size for size, _ in sizes(end.machine))
        if pair.gather(at) > room // 2 > 0:
            end.state = RESYNC_REQUIRED
            pair.sending = False
            pair.turn += 1
            _schedule(pair, pair.interval)


def _may_resynchronize(pair: Pair, at: float) -> bool:
    """By itself, and at this time of the day."""
    if not pair.terms.get("AutoResynchronizeEnabled") or obstacle(pair, 0) is not None:
        return False
    ends = [pair.terms.get(f"AutoResynchronizeInterval{word}") for word in ("Start", "End")]
    first, last = (e.total_seconds() if isinstance(e, timedelta) else 0.0 for e in ends)
    clock = at % 86400.0
    if first <= last:
        return first == last or first <= clock <= last
    return clock >= first or clock <= last


def _arrived(pair: Pair, turn: int, taken: float, size: int, at: float) -> None:
    source = pair.primary
    if turn != pair.turn or source is None:
        return
    pair.sending = False
    if source.state != REPLICATING:
        return
    found = obstacle(pair, size)
    if found is not None:
        failed(pair, found)
        return
    counts = pair.counts
    counts.succeeded += 1
    counts.size += size
    counts.largest = max(counts.largest, size)
    counts.latency += at - taken
    counts.slowest = max(counts.slowest, at - taken)
    pair.trouble, pair.in_a_row = None, 0
    if pair.replica is not None and pair.replica.state == CRITICAL:
        pair.replica.state = REPLICATING
    landed(pair, taken, size, at)


def landed(pair: Pair, taken: float, size: int, at: float, kind: int = 0) -> None:
    """A replication has arrived: the replica is as the primary was when it was taken."""
    from tui.sim import recovery  # it looks back at relationships

    pair.gather(at)
    pair.pending = max(0, pair.pending - size)
    pair.shipped_at, pair.applied_at = taken, at
    pair.kind = kind or recovery.due(pair, taken)
    if pair.kind == APPLICATION:
        pair.consistent_at = taken
    target = pair.replica
    assert target is not None
    grow(target.machine, size)
    recovery.keep(pair, at)


def grow(machine: Machine, size: int) -> None:
    """A little of what arrives makes the replica's disks larger."""
    images = [machine.host.files.get(disks.image_path(image)) for image in machine.images]
    found = [file for file in images if file is not None and file.kind]
    for file in found:
        if file.kind != files.FIXED:
            file.used = min(file.size, file.used + size // GROWS // len(found))


def failed(pair: Pair, found: Trouble) -> None:
    """A cycle has come to nothing."""
    pair.counts.missed += 1
    pair.counts.failed += 1
    pair.counts.network += found.network
    pair.trouble = found
    pair.in_a_row += 1
    source, target = pair.primary, pair.replica
    if source is not None and (found.fatal or pair.in_a_row >= RETRIES):
        source.state, source.resumes = CRITICAL, REPLICATING
        if found.code == "32038" and target is not None and target.state == REPLICATING:
            target.state = CRITICAL


def start_refusal(machine: Machine) -> str:
    """Why a machine that takes part in a replication must not be started."""
    end = machine.replica
    if end is None:
        return ""
    if end.mode == REPLICA and end.state not in (RECOVERED, COMMITTED):
        return "it is a replica virtual machine that has not been failed over"
    if end.mode == PRIMARY and end.state == PREPARED:
        return "it is prepared for a planned failover"
    return ""

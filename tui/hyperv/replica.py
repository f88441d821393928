"""The noun of Hyper-V Replica: one end of a replication relationship, as a frozen record."""

from __future__ import annotations

from typing import Final

from tui.hyperv.record import Record
from tui.wsman.values import ReplicationState as State

PRIMARY, REPLICA, TEST, EXTENDED = 1, 2, 3, 4
"""Msvm_ComputerSystem.ReplicationMode."""
HEALTHY, WARNING, CRITICAL = 1, 2, 3
"""ReplicationHealth; 0 not applicable."""
PLANNED = 3
"""Type of a replication, and of a failover, that loses nothing."""
LATE_AFTER: Final = 2
"""Intervals a replica may be behind while a cycle is under way."""
MISSED_SHARE: Final = 0.2
"""Part of the cycles that may be missed (Windows warns from there on)."""

PAUSED: Final = frozenset({State.SUSPENDED, State.RESYNCHRONIZATION_SUSPENDED})
FAILED_OVER: Final = frozenset({State.RECOVERED, State.COMMITTED})
STANDING: Final = frozenset({
    State.READY_FOR_REPLICATION,
    State.WAITING_TO_COMPLETE_INITIAL_REPLICATION,
    State.SYNCED_REPLICATION_COMPLETE,
    State.FAILOVER_IN_PROGRESS,
    *FAILED_OVER,
})  # fmt: skip
"""States in which no replication is due, so none is late."""

_WORDS: Final[dict[int, str]] = {
    State.DISABLED: "not replicated",
    State.READY_FOR_REPLICATION: "ready for its initial replication",
    State.WAITING_TO_COMPLETE_INITIAL_REPLICATION: "in its initial replication",
    State.REPLICATING: "replicating",
    State.SYNCED_REPLICATION_COMPLETE: "prepared for a planned failover",
    State.RECOVERED: "failed over",
    State.COMMITTED: "failed over for good",
    State.SUSPENDED: "paused",
    State.CRITICAL: "in error",
    State.WAITING_TO_START_RESYNCHRONIZATION: "in need of resynchronization",
    State.RESYNCHRONIZING: "being resynchronized",
    State.RESYNCHRONIZATION_SUSPENDED: "paused in its resynchronization",
    State.FAILOVER_IN_PROGRESS: "failing over",
    State.FAILBACK_IN_PROGRESS: "failing back",
    State.FAILBACK_COMPLETE: "failed back",
    15: "updating its disks",
    16: "stopped by a failed update of its disks",
}


def word(state: int) -> str:
    """How a sentence ends that begins "sql01 is": ``replicating``, ``paused`` …"""
    return _WORDS.get(state, f"in a state of replication hvdeck does not know ({state})")


def short(name: str) -> str:
    """A host's name without its domain; addresses as they are."""
    first = name.partition(".")[0]
    return name if first.isdigit() or ":" in name else first


class Replica(Record, frozen=True):
    """A machine's part in a relationship, on the host that tells of it."""

    id: str
    """``host:InstanceID`` of Msvm_ReplicationRelationship."""
    host: str
    vm: str
    """GUID of the machine."""
    name: str = ""
    """The machine's name."""
    mode: int = 0
    """ReplicationMode of the machine: primary, replica, test or extended replica."""
    state: int = 0
    """ReplicationState."""
    health: int = 0
    """ReplicationHealth."""
    last: float = 0.0
    """LastReplicationTime; 0 never."""
    applied: float = 0.0
    """LastApplyTime on a replica."""
    interval: int = 0
    """ReplicationInterval in seconds; 0 not told."""
    primary: str = ""
    """PrimaryHostSystem, or the connection point where that is not told."""
    recovery: str = ""
    """RecoveryHostSystem, or the connection point where that is not told."""
    failed_over: int = 0
    """FailedOverReplicationType: 1 regular, 2 application consistent, 3 planned."""
    history: int = 0
    """RecoveryHistory: additional recovery points kept."""
    pending: int | None = None
    """PendingReplicationSize in bytes."""
    latency: float | None = None
    """Average of a cycle, in seconds (ReplicationLatency)."""
    missed: int | None = None
    """ReplicationMissCount of the statistics' period."""
    succeeded: int | None = None
    """ReplicationSuccessCount of the same."""
    reasons: tuple[str, ...] = ()
    """Health issues in the host's words, worst first."""
    extended: bool = False
    """It leads from a replica on to a third host."""
    consistent: float = 0.0
    """LastApplicationConsistentReplicationTime; 0 never."""
    last_type: int = 0
    """LastReplicationType: 1 regular, 2 application consistent, 3 planned."""
    lag: float | None = None
    """Seconds behind when it was read, by the host's own clock; None: nothing replicated yet."""
    failures: int | None = None
    """ReplicationFailureCount of the statistics' period."""
    tested: float = 0.0
    """LastTestFailoverTime; 0 never."""
    test: str = ""
    """GUID of the machine that was made from a replica to test it."""
    test_name: str = ""
    read_at: float = 0.0
    """Unix time of the reading."""
    asked_at: float = 0.0
    """Unix time at which statistics and issues were read; 0 never in this state."""

    @property
    def is_primary(self) -> bool:
        """What is written here is what is sent."""
        return self.mode == PRIMARY or (self.mode == REPLICA and self.extended)

    @property
    def is_replica(self) -> bool:
        return self.mode in (REPLICA, EXTENDED) and not self.is_primary

    @property
    def pair(self) -> tuple[str, bool]:
        """What both ends have in common: the machine, and which hop of the chain it is."""
        return self.vm, self.extended or self.mode == EXTENDED

    @property
    def partner(self) -> str:
        """The host at the other end, as this one calls it, without its domain."""
        return short(self.recovery if self.is_primary else self.primary)

    @property
    def late(self) -> bool:
        """Further behind than its interval explains."""
        if self.lag is None or not self.interval or self.state in STANDING:
            return False
        return self.lag > LATE_AFTER * self.interval

    @property
    def missed_share(self) -> float | None:
        """Part of the cycles that came to nothing; None where it is not told."""
        if self.missed is None or self.succeeded is None:
            return None
        cycles = self.missed + self.succeeded
        return self.missed / cycles if cycles else 0.0


def opposite(one: Replica, other: Replica) -> bool:
    """They are the two ends of one relationship."""
    return one.pair == other.pair and one.host != other.host

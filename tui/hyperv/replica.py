"""The noun of Hyper-V Replica: one end of a replication relationship, as a frozen record."""

from __future__ import annotations

from tui.hyperv.record import Record

PRIMARY, REPLICA, TEST, EXTENDED = 1, 2, 3, 4
"""Msvm_ComputerSystem.ReplicationMode."""
HEALTHY, WARNING, CRITICAL = 1, 2, 3
"""ReplicationHealth; 0 not applicable."""


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
    """PrimaryHostSystem."""
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

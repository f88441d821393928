"""How well a relationship does: its health with every reason, and what its machines show of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tui.sim import replication, shapes
from tui.sim.replication import (
    COMMITTED,
    CRITICAL,
    HOUR,
    PREPARED,
    PRIMARY,
    READY,
    RECOVERED,
    REPLICATING,
    RESYNC_REQUIRED,
    RESYNC_SUSPENDED,
    RESYNCHRONIZING,
    SUSPENDED,
    TEST,
    End,
    Trouble,
)
from tui.wsman.cim import CimValue

NOT_APPLICABLE, OK, WARNING, SEVERE = range(4)
MISSED = 20
"""Percent of missed cycles from which on a relationship is no longer healthy."""
LATE = HOUR
"""Seconds a replica may be behind."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One reason why a relationship is not healthy."""

    health: int
    code: str
    words: str
    cause: int


STATES = {
    READY: (WARNING, "32086", "Initial replication has not been started for '{name}'.", 120),
    PREPARED: (WARNING, "32087", "A planned failover has been initiated for '{name}'.", 128),
    RECOVERED: (
        WARNING,
        "32088",
        "Failover has been initiated for '{name}' and waits for its completion.",
        128,
    ),
    COMMITTED: (
        WARNING,
        "32089",
        "'{name}' has been failed over. Replication has not been reversed.",
        88,
    ),
    SUSPENDED: (WARNING, "32090", "Replication is paused for '{name}'.", 128),
    CRITICAL: (SEVERE, "32091", "Replication for '{name}' is in error and must be resumed.", 128),
    RESYNC_REQUIRED: (SEVERE, "32092", "'{name}' requires resynchronization.", 116),
    RESYNCHRONIZING: (WARNING, "32093", "'{name}' is being resynchronized.", 120),
    RESYNC_SUSPENDED: (WARNING, "32094", "Resynchronization is paused for '{name}'.", 128),
}
"""By state: health, MessageID, words and ProbableCause."""


def issues(end: End, now: float) -> Iterator[Issue]:
    """Every reason, the state's own first."""
    if end.mode == TEST:
        return
    pair, name = end.pair, end.machine.name
    if end.state in STATES:
        health, code, words, cause = STATES[end.state]
        yield Issue(health, code, words.format(name=name), cause)
    if end.mode == PRIMARY and pair.trouble is not None:
        yield _trouble(end, pair.trouble)
    counts = pair.counts
    cycles = counts.succeeded + counts.missed
    if end.mode == PRIMARY and cycles and 100 * counts.missed >= MISSED * cycles:
        share = 100 * counts.missed // cycles
        words = f"{share} percent of the replication cycles of '{name}' were missed."
        yield Issue(WARNING, "32095", words, 52)
    lag = pair.lag(now)
    if lag > LATE and end.state not in (RECOVERED, COMMITTED, PREPARED):
        words = f"The last replication of '{name}' was {int(lag // 60)} minutes ago."
        yield Issue(WARNING, "32096", words, 120)


def _trouble(end: End, trouble: Trouble) -> Issue:
    """A cycle that failed; the host goes on trying as long as the state says so."""
    text = f"Hyper-V failed to replicate changes for virtual machine '{end.machine.name}'"
    if end.state == REPLICATING:
        text += f" and will retry in {end.pair.interval} seconds"
    health = WARNING if end.state == REPLICATING else SEVERE
    code = "32315" if end.state == REPLICATING else trouble.code
    words = f"{text}. (Virtual machine ID {end.machine.id}) {trouble.words}"
    return Issue(health, code, words, trouble.cause)


def health(end: End, now: float) -> int:
    if end.mode == TEST:
        return NOT_APPLICABLE
    return max((issue.health for issue in issues(end, now)), default=OK)


def shown(end: End, now: float) -> dict[str, CimValue]:
    """What the relationship and the machine say alike."""
    pair = end.pair
    never = shapes.ZERO_TIME
    return {
        "FailedOverReplicationType": end.failed_over,
        "LastApplicationConsistentReplicationTime": (
            shapes.when(pair.consistent_at) if pair.consistent_at else never
        ),
        "LastReplicationTime": shapes.when(pair.shipped_at) if pair.shipped_at else never,
        "LastReplicationType": pair.kind,
        "ReplicationHealth": health(end, now),
        "ReplicationState": end.state,
    }


NOTHING: dict[str, CimValue] = {
    "FailedOverReplicationType": 0,
    "LastApplicationConsistentReplicationTime": shapes.ZERO_TIME,
    "LastReplicationTime": shapes.ZERO_TIME,
    "LastReplicationType": 0,
    "ReplicationHealth": 0,
    "ReplicationMode": replication.NO_MODE,
    "ReplicationState": replication.DISABLED,
}
"""What a machine says that takes part in nothing."""


def show(end: End, now: float) -> None:
    """Bring what the machine tells of its relationship up to date."""
    values = end.machine.system.values
    if end.mode == TEST:
        values["ReplicationMode"] = TEST
        return
    values.update(shown(end, now))
    values["ReplicationMode"] = end.mode

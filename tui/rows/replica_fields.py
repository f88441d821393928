"""What relationships of Hyper-V Replica can be filtered by."""

from __future__ import annotations

from collections.abc import Callable

from tui.hyperv.replica import FAILED_OVER, PAUSED
from tui.rows import replicas
from tui.rows.vocabulary import (
    COMMON,
    Unit,
    Vocabulary,
    no_tags,
    place,
    table,
    text_of,
    value_of,
)
from tui.store.rows import ReplicaRow
from tui.wsman.values import ReplicationState as State


def _health(row: ReplicaRow) -> tuple[str, ...]:
    shown = replicas.health(row.replica)
    return (shown.word,) if shown else ()


def _in(*states: int) -> Callable[[ReplicaRow], bool]:
    return lambda row: row.replica.state in states


REPLICA = Vocabulary(
    fields=table(
        text_of("name machine vm", lambda r: (r.name,)),
        text_of("host", lambda r: (r.host.id, r.host.name)),
        text_of("cluster", lambda r: (r.host.cluster,)),
        text_of("primary", lambda r: (r.replica.primary,)),
        text_of("replica recovery", lambda r: (r.replica.recovery,)),
        text_of("role mode", lambda r: (replicas.role(r.replica),)),
        text_of("state", lambda r: (replicas.state(r.replica).word,)),
        text_of("health", _health),
        text_of("problem reason", lambda r: (replicas.reason(r),)),
        text_of("next", lambda r: (replicas.next_step(r),)),
        text_of("test", lambda r: (r.replica.test_name,)),
        text_of("guid id", lambda r: (r.replica.vm,)),
        value_of(Unit.AGE, "lag", lambda r: r.replica.lag),
        value_of(Unit.AGE, "interval", lambda r: r.replica.interval or None),
        value_of(Unit.AGE, "latency", lambda r: r.replica.latency),
        value_of(Unit.SIZE, "pending", lambda r: r.replica.pending),
        value_of(Unit.NUMBER, "missed", lambda r: r.replica.missed,
                 lambda r: None if r.replica.missed_share is None
                 else 100 * r.replica.missed_share),
        value_of(Unit.NUMBER, "points", lambda r: r.replica.history),
    ),
    flags={
        **COMMON,
        "problem": replicas.problem,
        "ok": lambda r: not replicas.problem(r),
        "late": lambda r: r.replica.late,
        "primary": lambda r: r.replica.is_primary,
        "replica": lambda r: r.replica.is_replica,
        "paused": _in(*PAUSED),
        "error": _in(State.CRITICAL, State.WAITING_TO_START_RESYNCHRONIZATION),
        "prepared": _in(State.SYNCED_REPLICATION_COMPLETE),
        "failed-over": _in(*FAILED_OVER),
        "tested": lambda r: bool(r.replica.test),
    },
    pieces=lambda r: (r.name, r.host.id, r.host.name, r.replica.primary, r.replica.recovery,
                      replicas.reason(r)),
    place=lambda r: place(r.host),
    tags=no_tags,
    host=lambda r: str(r.host.id),
)  # fmt: skip

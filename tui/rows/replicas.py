"""Replication as people read it: states, lag, the reason of its health and the next step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from tui.hyperv import replica as nouns
from tui.hyperv.replica import FAILED_OVER, PAUSED, STANDING, Replica, short, word
from tui.rows import text
from tui.rows.column import Cell, Column, plain
from tui.store.rows import ReplicaRow, Stale, VmRow
from tui.wsman.values import ReplicationState as State


def _state(glyph: str, ascii_glyph: str, words: str, tone: str) -> text.State:
    return text.State(glyph, ascii_glyph, words, tone)


def _busy(words: str) -> text.State:
    return text.State("◌", "~", words, "changing")


STATES: Final[Mapping[int, text.State]] = {
    State.DISABLED: _state("○", "o", "Disabled", "off"),
    State.READY_FOR_REPLICATION: _state("○", "o", "Not started", "warning"),
    State.WAITING_TO_COMPLETE_INITIAL_REPLICATION: _busy("Initial copy"),
    State.REPLICATING: _state("●", "*", "Replicating", "running"),
    State.SYNCED_REPLICATION_COMPLETE: _state("◐", "=", "Prepared", "accent"),
    State.RECOVERED: _state("◐", "=", "Failed over", "warning"),
    State.COMMITTED: _state("◐", "=", "Committed", "warning"),
    State.SUSPENDED: _state("‖", "|", "Paused", "paused"),
    State.CRITICAL: _state("▲", "!", "Error", "critical"),
    State.WAITING_TO_START_RESYNCHRONIZATION: _state("▲", "!", "Needs resync", "critical"),
    State.RESYNCHRONIZING: _busy("Resyncing"),
    State.RESYNCHRONIZATION_SUSPENDED: _state("‖", "|", "Resync paused", "paused"),
    State.FAILOVER_IN_PROGRESS: _busy("Failing over"),
    State.FAILBACK_IN_PROGRESS: _busy("Failing back"),
    State.FAILBACK_COMPLETE: _state("◐", "=", "Failed back", "warning"),
    15: _busy("Updating disks"),
    16: _state("▲", "!", "Disk update", "critical"),
}
HEALTHS: Final[Mapping[int, text.State]] = {
    nouns.HEALTHY: _state("●", "*", "OK", "ok"),
    nouns.WARNING: _state("▲", "!", "Warning", "warning"),
    nouns.CRITICAL: _state("▲", "!", "Critical", "error"),
}
MODES: Final[Mapping[int, str]] = {
    nouns.PRIMARY: "Primary",
    nouns.REPLICA: "Replica",
    nouns.TEST: "Test",
    nouns.EXTENDED: "Extended",
}
_IDENTITY = re.compile(r"\s*\([^()]*[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\)")
"""A GUID in brackets, as hosts put one into every message."""
_DAY = 86_400.0


# -- how it stands -------------------------------------------------------------------------


def state(replica: Replica, pending: str = "") -> text.State:
    """What was asked for, else the state; numbers nobody documented stay visible."""
    if pending:
        return _busy(pending)
    return STATES.get(replica.state) or _state("?", "?", f"State {replica.state}", "unknown")


def health(replica: Replica) -> text.State | None:
    """None where health does not apply."""
    if not replica.health:
        return None
    return HEALTHS.get(replica.health) or _state("?", "?", f"Health {replica.health}", "unknown")


def role(replica: Replica) -> str:
    """``Primary``, ``Replica``; where a chain goes on from a replica, ``Extending``."""
    if replica.extended and replica.mode == nouns.REPLICA:
        return "Extending"
    return MODES.get(replica.mode, f"Mode {replica.mode}" if replica.mode else "")


def way(replica: Replica) -> str:
    """``BERLIN → DRESDEN``, from the primary to the replica."""
    arrow = "->" if text.ascii_in_use() else "→"
    ends = short(replica.primary) or text.unknown(), short(replica.recovery) or text.unknown()
    return f"{ends[0]} {arrow} {ends[1]}"


def lag(replica: Replica) -> str:
    """``2h12m/15m``: behind, against the interval."""
    if replica.lag is None:
        return ""
    behind = text.uptime(replica.lag).replace(" ", "")
    return f"{behind}/{text.age(replica.interval)}" if replica.interval else behind


def lag_tone(replica: Replica) -> str:
    if not replica.late:
        return "dim" if replica.state in STANDING else ""
    return "error" if replica.health >= nouns.CRITICAL else "warning"


def moment(at: float, now: float) -> str:
    """Time of day; with the date when it was another day."""
    if not at:
        return ""
    then = datetime.fromtimestamp(at).astimezone()
    return then.strftime("%H:%M:%S" if abs(now - at) < _DAY / 2 else "%m-%d %H:%M")


# -- why, and what next --------------------------------------------------------------------


def problem(row: ReplicaRow) -> bool:
    """It needs a look: the host says so, or it is later than the host says."""
    return row.replica.health > nouns.HEALTHY or row.replica.late or row.stale >= Stale.LOST


def reason(row: ReplicaRow) -> str:
    """Why it is as it is: what the other end does to it, then the host's own words."""
    replica = row.replica
    said = [_IDENTITY.sub("", words).strip() for words in replica.reasons]
    found = [*filter(None, [_elsewhere(row)]), *said]
    if not found and problem(row):
        found = [_derived(replica)]
    return " ".join(words if words.endswith((".", "!")) else f"{words}." for words in found)


def _elsewhere(row: ReplicaRow) -> str:
    """What the other end has to do with it."""
    if row.other is None:
        return ""
    other, where = row.other.replica, row.other.host.id
    if row.replica.is_primary and other.state in FAILED_OVER:
        return f"{word(other.state).capitalize()} to {where}"
    if other.state == State.SYNCED_REPLICATION_COMPLETE:
        return f"Prepared for a planned failover on {where}"
    telling = (*PAUSED, State.CRITICAL, State.WAITING_TO_START_RESYNCHRONIZATION)
    if other.state in telling and other.state != row.replica.state and not _settled(row.replica):
        return f"{word(other.state).capitalize()} on {where}"
    return ""


def _settled(replica: Replica) -> bool:
    """It has gone its own way; how the other end is does not matter to it."""
    return replica.state in FAILED_OVER


def _derived(replica: Replica) -> str:
    share = replica.missed_share
    if replica.state not in (State.REPLICATING, State.DISABLED):
        return f"It is {word(replica.state)}"
    if share is not None and share >= nouns.MISSED_SHARE:
        return (
            f"{replica.missed} of {(replica.missed or 0) + (replica.succeeded or 0)} cycles missed"
        )
    if replica.late:
        return f"{text.uptime(replica.lag)} behind, every {text.age(replica.interval)} is agreed"
    return "The host does not say why"


_STEPS: Final[Mapping[int, str]] = {
    State.SUSPENDED: "resume replication",
    State.RESYNCHRONIZATION_SUSPENDED: "resume replication",
    State.CRITICAL: "mend the cause, then resume replication",
    State.WAITING_TO_START_RESYNCHRONIZATION: "resynchronize",
    State.RECOVERED: "reverse replication, or cancel the failover",
    State.COMMITTED: "reverse replication",
}


def next_step(row: ReplicaRow) -> str:
    """What an administrator would do next; empty when nothing is due."""
    replica, other = row.replica, row.other
    where = other.host.id if other else replica.partner
    if replica.state == State.SYNCED_REPLICATION_COMPLETE:
        return f"planned failover on {where}, or cancel the failover here"
    if replica.is_primary and replica.state == State.READY_FOR_REPLICATION:
        return "start initial replication"
    if other is not None and replica.state not in FAILED_OVER:
        if replica.is_primary and other.replica.state in FAILED_OVER:
            return f"on {where}: {_STEPS[other.replica.state]}"
        if replica.is_replica and other.replica.state == State.SYNCED_REPLICATION_COMPLETE:
            return "planned failover here"
    step = _STEPS.get(replica.state, "")
    if replica.is_replica and replica.test and not step:
        return "look at the test machine, then stop the test failover"
    if not step and other is not None and (there := _STEPS.get(other.replica.state)):
        return f"on {where}: {there}"
    return step


# -- columns -------------------------------------------------------------------------------


def _cell(shown: text.State | None) -> Cell:
    return Cell(str(shown), shown.tone) if shown is not None else Cell("")


def _state_cell(row: ReplicaRow) -> Cell:
    shown = state(row.replica, row.pending)
    return Cell(str(shown), "stale" if row.stale >= Stale.LOST else shown.tone)


def _reason_cell(row: ReplicaRow) -> Cell:
    tone = "error" if row.replica.health >= nouns.CRITICAL else "warning" if problem(row) else ""
    return Cell(reason(row), tone)


def _other(row: ReplicaRow) -> Cell:
    return _cell(state(row.other.replica) if row.other else None)


def _cycles(row: ReplicaRow) -> Cell:
    replica = row.replica
    if replica.missed is None or replica.succeeded is None:
        return Cell("")
    bad = (replica.missed_share or 0.0) >= nouns.MISSED_SHARE
    return Cell(f"{replica.missed}/{replica.missed + replica.succeeded}", "warning" if bad else "")


REPLICA_COLUMNS: tuple[Column[ReplicaRow], ...] = (
    Column("name", "Machine", lambda r: r.name, plain(lambda r: r.name), 16, 12, priority=0,
           grow=True),
    Column("host", "Host", lambda r: r.host.id, plain(lambda r: r.host.id), 12, 8, priority=1),
    Column("role", "Role", lambda r: role(r.replica), plain(lambda r: role(r.replica)),
           8, 7, priority=4),
    Column("way", "Primary to replica", lambda r: way(r.replica), plain(lambda r: way(r.replica)),
           20, 16, priority=7),
    Column("state", "State", lambda r: state(r.replica).word, _state_cell, 15, 13, priority=0,
           flash=True),
    Column("health", "Health", lambda r: r.replica.health or None,
           lambda r: _cell(health(r.replica)), 10, priority=0),
    Column("lag", "Lag", lambda r: r.replica.lag,
           lambda r: Cell(lag(r.replica), lag_tone(r.replica)), 11, 10, right=True, priority=2),
    Column("last", "Last good", lambda r: r.replica.last or None,
           plain(lambda r: moment(r.replica.last, text.now())), 11, priority=6),
    Column("pending", "Pending", lambda r: r.replica.pending,
           plain(lambda r: text.size(r.replica.pending)), 8, right=True, priority=5),
    Column("problem", "Reason", reason, _reason_cell, 40, 22, priority=1, grow=True, prose=True),
    Column("next", "Next step", next_step, plain(next_step, "accent"), 24, 12, priority=8,
           prose=True),
    Column("other", "Other end", lambda r: _other(r).text or None, _other, 15, 13, priority=8),
    Column("cycles", "Missed", lambda r: r.replica.missed, _cycles, 9, right=True, priority=8),
    Column("interval", "Interval", lambda r: r.replica.interval or None,
           plain(lambda r: text.age(r.replica.interval) if r.replica.interval else ""),
           8, right=True, priority=9),
    Column("points", "Points", lambda r: r.replica.history or None,
           plain(lambda r: text.count(r.replica.history)), 6, right=True, priority=9),
    Column("test", "Test machine", lambda r: r.replica.test_name,
           plain(lambda r: r.replica.test_name), 18, 10, priority=9),
    Column("primary", "Primary", lambda r: r.replica.primary, plain(lambda r: r.replica.primary),
           24, 10, priority=10),
    Column("replica", "Replica", lambda r: r.replica.recovery,
           plain(lambda r: r.replica.recovery), 24, 10, priority=10),
    Column("id", "Id", lambda r: r.key, plain(lambda r: r.key, "dim"), 40, 20, priority=12),
)  # fmt: skip
REPLICA_DEFAULT = (
    "name", "host", "role", "way", "state", "health", "lag", "last", "pending", "problem",
)  # fmt: skip


# -- of machines ---------------------------------------------------------------------------


def replication(row: VmRow) -> Cell:
    """A machine's part in replication and how it does: ``Primary OK``."""
    vitals = row.vitals
    words, tone = text.REPLICATION.get(vitals.replication, ("", ""))
    return Cell(" ".join(filter(None, (MODES.get(vitals.replication_mode, ""), words))), tone)


def replication_words(row: VmRow) -> tuple[str, ...]:
    """The same for filters: health, and mode."""
    words = text.REPLICATION.get(row.vitals.replication, ("",))[0]
    return words, MODES.get(row.vitals.replication_mode, "")

"""The columns of what is going on: jobs, calls of actions with notices, exchanges with hosts."""

from __future__ import annotations

from typing import TypeAlias

from tui.collector.messages import CallUpdate, Exchange, Phase
from tui.rows import text
from tui.rows.column import Cell, Column, plain
from tui.store.rows import JobRow
from tui.store.watches import Notice

Deed: TypeAlias = CallUpdate | Notice
"""An action taken here, or a notice about something watched."""


def _job_state(row: JobRow) -> Cell:
    return Cell(*text.job_state(row.job))


def _progress(row: JobRow) -> Cell:
    job = row.job
    return Cell(text.percent(job.percent), "", None if job.finished else job.percent / 100)


_EARLY = 3
"""Percent before which nobody can tell how long the rest takes."""


def remaining(percent: int | None, elapsed: float) -> float | None:
    """Seconds still to go at the rate so far; None while that cannot be told."""
    if percent is None or not _EARLY <= percent < 100 or elapsed <= 0:
        return None
    return elapsed * (100 - percent) / percent


def _passing(seconds: float | None) -> str:
    return "" if seconds is None else text.uptime(seconds)


def _left(row: JobRow) -> float | None:
    return None if row.job.finished else remaining(row.job.percent, row.job.elapsed)


JOB_COLUMNS: tuple[Column[JobRow], ...] = (
    Column("name", "Job", lambda r: r.job.name, plain(lambda r: r.job.name),
           28, 14, priority=0, grow=True),
    Column("subject", "VM", lambda r: r.subject, plain(lambda r: r.subject), 18, 10, priority=1),
    Column("host", "Host", lambda r: r.host.id, plain(lambda r: r.host.id), 15, 10, priority=2),
    Column("state", "State", lambda r: text.job_state(r.job)[0], _job_state,
           13, priority=0, flash=True),
    Column("percent", "Done", lambda r: r.job.percent, _progress, 10, 5, right=True, priority=1),
    Column("left", "Left", _left, plain(lambda r: _passing(_left(r))), 7, right=True, priority=2),
    Column("started", "Started", lambda r: r.job.started_at or None,
           plain(lambda r: text.clock(r.job.started_at)), 8, right=True, priority=4),
    Column("elapsed", "Elapsed", lambda r: r.job.elapsed,
           plain(lambda r: text.uptime(r.job.elapsed)), 7, right=True, priority=3),
    Column("error", "Error", lambda r: r.job.error, plain(lambda r: r.job.error, "error"),
           36, 10, priority=5, grow=True, prose=True),
    Column("code", "Code", lambda r: r.job.error_code or None,
           plain(lambda r: text.count(r.job.error_code)), 6, right=True, priority=8),
    Column("id", "Id", lambda r: r.job.id, plain(lambda r: r.job.id, "dim"), 36, 12, priority=12),
)  # fmt: skip
JOB_DEFAULT = ("name", "subject", "host", "state", "percent", "left", "started", "elapsed", "error")

PHASES: dict[Phase, tuple[str, str]] = {
    Phase.REQUESTED: ("Requested", "changing"),
    Phase.ACCEPTED: ("Accepted", "changing"),
    Phase.OBSERVED: ("Done", "ok"),
    Phase.FAILED: ("Failed", "error"),
    Phase.REFUSED: ("Refused", "warning"),
    Phase.UNKNOWN: ("Unknown", "error"),
}


STANDS: dict[str, str] = {"ok": "Well", "warning": "Warning", "error": "Critical"}
"""How something watched stands, by tone."""


def result(row: Deed) -> Cell:
    """How a call ended, or how something watched stands."""
    if isinstance(row, Notice):
        return Cell(STANDS[row.tone], row.tone)
    return Cell(*PHASES[row.phase])


def why(row: Deed) -> str:
    """Of a failure, or of a notice."""
    return row.why if isinstance(row, Notice) else text.trouble(row.trouble)


def _why(row: Deed) -> Cell:
    return Cell(why(row), row.tone if isinstance(row, Notice) else "error")


def _percent(row: Deed) -> int | None:
    return None if isinstance(row, Notice) else row.percent


def _job(row: Deed) -> str:
    return "" if isinstance(row, Notice) else row.job


CALL_COLUMNS: tuple[Column[Deed], ...] = (
    Column("at", "Time", lambda r: r.at, plain(lambda r: text.clock(r.at)), 8, priority=1),
    Column("action", "Action", lambda r: r.action, plain(lambda r: r.action), 14, 10, priority=0),
    Column("name", "On", lambda r: r.name, plain(lambda r: r.name), 20, 10, priority=0, grow=True),
    Column("host", "Host", lambda r: r.host, plain(lambda r: r.host), 15, 10, priority=2),
    Column("phase", "Result", lambda r: result(r).text, result, 10, priority=0, flash=True),
    Column("percent", "Done", _percent, plain(lambda r: text.percent(_percent(r))),
           5, right=True, priority=4),
    Column("trouble", "Why", why, _why, 40, 12, priority=3, grow=True, prose=True),
    Column("job", "Job", _job, plain(_job, "dim"), 36, 10, priority=9),
)  # fmt: skip
CALL_DEFAULT = ("at", "action", "name", "host", "phase", "percent", "trouble")


def _exchange_outcome(row: Exchange) -> Cell:
    return Cell(row.outcome, "ok" if row.outcome == "ok" else "error")


EXCHANGE_COLUMNS: tuple[Column[Exchange], ...] = (
    Column("at", "Time", lambda r: r.at, plain(lambda r: text.clock(r.at)), 8, priority=1),
    Column("host", "Host", lambda r: r.host, plain(lambda r: r.host), 15, 10, priority=1),
    Column("lane", "Lane", lambda r: r.lane, plain(lambda r: r.lane, "dim"), 5, priority=5),
    Column("operation", "Operation", lambda r: r.operation, plain(lambda r: r.operation),
           48, 16, priority=0, grow=True),
    Column("seconds", "Took", lambda r: r.seconds, plain(lambda r: text.latency(r.seconds)),
           7, right=True, priority=2),
    Column("bytes", "Bytes", lambda r: r.bytes, plain(lambda r: text.size(r.bytes)),
           7, right=True, priority=4),
    Column("outcome", "Outcome", lambda r: r.outcome, _exchange_outcome, 16, 6, priority=0),
)  # fmt: skip
EXCHANGE_DEFAULT = ("at", "host", "lane", "operation", "seconds", "bytes", "outcome")

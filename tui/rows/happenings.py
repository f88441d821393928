"""What happened to one machine: its jobs first, then what its host's log says, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui.hyperv.model import Job
from tui.hyperv.sheet import Event, Sheet
from tui.rows import text
from tui.rows.column import Cell, Column, plain

LEVELS = {
    1: text.State("✗", "x", "Error", "error"),
    2: text.State("▲", "!", "Warning", "warning"),
    3: text.State("○", "o", "Info", ""),
}
_COMMON = "Microsoft-Windows-"
"""What the names of all sources of Windows begin with."""


@dataclass(frozen=True, slots=True)
class Happening:
    """A job, or a record of the log."""

    key: str
    job: Job | None = None
    event: Event | None = None


def happenings(jobs: Iterable[Job], sheet: Sheet | None) -> Iterator[Happening]:
    """Jobs in their order, then records, newest first."""
    for job in jobs:
        yield Happening(job.id, job=job)
    for event in sheet.events if sheet else ():
        yield Happening(f"event {event.number}", event=event)


def log_note(sheet: Sheet | None) -> Cell:
    """What of the log is not shown."""
    if sheet is not None and sheet.events_refused:
        return Cell(f"Its host tells of no events: {sheet.events_refused}", "warning")
    words = "System log of three days; channels such as Hyper-V-VMMS-Admin are not in it"
    return Cell(words, "dim")


def _state(row: Happening) -> Cell:
    if row.event is not None:
        level = LEVELS.get(row.event.level, text.State("?", "?", "Level", "unknown"))
        return Cell(str(level), level.tone)
    return Cell(*text.job_state(row.job)) if row.job else Cell("")


def _words(row: Happening) -> str:
    if row.event is not None:
        return row.event.message
    if row.job is None:
        return ""
    job = row.job
    return f"{job.name}: {job.error}" if job.error else job.name


def _at(row: Happening) -> float:
    if row.event is not None:
        return row.event.at
    return row.job.started_at if row.job else 0.0


def _source(row: Happening) -> str:
    return row.event.source.removeprefix(_COMMON) if row.event else "job"


def _code(row: Happening) -> str:
    if row.event is not None:
        return str(row.event.code)
    return text.percent(row.job.percent) if row.job else ""


HAPPENING_COLUMNS: tuple[Column[Happening], ...] = (
    Column("state", "State", lambda r: _state(r).text, _state, 13, 10, priority=0, flash=True),
    Column("what", "What", _words, plain(_words), 40, 32, priority=0, grow=True, prose=True),
    Column("at", "When", _at, plain(lambda r: text.day(_at(r))), 16, priority=1),
    Column("source", "Source", _source, plain(_source, "dim"), 18, 12, priority=4),
    Column("code", "Id", _code, plain(_code), 5, right=True, priority=2),
)  # fmt: skip

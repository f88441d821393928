"""Runs an action as the act lane does, in this process, and asks the host afterwards in WQL."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import structs

from tests.hyperv_kit import Bench
from tui.actions import Action, Kind, Target, by_id, why_not
from tui.collector.following import target_of
from tui.errors import JobFailed
from tui.hyperv import jobs, sheets
from tui.hyperv.model import Inventory, Link
from tui.hyperv.outcome import Outcome, Started
from tui.wsman.cim import CimInstance, CimValue

V2 = "root/virtualization/v2"


def action(action_id: str) -> Action:
    found = by_id(action_id)
    assert found is not None, action_id
    return found


def inventory(at: Bench) -> Inventory:
    """Everything, read anew; the host counts as connected, as the collector would say."""
    at.reader.facts()
    at.reader.fast()
    at.reader.slow()
    found = at.reader.fast()
    vitals = structs.replace(found.vitals, link=Link.UP, read_at=at.clock.now())
    return structs.replace(found, vitals=vitals)


def target(at: Bench, name: str, *, sheet: bool = True) -> Target:
    """A machine with its sheet, as an action is given it."""
    found = target_of(inventory(at), Kind.VM, at.vm(name))
    assert found is not None
    if not sheet:
        return found
    return replace(found, sheet=sheets.read(at.client, "hv01", found.id, at.clock.now))


def objection(at: Bench, action_id: str, name: str, /, **given: Any) -> str:
    """Why the action is not asked of the host; empty when it would be."""
    row, found = action(action_id), target(at, name)
    arguments = row.filled(found, given)
    return why_not(row, found) or row.objection(found, arguments) or ""


@dataclass
class Ran:
    """What running an action came to."""

    row: Action
    arguments: dict[str, Any]
    steps: list[str] = field(default_factory=list)


def perform(at: Bench, action_id: str, name: str, /, **given: Any) -> Ran:
    """Run an action that nothing speaks against, and see it done."""
    row, before = action(action_id), target(at, name)
    ran = Ran(row, row.filled(before, given))
    assert why_not(row, before) is None
    assert row.objection(before, ran.arguments) is None
    asked_at = at.clock.now()
    drive(at, row, before, ran)
    wanted = row.wanted(ran.arguments, before, asked_at)
    assert wanted is None or wanted(target(at, name, sheet=False))
    assert row.looked is None or row.looked(at.client, before, ran.arguments)
    return ran


def drive(at: Bench, row: Action, found: Target, ran: Ran) -> None:
    """Follow what a verb answers to its end, as the act lane does."""
    assert not isinstance(row.run, str)
    outcome = row.run(at.client, found, ran.arguments)
    if not isinstance(outcome, Generator):
        finish(at, outcome)
        return
    failure: JobFailed | None = None
    while True:
        try:
            step = outcome.throw(failure) if failure is not None else next(outcome)
        except StopIteration:
            return
        ran.steps.append(step.title)
        failure = None
        try:
            finish(at, step.outcome)
        except JobFailed as error:
            failure = error


def attempt(at: Bench, action_id: str, name: str, /, **given: Any) -> Ran:
    """Ask the host whatever our rules say; its refusal is the caller's."""
    row, found = action(action_id), target(at, name)
    ran = Ran(row, row.filled(found, given))
    drive(at, row, found, ran)
    return ran


def finish(at: Bench, outcome: Outcome) -> None:
    """Wait for a job. Raises JobFailed when it ended badly."""
    if not isinstance(outcome, Started):
        return
    for _ in range(600):
        job = jobs.read(at.client, outcome.job, "hv01")
        if job is None or job.finished:
            if job is not None:
                jobs.raise_if_failed(job)
            return
        at.pass_time(1)
    raise AssertionError("the job never ended")


# -- plain truth ---------------------------------------------------------------------------


def rows(at: Bench, class_name: str, name: str) -> list[CimInstance]:
    """Instances of a class that belong to a machine now, by the beginning of their InstanceID."""
    prefix = f"microsoft:{at.vm(name).lower()}"
    found = at.wql(V2, f"SELECT * FROM {class_name}")
    return [row for row in found if str(row["InstanceID"]).lower().startswith(prefix)]


def values(at: Bench, class_name: str, name: str, *wanted: str) -> tuple[CimValue, ...]:
    """Properties of the only instance of a class that a machine has."""
    (row,) = rows(at, class_name, name)
    return tuple(row[each] for each in wanted)


def only(items: Iterable[CimInstance]) -> CimInstance:
    (item,) = items
    return item

"""What a job has made: told by the job, or found by comparing before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.errors import Fault, WireError
from tui.hyperv import paths
from tui.hyperv.outcome import Outcome, Started
from tui.wsman.cim import CimInstance, quoted
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient


def systems(client: CimClient, class_name: str) -> frozenset[str]:
    """Names (GUIDs) of the systems of a class."""
    rows = client.query(VIRTUALIZATION, f"SELECT * FROM {class_name}")
    return frozenset(_names(rows, class_name))


def _names(rows: list[CimInstance], class_name: str) -> list[str]:
    found = (paths.guid(row.get("Name")) for row in rows if row.class_name == class_name)
    return [name for name in found if name]


def new_system(
    client: CimClient, outcome: Outcome, class_name: str, before: frozenset[str], what: str
) -> str:
    """GUID of the system that a finished call has made.

    With a job the result parameters are null, so the job's affected elements tell; a job that
    the host has forgotten leaves what was not there before.
    """
    told = _affected(client, outcome, class_name)
    found = [name for name in told if name not in before]
    if not found:
        found = sorted(systems(client, class_name) - before)
    if len(found) != 1:
        raise WireError(
            f"{what} was made and cannot be told from the others",
            cause=f"{len(found)} appeared meanwhile",
            hint="look at the host before trying again",
        )
    return found[0]


def _affected(client: CimClient, outcome: Outcome, class_name: str) -> list[str]:
    if not isinstance(outcome, Started):
        return []
    job = outcome.job
    path = f"{job.class_name}.InstanceID={quoted(job.key('InstanceID') or '')}"
    try:
        rows = client.query(
            VIRTUALIZATION,
            f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_AffectedJobElement",
        )
    except Fault:
        return []
    return _names(rows, class_name)

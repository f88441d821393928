"""What counts as wrong with a machine, and that header, filter and column judge alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from tests.hyperv_kit import Wire
from tui.cli.gather import store_of
from tui.collector.messages import HostLink
from tui.hyperv.model import Checkpoint, Host, HostVitals, Link, Vm, VmVitals
from tui.hyperv.read import Reader
from tui.rows.columns import VM_COLUMNS, find
from tui.rows.filter import parse
from tui.rows.findings import finding, passing, stuck
from tui.sim.scenes import build
from tui.sim.world import StillClock
from tui.store import Stale, Store, VmRow
from tui.wsman.client import CimClient

NOW = 1_790_000_000.0
DAY = 86_400.0


def row(pending: str = "", checkpoints: tuple[Checkpoint, ...] = (), **vitals: Any) -> VmRow:
    return VmRow(
        "G", Vm("G", "hv01", "a", checkpoints=checkpoints), VmVitals("G", "hv01", **vitals),
        Host("hv01", "http://hv01:5985/wsman"), HostVitals("hv01", link=Link.UP, read_at=NOW),
        pending,
    )  # fmt: skip


def words(of: VmRow) -> str:
    found = finding(of)
    return f"{found.tone}: {found.words}" if found else ""


@pytest.mark.parametrize(
    ("vitals", "said"),
    [
        ({"state": 2, "heartbeat": 2, "health": 5}, ""),
        ({"state": 2, "heartbeat": 12}, ""),
        ({"state": 2, "heartbeat": 12, "had_contact": True}, "error: heartbeat lost"),
        ({"state": 2, "heartbeat": 13}, "error: heartbeat lost"),
        ({"state": 2, "heartbeat": 6}, "error: heartbeat error"),
        ({"state": 9, "heartbeat": 13}, ""),
        ({"state": 32789}, "error: Paused-crit"),
        ({"state": 3, "health": 25}, "error: health 25"),
        ({"state": 2, "replication": 1}, ""),
        ({"state": 2, "replication": 2}, "warning: replication warning"),
        ({"state": 2, "replication": 3}, "error: replication critical"),
        ({"state": 4711}, "error: state not known"),
        ({"state": 10, "since": NOW - 119}, ""),
        ({"state": 10, "since": NOW - 125}, "warning: starting for 2m 5s"),
        ({"state": 4, "since": NOW - 3700}, "error: stopping for 1h 1m"),
        ({"state": 4, "since": NOW - 130, "since_at_least": True},
         "warning: stopping for at least 2m 10s"),
        ({"state": 2, "since": NOW - DAY}, ""),
    ],
)  # fmt: skip
def test_what_is_wrong(vitals: dict[str, Any], said: str) -> None:
    assert words(row(**vitals)) == said


def test_a_silent_guest_is_expected_while_something_is_done_to_it() -> None:
    assert finding(row(pending="Shut down", state=2, heartbeat=13)) is None


def test_checkpoints_that_should_not_be_there() -> None:
    def point(kind: str, days: float) -> tuple[Checkpoint, ...]:
        return (Checkpoint("c", "c", NOW - days * DAY, kind=kind),)

    assert words(row(state=2, checkpoints=point("recovery", 9))) == (
        "warning: backup checkpoint left for 9d"
    )
    assert words(row(state=2, checkpoints=point("recovery", 0.2))) == ""
    assert words(row(state=2, checkpoints=point("standard", 90))) == ""
    assert words(row(state=2, checkpoints=point("missing", 1))) == "error: checkpoint files missing"


def test_a_stuck_state_shows_it_without_colour() -> None:
    cell = find(VM_COLUMNS, "state").cell
    assert cell(row(state=4, since=NOW - 9)).text == "◌ Stopping"
    late = cell(row(state=4, since=NOW - 700))
    assert (late.text, late.tone) == ("▲ Stopping", "error")
    assert cell(row(state=4, since=NOW - 200)).tone == "warning"


def test_a_lost_host_makes_no_machine_ill_and_none_well() -> None:
    assert finding(replace(row(state=2), stale=Stale.LOST)) is None
    assert finding(replace(row(state=32789), stale=Stale.LOST)) is not None


def test_how_long_is_told_honestly() -> None:
    assert passing(VmVitals("G", "h", 4, since=NOW - 61), NOW) == "1m 1s"
    first_seen = VmVitals("G", "h", 4, since=NOW - 61, since_at_least=True)
    assert passing(first_seen, NOW) == "at least 1m 1s"


def troubled() -> Store:
    """One look at the worst host of the troubled scene."""
    clock = StillClock()
    fabric = build("troubled", clock=clock)
    client = CimClient(Wire(fabric.hosts["HV-BAD"]), url="inproc:")
    reader = Reader(client, "hv-bad", "http://hv-bad:5985/wsman", now=clock.now)
    reader.fast()
    reader.facts()
    inventory = reader.slow()
    vitals = structs.replace(inventory.vitals, link=Link.UP, read_at=clock.now())
    whole = structs.replace(inventory, vitals=vitals)
    return store_of([HostLink("hv-bad", "http://hv-bad:5985/wsman")], {"hv-bad": whole}, {})


def test_what_was_stuck_before_we_looked_is_found_at_once() -> None:
    rows = troubled().vms.values()
    stuck_ones = {row.name: found.words for row in rows if (found := stuck(row))}
    assert stuck_ones == {
        "stuck-stopping": "stopping for 1h 1m",
        "stuck-starting": "starting for 2h 0m",
    }


def test_filter_and_column_agree_with_the_judgement() -> None:
    rows = list(troubled().vms.values())
    ill = {row.name for row in rows if finding(row)}
    assert ill == {"stuck-stopping", "stuck-starting", "sql-full", "files-full", "orphan"}
    assert {row.name for row in parse("is:problem", "vm").select(rows)} == ill
    assert {row.name for row in rows if find(VM_COLUMNS, "problem").cell(row).text} == ill
    assert {row.name for row in parse("problem:backup", "vm").select(rows)} == {"orphan"}

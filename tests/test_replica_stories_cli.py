"""Replication from the command line over sockets; both hosts are asked what is true."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.fabric_kit import PASSWORD
from tests.replica_cases import (
    BERLIN,
    CASES,
    DRESDEN,
    PREPARED,
    PRIMARY,
    REPLICA,
    RUNNING,
    Fabric,
    PairShell,
    ReplicaCase,
    proven,
)  # fmt: skip
from tests.verb_story_kit import Served, serving_scene
from tui.cli.exits import REFUSED


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("replica") as found:
        yield found


@pytest.fixture
def shell(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> PairShell:
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    return PairShell(served.fabric, capsys)


def test_the_list_says_what_the_hosts_say(served: Served, shell: PairShell) -> None:
    columns = "name,role,state,health,lag,problem,next,id"
    told = json.loads(shell.both("replicas", "--columns", columns, "-o", "json"))
    assert len(told) == 32
    fabric = Fabric(served)
    for name in ("mail", "archive", "hr-app"):
        primary = next(row for row in told if row["name"] == name and row["role"] == "Primary")
        assert primary["health"] == fabric.health(BERLIN, name)
        assert primary["problem"]
    paused = json.loads(shell.both("replicas", "--filter", "mail is:primary", "-o", "json"))
    assert [row["state"] for row in paused] == ["Paused"]
    assert "paused" in paused[0]["problem"]
    late = json.loads(shell.both("replicas", "--filter", "is:late lag>20h", "-o", "json"))
    assert {row["name"] for row in late} == {"license", "wiki"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_verb_does_what_it_says(served: Served, shell: PairShell, case: ReplicaCase) -> None:
    fabric = Fabric(served)
    shell.replicate(case, case.prepare(fabric))
    assert proven(case, fabric)


def test_a_planned_failover_goes_over_both_hosts_in_order(served: Served, shell: PairShell) -> None:
    fabric = Fabric(served)
    where = {host: served.fabric.url(host).split("/")[2] for host in (BERLIN, DRESDEN)}
    begin = ("replica", "planned-failover", f"dns02@{where[BERLIN]}", "--wait", "--yes")
    ran = shell(DRESDEN, *begin, "--host", served.fabric.url(BERLIN))
    assert ran.code == REFUSED
    assert "is not prepared" in ran.out + ran.err
    prepare = ("replica", "prepare-failover", f"dns02@{where[DRESDEN]}", "--wait", "--yes")
    ran = shell(DRESDEN, *prepare, "--host", served.fabric.url(BERLIN))
    assert ran.code == REFUSED
    assert "shut it down first" in ran.out + ran.err
    fabric.at(DRESDEN).stop("dns02")
    shell.both(*prepare)
    assert fabric.state(DRESDEN, "dns02") == PREPARED
    shell.both(*begin)
    assert (fabric.mode(BERLIN, "dns02"), fabric.mode(DRESDEN, "dns02")) == (PRIMARY, REPLICA)
    assert fabric.power(BERLIN, "dns02") == RUNNING
    fabric.at(BERLIN).stop("dns02")
    there, home = f"dns02@{where[BERLIN]}", f"dns02@{where[DRESDEN]}"
    shell.both("replica", "prepare-failover", there, "--wait", "--yes")
    shell.both("replica", "planned-failover", home, "--wait", "--yes")
    assert (fabric.mode(BERLIN, "dns02"), fabric.mode(DRESDEN, "dns02")) == (REPLICA, PRIMARY)

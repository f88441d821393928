"""Every verb on a cluster over sockets, through the deck and from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cluster_cases import CASES, owner, stands
from tests.deck_kit import story
from tests.fabric_kit import PASSWORD
from tests.test_verb_stories import deck_on, tried
from tests.verb_story_kit import Case, Served, Shell, proven, serving_scene

NODES = ("NODE1", "NODE2", "NODE3", "NODE4")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("cluster") as found:
        yield found


def test_every_verb_does_what_it_says_through_the_deck() -> None:
    @story
    async def told() -> None:
        with serving_scene("cluster") as served:
            async with deck_on(served, *NODES) as d:
                wrong = [await tried(d, served, case) for case in CASES]
                assert not any(wrong), "\n".join(filter(None, wrong))

    told()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_verb_does_what_it_says(served: Served, shell: Shell, case: Case) -> None:
    truth = served.truth(case.host)
    ran = shell.act(case.host, case.action, case.on, case.prepare(truth))
    assert ran.code == 0, ran.out + ran.err
    assert proven(case, truth)


def test_what_cannot_be_is_refused_with_a_reason(served: Served, shell: Shell) -> None:
    ran = shell.act("NODE2", "role.move", "licences", {"node": "NODE1"})
    assert ran.code == 3
    assert "licences is locked" in ran.out
    ran = shell.act("NODE2", "role.move", "crm", {"node": "NODE9"})
    assert ran.code == 2
    assert "NODE9 is not there" in ran.err


def test_what_would_follow_is_told_in_a_rehearsal(shell: Shell) -> None:
    ran = shell("NODE2", "node", "drain", "NODE3", "--dry-run", "-o", "json")
    (told,) = json.loads(ran.out)
    assert told["call"] == "MSCluster_Node.Pause(1)"
    assert any(line.startswith("Without NODE3: 4 of 5 votes") for line in told["consequences"])


def test_lists_are_filtered_and_told_in_every_form(served: Served, shell: Shell) -> None:
    ran = shell("NODE2", "roles", "--filter", "@NODE2 is:locked", "-o", "json")
    assert ran.code == 0, ran.err
    assert [row["name"] for row in json.loads(ran.out)] == ["licences"]
    ran = shell("NODE2", "nodes", "-o", "csv", "--columns", "name,state,votes")
    assert ran.out.splitlines()[0] == "name,state,votes"
    assert [line.split(",")[0] for line in ran.out.splitlines()[1:]] == list(NODES)
    ran = shell("NODE2", "csvs", "--filter", "used>80%", "-o", "json")
    assert [row["name"] for row in json.loads(ran.out)] == ["Volume3"]
    ran = shell("NODE2", "roles", "--filter", "colour:red")
    assert ran.code == 2


def test_a_move_under_way_is_called_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    with serving_scene("cluster", "--speed", "1") as slow:
        shell = Shell(slow.fabric, capsys)
        truth = slow.truth("NODE2")
        ran = shell("NODE2", "role", "move", "bi", "--node", "NODE2", "--yes")
        assert ran.code == 0, ran.err
        assert stands(truth, "bi") == 4
        ran = shell.act("NODE2", "role.cancel", "bi", {})
        assert ran.code == 0, ran.err
        assert (owner(truth, "bi"), stands(truth, "bi")) == ("NODE3", 0)

"""Balance, capacity and places from the command line, over sockets; truth by plain WQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fabric_kit import PASSWORD
from tests.test_move_stories import Shell, configured
from tests.test_verbs_drain import NODES, machines
from tests.verb_story_kit import Served, serving_scene

GB = 1 << 30


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("cluster") as found:
        yield found


@pytest.fixture
def shell(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    return Shell(configured(served, tmp_path / "config.toml"), capsys)


def everywhere(served: Served) -> dict[str, set[str]]:
    return {node: set(machines(served.truth(node))) for node in NODES}


def test_a_balance_plan_is_told_and_only_then_carried_out(served: Served, shell: Shell) -> None:
    before = everywhere(served)
    told = shell("balance", "-o", "json")
    assert told.code == 0, told.err
    plan = json.loads(told.out)
    assert plan["moves"]
    for move in plan["moves"]:
        assert move["name"] in before[move["from"]]
        assert move["why"]
    spread = [
        max(col) - min(col) for col in zip(*(h["memory"] for h in plan["hosts"]), strict=True)
    ]
    assert spread[1] < spread[0], "memory is more even after it"
    shown = shell("balance")
    assert shown.code == 0
    assert plan["moves"][0]["name"] in shown.out
    assert "NODE1: memory" in shown.err
    refused = shell("balance", "--run", "--wait")
    assert refused.code == 2
    assert "--yes says you mean it" in refused.err
    assert shell("balance", "--run", "--cap", "0", "--yes").code == 2
    assert shell("balance", "--run", "--yes", "--read-only").code == 3
    assert everywhere(served) == before, "nothing has moved"
    done = shell("balance", "--run", "--wait", "--yes", "--cap", "2", "-o", "json")
    assert done.code == 0, done.out + done.err
    legs = json.loads(done.out)["legs"]
    assert legs
    assert {leg["result"] for leg in legs} == {"done"}
    after = everywhere(served)
    for leg in legs:
        assert leg["name"] in after[leg["to"]]
        assert leg["name"] not in after[leg["from"]]


def test_a_plan_that_frees_hosts_names_them(served: Served, shell: Shell) -> None:
    told = json.loads(shell("balance", "--pack", "-o", "json").out)
    leaving = {move["from"] for move in told["moves"]}
    assert leaving <= set(NODES)
    assert set(told["frees"]) <= leaving
    assert bool(told["moves"]) == bool(told["frees"])


def test_capacity_says_what_fits_and_what_a_loss_would_do(served: Served, shell: Shell) -> None:
    ran = shell("capacity", "--memory", "16G", "--cpus", "4", "-o", "json")
    assert ran.code == 0, ran.err
    rooms = {row["host"]: row for row in json.loads(ran.out)}
    assert set(rooms) == set(NODES)
    assert "FCL1: " in ran.err
    for row in rooms.values():
        assert row["fits"] <= row["free"] // (16 * GB)
    more = json.loads(shell("capacity", "--memory", "1G", "-o", "json").out)
    assert sum(row["fits"] for row in more) > sum(row["fits"] for row in rooms.values())
    assert "If it dies" in shell("capacity").out


def test_the_best_place_is_named_with_its_reason(served: Served, shell: Shell) -> None:
    size = ("--memory", "16G", "--cpus", "4")
    ran = shell("place", *size, "--switch", "Production", "-o", "json")
    assert ran.code == 0, ran.err
    best = json.loads(ran.out)[0]
    assert f"Best: {best['host']} (" in ran.err
    assert "of memory stay free" in best["why"]
    nowhere = shell("place", *size, "--switch", "Produktion")
    assert nowhere.code == 3
    assert "Best: no host" in nowhere.err
    assert "it has no virtual switch Produktion" in nowhere.out
    assert shell("place", "--cpus", "4").code == 2
    assert shell("place", "--memory", "much").code == 2

"""Balance, capacity and places from the command line, over sockets; truth by plain WQL."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.test_verbs_drain import NODES, machines
from tests.verb_story_kit import NamedShell, Served, serving_scene

GB = 1 << 30


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("cluster") as found:
        yield found


def everywhere(served: Served) -> dict[str, set[str]]:
    return {node: set(machines(served.truth(node))) for node in NODES}


def test_a_balance_plan_is_told_and_only_then_carried_out(
    served: Served, named: NamedShell
) -> None:
    before = everywhere(served)
    told = named("balance", "-o", "json")
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
    shown = named("balance")
    assert shown.code == 0
    assert plan["moves"][0]["name"] in shown.out
    assert "NODE1: memory" in shown.err
    refused = named("balance", "--run", "--wait")
    assert refused.code == 2
    assert "--yes says you mean it" in refused.err
    assert named("balance", "--run", "--cap", "0", "--yes").code == 2
    assert named("balance", "--run", "--yes", "--read-only").code == 3
    assert everywhere(served) == before, "nothing has moved"
    done = named("balance", "--run", "--wait", "--yes", "--cap", "2", "-o", "json")
    assert done.code == 0, done.out + done.err
    legs = json.loads(done.out)["legs"]
    assert legs
    assert {leg["result"] for leg in legs} == {"done"}
    after = everywhere(served)
    for leg in legs:
        assert leg["name"] in after[leg["to"]]
        assert leg["name"] not in after[leg["from"]]


def test_a_plan_that_frees_hosts_names_them(served: Served, named: NamedShell) -> None:
    told = json.loads(named("balance", "--pack", "-o", "json").out)
    leaving = {move["from"] for move in told["moves"]}
    assert leaving <= set(NODES)
    assert set(told["frees"]) <= leaving
    assert bool(told["moves"]) == bool(told["frees"])


def test_capacity_says_what_fits_and_what_a_loss_would_do(
    served: Served, named: NamedShell
) -> None:
    ran = named("capacity", "--memory", "16G", "--cpus", "4", "-o", "json")
    assert ran.code == 0, ran.err
    rooms = {row["host"]: row for row in json.loads(ran.out)}
    assert set(rooms) == set(NODES)
    assert "FCL1: " in ran.err
    for row in rooms.values():
        assert row["fits"] <= row["free"] // (16 * GB)
    more = json.loads(named("capacity", "--memory", "1G", "-o", "json").out)
    assert sum(row["fits"] for row in more) > sum(row["fits"] for row in rooms.values())
    assert "If it dies" in named("capacity").out


def test_the_best_place_is_named_with_its_reason(served: Served, named: NamedShell) -> None:
    size = ("--memory", "16G", "--cpus", "4")
    ran = named("place", *size, "--switch", "Production", "-o", "json")
    assert ran.code == 0, ran.err
    best = json.loads(ran.out)[0]
    assert f"Best: {best['host']} (" in ran.err
    assert "of memory stay free" in best["why"]
    nowhere = named("place", *size, "--switch", "Produktion")
    assert nowhere.code == 3
    assert "Best: no host" in nowhere.err
    assert "it has no virtual switch Produktion" in nowhere.out
    assert named("place", "--cpus", "4").code == 2
    assert named("place", "--memory", "much").code == 2

"""Plans carried out over sockets: drained and home again, a death midway, votes, a balance plan."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.cluster_cases import value
from tests.clustering_kit import herd
from tests.deck_kit import story
from tests.fabric_kit import PASSWORD, USER
from tests.live_kit import Estate, estate
from tests.quiet_kit import PATIENCE
from tests.story_kit import STEP, LiveDeck, live_deck
from tests.test_cluster_stories import NAME, cluster, opened, roles_on, strike, truth
from tests.verb_story_kit import Ran, Served, Truth, serving_scene
from tui import cli
from tui.actions import ACTIONS
from tui.collector.messages import Phase
from tui.hyperv.cluster import DOWN, PAUSED, PENDING, UP
from tui.hyperv.plans import balance
from tui.hyperv.plans.step import Step
from tui.rows.plans import Take
from tui.sim import outages
from tui.sim.http import Answer
from tui.store.legs import SLACK
from tui.store.queue import Queue
from tui.store.targets import everywhere
from tui.ui.balanceview import BalanceSheet
from tui.ui.dialogs import Confirm
from tui.ui.drainview import DrainSheet

NODES = ("NODE1", "NODE2", "NODE3", "NODE4")
PLANNED = ("host.drain", "host.resume")


def test_every_planned_action_is_told_here() -> None:
    assert {action.id for action in ACTIONS if action.planned} == set(PLANNED)


# -- truth ---------------------------------------------------------------------------------


def machines(said: Truth) -> dict[str, int]:
    """Machines of a host and their states, as the host tells."""
    wql = "SELECT ElementName, EnabledState, Caption FROM Msvm_ComputerSystem"
    rows = [row for row in said(wql) if row["Caption"] == "Virtual Machine"]
    return {str(row["ElementName"]): int(str(row["EnabledState"])) for row in rows}


def everyone(served: Estate, *but: str) -> dict[str, dict[str, int]]:
    """The same of every node."""
    found = {}
    for node in NODES:
        if node not in but:
            said = truth(served, node)
            found[node] = machines(said)
            said.close()
    return found


def followed(served: Estate, seen: list[int]) -> None:
    """Count roles that are on their way, behind every answer: also what takes but a moment."""
    shared = served.fabric.clusters[NAME]

    def following(answer: Answer) -> Answer:
        def answered(envelope: bytes, user: str) -> tuple[int, bytes]:
            said = answer(envelope, user)
            seen.append(sum(role.state == PENDING for role in list(shared.roles())))
            return said

        return answered

    for endpoint in served.endpoints.values():
        endpoint.answer = following(endpoint.answer)


# -- keys ----------------------------------------------------------------------------------


async def drain_sheet(d: LiveDeck, node: str) -> None:
    """The drain sheet of a node, by keys."""
    await d.press("escape", "2")
    assert d.app.panes.hosts.grid.move_to(node)
    await d.rest()
    await d.press("D")
    await d.until(lambda: isinstance(d.app.screen, DrainSheet), "the sheet")


def asked(d: LiveDeck) -> bool:
    return isinstance(d.app.screen, Confirm)


async def ask(d: LiveDeck) -> None:
    """Want what the sheet shows. Plans change while hosts live: then look again."""
    deadline = time.monotonic() + PATIENCE
    await d.press("s")
    while not asked(d):
        assert time.monotonic() < deadline, d.notices
        await asyncio.sleep(STEP)
        await d.press("s")


async def start(d: LiveDeck) -> None:
    """Start what the sheet shows."""
    await ask(d)
    await d.say_yes()
    await d.until(lambda: not asked(d), "it is answered")


def run(d: LiveDeck, key: str) -> Queue:
    campaign = d.app.operator.campaigns.of(key)
    assert campaign is not None
    return campaign.queue


async def ended(d: LiveDeck, key: str) -> Queue:
    """Until a run is over."""
    queue = run(d, key)

    def ends() -> int:
        return sum(leg.over for leg in queue.legs)

    while not queue.stuck:
        before = ends()

        def on() -> bool:
            return queue.stuck or ends() > before  # noqa: B023

        await d.until(on, f"the run goes on: {queue.tally()}")
    return queue


def moved(queue: Queue) -> int:
    return sum(leg.fine for leg in queue.legs)


def once(happened: Callable[[], object], do: Callable[[], object]) -> Callable[[], bool]:
    """Do something the moment something else is seen, before the deck has gone on."""

    def seen() -> bool:
        if happened():
            do()
            return True
        return False

    return seen


def taken(sheet: BalanceSheet) -> list[Step]:
    return [take.step for take in sheet.rows.values() if isinstance(take, Take) and take.taken]


async def leave_one(d: LiveDeck, sheet: BalanceSheet) -> Step:
    """Leave the step under the cursor out of the plan."""
    await d.until(lambda: len(taken(sheet)) > 1 and sheet.selected, "a plan")
    left: Step = sheet.selected.step
    await d.press("space")
    await d.until(lambda: left not in taken(sheet), "it is left out")
    return left


async def is_asked(d: LiveDeck) -> bool:
    """Want what the sheet shows: it is asked about, or a new plan is shown instead."""
    anew = d.notices.count("look again")
    await d.press("s")
    await d.until(lambda: asked(d) or d.notices.count("look again") > anew, "it is asked")
    return asked(d)


# -- stories -------------------------------------------------------------------------------


@story
async def test_eighteen_machines_leave_a_node_two_at_a_time_and_come_home() -> None:
    with estate("cluster", speed=60.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "nodes")
            home = set(machines(said := truth(served, "NODE1")))
            assert len(home) == 18
            states = machines(said)
            said.close()
            await drain_sheet(d, "NODE1")
            await d.shows("Drain NODE1: 19 to move")
            await d.shows("Without NODE1: 4 of 5 votes, 3 needed; the cluster goes on")
            other, seen = truth(served, "NODE2"), [0]
            followed(served, seen)
            await start(d)
            queue = await ended(d, "NODE1")
            assert 0 < max(seen) <= 2
            assert queue.tally() == "20 done", [(leg.name, leg.word) for leg in queue.legs]
            assert value(other, "Node", "NODE1", "State") == PAUSED
            where = everyone(served)
            assert where["NODE1"] == {}
            for leg in queue.legs:
                if leg.vm:
                    assert where[leg.target][leg.name] == states[leg.name], leg.name
            await d.says("Drain NODE1: 20 done")
            await d.press("h")
            await d.shows("Resume NODE1: 18 to come home")
            await start(d)
            back = await ended(d, "NODE1")
            assert back.tally() == "19 done", [(leg.name, leg.word) for leg in back.legs]
            assert value(other, "Node", "NODE1", "State") == UP
            assert everyone(served)["NODE1"] == states
            assert d.app.operator.campaigns.away == {}
            other.close()


@story
async def test_a_run_is_paused_and_goes_on_and_closing_the_sheet_ends_nothing() -> None:
    with estate("cluster", speed=60.0) as served:
        async with live_deck(served, size=(80, 24)) as d:
            await opened(d, "nodes")
            await drain_sheet(d, "NODE1")
            await d.press("minus")  # one at a time: much is left whenever a key is heard
            await start(d)
            await d.press("p")
            queue = run(d, "NODE1")
            await d.until(lambda: not queue.flying, "what was under way has ended")
            assert queue.waiting
            await d.shows("go on")
            await d.press("escape")
            await d.until(lambda: not isinstance(d.app.screen, DrainSheet), "it is closed")
            before = moved(queue)
            await drain_sheet(d, "NODE1")
            await d.shows("waiting")
            await d.press("p")
            await d.until(lambda: moved(queue) > before, "it goes on")
            await d.press("c")
            await ended(d, "NODE1")
            where = everyone(served)
            for leg in queue.legs:
                if leg.vm:
                    assert leg.name in where[leg.target if leg.fine else "NODE1"], leg.name
            assert {leg.word for leg in queue.legs} == {"done", "not sent"}


@story
async def test_a_target_that_dies_midway_leaves_a_clear_state() -> None:
    with estate("cluster", speed=30.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "nodes")
            await drain_sheet(d, "NODE1")
            await start(d)
            queue = run(d, "NODE1")
            await d.until(
                once(lambda: moved(queue) >= 3, lambda: strike(served, "NODE3")), "some have moved"
            )
            await ended(d, "NODE1")
            said = truth(served, "NODE2")
            await d.until(lambda: down(d) == {"NODE3"}, "NODE3 is seen to be down")
            assert not queue.over
            assert queue.why.startswith("stopped: ")
            await d.shows("Paused")
            bad = [leg for leg in queue.legs if leg.over and not leg.fine]
            assert bad
            waited = [leg for leg in queue.legs if not leg.over]
            await d.press("c")
            assert {leg.word for leg in waited} == {"not sent"}
            where = everyone(served, "NODE3")
            for leg in queue.legs:
                if leg.fine and leg.vm and leg.target != "NODE3":
                    assert leg.name in where[leg.target], leg.name
            assert all(leg.name in where["NODE1"] for leg in waited if leg.vm)
            # A target that is dead takes nothing: tried again they go where there is room.
            again = next(leg for leg in waited if leg.vm and leg.target == "NODE3")
            sheet = d.app.screen
            assert isinstance(sheet, DrainSheet)
            sheet.grid.move_to(again.key)
            await d.rest()
            await d.press("r")
            assert again.target != "NODE3"
            await d.until(lambda: again.over, "it is tried again")
            if again.fine:
                assert again.name in everyone(served, "NODE3")[again.target]
            else:
                assert again.result is not None
            said.close()


@story
async def test_a_source_that_dies_midway_leaves_a_clear_state() -> None:
    """What its cluster restarted elsewhere was not moved, even where it was to be moved to."""
    with estate("cluster", speed=30.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "nodes")
            await drain_sheet(d, "NODE1")
            await start(d)
            queue = run(d, "NODE1")
            await d.until(
                once(lambda: moved(queue) >= 3 and queue.flying, lambda: strike(served, "NODE1")),
                "some have moved",
            )
            await d.until(lambda: down(d) == {"NODE1"}, "NODE1 is seen to be down")
            await d.until(lambda: queue.over, f"everything is accounted for: {queue.tally()}")
            assert {leg.word for leg in queue.legs} == {"done", "elsewhere"}
            await d.says(f"Drain NODE1: {queue.tally()}")
            await d.shows("it did not move: it was restarted on")
            assert "Without NODE1" not in d.text(), "what was foretold holds no more"
            where, ages = everyone(served, "NODE1"), seconds(served, "NODE1")
            for leg in queue.legs:
                if leg.vm and leg.fine:
                    assert leg.name in where[leg.target], leg.name
                    assert ages[leg.name] > leg.ran - SLACK, f"{leg.name} went without a break"
                elif leg.vm and leg.ran:
                    assert ages[leg.name] < leg.ran, f"{leg.name} began anew"
            said = truth(served, "NODE2")
            assert value(said, "Node", "NODE1", "State") == DOWN
            said.close()


def seconds(served: Estate, *but: str) -> dict[str, float]:
    """How long every machine has run, as the nodes tell."""
    found: dict[str, float] = {}
    for node in NODES:
        if node not in but:
            said = truth(served, node)
            rows = said("SELECT ElementName, OnTimeInMilliseconds FROM Msvm_ComputerSystem")
            found |= {str(row["ElementName"]): int(str(row["OnTimeInMilliseconds"] or 0)) / 1000
                      for row in rows}  # fmt: skip
            said.close()
    return found


def down(d: LiveDeck) -> set[str]:
    return {one.name for one in cluster(d).nodes if one.state == DOWN}


@story
async def test_a_node_the_votes_hang_on_is_drained_only_by_its_name() -> None:
    with estate("cluster", speed=30.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "nodes")
            shared = served.fabric.clusters[NAME]
            served.fabric.after(0.0, lambda at: outages.fail_witness(shared))
            await d.says("The witness of FCL1 is not online")
            strike(served, "NODE1")
            await d.until(lambda: down(d) == {"NODE1"}, "NODE1 is down")
            strike(served, "NODE2")
            await d.until(lambda: down(d) == {"NODE1", "NODE2"}, "NODE2 is down")
            await d.until(lambda: roles_on(d, "NODE3"), "NODE3 has roles")
            await drain_sheet(d, "NODE3")
            await d.shows("cluster stops, and every role with it")
            await ask(d)  # the roles of the dead may still be coming
            await d.shows("Votes now: 1 of 1 vote, 1 needed")
            await d.shows("Type its name, NODE3, then Enter")
            await d.say_yes()
            assert isinstance(d.app.screen, Confirm), "y alone is not enough"
            await d.press("escape")
            await d.until(lambda: isinstance(d.app.screen, DrainSheet), "nothing is done")
            assert d.app.operator.campaigns.of("NODE3") is None
            said = truth(served, "NODE3")
            assert value(said, "Node", "NODE3", "State") == UP
            said.close()


@story
async def test_a_balance_plan_is_taken_in_part_and_carried_out() -> None:
    with estate("cluster", speed=60.0) as served:
        async with live_deck(served, size=(120, 40)) as d:
            await opened(d, "nodes")
            await d.until(
                lambda: all(one.vitals.cpu is not None for one in d.app.store.hosts.values()),
                "the loads are known",
            )
            before = balance.unevenness(everywhere(d.app.store))
            await d.press("escape", "B")
            await d.until(lambda: isinstance(d.app.screen, BalanceSheet), "the sheet")
            sheet = d.app.screen
            assert isinstance(sheet, BalanceSheet)
            first = await leave_one(d, sheet)
            while not await is_asked(d):  # the fleet has changed since it was planned
                first = await leave_one(d, sheet)
            steps = taken(sheet)
            await d.say_yes()
            await d.until(lambda: not asked(d), "it is answered")
            queue = await ended(d, "balance")
            assert queue.tally() == f"{len(steps)} done"
            where = everyone(served)
            assert all(step.name in where[step.target] for step in steps)
            assert first.name in where[first.source], "what was left out stays"
            await d.until(
                lambda: balance.unevenness(everywhere(d.app.store)) < before, "it is more even"
            )


def test_a_move_that_takes_its_time_is_not_given_up() -> None:
    """What a cluster shows to be under way has not failed, however long it takes."""
    with herd(speed=8.0) as made:
        update = made.run("role.move", "sql-erp", node="NODE2")
        assert made.owner("sql-erp") == "NODE2"
        assert update.phase is Phase.OBSERVED


# -- the command line ----------------------------------------------------------------------


Shell = Callable[..., Ran]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("cluster") as found:
        yield found


@pytest.fixture
def shell(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """The command, told of every node by its name."""
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    hosts = [word for node in NODES for word in ("--host", served.fabric.url(node))]
    where = [*hosts, "--user", USER, "--auth", "ntlm", "--password-env", "FABRIC_PW"]

    def run(*words: str) -> Ran:
        capsys.readouterr()
        try:
            code = cli.main([*words, *where])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


def at(served: Served, node: str) -> str:
    """What a node is called on this command line."""
    return served.fabric.url(node).split("/")[2]


def test_a_rehearsal_prints_the_plan_and_does_nothing(served: Served, shell: Shell) -> None:
    ran = shell("host", "drain", "NODE2", "--dry-run")
    assert ran.code == 3, "licences cannot move"
    assert "NODE2: 4 to move" in ran.out
    assert "node NODE2 is paused first" in ran.out
    assert "licences cannot move" in ran.out
    assert "Without NODE2: 4 of 5 votes, 3 needed; the cluster goes on" in ran.out
    told = json.loads(shell("host", "drain", "NODE2", "--dry-run", "-o", "json").out)
    assert [move["action"] for move in told["moves"]][:2] == ["node.pause", "role.move"]
    assert told["quorate"] is True
    assert [stay["name"] for stay in told["stays"]] == ["licences"]
    assert value(served.truth("NODE1"), "Node", "NODE2", "State") == UP


def test_without_a_yes_nothing_is_done(served: Served, shell: Shell) -> None:
    ran = shell("host", "drain", "NODE2", "--wait")
    assert ran.code == 2
    assert "--yes says you mean it" in ran.err
    assert shell("host", "drain", "NODE2", "--cap", "0", "--yes").code == 2
    assert value(served.truth("NODE1"), "Node", "NODE2", "State") == UP


def test_a_host_is_drained_and_resumed_by_a_script(served: Served, shell: Shell) -> None:
    before = machines(served.truth("NODE1"))
    ran = shell("host", "drain", "NODE1", "--yes", "--wait", "--cap", "2", "-o", "json")
    assert ran.code == 0, ran.out + ran.err
    legs: list[Mapping[str, str]] = json.loads(ran.out)["legs"]
    assert {leg["result"] for leg in legs} == {"done"}
    assert machines(served.truth("NODE1")) == {}
    names = {at(served, node): node for node in NODES}
    for leg in legs:
        if leg["vm"]:
            assert leg["name"] in machines(served.truth(names[leg["to"]]))
    again = shell("host", "drain", "NODE1", "--yes", "--wait")
    assert again.code == 0
    assert "nothing to do" in again.err
    ran = shell("host", "resume", "NODE1", "--yes", "--wait")
    assert ran.code == 0, ran.out + ran.err
    said = served.truth("NODE2")
    assert value(said, "Node", "NODE1", "State") == UP
    liked = {"sql-erp", "app-erp1", "app-erp2"}
    assert set(machines(served.truth("NODE1"))) == liked < set(before)


def test_what_cannot_move_makes_the_code_and_is_named(served: Served, shell: Shell) -> None:
    ran = shell("host", "drain", "NODE2", "--yes", "--wait")
    assert ran.code == 3
    assert "licences cannot move" in ran.err
    assert set(machines(served.truth("NODE2"))) == {"licences"}
    assert shell("host", "resume", "NODE2", "--yes", "--wait", "--no-home").code == 0
    assert value(served.truth("NODE1"), "Node", "NODE2", "State") == UP


def test_one_host_at_a_time(shell: Shell) -> None:
    ran = shell("host", "drain", "NODE*", "--yes")
    assert ran.code == 2
    assert "Drain takes one host, not 4" in ran.err
    assert os.environ["FABRIC_PW"] not in ran.err

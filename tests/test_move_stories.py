"""Moves over sockets, from the deck and from the command line; truth by WQL on both hosts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.deck_kit import story
from tests.move_cases import MOVES, MoveCase
from tests.story_kit import LiveDeck
from tests.verb_story_kit import NamedShell, Served, fill, options, perform, serving_scene
from tui.collector.messages import CallUpdate, Phase
from tui.collector.pipe import CollectorProcess
from tui.ui.app import DeckApp
from tui.ui.dialogs import Confirm
from tui.ui.migrate import FixCard, MigrateScreen
from tui.ui.options import DeckOptions


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("migration") as found:
        yield found


def hosts_of(served: Served, vm: str) -> list[str]:
    """Hosts that list the machine, each asked itself."""
    wql = f"SELECT Name FROM Msvm_ComputerSystem WHERE Name = '{vm}'"
    return [host for host in served.fabric.urls if served.truth(host)(wql)]


# -- the deck ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def deck_on(
    served: Served, *hosts: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[LiveDeck]:
    collector = CollectorProcess()
    options = DeckOptions(links=served.links(*hosts), fast=0.5, slow=5.0, requests_per_minute=0)
    app = DeckApp(options, collector=collector)
    async with app.run_test(size=size) as pilot:
        d = LiveDeck(app, pilot, collector)
        try:
            await d.until(lambda: app.store.vms and all(
                row.vm.complete for row in app.store.vms.values()), "the machines")  # fmt: skip
            await d.until(lambda: all(
                row.host.migration_enabled is not None for row in app.store.host_rows.values()
            ), "the facts of the hosts")  # fmt: skip
            yield d
        finally:
            await app.engine.stop()


async def sheet(d: LiveDeck, name: str, to: str) -> MigrateScreen:
    """The migrate sheet of a machine, the cursor on a host whose word has come."""
    await d.go(name)
    await d.press("m")
    await d.until(lambda: isinstance(d.app.screen, MigrateScreen), "the sheet")
    screen = d.app.screen
    assert isinstance(screen, MigrateScreen)
    await d.until(lambda: to in screen._lines, f"{to} is offered")
    screen._hosts.move_to(to)
    await d.until(lambda: said(screen, to), f"the host says something of {to}")
    return screen


def said(screen: MigrateScreen, to: str) -> bool:
    line = screen._lines.get(to)
    return line is not None and all(one.answer is not None for one in line.going)


async def accept(d: LiveDeck) -> None:
    """Mean it, however long the question takes to be ready for an answer."""
    screen = d.app.screen
    assert isinstance(screen, Confirm)
    await d.until(lambda: screen.focused, "the question takes keys")
    yes = screen.yes
    while d.app.screen is screen:
        d.seconds += 1
        await d.press(yes)


async def go(d: LiveDeck, key: str = "enter") -> CallUpdate:
    """Start it, confirm it, and wait for its end."""
    before = set(d.app.store.calls)
    await d.press(key)
    await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
    await accept(d)
    await d.until(lambda: set(d.app.store.calls) - before, "it is sent")
    (made,) = set(d.app.store.calls) - before
    await d.until(lambda: d.app.store.calls[made].phase.final, "it ends")
    return d.app.store.calls[made]


def test_a_machine_moves_from_the_sheet_and_keeps_its_row(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG02") as d:
            vm = served.truth("MIG01").vm("live01")
            await d.go("live01")
            await d.press("space")
            await d.go("live01")
            await d.press("U")
            await sheet(d, "live01", "MIG02")
            await d.shows("says that live01 can move now")
            history = d.app.store.histories[vm]
            update = await go(d)
            assert update.phase is Phase.OBSERVED, update
            await d.until(lambda: d.app.store.vms[vm].host.id == "MIG02", "the row has moved")
            assert d.app.store.histories[vm] is history
            assert hosts_of(served, vm) == ["MIG02"]
            await d.until(lambda: d.under_cursor == "live01", "the cursor is with its machine")

    told()


def test_reasons_are_named_explained_and_copied_before_anything_starts(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG02", "MIG03", "MIG04", "MIG05", size=(80, 24)) as d:
            screen = await sheet(d, "tree01", "MIG03")
            await d.shows("another vendor")
            await d.shows("✗ no")
            await d.press("tab", "down")
            key = next(k for k, one in screen._causes.items() if one.cause.id == "processor")
            screen._grid.move_to(key)
            await d.press("enter")
            await d.until(lambda: isinstance(d.app.screen, FixCard), "the card")
            await d.shows("hvdeck vm shutdown tree01@MIG01 --wait")
            await d.press("y", "escape")
            assert "OSC 52" in d.notices
            await d.press("tab", "enter")
            await d.says("F asks the host in spite of it")
            words = {host: screen._lines[host].going[0].causes for host in screen._lines}
            failing = {host: {one.id for one in causes if one.verdict == 2}
                       for host, causes in words.items()}  # fmt: skip
            assert "processor" in failing["MIG03"]
            assert {"version", "switch"} <= failing["MIG04"]
            assert failing["MIG05"] == {"authentication"}
            assert failing["MIG02"] == set()
            await d.press("escape")
            assert not d.app.store.calls

    told()


def test_options_of_the_sheet_change_what_stands_in_the_way(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG04") as d:
            screen = await sheet(d, "compat01", "MIG04")
            await d.shows("no switch called Production")
            await d.press("o")
            form = await fill(d, {"switch": "LAN"})
            form.action_send_form()
            await d.until(lambda: d.app.screen is screen, "the sheet is back")
            await d.until(lambda: not [one for one in screen._causes.values()
                                       if one.cause.id == "switch" and one.verdict == 2],
                          "the switch is chosen")  # fmt: skip
            await d.shows("switch LAN")
            await d.press("h")
            await d.until(lambda: said(screen, "MIG04"), "the host is asked anew")
            await d.shows("says that compat01 can move now")
            await d.press("escape")
            assert not d.app.store.calls

    told()


def test_a_move_against_all_advice_fails_by_the_hosts_word(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG03") as d:
            vm = served.truth("MIG01").vm("iso01")
            await sheet(d, "iso01", "MIG03")
            update = await go(d, "F")
            assert update.phase is Phase.FAILED, update
            assert hosts_of(served, vm) == ["MIG01"]

    told()


def test_a_marked_set_counts_its_verdicts_and_moves_one_by_one(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG02") as d:
            names = ("off01", "smb01", "lab01")
            ids = {name: served.truth("MIG01").vm(name) for name in names}
            for name in names:
                await d.go(name)
                await d.press("space")
            await sheet(d, "off01", "MIG02")
            await d.shows("1 fail")
            await d.shows("2 of 3 yes")
            await d.press("F")
            await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
            await accept(d)
            await d.until(lambda: len(d.app.store.calls) == 3 and all(
                call.phase.final for call in d.app.store.calls.values()), "all end")  # fmt: skip
            ends = {call.name: call.phase for call in d.app.store.calls.values()}
            assert ends == {"off01": Phase.OBSERVED, "smb01": Phase.OBSERVED,
                            "lab01": Phase.FAILED}  # fmt: skip
            for name, at in (("off01", "MIG02"), ("smb01", "MIG02"), ("lab01", "MIG01")):
                assert hosts_of(served, ids[name]) == [at]

    told()


def test_storage_moves_from_the_form(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01") as d:
            truth = served.truth("MIG01")
            update = await perform(
                d, "vm.move-storage", "MIG01", "iso01", {"folder": "E:\\iso01"}
            )  # fmt: skip
            assert update.phase is Phase.OBSERVED, update
            assert "E:\\iso01\\Virtual Hard Disks\\iso01.vhdx" in truth.images("iso01")

    told()


def test_a_move_is_watched_and_cancelled() -> None:
    @story
    async def told() -> None:
        with serving_scene("migration", "--speed", "4") as served:
            async with deck_on(served, "MIG01", "MIG02") as d:
                vm = served.truth("MIG01").vm("tree01")
                await sheet(d, "tree01", "MIG02")
                await d.press("enter")
                await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
                await accept(d)
                jobs = d.app.store.jobs
                await d.until(lambda: [key for key, row in jobs.items()
                                       if row.job.subject == vm and row.job.percent >= 3],
                              "its job is on the way")  # fmt: skip
                key = next(key for key, row in jobs.items() if row.job.subject == vm)
                await d.until(lambda: "Migrate" in d.app.store.vms[vm].pending, "the row says so")
                target = d.app.store.target(key)
                assert target is not None
                d.app.operator.act("job.cancel", on=[(key, target)])
                await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
                await accept(d)
                calls = d.app.store.calls
                await d.until(lambda: all(call.phase.final for call in calls.values()), "the end")
                ends = {call.action: call.phase for call in calls.values()}
                assert ends == {"vm.migrate": Phase.FAILED, "job.cancel": Phase.OBSERVED}
                assert hosts_of(served, vm) == ["MIG01"]
                assert d.app.store.vms[vm].host.id == "MIG01"

    told()


# -- the command line ----------------------------------------------------------------------


def test_a_rehearsal_names_what_stands_in_the_way(served: Served, named: NamedShell) -> None:
    ran = named("vm", "migrate", "cpu01", "--destination", "MIG02", "--dry-run")
    assert ran.code == 0, ran.err
    assert "MigrateVirtualSystemToHost on cpu01" in ran.out
    assert "MIG01 says that cpu01 can move now" in ran.out
    ran = named("vm", "migrate", "huge01", "--destination", "MIG02", "--dry-run")
    assert ran.code != 0
    assert "the files of huge01 take" in ran.err


@pytest.mark.parametrize("case", MOVES, ids=lambda case: case.id)
def test_moves_of_every_kind_from_the_command_line(
    served: Served, named: NamedShell, case: MoveCase
) -> None:
    assert not case.proof(served), "it is so already: the case proves nothing"
    noun, verb = case.action.split(".")
    ran = named(noun, verb, f"{case.on}@{case.host}", *options(case.given), "--wait", "--yes",
                "--timeout", "90", "-o", "json")  # fmt: skip
    assert ran.code == 0, ran.out + ran.err
    assert json.loads(ran.out)[0]["phase"] == "observed"
    assert case.proof(served)


def test_a_batch_says_of_each_what_speaks_against_it(served: Served, named: NamedShell) -> None:
    ran = named("vm", "migrate", "tree01", "raw01", "--destination", "MIG02", "--wait", "--yes",
                "--timeout", "90")  # fmt: skip
    assert ran.code != 0
    assert "physical disk" in ran.out + ran.err
    vm = served.truth("MIG02").vm("tree01")
    assert hosts_of(served, vm) == ["MIG02"]

"""Stories of an administrator: the real deck, the real collector, simulated hosts on sockets."""

from __future__ import annotations

import os
import random
import signal

from tests.deck_kit import deck, story
from tests.live_kit import STATES, estate
from tests.scripted import RUNNING, Estate
from tests.story_kit import LiveDeck, live_deck
from tui.collector.messages import Batch, Phase
from tui.hyperv.model import Link
from tui.ui.dialogs import Confirm
from tui.ui.runview import RunView

THREE = ("web-001-001", "app-001-002", "app-002-006")
"""Machines on two hosts of the scene ``large``."""


async def mark(d: LiveDeck, *names: str, already: int = 0) -> None:
    for name in names:
        await d.go(name)
        await d.press("space")
    await d.shows(f"{len(names) + already} marked")


@story
async def test_filter_mark_three_on_two_hosts_and_shut_them_down() -> None:
    with estate("large", hosts=2, vms=8, speed=20) as served:
        async with live_deck(served) as d:
            await d.until(lambda: len(d.app.store.vms) == 16, "both hosts")
            await d.press("slash")
            await d.type("is:running")
            await d.until(lambda: all(d.state(name) == RUNNING for name in d.names), "filtered")
            await d.press("escape")
            await d.press("f")
            await d.type(THREE[2])
            await d.press("enter")
            await d.until(lambda: d.under_cursor == THREE[2], "jumped to")
            await d.press("space")
            await mark(d, *THREE[:2], already=1)
            await d.press("S")
            await d.shows("Shut down 3 virtual machines on 2 hosts?")
            assert all(name in d.text() for name in THREE)
            await d.press("y")
            assert isinstance(d.app.screen, Confirm), "too fast to be meant"
            await d.say_yes()
            await d.until(lambda: isinstance(d.app.screen, RunView), "the run is shown")
            await d.shows("3 done")
            assert {call.phase for call in d.app.store.calls.values()} == {Phase.OBSERVED}
            await d.press("escape")
            await d.press("escape")
            await d.until(lambda: set(THREE) <= set(d.names), "Esc takes the filter away")
            await d.until(lambda: {d.state(n) for n in THREE} == {STATES["off"]}, "states")
            truth = {**served.truth("HV001"), **served.truth("HV002")}
            assert {name for name, state in truth.items() if state == STATES["off"]} == set(THREE)
            assert len(d.app.store.marks) == 3, "marks outlive the batch"
            assert (served.changes("HV001"), served.changes("HV002")) == (2, 1)


@story
async def test_watching_jobs_move_and_end() -> None:
    with estate("large", hosts=2, vms=8, speed=20) as served:
        for host in served.fabric.hosts.values():
            host.faults.slow_methods = 20.0
        async with live_deck(served) as d:
            await d.until(lambda: len(d.app.store.vms) == 16, "both hosts")
            await mark(d, *THREE)
            await d.run("save")
            await d.shows("Save 3 virtual machines on 2 hosts?")
            await d.say_yes()
            await d.until(lambda: isinstance(d.app.screen, RunView), "the run is shown")
            await d.press("escape")
            await d.press("7")
            await d.until(lambda: d.app.panes.current == "jobs", "the jobs")
            await d.shows("Saving")
            await d.until(lambda: any(row.job.percent > 0 for row in d.app.store.jobs.values()))
            assert "%" in d.text()
            await d.until(lambda: "3 done" in d.notices, "all saved")
            await d.press("3")
            await d.until(lambda: {d.state(n) for n in THREE} == {STATES["saved"]}, "states")
            await d.shows("Saved")
            assert len(d.app.store.marks) == 3


@story
async def test_the_embedded_fabric_is_the_default_and_says_so() -> None:
    from tui.ui.app import DeckApp
    from tui.ui.options import DeckOptions

    app = DeckApp(DeckOptions(scene="homelab", fast=0.5, requests_per_minute=0))
    async with app.run_test(size=(120, 40)) as pilot:
        d = LiveDeck(app, pilot, None)  # type: ignore[arg-type]
        try:
            await d.shows("homeassistant")
            assert "DEMO" in d.text()
            await d.shows("NUC01")
        finally:
            await app.engine.stop()


@story
async def test_a_sick_host_costs_the_others_nothing() -> None:
    with estate("troubled") as served:
        served.faults("HV-SLOW").http.latency = 0.5
        async with live_deck(served, size=(110, 30)) as d:
            rows = d.app.store.hosts
            sick = ("HV-REFUSES", "HV-NOROLE", "HV-DENIED")
            await d.until(lambda: all(rows[name].vitals.link is Link.DOWN for name in sick))
            for name in sick:
                assert f"{name} is lost" in d.notices
                trouble = rows[name].vitals.trouble
                assert trouble is not None
                assert trouble.cause in d.notices
                assert trouble.hint[:20] in d.notices, "the end may not fit"
            await d.until(lambda: rows["HV-SLOW"].vitals.link is Link.SLOW, "slow")
            await d.until(lambda: rows["HV-DE"].vitals.link is Link.UP, "healthy")
            before = d.read_at("HV-DE")
            await d.until(lambda: d.read_at("HV-DE") > before + 1, "the healthy one goes on")
            await d.shows("3 down")
            await d.go("orphan")
            await d.press("s")
            await d.says("Start orphan on HV-BAD: done")
            await d.go("too-big")
            await d.press("s")
            await d.says("too-big on HV-BAD: failed")
            assert "memory" in d.notices


@story
async def test_names_of_hosts_are_letters_whatever_they_hold() -> None:
    with estate("troubled") as served:
        for name in tuple(served.endpoints):
            if name not in ("HV-BAD", "HV-DE"):
                del served.endpoints[name]
        async with live_deck(served, size=(130, 34)) as d:
            await d.until(lambda: len(d.app.store.vms) == 17, "all machines")
            await d.press("plus")
            for name in ("[red]markup[/red]", "quote'\"s & <tags>", "データベース01", "büro-srv"):
                await d.shows(name)
            told = "".join(row.name for row in d.app.store.vms.values())
            assert "\x1b" not in told
            assert not [c for c in d.text() if not c.isprintable() and c != "\n"]
            await d.go("[red]markup[/red]")
            await d.press("S")
            await d.shows("Shut down [red]markup[/red]?")
            await d.press("escape", "d")
            await d.shows("Detail — [red]markup[/red] on HV-BAD")
            await d.shows("[bold]not bold[/bold]")
            await d.press("escape", "escape")
            twins = [row for row in d.app.store.vms.values() if row.name == "twin"]
            assert len(twins) == 2


@story
async def test_a_collector_killed_under_the_deck_is_replaced() -> None:
    with estate("homelab", speed=10) as served:
        served.faults().slow_methods = 6.0
        async with live_deck(served) as d:
            await d.go("media")
            await d.run("save")
            await d.shows("Save media?")
            await d.say_yes()
            await d.until(
                lambda: Phase.ACCEPTED in {c.phase for c in d.app.store.calls.values()}, "accepted"
            )
            (pid,) = d.pids
            os.kill(pid, signal.SIGKILL)
            await d.says("The refresh worker ended")
            assert "no action is repeated" in d.notices
            await d.until(lambda: d.pids and d.pids != [pid], "another one")
            before = d.read_at("NUC01")
            await d.until(lambda: d.read_at("NUC01") > before, "it reads")
            assert len(d.names) == 6
            await d.until(lambda: d.state("media") == STATES["saved"], "what was accepted happened")
            assert served.changes() == 1
            await d.press("escape")
            await d.go("nas")
            await d.run("pause")
            await d.say_yes()
            await d.says("Pause nas on NUC01: done")


@story
async def test_turning_off_wants_the_name_typed() -> None:
    with estate("homelab") as served:
        async with live_deck(served) as d:
            await d.go("media")
            await d.run("turn off")
            await d.shows("Type its name, media, then Enter")
            await d.press("y", "enter")
            await d.shows("That is not it")
            d.seconds += 5
            await d.press("y", "enter")
            assert served.changes() == 0
            assert isinstance(d.app.screen, Confirm)
            d.field.value = ""
            await d.type("media")
            await d.press("enter")
            await d.press("enter")
            assert served.changes() == 0, "Enter is never yes"
            await d.say_yes()
            await d.says("Turn off media on NUC01: done")
            assert served.truth()["media"] == STATES["off"]
            assert served.changes() == 1


@story
async def test_a_machine_that_changed_meanwhile_is_left_alone() -> None:
    with estate("homelab") as served:
        async with live_deck(served, fast=60.0) as d:
            await d.go("media")
            machine = next(m for m in served.fabric.hosts["NUC01"].machines.values()
                           if m.name == "media")  # fmt: skip
            machine.system.values["EnabledState"] = STATES["paused"]
            await d.press("S")
            await d.say_yes()
            await d.says("Shut down media on NUC01: not sent")
            assert served.changes() == 0


# -- two hundred refreshes -----------------------------------------------------------------


def crowd() -> Estate:
    """Three hosts and enough machines to scroll."""
    made = Estate()
    for host in ("HV01", "HV02", "HV03"):
        made.add_host(host)
        for number in range(40):
            made.add_vm(host, f"vm-{host[-1]}{number:02}", 3 if number % 8 == 7 else RUNNING)
    return made


@story
async def test_nothing_is_lost_over_two_hundred_refreshes() -> None:
    rng = random.Random(20)
    made = crowd()
    kept = ("vm-105", "vm-220", "vm-330")
    async with deck(made, size=(120, 24)) as d:
        for name in kept:
            await d.go(name)
            await d.press("space")
        await d.press("slash")
        await d.type("is:running")
        await d.press("escape")
        await d.press("comma", "comma")  # names, descending
        vms = d.app.panes.vms
        sort = (vms.sort, vms.descending)
        await d.go("vm-226")
        await d.press(*["down"] * 5)
        assert vms.cursor == d.key("vm-220")
        line = vms.grid.visible_keys.index(d.key("vm-220"))
        assert vms.grid.scroll_y > line > 0
        for number in range(200):
            d.collector.play(made.tick())
            happen(d.collector.play, made, rng, number)
            await d.settle()
            assert vms.cursor == d.key("vm-220"), number
            assert vms.grid.visible_keys.index(d.key("vm-220")) == line, number
            assert d.app.store.marks == {d.key(name) for name in kept}, number
        assert vms.filter.text == "is:running"
        assert (vms.sort, vms.descending) == sort
        shown = [vm.name for host in made.hosts.values() for vm in host.vms.values()
                 if host.vitals_of[vm.id].state == RUNNING]  # fmt: skip
        assert d.names == sorted(shown, reverse=True)
        assert "3 marked" in d.text()
        assert all(row.marked for row in d.app.store.vms.values() if row.name in kept)


def happen(play: object, made: Estate, rng: random.Random, number: int) -> None:
    """Machines appear, move between hosts, stop, and vanish."""
    assert callable(play)
    hosts = list(made.hosts)
    if number % 3 == 0:
        made.add_vm(rng.choice(hosts), f"vm-{rng.choice('1239')}x{number:03}")
        play(made.everything())
    if number % 4 == 0:
        name = rng.choice(["vm-220", "vm-105", "vm-330", "vm-111"])
        away = [host for host in hosts if host != made.find(name)[0].info.id]
        gone, came = made.move(name, rng.choice(away))
        # In this order it is away for a moment, in the other on two hosts at once.
        for update in (gone, came) if number % 8 else (came, gone):
            play(Batch((update,)))
    if number % 5 == 4:
        victim = next((vm.name for host in made.hosts.values() for vm in host.vms.values()
                       if "x" in vm.name), None)  # fmt: skip
        if victim is not None:
            play(Batch((made.remove(victim),)))
    if number % 7 == 6:
        play(Batch((made.vary(f"vm-3{rng.randrange(10, 30)}", state=rng.choice((2, 3))),)))

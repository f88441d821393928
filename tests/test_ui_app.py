"""The deck's frame: first paint, panes at every size, keys, dispatch of calls."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from tests.deck_kit import CHARACTERS, Deck, deck, story
from tests.scripted import OFF, START, Estate, ScriptedCollector, datacenter
from tui.actions import ACTIONS, Kind, by_id
from tui.collector.messages import Batch, Call, CallUpdate, Configure, Inspect, Pace, Phase, Poke
from tui.store import Store
from tui.store.queue import Leg, Queue
from tui.ui.app import DeckApp
from tui.ui.detail import wrap
from tui.ui.dispatch import PER_HOST, TOTAL, Dispatcher, Run
from tui.ui.facts import facts
from tui.ui.finder import Entry, matching
from tui.ui.options import DeckOptions, calm
from tui.ui.sheet import SheetScreen


class SilentCollector(ScriptedCollector):
    """Starts and never says anything."""

    async def start(self, configure: Configure) -> None:
        self.commands.append(configure)


@story
async def test_the_frame_is_there_before_any_data() -> None:
    estate = datacenter()
    app = DeckApp(DeckOptions(links=estate.links), collector=SilentCollector(estate), pace=0)
    async with app.run_test(size=(120, 40)) as pilot:
        story_ = Deck(app, pilot, SilentCollector(estate))
        await pilot.pause()
        await pilot.pause()
        shown = story_.text()
        assert "Virtual machines" in shown
        assert "4 connecting" in shown
        assert "HV01" in shown, "configured hosts are listed at once"
        await app.engine.stop()


@story
async def test_wide_shows_panes_side_by_side() -> None:
    async with deck(size=(120, 40)) as d:
        shown = d.app.panes.showing()
        assert shown == {"hosts", "vms", "networks", "detail", "graphs"}
        text = d.text()
        for title in ("Hosts — 4", "Virtual machines — 20", "Networks — 4", "Detail", "Graphs"):
            assert title in text


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (100, 30)])
def test_narrow_shows_one_pane_with_the_same_keys(size: tuple[int, int]) -> None:
    @story
    async def tale() -> None:
        async with deck(size=size) as d:
            assert d.app.panes.showing() == {"vms"}
            for key, pane in zip("2345678", ("hosts", "vms", "networks", "graphs", "detail",
                                             "jobs", "log"), strict=True):  # fmt: skip
                await d.press(key)
                assert d.app.panes.showing() == {pane}
            await d.press("3", "d")
            assert d.app.panes.showing() == {"detail"}
            assert "Heartbeat" in d.text()
            await d.press("escape")
            assert d.app.panes.showing() == {"vms"}

    tale()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_no_size_clips_a_state_word(size: tuple[int, int]) -> None:
    @story
    async def tale() -> None:
        estate = datacenter()
        estate.vary("web03", state=32789, health=25)
        async with deck(estate, size=size) as d:
            text = d.text()
            for word in ("● Running", "○ Off", "◐ Saved", "▲ Paused-crit"):
                assert word in text

    tale()


@story
async def test_zoom_gives_a_pane_everything_and_takes_it_back() -> None:
    async with deck() as d:
        await d.press("5", "Z")
        assert d.app.panes.showing() == {"graphs"}
        await d.press("Z")
        assert "vms" in d.app.panes.showing()
        await d.press("2", "plus")
        assert "Latency" in d.text(), "with room the host table shows every column"


@story
async def test_tab_goes_round_the_panes() -> None:
    async with deck() as d:
        seen = []
        for _ in range(5):
            await d.press("tab")
            seen.append(d.app.panes.current)
        assert seen == ["networks", "graphs", "detail", "hosts", "vms"]


@story
async def test_detail_follows_the_cursor_and_the_pane() -> None:
    async with deck() as d:
        await d.go("sql01")
        assert "Detail — sql01 on HV01" in d.text()
        await d.press("4")
        assert "Detail — vSwitch Prod on" in d.text()
        await d.press("2")
        assert "Cluster" in d.text()


@story
async def test_folding_a_cluster_hides_its_hosts() -> None:
    async with deck() as d:
        await d.press("2", "g", "enter")
        assert "CL1-N1" not in d.app.panes.hosts.grid.keys
        await d.press("enter")
        assert "CL1-N1" in d.app.panes.hosts.grid.keys


@story
async def test_the_foot_offers_what_applies_here() -> None:
    async with deck() as d:
        await d.go("web02")
        hints = {hint.action: hint for hint in d.app.hints()}
        assert hints["vm.start"].why_not == ""
        assert "already off" in hints["vm.shutdown"].why_not
        await d.press("2", "j")
        hints = {hint.action: hint for hint in d.app.hints()}
        assert "vm.start" not in hints
        assert "host.refresh" in hints


@story
async def test_own_keys_replace_the_defaults() -> None:
    async with deck(keys={"vm.start": "f5", "app.help": "f1"}) as d:
        await d.go("web02")
        await d.press("s")
        assert not d.collector.calls
        await d.press("f5")
        assert len(d.collector.calls) == 1
        start = by_id("vm.start")
        assert start is not None
        assert d.app.label(start) == "f5"


@story
async def test_refresh_and_pace_reach_the_collector() -> None:
    async with deck() as d:
        await d.press("2", "j", "r", "greater_than_sign")
        assert Poke("CL1-N1") in d.collector.commands
        assert Pace(fast=1.0) in d.collector.commands


@story
async def test_a_gap_is_answered_with_a_resync() -> None:
    async with deck() as d:
        d.estate.update("HV01")
        d.collector.play(Batch((d.estate.vary("sql01", cpu=1),)))
        await d.settle()
        assert any(getattr(c, "host", "") == "HV01" for c in d.collector.commands)


@story
async def test_ascii_draws_nothing_else() -> None:
    async with deck(ascii=True) as d:
        await d.press("A")
        await d.press("enter")
        odd = {character for character in d.text() if not character.isascii()}
        assert not odd
        assert "* Running" in d.text()
    from tui.rows.text import use_ascii

    use_ascii(False)


@story
async def test_quitting_says_what_is_still_under_way() -> None:
    async with deck() as d:
        d.collector.instant = False
        await d.go("web02")
        await d.press("s", "q")
        assert "1 call is under way" in d.notices
        assert d.app.is_running
        await d.press("q")
        assert d.app.return_code == 0


@story
async def test_the_collector_is_ended_with_the_deck() -> None:
    async with deck() as d:
        collector = d.collector
    assert collector.stopped


# -- dispatch ------------------------------------------------------------------------------


class Wire:
    """Takes commands and answers as told."""

    def __init__(self, machines: int, hosts: int) -> None:
        self.estate = Estate()
        for host in range(hosts):
            self.estate.add_host(f"HV{host}")
        for machine in range(machines):
            self.estate.add_vm(f"HV{machine % hosts}", f"vm{machine}", OFF)
        self.store = Store()
        self.store.configure(self.estate.links)
        self.store.apply(self.estate.everything(), START)
        self.sent: list[Call] = []
        self.read_only = False
        self.dispatcher = Dispatcher(self.store, self._take, lambda: START, lambda: self.read_only)

    def _take(self, command: object) -> None:
        assert isinstance(command, Call)
        self.sent.append(command)

    def submit(self, *, planned: bool = False) -> Run:
        action = by_id("vm.start")
        assert action is not None
        pairs = [(key, self.store.target(key)) for key in self.store.vms]
        targets = [(key, target) for key, target in pairs if target]
        return self.dispatcher.submit(action, targets, {}, planned=planned)[0]

    def finish(self, call: Call) -> list[Run]:
        update = CallUpdate(call.id, call.action, call.host, call.target, "", Phase.OBSERVED, START)
        changes = self.store.apply(Batch(calls=(update,)), START)
        return self.dispatcher.settled(changes)[0]


def test_no_host_gets_more_than_its_share_at_once() -> None:
    wire = Wire(machines=20, hosts=2)
    wire.submit()
    assert Counter(call.host for call in wire.sent) == {"HV0": PER_HOST, "HV1": PER_HOST}
    first = wire.sent[0]
    wire.finish(first)
    assert Counter(call.host for call in wire.sent)[first.host] == PER_HOST + 1


def test_no_more_than_so_many_calls_fly_at_once_and_all_arrive_once() -> None:
    wire = Wire(machines=60, hosts=10)
    wire.submit()
    assert len(wire.sent) == TOTAL
    at = 0
    while at < len(wire.sent):
        wire.finish(wire.sent[at])
        at += 1
    assert len(wire.sent) == 60
    assert len({call.target for call in wire.sent}) == 60
    assert wire.dispatcher.busy == 0


def test_what_waits_is_not_sent_once_the_deck_is_read_only() -> None:
    wire = Wire(machines=6, hosts=1)
    run = wire.submit()
    wire.read_only = True
    assert wire.finish(wire.sent[0]) == [run]
    assert len(wire.sent) == PER_HOST
    dropped = [item.dropped for item in run.items]
    assert dropped == [""] * PER_HOST + ["hvdeck is read-only now"] * 2
    assert wire.submit().over, "nor is anything new"
    assert len(wire.sent) == PER_HOST


def test_calls_of_a_plan_neither_wait_nor_let_others_wait() -> None:
    wire = Wire(machines=6, hosts=1)
    assert len(wire.submit(planned=True).items) == len(wire.sent) == 6
    wire.submit()
    assert len(wire.sent) == 6 + PER_HOST


def legs(d: Deck, *names: str) -> list[Leg]:
    """Starts of machines, as legs of a run."""
    places = {name: d.estate.find(name) for name in names}
    return [Leg(vm.id, name, "vm.start", vm.id, {}, source=place.info.id)
            for name, (place, vm) in places.items()]  # fmt: skip


def crowd() -> Estate:
    """A host with seven machines that are off."""
    estate = Estate()
    estate.add_host("HV01")
    for at in range(7):
        estate.add_vm("HV01", f"vm{at}", OFF)
    return estate


@story
async def test_a_run_has_as_many_calls_under_way_as_it_says_and_can_call_off_the_rest() -> None:
    async with deck(crowd()) as d:
        d.collector.instant = False
        queue = Queue(legs(d, *(f"vm{at}" for at in range(7))), 6)
        d.app.operator.campaigns.start("HV01", queue)
        await d.settle()
        assert len(d.collector.calls) == len(queue.flying) == 6
        queue.pause()
        d.collector.finish(d.collector.calls[0])
        await d.settle()
        assert (len(d.collector.calls), queue.tally()) == (6, "1 done, 5 under way, 1 waiting")
        queue.drop("called off")
        for call in d.collector.calls[1:]:
            d.collector.finish(call)
        await d.settle()
        assert (len(d.collector.calls), queue.tally()) == (6, "6 done, 1 not sent")


@story
async def test_a_run_sends_nothing_once_the_deck_is_read_only() -> None:
    async with deck(crowd()) as d:
        d.collector.instant = False
        queue = Queue(legs(d, *(f"vm{at}" for at in range(7))), 5)
        d.app.operator.campaigns.start("HV01", queue)
        await d.settle()
        d.app.set_read_only(True)
        for call in list(d.collector.calls):
            d.collector.finish(call)
        await d.settle()
        assert len(d.collector.calls) == 5
        assert {leg.dropped for leg in queue.legs} == {"", "hvdeck is read-only now"}


def test_facts_are_not_torn_between_number_and_unit() -> None:
    assert wrap("4.0 GB, demand 2.6 GB", 18) == ["4.0 GB, demand", "2.6 GB"]


# -- words ---------------------------------------------------------------------------------


def test_facts_tell_what_is_wrong_first() -> None:
    estate = datacenter()
    estate.vary("web03", state=32789, health=25)
    store = Store()
    store.configure(estate.links)
    store.apply(estate.everything(), estate.now)
    sections = facts(store.vms[estate.find("web03")[1].id], store, estate.now)
    assert sections[0].title == "Attention"
    assert "Paused-crit" in sections[0].facts[0].text


def test_finding_prefers_beginnings_and_what_can_be_done() -> None:
    entries = [
        Entry("1", "Unstarted thing"),
        Entry("2", "Start sql01", why_not="it runs"),
        Entry("3", "Restart"),
        Entry("4", "Start web01"),
    ]
    assert [entry.id for entry in matching("start", entries)] == ["4", "1", "3", "2"]
    assert [entry.id for entry in matching("start web", entries)] == ["4"]


def test_over_ssh_it_paints_less_often() -> None:
    environ = {"SSH_CONNECTION": "10.0.0.1 22"}
    calm(environ)
    assert environ["TEXTUAL_FPS"] == "15"
    assert environ["TEXTUAL_ANIMATIONS"] == "none"


def test_every_key_of_the_table_is_one_the_terminal_can_send() -> None:
    known = {*CHARACTERS.values(), "escape", "enter", "tab", "shift+tab", "space", "ctrl+p"}
    for action in ACTIONS:
        for key in filter(None, action.key.split(",")):
            named = CHARACTERS.get(key, key)
            assert named in known or (len(key) == 1 and key.isalnum()), (action.id, key)
    assert {action.kind for action in ACTIONS} >= {Kind.VM, Kind.HOST, Kind.JOB, Kind.APP}


@story
async def test_enter_opens_the_sheet_and_pages_turn() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("enter")
        sheet = d.app.screen
        assert isinstance(sheet, SheetScreen)
        assert "sql01" in d.text()
        assert any(isinstance(c, Inspect) and c.vm == d.key("sql01") for c in d.collector.commands)
        await d.press("5")
        assert "Checkpoint" in d.text()
        await d.press("6")
        assert "Guest shutdown" in d.text()
        await d.press("escape")
        assert not isinstance(d.app.screen, SheetScreen)


@story
async def test_a_host_goes_below_its_cluster_when_that_becomes_known() -> None:
    async with deck() as d:
        await d.press("2")
        host = msgspec.structs.replace(d.estate.hosts["HV01"].info, cluster="CL1")
        d.collector.play(Batch((d.estate.update("HV01", info=host),)))
        await d.settle()
        keys = d.app.panes.hosts.grid.keys
        assert keys.index("cluster:CL1") < keys.index("HV01") < keys.index("cluster:")

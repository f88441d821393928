"""Watching: a change of state is told once, a flicker not at all, hostile names break nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.deck_kit import deck, story
from tests.scripted import GB, Estate, datacenter
from tests.ui_kit import Recorder
from tui.collector.messages import Batch, Update
from tui.config import Notify
from tui.config.settings import Desktop
from tui.hyperv.cluster import Cluster, ClusterNode
from tui.hyperv.meters import DiskMeter, Look, MachineMeter, Meters
from tui.hyperv.model import Checkpoint, Host, Link, Volume
from tui.rows.filter import parse
from tui.rows.watching import (
    LASTING,
    QUIET,
    SETTLED,
    Herald,
    Judgement,
    Latch,
    Watcher,
    summary,
    worse,
)
from tui.store import Changes, Notice, Store
from tui.ui.style import ASCII, UNICODE
from tui.ui.terminal import notification

PAUSED_CRITICAL = 32789
BAD, WORSE = Judgement(1, "bad"), Judgement(2, "worse")
WELL = Judgement()
grades = st.sampled_from([WELL, BAD, WORSE])
calm = settings(deadline=None, max_examples=60)


# -- one thing -----------------------------------------------------------------------------


def played(*steps: tuple[float, Judgement, Judgement]) -> list[tuple[float, int]]:
    """When a latch turned, and to what; the steps are time, what is said, and the load."""
    latch = Latch(WELL, 0.0)
    return [(at, latch.state.grade) for at, said, load in steps if latch.step(at, said, load)]


def test_what_is_said_counts_at_once_and_is_left_only_after_a_while() -> None:
    assert played((1, WORSE, WELL), (2, WELL, WELL), (31, WELL, WELL), (32, WELL, WELL)) == [
        (1, 2), (32, 0),
    ]  # fmt: skip


def test_a_relapse_begins_the_while_anew() -> None:
    steps = [(1, BAD, WELL), (2, WELL, WELL), (20, BAD, WELL), (33, WELL, WELL), (62, WELL, WELL)]
    assert played(*steps) == [(1, 1)]
    assert played(*steps, (63, WELL, WELL)) == [(1, 1), (63, 0)]


def test_a_load_counts_when_it_has_lasted_at_the_least_it_was() -> None:
    assert played((0, WELL, BAD), (5, WELL, WELL), (6, WELL, BAD), (15, WELL, BAD)) == []
    lasting = [(0.0, WELL, WORSE), (4.0, WELL, BAD), (LASTING, WELL, WORSE)]
    assert played(*lasting) == [(LASTING, 1)]


def test_getting_better_stops_at_the_worst_there_was_meanwhile() -> None:
    steps = [(0, WORSE, WELL), (1, WELL, WELL), (10, BAD, WELL), (31, WELL, WELL)]
    assert played(*steps) == [(0, 2), (31, 1)]


@calm
@given(st.lists(st.tuples(st.floats(0.1, 20.0), grades, grades), max_size=300))
def test_noise_turns_a_latch_seldom(steps: Sequence[tuple[float, Judgement, Judgement]]) -> None:
    """It gets better at most every SETTLED seconds, and between two times worse twice."""
    latch, now, turns = Latch(WELL, 0.0), 0.0, []
    for wait, said, load in steps:
        now += wait
        before = latch.state.grade
        if latch.step(now, said, load):
            turns.append((now, latch.state.grade - before))
        assert latch.state.grade >= said.grade, "what a host says is never withheld"
    better = [at for at, by in turns if by < 0]
    assert all(b - a >= SETTLED for a, b in pairwise(better))
    assert len(turns) <= 2 + 3 * now / SETTLED


def notice(number: int, tone: str = "error", **changes: Any) -> Notice:
    name = changes.pop("name", f"vm{number}")
    why = "" if tone == "ok" else "Paused-crit"
    return Notice(f"n{number}", 0.0, name, "hv01", f"vm{number}", tone, why, **changes)


@calm
@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(0, 30)), max_size=200))
def test_messages_are_few_and_lose_nothing(rounds: Sequence[tuple[float, int]]) -> None:
    herald, now, told, last = Herald(), 0.0, [], set()
    for wait, count in rounds:
        now += wait
        herald.add(notice(n) for n in range(count))
        last |= {f"vm{n}" for n in range(count)}
        if due := herald.due(now):
            told.append(due)
    told.append(herald.due(now + QUIET))
    assert len(told) - 1 <= 1 + now / QUIET
    assert {one.target for due in told for one in due} == last


def test_a_message_tells_the_worst_first_and_counts_the_rest() -> None:
    found = [notice(1, "ok"), notice(2, "warning"), *(notice(n) for n in range(3, 6))]
    words = summary(found)
    assert words.startswith("vm3 on hv01: Paused-crit; vm4 on hv01: ")
    assert words.endswith("; and 2 more")
    assert worse(found)
    assert summary([notice(1, "ok")]) == "vm1 on hv01 is well again"
    assert not worse([notice(1, "ok")])


def test_a_clock_set_back_silences_nothing() -> None:
    herald = Herald()
    herald.add([notice(1)])
    assert herald.due(1000.0)
    herald.add([notice(2)])
    assert herald.due(10.0)


# -- a fleet -------------------------------------------------------------------------------


class Fleet:
    """A scripted estate, taken in and watched."""

    def __init__(self, *patterns: str, estate: Estate | None = None) -> None:
        self.estate = estate or datacenter()
        self.store = Store()
        self.store.watches.name(patterns)
        self.watcher = Watcher(self.store)
        self.changes = Changes()
        assert self.take(*self.estate.everything().updates) == [], "what is so from the start"

    def take(self, *updates: Update) -> list[str]:
        self.changes = self.store.apply(Batch(updates), self.estate.now)
        return [one.words for one in self.watcher.look(self.changes, self.estate.now)]

    def wait(self, seconds: float) -> list[str]:
        """Second by second."""
        said: list[str] = []
        for _ in range(int(seconds)):
            self.estate.now += 1
            changes = self.store.tick(self.estate.now)
            said += [one.words for one in self.watcher.tick(changes, self.estate.now)]
        return said

    def host(self, name: str, **vitals: Any) -> Update:
        place = self.estate.hosts[name]
        place.vitals = structs.replace(place.vitals, read_at=self.estate.now, **vitals)
        return self.estate.update(name, vitals=place.vitals)


def test_only_what_is_named_is_watched_in_full() -> None:
    fleet = Fleet("hv02", "vm:SQL*", "cluster:cl1")
    watched = {row.name for row in fleet.store.vms.values() if row.watch}
    assert watched == {"sql01", "sql02"}
    assert [row.name for row in fleet.store.host_rows.values() if row.watch] == ["HV02"]
    assert fleet.store.groups.rows["cluster:CL1"].watch == "ok"
    found = parse("is:watched", "vm").select(fleet.store.vms.values())
    assert {row.name for row in found} == watched
    assert fleet.take(fleet.estate.vary("web01", state=PAUSED_CRITICAL)) == []
    said = fleet.take(fleet.estate.vary("sql01", state=PAUSED_CRITICAL))
    assert said == ["sql01 on HV01: Paused-crit"]
    row = fleet.store.vms[fleet.estate.find("sql01")[1].id]
    assert row.watch == "error"
    assert row.key in fleet.changes.vms.changed


def test_a_machine_that_recovers_is_told_after_a_while() -> None:
    fleet = Fleet("vm:sql01")
    fleet.take(fleet.estate.vary("sql01", state=PAUSED_CRITICAL))
    assert fleet.take(fleet.estate.vary("sql01", state=2)) == []
    assert fleet.wait(SETTLED - 1) == []
    assert fleet.wait(1) == ["sql01 on HV01 is well again"]


def test_time_alone_makes_a_transition_slow() -> None:
    fleet = Fleet("vm:sql01")
    started = fleet.estate.now
    assert fleet.take(fleet.estate.vary("sql01", state=4, since=started)) == []
    fleet.estate.now += 121
    assert fleet.take(fleet.host("HV01")) == []
    assert fleet.wait(1) == ["sql01 on HV01: stopping for 2m 1s"]


def test_a_load_is_told_when_it_lasts() -> None:
    fleet = Fleet("vm:sql01", "HV01")
    assert fleet.take(fleet.estate.vary("sql01", cpu=97), fleet.host("HV01", cpu=85.0)) == []
    said = fleet.wait(LASTING)
    assert set(said) == {"sql01 on HV01: CPU 97%", "HV01: CPU 85%"}


def test_a_slow_disk_and_a_machine_without_a_paging_file_are_told() -> None:
    fleet = Fleet("vm:sql01")
    host, vm = fleet.estate.find("sql01")
    place = host.info.id

    def disk(name: str, owner: str, latency: float) -> DiskMeter:
        return DiskMeter(f"{place}:{name}", place, name, vm=owner, latency=latency)

    def told(latency: float, paged: int = 0) -> Update:
        disks = (disk("d:-a.vhdx", vm.id, latency), disk("d:-b.vhdx", "OTHER", 9.0))
        machines = (MachineMeter(vm.id, place, paged=paged),)
        looks = (Look.DISKS, Look.MEMORY)
        meters = Meters(place, fleet.estate.now, looks, disks=disks, machines=machines)
        return fleet.estate.update(place, meters=meters)

    assert fleet.take(told(0.004), fleet.estate.vary("sql01")) == []
    assert fleet.take(told(0.030), fleet.estate.vary("sql01")) == []
    assert fleet.wait(LASTING + 1) == ["sql01 on HV01: disk latency 30 ms"]
    fleet = Fleet("vm:sql01")
    assert fleet.take(told(0.004, paged=GB)) == ["sql01 on HV01: runs out of a smart paging file"]


def test_a_volume_that_will_be_full_is_told_before_it_is() -> None:
    fleet = Fleet("HV02")
    place = fleet.estate.hosts["HV02"]
    said: list[str] = []
    for minute in range(30):
        fleet.estate.now += 60
        free = int((150 - 0.05 * minute) * GB)
        place.info = structs.replace(place.info, volumes=(Volume("C:\\", "OS", 200 * GB, free),))
        vitals = structs.replace(place.vitals, read_at=fleet.estate.now)
        said += fleet.take(fleet.estate.update("HV02", info=place.info, vitals=vitals))
    assert said == []
    for minute in range(40):
        fleet.estate.now += 60
        free = int((148 - 0.2 * minute) * GB)
        place.info = structs.replace(place.info, volumes=(Volume("C:\\", "OS", 200 * GB, free),))
        vitals = structs.replace(place.vitals, read_at=fleet.estate.now)
        said += fleet.take(fleet.estate.update("HV02", info=place.info, vitals=vitals))
    assert said == ["HV02: C:\\ full in 19h", "HV02: C:\\ full in 11h"]


def test_a_host_that_goes_takes_its_machines_along_in_silence() -> None:
    fleet = Fleet("vm:*")
    assert fleet.take(fleet.estate.lose("HV01")) == ["HV01: lost: Unreachable"]
    assert fleet.wait(60) == []
    assert fleet.take(fleet.host("HV01", link=Link.UP, trouble=None)) == []
    fleet.estate.now += SETTLED
    assert fleet.take(fleet.host("HV01")) == ["HV01 is well again"]
    assert fleet.store.vms[fleet.estate.find("sql01")[1].id].watch == "ok"


def test_a_host_that_is_not_there_yet_has_no_state_to_lose() -> None:
    estate = Estate()
    estate.add_host("HV09", link=Link.CONNECTING)
    fleet = Fleet("HV09", estate=estate)
    assert fleet.take(estate.lose("HV09")) == []


def test_what_becomes_known_after_the_start_is_no_change() -> None:
    estate = Estate()
    place = estate.add_host("HV09")
    vm = estate.add_vm("HV09", "old")
    left = Checkpoint("c", "backup", estate.now - 9 * 86_400, kind="recovery")
    whole = (
        structs.replace(vm, checkpoints=(left,)),
        structs.replace(place.info, volumes=(Volume("D:\\", "", 100 * GB, GB),)),
    )
    place.vms[vm.id], place.info = structs.replace(vm, complete=False), Host("HV09", "http://hv09")
    fleet = Fleet("HV09", "vm:*", estate=estate)
    assert fleet.take(estate.update("HV09", vms=(whole[0],), info=whole[1])) == []
    assert fleet.store.vms[vm.id].watch == "warning"
    assert fleet.store.host_rows["HV09"].watch == "error"


def node(name: str, state: int = 0) -> ClusterNode:
    return ClusterNode(name, state=state, weight=1, dynamic_weight=1)


def test_a_cluster_without_quorum_is_told() -> None:
    fleet = Fleet()
    names = ("CL1-N1", "CL1-N2", "CL1-N3")
    well = Cluster("CL1", nodes=tuple(node(name) for name in names))
    told = fleet.estate.update("CL1-N1", cluster=well, cluster_at=fleet.estate.now)
    assert fleet.take(told) == []
    torn = structs.replace(well, nodes=(node(names[0]), node(names[1], 1), node(names[2], 1)))
    told = fleet.estate.update("CL1-N1", cluster=torn, cluster_at=fleet.estate.now + 1)
    (said,) = fleet.take(told)
    assert said.startswith("CL1: no quorum")


def test_by_hand_counts_more_than_a_pattern() -> None:
    fleet = Fleet("vm:sql*")
    sql, web = (fleet.estate.find(name)[1].id for name in ("sql01", "web01"))
    fleet.store.watches.choose([sql], False)
    changes = fleet.store.watches.choose([web], True)
    assert web in changes.vms.changed
    fleet.take(*fleet.estate.everything().updates)
    assert [fleet.store.vms[key].watch for key in (sql, web)] == ["", "ok"]
    assert fleet.take(fleet.estate.vary("sql01", state=PAUSED_CRITICAL)) == []


def test_what_is_watched_by_hand_stays_so_at_another_moment_of_a_recording() -> None:
    store, other = Fleet().store, Fleet().store
    key = next(key for key, row in store.vms.items() if row.name == "web01")
    store.watches.choose([key], True)
    store.become(other)
    assert store.vms[key].watch == "ok"
    assert [row.name for row in store.vms.values() if row.watch] == ["web01"]


def test_a_renamed_machine_is_watched_by_its_new_name() -> None:
    fleet = Fleet("vm:prod-*")
    host, vm = fleet.estate.find("web01")
    assert not fleet.store.vms[vm.id].watch
    renamed = structs.replace(vm, name="prod-web01")
    fleet.take(fleet.estate.update(host.info.id, vms=(renamed,)))
    assert fleet.store.vms[vm.id].watch == "ok"


# -- the terminal --------------------------------------------------------------------------

HOSTILE = "vm\x1b]0;own\x07\x9d52;c;x\x9c\x1b\\\r\n\u202eevil; 4;1;50"


@pytest.mark.parametrize("way", ["osc9", "osc777", "osc99"])
@pytest.mark.parametrize("environ", [{}, {"TMUX": "/tmp/tmux-0/default,1,0"}])
@calm
@given(words=st.one_of(st.just(HOSTILE), st.text(max_size=400)))
def test_no_name_breaks_out_of_a_sequence(
    way: Desktop, environ: dict[str, str], words: str
) -> None:
    asked = notification(way, words, environ)
    if environ:
        assert asked.startswith("\x1bPtmux;")
        assert asked.endswith("\x1b\\")
        inner = asked[len("\x1bPtmux;") : -2]
        assert "\x1b" not in inner.replace("\x1b\x1b", "")
        asked = inner.replace("\x1b\x1b", "\x1b")
    body = re.fullmatch(r"\x1b\](9|777|99);([^\x00-\x1f\x7f-\x9f]*)\x1b\\", asked)
    assert body is not None
    if way == "osc777":
        assert body[2].count(";") == 2
    elif way == "osc99":
        assert base64.b64decode(body[2].removeprefix("e=1;")).decode().startswith("hvdeck: ")
    else:
        assert body[2].startswith("hvdeck: ")


def test_no_notification_unless_it_is_wanted() -> None:
    assert notification("off", "x", {}) == ""


# -- the deck ------------------------------------------------------------------------------


def written(recorder: Any) -> tuple[int, list[str]]:
    """Bells and notifications since the last look."""
    assert isinstance(recorder, Recorder)
    text = recorder.take()
    asked = re.findall(r"\x1b\]9;([^\x1b]*)\x1b\\", text)
    return text.count("\a"), asked


@story
async def test_a_watched_machine_that_pauses_is_told_once() -> None:
    notify = Notify(desktop="osc9")
    async with deck(recorded=True, watch=("vm:sql*",), notify=notify) as d:
        driver, vms = d.app._driver, d.app.panes.vms
        await d.go("web01")
        key = d.key("sql01")
        assert UNICODE.watched in d.text()
        written(driver)
        for _ in range(3):
            d.collector.play(Batch((d.estate.vary("sql01", state=PAUSED_CRITICAL, cpu=None),)))
            await d.settle()
            d.app.tick()
        words = "sql01 on HV01: Paused-crit"
        assert d.notices == words
        assert written(driver) == (1, [f"hvdeck: {words}"])
        look = vms.look(vms.rows[key])
        assert look.watch == "error"
        line = vms.grid.render_line(vms.grid.keys.index(key) + 1)
        named = next(part for part in line if "sql01" in part.text)
        other = next(part for part in vms.grid.render_line(1) if part.text.strip())
        assert named.style is not None
        assert other.style is not None
        assert named.style.color != other.style.color
        await d.press("8")
        assert re.search(r"watch +sql01 +HV01 +Critical", d.text())
        await d.press("d")
        assert "Watch" in d.text()
        assert "sql01 on HV01: critical" in d.text()


@story
async def test_a_lost_host_is_one_message_and_one_bell() -> None:
    async with deck(recorded=True, watch=("vm:*", "HV01")) as d:
        written(d.app._driver)
        d.collector.play(Batch((d.estate.lose("HV01"),)))
        await d.settle()
        d.app.tick()
        assert d.notices.startswith("HV01 is lost: Unreachable")
        assert len(d.app._notifications) == 1
        assert written(d.app._driver) == (1, [])


@story
async def test_watched_by_hand_filtered_and_let_go_and_silent_without_a_terminal() -> None:
    async with deck(ascii=True, notify=Notify(desktop="osc9")) as d:
        await d.go("web01")
        await d.press("N")
        assert "web01 is watched until the deck is left" in d.notices
        row = d.app.store.vms[d.key("web01")]
        assert row.watch == "ok"
        assert f"{ASCII.watched}web01" in d.text()
        assert d.app.panes.vms.set_filter("is:watched")
        assert d.names == ["web01"]
        await d.press("N")
        assert "web01 is no longer watched" in d.notices
        assert d.names == []
        heard: list[str] = []
        driver: Any = d.app._driver
        driver.write = heard.append
        assert d.app.panes.vms.set_filter("")
        await d.go("web01")
        await d.press("N")
        d.collector.play(Batch((d.estate.vary("web01", state=PAUSED_CRITICAL),)))
        await d.settle()
        assert "web01 on CL1-N1: Paused-crit" in d.notices
        assert not any("\a" in text or "\x1b]9" in text for text in heard), "no terminal is there"

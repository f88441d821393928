"""This machine's clock is set back: what is recorded goes on, and nothing lies ahead of now."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.deck_kit import deck, story
from tests.meters_kit import measured, roomy
from tests.scripted import OFF, Estate, datacenter
from tests.test_ui_top import pass_time
from tui.collector.messages import Batch, Update
from tui.rows.ranking import RANKINGS
from tui.rows.top import CELLS, CPU, Span
from tui.store import Metric, Stale, Store
from tui.store.clock import JITTER
from tui.store.space import space_key
from tui.store.store import FORGET_AFTER
from tui.ui.timespan import TimeSpan

HOUR = 3600.0


@pytest.fixture
def estate() -> Estate:
    return roomy(datacenter())


def play(store: Store, estate: Estate, ticks: int, seconds: float = 20.0) -> None:
    for _ in range(ticks):
        store.apply(estate.tick(seconds), estate.now)


def ahead(store: Store, now: float) -> set[str]:
    """What has been recorded after now."""
    return {
        key for key, history in store.histories.items()
        if any(value is not None for value in history.points(0, now + 2, now + 6 * HOUR, 600))
    }  # fmt: skip


def test_recording_goes_on_at_once_and_nothing_is_ahead(store: Store, estate: Estate) -> None:
    key = estate.find("sql01")[1].id
    play(store, estate, 90)
    stopped = estate.find("web01")[1].id
    store.apply(Batch((estate.vary("web01", state=OFF, cpu=None, memory=None),)), estate.now)
    before = estate.now
    estate.now -= HOUR / 2
    play(store, estate, 3)
    history = store.history(key)
    assert history.newest == estate.now // 2 * 2
    assert history.latest(Metric.CPU) == store.vms[key].vitals.cpu
    assert history.points(Metric.CPU, estate.now - 60, estate.now, 3).count(None) == 0
    assert history.points(Metric.CPU, before - HOUR - 1, before - HOUR, 1) == [None]
    assert ahead(store, estate.now) == set()
    assert store.history(stopped).newest <= estate.now, "what does not run any more, too"
    assert store.oldest(estate.now)[0] < 60


def test_what_came_before_is_kept(store: Store, estate: Estate) -> None:
    history = store.history(estate.find("sql01")[1].id)
    play(store, estate, 90)
    there = estate.now - 1500, estate.now - 1300
    kept = history.points(Metric.CPU, *there, 10)
    estate.now -= 1270
    play(store, estate, 1)
    assert history.points(Metric.CPU, *there, 10) == kept
    assert None not in kept


def test_a_clock_set_back_before_everything_begins_anew(store: Store, estate: Estate) -> None:
    history = store.history(estate.find("sql01")[1].id)
    play(store, estate, 30)
    weight = store.histories.bytes
    estate.now -= 48 * HOUR
    play(store, estate, 1)
    assert history.newest == estate.now // 2 * 2
    assert history.points(Metric.CPU, estate.now - 24 * HOUR, estate.now - 200, 9) == [None] * 9
    assert store.histories.bytes == weight
    play(store, estate, 5)
    assert history.points(Metric.CPU, estate.now - 99, estate.now, 5).count(None) == 0


def test_a_little_older_is_no_other_clock(store: Store, estate: Estate) -> None:
    history = store.history(estate.find("sql01")[1].id)
    play(store, estate, 10)
    newest, estate.now = history.newest, estate.now - JITTER
    store.apply(estate.tick(1.0), estate.now)
    assert history.newest == newest
    play(store, estate, 1)
    assert history.newest == estate.now // 2 * 2 > newest


def test_set_back_again_and_again_takes_no_more_memory(store: Store, estate: Estate) -> None:
    histories = store.histories
    play(store, estate, 180)
    octets = sum(one.octets for one in histories.values())
    for back in (100.0, 5 * HOUR, 700.0, 61.0, 2 * HOUR, 1900.0) * 3:
        estate.now -= back
        play(store, estate, 20)
        assert ahead(store, estate.now) == set()
    assert sum(one.octets for one in histories.values()) <= octets
    hosts = sum(one.width for key, one in histories.items() if key in store.host_rows)
    rest = sum(one.width for key, one in histories.items() if key not in store.host_rows)
    assert histories._columns == {True: hosts, False: rest}


def test_a_host_that_is_lost_keeps_its_age_and_is_not_read_ahead_of_now(
    store: Store, estate: Estate
) -> None:
    play(store, estate, 90)
    lost = estate.now
    store.apply(Batch((estate.lose("HV01"),)), estate.now)
    play(store, estate, 15)
    estate.now -= HOUR
    play(store, estate, 1)
    entry = store.hosts["HV01"]
    assert 300 <= estate.now - entry.read_at <= 330
    again = estate.update("HV01", vitals=estate.hosts["HV01"].vitals)
    store.apply(Batch((structs.replace(again, read_at=lost),)), estate.now)
    assert 300 <= estate.now - entry.read_at <= 330, "it repeats what the clock was then"
    assert entry.stale is Stale.LOST


def test_what_was_read_before_and_comes_after_is_read_now(store: Store, estate: Estate) -> None:
    play(store, estate, 20)
    estate.now += 1
    late = estate.vary("sql01", cpu=77)
    host = late.host
    estate.now -= HOUR
    rest = estate.tick(2.0).updates
    others: tuple[Update, ...] = tuple(one for one in rest if one.host != host)
    store.apply(Batch((*others, late)), estate.now)
    assert store.hosts[host].read_at == estate.now
    assert ahead(store, estate.now) == set()
    assert store.vms[estate.find("sql01")[1].id].vitals.cpu == 77


def test_what_is_gone_is_forgotten_in_time(store: Store, estate: Estate) -> None:
    place, vm = estate.find("sql01")
    play(store, estate, 5)
    del place.vms[vm.id], place.vitals_of[vm.id]
    store.apply(Batch((estate.update(place.info.id, gone_vms=(vm.id,)),)), estate.now)
    estate.now -= HOUR
    play(store, estate, 1)
    assert vm.id in store.histories
    store.tick(estate.now + FORGET_AFTER)
    assert vm.id not in store.histories


def test_disks_are_measured_and_those_that_left_go(store: Store, estate: Estate) -> None:
    for _ in range(5):
        store.apply(measured(estate), estate.now)
    _, vm = estate.find("sql01")
    (key,) = (key for key, row in store.measured.disks.items() if row.meter.vm == vm.id)
    estate.now -= HOUR
    store.apply(measured(estate), estate.now)
    assert store.history(key).newest == estate.now // 2 * 2
    store.apply(Batch((estate.vary("sql01", state=OFF),)), estate.now)
    store.apply(measured(estate), estate.now)
    estate.now -= HOUR
    for _ in range(8):
        store.apply(measured(estate), estate.now)
    assert key not in store.measured.disks
    assert key not in store.histories


def test_volumes_grow_on(store: Store, estate: Estate) -> None:
    play(store, estate, 40)
    growth = store.space.growth(space_key(estate.hosts["HV01"].info, "D:\\"))
    assert growth.trend is not None
    estate.now -= HOUR
    play(store, estate, 2)
    assert growth.newest == estate.now
    assert growth.trend is None, "of two clocks nothing is said"
    play(store, estate, 40)
    assert growth.trend is not None


def test_top_ends_now_and_its_peaks_are_of_what_is_left(store: Store, estate: Estate) -> None:
    span = Span(store, 300.0)
    play(store, estate, 20)
    estate.now += 2
    store.apply(Batch((estate.vary("sql01", cpu=99),)), estate.now)
    span.renew()
    row = store.vms[estate.find("sql01")[1].id]
    assert span.peak(row, CPU) == 99
    for back in (20.0, HOUR):
        estate.now -= back
        estate.now += 2
        store.apply(Batch((estate.vary("sql01", cpu=3),)), estate.now)
        span.renew()
        assert span.until <= max(entry.read_at for entry in store.hosts.values()) <= estate.now
        assert (span.peak(row, CPU) or 0) < 99
        assert len(span.line(row, CPU)) == CELLS
    for ranking in RANKINGS.values():
        for column in ranking.columns(span, True):
            for each in ranking.rows(store).values():
                column.cell(each)


def test_a_span_that_ends_ahead_follows_now() -> None:
    span = TimeSpan(300.0)
    span.tell(10_000.0)
    span.pan(-1)
    span.tell(10_100.0)
    assert span.until == 9_925.0
    span.tell(9_000.0)
    assert (span.until, span.live) == (9_000.0, True)


@story
async def test_graphs_and_top_at_the_deck() -> None:
    async with deck() as d:
        await pass_time(d, 60)
        await d.go("sql01")
        await d.press("5")
        d.estate.now -= 240
        await pass_time(d, 1)
        assert d.app.panes.graphs.span.until == d.estate.now
        shown = d.text()
        assert "Graphs" in shown
        assert "last 5 min" in shown
        await d.press("escape", "o")
        await pass_time(d, 2)
        assert "CPU peak" in d.text()
        assert ahead(d.app.store, d.estate.now) == set()

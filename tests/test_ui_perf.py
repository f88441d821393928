"""The page on hvdeck itself: what hosts are asked, what that costs, and where Enter leads."""

from __future__ import annotations

from typing import Any

from tests.deck_kit import Deck, deck, story
from tests.live_kit import estate as served_estate
from tests.story_kit import live_deck
from tests.ui_kit import Recorder
from tui.collector.messages import Batch, HostLoad, LaneLoad, OperationLoad
from tui.ui.own import Meter, metered

QUERY = "Enumerate SELECT Name, OnTimeInMilliseconds FROM Msvm_ComputerSystem WHERE A = '…'"
SLOW = "Msvm_VirtualSystemManagementService.GetSummaryInformation"


def operation(name: str, seconds: float, **more: Any) -> OperationLoad:
    values: dict[str, Any] = {
        "count": 40, "bytes": 81920, "median": 0.012, "p95": 0.25, "worst": 1.5, "failures": 0,
    } | more  # fmt: skip
    return OperationLoad(name, "watch", seconds=seconds, at=1000.0, **values)


def load(host: str, asked: int, **more: Any) -> HostLoad:
    lanes = (LaneLoad("act", 7, 1024, 0.0, 0), LaneLoad("watch", asked - 7, 204800, 0.0, 0))
    values: dict[str, Any] = {
        "requests": 1234, "bytes": 1 << 20, "lanes": lanes, "p50": 0.011, "p95": 0.086,
        "slowest": SLOW, "worst": 1.5, "minutes": (0,) * 40 + (asked,) * 20, "cap": 600,
        "operations": (operation(SLOW, 4.5), operation(QUERY, 1.5)),
    } | more  # fmt: skip
    return HostLoad(host, **values)


async def tell(d: Deck, *loads: HostLoad, **more: Any) -> None:
    d.collector.play(Batch(loads=loads, **more))
    await d.settle()


async def open_page(d: Deck) -> None:
    await d.press("colon")
    await d.type("perf")
    await d.press("enter")
    assert d.app.panes.current == "perf"


def line_of(d: Deck, word: str) -> str:
    return next(line for line in d.text().splitlines() if word in line)


@story
async def test_hosts_by_what_they_are_asked_and_what_held_them_up() -> None:
    async with deck(size=(140, 40)) as d:
        first, second, third, *_ = d.estate.hosts
        await open_page(d)
        assert "nothing has been asked of a host yet" in d.text()
        lane = LaneLoad("watch", 20, 10240, 31.0, 3)
        capped = load(second, 0, lanes=(lane,), cap=20, capped=True, p95=2.5)
        await tell(d, load(first, 90), capped, load(third, 300), cpu=3.0, memory=60 << 20)
        pane = d.app.panes.perf
        assert [key for key in pane.grid.keys if key in d.app.store.loads.hosts] == [
            third, first, second,
        ]  # fmt: skip
        row = line_of(d, f" {d.app.store.host_rows[third].name} ")
        assert "300" in row
        assert "201 KB" in row
        assert "11 ms" in row
        assert "86 ms" in row
        assert "49% of 600" in row, "what actions ask does not count"
        assert "20 capped" in line_of(d, "2.5 s")
        assert "410 requests/min" in line_of(d, "Asked")
        assert "1 capped" in line_of(d, "Asked")
        assert "3 failed in an hour" in line_of(d, "Asked")
        assert "collector 3% 60 MB" in line_of(d, "Processes")
        await tell(d, load(first, 400, operations=None))
        assert pane.grid.keys[0] == first
        assert len(d.app.store.loads.operations) == 6, "those told before stay"
        await d.press("escape")
        assert d.app.panes.current == "vms"


@story
async def test_enter_leads_to_what_a_host_was_asked_and_on_to_all_of_it_in_ascii_too() -> None:
    async with deck(size=(80, 24), ascii=True) as d:
        first, second, *_ = d.estate.hosts
        await open_page(d)
        await tell(d, load(first, 90), load(second, 80))
        assert d.text().isascii()
        await d.press("enter")
        pane = d.app.panes.perf
        listed = [pane.rows[key] for key in pane.grid.keys]
        assert [(row.host.id, row.name) for row in listed] == [(first, SLOW), (first, QUERY)]
        shown = d.text()
        assert "Msvm_Computer" in shown, "of a query, what it is asked of"
        assert "OnTimeInMilliseconds" not in shown
        await d.press("j", "enter")
        assert "OnTimeInMilliseconds" in d.text()
        assert "asked 40 times by watch" in d.text()
        assert d.text().isascii(), [c for c in d.text() if not c.isascii()]
        await d.press("escape", "escape")
        assert len(pane.grid.keys) == 4
        assert first in line_of(d, "250 ms"), "whose it is shows again"
        await d.press("left")
        assert pane.view == "hosts"


@story
async def test_a_host_that_is_no_longer_configured_is_forgotten_and_a_strange_one_not_shown() -> (
    None
):
    async with deck(size=(120, 40)) as d:
        first, *others = d.estate.hosts
        await open_page(d)
        await tell(d, load(first, 90), load("elsewhere", 90))
        assert set(d.app.store.loads.hosts) == {first}
        links = [link for link in d.estate.links if link.id in others]
        d.app.changed(d.app.store.configure(links))
        await d.settle()
        assert not d.app.store.loads.hosts
        assert not d.app.store.loads.operations
        assert first not in d.app.panes.perf.grid.keys


# -- what goes to the terminal -------------------------------------------------------------


def test_bytes_are_counted_by_second_and_minute() -> None:
    now = [1000.2]
    meter = Meter(lambda: now[0])
    meter.add("abc")
    meter.add("é€")
    now[0] = 1001.9
    assert (meter.last_second, meter.last_minute, meter.total) == (8, 8, 8)
    meter.add("x" * 100)
    assert (meter.last_second, meter.last_minute) == (8, 8), "the current second is not over"
    now[0] = 1002.0
    assert (meter.last_second, meter.last_minute) == (100, 108)
    now[0] = 1060.5
    assert (meter.last_second, meter.last_minute) == (0, 108)
    now[0] = 1061.0
    assert (meter.last_minute, meter.total) == (100, 108)
    for second in range(1061, 2000):
        now[0] = float(second)
        meter.add("y")
    now[0] = 2000.0
    assert meter.last_minute == 60


def test_a_driver_counts_all_it_writes() -> None:
    meter = Meter()
    made = metered(Recorder, meter)
    driver = made.__new__(made)
    driver.written = []  # type: ignore[attr-defined]
    driver.write("\x1b[1;1Hhvdeck ●")
    assert driver.written == ["\x1b[1;1Hhvdeck ●"]  # type: ignore[attr-defined]
    assert meter.total == len("\x1b[1;1Hhvdeck ●".encode())


# -- over a socket -------------------------------------------------------------------------


@story
async def test_the_page_counts_what_the_hosts_have_heard() -> None:
    with served_estate() as served:
        async with live_deck(served, size=(120, 28)) as d:
            heard, loads = served.heard[served.first], d.app.store.loads.hosts

            def told() -> int:
                return loads[served.first].requests if served.first in loads else 0

            await d.run("perf")
            await d.until(lambda: d.app.panes.current == "perf", "the page")
            before = heard.count("")
            await d.until(lambda: told() >= before, "all that was heard is told")
            assert told() <= heard.count(""), "no more is told than was heard"
            await d.shows("requests/min")
            await d.press("enter")
            await d.shows("GetSummaryInformation")

"""The pane of graphs at the deck: crosshair, zoom, pan, freeze, by key and by mouse."""

from __future__ import annotations

import re

from tests.deck_kit import Deck, deck, story
from tests.meters_kit import meters, roomy, told
from tests.scripted import GB, datacenter
from tests.test_ui_neighbours import HOT, attended, hear, until
from tests.test_ui_top import pass_time
from tui.collector.messages import Attend, Batch
from tui.hyperv.meters import Look, Meters
from tui.rows.text import clock
from tui.ui.graph import Graph
from tui.ui.graphs import GraphsPane


def pane(d: Deck) -> GraphsPane:
    return d.app.panes.graphs


def drawn(d: Deck) -> list[str]:
    """All that the graphs show."""
    return ["".join(cell[0] for cell in line) for graph in pane(d).query(Graph)
            for line in graph._lines]  # fmt: skip


def shown(d: Deck) -> list[str]:
    """Titles of the graphs that show."""
    return [graph._title for graph in pane(d).query(Graph) if graph.display]


async def remember(d: Deck, name: str) -> None:
    """Ten minutes of readings: a processor at 30 %, for the last half minute at 70 %."""
    now = d.estate.now
    key, histories = d.key(name), d.app.store.histories
    histories.forget(key)
    for ago in range(600, -1, -2):
        load = 30.0 if ago > 30 else 70.0
        histories.record(key, now - ago, (load, 4.0 * GB, 1e6, 2e6, 3e6, 4e6))
    await d.go(name)


@story
async def test_a_crosshair_through_all_graphs_by_key_and_by_mouse() -> None:
    async with deck() as d:
        await remember(d, "sql01")
        await d.press("5", "Z")
        assert "▸ CPU" in d.text(), "it is clear which graph keys are for"
        assert "left right Crosshair" in d.text().splitlines()[-1]
        await d.press("left")
        newest = pane(d).span.cross
        assert newest is not None
        assert d.estate.now - 10 < newest <= d.estate.now
        assert re.search(r"CPU +[0-9:]{8}  70% ▲70% avg 3\d%", d.text())
        for _ in range(10):
            d.hit("left")
        await d.settle()
        cross = pane(d).span.cross
        assert cross is not None
        assert newest - 75 < cross < newest - 45
        assert re.search(r"CPU +[0-9:]{8}  30% ▲70%", d.text())
        assert len(set(re.findall(r"\d\d:\d\d:\d\d", "".join(drawn(d))))) == 1
        assert sum("│" in line for line in d.text().splitlines()) > 30
        await pass_time(d, 2)
        assert pane(d).span.cross == cross, "it stays at its time while the curves move"
        await d.press("escape")
        assert pane(d).span.cross is None
        cpu = next(iter(pane(d).query(Graph)))
        right = (cpu.size.width - 4, 5)
        await d.pilot.hover(cpu, offset=right)
        assert pane(d).span.cross is not None
        await d.pilot.hover(d.app.footer)
        assert pane(d).span.cross is None, "it leaves with the mouse"
        await d.pilot.click(cpu, offset=right)
        await d.pilot.hover(d.app.footer)
        assert pane(d).span.cross is not None, "a click has fixed it"
        await d.press("escape", "escape")
        assert d.app.panes.current == "vms"


@story
async def test_zoom_pan_and_freeze_under_keys_of_ones_own() -> None:
    async with deck(keys={"graphs.zoom-out": "b", "graphs.next": "n"}) as d:
        first = d.estate.now - 600
        await remember(d, "sql01")
        await d.press("5", "b")
        assert "last 10 min" in d.text()
        assert "+ b Zoom" in d.text()
        await d.press("plus", "plus", "plus", "w")
        assert "last 5 min" in d.text()
        start, end = d.estate.now - 375, d.estate.now - 75
        await d.press("left_square_bracket")
        assert f"{clock(start)[:5]}-{clock(end)[:5]}, 75 s ago" in d.text()
        before = drawn(d)
        await pass_time(d, 9)
        assert drawn(d) == before, "what is over does not move"
        assert "2 min ago" in d.text()
        await d.press("end")
        value = drawn(d)[0]
        await d.press("z")
        assert f"{clock(d.estate.now)[:5]}, frozen" in d.text()
        assert drawn(d)[0] == value
        before = drawn(d)
        await pass_time(d, 9)
        assert drawn(d) == before
        await d.press("z")
        assert "last 5 min" in d.text()
        assert drawn(d) != before
        await d.press("n", "enter")
        assert shown(d) == ["Memory"]
        await d.press("escape")
        assert shown(d) == ["CPU", "Memory", "Network", "Disk"]
        await d.press("question_mark")
        await d.type("zoom out")
        await d.press("enter")
        assert "last 10 min" in d.text(), "help runs it"
        await d.press("w", "w", "w", "w")
        assert "last 24 h" in d.text()
        await d.press("home")
        assert pane(d).span.live, "all there is is shown already"
        await d.press("w", "w", "home")
        span = pane(d).span
        assert abs(span.until - span.window - (first - first % 2)) <= 3


@story
async def test_the_disk_selected_in_top_is_drawn_and_measured_as_long_as_it_is_in_front() -> None:
    async with deck(roomy(datacenter())) as d:
        await d.press("o", "right", "right")
        for _ in range(8):
            await hear(d, **HOT)
        await d.press("5")
        assert shown(d) == ["IOPS", "Throughput", "Latency", "Queue"]
        assert "Detail — sql01 on HV01" in d.text(), "detail tells of its machine"
        await d.press("Z")
        assert "Graphs — sql01.vhdx of sql01 · last 5 min" in d.text()
        assert re.search(r"IOPS +━ read 900 ▲900   ━ write 225 ▲225", d.text())
        assert re.search(r"Latency +2.0 ms ▲2.0 ms avg 2.0 ms", d.text())
        await until(d, lambda: attended(d) == Attend(hosts={"HV01": (Look.DISKS,)}))
        await d.press("down", "down", "enter", "plus", "plus", "left")
        assert shown(d) == ["Latency"]
        assert re.search(r"▸ Latency +\d\d:\d\d:\d\d  2.0 ms", d.text())
        assert "last 1 min" in d.text()
        await d.press("z")
        before = drawn(d)
        await hear(d, sql01=9.0)
        assert drawn(d) == before
        await d.press("z", "escape", "escape")
        assert "━ read 9.0 ▲900" in d.text()
        refused = Meters("HV01", d.estate.now, (Look.DISKS,), {Look.DISKS: "no class"})
        for _ in range(20):
            d.estate.now += 5
            d.collector.play(Batch((told(d.estate, refused),)))
        await d.settle()
        assert "Graphs — sql01.vhdx of sql01" in d.text()
        assert "n/a on HV01: no class" in d.text()
        assert d.text().count("n/a on this host") == 4


@story
async def test_a_volume_has_what_is_used_of_it_and_an_adapter_its_drops() -> None:
    async with deck(roomy(datacenter()), size=(80, 24), ascii=True) as d:
        for _ in range(3):
            await hear(d)
        await d.press("o", "left", "5")
        assert shown(d) == ["IOPS", "Throughput", "Latency", "Queue", "Used"]
        assert "Graphs - D:\\ on CL1-N1" in d.text()
        assert re.search(r"Used +904 GB \^904 GB avg 904 GB", d.text())
        assert d.text().isascii(), [c for c in d.text() if not c.isascii()]
        assert all(len(graph._lines) >= 5 for graph in pane(d).query(Graph))
        await d.press("up")
        assert "> Used" in d.text()
        await d.press("escape", "o", "left", "left", "5")
        assert shown(d) == ["In", "Out", "Packets/s", "Drops/s"]
        assert "> Drops/s" in d.text(), "what was chosen is not there any more"
        assert "Network Adapter of " in d.text()
        host = d.app.panes.graphs.looks()
        some = meters(d.estate, next(iter(host)))
        rest = Meters(some.host, d.estate.now, some.looks)
        for _ in range(4):
            d.estate.now += 5
            d.collector.play(Batch((told(d.estate, rest),)))
        await d.settle()
        assert "gone from its host" in d.text()
        await until(d, lambda: attended(d).hosts == {some.host: (Look.ADAPTERS,)})
        pane(d).jumped()
        d.app.tick()
        await d.settle()
        assert "-Graphs . last 5 min" in d.text(), "another moment does not know it"


@story
async def test_a_neighbour_is_drawn_by_its_image_and_without_one_by_itself() -> None:
    async with deck(roomy(datacenter()), size=(80, 24)) as d:
        await hear(d, **HOT)
        await d.go("sql01")
        await d.press("n", "5")
        assert "Graphs — sql01.vhdx of sql01" in d.text()
        await d.press("escape", "n", "5")
        assert "Graphs — sql01 ·" in d.text(), "processors are the machine's own"
        assert shown(d) == ["CPU", "Memory", "Network", "Disk"]

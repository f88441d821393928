"""From a hot disk in top to its neighbours and to the machine, on the screen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from tests.deck_kit import Deck, deck, story
from tests.meters_kit import measured, roomy, told
from tests.scripted import datacenter
from tui.collector.messages import Attend, Batch
from tui.collector.pipe import CollectorDied
from tui.hyperv.meters import Look, Meters

HOT = {"sql01": 900.0, "web03": 300.0}


async def until(d: Deck, met: Callable[[], bool]) -> None:
    """A condition that needs the deck's own clock."""
    for _ in range(1000):
        if met():
            return
        await asyncio.sleep(0.02)
        await d.pilot.pause()
    raise AssertionError("it never came to be")


def attended(d: Deck) -> Attend:
    """What the collector was last told to measure."""
    found = [command for command in d.collector.commands if isinstance(command, Attend)]
    return found[-1] if found else Attend()


async def hear(d: Deck, **reads: float) -> None:
    """Every host tells what it measures."""
    d.collector.play(measured(d.estate, seconds=5.0, **reads))
    await d.settle()


def lines(d: Deck) -> list[str]:
    return [line for line in d.text().splitlines() if ".vhdx" in line]


@story
async def test_hot_disk_to_neighbours_to_the_machine() -> None:
    async with deck(roomy(datacenter()), size=(120, 40)) as d:
        await d.press("o", "right", "right")
        await until(d, lambda: attended(d).everywhere == (Look.DISKS,))
        await hear(d, **HOT)
        assert all(word in lines(d)[0] for word in ("sql01.vhdx", "1,125", "HV01"))
        await d.press("z")
        held = lines(d)
        await hear(d, mail01=5000.0)
        assert lines(d) == held
        await d.press("z")
        assert "mail01.vhdx" in lines(d)[0]
        await d.press("g", "enter")
        assert d.app.panes.current == "neighbours"
        assert "mail01 does 99% of the reads on this volume" in d.text()
        await d.press("escape")
        assert d.app.panes.current == "top"
        await d.press("enter", "enter")
        assert (d.app.panes.current, d.app.panes.vms.cursor) == ("vms", d.key("mail01"))


@story
async def test_in_eighty_columns_of_ascii_from_volume_to_host_and_back() -> None:
    async with deck(roomy(datacenter()), size=(80, 24), ascii=True) as d:
        await hear(d, **HOT)
        await d.go("sql01")
        await d.press("n")
        assert "sql01 does 73% of the reads on this volume" in d.text()
        assert d.text().isascii(), [c for c in d.text() if not c.isascii()]
        await until(d, lambda: attended(d).hosts == {"HV01": (Look.DISKS, Look.VOLUMES)})
        pane = d.app.panes.neighbours
        assert pane.selected.name == "sql01", "the cursor begins on what was asked about"
        await d.press("n")
        assert "Neighbours on HV01" in d.text()
        await until(d, lambda: attended(d).hosts == {"HV01": (Look.PROCESSORS,)})
        await d.press("n", "w")
        assert "last 15 min" in d.text()
        await d.press("slash")
        await d.type("web")
        await d.press("enter")
        assert [pane.rows[key].name for key in pane.grid.keys] == ["web03"]
        await d.press("escape", "escape")
        assert d.app.panes.current == "vms"
        await until(d, lambda: attended(d) == Attend())


@story
async def test_only_what_is_on_the_screen_is_measured_and_a_new_collector_is_told_again() -> None:
    async with deck(roomy(datacenter()), size=(120, 40)) as d:
        await d.go("sql01")
        assert attended(d) == Attend(), "beside a table detail shows what every refresh tells"
        await d.press("6", "plus")
        machine = (Look.ADAPTERS, Look.DISKS, Look.MEMORY, Look.PROCESSORS)
        await until(d, lambda: attended(d).hosts == {"HV01": machine})
        await hear(d, **HOT)
        shown = d.text()
        assert "1,125 IOPS  8.8 MB/s  2.0 ms" in shown
        assert "in 98 KB/s  out 49 KB/s" in shown
        assert re.search(r"CPU wait +45 µs", shown)
        assert re.search(r"Pressure +92%, average 90%", shown)
        count = len(d.collector.commands)
        d.collector.play(CollectorDied(list(d.estate.hosts), cause="signal 9"))
        await until(d, lambda: attended(d) in d.collector.commands[count:])
        await d.press("o")
        await until(d, lambda: attended(d) == Attend())
        top = d.app.panes.top
        top.set_columns(["name", "host", "cpu", "wait", "pressure"])
        await until(d, lambda: attended(d).everywhere == (Look.MEMORY, Look.PROCESSORS))
        refused = Meters("HV01", d.estate.now, (Look.PROCESSORS,), {Look.PROCESSORS: "no class"})
        d.collector.play(Batch((told(d.estate, refused),)))
        await d.settle()
        assert "n/a on HV01: no class" in d.text()
        assert "n/a" in next(line for line in d.text().splitlines() if "sql01" in line)


@story
async def test_a_watched_machine_is_measured_wherever_one_looks() -> None:
    async with deck(roomy(datacenter()), size=(80, 24), watch=("vm:sql01",)) as d:
        host = d.estate.find("sql01")[0].info.id
        looks = (Look.DISKS, Look.MEMORY, Look.PROCESSORS)
        await until(d, lambda: attended(d) == Attend(hosts={host: looks}))
        await d.press("8", "1")
        assert attended(d) == Attend(hosts={host: looks})

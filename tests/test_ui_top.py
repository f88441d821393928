"""Top on the screen: who uses most, and where Enter leads."""

from __future__ import annotations

import re
from typing import Any

from textual.geometry import Region

from tests.deck_kit import Deck, deck, story
from tui.collector.messages import Batch
from tui.ui.header import PLACES
from tui.ui.top import TopPane

LINES = re.compile("[▁▂▃▄▅▆▇█]{3}")


async def pass_time(d: Deck, ticks: int, seconds: float = 5.0) -> None:
    for _ in range(ticks):
        d.collector.play(d.estate.tick(seconds))
    await d.settle()


def listed(d: Deck) -> list[str]:
    pane = d.app.panes.top
    return [pane.rows[key].name for key in pane.grid.keys]


def cpu(d: Deck, name: str) -> float:
    host, vm = d.estate.find(name)
    return host.vitals_of[vm.id].cpu or 0.0


@story
async def test_the_busiest_first_with_peak_and_line() -> None:
    async with deck(size=(140, 40)) as d:
        await pass_time(d, 70)
        await d.press("o")
        names = [name for name in listed(d) if cpu(d, name)]
        assert names == sorted(names, key=lambda name: -cpu(d, name))
        line = next(line for line in d.text().splitlines() if names[0] in line)
        assert f"{cpu(d, names[0]):.0f}%" in line
        assert len(LINES.findall(line)) >= 3, line
        assert "last 5 min" in d.text()
        assert "CPU peak" in d.text()


@story
async def test_machines_and_hosts_in_turn_and_enter_goes_there() -> None:
    async with deck() as d:
        await d.press("o", "right")
        assert set(listed(d)) == set(d.estate.hosts)
        key = d.app.panes.top.cursor
        await d.press("enter")
        assert (d.app.panes.current, d.app.panes.hosts.cursor) == ("hosts", key)
        await d.press("o", "left", "j", "j")
        key = d.app.panes.top.cursor
        await d.press("enter")
        assert (d.app.panes.current, d.app.panes.vms.cursor) == ("vms", key)
        await d.press("o", "escape")
        assert d.app.panes.current == "vms"


@story
async def test_filter_sort_and_window() -> None:
    async with deck(size=(140, 40)) as d:
        await pass_time(d, 30)
        await d.press("o", "slash")
        await d.type("sql")
        await d.press("enter")
        assert set(listed(d)) == {"sql01", "sql02"}
        foot = d.text().splitlines()[-1]
        assert foot.strip().startswith("n Neighbours  w Window")
        await d.press("w")
        assert "last 15 min" in d.text()
        assert set(listed(d)) == {"sql01", "sql02"}, "the filter stays"
        await d.press("escape")
        pane = d.app.panes.top
        assert isinstance(pane, TopPane)
        for column in pane.subject.columns:
            pane.set_sort(column.id)
            await d.settle()
            assert len(listed(d)) == 20, column.id


@story
async def test_frozen_it_stands_still() -> None:
    async with deck(size=(140, 40)) as d:
        await pass_time(d, 30)
        await d.press("o", "z")
        before, order = d.text().splitlines()[3:-1], listed(d)
        await pass_time(d, 30)
        assert d.text().splitlines()[3:-1] == before
        await d.press("z")
        assert d.text().splitlines()[3:-1] != before
        assert sorted(listed(d)) == sorted(order)


@story
async def test_what_did_not_change_is_not_drawn_again() -> None:
    async with deck(size=(140, 40)) as d:
        await pass_time(d, 70)
        await d.press("o")
        pane = d.app.panes.top
        drawn: list[Region] = []
        refresh = pane.grid.refresh

        def noted(*regions: Region, **more: Any) -> Any:
            drawn.extend(regions)
            return refresh(*regions, **more)

        pane.grid.refresh = noted  # type: ignore[method-assign]
        pane.set_sort("name")
        await d.settle()
        drawn.clear()
        d.estate.now += 1
        d.collector.play(Batch((d.estate.vary("sql01", cpu=99),)))
        await d.settle()
        rows = {region.y for region in drawn}
        assert len(rows) == 1, drawn
        assert all(region.width < 15 for region in drawn), drawn


@story
async def test_in_ascii() -> None:
    async with deck(size=(80, 24), ascii=True) as d:
        await pass_time(d, 70)
        await d.press("o")
        shown = d.text()
        assert shown.isascii(), [c for c in shown if not c.isascii()]
        assert re.search(r"[_.:\-=+*#]{8}", shown)
        assert "Disk 5m" in shown


@story
async def test_at_eighty_columns_every_pane_keeps_its_tab() -> None:
    async with deck(size=(80, 24)) as d:
        for key, name, title in PLACES:
            await d.press(key)
            assert d.app.panes.current == name
            tabs = d.text().splitlines()[1]
            assert f" {key} {title} " in f"{tabs} ", tabs
            assert all(f" {other} {whole[:2]}" in tabs for other, _, whole in PLACES), tabs
            await d.press("escape", "3")

"""From the hottest disk to its neighbours, over sockets and the collector's pipe."""

from __future__ import annotations

from tests.deck_kit import story
from tests.live_kit import estate
from tests.story_kit import live_deck
from tui.hyperv.meters import Look


@story
async def test_the_hottest_disk_its_neighbours_and_its_machine() -> None:
    with estate("large", hosts=2, vms=6) as served:
        async with live_deck(served) as d:
            store, panes = d.app.store, d.app.panes
            await d.until(lambda: len(store.vms) == 12, "both hosts")
            assert not store.measured.disks, "nobody has looked yet"
            await d.press("o", "right", "right")
            rows = store.measured.disks
            await d.until(
                lambda: panes.top.grid.keys and rows[panes.top.grid.keys[0]].meter.reads, "rates"
            )
            hot = rows[panes.top.grid.cursor_key or ""]
            assert hot.machine is not None
            await d.press("enter")
            await d.shows("Neighbours on ")
            await d.until(lambda: store.measured.rows_of(Look.VOLUMES, hot.host.id), "volumes")
            await d.until(lambda: panes.neighbours.grid.keys, "neighbours")
            machine = panes.neighbours.selected.machine
            assert machine is not None
            await d.press("enter")
            assert (panes.current, d.under_cursor) == ("vms", machine.name)
            await d.until(lambda: all(row.left_at for row in rows.values()), "nobody looks now")

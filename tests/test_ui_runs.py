"""Sheets of plans in the deck: what they say of home, and how many moves go at once."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from tests.deck_kit import Deck, deck, story
from tests.scripted import OFF, RUNNING, Estate
from tui.collector.messages import Batch
from tui.hyperv.cluster import MACHINE_ROLE, UP, Cluster, ClusterNode, Role
from tui.store.queue import Leg, Queue
from tui.ui.drainview import DrainSheet

GUESS = "nothing was moved from here by this deck"


def pair(state: int = OFF, **changes: Any) -> Estate:
    """Two nodes; the machine on the second has the first as its first preferred owner. ``changes``
    go to the first node's vitals."""
    estate = Estate()
    estate.add_host("N1", "CL", **changes)
    estate.add_host("N2", "CL")
    web = estate.add_vm("N2", "web", state)
    disks = (structs.replace(web.disks[0], path="C:\\ClusterStorage\\Volume1\\web.vhdx"),)
    estate.hosts["N2"].vms[web.id] = structs.replace(web, disks=disks)
    return estate


async def told(d: Deck) -> None:
    """A node tells of the cluster."""
    web = d.estate.find("web")[1]
    role = Role("web", MACHINE_ROLE, 0, "N2", preferred=("N1", "N2"), vm=web.id, vm_name="web")
    nodes = tuple(ClusterNode(name, UP) for name in ("N1", "N2"))
    cluster = Cluster("CL", nodes=nodes, roles=(role,))
    update = d.estate.update("N1", cluster=cluster, cluster_at=d.estate.now)
    d.collector.play(Batch((update,)))
    await d.settle()


@story
async def test_it_is_said_when_home_is_only_what_owners_are_preferred() -> None:
    async with deck(pair(), size=(140, 40)) as d:
        await told(d)
        sheet = DrainSheet("N1", d.app.glyphs, home=True)
        await d.app.push_screen(sheet)
        await d.settle()
        assert "Resume N1: 1 to come home" in d.text()
        assert GUESS in d.text()
        await d.press("escape")
        d.app.operator.campaigns.away[d.key("web")] = "N1"
        await d.app.push_screen(DrainSheet("N1", d.app.glyphs, home=True))
        await d.settle()
        assert "Resume N1: 1 to come home" in d.text()
        assert GUESS not in d.text()


@story
async def test_what_found_no_room_at_home_is_planned_anew_when_home_tells_anew() -> None:
    async with deck(pair(RUNNING, memory_free=1 << 30), size=(140, 40)) as d:
        await told(d)
        d.app.operator.campaigns.away[d.key("web")] = "N1"
        await d.app.push_screen(DrainSheet("N1", d.app.glyphs, home=True))
        await d.settle()
        assert "Resume N1: 0 to come home" in d.text()
        assert "N1 has 1.0 GB free" in d.text()
        d.estate.now += 15
        n1 = structs.replace(
            d.estate.hosts["N1"].vitals, memory_free=64 << 30, read_at=d.estate.now
        )
        d.collector.play(Batch((d.estate.update("N1", vitals=n1),)))
        await d.settle()
        assert "Resume N1: 1 to come home" in d.text()
        assert "cannot move" not in d.text()


@story
async def test_plus_and_minus_change_the_run_and_the_sheet_by_one() -> None:
    async with deck(pair(), size=(140, 40)) as d:
        await told(d)
        d.collector.instant = False
        web = d.estate.find("web")[1].id
        queue = Queue([Leg(web, "web", "vm.start", web, {}, source="N2")], 4)
        d.app.operator.campaigns.start("N2", queue)
        sheet = DrainSheet("N2", d.app.glyphs)
        await d.app.push_screen(sheet)
        await d.settle()
        await d.press("plus")
        assert (queue.cap, sheet.cap) == (5, 5)
        await d.press("minus")
        assert (queue.cap, sheet.cap) == (4, 4)
        assert "4 at once" in d.text()

"""Looking at something, over the socket: it is measured, and no longer when nobody looks."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable

import pytest
from msgspec import structs

from tests.live_kit import estate, line
from tui.collector.crew import Crew
from tui.collector.hub import Hub
from tui.collector.messages import Attend, Configure, HostLink
from tui.collector.pipe import CollectorProcess, Shard
from tui.collector.session import Session
from tui.collector.watch import Tier, Watch
from tui.errors import Unreachable
from tui.hyperv import counters
from tui.hyperv.meters import Look, Meters
from tui.hyperv.model import Host, HostVitals, Inventory
from tui.sim.world import StillClock
from tui.wsman.client import CimClient

SUMMARY = "GetSummaryInformation"
LOOKS = (Look.DISKS, Look.PROCESSORS, Look.SWITCHES)


def test_what_is_looked_at_is_measured_and_what_is_not_costs_nothing() -> None:
    with estate() as served, line(served.links()) as told:
        host = served.first
        machine_of = served.fabric.hosts[host].machines
        clock = served.fabric.clock = StillClock(served.fabric.clock.now())
        served.faults().unknown_classes = {counters.SWITCH.lower()}
        told.read(host)

        def meters() -> Meters:
            return told.inventory(host).meters or Meters(host)

        told.crew.attend(Attend(hosts={host: LOOKS}))
        told.until(lambda: meters().disks and meters().machines, "the first samples")
        assert all(disk.read is None for disk in meters().disks), "a rate needs two"
        start = clock.now()
        clock.advance(2)
        told.until(
            lambda: (
                any(disk.read is not None for disk in meters().disks)
                and any(one.guest is not None for one in meters().machines)
                and meters().refused
            ),
            "the second samples",
        )
        found = meters()
        assert found.refused == {Look.SWITCHES: "this host has no counters of virtual switches"}
        assert set(found.looks) == set(LOOKS)
        for one in found.machines:
            machine = machine_of[one.id]
            done = machine.worked(start, start + 2)
            assert one.guest == pytest.approx(50 * done.busy, rel=1e-3, abs=1e-3)
            mine = [disk.read or 0.0 for disk in found.disks if disk.vm == one.id]
            assert sum(mine) == pytest.approx(done.amount(machine.load.read) / 2, abs=2)

        told.crew.attend(Attend())
        told.until(lambda: told.inventory(host).meters is None, "nobody looks")
        heard = served.heard[host]
        heard.take()
        heard.wait(SUMMARY, 8)
        asked = " ".join(heard.take())
        assert counters.VIRTUAL_PROCESSOR not in asked
        assert "Latency" not in asked


# -- who is told ---------------------------------------------------------------------------


def nowhere(*_: object) -> CimClient:
    raise Unreachable("nothing is there")


def link(host: str) -> HostLink:
    return HostLink(host, f"http://{host}:5985/wsman")


def looks(watches: Iterable[Watch]) -> list[frozenset[Look]]:
    return [watch._looks for watch in watches]


def test_hosts_that_come_later_are_looked_at_as_well() -> None:
    crew = Crew(Hub(), connect=nowhere)
    first = crew.watch(link("a"))
    crew.attend(Attend((Look.DISKS,), {"b": (Look.MEMORY,)}))
    second = crew.watch(link("b"))
    assert looks((first, second)) == [{Look.DISKS}, {Look.DISKS, Look.MEMORY}]
    crew.attend(Attend())
    assert looks((first, second)) == [frozenset(), frozenset()]


def test_a_session_looks_as_well() -> None:
    with Session([link("a")], connect=nowhere) as session:
        session.look(Attend((Look.VOLUMES,)))
        session.load()
        assert looks([session._crew.watch(link("a"))]) == [{Look.VOLUMES}]


def test_looking_does_not_hasten_a_log_on_that_failed() -> None:
    crew = Crew(Hub(), connect=nowhere)
    watch = crew.watch(link("a"))
    crew.attend(Attend((Look.DISKS,)))
    assert watch._take_wanted()
    assert watch.step(watch._take_wanted()) is not None
    crew.attend(Attend((Look.DISKS, Look.MEMORY)))
    assert not watch._take_wanted()


class Leaving(frozenset[Look]):
    """Looks that end, on the thread that is told so, at the moment they are asked about."""

    teller: threading.Thread

    def __contains__(self, look: object) -> bool:
        found = super().__contains__(look)
        if not self.teller.ident:
            self.teller.start()
            self.teller.join(0.1)
        return found


def test_nothing_is_read_for_those_who_looked_away_in_the_middle_of_it() -> None:
    """A tier that stayed due while nobody wants it would be read without a pause."""
    watch = Crew(Hub(), connect=nowhere).watch(link("a"))
    looks = Leaving((Look.IMAGES,))
    watch.attend(looks, soon=False)
    looks.teller = threading.Thread(
        target=watch.attend, args=(frozenset(),), kwargs={"soon": False}
    )
    watch._reschedule(Tier.IMAGES, 0.0, None)
    looks.teller.join(30)
    watch._due[Tier.SHEET] = 0.0
    watch._reschedule(Tier.SHEET, 0.0, None)
    assert {watch._due[Tier.IMAGES], watch._due[Tier.SHEET]} == {math.inf}


def test_nobody_looks_any_more_is_told_once() -> None:
    hub = Hub()
    inventory = Inventory(Host("h", "http://h"), HostVitals("h"))
    measured = structs.replace(inventory, meters=Meters("h", 5.0, (Look.DISKS,)))
    told = []
    for each in (inventory, measured, measured, inventory, inventory):
        hub.publish(each)
        told.append(hub.batch(0).updates[0].meters)
    assert told == [None, measured.meters, None, Meters("h"), None]


async def test_a_process_that_is_started_again_is_told_what_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, object]] = []

    async def spawn(shard: Shard) -> None:
        shard._process = None

    async def send(shard: Shard, command: object) -> None:
        sent.append((shard.hosts[0].id, command))

    monkeypatch.setattr(Shard, "spawn", spawn)
    monkeypatch.setattr(Shard, "send", send)
    process = CollectorProcess(hosts_per_process=1)
    await process.start(Configure((link("a"), link("b"))))
    attend = Attend((Look.VOLUMES,))
    await process.send(attend)
    assert [one for one in sent if one[1] == attend] == [("a", attend), ("b", attend)]
    sent.clear()
    await process.restart(process._shards[1]._died())
    assert [one[0] for one in sent] == ["b", "b"]
    assert sent[1][1] == attend
    await process.send(Configure((link("c"),)))
    assert ("c", attend) in sent

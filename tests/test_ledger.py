"""The ledger of a host: every figure against one worked out slowly from all that was asked."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim_kit import Wire
from tui.collector.connect import exchange
from tui.collector.hub import LOADS_EVERY, OPERATIONS_EVERY, Hub
from tui.collector.ledger import (
    OPERATIONS,
    OTHERS,
    RECENT,
    SAMPLES,
    TOLD,
    Ledger,
    kind_of,
    percentile,
)
from tui.collector.messages import Exchange, HostLoad
from tui.hyperv import sheets
from tui.hyperv.events import Chronicle
from tui.hyperv.meters import Look
from tui.hyperv.read import Reader
from tui.sim import scenes
from tui.sim.world import StillClock
from tui.wsman.client import CimClient, Trip

WQL = "Enumerate SELECT Name FROM Msvm_ComputerSystem"


def asked(
    operation: str = WQL,
    seconds: float = 0.02,
    *,
    lane: str = "watch",
    octets: int = 1000,
    outcome: str = "ok",
    requests: int = 1,
    waited: float = 0.0,
) -> Exchange:
    return Exchange(5.0, "hv01", lane, operation, seconds, octets, outcome, requests, waited)


def slow_percentile(values: list[float], share: float) -> float | None:
    """The least value that so many of all do not exceed, by trying each."""
    for value in sorted(values):
        if sum(other <= value for other in values) >= share * len(values):
            return value
    return None


@given(
    st.lists(st.floats(0, 60), max_size=60),
    st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0]),
)
def test_percentiles_are_those_of_a_slow_reckoning(values: list[float], share: float) -> None:
    assert percentile(sorted(values), share) == slow_percentile(values, share)


@dataclass(frozen=True)
class Asked:
    pause: float
    seconds: float
    lane: str
    operation: str
    ok: bool
    requests: int


ASKED = st.builds(
    Asked,
    st.sampled_from([0.0, 0.4, 1.0, 7.0, 59.0, 400.0, 4000.0]),
    st.floats(0.001, 30),
    st.sampled_from(["watch", "act"]),
    st.sampled_from(["Pull A", "Enumerate B", "C.D"]),
    st.booleans(),
    st.integers(1, 2),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKED, min_size=1, max_size=80))
def test_what_is_told_is_what_was_asked(story: list[Asked]) -> None:
    ledger, now = Ledger("hv01"), 1000.0
    told: list[tuple[float, Asked]] = []
    for one in story:
        now += one.pause
        told.append((now, one))
        outcome = "ok" if one.ok else "timed out"
        exchange = asked(
            one.operation, one.seconds, lane=one.lane, outcome=outcome, requests=one.requests
        )
        ledger.note(exchange, now)
    load = ledger.load(now, operations=True)
    assert load.requests == sum(one.requests for _, one in told)
    minute = [one for at, one in told if int(at) > int(now) - 60]
    hour = [one for at, one in told if at // 60 > now // 60 - 60]
    assert load.minutes[-1] == sum(o.requests for at, o in told if at // 60 == now // 60)
    assert sum(load.minutes) == sum(one.requests for one in hour)
    for lane in load.lanes:
        mine = [one for one in minute if one.lane == lane.lane]
        assert lane.requests == sum(one.requests for one in mine)
        assert lane.bytes == 1000 * len(mine)
        assert lane.failures == sum(not o.ok for o in hour if o.lane == lane.lane)
    recent = [one for at, one in told if at > now - RECENT]
    times = [one.seconds for one in recent]
    assert (load.p50, load.p95) == (slow_percentile(times, 0.5), slow_percentile(times, 0.95))
    assert load.worst == max(times)
    assert load.operations is not None
    for line in load.operations:
        mine = [one for _, one in told if one.operation == line.operation]
        assert line.count == sum(one.requests for one in mine)
        assert line.median == slow_percentile([one.seconds for one in mine][-SAMPLES:], 0.5)
        assert line.failures == sum(not one.ok for one in mine)
    spent = [line.seconds for line in load.operations]
    assert spent == sorted(spent, reverse=True)
    assert sum(spent) == pytest.approx(sum(one.seconds for _, one in told))


def test_like_is_counted_with_like() -> None:
    query = "Enumerate ASSOCIATORS OF {Msvm_X.InstanceID='a',Name='b'} WHERE Y = Z"
    assert kind_of(query) == "Enumerate ASSOCIATORS OF {Msvm_X} WHERE Y = Z"
    assert kind_of("Enumerate SELECT * FROM A WHERE B = 'c' OR D = 'e'") == (
        "Enumerate SELECT * FROM A WHERE B = '…' OR D = '…'"
    )
    assert kind_of("Get Msvm_ComputerSystem 6A1D-0001") == "Get Msvm_ComputerSystem"
    assert kind_of("Msvm_ComputerSystem.RequestStateChange") == (
        "Msvm_ComputerSystem.RequestStateChange"
    )


def test_however_much_is_asked_it_keeps_no_more() -> None:
    ledger = Ledger("hv01")
    for number in range(4000):
        ledger.note(asked(f"Enumerate C{number}", 0.001 * number), number / 10)
    assert len(ledger._operations) == OPERATIONS
    load = ledger.load(400.0, operations=True)
    assert load.operations is not None
    assert len(load.operations) == TOLD
    assert load.operations[0].operation == OTHERS
    assert load.operations[0].count == 4000 - OPERATIONS
    assert load.slowest == "Enumerate C3999"


def test_all_that_reading_a_node_asks_is_told_apart() -> None:
    clock = StillClock()
    ledger = Ledger("n1")

    def note(trip: Trip) -> None:
        ledger.note(exchange(trip, "n1", "watch", clock.now()), clock.now())

    node = scenes.build("datacenter", clock=clock).hosts["NODE1"]
    client = CimClient(Wire(node), url="http://n1/", on_exchange=note)
    reader = Reader(client, "n1", "http://n1/", now=clock.now)
    reader.attend(Look)
    reader.fast()
    reader.facts()
    vms = reader.slow().vms
    reader.cluster(whole=True)
    for vm in [*vms.values()][:3]:
        for _ in range(6):
            clock.advance(2)
            reader.fast()
        reader.survey()
        sheets.read(client, "n1", vm.id, clock.now)
        Chronicle(vm.id).read(client, vm.name, clock.now)
    assert 60 < len(ledger._operations) < OPERATIONS * 3 / 4
    assert not [kind for kind in ledger._operations if vm.id in kind]


def test_waiting_is_told_apart_from_answering() -> None:
    ledger = Ledger("hv01")
    ledger.note(asked(seconds=0.02, waited=1.5), 100.0)
    ledger.note(asked(seconds=0.04, waited=0.5), 101.0)
    ledger.note(asked(outcome="reading has ended", requests=0, waited=9.0), 101.5)
    load = ledger.load(102.0)
    assert load.lanes[0].waited == 11.0
    assert (load.p50, load.worst, load.requests) == (0.02, 0.04, 2)
    assert load.operations is None


# -- what the hub tells --------------------------------------------------------------------


def test_loads_ride_along_every_couple_of_seconds_and_operations_seldom() -> None:
    now = [100.0]
    hub = Hub(clock=lambda: now[0])
    hub.ledger("hv01")
    hub.ledger("quiet")

    def told() -> list[HostLoad]:
        return list(hub.batch(0).loads)

    assert told() == [], "nothing has been asked"
    hub.log(asked())
    (first,) = told()
    assert first.host == "hv01"
    assert first.operations is not None
    hub.log(asked())
    assert told() == []
    now[0] += LOADS_EVERY
    (second,) = told()
    assert (second.requests, second.operations) == (2, None)
    now[0] += OPERATIONS_EVERY
    (third,) = told()
    assert third.operations is not None
    assert third.operations[0].count == 2
    hub.forget("hv01")
    hub.log(asked())
    now[0] += OPERATIONS_EVERY
    assert told() == []

"""What no plan may ever do, over fleets nobody thought of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plans_kit import GB, OFF, fleets_of
from tui.hyperv import preflight
from tui.hyperv.model import Inventory
from tui.hyperv.plans import balance, capacity, draining, fleet, spare
from tui.hyperv.plans.balance import Plan
from tui.hyperv.plans.placing import Wish, places, with_new
from tui.hyperv.plans.step import Step, applied
from tui.hyperv.preflight import Move, Verdict

Fleet = Mapping[str, Inventory]
calm = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
both = pytest.mark.parametrize("plan", [balance.spread, balance.pack])


def along(before: Fleet, steps: Sequence[Step]) -> list[tuple[Fleet, Step, Fleet]]:
    """The fleet around every step."""
    found = []
    for step in steps:
        after = applied(before, (step,))
        found.append((before, step, after))
        before = after
    return found


def together(estate: Fleet) -> int:
    """Pairs of roles that are to be kept apart and share a node."""
    clusters = {one.cluster.name: one.cluster for one in estate.values() if one.cluster}
    return sum(
        one.owner == other.owner and bool(set(one.anti_affinity) & set(other.anti_affinity))
        for cluster in clusters.values()
        for one, other in combinations(cluster.roles, 2)
    )


def packs(sizes: Sequence[int], rooms: Sequence[int]) -> bool:
    """Whether machines fit at all, by trying every way."""
    if not sizes:
        return True
    tried: set[int] = set()
    for at, room in enumerate(rooms):
        if room >= sizes[0] and room not in tried:
            tried.add(room)
            if packs(sizes[1:], [*rooms[:at], room - sizes[0], *rooms[at + 1 :]]):
                return True
    return False


def survives(estate: Fleet, dead: str) -> bool:
    """Whether the machines of a dead node find room at all."""
    roles = fleet.roles_of(estate, dead)
    sizes = sorted(
        (max(vm.memory_startup, vitals.memory or 0)
         for vm, vitals in fleet.running(estate[dead])
         if vm.id in roles and roles[vm.id].priority),
        reverse=True,
    )  # fmt: skip
    rooms = [
        (one.vitals.memory_free or 0) - GB for other, one in estate.items()
        if other != dead and one.host.cluster == estate[dead].host.cluster
        and not fleet.closed(estate, other)
    ]  # fmt: skip
    return packs(sizes, rooms)


def by_hand(estate: Fleet, dead: str) -> list[tuple[str, str]]:
    """Where a cluster starts each machine of a dead node, found the long way."""
    roles = fleet.roles_of(estate, dead)
    held = [(vm, vitals, roles[vm.id]) for vm, vitals in fleet.running(estate[dead])
            if vm.id in roles and roles[vm.id].priority]  # fmt: skip
    held.sort(key=lambda one: (-one[2].priority, -fleet.need(one[0], one[1]), one[0].id))
    rooms = {
        other: fleet.free(one) - GB for other, one in estate.items()
        if other != dead and one.host.cluster == estate[dead].host.cluster
        and not fleet.closed(estate, other)
    }  # fmt: skip
    told = fleet.cluster_of(estate, dead)
    classes = {
        node: {word for role in (told.roles if told else ()) if role.owner == node
               for word in role.anti_affinity}
        for node in rooms
    }  # fmt: skip
    found = []
    for vm, vitals, role in held:
        size, kept = fleet.need(vm, vitals), set(role.anti_affinity)
        fitting = [node for node in rooms if rooms[node] >= size]
        node = max(fitting, key=lambda one: (not kept & classes[one], rooms[one], one), default="")
        if node:
            rooms[node] -= size
            classes[node] |= kept
        found.append((vm.id, node))
    return found


@calm
@given(estate=fleets_of())
def test_machines_start_where_the_long_way_puts_them(estate: Fleet) -> None:
    for dead in estate:
        found = spare.loss(estate, dead)
        assert [(one.vm, one.target) for one in found.restarts] == by_hand(estate, dead)


@both
@calm
@given(estate=fleets_of())
def test_no_step_is_one_its_preflight_refuses(plan: Callable[[Fleet], Plan], estate: Fleet) -> None:
    for before, step, _ in along(estate, plan(estate).steps):
        here, there = before[step.source], before[step.target]
        vm, vitals = here.vms[step.vm], here.vm_vitals[step.vm]
        assert step.move is preflight.move_for(vm, vitals, here, there)
        assert step.move is not Move.OFFLINE
        causes = preflight.causes(vm, vitals, here, there, step.move)
        assert preflight.worst(causes) is not Verdict.FAIL
        assert vitals.state != OFF


@both
@calm
@given(estate=fleets_of())
def test_a_second_plan_has_nothing_left_to_do(plan: Callable[[Fleet], Plan], estate: Fleet) -> None:
    after = applied(estate, plan(estate).steps)
    assert plan(after).steps == ()


@both
@calm
@given(estate=fleets_of())
def test_roles_kept_apart_are_never_brought_together(
    plan: Callable[[Fleet], Plan], estate: Fleet
) -> None:
    for before, _, after in along(estate, plan(estate).steps):
        assert together(after) <= together(before)


@both
@calm
@given(estate=fleets_of(cluster=True))
def test_a_cluster_that_survives_a_node_still_does(
    plan: Callable[[Fleet], Plan], estate: Fleet
) -> None:
    lacked = spare.lacking(estate, "CL")
    for _, _, after in along(estate, plan(estate).steps):
        assert spare.lacking(after, "CL") <= lacked
        if not lacked:
            assert all(survives(after, node) for node in after)


@calm
@given(estate=fleets_of())
def test_every_step_of_a_spread_makes_the_fleet_more_even(estate: Fleet) -> None:
    for before, _, after in along(estate, balance.spread(estate).steps):
        assert balance.unevenness(after) < balance.unevenness(before)


@calm
@given(estate=fleets_of(cluster=True))
def test_what_is_packed_stands_without_the_hosts_it_frees(estate: Fleet) -> None:
    found = balance.pack(estate)
    after = applied(estate, found.steps)
    used = [host for host in estate if fleet.running(estate[host])]
    left = [host for host in after if fleet.running(after[host])]
    assert set(left) <= set(used)
    assert len(left) == len(used) - len(found.frees)
    idle = {host for host in estate if host not in used}
    if found.steps and not spare.lacking(estate, "CL", idle):
        assert not spare.lacking(after, "CL", idle | set(found.frees))


@calm
@given(estate=fleets_of(), data=st.data())
def test_machines_are_counted_once_wherever_a_plan_puts_them(
    estate: Fleet, data: st.DataObject
) -> None:
    plan = data.draw(st.sampled_from((balance.spread, balance.pack)))
    after = applied(estate, plan(estate).steps)
    everyone = Counter(vm for one in estate.values() for vm in one.vms)
    assert Counter(vm for one in after.values() for vm in one.vms) == everyone
    memory = sum(fleet.free(one) for one in estate.values())
    assert sum(fleet.free(one) for one in after.values()) == memory


@calm
@given(estate=fleets_of(), data=st.data())
def test_a_drain_leaves_nothing_that_could_have_left(estate: Fleet, data: st.DataObject) -> None:
    host = data.draw(st.sampled_from(sorted(estate)))
    found = draining.drain(estate, host)
    assert not {name for name, times in Counter(s.role for s in found.steps if s.role).items()
                if times > 1}  # fmt: skip
    for before, step, _ in along(estate, found.steps):
        assert step.target != host
        assert fleet.closed(before, step.target) == ""
        if step.vm:
            here, there = before[host], before[step.target]
            causes = preflight.causes(
                here.vms[step.vm], here.vm_vitals[step.vm], here, there, step.move
            )
            assert preflight.worst(causes) is not Verdict.FAIL
    after = applied(estate, found.steps)
    assert {vm.id for vm, _ in fleet.running(after[host])} == {
        stay.vm for stay in found.held_up if stay.vm
    }


@calm
@given(estate=fleets_of(), data=st.data())
def test_what_a_drain_took_away_comes_home(estate: Fleet, data: st.DataObject) -> None:
    host = data.draw(st.sampled_from(sorted(estate)))
    found = draining.drain(estate, host)
    away = {step.vm: host for step in found.steps if step.vm}
    steps, stays = draining.home(applied(estate, found.steps), away)
    assert {step.vm for step in steps} | {stay.vm for stay in stays} == set(away)
    after = applied(applied(estate, found.steps), steps)
    assert all(step.vm in after[host].vms for step in steps)


@calm
@given(
    estate=fleets_of(), memory=st.integers(1, 80), processors=st.integers(1, 40),
    switch=st.sampled_from(("", "LAN", "DMZ", "lan")),
)  # fmt: skip
def test_a_place_that_is_recommended_has_what_is_wanted(
    estate: Fleet, memory: int, processors: int, switch: str
) -> None:
    found = places(estate, Wish(memory * GB, processors, switch))
    assert [place.verdict for place in found] == sorted(place.verdict for place in found)
    for place in found:
        one = estate[place.host]
        names = {item.name for item in one.switches.values()}
        fits = (
            (one.vitals.memory_free or 0) - GB >= memory * GB
            and processors <= one.host.logical_processors
            and (not switch or switch in names)
            and not fleet.closed(estate, place.host)
        )
        assert fits is (place.verdict is not Verdict.FAIL)
        assert place.reasons


@calm
@given(estate=fleets_of(cluster=True), memory=st.integers(1, 20))
def test_what_is_said_to_fit_leaves_room_for_the_death_of_a_node(
    estate: Fleet, memory: int
) -> None:
    wish = Wish(memory * GB)
    (pool,) = capacity.capacity(estate, wish)
    grown = estate
    for number in range(pool.fits):
        nodes = [host for host in grown if not fleet.closed(grown, host)]
        roomiest = max(nodes, key=lambda host: (fleet.free(grown[host]), host))
        grown = with_new(grown, roomiest, wish, f"more {number}")
        assert fleet.free(grown[roomiest]) >= GB
    assert spare.lacking(grown, "CL") <= pool.lacking

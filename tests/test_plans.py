"""Plans over small fleets whose answer is plain to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from tests.plans_kit import GB, LOCAL, OFF, SHARED, fleet, host, machine
from tui.actions import Target, by_id
from tui.actions.declare import Kind, Risk
from tui.hyperv import preflight
from tui.hyperv.cluster import RESOURCE_ONLINE, UP, ClusterNode, ClusterResource, Role, SharedVolume
from tui.hyperv.model import Inventory, Job, Link, Vm, VmVitals
from tui.hyperv.plans import balance, capacity, draining, spare
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans.placing import Wish, places
from tui.hyperv.plans.step import Step, applied, objections, spares
from tui.hyperv.preflight import Move, Verdict
from tui.rows import plans


def nodes(*machines: list[tuple[str, float]]) -> list[Inventory]:
    """Nodes of one cluster with machines of these sizes."""
    return [
        host(f"HV{at}", [machine(name, size) for name, size in held], cluster="CL")
        for at, held in enumerate(machines, 1)
    ]


# -- placement -----------------------------------------------------------------------------


def test_the_best_host_is_the_one_with_most_left_and_says_why() -> None:
    estate = fleet(
        host("HV1", [machine("a", 40)], switches=["LAN"]),
        host("HV2", [machine("b", 8)], switches=["LAN"]),
    )
    best, second = places(estate, Wish(8 * GB, 4, "LAN"))
    assert (best.host, best.verdict, best.left) == ("HV2", Verdict.PASS, 46 * GB)
    assert best.reasons[0] == "46 GB (72%) of memory stay free"
    assert second.host == "HV1"


def test_a_host_without_the_switch_is_told_of_the_nearest_name() -> None:
    estate = fleet(host("HV1", switches=["vSwitch_Prod"]), host("HV2", [machine("x", 60)]))
    first, second = places(estate, Wish(8 * GB, 2, "vSwitch-Prod"))
    assert {first.verdict, second.verdict} == {Verdict.FAIL}
    told = {place.host: place.reasons for place in (first, second)}
    assert told["HV1"] == (
        "it has no virtual switch vSwitch-Prod; vSwitch_Prod is not the same name",
    )
    assert told["HV2"][0] == "it needs 8 GB of memory, 1 GB can be given"


def test_a_place_that_costs_the_cluster_its_spare_node_comes_after_one_that_does_not() -> None:
    estate = fleet(*nodes([("a", 30)], [("b", 30)]), host("HV9", [machine("c", 20)]))
    found = places(estate, Wish(4 * GB))
    assert [(place.host, place.verdict) for place in found] == [
        ("HV9", Verdict.PASS), ("HV1", Verdict.WARN), ("HV2", Verdict.WARN),
    ]  # fmt: skip
    assert "if a node of CL died then" in found[1].reasons[0]


# -- balance -------------------------------------------------------------------------------


def test_the_fullest_host_gives_to_the_emptiest() -> None:
    estate = fleet(*nodes([("a", 16), ("b", 16), ("c", 8)], []))
    found = balance.spread(estate)
    assert {(step.source, step.target) for step in found.steps} == {("HV1", "HV2")}
    assert found.before["HV1"].memory > found.after["HV1"].memory
    assert found.before["HV2"].memory < found.after["HV2"].memory
    assert all(step.why.startswith(("memory: HV1", "processors: HV1")) for step in found.steps)


def test_busy_processors_alone_are_reason_enough() -> None:
    hot = [machine(name, 4, 90, processors=8) for name in ("a", "b")]
    cold = [machine(name, 4, 0, processors=8) for name in ("c", "d")]
    estate = fleet(host("HV1", hot, cluster="CL"), host("HV2", cold, cluster="CL"))
    found = balance.spread(estate)
    assert found.steps
    assert abs(found.after["HV1"].cpu - found.after["HV2"].cpu) < 0.1


def test_what_is_even_is_left_alone() -> None:
    assert balance.spread(fleet(*nodes([("a", 16)], [("b", 15)]))).steps == ()


def test_packing_frees_a_host_and_keeps_one_node_to_spare() -> None:
    estate = fleet(*nodes([("a", 8)], [("b", 8)], [("c", 4)]))
    found = balance.pack(estate)
    assert found.frees == ("HV3",)
    assert [(step.name, step.why) for step in found.steps] == [("c", "frees HV3")]


def test_hosts_of_two_clusters_do_not_mix() -> None:
    full = [machine(name, 12) for name in ("a", "b", "c")]
    estate = fleet(host("HV1", full, cluster="ONE"), host("HV2", cluster="TWO"))
    assert balance.spread(estate).steps == ()


def test_a_step_left_out_shows_which_others_cannot_be_taken_then() -> None:
    estate = fleet(*nodes([("a", 40)], [("b", 40)], []))
    away, into = "B-0000", "A-0000"
    first = draining.destination(estate, away, {"HV1"})
    assert isinstance(first, Step)
    after = applied(estate, [first])
    second = draining.destination(after, into, {"HV3"})
    assert isinstance(second, Step)
    assert objections(estate, [first, second]) == {}
    (why,) = objections(estate, [second]).values()
    assert "memory" in why.lower() or "GB" in why


# -- drain ---------------------------------------------------------------------------------


def test_a_node_is_emptied_in_the_order_of_priority_to_preferred_owners() -> None:
    estate = fleet(
        *nodes([("low", 2), ("big", 16), ("small", 4)], [], []),
        roles={"low": {"priority": 1000}, "small": {"preferred": ("HV1", "HV3")}},
    )
    found = draining.drain(estate, "HV1")
    assert [step.name for step in found.steps] == ["big", "small", "low"]
    small = found.steps[1]
    assert (small.target, small.move) == ("HV3", Move.CLUSTER)
    assert small.why.startswith("preferred owner, memory there then ")
    assert found.stays == ()


def test_what_cannot_leave_says_why_and_what_helps() -> None:
    estate = fleet(
        host("HV1", [machine("locked"), machine("iso", iso=LOCAL + "x.iso"),
                     machine("off", state=OFF)], cluster="CL"),
        host("HV2", cluster="CL"),
        roles={"locked": {"locked": True}},
        plain=["off"],
    )  # fmt: skip
    found = draining.drain(estate, "HV1")
    assert found.steps == ()
    told = {stay.name: stay for stay in found.stays}
    assert told["locked"].why == "HV2: role locked is locked from moving"
    assert "D:\\VMs\\x.iso" in told["iso"].why
    assert told["iso"].fix == "hvdeck dvd eject iso@HV1"
    assert (told["off"].why, told["off"].harmless) == ("it is off", True)
    assert {stay.name for stay in found.held_up} == {"locked", "iso"}


def test_the_votes_are_counted_before_and_after() -> None:
    found = draining.drain(fleet(*nodes([("a", 4)], [], [])), "HV1")
    assert found.votes[0] == "Votes now: 3 of 3 votes, 2 needed"
    assert found.votes[1] == "Without HV1: 2 of 3 votes, 2 needed; the cluster goes on"
    assert found.quorate
    two = draining.drain(fleet(*nodes([("a", 4)], [])), "HV1")
    assert not two.quorate
    assert "the cluster stops" in two.votes[1]


def test_the_time_is_from_what_was_measured_else_from_the_wire_else_not_known() -> None:
    estate = fleet(*nodes([("a", 8)], []))
    wire = draining.drain(estate, "HV1")
    assert wire.seconds == 8 * GB / (10e9 / 8 * draining.WIRE)
    assert "10 Gb/s" in wire.pace.source
    assert draining.drain(estate, "HV1", rate=GB).seconds == 8
    deaf = {
        name: structs.replace(one, host=structs.replace(one.host, uplinks=()))
        for name, one in estate.items()
    }
    blind = draining.drain(deaf, "HV1")
    assert blind.seconds is None
    assert blind.pace.source.startswith("not known")


def test_volumes_jobs_and_roles_without_a_machine_are_told() -> None:
    name = ClusterResource("Cluster Name", "Network Name", RESOURCE_ONLINE, "HV1")
    group = Role("Cluster Group", 1, 0, "HV1", core=True, resources=(name,))
    estate = fleet(*nodes([("a", 4)], []), others=[group])
    told = estate["HV1"].cluster
    assert told is not None
    volumes = (SharedVolume("Volume1", owner="HV1", backup=True), SharedVolume("V2", owner="HV2"))
    job = Job("HV1:j", "HV1", "Merging", 0, 4, 30, 0.0, 1.0, subject="A-0000")
    estate = {
        name: structs.replace(one, cluster=structs.replace(told, volumes=volumes),
                              jobs={"j": job} if name == "HV1" else {})
        for name, one in estate.items()
    }  # fmt: skip
    found = draining.drain(estate, "HV1")
    assert found.volumes == ("Volume1",)
    assert found.jobs == ("Merging of a: 30%", "Volume1: a backup is under way")
    assert [(step.role, step.vm, step.target) for step in found.steps][-1] == (
        "Cluster Group", "", "HV2",
    )  # fmt: skip


def test_it_is_told_whom_the_next_death_would_strand() -> None:
    estate = fleet(*nodes([("a", 30)], [("b", 30)], [("c", 30)]))
    found = draining.drain(estate, "HV1")
    (told,) = found.remarks
    assert told.startswith("Memory: if HV")
    assert "would be missing" in told
    calm = draining.drain(fleet(*nodes([("a", 4)], [("b", 4)], [])), "HV1")
    assert calm.remarks == (
        "Memory: if one more node died meanwhile, every machine would find room",
    )


def test_a_host_that_does_not_answer_gives_and_takes_nothing() -> None:
    lost = host("HV2", link=Link.DOWN)
    found = draining.drain(fleet(host("HV1", [machine("a", path="\\\\nas\\vms\\")]), lost), "HV1")
    assert found.steps == ()
    assert found.stays[0].why == "HV2: HV2 does not answer"


def test_home_is_where_it_was_or_its_first_preferred_owner() -> None:
    estate = fleet(*nodes([("a", 8), ("b", 4)], []), roles={"b": {"preferred": ("HV1",)}})
    away = applied(estate, draining.drain(estate, "HV1").steps)
    steps, stays = draining.home(away, {"A-0000": "HV1", "gone": "HV1"})
    assert [(step.name, step.target, step.why) for step in steps] == [
        ("a", "HV1", "its home is HV1")
    ]
    assert [stay.why for stay in stays] == ["it is on no host that is known"]
    assert draining.belongings(away, "HV1") == {"B-0000": "HV1"}


# -- replicas ------------------------------------------------------------------------------


def copy(name: str, mode: int, path: str = "\\\\nas\\vms\\") -> tuple[Vm, VmVitals]:
    """One end of a replicated machine."""
    vm, vitals = machine(name, 16, path=path)
    return vm, structs.replace(vitals, replication_mode=mode)


def test_of_a_replicated_machine_the_end_on_the_drained_host_leaves() -> None:
    estate = fleet(host("HV1", [copy("a", 1)]), host("HV2", [copy("a", 2)]), host("HV3"))
    for drained in ("HV1", "HV2"):
        found = draining.drain(estate, drained)
        assert [(step.source, step.target) for step in found.steps] == [(drained, "HV3")]
        after = applied(estate, found.steps)
        assert [name for name in sorted(after) if "A-0000" in after[name].vms] == sorted(
            {"HV1", "HV2", "HV3"} - {drained}
        )
        assert fleets.free(after[drained]) == fleets.free(estate["HV3"])


def test_the_ends_of_a_replicated_machine_do_not_meet() -> None:
    estate = fleet(host("HV1", [copy("a", 1)]), host("HV2", [copy("a", 2)]))
    found = draining.drain(estate, "HV1")
    assert found.steps == ()
    assert found.stays[0].why == "HV2: HV2 has a machine of the same identity as a already"


@pytest.mark.parametrize("plan", [balance.spread, balance.pack])
@pytest.mark.parametrize(("mode", "moves"), [(0, True), (1, True), (2, False), (4, False)])
def test_copies_are_not_moved_to_even_out(
    plan: Callable[[Mapping[str, Inventory]], balance.Plan], mode: int, moves: bool
) -> None:
    other = machine("z", 16, path="\\\\nas\\vms\\")
    held = [copy("a", mode), copy("b", mode)] if plan is balance.spread else [copy("a", mode)]
    with_other = [] if plan is balance.spread else [other]
    estate = fleet(host("HV1", held), host("HV2", with_other))
    found = plan(estate)
    assert bool([step for step in found.steps if step.vm != "Z-0000"]) is moves


def test_the_machine_comes_home_not_its_copy() -> None:
    estate = fleet(host("HV1"), host("HV2", [copy("a", 2)]), host("HV3", [copy("a", 1)]))
    steps, _ = draining.home(estate, {"A-0000": "HV1"})
    assert [(step.source, step.target) for step in steps] == [("HV3", "HV1")]


# -- nodes that are not known --------------------------------------------------------------


def partly(estate: Mapping[str, Inventory], *names: str) -> dict[str, Inventory]:
    """The same, with nodes in the cluster whose hosts are not known."""
    told = estate["HV1"].cluster
    assert told is not None
    more = (*told.nodes, *(ClusterNode(name, UP) for name in names))
    grown = structs.replace(told, nodes=more)
    return {name: structs.replace(one, cluster=grown) for name, one in estate.items()}


def test_what_would_be_missing_is_said_of_known_nodes_and_forbids_nothing() -> None:
    full = fleet(*nodes([("a", 30), ("b", 8)], [("c", 30)]))
    estate = partly(full, "HV8", "HV9")
    assert fleets.strangers(estate, "CL") == ("HV8", "HV9")
    assert fleets.strangers(full, "CL") == ()
    (pool,) = capacity.capacity(estate, Wish(8 * GB))
    (bound,) = capacity.capacity(full, Wish(8 * GB))
    assert pool.strangers == ("HV8", "HV9")
    assert pool.fits == sum(room.fits for room in pool.rooms)
    assert pool.fits > bound.fits
    lost = pool.rooms[0].loss
    assert lost.partly
    assert lost.stranded[0].why.endswith("is left on one node, as far as hvdeck knows its nodes")
    assert not bound.rooms[0].loss.partly
    even = partly(fleet(*nodes([("a", 30)], [("b", 30)])), "HV9")
    for place in places(even, Wish(4 * GB)):
        assert place.verdict is Verdict.WARN
        assert place.reasons[0].endswith("would be missing, as far as hvdeck knows its nodes")


def test_a_step_that_costs_the_spare_node_is_taken_where_not_all_nodes_are_known() -> None:
    estate = fleet(*nodes([("a", 40)], [("b", 40)], []))
    first = draining.destination(estate, "A-0000", {"HV1"})
    assert isinstance(first, Step)
    after = applied(estate, [first])
    second = draining.destination(after, "B-0000", {"HV3"})
    assert isinstance(second, Step)
    assert spares(after, second, -1)
    assert spares(partly(after, "HV9"), second, -1) == ""


def test_a_drain_tells_that_not_all_nodes_are_known() -> None:
    name = ClusterResource("Cluster Name", "Network Name", RESOURCE_ONLINE, "HV1")
    group = Role("Cluster Group", 1, 0, "HV1", core=True, resources=(name,))
    alone = partly(fleet(*nodes([("a", 4)]), others=[group]), "HV9")
    told = [stay.why for stay in draining.drain(alone, "HV1").stays]
    assert told == [
        "there is no other host it could go to, as far as hvdeck knows its nodes",
        "no other node takes roles, as far as hvdeck knows its nodes",
    ]
    three = partly(fleet(*nodes([("a", 4)], [("b", 4)], [])), "HV9")
    calm = draining.drain(three, "HV1")
    assert calm.remarks == (
        "Memory: if one more node died meanwhile, every machine would find room, as far as hvdeck "
        "knows its nodes",
    )


def test_a_remark_is_a_warning_for_what_it_says_not_for_a_name_in_it() -> None:
    calm = draining.drain(fleet(*nodes([("missing", 4)], [("missing too", 4)], [])), "HV1")
    estate = fleet(*nodes([("a", 30)], [("b", 30)], [("missing", 30)]))
    grave = draining.drain(estate, "HV1")
    assert (calm.strands, grave.strands) == (False, True)
    for plan, tone in ((calm, ""), (grave, "warning")):
        assert [shown for head, _, shown in plans.facts(plan) if head == "Meanwhile"] == [tone]
    named = replace(calm, remarks=("Memory: missing would find room",))
    assert [shown for head, _, shown in plans.facts(named) if head == "Meanwhile"] == [""]


# -- cost ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cluster", ["CL", ""])
def test_a_drain_looks_closely_only_where_a_machine_goes(
    monkeypatch: pytest.MonkeyPatch, cluster: str
) -> None:
    path = SHARED if cluster else LOCAL
    machines = [machine(f"m{at}", 2, path=path) for at in range(20)]
    others = [host(f"HV{at}", cluster=cluster) for at in range(2, 9)]
    estate = fleet(host("HV1", machines, cluster=cluster), *others)
    looks = list[str]()
    closely = preflight.causes

    def counted(vm: Vm, *rest: Any, **more: Any) -> tuple[preflight.Cause, ...]:
        looks.append(vm.name)
        return closely(vm, *rest, **more)

    monkeypatch.setattr(preflight, "causes", counted)
    found = draining.drain(estate, "HV1")
    assert len(found.steps) == 20
    assert sorted(looks) == sorted(step.name for step in found.steps)


def test_nodes_share_one_cluster_once_a_role_has_moved() -> None:
    estate = fleet(*nodes([("a", 8)], [], []))
    apart = {
        name: structs.replace(one, cluster=structs.replace(one.cluster), cluster_at=float(at))
        for at, (name, one) in enumerate(estate.items()) if one.cluster is not None
    }  # fmt: skip
    after = fleets.moved(apart, "A-0000", "HV2", "HV1")
    told = after["HV1"].cluster
    assert told is not None
    assert all(one.cluster is told for one in after.values())
    assert [role.owner for role in told.roles] == ["HV2"]


def test_what_a_host_would_be_is_reckoned_as_it_then_is() -> None:
    estate = fleet(*nodes([("a", 8)], [("b", 4)]))
    vm, vitals = estate["HV1"].vms["A-0000"], estate["HV1"].vm_vitals["A-0000"]
    reckoned = fleets.load(estate["HV2"], fleets.held(vm, vitals), fleets.busy(vm, vitals))
    assert reckoned == fleets.load(fleets.moved(estate, "A-0000", "HV2", "HV1")["HV2"])


def test_how_dangerous_a_drain_is_takes_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(*_: Any, **__: Any) -> None:
        raise AssertionError("planned anew")

    monkeypatch.setattr(draining, "drain", planned)
    action = by_id("host.drain")
    assert action is not None
    for number, risk in ((2, Risk.RED), (3, Risk.AMBER)):
        estate = fleet(*nodes([("a", 4)], *[[] for _ in range(number - 1)]))
        one = estate["HV1"]
        target = Target(Kind.HOST, "HV1", "HV1", one.host, one.vitals, fleet=partial(dict, estate))
        assert action.risk_of(target, {}) is risk


# -- capacity ------------------------------------------------------------------------------


def test_what_fits_what_is_promised_and_who_would_be_stranded() -> None:
    grows = machine("grows", 8, dynamic_to=100, processors=40)
    estate = fleet(host("HV1", [grows, machine("a", 30)], cluster="CL"),
                   host("HV2", [machine("b", 30)], cluster="CL"))  # fmt: skip
    (pool,) = capacity.capacity(estate, Wish(8 * GB))
    first, second = pool.rooms
    assert (first.fits, second.fits) == (2, 3)
    assert first.promised == 130 * GB
    assert first.overcommit > 2
    assert first.crowd == 42 / 16
    assert [one.name for one in first.loss.stranded] == ["grows"]
    assert second.loss.stranded[0].why == "needs 30 GB, at most 23 GB is left on one node"
    assert pool.lacking == 30 * GB
    assert pool.fits == 2


def test_a_cluster_takes_only_what_it_can_still_restart() -> None:
    estate = fleet(*nodes([("a", 4)], [("b", 4)], [("c", 4)]))
    (pool,) = capacity.capacity(estate, Wish(8 * GB))
    alone = sum(room.fits for room in pool.rooms)
    assert 0 < pool.fits < alone
    assert spare.lacking(estate, "CL") == 0


def test_machines_no_cluster_starts_again_end_with_their_host() -> None:
    estate = fleet(*nodes([("a", 4), ("mine", 4)], []), plain=["mine"])
    found = spare.loss(estate, "HV1")
    assert found.ends == ("mine",)
    assert [(one.name, one.target) for one in found.restarts] == [("a", "HV2")]

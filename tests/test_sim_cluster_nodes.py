"""Nodes of the simulated failover cluster: drained and resumed, dead, cut off, and back."""

from __future__ import annotations

import pytest

from tests.cluster_kit import LIVE, Story, going, ref, story
from tests.sim_kit import CIMV2, CLUSTER
from tui.errors import Fault, Unreachable
from tui.sim.outages import (
    fail_node,
    fail_witness,
    isolate_node,
    restore_node,
    restore_witness,
    reunite_node,
)
from tui.wsman.cim import CimRef, CimValue


@pytest.fixture
def fcl() -> Story:
    return story()


def pause(fcl: Story, node: str, drain: int = 1, target: str = "") -> None:
    fcl.call("Node", node, "Pause", DrainType=drain, TargetNode=target)


def resume(fcl: Story, node: str, failback: int = 1) -> None:
    fcl.call("Node", node, "Resume", FailbackType=failback)


def shown(fcl: Story, node: str) -> tuple[CimValue, CimValue]:
    found = fcl.node(node)
    return found["State"], found["NodeDrainStatus"]


def kill(fcl: Story, *nodes: str, wait: float = 11) -> None:
    for node in nodes:
        fail_node(fcl.bench.fabric, fcl.host(node))
    fcl.pass_(wait)


def revive(fcl: Story, *nodes: str, wait: float = 7) -> None:
    for node in nodes:
        restore_node(fcl.bench.fabric, fcl.host(node))
    fcl.pass_(wait)


def online(fcl: Story) -> dict[str, CimValue]:
    """Where each role runs."""
    return {
        str(g["Name"]): g["OwnerNode"]
        for g in fcl.all("ResourceGroup")
        if g["GroupType"] == 111 and g["State"] == 0
    }


# -- paused and drained --------------------------------------------------------------------


def test_a_drain_moves_everything_away_two_at_a_time_and_ends(fcl: Story) -> None:
    before = {name for name, node in online(fcl).items() if node == "NODE1"}
    pause(fcl, "NODE1")
    assert shown(fcl, "NODE1") == (2, 1)
    groups = {str(g["Name"]): g for g in fcl.all("ResourceGroup")}
    assert sum(groups[name]["State"] == 4 for name in before) == 2
    assert sum(groups[name]["StatusInformation"] == 4 for name in before) == 15
    moving = {name for name in before if groups[name]["State"] == 4}
    assert all(groups[name]["Priority"] == 3000 for name in moving)
    assert fcl.owner("Cluster Group") != "NODE1"
    for _ in range(200):
        fcl.pass_(1)
        states = [g["State"] for g in fcl.all("ResourceGroup")]
        assert states.count(4) <= 2
        if shown(fcl, "NODE1")[1] != 1:
            break
    assert shown(fcl, "NODE1") == (2, 2)
    assert not fcl.roles_on("NODE1")
    assert before <= online(fcl).keys()
    assert fcl.get("Resource", "Cluster Disk 1")["OwnerNode"] != "NODE1"


def test_resumed_a_node_gets_back_what_was_drained(fcl: Story) -> None:
    before = fcl.roles_on("NODE1")
    pause(fcl, "NODE1")
    fcl.pass_(150)
    assert not fcl.roles_on("NODE1")
    resume(fcl, "NODE1")
    assert fcl.node("NODE1")["NodeFailbackStatus"] == 1
    fcl.pass_(150)
    assert fcl.roles_on("NODE1") == before
    assert shown(fcl, "NODE1") == (0, 0)
    assert fcl.node("NODE1")["NodeFailbackStatus"] == 2


@pytest.mark.parametrize(("failback", "back"), [(0, set()), (2, {"sql-erp"})])
def test_or_only_what_policy_brings_back(fcl: Story, failback: int, back: set[str]) -> None:
    pause(fcl, "NODE1")
    fcl.pass_(150)
    resume(fcl, "NODE1", failback)
    fcl.pass_(60)
    assert fcl.roles_on("NODE1") == back


def test_a_drain_can_name_its_target(fcl: Story) -> None:
    pause(fcl, "NODE2", target="NODE4")
    assert fcl.node("NODE2")["NodeDrainTarget"] == "NODE4"
    fcl.pass_(60)
    assert {"dc-b", "crm", "crm-db", "lab-vm"} <= fcl.roles_on("NODE4")


@pytest.mark.parametrize(
    ("node", "left", "code"),
    [("NODE2", {"licences"}, 5960), ("NODE3", {"installer"}, 2)],
)
def test_a_drain_that_fails_says_so(fcl: Story, node: str, left: set[str], code: int) -> None:
    pause(fcl, node)
    fcl.pass_(90)
    assert shown(fcl, node) == (2, 3)
    assert fcl.node(node)["DrainErrorCode"] == code
    assert fcl.roles_on(node) == left


def test_force_overrules_a_lock(fcl: Story) -> None:
    pause(fcl, "NODE2", drain=2)
    fcl.pass_(60)
    assert shown(fcl, "NODE2") == (2, 2)


def test_a_resume_ends_a_drain(fcl: Story) -> None:
    pause(fcl, "NODE1")
    fcl.pass_(10)
    assert fcl.refused("Node", "NODE1", "Pause", DrainType=1, TargetNode="") == 5023
    resume(fcl, "NODE1", 0)
    fcl.pass_(40)
    assert shown(fcl, "NODE1") == (0, 0)
    assert len(fcl.roles_on("NODE1")) > 10
    assert all(g["StatusInformation"] == 0 for g in fcl.all("ResourceGroup"))


def test_paused_without_a_drain_everything_stays(fcl: Story) -> None:
    pause(fcl, "NODE1", drain=0)
    fcl.pass_(30)
    assert shown(fcl, "NODE1") == (2, 0)
    assert len(fcl.roles_on("NODE1")) == 18
    assert fcl.via("NODE1").node("NODE1")["State"] == 2


def test_the_last_node_cannot_be_drained(fcl: Story) -> None:
    for node in ("NODE1", "NODE3", "NODE4"):
        pause(fcl, node, drain=0)
    pause(fcl, "NODE2")
    fcl.pass_(5)
    assert shown(fcl, "NODE2") == (2, 3)
    assert fcl.node("NODE2")["DrainErrorCode"] in (5005, 5960)


@pytest.mark.parametrize(
    ("method", "values", "code"),
    [
        ("Pause", {"DrainType": 3, "TargetNode": ""}, 87),
        ("Pause", {"DrainType": 1, "TargetNode": "NODE9"}, 5042),
        ("Pause", {"DrainType": 1, "TargetNode": "NODE1"}, 87),
        ("Resume", {"FailbackType": 1}, 5058),
        ("Resume", {"FailbackType": 3}, 87),
    ],
)
def test_what_a_node_refuses(
    fcl: Story, method: str, values: dict[str, CimValue], code: int
) -> None:
    assert fcl.refused("Node", "NODE1", method, **values) == code


# -- dead ----------------------------------------------------------------------------------


def test_a_dead_node_does_not_answer_and_is_missed_after_a_while(fcl: Story) -> None:
    kill(fcl, "NODE1", wait=5)
    with pytest.raises(Unreachable):
        fcl.via("NODE1").all("Node")
    assert fcl.node("NODE1")["State"] == 0
    assert fcl.role("git")["State"] == 0, "nobody has noticed"
    fcl.pass_(6)
    assert fcl.node("NODE1")["State"] == 1


def test_its_roles_start_elsewhere_the_important_ones_first(fcl: Story) -> None:
    kill(fcl, "NODE1")
    states = {str(g["Name"]): g["State"] for g in fcl.all("ResourceGroup")}
    assert states["sql-erp"] == states["wiki"] == 4
    order: list[str] = []
    for _ in range(60):
        fcl.pass_(0.0)
        fcl.bench.clock.advance(0.2)
        order += [name for name in online(fcl) if name not in order]
    where = online(fcl)
    started = [name for name in order if name in ("sql-erp", "mail1", "git", "wiki", "ci-2")]
    assert started.index("sql-erp") < started.index("git") < started.index("ci-2")
    assert where["sql-erp"] == where["app-erp1"] == "NODE2", "the preferred owner that is left"
    assert where["dc-a"] in ("NODE3", "NODE4"), "away from the other controller"
    assert fcl.role("vdi-gold")["State"] == 1
    assert len(where) == 28


def test_restarted_machines_boot(fcl: Story) -> None:
    kill(fcl, "NODE1")
    fcl.pass_(10)
    node = fcl.owner("git")
    at = fcl.via(node).bench
    uptime = fcl.machine("git")["OnTimeInMilliseconds"]
    assert isinstance(uptime, int)
    assert uptime < 11_000

    def heartbeat() -> CimValue:
        name = at.vm("git")["Name"]
        found = [h for h in at.all("Msvm_HeartbeatComponent") if h["SystemName"] == name]
        return found[0]["OperationalStatus"]

    assert heartbeat() != (2, 32775)
    first = heartbeat()
    fcl.pass_(60)
    assert heartbeat() != first


def test_roles_without_priority_stay_off(fcl: Story) -> None:
    kill(fcl, "NODE2")
    other = fcl.via("NODE3")
    other.pass_(20)
    assert other.role("lab-vm")["State"] == 1
    assert other.owner("lab-vm") != "NODE2"
    assert other.owner("licences") != "NODE2"


def test_the_others_take_over_volumes_and_the_core_group(fcl: Story) -> None:
    kill(fcl, "NODE1")
    assert fcl.owner("Cluster Group") != "NODE1"
    assert fcl.get("Resource", "Cluster Disk 1")["OwnerNode"] != "NODE1"
    assert {i["State"] for i in fcl.all("NetworkInterface") if i["Node"] == "NODE1"} == {0}


def test_votes_are_counted_anew(fcl: Story) -> None:
    def weights() -> tuple[list[CimValue], CimValue]:
        found = [n["DynamicWeight"] for n in fcl.all("Node")]
        return found, fcl.all("Cluster")[0]["WitnessDynamicWeight"]

    assert weights() == ([1, 1, 1, 1], 1)
    kill(fcl, "NODE1")
    assert weights() == ([0, 1, 1, 1], 0)
    kill(fcl, "NODE3")
    assert weights() == ([0, 1, 0, 1], 1)
    assert [n["NodeWeight"] for n in fcl.all("Node")] == [1, 1, 1, 1]
    revive(fcl, "NODE1")
    assert weights() == ([1, 1, 0, 1], 0)


def test_one_node_can_be_lost_but_not_two(fcl: Story) -> None:
    kill(fcl, "NODE1")
    fcl.pass_(20)
    assert not [g for g in fcl.all("ResourceGroup") if g["State"] == 2]
    kill(fcl, "NODE3")
    fcl.pass_(20)
    failed = {
        str(g["Name"]): g["StatusInformation"] for g in fcl.all("ResourceGroup") if g["State"] == 2
    }
    assert failed == {"bi": 8, "installer": 0}
    assert fcl.resource("bi")["LastOperationStatusCode"] == 14
    revive(fcl, "NODE1", wait=15)
    assert fcl.role("bi")["State"] == 0


def test_back_again_a_node_joins_and_policy_brings_its_roles_home(fcl: Story) -> None:
    kill(fcl, "NODE1")
    fcl.pass_(20)
    revive(fcl, "NODE1", wait=2)
    assert fcl.node("NODE1")["State"] == 3
    booted = fcl.via("NODE1").bench.all("Win32_OperatingSystem", CIMV2)[0]
    age = fcl.bench.host.now() - booted["LastBootUpTime"]  # type: ignore[operator]
    assert age.total_seconds() < 10  # type: ignore[union-attr]
    with pytest.raises(Fault):
        fcl.via("NODE1").all("Node")
    fcl.pass_(6)
    assert fcl.node("NODE1")["State"] == 0
    assert fcl.via("NODE1").node("NODE1")["State"] == 0
    assert fcl.private("sql-erp")["MigrationState"] == "1"
    fcl.pass_(30)
    assert fcl.roles_on("NODE1") == {"sql-erp"}


def test_a_node_that_is_back_before_it_is_missed_has_lost_its_machines_all_the_same(
    fcl: Story,
) -> None:
    kill(fcl, "NODE1", wait=3)
    revive(fcl, "NODE1", wait=30)
    assert fcl.node("NODE1")["State"] == 0
    assert len(online(fcl)) == 28


def test_a_machine_that_is_not_clustered_waits_for_its_host(fcl: Story) -> None:
    kill(fcl, "NODE4")
    fcl.pass_(20)
    revive(fcl, "NODE4")
    assert fcl.machine("backup-proxy")["EnabledState"] == 2
    uptime = fcl.machine("backup-proxy")["OnTimeInMilliseconds"]
    assert isinstance(uptime, int)
    assert uptime < 10_000


def test_patched_and_restarted_a_drained_node_waits_for_its_resume(fcl: Story) -> None:
    before = fcl.roles_on("NODE1")
    pause(fcl, "NODE1")
    fcl.pass_(150)
    kill(fcl, "NODE1", wait=60)
    assert shown(fcl, "NODE1") == (1, 2)
    revive(fcl, "NODE1", wait=20)
    assert shown(fcl, "NODE1") == (2, 2)
    assert not fcl.roles_on("NODE1")
    resume(fcl, "NODE1")
    fcl.pass_(150)
    assert fcl.roles_on("NODE1") == before


def test_a_drain_that_was_cut_short_does_not_end_the_next_one(fcl: Story) -> None:
    pause(fcl, "NODE1")
    fcl.pass_(3)
    resume(fcl, "NODE1", 0)
    pause(fcl, "NODE1")
    fcl.pass_(12)
    assert shown(fcl, "NODE1") == (2, 1)
    fcl.pass_(150)
    assert shown(fcl, "NODE1")[1] in (2, 3)
    assert len(fcl.roles_on("NODE1")) <= 2


def test_jobs_end_with_their_host(fcl: Story) -> None:
    at = fcl.via("NODE4").bench
    job = at.change("backup-proxy", 6).values["Job"]
    assert isinstance(job, CimRef)
    assert fcl.machine("backup-proxy")["EnabledState"] == 32773
    kill(fcl, "NODE4", wait=20)
    revive(fcl, "NODE4")
    assert fcl.machine("backup-proxy")["EnabledState"] == 2
    with pytest.raises(Fault):
        at.client.get(job)


# -- quorum --------------------------------------------------------------------------------


def test_without_a_majority_the_cluster_goes_down(fcl: Story) -> None:
    assert fcl.call("Node", "NODE1", "WillOfflineLoseQuorum", Reason="").return_value == 0
    kill(fcl, "NODE1", "NODE3", "NODE4")
    with pytest.raises(Fault) as caught:
        fcl.all("Node")
    assert caught.value.code == 0x800706D9
    assert fcl.bench.state("crm") == 3
    revive(fcl, "NODE4", wait=30)
    assert [n["State"] for n in fcl.all("Node")] == [1, 0, 1, 0]
    assert fcl.role("crm")["State"] == 0
    assert fcl.owner("sql-erp") == "NODE2"


def test_the_witness_saves_half_of_the_nodes(fcl: Story) -> None:
    kill(fcl, "NODE3", "NODE4")
    assert [n["State"] for n in fcl.all("Node")] == [0, 0, 1, 1]


def test_but_only_while_it_can_be_reached(fcl: Story) -> None:
    fail_node(fcl.bench.fabric, fcl.host("NODE3"))
    fail_node(fcl.bench.fabric, fcl.host("NODE1"))
    fcl.bench.client.put(ref("Cluster", "FCL1"), {"DynamicQuorumEnabled": 0})
    fail_witness(fcl.state)
    fcl.pass_(11)
    with pytest.raises(Fault):
        fcl.all("Node")
    restore_witness(fcl.state)
    assert [n["State"] for n in fcl.all("Node")] == [1, 0, 1, 0]
    fcl.pass_(20)
    assert fcl.role("crm")["State"] == 0


def test_the_loss_of_quorum_can_be_foretold(fcl: Story) -> None:
    for node in ("NODE3", "NODE4"):
        kill(fcl, node)
    fail_witness(fcl.state)
    told = {n: fcl.call("Node", n, "WillOfflineLoseQuorum", Reason="") for n in ("NODE1", "NODE2")}
    assert [t.return_value for t in told.values()] == [1, 0], "NODE2 has given up its vote"
    assert "NODE1" in str(told["NODE1"].values["Reason"])
    assert fcl.call("Node", "NODE1", "WillEvictLoseQuorum", Reason="").return_value == 1


# -- cut off -------------------------------------------------------------------------------


def test_an_isolated_node_keeps_its_machines_for_a_while(fcl: Story) -> None:
    isolate_node(fcl.bench.fabric, fcl.host("NODE4"))
    fcl.pass_(12)
    found = fcl.node("NODE4")
    assert (found["State"], found["StatusInformation"], found["DynamicWeight"]) == (1, 1, 0)
    assert (fcl.role("k8s-1")["State"], fcl.role("k8s-1")["StatusInformation"]) == (0, 0x100)
    assert fcl.machine("k8s-1")["EnabledState"] == 2
    assert {n["State"] for n in fcl.all("Network")} == {2}
    with pytest.raises(Fault):
        fcl.via("NODE4").all("Node")
    values: dict[str, CimValue] = {"Parameters": going(LIVE), "Flags": 14, "NodeName": "NODE3"}
    assert fcl.refused("ResourceGroup", "k8s-1", "MoveToNewNodeParams", **values) == 5050
    reunite_node(fcl.bench.fabric, fcl.host("NODE4"))
    fcl.pass_(8)
    assert (fcl.node("NODE4")["State"], fcl.node("NODE4")["StatusInformation"]) == (0, 0)
    assert (fcl.owner("k8s-1"), fcl.role("k8s-1")["StatusInformation"]) == ("NODE4", 0)


def test_then_its_roles_start_elsewhere(fcl: Story) -> None:
    fcl.bench.client.put(ref("Cluster", "FCL1"), {"ResiliencyDefaultPeriod": 60})
    isolate_node(fcl.bench.fabric, fcl.host("NODE4"))
    fcl.pass_(90)
    found = fcl.node("NODE4")
    assert (found["State"], found["StatusInformation"]) == (1, 0)
    assert fcl.owner("k8s-1") != "NODE4"
    assert fcl.role("k8s-1")["State"] == 0
    assert fcl.owner("k8s-1") != fcl.owner("k8s-2"), "apart"
    assert fcl.machine("backup-proxy")["EnabledState"] == 2


def test_a_node_that_comes_and_goes_is_quarantined(fcl: Story) -> None:
    for _ in range(3):
        isolate_node(fcl.bench.fabric, fcl.host("NODE4"))
        fcl.pass_(12)
        reunite_node(fcl.bench.fabric, fcl.host("NODE4"))
        fcl.pass_(8)
    found = fcl.node("NODE4")
    assert (found["State"], found["StatusInformation"]) == (1, 2)
    fcl.pass_(10)
    assert fcl.owner("k8s-1") != "NODE4"
    fcl.bench.clock.advance(7200)
    fcl.pass_(10)
    assert fcl.node("NODE4")["State"] == 0


def test_the_others_going_is_the_end_for_all(fcl: Story) -> None:
    kill(fcl, "NODE1")
    fail_node(fcl.bench.fabric, fcl.host("NODE3"))
    isolate_node(fcl.bench.fabric, fcl.host("NODE4"))
    fcl.pass_(11)
    with pytest.raises(Fault):
        fcl.bench.all("MSCluster_Node", CLUSTER)

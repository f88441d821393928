"""Moves in the simulated failover cluster: every way to go, the queue, and what refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster_kit import DOWN, LIVE, OFF, SAVE, Story, going, property_list, ref, story
from tests.sim_kit import CIMV2
from tui.sim.cluster import Cluster
from tui.sim.outages import fail_node
from tui.sim.shapes import strings
from tui.wsman.cim import CimInstance, CimValue


@pytest.fixture
def fcl() -> Story:
    return story()


def number(value: CimValue) -> int:
    assert isinstance(value, int)
    return value


# -- live ----------------------------------------------------------------------------------


def test_a_live_migration_takes_the_machine_along_running(fcl: Story) -> None:
    before = fcl.machine("git")
    output = fcl.move("git", "NODE3")
    assert (output.return_value, output.values) == (0, {})
    fcl.pass_(3)
    role, private = fcl.role("git"), fcl.private("git")
    assert (role["State"], role["OwnerNode"], role["StatusInformation"]) == (4, "NODE1", 0)
    assert private["MigrationState"] == "1"
    assert 20 < int(str(private["MigrationProgress"])) < 80
    assert fcl.resource("git")["State"] == 128
    assert fcl.machine("git")["OperationalStatus"] == (2, 32774)
    fcl.pass_(10)
    role, after = fcl.role("git"), fcl.machine("git")
    assert (role["State"], role["OwnerNode"]) == (0, "NODE3")
    assert fcl.private("git")["MigrationState"] == "0"
    assert (after["Name"], after["EnabledState"]) == (before["Name"], 2)
    assert after["OperationalStatus"] == (2,)
    gone = number(after["OnTimeInMilliseconds"]) - number(before["OnTimeInMilliseconds"])
    assert gone == 13_000


def test_a_machine_that_has_moved_hangs_on_the_target_in_every_way(fcl: Story) -> None:
    fcl.move("shop", "NODE2")
    fcl.pass_(20)
    target = fcl.via("NODE2").bench
    ports = target.of("shop", "Msvm_EthernetPortAllocationSettingData")
    path = strings(ports[0], "HostResource")[0]
    switch = next(
        s for s in target.all("Msvm_VirtualEthernetSwitch") if s["ElementName"] == "Production"
    )
    assert path.startswith("\\\\NODE2\\")
    assert str(switch["Name"]) in path
    settings = target.settings("shop")
    assert str(settings["Parent"]).startswith("\\\\NODE2\\")
    everything = [fcl.via("NODE3").bench.all("CIM_SettingData"), target.all("CIM_SettingData")]
    left, here = ([i for i in items if "shop" in str(i["ElementName"])] for items in everything)
    assert not left
    assert here
    assert target.of("shop", "Msvm_MemorySettingData")
    state = target.change("shop", 9)
    assert target.finish(state)["JobState"] == 7


def busy(fcl: Story, node: str) -> float:
    """100 ns all guests of a host have used so far."""
    rows = fcl.via(node).bench.all(
        "Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor", CIMV2
    )
    return float(str(next(r for r in rows if r["Name"] == "_Total")["PercentGuestRunTime"]))


def written(fcl: Story, node: str) -> float:
    rows = fcl.via(node).bench.all("Win32_PerfRawData_PerfDisk_PhysicalDisk", CIMV2)
    return float(str(next(r for r in rows if r["Name"] == "_Total")["DiskWriteBytesPersec"]))


def test_counters_go_on_smoothly_on_both_sides(fcl: Story) -> None:
    """Nobody's counters jump by what a machine did in its life before."""
    fcl.move("git", "NODE3")
    fcl.pass_(5)
    before = {node: (busy(fcl, node), written(fcl, node)) for node in ("NODE1", "NODE3")}
    fcl.pass_(3)
    assert fcl.owner("git") == "NODE3"
    for node, (used, bytes_) in before.items():
        assert 0 <= busy(fcl, node) - used < 3 * 64 * 1e7
        assert 0 <= written(fcl, node) - bytes_ < 3 * 4e9


def test_big_machines_take_longer(fcl: Story) -> None:
    fcl.move("proxy", "NODE3")
    fcl.move("mail1", "NODE4")
    fcl.pass_(5)
    assert fcl.owner("proxy") == "NODE3"
    assert fcl.owner("mail1") == "NODE1"
    fcl.pass_(20)
    assert fcl.owner("mail1") == "NODE4"


def test_the_cluster_chooses_a_node_when_none_is_named(fcl: Story) -> None:
    fcl.move("dc-a", "")
    fcl.pass_(20)
    assert fcl.owner("dc-a") in ("NODE3", "NODE4"), "apart from the other controller on NODE2"


# -- other ways ----------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "through"), [(SAVE, 32773), (DOWN, 2), (OFF, 2)])
def test_other_ways_stop_the_machine_first(fcl: Story, how: int, through: int) -> None:
    fcl.move("wiki", "NODE3", how)
    assert fcl.machine("wiki")["EnabledState"] == through
    seen = set()
    for _ in range(60):
        fcl.pass_(1)
        seen.add(fcl.machine("wiki")["EnabledState"])
    assert fcl.owner("wiki") == "NODE3"
    assert fcl.role("wiki")["State"] == 0
    uptime = number(fcl.machine("wiki")["OnTimeInMilliseconds"])
    assert uptime < 60_000
    assert 10 in seen


def test_a_plain_move_saves_a_running_machine(fcl: Story) -> None:
    fcl.call("ResourceGroup", "wiki", "MoveToNewNode", NodeName="NODE3", TimeOut=0)
    assert fcl.machine("wiki")["EnabledState"] == 32773
    fcl.pass_(30)
    assert (fcl.owner("wiki"), fcl.role("wiki")["State"]) == ("NODE3", 0)


def test_a_plain_move_obeys_the_default_move_type(fcl: Story) -> None:
    private = CimInstance("MSCluster_Property", {"DefaultMoveType": LIVE}, "root/MSCluster")
    fcl.bench.client.put(ref("Resource", "Virtual Machine wiki"), {"PrivateProperties": private})
    fcl.call("ResourceGroup", "wiki", "MoveToNewNode", NodeName="NODE3", TimeOut=0)
    assert fcl.machine("wiki")["EnabledState"] == 2
    assert fcl.private("wiki")["MigrationState"] == "1"


@pytest.mark.parametrize(("role", "state"), [("vdi-gold", 3), ("test-sql", 6)])
def test_what_holds_no_memory_only_changes_its_owner(fcl: Story, role: str, state: int) -> None:
    fcl.move(role, "NODE2")
    fcl.pass_(1)
    assert fcl.owner(role) == "NODE2"
    assert fcl.machine(role)["EnabledState"] == state


def test_the_parameters_may_be_an_object(fcl: Story) -> None:
    given = CimInstance("MSCluster_Property", {"Virtual_x0020_Machine": 4}, "root/MSCluster")
    fcl.call(
        "ResourceGroup", "wiki", "MoveToNewNodeEx", NodeName="NODE3", Parameters=given, Flags=14
    )
    assert fcl.private("wiki")["MigrationState"] == "1"


def test_the_core_group_moves(fcl: Story) -> None:
    fcl.call("ResourceGroup", "Cluster Group", "MoveToNewNode", NodeName="NODE4", TimeOut=0)
    assert fcl.get("Resource", "Cluster Name")["State"] == 128
    fcl.pass_(1)
    assert fcl.owner("Cluster Group") == "NODE4"
    assert fcl.get("Resource", "File Share Witness")["OwnerNode"] == "NODE4"


# -- the queue -----------------------------------------------------------------------------


def states(fcl: Story, *names: str) -> list[tuple[CimValue, CimValue]]:
    return [(fcl.role(n)["State"], fcl.role(n)["StatusInformation"]) for n in names]


def test_more_migrations_than_allowed_wait(fcl: Story) -> None:
    for name in ("git", "metrics", "logs", "wiki"):
        fcl.move(name, "NODE3", flags=6)
    fcl.move("radius", "NODE3")
    assert states(fcl, "git", "metrics", "logs", "wiki") == [(4, 0), (4, 0), (0, 4), (0, 4)]
    fcl.pass_(7)
    assert states(fcl, "radius", "logs") == [(4, 0), (4, 0)], "high priority went first"
    assert states(fcl, "wiki") == [(0, 4)]
    fcl.pass_(30)
    assert {"git", "metrics", "logs", "wiki", "radius"} <= fcl.roles_on("NODE3")


def test_the_limit_can_be_changed(fcl: Story) -> None:
    fcl.bench.client.put(ref("Cluster", "FCL1"), {"MaximumParallelMigrations": 1})
    fcl.move("git", "NODE3")
    fcl.move("wiki", "NODE3")
    assert states(fcl, "git", "wiki") == [(4, 0), (0, 4)]


def test_without_the_flag_nothing_waits(fcl: Story) -> None:
    for name in ("git", "metrics"):
        fcl.move(name, "NODE3")
    code = fcl.refused(
        "ResourceGroup",
        "wiki",
        "MoveToNewNodeParams",
        NodeName="NODE3",
        Parameters=going(LIVE),
        Flags=2,
    )
    assert code == 170


def test_a_move_can_be_called_off_waiting_or_under_way(fcl: Story) -> None:
    fcl.bench.client.put(ref("Cluster", "FCL1"), {"MaximumParallelMigrations": 1})
    fcl.move("git", "NODE3")
    fcl.move("wiki", "NODE3")
    fcl.call("ResourceGroup", "wiki", "CancelOperation", Flags=0)
    assert states(fcl, "wiki") == [(0, 0)]
    fcl.call("ResourceGroup", "git", "CancelOperation", Flags=0)
    assert states(fcl, "git") == [(0, 0)]
    fcl.pass_(30)
    assert (fcl.owner("git"), fcl.owner("wiki")) == ("NODE1", "NODE1")
    assert fcl.resource("git")["LastOperationStatusCode"] == 1223
    assert fcl.refused("ResourceGroup", "git", "CancelOperation", Flags=0) == 5023


# -- what refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "node", "flags", "code"),
    [
        ("wiki", "NODE3", 5, 87),
        ("wiki", "NODE3", 7, 87),
        ("wiki", "NODE3", 0x40, 87),
        ("wiki", "NODE9", 14, 5042),
        ("licences", "NODE3", 14, 5960),
    ],
)
def test_moves_that_are_refused(fcl: Story, role: str, node: str, flags: int, code: int) -> None:
    values: dict[str, CimValue] = {"Parameters": going(LIVE), "Flags": flags, "NodeName": node}
    assert fcl.refused("ResourceGroup", role, "MoveToNewNodeParams", **values) == code


def test_no_list_and_no_way_are_refused(fcl: Story) -> None:
    for octets in (b"\1\2\3", property_list(("Virtual Machine", 9))):
        values: dict[str, CimValue] = {"Parameters": octets, "Flags": 14, "NodeName": "NODE3"}
        assert fcl.refused("ResourceGroup", "wiki", "MoveToNewNodeParams", **values) == 87


def test_a_lock_can_be_ignored(fcl: Story) -> None:
    fcl.move("licences", "NODE3", flags=1 | 2 | 8)
    fcl.pass_(15)
    assert fcl.owner("licences") == "NODE3"


def test_a_node_that_takes_nothing(fcl: Story) -> None:
    fcl.call("Node", "NODE3", "Pause", DrainType=0, TargetNode="")
    values: dict[str, CimValue] = {"Parameters": going(LIVE), "Flags": 14, "NodeName": "NODE3"}
    assert fcl.refused("ResourceGroup", "wiki", "MoveToNewNodeParams", **values) == 70
    fail_node(fcl.bench.fabric, fcl.host("NODE3"))
    fcl.pass_(12)
    assert fcl.refused("ResourceGroup", "wiki", "MoveToNewNodeParams", **values) == 5005


def test_a_move_to_where_it_is_changes_nothing(fcl: Story) -> None:
    fcl.move("wiki", "NODE1")
    assert states(fcl, "wiki") == [(0, 0)]


def _other_vendor(cluster: Cluster) -> None:
    host = cluster.nodes["node3"].host
    object.__setattr__(host.plan, "processor", "AMD EPYC 7763 64-Core Processor")


def _little_memory(cluster: Cluster) -> None:
    object.__setattr__(cluster.nodes["node3"].host.plan, "memory", 100 * 1024)


def _nothing(cluster: Cluster) -> None:
    """Nothing needs to be changed."""


@pytest.mark.parametrize(
    ("role", "node", "change", "code"),
    [
        ("plc-gateway", "NODE1", _nothing, 1168),
        ("installer", "NODE1", _nothing, 2),
        ("wiki", "NODE3", _other_vendor, 50),
        ("wiki", "NODE3", _little_memory, 14),
    ],
)
def test_a_move_that_cannot_succeed_ends_where_it_began(
    fcl: Story, role: str, node: str, change: Callable[[Cluster], None], code: int
) -> None:
    change(fcl.state)
    before = fcl.owner(role)
    fcl.move(role, node)
    assert fcl.role(role)["State"] == 4
    fcl.pass_(5)
    assert (fcl.role(role)["State"], fcl.owner(role)) == (0, before)
    assert fcl.machine(role)["EnabledState"] == 2
    assert fcl.resource(role)["LastOperationStatusCode"] == code
    assert fcl.private(role)["MigrationFailureReason"] == str(code)


def test_what_has_been_stopped_and_cannot_start_there_comes_back(fcl: Story) -> None:
    fcl.move("installer", "NODE1", SAVE, flags=2)
    fcl.pass_(40)
    assert (fcl.role("installer")["State"], fcl.owner("installer")) == (0, "NODE3")


def test_or_stays_there_failed(fcl: Story) -> None:
    fcl.move("installer", "NODE1", SAVE, flags=0)
    fcl.pass_(40)
    assert (fcl.role("installer")["State"], fcl.owner("installer")) == (2, "NODE1")


def test_a_target_that_dies_meanwhile_leaves_the_machine_where_it_was(fcl: Story) -> None:
    fcl.move("git", "NODE3")
    fcl.pass_(2)
    fail_node(fcl.bench.fabric, fcl.host("NODE3"))
    fcl.pass_(20)
    assert (fcl.role("git")["State"], fcl.owner("git")) == (0, "NODE1")


def test_hyper_v_leaves_a_machine_alone_while_it_moves(fcl: Story) -> None:
    at = fcl.via("NODE1").bench
    fcl.move("git", "NODE3")
    assert at.change("git", 3).return_value == 32775
    fcl.pass_(10)
    assert fcl.owner("git") == "NODE3"

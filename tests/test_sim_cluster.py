"""The simulated failover cluster: what it tells, what may be written, roles on and off line."""

from __future__ import annotations

import pytest

from tests.cluster_kit import DOWN, LIVE, OFF, SAVE, Story, going, property_list, ref, story
from tests.sim_kit import CLUSTER, VSMS, bench, one, word
from tui.errors import Fault
from tui.sim.cluster import Group
from tui.sim.outages import fail_witness
from tui.wsman.cim import CimInstance, CimValue


@pytest.fixture
def fcl() -> Story:
    return story()


def associated(fcl: Story, kind: str, name: str, link: str) -> set[str]:
    key = "Name" if kind != "DiskPartition" else "Path"
    escaped = name.replace("\\", "\\\\")
    wql = f'ASSOCIATORS OF {{MSCluster_{kind}.{key}="{escaped}"}} WHERE AssocClass=MSCluster_{link}'
    return {word(item["Name"]) for item in fcl.bench.client.query(CLUSTER, wql)}


# -- what there is -------------------------------------------------------------------------


def test_every_node_tells_the_same(fcl: Story) -> None:
    other = fcl.via("NODE4")
    for kind in ("Cluster", "Node", "ResourceGroup", "Resource", "Network", "DiskPartition"):
        assert [i.values for i in fcl.all(kind)] == [i.values for i in other.all(kind)]


def test_the_scene_has_its_roles(fcl: Story) -> None:
    assert len(fcl.roles_on("NODE1")) == 18
    priorities = {g["Priority"] for g in fcl.all("ResourceGroup") if g["GroupType"] == 111}
    assert priorities == {0, 1000, 2000, 3000}
    assert fcl.role("dc-a")["AntiAffinityClassNames"] == ("Domain controllers",)
    assert fcl.role("licences")["LockedFromMoving"] == 1
    assert "backup-proxy" not in fcl.roles_on("NODE4")
    assert fcl.machine("backup-proxy")["EnabledState"] == 2


def test_a_role_names_its_machine(fcl: Story) -> None:
    private = fcl.private("sql-erp")
    machine = fcl.machine("sql-erp")
    assert str(private["VmID"]).upper() == machine["Name"]
    assert private["VmStoreRootPath"] == "C:\\ClusterStorage\\Volume1\\sql-erp"
    configuration = fcl.get("Resource", "Virtual Machine Configuration sql-erp")
    assert configuration["Type"] == "Virtual Machine Configuration"
    assert configuration["OwnerGroup"] == "sql-erp"


def test_the_witness_votes_when_the_nodes_are_even(fcl: Story) -> None:
    found = fcl.all("Cluster")[0]
    assert (found["QuorumTypeValue"], found["WitnessDynamicWeight"]) == (2, 1)
    witness = fcl.get("Resource", "File Share Witness")
    assert (witness["State"], witness["Type"]) == (2, "File Share Witness")
    fail_witness(fcl.state)
    assert fcl.get("Resource", "File Share Witness")["State"] == 4
    assert fcl.all("Cluster")[0]["WitnessDynamicWeight"] == 0
    assert [n["DynamicWeight"] for n in fcl.all("Node")] == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("kind", "name", "link", "expected"),
    [
        ("ResourceGroup", "sql-erp", "ResourceGroupToPreferredNode", {"NODE1", "NODE2"}),
        ("ResourceGroup", "sql-erp", "NodeToActiveGroup", {"NODE1"}),
        (
            "ResourceGroup",
            "wiki",
            "ResourceGroupToResource",
            {"Virtual Machine wiki", "Virtual Machine Configuration wiki"},
        ),
        ("Cluster", "FCL1", "ClusterToNode", {"NODE1", "NODE2", "NODE3", "NODE4"}),
        ("Cluster", "FCL1", "ClusterToQuorumResource", {"File Share Witness"}),
        (
            "ClusterSharedVolume",
            "C:\\ClusterStorage\\Volume2",
            "ClusterSharedVolumeToNode",
            {"NODE2"},
        ),
        (
            "ClusterSharedVolume",
            "C:\\ClusterStorage\\Volume2",
            "ClusterSharedVolumeToResource",
            {"Cluster Disk 2"},
        ),
        (
            "ClusterSharedVolume",
            "C:\\ClusterStorage\\Volume2",
            "ClusterSharedVolumeToPartition",
            {"C:\\ClusterStorage\\Volume2"},
        ),
        ("Resource", "Cluster Disk 1", "ResourceToDisk", {"Cluster Disk 1"}),
        ("Resource", "Virtual Machine wiki", "NodeToActiveResource", {"NODE1"}),
        ("Resource", "Virtual Machine wiki", "ResourceTypeToResource", {"Virtual Machine"}),
        (
            "Resource",
            "Virtual Machine wiki",
            "ResourceToDependentResource",
            {"Virtual Machine Configuration wiki"},
        ),
        (
            "Resource",
            "Virtual Machine wiki",
            "ResourceToPossibleOwner",
            {"NODE1", "NODE2", "NODE3", "NODE4"},
        ),
    ],
)
def test_associations(fcl: Story, kind: str, name: str, link: str, expected: set[str]) -> None:
    assert associated(fcl, kind, name, link) == expected


def test_interfaces_hang_on_node_and_network(fcl: Story) -> None:
    for kind, name, count in (("Node", "NODE1", 3), ("Network", "Management", 4)):
        link = f"{kind}ToNetworkInterface"
        assert len(associated(fcl, kind, name, link)) == count


# -- what may be written -------------------------------------------------------------------


def test_properties_of_a_group_are_written(fcl: Story) -> None:
    changed: dict[str, CimValue] = {
        "Priority": 3000,
        "AutoFailbackType": 1,
        "FailoverThreshold": 2,
        "AntiAffinityClassNames": ("Front ends", "Web"),
    }
    told = fcl.bench.client.put(ref("ResourceGroup", "wiki"), changed)
    for name, value in changed.items():
        assert told[name] == value
        assert fcl.via("NODE3").role("wiki")[name] == value
    assert told["OwnerNode"] == "NODE1"


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        ("ResourceGroup", "wiki", {"Priority": 1500}),
        ("ResourceGroup", "wiki", {"State": 1}),
        ("ResourceGroup", "wiki", {"OwnerNode": "NODE2"}),
        ("Node", "NODE1", {"NodeWeight": 2}),
        ("Node", "NODE1", {"DynamicWeight": 0}),
        ("Cluster", "FCL1", {"MaximumParallelMigrations": 0}),
        ("Cluster", "FCL1", {"Fqdn": "other"}),
        ("Network", "Management", {"State": 1}),
        ("Resource", "Cluster Name", {"State": 3}),
    ],
)
def test_what_cannot_be_written(
    fcl: Story, kind: str, name: str, values: dict[str, CimValue]
) -> None:
    before = fcl.get(kind, name).values
    with pytest.raises(Fault):
        fcl.bench.client.put(ref(kind, name), values)
    assert fcl.get(kind, name).values == before


def test_a_node_can_lose_its_vote(fcl: Story) -> None:
    fcl.bench.client.put(ref("Node", "NODE4"), {"NodeWeight": 0})
    assert [n["DynamicWeight"] for n in fcl.all("Node")] == [1, 1, 1, 0]
    assert fcl.all("Cluster")[0]["WitnessDynamicWeight"] == 0


def test_what_a_machine_does_when_taken_offline_is_written(fcl: Story) -> None:
    private = CimInstance("MSCluster_Property", {"OfflineAction": 2}, CLUSTER)
    fcl.bench.client.put(ref("Resource", "Virtual Machine wiki"), {"PrivateProperties": private})
    assert fcl.private("wiki")["OfflineAction"] == "2"


# -- on line and off line ------------------------------------------------------------------


@pytest.mark.parametrize(("how", "state"), [(OFF, 3), (SAVE, 6), (DOWN, 3), (3, 3)])
def test_a_role_goes_offline_as_it_is_told(fcl: Story, how: int, state: int) -> None:
    output = fcl.call(
        "ResourceGroup", "wiki", "TakeOfflineParams", TimeOut=0, Parameters=going(how), Flags=0
    )
    assert (output.return_value, output.values) == (0, {})
    assert fcl.role("wiki")["State"] == 4
    assert fcl.resource("wiki")["State"] == 130
    fcl.pass_(60)
    assert fcl.role("wiki")["State"] == 1
    assert fcl.resource("wiki")["State"] == 3
    assert not fcl.role("wiki")["PersistentState"]
    assert fcl.machine("wiki")["EnabledState"] == state


def test_a_role_is_saved_unless_told_otherwise_and_comes_back(fcl: Story) -> None:
    fcl.call("ResourceGroup", "wiki", "TakeOffline", TimeOut=0, Flags=0)
    fcl.pass_(20)
    assert fcl.machine("wiki")["EnabledState"] == 6
    assert fcl.get("Resource", "Virtual Machine Configuration wiki")["State"] == 3
    fcl.call("ResourceGroup", "wiki", "BringOnline", TimeOut=0, Flags=0)
    assert (fcl.role("wiki")["State"], fcl.resource("wiki")["State"]) == (4, 129)
    fcl.pass_(20)
    assert (fcl.role("wiki")["State"], fcl.resource("wiki")["State"]) == (0, 2)
    assert fcl.machine("wiki")["EnabledState"] == 2


def test_while_something_is_going_on_nothing_else_begins(fcl: Story) -> None:
    fcl.call("ResourceGroup", "wiki", "TakeOffline", TimeOut=0, Flags=0)
    assert fcl.refused("ResourceGroup", "wiki", "BringOnline", TimeOut=0) == 5023
    assert fcl.refused("ResourceGroup", "wiki", "MoveToNewNode", NodeName="NODE3") == 5023


def test_live_is_no_way_to_go_offline(fcl: Story) -> None:
    parameters = property_list(("Virtual Machine", LIVE))
    code = fcl.refused("ResourceGroup", "wiki", "TakeOfflineParams", Parameters=parameters)
    assert code == 87


def test_one_resource_goes_offline_and_comes_back(fcl: Story) -> None:
    fcl.call("Resource", "Virtual Machine wiki", "TakeOffline", TimeOut=0)
    fcl.pass_(20)
    assert fcl.resource("wiki")["State"] == 3
    assert fcl.get("Resource", "Virtual Machine Configuration wiki")["State"] == 2
    fcl.call("Resource", "Virtual Machine wiki", "BringOnline", TimeOut=0)
    fcl.pass_(20)
    assert fcl.resource("wiki")["State"] == 2


def test_a_machine_started_by_hyper_v_is_an_online_role(fcl: Story) -> None:
    first = fcl.via("NODE1").bench
    assert fcl.role("vdi-gold")["State"] == 1
    first.done(first.change("vdi-gold", 2))
    assert fcl.role("vdi-gold")["State"] == 0
    first.done(first.change("vdi-gold", 3))
    assert fcl.role("vdi-gold")["State"] == 1


def test_a_failed_resource_is_restarted_here_first_then_elsewhere(fcl: Story) -> None:
    before = fcl.owner("git")
    fcl.call("Resource", "Virtual Machine git", "FailResource")
    assert fcl.role("git")["State"] == 4
    fcl.pass_(10)
    assert (fcl.role("git")["State"], fcl.owner("git")) == (0, before)
    fcl.call("Resource", "Virtual Machine git", "FailResource")
    fcl.pass_(10)
    assert fcl.role("git")["State"] == 0
    assert fcl.owner("git") != before


def test_a_role_that_fails_too_often_is_left_failed(fcl: Story) -> None:
    fcl.bench.client.put(ref("ResourceGroup", "git"), {"FailoverThreshold": 1})
    for _ in range(3):
        fcl.call("Resource", "Virtual Machine git", "FailResource")
        fcl.pass_(10)
    assert (fcl.role("git")["State"], fcl.resource("git")["State"]) == (2, 4)
    fcl.call("ResourceGroup", "git", "BringOnline", TimeOut=0, Flags=0)
    fcl.pass_(10)
    assert fcl.role("git")["State"] == 0


# -- what makes a role ---------------------------------------------------------------------


def test_preferred_owners_are_kept_in_order(fcl: Story) -> None:
    names = ("NODE3", "NODE1")
    fcl.call("ResourceGroup", "git", "SetPreferredOwners", NodeNames=names)
    told = fcl.via("NODE4").call("ResourceGroup", "git", "GetPreferredOwners")
    assert told.values["NodeNames"] == names
    code = fcl.refused("ResourceGroup", "git", "SetPreferredOwners", NodeNames=("NODE9",))
    assert code == 5042


def test_a_machine_becomes_a_role_and_is_one_no_more(fcl: Story) -> None:
    fcl.call("Cluster", "FCL1", "AddVirtualMachine", VirtualMachine="backup-proxy")
    role = fcl.role("backup-proxy")
    assert (role["State"], role["OwnerNode"], role["GroupType"]) == (0, "NODE4", 111)
    again = fcl.refused("Cluster", "FCL1", "AddVirtualMachine", VirtualMachine="backup-proxy")
    assert again == 5010
    fcl.call("ResourceGroup", "backup-proxy", "DestroyGroup", Options=1)
    assert "backup-proxy" not in fcl.roles_on("NODE4")
    assert fcl.machine("backup-proxy")["EnabledState"] == 2
    gone = fcl.refused("Cluster", "FCL1", "AddVirtualMachine", VirtualMachine="nobody")
    assert gone == 1168


def test_the_clusters_own_group_stays(fcl: Story) -> None:
    assert fcl.refused("ResourceGroup", "Cluster Group", "DestroyGroup", Options=1) == 5023
    assert fcl.refused("ResourceGroup", "Cluster Group", "TakeOffline", TimeOut=0) == 5023


def test_a_machine_destroyed_behind_the_clusters_back_is_a_failed_role(fcl: Story) -> None:
    at = fcl.via("NODE1").bench
    at.done(at.call(VSMS, "DestroySystem", AffectedSystem=at.ref("vdi-gold")))
    assert fcl.role("vdi-gold")["State"] == 2
    configuration = "Virtual Machine Configuration vdi-gold"
    assert fcl.refused("Resource", configuration, "UpdateVirtualMachine") == 1168
    fcl.call("ResourceGroup", "vdi-gold", "DestroyGroup", Options=1)
    assert "vdi-gold" not in fcl.roles_on("NODE1")


def test_the_configuration_of_a_role_can_be_read_anew(fcl: Story) -> None:
    name = "Virtual Machine Configuration wiki"
    assert fcl.call("Resource", name, "UpdateVirtualMachine").return_value == 0
    assert fcl.refused("Resource", "Cluster Name", "UpdateVirtualMachine") == 87


# -- volumes -------------------------------------------------------------------------------

VOLUME = "C:\\ClusterStorage\\Volume2"


def test_a_volume_goes_to_another_node(fcl: Story) -> None:
    fcl.call("ClusterSharedVolume", VOLUME, "MoveToNewHost", HostName="NODE4")
    assert fcl.get("Resource", "Cluster Disk 2")["State"] == 128
    assert fcl.refused("ClusterSharedVolume", VOLUME, "MoveToNewHost", HostName="NODE3") == 5023
    fcl.pass_(3)
    assert fcl.get("Resource", "Cluster Disk 2")["OwnerNode"] == "NODE4"
    assert associated(fcl, "ClusterSharedVolume", VOLUME, "ClusterSharedVolumeToNode") == {"NODE4"}


def test_a_volume_in_maintenance_stops_its_machines(fcl: Story) -> None:
    fcl.call("ClusterSharedVolume", VOLUME, "TurnOnMaintenance")
    assert fcl.get("ClusterSharedVolume", VOLUME)["FaultState"] == 4
    assert fcl.machine("wiki")["EnabledState"] == 32789
    assert fcl.machine("dc-a")["EnabledState"] == 2
    fcl.call("ClusterSharedVolume", VOLUME, "TurnOffMaintenance")
    assert fcl.machine("wiki")["EnabledState"] == 2
    assert fcl.get("ClusterSharedVolume", VOLUME)["FaultState"] == 0
    assert fcl.refused("ClusterSharedVolume", VOLUME, "TurnOffMaintenance") == 5023


def test_redirected_access_is_a_state_of_the_volume(fcl: Story) -> None:
    fcl.call("ClusterSharedVolume", VOLUME, "TurnOnRedirectedAccess")
    assert fcl.via("NODE1").get("ClusterSharedVolume", VOLUME)["FaultState"] == 1
    fcl.call("ClusterSharedVolume", VOLUME, "TurnOffRedirectedAccess")
    assert fcl.get("ClusterSharedVolume", VOLUME)["FaultState"] == 0


# -- the wire ------------------------------------------------------------------------------


def test_a_refusal_has_the_shape_of_the_host(fcl: Story) -> None:
    with pytest.raises(Fault) as caught:
        fcl.call("ResourceGroup", "wiki", "MoveToNewNode", NodeName="NODE9")
    assert caught.value.code == 0x800713B2
    assert caught.value.subcode == "InternalError"
    fcl.bench.host.faults.shape = 2
    assert fcl.refused("ResourceGroup", "wiki", "MoveToNewNode", NodeName="NODE9") == 5042


def test_the_datacenter_has_such_a_cluster_too() -> None:
    old = Story(bench("datacenter", "NODE2"))
    assert old.all("Cluster")[0]["Name"] == "PRODCL"
    old.move("hr-app01", "NODE4")
    old.pass_(30)
    assert old.owner("hr-app01") == "NODE4"


def test_two_machines_of_one_name_are_two_roles(fcl: Story) -> None:
    machine = one(list(fcl.host("NODE4").machines.values()), lambda m: m.name == "backup-proxy")
    machine.system.values["ElementName"] = "wiki"
    fcl.call("Cluster", "FCL1", "AddVirtualMachine", VirtualMachine=machine.id)
    made = one(list(fcl.state.groups.values()), lambda group: group.machine is machine)
    assert isinstance(made, Group)
    assert made.name == "wiki (2)"
    assert fcl.owner("wiki (2)") == "NODE4"

"""Verbs on a failover cluster: what is asked, what comes of it, and what is refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest
from msgspec import structs

from tests.clustering_kit import CSV, NAME, V2, Herd, herd
from tui.actions import Action, Risk, Target, by_id
from tui.collector.following import target_of
from tui.collector.messages import Phase
from tui.hyperv.cluster import DOWN
from tui.hyperv.ops import clustering
from tui.hyperv.ops.clustering import node_ref, role_ref
from tui.sim import outages
from tui.wsman.cim import CimValue


@pytest.fixture
def at() -> Iterator[Herd]:
    with herd() as made:
        yield made


def methods(at: Herd) -> list[str]:
    return [asked.method for asked in at.invoked]


def parameter(at: Herd, name: str) -> CimValue:
    return at.invoked[0].parameters.get(name)


# -- roles ---------------------------------------------------------------------------------


def test_a_running_machine_moves_live(at: Herd) -> None:
    guid = at.machine("git", "NODE1")["Name"]
    up = at.machine("git", "NODE1")["OnTimeInMilliseconds"]
    at.run("role.move", "git", node="NODE4")
    assert methods(at) == ["MoveToNewNodeParams"]
    assert parameter(at, "Flags") == 14
    assert at.owner("git") == "NODE4"
    there = at.machine("git", "NODE4")
    assert there["Name"] == guid
    assert int(str(there["OnTimeInMilliseconds"])) >= int(str(up)), "it was never stopped"


def test_the_best_node_is_found_when_none_is_named(at: Herd) -> None:
    at.run("role.move", "wiki")
    assert parameter(at, "NodeName") == ""
    assert at.owner("wiki") != "NODE1"


def test_a_machine_moves_by_being_saved(at: Herd) -> None:
    at.run("role.move", "print1", node="NODE2", how="save")
    assert at.owner("print1") == "NODE2"
    assert at.machine("print1", "NODE2")["EnabledState"] == 2


def test_a_machine_that_is_off_and_the_clusters_own_group_move(at: Herd) -> None:
    at.run("role.move", "vdi-gold", node="NODE3")
    assert at.owner("vdi-gold") == "NODE3"
    at.run("role.move", "Cluster Group", node="NODE3")
    assert methods(at) == ["MoveToNewNode"]
    assert at.owner("Cluster Group") == "NODE3"


def test_a_move_the_cluster_gives_up_says_why(at: Herd) -> None:
    words = at.failed("role.move", "plc-gateway", node="NODE1")
    assert "Move role of plc-gateway did not come about" in words
    assert "something it needs is not there" in words
    assert at.owner("plc-gateway") == "NODE3"


def test_what_cannot_be_moved_is_told_beforehand(at: Herd) -> None:
    assert "locked" in at.refused("role.move", "licences", node="NODE1")
    assert "already" in at.refused("role.move", "git", node="node1")
    assert "has no node NODE9" in at.refused("role.move", "git", node="NODE9")
    at.run("node.pause", "NODE2")
    assert "NODE2 is paused" in at.refused("role.move", "git", node="NODE2")
    assert "is on NODE1 by now" in at.refused("role.move", "git", node="NODE3", source="NODE4")


def test_a_role_goes_offline_and_comes_back(at: Herd) -> None:
    at.run("role.offline", "proxy", how="turn off")
    assert methods(at) == ["TakeOfflineParams"]
    assert at.machine("proxy", "NODE1")["EnabledState"] == 3
    assert at.role_state("proxy") == 1
    assert "already" in at.refused("role.offline", "proxy")
    at.run("role.online", "proxy")
    assert at.machine("proxy", "NODE1")["EnabledState"] == 2
    assert "already" in at.refused("role.online", "proxy")
    at.run("role.offline", "proxy")
    assert methods(at) == ["TakeOffline"]
    assert at.machine("proxy", "NODE1")["EnabledState"] == 6, "it is saved, as the role is set"


def test_the_cluster_itself_is_not_taken_offline_or_removed(at: Herd) -> None:
    for action in ("role.offline", "role.remove", "role.fail-over"):
        assert "part of the cluster itself" in at.refused(action, "Cluster Group")


def test_a_role_fails_over(at: Herd) -> None:
    at.run("role.fail-over", "mail1", node="NODE3")
    assert at.owner("mail1") == "NODE3"
    there = at.machine("mail1", "NODE3")
    assert there["EnabledState"] == 2
    assert int(str(there["OnTimeInMilliseconds"])) < 3_600_000, "it was started anew"


def test_a_move_is_called_off() -> None:
    with herd(speed=1.0) as at:
        clustering.move_machine(at.client(), "sql-erp", "NODE4")
        assert at.role_state("sql-erp") == 4
        at.run("role.cancel", "sql-erp")
        assert (at.owner("sql-erp"), at.role_state("sql-erp")) == ("NODE1", 0)
        assert "nothing is under way" in at.refused("role.cancel", "sql-erp")


def test_preferred_owners_are_set_in_their_order(at: Herd) -> None:
    at.run("role.set-owners", "git", nodes=("node3", "NODE2"))
    output = at.client().invoke(role_ref("git"), "GetPreferredOwners")
    assert output.values["NodeNames"] == ("NODE3", "NODE2")
    assert "so already" in at.refused("role.set-owners", "git", nodes=("NODE3", "NODE2"))
    assert "no node X" in at.refused("role.set-owners", "git", nodes=("X",))
    at.run("role.set-owners", "git", nodes=())
    output = at.client().invoke(role_ref("git"), "GetPreferredOwners")
    assert not output.values.get("NodeNames")


def test_a_machine_becomes_a_role_and_stops_being_one(at: Herd) -> None:
    guid = str(at.machine("backup-proxy", "NODE4")["Name"])
    at.run("role.add", "backup-proxy", via="NODE4", target=guid)
    assert at.owner("backup-proxy") == "NODE4"
    again = at.call("role.add", "backup-proxy", via="NODE4", target=guid)
    assert again.trouble is not None
    assert f"is a role of {NAME} already" in again.trouble.cause
    at.run("role.remove", "backup-proxy")
    assert "backup-proxy" not in at.roles_on("NODE4")
    assert at.machine("backup-proxy", "NODE4")["Name"] == guid, "the machine stays"


# -- nodes ---------------------------------------------------------------------------------


def test_a_node_is_paused_and_resumed(at: Herd) -> None:
    before = at.roles_on("NODE2")
    at.run("node.pause", "NODE2")
    assert at.value("Node", "NODE2", "State") == 2
    assert at.roles_on("NODE2") == before
    assert "paused already" in at.refused("node.pause", "NODE2")
    at.run("node.resume", "NODE2", failback="stay")
    assert at.value("Node", "NODE2", "State") == 0
    assert "not paused" in at.refused("node.resume", "NODE2")


def test_a_node_is_drained_and_its_roles_come_home(at: Herd) -> None:
    at.run("role.move", "plc-gateway", node="NODE4")
    home = at.roles_on("NODE4")
    at.run("node.drain", "NODE4")
    assert at.value("Node", "NODE4", "NodeDrainStatus") == 2
    assert at.roles_on("NODE4") == set()
    assert at.machine("backup-proxy", "NODE4")["EnabledState"] == 2, "not clustered: it stays"
    at.run("node.resume", "NODE4", failback="immediately")
    at.until(lambda: at.roles_on("NODE4") == home, "they come home")


def test_a_drain_that_leaves_something_behind_has_failed(at: Herd) -> None:
    words = at.failed("node.drain", "NODE2")
    assert "still on NODE2: licences" in words
    assert at.roles_on("NODE2") == {"licences"}


def aimed(at: Herd, action: str, name: str) -> tuple[Action, Target]:
    """An action, and a thing of the cluster as the lanes would give it to that."""
    session = at.session
    found = session.load()
    cluster = next(one.cluster for one in found.values() if one.cluster is not None)
    row = by_id(action)
    assert row is not None
    target = target_of(
        found["NODE1"], row.kind, at.key(row.kind.value, name), cluster=cluster,
        fleet=lambda: found,
    )  # fmt: skip
    assert target is not None
    return row, target


def test_what_a_drain_means_is_told_before_it_is_asked(at: Herd) -> None:
    row, target = aimed(at, "node.drain", "NODE2")
    risk, lines = row.foretell(target, {})
    assert risk is Risk.AMBER
    assert lines == [
        "4 roles move to the best possible nodes: crm, crm-db, dc-b, lab-vm",
        "Locked, they stay: licences",
        "NODE2 keeps its vote while it is paused. If it then goes down:",
        "Votes now: 5 of 5 votes, 3 needed",
        "Without NODE2: 4 of 5 votes, 3 needed; the cluster goes on",
        "Counted anew after that: 3 of 3 votes, 2 needed",
        "It would then survive the loss of any one more",
    ]
    row, target = aimed(at, "node.drain", "NODE4")
    assert "Not in the cluster, they stay: backup-proxy" in row.foretell(target, {})[1]


@pytest.mark.parametrize("action", ["node.pause", "node.drain"])
def test_a_node_the_quorum_hangs_on_is_red_with_the_arithmetic(at: Herd, action: str) -> None:
    row, target = aimed(at, action, "NODE1")
    assert target.cluster is not None
    nodes = tuple(
        structs.replace(node, state=DOWN, dynamic_weight=0) if node.name > "NODE2" else node
        for node in target.cluster.nodes
    )
    edge = structs.replace(target.cluster, nodes=nodes, witness_state=4, witness_weight=1)
    risk, lines = row.foretell(replace(target, cluster=edge), {})
    assert risk is Risk.RED
    assert lines[-2:] == [
        "Votes now: 2 of 3 votes, 2 needed",
        "Without NODE1: 1 of 3 votes, 2 needed, 1 vote short: the cluster stops, and every role "
        "with it",
    ]


def test_what_is_cut_off_is_red_and_what_goes_on_asks_nothing(at: Herd) -> None:
    row, target = aimed(at, "role.move", "git")
    told = {how: row.foretell(target, {"how": how})[0] for how in
            ("live", "save", "shut down", "turn off")}  # fmt: skip
    assert told == {"live": Risk.GREEN, "save": Risk.AMBER, "shut down": Risk.AMBER,
                    "turn off": Risk.RED}  # fmt: skip
    row, target = aimed(at, "role.fail-over", "git")
    assert row.foretell(target, {})[0] is Risk.RED
    row, target = aimed(at, "role.offline", "git")
    risk, lines = row.foretell(target, {})
    assert risk is Risk.AMBER
    assert lines == ("git is saved, and stays off until somebody brings it online",)
    assert row.foretell(target, {"how": "turn off"})[0] is Risk.RED


def test_maintenance_names_the_machines_that_stop(at: Herd) -> None:
    row, target = aimed(at, "csv.maintenance", f"{CSV}Volume1")
    risk, (line,) = row.foretell(target, {"mode": "on"})
    assert risk is Risk.RED
    assert line.startswith("9 running from it lose their disks: ")
    assert "app-erp1 on NODE1" in line
    assert row.foretell(target, {"mode": "off"}) == (Risk.GREEN, ())


# -- shared volumes ------------------------------------------------------------------------


def test_a_volume_moves(at: Herd) -> None:
    at.run("csv.move", f"{CSV}Volume1", node="NODE3")
    disk = at.value("Resource", "Cluster Disk 1", "OwnerNode")
    assert disk == "NODE3"


def test_a_volume_goes_into_maintenance_and_back(at: Herd) -> None:
    name = f"{CSV}Volume3"
    at.run("csv.maintenance", name, mode="on")
    assert at.value("ClusterSharedVolume", name, "FaultState") == 4
    assert "in maintenance already" in at.refused("csv.maintenance", name, mode="on")
    at.run("csv.maintenance", name, mode="off")
    assert at.value("ClusterSharedVolume", name, "FaultState") == 0


# -- answers that do not come --------------------------------------------------------------


def test_a_lost_answer_is_settled_by_what_the_cluster_shows(at: Herd) -> None:
    at.swallow = 1
    update = at.run("role.move", "web-erp1", node="NODE4")
    assert update.phase is Phase.OBSERVED
    assert methods(at) == ["MoveToNewNodeParams"], "never sent twice"
    assert at.owner("web-erp1") == "NODE4"


def test_somebody_else_was_faster(at: Herd) -> None:
    """What was moved, removed or paused between the look and the call stops it."""
    session = at.session
    clustering.move_machine(at.client(), "git", "NODE2")
    at.until(lambda: at.owner("git") == "NODE2" and at.role_state("git") == 0, "it has moved")
    clustering.remove_role(at.client(), "wiki")
    clustering.pause_node(at.client(), "NODE3")
    with patch.object(session, "load"):
        why = at.refused("role.move", "git", node="NODE4", source="NODE1")
        assert why == "From node: git is on NODE2 by now"
        gone = at.call("role.move", "wiki", node="NODE4")
        assert gone.trouble is not None
        assert gone.trouble.title == "wiki is not in the cluster any more"
        assert "paused already" in at.refused("node.pause", "NODE3")


def test_what_the_cluster_refuses_is_told_in_words(at: Herd) -> None:
    """Somebody else is faster: the node is paused between the look and the call."""
    session = at.session
    at.client().invoke(node_ref("NODE4"), "Pause", DrainType=0, TargetNode="")
    with patch.object(session, "load"):
        update = at.call("role.move", "web-erp2", node="NODE4")
    assert update.phase is Phase.FAILED
    assert update.trouble is not None
    assert update.trouble.title == "Could not move web-erp2"
    assert update.trouble.cause == "the node is paused"
    assert update.trouble.hint == "resume it, or choose another node"


def test_a_node_that_is_out_of_the_cluster_leaves_it_to_the_others_to_tell(at: Herd) -> None:
    with at.lock:
        outages.isolate_node(at.fabric, at.fabric.hosts["NODE1"])
    at.until(lambda: at.value("Node", "NODE1", "State") == DOWN, "NODE1 is out")
    found = at.session.load()
    told = {host for host, inventory in found.items() if inventory.cluster is not None}
    assert told
    assert "NODE1" not in told


def test_machines_are_where_the_cluster_says(at: Herd) -> None:
    at.run("role.move", "git", node="NODE2")
    names = {str(row["ElementName"]) for row in at.wql(
        "SELECT ElementName FROM Msvm_ComputerSystem", V2, "NODE2")}  # fmt: skip
    assert "git" in names

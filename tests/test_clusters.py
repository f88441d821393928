"""Clusters from the wire to the rows: one node tells, and whoever tells last is believed."""

from __future__ import annotations

from msgspec import structs

from tests.hyperv_kit import Wire, questions
from tests.live_kit import estate, line
from tui.actions import Kind, by_id, why_not
from tui.collector.following import target_of
from tui.collector.hub import Hub
from tui.collector.messages import Batch, HostLink, Update
from tui.hyperv import cluster as nouns
from tui.hyperv.model import Cluster, Host, HostVitals, Inventory, Link
from tui.hyperv.read import Reader
from tui.sim import scenes
from tui.sim.world import StillClock
from tui.store import Store
from tui.store.clusters import node_key, role_key, volume_key
from tui.wsman.client import CimClient

NAME = "PRODCL"
NODES = ("NODE1", "NODE2", "NODE3", "NODE4")


def reader(node: str = "NODE1") -> tuple[Reader, Wire]:
    clock = StillClock()
    fabric = scenes.build("datacenter", clock=clock)
    wire = Wire(fabric.hosts[node])
    client = CimClient(wire, url="inproc:")
    return Reader(client, node, f"http://{node}:5985/wsman", now=clock.now), wire


def told(whole: bool = True) -> Inventory:
    made, _ = reader()
    made.fast()
    made.facts()
    return made.cluster(whole=whole)


def test_a_cluster_is_read_as_the_node_tells_it() -> None:
    made, wire = reader()
    made.fast()
    made.facts()
    found = made.cluster(whole=True).cluster
    assert found is not None
    assert (found.name, found.fqdn) == (NAME, "PRODCL.corp.example.com")
    assert tuple(node.name for node in found.nodes) == NODES
    assert all(node.voting for node in found.nodes)
    truth = CimClient(Wire(wire.host), url="inproc:")
    groups = truth.query("root/MSCluster", "SELECT Name, OwnerNode FROM MSCluster_ResourceGroup")
    assert {(r.name, r.owner) for r in found.roles} == {(g["Name"], g["OwnerNode"]) for g in groups}
    assert found.witness
    assert {n.name for n in found.networks} == {"Management", "Live Migration", "Cluster Heartbeat"}
    (volume,) = (v for v in found.volumes if v.name.endswith("Volume1"))
    assert volume.owner in NODES
    assert 0 < volume.free < volume.size


def test_a_look_at_how_it_stands_takes_two_requests() -> None:
    made, wire = reader()
    made.fast()
    made.facts()
    made.cluster(whole=True)
    wire.take()
    found = made.cluster(whole=False).cluster
    assert len(questions(wire.take())) == 2
    assert found is not None
    assert any(role.resources for role in found.roles)


def test_a_machine_finds_its_role() -> None:
    inventory = told()
    assert inventory.cluster is not None
    for vm in inventory.vms.values():
        role = inventory.cluster.role_of(vm.id, vm.name)
        if role is not None:
            assert role.type == nouns.MACHINE_ROLE
            assert role.owner == "NODE1"
    assert any(inventory.cluster.role_of(vm.id, vm.name) for vm in inventory.vms.values())


def test_targets_of_a_cluster_are_found_by_key() -> None:
    inventory = told()
    found = inventory.cluster
    assert found is not None
    node = target_of(inventory, Kind.NODE, node_key(NAME, "NODE3"), cluster=found)
    role = target_of(inventory, Kind.ROLE, role_key(NAME, found.roles[0].name), cluster=found)
    volume = target_of(inventory, Kind.CSV, volume_key(NAME, found.volumes[0].name), cluster=found)
    assert node is not None
    assert node.node == found.node("NODE3")
    assert role is not None
    assert role.role == found.roles[0]
    assert volume is not None
    assert volume.volume == found.volumes[0]
    assert target_of(inventory, Kind.ROLE, role_key(NAME, "nobody"), cluster=found) is None


# -- who tells -----------------------------------------------------------------------------


def member(host: str, link: Link = Link.UP, cluster: Cluster | None = None) -> Inventory:
    info = Host(host, "", name=host, cluster=NAME)
    return Inventory(info, HostVitals(host, link=link), cluster=cluster, cluster_at=5.0)


def test_the_first_node_that_answers_tells_of_the_cluster() -> None:
    hub = Hub()
    assert hub.speaker(NAME) == ""
    for host in reversed(NODES):
        hub.publish(member(host))
    assert hub.speaker(NAME) == "NODE1"
    hub.publish(member("NODE1", Link.DOWN))
    assert hub.speaker(NAME) == "NODE2"


def test_over_sockets_one_node_is_asked_and_another_takes_over() -> None:
    with estate("datacenter") as served, line([served.link(name) for name in NODES]) as told:
        told.until(lambda: told.hub.cluster(NAME) is not None, "the cluster is read")
        told.until(lambda: all(told.is_up(name) for name in NODES), "all nodes are up")
        told.until(
            lambda: [n for n in NODES if told.inventory(n).cluster is not None] == ["NODE1"],
            "only the first node tells",
        )
        served.faults("NODE1").http.lose_requests = 1000
        told.until(lambda: told.is_down("NODE1"), "NODE1 is lost")
        told.until(lambda: told.inventory("NODE2").cluster is not None, "NODE2 tells")


# -- rows ----------------------------------------------------------------------------------


def update(host: str, seq: int, at: float, cluster: Cluster | None) -> Update:
    info = Host(host, "", name=host, cluster=NAME)
    vitals = HostVitals(host, link=Link.UP, read_at=at)
    return Update(
        host, seq, at, full=seq == 1, info=info, vitals=vitals, cluster=cluster, cluster_at=at
    )


def filled() -> tuple[Store, Cluster]:
    inventory = told()
    assert inventory.cluster is not None
    store = Store()
    store.configure([HostLink(name, "") for name in NODES])
    store.apply(Batch((update("NODE1", 1, 100.0, inventory.cluster),)), 100.0)
    return store, inventory.cluster


def test_a_cluster_becomes_rows_with_targets() -> None:
    store, cluster = filled()
    assert len(store.clusters.nodes) == len(NODES)
    key = role_key(NAME, cluster.roles[0].name)
    target = store.target(key)
    assert target is not None
    assert target.role == cluster.roles[0]
    assert target.host.id == "NODE1"
    assert store.row(key) is store.clusters.roles[key]


def test_only_what_changed_of_a_cluster_is_told() -> None:
    store, cluster = filled()
    moved = structs.replace(cluster.roles[0], owner="NODE9")
    fewer = structs.replace(cluster, roles=(moved, *cluster.roles[2:]))
    changes = store.apply(Batch((update("NODE1", 2, 101.0, fewer),)), 101.0)
    assert role_key(NAME, moved.name) in changes.roles.changed
    assert changes.roles.removed == {role_key(NAME, cluster.roles[1].name)}


def test_an_older_word_changes_nothing() -> None:
    store, cluster = filled()
    empty = structs.replace(cluster, roles=())
    store.apply(Batch((update("NODE2", 1, 99.0, empty),)), 101.0)
    assert len(store.clusters.roles) == len(cluster.roles)
    store.apply(Batch((update("NODE2", 2, 102.0, empty),)), 102.0)
    assert not store.clusters.roles


def test_a_cluster_goes_with_the_last_of_its_nodes() -> None:
    store, _ = filled()
    store.configure([HostLink("HV01", "")])
    assert not store.clusters.nodes
    assert not store.clusters.known


# -- read-only -----------------------------------------------------------------------------


def test_a_read_only_node_guards_its_cluster_whoever_tells_of_it() -> None:
    store, cluster = filled()
    guarded = structs.replace(store.hosts["NODE3"].info, cluster=NAME, read_only=True)
    vitals = HostVitals("NODE3", link=Link.UP, read_at=100.0)
    store.apply(Batch((Update("NODE3", 1, 100.0, full=True, info=guarded, vitals=vitals),)), 100.0)
    for action_id, key in (
        ("node.pause", node_key(NAME, "NODE2")),
        ("role.fail-over", role_key(NAME, cluster.roles[-1].name)),
        ("csv.move", volume_key(NAME, cluster.volumes[0].name)),
    ):
        action = by_id(action_id)
        assert action is not None
        why = why_not(action, store.target(key))
        assert why is not None
        assert "NODE3" in why
        assert "read-only" in why


def test_what_was_read_while_a_call_was_on_its_way_is_older_than_the_call() -> None:
    made, wire = reader()
    made.fast()
    made.facts()
    before = made._now()
    clock = wire.host.fabric.clock
    assert isinstance(clock, StillClock)
    wire.intercept = lambda asked, header: clock.advance(1.0)
    assert made.cluster(whole=True).cluster_at == before

"""Clusters on the screen and in lists: findings, columns, filters, notices, age; none, several."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.deck_kit import story
from tests.live_kit import estate
from tests.story_kit import live_deck
from tui.actions import Kind
from tui.cli.batch import resolve
from tui.collector.hub import Hub
from tui.collector.messages import Batch, Call, CallUpdate, HostLink, Phase, Update
from tui.errors import UsageError
from tui.hyperv.cluster import (
    DOWN,
    DRAIN_FAILED,
    DRAINED,
    FAILED,
    ISOLATED,
    MACHINE_ROLE,
    MAINTENANCE,
    OFFLINE,
    PAUSED,
    PENDING,
    REDIRECTED,
    RESOURCE_FAILED,
    RESOURCE_OFFLINE,
    RESOURCE_ONLINE,
    Cluster,
    ClusterNetwork,
    ClusterNode,
    ClusterResource,
    Role,
    SharedVolume,
)
from tui.hyperv.model import Host, HostVitals, Inventory, Link, Vm, VmVitals
from tui.hyperv.ops.clustering import SAVE
from tui.rows.clusterfindings import cluster_remarks
from tui.rows.columns import BY_KIND
from tui.rows.filter import parse
from tui.store import Changes, Stale, Store
from tui.store.clusters import node_key, role_key
from tui.store.news import news
from tui.ui.clusterfacts import cluster_facts
from tui.ui.clusterpane import parts
from tui.ui.facts import facts
from tui.wsman.explain import explain
from tui.wsman.explain import find as find_code

GB = 1 << 30
GUID = "0DB7B3DC-0000-4000-8000-000000000001"
NODES = (ClusterNode("N1"), ClusterNode("N2"), ClusterNode("N3"))
WELL = Cluster(
    "CL",
    quorum=1,
    dynamic_quorum=True,
    nodes=NODES,
    roles=(
        Role("Cluster Group", 1, 0, "N1", core=True),
        Role("web", MACHINE_ROLE, 0, "N1", preferred=("N1", "N2"), vm=GUID),
        Role("db", MACHINE_ROLE, 0, "N2", offline_action=SAVE),
    ),
    volumes=(SharedVolume("C:\\ClusterStorage\\V1", "Disk 1", "N1", RESOURCE_ONLINE,
                          path="C:\\ClusterStorage\\V1", size=100 * GB, free=50 * GB),),
    networks=(ClusterNetwork("Office", "10.0.0.0", 24, 3),),
)  # fmt: skip


def role(name: str, **more: object) -> Cluster:
    """The cluster with one role different."""
    roles = [structs.replace(r, **more) if r.name == name else r for r in WELL.roles]
    return structs.replace(WELL, roles=tuple(roles))


def node(name: str, **more: object) -> Cluster:
    nodes = [structs.replace(n, **more) if n.name == name else n for n in WELL.nodes]
    return structs.replace(WELL, nodes=tuple(nodes))


def volume(**more: object) -> Cluster:
    return structs.replace(WELL, volumes=(structs.replace(WELL.volumes[0], **more),))


def update(cluster: Cluster | None, seq: int = 1, at: float = 100.0, host: str = "N1") -> Update:
    info = Host(host, "", name=host, cluster=cluster.name if cluster else "")
    vitals = HostVitals(host, link=Link.UP, read_at=at, cpu=20.0)
    return Update(
        host, seq, at, full=seq == 1, info=info, vitals=vitals, cluster=cluster, cluster_at=at
    )


def stored(cluster: Cluster = WELL) -> Store:
    store = Store()
    store.configure([HostLink("N1", "")])
    told = structs.replace(
        update(cluster), vms=(Vm(GUID, "N1", "web"),), vm_vitals=(VmVitals(GUID, "N1", 2),)
    )
    store.apply(Batch((told,)), 100.0)
    return store


def said(cluster: Cluster) -> list[tuple[str, str]]:
    return [(remark.tone, remark.says) for remark in cluster_remarks(stored(cluster))]


# -- findings ------------------------------------------------------------------------------


def test_nothing_is_wrong_with_a_cluster_that_is_well() -> None:
    assert said(WELL) == []


def test_what_is_wrong_is_said_of_the_thing_it_is_wrong_with() -> None:
    why = ClusterResource("Virtual Machine db", "Virtual Machine", RESOURCE_FAILED, code=14)
    assert said(role("db", state=FAILED, resources=(why,))) == [
        ("error", "db on N2: failed: not enough memory on the node")
    ]
    assert said(node("N3", state=PAUSED, drain=DRAINED)) == [
        ("warning", "N3 is paused and drained")
    ]
    assert said(node("N3", state=PAUSED, drain=DRAIN_FAILED))[0][0] == "error"
    assert ("error", "N3 is isolated: the others do not reach it") in said(
        node("N3", state=DOWN, information=ISOLATED, dynamic_weight=0)
    )
    path = "C:\\ClusterStorage\\V1"
    assert said(volume(fault=REDIRECTED)) == [
        ("warning", f"{path}: redirected: all access goes through N1")
    ]
    assert said(volume(fault=MAINTENANCE))[0][0] == "warning"
    assert said(volume(state=RESOURCE_OFFLINE)) == [("error", f"{path}: its disk is offline")]
    assert said(volume(free=4 * GB)) == [("error", f"{path}: 4.0 GB free, 4%")]


def test_the_votes_are_judged() -> None:
    two = structs.replace(WELL, nodes=(NODES[0], structs.replace(NODES[1], dynamic_weight=0)))
    assert said(two) == [
        ("warning", "CL does not survive every failure: all but N1"),
        ("warning", "CL has 2 voting nodes and no witness"),
    ]
    away = structs.replace(WELL, quorum=2, witness="Share", witness_state=RESOURCE_OFFLINE)
    assert said(away) == [("warning", "Share of CL is not online")]
    away_too = (structs.replace(one, state=DOWN) for one in NODES[1:])
    lost = structs.replace(WELL, nodes=(NODES[0], *away_too))
    assert ("error", "CL has no quorum: 1 of 3 votes, 2 needed") in said(lost)
    down = structs.replace(WELL, networks=(structs.replace(WELL.networks[0], state=2),))
    assert said(down) == [("warning", "Office of CL is partitioned")]


def test_findings_lead_to_what_they_are_about() -> None:
    store = stored(node("N3", state=DOWN, dynamic_weight=0))
    for remark in cluster_remarks(store):
        assert store.row(remark.goes) is not None, remark.goes


# -- columns and filters -------------------------------------------------------------------


def cells(store: Store, kind: str, key: str) -> dict[str, str]:
    every, _ = BY_KIND[kind]
    row = store.row(key)
    return {column.id: column.cell(row).text for column in every}


def test_a_role_is_told_with_its_machine() -> None:
    store = stored()
    told = cells(store, "role", role_key("CL", "web"))
    assert (told["state"], told["owner"], told["vm"]) == ("● Online", "N1", "● Running")
    assert (told["priority"], told["preferred"], told["kind"]) == ("medium", "N1, N2", "Machine")
    astray = stored(role("web", owner="N3"))
    assert cells(astray, "role", role_key("CL", "web"))["note"] == "not on N1"
    moving = ClusterResource("Virtual Machine web", "Virtual Machine", 128, percent=40)
    store = stored(role("web", state=PENDING, resources=(moving,)))
    assert cells(store, "role", role_key("CL", "web"))["state"] == "◌ Moving 40%"
    store = stored(role("web", queued=True))
    assert cells(store, "role", role_key("CL", "web"))["state"] == "◌ Queued"


def test_a_node_is_told_with_its_host_and_its_vote() -> None:
    store = stored()
    told = cells(store, "node", node_key("CL", "N1"))
    assert (told["state"], told["votes"], told["roles"]) == ("● Up", "1/1", "1")
    assert (told["cpu"], told["vms"], told["host"]) == ("20%", "1/1", "N1")
    told = cells(store, "node", node_key("CL", "N2"))
    assert (told["cpu"], told["vms"], told["host"]) == ("", "", "not configured")


def test_filters_know_what_clusters_are_made_of() -> None:
    store = stored(role("db", state=OFFLINE))
    roles, nodes, volumes = (
        store.clusters.roles.values(), store.clusters.nodes.values(),
        store.clusters.volumes.values(),
    )  # fmt: skip

    def names(filter_: str, kind: str, rows: object) -> list[str]:
        return [row.name for row in parse(filter_, kind).select(rows)]  # type: ignore[arg-type]

    assert names("is:offline", "role", roles) == ["db"]
    assert names("@N1 is:machine", "role", roles) == ["web"]
    assert names("preferred:N2", "role", roles) == ["web"]
    assert names("vote>0 @CL", "node", nodes) == ["N1", "N2", "N3"]
    assert names("used>=50%", "csv", volumes) == ["C:\\ClusterStorage\\V1"]
    assert names("is:problem", "csv", volumes) == []


# -- what happened -------------------------------------------------------------------------


def told(before: Cluster, now: Cluster) -> list[tuple[str, bool]]:
    return [(one.words, one.grave) for one in news(before, now)]


def test_what_happens_is_told_once_and_in_a_sentence() -> None:
    gone = node("N3", state=DOWN, dynamic_weight=0)
    assert told(WELL, gone) == [
        ("N3 of CL is down. Votes: 2 of 2 votes, 2 needed; it may lose all but N1 and N2", True)
    ]
    assert told(gone, gone) == []
    assert told(gone, WELL)[0][0].startswith("N3 of CL is up again")
    assert told(WELL, role("web", owner="N2")) == [("web went from N1 to N2", False)]
    assert told(WELL, role("db", state=FAILED)) == [("db of CL has failed on N2", True)]
    paused = node("N1", state=PAUSED, drain=1)
    drained = node("N1", state=PAUSED, drain=DRAINED)
    assert told(paused, drained) == [("N1 of CL is drained", False)]
    assert told(drained, WELL) == [("N1 of CL takes roles again", False)]


def test_moves_off_a_drained_node_are_not_told_one_by_one() -> None:
    paused = node("N1", state=PAUSED, drain=1)
    moved = structs.replace(paused, roles=role("web", owner="N2").roles)
    assert told(paused, moved) == []


def test_many_moves_are_one_notice() -> None:
    names = [f"vm{at}" for at in range(6)]
    every = tuple(Role(name, MACHINE_ROLE, 0, "N1") for name in names)
    before = structs.replace(WELL, roles=every)
    now = structs.replace(
        WELL, roles=tuple(structs.replace(one, owner="N2") for one in every)
    )  # fmt: skip
    assert told(before, now) == [
        ("6 roles left N1: vm0 to N2, vm1 to N2, vm2 to N2, vm3 to N2 and 2 more", False)
    ]


def test_what_somebody_here_has_asked_for_is_not_news() -> None:
    store = stored()
    row = store.clusters.roles[role_key("CL", "web")]
    row.pending = "Move role…"
    changes = store.apply(Batch((update(role("web", owner="N2"), 2, 101.0),)), 101.0)
    assert changes.news == []
    row.pending = ""
    changes = store.apply(Batch((update(WELL, 3, 102.0),)), 102.0)
    assert [one.words for one in changes.news] == ["web went from N2 to N1"]


def test_a_move_of_its_machine_that_somebody_here_has_asked_for_is_not_news() -> None:
    store = stored()
    call = Call("call-1", "vm.migrate", "N1", GUID)
    store.begin(call, GUID, text="Migrate", now=100.5)
    store.tick(101.0)
    ended = CallUpdate(call.id, call.action, "N1", GUID, "web", Phase.OBSERVED, 101.5)
    store.apply(Batch(calls=(ended,)), 101.5)
    assert store.vms[GUID].pending == ""
    changes = store.apply(Batch((update(role("web", owner="N2"), 2, 105.0),)), 105.0)
    assert changes.news == [], "the cluster tells of it after the hosts"
    changes = store.apply(Batch((update(WELL, 3, 125.0),)), 125.0)
    assert [one.words for one in changes.news] == ["web went from N2 to N1"]


def test_a_move_long_after_a_call_from_here_is_news() -> None:
    store = stored()
    store.begin(Call("call-1", "vm.migrate", "N1", GUID), GUID, text="Migrate", now=100.5)
    store.tick(101.0)
    ended = CallUpdate("call-1", "vm.migrate", "N1", GUID, "web", Phase.FAILED, 101.5)
    store.apply(Batch(calls=(ended,)), 101.5)
    unchanged = structs.replace(update(WELL, 2, 115.0), cluster=None)
    store.apply(Batch((unchanged,)), 115.0)
    changes = store.apply(Batch((update(role("web", owner="N2"), 3, 120.0),)), 120.0)
    assert [one.words for one in changes.news] == ["web went from N1 to N2"]


# -- who tells, and how old it is ----------------------------------------------------------


def test_what_is_told_of_a_cluster_ages_though_the_host_answers() -> None:
    store = stored()
    row = store.clusters.roles[role_key("CL", "web")]
    for seq, at in enumerate((110.0, 125.0, 160.0), 2):
        silent = structs.replace(update(None, seq, at), info=None, cluster_at=100.0)
        store.apply(Batch((silent,)), at)
        assert store.hosts["N1"].stale is Stale.FRESH
    stale = row.stale
    assert stale is Stale.OLD
    changes: Changes = store.apply(Batch((update(WELL, 9, 161.0),)), 161.0)
    assert row.stale < stale
    assert changes.roles.changed


def test_a_node_that_does_not_tell_is_passed_over_while_another_does() -> None:
    hub = Hub()
    for name in ("N1", "N2"):
        info = Host(name, "", name=name, cluster="CL")
        hub.publish(Inventory(info, HostVitals(name, link=Link.UP)))
    assert hub.speaker("CL") == "N1"
    hub.mute("N1")
    assert hub.speaker("CL") == "N2"
    hub.mute("N2")
    assert hub.speaker("CL") == "N1", "somebody has to be asked"
    hub.unmute("N2")
    assert hub.speaker("CL") == "N2"


def test_two_clusters_keep_what_is_theirs_apart() -> None:
    store = Store()
    store.configure([HostLink("N1", ""), HostLink("X1", "")])
    other = structs.replace(WELL, name="OTHER", nodes=(ClusterNode("X1"),))
    both = (update(WELL), update(other, host="X1"))
    store.apply(Batch(both), 100.0)
    assert len(store.clusters.roles) == 2 * len(WELL.roles)
    with pytest.raises(UsageError, match="is not one but 2"):
        resolve(store, Kind.ROLE, ["Cluster Group"], parse("", "role"))
    (found,) = resolve(store, Kind.ROLE, ["Cluster Group@OTHER"], parse("", "role"))
    assert found.cluster is not None
    assert (found.cluster.name, found.host.id) == ("OTHER", "X1")
    (found,) = resolve(store, Kind.CSV, ["v1@CL"], parse("", "csv"))
    assert found.id == "csv:CL/C:\\ClusterStorage\\V1"


# -- heads and facts -----------------------------------------------------------------------


def test_a_cluster_is_told_in_a_line() -> None:
    words = [words for words, _ in parts(WELL)]
    assert words == ["● 3/3 nodes up", "3/3 votes, 2 needed", "no witness", "may lose any one"]
    edge = structs.replace(WELL, nodes=(NODES[0], *(
        structs.replace(n, state=DOWN, dynamic_weight=0) for n in NODES[1:])))  # fmt: skip
    said = parts(edge)
    assert ("▲ 1/3 nodes up", "error") in said
    assert ("may lose all but N1", "warning") in said


def test_facts_of_each_kind_say_what_matters() -> None:
    store = stored()
    titles = {
        key: {section.title for section in facts(store.row(key), store, 100.0)}
        for key in (role_key("CL", "web"), node_key("CL", "N1"), "csv:CL/C:\\ClusterStorage\\V1")
    }
    assert titles[role_key("CL", "web")] >= {"Role", "Policy"}
    assert titles[node_key("CL", "N1")] >= {"Node", "If it goes down", "Roles", "Volumes"}
    assert titles["csv:CL/C:\\ClusterStorage\\V1"] >= {"Shared volume"}
    quorum = next(s for s in cluster_facts(WELL) if s.title == "Quorum")
    assert {f.label: f.text for f in quorum.facts}["Votes"] == "3 of 3 votes, 2 needed"
    group = {section.title for section in facts(store.row("cluster:CL"), store, 100.0)}
    assert {"Quorum", "Nodes", "Members"} <= group


def test_errors_of_the_cluster_are_explained() -> None:
    for code, word in ((5005, "neither up nor paused"), (70, "paused"), (5960, "locked"),
                       (5050, "down"), (5023, "state")):  # fmt: skip
        for number in (0x80070000 | code, code):
            found = explain(number)
            assert found is not None
            assert word in found.meaning, number
    assert find_code("0x8007138D") is not None


# -- the page ------------------------------------------------------------------------------


@story
async def test_without_a_cluster_the_page_says_so() -> None:
    with estate("homelab") as served:
        async with live_deck(served, size=(80, 24)) as d:
            await d.press("C")
            await d.shows("No configured host is a node of a failover cluster")


@story
async def test_tables_turn_and_keys_act_on_their_rows() -> None:
    with estate("cluster") as served:
        async with live_deck(served, size=(120, 40)) as d:
            pane = d.app.panes.cluster
            await d.until(lambda: d.app.store.clusters.roles, "the cluster is known")
            await d.press("C")
            await d.shows("Roles of clusters")
            for title in ("Nodes of clusters", "Cluster shared volumes", "Networks of clusters",
                          "Resources of clusters", "What is wrong with clusters"):  # fmt: skip
                await d.press("right")
                await d.shows(title)
            await d.press("right")
            pane.grid.move_to(role_key("FCL1", "git"))
            await d.press("space")
            assert role_key("FCL1", "git") in d.app.store.marks
            await d.press("x")
            await d.shows("Move role git")
            await d.shows("Fail over git")
            await d.press("escape", "d")
            await d.shows("Policy")
            await d.press("escape", "slash")
            await d.type("sql")
            await d.press("enter")
            assert [pane.rows[key].name for key in pane.grid.keys] == ["sql-erp", "test-sql"]
            await d.press("escape")
            d.app.commands.go_to(node_key("FCL1", "NODE3"))
            await d.pilot.pause()
            assert (pane.view, pane.cursor) == ("nodes", node_key("FCL1", "NODE3"))

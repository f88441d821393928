"""The deck over a failover cluster on sockets: nodes die, votes run out, a node is drained."""

from __future__ import annotations

from typing import Any

from tests.cluster_cases import value
from tests.deck_kit import story
from tests.link_kit import PASSWORD, USER
from tests.live_kit import Estate, estate
from tests.story_kit import LiveDeck, live_deck
from tests.verb_story_kit import Truth
from tui.hyperv.cluster import DOWN, DRAINED, ISOLATED, UP, Cluster
from tui.rows.clustering import node_votes
from tui.sim import outages
from tui.store.clusters import node_key, role_key
from tui.ui.dialogs import Confirm
from tui.ui.form import Form

NAME = "FCL1"
MACHINES = 31
HOURS = 86_400
"""Simulated seconds that no test takes."""
STAYS = "installer"
"""An ISO on its node's own disk: no other node can start it."""


def cluster(d: LiveDeck) -> Cluster:
    found = d.app.store.clusters.cluster(NAME)
    assert found is not None
    return found


def node(d: LiveDeck, name: str) -> Any:
    return d.app.store.clusters.nodes[node_key(NAME, name)].thing


def roles_on(d: LiveDeck, name: str) -> set[str]:
    return {role.name for role in cluster(d).roles if role.owner == name and not role.core}


def strike(served: Estate, name: str) -> None:
    """The power of a node goes."""
    host = served.fabric.hosts[name]
    served.fabric.after(0.0, lambda at: outages.fail_node(served.fabric, host))


def mend(served: Estate, name: str) -> None:
    host = served.fabric.hosts[name]
    served.fabric.after(0.0, lambda at: outages.restore_node(served.fabric, host))


def truth(served: Estate, name: str) -> Truth:
    return Truth(served.endpoints[name].url, USER, PASSWORD)


def send_form(d: LiveDeck) -> None:
    form = d.app.screen
    assert isinstance(form, Form)
    form.action_send_form()


async def opened(d: LiveDeck, view: str) -> None:
    """The page, once everything is known of the cluster and its machines."""
    await d.until(lambda: d.app.store.clusters.known, "the cluster is known")
    roles = d.app.store.clusters.roles
    await d.until(lambda: len(d.app.store.vms) == MACHINES, "the machines")
    await d.until(
        lambda: all(row.machine is not None for row in roles.values() if not row.thing.core),
        "every role has its machine",
    )
    await d.press("C")
    d.app.panes.cluster.open(view)
    await d.rest()


@story
async def test_a_node_dies_while_the_deck_watches() -> None:
    with estate("cluster", speed=30.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "nodes")
            await d.shows("4/4 nodes up  5/5 votes, 3 needed  witness online  may lose any one")
            store, gone = d.app.store, roles_on(d, "NODE3")
            assert gone > {"shop", "bi", STAYS}
            shop = next(row for row in store.vms.values() if row.name == "shop")
            key, history = shop.key, store.histories[shop.key]
            store.mark([key], True)
            strike(served, "NODE3")
            await d.until(lambda: node(d, "NODE3").state == DOWN, "NODE3 is seen to be down")
            await d.until(lambda: roles_on(d, "NODE3") == {STAYS}, "its roles are elsewhere")
            await d.until(lambda: shop.host.id != "NODE3" and shop.vitals.state == 2, "shop runs")
            assert store.vms[key] is shop, "the same row"
            assert shop.marked
            assert store.histories[key] is history
            assert store.clusters.roles[role_key(NAME, "shop")].machine is shop
            await d.says(
                "NODE3 of FCL1 is down. Votes: 3 of 3 votes, 2 needed; it may lose any one"
            )
            await d.until(
                lambda: "left NODE3" in d.notices or "went from NODE3" in d.notices,
                "where its roles went",
            )
            assert d.notices.count("NODE3 of FCL1 is down") == 1
            await d.shows("3/4 nodes up")
            await d.shows("Down")
            said = truth(served, "NODE2")
            assert value(said, "Node", "NODE3", "State") == DOWN
            assert value(said, "ResourceGroup", "shop", "OwnerNode") == shop.host.id
            said.close()
            await d.press("right_square_bracket", "exclamation_mark")
            mend(served, "NODE3")
            await d.until(lambda: node(d, "NODE3").state == UP, "NODE3 is back")
            await d.says("NODE3 of FCL1 is up again")


@story
async def test_votes_run_out() -> None:
    """Without its witness a cluster loses node after node, and the deck says where the edge is."""
    with estate("cluster", speed=30.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "findings")
            shared = served.fabric.clusters[NAME]
            served.fabric.after(0.0, lambda at: outages.fail_witness(shared))
            await d.says("The witness of FCL1 is not online")
            await d.shows("File Share Witness of FCL1 is not online")
            await d.shows("3/3 votes, 2 needed")
            strike(served, "NODE1")
            await d.until(lambda: cluster_down(d) == {"NODE1"}, "NODE1 is down")
            strike(served, "NODE2")
            await d.until(lambda: cluster_down(d) == {"NODE1", "NODE2"}, "NODE2 is down")
            await d.shows("1/1 votes, 1 needed")
            await d.shows("may lose all but NODE3")
            await d.shows("FCL1 does not survive every failure")
            await drain_is_red(d)
            strike(served, "NODE3")
            await d.until(lambda: all(row.stale for row in d.app.store.clusters.roles.values()),
                          "what is known of it is old")  # fmt: skip


@story
async def test_a_partition_isolates_the_half_without_the_witness() -> None:
    """Both halves run on; only one of them has the votes, and the deck tells which: not the half
    that has told of the cluster so far.
    """
    with estate("cluster", speed=8.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "nodes")
            served.fabric.clusters[NAME].settings["ResiliencyDefaultPeriod"] = HOURS
            split = {name: roles_on(d, name) for name in ("NODE1", "NODE2")}
            assert all(split.values())
            for name in split:
                part(served, name)
            await d.until(lambda: isolated(d) == set(split), "both are isolated")
            await d.says("NODE1 of FCL1 is isolated: the others do not reach it")
            await d.says("NODE2 of FCL1 is isolated: the others do not reach it")
            await d.shows("2/4 nodes up  3/3 votes, 2 needed")
            await d.shows("Isolated")
            assert "is down" not in d.notices, "isolated is not dead"
            cells = {name: node_votes(d.app.store.clusters.nodes[node_key(NAME, name)]).text
                     for name in (*split, "NODE3", "NODE4")}  # fmt: skip
            assert cells == {"NODE1": "0/1", "NODE2": "0/1", "NODE3": "1/1", "NODE4": "1/1"}
            for name, roles in split.items():
                assert roles_on(d, name) == roles, "its machines go on"
                assert not d.app.store.hosts[name].vitals.trouble, "and it answers"
                own = truth(served, name)
                assert roles <= own.names(), "as it says itself"
                own.close()
            said = truth(served, "NODE3")
            rows = {str(row["Name"]): row for row in said("SELECT * FROM MSCluster_Node")}
            assert [rows[name]["DynamicWeight"] for name in sorted(rows)] == [0, 0, 1, 1]
            assert [rows[name]["StatusInformation"] for name in sorted(rows)] == [1, 1, 0, 0]
            for name in split:
                reunite(served, name)
            await d.until(lambda: all(node(d, name).state == UP for name in split), "one again")
            await d.shows("4/4 nodes up  5/5 votes, 3 needed")
            said.close()


def isolated(d: LiveDeck) -> set[str]:
    return {one.name for one in cluster(d).nodes if one.information & ISOLATED}


def part(served: Estate, name: str) -> None:
    """A node cannot reach the others any more."""
    host = served.fabric.hosts[name]
    served.fabric.after(0.0, lambda at: outages.isolate_node(served.fabric, host))


def reunite(served: Estate, name: str) -> None:
    host = served.fabric.hosts[name]
    served.fabric.after(0.0, lambda at: outages.reunite_node(served.fabric, host))


def cluster_down(d: LiveDeck) -> set[str]:
    return {one.name for one in cluster(d).nodes if one.state == DOWN}


async def drain_is_red(d: LiveDeck) -> None:
    """Draining the node everything hangs on is asked for by its name, with the arithmetic."""
    key = node_key(NAME, "NODE3")
    target = d.app.store.target(key)
    assert target is not None
    d.app.operator.act("node.drain", on=[(key, target)])
    await d.until(lambda: isinstance(d.app.screen, Form) and d.app.screen.focused, "the form")
    send_form(d)
    await d.until(lambda: isinstance(d.app.screen, Confirm), "the question")
    question = d.app.screen
    assert isinstance(question, Confirm)
    assert question._question.phrase == "NODE3"
    await d.shows("Votes now: 1 of 1 vote, 1 needed")
    await d.shows("cluster stops, and every role with it")
    await d.press("escape")
    await d.until(lambda: not isinstance(d.app.screen, Confirm), "nothing is done")


@story
async def test_a_node_is_drained_by_keys_and_resumed() -> None:
    with estate("cluster", speed=60.0) as served:
        async with live_deck(served, size=(120, 45)) as d:
            await opened(d, "nodes")
            home = roles_on(d, "NODE4")
            grid = d.app.panes.cluster.grid
            grid.move_to(node_key(NAME, "NODE4"))
            await d.rest()
            await d.press("x")
            await d.type("drain")
            await d.press("enter")
            await d.until(lambda: isinstance(d.app.screen, Form), "where to")
            send_form(d)
            await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
            await d.shows("Not in the cluster, they stay: backup-proxy")
            await d.say_yes()
            await d.says("Drain node NODE4 on NODE1: done")
            said = truth(served, "NODE2")
            assert value(said, "Node", "NODE4", "NodeDrainStatus") == DRAINED
            await d.until(lambda: roles_on(d, "NODE4") == set(), "nothing is on it")
            assert "went from NODE4" not in d.notices, "one word at the end is enough"
            await d.shows("drained")
            await d.press("x")
            await d.type("resume")
            await d.press("enter")
            await d.until(lambda: isinstance(d.app.screen, Form), "whether they come back")
            send_form(d)
            await d.says("Resume node NODE4 on NODE1: done")
            await d.until(lambda: roles_on(d, "NODE4") == home, "they are home")
            assert value(said, "Node", "NODE4", "State") == UP
            said.close()

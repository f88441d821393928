"""Hosts that lose their power or the others' company, and what a cluster makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.sim import cluster_nodes, cluster_volumes, power, win32
from tui.sim.cluster import DOWN, ISOLATED, JOINING, QUARANTINED
from tui.sim.cluster_moves import end
from tui.sim.cluster_roles import ONLINE_PENDING, bring_online, crash, restart_elsewhere
from tui.sim.machine import STARTING

if TYPE_CHECKING:
    from tui.sim.cluster import Cluster, Group, Node
    from tui.sim.world import Fabric, SimHost

JOIN = 6.0
"""Seconds a node needs to become a member again."""
STAGGER = 0.4
"""Seconds between two roles that a cluster restarts."""
HOUR = 3600.0
RESTART, ALWAYS = 3, 4
"""AutomaticStartupAction."""


def schedule(fabric: Fabric, host: SimHost) -> None:
    """Let happen what the knobs of a host have ordered."""
    faults = host.faults
    if faults.dies_after > 0:
        fabric.after(faults.dies_after, lambda _: fail_node(fabric, host))
    if faults.returns_after > 0:
        fabric.after(faults.returns_after, lambda _: restore_node(fabric, host))
    if faults.isolated_after > 0:
        fabric.after(faults.isolated_after, lambda _: isolate_node(fabric, host))
    if faults.rejoins_after > 0:
        fabric.after(faults.rejoins_after, lambda _: reunite_node(fabric, host))


# -- power ---------------------------------------------------------------------------------


def fail_node(fabric: Fabric, host: SimHost) -> None:
    """A host loses its power: nobody answers there, and its machines are gone at once."""
    if host.down:
        return
    host.ensure()
    cluster = fabric.cluster_of(host)
    now = fabric.now()
    node = None if cluster is None else cluster.nodes[host.name.lower()]
    for group in cluster.on(node) if cluster is not None and node is not None else ():
        group.look()
    host.down = True
    host.jobs.abandon()
    if cluster is not None and node is not None:
        _drop_moves(cluster, node)
    for machine in list(host.machines.values()):
        if machine.alive or machine.state == STARTING:
            host.interrupted.add(machine.id)
            power.off(machine, at=now)
    if cluster is not None and node is not None and cluster.up:
        fabric.after(_silence(cluster), lambda _: _miss(cluster, node))


def _silence(cluster: Cluster) -> float:
    """Seconds until the others hold a silent node to be gone."""
    return cluster.number("SameSubnetDelay") / 1000 * cluster.number("SameSubnetThreshold")


def restore_node(fabric: Fabric, host: SimHost) -> None:
    """The host is switched on: it answers, starts its machines and joins its cluster."""
    if not host.down:
        return
    now = fabric.now()
    host.down, host.restarted = False, now
    host.spent = 0.0
    host.passed.clear()
    host.tallies.clear()
    host.volumes_passed.clear()
    cluster = fabric.cluster_of(host)
    if cluster is not None:
        node = cluster.nodes[host.name.lower()]
        node.cut = False
        if node.active and cluster.up:
            _remove(cluster, node)
        _join(cluster, node)
    for machine in list(host.machines.values()):
        action = machine.settings.values["AutomaticStartupAction"]
        was = machine.id in host.interrupted
        if machine.clustered or not (action == ALWAYS or (action == RESTART and was)):
            continue
        if not machine.alive and power.check_start(machine, now) is None:
            power.on(machine, now)
    host.interrupted.clear()


# -- company -------------------------------------------------------------------------------


def isolate_node(fabric: Fabric, host: SimHost) -> None:
    """A node cannot reach the others any more. Its machines go on, for a while."""
    cluster = fabric.cluster_of(host)
    if cluster is None or host.down:
        return
    node = cluster.nodes[host.name.lower()]
    if node.cut:
        return
    node.cut = True
    if cluster.up:
        fabric.after(_silence(cluster), lambda _: _miss(cluster, node))


def reunite_node(fabric: Fabric, host: SimHost) -> None:
    """The node reaches the others again; one that comes and goes too often is kept out."""
    cluster = fabric.cluster_of(host)
    node = cluster.nodes[host.name.lower()] if cluster is not None else None
    if cluster is None or node is None or not node.cut:
        return
    node.cut = False
    if node.active and cluster.up:
        return
    recent = [at for at in node.isolations if fabric.now() - at < HOUR]
    if len(recent) >= max(1, cluster.number("QuarantineThreshold")):
        _give_up(cluster, node)
        node.information = QUARANTINED
        duration = float(cluster.number("QuarantineDuration"))
        fabric.after(duration, lambda _: _released(cluster, node))
        return
    _join(cluster, node)


def _released(cluster: Cluster, node: Node) -> None:
    if node.information == QUARANTINED and not node.host.down and not node.cut:
        _join(cluster, node)


def fail_witness(cluster: Cluster) -> None:
    """Nobody can reach the witness any more."""
    cluster.witness = replace(cluster.witness, up=False)
    if cluster.up and not cluster.holds():
        _lose(cluster)
    elif cluster.up:
        cluster.count()


def restore_witness(cluster: Cluster) -> None:
    """The witness can be reached again; its vote may be the one that was missing."""
    cluster.witness = replace(cluster.witness, up=cluster.witness.there)
    if cluster.up:
        cluster.count()
    else:
        _form(cluster)


# -- what the others do --------------------------------------------------------------------


def _drop_moves(cluster: Cluster, node: Node) -> None:
    for move in [*cluster.queue, *cluster.moves]:
        if node in (move.source, move.target):
            end(cluster, move, win32.NODE_DOWN)


def _miss(cluster: Cluster, node: Node) -> None:
    """A node has been silent for too long."""
    if not cluster.up or not node.active or not (node.host.down or node.cut):
        return
    if node.host.down:
        _remove(cluster, node)
        return
    if not cluster.holds(node):
        _lose(cluster)
        return
    node.state, node.information = DOWN, ISOLATED
    now = cluster.fabric.now()
    node.isolations.append(now)
    _drop_moves(cluster, node)
    for group in cluster.on(node):
        group.unmonitored = True
    cluster.count()
    cluster_volumes.leave(cluster, node)
    patience = float(cluster.number("ResiliencyDefaultPeriod"))
    cluster.fabric.after(patience, lambda at: _lost_patience(cluster, node, now))


def _lost_patience(cluster: Cluster, node: Node, since: float) -> None:
    if node.information == ISOLATED and node.isolations[-1] == since:
        _give_up(cluster, node)


def _give_up(cluster: Cluster, node: Node) -> None:
    """An isolated node stops its machines, and the others start them."""
    node.information = 0
    now = cluster.fabric.now()
    for group in cluster.on(node):
        group.unmonitored = False
        group.look()
        crash(group, now)
    _restart(cluster, cluster.on(node))


def _leave(node: Node) -> None:
    """It is no member any more; a drain that was not complete never will be."""
    node.state, node.information = DOWN, 0
    if node.drain == cluster_nodes.IN_PROGRESS:
        node.drain = cluster_nodes.UNSUCCESSFUL


def _remove(cluster: Cluster, node: Node) -> None:
    """The others go on without a node, if they have the votes for that."""
    if not cluster.holds(node):
        _lose(cluster)
        return
    _leave(node)
    _drop_moves(cluster, node)
    cluster.count()
    cluster_volumes.leave(cluster, node)
    _restart(cluster, cluster.on(node))


def _restart(cluster: Cluster, groups: list[Group]) -> None:
    """Roles of a node that is gone: the most important first; those without priority stay off."""
    number = 0
    for group in groups:
        if group.gone:
            continue
        group.wanted = group.wanted and group.priority > 0
        group.pending = ONLINE_PENDING if group.wanted else 0
        _after(cluster, group, number)
        number += int(group.wanted)


def _after(cluster: Cluster, group: Group, number: int) -> None:
    def due(at: float) -> None:
        if cluster.up and group.move is None and not group.running:
            restart_elsewhere(cluster, group)

    cluster.fabric.after(STAGGER * number, due)


def _lose(cluster: Cluster) -> None:
    """No quorum: the cluster service stops everywhere, and so do the roles."""
    cluster.up = False
    now = cluster.fabric.now()
    for move in [*cluster.queue, *cluster.moves]:
        end(cluster, move, win32.NO_QUORUM)
    for group in cluster.roles():
        group.unmonitored = False
        group.look()
        crash(group, now)
    for node in cluster.nodes.values():
        _leave(node)


# -- coming back ---------------------------------------------------------------------------


def _join(cluster: Cluster, node: Node) -> None:
    node.state, node.information = JOINING, 0
    cluster.fabric.after(JOIN, lambda _: _joined(cluster, node))


def _joined(cluster: Cluster, node: Node) -> None:
    if node.state != JOINING or node.host.down or node.cut:
        return
    if not cluster.up:
        _form(cluster)
        return
    node.join()
    cluster.count()
    for group in cluster.on(node):
        _welcome(cluster, group)
    if not node.held:
        cluster_nodes.fail_back(cluster, node)
    cluster_nodes.retry(cluster)


def _welcome(cluster: Cluster, group: Group) -> None:
    """A role that is on a node which is back, whatever has become of it meanwhile."""
    group.unmonitored = False
    if group.wanted and not group.running and not group.gone and not group.pending:
        bring_online(cluster, group)


def _form(cluster: Cluster) -> None:
    """Nodes that are there again form the cluster, once they have the majority it had last."""
    there = [n for n in cluster.nodes.values() if not n.host.down and not n.cut]
    away = [n for n in cluster.nodes.values() if n not in there]
    states = {node: node.state for node in there}
    for node in there:
        node.join()
    if not cluster.holds(*away):
        for node, state in states.items():
            node.state = state
        return
    cluster.up = True
    cluster.count()
    for node in away:
        cluster_volumes.leave(cluster, node)
        _restart(cluster, cluster.on(node))
    for node in there:
        for group in cluster.on(node):
            group.wanted = group.wanted and group.priority > 0
            _welcome(cluster, group)

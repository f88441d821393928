"""Nodes of a cluster: paused and drained, resumed, and what comes back to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui.sim import cluster_volumes, shapes, win32
from tui.sim.cluster import DOWN, PAUSED, UP
from tui.sim.cluster_moves import HIGH, QUEUE, RETURN, Move, check_target, end, enqueue
from tui.sim.cluster_roles import bring_online, restart_elsewhere
from tui.sim.move_list import LIVE, SAVE

if TYPE_CHECKING:
    from tui.sim.cluster import Cluster, Group, Node

NO_DRAIN, DRAIN, FORCE_DRAIN = range(3)
STAY, AT_ONCE, BY_POLICY = range(3)
IN_PROGRESS, COMPLETED, UNSUCCESSFUL = 1, 2, 3
FLAGS = RETURN | QUEUE | HIGH


# -- pausing -------------------------------------------------------------------------------


def pause(cluster: Cluster, node: Node, drain: int, target: str) -> None:
    """Let nothing come to a node; and let what is on it go, one after another."""
    if drain not in (NO_DRAIN, DRAIN, FORCE_DRAIN):
        raise win32.refused(win32.BAD_PARAMETER)
    if not node.active:
        raise win32.refused(win32.NODE_DOWN)
    if node.drain == IN_PROGRESS:
        raise win32.refused(win32.INVALID_STATE)
    chosen = cluster.node(target) if target.strip() else None
    if chosen is node:
        raise win32.refused(win32.BAD_PARAMETER)
    if chosen is not None:
        check_target(chosen)
    node.state, node.held = PAUSED, True
    node.drain, node.drain_error, node.failback = 0, 0, 0
    node.drain_target = chosen.name if chosen is not None else ""
    if drain != NO_DRAIN:
        _drain(cluster, node, chosen, force=drain == FORCE_DRAIN)


def _drain(cluster: Cluster, node: Node, target: Node | None, *, force: bool) -> None:
    node.drain = IN_PROGRESS
    node.drains += 1
    turn = node.drains
    cluster_volumes.leave(cluster, node)
    waiting = {group.name for group in cluster.on(node)}

    def over(group: Group, code: int) -> None:
        waiting.discard(group.name)
        if node.drain != IN_PROGRESS or node.drains != turn:
            return
        if code:
            node.drain_error = code
        if not waiting:
            node.drain = UNSUCCESSFUL if node.drain_error else COMPLETED

    def gone(group: Group, how: int, at: float, code: int) -> None:
        # A forced drain saves what cannot go live.
        if code and code != win32.CANCELLED and force and how == LIVE and group.running:
            send(group, SAVE)
        else:
            over(group, code)

    def send(group: Group, how: int) -> None:
        group.home = node.name
        enqueue(cluster, Move(group, node, target, how, FLAGS, partial(gone, group, how)))

    leaving = cluster.on(node)
    if not leaving:
        node.drain = COMPLETED
    for group in leaving:
        group.look()
        if group.values["LockedFromMoving"] and not force:
            over(group, win32.LOCKED)
        elif group.move is not None or group.pending or group.gone:
            over(group, win32.INVALID_STATE)
        else:
            send(group, LIVE)


# -- resuming ------------------------------------------------------------------------------


def resume(cluster: Cluster, node: Node, failback: int) -> None:
    """A node takes roles again; those drained from it come home if they are to."""
    if failback not in (STAY, AT_ONCE, BY_POLICY):
        raise win32.refused(win32.BAD_PARAMETER)
    if node.state != PAUSED:
        raise win32.refused(win32.NODE_DOWN if node.state == DOWN else win32.NOT_PAUSED)
    node.state, node.held = UP, False
    node.drain, node.drain_target, node.drain_error = 0, "", 0
    for move in [move for move in cluster.queue if move.source is node]:
        end(cluster, move, win32.CANCELLED)
    gone = [g for g in cluster.roles() if g.home == node.name and g.owner != node.name]
    for group in cluster.roles():
        if group.home == node.name:
            group.home = ""
    if failback == AT_ONCE:
        come_home(cluster, node, gone)
    elif failback == BY_POLICY:
        come_home(cluster, node, [group for group in gone if may_fail_back(cluster, group)])
    retry(cluster)


def may_fail_back(cluster: Cluster, group: Group) -> bool:
    """Its policy lets it go back at this hour."""
    start, stop = (group.values[f"FailbackWindow{word}"] for word in ("Start", "End"))
    if not group.values["AutoFailbackType"]:
        return False
    if not (isinstance(start, int) and isinstance(stop, int)) or start < 0 or stop < 0:
        return True
    hour = shapes.when(cluster.fabric.now()).hour
    return start <= hour < stop if start <= stop else hour >= start or hour < stop


def come_home(cluster: Cluster, node: Node, groups: list[Group]) -> None:
    """Move roles to a node, in turn."""
    waiting = {group.name for group in groups if group.move is None and not group.pending}
    node.failback = IN_PROGRESS if waiting else COMPLETED
    failed: list[int] = []

    def over(group: Group, at: float, code: int) -> None:
        waiting.discard(group.name)
        failed.append(code)
        if not waiting:
            node.failback = UNSUCCESSFUL if any(failed) else COMPLETED

    for group in groups:
        if group.name in waiting:
            source = cluster.owner(group)
            enqueue(cluster, Move(group, source, node, LIVE, FLAGS, partial(over, group)))


def fail_back(cluster: Cluster, node: Node) -> None:
    """A node is back: roles whose first available preferred owner it is come to it by policy."""
    coming = []
    for group in cluster.roles():
        owners = [name.lower() for name in group.preferred]
        ready = [n for n in owners if n in cluster.nodes and cluster.nodes[n].state == UP]
        first = ready[0] if ready else ""
        away = group.owner != node.name and group.running
        if first == node.name.lower() and away and may_fail_back(cluster, group):
            coming.append(group)
    if coming:
        come_home(cluster, node, coming)


def retry(cluster: Cluster) -> None:
    """There is room again: roles that no node could take are started now."""
    for group in cluster.roles():
        if not group.failed or not group.lacking or group.move is not None or group.gone:
            continue
        if cluster.owner(group).state == UP:
            group.lacking = False
            bring_online(cluster, group)
        else:
            group.failed = group.lacking = False
            restart_elsewhere(cluster, group)

"""Moves of groups between nodes: live, by saving, by shutting down; and the queue they wait in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.sim import merging, shapes, win32
from tui.sim.cluster import DOWN, PAUSED, UP
from tui.sim.cluster_places import hand_over, memory_of, ranked, unfit, why_nowhere
from tui.sim.cluster_roles import Ended, bring_online, nothing, take_offline
from tui.sim.move_list import LIVE, SAVE

if TYPE_CHECKING:
    from tui.sim.cluster import Cluster, Group, Node

IGNORE_LOCK, RETURN, QUEUE, HIGH, FAIL_BACK, IGNORE_AFFINITY = 1, 2, 4, 8, 0x10, 0x20
FLAGS = IGNORE_LOCK | RETURN | QUEUE | HIGH | FAIL_BACK | IGNORE_AFFINITY
OVERHEAD, RATE = 2.0, 2.5
"""Seconds a live migration takes besides copying, and GB of memory copied in a second."""
QUICKLY = 0.5
"""Seconds to move what holds no memory."""


@dataclass(slots=True, eq=False)
class Move:
    """A group on its way to another node, or waiting for its turn."""

    group: Group
    source: Node
    target: Node | None
    """None until the cluster has chosen."""
    how: int
    flags: int = 0
    ended: Ended = nothing
    begun: float = 0.0
    seconds: float = 0.0
    over: bool = False

    @property
    def heavy(self) -> bool:
        """It counts as one of the migrations a node does at a time."""
        machine = self.group.machine
        return self.how in (LIVE, SAVE) and machine is not None and machine.alive

    def percent(self, now: float) -> int:
        if not self.begun or not self.seconds:
            return 0
        return max(0, min(99, int(100 * (now - self.begun) / self.seconds)))


# -- asking --------------------------------------------------------------------------------


def request(cluster: Cluster, group: Group, name: str, how: int | None, flags: int = 0) -> None:
    """Move a group as a client asks; the fault of the cluster API when it cannot be."""
    if flags & ~FLAGS or (flags & IGNORE_LOCK and flags & QUEUE):
        raise win32.refused(win32.BAD_PARAMETER)
    if group.move is not None or group.pending:
        raise win32.refused(win32.INVALID_STATE)
    source = cluster.owner(group)
    if not source.active:
        raise win32.refused(win32.NODE_DOWN)
    group.look()
    target = cluster.node(name) if name.strip() else None
    if target is source:
        return
    if target is not None:
        check_target(target)
    if group.values["LockedFromMoving"] and not flags & IGNORE_LOCK:
        raise win32.refused(win32.LOCKED)
    if group.gone:
        raise win32.refused(win32.INVALID_STATE)
    way = _usual(group) if how is None else how
    if target is None and not ranked(cluster, group, how=way):
        raise win32.refused(why_nowhere(cluster, group, how=way))
    move = Move(group, source, target, way, flags)
    if not flags & QUEUE and move.heavy and not _slot(cluster, move):
        raise win32.refused(win32.BUSY)
    enqueue(cluster, move)


def check_target(node: Node) -> None:
    """The fault of a move to a node that takes nothing."""
    if node.state == PAUSED:
        raise win32.refused(win32.PAUSED)
    if node.state != UP:
        raise win32.refused(win32.NODE_NOT_AVAILABLE)


def _usual(group: Group) -> int:
    """How a machine goes when nobody says: as its OfflineAction tells."""
    chosen = group.private.get("DefaultMoveType")
    if isinstance(chosen, int) and chosen in range(5):
        return chosen
    action = group.private.get("OfflineAction")
    return action if isinstance(action, int) else SAVE


def enqueue(cluster: Cluster, move: Move) -> None:
    """Let a move wait for its turn, which may be now."""
    group = move.group
    group.move, group.queued = move, True
    if move.flags & HIGH:
        ahead = sum(1 for other in cluster.queue if other.flags & HIGH)
        cluster.queue.insert(ahead, move)
    else:
        cluster.queue.append(move)
    pump(cluster)


def cancel(cluster: Cluster, group: Group) -> None:
    """Call a move off; the group stays with its source."""
    move = group.move
    if move is None:
        raise win32.refused(win32.INVALID_STATE)
    machine = group.machine
    if machine is not None and move.begun and not machine.moving:
        raise win32.refused(win32.INVALID_STATE)  # it is down for the move and must go on
    end(cluster, move, win32.CANCELLED)


# -- the queue -----------------------------------------------------------------------------


def _slot(cluster: Cluster, move: Move) -> bool:
    """Its nodes do fewer migrations than they may."""
    limit = max(1, cluster.number("MaximumParallelMigrations"))
    nodes = [node for node in (move.source, move.target) if node is not None]

    def busy(node: Node) -> int:
        return sum(
            1 for m in cluster.moves if m.begun and m.seconds and node in (m.source, m.target)
        )

    return all(busy(node) < limit for node in nodes)


def pump(cluster: Cluster) -> None:
    """Start every waiting move whose turn it is."""
    for move in list(cluster.queue):
        if move.over or move not in cluster.queue:
            continue
        if move.target is None:
            nodes = ranked(cluster, move.group, how=move.how)
            free = next((n for n in nodes if not move.heavy or _free(cluster, move, n)), None)
            if nodes and free is None:
                continue
            if free is None:
                end(cluster, move, why_nowhere(cluster, move.group, how=move.how))
                continue
            move.target = free
        if not move.heavy or _slot(cluster, move):
            _start(cluster, move)


def _free(cluster: Cluster, move: Move, node: Node) -> bool:
    return _slot(cluster, Move(move.group, move.source, node, move.how))


def end(cluster: Cluster, move: Move, code: int) -> None:
    """A move is over, well or badly."""
    if move.over:
        return
    group, machine = move.group, move.group.machine
    move.over = True
    group.move, group.queued = None, False
    group.error = code
    for waiting in (cluster.queue, cluster.moves):
        if move in waiting:
            waiting.remove(move)
    if machine is not None:
        machine.moving = False
        merging.idle(machine)
    move.ended(cluster.fabric.now(), code)
    pump(cluster)


# -- doing ---------------------------------------------------------------------------------


def _start(cluster: Cluster, move: Move) -> None:
    group, machine, target = move.group, move.group.machine, move.target
    assert target is not None
    cluster.queue.remove(move)
    cluster.moves.append(move)
    group.queued = False
    move.begun = cluster.fabric.now()
    if target.state != UP or move.source.state == DOWN:
        code = win32.PAUSED if target.state == PAUSED else win32.NODE_NOT_AVAILABLE
        end(cluster, move, code)
    elif machine is None:
        _later(cluster, move, QUICKLY, lambda at: _core(cluster, move))
    elif not machine.alive:
        _later(cluster, move, QUICKLY, lambda at: _cold(cluster, move))
    elif move.how == LIVE:
        _live(cluster, move)
    else:
        _down(cluster, move)


def _later(cluster: Cluster, move: Move, seconds: float, effect: Callable[[float], None]) -> None:
    def due(at: float) -> None:
        if not move.over:
            effect(at)

    cluster.fabric.after(seconds, due)


def _core(cluster: Cluster, move: Move) -> None:
    assert move.target is not None
    move.group.node = move.target.name
    end(cluster, move, 0)


def _cold(cluster: Cluster, move: Move) -> None:
    """A machine that is off or saved only changes its owner."""
    assert move.target is not None
    assert move.group.machine is not None
    hand_over(move.group.machine, move.target)
    end(cluster, move, 0)


def _live(cluster: Cluster, move: Move) -> None:
    group, machine, target = move.group, move.group.machine, move.target
    assert machine is not None
    assert target is not None
    slow = machine.host.faults.slow_methods
    move.seconds = (OVERHEAD + memory_of(machine) / 1024.0 / RATE) * slow
    machine.moving = True
    code = unfit(cluster, group, target, how=LIVE)
    if machine.host.jobs.of(machine):
        code = win32.INVALID_STATE
    merging.idle(machine)
    if code:
        _later(cluster, move, min(2.0, move.seconds / 5), lambda at: end(cluster, move, code))
        return

    def arrived(at: float) -> None:
        if not machine.alive:
            end(cluster, move, win32.INVALID_STATE)
        elif target.state != UP:
            end(cluster, move, win32.NODE_NOT_AVAILABLE)
        else:
            hand_over(machine, target)
            end(cluster, move, 0)

    _later(cluster, move, move.seconds, arrived)


def _down(cluster: Cluster, move: Move) -> None:
    """The machine is stopped, changes its owner and is started there."""
    group, machine, target = move.group, move.group.machine, move.target
    assert machine is not None
    assert target is not None
    saving = move.how == SAVE
    gigabytes = shapes.number(machine.memory_setting(), "VirtualQuantity") / 1024.0
    move.seconds = 4.0 + gigabytes * (1 / 3 + 1 / 4) if saving else 10.0

    def stopped(at: float, code: int) -> None:
        if move.over:
            return
        if code or target.state != UP:
            end(cluster, move, code or win32.NODE_NOT_AVAILABLE)
            return
        hand_over(machine, target)
        bring_online(cluster, group, started)

    def started(at: float, code: int) -> None:
        if move.over:
            return
        if code and move.flags & RETURN and move.source.active:
            hand_over(machine, move.source)
            bring_online(cluster, group, lambda _, __: end(cluster, move, code))
            return
        end(cluster, move, code)

    take_offline(cluster, group, move.how, stopped)

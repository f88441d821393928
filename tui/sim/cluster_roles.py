"""Roles of a cluster going on and off line, and failing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.sim import power, shapes, win32
from tui.sim.cluster import NEVER
from tui.sim.cluster_places import hand_over, ranked, why_nowhere
from tui.sim.machine import OFF, SAVED, SAVING, STARTING, Machine
from tui.sim.move_list import FORCE_DOWN, SAVE, SHUT_DOWN, TURN_OFF

if TYPE_CHECKING:
    from tui.sim.cluster import Cluster, Group

Ended = Callable[[float, int], None]
"""Told when something is over: the moment and a Win32 error, or 0."""
ONLINE_PENDING, OFFLINE_PENDING, BUSY = 129, 130, 128
PATIENCE = 180.0
"""PendingTimeout in seconds: how long a guest may take to shut down."""
RESTART_DELAY, RESTART_PERIOD, RESTARTS = 0.5, 900.0, 1


def nothing(at: float, code: int) -> None:
    """Nobody waits for the end."""


def gigabytes(machine: Machine) -> float:
    return shapes.number(machine.memory_setting(), "VirtualQuantity") / 1024.0


# -- on line -------------------------------------------------------------------------------


def bring_online(cluster: Cluster, group: Group, ended: Ended = nothing) -> None:
    """Start the machine of a role where it is."""
    machine, fabric = group.machine, cluster.fabric
    group.failed = group.lacking = group.released = False
    group.wanted = True
    now = fabric.now()
    if machine is None or machine.alive:
        group.error = 0
        ended(now, 0)
        return
    before = machine.state
    error = power.check_start(machine, now)
    saved = before == SAVED
    seconds = 2.0 + gigabytes(machine) / 4 if saved else 2.5
    group.pending = ONLINE_PENDING
    power.enter(machine, STARTING, now)

    def over(at: float) -> None:
        if machine.state != STARTING or group.pending != ONLINE_PENDING:
            return
        group.pending = 0
        if error is None:
            power.restored(machine, at) if saved else power.on(machine, at)
            group.error = 0
            ended(at, 0)
            return
        power.enter(machine, before, at)
        group.failed = True
        group.error = win32.OUT_OF_MEMORY if error.code == 32778 else win32.ONLINE_FAILED
        ended(at, group.error)

    fabric.after(seconds * machine.host.faults.slow_methods, over)


# -- off line ------------------------------------------------------------------------------


def take_offline(cluster: Cluster, group: Group, how: int, ended: Ended = nothing) -> None:
    """Stop the machine of a role: turn off, save, or shut down with or without force."""
    machine, fabric = group.machine, cluster.fabric
    now = fabric.now()
    group.failed = group.lacking = False
    if machine is None or not machine.alive:
        ended(now, 0)
        return
    group.pending = OFFLINE_PENDING
    if how in (SHUT_DOWN, FORCE_DOWN):
        _shut_down(cluster, group, machine, how, ended)
        return
    saving = how == SAVE
    seconds = 1.0
    if saving:
        seconds = 2.0 + max(1.0, gigabytes(machine)) / 3
        power.enter(machine, SAVING, now)

    def over(at: float) -> None:
        if group.pending != OFFLINE_PENDING:
            return
        group.pending = 0
        if machine.alive:
            power.saved(machine, at) if saving else power.off(machine, at)
        ended(at, 0)

    fabric.after(seconds * machine.host.faults.slow_methods, over)


def _shut_down(cluster: Cluster, group: Group, machine: Machine, how: int, ended: Ended) -> None:
    fabric = cluster.fabric
    began = fabric.now()
    if machine.responsive(began):
        power.leave(machine, reboot=False)

    def look(at: float) -> None:
        if group.pending != OFFLINE_PENDING:
            return
        late = at - began >= PATIENCE
        if machine.alive and late and how == FORCE_DOWN:
            power.off(machine, at)
        if machine.alive and not late:
            fabric.after(1.0, look)
            return
        group.pending = 0
        group.error = win32.TIMEOUT if machine.alive else 0
        ended(at, group.error)

    fabric.after(1.0, look)


# -- failing -------------------------------------------------------------------------------


def crash(group: Group, at: float) -> None:
    """The machine stops as if its power had gone."""
    machine = group.machine
    group.pending = 0
    if machine is None or group.gone:
        return
    machine.moving = False
    if machine.alive:
        power.off(machine, at)
    elif machine.state == STARTING:
        power.enter(machine, SAVED if machine.saved_state else OFF, at)


def fail(cluster: Cluster, group: Group) -> None:
    """The resource has failed: it is restarted where it is, then elsewhere, then left failed."""
    now = cluster.fabric.now()
    crash(group, now)
    group.error = win32.RESOURCE_FAILED
    group.pending = ONLINE_PENDING
    recent = [at for at in group.restarts if now - at < RESTART_PERIOD]
    group.restarts = [*recent, now]
    again = _restart if len(recent) < RESTARTS else fail_over

    def after(at: float) -> None:
        if group.pending == ONLINE_PENDING and not group.running:
            again(cluster, group)

    cluster.fabric.after(RESTART_DELAY, after)


def _restart(cluster: Cluster, group: Group) -> None:
    bring_online(cluster, group, lambda _, code: fail_over(cluster, group) if code else None)


def fail_over(cluster: Cluster, group: Group) -> None:
    """Restart a role that has failed on the next best node, as often as its policy says."""
    now = cluster.fabric.now()
    group.pending = 0
    hours = group.values.get("FailoverPeriod")
    period = 3600.0 * (hours if isinstance(hours, int) else 6)
    group.failovers = [at for at in group.failovers if now - at < period]
    limit = group.values.get("FailoverThreshold")
    most = len(cluster.nodes) - 1 if limit == NEVER or not isinstance(limit, int) else limit
    if len(group.failovers) >= most:
        group.failed = True
        return
    group.failovers.append(now)
    restart_elsewhere(cluster, group)


def restart_elsewhere(cluster: Cluster, group: Group) -> None:
    """Give a role that is off to the best other node and start it there, if it is to run."""
    group.pending = 0
    nodes = ranked(cluster, group, how=TURN_OFF)
    if not nodes:
        group.error = why_nowhere(cluster, group, how=TURN_OFF)
        group.lacking = group.error == win32.OUT_OF_MEMORY
        group.failed = True
        return
    assert group.machine is not None
    hand_over(group.machine, nodes[0])
    if group.wanted:
        bring_online(cluster, group)

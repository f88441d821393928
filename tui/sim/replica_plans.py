"""The replications a scene asks for, made as if they had gone on for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.sim import recovery, replica_transfer, replication
from tui.sim.machine import Machine
from tui.sim.methods_replica import tie
from tui.sim.plan import ReplicaPlan
from tui.sim.replication import (
    APPLICATION,
    CRITICAL,
    INITIAL,
    LINE,
    PLANNED,
    PREPARED,
    READY,
    REGULAR,
    RESYNCHRONIZING,
    Pair,
)
from tui.wsman.cim import CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

HOUR = 3600.0


def furnish(host: SimHost) -> None:
    """Make the replications of this host, and those that end here, whoever was asked first."""
    fabric = host.fabric
    for other in list(fabric.hosts.values()):
        if other is not host and any(plan.to == host.name for plan in other.plan.replicas):
            other.ensure()
    by_name = {machine.name: machine for machine in host.machines.values()}
    for plan in host.plan.replicas:
        machine = by_name[plan.vm]
        target = fabric.hosts[plan.to]
        target.ensure()
        if machine.replica is None:
            _make(machine, target, plan)


def _make(machine: Machine, target: SimHost, plan: ReplicaPlan) -> None:
    now = machine.host.fabric.now()
    terms: dict[str, CimValue] = {
        "ReplicationInterval": plan.interval,
        "RecoveryHistory": plan.history,
        "ApplicationConsistentSnapshotInterval": plan.consistent,
        "RecoveryConnectionPoint": replication.fqdn(target),
        "AuthenticationType": 1,
    }
    seeded = plan.state not in (READY, INITIAL)
    pair = tie(machine, target, terms, (), now, seeded=seeded)
    source, copy = pair.primary, pair.replica
    assert source is not None
    assert copy is not None
    random = machine.host.fabric.random(machine.id, "replication")
    pair.line.rate = plan.rate << 10 or LINE
    pair.line.down, pair.line.full = plan.trouble == "down", plan.trouble == "full"
    if seeded:
        lag = plan.lag if plan.lag >= 0 else random.uniform(0.1, 0.8) * plan.interval
        _past(pair, plan, now, lag)
    source.state, copy.state = plan.state, plan.other
    copy.failed_over = plan.failed_over
    if plan.trouble and plan.state == CRITICAL:
        pair.trouble = replication.obstacle(pair, 0)
    if plan.state == INITIAL:
        replica_transfer.send(source)
    elif plan.state == RESYNCHRONIZING:
        replica_transfer.resynchronize(source)
    elif plan.state != READY:
        replication.begin(pair, max(1.0, plan.interval - now % plan.interval))
    if plan.test:
        recovery.try_out(copy, "")


def _past(pair: Pair, plan: ReplicaPlan, now: float, lag: float) -> None:
    """What has happened so far."""
    source, copy = pair.primary, pair.replica
    assert source is not None
    assert copy is not None
    pair.shipped_at = now - lag
    pair.applied_at = pair.shipped_at + min(lag, 4.0)
    pair.kind = PLANNED if plan.state == PREPARED else REGULAR
    pair.marked_at = pair.shipped_at
    if plan.consistent:
        pair.consistent_at = pair.shipped_at - 0.4 * plan.consistent * HOUR
    pair.counts = replication.Counts(now - 6 * HOUR, plan.succeeded, plan.missed, plan.failed)
    counts = pair.counts
    counts.network = plan.failed if plan.trouble == "down" else 0
    usual = replication.KEPT * replication.written(source.machine, now - plan.interval, now)
    counts.size = int(usual) * plan.succeeded
    counts.largest = int(usual * 2.6)
    pace = replication.pace(pair)
    counts.latency = plan.succeeded * (1.0 + usual / pace)
    counts.slowest = 2.0 + 2.6 * usual / pace
    for index in range(plan.history):
        hours = plan.history - 1 - index
        every = plan.consistent
        kind = APPLICATION if every and hours % every == 0 else REGULAR
        recovery.point(copy.machine, kind, pair.shipped_at - hours * HOUR)
    pair.pointed_at = pair.shipped_at if plan.history else 0.0

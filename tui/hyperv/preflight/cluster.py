"""Causes that lie with a failover cluster: the role, the node it goes to, who is kept apart."""

from __future__ import annotations

from collections.abc import Iterator

from tui.hyperv.cluster import (
    DOWN,
    FAILED,
    ISOLATED,
    PAUSED,
    PENDING,
    QUARANTINED,
    UP,
    Cluster,
    Role,
)
from tui.hyperv.preflight.cause import Cause, Move, Trip, called, failed, passed, quoted, warned

_STATES = {DOWN: "down", PAUSED: "paused", 3: "joining"}


def role(trip: Trip) -> Iterator[Cause]:
    """A clustered machine moves as a role, and only within its cluster."""
    held, name = trip.role, trip.name
    if trip.move is Move.CLUSTER:
        if held is None or trip.cluster is None:
            yield failed("role", f"{name} is no role of {trip.here.cluster or 'a cluster'}")
            return
        yield from _within(trip, trip.cluster, held)
    elif held is not None and trip.cluster is not None and trip.leaves:
        yield failed(
            "role",
            f"{name} is the role {held.name} of the cluster {trip.cluster.name}, which would start "
            f"it again behind our back; {trip.there.id} is not in that cluster",
            f"hvdeck role remove {quoted(held.name)}",
        )
    elif trip.leaves and trip.there.cluster:
        yield warned(
            "role",
            f"{name} arrives on a node of {trip.there.cluster} as a machine of that node alone: it "
            "is not restarted elsewhere until it is made a role",
            f"hvdeck role add {called(trip).replace(f'@{trip.here.id}', f'@{trip.there.id}')}",
        )


def _within(trip: Trip, cluster: Cluster, held: Role) -> Iterator[Cause]:
    there = trip.there
    node = cluster.node(there.name)
    if node is None:
        yield failed("role", f"{there.id} is no node of the cluster {cluster.name}")
        return
    if node.state != UP:
        word = _STATES.get(node.state, f"in state {node.state}")
        fix = f"hvdeck node resume {quoted(node.name)}" if node.state == PAUSED else ""
        yield failed("role", f"the node {node.name} is {word}: it takes no roles", fix)
    elif node.information & (ISOLATED | QUARANTINED):
        word = "quarantined" if node.information & QUARANTINED else "isolated"
        fix = f"Start-ClusterNode -Name {quoted(node.name)} -ClearQuarantine"
        yield failed("role", f"the node {node.name} is {word}: it takes no roles", fix)
    if held.locked:
        yield failed(
            "role",
            f"the role {held.name} is locked from moving",
            f"(Get-ClusterGroup -Cluster {quoted(cluster.name)} -Name {quoted(held.name)})"
            ".LockedFromMoving = 0",
        )
    if held.state == PENDING:
        waits = ", and waits for its turn" if held.queued else ""
        yield failed("role", f"the role {held.name} is on its way already{waits}")
    elif held.state == FAILED:
        yield failed("role", f"the role {held.name} has failed: bring it online first")
    yield from _liked(held, cluster, node.name)


def _liked(held: Role, cluster: Cluster, node: str) -> Iterator[Cause]:
    """Who it is kept apart from, and whom it prefers."""
    apart = [
        other.name
        for other in cluster.roles
        if other.name != held.name
        and other.owner.casefold() == node.casefold()
        and set(other.anti_affinity) & set(held.anti_affinity)
    ]
    if apart:
        yield warned(
            "role", f"{held.name} is to be kept apart from {', '.join(apart)}, which is on {node}"
        )
    liked = [one.casefold() for one in held.preferred]
    if liked and node.casefold() not in liked:
        yield warned("role", f"{node} is none of the preferred owners of {held.name}")
    if not apart and (not liked or node.casefold() in liked):
        yield passed("role", f"the cluster {cluster.name} moves {held.name} to {node}")

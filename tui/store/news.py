"""What happened in a cluster between two words on it, in sentences fit for a notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui.hyperv import quorum
from tui.hyperv.cluster import (
    DOWN,
    DRAIN_FAILED,
    DRAINED,
    FAILED,
    ISOLATED,
    PAUSED,
    QUARANTINED,
    RESOURCE_ONLINE,
    UP,
    Cluster,
    ClusterNode,
    Role,
)

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened."""

    words: str
    grave: bool = False
    """It wants a look."""


def news(before: Cluster, now: Cluster, known: frozenset[str] = frozenset()) -> Iterator[News]:
    """What is different; ``known``: roles that somebody here acts upon, who hears of it anyway."""
    for node in now.nodes:
        was = before.node(node.name)
        if was is not None and was != node:
            yield from _of_node(was, node, now)
    yield from _of_witness(before, now)
    yield from _of_roles(before, now, known)


def _of_node(was: ClusterNode, node: ClusterNode, cluster: Cluster) -> Iterator[News]:
    name = f"{node.name} of {cluster.name}"
    came = node.information & ~was.information
    if came & QUARANTINED:
        yield News(f"{name} is quarantined: it came and went too often", grave=True)
    elif came & ISOLATED:
        yield News(f"{name} is isolated: the others do not reach it", grave=True)
    elif node.state == DOWN != was.state:
        yield News(f"{name} is down. {_votes(cluster)}", grave=True)
    elif was.state == DOWN and node.state == UP:
        yield News(f"{name} is up again. {_votes(cluster)}")
    elif was.state == PAUSED and node.state == UP:
        yield News(f"{name} takes roles again")
    if node.state == PAUSED and node.drain != was.drain:
        if node.drain == DRAINED:
            yield News(f"{name} is drained")
        elif node.drain == DRAIN_FAILED:
            yield News(f"{name} is not drained: some roles did not leave", grave=True)


def _votes(cluster: Cluster) -> str:
    now = quorum.tally(cluster)
    if not now.held:
        return f"No quorum: {now}"
    _, which = quorum.survival(cluster)
    return f"Votes: {now}; it may lose {which}"


def _of_witness(before: Cluster, now: Cluster) -> Iterator[News]:
    if not before.witness or before.witness != now.witness:
        return
    was, there = (one.witness_state == RESOURCE_ONLINE for one in (before, now))
    if was and not there:
        yield News(f"The witness of {now.name} is not online. {_votes(now)}", grave=True)
    elif there and not was:
        yield News(f"The witness of {now.name} is back")


def _of_roles(before: Cluster, now: Cluster, known: frozenset[str]) -> Iterator[News]:
    roles = {role.name: role for role in before.roles}
    moved: dict[str, list[Role]] = {}
    for role in now.roles:
        was = roles.get(role.name)
        if was is None or role.name in known:
            continue
        if role.state == FAILED != was.state:
            yield News(f"{role.name} of {now.name} has failed on {role.owner}", grave=True)
        elif role.owner != was.owner and not role.core and not _drained(now, was.owner):
            moved.setdefault(was.owner, []).append(role)
    for owner, gone in moved.items():
        yield News(_moves(owner, gone))


def _drained(cluster: Cluster, name: str) -> bool:
    """Its roles leave one after another because it is paused; that is told once, at the end."""
    node = cluster.node(name)
    return node is not None and node.state == PAUSED


def _moves(owner: str, roles: list[Role]) -> str:
    if len(roles) == 1:
        return f"{roles[0].name} went from {owner} to {roles[0].owner}"
    places = _some(f"{role.name} to {role.owner}" for role in roles)
    return f"{len(roles)} roles left {owner}: {places}"


def _some(words: Iterable[str]) -> str:
    every = list(words)
    more = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {more} more" if more > 0 else "")

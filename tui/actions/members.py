"""What verbs on a cluster share: its nodes as choices, their hosts, and the arithmetic of votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.actions.declare import Choice, Target
from tui.hyperv import quorum
from tui.hyperv.cluster import (
    DOWN,
    JOINING,
    PAUSED,
    UP,
    Cluster,
    ClusterNode,
    Role,
)
from tui.hyperv.meanings import of_cluster
from tui.hyperv.model import Inventory
from tui.hyperv.plans.words import several

BEST = ""
"""Stands for the node that the cluster chooses."""
SETTLED = 10.0
"""Seconds after which a cluster that shows nothing under way has given up."""
_SHOWN = 6
_STATES = {UP: "up", DOWN: "down", PAUSED: "paused", JOINING: "joining"}


def cluster_of(target: Target) -> Cluster:
    """Its cluster; an empty one where none is known."""
    return target.cluster or Cluster(target.host.cluster)


def state_of(node: ClusterNode) -> str:
    """How a node stands, in a word."""
    return _STATES.get(node.state, "in an unknown state")


def inventory_of(
    target: Target, node: str, fleet: Mapping[str, Inventory] | None = None
) -> Inventory | None:
    """What is known of a node's host, where it is configured. ``fleet``: every host, where that
    is at hand."""
    wanted = node.casefold()
    every = _fleet(target) if fleet is None else fleet
    return next(
        (
            one
            for one in every.values()
            if one.host.cluster == target.host.cluster
            and wanted in (one.host.name.casefold(), one.host.id.casefold())
        ),
        None,
    )


def _fleet(target: Target) -> Mapping[str, Inventory]:
    return target.fleet() if target.fleet is not None else {}


def choices(target: Target, owner: str, *, best: bool) -> Sequence[Choice]:
    """The other nodes, those that are up first, each with what speaks for or against it."""
    others = [node for node in cluster_of(target).nodes if not same(node.name, owner)]
    others.sort(key=lambda node: node.state != UP)
    fleet = _fleet(target)
    found = [Choice(node.name, node.name, _note(target, node, fleet)) for node in others]
    return [Choice(BEST, "best possible", "the cluster chooses"), *found] if best else found


def _note(target: Target, node: ClusterNode, fleet: Mapping[str, Inventory]) -> str:
    if node.state != UP:
        return state_of(node)
    number = len(roles_on(cluster_of(target), node.name))
    words = several(number, "role")
    there = inventory_of(target, node.name, fleet)
    if there is None or there.vitals.memory_free is None:
        return words
    return f"{words}, {there.vitals.memory_free >> 30} GB of memory free"


def unfit(target: Target, name: str, owner: str) -> str | None:
    """Why a node cannot take anything, in words."""
    if name == BEST:
        return None
    node = cluster_of(target).node(name)
    if node is None:
        names = ", ".join(one.name for one in cluster_of(target).nodes)
        return f"{target.host.cluster} has no node {name}; its nodes are {names}"
    if same(name, owner):
        return f"it is on {node.name} already"
    return None if node.state == UP else f"{node.name} is {state_of(node)} and takes nothing"


def lonely(target: Target, owner: str) -> str | None:
    """No other node could take anything."""
    others = [one for one in cluster_of(target).nodes if not same(one.name, owner)]
    if any(one.state == UP for one in others):
        return None
    return f"no other node of {target.host.cluster} is up and not paused"


def same(one: str, other: str) -> bool:
    """The same node, however its name is written."""
    return one.casefold() == other.casefold()


def roles_on(cluster: Cluster, node: str) -> list[Role]:
    """The roles a node has, those of the cluster itself left out."""
    return [role for role in cluster.roles if same(role.owner, node) and not role.core]


def guests_on(target: Target, node: str) -> list[str]:
    """Names of the machines on a node that the cluster does not look after."""
    there = inventory_of(target, node)
    if there is None:
        return []
    cluster = cluster_of(target)
    return sorted(vm.name for vm in there.vms.values() if not cluster.role_of(vm.id, vm.name))


def some(names: Sequence[str]) -> str:
    """``a, b, c and 9 more``."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: _SHOWN - 1])} and {len(names) - _SHOWN + 1} more"


def arithmetic(target: Target, node: str) -> tuple[str, ...]:
    """The votes now, without a node, and what would fail next."""
    return quorum.told(cluster_of(target), node)


def loses_quorum(target: Target, node: str) -> bool:
    """The cluster would stop without a node that votes now."""
    return node in quorum.fatal(cluster_of(target))


def why(code: int) -> str:
    """An error of the cluster API in words; empty for none."""
    if not code:
        return ""
    cause, hint = of_cluster(code) or (f"error {code}", "")
    return f"{cause} ({hint})" if hint else cause


def text(arguments: Mapping[str, Any], name: str) -> str:
    """A word among the arguments."""
    return str(arguments.get(name) or "")

"""What can be done to the nodes of a failover cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import members
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.actions.members import BEST, cluster_of
from tui.hyperv.cluster import DRAIN_FAILED, DRAINED, DRAINING, PAUSED, UP, ClusterNode
from tui.hyperv.ops import clustering
from tui.hyperv.ops.clustering import AT_ONCE, BY_POLICY, STAY
from tui.hyperv.plans.words import several

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]

_GROUP = "Cluster"
_FAILBACKS = {"immediately": AT_ONCE, "stay": STAY, "policy": BY_POLICY}


def _node(target: Target) -> ClusterNode:
    """The node; one that is in no known state where it is gone."""
    return target.node or ClusterNode(target.name, -1)


# -- pausing -------------------------------------------------------------------------------


def _cannot_pause(target: Target) -> str | None:
    node = _node(target)
    if node.state == PAUSED:
        return f"{node.name} is paused already"
    return None if node.state == UP else f"{node.name} is {members.state_of(node)}"


def _cannot_drain(target: Target) -> str | None:
    node = _node(target)
    if node.drain == DRAINING:
        return f"{node.name} is being drained already"
    if node.state == PAUSED and not members.roles_on(cluster_of(target), node.name):
        return f"{node.name} is paused, and nothing is on it"
    if node.state not in (UP, PAUSED):
        return f"{node.name} is {members.state_of(node)}"
    return members.lonely(target, node.name)


def _danger(target: Target, values: Values) -> Risk:
    return Risk.RED if members.loses_quorum(target, _node(target).name) else Risk.AMBER


def _votes(target: Target) -> list[str]:
    """A paused node goes on voting: what counts is what follows, when it goes down."""
    name = _node(target).name
    voting = f"{name} keeps its vote while it is paused. If it then goes down:"
    return [voting, *members.arithmetic(target, name)]


def _pause_consequences(target: Target, values: Values) -> Sequence[str]:
    name = _node(target).name
    number = len(members.roles_on(cluster_of(target), name))
    stays = several(number, "role stays", "roles stay")
    return [f"{stays} on {name}; none can come to it", *_votes(target)]


def _is_paused(target: Target, values: Values) -> bool:
    return _node(target).state == PAUSED


# -- draining ------------------------------------------------------------------------------


def _drain_consequences(target: Target, values: Values) -> Sequence[str]:
    name = _node(target).name
    roles = members.roles_on(cluster_of(target), name)
    going = [role.name for role in roles if not role.locked]
    locked = [role.name for role in roles if role.locked]
    staying = members.guests_on(target, name)
    lines = []
    if going:
        where = members.text(values, "target") or "the best possible nodes"
        move = several(len(going), "role moves", "roles move")
        lines.append(f"{move} to {where}: {members.some(going)}")
    if locked:
        lines.append(f"Locked, they stay: {members.some(locked)}")
    if staying:
        lines.append(f"Not in the cluster, they stay: {members.some(staying)}")
    return [*lines, *_votes(target)]


def _drain(client: CimClient, target: Target, values: Values) -> Outcome:
    return clustering.drain_node(client, target.name, members.text(values, "target"))


def _is_drained(target: Target, values: Values) -> bool:
    return _node(target).state == PAUSED and _node(target).drain == DRAINED


def _draining(target: Target, before: Target) -> int | None:
    """How many of the roles it had have gone."""
    if _node(target).drain != DRAINING:
        return None
    had = len(members.roles_on(cluster_of(before), before.name))
    left = len(members.roles_on(cluster_of(target), target.name))
    return max(0, 100 * (had - left) // had) if had else 0


def _not_drained(target: Target, values: Values, seconds: float) -> str | None:
    node = _node(target)
    if node.drain == DRAIN_FAILED:
        left = members.roles_on(cluster_of(target), node.name)
        told = [f"{role.name}: {why}" if (why := members.why(role.code)) else role.name
                for role in left]  # fmt: skip
        return f"still on {node.name}: {members.some(told)}" if told else "the drain has failed"
    if node.state == UP and seconds > members.SETTLED:
        return f"{node.name} was resumed meanwhile"
    return None


# -- resuming ------------------------------------------------------------------------------


def _cannot_resume(target: Target) -> str | None:
    node = _node(target)
    if node.state == PAUSED:
        return None
    return f"{node.name} is {members.state_of(node)}, not paused"


def _resume(client: CimClient, target: Target, values: Values) -> Outcome:
    failback = _FAILBACKS.get(members.text(values, "failback"), AT_ONCE)
    return clustering.resume_node(client, target.name, failback)


def _is_up(target: Target, values: Values) -> bool:
    return _node(target).state == UP


ACTIONS: tuple[Action, ...] = (
    Action(
        "node.pause",
        "Pause node",
        "Let no role come to the node; what is on it stays",
        Kind.NODE,
        lambda client, target, values: clustering.pause_node(client, target.name),
        why_not=_cannot_pause,
        observed=_is_paused,
        risk=Risk.AMBER,
        danger=_danger,
        consequences=_pause_consequences,
        effect="Roles neither fail over nor move to the node until it is resumed",
        calls="MSCluster_Node.Pause(0)",
        group=_GROUP,
    ),
    Action(
        "node.drain",
        "Drain node",
        "Pause the node and move its roles to other nodes, running machines without a break",
        Kind.NODE,
        _drain,
        why_not=_cannot_drain,
        observed=_is_drained,
        under_way=_draining,
        missed=_not_drained,
        form=(
            Field(
                "target",
                "To node",
                "The node that takes all of them; none named: the best possible for each",
                current=lambda target: BEST,
                choices=lambda target: members.choices(target, target.name, best=True),
                problem=lambda target, value: members.unfit(target, str(value), target.name),
            ),
        ),
        risk=Risk.AMBER,
        danger=_danger,
        consequences=_drain_consequences,
        effect="The node takes nothing until it is resumed",
        calls="MSCluster_Node.Pause(1)",
        group=_GROUP,
    ),
    Action(
        "node.resume",
        "Resume node",
        "Let the node take roles again, and bring back those that were drained from it",
        Kind.NODE,
        _resume,
        why_not=_cannot_resume,
        observed=_is_up,
        form=(
            Field(
                "failback",
                "Roles drained from it",
                "Whether they come back",
                current=lambda target: "immediately",
                choices=lambda target: (
                    Choice("immediately", "come back now"),
                    Choice("stay", "stay where they are"),
                    Choice("policy", "come back as each role is set"),
                ),
            ),
        ),
        effect="Roles may fail over and move to the node again",
        calls="MSCluster_Node.Resume",
        group=_GROUP,
    ),
)

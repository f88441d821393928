"""Moves of roles between nodes: with the machine running, or cut off here and started there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import members
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.actions.members import BEST, same
from tui.actions.role_state import (
    AS_SET,
    busy,
    is_machine,
    owner,
    part_of_cluster,
    role_of,
    runs,
    settled,
    under_way,
)
from tui.hyperv.cluster import FAILED, OFFLINE
from tui.hyperv.ops import clustering
from tui.hyperv.ops.clustering import LIVE, SAVE, SHUT_DOWN, TURN_OFF

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]

_GROUP = "Cluster"
_WAYS = {"live": LIVE, "save": SAVE, "shut down": SHUT_DOWN, "turn off": TURN_OFF}


def _not_moved(target: Target, values: Values, seconds: float) -> str | None:
    role = role_of(target)
    if seconds < members.SETTLED:
        return None
    word = "failed" if role.state == FAILED else "not on its way"
    return members.why(role.code) or f"{role.name} is on {role.owner} and {word}"


# -- moving --------------------------------------------------------------------------------


def _elsewhere(target: Target, value: Any) -> str | None:
    return members.unfit(target, str(value), owner(target))


def _unmoved(target: Target, value: Any) -> str | None:
    if not value or same(str(value), owner(target)):
        return None
    return f"{target.name} is on {owner(target)} by now"


_NODE = Field(
    "node",
    "To node",
    "The node that takes it; none named: the best possible one",
    current=lambda target: BEST,
    choices=lambda target: members.choices(target, owner(target), best=True),
    problem=_elsewhere,
)
_FROM = Field(
    "source",
    "From node",
    "The node it is believed to be on; nothing is done when it is on another one",
    current=owner,
    problem=_unmoved,
    asked=False,
)


def _ways(target: Target) -> Sequence[Choice]:
    """How a role can go. Only a running machine has a choice."""
    if not is_machine(target):
        return (Choice(AS_SET, "taken offline here and brought online there"),)
    if not runs(target):
        return (Choice(AS_SET, "as it is", "the machine does not run"),)
    return (
        Choice("live", "live", "it goes on running"),
        Choice("save", "quick", "it is saved here and restored there"),
        Choice("shut down", "shut down", "it is shut down here and started there"),
        Choice("turn off", "turn off", "its power is cut here and it is started there"),
    )


_HOW = Field(
    "how",
    "How",
    "What becomes of a running machine meanwhile",
    current=lambda target: _ways(target)[0].value,
    choices=_ways,
)


def _cannot_move(target: Target) -> str | None:
    if (reason := busy(target)) is not None:
        return reason
    if role_of(target).locked:
        return f"{target.name} is locked: a backup or a migration works on it"
    return members.lonely(target, owner(target))


def _move(client: CimClient, target: Target, values: Values) -> Outcome:
    node, how = members.text(values, "node"), members.text(values, "how")
    if not is_machine(target):
        return clustering.move_role(client, target.name, node)
    return clustering.move_machine(client, target.name, node, _WAYS.get(how, LIVE))


def _moved(target: Target, values: Values) -> bool:
    node, source = members.text(values, "node"), members.text(values, "source")
    if not settled(target) or role_of(target).state == FAILED:
        return False
    return same(owner(target), node) if node else not same(owner(target), source)


def _move_danger(target: Target, values: Values) -> Risk:
    how = members.text(values, "how")
    if not runs(target) or how == "live":
        return Risk.GREEN
    return Risk.RED if how == "turn off" else Risk.AMBER


def _move_consequences(target: Target, values: Values) -> Sequence[str]:
    if not runs(target):
        return ()
    if not is_machine(target):
        return (f"{target.name} does not answer while it is brought online on the other node",)
    told = {
        "save": f"{target.name} stands still while it is saved and restored",
        "shut down": f"{target.name} is shut down and started again",
        "turn off": f"{target.name} loses what its guest has not written",
    }
    how = members.text(values, "how")
    return (told[how],) if how in told else ()


# -- failing over --------------------------------------------------------------------------


def _cannot_fail_over(target: Target) -> str | None:
    if (reason := part_of_cluster(target)) is not None:
        return f"{reason}: move it"
    if role_of(target).state == OFFLINE:
        return f"{target.name} is offline: move it, or bring it online"
    return _cannot_move(target)


def _fail_over(client: CimClient, target: Target, values: Values) -> Outcome:
    node = members.text(values, "node")
    if not is_machine(target):
        return clustering.move_role(client, target.name, node)
    return clustering.fail_over(client, target.name, node)


def _fail_over_danger(target: Target, values: Values) -> Risk:
    return Risk.RED if runs(target) else Risk.AMBER


def _fail_over_consequences(target: Target, values: Values) -> Sequence[str]:
    if not runs(target):
        return (f"{target.name} is started on another node",)
    if not is_machine(target):
        return (f"{target.name} stops on {owner(target)} and is brought online elsewhere",)
    return (
        f"{target.name} is turned off on {owner(target)} without asking its guest, and started "
        "on another node",
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        "role.move",
        "Move role",
        "Move the role to another node of its cluster, a running machine without a break",
        Kind.ROLE,
        _move,
        why_not=_cannot_move,
        observed=_moved,
        under_way=under_way,
        missed=_not_moved,
        form=(_NODE, _HOW, _FROM),
        danger=_move_danger,
        consequences=_move_consequences,
        effect="The cluster moves it to the other node",
        calls="MSCluster_ResourceGroup.MoveToNewNodeParams",
        group=_GROUP,
    ),
    Action(
        "role.fail-over",
        "Fail over",
        "Cut the role off where it is and start it on another node",
        Kind.ROLE,
        _fail_over,
        why_not=_cannot_fail_over,
        observed=_moved,
        under_way=under_way,
        missed=_not_moved,
        form=(_NODE, _FROM),
        risk=Risk.AMBER,
        danger=_fail_over_danger,
        consequences=_fail_over_consequences,
        effect="What its guest has not written is lost; to keep it running, move it",
        calls="MSCluster_ResourceGroup.MoveToNewNodeParams",
        group=_GROUP,
    ),
)

"""What can be done to the roles of a failover cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import members
from tui.actions.amounts import names
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.actions.members import cluster_of
from tui.actions.role_state import (
    AS_SET,
    STATES,
    busy,
    is_machine,
    owner,
    part_of_cluster,
    role_of,
    runs,
    settled,
    under_way,
)
from tui.hyperv.cluster import FAILED, OFFLINE, ONLINE, UP
from tui.hyperv.ops import clustering
from tui.hyperv.ops.clustering import FORCE_DOWN, SAVE, SHUT_DOWN, TURN_OFF

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]

_GROUP = "Cluster"
_STOPS = {"save": SAVE, "shut down": SHUT_DOWN, "turn off": TURN_OFF}
_AT_ONCE = 3.0
"""Seconds in which a role may still show the failure that went before."""
_TOLD = {
    TURN_OFF: "is turned off without asking its guest",
    SAVE: "is saved",
    SHUT_DOWN: "is shut down",
    FORCE_DOWN: "is shut down, by force if its guest does not",
}


def _has_failed(target: Target, values: Values, seconds: float) -> str | None:
    role = role_of(target)
    if role.state == FAILED and seconds > _AT_ONCE:
        return members.why(role.code) or f"{role.name} has failed on {role.owner}"
    if seconds < members.SETTLED:
        return None
    return members.why(role.code) or f"{role.name} is {STATES.get(role.state, 'unknown')}"


# -- on and off line -----------------------------------------------------------------------


def _cannot_start(target: Target) -> str | None:
    if (reason := busy(target)) is not None:
        return reason
    role = role_of(target)
    if role.state == ONLINE:
        return f"{role.name} is online already"
    node = cluster_of(target).node(role.owner)
    if node is not None and node.state != UP:
        return f"{role.owner}, which has it, is {members.state_of(node)}: move it first"
    return None


def _is_online(target: Target, values: Values) -> bool:
    return settled(target) and role_of(target).state == ONLINE


def _cannot_stop(target: Target) -> str | None:
    if (reason := busy(target) or part_of_cluster(target)) is not None:
        return reason
    return f"{target.name} is offline already" if role_of(target).state == OFFLINE else None


def _stops(target: Target) -> Sequence[Choice]:
    if not is_machine(target):
        return (Choice(AS_SET, "stop it"),)
    action = role_of(target).offline_action
    note = _TOLD.get(action, "") if action is not None else "the role does not tell how"
    return (
        Choice(AS_SET, "as the role is set", note),
        Choice("save", "save"),
        Choice("shut down", "shut down"),
        Choice("turn off", "turn off"),
    )


_STOP = Field(
    "how",
    "How",
    "What becomes of the machine",
    current=lambda target: AS_SET,
    choices=_stops,
)


def _stop(client: CimClient, target: Target, values: Values) -> Outcome:
    return clustering.take_offline(client, target.name, _STOPS.get(members.text(values, "how")))


def _is_offline(target: Target, values: Values) -> bool:
    return settled(target) and role_of(target).state == OFFLINE


def _stopping(target: Target, values: Values) -> int | None:
    return _STOPS.get(members.text(values, "how"), role_of(target).offline_action)


def _stop_danger(target: Target, values: Values) -> Risk:
    cut = is_machine(target) and _stopping(target, values) == TURN_OFF
    return Risk.RED if runs(target) and cut else Risk.AMBER


def _stop_consequences(target: Target, values: Values) -> Sequence[str]:
    if not runs(target):
        return ()
    how = _stopping(target, values)
    word = _TOLD.get(how, "stops") if how is not None and is_machine(target) else "stops"
    return (f"{target.name} {word}, and stays off until somebody brings it online",)


# -- owners, cancelling --------------------------------------------------------------------


def _owners_problem(target: Target, value: Any) -> str | None:
    known = [node.name for node in cluster_of(target).nodes]
    wrong = next((name for name in value if cluster_of(target).node(name) is None), None)
    if wrong is not None:
        return f"{target.host.cluster} has no node {wrong}; its nodes are {', '.join(known)}"
    if len({name.casefold() for name in value}) < len(value):
        return "a node can be named only once"
    return None


def _owners(target: Target, values: Values) -> tuple[str, ...]:
    """The nodes wanted, as the cluster writes them."""
    found = (cluster_of(target).node(str(name)) for name in values.get("nodes") or ())
    return tuple(node.name for node in found if node is not None)


def _owners_conflict(target: Target, values: Values) -> str | None:
    return "it is so already" if _owners(target, values) == role_of(target).preferred else None


def _owners_set(target: Target, values: Values) -> bool:
    return target.role is not None and target.role.preferred == _owners(target, values)


def _nothing_to_cancel(target: Target) -> str | None:
    return None if role_of(target).busy else f"nothing is under way with {target.name}"


def _is_cancelled(target: Target, values: Values) -> bool:
    return settled(target)


# -- into the cluster and out --------------------------------------------------------------


def _cannot_join(target: Target) -> str | None:
    if not target.host.cluster:
        return f"{target.host.id} is not a node of a failover cluster"
    if target.cluster is None:
        return f"{target.host.cluster} has not been read yet"
    if target.role is not None:
        return f"{target.name} is a role of {target.host.cluster} already"
    return None


def _apart(target: Target) -> list[str]:
    """Disks that are not on a shared volume, so that other nodes do not see them."""
    roots = [volume.path.casefold() + "\\" for volume in cluster_of(target).volumes if volume.path]
    disks = target.vm.disks if target.vm is not None else ()
    paths = [disk.path for disk in disks if disk.path and not disk.dvd]
    return [path for path in paths if not any(path.casefold().startswith(r) for r in roots)]


def _join_danger(target: Target, values: Values) -> Risk:
    return Risk.AMBER if _apart(target) else Risk.GREEN


def _join_consequences(target: Target, values: Values) -> Sequence[str]:
    return [
        f"{path} is on no shared volume: other nodes cannot start it" for path in _apart(target)
    ]


def _has_joined(target: Target, values: Values) -> bool:
    return target.role is not None


def _cannot_leave(target: Target) -> str | None:
    return busy(target) or part_of_cluster(target)


def _leave_danger(target: Target, values: Values) -> Risk:
    return Risk.AMBER if is_machine(target) else Risk.RED


def _leave_consequences(target: Target, values: Values) -> Sequence[str]:
    if not is_machine(target):
        return (f"{target.name} is stopped, and its resources are deleted",)
    return (f"{target.name} stays on {owner(target)}; when that node fails, nobody starts it",)


ACTIONS: tuple[Action, ...] = (
    Action(
        "role.online",
        "Bring online",
        "Start the role on the node that has it",
        Kind.ROLE,
        lambda client, target, values: clustering.bring_online(client, target.name),
        why_not=_cannot_start,
        observed=_is_online,
        under_way=under_way,
        missed=_has_failed,
        effect="Its resources start, those they depend on first",
        calls="MSCluster_ResourceGroup.BringOnline",
        group=_GROUP,
    ),
    Action(
        "role.offline",
        "Take offline",
        "Stop the role and leave it off",
        Kind.ROLE,
        _stop,
        why_not=_cannot_stop,
        observed=_is_offline,
        under_way=under_way,
        missed=_has_failed,
        form=(_STOP,),
        risk=Risk.AMBER,
        danger=_stop_danger,
        consequences=_stop_consequences,
        effect="The role stops, and the cluster does not start it again by itself",
        calls="MSCluster_ResourceGroup.TakeOfflineParams",
        group=_GROUP,
    ),
    Action(
        "role.cancel",
        "Cancel move of role",
        "Call off what is under way with the role",
        Kind.ROLE,
        lambda client, target, values: clustering.cancel(client, target.name),
        why_not=_nothing_to_cancel,
        observed=_is_cancelled,
        risk=Risk.AMBER,
        effect="A move that is under way ends, and the role stays where it is",
        calls="MSCluster_ResourceGroup.CancelOperation",
        group=_GROUP,
    ),
    Action(
        "role.set-owners",
        "Preferred owners",
        "Say which nodes the role should be on, the best first",
        Kind.ROLE,
        lambda client, target, values: clustering.set_owners(
            client, target.name, _owners(target, values)
        ),
        why_not=lambda target: busy(target) if target.role is None else None,
        observed=_owners_set,
        form=(
            Field(
                "nodes",
                "Nodes",
                "Names apart by commas, the best first; none: any node is as good",
                names,
                current=lambda target: role_of(target).preferred,
                problem=_owners_problem,
                shown=", ".join,
            ),
        ),
        conflict=_owners_conflict,
        effect="The role stays where it is until it fails over or is moved to the best node",
        calls="MSCluster_ResourceGroup.SetPreferredOwners",
        group=_GROUP,
    ),
    Action(
        "role.add",
        "Add to cluster",
        "Make the machine a role, so that the cluster starts it elsewhere when its node fails",
        Kind.VM,
        lambda client, target, values: clustering.add_machine(
            client, cluster_of(target).name, target.name
        ),
        why_not=_cannot_join,
        observed=_has_joined,
        of_cluster=True,
        danger=_join_danger,
        consequences=_join_consequences,
        effect="The cluster looks after the machine from now on",
        calls="MSCluster_Cluster.AddVirtualMachine",
        group=_GROUP,
    ),
    Action(
        "role.remove",
        "Remove from cluster",
        "Take the role out of the cluster; its machine stays as it is",
        Kind.ROLE,
        lambda client, target, values: clustering.remove_role(client, target.name),
        why_not=_cannot_leave,
        vanishes=True,
        risk=Risk.AMBER,
        danger=_leave_danger,
        consequences=_leave_consequences,
        effect="The cluster does not look after it any more",
        calls="MSCluster_ResourceGroup.DestroyGroup(1)",
        group=_GROUP,
    ),
)

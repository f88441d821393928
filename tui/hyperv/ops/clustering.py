"""Verbs on a failover cluster: roles, nodes and shared volumes, through root/MSCluster.

The methods return nothing and come back when the cluster has accepted; what the cluster API
refuses is a fault with its Win32 error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.errors import Fault, MethodFailed, Refused
from tui.hyperv import meanings
from tui.hyperv.ops.proplist import property_list
from tui.hyperv.outcome import Done, Outcome
from tui.wsman.cim import CimRef, CimValue
from tui.wsman.schema import CLUSTER

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

TURN_OFF, SAVE, SHUT_DOWN, FORCE_DOWN, LIVE = range(5)
"""How a virtual machine leaves its node, in a property list; the first four also how it goes off
line (OfflineAction)."""
RETURN, QUEUE, FIRST = 2, 4, 8
"""Flags of a move: back to the source on error, wait when it cannot start now, before others."""
STAY, AT_ONCE, BY_POLICY = 0, 1, 2
"""FailbackType of a node that is resumed."""
_NO_DRAIN, _DRAIN = 0, 1
_NO_WAIT = 0
"""Seconds: what becomes of it is seen, not waited for."""
_FORCE = 1
_MACHINE, _CONFIGURATION = "Virtual Machine", "Virtual Machine Configuration"


def role_ref(name: str) -> CimRef:
    """The reference of a role."""
    return _ref("MSCluster_ResourceGroup", name)


def node_ref(name: str) -> CimRef:
    """The reference of a node."""
    return _ref("MSCluster_Node", name)


def volume_ref(name: str) -> CimRef:
    """The reference of a cluster shared volume."""
    return _ref("MSCluster_ClusterSharedVolume", name)


def cluster_ref(name: str) -> CimRef:
    """The reference of a cluster."""
    return _ref("MSCluster_Cluster", name)


def _ref(class_name: str, name: str) -> CimRef:
    return CimRef(class_name, (("Name", name),), CLUSTER)


# -- roles ---------------------------------------------------------------------------------


def move_machine(client: CimClient, role: str, node: str, how: int = LIVE) -> Outcome:
    """Move the role of a virtual machine; to the best possible node when none is named."""
    return _call(
        client,
        role_ref(role),
        "MoveToNewNodeParams",
        "move",
        role,
        NodeName=node,
        Parameters=_way(how),
        Flags=RETURN | QUEUE | FIRST,
    )


def fail_over(client: CimClient, role: str, node: str) -> Outcome:
    """Turn a machine off where it is and start it on another node."""
    return _call(
        client,
        role_ref(role),
        "MoveToNewNodeParams",
        "fail over",
        role,
        NodeName=node,
        Parameters=_way(TURN_OFF),
        Flags=RETURN | FIRST,
    )


def move_role(client: CimClient, role: str, node: str) -> Outcome:
    """Move any other role: it is taken off line and brought on line there."""
    return _call(
        client, role_ref(role), "MoveToNewNode", "move", role, NodeName=node, TimeOut=_NO_WAIT
    )


def cancel(client: CimClient, role: str) -> Outcome:
    """Call off what is under way with a role."""
    return _call(client, role_ref(role), "CancelOperation", "call off", role, Flags=0)


def bring_online(client: CimClient, role: str) -> Outcome:
    """Start a role where it is."""
    return _call(
        client, role_ref(role), "BringOnline", "bring on line", role, TimeOut=_NO_WAIT, Flags=0
    )


def take_offline(client: CimClient, role: str, how: int | None = None) -> Outcome:
    """Stop a role and leave it so; the machine as ``how`` says, else as the role is set."""
    if how is None:
        return _call(
            client, role_ref(role), "TakeOffline", "take off line", role, TimeOut=_NO_WAIT, Flags=0
        )
    return _call(
        client,
        role_ref(role),
        "TakeOfflineParams",
        "take off line",
        role,
        TimeOut=_NO_WAIT,
        Parameters=_way(how),
        Flags=0,
    )


def set_owners(client: CimClient, role: str, nodes: Sequence[str]) -> Outcome:
    """Replace the preferred owners; the first is the most preferred."""
    verb = "set the preferred owners of"
    return _call(
        client, role_ref(role), "SetPreferredOwners", verb, role, NodeNames=tuple(nodes)
    )  # fmt: skip


def add_machine(client: CimClient, cluster: str, vm: str) -> Outcome:
    """Make a virtual machine of this node a role."""
    return _call(
        client,
        cluster_ref(cluster),
        "AddVirtualMachine",
        f"add to {cluster}",
        vm,
        VirtualMachine=vm,
    )


def remove_role(client: CimClient, role: str) -> Outcome:
    """Take a role out of the cluster; its virtual machine stays."""
    return _call(client, role_ref(role), "DestroyGroup", "remove", role, Options=_FORCE)


def _way(how: int) -> tuple[int, ...]:
    return property_list((_MACHINE, how), (_CONFIGURATION, how))


# -- nodes ---------------------------------------------------------------------------------


def pause_node(client: CimClient, node: str) -> Outcome:
    """Let nothing come to a node; what is on it stays."""
    return _call(
        client, node_ref(node), "Pause", "pause", node, DrainType=_NO_DRAIN, TargetNode=""
    )  # fmt: skip


def drain_node(client: CimClient, node: str, target: str = "") -> Outcome:
    """Pause a node and move its roles away, to one node or each to the best possible."""
    return _call(
        client, node_ref(node), "Pause", "drain", node, DrainType=_DRAIN, TargetNode=target
    )  # fmt: skip


def resume_node(client: CimClient, node: str, failback: int) -> Outcome:
    """Let a node take roles again, and those drained from it come back or not."""
    return _call(client, node_ref(node), "Resume", "resume", node, FailbackType=failback)


# -- shared volumes ------------------------------------------------------------------------


def move_volume(client: CimClient, volume: str, node: str) -> Outcome:
    """Have another node coordinate a shared volume."""
    return _call(client, volume_ref(volume), "MoveToNewHost", "move", volume, HostName=node)


def maintain_volume(client: CimClient, volume: str, *, on: bool) -> Outcome:
    """Put a shared volume into maintenance, where nobody can use it, or back to work."""
    method = "TurnOnMaintenance" if on else "TurnOffMaintenance"
    verb = "put into maintenance" if on else "end the maintenance of"
    return _call(client, volume_ref(volume), method, verb, volume)


# -- calling -------------------------------------------------------------------------------


def _call(
    client: CimClient, ref: CimRef, method: str, verb: str, name: str, **parameters: CimValue
) -> Outcome:
    title = f"Could not {verb} {name}"
    try:
        output = client.invoke(ref, method, **parameters)
    except Fault as fault:
        if meanings.is_under_way(fault.code):
            return Done()
        if meanings.is_gone(fault):
            raise Refused(
                f"{name} is no longer in the cluster",
                cause="it was removed or renamed, or this node has left the cluster",
                hint="look at what there is now and try again",
                code=fault.code,
            ) from fault
        known = meanings.of_cluster(fault.code)
        if known is None:
            raise
        cause, hint = known
        called = f"{ref.class_name}.{method}"
        raise MethodFailed(title, method=called, code=fault.code, cause=cause, hint=hint) from fault
    code = output.return_value
    if code == 0 or meanings.is_under_way(code):
        return Done()
    cause, hint = meanings.of_cluster(code) or meanings.of_return(code)
    raise MethodFailed(
        title, method=f"{ref.class_name}.{method}", code=code, cause=cause, hint=hint
    )

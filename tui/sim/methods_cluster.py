"""Methods: the failover cluster. They return nothing; what the cluster API refuses is a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tui.sim import (
    cluster_moves,
    cluster_nodes,
    cluster_roles,
    cluster_volumes,
    move_list,
    shapes,
    win32,
)
from tui.sim.cluster import Cluster, Group, Node, Volume
from tui.sim.move_list import LIVE, SAVE
from tui.sim.outcome import Call, Method
from tui.sim.plan import RolePlan
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.reply import MethodOutput

Deed: TypeAlias = Callable[[Cluster, Call], "dict[str, CimValue] | None"]


def _void(deed: Deed) -> Method:
    def method(call: Call) -> MethodOutput:
        return MethodOutput(0, deed(_cluster(call), call) or {}, void=True)

    return method


def _cluster(call: Call) -> Cluster:
    found = call.host.fabric.cluster_of(call.host)
    assert found is not None, "hosts of no cluster do not know these classes"
    return found


def _name(call: Call) -> str:
    return shapes.text(call.instance, "Name")


def _group(cluster: Cluster, call: Call) -> Group:
    return cluster.groups[_name(call).lower()]


def _node(cluster: Cluster, call: Call) -> Node:
    return cluster.node(_name(call))


def _volume(cluster: Cluster, call: Call) -> Volume:
    return next(v for v in cluster.volumes if v.path == _name(call))


# -- groups --------------------------------------------------------------------------------


def _move(cluster: Cluster, call: Call) -> None:
    cluster_moves.request(cluster, _group(cluster, call), call.text("NodeName"), None)


def _move_params(cluster: Cluster, call: Call) -> None:
    given = call.get("Parameters")
    values = move_list.decode(given) if isinstance(given, bytes) and given else {}
    _go(cluster, call, move_list.way(values))


def _move_ex(cluster: Cluster, call: Call) -> None:
    _go(cluster, call, move_list.way(_numbers(call)))


def _go(cluster: Cluster, call: Call, how: int | None) -> None:
    group = _group(cluster, call)
    cluster_moves.request(cluster, group, call.text("NodeName"), how, call.number("Flags"))


def _numbers(call: Call) -> dict[str, int]:
    """The numbers of an MSCluster_Property; XML names hold no blanks, hosts write ``_x0020_``."""
    given = call.get("Parameters")
    values = given.values if isinstance(given, CimInstance) else {}
    found: dict[str, int] = {}
    for name, value in values.items():
        if not str(value).isdecimal():
            raise win32.refused(win32.BAD_PARAMETER)
        found[name.replace("_x0020_", " ")] = int(str(value))
    return found


def _idle(group: Group) -> Group:
    """The group, when nothing is going on with it."""
    if group.move is not None or group.pending or group.gone:
        raise win32.refused(win32.INVALID_STATE)
    return group


def _online(cluster: Cluster, call: Call) -> None:
    _start(cluster, _group(cluster, call))


def _start(cluster: Cluster, group: Group) -> None:
    _idle(group)
    if not cluster.owner(group).active:
        raise win32.refused(win32.NODE_DOWN)
    group.restarts.clear()
    group.failovers.clear()
    cluster_roles.bring_online(cluster, group)


def _offline(cluster: Cluster, call: Call) -> None:
    _stop(cluster, _group(cluster, call), move_list.way(_numbers(call)), whole=True)


def _offline_params(cluster: Cluster, call: Call) -> None:
    given = call.get("Parameters")
    values = move_list.decode(given) if isinstance(given, bytes) and given else {}
    _stop(cluster, _group(cluster, call), move_list.way(values), whole=True)


def _stop(cluster: Cluster, group: Group, how: int | None, *, whole: bool) -> None:
    _idle(group)
    if group.machine is None and group.kind == 1:
        raise win32.refused(win32.INVALID_STATE)
    usual = group.private.get("OfflineAction", SAVE)
    way = how if how is not None else usual if isinstance(usual, int) else SAVE
    if way == LIVE:
        raise win32.refused(win32.BAD_PARAMETER)
    group.wanted = False

    def ended(at: float, code: int) -> None:
        group.wanted = bool(code) and group.running
        group.released = whole and not code

    cluster_roles.take_offline(cluster, group, way, ended)


def _cancel(cluster: Cluster, call: Call) -> None:
    cluster_moves.cancel(cluster, _group(cluster, call))


def _preferred(cluster: Cluster, call: Call) -> dict[str, CimValue]:
    return {"NodeNames": _group(cluster, call).preferred}


def _prefer(cluster: Cluster, call: Call) -> None:
    names = [cluster.node(str(name)).name for name in call.many("NodeNames")]
    if len(set(names)) != len(names):
        raise win32.refused(win32.BAD_PARAMETER)
    _group(cluster, call).preferred = tuple(names)


def _destroy(cluster: Cluster, call: Call) -> None:
    group = _group(cluster, call)
    if call.number("Options") not in (0, 1):
        raise win32.refused(win32.BAD_PARAMETER)
    if group.machine is None or group.move is not None or group.pending:
        raise win32.refused(win32.INVALID_STATE)
    cluster.drop(group)


# -- nodes ---------------------------------------------------------------------------------


def _pause(cluster: Cluster, call: Call) -> None:
    node, drain = _node(cluster, call), call.number("DrainType")
    cluster_nodes.pause(cluster, node, drain, call.text("TargetNode"))


def _resume(cluster: Cluster, call: Call) -> None:
    cluster_nodes.resume(cluster, _node(cluster, call), call.number("FailbackType"))


def _will_lose(call: Call) -> MethodOutput:
    """1 when the cluster would go down without this node, and the words for that."""
    cluster = _cluster(call)
    node = _node(cluster, call)
    loses = node.active and not cluster.holds(node)
    words = f"The cluster would lose quorum without node '{node.name}'." if loses else ""
    return MethodOutput(int(loses), {"Reason": words})


# -- resources -----------------------------------------------------------------------------


def _role(cluster: Cluster, call: Call) -> Group:
    """The role a resource of a machine belongs to."""
    group = cluster.groups.get(shapes.text(call.instance, "OwnerGroup").lower())
    if group is None or group.machine is None:
        raise win32.refused(win32.INVALID_STATE)
    return group


def _resource_online(cluster: Cluster, call: Call) -> None:
    group = _role(cluster, call)
    if _is_machine(call):
        _start(cluster, group)
    elif group.released:
        _idle(group).released = False


def _is_machine(call: Call) -> bool:
    return shapes.text(call.instance, "Type") == move_list.VM


def _resource_offline(cluster: Cluster, call: Call) -> None:
    _stop(cluster, _role(cluster, call), move_list.way(_numbers(call)), whole=not _is_machine(call))


def _resource_offline_params(cluster: Cluster, call: Call) -> None:
    given = call.get("Parameters")
    values = move_list.decode(given) if isinstance(given, bytes) and given else {}
    _stop(cluster, _role(cluster, call), move_list.way(values), whole=not _is_machine(call))


def _fail(cluster: Cluster, call: Call) -> None:
    group = _idle(_role(cluster, call))
    if not group.running:
        raise win32.refused(win32.INVALID_STATE)
    cluster_roles.fail(cluster, group)


def _update(cluster: Cluster, call: Call) -> None:
    """What the cluster knows of a machine is read anew whenever somebody asks."""
    if shapes.text(call.instance, "Type") not in (move_list.VM, move_list.CONFIGURATION):
        raise win32.refused(win32.BAD_PARAMETER)
    if _role(cluster, call).gone:
        raise win32.refused(win32.NOT_FOUND)


# -- volumes and the cluster ---------------------------------------------------------------


def _volume_move(cluster: Cluster, call: Call) -> None:
    cluster_volumes.move(cluster, _volume(cluster, call), call.text("HostName"))


def _maintenance(*, on: bool) -> Deed:
    return lambda cluster, call: cluster_volumes.maintain(cluster, _volume(cluster, call), on=on)


def _redirected(*, on: bool) -> Deed:
    return lambda cluster, call: cluster_volumes.redirect(_volume(cluster, call), on=on)


def _add_machine(cluster: Cluster, call: Call) -> None:
    wanted = call.text("VirtualMachine").strip().strip("{}").lower()
    if not wanted:
        raise win32.refused(win32.BAD_PARAMETER)
    found = [
        machine
        for node in cluster.active()
        for machine in node.host.machines.values()
        if wanted in (machine.name.lower(), machine.id.lower())
    ]
    if not found:
        raise win32.refused(win32.NOT_FOUND)
    free = [machine for machine in found if not machine.clustered]
    if not free:
        raise win32.refused(win32.OBJECT_EXISTS)
    cluster.add(free[0], RolePlan())


def _deeds(word: str, **deeds: Deed) -> dict[tuple[str, str], Method]:
    return {(f"MSCluster_{word}", name): _void(deed) for name, deed in deeds.items()}


METHODS: dict[tuple[str, str], Method] = {
    **_deeds(
        "ResourceGroup",
        MoveToNewNode=_move,
        MoveToNewNodeParams=_move_params,
        MoveToNewNodeEx=_move_ex,
        BringOnline=_online,
        TakeOffline=_offline,
        TakeOfflineParams=_offline_params,
        CancelOperation=_cancel,
        GetPreferredOwners=_preferred,
        SetPreferredOwners=_prefer,
        DestroyGroup=_destroy,
    ),
    **_deeds("Node", Pause=_pause, Resume=_resume),
    ("MSCluster_Node", "WillOfflineLoseQuorum"): _will_lose,
    ("MSCluster_Node", "WillEvictLoseQuorum"): _will_lose,
    **_deeds(
        "Resource",
        BringOnline=_resource_online,
        TakeOffline=_resource_offline,
        TakeOfflineParams=_resource_offline_params,
        FailResource=_fail,
        UpdateVirtualMachine=_update,
    ),
    **_deeds(
        "ClusterSharedVolume",
        MoveToNewHost=_volume_move,
        TurnOnMaintenance=_maintenance(on=True),
        TurnOffMaintenance=_maintenance(on=False),
        TurnOnRedirectedAccess=_redirected(on=True),
        TurnOffRedirectedAccess=_redirected(on=False),
    ),
    **_deeds("Cluster", AddVirtualMachine=_add_machine),
}

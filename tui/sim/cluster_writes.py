"""What Put may change in root/MSCluster: properties of groups, nodes, resources and the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.sim import shapes, win32
from tui.sim.cluster import Cluster
from tui.sim.move_list import VM
from tui.wsman.cim import RANGES, CimInstance, CimValue
from tui.wsman.fault import refuse
from tui.wsman.schema import cim_class
from tui.wsman.values import Wsman

if TYPE_CHECKING:
    from tui.sim.world import SimHost

Values = dict[str, CimValue]
PRIORITIES = (0, 1000, 2000, 3000)
CHOICES: dict[str, tuple[int, ...]] = {
    "Priority": PRIORITIES,
    "AutoFailbackType": (0, 1),
    "LockedFromMoving": (0, 1),
    "NodeWeight": (0, 1),
    "DynamicQuorumEnabled": (0, 1),
    "ClusterEnforcedAntiAffinity": (0, 1),
    "FailbackWindowStart": tuple(range(-1, 24)),
    "FailbackWindowEnd": tuple(range(-1, 24)),
}


def write(host: SimHost, instance: CimInstance, values: Values) -> None:
    """Change what differs; refused when the property is read-only or the value means nothing."""
    cluster = host.fabric.cluster_of(host)
    assert cluster is not None
    shape = cim_class(shapes.CLUSTER, instance.class_name)
    changed = {name: value for name, value in values.items() if value != instance.values.get(name)}
    for name, value in changed.items():
        prop = shape.properties[name] if shape is not None else None
        low, high = RANGES.get(prop.type, (0, 0)) if prop is not None else (0, 0)
        fits = not isinstance(value, int) or isinstance(value, bool) or low <= value <= high
        if not fits or (name in CHOICES and value not in CHOICES[name]):
            raise win32.refused(win32.BAD_PARAMETER)
    writer = {
        "MSCluster_Cluster": _cluster,
        "MSCluster_Node": _node,
        "MSCluster_ResourceGroup": _group,
        "MSCluster_Resource": _resource,
    }.get(instance.class_name, _nothing)
    writer(cluster, shapes.text(instance, "Name"), changed)


def _read_only(name: str) -> None:
    raise refuse(Wsman.REPRESENTATION_INVALID_VALUES, f"{name} cannot be changed.")


def _nothing(cluster: Cluster, name: str, values: Values) -> None:
    for key in values:
        _read_only(key)


def _check(values: Values, known: Values) -> None:
    for name, value in values.items():
        if name not in known:
            _read_only(name)
        if value is None:
            raise win32.refused(win32.BAD_PARAMETER)


def _cluster(cluster: Cluster, name: str, values: Values) -> None:
    _check(values, cluster.settings)
    if values.get("MaximumParallelMigrations") == 0:
        raise win32.refused(win32.BAD_PARAMETER)
    cluster.settings.update(values)
    if {"DynamicQuorumEnabled", "LowerQuorumPriorityNodeId"} & values.keys():
        cluster.count()


def _node(cluster: Cluster, name: str, values: Values) -> None:
    node = cluster.node(name)
    _check(values, {"NodeWeight": 0})
    weight = values.get("NodeWeight")
    if isinstance(weight, int):
        node.weight = weight
        cluster.count()


def _group(cluster: Cluster, name: str, values: Values) -> None:
    group = cluster.groups[name.lower()]
    _check(values, group.values)
    group.values.update(values)


def _resource(cluster: Cluster, name: str, values: Values) -> None:
    """Only the private properties of a machine's resource, and only those an administrator sets."""
    group = cluster.groups.get(name.removeprefix(f"{VM} ").lower())
    given = values.get("PrivateProperties")
    if group is None or set(values) - {"PrivateProperties"} or not isinstance(given, CimInstance):
        _nothing(cluster, name, values)
        return
    for key, value in given.values.items():
        if key not in group.private:
            continue
        text = str(value)
        if not text.isdecimal():
            raise win32.refused(win32.BAD_PARAMETER)
        group.private[key] = int(text)

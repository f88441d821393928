"""A fleet as it would be: how full each host is, and every inventory once a machine has moved.

A plan is tried out on these before anything of it is done. Off and saved machines weigh nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec import structs

from tui.hyperv import cluster as nouns
from tui.hyperv import states
from tui.hyperv.cluster import Cluster, ClusterNode, Role
from tui.hyperv.model import Inventory, Link, Nic, Replica, Vm, VmVitals

Fleet = Mapping[str, Inventory]
"""Every host's inventory, by id."""
_COPIES = (2, 4)
"""ReplicationMode of a copy: Replica, and Extended Replica."""
_FINE = 6
"""Digits kept of a percentage: sums in another order must not differ."""


@dataclass(frozen=True, slots=True)
class Load:
    """How full a host is, as parts of one."""

    memory: float
    cpu: float

    @property
    def higher(self) -> float:
        """Of what it has less left of."""
        return max(self.memory, self.cpu)


# -- machines ------------------------------------------------------------------------------


def weighs(vitals: VmVitals | None) -> bool:
    """It takes memory and processors of its host now."""
    return vitals is not None and vitals.state in states.HAS_WORKER


def held(vm: Vm, vitals: VmVitals) -> int:
    """Bytes of its host's memory it has now."""
    if not weighs(vitals):
        return 0
    return vitals.memory if vitals.memory is not None else vm.memory_startup


def need(vm: Vm, vitals: VmVitals) -> int:
    """Bytes it takes to start it anew and let it be what it is now."""
    return max(vm.memory_startup, held(vm, vitals))


def busy(vm: Vm, vitals: VmVitals) -> float:
    """Logical processors it keeps busy."""
    if not weighs(vitals) or not vitals.cpu:
        return 0.0
    return vitals.cpu / 100 * max(1, vm.processors)


def running(inventory: Inventory) -> list[tuple[Vm, VmVitals]]:
    """Machines that weigh on a host, in order of name."""
    found = [
        (vm, inventory.vm_vitals[key])
        for key, vm in inventory.vms.items()
        if weighs(inventory.vm_vitals.get(key))
    ]
    return sorted(found, key=lambda pair: (pair[0].name.casefold(), pair[0].id))


def copied(vitals: VmVitals | None) -> bool:
    """It is the copy that Hyper-V Replica keeps; the machine itself is on another host."""
    return vitals is not None and vitals.replication_mode in _COPIES


def host_of(fleet: Fleet, vm: str, home: str = "") -> str:
    """The host that has a machine; empty when none has.

    Replica keeps one GUID on several hosts. ``home`` itself comes first, then the nodes beside it,
    then hosts whose machine is no copy.
    """
    beside = fleet[home].host.cluster if home in fleet else ""
    found = [host for host, inventory in fleet.items() if vm in inventory.vms]
    return min(
        found,
        key=lambda host: (
            host != home,
            not beside or fleet[host].host.cluster != beside,
            copied(fleet[host].vm_vitals.get(vm)),
        ),
        default="",
    )


# -- hosts ---------------------------------------------------------------------------------


def free(inventory: Inventory) -> int:
    """Bytes of memory nobody uses."""
    if inventory.vitals.memory_free is not None:
        return inventory.vitals.memory_free
    return inventory.host.memory - sum(held(vm, vitals) for vm, vitals in running(inventory))


def load(inventory: Inventory, memory: int = 0, processors: float = 0.0) -> Load:
    """How full a host is now, or would be with so much more on it."""
    total, number = inventory.host.memory, max(1, inventory.host.logical_processors)
    part = 1 - (free(inventory) - memory) / total if total else 1.0
    if inventory.vitals.cpu is not None:
        cpu = round(inventory.vitals.cpu + processors / number * 100, _FINE) / 100
    else:
        working = sum(busy(vm, vitals) for vm, vitals in running(inventory))
        cpu = (working + processors) / number
    return Load(part, max(0.0, cpu))


def known(inventory: Inventory) -> bool:
    """Enough has been read of it to plan with."""
    return bool(inventory.host.memory and inventory.host.logical_processors)


def title(inventory: Inventory) -> str:
    """What a host is called."""
    return inventory.host.name or inventory.host.id


def closed(fleet: Fleet, host: str) -> str:
    """Why a host takes no machine now; empty when it does."""
    inventory = fleet[host]
    name = title(inventory)
    if inventory.vitals.link not in (Link.UP, Link.SLOW):
        return f"{name} does not answer"
    if not known(inventory):
        return f"{name} has not been read yet"
    if inventory.host.read_only:
        return f"{name} is configured read-only"
    node = node_of(fleet, host)
    if node is None:
        return ""
    if node.state != nouns.UP:
        word = {nouns.DOWN: "down", nouns.PAUSED: "paused", nouns.JOINING: "joining"}
        return f"node {node.name} is {word.get(node.state, 'not up')}"
    if node.information & (nouns.ISOLATED | nouns.QUARANTINED):
        return f"node {node.name} is isolated or in quarantine"
    if node.drain == nouns.DRAINING:
        return f"node {node.name} is being drained"
    return ""


# -- clusters ------------------------------------------------------------------------------


def cluster_of(fleet: Fleet, host: str) -> Cluster | None:
    """The cluster a host is a node of, as any of its nodes tells of it: the newest word."""
    name = fleet[host].host.cluster
    if not name:
        return None
    told = [
        inventory for inventory in fleet.values()
        if inventory.host.cluster == name and inventory.cluster is not None
    ]  # fmt: skip
    newest = max(told, key=lambda inventory: inventory.cluster_at, default=None)
    return newest.cluster if newest else None


def node_of(fleet: Fleet, host: str) -> ClusterNode | None:
    """The node a host is."""
    cluster = cluster_of(fleet, host)
    return cluster.node(title(fleet[host])) if cluster else None


def role_of(fleet: Fleet, host: str, vm: Vm) -> Role | None:
    """The role that holds a machine."""
    cluster = cluster_of(fleet, host)
    return cluster.role_of(vm.id, vm.name) if cluster else None


def roles_of(fleet: Fleet, host: str) -> dict[str, Role]:
    """The roles that hold the machines of a host, by the machines' GUIDs."""
    cluster = cluster_of(fleet, host)
    return Roles(cluster).of(fleet[host]) if cluster is not None else {}


class Roles:
    """The roles of a cluster that hold machines, to be found by these."""

    def __init__(self, cluster: Cluster) -> None:
        self._by_guid: dict[str, Role] = {}
        self._by_name: dict[str, Role | None] = {}
        for role in cluster.roles:
            if role.type != nouns.MACHINE_ROLE:
                continue
            if role.vm:
                self._by_guid.setdefault(role.vm, role)
            else:
                name = role.vm_name
                self._by_name[name] = None if name in self._by_name else role

    def of(self, inventory: Inventory) -> dict[str, Role]:
        """Those of a host's machines, by the machines' GUIDs."""
        machines = inventory.vms.values()
        held = {vm.id: self._by_guid.get(vm.id) or self._by_name.get(vm.name) for vm in machines}
        return {vm: role for vm, role in held.items() if role is not None}


def members(fleet: Fleet, cluster: str) -> list[str]:
    """Hosts that are nodes of a cluster."""
    return sorted(host for host, one in fleet.items() if one.host.cluster == cluster)


def strangers(fleet: Fleet, cluster: str) -> tuple[str, ...]:
    """Nodes of a cluster that are up and whose hosts are not known."""
    hosts = members(fleet, cluster) if cluster else []
    told = cluster_of(fleet, hosts[0]) if hosts else None
    known = {title(fleet[host]).casefold() for host in hosts}
    nodes = told.nodes if told is not None else ()
    return tuple(
        node.name for node in nodes if node.state == nouns.UP and node.name.casefold() not in known
    )


def pools(fleet: Fleet) -> dict[str, list[str]]:
    """Hosts among which machines may be spread: each cluster by its name, the others under ""."""
    found: dict[str, list[str]] = {}
    for host in sorted(fleet):
        found.setdefault(fleet[host].host.cluster, []).append(host)
    return found


def apart(fleet: Fleet, role: Role | None, target: str) -> str:
    """The role on a host that must not share one with ``role``; empty when there is none."""
    if role is None or not role.anti_affinity:
        return ""
    cluster = cluster_of(fleet, target)
    name = title(fleet[target]).casefold()
    classes = set(role.anti_affinity)
    return next(
        (
            other.name for other in (cluster.roles if cluster else ())
            if other.name != role.name
            and other.owner.casefold() == name
            and classes & set(other.anti_affinity)
        ),
        "",
    )  # fmt: skip


# -- moving --------------------------------------------------------------------------------


def moved(fleet: Fleet, vm: str, target: str, source: str = "") -> dict[str, Inventory]:
    """The fleet once a machine is on another host. ``source``: the host it leaves, where that is
    known."""
    source = source or host_of(fleet, vm)
    if not source or source == target:
        return dict(fleet)
    here, there = fleet[source], fleet[target]
    machine, vitals = here.vms[vm], here.vm_vitals.get(vm)
    role = role_of(fleet, source, machine)
    after = dict(fleet)
    after[source] = _without(here, machine, vitals)
    after[target] = _with(there, machine, vitals, here)
    if role is not None and here.host.cluster == there.host.cluster:
        return owned(after, here.host.cluster, role.name, title(there))
    return after


def owned(fleet: Fleet, cluster: str, role: str, node: str) -> dict[str, Inventory]:
    """The fleet once a role is on another node; all nodes share one cluster then."""
    host = next(iter(members(fleet, cluster)), "")
    told = cluster_of(fleet, host) if host else None
    if told is None:
        return dict(fleet)
    roles = tuple(
        structs.replace(one, owner=node) if one.name == role else one for one in told.roles
    )
    grown = structs.replace(told, roles=roles)
    return {
        other: structs.replace(one, cluster=grown)
        if one.cluster is not None and one.host.cluster == cluster else one
        for other, one in fleet.items()
    }  # fmt: skip


def resumed(fleet: Fleet, host: str, cluster: Cluster) -> dict[str, Inventory]:
    """The fleet once a node that was paused takes roles again."""
    name = title(fleet[host]).casefold()
    nodes = tuple(
        structs.replace(node, state=nouns.UP, drain=0)
        if node.name.casefold() == name and node.state == nouns.PAUSED else node
        for node in cluster.nodes
    )  # fmt: skip
    told = structs.replace(cluster, nodes=nodes)
    return {
        other: structs.replace(one, cluster=told)
        if one.cluster is not None and one.cluster.name == cluster.name else one
        for other, one in fleet.items()
    }  # fmt: skip


def _changed(inventory: Inventory, memory: int, processors: float) -> Inventory:
    """A host that gained or lost so much load."""
    vitals = inventory.vitals
    if vitals.memory_free is not None:
        vitals = structs.replace(vitals, memory_free=vitals.memory_free - memory)
    if vitals.cpu is not None and inventory.host.logical_processors:
        more = processors / inventory.host.logical_processors * 100
        vitals = structs.replace(vitals, cpu=round(vitals.cpu + more, _FINE))
    return structs.replace(inventory, vitals=vitals)


def _without(here: Inventory, vm: Vm, vitals: VmVitals | None) -> Inventory:
    left = structs.replace(
        here,
        vms=_less(here.vms, vm.id),
        vm_vitals=_less(here.vm_vitals, vm.id),
        replicas={key: one for key, one in here.replicas.items() if one.vm != vm.id},
    )
    return _changed(left, -held(vm, vitals), -busy(vm, vitals)) if vitals else left


def _with(there: Inventory, vm: Vm, vitals: VmVitals | None, here: Inventory) -> Inventory:
    host = there.host.id
    came = structs.replace(vm, host=host, nics=tuple(_plugged(nic, there) for nic in vm.nics))
    vm_vitals = dict(there.vm_vitals)
    if vitals is not None:
        vm_vitals[vm.id] = structs.replace(vitals, host=host)
    found = structs.replace(
        there,
        vms={**there.vms, vm.id: came},
        vm_vitals=vm_vitals,
        replicas={**there.replicas, **_replicas(here.replicas.values(), vm.id, host)},
    )
    return _changed(found, held(vm, vitals), busy(vm, vitals)) if vitals else found


def _less(found: Mapping[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in found.items() if name != key}


def _replicas(replicas: Iterable[Replica], vm: str, host: str) -> dict[str, Replica]:
    return {one.id: structs.replace(one, host=host) for one in replicas if one.vm == vm}


def _plugged(nic: Nic, there: Inventory) -> Nic:
    """An adapter in the switch of the same name."""
    switch = next((one for one in there.switches.values() if one.name == nic.switch_name), None)
    if not nic.connected or switch is None:
        return nic
    return structs.replace(nic, switch_id=switch.guid)

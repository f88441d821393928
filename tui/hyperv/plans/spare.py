"""N-1: whether the machines of a node that dies find room on the nodes that are left.

They are placed as a cluster does it, the highest priority first, each on the node with most room.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tui.hyperv.cluster import Role
from tui.hyperv.model import Vm, VmVitals
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans.fleet import Fleet
from tui.hyperv.plans.words import gb

RESERVE = 1 << 30
"""Bytes of a host's memory that are left to itself."""
_NEVER = 0
"""Priority of a role that does not start by itself."""


@dataclass(frozen=True, slots=True)
class Restart:
    """A machine that would start again elsewhere."""

    vm: str
    name: str
    target: str
    """Host id; empty: it finds no room."""
    memory: int
    """Bytes it needs."""
    why: str = ""
    """Why it stays down."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What the death of one host would do."""

    host: str
    restarts: tuple[Restart, ...] = ()
    """Machines in roles of the cluster, in the order they would start."""
    ends: tuple[str, ...] = ()
    """Names of machines no cluster starts again."""

    @property
    def stranded(self) -> tuple[Restart, ...]:
        """Those that find no room."""
        return tuple(one for one in self.restarts if not one.target)

    @property
    def lacking(self) -> int:
        """Bytes of memory the others have too little."""
        return sum(one.memory for one in self.stranded)


def loss(fleet: Fleet, host: str, without: Collection[str] = ()) -> Loss:
    """The death of a host while those in ``without`` are away already."""
    inventory = fleet[host]
    held: list[tuple[Vm, VmVitals, Role]] = []
    ends: list[str] = []
    roles = fleets.roles_of(fleet, host)
    for vm, vitals in fleets.running(inventory):
        role = roles.get(vm.id)
        if role is None or role.priority == _NEVER:
            ends.append(vm.name)
        else:
            held.append((vm, vitals, role))
    held.sort(key=lambda one: (-one[2].priority, -fleets.need(one[0], one[1]), one[0].id))
    others = [
        other for other in fleets.members(fleet, inventory.host.cluster)
        if other != host and other not in without and not fleets.closed(fleet, other)
    ] if held else []  # fmt: skip
    return Loss(host, _placed(fleet, held, others), tuple(ends))


def _placed(
    fleet: Fleet, machines: list[tuple[Vm, VmVitals, Role]], nodes: list[str]
) -> tuple[Restart, ...]:
    rooms = {node: fleets.free(fleet[node]) - RESERVE for node in nodes}
    classes: dict[str, set[str]] = {node: _classes(fleet, node) for node in nodes}
    found: list[Restart] = []
    for vm, vitals, role in machines:
        size = fleets.need(vm, vitals)
        fitting = [node for node in nodes if rooms[node] >= size]
        if not fitting:
            most = max(rooms.values(), default=0)
            why = f"needs {gb(size)}, at most {gb(max(0, most))} is left on one node"
            found.append(Restart(vm.id, vm.name, "", size, why))
            continue
        kept = set(role.anti_affinity)
        # A cluster keeps such roles apart while it can, and starts them together before not at all.
        node = max(fitting, key=lambda one: (not kept & classes[one], rooms[one], one))
        rooms[node] -= size
        classes[node] |= kept
        found.append(Restart(vm.id, vm.name, node, size))
    return tuple(found)


def _classes(fleet: Fleet, node: str) -> set[str]:
    """Anti-affinity classes of the roles a node has."""
    cluster = fleets.cluster_of(fleet, node)
    name = fleets.title(fleet[node]).casefold()
    roles = cluster.roles if cluster else ()
    return {word for role in roles if role.owner.casefold() == name for word in role.anti_affinity}


def lacking(fleet: Fleet, cluster: str, without: Collection[str] = ()) -> int:
    """Bytes of memory that would be missing if the worst of its nodes died; 0: N-1 holds."""
    if not cluster:
        return 0
    nodes = [node for node in fleets.members(fleet, cluster) if node not in without]
    return max((loss(fleet, node, without).lacking for node in nodes), default=0)

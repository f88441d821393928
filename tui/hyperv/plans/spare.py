"""N-1: whether the machines of a node that dies find room on the nodes that are left.

They are placed as a cluster does it, the highest priority first, each on the node with most room.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace

from tui.hyperv.cluster import Cluster, Role
from tui.hyperv.model import Inventory
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans.fleet import Fleet
from tui.hyperv.plans.words import gb

RESERVE = 1 << 30
"""Bytes of a host's memory that are left to itself."""
MEDIUM = 2000
"""Priority of a role that has been given none."""
AS_FAR = ", as far as hvdeck knows its nodes"
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
    partly: bool = False
    """Not all nodes that are up are known: there may be more room."""

    @property
    def stranded(self) -> tuple[Restart, ...]:
        """Those that find no room."""
        return tuple(one for one in self.restarts if not one.target)

    @property
    def lacking(self) -> int:
        """Bytes of memory the others have too little."""
        return sum(one.memory for one in self.stranded)


@dataclass(frozen=True, slots=True)
class Claim:
    """A machine in a role, as its cluster would start it elsewhere."""

    vm: str
    name: str
    size: int
    """Bytes it needs."""
    priority: int = MEDIUM
    kept: frozenset[str] = frozenset()
    """Anti-affinity classes of its role."""

    @property
    def turn(self) -> tuple[int, int, str]:
        """Where it stands among those that start."""
        return -self.priority, -self.size, self.vm


class Spare:
    """A cluster without those in ``without``: what each node would leave to the others, and their
    rooms."""

    def __init__(self, fleet: Fleet, cluster: str, without: Collection[str] = ()) -> None:
        self.nodes = [node for node in fleets.members(fleet, cluster) if node not in without]
        told = fleets.cluster_of(fleet, self.nodes[0]) if self.nodes else None
        roles = fleets.Roles(told) if told is not None else None
        self._known = as_far(fleet, cluster)
        self._claims: dict[str, list[Claim]] = {}
        self._ends: dict[str, tuple[str, ...]] = {}
        for node in self.nodes:
            held = roles.of(fleet[node]) if roles is not None else {}
            self._claims[node], self._ends[node] = _parted(fleet[node], held)
        self._rooms = {
            node: fleets.free(fleet[node]) - RESERVE
            for node in self.nodes if not fleets.closed(fleet, node)
        }  # fmt: skip
        self._classes = _classes(fleet, self.nodes, told)

    def loss(self, host: str) -> Loss:
        """The death of a node."""
        claims = self._claims[host]
        rooms = {node: room for node, room in self._rooms.items() if node != host}
        found = []
        for claim, target, most in self._placed(claims, rooms):
            why = f"needs {gb(claim.size)}, at most {gb(max(0, most))} is left on one node"
            why = "" if target else f"{why}{self._known}"
            found.append(Restart(claim.vm, claim.name, target, claim.size, why))
        return Loss(host, tuple(found), self._ends[host], bool(self._known))

    def lacking(self) -> int:
        """Bytes of memory that would be missing if the worst of the nodes died."""
        return max(map(self._lack, self.nodes), default=0)

    def take(self, host: str, claim: Claim) -> None:
        """Put one machine more on a node."""
        insort(self._claims[host], claim, key=lambda one: one.turn)
        if host in self._rooms:
            self._rooms[host] -= claim.size

    @property
    def roomiest(self) -> str:
        """The node with most room among those that take machines; empty when none does."""
        return max(self._rooms, key=lambda node: (self._rooms[node], node), default="")

    def room(self, host: str) -> int:
        """Bytes a node can still give."""
        return self._rooms[host]

    def _lack(self, host: str) -> int:
        rooms = {node: room for node, room in self._rooms.items() if node != host}
        placed = self._placed(self._claims[host], rooms)
        return sum(claim.size for claim, target, _ in placed if not target)

    def _placed(
        self, claims: Sequence[Claim], rooms: dict[str, int]
    ) -> Iterator[tuple[Claim, str, int]]:
        """Each machine, the node it starts on, and the most room there was; empty: no room."""
        order = sorted(rooms, reverse=True)
        heap = [(-rooms[node], at) for at, node in enumerate(order)]
        heapify(heap)
        classes: dict[str, set[str]] = {}
        for claim in claims:
            most = -heap[0][0] if heap else 0
            if most < claim.size or not heap:
                yield claim, "", most
                continue
            # A cluster keeps such roles apart while it can, and starts them together before not
            # at all.
            at = heap[0][1]
            if claim.kept:
                classes = classes or {node: set(self._classes.get(node, ())) for node in order}
                apart = [
                    (left, other) for left, other in heap
                    if -left >= claim.size and not claim.kept & classes[order[other]]
                ]  # fmt: skip
                at = min(apart, default=heap[0])[1]
                classes[order[at]] |= claim.kept
            rooms[order[at]] -= claim.size
            if at == heap[0][1]:
                heapreplace(heap, (-rooms[order[at]], at))
            else:
                heap = [(-rooms[node], other) for other, node in enumerate(order)]
                heapify(heap)
            yield claim, order[at], most


def _parted(inventory: Inventory, roles: Mapping[str, Role]) -> tuple[list[Claim], tuple[str, ...]]:
    """What of a host would start elsewhere, in its turn, and names of machines that would end."""
    claims: list[Claim] = []
    ends: list[str] = []
    for vm, vitals in fleets.running(inventory):
        role = roles.get(vm.id)
        if role is None or role.priority == _NEVER:
            ends.append(vm.name)
        else:
            size, kept = fleets.need(vm, vitals), frozenset(role.anti_affinity)
            claims.append(Claim(vm.id, vm.name, size, role.priority, kept))
    claims.sort(key=lambda one: one.turn)
    return claims, tuple(ends)


def _classes(fleet: Fleet, nodes: Sequence[str], cluster: Cluster | None) -> dict[str, set[str]]:
    """Anti-affinity classes of the roles each node has."""
    hosts = {fleets.title(fleet[node]).casefold(): node for node in nodes}
    found: dict[str, set[str]] = {}
    for role in cluster.roles if cluster is not None else ():
        host = hosts.get(role.owner.casefold()) if role.anti_affinity else None
        if host is not None:
            found.setdefault(host, set()).update(role.anti_affinity)
    return found


def as_far(fleet: Fleet, cluster: str) -> str:
    """What is to be added where a sentence holds for the known nodes of a cluster alone."""
    return AS_FAR if fleets.strangers(fleet, cluster) else ""


def loss(fleet: Fleet, host: str, without: Collection[str] = ()) -> Loss:
    """The death of a host while those in ``without`` are away already."""
    cluster = fleet[host].host.cluster
    if cluster:
        return Spare(fleet, cluster, set(without) - {host}).loss(host)
    return Loss(host, (), _parted(fleet[host], {})[1])


def lacking(fleet: Fleet, cluster: str, without: Collection[str] = ()) -> int:
    """Bytes of memory that would be missing if the worst of its nodes died; 0: N-1 holds."""
    return Spare(fleet, cluster, without).lacking() if cluster else 0

"""What fits on the hosts, what is promised more than once, and what each host's death would do."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median_low

from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans import spare
from tui.hyperv.plans.fleet import Fleet, Load
from tui.hyperv.plans.placing import Wish, crowding
from tui.hyperv.plans.spare import RESERVE, Claim, Loss, Spare

MOST = 500
"""Machines counted at most where it is asked how many more fit."""
_USUAL = Wish(4 << 30, 2)


@dataclass(frozen=True, slots=True)
class Room:
    """One host."""

    host: str
    memory: int
    """Bytes it has."""
    free: int
    """Bytes nobody uses."""
    held: int
    """Bytes its machines have now."""
    promised: int
    """Bytes its running machines may grow to."""
    configured: int
    """The same with those that are off."""
    processors: int
    """Logical ones."""
    virtual: int
    """Processors of its running machines."""
    crowd: float
    """Virtual per logical one."""
    load: Load
    fits: int
    """Machines of the size asked about that it could take as well."""
    loss: Loss
    """What its death would do."""
    closed: str = ""
    """Why it takes no machine now."""

    @property
    def overcommit(self) -> float:
        """What is promised to running machines, as a part of what it has."""
        return self.promised / self.memory if self.memory else 0.0


@dataclass(frozen=True, slots=True)
class Pool:
    """A cluster, or all hosts without one."""

    cluster: str
    """Its name; empty for hosts without one."""
    rooms: tuple[Room, ...]
    fits: int
    """Machines of the size asked about that it takes and still survives the loss of a node."""
    lacking: int
    """Bytes of memory missing now if the worst node died; 0: N-1 holds."""
    strangers: tuple[str, ...] = ()
    """Nodes that are up and whose hosts are not known: what is said holds without them."""


def usual(fleet: Fleet) -> Wish:
    """A machine of the middle size among those that run."""
    machines = [vm for one in fleet.values() for vm, _ in fleets.running(one)]
    if not machines:
        return _USUAL
    memory = median_low([most(vm.dynamic_memory, vm.memory_startup, vm.memory_maximum)
                         for vm in machines])  # fmt: skip
    return Wish(max(1 << 20, memory), max(1, median_low([vm.processors for vm in machines])))


def most(dynamic: bool, startup: int, maximum: int) -> int:
    """Bytes a machine may grow to; without a bound it is counted as it starts."""
    return maximum if dynamic and maximum and maximum < 1 << 40 else startup


def capacity(fleet: Fleet, wish: Wish) -> list[Pool]:
    """Every pool with its hosts, by name, those without a cluster last."""
    found = []
    for cluster, hosts in fleets.pools(fleet).items():
        left = Spare(fleet, cluster) if cluster else None
        rooms = tuple(
            _room(fleet, host, wish, left.loss(host) if left else spare.loss(fleet, host))
            for host in hosts
        )
        lacking = left.lacking() if left else 0
        fits = _together(fleet, cluster, wish) if cluster else sum(room.fits for room in rooms)
        found.append(Pool(cluster, rooms, fits, lacking, fleets.strangers(fleet, cluster)))
    return sorted(found, key=lambda pool: (not pool.cluster, pool.cluster))


def _room(fleet: Fleet, host: str, wish: Wish, loss: Loss) -> Room:
    inventory = fleet[host]
    machines = fleets.running(inventory)
    shut = fleets.closed(fleet, host)
    free = fleets.free(inventory)
    return Room(
        host,
        inventory.host.memory,
        free,
        sum(fleets.held(vm, vitals) for vm, vitals in machines),
        sum(most(vm.dynamic_memory, vm.memory_startup, vm.memory_maximum) for vm, _ in machines),
        sum(most(vm.dynamic_memory, vm.memory_startup, vm.memory_maximum)
            for vm in inventory.vms.values()),
        inventory.host.logical_processors,
        sum(vm.processors for vm, _ in machines),
        crowding(inventory),
        fleets.load(inventory),
        0 if shut else max(0, (free - RESERVE) // max(1, wish.memory)),
        loss,
        shut,
    )  # fmt: skip


def _together(fleet: Fleet, cluster: str, wish: Wish) -> int:
    """How many fit into a cluster before the death of a node would strand one; where not all
    nodes are known nobody can tell that, and all count for which there is room.
    """
    left, known = Spare(fleet, cluster), not fleets.strangers(fleet, cluster)
    lacks = left.lacking() if known else 0
    node = left.roomiest
    for count in range(MOST if node else 0):
        if left.room(node) < wish.memory:
            return count
        left.take(node, Claim(f"new {count}", "", wish.memory))
        if known and left.lacking() > lacks:
            return count
        node = left.roomiest
    return MOST if node else 0

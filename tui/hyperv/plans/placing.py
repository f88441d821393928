"""The best host for a new machine of some size, every host ranked with its reason in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from msgspec import structs

from tui.hyperv import cluster as nouns
from tui.hyperv.cluster import Role
from tui.hyperv.model import Inventory, Vm, VmVitals
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans import spare
from tui.hyperv.plans.fleet import Fleet, Load
from tui.hyperv.plans.words import gb, share
from tui.hyperv.preflight import Verdict
from tui.hyperv.volumes import volume_of
from tui.wsman.values import EnabledState

CROWDED = 4.0
"""Virtual processors per logical one from which that is worth a warning."""
HOT = 0.8
"""Part of its processors in use from which a host is a poor place."""
_NEW = "new"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the new machine would be."""

    memory: int
    """Bytes."""
    processors: int = 1
    switch: str = ""
    """Name of the virtual switch it needs; empty: none."""
    disk: int = 0
    """Bytes of its disk; 0: not said."""


@dataclass(frozen=True, slots=True)
class Place:
    """A host, and how well it would suit."""

    host: str
    verdict: Verdict
    left: int
    """Bytes of memory that would be left."""
    load: Load
    """How full the host would be."""
    crowd: float
    """Virtual processors per logical one, of all running machines."""
    reasons: tuple[str, ...]
    """What speaks against it, the worst first; else what speaks for it."""


def places(fleet: Fleet, wish: Wish) -> list[Place]:
    """Every host, the best first: those where it fits, then by what would be left."""
    found = [_place(fleet, host, wish) for host in sorted(fleet)]
    return sorted(found, key=lambda place: (place.verdict, place.load.higher, place.host))


def _place(fleet: Fleet, host: str, wish: Wish) -> Place:
    inventory = fleet[host]
    if not fleets.known(inventory):
        return Place(host, Verdict.FAIL, 0, Load(1.0, 1.0), 0.0, (fleets.closed(fleet, host),))
    before = fleets.load(inventory)
    left = fleets.free(inventory) - wish.memory
    load = Load(1 - left / inventory.host.memory, before.cpu)
    crowd = crowding(inventory, wish.processors)
    against = [*_impossible(fleet, host, wish)]
    if against:
        return Place(host, Verdict.FAIL, left, load, crowd, tuple(against))
    against = [*_doubtful(fleet, host, wish, load, crowd)]
    praise = (
        f"{gb(left)} ({share(1 - load.memory)}) of memory stay free",
        f"processors {share(load.cpu)} busy",
        f"{crowd:.1f} virtual processors for each logical one",
    )
    if against:
        return Place(host, Verdict.WARN, left, load, crowd, (*against, *praise))
    return Place(host, Verdict.PASS, left, load, crowd, praise)


def crowding(inventory: Inventory, more: int = 0) -> float:
    """Virtual processors of running machines per logical one."""
    virtual = sum(vm.processors for vm, _ in fleets.running(inventory)) + more
    return virtual / max(1, inventory.host.logical_processors)


def _impossible(fleet: Fleet, host: str, wish: Wish) -> Iterable[str]:
    """Why it cannot be there."""
    inventory = fleet[host]
    if why := fleets.closed(fleet, host):
        yield why
    room = fleets.free(inventory) - spare.RESERVE
    if room < wish.memory:
        yield f"it needs {gb(wish.memory)} of memory, {gb(max(0, room))} can be given"
    if wish.processors > inventory.host.logical_processors:
        yield (
            f"it has {inventory.host.logical_processors} logical processors, "
            f"fewer than the {wish.processors} wanted"
        )
    if why := _no_switch(inventory, wish.switch):
        yield why
    if why := _no_disk(inventory, wish.disk):
        yield why


def _no_switch(inventory: Inventory, wanted: str) -> str:
    names = [switch.name for switch in inventory.switches.values()]
    if not wanted or wanted in names:
        return ""
    near = get_close_matches(wanted, names, 1, 0.6)
    also = f"; {near[0]} is not the same name" if near else ""
    return f"it has no virtual switch {wanted}{also}"


def _no_disk(inventory: Inventory, size: int) -> str:
    """Whether its disk fits where the host puts new disks."""
    if not size or not inventory.host.volumes:
        return ""
    roomiest = volume_of(inventory.host.volumes, inventory.host.vhd_path)
    if roomiest is None or roomiest.free >= size:
        return ""
    return f"{roomiest.name} has {gb(roomiest.free)} free, the disk takes {gb(size)}"


def _doubtful(fleet: Fleet, host: str, wish: Wish, load: Load, crowd: float) -> Iterable[str]:
    """What speaks against it without forbidding it."""
    cluster = fleet[host].host.cluster
    if cluster:
        lacks = spare.lacking(with_new(fleet, host, wish), cluster)
        if lacks > spare.lacking(fleet, cluster):
            known = spare.as_far(fleet, cluster)
            yield f"if a node of {cluster} died then, {gb(lacks)} of memory would be missing{known}"
    if load.cpu > HOT:
        yield f"its processors are {share(load.cpu)} busy already"
    if crowd > CROWDED:
        yield f"it would have {crowd:.1f} virtual processors for each logical one"


def with_new(fleet: Fleet, host: str, wish: Wish, name: str = _NEW) -> Fleet:
    """The fleet once such a machine runs on a host; on a node as a role of its cluster."""
    inventory = fleet[host]
    vm = Vm(name, host, name, processors=wish.processors, memory_startup=wish.memory, complete=True)
    vitals = VmVitals(name, host, EnabledState.RUNNING, memory=wish.memory)
    left = fleets.free(inventory) - wish.memory
    after = {**fleet, host: structs.replace(
        inventory,
        vitals=structs.replace(inventory.vitals, memory_free=left),
        vms={**inventory.vms, name: vm},
        vm_vitals={**inventory.vm_vitals, name: vitals},
    )}  # fmt: skip
    cluster = fleets.cluster_of(fleet, host)
    if cluster is None:
        return after
    role = Role(name, nouns.MACHINE_ROLE, nouns.ONLINE, fleets.title(inventory), vm=name)
    grown = structs.replace(cluster, roles=(*cluster.roles, role))
    return {
        other: structs.replace(one, cluster=grown)
        if one.cluster is not None and one.cluster.name == cluster.name else one
        for other, one in after.items()
    }  # fmt: skip

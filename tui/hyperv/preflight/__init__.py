"""Whether a machine can move to a host, cause by cause, from what is known of both.

Pure: functions of their arguments. What only a host can tell is left to the host's own verdict
(``ops.moving.verdict``), which wins where it differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tui.hyperv import states
from tui.hyperv.cluster import Cluster
from tui.hyperv.model import Inventory, Vm, VmVitals
from tui.hyperv.preflight import cluster as clusters
from tui.hyperv.preflight import hosts, machine, places
from tui.hyperv.preflight.cause import Cause, Move, Trip, Verdict, passed, size, worst
from tui.hyperv.preflight.hosts import MIGRATION_JOB
from tui.hyperv.preflight.machine import left, needed
from tui.hyperv.preflight.places import amount
from tui.hyperv.sheet import Sheet

__all__ = [
    "CAUSES",
    "MIGRATION_JOB",
    "Cause",
    "Move",
    "Trip",
    "Verdict",
    "amount",
    "causes",
    "cluster_of",
    "judge",
    "left",
    "move_for",
    "needed",
    "size",
    "worst",
]

_CHECKS: tuple[Callable[[Trip], Iterator[Cause]], ...] = (
    hosts.reachable,
    machine.state,
    hosts.enabled,
    hosts.limits,
    hosts.authentication,
    machine.processor,
    hosts.version,
    machine.memory,
    machine.numa,
    places.switch,
    places.vlan,
    places.iso,
    machine.devices,
    places.storage,
    machine.checkpoints,
    machine.tpm,
    machine.replica,
    hosts.networks,
    hosts.clock,
    clusters.role,
)
CAUSES = {
    "state": "State",
    "enabled": "Migration",
    "limits": "Limits",
    "authentication": "Sign-in",
    "processor": "Processor",
    "version": "Version",
    "memory": "Memory",
    "numa": "NUMA",
    "switch": "Switch",
    "vlan": "VLAN",
    "iso": "DVD image",
    "devices": "Devices",
    "storage": "Storage",
    "checkpoints": "Checkpoints",
    "tpm": "TPM",
    "replica": "Replica",
    "networks": "Networks",
    "clock": "Clock",
    "role": "Role",
}
"""Every cause's id, and what it is called."""


def causes(
    vm: Vm,
    vitals: VmVitals,
    source: Inventory,
    target: Inventory,
    move: Move,
    *,
    sheet: Sheet | None = None,
    added: int = 0,
    cluster: Cluster | None = None,
) -> tuple[Cause, ...]:
    """Everything the move depends on. ``added``: bytes other planned moves bring to the target;
    ``cluster``: that of the source, where neither host tells of it itself."""
    known = cluster or cluster_of(source, target)
    return judge(Trip(vm, vitals, source, target, move, sheet, added, cluster=known))


def judge(trip: Trip) -> tuple[Cause, ...]:
    """The same of a trip with its folder and switches."""
    found = tuple(cause for check in _CHECKS for cause in check(trip))
    told = {cause.id for cause in found}
    return (*found, *(cause for cause in _clear(trip) if cause.id not in told))


def _clear(trip: Trip) -> Iterator[Cause]:
    """What is worth saying of a cause that nothing was found for."""
    here, there = trip.here.id, trip.there.id
    word = states.word(trip.vitals.state)
    yield passed("state", f"{trip.name} is {word}, and nothing else is being done to it")
    if not trip.leaves:
        yield passed("limits", f"{here} has a turn free for its storage")
        return
    yield passed("enabled", f"live migration is on at {here} and at {there}")
    if trip.move is not Move.CLUSTER:
        yield passed("limits", f"{here} and {there} have a turn free")
    names = sorted({one.switch_name for one in trip.plugged})
    if names:
        yield passed("switch", f"{there} has a switch for {', '.join(names)}")


def cluster_of(source: Inventory, target: Inventory) -> Cluster | None:
    """The cluster of the source, whichever of the two tells of it."""
    if source.cluster is not None:
        return source.cluster
    same = source.host.cluster and source.host.cluster == target.host.cluster
    return target.cluster if same else None


def move_for(
    vm: Vm,
    vitals: VmVitals,
    source: Inventory,
    target: Inventory,
    *,
    sheet: Sheet | None = None,
    cluster: Cluster | None = None,
) -> Move:
    """How the machine would go there."""
    if source.host.id == target.host.id:
        return Move.STORAGE
    known = cluster or cluster_of(source, target)
    trip = Trip(vm, vitals, source, target, Move.LIVE, sheet, cluster=known)
    if trip.role is not None and known is not None and known.node(target.host.name) is not None:
        return Move.CLUSTER
    disks = any(disk.path and not disk.dvd for disk in trip.disks)
    if disks and not places.local_disks(trip):
        return Move.LIVE
    return Move.BOTH if vitals.state in states.HAS_WORKER else Move.OFFLINE

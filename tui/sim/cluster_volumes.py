"""Cluster shared volumes: who coordinates them, and what becomes of machines without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import disks, power, win32
from tui.sim.cluster_moves import check_target
from tui.sim.machine import PAUSED_CRITICAL, RUNNING

if TYPE_CHECKING:
    from tui.sim.cluster import Cluster, Node, Volume
    from tui.sim.machine import Machine

SECONDS = 1.5
"""To take a disk from one node to another."""


def users(cluster: Cluster, volume: Volume) -> Iterator[Machine]:
    """The machines with a disk on a volume."""
    prefix = volume.path.lower() + "\\"
    for node in cluster.nodes.values():
        for machine in list(node.host.machines.values()):
            paths = (disks.image_path(image).lower() for image in machine.images)
            if any(path.startswith(prefix) for path in paths):
                yield machine


def move(cluster: Cluster, volume: Volume, name: str) -> None:
    """Another node coordinates the volume; machines on it do not notice."""
    if volume.moving:
        raise win32.refused(win32.INVALID_STATE)
    target = cluster.node(name) if name.strip() else _best(cluster, volume)
    if target is None:
        raise win32.refused(win32.NODE_NOT_AVAILABLE)
    check_target(target)
    if target.name == volume.owner:
        return
    volume.moving = True

    def moved(at: float) -> None:
        volume.moving = False
        if target.active:
            volume.owner = target.name

    cluster.fabric.after(SECONDS, moved)


def _best(cluster: Cluster, volume: Volume) -> Node | None:
    nodes = [n for n in cluster.nodes.values() if n.state == 0 and n.name != volume.owner]
    return min(nodes, key=lambda n: sum(v.owner == n.name for v in cluster.volumes), default=None)


def leave(cluster: Cluster, node: Node) -> None:
    """Whatever a node coordinates goes to others, volumes and the cluster's own groups."""
    for volume in cluster.volumes:
        other = _best(cluster, volume) if volume.owner == node.name else None
        if other is not None:
            volume.owner, volume.moving = other.name, False
    for group in cluster.groups.values():
        if group.machine is None and group.node == node.name:
            ready = [n for n in cluster.nodes.values() if n.state == 0 and n is not node]
            group.node = ready[0].name if ready else group.node


def maintain(cluster: Cluster, volume: Volume, *, on: bool) -> None:
    """In maintenance nobody can use the volume: running machines on it stop in their tracks."""
    if volume.maintenance is on or volume.moving:
        raise win32.refused(win32.INVALID_STATE)
    volume.maintenance = on
    now = cluster.fabric.now()
    for machine in users(cluster, volume):
        if on and machine.state == RUNNING:
            _starve(machine, now)
        elif not on and machine.state == PAUSED_CRITICAL:
            power.resumed(machine, now)


def _starve(machine: Machine, at: float) -> None:
    machine.freeze(at)
    power.enter(machine, PAUSED_CRITICAL, at)
    machine.system.values["HealthState"] = 25
    machine.system.values["OperationalStatus"] = (3, 32785)
    machine.system.values["StatusDescriptions"] = (
        "Degraded",
        "The virtual machine is paused because storage it needs is not available.",
    )
    machine.system.values["Status"] = "Degraded"


def redirect(volume: Volume, *, on: bool) -> None:
    """All access goes through the node that coordinates the volume."""
    if volume.redirected is on:
        raise win32.refused(win32.INVALID_STATE)
    volume.redirected = on

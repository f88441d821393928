"""Where a role can run: what a node must have for it, and which node is the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.sim import counters, disks, move_checks, moving, network, shapes, win32
from tui.sim.machine import STARTING
from tui.sim.move_list import LIVE

if TYPE_CHECKING:
    from tui.sim.cluster import Cluster, Group, Node
    from tui.sim.machine import Machine
    from tui.sim.world import SimHost

SPARE = 1024
"""MB a node keeps for itself."""


def memory_of(machine: Machine) -> int:
    """MB a machine holds, or will hold once it is started."""
    held = machine.memory(machine.host.fabric.now()) if machine.alive else 0
    return held or shapes.number(machine.memory_setting(), "VirtualQuantity")


def room(cluster: Cluster, node: Node, but: Group) -> int:
    """MB that are free on a node once everybody has arrived who is on the way there."""
    free = counters.free_memory(node.host, cluster.fabric.now()) >> 20
    for group in cluster.roles():
        machine, move = group.machine, group.move
        if group is but or machine is None:
            continue
        coming = move is not None and move.target is node and machine.host is not node.host
        starting = machine.host is node.host and machine.state == STARTING
        if starting or (coming and group.wanted):
            free -= memory_of(machine)
    return free - SPARE


def hand_over(machine: Machine, node: Node) -> None:
    """Make a machine one of a node's; a run goes on there as if nothing had happened."""
    if machine.host is not node.host:
        node.host.ensure()
        moving.transfer(machine, node.host, {}, node.host.fabric.now())


def unfit(cluster: Cluster, group: Group, node: Node, *, how: int) -> int:
    """Why a role cannot go on or be started on a node: a Win32 error, or 0."""
    machine = group.machine
    if machine is None:
        return 0
    needed = group.wanted or machine.alive
    if needed and not all(_there(node.host, disks.image_path(i)) for i in machine.images):
        return win32.MISSING_FILE
    live = how == LIVE and machine.alive
    if live and any(move_checks.processor(machine, node.host)):
        return win32.NOT_SUPPORTED
    if live and _lacking(machine, node.host):
        return win32.NOT_FOUND
    if needed and room(cluster, node, group) < memory_of(machine):
        return win32.OUT_OF_MEMORY
    return 0


def _there(host: SimHost, path: str) -> bool:
    return not path or bool(host.files.chain(path))


def _lacking(machine: Machine, host: SimHost) -> set[str]:
    """Names of the switches a machine is plugged into and another host has not."""
    ports = machine.current.of("Msvm_EthernetPortAllocationSettingData")
    used = (network.switch_of(machine.host, port) for port in ports)
    names = {shapes.text(switch, "ElementName") for switch in used if switch is not None}
    return {name for name in names if host.switch_named(name) is None}


def ranked(cluster: Cluster, group: Group, *, how: int = LIVE) -> list[Node]:
    """The nodes that can take a role, the best first: its switches, apart, preferred, roomy."""
    enforced = bool(cluster.number("ClusterEnforcedAntiAffinity"))

    def clashes(node: Node) -> int:
        others = (other for other in cluster.on(node) if other is not group)
        return sum(bool(group.apart & other.apart) for other in others)

    def rank(node: Node) -> tuple[int, int, int, int]:
        names = [name.lower() for name in group.preferred]
        key = node.name.lower()
        wished = names.index(key) if key in names else len(names)
        lacking = len(_lacking(group.machine, node.host)) if group.machine is not None else 0
        return lacking, clashes(node), wished, -room(cluster, node, group)

    fit = [
        node
        for node in cluster.nodes.values()
        if node.state == 0
        and node.name != group.owner
        and not unfit(cluster, group, node, how=how)
        and not (enforced and clashes(node))
    ]
    return sorted(fit, key=rank)


def why_nowhere(cluster: Cluster, group: Group, *, how: int = LIVE) -> int:
    """The error of a role that no node can take."""
    others = [n for n in cluster.nodes.values() if n.state == 0 and n.name != group.owner]
    if not others:
        return win32.NODE_NOT_AVAILABLE
    return next((code for n in others if (code := unfit(cluster, group, n, how=how))), 0) or (
        win32.NODE_NOT_AVAILABLE
    )

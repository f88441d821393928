"""Disks that grow while their guests write new data: settled whenever somebody looks at files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.sim.files import FIXED, HEADER, VirtualFile

if TYPE_CHECKING:
    from tui.sim.machine import Machine
    from tui.sim.world import SimHost


def settle(host: SimHost) -> None:
    """Let the disks of a host, and of all that see the same shared volumes, have their size."""
    fabric = host.fabric
    hosts = fabric.nodes(host.plan.cluster) if host.plan.cluster else [host]
    for each in hosts:
        for machine in each.machines.values():
            if machine.grows:
                _settle(machine, fabric.now())


def _settle(machine: Machine, now: float) -> None:
    """A restart or a move begins a new count: nothing grows by what ran elsewhere or before."""
    ran = machine.done(now).seconds
    before, machine.grown_for = machine.grown_for, ran
    file = _last_disk(machine)
    if before is None or ran <= before or file is None or file.kind in (0, FIXED):
        return
    grown = min(int((ran - before) * machine.grows), file.size + HEADER - file.used)
    if grown > 0:
        file.used += grown
        file.live += grown
        file.changed = now


def _last_disk(machine: Machine) -> VirtualFile | None:
    """The file its last disk is written to."""
    paths = ["".join(shapes.strings(image, "HostResource")[:1]) for image in machine.images]
    found = [machine.host.files.get(path) for path in paths if path]
    return next((file for file in reversed(found) if file is not None and file.kind), None)

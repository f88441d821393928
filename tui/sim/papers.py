"""The files of a machine that are no disks: configuration, firmware state, saved memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.sim.files import MB, VirtualFile

if TYPE_CHECKING:
    from tui.sim.machine import Configuration, Machine

CONFIGURATION, STATE, MEMORY = "vmcx", "vmgs", "VMRS"


def root(configuration: Configuration, checkpoint: str = "") -> str:
    """The folder and name of a configuration's files, without the extension."""
    values = configuration.settings
    if checkpoint:
        return f"{shapes.text(values, 'SnapshotDataRoot')}\\Snapshots\\{checkpoint}"
    home, file = (shapes.text(values, f"Configuration{word}") for word in ("DataRoot", "File"))
    return f"{home}\\{file.removesuffix('.' + CONFIGURATION)}"


def sizes(configuration: Configuration) -> dict[str, int]:
    """Bytes of each file by extension; memory only of a saved state."""
    memory = configuration.first("Msvm_MemorySettingData")
    found = {CONFIGURATION: 88 << 10, STATE: 4 * MB}
    if configuration.settings.values["IsSaved"] and memory is not None:
        found[MEMORY] = shapes.number(memory, "VirtualQuantity") * MB
    return found


def _write(machine: Machine, configuration: Configuration, stem: str) -> None:
    store = machine.host.files
    wanted = sizes(configuration)
    for kind in (CONFIGURATION, STATE, MEMORY):
        path = f"{stem}.{kind}"
        size = wanted.get(kind)
        if size is None:
            store.remove(path)
        elif path not in store:
            content = machine if kind == CONFIGURATION else None
            store.add(VirtualFile(path, size, size, content=content))


def write(machine: Machine) -> None:
    """Put the files of a machine as it is now where its settings say."""
    _write(machine, machine.current, root(machine.current))


def write_checkpoint(machine: Machine, checkpoint: str) -> None:
    configuration = machine.checkpoints[checkpoint]
    _write(machine, configuration, root(configuration, checkpoint))


def erase(machine: Machine, checkpoint: str = "") -> None:
    """Remove the files of a machine, or those of one of its checkpoints."""
    configuration = machine.checkpoints[checkpoint] if checkpoint else machine.current
    for kind in (CONFIGURATION, STATE, MEMORY):
        machine.host.files.remove(f"{root(configuration, checkpoint)}.{kind}")

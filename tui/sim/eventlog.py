"""The classic System log of a host, as Win32_NTLogEvent shows it.

What the virtual switch tells stands there on every host; what the management service and the
worker processes tell has the numbers and words it has in their channels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.jobs import JobError
    from tui.sim.machine import Machine
    from tui.sim.world import SimHost

CLASS = "Win32_NTLogEvent"
MOST = 4000
"""Records kept; older ones are overwritten."""
FIRST = 48_211
"""The log was begun long before the fabric."""
ERROR, WARNING, INFORMATION = 1, 2, 3
VMMS, WORKER = "Microsoft-Windows-Hyper-V-VMMS", "Microsoft-Windows-Hyper-V-Worker"
SWITCH = "Microsoft-Windows-Hyper-V-VmSwitch"
KERNEL, SERVICES = "Microsoft-Windows-Kernel-General", "EventLog"
_TYPES = {
    "english": {ERROR: "Error", WARNING: "Warning", INFORMATION: "Information"},
    "german": {ERROR: "Fehler", WARNING: "Warnung", INFORMATION: "Informationen"},
}
_SYSTEM = "NT AUTHORITY\\SYSTEM"
_MACHINE = "(Virtual machine ID {id})"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written of a machine: source, number, level and words."""

    source: str
    code: int
    words: str
    level: int = INFORMATION


STARTED = Entry(WORKER, 18500, "'{name}' started successfully.")
SHUT_DOWN = Entry(WORKER, 18508, "'{name}' was shut down using the Shutdown integration component.")
RESTARTED = Entry(WORKER, 18514, "'{name}' was reset by the guest operating system.")
MERGE_BEGUN = Entry(VMMS, 19070, "'{name}' background disk merge has been started.")
ENDED: Mapping[int, Entry] = {
    12: STARTED,
    13: Entry(WORKER, 18502, "'{name}' was turned off."),
    14: Entry(WORKER, 18510, "'{name}' saved successfully."),
    15: Entry(WORKER, 18596, "'{name}' was restored successfully."),
    26: Entry(WORKER, 18516, "'{name}' was paused."),
    27: Entry(WORKER, 18518, "'{name}' was resumed."),
    28: Entry(WORKER, 18512, "'{name}' was reset."),
    29: Entry(WORKER, 18512, "'{name}' was reset."),
    50: Entry(VMMS, 19080, "'{name}' background disk merge has been finished successfully."),
}
"""By JobType: what a job that ended well leaves in the log."""
FAILED: Mapping[int, Entry] = {
    12: Entry(VMMS, 15130, "'{name}' failed to start.", ERROR),
    15: Entry(VMMS, 15130, "'{name}' failed to start.", ERROR),
    27: Entry(WORKER, 18528, "'{name}' failed to resume.", ERROR),
    50: Entry(VMMS, 19100, "'{name}' background disk merge failed to complete.", ERROR),
    70: Entry(VMMS, 18012, "Checkpoint operation for '{name}' failed.", ERROR),
}
"""The same of a job that failed; its own words follow."""


class EventLog:
    """The records of one host, oldest first."""

    def __init__(self, host: SimHost) -> None:
        self._host = host
        self._records: deque[CimInstance] = deque(maxlen=MOST)
        self._number = FIRST

    def __iter__(self) -> Iterator[CimInstance]:
        return iter(tuple(self._records))

    def write(
        self, entry: Entry, message: str, strings: tuple[str, ...], at: float, user: str = ""
    ) -> None:
        """Add a record; it is in the log from now on."""
        self._number += 1
        types = _TYPES["german" if self._host.plan.os == "german" else "english"]
        self._records.append(
            shapes.new(
                CLASS,
                shapes.CIMV2,
                Logfile="System",
                RecordNumber=self._number,
                SourceName=entry.source,
                EventCode=entry.code & 0xFFFF,
                EventIdentifier=entry.code,
                EventType=entry.level,
                Type=types[entry.level],
                Category=0,
                CategoryString=None,
                ComputerName=self._host.name,
                InsertionStrings=strings,
                Message=message,
                TimeGenerated=shapes.when(at // 1),
                TimeWritten=shapes.when(at // 1),
                User=user or _SYSTEM,
            )
        )


# -- what is written -----------------------------------------------------------------------


def told(machine: Machine, entry: Entry, at: float, cause: str = "") -> None:
    """Write what happened to a machine; ``cause`` follows the entry's own words."""
    words = f"{entry.words} {_MACHINE}".format(name=machine.name, id=machine.id)
    user = f"NT VIRTUAL MACHINE\\{machine.id}" if entry.source == WORKER else ""
    strings = (machine.name, machine.id, *((cause,) if cause else ()))
    machine.host.log.write(entry, f"{words} {cause}".strip(), strings, at, user)


def job_ended(machine: Machine, kind: int, at: float, error: JobError | None = None) -> None:
    """Write what a job on a machine has come to, if that is worth a record."""
    entry = (ENDED if error is None else FAILED).get(kind)
    if entry is not None:
        told(machine, entry, at, error.text if error else "")


def plugged(machine: Machine, at: float) -> None:
    """The adapters of a machine that starts get their ports."""
    _wires(machine, at, Entry(SWITCH, 232, "successfully connected to"))


def unplugged(machine: Machine, at: float) -> None:
    """They lose them when it stops."""
    _wires(machine, at, Entry(SWITCH, 234, "successfully disconnected from"))


def _wires(machine: Machine, at: float, entry: Entry) -> None:
    for nic in machine.connected_nics:
        port = machine.connection(nic)
        path = "".join(shapes.strings(port, "HostResource")[:1]) if port is not None else ""
        switch = path.rpartition('Name="')[2].rstrip('"')
        name = next(
            (str(s.values["ElementName"]) for s in machine.host.switches()
             if str(s.values["Name"]).upper() == switch.upper()), "",
        )  # fmt: skip
        card = "--".join(shapes.text(nic, "InstanceID").removeprefix("Microsoft:").split("\\")[:2])
        title = shapes.text(nic, "ElementName")
        words = (
            f"NIC {card} (Friendly Name: {title}) {entry.words} port {card} (Friendly Name: "
            f"{machine.name}) on switch {switch} (Friendly Name: {name})."
        )
        strings = (card, title, card, machine.name, switch, name)
        machine.host.log.write(entry, words, strings, at)


def furnish(host: SimHost) -> None:
    """What the log holds already: the start of the host and of what runs on it."""
    from tui.sim import hardware  # it looks back at the host

    boot = host.fabric.origin - hardware.booted(host)
    stamp = shapes.when(boot).isoformat()
    began = f"The operating system started at system time {stamp}."
    host.log.write(Entry(KERNEL, 12, ""), began, (stamp,), boot)
    host.log.write(Entry(SERVICES, 6005, ""), "The Event log service was started.", (), boot + 9)
    running = [machine for machine in host.machines.values() if machine.started_at]
    for machine in sorted(running, key=lambda machine: machine.started_at):
        plugged(machine, machine.started_at)
        told(machine, STARTED, machine.started_at)

"""A machine as its exported configuration files hold it, and a machine made from them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.sim import create, disks, files, network, papers, shapes
from tui.sim.guests import System
from tui.sim.load import Load
from tui.sim.machine import OFF, SAVED, Configuration, Machine
from tui.wsman.cim import CimInstance, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

PLANNED, PLANNED_TYPE = "Msvm_PlannedComputerSystem", "Microsoft:Hyper-V:System:Planned"
CONNECTION = "Msvm_EthernetPortAllocationSettingData"


@dataclass(slots=True)
class Definition:
    """What a .vmcx file holds. A checkpoint's names the machine it belongs to."""

    host: str
    id: str
    name: str
    current: Configuration
    guest: System
    fqdn: str
    load: Load
    domain: str = ""
    checkpoint: str = ""
    images: dict[str, str] = field(default_factory=dict)
    """Where each image went, by its old path in lower case."""


def rewritten(value: CimValue, words: dict[str, str]) -> CimValue:
    """A value in which identifiers and host names are exchanged."""
    if isinstance(value, tuple):
        return tuple(rewritten(item, words) for item in value)
    if isinstance(value, str):
        for old, new in words.items():
            value = value.replace(old, new)
    return value


def copy(source: Configuration, words: dict[str, str]) -> Configuration:
    """The same settings with words exchanged in every text, names and notes excepted."""

    def copied(item: CimInstance) -> CimInstance:
        values = {
            name: value if name in ("ElementName", "Notes") else rewritten(value, words)
            for name, value in item.values.items()
        }
        return CimInstance(item.class_name, values, item.namespace)

    made = Configuration(copied(source.settings))
    for item in source.resources.values():
        made.put(copied(item))
    return made


def definition(machine: Machine, checkpoint: str = "") -> Definition:
    """What the file of a machine, or of one of its checkpoints, holds."""
    source = machine.checkpoints[checkpoint] if checkpoint else machine.current
    return Definition(
        machine.host.name,
        machine.id,
        machine.name,
        copy(source, {}),
        machine.guest,
        machine.fqdn,
        machine.load,
        machine.domain,
        checkpoint,
    )


def read(host: SimHost, path: str) -> Definition | None:
    """The definition in a file, or None when it is no configuration file."""
    file = host.files.get(path)
    if file is None:
        return None
    if isinstance(file.content, Machine):
        name = files.name_of(file.path).partition(".")[0].upper()
        return definition(file.content, name if name in file.content.checkpoints else "")
    return file.content if isinstance(file.content, Definition) else None


def _words(host: SimHost, found: Definition, identities: dict[str, str]) -> dict[str, str]:
    return {f"\\\\{found.host}\\root": f"\\\\{host.name}\\root"} | identities


def plan(host: SimHost, found: Definition, identity: str, folder: str) -> Machine:
    """A planned machine from a definition; its files are those below the folder."""
    current = copy(found.current, _words(host, found, {found.id: identity}))
    for word in ("Configuration", "GuestState", "Snapshot", "Suspend", "SwapFile", "Log"):
        current.settings.values[f"{word}DataRoot"] = folder
    current.settings.values["VirtualSystemType"] = PLANNED_TYPE
    current.settings.values["Parent"] = None
    saved = bool(current.settings.values["IsSaved"])
    system = shapes.new(
        PLANNED,
        CreationClassName=PLANNED,
        Name=identity,
        ElementName=found.name,
        Caption="Planned Virtual Machine",
        Description="Microsoft Planned Virtual Machine",
        EnabledState=SAVED if saved else OFF,
        EnabledDefault=3,
        RequestedState=12,
        HealthState=5,
        OperationalStatus=(2,),
        StatusDescriptions=("Operating normally",),
        Status="OK",
        OnTimeInMilliseconds=0,
        InstallDate=shapes.when(host.fabric.now()),
        TimeOfLastStateChange=shapes.when(host.fabric.now()),
        TimeOfLastConfigurationChange=shapes.when(host.fabric.now()),
    )
    made = Machine(
        host, identity, system, current, found.guest, found.fqdn, found.load, host.next_number()
    )
    made.domain, made.saved_state = found.domain, saved
    reconnect(host, current)
    return made


def add_checkpoint(machine: Machine, found: Definition, identities: dict[str, str]) -> CimInstance:
    """Hang an imported checkpoint into a planned machine; identities are exchanged."""
    identity = identities[found.checkpoint]
    words = _words(machine.host, found, identities | {found.id: machine.id})
    made = copy(found.current, words)
    made.settings.values["SnapshotDataRoot"] = machine.settings.values["SnapshotDataRoot"]
    machine.checkpoints[identity] = made
    return made.settings


def reconnect(host: SimHost, current: Configuration) -> None:
    """Adapters find a switch of the same name; others keep what they were connected to."""
    for port in current.of(CONNECTION):
        if port.values["EnabledState"] != 2 or network.switch_of(host, port) is not None:
            continue
        switch = host.switch_named(shapes.text(port, "LastKnownSwitchName"))
        if switch is not None:
            ref = shapes.system_ref(shapes.text(switch, "Name"), network.SWITCH)
            port.values["HostResource"] = (shapes.object_path(host.name, ref),)


def show(host: SimHost, machine: Machine) -> None:
    """Let a planned machine be seen."""
    host.planned[machine.id] = machine
    host.repository.add(machine.system)
    for configuration in disks.configurations(machine):
        for item in (configuration.settings, *configuration.resources.values()):
            host.repository.add(item)


def hide(host: SimHost, machine: Machine) -> None:
    host.planned.pop(machine.id, None)
    host.repository.remove(machine.system)
    for configuration in disks.configurations(machine):
        for item in (configuration.settings, *configuration.resources.values()):
            host.repository.remove(item)


def realize(host: SimHost, machine: Machine) -> None:
    """A planned machine becomes one that can be started."""
    hide(host, machine)
    state = SAVED if machine.saved_state else OFF
    planned = machine.system
    machine.system = create.system_of(machine.name, machine.id, state)
    machine.system.values["InstallDate"] = planned.values["InstallDate"]
    machine.settings.values["VirtualSystemType"] = shapes.REALIZED
    source = host.files.get(f"{papers.root(machine.current)}.{papers.CONFIGURATION}")
    if source is not None:
        source.content = machine
    host.adopt(machine)
    for checkpoint in machine.checkpoints:
        papers.write_checkpoint(machine, checkpoint)


def problems(machine: Machine) -> list[str]:
    """Why a planned machine cannot be realized on its host, in words."""
    host = machine.host
    found = []
    for image in machine.images:
        path = disks.image_path(image)
        file = host.files.get(path)
        if file is None:
            found.append(f"Could not find the file '{path}'. (0x80070002)")
            continue
        if image.values["Access"] != 1:
            users = [m.name for m in disks.holders(host, file) if m is not machine]
            if users:
                found.append(f"The file '{path}' is in use by '{users[0]}'. (0x80070020)")
    for port in machine.current.of(CONNECTION):
        if port.values["EnabledState"] == 2 and network.switch_of(host, port) is None:
            name = shapes.text(port, "LastKnownSwitchName")
            found.append(f"Could not find Ethernet switch '{name}'. (33012)")
    version = shapes.text(machine.settings, "Version") or "0"
    if float(version) > float(host.system.configuration):
        found.append(f"Configuration version {version} is not supported by this host. (24004)")
    return found

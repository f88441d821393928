"""Associations of hyperv-cim.md 4.5, computed; near one endpoint only when only that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from tui.sim import devices, merging, network, replica_info, shapes
from tui.sim.machine import Configuration, Machine
from tui.wsman.cim import CimInstance, CimRef

if TYPE_CHECKING:
    from tui.sim.world import SimHost

Pair: TypeAlias = tuple[CimRef, CimRef]
Walk: TypeAlias = Callable[["SimHost", list[Machine]], Iterator[Pair]]

RUNTIME = (
    ("Msvm_Processor", devices.processors),
    ("Msvm_Memory", devices.memories),
    ("Msvm_EthernetPort", devices.ethernet_ports),
    ("Msvm_VideoHead", devices.video_heads),
    ("Msvm_Keyboard", devices.keyboards),
)
FEATURE_CLASSES = frozenset(shapes.FEATURES)


def _configurations(machine: Machine) -> list[Configuration]:
    return [machine.current, *machine.checkpoints.values()]


def settings_define_state(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine in machines:
        yield machine.ref, shapes.setting_ref(machine.settings)
        if not machine.alive:
            continue
        for nic in machine.nics:
            port = devices.ethernet_port(machine, nic)
            yield host.repository.ref_of(port), shapes.setting_ref(nic)
        memory = machine.current.first("Msvm_MemorySettingData")
        if memory is not None:
            device = shapes.device_ref("Msvm_Memory", machine.id, f"Microsoft:{shapes.MEMORY}\\0")
            yield device, shapes.setting_ref(memory)


def components_of_settings(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine in machines:
        if machine.id in host.machines:
            yield shapes.setting_ref(machine.settings), merging.setting_ref(machine)
        for configuration in _configurations(machine):
            whole = shapes.setting_ref(configuration.settings)
            for item in configuration.resources.values():
                if item.class_name not in FEATURE_CLASSES:
                    yield whole, shapes.setting_ref(item)


def features_of_ports(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine in machines:
        for configuration in _configurations(machine):
            for item in configuration.of(*FEATURE_CLASSES):
                parent = shapes.text(item, "InstanceID").rpartition("\\")[0].lower()
                port = configuration.resources.get(parent)
                if port is not None:
                    yield shapes.setting_ref(port), shapes.setting_ref(item)


def features_of_switches(host: SimHost) -> Iterator[Pair]:
    """The same for the host's own ports."""
    for name in FEATURE_CLASSES:
        for item in host.repository.instances(shapes.VIRTUALIZATION, name):
            place = shapes.text(item, "InstanceID").rpartition("\\")[0]
            ref = CimRef(network.PORT, (("InstanceID", place),), shapes.VIRTUALIZATION)
            if host.owner_of(place) is None and host.repository.get(ref) is not None:
                yield ref, shapes.setting_ref(item)


def system_devices(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    wanted = {machine.id for machine in machines}
    for machine in machines:
        if not machine.alive:
            continue
        now = host.fabric.now()
        found = [devices.component(machine, word, now) for word, *_ in shapes.SERVICES]
        for item in found:
            if item is not None:
                yield machine.ref, host.repository.ref_of(item)
    for _, source in RUNTIME:
        for item in source(host):
            name = shapes.text(item, "SystemName")
            if name in wanted:
                yield shapes.system_ref(name), host.repository.ref_of(item)


def switch_devices(host: SimHost) -> Iterator[Pair]:
    for switch, port, identity in devices.plugged(host):
        item = devices.switch_port(switch, port, identity)
        yield (
            shapes.system_ref(shapes.text(switch, "Name"), network.SWITCH),
            host.repository.ref_of(item),
        )


def element_settings(host: SimHost) -> Iterator[Pair]:
    """Switch ports to their allocations, services to their settings."""
    for switch, port, identity in devices.plugged(host):
        item = devices.switch_port(switch, port, identity)
        yield host.repository.ref_of(item), shapes.setting_ref(port)
    for word in ("VirtualSystemManagementService", "VirtualSystemMigrationService"):
        services = host.repository.instances(shapes.VIRTUALIZATION, f"Msvm_{word}")
        settings = host.repository.instances(shapes.VIRTUALIZATION, f"Msvm_{word}SettingData")
        for service, setting in zip(services, settings, strict=False):
            yield host.repository.ref_of(service), shapes.setting_ref(setting)


def switch_settings(host: SimHost) -> Iterator[Pair]:
    for switch in host.switches():
        settings = network.settings_of(host, switch)
        if settings is not None:
            ref = shapes.system_ref(shapes.text(switch, "Name"), network.SWITCH)
            yield ref, shapes.setting_ref(settings)


def switch_components(host: SimHost) -> Iterator[Pair]:
    for switch in host.switches():
        settings = network.settings_of(host, switch)
        for port in network.ports_of(host, switch) if settings else ():
            assert settings is not None
            yield shapes.setting_ref(settings), shapes.setting_ref(port)


def guest_settings(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine in machines:
        for nic in machine.nics:
            item = devices.guest_network(machine, nic, answers=False)
            yield shapes.setting_ref(nic), shapes.setting_ref(item)


def checkpoints(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine in machines:
        for item in machine.checkpoints.values():
            yield machine.ref, shapes.setting_ref(item.settings)


def _base(machine: Machine) -> Configuration | None:
    """The checkpoint that the machine's present settings hang below."""
    parent = shapes.text(machine.settings, "Parent").upper()
    return next((c for key, c in machine.checkpoints.items() if key in parent), None)


def last_applied(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine in machines:
        base = _base(machine)
        if base is not None:
            yield machine.ref, shapes.setting_ref(base.settings)


def tips(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    """Msvm_MostCurrentSnapshotInBranch: the present settings, as the tip they are."""
    for machine in machines:
        if machine.checkpoints:
            yield machine.ref, shapes.setting_ref(machine.settings)


MACHINE_LINKS: dict[str, tuple[str, str, tuple[Walk, ...]]] = {
    "Msvm_SettingsDefineState": (
        "ManagedElement",
        "SettingData",
        (settings_define_state, replica_info.relationship_settings),
    ),
    "Msvm_VirtualSystemSettingDataComponent": (
        "GroupComponent",
        "PartComponent",
        (components_of_settings,),
    ),
    "Msvm_EthernetPortSettingDataComponent": (
        "GroupComponent",
        "PartComponent",
        (features_of_ports,),
    ),
    "Msvm_SystemDevice": ("GroupComponent", "PartComponent", (system_devices,)),
    "Msvm_ElementSettingData": (
        "ManagedElement",
        "SettingData",
        (replica_info.machine_settings,),
    ),
    "Msvm_SettingDataComponent": ("GroupComponent", "PartComponent", (guest_settings,)),
    "Msvm_SnapshotOfVirtualSystem": ("Antecedent", "Dependent", (checkpoints,)),
    "Msvm_LastAppliedSnapshot": ("Antecedent", "Dependent", (last_applied,)),
    "Msvm_MostCurrentSnapshotInBranch": ("Antecedent", "Dependent", (tips,)),
    "Msvm_SystemReplicationRelationship": (
        "Antecedent",
        "Dependent",
        (replica_info.machine_relationships,),
    ),
    "Msvm_ReplicaSystemDependency": ("Antecedent", "Dependent", (replica_info.test_machines,)),
}
HOST_LINKS: dict[str, tuple[Callable[[SimHost], Iterator[Pair]], ...]] = {
    "Msvm_SettingsDefineState": (switch_settings,),
    "Msvm_VirtualSystemSettingDataComponent": (switch_components,),
    "Msvm_EthernetPortSettingDataComponent": (features_of_switches,),
    "Msvm_SystemDevice": (switch_devices,),
    "Msvm_ElementSettingData": (element_settings, replica_info.service_settings),
}


def all_of(host: SimHost, name: str) -> Iterator[CimInstance]:
    """Every association of a class."""
    yield from _make(host, name, [*host.machines.values(), *host.planned.values()], switches=True)


def near(host: SimHost, name: str, ref: CimRef) -> Iterator[CimInstance]:
    """The associations that may touch one object."""
    owner = _owner(host, ref)
    if owner is not None:
        yield from _make(host, name, [owner], switches=False)
    elif _about_machines(ref):
        yield from ()
    else:
        yield from _make(host, name, [], switches=True)


def _make(
    host: SimHost, name: str, machines: list[Machine], *, switches: bool
) -> Iterator[CimInstance]:
    first, second, walks = MACHINE_LINKS[name]
    for walk in walks:
        for one, other in walk(host, machines):
            yield shapes.new(name, **{first: one, second: other})
    if switches or name == "Msvm_ElementSettingData":
        for source in HOST_LINKS.get(name, ()):
            for one, other in source(host):
                yield shapes.new(name, **{first: one, second: other})


def _owner(host: SimHost, ref: CimRef) -> Machine | None:
    system = ref.key("SystemName") or ref.key("Name") or ""
    machine = host.machine(system) or host.planned.get(system.upper())
    if machine is not None:
        return machine
    instance = (ref.key("InstanceID") or "").replace("GuestNetwork\\", "")
    found = host.owner_of(instance) if instance else None
    return found[0] if found else None


def _about_machines(ref: CimRef) -> bool:
    """It names a machine that is not here."""
    return ref.class_name.lower() == "msvm_computersystem" and len(ref.key("Name") or "") == 36

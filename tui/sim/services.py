"""Guest services: what the guest service interface offers beyond its own switch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.sim import devices, shapes
from tui.sim.build import GUEST_FILES, GUEST_SETTING
from tui.sim.jobs import Work
from tui.sim.machine import Machine
from tui.sim.methods_settings import configuration
from tui.sim.outcome import INVALID, STATE, Call, Method, Stop
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

if TYPE_CHECKING:
    from tui.sim.world import SimHost

FILES = "Msvm_GuestFileService"
REGISTERED = "Msvm_RegisteredGuestService"
PARTS = "Msvm_GuestServiceInterfaceSettingDataComponent"
POLICIES = (2, 3, 8)
"""EnabledStatePolicy: enabled, disabled, as the interface says."""


def install(host: SimHost) -> None:
    """Register the computed classes with the host's repository."""
    host.repository.provide(shapes.VIRTUALIZATION, FILES, partial(file_services, host))
    for name, source in ((REGISTERED, registered), (PARTS, parts)):
        host.repository.provide(
            shapes.VIRTUALIZATION, name, partial(source, host), partial(source, host)
        )


def _offering(host: SimHost) -> Iterator[Machine]:
    """Machines whose guest takes files: the interface and the service are on, and it answers."""
    now = host.fabric.now()
    for machine in list(host.machines.values()):
        setting = machine.current.first(GUEST_SETTING)
        policy = setting.values["EnabledStatePolicy"] if setting else 3
        offered = policy != 3 and devices.enabled(machine, "GuestServiceInterface")
        if offered and machine.responsive(now):
            yield machine


def _service(machine: Machine) -> CimInstance:
    return shapes.new(
        FILES,
        CreationClassName=FILES,
        SystemCreationClassName="Msvm_ComputerSystem",
        SystemName=machine.id,
        Name=f"Microsoft:{machine.id}\\{shapes.GUEST_SERVICES}\\{GUEST_FILES}",
        ElementName="Guest File Copy Service",
        Caption="Guest File Copy Service",
        EnabledState=2,
        Started=True,
        HealthState=5,
        OperationalStatus=(2,),
    )


def file_services(host: SimHost) -> Iterator[CimInstance]:
    return (_service(machine) for machine in _offering(host))


def registered(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """The interface of a guest and the service it has registered there."""
    if ref is not None and "guest" not in ref.class_name.lower():
        return
    for machine in _offering(host):
        component = devices.component(machine, "GuestServiceInterface", host.fabric.now())
        if component is not None:
            yield shapes.new(
                REGISTERED,
                Antecedent=host.repository.ref_of(component),
                Dependent=host.repository.ref_of(_service(machine)),
            )


def parts(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """Settings of the interface and of the services below it."""
    if ref is not None and "guest" not in ref.class_name.lower():
        return
    for machine in list(host.machines.values()):
        whole = machine.current.at(shapes.GUEST_SERVICES)
        part = machine.current.first(GUEST_SETTING)
        if whole is not None and part is not None:
            yield shapes.new(
                PARTS,
                GroupComponent=shapes.setting_ref(whole),
                PartComponent=shapes.setting_ref(part),
            )


def modify(call: Call) -> MethodOutput:
    todo: list[tuple[CimInstance, dict[str, CimValue]]] = []
    machine: Machine | None = None
    for text in call.many("GuestServiceSettings"):
        given = call.embedded(text)
        place = shapes.text(given, "InstanceID")
        machine, target = configuration(call, place)
        present = target.resources.get(place.lower())
        if present is None or present.class_name != GUEST_SETTING:
            raise Stop(INVALID)
        if target is not machine.current:
            raise Stop(STATE)
        policy = given.values.get("EnabledStatePolicy", present.values["EnabledStatePolicy"])
        if policy not in POLICIES:
            raise Stop(INVALID)
        todo.append((present, {"EnabledStatePolicy": policy}))
    if not todo:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for present, changes in todo:
            present.values.update(changes)
        return ()

    return call.job(Work(31, "Modifying Guest Service Settings", 0.4, done), machine)


METHODS: dict[tuple[str, str], Method] = {
    ("Msvm_VirtualSystemManagementService", "ModifyGuestServiceSettings"): modify,
}

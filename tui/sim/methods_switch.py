"""Methods: virtual switches (Msvm_VirtualEthernetSwitchManagementService)."""

from __future__ import annotations

from tui.sim import network, shapes
from tui.sim.jobs import Work
from tui.sim.outcome import IN_USE, INVALID, WRONG_TYPE, Call, Method, Stop
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

PORT = "Msvm_EthernetPortAllocationSettingData"
SETTINGS = "Msvm_VirtualEthernetSwitchSettingData"
CHANGEABLE = frozenset({"ElementName", "Notes", "IOVPreferred", "ExtensionOrder", "TeamingEnabled"})


def _target(call: Call, given: CimInstance) -> CimInstance | None:
    """What a port allocation plugs in: a physical adapter, or the host; 32776 when neither."""
    if given.class_name != PORT:
        raise Stop(WRONG_TYPE)
    paths = given.values.get("HostResource")
    if not isinstance(paths, tuple) or not paths:
        raise Stop(WRONG_TYPE)
    try:
        found = call.object(paths[0])
    except Stop:
        raise Stop(WRONG_TYPE) from None
    if found.class_name == "Msvm_ExternalEthernetPort":
        if found.values["IsBound"]:
            raise Stop(IN_USE)
        return found
    if found.class_name == "Msvm_ComputerSystem" and found.values["Name"] == call.host.name:
        return None
    raise Stop(WRONG_TYPE)


def _connect(call: Call, switch: CimInstance, target: CimInstance | None) -> CimInstance:
    if target is not None:
        return network.connect_external(call.host, switch, target)
    random = call.host.fabric.random(call.host.name, "port", call.host.next_number())
    return network.connect_internal(call.host, switch, random)


def _ports(call: Call, *, name: str = "ResourceSettings") -> list[CimInstance | None]:
    given = [call.embedded(text, WRONG_TYPE) for text in call.many(name)]
    return [_target(call, item) for item in given]


def define(call: Call) -> MethodOutput:
    given = call.embedded(call.get("SystemSettings"), WRONG_TYPE)
    if given.class_name != SETTINGS:
        raise Stop(WRONG_TYPE)
    name = shapes.text(given, "ElementName") or "New Virtual Switch"
    targets = _ports(call)
    changes: dict[str, CimValue] = {
        key: value
        for key, value in given.values.items()
        if key in (*CHANGEABLE, "BandwidthReservationMode") and value is not None
    }

    def done(at: float) -> tuple[CimRef, ...]:
        random = call.host.fabric.random(call.host.name, "switch", call.host.next_number())
        switch = network.define(call.host, name, random, changes=changes)
        switch.values["InstallDate"] = shapes.when(at)
        for target in targets:
            _connect(call, switch, target)
        return (shapes.system_ref(shapes.text(switch, "Name"), network.SWITCH),)

    return call.job(Work(130, "Defining Ethernet Switch", 1.5, done))


def _switch(call: Call, ref: CimRef) -> CimInstance:
    """A switch by itself or by its settings."""
    name = ref.key("Name") or (ref.key("InstanceID") or "").removeprefix("Microsoft:")
    name = name.partition("\\")[0].upper()
    for switch in call.host.switches():
        if shapes.text(switch, "Name").upper() == name:
            return switch
    raise Stop(INVALID)


def destroy(call: Call) -> MethodOutput:
    """Adapters of machines stay, disconnected; physical adapters become free."""
    switch = _switch(call, call.ref(call.get("AffectedSystem")))

    def done(at: float) -> tuple[CimRef, ...]:
        for port in network.ports_of(call.host, switch):
            _unplug(call, port)
        name = shapes.text(switch, "Name").lower()
        for machine in call.host.machines.values():
            for port in machine.current.of(PORT):
                if any(name in path.lower() for path in shapes.strings(port, "HostResource")):
                    port.values["EnabledState"] = 3
                    port.values["HostResource"] = None
        settings = network.settings_of(call.host, switch)
        if settings is not None:
            call.host.repository.remove(settings)
        call.host.repository.remove(switch)
        return ()

    return call.job(Work(132, "Destroying Ethernet Switch", 1.0, done))


def _unplug(call: Call, port: CimInstance) -> None:
    for path in shapes.strings(port, "HostResource"):
        if "externalethernetport" in path.lower():
            call.object(path).values["IsBound"] = False
    prefix = shapes.text(port, "InstanceID").lower() + "\\"
    for feature in shapes.FEATURES:
        for item in list(call.host.repository.instances(shapes.VIRTUALIZATION, feature)):
            if shapes.text(item, "InstanceID").lower().startswith(prefix):
                call.host.repository.remove(item)
    call.host.repository.remove(port)


def modify(call: Call) -> MethodOutput:
    given = call.embedded(call.get("SystemSettings"), WRONG_TYPE)
    if given.class_name != SETTINGS:
        raise Stop(WRONG_TYPE)
    switch = _switch(call, shapes.setting_ref(given))
    settings = network.settings_of(call.host, switch)
    changes = {k: v for k, v in given.values.items() if k in CHANGEABLE and v is not None}
    if settings is None or changes.get("ElementName", "x") == "":
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        settings.values.update(changes)
        if "ElementName" in changes:
            switch.values["ElementName"] = changes["ElementName"]
        return ()

    return call.job(Work(131, "Modifying Ethernet Switch Settings", 0.6, done))


def add(call: Call) -> MethodOutput:
    switch = _switch(call, call.ref(call.get("AffectedConfiguration")))
    targets = _ports(call)
    if not targets:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        made = [_connect(call, switch, target) for target in targets]
        return tuple(shapes.setting_ref(item) for item in made)

    return call.job(Work(133, "Adding Ethernet Switch Resources", 1.2, done))


def _own_port(call: Call, ref: CimRef) -> CimInstance:
    found = call.object(ref)
    if found.class_name != PORT or call.host.owner_of(shapes.text(found, "InstanceID")):
        raise Stop(INVALID)
    return found


def modify_resources(call: Call) -> MethodOutput:
    """Another uplink for the external port, another name for the internal one."""
    todo: list[tuple[CimInstance, CimInstance, CimInstance | None]] = []
    for text in call.many("ResourceSettings"):
        given = call.embedded(text, WRONG_TYPE)
        port = _own_port(call, shapes.setting_ref(given))
        moved = given.values.get("HostResource", port.values["HostResource"])
        target = _target(call, given) if moved != port.values["HostResource"] else None
        todo.append((port, given, target))
    if not todo:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for port, given, target in todo:
            if target is not None:
                for path in shapes.strings(port, "HostResource"):
                    call.object(path).values["IsBound"] = False
                target.values["IsBound"] = True
                port.values["HostResource"] = given.values["HostResource"]
            if given.values.get("ElementName"):
                port.values["ElementName"] = given.values["ElementName"]
        return ()

    return call.job(Work(134, "Modifying Ethernet Switch Resources", 1.0, done))


def remove(call: Call) -> MethodOutput:
    doomed = [_own_port(call, call.ref(value)) for value in call.many("ResourceSettings")]
    if not doomed:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for port in doomed:
            _unplug(call, port)
        return ()

    return call.job(Work(135, "Removing Ethernet Switch Resources", 0.8, done))


SERVICE = "Msvm_VirtualEthernetSwitchManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "DefineSystem"): define,
    (SERVICE, "DestroySystem"): destroy,
    (SERVICE, "ModifySystemSettings"): modify,
    (SERVICE, "AddResourceSettings"): add,
    (SERVICE, "ModifyResourceSettings"): modify_resources,
    (SERVICE, "RemoveResourceSettings"): remove,
}

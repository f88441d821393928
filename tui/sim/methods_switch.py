"""Methods: virtual switches (Msvm_VirtualEthernetSwitchManagementService)."""

from __future__ import annotations

from dataclasses import dataclass

from tui.sim import network, nics, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.methods_settings import named
from tui.sim.outcome import IN_USE, INVALID, STATE, WRONG_TYPE, Call, Method, Stop
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

PORT = "Msvm_EthernetPortAllocationSettingData"
SETTINGS = "Msvm_VirtualEthernetSwitchSettingData"
CHANGEABLE = frozenset({"ElementName", "Notes", "ExtensionOrder"})
AT_CREATION = frozenset(
    {"IOVPreferred", "TeamingEnabled", "BandwidthReservationMode", "PacketDirectEnabled"}
)
"""What a switch is made with and keeps for life."""
DEFAULT, ABSOLUTE, NONE = 0, 2, 3
MEMBERS = 8
"""How many physical adapters an embedded team can have."""


@dataclass(frozen=True, slots=True)
class Plug:
    """What a port allocation plugs in: a physical adapter, or the host when there is none."""

    uplink: CimInstance | None
    name: str


def _target(call: Call, given: CimInstance) -> CimInstance | None:
    """The physical adapter an allocation names, None for the host; 32776 when neither."""
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


def _connect(call: Call, switch: CimInstance, plug: Plug) -> CimInstance:
    if plug.uplink is not None:
        return network.connect_external(call.host, switch, plug.uplink)
    random = call.host.fabric.random(call.host.name, "port", call.host.next_number())
    port = network.connect_internal(call.host, switch, random)
    port.values["ElementName"] = plug.name or port.values["ElementName"]
    return port


def _plugs(call: Call) -> list[Plug]:
    given = [call.embedded(text, WRONG_TYPE) for text in call.many("ResourceSettings")]
    found = [Plug(_target(call, item), shapes.text(item, "ElementName")) for item in given]
    devices = [shapes.text(plug.uplink, "DeviceID") for plug in found if plug.uplink]
    if len(set(devices)) < len(devices):
        raise Stop(INVALID)
    return found


def _check_team(plugs: list[Plug], present: int, *, teaming: bool) -> None:
    """More than one physical adapter asks for a switch that was made with teaming."""
    uplinks = present + sum(1 for plug in plugs if plug.uplink)
    if uplinks > (MEMBERS if teaming else 1):
        raise Stop(INVALID)


def _mode(values: dict[str, CimValue]) -> CimValue:
    """How bandwidth is reserved: a switch for SR-IOV does not, others absolutely by default."""
    mode = values.get("BandwidthReservationMode", DEFAULT)
    if mode not in (0, 1, 2, 3):
        raise Stop(INVALID)
    if values.get("IOVPreferred"):
        if mode not in (DEFAULT, NONE):
            raise Stop(INVALID)
        return NONE
    return mode or ABSOLUTE


def define(call: Call) -> MethodOutput:
    given = call.embedded(call.get("SystemSettings"), WRONG_TYPE)
    if given.class_name != SETTINGS:
        raise Stop(WRONG_TYPE)
    name = shapes.text(given, "ElementName") or "New Virtual Switch"
    named(name)
    plugs = _plugs(call)
    changes: dict[str, CimValue] = {
        key: value
        for key, value in given.values.items()
        if key in CHANGEABLE | AT_CREATION and value is not None
    }
    _check_team(plugs, 0, teaming=bool(changes.get("TeamingEnabled")))
    if changes.get("IOVPreferred") and not any(plug.uplink for plug in plugs):
        raise Stop(INVALID)
    changes["BandwidthReservationMode"] = _mode(changes)
    changes["ElementName"] = name

    def done(at: float) -> tuple[CimRef, ...]:
        _still_free(plugs)
        random = call.host.fabric.random(call.host.name, "switch", call.host.next_number())
        switch = network.define(call.host, name, random, changes=changes)
        switch.values["InstallDate"] = shapes.when(at)
        for plug in plugs:
            _connect(call, switch, plug)
        return (shapes.system_ref(shapes.text(switch, "Name"), network.SWITCH),)

    return call.job(Work(130, "Defining Ethernet Switch", 1.5, done))


def _still_free(plugs: list[Plug]) -> None:
    """Two calls at once may have wanted the same adapter; the second job fails."""
    for plug in plugs:
        if plug.uplink is not None and plug.uplink.values["IsBound"]:
            words = f"Failed while adding virtual Ethernet switch connections: {plug.name or '?'}."
            raise JobError(IN_USE, f"{words} The adapter is already bound to a switch.")


def _switch(call: Call, ref: CimRef) -> CimInstance:
    """A switch by itself or by its settings."""
    name = ref.key("Name") or (ref.key("InstanceID") or "").removeprefix("Microsoft:")
    name = name.partition("\\")[0].upper()
    for switch in call.host.switches():
        if shapes.text(switch, "Name").upper() == name:
            return switch
    raise Stop(INVALID)


def destroy(call: Call) -> MethodOutput:
    """Adapters of machines stay, disconnected; physical adapters become free. The switch that
    client Windows brings along cannot be removed."""
    switch = _switch(call, call.ref(call.get("AffectedSystem")))
    if switch.values["Name"] == shapes.DEFAULT_SWITCH:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        for port in network.ports_of(call.host, switch):
            _unplug(call, port)
        name = shapes.text(switch, "Name").lower()
        for machine in call.host.machines.values():
            for port in machine.current.of(PORT):
                if any(name in path.lower() for path in shapes.strings(port, "HostResource")):
                    port.values["EnabledState"] = 3
                    port.values["HostResource"] = None
                    port.values["LastKnownSwitchName"] = switch.values["ElementName"]
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
    if settings is None:
        raise Stop(INVALID)
    present = settings.values
    asked = {k: v for k, v in given.values.items() if v is not None and v != present.get(k)}
    if not AT_CREATION.isdisjoint(asked):
        raise Stop(INVALID)
    changes = {key: value for key, value in asked.items() if key in CHANGEABLE}
    if "ElementName" in changes:
        named(changes["ElementName"])

    def done(at: float) -> tuple[CimRef, ...]:
        settings.values.update(changes)
        if "ElementName" in changes:
            _rename(call, switch, str(changes["ElementName"]))
        return ()

    return call.job(Work(131, "Modifying Ethernet Switch Settings", 0.6, done))


def _rename(call: Call, switch: CimInstance, name: str) -> None:
    """The host's own adapter and the plugs of machines carry the name of their switch."""
    old = shapes.text(switch, "ElementName")
    switch.values["ElementName"] = name
    for port in network.ports_of(call.host, switch):
        words = shapes.text(port, "ElementName")
        if words in (old, f"{old}_External"):
            port.values["ElementName"] = name + words.removeprefix(old)
    for machine in call.host.machines.values():
        for port in machine.current.of(PORT):
            if network.switch_of(call.host, port) is switch:
                port.values["LastKnownSwitchName"] = name


def add(call: Call) -> MethodOutput:
    switch = _switch(call, call.ref(call.get("AffectedConfiguration")))
    plugs = _plugs(call)
    settings = network.settings_of(call.host, switch)
    if not plugs or settings is None:
        raise Stop(INVALID)
    _check_team(plugs, len(_uplinks(call, switch)), teaming=bool(settings.values["TeamingEnabled"]))

    def done(at: float) -> tuple[CimRef, ...]:
        _still_free(plugs)
        made = [_connect(call, switch, plug) for plug in plugs]
        return tuple(shapes.setting_ref(item) for item in made)

    return call.job(Work(133, "Adding Ethernet Switch Resources", 1.2, done))


def _uplinks(call: Call, switch: CimInstance) -> list[CimInstance]:
    ports = network.ports_of(call.host, switch)
    return [port for port in ports if network.host_resource(port, "ExternalEthernetPort")]


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
        moved = given.values.get("HostResource") or port.values["HostResource"]
        target = _target(call, given) if moved != port.values["HostResource"] else None
        if given.values.get("Address") and not nics.is_address(given.values["Address"]):
            raise Stop(INVALID)
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
            for name in ("ElementName", "Address"):
                if given.values.get(name):
                    port.values[name] = given.values[name]
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

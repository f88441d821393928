"""Methods: features of switch ports (VLAN, security, bandwidth …), of machines and of the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tui.sim import network, nics, shapes
from tui.sim.jobs import Done, Work
from tui.sim.machine import Machine
from tui.sim.outcome import INVALID, STATE, Call, Method, Stop
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

Values: TypeAlias = Mapping[str, CimValue]

LAST_VLAN = 4094
ACCESS, TRUNK, PRIVATE = 1, 2, 3
ISOLATED, COMMUNITY, PROMISCUOUS = 1, 2, 3
ABSOLUTE, WEIGHT, UNRESERVED = 2, 1, 3
"""BandwidthReservationMode of a switch."""
ACL = "Msvm_EthernetSwitchPortAclSettingData"
"""The one feature of which a port can have several."""
BOUNDS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "Msvm_EthernetSwitchPortSecuritySettingData": {
        "MonitorMode": (0, 2),
        "DynamicIPAddressLimit": (0, 4094),
        "VirtualSubnetId": (0, 16777214),
    },
    "Msvm_EthernetSwitchPortBandwidthSettingData": {"Weight": (0, 100)},
    "Msvm_EthernetSwitchPortOffloadSettingData": {
        "IOVOffloadWeight": (0, 100),
        "VMQOffloadWeight": (0, 100),
        "IOVQueuePairsRequested": (1, 4096),
        "IPSecOffloadLimit": (0, 4096),
    },
    "Msvm_EthernetSwitchPortIsolationSettingData": {
        "IsolationMode": (0, 3),
        "DefaultIsolationId": (0, 16777214),
    },
    ACL: {"Action": (1, 3), "Direction": (1, 2), "Applicability": (1, 2), "AclType": (1, 3)},
}


def _is_vlan(value: CimValue, low: int = 1) -> bool:
    return isinstance(value, int) and low <= value <= LAST_VLAN


def _are_vlans(value: CimValue) -> bool:
    return isinstance(value, tuple) and bool(value) and all(_is_vlan(one) for one in value)


def _vlan(call: Call, port: CimInstance, after: Values) -> bool:
    """A tag for each mode: one VLAN, a list of them, or a primary one with its secondary ones."""
    mode = after.get("OperationMode")
    if mode == ACCESS:
        return _is_vlan(after.get("AccessVlanId"))
    if mode == TRUNK:
        return _is_vlan(after.get("NativeVlanId"), 0) and _are_vlans(after.get("TrunkVlanIdArray"))
    if mode != PRIVATE or not _is_vlan(after.get("PrimaryVlanId")):
        return False
    primary, kind = after.get("PrimaryVlanId"), after.get("PvlanMode")
    if kind == PROMISCUOUS:
        several = after.get("SecondaryVlanIdArray")
        return _are_vlans(several) and primary not in tuple(several)  # type: ignore[arg-type]
    secondary = after.get("SecondaryVlanId")
    return kind in (ISOLATED, COMMUNITY) and _is_vlan(secondary) and secondary != primary


def _bandwidth(call: Call, port: CimInstance, after: Values) -> bool:
    """A share as the switch reserves them, by weight or absolutely, and never above the limit."""
    reserved, weight = after.get("Reservation") or 0, after.get("Weight") or 0
    limit = after.get("Limit") or 0
    if not all(isinstance(n, int) and n >= 0 for n in (reserved, weight, limit)):
        return False
    if reserved and weight:
        return False
    if isinstance(reserved, int) and isinstance(limit, int) and 0 < limit < reserved:
        return False
    switch = _switch_of(call, port)
    settings = network.settings_of(call.host, switch) if switch else None
    mode = settings.values["BandwidthReservationMode"] if settings else None
    if weight and mode in (ABSOLUTE, UNRESERVED):
        return False
    return not (reserved and mode in (WEIGHT, UNRESERVED))


CHECKS: Mapping[str, Callable[[Call, CimInstance, Values], bool]] = {
    nics.VLAN: _vlan,
    "Msvm_EthernetSwitchPortBandwidthSettingData": _bandwidth,
}


def _check(call: Call, port: CimInstance, class_name: str, after: Values) -> None:
    for name, (low, high) in BOUNDS.get(class_name, {}).items():
        value = after.get(name)
        if value is not None and not (isinstance(value, int) and low <= value <= high):
            raise Stop(INVALID)
    judge = CHECKS.get(class_name)
    if judge is not None and not judge(call, port, after):
        raise Stop(INVALID)


def _switch_of(call: Call, port: CimInstance) -> CimInstance | None:
    """The switch of a port: of a machine's by its plug, of the host's by its identifier."""
    found = network.switch_of(call.host, port)
    if found is not None:
        return found
    head = shapes.text(port, "InstanceID").removeprefix("Microsoft:").partition("\\")[0].upper()
    return next((s for s in call.host.switches() if shapes.text(s, "Name").upper() == head), None)


def _owner(call: Call, item: CimInstance) -> Machine | None:
    """The machine an item belongs to; nobody for the host's own, 32775 for a checkpoint's."""
    owner = call.host.owner_of(shapes.text(item, "InstanceID"))
    if owner is not None and owner[1]:
        raise Stop(STATE)
    return owner[0] if owner else None


def _port_of(call: Call, item: CimInstance) -> CimInstance:
    place = shapes.text(item, "InstanceID").rpartition("\\")[0]
    return call.object(CimRef(nics.PORT, (("InstanceID", place),), shapes.VIRTUALIZATION))


# -- the three methods ---------------------------------------------------------------------


def add(call: Call) -> MethodOutput:
    port = call.object(call.get("AffectedConfiguration"))
    if port.class_name != nics.PORT:
        raise Stop(INVALID)
    _owner(call, port)
    made = [_make(call, port, call.embedded(text)) for text in call.many("FeatureSettings")]
    places = [shapes.text(item, "InstanceID") for item in made]
    if not made or len(set(places)) < len(places):
        raise Stop(INVALID)
    if any(call.host.repository.get(shapes.setting_ref(item)) for item in made):
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        owner = _owner(call, port)
        for item in made:
            stored = call.host.repository.add(item)
            if owner is not None:
                owner.current.put(stored)
        _moved(call, owner, port)
        return tuple(shapes.setting_ref(item) for item in made)

    return _job(call, 30, "Adding Virtual Machine Resources", port, done)


def _make(call: Call, port: CimInstance, given: CimInstance) -> CimInstance:
    """A feature with the defaults of this host for what the client does not say."""
    feature = shapes.FEATURES.get(given.class_name)
    if feature is None:
        raise Stop(INVALID)
    if given.class_name == ACL:
        number = call.host.next_number()
        feature = shapes.guid(call.host.fabric.random(call.host.name, "acl", number))
    start = shapes.FEATURE_DEFAULTS.get(given.class_name, {})
    values = dict(start) | {k: v for k, v in given.values.items() if v is not None}
    _check(call, port, given.class_name, values)
    values["InstanceID"] = f"{shapes.text(port, 'InstanceID')}\\{feature}"
    return shapes.new(given.class_name, **values)


def _job(call: Call, kind: int, words: str, item: CimInstance, done: Done) -> MethodOutput:
    return call.job(Work(kind, words, 0.3, done), _owner(call, item))


def _moved(call: Call, owner: Machine | None, port: CimInstance) -> None:
    if owner is not None:
        nics.settle(call.host, owner, port)


def modify(call: Call) -> MethodOutput:
    todo = []
    for text in call.many("FeatureSettings"):
        given = call.embedded(text)
        present = call.object(shapes.setting_ref(given))
        if given.class_name not in shapes.FEATURES or "\\Default" in shapes.text(
            present, "InstanceID"
        ):
            raise Stop(INVALID)
        port = _port_of(call, present)
        _owner(call, port)
        changes = {
            name: value
            for name, value in given.values.items()
            if name in present.values and name != "InstanceID" and value is not None
        }
        _check(call, port, given.class_name, present.values | changes)
        todo.append((present, port, changes))
    if not todo:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for present, port, changes in todo:
            present.values.update(changes)
            _moved(call, _owner(call, port), port)
        return ()

    return _job(call, 31, "Modifying Virtual Machine Resources", todo[0][1], done)


def remove(call: Call) -> MethodOutput:
    doomed = [call.object(value) for value in call.many("FeatureSettings")]
    if not doomed or any(item.class_name not in shapes.FEATURES for item in doomed):
        raise Stop(INVALID)
    ports = [_port_of(call, item) for item in doomed]
    owner = _owner(call, ports[0])

    def done(at: float) -> tuple[CimRef, ...]:
        for item, port in zip(doomed, ports, strict=True):
            call.host.repository.remove(item)
            machine = _owner(call, port)
            if machine is not None:
                machine.current.resources.pop(shapes.text(item, "InstanceID").lower(), None)
            _moved(call, machine, port)
        return ()

    return call.job(Work(32, "Removing Virtual Machine Resources", 0.3, done), owner)


MACHINES = "Msvm_VirtualSystemManagementService"
SWITCHES = "Msvm_VirtualEthernetSwitchManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (service, name): method
    for service in (MACHINES, SWITCHES)
    for name, method in (
        ("AddFeatureSettings", add),
        ("ModifyFeatureSettings", modify),
        ("RemoveFeatureSettings", remove),
    )
}

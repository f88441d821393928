"""Network adapters of a virtual machine: the adapter, its plug, and the features of its port."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.errors import Refused
from tui.hyperv import clean, paths
from tui.hyperv.model import Vlan, VlanMode
from tui.hyperv.ops.calling import (
    add_resources,
    by_instance_id,
    embedded,
    invoke,
    modify_resources,
    remove_resources,
    service_ref,
)
from tui.hyperv.ops.making import Making
from tui.hyperv.outcome import Done, Outcome, Step, Steps
from tui.hyperv.sheet import Adapter
from tui.wsman.cim import CimRef, CimValue, to_path
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

HERE = "."
"""The host itself, in object paths."""
PORT = "Msvm_EthernetPortAllocationSettingData"
_SYNTHETIC = "Msvm_SyntheticEthernetPortSettingData"
_EMULATED = "Msvm_EmulatedEthernetPortSettingData"
_VLAN = "Msvm_EthernetSwitchPortVlanSettingData"
_GUARD = "Msvm_EthernetSwitchPortSecuritySettingData"
_SPEED = "Msvm_EthernetSwitchPortBandwidthSettingData"
_CONNECTED, _DISCONNECTED = 2, 3
_PROMISCUOUS = 3


def adapter_class(*, emulated: bool) -> str:
    """The class of an adapter's settings."""
    return _EMULATED if emulated else _SYNTHETIC


def switch_path(switch_id: str) -> str:
    """The object path of a virtual switch, as HostResource wants it."""
    keys = (("CreationClassName", "Msvm_VirtualEthernetSwitch"), ("Name", switch_id))
    return to_path(CimRef("Msvm_VirtualEthernetSwitch", keys, VIRTUALIZATION), HERE)


# -- adapters ------------------------------------------------------------------------------


def add_nic(
    client: CimClient,
    vm_id: str,
    name: str,
    *,
    title: str,
    switch_id: str = "",
    emulated: bool = False,
    mac: str = "",
) -> Steps:
    """A new adapter, plugged into a switch when one is named. Empty ``mac``: a dynamic one."""
    wanted = adapter_class(emulated=emulated)
    before = _adapters(client, vm_id, wanted)
    kind = "Emulated" if emulated else "Synthetic"
    values: dict[str, CimValue] = {
        "ElementName": title,
        "ResourceType": 10,
        "ResourceSubType": f"Microsoft:Hyper-V:{kind} Ethernet Port",
        "StaticMacAddress": bool(mac),
        "Address": mac or None,
    }
    if not emulated:
        values["VirtualSystemIdentifiers"] = (f"{{{uuid.uuid4()}}}",)
    with Making(f"Adding an adapter to {name}") as making:
        outcome = add_resources(client, vm_id, name, "add an adapter to", [(wanted, values)])
        yield Step("Adding the adapter", outcome)
        making.add(f"the adapter {title}")
        if not switch_id:
            return
        made = _new(before, _adapters(client, vm_id, wanted), name)
        making.undo = ("nic.remove", vm_id, {"nic": made})
        yield Step("Plugging it in", _plug(client, vm_id, name, made, wanted, switch_id))


def _new(before: set[str], after: set[str], name: str) -> str:
    found = after - before
    if len(found) != 1:
        raise Refused(
            f"The new adapter of {name} is not plugged in",
            cause="the host does not show which one it is",
            hint="connect it once it shows",
        )
    return found.pop()


def _adapters(client: CimClient, vm_id: str, class_name: str) -> set[str]:
    """InstanceIDs of a machine's adapters of one class."""
    rows = client.query(VIRTUALIZATION, f"SELECT InstanceID FROM {class_name}")
    known = (clean.text(row.get("InstanceID")) for row in rows)
    return {identity for identity in known if paths.owner(identity) == vm_id.upper()}


def _plug(
    client: CimClient, vm_id: str, name: str, nic: str, nic_class: str, switch_id: str
) -> Outcome:
    values: dict[str, CimValue] = {
        "ResourceType": 33,
        "ResourceSubType": "Microsoft:Hyper-V:Ethernet Connection",
        "Parent": to_path(by_instance_id(nic_class, nic), HERE),
        "HostResource": (switch_path(switch_id),),
        "EnabledState": _CONNECTED,
    }
    return add_resources(client, vm_id, name, "connect", [(PORT, values)])


def remove_nic(client: CimClient, name: str, nic: Adapter) -> Outcome:
    """Take an adapter out; its plug and its port's features go with it."""
    wanted = adapter_class(emulated=nic.emulated)
    return remove_resources(client, name, "remove an adapter of", [(wanted, nic.id)])


def connect(client: CimClient, vm_id: str, name: str, nic: Adapter, switch_id: str) -> Outcome:
    """Plug an adapter into a switch."""
    if not nic.connection:
        wanted = adapter_class(emulated=nic.emulated)
        return _plug(client, vm_id, name, nic.id, wanted, switch_id)
    values: dict[str, CimValue] = {
        "InstanceID": nic.connection,
        "HostResource": (switch_path(switch_id),),
        "EnabledState": _CONNECTED,
    }
    return modify_resources(client, name, "connect", [(PORT, values)])


def disconnect(client: CimClient, name: str, nic: Adapter) -> Outcome:
    """Pull the plug; the features of the port stay."""
    if not nic.connection:
        return Done()
    values: dict[str, CimValue] = {
        "InstanceID": nic.connection,
        "EnabledState": _DISCONNECTED,
    }
    return modify_resources(client, name, "disconnect", [(PORT, values)])


def set_mac(client: CimClient, name: str, nic: Adapter, mac: str) -> Outcome:
    """A static address of twelve hex digits; empty: the host gives a dynamic one."""
    if (nic.static_mac, nic.mac if nic.static_mac else "") == (bool(mac), mac):
        return Done()
    values: dict[str, CimValue] = {"InstanceID": nic.id, "StaticMacAddress": bool(mac)}
    if mac:
        values["Address"] = mac
    wanted = adapter_class(emulated=nic.emulated)
    return modify_resources(client, name, "set the MAC address of", [(wanted, values)])


# -- features of the port ------------------------------------------------------------------


def set_vlan(client: CimClient, name: str, nic: Adapter, vlan: Vlan) -> Outcome:
    """Untagged, access, trunk or private."""
    if vlan == nic.vlan:
        return Done()
    verb = "set the VLAN of"
    if vlan.mode is VlanMode.UNTAGGED:
        return _remove_feature(client, name, verb, _VLAN, nic.vlan_id)
    return _set_feature(client, name, verb, nic, _VLAN, nic.vlan_id, _vlan_values(vlan))


def _vlan_values(vlan: Vlan) -> dict[str, CimValue]:
    values: dict[str, CimValue] = {"OperationMode": int(vlan.mode)}
    match vlan.mode:
        case VlanMode.ACCESS:
            values["AccessVlanId"] = vlan.id
        case VlanMode.TRUNK:
            values |= {"NativeVlanId": vlan.id, "TrunkVlanIdArray": tuple(vlan.trunk)}
        case _:
            values |= {"PrimaryVlanId": vlan.id, "PvlanMode": vlan.private}
            if vlan.private == _PROMISCUOUS:
                values["SecondaryVlanIdArray"] = tuple(vlan.trunk)
            else:
                values["SecondaryVlanId"] = vlan.secondary
    return values


def set_bandwidth(
    client: CimClient, name: str, nic: Adapter, *, limit: int, reservation: int, weight: int
) -> Outcome:
    """Bits per second at most and at least, or a share by weight. All zero: no rule."""
    wanted: dict[str, CimValue] = {"Limit": limit, "Reservation": reservation, "Weight": weight}
    now = (nic.bandwidth_limit, nic.bandwidth_reservation, nic.bandwidth_weight)
    if now == (limit, reservation, weight):
        return Done()
    verb = "set the bandwidth of"
    if not any(wanted.values()):
        return _remove_feature(client, name, verb, _SPEED, nic.bandwidth_id)
    return _set_feature(client, name, verb, nic, _SPEED, nic.bandwidth_id, wanted)


def set_guards(
    client: CimClient, name: str, nic: Adapter, *, spoofing: bool, dhcp: bool, router: bool
) -> Outcome:
    """Other source addresses allowed; answers of DHCP servers and routers inside withheld."""
    wanted: dict[str, CimValue] = {
        "AllowMacSpoofing": spoofing,
        "EnableDhcpGuard": dhcp,
        "EnableRouterGuard": router,
    }
    if (nic.mac_spoofing, nic.dhcp_guard, nic.router_guard) == (spoofing, dhcp, router):
        return Done()
    verb = "set the guards of"
    return _set_feature(client, name, verb, nic, _GUARD, nic.security_id, wanted)


def _set_feature(
    client: CimClient,
    name: str,
    verb: str,
    nic: Adapter,
    class_name: str,
    feature_id: str,
    values: Mapping[str, CimValue],
) -> Outcome:
    """Change a feature of an adapter's port, or add it where the port has none."""
    if feature_id:
        text = embedded(class_name, {"InstanceID": feature_id, **values})
        return invoke(
            client, service_ref(), "ModifyFeatureSettings", verb, name, FeatureSettings=(text,)
        )
    if not nic.connection:
        raise Refused(
            f"Could not {verb} {name}",
            cause=f"{nic.name} has never been connected, so it has no port yet",
            hint="connect it to a switch first",
        )
    return invoke(
        client, service_ref(), "AddFeatureSettings", verb, name,
        AffectedConfiguration=by_instance_id(PORT, nic.connection),
        FeatureSettings=(embedded(class_name, values),),
    )  # fmt: skip


def _remove_feature(
    client: CimClient, name: str, verb: str, class_name: str, feature_id: str
) -> Outcome:
    if not feature_id:
        return Done()
    ref = by_instance_id(class_name, feature_id)
    return invoke(
        client, service_ref(), "RemoveFeatureSettings", verb, name, FeatureSettings=(ref,)
    )

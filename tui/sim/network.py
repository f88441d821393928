"""Virtual switches of a host: settings, host-side ports and physical adapters."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tui.sim import build, shapes
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

SWITCH = "Msvm_VirtualEthernetSwitch"
PORT = "Msvm_EthernetPortAllocationSettingData"
UNPLUGGED: dict[str, CimValue] = {
    "MediaConnectState": 2,
    "InterfaceOperationalStatus": 2,
    "OperationalStatusDownMediaDisconnected": True,
}
"""What Windows shows of an adapter without a cable."""
DEFAULTS: dict[str, CimValue] = {
    "HealthState": 5,
    "OperationalStatus": (2,),
    "StatusDescriptions": ("Operating normally",),
    "Status": "OK",
    "EnabledState": 2,
    "EnabledDefault": 2,
    "RequestedState": 12,
}


def furnish(host: SimHost, random: Random) -> None:
    """Physical adapters first, then the switches over them."""
    ports = []
    for index, plan in enumerate(host.plan.uplinks):
        identity = shapes.guid(random)
        address = f"B8CEF6{random.getrandbits(24):06X}"
        port = _external(host, plan.description, identity, address, plan.speed)
        ports.append(host.repository.add(port))
        more: dict[str, CimValue] = UNPLUGGED if plan.down else {}
        speed = 0 if plan.down else plan.speed
        port.values["Speed"] = speed
        host.repository.add(
            net_adapter(host, plan.name, plan.description, identity, address, speed, index, more)
        )
    for switch in host.plan.switches:
        team: dict[str, CimValue] = {"TeamingEnabled": len(switch.uplinks) > 1}
        found = define(host, switch.name, random, nat=switch.kind == "nat", changes=team)
        for index in switch.uplinks:
            connect_external(host, found, ports[index])
        if switch.kind in ("internal", "nat") or (switch.uplinks and switch.shared):
            port = connect_internal(host, found, random)
            if switch.vlan:
                host.repository.add(build.vlan(port, switch.vlan))


def _device(host: SimHost, class_name: str, device: str) -> dict[str, CimValue]:
    return {
        **DEFAULTS,
        "CreationClassName": class_name,
        "DeviceID": device,
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": host.name,
    }


def _external(host: SimHost, words: str, identity: str, address: str, speed: int) -> CimInstance:
    common = _device(host, "Msvm_ExternalEthernetPort", f"Microsoft:{{{identity}}}")
    return shapes.new(
        "Msvm_ExternalEthernetPort",
        **common
        | {
            "Name": words,
            "ElementName": words,
            "Caption": "External Ethernet Port",
            "Description": "Microsoft External Ethernet Port",
            "PermanentAddress": address,
            "NetworkAddresses": (address,),
            "MaxSpeed": speed,
            "Speed": speed,
            "FullDuplex": True,
            "LinkTechnology": 2,
            "PortType": 53,
            "IsBound": False,
            "ActiveMaximumTransmissionUnit": 1500,
        },
    )


def net_adapter(
    host: SimHost,
    name: str,
    words: str,
    identity: str,
    address: str,
    speed: int,
    index: int,
    more: dict[str, CimValue] | None = None,
) -> CimInstance:
    """An adapter as Windows shows it; ``more`` is what makes it other than a network card."""
    dashed = "-".join(address[i : i + 2] for i in range(0, 12, 2))
    values: dict[str, CimValue] = {
        "CreationClassName": "MSFT_NetAdapter",
        "DeviceID": f"{{{identity}}}",
        "SystemCreationClassName": "CIM_NetworkPort",
        "SystemName": host.plan.name + (f".{host.plan.domain}" if host.plan.domain else ""),
        "Name": name,
        "ElementName": name,
        "InterfaceDescription": words,
        "DriverDescription": words,
        "InterfaceGuid": f"{{{identity}}}",
        "InterfaceIndex": 4 + index,
        "InterfaceName": f"ethernet_{32769 + index}",
        "InterfaceType": 6,
        "InterfaceOperationalStatus": 1,
        "InterfaceAdminStatus": 1,
        "MediaConnectState": 1,
        "NdisPhysicalMedium": 14,
        "PermanentAddress": address,
        "NetworkAddresses": (address,),
        "Speed": speed,
        "ReceiveLinkSpeed": speed,
        "TransmitLinkSpeed": speed,
        "FullDuplex": True,
        "HardwareInterface": True,
        "ConnectorPresent": True,
        "Virtual": False,
        "Hidden": False,
        "State": 2,
        "MtuSize": 1500,
        "InstanceID": f"{{{identity}}}",
        "PnPDeviceID": f"PCI\\VEN_8086&DEV_1572&{dashed}",
    }
    return shapes.new("MSFT_NetAdapter", shapes.STANDARD, **values | (more or {}))


def define(
    host: SimHost,
    name: str,
    random: Random,
    *,
    nat: bool = False,
    changes: dict[str, CimValue] | None = None,
) -> CimInstance:
    """A switch with its setting data; nothing is plugged into it yet."""
    identity = shapes.DEFAULT_SWITCH if nat else shapes.guid(random)
    switch = shapes.new(
        SWITCH,
        **DEFAULTS
        | {
            "CreationClassName": SWITCH,
            "Name": identity,
            "ElementName": name,
            "Caption": "Virtual Switch",
            "Description": "Microsoft Virtual Switch",
            "InstallDate": shapes.when(host.fabric.now() - 400 * 86400.0),
            "MaxIOVOffloads": 0,
            "MaxVMQOffloads": 64,
            "ResetCapability": 5,
        },
    )
    settings: dict[str, CimValue] = {
        "InstanceID": f"Microsoft:{identity}",
        "ElementName": name,
        "Caption": "Virtual Ethernet Switch Settings",
        "Description": "Settings for the virtual switch.",
        "VirtualSystemIdentifier": identity,
        "VirtualSystemType": "Microsoft:Hyper-V:VirtualEthernetSwitch",
        "CreationTime": switch.values["InstallDate"],
        "Notes": ("",),
        "BandwidthReservationMode": 2,
        "IOVPreferred": False,
        "PacketDirectEnabled": False,
        "TeamingEnabled": False,
        "ExtensionOrder": (
            "{430BDADD-BAB0-41AB-A369-94B67FA5BE0A}",
            "{E7C3B2F0-F3C5-48DF-AF2B-10FED6D72E7A}",
        ),
        "MaxNumMACAddress": 1024,
    }
    host.repository.add(switch)
    class_name = "Msvm_VirtualEthernetSwitchSettingData"
    host.repository.add(shapes.new(class_name, **settings | (changes or {})))
    return switch


def settings_of(host: SimHost, switch: CimInstance) -> CimInstance | None:
    key = (("InstanceID", f"Microsoft:{shapes.text(switch, 'Name')}"),)
    return host.repository.get(
        CimRef("Msvm_VirtualEthernetSwitchSettingData", key, shapes.VIRTUALIZATION)
    )


def connect_external(host: SimHost, switch: CimInstance, port: CimInstance) -> CimInstance:
    """Bind a physical adapter to a switch."""
    device = shapes.text(port, "DeviceID")
    ref = shapes.device_ref("Msvm_ExternalEthernetPort", host.name, device)
    port.values["IsBound"] = True
    name = shapes.text(switch, "ElementName") + "_External"
    path = shapes.object_path(host.name, ref)
    return _port(host, switch, name, path, device.removeprefix("Microsoft:").strip("{}"))


def connect_internal(host: SimHost, switch: CimInstance, random: Random) -> CimInstance:
    """Give the management operating system an adapter on a switch."""
    path = shapes.object_path(host.name, shapes.system_ref(host.name))
    port = _port(host, switch, shapes.text(switch, "ElementName"), path, shapes.guid(random))
    port.values["Address"] = host.next_address()
    return port


def _port(host: SimHost, switch: CimInstance, name: str, path: str, identity: str) -> CimInstance:
    port = build.resource(
        "Msvm_EthernetPortAllocationSettingData",
        f"Microsoft:{shapes.text(switch, 'Name')}\\{identity}",
        33,
        "Ethernet Connection",
        name,
        HostResource=(path,),
        EnabledState=2,
        LastKnownSwitchName="",
    )
    return host.repository.add(port)


def ports_of(host: SimHost, switch: CimInstance) -> list[CimInstance]:
    """Host-side port allocations of a switch."""
    prefix = f"microsoft:{shapes.text(switch, 'Name').lower()}\\"
    found = host.repository.instances(
        shapes.VIRTUALIZATION, "Msvm_EthernetPortAllocationSettingData"
    )
    return [p for p in found if shapes.text(p, "InstanceID").lower().startswith(prefix)]


def host_resource(port: CimInstance, word: str) -> bool:
    """The allocation points at something whose class name holds the word."""
    return any(word.lower() in path.lower() for path in shapes.strings(port, "HostResource"))


def switch_of(host: SimHost, port: CimInstance) -> CimInstance | None:
    """The switch a machine's port allocation is plugged into."""
    if port.values["EnabledState"] == 3:
        return None
    for path in shapes.strings(port, "HostResource"):
        name = path.rpartition('Name="')[2].rstrip('"').upper()
        for switch in host.switches():
            if shapes.text(switch, "Name").upper() == name:
                return switch
    return None

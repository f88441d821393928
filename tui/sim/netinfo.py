"""How a host sees its networks: adapters, addresses, neighbours and teams of Windows, and the
chain from an adapter through endpoints to the port of a switch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.sim import devices, network, shapes
from tui.sim.machine import Machine
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

IPV4, IPV6 = 2, 23
DHCP, MANUAL, LINK = 3, 1, 4
REACHABLE = 5
ENDPOINT = "Msvm_LANEndpoint"
CONNECTION = "Msvm_ActiveConnection"
IMPLEMENTS = "Msvm_EthernetDeviceSAPImplementation"
INTERNAL = "Msvm_InternalEthernetPort"
TEAM, MEMBER, TEAM_NIC = "MSFT_NetLbfoTeam", "MSFT_NetLbfoTeamMember", "MSFT_NetLbfoTeamNic"
OWN = "Msvm_ComputerSystem."
"""What the path of the host itself holds, and the path of one of its devices does not."""
SWITCH_TEAM = "Msvm_VirtualEthernetSwitchNicTeamingSettingData"
SWITCH_TEAM_ID = "E3F8A0C9-2B5D-4E57-9D1B-0C7A5B1F6E42"
SWITCH_MEMBER = "Msvm_VirtualEthernetSwitchNicTeamingMember"
FIRST_VIRTUAL = 40
"""Interface index of the first adapter of the management operating system."""


def install(host: SimHost) -> None:
    """Register the computed classes with the host's repository."""
    for name, source in (
        ("MSFT_NetAdapter", virtual_adapters),
        ("MSFT_NetIPAddress", addresses),
        ("MSFT_NetNeighbor", neighbours),
        (TEAM, teams),
        (MEMBER, team_members),
        (TEAM_NIC, team_nics),
    ):
        host.repository.provide(shapes.STANDARD, name, partial(source, host))
    for name, source in (
        (INTERNAL, internal_ports),
        (ENDPOINT, endpoints),
        (SWITCH_TEAM, embedded_settings),
    ):
        host.repository.provide(shapes.VIRTUALIZATION, name, partial(source, host))
    for name, link in (
        (CONNECTION, connections),
        (IMPLEMENTS, implementations),
        (SWITCH_MEMBER, embedded_members),
    ):
        host.repository.provide(
            shapes.VIRTUALIZATION, name, partial(link, host), partial(link, host)
        )


# -- the management operating system -------------------------------------------------------


def host_plugs(host: SimHost) -> Iterator[tuple[CimInstance, CimInstance]]:
    """Switches, and the ports by which the host itself is plugged into them."""
    for switch in host.switches():
        for port in network.ports_of(host, switch):
            if network.host_resource(port, OWN):
                yield switch, port


def _identity(port: CimInstance) -> str:
    return shapes.text(port, "InstanceID").rpartition("\\")[2]


def _dashed(address: str) -> str:
    return "-".join(address[i : i + 2] for i in range(0, 12, 2))


def alias(port: CimInstance) -> str:
    """What Windows calls the adapter: "vEthernet" and the name of the port."""
    return f"vEthernet ({shapes.text(port, 'ElementName')})"


def virtual_adapters(host: SimHost) -> Iterator[CimInstance]:
    """MSFT_NetAdapter of the host's own ports; the physical ones are stored."""
    for index, (_, port) in enumerate(host_plugs(host)):
        name, words = alias(port), "Hyper-V Virtual Ethernet Adapter"
        words += f" #{index + 1}" if index else ""
        identity, address = _identity(port), shapes.text(port, "Address")
        yield network.net_adapter(
            host,
            name,
            words,
            identity,
            address,
            10_000_000_000,
            FIRST_VIRTUAL - 4 + index,
            {
                "HardwareInterface": False,
                "ConnectorPresent": False,
                "Virtual": True,
                "NdisPhysicalMedium": 0,
                "PnPDeviceID": f"ROOT\\VMS_MP\\{index:04d}",
            },
        )


def _ip(host: SimHost, name: str, index: int, address: str, origin: int) -> CimInstance:
    six = ":" in address
    return shapes.new(
        "MSFT_NetIPAddress",
        shapes.STANDARD,
        CreationClassName="",
        SystemCreationClassName="",
        SystemName="",
        Name=f";{index};{address}",
        IPAddress=address,
        Address=address,
        IPv4Address=None if six else address,
        IPv6Address=address if six else None,
        AddressFamily=IPV6 if six else IPV4,
        AddressState=4,
        AddressType=2 if six else 1,
        ProtocolIFType=4097 if six else 4096,
        InterfaceAlias=name,
        InterfaceIndex=index,
        PrefixLength=64 if six else 24,
        PrefixOrigin=2 if six else origin,
        SuffixOrigin=LINK if six else origin,
        SkipAsSource=False,
        Store=1,
        Type=1,
    )


def own_address(host: SimHost, number: int) -> str:
    """The host's own address on a network; a share of it that no machine is given."""
    second = (20 + number // 256 + host.site // 8) % 256
    return f"10.{second}.{number % 256}.{246 + host.site % 8}"


def _interfaces(host: SimHost) -> Iterator[tuple[CimInstance, str, int]]:
    """Adapters with an address of the host: name of the adapter, and the network it is on."""
    bound = {
        shapes.text(port, "DeviceID").removeprefix("Microsoft:").upper()
        for port in host.repository.instances(shapes.VIRTUALIZATION, "Msvm_ExternalEthernetPort")
        if port.values["IsBound"]
    }
    plugs = {alias(port): port for _, port in host_plugs(host)}
    for item in host.repository.instances(shapes.STANDARD, "MSFT_NetAdapter"):
        name = shapes.text(item, "Name")
        if shapes.text(item, "DeviceID").upper() not in bound and not _teamed(host, name):
            yield item, name, _network(host, name, plugs.get(name))


def _network(host: SimHost, name: str, port: CimInstance | None) -> int:
    if port is None:
        return next((plan.network for plan in host.plan.uplinks if plan.name == name), 10)
    vlan = "Msvm_EthernetSwitchPortVlanSettingData"
    place = f"{shapes.text(port, 'InstanceID')}\\{shapes.FEATURES[vlan]}"
    ref = CimRef(vlan, (("InstanceID", place),), shapes.VIRTUALIZATION)
    found = host.repository.get(ref)
    return (shapes.number(found, "AccessVlanId") if found else 0) or 1


def addresses(host: SimHost) -> Iterator[CimInstance]:
    """MSFT_NetIPAddress: one IPv4 and one link-local IPv6 address for each adapter."""
    if host.plan.local:
        return
    for item, name, number in _interfaces(host):
        index = shapes.number(item, "InterfaceIndex")
        yield _ip(host, name, index, own_address(host, number), MANUAL)
        mac = shapes.strings(item, "NetworkAddresses")[0].lower()
        six = f"fe80::{mac[0:4]}:{mac[4:6]}ff:fe{mac[6:8]}:{mac[8:12]}"
        yield _ip(host, name, index, six, LINK)


def neighbours(host: SimHost) -> Iterator[CimInstance]:
    """MSFT_NetNeighbor: guests on the switches that the host itself is plugged into."""
    known = list(virtual_adapters(host))
    indexes = {shapes.text(a, "Name"): shapes.number(a, "InterfaceIndex") for a in known}
    aliases = {shapes.text(s, "Name"): alias(port) for s, port in host_plugs(host)}
    for machine in list(host.machines.values()):
        for nic in machine.connected_nics if machine.alive else ():
            port = machine.connection(nic)
            switch = network.switch_of(host, port) if port else None
            name = aliases.get(shapes.text(switch, "Name")) if switch else None
            if name is not None:
                yield from _neighbour(machine, nic, name, indexes[name])


def _neighbour(machine: Machine, nic: CimInstance, name: str, index: int) -> Iterator[CimInstance]:
    for address in machine.addresses.get(shapes.text(nic, "InstanceID").lower(), ()):
        yield shapes.new(
            "MSFT_NetNeighbor",
            shapes.STANDARD,
            CreationClassName="",
            SystemCreationClassName="",
            SystemName="",
            Name=f"{index};{address}",
            IPAddress=address,
            AddressFamily=IPV6 if ":" in address else IPV4,
            LinkLayerAddress=_dashed(shapes.text(nic, "Address")),
            InterfaceAlias=name,
            InterfaceIndex=index,
            State=REACHABLE,
            Store=1,
        )


# -- teams of Windows ----------------------------------------------------------------------


def _teamed(host: SimHost, name: str) -> bool:
    return any(name in plan.members for plan in host.plan.uplinks)


def _teams(host: SimHost) -> list[tuple[str, tuple[str, ...]]]:
    return [(plan.name, plan.members) for plan in host.plan.uplinks if plan.members]


def teams(host: SimHost) -> Iterator[CimInstance]:
    for name, _ in _teams(host):
        yield shapes.new(
            TEAM,
            shapes.STANDARD,
            InstanceID=f"{{{name}}}",
            Name=name,
            ElementName=name,
            Status=0,
            TeamingMode=1,
            LoadBalancingAlgorithm=5,
            LacpTimer=0,
        )


def _part(
    class_name: str, team: str, item: CimInstance, words: str, **more: CimValue
) -> CimInstance:
    name = shapes.text(item, "Name")
    common: dict[str, CimValue] = {
        "InstanceID": f"{{{team}}}{{{name}}}",
        "Name": name,
        "ElementName": name,
        "InterfaceDescription": words,
        "Team": team,
        "ReceiveLinkSpeed": item.values["ReceiveLinkSpeed"],
        "TransmitLinkSpeed": item.values["TransmitLinkSpeed"],
        "FailureReason": 0,
        "NumberOfFailures": 0,
        "EnabledState": 5,
    }
    return shapes.new(class_name, shapes.STANDARD, **common | more)


def _adapters(host: SimHost) -> dict[str, CimInstance]:
    found = host.repository.instances(shapes.STANDARD, "MSFT_NetAdapter")
    return {shapes.text(item, "Name"): item for item in found}


def team_members(host: SimHost) -> Iterator[CimInstance]:
    known = _adapters(host)
    for team, members in _teams(host):
        for name in members:
            words = shapes.text(known[name], "InterfaceDescription")
            yield _part(MEMBER, team, known[name], words, AdministrativeMode=0, OperationalMode=0)


def team_nics(host: SimHost) -> Iterator[CimInstance]:
    known = _adapters(host)
    for team, _ in _teams(host):
        words = shapes.text(known[team], "InterfaceDescription")
        yield _part(TEAM_NIC, team, known[team], words, Primary=True, Default=True, VlanID=None)


def embedded_teams(host: SimHost) -> Iterator[tuple[CimInstance, list[CimInstance]]]:
    """Switches made for a team, and the ports of its members."""
    for switch in host.switches():
        settings = network.settings_of(host, switch)
        if settings is not None and settings.values["TeamingEnabled"]:
            ports = network.ports_of(host, switch)
            yield switch, [p for p in ports if network.host_resource(p, "ExternalEthernetPort")]


def embedded_settings(host: SimHost) -> Iterator[CimInstance]:
    """How the teams inside switches share their load: by port, or as they like."""
    for switch, _ in embedded_teams(host):
        yield _embedded(switch)


def _embedded(switch: CimInstance) -> CimInstance:
    return shapes.new(
        SWITCH_TEAM,
        InstanceID=f"Microsoft:{shapes.text(switch, 'Name')}\\{SWITCH_TEAM_ID}",
        ElementName="Ethernet Switch NIC Teaming Settings",
        TeamingMode=0,
        LoadBalancingAlgorithm=5,
    )


def embedded_members(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """The switch and each physical adapter of its team."""
    for switch, ports in embedded_teams(host):
        whole = shapes.system_ref(shapes.text(switch, "Name"), network.SWITCH)
        for port in ports:
            device = "Microsoft:{" + _identity(port) + "}"
            member = shapes.device_ref("Msvm_ExternalEthernetPort", host.name, device)
            yield shapes.new(SWITCH_MEMBER, Antecedent=whole, Dependent=member)


# -- from an adapter to the port of a switch -----------------------------------------------


def internal_ports(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_InternalEthernetPort: the host's own adapters, as Hyper-V sees them."""
    for _, port in host_plugs(host):
        yield _internal(host, port)


def _internal(host: SimHost, port: CimInstance) -> CimInstance:
    address = shapes.text(port, "Address")
    name = shapes.text(port, "ElementName")
    return shapes.new(
        INTERNAL,
        **network.DEFAULTS
        | {
            "CreationClassName": INTERNAL,
            "DeviceID": f"Microsoft:{_identity(port)}",
            "SystemCreationClassName": "Msvm_ComputerSystem",
            "SystemName": host.name,
            "Name": name,
            "ElementName": name,
            "Caption": "Internal Ethernet Port",
            "Description": "Microsoft Internal Ethernet Port",
            "PermanentAddress": address,
            "NetworkAddresses": (address,),
            "Speed": 10_000_000_000,
            "MaxSpeed": 10_000_000_000,
        },
    )


def _wires(host: SimHost) -> Iterator[tuple[CimInstance, CimInstance]]:
    """What is plugged in, and the port of the switch it is plugged into."""
    nics = {
        devices.port_id(nic): (machine, nic)
        for machine in list(host.machines.values())
        for nic in machine.nics
    }
    for switch, allocation, identity in devices.plugged(host):
        port = devices.switch_port(switch, allocation, identity)
        if identity in nics:
            yield devices.ethernet_port(*nics[identity]), port
        elif network.host_resource(allocation, OWN):
            yield _internal(host, allocation), port
        else:
            ref = f"Microsoft:{{{identity}}}"
            name = "Msvm_ExternalEthernetPort"
            found = host.repository.get(shapes.device_ref(name, host.name, ref))
            if found is not None:
                yield found, port


def _endpoint(device: CimInstance) -> CimInstance:
    device_id = shapes.text(device, "DeviceID")
    return shapes.new(
        ENDPOINT,
        CreationClassName=ENDPOINT,
        SystemCreationClassName=device.values["SystemCreationClassName"],
        SystemName=device.values["SystemName"],
        Name="/DEVICE/" + device_id.removeprefix("Microsoft:"),
        ElementName=device.values["ElementName"],
        Caption="LAN Endpoint",
        Description="Microsoft LAN Endpoint",
        MACAddress=device.values["PermanentAddress"],
        Connected=True,
        EnabledState=2,
        ProtocolIFType=6,
        LANType=2,
        HealthState=5,
        OperationalStatus=(2,),
    )


def endpoints(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_LANEndpoint: one at each end of each wire."""
    for device, port in _wires(host):
        yield _endpoint(device)
        yield _endpoint(port)


_CHAIN = ("msvm_lanendpoint", "ethernetport", "ethernetswitchport")


def _concerned(ref: CimRef | None) -> bool:
    return ref is None or ref.class_name.lower().endswith(_CHAIN)


def connections(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """Msvm_ActiveConnection: the endpoint of the switch's port, and the adapter's."""
    for device, port in _wires(host) if _concerned(ref) else ():
        ends = (host.repository.ref_of(_endpoint(item)) for item in (port, device))
        first, second = ends
        yield shapes.new(
            CONNECTION,
            Antecedent=first,
            Dependent=second,
            IsUnidirectional=False,
            TrafficType=2,
        )


def implementations(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """Msvm_EthernetDeviceSAPImplementation: a device and its endpoint."""
    for wire in _wires(host) if _concerned(ref) else ():
        for device in wire:
            yield shapes.new(
                IMPLEMENTS,
                Antecedent=host.repository.ref_of(device),
                Dependent=host.repository.ref_of(_endpoint(device)),
            )

"""What exists of a machine only while it runs: logical devices, integration components, guest IP.

Everything here is computed when asked for; nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import network, shapes
from tui.sim.machine import RUNNING, Machine
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.embedded import to_text

if TYPE_CHECKING:
    from tui.sim.world import SimHost

OK, NO_CONTACT, LOST = 2, 12, 13
DEGRADED, MISMATCH = 3, 32775
_IDENTIFIERS = {word: identifier for word, identifier, *_ in shapes.SERVICES}


def logical(
    machine: Machine, class_name: str, device: str, name: str, **v: CimValue
) -> CimInstance:
    """A CIM_LogicalDevice of a machine."""
    common: dict[str, CimValue] = {
        "CreationClassName": class_name,
        "DeviceID": f"Microsoft:{device}",
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": machine.id,
        "ElementName": name,
        "Caption": name,
        "Description": f"Microsoft {name}",
        "EnabledState": 2,
        "EnabledDefault": 2,
        "RequestedState": 12,
        "HealthState": 5,
        "OperationalStatus": (OK,),
        "StatusDescriptions": ("OK",),
        "Status": "OK",
    }
    return shapes.new(class_name, **(common | v))


def enabled(machine: Machine, word: str) -> bool:
    """An integration service is switched on in the settings."""
    setting = machine.current.at(_IDENTIFIERS[word])
    return setting is not None and setting.values["EnabledState"] == 2


def heartbeat(machine: Machine, now: float) -> int | None:
    """2 OK, 12 no contact, 13 lost communication; null while there is no component."""
    if not machine.alive or not enabled(machine, "Heartbeat"):
        return None
    if machine.responsive(now):
        return OK
    if (machine.state == RUNNING and now < machine.ready_at) or machine.guest.boot <= 5:
        return NO_CONTACT
    return LOST


def component(machine: Machine, word: str, now: float) -> CimInstance | None:
    """An integration component; null when its service is off or the machine does not run."""
    if not machine.alive or not enabled(machine, word):
        return None
    _, identifier, name, _ = next(s for s in shapes.SERVICES if s[0] == word)
    status = heartbeat(machine, now) or NO_CONTACT
    words = {OK: "OK", NO_CONTACT: "No Contact", LOST: "Lost Communication"}[status]
    older = machine.outdated and status == OK and word != "Heartbeat"
    values: dict[str, CimValue] = {
        "OperationalStatus": (DEGRADED, MISMATCH) if older else (status,),
        "StatusDescriptions": ("Degraded", "Protocol Mismatch") if older else (words,),
        "Status": "OK" if status == OK else "No Contact",
    }
    if word == "KvpExchange":
        values["GuestIntrinsicExchangeItems"] = kvp_items(machine, now)
        values["GuestExchangeItems"] = ()
    return logical(machine, f"Msvm_{word}Component", identifier, name, **values)


def components(host: SimHost, word: str) -> Iterator[CimInstance]:
    now = host.fabric.now()
    for machine in list(host.machines.values()):
        found = component(machine, word, now)
        if found is not None:
            yield found


def kvp_items(machine: Machine, now: float) -> tuple[str, ...]:
    """What the guest tells of itself, as CIM-XML texts; empty while it does not answer."""
    if not machine.responsive(now):
        return ()
    addresses = [a for pair in machine.addresses.values() for a in pair]
    stamp = ";".join((machine.fqdn, *addresses))
    if machine.kvp is None or machine.kvp[0] != stamp:
        texts = tuple(
            to_text(kvp_item(name, value, 2)) for name, value in _facts(machine, addresses)
        )
        machine.kvp = (stamp, texts)
    return machine.kvp[1]


def kvp_item(name: str, value: str, source: int) -> CimInstance:
    return shapes.new("Msvm_KvpExchangeDataItem", Name=name, Data=value, Source=source)


def _facts(machine: Machine, addresses: list[str]) -> list[tuple[str, str]]:
    guest = machine.guest
    four = ";".join(["127.0.0.1"] * (not guest.windows) + [a for a in addresses if "." in a])
    six = ";".join(a for a in addresses if ":" in a)
    parts = [*guest.version.split("-")[0].split("."), "0", "0"][:3]
    facts = [
        ("FullyQualifiedDomainName", machine.fqdn),
        ("OSName", guest.name),
        ("OSVersion", guest.version),
        ("OSMajorVersion", parts[0]),
        ("OSMinorVersion", parts[1]),
        ("OSBuildNumber", parts[2] if guest.windows else guest.version),
        ("OSPlatformId", "2"),
        ("ProcessorArchitecture", "9"),
        ("NetworkAddressIPv4", four),
        ("NetworkAddressIPv6", six),
        ("RDPAddressIPv4", four if guest.windows else ""),
        ("RDPAddressIPv6", six if guest.windows else ""),
        ("CSDVersion", ""),
        ("ServicePackMajor", "0"),
        ("ServicePackMinor", "0"),
    ]
    if guest.windows:
        facts += [
            ("OSEditionId", guest.edition),
            ("OSVendor", ""),
            ("OSSignature", ""),
            ("SuiteMask", "272"),
            ("ProductType", "1" if guest.name.startswith("Windows 1") else "3"),
        ]
    else:
        facts.append(("IntegrationServicesVersion", "3.1"))
    return facts


def guest_networks(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_GuestNetworkAdapterConfiguration: arrays empty, not null, when nothing is told."""
    now = host.fabric.now()
    for machine in list(host.machines.values()):
        answers = machine.responsive(now) and enabled(machine, "KvpExchange")
        for nic in machine.nics:
            yield guest_network(machine, nic, answers=answers)


def guest_network(machine: Machine, nic: CimInstance, *, answers: bool) -> CimInstance:
    key = shapes.text(nic, "InstanceID")
    known = machine.addresses.get(key.lower(), ())
    link = machine.connection(nic)
    addresses = known if answers and link and link.values["EnabledState"] == 2 else ()
    gateway = addresses[0].rpartition(".")[0] + ".1" if addresses else ""
    return shapes.new(
        "Msvm_GuestNetworkAdapterConfiguration",
        InstanceID="Microsoft:GuestNetwork\\" + key.removeprefix("Microsoft:"),
        ProtocolIFType=4098 if addresses else 0,
        DHCPEnabled=bool(addresses) and int(machine.id[:8], 16) % 3 == 0,
        IPAddresses=addresses,
        Subnets=tuple("255.255.255.0" if "." in a else "/64" for a in addresses),
        DefaultGateways=(gateway,) if addresses else (),
        DNSServers=("10.20.10.11", "10.20.10.12") if addresses else (),
        IPAddressOrigins=tuple(2 if "." in a else 1 for a in addresses),
    )


def video_heads(host: SimHost) -> Iterator[CimInstance]:
    for machine in list(host.machines.values()):
        if not machine.alive:
            continue
        width, height = resolution(machine)
        yield logical(
            machine,
            "Msvm_VideoHead",
            f"{shapes.DISPLAY}\\0",
            "Video Head",
            CurrentHorizontalResolution=width,
            CurrentVerticalResolution=height,
            CurrentBitsPerPixel=32,
            CurrentRefreshRate=60,
        )


def resolution(machine: Machine) -> tuple[int, int]:
    """What the guest's screen shows: text mode for most Linux, a login screen otherwise."""
    if machine.guest.windows:
        return (1920, 1080) if machine.guest.name.startswith("Windows 1") else (1024, 768)
    return (1024, 768) if machine.generation == 2 else (720, 400)


def keyboards(host: SimHost) -> Iterator[CimInstance]:
    for machine in list(host.machines.values()):
        if machine.alive:
            yield logical(
                machine,
                "Msvm_Keyboard",
                shapes.KEYBOARD,
                "Keyboard",
                Layout="00000409",
                NumberOfFunctionKeys=12,
                UnicodeSupported=True,
            )


def processors(host: SimHost) -> Iterator[CimInstance]:
    now = host.fabric.now()
    for machine in list(host.machines.values()):
        if machine.alive:
            root = shapes.PROCESSOR.partition("\\")[0]
            load = machine.processor_load(now)
            for index in range(machine.cpus):
                yield logical(
                    machine,
                    "Msvm_Processor",
                    f"{root}\\{index}",
                    "Processor",
                    LoadPercentage=load,
                    MaxClockSpeed=host.plan.clock,
                    CurrentClockSpeed=host.plan.clock,
                    CPUStatus=1,
                )


def memories(host: SimHost) -> Iterator[CimInstance]:
    now = host.fabric.now()
    for machine in list(host.machines.values()):
        if machine.alive:
            blocks = machine.memory(now)
            yield logical(
                machine,
                "Msvm_Memory",
                f"{shapes.MEMORY}\\0",
                "Memory",
                BlockSize=1 << 20,
                NumberOfBlocks=blocks,
                ConsumableBlocks=blocks,
            )


def ethernet_ports(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_SyntheticEthernetPort and Msvm_EmulatedEthernetPort of running machines."""
    for machine in list(host.machines.values()):
        if machine.alive:
            for nic in machine.nics:
                yield ethernet_port(machine, nic)


def ethernet_port(machine: Machine, nic: CimInstance) -> CimInstance:
    class_name = nic.class_name.removesuffix("SettingData")
    address = shapes.text(nic, "Address")
    link = machine.connection(nic)
    tail = shapes.text(nic, "InstanceID").partition("\\")[2]
    return logical(
        machine,
        class_name,
        tail,
        shapes.text(nic, "ElementName"),
        Name=shapes.text(nic, "ElementName"),
        PermanentAddress=address,
        NetworkAddresses=(address,),
        EnabledState=2 if link and link.values["EnabledState"] == 2 else 3,
        Speed=10_000_000_000,
        MaxSpeed=10_000_000_000,
        FullDuplex=True,
        LinkTechnology=2,
        PortType=53,
    )


def switch_ports(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_EthernetSwitchPort: one for every plugged-in adapter, of machines and of the host."""
    for switch, allocation, identity in plugged(host):
        yield switch_port(switch, allocation, identity)


def plugged(host: SimHost) -> Iterator[tuple[CimInstance, CimInstance, str]]:
    """Switch, port allocation and identifier of its port."""
    for switch in host.switches():
        for port in network.ports_of(host, switch):
            yield switch, port, shapes.text(port, "InstanceID").rpartition("\\")[2]
    for machine in list(host.machines.values()):
        for nic in machine.nics if machine.alive else ():
            allocation = machine.connection(nic)
            found = network.switch_of(host, allocation) if allocation else None
            if allocation is not None and found is not None:
                yield found, allocation, port_id(nic)


def port_id(nic: CimInstance) -> str:
    """The switch port's GUID: the adapter's with its first half exchanged."""
    identity = shapes.text(nic, "InstanceID").split("\\")[1].upper()
    return (
        identity[9:13] + identity[14:18] + "-" + identity[0:4] + "-" + identity[4:8] + identity[18:]
    )


def switch_port(switch: CimInstance, allocation: CimInstance, identity: str) -> CimInstance:
    name = shapes.text(allocation, "ElementName")
    return shapes.new(
        "Msvm_EthernetSwitchPort",
        **network.DEFAULTS
        | {
            "CreationClassName": "Msvm_EthernetSwitchPort",
            "DeviceID": f"Microsoft:{identity}",
            "Name": identity,
            "ElementName": name,
            "Caption": "Ethernet Switch Port",
            "Description": "Microsoft Ethernet Switch Port",
            "SystemCreationClassName": network.SWITCH,
            "SystemName": switch.values["Name"],
            "Speed": 10_000_000_000,
            "MaxSpeed": 10_000_000_000,
            "IOVOffloadUsage": 0,
            "VMQOffloadUsage": 0,
        },
    )

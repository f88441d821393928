"""Making CIM instances of a host: blank templates, well-known identifiers, object paths, times.

What a real host writes where is in the fixed GUIDs below; nothing here knows a scene.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID

from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.schema import CIMV2, CLUSTER, STANDARD, VIRTUALIZATION, cim_class

__all__ = ["CIMV2", "CLUSTER", "STANDARD", "VIRTUALIZATION"]

ZERO_TIME = datetime(1601, 1, 1, tzinfo=UTC)

# Device identifiers below a VM or a checkpoint; the same on every host.
PROCESSOR = "b637f346-6a0e-4dec-af52-bd70cb80a21d\\0"
MEMORY = "4764334d-e001-4176-82ee-5594ec9b530e"
IDE = "83F8638B-8DCA-4152-9EDA-2CA8B33039B4"
DISKETTE = "8F0D2762-0B00-4E04-AF4F-19010527CB93"
SERIAL = "8E3A359F-559A-4B6A-98A9-1690A6100ED7"
KEYBOARD = "DE6CDC86-E1FB-4940-801B-C3C1A26C4DA4\\Keyboard"
MOUSE = "58F75A6D-D949-4320-99E1-A2A2576D581C"
DISPLAY = "F3CF6965-E8D3-44A9-9B7D-A04245EA7525"
SECURITY = "2FC216B0-D2E2-4967-9B6A-B8A5C9CA2778"

HEARTBEAT = "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47"
KVP = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
SHUTDOWN = "9F8233AC-BE49-4C79-8EE3-E7E1985B2077"
TIME_SYNC = "2497F4DE-E9FA-4204-80E4-4B75C46419C0"
VSS = "5CED1297-4598-4915-A5FC-AD21BB4D02A4"
GUEST_SERVICES = "6C09BB55-D683-4DA0-8931-C9BF705F6480"

# Integration service: word in class names, identifier, display name, on by default.
SERVICES: tuple[tuple[str, str, str, bool], ...] = (
    ("Heartbeat", HEARTBEAT, "Heartbeat", True),
    ("KvpExchange", KVP, "Key-Value Pair Exchange", True),
    ("Shutdown", SHUTDOWN, "Shutdown", True),
    ("TimeSync", TIME_SYNC, "Time Synchronization", True),
    ("Vss", VSS, "VSS", True),
    ("GuestServiceInterface", GUEST_SERVICES, "Guest Service Interface", False),
)

# Port features: the last segment of their InstanceID.
FEATURES = {
    "Msvm_EthernetSwitchPortVlanSettingData": "952C5004-4465-451C-8CB8-FA9AB382B773",
    "Msvm_EthernetSwitchPortSecuritySettingData": "776E0BA7-94A1-41C8-8F28-951F524251B5",
    "Msvm_EthernetSwitchPortBandwidthSettingData": "24AD3CE1-69BD-4978-B2AC-DAAD389D699C",
    "Msvm_EthernetSwitchPortOffloadSettingData": "C885BFD1-ABB7-418F-8163-9F379C9F7166",
    "Msvm_EthernetSwitchPortAclSettingData": "998BEF4A-5D55-492A-9C43-8B2F5EAE9F2B",
    "Msvm_EthernetSwitchPortIsolationSettingData": "AA3B4A4B-28B4-4A6E-8B04-6A9CC0AA8E0F",
}

FEATURE_DEFAULTS: dict[str, dict[str, CimValue]] = {
    "Msvm_EthernetSwitchPortVlanSettingData": {
        "ElementName": "Ethernet Switch Port VLAN Settings",
        "OperationMode": 0,
        "AccessVlanId": 0,
        "NativeVlanId": 0,
        "PvlanMode": 0,
        "PrimaryVlanId": 0,
        "SecondaryVlanId": 0,
    },
    "Msvm_EthernetSwitchPortSecuritySettingData": {
        "ElementName": "Ethernet Switch Port Security Settings",
        "AllowMacSpoofing": False,
        "EnableDhcpGuard": False,
        "EnableRouterGuard": False,
        "AllowIeeePriorityTag": False,
        "AllowTeaming": False,
        "MonitorMode": 0,
        "MonitorSession": 0,
        "DynamicIPAddressLimit": 0,
        "StormLimit": 0,
        "VirtualSubnetId": 0,
    },
    "Msvm_EthernetSwitchPortBandwidthSettingData": {
        "ElementName": "Ethernet Switch Port Bandwidth Settings",
        "Limit": 0,
        "Reservation": 0,
        "Weight": 0,
        "BurstLimit": 0,
        "BurstSize": 0,
    },
    "Msvm_EthernetSwitchPortOffloadSettingData": {
        "ElementName": "Ethernet Switch Port Offload Settings",
        "IOVOffloadWeight": 0,
        "IOVQueuePairsRequested": 1,
        "IOVInterruptModeration": 0,
        "VMQOffloadWeight": 100,
        "IPSecOffloadLimit": 512,
        "VmmqEnabled": True,
        "VrssEnabled": True,
    },
    "Msvm_EthernetSwitchPortIsolationSettingData": {
        "ElementName": "Ethernet Switch Port Isolation Settings",
        "IsolationMode": 0,
        "DefaultIsolationId": 0,
        "AllowUntaggedTraffic": True,
        "EnableMultiTenantStack": False,
    },
}
"""What a feature says before anybody has said otherwise."""

DEFAULT_SWITCH = "C08CB7B8-9B3C-408E-8E30-5E16A3AEB444"

REALIZED = "Microsoft:Hyper-V:System:Realized"
CHECKPOINT = "Microsoft:Hyper-V:Snapshot:Realized"
RECOVERY = "Microsoft:Hyper-V:Snapshot:Recovery"


@cache
def _blank(namespace: str, name: str, *, zeros: bool) -> tuple[str, dict[str, CimValue]]:
    shape = cim_class(namespace, name)
    if shape is None:
        raise KeyError(f"{namespace}:{name}")
    number = 0 if zeros else None
    blank: dict[str, CimValue] = {
        key: number if prop.type.value.startswith("uint") and not prop.array else None
        for key, prop in shape.properties.items()
    }
    return shape.name, blank


def new(name: str, namespace: str = VIRTUALIZATION, /, **values: CimValue) -> CimInstance:
    """An instance with every property of its class: the given values, null otherwise."""
    proper, blank = _blank(namespace, name, zeros=False)
    return CimInstance(proper, blank | values, namespace)


def counters(name: str, values: dict[str, CimValue]) -> CimInstance:
    """An instance of a performance class: unmentioned counters are zero, as on a real host."""
    proper, blank = _blank(CIMV2, name, zeros=True)
    return CimInstance(proper, blank | values, CIMV2)


def text(instance: CimInstance, name: str) -> str:
    """A property as text; empty when null."""
    value = instance.values.get(name)
    return "" if value is None else str(value)


def number(instance: CimInstance, name: str) -> int:
    """A property as a number; zero when null or no number."""
    value = instance.values.get(name)
    return value if isinstance(value, int) else 0


def strings(instance: CimInstance, name: str) -> tuple[str, ...]:
    """An array property as texts; empty when null."""
    value = instance.values.get(name)
    return tuple(str(item) for item in value) if isinstance(value, tuple) else ()


def guid(random: Random) -> str:
    """A GUID as Hyper-V writes it: upper case, no braces."""
    return str(UUID(int=random.getrandbits(128), version=4)).upper()


def mac(random: Random) -> str:
    """An address from the pool that Hyper-V hands out dynamically."""
    return "00155D" + f"{random.getrandbits(24):06X}"


def when(moment: float) -> datetime:
    """Unix time as CIM time, to the microsecond."""
    return datetime.fromtimestamp(round(moment, 6), UTC)


def span(seconds: float) -> timedelta:
    return timedelta(seconds=max(0.0, round(seconds, 6)))


def object_path(host: str, ref: CimRef, namespace: str = VIRTUALIZATION) -> str:
    """A WMI object path as it stands in Parent and HostResource: backslashes doubled."""
    keys = ",".join(
        '{}="{}"'.format(key, value.replace("\\", "\\\\").replace('"', '\\"'))
        for key, value in ref.keys
    )
    home = (ref.namespace or namespace).replace("/", "\\")
    return f"\\\\{host}\\{home}:{ref.class_name}.{keys}"


def setting_path(host: str, instance: CimInstance) -> str:
    """The object path of an instance that is identified by InstanceID."""
    ref = CimRef(instance.class_name, (("InstanceID", text(instance, "InstanceID")),))
    return object_path(host, ref)


def setting_ref(instance: CimInstance) -> CimRef:
    """The reference of an instance that is identified by InstanceID."""
    key = (("InstanceID", text(instance, "InstanceID")),)
    return CimRef(instance.class_name, key, instance.namespace)


def system_ref(name: str, class_name: str = "Msvm_ComputerSystem") -> CimRef:
    return CimRef(class_name, (("CreationClassName", class_name), ("Name", name)), VIRTUALIZATION)


def device_ref(class_name: str, system: str, device: str) -> CimRef:
    keys = (
        ("CreationClassName", class_name),
        ("DeviceID", device),
        ("SystemCreationClassName", "Msvm_ComputerSystem"),
        ("SystemName", system),
    )
    return CimRef(class_name, keys, VIRTUALIZATION)

"""What a host tells of its abilities: templates of settings, their limits, supported versions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.sim import hardware, rules, shapes
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

MANAGEMENT = "Msvm_VirtualSystemManagementCapabilities"
ALLOCATION = "Msvm_AllocationCapabilities"
FEATURE = "Msvm_EthernetSwitchFeatureCapabilities"
SETTINGS_LINK = "Msvm_SettingsDefineCapabilities"
FEATURES_LINK = "Msvm_FeatureSettingsDefineCapabilities"
DEFAULT, SUPPORTED = 0, 3
"""ValueRole."""
POINT, LOWEST, HIGHEST, STEPS = 0, 1, 2, 3
"""ValueRange."""
RANGES = {"Minimum": LOWEST, "Maximum": HIGHEST, "Increment": STEPS}

VERSIONS: dict[str, str] = {
    "5.0": "Microsoft Windows 8.1/Server 2012 R2",
    "8.0": "Microsoft Windows 10 Anniversary/Server 2016",
    "9.0": "Microsoft Windows 10 October 2018 Update/Server 2019",
    "10.0": "Microsoft Windows Server 2022",
    "12.0": "Microsoft Windows Server 2025",
}
"""Configuration versions and what they are called."""


def furnish(host: SimHost) -> list[CimInstance]:
    """Everything of it that is stored: capabilities and templates. Links are computed."""
    return [
        *_allocations(host),
        *_limits(host),
        *_features(),
        *_versions(host),
        *_secure_boot(),
        shapes.new(
            "Msvm_VirtualEthernetSwitchManagementCapabilities",
            InstanceID="Microsoft:VirtualEthernetSwitchManagementCapabilities",
            ElementName="Virtual Ethernet Switch Management Capabilities",
            Caption="Virtual Ethernet Switch Management Capabilities",
            MaxElementNameLen=100,
            ElementNameEditSupported=True,
            IOVSupport=False,
            IOVSupportReasons=("The chipset on the system does not do DMA remapping.",),
        ),
    ]


def _defaults(host: SimHost) -> Iterator[CimInstance]:
    name = "CIM_ResourceAllocationSettingData"
    for item in host.repository.instances(shapes.VIRTUALIZATION, name):
        if shapes.text(item, "InstanceID").endswith("\\Default"):
            yield item


def _pool(item: CimInstance) -> str:
    return shapes.text(item, "InstanceID").split("\\")[1]


def _allocations(host: SimHost) -> list[CimInstance]:
    return [
        shapes.new(
            ALLOCATION,
            InstanceID=f"Microsoft:{_pool(item)}",
            ElementName=item.values["ElementName"],
            Caption="Allocation Capabilities",
            ResourceType=item.values["ResourceType"],
            ResourceSubType=item.values["ResourceSubType"],
            RequestTypesSupported=3,
            SharingMode=3,
            SupportedAddStates=(3,),
            SupportedRemoveStates=(3,),
        )
        for item in _defaults(host)
    ]


def _processor(count: int, share: int, weight: int) -> dict[str, CimValue]:
    return {"VirtualQuantity": count, "Reservation": share, "Limit": share, "Weight": weight}


def _memory(size: int, weight: int, buffer: int) -> dict[str, CimValue]:
    sizes: dict[str, CimValue] = dict.fromkeys(("VirtualQuantity", "Reservation", "Limit"), size)
    return sizes | {"Weight": weight, "TargetMemoryBuffer": buffer}


def _limits(host: SimHost) -> list[CimInstance]:
    """The smallest and largest processors and memory there can be, and their steps."""
    threads = hardware.logical_processors(host)
    numbers: dict[str, dict[str, dict[str, CimValue]]] = {
        rules.PROCESSOR: {
            "Minimum": _processor(1, 0, 1),
            "Maximum": _processor(threads, 100000, 10000),
            "Increment": _processor(1, 1, 1),
        },
        rules.MEMORY: {
            "Minimum": _memory(32, 0, 5),
            "Maximum": _memory(12 << 20, 10000, 2000),
            "Increment": _memory(2, 1, 1),
        },
    }
    found = []
    for item in _defaults(host):
        for word, values in numbers.get(item.class_name, {}).items():
            identity = f"Microsoft:Definition\\{_pool(item)}\\{word}"
            copy = {**item.values, **values, "InstanceID": identity}
            found.append(shapes.new(item.class_name, **copy))
    return found


def _features() -> list[CimInstance]:
    return [
        shapes.new(
            FEATURE,
            InstanceID=f"Microsoft:{feature}",
            FeatureId=feature,
            ElementName=shapes.FEATURE_DEFAULTS.get(name, {}).get("ElementName", name),
            Caption="Ethernet Switch Feature Capabilities",
            Applicability=1,
            Version="1.0",
        )
        for name, feature in shapes.FEATURES.items()
    ]


def _template(kind: str, word: str, name: str, words: str, **values: CimValue) -> CimInstance:
    return shapes.new(
        rules.SYSTEM,
        InstanceID=f"Microsoft:Definition\\{kind}\\{word}",
        ElementName=name,
        Caption="Virtual Machine Settings",
        Description=words,
        VirtualSystemType="Microsoft:Hyper-V:System:Definition",
        **values,
    )


def _versions(host: SimHost) -> list[CimInstance]:
    newest = float(host.system.configuration)
    return [
        _template("Version", version, words, words, Version=version)
        for version, words in VERSIONS.items()
        if float(version) <= newest
    ]


def _secure_boot() -> list[CimInstance]:
    return [
        _template("SecureBoot", identity, name, words, SecureBootTemplateId=identity)
        for identity, (name, words) in rules.TEMPLATES.items()
    ]


# -- links ---------------------------------------------------------------------------------


def _link(name: str, group: CimRef, part: CimInstance, role: int, span: int = POINT) -> CimInstance:
    more: dict[str, CimValue] = {"SupportStatement": 0} if name == SETTINGS_LINK else {}
    return shapes.new(
        name,
        GroupComponent=group,
        PartComponent=shapes.setting_ref(part),
        PropertyPolicy=0,
        ValueRole=role,
        ValueRange=span,
        **more,
    )


def _ref(class_name: str, identity: str) -> CimRef:
    return CimRef(class_name, (("InstanceID", identity),), shapes.VIRTUALIZATION)


def settings_links(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """Capabilities to templates, by role and range."""
    if ref is not None and not _about_definitions(ref):
        return
    name = "CIM_ResourceAllocationSettingData"
    for item in host.repository.instances(shapes.VIRTUALIZATION, name):
        place = shapes.text(item, "InstanceID")
        if not place.startswith("Microsoft:Definition\\"):
            continue
        span = RANGES.get(place.rpartition("\\")[2], POINT)
        group = _ref(ALLOCATION, f"Microsoft:{_pool(item)}")
        yield _link(SETTINGS_LINK, group, item, SUPPORTED if span else DEFAULT, span)
    group = _ref(MANAGEMENT, "Microsoft:VirtualSystemManagementCapabilities")
    for item in host.repository.instances(shapes.VIRTUALIZATION, rules.SYSTEM):
        if shapes.text(item, "InstanceID").startswith("Microsoft:Definition\\"):
            best = item.values["Version"] == host.system.configuration
            yield _link(SETTINGS_LINK, group, item, DEFAULT if best else SUPPORTED)


def feature_links(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    if ref is not None and not _about_definitions(ref):
        return
    for class_name, feature in shapes.FEATURES.items():
        part = _ref(class_name, f"Microsoft:Definition\\{feature}\\Default")
        item = host.repository.get(part)
        if item is not None:
            yield _link(FEATURES_LINK, _ref(FEATURE, f"Microsoft:{feature}"), item, DEFAULT)


def _about_definitions(ref: CimRef) -> bool:
    place = (ref.key("InstanceID") or "").lower()
    return ref.class_name.lower().endswith("capabilities") or "definition\\" in place


def install(host: SimHost) -> None:
    for item in furnish(host):
        host.repository.add(item)
    for name, source in ((SETTINGS_LINK, settings_links), (FEATURES_LINK, feature_links)):
        host.repository.provide(
            shapes.VIRTUALIZATION, name, partial(source, host), partial(source, host)
        )

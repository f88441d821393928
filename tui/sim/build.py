"""The settings of a virtual machine's devices, as a host would write them.

Identifiers are those of hyperv-cim.md 6.2; only settings are stored, what exists while a machine
runs is computed by ``devices``.
"""

from __future__ import annotations

from random import Random

from tui.sim import shapes
from tui.sim.plan import NicPlan
from tui.wsman.cim import CimInstance, CimValue

SUBTYPE = "Microsoft:Hyper-V:"
GUEST_SETTING = "Msvm_GuestCommunicationServiceSettingData"
GUEST_FILES = "5A0C2B6E-1D0F-4B7C-9B53-7A1C2F0D9E11"
"""The service below the guest service interface that takes files."""


def resource(
    class_name: str,
    instance_id: str,
    kind: int,
    subtype: str,
    name: str,
    **values: CimValue,
) -> CimInstance:
    """A resource setting with the fields that every one of them carries."""
    common: dict[str, CimValue] = {
        "InstanceID": instance_id,
        "ElementName": name,
        "Caption": name,
        "Description": f"Settings for the Microsoft {subtype or name}.",
        "ResourceType": kind,
        "ResourceSubType": SUBTYPE + subtype if subtype else None,
        "AllocationUnits": "count",
        "AutomaticAllocation": True,
        "AutomaticDeallocation": True,
        "ConsumerVisibility": 3,
        "Limit": 1,
        "PoolID": "",
        "Reservation": 1,
        "VirtualQuantity": 1,
        "VirtualQuantityUnits": "count",
        "Weight": 0,
    }
    return shapes.new(class_name, **(common | values))


def processor(prefix: str, count: int, *, nested: bool = False) -> CimInstance:
    return resource(
        "Msvm_ProcessorSettingData",
        f"{prefix}\\{shapes.PROCESSOR}",
        3,
        "Processor",
        "Processor",
        VirtualQuantity=count,
        Reservation=0,
        Limit=100000,
        Weight=100,
        AllocationUnits="percent / 1000",
        ExposeVirtualizationExtensions=nested,
        EnableHostResourceProtection=False,
        HideHypervisorPresent=False,
        HwThreadsPerCore=0,
        LimitCPUID=False,
        LimitProcessorFeatures=False,
        MaxNumaNodesPerSocket=1,
        MaxProcessorsPerNumaNode=max(count, 16),
        CpuGroupId="00000000-0000-0000-0000-000000000000",
    )


def memory(prefix: str, startup: int, minimum: int, maximum: int) -> CimInstance:
    dynamic = maximum > 0
    return resource(
        "Msvm_MemorySettingData",
        f"{prefix}\\{shapes.MEMORY}",
        4,
        "Memory",
        "Memory",
        AllocationUnits="byte * 2^20",
        VirtualQuantityUnits="byte * 2^20",
        VirtualQuantity=startup,
        Reservation=minimum if dynamic else startup,
        Limit=maximum if dynamic else 1048576,
        Weight=5000,
        DynamicMemoryEnabled=dynamic,
        TargetMemoryBuffer=20,
        IsVirtualized=True,
        HugePagesEnabled=False,
        SwapFilesInUse=False,
        SgxEnabled=False,
        MaxMemoryBlocksPerNumaNode=65536,
    )


def services(prefix: str) -> list[CimInstance]:
    """Settings of the integration services."""
    found = []
    for word, identifier, name, enabled in shapes.SERVICES:
        values: dict[str, CimValue] = {"EnabledState": 2 if enabled else 3}
        if word == "KvpExchange":
            values |= {"DisableHostKVPItems": False}
        if word == "GuestServiceInterface":
            values |= {"DefaultEnabledStatePolicy": 2}
        found.append(
            resource(
                f"Msvm_{word}ComponentSettingData",
                f"{prefix}\\{identifier}",
                1,
                "",
                name,
                **values,
            )
        )
    found.append(
        shapes.new(
            GUEST_SETTING,
            InstanceID=f"{prefix}\\{shapes.GUEST_SERVICES}\\{GUEST_FILES}",
            Name=GUEST_FILES,
            ElementName="Guest File Copy Service",
            Caption="Guest File Copy Service",
            EnabledStatePolicy=8,
        )
    )
    return found


def plain(
    prefix: str, suffix: str, kind: int, subtype: str, name: str, **v: CimValue
) -> CimInstance:
    class_name = "Msvm_ResourceAllocationSettingData"
    return resource(class_name, f"{prefix}\\{suffix}", kind, subtype, name, **v)


def consoles(prefix: str, generation: int) -> list[CimInstance]:
    """Keyboard, mouse, display and serial ports."""
    display = resource(
        "Msvm_SyntheticDisplayControllerSettingData",
        f"{prefix}\\{shapes.DISPLAY}",
        24,
        "Synthetic Display Controller",
        "Display Controller",
        ResolutionType=4,
        HorizontalResolution=1920,
        VerticalResolution=1080,
    )
    found = [
        plain(prefix, shapes.KEYBOARD, 13, "Synthetic Keyboard", "Keyboard"),
        plain(prefix, shapes.MOUSE, 13, "Synthetic Mouse", "Mouse"),
        display,
    ]
    found += [
        resource(
            "Msvm_SerialPortSettingData",
            f"{prefix}\\{shapes.SERIAL}\\{index}",
            21,
            "Serial Port",
            f"COM {index + 1}",
            Connection=("",),
            DebuggerMode=False,
        )
        for index in range(2)
    ]
    if generation == 1:
        floppy = f"{shapes.DISKETTE}\\0\\0\\D"
        found.append(plain(prefix, floppy, 14, "Synthetic Diskette Drive", "Diskette Drive"))
    return found


def ide_controllers(prefix: str) -> list[CimInstance]:
    return [
        plain(
            prefix,
            f"{shapes.IDE}\\{index}",
            5,
            "Emulated IDE Controller",
            f"IDE Controller {index}",
            Address=str(index),
        )
        for index in range(2)
    ]


def scsi_controller(prefix: str, random: Random) -> CimInstance:
    name = f"{shapes.guid(random)}\\0"
    return plain(
        prefix,
        name,
        6,
        "Synthetic SCSI Controller",
        "SCSI Controller",
        VirtualSystemIdentifiers=("{" + shapes.guid(random) + "}",),
    )


def drive(
    host: str, controller: CimInstance, slot: int, *, dvd: bool = False, physical: bool = False
) -> CimInstance:
    """An empty drive on a controller."""
    place = shapes.text(controller, "InstanceID")
    word = "Synthetic DVD Drive" if dvd else "Synthetic Disk Drive"
    return resource(
        "Msvm_ResourceAllocationSettingData",
        f"{place}\\{slot}\\D",
        16 if dvd else 17,
        "Physical Disk Drive" if physical else word,
        "DVD Drive" if dvd else "Hard Drive",
        Parent=shapes.setting_path(host, controller),
        AddressOnParent=str(slot),
    )


def image(host: str, holder: CimInstance, path: str, *, iso: bool = False) -> CimInstance:
    """The image in a drive."""
    place = shapes.text(holder, "InstanceID")
    return resource(
        "Msvm_StorageAllocationSettingData",
        place.removesuffix("\\D") + "\\L",
        31,
        "Virtual CD/DVD Disk" if iso else "Virtual Hard Disk",
        "ISO Disk Image" if iso else "Hard Disk Image",
        Parent=shapes.setting_path(host, holder),
        HostResource=(path,),
        Access=1 if iso else 3,
        CachingMode=0,
        IOPSAllocationUnits="8 KB",
        IOPSLimit=0,
        IOPSReservation=0,
        IgnoreFlushes=False,
        PersistentReservationsSupported=False,
        StorageQoSPolicyID="",
        WriteHardeningMethod=0,
        VirtualResourceBlockSize=2048 if iso else 512,
        HostResourceBlockSize=512,
    )


def adapter(prefix: str, random: Random, plan: NicPlan) -> CimInstance:
    word = "Emulated" if plan.legacy else "Synthetic"
    tail = "\\0" if plan.legacy else ""
    values: dict[str, CimValue] = {"ClusterMonitored": True, "StaticMacAddress": plan.static}
    if not plan.legacy:
        values |= {
            "DeviceNamingEnabled": False,
            "AllowPacketDirect": False,
            "NumaAwarePlacement": False,
            "InterruptModeration": False,
            "VirtualSystemIdentifiers": ("{" + shapes.guid(random) + "}",),
        }
    return resource(
        f"Msvm_{word}EthernetPortSettingData",
        f"{prefix}\\{shapes.guid(random)}{tail}",
        10,
        f"{word} Ethernet Port",
        plan.name,
        Address=shapes.mac(random),
        **values,
    )


def connection(host: str, nic: CimInstance, switch: CimInstance | None) -> CimInstance:
    """The port allocation of an adapter; without a switch it is disconnected."""
    path = (
        ""
        if switch is None
        else shapes.object_path(
            host, shapes.system_ref(shapes.text(switch, "Name"), "Msvm_VirtualEthernetSwitch")
        )
    )
    return resource(
        "Msvm_EthernetPortAllocationSettingData",
        shapes.text(nic, "InstanceID") + "\\C",
        33,
        "Ethernet Connection",
        "Dynamic Ethernet Switch Port",
        Parent=shapes.setting_path(host, nic),
        HostResource=(path,) if path else None,
        EnabledState=2 if path else 3,
        LastKnownSwitchName=shapes.text(switch, "ElementName") if switch else "",
        TestReplicaPoolID="",
        TestReplicaSwitchName="",
    )


def feature(port: CimInstance, class_name: str, name: str, **values: CimValue) -> CimInstance:
    """A setting of a switch port, below its port allocation."""
    return shapes.new(
        class_name,
        InstanceID=f"{shapes.text(port, 'InstanceID')}\\{shapes.FEATURES[class_name]}",
        ElementName=name,
        Caption=name,
        Description=name,
        **values,
    )


def vlan(port: CimInstance, access: int, trunk: tuple[int, ...] = ()) -> CimInstance:
    values: dict[str, CimValue] = {"OperationMode": 1, "AccessVlanId": access, "NativeVlanId": 0}
    if trunk:
        values = {
            "OperationMode": 2,
            "AccessVlanId": 0,
            "NativeVlanId": access,
            "TrunkVlanIdArray": trunk,
        }
    return feature(
        port,
        "Msvm_EthernetSwitchPortVlanSettingData",
        "Ethernet Switch Port VLAN Settings",
        PrimaryVlanId=0,
        SecondaryVlanId=0,
        PvlanMode=0,
        **values,
    )


def port_features(port: CimInstance, plan: NicPlan) -> list[CimInstance]:
    found = []
    if plan.vlan or plan.trunk:
        found.append(vlan(port, plan.vlan, plan.trunk))
    if plan.spoofing or plan.guards:
        found.append(
            feature(
                port,
                "Msvm_EthernetSwitchPortSecuritySettingData",
                "Ethernet Switch Port Security Settings",
                AllowMacSpoofing=plan.spoofing,
                EnableDhcpGuard=plan.guards,
                EnableRouterGuard=plan.guards,
                AllowIeeePriorityTag=False,
                AllowTeaming=False,
                MonitorMode=0,
                StormLimit=0,
                VirtualSubnetId=0,
            )
        )
    if plan.limit:
        found.append(
            feature(
                port,
                "Msvm_EthernetSwitchPortBandwidthSettingData",
                "Ethernet Switch Port Bandwidth Settings",
                Limit=plan.limit,
                Reservation=0,
                Weight=0,
                BurstLimit=plan.limit,
                BurstSize=plan.limit // 80,
            )
        )
    return found


def security(prefix: str, *, tpm: bool) -> CimInstance:
    return shapes.new(
        "Msvm_SecuritySettingData",
        InstanceID=f"{prefix}\\{shapes.SECURITY}",
        ElementName="Security Settings",
        Caption="Security Settings",
        Description="Settings for the security of a virtual machine.",
        TpmEnabled=tpm,
        KsdEnabled=False,
        ShieldingRequested=False,
        EncryptStateAndVmMigrationTraffic=tpm,
        DataProtectionRequested=False,
        VirtualizationBasedSecurityOptOut=False,
        BindToHostTpm=False,
    )


def boot_source(device: CimInstance, kind: int, words: str, path: str) -> CimInstance:
    return shapes.new(
        "Msvm_BootSourceSettingData",
        InstanceID=shapes.text(device, "InstanceID") + "\\B",
        ElementName="Boot Source",
        Caption="Boot Source",
        BootSourceDescription=words,
        BootSourceType=kind,
        FirmwareDevicePath=path,
    )

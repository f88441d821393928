"""What a host is apart from its machines: Windows, hardware, Hyper-V services, default settings."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tui.sim import build, network, processors, replica_info, shapes
from tui.sim.plan import NicPlan
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

MB = 1 << 20
HEALTHY: dict[str, CimValue] = {
    "HealthState": 5,
    "OperationalStatus": (2,),
    "StatusDescriptions": ("Operating normally",),
    "Status": "OK",
}


def furnish(host: SimHost) -> None:
    """Put everything on a host that does not move by itself."""
    random = host.fabric.random(host.name, "hardware")
    for item in (
        *_virtualization(host),
        *_defaults(host, random),
        *_computer(host, random),
        *_socket_links(host),
        *_windows_services(host),
    ):
        host.repository.add(item)
    network.furnish(host, random)


def booted(host: SimHost) -> float:
    """Seconds it had been up when the fabric began; less than none when it was started later."""
    if host.restarted:
        return host.fabric.origin - host.restarted
    return host.fabric.random(host.name, "boot").uniform(0.6, 1.0) * host.plan.uptime


def logical_processors(host: SimHost) -> int:
    if host.plan.local:
        from tui.sim import local  # psutil is needed for this host only

        return local.processors()
    return host.plan.sockets * host.plan.cores * 2


def physical_memory(host: SimHost) -> int:
    """Bytes."""
    if host.plan.local:
        from tui.sim import local  # psutil is needed for this host only

        return local.memory_total()
    return host.plan.memory * MB


# -- root/virtualization/v2 ----------------------------------------------------------------


def service(host: SimHost, class_name: str, name: str, words: str) -> CimInstance:
    """One of the singletons a role installs."""
    return shapes.new(
        class_name,
        **HEALTHY
        | {
            "CreationClassName": class_name,
            "Name": name,
            "ElementName": words,
            "Caption": words,
            "Description": f"Service: {words}",
            "SystemCreationClassName": "Msvm_ComputerSystem",
            "SystemName": host.name,
            "EnabledState": 5,
            "EnabledDefault": 2,
            "RequestedState": 12,
            "Started": True,
            "StartMode": "Automatic",
        },
    )


def _virtualization(host: SimHost) -> list[CimInstance]:
    german = host.plan.os == "german"
    system = shapes.new(
        "Msvm_ComputerSystem",
        **HEALTHY
        | {
            "CreationClassName": "Msvm_ComputerSystem",
            "Name": host.name,
            "ElementName": host.name,
            "Caption": "Hostcomputersystem" if german else "Hosting Computer System",
            "Description": "Microsoft-Hostcomputersystem"
            if german
            else "Microsoft Hosting Computer System",
            "StatusDescriptions": ("Normaler Betrieb" if german else "Operating normally",),
            "EnabledState": 2,
            "EnabledDefault": 2,
            "RequestedState": 12,
            "ResetCapability": 1,
            "NumberOfNumaNodes": host.plan.sockets,
            "EnhancedSessionModeState": 3,
            "TimeOfLastConfigurationChange": shapes.ZERO_TIME,
            "TimeOfLastStateChange": shapes.ZERO_TIME,
        },
    )
    services = (
        ("VirtualSystemManagementService", "vmms", "Hyper-V Virtual System Management Service"),
        ("VirtualSystemSnapshotService", "vssnap", "Hyper-V Virtual System Snapshot Service"),
        ("VirtualEthernetSwitchManagementService", "nvspwmi", "Hyper-V Networking Management"),
        ("ImageManagementService", "vhdsvc", "Hyper-V Image Management Service"),
        ("ReplicationService", "replicasvc", "Hyper-V Replication Service"),
        ("SecurityService", "securitysvc", "Hyper-V Security Service"),
        ("CollectionManagementService", "collectionsvc", "Hyper-V Collection Management"),
    )
    found = [system]
    found += [service(host, f"Msvm_{word}", name, words) for word, name, words in services]
    return [*found, *_service_settings(host), *replica_info.furniture(host), *_numa(host)]


def _service_settings(host: SimHost) -> list[CimInstance]:
    tail = f"{(20 + host.site) % 256:02X}"
    newest = host.system.build >= "26100"
    management = shapes.new(
        "Msvm_VirtualSystemManagementServiceSettingData",
        InstanceID=f"Microsoft:{host.name}",
        ElementName="Hyper-V Virtual System Management Service",
        Caption="Hyper-V Virtual System Management Service",
        Description="Settings for the virtual system management service.",
        DefaultExternalDataRoot=host.plan.store,
        DefaultVirtualHardDiskPath=(
            f"{host.plan.store}\\Virtual Hard Disks" if not host.plan.cluster else host.plan.store
        ),
        DefaultVirtualHardDiskCachingMode=0,
        MinimumMacAddress=host.plan.pool[0] or f"00155D{tail}0000",
        MaximumMacAddress=host.plan.pool[1] or f"00155D{tail}FFFF",
        MinimumWWPNAddress="C003FF0000000000",
        MaximumWWPNAddress="C003FF000000FFFF",
        CurrentWWNNAddress="C003FF0000FFFF00",
        NumaSpanningEnabled=True,
        EnhancedSessionModeEnabled=host.plan.os == "w11" or newest,
        HypervisorRootSchedulerEnabled=host.plan.os == "w11",
        HbaLunTimeout=5,
        BiosLockString="",
        PrimaryOwnerName="Administrators",
        PrimaryOwnerContact="",
    )
    migration = shapes.new(
        "Msvm_VirtualSystemMigrationServiceSettingData",
        InstanceID=f"Microsoft:{host.name}\\Migration",
        ElementName="Hyper-V Migration Service",
        Caption="Hyper-V Migration Service",
        Description="Settings for the migration service.",
        AuthenticationType=host.plan.authentication if host.plan.domain else 0,
        EnableCompression=True,
        EnableSmbTransport=False,
        EnableVirtualSystemMigration=(
            bool(host.plan.domain) and host.plan.migrates and not host.plan.local
        ),
        MaximumActiveStorageMigration=host.plan.moves,
        MaximumActiveVirtualSystemMigration=host.plan.moves,
    )
    capabilities = shapes.new(
        "Msvm_VirtualSystemManagementCapabilities",
        InstanceID="Microsoft:VirtualSystemManagementCapabilities",
        ElementName="Virtual System Management Capabilities",
        Caption="Virtual System Management Capabilities",
        ElementNameEditSupported=True,
        MaxElementNameLen=100,
        VirtualSystemTypesSupported=(
            "Microsoft:Hyper-V:SubType:1",
            "Microsoft:Hyper-V:SubType:2",
        ),
        AsynchronousMethodsSupported=(1, 2, 3, 4, 5, 6),
    )
    return [management, migration, capabilities]


def _numa(host: SimHost) -> list[CimInstance]:
    nodes = host.plan.sockets if not host.plan.local else 1
    processors = logical_processors(host)
    return [
        shapes.new(
            "Msvm_NumaNode",
            **HEALTHY
            | {
                "CreationClassName": "Msvm_NumaNode",
                "NodeID": f"Microsoft:PhysicalNode\\{index}",
                "ElementName": f"Physical Node {index}",
                "Caption": "NUMA Node",
                "SystemCreationClassName": "Msvm_ComputerSystem",
                "SystemName": host.name,
                "NumberOfLogicalProcessors": processors // nodes,
                "NumberOfProcessorCores": max(1, processors // nodes // 2),
                "CurrentlyConsumableMemoryBlocks": physical_memory(host) // MB // nodes,
                "CurrentlyAssignedVirtualProcessors": 0,
                "EnabledState": 2,
            },
        )
        for index in range(nodes)
    ]


def _defaults(host: SimHost, random: Random) -> list[CimInstance]:
    """The templates a client may start from: InstanceID ends in ``\\Default``."""
    pool = {
        "Msvm_MemorySettingData": "4764334E-E001-4176-82EE-5594EC9B530E",
        "Msvm_ProcessorSettingData": "B637F347-6A0E-4DEC-AF52-BD70CB80A21D",
        "Msvm_SyntheticEthernetPortSettingData": "6A45335D-4C3A-44B7-B61F-C9808BBDF8ED",
        "Msvm_EmulatedEthernetPortSettingData": "72027ECE-E44A-446E-AF2B-8D8C4B8A2279",
        "Msvm_EthernetPortAllocationSettingData": "72027ECE-E44A-446E-AF2B-8D8C4B8A2280",
        "Msvm_StorageAllocationSettingData": "70BB60D2-A9D3-46AA-B654-3DE53004B4F8",
        "17": "118C3BE5-0D31-4804-85F0-5C6074ABEA8F",
        "16": "7951A5ED-8DC5-42D7-AA8C-9F14C54CEB84",
        "6": "BDE5D4D6-E450-46D2-B925-976CA3E989B4",
    }
    nic = build.adapter("x", random, NicPlan())
    legacy = build.adapter("x", random, NicPlan(legacy=True))
    scsi = build.scsi_controller("x", random)
    disk, dvd = build.drive(".", scsi, 0), build.drive(".", scsi, 0, dvd=True)
    samples = [
        build.processor("x", 1),
        build.memory("x", 1024, 512, 0),
        nic,
        legacy,
        build.connection(".", nic, None),
        scsi,
        disk,
        dvd,
        build.image(".", disk, ""),
    ]
    for item in samples:
        kind = str(item.values["ResourceType"])
        root = pool.get(item.class_name) or pool[kind]
        item.values["InstanceID"] = f"Microsoft:Definition\\{root}\\Default"
        item.values["Parent"] = None
        item.values["HostResource"] = None
        if "Address" in item.values:
            item.values["Address"] = "" if "Ethernet" in item.class_name else None
    for word, count in (("Maximum", 240), ("Minimum", 1), ("Increment", 1)):
        limit = build.processor("x", count)
        root = pool[limit.class_name]
        limit.values["InstanceID"] = f"Microsoft:Definition\\{root}\\{word}"
        samples.append(limit)
    for class_name, feature in shapes.FEATURES.items():
        samples.append(
            shapes.new(
                class_name,
                **{"ElementName": class_name.removeprefix("Msvm_").removesuffix("SettingData")}
                | shapes.FEATURE_DEFAULTS.get(class_name, {})
                | {"InstanceID": f"Microsoft:Definition\\{feature}\\Default"},
            )
        )
    return samples


# -- root/cimv2 ----------------------------------------------------------------------------


def _computer(host: SimHost, random: Random) -> list[CimInstance]:
    plan = host.plan
    serial = f"{random.getrandbits(36):07X}"[:7]
    joined = bool(plan.domain)
    system = shapes.new(
        "Win32_ComputerSystem",
        shapes.CIMV2,
        CreationClassName="Win32_ComputerSystem",
        Name=host.name,
        Caption=host.name,
        Description="AT/AT COMPATIBLE",
        DNSHostName=host.name,
        Domain=plan.domain or "WORKGROUP",
        PartOfDomain=joined,
        Workgroup=None if joined else "WORKGROUP",
        DomainRole=3 if joined else (0 if plan.os == "w11" else 2),
        Manufacturer=plan.vendor,
        Model=plan.model,
        SystemFamily=plan.model.split()[0],
        NumberOfProcessors=plan.sockets,
        NumberOfLogicalProcessors=logical_processors(host),
        TotalPhysicalMemory=physical_memory(host),
        HypervisorPresent=True,
        SystemType="x64-based PC",
        PCSystemType=1 if plan.os == "w11" else 4,
        Status="OK",
        BootupState="Normal boot",
        CurrentTimeZone=60,
        Roles=("LM_Workstation", "LM_Server", "NT"),
        PrimaryOwnerName="Windows User",
    )
    product = shapes.new(
        "Win32_ComputerSystemProduct",
        shapes.CIMV2,
        Name=plan.model,
        Caption="Computer System Product",
        Description="Computer System Product",
        IdentifyingNumber=serial,
        UUID=shapes.guid(random),
        Vendor=plan.vendor,
        Version="",
    )
    bios = shapes.new(
        "Win32_BIOS",
        shapes.CIMV2,
        Name="2.14.1",
        Caption="2.14.1",
        SMBIOSBIOSVersion="2.14.1",
        Manufacturer=plan.vendor,
        SerialNumber=serial,
        SoftwareElementID="2.14.1",
        SoftwareElementState=3,
        TargetOperatingSystem=0,
        Version="DELL - 1",
        PrimaryBIOS=True,
        Status="OK",
    )
    return [system, product, bios, *_sockets(host)]


def _socket_links(host: SimHost) -> list[CimInstance]:
    """From the computer to its sockets, the way libvirt looks for them."""
    computer = CimRef("Win32_ComputerSystem", (("Name", host.name),), shapes.CIMV2)
    return [
        shapes.new(
            "Win32_ComputerSystemProcessor",
            shapes.CIMV2,
            GroupComponent=computer,
            PartComponent=CimRef("Win32_Processor", (("DeviceID", f"CPU{n}"),), shapes.CIMV2),
        )
        for n in range(host.plan.sockets)
    ]


def _sockets(host: SimHost) -> list[CimInstance]:
    plan = host.plan
    threads = logical_processors(host) // plan.sockets
    return [
        shapes.new(
            "Win32_Processor",
            shapes.CIMV2,
            CreationClassName="Win32_Processor",
            DeviceID=f"CPU{index}",
            Name=plan.processor,
            Caption="Intel64 Family 6 Model 106 Stepping 6",
            Description="Intel64 Family 6 Model 106 Stepping 6",
            Manufacturer=processors.vendor(plan.processor),
            NumberOfCores=max(1, threads // 2),
            NumberOfEnabledCore=max(1, threads // 2),
            NumberOfLogicalProcessors=threads,
            ThreadCount=threads,
            MaxClockSpeed=plan.clock,
            CurrentClockSpeed=plan.clock,
            L2CacheSize=1280 * max(1, threads // 2),
            L3CacheSize=49152,
            SocketDesignation=f"CPU{index + 1}",
            ProcessorId="BFEBFBFF000606A6",
            Architecture="9",
            AddressWidth=64,
            DataWidth=64,
            Role="CPU",
            Status="OK",
            SystemName=host.name,
            SystemCreationClassName="Win32_ComputerSystem",
            VirtualizationFirmwareEnabled=False,
            SecondLevelAddressTranslationExtensions=False,
            VMMonitorModeExtensions=False,
        )
        for index in range(plan.sockets)
    ]


def _windows_services(host: SimHost) -> list[CimInstance]:
    known = [
        ("vmms", "Hyper-V Virtual Machine Management", "vmms.exe"),
        ("vmcompute", "Hyper-V Host Compute Service", "vmcompute.exe"),
        ("WinRM", "Windows Remote Management (WS-Management)", "svchost.exe -k NetworkService"),
        ("W32Time", "Windows Time", "svchost.exe -k LocalService"),
        ("LanmanServer", "Server", "svchost.exe -k smbsvcs"),
    ]
    if host.plan.cluster:
        known.append(("clussvc", "Cluster Service", "clussvc.exe -s"))
    return [
        shapes.new(
            "Win32_Service",
            shapes.CIMV2,
            CreationClassName="Win32_Service",
            Name=name,
            Caption=words,
            DisplayName=words,
            Description=words,
            PathName=f"C:\\Windows\\System32\\{path}",
            State="Running",
            Started=True,
            StartMode="Auto",
            StartName="LocalSystem",
            Status="OK",
            AcceptStop=True,
            AcceptPause=False,
            ServiceType="Own Process",
            ProcessId=1200 + 4 * index,
            SystemName=host.name,
            SystemCreationClassName="Win32_ComputerSystem",
            ErrorControl="Normal",
            ExitCode=0,
        )
        for index, (name, words, path) in enumerate(known)
    ]

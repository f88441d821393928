"""Windows classes of a host whose values move: operating system, volumes, drives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zlib import crc32

from tui.sim import counters, hardware, shapes
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.world import SimHost

DAY = 86400.0


def operating_system(host: SimHost) -> Iterator[CimInstance]:
    now = host.fabric.now()
    system = host.system
    total = hardware.physical_memory(host)
    free = counters.free_memory(host, now)
    german = host.plan.os == "german"
    boot = host.fabric.origin - hardware.booted(host)
    yield shapes.new(
        "Win32_OperatingSystem",
        shapes.CIMV2,
        CreationClassName="Win32_OperatingSystem",
        CSCreationClassName="Win32_ComputerSystem",
        CSName=host.name,
        Name=f"{system.caption}|C:\\Windows|\\Device\\Harddisk0\\Partition3",
        Caption=system.caption,
        Version=system.version,
        BuildNumber=system.build,
        BuildType="Multiprocessor Free",
        OSArchitecture="64-Bit" if german else "64-bit",
        OperatingSystemSKU=system.sku,
        ProductType=1 if host.plan.os == "w11" else 3,
        OSType=18,
        OSLanguage=1031 if german else 1033,
        Locale="0407" if german else "0409",
        MUILanguages=("de-DE" if german else "en-US",),
        CountryCode="49" if german else "1",
        CodeSet="1252",
        CurrentTimeZone=60,
        InstallDate=shapes.when(boot - 300 * DAY),
        LastBootUpTime=shapes.when(boot),
        LocalDateTime=shapes.when(now),
        TotalVisibleMemorySize=total >> 10,
        FreePhysicalMemory=free >> 10,
        TotalVirtualMemorySize=(total + (total >> 3)) >> 10,
        FreeVirtualMemory=(free + (total >> 3)) >> 10,
        SizeStoredInPagingFiles=total >> 13,
        FreeSpaceInPagingFiles=total >> 13,
        NumberOfProcesses=140 + 2 * len(counters.running(host)),
        NumberOfUsers=1,
        MaxNumberOfProcesses=4294967295,
        Manufacturer="Microsoft Corporation",
        Organization="",
        RegisteredUser="Windows User",
        SerialNumber="00454-60000-00001-AA000",
        SystemDevice="\\Device\\HarddiskVolume3",
        SystemDirectory="C:\\Windows\\system32",
        SystemDrive="C:",
        WindowsDirectory="C:\\Windows",
        Primary=True,
        Status="OK",
        Debug=False,
    )


def volumes(host: SimHost) -> Iterator[CimInstance]:
    random = host.fabric.random(host.name, "volumes")
    for plan in host.plan.volumes:
        identity = shapes.guid(random).lower()
        capacity, free = host.files.space(plan)
        letter = plan.name[:2] if len(plan.name) == 3 else None
        yield shapes.new(
            "Win32_Volume",
            shapes.CIMV2,
            CreationClassName="Win32_Volume",
            DeviceID=f"\\\\?\\Volume{{{identity}}}\\",
            Name=plan.name,
            Caption=plan.name,
            Label=plan.label,
            DriveLetter=letter,
            DriveType=3,
            FileSystem="CSVFS" if "ClusterStorage" in plan.name else "NTFS",
            Capacity=capacity,
            FreeSpace=free,
            BlockSize=4096,
            BootVolume=letter == "C:",
            SystemVolume=False,
            PageFilePresent=letter == "C:",
            SerialNumber=crc32(identity.encode()),
            SystemName=host.name,
            SystemCreationClassName="Win32_ComputerSystem",
            Automount=True,
            Compressed=False,
            DirtyBitSet=False,
            IndexingEnabled=True,
            MaximumFileNameLength=255,
        )


def drives(host: SimHost) -> Iterator[CimInstance]:
    for plan in host.plan.volumes:
        if len(plan.name) != 3:
            continue
        capacity, free = host.files.space(plan)
        yield shapes.new(
            "Win32_LogicalDisk",
            shapes.CIMV2,
            CreationClassName="Win32_LogicalDisk",
            DeviceID=plan.name[:2],
            Name=plan.name[:2],
            Caption=plan.name[:2],
            Description="Local Fixed Disk",
            DriveType=3,
            MediaType=12,
            FileSystem="NTFS",
            Size=capacity,
            FreeSpace=free,
            VolumeName=plan.label,
            VolumeSerialNumber=f"{crc32(plan.name.encode()):08X}",
            SystemName=host.name,
            SystemCreationClassName="Win32_ComputerSystem",
            MaximumComponentLength=255,
            Compressed=False,
        )

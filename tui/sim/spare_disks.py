"""Physical disks of a host that are offline, so that machines may have them (hyperv-cim.md 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.sim.files import GIB
from tui.sim.outcome import IN_USE, INVALID, Call, Stop
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

CLASS = "Msvm_DiskDrive"
POOL = "118C3BE5-0D31-4804-85F0-5C6074ABEA8F"


def drives(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_DiskDrive: one for each."""
    for number, model, size in host.plan.spare_disks:
        yield shapes.new(
            CLASS,
            CreationClassName=CLASS,
            DeviceID=f"Microsoft:{POOL}\\{number}",
            SystemCreationClassName="Msvm_ComputerSystem",
            SystemName=host.name,
            Caption="Hard Drive",
            Description="Microsoft Hard Drive",
            ElementName=f"Disk {number} {size}.00 GB Bus 0 Lun {number} Target 0",
            Name=model,
            DriveNumber=number,
            MaxMediaSize=size * GIB >> 10,
            DefaultBlockSize=512,
            EnabledState=2,
            RequestedState=12,
            HealthState=5,
            OperationalStatus=(2,),
            StatusDescriptions=("OK",),
            Status="OK",
        )


def ref(host: SimHost, number: int) -> CimRef:
    return shapes.device_ref(CLASS, host.name, f"Microsoft:{POOL}\\{number}")


def check(call: Call, paths: CimValue) -> None:
    """A drive passes one offline disk through, and a disk goes into one drive only."""
    if not isinstance(paths, tuple) or len(paths) != 1:
        raise Stop(INVALID)
    found = call.object(paths[0])
    if found.class_name != CLASS:
        raise Stop(INVALID)
    wanted = shapes.text(found, "DeviceID")
    for machine in call.host.machines.values():
        for item in machine.current.of("Msvm_ResourceAllocationSettingData"):
            for path in shapes.strings(item, "HostResource"):
                if CLASS in path and wanted in path.replace("\\\\", "\\").replace('"', "\0") + "\0":
                    raise Stop(IN_USE)

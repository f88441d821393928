"""Disk images of a simulated host, asked for as a client would: over bytes, by plain queries."""

from __future__ import annotations

from tests.sim_kit import CIMV2, V2, Bench, embedded, path_of, settings_of, word
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.embedded import from_text
from tui.wsman.reply import MethodOutput

IMAGES = "Msvm_ImageManagementService"
SETTINGS = "Msvm_VirtualHardDiskSettingData"
DISK = "Msvm_StorageAllocationSettingData"
DEVICE = "Msvm_ResourceAllocationSettingData"
GIB = 1 << 30
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4


def image(world: Bench, method: str, **parameters: CimValue) -> MethodOutput:
    return world.call(IMAGES, method, **parameters)


def create(world: Bench, path: str, size: int = 10 * GIB, **more: CimValue) -> MethodOutput:
    values: dict[str, CimValue] = {"Path": path, "Type": DYNAMIC, "MaxInternalSize": size}
    return image(
        world, "CreateVirtualHardDisk", VirtualDiskSettingData=embedded(SETTINGS, **values | more)
    )


def made(world: Bench, path: str, size: int = 10 * GIB, **more: CimValue) -> str:
    """A path where there is an image now."""
    ended(world, create(world, path, size, **more))
    return path


def end(world: Bench, output: MethodOutput) -> CimInstance:
    """A job at its end, however long that takes: it can be read for five minutes more."""
    job = world.finish(output, 1.0)
    for _ in range(200):
        if int(str(job["JobState"])) >= 7:
            break
        job = world.finish(output, 30.0)
    return job


def ended(world: Bench, output: MethodOutput) -> CimInstance:
    """A job that has ended well."""
    job = end(world, output)
    assert job["JobState"] == 7, job["ErrorDescription"]
    return job


def failed(world: Bench, output: MethodOutput, code: int = 32768, number: str = "") -> str:
    """What a job says that has ended badly, with this code and this HRESULT in its words."""
    job = end(world, output)
    assert (job["JobState"], job["ErrorCode"]) == (10, code)
    assert number in word(job["ErrorDescription"])
    return word(job["ErrorDescription"])


def of_image(world: Bench, path: str) -> CimInstance:
    output = image(world, "GetVirtualHardDiskSettingData", Path=path)
    assert output.return_value == 0
    return from_text(word(output.values["SettingData"]), V2)


def state_of(world: Bench, path: str) -> CimInstance:
    output = image(world, "GetVirtualHardDiskState", Path=path)
    assert output.return_value == 0
    return from_text(word(output.values["State"]), V2)


def file_at(world: Bench, path: str, class_name: str = "CIM_DataFile") -> CimInstance | None:
    """A file of the host, found by its exact path."""
    quoted = path.replace("\\", "\\\\")
    found = world.client.query(CIMV2, f"SELECT * FROM {class_name} WHERE Name = '{quoted}'")
    assert len(found) <= 1
    return found[0] if found else None


def size_of(world: Bench, path: str) -> int:
    file = file_at(world, path)
    assert file is not None, path
    return int(str(file["FileSize"]))


def delete(world: Bench, path: str, class_name: str = "CIM_DataFile") -> CimValue:
    ref = CimRef(class_name, (("Name", path),), CIMV2)
    return world.client.invoke(ref, "Delete").return_value


def free(world: Bench, letter: str = "D:") -> int:
    query = f"SELECT FreeSpace FROM Win32_LogicalDisk WHERE DeviceID = '{letter}'"
    return int(str(world.client.query(CIMV2, query)[0]["FreeSpace"]))


def paths(world: Bench, name: str) -> list[str]:
    """The images in a machine's drives."""
    return [word(v) for item in world.of(name, DISK) for v in _many(item["HostResource"])]


def _many(value: CimValue) -> tuple[CimValue, ...]:
    assert isinstance(value, tuple)
    return value


def add(world: Bench, name: str, *texts: str) -> MethodOutput:
    return world.call(
        "Msvm_VirtualSystemManagementService",
        "AddResourceSettings",
        AffectedConfiguration=settings_of(word(world.vm(name)["Name"])),
        ResourceSettings=texts,
    )


def controller(world: Bench, name: str, kind: int = 6) -> CimInstance:
    return next(r for r in world.of(name, DEVICE) if r["ResourceType"] == kind)


def new_drive(world: Bench, name: str, slot: int, kind: int = 6) -> CimInstance:
    """An empty disk drive on a machine's controller of a kind."""
    parent = controller(world, name, kind)
    text = embedded(
        DEVICE,
        ResourceType=17,
        ResourceSubType="Microsoft:Hyper-V:Synthetic Disk Drive",
        Parent=path_of(parent),
        AddressOnParent=str(slot),
    )
    output = add(world, name, text)
    if output.return_value == 4096:
        ended(world, output)
    tail = f"\\{slot}\\D".lower()
    prefix = word(parent["InstanceID"]).lower()
    drives = (d for d in world.of(name, DEVICE) if d["ResourceType"] == 17)
    return next(d for d in drives if word(d["InstanceID"]).lower() == prefix + tail)


def media(drive: CimInstance, path: str, **more: CimValue) -> str:
    """A disk image to be put into a drive."""
    return embedded(
        DISK,
        ResourceType=31,
        ResourceSubType="Microsoft:Hyper-V:Virtual Hard Disk",
        Parent=path_of(drive),
        HostResource=(path,),
        **more,
    )


def attach(world: Bench, name: str, path: str, slot: int = 20, kind: int = 6) -> CimInstance:
    """Put an image on a free slot of a machine; the drive."""
    drive = new_drive(world, name, slot, kind)
    output = add(world, name, media(drive, path))
    if output.return_value == 4096:
        ended(world, output)
    assert path in paths(world, name)
    return drive

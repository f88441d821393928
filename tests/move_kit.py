"""Migrations of the scene ``migration``, asked for as a client would."""

from __future__ import annotations

from typing import Any

from tests.sim_kit import V2, Bench, bench, embedded, word
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.embedded import from_text
from tui.wsman.reply import MethodOutput

SERVICE = "Msvm_VirtualSystemMigrationService"
SETTING = "Msvm_VirtualSystemMigrationSettingData"
PLANNED = "Msvm_PlannedComputerSystem"
DISK = "Msvm_StorageAllocationSettingData"
PORT = "Msvm_EthernetPortAllocationSettingData"
LIVE, STORAGE, WHOLE = 32768, 32769, 32771

Wishes = dict[str, Any]
"""Parameters of a method, or properties of its settings."""


def world() -> Bench:
    """The scene, seen through MIG01."""
    return bench("migration", "MIG01")


def parameters(
    at: Bench, name: str, target: str | None, kind: int, **more: CimValue
) -> dict[str, CimValue]:
    settings = {k: more.pop(k) for k in list(more) if k in SETTINGS}
    given = embedded(SETTING, MigrationType=kind, **settings)
    found: dict[str, CimValue] = {
        "ComputerSystem": at.ref(name),
        "DestinationHost": target,
        "MigrationSettingData": given,
    }
    return {key: value for key, value in (found | more).items() if value is not None}


SETTINGS = frozenset({"RetainVhdCopiesOnSource", "AllowOverwriteExistingFile", "EnableCompression"})


def move(
    at: Bench, name: str, target: str | None, kind: int = WHOLE, **more: CimValue
) -> MethodOutput:
    asked = parameters(at, name, target, kind, **more)
    return at.call(SERVICE, "MigrateVirtualSystemToHost", **asked)


def checked(at: Bench, name: str, target: str, kind: int = WHOLE, **more: CimValue) -> MethodOutput:
    asked = parameters(at, name, target, kind, **more)
    return at.call(SERVICE, "CheckVirtualSystemIsMigratableToHost", **asked)


def check_job(
    at: Bench, name: str, target: str, kind: int = WHOLE, **more: CimValue
) -> MethodOutput:
    asked = parameters(at, name, target, kind, **more)
    return at.call(SERVICE, "CheckVirtualSystemIsMigratable", **asked)


def until(at: Bench, output: MethodOutput, percent: int) -> CimInstance:
    """A job that has come as far as that."""
    for _ in range(4000):
        job = at.job(output)
        if int(str(job["PercentComplete"])) >= percent or int(str(job["JobState"])) >= 7:
            return job
        at.clock.advance(0.5)
    raise AssertionError("the job stands still")


def machines(at: Bench) -> set[str]:
    found = at.all("Msvm_ComputerSystem")
    return {word(vm["ElementName"]) for vm in found if vm["Caption"] == "Virtual Machine"}


def planned(at: Bench) -> list[CimInstance]:
    return at.all(PLANNED)


def service(at: Bench) -> CimInstance:
    (found,) = at.all(SERVICE)
    return found


def set_service(at: Bench, **values: CimValue) -> MethodOutput:
    text = embedded("Msvm_VirtualSystemMigrationServiceSettingData", **values)
    return at.call(SERVICE, "ModifyServiceSettings", ServiceSettingData=text)


def images(at: Bench, name: str, folder: str) -> tuple[str, ...]:
    """The disks of a machine as they shall be: all in one folder, with the names they have."""
    made = []
    for item in at.of(name, DISK):
        path = first(item["HostResource"])
        if item["Access"] != 1:
            place = f"{folder}\\{path.rpartition(chr(92))[2]}"
            made.append(embedded(DISK, InstanceID=item["InstanceID"], HostResource=(place,)))
    return tuple(made)


def folders(at: Bench, name: str, folder: str) -> str:
    words = ("Configuration", "Snapshot", "SwapFile", "Suspend", "GuestState", "Log")
    values: dict[str, CimValue] = {f"{word_}DataRoot": folder for word_ in words}
    identity = at.settings(name)["InstanceID"]
    return embedded("Msvm_VirtualSystemSettingData", InstanceID=identity, **values)


def first(value: CimValue) -> str:
    assert isinstance(value, tuple)
    return word(value[0])


def port(at: Bench, name: str) -> CimInstance:
    (found,) = at.of(name, PORT)
    return found


def switch_path(at: Bench, name: str) -> str:
    found = at.all("Msvm_VirtualEthernetSwitch")
    (identity,) = [s["Name"] for s in found if s["ElementName"] == name]
    keys = f'CreationClassName="Msvm_VirtualEthernetSwitch",Name="{word(identity)}"'
    return f"\\\\{at.host.name}\\root\\virtualization\\v2:Msvm_VirtualEthernetSwitch.{keys}"


def errors(at: Bench, output: MethodOutput) -> dict[str, str]:
    """What GetErrorEx tells: words by MessageID."""
    ref = output.values["Job"]
    assert isinstance(ref, CimRef)
    found = at.client.invoke(ref, "GetErrorEx").values["Errors"]
    assert isinstance(found, tuple)
    told = [from_text(word(text), V2) for text in found]
    return {word(one["MessageID"]): word(one["Message"]) for one in told}

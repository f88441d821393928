"""Exporting, importing and realizing machines of a simulated host."""

from __future__ import annotations

import pytest

from tests.sim_kit import (
    SNAPSHOTS,
    SWITCHES,
    V2,
    VSMS,
    Bench,
    bench,
    by_id,
    embedded,
    one,
    system,
    word,
)
from tests.storage_kit import GIB, delete, ended, failed, file_at, free, of_image, paths
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

PLANNED = "Msvm_PlannedComputerSystem"
TARGET = "E:\\Exports"
SETTINGS = "Msvm_VirtualSystemExportSettingData"


@pytest.fixture
def world() -> Bench:
    return bench()


def export(world: Bench, name: str, folder: str = TARGET, **values: CimValue) -> MethodOutput:
    text = embedded(SETTINGS, **values) if values else None
    return world.call(
        VSMS,
        "ExportSystemDefinition",
        ComputerSystem=world.ref(name),
        ExportDirectory=folder,
        ExportSettingData=text,
    )


def vmcx(world: Bench, name: str, folder: str = TARGET) -> str:
    return f"{folder}\\{name}\\Virtual Machines\\{word(world.vm(name)['Name'])}.vmcx"


def import_(world: Bench, path: str, *, fresh: bool = True, snapshots: str = "") -> MethodOutput:
    return world.call(
        VSMS,
        "ImportSystemDefinition",
        SystemDefinitionFile=path,
        SnapshotFolder=snapshots,
        GenerateNewSystemIdentifier=fresh,
    )


def imported(world: Bench, path: str, *, fresh: bool = True, snapshots: str = "") -> CimInstance:
    found = world.done(import_(world, path, fresh=fresh, snapshots=snapshots))
    return one(found, lambda i: i.class_name == PLANNED)


def planned_ref(planned: CimInstance) -> CimRef:
    return system(word(planned["Name"]), PLANNED)


def on_planned(world: Bench, method: str, planned: CimInstance, **more: CimValue) -> MethodOutput:
    return world.call(VSMS, method, PlannedSystem=planned_ref(planned), **more)


def rename(world: Bench, planned: CimInstance, name: str) -> None:
    instance = f"Microsoft:{word(planned['Name'])}"
    text = embedded("Msvm_VirtualSystemSettingData", InstanceID=instance, ElementName=name)
    ended(world, world.call(VSMS, "ModifySystemSettings", SystemSettings=text))


# -- export --------------------------------------------------------------------------------


def test_an_export_copies_everything_and_tells_how_far_it_is(world: Bench) -> None:
    before = free(world, "E:")
    output = export(world, "pki-root")
    world.clock.advance(8)
    job = world.job(output)
    assert job["JobType"] == 62
    assert 0 < int(str(job["PercentComplete"])) < 100
    assert world.vm("pki-root")["OperationalStatus"] == (2, 32773)
    refused = world.call(VSMS, "DestroySystem", AffectedSystem=world.ref("pki-root"))
    assert refused.return_value == 32775
    ended(world, output)
    assert world.vm("pki-root")["OperationalStatus"] == (2,)
    disk = f"{TARGET}\\pki-root\\Virtual Hard Disks\\pki-root.vhdx"
    assert file_at(world, vmcx(world, "pki-root")) is not None
    copied = file_at(world, disk)
    assert copied is not None
    assert before - free(world, "E:") >= int(str(copied["FileSize"]))
    assert of_image(world, disk)["MaxInternalSize"] == 60 * GIB


def test_a_cancelled_export_leaves_nothing(world: Bench) -> None:
    output = export(world, "pki-root")
    world.clock.advance(8)
    job = world.job(output)
    assert world.client.invoke(by_id(job), "RequestStateChange", RequestedState=4).return_value == 0
    assert world.job(output)["JobState"] == 8
    assert file_at(world, vmcx(world, "pki-root")) is None
    assert world.vm("pki-root")["OperationalStatus"] == (2,)


def test_what_cannot_be_exported_is_refused_or_fails(world: Bench) -> None:
    assert export(world, "pki-root", "nowhere").return_value == 32773
    assert export(world, "pki-root", CopySnapshotConfiguration=9).return_value == 32773
    assert export(world, "pki-root", CopySnapshotConfiguration=2).return_value == 32773
    failed(world, export(world, "pki-root", "Q:\\Exports"), number="0x80070003")
    failed(world, export(world, "sql02", "C:\\Exports"), number="0x80070070")
    ended(world, export(world, "pki-root"))
    failed(world, export(world, "pki-root"), number="0x80070050")
    delete(world, paths(world, "pki-root")[0])
    failed(world, export(world, "pki-root", "E:\\Other"), number="0x80070002")


def test_checkpoints_go_along_or_are_folded_in(world: Bench) -> None:
    ended(world, export(world, "sql01"))
    home = f"{TARGET}\\sql01\\Virtual Hard Disks\\"
    leaf = paths(world, "sql01")[0].rpartition("\\")[2]
    assert word(of_image(world, home + leaf)["ParentPath"]) == f"{home}sql01.vhdx"
    ended(world, export(world, "sql01", "E:\\Flat", CopySnapshotConfiguration=1))
    flat = "E:\\Flat\\sql01\\Virtual Hard Disks\\"
    assert of_image(world, f"{flat}sql01.vhdx")["ParentPath"] is None
    assert file_at(world, flat + leaf) is None
    ended(world, export(world, "pki-root", "E:\\Bare", CopyVmStorage=False))
    assert file_at(world, vmcx(world, "pki-root", "E:\\Bare")) is not None
    assert file_at(world, "E:\\Bare\\pki-root\\Virtual Hard Disks", "CIM_Directory") is None


def test_a_file_tells_of_its_machine_without_being_imported(world: Bench) -> None:
    ended(world, export(world, "pki-root"))
    path = vmcx(world, "pki-root")
    asked = "GetDefinitionFileSummaryInformation"
    output = world.call(VSMS, asked, DefinitionFiles=(path,))
    rows = output.values["SummaryInformation"]
    assert isinstance(rows, tuple)
    assert isinstance(rows[0], CimInstance)
    assert (rows[0]["ElementName"], rows[0]["NumberOfProcessors"]) == ("pki-root", 1)
    disk = paths(world, "pki-root")[0]
    assert world.call(VSMS, asked, DefinitionFiles=(disk,)).return_value == 32773


# -- import --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pki-root", "print01"])
def test_a_machine_is_cloned_with_a_new_identity(world: Bench, name: str) -> None:
    ended(world, export(world, name))
    planned = imported(world, vmcx(world, name))
    identity = word(planned["Name"])
    assert identity != world.vm(name)["Name"]
    assert identity not in [v["Name"] for v in world.all("Msvm_ComputerSystem")]
    query = f'ASSOCIATORS OF {{{PLANNED}.CreationClassName="{PLANNED}",Name="{identity}"}}'
    settings = world.client.query(V2, f"{query} WHERE AssocClass=Msvm_SettingsDefineState")
    assert settings[0]["VirtualSystemType"] == "Microsoft:Hyper-V:System:Planned"
    rename(world, planned, "the-clone")
    ended(world, on_planned(world, "ValidatePlannedSystem", planned))
    made = one(
        world.done(on_planned(world, "RealizePlannedSystem", planned)),
        lambda i: i.class_name == "Msvm_ComputerSystem",
    )
    assert (made["Name"], made["ElementName"], made["EnabledState"]) == (identity, "the-clone", 3)
    assert world.all(PLANNED) == []
    assert world.settings("the-clone")["VirtualSystemType"] == "Microsoft:Hyper-V:System:Realized"
    assert paths(world, "the-clone")[0].startswith(TARGET)
    assert world.finish(world.change("the-clone", 2))["JobState"] == 7


def test_a_machine_comes_back_with_its_old_identity_and_checkpoints(world: Bench) -> None:
    ended(world, world.change("files01", 3))
    ended(world, export(world, "files01"))
    path, identity = vmcx(world, "files01"), world.vm("files01")["Name"]
    failed(world, import_(world, path, fresh=False))
    ended(world, world.call(VSMS, "DestroySystem", AffectedSystem=world.ref("files01")))
    planned = imported(world, path, fresh=False, snapshots=f"{TARGET}\\files01\\Snapshots")
    ended(world, on_planned(world, "RealizePlannedSystem", planned))
    assert world.vm("files01")["Name"] == identity
    kinds = [
        s["VirtualSystemType"]
        for s in world.all("Msvm_VirtualSystemSettingData")
        if s["VirtualSystemIdentifier"] == identity
    ]
    assert sorted(str(kind).rpartition(":")[2] for kind in kinds) == ["Realized", "Recovery"]
    assert "Msvm_VirtualSystemSettingData" in str(world.settings("files01")["Parent"])
    assert world.finish(world.change("files01", 2))["JobState"] == 7


def test_checkpoints_of_a_clone_are_its_own(world: Bench) -> None:
    ended(world, export(world, "sql01"))
    planned = imported(world, vmcx(world, "sql01"))
    folder = f"{TARGET}\\sql01\\Snapshots"
    output = on_planned(world, "ImportSnapshotDefinitions", planned, SnapshotFolder=folder)
    made = one(world.done(output), lambda i: i.class_name == "Msvm_VirtualSystemSettingData")
    assert made["VirtualSystemIdentifier"] == planned["Name"]
    rename(world, planned, "sql-clone")
    ended(world, on_planned(world, "RealizePlannedSystem", planned))
    leaves = paths(world, "sql-clone")
    ended(world, world.call(SNAPSHOTS, "DestroySnapshot", AffectedSnapshot=by_id(made)))
    for _ in range(40):
        world.clock.advance(30)
    assert [".avhdx" in leaf for leaf in leaves] == [True] * len(leaves)
    assert all(".avhdx" not in path for path in paths(world, "sql-clone"))
    assert any(".avhdx" in path for path in paths(world, "sql01")), "the original keeps its own"


def test_what_cannot_be_imported_fails_with_its_reason(world: Bench) -> None:
    assert import_(world, "nonsense").return_value == 32773
    failed(world, import_(world, f"{TARGET}\\nothing.vmcx"), number="0x80070002")
    failed(world, import_(world, paths(world, "pki-root")[0]), number="0x8007000D")


def test_a_planned_machine_whose_disks_are_taken_is_not_realized(world: Bench) -> None:
    ended(world, export(world, "pki-root"))
    first, second = (imported(world, vmcx(world, "pki-root")) for _ in range(2))
    ended(world, on_planned(world, "RealizePlannedSystem", first))
    assert "in use" in failed(world, on_planned(world, "ValidatePlannedSystem", second))
    assert "in use" in failed(world, on_planned(world, "RealizePlannedSystem", second))
    ended(world, world.call(VSMS, "DestroySystem", AffectedSystem=planned_ref(second)))
    assert world.all(PLANNED) == []
    assert on_planned(world, "RealizePlannedSystem", second).return_value == 32773


def test_a_missing_switch_is_named_and_can_be_exchanged(world: Bench) -> None:
    ended(world, world.change("proxy01", 3))
    ended(world, export(world, "proxy01"))
    switch = one(world.all("Msvm_VirtualEthernetSwitch"), lambda s: s["ElementName"] == "DMZ")
    ref = system(word(switch["Name"]), "Msvm_VirtualEthernetSwitch")
    planned = imported(world, vmcx(world, "proxy01"))
    ended(world, world.call(SWITCHES, "DestroySystem", AffectedSystem=ref))
    text = failed(world, on_planned(world, "RealizePlannedSystem", planned))
    assert "'DMZ'" in text
    kind = "Msvm_EthernetPortAllocationSettingData"
    prefix = f"Microsoft:{word(planned['Name'])}\\"
    port = one(world.all(kind), lambda p: str(p["InstanceID"]).startswith(prefix))
    change = embedded(kind, InstanceID=port["InstanceID"], EnabledState=3)
    ended(world, world.call(VSMS, "ModifyResourceSettings", ResourceSettings=(change,)))
    ended(world, on_planned(world, "RealizePlannedSystem", planned))


def test_a_machine_goes_through_its_whole_life(world: Bench) -> None:
    for generation in (1, 2):
        _live(world, f"life{generation}", generation)


def _live(world: Bench, name: str, generation: int) -> None:
    text = embedded(
        "Msvm_VirtualSystemSettingData",
        ElementName=name,
        VirtualSystemSubType=f"Microsoft:Hyper-V:SubType:{generation}",
    )
    ended(world, world.call(VSMS, "DefineSystem", SystemSettings=text, ResourceSettings=None))
    point = world.call(
        SNAPSHOTS,
        "CreateSnapshot",
        AffectedSystem=world.ref(name),
        SnapshotSettings="",
        SnapshotType=2,
    )
    ended(world, point)
    ended(world, export(world, name))
    path = vmcx(world, name)
    ended(world, world.call(VSMS, "DestroySystem", AffectedSystem=world.ref(name)))
    planned = imported(world, path, fresh=False)
    ended(world, on_planned(world, "RealizePlannedSystem", planned))
    ended(world, world.call(VSMS, "DestroySystem", AffectedSystem=world.ref(name)))
    assert name not in [v["ElementName"] for v in world.all("Msvm_ComputerSystem")]

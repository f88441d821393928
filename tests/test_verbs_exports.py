"""Exporting, importing and cloning; and one machine's whole life for both generations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.verb_kit import Verbs, verbs
from tui.sim.files import VirtualFile

GB = 1 << 30
FOLDER = "D:\\Exports"
DISKS = "D:\\Hyper-V\\Virtual Hard Disks"


@pytest.fixture
def at() -> Iterator[Verbs]:
    with verbs() as made:
        made.host.ensure()
        made.host.files.make_folder(FOLDER)
        made.host.files.add(VirtualFile("D:\\s.iso", GB, GB))
        yield made


def definition(at: Verbs, name: str, vm: str) -> str:
    path = f"{FOLDER}\\{name}\\Virtual Machines\\{vm}.vmcx"
    assert at.file(path)
    return path


def system(at: Verbs, name: str) -> str:
    return str(at.one("Msvm_ComputerSystem", ElementName=name)["Name"])


# -- export --------------------------------------------------------------------------------


def test_an_export_holds_the_machine_and_its_disks(at: Verbs) -> None:
    vm, (path,) = at.vm("idle01"), at.images("idle01")
    at.run("vm.export", "idle01", folder=FOLDER)
    definition(at, "idle01", vm)
    leaf = path.rpartition("\\")[2]
    assert at.file(f"{FOLDER}\\idle01\\Virtual Hard Disks\\{leaf}")
    assert at.steps == ["Exporting idle01"]


def test_a_running_machine_is_exported_with_its_checkpoints(at: Verbs) -> None:
    at.run("vm.export", "web01", folder=FOLDER)
    found = at.host.files.below(f"{FOLDER}\\web01\\Snapshots")
    assert [file for file in found if file.path.endswith(".vmcx")]
    (settings,) = (
        row for row in at.wql("SELECT * FROM Msvm_ComputerSystem") if row["ElementName"] == "web01"
    )
    assert settings["EnabledState"] == 2


def test_an_export_can_leave_checkpoints_out(at: Verbs) -> None:
    at.run("vm.export", "web01", folder=FOLDER, checkpoints="none")
    assert at.host.files.below(f"{FOLDER}\\web01\\Snapshots") == []


def test_exports_that_cannot_be(at: Verbs) -> None:
    assert "folder" in at.refused("vm.export", "idle01", folder="D:\\nowhere")
    assert "full path" in at.refused("vm.export", "idle01", folder="nowhere")
    at.host.files.add(VirtualFile("C:\\full.bin", 110 * GB, 110 * GB))
    assert "free" in at.refused("vm.export", "sql01", folder="C:\\")
    at.run("vm.export", "idle01", folder=FOLDER)
    update = at.failed("vm.export", "idle01", folder=FOLDER)
    assert update.trouble is not None
    assert "exists" in update.trouble.cause


# -- import --------------------------------------------------------------------------------


def test_an_import_beside_the_original_has_its_own_identity(at: Verbs) -> None:
    vm = at.vm("idle01")
    at.run("vm.export", "idle01", folder=FOLDER)
    path = definition(at, "idle01", vm)
    at.run("vm.import", "hv01", path=path, name="idle02")
    assert system(at, "idle02") != vm
    assert system(at, "idle01") == vm
    assert all(image.startswith(FOLDER) for image in at.images("idle02"))
    assert at.wql("SELECT * FROM Msvm_PlannedComputerSystem") == []


def test_an_import_as_it_was(at: Verbs) -> None:
    vm = at.vm("idle01")
    at.run("vm.export", "idle01", folder=FOLDER)
    path = definition(at, "idle01", vm)
    assert "has that identity" in at.refused("vm.import", "hv01", path=path, identity="same")
    at.run("vm.delete", "idle01", disks=True)
    at.run("vm.import", "hv01", path=path, identity="same")
    assert system(at, "idle01") == vm


def test_an_import_that_copies_leaves_the_export_alone(at: Verbs) -> None:
    vm = at.vm("idle01")
    at.run("vm.export", "idle01", folder=FOLDER)
    at.run("vm.delete", "idle01", disks=True)
    at.run("vm.import", "hv01", path=definition(at, "idle01", vm), files="copy", name="back")
    assert all(image.startswith(DISKS) for image in at.images("back"))
    assert at.host.files.below(f"{FOLDER}\\idle01\\Virtual Hard Disks")


def test_adapters_without_their_switch_are_unplugged_or_moved(at: Verbs) -> None:
    port = "Msvm_EthernetPortAllocationSettingData"
    vm = at.vm("sql01")
    at.run("vm.export", "sql01", folder=FOLDER)
    at.run("switch.rename", "Prod", name="Other")
    at.run("switch.delete", "Other", in_use=True)
    path = definition(at, "sql01", vm)
    lab = str(at.one("Msvm_VirtualEthernetSwitch", ElementName="Desk")["Name"])
    at.run("vm.import", "hv01", path=path, name="pulled")
    states = [row["EnabledState"] for row in at.of("pulled", port)]
    assert set(states) == {2, 3}
    at.run("vm.delete", "pulled")
    at.run("vm.import", "hv01", path=path, name="moved", switch=lab)
    assert any(lab in str(row.get("HostResource")) for row in at.of("moved", port))


def test_what_cannot_be_imported_leaves_nothing(at: Verbs) -> None:
    assert ".vmcx" in at.refused("vm.import", "hv01", path="D:\\s.iso")
    assert "not there" in at.refused("vm.import", "hv01", path="D:\\none.vmcx")
    vm = at.vm("idle01")
    at.run("vm.export", "idle01", folder=FOLDER)
    path = definition(at, "idle01", vm)
    at.sabotage = lambda asked: asked.method == "RealizePlannedSystem"
    before = at.names()
    update = at.failed("vm.import", "hv01", path=path, name="x")
    assert update.made == ()
    assert at.names() == before
    assert at.wql("SELECT * FROM Msvm_PlannedComputerSystem") == []


# -- clone ---------------------------------------------------------------------------------


def test_a_clone_is_another_machine(at: Verbs) -> None:
    vm = at.vm("sql01")
    at.run("vm.clone", "sql01", name="sql02")
    assert system(at, "sql02") != vm
    assert not set(at.images("sql01")) & set(at.images("sql02"))
    nics = "Msvm_SyntheticEthernetPortSettingData"
    assert not any(row["StaticMacAddress"] for row in at.of("sql02", nics))
    assert "Copying sql01" in at.steps
    assert at.one("Msvm_ComputerSystem", ElementName="sql02")["EnabledState"] == 3


def test_a_clone_that_fails_leaves_nothing_behind(at: Verbs) -> None:
    at.sabotage = lambda asked: asked.method == "ValidatePlannedSystem"
    update = at.failed("vm.clone", "idle01", name="twin")
    assert update.made == ()
    assert "twin" not in at.names()
    assert at.host.files.below("D:\\Hyper-V\\twin") == []
    assert at.wql("SELECT * FROM Msvm_PlannedComputerSystem") == []


def test_a_clone_needs_a_name_and_a_folder_of_its_own(at: Verbs) -> None:
    assert "100 characters" in at.refused("vm.clone", "idle01", name="x" * 200)
    assert "there already" in at.refused("vm.clone", "idle01", name="c", folder=FOLDER)
    assert "full path" in at.refused("vm.clone", "idle01", name="c", folder="x")


# -- a whole life --------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [1, 2])
def test_from_creation_to_deletion(at: Verbs, generation: int) -> None:
    at.run("vm.create", "hv01", name="life", generation=generation, size=20 * GB, iso="D:\\s.iso")
    at.run("vm.set-cpu", "life", count=4)
    at.run("vm.set-memory", "life", startup=4 * GB)
    at.run("checkpoint.create", "life", name="first")
    (point,) = (
        row
        for row in at.wql("SELECT * FROM Msvm_VirtualSystemSettingData")
        if row["ElementName"] == "first"
    )
    at.run("vm.set-cpu", "life", count=2)
    at.run("checkpoint.apply", "life", checkpoint=point["InstanceID"], safety=False)
    (cpu,) = at.of("life", "Msvm_ProcessorSettingData")
    assert cpu["VirtualQuantity"] == 4
    vm = at.vm("life")
    at.run("vm.export", "life", folder=FOLDER)
    at.run("vm.delete", "life", disks=True)
    assert "life" not in at.names()
    at.run("vm.import", "hv01", path=definition(at, "life", vm), identity="same")
    (memory,) = at.of("life", "Msvm_MemorySettingData")
    assert (at.vm("life"), memory["VirtualQuantity"]) == (vm, 4096)
    at.run("vm.delete", "life", disks=True)
    assert "life" not in at.names()
    assert not [f for f in at.host.files.below(f"{FOLDER}\\life") if "vhdx" in f.path]

"""Making and deleting machines: the whole way, midway failures and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.verb_kit import CIMV2, Verbs, verbs
from tui.collector.messages import Phase
from tui.sim.files import VirtualFile, disk
from tui.wsman.values import EnabledState

GB = 1 << 30
FOLDER = "D:\\Hyper-V\\Virtual Hard Disks"


@pytest.fixture
def at() -> Iterator[Verbs]:
    with verbs() as made:
        made.host.ensure()
        made.host.files.add(VirtualFile("D:\\s.iso", GB, GB))
        yield made


def switch_id(at: Verbs, name: str) -> str:
    return str(at.one("Msvm_VirtualEthernetSwitch", ElementName=name)["Name"])


# -- create --------------------------------------------------------------------------------


def test_a_second_generation_machine_with_everything(at: Verbs) -> None:
    at.run(
        "vm.create",
        "hv01",
        name="new01",
        cpus=4,
        memory=4 * GB,
        dynamic=True,
        minimum=GB,
        maximum=16 * GB,
        size=80 * GB,
        switch=switch_id(at, "Prod"),
        vlan=20,
        iso="D:\\s.iso",
        secure_boot="uefi-ca",
        notes='made by "us" & <them> #prod',
        start=True,
    )
    path = f"{FOLDER}\\new01.vhdx"
    assert at.images("new01") == [path, "D:\\s.iso"]
    assert (at.disk(path).size, at.disk(path).kind) == (80 * GB, 3)
    (cpu,) = at.of("new01", "Msvm_ProcessorSettingData")
    (memory,) = at.of("new01", "Msvm_MemorySettingData")
    assert cpu["VirtualQuantity"] == 4
    assert [memory[key] for key in ("VirtualQuantity", "Reservation", "Limit")] == [
        4096,
        1024,
        16384,
    ]
    assert memory["DynamicMemoryEnabled"] is True
    settings = at.one("Msvm_VirtualSystemSettingData", ElementName="new01")
    assert settings["VirtualSystemSubType"] == "Microsoft:Hyper-V:SubType:2"
    assert settings["Notes"] == ('made by "us" & <them> #prod',)
    assert settings["SecureBootTemplateId"] == "272e7447-90a4-4563-a4b9-8e4ab00526ce"
    (port,) = at.of("new01", "Msvm_EthernetPortAllocationSettingData")
    assert port["EnabledState"] == 2
    assert switch_id(at, "Prod") in str(port["HostResource"])
    (vlan,) = at.of("new01", "Msvm_EthernetSwitchPortVlanSettingData")
    assert (vlan["OperationMode"], vlan["AccessVlanId"]) == (1, 20)
    order = settings["BootSourceOrder"]
    assert isinstance(order, tuple)
    (dvd,) = at.drives("new01", 16)
    assert str(dvd["InstanceID"]).rpartition("\\")[0].replace("\\", "\\\\") in str(order[0])
    assert at.one("Msvm_ComputerSystem", ElementName="new01")["EnabledState"] == 2
    assert at.steps[0] == "Defining new01"
    assert at.steps[-1] == "Starting new01"


def test_a_first_generation_machine_over_a_disk_that_is_there(at: Verbs) -> None:
    path = f"{FOLDER}\\old.vhd"
    at.host.files.add(disk(path, 20 * GB, 5 * GB))
    at.run(
        "vm.create", "hv01", name="gen1", generation=1, disk="existing", path=path, iso="D:\\s.iso"
    )
    settings = at.one("Msvm_VirtualSystemSettingData", ElementName="gen1")
    assert settings["VirtualSystemSubType"] == "Microsoft:Hyper-V:SubType:1"
    assert at.images("gen1") == [path, "D:\\s.iso"]
    (drive,) = at.drives("gen1")
    assert "83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0" in str(drive["InstanceID"])
    assert at.one("Msvm_ComputerSystem", ElementName="gen1")["EnabledState"] == 3


NAMES = [
    """spät & "laut" <b> 'x'""",
    "100% sicher",
    "back\\slash",
    "web 🚀 №1",
    "a/b:c*d?e|f",
    "データベース 2",
    "n" * 100,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_survive_and_their_files_have_names_windows_takes(at: Verbs, name: str) -> None:
    at.run("vm.create", "hv01", name=name, size=GB)
    assert name in at.names()
    (path,) = at.images(name)
    leaf = path.rpartition("\\")[2]
    assert at.file(path)
    assert not set(leaf) & set('<>:"/|?*')


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "x" * 200}, "at most 100 characters"),
        ({"name": " "}, "empty"),
        ({"name": "a\x1b[2Jb"}, "control"),
        ({"name": "a", "memory": 3 << 20}, "steps of 2 MB"),
        ({"name": "a", "memory": GB, "dynamic": True, "minimum": 2 * GB}, "minimum"),
        ({"name": "a", "dynamic": True, "maximum": GB}, "maximum"),
        ({"name": "a", "cpus": 0}, "at least one"),
        ({"name": "a", "cpus": 4000}, "logical processors"),
        ({"name": "a", "vlan": 4095, "switch": "Prod"}, "1 to 4094"),
        ({"name": "a", "iso": "D:\\none.iso"}, "not there"),
        ({"name": "a", "folder": "D:\\none"}, "folder"),
        ({"name": "a", "disk": "existing", "path": "D:\\none.vhdx"}, "not there"),
        ({"name": "a", "disk": "existing"}, "needs its path"),
        ({"name": "a", "path": "D:\\a.vhd", "size": GB}, ".vhdx disks only"),
        ({"name": "a", "size": 100}, "3 MB"),
    ],
)
def test_what_no_machine_can_be(at: Verbs, arguments: dict[str, object], reason: str) -> None:
    before = at.names()
    assert reason in at.refused("vm.create", "hv01", **arguments)
    assert at.names() == before


def test_a_disk_that_exists_or_is_used_is_not_overwritten(at: Verbs) -> None:
    at.host.files.add(disk(f"{FOLDER}\\twin.vhdx", GB, GB))
    assert "there already" in at.refused("vm.create", "hv01", name="twin")
    used = at.images("sql01")[0]
    reason = at.refused("vm.create", "hv01", name="b", disk="existing", path=used)
    assert "is a disk of sql01" in reason


# -- midway --------------------------------------------------------------------------------


STEPS = {
    "ModifyResourceSettings": {"the virtual machine half"},
    "RequestStateChange": {"the virtual machine half", f"{FOLDER}\\half.vhdx"},
}


@pytest.mark.parametrize("method", ["ModifyResourceSettings", "RequestStateChange"])
def test_what_was_made_is_named_and_goes_again_in_one_call(at: Verbs, method: str) -> None:
    before, files = at.names(), len(at.wql("SELECT Name FROM CIM_DataFile", CIMV2))
    at.sabotage = lambda asked: asked.method == method
    update = at.failed("vm.create", "hv01", name="half", start=True)
    at.sabotage = lambda asked: False
    assert set(update.made) == STEPS[method]
    assert "half" in at.names()
    assert update.trouble is not None
    assert update.trouble.title == "half is not complete"
    assert update.undo is not None
    assert update.undo.action == "vm.delete"
    at.undo(update.undo)
    assert at.names() == before
    assert len(at.wql("SELECT Name FROM CIM_DataFile", CIMV2)) == files


def test_undoing_spares_a_disk_that_was_there_before(at: Verbs) -> None:
    path = f"{FOLDER}\\precious.vhdx"
    at.host.files.add(disk(path, 20 * GB, 5 * GB))
    at.sabotage = lambda asked: asked.method == "RequestStateChange"
    update = at.failed("vm.create", "hv01", name="half", disk="existing", path=path, start=True)
    at.sabotage = lambda asked: False
    at.undo(update.undo)
    assert "half" not in at.names()
    assert at.file(path)


def test_nothing_is_half_done_when_the_first_step_fails(at: Verbs) -> None:
    at.sabotage = lambda asked: asked.method == "DefineSystem"
    update = at.failed("vm.create", "hv01", name="none")
    assert (update.made, update.undo) == ((), None)
    assert "none" not in at.names()
    assert not at.file(f"{FOLDER}\\none.vhdx")


# -- delete --------------------------------------------------------------------------------


def test_deleting_keeps_the_disks_unless_told(at: Verbs) -> None:
    (path,) = at.images("idle01")
    at.run("vm.delete", "idle01")
    assert "idle01" not in at.names()
    assert at.file(path)


def test_deleting_with_its_disks_takes_every_file(at: Verbs) -> None:
    images = at.images("kept01")
    at.run("vm.delete", "kept01", disks=True)
    assert "kept01" not in at.names()
    assert not any(at.file(path) for path in images)


def test_checkpoints_go_with_their_files(at: Verbs) -> None:
    at.run("vm.turn-off", "web01")
    chain = at.host.files.chain(at.images("web01")[0])
    assert len(chain) > 1
    at.run("vm.delete", "web01", disks=True)
    assert "web01" not in at.names()
    assert not any(at.file(file.path) for file in chain)


def test_a_template_below_a_disk_stays(at: Verbs) -> None:
    base, child = f"{FOLDER}\\gold.vhdx", f"{FOLDER}\\leaf.vhdx"
    at.host.files.add(disk(base, 20 * GB, 5 * GB))
    at.run("disk.add", "idle01", source="differencing", path=child, parent=base)
    at.run("vm.delete", "idle01", disks=True)
    assert (at.file(child), at.file(base)) == (False, True)


def test_a_running_machine_is_not_deleted(at: Verbs) -> None:
    assert "turn it off" in at.refused("vm.delete", "sql01")
    assert "sql01" in at.names()


def test_a_file_that_is_held_is_named_when_the_machine_is_gone(at: Verbs) -> None:
    (path,) = at.images("idle01")
    at.disk(path).mounted = True
    update = at.failed("vm.delete", "idle01", disks=True)
    assert update.made == ("the virtual machine idle01 is deleted",)
    assert update.trouble is not None
    assert path in update.trouble.cause
    assert "idle01" not in at.names()
    assert at.file(path)


def test_a_machine_that_vanished_meanwhile_is_said_to_be_gone(at: Verbs) -> None:
    vm = at.vm("idle01")
    at.run("vm.delete", "idle01")
    update = at.call("vm.delete", vm)
    assert update.phase is Phase.REFUSED


def test_state_is_what_the_host_says(at: Verbs) -> None:
    at.run("vm.create", "hv01", name="plain", disk="none")
    state = at.one("Msvm_ComputerSystem", ElementName="plain")["EnabledState"]
    assert state == EnabledState.OFF
    assert at.images("plain") == []

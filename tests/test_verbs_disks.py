"""Disks and DVDs: what verbs do to a host, told by plain WQL, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.verb_kit import Verbs, verbs
from tui.sim.files import DIFFERENCING, VirtualFile, disk

GB = 1 << 30
FOLDER = "D:\\Hyper-V\\Virtual Hard Disks"


@pytest.fixture
def at() -> Iterator[Verbs]:
    with verbs() as made:
        made.host.ensure()
        made.host.files.add(VirtualFile("D:\\s.iso", GB, GB))
        yield made


def drive_of(at: Verbs, name: str, path: str) -> str:
    """InstanceID of the drive that holds a file."""
    for row in at.of(name, "Msvm_StorageAllocationSettingData"):
        if row["HostResource"] == (path,):
            return str(row["InstanceID"]).removesuffix("L") + "D"
    raise AssertionError(path)


def test_a_new_disk_is_made_and_hung_on_scsi(at: Verbs) -> None:
    path = f"{FOLDER}\\data ä & 'x'.vhdx"
    at.run("disk.add", "idle01", source="dynamic", path=path, size=80 * GB)
    assert at.file(path)
    assert path in at.images("idle01")
    assert (at.disk(path).size, at.disk(path).kind) == (80 * GB, 3)
    drive = drive_of(at, "idle01", path)
    assert next(d for d in at.drives("idle01") if d["InstanceID"] == drive)["ResourceType"] == 17
    assert at.steps[0].startswith("Creating ")


def test_a_running_machine_takes_one_on_scsi(at: Verbs) -> None:
    path = f"{FOLDER}\\more.vhdx"
    at.run("disk.add", "sql01", source="fixed", path=path, size=10 * GB, controller="SCSI 0")
    assert at.disk(path).kind == 2
    assert path in at.images("sql01")


def test_controller_and_slot_can_be_chosen(at: Verbs) -> None:
    path = f"{FOLDER}\\slot.vhdx"
    at.run("disk.add", "idle01", source="dynamic", path=path, size=GB, controller="SCSI 0", slot=40)
    drive = drive_of(at, "idle01", path)
    (row,) = (d for d in at.drives("idle01") if d["InstanceID"] == drive)
    assert row["AddressOnParent"] == "40"


def test_a_child_of_an_image_and_its_merge(at: Verbs) -> None:
    parent, child = f"{FOLDER}\\base.vhdx", f"{FOLDER}\\child.vhdx"
    at.host.files.add(disk(parent, 20 * GB, 5 * GB))
    at.run("disk.add", "idle01", source="differencing", path=child, parent=parent)
    assert (at.disk(child).kind, at.disk(child).parent) == (DIFFERENCING, parent)
    at.run("disk.merge", "idle01", disk=drive_of(at, "idle01", child))
    assert parent in at.images("idle01")
    assert child not in at.images("idle01")
    assert not at.file(child)


def test_an_existing_file_is_used(at: Verbs) -> None:
    path = f"{FOLDER}\\left.vhdx"
    at.host.files.add(disk(path, 20 * GB, 5 * GB))
    at.run("disk.add", "idle01", source="existing", path=path)
    assert path in at.images("idle01")
    assert at.changes[0].endswith("AddResourceSettings"), "nothing was made"


def test_removing_keeps_the_file_unless_told(at: Verbs) -> None:
    kept, lost = f"{FOLDER}\\kept.vhdx", f"{FOLDER}\\lost.vhdx"
    for path in (kept, lost):
        at.run("disk.add", "idle01", source="dynamic", path=path, size=GB)
    at.run("disk.remove", "idle01", disk=drive_of(at, "idle01", kept))
    at.run("disk.remove", "idle01", disk=drive_of(at, "idle01", lost), delete_file=True)
    assert not {kept, lost} & set(at.images("idle01"))
    assert (at.file(kept), at.file(lost)) == (True, False)


def test_a_left_over_file_can_be_deleted(at: Verbs) -> None:
    path = f"{FOLDER}\\orphan.vhdx"
    at.host.files.add(disk(path, GB, GB))
    at.run("disk.delete-file", "hv01", path=path)
    assert not at.file(path)
    used = at.images("sql01")[0]
    assert "sql01 uses it" in at.refused("disk.delete-file", "hv01", path=used)


def test_resizing_up_and_down(at: Verbs) -> None:
    path = at.images("idle01")[0]
    drive = drive_of(at, "idle01", path)
    at.run("disk.resize", "idle01", disk=drive, size=500 * GB)
    assert at.disk(path).size == 500 * GB
    at.run("disk.resize", "idle01", disk=drive, size=300 * GB)
    assert at.disk(path).size == 300 * GB
    assert "cannot be smaller" in at.refused("disk.resize", "idle01", disk=drive, size=GB)
    assert "already" in at.refused("disk.resize", "idle01", disk=drive, size=300 * GB)
    assert "64 TB" in at.refused("disk.resize", "idle01", disk=drive, size=65 << 40)


def test_compacting_gives_room_back(at: Verbs) -> None:
    path = at.images("idle01")[0]
    before = at.disk(path).used
    at.run("disk.compact", "idle01", disk=drive_of(at, "idle01", path))
    assert at.disk(path).used < before
    assert "needs it to be off" in at.refused("disk.compact", "sql01")


def test_converting_makes_a_file_and_uses_it(at: Verbs) -> None:
    old = at.images("idle01")[0]
    new = f"{FOLDER}\\solid.vhdx"
    at.run("disk.convert", "idle01", disk=drive_of(at, "idle01", old), kind="fixed", path=new)
    assert new in at.images("idle01")
    assert at.disk(new).kind == 2
    assert at.file(old), "the old one stays"


# -- refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"source": "existing", "path": f"{FOLDER}\\nowhere.vhdx"}, "is not there"),
        ({"source": "dynamic", "path": "D:\\nofolder\\x.vhdx", "size": GB}, "folder"),
        ({"source": "dynamic", "path": "x.vhdx", "size": GB}, "full path"),
        ({"source": "dynamic", "path": "D:\\a<b.vhdx", "size": GB}, "cannot hold '<'"),
        ({"source": "dynamic", "path": "D:\\x.txt", "size": GB}, "must end in .vhdx"),
        ({"source": "dynamic", "path": "D:\\x.vhdx", "size": 1000}, "3 MB to 64 TB"),
        ({"source": "dynamic", "path": "D:\\x.vhd", "size": 3000 * GB}, "at most"),
        ({"source": "fixed", "path": "D:\\x.vhdx", "size": 9000 * GB}, "free"),
        ({"source": "differencing", "path": "D:\\x.vhdx"}, "parent"),
        (
            {"source": "differencing", "path": "D:\\x.vhdx", "parent": "D:\\none.vhdx"},
            "is not there",
        ),
        ({"source": "dynamic", "path": "D:\\x.vhdx", "size": GB, "slot": 64}, "slot"),
    ],
)
def test_what_no_disk_can_be(at: Verbs, arguments: dict[str, object], reason: str) -> None:
    before = at.images("idle01")
    if "slot" in arguments:
        arguments = {**arguments, "controller": "SCSI 0"}
        assert "slots 0 to 63" in at.refused("disk.add", "idle01", **arguments)
    else:
        assert reason in at.refused("disk.add", "idle01", **arguments)
    assert at.images("idle01") == before


def test_files_that_are_taken_locked_or_there(at: Verbs) -> None:
    there = f"{FOLDER}\\there.vhdx"
    at.host.files.add(disk(there, GB, GB))
    new = {"source": "dynamic", "path": there, "size": GB}
    assert "is there already" in at.refused("disk.add", "idle01", **new)
    taken = {"source": "existing", "path": at.images("sql01")[0]}
    assert "is a disk of sql01 already" in at.refused("disk.add", "idle01", **taken)
    at.disk(there).mounted = True
    locked = {"source": "existing", "path": there}
    assert "is locked" in at.refused("disk.add", "idle01", **locked)
    parent = {
        "source": "differencing",
        "path": f"{FOLDER}\\c.vhdx",
        "parent": at.images("sql01")[0],
    }
    assert "sql01 writes to" in at.refused("disk.add", "idle01", **parent)


def test_what_hangs_on_ide_stays_while_the_machine_runs(at: Verbs) -> None:
    (path,) = (p for p in at.images("old01") if p.endswith(("vhd", "vhdx")))
    drive = drive_of(at, "old01", path)
    assert "IDE" in at.refused("disk.remove", "old01", disk=drive)
    assert "SCSI" in at.refused("disk.resize", "old01", disk=drive, size=900 * GB)
    new = {"source": "dynamic", "path": f"{FOLDER}\\n.vhdx", "size": GB, "controller": "IDE 1"}
    assert "IDE takes no drives" in at.refused("disk.add", "old01", **new)


def test_a_disk_with_checkpoints_is_left_alone(at: Verbs) -> None:
    at.run("vm.turn-off", "web01")
    path = next(p for p in at.images("web01") if p.endswith(".avhdx"))
    drive = drive_of(at, "web01", path)
    assert "checkpoints" in at.refused("disk.resize", "web01", disk=drive, size=900 * GB)
    refusal = at.refused("disk.remove", "web01", disk=drive, delete_file=True)
    assert "checkpoints need the file" in refusal


def test_a_parent_of_others_is_not_compacted_by_the_host(at: Verbs) -> None:
    path = at.images("idle01")[0]
    at.host.files.add(disk(f"{FOLDER}\\k.vhdx", GB, GB, DIFFERENCING, path))
    update = at.failed("disk.compact", "idle01", disk=drive_of(at, "idle01", path))
    assert update.trouble is not None
    assert "parent of 1 differencing" in update.trouble.cause


# -- half done -----------------------------------------------------------------------------


def test_a_disk_that_does_not_go_in_is_named_and_taken_back(at: Verbs) -> None:
    path = f"{FOLDER}\\half.vhdx"
    drives = len(at.drives("sql01"))
    at.sabotage = lambda asked: "StorageAllocation" in str(asked.parameters)
    update = at.failed("disk.add", "sql01", source="dynamic", path=path, size=GB)
    at.sabotage = lambda asked: False
    assert update.made == (path,)
    assert at.file(path)
    assert len(at.drives("sql01")) == drives, "no empty drive stays behind"
    at.undo(update.undo)
    assert not at.file(path)


def test_a_file_that_cannot_be_deleted_can_be_attached_again(at: Verbs) -> None:
    path = f"{FOLDER}\\held.vhdx"
    at.run("disk.add", "idle01", source="dynamic", path=path, size=GB)
    at.disk(path).mounted = True
    drive = drive_of(at, "idle01", path)
    update = at.failed("disk.remove", "idle01", disk=drive, delete_file=True)
    assert update.made == (f"{path} is not attached any more",)
    assert update.trouble is not None
    assert "has it open" in update.trouble.cause
    at.disk(path).mounted = False
    at.undo(update.undo)
    assert drive_of(at, "idle01", path) == drive


# -- DVD -----------------------------------------------------------------------------------


def test_a_dvd_goes_in_and_out(at: Verbs) -> None:
    at.run("dvd.insert", "idle01", path="D:\\s.iso")
    assert "D:\\s.iso" in at.images("idle01")
    assert "already" in at.refused("dvd.insert", "idle01", path="D:\\s.iso")
    at.run("dvd.eject", "idle01")
    assert "D:\\s.iso" not in at.images("idle01")
    assert at.drives("idle01", 16), "the drive stays"
    assert "nothing in" in at.refused("dvd.eject", "idle01")


def test_another_disc_replaces_the_one_in_a_running_machine(at: Verbs) -> None:
    at.host.files.add(VirtualFile("D:\\t.iso", GB, GB))
    at.run("dvd.insert", "old01", path="D:\\t.iso")
    assert at.images("old01").count("D:\\t.iso") == 1
    assert "D:\\s.iso" not in at.images("old01")


def test_a_missing_disc_or_drive_is_told(at: Verbs) -> None:
    assert "not there" in at.refused("dvd.insert", "idle01", path="D:\\no.iso")
    assert ".iso" in at.refused("dvd.insert", "idle01", path="D:\\s.img")


def test_a_drive_is_added_where_there_is_none(at: Verbs) -> None:
    at.run("vm.create", "hv01", name="bare", disk="none")
    assert at.drives("bare", 16) == []
    at.run("dvd.insert", "bare", path="D:\\s.iso")
    assert len(at.drives("bare", 16)) == 1
    assert at.images("bare") == ["D:\\s.iso"]

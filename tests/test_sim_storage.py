"""Disk images, files and free space of a simulated host: what its methods do and refuse."""

from __future__ import annotations

import pytest

from tests import storage_kit as kit
from tests.sim_kit import (
    CIMV2,
    SNAPSHOTS,
    V2,
    VSMS,
    Bench,
    bench,
    by_id,
    embedded,
    one,
    path_of,
    word,
)
from tests.storage_kit import (
    DIFFERENCING,
    FIXED,
    GIB,
    attach,
    create,
    delete,
    ended,
    failed,
    file_at,
    free,
    image,
    made,
    of_image,
    paths,
    size_of,
    state_of,
)
from tui.sim import shapes
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

HOME = "D:\\Hyper-V\\Virtual Hard Disks\\"
A, B, C = f"{HOME}a.vhdx", f"{HOME}b.vhdx", f"{HOME}c.vhdx"


@pytest.fixture
def world() -> Bench:
    return bench()


# -- creating ------------------------------------------------------------------------------


def test_a_dynamic_image_is_small_and_a_fixed_one_takes_its_space(world: Bench) -> None:
    before = free(world)
    made(world, A, 100 * GIB)
    made(world, B, 100 * GIB, Type=FIXED)
    assert size_of(world, A) < GIB < 100 * GIB <= size_of(world, B)
    assert 100 * GIB <= before - free(world) < 103 * GIB
    found = of_image(world, B)
    assert (found["Type"], found["Format"], found["MaxInternalSize"]) == (2, 3, 100 * GIB)


def test_a_fixed_image_takes_time_and_can_be_cancelled_without_a_trace(world: Bench) -> None:
    before = free(world)
    output = create(world, A, 200 * GIB, Type=FIXED)
    world.clock.advance(50)
    job = world.job(output)
    assert job.class_name == "Msvm_StorageJob"
    assert (job["JobType"], job["Child"]) == (1, A)
    assert 10 < int(str(job["PercentComplete"])) < 60
    assert before - free(world) >= 200 * GIB, "the space is taken from the beginning"
    world.client.invoke(by_id(job), "RequestStateChange", RequestedState=4)
    assert file_at(world, A) is None
    assert before - free(world) < GIB


def test_a_child_is_as_large_as_its_parent(world: Bench) -> None:
    made(world, A, 30 * GIB)
    made(world, B, 0, Type=DIFFERENCING, ParentPath=A)
    found = of_image(world, B)
    assert (found["MaxInternalSize"], found["ParentPath"]) == (30 * GIB, A)
    assert found["ParentIdentifier"] == of_image(world, A)["VirtualDiskId"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Path": "no path"}, 32773),
        ({"Path": "D:\\a<b.vhdx"}, 32773),
        ({"Path": f"{HOME}a.txt"}, 32773),
        ({"Format": 2}, 32773),
        ({"Type": 9}, 32773),
        ({"MaxInternalSize": 1 << 20}, 32773),
        ({"MaxInternalSize": 65 << 40}, 32773),
        ({"Path": f"{HOME}a.vhd", "MaxInternalSize": 2041 * GIB}, 32773),
        ({"BlockSize": 3 << 20}, 32773),
        ({"LogicalSectorSize": 1024}, 32773),
        ({"Type": 4}, 32773),
        ({"Type": 4, "ParentPath": f"{HOME}nobody.vhdx"}, 32779),
        ({"Type": 4, "ParentPath": f"{HOME}sql01.vhdx", "Path": f"{HOME}a.vhd"}, 32773),
    ],
)
def test_an_image_that_makes_no_sense_is_refused(
    world: Bench, values: dict[str, CimValue], code: int
) -> None:
    wanted: dict[str, CimValue] = {"Path": A, "Type": 3, "MaxInternalSize": GIB}
    text = embedded(kit.SETTINGS, **wanted | values)
    refused = image(world, "CreateVirtualHardDisk", VirtualDiskSettingData=text)
    assert refused.return_value == code


def test_an_image_cannot_be_made_over_another_one_in_no_folder_or_without_room(
    world: Bench,
) -> None:
    made(world, A)
    failed(world, create(world, A), number="0x80070050")
    failed(world, create(world, "D:\\Nowhere\\a.vhdx"), number="0x80070003")
    failed(world, create(world, "Q:\\a.vhdx"), number="0x80070003")
    failed(world, create(world, B, 9000 * GIB, Type=FIXED), number="0x80070070")
    assert file_at(world, B) is None


def test_a_missing_image_is_not_found(world: Bench) -> None:
    for method in ("GetVirtualHardDiskSettingData", "GetVirtualHardDiskState"):
        assert image(world, method, Path=A).return_value == 32779
    assert image(world, "CompactVirtualHardDisk", Path=A, Mode=0).return_value == 32779
    resized = image(world, "ResizeVirtualHardDisk", Path=A, MaxInternalSize=GIB)
    assert resized.return_value == 32779


# -- resizing and compacting ---------------------------------------------------------------


def resize(world: Bench, path: str, size: int) -> MethodOutput:
    return image(world, "ResizeVirtualHardDisk", Path=path, MaxInternalSize=size)


def test_an_image_grows_and_shrinks_as_far_as_its_partitions(world: Bench) -> None:
    path = paths(world, "pki-root")[0]
    size = int(str(of_image(world, path)["MaxInternalSize"]))
    least = int(str(state_of(world, path)["MinInternalSize"]))
    ended(world, resize(world, path, size + 40 * GIB))
    assert of_image(world, path)["MaxInternalSize"] == size + 40 * GIB
    failed(world, resize(world, path, least // 2 // 512 * 512), number="0xC03A0019")
    ended(world, resize(world, path, size))
    assert resize(world, path, size).return_value == 32773, "it has that size"
    assert resize(world, path, 1000).return_value == 32773


def test_a_fixed_image_needs_room_to_grow(world: Bench) -> None:
    made(world, A, 20 * GIB, Type=FIXED)
    failed(world, resize(world, A, 9000 * GIB), number="0x80070070")
    ended(world, resize(world, A, 50 * GIB))
    assert size_of(world, A) >= 50 * GIB


def test_a_running_machine_lets_only_vhdx_on_scsi_be_resized(world: Bench) -> None:
    scsi, ide = paths(world, "dc01")[0], paths(world, "print01")[0]
    ended(world, resize(world, scsi, 300 * GIB))
    failed(world, resize(world, ide, 300 * GIB), number="0x80070020")


def test_a_vhd_cannot_shrink(world: Bench) -> None:
    path = made(world, f"{HOME}old.vhd", 20 * GIB)
    ended(world, resize(world, path, 30 * GIB))
    failed(world, resize(world, path, 20 * GIB), number="0xC03A001A")


def test_a_parent_stays_as_it_is(world: Bench) -> None:
    made(world, A)
    made(world, B, 0, Type=DIFFERENCING, ParentPath=A)
    failed(world, resize(world, A, 20 * GIB), 32774)
    failed(world, image(world, "CompactVirtualHardDisk", Path=A, Mode=0), 32774)


def test_compacting_gives_space_back_when_nobody_has_the_image_open(world: Bench) -> None:
    def compact(path: str, mode: int = 0) -> MethodOutput:
        return image(world, "CompactVirtualHardDisk", Path=path, Mode=mode)

    path = paths(world, "pki-root")[0]
    before, room = size_of(world, path), free(world)
    ended(world, compact(path))
    gained = before - size_of(world, path)
    assert gained > GIB
    assert free(world) - room > gained - GIB
    failed(world, compact(paths(world, "dc01")[0]), number="0x80070020")
    failed(world, compact(made(world, A, GIB, Type=FIXED)), number="0xC03A001A")
    assert compact(path, 9).return_value == 32773


# -- converting, merging, chains -----------------------------------------------------------


def convert(world: Bench, source: str, path: str, **values: CimValue) -> MethodOutput:
    usual: dict[str, CimValue] = {"Path": path, "Type": 3}
    text = embedded(kit.SETTINGS, **usual | values)
    return image(world, "ConvertVirtualHardDisk", SourcePath=source, VirtualDiskSettingData=text)


def test_an_image_is_converted_into_another_file(world: Bench) -> None:
    made(world, A, 20 * GIB)
    ended(world, convert(world, A, f"{HOME}a.vhd", Type=FIXED))
    found = of_image(world, f"{HOME}a.vhd")
    assert (found["Type"], found["Format"], found["MaxInternalSize"]) == (2, 2, 20 * GIB)
    assert file_at(world, A) is not None
    failed(world, convert(world, A, f"{HOME}a.vhd"), number="0x80070050")
    failed(world, convert(world, paths(world, "dc01")[0], B), number="0x80070020")
    assert convert(world, A, B, Format=2).return_value == 32773
    assert convert(world, f"{HOME}none.vhdx", B).return_value == 32779


def merge(world: Bench, source: str, into: str) -> MethodOutput:
    return image(world, "MergeVirtualHardDisk", SourcePath=source, DestinationPath=into)


def chain(world: Bench) -> None:
    made(world, A, 20 * GIB)
    made(world, B, 0, Type=DIFFERENCING, ParentPath=A)
    made(world, C, 0, Type=DIFFERENCING, ParentPath=B)


def test_merging_into_an_ancestor_takes_what_is_between(world: Bench) -> None:
    chain(world)
    failed(world, merge(world, B, A), 32774)
    ended(world, merge(world, C, A))
    assert [file_at(world, p) is None for p in (A, B, C)] == [False, True, True]
    assert merge(world, A, B).return_value == 32773, "it has no parent"


def test_merging_into_a_new_file_takes_nothing(world: Bench) -> None:
    chain(world)
    target = f"{HOME}merged.vhdx"
    ended(world, merge(world, C, target))
    assert all(file_at(world, path) is not None for path in (A, B, C))
    assert of_image(world, target)["ParentPath"] is None


def validate(world: Bench, path: str) -> MethodOutput:
    return image(world, "ValidateVirtualHardDisk", Path=path)


def test_a_chain_breaks_and_is_mended(world: Bench) -> None:
    chain(world)
    ended(world, validate(world, C))
    twin = made(world, f"{HOME}twin.vhdx", 20 * GIB)
    assert delete(world, A) == 0
    failed(world, validate(world, C), number="0xC03A000D")

    def reconnect(child: str, parent: str, ignore: bool) -> MethodOutput:
        return image(
            world,
            "SetParentVirtualHardDisk",
            ChildPath=child,
            ParentPath=parent,
            LeafPath=None,
            IgnoreIDMismatch=ignore,
        )

    failed(world, reconnect(B, twin, False), number="0xC03A000E")
    failed(world, reconnect(B, C, True), 32787)
    ended(world, reconnect(B, twin, True))
    ended(world, validate(world, C))
    assert reconnect(B, A, True).return_value == 32779


def test_the_identifier_of_an_image_can_be_changed(world: Bench) -> None:
    chain(world)
    identity = "11111111-2222-3333-4444-555555555555"

    def change(path: str, **values: CimValue) -> MethodOutput:
        text = embedded(kit.SETTINGS, Path=path, **values)
        return image(world, "SetVirtualHardDiskSettingData", VirtualDiskSettingData=text)

    ended(world, change(A, VirtualDiskId=identity, PhysicalSectorSize=512))
    found = of_image(world, A)
    assert (found["VirtualDiskId"], found["PhysicalSectorSize"]) == (identity, 512)
    failed(world, validate(world, C), number="0xC03A000E")
    assert change(A, PhysicalSectorSize=1000).return_value == 32773
    failed(world, change(paths(world, "dc01")[0], PhysicalSectorSize=512), number="0x80070020")


def test_an_image_is_attached_to_the_host_and_detached(world: Bench) -> None:
    def find() -> MethodOutput:
        method = "FindMountedStorageImageInstance"
        return image(world, method, SelectionCriterion=A, CriterionType=0)

    made(world, A)
    assert find().return_value == 32789
    call = image(world, "AttachVirtualHardDisk", Path=A, AssignDriveLetter=False, ReadOnly=True)
    ended(world, call)
    assert state_of(world, A)["InUse"] is True
    assert delete(world, A) == 15
    ref = find().values["Image"]
    assert isinstance(ref, CimRef)
    assert world.client.get(ref)["Access"] == 1
    assert world.client.invoke(ref, "DetachVirtualHardDisk").return_value == 0
    assert delete(world, A) == 0


# -- files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "host"), [("datacenter", "HV01"), ("datacenter", "NODE4"), ("homelab", "NUC01")]
)
def test_every_image_of_a_scene_is_a_file_on_a_volume(scene: str, host: str) -> None:
    world = bench(scene, host)
    files = {str(f["Name"]): f for f in world.all("CIM_DataFile", CIMV2)}
    volumes = [str(v["Name"]).lower() for v in world.all("Win32_Volume", CIMV2)]
    named = {
        path.lower()
        for item in world.all("Msvm_StorageAllocationSettingData")
        for path in shapes.strings(item, "HostResource")
    }
    assert named
    assert named <= files.keys()
    for path in named:
        assert int(str(files[path]["FileSize"])) > 0
        assert any(path.startswith(volume) for volume in volumes)


def test_files_on_a_volume_are_not_more_than_what_is_used_of_it() -> None:
    world = bench()
    for volume in world.all("Win32_Volume", CIMV2):
        prefix = str(volume["Name"]).lower()
        files = [f for f in world.all("CIM_DataFile", CIMV2) if str(f["Name"]).startswith(prefix)]
        taken = int(str(volume["Capacity"])) - int(str(volume["FreeSpace"]))
        assert sum(int(str(f["FileSize"])) for f in files) <= taken


def test_the_nodes_of_a_cluster_see_the_same_files() -> None:
    world = bench("datacenter", "NODE1")
    world.at("NODE2").host.ensure()
    path = paths(world, "dc02")[0]
    assert size_of(world.at("NODE2"), path) == size_of(world, path)
    assert file_at(world.at("HV01"), path) is None


def test_folders_are_there_to_be_asked_for(world: Bench) -> None:
    assert file_at(world, HOME.rstrip("\\"), "CIM_Directory") is not None
    assert file_at(world, "D:\\Nowhere", "CIM_Directory") is None
    assert file_at(world, "C:\\Windows\\System32\\vmms.exe") is not None


def test_a_file_in_use_is_not_deleted_and_another_one_is(world: Bench) -> None:
    used, unused = paths(world, "dc01")[0], paths(world, "pki-root")[0]
    before, size = free(world), size_of(world, unused)
    assert (delete(world, used), delete(world, unused)) == (15, 0)
    assert free(world) - before == size
    assert file_at(world, unused) is None
    assert "0x80070002" in failed(world, world.change("pki-root", 2))


def test_a_folder_goes_with_everything_in_it_unless_something_is_open(world: Bench) -> None:
    made(world, A)
    assert delete(world, HOME.rstrip("\\"), "Win32_Directory") == 15
    assert file_at(world, A) is not None
    assert delete(world, "D:\\", "Win32_Directory") == 2


def test_destroying_a_machine_leaves_its_disks(world: Bench) -> None:
    images = paths(world, "pki-root")
    vmcx = f"D:\\Hyper-V\\Virtual Machines\\{word(world.vm('pki-root')['Name'])}.vmcx"
    assert file_at(world, vmcx) is not None
    world.done(world.call(VSMS, "DestroySystem", AffectedSystem=world.ref("pki-root")))
    assert all(file_at(world, path) is not None for path in images)
    assert file_at(world, vmcx) is None
    assert [delete(world, path) for path in images] == [0] * len(images)


# -- drives --------------------------------------------------------------------------------


def test_an_image_that_is_missing_or_in_use_does_not_go_into_a_drive(world: Bench) -> None:
    drive = kit.new_drive(world, "sql01", 20)
    failed(world, kit.add(world, "sql01", kit.media(drive, A)), number="0x80070002")
    taken = paths(world, "dc01")[0]
    failed(world, kit.add(world, "sql01", kit.media(drive, taken)), number="0x80070020")
    assert taken not in paths(world, "sql01")
    made(world, A)
    attach(world, "sql01", A, 21)
    assert state_of(world, A)["InUse"] is True


def test_two_machines_cannot_run_from_one_image(world: Bench) -> None:
    made(world, A)
    attach(world, "pki-root", A)
    attach(world, "sql01", A)
    failed(world, world.change("pki-root", 2), number="0x80070020")


def test_a_physical_disk_goes_into_one_drive(world: Bench) -> None:
    spare = world.all("Msvm_DiskDrive")[0]
    keys = ("CreationClassName", "DeviceID", "SystemCreationClassName", "SystemName")
    quoted = ",".join(f'{k}="{word(spare[k])}"' for k in keys).replace("\\", "\\\\")
    path = f"Msvm_DiskDrive.{quoted}"

    def drive(slot: int, resource: str) -> MethodOutput:
        text = embedded(
            kit.DEVICE,
            ResourceType=17,
            ResourceSubType="Microsoft:Hyper-V:Physical Disk Drive",
            Parent=path_of(kit.controller(world, "sql01")),
            AddressOnParent=str(slot),
            HostResource=(resource,),
        )
        return kit.add(world, "sql01", text)

    ended(world, drive(30, path))
    assert drive(31, path).return_value == 32774
    assert drive(31, path.replace("\\\\4", "\\\\9")).return_value == 32773


# -- checkpoints and merging ---------------------------------------------------------------


def take(world: Bench, name: str) -> CimInstance:
    output = world.call(
        SNAPSHOTS,
        "CreateSnapshot",
        AffectedSystem=world.ref(name),
        SnapshotSettings="",
        SnapshotType=2,
    )
    return one(world.done(output), lambda i: i.class_name == "Msvm_VirtualSystemSettingData")


def drop(world: Bench, item: CimInstance) -> MethodOutput:
    return world.call(SNAPSHOTS, "DestroySnapshot", AffectedSnapshot=by_id(item))


def recovery(world: Bench, name: str) -> CimInstance:
    machine = world.vm(name)["Name"]
    return one(
        world.all("Msvm_VirtualSystemSettingData"),
        lambda s: (
            s["VirtualSystemIdentifier"] == machine and "Recovery" in str(s["VirtualSystemType"])
        ),
    )


def merges(world: Bench) -> list[CimInstance]:
    return world.client.query(V2, "SELECT * FROM Msvm_ConcreteJob WHERE JobType = 50")


def test_a_checkpoint_makes_children_and_applying_leaves_no_old_ones(world: Bench) -> None:
    base = paths(world, "pki-root")[0]
    point = take(world, "pki-root")
    leaf = paths(world, "pki-root")[0]
    assert of_image(world, leaf)["ParentPath"] == base
    world.done(world.call(SNAPSHOTS, "ApplySnapshot", Snapshot=by_id(point)))
    assert file_at(world, leaf) is None
    assert of_image(world, paths(world, "pki-root")[0])["ParentPath"] == base


def test_a_left_over_recovery_checkpoint_is_deleted_and_merged_in_time(world: Bench) -> None:
    leaves, before = paths(world, "files01"), free(world)
    world.finish(drop(world, recovery(world, "files01")), 3)
    assert world.vm("files01")["OperationalStatus"] == (2, 32772)
    assert paths(world, "files01") == leaves
    job = merges(world)[0]
    assert job["JobState"] in (3, 4)
    world.clock.advance(300)
    assert world.vm("files01")["OperationalStatus"] == (2,)
    assert all(".avhdx" not in path for path in paths(world, "files01"))
    assert all(file_at(world, leaf) is None for leaf in leaves)
    assert free(world) > before


def test_a_merge_waits_for_room() -> None:
    world = bench("troubled", "HV-BAD")
    world.finish(drop(world, recovery(world, "orphan")), 30)
    assert merges(world)[0]["JobState"] == 10
    assert "0x80070070" in word(merges(world)[0]["ErrorDescription"])
    assert ".avhdx" in paths(world, "orphan")[0]
    assert delete(world, paths(world, "too-big")[0]) == 0
    world.clock.advance(300)
    assert ".avhdx" not in paths(world, "orphan")[0]


def test_merging_that_was_switched_off_goes_on_when_it_is_switched_on() -> None:
    world = bench("datacenter", "HV02")
    prefix = f"Microsoft:{word(world.vm('git01')['Name'])}\\"
    setting = one(
        world.all("Msvm_DiskMergeSettingData"), lambda s: str(s["InstanceID"]).startswith(prefix)
    )
    assert setting["EnabledState"] == 0
    assert len([s for s in world.all("Msvm_DiskMergeSettingData") if not s["EnabledState"]]) == 1
    world.clock.advance(1000)
    assert all(".avhdx" in path for path in paths(world, "git01"))

    def switch(state: int) -> MethodOutput:
        text = embedded(
            "Msvm_DiskMergeSettingData", InstanceID=setting["InstanceID"], EnabledState=state
        )
        return world.call(VSMS, "ModifyDiskMergeSettings", SettingData=text)

    assert switch(7).return_value == 32773
    world.done(switch(1))
    world.clock.advance(300)
    assert all(".avhdx" not in path for path in paths(world, "git01"))


def test_a_checkpoint_that_does_not_fit_fails() -> None:
    world = bench("troubled", "HV-BAD")
    made(world, "D:\\Hyper-V\\filler.vhdx", free(world) - 20 * (1 << 20), Type=FIXED)
    output = world.call(
        SNAPSHOTS,
        "CreateSnapshot",
        AffectedSystem=world.ref("quote'\"s & <tags>"),
        SnapshotSettings="",
        SnapshotType=2,
    )
    failed(world, output, number="0x80070070")


def test_deleting_a_machine_merges_its_checkpoints_into_its_disks(world: Bench) -> None:
    base = paths(world, "pki-root")[0]
    take(world, "pki-root")
    leaf = paths(world, "pki-root")[0]
    world.done(world.call(VSMS, "DestroySystem", AffectedSystem=world.ref("pki-root")))
    assert file_at(world, base) is not None
    assert file_at(world, leaf) is None


# -- versions ------------------------------------------------------------------------------


def test_a_version_goes_up_and_never_back() -> None:
    world = bench("datacenter", "HV02")
    assert upgrade(world, "winxp-plc").return_value == 32775, "it runs"
    world.done(world.change("winxp-plc", 3))
    world.done(upgrade(world, "winxp-plc", "8.0"))
    assert world.settings("winxp-plc")["Version"] == "8.0"
    assert upgrade(world, "winxp-plc", "5.0").return_value == 32775
    assert upgrade(world, "winxp-plc", "12.0").return_value == 32773
    world.done(upgrade(world, "winxp-plc"))
    assert world.settings("winxp-plc")["Version"] == "9.0"


def upgrade(world: Bench, name: str, version: str = "") -> MethodOutput:
    kind = "Msvm_VirtualSystemUpgradeSettingData"
    text = embedded(kind, TargetVersion=version) if version else None
    return world.call(
        VSMS, "UpgradeSystemVersion", ComputerSystem=world.ref(name), UpgradeSettingData=text
    )

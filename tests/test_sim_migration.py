"""Machines that move between simulated hosts, and what goes along."""

from __future__ import annotations

import pytest

from tests.move_kit import (
    LIVE,
    SERVICE,
    SETTING,
    STORAGE,
    WHOLE,
    Wishes,
    first,
    folders,
    images,
    machines,
    move,
    planned,
    port,
    service,
    set_service,
    switch_path,
    until,
    world,
)
from tests.sim_kit import CIMV2, SNAPSHOTS, V2, VSMS, Bench, by_id, embedded, word
from tests.storage_kit import DISK, end, ended, failed, file_at, free, of_image, paths
from tui.sim import faults
from tui.wsman.cim import CimInstance, CimRef, CimValue

VP = "Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor"
LP = "Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor"


@pytest.fixture
def here() -> Bench:
    return world()


@pytest.fixture
def there(here: Bench) -> Bench:
    return here.at("MIG02")


def identity(at: Bench, name: str) -> dict[str, CimValue]:
    """What a machine is, whatever host it is on."""
    vm, settings = at.vm(name), at.settings(name)
    nics = at.of(name, "Msvm_SyntheticEthernetPortSettingData")
    networks = [
        item
        for item in at.all("Msvm_GuestNetworkAdapterConfiguration")
        if word(vm["Name"]) in word(item["InstanceID"])
    ]
    told = [
        item
        for item in at.all("Msvm_KvpExchangeComponent")
        if item["SystemName"] == vm["Name"] and vm["EnabledState"] == 2
    ]
    points = [
        (s["ElementName"], s["InstanceID"], s["CreationTime"])
        for s in at.all("Msvm_VirtualSystemSettingData")
        if s["VirtualSystemIdentifier"] == vm["Name"]
    ]
    return {
        "Name": vm["Name"],
        "InstallDate": vm["InstallDate"],
        "EnabledState": vm["EnabledState"],
        "Notes": settings["Notes"],
        "Version": settings["Version"],
        "macs": tuple(nic["Address"] for nic in nics),
        "addresses": tuple(item["IPAddresses"] for item in networks),
        "kvp": tuple(item["GuestIntrinsicExchangeItems"] for item in told),
        "points": tuple(str(point) for point in sorted(points, key=str)),
    }


def uptime(at: Bench, name: str) -> float:
    return int(str(at.vm(name)["OnTimeInMilliseconds"])) / 1000


def counted(at: Bench, class_name: str, name: str) -> int | None:
    rows = at.client.query(CIMV2, f"SELECT * FROM {class_name} WHERE Name = '{name}'")
    return int(str(rows[0]["PercentTotalRunTime"])) if rows else None


# -- the service ---------------------------------------------------------------------------


def test_the_service_tells_where_it_listens_and_what_it_can(here: Bench, there: Bench) -> None:
    own, other = service(here), service(there)
    assert own["Name"] == "migrationwmi"
    assert own["ActiveVirtualSystemMigrationCount"] == own["ActiveStorageMigrationCount"] == 0
    assert own["MigrationServiceListenerIPAddressList"] == ("10.20.90.246",)
    assert other["MigrationServiceListenerIPAddressList"] == ("10.20.90.247",)
    for kind in (32768, 32769, 32770, 32771):
        wql = f"SELECT * FROM {SETTING} WHERE MigrationType = {kind}"
        (found,) = here.client.query(V2, wql)
        assert (found["TransportType"], found["EnableCompression"]) == (5, True)
    assert "MigrationServiceListenerIPAddressList" not in service(here.at("MIG06")).values


def test_networks_of_migrations_are_added_changed_and_removed(here: Bench) -> None:
    name = "Msvm_VirtualSystemMigrationNetworkSettingData"
    (old,) = here.all(name)
    assert (old["SubnetNumber"], old["PrefixLength"]) == ("10.20.90.0", 24)
    text = embedded(name, SubnetNumber="10.20.10.0", PrefixLength=24, Metric=10)
    ended(here, here.call(SERVICE, "AddNetworkSettings", NetworkSettings=(text,)))
    assert listeners(here) == ["10.20.10.246", "10.20.90.246"]
    assert here.call(SERVICE, "AddNetworkSettings", NetworkSettings=(text,)).return_value == 32773
    wrong = embedded(name, SubnetNumber="10.20.10.5", PrefixLength=24)
    assert here.call(SERVICE, "AddNetworkSettings", NetworkSettings=(wrong,)).return_value == 32773
    ended(here, here.call(SERVICE, "RemoveNetworkSettings", NetworkSettings=(by_id(old),)))
    assert listeners(here) == ["10.20.10.246"]
    (left,) = here.all(name)
    changed = embedded(name, InstanceID=left["InstanceID"], SubnetNumber="10.20.90.0")
    ended(here, here.call(SERVICE, "ModifyNetworkSettings", NetworkSettings=(changed,)))
    assert listeners(here) == ["10.20.90.246"]
    (parted,) = here.all("Msvm_VirtualSystemMigrationServiceSettingDataComponent")
    assert isinstance(parted["PartComponent"], CimRef)


def listeners(at: Bench) -> list[str]:
    found = service(at)["MigrationServiceListenerIPAddressList"]
    assert isinstance(found, tuple)
    return sorted(map(word, found))


# -- a running machine with its files ------------------------------------------------------


def test_a_running_machine_moves_with_its_files(here: Bench, there: Bench) -> None:
    before, ran = identity(here, "live01"), uptime(here, "live01")
    begun, room = here.clock.now(), free(there)
    disk = paths(here, "live01")[0]
    output = move(here, "live01", "MIG02")
    job = until(here, output, 40)
    assert (job.class_name, job["JobType"]) == ("Msvm_MigrationJob", 306)
    assert (job["DestinationHost"], job["MigrationType"]) == ("MIG02", WHOLE)
    assert 40 <= int(str(job["PercentComplete"])) < 100
    assert here.vm("live01")["OperationalStatus"] == (2, 32774)
    assert here.state("live01") == 2
    assert "live01" not in machines(there)
    assert [item["Name"] for item in planned(there)] == [before["Name"]]
    for at in (here, there):
        assert service(at)["ActiveVirtualSystemMigrationCount"] == 1
        assert service(at)["ActiveStorageMigrationCount"] == 1
    assert free(there) < room
    ended(here, output)

    assert "live01" not in machines(here)
    assert planned(there) == []
    assert there.vm("live01")["OperationalStatus"] == (2,)
    assert identity(there, "live01") == before
    assert abs(uptime(there, "live01") - ran - (here.clock.now() - begun)) < 0.01
    assert file_at(here, disk) is None
    assert file_at(there, disk) is not None
    papers = f"D:\\Hyper-V\\Virtual Machines\\{before['Name']!s}.vmcx"
    assert file_at(here, papers) is None
    assert file_at(there, papers) is not None
    assert first(port(there, "live01")["HostResource"]) == switch_path(there, "Production")
    for at in (here, there):
        assert service(at)["ActiveVirtualSystemMigrationCount"] == 0


def test_object_paths_name_the_new_host(here: Bench, there: Bench) -> None:
    ended(here, move(here, "tree01", "MIG02"))
    own = [*there.of("tree01", "Msvm_ResourceAllocationSettingData"), there.settings("tree01")]
    own += [p for p in there.all("Msvm_VirtualSystemSettingData") if "update" in str(p.values)]
    assert "MIG01" not in str([item.values for item in own])
    keys = f'CreationClassName="Msvm_ComputerSystem",Name="{word(there.vm("tree01")["Name"])}"'
    path = f"Msvm_ComputerSystem.{keys}"
    wql = f"ASSOCIATORS OF {{{path}}} WHERE ResultClass=Msvm_VirtualSystemSettingData"
    assert there.client.query(V2, wql)


def test_counters_end_here_and_begin_there(here: Bench, there: Bench) -> None:
    name = "live01:Hv VP 0"
    output = move(here, "live01", "MIG02")
    until(here, output, 30)
    ran, whole = counted(here, VP, name), counted(here, LP, "_Total")
    other = counted(there, LP, "_Total")
    assert ran
    assert counted(there, VP, name) is None
    ended(here, output)
    assert counted(here, VP, name) is None
    begun = counted(there, VP, name)
    assert begun is not None
    assert begun < ran
    assert (counted(here, LP, "_Total") or 0) > (whole or 0)
    after = counted(there, LP, "_Total") or 0
    assert after - (other or 0) < ran
    there.clock.advance(60)
    assert (counted(there, VP, name) or 0) > begun
    assert (counted(there, LP, "_Total") or 0) > after


def test_there_and_back_again_a_machine_stays_what_it_is(here: Bench, there: Bench) -> None:
    before = identity(here, "tree01")
    chain = set(paths(here, "tree01"))
    for _ in range(3):
        ended(here, move(here, "tree01", "MIG02"))
        assert identity(there, "tree01") == before
        ended(there, move(there, "tree01", "MIG01"))
        assert identity(here, "tree01") == before
    assert set(paths(here, "tree01")) == chain
    for path in chain:
        parent = of_image(here, path)["ParentPath"]
        if parent:
            assert file_at(here, word(parent)) is not None
    wish = here.call(SNAPSHOTS, "CreateSnapshot", AffectedSystem=here.ref("tree01"))
    ended(here, wish)
    assert there.all("Msvm_PlannedComputerSystem") == []


def test_nothing_else_changes_a_machine_on_its_way(here: Bench, there: Bench) -> None:
    until(here, move(here, "live01", "MIG02"), 20)
    refused = [
        here.change("live01", 3),
        here.change("live01", 6),
        move(here, "live01", "MIG02"),
        here.call(SNAPSHOTS, "CreateSnapshot", AffectedSystem=here.ref("live01")),
        here.call(
            VSMS,
            "ExportSystemDefinition",
            ComputerSystem=here.ref("live01"),
            ExportDirectory="E:\\Out",
        ),
        here.call(
            VSMS,
            "ModifySystemSettings",
            SystemSettings=embedded(
                "Msvm_VirtualSystemSettingData",
                InstanceID=here.settings("live01")["InstanceID"],
                ElementName="other",
            ),
        ),
    ]
    assert [output.return_value for output in refused] == [32775] * len(refused)
    (ghost,) = planned(there)
    keys = (("CreationClassName", ghost.class_name), ("Name", word(ghost["Name"])))
    ref = CimRef(ghost.class_name, keys, V2)
    assert there.call(VSMS, "RealizePlannedSystem", PlannedSystem=ref).return_value == 32775
    assert there.call(VSMS, "DestroySystem", AffectedSystem=ref).return_value == 32775


def test_files_may_go_to_other_folders_on_the_way(here: Bench, there: Bench) -> None:
    more: Wishes = {
        "NewSystemSettingData": folders(here, "tree01", "D:\\VMs\\tree01"),
        "NewResourceSettingData": images(here, "tree01", "D:\\VMs\\tree01\\Disks"),
    }
    ended(here, move(here, "tree01", "MIG02", **more))
    for path in paths(there, "tree01"):
        assert path.startswith("D:\\VMs\\tree01\\Disks\\")
        parent = word(of_image(there, path)["ParentPath"])
        assert parent.startswith("D:\\VMs\\tree01\\Disks\\")
        assert file_at(there, parent) is not None
    assert there.settings("tree01")["ConfigurationDataRoot"] == "D:\\VMs\\tree01"
    for point in there.all("Msvm_VirtualSystemSettingData"):
        if point["VirtualSystemIdentifier"] == there.vm("tree01")["Name"]:
            assert point["SnapshotDataRoot"] == "D:\\VMs\\tree01"


# -- other kinds ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "source", "target"), [("smb01", 1, 2), ("smb02", 2, 1)])
def test_a_machine_on_a_share_moves_without_its_files(
    here: Bench, name: str, source: int, target: int
) -> None:
    own, other = here.at(f"MIG0{source}"), here.at(f"MIG0{target}")
    before, disk = identity(own, name), paths(own, name)
    output = move(own, name, f"mig0{target}.corp.example.com", LIVE)
    assert own.job(output)["JobType"] == 305
    ended(own, output)
    assert identity(other, name) == before
    assert paths(other, name) == disk
    ended(other, move(other, name, f"MIG0{source}", LIVE))
    assert identity(own, name) == before


def test_what_does_not_run_moves_too(here: Bench, there: Bench) -> None:
    amd = here.at("MIG03")
    ended(here, move(here, "off01", "MIG03"))
    assert amd.state("off01") == 3
    ended(amd, amd.change("off01", 2))
    ended(here, move(here, "saved01", "MIG02"))
    assert there.state("saved01") == 6
    ended(there, there.change("saved01", 2))
    assert there.state("saved01") == 2


def test_storage_moves_under_a_running_machine(here: Bench) -> None:
    before, old = identity(here, "tree01"), paths(here, "tree01")
    more: Wishes = {
        "NewSystemSettingData": folders(here, "tree01", "E:\\VMs\\tree01"),
        "NewResourceSettingData": images(here, "tree01", "E:\\VMs\\tree01"),
    }
    output = move(here, "tree01", None, STORAGE, **more)
    job = until(here, output, 30)
    assert (job["JobType"], job["MigrationType"]) == (307, STORAGE)
    assert service(here)["ActiveStorageMigrationCount"] == 1
    assert service(here)["ActiveVirtualSystemMigrationCount"] == 0
    assert here.vm("tree01")["OperationalStatus"] == (2, 32774)
    ended(here, output)
    assert identity(here, "tree01") == before
    assert all(path.startswith("E:\\VMs\\tree01\\") for path in paths(here, "tree01"))
    assert all(file_at(here, path) is None for path in old)
    papers = f"E:\\VMs\\tree01\\Virtual Machines\\{before['Name']!s}.vmcx"
    assert file_at(here, papers) is not None
    ended(here, here.change("tree01", 3))
    ended(here, here.change("tree01", 2))


def test_copies_of_disks_may_stay_behind(here: Bench, there: Bench) -> None:
    old = paths(here, "live01")[0]
    more = images(here, "live01", "E:\\Live")
    kept: Wishes = {"NewResourceSettingData": more, "RetainVhdCopiesOnSource": True}
    ended(here, move(here, "live01", "mig01", STORAGE, **kept))
    assert paths(here, "live01") == ["E:\\Live\\live01.vhdx"]
    assert file_at(here, old) is not None


def test_a_file_in_the_way_may_be_overwritten(here: Bench, there: Bench) -> None:
    more: Wishes = {"AllowOverwriteExistingFile": True}
    disk = paths(here, "twin01")[0]
    assert file_at(there, disk) is not None
    ended(here, move(here, "twin01", "MIG02", **more))
    assert file_at(there, disk) is not None
    place = paths(here, "live01")[0]
    held: Wishes = {"NewResourceSettingData": (disk_at(here, "off01", place),)}
    output = move(here, "off01", None, STORAGE, **held | more)
    failed(here, output, number="0x80070020")


def disk_at(at: Bench, name: str, path: str) -> str:
    """The only disk of a machine as it shall be."""
    (disk,) = [d for d in at.of(name, DISK) if d["Access"] != 1]
    return embedded(DISK, InstanceID=disk["InstanceID"], HostResource=(path,))


# -- how long, and whose turn --------------------------------------------------------------


def seconds(at: Bench, name: str, target: str, kind: int, **more: CimValue) -> float:
    begun = at.clock.now()
    output = move(at, name, target, kind, **more)
    while int(str(at.job(output)["JobState"])) < 7:
        at.clock.advance(0.5)
    assert at.job(output)["JobState"] == 7, at.job(output)["ErrorDescription"]
    return at.clock.now() - begun


def test_a_move_takes_as_long_as_memory_and_disks_are_large(here: Bench, there: Bench) -> None:
    off = seconds(here, "off01", "MIG02", WHOLE)
    quick = seconds(here, "smb01", "MIG02", LIVE)
    plain = seconds(there, "smb01", "MIG01", LIVE, EnableCompression=False)
    assert 2 < quick < plain < 10 < off
    assert seconds(there, "cache01", "MIG01", WHOLE) > 60


def test_more_moves_than_may_be_at_once_wait(here: Bench, there: Bench) -> None:
    names = ("live01", "smb01", "cpu01")
    outputs = [move(here, name, "MIG02") for name in names]
    assert [here.job(output)["PercentComplete"] for output in outputs] == [0, 0, 0]
    here.clock.advance(2)
    assert service(here)["ActiveVirtualSystemMigrationCount"] == 2
    waiting = here.job(outputs[2])
    assert (waiting["JobState"], waiting["PercentComplete"]) == (3, 0)
    assert {word(item["ElementName"]) for item in planned(there)} == {"live01", "smb01"}
    for output in outputs:
        ended(here, output)
    assert set(names) <= machines(there)


def test_a_move_whose_turn_comes_too_late_fails(here: Bench, there: Bench) -> None:
    ended(there, set_service(there, MaximumActiveVirtualSystemMigration=1))
    more: Wishes = {"NewResourceSettingData": (disk_at(here, "off01", "D:\\New\\one.vhdx"),)}
    other: Wishes = {"NewResourceSettingData": (disk_at(here, "saved01", "D:\\New\\one.vhdx"),)}
    outputs = [move(here, "off01", "MIG02", **more), move(here, "saved01", "MIG02", **other)]
    assert here.job(outputs[1])["JobState"] == 3
    ended(here, outputs[0])
    failed(here, outputs[1], number="0x80070050")
    assert here.state("saved01") == 6
    assert paths(there, "off01") == ["D:\\New\\one.vhdx"]
    ended(here, move(here, "live01", "MIG02"))


def test_a_move_that_waits_is_called_off(here: Bench, there: Bench) -> None:
    ended(there, set_service(there, MaximumActiveVirtualSystemMigration=0))
    output = move(here, "live01", "MIG02")
    here.clock.advance(600)
    job = here.job(output)
    assert job["JobState"] == 3
    assert here.client.invoke(by_id(job), "RequestStateChange", RequestedState=4).return_value == 0
    assert here.vm("live01")["OperationalStatus"] == (2,)
    ended(there, set_service(there, MaximumActiveVirtualSystemMigration=2))
    ended(here, move(here, "live01", "MIG02"))


# -- what goes wrong -----------------------------------------------------------------------


def unmoved(here: Bench, there: Bench, before: dict[str, CimValue], room: int) -> None:
    """The machine is where and what it was, and nothing is left on the other host."""
    assert here.vm("live01")["OperationalStatus"] == (2,)
    assert identity(here, "live01") == before
    assert "live01" not in machines(there)
    assert planned(there) == []
    disk = paths(here, "live01")[0]
    assert file_at(here, disk) is not None
    assert file_at(there, disk) is None
    assert abs(free(there) - room) < 1 << 30
    for at in (here, there):
        assert service(at)["ActiveVirtualSystemMigrationCount"] == 0


def test_a_cancelled_move_leaves_everything_as_it_was(here: Bench, there: Bench) -> None:
    before, room = identity(here, "live01"), free(there)
    output = move(here, "live01", "MIG02")
    job = until(here, output, 50)
    assert here.client.invoke(by_id(job), "RequestStateChange", RequestedState=4).return_value == 0
    assert here.job(output)["JobState"] == 8
    unmoved(here, there, before, room)
    here.clock.advance(120)
    unmoved(here, there, before, room)
    ended(here, move(here, "live01", "MIG02"))


@pytest.mark.parametrize("knob", ["move=70", "job=70"])
def test_a_move_fails_on_its_way(here: Bench, there: Bench, knob: str) -> None:
    before, room = identity(here, "live01"), free(there)
    faults.apply(here.host.faults, knob)
    job = end(here, move(here, "live01", "MIG02"))
    assert (job["JobState"], job["PercentComplete"]) == (10, 70)
    if knob.startswith("move"):
        assert "0x80072746" in word(job["ErrorDescription"])
    unmoved(here, there, before, room)


def test_a_target_that_vanishes_does_not_take_the_machine_along(here: Bench, there: Bench) -> None:
    before, room = identity(here, "live01"), free(there)
    faults.apply(there.host.faults, "vanish=60")
    output = move(here, "live01", "MIG02")
    until(here, output, 50)
    assert not there.host.faults.http.refuse_connections
    job = until(here, output, 100)
    assert (job["JobState"], job["PercentComplete"]) == (10, 60)
    assert "0x8007274C" in word(job["ErrorDescription"])
    assert there.host.faults.http.refuse_connections
    again = end(here, move(here, "live01", "MIG02"))
    assert again["JobState"] == 10
    here.clock.advance(300)
    unmoved(here, there, before, room)
    assert not there.host.faults.http.refuse_connections
    ended(here, move(here, "live01", "MIG02"))


def test_a_target_that_is_gone_at_the_end_ends_the_move(here: Bench, there: Bench) -> None:
    output = move(here, "live01", "MIG02")
    until(here, output, 50)
    there.host.faults.http.refuse_connections = True
    assert end(here, output)["JobState"] == 10
    assert here.state("live01") == 2


def test_a_machine_may_be_listed_twice_for_a_while(here: Bench, there: Bench) -> None:
    before = identity(here, "smb01")
    faults.apply(here.host.faults, "twice=45")
    output = move(here, "smb01", "MIG02", LIVE)
    until(here, output, 100)
    assert here.job(output)["JobState"] == 7
    assert here.state("smb01") == there.state("smb01") == 2
    assert here.vm("smb01")["Name"] == there.vm("smb01")["Name"]
    assert here.change("smb01", 3).return_value == 32775
    whole = counted(here, LP, "_Total") or 0
    here.clock.advance(50)
    assert "smb01" not in machines(here)
    assert (counted(here, LP, "_Total") or 0) > whole
    assert identity(there, "smb01") == before
    assert there.state("smb01") == 2


def test_a_job_tells_what_was_asked(here: Bench) -> None:
    more = images(here, "live01", "E:\\Live")
    output = move(here, "live01", None, STORAGE, NewResourceSettingData=more)
    job: CimInstance = here.job(output)
    assert job["VirtualSystemName"] == here.vm("live01")["Name"]
    told = job["NewResourceSettingData"]
    assert isinstance(told, tuple)
    assert "E:\\Live\\live01.vhdx" in word(told[0])

"""What the methods of a simulated host do, refuse, and change when their jobs end."""

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
    path_of,
    settings_of,
    system,
    word,
)
from tui.errors import Fault
from tui.sim.faults import apply
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.embedded import from_text
from tui.wsman.reply import MethodOutput


@pytest.fixture
def world() -> Bench:
    return bench()


# -- state ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted", "through", "end"),
    [
        ("dc01", 3, 4, 3),
        ("dc01", 6, 32773, 6),
        ("dc01", 9, 32776, 9),
        ("dc01", 11, 11, 2),
        ("pki-root", 2, 10, 2),
    ],
)
def test_a_state_change_goes_through_a_state_to_another(
    world: Bench, name: str, wanted: int, through: int, end: int
) -> None:
    output = world.change(name, wanted)
    assert output.return_value == 4096
    assert world.state(name) == through
    job = world.finish(output)
    assert job["JobState"] == 7
    assert job["OperationalStatus"] == (17, 2)
    assert world.state(name) == end


def test_a_saved_machine_is_restored_and_a_paused_one_resumed(world: Bench) -> None:
    for wanted in (6, 2, 9, 2):
        assert world.finish(world.change("dc01", wanted))["JobState"] == 7
    assert world.state("dc01") == 2


@pytest.mark.parametrize(
    ("name", "wanted", "code"),
    [
        ("dc01", 2, 32775),
        ("pki-root", 3, 32775),
        ("pki-root", 9, 32775),
        ("dc01", 4, 32775),
        ("dc01", 32768, 32775),
        ("dc01", 32773, 32768),
        ("dc01", 32779, 32768),
        ("dc01", 77, 32773),
    ],
)
def test_what_cannot_be_done_now_is_refused(
    world: Bench, name: str, wanted: int, code: int
) -> None:
    assert world.change(name, wanted).return_value == code


def test_requested_state_does_not_track_the_state(world: Bench) -> None:
    before = world.vm("dc01")["RequestedState"]
    world.finish(world.change("dc01", 3))
    assert world.vm("dc01")["RequestedState"] == before


def test_a_job_tells_how_far_it_is_and_then_vanishes(world: Bench) -> None:
    output = world.change("sql01", 6)
    job = world.job(output)
    assert (job["JobState"], job["PercentComplete"], job["JobType"]) == (3, 0, 14)
    world.clock.advance(8)
    job = world.job(output)
    assert job["JobState"] == 4
    percent = job["PercentComplete"]
    assert isinstance(percent, int)
    assert 0 < percent < 100
    world.clock.advance(60)
    assert world.job(output)["PercentComplete"] == 100
    world.clock.advance(301)
    with pytest.raises(Fault) as gone:
        world.job(output)
    assert gone.value.code == 2150858752


def test_a_start_without_memory_or_disk_fails_in_the_job() -> None:
    world = bench("troubled", "HV-BAD")
    big = world.finish(world.change("too-big", 2))
    assert (big["JobState"], big["ErrorCode"]) == (10, 32778)
    assert "Not enough memory" in str(big["ErrorDescription"])
    lost = world.finish(world.change("lost-disk", 2))
    assert lost["ErrorCode"] == 32768
    assert world.state("lost-disk") == 3
    errors = world.client.invoke(by_id(lost), "GetErrorEx").values["Errors"]
    assert isinstance(errors, tuple)
    assert "0x80070002" in str(from_text(str(errors[0]), V2)["Message"])


def test_a_job_fails_where_the_knob_says(world: Bench) -> None:
    apply(world.host.faults, "job=40")
    job = world.finish(world.change("dc01", 3))
    assert (job["JobState"], job["PercentComplete"]) == (10, 40)
    assert world.state("dc01") == 2
    assert world.vm("dc01")["ElementName"] == "dc01"


# -- the guest -----------------------------------------------------------------------------


def shut_down(world: Bench, name: str, method: str = "InitiateShutdown") -> int:
    machine = str(world.vm(name)["Name"])
    component = one(world.all("Msvm_ShutdownComponent"), lambda c: c["SystemName"] == machine)
    ref = CimRef(
        component.class_name,
        tuple((k, str(component[k])) for k in ("DeviceID", "SystemName")),
        V2,
    )
    return world.client.invoke(ref, method, Force=False, Reason="test").return_value


def test_a_guest_takes_its_time_to_shut_down(world: Bench) -> None:
    assert shut_down(world, "web01") == 0
    assert world.state("web01") == 2
    assert shut_down(world, "web01") == 32782
    world.clock.advance(4)
    assert world.state("web01") == 4
    world.clock.advance(30)
    assert world.state("web01") == 3


def test_a_stuck_guest_never_gets_there_and_can_be_turned_off() -> None:
    world = bench("troubled", "HV-BAD")
    assert shut_down(world, "stuck-guest") == 0
    world.clock.advance(3600)
    assert world.state("stuck-guest") == 4
    assert world.finish(world.change("stuck-guest", 3))["JobState"] == 7
    assert world.state("stuck-guest") == 3


def test_a_reboot_begins_again(world: Bench) -> None:
    assert shut_down(world, "web01", "InitiateReboot") == 0
    world.clock.advance(60)
    uptime = world.vm("web01")["OnTimeInMilliseconds"]
    assert world.state("web01") == 2
    assert isinstance(uptime, int)
    assert uptime < 60_000


def test_a_guest_that_is_booting_is_not_ready(world: Bench) -> None:
    world.finish(world.change("dc01", 11), seconds=3)
    assert shut_down(world, "dc01") == 32780


# -- summaries and the console -------------------------------------------------------------


def summaries(world: Bench, *codes: int, of: tuple[CimValue, ...] = ()) -> list[CimInstance]:
    output = world.call(
        VSMS, "GetSummaryInformation", SettingData=of or None, RequestedInformation=codes
    )
    assert output.return_value == 0
    rows = output.values["SummaryInformation"]
    assert isinstance(rows, tuple)
    return [row for row in rows if isinstance(row, CimInstance)]


def test_only_what_was_requested_is_told_and_the_name_always(world: Bench) -> None:
    rows = summaries(world, 1, 100, 103)
    assert len(rows) == 12
    row = one(rows, lambda r: r.get("ElementName") == "sql01")
    assert row["Name"] == world.vm("sql01")["Name"]
    assert (row["EnabledState"], row["MemoryUsage"]) == (2, 65536)
    assert row.get("UpTime") is None
    assert row.get("Notes") is None


def test_an_off_machine_has_no_load_and_no_memory(world: Bench) -> None:
    row = one(summaries(world, 1, 101, 103, 105), lambda r: r.get("ElementName") == "pki-root")
    assert (row.get("ProcessorLoad"), row.get("MemoryUsage"), row["UpTime"]) == (None, None, 0)


def test_a_reference_that_does_not_resolve_has_an_empty_name(world: Bench) -> None:
    rows = summaries(world, 1, of=(settings_of("00000000-0000-0000-0000-000000000000"),))
    assert [row["Name"] for row in rows] == [""]


def test_a_thumbnail_has_the_size_asked_for(world: Bench) -> None:
    target = settings_of(str(world.vm("sql01")["Name"]))
    image: CimValue = b""
    for width, height in ((320, 240), (80, 60), (64, 100)):
        output = world.call(
            VSMS,
            "GetVirtualSystemThumbnailImage",
            TargetSystem=target,
            WidthPixels=width,
            HeightPixels=height,
        )
        image = output.values["ImageData"]
        assert isinstance(image, bytes)
        assert len(image) == width * height * 2
        assert len(set(image)) > 2
    assert isinstance(image, bytes)
    assert image[: 64 * 2] == bytes(64 * 2), "another aspect ratio is padded with black"
    off = settings_of(str(world.vm("pki-root")["Name"]))
    refused = world.call(
        VSMS, "GetVirtualSystemThumbnailImage", TargetSystem=off, WidthPixels=8, HeightPixels=8
    )
    assert refused.return_value == 32775


def test_text_can_be_typed(world: Bench) -> None:
    keyboard = CimRef("Msvm_Keyboard", (("SystemName", str(world.vm("sql01")["Name"])),), V2)
    assert world.client.invoke(keyboard, "TypeText", asciiText="dir\n").return_value == 0
    assert world.client.invoke(keyboard, "TypeText", asciiText="x" * 600).return_value == 32773
    assert world.client.invoke(keyboard, "TypeCtrlAltDel").return_value == 0


# -- settings ------------------------------------------------------------------------------


def modify(world: Bench, name: str, **values: CimValue) -> MethodOutput:
    text = embedded(
        "Msvm_VirtualSystemSettingData",
        InstanceID=f"Microsoft:{word(world.vm(name)['Name'])}",
        **values,
    )
    return world.call(VSMS, "ModifySystemSettings", SystemSettings=text)


def test_a_rename_shows_everywhere(world: Bench) -> None:
    text = embedded(
        "Msvm_VirtualSystemSettingData",
        InstanceID=f"Microsoft:{word(world.vm('dc01')['Name'])}",
        ElementName="dc-berlin",
        Notes=("first", "second"),
    )
    world.done(world.call(VSMS, "ModifySystemSettings", SystemSettings=text))
    assert world.settings("dc-berlin")["Notes"] == ("first",)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"SecureBootEnabled": False}, 32775),
        ({"BIOSNumLock": True}, 32768),
        ({"UserSnapshotType": 9}, 32773),
        ({"ElementName": ""}, 32773),
    ],
)
def test_settings_a_running_machine_refuses(
    world: Bench, values: dict[str, CimValue], code: int
) -> None:
    text = embedded(
        "Msvm_VirtualSystemSettingData",
        InstanceID=f"Microsoft:{word(world.vm('dc01')['Name'])}",
        **values,
    )
    assert world.call(VSMS, "ModifySystemSettings", SystemSettings=text).return_value == code


def test_notes_as_a_scalar_are_an_invalid_parameter(world: Bench) -> None:
    name = word(world.vm("dc01")["Name"])
    text = (
        '<INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData">'
        f'<PROPERTY NAME="InstanceID" TYPE="string"><VALUE>Microsoft:{name}'
        '</VALUE></PROPERTY><PROPERTY NAME="Notes" TYPE="string"><VALUE>x</VALUE></PROPERTY>'
        "</INSTANCE>"
    )
    assert world.call(VSMS, "ModifySystemSettings", SystemSettings=text).return_value == 32773


def resource(world: Bench, name: str, class_name: str, **values: CimValue) -> int:
    item = world.of(name, class_name)[0]
    text = embedded(class_name, InstanceID=item["InstanceID"], **values)
    output = world.call(VSMS, "ModifyResourceSettings", ResourceSettings=(text,))
    if output.return_value == 4096:
        world.done(output)
    return output.return_value


MEMORY, PROCESSOR = "Msvm_MemorySettingData", "Msvm_ProcessorSettingData"


@pytest.mark.parametrize(
    ("name", "class_name", "values", "code"),
    [
        ("pki-root", MEMORY, {"VirtualQuantity": 4096}, 4096),
        ("pki-root", MEMORY, {"VirtualQuantity": 4097}, 32773),
        ("pki-root", MEMORY, {"DynamicMemoryEnabled": True, "Limit": 1024}, 32773),
        ("sql01", MEMORY, {"VirtualQuantity": 32768}, 4096),
        ("sql01", MEMORY, {"DynamicMemoryEnabled": True}, 32775),
        ("web01", MEMORY, {"Limit": 32768}, 4096),
        ("web01", MEMORY, {"Limit": 8192}, 32775),
        ("web01", MEMORY, {"VirtualQuantity": 4096}, 32775),
        ("pki-root", PROCESSOR, {"VirtualQuantity": 4}, 4096),
        ("pki-root", PROCESSOR, {"VirtualQuantity": 0}, 32773),
        ("sql01", PROCESSOR, {"VirtualQuantity": 4}, 32775),
        ("sql01", PROCESSOR, {"Weight": 200}, 4096),
        ("sql01", PROCESSOR, {"Limit": 100001}, 32773),
    ],
)
def test_memory_and_processors_may_change_within_the_rules(
    world: Bench, name: str, class_name: str, values: dict[str, CimValue], code: int
) -> None:
    assert resource(world, name, class_name, **values) == code
    after = world.of(name, class_name)[0]
    if code == 4096:
        assert {key: after[key] for key in values} == values


def test_an_adapter_can_be_unplugged_and_plugged_into_another_switch(world: Bench) -> None:
    port = "Msvm_EthernetPortAllocationSettingData"
    assert resource(world, "dc01", port, EnabledState=3) == 4096
    switch = one(world.all("Msvm_VirtualEthernetSwitch"), lambda s: s["ElementName"] == "DMZ")
    kind = "Msvm_VirtualEthernetSwitch"
    path = f'{kind}.CreationClassName="{kind}",Name="{word(switch["Name"])}"'
    assert resource(world, "dc01", port, EnabledState=2, HostResource=(path,)) == 4096
    after = world.of("dc01", port)[0]
    assert (after["EnabledState"], after["LastKnownSwitchName"]) == (2, "DMZ")
    assert resource(world, "dc01", port, HostResource=('X.Name="nowhere"',)) == 32773


# -- devices -------------------------------------------------------------------------------


def add(world: Bench, name: str, *texts: str) -> int | list[CimInstance]:
    target = settings_of(str(world.vm(name)["Name"]))
    output = world.call(
        VSMS, "AddResourceSettings", AffectedConfiguration=target, ResourceSettings=texts
    )
    return world.done(output) if output.return_value == 4096 else output.return_value


def remove(world: Bench, *items: CimInstance) -> int:
    refs = tuple(by_id(item) for item in items)
    output = world.call(VSMS, "RemoveResourceSettings", ResourceSettings=refs)
    if output.return_value == 4096:
        world.done(output)
    return output.return_value


def make_disk(world: Bench, path: str) -> None:
    text = embedded(
        "Msvm_VirtualHardDiskSettingData", Path=path, Type=3, Format=3, MaxInternalSize=60 << 30
    )
    made = world.call(
        "Msvm_ImageManagementService", "CreateVirtualHardDisk", VirtualDiskSettingData=text
    )
    assert world.finish(made)["JobState"] == 7


def drive_text(controller: CimInstance, slot: str = "9") -> str:
    return embedded(
        "Msvm_ResourceAllocationSettingData",
        ResourceType=17,
        ResourceSubType="Microsoft:Hyper-V:Synthetic Disk Drive",
        Parent=path_of(controller),
        AddressOnParent=slot,
    )


def test_a_disk_goes_into_a_running_machine_and_out_again(world: Bench) -> None:
    controller = one(
        world.of("sql01", "Msvm_ResourceAllocationSettingData"), lambda r: r["ResourceType"] == 6
    )
    found = add(world, "sql01", drive_text(controller))
    assert isinstance(found, list)
    drive = one(found, lambda i: i.class_name == "Msvm_ResourceAllocationSettingData")
    assert str(drive["InstanceID"]).endswith("\\0\\9\\D")
    assert add(world, "sql01", drive_text(controller)) == 32773, "the slot is taken"
    image = embedded(
        "Msvm_StorageAllocationSettingData",
        ResourceType=31,
        ResourceSubType="Microsoft:Hyper-V:Virtual Hard Disk",
        Parent=path_of(drive),
        HostResource=("D:\\Hyper-V\\new.vhdx",),
    )
    make_disk(world, "D:\\Hyper-V\\new.vhdx")
    assert isinstance(add(world, "sql01", image), list)
    disks = world.of("sql01", "Msvm_StorageAllocationSettingData")
    disk = one(disks, lambda d: d["HostResource"] == ("D:\\Hyper-V\\new.vhdx",))
    assert remove(world, drive) == 32775, "the image must go first"
    assert remove(world, disk) == 4096
    assert remove(world, drive) == 4096
    assert len(world.of("sql01", "Msvm_StorageAllocationSettingData")) == len(disks) - 1


def test_ide_and_legacy_devices_are_not_hot_pluggable(world: Bench) -> None:
    controllers = world.of("print01", "Msvm_ResourceAllocationSettingData")
    ide = one(controllers, lambda r: r["ResourceType"] == 5 and r["Address"] == "0")
    assert add(world, "print01", drive_text(ide, "1")) == 32775
    legacy = embedded("Msvm_EmulatedEthernetPortSettingData", ElementName="Legacy")
    assert add(world, "print01", legacy) == 32775
    assert add(world, "dc01", legacy) == 32773, "generation 2 has no legacy adapters"


def test_an_adapter_is_added_with_an_address_and_removed_with_its_port(world: Bench) -> None:
    class_name = "Msvm_SyntheticEthernetPortSettingData"
    found = add(world, "dc01", embedded(class_name, ElementName="Second"))
    assert isinstance(found, list)
    nic = one(found, lambda i: i.class_name == class_name)
    assert len(str(nic["Address"])) == 12
    port = embedded("Msvm_EthernetPortAllocationSettingData", Parent=path_of(nic))
    assert isinstance(add(world, "dc01", port), list)
    assert len(world.of("dc01", "Msvm_EthernetPortAllocationSettingData")) == 2
    assert remove(world, nic) == 4096
    assert len(world.of("dc01", "Msvm_EthernetPortAllocationSettingData")) == 1


def test_a_vlan_is_added_changed_and_removed(world: Bench) -> None:
    class_name = "Msvm_EthernetSwitchPortVlanSettingData"
    port = world.of("pki-root", "Msvm_EthernetPortAllocationSettingData")[0]
    text = embedded(class_name, OperationMode=1, AccessVlanId=42)
    added = world.call(
        VSMS, "AddFeatureSettings", AffectedConfiguration=by_id(port), FeatureSettings=(text,)
    )
    world.done(added)
    vlan = world.of("pki-root", class_name)[0]
    assert vlan["AccessVlanId"] == 42
    text = embedded(class_name, InstanceID=vlan["InstanceID"], AccessVlanId=43)
    world.done(world.call(VSMS, "ModifyFeatureSettings", FeatureSettings=(text,)))
    assert world.of("pki-root", class_name)[0]["AccessVlanId"] == 43
    bad = embedded(class_name, InstanceID=vlan["InstanceID"], AccessVlanId=5000)
    refused = world.call(VSMS, "ModifyFeatureSettings", FeatureSettings=(bad,))
    assert refused.return_value == 32773
    world.done(world.call(VSMS, "RemoveFeatureSettings", FeatureSettings=(by_id(vlan),)))
    assert not world.of("pki-root", class_name)


# -- whole machines ------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [1, 2])
def test_a_machine_is_defined_bare_and_destroyed(world: Bench, generation: int) -> None:
    text = embedded(
        "Msvm_VirtualSystemSettingData",
        ElementName="brand-new",
        VirtualSystemSubType=f"Microsoft:Hyper-V:SubType:{generation}",
    )
    output = world.call(VSMS, "DefineSystem", SystemSettings=text, ResourceSettings=None)
    assert output.values.get("ResultingSystem") is None
    made = one(world.done(output), lambda i: i.class_name == "Msvm_ComputerSystem")
    assert made["ElementName"] == "brand-new"
    assert made["EnabledState"] == 3
    kinds = [r["ResourceType"] for r in world.of("brand-new", "Msvm_ResourceAllocationSettingData")]
    assert kinds.count(5) == (2 if generation == 1 else 0)
    assert 6 not in kinds
    assert world.finish(world.change("brand-new", 2))["JobState"] == 7
    refused = world.call(VSMS, "DestroySystem", AffectedSystem=system(str(made["Name"])))
    assert refused.return_value == 32775
    world.finish(world.change("brand-new", 3))
    world.done(world.call(VSMS, "DestroySystem", AffectedSystem=system(str(made["Name"]))))
    assert "brand-new" not in [v["ElementName"] for v in world.all("Msvm_ComputerSystem")]
    assert not [
        i for i in world.all("CIM_SettingData") if str(made["Name"]) in str(i["InstanceID"])
    ]


def test_a_machine_is_defined_with_processors_and_memory(world: Bench) -> None:
    processor = embedded(PROCESSOR, VirtualQuantity=6)
    output = world.call(
        VSMS,
        "DefineSystem",
        SystemSettings=embedded("Msvm_VirtualSystemSettingData", ElementName="sized"),
        ResourceSettings=(processor, embedded(MEMORY, VirtualQuantity=2048)),
    )
    world.done(output)
    assert world.of("sized", PROCESSOR)[0]["VirtualQuantity"] == 6
    assert world.of("sized", MEMORY)[0]["VirtualQuantity"] == 2048


# -- checkpoints ---------------------------------------------------------------------------


def checkpoints(world: Bench, name: str) -> list[CimInstance]:
    machine = world.vm(name)["Name"]
    return [
        s
        for s in world.all("Msvm_VirtualSystemSettingData")
        if s["VirtualSystemIdentifier"] == machine and "Snapshot" in str(s["VirtualSystemType"])
    ]


def take(world: Bench, name: str) -> CimInstance:
    output = world.call(
        SNAPSHOTS,
        "CreateSnapshot",
        AffectedSystem=world.ref(name),
        SnapshotSettings="",
        SnapshotType=2,
    )
    found = world.done(output)
    return one(found, lambda i: i.class_name == "Msvm_VirtualSystemSettingData")


def images(world: Bench, name: str) -> list[CimValue]:
    found = world.of(name, "Msvm_StorageAllocationSettingData")
    return [i["HostResource"] for i in found]


def test_checkpoints_chain_and_merge_back(world: Bench) -> None:
    before = images(world, "dc01")
    first, second = take(world, "dc01"), take(world, "dc01")
    assert second["Parent"] == path_with_host(first)
    assert world.settings("dc01")["Parent"] == path_with_host(second)
    assert all(".avhdx" in str(path) for path in images(world, "dc01"))
    for item in (first, second):
        world.done(world.call(SNAPSHOTS, "DestroySnapshot", AffectedSnapshot=by_id(item)))
    assert checkpoints(world, "dc01") == []
    assert world.settings("dc01")["Parent"] is None
    assert images(world, "dc01") == before


def path_with_host(item: CimInstance) -> str:
    return f"\\\\HV01\\root\\virtualization\\v2:{path_of(item)}"


def test_a_tree_goes_at_once(world: Bench) -> None:
    world = bench("datacenter", "HV02")
    base = one(checkpoints(world, "win10-ltsc"), lambda c: c["ElementName"] == "base")
    world.done(world.call(SNAPSHOTS, "DestroySnapshotTree", SnapshotSettingData=by_id(base)))
    assert checkpoints(world, "win10-ltsc") == []


def test_applying_brings_the_settings_back_and_needs_the_machine_off(world: Bench) -> None:
    point = take(world, "pki-root")
    assert resource(world, "pki-root", PROCESSOR, VirtualQuantity=8) == 4096
    world.done(world.call(SNAPSHOTS, "ApplySnapshot", Snapshot=by_id(point)))
    assert world.of("pki-root", PROCESSOR)[0]["VirtualQuantity"] == 1
    running = take(world, "dc01")
    refused = world.call(SNAPSHOTS, "ApplySnapshot", Snapshot=by_id(running))
    assert refused.return_value == 32775


def test_a_standard_checkpoint_of_a_running_machine_ends_up_saved(world: Bench) -> None:
    modified = modify(world, "dc01", UserSnapshotType=5)
    world.done(modified)
    point = take(world, "dc01")
    assert point["IsSaved"] is True
    world.finish(world.change("dc01", 3))
    world.done(world.call(SNAPSHOTS, "ApplySnapshot", Snapshot=by_id(point)))
    assert world.state("dc01") == 6


# -- switches ------------------------------------------------------------------------------


def define_switch(world: Bench, name: str, *ports: str) -> MethodOutput:
    text = embedded("Msvm_VirtualEthernetSwitchSettingData", ElementName=name)
    return world.call(SWITCHES, "DefineSystem", SystemSettings=text, ResourceSettings=ports or None)


def adapter_path(port: CimInstance) -> str:
    device = str(port["DeviceID"])
    return (
        f'Msvm_ExternalEthernetPort.CreationClassName="{port.class_name}",DeviceID="{device}",'
        f'SystemCreationClassName="Msvm_ComputerSystem",SystemName="{word(port["SystemName"])}"'
    )


def test_a_switch_is_made_over_a_free_adapter_and_frees_it_again(world: Bench) -> None:
    port = "Msvm_EthernetPortAllocationSettingData"
    free = one(world.all("Msvm_ExternalEthernetPort"), lambda p: p["IsBound"] is False)
    text = embedded(port, HostResource=(adapter_path(free),))
    made = one(
        world.done(define_switch(world, "Extra", text)),
        lambda i: i.class_name == "Msvm_VirtualEthernetSwitch",
    )
    assert all(p["IsBound"] for p in world.all("Msvm_ExternalEthernetPort"))
    again = define_switch(world, "Another", text)
    assert again.return_value == 32774
    ref = system(str(made["Name"]), "Msvm_VirtualEthernetSwitch")
    world.done(world.call(SWITCHES, "DestroySystem", AffectedSystem=ref))
    assert len([p for p in world.all("Msvm_ExternalEthernetPort") if not p["IsBound"]]) == 1


def test_a_wrong_or_scalar_path_is_an_incorrect_data_type(world: Bench) -> None:
    port = "Msvm_EthernetPortAllocationSettingData"
    wrong = define_switch(world, "X", embedded(port, HostResource=('Nothing.Name="x"',)))
    assert wrong.return_value == 32776
    scalar = (
        f'<INSTANCE CLASSNAME="{port}"><PROPERTY NAME="HostResource" TYPE="string">'
        "<VALUE>x</VALUE></PROPERTY></INSTANCE>"
    )
    assert define_switch(world, "X", scalar).return_value == 32776


def test_destroying_a_switch_leaves_machines_disconnected(world: Bench) -> None:
    switch = one(world.all("Msvm_VirtualEthernetSwitch"), lambda s: s["ElementName"] == "DMZ")
    ref = system(str(switch["Name"]), "Msvm_VirtualEthernetSwitch")
    world.done(world.call(SWITCHES, "DestroySystem", AffectedSystem=ref))
    port = world.of("proxy01", "Msvm_EthernetPortAllocationSettingData")[0]
    assert (port["EnabledState"], port["LastKnownSwitchName"]) == (3, "DMZ")


# -- the rest ------------------------------------------------------------------------------


def test_host_items_are_unique_and_must_be_there_to_be_changed(world: Bench) -> None:
    item = embedded("Msvm_KvpExchangeDataItem", Name="site", Data="berlin", Source=0)

    def call(method: str) -> int:
        output = world.call(VSMS, method, TargetSystem=world.ref("dc01"), DataItems=(item,))
        if output.return_value == 4096:
            world.done(output)
        return output.return_value

    assert [call(f"{verb}KvpItems") for verb in ("Modify", "Add", "Add", "Modify", "Remove")] == [
        32779,
        4096,
        32773,
        4096,
        4096,
    ]


def test_settings_of_the_service_change(world: Bench) -> None:
    text = embedded(
        "Msvm_VirtualSystemManagementServiceSettingData", DefaultExternalDataRoot="E:\\VMs"
    )
    world.done(world.call(VSMS, "ModifyServiceSettings", SettingData=text))
    found = world.all("Msvm_VirtualSystemManagementServiceSettingData")
    assert found[0]["DefaultExternalDataRoot"] == "E:\\VMs"


def test_a_checkpoint_under_way_can_be_cancelled(world: Bench) -> None:
    output = world.call(
        SNAPSHOTS,
        "CreateSnapshot",
        AffectedSystem=world.ref("dc01"),
        SnapshotSettings="",
        SnapshotType=2,
    )
    world.clock.advance(0.5)
    job = world.job(output)
    assert world.vm("dc01")["OperationalStatus"] == (2, 32768)
    assert world.client.invoke(by_id(job), "RequestStateChange", RequestedState=4).return_value == 0
    world.clock.advance(60)
    assert world.job(output)["JobState"] == 8
    assert checkpoints(world, "dc01") == []
    assert world.vm("dc01")["OperationalStatus"] == (2,)


def test_a_method_nobody_wrote_is_not_supported(world: Bench) -> None:
    assert world.call(VSMS, "GenerateWwpn", NumberOfWwpns=1).return_value == 32770

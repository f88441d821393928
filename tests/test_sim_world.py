"""The simulated world: time, loads, counters, identity, what every host shows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sim_kit import CIMV2, CLUSTER, V2, bench, embedded, one, word
from tui.errors import Fault
from tui.sim import scenes
from tui.sim.load import CHARACTERS, Pulses, load_of
from tui.sim.world import Fabric, StillClock
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.schema import cim_class


def number(value: CimValue) -> int:
    assert isinstance(value, int)
    return value


def by_name(rows: list[CimInstance]) -> dict[str, CimInstance]:
    return {str(row["Name"]): row for row in rows}


# -- load ----------------------------------------------------------------------------------


@pytest.mark.parametrize("character", CHARACTERS)
def test_a_load_stays_a_fraction_and_its_integral_is_exact(character: str) -> None:
    load = load_of(character, Fabric(StillClock(), 7).random(character))
    start, step, steps = 1_750_000_000.0, 0.5, 4000
    levels = [load.cpu.value(start + (n + 0.5) * step) for n in range(steps)]
    assert all(0.0 <= level <= 1.0 for level in levels)
    summed = sum(levels) * step
    assert load.cpu.area(start + steps * step) - load.cpu.area(start) == pytest.approx(
        summed, rel=1e-3
    )


def test_a_day_of_a_database_has_a_rhythm() -> None:
    load = load_of("db", Fabric(StillClock(), 3).random("db"))
    midnight = 1_750_032_000.0 - 1_750_032_000.0 % 86400
    hours = [load.cpu.mean(midnight + h * 3600, midnight + (h + 1) * 3600) for h in range(24)]
    assert max(hours[9:18]) > 1.5 * min(hours[2:5])


def test_a_pulse_train_repeats() -> None:
    train = Pulses(1.0, 100.0, 20.0, 3.0)
    assert train.value(13.0) == pytest.approx(1.0)
    assert train.value(113.0) == pytest.approx(1.0)
    assert train.value(50.0) == 0.0
    assert train.area(103.0) - train.area(3.0) == pytest.approx(10.0)


# -- time ----------------------------------------------------------------------------------


def test_effects_fall_due_in_order_and_at_their_own_moment() -> None:
    clock = StillClock(1000.0)
    fabric = Fabric(clock)
    seen: list[tuple[str, float]] = []

    def second(at: float) -> None:
        seen.append(("second", at))
        fabric.after(2.0, lambda at: seen.append(("third", at)))

    fabric.after(5.0, second)
    fabric.after(1.0, lambda at: seen.append(("first", at)))
    fabric.advance()
    assert seen == []
    clock.advance(10.0)
    fabric.advance()
    assert seen == [("first", 1001.0), ("second", 1005.0), ("third", 1007.0)]


def test_two_fabrics_of_one_seed_agree_and_of_another_do_not() -> None:
    def machines(seed: int, *, backwards: bool = False) -> set[tuple[object, ...]]:
        fabric = scenes.build("datacenter", clock=StillClock(), seed=seed)
        hosts = list(fabric.hosts.values())
        for host in hosts[::-1] if backwards else hosts:
            host.ensure()
        return {(m.id, *m.addresses.values()) for host in hosts for m in host.machines.values()}

    assert machines(1) == machines(1, backwards=True)
    assert not machines(1) & machines(2)


# -- what a host shows ---------------------------------------------------------------------


def test_the_host_is_one_of_the_systems_and_has_no_guid() -> None:
    host = one(bench().all("Msvm_ComputerSystem"), lambda v: v["ElementName"] == "HV01")
    assert host["Name"] == "HV01"
    assert host["InstallDate"] is None
    assert host["ProcessID"] is None
    assert host["RequestedState"] == 12


def test_running_and_off_machines_look_as_hosts_show_them() -> None:
    world = bench()
    running, off = world.vm("sql01"), world.vm("pki-root")
    assert running["EnabledState"] == 2
    assert running["EnhancedSessionModeState"] == 6
    assert number(running["OnTimeInMilliseconds"]) > 0
    assert running["ProcessID"]
    assert str(running["Name"]).upper() == running["Name"]
    assert off["EnabledState"] == 3
    assert off["EnhancedSessionModeState"] == 3
    assert off["OnTimeInMilliseconds"] == 0
    assert off["ProcessID"] is None


def test_every_instance_carries_every_scalar_of_its_class_and_null_is_told() -> None:
    world = bench()
    for item in world.all("CIM_ResourceAllocationSettingData"):
        shape = cim_class(V2, item.class_name)
        assert shape is not None
        scalars = {name for name, prop in shape.properties.items() if not prop.array}
        assert scalars <= item.values.keys()
    summary = world.all("Msvm_SummaryInformation")[0]
    assert summary["ThumbnailImageWidth"] is None


def test_settings_are_identified_as_hosts_identify_them() -> None:
    world = bench()
    machine = word(world.vm("print01")["Name"])
    ids = {str(i["InstanceID"]) for i in world.of("print01", "CIM_ResourceAllocationSettingData")}
    assert f"Microsoft:{machine}\\b637f346-6a0e-4dec-af52-bd70cb80a21d\\0" in ids
    assert f"Microsoft:{machine}\\4764334d-e001-4176-82ee-5594ec9b530e" in ids
    assert f"Microsoft:{machine}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\D" in ids
    assert f"Microsoft:{machine}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\L" in ids


def test_an_image_names_its_drive_and_the_drive_its_controller() -> None:
    world = bench()
    drives = {str(i["InstanceID"]) for i in world.of("sql01", "Msvm_ResourceAllocationSettingData")}
    for image in world.of("sql01", "Msvm_StorageAllocationSettingData"):
        named = str(image["Parent"]).partition('InstanceID="')[2].rstrip('"')
        assert named.replace("\\\\", "\\") in drives


def test_vlans_hang_below_the_port_of_their_adapter() -> None:
    world = bench()
    trunk = one(
        world.of("edge-fw01", "Msvm_EthernetSwitchPortVlanSettingData"),
        lambda v: v["OperationMode"] == 2,
    )
    assert trunk["TrunkVlanIdArray"] == (10, 20, 30, 40)
    ports = [
        str(p["InstanceID"])
        for p in world.of("edge-fw01", "Msvm_EthernetPortAllocationSettingData")
    ]
    assert str(trunk["InstanceID"]).rpartition("\\")[0] in ports


def test_the_guest_tells_of_itself_in_cim_xml() -> None:
    world = bench()
    machine = world.vm("web01")["Name"]
    component = one(world.all("Msvm_KvpExchangeComponent"), lambda c: c["SystemName"] == machine)
    texts = component["GuestIntrinsicExchangeItems"]
    assert isinstance(texts, tuple)
    assert any("OSName" in str(t) and "Ubuntu 24.04" in str(t) for t in texts)
    assert not [
        c
        for c in world.all("Msvm_ShutdownComponent")
        if c["SystemName"] == world.vm("pki-root")["Name"]
    ]


def test_switch_kinds_can_be_told_from_what_their_ports_name() -> None:
    world = bench("datacenter", "HV02")
    kinds = {}
    for switch in world.all("Msvm_VirtualEthernetSwitch"):
        prefix = f"Microsoft:{word(switch['Name'])}\\"
        resources = [
            str(p["HostResource"])
            for p in world.all("Msvm_EthernetPortAllocationSettingData")
            if str(p["InstanceID"]).startswith(prefix)
        ]
        external = any("Msvm_ExternalEthernetPort" in r for r in resources)
        internal = any("Msvm_ComputerSystem." in r for r in resources)
        kinds[switch["ElementName"]] = (external, internal)
    assert kinds == {
        "Production": (True, True),
        "Build": (False, False),
        "Host only": (False, True),
        "vSwitch_Prod": (True, False),
    }


@pytest.mark.parametrize(
    "association",
    [
        "Msvm_SettingsDefineState",
        "Msvm_VirtualSystemSettingDataComponent",
        "Msvm_SystemDevice",
        "Msvm_ElementSettingData",
        "Msvm_EthernetPortSettingDataComponent",
        "Msvm_SettingDataComponent",
        "Msvm_SnapshotOfVirtualSystem",
    ],
)
def test_both_ends_of_every_association_are_there(association: str) -> None:
    world = bench()
    links = world.all(association)
    assert links
    for link in links[:40]:
        for end in link.values.values():
            if hasattr(end, "keys"):
                assert world.client.get(end)  # type: ignore[arg-type]


def test_associators_of_a_machine_come_from_that_machine_only() -> None:
    world = bench()
    name = word(world.vm("sql01")["Name"])
    path = f'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="{name}"'
    found = world.client.query(V2, f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_SystemDevice")
    assert {item["SystemName"] for item in found} == {name}
    assert "Msvm_HeartbeatComponent" in {item.class_name for item in found}


# -- memory and time -----------------------------------------------------------------------


def test_dynamic_memory_follows_demand_within_its_bounds() -> None:
    world = bench()
    setting = world.of("web01", "Msvm_MemorySettingData")[0]
    seen = set()
    for _ in range(48):
        world.clock.advance(1800)
        row = one(world.all("Msvm_SummaryInformation"), lambda s: s["ElementName"] == "web01")
        usage = number(row["MemoryUsage"])
        assert number(setting["Reservation"]) <= usage <= number(setting["Limit"])
        assert usage % 2 == 0
        seen.add(usage)
    assert len(seen) > 10


def test_uptime_counts_with_the_clock() -> None:
    world = bench()
    before = one(world.all("Msvm_SummaryInformation"), lambda s: s["ElementName"] == "dc01")
    world.clock.advance(90)
    after = one(world.all("Msvm_SummaryInformation"), lambda s: s["ElementName"] == "dc01")
    assert number(after["UpTime"]) - number(before["UpTime"]) == 90_000


def test_disks_fill_slowly() -> None:
    world = bench()
    before = one(world.all("Win32_Volume", CIMV2), lambda v: v["Name"] == "D:\\")
    world.clock.advance(timedelta(hours=6).total_seconds())
    after = one(world.all("Win32_Volume", CIMV2), lambda v: v["Name"] == "D:\\")
    assert 0 < number(before["FreeSpace"]) - number(after["FreeSpace"]) < 4 << 30


# -- performance ---------------------------------------------------------------------------

VP = "Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor"
NIC = "Win32_PerfRawData_NvspNicStats_HyperVVirtualNetworkAdapter"
DISK = "Win32_PerfRawData_Counters_HyperVVirtualStorageDevice"
LP = "Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor"


def cooked(old: CimInstance, new: CimInstance, column: str) -> float:
    done = number(new[column]) - number(old[column])
    if column.startswith("Percent"):
        passed = number(new[column + "_Base"]) - number(old[column + "_Base"])
        return 100.0 * done / passed
    passed = number(new["Timestamp_PerfTime"]) - number(old["Timestamp_PerfTime"])
    return done * number(new["Frequency_PerfTime"]) / passed


def test_raw_processor_time_cooks_to_the_load() -> None:
    world = bench()
    old = by_name(world.all(VP, CIMV2))["sql01:Hv VP 0"]
    world.clock.advance(20)
    new = by_name(world.all(VP, CIMV2))["sql01:Hv VP 0"]
    machine = next(m for m in world.host.machines.values() if m.name == "sql01")
    now = world.clock.now()
    truth = 100 * machine.load.cpu.mean(now - 20, now)
    assert cooked(old, new, "PercentGuestRunTime") == pytest.approx(truth, abs=0.01)


def test_raw_traffic_and_storage_cook_to_rates_that_follow_the_load() -> None:
    world = bench()
    machine = next(m for m in world.host.machines.values() if m.name == "web01")
    name = next(n for n in by_name(world.all(NIC, CIMV2)) if machine.id in n)
    old = by_name(world.all(NIC, CIMV2))[name]
    old_disk = by_name(world.all(DISK, CIMV2))["D:-Hyper-V-Virtual Hard Disks-web01.vhdx"]
    world.clock.advance(10)
    new = by_name(world.all(NIC, CIMV2))[name]
    new_disk = by_name(world.all(DISK, CIMV2))["D:-Hyper-V-Virtual Hard Disks-web01.vhdx"]
    load, now = machine.load, world.clock.now()
    busy = load.cpu.mean(now - 10, now)
    sent = load.net_out.floor + load.net_out.per_load * busy
    sent += load.net_out.per_backup * load.backup.mean(now - 10, now)
    assert cooked(old, new, "BytesSentPersec") == pytest.approx(sent, rel=1e-4)
    assert cooked(old_disk, new_disk, "WriteBytesPersec") > 0


def test_the_host_is_as_busy_as_its_guests_and_itself() -> None:
    world = bench()
    old = by_name(world.all(LP, CIMV2))["_Total"]
    world.clock.advance(30)
    new = by_name(world.all(LP, CIMV2))["_Total"]
    now = world.clock.now()
    guests = sum(
        m.load.cpu.mean(now - 30, now) * m.cpus for m in world.host.machines.values() if m.alive
    )
    total = cooked(old, new, "PercentTotalRunTime")
    assert guests / 64 * 100 < total < guests / 64 * 100 * 1.1 + 5
    assert cooked(old, new, "PercentIdleTime") == pytest.approx(100 - total, abs=0.1)


def test_counters_of_the_host_do_not_go_back_when_a_machine_stops() -> None:
    world = bench()
    old = by_name(world.all(LP, CIMV2))["_Total"]
    world.clock.advance(5)
    assert world.change("sql01", 3).return_value == 4096
    world.clock.advance(5)
    new = by_name(world.all(LP, CIMV2))["_Total"]
    assert world.state("sql01") == 3
    assert 0 < cooked(old, new, "PercentTotalRunTime") < 100


def test_formatted_rows_agree_with_raw_ones() -> None:
    world = bench()
    formatted = by_name(world.all(LP.replace("Raw", "Formatted"), CIMV2))["_Total"]
    before = by_name(world.all(LP, CIMV2))["_Total"]
    world.clock.advance(4)
    after = by_name(world.all(LP, CIMV2))["_Total"]
    near = cooked(before, after, "PercentTotalRunTime")
    assert number(formatted["PercentTotalRunTime"]) == pytest.approx(near, abs=6)


def test_machines_of_one_name_get_numbered_instances() -> None:
    names = by_name(bench("troubled", "HV-BAD").all(VP, CIMV2))
    assert {"twin:Hv VP 0", "twin:Hv VP 0#1"} <= set(names)


def test_localhost_is_as_busy_as_this_machine() -> None:
    world = bench("datacenter", "LOCALHOST")
    total = by_name(world.all(LP, CIMV2))["_Total"]
    assert 0 < number(total["PercentTotalRunTime"]) <= number(total["PercentTotalRunTime_Base"])
    system = world.all("Win32_ComputerSystem", CIMV2)[0]
    assert number(system["TotalPhysicalMemory"]) > 1 << 28


# -- clusters ------------------------------------------------------------------------------


def test_every_node_tells_the_same_of_the_cluster() -> None:
    world = bench("datacenter", "NODE1")
    other = world.at("NODE4")
    for name in ("Node", "ResourceGroup", "Resource", "Network", "ClusterSharedVolume"):
        one_side = world.all(f"MSCluster_{name}", CLUSTER)
        assert one_side
        assert [i.values for i in one_side] == [
            i.values for i in other.all(f"MSCluster_{name}", CLUSTER)
        ]


def test_roles_are_owned_by_the_node_their_machine_is_on() -> None:
    world = bench("datacenter", "NODE1")
    groups = world.at("NODE2").all("MSCluster_ResourceGroup", CLUSTER)
    owner = {g["Name"]: g["OwnerNode"] for g in groups if g["GroupType"] == 111}
    assert owner["dc02"] == "NODE1"
    assert owner["crm01"] == "NODE2"
    assert len(owner) == 42


def test_a_standalone_host_has_no_cluster_namespace() -> None:
    with pytest.raises(Fault) as caught:
        bench().all("MSCluster_Cluster", CLUSTER)
    assert caught.value.subcode == "CannotProcessFilter"


def test_a_missing_namespace_is_a_fault_and_the_others_answer() -> None:
    world = bench("troubled", "HV-NOROLE")
    with pytest.raises(Fault):
        world.all("Msvm_ComputerSystem")
    assert world.all("Win32_OperatingSystem", CIMV2)


def test_an_unknown_class_can_be_ordered() -> None:
    world = bench()
    world.host.faults.unknown_classes.add("msvm_summaryinformation")
    with pytest.raises(Fault):
        world.all("Msvm_SummaryInformation")
    assert world.all("Msvm_ComputerSystem")


def test_embedded_text_survives_hostile_names() -> None:
    world = bench("troubled", "HV-BAD")
    name = word(world.vm("quote'\"s & <tags>")["Name"])
    text = embedded(
        "Msvm_VirtualSystemSettingData",
        InstanceID=f"Microsoft:{name}",
        Notes=("a & <b>",),
    )
    world.done(
        world.call(
            "Msvm_VirtualSystemManagementService", "ModifySystemSettings", SystemSettings=text
        )
    )
    assert world.settings("quote'\"s & <tags>")["Notes"] == ("a & <b>",)

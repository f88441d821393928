"""Reading a simulated host: what it tells in plain WQL is what the inventory says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from tests.hyperv_kit import (
    GB,
    HOST,
    VMS,
    Bench,
    Wire,
    bench,
    describe,
    questions,
    refusing,
    vm_ref,
)
from tui.errors import Dropped, Fault, HvError, MethodFailed
from tui.hyperv import ask, machines
from tui.hyperv.model import Inventory, NicKind, SwitchKind, VlanMode, Vm, VmVitals
from tui.hyperv.read import REQUESTS, Reader
from tui.sim.plan import VmPlan
from tui.wsman import reply
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.client import CimClient
from tui.wsman.fault import fault
from tui.wsman.request import Enumerate, Header, Invoke, Request
from tui.wsman.values import EnabledState, Wsman

V2 = "root/virtualization/v2"
CIMV2 = "root/cimv2"
NET = "Win32_PerfRawData_NvspNicStats_HyperVVirtualNetworkAdapter"
DISK = "Win32_PerfRawData_Counters_HyperVVirtualStorageDevice"
PROCESSOR = "Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor"
GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def settle(at: Bench, ticks: int = 8) -> Inventory:
    """Facts, settings, and as many fast ticks as every counter needs."""
    at.reader.fast()
    at.reader.facts()
    at.reader.slow()
    for _ in range(ticks):
        at.pass_time(2)
        inventory = at.reader.fast()
    at.wire.take()
    return inventory


def named(inventory: Inventory, name: str) -> tuple[Vm, VmVitals]:
    vm = next(vm for vm in inventory.vms.values() if vm.name == name)
    return vm, inventory.vm_vitals[vm.id]


def true_systems(at: Bench) -> dict[str, CimInstance]:
    rows = at.wql(V2, "SELECT * FROM Msvm_ComputerSystem")
    return {str(row["Name"]): row for row in rows if GUID.fullmatch(str(row["Name"]))}


def texts(value: CimValue) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, tuple) else ()


# -- the fast tick -------------------------------------------------------------------------


def test_a_first_fast_tick_lists_every_machine_with_its_state() -> None:
    at = bench()
    inventory = at.reader.fast()
    truth = true_systems(at)
    assert set(inventory.vms) == set(inventory.vm_vitals) == set(truth)
    assert len(truth) == len(VMS)
    for vm_id, row in truth.items():
        assert inventory.vm_vitals[vm_id].state == row["EnabledState"]
        assert inventory.vms[vm_id].host == "hv01"
    assert named(inventory, "sql01")[0].processors == 8


def test_a_fast_tick_asks_at_most_three_questions_however_many_machines() -> None:
    few = bench()
    many = bench(replace(HOST, vms=tuple(VmPlan(f"vm{n:03}", "ubuntu24") for n in range(120))))
    for at in (few, many):
        asked: list[int] = []
        for _ in range(40):
            at.reader.fast()
            asked.append(len(at.wire.take()))
            at.pass_time(2)
        assert max(asked) == REQUESTS


def test_a_fast_tick_never_fetches_pictures_checkpoints_or_sampled_loads() -> None:
    at = bench()
    settle(at)
    for _ in range(12):
        at.reader.fast()
    for asked in at.wire.take():
        if isinstance(asked, Invoke):
            codes = asked.parameters["RequestedInformation"]
            assert isinstance(codes, tuple)
            assert not {5, 6, 7, 107} & set(codes)
        else:
            assert isinstance(asked, Enumerate)
            assert asked.wql is not None
            assert "LoadPercentage" not in asked.wql
            assert "* FROM Win32_" not in asked.wql


def test_every_source_gets_its_turn() -> None:
    at = bench()
    seen = ""
    for _ in range(4):
        at.reader.fast()
        seen += " ".join(questions(at.wire.take()))
    for source in (NET, DISK, PROCESSOR, "FreePhysicalMemory", "CIM_ConcreteJob"):
        assert source in seen


def test_processor_sockets_are_never_read_whole() -> None:
    at = bench()
    at.wire.intercept = refusing(
        lambda text: "Win32_Processor" in text and "*" not in text,
        fault(Wsman.CANNOT_PROCESS_FILTER),
    )
    at.reader.facts()
    assert not any("* FROM Win32_Processor" in text for text in questions(at.wire.take()))


def test_vitals_are_the_numbers_the_host_shows() -> None:
    at = bench()
    inventory = settle(at)
    rows = at.wql(V2, "SELECT * FROM Msvm_SummaryInformation")
    truth = {str(row["Name"]): row for row in rows}
    for vm_id, vitals in inventory.vm_vitals.items():
        row = truth[vm_id]
        assert vitals.cpu == row["ProcessorLoad"]
        memory = row["MemoryUsage"]
        assert vitals.memory == (memory * 1048576 if isinstance(memory, int) else None)
        assert vitals.memory_available == row["MemoryAvailable"]
        assert vitals.health == row["HealthState"]
    assert named(inventory, "web01")[1].demand is not None
    assert named(inventory, "sql01")[1].heartbeat == 2


def test_machines_that_are_off_have_no_load() -> None:
    vitals = named(settle(bench()), "idle01")[1]
    assert vitals.state == EnabledState.OFF
    measured = (vitals.cpu, vitals.memory, vitals.started_at, vitals.net_in, vitals.disk_read)
    assert measured == (None,) * 5


def test_started_at_stands_still_while_uptime_jitters() -> None:
    at = bench()
    row = at.wql(V2, "SELECT * FROM Msvm_SummaryInformation WHERE ElementName = 'sql01'")[0]
    first = machines.join_vitals(row, "hv01", None, 10_000.0)
    uptime = row["UpTime"]
    assert isinstance(uptime, int)
    before = first
    for tick, jitter in enumerate((-1400, 2200, 0, 3100, -2600), start=1):
        row.values["UpTime"] = uptime + tick * 2000 + jitter
        before = machines.join_vitals(row, "hv01", before, 10_000.0 + tick * 2)
        assert before.started_at == first.started_at
    row.values["UpTime"] = 4000
    restarted = machines.join_vitals(row, "hv01", before, 10_012.0)
    assert restarted.started_at == pytest.approx(10_008.0)


def test_since_is_what_the_host_says_however_late_we_look() -> None:
    at = bench()
    first = named(at.reader.fast(), "sql01")[1]
    assert (first.since, first.since_at_least) == (at.clock.now(), True)
    vitals = named(at.reader.slow(), "sql01")[1]
    assert vitals.since == pytest.approx(at.clock.now() - 90000.0, abs=1)
    assert not vitals.since_at_least
    truth = true_systems(at)[vitals.id]
    assert vitals.process == truth["ProcessID"] != 0
    at.pass_time(2)
    assert named(at.reader.fast(), "sql01")[1].since == vitals.since


def test_a_change_we_saw_is_dated_at_once_and_then_exactly() -> None:
    at = bench()
    settle(at)
    at.client.invoke(vm_ref(at.vm("sql01")), "RequestStateChange", RequestedState=3)
    at.pass_time(60)
    vitals = named(at.reader.fast(), "sql01")[1]
    assert vitals.state == EnabledState.OFF
    assert (vitals.since, vitals.since_at_least) == (at.clock.now(), False)
    assert vitals.process == 0
    exact = named(at.reader.slow(), "sql01")[1]
    assert at.clock.now() - 60 <= exact.since < at.clock.now()


@pytest.mark.parametrize("told", [datetime(1601, 1, 1, tzinfo=UTC), None, "state", "ahead"])
def test_a_date_that_cannot_be_of_this_state_is_not_taken(told: datetime | str | None) -> None:
    at = bench()
    before = named(at.reader.fast(), "sql01")[1]
    row = true_systems(at)[before.id]
    if told == "state":
        row.values["EnabledState"] = 3
    elif told == "ahead":
        row.values["TimeOfLastStateChange"] = datetime.fromtimestamp(at.clock.now() + 90, UTC)
    else:
        row.values["TimeOfLastStateChange"] = told
    after = machines.join_standings({before.id: before}, [row], at.clock.now())[before.id]
    assert (after.since, after.since_at_least) == (before.since, True)


def test_contact_is_remembered_for_as_long_as_the_machine_runs() -> None:
    at = bench()
    row = at.wql(V2, "SELECT * FROM Msvm_SummaryInformation WHERE ElementName = 'sql01'")[0]
    row.values["Heartbeat"] = 12
    vitals = machines.join_vitals(row, "hv01", None, 1000.0)
    assert not vitals.had_contact
    row.values["Heartbeat"] = 2
    vitals = machines.join_vitals(row, "hv01", vitals, 1000.0)
    row.values["Heartbeat"] = 12
    vitals = machines.join_vitals(row, "hv01", vitals, 1000.0)
    assert vitals.had_contact
    row.values["UpTime"] = 1000
    assert not machines.join_vitals(row, "hv01", vitals, 1000.0).had_contact


# -- the two ways to a summary -------------------------------------------------------------


def test_a_host_that_refuses_the_method_is_queried_and_that_is_remembered() -> None:
    at = bench()
    at.wire.intercept = refusing(
        lambda text: "GetSummaryInformation" in text, fault(Wsman.ACTION_NOT_SUPPORTED)
    )
    inventory = at.reader.fast()
    assert set(inventory.vms) == set(true_systems(at))
    assert len(at.wire.take()) <= REQUESTS
    at.reader.fast()
    assert not any("GetSummary" in text for text in questions(at.wire.take()))


def test_both_ways_tell_the_same() -> None:
    by_method, by_query = bench(), bench()
    by_query.wire.intercept = refusing(
        lambda text: "GetSummaryInformation" in text, fault(Wsman.MAX_ENVELOPE_SIZE_EXCEEDED)
    )
    assert without_rates(settle(by_method)) == without_rates(settle(by_query))


def without_rates(inventory: Inventory) -> list[VmVitals]:
    """Rates are means over the time between two readings, which ticks may share out anew."""
    return [
        structs.replace(vitals, net_in=None, net_out=None, disk_read=None, disk_write=None)
        for vitals in inventory.vm_vitals.values()
    ]


def test_refused_rights_are_not_taken_for_another_way() -> None:
    at = bench()
    at.host.faults.access_denied = True
    with pytest.raises(Fault) as caught:
        at.reader.fast()
    assert caught.value.code == Wsman.ACCESS_DENIED
    assert len(at.wire.take()) == 1


def test_a_method_that_answers_denied_names_the_group_that_is_missing() -> None:
    at = bench()

    def denied(asked: Request, header: Header) -> bytes | None:
        if not isinstance(asked, Invoke):
            return None
        return reply.encode(reply.MethodOutput(32769, {}), request=asked, header=header)

    at.wire.intercept = denied
    with pytest.raises(MethodFailed) as caught:
        at.reader.fast()
    assert "Hyper-V Administrators" in caught.value.hint


# -- what a host may lack ------------------------------------------------------------------


def test_without_the_role_the_error_says_so() -> None:
    at = bench()
    assert at.host.repository
    at.host.faults.missing_namespaces.add(V2)
    with pytest.raises(HvError, match="no Hyper-V role") as caught:
        at.reader.fast()
    assert "root/virtualization/v2" in caught.value.cause
    assert caught.value.hint


def test_an_account_without_rights_sees_nothing_and_is_told_why() -> None:
    at = bench()

    def nothing(asked: Request, header: Header) -> bytes | None:
        if isinstance(asked, Invoke):
            return reply.encode(fault(Wsman.RESOURCE_NOT_FOUND), request=asked, header=header)
        return reply.encode(reply.Items((), None, end=True), request=asked, header=header)

    at.wire.intercept = nothing
    with pytest.raises(HvError, match="sees nothing of Hyper-V") as caught:
        at.reader.fast()
    assert "Hyper-V Administrators" in caught.value.hint


def test_a_host_without_machines_is_no_error() -> None:
    inventory = settle(bench(replace(HOST, vms=())))
    assert inventory.vms == {}
    assert inventory.vitals.cpu is not None
    assert len(inventory.switches) == 3


@pytest.mark.parametrize("gone", [NET, DISK, PROCESSOR])
def test_a_missing_counter_costs_only_what_it_tells(gone: str) -> None:
    at = bench()
    assert at.host.repository
    at.host.faults.unknown_classes.add(gone.lower())
    inventory = settle(at, ticks=14)
    vitals, sql = inventory.vitals, named(inventory, "sql01")[1]
    assert (vitals.net_in is None) == (sql.net_in is None) == (gone == NET)
    assert (vitals.disk_read is None) == (sql.disk_read is None) == (gone == DISK)
    assert (vitals.cpu is None) == (gone == PROCESSOR)
    assert vitals.memory_free is not None
    assert gone in at.reader.unavailable


def test_a_missing_counter_is_left_alone_for_a_while_and_then_tried_again() -> None:
    at = bench()
    assert at.host.repository
    at.host.faults.unknown_classes.add(NET.lower())
    settle(at, ticks=14)
    for _ in range(20):
        at.pass_time(2)
        at.reader.fast()
    assert not any(NET in text for text in questions(at.wire.take()))
    at.host.faults.unknown_classes.clear()
    at.pass_time(ask.RETRY)
    for _ in range(12):
        at.pass_time(2)
        inventory = at.reader.fast()
    assert inventory.vitals.net_in is not None


def test_an_older_host_without_a_column_is_read_whole() -> None:
    at = bench()

    def old(asked: Request, header: Header) -> bytes | None:
        if "IsAutomaticSnapshot" not in describe(asked):
            return None
        refusal = fault(Wsman.CANNOT_PROCESS_FILTER)
        return reply.encode(refusal, request=asked, header=header)

    at.wire.intercept = old
    inventory = settle(at)
    assert named(inventory, "sql01")[0].notes.startswith("first line")
    at.reader.slow()
    assert not any("IsAutomaticSnapshot" in text for text in questions(at.wire.take()))


@pytest.mark.parametrize(
    "gone",
    [
        "Msvm_GuestNetworkAdapterConfiguration",
        "Msvm_EthernetSwitchPortVlanSettingData",
        "Msvm_SecuritySettingData",
        "Msvm_KvpExchangeComponent",
        "Msvm_WiFiPort",
        "Msvm_VirtualEthernetSwitchSettingData",
        "Msvm_StorageAllocationSettingData",
        "Win32_Volume",
        "Msvm_NumaNode",
    ],
)
def test_one_missing_class_never_breaks_the_host(gone: str) -> None:
    at = bench()
    assert at.host.repository
    at.host.faults.unknown_classes.add(gone.lower())
    inventory = settle(at)
    assert all(vm.complete for vm in inventory.vms.values())
    assert len(inventory.switches) == 3
    assert inventory.host.name == "HV01"


def test_a_whole_missing_namespace_beside_the_main_one_is_survived() -> None:
    at = bench()
    assert at.host.repository
    at.host.faults.missing_namespaces.add(CIMV2)
    inventory = settle(at)
    assert inventory.vitals.cpu is None
    assert inventory.host.memory == 0
    assert all(vm.complete for vm in inventory.vms.values())


# -- counters ------------------------------------------------------------------------------


def test_rates_are_what_the_hosts_own_cooked_counters_say() -> None:
    at = bench()
    settle(at, ticks=20)
    cooked = at.wql(CIMV2, f"SELECT * FROM {PROCESSOR.replace('RawData', 'FormattedData')}")
    total = next(row for row in cooked if row["Name"] == "_Total")["PercentTotalRunTime"]
    inventory = at.reader.fast()
    assert inventory.vitals.cpu is not None
    assert isinstance(total, int)
    assert inventory.vitals.cpu == pytest.approx(total, abs=1.5)


def test_traffic_belongs_to_the_machine_whose_guid_the_adapter_carries() -> None:
    at = bench()
    inventory = settle(at, ticks=20)
    sql = inventory.vm_vitals[at.vm("sql01")]
    rows = at.wql(CIMV2, f"SELECT * FROM {NET.replace('RawData', 'FormattedData')}")
    mine = [row for row in rows if at.vm("sql01") in str(row["Name"]).upper()]
    assert len(mine) == 2
    true_rate = sum(int(str(row["BytesReceivedPersec"])) for row in mine)
    assert sql.net_in == pytest.approx(true_rate, rel=0.5)
    total = inventory.vitals.net_in
    assert total is not None
    assert sql.net_in is not None
    assert total >= sql.net_in


def test_storage_belongs_to_the_machine_whose_image_it_is() -> None:
    at = bench()
    inventory = settle(at, ticks=20)
    sql = named(inventory, "sql01")[1]
    assert sql.disk_read is not None
    assert sql.disk_read > 1_000_000
    total = inventory.vitals.disk_read
    known = [v.disk_read for v in inventory.vm_vitals.values() if v.disk_read is not None]
    assert total == pytest.approx(sum(known))


# -- settings ------------------------------------------------------------------------------


def test_before_the_settings_are_read_rows_are_incomplete_and_after_complete() -> None:
    at = bench()
    early = at.reader.fast()
    assert not any(vm.complete for vm in early.vms.values())
    assert at.reader.wants_slow
    assert all(vm.complete for vm in at.reader.slow().vms.values())
    assert not at.reader.wants_slow


def test_machines_are_told_before_what_is_around_them() -> None:
    at = bench()
    at.reader.fast()
    parts = at.reader.slow_parts()
    first = next(parts)
    assert all(vm.complete for vm in first.vms.values())
    assert not first.switches
    assert not first.host.volumes
    (last,) = parts
    assert last.vms == first.vms
    assert last.switches
    assert last.host.volumes


def test_what_a_host_is_comes_before_how_it_is_set_up() -> None:
    at = bench()
    first = at.reader.identity().host
    assert first.memory
    assert not first.numa_nodes
    last = at.reader.options().host
    assert last.numa_nodes
    assert last.memory == first.memory


def test_settings_are_those_of_the_wire() -> None:
    at = bench()
    inventory = settle(at)
    memory = {
        str(row["InstanceID"])[10:46].upper(): row
        for row in at.wql(V2, "SELECT * FROM Msvm_MemorySettingData")
    }
    for vm_id, vm in inventory.vms.items():
        assert vm.memory_startup == int(str(memory[vm_id]["VirtualQuantity"])) * 1048576
        assert vm.dynamic_memory == memory[vm_id]["DynamicMemoryEnabled"]
    sql = named(inventory, "sql01")[0]
    assert (sql.processors, sql.memory_startup) == (8, 8 * GB * 1048576)
    assert sql.notes == "first line\nsecond #prod"
    assert sql.guest == "Windows Server 2022 Datacenter"
    assert (sql.generation, named(inventory, "old01")[0].generation) == (2, 1)
    assert named(inventory, "held01")[0].nested
    assert named(inventory, "kept01")[0].tpm


def test_adapters_switches_vlans_and_addresses() -> None:
    at = bench()
    inventory = settle(at)
    first, second = named(inventory, "sql01")[0].nics
    assert (first.switch_name, first.vlan.mode, first.vlan.id) == ("Prod", VlanMode.ACCESS, 20)
    assert (second.switch_name, second.vlan.mode) == ("Lab", VlanMode.UNTAGGED)
    assert first.addresses
    assert "." in first.addresses[0]
    guests = at.wql(V2, "SELECT * FROM Msvm_GuestNetworkAdapterConfiguration")
    known = {address for row in guests for address in texts(row.get("IPAddresses"))}
    assert set(first.addresses) <= known
    (trunk,) = named(inventory, "web01")[0].nics
    assert trunk.vlan.trunk == (30, 31)
    (legacy,) = named(inventory, "old01")[0].nics
    assert legacy.kind is NicKind.EMULATED
    (loose,) = named(inventory, "idle01")[0].nics
    assert (loose.connected, loose.switch_id) == (False, "")


def test_switches() -> None:
    at = bench()
    inventory = settle(at)
    switches = {switch.name: switch for switch in inventory.switches.values()}
    prod, lab, desk = switches["Prod"], switches["Lab"], switches["Desk"]
    assert (prod.kind, lab.kind, desk.kind) == (
        SwitchKind.EXTERNAL,
        SwitchKind.PRIVATE,
        SwitchKind.INTERNAL,
    )
    assert prod.uplinks == ("Intel(R) Ethernet Converged Network Adapter X710",)
    assert (prod.shared, lab.shared) == (True, False)
    assert prod.vlans == (20, 30, 31)
    assert prod.ports == 3
    names = [inventory.vms[vm].name for vm in prod.vms]
    assert names == sorted(names) == ["old01", "sql01", "web01"]
    truth = at.wql(V2, "SELECT Name FROM Msvm_VirtualEthernetSwitch")
    assert {switch.guid for switch in switches.values()} == {str(row["Name"]) for row in truth}


def test_drives_carry_the_image_the_host_names() -> None:
    at = bench()
    inventory = settle(at)
    truth = at.wql(V2, "SELECT * FROM Msvm_StorageAllocationSettingData")
    sql = named(inventory, "sql01")[0]
    mine = {
        str(path)
        for row in truth
        if sql.id in str(row["InstanceID"]).upper()
        for path in texts(row.get("HostResource"))
    }
    assert {disk.path for disk in sql.disks if disk.path} == mine
    assert len(mine) == 2
    old = named(inventory, "old01")[0]
    assert [(d.controller, d.controller_number, d.slot, d.dvd) for d in old.disks] == [
        ("IDE", 0, 0, False),
        ("IDE", 1, 0, True),
    ]
    assert old.disks[1].path == "D:\\s.iso"


def test_checkpoints_hang_below_each_other() -> None:
    vm = named(settle(bench()), "web01")[0]
    update, backup = vm.checkpoints
    assert (update.name, update.kind, update.parent) == ("before update", "standard", "")
    assert (backup.kind, backup.parent, backup.current) == ("recovery", update.id, True)
    assert not update.current
    assert update.created_at < backup.created_at


def test_integration_services_of_running_and_stopped_machines() -> None:
    inventory = settle(bench())
    services = {s.name: s for s in named(inventory, "sql01")[0].integration}
    assert set(services) == {
        "heartbeat",
        "kvp",
        "shutdown",
        "timesync",
        "vss",
        "guest-services",
    }
    assert (services["shutdown"].enabled, services["shutdown"].status) == (True, 2)
    assert not services["guest-services"].enabled
    stopped = {s.name: s for s in named(inventory, "idle01")[0].integration}
    assert (stopped["shutdown"].enabled, stopped["shutdown"].status) == (True, 0)


def test_facts() -> None:
    at = bench()
    host = settle(at).host
    (system,) = at.wql(CIMV2, "SELECT * FROM Win32_ComputerSystem")
    assert host.name == "HV01"
    assert host.memory == system["TotalPhysicalMemory"]
    assert host.logical_processors == system["NumberOfLogicalProcessors"]
    assert (host.sockets, host.cores) == (2, 32)
    assert host.model == "Dell Inc. PowerEdge R750"
    assert host.build == "20348"
    assert host.cluster == ""
    assert host.numa_nodes == len(at.wql(V2, "SELECT * FROM Msvm_NumaNode"))
    assert [volume.name for volume in host.volumes] == ["C:\\", "D:\\"]
    assert [uplink.bound for uplink in host.uplinks] == [True, False]


# -- coming and going ----------------------------------------------------------------------


def test_machines_that_vanish_leave_and_others_stay_the_same() -> None:
    at = bench()
    before = settle(at)
    gone = at.vm("idle01")
    at.host.dismiss(at.host.machines[gone])
    after = at.reader.fast()
    assert set(before.vms) - set(after.vms) == {gone}
    assert set(after.vms) == set(after.vm_vitals)
    assert all(after.vms[vm_id] == before.vms[vm_id] for vm_id in after.vms)


def test_a_tier_not_read_keeps_what_it_told() -> None:
    at = bench()
    before = settle(at)
    at.pass_time(2)
    after = at.reader.fast()
    assert after.vms == before.vms
    assert after.switches == before.switches
    assert after.host == before.host


def test_a_new_reader_goes_on_from_what_was_known() -> None:
    at = bench()
    before = settle(at)
    again = Reader(at.client, "hv01", "http://hv01/", now=at.clock.now, previous=before)
    after = again.fast()
    assert after.vms == before.vms
    sql = at.vm("sql01")
    assert after.vm_vitals[sql].since == before.vm_vitals[sql].since
    assert after.vm_vitals[sql].started_at == before.vm_vitals[sql].started_at


def test_summaries_without_settings_still_make_rows() -> None:
    at = bench()
    at.reader.fast()
    hidden = at.vm("sql01")
    at.host.repository.remove(at.host.machines[hidden].current.settings)
    inventory = at.reader.slow()
    assert not inventory.vms[hidden].complete
    assert inventory.vms[hidden].name == "sql01"
    assert named(inventory, "web01")[0].complete


# -- the wire ------------------------------------------------------------------------------


def test_small_pages_tell_the_same_as_large_ones() -> None:
    large, small = bench(), bench(max_elements=2)
    assert settle(large).vms == settle(small).vms
    assert large.reader.slow().switches == small.reader.slow().switches


def test_hostile_names_are_harmless() -> None:
    inventory = settle(bench())
    names = {vm.name for vm in inventory.vms.values()}
    assert "データベース" in names
    (evil,) = (name for name in names if name.startswith("evil"))
    assert "\x1b" not in evil
    assert "\u202e" not in evil
    assert "[bold]" in evil


def test_escapes_that_reach_us_are_removed() -> None:
    values = {"Name": "6b29fc40-ca47-1067-b31d-00dd010662da", "ElementName": "a\x1b[2Jb\u202ec"}
    vm = machines.join_summary(CimInstance("Msvm_SummaryInformation", dict(values)), "h", None)
    assert (vm.id, vm.name) == ("6B29FC40-CA47-1067-B31D-00DD010662DA", "abc")


def test_a_broken_connection_costs_one_more_question_not_the_host() -> None:
    at = bench()
    sender = Dropping(at.wire)
    reader = Reader(CimClient(sender, url="x:"), "hv01", "", now=at.clock.now)
    for _ in range(6):
        assert len(reader.fast().vms) == len(VMS)
        at.pass_time(2)


class Dropping:
    """A wire that breaks on every second request, after it may have been executed."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._count = 0

    def send(self, envelope: bytes) -> bytes:
        self._count += 1
        if self._count % 2 == 0:
            raise Dropped("connection broke", sent=True)
        return self._wire.send(envelope)

    def close(self) -> None:
        self._wire.close()

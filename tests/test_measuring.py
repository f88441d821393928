"""Finer measurements of a simulated host: values, whose they are, and what they cost it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from tests.hyperv_kit import HOST, Bench, Wire, bench, questions
from tui.hyperv import counters, instances
from tui.hyperv.counters import Values
from tui.hyperv.meters import DiskMeter, Look, Meters
from tui.hyperv.model import Disk, Host, HostVitals, Inventory, Vm, VmVitals, Volume
from tui.hyperv.read import REQUESTS, Reader
from tui.sim import scenes
from tui.sim.plan import NicPlan, VmPlan
from tui.sim.world import StillClock
from tui.wsman.client import CimClient

TICK = 2.0


def attended(at: Bench, *looks: Look, ticks: int = 3) -> Meters:
    """What is told after some ticks of looking."""
    at.reader.fast()
    at.reader.facts()
    at.reader.slow()
    at.reader.attend(looks)
    at.wire.take()
    return ticked(at, ticks)


def ticked(at: Bench, ticks: int) -> Meters:
    for _ in range(ticks):
        at.pass_time(TICK)
        meters = at.reader.fast().meters
    assert meters is not None
    return meters


# -- what it costs -------------------------------------------------------------------------


def test_a_tick_asks_no_more_though_everything_is_looked_at() -> None:
    at = bench()
    at.reader.attend(Look)
    asked: list[str] = []
    for _ in range(24):
        at.reader.fast()
        now = questions(at.wire.take())
        assert len(now) <= REQUESTS
        classes = [text.partition(" FROM ")[2].split()[0] for text in now if " FROM " in text]
        assert len(set(classes)) == len(classes), "no class is asked twice"
        asked += now
        at.pass_time(TICK)
    for name in set(counters.TYPES) - {counters.SHARED_VOLUME}:
        assert sum(name in text for text in asked) >= 3, name
    assert any("CIM_ConcreteJob" in text for text in asked)


def test_what_is_looked_at_is_read_every_tick_and_takes_the_place_of_the_plain_reading() -> None:
    at = bench()
    attended(at, Look.DISKS, ticks=8)
    asked = questions(at.wire.take())
    disks = [text for text in asked if counters.STORAGE in text]
    assert len(disks) == 8
    assert all("Latency_Base" in text for text in disks)
    vitals = at.reader.fast().vitals
    assert vitals.disk_read is not None
    assert vitals.net_in is not None


def test_nobody_looks_and_nothing_is_asked() -> None:
    at = bench()
    attended(at, *Look, ticks=6)
    at.reader.attend(())
    at.wire.take()
    for _ in range(8):
        at.pass_time(TICK)
        assert at.reader.fast().meters is None
    asked = " ".join(questions(at.wire.take()))
    for name in (counters.VOLUME, counters.SWITCH, counters.MEMORY, counters.VIRTUAL_PROCESSOR):
        assert name not in asked
    assert "Latency" not in asked
    assert counters.STORAGE in asked


# -- values --------------------------------------------------------------------------------


def test_values_are_the_fabrics_truth() -> None:
    """Read in every tick, so that a value is of the last two seconds."""
    at = bench()
    meters = attended(at, Look.DISKS, ticks=4)
    machine = at.host.machines[at.vm("sql01")]
    now = at.clock.now()
    done = machine.worked(now - TICK, now)
    disks = [disk for disk in meters.disks if disk.vm == machine.id]
    assert len(disks) == 2
    reads = done.amount(machine.load.read) / TICK
    assert sum(disk.read or 0.0 for disk in disks) == pytest.approx(reads, rel=1e-4)
    assert sum(disk.reads or 0.0 for disk in disks) == pytest.approx(reads / 24_000, abs=1.5)
    assert {disk.volume for disk in disks} == {"D:\\"}
    at.reader.attend([Look.PROCESSORS])
    meters, now = ticked(at, 3), at.clock.now()
    done = machine.worked(now - TICK, now)
    (processors,) = (one for one in meters.machines if one.id == machine.id)
    assert processors.guest == pytest.approx(100 * done.busy / TICK, rel=1e-4)
    assert processors.wait is not None
    assert 1e-6 < processors.wait < 1e-3


def test_images_of_one_volume_share_its_latency() -> None:
    quiet = tuple(VmPlan(f"vm{n}", "ubuntu24", "app", disks=(20,)) for n in range(2))
    noisy = tuple(VmPlan(f"db{n}", "ws2022", "db", cpus=8, disks=(90,)) for n in range(14))

    def told(plan: tuple[VmPlan, ...]) -> list[DiskMeter]:
        at = bench(replace(HOST, vms=plan))
        return [d for d in attended(at, Look.DISKS, ticks=5).disks if d.latency is not None]

    alone, together = told(quiet), told((*quiet, *noisy))
    assert max(d.latency or 0 for d in together) == pytest.approx(
        min(d.latency or 0 for d in together), rel=0.05
    )
    assert (together[0].latency or 0) > 1.5 * (alone[0].latency or 0)


def test_adapters_switches_uplinks_and_volumes_are_those_of_the_inventory() -> None:
    at = bench()
    meters = attended(at, *Look, ticks=16)
    inventory = at.reader.fast()
    sql = at.vm("sql01")
    adapters = [adapter for adapter in meters.adapters if adapter.vm == sql]
    assert {adapter.name for adapter in adapters} == {"Network Adapter", "Second Adapter"}
    assert {inventory.switches[adapter.switch].name for adapter in adapters} == {"Prod", "Lab"}
    assert all(adapter.drops_in is not None for adapter in adapters)
    assert {switch.id for switch in meters.switches} == set(inventory.switches)
    assert {uplink.name for uplink in meters.uplinks} == {u.name for u in inventory.host.uplinks}
    assert meters.uplinks[0].speed == 10_000_000_000
    assert [volume.name for volume in meters.volumes] == ["C:\\", "D:\\"]
    busy = meters.volumes[1]
    assert (busy.reads or 0) > 0
    assert (busy.latency or 0) > 0
    web = next(one for one in meters.machines if one.id == at.vm("web01"))
    row = at.wql("root/cimv2", f"SELECT * FROM {counters.MEMORY} WHERE Name = 'web01'")[0]
    assert web.pressure == pytest.approx(row["CurrentPressure"], abs=12)
    assert web.visible == int(str(row["GuestVisiblePhysicalMemory"])) << 20
    assert meters.pressure is not None
    assert meters.balancing is not None


def test_shared_volumes_are_read_on_nodes_of_a_cluster() -> None:
    clock = StillClock()
    host = scenes.build("datacenter", clock=clock).hosts["NODE1"]
    wire = Wire(host)
    reader = Reader(CimClient(wire, url="inproc:"), "n1", "http://n1", now=clock.now)
    reader.fast()
    reader.facts()
    reader.slow()
    reader.attend([Look.VOLUMES, Look.DISKS])
    for _ in range(8):
        clock.advance(TICK)
        meters = reader.fast().meters
    assert meters is not None
    shared = {volume.name: volume for volume in meters.volumes if volume.shared}
    assert "C:\\ClusterStorage\\Volume1\\" in shared
    on_it = [disk for disk in meters.disks if disk.volume in shared]
    assert on_it
    volume = shared[on_it[0].volume]
    assert volume.reads == pytest.approx(
        sum(d.reads or 0 for d in on_it if d.volume == volume.name), rel=0.5
    )
    assert volume.latency == pytest.approx(on_it[0].latency, rel=0.3)


# -- what is missing -----------------------------------------------------------------------


def test_a_host_that_lacks_a_class_says_so_and_tells_the_rest() -> None:
    at = bench()
    assert at.host.repository
    at.host.faults.unknown_classes.add(counters.SWITCH.lower())
    meters = attended(at, Look.SWITCHES, Look.ADAPTERS, ticks=5)
    assert meters.refused == {Look.SWITCHES: "this host has no counters of virtual switches"}
    assert meters.switches == ()
    assert any(adapter.net_in for adapter in meters.adapters)


def test_a_refusal_is_no_reading() -> None:
    at = bench()
    at.host.faults.unknown_classes.add(counters.SWITCH.lower())
    meters = attended(at, Look.SWITCHES, Look.ADAPTERS)
    read_at = meters.at
    assert read_at
    at.host.faults.unknown_classes.add(counters.ADAPTER.lower())
    meters = ticked(at, 4)
    assert meters.refused.keys() == {Look.SWITCHES, Look.ADAPTERS}
    assert (meters.adapters, meters.at) == ((), read_at)


def test_a_host_that_lacks_a_column_costs_that_value_alone() -> None:
    at = bench()
    assert at.host.repository
    at.host.faults.unknown_columns |= {
        f"{counters.VIRTUAL_PROCESSOR}.CPUWaitTimePerDispatch".lower(),
        f"{counters.VIRTUAL_PROCESSOR}.CPUWaitTimePerDispatch_Base".lower(),
        f"{counters.MEMORY}.GuestAvailableMemory".lower(),
    }
    meters = attended(at, Look.PROCESSORS, Look.MEMORY, ticks=12)
    web = next(one for one in meters.machines if one.id == at.vm("web01"))
    assert (web.wait, web.available) == (None, None)
    assert web.guest is not None
    assert web.pressure is not None
    assert meters.refused == {}
    asked = [t for t in questions(at.wire.take()) if counters.VIRTUAL_PROCESSOR in t]
    assert sum("SELECT *" in text for text in asked) == 1, "whole instances once, to learn"
    assert "CPUWaitTimePerDispatch" not in asked[-1]
    assert "PercentGuestRunTime" in asked[-1]


def test_machines_of_one_name_are_told_apart_only_by_guid() -> None:
    twins = (
        VmPlan("twin", "debian12", "db", nics=(NicPlan("Prod"),), disks=(10,)),
        VmPlan("twin", "debian12", "db", nics=(NicPlan("Prod"),), disks=(11,)),
        VmPlan("alone", "debian12", "db"),
    )
    at = bench(replace(HOST, vms=twins))
    meters = attended(at, Look.PROCESSORS, Look.ADAPTERS, Look.DISKS, ticks=6)
    assert {one.id for one in meters.machines} == {at.vm("alone")}
    assert len({adapter.vm for adapter in meters.adapters}) == 2
    assert all(adapter.vm for adapter in meters.adapters)
    assert len({disk.vm for disk in meters.disks} - {""}) == 3


# -- names ---------------------------------------------------------------------------------


def inventory(*vms: Vm, volumes: tuple[str, ...] = (), states: int = 2) -> Inventory:
    host = Host("h", "http://h", volumes=tuple(Volume(name, "", 1, 1) for name in volumes))
    return Inventory(
        host,
        HostVitals("h"),
        {vm.id: vm for vm in vms},
        {vm.id: VmVitals(vm.id, "h", states) for vm in vms},
    )


def vm(identity: str, name: str, *images: str) -> Vm:
    disks = tuple(Disk(path, path, "SCSI", 0, slot) for slot, path in enumerate(images))
    return Vm(identity, "h", name, disks=disks)


NONE: Values = {}


def test_the_longest_path_tells_the_volume() -> None:
    known = inventory(
        vm("A", "a", "C:\\ClusterStorage\\Volume1\\a\\a.vhdx", "C:\\b.vhdx", "\\\\srv\\x\\c.vhdx"),
        volumes=("C:\\", "C:\\ClusterStorage\\Volume1\\", "C:\\ClusterStorage\\Volume10\\"),
    )
    names = ("--?-C:-ClusterStorage-Volume1-a-a.vhdx", "C:-b.vhdx", "--?-UNC-srv-x-c.vhdx")
    disks = instances.join_disks(dict.fromkeys(names, NONE), known)
    assert [disk.volume for disk in disks] == ["C:\\ClusterStorage\\Volume1\\", "C:\\", ""]
    assert [disk.path for disk in disks] == [disk.path for disk in known.vms["A"].disks]


def test_a_known_path_tells_volumes_apart_that_instance_names_do_not() -> None:
    shared = ("C:\\ClusterStorage\\Vol1\\", "C:\\ClusterStorage\\Vol1-fast\\")
    known = inventory(vm("A", "a", f"{shared[0]}fast-a\\a.vhdx"), volumes=shared)
    found = dict.fromkeys(("--?-C:-ClusterStorage-Vol1-fast-a-a.vhdx",), NONE)
    (disk,) = instances.join_disks(found, known)
    assert (disk.vm, disk.volume) == ("A", shared[0])


def test_the_queue_of_a_volume_corrects_a_measure_that_was_full() -> None:
    known = inventory(volumes=("C:\\",))
    values: dict[str, float | None] = {"DiskReadsPersec": 90.0, "DiskWritesPersec": 10.0}
    values |= {"AvgDisksecPerTransfer": 0.002, "AvgDiskQueueLength": 120.0}
    (volume,) = instances.join_volumes({"C:": values, "_Total": values}, {}, known)
    assert (volume.latency, volume.id) == (1.2, "h:c:\\")
    values["AvgDiskQueueLength"] = None
    (volume,) = instances.join_volumes({"C:": values}, {}, known)
    assert volume.latency == 0.002


def test_an_image_of_several_machines_belongs_to_none() -> None:
    known = inventory(vm("A", "a", "D:\\shared.vhds"), vm("B", "b", "D:\\shared.vhds"))
    found: dict[str, Values] = {"D:-shared.vhds": NONE, "D:-shared.vhds#1": NONE, "D:-x.iso": NONE}
    disks = instances.join_disks(found, known)
    assert [(disk.vm, disk.path) for disk in disks] == [
        ("", "D:\\shared.vhds"),
        ("", "D:\\shared.vhds"),
        ("", "D:-x.iso"),
    ]
    assert len({disk.id for disk in disks}) == 3


def test_altered_characters_still_find_their_machine() -> None:
    known = inventory(vm("A", "web (old) #2"))
    gauges: dict[str, Values] = {"WEB [old] _2": {"CurrentPressure": 90}}
    (meter,) = instances.join_machines({}, gauges, known)
    assert (meter.id, meter.pressure) == ("A", 90)


def test_machines_that_are_off_do_not_make_a_name_ambiguous() -> None:
    known = inventory(vm("A", "twin"), vm("B", "twin"))
    gauges: dict[str, Values] = {"twin": {"CurrentPressure": 90}}
    assert instances.join_machines({}, gauges, known) == ()
    known.vm_vitals["B"] = structs.replace(known.vm_vitals["B"], state=3)
    (meter,) = instances.join_machines({}, gauges, known)
    assert meter.id == "A"


def test_the_hosts_own_adapter_is_named_without_its_guid() -> None:
    guid = "{11111111-2222-3333-4444-555555555555}"
    (adapter,) = instances.join_adapters({f"vSwitch_{guid}": NONE, "_Total": NONE}, inventory())
    assert (adapter.name, adapter.vm, adapter.id) == ("vSwitch", "", f"h:{guid.strip('{}')}")

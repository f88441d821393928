"""What the fabric counts: volumes that images share, waits on busy hosts, packets that are lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.sim_kit import CIMV2, Bench, bench
from tests.test_sim_world import by_name, number
from tui.errors import Fault
from tui.sim.counters_storage import CAPABLE, QUICKEST, latency, uses
from tui.sim.plan import HostPlan
from tui.sim.tally import Passed
from tui.wsman.cim import CimInstance
from tui.wsman.schema import cim_class

RAW = "Win32_PerfRawData_"
DISK = f"{RAW}PerfDisk_LogicalDisk"
DEVICE = f"{RAW}Counters_HyperVVirtualStorageDevice"
SHARED = f"{RAW}CsvFsPerfProvider_ClusterCSVFS"
VP = f"{RAW}HvStats_HyperVHypervisorVirtualProcessor"
NIC = f"{RAW}NvspNicStats_HyperVVirtualNetworkAdapter"
SWITCH = f"{RAW}NvspSwitchStats_HyperVVirtualSwitch"
PRESSURE = f"{RAW}BalancerStats_HyperVDynamicMemoryVM"


def grown(old: CimInstance, new: CimInstance, column: str) -> int:
    return (number(new[column]) - number(old[column])) % (1 << 32)


def seconds_each(old: CimInstance, new: CimInstance, column: str) -> float:
    return grown(old, new, column) / 1e7 / grown(old, new, f"{column}_Base")


@pytest.mark.parametrize("name", [DISK, SHARED, DEVICE, VP, NIC, SWITCH, PRESSURE])
def test_every_property_is_served_and_every_counter_is_a_number(name: str) -> None:
    rows = bench("datacenter", "NODE1").all(name, CIMV2)
    known = cim_class(CIMV2, name)
    assert rows
    assert known is not None
    for row in rows:
        assert set(row.values) == set(known.properties)
        empty = {key for key, value in row.values.items() if value is None}
        assert empty <= {"Caption", "Description"}


def test_a_volume_is_as_slow_as_what_is_asked_of_it() -> None:
    world = bench()
    old = {name: by_name(world.all(name, CIMV2)) for name in (DISK, DEVICE)}
    start = world.clock.now()
    world.clock.advance(4)
    new = {name: by_name(world.all(name, CIMV2)) for name in (DISK, DEVICE)}
    on_it = [use for use in uses(world.host) if use.volume and use.volume.name == "D:\\"]
    asked = 0.0
    for use in on_it:
        read, written = use.amounts(use.machine.worked(start, start + 4))
        asked += read / 24_000 + written / 16_000
    truth = QUICKEST / (1 - asked / 4 / CAPABLE)
    (volume,) = {use.volume for use in on_it}
    assert latency(world.host, volume, start, start + 4) == pytest.approx(truth)
    assert truth > 1.1 * QUICKEST
    told = seconds_each(old[DISK]["D:"], new[DISK]["D:"], "AvgDisksecPerTransfer")
    assert told == pytest.approx(truth, rel=1e-3)
    operations = grown(old[DISK]["D:"], new[DISK]["D:"], "DiskTransfersPersec")
    assert operations == pytest.approx(asked, abs=2 * len(on_it))
    for image, row in new[DEVICE].items():
        before = old[DEVICE][image]
        if grown(before, row, "Latency_Base") > 100:
            assert seconds_each(before, row, "Latency") == pytest.approx(truth, rel=1e-2)


def test_a_counter_may_be_asked_for_the_past_and_never_goes_back() -> None:
    world = bench()
    formatted = DISK.replace("Raw", "Formatted")
    world.all(DISK, CIMV2)
    world.clock.advance(2)
    before = by_name(world.all(DISK, CIMV2))["D:"]
    cooked = by_name(world.all(formatted, CIMV2))["D:"]
    assert number(cooked["DiskReadBytesPersec"]) > 0
    after = by_name(world.all(DISK, CIMV2))["D:"]
    assert after == before
    assert world.change("sql01", 3).return_value == 4096
    world.clock.advance(4)
    later = by_name(world.all(DISK, CIMV2))["D:"]
    assert number(later["DiskReadBytesPersec"]) > number(before["DiskReadBytesPersec"])


def test_cooked_classes_tell_what_the_raw_ones_cook_to() -> None:
    """hyperv-cim.md 13.2: a queue is per 100 ns, a timer in seconds, an inverse timer the rest."""
    world = bench()
    processors = f"{RAW}PerfOS_Processor"
    old = {name: by_name(world.all(name, CIMV2)) for name in (DISK, processors)}
    world.clock.advance(4)
    raw = {name: by_name(world.all(name, CIMV2)) for name in (DISK, processors)}
    cooked = {n: by_name(world.all(n.replace("Raw", "Formatted"), CIMV2)) for n in raw}
    before, now, told = (each[DISK]["D:"] for each in (old, raw, cooked))
    for column in ("AvgDiskQueueLength", "AvgDiskWriteQueueLength"):
        waited = grown(before, now, column) / grown(before, now, "Timestamp_Sys100NS")
        assert waited > 1
        assert number(told[column]) == pytest.approx(waited, abs=1)
    assert number(told["AvgDisksecPerRead"]) == 0, "whole seconds"
    assert number(told["AvgDiskBytesPerRead"]) == pytest.approx(24_000, rel=0.01)
    first, last, share = (each[processors]["0"] for each in (old, raw, cooked))
    idle = grown(first, last, "PercentProcessorTime") / 4e7
    assert number(share["PercentProcessorTime"]) == pytest.approx(100 * (1 - idle), abs=1)
    assert 0 < number(share["PercentProcessorTime"]) < 50 < number(share["PercentIdleTime"])


def test_a_machine_that_is_gone_leaves_nothing_to_count() -> None:
    world = bench()
    for name in (DEVICE, VP):
        world.all(name, CIMV2)
    machine = next(iter({use.machine.id: use.machine for use in uses(world.host)}.values()))
    assert any(machine.id in key for key in world.host.tallies)
    world.host.dismiss(machine)
    for name in (DEVICE, VP, DISK):
        world.all(name, CIMV2)
    assert not [key for key in world.host.tallies if machine.id in key]


def test_what_an_image_did_elsewhere_is_not_counted_here() -> None:
    passed = Passed()
    assert passed.through(1.0, {"a": (100.0, 10.0)}) == (100.0, 10.0)
    assert passed.through(2.0, {"a": (130.0, 10.0), "came": (9e9, 9e9)}) == (130.0, 10.0)
    assert passed.through(3.0, {"came": (9e9 + 5, 9e9 + 7)}) == (135.0, 17.0)
    assert passed.through(2.5, {"came": (9e9 + 2, 9e9)}) == (132.0, 10.0), "asked for the past"
    assert passed.through(4.0, {"came": (4.0, 2.0)}) == (139.0, 19.0), "it was started again"


def test_shared_volumes_are_counted_on_nodes_only() -> None:
    world = bench("datacenter", "NODE1")
    names = set(by_name(world.all(SHARED, CIMV2)))
    assert {"Volume1", "Volume2", "Volume3"} <= names
    assert not any("ClusterStorage" in name for name in by_name(world.all(DISK, CIMV2)))
    with pytest.raises(Fault):
        world.at("HV01").all(SHARED, CIMV2)


def wait(plan: HostPlan | None = None) -> float:
    """Nanoseconds each dispatch waits, in all."""
    world = bench()
    if plan is not None:
        world.host.plan = plan
    old = by_name(world.all(VP, CIMV2))["_Total"]
    world.clock.advance(10)
    new = by_name(world.all(VP, CIMV2))["_Total"]
    column = "CPUWaitTimePerDispatch"
    done = number(new[f"{column}_Base"]) - number(old[f"{column}_Base"])
    return (number(new[column]) - number(old[column])) / done


def test_processors_wait_longer_on_a_busy_host() -> None:
    crowded = replace(bench().host.plan, sockets=1, cores=8)
    assert 2000 < wait() < wait(crowded)


def dropped(world: Bench) -> dict[str, int]:
    return {
        name: number(row["DroppedPacketsIncomingPersec"])
        + number(row["DroppedPacketsOutgoingPersec"])
        for name, row in by_name(world.all(NIC, CIMV2)).items()
    }


def test_a_few_packets_are_lost_where_much_is_sent_and_the_switch_counts_them_all() -> None:
    world = bench()
    old, before = dropped(world), world.all(SWITCH, CIMV2)
    world.clock.advance(600)
    new, after = dropped(world), world.all(SWITCH, CIMV2)
    lost = {name: new[name] - old[name] for name in new}
    assert any(lost.values())
    assert not all(lost.values())

    def total(rows: list[CimInstance]) -> int:
        columns = ("DroppedPacketsIncomingPersec", "DroppedPacketsOutgoingPersec")
        return sum(number(row[column]) for row in rows for column in columns)

    assert total(after) - total(before) == pytest.approx(sum(lost.values()), abs=len(lost))


def test_pressure_moves_with_demand() -> None:
    world = bench()
    seen = set()
    for _ in range(40):
        world.clock.advance(60)
        for row in world.all(PRESSURE, CIMV2):
            seen.add(row["CurrentPressure"])
            low, high = number(row["MinimumPressure"]), number(row["MaximumPressure"])
            assert low <= number(row["AveragePressure"]) <= high
    assert len(seen) > 3


def test_a_host_may_lack_a_column() -> None:
    world = bench()
    world.host.faults.unknown_columns = {f"{DISK}.AvgDiskQueueLength".lower()}
    with pytest.raises(Fault):
        world.client.query(CIMV2, f"SELECT Name, AvgDiskQueueLength FROM {DISK}")
    assert world.client.query(CIMV2, f"SELECT Name, DiskReadsPersec FROM {DISK}")
    assert world.all(DISK, CIMV2)[0]["AvgDiskQueueLength"] is None

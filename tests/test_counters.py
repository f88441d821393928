"""Raw counters become rates by the documented formulas, and names find their owners."""

from __future__ import annotations

import pytest

from tui.hyperv import counters
from tui.hyperv.counters import Meter
from tui.wsman.cim import CimInstance, CimValue

SECOND = 10_000_000
VM = "6B29FC40-CA47-1067-B31D-00DD010662DA"
OTHER = "11111111-2222-3333-4444-555555555555"


def sample(at: float, name: str = "x", **values: CimValue) -> CimInstance:
    clocks: dict[str, CimValue] = {
        "Name": name,
        "Timestamp_PerfTime": int(at * 3_000_000),
        "Frequency_PerfTime": 3_000_000,
        "Timestamp_Sys100NS": int(at * SECOND),
    }
    return CimInstance("Win32_PerfRawData", clocks | values)


def test_a_bulk_count_is_divided_by_the_hosts_own_seconds() -> None:
    before, after = sample(100, Bytes=1_000_000), sample(104, Bytes=5_000_000)
    assert counters.per_second(before, after, "Bytes") == pytest.approx(1_000_000)


def test_without_a_performance_clock_the_system_clock_serves() -> None:
    before, after = sample(100, Bytes=0), sample(102, Bytes=10)
    for row in (before, after):
        row.values["Frequency_PerfTime"] = 0
    assert counters.per_second(before, after, "Bytes") == pytest.approx(5)


def test_a_counter_that_restarted_tells_nothing() -> None:
    assert counters.per_second(sample(1, Bytes=900), sample(3, Bytes=10), "Bytes") is None
    assert counters.per_second(sample(3, Bytes=10), sample(1, Bytes=900), "Bytes") is None
    assert counters.per_second(sample(1, Bytes=None), sample(3, Bytes=10), "Bytes") is None


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        pytest.param(4 * 2 * SECOND, 25.0, id="base summed over four processors"),
        pytest.param(2 * SECOND, 25.0, id="base of one processor"),
        pytest.param(None, 25.0, id="no base: 100 ns of run time"),
    ],
)
def test_a_total_is_a_share_of_all_processors(base: int | None, expected: float) -> None:
    """Two busy seconds of the eight that four processors had in two seconds."""
    before = sample(10, Run=0, Run_Base=0 if base is not None else None)
    after = sample(12, Run=2 * SECOND, Run_Base=base)
    assert counters.busy(before, after, "Run", 4) == pytest.approx(expected)


def test_a_share_needs_to_know_how_many_processors() -> None:
    before, after = sample(10, Run=0), sample(12, Run=SECOND)
    assert counters.busy(before, after, "Run", 0) is None


def test_a_share_never_exceeds_the_whole() -> None:
    before, after = sample(10, Run=0, Run_Base=0), sample(12, Run=9 * SECOND, Run_Base=8 * SECOND)
    assert counters.busy(before, after, "Run", 4) == 100.0


def test_a_meter_needs_two_samples_of_the_same_instance() -> None:
    meter = Meter("In", "Out")
    assert meter.feed([sample(10, "a", In=0, Out=0)]) == {}
    rates = meter.feed([sample(12, "a", In=20, Out=40), sample(12, "b", In=0, Out=0)])
    assert rates == {"a": (10.0, 20.0)}
    assert set(meter.feed([sample(14, "b", In=4, Out=0)])) == {"b"}


def test_a_repeated_sample_keeps_the_rate() -> None:
    meter = Meter("In")
    meter.feed([sample(10, In=0)])
    assert meter.feed([sample(12, In=20)]) == {"x": (10.0,)}
    assert meter.feed([sample(12, In=20)]) == {"x": (10.0,)}
    assert meter.feed([sample(14, In=20)]) == {"x": (0.0,)}


@pytest.mark.parametrize(
    "name",
    [
        f"sql01_Network Adapter_{VM}--{OTHER}",
        f"sql01_Network Adapter_{VM.lower()}--{OTHER}",
        f"Adapter {{{VM}}}",
    ],
)
def test_an_adapter_is_found_by_guid_whatever_separates_it(name: str) -> None:
    assert counters.adapter_owner(name, [VM]) == VM


def test_the_hosts_own_adapter_belongs_to_no_machine() -> None:
    assert counters.adapter_owner(f"vSwitch_{{{OTHER}}}", [VM]) == ""
    assert counters.adapter_owner("_Total", [VM]) == ""


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("C:\\ClusterStorage\\Vol1\\vm\\disk.vhdx", "--?-C:-ClusterStorage-Vol1-vm-disk.vhdx"),
        ("D:\\VMs\\Web 01\\os.vhdx", "D--VMs-Web 01-os.vhdx"),
        ("D:\\VMs\\Web 01\\os.vhdx", "d:-vms-web 01-OS.VHDX"),
        ("\\\\files\\vms\\a.vhdx", "--?-UNC-files-vms-a.vhdx"),
    ],
)
def test_an_image_is_found_by_its_path(path: str, instance: str) -> None:
    assert counters.image_key(path) == counters.image_key(instance)


def test_different_images_stay_apart() -> None:
    assert counters.image_key("C:\\a\\b.vhdx") != counters.image_key("C:\\a\\c.vhdx")

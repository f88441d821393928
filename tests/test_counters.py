"""Raw counters become rates by the documented formulas, and names find their owners."""

from __future__ import annotations

import pytest

from tui.hyperv import counters
from tui.hyperv.counters import Meter, Step
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.schema import cim_class

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


def step(before: CimInstance, after: CimInstance, *narrow: str) -> Step:
    return Step(before, after, counters.elapsed(before, after), frozenset(narrow))


def test_a_bulk_count_is_divided_by_the_hosts_own_seconds() -> None:
    before, after = sample(100, Bytes=1_000_000), sample(104, Bytes=5_000_000)
    assert counters.rate(step(before, after), "Bytes") == pytest.approx(1_000_000)


def test_without_a_performance_clock_the_system_clock_serves() -> None:
    before, after = sample(100, Bytes=0), sample(102, Bytes=10)
    for row in (before, after):
        row.values["Frequency_PerfTime"] = 0
    assert counters.rate(step(before, after), "Bytes") == pytest.approx(5)


def test_a_counter_that_restarted_tells_nothing() -> None:
    assert counters.rate(step(sample(1, Bytes=900), sample(3, Bytes=10)), "Bytes") is None
    assert counters.rate(step(sample(3, Bytes=10), sample(1, Bytes=900)), "Bytes") is None
    assert counters.rate(step(sample(1, Bytes=None), sample(3, Bytes=10)), "Bytes") is None


def test_a_narrow_counter_goes_on_from_zero_unless_that_is_absurd() -> None:
    full = sample(1, Operations=(1 << 32) - 100)
    assert counters.rate(step(full, sample(3, Operations=100), "Operations"), "Operations") == 100
    began = step(sample(1, Operations=5000), sample(3, Operations=100), "Operations")
    assert counters.rate(began, "Operations") is None
    assert counters.rate(step(full, sample(3, Operations=100)), "Operations") is None


def test_an_average_is_none_while_nothing_happened() -> None:
    clock = 3_000_000
    before, after = sample(1, Wait=0, Wait_Base=0), sample(3, Wait=clock, Wait_Base=4)
    assert counters.average_timer(step(before, after), "Wait") == pytest.approx(0.25)
    assert counters.average_bulk(step(before, after), "Wait") == pytest.approx(clock / 4)
    idle = sample(3, Wait=0, Wait_Base=0)
    assert counters.average_timer(step(before, idle), "Wait") is None
    unbased = sample(3, Wait=clock)
    assert counters.average_timer(step(before, unbased), "Wait") is None


@pytest.mark.parametrize(
    ("queues", "expected"),
    [
        pytest.param((200, 200), 400.0, id="as measured"),
        pytest.param((1632, 1632), 400.0 + 2 * (1 << 32) / 3_000_000, id="full twice meanwhile"),
        pytest.param((550, 550), None, id="nobody can tell"),
        pytest.param((0, 3264), None, id="a queue that was long once tells nothing"),
    ],
)
def test_many_that_wait_fill_a_narrow_sum_and_the_queue_tells_how_often(
    queues: tuple[int, int], expected: float | None
) -> None:
    """Seconds that 100 operations took together within two seconds of the clock."""
    before = sample(10, Latency=0, Latency_Base=0, QueueLength=queues[0])
    after = sample(12, Latency=400 * 3_000_000, Latency_Base=100, QueueLength=queues[1])
    told = counters.device_latency(step(before, after, "Latency", "Latency_Base"), "Latency")
    assert told == (None if expected is None else pytest.approx(expected / 100))


def test_a_queue_is_a_gauge_or_an_integral_as_its_size_tells() -> None:
    assert counters.queue_length(step(sample(1, Queue=0), sample(3, Queue=7)), "Queue") == 7
    grown = step(sample(1, Queue=50 * SECOND), sample(3, Queue=54 * SECOND), "Queue")
    assert counters.queue_length(grown, "Queue") == pytest.approx(2)


def test_every_column_read_is_one_the_class_has() -> None:
    for name in counters.TYPES:
        known = cim_class("root/cimv2", name)
        assert known is not None, name
        assert set(counters.columns(name)) <= set(known.properties), name


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


RATES = {"In": counters.rate, "Out": counters.rate, "Now": counters.raw_count}


def fed(meter: Meter, *rows: CimInstance) -> dict[str, tuple[float | None, float | None]]:
    values = meter.feed(rows)
    return {name: (known["In"], known["Out"]) for name, known in values.items()}


def test_a_meter_needs_two_samples_of_the_same_instance() -> None:
    meter = Meter("x", RATES)
    assert fed(meter, sample(10, "a", In=0, Out=0)) == {"a": (None, None)}
    told = fed(meter, sample(12, "a", In=20, Out=40), sample(12, "b", In=0, Out=0))
    assert told == {"a": (10.0, 20.0), "b": (None, None)}
    assert fed(meter, sample(14, "b", In=4, Out=0)) == {"b": (2.0, 0.0)}


def test_a_missing_column_costs_only_its_own_value() -> None:
    meter = Meter("x", RATES)
    meter.feed([sample(10, In=0)])
    assert meter.feed([sample(12, In=20, Now=3)]) == {"x": {"In": 10.0, "Out": None, "Now": 3}}


def test_a_repeated_sample_keeps_the_rate() -> None:
    meter = Meter("x", RATES)
    fed(meter, sample(10, In=0))
    assert fed(meter, sample(12, In=20)) == {"x": (10.0, None)}
    assert fed(meter, sample(12, In=20)) == {"x": (10.0, None)}
    assert fed(meter, sample(14, In=20)) == {"x": (0.0, None)}


def test_what_restarted_tells_nothing_of_its_other_columns_either() -> None:
    meter = Meter("x", RATES)
    meter.feed([sample(10, In=900, Out=0)])
    assert fed(meter, sample(12, In=10, Out=4)) == {"x": (None, None)}
    assert fed(meter, sample(14, In=20, Out=8)) == {"x": (5.0, 2.0)}


def test_a_host_that_booted_begins_anew() -> None:
    meter = Meter("x", RATES)
    meter.feed([sample(5000, In=10, Out=10)])
    assert fed(meter, sample(12, In=900, Out=900)) == {"x": (None, None)}


def test_instances_of_one_name_may_change_places() -> None:
    meter = Meter("x", RATES)
    meter.feed([sample(10, "twin", In=100, Out=0), sample(10, "twin#1", In=9000, Out=0)])
    steady = fed(meter, sample(12, "twin", In=102, Out=0), sample(12, "twin#1", In=9020, Out=0))
    assert steady == {"twin": (1.0, 0.0), "twin#1": (10.0, 0.0)}
    swapped = fed(meter, sample(14, "twin", In=9040, Out=0), sample(14, "twin#1", In=104, Out=0))
    assert swapped == {"twin": (None, None), "twin#1": (None, None)}
    left = fed(meter, sample(16, "twin", In=9060, Out=0))
    assert left == {"twin": (None, None)}
    assert fed(meter, sample(18, "twin", In=9080, Out=0)) == {"twin": (10.0, 0.0)}


def test_names_that_come_twice_are_numbered() -> None:
    meter = Meter("x", RATES)
    for at in (10, 12):
        told = fed(meter, sample(at, "a", In=at, Out=0), sample(at, "a", In=at * 5, Out=0))
    assert told == {"a": (1.0, 0.0), "a#1": (5.0, 0.0)}


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

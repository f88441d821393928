"""Values cooked from random histories are those of the documented formulas, reckoned slowly.

The reference knows the formulas of hyperv-cim.md 13.2 and the truth of each history: what was
really done between two samples, also where a 32-bit column wrapped or an instance began anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

import pytest

from tui.hyperv import counters
from tui.hyperv.counters import Meter
from tui.wsman.cim import CimInstance, CimValue

FREQUENCY = 3_579_545
TICKS = 10_000_000
WRAP = 1 << 32
STORAGE, PROCESSOR = counters.STORAGE, counters.VIRTUAL_PROCESSOR

COUNTED = {
    STORAGE: ("ReadBytesPersec", "WriteBytesPersec", "ReadOperationsPerSec"),
    PROCESSOR: ("LogicalProcessorDispatchesPersec",),
}
NARROW = {"ReadOperationsPerSec", "Latency", "Latency_Base"}
AVERAGED = {STORAGE: "Latency", PROCESSOR: "CPUWaitTimePerDispatch"}
SHARED = {STORAGE: (), PROCESSOR: ("PercentGuestRunTime", "PercentHypervisorRunTime")}


@dataclass(frozen=True)
class Work:
    """What one instance does in a second."""

    counts: tuple[int, ...]
    times: int
    each: Fraction
    """Seconds each took."""
    shares: tuple[Fraction, ...]


@dataclass(frozen=True)
class Span:
    """What happens up to the next sample."""

    seconds: Fraction
    works: tuple[Work, ...]
    restarts: frozenset[int]
    hidden: frozenset[int]
    """Instances that the sample does not have."""
    reverse: bool


def any_work(random: Random) -> Work:
    return Work(
        counts=(random.randrange(2_000_000), random.randrange(2_000_000), random.randrange(10**5)),
        times=random.choice((0, random.randrange(100_000))),
        each=Fraction(random.randrange(2000), 10_000_000),
        shares=(Fraction(random.randrange(1001), 1000), Fraction(random.randrange(501), 1000)),
    )


def any_span(random: Random) -> Span:
    return Span(
        seconds=random.choice((Fraction(0), Fraction(1, 3), Fraction(2), Fraction(61, 10))),
        works=tuple(any_work(random) for _ in range(3)),
        restarts=frozenset(random.sample(range(3), random.choice((0, 0, 0, 1)))),
        hidden=frozenset(random.sample(range(3), random.choice((0, 0, 0, 1)))),
        reverse=random.random() < 0.3,
    )


@dataclass
class Instance:
    """The counters of one instance, exact, and since when they count."""

    name: str
    counts: list[Fraction]
    times: Fraction
    spent: Fraction
    shares: list[Fraction]
    base: Fraction
    era: int = 0

    def work(self, work: Work, seconds: Fraction) -> None:
        done = [Fraction(int(rate * seconds)) for rate in work.counts]
        times = int(work.times * seconds)
        self.counts = [old + new for old, new in zip(self.counts, done, strict=True)]
        self.times += times
        self.spent += int(times * work.each * FREQUENCY)
        whole = int(seconds * TICKS)
        self.base += whole
        self.shares = [
            s + int(part * whole) for s, part in zip(self.shares, work.shares, strict=True)
        ]

    def restart(self) -> None:
        self.counts, self.shares = [Fraction(0)] * 3, [Fraction(0)] * 2
        self.times = self.spent = self.base = Fraction(0)
        self.era += 1


@dataclass
class World:
    """The true history of a class."""

    class_name: str
    start: int
    """What the counters had counted before."""
    based: bool
    now: Fraction = Fraction(1000)
    instances: list[Instance] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "beta:gamma"):
            begun = Fraction(self.start)
            wide = Fraction(1 << 40)
            self.instances.append(
                Instance(name, [wide, wide, begun], begun, begun, [wide, wide], wide)
            )

    def row(self, one: Instance) -> CimInstance:
        values: dict[str, CimValue] = {
            "Name": one.name,
            "Timestamp_PerfTime": int(self.now * FREQUENCY),
            "Frequency_PerfTime": FREQUENCY,
            "Timestamp_Sys100NS": int(self.now * TICKS),
        }
        columns = COUNTED[self.class_name]
        used = [one.counts[0], one.counts[1], one.counts[2]][: len(columns)]
        for column, count in zip(columns, used, strict=True):
            values[column] = int(count)
        average = AVERAGED[self.class_name]
        values[average], values[f"{average}_Base"] = int(one.spent), int(one.times)
        for column, share in zip(SHARED[self.class_name], one.shares, strict=False):
            values[column] = int(share)
            if self.based:
                values[f"{column}_Base"] = int(one.base)
        for column in NARROW & values.keys():
            number = values[column]
            assert isinstance(number, int)
            values[column] = number % WRAP
        return CimInstance(self.class_name, values)


def frozen(one: Instance) -> Instance:
    return Instance(
        one.name, list(one.counts), one.times, one.spent, list(one.shares), one.base, one.era
    )


def reference(
    world: World, old: tuple[Fraction, Instance] | None, new: Instance
) -> dict[str, Fraction | None]:
    """What the formulas give for the true difference of two samples."""
    columns = COUNTED[world.class_name]
    average, shares = AVERAGED[world.class_name], SHARED[world.class_name]
    if old is None or old[1].era != new.era:
        return dict.fromkeys((*columns, average, *shares))
    at, before = old
    # Clocks tick: a host can only tell the time in whole ticks.
    perf = Fraction(int(world.now * FREQUENCY) - int(at * FREQUENCY), FREQUENCY)
    clock = int(world.now * TICKS) - int(at * TICKS)
    told: dict[str, Fraction | None] = {}
    for index, column in enumerate(columns):
        told[column] = (new.counts[index] - before.counts[index]) / perf
    times, spent = new.times - before.times, new.spent - before.spent
    scale = FREQUENCY if world.class_name == STORAGE else 1
    told[average] = spent / scale / times if times else None
    for index, column in enumerate(shares):
        whole = new.base - before.base if world.based else Fraction(clock)
        told[column] = 100 * (new.shares[index] - before.shares[index]) / whole
    return told


@pytest.mark.parametrize("based", [True, False])
@pytest.mark.parametrize("start", [0, WRAP - 50_000, 3 * WRAP - 900_000])
@pytest.mark.parametrize("class_name", [STORAGE, PROCESSOR])
def test_cooked_values_are_those_of_the_formulas(class_name: str, start: int, based: bool) -> None:
    for seed in range(25):
        random = Random(f"{class_name} {start} {based} {seed}")
        history = [any_span(random) for _ in range(8)]
        compare(class_name, start, based, history)


def compare(class_name: str, start: int, based: bool, history: list[Span]) -> None:
    world = World(class_name, start, based)
    meter = Meter(class_name)
    last: dict[str, tuple[Fraction, Instance]] = {}
    stood: dict[str, dict[str, Fraction | None]] = {}
    for span in history:
        world.now += span.seconds
        if span.seconds:
            for index, one in enumerate(world.instances):
                if index in span.restarts and not one.era:
                    one.restart()  # once: what counts beyond where it was cannot be told
                one.work(span.works[index], span.seconds)
        shown = [one for i, one in enumerate(world.instances) if i not in span.hidden]
        rows = [world.row(one) for one in shown]
        told = meter.feed(reversed(rows) if span.reverse else rows)
        assert set(told) == {one.name for one in shown}
        for one in shown:
            before = last.get(one.name)
            if before is not None and before[0] == world.now:
                expected = stood[one.name]
            else:
                expected = reference(world, before, one)
            for column, value in expected.items():
                assert_same(told[one.name][column], value, column)
            stood[one.name] = expected
        last = {one.name: (world.now, frozen(one)) for one in shown}
        stood = {one.name: stood[one.name] for one in shown}


def assert_same(told: float | None, expected: Fraction | None, column: str) -> None:
    if expected is None:
        assert told is None, column
    else:
        assert told == pytest.approx(float(expected), rel=1e-9, abs=1e-12), column

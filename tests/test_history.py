"""What a history keeps of what was read, against a slow and obvious one; its memory, its bound."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.scripted import START
from tui.store import History, Metric
from tui.store.codes import MISSING, codes_of, value_of
from tui.store.histories import Histories
from tui.store.series import BESIDES, FULL, HOLD, LATE, SCANT, THIN, Grain

GRAINS = [FULL, THIN, SCANT]
Reading = tuple[float, Sequence[float | None]]
DAY = 86_400.0
START_OF_DAY = START - START % DAY


# -- codes ---------------------------------------------------------------------------------


@given(st.floats(1e-3, 1e16))
@example(1e-3)
@example(1e15)
def test_a_code_is_less_than_a_twentieth_of_a_percent_off(value: float) -> None:
    (code,) = codes_of((value,))
    assert abs(value_of(code) - value) < 0.0005 * value


@given(st.lists(st.floats(0, 1e18), min_size=2))
def test_codes_are_in_the_order_of_values(values: list[float]) -> None:
    codes = codes_of(sorted(values))
    assert codes == sorted(codes)
    assert MISSING not in codes


def test_every_code_means_itself() -> None:
    assert codes_of(map(value_of, range(1, 0x10000))) == list(range(1, 0x10000))


@pytest.mark.parametrize(
    ("value", "kept"),
    [(float(n), float(n)) for n in (0, 1, 93, 100, 1025, 2047, 2048, 2**40)]
    + [(-0.01, 0.0), (1e-9, 0.0), (float("inf"), value_of(0xFFFF)), (10**30, value_of(0xFFFF))],
)
def test_what_is_exact_and_what_is_clamped(value: float, kept: float) -> None:
    assert [value_of(code) for code in codes_of((value,))] == [kept]


def test_no_reading_and_no_number_are_missing() -> None:
    assert codes_of((None, float("nan"))) == [MISSING, MISSING]


# -- a slow, obvious history ---------------------------------------------------------------


class Plain:
    """One metric: dictionaries of (mean, peak) by slot, made anew with every reading."""

    def __init__(self, grain: Grain) -> None:
        self.rings = grain.rings
        self.slots: list[dict[int, tuple[float, float] | None]] = [{} for _ in grain.rings]
        self.heads = [-1] * len(grain.rings)
        self.first: int | None = None

    def record(self, at: float, value: float | None) -> None:
        step = self.rings[0][0]
        back = self.heads[0] >= 0 and at < self.heads[0] * step - LATE
        if self.first is None or (back and int(at // step) < self.first):
            self.first = int(at // step)
        if int(at // step) < self.first:
            return  # came late, and is older than everything
        for level, (step, size) in enumerate(self.rings):
            slot, slots = int(at // step), self.slots[level]
            for later in [number for number in slots if number > slot and back]:
                del slots[later]
            self.heads[level] = slot if back else max(slot, self.heads[level])
            slots[slot] = None if value is None else (value, value)
            if level:
                ratio = int(step // self.rings[level - 1][0])
                finer = self.slots[level - 1]
                parts = [p for n in range(slot * ratio, (slot + 1) * ratio) if (p := finer.get(n))]
                mean = sum(part[0] for part in parts) / max(1, len(parts))
                slots[slot] = (mean, max(part[1] for part in parts)) if parts else None
            for old in [number for number in slots if number <= self.heads[level] - size]:
                del slots[old]

    def reaches(self, level: int, moment: float) -> bool:
        step, size = self.rings[level]
        return moment >= (self.heads[level] - size + 1) * step

    def between(self, level: int, since: float, until: float) -> Iterator[tuple[float, float]]:
        step = self.rings[level][0]
        for slot in range(int(since // step), int(until // step) + 1):
            if (found := self.slots[level].get(slot)) is not None:
                yield found

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        span, last = (until - since) / buckets, len(self.rings) - 1
        out: list[float | None] = []
        held, held_at = None, -HOLD
        for start in (since + n * span for n in range(buckets)):
            level = next((k for k in range(last) if self.reaches(k, start)), last)
            known = [mean for mean, _ in self.between(level, start, start + span - 1e-6)]
            value = sum(known) / len(known) if known else None
            if value is not None:
                held, held_at = value, start + span
            out.append(held if value is None and start - held_at < HOLD else value)
        return out

    def peak(self, since: float, until: float) -> float | None:
        found: list[float] = []
        for level, (step, size) in enumerate(self.rings):
            reach = (self.heads[level] - size + 1) * step
            found += [peak for _, peak in self.between(level, max(since, reach), until)]
            if since >= reach:
                break
            until = min(until, reach - 1e-6)
        return max(found, default=None)


def near(found: Sequence[float | None], expected: Sequence[float | None]) -> bool:
    """Two roundings of a code lie between, at most."""
    return [v is None for v in found] == [v is None for v in expected] and all(
        abs(one - other) <= 0.002 * other + 1e-3
        for one, other in zip(found, expected, strict=True)
        if one is not None and other is not None
    )


VALUES = st.none() | st.integers(0, 100) | st.floats(0.01, 1e15)
STEPS = st.one_of(
    st.just(2.0),
    st.floats(-59, 30).map(lambda step: round(step, 1)),
    st.sampled_from([60.0, 599.0, 3600.0, 3601.0, 20_000.0, 90_000.0, -61.0, -1000.0, -8000.0]),
)
READINGS = st.lists(st.tuples(STEPS, VALUES, VALUES), min_size=1, max_size=60)


@example([(2.0, None, 0), (-1000.0, None, None), (-1.0, None, 0)], FULL, 3600.0, 1, 0.0)
@given(
    READINGS,
    st.sampled_from(GRAINS),
    st.sampled_from([30.0, 300.0, 3600.0, 7200.0, DAY]),
    st.integers(1, 70),
    st.floats(-200, 4000),
)
def test_a_history_is_what_a_plain_one_is(
    readings: list[tuple[float, float | None, float | None]],
    grain: Grain,
    window: float,
    buckets: int,
    before: float,
) -> None:
    """Gaps, readings of two hosts interleaved, clocks set back; looked at now and then."""
    history, plain, at = History(grain), (Plain(grain), Plain(grain)), START
    for step, *values in readings:
        at += step
        if history.fine is None and values == [None, None]:
            continue
        history.record(at, (None, *values))
        for one, value in zip(plain, values, strict=True):
            one.record(at, value)
        if history.fine is None:  # set back before everything, with nothing read: both begin anew
            assert all(set(one.slots[0].values()) <= {None} for one in plain)
            plain = Plain(grain), Plain(grain)
        until = history.newest - before
        for metric, one in enumerate(plain, 1):
            found = history.points(metric, until - window, until, buckets)
            assert near(found, one.points(until - window, until, buckets))
            peaks = history.peak(metric, until - window, until), one.peak(until - window, until)
            assert near(peaks[:1], peaks[1:])


def test_looking_changes_nothing() -> None:
    rng = random.Random(4)
    looked_at, other, at = History(THIN), History(THIN), START
    for _ in range(3000):
        at += rng.choice((2, 2, 2, 4, -3, 70))
        reading = (rng.randrange(100), rng.random() * 1e9)
        looked_at.record(at, reading)
        other.record(at, reading)
        looked_at.points(1, at - DAY, at, 5)
    for metric in (0, 1):
        found = [h.points(metric, at - DAY, at, 300) for h in (looked_at, other)]
        assert found[0] == found[1]


@pytest.mark.parametrize("grain", GRAINS, ids=("full", "thin", "scant"))
def test_a_day_at_two_seconds(grain: Grain) -> None:
    rng, history = random.Random(2), History(grain)
    values = [float(rng.randrange(100)) for _ in range(int(DAY // 2))]
    values[20_000] = 1500.0
    for number, value in enumerate(values):
        history.record(START_OF_DAY + 2 * number, (value,))
    every = int(grain.rings[0][0] // 2)  # the last reading of a slot stands for it
    hours = history.points(0, START_OF_DAY, START_OF_DAY + DAY, 24)
    kept = [values[n * 1800 + every - 1 : (n + 1) * 1800 : every] for n in range(24)]
    assert near(hours, [sum(part) / len(part) for part in kept])
    peaks = [
        history.peak(0, START_OF_DAY + 3600 * n, START_OF_DAY + 3600 * (n + 1) - 1)
        for n in range(24)
    ]
    assert peaks == [max(part) for part in kept]


def test_a_peak_within_a_minute_is_kept_for_a_day() -> None:
    history = History()
    for number in range(30_000):
        history.record(START + 2 * number, (97.0 if number == 100 else 3.0,))
    end = START + 60_000
    assert history.peak(Metric.CPU, START, end) == 97.0
    assert history.peak(Metric.CPU, START + 300, end) == 3.0
    assert max(v for v in history.points(Metric.CPU, START, end, 1000) if v is not None) < 10


def test_old_peaks_of_several_metrics_are_told_no_higher_than_they_were() -> None:
    history = History()
    for number in range(5000):
        read = (800.0, 0.0) if number == 100 else (0.0, 700.0) if number == 101 else (100.0, 100.0)
        history.record(START + 2 * number, read)
    assert history.highest((0, 1), START, START + 10_000) == 800.0


@pytest.mark.parametrize("width", [1, 3, 12])
def test_a_reading_has_any_number_of_metrics(width: int) -> None:
    history = History()
    history.record(START, [float(n + 1) for n in range(width)])
    history.record(START + 2, (7.0,))
    assert history.width == width
    assert history.latest(0) == 7.0
    assert [history.latest(n) for n in range(1, width + 2)] == [None] * (width + 1)
    assert history.points(width - 1, START, START + 2, 1) == [width]


def test_a_clock_set_back_takes_what_was_after_it() -> None:
    history = History()
    for number in range(1000):
        history.record(START + 2 * number, (5.0,))
    history.record(START + 1000, (9.0,))
    assert history.newest == START + 1000
    assert history.latest(0) == 9.0
    assert history.points(0, START + 900, START + 1100, 2) == [5.0, 9.0]
    assert history.peak(0, START + 1060, START + 2000) is None


# -- memory --------------------------------------------------------------------------------


def taken(history: History) -> int:
    """Bytes of all columns as Python tells them."""
    rings = [] if history.fine is None else [history.fine, *history.coarse]
    return sum(sys.getsizeof(column) for ring in rings for column in ring.columns if column)


def fed(grain: Grain, hours: float, metrics: int = 6, every: int = 20) -> History:
    history = History(grain)
    for at in range(0, int(hours * 3600), every):
        history.record(START + at, (float(at % 100),) * metrics)
    return history


@pytest.mark.parametrize("grain", GRAINS, ids=("full", "thin", "scant"))
def test_memory_comes_with_time_and_is_flat_after_a_day(grain: Grain) -> None:
    minute, hour, day, two = (taken(fed(grain, hours)) for hours in (1 / 60, 1, 24.5, 49))
    assert minute < day * 0.7
    assert minute <= hour < day == two <= grain.column * 6
    assert two > grain.column * 6 * 0.9, "the estimate is near"


def test_a_thing_pays_for_the_metrics_it_has() -> None:
    assert taken(fed(FULL, 2, metrics=2)) * 3 == taken(fed(FULL, 2, metrics=6))
    sparse = History()
    sparse.record(START, (None, None, None, 1.0))
    assert sparse.width == 1


@pytest.mark.parametrize("to", [THIN, SCANT], ids=("thin", "scant"))
def test_thinner_it_is_what_it_would_have_been(to: Grain) -> None:
    rng, history, always = random.Random(3), History(), History(to)
    at = START_OF_DAY
    for _ in range(8000):
        at += rng.choice((2, 2, 10, 30, 500 if rng.random() < 0.01 else 2))
        reading = (50.0 + rng.random(), None, 1e9 + rng.random())
        history.record(at, reading)
        always.record(at, reading)
    history.thin(to)
    assert history.newest == always.newest
    assert (history.latest(1), history.width) == (None, 2)
    for window, buckets in ((DAY / 2, 12), (3600.0, 20), (600.0, 10)):
        found, expected = (
            [v or 0.0 for v in h.points(0, at - window, at, buckets)] for h in (history, always)
        )
        assert found == pytest.approx(expected, abs=1.1)
    for _ in range(400):
        at += 2
        history.record(at, (70.0,))
    assert history.points(0, at - 700, at, 7) == [70.0] * 7


# -- the bound -----------------------------------------------------------------------------


ROOM = 2 * 2**20
"""For about thirty things in full."""


def crowd(count: int, allowance: int = ROOM) -> Histories:
    histories = Histories(allowance)
    for number in range(count):
        histories.record(f"vm{number}", START, (1.0,) * 6)
    return histories


def test_few_things_are_remembered_in_full() -> None:
    histories = crowd(30)
    assert histories.grain is FULL
    assert histories["vm7"].grain is FULL


@pytest.mark.parametrize(("count", "grain"), [(90, THIN), (300, SCANT)])
def test_many_things_are_remembered_less_finely_but_hosts_in_full(count: int, grain: Grain) -> None:
    histories = Histories(ROOM)
    histories.record("HV01", START, (1.0,) * 6, host=True)
    for number in range(count):
        histories.record(f"vm{number}", START, (1.0,) * 6)
        histories.record(f"vm{number}", START + 2, (3.0,) * 6)
    for _ in range(count):
        histories.settle()
    assert all(h.grain is grain for key, h in histories.items() if key != "HV01")
    assert histories["HV01"].grain is FULL
    assert histories.bytes <= ROOM
    assert all(h.points(0, START, START + 10, 1) != [None] for h in histories.values())


def test_beyond_the_thinnest_nothing_is_added_until_something_goes() -> None:
    histories = crowd(2000)
    assert histories.bytes <= ROOM + SCANT.column * 6 + BESIDES
    assert "vm0" in histories
    assert "vm1999" not in histories
    histories.record("HV01", START, (1.0,) * 6, host=True)
    assert "HV01" in histories
    for number in range(50):
        histories.forget(f"vm{number}")
    histories.record("vm1999", START, (1.0,) * 6)
    assert "vm1999" in histories
    histories.record("vm60", START, (1.0,) * 600)
    assert histories["vm60"].width <= 600


def test_what_is_forgotten_weighs_nothing() -> None:
    histories = crowd(40)
    for key in list(histories):
        histories.forget(key)
    assert histories.bytes == 0
    assert not histories


def test_a_large_fleet_fits_and_a_usual_one_is_kept_in_full() -> None:
    for machines, grain in ((3000, FULL), (10_000, THIN), (33_000, SCANT)):
        assert machines * (grain.column * 6 + BESIDES) <= Histories().allowance

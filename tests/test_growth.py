"""How fast something fills: exact where it can be known, silent where it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.store.growth import HELD, LEAST, LONG, Growth, Trend

GB = float(2**30)
START = 1_790_000_000.0
HOUR = 3600.0


def fed(values: list[tuple[float, float]], most: int = 256) -> Growth:
    growth = Growth(most)
    for at, value in values:
        growth.record(START + at, value)
    return growth


def line(seconds: float, rate: float, every: float = 30.0, base: float = 500 * GB) -> Growth:
    count = int(seconds // every) + 1
    return fed([(every * step, base + rate * every * step) for step in range(count)])


def told(growth: Growth) -> Trend:
    assert growth.trend is not None
    return growth.trend


def test_nothing_is_said_before_there_is_enough() -> None:
    assert Growth().trend is None
    assert Growth().waits == LEAST
    early = line(300, 1e6)
    assert early.trend is None
    assert early.waits == pytest.approx(LEAST - 300)
    assert fed([(0, 1.0), (2 * LEAST, 2.0)]).trend is None, "two readings tell nothing"
    assert told(line(LEAST, 1e6)).rate == pytest.approx(1e6)


@settings(max_examples=40)
@given(
    rate=st.floats(-5e7, 5e7),
    every=st.sampled_from([2.0, 10.0, 30.0, 61.0]),
    hours=st.floats(0.3, 30.0),
    most=st.integers(32, 300),
)
def test_a_line_is_told_exactly_however_often_it_is_read(
    rate: float, every: float, hours: float, most: int
) -> None:
    count = min(900, int(hours * HOUR / every))
    growth = fed([(every * n, 1e12 + rate * every * n) for n in range(count)], most)
    if growth.trend is None:
        assert count * every < LEAST + 10 * every
        return
    assert growth.trend.rate == pytest.approx(rate, rel=1e-6, abs=1e-2)
    assert len(growth) <= max(32, most) + 1


@settings(max_examples=40)
@given(st.lists(st.floats(-0.4, 0.4), min_size=121, max_size=121), st.floats(1e5, 1e8))
def test_noise_below_the_growth_of_a_step_moves_it_little(noise: list[float], rate: float) -> None:
    values = [(30.0 * n, rate * 30.0 * (n + 2 * noise[n])) for n in range(121)]
    trend = told(fed(values))
    assert trend.rate == pytest.approx(rate, rel=0.5)
    assert trend.low <= trend.rate <= trend.high


@settings(max_examples=40)
@given(at=st.integers(1, 119), size=st.floats(-400.0, 400.0))
def test_a_file_copied_once_is_no_growth(at: int, size: float) -> None:
    values = [(30.0 * n, 500 * GB + (size * GB if n >= at else 0.0)) for n in range(121)]
    assert told(fed(values)).rate == 0.0


def test_blocks_of_a_growing_file_are_growth() -> None:
    block = 32 * 2**20
    grown = [(30.0 * n, float((n * 30 * 2**20) // block * block)) for n in range(241)]
    assert told(fed(grown)).rate == pytest.approx(2**20, rel=0.1)


@pytest.mark.parametrize("most", [48, 256])
@pytest.mark.parametrize("hours", [1.0, 8.0, 24.0])
def test_what_began_just_now_counts(hours: float, most: int) -> None:
    """However long it was quiet before, and however few readings are kept of that."""
    quiet = [(60.0 * n, 500 * GB) for n in range(int(hours * 60))]
    end = quiet[-1][0]
    busy = [(end + 60.0 * n, 500 * GB + n * GB) for n in range(1, 31)]
    assert told(fed(quiet, most)).rate == 0.0
    assert told(fed(quiet + busy, most)).rate == pytest.approx(GB / 60.0, rel=0.05)


def test_a_clock_that_went_back_begins_anew() -> None:
    growth = line(2 * HOUR, 1e6)
    growth.record(START - HOUR, 1.0)
    assert growth.trend is None
    assert len(growth) == 1


def test_several_may_tell_of_the_same_thing_each_at_its_moment() -> None:
    growth = Growth()
    for step in range(120):
        for late in (0.0, -1.5, 1.0, -4.0):
            at = 30.0 * step + late
            growth.record(START + at, 1e12 + 1e6 * at)
    assert told(growth).rate == pytest.approx(1e6)


def test_a_gap_is_bridged_not_invented() -> None:
    values = [(30.0 * n, 1e6 * 30.0 * n) for n in range(60)]
    values += [(at + 4 * HOUR, value + 1e6 * 4 * HOUR) for at, value in values]
    assert told(fed(values)).rate == pytest.approx(1e6)


def test_a_day_is_kept_and_no_more() -> None:
    growth = line(3 * LONG, 1e4, every=60.0)
    assert len(growth) <= 257
    rising = [(60.0 * n, 1e4 * 60.0 * n) for n in range(1440)]
    then_flat = [(LONG + 60.0 * n, 1e4 * LONG) for n in range(1700)]
    assert told(fed(rising + then_flat)).rate == pytest.approx(0.0, abs=1.0)


def test_when_it_is_full_and_how_sure_that_is() -> None:
    trend = Trend(2.0, 1.0, 4.0)
    assert trend.reaches(100.0) == 50.0
    assert trend.bounds(100.0) == (25.0, 100.0)
    assert trend.reaches(-5.0) == 0.0, "already over"
    assert Trend(1.0, -1.0, 2.0).bounds(10.0) == (5.0, None)
    assert Trend(0.0, 0.0, 0.0).reaches(100.0) is None


# -- as a curve ----------------------------------------------------------------------------


def test_an_amount_stays_as_it_was_read_until_nobody_reads_any_more() -> None:
    growth = fed([(0, 10.0), (30, 20.0), (60, 30.0), (1000, 90.0)])
    points = growth.points(START - 20, START + 100, 6)
    assert points == [None, 10.0, 20.0, 20.0, 30.0, 30.0]
    assert growth.points(START + 60 + HELD + 1, START + 900, 4) == [None] * 4, "a gap is a gap"
    assert growth.highest(START, START + 45) == 20.0
    assert growth.highest(START + 45, START + 55) == 20.0, "it was no less then"
    assert growth.highest(START + 45, START + 2000) == 90.0
    assert growth.highest(START + 500, START + 900) is None
    assert Growth().points(START, START + 60, 3) == [None] * 3


@settings(max_examples=30, deadline=None)
@given(
    every=st.sampled_from([2.0, 20.0, 61.0]),
    count=st.integers(2, 900),
    window=st.sampled_from([60.0, 3600.0, LONG]),
)
def test_a_curve_has_no_holes_however_often_it_is_read(
    every: float, count: int, window: float
) -> None:
    growth = fed([(every * n, 1e9 + n) for n in range(count)])
    now = START + every * (count - 1)
    since = max(START, now - window)
    points = growth.points(since, now + 1e-3, 60)
    known = [value for value in points if value is not None]
    assert len(known) == 60
    assert known == sorted(known)
    assert known[-1] <= 1e9 + count - 1
    assert growth.highest(since, now) == 1e9 + count - 1

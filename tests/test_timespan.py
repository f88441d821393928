"""Spans of time and what is known of a series over them: zoom, pan, freeze, late readings."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.rows.text import clock
from tui.ui.timespan import DAY, LONGEST, SHORTEST, STEPS, WINDOWS, TimeSpan, length
from tui.ui.trace import Series, Stretch, Trace

NOW = 1_790_000_040.0


def span(now: float = NOW) -> TimeSpan:
    made = TimeSpan()
    made.tell(now)
    return made


# -- zoom and pan --------------------------------------------------------------------------


def test_windows_go_round_and_zoom_stops_at_both_ends() -> None:
    shown = span()
    seen = []
    for _ in WINDOWS:
        shown.next_window()
        seen.append(shown.window)
    assert sorted(seen) == list(WINDOWS)
    assert shown.window == WINDOWS[1]
    for _ in STEPS:
        shown.zoom(1)
    assert shown.window == LONGEST
    for _ in STEPS:
        shown.zoom(-1)
    assert shown.window == SHORTEST
    assert shown.live


def test_pan_stops_a_day_back_and_comes_home_to_now() -> None:
    shown = span()
    shown.pan(-1)
    assert shown.until == NOW - 75
    assert not shown.live
    for _ in range(2000):
        shown.pan(-1)
    assert shown.until - shown.window == pytest.approx(NOW - DAY)
    for _ in range(2000):
        shown.pan(1)
    assert shown.live


def test_a_span_of_the_past_does_not_move_and_says_how_long_ago_it_was() -> None:
    shown = span()
    shown.pan(-4)
    shown.tell(NOW + 420)
    assert shown.until == NOW - 300
    assert shown.words() == f"{clock(NOW - 600)[:5]}-{clock(NOW - 300)[:5]}, 12 min ago"
    shown.follow()
    assert shown.words() == "last 5 min"


def test_frozen_it_ends_where_it_was_and_can_be_looked_through() -> None:
    shown = span()
    shown.hold(NOW)
    shown.tell(NOW + 50)
    assert shown.until == NOW
    assert shown.words() == f"{clock(NOW - 300)[:5]}-{clock(NOW)[:5]}, frozen"
    shown.pan(-2)
    shown.tell(NOW + 90)
    assert shown.until == NOW - 150
    shown.follow()
    assert shown.until == NOW
    shown.hold(None)
    assert shown.until == NOW + 90


@given(st.floats(0.01, 0.99), st.lists(st.sampled_from([1, -1]), max_size=12))
def test_zoom_keeps_the_crosshair_where_it_is_on_the_screen(at: float, keys: list[int]) -> None:
    shown = span()
    shown.pan(-300)
    place = shown.until - shown.window * at
    shown.point(place, fixed=True)
    for key in keys:
        shown.zoom(key)
        assert shown.cross == place
        if NOW - DAY + shown.window < shown.until < NOW:
            assert (shown.until - place) / shown.window == pytest.approx(at, abs=1e-6)
        else:
            break


@given(
    st.lists(
        st.tuples(st.sampled_from(["zoom", "pan", "tell", "hold", "point"]), st.integers(-9, 9)),
        max_size=40,
    )
)
def test_whatever_is_pressed_it_stays_within_a_day_and_shows_its_crosshair(
    keys: list[tuple[str, int]],
) -> None:
    shown, now = span(), NOW
    for key, by in keys:
        if key == "zoom":
            shown.zoom(by)
        elif key == "pan":
            shown.pan(by)
        elif key == "hold":
            shown.hold(now if by > 0 else None)
        elif key == "point":
            shown.point(shown.until - shown.window * abs(by) / 10, fixed=True)
        else:
            now += abs(by) * 10
        shown.tell(now)
        assert SHORTEST <= shown.window <= LONGEST
        assert shown.until <= shown.now <= now
        if key in ("zoom", "pan"):
            assert shown.until - shown.window >= shown.now - DAY - 1e-3
        if shown.cross is not None:
            assert shown.until - shown.window <= shown.cross
        assert shown.words()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (60, "1 min"), (95, "95 s"), (720, "12 min"), (3600, "1 h"), (5400, "90 min"),
     (DAY, "24 h")],
)  # fmt: skip
def test_length(seconds: float, words: str) -> None:
    assert length(seconds) == words


# -- what is asked of a series --------------------------------------------------------------


class Counted:
    """Values by second, and how many buckets were asked for."""

    def __init__(self) -> None:
        self.values: dict[int, float] = {}
        self.asked = 0

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        self.asked += buckets
        step = (until - since) / buckets
        return [
            next((self.values[second] for second in range(first, first + round(step))
                  if second in self.values), None)
            for first in (round(since + at * step) for at in range(buckets))
        ]  # fmt: skip

    def peak(self, since: float, until: float) -> float | None:
        return max((v for at, v in self.values.items() if since <= at < until), default=None)


def stretch(now: int, step: int = 5, buckets: int = 60) -> Stretch:
    until = float((now // step + 1) * step)
    return Stretch(until - step * buckets, until, buckets)


def test_asking_only_for_the_end_tells_the_same_as_asking_for_all() -> None:
    rng = random.Random(3)
    view = Counted()
    kept = Trace(Series("", view, peak=view.peak))
    late: list[int] = []
    for now in range(1000, 1400):
        late.append(now)
        while late and (len(late) > 15 or rng.random() < 0.5):
            view.values[late.pop(rng.randrange(len(late)))] = rng.random()
        kept_facts = kept.facts(stretch(now), now, live=True)
        whole = Trace(Series("", view, peak=view.peak)).facts(stretch(now), now, live=True)
        assert kept_facts.values == whole.values
        assert kept_facts.peak == whole.peak
        assert kept_facts.now == whole.now


def test_little_is_asked_while_time_passes_and_all_when_it_jumps() -> None:
    view = Counted()
    trace = Trace(Series("", view))
    trace.facts(stretch(1000), 1000, live=True)
    assert view.asked == 60
    view.asked = 0
    for now in range(1001, 1050):
        trace.facts(stretch(now), now, live=True)
    assert view.asked < 49 * 15
    for now, buckets in ((500, 60), (501, 30)):
        view.asked = 0
        trace.facts(stretch(now, buckets=buckets), now, live=True)
        assert view.asked == buckets


def test_what_is_over_is_not_asked_again() -> None:
    view = Counted()
    trace = Trace(Series("", view))
    trace.facts(stretch(500), 1000, live=False)
    view.asked = 0
    for now in range(1001, 1050):
        trace.facts(stretch(500), now, live=False)
    assert not view.asked

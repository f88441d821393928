"""What reading may ask of a host: never more than the cap in a minute, evenly, actions aside."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.collector.allowance import MINUTE, Allowance, Paced
from tui.collector.messages import REQUESTS_PER_MINUTE, Configure
from tui.config import Refresh
from tui.errors import HvError
from tui.ui.options import DeckOptions
from tui.wsman.client import Throttle


class Clock:
    """Time that passes by waiting alone."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def rest(self, seconds: float) -> bool:
        assert seconds > 0
        self.now += seconds
        return False


def allowance(limit: int, clock: Clock) -> Allowance:
    return Allowance(limit, clock=clock, rest=clock.rest)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(10, 900),
    st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.2, 3.0, 90.0]), min_size=1, max_size=400),
)
def test_never_more_than_the_cap_in_any_minute(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    counted = allowance(limit, clock)
    asked: list[float] = []
    for pause in pauses:
        clock.now += pause
        began = clock.now
        assert counted.take() == pytest.approx(clock.now - began)
        asked.append(clock.now)
    start = 0
    for end, at in enumerate(asked):
        while asked[start] <= at - MINUTE + 1e-6:
            start += 1
        assert end - start + 1 <= limit


def test_the_cap_and_the_pace_are_the_same_wherever_they_are_the_usual_ones() -> None:
    usual = Refresh()
    for other in (Configure(()), DeckOptions()):
        assert (other.fast, other.slow) == (usual.fast, usual.slow)
        assert other.requests_per_minute == usual.requests_per_minute == REQUESTS_PER_MINUTE


def test_a_quarter_at_once_and_the_rest_evenly() -> None:
    clock = Clock()
    counted = allowance(40, clock)
    waits = [counted.take() for _ in range(40)]
    assert waits[:10] == [0.0] * 10
    assert waits[10:] == pytest.approx([2.0] * 30)
    assert counted.held_until == clock.now


def test_what_was_not_asked_may_be_asked_later() -> None:
    clock = Clock()
    counted = allowance(40, clock)
    for _ in range(10):
        counted.take()
    clock.now += 6
    assert [counted.take() for _ in range(4)] == pytest.approx([0.0, 0.0, 0.0, 2.0])


def test_without_a_cap_nothing_waits_and_a_new_cap_holds_at_once() -> None:
    clock = Clock()
    counted = allowance(0, clock)
    assert [counted.take() for _ in range(2000)] == [0.0] * 2000
    counted.limit = 10
    assert [counted.take() for _ in range(3)] == pytest.approx([0.0, 0.0, 7.5])


def test_an_action_passes_while_reading_waits_for_the_cap() -> None:
    throttle = Throttle(1)
    resting, go = threading.Event(), threading.Event()

    def rest(seconds: float) -> bool:
        resting.set()
        return not go.wait(30)

    counted = Allowance(4, clock=lambda: 0.0 if not go.is_set() else 100.0, rest=rest)
    reading = Paced(throttle, counted)
    with reading:
        pass
    passed: list[float] = []

    def read() -> None:
        with reading as waited:
            passed.append(waited)

    reader = threading.Thread(target=read)
    reader.start()
    assert resting.wait(30)
    with throttle as waited:
        assert waited == 0.0
    assert not passed
    go.set()
    reader.join(30)
    assert passed == [100.0]


def test_who_waits_when_reading_ends_is_told() -> None:
    counted = Allowance(4)
    counted.take()
    counted.close()
    with pytest.raises(HvError, match="ended"):
        counted.take()

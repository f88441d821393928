"""The queue of a plan: order, cap, gates, pauses, failures, doubts, what others do meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.collector.messages import CallUpdate, Phase
from tui.store.queue import ARRIVAL, Leg, Queue


def leg(name: str, *, gate: bool = False) -> Leg:
    """A call about a machine; a gate is about none."""
    vm = "" if gate else name
    made = Leg(name, name, "role.move", name, {}, "HV1", "HV2", vm, memory=100, gate=gate)
    made.arrived = not vm
    return made


class Play:
    """A queue, and hosts that do what a story says."""

    def __init__(self, *legs: Leg, cap: int = 2, stop: bool = True) -> None:
        self.queue = Queue(list(legs), cap=cap, stop_on_failure=stop)
        self.now = 0.0
        self.where: dict[str, str] = {}
        self.both: set[str] = set()
        """Machines that their source lists as well."""
        self.log: list[str] = []

    def pump(self) -> list[str]:
        """Send what is due; names of that."""
        names = []
        while due := self.queue.due():
            one = due[0]
            self.queue.sent(one, f"{one.key}.{len(self.log)}", self.now)
            self.log.append(one.key)
            names.append(one.key)
        return names

    def end(self, name: str, phase: Phase = Phase.OBSERVED, *, seen: bool = True) -> None:
        """A call ends so; its machine is then seen on the target."""
        one = self.queue.leg(name)
        assert one is not None
        self.now += 1
        update = CallUpdate(one.call, one.action, "HV1", one.thing, name, phase, self.now)
        assert self.queue.heard(update)
        if seen and phase is Phase.OBSERVED:
            self.where[name] = "HV2"
        self.look()

    def hear(self, name: str, percent: int) -> None:
        """A call says how far it is."""
        one = self.queue.leg(name)
        assert one is not None
        self.queue.heard(
            CallUpdate(one.call, one.action, "HV1", one.thing, name, Phase.ACCEPTED, self.now,
                       percent)
        )  # fmt: skip

    def look(self) -> None:
        self.queue.settle(self._seen_on, self._left, self.now)

    def _seen_on(self, vm: str) -> tuple[str, float]:
        return self.where.get(vm, "HV1"), self.now

    def _left(self, vm: str, host: str, after: float) -> bool:
        return self._seen_on(vm)[0] != host and vm not in self.both and self.now > after

    def words(self) -> dict[str, str]:
        return {one.key: one.word for one in self.queue.legs}


def test_no_more_than_the_cap_are_under_way_and_in_order() -> None:
    play = Play(*map(leg, "abcde"))
    assert play.pump() == ["a", "b"]
    assert play.pump() == []
    play.end("b")
    assert play.pump() == ["c"]
    for name in "acde":
        play.end(name)
        play.pump()
    assert play.log == list("abcde")
    assert play.queue.over
    assert play.queue.tally() == "5 done"


def test_nothing_begins_before_the_gate_is_open() -> None:
    play = Play(leg("pause", gate=True), leg("a"), leg("b"))
    assert play.pump() == ["pause"]
    assert play.pump() == []
    play.end("pause")
    assert play.pump() == ["a", "b"]


def test_a_gate_that_fails_lets_nothing_through_until_it_is_tried_again() -> None:
    play = Play(leg("pause", gate=True), leg("a"), stop=False)
    play.pump()
    play.end("pause", Phase.FAILED)
    assert play.pump() == []
    play.queue.go_on()
    assert play.queue.paused
    assert play.queue.why == "stopped: pause failed"
    gate = play.queue.leg("pause")
    assert gate is not None
    assert play.queue.retry(gate)
    assert play.pump() == ["pause"]
    play.end("pause")
    assert play.pump() == ["a"]


def test_a_machine_is_not_done_before_it_is_seen_where_it_went() -> None:
    play = Play(leg("a"))
    play.pump()
    play.end("a", seen=False)
    assert play.words() == {"a": "under way"}
    play.where["a"] = "HV2"
    play.look()
    assert play.words() == {"a": "done"}


def test_a_machine_never_seen_there_is_a_doubt_not_a_success() -> None:
    play = Play(leg("a"))
    play.pump()
    play.end("a", seen=False)
    play.now += ARRIVAL + 1
    play.look()
    assert play.words() == {"a": "unknown"}
    assert play.queue.over
    play.where["a"] = "HV2"
    play.look()
    assert play.words() == {"a": "done"}


def test_it_stops_after_the_first_failure_and_goes_on_when_told() -> None:
    play = Play(*map(leg, "abcd"))
    play.pump()
    play.end("a", Phase.FAILED)
    assert play.pump() == []
    assert play.queue.why == "stopped: a failed"
    assert not play.queue.stuck, "b is under way"
    play.end("b")
    assert play.queue.stuck
    play.queue.go_on()
    assert play.pump() == ["c", "d"]
    assert play.words()["a"] == "failed"


def test_it_goes_on_after_failures_where_that_is_wanted() -> None:
    play = Play(*map(leg, "abc"), cap=1, stop=False)
    for name in "abc":
        assert play.pump() == [name]
        play.end(name, Phase.FAILED)
    assert play.queue.tally() == "3 failed"


def test_what_failed_may_be_tried_again_and_what_is_in_doubt_may_not() -> None:
    play = Play(leg("a"), leg("b"))
    play.pump()
    play.end("a", Phase.FAILED)
    play.end("b", Phase.UNKNOWN)
    a, b = play.queue.legs
    assert not play.queue.retry(b), "it could be started twice"
    assert play.queue.retry(a)
    assert play.pump() == ["a"]
    play.end("a")
    assert play.words() == {"a": "done", "b": "unknown"}


@pytest.mark.parametrize("phase", [Phase.UNKNOWN, Phase.FAILED])
def test_a_doubt_ends_when_the_machine_is_seen_on_its_target(phase: Phase) -> None:
    play = Play(leg("a"))
    play.pump()
    play.end("a", phase)
    play.where["a"] = "HV2"
    play.look()
    assert play.words() != {"a": "done"}, "read before the call ended"
    play.now += 1
    play.look()
    assert play.words() == {"a": "done"}


def test_a_doubt_that_ends_well_lets_the_run_go_on() -> None:
    play = Play(*map(leg, "abc"), cap=1)
    play.pump()
    play.end("a", Phase.UNKNOWN)
    assert play.queue.why == "stopped: a unknown"
    assert play.pump() == []
    play.where["a"] = "HV2"
    play.now += 1
    play.look()
    assert (play.queue.paused, play.queue.why) == (False, "")
    assert play.pump() == ["b"]


def test_a_doubt_that_ends_well_undoes_no_other_stop_and_no_pause() -> None:
    play = Play(*map(leg, "abc"), cap=2)
    play.pump()
    play.end("b", Phase.FAILED)
    play.end("a", Phase.UNKNOWN)
    play.where["a"] = "HV2"
    play.now += 1
    play.look()
    assert (play.queue.paused, play.queue.why) == (True, "stopped: b failed")
    play = Play(*map(leg, "abc"), cap=1)
    play.pump()
    play.queue.pause()
    play.end("a", Phase.UNKNOWN)
    assert play.queue.why == "stopped: a unknown"
    play.where["a"] = "HV2"
    play.now += 1
    play.look()
    assert (play.queue.paused, play.queue.why) == (True, "")


def test_the_next_step_of_a_machine_waits_for_the_one_before() -> None:
    first, then = leg("a"), leg("a")
    then.key, then.source, then.target = "a again", "HV2", "HV3"
    play = Play(first, then, leg("b"), cap=3)
    assert play.pump() == ["a"], "b keeps its place"
    play.end("a")
    assert play.pump() == ["a again", "b"]


def test_a_doubt_stays_while_both_hosts_have_the_machine() -> None:
    play = Play(leg("a"))
    play.pump()
    play.end("a", Phase.UNKNOWN)
    play.where["a"] = "HV2"
    play.both.add("a")
    play.now += 1
    play.look()
    assert play.words() == {"a": "unknown"}
    play.both.clear()
    play.look()
    assert play.words() == {"a": "done"}


def test_pausing_lets_what_is_under_way_go_on() -> None:
    play = Play(*map(leg, "abc"), cap=1)
    play.pump()
    play.queue.pause()
    play.end("a")
    assert play.pump() == []
    assert play.queue.stuck
    play.queue.go_on()
    assert play.pump() == ["b"]


def test_what_went_elsewhere_by_itself_is_neither_done_nor_sent() -> None:
    play = Play(leg("a"), leg("b"), cap=1)
    play.queue.lost_to(play.queue.legs[0], "it is on HV3")
    assert play.pump() == ["b"]
    assert play.words() == {"a": "elsewhere", "b": "under way"}
    assert not play.queue.legs[0].fine


def test_what_waits_can_be_dropped() -> None:
    play = Play(*map(leg, "abc"), cap=1)
    play.pump()
    play.queue.drop("called off")
    assert play.words() == {"a": "under way", "b": "not sent", "c": "not sent"}
    play.end("a")
    assert play.queue.over
    assert not play.queue.paused


def test_the_rate_is_of_all_that_arrived() -> None:
    play = Play(*map(leg, "abc"), cap=1)
    assert play.queue.rate() is None
    for name in "ab":
        play.pump()
        play.end(name)
    assert play.queue.rate() == 100.0
    assert play.queue.left() == 1.0


def test_a_pause_is_no_time_on_the_way_and_what_flies_counts_by_its_percentage() -> None:
    play = Play(*map(leg, "abc"), cap=1)
    play.pump()
    play.end("a")
    play.queue.pause()
    play.now += 1000
    play.queue.go_on()
    play.pump()
    play.end("b")
    assert play.queue.rate() == 100.0
    play.pump()
    play.hear("c", 75)
    assert play.queue.left() == 0.25


def test_moves_at_the_same_time_share_it() -> None:
    play = Play(*map(leg, "abc"), cap=2)
    play.pump()
    play.end("a")
    play.end("b")
    assert play.queue.rate() == 100.0, "200 bytes in two seconds, not in three"


def test_files_that_are_copied_are_neither_measured_nor_foretold() -> None:
    play = Play(*map(leg, "abc"), cap=1)
    play.queue.legs[0].copies = play.queue.legs[2].copies = True
    play.pump()
    play.end("a")
    assert play.queue.rate() is None
    play.pump()
    play.end("b")
    assert play.queue.rate() == 100.0
    assert play.queue.left() is None, "how large the files of c are is not known"


def test_a_word_about_another_call_is_not_for_it() -> None:
    play = Play(leg("a"))
    assert not play.queue.heard(CallUpdate("x", "role.move", "HV1", "a", "a", Phase.FAILED, 1.0))


PHASES = st.sampled_from((Phase.OBSERVED, Phase.FAILED, Phase.REFUSED, Phase.UNKNOWN))


@given(
    ends=st.lists(PHASES, min_size=1, max_size=12), cap=st.integers(1, 5), stop=st.booleans(),
    data=st.data(),
)  # fmt: skip
def test_whatever_happens_each_is_sent_once_under_the_cap(
    ends: list[Phase], cap: int, stop: bool, data: st.DataObject
) -> None:
    play = Play(*(leg(f"m{at}") for at in range(len(ends))), cap=cap, stop=stop)
    for _ in range(4 * len(ends)):
        play.pump()
        assert len(play.queue.flying) <= cap
        if not play.queue.flying:
            play.queue.go_on()
            continue
        one = data.draw(st.sampled_from(play.queue.flying))
        play.end(one.key, ends[int(one.key[1:])])
    assert play.queue.over
    assert sorted(play.log) == sorted(one.key for one in play.queue.legs)
    done = [f"m{at}" for at, phase in enumerate(ends) if phase is Phase.OBSERVED]
    assert [one.key for one in play.queue.legs if one.fine] == done


@pytest.mark.parametrize("cap", [1, 2, 5])
def test_a_second_gate_waits_for_what_is_under_way(cap: int) -> None:
    play = Play(leg("a"), leg("gate", gate=True), leg("b"), cap=cap)
    assert play.pump() == ["a"]
    play.end("a")
    assert play.pump() == ["gate"]

"""The collector over real sockets: what hosts tell, what calls do, and what goes wrong."""

from __future__ import annotations

import itertools
import json
import logging
import socket
import time
from collections.abc import Iterator

import pytest

from tests.fabric_kit import running_fabric
from tests.link_kit import PASSWORD
from tests.live_kit import PATIENCE, STATES, Estate, Line, estate, line, true_states
from tui.collector import act, watch
from tui.collector.crew import Crew
from tui.collector.hub import Hub
from tui.collector.messages import Call, Configure, HostLink, Phase
from tui.collector.session import Session
from tui.collector.watch import Tier
from tui.hyperv.model import Link, Trouble
from tui.sim.scenes import SCENES
from tui.wsman.cim import CimRef, CimValue
from tui.wsman.client import CimClient
from tui.wsman.reply import MethodOutput

REQUESTED, ACCEPTED, OBSERVED = Phase.REQUESTED, Phase.ACCEPTED, Phase.OBSERVED
RUNNING, OFF, SAVED, PAUSED = (STATES[word] for word in ("running", "off", "saved", "paused"))


@pytest.fixture
def lab() -> Iterator[Estate]:
    """One host, six machines, a clock thirty times as fast."""
    with estate() as served:
        yield served


def is_said(trouble: Trouble, host: str) -> None:
    """A trouble names the host, and gives a cause and a way out."""
    assert host in trouble.title
    assert trouble.cause
    assert trouble.hint
    assert "\n" not in trouble.title + trouble.cause + trouble.hint
    assert "Traceback" not in trouble.title + trouble.cause


# -- reading -------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", sorted(set(SCENES) - {"troubled"}))
def test_the_inventory_of_every_host_of_a_scene(scene: str) -> None:
    with estate(scene, hosts=3, vms=20) as served, Session(served.links()) as session:
        inventories = session.load()
        assert not session.troubles
        assert set(inventories) == set(served.endpoints)
        for name, inventory in inventories.items():
            truth = served.truth(name)
            told = {vm.name: inventory.vm_vitals[vm.id].state for vm in inventory.vms.values()}
            assert told.keys() == truth.keys()
            steady = {vm: state for vm, state in truth.items() if state in STATES.values()}
            assert {vm: told[vm] for vm in steady} == steady
            assert inventory.host.memory > 0
            assert inventory.host.logical_processors > 0
            assert inventory.switches
            assert all(vm.complete for vm in inventory.vms.values())


def test_a_sick_fleet_is_read_as_far_as_it_can_be() -> None:
    with estate("troubled") as served:
        served.faults("HV-SLOW").http.latency = 0.05
        with Session(served.links()) as session:
            inventories = session.load()
            assert set(session.troubles) == {"HV-REFUSES", "HV-NOROLE", "HV-DENIED"}
            for host, trouble in session.troubles.items():
                is_said(trouble, host)
            kinds = {host: trouble.kind for host, trouble in session.troubles.items()}
            assert kinds["HV-REFUSES"] == "AuthRejected"
            assert "Hyper-V role" in session.troubles["HV-NOROLE"].title
            for host in ("HV-BAD", "HV-SLOW", "HV-FLAKY", "HV-DE"):
                assert len(inventories[host].vms) == len(served.fabric.hosts[host].machines), host


@pytest.mark.parametrize("machines", [6, 200])
def test_a_fast_tick_is_three_requests_however_many_machines(machines: int) -> None:
    with estate("large", hosts=1, vms=machines) as served:
        crew = Crew(Hub())
        lane = crew.watch(served.link())
        counts = []
        for _ in range(8):
            assert lane.step(Tier.FAST) is None
            counts.append(len(served.heard[served.first].take()))
        crew.stop(1)
        assert max(counts) <= 3
        assert counts[-1] == 3


def test_an_answer_too_large_for_an_envelope_is_asked_for_in_pages() -> None:
    with estate("large", hosts=1, vms=400) as served, Session(served.links()) as session:
        inventory = session.load(Tier.FAST)[served.first]
        asked = served.heard[served.first].take()
        assert any("GetSummaryInformation" in text for text in asked), "first the short way"
        assert any("FROM Msvm_SummaryInformation" in text for text in asked)
        assert "Pull" in asked
        told = {vm.name: inventory.vm_vitals[vm.id].state for vm in inventory.vms.values()}
        assert told == served.truth()
        session.load(Tier.FAST)
        again = served.heard[served.first].take()
        assert not any("GetSummaryInformation" in text for text in again), "it is remembered"


# -- calls ---------------------------------------------------------------------------------

LIFECYCLE = [
    ("vm.start", "router-lab", RUNNING),
    ("vm.start", "win11-test", RUNNING),
    ("vm.shutdown", "nas", OFF),
    ("vm.pause", "media", PAUSED),
    ("vm.save", "k3s", SAVED),
    ("vm.turn-off", "homeassistant", OFF),
    ("vm.turn-off", "win11-test", OFF),
    ("vm.reset", "media", RUNNING),
    ("vm.reboot", "nas", RUNNING),
]


@pytest.mark.parametrize(("verb", "name", "wanted"), LIFECYCLE)
def test_requested_accepted_observed(lab: Estate, verb: str, name: str, wanted: int) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        call = told.call(verb, "NUC01", name)
        told.submit(call)
        last = told.final(call)
        assert told.phases(call) == [REQUESTED, ACCEPTED, OBSERVED], last
        assert last.name == name
        assert last.trouble is None
        assert lab.changes() == 1
        told.until(lambda: lab.truth()[name] == wanted, name)
        told.until(lambda: told.state("NUC01", name) == wanted, name)


def test_resume_after_pause_and_both_are_seen(lab: Estate) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        for verb, state in (("vm.pause", PAUSED), ("vm.resume", RUNNING)):
            call = told.call(verb, "NUC01", "media")
            told.submit(call)
            assert told.final(call).phase is OBSERVED
            assert lab.truth()["media"] == state


def test_settings_are_observed_too(lab: Estate) -> None:
    with line(lab.links(), slow=0.3) as told:
        told.read("NUC01")
        notes = told.call("vm.set-notes", "NUC01", "media", notes="two\nlines <&> #tag")
        renamed = told.call("vm.rename", "NUC01", "media", name="cinema")
        told.submit(notes, renamed)
        assert told.final(notes).phase is OBSERVED
        assert told.final(renamed).phase is OBSERVED
        told.until(lambda: "cinema" in {v.name for v in told.inventory("NUC01").vms.values()})
        assert told.vm("NUC01", "cinema").notes == "two\nlines <&> #tag"
        assert "cinema" in lab.truth()


def test_many_calls_on_one_host_go_side_by_side_with_reading(lab: Estate) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        names = ("homeassistant", "nas", "k3s", "media")
        calls = [told.call("vm.shutdown", "NUC01", name) for name in names]
        told.submit(*calls)
        assert {told.final(call).phase for call in calls} == {OBSERVED}
        told.until(lambda: told.hub.idle, "idle when everything is done")
        assert all(lab.truth()[name] == OFF for name in names)


def test_a_verb_of_several_steps_takes_them_all_though_nobody_waits(lab: Estate) -> None:
    wanted = {"name": "newcomer", "generation": 2, "cpus": 1, "memory": 1 << 30, "disk": "none"}
    with Session(lab.links()) as session:
        session.load()
        call = Call("call-1", "vm.create", "NUC01", "NUC01", {**wanted, "start": True})
        last = session.run([call], lambda update: None, wait=False)[call.id]
    assert last.phase in (ACCEPTED, OBSERVED), last
    assert last.step == ""
    assert lab.truth()["newcomer"] == RUNNING


def test_a_call_is_refused_when_the_machine_is_not_as_it_was_seen(lab: Estate) -> None:
    with line(lab.links(), fast=600.0) as told:
        told.read("NUC01")
        stale = told.call("vm.turn-off", "NUC01", "media")
        with Session(lab.links()) as somebody_else:
            somebody_else.load()
            saved = told.call("vm.save", "NUC01", "media")
            done = somebody_else.run([saved], lambda update: None, timeout=PATIENCE)
            assert done[saved.id].phase is OBSERVED
        changes = lab.changes()
        told.submit(stale)
        last = told.final(stale)
        assert last.phase is Phase.REFUSED
        assert last.trouble is not None
        is_said(last.trouble, "media")
        assert lab.changes() == changes
        assert lab.truth()["media"] == SAVED


def test_the_same_call_id_is_executed_once(lab: Estate) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call, call)
        assert told.final(call).phase is OBSERVED
        told.submit(call)
        again = told.call("vm.start", "NUC01", "media")
        told.submit(again)
        assert told.final(again).phase is OBSERVED
        assert lab.changes() == 2
        assert [update.phase for update in told.calls[call.id]].count(REQUESTED) == 1


def test_a_read_only_link_refuses_every_change(lab: Estate) -> None:
    with line(lab.links(read_only=True)) as told:
        told.read("NUC01")
        call = told.call("vm.shutdown", "NUC01", "media")
        told.submit(call)
        last = told.final(call)
        assert last.phase is Phase.REFUSED
        assert last.trouble is not None
        is_said(last.trouble, "NUC01")
        assert lab.changes() == 0
        assert lab.truth()["media"] == RUNNING


def test_calls_for_nobody_are_refused(lab: Estate) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        real = told.call("vm.save", "NUC01", "media")
        strangers = [
            HOST_GONE := real.__class__("a", "vm.save", "HV99", real.target),
            real.__class__("b", "vm.save", "NUC01", "00000000-0000-4000-8000-000000000000"),
            real.__class__("c", "vm.explode", "NUC01", real.target),
            real.__class__("d", "app.quit", "NUC01", real.target),
        ]
        told.submit(*strangers)
        for call in strangers:
            last = told.final(call)
            assert last.phase is Phase.REFUSED, call
            assert last.trouble is not None
            assert last.trouble.title
        assert HOST_GONE.host in told.calls["a"][0].trouble.title  # type: ignore[union-attr]
        assert lab.changes() == 0


def test_what_the_host_refuses_fails_with_its_reason() -> None:
    with estate("troubled") as served, line([served.link("HV-BAD")]) as told:
        told.read("HV-BAD")
        for name, words in (("too-big", "memory"), ("lost-disk", "not")):
            call = told.call("vm.start", "HV-BAD", name)
            told.submit(call)
            last = told.final(call)
            assert last.phase is Phase.FAILED
            assert last.trouble is not None
            is_said(last.trouble, name)
            assert words in last.trouble.cause
            assert served.truth("HV-BAD")[name] == OFF


def test_a_job_that_fails_half_way_is_told_with_its_percent_and_reason(lab: Estate) -> None:
    lab.faults().job_fails_at = 60
    lab.faults().slow_methods = 12.0  # half a minute's job in a second of ours
    with line(lab.links()) as told:
        told.read("NUC01")
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call)
        last = told.final(call)
        assert last.phase is Phase.FAILED
        assert last.trouble is not None
        is_said(last.trouble, "media")
        assert "The operation 'Saving Virtual Machine' failed." in last.trouble.cause
        seen = [update.percent for update in told.calls[call.id] if update.percent is not None]
        assert seen
        assert seen == sorted(seen)
        assert max(seen) <= 60
        assert all(u.job for u in told.calls[call.id] if u.phase is ACCEPTED and u.percent)
        assert lab.changes() == 1
        told.until(lambda: told.state("NUC01", "media") == RUNNING, "back where it was")


@pytest.mark.parametrize("verb", ["vm.reset", "vm.reboot"])
def test_a_restart_is_done_once_the_machine_runs_anew(lab: Estate, verb: str) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        machine = next(m for m in lab.fabric.hosts["NUC01"].machines.values() if m.name == "nas")
        before = machine.started_at
        call = told.call(verb, "NUC01", "nas")
        told.submit(call)
        told.until(lambda: ACCEPTED in told.phases(call))
        assert told.final(call).phase is OBSERVED
        assert machine.started_at > before


@pytest.mark.parametrize("verb", ["vm.shutdown", "vm.reboot"])
def test_a_stubborn_guest_ends_as_unknown_not_as_done(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act.Act.__init__, "__kwdefaults__", {
        **(act.Act.__init__.__kwdefaults__ or {}), "patience": 1.0})  # fmt: skip
    with estate("troubled") as served, line([served.link("HV-BAD")]) as told:
        told.read("HV-BAD")
        call = told.call(verb, "HV-BAD", "stuck-guest")
        told.submit(call)
        last = told.final(call)
        assert last.phase is Phase.UNKNOWN
        assert last.trouble is not None
        is_said(last.trouble, "stuck-guest")
        assert served.changes("HV-BAD") == 1


# -- lost answers --------------------------------------------------------------------------


def ready_to_act(told: Line) -> None:
    """A first call, so that the act lane is connected and the next request is its method."""
    call = told.call("vm.pause", "NUC01", "nas")
    told.submit(call)
    assert told.final(call).phase is OBSERVED


@pytest.mark.parametrize("fault", ["lose_answers", "truncate", "malformed"])
def test_a_lost_answer_to_a_method_is_settled_by_looking(lab: Estate, fault: str) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        ready_to_act(told)
        lab.heard["NUC01"].take()
        strike_method(lab, fault)
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call)
        last = told.final(call)
        assert last.phase is OBSERVED, last
        assert ACCEPTED not in told.phases(call), "its acceptance was never heard"
        assert lab.changes() == 1, "executed exactly once"
        assert lab.truth()["media"] == SAVED


def strike_method(served: Estate, fault: str, word: bytes = b"RequestStateChange") -> None:
    """The next answer to a state change meets the fault; no other does."""
    heard = served.heard[served.first]
    endpoint = served.endpoints[served.first]

    def answer(envelope: bytes, user: str) -> tuple[int, bytes]:
        if word in envelope:
            setattr(endpoint.faults, fault, 1)
            endpoint.answer = heard
        return heard(envelope, user)

    endpoint.answer = answer


def test_a_job_that_cannot_be_read_once_is_not_a_job_that_failed(lab: Estate) -> None:
    lab.faults().slow_methods = 12.0
    with line(lab.links()) as told:
        told.read("NUC01")
        strike_method(lab, "malformed", b'<w:Selector Name="InstanceID">')
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call)
        last = told.final(call)
        assert last.phase is OBSERVED, last
        assert lab.endpoints["NUC01"].faults.malformed == 0
        failed = [e.operation for e in told.exchanges if e.lane == "act" and e.outcome != "ok"]
        assert len(failed) == 1
        assert failed[0].startswith("Get Msvm_ConcreteJob")


def test_a_mistake_of_ours_after_sending_leaves_the_outcome_unknown(
    lab: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = CimClient.invoke

    def stumble(client: CimClient, ref: CimRef, method: str, /, **given: CimValue) -> MethodOutput:
        answer = ask(client, ref, method, **given)
        if method == "RequestStateChange":
            raise LookupError(PASSWORD)
        return answer

    monkeypatch.setattr(CimClient, "invoke", stumble)
    with line(lab.links()) as told:
        told.read("NUC01")
        call = told.call("vm.turn-off", "NUC01", "media")
        told.submit(call)
        last = told.final(call)
        assert last.phase is Phase.UNKNOWN
        assert last.trouble is not None
        is_said(last.trouble, "NUC01")
        assert PASSWORD not in told.everything_told()
        assert lab.changes() == 1


def test_a_method_call_that_never_reached_the_host_is_sent_once_in_the_end(lab: Estate) -> None:
    with line(lab.links()) as told:
        told.read("NUC01")
        ready_to_act(told)
        lab.heard["NUC01"].take()
        lab.faults().http.drop_after = 1  # every connection is closed behind its answer
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call)
        assert told.final(call).phase is OBSERVED
        assert lab.changes() == 1


def test_a_stalled_answer_times_out_and_is_settled_by_looking(
    lab: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.wsman.transport._GRACE", 0)
    with line(lab.links(operation_timeout=3)) as told:
        told.read("NUC01")
        ready_to_act(told)
        lab.heard["NUC01"].take()
        strike_method(lab, "stall")
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call)
        assert told.final(call).phase is OBSERVED
        assert lab.changes() == 1


def test_a_lost_answer_without_effect_ends_unknown(
    lab: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act.Act.__init__, "__kwdefaults__", {
        **(act.Act.__init__.__kwdefaults__ or {}), "lost_patience": 1.0})  # fmt: skip
    with line(lab.links()) as told:
        told.read("NUC01")
        ready_to_act(told)
        lab.faults().job_fails_at = 1
        lab.heard["NUC01"].take()
        strike_method(lab, "lose_answers")
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call)
        last = told.final(call)
        assert last.phase is Phase.UNKNOWN
        assert last.trouble is not None
        is_said(last.trouble, "NUC01")
        assert lab.changes() == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_host_killed_in_the_middle_of_a_job_is_asked_nothing_twice() -> None:
    port = str(free_port())
    options = ("homelab", "--port", port, "--speed", "0.2")  # it is killed before it is done
    with running_fabric(*options) as fabric:
        link = HostLink("NUC01", fabric.url(), fabric.user, fabric.password,
                        message_encryption="always", operation_timeout=3)  # fmt: skip
        with line([link]) as told:
            told.read("NUC01")
            call = told.call("vm.start", "NUC01", "win11-test")
            told.submit(call)
            told.until(lambda: ACCEPTED in told.phases(call), "accepted")
            fabric.process.kill()
            told.until(lambda: told.is_down("NUC01"), "the host is missed")
            is_said(told.trouble("NUC01"), "NUC01")
            with running_fabric(*options) as reborn:
                told.crew.poke("")
                told.until(lambda: told.is_up("NUC01"), "the host is back")
                last = told.final(call) if told.calls[call.id][-1].phase.final else None
                assert last is None or last.phase is Phase.UNKNOWN
                assert (
                    true_states(reborn.url(), reborn.user, reborn.password)["win11-test"] == SAVED
                )
                acted = [e for e in told.exchanges if "RequestStateChange" in e.operation]
                assert len(acted) == 1


# -- hosts that fail -----------------------------------------------------------------------


def test_a_host_that_goes_away_stays_listed_with_its_reason_and_comes_back(
    lab: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FIRST_BACKOFF", 0.1)
    with line(lab.links(operation_timeout=1)) as told:
        told.read("NUC01")
        vms = set(told.inventory("NUC01").vms)
        read_at = told.inventory("NUC01").vitals.read_at
        lab.faults().http.refuse_connections = True
        lab.faults().http.drop_after = 1
        told.until(lambda: told.is_down("NUC01"), "down")
        down = told.inventory("NUC01")
        assert set(down.vms) == vms, "what was known stays"
        assert down.vitals.read_at >= read_at
        is_said(told.trouble("NUC01"), "NUC01")
        failed = [e for e in told.exchanges if e.outcome != "ok"]
        assert failed
        lab.faults().http.refuse_connections = False
        lab.faults().http.drop_after = 0
        told.until(lambda: told.is_up("NUC01"), "back by itself")
        assert told.inventory("NUC01").vitals.trouble is None
        assert told.inventory("NUC01").vitals.read_at > down.vitals.read_at


def test_a_failing_host_is_asked_ever_more_seldom(
    lab: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FIRST_BACKOFF", 0.05)
    lab.faults().http.refuse_auth = False
    lab.faults().access_denied = True
    monkeypatch.setattr("tui.collector.watch.random.uniform", lambda low, high: 1.0)
    with line(lab.links()) as told:
        attempts: list[float] = []

        def failing() -> bool:
            attempts[:] = sorted({e.at for e in told.exchanges if e.outcome != "ok"})
            return len(attempts) >= 6

        told.until(failing, "six attempts")
        gaps = [b - a for a, b in itertools.pairwise(attempts)]
        # A busy machine makes a pause longer, never shorter.
        assert all(gap > 0.9 * 0.05 * 2**number for number, gap in enumerate(gaps)), gaps


def test_a_poke_ends_a_back_off(lab: Estate) -> None:
    lab.faults().http.refuse_auth = True
    with line(lab.links()) as told:
        told.until(lambda: told.hub.inventory("NUC01") and told.is_down("NUC01"), "down")
        trouble = told.trouble("NUC01")
        assert trouble.kind == "AuthRejected"
        is_said(trouble, "NUC01")
        lab.faults().http.refuse_auth = False
        told.crew.poke("NUC01")
        told.read("NUC01")


def test_a_slow_host_stretches_only_itself() -> None:
    with estate("large", hosts=2, vms=4) as served:
        served.faults("HV001").http.latency = 0.3
        with line(served.links()) as told:
            told.read("HV002")
            told.until(lambda: told.inventory("HV001").vitals.link is Link.SLOW, "slow")
            slow = told.inventory("HV001").vitals
            assert slow.interval > 0.5
            assert slow.latency >= 0.3
            quick = told.inventory("HV002").vitals
            before = {host: heard.count("GetSummary") for host, heard in served.heard.items()}
            told.until(lambda: told.inventory("HV002").vitals.requests >= quick.requests + 24)
            ticks = {host: served.heard[host].count("GetSummary") - before[host] for host in before}
            assert ticks["HV001"] < ticks["HV002"], "the other is not held up"
            served.faults("HV001").http.latency = 0.0
            told.until(lambda: told.inventory("HV001").vitals.link is Link.UP, "quick again")


FAILURES = [
    ("http.refuse_auth", True, "AuthRejected", "sign-in"),
    ("http.refuse_connections", True, "", ""),
    ("access_denied", True, "", ""),
    ("quota", -1, "Fault", ""),
    ("missing_namespaces", {"root/virtualization/v2"}, "", "Hyper-V role"),
    ("http.malformed", -1, "", "XML"),
    ("http.truncate", -1, "", ""),
    ("http.lose_answers", -1, "Dropped", ""),
]


@pytest.mark.parametrize(("knob", "value", "kind", "words"), FAILURES)
def test_every_trouble_is_told_and_spares_the_others(
    knob: str, value: object, kind: str, words: str
) -> None:
    with estate("large", hosts=2, vms=3) as served:
        faults = served.faults("HV001")
        owner = faults.http if knob.startswith("http.") else faults
        setattr(owner, knob.removeprefix("http."), value)
        if knob == "quota":
            faults.unknown_classes = {"msvm_summaryinformation"}
        with line(served.links(operation_timeout=2)) as told:
            told.read("HV002")
            told.until(lambda: said(told, "HV001"), knob)
            trouble = told.trouble("HV001")
            is_said(trouble, "HV001")
            assert not kind or trouble.kind == kind
            assert words in trouble.title
            before = told.inventory("HV002").vitals.read_at
            told.until(lambda: told.inventory("HV002").vitals.read_at > before + 0.5)
            assert told.is_up("HV002")


def said(told: Line, host: str) -> bool:
    inventory = told.hub.inventory(host)
    return inventory is not None and inventory.vitals.trouble is not None


def test_a_fault_for_one_class_costs_what_it_would_have_told(lab: Estate) -> None:
    lab.faults().unknown_classes = {"msvm_kvpexchangecomponent", "win32_volume"}
    with line(lab.links()) as told:
        told.read("NUC01")
        assert told.is_up("NUC01")
        assert len(told.inventory("NUC01").vms) == 6
        assert told.inventory("NUC01").host.volumes, "the older class tells instead"


def test_nobody_listens_on_the_port() -> None:
    link = HostLink("HV09", f"http://127.0.0.1:{free_port()}/wsman", "u", PASSWORD)
    with line([link]) as told:
        told.until(lambda: said(told, "HV09"), "unreachable")
        assert told.trouble("HV09").kind == "Unreachable"
        is_said(told.trouble("HV09"), "HV09")


# -- secrets -------------------------------------------------------------------------------


def test_no_secret_is_told_whatever_goes_wrong(
    lab: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    http = lab.faults().http
    with line(lab.links(operation_timeout=1)) as told:
        told.read("NUC01")
        call = told.call("vm.save", "NUC01", "media")
        told.submit(call)
        told.final(call)
        for knob, value, healthy in (
            ("malformed", -1, 0),
            ("truncate", -1, 0),
            ("lose_answers", -1, 0),
            ("refuse_auth", True, False),
        ):
            setattr(http, knob, value)
            http.drop_after = 1
            told.crew.poke("")
            told.until(lambda: told.is_down("NUC01"), knob)
            setattr(http, knob, healthy)
            http.drop_after = 0
            told.crew.poke("")
            told.until(lambda: told.is_up("NUC01"), f"after {knob}")
        told.until(lambda: told.hub.idle, "idle")
        texts = told.everything_told()
        assert "NUC01" in texts
        for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1]):
            assert secret not in texts
            assert secret not in caplog.text
            assert secret not in repr(lab.links())
        assert not [record for record in caplog.records if record.exc_info]


# -- what it costs -------------------------------------------------------------------------


def test_what_a_host_has_heard_is_counted_and_kept_to_a_cap_that_no_action_waits_for() -> None:
    with estate("homelab") as served, line(served.links()) as told:
        host, heard = served.first, served.heard[served.first]
        told.read(host)
        told.crew.configure(Configure(served.links(), 0.2, 600.0, 10))
        ledger = told.hub.ledger(host)
        told.until(lambda: ledger.load(time.monotonic()).capped, "capped")
        call = told.call("vm.start", host, "router-lab")
        told.submit(call)
        told.until(lambda: ACCEPTED in told.phases(call), "accepted while reading waits")
        told.crew.stop(5.0)
        load = ledger.load(time.monotonic(), operations=True)
        assert (load.cap, load.capped) == (10, True)
        lanes = {lane.lane: lane for lane in load.lanes}
        assert lanes["act"].requests
        assert lanes["act"].waited < lanes["watch"].waited > 1.0
        assert load.requests == heard.count("")
        assert load.operations is not None
        summaries = [one for one in load.operations if "GetSummaryInformation" in one.operation]
        assert [one.count for one in summaries] == [heard.count("GetSummary")]
        assert load.p50 is not None
        assert load.p95 is not None
        assert 0 < load.p50 <= load.p95 <= load.worst

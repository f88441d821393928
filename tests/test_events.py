"""The System log of a host: what is written there, and what is read of it for a sheet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.action_kit import Ran, action, drive, perform, target
from tests.hyperv_kit import GB, HOST, Bench, bench, questions, refusing
from tui.collector.hub import Hub
from tui.collector.messages import HostLink
from tui.collector.watch import Pacing, Tier, Watch
from tui.errors import JobFailed, TimedOut
from tui.hyperv import events
from tui.hyperv.events import Chronicle
from tui.hyperv.sheet import Event
from tui.sim import eventlog
from tui.sim.plan import VmPlan
from tui.wsman.cim import CimInstance
from tui.wsman.client import CimClient, Throttle
from tui.wsman.fault import fault
from tui.wsman.request import Enumerate
from tui.wsman.values import Wsman

CIMV2, LOG = "root/cimv2", "Win32_NTLogEvent"
WORKER, SWITCH = "Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-VmSwitch"
ON, OFF = "sql01", "idle01"


def records(at: Bench, where: str = "") -> list[CimInstance]:
    return at.wql(CIMV2, f"SELECT * FROM {LOG} WHERE Logfile = 'System'{where}")


def codes(at: Bench, name: str) -> list[int]:
    """Numbers of what the log says of a machine, oldest first, without its switch."""
    found = records(at, f" AND SourceName <> '{SWITCH}' AND Message LIKE '%{at.vm(name)}%'")
    return [int(str(row["EventCode"])) for row in found]


def read(at: Bench, name: str, told: Chronicle | None = None) -> tuple[Event, ...]:
    told = told or Chronicle(at.vm(name))
    told.read(at.client, name, at.clock.now)
    return told.events


# -- what a host writes --------------------------------------------------------------------


def test_a_life_is_in_the_log() -> None:
    at = bench()
    for verb in ("vm.start", "vm.pause", "vm.resume", "vm.save", "vm.start", "vm.turn-off"):
        live(at, verb, OFF)
    assert codes(at, OFF) == [18500, 18516, 18518, 18510, 18596, 18502]
    wires = records(at, f" AND SourceName = '{SWITCH}' AND Message LIKE '%{at.vm(ON)}%'")
    assert {row["EventCode"] for row in wires} == {232}
    (last,) = (row for row in records(at) if row["EventCode"] == 18502)
    assert last["InsertionStrings"] == (OFF, at.vm(OFF))
    assert (last["EventType"], last["Type"], last["ComputerName"]) == (3, "Information", "HV01")


def live(at: Bench, verb: str, name: str) -> None:
    """Run a verb and let its effect come about."""
    row, found = action(verb), target(at, name)
    drive(at, row, found, Ran(row, row.filled(found, {})))
    at.pass_time(60)
    assert at.host.repository


def test_a_guest_that_shuts_down_says_so() -> None:
    at = bench()
    live(at, "vm.shutdown", ON)
    assert codes(at, ON)[-1] == 18508
    assert {row["EventCode"] for row in records(at, f" AND SourceName = '{SWITCH}'")} == {232, 234}


def test_a_start_that_fails_is_an_error_with_its_cause() -> None:
    plan = VmPlan("huge01", "ws2022", memory=900 * GB, state="off")
    at = bench(replace(HOST, vms=(plan,)))
    with pytest.raises(JobFailed):
        live(at, "vm.start", "huge01")
    (row,) = records(at, " AND EventType = 1")
    assert (row["EventCode"], row["Type"]) == (15130, "Error")
    assert "Not enough memory" in str(row["Message"])


def test_a_merge_is_in_the_log_from_its_beginning_to_its_end() -> None:
    at = bench()
    machine = target(at, "web01").vm
    assert machine is not None
    perform(at, "checkpoint.delete", "web01", checkpoint=machine.checkpoints[1].id)
    at.pass_time(600)
    assert codes(at, "web01")[-2:] == [19070, 19080]


def test_a_german_host_names_levels_in_german() -> None:
    at = bench(replace(HOST, os="german"))
    assert {row["Type"] for row in records(at)} == {"Informationen"}


# -- what is read of it --------------------------------------------------------------------


def test_records_that_name_a_machine_are_read_newest_first() -> None:
    at = bench()
    live(at, "vm.start", OFF)
    live(at, "vm.turn-off", OFF)
    found = read(at, OFF)
    assert [event.code for event in found] == [18502, 18500]
    assert found[0].source == WORKER
    assert found[0].message == f"'{OFF}' was turned off. (Virtual machine ID {at.vm(OFF)})"
    assert found[0].at > found[1].at


def test_the_query_is_bounded_in_log_time_and_source() -> None:
    at = bench()
    at.wire.take()
    read(at, ON)
    (asked,) = questions(at.wire.take())
    assert "Logfile = 'System' AND TimeGenerated >= '" in asked
    assert "SourceName LIKE 'Microsoft-Windows-Hyper-V-%'" in asked
    assert "*" not in asked


def test_only_what_is_new_is_asked_for_and_nothing_twice_or_too_often() -> None:
    at = bench()
    told = Chronicle(at.vm(OFF))
    at.wire.take()
    assert read(at, OFF, told) == ()
    assert read(at, OFF, told) == ()
    first = [each.wql for each in at.wire.take() if isinstance(each, Enumerate)]
    assert len(first) == 1
    at.pass_time(events.SKEW)
    live(at, "vm.start", OFF)
    at.wire.take()
    assert [event.code for event in read(at, OFF, told)] == [18500]
    (second,) = [each.wql for each in at.wire.take() if isinstance(each, Enumerate)]
    assert stamp(second) > stamp(first[0])
    at.pass_time(events.EVERY)
    assert len({event.number for event in read(at, OFF, told)}) == len(told.events)


def stamp(wql: str | None) -> str:
    return (wql or "").partition("TimeGenerated >= '")[2][:14]


def test_a_refusal_costs_only_the_events_and_is_said() -> None:
    at = bench()
    told = Chronicle(at.vm(ON))
    refusal = fault(Wsman.ACCESS_DENIED, "no")
    at.wire.intercept = refusing(lambda words: LOG in words, refusal)
    assert read(at, ON, told) == ()
    assert told.refused
    at.wire.intercept = None
    at.pass_time(events.EVERY)
    at.wire.take()
    read(at, ON, told)
    assert at.wire.take() == [], "too early"
    at.pass_time(events.AGAIN)
    read(at, ON, told)
    assert told.refused == ""


def test_a_log_that_takes_too_long_costs_only_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    at = bench()
    told = Chronicle(at.vm(ON))

    def slow(namespace: str, text: str) -> list[CimInstance]:
        raise TimedOut("hv01 did not answer", cause="the operation took longer than 20 s")

    monkeypatch.setattr(at.client, "query", slow)
    assert read(at, ON, told) == ()
    assert told.refused == "the operation took longer than 20 s"


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("Cluster resource 'Virtual Machine web1' failed.", True),
        ("Cluster resource 'Virtual Machine web10' failed.", False),
        ("Cluster resource 'Virtual Machine web1-old' failed.", False),
        ("'web1' was paused. (Virtual machine ID 6B29FC40-CA47-1067-B31D-00DD010662DA)", True),
        ("'web1' was paused. (Virtual machine ID 11111111-CA47-1067-B31D-00DD010662DA)", False),
    ],
)
def test_names_that_repeat_or_are_parts_of_others(message: str, names: bool) -> None:
    event = Event(1, 0.0, 3, "s", 1, message)
    assert events.speaks_of(event, "6b29fc40-ca47-1067-b31d-00dd010662da", "web1") is names


@pytest.mark.parametrize("name", ["50%_off", "it's", "back\\slash", "[set]", "ünï", "日本"])
def test_a_name_is_looked_for_as_it_is_written(name: str) -> None:
    at = bench(replace(HOST, vms=(VmPlan(name, "ws2022", uptime=900.0),)))
    at.host.ensure()
    (vm,) = at.host.machines.values()
    at.host.log.write(
        eventlog.Entry("Microsoft-Windows-FailoverClustering", 1069, "", eventlog.ERROR),
        f"Cluster resource 'Virtual Machine {name}' failed.", (name,), at.clock.now(),
    )  # fmt: skip
    told = Chronicle(vm.id)
    told.read(at.client, name, at.clock.now)
    assert 1069 in [event.code for event in told.events]


def test_a_sheet_that_is_looked_at_carries_them_and_others_do_not() -> None:
    at, hub = bench(), Hub()
    watch = Watch(
        HostLink("hv01", "http://hv01:5985/wsman"), hub, now=at.clock.now, pacing=Pacing(),
        connect=lambda link, throttle, told: CimClient(at.wire, url="inproc:"),
        throttle=Throttle(),
    )  # fmt: skip
    watch.step(Tier.FAST)
    watch.inspect(at.vm(ON))
    assert watch.step(Tier.SHEET) is None
    (sheet,) = hub.batch(0.0).sheets
    assert 18500 in {event.code for event in sheet.events}
    plain = target(at, ON).sheet
    assert plain is not None
    assert plain.events == ()

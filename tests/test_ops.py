"""Verbs change what the host shows in plain WQL, and failures say why and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hyperv_kit import Bench, bench, refusing
from tui.errors import Dropped, Fault, MethodFailed, Refused
from tui.hyperv import jobs, ops
from tui.hyperv.outcome import Done, Outcome, Started
from tui.wsman import reply
from tui.wsman.cim import CimValue
from tui.wsman.client import CimClient
from tui.wsman.fault import fault
from tui.wsman.request import Header, Invoke, Request
from tui.wsman.values import EnabledState, Wsman

V2 = "root/virtualization/v2"
NOBODY = "00000000-1111-2222-3333-444444444444"

Verb = Callable[[CimClient, str, str], Outcome]


def true_state(at: Bench, vm_id: str) -> object:
    (row,) = at.wql(V2, f"SELECT EnabledState FROM Msvm_ComputerSystem WHERE Name = '{vm_id}'")
    return row["EnabledState"]


def true_settings(at: Bench, vm_id: str) -> dict[str, CimValue]:
    where = f"InstanceID = 'Microsoft:{vm_id}'"
    (row,) = at.wql(V2, f"SELECT * FROM Msvm_VirtualSystemSettingData WHERE {where}")
    return row.values


def finish(at: Bench, outcome: Outcome) -> None:
    """Follow an accepted call to its end, as an administrator would wait."""
    if isinstance(outcome, Done):
        return
    for _ in range(200):
        job = jobs.read(at.client, outcome.job, "hv01")
        if job is None or job.finished:
            if job is not None:
                jobs.raise_if_failed(job)
            return
        at.pass_time(1)
    raise AssertionError("the job never ended")


@pytest.mark.parametrize(
    ("verb", "name", "wanted"),
    [
        (ops.start, "idle01", EnabledState.RUNNING),
        (ops.start, "kept01", EnabledState.RUNNING),
        (ops.turn_off, "sql01", EnabledState.OFF),
        (ops.turn_off, "kept01", EnabledState.OFF),
        (ops.pause, "sql01", EnabledState.PAUSED),
        (ops.resume, "held01", EnabledState.RUNNING),
        (ops.save, "sql01", EnabledState.SAVED),
        (ops.reset, "sql01", EnabledState.RUNNING),
    ],
)
def test_verbs_bring_the_state_they_name(verb: Verb, name: str, wanted: EnabledState) -> None:
    at = bench()
    vm_id = at.vm(name)
    finish(at, verb(at.client, vm_id, name))
    assert true_state(at, vm_id) == wanted
    assert ops.read_state(at.client, vm_id) == wanted


def test_reset_starts_the_uptime_again() -> None:
    at = bench()
    vm_id = at.vm("sql01")
    finish(at, ops.reset(at.client, vm_id, "sql01"))
    at.pass_time(5)
    (row,) = at.wql(V2, "SELECT * FROM Msvm_SummaryInformation WHERE ElementName = 'sql01'")
    assert isinstance(row["UpTime"], int)
    assert row["UpTime"] < 60_000


def test_shut_down_asks_the_guest() -> None:
    at = bench()
    vm_id = at.vm("sql01")
    finish(at, ops.shut_down(at.client, vm_id, "sql01"))
    at.pass_time(300)
    assert true_state(at, vm_id) == EnabledState.OFF
    invoked = [asked for asked in at.wire.asked if isinstance(asked, Invoke)]
    assert invoked[0].ref.class_name == "Msvm_ShutdownComponent"
    assert invoked[0].parameters["Force"] is False
    assert invoked[0].parameters["Reason"]


def test_reboot_asks_the_guest() -> None:
    at = bench()
    vm_id = at.vm("sql01")
    finish(at, ops.reboot(at.client, vm_id, "sql01", force=True))
    (invoked,) = (asked for asked in at.wire.asked if isinstance(asked, Invoke))
    assert (invoked.method, invoked.parameters["Force"]) == ("InitiateReboot", True)
    at.pass_time(300)
    assert true_state(at, vm_id) == EnabledState.RUNNING


@pytest.mark.parametrize("verb", [ops.shut_down, ops.reboot])
def test_a_guest_that_is_not_there_cannot_be_asked(verb: Verb) -> None:
    at = bench()
    with pytest.raises(Refused, match="idle01") as caught:
        verb(at.client, at.vm("idle01"), "idle01")
    assert "shutdown service" in caught.value.cause
    assert caught.value.hint
    assert not any(isinstance(asked, Invoke) for asked in at.wire.asked)


def test_a_paused_guest_does_not_answer() -> None:
    at = bench()
    with pytest.raises(Refused) as caught:
        ops.shut_down(at.client, at.vm("held01"), "held01")
    assert caught.value.cause


def test_rename_changes_the_name_and_nothing_else() -> None:
    at = bench()
    vm_id = at.vm("idle01")
    before = true_settings(at, vm_id)
    finish(at, ops.rename(at.client, vm_id, "idle01", 'spät & "laut" <b>'))
    after = true_settings(at, vm_id)
    assert after["ElementName"] == 'spät & "laut" <b>'
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"ElementName"}


def test_notes_are_written_as_they_are_read() -> None:
    at = bench()
    vm_id = at.vm("sql01")
    finish(at, ops.set_notes(at.client, vm_id, "sql01", "one\ntwo & <three>\n#prod"))
    assert true_settings(at, vm_id)["Notes"] == ("one\ntwo & <three>\n#prod",)
    at.reader.fast()
    assert at.reader.slow().vms[vm_id].notes == "one\ntwo & <three>\n#prod"


def test_notes_can_be_emptied() -> None:
    at = bench()
    vm_id = at.vm("sql01")
    finish(at, ops.set_notes(at.client, vm_id, "sql01", ""))
    at.reader.fast()
    assert at.reader.slow().vms[vm_id].notes == ""


# -- failures ------------------------------------------------------------------------------


def test_the_wrong_state_is_said_in_words() -> None:
    at = bench()
    with pytest.raises(MethodFailed, match="Could not pause idle01") as caught:
        finish(at, ops.pause(at.client, at.vm("idle01"), "idle01"))
    assert caught.value.code == 32775
    assert caught.value.method == "Msvm_ComputerSystem.RequestStateChange"
    assert "state" in caught.value.cause
    assert caught.value.hint


def answering(value: int, **values: CimValue) -> Callable[[Request, Header], bytes | None]:
    def intercept(asked: Request, header: Header) -> bytes | None:
        if not isinstance(asked, Invoke):
            return None
        return reply.encode(reply.MethodOutput(value, values), request=asked, header=header)

    return intercept


@pytest.mark.parametrize("code", [*range(1, 7), *range(32768, 32783), 40000])
def test_every_return_value_has_words(code: int) -> None:
    at = bench()
    at.wire.intercept = answering(code)
    with pytest.raises(MethodFailed) as caught:
        ops.start(at.client, NOBODY, "sql01")
    assert caught.value.code == code
    assert caught.value.cause
    assert "sql01" in caught.value.title


def test_missing_memory_comes_with_the_way_out() -> None:
    at = bench()
    at.wire.intercept = answering(32778)
    with pytest.raises(MethodFailed) as caught:
        ops.start(at.client, NOBODY, "sql01")
    assert "memory" in caught.value.hint


def test_done_at_once_needs_no_job() -> None:
    at = bench()
    at.wire.intercept = answering(0)
    assert ops.start(at.client, NOBODY, "sql01") == Done()


def test_a_job_without_a_reference_is_the_hosts_mistake() -> None:
    at = bench()
    at.wire.intercept = answering(4096)
    with pytest.raises(Dropped) as caught:
        ops.start(at.client, NOBODY, "sql01")
    assert caught.value.sent, "it runs, whatever it is called"


def test_the_class_of_the_job_is_the_one_the_host_names() -> None:
    at = bench()
    ref = ops.job_ref("11111111-2222-3333-4444-555555555555", "Msvm_StorageJob")
    at.wire.intercept = answering(4096, Job=ref)
    outcome = ops.start(at.client, NOBODY, "sql01")
    assert isinstance(outcome, Started)
    assert outcome.job.class_name == "Msvm_StorageJob"
    assert outcome.job.key("InstanceID") == "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("verb", [ops.start, ops.turn_off, ops.pause])
def test_a_machine_that_is_gone_is_said_to_be_gone(verb: Verb) -> None:
    at = bench()
    with pytest.raises(Refused, match="sql99 is no longer on this host"):
        verb(at.client, NOBODY, "sql99")
    with pytest.raises(Refused, match="sql99"):
        ops.read_state(at.client, NOBODY, "sql99")


def test_other_faults_stay_what_they_are() -> None:
    at = bench()
    at.wire.intercept = refusing(lambda text: "RequestState" in text, fault(Wsman.ACCESS_DENIED))
    with pytest.raises(Fault) as caught:
        ops.start(at.client, at.vm("idle01"), "idle01")
    assert caught.value.code == Wsman.ACCESS_DENIED
    assert caught.value.hint

"""Jobs as the host tells them: progress, end, failure in words, and gone."""

from __future__ import annotations

import pytest

from tests.hyperv_kit import Bench, bench, long_job, refusing
from tui.errors import JobFailed, Refused
from tui.hyperv import jobs, ops
from tui.hyperv.model import Job
from tui.hyperv.outcome import Done, Started
from tui.wsman.cim import CimRef
from tui.wsman.fault import fault
from tui.wsman.request import Invoke
from tui.wsman.values import JobState, Wsman

V2 = "root/virtualization/v2"


def saving(at: Bench) -> CimRef:
    """A job that takes a while."""
    outcome = ops.save(at.client, at.vm("sql01"), "sql01")
    assert isinstance(outcome, Started)
    return outcome.job


def read(at: Bench, ref: CimRef) -> Job:
    job = jobs.read(at.client, ref, "hv01")
    assert job is not None
    return job


def wait(at: Bench, ref: CimRef) -> Job:
    for _ in range(300):
        job = read(at, ref)
        if job.finished:
            return job
        at.pass_time(1)
    raise AssertionError("the job never ended")


def test_a_job_tells_what_the_wire_tells() -> None:
    at = bench()
    ref = saving(at)
    at.pass_time(1)
    job = read(at, ref)
    (row,) = at.wql(V2, f"SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '{ref.keys[0][1]}'")
    assert job.id == "hv01:" + str(row["InstanceID"])
    assert job.state == row["JobState"]
    assert job.percent == row["PercentComplete"]
    assert job.cancellable == row["Cancellable"]
    assert job.class_name == "Msvm_ConcreteJob"
    assert not job.finished


def test_percent_never_falls_and_the_end_is_success() -> None:
    at = bench()
    ref = saving(at)
    seen = []
    while not (job := read(at, ref)).finished:
        seen.append(job.percent)
        at.pass_time(0.5)
    assert seen == sorted(seen)
    assert job.succeeded
    jobs.raise_if_failed(job, "Save", "sql01")


def test_a_failed_job_says_why() -> None:
    at = bench()
    at.host.faults.job_fails_at = 40
    job = wait(at, saving(at))
    assert job.state == JobState.EXCEPTION
    assert not job.succeeded
    assert job.error
    with pytest.raises(JobFailed, match="Save of sql01 failed") as caught:
        jobs.raise_if_failed(job, "Save", "sql01")
    assert caught.value.cause == job.error


def test_without_the_details_method_the_jobs_own_description_serves() -> None:
    at = bench()
    at.host.faults.job_fails_at = 40
    at.wire.intercept = refusing(
        lambda text: "GetErrorEx" in text, fault(Wsman.ACTION_NOT_SUPPORTED)
    )
    job = wait(at, saving(at))
    key = job.id.removeprefix("hv01:")
    (row,) = at.wql(V2, f"SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '{key}'")
    assert job.error == row["ErrorDescription"]


def test_a_job_the_host_has_forgotten_is_none() -> None:
    at = bench()
    assert jobs.read(at.client, ops.job_ref("11111111-2222-3333-4444-555555555555"), "h") is None


def test_a_finished_job_disappears_after_some_minutes() -> None:
    at = bench()
    ref = saving(at)
    wait(at, ref)
    at.pass_time(400)
    assert jobs.read(at.client, ref, "hv01") is None


def test_without_a_reason_the_number_is_worded() -> None:
    job = Job("h:1", "h", "Starting", 12, JobState.EXCEPTION, 10, 0.0, 1.0, error_code=32778)
    with pytest.raises(JobFailed) as caught:
        jobs.raise_if_failed(job)
    assert "memory" in caught.value.cause
    assert caught.value.hint
    killed = Job("h:1", "h", "Starting", 12, JobState.TERMINATED, 10, 0.0, 1.0)
    with pytest.raises(JobFailed, match="Starting failed") as caught:
        jobs.raise_if_failed(killed)
    assert "cancelled" in caught.value.cause


def test_running_jobs_are_in_the_inventory_with_the_machine_they_work_on() -> None:
    at = bench()
    ref = saving(at)
    for _ in range(3):
        inventory = at.reader.fast()
        at.pass_time(0.3)
    (job,) = inventory.jobs.values()
    assert job.id == f"hv01:{ref.key('InstanceID')}"
    assert job.subject == at.vm("sql01")


def test_while_a_job_runs_every_tick_looks_at_it() -> None:
    at = bench()
    saving(at)
    at.reader.fast()
    at.reader.fast()
    at.wire.take()
    for _ in range(3):
        at.reader.fast()
        asked = at.wire.take()
        assert len(asked) <= 3
        assert any("ConcreteJob" in str(getattr(each, "wql", "")) for each in asked)


@pytest.mark.parametrize("class_name", ["Msvm_ConcreteJob", "Msvm_StorageJob"])
def test_a_job_can_be_cancelled_when_the_host_lets_it(class_name: str) -> None:
    at = bench()
    ref = long_job(at, at.vm("sql01"), cancellable=True, class_name=class_name)
    at.pass_time(10)
    job = read(at, ref)
    assert (job.class_name, job.cancellable, job.finished) == (class_name, True, False)
    assert ops.cancel_job(at.client, str(ref.key("InstanceID")), class_name) == Done()
    ended = read(at, ref)
    assert ended.state in (JobState.TERMINATED, JobState.KILLED)
    with pytest.raises(JobFailed):
        jobs.raise_if_failed(ended)


def test_a_job_that_may_not_be_cancelled_is_left_alone() -> None:
    at = bench()
    ref = long_job(at, at.vm("sql01"), cancellable=False, class_name="Msvm_ConcreteJob")
    with pytest.raises(Refused, match="Cannot cancel"):
        ops.cancel_job(at.client, str(ref.key("InstanceID")))
    assert not any(isinstance(asked, Invoke) for asked in at.wire.asked)
    assert not read(at, ref).finished


def test_jobs_of_every_class_are_listed_with_their_machine() -> None:
    at = bench()
    classes = ("Msvm_ConcreteJob", "Msvm_StorageJob", "Msvm_MigrationJob")
    for name in classes:
        long_job(at, at.vm("web01"), cancellable=True, class_name=name)
    at.reader.fast()
    found = at.reader.slow().jobs.values()
    assert sorted(job.class_name for job in found) == sorted(classes)
    assert {job.subject for job in found} == {at.vm("web01")}


def test_cancelling_what_is_gone_is_refused() -> None:
    at = bench()
    with pytest.raises(Refused, match="is no longer on this host"):
        ops.cancel_job(at.client, "11111111-2222-3333-4444-555555555555")

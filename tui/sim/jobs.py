"""Jobs of a host: they take time, tell how far they are, and change the world when they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.sim import eventlog, shapes
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.machine import Machine
    from tui.sim.world import SimHost

STARTING, RUNNING, COMPLETED, TERMINATED, EXCEPTION = 3, 4, 7, 8, 10
LINGER = 300.0
"""Seconds a finished job can still be read."""

CREATED = 5
"""ElementEffects of what a job has made."""

Done = Callable[[float], Sequence[CimRef]]
"""What a job does when it ends well; it returns what it has created."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One of several things that are wrong: the number of the host's message, and its words."""

    message: int
    text: str


class JobError(Exception):
    """A job ends badly: a std code and the host's words."""

    def __init__(
        self, code: int, text: str, status: int = 0, reasons: tuple[Reason, ...] = ()
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status
        """The HRESULT behind it, which storage jobs also tell."""
        self.reasons = reasons


@dataclass(slots=True, eq=False)
class Job:
    """A job under way or just finished."""

    instance: CimInstance
    started: float
    seconds: float
    failed: Callable[[float], None] | None
    links: list[CimInstance]
    work: Work
    held: bool = False
    """It waits for something before it begins."""
    machine: Machine | None = None
    finished: float = 0.0
    reasons: tuple[Reason, ...] = ()
    """Why it failed, one by one."""

    @property
    def id(self) -> str:
        return shapes.text(self.instance, "InstanceID")


@dataclass(frozen=True, slots=True)
class Work:
    """What a job is for, before it is started."""

    kind: int
    """JobType."""
    name: str
    seconds: float
    done: Done | None = None
    failed: Callable[[float], None] | None = None
    """Puts back what was changed at the start, when the job fails or is cancelled."""
    error: JobError | None = None
    """It is going to fail for this reason."""
    percent: int = 50
    """How far it comes until then."""
    cancellable: bool = False
    class_name: str = "Msvm_ConcreteJob"
    affected: tuple[CimRef, ...] = ()
    child: str = ""
    """The image file a storage job works on, and its parent."""
    parent: str = ""
    more: Mapping[str, CimValue] = field(default_factory=dict)
    """What its class tells beyond that."""
    held: bool = False
    """It does not begin before it is released."""


class Jobs:
    """The jobs of one host."""

    def __init__(self, host: SimHost) -> None:
        self._host = host
        self._running: list[Job] = []
        self.known: dict[str, Job] = {}
        self._random = host.fabric.random(host.name, "jobs")

    def start(self, work: Work, machine: Machine | None = None) -> CimRef:
        """Start a job; its reference is what the method answers."""
        now = self._host.fabric.now()
        instance = self._instance(work, now)
        store = self._host.repository
        stored = store.add(instance)
        affected = list(work.affected)
        if machine is not None:
            affected.insert(0, shapes.system_ref(machine.id))
        job = Job(stored, now, 0.0, work.failed, [], work, work.held, machine)
        for ref in affected:
            self._link(job, ref, 0)
        self.known[job.id] = job
        self._running.append(job)
        if not job.held:
            self._begin(job)
        return shapes.setting_ref(stored)

    def release(self, ref: CimRef, work: Work | None = None) -> None:
        """Let a job begin that was held; ``work`` when it has become another one."""
        job = self.known.get(ref.key("InstanceID") or "")
        if job is not None and job.held and not job.finished:
            job.held = False
            job.work = work or job.work
            job.started = self._host.fabric.now()
            self._begin(job)

    def _begin(self, job: Job) -> None:
        work = job.work
        job.seconds = seconds = max(0.05, work.seconds * self._host.faults.slow_methods)
        percent, error = self._fate(work)
        if error is not None:
            self._host.fabric.after(
                seconds * percent / 100.0, lambda at: self._fail(job, at, percent, error)
            )
        else:
            self._host.fabric.after(seconds, lambda at: self._complete(job, work.done, at))

    def _fate(self, work: Work) -> tuple[int, JobError | None]:
        faults = self._host.faults
        if faults.job_fails_at >= 0 and faults.take("job_fails"):
            text = f"The operation '{work.name}' failed."
            return faults.job_fails_at, JobError(32768, text)
        return work.percent, work.error

    def _instance(self, work: Work, now: float) -> CimInstance:
        stamp = shapes.when(now)
        storage = work.class_name == "Msvm_StorageJob"
        files: dict[str, CimValue] = {
            "Child": work.child,
            "Parent": work.parent,
            "JobCompletionStatusCode": 0,
        }
        return shapes.new(
            work.class_name,
            **files if storage else {},
            **work.more,
            InstanceID=shapes.guid(self._random),
            Caption=work.name,
            Description=work.name,
            ElementName=work.name,
            Name=work.name if work.class_name == "Msvm_ConcreteJob" else None,
            JobState=STARTING,
            JobStatus="Job is starting",
            Status="OK",
            StatusDescriptions=("OK",),
            OperationalStatus=(2,),
            HealthState=5,
            JobType=work.kind,
            Cancellable=work.cancellable,
            DeleteOnCompletion=True,
            PercentComplete=0,
            ErrorCode=0,
            ErrorDescription="",
            ErrorSummaryDescription="",
            ElapsedTime=shapes.span(0),
            StartTime=stamp,
            TimeSubmitted=stamp,
            TimeOfLastStateChange=stamp,
            TimeBeforeRemoval=shapes.span(LINGER),
            JobRunTimes=1,
            LocalOrUtcTime=2,
            RecoveryAction=2,
            Priority=0,
            Owner="NT AUTHORITY\\SYSTEM",
            Notify="",
            UntilTime=None,
        )

    def _link(self, job: Job, ref: CimRef, effect: int) -> None:
        link = shapes.new(
            "Msvm_AffectedJobElement",
            AffectedElement=ref,
            AffectingElement=shapes.setting_ref(job.instance),
            ElementEffects=(effect,),
            OtherElementEffectsDescriptions=("",),
        )
        job.links.append(self._host.repository.add(link))

    def refresh(self, now: float) -> None:
        """Bring percent and elapsed time of what is running up to date."""
        for job in self._running:
            values = job.instance.values
            if job.held:
                continue
            elapsed = now - job.started
            values["ElapsedTime"] = shapes.span(elapsed)
            if elapsed > 0 and values["JobState"] == STARTING:
                values["JobState"] = RUNNING
                values["JobStatus"] = "Job is running"
            values["PercentComplete"] = max(0, min(99, int(100 * elapsed / job.seconds)))

    def _complete(self, job: Job, done: Done | None, at: float) -> None:
        if job.finished:
            return
        try:
            created = done(at) if done else ()
        except JobError as error:
            self._fail(job, at, 99, error)
            return
        for ref in created:
            self._link(job, ref, CREATED)
        values = job.instance.values
        values["PercentComplete"] = 100
        values["OperationalStatus"] = (17, 2)
        values["StatusDescriptions"] = ("Completed", "OK")
        self._record(job, at)
        self._end(job, at, COMPLETED, "Job is completed")

    def _fail(self, job: Job, at: float, percent: int, error: JobError) -> None:
        if job.finished:
            return
        job.reasons = error.reasons
        if job.failed is not None:
            job.failed(at)
        values = job.instance.values
        values["PercentComplete"] = percent
        values["ErrorCode"] = error.code
        values["ErrorDescription"] = error.text
        values["ErrorSummaryDescription"] = error.text
        if "JobCompletionStatusCode" in values:
            values["JobCompletionStatusCode"] = error.status
        values["OperationalStatus"] = (17, 6)
        values["StatusDescriptions"] = ("Completed", "Error")
        values["Status"] = "Error"
        self._record(job, at, error)
        self._end(job, at, EXCEPTION, error.text)

    def _record(self, job: Job, at: float, error: JobError | None = None) -> None:
        if job.machine is not None:
            eventlog.job_ended(job.machine, job.work.kind, at, error)

    def cancel(self, job: Job) -> bool:
        """Terminate a job; False when it may not be cancelled or has finished."""
        if job.finished or not job.instance.values["Cancellable"]:
            return False
        now = self._host.fabric.now()
        if job.failed is not None:
            job.failed(now)
        values = job.instance.values
        values["ErrorCode"] = 32768
        values["ErrorDescription"] = "The operation was cancelled."
        values["ErrorSummaryDescription"] = "The operation was cancelled."
        self._end(job, now, TERMINATED, "Job is terminated")
        return True

    def _end(self, job: Job, at: float, state: int, words: str) -> None:
        values = job.instance.values
        values["JobState"] = state
        values["JobStatus"] = words
        values["Cancellable"] = False
        values["ElapsedTime"] = shapes.span(at - job.started)
        values["TimeOfLastStateChange"] = shapes.when(at)
        job.finished = at or 1.0
        self._running.remove(job)
        self._host.fabric.after(LINGER, lambda _: self._forget(job))

    def _forget(self, job: Job) -> None:
        self.known.pop(job.id, None)
        for link in job.links:
            self._host.repository.remove(link)
        self._host.repository.remove(job.instance)

    def abandon(self) -> None:
        """Their host is gone in the middle of them: what they had begun is put back."""
        now = self._host.fabric.now()
        for job in list(self.known.values()):
            unfinished, job.finished = not job.finished, job.finished or now or 1.0
            if unfinished and job.failed is not None:
                job.failed(now)
            for link in job.links:
                self._host.repository.remove(link)
            self._host.repository.remove(job.instance)
        self._running.clear()
        self.known.clear()

    def of(self, machine: Machine) -> list[Job]:
        """Jobs under way that affect a machine."""
        wanted = shapes.system_ref(machine.id)
        return [
            job
            for job in self._running
            if any(link.values["AffectedElement"] == wanted for link in job.links)
        ]

"""One job of a host, by reference: how far it is, and how it ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.errors import Fault, JobFailed, WireError
from tui.hyperv import clean, meanings, paths
from tui.hyperv.model import Job
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.embedded import from_text
from tui.wsman.schema import VIRTUALIZATION
from tui.wsman.values import JobState

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_STOPPED = (JobState.TERMINATED, JobState.KILLED)


def read(client: CimClient, ref: CimRef, host: str, subject: str = "") -> Job | None:
    """The job as it is now; None when it is gone, so the object itself must tell the outcome.

    A job that failed is asked for its details, once it has ended.
    """
    try:
        instance = client.get(_complete(ref))
    except Fault as fault:
        if meanings.is_gone(fault):
            return None
        raise
    job = join_job(instance, host, subject)
    if job.finished and not job.succeeded:
        details = "; ".join(messages(client, ref))
        if details:
            return _with_error(job, details)
    return job


def raise_if_failed(job: Job, verb: str = "", name: str = "") -> None:
    """``JobFailed`` when the job ended badly; nothing while it runs or when it succeeded."""
    if not job.finished or job.succeeded:
        return
    meaning, hint = meanings.of_return(job.error_code)
    cause = job.error
    if not cause and job.state in _STOPPED:
        cause = "it was cancelled"
    if not cause:
        cause = meaning if job.error_code else "no reason is given"
    what = f"{verb} of {name}" if verb and name else verb or job.name
    hint = meanings.of_text(cause) or hint
    raise JobFailed(f"{what} failed", cause=cause, hint=hint, code=job.error_code)


def join_job(instance: CimInstance, host: str, subject: str = "") -> Job:
    """A CIM_ConcreteJob or kin as a ``Job``."""
    get = instance.get
    return Job(
        id=f"{host}:{clean.text(get('InstanceID'))}",
        host=host,
        name=clean.text(get("ElementName")) or clean.text(get("Caption")) or "Job",
        type=clean.number(get("JobType")),
        state=clean.number(get("JobState")),
        percent=min(100, clean.number(get("PercentComplete"))),
        started_at=clean.moment(get("StartTime")) or clean.moment(get("TimeSubmitted")),
        elapsed=clean.seconds(get("ElapsedTime")),
        error=_error_text(instance),
        error_code=clean.number(get("ErrorCode")),
        cancellable=get("Cancellable") is True,
        class_name=instance.class_name,
        subject=subject or paths.guid(get("VirtualSystemName")),
    )


def _error_text(instance: CimInstance) -> str:
    return clean.text(instance.get("ErrorDescription"), limit=clean.LONG) or clean.text(
        instance.get("ErrorSummaryDescription"), limit=clean.LONG
    )


def _complete(ref: CimRef) -> CimRef:
    return ref if ref.namespace else CimRef(ref.class_name, ref.keys, VIRTUALIZATION)


def messages(client: CimClient, ref: CimRef) -> tuple[str, ...]:
    """Messages of GetErrorEx; none when the job has none or its class lacks the method."""
    try:
        output = client.invoke(_complete(ref), "GetErrorEx")
    except Fault:
        return ()
    return texts_of(output.values.get("Errors"))


def texts_of(errors: CimValue) -> tuple[str, ...]:
    """The words of embedded Msvm_Errors, each once; one that only sums up others is left out."""
    found: list[str] = []
    for text in errors if isinstance(errors, tuple) else ():
        with contextlib.suppress(WireError):
            message = from_text(str(text), VIRTUALIZATION).get("Message")
            cleaned = clean.text(message, limit=clean.LONG)
            if cleaned and cleaned not in found:
                found.append(cleaned)
    return tuple(one for one in found if not any(two != one and two in one for two in found))


def _with_error(job: Job, error: str) -> Job:
    return replace(job, error=error)

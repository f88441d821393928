"""Sending everything: the initial replication and the resynchronization of a relationship."""

from __future__ import annotations

from tui.sim import recovery, replication
from tui.sim.files import MB
from tui.sim.jobs import JobError, Work
from tui.sim.outcome import FAILED
from tui.sim.replication import (
    INITIAL,
    READY,
    REGULAR,
    REPLICATING,
    RESYNC_REQUIRED,
    RESYNCHRONIZING,
    End,
)
from tui.wsman.cim import CimRef

COMPARING = 400 * MB
"""Bytes a second that are read on both sides and compared."""
SENDING, RESYNCHRONIZE = 116, 107


def total(end: End) -> int:
    """Bytes in use on the disks of an end."""
    return sum(used for _, used in replication.sizes(end.machine))


def blocked(end: End, size: int = 0) -> JobError | None:
    """Why nothing can be sent, as the end of a job."""
    found = replication.obstacle(end.pair, size)
    if found is None:
        return None
    machine = end.machine
    text = f"Hyper-V failed to replicate changes for virtual machine '{machine.name}'"
    return JobError(FAILED, f"{text} (Virtual machine ID {machine.id}): {found.words}")


def send(end: End, *, seeded: bool = False) -> CimRef:
    """Start to send the initial replica; both ends replicate when it has arrived."""
    size = total(end)
    share = size // 10 if seeded else size
    seconds = 2.0 + share / replication.pace(end.pair) + (size / COMPARING if seeded else 0.0)
    end.state = INITIAL
    return _whole(end, SENDING, "Sending Initial Replica", seconds, READY)


def resynchronize(end: End) -> CimRef:
    """Start to compare both sides and to send what differs."""
    waiting = end.pair.gather(end.machine.host.fabric.now())
    seconds = 2.0 + total(end) / COMPARING + waiting / replication.pace(end.pair)
    end.state = RESYNCHRONIZING
    other = end.pair.other(end)
    if other is not None:
        other.state = RESYNCHRONIZING
    return _whole(end, RESYNCHRONIZE, "Resynchronizing", seconds, RESYNC_REQUIRED)


def _whole(end: End, kind: int, words: str, seconds: float, back: int) -> CimRef:
    pair, machine = end.pair, end.machine
    taken = machine.host.fabric.now()
    before = pair.gather(taken)

    def done(at: float) -> tuple[CimRef, ...]:
        error = blocked(end)
        if error is not None or not end.live:
            raise error or JobError(FAILED, f"'{machine.name}' replicates no more.")
        _both(end, REPLICATING)
        pair.trouble, pair.in_a_row, pair.job = None, 0, ""
        recovery.fill(pair)
        replication.landed(pair, taken, before, at, REGULAR)
        replication.begin(pair)
        return ()

    def failed(at: float) -> None:
        pair.job = ""
        end.state = back
        other = pair.other(end)
        if other is not None and other.state == RESYNCHRONIZING:
            other.state = REPLICATING

    error = blocked(end)
    work = Work(kind, words, seconds, done, failed, error, cancellable=True)
    ref = machine.host.jobs.start(work, machine)
    pair.job = ref.key("InstanceID") or ""
    return ref


def _both(end: End, state: int) -> None:
    for one in (end, end.pair.other(end)):
        if one is not None:
            one.state = one.resumes = state


def stop(end: End) -> None:
    """End the job that sends everything, when there is one."""
    jobs = end.machine.host.jobs
    job = jobs.known.get(end.pair.job)
    if job is not None:
        jobs.cancel(job)

"""The collector's process: credit, death and rebirth, no orphans, no secrets in sight."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from tests.link_kit import PASSWORD
from tests.live_kit import PATIENCE, STATES, Estate, estate
from tui.collector.framing import frame, read_frame
from tui.collector.messages import (
    Batch,
    Call,
    CallUpdate,
    Configure,
    HostLink,
    Next,
    Pace,
    Phase,
    Poke,
    Resync,
    Stop,
    Update,
)
from tui.collector.pipe import CollectorDied, CollectorProcess

SUMMARY = "GetSummaryInformation"


@pytest.fixture
def lab() -> Iterator[Estate]:
    with estate() as served:
        yield served


def configure(served: Estate, fast: float = 0.1) -> Configure:
    return Configure(served.links(), fast, 600.0)


# -- the process itself --------------------------------------------------------------------


@contextlib.contextmanager
def collector() -> Iterator[subprocess.Popen[bytes]]:
    """``python -m tui.collector`` with pipes of our own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tui.collector"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[bytes], *commands: msgspec.Struct) -> None:
    assert process.stdin is not None
    for command in commands:
        process.stdin.write(frame(command))
    process.stdin.flush()


def hear(process: subprocess.Popen[bytes]) -> Batch:
    assert isinstance(process.stdout, io.BufferedReader)
    body = read_frame(process.stdout)
    assert body is not None
    return msgspec.msgpack.decode(body, type=Batch)


def is_talking(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], 0)[0])


def test_no_batch_without_credit_and_one_for_each(lab: Estate) -> None:
    with collector() as process:
        tell(process, configure(lab))
        heard = lab.heard["NUC01"]
        heard.wait(SUMMARY, 6)
        assert not is_talking(process), "it has much to tell, and may not"
        tell(process, Next())
        first = hear(process)
        assert [update.full for update in first.updates] == [True]
        assert first.updates[0].seq == 1, "six readings came as one update"
        assert first.memory > 0
        heard.wait(SUMMARY, 3)
        assert not is_talking(process)
        tell(process, Next(), Next())
        second, third = hear(process), hear(process)
        assert [u.seq for u in (*second.updates, *third.updates)] == [2, 3]
        assert not is_talking(process)


def test_it_ends_when_the_deck_does(lab: Estate) -> None:
    with collector() as process:
        tell(process, configure(lab))
        lab.heard["NUC01"].wait(SUMMARY)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


def test_it_ends_although_a_host_never_answers(lab: Estate) -> None:
    lab.faults().http.stall = -1
    with collector() as process:
        tell(process, configure(lab))
        lab.heard["NUC01"].wait(SUMMARY)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


def test_it_ends_although_nobody_reads_its_batches() -> None:
    with estate("large", hosts=1, vms=300) as served, collector() as process:
        tell(process, configure(served), *[Resync("HV001"), Next()] * 50)
        served.heard["HV001"].wait("Summary", 5)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


def test_stop_and_a_cut_frame_end_it_too(lab: Estate) -> None:
    with collector() as process:
        tell(process, configure(lab), Stop())
        assert process.wait(5) == 0
    with collector() as process:
        assert process.stdin is not None
        process.stdin.write(frame(Next())[:-1])
        process.stdin.close()
        assert process.wait(5) == 0


def test_ctrl_c_at_the_terminal_is_the_decks_affair(lab: Estate) -> None:
    with collector() as process:
        tell(process, configure(lab), Next())
        hear(process)
        process.send_signal(signal.SIGINT)
        tell(process, Next())
        assert hear(process).memory > 0


# -- the deck's end ------------------------------------------------------------------------


@dataclass
class Pipe:
    """A ``CollectorProcess`` and what has come out of it."""

    process: CollectorProcess
    updates: list[Update] = field(default_factory=list)
    calls: list[CallUpdate] = field(default_factory=list)

    async def take(self) -> Batch:
        batch = await asyncio.wait_for(self.process.next_batch(), PATIENCE)
        self.updates += batch.updates
        self.calls += batch.calls
        return batch

    async def until(self, happened: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not happened():
                await self.take()

    async def death(self) -> CollectorDied:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self.take()
                except CollectorDied as died:
                    return died

    def whole(self, host: str) -> list[Update]:
        return [update for update in self.updates if update.full and update.host == host]

    def tells(self, host: str) -> list[Update]:
        """Updates of a host that name machines."""
        return [update for update in self.updates if update.vms and update.host == host]

    def state(self, vm: str) -> int:
        """The last state told of a machine."""
        return next(v.state for u in reversed(self.updates) for v in u.vm_vitals if v.id == vm)

    def named(self, name: str) -> str:
        """A machine's identity."""
        return next(vm.id for update in self.updates for vm in update.vms if vm.name == name)

    def phases(self) -> list[Phase]:
        return [call.phase for call in self.calls]

    @property
    def pids(self) -> list[int]:
        processes = [shard._process for shard in self.process._shards]
        return [process.pid for process in processes if process is not None]


@contextlib.asynccontextmanager
async def pipe(command: Configure, *, hosts_per_process: int = 100) -> AsyncIterator[Pipe]:
    process = CollectorProcess(hosts_per_process=hosts_per_process)
    await process.start(command)
    opened = Pipe(process)
    try:
        yield opened
    finally:
        pids = opened.pids
        await process.stop()
        assert not [pid for pid in pids if is_alive(pid)]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_inventory_comes_whole_then_in_steps_without_gaps(lab: Estate) -> None:
    async with pipe(configure(lab)) as opened:
        await opened.until(lambda: len(opened.updates) >= 6)
        assert [update.full for update in opened.updates][:2] == [True, False]
        assert [update.seq for update in opened.updates] == list(range(1, 1 + len(opened.updates)))
        await opened.process.send(Resync("NUC01"))
        await opened.until(lambda: len(opened.whole("NUC01")) == 2)
        assert len(opened.whole("NUC01")[-1].vms) == 6


async def test_a_killed_collector_is_missed_restarted_and_repeats_nothing(lab: Estate) -> None:
    lab.faults().slow_methods = 8.0
    async with pipe(configure(lab)) as opened:
        await opened.until(lambda: any(update.vms for update in opened.updates))
        media = opened.named("media")
        call = Call("once", "vm.save", "NUC01", media, seen_state=STATES["running"])
        await opened.process.send(call)
        await opened.until(lambda: Phase.ACCEPTED in opened.phases())
        (before,) = opened.pids
        os.kill(before, signal.SIGKILL)
        died = await opened.death()
        assert died.hosts == ("NUC01",)
        assert died.cause
        assert "started again" in died.hint
        opened.updates.clear()
        opened.calls.clear()
        await opened.process.restart(died)
        assert opened.pids != [before]
        await opened.until(lambda: opened.whole("NUC01") and opened.updates[-1].vm_vitals)
        assert opened.updates[0].full
        await opened.until(lambda: opened.state(media) == STATES["saved"])
        assert lab.changes() == 1
        assert not opened.calls


async def test_sending_to_a_dead_collector_says_so(lab: Estate) -> None:
    async with pipe(configure(lab)) as opened:
        await opened.take()
        os.kill(opened.pids[0], signal.SIGKILL)
        died = await opened.death()
        with pytest.raises(CollectorDied):
            await asyncio.wait_for(poke_for_ever(opened.process), PATIENCE)
        await opened.process.restart(died)
        await opened.until(lambda: opened.whole("NUC01"))


async def test_a_long_line_on_standard_error_does_not_stop_it_from_being_read() -> None:
    talk = "import sys; sys.stderr.write('x' * 300_000 + '\\nthe last word\\n'); sys.exit(3)"
    process = CollectorProcess(command=(sys.executable, "-c", talk))
    try:
        await process.start(Configure((HostLink("h", "http://h/wsman"),)))
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(CollectorDied):
                await process.next_batch()
            (shard,) = process._shards
            assert shard._listener is not None
            await shard._listener
        assert str(shard._died().cause) == "the last word"
    finally:
        await process.stop()


async def poke_for_ever(process: CollectorProcess) -> None:
    while True:
        await process.send(Poke())


async def test_hosts_are_spread_over_processes_and_die_apart() -> None:
    with estate("large", hosts=2, vms=3) as served:
        async with pipe(configure(served), hosts_per_process=1) as opened:
            first, second = opened.pids
            await opened.until(lambda: opened.whole("HV001") and opened.whole("HV002"))
            os.kill(first, signal.SIGKILL)
            died = await opened.death()
            assert died.hosts == ("HV001",)
            opened.updates.clear()
            await opened.process.restart(died)
            await opened.until(lambda: opened.tells("HV001"))
            assert not opened.whole("HV002"), "the other one was not disturbed"
            assert opened.pids[1] == second
            vm = opened.tells("HV001")[0].vms[0].id
            running = opened.state(vm)
            await opened.process.send(Call("1", "vm.save", "HV001", vm, seen_state=running))
            await opened.until(lambda: Phase.OBSERVED in opened.phases())
            assert (served.changes("HV001"), served.changes("HV002")) == (1, 0)


async def test_a_death_takes_nothing_with_it_that_another_process_told() -> None:
    with estate("large", hosts=2, vms=3) as served:
        async with pipe(configure(served), hosts_per_process=1) as opened:
            await opened.until(lambda: opened.whole("HV001") and opened.whole("HV002"))
            os.kill(opened.pids[0], signal.SIGKILL)
            dead, other = opened.process._shards
            await asyncio.wait([dead.answer()])
            while dead.answer().exception() is None:  # written before it was killed
                dead.take()
                await asyncio.wait([dead.answer()])
            await asyncio.wait([other.answer()])
            assert [update.host for update in (await opened.take()).updates] == ["HV002"]
            with pytest.raises(CollectorDied):
                await opened.take()


async def test_new_pace_and_new_hosts() -> None:
    with estate("large", hosts=2, vms=3) as served:
        command = configure(served, fast=600.0)
        one = msgspec.structs.replace(command, hosts=command.hosts[:1])
        async with pipe(one) as opened:
            await opened.until(lambda: opened.whole("HV001"))
            await opened.process.send(Pace(fast=0.1))
            heard = served.heard["HV001"]
            await asyncio.to_thread(heard.wait, SUMMARY, 4)
            await opened.process.send(command)
            await opened.until(lambda: opened.whole("HV002"))


async def test_stopping_ends_a_wait_for_a_batch(lab: Estate) -> None:
    async with pipe(configure(lab)) as opened:
        await opened.take()
        waiting = asyncio.create_task(opened.process.next_batch())
        await asyncio.wait([waiting], timeout=0)
        await opened.process.stop()
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([waiting])
        assert waiting.cancelled() or isinstance(waiting.exception(), CollectorDied)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
async def test_no_secret_in_the_process_table(lab: Estate) -> None:
    async with pipe(configure(lab)) as opened:
        await opened.until(lambda: any(update.vms for update in opened.updates))
        for pid in opened.pids:
            place = Path(f"/proc/{pid}")
            for name in ("cmdline", "environ"):
                assert PASSWORD.encode() not in (place / name).read_bytes()
            assert b"tui.collector" in (place / "cmdline").read_bytes()
        assert PASSWORD not in repr(opened.updates)
        assert PASSWORD not in repr(configure(lab))

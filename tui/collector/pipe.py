"""The deck's end of the pipe: starts collectors, sends commands, waits for batches.

Many hosts are spread over several collector processes; to the deck they are one.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Sequence
from itertools import chain

import msgspec

from tui.collector.child import ended
from tui.collector.framing import LENGTH, frame, length_of
from tui.collector.messages import (
    Attend,
    Batch,
    Call,
    Command,
    Configure,
    HostLink,
    Next,
    Pace,
    Poke,
    Resync,
    Stop,
)
from tui.errors import HvError, WireError

HOSTS_PER_PROCESS = 100
COMMAND = (sys.executable, "-m", "tui.collector")
LAST_WORDS = 20
"""Lines of a collector's standard error that are kept to explain its death."""


class CollectorDied(HvError):
    """A collector process ended by itself. ``hosts`` are the ones it watched."""

    def __init__(self, hosts: Sequence[str], *, cause: str) -> None:
        super().__init__(
            "The refresh worker ended",
            cause=cause,
            hint="it is started again; no action is repeated by that",
        )
        self.hosts = tuple(hosts)


class Shard:
    """One collector process and the hosts it owns."""

    def __init__(self, hosts: tuple[HostLink, ...], command: Sequence[str] = COMMAND) -> None:
        self.hosts = hosts
        self.cost: tuple[float, int, int] = (0.0, 0, 0)
        """What the process last told of itself: percent of a core, resident bytes, threads."""
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        self._listener: asyncio.Task[None] | None = None
        self._answer: asyncio.Task[Batch] | None = None
        self._decoder = msgspec.msgpack.Decoder(Batch)

    async def spawn(self) -> None:
        """Start the process; it loads what it needs while nobody has told it a host."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._listener = asyncio.create_task(self._listen(self._process))

    async def start(self, configure: Configure) -> None:
        if self._process is None:
            await self.spawn()
        await self.send(msgspec.structs.replace(configure, hosts=self.hosts))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # longer than the reader holds; unread it would block the process
                continue
            if not line:
                return
            self._words.append(line.decode(errors="replace").rstrip())

    async def send(self, command: Command) -> None:
        """Raises CollectorDied when nobody listens any more."""
        if self._process is None or self._process.stdin is None:
            raise self._died()
        try:
            self._process.stdin.write(frame(command))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._died() from error

    def answer(self) -> asyncio.Task[Batch]:
        """The batch under way, credit given when there is none."""
        if self._answer is None:
            self._answer = asyncio.create_task(self._ask())
        return self._answer

    def take(self) -> Batch:
        """The batch that has come. Raises what its task raised."""
        assert self._answer is not None
        answer, self._answer = self._answer, None
        batch = answer.result()
        self.cost = (batch.cpu, batch.memory, batch.threads)
        return batch

    async def _ask(self) -> Batch:
        await self.send(Next())
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            head = await self._process.stdout.readexactly(LENGTH)
            body = await self._process.stdout.readexactly(length_of(head))
            return self._decoder.decode(body)
        except (asyncio.IncompleteReadError, msgspec.DecodeError, WireError) as error:
            raise self._died() from error

    def _died(self) -> CollectorDied:
        code = self._process.returncode if self._process else None
        last = self._words[-1] if self._words else ""
        cause = last or (f"exit code {code}" if code is not None else "its pipe closed")
        return CollectorDied([link.id for link in self.hosts], cause=cause)

    async def stop(self) -> None:
        """End the process: politely, then not."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(frame(Stop()))
                process.stdin.close()
        await ended(process)
        for task in (self._answer, self._listener):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._answer = None


class CollectorProcess:
    """All collectors, as one."""

    def __init__(
        self, *, hosts_per_process: int = HOSTS_PER_PROCESS, command: Sequence[str] = COMMAND
    ) -> None:
        self._per_process = hosts_per_process
        self._command = command
        self._configure = Configure(())
        self._attend = Attend()
        self._shards: list[Shard] = []
        self._spare: Shard | None = None

    async def prepare(self) -> None:
        """Start the first process before the hosts are known."""
        spare = Shard((), self._command)
        await spare.spawn()
        self._spare = spare

    async def start(self, configure: Configure) -> None:
        """Start as many processes as the hosts need, and tell each its own."""
        self._configure = configure
        hosts = configure.hosts
        parts = [hosts[i : i + self._per_process] for i in range(0, len(hosts), self._per_process)]
        self._shards = [Shard(part, self._command) for part in parts]
        if self._spare is not None and parts:
            self._shards[0], self._spare = self._spare, None
            self._shards[0].hosts = parts[0]
        await asyncio.gather(*map(self._begin, self._shards))

    async def _begin(self, shard: Shard) -> None:
        await shard.start(self._configure)
        if self._attend != Attend():  # as it is now: it may have moved meanwhile
            await shard.send(self._attend)

    async def send(self, command: Command) -> None:
        """Send a command where it belongs. Raises CollectorDied."""
        match command:
            case Configure():
                await self.stop()
                await self.start(command)
            case Call(host=host) | Resync(host=host) | Poke(host=host) if host:
                for shard in self._shards:
                    if any(link.id == host for link in shard.hosts):
                        await shard.send(command)
            case Attend():
                self._attend = command
                await self._broadcast(command)
            case Pace(fast=fast, slow=slow):
                self._configure = msgspec.structs.replace(
                    self._configure,
                    fast=fast or self._configure.fast,
                    slow=slow or self._configure.slow,
                )
                await self._broadcast(command)
            case _:
                await self._broadcast(command)

    async def _broadcast(self, command: Command) -> None:
        died: CollectorDied | None = None
        for shard in self._shards:
            try:
                await shard.send(command)
            except CollectorDied as error:
                died = error
        if died is not None:
            raise died

    async def next_batch(self) -> Batch:
        """Give credit and wait. Raises CollectorDied for a process that ended, once what the
        others have told is taken."""
        answers = {shard.answer(): shard for shard in self._shards}
        if not answers:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        told = [one for one in done if not one.cancelled() and one.exception() is None]
        batch = merge([answers[answer].take() for answer in told or list(done)[:1]])
        costs = [shard.cost for shard in answers.values()]  # they may be ended meanwhile
        cpu, memory, threads = (sum(parts) for parts in zip(*costs, strict=True))
        return msgspec.structs.replace(batch, cpu=cpu, memory=memory, threads=int(threads))

    async def restart(self, died: CollectorDied) -> None:
        """Start the process that ended again, with the hosts it had. Repeats no call."""
        for index, shard in enumerate(self._shards):
            if tuple(link.id for link in shard.hosts) == died.hosts:
                await shard.stop()
                self._shards[index] = Shard(shard.hosts, self._command)
                await self._begin(self._shards[index])

    async def stop(self) -> None:
        """End every process."""
        shards, self._shards = self._shards, []
        if self._spare is not None:
            shards.append(self._spare)
            self._spare = None
        await asyncio.gather(*(shard.stop() for shard in shards))


def merge(batches: Sequence[Batch]) -> Batch:
    """Several collectors' batches as one; what the collectors cost is not in it."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        updates=tuple(chain.from_iterable(batch.updates for batch in batches)),
        calls=tuple(chain.from_iterable(batch.calls for batch in batches)),
        sheets=tuple(chain.from_iterable(batch.sheets for batch in batches)),
        answers=tuple(chain.from_iterable(batch.answers for batch in batches)),
        exchanges=tuple(chain.from_iterable(batch.exchanges for batch in batches)),
        loads=tuple(chain.from_iterable(batch.loads for batch in batches)),
        idle=all(batch.idle for batch in batches),
    )

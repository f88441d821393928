"""The collector's own process: commands in on one stream, batches out on another.

Ends when its input ends, so it never outlives the deck.
"""

from __future__ import annotations

import threading
import time
from typing import BinaryIO

import msgspec

from tui.collector.connect import Connect, connect
from tui.collector.crew import Crew
from tui.collector.framing import frame, read_frame
from tui.collector.hub import Hub
from tui.collector.logfile import Discreet
from tui.collector.messages import (
    Attend,
    Batch,
    Call,
    Command,
    Configure,
    Inspect,
    Next,
    Pace,
    Poke,
    Resync,
    Stop,
)

HEARTBEAT = 1.0
"""Seconds after which a batch is sent although nothing changed."""


class Answers(threading.Thread):
    """Writes one batch for each credit the deck has given."""

    def __init__(self, hub: Hub, stream: BinaryIO) -> None:
        super().__init__(name="answers", daemon=True)
        self._hub = hub
        self._stream = stream
        self._credit = threading.Semaphore(0)
        self._load = Load()

    def allow(self) -> None:
        """Credit for one batch."""
        self._credit.release()

    def run(self) -> None:
        while True:
            self._credit.acquire()
            batch = self._load.stamp(self._hub.batch(HEARTBEAT))
            try:
                self._stream.write(frame(batch))
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                return


class Load:
    """What this process costs: percent of a core since the last look, and resident bytes."""

    def __init__(self) -> None:
        self._wall = time.monotonic()
        self._cpu = time.process_time()
        self._share = 0.0
        self._memory = 0
        self._threads = 0

    def stamp(self, batch: Batch) -> Batch:
        """The batch with our own load on it, looked at once a second at most."""
        wall, cpu = time.monotonic(), time.process_time()
        if wall - self._wall >= 1.0 or not self._memory:
            self._share = 100.0 * (cpu - self._cpu) / max(wall - self._wall, 0.001)
            self._memory = _resident()
            self._threads = threading.active_count()
            self._wall, self._cpu = wall, cpu
        return msgspec.structs.replace(
            batch, cpu=self._share, memory=self._memory, threads=self._threads
        )


def _resident() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def serve(
    commands: BinaryIO,
    batches: BinaryIO,
    *,
    connect: Connect = connect,
    log: Discreet | None = None,
) -> None:
    """Obey ``commands`` until ``Stop`` or the end of the stream."""
    hub = Hub()
    crew = Crew(hub, connect=connect)
    answers = Answers(hub, batches)
    answers.start()
    decoder = msgspec.msgpack.Decoder(Command)
    try:
        while (body := read_frame(commands)) is not None:
            command = decoder.decode(body)
            if isinstance(command, Stop):
                break
            if log is not None and isinstance(command, Configure):
                log.hide(command.hosts)
            obey(command, hub, crew, answers)
    finally:
        crew.stop()


def obey(command: Command, hub: Hub, crew: Crew, answers: Answers) -> None:
    """Carry out one command."""
    match command:
        case Next():
            answers.allow()
        case Configure():
            crew.configure(command)
        case Call():
            crew.submit(command)
        case Inspect(host=host, vm=vm):
            crew.inspect(host, vm)
        case Attend():
            crew.attend(command)
        case Poke(host=host):
            crew.poke(host)
        case Pace():
            crew.pace(command)
        case Resync(host=host):
            hub.resync(host)

"""Keeps the store fed: starts fabric and collector, takes batches, restarts what died.

Runs on the deck's event loop and touches no widget: it tells a listener what changed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tui.collector.messages import (
    Attend,
    Batch,
    Call,
    Command,
    Configure,
    HostLink,
    Inspect,
    Resync,
)
from tui.collector.pipe import CollectorDied
from tui.errors import HvError
from tui.store import Changes, Store
from tui.store.recorder import Recorded, Recorder
from tui.ui.options import DeckOptions

PACE = 0.1
"""Seconds between batches at least: ten paints a second are plenty."""
DEATHS = 5
"""A collector that dies so often in a row is not started again by itself."""


class Collector(Protocol):
    """What the deck needs of a collector."""

    async def start(self, configure: Configure) -> None: ...
    async def send(self, command: Command) -> None: ...
    async def next_batch(self) -> Batch: ...
    async def restart(self, died: CollectorDied) -> None: ...
    async def stop(self) -> None: ...


class Fabric(Protocol):
    """What the deck needs of the embedded fabric."""

    @property
    def pid(self) -> int: ...
    async def start(self, scene: str, *extra: str) -> tuple[HostLink, ...]: ...
    async def stop(self) -> None: ...


class Listener(Protocol):
    """Who is told."""

    def changed(self, changes: Changes) -> None:
        """The store is different now."""

    def told(self, words: str, *, error: bool = False) -> None:
        """A line for the person."""

    def collector_died(self) -> None:
        """What was on its way to a host is in doubt, what waits must not be sent."""

    def jumped(self) -> None:
        """The store stands for another moment now."""


class Nobody:
    """Listens before there is a screen."""

    def changed(self, changes: Changes) -> None:
        pass

    def told(self, words: str, *, error: bool = False) -> None:
        pass

    def collector_died(self) -> None:
        pass

    def jumped(self) -> None:
        pass


class Engine:
    """The deck's source of data."""

    def __init__(
        self,
        store: Store,
        options: DeckOptions,
        clock: Callable[[], float],
        *,
        collector: Collector | None = None,
        fabric: Fabric | None = None,
        pace: float = PACE,
    ) -> None:
        self.store = store
        self.options = options
        self.failure: HvError | None = None
        """Why there is nothing to see, when starting failed."""
        self.waiting = False
        """Between batches."""
        self.recorder: Recorder | None = None
        """Keeps all that is taken in, while somebody wants that."""
        self.inspected = ("", "")
        """Host and id of the machine whose sheet the collector keeps fresh."""
        self._links = options.links
        self.attended = Attend()
        """What the collector measures besides, because somebody looks at it."""
        self._listener: Listener = Nobody()
        self._clock = clock
        self._collector = collector
        self._fabric = fabric
        self._pace = pace
        self._stopping = asyncio.Event()
        self._warming: asyncio.Task[tuple[HostLink, ...]] | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    async def warm(self) -> None:
        """Get the first child going: it comes up while the screen is still being built.

        One beside the deck itself, not two: on a small machine they would delay the screen.
        """
        if self.options.links:
            self._prepare()
        elif self._warming is None:
            self._warming = asyncio.create_task(self._start_fabric())
        await asyncio.sleep(0)

    def _prepare(self) -> None:
        """Start the collector before the hosts are known: loading takes it most of a second."""
        if self._collector is None:
            from tui.collector.pipe import CollectorProcess

            self._collector = collector = CollectorProcess()
            self._preparing = asyncio.create_task(collector.prepare())

    def launch(self, listener: Listener) -> None:
        """Begin, beside whatever the loop does."""
        self._listener = listener
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the children. May be called twice."""
        self._stopping.set()
        self.stop_recording()
        for task in (self._task, self._warming, self._preparing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._task = self._warming = self._preparing = None
        if self._collector is not None:
            await self._collector.stop()
        if self._fabric is not None:
            await self._fabric.stop()

    @property
    def fabric_pid(self) -> int:
        """Process id of the embedded fabric; 0 without one."""
        return self._fabric.pid if self._fabric is not None else 0

    @property
    def idle(self) -> bool:
        """Everything taken in has been told, and nothing waits to be sent."""
        return (self.waiting or self.failure is not None) and not self._errands

    def post(self, command: Command) -> None:
        """Send a command without waiting for it."""
        if isinstance(command, Inspect):
            self.inspected = (command.host, command.vm)
        elif isinstance(command, Attend):
            self.attended = command
        elif isinstance(command, Call) and self.recorder is not None:
            self.recorder.began(command.id)
        errand = asyncio.create_task(self._send(command))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    async def _send(self, command: Command) -> None:
        if self._collector is None:
            return
        # A collector that died is seen, told and restarted where batches are awaited.
        with contextlib.suppress(CollectorDied):
            await self._collector.send(command)

    # -- recording -------------------------------------------------------------------------

    def record(self, path: Path) -> None:
        """Keep on disk what is taken in from now on. Raises HvError when that cannot be."""
        self.recorder = Recorder(path, self.store, self._links, self._clock())

    def stop_recording(self) -> Recorded | None:
        """What was recorded; None when nothing was."""
        recorder, self.recorder = self.recorder, None
        return recorder.close() if recorder is not None else None

    # -- the loop --------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            await self.warm()
            self._prepare()
            links = self.options.links
            if self._warming is not None:
                links = await self._warming
            self._links = links
            self._listener.changed(self.store.configure(links))
            collector = self._collector
            assert collector is not None
            if self._preparing is not None:
                await self._preparing
            await collector.start(
                Configure(
                    links, self.options.fast, self.options.slow, self.options.requests_per_minute
                )
            )
        except (HvError, OSError) as error:
            self._fail(error)
            return
        await self._feed(collector)

    async def _start_fabric(self) -> tuple[HostLink, ...]:
        if self._fabric is None:
            from tui.collector.fabric import FabricProcess

            self._fabric = FabricProcess()
        return await self._fabric.start(self.options.scene, *self.options.fabric)

    async def _feed(self, collector: Collector) -> None:
        deaths = 0
        while not self._stopping.is_set():
            self.waiting = True
            try:
                batch = await collector.next_batch()
            except CollectorDied as died:
                self.waiting = False
                deaths += 1
                if not await self._revive(collector, died, deaths):
                    return
                continue
            self.waiting = False
            deaths = 0
            self._take(batch)
            await self._rest()

    def _take(self, batch: Batch) -> None:
        now = self._clock()
        changes = self.store.apply(batch, now)
        if self.recorder is not None:
            self.recorder.took(now, batch, changes)
        for host in changes.resync:
            self.post(Resync(host))
        self._listener.changed(changes)

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._pace)

    async def _revive(self, collector: Collector, died: CollectorDied, deaths: int) -> bool:
        now = self._clock()
        self._listener.collector_died()
        self._listener.changed(self.store.collector_lost(now, died.hosts))
        if self.recorder is not None:
            self.recorder.lost(now, died.hosts)
        if deaths > DEATHS:
            self._fail(died)
            return False
        self._listener.told(f"{died.title} ({died.cause}); {died.hint}", error=True)
        try:
            await collector.restart(died)
        except OSError as error:
            self._fail(error)
            return False
        if all(self.inspected):  # the new process does not know what is looked at
            self.post(Inspect(*self.inspected))
        if self.attended != Attend():
            self.post(self.attended)
        return True

    def _fail(self, error: HvError | OSError) -> None:
        if not isinstance(error, HvError):
            error = HvError("The refresh worker could not be started", cause=str(error))
        self.failure = error
        self._listener.changed(Changes())
        self._listener.told(f"{error} {error.hint}".strip(), error=True)

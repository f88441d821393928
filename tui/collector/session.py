"""The collector without its process: the same lanes, for the blocking command line."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from msgspec import structs

from tui.actions import by_id
from tui.collector.connect import Connect, connect
from tui.collector.crew import Crew
from tui.collector.following import is_clustered
from tui.collector.hub import Hub
from tui.collector.messages import (
    REQUESTS_PER_MINUTE,
    Answer,
    Attend,
    Batch,
    Call,
    CallUpdate,
    Exchange,
    HostLink,
    HostLoad,
    Pace,
    Phase,
)
from tui.collector.watch import Tier, trouble_of
from tui.errors import HvError, UsageError
from tui.hyperv import sheets
from tui.hyperv.model import Inventory, Trouble
from tui.hyperv.sheet import Sheet
from tui.wsman.client import CimClient, Throttle

HOSTS_AT_ONCE = 32
LINGER = 2.0
"""Seconds lanes get to end when the session closes."""
TICK = 0.1


class Session:
    """Hosts, read once or acted upon, from one thread of the caller's."""

    def __init__(
        self,
        links: Sequence[HostLink],
        *,
        connect: Connect = connect,
        on_exchange: Callable[[Exchange], None] | None = None,
        requests_per_minute: int = REQUESTS_PER_MINUTE,
    ) -> None:
        self.links = {link.id: link for link in links}
        self.troubles: dict[str, Trouble] = {}
        """Hosts that could not be read, and why."""
        self._connect = connect
        self._on_exchange = on_exchange
        self._hub = Hub()
        self._crew = Crew(self._hub, connect=connect, limit=requests_per_minute)
        self._clients: list[CimClient] = []
        self._readers: dict[str, CimClient] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all lanes and connections."""
        self._crew.stop(LINGER)
        for client in self._clients:
            client.close()

    def load(
        self, tiers: Tier = Tier.ALL, hosts: Sequence[str] | None = None
    ) -> dict[str, Inventory]:
        """Read hosts (all by default) side by side. Failures land in ``troubles``."""
        names = list(self.links if hosts is None else hosts)
        waiting = deque(self._crew.watch(self.links[name]) for name in names)
        ended: SimpleQueue[tuple[str, HvError | None]] = SimpleQueue()

        def work() -> None:
            with contextlib.suppress(IndexError):
                while True:
                    watch = waiting.popleft()
                    ended.put((watch.link.id, watch.step(tiers)))

        # Not a pool: its threads would keep an interrupted command until a silent host times out.
        for _ in range(min(HOSTS_AT_ONCE, len(names))):
            threading.Thread(target=work, name="load", daemon=True).start()
        for _ in names:
            name, failure = ended.get()
            self.troubles.pop(name, None)
            if failure is not None:
                self.troubles[name] = trouble_of(failure)
        if tiers & Tier.CLUSTER:
            self._hear_clusters(names)
        self._tell_exchanges()
        return {name: i for name, i in self._hub.inventories().items() if name in names}

    def _hear_clusters(self, names: Sequence[str]) -> None:
        """Where a node that was asked does not tell of its cluster, ask the others."""
        for name in names:
            found = self._hub.inventory(name)
            cluster = found.host.cluster if found is not None else ""
            if not cluster or self._hub.cluster(cluster) is not None:
                continue
            if self._hub.speaker(cluster) == name:
                self._crew.watch(self.links[name]).step(Tier.CLUSTER | Tier.WHOLE)

    def _tell_exchanges(self) -> None:
        batch = self._hub.batch(0.0)
        if self._on_exchange is not None:
            for exchange in batch.exchanges:
                self._on_exchange(exchange)

    def run(
        self,
        calls: Sequence[Call],
        progress: Callable[[CallUpdate], None],
        *,
        wait: bool = True,
        timeout: float | None = None,
        also: Iterable[str] = (),
    ) -> dict[str, CallUpdate]:
        """Run calls and answer the last update of each, by call id. ``also``: other hosts on
        which it shows that one is done.

        With ``wait`` that is a final one; without, a host's acceptance is enough, of the last
        step where there are several. After ``timeout`` seconds the last update known stands.
        """
        last: dict[str, CallUpdate] = {}
        for host in {call.host for call in calls} | set(also) | self._tellers(calls):
            if host in self.links:
                self._crew.watch(self.links[host]).start()
        for call in calls:
            self._crew.submit(call)
        deadline = None if timeout is None else time.monotonic() + timeout
        while any(not _settled(last.get(call.id), wait=wait) for call in calls):
            if deadline is not None and time.monotonic() >= deadline:
                break
            batch = self._hub.batch(TICK)
            for update in batch.calls:
                last[update.id] = update
                progress(update)
            if self._on_exchange is not None:
                for exchange in batch.exchanges:
                    self._on_exchange(exchange)
        return last

    def _tellers(self, calls: Iterable[Call]) -> set[str]:
        """Hosts that tell of the clusters which show that calls are done."""
        inventories = self._hub.inventories()
        found = set()
        for call in calls:
            action, there = by_id(call.action), inventories.get(call.host)
            if action is not None and there is not None and is_clustered(action):
                found.add(self._hub.speaker(there.host.cluster))
        return found

    def ask(self, calls: Sequence[Call], *, timeout: float) -> dict[str, Answer]:
        """What hosts say to calls they are only asked about, by call id; silence is left out."""
        for call in calls:
            self._crew.submit(structs.replace(call, ask=True))
        found: dict[str, Answer] = {}
        deadline = time.monotonic() + timeout
        while len(found) < len(calls) and time.monotonic() < deadline:
            found |= {answer.id: answer for answer in self._hub.batch(TICK).answers}
        return found

    def submit(self, call: Call) -> None:
        """Hand a call to its host's act lane; ``attend`` tells what becomes of it."""
        self._crew.submit(call)

    def attend(self, hear: Callable[[Batch], bool], *, timeout: float | None = None) -> bool:
        """Keep all hosts read and hand over what changes, from a whole inventory of each on,
        until ``hear`` has had enough. False when the time was up before that.
        """
        for name, link in self.links.items():
            if name not in self.troubles:
                self._crew.watch(link).start()
            self._hub.resync(name)
        deadline = None if timeout is None else time.monotonic() + timeout
        while not hear(self._hub.batch(TICK)):
            if deadline is not None and time.monotonic() >= deadline:
                return False
        return True

    def follow(self, hear: Callable[[Batch], bool], *, every: float) -> None:
        """Keep all hosts read every so many seconds, also those that could not be read, and hand
        over what changes, until ``hear`` has had enough.
        """
        self._crew.pace(Pace(fast=every))
        self.troubles.clear()
        self.attend(hear)

    def look(self, attend: Attend) -> None:
        """Measure this from the next reading on; rates are known after the one behind it."""
        self._crew.attend(attend)

    def loads(self) -> tuple[HostLoad, ...]:
        """What hosts have been asked so far, and how fast that was answered."""
        return self._hub.loads()

    def client(self, host: str) -> CimClient:
        """A client of its own on one host. Raises UsageError for a host not configured."""
        if host not in self.links:
            raise UsageError(
                f"{host} is not configured", hint=f"known hosts: {', '.join(sorted(self.links))}"
            )
        client = self._connect(self.links[host], Throttle(), lambda *_: None)
        self._clients.append(client)
        return client

    def sheet(self, host: str, vm_id: str) -> Sheet:
        """One machine in full, as its host has it now."""
        if host not in self._readers:
            self._readers[host] = self.client(host)
        return sheets.read(self._readers[host], host, vm_id, time.time)


def _settled(update: CallUpdate | None, *, wait: bool) -> bool:
    if update is None:
        return False
    return update.phase.final or (not wait and update.phase is Phase.ACCEPTED and not update.step)

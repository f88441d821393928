"""All lanes of one collector: a watch lane per host, an act lane on first use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from tui.collector.act import Act
from tui.collector.allowance import Paced
from tui.collector.connect import Connect, connect, exchange
from tui.collector.hub import Hub
from tui.collector.messages import (
    REQUESTS_PER_MINUTE,
    Answer,
    Attend,
    Call,
    CallUpdate,
    Configure,
    HostLink,
    Pace,
    Phase,
)
from tui.collector.watch import Pacing, Tier, Watch
from tui.hyperv.model import Trouble
from tui.hyperv.ops.moving import Reach
from tui.wsman.client import CimClient, Throttle, Trip

AT_ONCE = 20
"""Hosts that are read at once when the eye moves to all of them; of more each waits its turn."""


class Crew:
    """Starts, steers and ends the lanes. Called from one thread."""

    def __init__(
        self,
        hub: Hub,
        *,
        connect: Connect = connect,
        now: Callable[[], float] = time.time,
        limit: int = REQUESTS_PER_MINUTE,
    ) -> None:
        """``limit``: what reading may ask of each host in a minute, until it is told otherwise."""
        self._hub = hub
        self._connect = connect
        self._now = now
        self._pacing = Pacing()
        self._attend = Attend()
        self._limit = limit
        self._links: dict[str, HostLink] = {}
        self._throttles: dict[str, Throttle] = {}
        self._watches: dict[str, Watch] = {}
        self._acts: dict[tuple[str, bool], Act] = {}
        """By host, and whether it only asks: a host that thinks long about a question must not
        keep anything from being done."""

    def configure(self, command: Configure) -> None:
        """The set of hosts from now on; hosts that stay as they are keep their lanes."""
        self._pacing.fast, self._pacing.slow = command.fast, command.slow
        self._limit = command.requests_per_minute
        wanted = {link.id: link for link in command.hosts}
        for host in [host for host, link in self._links.items() if wanted.get(host) != link]:
            self._dismiss(host)
        for link in command.hosts:
            if link.id not in self._links:
                self.watch(link).start()
            self._hub.ledger(link.id).allowance.limit = self._limit

    def watch(self, link: HostLink) -> Watch:
        """The watch lane of a host, made when needed and not started."""
        if link.id not in self._watches:
            self._links[link.id] = link
            allowance = self._hub.ledger(link.id).allowance
            allowance.limit = self._limit
            self._throttles[link.id] = throttle = Throttle()
            self._watches[link.id] = Watch(
                link,
                self._hub,
                connect=self._connect,
                throttle=Paced(throttle, allowance),
                pacing=self._pacing,
                now=self._now,
            )
            self._watches[link.id].attend(self._attend.of(link.id), soon=False)
        return self._watches[link.id]

    def submit(self, call: Call) -> None:
        """Hand a call to its host's act lane."""
        link = self._links.get(call.host)
        if link is None:
            trouble = Trouble("Refused", f"{call.host} is not configured")
            if call.ask:
                answer = Answer(
                    call.id, call.host, call.target, call.arguments, self._now(), None, trouble
                )
                self._hub.answer(answer)
                return
            self._hub.report(
                CallUpdate(
                    call.id,
                    call.action,
                    call.host,
                    call.target,
                    call.target,
                    Phase.REFUSED,
                    self._now(),
                    trouble=trouble,
                )
            )
            return
        lane = (call.host, call.ask)
        if lane not in self._acts:
            self._acts[lane] = Act(
                link,
                self._hub,
                connect=self._connect,
                throttle=self._throttles[call.host],
                poke=self._poke_tiers,
                reach=self._reach,
                now=self._now,
            )
        self._acts[lane].submit(call)

    def _reach(self, host: str) -> Reach | None:
        """How an act lane puts a question to another host: over a connection for that alone."""
        link = self._links.get(host)
        return partial(self._visit, link) if link is not None else None

    @contextmanager
    def _visit(self, link: HostLink) -> Iterator[CimClient]:
        def exchanged(trip: Trip) -> None:
            self._hub.log(exchange(trip, link.id, "act", self._now()))

        client = self._connect(link, self._throttles[link.id], exchanged)
        try:
            yield client
        finally:
            client.close()

    def inspect(self, host: str, vm: str) -> None:
        """Keep one machine's sheet fresh, and no other."""
        for name, watch in self._watches.items():
            watch.inspect(vm if name == host else "")

    def attend(self, command: Attend) -> None:
        """Measure what is being looked at, and no more; hosts to come are told as well."""
        self._attend = command
        few = len(self._watches) <= AT_ONCE
        for name, watch in self._watches.items():
            watch.attend(command.of(name), soon=few or name in command.hosts)

    def poke(self, host: str) -> None:
        """Refresh one host now, or all of them."""
        for watch in self._named(host):
            watch.poke(Tier.ALL)

    def _poke_tiers(self, host: str, tiers: Tier) -> None:
        watch = self._watches.get(host)
        if watch is not None:
            watch.poke(tiers)

    def pace(self, command: Pace) -> None:
        """Change the intervals."""
        self._pacing.fast = command.fast or self._pacing.fast
        self._pacing.slow = command.slow or self._pacing.slow
        for watch in self._watches.values():
            watch.poke(Tier.FAST)

    def stop(self, timeout: float | None = None) -> None:
        """End every lane; with ``timeout`` wait that long for requests under way."""
        lanes: list[Act | Watch] = [*self._acts.values(), *self._watches.values()]
        for lane in lanes:
            lane.stop()
        for host in self._watches:
            self._hub.ledger(host).allowance.close()
        if timeout is not None:
            deadline = time.monotonic() + timeout
            for lane in lanes:
                lane.stop(max(0.0, deadline - time.monotonic()))

    def _named(self, host: str) -> Iterable[Watch]:
        if not host:
            return self._watches.values()
        return [self._watches[host]] if host in self._watches else []

    def _dismiss(self, host: str) -> None:
        self._links.pop(host, None)
        self._throttles.pop(host, None)
        for asks in (False, True):
            if act := self._acts.pop((host, asks), None):
                act.stop()
        if watch := self._watches.pop(host, None):
            watch.stop()
            self._hub.ledger(host).allowance.close()
        self._hub.forget(host)

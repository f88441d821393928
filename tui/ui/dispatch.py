"""Sends calls to the collector, a few at a time, and keeps the tally of what became of them.

Knows the store and a way to send; no widget. A call leaves once: nothing here is sent again.
"""

from __future__ import annotations

import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.actions import Action, Target
from tui.collector.messages import Call, Command
from tui.store import Changes, Store
from tui.store.queue import Entry, tally

PER_HOST = 4
TOTAL = 16
READ_ONLY = "hvdeck is read-only now"


@dataclass(slots=True, eq=False)
class Item(Entry):
    """One target of a run."""

    key: str
    """Row key."""
    target: Target
    call: Call
    begun: float = 0.0
    """When it was sent."""


@dataclass(slots=True, eq=False)
class Run:
    """One action on one thing or on a set."""

    action: Action
    items: list[Item] = field(default_factory=list)
    told: bool = False
    """Its end has been reported."""
    planned: bool = False
    """It belongs to a plan, which keeps count of its calls itself."""

    @property
    def over(self) -> bool:
        return all(item.over for item in self.items)

    def tally(self) -> str:
        """``5 done, 1 failed, 1 waiting``."""
        return tally(self.items)


def _wanted(action: Action, item: Item, now: float) -> Callable[[Target], bool] | None:
    """What the target must look like for the call to be done, as far as the deck can tell."""
    if action.looked is not None or (action.needs_sheet and item.target.sheet is None):
        return None
    return action.wanted(action.filled(item.target, item.call.arguments), item.target, now)


class Dispatcher:
    """The queue of calls. What waits in it when the deck becomes read-only is not sent."""

    def __init__(
        self,
        store: Store,
        send: Callable[[Command], None],
        clock: Callable[[], float],
        read_only: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._send = send
        self._clock = clock
        self._read_only = read_only
        self._queue: deque[tuple[Run, Item]] = deque()
        self._flying: dict[str, tuple[Run, Item]] = {}

    @property
    def busy(self) -> int:
        """Calls sent or waiting."""
        return len(self._queue) + len(self._flying)

    def submit(
        self,
        action: Action,
        targets: Iterable[tuple[str, Target]],
        arguments: Mapping[str, Any],
        *,
        planned: bool = False,
    ) -> tuple[Run, list[Changes]]:
        """Queue one call for each target; as many as may are sent at once. The calls of a plan
        do not wait here, where it could not call them off, and nothing waits for them.
        """
        run = Run(action, told=planned, planned=planned)
        for key, target in targets:
            call = Call(
                uuid.uuid4().hex,
                action.id,
                target.host.id,
                target.id,
                dict(arguments),
                target.seen_state,
            )
            item = Item(key, target, call, dropped=self._moved(key, target))
            run.items.append(item)
            if not item.dropped:
                self._queue.append((run, item))
        return run, self._pump()

    def _moved(self, key: str, target: Target) -> str:
        """Why a call would go to the wrong host: what was asked about is elsewhere by now."""
        now = self._store.target(key)
        if now is None or now.host.id == target.host.id:
            return ""
        return f"it has moved to {now.host.id}: look again and repeat"

    def settled(self, changes: Changes) -> tuple[list[Run], list[Changes]]:
        """Take note of calls that moved; answers the runs touched and what sending changed."""
        touched = self.drop(READ_ONLY) if self._read_only() else []
        for call_id in changes.calls:
            pair = self._flying.get(call_id)
            update = self._store.calls.get(call_id)
            if pair is None or update is None:
                continue
            run, item = pair
            item.result = update
            if update.phase.final:
                del self._flying[call_id]
            if run not in touched:
                touched.append(run)
        return touched, self._pump()

    def drop(self, why: str) -> list[Run]:
        """Send nothing more of what waits."""
        touched: list[Run] = []
        while self._queue:
            run, item = self._queue.popleft()
            item.dropped = why
            if run not in touched:
                touched.append(run)
        return touched

    def _pump(self) -> list[Changes]:
        if self._read_only():
            self.drop(READ_ONLY)
        changes: list[Changes] = []
        hosts = Counter(item.call.host for run, item in self._flying.values() if not run.planned)
        waiting: deque[tuple[Run, Item]] = deque()
        while self._queue:
            run, item = self._queue.popleft()
            full = hosts.total() >= TOTAL or hosts[item.call.host] >= PER_HOST
            if full and not run.planned:
                waiting.append((run, item))
                continue
            hosts[item.call.host] += not run.planned
            changes.append(self._launch(run, item))
        self._queue = waiting
        return changes

    def _launch(self, run: Run, item: Item) -> Changes:
        self._flying[item.call.id] = (run, item)
        item.begun = now = self._clock()
        changes = self._store.begin(
            item.call,
            item.key,
            text=run.action.title,
            now=now,
            observed=_wanted(run.action, item, now),
        )
        item.result = self._store.calls[item.call.id]
        self._send(item.call)
        return changes

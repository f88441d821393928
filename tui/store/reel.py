"""A tape played into a store: from any moment on, forward. Knows no screen and no clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tui.actions.declare import Target
from tui.collector.messages import Call, HostLink
from tui.collector.tape import Begun, Entry, Lost, Tape, Took
from tui.store.changes import Changes
from tui.store.store import Store

REACH: Final = 3660.0
"""Seconds of the past that graphs and lists show."""
TICK: Final = 10.0
"""Seconds between two looks at what has become old."""


class Reel:
    """Where on the tape a store is. ``at`` is the moment it stands for."""

    def __init__(self, tape: Tape, at: float) -> None:
        """A new store as the last picture before a moment shows it. Raises WireError."""
        self.store = Store()
        self.tape = tape
        self.block = tape.before(at)
        self.at = self._ticked = tape.blocks[self.block].last
        self.reached = 0.0
        """All that came until then has been taken in."""
        self._rest = tape.steps(self.block)
        self._next: Entry | None = None
        spots = tape.header.hosts
        self.store.configure(
            HostLink(spot.id, spot.url, read_only=spot.read_only, demo=spot.demo) for spot in spots
        )
        for entry in tape.picture(self.block):
            self._take(entry)

    def play(self, until: float) -> Iterator[Changes]:
        """Take in what came until then, one by one; may be left and begun again. Raises
        WireError where the tape is damaged.
        """
        while (entry := self._coming()) is not None and entry.at <= until:
            self._next = None
            self.at = entry.at
            changes = self._take(entry)
            if entry.at - self._ticked >= TICK:
                self._ticked = entry.at
                changes.follow(self.store.tick(entry.at))
            yield changes
        self.at = self.reached = max(self.at, until)

    def _coming(self) -> Entry | None:
        if self._next is None:
            self._next = next(self._rest, None)
        return self._next

    def _take(self, entry: Entry) -> Changes:
        match entry:
            case Took(at=at, batch=batch):
                return self.store.apply(batch, at)
            case Begun(at=at, key=key, text=text):
                call = Call(entry.call, entry.action, entry.host, entry.target)
                observed = _never if entry.doubted else None
                return self.store.begin(call, key, text=text, now=at, observed=observed)
            case Lost(at=at, hosts=hosts):
                return self.store.collector_lost(at, hosts)


def _never(target: Target) -> bool:
    """What a call was to bring about is not on the tape; that it came about is."""
    return False

"""The histories of all things there are, within an allowance of memory.

One rule decides how finely things are remembered: in the finest grain in which all of them fit the
allowance once their rings are full. Hosts are always remembered in full. What was made thin stays
so; when not even the thinnest grain is enough, what comes next is not remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tui.store.series import BESIDES, FULL, SCANT, THIN, History

ALLOWANCE: Final = 192 * 2**20
"""Bytes. The deck may take 350 MB with 10,000 machines and takes 100 MB for all but histories."""
GRAINS: Final = (FULL, THIN, SCANT)
AT_ONCE: Final = 4000
"""Codes that are rewritten in one go, or one history: about ten milliseconds."""


class Histories(Mapping[str, History]):
    """Every thing's history, by row key."""

    def __init__(self, allowance: int = ALLOWANCE) -> None:
        self.grain = FULL
        """Of everything but hosts."""
        self.allowance = allowance
        self._known: dict[str, History] = {}
        self._hosts: set[str] = set()
        self._columns = {True: 0, False: 0}
        """Of hosts and of everything else."""
        self._coarser: list[str] = []
        """Keys of what is still remembered more finely than it should be."""

    def __getitem__(self, key: str) -> History:
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def bytes(self) -> int:
        """What all take once their rings are full."""
        columns = self._columns[True] * FULL.column + self._columns[False] * self.grain.column
        return columns + len(self) * BESIDES

    @property
    def room(self) -> bool:
        """Whether anything more is remembered."""
        return self.grain is not GRAINS[-1] or self.bytes < self.allowance

    def record(
        self, key: str, at: float, values: Sequence[float | None], *, host: bool = False
    ) -> None:
        """Add one reading; ``host``: of a host, which is remembered in any case."""
        history = self._known.get(key)
        if history is None:
            if not (host or self.room):
                return
            history = self._known[key] = History(FULL if host else self.grain)
            if host:
                self._hosts.add(key)
        before = history.width
        history.record(at, values, widen=host or self.room)
        if history.width != before:
            self._columns[host] += history.width - before
            self._weigh()

    def cut(self, at: float) -> None:
        """Forget what is after a moment."""
        for key, history in self._known.items():
            before = history.width
            history.cut(at)
            self._columns[key in self._hosts] += history.width - before

    def forget(self, key: str) -> None:
        """A thing is gone for good."""
        history = self._known.pop(key, None)
        if history is not None:
            self._columns[key in self._hosts] -= history.width
            self._hosts.discard(key)

    def settle(self) -> None:
        """Make some of what is remembered too finely thinner."""
        written = 0
        while self._coarser and written < AT_ONCE:
            history = self._known.get(self._coarser.pop())
            if history is not None and history.grain is not self.grain:
                written += history.thin(self.grain)

    def _weigh(self) -> None:
        before = self.grain
        while self.bytes > self.allowance and self.grain is not GRAINS[-1]:
            self.grain = GRAINS[GRAINS.index(self.grain) + 1]
        if self.grain is not before:
            self._coarser = [key for key in self._known if key not in self._hosts]

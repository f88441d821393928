"""What is watched in full: named by patterns in the configuration, or by hand for this session."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import translate
from typing import Final

from tui.store.changes import Changes, Row
from tui.store.rows import HostRow, VmRow

KEPT: Final = 500
"""Notices remembered, the latest ones."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A change of the state of something watched. It stands among the actions taken here."""

    id: str
    at: float
    name: str
    host: str
    target: str
    """Row key."""
    tone: str
    """How it stands now: ``ok``, ``warning`` or ``error``."""
    why: str
    """What is wrong with it; empty when nothing is any more."""
    told: bool = False
    """A message says so anyway: a host came or went, a cluster lost a node."""

    @property
    def action(self) -> str:
        return "watch"

    @property
    def words(self) -> str:
        """A sentence without a full stop."""
        where = f" on {self.host}" if self.host and self.host != self.name else ""
        if not self.why:
            return f"{self.name}{where} is well again"
        return f"{self.name}{where}: {self.why}"


class Watches:
    """Which rows are watched in full, and what was noticed about them."""

    def __init__(self, row: Callable[[str], Row | None]) -> None:
        self.notices: dict[str, Notice] = {}
        """By id, oldest first."""
        self._row = row
        self._patterns: dict[str, list[re.Pattern[str]]] = {}
        self._chosen: dict[str, bool] = {}
        self.keys: set[str] = set()
        """Of rows watched in full, and of some that are gone."""

    def __bool__(self) -> bool:
        """Anything may be."""
        return bool(self._patterns or self._chosen)

    def name(self, patterns: Iterable[str], keys: Iterable[str] = ()) -> None:
        """What the configuration names; ``keys``: the rows there are already."""
        for pattern in patterns:
            kind, colon, name = pattern.partition(":")
            kind, name = (kind, name) if colon else ("host", pattern)
            compiled = re.compile(translate(name.casefold()))
            self._patterns.setdefault(kind, []).append(compiled)
        self._flag(keys)

    def choose(self, keys: Iterable[str], on: bool) -> Changes:
        """Watch rows or do not, whatever the patterns say."""
        changes = Changes()
        for key in keys:
            row = self._row(key)
            if isinstance(row, VmRow | HostRow):
                self._chosen[key] = on
                changes.touch_row(key, row)
        self.follow(changes)
        return changes

    def choose_as(self, other: Watches) -> None:
        """What another one was told by hand counts here, too."""
        self._chosen |= other._chosen
        self._flag(other._chosen)

    def follow(self, changes: Changes) -> None:
        """Rows that came or have another name by now."""
        if self:
            for delta in (changes.vms, changes.hosts):
                self._flag(delta.added | delta.changed)

    def note(self, notice: Notice, changes: Changes) -> None:
        """Keep a notice."""
        self.notices[notice.id] = notice
        changes.notices.add(notice.id)
        while len(self.notices) > KEPT:
            del self.notices[next(iter(self.notices))]

    def _flag(self, keys: Iterable[str]) -> None:
        for key in keys:
            row = self._row(key)
            if isinstance(row, VmRow | HostRow):
                row.watch = (row.watch or "ok") if self._wanted(row) else ""
                (self.keys.add if row.watch else self.keys.discard)(key)
            else:
                self.keys.discard(key)

    def _wanted(self, row: VmRow | HostRow) -> bool:
        """Standalone hosts as a group are nothing to watch."""
        chosen = self._chosen.get(row.key)
        if chosen is not None:
            return chosen
        if isinstance(row, VmRow):
            return self._named("vm", row.vm.name)
        if row.group:
            return bool(row.host.cluster) and self._named("cluster", row.host.cluster)
        return self._named("host", row.host.id, row.host.name)

    def _named(self, kind: str, *names: str) -> bool:
        patterns = self._patterns.get(kind)
        if not patterns:
            return False
        return any(pattern.match(name.casefold()) for pattern in patterns for name in names)

"""Open enumerations of one host: whose they are, what is left of them, when they lapse."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from tui.wsman.cim import CimInstance
from tui.wsman.fault import refuse
from tui.wsman.reply import item_size
from tui.wsman.soap import new_message_id
from tui.wsman.values import Wsman

PER_USER = 1500
"""MaxConcurrentOperationsPerUser of a current host (wsman-wire.md 13)."""
IDLE = timedelta(milliseconds=240000)
"""EnumerationTimeoutms of a current host."""
MAX_BATCH = 32000
"""MaxBatchItems."""


@dataclass(slots=True)
class Enumeration:
    """The items not yet sent. Each is written when its turn comes, and once only."""

    user: str
    items: deque[CimInstance]
    write: Callable[[CimInstance], str]
    touched: datetime
    written: str | None = None
    """The first item's text, when it did not fit the page before."""

    def page(self, count: int, room: int) -> tuple[str, ...]:
        """The next items: at most so many, and so many bytes as WinRM counts them."""
        texts: list[str] = []
        items = self.items
        while items and len(texts) < min(count, MAX_BATCH):
            text = self.write(items[0]) if self.written is None else self.written
            room -= item_size(text)
            if room < 0:
                self.written = text
                break
            self.written = None
            items.popleft()
            texts.append(text)
        if items and not texts:
            raise refuse(
                Wsman.MAX_ENVELOPE_SIZE_EXCEEDED, "One item is larger than the envelope may be."
            )
        return tuple(texts)


class Enumerations:
    """Enumerations by context. A context is used once: every page is given a new one.

    ``stingy`` is the manner of Windows Server 2008 R2: an optimized Enumerate brings one item.
    """

    def __init__(
        self, *, limit: int = PER_USER, idle: timedelta = IDLE, stingy: bool = False
    ) -> None:
        self.limit = limit
        self.idle = idle
        self.stingy = stingy
        self.lock = Lock()
        """Held while a request is answered, for callers on several threads."""
        self._open: dict[str, Enumeration] = {}

    @property
    def open(self) -> int:
        """How many have not come to their end."""
        return len(self._open)

    def admit(self, user: str) -> None:
        """Refuse a user who has too many open."""
        if sum(one.user == user for one in self._open.values()) >= self.limit:
            raise refuse(
                Wsman.QUOTA_MAX_OPERATIONS,
                f"The maximum number of concurrent operations for this user is {self.limit}.",
            )

    def keep(self, enumeration: Enumeration, now: datetime) -> str:
        """Remember it for the next Pull; returns the new context."""
        context = new_message_id()
        enumeration.touched = now
        self._open[context] = enumeration
        return context

    def take(self, context: str, user: str) -> Enumeration:
        """The enumeration of a context, which is thereby used up."""
        found = self._open.get(context)
        if found is None or found.user != user:
            raise refuse(
                Wsman.INVALID_ENUMERATION_CONTEXT,
                "The enumeration context is unknown, used up, or has expired.",
            )
        return self._open.pop(context)

    def expire(self, now: datetime) -> None:
        """Drop what nobody pulled from for too long."""
        late = [key for key, one in self._open.items() if now - one.touched > self.idle]
        for key in late:
            del self._open[key]

"""Records of the classic System log that name a machine, read bounded and then only what is new.

Hyper-V writes most of what it has to tell into channels of its own, which WMI does not show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.errors import Fault, TimedOut, WireError
from tui.hyperv import clean
from tui.hyperv.sheet import Event
from tui.wsman.cim import CimInstance
from tui.wsman.schema import CIMV2

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

BACK = 3 * 86_400.0
"""Seconds of the past that are asked for: a host reads its log record by record."""
KEPT = 200
SKEW = 600.0
"""Seconds a host's clock may be behind ours without a record being missed."""
EVERY = 20.0
"""Seconds between two readings, at least."""
SHARE = 10
"""A reading that took long is repeated after so many times as long."""
AGAIN = 600.0
"""Seconds until a host that refused is asked again."""
SOURCES = (
    "SourceName LIKE 'Microsoft-Windows-Hyper-V-%' "
    "OR SourceName = 'Microsoft-Windows-FailoverClustering'"
)
_GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_COLUMNS = "RecordNumber, SourceName, EventCode, EventType, TimeGenerated, Message"


class Chronicle:
    """What the log says of one machine, as far as it has been read."""

    def __init__(self, vm_id: str) -> None:
        self.vm_id = vm_id
        self.refused = ""
        """Why the host does not tell; empty when it does."""
        self._known: dict[int, Event] = {}
        self._due = 0.0
        self._read_at = 0.0

    @property
    def events(self) -> tuple[Event, ...]:
        """Newest first."""
        return tuple(sorted(self._known.values(), key=_age))

    def read(self, client: CimClient, name: str, now: Callable[[], float]) -> None:
        """Ask for what is new, unless it is too early. A refusal costs only the events."""
        began = now()
        if began < self._due:
            return
        since = max(began - BACK, self._read_at - SKEW)
        try:
            rows = client.query(CIMV2, wql(self.vm_id, name, since))
        except (Fault, WireError, TimedOut) as error:
            self.refused, self._due = error.cause or error.title, began + AGAIN
            return
        self.refused, self._read_at = "", began
        self._due = now() + max(EVERY, SHARE * (now() - began))
        found = [join(row) for row in rows]
        self._take([event for event in found if speaks_of(event, self.vm_id, name)])

    def _take(self, events: list[Event]) -> None:
        everything = {**self._known, **{event.number: event for event in events}}
        newest = sorted(everything.values(), key=_age)[:KEPT]
        self._known = {event.number: event for event in newest}


def _age(event: Event) -> tuple[float, int]:
    return -event.at, -event.number


def wql(vm_id: str, name: str, since: float) -> str:
    """The query: one log, a time, sources and words that are the machine's own."""
    stamp = datetime.fromtimestamp(int(since), UTC).strftime("%Y%m%d%H%M%S.000000+000")
    words = " OR ".join(f"Message LIKE '%{_pattern(word)}%'" for word in (vm_id, name) if word)
    return (
        f"SELECT {_COLUMNS} FROM Win32_NTLogEvent WHERE Logfile = 'System' "
        f"AND TimeGenerated >= '{stamp}' AND ({SOURCES}) AND ({words})"
    )


def _pattern(word: str) -> str:
    """A word as LIKE takes it literally, in a WQL string."""
    literal = re.sub(r"[\[%_]", lambda found: f"[{found[0]}]", word)
    return literal.replace("\\", "\\\\").replace("'", "\\'")


def speaks_of(event: Event, vm_id: str, name: str) -> bool:
    """It names the machine: by GUID; or, where it names none, by its name and not part of one.

    Names repeat and are parts of other names.
    """
    if _GUID.search(event.message):
        return vm_id.casefold() in event.message.casefold()
    whole = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    return bool(name) and re.search(whole, event.message, re.IGNORECASE) is not None


def join(row: CimInstance) -> Event:
    """A record as the host tells it, made safe to draw."""
    return Event(
        number=clean.number(row.get("RecordNumber")),
        at=clean.moment(row.get("TimeGenerated")),
        level=clean.number(row.get("EventType")),
        source=clean.text(row.get("SourceName")),
        code=clean.number(row.get("EventCode")),
        message=clean.text(row.get("Message"), limit=clean.LONG),
    )

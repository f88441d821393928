"""Pure formatting: numbers, times and states to the words a person reads. Knows no screen.

Sizes count by 1024 and carry the units Windows writes (KB, MB, GB). Every state is glyph, word
and tone together, so that colour is never the only carrier.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from tui.hyperv.merging import Merge
from tui.hyperv.model import (
    Host,
    HostVitals,
    Job,
    Link,
    Nic,
    SwitchKind,
    Trouble,
    Vlan,
    VlanMode,
    VmVitals,
)

NONE: Final = ""
"""What stands where a value does not apply."""

_UNITS: Final = ("B", "KB", "MB", "GB", "TB", "PB", "EB")
_SPANS: Final = ((31_536_000, "y"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


class _Look:
    """How glyphs are drawn, and what time it is: set at start, read by every cell."""

    ascii = False
    clock: ClassVar[list[Callable[[], float]]] = [time.time]


def use_ascii(on: bool) -> None:
    """Draw every glyph of our own in ASCII (``--ascii``, or a terminal without UTF-8)."""
    _Look.ascii = on


def ascii_in_use() -> bool:
    return _Look.ascii


def use_clock(clock: Callable[[], float]) -> None:
    """Reckon ages by another clock: a recording has its own."""
    _Look.clock[:] = [clock]


def now() -> float:
    """Unix time, as far as what is shown is concerned."""
    return _Look.clock[0]()


def unknown() -> str:
    """What stands where a value applies and is not known."""
    return "-" if _Look.ascii else "–"  # noqa: RUF001


# -- numbers -------------------------------------------------------------------------------


def size(count: float | None) -> str:
    """``4.0 GB``, ``512 MB``: at most seven cells."""
    if count is None:
        return NONE
    value, unit = float(count), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = 1 if unit >= 3 and abs(value) < 99.95 else 0
    return f"{value:.{digits}f} {_UNITS[unit]}"


def rate(per_second: float | None) -> str:
    """Bytes per second, such as ``1.2 MB/s``."""
    if per_second is None:
        return NONE
    value, unit = float(per_second), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = 1 if unit and abs(value) < 9.95 else 0
    return f"{value:.{digits}f} {_UNITS[unit]}/s"


def bits(per_second: float | None) -> str:
    """A link speed counted by 1000, such as ``10 Gb/s``."""
    if not per_second:
        return NONE
    value, unit = float(per_second), 0
    while value >= 1000 and unit < 4:
        value, unit = value / 1000, unit + 1
    return f"{value:g} {('b', 'Kb', 'Mb', 'Gb', 'Tb')[unit]}/s"


def percent(value: float | None) -> str:
    """``7%``; small but not zero stays visible as ``<1%``."""
    if value is None:
        return NONE
    return "<1%" if 0 < value < 0.5 else f"{value:.0f}%"


def count(number: int | None) -> str:
    """A number that is silent when there is nothing to count."""
    return str(number) if number else NONE


# -- time ----------------------------------------------------------------------------------


def uptime(seconds: float | None) -> str:
    """The two largest units: ``3d 4h``, ``12m 5s``."""
    if seconds is None:
        return NONE
    rest = max(0, int(seconds))
    for position, (length, unit) in enumerate(_SPANS):
        if rest >= length:
            number, rest = divmod(rest, length)
            if unit == "s":
                return f"{number}s"
            length, lesser = _SPANS[position + 1]
            return f"{number}{unit} {rest // length}{lesser}"
    return "0s"


def age(seconds: float | None) -> str:
    """The largest unit alone: ``12s``, ``3d``."""
    if seconds is None:
        return NONE
    rest = max(0, int(seconds))
    for length, unit in _SPANS:
        if rest >= length:
            return f"{rest // length}{unit}"
    return "0s"


def since(moment: float | None, now: float) -> float | None:
    """Seconds from a Unix time to now; None when the moment is not known."""
    return max(0.0, now - moment) if moment else None


def clock(moment: float) -> str:
    """Local time of day, ``14:02:31``."""
    return datetime.fromtimestamp(moment).astimezone().strftime("%H:%M:%S") if moment else NONE


def day(moment: float) -> str:
    """Local date and time, ``2026-09-23 14:02``."""
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def latency(seconds: float | None) -> str:
    """Round trip, ``18 ms``."""
    if not seconds:
        return NONE
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


# -- states --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """How a state is shown: never by colour alone."""

    glyph: str
    plain: str
    """The glyph in ASCII."""
    word: str
    tone: str

    def __str__(self) -> str:
        return f"{self.plain if _Look.ascii else self.glyph} {self.word}"


TONES: Final = frozenset(
    {"running", "off", "saved", "paused", "changing", "critical", "unknown"}
    | {"ok", "warning", "error", "dim", "accent", "stale"}
)
"""Every tone a cell may carry; the UI owns what each looks like."""


def _steady(word: str, tone: str, glyph: str, plain: str) -> State:
    return State(glyph, plain, word, tone)


def _changing(word: str) -> State:
    return State("◌", "~", word, "changing")


def _critical(word: str) -> State:
    return State("▲", "!", f"{word}-crit", "critical")


VM_STATES: Final[Mapping[int, State]] = {
    0: _steady("Unknown", "unknown", "?", "?"),
    1: _steady("Other", "unknown", "?", "?"),
    2: _steady("Running", "running", "●", "*"),
    3: _steady("Off", "off", "○", "o"),
    4: _changing("Stopping"),
    6: _steady("Saved", "saved", "◐", "="),
    9: _steady("Paused", "paused", "‖", "|"),
    10: _changing("Starting"),
    11: _changing("Resetting"),
    32773: _changing("Saving"),
    32776: _changing("Pausing"),
    32777: _changing("Resuming"),
    32779: _steady("Fast saved", "saved", "◐", "="),
    32780: _changing("Fast saving"),
    32781: _changing("Forced off"),
    32782: _changing("Forced reboot"),
    32783: _steady("Hibernated", "saved", "◐", "="),
    32784: _changing("Servicing"),
    32785: _critical("Running"),
    32786: _critical("Off"),
    32787: _critical("Stopping"),
    32788: _critical("Saved"),
    32789: _critical("Paused"),
    32790: _critical("Starting"),
    32791: _critical("Resetting"),
    32792: _critical("Saving"),
    32793: _critical("Pausing"),
    32794: _critical("Resuming"),
    32795: _critical("Saved"),
    32796: _critical("Saving"),
}
"""Msvm_ComputerSystem.EnabledState as version 2 hosts give it (the critical numbers of the public
documentation are four too low)."""

CRITICAL: Final = range(32785, 32797)
CHANGING: Final = frozenset(n for n, state in VM_STATES.items() if state.tone == "changing")

ACTIVITIES: Final[Mapping[int, str]] = {
    32768: "Checkpointing",
    32769: "Applying ckpt",
    32770: "Deleting ckpt",
    32771: "Waiting",
    32772: "Merging disks",
    32773: "Exporting",
    32774: "Migrating",
}
"""The second OperationalStatus of a VM."""

HEARTBEATS: Final[Mapping[int, tuple[str, str]]] = {
    2: ("OK", "ok"),
    3: ("Degraded", "warning"),
    6: ("Error", "error"),
    12: ("No contact", "dim"),
    13: ("Lost", "error"),
}
REPLICATION: Final[Mapping[int, tuple[str, str]]] = {
    0: ("", ""),
    1: ("OK", "ok"),
    2: ("Warning", "warning"),
    3: ("Critical", "error"),
}
MERGING: Final[Mapping[Merge, tuple[str, str]]] = {
    Merge.NONE: ("", ""),
    Merge.RUNNING: ("running", "changing"),
    Merge.WAITING: ("waiting", "warning"),
    Merge.DISABLED: ("disabled", "warning"),
}
JOB_STATES: Final[Mapping[int, tuple[str, str]]] = {
    2: ("New", "dim"),
    3: ("Starting", "changing"),
    4: ("Running", "changing"),
    5: ("Suspended", "warning"),
    6: ("Ending", "changing"),
    7: ("Completed", "ok"),
    8: ("Terminated", "warning"),
    9: ("Killed", "warning"),
    10: ("Failed", "error"),
    11: ("Service", "dim"),
    32768: ("With warnings", "warning"),
}
CHECKPOINTS: Final[Mapping[str, str]] = {
    "standard": "std",
    "production": "prod",
    "recovery": "backup",
    "replica": "replica",
    "planned": "planned",
    "missing": "missing",
}
"""Kinds of checkpoint, short enough for a column."""
SWITCH_KINDS: Final[Mapping[SwitchKind, str]] = {
    SwitchKind.EXTERNAL: "External",
    SwitchKind.INTERNAL: "Internal",
    SwitchKind.PRIVATE: "Private",
    SwitchKind.NAT: "NAT",
}
START_ACTIONS: Final[Mapping[int, str]] = {2: "Nothing", 3: "If it ran before", 4: "Always"}
STOP_ACTIONS: Final[Mapping[int, str]] = {2: "Turn off", 3: "Save", 4: "Shut down"}

_TROUBLES: Final[Mapping[str, str]] = {
    "Unreachable": "Unreachable",
    "TlsRefused": "TLS refused",
    "AuthRejected": "Login refused",
    "TimedOut": "Timed out",
    "Dropped": "Connection lost",
    "WireError": "Bad answer",
    "Fault": "Refused",
    "Refused": "Withheld",
    "MethodFailed": "Failed",
    "JobFailed": "Job failed",
    "ConfigError": "Configuration",
}


def vm_state(number: int, other: str = "") -> State:
    """The state of a VM; numbers nobody documented stay visible as numbers."""
    known = VM_STATES.get(number)
    if known is None:
        return State("?", "?", f"State {number}", "unknown")
    if number == 1 and other:
        return State(known.glyph, known.plain, other, known.tone)
    return known


def vm_shown(vitals: VmVitals, pending: str = "") -> State:
    """The state as the table shows it: what was asked for, else what it is busy with."""
    state = vm_state(vitals.state, vitals.state_text)
    if pending:
        return State("◌", "~", pending, "changing")
    activity = ACTIVITIES.get(vitals.activity)
    if activity and state.tone != "critical":
        return State(state.glyph, state.plain, activity, "changing")
    return state


def heartbeat(number: int | None) -> tuple[str, str]:
    """Word and tone; nothing at all for a VM that does not run."""
    if number is None:
        return "", ""
    return HEARTBEATS.get(number, (f"Status {number}", "warning"))


def job_state(job: Job) -> tuple[str, str]:
    return JOB_STATES.get(job.state, (f"State {job.state}", "unknown"))


def host_state(vitals: HostVitals) -> State:
    """How we stand with a host; a host that is down says why in a word or two."""
    if vitals.link is Link.UP:
        return State("●", "*", "Up", "ok")
    if vitals.link is Link.SLOW:
        return State("◐", "=", "Slow", "warning")
    if vitals.link is Link.CONNECTING:
        return State("◌", "~", "Connecting", "changing")
    kind = vitals.trouble.kind if vitals.trouble else ""
    return State("▲", "!", _TROUBLES.get(kind, "Down"), "error")


def trouble(what: Trouble | None) -> str:
    """A failure on one line: title and cause, the hint left for the detail."""
    if what is None:
        return ""
    text = f"{what.title}: {what.cause}" if what.cause else what.title
    return " ".join(text.split())


def trouble_word(what: Trouble | None) -> str:
    return "" if what is None else _TROUBLES.get(what.kind, what.kind)


# -- nouns ---------------------------------------------------------------------------------


def operating_system(caption: str) -> str:
    """A Windows caption without the words every one of them has."""
    return caption.removeprefix("Microsoft ").strip()


def mac(address: str) -> str:
    """Twelve hex digits as Windows writes them, ``00-15-5D-01-02-03``."""
    if len(address) != 12:
        return address
    return "-".join(address[i : i + 2] for i in range(0, 12, 2)).upper()


def vlan(setting: Vlan) -> str:
    """``20``, ``trunk 10-12,20 (1)`` or ``private 5/7``; empty when untagged."""
    if setting.mode == VlanMode.ACCESS:
        return str(setting.id)
    if setting.mode == VlanMode.TRUNK:
        return f"trunk {ranges(setting.trunk)} ({setting.id})"
    if setting.mode == VlanMode.PRIVATE:
        return f"private {setting.id}/{setting.secondary}"
    return ""


def ranges(numbers: tuple[int, ...]) -> str:
    """``1-3,7`` for 1, 2, 3, 7."""
    parts: list[str] = []
    first = last = None
    for number in sorted(set(numbers)):
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None:
            parts.append(f"{first}-{last}" if last != first else f"{first}")
        first = last = number
    if first is not None:
        parts.append(f"{first}-{last}" if last != first else f"{first}")
    return ",".join(parts)


def addresses(nics: tuple[Nic, ...]) -> tuple[str, ...]:
    """Every IP address the guest reports, in the order of its adapters."""
    return tuple(address for nic in nics for address in nic.addresses)


def ip(nics: tuple[Nic, ...]) -> str:
    """The first address, and how many more there are."""
    found = addresses(nics)
    if not found:
        return ""
    return f"{found[0]} +{len(found) - 1}" if len(found) > 1 else found[0]


def tags(notes: str) -> tuple[str, ...]:
    """The ``#words`` in a VM's notes, without the sign."""
    if "#" not in notes:
        return ()
    words = (word.rstrip(".,;:") for word in notes.split() if word.startswith("#"))
    return tuple(word[1:] for word in words if len(word) > 1)


def first_line(notes: str) -> str:
    return notes.strip().split("\n", 1)[0].strip()


def host_memory(host: Host, vitals: HostVitals) -> float | None:
    """Share of a host's memory in use, percent."""
    if not host.memory or vitals.memory_free is None:
        return None
    return max(0.0, min(100.0, 100 * (host.memory - vitals.memory_free) / host.memory))


# -- width ---------------------------------------------------------------------------------


def width(text: str) -> int:
    """Terminal cells a text takes: two for wide East Asian characters, none for combining."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, cells: int) -> str:
    """Fit into so many cells, dropping the middle: what tells names apart is often their end."""
    if width(text) <= cells:
        return text
    mark = "~" if _Look.ascii else "…"
    if cells <= 1:
        return mark[:cells]
    tail = _take(text[::-1], (cells - 1) // 2)[::-1]
    return _take(text, cells - 1 - width(tail)) + mark + tail


def cut(text: str, cells: int) -> str:
    """Fit prose into so many cells, dropping its end."""
    if width(text) <= cells:
        return text
    mark = "~" if _Look.ascii else "…"
    return _take(text, cells - 1).rstrip() + mark if cells > 1 else mark[:cells]


def _take(text: str, cells: int) -> str:
    taken = 0
    for position, character in enumerate(text):
        taken += _cells(character)
        if taken > cells:
            return text[:position]
    return text


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """Exactly so many cells."""
    text = shorten(text, cells)
    space = " " * (cells - width(text))
    return space + text if right else text + space

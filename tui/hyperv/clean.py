"""The border where host values become ours: text made harmless, numbers made certain.

Display names, notes and error texts come from whoever may name a machine. They can hold
escape sequences, bidirectional overrides and line breaks that would forge what is on screen.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tui.wsman.cim import CimValue

SHORT = 256
LONG = 4096
_ELLIPSIS = "…"

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|[ -/]*[0-~]?)"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
"""CSI, OSC/DCS/SOS/PM/APC strings and two-character escapes, as ECMA-48 frames them."""
_HARMFUL = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x00AD,
    0x061C,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xD800, 0xE000),
    *range(0xE0000, 0xE0080),
)
"""Controls, invisible and direction-changing characters, lone surrogates, language tags."""
_SPACE = frozenset({0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029})
_ONE_LINE = {code: " " if code in _SPACE else None for code in _HARMFUL}
_KEEP_LINES = {**_ONE_LINE, 0x09: "    ", 0x0A: "\n"}
_TIDY = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u024f]*\Z")
"""What nearly every name is made of; nothing in it needs a closer look."""


def text(value: CimValue, *, limit: int = SHORT) -> str:
    """One line of text, safe to draw; empty for anything that is not text."""
    if not isinstance(value, str):
        return ""
    if not _TIDY.match(value):
        value = _ESCAPES.sub("", value).translate(_ONE_LINE)
    return _bounded(value.strip(), limit)


def lines(value: CimValue, *, limit: int = LONG) -> str:
    """Text that may have line breaks (notes)."""
    if not isinstance(value, str):
        return ""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    return _bounded(_ESCAPES.sub("", value).translate(_KEEP_LINES).strip(), limit)


def first(value: CimValue) -> CimValue:
    """The first element of an array; None when there is none."""
    if isinstance(value, tuple):
        return value[0] if value else None
    return value


def texts(value: CimValue) -> tuple[str, ...]:
    """Every non-empty text of an array."""
    if not isinstance(value, tuple):
        return ()
    return tuple(item for item in map(text, value) if item)


def number(value: CimValue, default: int = 0) -> int:
    """An integer; ``default`` for null or anything else."""
    return int(value) if isinstance(value, int | float) else default


def maybe(value: CimValue) -> int | None:
    """An integer, or None."""
    return int(value) if isinstance(value, int | float) else None


def truth(value: CimValue) -> bool | None:
    """A boolean, or None when the host does not say."""
    return value if isinstance(value, bool) else None


def moment(value: CimValue) -> float:
    """A timestamp as Unix time; 0 for null and for "never" (year 1601)."""
    return max(0.0, value.timestamp()) if isinstance(value, datetime) else 0.0


def seconds(value: CimValue) -> float:
    """An interval in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else 0.0


def _bounded(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1] + _ELLIPSIS

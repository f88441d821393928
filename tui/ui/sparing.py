"""The same picture in fewer bytes: attributes and colours are sent only where they change.

Rich ends every piece of text with a reset and begins the next one in full. Knows escape
sequences, not what they paint.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_SGR = re.compile(r"\x1b\[([\d;]*)m")
_MOVES = re.compile(r"(?:\x1b\[\d+;\d+H)*")
_RESET = "\x1b[0m"
_WIDE = {"2": 5, "5": 3}
"""Numbers of a colour that 38 or 48 begins, by its form."""


class _Pen(NamedTuple):
    """What a sequence asks for."""

    attributes: str
    ink: str
    ground: str


@lru_cache(maxsize=1024)
def _pen(codes: str) -> _Pen:
    numbers, attributes, ink, ground = codes.split(";"), [], "", ""
    while numbers:
        first = numbers[0]
        length = _WIDE.get(numbers[1], 1) if first in ("38", "48") and len(numbers) > 1 else 1
        said, numbers = ";".join(numbers[:length]), numbers[length:]
        code = int(first or 0)
        if code == 38 or 30 <= code <= 37 or 90 <= code <= 97:
            ink = said
        elif code == 48 or 40 <= code <= 47 or 100 <= code <= 107:
            ground = said
        elif code not in (39, 49):
            attributes.append(said)
    return _Pen(";".join(attributes), ink, ground)


@lru_cache(maxsize=1024)
def _change(was: str, now: str) -> str:
    """From one set of codes to another."""
    old, new = _pen(was), _pen(now)
    if old.attributes != new.attributes:
        return f"\x1b[0;{now}m"
    codes = []
    if old.ink != new.ink:
        codes.append(new.ink or "39")
    if old.ground != new.ground:
        codes.append(new.ground or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def sparing(painted: str) -> str:
    """What Rich painted, without repeating what is in force already."""
    told: list[str] = []
    in_force, over = "", False
    pieces = _SGR.split(painted)
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            if over and not _MOVES.fullmatch(piece):
                told.append(_RESET)
                in_force, over = "", False
            told.append(piece)
        elif piece in ("", "0"):
            over = bool(in_force)
        elif in_force:
            told.append(_change(in_force, piece))
            in_force, over = piece, False
        else:
            told.append(f"\x1b[{piece}m")
            in_force = piece
    if in_force:
        told.append(_RESET)
    return "".join(told)

"""Sparklines: a few values as one line of plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_SPARKS: Final = "▁▂▃▄▅▆▇█"
_ASCII_SPARKS: Final = "_.:-=+*#"


def sparkline(
    values: Sequence[float | None],
    width: int,
    ascii: bool = False,
    top: float | None = None,
    heights: int = 8,
) -> str:
    """The newest ``width`` values as bars of eight heights; a missing value is a blank.

    Of fewer ``heights`` the highest is left out, so that lines in a table do not touch.
    """
    if width <= 0:
        return ""
    shown = values[-width:]
    known = [value for value in shown if value is not None]
    ceiling = top if top is not None else max(known, default=0.0)
    ramp = _ASCII_SPARKS if ascii else _SPARKS
    return "".join(_spark(value, ceiling, ramp[:heights]) for value in shown).rjust(width)


def _spark(value: float | None, ceiling: float, ramp: str) -> str:
    if value is None:
        return " "
    if ceiling <= 0:
        return ramp[0]
    return ramp[min(len(ramp) - 1, max(0, int(value / ceiling * len(ramp))))]

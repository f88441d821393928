"""From what on a measurement deserves to be looked at, and from what on it hurts."""

from __future__ import annotations

from typing import Final

LATENCY: Final = (0.010, 0.020)
"""Seconds a disk takes for an operation."""
WAIT: Final = (0.0001, 0.001)
"""Seconds a virtual processor waits for a real one, each time it is dispatched."""
PRESSURE: Final = (80.0, 100.0)
"""Percent of its memory a machine wants."""
DROPS: Final = (0.05, 10.0)
"""Packets dropped per second."""


def tone(value: float | None, levels: tuple[float, float]) -> str:
    """The tone of a measurement; none below both levels."""
    if value is None or value < levels[0]:
        return ""
    return "error" if value >= levels[1] else "warning"

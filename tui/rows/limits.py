"""From what on a measurement deserves to be looked at, and from what on it hurts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LEVELS: Final[Mapping[str, tuple[float, float]]] = {
    "host_cpu": (80.0, 95.0),
    "host_memory": (80.0, 95.0),
    "vm_cpu": (80.0, 95.0),
    "memory_pressure": (80.0, 100.0),
    "disk_latency": (0.010, 0.020),
    "processor_wait": (0.0001, 0.001),
    "drops": (0.05, 10.0),
}
"""Percent for shares, seconds for what takes time, packets dropped per second."""


def tone(measure: str, value: float | None) -> str:
    """The tone of a measurement; none below both levels."""
    warning, critical = LEVELS[measure]
    if value is None or value < warning:
        return ""
    return "error" if value >= critical else "warning"

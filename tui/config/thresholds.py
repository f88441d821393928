"""From where on a measured value deserves a look, and from where on it is urgent."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["critical", "warning", "never"]
"""How bad a state is that has no measure."""
Unit: TypeAlias = Literal["%", "s", "/s"]

NEVER: Final = "never"
"""Stands in the file for a level that does not exist."""
WANTED: Final[Mapping[Unit, str]] = {
    "%": 'a percentage such as 80, or "never"',
    "/s": 'a number per second, or "never"',
    "s": 'a time such as "10ms", "2m" or "48h", or "never"',
}
_SPANS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_TIME: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)


class Level(msgspec.Struct, frozen=True):
    """The two levels of one measure: percent, seconds, or times a second."""

    warning: float | None
    critical: float | None = None
    """None: there is no such level."""
    unit: Unit = "%"
    falling: bool = False
    """Bad is what is little: a level is reached from above."""

    def reached(self, value: float) -> int:
        """0 neither, 1 the warning, 2 the critical level; a level itself is reached."""
        if self._beyond(value, self.critical):
            return 2
        return 1 if self._beyond(value, self.warning) else 0

    def _beyond(self, value: float, level: float | None) -> bool:
        if level is None:
            return False
        return value <= level if self.falling else value >= level


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """``[thresholds]``: for each measure ``warning`` and ``critical``, for each state how bad."""

    host_cpu: Level = Level(80.0, 95.0)
    """Load of a host's processors."""
    host_memory: Level = Level(80.0, 95.0)
    """A host's memory in use."""
    vm_cpu: Level = Level(80.0, 95.0)
    """Load of a machine's processors."""
    memory_demand: Level = Level(95.0, 100.0)
    """What a machine wants of the memory it is assigned; 83 % with the usual buffer of 20 %."""
    memory_pressure: Level = Level(80.0, 100.0)
    """What the machines of a host with dynamic memory want of what they have, on average."""
    memory_promised: Level = Level(100.0)
    """What the machines of a host may grow to of its memory."""
    mac_pool: Level = Level(90.0)
    """Addresses of a host's pool in use."""
    volume_free: Level = Level(10.0, 5.0, falling=True)
    """What is free of a volume."""
    time_to_full: Level = Level(48 * 3600.0, 12 * 3600.0, "s", falling=True)
    """Until a volume is full at the rate it fills."""
    disk_latency: Level = Level(0.010, 0.020, "s")
    """Of a virtual disk."""
    processor_wait: Level = Level(0.0001, 0.001, "s")
    """How long a virtual processor waits for a real one, each time."""
    drops: Level = Level(0.05, 10.0, "/s")
    """Packets an adapter drops."""
    transition: Level = Level(120.0, 600.0, "s")
    """In a passing state such as Stopping."""
    checkpoint_age: Level = Level(3 * 86_400.0, unit="s")
    """Of the oldest checkpoint of a machine."""
    backup_checkpoint: Level = Level(86_400.0, unit="s")
    """Of a checkpoint a backup made, and should have taken away."""
    clock_skew: Level = Level(60.0, 240.0, "s")
    """Between a host's clock and ours, either way; Kerberos refuses from 300 s."""
    data_age: Level = Level(15.0, 60.0, "s")
    """Of the oldest data on the screen."""
    heartbeat_lost: Severity = "critical"
    """A guest that had contact is silent."""
    replication_warning: Severity = "warning"
    """Replication whose health is Warning."""
    replication_critical: Severity = "critical"
    """Replication whose health is Critical."""
    smart_paging: Severity = "critical"
    """A machine that runs out of a smart paging file."""


def level_of(value: Any, unit: Unit) -> float | None:
    """What the file says a level is. Raises ValueError for anything else."""
    if value == NEVER:
        return None
    if unit != "s":
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1.0
        if not (math.isfinite(number) and number >= 0):
            raise ValueError(WANTED[unit])
        return float(number)
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(WANTED[unit])
    seconds = float(found[1]) * _SPANS[found[2]]
    if not math.isfinite(seconds):
        raise ValueError(WANTED[unit])
    return seconds


def as_written(value: float | None, unit: Unit) -> str | float:
    """A level as the file has it."""
    if value is None:
        return NEVER
    if unit != "s":
        return value
    for name in ("d", "h", "m", "s"):
        count = value / _SPANS[name]
        if count >= 2 and count == int(count):
            return f"{count:.0f}{name}"
    number, name = (value, "s") if value >= 1 else (value * 1000, "ms")
    return f"{number:.3f}".rstrip("0").rstrip(".") + name

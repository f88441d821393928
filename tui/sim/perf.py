"""Performance classes: cumulative counters of ``counters`` as raw and as formatted instances.

Raw rows carry the timestamps of the moment they were read and ``_Base`` columns where the counter
type wants one (hyperv-cim.md 13.2). Times are in units of 100 ns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.sim.counters import EPOCH, MAKERS, TICKS, Row
from tui.wsman.cim import CimInstance, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

__all__ = ["MAKERS", "formatted", "raw"]

WINDOW = 4.0
"""Seconds over which formatted classes reckon their rates."""


def _unique(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Instances of one name get ``#1``, ``#2`` behind it."""
    seen: dict[str, int] = {}
    for row in rows:
        key = row.name.lower()
        again = seen.get(key, 0)
        seen[key] = again + 1
        yield (f"{row.name}#{again}" if again else row.name), row


def raw(host: SimHost, word: str) -> Iterator[CimInstance]:
    """Rows of a Win32_PerfRawData class."""
    now = host.fabric.now()
    for name, row in _unique(MAKERS[word](host, now)):
        at = row.at or now
        ticks = int((at + EPOCH) * TICKS)
        values: dict[str, CimValue] = {
            "Name": name or None,
            "Timestamp_PerfTime": int(at * TICKS),
            "Timestamp_Sys100NS": ticks,
            "Timestamp_Object": ticks,
            "Frequency_PerfTime": TICKS,
            "Frequency_Sys100NS": TICKS,
            "Frequency_Object": TICKS,
        }
        for key, number in (*row.rates.items(), *row.gauges.items()):
            values[key] = int(number)
        for key, number in row.shares.items():
            values[key] = int(number)
            if row.based:
                values[key + "_Base"] = int(row.base)
        for key, number in (row.averages or {}).items():
            values[key] = int(number) % (1 << 32)
            values[key + "_Base"] = int(row.operations) % (1 << 32)
        yield shapes.counters(f"Win32_PerfRawData_{word}", values)


def formatted(host: SimHost, word: str) -> Iterator[CimInstance]:
    """Rows of a Win32_PerfFormattedData class: rates over the last seconds."""
    now = host.fabric.now()
    before = dict(_unique(MAKERS[word](host, now - WINDOW)))
    for name, row in _unique(MAKERS[word](host, now)):
        values: dict[str, CimValue] = {"Name": name or None}
        values |= {key: int(number) for key, number in row.gauges.items()}
        old = before.get(name, row)
        for key, number in row.rates.items():
            values[key] = max(0, int((number - old.rates.get(key, number)) / WINDOW))
        for key, number in row.shares.items():
            passed = (row.base - old.base) if row.based else WINDOW * TICKS
            share = 100.0 * (number - old.shares.get(key, number)) / passed if passed > 0 else 0.0
            values[key] = max(0, int(share))
        for key, number in (row.averages or {}).items():
            done = row.operations - old.operations
            values[key] = int((number - (old.averages or {}).get(key, 0.0)) / done) if done else 0
        yield shapes.counters(f"Win32_PerfFormattedData_{word}", values)

"""Top: what machines, hosts and their parts use now, at most, and how that went, as columns.

What is used now is read off the row; peaks and lines come from the history of a store, so these
columns belong to one store and one span of time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Final, NamedTuple

from tui.rows import levels, text
from tui.rows.amounts import added
from tui.rows.column import Cell, Column, find
from tui.rows.columns import HOST_COLUMNS, VM_COLUMNS
from tui.rows.spark import sparkline
from tui.store import Metric, Store

CELLS: Final = 8
"""Cells of a line."""
HEIGHTS: Final = 7
"""Of a line: a full cell would touch the row above."""
WINDOWS: Final = (60.0, 300.0, 900.0, 3600.0)
USUAL: Final = 300.0
_QUIET: Final = 10 * 1024.0
"""Bytes per second that fill a line at least: a whisper is not drawn as a storm."""


def _one(_row: Any) -> float:
    return 1.0


def _itself(row: Any) -> tuple[str, ...]:
    return (row.key,)


def _of_host(row: Any) -> float:
    """Makes a share in percent of a host's bytes."""
    return 100.0 / row.host.memory if row.host.memory else 0.0


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is used, and how much of it is told."""

    id: str
    """Of the column that shows it now."""
    short: str
    metrics: tuple[int, ...]
    """What is added up."""
    words: Callable[[float | None], str]
    width: int
    """Of its peak."""
    ranks: tuple[int, int, int]
    """Priority of what is now, of its peak and of its line."""
    top: float = 0.0
    """A full line; 0: the highest in it."""
    least: float = 0.0
    """What a full line is at least."""
    factor: Callable[[Any], float] = _one
    """From the history of a row to what is shown."""
    level: str = ""
    """What it is called among the levels; empty where it has none."""
    keys: Callable[[Any], Sequence[str]] = _itself
    """Of the histories it is in; the peak is that of the first."""


FLOWS: Final = (1, 4, 2)
"""Ranks of what is seen beside something more telling."""
CPU: Final = Measure("cpu", "CPU", (Metric.CPU,), text.percent, 8, (0, 3, 1), 100.0, level="vm_cpu")
HOST_CPU: Final = replace(CPU, level="host_cpu")
NET: Final = Measure(
    "net", "Net", (Metric.NET_IN, Metric.NET_OUT), text.rate, 9, FLOWS, least=_QUIET
)
DISK: Final = Measure(
    "disk", "Disk", (Metric.DISK_READ, Metric.DISK_WRITE), text.rate, 9, FLOWS, least=_QUIET
)
ASSIGNED: Final = Measure("memory", "Mem", (Metric.MEMORY,), text.size, 8, (1, 5, 6))
IN_USE: Final = Measure(
    "memory",
    "Mem",
    (Metric.MEMORY,),
    text.percent,
    8,
    (1, 5, 6),
    100.0,
    factor=_of_host,
    level="host_memory",
)
VM_MEASURES: Final = (CPU, ASSIGNED, NET, DISK)
HOST_MEASURES: Final = (HOST_CPU, IN_USE, NET, DISK)


class _Peak(NamedTuple):
    """The highest value of a row so far."""

    until: float
    """When it was looked for."""
    seen: float
    """Of what it was told then, the newest."""
    value: float | None


class Span:
    """A stretch of time that ends with the newest reading, and what was highest in it."""

    def __init__(self, store: Store, seconds: float = USUAL) -> None:
        self.store = store
        self.seconds = seconds
        self.until = 0.0
        """Unix time of the newest reading of any host."""
        self._peaks: dict[tuple[str, str], _Peak] = {}
        self.renew()

    @property
    def edge(self) -> float:
        """Where it ends. It moves a whole cell at a time, so that what is over stands still."""
        step = self.seconds / CELLS
        return ceil(self.until / step) * step

    def renew(self) -> bool:
        """Move on to the newest reading; whether lines have moved by a cell."""
        newest = max((entry.read_at for entry in self.store.hosts.values()), default=0.0)
        if newest == self.until:
            return False
        before = self.edge
        if newest < self.until:  # the clock was set back: what was highest is no part of it now
            self._peaks.clear()
        self.until = newest
        if self.edge == before:
            return False
        self._peaks.clear()
        return True

    def resize(self, seconds: float) -> None:
        """Another stretch of time."""
        self.seconds = seconds
        self._peaks.clear()

    def peak(self, row: Any, measure: Measure) -> float | None:
        """The highest value of a row. Of what was looked through before, only the end is again."""
        key, start = (row.key, measure.id), self.edge - self.seconds
        known = self._peaks.get(key)
        if known is None or known.until < self.until:
            history = self.store.history(measure.keys(row)[0])
            since = start if known is None else max(start, known.seen)
            found = history.highest(measure.metrics, since, self.until)
            higher = [] if known is None or known.value is None else [known.value]
            higher += [] if found is None else [found * measure.factor(row)]
            known = self._peaks[key] = _Peak(self.until, history.newest, max(higher, default=None))
        return known.value

    def line(self, row: Any, measure: Measure) -> list[float | None]:
        """Means over equal parts of the stretch."""
        edge, factor = self.edge, measure.factor(row)
        lines = [
            self.store.history(key).sums(measure.metrics, edge - self.seconds, edge, CELLS)
            for key in measure.keys(row)
        ]
        values = [added(*parts) for parts in zip(*lines, strict=True)] if lines else []
        return [None if value is None else value * factor for value in values]


def window_words(seconds: float) -> str:
    """``5 min``, ``1 hour``."""
    return "1 hour" if seconds == 3600.0 else f"{seconds / 60:.0f} min"


# -- columns -------------------------------------------------------------------------------


def _peak(measure: Measure, span: Span, now: Column[Any], priority: int) -> Column[Any]:
    """Never below what is now, which the history keeps less exactly."""

    def value(row: Any) -> float | None:
        known = [found for found in (now.value(row), span.peak(row, measure)) if found is not None]
        return max(known, default=None)

    def cell(row: Any) -> Cell:
        peak = value(row)
        tone = levels.tone(measure.level, peak) if measure.level else ""
        return Cell(measure.words(peak), tone)

    title = f"{measure.short} peak"
    return Column(f"{measure.id}_peak", title, value, cell, measure.width, right=True,
                  priority=priority)  # fmt: skip


def line_column(measure: Measure, span: Span, now: Column[Any], priority: int) -> Column[Any]:
    """Drawn from the past, sorted by what is now."""

    def cell(row: Any) -> Cell:
        values = span.line(row, measure)
        known = [value for value in values if value is not None]
        top = measure.top or max([measure.least, *known])
        return Cell(sparkline(values, CELLS, text.ascii_in_use(), top, HEIGHTS), "accent-bar")

    title = f"{measure.short} {span.seconds / 60:.0f}m"
    return Column(f"{measure.id}_line", title, now.value, cell, CELLS, right=True,
                  priority=priority)  # fmt: skip


def ranked(
    span: Span, known: Sequence[Column[Any]], measures: Sequence[Measure], *, lines: bool
) -> list[Column[Any]]:
    """Now, peak and line of every measure."""
    found: list[Column[Any]] = []
    for measure in measures:
        first, second, third = measure.ranks
        now = replace(find(known, measure.id), priority=first)
        found.append(now)
        if measure is ASSIGNED:
            found.append(replace(find(known, "demand"), priority=5))
        found.append(_peak(measure, span, now, second))
        if lines:
            found.append(line_column(measure, span, now, third))
    return found


def vm_columns(span: Span, *, lines: bool = True) -> list[Column[Any]]:
    """Of machines; ``lines``: with those, else figures alone."""
    name, host, state = (find(VM_COLUMNS, column) for column in ("name", "host", "state"))
    head = [replace(name, width=20), replace(host, priority=3), replace(state, priority=7)]
    return head + ranked(span, VM_COLUMNS, VM_MEASURES, lines=lines)


def host_columns(span: Span, *, lines: bool = True) -> list[Column[Any]]:
    """Of hosts."""
    name, state, vms = (find(HOST_COLUMNS, column) for column in ("name", "state", "vms"))
    head = [replace(name, width=16), replace(state, priority=4), replace(vms, priority=3)]
    shares = {"cpu", "memory"}
    return head + [
        replace(column, width=7, minimum=6) if column.id in shares else column
        for column in ranked(span, HOST_COLUMNS, HOST_MEASURES, lines=lines)
    ]

"""TABLE: what top ranks: machines, hosts, images, adapters, uplinks, volumes; how each is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tui.actions import Kind
from tui.hyperv.meters import Look
from tui.rows import levels, meters, text
from tui.rows.amounts import brief, often
from tui.rows.column import Cell, Column, find
from tui.rows.storage import host_pressure, memory_of
from tui.rows.top import (
    FLOWS,
    Measure,
    Span,
    host_columns,
    ranked,
    vm_columns,
)
from tui.store import (
    MICRO,
    AdapterMetric,
    Changes,
    Delta,
    DiskMetric,
    HostRow,
    MachineMetric,
    Store,
    VmRow,
)
from tui.store.measured import machine_history


def _micro(_row: Any) -> float:
    """Histories keep microseconds."""
    return MICRO


_FIRST: Final = (0, 3, 1)
_LATER: Final = (2, 6, 5)
IOPS: Final = Measure(
    "iops", "IOPS", (DiskMetric.READS, DiskMetric.WRITES), often, 9, _FIRST, least=10.0
)
RATE: Final = Measure(
    "rate", "Rate", (DiskMetric.READ, DiskMetric.WRITE), text.rate, 9, FLOWS, least=10 * 1024.0
)
LATENCY: Final = Measure(
    "latency", "Lat", (DiskMetric.LATENCY,), brief, 8, (1, 5, 4),
    least=0.010, factor=_micro, level="disk_latency",
)  # fmt: skip
QUEUE: Final = Measure("queue", "Queue", (DiskMetric.QUEUE,), often, 10, (5, 7, 7), least=1.0)
IN: Final = Measure("in", "In", (AdapterMetric.NET_IN,), text.rate, 9, _FIRST, least=10 * 1024.0)
OUT: Final = Measure("out", "Out", (AdapterMetric.NET_OUT,), text.rate, 9, FLOWS, least=10 * 1024.0)
PACKETS: Final = Measure(
    "packets", "Pkt", (AdapterMetric.PACKETS_IN, AdapterMetric.PACKETS_OUT), often, 8, _LATER,
    least=10.0,
)  # fmt: skip
DROPS: Final = Measure(
    "drops", "Drop", (AdapterMetric.DROPS_IN, AdapterMetric.DROPS_OUT), often, 9, FLOWS,
    least=1.0, level="drops",
)  # fmt: skip
FLOW_MEASURES: Final = (IOPS, RATE, LATENCY, QUEUE)
TRAFFIC_MEASURES: Final = (IN, OUT, PACKETS, DROPS)


def _of_machine(row: VmRow) -> tuple[str, ...]:
    return (machine_history(row.vm.id),)


WAIT: Final = Measure(
    "wait", "Wait", (MachineMetric.WAIT,), brief, 9, FLOWS,
    least=0.0001, factor=_micro, level="processor_wait", keys=_of_machine,
)  # fmt: skip
PRESSURE: Final = Measure(
    "pressure", "Press", (MachineMetric.PRESSURE,), text.percent, 10, FLOWS,
    least=100.0, level="memory_demand", keys=_of_machine,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranking:
    """One table of top."""

    id: str
    title: str
    """Of its tab."""
    noun: str
    kind: str
    """Vocabulary of the filter grammar."""
    about: Kind
    """What actions see in its rows."""
    columns: Callable[[Span, bool], Sequence[Column[Any]]]
    """All there are; the flag: with lines, else figures alone."""
    rows: Callable[[Store], Mapping[str, Any]]
    delta: Callable[[Changes], Delta]
    sort: str
    look: Look | None = None
    """What must be measured for its rows to be there."""
    optional: Mapping[str, Look] = field(default_factory=dict)
    """Columns shown only when chosen, and what must be measured for them."""

    def looks(self, shown: Iterable[str]) -> tuple[Look, ...]:
        """What must be measured for these columns."""
        wanted = {self.optional[id] for id in shown if id in self.optional}
        return tuple(sorted(wanted | ({self.look} if self.look is not None else set())))

    def usual(self, columns: Sequence[Column[Any]]) -> tuple[str, ...]:
        """Those shown unless chosen otherwise."""
        left_out = HIDDEN | self.optional.keys()
        return tuple(column.id for column in columns if column.id not in left_out)


# -- machines and hosts --------------------------------------------------------------------


def _measured(
    span: Span, look: Look, get: Callable[[Any], float | None],
    words: Callable[[float | None], str], level: str,
) -> Callable[[Any], Cell]:  # fmt: skip
    """The cell of what is measured apart: ``n/a`` where the host refuses to."""

    def cell(row: Any) -> Cell:
        value = get(row)
        if value is not None:
            return Cell(words(value), levels.tone(level, value))
        if row.host.id in span.store.measured.refused(look):
            return Cell("n/a", "dim")
        return Cell("" if span.store.measured.looked_at(row.host.id, look) else text.unknown(),
                    "dim")  # fmt: skip

    return cell


def _host_pressure(store: Store) -> Callable[[HostRow], float | None]:
    def value(row: HostRow) -> float | None:
        entry = store.hosts.get(row.host.id)
        if entry is None or row.pressure is not None:
            return row.pressure
        return host_pressure(row, memory_of(store.fleet.rows_of(entry)))

    return value


def _balancing(row: HostRow) -> float | None:
    return row.balancing


def _machines(span: Span, lines: bool) -> list[Column[Any]]:
    wait = _measured(span, Look.PROCESSORS, meters.wait, brief, "processor_wait")
    pressure = _measured(span, Look.MEMORY, meters.pressure, text.percent, "memory_demand")
    more: list[Column[Any]] = [
        Column("wait", "CPU wait", meters.wait, wait, 8, right=True),
        Column("pressure", "Pressure", meters.pressure, pressure, 8, right=True),
    ]
    return [*vm_columns(span, lines=lines), *ranked(span, more, (WAIT, PRESSURE), lines=lines)]


def _hosts(span: Span, lines: bool) -> list[Column[Any]]:
    share = _host_pressure(span.store)
    pressure = _measured(span, Look.MEMORY, share, text.percent, "memory_pressure")
    return [
        *host_columns(span, lines=lines),
        Column("pressure", "Pressure", share, pressure, 8, right=True, priority=2),
        Column("balancing", "Can give", _balancing,
               lambda row: Cell(text.size(_balancing(row))), 8, right=True, priority=3),
    ]  # fmt: skip


# -- what is measured apart ----------------------------------------------------------------


def _apart(
    known: Sequence[Column[Any]], head: Sequence[str], tail: Sequence[str],
    measures: Sequence[Measure],
) -> Callable[[Span, bool], list[Column[Any]]]:  # fmt: skip
    """Columns of a table: what it is, what it does now, at most and as a line, and the rest."""

    def columns(span: Span, lines: bool) -> list[Column[Any]]:
        first, last = ([find(known, one) for one in ids] for ids in (head, tail))
        return [*first, *ranked(span, known, measures, lines=lines), *last]

    return columns


_MORE: Final = ("reads", "writes", "read", "write")
RANKINGS: Final[Mapping[str, Ranking]] = {
    ranking.id: ranking
    for ranking in (
        Ranking("vms", "Virtual machines", "virtual machines", "vm", Kind.VM, _machines,
                lambda store: store.vms, lambda changes: changes.vms, "cpu",
                optional={"wait": Look.PROCESSORS, "wait_peak": Look.PROCESSORS,
                          "wait_line": Look.PROCESSORS, "pressure": Look.MEMORY,
                          "pressure_peak": Look.MEMORY, "pressure_line": Look.MEMORY}),
        Ranking("hosts", "Hosts", "hosts", "host", Kind.HOST, _hosts,
                lambda store: store.host_rows, lambda changes: changes.hosts, "cpu",
                optional={"pressure": Look.MEMORY, "balancing": Look.MEMORY}),
        Ranking("disks", "Disks", "disks", "disk", Kind.VM,
                _apart(meters.DISK_COLUMNS, ("name", "vm", "host", "volume"), (*_MORE, "path"),
                       FLOW_MEASURES),
                lambda store: store.measured.disks, lambda changes: changes.disks, "iops",
                Look.DISKS),
        Ranking("adapters", "Adapters", "adapters", "adapter", Kind.VM,
                _apart(meters.ADAPTER_COLUMNS, ("name", "vm", "host"), ("switch",),
                       TRAFFIC_MEASURES),
                lambda store: store.measured.adapters, lambda changes: changes.adapters, "in",
                Look.ADAPTERS),
        Ranking("uplinks", "Uplinks", "physical adapters", "uplink", Kind.HOST,
                _apart(meters.UPLINK_COLUMNS, ("name", "host", "speed"), (), TRAFFIC_MEASURES),
                lambda store: store.measured.uplinks, lambda changes: changes.uplinks, "in",
                Look.UPLINKS),
        Ranking("volumes", "Volumes", "volumes", "volume", Kind.HOST,
                _apart(meters.VOLUME_COLUMNS, ("name", "host", "free"), (*_MORE, "shared"),
                       FLOW_MEASURES),
                lambda store: store.measured.volumes, lambda changes: changes.host_volumes, "iops",
                Look.VOLUMES),
    )
}  # fmt: skip
HIDDEN: Final = frozenset((*_MORE, "path", "shared"))
"""Columns of what is measured apart that are shown only when chosen."""

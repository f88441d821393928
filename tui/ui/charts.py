"""TABLE: which graphs each kind of thing has: their lines, units, edges and where their past is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tui.rows.meters import called, capacity
from tui.rows.ranking import DROPS, IOPS, LATENCY, PACKETS, QUEUE, RATE
from tui.store import (
    MICRO,
    AdapterMetric,
    AdapterRow,
    DiskMetric,
    DiskRow,
    Growth,
    HostRow,
    HostVolumeRow,
    MeterRow,
    Metric,
    NodeRow,
    RoleRow,
    Store,
    UplinkRow,
    VmRow,
)
from tui.store.space import space_key
from tui.ui.graph import Series, Unit

NOT_TOLD: Final = "n/a on this host"
_RATES: Final = 4
"""So many values of a measured thing are rates: from the second reading on they are told."""

Plotted = VmRow | HostRow | DiskRow | HostVolumeRow | AdapterRow | UplinkRow


class Past(Protocol):
    """Where the values of a line come from, whenever it is drawn."""

    def points(self, since: float, until: float, buckets: int) -> list[float | None]: ...

    def peak(self, since: float, until: float) -> float | None: ...


class MetricPast:
    """One metric of the history of a row."""

    def __init__(self, store: Store, row: Any, metric: int) -> None:
        self._store, self._key, self._metric = store, row.key, metric

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        return self._store.history(self._key).points(self._metric, since, until, buckets)

    def peak(self, since: float, until: float) -> float | None:
        return self._store.history(self._key).peak(self._metric, since, until)


class TimePast(MetricPast):
    """One that is kept in microseconds, in seconds."""

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        kept = super().points(since, until, buckets)
        return [None if value is None else value * MICRO for value in kept]

    def peak(self, since: float, until: float) -> float | None:
        kept = super().peak(since, until)
        return None if kept is None else kept * MICRO


class SpacePast:
    """What is used of a volume."""

    def __init__(self, store: Store, row: HostVolumeRow, _metric: int) -> None:
        self._store, self._row = store, row

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        return _growth(self._store, self._row).points(since, until, buckets)

    def peak(self, since: float, until: float) -> float | None:
        return _growth(self._store, self._row).highest(since, until)


def _growth(store: Store, row: HostVolumeRow) -> Growth:
    return store.space.growth(space_key(row.host, row.meter.name))


def _grows(store: Store, row: HostVolumeRow) -> bool:
    return len(_growth(store, row)) > 0


def _always(_store: Store, _row: Any) -> bool:
    return True


def _open(_row: Any) -> float | None:
    return None


@dataclass(frozen=True, slots=True)
class Chart:
    """One graph of a thing."""

    title: str
    unit: Unit
    lines: tuple[tuple[str, int], ...]
    """Name of each line, and its metric."""
    least: float = 0.0
    """What the upper edge is at least; 0: as the unit has it."""
    top: Callable[[Any], float | None] = _open
    """The upper edge where it is fixed."""
    past: Callable[[Store, Any, int], Past] = MetricPast
    there: Callable[[Store, Any], bool] = _always
    """Whether a thing has it."""
    none: str = ""
    """Why nothing of it is read, should its host tell the rates of a thing, but not this."""

    def series(self, store: Store, row: Any) -> list[Series]:
        """Its lines of one row."""
        made = [(name, self.past(store, row, metric)) for name, metric in self.lines]
        return [Series(name, past, peak=past.peak) for name, past in made]

    def why_none(self, store: Store, row: Any) -> str:
        """Why nothing of it may be read; empty where that is not known."""
        if not isinstance(row, MeterRow) or not self.none:
            return ""
        look = store.measured.look(row.key)
        if look is not None and row.host.id in store.measured.refused(look):
            return NOT_TOLD
        values = store.measured.values(row)
        told = any(value is not None for value in values[:_RATES])
        return self.none if told and all(values[at] is None for _, at in self.lines) else ""


# -- the upper edge ------------------------------------------------------------------------


def _whole(_row: Any) -> float:
    return 100.0


def _memory_of_host(row: HostRow) -> float | None:
    """All there is."""
    return float(row.host.memory) or None


def _memory_of_vm(row: VmRow) -> float | None:
    """All it may have, unless next to nothing of that is used."""
    used = float(row.vitals.memory or 0)
    top = (used or float(row.vm.memory_startup)) * 1.1
    if row.vm.dynamic_memory:
        top = max(top, float(row.vm.memory_maximum))
    return None if not top or (used and top > used * 4) else top


# -- the table -----------------------------------------------------------------------------


def _base(memory: Callable[[Any], float | None]) -> tuple[Chart, ...]:
    return (
        Chart("CPU", Unit.PERCENT, (("", Metric.CPU),), top=_whole),
        Chart("Memory", Unit.BYTES, (("", Metric.MEMORY),), top=memory),
        Chart("Network", Unit.RATE, (("in", Metric.NET_IN), ("out", Metric.NET_OUT))),
        Chart("Disk", Unit.RATE, (("read", Metric.DISK_READ), ("write", Metric.DISK_WRITE))),
    )


_FLOW: Final = (
    Chart("IOPS", Unit.OFTEN, (("read", DiskMetric.READS), ("write", DiskMetric.WRITES)),
          IOPS.least, none=NOT_TOLD),
    Chart("Throughput", Unit.RATE, (("read", DiskMetric.READ), ("write", DiskMetric.WRITE)),
          RATE.least, none=NOT_TOLD),
    # Without an operation there is no latency, which is not the host's fault.
    Chart("Latency", Unit.TIME, (("", DiskMetric.LATENCY),), LATENCY.least,
          past=TimePast, none="no readings"),
    Chart("Queue", Unit.OFTEN, (("", DiskMetric.QUEUE),), QUEUE.least, none=NOT_TOLD),
)  # fmt: skip
_TRAFFIC: Final = (
    Chart("In", Unit.RATE, (("", AdapterMetric.NET_IN),), none=NOT_TOLD),
    Chart("Out", Unit.RATE, (("", AdapterMetric.NET_OUT),), none=NOT_TOLD),
    Chart("Packets/s", Unit.OFTEN,
          (("in", AdapterMetric.PACKETS_IN), ("out", AdapterMetric.PACKETS_OUT)),
          PACKETS.least, none=NOT_TOLD),
    Chart("Drops/s", Unit.OFTEN,
          (("in", AdapterMetric.DROPS_IN), ("out", AdapterMetric.DROPS_OUT)),
          DROPS.least, none=NOT_TOLD),
)  # fmt: skip
_USED: Final = Chart(
    "Used", Unit.BYTES, (("", 0),), top=capacity, past=SpacePast, there=_grows
)  # fmt: skip
CHARTS: Final[Mapping[type, tuple[Chart, ...]]] = {
    VmRow: _base(_memory_of_vm),
    HostRow: _base(_memory_of_host),
    DiskRow: _FLOW,
    HostVolumeRow: (*_FLOW, _USED),
    AdapterRow: _TRAFFIC,
    UplinkRow: _TRAFFIC,
}
USUAL: Final = CHARTS[VmRow]
"""Before anything is selected."""
MOST: Final = max(map(len, CHARTS.values()))


def charts_of(store: Store, row: Plotted) -> tuple[Chart, ...]:
    """The graphs a thing has."""
    return tuple(chart for chart in CHARTS[type(row)] if chart.there(store, row))


def plotted(store: Store, key: str | None) -> Plotted | None:
    """What graphs show of a key: a role by its machine, a node as a host; None for switches, jobs
    and groups, of which nothing is measured, and for what is gone.
    """
    row: Any = (store.measured.row(key) or store.row(key)) if key else None
    if isinstance(row, RoleRow | NodeRow):
        row = row.machine if isinstance(row, RoleRow) else row.own
    if isinstance(row, HostRow) and row.group:
        return None
    return row if isinstance(row, Plotted) else None


def name_of(row: Plotted) -> str:
    """What it is called above its graphs."""
    return row.name if isinstance(row, VmRow | HostRow) else called(row)

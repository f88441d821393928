"""Live graphs of whatever is selected: processor, memory, network, storage."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from tui.store import HostRow, Metric, NodeRow, RoleRow, Store, VmRow
from tui.ui.graph import Graph, Series, Unit
from tui.ui.style import Glyphs

WINDOWS = (60.0, 300.0, 900.0, 1800.0, 3600.0)
_TITLES = {"cpu": "CPU", "memory": "Memory", "network": "Network", "storage": "Disk"}


class MetricView:
    """One metric of one thing, read from the store whenever it is drawn."""

    def __init__(self, store: Store, key: str, metric: Metric) -> None:
        self._store, self._key, self._metric = store, key, metric

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        return self._store.history(self._key).points(self._metric, since, until, buckets)

    def peak(self, since: float, until: float) -> float | None:
        return self._store.history(self._key).peak(self._metric, since, until)


class GraphsPane(Container, can_focus=True):
    """Four graphs over one span of time."""

    DEFAULT_CLASSES = "pane graphs"

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id="graphs")
        self._store = store
        self._glyphs = glyphs
        self._key: str | None = None
        self._window = 1
        self._graphs = {
            "cpu": Graph("CPU", Unit.PERCENT, top=100.0, glyphs=glyphs),
            "memory": Graph("Memory", Unit.BYTES, glyphs=glyphs),
            "network": Graph("Network", Unit.RATE, glyphs=glyphs),
            "storage": Graph("Disk", Unit.RATE, glyphs=glyphs),
        }

    def compose(self) -> ComposeResult:
        yield from self._graphs.values()

    def on_mount(self) -> None:
        self._retitle("")

    def jumped(self) -> None:
        """The store stands for another moment: scales belong to what was shown before."""
        self._key = None

    def show(self, key: str | None, now: float) -> None:
        """Draw another thing; switches, jobs and groups have no measurements. A role is measured
        by its machine, a node as a host.
        """
        row: object = self._store.row(key) if key else None
        if isinstance(row, RoleRow | NodeRow):
            row = row.machine if isinstance(row, RoleRow) else row.own
        if not isinstance(row, VmRow | HostRow) or (isinstance(row, HostRow) and row.group):
            return
        if row.key != self._key:
            self._key = row.key
            self._feed(row)
        self.advance(now)

    def _feed(self, row: VmRow | HostRow) -> None:
        in_, out = ("in", "out")
        self._set("cpu", ("", Metric.CPU))
        self._set("memory", ("", Metric.MEMORY))
        self._set("network", (in_, Metric.NET_IN), (out, Metric.NET_OUT))
        self._set("storage", ("read", Metric.DISK_READ), ("write", Metric.DISK_WRITE))
        self._retitle(row.name)

    def _set(self, graph: str, *lines: tuple[str, Metric]) -> None:
        assert self._key is not None
        views = [(name, MetricView(self._store, self._key, metric)) for name, metric in lines]
        series = [Series(name, view, peak=view.peak) for name, view in views]
        self._graphs[graph].set_series(series, draw=False)

    def advance(self, now: float) -> None:
        """Time passed, or values came."""
        if not self.is_attached or self.region.area == 0:
            return
        row = self._store.row(self._key) if self._key else None
        top = None
        if isinstance(row, HostRow):
            top = float(row.host.memory) or None
        elif isinstance(row, VmRow):
            top = float(row.vitals.memory or row.vm.memory_startup) * 1.1 or None
            top = max(top or 0.0, float(row.vm.memory_maximum)) if row.vm.dynamic_memory else top
        if isinstance(row, VmRow) and top and row.vitals.memory and top > row.vitals.memory * 4:
            top = None
        self._graphs["memory"].set_top(top, draw=False)
        for graph in self._graphs.values():
            graph.advance(now)

    def next_window(self) -> float:
        """The next longer span, then the shortest again."""
        self._window = (self._window + 1) % len(WINDOWS)
        for graph in self._graphs.values():
            graph.set_window(WINDOWS[self._window])
        row = self._store.row(self._key) if self._key else None
        self._retitle(row.name if row else "")
        return WINDOWS[self._window]

    def _retitle(self, name: str) -> None:
        dash = self._glyphs.plain("—")
        what = f" {dash} {name}" if name else ""
        self.border_title = Content(f"Graphs{what}")
        minutes = int(WINDOWS[self._window] // 60)
        span = "last minute" if minutes == 1 else f"last {minutes} minutes"
        self.border_subtitle = Content(span)

    def on_resize(self) -> None:
        """Two by two, or four in a line when flat, or in a pile when slim."""
        wide, high = self.size.width, self.size.height
        self.set_class(high < 9 and wide >= 100, "-row")
        self.set_class(wide < 50, "-column")

"""Live graphs of whatever is selected: processor, memory, network, storage."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content

from tui.actions.panekeys import GRAPHS
from tui.store import HostRow, Metric, NodeRow, RoleRow, Store, VmRow
from tui.ui.graph import Graph, Series, Unit
from tui.ui.style import Glyphs
from tui.ui.timespan import DAY, TimeSpan, length

SEARCH = 288
"""Spans a day is cut into to find its first readings, and then that span."""
_GUTTER = Unit.RATE.label_width + 1


class MetricView:
    """One metric of one thing, read from the store whenever it is drawn."""

    def __init__(self, store: Store, key: str, metric: Metric) -> None:
        self._store, self._key, self._metric = store, key, metric

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        return self._store.history(self._key).points(self._metric, since, until, buckets)

    def peak(self, since: float, until: float) -> float | None:
        return self._store.history(self._key).peak(self._metric, since, until)


class GraphsPane(Container, can_focus=True):
    """Four graphs over one span of time, with one crosshair through all of them."""

    DEFAULT_CLASSES = "pane graphs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.key, key.run, key.title, show=False, id=key.id) for key in GRAPHS
    ]

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id="graphs")
        self._store = store
        self._glyphs = glyphs
        self._key: str | None = None
        self.span = TimeSpan()
        self._graphs = {
            "cpu": Graph("CPU", Unit.PERCENT, top=100.0, gutter=_GUTTER, glyphs=glyphs),
            "memory": Graph("Memory", Unit.BYTES, gutter=_GUTTER, glyphs=glyphs),
            "network": Graph("Network", Unit.RATE, gutter=_GUTTER, glyphs=glyphs),
            "storage": Graph("Disk", Unit.RATE, gutter=_GUTTER, glyphs=glyphs),
        }
        self._chosen = "cpu"
        """The graph that is enlarged, or would be."""
        self._alone = False
        """The chosen graph has the whole pane."""
        self._keyed = False
        """Keys go to this pane."""
        self._titles = ("", "")

    def compose(self) -> ComposeResult:
        yield from self._graphs.values()

    def on_mount(self) -> None:
        self.retitle()

    # -- what it shows ---------------------------------------------------------------------

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
            self._feed()
        self.advance(now)

    def _feed(self) -> None:
        self._set("cpu", ("", Metric.CPU))
        self._set("memory", ("", Metric.MEMORY))
        self._set("network", ("in", Metric.NET_IN), ("out", Metric.NET_OUT))
        self._set("storage", ("read", Metric.DISK_READ), ("write", Metric.DISK_WRITE))

    def _set(self, graph: str, *lines: tuple[str, Metric]) -> None:
        assert self._key is not None
        views = [(name, MetricView(self._store, self._key, metric)) for name, metric in lines]
        series = [Series(name, view, peak=view.peak) for name, view in views]
        self._graphs[graph].set_series(series, draw=False)

    @property
    def _row(self) -> VmRow | HostRow | None:
        row = self._store.row(self._key) if self._key else None
        return row if isinstance(row, VmRow | HostRow) else None

    def _memory_top(self) -> float | None:
        """The upper edge of the memory's graph: all there is, unless next to nothing is used."""
        row = self._row
        if isinstance(row, HostRow):
            return float(row.host.memory) or None
        if row is None:
            return None
        used = float(row.vitals.memory or 0)
        top = (used or float(row.vm.memory_startup)) * 1.1
        if row.vm.dynamic_memory:
            top = max(top, float(row.vm.memory_maximum))
        return None if not top or (used and top > used * 4) else top

    def advance(self, now: float) -> None:
        """Time passed, or values came."""
        self.span.tell(now)
        if not self.is_attached or self.region.area == 0:
            return
        self._graphs["memory"].set_top(self._memory_top(), draw=False)
        self._draw()

    def _draw(self) -> None:
        span = self.span
        shown = [graph for graph in self._graphs.values() if graph.display]
        columns = min((graph.room for graph in shown), default=0)
        for graph in self._graphs.values():
            graph.set_span(span.window, span.fixed_end, draw=False)
            graph.set_cross(span.cross, draw=False)
        for graph in shown:
            graph.limit(columns)
            graph.advance(span.now)
        self.retitle()

    def hold(self, on: bool, now: float) -> None:
        """Freeze the picture, or let it go on."""
        self.span.hold(now if on else None)
        if self.is_attached:
            self._draw()

    def retitle(self) -> None:
        """Frame texts: whose, and over which time."""
        row, dash = self._row, self._glyphs.plain("—")
        title = f"Graphs {dash} {row.name}" if row else "Graphs"
        notes = self.span.words()
        if self.has_class("-zoomed"):  # alone on the screen it has no lower frame
            title, notes = f"{title} {self._glyphs.plain('·')} {notes}", ""
        if (title, notes) != self._titles:  # setting them paints the whole pane again
            self._titles = (title, notes)
            self.border_title, self.border_subtitle = Content(title), Content(notes)

    def on_resize(self) -> None:
        """Two by two, or four in a line when flat, or in a pile when slim."""
        wide, high = self.size.width, self.size.height
        self.set_class(high < 9 and wide >= 100, "-row")
        self.set_class(wide < 50, "-column")
        self.call_after_refresh(self._draw)

    # -- time ------------------------------------------------------------------------------

    def next_window(self) -> str:
        """The next longer span of a few, then the shortest again."""
        self.span.next_window()
        self._draw()
        return length(self.span.window)

    def action_zoom(self, by: int) -> None:
        self.span.zoom(by)
        self._draw()

    def action_pan(self, quarters: int) -> None:
        self.span.pan(quarters)
        self._draw()

    def action_follow(self) -> None:
        self.span.follow()
        self._draw()

    def action_oldest(self) -> None:
        """To the first readings of the last day, as far as there are any."""
        if self._key is None:
            return
        now, part = self.span.now, DAY / SEARCH
        about = self._first(now - DAY, now, SEARCH)
        self.span.begin_at(self._first(about, about + part, SEARCH))
        self._draw()

    def _first(self, since: float, until: float, buckets: int) -> float:
        """Where in a span of time readings begin; its end where there are none."""
        assert self._key is not None
        known = self._store.history(self._key).points(Metric.CPU, since, until, buckets)
        first = next((at for at, value in enumerate(known) if value is not None), buckets)
        return since + first * (until - since) / buckets

    # -- crosshair -------------------------------------------------------------------------

    def action_point(self, by: int) -> None:
        """Show the crosshair at the right edge, or move it; it takes the span along."""
        graph, span = self._graphs[self._chosen], self.span
        moment = graph.edge if span.cross is None else span.cross + by * graph.step
        if span.cross is not None and not graph.since <= moment <= graph.edge:
            span.pan(by)
            graph.set_span(span.window, span.fixed_end, draw=False)
        span.point(min(max(moment, graph.since + graph.step / 2), graph.edge), fixed=True)
        self._draw()

    def on_graph_pointed(self, event: Graph.Pointed) -> None:
        """The crosshair goes with the mouse, until it is fixed."""
        event.stop()
        if not self.span.fixed and event.moment != self.span.cross:
            self.span.point(event.moment, fixed=False)
            self._draw()

    def on_graph_clicked(self, event: Graph.Clicked) -> None:
        event.stop()
        self._choose(next(name for name, graph in self._graphs.items() if graph is event.graph))
        if event.moment is not None:
            self.span.point(event.moment, fixed=True)
        self._draw()

    # -- one of the four -------------------------------------------------------------------

    def action_choose(self, by: int) -> None:
        names = list(self._graphs)
        self._choose(names[(names.index(self._chosen) + by) % len(names)])

    def _choose(self, name: str) -> None:
        self._chosen = name
        self._mark()
        if self._alone:
            self._arrange()

    def action_enlarge(self) -> None:
        """The chosen graph alone, or all four."""
        self._alone = not self._alone
        self._arrange()

    def step_back(self) -> bool:
        """Take the crosshair away, or show all four graphs; False when there is neither."""
        if self.span.cross is not None:
            self.span.clear()
            self._draw()
            return True
        if self._alone:
            self.action_enlarge()
            return True
        return False

    def _arrange(self) -> None:
        self.set_class(self._alone, "-one")
        for name, graph in self._graphs.items():
            graph.display = not self._alone or name == self._chosen
            graph.limit(0)
        self.call_after_refresh(self._draw)

    def _mark(self) -> None:
        """The chosen graph is marked while keys go to it."""
        for name, graph in self._graphs.items():
            graph.choose(self._keyed and name == self._chosen)

    def on_focus(self) -> None:
        self._keyed = True
        self._mark()

    def on_blur(self) -> None:
        self._keyed = False
        self._mark()

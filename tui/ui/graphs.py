"""Live graphs of whatever is selected: a machine, a host, or one disk, adapter or volume."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content

from tui.actions.panekeys import GRAPHS
from tui.hyperv.meters import Look
from tui.store import MeterRow, Store
from tui.ui.charts import MOST, USUAL, Chart, Plotted, charts_of, name_of, plotted
from tui.ui.graph import Graph, Series, Unit
from tui.ui.rowline import clean
from tui.ui.style import Glyphs
from tui.ui.timespan import DAY, TimeSpan, length

SEARCH = 288
"""Spans a day is cut into to find its first readings, and then that span."""
_GUTTER = Unit.RATE.label_width + 1


class GraphsPane(Container, can_focus=True):
    """Several graphs over one span of time, with one crosshair through all of them."""

    DEFAULT_CLASSES = "pane graphs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.key, key.run, key.title, show=False, id=key.id) for key in GRAPHS
    ]

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id="graphs")
        self._store = store
        self._glyphs = glyphs
        self._key: str | None = None
        self._thing: Plotted | None = None
        """What is shown, as it was last known."""
        self._gone = False
        self.span = TimeSpan()
        self._graphs = [Graph(gutter=_GUTTER, glyphs=glyphs) for _ in range(MOST)]
        """Those that the thing shown needs come first."""
        self._charts: tuple[Chart, ...] = ()
        self._series: list[Series] = []
        """The lines of all graphs."""
        self._chosen = 0
        """The graph that is enlarged, or would be."""
        self._alone = False
        """The chosen graph has the whole pane."""
        self._keyed = False
        """Keys go to this pane."""
        self._titles = ("", "")
        self._take_charts(USUAL)

    def compose(self) -> ComposeResult:
        yield from self._graphs

    def on_mount(self) -> None:
        self.retitle()

    # -- what it shows ---------------------------------------------------------------------

    def jumped(self) -> None:
        """The store stands for another moment: scales belong to what was shown before, which may
        not be there.
        """
        self._key = self._thing = None
        self._series = []
        for graph in self._graphs:
            graph.set_series([], draw=False)

    def show(self, key: str | None, now: float) -> None:
        """Draw another thing, if that is measured; else what was shown goes on."""
        row = plotted(self._store, key)
        if row is not None:
            self._take(row)
        self.advance(now)

    def _take(self, row: Plotted) -> None:
        charts = charts_of(self._store, row)
        self._thing = row
        if (row.key, charts) == (self._key, self._charts):
            return
        self._key = row.key
        self._take_charts(charts)
        self._series = []
        for graph, chart in zip(self._graphs, charts, strict=False):
            series = chart.series(self._store, row)
            graph.set_series(series, draw=False)
            self._series += series

    def _take_charts(self, charts: tuple[Chart, ...]) -> None:
        """The graphs stand for something else; as many as are needed show."""
        before, self._charts = self._charts, charts
        for graph, chart in zip(self._graphs, charts, strict=False):
            graph.name_it(chart.title, chart.unit, chart.least)
        if len(before) == len(charts):
            return
        self._chosen = min(self._chosen, len(charts) - 1)
        self.set_class(len(charts) > 4, "-many")
        self._mark()
        self._arrange()

    def looks(self) -> dict[str, frozenset[Look]]:
        """What must be measured of which host for what is shown."""
        thing = self._thing
        look = self._store.measured.look(thing.key) if isinstance(thing, MeterRow) else None
        return {} if thing is None or look is None else {thing.host.id: frozenset({look})}

    def advance(self, now: float) -> None:
        """Time passed, or values came."""
        self.span.tell(now)
        if not self.is_attached or self.region.area == 0:
            return
        row = plotted(self._store, self._key)
        self._gone, self._thing = row is None and self._key is not None, row or self._thing
        for graph, chart in zip(self._graphs, self._charts, strict=False):
            if self._thing is not None:
                graph.set_top(chart.top(self._thing), draw=False)
                graph.set_none(chart.why_none(self._store, self._thing))
        self._draw()

    def _draw(self) -> None:
        span = self.span
        shown = [graph for graph in self._graphs if graph.display]
        columns = min((graph.room for graph in shown), default=0)
        for graph in self._graphs:
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
        """Frame texts: whose, over which time, and why something is missing."""
        dash, dot = self._glyphs.plain("—"), f" {self._glyphs.plain('·')} "
        title = f"Graphs {dash} {clean(name_of(self._thing))}" if self._thing else "Graphs"
        notes = dot.join(self._notes())
        if self.has_class("-zoomed"):  # alone on the screen it has no lower frame
            title, notes = f"{title}{dot}{notes}", ""
        if (title, notes) != self._titles:  # setting them paints the whole pane again
            self._titles = (title, notes)
            self.border_title, self.border_subtitle = Content(title), Content(notes)

    def _notes(self) -> list[str]:
        notes = [self.span.words()]
        for host, looks in self.looks().items():
            refused = (self._store.measured.refused(look).get(host) for look in looks)
            notes += [f"n/a on {host}: {clean(why)}" for why in refused if why is not None]
        if self._gone and len(notes) == 1:
            notes.append("gone from its host")
        return notes

    def on_resize(self) -> None:
        """Two in a row, or all in one when flat, or in a pile when slim."""
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
        first = buckets
        for line in self._series:
            known = line.view.points(since, until, buckets)
            first = next((at for at, value in enumerate(known[:first]) if value is not None), first)
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
        self._choose(self._graphs.index(event.graph))
        if event.moment is not None:
            self.span.point(event.moment, fixed=True)
        self._draw()

    # -- one of them -----------------------------------------------------------------------

    def action_choose(self, by: int) -> None:
        self._choose((self._chosen + by) % len(self._charts))

    def _choose(self, index: int) -> None:
        self._chosen = index
        self._mark()
        if self._alone:
            self._arrange()

    def action_enlarge(self) -> None:
        """The chosen graph alone, or all of them."""
        self._alone = not self._alone
        self._arrange()

    def step_back(self) -> bool:
        """Take the crosshair away, or show all graphs; False when there is neither."""
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
        for index, graph in enumerate(self._graphs):
            needed = index < len(self._charts)
            graph.display = needed and (not self._alone or index == self._chosen)
            graph.limit(0)
        self.call_after_refresh(self._draw)

    def _mark(self) -> None:
        """The chosen graph is marked while keys go to it."""
        for index, graph in enumerate(self._graphs):
            graph.choose(self._keyed and index == self._chosen)

    def on_focus(self) -> None:
        self._keyed = True
        self._mark()

    def on_blur(self) -> None:
        self._keyed = False
        self._mark()

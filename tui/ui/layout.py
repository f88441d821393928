"""Which panes are on the screen, and where: several side by side, or one at a time.

Wide: hosts and networks on the left; machines (or jobs, or the log) in the middle, detail and
graphs below. Narrow or zoomed: the current pane alone. The keys are the same in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from tui.actions import Kind
from tui.store import Store
from tui.ui.clusterpane import ClusterPane
from tui.ui.detail import DetailPane
from tui.ui.fleet import FleetPane
from tui.ui.graphs import GraphsPane
from tui.ui.neighbours import NeighboursPane
from tui.ui.perf import PerfPane
from tui.ui.storage import StoragePane
from tui.ui.style import Glyphs
from tui.ui.subjects import CALLS, EXCHANGES, JOBS, NETWORKS, REPLICAS, VMS
from tui.ui.tables import TablePane
from tui.ui.top import TopPane
from tui.ui.topology import NetworkPane
from tui.ui.tree import HostPane
from tui.ui.views import ViewsPane

if TYPE_CHECKING:
    from tui.ui.app import DeckApp

WIDE = 120
"""Columns from which panes stand side by side."""
STRIP_FROM = 30
"""Rows from which detail and graphs show below."""
NETWORKS_FROM = 32
STANDING = ("detail", "graphs", "neighbours")
"""Panes that show what was selected elsewhere."""
BARS = 2
"""Header and footer."""


class LogPane(Vertical):
    """What was done here, above what was exchanged with hosts."""

    def __init__(self, calls: TablePane, exchanges: TablePane) -> None:
        super().__init__(id="log")
        self._parts = (calls, exchanges)

    def compose(self) -> ComposeResult:
        yield from self._parts


class Panes(Horizontal):
    """The deck between header and footer."""

    app: DeckApp
    DEFAULT_CLASSES = "panes"

    class Turned(Message):
        """Another pane is current."""

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id="panes")
        self.store = store
        self.hosts = HostPane(store, glyphs)
        self.vms = TablePane(VMS, store, glyphs)
        self.networks = NetworkPane(store, glyphs)
        self.jobs = TablePane(JOBS, store, glyphs)
        self.calls = TablePane(CALLS, store, glyphs)
        self.exchanges = TablePane(EXCHANGES, store, glyphs)
        self.fleet = FleetPane(store, glyphs)
        self.cluster = ClusterPane(store, glyphs)
        self.replicas = TablePane(REPLICAS, store, glyphs)
        self.top = TopPane(store, glyphs)
        self.storage = StoragePane(store, glyphs)
        self.perf = PerfPane(store, glyphs)
        self.neighbours = NeighboursPane(store, glyphs)
        self.detail = DetailPane(store, glyphs)
        self.graphs = GraphsPane(store, glyphs)
        self.log_pane = LogPane(self.calls, self.exchanges)
        self.pages: dict[str, TablePane] = {
            "audit": self.fleet, "cluster": self.cluster, "replicas": self.replicas,
            "top": self.top, "neighbours": self.neighbours, "storage": self.storage,
            "perf": self.perf,
        }  # fmt: skip
        """Panes that take the whole screen, in the order the keys go through them."""
        self._panes: dict[str, Widget] = {
            "hosts": self.hosts, "vms": self.vms, "networks": self.networks,
            "graphs": self.graphs, "detail": self.detail, "jobs": self.jobs, "log": self.log_pane,
            **self.pages,
        }  # fmt: skip
        self.current = "vms"
        self.zoomed = False
        self.source: TablePane = self.vms
        """The table whose cursor says what is selected."""
        self._centre = "vms"
        self._before = "vms"
        """Where leaving a pane that stands for a selection leads back to."""

    def compose(self) -> ComposeResult:
        with Vertical(id="left"):
            yield self.hosts
            yield self.networks
        with Vertical(id="middle"):
            with Vertical(id="centre"):
                yield self.vms
                yield self.jobs
                yield self.log_pane
                yield from self.pages.values()
            with Horizontal(id="strip"):
                yield self.detail
                yield self.graphs

    # -- looking ---------------------------------------------------------------------------

    @property
    def tables(self) -> tuple[TablePane, ...]:
        return (
            self.hosts, self.vms, self.networks, self.jobs, self.calls, self.exchanges,
            *self.pages.values(),
        )  # fmt: skip

    def table_of(self, kind: Kind) -> TablePane | None:
        """The table that lists things of one kind."""
        return next((table for table in self.tables if table.subject.kind is kind), None)

    @property
    def _room(self) -> Size:
        """What panes share; before the first layout, what the terminal leaves them."""
        return self.size or self.app.size - (0, BARS)

    @property
    def alone(self) -> bool:
        """Only one pane has room, or was given all of it."""
        tree = self.current == "networks" and self.networks.is_tree
        return self.zoomed or tree or self.current in self.pages or self._room.width < WIDE

    @property
    def _centred(self) -> tuple[str, ...]:
        """Panes that take turns in the middle."""
        return ("vms", "jobs", "log", *self.pages)

    @property
    def table(self) -> TablePane:
        """The table that keys about rows go to."""
        if self.current == "log":
            return self.exchanges if self.exchanges.grid.has_focus else self.calls
        pane = self._panes[self.current]
        return pane if isinstance(pane, TablePane) else self.source

    @property
    def plotted(self) -> str | None:
        """Key of what graphs show of what is selected."""
        source = self.source
        return source.plotted if isinstance(source, ViewsPane) else source.cursor

    def pane(self, name: str) -> Widget:
        return self._panes[name]

    @property
    def front(self) -> ViewsPane:
        """The pane of several tables that is in front."""
        return self.cluster if self.current == "cluster" else self.fleet

    def showing(self) -> set[str]:
        """Names of the panes that show now."""
        if self.alone:
            return {self.current}
        shown = {"hosts", self._centre, self.current}
        if self._room.height >= NETWORKS_FROM:
            shown.add("networks")
        if self._room.height >= STRIP_FROM:
            shown |= {"detail", "graphs"}
        return shown

    # -- moving ----------------------------------------------------------------------------

    def turn_to(self, name: str) -> None:
        """Make a pane current, show it and give it the keys."""
        if name in STANDING and self.current not in STANDING:
            self._before = self.current
        self.current = name
        if name in self._centred:
            self._centre = name
        self.lay_out()
        self._focus(name)

    def go_back(self) -> bool:
        """Undo zoom, or leave what stands for a selection; False when there is nothing to leave."""
        if self.current in STANDING:
            self.turn_to(self._before)
            return True
        if self.current == "networks" and self.networks.is_tree:
            self.networks.show_view(NETWORKS)
            self.turn_to("networks")
            return True
        if self.zoomed:
            self.toggle_zoom()
            return True
        if self.current in self._centred and self.current != "vms":
            self.turn_to("vms")
            return True
        return False

    def toggle_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.lay_out()
        self._focus(self.current)

    def step(self, by: int) -> None:
        """To the next pane on the screen; alone on it, to the next one there is."""
        shown = self.showing()
        ring = [name for name in self._panes if self.alone or name in shown]
        if self.current == "log" and by > 0 and self.calls.grid.has_focus:
            self.exchanges.grid.focus()
            return
        at = ring.index(self.current) if self.current in ring else 0
        self.turn_to(ring[(at + by) % len(ring)])

    def _focus(self, name: str) -> None:
        pane = self.pane(name)
        if isinstance(pane, LogPane):
            pane = self.calls
        target = pane.grid if isinstance(pane, TablePane) else pane
        self._became(name, target)
        target.focus(scroll_visible=False)

    # -- arranging -------------------------------------------------------------------------

    def lay_out(self) -> None:
        """Show what should show; what comes up again is brought up to date."""
        shown, alone = self.showing(), self.alone
        left = self.query_one("#left")
        left.display = bool(shown & {"hosts", "networks"})
        left.set_class(alone and left.display, "-alone")
        self.query_one("#middle").display = bool(shown - {"hosts", "networks"})
        self.query_one("#centre").display = bool(shown & set(self._centred))
        self.query_one("#strip").display = bool(shown & {"detail", "graphs"})
        for name, part in self._framed():
            here = self._panes[name].display = name in shown
            if here:  # what nobody sees is not styled
                part.set_class(alone, "-zoomed")
            if isinstance(part, TablePane):
                part.shown = here
                if here:
                    part.retitle()
        self.app.keys.after_paint(self.catch_up)

    def _framed(self) -> Iterator[tuple[str, Widget]]:
        """What has a frame, each with the pane it is in."""
        yield from self._panes.items()
        yield from (("log", self.calls), ("log", self.exchanges))

    def catch_up(self) -> None:
        """Tables that show are brought up to date."""
        for table in self.tables:
            if table.shown:
                table.catch_up(now=True)
                table.grid.touch_all()
        self.post_message(self.Turned())

    def on_resize(self) -> None:
        self.set_class(self._room.width >= 160, "-roomy")
        self.lay_out()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click into another pane makes it current."""
        if self.screen.focused is not event.widget:
            return  # keys came faster than focus moves; this one has been overtaken
        for name, pane in self._panes.items():
            if pane is event.widget or pane in event.widget.ancestors:
                self._became(name, event.widget)
                return

    def _became(self, name: str, widget: Widget) -> None:
        before = (self.current, self.source)
        self.current = name
        for table in self.tables:
            if table.grid is widget and table.kind is not None:
                self.source = table
        if before != (self.current, self.source):
            self.post_message(self.Turned())

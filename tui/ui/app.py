"""The deck: owns the store, the engine that feeds it, and the screen that shows it.

It knows hosts only through the collector's pipe.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import ClassVar, Literal

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.scrollbar import ScrollBar, ScrollBarRender

from tui.actions import ACTIONS, Action, Kind
from tui.hyperv.model import Link
from tui.rows import text
from tui.store import Changes, Store
from tui.ui import gridevents, style
from tui.ui.attention import Attention
from tui.ui.commands import Commands
from tui.ui.engine import PACE, Collector, Engine
from tui.ui.exact import ExactScreen
from tui.ui.filterbar import FilterBar
from tui.ui.header import Footer, Header, Hint, Standing, Tabs
from tui.ui.layout import Panes
from tui.ui.migrate import MigrateScreen
from tui.ui.operate import Operator
from tui.ui.options import DeckOptions
from tui.ui.planview import PlanView
from tui.ui.runview import RunView
from tui.ui.sheet import SheetScreen

__all__ = ["DeckApp", "DeckOptions"]

GOODBYE = 4.0
"""Seconds a lost terminal gets to end tidily."""
FAILURE_STAYS = 3600.0
"""Seconds a failure is shown unless it is dismissed."""
NOTICE = 150
"""Letters of a host's loss in a message; its detail tells it whole."""
HINTS = (
    "vm.start", "vm.shutdown", "host.refresh", "app.menu", "app.mark", "app.filter",
    "app.palette", "app.help", "vm.set-notes", "app.detail", "app.zoom", "app.sort", "app.quit",
)  # fmt: skip
"""What the foot of the screen may offer, in this order."""


def bindings() -> list[BindingType]:
    """Every key of the action table; which action applies is decided when it is pressed."""
    found: list[BindingType] = [
        Binding(action.key, f"act('{action.id}')", action.title, show=False, id=action.id)
        for action in ACTIONS
        if action.key
    ]
    found.append(Binding("ctrl+c", "act('app.quit')", "Quit", show=False, priority=True))
    return found


class DeckApp(App[int], inherit_bindings=False):
    """hvdeck."""

    TITLE = "hvdeck"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    CSS_PATH = style.stylesheets()

    def __init__(
        self,
        options: DeckOptions,
        *,
        collector: Collector | None = None,
        clock: Callable[[], float] = time.time,
        pace: float = PACE,
        engine: Engine | None = None,
    ) -> None:
        """``engine``: one that is warm already; else one of its own, over ``collector``."""
        # Textual reads NO_COLOR once, when the app is made, and takes it from the environment.
        colourless = style.silence_colour(os.environ)
        super().__init__(ansi_color=colourless)
        self.options = options
        self.read_only = options.read_only
        self.frozen = False
        self.clock = clock
        self.engine = engine or Engine(Store(), options, clock, collector=collector, pace=pace)
        self.store = self.engine.store
        self.glyphs = style.glyphs_for(ascii=options.ascii)
        text.use_ascii(options.ascii)
        ScrollBar.renderer = style.PlainScrollBar if options.ascii else ScrollBarRender
        self.commands = Commands(self)
        self.operator = Operator(self, clock)
        self.panes = Panes(self.store, self.glyphs)
        self.attention = Attention(self)
        self.filter_bar = FilterBar(self.glyphs)
        self.header = Header(self.store, self.glyphs)
        self.tabs = Tabs()
        self.footer = Footer(self.hints)
        self._keys = dict(options.keys)
        self._leaving = False
        style.register(self)
        wanted = options.theme or style.DEFAULT_THEME
        self.theme = style.COLOURLESS_THEME if colourless else wanted

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return style.variable_defaults(self.current_theme)

    def _fatal_error(self) -> None:
        """Textual shows the locals of every frame; ours may hold what nobody should read."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        trace = Segments(self.console.render(Traceback(width=None), self.console.options))
        self._exit_renderables.append(trace)
        self._close_messages_no_wait()

    # -- screen ----------------------------------------------------------------------------

    def get_default_screen(self) -> ExactScreen:
        return ExactScreen()

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.tabs
        yield self.panes
        yield self.filter_bar
        yield self.footer

    def on_mount(self) -> None:
        self.set_class(self.options.ascii, "-ascii")
        if self._keys:
            self.set_keymap(self._keys)
        self.panes.turn_to("vms")
        self.set_interval(1.0, self.tick)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.renew()
        self.engine.launch(self)

    def on_resize(self) -> None:
        self.call_after_refresh(self.renew)

    def mind_signals(self) -> None:
        """End tidily when told to; from before the screen is taken until it is given back."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            number = getattr(signal, name, None)
            if number is None or threading.current_thread() is not threading.main_thread():
                continue
            try:
                loop.add_signal_handler(number, self._signalled, number)
            except (NotImplementedError, ValueError):
                return

    def _signalled(self, number: int) -> None:
        """End tidily; a terminal that is gone cannot hold us back."""
        guard = threading.Timer(GOODBYE, os._exit, (128 + number,))
        guard.daemon = True
        guard.start()
        self.exit(128 + number)

    # -- data comes ------------------------------------------------------------------------

    def changed(self, changes: Changes) -> None:
        """From the engine: the store is different now."""
        self.show(changes)
        self.operator.settled(changes)
        for link in changes.links:
            self._tell_link(link.host, link.before, link.after)
        for news in changes.news:
            self.told(news.words, warning=news.grave)
        for screen in self.screen_stack:
            if isinstance(screen, RunView | SheetScreen | MigrateScreen | PlanView):
                screen.renew()

    def collector_died(self) -> None:
        """From the engine."""
        self.operator.collector_died()
        for screen in self.screen_stack:
            if isinstance(screen, MigrateScreen):
                screen.collector_died()

    def show(self, changes: Changes) -> None:
        """Panes that are on the screen take up what changed."""
        if not self.panes.is_mounted:
            return
        for table in self.panes.tables:
            table.changed(changes)
        if not self.frozen:
            self._follow(changes)
        self.renew()

    def _follow(self, changes: Changes) -> None:
        """Detail and graphs follow what is selected."""
        key = self.panes.source.cursor
        shown = self.panes.showing()
        if "detail" in shown:
            known = any(key in delta.changed or key in delta.added for delta in changes.deltas)
            known = known or any(changes.measured)
            if known or changes.calls or key != self.panes.detail.key:
                self.panes.detail.show(key, self.clock())
        if "graphs" in shown:
            self.panes.graphs.show(key, self.clock())

    def _select(self) -> None:
        """The selection moved."""
        key, now, shown = self.panes.source.cursor, self.clock(), self.panes.showing()
        if "detail" in shown:
            self.panes.detail.show(key, now)
        if "graphs" in shown:
            self.panes.graphs.show(key, now)
        self.attention.renew()
        self.footer.renew()

    def tick(self) -> None:
        """A second passed."""
        self.show(self.store.tick(self.clock()))
        if self.frozen:
            return
        for table in self.panes.tables:
            if table.shown:
                table.catch_up()
        if self.panes.hosts.shown:
            self.panes.hosts.grid.touch_all()

    def renew(self) -> None:
        """Header and footer."""
        if not self.header.is_mounted or not self.footer.is_mounted:
            return
        self.attention.renew()
        failure = str(self.engine.failure.title) if self.engine.failure else ""
        standing = Standing(not self.options.links, self.read_only, self.frozen, failure)
        self.header.tell(standing, self.clock())
        self.footer.renew()

    def _tell_link(self, host: str, before: Link, after: Link) -> None:
        if after is Link.DOWN:
            trouble = self.store.hosts[host].vitals.trouble
            why = (
                f"{text.trouble_word(trouble)}, {trouble.cause or trouble.title}" if trouble else ""
            )
            hint = f" - {trouble.hint}" if trouble and trouble.hint else ""
            words = f"{host} is lost: {why}{hint}"
            if len(words) > NOTICE:
                words = words[: NOTICE - 1].rstrip() + self.glyphs.ellipsis
            self.told(words, warning=True)
        elif before is Link.DOWN and after in (Link.UP, Link.SLOW):
            self.told(f"{host} answers again")

    # -- telling ---------------------------------------------------------------------------

    def told(self, words: str, *, error: bool = False, warning: bool = False) -> None:
        """A line for the person. A failure stays until Esc takes it away."""
        severity: Literal["information", "warning", "error"] = "information"
        if error or warning:
            severity = "error" if error else "warning"
        stay = FAILURE_STAYS if error else 8.0 if warning else 4.0
        line = self.glyphs.plain(style_free(words))
        self.notify(line, severity=severity, timeout=stay, markup=False)

    def copy(self, words: str) -> None:
        """To the clipboard of the terminal, by OSC 52."""
        self.copy_to_clipboard(words)
        count = len(words.encode())
        self.told(f"Sent {count} bytes by OSC 52; if nothing arrives in tmux: "
                  "set -g set-clipboard on")  # fmt: skip

    # -- keys ------------------------------------------------------------------------------

    def action_act(self, action_id: str) -> None:
        """Every key of the action table ends here."""
        typing = self.filter_bar.is_open
        if isinstance(self.screen, RunView) or typing:
            if action_id == "app.quit":
                self.leave()
            elif typing and action_id == "app.back":
                self.filter_bar.close()
            elif typing:
                self.filter_bar.insist()
            return
        self.operator.act(action_id)
        self.renew()

    def action_focus_next(self) -> None:
        """Tab on the deck itself goes from pane to pane; in dialogs from field to field."""
        self._step_focus(1)

    def action_focus_previous(self) -> None:
        self._step_focus(-1)

    def _step_focus(self, by: int) -> None:
        if len(self.screen_stack) == 1:
            self.panes.step(by)
        elif by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def label(self, action: Action) -> str:
        """The key of an action as people read it."""
        from tui.ui.entries import labeller

        return labeller(self._keys)(action)

    def hints(self) -> list[Hint]:
        """The keys that matter for what is selected, what cannot be done now dim."""
        found = []
        for action_id in HINTS:
            action = _BY_ID[action_id]
            key = self.label(action)
            if not key:
                continue
            if action.kind is not Kind.APP and not self.operator.subjects(action):
                continue
            why = "" if action.kind is Kind.APP else self.operator.obstacle(action)
            found.append(Hint(key, action.title, action.id, why))
        return found

    def on_footer_clicked(self, event: Footer.Clicked) -> None:
        self.action_act(event.action)

    def on_grid_cursor_moved(self, event: gridevents.CursorMoved) -> None:
        if event.grid is self.panes.source.grid:
            self._select()

    def on_grid_activated(self, event: gridevents.Activated) -> None:
        if event.grid is self.panes.hosts.grid and self.panes.hosts.toggle(event.key):
            return
        if self.commands.enter(event.key):
            return
        if event.grid is self.panes.vms.grid:
            self.commands.open_sheet()
        else:
            self.commands.show_detail()

    def on_panes_turned(self) -> None:
        self.tabs.display = self.panes.alone
        self.tabs.tell(self.panes.current)
        self._select()

    def on_filter_bar_closed(self) -> None:
        self.panes.turn_to(self.panes.current)

    def on_table_pane_changed(self) -> None:
        self.renew()

    # -- switches --------------------------------------------------------------------------

    def freeze(self, on: bool) -> None:
        """Hold the picture; the store goes on."""
        self.frozen = on
        for table in self.panes.tables:
            table.frozen = on
            table.retitle()
        if not on:
            self.panes.catch_up()
            self._select()
        self.renew()

    def set_read_only(self, on: bool) -> None:
        """Withhold every change, or allow them. A start in read-only mode may be left too."""
        self.read_only = on
        self.told("Read-only: nothing is changed" if on else "Changes are allowed now",
                  warning=not on)  # fmt: skip
        self.renew()

    def leave(self) -> None:
        """Quit; the first time only says so while calls are under way."""
        busy = self.operator.dispatcher.busy + self.operator.campaigns.busy
        if busy and not self._leaving:
            self._leaving = True
            self.told(f"{busy} calls are under way: hosts go on with what they accepted, nobody "
                      "watches. Quit again to leave", warning=True)  # fmt: skip
            return
        self.exit(0)


_BY_ID = {action.id: action for action in ACTIONS}


def style_free(words: str) -> str:
    """One line without control characters."""
    from tui.ui.rowline import clean

    return clean(" ".join(words.split()))

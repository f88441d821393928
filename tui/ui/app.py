"""The deck: owns the store, the engine that feeds it, and the screen that shows it.

It knows hosts only through the collector's pipe.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from typing import Any, ClassVar, Literal

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.scrollbar import ScrollBar, ScrollBarRender

from tui.actions import ACTIONS, Kind
from tui.actions.panekeys import PaneKey, keys_of, pane_key
from tui.hyperv.model import Link
from tui.hyperv.plans.words import several
from tui.rows import levels, text
from tui.store import Changes, Store
from tui.ui import gridevents, hints, style
from tui.ui.attention import Attention
from tui.ui.commands import Commands
from tui.ui.engine import PACE, Collector, Engine
from tui.ui.exact import ExactScreen
from tui.ui.filterbar import FilterBar
from tui.ui.header import Footer, Header, Hint, Standing, Tabs
from tui.ui.keyline import KeyLine, Sent
from tui.ui.layout import Panes
from tui.ui.lookout import Lookout
from tui.ui.modal import Modal
from tui.ui.operate import RECORDED, Operator
from tui.ui.options import DeckOptions
from tui.ui.own import Meter, metered
from tui.ui.player import Player
from tui.ui.tapeline import TapeLine

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
        self.meter = Meter()
        # Textual reads NO_COLOR once, when the app is made, and takes it from the environment.
        colourless = style.silence_colour(os.environ)
        super().__init__(ansi_color=colourless)
        self.options = options
        self.replay = engine if isinstance(engine, Player) else None
        """Plays a recording; None over hosts."""
        self.read_only = options.read_only or self.replay is not None
        self.frozen = False
        self.clock = clock = self.replay.position if self.replay else clock
        self.engine = engine or Engine(Store(), options, clock, collector=collector, pace=pace)
        self.store = self.engine.store
        self.glyphs = style.glyphs_for(ascii=options.ascii)
        text.use_ascii(options.ascii)
        levels.use(options.thresholds)
        ScrollBar.renderer = style.PlainScrollBar if options.ascii else ScrollBarRender
        self.commands = Commands(self)
        self.operator = Operator(self, clock)
        self.lookout = Lookout(self, clock)
        self.panes = Panes(self.store, self.glyphs)
        self.attention = Attention(self)
        self.filter_bar = FilterBar(self.glyphs)
        self.header = Header(self.store, self.glyphs)
        self.tabs = Tabs()
        self.tape = TapeLine(self.replay, self.glyphs, self.label) if self.replay else None
        self.footer = Footer(lambda: self.operator.reading.hints() or self.hints())
        self._keys = dict(options.keys)
        self.keys = KeyLine(self, super().on_event, hints.leaving(self._keys))
        self._leaving = False
        style.register(self)
        wanted = options.theme or style.DEFAULT_THEME
        self.theme = style.COLOURLESS_THEME if colourless else wanted
        self._styled_for = self.get_css_variables()
        self.stylesheet.set_variables(self._styled_for)

    def get_driver_class(self) -> type[Driver]:
        return metered(super().get_driver_class(), self.meter)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return style.variable_defaults(self.current_theme)

    def refresh_css(self, animate: bool = True) -> None:
        """Textual styles everything once more when it first looks at the theme, which had been
        chosen before anything was styled."""
        variables = self.get_css_variables()
        if variables != self._styled_for:
            self._styled_for = variables
            super().refresh_css(animate)

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
        if self.tape is not None:
            yield self.tape
        yield self.footer

    def on_mount(self) -> None:
        self.set_class(self.options.ascii, "-ascii")
        if self._keys:
            self.set_keymap(self._keys)
        self.panes.turn_to("vms")
        text.use_clock(self.clock)
        self.renew()
        self.set_interval(1.0, self.tick)
        self.call_after_refresh(self._begin)

    def on_unmount(self) -> None:
        text.use_clock(time.time)

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
        self.lookout.look(changes)
        self.show(changes)
        self.operator.settled(changes)
        for link in changes.links:
            self._tell_link(link.host, link.before, link.after)
        for news in changes.news:
            self.told(news.words, warning=news.grave)
        self.lookout.tell()
        for screen in self.screen_stack:
            if isinstance(screen, Modal):
                screen.renew()

    def jumped(self) -> None:
        """From the engine: the store stands for another moment."""
        if not self.panes.is_mounted:
            return
        for table in self.panes.tables:
            table.jumped()
        self.panes.graphs.jumped()
        self._select()
        self.changed(Changes())

    def collector_died(self) -> None:
        """From the engine."""
        self.operator.collector_died()
        for screen in self.screen_stack:
            if isinstance(screen, Modal):
                screen.collector_died()

    def show(self, changes: Changes) -> None:
        """Panes that are on the screen take up what changed."""
        if not self.panes.is_mounted:
            return
        self.header.count()
        for table in self.panes.tables:
            table.changed(changes)
        if self.frozen:  # the header goes on with the clock
            self.footer.renew()
            return
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
            self.panes.graphs.show(self.panes.plotted, self.clock())

    def _select(self) -> None:
        """The selection moved."""
        key, now, shown = self.panes.source.cursor, self.clock(), self.panes.showing()
        if "detail" in shown:
            self.panes.detail.show(key, now)
        if "graphs" in shown:
            self.panes.graphs.show(self.panes.plotted, now)
        self.attention.renew()
        self.footer.renew()

    def tick(self) -> None:
        """A second passed."""
        changes = self.store.tick(self.clock())
        self.lookout.tick(changes)
        self.operator.reading.tick()
        self.show(changes)
        self.lookout.tell()
        if self.frozen:
            self.renew()
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
        self._mind_recorder()
        self.attention.renew()
        failure = str(self.engine.failure.title) if self.engine.failure else ""
        replay = self.replay is not None
        standing = Standing(
            demo=not self.options.links and not replay,
            replay=replay,
            read_only=self.read_only and not replay,
            recording=self.engine.recorder is not None,
            frozen=self.frozen,
            failure=failure,
            fabric=self.engine.fabric_pid,
        )
        self.header.tell(standing, self.clock())
        if self.tape is not None:
            self.tape.renew()
        self.footer.renew()

    def _mind_recorder(self) -> None:
        """A recording that ended by itself is told."""
        recorder = self.engine.recorder
        if recorder is not None and recorder.trouble is not None:
            self.engine.stop_recording()
            self.told(f"{recorder.trouble}; {recorder.trouble.hint}", error=True)

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

    async def on_event(self, event: events.Event) -> None:
        """Keys and clicks from the terminal wait in line."""
        if isinstance(event, Sent) and not event.is_forwarded:
            await self.keys.take(event)
        else:
            await super().on_event(event)

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        """What opens gets every key from now on."""
        self.keys.after_paint()
        return super().push_screen(*args, **kwargs)

    def action_act(self, action_id: str) -> None:
        """Every key of the action table ends here."""
        typing = self.filter_bar.is_open
        screen = self.screen
        if typing or (isinstance(screen, Modal) and screen.keeps_keys):
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

    def label(self, action: hints.Keyed, taken: Collection[str] = ()) -> str:
        """The key of an action as people read it, of those that are not taken."""
        return hints.label(action, self._keys, taken)

    def press(self, key: PaneKey) -> None:
        """Do what a key of a pane does, there."""
        self.panes.turn_to(key.pane)
        self.keys.after_paint(self.run_action, key.run, self.panes.pane(key.pane))

    def hints(self) -> list[Hint]:
        """The keys that matter for what is selected, what cannot be done now dim."""
        own = keys_of(self.panes.current)
        found, taken = hints.pane_hints(own, self._keys)
        subjects = self.operator.glance()
        first = hints.FIRST.get(self.panes.current, ())
        for action_id in hints.PANE_TITLES if own else (*first, *HINTS):
            action = _BY_ID[action_id]
            key = self.label(action, taken)
            if not key:
                continue
            short = own or action_id in first
            title = hints.PANE_TITLES.get(action_id, action.title) if short else action.title
            why = ""
            if action.kind is not Kind.APP:
                pairs = subjects(action)
                if not pairs:
                    continue
                why = self.operator.obstacle(action, pairs)
            found.append(Hint(key, title, action.id, why))
        return found

    def on_footer_clicked(self, event: Footer.Clicked) -> None:
        if (key := pane_key(event.action)) is not None:
            self.press(key)
        else:
            self.action_act(event.action)

    def on_grid_cursor_moved(self, event: gridevents.CursorMoved) -> None:
        if event.grid is self.panes.source.grid:
            self._select()

    def on_grid_activated(self, event: gridevents.Activated) -> None:
        if self.panes not in event.grid.ancestors:
            return  # a line of something that lies over the deck
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
        if len(self.screen_stack) > 1:
            self.screen.refresh()  # the terminal has another size: other panes show through

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
        self.panes.graphs.hold(on, self.clock())
        if not on:
            self.panes.catch_up()
            self._select()
        self.renew()

    def set_read_only(self, on: bool) -> None:
        """Withhold every change, or allow them. A start in read-only mode may be left too."""
        if self.replay is not None:
            self.told(RECORDED, warning=True)
            return
        self.read_only = on
        self.told("Read-only: nothing is changed" if on else "Changes are allowed now",
                  warning=not on)  # fmt: skip
        self.renew()

    def leave(self) -> None:
        """Quit; the first time only says so while calls are under way."""
        busy = self.operator.dispatcher.busy + self.operator.campaigns.busy
        if busy and not self._leaving:
            self._leaving = True
            calls = several(busy, "call is", "calls are")
            self.told(f"{calls} under way: hosts go on with what they accepted, nobody watches. "
                      "Quit again to leave", warning=True)  # fmt: skip
            return
        self.exit(0)


_BY_ID = {action.id: action for action in ACTIONS}


def style_free(words: str) -> str:
    """One line without control characters."""
    from tui.ui.rowline import clean

    return clean(" ".join(words.split()))

"""The real deck with the real collector over simulated hosts, driven by keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from tests.live_kit import PATIENCE, Estate
from tests.quiet_kit import key_event, quiet
from tui.collector.pipe import CollectorProcess
from tui.ui.app import DeckApp
from tui.ui.options import DeckOptions

STEP = 0.02
BREATH = 3.0
"""Seconds at most for a deck that hosts keep busy."""


class LiveDeck:
    """A deck whose hosts answer over sockets; what happens is waited for."""

    def __init__(self, app: DeckApp, pilot: Pilot[int], collector: CollectorProcess) -> None:
        self.app = app
        self.pilot = pilot
        self.collector = collector
        self.seconds = 1000.0
        """What the clock of the confirmations reads."""
        app.operator.key_clock = lambda: self.seconds
        self.told: list[str] = []
        """Every line for the person, also those that have left the screen."""
        self._tell = app.told
        app.told = self._keep  # type: ignore[method-assign]

    def _keep(self, words: str, *, error: bool = False, warning: bool = False) -> None:
        self.told.append(words)
        self._tell(words, error=error, warning=warning)

    async def rest(self) -> None:
        """Until the deck has done what it was told. News may come faster than it is shown."""
        await self.pilot._wait_for_screen()
        await quiet(self.app, BREATH)

    async def until(self, happened: Callable[[], object], what: str = "") -> None:
        """Let the deck run until something has happened."""
        deadline = time.monotonic() + PATIENCE
        if happened():
            return
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(f"it never came to pass: {what}\n{self.text()}")
            await asyncio.sleep(STEP)
            await quiet(self.app, STEP)
        await self.rest()

    async def shows(self, words: str) -> None:
        """Until ``words`` are on the screen."""
        await self.until(lambda: words in self.text(), words)

    async def says(self, words: str) -> None:
        """Until a notice says so."""
        await self.until(lambda: words in self.notices, words)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.post_message(key_event(key))
            await self.rest()
            await self.app.animator.wait_until_complete()
            await self.rest()

    async def type(self, text: str) -> None:
        """Type into the field that has the keys."""
        names = {" ": "space", ":": "colon", "-": "minus", "[": "left_square_bracket"}
        await self.press(*(names.get(character, character) for character in text))

    async def go(self, name: str) -> None:
        """Put the cursor on a machine."""
        table = self.app.panes.vms
        await self.until(lambda: name in self.names, f"{name} listed")
        assert table.grid.move_to(table.grid.keys[self.names.index(name)])
        await self.rest()

    async def say_yes(self) -> None:
        """Answer a confirmation after thinking about it: what is on its way is no answer."""
        await self.until(lambda: self.app.focused, "the question takes keys")
        await self.rest()
        self.seconds += 1
        await self.press("y")

    async def run(self, command: str) -> None:
        """An action through the palette."""
        await self.press("colon")
        await self.type(command)
        await self.press("enter")

    def text(self) -> str:
        """What is on the screen, as text."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in lines)

    @property
    def notices(self) -> str:
        """All that was told, newest last."""
        return "\n".join(self.told)

    @property
    def names(self) -> list[str]:
        """Machines as listed."""
        rows = self.app.store.vms
        return [rows[key].name for key in self.app.panes.vms.grid.keys]

    @property
    def field(self) -> Input:
        focused = self.app.focused
        assert isinstance(focused, Input)
        return focused

    @property
    def under_cursor(self) -> str:
        row = self.app.store.vms.get(self.app.panes.vms.cursor or "")
        return row.name if row else ""

    def state(self, name: str) -> int:
        return next(row.vitals.state for row in self.app.store.vms.values() if row.name == name)

    def read_at(self, host: str) -> float:
        return self.app.store.hosts[host].read_at

    @property
    def pids(self) -> list[int]:
        processes = [shard._process for shard in self.collector._shards]
        return [process.pid for process in processes if process is not None]


@asynccontextmanager
async def live_deck(
    served: Estate, *, size: tuple[int, int] = (120, 28), fast: float = 0.5, **options: Any
) -> AsyncIterator[LiveDeck]:
    """The deck over an estate, once every healthy machine is listed."""
    collector = CollectorProcess()
    links = served.links(operation_timeout=3)
    app = DeckApp(
        DeckOptions(links=links, fast=fast, slow=5.0, requests_per_minute=0, **options),
        collector=collector,
    )
    async with app.run_test(size=size) as pilot:
        deck = LiveDeck(app, pilot, collector)
        try:
            await deck.until(lambda: len(app.store.vms) > 0, "the first machines")
            yield deck
        finally:
            await app.engine.stop()

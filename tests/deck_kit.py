"""A deck over the scripted collector, driven by a pilot and by a clock that stands still."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from tests.quiet_kit import PATIENCE, quiet
from tests.scripted import Estate, ScriptedCollector, datacenter
from tests.ui_kit import Recorder
from tui.ui.app import DeckApp
from tui.ui.options import DeckOptions

STEP = 0.005
CHARACTERS = {
    "space": " ", "colon": ":", "slash": "/", "comma": ",", "question_mark": "?", "at": "@",
    "exclamation_mark": "!", "plus": "+", "minus": "-", "full_stop": ".", "greater_than_sign": ">",
    "left_square_bracket": "[", "right_square_bracket": "]", "less_than_sign": "<",
    "equals_sign": "=", "number_sign": "#",
}  # fmt: skip
"""Keys with a name, and what they write."""


class Deck:
    """A running deck and everything a story needs of it."""

    def __init__(self, app: DeckApp, pilot: Pilot[int], collector: ScriptedCollector) -> None:
        self.app = app
        self.pilot = pilot
        self.collector = collector
        self.estate: Estate = collector.estate
        self.seconds = 1000.0
        """What the clock of the confirmations reads."""
        app.operator.key_clock = lambda: self.seconds

    async def settle(self) -> None:
        """Until everything that was played is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while not (await quiet(self.app) and self._settled()):
            assert time.monotonic() < deadline, "the deck does not come to rest"
            await asyncio.sleep(STEP)

    def _settled(self) -> bool:
        tables = self.app.panes.tables
        fed = self.collector.drained and self.app.engine.idle
        return fed and all(table.settled for table in tables)

    async def press(self, *keys: str) -> None:
        """Keys one by one, each after what the one before it did."""
        for key in keys:
            self.hit(key)
            await quiet(self.app)
        await self.settle()

    def hit(self, key: str) -> None:
        """A key, without waiting for anything."""
        name = CHARACTERS.get(key)
        character = name or (key if len(key) == 1 else None)
        self.app.post_message(events.Key(key, character))

    async def type(self, text: str) -> None:
        """Type into the field that has the keys."""
        names = {character: name for name, character in CHARACTERS.items()}
        for character in text:
            self.hit(names.get(character, character))
        await self.settle()

    async def say_yes(self) -> None:
        """Answer a confirmation after thinking about it."""
        self.seconds += 1
        await self.press("y")

    def key(self, name: str) -> str:
        """Identity of a machine by its name."""
        return self.estate.find(name)[1].id

    async def go(self, name: str) -> None:
        """Put the cursor on a machine."""
        assert self.app.panes.vms.grid.move_to(self.key(name))
        await self.settle()

    @property
    def names(self) -> list[str]:
        """Machines as listed."""
        rows = self.app.store.vms
        return [rows[key].name for key in self.app.panes.vms.grid.keys]

    @property
    def notices(self) -> str:
        """What the toasts say, newest last."""
        return "\n".join(notification.message for notification in self.app._notifications)

    @property
    def field(self) -> Input:
        focused = self.app.focused
        assert isinstance(focused, Input)
        return focused

    def text(self, selector: str = "") -> str:
        """What is on the screen, as text."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in lines)


@asynccontextmanager
async def deck(
    estate: Estate | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    recorded: bool = False,
    **options: Any,
) -> AsyncIterator[Deck]:
    """A deck that has taken in its estate. ``recorded``: on a terminal that keeps every byte."""
    estate = estate or datacenter()
    collector = ScriptedCollector(estate)
    app = DeckApp(
        DeckOptions(links=estate.links, **options),
        collector=collector,
        clock=lambda: estate.now,
        pace=0,
    )
    if recorded:
        app.driver_class = Recorder
    async with app.run_test(headless=not recorded, size=size) as pilot:
        story = Deck(app, pilot, collector)
        await story.settle()
        yield story
        await app.engine.stop()


def story(tale: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that is a coroutine."""

    @functools.wraps(tale)
    def told() -> None:
        asyncio.run(tale())

    return told

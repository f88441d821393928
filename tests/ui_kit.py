"""A terminal that records what is written to it, and an app around one widget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from tui.ui import style
from tui.ui.exact import ExactScreen


class Recorder(HeadlessDriver):
    """Keeps every byte the app would send to a terminal."""

    written: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.written = []

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.written.append(data)

    def take(self) -> str:
        """What was written since the last call."""
        text = "".join(self.written)
        self.written.clear()
        return text


class OneWidget(App[None]):
    """Shows one widget, remembers its messages and the keys it let pass."""

    CSS_PATH = style.stylesheets()
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, make: Callable[[], Widget], theme: str = "deck-dark") -> None:
        plain = theme == style.COLOURLESS_THEME
        super().__init__(driver_class=Recorder, ansi_color=plain or None)
        style.register(self)
        self.theme = theme
        self._make = make
        self.seen: list[Message] = []
        self.passed: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return style.variable_defaults(self.current_theme)

    def get_default_screen(self) -> ExactScreen:
        return ExactScreen()

    def compose(self) -> ComposeResult:
        yield self._make()

    def on_key(self, event: Any) -> None:
        self.passed.append(event.key)

    @property
    def recorder(self) -> Recorder:
        driver = self._driver
        assert isinstance(driver, Recorder)
        return driver

    def text(self) -> list[str]:
        """The screen, line by line."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]


def play(
    app: OneWidget,
    story: Callable[[Pilot[None]], Coroutine[Any, Any, None]],
    size: tuple[int, int] = (80, 24),
) -> None:
    """Run a story against the app, as a terminal of this size would."""

    async def scene() -> None:
        async with app.run_test(headless=False, size=size) as pilot:
            await pilot.pause()
            await story(pilot)

    asyncio.run(scene())

"""Keys wait in line: each is passed on when what the one before it did has come to rest.

Textual hands every key at once to whoever has the keys then. What a key opens has them only a
moment later, so of keys that come together (a paste, fast fingers, a slow line) all would reach
what the first of them is about to leave.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from textual import events
from textual.app import App
from textual.dom import DOMNode

LONGEST = 2.0
"""Seconds after which a key no longer waits for the one before it."""
ROUNDS = 50
"""So often what a key led to is followed; by then it is not the key that keeps us busy."""
CALM = 2
"""Rounds that meet nothing before the next key: a queue does not count what it looks at next."""

Keys = events.Key | events.Paste


class KeyLine:
    """The keys that wait, and the one under way.

    A key goes from queue to queue: from what has the keys, through all that is around it, to the
    app. What is sent after it on the same way sees it done at the end; and is sent again while
    something waits on that way, or the way begins elsewhere by now.
    """

    def __init__(self, app: App[Any], pass_on: Callable[[Keys], Awaitable[None]]) -> None:
        self._app = app
        self._pass_on = pass_on
        self._waiting: deque[Keys] = deque()
        self._since: float | None = None
        """Since when keys wait for one that is under way, or for what opens; None: they do not."""
        self._start: DOMNode | None = None
        self._turn = 0
        """Counts keys: what one of them left behind does not hold up another."""
        self._round = 0
        self._calm = 0
        """Rounds in a row that met nothing."""
        self._unpainted = 0
        """What the key under way opened, and what is not on the screen yet."""

    async def take(self, key: Keys) -> None:
        """A key came."""
        self._waiting.append(key)
        if self._since is None or time.monotonic() - self._since > LONGEST:
            await self._next()

    def after_paint(self, do: Callable[..., object] | None = None, *args: Any) -> None:
        """Something opens: keys wait until it is on the screen, and until that is done then."""
        if self._since is None:
            self._begin()
        self._unpainted += 1
        self._app.call_after_refresh(self._painted, self._turn, do, *args)

    async def _painted(self, turn: int, do: Callable[..., object] | None, *args: Any) -> None:
        result = do(*args) if do is not None else None
        if isinstance(result, Awaitable):
            await result
        if turn == self._turn:
            self._unpainted -= 1
            self._send(self._way())

    # -- one after the other ---------------------------------------------------------------

    async def _next(self) -> None:
        if not self._waiting:
            self._since = None
            return
        self._begin()
        way = self._way()
        await self._pass_on(self._waiting.popleft())
        self._send(way)

    def _begin(self) -> None:
        self._since = time.monotonic()
        self._turn += 1
        self._round = self._calm = self._unpainted = 0

    def _way(self) -> list[DOMNode]:
        """What a key passes now."""
        start = self._app.focused or self._app.screen
        return [start, *start.ancestors]

    def _send(self, way: list[DOMNode]) -> None:
        self._round += 1
        self._start = way[0]
        self._hop((self._turn, self._round), way)

    def _hop(self, sent: tuple[int, int], way: list[DOMNode]) -> None:
        """To the next place on the way; one that is closing takes nothing in any more."""
        for at, place in enumerate(way, 1):
            rest = way[at:]
            onward = partial(self._hop, sent, rest) if rest else partial(self._arrived, sent)
            if place.call_later(onward):
                return

    async def _arrived(self, sent: tuple[int, int]) -> None:
        """Everything sent on the way before has been seen to."""
        if sent != (self._turn, self._round) or self._unpainted:
            return
        way = self._way()
        busy = way[0] is not self._start or any(place.message_queue_size for place in way)
        self._calm = 0 if busy else self._calm + 1
        if self._calm < CALM and self._round < ROUNDS:
            self._send(way)
        else:
            await self._next()

"""Keys wait in line: each is passed on when what the one before it did has come to rest.

Textual hands every key at once to whoever has the keys then. What a key opens has them only a
moment later, so of keys that come together (a paste, fast fingers, a slow line) all would reach
what the first of them is about to leave. Clicks wait in the same line, and one that was aimed at
what is gone when its turn comes is for nobody.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.errors import NoWidget
from textual.screen import Screen

LONGEST = 2.0
"""Seconds after which a key no longer waits for the one before it."""
ROUNDS = 50
"""So often what a key led to is followed; by then it is not the key that keeps us busy."""
CALM = 2
"""Rounds that meet nothing before the next key: a queue does not count what it looks at next."""

Sent = events.Key | events.Paste | events.MouseDown | events.MouseUp
"""What a person sends and what waits in line."""
Sight = tuple[Screen[Any], int]
"""What is to be seen: the screen in front, and how many things have opened."""
MOVES = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")
"""Keys that only move about."""


class KeyLine:
    """The keys that wait, and the one under way.

    A key goes from queue to queue: from what has the keys, through all that is around it, to the
    app. What is sent after it on the same way sees it done at the end; and is sent again while
    something waits on that way, or the way begins elsewhere by now.
    """

    def __init__(
        self,
        app: App[Any],
        pass_on: Callable[[Sent], Awaitable[None]],
        at_once: Collection[str] = (),
    ) -> None:
        """``at_once``: keys that never wait."""
        self._app = app
        self._pass_on = pass_on
        self._at_once = frozenset(at_once)
        self._waiting: deque[tuple[Sent, Sight | None]] = deque()
        """And what was to be seen when they came."""
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
        self._openings = 0
        self._missed = False
        """The button was last pressed on what was gone: letting go of it is for nobody either."""
        self._give_up: Callable[[], None] | None = None
        """What Escape does while keys are held; None: they are not."""
        self._held: deque[tuple[Sent, Sight | None]] = deque()

    async def take(self, sent: Sent) -> None:
        """A key came, or a click."""
        if isinstance(sent, events.Key) and sent.key in self._at_once:
            await self._pass_on(sent)
            return
        self._waiting.append((sent, self._sight()))
        if self._since is None or time.monotonic() - self._since > LONGEST:
            await self._next()

    def after_paint(self, do: Callable[..., object] | None = None, *args: Any) -> None:
        """Something opens: keys wait until it is on the screen, and until that is done then."""
        if self._since is None:
            self._begin()
        self._unpainted += 1
        self._openings += 1
        self._app.call_after_refresh(self._painted, self._turn, do, *args)

    async def _painted(self, turn: int, do: Callable[..., object] | None, *args: Any) -> None:
        result = do(*args) if do is not None else None
        if isinstance(result, Awaitable):
            await result
        if turn == self._turn:
            self._unpainted -= 1
            self._send(self._way())

    # -- what has to be fetched before it opens --------------------------------------------

    @property
    def held(self) -> int:
        """How many keys wait for what is being fetched."""
        return len(self._held)

    def hold(self, give_up: Callable[[], None]) -> None:
        """Something is fetched and opens then: what is typed meanwhile is for that. Escape gives
        it up, and what was typed; moving about goes on.
        """
        self._held.clear()
        self._openings += 1
        self._give_up = give_up

    def release(self) -> None:
        """It opens, and gets what was typed."""
        self._give_up = None
        self._waiting.extendleft(reversed(self._held))
        self._held.clear()

    def drop(self) -> None:
        """It does not open: what was typed for it is for nobody."""
        self._give_up = None
        self._held.clear()
        mouse = events.MouseDown | events.MouseUp
        self._waiting = deque(one for one in self._waiting if isinstance(one[0], mouse))

    def _holds(self, sent: Sent, sight: Sight | None) -> bool:
        """It waits for what is being fetched, or ends that."""
        if self._give_up is None or not isinstance(sent, events.Key | events.Paste):
            return False
        key = sent.key if isinstance(sent, events.Key) else ""
        if key in MOVES:
            return False
        if key == "escape":
            give_up, self._give_up = self._give_up, None
            self._held.clear()
            give_up()
        else:
            self._held.append((sent, sight))
        return True

    # -- clicks ----------------------------------------------------------------------------

    def _sight(self) -> Sight | None:
        """What a click is aimed at now; None while it could only be something else."""
        if self._unpainted or self._give_up is not None:
            return None
        return self._app.screen, self._openings

    def _is_missed(self, sent: Sent, sight: Sight | None) -> bool:
        """A click on what is not in front any more."""
        if isinstance(sent, events.MouseDown):
            self._missed = sight is None or sight != self._sight()
        return self._missed and isinstance(sent, events.MouseDown | events.MouseUp)

    # -- one after the other ---------------------------------------------------------------

    async def _next(self) -> None:
        while self._waiting:
            sent, sight = self._waiting.popleft()
            if self._is_missed(sent, sight) or self._holds(sent, sight):
                continue
            self._begin()
            way = self._way(sent)
            await self._pass_on(sent)
            self._send(way)
            return
        self._since = None

    def _begin(self) -> None:
        self._since = time.monotonic()
        self._turn += 1
        self._round = self._calm = self._unpainted = 0

    def _way(self, sent: Sent | None = None) -> list[DOMNode]:
        """What a key passes now, or a click."""
        start: DOMNode = self._app.focused or self._app.screen
        if isinstance(sent, events.MouseDown | events.MouseUp):
            with suppress(NoWidget):
                start, _ = self._app.get_widget_at(sent.x, sent.y)
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

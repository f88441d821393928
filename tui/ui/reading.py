"""A machine that is read before a form opens over it; what is typed meanwhile is for the form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.actions import Target
from tui.collector.messages import Inspect
from tui.hyperv.model import Link
from tui.store import Changes
from tui.ui.header import Hint
from tui.ui.rowline import clean

if TYPE_CHECKING:
    from tui.ui.app import DeckApp
    from tui.ui.operate import Asked

LONG = 1.0
"""Seconds after which the foot of the screen tells what is waited for."""
LONGEST = 45.0
"""Seconds a form waits: more than a host has for its answer, unless it is configured otherwise."""
BACK = "app.back"


class Reading:
    """One at a time: it opens, fails, is given up, or takes too long."""

    def __init__(
        self, app: DeckApp, clock: Callable[[], float], ask: Callable[[Asked], None]
    ) -> None:
        self._app = app
        self._clock = clock
        self._ask = ask
        self._asked: Asked | None = None
        """What is asked about when it has been read; None: nothing is being read."""
        self._since = 0.0

    def hints(self) -> list[Hint]:
        """What is waited for, and how much was typed for it; nothing where that takes no time."""
        asked = self._asked
        if asked is None or self._clock() - self._since < LONG:
            return []
        found = [Hint("Esc", "Give up", BACK), Hint("Reading", clean(asked.able[0][1].name), BACK)]
        if held := self._app.keys.held:
            found.append(Hint(str(held), "key waits" if held == 1 else "keys wait", BACK))
        return found

    def is_current(self, target: Target) -> bool:
        """Its sheet shows the machine as it is. One nobody keeps fresh, or that was read before
        the last call on the machine ended, may show what was.
        """
        kept = self._app.engine.inspected == (target.host.id, target.id)
        sheet = target.sheet
        return kept and sheet is not None and sheet.read_at >= self._app.store.ended_at(target.id)

    def begin(self, asked: Asked) -> None:
        """The form starts from the machine as it is: read it first."""
        target = asked.able[0][1]
        self._asked, self._since = asked, self._clock()
        self._app.keys.hold(self._given_up)
        self._app.engine.post(Inspect(target.host.id, target.id))
        self._app.told(f"Reading {target.name}")

    def look(self, changes: Changes) -> None:
        """The store is different now: perhaps it has been read, or cannot be."""
        asked = self._asked
        if asked is None:
            return
        first = asked.able[0][1]
        pairs = [(key, self._app.store.target(key)) for key, _ in asked.able]
        able = [(key, target) for key, target in pairs if target is not None]
        if not able or able[0][1].id != first.id:
            self._fail("it is not listed any more")
        elif able[0][1].host.id != first.host.id:
            self._fail(f"it has moved to {able[0][1].host.id}, try again")
        elif self._app.store.hosts[first.host.id].vitals.link is Link.DOWN:
            self._fail(f"not read, {first.host.id} does not answer")
        elif first.id in changes.sheets and self.is_current(able[0][1]):
            self._open(replace(asked, able=able))
        # One that was being read when a call ended is old: the next one comes at once.

    def tick(self) -> None:
        """A second passed."""
        asked = self._asked
        if asked is not None and self._clock() - self._since >= LONGEST:
            self._fail(f"not read within {LONGEST:.0f} s, try again")

    def _open(self, asked: Asked) -> None:
        self._asked = None
        self._app.renew()
        before = self._app.screen
        self._ask(asked)
        if self._app.screen is not before:
            self._app.keys.release()
        else:
            self._app.keys.drop()

    def _fail(self, why: str) -> None:
        self._app.keys.drop()
        self._end(why, warning=True)

    def _given_up(self) -> None:
        self._end("given up", warning=False)

    def _end(self, why: str, *, warning: bool) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            words = f"{asked.action.title} {asked.able[0][1].name}: {why}"
            self._app.told(words, warning=warning)
            self._app.renew()

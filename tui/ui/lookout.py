"""Watches for the deck: judges what changed, notes it, and tells it by message, bell, desktop."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.rows.watching import Herald, Watcher, summary, worse
from tui.store import Changes, HostRow, Notice, VmRow
from tui.store.groups import PREFIX
from tui.ui.terminal import BELL, is_terminal, notification

if TYPE_CHECKING:
    from tui.ui.app import DeckApp


class Lookout:
    """What is watched, and who is told."""

    def __init__(self, app: DeckApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock
        self._notify = app.options.notify
        self._watcher = Watcher(app.store)
        self._herald = Herald()
        app.store.watches.name(app.options.watch)

    def look(self, changes: Changes) -> None:
        """After the store took something in: rows that stand differently are noted as changed."""
        self._take(self._watcher.look(changes, self._clock()), changes)

    def tick(self, changes: Changes) -> None:
        """After a second."""
        self._take(self._watcher.tick(changes, self._clock()), changes)

    def _take(self, notices: list[Notice], changes: Changes) -> None:
        heard = any(news.grave for news in changes.news)
        for notice in notices:
            told = notice.told or (heard and notice.target.startswith(PREFIX))
            known = replace(notice, told=told)
            self._app.store.watches.note(known, changes)
            self._herald.add([known])

    def tell(self) -> None:
        """What is due, in one message; what a message has said already only rings."""
        due = self._herald.due(self._clock())
        if not due:
            return
        if fresh := [notice for notice in due if not notice.told]:
            self._app.told(summary(fresh), warning=worse(fresh))
        driver = self._app._driver  # Textual has a call of its own for the bell alone
        if driver is None or not is_terminal(driver):
            return
        ring = BELL if self._notify.bell else ""
        asked = notification(self._notify.desktop, summary(due), os.environ)
        if ring or asked:
            driver.write(asked + ring)

    def toggle(self) -> None:
        """Watch the marked rows, or the selected one; when all of them are, no longer."""
        app, table = self._app, self._app.panes.source
        keys = table.marked() or [key for key in (table.cursor,) if key]
        rows = [row for row in map(app.store.row, keys) if isinstance(row, VmRow | HostRow)]
        rows = [row for row in rows if row.key != PREFIX]
        if not rows:
            app.told("Only hosts, clusters and machines can be watched", warning=True)
            return
        on = not all(row.watch for row in rows)
        changes = app.store.watches.choose([row.key for row in rows], on)
        self.look(changes)
        app.show(changes)
        who = f"{rows[0].name} is" if len(rows) == 1 else f"{len(rows)} rows are"
        app.told(f"{who} {'watched until the deck is left' if on else 'no longer watched'}")

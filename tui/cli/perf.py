"""``perf``: what reading costs the hosts, found out by reading them for a while."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, Final

from tui.cli import exits
from tui.cli.lists import emit
from tui.cli.reach import reached, requests_per_minute
from tui.cli.speak import narrate, prepare_glyphs, tell_troubles
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import Batch
    from tui.rows.column import Column
    from tui.store import HostRow, Store

LEAST: Final = 3.0
"""Seconds in which a host that answers is read more than once."""
PATIENCE: Final = 60.0
"""Seconds hosts get for their first answer."""
LONGEST: Final = 3600.0


def perf(arguments: argparse.Namespace) -> int:
    """Read the hosts as the deck does, and tell what they were asked."""
    from tui.collector.messages import Batch
    from tui.collector.session import Session
    from tui.rows.column import find, order
    from tui.store import Store

    if not LEAST <= arguments.seconds <= LONGEST:
        raise UsageError(f"--for takes {LEAST:g} to {LONGEST:g} s")
    store = Store()
    columns = _columns(store, operations=arguments.operations)
    by = find(columns, arguments.sort.lstrip("-") or _usual(arguments))
    ordered = order(by, reverse=arguments.sort.startswith("-") or not arguments.sort)
    prepare_glyphs(arguments)
    limit = requests_per_minute(arguments)

    with reached(arguments) as links, Session(links, requests_per_minute=limit) as session:
        store.configure(links)
        watcher = Watcher(store, arguments.seconds)
        session.attend(watcher.hear, timeout=arguments.seconds + PATIENCE)
        store.apply(Batch(loads=session.loads()), time.time())
    silent = {key: row.vitals.trouble for key, row in store.host_rows.items() if not is_up(row)}
    tell_troubles({key: trouble for key, trouble in silent.items() if trouble is not None})
    for host in [host for host, trouble in silent.items() if trouble is None]:
        narrate(f"{host}: no answer yet")
    rows: Any = store.loads.operations if arguments.operations else store.host_rows
    emit(arguments.output, columns, ordered(list(rows.values())))
    if silent and len(silent) == len(store.host_rows):
        return exits.NO_HOST
    return exits.FAILED if silent else exits.DONE


class Watcher:
    """Takes in what is told, until all hosts that answer have been read for so long."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self._until = 0.0

    def hear(self, batch: Batch) -> bool:
        """Whether it has been long enough."""
        from tui.hyperv.model import Link

        self._store.apply(batch, time.time())
        now = time.monotonic()
        if not self._until:
            links = [row.vitals.link for row in self._store.host_rows.values()]
            if Link.CONNECTING in links:
                return False
            self._until = now + self._seconds
        return now >= self._until


def is_up(row: HostRow) -> bool:
    from tui.hyperv.model import Link

    return row.vitals.link in (Link.UP, Link.SLOW)


def _usual(arguments: argparse.Namespace) -> str:
    return "seconds" if arguments.operations else "requests"


def _columns(store: Store, *, operations: bool) -> list[Column[Any]]:
    """Those of the page, without the line of an hour."""
    from tui.rows import load

    if operations:
        return list(load.OPERATION_COLUMNS)
    return [column for column in load.host_columns(store) if column.id not in ("hour", "interval")]

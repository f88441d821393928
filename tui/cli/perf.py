"""``perf``: what reading costs the hosts, found out by reading them for a while."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, Final

from tui.cli import exits
from tui.cli.lists import emit
from tui.cli.reach import reached, requests_per_minute
from tui.cli.speak import prepare_glyphs, tell_troubles
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.rows.column import Column
    from tui.store import Store

LEAST: Final = 3.0
"""Seconds in which every host that answers has been counted once."""
LONGEST: Final = 3600.0


def perf(arguments: argparse.Namespace) -> int:
    """Read the hosts as the deck does, and tell what they were asked."""
    from tui.collector.messages import Batch
    from tui.collector.session import Session
    from tui.hyperv.model import Link
    from tui.rows.column import find, order
    from tui.store import Store

    if not LEAST <= arguments.seconds <= LONGEST:
        raise UsageError(f"--for takes seconds, {LEAST:g} to {LONGEST:g}")
    store = Store()
    columns = _columns(store, operations=arguments.operations)
    by = find(columns, arguments.sort.lstrip("-") or _usual(arguments))
    ordered = order(by, reverse=arguments.sort.startswith("-") or not arguments.sort)
    prepare_glyphs(arguments)
    limit = requests_per_minute(arguments)

    def hear(batch: Batch) -> bool:
        store.apply(batch, time.time())
        return False

    with reached(arguments) as links, Session(links, requests_per_minute=limit) as session:
        store.configure(links)
        session.attend(hear, timeout=arguments.seconds)
        store.apply(Batch(loads=session.loads()), time.time())
    vitals = {key: row.vitals for key, row in store.host_rows.items()}
    troubles = {key: one.trouble for key, one in vitals.items() if one.link is Link.DOWN}
    tell_troubles({key: trouble for key, trouble in troubles.items() if trouble is not None})
    rows: Any = store.loads.operations if arguments.operations else store.host_rows
    emit(arguments.output, columns, ordered(list(rows.values())))
    if troubles and len(troubles) == len(vitals):
        return exits.NO_HOST
    return exits.FAILED if troubles else exits.DONE


def _usual(arguments: argparse.Namespace) -> str:
    return "seconds" if arguments.operations else "requests"


def _columns(store: Store, *, operations: bool) -> list[Column[Any]]:
    """Those of the page, without the line of an hour."""
    from tui.rows import load

    if operations:
        return list(load.OPERATION_COLUMNS)
    return [column for column in load.host_columns(store) if column.id not in ("hour", "interval")]

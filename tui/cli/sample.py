"""``sample``: what machines or hosts use, read again and again, told as it comes."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tui.cli import exits
from tui.cli.language import LISTS
from tui.cli.reach import host_tags, reached, requests_per_minute
from tui.cli.speak import narrate, prepare_glyphs, silent, tell_of
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import Batch
    from tui.rows.column import Column
    from tui.rows.top import Span
    from tui.store import Store

PACE: Final = 2.0
"""Seconds between readings, as in the deck: a peak between two samples is seen."""
LONGEST: Final = 86_400.0
"""Seconds between samples, at most."""


def sample(arguments: argparse.Namespace) -> int:
    """Take samples until there are enough of them, or until Ctrl-C."""
    from tui.cli.gather import read
    from tui.collector.messages import Batch
    from tui.collector.session import Session
    from tui.rows.columns import find
    from tui.rows.filter import parse

    _check(arguments)
    kind = LISTS[arguments.what]
    parse(arguments.filter, kind)
    find(_columns(kind, None, 0.0), arguments.sort.lstrip("-") or "name")
    prepare_glyphs(arguments)
    limit = requests_per_minute(arguments)
    with reached(arguments) as links, Session(links, requests_per_minute=limit) as session:
        store = read(session, flows=True)
        sampler = Sampler(arguments, store)
        if len(session.troubles) == len(links):
            sampler.silent()
            return exits.NO_HOST
        if not sampler.hear(Batch()):
            session.follow(sampler.hear, every=min(PACE, arguments.every))
    return exits.FAILED if sampler.incomplete else exits.DONE


def _check(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.every <= LONGEST:
        raise UsageError("--every takes seconds, at least 1")
    if arguments.count is not None and arguments.count < 1:
        raise UsageError("--count takes a number, at least 1")


def _columns(kind: str, span: Span | None, at: float) -> list[Column[Any]]:
    """The columns of top without lines, after the time of the sample."""
    from tui.rows import text
    from tui.rows.column import Cell, Column
    from tui.rows.top import Span, host_columns, vm_columns
    from tui.store import Store

    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    when = moment.replace("+00:00", "Z")
    stamp: Column[Any] = Column(
        "time", "Time", lambda _: when, lambda _: Cell(text.clock(at)), 8, priority=0
    )
    make = vm_columns if kind == "vm" else host_columns
    return [stamp, *make(span or Span(Store()), lines=False)]


class Sampler:
    """Follows the hosts, and tells how they stand when it is time to."""

    def __init__(self, arguments: argparse.Namespace, store: Store) -> None:
        from tui.rows.filter import parse
        from tui.rows.top import WINDOWS, Span

        self.incomplete = False
        """Some host was missing in a sample."""
        self._kind = LISTS[arguments.what]
        self._sort = arguments.sort
        self._form = arguments.output
        self._every = arguments.every
        self._left = arguments.count
        self._store = store
        self._wanted = parse(arguments.filter, self._kind, host_tags(arguments))
        self._span = Span(store, WINDOWS[-1])
        self._due = time.monotonic()
        self._told: dict[str, str] = {}
        self._begun = False

    def hear(self, batch: Batch) -> bool:
        """Take in what changed; whether there are samples enough."""
        self._store.apply(batch, time.time())
        now = time.monotonic()
        if now < self._due:
            return False
        self._due += self._every * (1 + (now - self._due) // self._every)
        self._tell(time.time())
        if self._left is not None:
            self._left -= 1
        return self._left == 0

    def _tell(self, at: float) -> None:
        """One sample of the hosts that answer."""
        from tui.cli.batch import rows_of
        from tui.rows.column import find, order

        missing = self.silent()
        self.incomplete = self.incomplete or bool(missing)
        self._span.renew()
        columns = _columns(self._kind, self._span, at)
        by = find(columns, self._sort.lstrip("-") or "name")
        ordered = order(by, reverse=self._sort.startswith("-"))
        rows = self._wanted.select(rows_of(self._store, self._kind).values())
        self._write(columns, ordered([row for row in rows if row.host.id not in missing]))
        sys.stdout.flush()

    def silent(self) -> set[str]:
        """Hosts that do not answer. Each is named once, and once more when it does again."""
        missing = silent(self._store)
        for host, line in missing.items():
            if self._told.get(host) != line:
                tell_of(host, line)
        for host in self._told.keys() - missing.keys():
            narrate(f"{host} answers again")
        self._told = missing
        return set(missing)

    def _write(self, columns: Sequence[Column[Any]], rows: Sequence[Any]) -> None:
        from tui.rows import export, text

        form = self._form
        if form == "json":
            for row in rows:
                data = {column.id: export.value_of(column, row) for column in columns}
                sys.stdout.write(json.dumps(data, ensure_ascii=text.ascii_in_use()) + "\n")
        elif form == "csv":
            told = export.comma_separated(columns, rows)
            sys.stdout.write(told.partition("\r\n")[2] if self._begun else told)
        else:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            gap = "\n" if self._begun else ""
            sys.stdout.write(gap + export.table(columns, rows, width=width))
        self._begun = True

"""``sample``: a table of top, read again and again, told as it comes."""

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
from tui.cli.reach import host_tags, reached, requests_per_minute
from tui.cli.speak import narrate, prepare_glyphs, silent, tell_of
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import Batch
    from tui.hyperv.meters import Look
    from tui.rows.column import Column
    from tui.rows.ranking import Ranking
    from tui.rows.top import Span
    from tui.store import Store

PACE: Final = 2.0
"""Seconds between readings, as in the deck: a peak between two samples is seen."""
LONGEST: Final = 86_400.0
"""Seconds between samples, at most."""


def sample(arguments: argparse.Namespace) -> int:
    """Take samples until there are enough of them, or until Ctrl-C."""
    from tui.cli.gather import read
    from tui.collector.messages import Attend, Batch
    from tui.collector.session import Session
    from tui.rows.filter import parse
    from tui.rows.ranking import RANKINGS

    _check(arguments)
    ranking = RANKINGS[arguments.what]
    parse(arguments.filter, ranking.kind)
    shown = Shown(ranking, arguments.columns, arguments.sort)
    prepare_glyphs(arguments)
    limit = requests_per_minute(arguments)
    with reached(arguments) as links, Session(links, requests_per_minute=limit) as session:
        store = read(session, flows=ranking.look is None)
        sampler = Sampler(arguments, store, shown)
        if len(session.troubles) == len(links):
            sampler.silent()
            return exits.NO_HOST
        session.look(Attend(shown.looks))
        if not sampler.hear(Batch()):
            session.follow(sampler.hear, every=min(PACE, arguments.every))
    return exits.FAILED if sampler.incomplete else exits.DONE


def _check(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.every <= LONGEST:
        raise UsageError("--every takes seconds, at least 1")
    if arguments.count is not None and arguments.count < 1:
        raise UsageError("--count takes a number, at least 1")


def _stamp(at: float) -> Column[Any]:
    """The time of the sample."""
    from tui.rows import text
    from tui.rows.column import Cell, Column

    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    when = moment.replace("+00:00", "Z")
    return Column("time", "Time", lambda _: when, lambda _: Cell(text.clock(at)), 8, priority=0)


class Shown:
    """Which columns of a table of top a sample has, and by which it is sorted. Raises UsageError
    for one there is not.
    """

    def __init__(self, ranking: Ranking, columns: str, sort: str) -> None:
        from tui.rows.column import find, select
        from tui.rows.top import Span
        from tui.store import Store

        self.ranking = ranking
        self._by, self._reverse = sort.lstrip("-") or "name", sort.startswith("-")
        draft = [_stamp(0.0), *ranking.columns(Span(Store()), False)]
        by = find(draft, self._by)
        usual = ranking.usual(draft)
        ids = [column.id for column in select(draft, columns, usual) if column.id != "time"]
        self._ids = ("time", *ids)
        self.looks = ranking.looks((*ids, by.id))
        """What must be measured for it."""

    def columns(self, span: Span, at: float) -> list[Column[Any]]:
        """Without lines, behind the time."""
        from tui.rows.column import find

        known = self._known(span, at)
        return [find(known, id) for id in self._ids]

    def ordered(self, span: Span, rows: Sequence[Any]) -> list[Any]:
        from tui.rows.column import find, order

        return order(find(self._known(span, 0.0), self._by), reverse=self._reverse)(rows)

    def _known(self, span: Span, at: float) -> list[Column[Any]]:
        return [_stamp(at), *self.ranking.columns(span, False)]


class Sampler:
    """Follows the hosts, and tells how they stand when it is time to."""

    def __init__(self, arguments: argparse.Namespace, store: Store, shown: Shown) -> None:
        from tui.cli.top import Watch
        from tui.rows.filter import parse
        from tui.rows.top import WINDOWS, Span

        self.incomplete = False
        """Some host was missing in a sample, or refused to measure."""
        self._shown = shown
        self._form = arguments.output
        self._every = arguments.every
        self._left = arguments.count
        self._store = store
        self._wanted = parse(arguments.filter, shown.ranking.kind, host_tags(arguments))
        self._span = Span(store, WINDOWS[-1])
        self._watch = Watch(store, shown.looks, 0.0)
        self._measured = not shown.looks
        """What has to be measured has been often enough for a first sample."""
        self._due = time.monotonic()
        self._told: dict[str, str] = {}
        self._refusals: dict[tuple[str, Look], str] = {}
        self._begun = False

    def hear(self, batch: Batch) -> bool:
        """Take in what changed; whether there are samples enough."""
        self._store.apply(batch, time.time())
        now = time.monotonic()
        if not self._measured:
            self._measured, self._due = self._watch.enough(), now
        if now < self._due or not self._measured:
            return False
        self._due += self._every * (1 + (now - self._due) // self._every)
        self._tell(time.time())
        if self._left is not None:
            self._left -= 1
        return self._left == 0

    def _tell(self, at: float) -> None:
        """One sample of the hosts that answer."""
        missing = self.silent()
        self._refuse()
        self.incomplete = self.incomplete or bool(missing or self._refusals)
        self._span.renew()
        rows = self._wanted.select(self._shown.ranking.rows(self._store).values())
        there = [row for row in rows if row.host.id not in missing]
        self._write(self._shown.columns(self._span, at), self._shown.ordered(self._span, there))
        sys.stdout.flush()

    def _refuse(self) -> None:
        """Say what hosts refuse to measure, each once."""
        refused = self._watch.refusals()
        for line in [line for key, line in refused.items() if self._refusals.get(key) != line]:
            narrate(line)
        self._refusals = refused

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

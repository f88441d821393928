"""``top``: who uses most now: machines, hosts, or their disks, adapters, uplinks and volumes."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Final

from tui.cli import exits
from tui.cli.lists import emit
from tui.cli.reach import host_tags, reached
from tui.cli.speak import narrate, prepare_glyphs, silent, tell_of
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import Batch
    from tui.hyperv.meters import Look
    from tui.store import Store

PACE: Final = 1.0
"""Seconds between readings."""
READINGS: Final = 2
"""Behind the first that was asked to measure; rates are made of two."""
PATIENCE: Final = 20.0
"""Seconds hosts get for them."""
LONGEST: Final = 3600.0


def top(arguments: argparse.Namespace) -> int:
    """Measure for a while, then tell once."""
    from tui.cli.gather import read
    from tui.collector.messages import Attend
    from tui.collector.session import Session
    from tui.rows import columns
    from tui.rows.filter import parse
    from tui.rows.ranking import RANKINGS
    from tui.rows.top import WINDOWS, Span
    from tui.store import Store

    ranking = RANKINGS[arguments.what]
    if arguments.seconds > LONGEST:
        raise UsageError("--for takes an hour at most")
    draft = ranking.columns(Span(Store()), False)
    ids = [one.id for one in columns.select(draft, arguments.columns, ranking.usual(draft))]
    sort = arguments.sort or f"-{ranking.sort}"
    columns.find(draft, sort.lstrip("-"))
    parse(arguments.filter, ranking.kind)
    looks = ranking.looks((*ids, sort.lstrip("-")))
    prepare_glyphs(arguments)
    with reached(arguments) as links, Session(links) as session:
        store = read(session, flows=ranking.look is None)
        watch = Watch(store, looks, arguments.seconds)
        if len(session.troubles) < len(links):
            session.look(Attend(looks))
            session.follow(watch.hear, every=PACE)
        wanted = parse(arguments.filter, ranking.kind, host_tags(arguments))
    span = Span(store, WINDOWS[-1])
    known = ranking.columns(span, False)
    order = columns.order(columns.find(known, sort.lstrip("-")), reverse=sort.startswith("-"))
    missing = watch.missing()
    rows = [row for row in ranking.rows(store).values() if row.host.id not in missing]
    emit(arguments.output, [columns.find(known, id) for id in ids], order(wanted.select(rows)))
    if len(missing) == len(links):
        return exits.NO_HOST
    return exits.FAILED if missing or watch.tell() else exits.DONE


class Watch:
    """Follows hosts until they have been measured often and long enough."""

    def __init__(self, store: Store, looks: tuple[Look, ...], seconds: float) -> None:
        self._store = store
        self._looks = looks
        started = time.monotonic()
        self._due = started + seconds
        self._end = self._due + PATIENCE
        self._heard: dict[str, float] = {}
        """When a host was last read, by host."""
        self._readings: dict[str, int] = {}

    def hear(self, batch: Batch) -> bool:
        """Take in what changed; whether that is enough."""
        self._store.apply(batch, time.time())
        return self.enough()

    def enough(self) -> bool:
        """Count what the store has been told; whether that is enough."""
        for host, entry in self._store.hosts.items():
            measured = all(self._told(host, look) for look in self._looks)
            if measured and entry.read_at != self._heard.get(host, 0.0):
                self._readings[host] = self._readings.get(host, -1) + 1
                self._heard[host] = entry.read_at
        now = time.monotonic()
        if now < self._due:
            return False
        return now >= self._end or self._waiting() <= silent(self._store).keys()

    def _told(self, host: str, look: Look) -> bool:
        told = self._store.measured.told.get(host)
        return told is not None and look in told.meters.looks

    def _waiting(self) -> set[str]:
        hosts = self._store.hosts
        return {host for host in hosts if self._readings.get(host, 0) < READINGS}

    def missing(self) -> set[str]:
        """Hosts that have told nothing, each with its reason."""
        found = silent(self._store)
        for host, line in found.items():
            tell_of(host, line)
        return set(found)

    def tell(self) -> bool:
        """Say what hosts refuse to measure; whether there is any such."""
        refused = self.refusals().values()
        for line in refused:
            narrate(line)
        return bool(refused)

    def refusals(self) -> dict[tuple[str, Look], str]:
        """What hosts refuse to measure now, and why."""
        return {
            (host, look): f"{host}: {why}"
            for look in self._looks
            for host, why in sorted(self._store.measured.refused(look).items())
        }

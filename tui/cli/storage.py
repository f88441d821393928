"""``storage``: volumes, files, and memory, read once or for a while."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from tui.cli import exits
from tui.cli.lists import emit
from tui.cli.reach import host_tags, reached
from tui.cli.speak import prepare_glyphs, silent, tell_troubles
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import Batch
    from tui.hyperv.meters import Look
    from tui.store import Store

LONGEST: Final = 7 * 86_400.0
"""Seconds of reading, at most."""
PATIENCE: Final = 300.0
"""Seconds to wait for what nothing was told of yet."""


def storage(arguments: argparse.Namespace) -> int:
    """Read hosts and what the table is about; then tell."""
    from tui.cli.gather import read
    from tui.collector.messages import Attend
    from tui.collector.session import Session
    from tui.hyperv.meters import Look
    from tui.rows import columns
    from tui.rows.filter import parse
    from tui.rows.storage_columns import TABLES

    if arguments.seconds > LONGEST:
        raise UsageError("--for takes a week at most")
    table = TABLES[arguments.table]
    shown = columns.select(table.columns, arguments.columns, table.default)
    order = arguments.sort or (f"-{table.sort}" if table.sort else "")
    by = columns.find(table.columns, order.lstrip("-")) if order else None
    parse(arguments.filter, table.vocabulary)
    prepare_glyphs(arguments)
    with reached(arguments) as links, Session(links) as session:
        store = read(session, rates=Look.IMAGES not in table.looks)
        tell_troubles(session.troubles)
        if len(session.troubles) == len(links):
            return exits.NO_HOST
        session.look(Attend(table.looks))
        answering = set(session.links) - session.troubles.keys()
        reading = _Reading(store, answering, table.looks, arguments.seconds)
        session.attend(reading.hear, timeout=arguments.seconds + PATIENCE)
        wanted = parse(arguments.filter, table.vocabulary, host_tags(arguments))
    rows = wanted.select(list(table.lines(store)))
    if by is not None:
        rows = columns.order(by, reverse=order.startswith("-"))(rows)
    emit(arguments.output, shown, rows)
    return exits.FAILED if session.troubles else exits.DONE


class _Reading:
    """Goes on for a while, and until all that counts has been measured once."""

    def __init__(
        self, store: Store, hosts: Collection[str], looks: Collection[Look], seconds: float
    ) -> None:
        self._store = store
        self._hosts = hosts
        self._looks = looks
        self._until = time.monotonic() + seconds

    def hear(self, batch: Batch) -> bool:
        """Take in what changed; whether that is enough."""
        self._store.apply(batch, time.time())
        if time.monotonic() < self._until:
            return False
        return self._pressed() and all(map(self._surveyed, self._hosts))

    def _pressed(self) -> bool:
        """Whoever answers has told of its memory."""
        from tui.hyperv.meters import Look

        if Look.MEMORY not in self._looks:
            return True
        told = self._store.measured.told
        known = {host for host, one in told.items() if Look.MEMORY in one.meters.looks}
        return set(self._hosts) - known <= silent(self._store).keys()

    def _surveyed(self, host: str) -> bool:
        from tui.hyperv.meters import Look

        if Look.IMAGES not in self._looks:
            return True
        files = self._store.space.files.get(host)
        if files is None:
            rows = self._store.vms.values()
            return not any(row.vm.disks for row in rows if row.host.id == host)
        return all(file.read_at for file in files.values())

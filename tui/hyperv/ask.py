"""Queries as data, and asking them so that a class a host lacks costs that class alone.

Hosts differ by version: a projected column or a class that is not there makes the host refuse
the whole query. So each query is narrowed to the columns we use, widened once when that is
refused, narrowed again to those of them that the host turns out to have, and left out for a
while when the class itself is not there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.errors import Fault
from tui.hyperv import clean, meanings
from tui.wsman.cim import CimInstance
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

log = logging.getLogger(__name__)

RETRY = 600.0
"""Seconds after which a class that was not there is asked for again."""


@dataclass(frozen=True, slots=True)
class Query:
    """One class, the columns wanted (none: all), and a WQL condition."""

    class_name: str
    columns: tuple[str, ...] = ()
    where: str = ""
    namespace: str = VIRTUALIZATION
    widens: bool = True
    """False: whole instances cost the host too much ever to ask for them."""
    dense: bool = False
    """Rows have a value in every column the class has: one without any is not there."""

    def wql(self, *, wide: bool = False) -> str:
        """The query's text; ``wide`` asks for whole instances."""
        columns = "*" if wide or not self.columns else ", ".join(self.columns)
        text = f"SELECT {columns} FROM {self.class_name}"
        return f"{text} WHERE {self.where}" if self.where else text


class Asker:
    """Asks queries of one host and remembers what it cannot answer."""

    def __init__(self, client: CimClient, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._wide: set[Query] = set()
        self._narrowed: dict[Query, Query] = {}
        """Queries some columns of which the host lacks, and what is asked instead."""
        self._absent: dict[Query, float] = {}
        self.refusals: dict[str, Fault] = {}
        """Class name → why the host does not answer for it."""

    def is_absent(self, query: Query) -> bool:
        """The class was not there, and it is too early to ask again."""
        return self._now() < self._absent.get(query, 0.0)

    def refusal(self, query: Query) -> Fault | None:
        """Why the host does not answer for it; None while it does, or may if asked otherwise."""
        return self.refusals.get(query.class_name) if self.is_absent(query) else None

    def required(self, query: Query) -> list[CimInstance]:
        """The rows; a refusal is the caller's."""
        wide = query in self._wide or not query.columns
        try:
            return self._rows(query, wide=wide)
        except Fault as fault:
            if wide or not query.widens or not meanings.is_missing(fault):
                raise
        rows = self._rows(query, wide=True)
        self._wide.add(query)
        return rows

    def _rows(self, query: Query, *, wide: bool) -> list[CimInstance]:
        asked = self._narrowed.get(query, query)
        narrowed = asked is not query
        rows = self._client.query(query.namespace, asked.wql(wide=wide and not narrowed))
        if wide and query.columns and not narrowed and rows:
            known = {
                name.lower()
                for row in rows
                for name, value in row.values.items()
                if value is not None or not query.dense
            }
            kept = tuple(column for column in query.columns if column.lower() in known)
            if kept and len(kept) < len(query.columns):
                self._narrowed[query] = replace(query, columns=kept)
        return rows

    def optional(self, query: Query, *, once: bool = False) -> list[CimInstance] | None:
        """The rows; None when this host does not answer for the class now.

        ``once`` spends a single request: widening waits for the next time.
        """
        if self.is_absent(query):
            return None
        wide = query in self._wide or not query.columns
        try:
            rows = self._rows(query, wide=wide)
        except Fault as fault:
            if not self._learn(query, fault, wide=wide) or once:
                return None
            return self.optional(query, once=True)
        self.refusals.pop(query.class_name, None)
        return rows

    def related(self, row: CimInstance, link: str) -> list[CimInstance] | None:
        """What an association leads to from an instance with an InstanceID; None when refused."""
        path = f'{row.class_name}.InstanceID="{clean.text(row.get("InstanceID"))}"'
        wql = f"ASSOCIATORS OF {{{path}}} WHERE AssocClass={link}"
        try:
            return self._client.query(row.namespace or VIRTUALIZATION, wql)
        except Fault as fault:
            log.info("%s refused: %s", link, fault)
            return None

    def _learn(self, query: Query, fault: Fault, *, wide: bool) -> bool:
        """Take note of a refusal. True when asking wider may help at once."""
        log.info("%s refused: %s", query.class_name, fault)
        self.refusals[query.class_name] = fault
        if meanings.is_missing(fault) and query.widens and not wide:
            self._wide.add(query)
            return True
        if meanings.is_missing(fault) or meanings.is_denied(fault):
            self._wide.discard(query)
            self._narrowed.pop(query, None)
            self._absent[query] = self._now() + RETRY
        return False

"""What hvdeck costs the hosts, as columns; they are of one store, which holds the loads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from tui.collector.messages import HostLoad
from tui.rows import text
from tui.rows.column import Cell, Column, find, plain
from tui.rows.columns import HOST_COLUMNS
from tui.rows.spark import sparkline
from tui.rows.vocabulary import Unit, Vocabulary, no_tags, place, table, text_of, value_of
from tui.store import HostRow, Store
from tui.store.loads import OperationRow

CELLS: Final = 12
"""Of the line of an hour."""
HEIGHTS: Final = 7
"""Of a line: a full cell would touch the row above."""
ACTING: Final = "act"
_ASKING: Final = re.compile(r"^Enumerate |SELECT .+? FROM ")


def requests(load: HostLoad, lane: str = "") -> int:
    """Requests of the last minute, of all lanes or those of one name."""
    return sum(part.requests for part in load.lanes if lane in ("", part.lane))


def octets(load: HostLoad) -> int:
    """Bytes of the last minute, both ways."""
    return sum(part.bytes for part in load.lanes)


def waited(load: HostLoad) -> float:
    """Seconds of the last minute that messages waited for their turn."""
    return sum(part.waited for part in load.lanes)


def failures(load: HostLoad) -> int:
    """Requests that failed in the last hour."""
    return sum(part.failures for part in load.lanes)


def reading(load: HostLoad) -> int:
    """Requests of the last minute that count against the cap."""
    return requests(load) - requests(load, ACTING)


def hour(load: HostLoad) -> list[float | None]:
    """Requests a minute over equal parts of the last hour; None before the first."""
    span = max(1, len(load.minutes) // CELLS)
    found: list[float | None] = []
    for at in range(0, len(load.minutes), span):
        mean = sum(load.minutes[at : at + span]) / span
        found.append(mean if mean or any(found) else None)
    return found


def brief(operation: str) -> str:
    """An operation without the properties it asks for: ``Msvm_Memory WHERE Name = '…'``."""
    return _ASKING.sub("", operation)


def cap_words(load: HostLoad) -> str:
    """``15% of 600``; ``30 capped`` where that holds reading up."""
    if not load.cap:
        return "none"
    if load.capped:
        return f"{load.cap} capped"
    return f"{100 * reading(load) / load.cap:.0f}% of {load.cap}"


def _cap(load: HostLoad) -> Cell:
    return Cell(cap_words(load), "warning" if load.capped else "dim")


def _share(load: HostLoad) -> float | None:
    return reading(load) / load.cap if load.cap else None


def _failed(number: int) -> Cell:
    return Cell(text.count(number), "warning" if number else "")


def _line(load: HostLoad) -> Cell:
    values = hour(load)
    top = max((value for value in values if value is not None), default=0.0)
    return Cell(sparkline(values, CELLS, text.ascii_in_use(), top, HEIGHTS), "accent-bar")


def _column(
    loads: Mapping[str, HostLoad],
    id: str,
    title: str,
    value: Callable[[HostLoad], Any],
    cell: Callable[[HostLoad], Cell],
    width: int,
    priority: int,
    *,
    right: bool = True,
    **more: Any,
) -> Column[Any]:
    """Of a host's load, as far as it has been told."""

    def of(row: HostRow) -> Any:
        load = loads.get(row.key)
        return None if load is None else value(load)

    def drawn(row: HostRow) -> Cell:
        load = loads.get(row.key)
        return Cell("") if load is None else cell(load)

    return Column(id, title, of, drawn, width, right=right, priority=priority, **more)


def host_columns(store: Store) -> tuple[Column[Any], ...]:
    """Of hosts, by what is asked of them."""
    told = partial(_column, store.loads.hosts)
    name, state = (find(HOST_COLUMNS, column) for column in ("name", "state"))
    return (
        replace(name, width=14, minimum=10),
        replace(state, priority=7),
        told("requests", "Req/min", requests, plain(lambda load: str(requests(load))), 8, 0),
        told("bytes", "Bytes/min", octets, plain(lambda load: text.size(octets(load))), 9, 1),
        told("p50", "p50", lambda load: load.p50, plain(lambda load: text.latency(load.p50)), 7, 1),
        told("p95", "p95", lambda load: load.p95, plain(lambda load: text.latency(load.p95)), 7, 1),
        told("worst", "Worst", lambda load: load.worst or None,
             plain(lambda load: text.latency(load.worst)), 7, 2),
        told("failures", "Failed", failures,
             lambda load: _failed(failures(load)), 6, 3),
        Column("interval", "Every", lambda row: row.vitals.interval or None,
               plain(lambda row: f"{row.vitals.interval:.0f} s"), 5, right=True, priority=4),
        told("cap", "Cap", _share, _cap, 11, 2),
        told("hour", "Last hour", requests, _line, CELLS, 5),
        told("slowest", "Slowest lately", lambda load: load.slowest,
             plain(lambda load: brief(load.slowest)), 24, 7, minimum=14, right=False, grow=True,
             prose=True),
        told("waited", "Waited", waited,
             plain(lambda load: text.latency(waited(load))), 7, 8),
        told("acting", "Act/min", lambda load: requests(load, ACTING),
             plain(lambda load: text.count(requests(load, ACTING))), 7, 9),
        told("total", "Requests", lambda load: load.requests,
             plain(lambda load: str(load.requests)), 8, 10),
        told("received", "Bytes", lambda load: load.bytes,
             plain(lambda load: text.size(load.bytes)), 8, 10),
    )  # fmt: skip


HOST_DEFAULT: Final = (
    "name", "requests", "bytes", "p50", "p95", "worst", "failures", "interval", "cap", "hour",
    "slowest", "waited",
)  # fmt: skip


def _took(get: Callable[[OperationRow], float]) -> Callable[[OperationRow], Cell]:
    return plain(lambda row: text.latency(get(row)))


OPERATION_COLUMNS: Final[Sequence[Column[OperationRow]]] = (
    Column("host", "Host", lambda r: r.host.id, plain(lambda r: r.host.id), 12, 8, priority=2),
    Column("operation", "Operation", lambda r: r.name, plain(lambda r: brief(r.name)),
           40, 26, priority=0, grow=True),
    Column("lanes", "Lanes", lambda r: r.load.lanes, plain(lambda r: r.load.lanes, "dim"),
           9, priority=7),
    Column("count", "Count", lambda r: r.load.count, plain(lambda r: str(r.load.count)),
           6, right=True, priority=1),
    Column("median", "p50", lambda r: r.load.median, _took(lambda r: r.load.median),
           7, right=True, priority=1),
    Column("p95", "p95", lambda r: r.load.p95, _took(lambda r: r.load.p95),
           7, right=True, priority=1),
    Column("worst", "Worst", lambda r: r.load.worst, _took(lambda r: r.load.worst),
           7, right=True, priority=3),
    Column("bytes", "Bytes", lambda r: r.load.bytes, plain(lambda r: text.size(r.load.bytes)),
           7, right=True, priority=2),
    Column("seconds", "Together", lambda r: r.load.seconds, _took(lambda r: r.load.seconds),
           9, right=True, priority=4),
    Column("failures", "Failed", lambda r: r.load.failures,
           lambda r: _failed(r.load.failures), 6, right=True, priority=5),
    Column("at", "Last", lambda r: r.load.at, plain(lambda r: text.clock(r.load.at)),
           8, right=True, priority=6),
)  # fmt: skip


def _problem(row: OperationRow) -> bool:
    return row.load.failures > 0


OPERATION: Final = Vocabulary(
    fields=table(
        text_of("host", lambda r: place(r.host)),
        text_of("operation op", lambda r: (r.name,)),
        text_of("lane", lambda r: tuple(r.load.lanes.split("+"))),
        value_of(Unit.NUMBER, "count", lambda r: r.load.count),
        value_of(Unit.AGE, "p95", lambda r: r.load.p95),
        value_of(Unit.AGE, "took worst", lambda r: r.load.worst),
        value_of(Unit.SIZE, "bytes", lambda r: r.load.bytes),
    ),
    flags={"problem": _problem},
    pieces=lambda r: (r.host.id, r.name),
    place=lambda r: place(r.host),
    tags=no_tags,
    host=lambda r: str(r.host.id),
)

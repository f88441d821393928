"""What volumes, files, and the memory of hosts and machines can be filtered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui.rows import storage_columns as columns
from tui.rows.audit import Line
from tui.rows.meters import pressure
from tui.rows.vocabulary import (
    COMMON,
    FilterField,
    Unit,
    Vocabulary,
    no_tags,
    table,
    text_of,
    value_of,
)


def _at(*tones: str) -> Callable[[Line], bool]:
    return lambda row: row.tone in tones


def _vocabulary(pieces: Callable[[Any], Sequence[str]], *fields: FilterField) -> Vocabulary:
    """Every line has hosts, clusters and machines; the rest is its own."""
    return Vocabulary(
        fields=table(
            text_of("vm", lambda r: r.vms),
            text_of("host", lambda r: r.hosts),
            text_of("cluster", lambda r: r.clusters),
            *fields,
        ),
        flags={
            **COMMON,
            "problem": _at("error", "warning"),
            "error": _at("error"),
            "warning": _at("warning"),
        },
        pieces=lambda r: (*pieces(r), *r.vms, *r.hosts),
        place=lambda r: (*r.hosts, *r.clusters),
        tags=no_tags,
        host=lambda r: r.hosts[0] if r.hosts else "",
    )


STORED: Mapping[str, Vocabulary] = {
    "space": _vocabulary(
        lambda r: (r.name, r.label),
        text_of("name volume", lambda r: (r.name, r.label)),
        value_of(Unit.SIZE, "free", lambda r: r.free, lambda r: r.free_share),
        value_of(Unit.SIZE, "size", lambda r: r.capacity),
        value_of(Unit.PERCENT, "used", lambda r: 100.0 - r.free_share),
        value_of(Unit.PERCENT, "overcommit grown", lambda r: r.overcommit),
        value_of(Unit.AGE, "full", lambda r: r.full_in),
    ),
    "file": _vocabulary(
        lambda r: (r.file.path,),
        text_of("name file path", lambda r: (r.file.path,)),
        text_of("volume", lambda r: (r.volume_name,)),
        text_of("kind", lambda r: (columns.kind_of(r).text,)),
        value_of(Unit.SIZE, "used", lambda r: r.file.used if r.read else None),
        value_of(Unit.SIZE, "limit", lambda r: r.file.size or None),
    ),
    "memory": _vocabulary(
        lambda r: (),
        value_of(Unit.SIZE, "available free", lambda r: r.available),
        value_of(Unit.PERCENT, "pressure", lambda r: r.pressure),
        value_of(Unit.PERCENT, "overcommit", lambda r: r.overcommit),
    ),
    "guest": _vocabulary(
        lambda r: (),
        text_of("name", lambda r: r.vms),
        value_of(Unit.SIZE, "memory", lambda r: r.row.vitals.memory),
        value_of(Unit.PERCENT, "pressure", lambda r: pressure(r.row)),
        value_of(Unit.SIZE, "used files", lambda r: r.used),
    ),
}
"""By the name of the table's vocabulary."""

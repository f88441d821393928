"""What a vocabulary of the filter grammar is made of: fields, ``is:`` words, pieces of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tui.hyperv.model import Host
from tui.store.rows import Stale


class Unit(StrEnum):
    """What a field's value is, and so how the words for it are read."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"
    SIZE = "size"
    AGE = "age"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field: its names (the first is the one shown) and how to read it off a row."""

    names: tuple[str, ...]
    unit: Unit
    get: Callable[[Any], Any]
    """TEXT: a tuple of strings; else a number, a tuple of numbers, or None when unknown."""
    share: Callable[[Any], float | None] | None = None
    """The same as a percentage, for values written with ``%``."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything the grammar needs to know of one kind."""

    fields: Mapping[str, FilterField]
    flags: Mapping[str, Callable[[Any], bool]]
    pieces: Callable[[Any], Sequence[str]]
    """The strings a plain term is looked for in."""
    place: Callable[[Any], Sequence[str]]
    """Host and cluster names, for ``@``."""
    tags: Callable[[Any], Sequence[str]]
    host: Callable[[Any], str]
    """Id of the host, whose configured tags count as the row's."""


def text_of(names: str, get: Callable[[Any], Sequence[str]]) -> FilterField:
    return FilterField(tuple(names.split()), Unit.TEXT, get)


def value_of(
    unit: Unit,
    names: str,
    get: Callable[[Any], Any],
    share: Callable[[Any], float | None] | None = None,
) -> FilterField:
    return FilterField(tuple(names.split()), unit, get, share)


def table(*fields: FilterField) -> dict[str, FilterField]:
    return {name: field for field in fields for name in field.names}


def place(host: Host) -> tuple[str, ...]:
    return (host.id, host.name, host.cluster)


def no_tags(row: object) -> tuple[str, ...]:
    return ()


def _stale(row: Any) -> bool:
    return bool(row.stale >= Stale.OLD)


def _lost(row: Any) -> bool:
    return bool(row.stale >= Stale.LOST)


def _marked(row: Any) -> bool:
    return bool(row.marked)


def _busy(row: Any) -> bool:
    return bool(row.pending)


COMMON: dict[str, Callable[[Any], bool]] = {
    "stale": _stale,
    "lost": _lost,
    "marked": _marked,
    "pending": _busy,
}

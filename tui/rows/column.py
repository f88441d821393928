"""What a column is: title, raw value to sort by, text to draw; and how columns are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from tui.errors import UsageError

Row = TypeVar("Row")
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell shows. ``tone`` names a semantic style, resolved by the UI alone."""

    text: str
    tone: str = ""
    bar: float | None = None
    """0..1 when the cell also shows a meter."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a table of ``Row``."""

    id: str
    """Stable: used by sort, export, ``--columns`` and views."""
    title: str
    value: Callable[[Row], Any]
    """Raw value: sorted by, exported as JSON. None sorts last."""
    cell: Callable[[Row], Cell]
    width: int
    """Preferred width in cells."""
    minimum: int = 0
    """It is hidden rather than drawn narrower; 0 means ``width``."""
    right: bool = False
    """Numbers are right-aligned."""
    priority: int = 5
    """0 is never hidden; higher numbers leave first when the screen is narrow."""
    grow: bool = False
    """Takes spare width."""
    flash: bool = False
    """A change of its text is highlighted for a moment: states, not numbers that never rest."""
    prose: bool = False
    """Free text, cut at its end; everything else is cut in its middle, so names keep theirs."""


def plain(get: Callable[[Row], str], tone: str = "") -> Callable[[Row], Cell]:
    """The cell of a column that shows its text and nothing more."""
    return lambda row: Cell(get(row), tone)


def select(
    columns: Sequence[Column[Row]], wanted: str, default: Sequence[str]
) -> list[Column[Row]]:
    """The columns a person asked for, in their order: ``name,state``, or ``+net`` to add one.

    An empty wish takes ``default``; an unknown column is an error naming the nearest.
    """
    ids = [part.strip() for part in wanted.split(",") if part.strip()]
    if not ids:
        return [find(columns, column) for column in default]
    if all(part.startswith("+") for part in ids):
        return select(columns, ",".join([*default, *(part[1:] for part in ids)]), default)
    if ids == ["all"]:
        return list(columns)
    return [find(columns, part) for part in ids]


def find(columns: Sequence[Column[Row]], wanted: str) -> Column[Row]:
    """One column by id or title, case aside."""
    lowered = wanted.lower()
    for column in columns:
        if lowered in (column.id, column.title.lower()):
            return column
    names = [column.id for column in columns]
    near = get_close_matches(lowered, names, 1, 0.5)
    raise UsageError(
        f"No column named {wanted}",
        cause=f"did you mean {near[0]}?" if near else "",
        hint="Columns: " + ", ".join(names),
    )


def order(column: Column[Row], *, reverse: bool = False) -> Callable[[Sequence[Row]], list[Row]]:
    """Sort rows by a column, as ``in_order`` does."""

    def ordered(rows: Sequence[Row]) -> list[Row]:
        values = {at: column.value(row) for at, row in enumerate(rows)}
        return [rows[at] for at in in_order(values, reverse=reverse)]

    return ordered


def in_order(values: Mapping[Key, Any], *, reverse: bool = False) -> list[Key]:
    """Keys by their values: stable, text without case, what has no value last either way."""
    known = {
        key: value.casefold() if isinstance(value, str) else value
        for key, value in values.items() if value is not None and value != ""
    }  # fmt: skip
    unknown = [key for key in values if key not in known]
    return sorted(known, key=known.__getitem__, reverse=reverse) + unknown

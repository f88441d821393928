"""Rows as text for other programs and for paper: aligned table, JSON, CSV, Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from tui.errors import UsageError
from tui.rows import text
from tui.rows.column import Column, Row

GAP: Final = "  "
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def render(
    form: str, columns: Sequence[Column[Row]], rows: Sequence[Row], *, width: int | None = None
) -> str:
    """Rows in one of the forms ``table``, ``json``, ``csv`` or ``markdown``."""
    if form == "table":
        return table(columns, rows, width=width)
    try:
        write = FORMS[form]
    except KeyError:
        raise UsageError(
            f"There is no form {form}", hint="forms: " + ", ".join(["table", *FORMS])
        ) from None
    return write(columns, rows)


# -- table ---------------------------------------------------------------------------------


def table(columns: Sequence[Column[Row]], rows: Sequence[Row], *, width: int | None = None) -> str:
    """Aligned columns under their titles.

    With a ``width``, as on a terminal, columns leave by priority and wide ones are cut in their
    middle; without, as into a pipe, nothing is lost.
    """
    cells = [[_visible(column.cell(row).text) for column in columns] for row in rows]
    titles = [column.title for column in columns]
    needs = [
        max([text.width(title), *(text.width(line[at]) for line in cells)])
        for at, title in enumerate(titles)
    ]
    sizes = list(needs) if width is None else _fit(columns, needs, width)
    lines = [_line(columns, titles, sizes), *(_line(columns, line, sizes) for line in cells)]
    return "\n".join(lines) + "\n"


def _visible(value: str) -> str:
    """One line, nothing a terminal would obey."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else " " for c in value)


def _fit(columns: Sequence[Column[Row]], needs: list[int], width: int) -> list[int]:
    """Cells for every column, 0 for one that is left out."""
    sizes = list(needs)
    order = sorted(range(len(columns)), key=lambda at: (columns[at].priority, at))
    while (over := _total(sizes) - width) > 0:
        flexible = [at for at in order if sizes[at] > _least(columns[at], needs[at])]
        if flexible:
            widest = max(flexible, key=lambda at: (columns[at].grow, sizes[at]))
            room = sizes[widest] - _least(columns[widest], needs[widest])
            sizes[widest] -= min(over, room)
            continue
        last = next((at for at in reversed(order) if sizes[at] and columns[at].priority), None)
        if last is None:
            break
        sizes[last] = 0
    return _widened(columns, needs, sizes, width)


def _widened(
    columns: Sequence[Column[Row]], needs: list[int], sizes: list[int], width: int
) -> list[int]:
    """Give back what leaving a whole column freed."""
    for at in sorted(range(len(columns)), key=lambda at: columns[at].priority):
        if sizes[at]:
            sizes[at] += max(0, min(width - _total(sizes), needs[at] - sizes[at]))
    return sizes


def _least(column: Column[Row], need: int) -> int:
    return min(need, column.minimum or column.width)


def _total(sizes: Sequence[int]) -> int:
    shown = [size for size in sizes if size]
    return sum(shown) + len(GAP) * max(0, len(shown) - 1)


def _line(columns: Sequence[Column[Row]], cells: Sequence[str], sizes: Sequence[int]) -> str:
    parts = [
        text.pad(text.cut(cell, size) if column.prose else cell, size, right=column.right)
        for column, cell, size in zip(columns, cells, sizes, strict=True)
        if size
    ]
    return GAP.join(parts).rstrip()


# -- data ----------------------------------------------------------------------------------


def value_of(column: Column[Row], row: Row) -> Any:
    """A column's raw value as JSON has it; what is compound appears as its text."""
    value = column.value(row)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return column.cell(row).text


def json_lines(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> str:
    """An array of objects: raw values (bytes, seconds, percent) by column id."""
    data = [{column.id: value_of(column, row) for column in columns} for row in rows]
    return json.dumps(data, indent=2, ensure_ascii=text.ascii_in_use()) + "\n"


def comma_separated(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> str:
    """RFC 4180 with raw values under column ids.

    A text that begins like a formula gets an apostrophe in front, because a VM named
    ``=HYPERLINK(...)`` must stay a name in the spreadsheet that opens this; numbers stay numbers.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.id for column in columns])
    for row in rows:
        writer.writerow([_harmless(value_of(column, row)) for column in columns])
    return out.getvalue()


def _harmless(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return "" if value is None else value
    try:
        float(value)
    except ValueError:
        return "'" + value
    return value


def markdown(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> str:
    """A table for a ticket or a wiki page."""
    lines = [
        "| " + " | ".join(column.title for column in columns) + " |",
        "| " + " | ".join("---:" if column.right else "---" for column in columns) + " |",
    ]
    for row in rows:
        cells = (_visible(column.cell(row).text).replace("\\", "\\\\") for column in columns)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


FORMS: Final[dict[str, Callable[[Sequence[Column[Any]], Sequence[Any]], str]]] = {
    "json": json_lines,
    "csv": comma_separated,
    "markdown": markdown,
}

"""All rows of a table in the order of a column, also those a filter hides.

What is typed into a filter changes which rows are shown, not how they stand: their order is kept
until somebody says that it holds no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.rows.column import Column, in_order


def _tie(row: Any) -> tuple[str, str]:
    """What decides between equals, so that their order does not depend on who answered first."""
    return row.name.casefold(), row.host.id


class Sorting:
    """Keys, first to last, and the value by which each stands there."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._keys: list[str] = []
        self._even: list[str] = []
        """Keys as they stand where all values are the same."""
        self._of: tuple[Mapping[str, Any], Column[Any] | None, bool] | None = None
        """Rows, column and direction the order is of; None when it holds no more."""

    def forget(self) -> None:
        """Rows came, went, or have other values."""
        self._of = None

    def keys(
        self, rows: Mapping[str, Any], column: Column[Any] | None, *, reverse: bool, named: bool
    ) -> list[str]:
        """Every key in its order; without a column as ``rows`` has them. ``named``: rows have a
        name and a host, which decide between equals.
        """
        known = self._of
        if known is None or known[0] is not rows or known[1:] != (column, reverse):
            if known is None or known[0] is not rows:
                self._even = sorted(rows, key=lambda key: _tie(rows[key])) if named else list(rows)
            self._sort(rows, column, reverse=reverse)
            self._of = rows, column, reverse
        return self._keys

    def _sort(self, rows: Mapping[str, Any], column: Column[Any] | None, *, reverse: bool) -> None:
        if column is None:
            self.values, self._keys = {}, list(rows)
            return
        self.values = {key: column.value(rows[key]) for key in self._even}
        self._keys = in_order(self.values, reverse=reverse)

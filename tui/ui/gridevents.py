"""What a grid tells its owner; reachable as ``Grid.CursorMoved`` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from tui.ui.grid import Grid


class Event(Message, namespace="grid"):
    """Something happened in a grid."""

    def __init__(self, grid: Grid[Any]) -> None:
        super().__init__()
        self.grid = grid

    @property
    def control(self) -> Grid[Any]:
        return self.grid


class CursorMoved(Event, namespace="grid"):
    """Another row is under the cursor; ``key`` is None when there is none."""

    def __init__(self, grid: Grid[Any], key: str | None) -> None:
        super().__init__(grid)
        self.key = key


class RowEvent(Event, namespace="grid"):
    """Something happened to a row."""

    def __init__(self, grid: Grid[Any], key: str) -> None:
        super().__init__(grid)
        self.key = key


class Activated(RowEvent, namespace="grid"):
    """Enter or a double click on a row."""


class Toggled(RowEvent, namespace="grid"):
    """A click on the glyph that folds a branch."""


class MarkClicked(RowEvent, namespace="grid"):
    """A click in the gutter before a row."""


class HeaderClicked(Event, namespace="grid"):
    """A click on a title; ``column`` is the column's id."""

    def __init__(self, grid: Grid[Any], column: str) -> None:
        super().__init__(grid)
        self.column = column

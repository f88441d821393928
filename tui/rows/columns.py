"""The columns of every pane, as data: title, raw value to sort by, text to draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


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

"""A line of the screen in pieces, filled from the front to the back. Knows no widget.

A *cut* is a cell where a widget begins or ends on that line; between two cuts lies one piece.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from textual.strip import Strip


class Line:
    """Pieces by the cell where they begin, None where nothing is painted."""

    __slots__ = ("_cuts", "_open", "pieces")

    def __init__(self, cuts: Sequence[int]) -> None:
        self._cuts = cuts
        self._open: Sequence[int] = ()
        self.pieces: dict[int, Strip | None] = dict.fromkeys(cuts[:-1])

    def open(self, left: int, right: int) -> None:
        """Ask for the pieces that have cells from ``left`` to before ``right``."""
        self._open = self._cuts[bisect_right(self._cuts, left) - 1 : bisect_left(self._cuts, right)]

    def lacks(self, left: int, right: int) -> bool:
        """Whether a widget from ``left`` to before ``right`` would show: both are cuts."""
        at = bisect_left(self._open, left)
        return at < len(self._open) and self._open[at] < right

    def fill(self, left: int, strip: Strip, width: int) -> None:
        """Put a widget's line behind what there is."""
        first, last = bisect_left(self._cuts, left), bisect_left(self._cuts, left + width)
        starts = self._cuts[first:last]
        if len(starts) == 1 and strip.cell_length == width:
            parts: Sequence[Strip] = (strip,)
        else:
            parts = strip.divide([cut - left for cut in self._cuts[first + 1 : last + 1]])
        for start, part in zip(starts, parts, strict=False):
            if self.pieces[start] is None:
                self.pieces[start] = part
        self._open = [start for start in self._open if self.pieces[start] is None]

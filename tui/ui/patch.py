"""A text that repaints only the cells that look different. Knows nothing of what it says."""

from __future__ import annotations

from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Region
from textual.widget import Widget

_GAP = 8
"""Fewer equal cells than this between two differences are painted with them."""


class Patch(Widget, inherit_bindings=False):
    """Lines of text."""

    DEFAULT_CSS = """
    Patch {
        height: auto;
    }
    """

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._text = Text()
        self._lines: list[list[_Paint]] = []

    @property
    def room(self) -> int:
        """Cells of a line; before the first layout, a line of the screen without its margin."""
        return self.content_size.width or self.app.size.width - 2

    def render(self) -> Text:
        return self._text

    def put(self, text: Text) -> None:
        """Say something else, or the same again at no cost."""
        if text == self._text and text.spans == self._text.spans and text.style == self._text.style:
            return
        old, self._lines, self._text = self._lines, _cells(text), text
        if len(old) != len(self._lines):
            self.refresh(layout=True)
            return
        regions = [
            region
            for y, (was, now) in enumerate(zip(old, self._lines, strict=True))
            for region in _differences(y, was, now)
        ]
        if regions:
            self.refresh(*regions)


_Paint = tuple[str, str]
"""A cell: its character (empty for the second half of a wide one) and how it is drawn."""


def _cells(text: Text) -> list[list[_Paint]]:
    """Every cell of every line."""
    tones = [str(text.style)] * len(text)
    for span in text.spans:
        for at in range(span.start, min(span.end, len(tones))):
            tones[at] = f"{tones[at]} {span.style}"
    lines: list[list[_Paint]] = [[]]
    for char, tone in zip(text.plain, tones, strict=True):
        if char == "\n":
            lines.append([])
            continue
        width = cell_len(char)
        if not width and lines[-1]:
            lines[-1][-1] = (lines[-1][-1][0] + char, tone)
        lines[-1] += [(char, tone), ("", tone)][:width]
    return lines


def _differences(y: int, was: list[_Paint], now: list[_Paint]) -> list[Region]:
    """Runs of cells of one line that look different."""
    found: list[Region] = []
    start = end = -1
    for x, (one, other) in enumerate(zip_longest(was, now)):
        if one == other:
            continue
        if start >= 0 and x - end > _GAP:
            found.append(Region(start, y, end - start + 1, 1))
            start = -1
        start, end = (x if start < 0 else start), x
    if start >= 0:
        found.append(Region(start, y, end - start + 1, 1))
    return found

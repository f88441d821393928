"""The one graph widget: series over time with axes and a legend, at any size.

It asks its series for as many points as it has columns and repaints only cells that differ;
where the numbers come from is the owner's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import ClassVar, Literal, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.rows.spark import sparkline
from tui.ui import plot
from tui.ui.plot import Canvas, Scale, Unit
from tui.ui.rowline import clean, fit
from tui.ui.style import UNICODE, Glyphs, Tones, tones

__all__ = ["Graph", "Series", "SeriesView", "Unit"]

Paint = tuple[str, str, int]
"""A cell: character, tone, and shade (rows from the top; -1 not shaded)."""
MINIMUM_WINDOW, MAXIMUM_WINDOW = 60.0, 3600.0
_AXIS_FROM_WIDTH = 34
_TIMES_FROM_HEIGHT = 6


class SeriesView(Protocol):
    """Where the values of a series come from."""

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        """One value for each of ``buckets`` equal spans of time; None where nothing is known."""
        ...


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a graph."""

    name: str
    view: SeriesView
    tone: str = ""
    """Empty: ``graph-1`` for the first series, ``graph-2`` for the next …"""
    peak: Callable[[float, float], float | None] | None = None
    """Highest reading between two moments, when the view's means would hide it."""


@dataclass(slots=True)
class _Facts:
    """What the legend says of a series."""

    now: float | None = None
    peak: float | None = None
    mean: float | None = None
    values: list[float | None] = field(default_factory=list)


class Graph(Widget):
    """A chart of one or several series."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"graph--title", "graph--axis", "graph--legend"}

    def __init__(
        self,
        title: str = "",
        unit: Unit = Unit.PERCENT,
        *,
        style: Literal["auto", "area", "lines"] = "auto",
        window: float = 300.0,
        top: float | None = None,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """``style`` auto: an area for one series, lines for several. ``top`` fixes the axis."""
        super().__init__(id=id, classes=classes)
        self._title = title
        self._unit = unit
        self._style = style
        self._window = window
        self._fixed_top = top
        self._glyphs = glyphs
        self._series: list[Series] = []
        self._scale = Scale(unit)
        self._now = 0.0
        self._lines: list[list[Paint]] = []
        self._ink: dict[tuple[str, int], Style] = {}
        self._tones: Tones | None = None

    # -- what it shows -------------------------------------------------------------------------

    @property
    def window(self) -> float:
        """Seconds from the left edge to now."""
        return self._window

    @property
    def top(self) -> float:
        """The value at the upper edge."""
        return self._fixed_top if self._fixed_top is not None else self._scale.top

    def set_series(self, series: Sequence[Series], *, draw: bool = True) -> None:
        """Show other series. The scale starts anew: it belongs to what is shown.

        Without ``draw`` nothing is laid out before ``advance``, which must follow.
        """
        self._series = list(series)
        self._scale = Scale(self._unit)
        if draw:
            self._update()

    def set_top(self, top: float | None, *, draw: bool = True) -> None:
        """Fix the upper edge (the memory a host has), or let it follow the values."""
        if top != self._fixed_top:
            self._fixed_top = top
            if draw:
                self._update()

    def set_window(self, seconds: float) -> None:
        self._window = min(MAXIMUM_WINDOW, max(MINIMUM_WINDOW, seconds))
        self._update()

    def advance(self, now: float) -> None:
        """Time passed or values arrived: paint what differs."""
        self._now = now
        self._update()

    # -- layout --------------------------------------------------------------------------------

    def _update(self) -> None:
        """Lay the graph out anew and refresh the runs of cells that differ."""
        width, height = self.size
        if not width or not height:
            return
        old, self._lines = self._lines, self._draw(width, height)
        if len(old) != height or any(len(line) != width for line in old):
            self.refresh()
            return
        for y, (was, now) in enumerate(zip(old, self._lines, strict=True)):
            if was != now:
                self._refresh_runs(y, was, now)

    def _refresh_runs(self, y: int, was: list[Paint], now: list[Paint]) -> None:
        """A run of differing cells may bridge a few equal ones: cheaper than moving there."""
        start = end = -1
        for x, (one, other) in enumerate(zip(was, now, strict=True)):
            if one == other:
                continue
            if start >= 0 and x - end > 8:
                self.refresh(Region(start, y, end - start + 1, 1))
                start = -1
            start, end = (x if start < 0 else start), x
        if start >= 0:
            self.refresh(Region(start, y, end - start + 1, 1))

    def _draw(self, width: int, height: int) -> list[list[Paint]]:
        if height <= 2:
            return self._draw_small(width, height)
        times = height >= _TIMES_FROM_HEIGHT
        rows = height - 1 - times
        gutter = self._unit.label_width + 1 if width >= _AXIS_FROM_WIDTH else 0
        columns = width - gutter
        lines_of = self._facts(columns)
        top = self._rescale(lines_of)
        canvas = self._canvas([facts.values for facts in lines_of], top, columns, rows)
        axis = plot.value_axis(top, self._unit, rows) if gutter else {}
        lines = [self._header(lines_of, width)]
        for row, cells in enumerate(canvas):
            label = axis.get(row, "").rjust(gutter - 1) + " " if gutter else ""
            lines.append([(char, "axis", -1) for char in label] + self._shade(cells, row, rows))
        if times:
            labels = " " * gutter + plot.time_axis(self._window, columns)
            lines.append([(char, "axis", -1) for char in labels])
        return lines

    def _draw_small(self, width: int, height: int) -> list[list[Paint]]:
        """One or two rows: a sparkline of the first series."""
        room = width if height == 2 else max(8, width // 2)
        lines_of = self._facts(room)
        top = self._rescale(lines_of)
        values = lines_of[0].values if lines_of else []
        marks = sparkline(values, room, self._glyphs.ascii, top)
        tone = self._tone(0)
        header = self._header(lines_of, width if height == 2 else width - room - 1)
        spark: list[Paint] = [(char, tone, -1) for char in marks]
        if height == 2:
            return [header, spark]
        return [[*header, (" ", "", -1), *spark][:width]]

    def _facts(self, columns: int) -> list[_Facts]:
        """Ask every series. Spans end at whole multiples, so that a curve moves by columns."""
        buckets = columns * 2 if self._lines_style and not self._glyphs.ascii else columns
        span = self._window / max(1, columns)
        until = (self._now // span + 1) * span
        since = until - self._window
        found = []
        for series in self._series:
            values = series.view.points(since, until, buckets)
            known = [value for value in values if value is not None]
            peak = max(known, default=None)
            if series.peak is not None:
                peak = series.peak(since, until)
            now = next((v for v in reversed(values[-3:]) if v is not None), None)
            mean = sum(known) / len(known) if known else None
            found.append(_Facts(now, peak, mean, values))
        return found

    def _rescale(self, lines_of: Sequence[_Facts]) -> float:
        if self._fixed_top is not None:
            return self._fixed_top
        known = [v for facts in lines_of for v in facts.values if v is not None]
        return self._scale.fit(max(known, default=0.0))

    @property
    def _lines_style(self) -> bool:
        return self._style == "lines" or (self._style == "auto" and len(self._series) > 1)

    def _canvas(
        self, values: list[list[float | None]], top: float, columns: int, rows: int
    ) -> Canvas:
        if not values:
            return plot.blank(columns, rows)
        if not self._lines_style:
            return plot.area(values[0], top, rows, ascii=self._glyphs.ascii)
        if self._glyphs.ascii:
            return plot.points(values, top, rows)
        return plot.braille(values, top, rows)

    def _shade(self, cells: list[tuple[str, int]], row: int, rows: int) -> list[Paint]:
        """Colour a row of the plot; what is empty may carry the faint line of half the scale."""
        half = rows >= 7 and row == rows // 2
        guide = "-" if self._glyphs.ascii else "┈"
        flat = self._lines_style or self._glyphs.ascii
        shade = -1 if flat else round(row / max(1, rows - 1) * 8)
        paint: list[Paint] = []
        for char, who in cells:
            if who >= 0:
                paint.append((char, self._tone(who), shade))
            else:
                paint.append((guide if half else " ", "faint", -1))
        return paint

    def _tone(self, index: int) -> str:
        return self._series[index].tone or f"graph-{index % 6 + 1}" if self._series else ""

    # -- legend --------------------------------------------------------------------------------

    def _header(self, lines_of: Sequence[_Facts], width: int) -> list[Paint]:
        """Title on the left, figures on the right, in as much detail as there is room for."""
        legend: list[Paint] = []
        for detail in (3, 2, 1, 0):
            legend = self._legend(lines_of, detail)
            if len(legend) + cell_len(self._title) + 2 <= width:
                break
        room = max(0, width - len(legend) - 1)
        title = fit(self._title, room, ellipsis=self._glyphs.ellipsis)
        line: list[Paint] = [(char, "title", -1) for char in title]
        # A wide character fills two cells: its second is empty so that columns stay true.
        for at in range(len(title) - 1, -1, -1):
            if cell_len(title[at]) == 2:
                line.insert(at + 1, ("", "title", -1))
        line += [(" ", "title", -1)] * (width - len(line) - len(legend))
        return (line + legend)[:width]

    def _legend(self, lines_of: Sequence[_Facts], detail: int) -> list[Paint]:
        parts: list[Paint] = []
        several = len(self._series) > 1
        for index, facts in enumerate(lines_of):
            tone = self._tone(index)
            if index:
                parts += [(" ", "legend", -1)] * (3 if detail else 1)
            if several and detail:
                name = clean(self._series[index].name)
                parts += [(char, tone, -1) for char in f"{self._key(index)} {name} "]
            words = self._unit.words(facts.now) or "-"
            parts += [(char, "strong" if detail or not several else tone, -1) for char in words]
            if detail >= 2 and facts.peak is not None:
                peak = f" {self._glyphs.peak}{self._unit.words(facts.peak)}"
                parts += [(char, "legend", -1) for char in peak]
            if detail >= 3 and facts.mean is not None:
                mean = f" avg {self._unit.words(facts.mean)}"
                parts += [(char, "legend", -1) for char in mean]
        return parts

    def _key(self, index: int) -> str:
        return "*o+x#@"[index % 6] if self._glyphs.ascii else "━"

    # -- painting ------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._lines = []
        self._update()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._ink.clear()
        self._tones = None

    def _ink_of(self, tone: str, shade: int) -> Style:
        ink = self._ink.get((tone, shade))
        if ink is None:
            ink = self._ink[(tone, shade)] = self._mix(tone, shade)
        return ink

    def _mix(self, tone: str, shade: int) -> Style:
        if tone in ("title", "axis", "legend"):
            return self.get_component_rich_style(f"graph--{tone}")
        if tone == "strong":
            return self.rich_style + Style(bold=True)
        if self._tones is None:
            self._tones = tones(self.app)
        style = self.rich_style + self._tones.style(tone)
        if shade > 0 and style.color is not None and style.color.is_default is False:
            style += self._faded(style, shade)
        return style

    def _faded(self, style: Style, shade: int) -> Style:
        """The lower an area's row, the closer it is to the ground: the outline stands out."""
        ground, ink = style.bgcolor, style.color
        if ground is None or ink is None or ground.triplet is None or ink.triplet is None:
            return Style.null()
        mixed = Color(*ink.triplet).blend(Color(*ground.triplet), shade / 8 * 0.55, alpha=1.0)
        return Style(color=mixed.rich_color)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        segments = []
        for (tone, shade), run in groupby(self._lines[y], key=lambda cell: cell[1:]):
            segments.append(Segment("".join(cell[0] for cell in run), self._ink_of(tone, shade)))
        return Strip(segments, len(self._lines[y]))

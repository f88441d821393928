"""The one graph widget: series over time with axes and a legend, at any size.

It asks its series for as many points as it has columns and repaints only cells that differ;
where the numbers come from is the owner's affair.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby
from math import ceil, floor
from typing import ClassVar, Literal

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.rows.spark import sparkline
from tui.ui import legend, plot
from tui.ui.legend import Paint, inked
from tui.ui.plot import Scale, Stack, Unit
from tui.ui.style import UNICODE, Glyphs, Tones, tones
from tui.ui.timespan import LONGEST, SHORTEST
from tui.ui.trace import Facts, Series, SeriesView, Stretch, Trace

__all__ = ["Graph", "Series", "SeriesView", "Unit"]

_AXIS_FROM_WIDTH = 34
_TIMES_FROM_HEIGHT = 6
_AGO_UNTIL = 3600.0
"""A longer span has the time of day on its axis, as has one that does not end now."""
_COLUMNS = 5000
"""Columns of cells that are kept once painted."""


class Graph(Widget):
    """A chart of one or several series."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "graph--title", "graph--chosen", "graph--axis", "graph--legend", "graph--cross",
    }  # fmt: skip

    class Pointed(Message):
        """The mouse is over a moment; None when it has left."""

        def __init__(self, graph: Graph, moment: float | None) -> None:
            super().__init__()
            self.graph = graph
            self.moment = moment

    class Clicked(Pointed):
        """The mouse was clicked there; None beside the plot."""

    def __init__(
        self,
        title: str = "",
        unit: Unit = Unit.PERCENT,
        *,
        style: Literal["auto", "area", "lines"] = "auto",
        window: float = 300.0,
        top: float | None = None,
        gutter: int = 0,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """``style`` auto: an area for one series, lines for several. ``top`` fixes the axis.
        ``gutter``: cells for its labels, where neighbours need more than this one.
        """
        super().__init__(id=id, classes=classes)
        self._title = title
        self._unit = unit
        self._style = style
        self._window = window
        self._end: float | None = None
        self._limit = 0
        self._cross: float | None = None
        self._chosen = False
        self._fixed_top = top
        self._gutter = max(gutter, unit.label_width + 1)
        self._glyphs = glyphs
        self._traces: list[Trace] = []
        self._scale = Scale(unit)
        self._least = 0.0
        self._none = ""
        self._now = 0.0
        self._lines: list[Sequence[Paint]] = []
        self._drawn: tuple[object, ...] = ()
        """What the lines were drawn from."""
        self._columns: dict[Hashable, tuple[Paint, ...]] = {}
        self._rows = 0
        self._ink: dict[tuple[str, int], Style] = {}
        self._tones: Tones | None = None

    # -- what it shows -------------------------------------------------------------------------

    @property
    def window(self) -> float:
        """Seconds from the left edge to the right."""
        return self._window

    @property
    def top(self) -> float:
        """The value at the upper edge."""
        return self._fixed_top if self._fixed_top is not None else self._scale.top

    @property
    def step(self) -> float:
        """Seconds of a column."""
        return self._window / max(1, self._plot_width)

    @property
    def since(self) -> float:
        """The moment of the left edge."""
        return self._stretch(self._plot_width).since

    @property
    def edge(self) -> float:
        """A moment of the last column."""
        return min(self.since + self._window - self.step / 2, self._moment)

    def name_it(self, title: str, unit: Unit, least: float = 0.0) -> None:
        """Stand for something else, whose series must follow. ``least``: what the upper edge is
        at least, where that is not up to the unit.
        """
        self._title, self._unit, self._least = title, unit, least
        self._gutter = max(self._gutter, unit.label_width + 1)

    def set_none(self, words: str) -> None:
        """Why nothing was read, where it was not. ``advance`` must follow."""
        self._none = words

    def set_series(self, series: Sequence[Series], *, draw: bool = True) -> None:
        """Show other series. The scale starts anew: it belongs to what is shown.

        Without ``draw`` nothing is laid out before ``advance``, which must follow.
        """
        self._traces = [Trace(one) for one in series]
        self._scale = Scale(self._unit, self._least)
        self._columns.clear()
        self._drawn = ()
        if draw:
            self._update()

    def set_top(self, top: float | None, *, draw: bool = True) -> None:
        """Fix the upper edge (the memory a host has), or let it follow the values."""
        if top != self._fixed_top:
            self._fixed_top = top
            if draw:
                self._update()

    def set_span(self, window: float, end: float | None = None, *, draw: bool = True) -> None:
        """Show so many seconds up to a moment, or up to now."""
        self._window = min(LONGEST, max(SHORTEST, window))
        self._end = end
        if draw:
            self._update()

    def set_cross(self, moment: float | None, *, draw: bool = True) -> None:
        """Show the crosshair at a moment, with the values there in place of those now."""
        self._cross = moment
        if draw:
            self._update()

    def limit(self, columns: int) -> None:
        """Use no more than so many columns; neighbours of as many have the same times. Nothing
        is laid out before ``advance``, which must follow.
        """
        self._limit = columns

    def choose(self, on: bool) -> None:
        """Mark it as the one that keys are for."""
        if on is not self._chosen:
            self._chosen = on
            self._update()

    def advance(self, now: float) -> None:
        """Time passed or values arrived: paint what differs."""
        self._now = now
        self._update()

    # -- time and place ------------------------------------------------------------------------

    @property
    def _moment(self) -> float:
        return self._now if self._end is None else self._end

    @property
    def _current(self) -> bool:
        """It ends now, or at the moment the clock it is told stands at."""
        return self._end is None or self._end >= self._now

    @property
    def room(self) -> int:
        """The columns there is room for."""
        width, height = self.size
        if height <= 2:
            return width if height == 2 else max(8, width // 2)
        return width - (self._gutter if width >= _AXIS_FROM_WIDTH else 0)

    @property
    def _plot_width(self) -> int:
        return min(self.room, self._limit) if self._limit else self.room

    def _stretch(self, columns: int) -> Stretch:
        """Spans end at whole multiples of a column, so that a curve moves by columns."""
        step = self._window / max(1, columns)
        last = floor(self._now / step) + 1 if self._end is None else ceil(self._end / step - 1e-6)
        halves = self._lines_style and not self._glyphs.ascii
        buckets = columns * 2 if halves else columns
        return Stretch(last * step - self._window, last * step, buckets)

    def _cross_at(self, stretch: Stretch, columns: int) -> int | None:
        """The column of the crosshair."""
        if self._cross is None or not columns:
            return None
        at = floor((self._cross - stretch.since) / self._window * columns + 1e-6)
        return at if 0 <= at < columns else None

    def moment_at(self, x: int) -> float | None:
        """The middle of a column; None beside the plot."""
        width, columns = self.size.width, self._plot_width
        column = x - (width - columns)
        if not 0 <= column < columns:
            return None
        return min(self.since + (column + 0.5) * self.step, self._moment)

    # -- layout --------------------------------------------------------------------------------

    def _update(self) -> None:
        """Lay the graph out anew and refresh the runs of cells that differ."""
        width, height = self.size
        if not width or not height:
            return
        columns = self._plot_width
        stretch = self._stretch(columns)
        live = self._current
        found = [trace.facts(stretch, self._now, live=live) for trace in self._traces]
        cross = self._cross_at(stretch, columns)
        drawn = (
            width,
            height,
            stretch,
            found,
            cross,
            self._chosen,
            self._fixed_top,
            live,
            self._end is None,
            self._none,
        )
        if drawn == self._drawn:
            return
        self._drawn = drawn
        old, self._lines = self._lines, self._draw(width, height, stretch, found)
        if len(old) != height or any(len(line) != width for line in old):
            self.refresh()
            return
        for y, (was, now) in enumerate(zip(old, self._lines, strict=True)):
            if was != now:
                self._refresh_runs(y, was, now)

    def _refresh_runs(self, y: int, was: Sequence[Paint], now: Sequence[Paint]) -> None:
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

    def _draw(
        self, width: int, height: int, stretch: Stretch, found: Sequence[Facts]
    ) -> list[Sequence[Paint]]:
        columns = self._plot_width
        cross = self._cross_at(stretch, columns)
        if height <= 2:
            return self._draw_small(width, height, found, cross)
        times = height >= _TIMES_FROM_HEIGHT
        rows = height - 1 - times
        gutter = width - columns
        top = self._rescale(found)
        axis = plot.value_axis(top, self._unit, rows) if gutter >= self._gutter else {}
        lines: list[Sequence[Paint]] = [self._header(found, width, stretch, cross)]
        for row, cells in enumerate(zip(*self._plot(found, top, rows, cross), strict=True)):
            label = axis.get(row, "").rjust(gutter - 1) + " " if gutter else ""
            lines.append((*inked(label, "axis"), *cells))
        if times:
            labels = self._times(stretch, columns, cross)
            lines.append((*inked(" " * gutter, "axis"), *labels))
        return lines

    def _draw_small(
        self, width: int, height: int, found: Sequence[Facts], cross: int | None
    ) -> list[Sequence[Paint]]:
        """One or two rows: a sparkline of the first series."""
        room = self._plot_width
        stretch = self._stretch(room)
        top = self._rescale(found)
        values = found[0].values if found else []
        if len(values) > room:
            values = [plot.mean(values[at : at + 2]) for at in range(0, len(values), 2)]
        marks = sparkline(values, room, self._glyphs.ascii, top)
        spark = list(inked(marks, self._tone(0)))
        if cross is not None:
            spark[cross] = (marks[cross] if marks[cross] != " " else self._line, "cross", -1)
        header = self._header(found, width if height == 2 else width - room - 1, stretch, cross)
        if height == 2:
            return [header, (*inked(" " * (width - room), ""), *spark)]
        return [[*header, (" ", "", -1), *spark][:width]]

    def _rescale(self, found: Sequence[Facts]) -> float:
        """The top of the axis; a fixed one gives way to a value that is higher."""
        highest = max((v for facts in found for v in facts.values if v is not None), default=0.0)
        if self._fixed_top is not None and highest <= self._fixed_top * 1.0001:
            return self._fixed_top
        return self._scale.fit(highest)

    @property
    def _lines_style(self) -> bool:
        return self._style == "lines" or (self._style == "auto" and len(self._traces) > 1)

    # -- plot ----------------------------------------------------------------------------------

    def _plot(
        self, found: Sequence[Facts], top: float, rows: int, cross: int | None
    ) -> list[tuple[Paint, ...]]:
        """The columns of cells. One that looked like this before is painted already."""
        if rows != self._rows or len(self._columns) > _COLUMNS:
            self._rows = rows
            self._columns.clear()
        values, ascii = [facts.values for facts in found], self._glyphs.ascii
        keys: Sequence[Hashable]
        if not values:
            keys = [0] * self._plot_width
        elif self._lines_style:
            keys = plot.lines(values, top, rows, ascii=ascii)
        else:
            keys = plot.levels(values[0], top, rows)
        known = self._columns
        painted = [known.get(key) or self._painted(key, rows) for key in keys]
        if cross is not None:
            painted[cross] = self._crossed(painted[cross])
        return painted

    def _painted(self, key: Hashable, rows: int) -> tuple[Paint, ...]:
        """Colour a column; what is empty may carry the faint line of half the scale."""
        guide = "-" if self._glyphs.ascii else "┈"
        flat = self._lines_style or self._glyphs.ascii
        paint: list[Paint] = []
        for row, (char, who) in enumerate(self._stack(key, rows)):
            if who >= 0:
                shade = -1 if flat else round(row / max(1, rows - 1) * 8)
                paint.append((char, self._tone(who), shade))
            else:
                half = rows >= 7 and row == rows // 2
                paint.append((guide if half else " ", "faint", -1))
        self._columns[key] = tuple(paint)
        return self._columns[key]

    def _stack(self, key: Hashable, rows: int) -> Stack:
        if isinstance(key, int):
            return plot.area(key, rows, ascii=self._glyphs.ascii)
        assert isinstance(key, tuple)
        return plot.points(key, rows) if self._glyphs.ascii else plot.braille(key, rows)

    def _crossed(self, column: Sequence[Paint]) -> tuple[Paint, ...]:
        """The column under the crosshair: a line that leaves the curves themselves visible."""
        crossed: list[Paint] = []
        inside = False
        for char, tone, shade in column:
            if tone == "faint":
                crossed.append((self._line, "cross", -1))
            elif self._lines_style or not inside:
                crossed.append((char, tone if self._lines_style else "strong", -1))
                inside = True
            else:
                crossed.append((self._line, f"cross {tone}", shade))
        return tuple(crossed)

    @property
    def _line(self) -> str:
        return "|" if self._glyphs.ascii else "│"

    def _times(self, stretch: Stretch, columns: int, cross: int | None) -> list[Paint]:
        """Labels of the time axis, and the time at the crosshair over them."""
        if self._end is None and self._window <= _AGO_UNTIL:
            labels = plot.time_axis(self._window, columns)
        else:
            labels = plot.clock_axis(stretch.since, stretch.until, columns)
        if cross is None:
            return list(inked(labels, "axis"))
        words = self._time(stretch, cross)
        start = max(0, min(columns - len(words), cross - len(words) // 2))
        line = list(inked(plot.cleared(labels, start - 1, start + len(words) + 1), "axis"))
        line[start : start + len(words)] = inked(words, "strong")
        return line[:columns]

    def _time(self, stretch: Stretch, cross: int) -> str:
        return plot.clock(stretch.since + cross * self.step, self.step)

    def _tone(self, index: int) -> str:
        return self._traces[index].series.tone or f"graph-{index % 6 + 1}" if self._traces else ""

    def _header(
        self, found: Sequence[Facts], width: int, stretch: Stretch, cross: int | None
    ) -> list[Paint]:
        """What is so now, or under the crosshair; peak and average of all that is shown."""
        entries = []
        for index, facts in enumerate(found):
            value = facts.now
            if cross is not None:
                each = stretch.buckets // self._plot_width
                value = plot.mean(facts.values[cross * each : (cross + 1) * each])
            figures = (value, facts.peak, facts.mean)
            name, valued = self._traces[index].series.name, self._current or cross is not None
            entries.append(
                legend.entry(name, self._tone(index), self._unit, figures, valued=valued)
            )
        time = "" if cross is None else self._time(stretch, cross)
        return legend.header(
            self._title, entries, width, self._glyphs, time=time, chosen=self._chosen,
            none=self._none,
        )  # fmt: skip

    # -- painting ------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._lines, self._drawn = [], ()
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
        if tone in ("title", "chosen", "axis", "legend", "cross"):
            return self.get_component_rich_style(f"graph--{tone}")
        if tone == "strong":
            return self.rich_style + Style(bold=True)
        if tone.startswith("cross "):
            ground = self._ink_of(tone.removeprefix("cross "), shade).color
            return self._ink_of("cross", -1) + Style(bgcolor=ground)
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

    # -- mouse ---------------------------------------------------------------------------------

    def on_mouse_move(self, event: events.MouseMove) -> None:
        at = event.get_content_offset(self)
        self.post_message(self.Pointed(self, None if at is None else self.moment_at(at.x)))

    def on_leave(self) -> None:
        self.post_message(self.Pointed(self, None))

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        self.post_message(self.Clicked(self, None if at is None else self.moment_at(at.x)))

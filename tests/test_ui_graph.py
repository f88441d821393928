"""The graph and the meters: scales, gaps, shapes at every size, and what a tick sends."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.pilot import Pilot

from tests.ui_kit import OneWidget, play
from tui.rows.spark import sparkline
from tui.rows.text import clock
from tui.ui import legend, plot
from tui.ui.graph import Graph, Series, Unit
from tui.ui.meters import bar
from tui.ui.plot import (
    Scale,
    Stack,
    area,
    braille,
    clock_axis,
    levels,
    lines,
    nice_top,
    points,
    time_axis,
)
from tui.ui.style import ASCII, UNICODE, Glyphs

MB = 1024.0**2
START = 1_790_000_040
"""A whole minute."""


class Readings:
    """Values by second; None where a second is missing."""

    def __init__(self, values: dict[int, float]) -> None:
        self.values = values

    def points(self, since: float, until: float, buckets: int) -> list[float | None]:
        span = (until - since) / buckets
        out: list[float | None] = []
        for index in range(buckets):
            first = round(since + index * span)
            found = [
                self.values[second]
                for second in range(first, max(first + 1, round(since + (index + 1) * span)))
                if second in self.values
            ]
            out.append(sum(found) / len(found) if found else None)
        return out


class Chart(OneWidget):
    def __init__(
        self, unit: Unit = Unit.PERCENT, glyphs: Glyphs = UNICODE, theme: str = "deck-dark"
    ) -> None:
        self.graph = Graph("CPU of HV01", unit, window=60, glyphs=glyphs)
        super().__init__(lambda: self.graph, theme)


# -- pure shapes ---------------------------------------------------------------------------


def rows_of(stacks: Sequence[Stack]) -> list[str]:
    """Columns of cells as lines of text."""
    return ["".join(char for char, _who in row) for row in zip(*stacks, strict=True)]


def dots(stacks: Sequence[Stack]) -> int:
    text = "".join(rows_of(stacks)).replace(" ", "")
    return sum((ord(char) - 0x2800).bit_count() for char in text)


def test_area_draws_eighths_noughts_and_gaps() -> None:
    stacks = [area(level, 2) for level in levels([0, 50, 100, None, 25], 100, 2)]
    assert rows_of(stacks) == ["  █  ", "▁██ ▄"]


def test_area_in_ascii() -> None:
    stacks = [area(level, 3, ascii=True) for level in levels([0.0, 40.0, 100.0, None], 100, 3)]
    text = rows_of(stacks)
    assert "".join(text).isascii()
    assert [row[2] for row in text] == ["#", "#", "#"]
    assert [row[3] for row in text] == [" ", " ", " "]


def test_braille_line_is_joined_and_a_gap_breaks_it() -> None:
    assert dots([braille(column, 2) for column in lines([[0.0, 100.0]], 100, 2)]) == 8
    broken = lines([[0.0, None, 100.0, None]], 100, 2)
    assert dots([braille(column, 2) for column in broken]) == 2


def test_series_of_points_have_letters_of_their_own() -> None:
    columns = lines([[0.0, 0.0], [100.0, 100.0]], 100, 3, ascii=True)
    assert points(columns[0], 3) == (("o", 1), (" ", -1), ("*", 0))


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=40), st.integers(1, 12))
def test_shapes_have_the_size_asked_for(values: list[float | None], height: int) -> None:
    top = nice_top(max((v for v in values if v is not None), default=0), Unit.BYTES)
    stacks = [area(level, height) for level in levels(values, top, height)]
    letters = [points(column, height) for column in lines([values], top, height, ascii=True)]
    for shape in (stacks, letters):
        assert [len(column) for column in shape] == [height] * len(values)
    shape = [braille(column, height) for column in lines([values], top, height)]
    assert [len(column) for column in shape] == [height] * -(-len(values) // 2)


@pytest.mark.parametrize(
    ("peak", "unit", "top"),
    [
        (3, Unit.PERCENT, 100),
        (0, Unit.RATE, 10 * 1024),
        (1.3 * MB, Unit.RATE, 2 * MB),
        (5 * MB, Unit.RATE, 5 * MB),
        (60 * MB, Unit.BYTES, 100 * MB),
        (700 * MB, Unit.BYTES, 1024 * MB),
        (1010 * MB, Unit.BYTES, 1024 * MB),
        (33, Unit.COUNT, 50),
        (1025, Unit.COUNT, 2000),
    ],
)
def test_axes_end_at_round_numbers(peak: float, unit: Unit, top: float) -> None:
    assert nice_top(peak, unit) == pytest.approx(top)


@given(st.floats(0, 1e15), st.sampled_from([Unit.BYTES, Unit.RATE, Unit.COUNT]))
def test_axis_holds_its_peak_and_wastes_little(peak: float, unit: Unit) -> None:
    top = nice_top(peak, unit)
    assert top >= peak * 0.9999
    assert top == unit.least or top <= peak * 2.6


def test_scale_does_not_jump() -> None:
    scale = Scale(Unit.RATE)
    assert scale.fit(8 * MB) == 10 * MB
    assert [scale.fit(peak * MB) for peak in (9, 5.1, 4.9, 4)] == [10 * MB] * 4
    assert scale.fit(11 * MB) == 20 * MB
    assert scale.fit(1 * MB) == 1 * MB


@given(st.integers(8, 200), st.sampled_from([60, 120, 300, 900, 1800, 3600]))
def test_time_labels_end_at_now_and_do_not_touch(width: int, window: int) -> None:
    line = time_axis(window, width)
    assert len(line) == width
    assert line.endswith("now")
    for label in line.split():
        assert label == "now" or label[0] == "-"
        assert label.count("-") == (label != "now")


@example(9, 86_400, 1748971201.0)
@given(
    st.integers(8, 200),
    st.sampled_from([60, 120, 300, 900, 3600, 7200, 21_600, 86_400]),
    st.floats(1.7e9, 1.8e9),
)
def test_times_of_day_are_round_and_where_they_belong(
    width: int, window: int, since: float
) -> None:
    line = clock_axis(since, since + window, width)
    assert len(line) == width
    labels = line.split()
    assert len(labels) <= width // 6 + 1
    assert all(re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", label) for label in labels)
    if labels:
        middle = line.index(labels[0]) + len(labels[0]) // 2
        about = seconds_of(clock(since + (middle + 0.5) / width * window))
        apart = abs(seconds_of(labels[0]) - about)
        assert min(apart, 86_400 - apart) <= window / width + 1


def seconds_of(time: str) -> int:
    """A time of day in seconds."""
    return sum(int(part) * unit for part, unit in zip(time.split(":"), (3600, 60, 1), strict=False))


@given(st.integers(12, 90), st.integers(-3, 90), st.integers(1, 10))
def test_labels_that_are_in_the_way_go_whole(width: int, start: int, length: int) -> None:
    line = time_axis(300, width)
    left = plot.cleared(line, start, start + length)
    assert len(left) == width
    assert left[max(0, start) : max(0, start + length)].strip() == ""
    assert set(left.split()) <= set(line.split())


def test_time_labels() -> None:
    assert time_axis(300, 60).split() == ["-5m", "-4m", "-3m", "-2m", "-1m", "now"]
    assert time_axis(3600, 60).split()[-2:] == ["-10m", "now"]


# -- the widget ----------------------------------------------------------------------------


def test_graph_shows_title_figures_axes_and_gap() -> None:
    chart = Chart()
    values = dict.fromkeys(range(960, 1000), 50.0) | {999: 80.0}

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_series([Series("cpu", Readings(values))])
        chart.graph.advance(999)
        await pilot.pause()
        lines = chart.text()
        assert lines[0].startswith("CPU of HV01")
        assert "80% ▲80% avg 51%" in lines[0]
        assert "100%" in lines[1]
        assert lines[-1].rstrip().endswith("now")
        assert lines[-2].count("█") == pytest.approx(40, abs=1)
        assert lines[-2][5:24].strip() == ""

    play(chart, story, size=(65, 12))


def test_a_hidden_peak_can_be_told_by_the_series() -> None:
    chart = Chart()

    async def story(pilot: Pilot[None]) -> None:
        view = Readings(dict.fromkeys(range(900, 1000), 10.0))
        chart.graph.set_series([Series("cpu", view, peak=lambda since, until: 97.0)])
        chart.graph.advance(999)
        await pilot.pause()
        assert "10% ▲97% avg 10%" in chart.text()[0]

    play(chart, story, size=(65, 12))


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_graph_fills_any_size_exactly(glyphs: Glyphs) -> None:
    chart = Chart(Unit.RATE, glyphs)
    views = [Readings({s: s * 1000.0 * k for s in range(900, 1000)}) for k in (1, 2)]

    async def story(pilot: Pilot[None]) -> None:
        for count in (1, 2):
            series = [Series(f"s{k}", view) for k, view in enumerate(views[:count])]
            chart.graph.set_series(series)
            chart.graph.advance(999)
            for width, height in ((1, 1), (8, 1), (20, 2), (20, 4), (34, 6), (90, 20)):
                chart.graph.styles.width, chart.graph.styles.height = width, height
                for _ in range(400):
                    if chart.graph.size == (width, height):
                        break
                    await pilot.pause()
                for cross in (None, 970.0, 999.0):
                    chart.graph.set_cross(cross)
                    shown = chart.graph._lines
                    assert [len(line) for line in shown] == [width] * height
                    text = "".join(cell[0] for line in shown for cell in line)
                    assert text.isascii() or glyphs is UNICODE

    play(chart, story)


def test_a_tick_that_changes_nothing_sends_nothing_and_a_new_value_little() -> None:
    chart = Chart()
    values = dict.fromkeys(range(900, 1000), 50.0)

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_series([Series("cpu", Readings(values))])
        chart.graph.advance(998.0)
        await pilot.pause()
        chart.recorder.take()
        chart.graph.advance(998.2)
        await pilot.pause()
        assert chart.recorder.take() == ""
        values[998] = 90.0
        chart.graph.advance(998.4)
        await pilot.pause()
        sent = chart.recorder.take()
        assert "90%" in sent
        assert len(sent) < 600

    play(chart, story, size=(65, 12))


def test_window_is_kept_between_a_minute_and_a_day() -> None:
    chart = Chart()

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_span(5)
        assert chart.graph.window == 60
        chart.graph.set_span(1e6)
        assert chart.graph.window == 86_400
        chart.graph.set_span(3600)
        await pilot.pause()
        assert "-50m" in chart.text()[-1]

    play(chart, story)


def test_a_span_that_is_over_has_times_and_stands_still() -> None:
    chart = Chart()
    values = dict.fromkeys(range(START, START + 600), 50.0)

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_series([Series("cpu", Readings(values))])
        chart.graph.set_span(300, START + 300)
        chart.graph.advance(START + 599)
        await pilot.pause()
        shown = chart.text()
        assert "now" not in shown[-1]
        assert clock(START + 240)[:5] in shown[-1].split()
        assert "50%" not in shown[0].split()[0:2], "there is no now in it"
        assert "▲50% avg 50%" in shown[0]
        values[START + 601] = 99.0
        chart.recorder.take()
        chart.graph.advance(START + 660)
        await pilot.pause()
        assert chart.recorder.take() == ""

    play(chart, story, size=(65, 12))


def test_the_crosshair_tells_time_and_values_of_every_series() -> None:
    chart = Chart(Unit.COUNT)

    async def story(pilot: Pilot[None]) -> None:
        rising = Readings({START + s: float(s) for s in range(60)})
        steady = Readings({START + s: 7.0 for s in range(60)})
        chart.graph.set_series([Series("rising", rising), Series("steady", steady)])
        chart.graph.advance(START + 59)
        chart.graph.set_cross(START + 30.5)
        await pilot.pause()
        shown = chart.text()
        assert clock(START + 30) in shown[0]
        assert clock(START + 30) in shown[-1]
        assert "rising 30 ▲59" in shown[0]
        assert "steady 7 ▲7" in shown[0]
        at = shown[-1].index(clock(START + 30)) + 4
        assert {row[at] for row in shown[1:4]} == {"│"}
        chart.recorder.take()
        chart.graph.set_cross(START + 31.5)
        await pilot.pause()
        assert len(chart.recorder.take()) < 1500
        chart.graph.set_cross(None)
        await pilot.pause()
        assert "│" not in "".join(chart.text())

    play(chart, story, size=(67, 12))


def test_the_crosshair_leaves_the_top_of_an_area_visible() -> None:
    chart = Chart(glyphs=ASCII)

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_series([Series("cpu", Readings({START + s: 50.0 for s in range(60)}))])
        chart.graph.advance(START + 59)
        chart.graph.set_cross(START + 30)
        await pilot.pause()
        shown = chart.text()
        at = next(x for x, char in enumerate(shown[1]) if char == "|")
        column = "".join(row[at] for row in shown[1:-1])
        assert set(column.strip("|")) <= set("#=-_"), column
        assert len(column.strip("|")) == 1
        assert column.startswith("|")
        assert column.endswith("|")

    play(chart, story, size=(65, 12))


def test_a_fixed_top_gives_way_to_what_is_higher() -> None:
    chart = Chart(Unit.BYTES)

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_top(4 * MB)
        chart.graph.set_series([Series("used", Readings({999: 3 * MB, 998: 9 * MB}))])
        chart.graph.advance(999)
        await pilot.pause()
        assert "10 MB" in chart.text()[1]

    play(chart, story, size=(65, 12))


def test_a_span_without_readings_says_so() -> None:
    chart = Chart(Unit.RATE)

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_series([Series("in", Readings({})), Series("out", Readings({}))])
        chart.graph.set_span(300, START)
        chart.graph.advance(START + 900)
        await pilot.pause()
        assert chart.text()[0].rstrip().endswith("  no readings")

    play(chart, story, size=(65, 12))


def test_several_series_are_named_in_the_legend() -> None:
    chart = Chart(Unit.RATE)

    async def story(pilot: Pilot[None]) -> None:
        values = dict.fromkeys(range(900, 1000), 2 * MB)
        chart.graph.set_series([Series("in", Readings(values)), Series("out", Readings({}))])
        chart.graph.advance(999)
        await pilot.pause()
        head = chart.text()[0]
        assert "in 2.0 MB/s ▲2.0 MB/s" in head
        assert head.rstrip().endswith("out -")

    play(chart, story, size=(100, 12))


@pytest.mark.parametrize(
    ("glyphs", "width", "told"),
    [
        (UNICODE, 50, "Network                      ━ in 1 B/s   ━ out 2 B/s"),
        (UNICODE, 30, "Network    in 1 B/s out 2 B/s"),
        (ASCII, 36, "Network      * in 1 B/s o out 2 B/s"),
        (UNICODE, 20, "Network  1 B/s 2 B/s"),
    ],
)
def test_where_there_is_little_room_series_have_names_still(
    glyphs: Glyphs, width: int, told: str
) -> None:
    """Which is which must not be known by colour alone."""
    lines = [
        legend.entry(name, f"graph-{at}", Unit.RATE, (at, None, None), valued=True)
        for at, name in ((1, "in"), (2, "out"))
    ]
    head = legend.header("Network", lines, width, glyphs, time="", chosen=False)
    assert "".join(cell for cell, _, _ in head).split() == told.split()
    assert len(head) == width


# -- meters --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(0, "────"), (0.01, "╸───"), (0.5, "━━──"), (0.6, "━━╸─"), (1, "━━━━"), (7, "━━━━")],
)
def test_bar(fraction: float, shown: str) -> None:
    assert bar(fraction, 4) == shown


def test_bar_in_ascii() -> None:
    assert [bar(f, 4, ascii=True) for f in (0, 0.02, 0.5, 1)] == ["....", "#...", "##..", "####"]


def test_sparkline_keeps_the_newest_and_leaves_gaps() -> None:
    assert sparkline([9, 0, 4, None, 8], 4, top=8) == "▁▅ █"
    assert sparkline([1, 2], 4, ascii=True, top=2) == "  =#"
    assert sparkline([], 3) == "   "
    assert sparkline([0, 0], 2) == "▁▁"


@given(st.floats(0, 1), st.integers(0, 40), st.booleans())
def test_meters_are_as_wide_as_asked(fraction: float, width: int, ascii: bool) -> None:
    assert len(bar(fraction, width, ascii)) == width
    assert len(sparkline([fraction] * 5, width, ascii)) == width


def test_value_axis_names_top_middle_and_nought() -> None:
    assert plot.value_axis(100, Unit.PERCENT, 8) == {0: "100%", 4: "50%", 7: "0%"}
    assert plot.value_axis(100, Unit.PERCENT, 3) == {0: "100%", 2: "0%"}

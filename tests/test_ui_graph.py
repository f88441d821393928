"""The graph and the meters: scales, gaps, shapes at every size, and what a tick sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from tests.ui_kit import OneWidget, play
from tui.rows.spark import sparkline
from tui.ui import plot
from tui.ui.graph import Graph, Series, Unit
from tui.ui.meters import bar
from tui.ui.plot import Scale, area, braille, nice_top, points, time_axis
from tui.ui.style import ASCII, UNICODE, Glyphs

MB = 1024.0**2


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


def test_area_draws_eighths_noughts_and_gaps() -> None:
    rows = ["".join(char for char, _who in row) for row in area([0, 50, 100, None, 25], 100, 2)]
    assert rows == ["  █  ", "▁██ ▄"]


def test_area_in_ascii() -> None:
    canvas = area([0.0, 40.0, 100.0, None], 100, 3, ascii=True)
    text = "".join(char for row in canvas for char, _who in row)
    assert text.isascii()
    assert [row[2][0] for row in canvas] == ["#", "#", "#"]
    assert [row[3][0] for row in canvas] == [" ", " ", " "]


def test_braille_line_is_joined_and_a_gap_breaks_it() -> None:
    joined = braille([[0.0, 100.0]], 100, 2)
    dots = sum((ord(char) - 0x2800).bit_count() for row in joined for char, _who in row)
    assert dots == 8
    broken = braille([[0.0, None, 100.0, None]], 100, 2)
    dots = sum(
        (ord(char) - 0x2800).bit_count() for row in broken for char, _who in row if char != " "
    )
    assert dots == 2


def test_series_of_points_have_letters_of_their_own() -> None:
    canvas = points([[0.0, 0.0], [100.0, 100.0]], 100, 3)
    assert [row[0] for row in canvas] == [("o", 1), (" ", -1), ("*", 0)]


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=40), st.integers(1, 12))
def test_shapes_have_the_size_asked_for(values: list[float | None], height: int) -> None:
    top = nice_top(max((v for v in values if v is not None), default=0), Unit.BYTES)
    for canvas in (area(values, top, height), points([values], top, height)):
        assert [len(row) for row in canvas] == [len(values)] * height
    assert [len(row) for row in braille([values], top, height)] == [-(-len(values) // 2)] * height


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
                lines = chart.graph._draw(width, height)
                assert [len(line) for line in lines] == [width] * height
                text = "".join(cell[0] for line in lines for cell in line)
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


def test_window_is_kept_between_a_minute_and_an_hour() -> None:
    chart = Chart()

    async def story(pilot: Pilot[None]) -> None:
        chart.graph.set_window(5)
        assert chart.graph.window == 60
        chart.graph.set_window(1e6)
        assert chart.graph.window == 3600
        await pilot.pause()
        assert "-50m" in chart.text()[-1]

    play(chart, story)


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

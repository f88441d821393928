"""Looks: every variable exists in every theme, every state can be read, no stray colours."""

from __future__ import annotations

import re
import sys
from itertools import combinations
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES, Theme
from textual.widget import Widget

from tests.ui_kit import OneWidget, play
from tui.rows import text
from tui.rows.column import Cell, Column
from tui.ui import style
from tui.ui.grid import Grid

SHEETS = [Path(sheet) for sheet in style.stylesheets()]
OWN = {theme.name: theme for theme in style.THEMES}
COLOURED = [theme for theme in style.THEMES if not theme.ansi]
ALL = {**BUILTIN_THEMES, **OWN}


def variables(theme: Theme) -> dict[str, str]:
    generated = theme.to_color_system().generate()
    return {**style.variable_defaults(theme), **generated, **theme.variables}


def without_comments(sheet: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.S)


def contrast(one: Color, other: Color) -> float:
    """The WCAG ratio of two colours."""
    brighter, darker = sorted(map(_luminance, (one, other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


# -- stylesheets ---------------------------------------------------------------------------


def test_stylesheets_are_found() -> None:
    assert [sheet.name for sheet in SHEETS] == ["base.tcss", "panes.tcss", "dialogs.tcss"]
    assert all(sheet.is_file() for sheet in SHEETS)


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_variable_of_the_stylesheets_exists(name: str) -> None:
    known = variables(ALL[name])
    for sheet in SHEETS:
        used = set(re.findall(r"\$([\w-]+)", without_comments(sheet)))
        assert used <= known.keys(), sheet.name


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_stylesheets_name_no_colour_of_their_own(sheet: Path) -> None:
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgb\(|\bhsl\(", without_comments(sheet))


def test_own_themes_define_every_semantic_variable() -> None:
    for theme in COLOURED:
        assert theme.variables.keys() >= style.VARIABLES, theme.name


# -- tones ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_tone_of_a_cell_is_a_colour_in_every_theme(name: str) -> None:
    tones = style.Tones(variables(ALL[name]))
    for tone in text.TONES | style.TONES:
        assert tones.style(tone).color is not None, tone


def test_an_unknown_tone_is_plain_text() -> None:
    assert not style.Tones(variables(style.DECK_DARK)).style("no such tone")


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["surface", "panel", "grid-cursor-blurred"])
def test_text_can_be_read(theme: Theme, ground: str) -> None:
    known = variables(theme)
    behind = Color.parse(known[ground])
    for name in style.VARIABLES:
        if name.startswith("grid-c") or name in ("track", "faint", "accent-bar"):
            continue
        least = 3.0 if name.startswith("graph") or name in ("stale", "dim") else 4.5
        assert contrast(Color.parse(known[name]), behind) >= least, name


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_states_can_be_read_under_the_cursor(theme: Theme) -> None:
    known = variables(theme)
    behind = Color.parse(known["grid-cursor"])
    for name in style.VARIABLES:
        if name.startswith("vm-"):
            assert contrast(Color.parse(known[name]), behind) >= 3.0, name


def _deuteranope(colour: Color) -> tuple[float, float, float]:
    """What is left of a colour without green cones (Viénot, Brettel and Mollon 1999)."""
    red, green, blue = (part**2.2 for part in colour.normalized)
    return (
        0.29275 * red + 0.70725 * green,
        0.29275 * red + 0.70725 * green,
        -0.02234 * red + 0.02234 * green + blue,
    )


def test_contrast_theme_tells_good_from_bad_without_green() -> None:
    known = variables(style.DECK_CONTRAST)
    names = ["vm-running", "vm-paused", "vm-critical", "vm-transition"]
    for one, other in combinations(names, 2):
        seen = [_deuteranope(Color.parse(known[name])) for name in (one, other)]
        distance = sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5
        assert distance > 0.15, (one, other)


# -- without colour, without Unicode -------------------------------------------------------


def _grid() -> Widget:
    columns: list[Column[str]] = [
        Column("state", "State", str, lambda row: Cell("● Running", "running", 0.4), 30, priority=0)
    ]
    return Grid(columns, str)


def test_no_color_sends_no_colour_yet_shows_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = OneWidget(_grid, style.theme_for({"NO_COLOR": "1"}))

    async def story(pilot: Pilot[None]) -> None:
        grid = app.query_one(Grid)
        grid.set_keys(["a", "b"])
        grid.focus()
        await pilot.pause()
        sent = app.recorder.take()
        codes = {
            int(code)
            for run in re.findall(r"\x1b\[([\d;]*)m", sent)
            for code in run.split(";")
            if code
        }
        assert not codes & {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}
        assert 7 in codes
        assert "Running" in sent

    play(app, story)


def test_dumb_terminals_get_no_colour_and_ascii() -> None:
    assert style.theme_for({"TERM": "dumb"}, "deck-light") == "deck-plain"
    assert style.theme_for({"TERM": "xterm"}, "deck-light") == "deck-light"
    environ = {"TERM": "dumb"}
    assert style.silence_colour(environ) is True
    assert environ["NO_COLOR"] == "1"
    assert style.silence_colour({"TERM": "xterm"}) is None
    assert style.wants_ascii({"TERM": "dumb"})
    assert style.wants_ascii({"TERM": "xterm", "LANG": "C"})
    assert not style.wants_ascii({"TERM": "xterm", "LC_ALL": "en_GB.UTF-8", "LANG": "C"})
    assert not style.wants_ascii({"TERM": "xterm"})


def test_every_glyph_has_an_ascii_spelling_of_its_width() -> None:
    for state in [*text.VM_STATES.values()]:
        plain = style.ASCII.plain(state.glyph)
        assert plain.isascii()
        assert cell_len(plain) == cell_len(state.glyph) == 1
    assert style.UNICODE.plain("● サーバー") == "● サーバー"
    assert style.ASCII.plain("● サーバー") == "* サーバー"


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_deck_starts_in_every_theme(name: str) -> None:
    app = OneWidget(_grid, name)

    async def story(pilot: Pilot[None]) -> None:
        grid = app.query_one(Grid)
        grid.set_keys(["a", "b"])
        await pilot.pause()
        assert "Running" in app.text()[1]

    play(app, story, size=(40, 6))


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_a_wheel_carries_its_stylesheets_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "tui"
    (package / "ui").mkdir(parents=True)
    monkeypatch.setattr(style, "__file__", str(package / "ui" / "style.py"))
    assert style.stylesheet_folder() == tmp_path / "styles"
    (package / "styles").mkdir()
    assert style.stylesheet_folder() == package / "styles"

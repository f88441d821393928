"""The grid: what a person sees and presses, and what it costs."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.message import Message
from textual.pilot import Pilot

from tests.ui_kit import OneWidget, play
from tui.rows.column import Cell, Column
from tui.ui.grid import Grid, Look
from tui.ui.rowline import arrange, clean, fit
from tui.ui.style import ASCII, UNICODE, Glyphs


@dataclass
class Machine:
    name: str
    state: str = "Running"
    cpu: float = 10.0
    notes: str = ""
    look: Look = field(default_factory=Look)


def _cpu(row: Machine) -> Cell:
    return Cell(f"{row.cpu:.0f}%", "", row.cpu / 100)


COLUMNS: list[Column[Machine]] = [
    Column("name", "Name", lambda r: r.name, lambda r: Cell(r.name), 20, 8, priority=0, grow=True),
    Column(
        "state", "State", lambda r: r.state, lambda r: Cell(r.state), 12, priority=1, flash=True
    ),
    Column("cpu", "CPU", lambda r: r.cpu, _cpu, 12, 5, right=True, priority=2),
    Column("notes", "Notes", lambda r: r.notes, lambda r: Cell(r.notes), 20, 10, prose=True),
]


class Table(OneWidget):
    """An app around one grid of machines."""

    def __init__(self, count: int = 50, *, tree: bool = False, glyphs: Glyphs = UNICODE) -> None:
        self.rows = {f"k{i}": Machine(f"vm-{i:03}") for i in range(count)}
        self.asked: list[str] = []
        super().__init__(self._grid)
        self._tree = tree
        self._glyphs = glyphs

    def _grid(self) -> Grid[Machine]:
        self.grid: Grid[Machine] = Grid(
            COLUMNS,
            self._find,
            look=lambda row: row.look,
            tree=self._tree,
            glyphs=self._glyphs,
            empty="no VM matches",
        )
        return self.grid

    def _find(self, key: str) -> Machine:
        self.asked.append(key)
        return self.rows[key]

    def on_mount(self) -> None:
        self.grid.set_keys(list(self.rows))
        self.grid.focus()

    def keep(self, message: Message) -> None:
        self.seen.append(message)

    on_grid_cursor_moved = keep
    on_grid_activated = keep
    on_grid_toggled = keep
    on_grid_mark_clicked = keep
    on_grid_header_clicked = keep

    def line_of(self, name: str) -> int:
        return next(y for y, line in enumerate(self.text()) if name in line)

    def messages(self, kind: type[Message]) -> list[str]:
        return [
            getattr(message, "key", "") or getattr(message, "column", "")
            for message in self.seen
            if isinstance(message, kind)
        ]


# -- the cursor stays with its row ---------------------------------------------------------


def test_cursor_keeps_row_and_screen_line_when_the_order_changes() -> None:
    app = Table(200)

    async def story(pilot: Pilot[None]) -> None:
        app.grid.move_to("k100")
        await pilot.press("up", "up", "up")
        await pilot.pause()
        line = app.line_of("vm-097")
        keys = list(app.rows)
        random.Random(1).shuffle(keys)
        keys.remove("k97")
        keys.insert(60, "k97")
        app.grid.set_keys(keys)
        await pilot.pause()
        assert app.grid.cursor_key == "k97"
        assert app.line_of("vm-097") == line

    play(app, story)


def test_cursor_goes_to_the_next_row_when_its_own_vanishes_and_back_at_the_end() -> None:
    app = Table(10)

    async def story(pilot: Pilot[None]) -> None:
        app.grid.move_to("k5")
        keys = list(app.rows)
        app.grid.set_keys([key for key in keys if key not in ("k5", "k6")])
        assert app.grid.cursor_key == "k7"
        app.grid.set_keys(keys[:4])
        assert app.grid.cursor_key == "k3"
        app.grid.set_keys([])
        assert app.grid.cursor_key is None
        await pilot.pause()
        assert app.messages(Grid.CursorMoved)[-3:] == ["k7", "k3", ""]

    play(app, story)


def test_cursor_survives_two_hundred_refreshes() -> None:
    app = Table(300)
    rng = random.Random(7)

    async def story(pilot: Pilot[None]) -> None:
        app.grid.move_to("k150")
        keys = list(app.rows)
        for _refresh in range(200):
            away = set(rng.sample(keys, 20)) - {"k150"}
            shown = [key for key in keys if key not in away]
            rng.shuffle(shown)
            app.grid.set_keys(shown)
            app.grid.touch(shown[:50])
            assert app.grid.cursor_key == "k150"
        await pilot.pause()
        assert "vm-150" in "".join(app.text())

    play(app, story)


def test_untouched_cursor_stays_on_the_first_row_while_rows_arrive() -> None:
    app = Table(5)

    async def story(pilot: Pilot[None]) -> None:
        app.rows["early"] = Machine("aaa")
        app.grid.set_keys(["early", "k0", "k1"])
        await pilot.pause()
        assert app.grid.cursor_key == "early"

    play(app, story)


def test_scrolled_away_view_stays_where_it_is() -> None:
    app = Table(200)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.press("down")
        app.grid.scroll_to(y=100, animate=False)
        await pilot.pause()
        top = app.grid.visible_keys[0]
        app.grid.set_keys(["k199", *[key for key in app.rows if key != "k199"]])
        await pilot.pause()
        assert app.grid.visible_keys[0] == top

    play(app, story)


# -- keys and clicks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "at"),
    [
        (["j", "j", "k"], 1),
        (["G"], 199),
        (["end", "g"], 0),
        (["end", "g", "g"], 0),
        (["down", "home"], 0),
        (["pagedown"], 22),
        (["ctrl+d", "ctrl+d", "ctrl+u"], 11),
        (["pagedown", "pageup"], 0),
        (["up"], 0),
    ],
)
def test_keys_move(keys: list[str], at: int) -> None:
    app = Table(200)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        assert app.grid.cursor_index == at
        assert app.grid.cursor_key in app.grid.visible_keys

    play(app, story)


def test_other_keys_bubble_and_enter_opens() -> None:
    app = Table(5)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.press("space", "x", "left", "A", "enter")
        await pilot.pause()
        assert [key for key in app.passed if key != "enter"] == ["space", "x", "left", "A"]
        assert app.messages(Grid.Activated) == ["k0"]

    play(app, story)


def test_mouse() -> None:
    app = Table(20, tree=True)
    app.rows["k4"].look = Look(branch=True)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.click(Grid, offset=(6, 4))
        assert app.grid.cursor_key == "k3"
        await pilot.click(Grid, offset=(0, 2))
        await pilot.click(Grid, offset=(2, 5))
        await pilot.click(Grid, offset=(4, 0))
        await pilot.double_click(Grid, offset=(8, 7))
        await pilot.pause()
        assert app.messages(Grid.MarkClicked) == ["k1"]
        assert app.messages(Grid.Toggled) == ["k4"]
        assert app.messages(Grid.HeaderClicked) == ["name"]
        assert app.messages(Grid.Activated) == ["k6"]

    play(app, story)


# -- what it costs -------------------------------------------------------------------------


def test_only_visible_rows_are_ever_looked_up() -> None:
    app = Table(10_000)

    async def story(pilot: Pilot[None]) -> None:
        app.grid.touch(list(app.rows))
        await pilot.press("down", "down")
        await pilot.pause()
        assert len(set(app.asked)) < 40

    play(app, story)


def test_a_touch_sends_only_cells_that_differ() -> None:
    app = Table(10_000)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.recorder.take()
        app.grid.touch(list(app.rows))
        await pilot.pause()
        assert app.recorder.take() == ""
        app.rows["k7"].cpu = 93
        app.rows["k5000"].cpu = 93
        app.grid.touch(["k7", "k5000"])
        await pilot.pause()
        sent = app.recorder.take()
        assert "93%" in sent
        assert "vm-" not in sent
        assert len(sent) < 120

    play(app, story)


def test_moving_the_cursor_sends_two_lines() -> None:
    app = Table(10_000)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.press("down")
        await pilot.pause()
        app.recorder.take()
        await pilot.press("down")
        await pilot.pause()
        sent = app.recorder.take()
        assert "vm-001" in sent
        assert "vm-002" in sent
        assert sent.count("vm-") == 2

    play(app, story)


def test_the_same_keys_again_send_nothing() -> None:
    app = Table(100)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.recorder.take()
        app.grid.set_keys(list(app.rows))
        await pilot.pause()
        assert app.recorder.take() == ""
        keys = list(app.rows)
        keys[5], keys[6] = keys[6], keys[5]
        app.grid.set_keys(keys)
        await pilot.pause()
        assert app.recorder.take().count("vm-") == 2

    play(app, story)


# -- how rows look -------------------------------------------------------------------------


def test_hostile_text_is_shown_as_text() -> None:
    app = Table(1)
    app.rows["k0"] = Machine("[bold]x[/]", notes="a\x1b[31mred\nline\u202etxt")

    async def story(pilot: Pilot[None]) -> None:
        shown = app.text()[1]
        assert "[bold]x[/]" in shown
        assert "a[31mred linetxt" in shown
        assert "\x1b[31mred" not in app.recorder.take()

    play(app, story, size=(100, 5))


def test_wide_characters_keep_columns_aligned() -> None:
    app = Table(3)
    app.rows["k1"] = Machine("サーバー東京-データベース-01")

    async def story(pilot: Pilot[None]) -> None:
        plain, wide = app.text()[1:3]
        assert cell_len(wide) == 60
        assert cell_len(wide[: wide.index("Running")]) == plain.index("Running")
        assert "-01" in wide

    play(app, story, size=(60, 6))


@pytest.mark.parametrize(("glyphs", "signs"), [(UNICODE, "▌»~?"), (ASCII, "*>~?")])
def test_standing_of_a_row_is_a_sign_not_only_a_colour(glyphs: Glyphs, signs: str) -> None:
    app = Table(5, glyphs=glyphs)
    looks = [Look(marked=True), Look(pending=True), Look(stale=2), Look(stale=3)]
    for index, look in enumerate(looks):
        app.rows[f"k{index}"].look = look

    async def story(pilot: Pilot[None]) -> None:
        lines = app.text()
        assert [line[:2].strip() for line in lines[1:6]] == [*signs, ""]
        app.rows["k4"].look = Look(marked=True, stale=3)
        app.grid.touch(["k4"])
        await pilot.pause()
        assert app.text()[5][:2] == f"{signs[0]}?"

    play(app, story)


def test_ascii_needs_nothing_beyond_ascii() -> None:
    app = Table(30, tree=True, glyphs=ASCII)
    app.rows["k0"] = replace(app.rows["k0"], state="● Running", look=Look(branch=False))
    app.rows["k1"] = replace(app.rows["k1"], name="a-very-long-name-that-will-not-fit-at-all-01")

    async def story(pilot: Pilot[None]) -> None:
        app.grid.set_sort("name")
        await pilot.pause()
        assert all(line.isascii() for line in app.text())
        assert "+ vm-000" in app.text()[1]

    play(app, story, size=(60, 12))


def test_tree_indents_and_header_shows_the_order() -> None:
    app = Table(2, tree=True)
    app.rows["k0"].look = Look(branch=True, heading=True)
    app.rows["k1"].look = Look(depth=1)

    async def story(pilot: Pilot[None]) -> None:
        app.grid.set_sort("cpu", descending=True)
        await pilot.pause()
        header, first, second = app.text()[:3]
        assert "CPU▼" in header
        assert first.index("vm-000") == 4
        assert second.index("vm-001") == 6

    play(app, story)


def test_empty_grid_says_why() -> None:
    app = Table(3)

    async def story(pilot: Pilot[None]) -> None:
        app.grid.set_keys([])
        await pilot.pause()
        assert any(line.strip() == "no VM matches" for line in app.text())
        app.grid.set_keys(["k1"])
        await pilot.pause()
        assert not any("no VM matches" in line for line in app.text())

    play(app, story)


def test_a_row_gone_from_the_source_is_blank_until_the_next_keys() -> None:
    app = Table(3)

    async def story(pilot: Pilot[None]) -> None:
        del app.rows["k1"]
        app.grid.touch(["k1"])
        await pilot.pause()
        assert app.text()[2].strip() == ""

    play(app, story)


def test_a_changed_state_is_highlighted_and_fades() -> None:
    app = Table(3)

    async def story(pilot: Pilot[None]) -> None:
        def ground(y: int) -> set[str]:
            strip = app.grid.render_line(y)
            return {str(s.style.bgcolor) for s in strip if s.style and "Off" in s.text}

        app.rows["k1"].state = app.rows["k2"].state = "Off"
        app.grid.touch(["k1"])
        app.grid._drawn.pop("k2")
        await pilot.pause()
        assert ground(2) != ground(3)
        app.grid.fade(float("inf"))
        await pilot.pause()
        assert ground(2) == ground(3)

    play(app, story)


def test_narrow_grid_hides_the_least_important_columns_and_says_how_many() -> None:
    app = Table(3)

    async def story(pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(34, 8)
        await pilot.pause()
        assert [column.id for column in app.grid.hidden_columns] == ["notes"]
        assert "vm-000" in app.text()[1]
        await pilot.resize_terminal(20, 8)
        await pilot.pause()
        assert [column.id for column in app.grid.hidden_columns] == ["state", "cpu", "notes"]
        await pilot.resize_terminal(100, 8)
        await pilot.pause()
        assert app.grid.hidden_columns == []

    play(app, story)


# -- fitting -------------------------------------------------------------------------------

TEXT = st.text(alphabet=st.sampled_from("abcXYZ0129-_ サ東é\u0301…"), max_size=60)


@given(TEXT, st.integers(0, 40), st.booleans())
def test_fitted_text_is_never_too_wide(text: str, width: int, prose: bool) -> None:
    assert cell_len(fit(text, width, prose=prose)) <= width


@given(st.text(alphabet="abcdefgh-0123", min_size=30, max_size=60), st.integers(9, 25))
def test_a_name_keeps_its_start_and_end(name: str, width: int) -> None:
    fitted = fit(name, width)
    assert fitted.startswith(name[:4])
    assert fitted.endswith(name[-4:])
    assert len(fitted) == width


@given(st.text(max_size=80))
def test_cleaned_text_moves_no_cursor(text: str) -> None:
    assert clean(text).isprintable()


@given(st.integers(10, 250))
def test_columns_fill_the_width_without_overflow(width: int) -> None:
    places = arrange(COLUMNS, width)
    assert places[0].column.id == "name"
    assert places[-1].x + places[-1].width <= width
    for one, other in pairwise(places):
        assert one.x + one.width < other.x

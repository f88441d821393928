"""Fewer bytes must paint the same picture: a small terminal reads both."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style

from tui.ui.sparing import sparing

_TOKENS = re.compile(r"\x1b\[([\d;]*)(m|H)|(.)", re.DOTALL)
Pens = dict[str, str]


def read_codes(codes: str, pen: Pens) -> Pens:
    """The pen after a sequence, number by number."""
    numbers, pen = [int(code or 0) for code in codes.split(";")], dict(pen)
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            pen = {}
        elif code in (38, 48):
            form = numbers.pop(0)
            values = [numbers.pop(0) for _ in range(3 if form == 2 else 1)]
            pen["ink" if code == 38 else "ground"] = f"{form}:{values}"
        elif code in (39, 49):
            pen.pop("ink" if code == 39 else "ground", None)
        elif code // 10 in (3, 9):
            pen["ink"] = str(code)
        elif code // 10 in (4, 10) and code >= 40:
            pen["ground"] = str(code)
        else:
            pen[str(code)] = "on"
    return pen


def picture(sent: str) -> tuple[dict[tuple[int, int], tuple[str, Pens]], Pens]:
    """Every cell that was painted, and the pen that is left."""
    cells: dict[tuple[int, int], tuple[str, Pens]] = {}
    pen: Pens = {}
    y, x = 1, 1
    for found in _TOKENS.finditer(sent):
        codes, ending, char = found.groups()
        if ending == "m":
            pen = read_codes(codes, pen)
        elif ending == "H":
            y, x = (int(part) for part in codes.split(";"))
        else:
            cells[y, x] = (char, pen)
            x += 1
    return cells, pen


colours = st.sampled_from([None, "#102030", "#d4e0ff", "red", "bright_blue", "color(123)"])
styles = st.builds(
    lambda ink, ground, bold, reverse: Style(
        color=ink, bgcolor=ground, bold=bold or None, reverse=reverse or None
    ),
    colours, colours, st.booleans(), st.booleans(),
)  # fmt: skip
pieces = st.lists(
    st.tuples(st.none() | st.tuples(st.integers(1, 5), st.integers(1, 9)),
              st.text("ab ", max_size=4), styles),
    max_size=12,
)  # fmt: skip


def painted(parts: list[tuple[tuple[int, int] | None, str, Style]]) -> str:
    """The way Textual and Rich send them."""
    sent = ""
    for place, words, style in parts:
        if place:
            sent += f"\x1b[{place[0]};{place[1]}H"
        sent += style.render(words, color_system=ColorSystem.TRUECOLOR)
    return sent


@given(pieces)
def test_fewer_bytes_paint_the_same(
    parts: list[tuple[tuple[int, int] | None, str, Style]],
) -> None:
    sent = painted(parts)
    spared = sparing(sent)
    assert picture(spared) == picture(sent)
    assert len(spared) <= len(sent)


def test_a_colour_in_force_is_not_said_again() -> None:
    grey = "\x1b[38;2;1;2;3;48;2;4;5;6m"
    sent = f"\x1b[1;92H{grey}1\x1b[0m\x1b[1;119H{grey}3\x1b[0m"
    assert sparing(sent) == f"\x1b[1;92H{grey}1\x1b[1;119H3\x1b[0m"
    assert sparing("\x1b[31;44ma\x1b[0m\x1b[32;44mb\x1b[0m") == "\x1b[31;44ma\x1b[32mb\x1b[0m"


def test_text_without_colours_after_coloured_text_stays_without() -> None:
    assert sparing("\x1b[31ma\x1b[0mb") == "\x1b[31ma\x1b[0mb"
    link = "\x1b[31m\x1b]8;;x\x1b\\a\x1b[0m\x1b]8;;\x1b\\"
    assert sparing(link) == link

"""What is put together of a screen: the same cells that Textual puts together, with less work."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tests.deck_kit import Deck, deck, story
from tui.ui.chops import Line

KEYS = ("3", "slash", "w", "escape", "plus", "plus", "o", "5", "V", "C", "3", "colon", "escape")


def same(d: Deck, crop: Region, lines: set[int]) -> None:
    """Within ``crop`` every piece of ``lines`` is as Textual would have it."""
    compositor = d.app.screen._compositor
    ours = compositor._render_chops(crop, lines.__contains__)
    theirs = Compositor._render_chops(compositor, crop, lines.__contains__)
    for y in lines & set(range(len(ours))):
        assert list(ours[y]) == list(theirs[y])
        ends = [*list(ours[y])[1:], d.app.size.width]
        for (x, piece), end in zip(ours[y].items(), ends, strict=True):
            if x < crop.right and end > crop.x:
                assert piece is not None
                assert list(piece) == list(theirs[y][x]), (x, y)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_every_page_and_dialog_is_put_together_as_textual_would(size: tuple[int, int]) -> None:
    @story
    async def tale() -> None:
        rng = random.Random(size[0])
        async with deck(size=size) as d:
            for key in KEYS:
                await d.press(key)
                visible_screen_stack.set(d.app._background_screens)
                same(d, d.app.size.region, set(range(size[1])))
                for _ in range(10):
                    x, y = rng.randrange(size[0] - 20), rng.randrange(size[1] - 10)
                    crop = Region(x, y, rng.randrange(1, 20), rng.randrange(1, 10))
                    same(d, crop, {y for y in crop.line_range if rng.random() < 0.7})

    tale()


def counted(widget: Widget, rendered: set[str]) -> Callable[[Region], list[Strip]]:
    """How a widget renders, and that it did."""
    render = widget.render_lines

    def renders(crop: Region) -> list[Strip]:
        rendered.add(widget.id or "")
        return render(crop)

    return renders


def test_what_others_cover_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    @story
    async def tale() -> None:
        async with deck(size=(120, 40)) as d:
            rendered: set[str] = set()
            for widget in d.app.screen.walk_children(Widget):
                monkeypatch.setattr(widget, "render_lines", counted(widget, rendered))
            everything = d.app.size.region
            d.app.screen._compositor._render_chops(everything, lambda y: True)
            assert {"vms", "networks"} <= rendered
            assert not {"panes", "left", "middle", "strip"} & rendered
            rendered.clear()
            d.app.screen._compositor._render_chops(everything, {0}.__contains__)
            assert rendered == {"header"}

    tale()


def test_a_line_knows_where_something_behind_would_show() -> None:
    line = Line([0, 10, 30, 80])
    assert not line.lacks(0, 80), "nobody has asked"
    line.open(12, 31)
    assert not line.lacks(0, 10)
    assert line.lacks(10, 30)
    assert line.lacks(0, 80)

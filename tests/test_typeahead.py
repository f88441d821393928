"""Keys that come together: whatever follows a key that opens something goes to what it opens."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input, TextArea

from tests.deck_kit import Deck, deck, story
from tests.quiet_kit import key_event
from tui.ui.dialogs import Confirm
from tui.ui.finder import Finder, KeyMenu
from tui.ui.form import Form
from tui.ui.sheet import SheetScreen

SIZE = (100, 24)


async def burst(d: Deck, *keys: str | events.Paste) -> None:
    """Keys as the terminal's own thread hands them over, one right behind the other."""
    driver = d.app._driver
    assert driver is not None
    for key in keys:
        driver.process_message(key_event(key) if isinstance(key, str) else key)
    await d.settle()


def untouched(d: Deck) -> bool:
    """The keys did nothing to the deck: no call, no mark, not another pane, still open."""
    app = d.app
    return (
        not d.collector.calls
        and not d.app.store.marks
        and app.panes.current == "vms"
        and not app.frozen
        and app.is_running
    )


@pytest.mark.parametrize("opener", [":", "f", "x", "?"])
def test_what_is_typed_behind_it_is_searched_for(opener: str) -> None:
    @story
    async def tale() -> None:
        async with deck(size=SIZE) as d:
            await d.go("web02")
            await burst(d, opener, *"start sql3zA")
            assert isinstance(d.app.screen, Finder)
            assert d.field.value == "start sql3zA"
            assert len(d.app.screen_stack) == 2
            assert untouched(d)

    tale()


@story
async def test_a_whole_command_in_one_burst_and_the_keys_behind_it() -> None:
    async with deck(size=SIZE) as d:
        await burst(d, ":", *"web02", "enter", "s")
        assert d.app.panes.vms.cursor == d.key("web02")
        assert [call.target for call in d.collector.calls] == [d.key("web02")]
        await burst(d, ":", *"top", "enter", "right", "right", "3")
        assert d.app.panes.top.view == [*_views(d)][2]
        assert d.app.panes.current == "vms"


def _views(d: Deck) -> list[str]:
    return [name for name, _ in d.app.panes.top._tables]


@story
async def test_a_menu_is_walked_as_fast_as_it_opens() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        await d.press("x")
        await d.press("down", "down")
        assert isinstance(d.app.screen, Finder)
        slowly = d.app.screen._list.highlighted
        await d.press("escape")
        await burst(d, "x", "down", "down")
        assert isinstance(d.app.screen, Finder)
        assert slowly == d.app.screen._list.highlighted == 2
        assert untouched(d)


@story
async def test_a_filter_takes_what_is_typed_behind_the_slash() -> None:
    async with deck(size=SIZE) as d:
        await burst(d, "/", *"sql0")
        assert d.field.value == "sql0"
        assert sorted(d.names) == ["sql01", "sql02"]
        await burst(d, "enter", "/", "2")
        assert d.field.value == "2", "the old text was selected"
        assert "sql02" in d.names
        assert untouched(d)


@story
async def test_a_form_takes_what_is_typed_behind_its_key() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        await burst(d, "t", *"sSqA 3")
        assert isinstance(d.app.screen, Form)
        control = d.app.focused
        assert isinstance(control, Input | TextArea)
        text = control.value if isinstance(control, Input) else control.text
        assert text.replace("sSqA 3", "") != text
        assert untouched(d)


@story
async def test_pages_turn_by_keys_that_come_with_the_one_that_shows_them() -> None:
    async with deck(size=SIZE) as d:
        panes = d.app.panes
        await burst(d, "o", "right", "right")
        assert panes.current == "top"
        assert panes.top.view == _views(d)[2]
        await burst(d, "3", "V", "right")
        assert panes.current == "storage"
        assert panes.storage.view == panes.storage._tables[1][0]
        await burst(d, "o", "left", "V", "right", "3", "down")
        assert panes.top.view == _views(d)[1]
        assert panes.storage.view == panes.storage._tables[2][0]
        assert panes.vms.grid.cursor_index == 1
        assert untouched(d)


@story
async def test_a_key_menu_answers_the_key_behind_it() -> None:
    async with deck(size=SIZE) as d:
        await burst(d, ",", "n")
        assert not isinstance(d.app.screen, KeyMenu)
        assert d.app.panes.vms.sort == "name"
        await burst(d, "enter", "right")
        assert isinstance(d.app.screen, SheetScreen)
        assert d.app.screen._tab == 1
        assert untouched(d)


@story
async def test_yes_typed_ahead_of_its_question_is_no_answer() -> None:
    async with deck(size=SIZE) as d:
        await d.go("sql01")
        await burst(d, "S", "y")
        assert isinstance(d.app.screen, Confirm)
        d.app.screen._clock = lambda: d.seconds + 100
        late = key_event("y")
        late.time = d.app.screen._opened - 1
        d.app.post_message(late)
        await d.settle()
        assert isinstance(d.app.screen, Confirm)
        assert not d.collector.calls


@story
async def test_a_paste_behind_a_key_goes_where_the_key_leads() -> None:
    async with deck(size=SIZE) as d:
        await burst(d, ":", events.Paste("start"), "backspace")
        assert d.field.value == "star"
        assert untouched(d)


@story
async def test_keys_go_on_when_what_they_open_is_closed_at_once() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        await burst(d, *[":", "escape", "/", "escape", "x", "escape"] * 3, "down", "up")
        assert len(d.app.screen_stack) == 1
        await burst(d, "s")
        assert [call.target for call in d.collector.calls] == [d.key("web02")]


@story
async def test_a_line_of_a_sheet_is_no_line_of_the_deck() -> None:
    async with deck(size=SIZE) as d:
        await burst(d, "T", "P", "enter")
        assert d.app.is_running
        assert len(d.app.screen_stack) == 3

"""Keys that come together: whatever follows a key that opens something goes to what it opens."""

from __future__ import annotations

import pytest
from textual import events
from textual.geometry import Offset
from textual.widgets import Input, TextArea

from tests.deck_kit import Deck, deck, story
from tests.quiet_kit import click, key_event
from tests.scripted import GB
from tui.collector.messages import Batch
from tui.ui import reading
from tui.ui.dialogs import Confirm
from tui.ui.finder import Finder, KeyMenu
from tui.ui.form import Form
from tui.ui.keyline import Sent
from tui.ui.sheet import SheetScreen

SIZE = (100, 24)


async def burst(d: Deck, *keys: str | Sent) -> None:
    """Keys and clicks as the terminal's own thread hands them over, one right behind the other."""
    driver = d.app._driver
    assert driver is not None
    for key in keys:
        driver.process_message(key_event(key) if isinstance(key, str) else key)
    await d.settle()


def at_row(d: Deck, name: str) -> Offset:
    """Where a machine is listed on the screen."""
    grid = d.app.panes.vms.grid
    place = grid.content_region.offset
    lines = d.text().splitlines()
    line = next(y for y, text in enumerate(lines) if name in text and y > place.y)
    return Offset(place.x + 6, line)


def at_hint(d: Deck, words: str) -> Offset:
    """Where the foot of the screen offers a key."""
    lines = d.text().splitlines()
    return Offset(lines[-1].index(words), len(lines) - 1)


async def comes(d: Deck, name: str) -> None:
    """The machine has been read."""
    d.collector.play(Batch(sheets=(d.estate.sheet(name),)))
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


# -- a form that waits for its machine to be read --------------------------------------------


@story
async def test_what_is_typed_while_a_machine_is_read_is_for_its_form() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        await burst(d, "c", *"4s", events.Paste("7!"), "q")
        assert len(d.app.screen_stack) == 1
        assert untouched(d), "it waits"
        await burst(d, "space", "t")
        assert untouched(d)
        await comes(d, "web02")
        assert isinstance(d.app.screen, Form)
        assert d.field.value.endswith("4s7!q t")
        await burst(d, "backspace", "end", "x")
        assert d.field.value.endswith("4s7!q x"), "nothing is held any more"
        assert untouched(d)


@story
async def test_a_form_is_filled_in_and_sent_in_one_breath() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        await burst(d, ":", *"set memory", "enter", "ctrl+u", *"6G", "enter", "s")
        assert not d.collector.calls
        await comes(d, "web02")
        (memory, start) = d.collector.calls
        assert (memory.action, memory.arguments) == ("vm.set-memory", {"startup": 6 * GB})
        assert start.action == "vm.start", "what came after it is for the deck"


@story
async def test_escape_gives_up_what_is_read_and_what_was_typed_for_it() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        await burst(d, "c", *"7z", "escape", "down")
        assert "given up" in d.notices
        assert untouched(d)
        below = d.app.panes.vms.cursor
        assert below != d.key("web02"), "the deck has the keys again"
        await comes(d, "web02")
        assert len(d.app.screen_stack) == 1
        await d.go("web02")
        await burst(d, "s")
        assert [call.target for call in d.collector.calls] == [d.key("web02")]


@pytest.mark.parametrize("how", ["lost", "gone", "moved", "endless"])
def test_what_cannot_be_read_takes_what_was_typed_with_it(how: str) -> None:
    @story
    async def tale() -> None:
        async with deck(size=SIZE) as d:
            await d.go("web02")
            await burst(d, "c", *"7zs")
            d.app._notifications.clear()
            if how == "lost":
                d.collector.play(Batch((d.estate.lose("CL1-N2"),)))
            elif how == "gone":
                d.collector.play(Batch((d.estate.remove("web02"),)))
            elif how == "moved":
                d.collector.play(Batch(d.estate.move("web02", "HV01")))
            else:
                d.estate.now += reading.LONGEST
                d.app.tick()
            await d.settle()
            assert "Checkpoint web02: " in d.notices
            assert untouched(d)
            assert len(d.app.screen_stack) == 1
            await burst(d, "7")
            assert d.app.panes.current == "jobs", "the deck has the keys again"

    tale()


@story
async def test_keys_typed_for_a_form_that_is_not_needed_are_for_nobody() -> None:
    async with deck(size=SIZE) as d:
        d.collector.instant = False
        await d.go("web02")
        target = d.app.store.target(d.key("web02"))
        assert target is not None
        d.app.operator.proceed("checkpoint.create", [(d.key("web02"), target)], {"name": "x"})
        await burst(d, *"7z")
        await comes(d, "web02")
        assert [call.action for call in d.collector.calls] == ["checkpoint.create"]
        assert d.app.panes.current == "vms"
        assert not d.app.frozen


@story
async def test_moving_about_and_leaving_wait_for_no_machine() -> None:
    async with deck(size=SIZE) as d:
        left: list[object] = []
        await d.go("web02")
        before = d.app.panes.vms.grid.cursor_index
        await burst(d, "c", *"7z", "down", "down")
        assert d.app.panes.vms.grid.cursor_index == before + 2
        d.app.exit = lambda *args, **kwargs: left.append(args)  # type: ignore[method-assign]
        await burst(d, "ctrl+c")
        assert left
        assert untouched(d)
        await comes(d, "web02")
        assert isinstance(d.app.screen, Form)
        assert d.app.screen._targets[0].name == "web02", "it is about what was chosen"


@story
async def test_what_takes_long_is_told_at_the_foot() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        foot = d.text().splitlines()[-1]
        await burst(d, "c", *"7z")
        assert d.text().splitlines()[-1] == foot, "mostly it takes no time"
        d.estate.now += 2
        d.app.tick()
        await d.settle()
        assert "Esc Give up  Reading web02  2 keys wait" in d.text()
        await burst(d, "escape")
        d.app.tick()
        await d.settle()
        assert d.text().splitlines()[-1] == foot


# -- clicks ----------------------------------------------------------------------------------


@story
async def test_a_click_behind_a_key_lands_where_it_was_aimed_or_nowhere() -> None:
    async with deck(size=SIZE) as d:
        await burst(d, *click(at_row(d, "web02")))
        assert d.app.panes.vms.cursor == d.key("web02")
        await burst(d, "down", *click(at_row(d, "sql01")))
        assert d.app.panes.vms.cursor == d.key("sql01"), "nothing opened before it"
        aimed = click(at_row(d, "web01"))
        await burst(d, ":", *aimed)
        assert isinstance(d.app.screen, Finder)
        assert d.app.panes.vms.cursor == d.key("sql01")
        await burst(d, "escape", *click(Offset(aimed[0].x, aimed[0].y)))
        assert len(d.app.screen_stack) == 1
        assert d.app.panes.vms.cursor == d.key("sql01"), "it was aimed at what is closed"
        assert untouched(d)


@story
async def test_a_click_at_the_foot_does_not_act_beneath_what_opens() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        start = at_hint(d, "Start")
        for opener in (":", "7", "c"):
            await burst(d, opener, *click(start))
            assert not d.collector.calls, opener
            await d.press("escape", "3")
            await d.go("web02")
        await burst(d, *click(start))
        assert [call.action for call in d.collector.calls] == ["vm.start"]


@story
async def test_letting_go_of_a_button_whose_press_was_for_nobody_is_no_click() -> None:
    async with deck(size=SIZE) as d:
        await d.go("web02")
        start = at_hint(d, "Start")
        await burst(d, click(start)[0])
        await burst(d, ":", click(start)[0])
        await burst(d, "escape", click(start)[1])
        assert not d.collector.calls

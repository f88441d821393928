"""Keys nobody meant: storms of them, typed text, pastes and held keys never change a host."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

import pytest
from textual import events
from textual._compositor import Compositor
from textual.events import Paste
from textual.geometry import Offset
from textual.keys import _character_to_key

from tests.deck_kit import Deck, deck, story
from tests.quiet_kit import click, quiet
from tests.scripted import NAMES, OFF, RUNNING, datacenter
from tui.actions import ACTIONS, Risk, by_id
from tui.collector.messages import Batch
from tui.ui.dialogs import Confirm
from tui.ui.finder import Finder

RED = frozenset(action.id for action in ACTIONS if action.risk is Risk.RED)
LETTERS = [*string.ascii_letters, *string.digits]
SIGNS = [*":/,?.+-=!@<> '[]*#"]
MOVES = ["up", "down", "left", "right", "home", "end", "pageup", "pagedown"]
ENDS = ["enter", "enter", "escape", "tab", "shift+tab", "backspace", "delete"]
CONTROLS = [f"ctrl+{letter}" for letter in string.ascii_lowercase if letter not in "cqz"]
KEYS = [key for key in (*LETTERS, *SIGNS, *MOVES * 2, *ENDS * 2, *CONTROLS) if key != "W"]
"""``W`` would make the deck read-only, and the storm prove nothing."""
KEYS += ["escape"] * 16 + ["down", "space", ":", *"33sSytA"] * 4
"""More of what acts, and of what leads to where it acts."""
STORM = 10_000
GUST = 100
CLICKS = 2
"""Among the keys of a gust."""
SEEN = 10
"""One gust of so many is painted: what keys do is what is tested, and painting is dear."""
HOME = ("escape", "escape", "escape", "3")
"""Each gust begins where the most can be done."""
DECK = (80, 18)


def reds(d: Deck) -> set[str]:
    """Red actions that were sent."""
    return {call.action for call in d.collector.calls} & RED


def stay(d: Deck) -> None:
    """The quit keys are among the keys; leaving is not what is tested."""
    d.app.exit = lambda *args, **kwargs: None  # type: ignore[method-assign]


@pytest.mark.timeout(600)
@story
async def test_ten_thousand_keys_do_nothing_red() -> None:
    assert RED
    rng = random.Random(2026)
    async with deck(size=DECK) as d:
        stay(d)
        d.app.operator.key_clock = hesitant(d, rng)
        d.collector.reads = True
        for gust in range(STORM // GUST):
            d.collector.play(d.estate.tick())
            name = rng.choice(NAMES)
            d.collector.play(Batch((d.estate.vary(name, state=rng.choice((RUNNING, OFF))),)))
            with nullcontext() if gust % SEEN == 0 else unseen():
                await strike(
                    d, *HOME, *sprinkled(rng, rng.choices(KEYS, k=GUST - len(HOME) - 2 * CLICKS))
                )
            assert not reds(d)
        assert d.app.is_running
        assert len(d.collector.calls) > 20, "a storm that does nothing would prove nothing"
        await calm(d)
        await d.press("slash")
        await d.type("web01")
        assert d.names == ["web01"], "it still answers"


@contextmanager
def unseen() -> Iterator[None]:
    """Everything happens, and nobody looks."""
    with patch.object(Compositor, "render_update", lambda *args, **kwargs: None):
        yield


def hesitant(d: Deck, rng: random.Random) -> Callable[[], float]:
    """A clock by which some keys follow each other at once and others after a thought."""

    def read() -> float:
        d.seconds += rng.choice((0.01, 0.1, 0.4))
        return d.seconds

    return read


def sprinkled(rng: random.Random, keys: list[str]) -> list[str | events.MouseEvent]:
    """Keys with clicks among them, anywhere on the screen; one in two at its foot."""
    found: list[str | events.MouseEvent] = [*keys]
    for place in sorted(rng.sample(range(len(keys)), CLICKS), reverse=True):
        width, height = DECK
        at = Offset(rng.randrange(width), rng.choice((rng.randrange(height), height - 1)))
        found[place:place] = click(at)
    return found


async def strike(d: Deck, *keys: str | events.MouseEvent) -> None:
    """Keys as a terminal sends them, as fast as they come; and clicks."""
    for key in keys:
        if isinstance(key, events.MouseEvent):
            d.app.post_message(key)
            continue
        single = len(key) == 1
        name = _character_to_key(key) if single else key
        d.app.post_message(events.Key(name, key if single else None))
    await d.settle()


async def calm(d: Deck) -> None:
    """Back to all machines, whatever is open."""
    for _ in range(12):
        await d.press("escape")
    assert len(d.app.screen_stack) == 1
    await d.press("3")
    d.app.panes.vms.show_all()


@pytest.mark.parametrize("size", [DECK, (130, 40)])
@pytest.mark.parametrize("burst", ["2345673", "83", "123", "7283"])
def test_keys_faster_than_the_focus_end_where_the_last_one_leads(
    burst: str, size: tuple[int, int]
) -> None:
    @story
    async def tale() -> None:
        async with deck(size=size) as d:
            await d.go("web02")
            await strike(d, *burst, "s")
            assert d.app.panes.current == "vms"
            assert d.app.focused is d.app.panes.vms.grid
            assert [call.target for call in d.collector.calls] == [d.key("web02")]

    tale()


TEXTS = ["sSxXyYqQrtW", "y", "turn off", "sql01", "12345 ,:/?!", "<>+=@[]*#'", string.ascii_letters]


@pytest.mark.parametrize("opener", ["/", ":", "?", "f"])
def test_text_typed_into_a_field_is_text(opener: str) -> None:
    @story
    async def tale() -> None:
        async with deck(size=DECK) as d:
            await strike(d, "A", opener)
            depth = 1 if opener == "/" else 2
            for text in TEXTS:
                d.field.value = ""
                await strike(d, *text)
                assert d.field.value == text
                assert not d.collector.calls
                assert len(d.app.screen_stack) == depth
            assert d.app.is_running

    tale()


@story
async def test_text_typed_into_a_red_confirmation_is_text() -> None:
    async with deck(size=DECK) as d:
        await d.go("sql01")
        await ask_turn_off(d)
        for text in TEXTS:
            d.seconds += 5
            d.field.value = ""
            await strike(d, *text)
            assert d.field.value == text
        await d.press("escape")
        assert not d.collector.calls


async def ask_turn_off(d: Deck) -> None:
    await d.press("colon")
    await d.type("turn off")
    await d.press("enter")
    assert isinstance(d.app.screen, Confirm)


@story
async def test_only_yes_says_yes() -> None:
    async with deck(size=DECK) as d:
        await d.go("sql01")
        others = [key for key in (*LETTERS, *SIGNS, *MOVES, "enter", "tab", "Y") if key != "y"]
        for key in others:
            if not isinstance(d.app.screen, Confirm):
                await strike(d, "S")
            assert isinstance(d.app.screen, Confirm), key
            d.seconds += 5
            await strike(d, key)
            assert not d.collector.calls, key


@story
async def test_a_held_key_and_a_paste_never_confirm() -> None:
    async with deck(size=DECK) as d:
        await d.go("sql01")
        for held in ("S", "y", "enter"):
            await d.press("S")
            for _ in range(20):
                d.seconds += 0.03
                d.hit(held)
                await quiet(d.app)
            assert not d.collector.calls, held
            d.app.screen.post_message(Paste("y"))
            d.seconds += 5
            d.app.screen.post_message(Paste("y\ny\n"))
            await d.settle()
            assert not d.collector.calls
            await d.press("escape")


@story
async def test_a_pasted_name_does_not_arm_a_red_action() -> None:
    async with deck(size=DECK) as d:
        await d.go("sql01")
        await ask_turn_off(d)
        for text in ("sql01", "sql01\n", "sql01\ny"):
            d.field.post_message(Paste(text))
            await d.settle()
            assert d.field.value == ""
        d.seconds += 5
        await d.press("enter", "y", "enter")
        assert not d.collector.calls


@story
async def test_a_multiline_paste_outside_any_field_does_nothing() -> None:
    async with deck(size=DECK) as d:
        await d.press("A")
        for text in ("S\ny\n", "s", ":turn off\n", "q"):
            d.app.screen.post_message(Paste(text))
            d.app.panes.vms.grid.post_message(Paste(text))
        await d.settle()
        assert not d.collector.calls
        assert len(d.app.screen_stack) == 1


@story
async def test_a_paste_into_the_palette_runs_nothing_by_itself() -> None:
    async with deck(size=DECK) as d:
        await d.go("sql02")
        await d.press("colon")
        d.field.post_message(Paste("start\n"))
        await d.settle()
        assert isinstance(d.app.screen, Finder)
        assert not d.collector.calls


@pytest.mark.parametrize("action", sorted(RED))
def test_every_red_action_asks_for_the_name(action: str) -> None:
    @story
    async def tale() -> None:
        declared = by_id(action)
        assert declared is not None
        estate = datacenter()
        async with deck(estate, size=DECK) as d:
            await d.go("sql01")
            d.app.operator.act(action, anywhere=True)
            await d.settle()
            if d.collector.calls or len(d.app.screen_stack) == 1:
                assert not reds(d)
                return
            for _ in range(3):
                d.seconds += 5
                await d.press("y", "enter")
            assert not reds(d)

    tale()

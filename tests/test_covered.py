"""A screen below another one costs nothing, and is current when it shows again."""

from __future__ import annotations

import re

from tests.deck_kit import Deck, deck, story
from tests.scripted import OFF
from tests.ui_kit import Recorder
from tui.collector.messages import Batch
from tui.ui.finder import Finder
from tui.ui.form import Form

TICKS = 5


async def pass_time(d: Deck) -> int:
    """Ticks of the estate; how much was sent to the terminal meanwhile."""
    driver = d.app._driver
    assert isinstance(driver, Recorder)
    await d.settle()
    driver.take()
    for _ in range(TICKS):
        d.collector.play(d.estate.tick())
        d.app.tick()
        await d.settle()
    return len(driver.take())


@story
async def test_what_changes_below_a_dialog_is_not_painted() -> None:
    async with deck(recorded=True) as d:
        bare = await pass_time(d)
        assert bare > 1000, "there is something to paint"
        for keys, kind in (("colon",), Finder), (("3", "t"), Form):
            await d.press(*keys)
            assert isinstance(d.app.screen, kind)
            assert await pass_time(d) < bare / 10
            await d.press("escape")
        assert await pass_time(d) > 1000, "and it is painted again"


@story
async def test_the_deck_is_current_when_the_dialog_goes() -> None:
    async with deck(recorded=True) as d:
        await d.press("colon")
        d.collector.play(Batch((d.estate.vary("web01", state=OFF), d.estate.remove("sql01"))))
        await pass_time(d)
        await d.press("escape")
        shown = d.text()
        assert "sql01" not in shown
        assert "Off" in next(line for line in shown.splitlines() if "web01" in line)


@story
async def test_a_dialog_goes_on_by_itself() -> None:
    async with deck(recorded=True) as d:
        await d.go("web02")
        await d.press("t")
        await d.type("blue")
        assert "blue" in d.text()
        assert "→ blue" in d.text(), "its preview follows"
        await d.press("escape", "colon")
        await d.type("sql0")
        assert "sql02" in d.text()


@story
async def test_a_terminal_that_grows_shows_all_of_the_deck_below_a_dialog() -> None:
    async with deck(recorded=True, size=(100, 24)) as d:
        await d.press("colon")
        driver = d.app._driver
        assert isinstance(driver, Recorder)
        driver.take()
        await d.pilot.resize_terminal(140, 40)
        await d.settle()
        seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", driver.take())
        assert "Hosts — 4" in seen, "panes stand side by side now"
        await d.press("escape")
        assert "Hosts — 4" in d.text()

"""The migrate sheet over a scripted collector: whose word it shows, and for which question."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.deck_kit import Deck, deck, story
from tests.quiet_kit import PATIENCE
from tui.collector.messages import Answer, Batch, Call
from tui.hyperv.verdict import HostVerdict
from tui.ui.migrate import MigrateScreen


def questions(d: Deck) -> list[Call]:
    return [one for one in d.collector.commands if isinstance(one, Call) and one.ask]


async def until(d: Deck, happened: Callable[[], bool]) -> None:
    """Until the sheet has caught up: it shows what comes no oftener than that costs."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, d.text()
        await d.pilot.pause(0.02)


async def asked(d: Deck) -> Call:
    """The host under the cursor is asked about; answers the question."""
    before = len(questions(d))
    await d.press("h")
    new = questions(d)[before:]
    assert len(new) == 1
    return new[0]


def said(call: Call, id_: str, *, allowed: bool) -> Batch:
    verdict = HostVerdict(allowed, () if allowed else ("no room",))
    answer = Answer(id_, call.host, call.target, call.arguments, 0.0, verdict)
    return Batch(answers=(answer,))


@story
async def test_only_the_answer_to_the_last_question_counts() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("m")
        screen = d.app.screen
        assert isinstance(screen, MigrateScreen)
        first = await asked(d)
        second = await asked(d)
        assert first.id != second.id
        d.collector.play(said(first, first.id, allowed=True))
        await d.settle()
        assert screen.line is not None
        assert screen.line.going[0].answer is None, "it was about what is not asked any more"
        d.collector.play(said(second, second.id, allowed=False))
        await until(d, lambda: "no room" in d.text())
        assert screen.line.going[0].answer is not None


@story
async def test_what_a_host_said_to_an_earlier_sheet_is_not_shown_in_the_next() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("m")
        call = await asked(d)
        d.collector.play(said(call, call.id, allowed=True))
        await d.settle()
        await d.press("escape")
        await d.press("m")
        screen = d.app.screen
        assert isinstance(screen, MigrateScreen)
        assert all(one.answer is None for line in screen._lines.values() for one in line.going)


@story
async def test_closing_after_the_machine_has_vanished_ends_its_reading() -> None:
    async with deck() as d:
        await d.go("sql01")
        host, vm = d.estate.find("sql01")
        await d.press("m")
        assert d.app.engine.inspected == (host.info.id, vm.id)
        d.collector.play(Batch((d.estate.remove("sql01"),)))
        await d.settle()
        await d.press("escape")
        assert d.app.engine.inspected == (host.info.id, "")

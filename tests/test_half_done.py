"""A verb that fails midway through the deck: what it left is named, and goes in one key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.deck_kit import story
from tests.live_kit import Estate, estate
from tests.story_kit import LiveDeck, live_deck
from tests.verb_story_kit import Truth, begin, confirm, fill, perform
from tui.collector.messages import CallUpdate, Phase
from tui.sim.http import Answer
from tui.ui.cards import LeftBehind
from tui.ui.dialogs import Confirm
from tui.wsman import request
from tui.wsman.request import Invoke

HOST = "NUC01"
GIVEN: dict[str, str | bool] = {"name": "half", "size": "5G", "start": True}


class Sabotage:
    """The job of the next call of a method fails."""

    def __init__(self, served: Estate, method: str) -> None:
        self._served = served
        self._method = method
        self._answer: Answer = served.endpoints[HOST].answer
        served.endpoints[HOST].answer = self

    def __call__(self, envelope: bytes, user: str) -> tuple[int, bytes]:
        asked = request.decode(envelope)[1]
        if isinstance(asked, Invoke) and asked.method == self._method:
            faults = self._served.faults(HOST)
            faults.job_fails_at, faults.job_fails = 50, 1
            self._method = ""
        return self._answer(envelope, user)


@contextmanager
def sabotaged(method: str) -> Iterator[tuple[Estate, Truth]]:
    with estate("homelab", speed=60) as served:
        link = served.link(HOST)
        truth = Truth(link.url, link.user, link.password)
        served.endpoints[HOST].answer = Sabotage(served, method)
        try:
            yield served, truth
        finally:
            truth.close()


async def fails(d: LiveDeck, action: str, on: str, given: dict[str, str | bool]) -> CallUpdate:
    """Run a verb to its failure, and until its card is on the screen."""
    update = await perform(d, action, HOST, on, given)
    assert update.phase is Phase.FAILED, update
    await d.until(lambda: isinstance(d.app.screen, LeftBehind), "the card")
    return update


@pytest.mark.parametrize("method", ["ModifyResourceSettings", "RequestStateChange"])
def test_a_machine_half_made_is_named_and_taken_back_by_one_key(method: str) -> None:
    @story
    async def told() -> None:
        with sabotaged(method) as (served, truth):
            before, files = truth.names(), truth("SELECT Name FROM CIM_DataFile")
            async with live_deck(served) as d:
                update = await fails(d, "vm.create", "", GIVEN)
                assert update.made
                for what in update.made:
                    await d.shows(what[:40])
                    assert what in d.notices
                await d.shows("takes back what was made")
                assert "half" in truth.names()
                await d.until(lambda: "half" in d.names, "it is listed")
                await d.press("u")
                await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
                await d.shows("Delete machine half?")
                await d.press("escape")
                assert "half" in truth.names(), "No is no"
                d.app.operator.take_back(update)
                await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked again")
                await confirm(d)
                await d.says("Delete machine half on NUC01: done")
            assert truth.names() == before
            assert len(truth("SELECT Name FROM CIM_DataFile")) == len(files)

    told()


@story
async def test_what_is_there_before_the_failure_needs_no_way_back() -> None:
    with sabotaged("DefineSystem") as (served, truth):
        async with live_deck(served) as d:
            update = await perform(d, "vm.create", HOST, "", GIVEN)
            assert (update.phase, update.made) == (Phase.FAILED, ())
            await d.says("Create machine NUC01 on NUC01: failed")
            assert not isinstance(d.app.screen, LeftBehind)
            assert "It left" not in d.notices
            assert "half" not in truth.names()


@story
async def test_a_file_left_by_a_disk_that_was_not_attached_goes_again() -> None:
    path = "D:\\loose.vhdx"
    with sabotaged("AddResourceSettings") as (served, truth):
        async with live_deck(served) as d:
            given: dict[str, str | bool] = {"path": path, "size": "5G"}
            await fails(d, "disk.add", "media", given)
            assert truth.file(path)
            await d.press("u")
            await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
            await confirm(d)
            await d.until(lambda: not truth.file(path), "it is deleted")


@story
async def test_whoever_is_busy_elsewhere_is_not_interrupted() -> None:
    with sabotaged("ModifyResourceSettings") as (served, truth):
        async with live_deck(served) as d:
            await begin(d, "vm.create", HOST, "")
            form = await fill(d, GIVEN)
            form.action_send_form()
            await d.until(lambda: d.app.screen is not form, "it is sent")
            await d.press("question_mark")
            await d.until(lambda: len(d.app.screen_stack) == 2, "help is open")
            helping = d.app.screen
            await d.says("u in its card takes back what was made: the virtual machine half")
            assert d.app.screen is helping
            assert "half" in truth.names()

"""Every verb through the deck: chosen, filled in, confirmed, seen done; then asked of the host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.cluster_cases import CASES as CLUSTERED
from tests.deck_kit import story
from tests.move_cases import MOVES
from tests.replica_cases import CASES as REPLICATION
from tests.story_kit import LiveDeck
from tests.test_cli_verbs import CASES as EARLIER
from tests.verb_cases import CASES
from tests.verb_story_kit import Case, Served, perform, proven, serving_scene
from tui.actions import ACTIONS
from tui.collector.messages import Phase
from tui.collector.pipe import CollectorProcess
from tui.ui.app import DeckApp
from tui.ui.options import DeckOptions


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene() as found:
        yield found


@asynccontextmanager
async def deck_on(served: Served, *hosts: str) -> AsyncIterator[LiveDeck]:
    """The deck with the collector's own process, over some hosts of the fabric."""
    collector = CollectorProcess()
    options = DeckOptions(links=served.links(*hosts), fast=0.5, slow=5.0, requests_per_minute=0)
    app = DeckApp(options, collector=collector)
    async with app.run_test(size=(120, 50)) as pilot:
        d = LiveDeck(app, pilot, collector)
        try:
            await d.until(lambda: app.store.vms and all(
                row.vm.complete for row in app.store.vms.values()), "the machines")  # fmt: skip
            await d.until(lambda: all(
                row.host.migration_enabled is not None for row in app.store.host_rows.values()
            ), "the facts of the hosts")  # fmt: skip
            yield d
        finally:
            await app.engine.stop()


def test_every_changing_action_has_a_case() -> None:
    told = {case.action for cases in CASES.values() for case in cases} | set(EARLIER)
    told |= {case.action for case in (*MOVES, *CLUSTERED, *REPLICATION)}
    ended_in_time = {"job.cancel", "role.cancel"}
    several = {action.id for action in ACTIONS if action.planned}
    assert {action.id for action in ACTIONS if action.changes} - told == ended_in_time | several


async def tried(d: LiveDeck, served: Served, case: Case) -> str:
    """What is wrong with a verb; empty when it did what it says."""
    truth = served.truth(case.host)
    try:
        given = case.prepare(truth)
        update = await perform(d, case.action, case.host, case.on, given)
    except (AssertionError, ValueError, StopIteration) as error:
        while len(d.app.screen_stack) > 1:
            d.app.pop_screen()
        return f"{case.id}: {error!r:.3000}"
    if update.phase is not Phase.OBSERVED:
        return f"{case.id}: {update}"
    return "" if proven(case, truth) else f"{case.id}: the host does not show it"


@pytest.mark.timeout(900)  # dozens of verbs, each of which has its own patience
@pytest.mark.parametrize("noun", CASES)
def test_every_verb_does_what_it_says_through_the_deck(served: Served, noun: str) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "HV02") as d:
            wrong = [await tried(d, served, case) for case in CASES[noun]]
            assert not any(wrong), "\n".join(filter(None, wrong))

    told()

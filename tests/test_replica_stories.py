"""Replication through the deck over sockets; both hosts are asked what is true."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.deck_kit import story
from tests.replica_cases import BERLIN, CASES, DRESDEN, Fabric, ReplicaCase, proven
from tests.story_kit import LiveDeck
from tests.verb_story_kit import Served, perform, serving_scene
from tui.collector.messages import Phase
from tui.collector.pipe import CollectorProcess
from tui.store import ReplicaRow
from tui.ui.app import DeckApp
from tui.ui.options import DeckOptions


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("replica") as found:
        yield found


@asynccontextmanager
async def deck_on(served: Served, size: tuple[int, int] = (160, 50)) -> AsyncIterator[LiveDeck]:
    """The deck over both hosts, on the page of replication."""
    collector = CollectorProcess()
    options = DeckOptions(
        links=served.links(BERLIN, DRESDEN), fast=0.5, slow=3.0, requests_per_minute=0
    )
    app = DeckApp(options, collector=collector)
    async with app.run_test(size=size) as pilot:
        d = LiveDeck(app, pilot, collector)
        try:
            await d.until(
                lambda: (
                    len(app.store.replicas.rows) == 32
                    and all(row.other for row in app.store.replicas.rows.values())
                ),
                "both ends of every relationship",
            )
            await d.press("R")
            yield d
        finally:
            await app.engine.stop()


def end(d: LiveDeck, name: str, host: str) -> ReplicaRow:
    rows = d.app.store.replicas.rows.values()
    return next(row for row in rows if (row.name, row.host.id) == (name, host))


def test_the_page_shows_lag_and_health_with_the_reason(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served) as d:
            fabric = Fabric(served)
            await d.until(lambda: end(d, "archive", BERLIN).replica.reasons, "reasons")
            await d.shows("Replication — 32")
            await d.shows("▲ Critical")
            archive = end(d, "archive", BERLIN).replica
            assert archive.health == fabric.health(BERLIN, "archive")
            assert archive.late
            assert (archive.pending or 0) > 1 << 30
            d.app.panes.replicas.grid.move_to(end(d, "archive", BERLIN).key)
            await d.press("d")
            await d.shows("enough space on the disk.")
            await d.shows("Next step")
            await d.press("escape", "exclamation_mark")
            await d.shows("problems only")
            shown = {d.app.store.replicas.rows[key].name for key in d.app.panes.replicas.grid.keys}
            assert {"archive", "crm", "mail", "files", "wiki"} <= shown
            assert "erp-db" not in shown

    told()


async def tried(d: LiveDeck, fabric: Fabric, case: ReplicaCase) -> str:
    """What is wrong with a verb; empty when it did what it says."""
    try:
        given = case.prepare(fabric)
        update = await perform(d, case.action, case.host, case.on, given)
    except (AssertionError, ValueError, StopIteration) as error:
        while len(d.app.screen_stack) > 1:
            d.app.pop_screen()
        return f"{case.id}: {error!r:.3000}"
    if update.phase is not Phase.OBSERVED:
        return f"{case.id}: {update}"
    return "" if proven(case, fabric) else f"{case.id}: the hosts do not show it"


def test_every_verb_does_what_it_says_through_the_deck(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served) as d:
            wrong = [await tried(d, Fabric(served), case) for case in CASES]
            assert not any(wrong), "\n".join(filter(None, wrong))

    told()


def test_a_machine_keeps_its_row_and_its_mark_when_its_replica_takes_over(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served) as d:
            fabric, store = Fabric(served), d.app.store
            guid = fabric.at(DRESDEN).vm("dns02")
            await d.until(
                lambda: store.vms[guid].host.id == DRESDEN and f"{guid}@{BERLIN}" in store.vms,
                "the machine and its replica",
            )
            assert not store.vms[guid].duplicate
            store.mark([guid], True)
            fabric.at(DRESDEN).stop("dns02")
            await perform(d, "replica.prepare-failover", DRESDEN, "dns02", {})
            await perform(d, "replica.planned-failover", BERLIN, "dns02", {})
            await d.until(lambda: store.vms[guid].host.id == BERLIN, "the row has moved")
            assert store.vms[guid].marked
            await d.until(lambda: f"{guid}@{DRESDEN}" in store.vms, "the former primary")
            assert (fabric.mode(BERLIN, "dns02"), fabric.mode(DRESDEN, "dns02")) == (1, 2)

    told()

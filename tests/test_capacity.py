"""The capacity sheet: how often it reckons, and what it says of nodes it does not know."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.deck_kit import Deck, deck, story
from tui.hyperv.plans import capacity
from tui.hyperv.plans.capacity import Pool
from tui.rows.plans import pool_fact
from tui.store.targets import everywhere
from tui.ui import capacityview
from tui.ui.capacityview import SHARE, CapacitySheet

COST = 5.0
"""Seconds a reckoning takes by the clock of these tests."""


class Reckoner:
    """Counts reckonings, and looks at all hosts; each reckoning takes its time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.times = self.looks = 0
        self._capacity = capacity.capacity
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(capacityview, "time", clock)
        monkeypatch.setattr(capacity, "capacity", self._reckon)
        monkeypatch.setattr(capacityview, "everywhere", self._look)

    def _reckon(self, *given: Any) -> Any:
        self.times += 1
        self.now += COST
        return self._capacity(*given)

    def _look(self, store: Any) -> Any:
        self.looks += 1
        return everywhere(store)


async def opened(d: Deck) -> CapacitySheet:
    d.app.push_screen(CapacitySheet(d.app.glyphs))
    await d.settle()
    sheet = d.app.screen
    assert isinstance(sheet, CapacitySheet)
    return sheet


def test_what_did_not_change_is_not_reckoned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    @story
    async def tale() -> None:
        async with deck() as d:
            reckoner = Reckoner(monkeypatch)
            sheet = await opened(d)
            assert (reckoner.times, reckoner.looks) == (1, 1)
            for _ in range(3):
                sheet._take_up()
            assert (reckoner.times, reckoner.looks) == (1, 4)
            await d.press("plus")
            assert (reckoner.times, reckoner.looks) == (2, 4)
            await d.press("tab")
            await d.press("tab")
            assert (reckoner.times, reckoner.looks) == (3, 4)

    tale()


def test_the_pause_grows_with_what_a_reckoning_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    @story
    async def tale() -> None:
        async with deck() as d:
            reckoner = Reckoner(monkeypatch)
            sheet = await opened(d)
            entry = next(iter(d.app.store.vms.values()))
            del d.app.store.vms[entry.vm.id]
            reckoner.now += SHARE * COST - 1
            for _ in range(3):
                sheet.renew()
            await d.settle()
            assert (reckoner.times, reckoner.looks) == (1, 1)
            assert sheet._due is not None, "it is shown once the pause is over"
            sheet._take_up()
            assert (reckoner.times, reckoner.looks) == (2, 2)
            assert sheet._due is None

    tale()


def test_the_usual_size_is_of_the_hosts_that_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    @story
    async def tale() -> None:
        async with deck() as d:
            sheet = await opened(d)
            everyone = everywhere(d.app.store)
            assert sheet.wish == capacity.usual(everyone)
            assert sheet.wish != capacity.usual({})
            await d.press("v")
            changed = sheet.wish
            sheet._take_up()
            assert sheet.wish == changed

    tale()


def test_what_is_open_about_a_cluster_is_not_told_as_a_lack() -> None:
    known = Pool("CL", (), 3, 30 << 30)
    assert pool_fact(known)[2] == "error"
    assert pool_fact(replace(known, strangers=("HV9",))) == (
        "CL",
        "3 fit, as far as hvdeck knows its nodes: nothing is known of HV9; whether it survives the "
        "loss of a node is open",
        "warning",
    )

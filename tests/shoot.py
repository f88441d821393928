"""Writes the pictures in ``screenshots/``: the real deck over scenes of the embedded fabric.

python tests/shoot.py [NAME …]        all of them, or only those named
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from tui.hyperv.model import Link
from tui.ui.app import DeckApp
from tui.ui.options import DeckOptions, calm
from tui.ui.own import metered

SCREENSHOTS = Path(__file__).parent.parent / "screenshots"


class Unseen(HeadlessDriver):
    """A terminal that nobody sees: what is sent to it is counted like any other's."""

    @property
    def is_headless(self) -> bool:
        return False


@dataclass(frozen=True)
class Shot:
    """One picture: what to press before it is taken."""

    name: str
    keys: tuple[str, ...] = ()
    scene: str = "datacenter"
    size: tuple[int, int] = (120, 40)
    theme: str = ""
    ascii: bool = False
    history: float = 6.0
    """Seconds the graphs get to fill."""
    watched: float = 0.5
    """Seconds it is on the screen before it is taken: what is measured only then has lines too."""


def typed(text: str) -> tuple[str, ...]:
    """Keys that type a text."""
    names = {" ": "space", ":": "colon", ">": "greater_than_sign", "@": "at", "-": "minus"}
    return tuple(names.get(character, character) for character in text)


def jump(name: str) -> tuple[str, ...]:
    """Keys that put the cursor on a machine."""
    return ("f", *typed(name), "enter")


SHOTS = (
    Shot("deck", ("j", "j", "j", "j"), history=60.0),
    Shot("confirm", ("slash", *typed("web"), "enter", "space", "space", "space", "S")),
    Shot("palette", ("colon", *typed("web"))),
    Shot("help", ("question_mark",)),
    Shot("graphs", ("j", "j", "j", "j", "5", "Z", "plus", "plus", *("left",) * 24), history=75.0),
    Shot("networks", ("4", "plus")),
    Shot("narrow", ("j", "j"), size=(80, 24)),
    Shot("light", ("j", "j"), theme="deck-light"),
    Shot("troubled", (), scene="troubled"),
    Shot("wide", ("j", "j", "j"), size=(200, 60), history=60.0),
    Shot("sheet", (*jump("sql02"), "enter")),
    Shot("checkpoints", (*jump("crm01"), "enter", "5")),
    Shot("form", (*jump("build02"), "enter", "2", "x", *typed("memory"), "enter")),
    Shot("topology", ("4", "T", "plus")),
    Shot("services", ("9",)),
    Shot("audit", ("0",)),
    Shot("migrate", (*jump("tree01"), "m", "down"), scene="migration"),
    Shot("replicas", ("R", "j", "j", "j", "j"), scene="replica"),
    Shot(
        "failover",
        ("R", *"jjjjj", "x", *typed("failover"), "enter", *("tab",) * 3, "enter"),
        scene="replica",
    ),
    Shot("cluster", ("C",), scene="cluster"),
    Shot("drain", ("2", "j", "D"), scene="cluster"),
    Shot("balance", ("B",), scene="cluster"),
    Shot("capacity", ("P",), scene="cluster"),
    Shot("storage", ("V", "j"), size=(140, 40), history=660.0, watched=10.0),
    Shot("perf", ("colon", *typed("app.perf"), "enter"), size=(140, 40), history=75.0),
    Shot("top", ("o", "w", "w", "w"), size=(140, 40), history=60.0),
    Shot("top-disks", ("o", "right", "right", "w", "w", "w"), size=(140, 40), watched=64.0),
    Shot(
        "neighbours",
        (*jump("sql-erp"), "n", "w", "w", "w"),
        scene="cluster",
        watched=64.0,
    ),
)


async def complete(pilot: Pilot[int], app: DeckApp) -> None:
    """Until every host has failed or told all of itself, and every machine is known in full."""

    def ready() -> bool:
        hosts = [entry.vitals.link for entry in app.store.hosts.values()]
        answered = bool(hosts) and Link.CONNECTING not in hosts
        up = [entry for entry in app.store.hosts.values() if entry.vitals.link is not Link.DOWN]
        answered = answered and all(entry.info.numa_nodes for entry in up)
        return answered and all(row.vm.complete for row in app.store.vms.values())

    await until(pilot, ready, 30.0)


async def until(pilot: Pilot[int], met: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, at most so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not met() and asyncio.get_running_loop().time() < deadline:
        await pilot.pause(0.1)


async def shoot(shot: Shot) -> None:
    """One run of the deck, one picture."""
    app = DeckApp(DeckOptions(scene=shot.scene, theme=shot.theme, ascii=shot.ascii, fast=1.0))
    app.driver_class = metered(Unseen, app.meter)
    async with app.run_test(headless=False, size=shot.size) as pilot:
        try:
            await complete(pilot, app)
            await pilot.pause(shot.history)
            await pilot.press(*shot.keys)
            await pilot.pause(shot.watched)
            svg = app.export_screenshot(title="hvdeck")
        finally:
            await app.engine.stop()
    (SCREENSHOTS / f"{shot.name}.svg").write_text(svg, encoding="utf-8")
    print(f"screenshots/{shot.name}.svg", file=sys.stderr)


async def shoot_all(wanted: set[str]) -> None:
    for shot in SHOTS:
        if not wanted or shot.name in wanted:
            await shoot(shot)


if __name__ == "__main__":
    calm(os.environ)
    asyncio.run(shoot_all(set(sys.argv[1:])))

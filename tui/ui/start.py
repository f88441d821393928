"""The way in: children first, then the screen, so that one comes up while the other loads.

Loads Textual only when the children are under way.
"""

from __future__ import annotations

import asyncio
import gc
import time

from tui.collector.tape import Tape
from tui.store import Store
from tui.ui.engine import Engine
from tui.ui.options import DeckOptions


def run(options: DeckOptions) -> int:
    """Show the deck until it is left; answers the exit code. Children end with it."""
    return asyncio.run(_live(options, Engine(Store(), options, time.time)))


def replay(options: DeckOptions, tape: Tape, *, speed: float, at: float) -> int:
    """Show the deck over a recording. Raises WireError when that is damaged."""
    from tui.ui.player import Player

    return asyncio.run(_live(options, Player(tape, options, speed=speed, at=at)))


def spare_collections() -> None:
    """Full garbage collections walk all there is and hold up a key: less of it, and seldom."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    gc.enable()


async def _live(options: DeckOptions, engine: Engine) -> int:
    try:
        await engine.warm()
        from tui.ui.app import DeckApp

        app = DeckApp(options, engine=engine)
        app.mind_signals()
        spare_collections()
        return await app.run_async(mouse=options.mouse) or app.return_code or 0
    finally:
        await engine.stop()

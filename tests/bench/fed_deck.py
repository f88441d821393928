"""The deck itself, fed by an estate made of nothing: ``fed_deck.py HOSTS VMS_PER_HOST``.

Everything but the far side of the collector's pipe is what people run.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.estate import links
from tui.collector.pipe import CollectorProcess
from tui.ui.options import DeckOptions, calm

calm(os.environ)

from tui.ui import app, start  # noqa: E402


async def live(hosts: int, vms: int) -> None:
    estate = Path(__file__).with_name("estate.py")
    collector = CollectorProcess(command=(sys.executable, str(estate), str(vms)))
    deck = app.DeckApp(DeckOptions(links=links(hosts)), collector=collector)
    start.spare_collections()
    try:
        await deck.run_async()
    finally:
        await deck.engine.stop()


if __name__ == "__main__":
    asyncio.run(live(int(sys.argv[1]), int(sys.argv[2])))

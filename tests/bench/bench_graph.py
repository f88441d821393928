"""Four graphs of one host: what a redraw costs, and what a tick sends to the terminal.

    python tests/bench/bench_graph.py [--ticks 100]

The pane of graphs alone on a terminal that counts what is written to it, over an hour of readings
in the store's own history. *Anew* draws with nothing known from before, a *tick* is one reading
two seconds later, *nothing new* the second between two readings. Times are of the processor, from
the call to the end of the paint; the bare draw leaves Textual's part out.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from textual.pilot import Pilot
from textual.screen import UPDATE_PERIOD

from tests.bench.figures import TITLE, line
from tests.scripted import GB, START, Estate
from tests.ui_kit import OneWidget
from tui.store import Store
from tui.ui.graph import Graph
from tui.ui.graphs import GraphsPane
from tui.ui.style import UNICODE

STEP = 2.0


class Bench:
    """One host whose load wanders, its readings in a store, and its graphs."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.estate = Estate(START)
        self.estate.add_host("HV01")
        self.store = Store()
        self.rng = random.Random(5)
        self.load = [30.0, 60.0 * GB, 2e6, 1e6, 8e6, 4e6]
        self.store.apply(self.estate.everything(), self.estate.now)
        self.key = next(iter(self.store.host_rows))
        self.pane = GraphsPane(self.store, UNICODE)
        self.app = OneWidget(lambda: self.pane)

    def read(self) -> None:
        """One reading, two seconds after the last."""
        self.estate.now += STEP
        limits = (100.0, 200.0 * GB, 9e6, 9e6, 9e7, 9e7)
        self.load = [
            min(limit, max(0.0, value + self.rng.uniform(-0.06, 0.06) * limit))
            for value, limit in zip(self.load, limits, strict=True)
        ]
        self.store.history(self.key).record(self.estate.now, self.load)


@dataclass(frozen=True)
class Run:
    """One act: milliseconds of processor time to draw, and until it is painted; bytes sent."""

    draw: float
    paint: float
    size: int


async def drawn(bench: Bench, pilot: Pilot[None], act: Callable[[], object]) -> Run:
    """What one act costs, until it is on the screen."""
    bench.app.recorder.take()
    started = time.process_time()
    act()
    draw = time.process_time() - started
    await asyncio.sleep(2 * UPDATE_PERIOD)
    paint = time.process_time() - started
    return Run(1000 * draw, 1000 * paint, len(bench.app.recorder.take().encode()))


def tell(what: str, runs: Sequence[Run], budget: str) -> None:
    draws, paints = [run.draw for run in runs], [run.paint for run in runs]
    figures = f"{median(draws):.2f} ms, painted {median(paints):.1f} ms, "
    line(what, f"{figures}{median(run.size for run in runs):.0f} bytes", budget)


async def measure(bench: Bench, ticks: int) -> list[tuple[str, list[Run], str]]:
    """What was done, how it went, its budget. Textual keeps what is printed while it runs."""
    for _ in range(1800):
        bench.read()
    place = f"{bench.size[0]}x{bench.size[1]}"
    async with bench.app.run_test(headless=False, size=bench.size) as pilot:
        bench.pane.show(bench.key, bench.estate.now)
        await pilot.pause(0.3)
        graphs = list(bench.pane.query(Graph))

        def anew() -> None:
            for graph in graphs:
                graph.on_resize()

        first = [await drawn(bench, pilot, anew) for _ in range(40)]

        def tick() -> None:
            bench.read()
            bench.pane.show(bench.key, bench.estate.now)

        runs, between = [], []
        for _ in range(ticks):
            runs.append(await drawn(bench, pilot, tick))
            between.append(
                await drawn(
                    bench, pilot, lambda: bench.pane.show(bench.key, bench.estate.now + 1.0)
                )
            )
        windows = [await drawn(bench, pilot, bench.pane.next_window) for _ in range(30)]
        zooms, pans = [], []
        for by in (1, 1, 1, -1, -1, -1) * 8:
            zooms += [await drawn(bench, pilot, partial(bench.pane.action_zoom, by))]
        for by in (-1, -1, -1, 1, 1, 1) * 8:
            pans += [await drawn(bench, pilot, partial(bench.pane.action_pan, by))]
        crosses = [
            await drawn(bench, pilot, lambda: bench.pane.action_point(-1)) for _ in range(30)
        ]
    return [
        (f"four graphs anew, {place}", first, "-"),
        ("  a tick, window of 5 min", runs, "3 KB with all else"),
        ("  nothing new", between, "200 bytes with all else"),
        ("  another window", windows, "-"),
        ("  zoom", zooms, "-"),
        ("  pan", pans, "-"),
        ("  crosshair", crosses, "-"),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=100)
    options = parser.parse_args(arguments)
    print(TITLE)
    gc.collect()
    for size in ((66, 13), (120, 40)):
        for what, runs, budget in asyncio.run(measure(Bench(*size), options.ticks)):
            tell(what, runs, budget)


if __name__ == "__main__":
    main()

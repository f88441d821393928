"""Histories: what a reading costs, what looking costs, and memory over two simulated days.

    python tests/bench/bench_history.py [--things 20] [--every 60]

Once for each grain, each with six metrics. Memory is told per thing, after an hour, a day and two
days of readings every so many seconds.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import TITLE, line, quiet
from tui.store.histories import ALLOWANCE
from tui.store.series import BESIDES, FULL, SCANT, THIN, History

GRAINS = {"full": FULL, "thin": THIN, "scant": SCANT}
HOUR, DAY = 3600, 86_400
START = 1.79e9
GB = 2**30


def readings(count: int) -> list[tuple[float, ...]]:
    rng = random.Random(1)
    return [
        (
            rng.randrange(100), 4 * GB + rng.randrange(64) * 2**20, rng.random() * 1e6,
            rng.random() * 1e6, rng.random() * 1e7, rng.random() * 1e7,
        )
        for _ in range(count)
    ]  # fmt: skip


def milliseconds(run: Callable[[], object], times: int = 30) -> float:
    spent = []
    for _ in range(times):
        started = time.process_time()
        run()
        spent.append(1000 * (time.process_time() - started))
    return median(spent)


def recording(name: str, things: int = 1000, ticks: int = 200) -> None:
    """Every thing once a tick of two seconds; the condensing of minutes is in it."""
    histories = [History(GRAINS[name]) for _ in range(things)]
    values, at = readings(things), START
    started = time.process_time()
    for _ in range(ticks):
        at += 2
        for history, value in zip(histories, values, strict=True):
            history.record(at, value)
    spent = (time.process_time() - started) / things / ticks
    share = f"{spent * 1e6:.1f} us; of 10,000 every 2 s {spent * 10_000 / 2:.1%} of a core"
    line(f"a reading of six metrics, {name}", share)


def looking(name: str) -> None:
    """At a thing with a day behind it, each time after one more reading."""
    history, values, at = History(GRAINS[name]), readings(1000), START
    for number in range(DAY // 2):
        at += 2
        history.record(at, values[number % 1000])

    def fresh(look: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            history.record(at, values[7])
            return look()

        return run

    day = milliseconds(fresh(lambda: history.points(0, at - DAY, at, 200)))
    hour = milliseconds(fresh(lambda: history.points(0, at - HOUR, at, 200)))
    figures = f"day {day:.2f} ms, hour {hour:.2f} ms"
    line(f"200 points, {name}", figures, "day 2 ms")
    spans = (300.0, float(HOUR))
    peaks = [milliseconds(fresh(lambda s=s: history.highest((2, 3), at - s, at))) for s in spans]  # type: ignore[misc]
    figures = f"5 min {peaks[0] * 10:.1f} s, hour {peaks[1] * 10:.1f} s"
    line(f"highest sum of two metrics, 10,000 rows, {name}", figures)
    if history.grain is FULL:
        started = time.process_time()
        history.thin(THIN)
        line("a day made thin", f"{1000 * (time.process_time() - started):.1f} ms")


def memory(name: str, things: int, every: int) -> None:
    """As Python counts what was taken, per thing."""
    histories, values = [History(GRAINS[name]) for _ in range(things)], readings(1000)
    figures = []
    tracemalloc.start()
    for at in range(0, 2 * DAY + 1, every):
        for number, history in enumerate(histories):
            history.record(START + at, values[(number + at) % 1000])
        if at in (HOUR, DAY, 2 * DAY):
            used = tracemalloc.get_traced_memory()[0] / 1024
            figures.append(f"{at // HOUR} h {used / things:.1f}")
    tracemalloc.stop()
    fit = ALLOWANCE // (GRAINS[name].column * 6 + BESIDES)
    line(f"memory of a thing, {name}; {fit} fit", f"{', '.join(figures)} KB")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=20)
    parser.add_argument("--every", type=int, default=60)
    options = parser.parse_args(arguments)
    print(TITLE)
    with quiet():
        for name in GRAINS:
            recording(name)
            looking(name)
            memory(name, options.things, options.every)


if __name__ == "__main__":
    main()

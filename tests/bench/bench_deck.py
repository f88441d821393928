"""The deck from outside, in a pseudo-terminal: start-up, idle cost, bytes per tick, key to paint.

    python tests/bench/bench_deck.py [--runs 5] [--scene datacenter]

Prints medians beside the budgets; judges nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

from terminal import Terminal, hvdeck, quantile, terminal

QUIET = {"HVDECK_CONFIG": "/nonexistent/config.toml"}


def line(what: str, figures: str, budget: str) -> None:
    print(f"{what:<44} {figures:<40} budget {budget}")


def start_up(scene: str, runs: int) -> None:
    """Whole process to first paint, and to the first rows of the embedded fabric."""
    paints, rows = [], []
    for _ in range(runs + 1):
        with terminal(hvdeck("--demo", scene)) as screen:
            paints.append(screen.wait_for(b"hvdeck"))
            rows.append(screen.wait_for(b"Running"))
    line("first paint (median, warm)", f"{median(paints[1:]):.2f} s", "0.5 s")
    line("first rows of the fabric (median, warm)", f"{median(rows[1:]):.2f} s", "1.5 s")


def steady(screen: Terminal) -> None:
    screen.wait_for(b"Running")
    screen.drain(1.0)
    screen.listen(10.0)


def idle_cost(screen: Terminal, seconds: float) -> None:
    """CPU of the deck's own process, of all processes, and resident memory."""
    family = screen.family()
    before = {p.pid: sum(p.cpu_times()[:2]) for p in family}
    started = time.perf_counter()
    screen.listen(seconds)
    spent = time.perf_counter() - started
    shares = {p.pid: 100 * (sum(p.cpu_times()[:2]) - before[p.pid]) / spent for p in family}
    deck = shares[screen.pid]
    memory = screen.family()[0].memory_info().rss / 2**20
    line("CPU of the deck, nothing pressed", f"{deck:.1f} % of a core", "5 %")
    line("CPU of deck, worker and fabric", f"{sum(shares.values()):.1f} % of a core", "-")
    line("resident memory of the deck", f"{memory:.0f} MB", "-")


def bytes_per_tick(screen: Terminal, seconds: float) -> None:
    """Bursts of output, one per repaint, while the fabric changes as it does."""
    heard = screen.listen(seconds)
    bursts: list[int] = []
    last = 0.0
    for at, size in heard:
        if at - last > 0.05:
            bursts.append(0)
        bursts[-1] += size
        last = at
    total = sum(bursts)
    per_tick = total / (seconds / 2.0)
    figures = f"{per_tick:.0f} bytes; a burst {median(bursts or [0]):.0f}, max {max(bursts or [0])}"
    line("output per 2 s tick, 120x40", figures, "3 KB")


def key_to_paint(screen: Terminal, presses: int, what: str) -> None:
    """From the key to the first byte of its answer, refreshes going on."""
    times = []
    for index in range(presses):
        screen.drain(0.02)
        times.append(1000 * screen.press(b"j" if index % 40 < 20 else b"k"))
    figures = f"p50 {quantile(times, 0.5):.1f} ms, p99 {quantile(times, 0.99):.1f} ms"
    line(f"key to paint, {what}", figures, "p50 15 ms, p99 50 ms")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scene", default="datacenter")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--presses", type=int, default=200)
    options = parser.parse_args(arguments)
    start_up(options.scene, options.runs)
    with terminal(hvdeck("--demo", options.scene)) as screen:
        steady(screen)
        idle_cost(screen, options.seconds)
        bytes_per_tick(screen, options.seconds)
        key_to_paint(screen, options.presses, options.scene)


if __name__ == "__main__":
    main()

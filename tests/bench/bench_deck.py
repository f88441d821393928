"""The deck from outside, in a pseudo-terminal: start-up, idle cost, bytes per tick, key to paint.

    python tests/bench/bench_deck.py [--runs 5] [--scene datacenter] [--seconds 20]

*First paint* is the first header on the screen, *first rows* the first machine shown as running;
both from the moment the process is started, the first (cold) start left out. *Idle* is the CPU
time of the deck's own process over the untouched scene. A *tick* is two seconds of output; with
the pane frozen (nothing changes in it) what is left is header, clock and graphs. *Key to paint* is
from the key to the first byte that answers, refreshes going on all the time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import line, quiet
from tests.bench.terminal import Terminal, hvdeck, quantile, terminal

TICK = 2.0


def start_up(scene: str, runs: int) -> None:
    """Whole process to first paint, and to the first rows of the embedded fabric."""
    paints, rows = [], []
    for _ in range(runs + 1):
        with terminal(hvdeck("--demo", scene)) as screen:
            paints.append(screen.wait_for(b"hvdeck"))
            rows.append(screen.wait_for(b"Running"))
            screen.drain(0.5, 2.0)
    shown = f"{median(paints[1:]):.2f} s (best {min(paints[1:]):.2f})"
    line("first paint", shown, "0.5 s")
    shown = f"{median(rows[1:]):.2f} s (best {min(rows[1:]):.2f})"
    line(f"first rows of the embedded fabric ({scene})", shown, "1.5 s")


def idle_cost(screen: Terminal, seconds: float) -> None:
    """CPU of the deck's own process, of all processes, and resident memory."""
    family = screen.family()
    before = {p.pid: sum(p.cpu_times()[:2]) for p in family}
    started = time.perf_counter()
    screen.listen(seconds)
    spent = time.perf_counter() - started
    shares = {p.pid: 100 * (sum(p.cpu_times()[:2]) - before[p.pid]) / spent for p in family}
    memory = family[0].memory_info().rss / 2**20
    line("CPU of the deck, nothing pressed", f"{shares[screen.pid]:.1f} % of a core", "5 %")
    line("CPU of deck, collector and fabric", f"{sum(shares.values()):.1f} % of a core")
    line("resident memory of the deck", f"{memory:.0f} MB")


def bytes_per_tick(screen: Terminal, seconds: float, what: str, budget: str) -> None:
    """What goes to the terminal while nothing is pressed."""
    started = time.perf_counter()
    heard = screen.listen(seconds)
    ticks = [0] * max(1, int(seconds / TICK))
    for at, size in heard:
        ticks[min(len(ticks) - 1, int((at - started) / TICK))] += size
    figures = f"{median(ticks):.0f} bytes (p90 {quantile(ticks, 0.9):.0f})"
    line(f"output per {TICK:.0f} s tick, 120x40, {what}", figures, budget)


def key_to_paint(screen: Terminal, presses: int, what: str) -> None:
    """From the key to the first byte of its answer, refreshes going on.

    Keys come at uneven moments, so that some of them meet a refresh under way.
    """
    times = []
    for index in range(presses):
        screen.listen(0.03 + 0.037 * (index % 7) / 7)
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
    with quiet():
        start_up(options.scene, options.runs)
        with terminal(hvdeck("--demo", options.scene)) as screen:
            screen.wait_for(b"Running")
            screen.listen(10.0)
            idle_cost(screen, options.seconds)
            bytes_per_tick(screen, options.seconds, "typical change", "3 KB")
            key_to_paint(screen, options.presses, options.scene)
            screen.press(b"f")
            screen.listen(1.0)
            bytes_per_tick(screen, options.seconds, "frozen: nothing changed", "200 bytes")


if __name__ == "__main__":
    main()

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

import psutil

from tests.bench.figures import TITLE, line, quiet
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


def idle_cost(screen: Terminal, seconds: float, what: str, memory_budget: str, budget: str) -> None:
    """CPU of the deck's own process, of all processes, and resident memory."""
    family = screen.family()
    before = {p.pid: sum(p.cpu_times()[:2]) for p in family}
    started = time.perf_counter()
    screen.listen(seconds)
    spent = time.perf_counter() - started
    shares = {p.pid: 100 * (sum(p.cpu_times()[:2]) - before[p.pid]) / spent for p in family}
    memory = family[0].memory_info().rss / 2**20
    deck, rest = shares[screen.pid], sum(shares.values()) - shares[screen.pid]
    line(f"CPU, nothing pressed, {what}", f"{deck:.1f} % of a core (others {rest:.1f} %)", budget)
    line(f"resident memory of the deck, {what}", f"{memory:.0f} MB", memory_budget)


def bytes_per_tick(screen: Terminal, seconds: float, what: str, budget: str) -> None:
    """What goes to the terminal while nothing is pressed."""
    started = time.perf_counter()
    heard = screen.listen(seconds)
    ticks = [0] * max(1, int(seconds / TICK))
    for at, size in heard:
        ticks[min(len(ticks) - 1, int((at - started) / TICK))] += size
    figures = f"{median(ticks):.0f} bytes (p90 {quantile(ticks, 0.9):.0f})"
    line(f"output per {TICK:.0f} s tick, 120x40, {what}", figures, budget)


ECHO = "import os, tty; tty.setraw(0)\nwhile key := os.read(0, 1): os.write(1, key)"


def key_to_paint(screen: Terminal, presses: int, what: str) -> None:
    """From the key to the first byte of its answer, refreshes going on.

    Keys come at uneven moments, so that some of them meet a refresh under way. Beside it, key by
    key in the same run, a program that does nothing but write the key back: what the machine
    itself costs. The processor time is the deck's whole, its refreshes included.
    """
    times, floor = [], []
    process = psutil.Process(screen.pid)
    with terminal([sys.executable, "-c", ECHO]) as echo:
        echo.press(b"x")
        before = sum(process.cpu_times()[:2])
        for index in range(presses):
            screen.listen(0.03 + 0.037 * (index % 7) / 7)
            floor.append(1000 * echo.press(b"x"))
            times.append(1000 * screen.press(b"j" if index % 40 < 20 else b"k"))
        spent = 1000 * (sum(process.cpu_times()[:2]) - before) / presses
    figures = f"p50 {quantile(times, 0.5):.1f} ms, p99 {quantile(times, 0.99):.1f} ms"
    line(f"key to paint, {what}", figures, "p50 15 ms, p99 50 ms")
    figures = f"p50 {quantile(floor, 0.5):.1f} ms, p99 {quantile(floor, 0.99):.1f} ms"
    line("  a bare echo beside it", figures)
    line("  processor time of the deck per key", f"{spent:.1f} ms")


def dialogs(screen: Terminal, seconds: float) -> None:
    """The same with the palette and a form over the deck; what lies below goes on changing."""
    for what, opens in (("the palette", b":"), ("a form", b"t")):
        screen.press(opens)
        screen.listen(2.0)
        bytes_per_tick(screen, seconds, f"{what} open", "3 KB")
        screen.press(b"\x1b")
        screen.listen(1.0)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scene", default="datacenter")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--presses", type=int, default=200)
    options = parser.parse_args(arguments)
    print(TITLE)
    with quiet():
        start_up(options.scene, options.runs)
        with terminal(hvdeck("--demo", options.scene)) as screen:
            screen.wait_for(b"Running")
            screen.listen(10.0)
            idle_cost(screen, options.seconds, options.scene, "-", "5 %")
            bytes_per_tick(screen, options.seconds, "typical change", "3 KB")
            dialogs(screen, options.seconds)
            key_to_paint(screen, options.presses, options.scene)
            screen.press(b"z")
            screen.listen(1.0)
            bytes_per_tick(screen, options.seconds, "frozen: nothing changed", "200 bytes")


if __name__ == "__main__":
    main()

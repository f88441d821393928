"""Tables of 10,000 and 50,000 rows under the hand: scroll, sort, filter as typed, zoom, top.

    python tests/bench/bench_tables.py [--rounds 20]

The real deck in a pseudo-terminal, fed as in ``bench_scale``: every running machine changes every
2 s. Each figure is from the key to the first byte that answers it, of the slowest kind of key in
its group; refreshes go on all the time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from tests.bench.figures import TITLE, line, quiet
from tests.bench.terminal import Terminal, quantile, terminal

GROUPS: dict[str, tuple[bytes, ...]] = {
    "scroll by pages": (b"\x1b[6~", b"\x1b[6~", b"\x1b[5~", b"G", b"g"),
    "sort, another column and round": (b",", b"c", b",", b"c", b",", b"n"),
    "filter as typed, and away": (b"/", b"v", b"m", b"-", b"1", b"\x1b"),
    "zoom and back": (b"+", b"+"),
    "top and back": (b"o", b"3"),
}
"""Keys pressed one after the other, the screen as before at their end."""
BUDGET = "p50 15 ms, p99 50 ms"


def use(screen: Terminal, rounds: int, what: str) -> None:
    for name, keys in GROUPS.items():
        times = []
        for round_ in range(rounds):
            for key in keys:
                screen.listen(0.05 + 0.05 * (round_ % 5) / 5)
                times.append(1000 * screen.press(key))
            screen.drain(0.1, 1.0)
        p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
        line(f"{name}, {what}", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", BUDGET)


def table(hosts: int, vms: int, rounds: int) -> None:
    """One size of estate."""
    child = Path(__file__).with_name("fed_deck.py")
    with terminal([sys.executable, str(child), str(hosts), str(vms)]) as screen:
        screen.wait_for(f"of {hosts * vms}".encode(), 180)
        screen.listen(8.0)
        use(screen, rounds, f"{hosts * vms} rows")
        memory = psutil.Process(screen.pid).memory_info().rss / 2**20
        line(f"resident memory of the deck, {hosts * vms} rows", f"{memory:.0f} MB")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(arguments)
    print(TITLE)
    with quiet():
        table(100, 100, options.rounds)
        table(100, 500, options.rounds)


if __name__ == "__main__":
    main()

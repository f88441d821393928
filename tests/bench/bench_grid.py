"""The grid against Textual's DataTable: 10,000 rows, a real pseudo-terminal, both in one run.

``python -m tests.bench.bench_grid [rows]`` starts this file once per table as a child on a pty of
120x40, presses keys, and prints medians of the time from key to the end of what was written, and
the bytes written.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from statistics import median
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from tui.rows.column import Cell, Column
from tui.ui import style
from tui.ui.exact import ExactScreen
from tui.ui.grid import Grid

WIDTH, HEIGHT = 120, 40
STATES = (("● Running", "running"), ("○ Off", "off"), ("◐ Saved", "saved"))


@dataclass(slots=True)
class Machine:
    name: str
    host: str
    state: int
    cpu: int
    memory: float
    address: str


def machines(count: int) -> dict[str, Machine]:
    rng = random.Random(1)
    return {
        f"k{i}": Machine(
            f"vm-{i:05}",
            f"HV{i % 100:03}",
            rng.randrange(3),
            rng.randrange(100),
            rng.random() * 64,
            f"10.0.{i // 250}.{i % 250}",
        )
        for i in range(count)
    }


COLUMNS: list[Column[Machine]] = [
    Column("name", "Name", lambda r: r.name, lambda r: Cell(r.name), 24, 12, priority=0, grow=True),
    Column("host", "Host", lambda r: r.host, lambda r: Cell(r.host, "dim"), 8),
    Column("state", "State", lambda r: r.state, lambda r: Cell(*STATES[r.state]), 12, priority=1),
    Column(
        "cpu",
        "CPU",
        lambda r: r.cpu,
        lambda r: Cell(f"{r.cpu}%", "", r.cpu / 100),
        14,
        5,
        right=True,
        priority=1,
    ),
    Column(
        "mem", "Memory", lambda r: r.memory, lambda r: Cell(f"{r.memory:.1f} GB"), 9, right=True
    ),
    Column("ip", "IP", lambda r: r.address, lambda r: Cell(r.address, "dim"), 15),
]


class Table(App[None]):
    """What both have in common: keys that change cells or the order."""

    CSS_PATH = style.stylesheets()
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "one"),
        Binding("2", "many"),
        Binding("3", "order"),
        Binding("4", "nothing"),
        Binding("q", "quit"),
    ]

    def __init__(self, count: int) -> None:
        super().__init__()
        style.register(self)
        self.theme = "deck-dark"
        self.rows = machines(count)
        self.rng = random.Random(2)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return style.variable_defaults(self.current_theme)

    def changed(self, count: int) -> list[str]:
        """Change that many cells, of which the first is on the screen."""
        keys = ["k7", *self.rng.sample(list(self.rows), count - 1)]
        for key in keys:
            self.rows[key].cpu = (self.rows[key].cpu + 31) % 100
        return keys

    def ordered(self) -> list[str]:
        self.rng = random.Random(self.rng.random())
        noise = self.rng.random()
        return sorted(self.rows, key=lambda key: hash((self.rows[key].cpu, key, noise)))


class OurTable(Table):
    def get_default_screen(self) -> ExactScreen:
        return ExactScreen()

    def compose(self) -> ComposeResult:
        self.grid: Grid[Machine] = Grid(COLUMNS, self.rows.__getitem__)
        yield self.grid

    def on_mount(self) -> None:
        self.grid.set_keys(list(self.rows))
        self.grid.focus()

    def action_one(self) -> None:
        self.grid.touch(self.changed(1))

    def action_many(self) -> None:
        self.grid.touch(self.changed(1000))

    def action_order(self) -> None:
        self.grid.set_keys(self.ordered())

    def action_nothing(self) -> None:
        self.grid.touch(list(self.rows))


class TheirTable(Table):
    def compose(self) -> ComposeResult:
        self.table: DataTable[Any] = DataTable(cursor_type="row")
        yield self.table

    def on_mount(self) -> None:
        for column in COLUMNS:
            self.table.add_column(column.title, key=column.id, width=column.width)
        for key, row in self.rows.items():
            self.table.add_row(*(column.cell(row).text for column in COLUMNS), key=key)
        self.table.focus()

    def _update(self, keys: list[str]) -> None:
        for key in keys:
            self.table.update_cell(key, "cpu", f"{self.rows[key].cpu}%")

    def action_one(self) -> None:
        self._update(self.changed(1))

    def action_many(self) -> None:
        self._update(self.changed(1000))

    def action_order(self) -> None:
        place = {key: index for index, key in enumerate(self.ordered())}
        self.table.sort("name", key=lambda name: place[f"k{int(name[3:])}"])

    def action_nothing(self) -> None:
        self._update([])


# -- measuring -----------------------------------------------------------------------------

CASES = (
    ("cursor down", b"\x1b[B", 40),
    ("page down", b"\x1b[6~", 15),
    ("one cell", b"1", 20),
    ("1,000 cells", b"2", 15),
    ("sort", b"3", 8),
    ("nothing changed", b"4", 8),
)


class Terminal:
    """A child on a pseudo-terminal."""

    def __init__(self, which: str, count: int) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [sys.executable, "-m", "tests.bench.bench_grid", "--child", which, str(count)]
        self.child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ)
        os.close(slave)

    def until_quiet(self, first: float, quiet: float) -> tuple[float | None, int]:
        """Seconds to the last byte, and bytes, until nothing came for ``quiet`` seconds."""
        start = time.perf_counter()
        last, size, wait = None, 0, first
        while select.select([self.master], [], [], wait)[0]:
            size += len(os.read(self.master, 1 << 20))
            last, wait = time.perf_counter() - start, quiet
        return last, size

    def press(self, key: bytes) -> tuple[float | None, int]:
        os.write(self.master, key)
        return self.until_quiet(1.5, 0.12)

    def cpu(self, seconds: float) -> float:
        """Share of a core the child takes while nothing happens."""
        before = self._ticks()
        self.until_quiet(seconds, seconds)
        return (self._ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds

    def _ticks(self) -> int:
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def close(self) -> None:
        os.write(self.master, b"q")
        self.child.wait(10)
        os.close(self.master)


def measure(which: str, count: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds and bytes of every case."""
    start = time.perf_counter()
    terminal = Terminal(which, count)
    shown, _size = terminal.until_quiet(30, 1.5)
    results = {"first display": ((shown or time.perf_counter() - start) * 1000, 0.0)}
    for title, key, times in CASES:
        terminal.press(b"\x1b[H")
        runs = [terminal.press(key) for _run in range(times)]
        seconds = [run[0] for run in runs if run[0] is not None]
        results[title] = (
            median(seconds) * 1000 if seconds else 0.0,
            median(run[1] for run in runs),
        )
    results["idle, % of a core"] = (terminal.cpu(4) * 100, 0.0)
    terminal.close()
    return results


def main(count: int) -> None:
    ours, theirs = measure("ours", count), measure("theirs", count)
    print(f"{count} rows, {WIDTH}x{HEIGHT}; medians")
    print(f"{'':20}{'grid':>22}{'DataTable':>24}{'time':>9}{'bytes':>9}")
    for title, (mine, bytes_mine) in ours.items():
        other, bytes_other = theirs[title]
        unit = "" if "%" in title else " ms"
        left, right = (
            f"{mine:.1f}{unit} {bytes_mine:6.0f} B",
            f"{other:.1f}{unit} {bytes_other:6.0f} B",
        )
        times = f"{other / mine:.1f}x" if mine else "-"
        sizes = f"{bytes_other / bytes_mine:.1f}x" if bytes_mine else "-"
        print(f"{title:20}{left:>22}{right:>24}{times:>9}{sizes:>9}")


if __name__ == "__main__":
    if "--child" in sys.argv:
        kind, number = sys.argv[2:4]
        (OurTable if kind == "ours" else TheirTable)(int(number)).run()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

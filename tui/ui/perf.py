"""Performance of hvdeck itself: what it costs the hosts, this machine and the line to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.actions import Kind
from tui.hyperv.plans.words import several
from tui.rows import load, text
from tui.store import Changes, Delta, Store
from tui.store.loads import OperationRow
from tui.ui.dialogs import Card
from tui.ui.grid import Look
from tui.ui.patch import Patch
from tui.ui.rowline import clean, fit, pad
from tui.ui.style import Glyphs, tones
from tui.ui.subjects import Subject
from tui.ui.turning import TurningPane, turns
from tui.ui.views import LEVEL

if TYPE_CHECKING:
    from tui.ui.app import DeckApp

TITLES: Final = (("hosts", "Hosts"), ("operations", "Operations"))
HEADING: Final = 11
"""Cells the names of lines take."""
MEASURED: Final = 5.0
"""Seconds between countings of what is remembered."""

Part = tuple[str, str]
"""Words and their tone."""


def _hosts(changes: Changes) -> Delta:
    delta = changes.hosts
    return Delta(delta.added, delta.changed | (changes.loads - delta.added), delta.removed)


def _operations(changes: Changes) -> Delta:
    return Delta(added={"."}) if changes.loads else Delta()


def _subject(view: str, store: Store) -> Subject:
    if view == "hosts":
        return Subject(
            "perf", "Performance of hvdeck: what hosts are asked", "hosts", "host",
            load.host_columns(store), load.HOST_DEFAULT,
            lambda store: store.host_rows, _hosts, Kind.HOST, "requests", True,
            empty="No hosts yet",
        )  # fmt: skip
    columns = tuple(load.OPERATION_COLUMNS)
    return Subject(
        "perf", "Performance of hvdeck: what takes most time", "operations", "operation",
        columns, tuple(column.id for column in columns),
        lambda store: store.loads.operations, _operations, None, "seconds", True,
        empty="Nothing has been asked of a host yet",
    )  # fmt: skip


class Standing(Patch):
    """Lines on the deck itself, and on all hosts together."""

    app: DeckApp

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(classes="perf-heads")
        self._store = store
        self._glyphs = glyphs
        self._remembered: list[Part] = []
        self._counted = 0.0

    def on_resize(self) -> None:
        self.tell()

    def tell(self) -> None:
        """Say how things stand now."""
        now = time.monotonic()
        own = self.app.header.load
        own.sample_machine(now)
        if now - self._counted >= MEASURED or not self._remembered:
            self._remembered = self._memory()
            self._counted = now
        lines = (
            ("Processes", self._processes()),
            ("Terminal", self._terminal()),
            ("Memory", self._remembered),
            ("Asked", self._hosts()),
        )
        self.put(Text("\n", no_wrap=True).join([self._line(*line) for line in lines]))

    def _line(self, heading: str, parts: Sequence[Part]) -> Text:
        """As many parts as there is room for, the first cut where even that is too long."""
        ink = tones(self.app)
        line = Text(pad(heading, HEADING), style="", no_wrap=True)
        line.stylize(ink.style("dim"))
        room = (self.content_size.width or self.app.size.width - 2) - HEADING
        for words, tone in parts:
            shown = clean(self._glyphs.plain(words))
            gap = "   " if cell_len(line.plain) > HEADING else ""
            room -= len(gap)
            if cell_len(shown) > room:
                if room < 12:
                    break
                shown = fit(shown, room, ellipsis=self._glyphs.ellipsis).rstrip()
            line.append(gap).append(shown, style=ink.style(tone) if tone else "")
            room -= cell_len(shown)
        return line

    def _processes(self) -> list[Part]:
        own, store = self.app.header.load, self._store
        collector = (store.collector_cpu, store.collector_memory)
        known = [("deck", (own.cpu, own.memory)), ("collector", collector)]
        known += [("simulator", own.fabric)] if own.fabric is not None else []
        parts: list[Part] = [
            (f"{name} {text.percent(cpu)} {text.size(memory)}", "") for name, (cpu, memory) in known
        ]
        if own.machine is not None:
            cpu, memory = own.machine
            parts.append((f"machine {text.percent(cpu)} memory {text.percent(memory)}", "dim"))
        parts.append((f"threads {own.threads} and {store.collector_threads}", "dim"))
        return parts

    def _terminal(self) -> list[Part]:
        meter = self.app.meter
        return [
            (text.rate(meter.last_second), ""),
            (f"{text.size(meter.last_minute)} in the last minute", ""),
            (f"{text.size(meter.total)} since the start", "dim"),
        ]

    def _memory(self) -> list[Part]:
        store = self._store
        size = sum(history.octets for history in store.histories.values())
        machines, hosts = len(store.vms), len(store.host_rows)
        return [
            (f"{several(machines, 'machine')} on {several(hosts, 'host')}", ""),
            (f"{several(len(store.histories), 'history', 'histories')} {text.size(size)}", ""),
            (several(len(store.exchanges), "message"), "dim"),
            (several(len(store.sheets), "sheet"), "dim"),
        ]

    def _hosts(self) -> list[Part]:
        loads = list(self._store.loads.hosts.values())
        if not loads:
            return [("nothing has been asked of a host yet", "dim")]
        asked, moved = sum(map(load.requests, loads)), sum(map(load.octets, loads))
        capped = sum(one.capped for one in loads)
        failed = sum(map(load.failures, loads))
        slowest = max(loads, key=lambda one: one.worst)
        parts: list[Part] = [(f"{several(asked, 'request')}/min   {text.size(moved)}/min", "")]
        parts += [(f"{capped} capped", "warning")] if capped else []
        parts += [(f"{failed} failed in an hour", "warning")] if failed else []
        if slowest.worst:
            words = (text.latency(slowest.worst), slowest.host, load.brief(slowest.slowest))
            parts.append((f"slowest {' '.join(words)}", "dim"))
        return parts


class PerfPane(TurningPane):
    """Hosts by what is asked of them, and what it was that took time."""

    BINDINGS: ClassVar[list[BindingType]] = turns("perf")

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        self._standing = Standing(store, glyphs)
        super().__init__("hosts", TITLES, store, glyphs)

    def subject_of(self, view: str, store: Store) -> Subject:
        return _subject(view, store)

    def compose(self) -> ComposeResult:
        yield self._standing
        yield from super().compose()

    def look(self, row: Any) -> Look:
        return LEVEL if isinstance(row, OperationRow) else super().look(row)

    def changed(self, changes: Changes) -> None:
        if self.shown and not self.frozen and self.is_attached:
            self._standing.tell()
        super().changed(changes)

    def fill(self) -> None:
        if self.shown and self.is_attached:
            self._standing.tell()
        super().fill()

    def show_all(self) -> None:
        """Operations of all hosts again say whose they are."""
        if "host" in self.subject.default and "host" not in self.columns:
            self.set_columns(list(self.subject.default))
        super().show_all()

    def enter(self, key: str) -> None:
        """From a host to what it was asked; from that to all that is known of it."""
        if self.view == "hosts":
            self.open("operations")
            self.set_columns([column for column in self.columns if column != "host"])
            self.set_filter(f"@{key}")
            self.post_message(self.Changed(self))
        elif (row := self.rows.get(key)) is not None:
            self.app.push_screen(_card(row, self._glyphs))


def _card(row: OperationRow, glyphs: Glyphs) -> Card:
    """An operation in full."""
    told = row.load
    figures = [
        f"asked {several(told.count, 'time')} by {told.lanes}, last at {text.clock(told.at)}",
        f"half within {text.latency(told.median)}, 95% within {text.latency(told.p95)}, "
        f"at most {text.latency(told.worst)} lately",
        f"{text.latency(told.seconds)} and {text.size(told.bytes)} together",
    ]
    if told.failures:
        figures.append(f"failed {several(told.failures, 'time')}")
    parts = [("dialog-question", glyphs.plain(row.name)), ("dialog-text", "\n".join(figures))]
    return Card(f"Asked of {row.host.id}", parts)

"""The first and the last line: how the estate stands, and what can be done now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message

from tui.hyperv.model import Link
from tui.hyperv.plans.words import several
from tui.hyperv.states import RUNNING
from tui.rows import levels, text
from tui.rows.findings import finding
from tui.store import Store
from tui.ui.own import OwnLoad
from tui.ui.patch import Patch
from tui.ui.style import Glyphs, tones

CALM = 50.0
"""After counting machines for t seconds, they are not counted again for CALM * t."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the header tells of the deck itself."""

    demo: bool
    replay: bool
    read_only: bool
    recording: bool
    frozen: bool
    failure: str
    """Why no data comes at all."""
    fabric: int = 0
    """Process id of the embedded fabric."""


class Header(Patch):
    """hvdeck, badges, hosts, machines, age of data, own load, clock."""

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id="header", classes="header-bar")
        self._store = store
        self._glyphs = glyphs
        self.load = OwnLoad()
        self._own = ""
        """What we cost, as last measured."""
        self._counts = (0, 0)
        self._count_at = 0.0

    def tell(self, standing: Standing, now: float) -> None:
        """Say how things are; paints only what reads differently."""
        parts = self._parts(standing, now)
        width = self.room
        clock = text.clock(now)
        while len(parts) > 2 and self._length(parts) + len(clock) > width:
            del parts[max(range(len(parts)), key=lambda at: parts[at][0])]
        line = Text()
        for index, (_, part) in enumerate(parts):
            line.append("  " if index else "").append_text(part)
        line.append(" " * (width - cell_len(line.plain) - len(clock)))
        line.append(clock, style=tones(self.app).style("dim"))
        self.put(line)

    @staticmethod
    def _length(parts: Sequence[tuple[int, Text]]) -> int:
        return sum(cell_len(part.plain) + 2 for _, part in parts)

    def _parts(self, standing: Standing, now: float) -> list[tuple[int, Text]]:
        """Pieces with their rank: the highest number leaves first when there is no room."""
        ink, store = tones(self.app), self._store
        bold = Style(bold=True)
        parts = [(0, Text("hvdeck", style=ink.style("accent") + bold))]
        badges = (
            (standing.demo, " DEMO ", "warning"),
            (standing.replay, " REPLAY ", "warning"),
            (standing.recording, " REC ", "error"),
            (standing.read_only, " RO read-only ", "error"),
            (standing.frozen, " FROZEN ", "changing"),
        )
        parts += [
            (0, Text(words, style=ink.style(tone) + Style(bold=True, reverse=True)))
            for on, words, tone in badges
            if on
        ]
        if standing.failure:
            return [*parts, (1, Text(standing.failure, style=ink.style("error") + bold))]
        parts.append((1, self._hosts()))
        parts.append((2, self._machines()))
        if problems := self._counts[1]:
            words = several(problems, "needs attention", "need attention")
            parts.append((3, Text(words, style=ink.style("error"))))
        jobs = sum(not row.job.finished for row in store.jobs.values())
        if jobs:
            parts.append((6, Text(several(jobs, "job"), style=ink.style("changing"))))
        parts.append((4, self._age(now)))
        if self.load.sample(time.monotonic(), standing.fabric):
            cpu = self.load.cpu + store.collector_cpu
            self._own = f"self {cpu:.0f}% {text.size(self.load.memory + store.collector_memory)}"
        if self._own:
            parts.append((7, Text(self._own, style=ink.style("dim"))))
        return parts

    def _hosts(self) -> Text:
        ink = tones(self.app)
        rows = self._store.host_rows.values()
        line = Text("hosts", style=ink.style("dim"))
        shown = (
            (Link.UP, "up", "ok", True),
            (Link.SLOW, "slow", "warning", False),
            (Link.CONNECTING, "connecting", "changing", False),
            (Link.DOWN, "down", "error", False),
        )
        for link, word, tone, always in shown:
            count = sum(row.vitals.link is link for row in rows)
            if count or (always and rows):
                line.append(f" {count} {word}", style=ink.style(tone))
        if not rows:
            line.append(f" connecting{self._glyphs.ellipsis}", style=ink.style("changing"))
        return line

    def _machines(self) -> Text:
        ink = tones(self.app)
        rows = self._store.vms.values()
        line = Text("VMs ", style=ink.style("dim"))
        return line.append(f"{self._counts[0]} running", style=ink.style("running")).append(
            f" of {len(rows)}", style=ink.style("dim")
        )

    def count(self) -> None:
        """Look through all machines, for what ``tell`` says next; never so often that it takes
        more than a few percent of the time. No key waits for it.
        """
        started = time.monotonic()
        if started < self._count_at:
            return
        rows = self._store.vms.values()
        running = sum(row.vitals.state in RUNNING for row in rows)
        self._counts = (running, sum(finding(row) is not None for row in rows))
        now = time.monotonic()
        self._count_at = now + CALM * (now - started)

    def _age(self, now: float) -> Text:
        ink = tones(self.app)
        age, host = self._store.oldest(now)
        if not host:
            return Text("no data yet", style=ink.style("dim"))
        tone = levels.tone("data_age", age)
        words = f"oldest data {text.age(age)}" + (f" {host}" if tone else "")
        return Text(words, style=ink.style(tone or "dim"))


PLACES = (
    ("2", "hosts", "Hosts"),
    ("3", "vms", "VMs"),
    ("4", "networks", "Networks"),
    ("5", "graphs", "Graphs"),
    ("6", "detail", "Detail"),
    ("o", "top", "Top"),
    ("V", "storage", "Storage"),
    ("7", "jobs", "Jobs"),
    ("8", "log", "Log"),
    ("0", "audit", "Audit"),
    ("C", "cluster", "Clusters"),
    ("R", "replicas", "Replication"),
)


class Tabs(Patch):
    """Where one pane has the whole screen: which, and what the others are."""

    def __init__(self) -> None:
        super().__init__(id="tabs", classes="tabs")
        self._spans: list[tuple[int, int, str]] = []

    def tell(self, current: str) -> None:
        """Name the pane in front."""
        ink = tones(self.app)
        line, self._spans = Text(), []
        titles, gap = self._shown(current)
        for key, name, title in titles:
            here = name == current
            style = ink.style("accent" if here else "dim") + Style(bold=here, reverse=here)
            start = len(line)
            line.append(f" {key} {title}{' ' if here else gap}", style=style)
            self._spans.append((start, len(line), name))
        self.put(line)

    def _shown(self, current: str) -> tuple[list[tuple[str, str, str]], str]:
        """The titles, as much of each as there is room for, the one in front whole; and what
        follows each of the others.
        """
        longest = max(len(title) for _, _, title in PLACES)
        fits = [(letters, " ") for letters in range(longest, 2, -1)]
        for letters, gap in (*fits, (3, ""), (2, "")):
            found = [
                (key, name, title if name == current else title[:letters])
                for key, name, title in PLACES
            ]
            if sum(len(key + title + gap) + 2 for key, _, title in found) < self.room:
                break
        return found, gap

    def on_click(self, event: events.Click) -> None:
        for start, end, name in self._spans:
            if start <= event.x - 1 < end:
                self.post_message(Footer.Clicked(f"app.{name}"))
                return


@dataclass(frozen=True, slots=True)
class Hint:
    """A key at the foot of the screen."""

    key: str
    title: str
    action: str
    why_not: str = ""
    """It is drawn dim, and tells this when pressed."""


class Footer(Patch):
    """The keys that matter for what is selected."""

    class Clicked(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, hints: Callable[[], list[Hint]]) -> None:
        super().__init__(id="footer", classes="footer-keys")
        self._hints = hints
        self._spans: list[tuple[int, int, str]] = []

    def renew(self) -> None:
        """Look at the hints again; paints only when they changed."""
        ink = tones(self.app)
        line, spans = Text(), []
        for hint in self._hints():
            start = cell_len(line.plain)
            if start + len(hint.key) + cell_len(hint.title) + 1 > self.room:
                break
            dim = bool(hint.why_not)
            line.append(hint.key, style=ink.style("faint" if dim else "accent") + Style(bold=True))
            line.append(f" {hint.title}", style=ink.style("faint" if dim else ""))
            spans.append((start, cell_len(line.plain), hint.action))
            line.append("  ")
        self._spans = spans
        self.put(line)

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._spans:
            if start <= event.x - 1 < end:
                self.post_message(self.Clicked(action))

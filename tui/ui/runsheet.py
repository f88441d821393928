"""A sheet whose plan may be under way: its run live, to be paused, retried and called off."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.rows import text
from tui.rows.column import Column
from tui.rows.plans import Line
from tui.store.legs import Campaign
from tui.store.queue import Leg, Queue
from tui.ui.planview import PlanView
from tui.ui.style import Glyphs

MOST = 16
"""Moves at once, at most."""
Facts = list[tuple[str, str, str]]


class RunSheet(PlanView):
    """A plan, and its run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", show=False),
        Binding("p", "pause", show=False),
        Binding("r", "retry", show=False),
        Binding("c", "call_off", show=False),
        Binding("plus", "cap(1)", show=False),
        Binding("minus", "cap(-1)", show=False),
    ]

    def __init__(
        self, key: str, columns: Sequence[Column[Any]], glyphs: Glyphs, empty: str
    ) -> None:
        super().__init__(columns, glyphs, empty)
        self.key = key
        """What its run is known by."""
        self.cap = 2
        self.afresh = False
        """What is shown is a plan, not the run before it."""

    @abstractmethod
    def plan(self) -> None:
        """Work it out for the fleet as it is now."""

    @property
    def campaign(self) -> Campaign | None:
        """The run, the last one when it is over."""
        return self.app.operator.campaigns.of(self.key)

    @property
    def queue(self) -> Queue | None:
        """The run that is shown; None while a plan is."""
        return self.campaign.queue if self.campaign is not None and not self.afresh else None

    def run_facts(self, queue: Queue) -> Facts:
        """How a run goes."""
        found: Facts = []
        if queue.paused:
            head = "Stopped" if queue.over else "Paused"
            found.append((head, queue.why or "by you; what is under way goes on", "warning"))
        rate, left = queue.rate(), queue.left()
        measured = f"{text.rate(rate)} measured" if rate else "nothing measured yet"
        rest = f", {text.uptime(max(1, left))} to go" if left else ""
        found.append(("Pace", f"{queue.cap} at once, {measured}{rest}", ""))
        return found

    def run_keys(self, queue: Queue) -> list[tuple[str, str]]:
        """Keys while it is under way."""
        pause = "go on" if queue.paused else "pause"
        return [("p", pause), ("r", "retry one"), ("c", "call off"), ("+-", f"{queue.cap} at once"),
                ("enter", "more"), ("esc", "closes, it goes on")]  # fmt: skip

    def action_pause(self) -> None:
        queue = self.queue
        if queue is None or queue.over:
            return
        if queue.paused:
            queue.go_on()
            self.app.operator.campaigns.go_on(self.key)
        else:
            queue.pause()
        self.renew()

    def action_retry(self) -> None:
        """One that ended otherwise than done once more; while nothing runs, plan anew."""
        campaign, line = self.campaign, self.selected
        if self.queue is None or campaign is None:
            self.plan()
        elif isinstance(line, Leg) and campaign.retry(line):
            self.app.operator.campaigns.go_on(self.key)
        else:
            self.app.told(_not_again(line), warning=True)
        self.renew()

    def action_call_off(self) -> None:
        queue = self.queue
        if queue is not None and queue.waiting:
            queue.drop("called off")
            self.app.operator.campaigns.go_on(self.key)
            self.renew()

    def action_cap(self, by: int) -> None:
        queue = self.queue
        self.cap = max(1, min(MOST, (self.cap if queue is None else queue.cap) + by))
        if queue is not None:
            queue.cap = self.cap
            self.app.operator.campaigns.go_on(self.key)
        self.renew()


def _not_again(line: Line | None) -> str:
    if not isinstance(line, Leg):
        return "r tries the selected move again"
    if line.word == "unknown":
        return f"What became of {line.name} is not known: sent again it could be moved twice"
    return f"{line.name} is {line.word}: there is nothing to try again"

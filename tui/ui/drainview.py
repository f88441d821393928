"""The drain sheet of a host: who goes where and why, who cannot, what the votes say; then the run.

Nothing moves before it is confirmed. Leaving the sheet ends nothing; opened again it shows the run.
"""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.actions import Target, by_id
from tui.actions.declare import Risk
from tui.hyperv.model import Link
from tui.hyperv.plans import draining
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans.draining import Drain, Stay
from tui.hyperv.plans.fleet import Fleet
from tui.hyperv.plans.words import several
from tui.rows import plans, text
from tui.rows.plans import LEG_COLUMNS, Line
from tui.store.legs import legs_of, pause_of, resume_of
from tui.store.queue import Leg, Queue
from tui.ui.dialogs import Card, Confirm, Question
from tui.ui.runsheet import Facts, RunSheet
from tui.ui.style import Glyphs

TALL = 30
"""Lines from which everything is told while it runs."""
GUESSED = (
    "nothing was moved from here by this deck: roles with it as first preferred owner come home"
)


class DrainSheet(RunSheet):
    """Maintenance of one host."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", show=False),
        Binding("h", "home", show=False),
    ]

    def __init__(self, host: str, glyphs: Glyphs, *, home: bool = False) -> None:
        empty = "Nothing runs here: there is nothing to move"
        super().__init__(host, LEG_COLUMNS, glyphs, empty)
        self._host = host
        self._homing = home
        """It is about bringing home what was moved away."""
        self._guessed = False
        """What is at home here is known from the preferred owners alone."""
        self._legs: list[Leg] = []
        self._stays: tuple[Stay, ...] = ()
        self._plan: Drain | None = None
        self._told_at = 0.0
        """When the host told what the way home was planned with."""

    def on_mount(self) -> None:
        if self._homing or self.campaign is None:
            self.plan()
        super().on_mount()

    # -- planning --------------------------------------------------------------------------

    @property
    def target(self) -> Target | None:
        return self.app.store.target(self._host)

    def plan(self) -> None:
        """Work it out for the fleet as it is now."""
        self.afresh = True
        fleet = self.fleet()
        if self._host not in fleet:
            self._legs, self._stays, self._plan = [], (), None
        elif self._homing:
            self._plan_home(fleet)
        else:
            rate = self.campaign.queue.rate() if self.campaign is not None else None
            self._plan = draining.drain(fleet, self._host, rate=rate)
            self._stays = self._plan.stays
            first = pause_of(fleet, self._host)
            self._legs = [*([first] if first else []), *legs_of(fleet, self._plan.steps)]

    def _plan_home(self, fleet: Fleet) -> None:
        away = {vm: home for vm, home in self.app.operator.campaigns.away.items()
                if home == self._host}  # fmt: skip
        cluster = fleets.cluster_of(fleet, self._host)
        later = fleets.resumed(fleet, self._host, cluster) if cluster else fleet
        self._guessed = not away
        steps, stays = draining.home(later, away or draining.belongings(fleet, self._host))
        first = resume_of(fleet, self._host)
        self._plan, self._stays, self._told_at = None, stays, self._host_told_at
        self._legs = [*([first] if first else []), *legs_of(fleet, steps)]

    @property
    def _host_told_at(self) -> float:
        entry = self.app.store.hosts.get(self._host)
        return entry.vitals.read_at if entry is not None else 0.0

    def _look_again(self) -> None:
        """What finds no room at home is planned anew when home tells anew: right after a drain the
        last word on its memory may be from before the last machine left."""
        refused = self._homing and self.queue is None and any(
            not stay.harmless for stay in self._stays)  # fmt: skip
        if refused and self._host_told_at != self._told_at:
            self.plan()

    def fleet(self) -> Fleet:
        target = self.target
        return target.fleet() if target is not None and target.fleet is not None else {}

    # -- showing ---------------------------------------------------------------------------

    def renew(self) -> None:
        if not self.is_mounted:
            return
        self._look_again()
        queue = self.queue
        legs = queue.legs if queue is not None else self._legs
        stays = {f"stay {at}": stay for at, stay in enumerate(self._stays)}
        rows: dict[str, Line] = {key: stay for key, stay in stays.items() if not stay.harmless}
        rows |= {leg.key: leg for leg in legs}
        rows |= stays
        self.show(rows)
        self.tell(self._run_facts(queue) if queue is not None else self._planned())
        self.say(self._title(queue), self._keys(queue))

    def _title(self, queue: Queue | None) -> str:
        if queue is not None:
            return f"{queue.title}: {queue.tally()}"
        if self._plan is not None:
            return f"Drain {plans.headline(self._plan)}"
        moves = sum(bool(leg.vm) for leg in self._legs)
        return f"Resume {self._called}: {moves} to come home"

    @property
    def _called(self) -> str:
        target = self.target
        return target.name if target is not None else self._host

    def _planned(self) -> Facts:
        if self._plan is not None:
            return plans.facts(self._plan)
        opened = any(leg.gate for leg in self._legs)
        words = "its node is resumed first" if opened else "it takes machines already"
        found = [("Before", words, "")]
        if self._guessed:
            found.append(("Home", GUESSED, "warning"))
        return found

    def _run_facts(self, queue: Queue) -> Facts:
        facts = plans.facts(self._plan) if self._plan is not None and not self._homing else []
        entry = self.app.store.hosts.get(self._host)
        if entry is not None and entry.vitals.link is Link.DOWN:
            facts = []  # what was foretold for its maintenance holds no more
        if self.size.height < TALL:  # the moves themselves matter more
            facts = [fact for fact in facts if fact[0] == "Meanwhile"]
        return [*self.run_facts(queue), *(fact for fact in facts if fact[0] != "Time")]

    def _keys(self, queue: Queue | None) -> list[tuple[str, str]]:
        if queue is None:
            word = "bring home" if self._homing else "start"
            return [("s", word), ("+-", f"{self.cap} at once"), ("r", "plan anew"), ("h", "home"),
                    ("enter", "more"), ("esc", "closes")]  # fmt: skip
        if queue.over:
            return [("h", "bring home"), ("r", "retry one"), ("s", "plan anew"), ("enter", "more"),
                    ("esc", "closes")]  # fmt: skip
        return self.run_keys(queue)

    def on_grid_activated(self) -> None:
        """All there is to say about a line."""
        line = self.selected
        if line is None:
            return
        parts = [("dialog-text", plans.reason(line) or plans.stands(line).text)]
        if isinstance(line, Stay) and line.fix:
            parts += [("dialog-call", line.fix)]
        for step in self._plan.steps if self._plan is not None else ():
            if isinstance(line, Leg) and step.vm and step.vm == line.vm:
                parts += [("dialog-text", f"{one.text}") for one in step.warnings]
        self.app.push_screen(Card(line.name, parts))

    # -- doing -----------------------------------------------------------------------------

    def action_start(self) -> None:
        """Plan once more, and ask."""
        queue, target = self.queue, self.target
        action = by_id("host.resume" if self._homing else "host.drain")
        if queue is not None and not queue.over:
            self.app.told("It is under way already", warning=True)
            return
        shown = [leg.key for leg in self._legs]
        was_run = queue is not None
        self.plan()
        self.renew()
        if was_run or target is None or action is None:
            return
        if why := self.app.operator.why_not(action, target):
            self.app.told(why, warning=True)
        elif not self._legs:
            self.app.told("There is nothing to move", warning=True)
        elif [leg.key for leg in self._legs] != shown:
            self.app.told("The plan has changed meanwhile: look again", warning=True)
        else:
            risk = action.risk_of(target, {})
            told = self._told(risk)
            question = Question(action, (target,), risk=risk, consequences=told)
            asked = Confirm(question, self.app.operator.key_clock)
            self.app.push_screen(asked, self._answered)

    def _told(self, risk: Risk) -> tuple[str, ...]:
        """What the confirmation lists."""
        moves = [leg for leg in self._legs if not leg.gate]
        memory = sum(leg.memory for leg in moves)
        lines = [f"{several(len(moves), 'move')}, {text.size(memory)}, {self.cap} at once"]
        lines += [f"{stay.name} does not move: {stay.why}" for stay in self._stays
                  if not stay.harmless]  # fmt: skip
        if self._plan is not None:
            votes = list(self._plan.votes)
            lines = [*votes, *lines] if risk is Risk.RED else [*lines, *votes]
        return tuple(lines)

    def _answered(self, yes: bool | None) -> None:
        if not yes or self.app.read_only:
            return
        verb = "Resume" if self._homing else "Drain"
        queue = Queue(self._legs, self.cap, title=f"{verb} {self._called}")
        self.afresh = False
        self.app.operator.campaigns.start(self._host, queue, home=self._homing)
        self.renew()

    def action_home(self) -> None:
        """From the drain to the way back."""
        queue = self.queue
        if queue is not None and not queue.over:
            self.app.told("First let the drain end, or call off what waits with c", warning=True)
            return
        self._homing = True
        self.plan()
        self.renew()

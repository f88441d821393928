"""The balance plan: moves that even out or free hosts, each to be taken or left, with what for."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from tui.actions import by_id
from tui.hyperv.plans import balance
from tui.hyperv.plans.balance import Plan
from tui.hyperv.plans.fleet import Fleet
from tui.hyperv.plans.step import Step, objections
from tui.hyperv.plans.words import several
from tui.rows import plans, text
from tui.rows.plans import LEG_COLUMNS, TAKE_COLUMNS, Before, Take
from tui.store.legs import legs_of
from tui.store.queue import Queue
from tui.store.targets import everywhere
from tui.ui.campaigns import BALANCE
from tui.ui.dialogs import Card, Confirm, Question
from tui.ui.grid import Look
from tui.ui.meters import bar
from tui.ui.operate import RECORDED
from tui.ui.rowline import fit, pad
from tui.ui.runsheet import RunSheet
from tui.ui.style import Glyphs, tones

MANY = 8
"""Hosts whose figures are shown at once; the fullest first."""


class BalanceSheet(RunSheet):
    """Accepts all of it or some; nothing moves before that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", show=False),
        Binding("space", "take", show=False),
        Binding("a", "take_all", show=False),
        Binding("f", "other", show=False),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(
            BALANCE, TAKE_COLUMNS, glyphs, "The hosts are even: nothing is to be moved"
        )
        self._packs = False
        """It frees hosts instead of evening them out."""
        self._fleet: Fleet = {}
        self._plan = Plan((), {}, {})
        self._shown = self._plan
        """The plan as far as it is taken."""
        self._left: set[str] = set()
        """Keys of steps that are left out."""
        self._takes: dict[str, Take] = {}

    def on_mount(self) -> None:
        if self.campaign is None or self.campaign.queue.over:
            self.plan()
        super().on_mount()

    # -- planning --------------------------------------------------------------------------

    def plan(self) -> None:
        self.afresh = True
        self._fleet = everywhere(self.app.store)
        self._plan = balance.pack(self._fleet) if self._packs else balance.spread(self._fleet)
        self._left.clear()
        self._weigh()

    def _weigh(self) -> None:
        """What remains of the plan without the steps left out."""
        taken = self._taken
        self._shown = balance.plan_of(self._fleet, taken)
        against = objections(self._fleet, taken)
        self._takes = {
            step.key: Take(step, step.key not in self._left, against.get(step.key, ""))
            for step in self._plan.steps
        }

    @property
    def _taken(self) -> list[Step]:
        return [step for step in self._plan.steps if step.key not in self._left]

    # -- showing ---------------------------------------------------------------------------

    def renew(self) -> None:
        if not self.is_mounted:
            return
        queue = self.queue
        if queue is not None:
            self.grid.set_columns(LEG_COLUMNS)
            self.show({leg.key: leg for leg in queue.legs})
            self.tell(self.run_facts(queue))
            self.say(f"{queue.title}: {queue.tally()}", self._run_keys(queue))
            return
        self.grid.set_columns(TAKE_COLUMNS)
        self.grid.set_empty(plans.NOTHING[self._packs])
        self.show(dict(self._takes))
        self._figures()
        what = "Free hosts" if self._packs else "Balance"
        number = f"{len(self._taken)} of {len(self._plan.steps)} moves taken"
        frees = ", ".join(self._shown.frees)
        more = f"; frees {frees}" if frees else ""
        other = "even out" if self._packs else "free hosts"
        self.say(
            f"{what}: {number}{more}",
            [("s", "start"), ("space", "take or leave"), ("a", "all"), ("f", other),
             ("+-", f"{self.cap} at once"), ("r", "plan anew"), ("esc", "closes")],
        )  # fmt: skip

    def _run_keys(self, queue: Queue) -> list[tuple[str, str]]:
        if queue.over:
            return [("s", "plan anew"), ("r", "retry one"), ("enter", "more"), ("esc", "closes")]
        return self.run_keys(queue)

    def _figures(self) -> None:
        """Every host before and after, in bars."""
        shown = self._shown
        rows = plans.before_after(shown.before, shown.after)
        rows.sort(key=lambda row: -max(*row.memory, *row.cpu))
        names = max((len(row.host) for row in rows[:MANY]), default=0)
        names = min(max(names, 4), 16)
        room = max(4, (self.width - names - 29) // 4)
        head = f"{pad('', names)}  {pad('memory now', room + 5)} {pad('after', room + 6)} "
        ink = tones(self.app)
        found = Text(f"{head}{pad('processors now', room + 5)} after", style=ink.style("dim"))
        for row in sorted(rows[:MANY], key=lambda row: row.host):
            found.append("\n")
            found.append_text(self._bars(row, names, room))
        if len(rows) > MANY:
            found.append(
                f"\n{several(len(rows) - MANY, 'more host')}, less loaded", style=ink.style("dim")
            )
        self.put_facts(found)

    def _bars(self, row: Before, names: int, room: int) -> Text:
        ink = tones(self.app)
        line = Text(pad(fit(row.host, names), names) + "  ", no_wrap=True)
        for now, after in (row.memory, row.cpu):
            line.append(bar(now, room, self.glyphs.ascii), style=ink.style("dim"))
            line.append(f"{text.percent(now * 100):>5} ")
            tone = "ok" if after < now - 0.005 else "warning" if after > now + 0.005 else "dim"
            line.append(bar(after, room, self.glyphs.ascii), style=ink.style(tone))
            line.append(f"{text.percent(after * 100):>5}  ", style=ink.style(tone))
        return line

    def on_grid_activated(self) -> None:
        row: Any = self.selected
        if isinstance(row, Take):
            parts = [("dialog-text", f"{row.step.source} to {row.step.target}: {row.step.why}")]
            parts += [("dialog-text", one.text) for one in row.step.warnings]
            parts += [("dialog-text", f"It cannot be taken like this: {row.against}")] * bool(
                row.against
            )
            self.app.push_screen(Card(row.step.name, parts))
        elif row is not None:
            self.app.push_screen(Card(row.name, [("dialog-text", plans.reason(row) or row.word)]))

    # -- doing -----------------------------------------------------------------------------

    def action_take(self) -> None:
        row = self.selected
        if isinstance(row, Take):
            self._left ^= {row.step.key}
            self._weigh()
            self.renew()
            self.grid.action_move(1)

    def action_take_all(self) -> None:
        if self.queue is None:
            self._left = set() if self._left else set(self._takes)
            self._weigh()
            self.renew()

    def action_other(self) -> None:
        """From evening out to freeing hosts, and back."""
        if self.queue is None or self.queue.over:
            self._packs = not self._packs
            self.plan()
            self.renew()

    def action_start(self) -> None:
        if self.queue is not None:
            if self.queue.over:
                self.plan()
                self.renew()
            return
        taken, against = self._taken, [take for take in self._takes.values() if take.against]
        if self.app.read_only:
            why = RECORDED if self.app.replay else "hvdeck is read-only now"
            self.app.told(why, warning=True)
        elif not taken:
            self.app.told("No move is taken", warning=True)
        elif against:
            self.app.told(f"{against[0].step.name} cannot move without what is left out: "
                          f"{against[0].against}", warning=True)  # fmt: skip
        elif self._outdated():
            self.plan()
            self.renew()
            self.app.told("The fleet has changed meanwhile: look again", warning=True)
        else:
            self._ask(taken)

    def _outdated(self) -> bool:
        """The steps cannot be taken any more as the fleet is now."""
        return bool(objections(everywhere(self.app.store), self._taken))

    def _ask(self, taken: list[Step]) -> None:
        action = by_id("vm.migrate")
        found = [self.app.store.target(step.vm) for step in taken]
        targets = tuple(target for target in found if target is not None)
        if action is None or not targets:
            return
        told = tuple(
            f"{step.name}: {step.source} to {step.target}, {text.size(step.memory)}, {step.why}"
            for step in taken
        )
        question = Question(action, targets, consequences=told)
        self.app.push_screen(Confirm(question, self.app.operator.key_clock), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if not yes or self.app.read_only:
            return
        title = "Free hosts" if self._packs else "Balance"
        queue = Queue(legs_of(self._fleet, self._taken), self.cap, title=title)
        self.afresh = False
        self.app.operator.campaigns.start(self.key, queue)
        self.renew()

    def look(self, row: Any) -> Look:
        taken = isinstance(row, Take) and row.taken
        return Look(marked=taken)

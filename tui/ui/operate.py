"""Carries out actions: on what, why not, asks as the risk demands, sends, reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.actions import Action, Kind, Risk, Target, by_id, why_not
from tui.actions.declare import highest
from tui.collector.messages import CallUpdate, Phase
from tui.rows import text
from tui.store import Changes
from tui.ui.campaigns import Campaigns
from tui.ui.dispatch import Dispatcher, Item, Run
from tui.ui.reading import Reading

if TYPE_CHECKING:
    from tui.ui.app import DeckApp

Pairs = list[tuple[str, Target]]
"""Row keys and targets."""
RECORDED = "This is a recording: nothing reaches a host"
THINGS = {
    Kind.VM: "virtual machines",
    Kind.HOST: "hosts",
    Kind.SWITCH: "virtual switches",
    Kind.JOB: "jobs",
    Kind.ROLE: "roles",
    Kind.NODE: "nodes",
    Kind.CSV: "cluster shared volumes",
    Kind.REPLICA: "replication relationships",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An action about to be done: on what, on what not, and what is answered already."""

    action: Action
    able: Pairs
    skipped: Sequence[tuple[Target, str]]
    preset: dict[str, Any]
    answered: bool = False
    """Nothing is left to be filled in: what is not preset stays as it is."""
    least: Risk = Risk.GREEN
    """It is asked about at least on this rung."""


class Operator:
    """Between a key or a palette line and the collector."""

    def __init__(self, app: DeckApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock
        self.key_clock: Callable[[], float] = time.monotonic
        """Measures the pause before an answer counts."""
        self.dispatcher = Dispatcher(app.store, app.engine.post, clock, lambda: app.read_only)
        self.campaigns = Campaigns(self)
        self.runs: list[Run] = []
        self.reading = Reading(app, clock, self._ask)

    @property
    def app(self) -> DeckApp:
        return self._app

    # -- on what ---------------------------------------------------------------------------

    def subjects(self, action: Action, *, anywhere: bool = False) -> Pairs:
        """The marked things, else the one under the cursor. A key acts only on the kind of
        thing in front; ``anywhere`` (the palette, which names them) also on what is marked or
        selected in other panes.
        """
        panes = self._app.panes
        table = panes.source if panes.source.kind is action.kind else None
        if table is None and anywhere:
            table = panes.table_of(action.kind)
        if table is None:
            return []
        keys = table.marked() if action.many else []
        if not keys and table.cursor is not None:
            keys = [table.cursor]
        pairs = [(key, self._app.store.target(key)) for key in keys]
        return [(key, target) for key, target in pairs if target is not None]

    def glance(self, *, anywhere: bool = False) -> Callable[[Action], Pairs]:
        """``subjects`` of many actions at one moment: those of a kind are looked up once."""
        found: dict[tuple[Kind, bool], Pairs] = {}

        def subjects(action: Action) -> Pairs:
            sort = (action.kind, action.many)
            if sort not in found:
                found[sort] = self.subjects(action, anywhere=anywhere)
            return found[sort]

        return subjects

    def why_not(self, action: Action, target: Target | None) -> str | None:
        if self._app.replay is not None and action.changes:
            return RECORDED
        return why_not(action, target, read_only=self._app.read_only, now=self._clock())

    def obstacle(self, action: Action, pairs: Pairs) -> str:
        """Why an action cannot be done now; empty when it can for at least one subject."""
        if not pairs:
            return self.why_not(action, None) or ""
        reasons = [self.why_not(action, target) for _, target in pairs]
        return "" if None in reasons else reasons[0] or ""

    def headline(self, action: Action, pairs: Pairs) -> str:
        """``Shut down 7 marked virtual machines``, ``Start sql01``."""
        if not pairs:
            return action.title
        if len(pairs) == 1:
            return f"{action.title} {pairs[0][1].name}"
        return f"{action.title} {len(pairs)} marked {THINGS[action.kind]}"

    # -- the way of an action --------------------------------------------------------------

    def act(
        self,
        action_id: str,
        *,
        anywhere: bool = False,
        on: Pairs | None = None,
        preset: Mapping[str, Any] | None = None,
    ) -> None:
        """Do it, or say why not. ``on`` names the subjects instead of cursor and marks;
        ``preset`` answers fields beforehand: the part selected.
        """
        action = by_id(action_id)
        if action is None:
            return
        if isinstance(action.run, str) and not action.planned:
            getattr(self._app.commands, action.run)()
            return
        pairs = self.subjects(action, anywhere=anywhere) if on is None else on
        reasons = {key: self.why_not(action, target) for key, target in pairs}
        able = [(key, target) for key, target in pairs if reasons[key] is None]
        if not able:
            first = next(iter(reasons.values()), None) or self._absent(action)
            self._app.told(first, warning=True)
            return
        if action.planned:
            getattr(self._app.commands, str(action.run))(able[0][1])
            return
        if action.opens and not preset:
            getattr(self._app.commands, action.opens)([key for key, _ in able])
            return
        skipped = [(target, why) for key, target in pairs if (why := reasons[key])]
        self._prepare(Asked(action, able, skipped, dict(preset or {})))

    def proceed(self, action_id: str, pairs: Pairs, values: Mapping[str, Any]) -> None:
        """Go on with an action whose form was answered elsewhere."""
        action = by_id(action_id)
        if action is None:
            return
        reasons = {key: self.why_not(action, target) for key, target in pairs}
        able = [(key, target) for key, target in pairs if reasons[key] is None]
        if not able:
            self._app.told(next(iter(reasons.values()), None) or "", warning=True)
            return
        skipped = [(target, why) for key, target in pairs if (why := reasons[key])]
        self._prepare(Asked(action, able, skipped, dict(values), answered=True))

    def take_back(self, call: CallUpdate) -> None:
        """Ask about undoing what a call that failed midway has made."""
        undo = call.undo
        action = by_id(undo.action) if undo is not None else None
        if undo is None or action is None:
            return
        pair = self._holder(action.kind, call.host, undo.target)
        if pair is None:
            self._app.told(f"What {call.name or call.action} left is not listed on {call.host}",
                           warning=True)  # fmt: skip
            return
        if (reason := self.why_not(action, pair[1])) is not None:
            self._app.told(reason, warning=True)
            return
        preset = dict(undo.arguments)
        self._prepare(Asked(action, [pair], (), preset, answered=True, least=Risk.AMBER))

    def _holder(self, kind: Kind, host: str, target_id: str) -> tuple[str, Target] | None:
        """The row of the thing that holds what was made."""
        store = self._app.store
        tables: dict[Kind, Mapping[str, Any]] = {
            Kind.VM: store.vms, Kind.HOST: store.host_rows, Kind.SWITCH: store.switches,
            Kind.REPLICA: store.replicas.rows,
        }  # fmt: skip
        for key in tables.get(kind, {}):
            target = store.target(key)
            if target is not None and target.id == target_id and target.host.id == host:
                return key, target
        return None

    def _prepare(self, asked: Asked) -> None:
        """Ask at once, or when the machine has been read."""
        if asked.action.needs_sheet and not self.reading.is_current(asked.able[0][1]):
            self.reading.begin(asked)
        else:
            self._ask(asked)

    def _ask(self, asked: Asked) -> None:
        form = asked.action.form
        if not asked.answered and any(f.asked and f.id not in asked.preset for f in form):
            self._ask_values(asked)
        else:
            self._confirm(asked, asked.preset)

    def _absent(self, action: Action) -> str:
        front = self._app.panes.source
        kind = front.kind
        target = self._app.store.target(front.cursor) if front.cursor and kind else None
        return self.why_not(action, target) or f"{action.title} has nothing to act on"

    def _ask_values(self, asked: Asked) -> None:
        from tui.ui.form import Form

        def answered(values: dict[str, Any] | None) -> None:
            if values is not None:
                self._confirm(asked, values)

        targets = [target for _, target in asked.able]
        self._app.push_screen(Form(asked.action, targets, asked.preset), answered)

    def _confirm(self, asked: Asked, values: Mapping[str, Any]) -> None:
        action, able = asked.action, asked.able
        told = [action.foretell(target, values) for _, target in able]
        risk = highest((asked.least, *(rung for rung, _ in told)))
        if risk is Risk.GREEN:
            self._run(action, able, values)
            return
        from tui.ui.dialogs import Confirm, Question

        table = self._app.panes.table_of(action.kind)
        shown = set(table.grid.keys) if table else {key for key, _ in able}
        hidden = frozenset(target.id for key, target in able if key not in shown)
        question = Question(
            action,
            tuple(target for _, target in able),
            tuple(asked.skipped),
            hidden,
            risk,
            tuple(line for _, lines in told for line in lines),
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._run(action, able, values)

        self._app.push_screen(Confirm(question, self.key_clock), answered)

    def _run(self, action: Action, able: Pairs, values: Mapping[str, Any]) -> None:
        if self._app.read_only:
            self._app.told("hvdeck is read-only now", warning=True)
            return
        run, changes = self.dispatcher.submit(action, able, values)
        self.runs = [known for known in self.runs[-20:] if not known.told] + [run]
        for change in changes:
            self._app.show(change)
        if len(run.items) > 1:
            self.watch(run)
        if run.over:
            self._report([run])

    def watch(self, run: Run) -> None:
        """Show a run item by item."""
        from tui.ui.runview import RunView

        self._app.push_screen(RunView(run, self._app.glyphs))

    # -- what became of it -----------------------------------------------------------------

    def settled(self, changes: Changes) -> None:
        """Calls moved on: send what waits, report what is over."""
        self.reading.look(changes)
        touched, more = self.dispatcher.settled(changes)
        for change in more:
            self._app.show(change)
        self._report(touched)
        self.campaigns.settled(changes)

    def collector_died(self) -> None:
        """What was not sent yet is not sent any more."""
        self._report(self.dispatcher.drop("the refresh worker was restarted"))
        self.campaigns.collector_died()

    def _report(self, touched: list[Run]) -> None:
        for run in touched:
            if run.over and not run.told:
                run.told = True
                self._tell(run)

    def _tell(self, run: Run) -> None:
        if len(run.items) > 1:
            failed = not all(item.fine for item in run.items)
            words = f"{run.action.title}, {len(run.items)} {THINGS[run.action.kind]}: "
            self._app.told(words + run.tally(), error=failed)
            return
        item = run.items[0]
        self._app.told(outcome(run.action, item), error=not item.fine)
        if item.result is not None and item.result.undo is not None:
            self._show_left_behind(item.result)

    def _show_left_behind(self, call: CallUpdate) -> None:
        """What is half done wants a decision; whoever is busy elsewhere finds it in the log."""
        from tui.ui.cards import call_card

        if len(self._app.screen_stack) == 1:
            self._app.push_screen(call_card(call))


def outcome(action: Action, item: Item) -> str:
    """One finished item in a sentence."""
    title, name = action.title, f"{item.target.name} on {item.target.host.id}"
    if item.dropped or item.result is None:
        return f"{title} {name}: not sent, {item.dropped}"
    why = text.trouble(item.result.trouble)
    hint = f" - {item.result.trouble.hint}" if item.result.trouble else ""
    match item.result.phase:
        case Phase.OBSERVED:
            return f"{title} {name}: done"
        case Phase.UNKNOWN:
            return f"{title} {name}: outcome unknown. {why}{hint}"
        case Phase.REFUSED:
            return f"{title} {name}: not sent. {why}{hint}"
    return f"{title} {name}: failed. {why}{hint}{_left(item.result)}"


def _left(call: CallUpdate) -> str:
    """What a call that failed midway has made, and the way to be rid of it."""
    if not call.made:
        return ""
    left = ", ".join(call.made)
    if call.undo is None:
        return f". It left {left}"
    return f". u in its card takes back what was made: {left}"

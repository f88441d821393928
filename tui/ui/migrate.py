"""The migrate sheet: every host machines could go to, what speaks for and against, and the start.

The preflight is ours; the word of the machine's own host is asked for where the cursor rests and
wins. Nothing moves before the confirmation.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui.actions import Action, Target, by_id
from tui.collector.messages import Answer, Call, Inspect
from tui.hyperv.model import Link
from tui.hyperv.plans.words import several
from tui.hyperv.preflight import Verdict
from tui.rows import moves, text
from tui.rows.moves import CauseLine, HostLine
from tui.ui import gridevents
from tui.ui.dialogs import Card
from tui.ui.grid import Grid, Look
from tui.ui.modal import Modal
from tui.ui.rowline import clean
from tui.ui.style import Glyphs

if TYPE_CHECKING:
    from tui.ui.app import DeckApp

ACTION = "vm.migrate"
REST = 0.4
"""Seconds the cursor rests on a host before it is asked about."""
PAUSE = 0.2
"""Seconds from one look at everything to the next, at least."""
SHARE = 8
"""So many times as long as a look takes is the pause after it."""
FEW = 4
"""So many machines are asked about by themselves; more only when told to."""


class MigrateScreen(Modal[None]):
    """Targets above, the causes of the selected one below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", show=False),
        Binding("tab,shift+tab", "turn", show=False),
        Binding("y", "copy", show=False),
        Binding("h", "ask", show=False),
        Binding("o", "options", show=False),
        Binding("s", "start", show=False),
        Binding("F", "force", show=False),
    ]
    app: DeckApp

    def __init__(self, keys: list[str], glyphs: Glyphs) -> None:
        """``keys``: rows of the machines."""
        super().__init__()
        self._keys = keys
        self._glyphs = glyphs
        self._values: dict[str, Any] = {}
        """Answers given in the form."""
        self._asked: dict[tuple[str, str], str] = {}
        """The question put about a machine and a destination; only its answer counts."""
        self._lines: dict[str, HostLine] = {}
        self._causes: dict[str, CauseLine] = {}
        self._rest: Timer | None = None
        self._due: Timer | None = None
        """When what changed is shown."""
        self._inspected = ("", "")
        """The machine that is kept fresh while the screen is open."""
        self._before = ("", "")
        """What was kept fresh when it was opened: the sheet below."""
        self._shown_at = 0.0
        self._pause = 0.0
        several = len(keys) > 1
        self._head = Static("", classes="sheet-head")
        self._hosts: Grid[HostLine] = Grid(
            moves.SET_COLUMNS if several else moves.HOST_COLUMNS,
            lambda key: self._lines[key],
            look=lambda row: Look(),
            glyphs=glyphs,
            empty="hvdeck knows no other host",
        )
        self._about = Static("", classes="migrate-about")
        self._grid: Grid[CauseLine] = Grid(
            moves.SET_CAUSES if several else moves.CAUSE_COLUMNS,
            lambda key: self._causes[key],
            look=lambda row: Look(),
            glyphs=glyphs,
            empty="Nothing speaks against it",
        )
        self._foot = Static("", classes="sheet-foot")

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield self._head
            yield Vertical(self._hosts, classes="migrate-hosts")
            yield self._about
            yield Vertical(self._grid, classes="migrate-causes")
            yield self._foot

    def on_mount(self) -> None:
        self._inspect(begin=True)
        self._hosts.focus()
        self._show()

    def on_unmount(self) -> None:
        self._inspect(begin=False)

    def _inspect(self, *, begin: bool) -> None:
        """Have the machine read in full while it alone is looked at: its files have sizes."""
        targets, engine = self.targets, self.app.engine
        if begin and len(targets) == 1:
            self._before = engine.inspected
            self._inspected = (targets[0].host.id, targets[0].id)
            engine.post(Inspect(*self._inspected))
        elif not begin and all(self._inspected):
            host = self._inspected[0]
            engine.post(Inspect(*self._before) if all(self._before) else Inspect(host))

    # -- what is shown ---------------------------------------------------------------------

    @property
    def targets(self) -> list[Target]:
        """The machines, as they are now."""
        found = (self.app.store.target(key) for key in self._keys)
        return [target for target in found if target is not None]

    @property
    def line(self) -> HostLine | None:
        """The host under the cursor."""
        return self._lines.get(self._hosts.cursor_key or "")

    def renew(self) -> None:
        """Something changed: show it, as often as the work it takes allows."""
        if self._due is not None:
            return
        passed = time.monotonic() - self._shown_at
        if passed >= self._pause:
            self._show()
        else:
            self._due = self.set_timer(self._pause - passed, self._show)

    def _show(self) -> None:
        """Show what is known now."""
        begun = time.monotonic()
        if self._due is not None:
            self._due.stop()
            self._due = None
        self._take_in()
        self._shown_at = time.monotonic()
        self._pause = max(PAUSE, SHARE * (self._shown_at - begun))

    def _take_in(self) -> None:
        targets = self.targets
        if not targets:
            self.app.told("The machine is gone from its host", warning=True)
            self.leave()
            return
        found = moves.host_lines(targets, self._values, self._answers(), self._asked)
        lines = {line.key: line for line in found}
        changed = [key for key, line in lines.items() if self._lines.get(key) != line]
        self._lines = lines
        self._hosts.set_keys(list(lines))
        self._hosts.touch(changed)
        self._head.update(Content(clean(self._headline(targets))))
        self._describe()

    def _headline(self, targets: list[Target]) -> str:
        dash = self._glyphs.plain("·")
        if len(targets) > 1:
            hosts = len({target.host.id for target in targets})
            places = several(hosts, "host")
            return f"Migrate {len(targets)} virtual machines on {places}"
        (target,) = targets
        words = [f"Migrate {target.name}", target.host.id]
        if target.vitals is not None:
            words.append(text.vm_shown(target.vitals).word)
            words.append(text.size(target.vitals.memory))
        return f"  {dash}  ".join(words)

    def _describe(self) -> None:
        """The host under the cursor and its causes."""
        line = self.line
        causes = moves.cause_lines(line) if line is not None else []
        rows = {cause.key: cause for cause in causes}
        changed = [key for key, cause in rows.items() if self._causes.get(key) != cause]
        self._causes = rows
        self._grid.set_keys(list(rows))
        self._grid.touch(changed)
        self._about.update(Content(clean(self._summary(line)) if line is not None else ""))
        self._foot.update(Content(self._hints()))

    def _summary(self, line: HostLine) -> str:
        action = by_id(ACTION)
        assert action is not None
        ways = f"{line.key}: {line.ways}"
        given = [
            f"{field.title.lower()} {self._values[field.id]}"
            for field in action.form
            if field.id != "destination" and self._values.get(field.id)
        ]
        return ", ".join([ways, *given])

    def _hints(self) -> str:
        if self._grid.has_focus:
            return " enter the way out   y copy it   tab hosts   o options   esc back"
        return " enter migrate   tab causes   h ask the host   o options   F in spite   esc back"

    # -- the host's own word ---------------------------------------------------------------

    def on_grid_cursor_moved(self, event: gridevents.CursorMoved) -> None:
        event.stop()
        if event.grid is not self._hosts:
            return
        self._describe()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST, self._rested)

    def _rested(self) -> None:
        line = self.line
        up = line is not None and line.going[0].way.target.vitals.link is not Link.DOWN
        if up and len(self._keys) <= FEW:
            self._question(again=False)

    def _answers(self) -> dict[tuple[str, str], Answer]:
        """What came back of the questions as they were put last."""
        known = self.app.store.answers
        return {
            pair: answer
            for pair, call in self._asked.items()
            if (answer := known.get(pair)) is not None and answer.id == call
        }

    def collector_died(self) -> None:
        """Nobody answers what was asked of the one before."""
        answered = self._answers()
        self._asked = {pair: call for pair, call in self._asked.items() if pair in answered}

    def action_ask(self) -> None:
        self._question(again=True)

    def _question(self, *, again: bool) -> None:
        """Ask each machine's host about the host under the cursor."""
        line = self.line
        for one in line.going if line is not None else ():
            pair = (one.target.id, line.key if line is not None else "")
            if not one.askable or (pair in self._asked and not again):
                continue
            arguments = {**self._values, "destination": pair[1]}
            host, vm = one.target.host.id, one.target.id
            call = Call(uuid.uuid4().hex, ACTION, host, vm, arguments, ask=True)
            self._asked[pair] = call.id
            self.app.engine.post(call)
        self._show()

    # -- acting ----------------------------------------------------------------------------

    def on_grid_activated(self, event: gridevents.Activated) -> None:
        event.stop()
        if event.grid is self._hosts:
            self.action_start()
        elif (cause := self._causes.get(event.key)) is not None:
            self.app.push_screen(_card(cause))

    def on_descendant_focus(self) -> None:
        self._foot.update(Content(self._hints()))

    def action_turn(self) -> None:
        (self._hosts if self._grid.has_focus else self._grid).focus()

    def action_leave(self) -> None:
        self.leave()

    def action_copy(self) -> None:
        """The way out of the cause under the cursor; its words where there is none."""
        cause = self._causes.get(self._grid.cursor_key or "")
        if cause is not None:
            self.app.copy(cause.cause.fix or cause.cause.text)

    def action_start(self) -> None:
        """Ask once more, and go."""
        line = self.line
        if line is None:
            return
        if line.verdict is Verdict.FAIL:
            self.app.told(f"{line.reason}. F asks the host in spite of it", warning=True)
            return
        self._go(line, force=any(one.overruled for one in line.going))

    def action_force(self) -> None:
        line = self.line
        if line is not None:
            self._go(line, force=line.verdict is Verdict.FAIL or any(
                one.overruled for one in line.going))  # fmt: skip

    def _go(self, line: HostLine, *, force: bool) -> None:
        values = {**self._values, "destination": line.key}
        if force:
            values["force"] = True
        wanted = {one.target.id for one in line.going}
        found = [(key, self.app.store.target(key)) for key in self._keys]
        pairs = [(key, target) for key, target in found if target and target.id in wanted]
        self.leave()
        self.app.call_later(self.app.operator.proceed, ACTION, pairs, values)

    def action_options(self) -> None:
        """How it goes, where to, on which switch: the form of the action."""
        from tui.ui.form import Form

        action, targets, line = by_id(ACTION), self.targets, self.line
        if action is None or not targets:
            return
        preset = {**self._values, "destination": line.key if line is not None else ""}

        def answered(values: dict[str, Any] | None) -> None:
            if values is None:
                return
            self._values = {key: value for key, value in values.items() if key != "destination"}
            self._asked.clear()
            self._show()
            if values.get("destination"):
                self._hosts.move_to(str(values["destination"]))

        self.app.push_screen(Form(_unhindered(action), targets, preset), answered)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show)


def _card(line: CauseLine) -> Card:
    """A cause in full, with the way out."""
    state = moves.VERDICTS[line.verdict]
    parts = [("dialog-question", f"{state}  {line.title}: {line.name}"),
             ("dialog-text", line.cause.text)]  # fmt: skip
    if line.cause.fix:
        parts += [("dialog-text", "The way out:"), ("dialog-call", line.cause.fix),
                  ("dialog-hint", "y  copies it")]  # fmt: skip
    return FixCard("Cause", parts, line.cause.fix)


class FixCard(Card):
    """A cause whose way out can be copied."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy_fix", show=False)]
    app: DeckApp

    def __init__(self, title: str, parts: list[tuple[str, str]], fix: str) -> None:
        super().__init__(title, parts)
        self._fix = fix

    def action_copy_fix(self) -> None:
        if self._fix:
            self.app.copy(self._fix)


def _unhindered(action: Action) -> Action:
    """The action with a form that takes every answer: the sheet shows what speaks against it."""
    return replace(action, conflict=None)

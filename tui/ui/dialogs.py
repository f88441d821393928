"""Questions before something is done: confirm, type the name, fill in a form; and error cards.

The key that opened a dialog never answers it, Enter is never yes, nothing pasted counts, and a
key within a moment of another (a falling pen, a key held down) answers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static, Switch, TextArea

from tui.actions import Action, Field, Risk, Target
from tui.ui.facts import sentence
from tui.ui.modal import Modal
from tui.ui.rowline import clean

SETTLE = 0.3
"""Seconds without a key before an answer counts."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is about to be done, in words."""

    action: Action
    targets: tuple[Target, ...]
    skipped: tuple[tuple[Target, str], ...] = ()
    """Marked things it cannot be done to, and why."""
    hidden: frozenset[str] = frozenset()
    """Ids of targets the filter hides; they are listed first, so that nobody forgets them."""
    calls: str = ""

    @property
    def headline(self) -> str:
        """``Turn off sql01?`` or ``Turn off 7 virtual machines on 2 hosts?``"""
        if len(self.targets) == 1:
            return f"{self.action.title} {self.targets[0].name}?"
        hosts = len({target.host.id for target in self.targets})
        places = "1 host" if hosts == 1 else f"{hosts} hosts"
        return f"{self.action.title} {len(self.targets)} {_things(self.targets[0])} on {places}?"

    @property
    def phrase(self) -> str:
        """What has to be typed for a red action."""
        return self.targets[0].name if len(self.targets) == 1 else str(len(self.targets))

    def lines(self) -> list[str]:
        """The objects, hidden ones first."""
        ordered = sorted(self.targets, key=lambda target: target.id not in self.hidden)
        lines = [
            clean(sentence(target)) + ("   (hidden by filter)" if target.id in self.hidden else "")
            for target in ordered
        ]
        lines += [f"not {clean(target.name)}: {clean(why)}" for target, why in self.skipped]
        return lines


def _things(target: Target) -> str:
    return {"vm": "virtual machines", "switch": "virtual switches"}.get(
        target.kind, f"{target.kind}s"
    )


class Confirm(Modal[bool]):
    """Asks once more; the default is No."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,n,N", "no", show=False)]

    def __init__(self, question: Question, clock: Callable[[], float]) -> None:
        super().__init__()
        self._question = question
        self._clock = clock
        self._quiet_since = clock()
        self.yes = "o" if "y" in question.action.key.split(",") else "y"
        """The key that means yes; never the one that opened the dialog."""
        self._armed = question.action.risk is not Risk.RED
        """A red action first wants its phrase typed."""
        self._input = TypedInput(placeholder=question.phrase)

    def compose(self) -> ComposeResult:
        question, action = self._question, self._question.action
        with VerticalScroll(classes=f"dialog -{action.risk}", can_focus=True) as frame:
            frame.border_title = Content(action.title)
            yield Static(Content(clean(question.headline)), classes="dialog-question")
            yield Static(Content(clean(f"{action.effect or action.help}.")), classes="dialog-text")
            lines = question.lines()
            with VerticalScroll(classes="dialog-list", can_focus=False):
                yield Static(Content("\n".join(lines)))
            calls = question.calls or action.calls
            if calls:
                yield Static(Content(clean(f"calls {calls}")), classes="dialog-call")
            if not self._armed:
                what = "its name" if len(question.targets) == 1 else "their number"
                yield Label(Content(f"Type {what}, {clean(question.phrase)}, then Enter"))
                yield self._input
            yield Static(Content(self._ask()), classes="dialog-hint", id="ask")

    def _ask(self) -> str:
        if not self._armed:
            return "esc  No, do nothing"
        return f"{self.yes}  Yes, {self._question.action.title.lower()}      n, esc  No (default)"

    def on_mount(self) -> None:
        self._quiet_since = self._clock()
        if self._armed:
            self.query_one(".dialog").focus()
        else:
            self._input.focus()

    def action_no(self) -> None:
        self.leave(False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() != self._question.phrase.strip():
            self._say("That is not it. Nothing has been done.", problem=True)
            return
        self._armed = True
        self._quiet_since = self._clock()
        self._input.disabled = True
        self.query_one(".dialog").focus()
        self._say(self._ask())

    def _say(self, words: str, *, problem: bool = False) -> None:
        ask = self.query_one("#ask", Static)
        ask.update(Content(words))
        ask.set_class(problem, "-problem")

    def on_key(self, event: events.Key) -> None:
        if not self._armed:
            return
        now = self._clock()
        settled = now - self._quiet_since >= SETTLE
        self._quiet_since = now
        if event.character != self.yes:
            if event.key == "enter":
                self._say(f"Enter is not yes: press {self.yes}, or esc for No")
            return
        event.stop()
        if settled:
            self.leave(True)
        else:
            self._say(f"Too fast to be meant: press {self.yes} again")

    def on_paste(self, event: events.Paste) -> None:
        event.stop()


class TypedInput(Input):
    """A field that takes keys alone: what is pasted does not count."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.app.notify("Pasting does not count here: type it", severity="warning", markup=False)


# -- forms ---------------------------------------------------------------------------------


class Form(Modal[dict[str, Any] | None]):
    """The fields of an action, with the values as they are and every error beside its field."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, action: Action, targets: Sequence[Target]) -> None:
        super().__init__()
        self._action = action
        self._targets = targets
        self._fields = [field for field in action.form if field.asked]
        self._inputs: dict[str, Widget] = {}

    def compose(self) -> ComposeResult:
        action, count = self._action, len(self._targets)
        name = self._targets[0].name if count == 1 else f"{count} {_things(self._targets[0])}"
        with VerticalScroll(classes=f"dialog -{action.risk}", can_focus=False) as frame:
            frame.border_title = Content(f"{action.title}: {clean(name)}")
            frame.border_subtitle = Content("tab moves   esc leaves")
            for field in self._fields:
                with Vertical(classes="field"):
                    yield Label(Content(field.title))
                    yield self._input(field)
                    yield Static(Content(field.help), classes="field-help")
                    yield Static("", classes="field-problem", id=f"problem-{field.id}")
            if action.calls:
                yield Static(Content(f"calls {action.calls}"), classes="dialog-call")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(Content(action.title), id="send", classes="-yes")

    def _input(self, field: Field) -> Widget:
        value = field.current(self._targets[0]) if field.current else None
        made: Widget
        if field.type is bool:
            made = Switch(value=bool(value))
        elif field.multiline:
            made = TextArea(str(value or ""), tab_behavior="focus", soft_wrap=True)
        else:
            made = Input(str(value if value is not None else ""))
        self._inputs[field.id] = made
        return made

    def on_mount(self) -> None:
        if self._fields:
            self._inputs[self._fields[0].id].focus()

    def action_leave(self) -> None:
        self.leave(None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "send":
            self._send()
        else:
            self.leave(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._send()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._check()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._check()

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field in self._fields:
            source = self._inputs[field.id]
            if isinstance(source, Switch):
                values[field.id] = source.value
            elif isinstance(source, TextArea):
                values[field.id] = source.text
            elif isinstance(source, Input):
                values[field.id] = source.value
        return values

    def _check(self) -> dict[str, Any] | None:
        """The values, or None while one cannot be taken; says why beside it."""
        values = self._values()
        fine = True
        for field in self._fields:
            why = self._problem(field, values)
            fine = fine and why is None
            line = self.query_one(f"#problem-{field.id}", Static)
            line.update(Content(why or ""))
            line.display = bool(why)
            self._inputs[field.id].set_class(why is not None, "-invalid")
        return values if fine else None

    def _problem(self, field: Field, values: dict[str, Any]) -> str | None:
        raw = values[field.id]
        try:
            values[field.id] = raw if field.type in (bool, str) else field.type(raw)
        except ValueError:
            return f"{raw} is not a number"
        if field.problem is None:
            return None
        problem = field.problem
        return next((w for t in self._targets if (w := problem(t, values[field.id]))), None)

    def _send(self) -> None:
        values = self._check()
        if values is not None:
            self.leave(values)


# -- cards ---------------------------------------------------------------------------------


class Card(Modal[None]):
    """Something to read: title, paragraphs, and a key to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,space", "leave", show=False)]

    def __init__(
        self, title: str, parts: Sequence[tuple[str, str]], *, error: bool = False
    ) -> None:
        """``parts``: style class (``dialog-text`` …) and words."""
        super().__init__()
        self._title = title
        self._parts = parts
        self._error = error

    def compose(self) -> ComposeResult:
        kind = " -error" if self._error else ""
        with VerticalScroll(classes=f"dialog{kind}", can_focus=True) as frame:
            frame.border_title = Content(clean(self._title))
            frame.border_subtitle = Content("esc closes")
            for style, words in self._parts:
                lines = "\n".join(clean(line) for line in words.splitlines())
                yield Static(Content(lines), classes=style)

    def action_leave(self) -> None:
        self.leave(None)


def error_card(title: str, cause: str, hint: str, code: int, *, asked: str = "") -> Card:
    """What happened, why, and the way out."""
    parts = [("dialog-question", title)]
    if asked:
        parts.append(("dialog-call", f"asked: {asked}"))
    if cause:
        parts.append(("dialog-text", cause))
    if hint:
        parts.append(("dialog-text", f"What to do: {hint}"))
    if code:
        parts.append(("dialog-hint", f"code 0x{code & 0xFFFFFFFF:08X} ({code})"))
    return Card("It failed", parts, error=True)

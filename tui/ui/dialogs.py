"""Questions before something is done: confirm, type the name, fill in a form; and error cards.

The key that opened a dialog never answers it, Enter is never yes, nothing pasted counts, and a
key within a moment of another (a falling pen, a key held down) answers nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, Static

from tui.actions import Action, Risk, Target
from tui.hyperv.plans.words import several
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
    risk: Risk = Risk.AMBER
    consequences: tuple[str, ...] = ()
    """What exactly goes or loses contact."""

    @property
    def headline(self) -> str:
        """``Turn off sql01?`` or ``Turn off 7 virtual machines on 2 hosts?``"""
        if len(self.targets) == 1:
            return f"{self.action.title} {self.targets[0].name}?"
        hosts = len({target.host.id for target in self.targets})
        places = several(hosts, "host")
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
        lines += [f"  {clean(line)}" for line in self.consequences]
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
        self._opened = math.inf
        """When there was something to answer, by the clock of events."""
        self.yes = "o" if "y" in question.action.key.split(",") else "y"
        """The key that means yes; never the one that opened the dialog."""
        self._armed = question.risk is not Risk.RED
        """A red action first wants its phrase typed."""
        self._input = TypedInput(placeholder=question.phrase)

    def compose(self) -> ComposeResult:
        question, action = self._question, self._question.action
        with VerticalScroll(classes=f"dialog -{question.risk}", can_focus=True) as frame:
            frame.border_title = Content(action.title)
            yield Static(Content(clean(question.headline)), classes="dialog-question")
            yield Static(Content(clean(f"{action.effect or action.help}.")), classes="dialog-text")
            lines = question.lines()
            with VerticalScroll(classes="dialog-list", can_focus=False):
                yield Static(Content("\n".join(lines)))
            if action.calls:
                yield Static(Content(clean(f"calls {action.calls}")), classes="dialog-call")
            if not self._armed:
                what = "its name" if len(question.targets) == 1 else "their number"
                yield Label(Content(f"Type {what}, {clean(question.phrase)}, then Enter"))
                yield self._input
            yield Static(Content(self._ask()), classes="dialog-hint", id="ask")

    def _ask(self) -> str:
        if not self._armed:
            return "esc  No, do nothing"
        return f"{self.yes}  Yes, {self._question.action.title.lower()}      n, esc  No (default)"

    def on_mount(self, event: events.Mount) -> None:
        self._quiet_since, self._opened = self._clock(), event.time
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
        settled = now - self._quiet_since >= SETTLE and event.time >= self._opened
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

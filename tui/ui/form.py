"""The form of an action: its fields with the values as they are, errors beside each, a preview.

One dialog for every action. Only what a person changed is handed on: for the rest the value of
each target stands, so a form over a marked set changes nothing that was not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, Static, TextArea

from tui.actions import Action, Field, Target
from tui.actions.declare import Choice
from tui.rows import text
from tui.ui.modal import Modal
from tui.ui.rowline import clean

LABEL = 24
SHOWN_CHANGES = 8


class Toggle(Static, can_focus=True):
    """On or off, told by glyph and word."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "turn", show=False)]

    class Changed(Message):
        """A person turned it."""

        def __init__(self, toggle: Toggle) -> None:
            super().__init__()
            self.toggle = toggle

    def __init__(self, *, ascii: bool) -> None:
        super().__init__("", classes="toggle")
        self._signs = ("[ ]", "[x]") if ascii else ("○", "●")
        self.value = False

    def put(self, value: bool) -> None:
        """Show a value."""
        self.value = value
        self.update(Content(f"{self._signs[value]} {'on' if value else 'off'}"))

    def action_turn(self) -> None:
        self.put(not self.value)
        self.post_message(self.Changed(self))

    def on_click(self) -> None:
        self.action_turn()


class Entry(Vertical):
    """One field: its title, what takes the answer, and what speaks against it."""

    def __init__(self, field: Field) -> None:
        super().__init__(classes="field")
        self.field = field
        self.given = False
        """A person has answered it."""
        self.standing: Any = None
        """The value without an answer."""
        self._choices: list[Choice] = []
        self._filling = False
        self._problem = Static("", classes="field-problem")
        self.control = self._control()

    def _control(self) -> Widget:
        if self.field.type is bool:
            return Toggle(ascii=text.ascii_in_use())
        if self.field.multiline:
            return TextArea(tab_behavior="focus", soft_wrap=True)
        if self.field.choices is not None and not self.field.free:
            return Select[int]([], compact=True, allow_blank=True, prompt="choose")
        return Input(compact=True)

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Label(Content(self.field.title), classes="field-title")
            yield self.control
        yield self._problem

    # -- values ----------------------------------------------------------------------------

    def offer(self, choices: Sequence[Choice]) -> None:
        """The answers there are now. The one given stays, whatever is noted beside it."""
        if list(choices) == self._choices:
            return
        given = self.answer() if self.given and isinstance(self.control, Select) else None
        self._choices = list(choices)
        if isinstance(self.control, Select):
            lines = [(Content(_line(choice)), index) for index, choice in enumerate(choices)]
            with self.app.batch_update(), self.control.prevent(Select.Changed):
                self.control.set_options(lines)
                if given is not None and (index := self._index(given)) is not None:
                    self.control.value = index
        elif isinstance(self.control, Input):
            words = [choice.text for choice in choices]
            self.control.suggester = SuggestFromList(words, case_sensitive=False)

    def stand(self, value: Any) -> None:
        """Show the value that holds while nobody has answered."""
        self.standing = value
        if self.given:
            return
        control = self.control
        if isinstance(control, Toggle):
            control.put(bool(value))
        elif isinstance(control, TextArea):
            if control.text != str(value or ""):
                with control.prevent(TextArea.Changed):
                    control.load_text(str(value or ""))
        elif isinstance(control, Select):
            with control.prevent(Select.Changed):
                index = self._index(value)
                control.value = Select.NULL if index is None else index
        elif isinstance(control, Input):
            with control.prevent(Input.Changed):
                control.value = self.shown(value)

    def answer(self) -> Any:
        """The value: the answer, or what stands. Raises ValueError with the reason in words."""
        if not self.given:
            return self.standing
        control = self.control
        if isinstance(control, Toggle):
            return control.value
        if isinstance(control, TextArea):
            return control.text
        if isinstance(control, Select):
            chosen = control.value
            return self._choices[chosen].value if isinstance(chosen, int) else None
        assert isinstance(control, Input)
        return self._typed(control.value)

    def _typed(self, words: str) -> Any:
        if not words.strip() and self.field.optional:
            return None
        if self.standing is not None and words == self.shown(self.standing):
            return self.standing
        for choice in self._choices:
            if choice.text.casefold() == words.strip().casefold():
                return choice.value
        return self.field.type(words)

    def shown(self, value: Any) -> str:
        """A value as people read it."""
        if value is None:
            return ""
        index = self._index(value)
        return self._choices[index].text if index is not None else self.field.shown(value)

    def _index(self, value: Any) -> int | None:
        return next((i for i, c in enumerate(self._choices) if c.value == value), None)

    # -- what is wrong ---------------------------------------------------------------------

    def complain(self, why: str | None) -> None:
        """Say beside the field why its value cannot be taken."""
        self._problem.update(Content(clean(why or "")))
        self._problem.display = bool(why)
        self.control.set_class(bool(why), "-invalid")


def _line(choice: Choice) -> str:
    return clean(f"{choice.text}   {choice.note}" if choice.note else choice.text)


class Form(Modal[dict[str, Any] | None]):
    """The fields of an action over one target or several."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave_form", show=False),
        Binding("ctrl+s", "send_form", show=False),
    ]

    def __init__(
        self, action: Action, targets: Sequence[Target], preset: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        self._action = action
        self._targets = targets
        self._preset = dict(preset or {})
        self._entries = [
            Entry(field) for field in action.form if field.asked and field.id not in self._preset
        ]
        self._hint = Static("", classes="dialog-hint")
        self._conflict = Static("", classes="field-problem")
        self._preview = Static("", classes="dialog-list")

    def compose(self) -> ComposeResult:
        action, count = self._action, len(self._targets)
        name = self._targets[0].name if count == 1 else f"{count} marked"
        with VerticalScroll(classes=f"dialog -form -{action.risk}", can_focus=False) as frame:
            frame.border_title = Content(f"{action.title}: {clean(name)}")
            frame.border_subtitle = Content("tab moves   enter goes on   esc leaves")
            yield from self._entries
            yield self._conflict
            yield self._hint
            yield self._preview
            if action.calls:
                yield Static(Content(f"calls {action.calls}"), classes="dialog-call")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(Content(action.title), id="send", classes="-yes")

    def on_mount(self) -> None:
        self._fill()
        first = next((entry for entry in self._entries if entry.display), None)
        if first is not None:
            first.control.focus()

    # -- keeping up ------------------------------------------------------------------------

    def _fill(self) -> None:
        """Bring every field up to the ones before it, and say what is wrong and what changes."""
        values = dict(self._preset)
        fine = True
        for entry in self._entries:
            field, target = entry.field, self._action.about(self._targets[0], values)
            entry.display = field.when is None or field.when(values)
            if field.choices is not None:
                entry.offer(field.choices(target))
            entry.stand(field.current(target) if field.current is not None else None)
            value, why = self._taken(entry, values)
            values[field.id] = value
            entry.complain(why if entry.given else None)
            fine = fine and why is None
        self._values, self._fine = values, fine
        self._judge()

    def _taken(self, entry: Entry, values: dict[str, Any]) -> tuple[Any, str | None]:
        """The value of a field and why it cannot be taken, if so."""
        field = entry.field
        if not entry.display:
            return entry.standing, None
        try:
            value = entry.answer()
        except ValueError as error:
            return entry.standing, str(error)
        if value is None:
            needed = field.current is None and not field.optional
            return value, f"{field.title} is needed" if needed else None
        if field.problem is None:
            return value, None
        for target in self._targets:
            why = field.problem(self._action.about(target, values), value)
            if why is not None:
                return value, why
        return value, None

    def _judge(self) -> None:
        """The values together, and what they will change."""
        why = None
        if self._fine and self._action.conflict is not None:
            target = self._action.about(self._targets[0], self._values)
            why = self._action.conflict(target, self._values)
        self._fine = self._fine and why is None
        self._conflict.update(Content(clean(why or "")))
        self._conflict.display = bool(why)
        lines = [line for entry in self._entries if (line := self._change(entry))]
        if len(lines) > SHOWN_CHANGES:
            lines = [*lines[:SHOWN_CHANGES], f"and {len(lines) - SHOWN_CHANGES} more"]
        self._preview.update(Content("\n".join(lines)))
        self._preview.display = bool(lines)

    def _change(self, entry: Entry) -> str:
        """``Startup memory: 4 GB → 8 GB``, for a field that was changed."""
        value = self._values[entry.field.id]
        if not entry.given or not entry.display or value == entry.standing:
            return ""
        new = "on" if value is True else "off" if value is False else entry.shown(value)
        if entry.field.current is None:
            return clean(f"{entry.field.title}: {new}")
        was = entry.standing
        old = "on" if was is True else "off" if was is False else entry.shown(was)
        return clean(f"{entry.field.title}: {old or 'nothing'} → {new or 'nothing'}")

    # -- events ----------------------------------------------------------------------------

    def _answered(self, control: Widget) -> None:
        for entry in self._entries:
            if entry.control is control:
                entry.given = True
        self._fill()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._answered(event.input)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._answered(event.text_area)

    def on_toggle_changed(self, event: Toggle.Changed) -> None:
        event.stop()
        self._answered(event.toggle)

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self._answered(event.select)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The help of the field that has the keys."""
        entry = next(
            (one for one in self._entries if one.control in event.widget.ancestors_with_self), None
        )
        self._hint.update(Content(clean(entry.field.help) if entry else ""))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_send_form()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "send":
            self.action_send_form()
        else:
            self.leave()

    def action_leave_form(self) -> None:
        self.leave()

    def action_send_form(self) -> None:
        """Hand on what was answered, unless something speaks against it."""
        self._fill()
        if not self._fine:
            for entry in self._entries:
                _, why = self._taken(entry, self._values)
                entry.complain(why)
            return
        given = {
            entry.field.id: self._values[entry.field.id] for entry in self._entries if entry.given
        }
        self.leave({**self._preset, **given})

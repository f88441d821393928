"""One line to type in and a list below: palette, help, jump, menus all are this screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.ui.modal import Modal
from tui.ui.rowline import clean, fit, pad
from tui.ui.style import tones

LIMIT = 80
"""Lines offered at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that can be chosen."""

    id: str
    """What is answered when it is chosen."""
    title: str
    note: str = ""
    """Beside the title, dim: host, help, state."""
    key: str = ""
    """The key that does the same."""
    tone: str = ""
    group: str = ""
    why_not: str = ""
    """It is shown dim, and tells this when chosen."""
    words: str = ""
    """More text to search in."""


def score(query: str, entry: Entry) -> int:
    """How well an entry answers what was typed; 0 not at all. Several words must all be found."""
    title = entry.title.lower()
    total = 0
    for word in query.lower().split():
        points = _score(word, title)
        if not points and word in f"{entry.note} {entry.words} {entry.group}".lower():
            points = 15
        if not points:
            return 0
        total += points
    return total


def _score(word: str, title: str) -> int:
    at = title.find(word)
    if at == 0:
        return 100 if title == word else 80
    if at > 0:
        return 60 if not title[at - 1].isalnum() else 40
    position = 0
    for character in word:
        position = title.find(character, position) + 1
        if not position:
            return 0
    return 5 if len(word) > 2 else 0


def matching(query: str, entries: Sequence[Entry]) -> list[Entry]:
    """Best first; in their own order when nothing is typed."""
    if not query.strip():
        return list(entries[:LIMIT])
    scored = [(score(query, entry), entry) for entry in entries]
    found = [pair for pair in scored if pair[0]]
    found.sort(key=lambda pair: (bool(pair[1].why_not), -pair[0]))
    return [entry for _, entry in found[:LIMIT]]


class Finder(Modal[str | None]):
    """Type to narrow, Enter to choose, Esc to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("down,ctrl+n", "step(1)", show=False),
        Binding("up,ctrl+p", "step(-1)", show=False),
        Binding("pagedown", "step(10)", show=False),
        Binding("pageup", "step(-10)", show=False),
    ]

    def __init__(
        self,
        title: str,
        entries: Callable[[str], Sequence[Entry]],
        *,
        hint: str = "enter runs   esc leaves",
        placeholder: str = "type to search",
        headed: bool = False,
    ) -> None:
        """``entries`` answers the lines for what is typed, best first."""
        super().__init__()
        self._title = title
        self._entries = entries
        self._hint = hint
        self._headed = headed
        self._shown: dict[str, Entry] = {}
        self._input = Input(placeholder=placeholder, compact=True)
        self._list = OptionList(markup=False)
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="palette") as frame:
            frame.border_title = Content(self._title)
            frame.border_subtitle = Content(self._hint)
            yield self._input
            yield self._list

    def on_mount(self) -> None:
        self._input.focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    def _fill(self) -> None:
        query = self._input.value
        found = self._entries(query)
        self._shown = {entry.id: entry for entry in found}
        options: list[Option] = []
        heading = ""
        ink = tones(self.app)
        for entry in found:
            if self._headed and not query.strip() and entry.group != heading:
                heading = entry.group
                words = Text(heading, style=ink.style("accent") + Style(bold=True))
                options.append(Option(words, disabled=True))
            options.append(Option(self._line(entry), id=entry.id))
        if not options:
            options.append(Option(Text("Nothing matches", style=ink.style("dim")), disabled=True))
        self._list.clear_options()
        self._list.add_options(options)
        self._list.action_first()

    def _line(self, entry: Entry) -> Text:
        ink = tones(self.app)
        width = max(30, self._list.size.width - 2)
        keys = 8
        note = f"{entry.why_not}" if entry.why_not else entry.note
        room = width - keys
        share = min(room, max(cell_len(entry.title), room * 2 // 5))
        title = fit(entry.title, share)
        line = Text(pad(title, share), style=ink.style("dim" if entry.why_not else entry.tone))
        rest = room - share - 2
        if rest > 4:
            line.append("  ").append(pad(fit(clean(note), rest, prose=True), rest),
                                     style=ink.style("dim"))  # fmt: skip
        line.append(pad(entry.key, keys, right=True), style=ink.style("warning"))
        return line

    def action_step(self, lines: int) -> None:
        for _ in range(abs(lines)):
            if lines > 0:
                self._list.action_cursor_down()
            else:
                self._list.action_cursor_up()

    def action_leave(self) -> None:
        self.leave(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        option = self._list.highlighted_option
        if option is not None and option.id is not None:
            self._choose(option.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self._choose(event.option_id)

    def _choose(self, entry_id: str) -> None:
        entry = self._shown.get(entry_id)
        if entry is None:
            return
        if entry.why_not:
            self.app.notify(entry.why_not, severity="warning", markup=False)
            return
        self.leave(entry_id)


class KeyMenu(Modal[str | None]):
    """A few choices, each by one key: sort orders, what to copy."""

    def __init__(self, title: str, choices: Sequence[tuple[str, str, str]], hint: str = "") -> None:
        """``choices``: key, title, answer."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._hint = hint
        self._by_key = {key: answer for key, _, answer in choices}
        self._list = OptionList(markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as frame:
            frame.border_title = Content(self._title)
            frame.border_subtitle = Content(self._hint or "one key chooses   esc leaves")
            yield self._list

    def on_mount(self) -> None:
        ink = tones(self.app)
        for key, title, answer in self._choices:
            line = Text(f" {key} ", style=ink.style("warning") + Style(bold=True))
            self._list.add_option(Option(line.append(f" {clean(title)}"), id=answer))
        self._list.styles.height = min(len(self._choices), max(3, self.app.size.height - 8))
        self._list.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.leave(event.option_id)

    def key_escape(self) -> None:
        self.leave(None)

    def on_key(self, event: object) -> None:
        character = getattr(event, "character", None)
        if character in self._by_key:
            event.stop()  # type: ignore[attr-defined]
            self.leave(self._by_key[character])

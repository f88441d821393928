"""The line a filter is typed in. While it is open every key is text."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.rows.filter import complete
from tui.ui.style import Glyphs
from tui.ui.tables import TablePane


class FilterInput(Input):
    """Esc keeps, Enter keeps, Tab completes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", show=False),
        Binding("escape,enter,down", "close", show=False),
    ]

    class Close(Message):
        """Typing is over."""

    class Complete(Message):
        """Continue what is typed."""

    def action_complete(self) -> None:
        self.post_message(self.Complete())

    def action_close(self) -> None:
        self.post_message(self.Close())


class FilterBar(Horizontal):
    """Prompt, text, and how much it leaves; or what is wrong with it."""

    DEFAULT_CLASSES = "filter-bar -hidden"

    class Closed(Message):
        """The keys go back to the table."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="filter")
        self._glyphs = glyphs
        self._input = FilterInput(
            compact=True, placeholder="name  host:hv0*  state:off  cpu>80  #tag  !not  is:problem"
        )
        self._prompt = Static("", classes="prompt", markup=False)
        self._count = Static("", classes="count", markup=False)
        self._table: TablePane | None = None
        self._host_tags: Any = None
        self._tried: list[str] = []

    def compose(self) -> ComposeResult:
        yield self._prompt
        yield self._input
        yield self._count

    @property
    def is_open(self) -> bool:
        return self._table is not None

    def open(self, table: TablePane, host_tags: Any) -> None:
        """Begin to filter a table, with the filter it has."""
        self._table, self._host_tags = table, host_tags
        self._prompt.update(Content(f"filter {table.subject.noun}"))
        self.remove_class("-hidden")
        self._input.value = table.filter.text
        self._input.focus()
        self._tell()

    def close(self) -> None:
        """Keep the filter and give the keys back. One that is wrong goes: it was never used."""
        table, self._table = self._table, None
        if table is not None and table.problem:
            table.set_filter(table.filter.text, self._host_tags)
        self.add_class("-hidden")
        self.post_message(self.Closed())

    def insist(self) -> None:
        """Have the keys again."""
        self._input.focus()

    def on_descendant_blur(self) -> None:
        """The keys went elsewhere, by a click or because they came faster than the focus."""
        if self.is_open and self.app.app_focus and self.screen.focused is not self._input:
            self.close()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._table is not None:
            self._table.set_filter(event.value, self._host_tags)
            self._tell()

    def on_filter_input_close(self, event: FilterInput.Close) -> None:
        event.stop()
        self.close()

    def on_filter_input_complete(self, event: FilterInput.Complete) -> None:
        event.stop()
        if self._table is None:
            return
        kind, rows = self._table.subject.filter_kind, self._table.rows.values()
        value = self._input.value
        if value in self._tried:
            options = self._tried
            value = options[(options.index(value) + 1) % len(options)]
        else:
            self._tried = options = complete(value, kind, rows, 12)
            value = options[0] if options else value
        self._input.value = value
        self._input.cursor_position = len(value)

    def _tell(self) -> None:
        table = self._table
        if table is None:
            return
        self.set_class(bool(table.problem), "-error")
        dash = self._glyphs.plain("—")
        self._count.update(Content(table.problem or f"{dash} {table.counts()}"))

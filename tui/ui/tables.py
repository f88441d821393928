"""A pane that is one table: filter, order, marks and title around a grid.

The order of rows is worked out again only when rows come or go, or when a changed row would
stand elsewhere; and never so often that ordering would take more than a few percent of the time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from tui.actions import Kind
from tui.errors import UsageError
from tui.rows.columns import Column, find, select
from tui.rows.filter import Filter, parse
from tui.store import Changes, Store
from tui.ui import gridevents
from tui.ui.grid import Grid, Look
from tui.ui.sorting import Sorting
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject

CALM = 20.0
"""After ordering rows for t seconds, the next change of order waits at least CALM * t."""


def look_of(row: Any, depth: int = 0) -> Look:
    """How a row of the store stands."""
    stale, pending = int(row.stale), bool(row.pending)
    watch = getattr(row, "watch", "")
    return Look(stale=stale, pending=pending, marked=row.marked, depth=depth, watch=watch)


class TablePane(Vertical):
    """One subject's rows."""

    DEFAULT_CLASSES = "pane"
    branching: ClassVar[bool] = False
    """Rows are drawn as a tree."""
    aging: ClassVar[bool] = False
    """Rows grow old, though no action is for them."""

    class Changed(Message):
        """Its title, filter or marks are different now."""

        def __init__(self, pane: TablePane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, subject: Subject, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id=subject.id)
        self.subject = subject
        self.store = store
        self.rows = subject.rows(store)
        self.filter = Filter("", None)
        self.problem = ""
        """Why the filter being typed cannot be used; the last good one stays in force."""
        self.sort = subject.sort
        self.descending = subject.descending
        self.only_marked = False
        self.only_problems = False
        self.columns = list(subject.default)
        self.frozen = False
        self.shown = True
        """The layout shows this pane; otherwise it does no work."""
        self._glyphs = glyphs
        self._problems = parse("is:problem", subject.filter_kind)
        self._stale = True
        self._elsewhere = False
        """The store stands for another moment: its rows are other ones."""
        self._due = 0.0
        self._later: Timer | None = None
        self._sorting = Sorting()
        self._shown: set[str] = set()
        """Rows that nothing hides."""
        self._away: str | None = None
        """Row the cursor was on when it vanished: it gets the cursor back should it return
        (a migration seen between two hosts) and nobody moved meanwhile.
        """
        self._settled_on: str | None = None
        self._range_from: str | None = None
        self._titles = ("", "")
        self.grid: Grid[Any] = Grid(
            self._chosen_columns(),
            self.row,
            look=self.look if subject.kind is not None or self.aging else None,
            tree=self.branching,
            glyphs=glyphs,
            empty=subject.empty,
        )

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_mount(self) -> None:
        self.grid.set_sort(self.sort, descending=self.descending)
        self.rebuild()

    @property
    def kind(self) -> Kind | None:
        return self.subject.kind

    def row(self, key: str) -> Any:
        """Where the grid looks rows up."""
        return self.rows[key]

    def look(self, row: Any) -> Look:
        return look_of(row)

    # -- following the store ---------------------------------------------------------------

    def changed(self, changes: Changes) -> None:
        """Show what is different; hidden panes only note that they must."""
        delta = self.subject.delta(changes)
        if not delta:
            return
        if delta.added or delta.removed or self._moves(delta.changed):
            self._stale = True
        if self.frozen or not self.shown:
            return
        self.catch_up()
        self.grid.touch(delta.changed)
        if self.kind is not None and 0 < len(delta.added) < len(self.rows):
            self.grid.flash(delta.added)

    def jumped(self) -> None:
        """The store stands for another moment: nothing is as it was."""
        self._stale = self._elsewhere = True
        if self.shown and not self.frozen and self.is_attached:
            self.rebuild()
            self.grid.touch_all()

    def catch_up(self, *, now: bool = False) -> None:
        """Bring the order up to date when it is due."""
        if not self._stale or self.frozen or not self.is_attached:
            return
        wait = self._due - time.monotonic()
        if now or wait <= 0 or not self.grid.keys:
            self.rebuild()
        elif self._later is None:
            self._later = self.set_timer(wait, self._catch_up_later)

    def _catch_up_later(self) -> None:
        self._later = None
        self.catch_up(now=True)

    @property
    def settled(self) -> bool:
        """The rows shown are those of the store."""
        return not self._stale or self.frozen or not self.shown

    def _moves(self, changed: Iterable[str]) -> bool:
        """Whether a changed row would come, go or stand elsewhere."""
        if self._stale:
            return True
        column, stood = self._sort_column(), self._sorting.values
        for key in changed:
            row = self.rows.get(key)
            if row is None or self._wanted(row) is not (key in self._shown):
                return True
            if column is None or column.value(row) == stood.get(key):
                continue
            if key in self._shown:
                return True
            self._sorting.forget()
        return False

    def rebuild(self) -> None:
        """Filter and order all rows."""
        self._sorting.forget()
        self.fill()

    def narrow(self) -> None:
        """Filter or order otherwise what has not changed."""
        if self._stale:
            self.rebuild()
        else:
            self.fill()

    def fill(self) -> None:
        """Put the rows on the screen that are to be shown, in their order."""
        started = time.monotonic()
        if self._elsewhere:
            self.rows, self._elsewhere = self.subject.rows(self.store), False
        keys = self.ordered()
        self._place(keys)
        self._stale = False
        spent = time.monotonic() - started
        self._due = time.monotonic() + spent * CALM
        self.retitle()

    def _place(self, keys: list[str]) -> None:
        """Hand the order to the grid; the cursor stays with its row, also across an absence."""
        before = self.grid.cursor_key
        shown = set(keys)
        self.grid.set_keys(keys)
        if self._away in shown and self._away is not None:
            self.grid.bring_back(self._away)
            self._away = None
        elif before is not None and before not in shown and self._away is None:
            self._away = before
        self._settled_on = self.grid.cursor_key

    def ordered(self) -> list[str]:
        """Keys of the rows to show, in their order."""
        rows, named = self.rows, self.subject.kind is not None
        keys = self._sorting.keys(rows, self._sort_column(), reverse=self.descending, named=named)
        shown = [key for key in keys if self._wanted(rows[key])]
        self._shown = set(shown)
        return shown

    def _wanted(self, row: Any) -> bool:
        if self.only_marked and not row.marked:
            return False
        if self.only_problems and not self._problems.matches(row):
            return False
        return self.filter.matches(row)

    def _sort_column(self) -> Column[Any] | None:
        return find(self.subject.columns, self.sort) if self.sort else None

    # -- filter, order, columns ------------------------------------------------------------

    @property
    def narrowed(self) -> bool:
        """Something hides rows."""
        return bool(self.filter) or self.only_marked or self.only_problems

    def set_filter(self, text: str, host_tags: Any = None) -> bool:
        """Filter as typed; a text that cannot be understood leaves the last good one."""
        try:
            self.filter = parse(text, self.subject.filter_kind, host_tags)
        except UsageError as error:
            why = error.cause or error.hint
            self.problem = f"{error.title}{': ' + why if why else ''}"
            self.retitle()
            return False
        self.problem = ""
        plain = text.strip()
        self.grid.set_needle(plain if plain.isalnum() else "")
        self.narrow()
        return True

    def show_all(self) -> None:
        """No filter, marked and unmarked, well and ill."""
        self.only_marked = False
        self.show_problems(False)
        self.set_filter("")

    def set_sort(self, column: str) -> None:
        """Order by a column; the same again turns round."""
        self.descending = not self.descending if column == self.sort else self._starts_high(column)
        self.sort = column
        self.grid.set_sort(column, descending=self.descending)
        self.narrow()

    def _starts_high(self, column: str) -> bool:
        """Numbers are looked at from the top."""
        return find(self.subject.columns, column).right

    def set_columns(self, ids: list[str]) -> None:
        self.columns = ids
        self.grid.set_columns(self._chosen_columns())

    def _chosen_columns(self) -> list[Column[Any]]:
        chosen = select(self.subject.columns, ",".join(self.columns), self.subject.default)
        why = next((column for column in self.subject.columns if column.id == "problem"), None)
        if self.only_problems and why is not None and why not in chosen:
            chosen.insert(1, replace(why, width=36, minimum=28, priority=0, grow=True))
        return chosen

    def show_problems(self, on: bool) -> None:
        """Only rows that need attention, each with what is wrong beside its name; or all."""
        self.only_problems = on
        self.grid.set_columns(self._chosen_columns())
        self.narrow()

    # -- marks -----------------------------------------------------------------------------

    @property
    def cursor(self) -> str | None:
        """Key of the row under the cursor."""
        return self.grid.cursor_key

    def marked(self) -> list[str]:
        """Marked rows: the hidden ones first, then as shown."""
        place = {key: self.grid.index_of(key) for key in self.store.marks if key in self.rows}
        shown = sorted((key for key, at in place.items() if at >= 0), key=place.__getitem__)
        return sorted(key for key, at in place.items() if at < 0) + shown

    def hidden_marks(self) -> int:
        marks = self.store.marks
        return sum(key in self.rows and self.grid.index_of(key) < 0 for key in marks)

    def mark(self, keys: Iterable[str], on: bool) -> None:
        """Mark or unmark rows and show it."""
        wanted = [key for key in keys if self.markable(key)]
        touched = self.store.mark(wanted, on)
        if self.only_marked:
            self.narrow()
        self.grid.touch(touched)
        self.retitle()
        self.post_message(self.Changed(self))

    def markable(self, key: str) -> bool:
        return self.kind is not None and key in self.rows

    def toggle_range(self) -> None:
        """Begin marking while moving, or end it."""
        self._range_from = None if self._range_from else self.cursor
        if self._range_from:
            self.mark([self._range_from], True)
        self.retitle()

    @property
    def ranging(self) -> bool:
        return self._range_from is not None

    def on_grid_cursor_moved(self, event: gridevents.CursorMoved) -> None:
        if event.key != self._settled_on:
            self._away = None
        if self._range_from is None or event.key is None:
            return
        keys = list(self.grid.keys)
        if event.key not in keys:
            return  # folded or filtered away since
        if self._range_from not in keys:
            self._range_from = None
            return
        first, last = sorted((keys.index(self._range_from), keys.index(event.key)))
        self.mark(keys[first : last + 1], True)

    def on_grid_mark_clicked(self, event: gridevents.MarkClicked) -> None:
        event.stop()
        self.mark([event.key], event.key not in self.store.marks)

    def on_grid_header_clicked(self, event: gridevents.HeaderClicked) -> None:
        event.stop()
        self.set_sort(event.column)

    # -- title -----------------------------------------------------------------------------

    def counts(self) -> str:
        """``14 of 312`` when something is hidden, else ``312``."""
        shown, total = len(self.grid.keys), len(self.rows)
        return f"{shown} of {total}" if self.narrowed or shown != total else str(total)

    def retitle(self) -> None:
        """Frame texts: what it is and how much of it; what hides, orders and marks."""
        dash = self._glyphs.plain("—")
        title = f"{self.subject.title} {dash} {self.counts()}"
        dot = f" {self._glyphs.plain('·')} "
        notes = dot.join(self._notes())
        if self.has_class("-zoomed") and notes:  # alone on the screen it has no lower frame
            title, notes = f"{title}{dot}{notes}", ""
        if (title, notes) != self._titles:  # setting them paints the whole pane again
            self._titles = (title, notes)
            self.border_title, self.border_subtitle = Content(title), Content(notes)
        self.set_class(self.narrowed, "-narrowed")
        self.set_class(bool(self.problem), "-problem")

    def _notes(self) -> list[str]:
        notes = []
        if self.frozen:
            notes.append("frozen")
        if self.problem:
            notes.append(self.problem)
        elif self.filter:
            notes.append(f"filter {self.filter.text.strip()}")
        if self.only_problems:
            notes.append("problems only")
        if self.only_marked:
            notes.append("marked only")
        if self.ranging:
            notes.append("marking a range")
        if self.kind is not None and (marked := len(self.marked())):
            hidden = self.hidden_marks()
            notes.append(f"{marked} marked" + (f" ({hidden} hidden by filter)" if hidden else ""))
        return notes

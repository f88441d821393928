"""Top: who uses most of the fleet now, and who did a moment ago."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import BindingType

from tui.hyperv.meters import Look
from tui.rows.ranking import RANKINGS, Ranking
from tui.rows.top import WINDOWS, Span, window_words
from tui.store import Changes, Store
from tui.ui.rowline import clean
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject
from tui.ui.turning import TurningPane, turns

TITLES: Final = tuple((ranking.id, ranking.title) for ranking in RANKINGS.values())


def _subject(ranking: Ranking, span: Span) -> Subject:
    """One of the tables, over a span of time."""
    columns = tuple(ranking.columns(span, True))
    return Subject(
        "top", f"Top {ranking.noun}", ranking.noun, ranking.kind, columns,
        ranking.usual(columns), ranking.rows, ranking.delta, ranking.about,
        ranking.sort, True, empty=f"No {ranking.noun} yet",
    )  # fmt: skip


class TopPane(TurningPane):
    """Machines, hosts or their parts by what they use."""

    BINDINGS: ClassVar[list[BindingType]] = turns("top")

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        self._span = Span(store)
        self._refused: list[str] = []
        super().__init__("vms", TITLES, store, glyphs)

    def subject_of(self, view: str, store: Store) -> Subject:
        return _subject(RANKINGS[view], self._span)

    def next_window(self) -> None:
        """The next longer span of time, then the shortest again."""
        at = WINDOWS.index(self._span.seconds)
        self._span.resize(WINDOWS[(at + 1) % len(WINDOWS)])
        self.subject = _subject(RANKINGS[self.view], self._span)
        self.grid.set_columns(self._chosen_columns())
        self.rebuild()

    def looks(self) -> frozenset[Look]:
        """What must be measured for what is shown."""
        return frozenset(RANKINGS[self.view].looks(self.columns))

    # -- following the store ---------------------------------------------------------------

    def changed(self, changes: Changes) -> None:
        moved = self.shown and not self.frozen and self._span.renew()
        super().changed(changes)
        if self.shown and not self.frozen and self._refused != (refused := self._refusals()):
            self._refused, moved = refused, True
            self.retitle()
        if moved:
            self.grid.touch_all()

    def jumped(self) -> None:
        self._span.resize(self._span.seconds)
        super().jumped()

    def ordered(self) -> list[str]:
        self._span.renew()
        return super().ordered()

    def _refusals(self) -> list[str]:
        """Hosts that do not answer for what is shown, and why."""
        return [
            f"n/a on {host}: {clean(why)}"
            for look in sorted(self.looks())
            for host, why in sorted(self.store.measured.refused(look).items())
        ]

    def _notes(self) -> list[str]:
        refused = self._refusals()
        if len(refused) > 1:
            refused = [refused[0], f"and {len(refused) - 1} more"]
        return [f"last {window_words(self._span.seconds)}", *super()._notes(), *refused]

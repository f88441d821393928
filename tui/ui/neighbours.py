"""Neighbours: from a hot disk to its machine, its volume, and who else is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult

from tui.actions import Kind
from tui.hyperv.meters import Look
from tui.rows import chain as words
from tui.rows import text
from tui.rows.column import Column
from tui.rows.neighbours import Chain, chain
from tui.rows.top import WINDOWS, Span, window_words
from tui.store import Changes, Delta, Store
from tui.ui.patch import Patch
from tui.ui.rowline import clean
from tui.ui.style import Glyphs, tones
from tui.ui.subjects import Subject
from tui.ui.views import ViewsPane

LABEL: Final = 11
MOST: Final = 8
"""Lines the chain takes."""
_NONE: Final = "Choose a disk or volume in top, a machine or a host, and ask for its neighbours"


def _any(changes: Changes) -> Delta:
    """Whatever is measured may change shares; keys of its own it has not."""
    moved = any(changes.measured) or bool(changes.vms or changes.hosts)
    return Delta(added={"."}) if moved else Delta()


class Links(Patch):
    """The chain, a line for each link."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(classes="cluster-heads")
        self._glyphs = glyphs

    def tell(self, found: Chain | None) -> None:
        """Say what is shared, and who has most of it."""
        ink = tones(self.app)
        steps = list(words.steps(found)) if found is not None else [("", _NONE, "dim")]
        room = (self.content_size.width or 78) - LABEL
        lines = []
        for label, said, tone in steps[:MOST]:
            line = Text(no_wrap=True)
            line.append(label.ljust(LABEL), style=ink.style("dim"))
            shown = text.cut(clean(self._glyphs.plain(said)), room)
            line.append(shown, style=ink.style(tone) + Style(bold=label == "Verdict"))
            lines.append(line)
        self.put(Text("\n", no_wrap=True).join(lines))


class NeighboursPane(ViewsPane):
    """Who shares the volume, or the processors, of what was asked about."""

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        self._span = Span(store)
        self.key = ""
        """Of what was asked about."""
        self.processors = False
        """It is about those of its host, not about its volume."""
        self.chain: Chain | None = None
        self._links = Links(glyphs)
        super().__init__(self._subject(), store, glyphs)

    def compose(self) -> ComposeResult:
        yield self._links
        yield self.grid

    def _subject(self) -> Subject:
        found = self.chain
        host = self.processors or (found is not None and found.processors)
        make = words.host_columns if host else words.volume_columns
        columns = make(self._span)
        return Subject(
            "neighbours", f"Neighbours{_where(found)}", "neighbours", "neighbour",
            columns, _usual(columns, found), self._rows, _any, Kind.VM,
            "cpu_share" if host else "iops_share", True, empty="Nobody to be seen yet",
        )  # fmt: skip

    def _rows(self, store: Store) -> Mapping[str, Any]:
        found = chain(store, self.key, processors=self.processors)
        if found is not None or self.chain is None:
            self.chain = found
        else:  # its disk has gone: the others have not, but nothing is known of their shares
            self.chain.neighbours, self.chain.unread = (), ("it is gone from its host",)
        if self.is_attached:
            self._links.tell(self.chain)
        return {} if self.chain is None else {one.key: one for one in self.chain.neighbours}

    # -- turning ---------------------------------------------------------------------------

    def ask(self, key: str) -> None:
        """Turn to another thing; the same again from its volume to its host and back."""
        same = key == self.key
        self.processors = same and not self.processors
        self.key = key
        self.chain = chain(self.store, key, processors=self.processors)
        self.take(self._subject())
        here = (
            next((one for one in self.chain.neighbours if one.here), None) if self.chain else None
        )
        if here is not None:
            self.grid.move_to(here.key)

    def next_window(self) -> None:
        """The next longer span of time, then the shortest again."""
        at = WINDOWS.index(self._span.seconds)
        self._span.resize(WINDOWS[(at + 1) % len(WINDOWS)])
        self.subject = self._subject()
        self.grid.set_columns(self._chosen_columns())
        self.rebuild()

    def looks(self) -> dict[str, frozenset[Look]]:
        """What must be measured on which hosts."""
        if self.chain is None:
            return {}
        wanted = {Look.PROCESSORS} if self.chain.processors else {Look.DISKS, Look.VOLUMES}
        return dict.fromkeys(self.chain.hosts, frozenset(wanted))

    # -- following the store ---------------------------------------------------------------

    def ordered(self) -> list[str]:
        self._span.renew()
        return super().ordered()

    def fill(self) -> None:
        super().fill()
        title = f"Neighbours{_where(self.chain)}"
        if title != self.subject.title:
            self.subject = self._subject()
            self.retitle()

    def _notes(self) -> list[str]:
        return [f"last {window_words(self._span.seconds)}", *super()._notes()]

    def on_resize(self) -> None:
        self._links.tell(self.chain)


def _usual(columns: Sequence[Column[Any]], found: Chain | None) -> tuple[str, ...]:
    """The host only where there are several."""
    alone = found is None or len(found.hosts) < 2
    return tuple(column.id for column in columns if not (alone and column.id == "host"))


def _where(found: Chain | None) -> str:
    if found is None:
        return ""
    if found.processors:
        return f" on {found.hosts[0]}"
    return f" on {clean(found.volume)}" if found.volume else f" of {found.hosts[0]}"

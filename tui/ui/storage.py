"""Storage and memory: what is full soon, what grows, who wants more than there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from textual.binding import BindingType

from tui.hyperv.meters import Look
from tui.rows import text
from tui.rows.storage_columns import TABLES, Table
from tui.store import Changes, Delta, Stale, Store
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject
from tui.ui.turning import TurningPane, turns


def _told(changes: Changes) -> Delta:
    """Whatever a host tells may change what is reckoned."""
    return Delta(added={"."}) if changes.hosts or changes.vms else Delta()


_EMPTY: Final = {
    "volumes": "No volumes to show",
    "files": "No files yet: they are read while this page is open",
    "hosts": "No hosts yet",
    "machines": "No virtual machines yet",
}
TITLES: Final = (
    ("volumes", "Volumes"), ("files", "Files"), ("hosts", "Memory of hosts"),
    ("machines", "Machines"),
)  # fmt: skip


def _subject(table: Table) -> Subject:
    def rows(store: Store) -> Mapping[str, Any]:
        return {line.key: line for line in table.lines(store)}

    return Subject(
        "storage", table.title, table.noun, table.vocabulary, table.columns, table.default,
        rows, _told, None, table.sort, bool(table.sort), _EMPTY[table.id],
    )  # fmt: skip


class StoragePane(TurningPane):
    """One pane, a table at a time."""

    BINDINGS: ClassVar[list[BindingType]] = turns("storage")
    aging = True

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__("volumes", TITLES, store, glyphs)

    def subject_of(self, view: str, store: Store) -> Subject:
        return _subject(TABLES[view])

    def looks(self) -> frozenset[Look]:
        """What its table needs to have measured."""
        return frozenset(TABLES[self.view].looks)

    def _notes(self) -> list[str]:
        """When there will be more to say."""
        every = self.rows.values() if self.view == "volumes" else ()
        lines = [line for line in every if line.stale < Stale.LOST]
        waits = [line.growth.waits for line in lines if line.growth.trend is None]
        told = [f"time to full in {text.age(max(waits) + 59)}"] if waits else []
        return [*told, *super()._notes()]

    def look_into(self, key: str) -> bool:
        """From a volume to the files on it; False where a line stands for something else."""
        if self.view != "volumes" or (line := self.rows.get(key)) is None:
            return False
        self.open("files")
        where = "cluster" if line.shared else "host"
        self.set_filter(f'"{line.name}" {where}:"{line.place}"')
        return True

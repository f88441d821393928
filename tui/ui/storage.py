"""Storage and memory: what is full soon, what grows, who wants more than there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from textual.binding import BindingType

from tui.rows import text
from tui.rows.storage import file_lines, guest_lines, memory_lines, space_lines
from tui.rows.storage_columns import (
    FILE_COLUMNS,
    FILE_DEFAULT,
    GUEST_COLUMNS,
    GUEST_DEFAULT,
    MEMORY_COLUMNS,
    MEMORY_DEFAULT,
    SPACE_COLUMNS,
    SPACE_DEFAULT,
)
from tui.store import Changes, Delta, Store
from tui.ui.style import Glyphs
from tui.ui.subjects import Subject
from tui.ui.turning import TurningPane, turns


def _told(changes: Changes) -> Delta:
    """Whatever a host tells may change what is reckoned."""
    return Delta(added={"."}) if changes.hosts or changes.vms else Delta()


def _by_key(lines: Callable[[Store], Iterable[Any]]) -> Callable[[Store], Mapping[str, Any]]:
    return lambda store: {line.key: line for line in lines(store)}


VIEWS: Final = {
    "volumes": Subject(
        "storage", "Volumes", "volumes", "space", SPACE_COLUMNS, SPACE_DEFAULT,
        _by_key(space_lines), _told, empty="No volumes to show",
    ),
    "files": Subject(
        "storage", "Files of disks", "files", "file", FILE_COLUMNS, FILE_DEFAULT,
        _by_key(file_lines), _told, None, "growth", True,
        empty="No files yet: they are read while this page is open",
    ),
    "hosts": Subject(
        "storage", "Memory of hosts", "hosts", "memory", MEMORY_COLUMNS, MEMORY_DEFAULT,
        _by_key(memory_lines), _told, None, "pressure", True, empty="No hosts yet",
    ),
    "machines": Subject(
        "storage", "Memory and disks of machines", "virtual machines", "guest",
        GUEST_COLUMNS, GUEST_DEFAULT, _by_key(guest_lines), _told, None, "pressure", True,
        empty="No virtual machines yet",
    ),
}  # fmt: skip
TITLES: Final = (
    ("volumes", "Volumes"), ("files", "Files"), ("hosts", "Memory of hosts"),
    ("machines", "Machines"),
)  # fmt: skip


class StoragePane(TurningPane):
    """One pane, a table at a time."""

    BINDINGS: ClassVar[list[BindingType]] = turns("storage")

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__("volumes", TITLES, store, glyphs)

    def subject_of(self, view: str, store: Store) -> Subject:
        return VIEWS[view]

    def _notes(self) -> list[str]:
        """When there will be more to say."""
        lines = self.rows.values() if self.view == "volumes" else ()
        waits = [line.growth.waits for line in lines if line.growth.trend is None]
        told = [f"time to full in {text.age(max(waits) + 59)}"] if waits else []
        return [*told, *super()._notes()]

    def look_into(self, key: str) -> bool:
        """From a volume to the files on it; False where a line stands for something else."""
        if self.view != "volumes" or (line := self.rows.get(key)) is None:
            return False
        self.open("files")
        self.set_filter(f'"{line.name}"')
        return True

"""TABLE: columns of volumes, files, and the memory of hosts and machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.hyperv.meters import Look
from tui.rows import levels, text
from tui.rows.amounts import at_least
from tui.rows.column import Cell, Column, find, plain
from tui.rows.columns import VM_COLUMNS
from tui.rows.meters import pressure, volume_label
from tui.rows.parts import IMAGE_KINDS
from tui.rows.storage import (
    FileLine,
    GuestLine,
    MemoryLine,
    SpaceLine,
    file_lines,
    guest_lines,
    memory_lines,
    most_memory,
    space_lines,
)
from tui.store import Growth, Store

YEAR: Final = 365 * 86_400.0
_HOUR: Final = 3600.0


# -- growth --------------------------------------------------------------------------------


def per_hour(rate: float | None) -> str:
    """Bytes per second by the hour, ``+1.2 GB/h``; a dash while too little is known."""
    if rate is None:
        return text.unknown()
    if abs(rate) * _HOUR < 1:
        return "0"
    sign = "+" if rate > 0 else "-"
    return f"{sign}{text.size(abs(rate) * _HOUR)}/h"


def full_words(growth: Growth, free: int) -> str:
    """When it will be full at this rate, with both bounds where they lie far apart; or why that
    cannot be said."""
    trend = growth.trend
    if trend is None:
        return "not enough data"
    if trend.rate <= 0:
        return "shrinking" if trend.high < 0 else "not growing"
    soonest, latest = trend.bounds(free)
    if soonest > YEAR:
        return "over a year"
    if latest is None or latest > YEAR:
        return f"{_long(soonest)} or more"
    first, last = _long(soonest), _long(latest)
    return first if first == last else f"{first} to {last}"


def _long(seconds: float) -> str:
    """``39h``, ``12d``: by the hour as long as hours count."""
    return f"{int(seconds // _HOUR)}h" if _HOUR <= seconds < 72 * _HOUR else text.age(seconds)


def _full(row: SpaceLine) -> Cell:
    known = row.growth.trend is not None
    tone = levels.tone("time_to_full", row.full_in) if known else "dim"
    return Cell(full_words(row.growth, row.free), tone)


def _rate(row: SpaceLine | FileLine) -> float | None:
    trend = row.growth.trend
    return None if trend is None else trend.rate


def _growth_column(priority: int) -> Column[Any]:
    return Column("growth", "Growth", _rate, plain(lambda row: per_hour(_rate(row))),
                  11, right=True, priority=priority)  # fmt: skip


# -- volumes -------------------------------------------------------------------------------


def _volume_name(row: SpaceLine) -> str:
    """A shared volume is known by the last part of its path, others by drive and label."""
    short = volume_label(row.name)
    return f"{short} {row.label}" if row.label and row.label not in short else short


def _used(row: SpaceLine) -> Cell:
    share = 100.0 - row.free_share
    tone = levels.tone("volume_free", row.free_share)
    return Cell(text.percent(share), tone, share / 100.0)


def _reckoned(row: SpaceLine | GuestLine, words: str, tone: str = "") -> Cell:
    """A sum over files: a dash before any was read, and at least so much before all were."""
    if row.wanted and not row.known:
        return Cell(text.unknown(), "dim")
    return Cell(at_least(words) if words and row.known < row.wanted else words, tone)


def _overcommit(row: SpaceLine) -> Cell:
    tone = "warning" if (row.overcommit or 0) > 100 else ""
    return _reckoned(row, text.percent(row.overcommit), tone)


def _files(row: SpaceLine) -> str:
    return f"{row.known}/{row.wanted}" if row.wanted else text.unknown()


def _critical(row: SpaceLine) -> Cell:
    number = len(row.critical)
    return Cell(f"{number} paused-critical" if number else "", "error")


SPACE_COLUMNS: tuple[Column[SpaceLine], ...] = (
    Column("name", "Volume", _volume_name, plain(_volume_name), 28, 16, priority=0, grow=True),
    Column("place", "On", lambda r: r.place, plain(lambda r: r.place), 12, 9, priority=2),
    Column("size", "Size", lambda r: r.capacity, plain(lambda r: text.size(r.capacity)),
           7, right=True, priority=4),
    Column("used", "Used", lambda r: 100.0 - r.free_share, _used, 12, 9, right=True, priority=1),
    Column("free", "Free", lambda r: r.free, plain(lambda r: text.size(r.free)),
           7, right=True, priority=0),
    Column("full", "Full in", lambda r: r.full_in, _full, 16, 15, priority=0),
    _growth_column(2),
    Column("overcommit", "If grown", lambda r: r.overcommit, _overcommit,
           8, right=True, priority=1),
    Column("possible", "Possible", lambda r: r.possible,
           lambda r: _reckoned(r, text.size(r.possible)), 8, right=True, priority=6),
    Column("deltas", "Checkpts", lambda r: r.deltas,
           lambda r: _reckoned(r, text.size(r.deltas or None)), 8, right=True, priority=4),
    Column("reserve", "For saves", lambda r: r.reserve,
           plain(lambda r: text.size(r.reserve or None)), 9, right=True, priority=5),
    Column("files", "Read", lambda r: r.known, plain(_files, "dim"), 7, right=True, priority=7),
    Column("critical", "Machines", lambda r: len(r.critical), _critical, 18, 11, priority=5),
    Column("hosts", "Hosts", lambda r: ", ".join(r.hosts), plain(lambda r: ", ".join(r.hosts)),
           18, 8, priority=10),
)  # fmt: skip
SPACE_DEFAULT: Final = (
    "name", "place", "size", "used", "free", "full", "growth", "overcommit", "deltas", "reserve",
    "critical", "files",
)  # fmt: skip


# -- files ---------------------------------------------------------------------------------


def file_name(row: FileLine) -> str:
    """The last part of a path."""
    return row.file.path.rpartition("\\")[2]


def kind_of(row: FileLine) -> Cell:
    """What sort of file it is, or why nothing is known of it."""
    if row.file.trouble:
        return Cell(row.file.trouble, "error")
    if not row.file.read_at:
        return Cell("not read yet", "dim")
    word = "Checkpoint" if row.delta else IMAGE_KINDS.get(row.file.kind, "")
    return Cell(word if row.file.written or row.delta else f"{word}, parent")


def _owner(row: FileLine) -> str:
    return row.vms[0] if row.vms else text.unknown()


def _share(row: FileLine) -> float | None:
    """Percent of its limit a file has grown to."""
    return 100.0 * row.file.used / row.file.size if row.file.size and row.read else None


def _file_used(row: FileLine) -> int | None:
    return row.file.used if row.read else None


FILE_COLUMNS: tuple[Column[FileLine], ...] = (
    Column("file", "File", file_name, plain(file_name), 26, 14, priority=0, grow=True),
    Column("vm", "Machine", _owner, plain(_owner), 16, 8, priority=1),
    Column("volume", "Volume", lambda r: r.volume_name,
           plain(lambda r: volume_label(r.volume_name)), 12, 8, priority=4),
    Column("host", "Host", lambda r: r.file.host, plain(lambda r: r.file.host), 12, 8, priority=5),
    Column("kind", "Kind", lambda r: kind_of(r).text, kind_of, 14, 8, priority=3),
    Column("used", "Used", _file_used, plain(lambda r: text.size(_file_used(r))),
           8, right=True, priority=0),
    Column("limit", "Limit", lambda r: r.file.size or None,
           plain(lambda r: text.size(r.file.size or None)), 8, right=True, priority=1),
    Column("share", "Grown to", _share, plain(lambda r: text.percent(_share(r))),
           8, right=True, priority=4),
    _growth_column(0),
    Column("path", "Path", lambda r: r.file.path, plain(lambda r: r.file.path, "dim"),
           40, 20, priority=9, grow=True),
)  # fmt: skip
FILE_DEFAULT: Final = (
    "file", "vm", "volume", "host", "kind", "used", "limit", "share", "growth",
)  # fmt: skip


# -- memory of hosts -----------------------------------------------------------------------


def _memory_used(row: MemoryLine) -> float | None:
    physical, free = row.physical, row.available
    return None if physical is None or free is None else 100.0 * (physical - free) / physical


def _memory_bar(row: MemoryLine) -> Cell:
    share = _memory_used(row)
    if share is None:
        return Cell(text.unknown(), "dim")
    return Cell(text.percent(share), levels.tone("host_memory", share), share / 100.0)


def _pressed(value: float | None, level: str) -> Cell:
    return Cell(text.percent(value), levels.tone(level, value))


def _committed(row: MemoryLine) -> Cell:
    return Cell(text.percent(row.overcommit), levels.tone("memory_promised", row.overcommit))


MEMORY_COLUMNS: tuple[Column[MemoryLine], ...] = (
    Column("host", "Host", lambda r: r.row.host.id, plain(lambda r: r.row.host.id),
           16, 10, priority=0, grow=True),
    Column("physical", "Physical", lambda r: r.physical, plain(lambda r: text.size(r.physical)),
           8, right=True, priority=2),
    Column("used", "In use", _memory_used, _memory_bar, 12, 5, right=True, priority=0),
    Column("available", "Available", lambda r: r.available,
           plain(lambda r: text.size(r.available)), 9, right=True, priority=0),
    Column("system", "Host own", lambda r: r.system, plain(lambda r: text.size(r.system)),
           8, right=True, priority=5),
    Column("assigned", "Assigned", lambda r: r.memory.assigned,
           plain(lambda r: text.size(r.memory.assigned)), 8, right=True, priority=1),
    Column("demand", "Demand", lambda r: r.memory.demand or None,
           plain(lambda r: text.size(r.memory.demand or None)), 8, right=True, priority=1),
    Column("pressure", "Pressure", lambda r: r.pressure,
           lambda r: _pressed(r.pressure, "memory_pressure"), 9, right=True, priority=0),
    Column("most", "At most", lambda r: r.memory.most, plain(lambda r: text.size(r.memory.most)),
           8, right=True, priority=2),
    Column("overcommit", "Overcommit", lambda r: r.overcommit, _committed,
           10, right=True, priority=1),
    Column("running", "Running", lambda r: r.memory.running,
           plain(lambda r: str(r.memory.running)), 7, right=True, priority=4),
)  # fmt: skip
MEMORY_DEFAULT: Final = tuple(column.id for column in MEMORY_COLUMNS)


# -- machines ------------------------------------------------------------------------------


def _of_vm(name: str, priority: int) -> Column[GuestLine]:
    """A column of machines, of the row a line is about."""
    known = find(VM_COLUMNS, name)
    return Column(
        known.id, known.title, lambda r: known.value(r.row), lambda r: known.cell(r.row),
        known.width, known.minimum, known.right, priority, name == "name",
    )  # fmt: skip


def _bounds(row: GuestLine) -> str:
    vm = row.row.vm
    if not vm.dynamic_memory:
        return "fixed"
    return f"{text.size(vm.memory_minimum)} to {text.size(vm.memory_maximum)}"


GUEST_COLUMNS: tuple[Column[GuestLine], ...] = (
    _of_vm("name", 0),
    _of_vm("host", 3),
    _of_vm("state", 4),
    _of_vm("memory", 0),
    _of_vm("demand", 1),
    Column("pressure", "Pressure", lambda r: pressure(r.row),
           lambda r: _pressed(pressure(r.row), "memory_demand"),
           9, right=True, priority=0),
    Column("bounds", "May have", lambda r: most_memory(r.row), plain(_bounds),
           18, right=True, priority=2),
    Column("used", "Files", lambda r: r.used, lambda r: _reckoned(r, text.size(r.used)),
           8, right=True, priority=1),
    Column("limit", "Limit", lambda r: r.limit, lambda r: _reckoned(r, text.size(r.limit)),
           8, right=True, priority=4),
    Column("deltas", "Checkpts", lambda r: r.deltas,
           lambda r: _reckoned(r, text.size(r.deltas or None)), 8, right=True, priority=5),
    Column("growth", "Growth", lambda r: r.rate, plain(lambda r: per_hour(r.rate)),
           11, right=True, priority=1),
)  # fmt: skip
GUEST_DEFAULT: Final = tuple(column.id for column in GUEST_COLUMNS)


# -- tables --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Table:
    """One of the tables, for pane and command line."""

    id: str
    title: str
    noun: str
    """Plural, lower case, for sentences."""
    vocabulary: str
    """Of the filter grammar."""
    columns: tuple[Column[Any], ...]
    default: tuple[str, ...]
    lines: Callable[[Store], Iterable[Any]]
    sort: str = ""
    """Column of the first order, from the top; empty: as the lines come."""
    looks: tuple[Look, ...] = (Look.IMAGES,)
    """What it tells more of once that has been measured."""


TABLES: Final[Mapping[str, Table]] = {
    table.id: table
    for table in (
        Table("volumes", "Volumes", "volumes", "space", SPACE_COLUMNS, SPACE_DEFAULT, space_lines),
        Table("files", "Files of disks", "files", "file", FILE_COLUMNS, FILE_DEFAULT, file_lines,
              "growth"),
        Table("hosts", "Memory of hosts", "hosts", "memory", MEMORY_COLUMNS, MEMORY_DEFAULT,
              memory_lines, "pressure", (Look.MEMORY,)),
        Table("machines", "Memory and disks of machines", "virtual machines", "guest",
              GUEST_COLUMNS, GUEST_DEFAULT, guest_lines, "pressure", (Look.IMAGES, Look.MEMORY)),
    )
}  # fmt: skip

"""What storage and memory truly hold: volumes with all that may still grow on them, files, guests.

Reckoned from the store whenever it is shown; what was not read yet is counted as not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tui.hyperv.meters import ImageFile
from tui.hyperv.model import Host, Volume
from tui.hyperv.ops.images import DIFFERENCING, DYNAMIC, is_automatic
from tui.hyperv.plans.capacity import most
from tui.hyperv.states import HAS_WORKER
from tui.hyperv.volumes import volume_of
from tui.rows import levels, text
from tui.rows.audit import Line
from tui.rows.meters import pressure_of
from tui.store import Growth, HostRow, Stale, Store, VmRow
from tui.store.space import is_shared, space_key

GROWING: Final = (DYNAMIC, DIFFERENCING)
"""Types of images that grow."""
SAVES: Final = 3
"""AutomaticShutdownAction: the machine is saved, and the host keeps room for its memory."""


# -- files ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine(Line):
    """A file of a disk."""

    file: ImageFile
    volume: str
    """Key of the volume it lies on; empty when that is not known."""
    volume_name: str
    growth: Growth

    @property
    def words(self) -> str:
        return self.file.path

    @property
    def delta(self) -> bool:
        """A checkpoint made it."""
        return is_automatic(self.file.path)

    @property
    def read(self) -> bool:
        """How large it is and may become is known."""
        return bool(self.file.read_at and not self.file.trouble)

    @property
    def room(self) -> int:
        """Bytes it may still grow by."""
        return room(self.file)


def room(file: ImageFile) -> int:
    """Bytes a file may still grow by: only the one that is written to does."""
    if not file.written or file.kind not in GROWING:
        return 0
    return max(0, file.size - file.used)


def file_lines(store: Store) -> Iterator[FileLine]:
    """Every file that was found, once."""
    for key, file in store.space:
        entry = store.hosts.get(file.host)
        if entry is None:
            continue
        volume = volume_of(entry.info.volumes, file.path)
        vm = store.vms.get(file.vm)
        yield FileLine(
            key=key,
            tone="error" if file.trouble else "",
            hosts=(file.host,),
            clusters=(entry.info.cluster,),
            vms=(vm.name,) if vm else (),
            goes=vm.key if vm else "",
            stale=entry.stale,
            file=file,
            volume=space_key(entry.info, volume.name) if volume else "",
            volume_name=volume.name if volume else "",
            growth=store.space.growth(key),
        )


# -- volumes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceLine(Line):
    """A volume, and what is on it and may come to it."""

    name: str
    label: str
    place: str
    """The host, or the cluster that shares it."""
    shared: bool
    capacity: int
    free: int
    growth: Growth
    wanted: int = 0
    """Files of machines that are to be on it."""
    known: int = 0
    """How many of them have been read."""
    rest: int = 0
    """Bytes that dynamic disks may still grow by."""
    deltas: int = 0
    """Bytes in files that checkpoints made."""
    reserve: int = 0
    """Bytes kept for saving running machines: their memory."""
    critical: tuple[str, ...] = ()
    """Machines on it that are paused for want of storage."""

    @property
    def words(self) -> str:
        return f"{self.name} {self.label}"

    @property
    def used(self) -> int:
        return self.capacity - self.free

    @property
    def free_share(self) -> float:
        """Percent."""
        return 100.0 * self.free / self.capacity

    @property
    def possible(self) -> int | None:
        """Bytes in use when every dynamic disk has grown; None before any file was read."""
        return self.used + self.rest if self.known else None

    @property
    def overcommit(self) -> float | None:
        """That in percent of what there is."""
        return None if self.possible is None else 100.0 * self.possible / self.capacity

    @property
    def full_in(self) -> float | None:
        """Seconds until it is full if it goes on like this; None: not known, or never."""
        trend = self.growth.trend
        return trend.reaches(self.free) if trend is not None else None


def _ailing(line: SpaceLine) -> str:
    """The worst that is to be said of a volume."""
    tones = (
        levels.tone("volume_free", line.free_share),
        levels.tone("time_to_full", line.full_in),
        "warning" if (line.overcommit or 0) > 100 else "",
        "error" if line.critical else "",
    )
    return "error" if "error" in tones else max(tones)


@dataclass(slots=True)
class _Sum:
    """What is added up for one volume."""

    host: Host
    volume: Volume
    read_at: float
    stale: Stale
    """As far as the host that was heard last can be trusted."""
    hosts: list[str] = field(default_factory=list)
    wanted: int = 0
    known: int = 0
    rest: int = 0
    deltas: int = 0
    reserve: int = 0
    critical: list[str] = field(default_factory=list)


def space_lines(store: Store) -> list[SpaceLine]:
    """Every volume once, those that fill up first at the top."""
    sums = _sums(store)
    for line in file_lines(store):
        if (held := sums.get(line.volume)) is not None:
            held.wanted += 1
            held.known += line.read
            held.rest += line.room
            held.deltas += line.file.used if line.delta else 0
    _add_machines(store, sums)
    lines = [_space_line(store, key, held) for key, held in sums.items()]
    return sorted(lines, key=lambda line: (line.full_in is None, line.full_in or line.free_share))


def _sums(store: Store) -> dict[str, _Sum]:
    """Volumes by key; of a shared one the word of the host that was heard last counts."""
    sums: dict[str, _Sum] = {}
    for row in store.host_rows.values():
        for volume in row.host.volumes:
            if not volume.capacity:
                continue
            key, at = space_key(row.host, volume.name), row.vitals.read_at
            held = sums.get(key)
            if held is None:
                held = sums[key] = _Sum(row.host, volume, at, row.stale)
            elif (row.stale, -at) < (held.stale, -held.read_at):
                held.volume, held.read_at, held.stale = volume, at, row.stale
            held.hosts.append(row.host.id)
    return sums


def _add_machines(store: Store, sums: Mapping[str, _Sum]) -> None:
    """What machines reserve, and which of them want for storage."""
    for row in store.vms.values():
        home = _volume_key(row, row.vm.folder)
        if row.vm.automatic_stop == SAVES and row.vitals.state in HAS_WORKER and home in sums:
            sums[home].reserve += row.vitals.memory or 0
        if row.vitals.state in text.CRITICAL:
            for key in {_volume_key(row, disk.path) for disk in row.vm.disks} & sums.keys():
                sums[key].critical.append(row.name)


def _volume_key(row: VmRow, path: str) -> str:
    volume = volume_of(row.host.volumes, path) if path else None
    return space_key(row.host, volume.name) if volume else ""


def _space_line(store: Store, key: str, held: _Sum) -> SpaceLine:
    shared = is_shared(held.host, held.volume.name)
    line = SpaceLine(
        key=key,
        hosts=tuple(held.hosts),
        clusters=(held.host.cluster,) if held.host.cluster else (),
        goes=held.host.id,
        stale=held.stale,
        name=held.volume.name,
        label=held.volume.label,
        place=held.host.cluster if shared else held.host.id,
        shared=shared,
        capacity=held.volume.capacity,
        free=held.volume.free,
        growth=store.space.growth(key),
        wanted=held.wanted,
        known=held.known,
        rest=held.rest,
        deltas=held.deltas,
        reserve=held.reserve,
        critical=tuple(sorted(held.critical)),
    )
    return replace(line, tone=_ailing(line))


# -- memory --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Memory:
    """What the running machines of a host have, want and may ask for; bytes."""

    assigned: int = 0
    demand: int = 0
    """Of those that tell."""
    told: int = 0
    """Assigned to those that tell."""
    most: int = 0
    """If every machine asked for all it may have."""
    running: int = 0
    """Machines."""


def most_memory(row: VmRow) -> int:
    """Bytes a machine may come to have, bounded or not."""
    now = row.vitals.memory or row.vm.memory_startup
    return most(row.vm.dynamic_memory, now, row.vm.memory_maximum)


def memory_of(rows: Iterable[VmRow]) -> Memory:
    """The sum over machines of one host."""
    alive = [row for row in rows if row.vitals.state in HAS_WORKER]
    telling = [row.vitals for row in alive if row.vitals.demand is not None]
    return Memory(
        sum(row.vitals.memory or 0 for row in alive),
        sum(vitals.demand or 0 for vitals in telling),
        sum(vitals.memory or 0 for vitals in telling),
        sum(most_memory(row) for row in alive),
        len(alive),
    )


def host_pressure(row: HostRow, memory: Memory) -> float | None:
    """Percent that the guests of a host want of what they have: its balancer's average, else the
    ratio of those that tell.
    """
    return pressure_of(row.pressure, memory.demand, memory.told)


def memories(store: Store) -> Mapping[str, Memory]:
    """By host id."""
    by_host: dict[str, list[VmRow]] = {key: [] for key in store.host_rows}
    for row in store.vms.values():
        by_host.setdefault(row.host.id, []).append(row)
    return {host: memory_of(rows) for host, rows in by_host.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLine(Line):
    """The memory of a host."""

    row: HostRow
    memory: Memory

    @property
    def words(self) -> str:
        return self.row.host.id

    @property
    def physical(self) -> int | None:
        return self.row.host.memory or None

    @property
    def available(self) -> int | None:
        return self.row.vitals.memory_free

    @property
    def system(self) -> int | None:
        """Bytes the host uses itself: what is in use and no machine's."""
        used = self.row.memory_used
        return None if used is None else max(0, used - self.memory.assigned)

    @property
    def overcommit(self) -> float | None:
        """What machines may ask for, in percent of what the host has."""
        physical = self.row.host.memory
        return 100.0 * self.memory.most / physical if physical else None

    @property
    def pressure(self) -> float | None:
        """What guests that tell want, in percent of what they have."""
        return host_pressure(self.row, self.memory)


def memory_lines(store: Store) -> Iterator[MemoryLine]:
    """Every host."""
    found = memories(store)
    for key, row in store.host_rows.items():
        yield MemoryLine(
            key=key, hosts=(row.host.id,), clusters=(row.host.cluster,), goes=key,
            stale=row.stale, row=row, memory=found.get(key, Memory()),
        )  # fmt: skip


# -- machines ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLine(Line):
    """A machine: its memory, and what its files take and may take."""

    row: VmRow
    files: tuple[FileLine, ...]

    @property
    def words(self) -> str:
        return self.row.name

    @property
    def used(self) -> int | None:
        """Bytes of all its files; None before any was read."""
        known = [line.file.used for line in self.files if line.read]
        return sum(known) if known else None

    @property
    def known(self) -> int:
        """How many of its files have been read."""
        return sum(line.read for line in self.files)

    @property
    def wanted(self) -> int:
        """How many it has."""
        return len(self.files)

    @property
    def limit(self) -> int | None:
        """Bytes they come to when they have grown."""
        return None if self.used is None else self.used + sum(line.room for line in self.files)

    @property
    def deltas(self) -> int:
        return sum(line.file.used for line in self.files if line.delta)

    @property
    def rate(self) -> float | None:
        """Bytes per second its files grow by; None while too little is known."""
        trends = [line.growth.trend for line in self.files]
        known = [trend.rate for trend in trends if trend is not None]
        return sum(known) if known else None


def guest_lines(store: Store) -> Iterator[GuestLine]:
    """Every machine."""
    files: dict[str, list[FileLine]] = {}
    for line in file_lines(store):
        if line.goes:
            files.setdefault(line.goes, []).append(line)
    for key, row in store.vms.items():
        yield GuestLine(
            key=key, hosts=(row.host.id,), clusters=(row.host.cluster,), vms=(row.name,),
            goes=key, stale=row.stale, row=row, files=tuple(files.get(key, ())),
        )  # fmt: skip

"""Who shares a volume or the processors of a host, and who uses most of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

from tui.hyperv.meters import Look
from tui.hyperv.model import Host
from tui.hyperv.volumes import is_shared
from tui.rows import meters
from tui.rows.amounts import added
from tui.store import DiskRow, HostRow, HostVolumeRow, Stale, Store, VmRow, VolumeRow
from tui.store.meterrows import same_volume

MOST: Final = 40.0
"""Percent from which on one stands out among several."""
CLEARLY: Final = 10.0
"""Percent by which a share of bytes must be above that of operations to be told instead."""
BUSY: Final = (20.0, float(1 << 20))
"""Operations and bytes per second below which nobody is at fault."""
REST: Final = "everything else"


class Use(NamedTuple):
    """What is done with a volume: operations and bytes per second."""

    reads: float = 0.0
    writes: float = 0.0
    read: float = 0.0
    write: float = 0.0

    @property
    def iops(self) -> float:
        return self.reads + self.writes

    @property
    def rate(self) -> float:
        return self.read + self.write


_WORDS: Final = (("reads", "reads"), ("writes", "writes"), ("read", "bytes read"),
                 ("write", "bytes written"))  # fmt: skip


@dataclass(slots=True, eq=False)
class Neighbour:
    """A machine, or what belongs to none, and its part of what is shared."""

    key: str
    name: str
    host: Host
    goes: str
    """Key of the thing to look at."""
    machine: VmRow | None = None
    disks: tuple[DiskRow, ...] = ()
    """Its images on the volume."""
    use: Use = field(default_factory=Use)
    whole: Use = field(default_factory=Use)
    """Of everybody together."""
    cpu: float | None = None
    """Percent of the host's processors."""
    cpu_whole: float = 0.0
    note: str = ""
    """What makes it stand out."""
    here: bool = False
    """It is what the question was about."""
    stale: Stale = Stale.FRESH
    marked: ClassVar[bool] = False

    @property
    def plotted(self) -> str:
        """Key of what tells how it went: its only image on the volume, else the thing itself."""
        return self.disks[0].key if len(self.disks) == 1 else self.goes

    @property
    def pending(self) -> str:
        return self.machine.pending if self.machine is not None else ""

    @property
    def iops(self) -> float | None:
        """Operations per second; None while none of its images tells."""
        return added(*map(meters.iops, self.disks)) if self.disks else self.use.iops

    @property
    def rate(self) -> float | None:
        """Bytes per second, likewise."""
        return added(*map(meters.rate, self.disks)) if self.disks else self.use.rate

    @property
    def iops_share(self) -> float | None:
        """Percent of all operations."""
        own = self.iops
        return 100 * own / self.whole.iops if own is not None and self.whole.iops else None

    @property
    def rate_share(self) -> float | None:
        """Percent of all bytes."""
        own = self.rate
        return 100 * own / self.whole.rate if own is not None and self.whole.rate else None

    @property
    def cpu_share(self) -> float | None:
        """Percent of what is used of the host's processors."""
        if self.cpu is None or not self.cpu_whole:
            return None
        return 100 * self.cpu / self.cpu_whole

    @property
    def latency(self) -> float | None:
        """Of its slowest image."""
        known = [d.meter.latency for d in self.disks if d.meter.latency is not None]
        return max(known, default=None)


@dataclass(slots=True)
class Chain:
    """From the thing asked about to what it shares, and with whom."""

    disk: DiskRow | None = None
    vm: VmRow | None = None
    volume: str = ""
    """Its name; empty where it is not known, or where processors are what is shared."""
    shared: bool = False
    """By the nodes of a failover cluster."""
    volumes: tuple[HostVolumeRow, ...] = ()
    """The volume as each host uses it."""
    host: HostRow | None = None
    hosts: tuple[str, ...] = ()
    """Who has a part in it."""
    neighbours: tuple[Neighbour, ...] = ()
    culprit: Neighbour | None = None
    unread: tuple[str, ...] = ()
    """What is not known, and why."""
    processors: bool = False
    """It is about the processors of a host."""

    @property
    def latency(self) -> float | None:
        """Of the volume, where it is slowest."""
        known = [v.meter.latency for v in self.volumes if v.meter.latency is not None]
        return max(known, default=None)


# -- from the thing to what is shared ------------------------------------------------------


def chain(store: Store, key: str, *, processors: bool = False) -> Chain | None:
    """What a disk, machine, volume or host shares; None when there is no such thing (any more).
    ``processors``: those of its host, not its volume.
    """
    row = store.measured.row(key) or store.row(key)
    if isinstance(row, HostRow) and not row.group:
        return _host(store, row, None)
    if isinstance(row, DiskRow):
        found = Chain(row, row.machine, row.meter.volume, hosts=(row.host.id,))
    elif isinstance(row, VmRow):
        disk = hottest(store, row)
        volume = disk.meter.volume if disk is not None else ""
        found = Chain(disk, row, volume, hosts=(row.host.id,))
    elif isinstance(row, HostVolumeRow):
        found = Chain(volume=row.meter.name, shared=row.meter.shared, hosts=(row.host.id,))
    elif isinstance(row, VolumeRow):
        volume = row.thing.path or row.thing.name
        found = Chain(volume=volume, shared=True, hosts=(row.host.id,))
    else:
        return None
    if processors:
        host = store.host_rows.get(found.hosts[0])
        return None if host is None else _host(store, host, found.vm)
    return _volume(store, found)


def hottest(store: Store, vm: VmRow) -> DiskRow | None:
    """The image of a machine that works most."""
    disks = [d for d in _there(store, Look.DISKS, vm.host.id) if d.meter.vm == vm.vm.id]

    def heat(disk: DiskRow) -> tuple[bool, float, float]:
        use = _use([disk])
        return bool(disk.meter.volume), use.iops, use.rate

    return max(disks, key=heat, default=None)


def _there(store: Store, look: Look, host: str) -> list[Any]:
    """Rows of a host; without what has left while the others are measured (it may be elsewhere)."""
    rows = store.measured.rows_of(look, host)
    watched = store.measured.looked_at(host, look)
    return [row for row in rows if not (watched and row.left_at)]


def _volume(store: Store, found: Chain) -> Chain:
    home, name = found.hosts[0], same_volume(found.volume)
    found.shared = found.shared or is_shared(f"{name}\\")
    cluster = store.host_rows[home].host.cluster if home in store.host_rows else ""
    if found.shared and cluster:
        found.hosts = tuple(h for h, row in store.host_rows.items() if row.host.cluster == cluster)
    if not name:
        found.unread = tuple(_unread(store, found.hosts, Look.DISKS, "disks"))
        if not found.unread and found.vm is not None:
            missing = "its disk is" if found.disk is not None else "its disks are"
            found.unread = (f"which volume {missing} on",)
        return found
    found.volumes = tuple(
        row
        for host in found.hosts
        for row in _there(store, Look.VOLUMES, host)
        if same_volume(row.meter.name) == name
    )
    found.neighbours = tuple(_on_volume(store, found, name))
    unread = [*_unread(store, found.hosts, Look.VOLUMES, "volumes")]
    if not found.volumes and not unread:
        unread = ["what the volume does besides: no host tells of it"]
    found.unread = (*_unread(store, found.hosts, Look.DISKS, "disks"), *unread)
    found.culprit = _culprit(found.neighbours)
    return found


def _unread(store: Store, hosts: Iterable[str], look: Look, noun: str) -> Iterator[str]:
    """``disks of HV02: access denied``, and what is still on its way."""
    refused = store.measured.refused(look)
    waiting = []
    for host in hosts:
        row = store.host_rows.get(host)
        if host in refused:
            yield f"{noun} of {host}: {refused[host] or 'n/a on this host'}"
        elif row is not None and row.stale >= Stale.LOST:
            yield f"{noun} of {host}: it does not answer"
        elif not store.measured.looked_at(host, look):
            waiting.append(host)
    if waiting:
        yield f"{noun} of {', '.join(waiting)}: not read yet"


# -- volumes -------------------------------------------------------------------------------


def _use(rows: Iterable[DiskRow | HostVolumeRow]) -> Use:
    told = [row.meter for row in rows]
    return Use(
        sum(meter.reads or 0.0 for meter in told),
        sum(meter.writes or 0.0 for meter in told),
        sum(meter.read or 0.0 for meter in told),
        sum(meter.write or 0.0 for meter in told),
    )


def _on_volume(store: Store, found: Chain, name: str) -> Iterator[Neighbour]:
    """Machines by their images there, images of nobody, and the rest of what the volume does."""
    owners: dict[str, list[DiskRow]] = {}
    for host in found.hosts:
        for disk in _there(store, Look.DISKS, host):
            if same_volume(disk.meter.volume) == name:
                owners.setdefault(disk.goes if disk.machine else disk.key, []).append(disk)
    disks = _use(disk for some in owners.values() for disk in some)
    told = _use(found.volumes)
    whole = Use(*(max(one, other) for one, other in zip(disks, told, strict=True)))
    for key, some in owners.items():
        machine = some[0].machine
        here = key == found.vm.key if found.vm is not None else found.disk in some
        yield Neighbour(
            key, machine.name if machine else some[0].name, some[0].host, some[0].goes, machine,
            tuple(some), _use(some), whole, here=here, stale=max(disk.stale for disk in some),
        )  # fmt: skip
    rest = Use(*(one - other for one, other in zip(whole, disks, strict=True)))
    if found.volumes and any(rest):
        volume = found.volumes[0]
        yield Neighbour(f"rest:{volume.key}", REST, volume.host, volume.host.id,
                        use=rest, whole=whole, stale=volume.stale)  # fmt: skip


def _culprit(neighbours: Sequence[Neighbour]) -> Neighbour | None:
    """The one that stands out among several on a volume that works, told in its note."""
    if len(neighbours) < 2:
        return None
    owned = [one for one in neighbours if one.disks]
    worst = max(owned, key=lambda one: max(shares(one)), default=None)
    if worst is None or max(shares(worst)) < MOST:
        return None
    worst.note = _telling(worst)
    return worst


def shares(one: Neighbour) -> tuple[float, float]:
    """Percent of operations and of bytes that may be held against somebody."""
    return (
        (one.iops_share or 0.0) if one.use.iops >= BUSY[0] else 0.0,
        (one.rate_share or 0.0) if one.use.rate >= BUSY[1] else 0.0,
    )


def _telling(one: Neighbour) -> str:
    """``61% of the reads``: of what it does most, operations before bytes."""
    by_rate = shares(one)[1] > shares(one)[0] + CLEARLY
    words = _WORDS[2:] if by_rate else _WORDS[:2]
    kind, noun = max(words, key=lambda pair: float(getattr(one.use, pair[0])))
    part, all_of_it = getattr(one.use, kind), getattr(one.whole, kind)
    return f"{100 * part / all_of_it:.0f}% of the {noun}"


# -- processors ----------------------------------------------------------------------------


def _host(store: Store, host: HostRow, vm: VmRow | None) -> Chain:
    """Machines on a host by their part of its processors."""
    found = Chain(vm=vm, host=host, hosts=(host.host.id,), processors=True)
    entry, number = store.hosts.get(host.host.id), host.host.logical_processors
    if entry is None or not number:
        found.unread = (f"processors of {host.host.id}: not read yet",)
        return found
    rows = [row for row in store.fleet.rows_of(entry) if row.vitals.cpu is not None]
    parts = {row.key: (row.vitals.cpu or 0) * max(1, row.vm.processors) / number for row in rows}
    machines = sum(parts.values())
    whole = max(machines, host.vitals.cpu or 0.0)
    neighbours = [
        Neighbour(row.key, row.name, row.host, row.key, row, cpu=parts[row.key], cpu_whole=whole,
                  here=vm is row, stale=row.stale)
        for row in rows
    ]  # fmt: skip
    if whole > machines:
        neighbours.append(
            Neighbour(f"rest:{host.key}", "the host itself", host.host, host.key,
                      cpu=whole - machines, cpu_whole=whole, stale=host.stale)
        )  # fmt: skip
    if host.vitals.cpu is None:
        found.unread = (f"processors of {host.host.id} as a whole",)
    worst = max((one for one in neighbours if one.machine), key=_cpu_share, default=None)
    if worst is not None and len(rows) > 1 and whole >= 10 and _cpu_share(worst) >= MOST:
        worst.note = f"{_cpu_share(worst):.0f}% of what is used"
        found.culprit = worst
    found.neighbours = tuple(neighbours)
    return found


def _cpu_share(one: Neighbour) -> float:
    return one.cpu_share or 0.0


def free_of(found: Chain) -> tuple[int | None, int | None]:
    """Bytes free of a volume and bytes in all."""
    known = next((row.volume for row in found.volumes if row.volume is not None), None)
    if known is None:
        return None, None
    return known.free, getattr(known, "capacity", None) or getattr(known, "size", None)


def load_of(found: Chain) -> tuple[float | None, float | None, float | None]:
    """Operations and bytes per second and queue of a volume, on all hosts together; None for
    what none of them tells.
    """
    rows = found.volumes
    iops, rate = added(*map(meters.iops, rows)), added(*map(meters.rate, rows))
    return iops, rate, added(*(row.meter.queue for row in rows))

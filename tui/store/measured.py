"""Finer measurements as rows: what hosts tell while somebody looks at it.

A thing its host still measures, but does not name any more, goes after a moment; what nobody looks
at any more keeps its last values, stale, and goes after a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tui.collector.messages import Update
from tui.hyperv.meters import (
    AdapterMeter,
    DiskMeter,
    Look,
    MachineMeter,
    Meters,
    SwitchMeter,
    UplinkMeter,
    VolumeMeter,
)
from tui.hyperv.model import Cluster
from tui.store.changes import Changes, Delta
from tui.store.fleet import HostEntry
from tui.store.meterrows import MICRO, AdapterRow, DiskRow, HostVolumeRow, MeterRow, UplinkRow
from tui.store.rows import HostRow, Stale, VmRow

MISSING: Final = 10.0
"""Seconds a thing may be missing from what its host tells; then it is gone."""
KEEP: Final = 120.0
"""Seconds the last values are kept when nobody looks any more."""
MOST: Final = 4000
"""Histories kept: of what comes beyond them only the newest values are known."""


@dataclass(slots=True)
class Told:
    """What one host told last."""

    meters: Meters
    keys: dict[Look, set[str]] = field(default_factory=dict)
    """Of its rows, by the group they are read with."""
    left: set[str] = field(default_factory=set)
    """Of its rows it does not tell of any more."""
    machines: set[str] = field(default_factory=set)
    """Keys of machines that carry what is measured of them."""
    stale: Stale = Stale.FRESH


def machine_history(guid: str) -> str:
    """Key of the history of a machine's finer measurements."""
    return f"machine:{guid}"


def _micro(seconds: float | None) -> float | None:
    """In microseconds."""
    return None if seconds is None else seconds / MICRO


def _flow(meter: DiskMeter | VolumeMeter) -> tuple[float | None, ...]:
    """In the order of ``DiskMetric``."""
    return (meter.read, meter.write, meter.reads, meter.writes, _micro(meter.latency), meter.queue)


def _traffic(meter: AdapterMeter | UplinkMeter) -> tuple[float | None, ...]:
    """In the order of ``AdapterMetric``."""
    return (meter.net_in, meter.net_out, meter.packets_in, meter.packets_out,
            meter.drops_in, meter.drops_out)  # fmt: skip


def _machine(meter: MachineMeter) -> tuple[float | None, ...]:
    """In the order of ``MachineMetric``."""
    return (meter.guest, meter.hypervisor, _micro(meter.wait), meter.pressure, meter.visible,
            meter.available)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of row: what it is made of and where it is kept."""

    look: Look
    kind: str
    """Before the id in its keys."""
    rows: dict[str, Any]
    made: Callable[[str, Any, HostEntry, Mapping[str, VmRow]], MeterRow[Any]]
    values: Callable[[Any], Sequence[float | None]]
    """Of its meter, for its history."""
    told: Callable[[Meters], Iterable[Any]]
    delta: Callable[[Changes], Delta]


class Measured:
    """Everything that is measured beside what every refresh tells."""

    def __init__(
        self,
        vms: Mapping[str, VmRow],
        hosts: Mapping[str, HostRow],
        cluster: Callable[[str], Cluster | None],
        remember: Callable[[str, float, Sequence[float | None]], None],
        forget: Callable[[str], None],
    ) -> None:
        """``remember`` adds a reading to the history of a key, ``forget`` ends that."""
        self._vms, self._hosts, self._cluster = vms, hosts, cluster
        self._remember, self._forget = remember, forget
        self.disks: dict[str, DiskRow] = {}
        self.adapters: dict[str, AdapterRow] = {}
        self.uplinks: dict[str, UplinkRow] = {}
        self.volumes: dict[str, HostVolumeRow] = {}
        self.switches: dict[str, SwitchMeter] = {}
        """By ``Switch.id``."""
        self.told: dict[str, Told] = {}
        """By host."""
        self._kept: set[str] = set()
        """Keys of rows, and of ``machine_history``, that have a history."""
        self._seen: dict[str, float] = {}
        """When a machine was last measured, by the key of its history."""
        self._swept = 0.0
        self.groups: tuple[Group, ...] = (
            Group(Look.DISKS, "disk", self.disks, DiskRow, _flow,
                  lambda m: m.disks, lambda c: c.disks),
            Group(Look.ADAPTERS, "nic", self.adapters, AdapterRow, _traffic,
                  lambda m: m.adapters, lambda c: c.adapters),
            Group(Look.UPLINKS, "uplink", self.uplinks, UplinkRow, _traffic,
                  lambda m: m.uplinks, lambda c: c.uplinks),
            Group(Look.VOLUMES, "volume", self.volumes, HostVolumeRow, _flow,
                  lambda m: m.volumes, lambda c: c.host_volumes),
        )  # fmt: skip

    # -- reading ---------------------------------------------------------------------------

    def looked_at(self, host: str, look: Look) -> bool:
        """The host measures that now."""
        told = self.told.get(host)
        return told is not None and look in told.meters.looks and look not in told.meters.refused

    def refused(self, look: Look) -> dict[str, str]:
        """Hosts that do not answer for a group, and why."""
        found = ((host, told.meters.refused) for host, told in self.told.items())
        return {host: refused[look] for host, refused in found if look in refused}

    def rows_of(self, look: Look, host: str) -> list[Any]:
        """Rows of one host that are read with a group."""
        told = self.told.get(host)
        rows = next((group.rows for group in self.groups if group.look is look), {})
        return [] if told is None else [rows[key] for key in sorted(told.keys.get(look, ()))]

    def row(self, key: str) -> MeterRow[Any] | None:
        """The row with that key."""
        group = self._group(key)
        return None if group is None else group.rows.get(key)

    def look(self, key: str) -> Look | None:
        """The group a row with that key is read with."""
        group = self._group(key)
        return None if group is None else group.look

    def values(self, row: MeterRow[Any]) -> Sequence[float | None]:
        """What is told of a row now, in the order of its history."""
        group = self._group(row.key)
        return () if group is None else group.values(row.meter)

    def _group(self, key: str) -> Group | None:
        kind = key.partition(":")[0]
        return next((group for group in self.groups if group.kind == kind), None)

    # -- writing ---------------------------------------------------------------------------

    def apply(self, entry: HostEntry, update: Update, changes: Changes) -> None:
        """One host's word. In a whole inventory without any, nobody looks."""
        meters, host = update.meters, update.host
        if meters is None and update.full and host in self.told:
            meters = Meters(host)
        if meters is None:
            return
        told = self.told.get(host)
        if told is None:
            told = self.told[host] = Told(meters, stale=entry.stale)
        told.meters = meters
        for group in self.groups:
            named = self._place(group, entry, told, changes)
            for key in told.keys.get(group.look, set()) - named - told.left:
                told.left.add(key)
                group.rows[key].left_at = entry.read_at
        self._switch(host, meters)
        self._measure_machines(host, told, changes)
        self._measure_host(host, meters, changes)

    def _place(self, group: Group, entry: HostEntry, told: Told, changes: Changes) -> set[str]:
        """Rows of one kind that the host tells of; their keys."""
        delta, named = group.delta(changes), set()
        keys = told.keys.setdefault(group.look, set())
        for meter in group.told(told.meters):
            key = f"{group.kind}:{meter.id}"
            named.add(key)
            row = group.rows.get(key)
            if row is None:
                row = group.rows[key] = group.made(key, meter, entry, self._vms)
                keys.add(key)
                delta.add(key)
            elif row.meter != meter or row.left_at:
                row.meter, row.left_at, row.age = meter, 0.0, Stale.FRESH
                told.left.discard(key)
                delta.touch(key)
            if isinstance(row, HostVolumeRow):
                row.cluster = self._cluster(entry.info.cluster)
        return named

    def _switch(self, host: str, meters: Meters) -> None:
        for key in [key for key, meter in self.switches.items() if meter.host == host]:
            del self.switches[key]
        self.switches |= {meter.id: meter for meter in meters.switches}

    def _measure_machines(self, host: str, told: Told, changes: Changes) -> None:
        """Rows of machines carry what is measured of them."""
        named = set()
        for meter in told.meters.machines:
            row = self._vms.get(f"{meter.id}@{host}") or self._vms.get(meter.id)
            if row is None or row.host.id != host:
                continue
            named.add(row.key)
            if row.meter != meter:
                row.meter = meter
                changes.vms.touch(row.key)
        for key in told.machines - named:
            row = self._vms.get(key)
            if row is not None and row.meter is not None and row.meter.host == host:
                row.meter = None
                changes.vms.touch(key)
        told.machines = named

    def _measure_host(self, host: str, meters: Meters, changes: Changes) -> None:
        row = self._hosts.get(host)
        if row is not None and (row.pressure, row.balancing) != (meters.pressure, meters.balancing):
            row.pressure, row.balancing = meters.pressure, meters.balancing
            changes.hosts.touch(host)

    def settle(self, keys: Iterable[str], changes: Changes) -> None:
        """Machines came or moved: what is measured of them may have been told before."""
        hosts = {self._vms[key].host.id for key in keys if key in self._vms}
        for host in hosts & self.told.keys():
            if self.told[host].meters.machines:
                self._measure_machines(host, self.told[host], changes)

    # -- history ---------------------------------------------------------------------------

    def meters(self, host: str) -> Meters | None:
        """All that one host told last; None when it told nothing."""
        told = self.told.get(host)
        return None if told is None else told.meters

    def record(self, entry: HostEntry, at: float) -> None:
        """One point of history for everything its host measures now, changed or not."""
        told = self.told.get(entry.info.id)
        if told is None:
            return
        for group in self.groups:
            for key in told.keys.get(group.look, set()) - told.left:
                self._record(key, at, group.values(group.rows[key].meter))
        for meter in told.meters.machines:
            key = machine_history(meter.id)
            self._seen[key] = at
            self._record(key, at, _machine(meter))

    def _record(self, key: str, at: float, values: Sequence[float | None]) -> None:
        if key in self._kept or len(self._kept) < MOST:
            self._kept.add(key)
            self._remember(key, at, values)

    def _lose(self, key: str) -> None:
        self._kept.discard(key)
        self._forget(key)

    # -- growing old -----------------------------------------------------------------------

    def follow(self, hosts: Mapping[str, HostEntry], changes: Changes, now: float) -> None:
        """Rows age with their host; what it does not tell of any more ages besides, and goes."""
        for host, told in self.told.items():
            if told.stale is not hosts[host].stale:
                told.stale = hosts[host].stale
                for group in self.groups:
                    for key in told.keys.get(group.look, ()):
                        group.delta(changes).touch(key)
            for key in sorted(told.left):
                self._age(key, told, changes, now)
        if not 0 <= now - self._swept <= MISSING:
            self._sweep(now)

    def set_back(self, seconds: float) -> None:
        """The clock was set back by so much."""
        for group in self.groups:
            for row in group.rows.values():
                if row.left_at:
                    row.left_at -= seconds
        self._seen = {key: at - seconds for key, at in self._seen.items()}

    def _sweep(self, now: float) -> None:
        """Forget how machines fared that nobody has looked at for a while."""
        self._swept = now
        for key in [key for key, at in self._seen.items() if now - at > KEEP]:
            del self._seen[key]
            self._lose(key)

    def _age(self, key: str, told: Told, changes: Changes, now: float) -> None:
        group = self._group(key)
        if group is None:
            return
        row, watched = group.rows[key], group.look in told.meters.looks
        late = now - row.left_at
        if late > (MISSING if watched else KEEP):
            self._drop(group, key, told, changes)
            return
        age = Stale.DIM if late <= MISSING else Stale.OLD
        if row.age is not age:
            row.age = age
            group.delta(changes).touch(key)

    def _drop(self, group: Group, key: str, told: Told, changes: Changes) -> None:
        del group.rows[key]
        told.left.discard(key)
        told.keys[group.look].discard(key)
        self._lose(key)
        group.delta(changes).remove(key)

    def forget(self, host: str, changes: Changes) -> None:
        """The host is not configured any more."""
        told = self.told.pop(host, None)
        if told is None:
            return
        for group in self.groups:
            for key in sorted(told.keys.get(group.look, ())):
                self._drop(group, key, told, changes)
        self._switch(host, Meters(host))

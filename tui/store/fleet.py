"""Which virtual machine is where: identity is the GUID, wherever it is seen.

A machine that turns up on another host is the same row, moved. Only when two hosts go on listing
the same GUID is the second shown as a row of its own, ``GUID@host``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tui.collector.messages import Update
from tui.hyperv.model import Host, HostVitals, Vm, VmVitals
from tui.hyperv.replica import EXTENDED, REPLICA
from tui.store.changes import Delta
from tui.store.rows import Stale, VmRow

RUNNING = 2
"""EnabledState of a running VM."""
BOTH_AFTER = 10.0
"""Seconds both hosts must go on listing a GUID: source and target both do during a migration."""


@dataclass(slots=True)
class Sighting:
    """One host's word about one VM."""

    vm: Vm
    vitals: VmVitals | None
    first_seen: float


@dataclass(slots=True)
class HostEntry:
    """A configured host and what it listed last."""

    info: Host
    vitals: HostVitals
    seq: int = 0
    read_at: float = 0.0
    told_at: float = 0.0
    """As the host's last update has it; the clock may have been set back since."""
    recorded_at: float = 0.0
    stale: Stale = Stale.FRESH
    sightings: dict[str, Sighting] = field(default_factory=dict)
    """By GUID."""
    switches: set[str] = field(default_factory=set)
    jobs: set[str] = field(default_factory=set)


class Fleet:
    """All VM rows, resolved from what the hosts list."""

    def __init__(self) -> None:
        self.hosts: dict[str, HostEntry] = {}
        self.rows: dict[str, VmRow] = {}
        self._where: dict[str, set[str]] = {}
        """Hosts that list a GUID."""
        self._touched: dict[str, None] = {}
        """In the order they were told, so that rows keep it."""
        self._contested: set[str] = set()
        self.shifted: set[str] = set()
        """Hosts whose rows came or went in the last ``settle``."""

    # -- taking in -------------------------------------------------------------------------

    def replace(self, entry: HostEntry, vms: Iterable[Vm], vitals: Iterable[VmVitals]) -> None:
        """A whole inventory: what is not named is gone."""
        named = {vm.id for vm in vms}
        for guid in [guid for guid in entry.sightings if guid not in named]:
            self._lose(entry, guid)
        self._see(entry, vms, vitals)

    def merge(self, entry: HostEntry, update: Update) -> None:
        """What changed since the host's last update."""
        for guid in update.gone_vms:
            self._lose(entry, guid)
        self._see(entry, update.vms, update.vm_vitals)

    def _see(self, entry: HostEntry, vms: Iterable[Vm], vitals: Iterable[VmVitals]) -> None:
        for vm in vms:
            sighting = entry.sightings.get(vm.id)
            if sighting is None:
                entry.sightings[vm.id] = Sighting(vm, None, entry.read_at)
                self._where.setdefault(vm.id, set()).add(entry.info.id)
                self._touched[vm.id] = None
            elif sighting.vm != vm:
                sighting.vm = vm
                self._touched[vm.id] = None
        for vital in vitals:
            sighting = entry.sightings.get(vital.id)
            if sighting is not None and sighting.vitals != vital:
                sighting.vitals = vital
                self._touched[vital.id] = None

    def _lose(self, entry: HostEntry, guid: str) -> None:
        if entry.sightings.pop(guid, None) is not None:
            self._where[guid].discard(entry.info.id)
            self._touched[guid] = None

    def set_back(self, seconds: float) -> None:
        """The clock was set back by so much."""
        for entry in self.hosts.values():
            entry.read_at = max(0.0, entry.read_at - seconds)
            entry.recorded_at -= seconds
            for sighting in entry.sightings.values():
                sighting.first_seen -= seconds

    # -- resolving -------------------------------------------------------------------------

    def settle(self, delta: Delta) -> list[tuple[str, str]]:
        """Bring the rows in line with the sightings.

        Answers (old key, new key) where the row of a vanished twin took over the plain key.
        """
        inherited: list[tuple[str, str]] = []
        self.shifted.clear()
        for guid in (*self._touched, *(self._contested - self._touched.keys())):
            wanted = self._resolve(guid)
            twins = [key for key in self._keys(guid) if key not in wanted]
            known = self.rows.get(guid)
            swapped = known is not None and f"{guid}@{known.host.id}" in wanted
            for key in twins:
                if key != guid and wanted.get(guid) == key.partition("@")[2] and not swapped:
                    inherited.append((key, guid))
                self.shifted.add(self.rows.pop(key).host.id)
                delta.remove(key)
            alive = [host for host in wanted.values() if not self._stands_by(guid, host)]
            for key, host in wanted.items():
                self._place(key, guid, host, len(alive) > 1 and host in alive, delta)
            if len(self._where.get(guid, ())) < 2:
                self._contested.discard(guid)
        self._touched.clear()
        return inherited

    def _keys(self, guid: str) -> list[str]:
        keys = [guid] if guid in self.rows else []
        if guid in self._contested:
            prefix = guid + "@"
            keys += [f"{prefix}{host}" for host in self.hosts if f"{prefix}{host}" in self.rows]
        return keys

    def _resolve(self, guid: str) -> dict[str, str]:
        """Row key to host id: the newest arrival owns the GUID, lasting others are twins.

        A replica stands by for as long as another machine is the one that works: it never owns
        the GUID then, and shows beside that at once.
        """
        listed = self._where.get(guid)
        if not listed:
            self._where.pop(guid, None)
            return {}
        entries = [self.hosts[host] for host in listed]
        standby = [entry for entry in entries if self._stands_by(guid, entry.info.id)]
        owner = max(
            [entry for entry in entries if entry not in standby] or entries,
            key=lambda e: (e.sightings[guid].first_seen, e.read_at, e.info.id),
        )
        wanted = {guid: owner.info.id}
        settled_at = owner.sightings[guid].first_seen + BOTH_AFTER
        for entry in entries:
            lasting = min(entry.read_at, owner.read_at) >= settled_at
            if entry is not owner and (lasting or entry in standby):
                wanted[f"{guid}@{entry.info.id}"] = entry.info.id
        if len(entries) > 1:
            self._contested.add(guid)
        return wanted

    def _stands_by(self, guid: str, host: str) -> bool:
        """The machine is a replica there."""
        vitals = self.hosts[host].sightings[guid].vitals
        return vitals is not None and vitals.replication_mode in (REPLICA, EXTENDED)

    def _place(self, key: str, guid: str, host: str, twin: bool, delta: Delta) -> None:
        entry = self.hosts[host]
        sighting = entry.sightings[guid]
        vitals = sighting.vitals or VmVitals(guid, host, 0)
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = VmRow(
                key, sighting.vm, vitals, entry.info, entry.vitals, stale=entry.stale
            )
            self.rows[key].duplicate = twin
            self.shifted.add(host)
            delta.add(key)
            return
        same = (
            row.vm is sighting.vm
            and (row.vitals is vitals or row.vitals == vitals)
            and row.host is entry.info
            and row.duplicate is twin
        )
        if not same:
            if row.host.id != host:
                self.shifted |= {row.host.id, host}
            row.vm, row.vitals, row.duplicate = sighting.vm, vitals, twin
            row.host, row.host_vitals, row.stale = entry.info, entry.vitals, entry.stale
            delta.touch(key)

    # -- looking ---------------------------------------------------------------------------

    def left(self, guid: str, host: str, after: float) -> bool:
        """A host that was read later than that does not list the GUID. Where a machine has been
        seen is not enough to say it has moved: source and target both list it meanwhile.
        """
        entry = self.hosts.get(host)
        return entry is not None and entry.read_at > after and guid not in entry.sightings

    def rows_of(self, entry: HostEntry) -> Iterator[VmRow]:
        """The rows that stand for this host's VMs."""
        for guid in entry.sightings:
            row = self._row_at(guid, entry.info.id)
            if row is not None:
                yield row

    def sighted(self, entry: HostEntry) -> Iterator[tuple[str, Sighting]]:
        """Row key and sighting of every VM shown as this host's."""
        for guid, sighting in entry.sightings.items():
            row = self._row_at(guid, entry.info.id)
            if row is not None:
                yield row.key, sighting
            elif guid not in self.rows:
                yield guid, sighting

    def counts(self, entry: HostEntry) -> tuple[int, int]:
        """(running, all) VMs of a host."""
        rows = list(self.rows_of(entry))
        return sum(row.vitals.state == RUNNING for row in rows), len(rows)

    def _row_at(self, guid: str, host: str) -> VmRow | None:
        row = self.rows.get(guid)
        if row is not None and row.host.id == host:
            return row
        return self.rows.get(f"{guid}@{host}") if guid in self._contested else None

"""Replication relationships as rows: both ends, each as its own host tells it."""

from __future__ import annotations

from collections.abc import Mapping

from tui.collector.messages import Update
from tui.hyperv.model import Replica
from tui.hyperv.replica import opposite
from tui.store.changes import Changes
from tui.store.fleet import HostEntry
from tui.store.rows import ReplicaRow


class Replicas:
    """Every relationship end by key."""

    def __init__(self) -> None:
        self.rows: dict[str, ReplicaRow] = {}
        self._by_host: dict[str, set[str]] = {}

    def of(self, host: str) -> dict[str, Replica]:
        """What one host tells, by key."""
        return {key: self.rows[key].replica for key in self._by_host.get(host, ())}

    def apply(self, entry: HostEntry, update: Update, marks: set[str], changes: Changes) -> None:
        """One host's word."""
        for replica in update.replicas:
            row = self.rows.get(replica.id)
            if row is None:
                marked = replica.id in marks
                self.rows[replica.id] = ReplicaRow(
                    replica.id, replica, entry.info, entry.vitals, marked=marked
                )
                self._by_host.setdefault(replica.host, set()).add(replica.id)
                changes.replicas.add(replica.id)
            elif row.replica != replica:
                row.replica = replica
                changes.replicas.touch(replica.id)
                if row.other is not None:  # it shows how this end is
                    changes.replicas.touch(row.other.key)
        gone = set(update.gone_replicas)
        if update.full:
            gone |= self.of(update.host).keys() - {replica.id for replica in update.replicas}
        self._drop(gone, changes)
        if update.replicas or gone:
            self._pair(changes)

    def _pair(self, changes: Changes) -> None:
        """Let both ends of a relationship know each other."""
        pairs: dict[tuple[str, bool], list[ReplicaRow]] = {}
        for row in self.rows.values():
            pairs.setdefault(row.replica.pair, []).append(row)
        for ends in pairs.values():
            for row in ends:
                other = next((one for one in ends if opposite(row.replica, one.replica)), None)
                if row.other is not other:
                    row.other = other
                    changes.replicas.touch(row.key)

    def forget(self, host: str, changes: Changes) -> None:
        """The host is not configured any more."""
        self._drop(set(self.of(host)), changes)
        self._pair(changes)

    def _drop(self, keys: set[str], changes: Changes) -> None:
        for key in keys & self.rows.keys():
            self._by_host[self.rows.pop(key).replica.host].discard(key)
            changes.replicas.remove(key)

    def follow(self, hosts: Mapping[str, HostEntry], changes: Changes) -> None:
        """Rows point at their host's records, and age with it."""
        for key, row in self.rows.items():
            entry = hosts[row.replica.host]
            row.host, row.host_vitals = entry.info, entry.vitals
            if row.stale is not entry.stale:
                row.stale = entry.stale
                changes.replicas.touch(key)

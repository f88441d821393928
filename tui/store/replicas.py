"""Replication relationships as rows: both ends, each as its own host tells it."""

from __future__ import annotations

from collections.abc import Mapping

from tui.collector.messages import Update
from tui.hyperv.model import Replica
from tui.store.changes import Changes
from tui.store.fleet import HostEntry
from tui.store.rows import ReplicaRow


class Replicas:
    """Every relationship end by key."""

    def __init__(self) -> None:
        self.rows: dict[str, ReplicaRow] = {}

    def of(self, host: str) -> dict[str, Replica]:
        """What one host tells, by key."""
        return {key: row.replica for key, row in self.rows.items() if row.replica.host == host}

    def apply(self, entry: HostEntry, update: Update, marks: set[str], changes: Changes) -> None:
        """One host's word."""
        for replica in update.replicas:
            row = self.rows.get(replica.id)
            if row is None:
                marked = replica.id in marks
                self.rows[replica.id] = ReplicaRow(
                    replica.id, replica, entry.info, entry.vitals, marked=marked
                )
                changes.replicas.add(replica.id)
            elif row.replica != replica:
                row.replica = replica
                changes.replicas.touch(replica.id)
        gone = set(update.gone_replicas)
        if update.full:
            gone |= self.of(update.host).keys() - {replica.id for replica in update.replicas}
        self._drop(gone, changes)

    def forget(self, host: str, changes: Changes) -> None:
        """The host is not configured any more."""
        self._drop(set(self.of(host)), changes)

    def _drop(self, keys: set[str], changes: Changes) -> None:
        for key in keys & self.rows.keys():
            del self.rows[key]
            changes.replicas.remove(key)

    def follow(self, hosts: Mapping[str, HostEntry], changes: Changes) -> None:
        """Rows point at their host's records, and age with it."""
        for key, row in self.rows.items():
            entry = hosts[row.replica.host]
            row.host, row.host_vitals = entry.info, entry.vitals
            if row.stale is not entry.stale:
                row.stale = entry.stale
                changes.replicas.touch(key)

"""Clusters as lines of the host tree: sums and averages over their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui.hyperv.model import Host, HostVitals, Link
from tui.store.rows import HostRow, Stale

PREFIX = "cluster:"
STANDALONE = "standalone"


class Groups:
    """The group lines, kept by key so that cursor and folding hold."""

    def __init__(self) -> None:
        self.rows: dict[str, HostRow] = {}

    def rebuild(self, hosts: Mapping[str, HostRow]) -> set[str]:
        """Sum the groups up again; answers the keys that look different now."""
        members: dict[str, list[HostRow]] = {}
        for row in hosts.values():
            members.setdefault(PREFIX + row.host.cluster, []).append(row)
        for key in [key for key in self.rows if key not in members]:
            del self.rows[key]
        changed: set[str] = set()
        for key, rows in members.items():
            fresh = summed(key, rows)
            old = self.rows.get(key)
            if old is None:
                self.rows[key] = fresh
            elif _face(old) == _face(fresh):
                continue
            else:
                old.host, old.vitals, old.stale = fresh.host, fresh.vitals, fresh.stale
                old.running, old.total = fresh.running, fresh.total
                old.members, old.up = fresh.members, fresh.up
            changed.add(key)
        return changed

    def tree(self, hosts: Mapping[str, HostRow], folded: frozenset[str]) -> list[HostRow]:
        """Clusters by name with their hosts, then standalone hosts. No groups without clusters."""
        clustered = any(key != PREFIX for key in self.rows)
        by_group: dict[str, list[HostRow]] = {}
        for row in hosts.values():
            row.depth = 1 if clustered else 0
            by_group.setdefault(PREFIX + row.host.cluster, []).append(row)
        out: list[HostRow] = []
        for key in sorted(by_group, key=lambda key: (key == PREFIX, key.lower())):
            if clustered and key in self.rows:
                out.append(self.rows[key])
            if key not in folded or not clustered:
                out += sorted(by_group[key], key=lambda row: row.name.lower())
        return out


def summed(key: str, rows: list[HostRow]) -> HostRow:
    """One line for several hosts."""
    name = key.removeprefix(PREFIX) or STANDALONE
    known = [row for row in rows if not row.down]
    free = [row.vitals.memory_free for row in known if row.vitals.memory_free is not None]
    weighed = [
        (row.vitals.cpu, max(1, row.host.logical_processors))
        for row in known
        if row.vitals.cpu is not None
    ]
    weight = sum(count for _, count in weighed)
    host = Host(
        key,
        "",
        name=name,
        cluster=key.removeprefix(PREFIX),
        memory=sum(row.host.memory for row in known if row.vitals.memory_free is not None),
        logical_processors=sum(row.host.logical_processors for row in rows),
        cores=sum(row.host.cores for row in rows),
    )
    vitals = HostVitals(
        key,
        link=_worst(row.vitals.link for row in rows),
        read_at=min((row.vitals.read_at for row in known), default=0.0),
        interval=max((row.vitals.interval for row in known), default=0.0),
        latency=max((row.vitals.latency for row in known), default=0.0),
        cpu=sum(cpu * count for cpu, count in weighed) / weight if weight else None,
        memory_free=sum(free) if free else None,
    )
    return HostRow(
        key,
        host,
        vitals,
        running=sum(row.running for row in rows),
        total=sum(row.total for row in rows),
        stale=max((row.stale for row in known), default=Stale.LOST),
        group=True,
        members=len(rows),
        up=sum(row.vitals.link in (Link.UP, Link.SLOW) for row in rows),
    )


def _worst(links: Iterable[Link]) -> Link:
    """The group's standing: it is down only when every member is."""
    found = set(links)
    if found == {Link.DOWN}:
        return Link.DOWN
    for link in (Link.DOWN, Link.SLOW):
        if link in found:
            return Link.SLOW
    return Link.UP if Link.UP in found else Link.CONNECTING


def _face(row: HostRow) -> tuple[object, ...]:
    vitals = row.vitals
    return (
        row.name,
        vitals.link,
        vitals.cpu,
        vitals.memory_free,
        row.host.memory,
        row.running,
        row.total,
        row.members,
        row.up,
        row.stale,
    )

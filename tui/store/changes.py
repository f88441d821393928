"""What one batch changed, so that only that is drawn again."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.collector.messages import CallUpdate
from tui.hyperv.model import Link, Trouble
from tui.store.news import News
from tui.store.rows import (
    HostRow,
    JobRow,
    NodeRow,
    ReplicaRow,
    RoleRow,
    SwitchRow,
    VmRow,
    VolumeRow,
)

Row = VmRow | HostRow | SwitchRow | JobRow | RoleRow | NodeRow | VolumeRow | ReplicaRow
"""A row of any kind."""


@dataclass(slots=True)
class Delta:
    """Keys of one kind."""

    added: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def add(self, key: str) -> None:
        """A row appeared; one removed and added again within a batch changed."""
        if key in self.removed:
            self.removed.discard(key)
            self.changed.add(key)
        else:
            self.added.add(key)

    def touch(self, key: str) -> None:
        """A row has something new to show."""
        if key not in self.added:
            self.changed.add(key)

    def remove(self, key: str) -> None:
        """A row is gone."""
        self.changed.discard(key)
        if key in self.added:
            self.added.discard(key)
        else:
            self.removed.add(key)

    def follow(self, later: Delta) -> None:
        """Note what happened after this, too."""
        for key in later.removed:
            self.remove(key)
        for key in later.added:
            self.add(key)
        for key in later.changed:
            self.touch(key)


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A host came, went or slowed."""

    host: str
    before: Link
    after: Link
    trouble: Trouble | None = None


@dataclass(slots=True)
class Changes:
    """What happened to the store."""

    hosts: Delta = field(default_factory=Delta)
    vms: Delta = field(default_factory=Delta)
    switches: Delta = field(default_factory=Delta)
    jobs: Delta = field(default_factory=Delta)
    roles: Delta = field(default_factory=Delta)
    nodes: Delta = field(default_factory=Delta)
    volumes: Delta = field(default_factory=Delta)
    replicas: Delta = field(default_factory=Delta)
    disks: Delta = field(default_factory=Delta)
    adapters: Delta = field(default_factory=Delta)
    uplinks: Delta = field(default_factory=Delta)
    host_volumes: Delta = field(default_factory=Delta)
    calls: set[str] = field(default_factory=set)
    """Ids of calls that moved on."""
    settled: list[CallUpdate] = field(default_factory=list)
    """Calls that reached a final phase."""
    pending: set[str] = field(default_factory=set)
    """Keys of rows whose pending mark came, moved or went."""
    sheets: set[str] = field(default_factory=set)
    """GUIDs of machines whose sheet came."""
    exchanges: bool = False
    loads: set[str] = field(default_factory=set)
    """Hosts of whose load was told."""
    resync: set[str] = field(default_factory=set)
    """Hosts with a gap in their sequence: ask for everything."""
    links: list[LinkChange] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    """What happened in clusters."""
    notices: set[str] = field(default_factory=set)
    """Ids of notices about what is watched."""

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """Those of every kind that can be acted upon."""
        return (
            self.hosts, self.vms, self.switches, self.jobs,
            self.roles, self.nodes, self.volumes, self.replicas,
        )  # fmt: skip

    def follow(self, later: Changes) -> None:
        """Note what happened after this, too."""
        for mine, other in zip(
            (*self.deltas, *self.measured), (*later.deltas, *later.measured), strict=True
        ):
            mine.follow(other)
        self.calls |= later.calls
        self.settled += later.settled
        self.pending |= later.pending
        self.sheets |= later.sheets
        self.exchanges = self.exchanges or later.exchanges
        self.loads |= later.loads
        self.resync |= later.resync
        self.links += later.links
        self.news += later.news
        self.notices |= later.notices

    @property
    def measured(self) -> tuple[Delta, ...]:
        """Those of what is only measured."""
        return (self.disks, self.adapters, self.uplinks, self.host_volumes)

    def touch_row(self, key: str, row: Row) -> None:
        """Note a change of a row of any kind."""
        deltas: dict[type[Row], Delta] = {
            VmRow: self.vms, HostRow: self.hosts, SwitchRow: self.switches, JobRow: self.jobs,
            RoleRow: self.roles, NodeRow: self.nodes, VolumeRow: self.volumes,
            ReplicaRow: self.replicas,
        }  # fmt: skip
        deltas[type(row)].touch(key)

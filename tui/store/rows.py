"""The rows panes and command line show: one object per thing, alive as long as the thing is.

A row is mutable and keeps its identity through refresh, migration and reconnect; the records it
points to are frozen and are replaced. Formatting lives in ``rows.text``, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

from tui.actions.declare import Target
from tui.collector.messages import Phase
from tui.hyperv.cluster import Cluster, ClusterNode, Role, SharedVolume
from tui.hyperv.meters import MachineMeter
from tui.hyperv.model import Host, HostVitals, Job, Link, Replica, Switch, Vm, VmVitals


class Stale(IntEnum):
    """How old what we show is, against the interval it should be renewed in."""

    FRESH = 0
    DIM = 1
    """Older than twice the interval."""
    OLD = 2
    """Older than four times the interval: shown with ``~``."""
    LOST = 3
    """The host does not answer: shown with ``?``."""


@dataclass(slots=True)
class Mark:
    """A call under way on a row, from the request until it is observed, failed or given up."""

    call: str
    """Id of the call."""
    action: str
    text: str
    """For people: the action's title."""
    phase: Phase
    since: float
    heard_at: float
    """When the collector last said something about it."""
    percent: int | None = None
    observed: Callable[[Target], bool] | None = None
    """Tells the wanted state; lets a call of unknown outcome settle by itself."""


@dataclass(slots=True, eq=False)
class VmRow:
    """A virtual machine on its host."""

    key: str
    """The GUID; ``GUID@host`` for the second of two live machines that share one."""
    vm: Vm
    vitals: VmVitals
    host: Host
    host_vitals: HostVitals
    pending: str = ""
    """What is being done to it: ``Start…``, ``Save 40%``; empty when nothing is."""
    stale: Stale = Stale.FRESH
    marked: bool = False
    duplicate: bool = False
    """The same GUID is live on another host too."""
    watch: str = ""
    """How it stands when it is watched: ``ok``, ``warning``, ``error``; empty: it is not."""
    meter: MachineMeter | None = None
    """What else is measured of it; None while nobody looks."""

    @property
    def name(self) -> str:
        return self.vm.name


@dataclass(slots=True, eq=False)
class HostRow:
    """A host; or, with ``group``, a cluster or the standalone hosts as one line of the tree.

    A group carries made-up ``host`` and ``vitals`` records holding sums and averages of its
    members, so that the same columns draw both.
    """

    key: str
    """Host id; ``cluster:NAME`` for a group, ``cluster:`` for the standalone hosts."""
    host: Host
    vitals: HostVitals
    running: int = 0
    """VMs running."""
    total: int = 0
    """VMs in all."""
    stale: Stale = Stale.FRESH
    marked: bool = False
    pending: str = ""
    group: bool = False
    depth: int = 0
    """0 for groups, 1 for hosts below one."""
    members: int = 0
    """Hosts in the group."""
    up: int = 0
    """Of these, how many answer."""
    watch: str = ""
    """How it stands when it is watched in full: ``ok``, ``warning``, ``error``."""
    pressure: int | None = None
    """Average pressure of its dynamic memory, in percent; None while nobody looks."""
    balancing: int | None = None
    """Bytes its balancer may still give."""

    @property
    def name(self) -> str:
        return self.host.name or self.host.id

    @property
    def down(self) -> bool:
        return self.vitals.link is Link.DOWN

    @property
    def memory_used(self) -> int | None:
        """Bytes in use; None when the host has not said."""
        if self.vitals.memory_free is None or not self.host.memory:
            return None
        return max(0, self.host.memory - self.vitals.memory_free)


@dataclass(slots=True, eq=False)
class SwitchRow:
    """A virtual switch on its host."""

    key: str
    """``Switch.id``."""
    switch: Switch
    host: Host
    host_vitals: HostVitals
    stale: Stale = Stale.FRESH
    marked: bool = False
    pending: str = ""

    @property
    def name(self) -> str:
        return self.switch.name


@dataclass(slots=True, eq=False)
class JobRow:
    """A job on its host, and the name of what it works on."""

    key: str
    """``Job.id``."""
    job: Job
    host: Host
    host_vitals: HostVitals
    subject: str = ""
    """Name of the VM it works on; empty when unknown."""
    stale: Stale = Stale.FRESH
    marked: bool = False
    pending: str = ""
    seen_at: float = 0.0
    """When it was first seen."""

    @property
    def name(self) -> str:
        return self.job.name


Thing = TypeVar("Thing", Role, ClusterNode, SharedVolume)


@dataclass(slots=True, eq=False)
class ClusterRow(Generic[Thing]):
    """A thing of a failover cluster."""

    key: str
    """Its kind, ``:CLUSTER/`` and its name."""
    thing: Thing
    cluster: Cluster
    host: Host
    """The node that tells of the cluster, and through which the thing is acted upon."""
    host_vitals: HostVitals
    stale: Stale = Stale.FRESH
    marked: bool = False
    pending: str = ""

    @property
    def name(self) -> str:
        return self.thing.name


@dataclass(slots=True, eq=False)
class RoleRow(ClusterRow[Role]):
    """A role of a failover cluster."""

    vms: Mapping[str, VmRow] = field(default_factory=dict)
    """Every machine there is."""

    @property
    def machine(self) -> VmRow | None:
        """The machine of the role, where it is listed."""
        return self.vms.get(self.thing.vm) if self.thing.vm else None


@dataclass(slots=True, eq=False)
class NodeRow(ClusterRow[ClusterNode]):
    """A node of a failover cluster, configured as a host here or not."""

    hosts: Mapping[str, HostRow] = field(default_factory=dict)
    """Every host there is."""

    @property
    def own(self) -> HostRow | None:
        """The node as a host, where it is configured."""
        name = self.thing.name.casefold()
        return next(
            (
                row
                for row in self.hosts.values()
                if row.host.name.casefold() == name and row.host.cluster == self.cluster.name
            ),
            None,
        )

    @property
    def answering(self) -> HostRow | None:
        """The same, unless what is known of it is past."""
        own = self.own
        return own if own is not None and own.stale < Stale.LOST else None


class VolumeRow(ClusterRow[SharedVolume]):
    """A cluster shared volume."""

    __slots__ = ()

    @property
    def label(self) -> str:
        """The last part of its name, which is its path."""
        return self.thing.name.rstrip("\\").rpartition("\\")[2]


@dataclass(slots=True, eq=False)
class ReplicaRow:
    """One end of a replication relationship, on the host that tells of it."""

    key: str
    """``Replica.id``."""
    replica: Replica
    host: Host
    host_vitals: HostVitals
    stale: Stale = Stale.FRESH
    marked: bool = False
    pending: str = ""
    other: ReplicaRow | None = None
    """The other end, where its host is configured too."""

    @property
    def name(self) -> str:
        return self.replica.name

"""The fabric: simulated hosts, the clock they share, and what falls due as it moves.

Single-threaded by design: whoever asks a host something calls ``advance`` first. No IO, no XML.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Protocol

from tui.sim import eventlog, groups, hardware, papers, replica_health, shapes
from tui.sim.cluster import Cluster
from tui.sim.create import create
from tui.sim.eventlog import EventLog
from tui.sim.faults import Faults
from tui.sim.files import FileSystem, Shelf
from tui.sim.jobs import Jobs
from tui.sim.machine import ALIVE, Machine
from tui.sim.plan import HOST_SYSTEMS, ClusterPlan, HostPlan, HostSystem
from tui.sim.repository import Repository
from tui.sim.tally import Passed, Tally
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.reply import MethodOutput

if TYPE_CHECKING:
    from tui.sim.moves import Move


class Clock(Protocol):
    """Where the time of a fabric comes from: Unix seconds."""

    def now(self) -> float: ...


class RunningClock:
    """Real time from now on, ``speed`` times as fast."""

    def __init__(self, speed: float = 1.0, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._start = source()
        self._speed = speed

    def now(self) -> float:
        return self._start + (self._source() - self._start) * self._speed


class StillClock:
    """A clock that stands until it is moved."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


SHARE = 26
"""Addresses of each network that belong to one host."""

Effect = Callable[[float], None]
"""Something that happens; it is told the moment it was due."""


class Fabric:
    """All simulated hosts, one clock, one seed, and the effects still to come."""

    def __init__(self, clock: Clock | None = None, seed: int = 1) -> None:
        self.clock = clock or RunningClock()
        self.seed = seed
        self.hosts: dict[str, SimHost] = {}
        self.clusters: dict[str, Cluster] = {}
        self.shelves: dict[str, Shelf] = {}
        """The files on shared volumes, by cluster."""
        self.origin = self.clock.now()
        """When this fabric began; hosts had been up before."""
        self._due: list[tuple[float, int, Effect]] = []
        self._order = count()
        self._leases: dict[tuple[int, int], int] = {}
        self._at: float | None = None

    def now(self) -> float:
        """The time; while effects fall due, the moment the current one was due."""
        return self.clock.now() if self._at is None else self._at

    def random(self, *words: object) -> Random:
        """Chance that depends on the seed and the words, and on nothing else."""
        return Random("/".join(str(word) for word in (self.seed, *words)))

    def add(self, plan: HostPlan, faults: Faults | None = None) -> SimHost:
        host = SimHost(self, plan, faults or Faults(), site=len(self.hosts))
        self.hosts[plan.name] = host
        return host

    def form(self, plan: ClusterPlan) -> Cluster:
        """Let there be a cluster; its nodes are the hosts whose plans name it."""
        self.clusters[plan.name] = found = Cluster(self, plan)
        return found

    def cluster_of(self, host: SimHost) -> Cluster | None:
        """The cluster a host is a node of, with all its nodes built."""
        found = self.clusters.get(host.plan.cluster)
        if found is not None:
            found.furnish()
        return found

    def after(self, seconds: float, effect: Effect) -> None:
        heapq.heappush(self._due, (self.now() + seconds, next(self._order), effect))

    def advance(self) -> None:
        """Bring about everything that is due by now, in its order."""
        now = self.clock.now()
        while self._due and self._due[0][0] <= now:
            at, _, effect = heapq.heappop(self._due)
            self._at = at
            try:
                effect(at)
            finally:
                self._at = None

    def nodes(self, cluster: str) -> list[SimHost]:
        return [host for host in self.hosts.values() if host.plan.cluster == cluster]

    def lease(self, site: int, network: int, address: str) -> tuple[str, ...]:
        """An IPv4 address on a network and the link-local IPv6 address of the adapter.

        Every host has its own share of each network, so that addresses do not depend on which
        host was asked first.
        """
        count = self._leases.get((site, network), 0)
        self._leases[site, network] = count + 1
        second = (20 + network // 256 + site // 9 + 100 * (count // SHARE)) % 256
        fourth = 11 + site % 9 * SHARE + count % SHARE
        tail = f"{address[0:2]}{address[2:4]}:{address[4:6]}ff:fe{address[6:8]}:{address[8:12]}"
        return (f"10.{second}.{network % 256}.{fourth}", f"fe80::{tail.lower()}")


class HostRepository(Repository):
    """A repository that lacks the namespaces its host has no role for."""

    def __init__(self, host: SimHost) -> None:
        super().__init__(host.name)
        self._host = host

    def lacks(self, namespace: str, class_name: str) -> bool:
        return self._host.lacks(namespace, class_name)

    def lacking(self, class_name: str) -> frozenset[str]:
        columns = self._host.faults.unknown_columns if self._host.built else ()
        parts = (column.partition(".") for column in columns)
        return frozenset(name for cls, _, name in parts if cls == class_name.lower())


@dataclass(slots=True)
class SimHost:
    """One Hyper-V host. Its instances are built when it is first asked for anything."""

    fabric: Fabric
    plan: HostPlan
    faults: Faults
    site: int
    machines: dict[str, Machine] = field(default_factory=dict)
    groups: dict[str, groups.Group] = field(default_factory=dict)
    planned: dict[str, Machine] = field(default_factory=dict)
    """Imported and arriving machines that are not realized yet."""
    moves: list[Move] = field(default_factory=list)
    """Migrations under way from here and to here, and those that wait."""
    _repository: Repository | None = None
    spent: float = 0.0
    """Processor seconds of runs that have ended since the fabric began."""
    passed: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Bytes of ended runs: in and out by switch GUID, read and written under ``disk``; packets
    dropped under the GUID and ``dropped``."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    """What waits and latencies have added up to."""
    volumes_passed: dict[str, Passed] = field(default_factory=dict)
    """What has passed through each volume, by its name."""
    down: bool = False
    """It has no power: nobody answers on its address."""
    restarted: float = 0.0
    """When it was last started, if that was after the fabric began."""
    interrupted: set[str] = field(default_factory=set)
    """GUIDs of machines that were running when it lost its power."""
    _built: bool = False
    _jobs: Jobs | None = None
    _files: FileSystem | None = None
    _log: EventLog | None = None
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _address: int = 0
    """The last hardware address handed out to a dynamic adapter."""

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def system(self) -> HostSystem:
        return HOST_SYSTEMS[self.plan.os]

    @property
    def os_version(self) -> str:
        return self.system.version

    def now(self) -> datetime:
        return shapes.when(self.fabric.now())

    # -- building --------------------------------------------------------------------------

    @property
    def repository(self) -> Repository:
        if self._repository is None:
            self._build()
        assert self._repository is not None
        return self._repository

    def ensure(self) -> None:
        """Build it now, when somebody else's answer depends on its machines."""
        if self._repository is None:
            self._build()

    @property
    def built(self) -> bool:
        """It is furnished; what happens from now on is change."""
        return self._built

    @property
    def files(self) -> FileSystem:
        if self._files is None:
            self._files = FileSystem(self)
        return self._files

    @property
    def jobs(self) -> Jobs:
        if self._jobs is None:
            self._jobs = Jobs(self)
        return self._jobs

    @property
    def log(self) -> EventLog:
        if self._log is None:
            self._log = EventLog(self)
        return self._log

    def _build(self) -> None:
        from tui.sim import providers, replica_plans  # computed classes look back at the host

        self._repository = HostRepository(self)
        hardware.furnish(self)
        random = self.fabric.random(self.name, "machines")
        for plan in self.plan.vms:
            create(self, plan, random)
        groups.furnish(self)
        providers.install(self)
        eventlog.furnish(self)
        self._built = True
        replica_plans.furnish(self)

    def present(self) -> bool:
        """Somebody answers on its address."""
        self.fabric.advance()
        return not self.down

    def advance(self) -> None:
        """Bring the world up to date before a request is answered."""
        self.ensure()
        self.fabric.advance()
        now = self.fabric.now()
        if self._jobs is not None:
            self._jobs.refresh(now)
        for machine in self.machines.values():
            ran = sum(end - start for start, end in machine.spans(now)) if machine.runs else 0.0
            machine.system.values["OnTimeInMilliseconds"] = int(ran * 1000)
            if machine.replica is not None:
                replica_health.show(machine.replica, now)

    def lacks(self, namespace: str, class_name: str = "") -> bool:
        """It has no such namespace, or pretends not to know the class."""
        if not self._built:
            return False
        space = namespace.replace("\\", "/").lower()
        if space in self.faults.missing_namespaces:
            return True
        lowered = class_name.lower()
        if lowered in self.faults.unknown_classes:
            return True
        clustered = space.startswith("root/mscluster") or "_csvfsperfprovider_" in lowered
        return clustered and not self.plan.cluster

    # -- methods ---------------------------------------------------------------------------

    def invoke(
        self, instance: CimInstance, method: str, parameters: dict[str, CimValue]
    ) -> MethodOutput:
        from tui.sim.methods import invoke  # the table of methods looks back at the host

        return invoke(self, instance, method, parameters)

    # -- machines --------------------------------------------------------------------------

    def next_number(self) -> int:
        return next(self._numbers)

    def next_address(self) -> str:
        """The next hardware address of the pool; from its beginning again after the last."""
        settings = next(
            self.repository.instances(
                shapes.VIRTUALIZATION, "Msvm_VirtualSystemManagementServiceSettingData"
            )
        )
        low = int(shapes.text(settings, "MinimumMacAddress"), 16)
        high = int(shapes.text(settings, "MaximumMacAddress"), 16)
        self._address = self._address + 1 if low <= self._address < high else low
        return f"{self._address:012X}"

    def adopt(self, machine: Machine) -> None:
        """Show a machine as one of this host's."""
        machine.host = self
        self.machines[machine.id] = machine
        papers.write(machine)
        store = self.repository
        store.add(machine.system)
        for configuration in (machine.current, *machine.checkpoints.values()):
            store.add(configuration.settings)
            for item in configuration.resources.values():
                store.add(item)

    def dismiss(self, machine: Machine) -> None:
        """Show it no longer; its files stay."""
        self.machines.pop(machine.id, None)
        for key in [key for key in self.tallies if machine.id in key]:
            del self.tallies[key]
        store = self.repository
        store.remove(machine.system)
        for configuration in (machine.current, *machine.checkpoints.values()):
            store.remove(configuration.settings)
            for item in configuration.resources.values():
                store.remove(item)

    def wake(self, machine: Machine) -> None:
        """Give a machine its worker process."""
        machine.system.values["ProcessID"] = 2000 + machine.number * 148 % 50000 // 4 * 4
        machine.system.values["EnhancedSessionModeState"] = 6
        machine.system.values["HwThreadsPerCoreRealized"] = 2

    def settle(self, machine: Machine) -> None:
        """A run ends: what it did stays in the host's own counters."""
        self.keep(machine)
        machine.stop()

    def keep(self, machine: Machine) -> None:
        """Remember what a machine did here."""
        if machine.replica is not None:
            machine.replica.pair.gather(self.fabric.now())
        done = machine.done(self.fabric.now())
        load = machine.load
        self.spent += done.busy * machine.cpus
        read, written = self.passed.get("disk", (0.0, 0.0))
        read += done.amount(load.read)
        written += done.amount(load.write)
        self.passed["disk"] = (read, written)
        nics = machine.connected_nics
        for nic in nics:
            port = machine.connection(nic)
            path = "".join(shapes.strings(port, "HostResource")[:1]) if port else ""
            key = path.rpartition('Name="')[2].rstrip('"').upper()
            entered, left = self.passed.get(key, (0.0, 0.0))
            entered += done.amount(load.net_out) / len(nics)
            left += done.amount(load.net_in) / len(nics)
            self.passed[key] = (entered, left)
            lost, missed = self.passed.get(f"{key} dropped", (0.0, 0.0))
            entering, leaving = machine.dropped(self.fabric.now())
            lost += leaving / len(nics)  # what a machine sends comes in to the switch
            missed += entering / len(nics)
            self.passed[f"{key} dropped"] = (lost, missed)

    def machine(self, identity: str) -> Machine | None:
        return self.machines.get(identity.upper())

    def owner_of(self, instance_id: str) -> tuple[Machine, str] | None:
        """The machine a setting belongs to, and the checkpoint's GUID when it is one's."""
        head = instance_id.removeprefix("Microsoft:").partition("\\")[0].upper()
        machine = self.machines.get(head) or self.planned.get(head)
        if machine is not None:
            return machine, ""
        for machine in (*self.machines.values(), *self.planned.values()):
            if head in machine.checkpoints:
                return machine, head
        return None

    def memory_in_use(self) -> int:
        """MB assigned to machines."""
        now = self.fabric.now()
        return sum(m.memory(now) for m in self.machines.values() if m.state in ALIVE)

    # -- networks --------------------------------------------------------------------------

    def switches(self) -> list[CimInstance]:
        found = self.repository.instances(shapes.VIRTUALIZATION, "Msvm_VirtualEthernetSwitch")
        return list(found)

    def switch_named(self, name: str) -> CimInstance | None:
        return next((s for s in self.switches() if s.values["ElementName"] == name), None)

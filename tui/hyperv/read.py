"""Reading a host: tiers of queries joined into one ``Inventory``.

*Fast* tells how everything is, in at most three requests however many machines there are;
*slow* tells how it is set up; *facts* what the host is; *cluster*, on one node of each, how the
failover cluster stands. A tier that is not read keeps what it told before. A class that is
missing costs only what it would have told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace as replace_parts
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.hyperv import (
    clean,
    clusters,
    counters,
    devices,
    hosts,
    jobs,
    machines,
    networks,
    paths,
    queries,
    replicas,
    states,
)
from tui.hyperv.ask import Asker
from tui.hyperv.measuring import Measuring
from tui.hyperv.meters import ImageFile, Look, Meters
from tui.hyperv.model import Cluster, Host, HostVitals, Inventory, Job, Nic
from tui.hyperv.replica import TEST, Replica
from tui.hyperv.sources import SOURCES, Rotation
from tui.hyperv.summary import Summaries
from tui.hyperv.survey import Survey
from tui.wsman.cim import CimInstance, CimRef

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

REQUESTS = 3
"""Requests of a fast tick at most; paging apart."""

_KILOBYTE = 1024


class Reader:
    """Reads one host over one client. Not for several threads."""

    def __init__(
        self,
        client: CimClient,
        host_id: str,
        url: str,
        *,
        read_only: bool = False,
        demo: bool = False,
        now: Callable[[], float],
        previous: Inventory | None = None,
    ) -> None:
        self._host = host_id
        self._now = now
        self._ask = Asker(client, now)
        self._summaries = Summaries(client, self._ask, host_id)
        self._statistics = replicas.Statistics(client, now)
        self._healths: dict[str, int] = {}
        """ReplicationHealth of machines when relationships were last read."""
        self._inventory = previous or Inventory(Host(host_id, url), HostVitals(host_id))
        host = replace(self._inventory.host, url=url, read_only=read_only, demo=demo)
        self._inventory = replace(self._inventory, host=host)
        self._tick = 0
        self._rotation = Rotation(self._ask.is_absent)
        self._measuring = Measuring(self._ask)
        self._client = client
        known = self._inventory.meters
        self._images: tuple[ImageFile, ...] = known.images if known is not None else ()
        self._survey = Survey(host_id, self._images)
        self._primed: set[str] = set()
        self._processor: CimInstance | None = None
        self._subjects = {job.id: job.subject for job in self._inventory.jobs.values()}

    @property
    def unavailable(self) -> dict[str, str]:
        """Classes this host does not answer for, and why."""
        return {name: str(fault) for name, fault in self._ask.refusals.items()}

    @property
    def wants_slow(self) -> bool:
        """Machines appeared of which only the summary is known, or are replicated otherwise."""
        settled = self._summaries.by_systems  # a host without summaries has no settings either
        if not settled and any(not vm.complete for vm in self._inventory.vms.values()):
            return True
        return bool(self._healths) and self._healths != self._healths_now()

    def attend(self, looks: Iterable[Look]) -> None:
        """What is being looked at from now on, and is read with the fast tier."""
        for name in self._measuring.attend(looks):
            self._rotation.forget(name)

    # -- fast ------------------------------------------------------------------------------

    def fast(self) -> Inventory:
        """How everything is now."""
        self._tick += 1
        rows = machines.distinct(self._summaries.read(tasks=self._must_learn_subjects()))
        self._learn_subjects(rows)
        for name in self._turn(REQUESTS - self._summaries.spent):
            self._read_source(name)
        before = self._inventory
        now = self._now()
        rates = self._measuring.rates(rows.keys(), before.vms)
        self._inventory = replace(
            before,
            vitals=self._with_totals(before.vitals),
            vms={
                vm: machines.join_summary(row, self._host, before.vms.get(vm))
                for vm, row in rows.items()
            },
            vm_vitals={
                vm: machines.join_vitals(
                    row,
                    self._host,
                    before.vm_vitals.get(vm),
                    now,
                    rates.get(vm, machines.UNKNOWN),
                )
                for vm, row in rows.items()
            },
            jobs={key: self._with_subject(job) for key, job in before.jobs.items()},
        )
        self._inventory = replace(self._inventory, meters=self._meters())
        return self._inventory

    def _meters(self) -> Meters | None:
        """All that is being looked at, files among it."""
        found = self._measuring.meters(self._inventory)
        if found is None or Look.IMAGES not in found.looks:
            return found
        return replace(found, images=self._images)

    @property
    def surveying(self) -> bool:
        """There are files of which nothing is known yet."""
        return self._survey.unread

    def survey(self) -> Inventory:
        """Some more of the files of disks, while they are being looked at."""
        vitals = self._inventory.vm_vitals
        running = [vm for vm, one in vitals.items() if one.state in states.HAS_WORKER]
        self._images = self._survey.step(self._client, self._inventory.vms, running, self._now())
        self._inventory = replace(self._inventory, meters=self._meters())
        return self._inventory

    def _turn(self, slots: int) -> list[str]:
        """The sources most overdue; jobs come first while one is running."""
        busy = any(not job.finished for job in self._inventory.jobs.values())
        return self._rotation.turn(
            self._tick,
            slots,
            self._measuring.looks,
            urgent="jobs" if busy else "",
            clustered=bool(self._inventory.host.cluster),
        )

    def _read_source(self, name: str) -> None:
        rows = self._ask.optional(SOURCES[name].query, once=True)
        match name:
            case "cpu":
                self._take_processor(rows)
            case "jobs":
                self._take_jobs(rows)
            case "memory":
                self._take_system(rows)
            case _:
                self._measuring.take(name, rows, self._now())

    def _take_system(self, rows: list[CimInstance] | None) -> None:
        free = clean.maybe(rows[0].get("FreePhysicalMemory")) if rows else None
        local = clean.moment(rows[0].get("LocalDateTime")) if rows else 0.0
        self._set_vitals(
            memory_free=None if free is None else free * _KILOBYTE,
            clock=local - self._now() if local else None,
        )

    def _set_vitals(self, **changes: float | None) -> None:
        vitals = replace(self._inventory.vitals, **changes)
        self._inventory = replace(self._inventory, vitals=vitals)

    def _take_processor(self, rows: list[CimInstance] | None) -> None:
        before, self._processor = self._processor, rows[0] if rows else None
        if self._processor is None:
            self._set_vitals(cpu=None)
        elif before is not None and counters.elapsed(before, self._processor) > 0:
            processors = self._inventory.host.logical_processors
            cpu = counters.busy(before, self._processor, "PercentTotalRunTime", processors)
            self._set_vitals(cpu=cpu)

    def _with_totals(self, vitals: HostVitals) -> HostVitals:
        rates = self._measuring.totals()
        return replace(
            vitals,
            net_in=rates.net_in,
            net_out=rates.net_out,
            disk_read=rates.disk_read,
            disk_write=rates.disk_write,
        )

    # -- jobs ------------------------------------------------------------------------------

    def _take_jobs(self, rows: list[CimInstance] | None) -> None:
        if rows is None:
            return
        found = [self._with_subject(jobs.join_job(row, self._host)) for row in rows]
        self._inventory = replace(self._inventory, jobs={job.id: job for job in found})
        self._subjects = {job.id: job.subject for job in found}

    def _with_subject(self, job: Job) -> Job:
        known = self._subjects.get(job.id, "")
        return replace(job, subject=known) if known and known != job.subject else job

    def _must_learn_subjects(self) -> bool:
        return any(not job.finished and not job.subject for job in self._inventory.jobs.values())

    def _learn_subjects(self, rows: dict[str, CimInstance]) -> None:
        for vm, row in rows.items():
            tasks = row.get("AsynchronousTasks")
            for task in tasks if isinstance(tasks, tuple) else ():
                if isinstance(task, CimInstance):
                    self._subjects[f"{self._host}:{clean.text(task.get('InstanceID'))}"] = vm

    def _learn_affected(self) -> None:
        """Whose jobs those are that no summary lists, out of the association."""
        if all(job.subject for job in self._inventory.jobs.values()):
            return
        for row in self._ask.optional(queries.AFFECTED) or ():
            job, thing = row.get("AffectingElement"), row.get("AffectedElement")
            if not isinstance(job, CimRef) or not isinstance(thing, CimRef):
                continue
            vm = paths.guid(thing.key("Name")) or paths.owner(thing.key("InstanceID"))
            if vm in self._inventory.vms:
                self._subjects[f"{self._host}:{job.key('InstanceID')}"] = vm

    # -- slow ------------------------------------------------------------------------------

    def slow(self, looked: str = "") -> Inventory:
        """How machines, switches and volumes are set up. ``looked``: GUID of the machine that is
        being looked at.
        """
        for _ in self.slow_parts(looked):
            pass
        return self._inventory

    def slow_parts(self, looked: str = "") -> Iterator[Inventory]:
        """The same as it comes: machines first, then what is around them."""
        optional = self._ask.optional
        bare = self._summaries.by_systems
        systems = optional(queries.SYSTEMS) if bare else self._ask.required(queries.SYSTEMS)
        ports, switches = optional(queries.PORTS), optional(queries.SWITCHES)
        nics = self._nics(ports, switches)
        resources, images = optional(queries.DRIVES), optional(queries.IMAGES)
        status = {name: optional(query) for name, query in queries.SERVICE_STATUS.items()}
        settings = {name: optional(query) for name, query in queries.SERVICE_SETTINGS.items()}
        parts = machines.Parts(
            systems=systems or (),
            processors=optional(queries.PROCESSORS),
            memory=optional(queries.MEMORY),
            security=optional(queries.SECURITY),
            merging=optional(queries.MERGING),
            nics=nics,
            disks=devices.join_disks(resources, images or ()) if resources is not None else None,
            integration=devices.join_integration(settings, status),
            guests=devices.join_guests(status["kvp"] or ()),
        )
        standings = optional(queries.STANDINGS)
        before = self._inventory
        self._inventory = replace(
            before,
            vms=machines.join_vms(before.vms, parts, self._host, before.vm_vitals),
            vm_vitals=machines.join_standings(before.vm_vitals, standings or (), self._now()),
        )
        yield self._inventory
        self._learn_affected()
        self._prime("net", "disk")
        before = self._inventory
        self._inventory = replace(
            before,
            host=self._with_hardware(before.host),
            jobs={key: self._with_subject(job) for key, job in before.jobs.items()},
        )
        if ports is not None and switches is not None:
            self._join_switches(ports, switches)
        if standings is not None:
            self._join_replicas(looked)
        yield self._inventory

    def _join_replicas(self, looked: str) -> None:
        """Relationships, on a host whose machines say that they take part in some."""
        optional, at = self._ask.optional, self._now()
        before = self._inventory
        modes = {vitals.replication_mode for vitals in before.vm_vitals.values()} - {0}
        found: dict[str, Replica] = {}
        if modes:
            rows = optional(queries.REPLICATIONS)
            if rows is None:
                return
            parts = replicas.Parts(
                relationships=rows,
                settings=(optional(queries.REPLICATION_SETTINGS) or ()) if rows else (),
                tests=(optional(queries.TEST_REPLICAS) or ()) if TEST in modes else (),
                vms=before.vms,
                vitals=before.vm_vitals,
            )
            clock = before.vitals.clock or 0.0
            joined = replicas.join_replicas(before.replicas, parts, self._host, at, clock)
            found = self._statistics.read(joined, looked)
        self._inventory = replace(before, replicas=found)
        self._healths = self._healths_now() if found else {}

    def _healths_now(self) -> dict[str, int]:
        vitals = self._inventory.vm_vitals.values()
        return {one.id: one.replication for one in vitals if one.replication_mode}

    def _nics(
        self, ports: list[CimInstance] | None, switches: list[CimInstance] | None
    ) -> dict[str, tuple[Nic, ...]] | None:
        if ports is None:
            return None
        vlans = self._ask.optional(queries.VLANS) or ()
        guests = self._ask.optional(queries.GUEST_NETWORKS) or ()
        return networks.join_nics(ports, vlans, guests, switches or ())

    def _with_hardware(self, host: Host) -> Host:
        wired = self._ask.optional(queries.WIRED_PORTS)
        wireless = self._ask.optional(queries.WIRELESS_PORTS)
        if wired is not None or wireless is not None:
            ports = [*(wired or ()), *(wireless or ())]
            host = replace(host, uplinks=networks.join_uplinks(ports))
        volumes = self._ask.optional(queries.VOLUMES)
        if volumes is None:
            volumes = self._ask.optional(queries.DRIVE_LETTERS)
        return host if volumes is None else replace(host, volumes=hosts.join_volumes(volumes))

    def _join_switches(self, ports: list[CimInstance], switches: list[CimInstance]) -> None:
        inventory = self._inventory
        found = networks.join_switches(
            self._host,
            switches,
            self._ask.optional(queries.SWITCH_SETTINGS) or (),
            ports,
            inventory.host.uplinks,
            {vm.id: (vm.name, vm.nics) for vm in inventory.vms.values()},
        )
        self._inventory = replace(inventory, switches=found)

    # -- facts -----------------------------------------------------------------------------

    def facts(self) -> Inventory:
        """What the host is, and how it is set up."""
        self.identity()
        return self.options()

    def identity(self) -> Inventory:
        """What the host is."""
        optional = self._ask.optional
        facts = hosts.Facts(
            system=optional(queries.COMPUTER),
            os=optional(queries.OPERATING_SYSTEM),
            processors=optional(queries.SOCKETS),
            cluster=optional(queries.CLUSTER_NAME),
        )
        self._take_facts(facts)
        self._prime("cpu", "memory")
        return self._inventory

    def options(self) -> Inventory:
        """How the host itself is set up: service, migration, templates."""
        optional = self._ask.optional
        facts = hosts.Facts(
            numa=optional(queries.NUMA_NODES),
            service=optional(queries.SERVICE_OPTIONS),
            migration=optional(queries.MIGRATION_OPTIONS),
            listener=optional(queries.MIGRATION_LISTENER),
            migration_networks=optional(queries.MIGRATION_NETWORKS),
            definitions=self._definitions(),
        )
        self._take_facts(facts)
        return self._inventory

    def _take_facts(self, facts: hosts.Facts) -> None:
        host = hosts.join_host(self._inventory.host, facts)
        self._inventory = replace(self._inventory, host=host)

    def _definitions(self) -> list[CimInstance] | None:
        found = self._ask.optional(queries.CAPABILITIES)
        return self._ask.related(found[0], queries.DEFINITIONS) if found else None

    # -- cluster ---------------------------------------------------------------------------

    def cluster(self, *, whole: bool) -> Inventory:
        """How the cluster of this node stands; ``whole``: and how it is set up."""
        optional, at = self._ask.optional, self._now()
        before = self._inventory
        parts = clusters.Parts(
            nodes=optional(queries.CLUSTER_NODES), groups=optional(queries.CLUSTER_GROUPS)
        )
        whole = whole or _differ(before.cluster, parts)
        if whole or before.cluster is None or before.cluster.moving:
            parts = replace_parts(parts, resources=optional(queries.CLUSTER_RESOURCES))
        if whole or before.cluster is None:
            parts = replace_parts(
                parts,
                cluster=optional(queries.CLUSTER_ITSELF),
                preferred=optional(queries.PREFERRED_OWNERS),
                volumes=optional(queries.SHARED_VOLUMES),
                volume_resources=optional(queries.SHARED_VOLUME_DISKS),
                partitions=optional(queries.PARTITIONS),
                volume_partitions=optional(queries.SHARED_VOLUME_SPACES),
                networks=optional(queries.CLUSTER_NETWORKS),
            )
        found = clusters.join_cluster(before.cluster, parts)
        read = parts.nodes is not None and parts.groups is not None
        self._inventory = replace(
            before, cluster=found, cluster_at=at if read else before.cluster_at
        )
        return self._inventory

    def silence(self) -> Inventory:
        """Another node tells of the cluster from now on."""
        if self._inventory.cluster is not None:
            self._inventory = replace(self._inventory, cluster=None)
        return self._inventory

    def _prime(self, *names: str) -> None:
        """Sources whose first value would come some fast ticks late: counters need two readings."""
        for name in names:
            if name not in self._primed and not self._ask.is_absent(SOURCES[name].query):
                self._primed.add(name)
                self._read_source(name)


def _differ(before: Cluster | None, parts: clusters.Parts) -> bool:
    """A node has come, gone or changed, which may change all the rest."""
    found = clusters.join_cluster(before, parts)
    return before is None or found is None or found.nodes != before.nodes

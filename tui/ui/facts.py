"""What is known of one thing, as titled groups of facts. Knows no widget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tui.actions import Target
from tui.actions.relationship import points_of
from tui.collector.messages import CallUpdate
from tui.hyperv import merging, states
from tui.hyperv.model import Disk, HostVitals, Nic, Trouble
from tui.hyperv.plans.words import several
from tui.rows import levels, replicas, text
from tui.rows.activity import PHASES
from tui.rows.columns import vm_uptime
from tui.rows.findings import finding, passing
from tui.rows.hostfindings import clock, clock_tone
from tui.rows.replicas import replication
from tui.store import (
    HostRow,
    JobRow,
    NodeRow,
    ReplicaRow,
    RoleRow,
    Stale,
    Store,
    SwitchRow,
    VmRow,
    VolumeRow,
)
from tui.ui import loadfacts

_POINTS = 8
"""Recovery points listed, the newest."""


@dataclass(slots=True)
class Fact:
    """A label and what stands beside it."""

    label: str
    text: str
    tone: str = ""


@dataclass(slots=True)
class Section:
    """Facts under a heading."""

    title: str
    facts: list[Fact] = field(default_factory=list)

    def add(self, label: str, value: str | None, tone: str = "") -> Section:
        """Add a fact unless there is nothing to say."""
        if value:
            self.facts.append(Fact(label, value, tone))
        return self

    def extend(self, facts: Iterable[tuple[str, str, str]]) -> Section:
        """Add facts: label, words, tone."""
        for fact in facts:
            self.add(*fact)
        return self


def facts(row: object, store: Store, now: float) -> list[Section]:
    """Everything about a row, most urgent first; sections without facts left out."""
    if isinstance(row, VmRow):
        found = list(_vm(row, store, now))
    elif isinstance(row, HostRow):
        found = list(_group(row, store) if row.group else _host(row, now))
    elif isinstance(row, SwitchRow):
        found = list(_switch(row, store, now))
    elif isinstance(row, JobRow):
        found = list(_job(row, now))
    elif isinstance(row, ReplicaRow):
        found = list(_replica(row, store, now))
    elif isinstance(row, RoleRow | NodeRow | VolumeRow):
        from tui.ui.clusterfacts import facts_of  # which is made of what is here

        found = list(facts_of(row, store, now))
    else:
        found = []
    return [section for section in found if section.facts]


def name_of(row: object) -> str:
    """What the thing is called, with its host where it has one."""
    if isinstance(row, HostRow):
        return row.name if row.group else row.host.id
    if isinstance(row, VmRow | SwitchRow | JobRow | ReplicaRow):
        return f"{row.name} on {row.host.id}"
    if isinstance(row, RoleRow | NodeRow | VolumeRow):
        return f"{row.name} of {row.cluster.name}"
    return ""


# -- virtual machines ----------------------------------------------------------------------


def _vm(row: VmRow, store: Store, now: float) -> Iterator[Section]:
    vm, vitals = row.vm, row.vitals
    yield _attention(row, store, now)
    state = text.vm_shown(vitals)
    power = Section("State").add("State", str(state), state.tone)
    if vitals.since and vitals.state in states.MOVING:
        power.add("For", passing(vitals, now))
    power.add("Uptime", text.uptime(vm_uptime(row)))
    power.add("Heartbeat", *text.heartbeat(vitals.heartbeat))
    power.add("Host", row.host.id + (f" in {row.host.cluster}" if row.host.cluster else ""))
    power.add("Replication", replication(row).text, replication(row).tone)
    yield power
    yield _load(row)
    yield _guest(row)
    for position, nic in enumerate(vm.nics):
        yield _nic(nic, position).add("Now", *loadfacts.adapter_line(row, nic, store))
    disks = Section("Disks")
    for disk in vm.disks:
        disks.add(_slot(disk), _image(disk), "" if disk.path or disk.physical else "dim")
        disks.add("  now", *loadfacts.disk_line(row, disk, store))
    yield disks
    points = Section("Checkpoints")
    points.add("Merging", *text.MERGING[merging.standing(vm, vitals.activity)])
    for point in sorted(vm.checkpoints, key=lambda p: p.created_at, reverse=True):
        kind = "" if point.kind == "standard" else f" {point.kind}"
        tone = "error" if point.kind == "missing" else ""
        points.add(text.age(now - point.created_at) + kind, point.name, tone)
    yield points
    yield Section("Notes").add("", vm.notes.strip())
    yield _settings(row)


def _load(row: VmRow) -> Section:
    vm, vitals = row.vm, row.vitals
    cores = f"of {vm.processors} vCPU" if vm.processors else ""
    load = Section("Load")
    load.add("CPU", f"{text.percent(vitals.cpu)} {cores}".strip())
    assigned = text.size(vitals.memory)
    demand = text.size(vitals.demand)
    load.add("Memory", assigned + (f", demand {demand}" if demand else ""))
    if vm.dynamic_memory:
        span = f"{text.size(vm.memory_minimum)} to {text.size(vm.memory_maximum)}"
        load.add("Dynamic", f"{span}, startup {text.size(vm.memory_startup)}")
    elif vm.memory_startup:
        load.add("Fixed", text.size(vm.memory_startup))
    if vitals.net_in is not None:
        load.add("Network", f"in {text.rate(vitals.net_in)}  out {text.rate(vitals.net_out)}")
    if vitals.disk_read is not None:
        rates = f"read {text.rate(vitals.disk_read)}  write {text.rate(vitals.disk_write)}"
        load.add("Disk", rates)
    load.extend(loadfacts.of_machine(row))
    return load


def _guest(row: VmRow) -> Section:
    vm = row.vm
    guest = Section("Guest").add("System", text.operating_system(vm.guest))
    guest.add("Name", vm.guest_name)
    guest.add("IP", ", ".join(text.addresses(vm.nics)))
    off = [service.name for service in vm.integration if not service.enabled]
    guest.add("Services off", ", ".join(off), "warning")
    return guest


def _nic(nic: Nic, position: int) -> Section:
    section = Section("Network adapter" if not position else f"Network adapter {position + 1}")
    if not nic.connected:
        section.add("Switch", "not connected", "warning")
    section.add("Switch", nic.switch_name)
    section.add("VLAN", text.vlan(nic.vlan) or "untagged")
    section.add("MAC", text.mac(nic.mac) + (" static" if nic.static_mac else " dynamic"))
    return section.add("Addresses", ", ".join(nic.addresses))


def _slot(disk: Disk) -> str:
    return f"{'DVD ' if disk.dvd else ''}{disk.controller} {disk.controller_number}:{disk.slot}"


def _image(disk: Disk) -> str:
    return disk.path or ("physical disk" if disk.physical else "empty")


def _settings(row: VmRow) -> Section:
    vm = row.vm
    boot = {True: "on", False: "off", None: ""}[vm.secure_boot]
    settings = Section("Settings")
    if vm.generation:
        settings.add("Generation", f"{vm.generation}, version {vm.version}")
    settings.add("Secure boot", boot)
    settings.add("Nested", "yes" if vm.nested else "")
    delay = f" after {vm.start_delay} s" if vm.start_delay else ""
    settings.add("Host starts", text.START_ACTIONS.get(vm.automatic_start, "") + delay)
    settings.add("Host stops", text.STOP_ACTIONS.get(vm.automatic_stop))
    if vm.created_at:
        settings.add("Created", text.day(vm.created_at))
    settings.add("Process", text.count(row.vitals.process))
    return settings.add("GUID", vm.id, "dim")


# -- what is wrong or under way ------------------------------------------------------------


def _attention(row: VmRow, store: Store, now: float) -> Section:
    section = Section("Attention")
    if (found := finding(row)) is not None:
        section.add("Problem", *found)
    if row.duplicate:
        section.add("Duplicate", "the same GUID is live on another host too", "error")
    attend(section, row, store, now)
    return section


def attend(
    section: Section, row: VmRow | RoleRow | NodeRow | VolumeRow, store: Store, now: float
) -> None:
    """How old what is shown is, what is under way, and what went wrong last."""
    _age(section, row.stale, row.host_vitals, now)
    _calls(section, row.key, row.vm.id if isinstance(row, VmRow) else row.key, store, now)


def _calls(section: Section, key: str, target: str, store: Store, now: float) -> None:
    """What is under way with a thing, and how the last call on it failed."""
    mark = store.pending.get(key)
    if mark is not None:
        words = f"{mark.text}: {PHASES[mark.phase][0].lower()} {text.age(now - mark.since)} ago"
        percent = f", {mark.percent}%" if mark.percent is not None else ""
        section.add("Under way", words + percent, "changing")
    call = _last_failure(store, target)
    if call is not None and call.trouble is not None:
        section.add("Last action", f"{call.action} {call.phase}: {text.trouble(call.trouble)}",
                    "error")  # fmt: skip
        section.add("Hint", call.trouble.hint)


def _last_failure(store: Store, guid: str) -> CallUpdate | None:
    """The newest call on a thing, when it did not succeed."""
    mine = [call for call in store.calls.values() if call.target == guid]
    return mine[-1] if mine and mine[-1].trouble is not None else None


def _age(section: Section, stale: Stale, vitals: HostVitals, now: float) -> None:
    if stale is Stale.FRESH:
        return
    age = text.age(now - vitals.read_at) if vitals.read_at else "never read"
    words = "host lost, last read" if stale is Stale.LOST else "not renewed for"
    section.add("Data", f"{words} {age}" + (" ago" if stale is Stale.LOST else ""), "warning")
    _trouble(section, vitals.trouble)


def _trouble(section: Section, trouble: Trouble | None) -> None:
    if trouble is None:
        return
    section.add("Why", trouble.title, "error")
    section.add("Cause", trouble.cause)
    section.add("Hint", trouble.hint, "accent")
    section.add("Code", f"0x{trouble.code & 0xFFFFFFFF:08X}" if trouble.code else "", "dim")


# -- hosts ---------------------------------------------------------------------------------


def _host(row: HostRow, now: float) -> Iterator[Section]:
    host, vitals = row.host, row.vitals
    attention = Section("Attention")
    if row.stale is Stale.FRESH:
        _trouble(attention, vitals.trouble)
    else:
        _age(attention, row.stale, vitals, now)
    yield attention
    link = text.host_state(vitals)
    state = Section("Connection").add("State", str(link), link.tone).add("Address", host.url)
    state.add("Round trip", text.latency(vitals.latency))
    if vitals.interval:
        asked = several(vitals.requests, "request")
        state.add("Refreshed", f"every {vitals.interval:.0f} s, {asked} so far")
    if tone := clock_tone(vitals):
        state.add("Clock", clock(vitals), tone)
    state.add("Read-only", "yes" if host.read_only else "", "warning")
    yield state
    load = Section("Load").add("CPU", text.percent(vitals.cpu))
    used = text.size(row.memory_used)
    load.add("Memory", f"{used} of {text.size(host.memory)}" if used else text.size(host.memory))
    load.add("VMs", f"{row.running} running of {row.total}")
    if vitals.net_in is not None:
        load.add("Network", f"in {text.rate(vitals.net_in)}  out {text.rate(vitals.net_out)}")
    if vitals.disk_read is not None:
        rates = f"read {text.rate(vitals.disk_read)}  write {text.rate(vitals.disk_write)}"
        load.add("Disk", rates)
    load.extend(loadfacts.of_host(row))
    yield load
    yield _machine(row, now)
    volumes = Section("Volumes")
    for volume in host.volumes:
        free = 100 * volume.free / volume.capacity if volume.capacity else None
        tone = levels.tone("volume_free", free)
        words = f"{text.size(volume.free)} free of {text.size(volume.capacity)}  {volume.label}"
        volumes.add(volume.name, words, tone)
    yield volumes
    uplinks = Section("Physical adapters")
    for uplink in host.uplinks:
        words = f"{text.bits(uplink.speed) if uplink.connected else 'no link'}"
        uplinks.add(uplink.name, words + (", on a switch" if uplink.bound else ""))
    yield uplinks


def _machine(row: HostRow, now: float) -> Section:
    host = row.host
    machine = Section("Machine").add("System", text.operating_system(host.os))
    machine.add("Build", host.build).add("Model", host.model).add("Processor", host.processor)
    if host.logical_processors:
        counts = {"socket": host.sockets, "core": host.cores, "thread": host.logical_processors}
        machine.add("Processors", ", ".join(several(n, noun) for noun, n in counts.items()))
    machine.add("Cluster", host.cluster).add("Domain", host.domain)
    if host.booted_at:
        machine.add("Up", text.uptime(now - host.booted_at))
    machine.add("VM folder", host.vm_path).add("Disk folder", host.vhd_path)
    return machine


def _group(row: HostRow, store: Store) -> Iterator[Section]:
    cluster = store.clusters.cluster(row.host.cluster)
    if cluster is not None:
        from tui.ui.clusterfacts import cluster_facts  # which is made of what is here

        yield from cluster_facts(cluster)
    yield (
        Section("Cluster" if row.host.cluster else "Standalone hosts")
        .add("Hosts", f"{row.up} up of {row.members}", "" if row.up == row.members else "warning")
        .add("VMs", f"{row.running} running of {row.total}")
        .add("CPU", text.percent(row.vitals.cpu))
        .add("Memory", f"{text.size(row.memory_used)} of {text.size(row.host.memory)}")
    )
    members = Section("Members")
    for host in store.host_rows.values():
        if host.host.cluster == row.host.cluster:
            state = text.host_state(host.vitals)
            members.add(host.host.id, f"{state}  {text.percent(host.vitals.cpu)}", state.tone)
    yield members


# -- switches, jobs ------------------------------------------------------------------------


def _switch(row: SwitchRow, store: Store, now: float) -> Iterator[Section]:
    switch = row.switch
    attention = Section("Attention")
    _age(attention, row.stale, row.host_vitals, now)
    yield attention
    section = Section("Virtual switch").add("Host", row.host.id).add("Kind", switch.kind.value)
    section.add("Uplink", ", ".join(switch.uplinks))
    section.add("Host port", "the host uses it too" if switch.shared else "not used by the host")
    section.add("Teaming", "yes" if switch.teaming else "").add("SR-IOV", "on" * switch.iov)
    section.add("VLANs", text.ranges(switch.vlans)).add("Ports", text.count(switch.ports))
    section.extend(loadfacts.of_switch(row, store))
    yield section.add("GUID", switch.guid, "dim")
    connected = Section(f"Connected machines ({len(switch.vms)})")
    for guid in switch.vms:
        vm = store.vms.get(guid)
        if vm is not None:
            state = text.vm_shown(vm.vitals)
            connected.add(vm.name, str(state), state.tone)
    yield connected


def _job(row: JobRow, now: float) -> Iterator[Section]:
    job = row.job
    section = Section("Job").add("State", *text.job_state(job))
    section.add("Done", text.percent(job.percent)).add("VM", row.subject).add("Host", row.host.id)
    section.add("Started", text.day(job.started_at)).add("Elapsed", text.uptime(job.elapsed))
    section.add("Error", job.error, "error").add("Code", text.count(job.error_code))
    section.add("Cancel", "" if job.finished else "possible" if job.cancellable else "not possible")
    yield section.add("Id", job.id, "dim")


# -- replication ---------------------------------------------------------------------------


def _replica(row: ReplicaRow, store: Store, now: float) -> Iterator[Section]:
    replica = row.replica
    attention = Section("Attention")
    if replicas.problem(row):
        health = replicas.health(replica)
        attention.add("Reason", replicas.reason(row), health.tone if health else "warning")
    _age(attention, row.stale, row.host_vitals, now)
    _calls(attention, row.key, row.key, store, now)
    yield attention
    yield _standing(row, now)
    yield _cycles(row, now)
    points = Section("Recovery points")
    target = store.target(row.key)
    for point in points_of(target)[:_POINTS] if target else ():
        points.add(text.age(now - point.created_at), text.day(point.created_at))
    yield points


def _standing(row: ReplicaRow, now: float) -> Section:
    replica, state = row.replica, replicas.state(row.replica)
    section = Section("Relationship").add("State", str(state), state.tone)
    health = replicas.health(replica)
    section.add("Health", str(health) if health else "", health.tone if health else "")
    section.add("Next step", replicas.next_step(row), "accent")
    section.add("Here", f"{replicas.role(replica)} on {row.host.id}")
    section.add("Way", replicas.way(replica))
    if row.other is not None:
        there = replicas.state(row.other.replica)
        section.add("Other end", f"{there} on {row.other.host.id}", there.tone)
    return section.add("Test machine", replica.test_name, "warning")


def _cycles(row: ReplicaRow, now: float) -> Section:
    replica = row.replica
    section = Section("Cycles").add("Behind", replicas.lag(replica), replicas.lag_tone(replica))
    section.add("Last good", text.day(replica.last) or "never")
    section.add("Applied", text.day(replica.applied) if replica.is_replica else "")
    section.add("Consistent", text.day(replica.consistent))
    section.add("Pending", text.size(replica.pending) if replica.is_primary else "")
    section.add("Average", text.latency(replica.latency))
    if replica.missed is not None and replica.succeeded is not None:
        words = f"{replica.missed} of {replica.missed + replica.succeeded}"
        section.add("Missed", f"{words}, {replica.failures or 0} failed")
    section.add("Last test", text.day(replica.tested))
    asked = f"{text.age(now - replica.asked_at)} ago" if replica.asked_at else ""
    return section.add("Asked", asked, "dim")


def sentence(target: Target) -> str:
    """A target in a dialog's list: name and host."""
    host = target.host.id
    return f"{target.name}  on {host}" if target.name != host else host

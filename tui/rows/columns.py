"""The columns of every pane, as data; those of jobs and calls come from ``activity``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tui.hyperv import merging
from tui.rows import levels, text
from tui.rows.activity import (
    CALL_COLUMNS,
    CALL_DEFAULT,
    EXCHANGE_COLUMNS,
    EXCHANGE_DEFAULT,
    JOB_COLUMNS,
    JOB_DEFAULT,
    PHASES,
)
from tui.rows.clustering import (
    NODE_COLUMNS,
    NODE_DEFAULT,
    ROLE_COLUMNS,
    ROLE_DEFAULT,
    VOLUME_COLUMNS,
    VOLUME_DEFAULT,
)
from tui.rows.column import Cell, Column, find, order, plain, select
from tui.rows.findings import finding, stuck
from tui.rows.hostfindings import host_finding
from tui.rows.meters import pressure
from tui.rows.replicas import REPLICA_COLUMNS, REPLICA_DEFAULT, replication
from tui.store.rows import HostRow, SwitchRow, VmRow

__all__ = [
    "BY_KIND", "CALL_COLUMNS", "CALL_DEFAULT", "EXCHANGE_COLUMNS", "EXCHANGE_DEFAULT",
    "HOST_COLUMNS",
    "HOST_DEFAULT", "JOB_COLUMNS", "JOB_DEFAULT", "PHASES", "REPLICA_COLUMNS",
    "REPLICA_DEFAULT", "SWITCH_COLUMNS", "SWITCH_DEFAULT",
    "VM_COLUMNS", "VM_DEFAULT", "Cell", "Column", "find", "order", "plain", "select",
]  # fmt: skip

# -- virtual machines ----------------------------------------------------------------------


def _vm_state(row: VmRow) -> Cell:
    state = text.vm_shown(row.vitals, row.pending)
    if not row.pending and (found := stuck(row)):
        state = text.State("▲", "!", state.word, found.tone)
    return Cell(str(state), "stale" if row.stale >= 3 else state.tone)


def _vm_cpu(row: VmRow) -> Cell:
    cpu = row.vitals.cpu
    if cpu is None:
        return Cell("")
    return Cell(text.percent(cpu), levels.tone("vm_cpu", cpu), cpu / 100)


def _vm_demand(row: VmRow) -> Cell:
    share = pressure(row)
    if share is None:
        return Cell("")
    tone = levels.tone("memory_demand", share)
    return Cell(text.size(row.vitals.demand), tone, min(1.0, share / 100))


def vm_uptime(row: VmRow) -> float | None:
    """Seconds a VM has been running, as of the reading we show."""
    return text.since(row.vitals.started_at, row.host_vitals.read_at)


def _heartbeat(row: VmRow) -> Cell:
    return Cell(*text.heartbeat(row.vitals.heartbeat))


def checkpoint_age(row: VmRow) -> float | None:
    """Seconds since the oldest checkpoint was made."""
    made = [point.created_at for point in row.vm.checkpoints if point.created_at]
    return text.since(min(made), row.host_vitals.read_at) if made else None


def _checkpoints(row: VmRow) -> Cell:
    points = row.vm.checkpoints
    if not points:
        return Cell("")
    oldest = min(points, key=lambda point: point.created_at)
    words = [str(len(points)), text.age(checkpoint_age(row))]
    kinds = {point.kind for point in points}
    words.append(text.CHECKPOINTS.get(oldest.kind, oldest.kind) if len(kinds) == 1 else "mixed")
    bad = "missing" in kinds
    tone = "error" if bad else levels.tone("checkpoint_age", checkpoint_age(row))
    return Cell(" ".join(filter(None, words)), tone)


def vm_merge(row: VmRow) -> merging.Merge:
    """How the merging of its disks stands."""
    return merging.standing(row.vm, row.vitals.activity)


def vm_switches(row: VmRow) -> tuple[str, ...]:
    """Names of the virtual switches a VM is connected to, each once."""
    return tuple(dict.fromkeys(nic.switch_name for nic in row.vm.nics if nic.switch_name))


def vm_vlans(row: VmRow) -> tuple[int, ...]:
    """Access, native and trunked VLANs of all adapters, ascending."""
    found = {nic.vlan.id for nic in row.vm.nics if nic.vlan.mode}
    found.update(number for nic in row.vm.nics for number in nic.vlan.trunk)
    return tuple(sorted(found))


def _both(one: float | None, other: float | None) -> float | None:
    return None if one is None and other is None else (one or 0.0) + (other or 0.0)


def _vm_net(row: VmRow) -> float | None:
    return _both(row.vitals.net_in, row.vitals.net_out)


def _vm_disk(row: VmRow) -> float | None:
    return _both(row.vitals.disk_read, row.vitals.disk_write)


def _problem(row: VmRow) -> str:
    found = finding(row)
    return found.words if found else ""


def _problem_cell(row: VmRow) -> Cell:
    found = finding(row)
    return Cell(*found) if found else Cell("")


def _services(row: VmRow) -> Cell:
    """Integration services that are not offered to the guest."""
    known = row.vm.integration
    off = [service.name for service in known if not service.enabled]
    if not off:
        return Cell("all on" if known else "", "dim")
    return Cell("off: " + ", ".join(off), "" if off == ["guest-services"] else "warning")


def _address_key(row: VmRow) -> str | None:
    found = text.addresses(row.vm.nics)
    return found[0] if found else None


VM_COLUMNS: tuple[Column[VmRow], ...] = (
    Column("name", "Name", lambda r: r.vm.name, plain(lambda r: r.vm.name),
           24, 14, priority=0, grow=True),
    Column("host", "Host", lambda r: r.host.id, plain(lambda r: r.host.id), 15, 10, priority=2),
    Column("state", "State", lambda r: text.vm_shown(r.vitals, r.pending).word, _vm_state,
           15, 13, priority=0, flash=True),
    Column("cpu", "CPU", lambda r: r.vitals.cpu, _vm_cpu, 5, right=True, priority=1),
    Column("memory", "Memory", lambda r: r.vitals.memory,
           plain(lambda r: text.size(r.vitals.memory)), 7, right=True, priority=1),
    Column("demand", "Demand", lambda r: r.vitals.demand, _vm_demand, 7, right=True, priority=4),
    Column("uptime", "Uptime", vm_uptime, plain(lambda r: text.uptime(vm_uptime(r))),
           8, right=True, priority=3),
    Column("heartbeat", "Heartbeat", lambda r: text.heartbeat(r.vitals.heartbeat)[0] or None,
           _heartbeat, 10, priority=4),
    Column("guest", "Guest", lambda r: r.vm.guest, plain(
        lambda r: text.operating_system(r.vm.guest)), 22, 12, priority=7),
    Column("ip", "IP", _address_key, plain(lambda r: text.ip(r.vm.nics)), 18, 15, priority=5),
    Column("checkpoints", "Checkpoints", lambda r: len(r.vm.checkpoints) or None, _checkpoints,
           12, priority=5),
    Column("notes", "Notes", lambda r: text.first_line(r.vm.notes),
           plain(lambda r: text.first_line(r.vm.notes), "dim"), 24, 8, priority=8,
           grow=True, prose=True),
    Column("cluster", "Cluster", lambda r: r.host.cluster, plain(lambda r: r.host.cluster),
           10, 6, priority=9),
    Column("problem", "Problem", _problem, _problem_cell, 20, 10, priority=9, prose=True),
    Column("generation", "Gen", lambda r: r.vm.generation or None,
           plain(lambda r: text.count(r.vm.generation)), 3, right=True, priority=9),
    Column("version", "Version", lambda r: version(r.vm.version), plain(lambda r: r.vm.version),
           7, right=True, priority=9),
    Column("vcpus", "vCPU", lambda r: r.vm.processors or None,
           plain(lambda r: text.count(r.vm.processors)), 4, right=True, priority=9),
    Column("startup", "Startup", lambda r: r.vm.memory_startup or None,
           plain(lambda r: text.size(r.vm.memory_startup or None)), 7, right=True, priority=10),
    Column("switch", "Switch", lambda r: ", ".join(vm_switches(r)),
           plain(lambda r: ", ".join(vm_switches(r))), 16, 8, priority=10),
    Column("vlan", "VLAN", lambda r: (vm_vlans(r) or (None,))[0],
           plain(lambda r: text.ranges(vm_vlans(r))), 6, right=True, priority=10),
    Column("net", "Network", _vm_net, plain(lambda r: text.rate(_vm_net(r))),
           9, right=True, priority=9),
    Column("disk", "Disk", _vm_disk, plain(lambda r: text.rate(_vm_disk(r))),
           9, right=True, priority=9),
    Column("replication", "Replica", lambda r: replication(r).text or None, replication,
           15, 8, priority=10),
    Column("created", "Created", lambda r: r.vm.created_at or None,
           plain(lambda r: text.day(r.vm.created_at)), 16, priority=11),
    Column("guest_name", "Guest name", lambda r: r.vm.guest_name, plain(lambda r: r.vm.guest_name),
           22, 10, priority=11),
    Column("tags", "Tags", lambda r: " ".join(text.tags(r.vm.notes)),
           plain(lambda r: " ".join(text.tags(r.vm.notes)), "accent"), 12, 6, priority=11),
    Column("services", "Services", lambda r: _services(r).text, _services, 20, 8, priority=11),
    Column("autostart", "Host starts", lambda r: r.vm.automatic_start or None, plain(
        lambda r: text.START_ACTIONS.get(r.vm.automatic_start, "")), 16, 11, priority=11),
    Column("startdelay", "Start delay", lambda r: r.vm.start_delay or None, plain(
        lambda r: text.uptime(r.vm.start_delay or None)), 11, right=True, priority=11),
    Column("autostop", "Host stops", lambda r: r.vm.automatic_stop or None, plain(
        lambda r: text.STOP_ACTIONS.get(r.vm.automatic_stop, "")), 10, priority=11),
    Column("merge", "Merging", lambda r: vm_merge(r).value or None,
           lambda r: Cell(*text.MERGING[vm_merge(r)]), 8, priority=11),
    Column("id", "GUID", lambda r: r.vm.id, plain(lambda r: r.vm.id, "dim"), 36, priority=12),
)  # fmt: skip
VM_DEFAULT = (
    "name", "host", "state", "cpu", "memory", "demand", "uptime", "heartbeat",
    "guest", "ip", "checkpoints", "notes",
)  # fmt: skip


def version(words: str) -> tuple[int, ...] | None:
    """``10.0`` as a sortable value."""
    parts = words.split(".")
    return tuple(int(part) for part in parts) if all(p.isdigit() for p in parts) else None


# -- hosts ---------------------------------------------------------------------------------


def _host_state(row: HostRow) -> Cell:
    if row.group:
        tone = "ok" if row.up == row.members else "warning" if row.up else "error"
        return Cell(f"{row.up}/{row.members} up", tone)
    if row.pending:
        return Cell(str(text.State("◌", "~", row.pending, "changing")), "changing")
    state = text.host_state(row.vitals)
    return Cell(str(state), state.tone)


def _host_word(row: HostRow) -> str:
    return _host_state(row).text if row.group else text.host_state(row.vitals).word


def _bar(measure: str, percent: float | None) -> Cell:
    """A share in use, with the tone it has as that measure."""
    if percent is None:
        return Cell(text.unknown(), "dim")
    tone = levels.tone(measure, percent)
    return Cell(text.percent(percent), tone, max(0.0, min(1.0, percent / 100)))


def host_age(row: HostRow) -> float | None:
    """Seconds since the newest answer of a host."""
    return text.since(row.vitals.read_at, text.now())


def _host_age(row: HostRow) -> Cell:
    tone = ("", "dim", "warning", "error")[min(3, int(row.stale))]
    return Cell(text.age(host_age(row)), tone)


def _memory_share(row: HostRow) -> float | None:
    return text.host_memory(row.host, row.vitals)


def volume_free(row: HostRow) -> float | None:
    """Percent free of the fullest volume."""
    shares = [100 * v.free / v.capacity for v in row.host.volumes if v.capacity]
    return min(shares) if shares else None


def _volume(row: HostRow) -> Cell:
    free = volume_free(row)
    if free is None:
        return Cell("")
    return Cell(text.percent(free), levels.tone("volume_free", free), 1 - free / 100)


def _host_problem(row: HostRow) -> Cell:
    found = host_finding(row)
    return Cell(*found) if found else Cell("")


def _host_net(row: HostRow) -> float | None:
    return _both(row.vitals.net_in, row.vitals.net_out)


def _host_disk(row: HostRow) -> float | None:
    return _both(row.vitals.disk_read, row.vitals.disk_write)


def _host_name(row: HostRow) -> str:
    return row.name if row.group else row.host.id


def _host_uptime(row: HostRow) -> float | None:
    return text.since(row.host.booted_at, row.vitals.read_at)


def _lp(row: HostRow) -> int:
    return row.host.logical_processors


HOST_COLUMNS: tuple[Column[HostRow], ...] = (
    Column("name", "Name", _host_name, plain(_host_name), 19, 13, priority=0, grow=True),
    Column("state", "State", _host_word, _host_state, 13, priority=0, flash=True),
    Column("cpu", "CPU", lambda r: r.vitals.cpu, lambda r: _bar("host_cpu", r.vitals.cpu),
           13, 5, right=True, priority=1),
    Column("memory", "Memory", _memory_share, lambda r: _bar("host_memory", _memory_share(r)),
           13, 5, right=True, priority=1),
    Column("vms", "VMs", lambda r: r.total, plain(lambda r: f"{r.running}/{r.total}"),
           7, right=True, priority=2),
    Column("latency", "Latency", lambda r: r.vitals.latency or None,
           plain(lambda r: text.latency(r.vitals.latency)), 7, right=True, priority=7),
    Column("age", "Age", host_age, _host_age, 4, right=True, priority=7),
    Column("cluster", "Cluster", lambda r: r.host.cluster, plain(lambda r: r.host.cluster),
           10, 6, priority=8),
    Column("os", "OS", lambda r: r.host.os, plain(lambda r: text.operating_system(r.host.os)),
           26, 14, priority=7),
    Column("trouble", "Trouble", lambda r: text.trouble(r.vitals.trouble),
           plain(lambda r: text.trouble(r.vitals.trouble), "error"),
           40, 12, priority=7, grow=True, prose=True),
    Column("free", "Disk free", volume_free, _volume, 9, right=True, priority=7),
    Column("problem", "Problem", lambda r: _host_problem(r).text, _host_problem,
           24, 10, priority=9, prose=True),
    Column("physical", "RAM", lambda r: r.host.memory or None,
           plain(lambda r: text.size(r.host.memory or None)), 7, right=True, priority=7),
    Column("lps", "LPs", lambda r: _lp(r) or None, plain(lambda r: text.count(_lp(r))),
           4, right=True, priority=8),
    Column("net", "Network", _host_net, plain(lambda r: text.rate(_host_net(r))),
           9, right=True, priority=8),
    Column("disk", "Disk", _host_disk, plain(lambda r: text.rate(_host_disk(r))),
           9, right=True, priority=8),
    Column("uptime", "Uptime", _host_uptime, plain(lambda r: text.uptime(_host_uptime(r))),
           7, right=True, priority=8),
    Column("model", "Model", lambda r: r.host.model, plain(lambda r: r.host.model),
           24, 10, priority=10),
    Column("processor", "Processor", lambda r: r.host.processor, plain(lambda r: r.host.processor),
           28, 12, priority=10),
    Column("computer", "Computer", lambda r: r.host.name, plain(lambda r: r.host.name),
           15, 8, priority=10),
    Column("build", "Build", lambda r: r.host.build, plain(lambda r: r.host.build),
           10, priority=10),
    Column("requests", "Requests", lambda r: r.vitals.requests,
           plain(lambda r: str(r.vitals.requests)), 8, right=True, priority=11),
    Column("received", "Received", lambda r: r.vitals.bytes,
           plain(lambda r: text.size(r.vitals.bytes)), 8, right=True, priority=11),
    Column("url", "Address", lambda r: r.host.url, plain(lambda r: r.host.url, "dim"),
           30, 16, priority=11),
)  # fmt: skip
HOST_DEFAULT = (
    "name",
    "state",
    "cpu",
    "memory",
    "vms",
    "latency",
    "age",
    "cluster",
    "os",
    "trouble",
)


# -- networks ------------------------------------------------------------------------------


def _uplink(row: SwitchRow) -> str:
    return ", ".join(row.switch.uplinks)


def _yes(get: Callable[[SwitchRow], bool]) -> Callable[[SwitchRow], Cell]:
    return lambda row: Cell("yes" if get(row) else "")


SWITCH_COLUMNS: tuple[Column[SwitchRow], ...] = (
    Column("name", "Name", lambda r: r.switch.name, plain(lambda r: r.switch.name),
           22, 12, priority=0, grow=True),
    Column("host", "Host", lambda r: r.host.id, plain(lambda r: r.host.id), 15, 10, priority=1),
    Column("kind", "Kind", lambda r: r.switch.kind.value,
           plain(lambda r: text.SWITCH_KINDS[r.switch.kind]), 9, priority=1),
    Column("uplink", "Uplink", _uplink, plain(_uplink), 24, 10, priority=2, grow=True),
    Column("vms", "VMs", lambda r: len(r.switch.vms),
           plain(lambda r: str(len(r.switch.vms))), 4, right=True, priority=1),
    Column("vlans", "VLANs", lambda r: (r.switch.vlans or (None,))[0],
           plain(lambda r: text.ranges(r.switch.vlans)), 12, 6, priority=3),
    Column("shared", "Shared", lambda r: r.switch.shared, _yes(lambda r: r.switch.shared),
           6, priority=4),
    Column("teaming", "Teamed", lambda r: r.switch.teaming, _yes(lambda r: r.switch.teaming),
           6, priority=5),
    Column("iov", "SR-IOV", lambda r: r.switch.iov, _yes(lambda r: r.switch.iov), 6, priority=7),
    Column("ports", "Ports", lambda r: r.switch.ports, plain(lambda r: str(r.switch.ports)),
           5, right=True, priority=7),
    Column("id", "GUID", lambda r: r.switch.guid, plain(lambda r: r.switch.guid, "dim"),
           36, priority=12),
)  # fmt: skip
SWITCH_DEFAULT = ("name", "host", "kind", "uplink", "vms", "vlans", "shared", "teaming")


BY_KIND: dict[str, tuple[Sequence[Column[Any]], Sequence[str]]] = {
    "vm": (VM_COLUMNS, VM_DEFAULT),
    "host": (HOST_COLUMNS, HOST_DEFAULT),
    "switch": (SWITCH_COLUMNS, SWITCH_DEFAULT),
    "job": (JOB_COLUMNS, JOB_DEFAULT),
    "role": (ROLE_COLUMNS, ROLE_DEFAULT),
    "node": (NODE_COLUMNS, NODE_DEFAULT),
    "csv": (VOLUME_COLUMNS, VOLUME_DEFAULT),
    "replica": (REPLICA_COLUMNS, REPLICA_DEFAULT),
}
"""Columns and the ones shown unless asked otherwise."""

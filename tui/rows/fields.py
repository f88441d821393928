"""What each kind of row can be filtered by: fields, ``is:`` words, and the text a term searches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui.collector.messages import CallUpdate, Exchange
from tui.hyperv.model import Link
from tui.rows import columns, meters, text, topology
from tui.rows.activity import Deed, result, why
from tui.rows.audit import Line, vlans_of
from tui.rows.chain import NEIGHBOUR
from tui.rows.clusterfields import CLUSTERED
from tui.rows.findings import finding, stuck
from tui.rows.hostfindings import host_finding
from tui.rows.load import OPERATION
from tui.rows.meterfields import METERED
from tui.rows.replica_fields import REPLICA
from tui.rows.replicas import replication_words
from tui.rows.storage_fields import STORED
from tui.rows.topology import Node, Sort
from tui.rows.vocabulary import COMMON as _COMMON
from tui.rows.vocabulary import Unit, Vocabulary
from tui.rows.vocabulary import no_tags as _no_tags
from tui.rows.vocabulary import place as _place
from tui.rows.vocabulary import table as _table
from tui.rows.vocabulary import text_of as _text
from tui.rows.vocabulary import value_of as _of
from tui.store.rows import HostRow, JobRow, Stale, VmRow
from tui.store.watches import Notice

# -- virtual machines ----------------------------------------------------------------------


def _vm_pieces(row: VmRow) -> list[str]:
    vm, host = row.vm, row.host
    pieces = [vm.name, host.id, host.name, vm.notes]
    for nic in vm.nics:
        pieces.extend(nic.addresses)
    return pieces


def _vm_problem(row: VmRow) -> tuple[str, ...]:
    found = finding(row)
    return (found.words if found else "",)


def _vm_protected(row: VmRow) -> bool:
    tags = (tag.casefold() for tag in text.tags(row.vm.notes))
    return row.host.read_only or "protected" in tags


def _watched(row: VmRow | HostRow) -> bool:
    return bool(row.watch)


def _in(*states: int) -> Callable[[VmRow], bool]:
    return lambda row: row.vitals.state in states


def _vm_states(row: VmRow) -> tuple[str, ...]:
    actual = text.vm_state(row.vitals.state, row.vitals.state_text).word
    return (actual, text.vm_shown(row.vitals, row.pending).word)


def _vm_free(row: VmRow) -> int | None:
    share, memory = row.vitals.memory_available, row.vitals.memory
    return None if share is None or memory is None else memory * share // 100


def _column(columns_of: Sequence[columns.Column[Any]], name: str) -> Callable[[Any], Any]:
    return next(column for column in columns_of if column.id == name).value


def _vm(name: str) -> Callable[[Any], Any]:
    return _column(columns.VM_COLUMNS, name)


VM = Vocabulary(
    fields=_table(
        _text("name", lambda r: (r.vm.name,)),
        _text("host", lambda r: (r.host.id, r.host.name)),
        _text("cluster", lambda r: (r.host.cluster,)),
        _text("state", _vm_states),
        _text("ip", lambda r: text.addresses(r.vm.nics)),
        _text("mac", lambda r: [f for n in r.vm.nics for f in (n.mac, text.mac(n.mac))]),
        _of(Unit.NUMBER, "vlan vlans", columns.vm_vlans),
        _text("switch sw", columns.vm_switches),
        _text("disk", lambda r: [disk.path for disk in r.vm.disks]),
        _text("guid id", lambda r: (r.vm.id,)),
        _text("guest os", lambda r: (r.vm.guest, r.vm.guest_name)),
        _text("note notes", lambda r: (r.vm.notes,)),
        _of(Unit.NUMBER, "ckp checkpoints", lambda r: len(r.vm.checkpoints)),
        _of(Unit.AGE, "ckpage", columns.checkpoint_age),
        _of(Unit.VERSION, "ver version", lambda r: r.vm.version),
        _of(Unit.NUMBER, "gen generation", lambda r: r.vm.generation or None),
        _of(Unit.PERCENT, "cpu", lambda r: r.vitals.cpu),
        _of(Unit.NUMBER, "vcpu vcpus", lambda r: r.vm.processors or None),
        _of(Unit.SIZE, "mem memory", lambda r: r.vitals.memory, meters.pressure),
        _of(Unit.SIZE, "demand", lambda r: r.vitals.demand, meters.pressure),
        _of(Unit.PERCENT, "press pressure", meters.pressure),
        _of(Unit.SIZE, "free", _vm_free, lambda r: r.vitals.memory_available),
        _of(Unit.SIZE, "startup", lambda r: r.vm.memory_startup or None),
        _of(Unit.AGE, "uptime up", columns.vm_uptime),
        _of(Unit.AGE, "age", lambda r: text.since(r.vm.created_at, text.now())),
        _text("heartbeat hb", lambda r: (text.heartbeat(r.vitals.heartbeat)[0],)),
        _of(Unit.SIZE, "net", _vm("net")),
        _of(Unit.SIZE, "io", _vm("disk")),
        _text("replica", replication_words),
        _text("autostart", lambda r: (text.START_ACTIONS.get(r.vm.automatic_start, ""),)),
        _of(Unit.AGE, "startdelay", lambda r: r.vm.start_delay),
        _text("autostop", lambda r: (text.STOP_ACTIONS.get(r.vm.automatic_stop, ""),)),
        _text("merge", lambda r: (columns.vm_merge(r).value,)),
        _text("problem", _vm_problem),
        _text("offers", lambda r: [s.name for s in r.vm.integration if s.enabled]),
        _text("lacks", lambda r: [s.name for s in r.vm.integration if not s.enabled]),
    ),
    flags={
        **_COMMON,
        "running": _in(2, 32785),
        "off": _in(3, 32786),
        "saved": _in(6, 32779, 32788, 32795, 32783),
        "paused": _in(9, 32789),
        "critical": lambda r: r.vitals.state in text.CRITICAL,
        "changing": lambda r: r.vitals.state in text.CHANGING,
        "problem": lambda r: finding(r) is not None,
        "watched": _watched,
        "stuck": lambda r: stuck(r) is not None,
        "protected": _vm_protected,
        "dynamic": lambda r: r.vm.dynamic_memory,
        "clustered": lambda r: bool(r.host.cluster),
        "duplicate": lambda r: r.duplicate,
    },
    pieces=_vm_pieces,
    place=lambda r: _place(r.host),
    tags=lambda r: text.tags(r.vm.notes),
    host=lambda r: str(r.host.id),
)


# -- hosts ---------------------------------------------------------------------------------


def _host(name: str) -> Callable[[Any], Any]:
    return _column(columns.HOST_COLUMNS, name)


def _least_free(row: HostRow) -> int | None:
    return min((volume.free for volume in row.host.volumes if volume.capacity), default=None)


def _link(*links: Link) -> Callable[[HostRow], bool]:
    return lambda row: row.vitals.link in links


HOST = Vocabulary(
    fields=_table(
        _text("name host", lambda r: (r.host.id, r.host.name)),
        _text("cluster", lambda r: (r.host.cluster,)),
        _text("domain", lambda r: (r.host.domain,)),
        _text("state", lambda r: (text.host_state(r.vitals).word, r.vitals.link.value)),
        _text("os", lambda r: (r.host.os,)),
        _text("build", lambda r: (r.host.build,)),
        _text("model", lambda r: (r.host.model,)),
        _text("processor", lambda r: (r.host.processor,)),
        _text("url address", lambda r: (r.host.url,)),
        _text("trouble", lambda r: (text.trouble(r.vitals.trouble),)),
        _text("problem", lambda r: (_host("problem")(r),)),
        _text("uplink", lambda r: [uplink.name for uplink in r.host.uplinks]),
        _of(Unit.PERCENT, "cpu", lambda r: r.vitals.cpu),
        _of(Unit.SIZE, "mem memory", lambda r: r.memory_used, _host("memory")),
        _of(Unit.SIZE, "ram", lambda r: r.host.memory or None),
        _of(Unit.SIZE, "free", _least_free, columns.volume_free),
        _of(Unit.NUMBER, "vms", lambda r: r.total),
        _of(Unit.NUMBER, "running", lambda r: r.running),
        _of(Unit.NUMBER, "lps", lambda r: r.host.logical_processors or None),
        _of(Unit.AGE, "latency", lambda r: r.vitals.latency or None),
        _of(Unit.AGE, "age", columns.host_age),
        _of(Unit.AGE, "uptime", _host("uptime")),
        _of(Unit.SIZE, "net", _host("net")),
        _of(Unit.SIZE, "io disk", _host("disk")),
    ),
    flags={
        **_COMMON,
        "up": _link(Link.UP, Link.SLOW),
        "slow": _link(Link.SLOW),
        "down": _link(Link.DOWN),
        "connecting": _link(Link.CONNECTING),
        "problem": lambda r: host_finding(r) is not None,
        "watched": _watched,
        "protected": lambda r: r.host.read_only,
        "clustered": lambda r: bool(r.host.cluster),
    },
    pieces=lambda r: (r.host.id, r.host.name, r.host.cluster, r.host.os, r.host.url),
    place=lambda r: _place(r.host),
    tags=_no_tags,
    host=lambda r: str(r.host.id),
)


# -- networks, jobs, calls, exchanges ------------------------------------------------------


def _started(row: JobRow) -> float | None:
    return text.since(row.job.started_at, text.now())


SWITCH = Vocabulary(
    fields=_table(
        _text("name switch", lambda r: (r.switch.name,)),
        _text("host", lambda r: (r.host.id, r.host.name)),
        _text("cluster", lambda r: (r.host.cluster,)),
        _text("kind", lambda r: (r.switch.kind.value,)),
        _text("uplink", lambda r: r.switch.uplinks),
        _text("guid id", lambda r: (r.switch.guid,)),
        _of(Unit.NUMBER, "vlan vlans", lambda r: r.switch.vlans),
        _of(Unit.NUMBER, "vms", lambda r: len(r.switch.vms)),
        _of(Unit.NUMBER, "ports", lambda r: r.switch.ports),
    ),
    flags={
        **_COMMON,
        "shared": lambda r: r.switch.shared,
        "teamed": lambda r: r.switch.teaming,
        "sr-iov": lambda r: r.switch.iov,
        "unused": lambda r: not r.switch.vms,
        "problem": lambda r: r.stale >= Stale.LOST,
    },
    pieces=lambda r: (
        r.switch.name,
        r.host.id,
        r.host.name,
        r.switch.kind.value,
        *r.switch.uplinks,
    ),
    place=lambda r: _place(r.host),
    tags=_no_tags,
    host=lambda r: str(r.host.id),
)

JOB = Vocabulary(
    fields=_table(
        _text("name job", lambda r: (r.job.name,)),
        _text("vm subject", lambda r: (r.subject,)),
        _text("host", lambda r: (r.host.id, r.host.name)),
        _text("cluster", lambda r: (r.host.cluster,)),
        _text("state", lambda r: (text.job_state(r.job)[0],)),
        _text("error", lambda r: (r.job.error,)),
        _of(Unit.PERCENT, "done percent", lambda r: r.job.percent),
        _of(Unit.NUMBER, "code", lambda r: r.job.error_code or None),
        _of(Unit.AGE, "age", _started),
        _of(Unit.AGE, "elapsed", lambda r: r.job.elapsed),
    ),
    flags={
        **_COMMON,
        "running": lambda r: not r.job.finished,
        "finished": lambda r: r.job.finished,
        "failed": lambda r: r.job.finished and not r.job.succeeded,
        "problem": lambda r: r.job.finished and not r.job.succeeded,
    },
    pieces=lambda r: (r.job.name, r.subject, r.host.id, r.job.error),
    place=lambda r: _place(r.host),
    tags=_no_tags,
    host=lambda r: str(r.host.id),
)


def _call_problem(row: Deed) -> bool:
    return row.tone != "ok" if isinstance(row, Notice) else row.trouble is not None


def _call_running(row: Deed) -> bool:
    return isinstance(row, CallUpdate) and not row.phase.final


def _results(row: Deed) -> tuple[str, ...]:
    word = result(row).text
    return (word,) if isinstance(row, Notice) else (word, row.phase.value)


def _exchange_problem(row: Exchange) -> bool:
    return row.outcome != "ok"


CALL = Vocabulary(
    fields=_table(
        _text("action", lambda r: (r.action,)),
        _text("name vm", lambda r: (r.name,)),
        _text("host", lambda r: (r.host,)),
        _text("result phase", _results),
        _text("why", lambda r: (why(r),)),
        _of(Unit.AGE, "age", lambda r: text.since(r.at, text.now())),
    ),
    flags={"problem": _call_problem, "running": _call_running},
    pieces=lambda r: (r.action, r.name, r.host, why(r)),
    place=lambda r: (r.host,),
    tags=_no_tags,
    host=lambda r: str(r.host),
)

EXCHANGE = Vocabulary(
    fields=_table(
        _text("host", lambda r: (r.host,)),
        _text("lane", lambda r: (r.lane,)),
        _text("operation op", lambda r: (r.operation,)),
        _text("outcome", lambda r: (r.outcome,)),
        _of(Unit.AGE, "took seconds", lambda r: r.seconds),
        _of(Unit.SIZE, "bytes", lambda r: r.bytes),
        _of(Unit.AGE, "age", lambda r: text.since(r.at, text.now())),
    ),
    flags={"problem": _exchange_problem},
    pieces=lambda r: (r.host, r.operation, r.outcome),
    place=lambda r: (r.host,),
    tags=_no_tags,
    host=lambda r: str(r.host),
)


# -- topology and audits -------------------------------------------------------------------


def _node_pieces(row: Node) -> list[str]:
    nic = row.nic if row.sort is Sort.ADAPTER else None
    return [row.name, row.sort.value, *(nic.addresses if nic else ())]


def _node_vlans(row: Node) -> tuple[int, ...]:
    speaks = row.nic is not None and row.sort in (Sort.ADAPTER, Sort.VLAN)
    return tuple(vlans_of(row.nic)) if speaks and row.nic is not None else ()


NODE = Vocabulary(
    fields=_table(
        _text("name", lambda r: (r.name,)),
        _text("host", lambda r: (r.host.id, r.host.name)),
        _text("cluster", lambda r: (r.host.cluster,)),
        _text("kind", lambda r: (r.sort.value,)),
        _text("state", lambda r: (topology.word(r),)),
        _text("switch", lambda r: (r.switch.name if r.switch else "",)),
        _text("uplink", lambda r: [card.name for card in r.uplinks if card]),
        _text("ip", lambda r: r.nic.addresses if r.nic and r.sort is Sort.ADAPTER else ()),
        _text("mac", lambda r: (topology.mac(r), topology.mac(r).replace("-", ""))),
        _of(Unit.NUMBER, "vlan vlans", _node_vlans),
    ),
    flags={**_COMMON, "problem": topology.ailing},
    pieces=_node_pieces,
    place=lambda r: _place(r.host),
    tags=_no_tags,
    host=lambda r: str(r.host.id),
)


def _at(*tones: str) -> Callable[[Line], bool]:
    return lambda row: row.tone in tones


AUDIT = Vocabulary(
    fields=_table(
        _text("vm name", lambda r: r.vms),
        _text("host", lambda r: r.hosts),
        _text("cluster", lambda r: r.clusters),
        _text("switch", lambda r: r.switches),
        _text("mac", lambda r: r.macs),
        _text("about topic", lambda r: (getattr(r, "topic", ""),)),
        _text("finding", lambda r: (r.words,)),
        _of(Unit.NUMBER, "vlan vlans", lambda r: r.vlans),
    ),
    flags={
        **_COMMON,
        "problem": _at("error", "warning"),
        "error": _at("error"),
        "warning": _at("warning"),
        "note": _at("accent"),
    },
    pieces=lambda r: (r.words, *r.vms, *r.hosts, *r.switches, *r.macs),
    place=lambda r: (*r.hosts, *r.clusters),
    tags=_no_tags,
    host=lambda r: r.hosts[0] if r.hosts else "",
)

VOCABULARIES: Mapping[str, Vocabulary] = {
    "vm": VM,
    "host": HOST,
    "switch": SWITCH,
    "job": JOB,
    "call": CALL,
    "exchange": EXCHANGE,
    "operation": OPERATION,
    "line": NODE,
    "audit": AUDIT,
    **CLUSTERED,
    **STORED,
    **METERED,
    "neighbour": NEIGHBOUR,
    "replica": REPLICA,
}
"""By the value of ``Kind``, and kinds that only the log, the topology and the audits know."""

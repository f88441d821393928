"""Columns of the fleet tables: services of every machine, VLANs and switches by host, addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tui.hyperv.model import Integration
from tui.hyperv.states import RUNNING
from tui.rows import text
from tui.rows.audit import (
    UNTAGGED,
    AdapterLine,
    Line,
    MacLine,
    PoolLine,
    SwitchLine,
    VlanLine,
    adapter_lines,
    known_hosts,
    mac_lines,
    pool_lines,
    switch_lines,
    vlan_lines,
)
from tui.rows.column import Cell, Column, find, plain
from tui.rows.columns import VM_COLUMNS
from tui.rows.remarks import LEVELS, Remark, remarks
from tui.rows.text import State
from tui.store import Store, VmRow

# -- integration services ------------------------------------------------------------------

SHORT: Final = (
    ("heartbeat", "Heartbeat", 9),
    ("kvp", "Exchange", 9),
    ("shutdown", "Shutdown", 9),
    ("timesync", "Time", 9),
    ("vss", "Backup", 9),
    ("guest-services", "Files", 9),
)
"""Service, the title of its column, and cells it takes."""
_IN_GUEST: Final[dict[int, State]] = {
    2: State("●", "*", "on", "ok"),
    3: State("▲", "!", "ailing", "warning"),
    7: State("▲", "!", "error", "error"),
    12: State("▲", "!", "silent", "warning"),
    13: State("▲", "!", "lost", "error"),
    15: State("‖", "|", "paused", "warning"),
    32775: State("▲", "!", "version", "warning"),
    32782: State("▲", "!", "critic.", "error"),
    32783: State("▲", "!", "timeout", "error"),
    32784: State("▲", "!", "failed", "error"),
}
"""OperationalStatus of an offered service's component, in a word that fits its column."""
_IDLE: Final = State("◐", "=", "idle", "")
"""Offered, and nothing in the guest has taken it up, or the machine does not run."""
_OFF: Final = State("○", "o", "off", "dim")


def service_of(row: VmRow, name: str) -> Integration | None:
    """One service of a machine; None when its host does not have it for it."""
    return next((service for service in row.vm.integration if service.name == name), None)


def service_state(row: VmRow, name: str) -> State | None:
    """Offered or not, what runs in the guest, and whether the versions agree."""
    service = service_of(row, name)
    if service is None:
        return None
    if not service.enabled:
        return _OFF
    if not service.status or row.vitals.state not in RUNNING:
        return _IDLE
    status = service.status
    return _IN_GUEST.get(status) or State("▲", "!", str(status), "warning")


def _service_column(name: str, title: str, width: int) -> Column[VmRow]:
    def value(row: VmRow) -> str | None:
        state = service_state(row, name)
        return state.word if state else None

    def cell(row: VmRow) -> Cell:
        state = service_state(row, name)
        return Cell(str(state), state.tone) if state else Cell("")

    return Column(name, title, value, cell, width, max(8, len(title)), priority=1, flash=True)


MATRIX_COLUMNS: tuple[Column[VmRow], ...] = (
    replace(find(VM_COLUMNS, "name"), minimum=12),
    replace(find(VM_COLUMNS, "host"), priority=4),
    replace(find(VM_COLUMNS, "state"), priority=5),
    *(_service_column(*short) for short in SHORT),
    *(find(VM_COLUMNS, column) for column in ("guest", "cluster", "version", "notes", "id")),
)
MATRIX_DEFAULT: Final = (
    "name", "host", "state", *(name for name, _, _ in SHORT), "guest",
)  # fmt: skip


# -- findings ------------------------------------------------------------------------------

_LEVEL_GLYPHS: Final = {"error": ("▲", "!"), "warning": ("▲", "!"), "accent": ("●", "*")}


def _level(row: Remark) -> Cell:
    glyph, simple = _LEVEL_GLYPHS[row.tone]
    return Cell(str(State(glyph, simple, LEVELS[row.tone], row.tone)), row.tone)


def _hosts(row: Any) -> str:
    return ", ".join(row.hosts)


def _several(get: Callable[[Any], Sequence[str]]) -> Callable[[Any], str]:
    return lambda row: ", ".join(get(row))


REMARK_COLUMNS: tuple[Column[Remark], ...] = (
    Column("level", "Level", lambda r: LEVELS[r.tone].lower(), _level, 9, priority=0),
    Column("topic", "About", lambda r: r.topic, plain(lambda r: r.topic), 14, 8, priority=6),
    Column("finding", "Finding", lambda r: r.says, plain(lambda r: r.says),
           72, 24, priority=0, grow=True, prose=True),
    Column("hint", "What helps", lambda r: r.hint, plain(lambda r: r.hint, "dim"),
           40, 20, priority=7, grow=True, prose=True),
    Column("hosts", "Hosts", _hosts, plain(_hosts), 18, 10, priority=8),
    Column("vms", "Machines", lambda r: ", ".join(r.vms), plain(_several(lambda r: r.vms)),
           20, 10, priority=9),
)  # fmt: skip
REMARK_DEFAULT: Final = ("level", "topic", "finding", "hint", "hosts")


# -- addresses and adapters ----------------------------------------------------------------


def _twice(row: MacLine) -> Cell:
    if not row.twice:
        return Cell("")
    mark = str(State("▲", "!", f"{len(row.who)} times", row.tone))
    return Cell(mark, row.tone)


MAC_COLUMNS: tuple[Column[MacLine], ...] = (
    Column("mac", "MAC", lambda r: r.mac, lambda r: Cell(text.mac(r.mac), r.tone), 17, priority=0),
    Column("state", "Given", lambda r: len(r.who), _twice, 10, priority=0),
    Column("vms", "Machines", lambda r: ", ".join(r.vms), plain(_several(lambda r: r.vms)),
           24, 12, priority=0, grow=True),
    Column("hosts", "Hosts", _hosts, plain(_hosts), 18, 10, priority=1, grow=True),
    Column("kind", "Kind", lambda r: r.static, plain(
        lambda r: "static" if r.static else "dynamic"), 7, priority=2),
    Column("pool", "In pool of", lambda r: r.pool, plain(lambda r: r.pool), 14, 8, priority=4),
)  # fmt: skip


def _shared(row: PoolLine) -> Cell:
    if not row.shared_with:
        return Cell("")
    with_whom = ", ".join(row.shared_with)
    return Cell(str(State("▲", "!", with_whom, "warning")), "warning")


def _pool_used(row: PoolLine) -> Cell:
    share = row.used / row.size
    return Cell(f"{row.used}", "warning" if row.tone and not row.shared_with else "", min(1, share))


POOL_COLUMNS: tuple[Column[PoolLine], ...] = (
    Column("host", "Host", _hosts, plain(_hosts), 18, 10, priority=0, grow=True),
    Column("start", "First", lambda r: r.start, plain(lambda r: text.mac(r.start)), 17, priority=0),
    Column("end", "Last", lambda r: r.end, plain(lambda r: text.mac(r.end)), 17, priority=0),
    Column("size", "Size", lambda r: r.size, plain(lambda r: str(r.size)), 7,
           right=True, priority=2),
    Column("used", "In use", lambda r: r.used, _pool_used, 12, 6, right=True, priority=2),
    Column("shared", "Same addresses as", _several(lambda r: r.shared_with), _shared,
           24, 10, priority=0, grow=True),
)  # fmt: skip


def _adapter_state(row: AdapterLine) -> Cell:
    word = str(State("▲", "!", "cut off", "warning") if row.running else State("○", "o", "off", ""))
    return Cell(word, row.tone)


ADAPTER_COLUMNS: tuple[Column[AdapterLine], ...] = (
    Column("vm", "Machine", lambda r: r.vm, plain(lambda r: r.vm), 20, 12, priority=0, grow=True),
    Column("host", "Host", _hosts, plain(_hosts), 14, 10, priority=1),
    Column("state", "State", lambda r: r.running, _adapter_state, 10, priority=0),
    Column("adapter", "Adapter", lambda r: r.adapter, plain(lambda r: r.adapter),
           22, 10, priority=1, grow=True),
    Column("was", "Was on", lambda r: r.was, plain(lambda r: r.was), 18, 10, priority=2),
    Column("mac", "MAC", lambda r: r.mac, plain(lambda r: text.mac(r.mac)), 17, priority=3),
)  # fmt: skip


# -- by host -------------------------------------------------------------------------------


def vlan_columns(hosts: Sequence[str]) -> list[Column[VlanLine]]:
    """How many adapters use a VLAN, host by host."""

    def gaps(row: VlanLine) -> Cell:
        if not row.gaps:
            return Cell("")
        return Cell(str(State("●", "*", ", ".join(row.gaps), "accent")), "accent")

    return [
        Column("vlan", "VLAN", lambda r: r.vlan,
               plain(lambda r: "none" if r.vlan == UNTAGGED else str(r.vlan)),
               5, right=True, priority=0),
        Column("adapters", "Adapters", lambda r: sum(r.counts.values()),
               plain(lambda r: str(sum(r.counts.values()))), 8, right=True, priority=0),
        Column("gaps", "Cluster nodes without", _several(lambda r: r.gaps), gaps,
               22, 14, priority=0),
        *(_vlan_host(host, at) for at, host in enumerate(hosts)),
    ]  # fmt: skip


def _vlan_host(host: str, at: int) -> Column[VlanLine]:
    def cell(row: VlanLine) -> Cell:
        if host in row.gaps:
            return Cell(text.unknown(), "accent")
        return Cell(text.count(row.counts.get(host)))

    def value(row: VlanLine) -> int | None:
        return row.counts.get(host)

    return Column(_host_id(host), host, value, cell, _host_width(host), right=True, priority=at + 1)


def switch_columns(hosts: Sequence[str]) -> list[Column[SwitchLine]]:
    """Which hosts have a switch of that name, and which have one that only looks like it."""

    def state(row: SwitchLine) -> Cell:
        if row.near:
            others = ", ".join(dict.fromkeys(row.near.values()))
            return Cell(str(State("▲", "!", f"also {others}", row.tone)), row.tone)
        if row.missing:
            return Cell(str(State("▲", "!", f"missing on {len(row.missing)}", row.tone)), row.tone)
        return Cell("")

    return [
        Column("name", "Switch", lambda r: r.name, plain(lambda r: r.name),
               22, 12, priority=0, grow=True),
        Column("parity", "Elsewhere", lambda r: state(r).text, state, 24, 14, priority=0),
        Column("used", "VMs", lambda r: r.used, plain(lambda r: str(r.used)),
               4, right=True, priority=0),
        *(_switch_host(host, at) for at, host in enumerate(hosts)),
    ]  # fmt: skip


def _switch_host(host: str, at: int) -> Column[SwitchLine]:
    def cell(row: SwitchLine) -> Cell:
        if host in row.kinds:
            return Cell(text.SWITCH_KINDS[row.kinds[host]])
        if host in row.near:
            return Cell(row.near[host], "warning")
        return Cell("missing", row.tone) if host in row.missing else Cell("")

    return Column(_host_id(host), host, lambda r: cell(r).text, cell,
                  max(9, _host_width(host)), priority=at + 1)  # fmt: skip


def _host_id(host: str) -> str:
    """A host may be called like a column."""
    return f"host:{host.lower()}"


def _host_width(host: str) -> int:
    return max(5, min(text.width(host), 14))


# -- the audits as tables ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit: its lines and how they are shown."""

    id: str
    title: str
    noun: str
    lines: Callable[[Store], Sequence[Line]]
    columns: Callable[[Sequence[str]], Sequence[Column[Any]]]
    """For the hosts there are."""
    default: Sequence[str] = ()
    """Columns shown; none named: all."""
    empty: str = ""


def _fixed(columns: Sequence[Column[Any]]) -> Callable[[Sequence[str]], Sequence[Column[Any]]]:
    return lambda hosts: columns


AUDITS: Final = (
    Audit("findings", "Findings", "findings", remarks, _fixed(REMARK_COLUMNS), REMARK_DEFAULT,
          "Nothing is wrong with the networks of these hosts"),
    Audit("macs", "MACs", "MAC addresses", mac_lines, _fixed(MAC_COLUMNS),
          empty="No machine has an address"),
    Audit("pools", "Pools", "address pools", pool_lines, _fixed(POOL_COLUMNS),
          empty="No host tells its address pool"),
    Audit("vlans", "VLANs", "VLANs", vlan_lines, vlan_columns,
          empty="No adapter is connected"),
    Audit("switches", "Switches", "switch names", switch_lines, switch_columns,
          empty="No virtual switches"),
    Audit("adapters", "Adapters", "unconnected adapters", adapter_lines, _fixed(ADAPTER_COLUMNS),
          empty="Every adapter is connected"),
)  # fmt: skip
"""The first is what the others come to."""


def audit_hosts(store: Store) -> list[str]:
    """Hosts that get a column."""
    return [row.key for row in known_hosts(store)]

"""What is wrong with networks across hosts: addresses, pools, VLANs, names of switches, adapters.

Hyper-V looks at one host at a time, so nothing else compares these. Pure functions of the store's
rows; a host that was never read takes no part, one that is lost counts as it was last seen.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import ClassVar, Final

from tui.hyperv.model import Nic, SwitchKind, VlanMode
from tui.hyperv.states import RUNNING
from tui.rows import levels, text
from tui.store import HostRow, Store, SwitchRow, VmRow

UNTAGGED: Final = 0
"""Stands for adapters without a VLAN."""
WIDE_TRUNK: Final = 64
"""A trunk of more VLANs tells what is let through, not what is in use."""
ALIKE: Final = 0.85
"""Names this similar are taken for the same one, mistyped."""
SHORTEST: Final = 5
"""Letters below which two names are similar by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of any audit, and what a filter may look for in it."""

    key: str
    tone: str = ""
    """``error``, ``warning``, ``accent`` for a note, or nothing when all is well."""
    hosts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    vms: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    vlans: tuple[int, ...] = ()
    goes: str = ""
    """Key of the thing to look at."""
    stale: int = 0
    """How old what it says is, as ``Stale`` has it."""
    marked: ClassVar[bool] = False
    pending: ClassVar[str] = ""

    @property
    def words(self) -> str:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MacLine(Line):
    """An address and everyone who has it."""

    mac: str
    who: tuple[str, ...]
    """``machine on host``, as often as they have it."""
    running: int
    """Machines that run with it now."""
    static: bool
    pool: str
    """Hosts out of whose pool it may have come."""

    @property
    def twice(self) -> bool:
        return len(self.who) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLine(Line):
    """The addresses a host gives out."""

    start: str
    end: str
    size: int
    used: int
    """Addresses of it that adapters on any host have."""
    shared_with: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VlanLine(Line):
    """A VLAN and how many adapters use it on each host."""

    vlan: int
    counts: Mapping[str, int]
    gaps: tuple[str, ...]
    """Nodes of a cluster in which it is used, but not there."""
    within: tuple[str, ...]
    """The clusters these are in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchLine(Line):
    """A switch name and what it is on each host."""

    name: str
    kinds: Mapping[str, SwitchKind]
    missing: tuple[str, ...]
    """Nodes of a cluster that has it elsewhere."""
    near: Mapping[str, str]
    """Host to the name it has there that only looks the same."""
    used: int
    """Machines connected to it, those that may have to move to where it is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterLine(Line):
    """An adapter that is connected to nothing."""

    vm: str
    adapter: str
    was: str
    running: bool
    mac: str


# -- what is compared ----------------------------------------------------------------------


def known_hosts(store: Store) -> list[HostRow]:
    """Hosts that have been read, clusters together, standalone ones last."""
    rows = [row for row in store.host_rows.values() if row.vitals.read_at]
    return sorted(rows, key=lambda r: (not r.host.cluster, r.host.cluster.lower(), r.key.lower()))


def _machines(store: Store) -> list[VmRow]:
    """Each machine once: a replica, or one on its way between hosts, is not its own double."""
    return [row for row in store.vms.values() if "@" not in row.key]


def _adapters(store: Store) -> Iterator[tuple[VmRow, Nic]]:
    return ((row, nic) for row in _machines(store) for nic in row.vm.nics)


def _clusters(hosts: Iterable[HostRow]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in hosts:
        if row.host.cluster:
            found.setdefault(row.host.cluster, []).append(row.key)
    return found


def once(words: Iterable[str]) -> tuple[str, ...]:
    """Each word once, in order, without the empty ones."""
    return tuple(dict.fromkeys(filter(None, words)))


def _number(mac: str) -> int | None:
    return int(mac, 16) if re.fullmatch("[0-9A-Fa-f]{12}", mac) else None


# -- addresses -----------------------------------------------------------------------------


def mac_lines(store: Store) -> list[MacLine]:
    """Every address in use, with all who have it."""
    holders: dict[int, list[tuple[VmRow, Nic]]] = {}
    for row, nic in _adapters(store):
        if number := _number(nic.mac):
            holders.setdefault(number, []).append((row, nic))
    pools = _pools(known_hosts(store))
    return [_mac_line(number, holders[number], pools) for number in sorted(holders)]


def _mac_line(
    number: int, holders: Sequence[tuple[VmRow, Nic]], pools: Sequence[tuple[int, int, str]]
) -> MacLine:
    rows = [row for row, _ in holders]
    running = sum(row.vitals.state in RUNNING and nic.connected for row, nic in holders)
    mac = f"{number:012X}"
    return MacLine(
        key=f"mac:{mac}",
        tone="" if len(holders) < 2 else "error" if running > 1 else "warning",
        hosts=once(row.host.id for row in rows),
        clusters=once(row.host.cluster for row in rows),
        vms=tuple(row.name for row in rows),
        switches=once(nic.switch_name for _, nic in holders),
        macs=(mac, text.mac(mac)),
        goes=rows[0].key,
        mac=mac,
        who=tuple(f"{row.name} on {row.host.id}" for row in rows),
        running=running,
        static=all(nic.static_mac for _, nic in holders),
        pool=", ".join(host for low, high, host in pools if low <= number <= high),
    )


def _pools(hosts: Iterable[HostRow]) -> list[tuple[int, int, str]]:
    """First and last address and host of every pool that is known."""
    found = []
    for row in hosts:
        low, high = _number(row.host.mac_pool_start), _number(row.host.mac_pool_end)
        if low is not None and high is not None and low <= high:
            found.append((low, high, row.key))
    return sorted(found)


def pool_lines(store: Store) -> list[PoolLine]:
    """The address pool of every host and with whom it is shared."""
    hosts = known_hosts(store)
    numbers = sorted({n for _, nic in _adapters(store) if (n := _number(nic.mac))})
    pools = _pools(hosts)
    clusters = {row.key: row.host.cluster for row in hosts}
    lines = []
    for low, high, host in pools:
        others = tuple(h for a, b, h in pools if h != host and a <= high and low <= b)
        used = bisect_right(numbers, high) - bisect_left(numbers, low)
        size = high - low + 1
        lines.append(
            PoolLine(
                key=f"pool:{host}",
                tone=_pool_tone(used, size, others),
                hosts=(host,),
                clusters=once([clusters[host]]),
                macs=(f"{low:012X}", f"{high:012X}"),
                goes=host,
                start=f"{low:012X}",
                end=f"{high:012X}",
                size=size,
                used=used,
                shared_with=others,
            )
        )
    return lines


def _pool_tone(used: int, size: int, others: Sequence[str]) -> str:
    """That of an address given out twice, and of a pool that soon has none left."""
    found = levels.tone("mac_pool", 100 * used / size)
    return found or ("warning" if others else "")


# -- VLANs ---------------------------------------------------------------------------------


def vlans_of(nic: Nic) -> set[int]:
    """VLANs an adapter speaks in."""
    vlan = nic.vlan
    if vlan.mode is VlanMode.UNTAGGED:
        return {UNTAGGED}
    found = {vlan.id, vlan.secondary} | set(vlan.trunk if len(vlan.trunk) <= WIDE_TRUNK else ())
    return found - {UNTAGGED} or {UNTAGGED}


def vlan_lines(store: Store) -> list[VlanLine]:
    """Every VLAN in use, host by host; a node of a cluster where nobody uses it is a gap."""
    hosts = known_hosts(store)
    counts: dict[int, dict[str, int]] = {}
    for row, nic in _adapters(store):
        for vlan in vlans_of(nic) if nic.connected else ():
            on = counts.setdefault(vlan, {})
            on[row.host.id] = on.get(row.host.id, 0) + 1
    clusters = _clusters(hosts)
    lines = []
    for vlan in sorted(counts):
        used = counts[vlan]
        gaps = () if vlan == UNTAGGED else _gaps(used, clusters)
        lines.append(
            VlanLine(
                key=f"vlan:{vlan}",
                tone="accent" if gaps else "",
                hosts=tuple(row.key for row in hosts if row.key in used),
                clusters=once(row.host.cluster for row in hosts if row.key in used),
                vlans=(vlan,),
                goes=(*gaps, *used)[0],
                vlan=vlan,
                counts=used,
                gaps=gaps,
                within=tuple(name for name, nodes in clusters.items() if set(gaps) & set(nodes)),
            )
        )
    return lines


def _gaps(on: Mapping[str, object], clusters: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Nodes without what another node of their cluster has."""
    return tuple(
        node
        for nodes in clusters.values()
        if any(node in on for node in nodes)
        for node in nodes
        if node not in on
    )


# -- switches ------------------------------------------------------------------------------


def switch_lines(store: Store) -> list[SwitchLine]:
    """Every name of a switch and where it is; names that only look the same are told apart."""
    hosts = known_hosts(store)
    names: dict[str, dict[str, SwitchRow]] = {}
    for row in store.switches.values():
        if row.switch.kind is not SwitchKind.NAT:
            names.setdefault(row.name, {})[row.host.id] = row
    clusters = _clusters(hosts)
    similar = _similar({name: frozenset(on) for name, on in names.items()})
    lines = []
    for name in sorted(names, key=str.casefold):
        on = names[name]
        missing = _gaps(on, clusters)
        near = {host: other for other in similar[name] for host in names[other]}
        lines.append(_switch_line(name, on, missing, near, clusters))
    return lines


def _switch_line(
    name: str,
    on: Mapping[str, SwitchRow],
    missing: tuple[str, ...],
    near: Mapping[str, str],
    clusters: Mapping[str, Sequence[str]],
) -> SwitchLine:
    apart = [nodes for nodes in clusters.values() if set(nodes) & set(missing)]
    places = {node for nodes in apart for node in nodes} if missing else set(on)
    used = sum(len(row.switch.vms) for host, row in on.items() if host in places)
    kinds = {host: row.switch.kind for host, row in on.items()}
    uneven = any(len({kinds[n] for n in nodes if n in kinds}) > 1 for nodes in clusters.values())
    mistaken = any(host in near for host in missing)
    tone = "warning" if near or uneven else "accent" if missing else ""
    if missing and used:
        tone = "error" if mistaken else "warning"
    return SwitchLine(
        key=f"name:{name}",
        tone=tone,
        hosts=tuple(on),
        clusters=once(row.host.cluster for row in on.values()),
        switches=(name, *once(near.values())),
        goes=next(iter(on.values())).key,
        name=name,
        kinds=kinds,
        missing=missing,
        near=near,
        used=used,
    )


def _similar(names: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Names that are probably meant to be the same: two on one host are two on purpose."""
    return {
        name: [other for other in names if not names[name] & names[other] and alike(name, other)]
        for name in names
    }


def alike(one: str, other: str) -> bool:
    """Whether two different names look like one, written twice: separators, case, a slip."""
    if one == other:
        return False
    first, second = _plain(one), _plain(other)
    if first == second:
        return True
    if min(len(first), len(second)) < SHORTEST or _digits(first) != _digits(second):
        return False
    return SequenceMatcher(None, first, second).ratio() >= ALIKE


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c.isalnum()) or folded


def _digits(name: str) -> list[str]:
    return re.findall(r"\d+", name)


# -- adapters ------------------------------------------------------------------------------


def adapter_lines(store: Store) -> list[AdapterLine]:
    """Adapters that are connected to nothing, those of running machines first."""
    lines = [
        AdapterLine(
            key=f"nic:{nic.id}@{row.host.id}",
            tone="warning" if row.vitals.state in RUNNING else "dim",
            hosts=(row.host.id,),
            clusters=once([row.host.cluster]),
            vms=(row.name,),
            switches=once([nic.switch_name]),
            macs=(nic.mac, text.mac(nic.mac)),
            goes=row.key,
            vm=row.name,
            adapter=nic.name,
            was=nic.switch_name,
            running=row.vitals.state in RUNNING,
            mac=nic.mac,
        )
        for row, nic in _adapters(store)
        if not nic.connected
    ]
    return sorted(lines, key=lambda line: (not line.running, line.vm.casefold(), line.key))

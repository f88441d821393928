"""The network as a tree, both ways: from the wire to every adapter, and from an adapter back.

Pure functions over the store's rows. A node is built once per change of shape; what moves with
every refresh (states of machines and hosts) it reads off its row when it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tui.hyperv.model import Host, Link, Nic, SwitchKind, Uplink, Vlan, VlanMode
from tui.hyperv.plans.words import several
from tui.hyperv.states import RUNNING
from tui.rows import text
from tui.rows.column import Cell, Column, plain
from tui.rows.text import State
from tui.store import HostRow, Stale, Store, SwitchRow, VmRow


class Sort(StrEnum):
    """What a node stands for."""

    HOST = "host"
    NIC = "NIC"
    TEAM = "team"
    SWITCH = "switch"
    VLAN = "VLAN"
    ADAPTER = "adapter"
    CUT = "cut off"
    """The adapters of a host that are connected to nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One line of the tree."""

    key: str
    sort: Sort
    name: str
    row: HostRow | SwitchRow | VmRow
    """The thing it is, or the nearest one it belongs to: what Enter and actions go to."""
    depth: int
    parent: str = ""
    branch: bool = True
    """There is something below it."""
    uplinks: tuple[Uplink | None, ...] = ()
    """Physical adapters between it and the wire; None for one the host does not tell of."""
    nic: Nic | None = None
    switch: SwitchRow | None = None
    count: int = 0
    """Adapters below it."""

    @property
    def host(self) -> Host:
        return self.row.host

    @property
    def goes(self) -> str:
        """Key of the thing to look at."""
        return self.row.key

    @property
    def own(self) -> bool:
        """It is the thing it goes to, not only a part of it."""
        return self.sort in (Sort.HOST, Sort.SWITCH, Sort.ADAPTER)

    @property
    def marked(self) -> bool:
        return self.own and self.row.marked

    @property
    def pending(self) -> str:
        return self.row.pending if self.own else ""

    @property
    def stale(self) -> Stale:
        return self.row.stale


# -- from the wire -------------------------------------------------------------------------


def wires(store: Store) -> list[Node]:
    """Host, physical adapter, team, switch, VLAN, virtual adapter: each below the one before."""
    machines: dict[str, list[VmRow]] = {}
    for row in store.vms.values():
        machines.setdefault(row.host.id, []).append(row)
    switches: dict[str, list[SwitchRow]] = {}
    for switch in store.switches.values():
        switches.setdefault(switch.host.id, []).append(switch)
    hosts = sorted(
        store.host_rows.values(),
        key=lambda r: (not r.host.cluster, r.host.cluster.lower(), r.key.lower()),
    )
    found: list[Node] = []
    for host in hosts:
        found += _Wiring(host, switches.get(host.key, ()), machines.get(host.key, ())).nodes()
    return found


Attached = tuple[VmRow, Nic]


class _Wiring:
    """The tree of one host."""

    def __init__(
        self, host: HostRow, switches: Iterable[SwitchRow], machines: Iterable[VmRow]
    ) -> None:
        self._host = host
        self._switches = sorted(switches, key=lambda row: row.name.casefold())
        self._cards = {uplink.name: uplink for uplink in host.host.uplinks}
        self._on: dict[str, list[Attached]] = {}
        self._cut: list[Attached] = []
        known = {row.switch.guid for row in self._switches}
        for machine in sorted(machines, key=lambda row: (row.name.casefold(), row.key)):
            for nic in machine.vm.nics:
                if nic.connected and nic.switch_id in known:
                    self._on.setdefault(nic.switch_id, []).append((machine, nic))
                else:
                    self._cut.append((machine, nic))

    def nodes(self) -> Iterator[Node]:
        """The host and everything below it, in the order it is shown."""
        key = f"host:{self._host.key}"
        below = [*self._wired(key), *self._spare(key), *self._unwired(key), *self._loose(key)]
        count = len(self._cut) + sum(map(len, self._on.values()))
        yield Node(
            key, Sort.HOST, self._host.key, self._host, 0, branch=bool(below), count=count
        )  # fmt: skip
        yield from below

    def _wired(self, parent: str) -> Iterator[Node]:
        for row in self._switches:
            names = row.switch.uplinks
            if not names:
                continue
            cards = uplinks_of(row, self._host.host)
            if len(names) == 1 and not row.switch.teaming:
                key = f"nic:{row.key}:{names[0]}"
                yield Node(key, Sort.NIC, names[0], self._host, 1, parent, uplinks=cards)
                yield from self._switch(row, cards, key, 2)
                continue
            key = f"team:{row.key}"
            title = f"Team of {len(names)}"
            yield Node(key, Sort.TEAM, title, row, 1, parent, uplinks=cards, switch=row)
            for at, (name, card) in enumerate(zip(names, cards, strict=True)):
                member = f"{key}:{at}"
                yield Node(
                    member, Sort.NIC, name, self._host, 2, key, branch=False, uplinks=(card,)
                )  # fmt: skip
            yield from self._switch(row, cards, key, 2)

    def _spare(self, parent: str) -> Iterator[Node]:
        """Physical adapters no switch uses."""
        used = {name for row in self._switches for name in row.switch.uplinks}
        for name, card in self._cards.items():
            if name not in used:
                key = f"nic:{self._host.key}:{name}"
                yield Node(
                    key, Sort.NIC, name, self._host, 1, parent, branch=False, uplinks=(card,)
                )  # fmt: skip

    def _unwired(self, parent: str) -> Iterator[Node]:
        for row in self._switches:
            if not row.switch.uplinks:
                yield from self._switch(row, (), parent, 1)

    def _loose(self, parent: str) -> Iterator[Node]:
        if not self._cut:
            return
        key = f"cut:{self._host.key}"
        count = len(self._cut)
        yield Node(key, Sort.CUT, "Connected to nothing", self._host, 1, parent, count=count)
        for row, nic in self._cut:
            yield adapter(row, nic, 2, key)

    def _switch(
        self, row: SwitchRow, cards: tuple[Uplink | None, ...], parent: str, depth: int
    ) -> Iterator[Node]:
        attached = self._on.get(row.switch.guid, [])
        yield Node(
            row.key, Sort.SWITCH, row.name, row, depth, parent, bool(attached), cards,
            switch=row, count=len(attached),
        )  # fmt: skip
        groups: dict[Vlan, list[Attached]] = {}
        for pair in attached:
            groups.setdefault(pair[1].vlan, []).append(pair)
        for vlan in sorted(groups, key=lambda vlan: (vlan.id, vlan.mode, text.vlan(vlan))):
            key = f"vlan:{row.key}:{text.vlan(vlan)}"
            pairs = groups[vlan]
            yield Node(
                key, Sort.VLAN, vlan_name(vlan), row, depth + 1, row.key, True, cards,
                pairs[0][1], row, len(pairs),
            )  # fmt: skip
            for machine, nic in pairs:
                yield adapter(machine, nic, depth + 2, key, cards, row)


def uplinks_of(row: SwitchRow, host: Host) -> tuple[Uplink | None, ...]:
    """The physical adapters of a switch."""
    cards = {uplink.name: uplink for uplink in host.uplinks}
    return tuple(cards.get(name) for name in row.switch.uplinks)


def adapter(
    row: VmRow,
    nic: Nic,
    depth: int,
    parent: str = "",
    cards: tuple[Uplink | None, ...] = (),
    switch: SwitchRow | None = None,
    *,
    branch: bool = False,
) -> Node:
    """The line of a virtual adapter."""
    name = row.name if len(row.vm.nics) < 2 else f"{row.name}: {nic.name}"
    key = f"adapter:{nic.id}@{row.key}"
    return Node(key, Sort.ADAPTER, name, row, depth, parent, branch, cards, nic, switch)


def vlan_name(vlan: Vlan) -> str:
    """``VLAN 20``, ``Untagged``, ``Trunk 30-31 (1)``."""
    if vlan.mode is VlanMode.UNTAGGED:
        return "Untagged"
    words = text.vlan(vlan)
    return f"VLAN {words}" if vlan.mode is VlanMode.ACCESS else words[:1].upper() + words[1:]


# -- from an adapter -----------------------------------------------------------------------


def ways(store: Store) -> list[Node]:
    """Every virtual adapter with its way to the wire below it."""
    switches = {(row.host.id, row.switch.guid): row for row in store.switches.values()}
    rows = sorted(store.vms.values(), key=lambda row: (row.name.casefold(), row.key))
    found: list[Node] = []
    for row in rows:
        for nic in row.vm.nics:
            switch = switches.get((row.host.id, nic.switch_id)) if nic.connected else None
            found += _way(row, nic, switch, store.host_rows.get(row.host.id))
    return found


def _way(row: VmRow, nic: Nic, switch: SwitchRow | None, host: HostRow | None) -> Iterator[Node]:
    cards = uplinks_of(switch, row.host) if switch is not None else ()
    top = adapter(row, nic, 0, "", cards, switch, branch=switch is not None)
    yield top
    if switch is None:
        return
    parent = f"{top.key}|vlan"
    yield Node(
        parent, Sort.VLAN, vlan_name(nic.vlan), switch, 1, top.key, True, cards, nic, switch
    )  # fmt: skip
    key = f"{top.key}|switch"
    wired = bool(cards)
    yield Node(
        key, Sort.SWITCH, switch.name, switch, 2, parent, wired, cards, switch=switch,
        count=switch.switch.ports,
    )  # fmt: skip
    parent, depth = key, 3
    if len(cards) > 1 or (cards and switch.switch.teaming):
        key = f"{top.key}|team"
        title = f"Team of {len(cards)}"
        yield Node(key, Sort.TEAM, title, switch, depth, parent, uplinks=cards, switch=switch)
        parent, depth = key, depth + 1
    for at, (name, card) in enumerate(zip(switch.switch.uplinks, cards, strict=True)):
        key = f"{top.key}|nic:{at}"
        if host is not None:
            yield Node(key, Sort.NIC, name, host, depth, parent, False, (card,))


# -- how each stands -----------------------------------------------------------------------

_UP: Final = State("●", "*", "Up", "ok")
_DOWN: Final = State("▲", "!", "No link", "error")
_IDLE: Final = State("○", "o", "No link", "dim")
_FREE: Final = State("○", "o", "Unused", "dim")
_UNKNOWN: Final = State("?", "?", "Unknown", "unknown")
_NO_WIRE: Final = State("▲", "!", "No wire", "error")


def state_of(node: Node) -> State | None:
    """Up, down, cut off: glyph and word; None where there is nothing to say."""
    match node.sort:
        case Sort.HOST if isinstance(node.row, HostRow):
            return text.host_state(node.row.vitals)
        case Sort.NIC:
            return _card_state(node)
        case Sort.TEAM | Sort.SWITCH:
            return _reach(node)
        case Sort.CUT:
            return State("▲", "!", "Cut off", "warning")
        case Sort.ADAPTER if isinstance(node.row, VmRow):
            return _adapter_state(node, node.row)
    return None


def _card_state(node: Node) -> State:
    card = node.uplinks[0] if node.uplinks else None
    if card is None:
        return _UNKNOWN
    spare = not node.branch and node.depth == 1
    if card.connected:
        return _FREE if spare else _UP
    return _IDLE if spare else _DOWN


def _reach(node: Node) -> State:
    """Of a team or switch: how much of its way to the wire is there."""
    if not node.uplinks:
        kind = node.switch.switch.kind if node.switch else SwitchKind.PRIVATE
        return State("●", "*", text.SWITCH_KINDS[kind], "")
    known = [card for card in node.uplinks if card is not None]
    up = sum(card.connected for card in known)
    if not known:
        return _UNKNOWN
    if not up:
        return _NO_WIRE
    if up < len(known):
        return State("▲", "!", f"{up} of {len(known)} up", "warning")
    return _UP


def _adapter_state(node: Node, row: VmRow) -> State:
    running = row.vitals.state in RUNNING
    if node.nic is not None and not node.nic.connected:
        return State("▲", "!", "Cut off", "warning") if running else (
            State("○", "o", "Cut off", "dim")
        )  # fmt: skip
    if running and node.uplinks and _reach(node) is _NO_WIRE:
        return _NO_WIRE
    return text.vm_shown(row.vitals, row.pending)


def ailing(node: Node) -> bool:
    """It deserves a look."""
    if node.sort is Sort.HOST and isinstance(node.row, HostRow):
        return node.row.vitals.link is Link.DOWN
    state = state_of(node)
    return state is not None and state.tone in ("warning", "error", "critical")


# -- columns -------------------------------------------------------------------------------


def detail(node: Node) -> str:
    """What else there is to know of it: addresses, speed, how many hang on it."""
    match node.sort:
        case Sort.HOST:
            return node.host.cluster
        case Sort.NIC:
            card = node.uplinks[0] if node.uplinks else None
            return text.bits(card.speed) if card else ""
        case Sort.TEAM:
            return text.bits(sum(card.speed for card in node.uplinks if card and card.connected))
        case Sort.ADAPTER:
            return text.ip((node.nic,)) if node.nic else ""
        case Sort.SWITCH if node.switch is not None:
            switch = node.switch.switch
            words = [text.SWITCH_KINDS[switch.kind].lower(), several(node.count, "adapter")]
            words += ["host too"] * switch.shared + ["SR-IOV"] * switch.iov
            return ", ".join(words)
    return several(node.count, "adapter") if node.count else ""


def way(node: Node) -> str:
    """From an adapter to the wire, on one line."""
    if node.sort is not Sort.ADAPTER or node.nic is None or node.switch is None:
        return ""
    arrow = " > " if text.ascii_in_use() else " → "
    steps = [vlan_name(node.nic.vlan), node.switch.name]
    if uplinks := node.switch.switch.uplinks:
        steps.append(" + ".join(uplinks))
    return arrow.join(steps)


def mac(node: Node) -> str:
    """The address of a physical or virtual adapter."""
    if node.sort is Sort.ADAPTER and node.nic is not None:
        return text.mac(node.nic.mac)
    card = node.uplinks[0] if node.sort is Sort.NIC and node.uplinks else None
    return text.mac(card.mac) if card else ""


def _state_cell(node: Node) -> Cell:
    state = state_of(node)
    return Cell(str(state), state.tone) if state else Cell("")


def word(node: Node) -> str:
    """Its state in a word."""
    state = state_of(node)
    return state.word if state else ""


def _on(node: Node) -> str:
    return node.host.id


NODE_COLUMNS: tuple[Column[Node], ...] = (
    Column("name", "Name", lambda n: n.name, plain(lambda n: n.name), 30, 20, priority=0,
           grow=True),
    Column("state", "State", word, _state_cell, 14, 11, priority=0, flash=True),
    Column("kind", "Kind", lambda n: n.sort.value, plain(lambda n: n.sort.value, "dim"),
           7, priority=3),
    Column("way", "Way to the wire", way, plain(way), 34, 18, priority=1, grow=True),
    Column("detail", "Address, speed", detail, plain(detail), 26, 15, priority=1, grow=True,
           prose=True),
    Column("host", "Host", _on, plain(_on), 14, 10, priority=2),
    Column("mac", "MAC", mac, plain(mac, "dim"), 17, priority=8),
)  # fmt: skip
WIRES_DEFAULT: Final[Sequence[str]] = ("name", "state", "kind", "detail", "mac")
WAYS_DEFAULT: Final[Sequence[str]] = ("name", "state", "way", "detail", "host", "mac")

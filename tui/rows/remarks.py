"""What the network audits find, in sentences: the worst first, each with what helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.hyperv.plans.words import several
from tui.rows import levels, text
from tui.rows.audit import (
    AdapterLine,
    Line,
    MacLine,
    PoolLine,
    SwitchLine,
    VlanLine,
    adapter_lines,
    mac_lines,
    once,
    pool_lines,
    switch_lines,
    vlan_lines,
)
from tui.store import Store

LEVELS: Final[Mapping[str, str]] = {"error": "Error", "warning": "Warning", "accent": "Note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark(Line):
    """Something that is wrong or deserves a look, in a sentence."""

    topic: str
    says: str
    hint: str

    @property
    def words(self) -> str:
        return self.says


def remarks(store: Store) -> list[Remark]:
    """Everything that is wrong or deserves a look, the worst first."""
    found = [
        *_mac_remarks(mac_lines(store)),
        *_pool_remarks(pool_lines(store)),
        *_switch_remarks(switch_lines(store)),
        *_adapter_remarks(adapter_lines(store)),
        *_vlan_remarks(vlan_lines(store)),
    ]
    levels = list(LEVELS)
    return sorted(found, key=lambda remark: levels.index(remark.tone))


def _remark(
    line: Line, topic: str, says: str, hint: str, tone: str = "", also: Sequence[str] = ()
) -> Remark:
    """``also``: more hosts it is about."""
    return Remark(
        key=f"{topic}:{line.key}",
        tone=tone or line.tone,
        hosts=once((*line.hosts, *also)),
        clusters=line.clusters,
        vms=line.vms,
        switches=line.switches,
        macs=line.macs,
        vlans=line.vlans,
        goes=line.goes,
        topic=topic,
        says=says,
        hint=hint,
    )


def _mac_remarks(lines: Iterable[MacLine]) -> Iterator[Remark]:
    for line in lines:
        if line.twice:
            some = f"{line.running} of them {'runs' if line.running == 1 else 'run'}"
            run = some if line.running else "none of them runs"
            says = f"{text.mac(line.mac)} is the address of {_listed(line.who)}; {run}"
            yield _remark(line, "MAC", says, "Give all but one of them another address")


def _pool_remarks(lines: Sequence[PoolLine]) -> Iterator[Remark]:
    told: set[str] = set()
    for line in lines:
        host = line.hosts[0]
        others = [other for other in line.shared_with if other not in told]
        if others:
            says = f"{host} gives out the same addresses as {_listed(others)}"
            yield _remark(line, "Pool", says, "Give each host a range of its own", also=others)
        told.add(host)
        if tone := levels.tone("mac_pool", 100 * line.used / line.size):
            says = f"{host} has {max(0, line.size - line.used)} of {line.size} addresses left"
            yield _remark(line, "Pool left", says, "Widen the range of the host", tone)


def _switch_remarks(lines: Sequence[SwitchLine]) -> Iterator[Remark]:
    told: set[str] = set()
    for line in lines:
        for other in once(line.near.values()):
            if other not in told:
                there = [host for host, name in line.near.items() if name == other]
                says = f"{line.name} on {_listed(line.hosts)} is {other} on {_listed(there)}"
                hint = "Rename one: machines move only to a switch of the very same name"
                yield _remark(line, "Switch", says, hint, also=there)
        told.add(line.name)
        absent = [host for host in line.missing if host not in line.near]
        if absent:
            use = f", {several(line.used, 'machine')} on it elsewhere" if line.used else ""
            says = f"{line.name} is missing on {_listed(absent)}{use}"
            hint = "Create it there before machines have to move"
            tone = "warning" if line.used else "accent"
            yield _remark(line, "Switch missing", says, hint, tone, absent)
        kinds = once(text.SWITCH_KINDS[kind].lower() for kind in line.kinds.values())
        if len(kinds) > 1 and line.clusters:
            says = f"{line.name} is {' here and '.join(kinds)} there"
            yield _remark(line, "Switch kind", says, "Make it the same on every node", "warning")


def _adapter_remarks(lines: Iterable[AdapterLine]) -> Iterator[Remark]:
    for line in lines:
        if line.running:
            was = f"; it was on {line.was}" if line.was else ""
            says = f"{line.vm} runs with {line.adapter} connected to nothing{was}"
            yield _remark(line, "Adapter", says, "Connect the adapter, or remove it")


def _vlan_remarks(lines: Iterable[VlanLine]) -> Iterator[Remark]:
    for line in lines:
        if line.gaps:
            where = _listed(line.within)
            says = f"VLAN {line.vlan} is in use in {where}, but not on {_listed(line.gaps)}"
            hint = "Make sure the uplinks there carry it before machines move"
            yield _remark(line, "VLAN", says, hint, also=line.gaps)


def _listed(names: Sequence[str]) -> str:
    """``a, b and 3 more``."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

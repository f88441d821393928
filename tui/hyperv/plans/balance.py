"""Spreading machines evenly over hosts, or packing them on fewer: as a list of moves.

Each step is the best there is for the fleet as the steps before leave it, and none is worth taking
after the last: a plan made anew once all are taken is empty. Clusters are spread within
themselves, hosts without one among each other.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tui.hyperv.model import Vm
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans import spare
from tui.hyperv.plans.fleet import Fleet, Load
from tui.hyperv.plans.step import COPIES, Refusal, Step, applied, chained, refusal, spares
from tui.hyperv.plans.words import share

WORTH = 0.002
"""What a move must take from the unevenness: about three points on either host."""
WORTH_COPIED = 0.01
"""The same of a move that carries the files along."""
FULL = 0.85
"""Part of its memory up to which a host is filled when machines are packed."""
HOT = 0.75
"""The same of its processors."""
_REACH = 6
"""Hosts looked at from either end, by memory and by processors."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves in their order, and how full each host is before and after all of them."""

    steps: tuple[Step, ...]
    before: Mapping[str, Load]
    after: Mapping[str, Load]
    frees: tuple[str, ...] = ()
    """Hosts that have no running machine any more."""


def loads(fleet: Fleet) -> dict[str, Load]:
    """How full every host is that can be planned with."""
    return {
        host: fleets.load(fleet[host]) for host in sorted(fleet) if fleets.known(fleet[host])
    }  # fmt: skip


def plan_of(fleet: Fleet, steps: Sequence[Step]) -> Plan:
    """The same figures for some of the steps."""
    after = applied(fleet, steps)
    empty = {
        host for host in after if fleets.known(after[host]) and not fleets.running(after[host])
    }
    frees = tuple(sorted(host for host in empty if fleets.running(fleet[host])))
    return Plan(tuple(steps), loads(fleet), loads(after), frees)


# -- evenness ------------------------------------------------------------------------------


def unevenness(fleet: Fleet) -> float:
    """Squared distances of all hosts from the level of their pool, memory and processors."""
    total = 0.0
    for hosts in fleets.pools(fleet).values():
        pool = _Pool(fleet, hosts)
        total += sum(pool.distance(host, load) for host, load in pool.loads.items())
    return total


class _Pool:
    """Hosts that share their load, and the level all of them would have."""

    def __init__(self, fleet: Fleet, hosts: Sequence[str]) -> None:
        self.hosts = [host for host in hosts if fleets.known(fleet[host])]
        self.loads = {host: fleets.load(fleet[host]) for host in self.hosts}
        self.memory = {host: fleet[host].host.memory for host in self.hosts}
        self.processors = {host: fleet[host].host.logical_processors for host in self.hosts}
        self.level = Load(
            _mean({host: load.memory for host, load in self.loads.items()}, self.memory),
            _mean({host: load.cpu for host, load in self.loads.items()}, self.processors),
        )
        self.open = [host for host in self.hosts if not fleets.closed(fleet, host)]

    def distance(self, host: str, load: Load) -> float:
        """How far a host would be from the level."""
        return (load.memory - self.level.memory) ** 2 + (load.cpu - self.level.cpu) ** 2

    def changed(self, host: str, memory: int, busy: float) -> Load:
        """A host's load with so much more."""
        load = self.loads[host]
        return Load(
            load.memory + memory / self.memory[host], load.cpu + busy / self.processors[host]
        )

    def gain(self, source: str, target: str, memory: int, busy: float) -> float:
        """What a move takes from the unevenness."""
        before = self.distance(source, self.loads[source]) + self.distance(
            target, self.loads[target]
        )
        after = self.distance(source, self.changed(source, -memory, -busy))
        return before - after - self.distance(target, self.changed(target, memory, busy))

    def ends(self) -> tuple[list[str], list[str]]:
        """The fullest hosts, and the emptiest that take machines."""
        memory = {host: (load.memory, host) for host, load in self.loads.items()}
        cpu = {host: (load.cpu, host) for host, load in self.loads.items()}
        most = {*heapq.nlargest(_REACH, self.hosts, key=memory.__getitem__),
                *heapq.nlargest(_REACH, self.hosts, key=cpu.__getitem__)}  # fmt: skip
        least = {*heapq.nsmallest(_REACH, self.open, key=memory.__getitem__),
                 *heapq.nsmallest(_REACH, self.open, key=cpu.__getitem__)}  # fmt: skip
        return sorted(most), sorted(least)


def _mean(parts: Mapping[str, float], weights: Mapping[str, int]) -> float:
    total = sum(weights.values())
    return sum(part * weights[host] for host, part in parts.items()) / total if total else 0.0


def spread(fleet: Fleet) -> Plan:
    """The moves that even memory and processors out over the hosts."""
    current, steps = fleet, list[Step]()
    for hosts in fleets.pools(fleet).values():
        while (step := _best(current, hosts)) is not None:
            steps.append(step)
            current = fleets.moved(current, step.vm, step.target, step.source)
    shorter = chained(fleet, steps)
    return plan_of(fleet, shorter if _falls(fleet, shorter) else steps)


def _falls(fleet: Fleet, steps: Sequence[Step]) -> bool:
    """Every step leaves the fleet more even than it was."""
    before = unevenness(fleet)
    for step in steps:
        fleet = fleets.moved(fleet, step.vm, step.target, step.source)
        after = unevenness(fleet)
        if after >= before:
            return False
        before = after
    return True


def _best(fleet: Fleet, hosts: Sequence[str]) -> Step | None:
    """The step that evens out most; one that copies files only when no other is left."""
    pool = _Pool(fleet, hosts)
    cluster = fleet[hosts[0]].host.cluster
    lacks = spare.lacking(fleet, cluster)
    copying: Step | None = None
    for gain, vm, source, target in _candidates(fleet, pool):
        step = refusal(fleet, vm, source, target)
        if isinstance(step, Refusal) or spares(fleet, step, lacks):
            continue
        step = replace(step, why=_uneven(pool, fleet, source, target))
        if step.move not in COPIES:
            return step
        if copying is None and gain >= WORTH_COPIED:
            copying = step
    return copying


def _candidates(fleet: Fleet, pool: _Pool) -> list[tuple[float, str, str, str]]:
    """Moves that would be worth it, the best first."""
    found: list[tuple[float, str, str, str]] = []
    sources, targets = pool.ends()
    for source in sources:
        for vm, vitals in fleets.running(fleet[source]):
            if fleets.copied(vitals):
                continue
            memory, busy = fleets.held(vm, vitals), fleets.busy(vm, vitals)
            for target in targets:
                gain = pool.gain(source, target, memory, busy) if target != source else 0.0
                if gain >= WORTH:
                    found.append((gain, vm.id, source, target))
    return sorted(found, key=lambda one: (-round(one[0], 9), one[1:]))


def _uneven(pool: _Pool, fleet: Fleet, source: str, target: str) -> str:
    """What the move is for."""
    here, there = pool.loads[source], pool.loads[target]
    names = fleets.title(fleet[source]), fleets.title(fleet[target])
    if here.memory - there.memory >= here.cpu - there.cpu:
        return f"memory: {names[0]} {share(here.memory)}, {names[1]} {share(there.memory)}"
    return f"processors: {names[0]} {share(here.cpu)}, {names[1]} {share(there.cpu)}"


# -- fewer hosts ---------------------------------------------------------------------------


def pack(fleet: Fleet) -> Plan:
    """The moves that free as many hosts as can be, the emptiest first."""
    current, steps = fleet, list[Step]()
    for hosts in fleets.pools(fleet).values():
        while (emptied := _emptied(current, hosts)) is not None:
            steps += emptied
            for step in emptied:
                current = fleets.moved(current, step.vm, step.target, step.source)
    return plan_of(fleet, chained(fleet, steps))


def _emptied(fleet: Fleet, hosts: Sequence[str]) -> list[Step] | None:
    """All it takes to free one host; None when no further host can be freed."""
    used = [host for host in hosts if fleets.known(fleet[host]) and fleets.running(fleet[host])]
    idle = frozenset(host for host in hosts if host not in used)
    order = sorted(used, key=lambda host: (fleets.load(fleet[host]).higher, host))
    for host in order:
        targets = [other for other in used if other != host and not fleets.closed(fleet, other)]
        steps = _leave(fleet, host, targets, idle | {host}) if targets else None
        if steps is not None:
            return steps
    return None


def _leave(
    fleet: Fleet, host: str, targets: Sequence[str], without: frozenset[str]
) -> list[Step] | None:
    """Every machine of a host to others; None when one of them has nowhere to go."""
    lacks = spare.lacking(fleet, fleet[host].host.cluster, without - {host})
    steps: list[Step] = []
    machines = fleets.running(fleet[host])
    for vm, vitals in sorted(machines, key=lambda one: (-fleets.held(*one), one[0].id)):
        if fleets.copied(vitals):
            return None
        step = next(_packed(fleet, vm, host, targets), None)
        if step is None or spares(fleet, step, lacks):
            return None
        steps.append(replace(step, why=f"frees {fleets.title(fleet[host])}"))
        fleet = fleets.moved(fleet, vm.id, step.target, host)
    left = spare.lacking(fleet, fleet[host].host.cluster, without)
    partly = fleets.strangers(fleet, fleet[host].host.cluster)
    return steps if left <= lacks or partly else None


def _packed(fleet: Fleet, vm: Vm, source: str, targets: Sequence[str]) -> Iterator[Step]:
    """Where a machine fits, the fullest host first."""
    vitals = fleet[source].vm_vitals[vm.id]
    memory, busy = fleets.held(vm, vitals), fleets.busy(vm, vitals)
    order = sorted(targets, key=lambda host: (-fleets.load(fleet[host]).higher, host))
    for target in order:
        after = fleets.load(fleet[target], memory, busy)
        if after.memory > FULL or after.cpu > HOT:
            continue
        step = refusal(fleet, vm.id, source, target)
        if isinstance(step, Step) and step.move not in COPIES:
            yield step

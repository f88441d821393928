"""One step of a plan: a machine to another host, and every rule that may forbid it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import structs

from tui.hyperv import preflight, states
from tui.hyperv.cluster import Cluster, Role
from tui.hyperv.model import Link
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans import spare
from tui.hyperv.plans.fleet import Fleet
from tui.hyperv.plans.words import gb
from tui.hyperv.preflight import Cause, Move, Verdict

COPIES = (Move.BOTH, Move.OFFLINE)
"""Moves that carry the files along."""


@dataclass(frozen=True, slots=True)
class Step:
    """A machine, or a role without one, that goes to another host."""

    vm: str
    """GUID; empty for a role without a machine."""
    name: str
    source: str
    target: str
    move: Move
    why: str = ""
    memory: int = 0
    """Bytes that travel."""
    role: str = ""
    """Name of its role; empty when no cluster has it."""
    warnings: tuple[Cause, ...] = ()

    @property
    def key(self) -> str:
        """What it is known by within its plan."""
        return f"{self.vm or self.role}>{self.target}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a machine may not go somewhere, and what removes that."""

    why: str
    fix: str = ""
    causes: tuple[Cause, ...] = ()


def way(
    fleet: Fleet, vm: str, source: str, target: str, role: Role | None
) -> tuple[Move, tuple[Cause, ...]]:
    """How a machine would get to a host, and all that preflight says of it."""
    here, there = fleet[source], fleet[target]
    machine, vitals = here.vms[vm], here.vm_vitals[vm]
    move = move_of(fleet, vm, source, target, role)
    near = _near(fleet, source, role)
    return move, preflight.causes(machine, vitals, here, there, move, cluster=near)


def move_of(fleet: Fleet, vm: str, source: str, target: str, role: Role | None) -> Move:
    """How a machine would get to a host."""
    here, there, near = fleet[source], fleet[target], _near(fleet, source, role)
    return preflight.move_for(here.vms[vm], here.vm_vitals[vm], here, there, cluster=near)


def _near(fleet: Fleet, host: str, role: Role | None) -> Cluster | None:
    """As much of a host's cluster as one role is about: itself, and those it is kept apart from."""
    cluster = fleets.cluster_of(fleet, host)
    if cluster is None:
        return None
    classes = set(role.anti_affinity) if role is not None else set()
    beside = [one for one in cluster.roles if classes & set(one.anti_affinity)] if classes else []
    itself = [role] if role is not None and role not in beside else []
    return structs.replace(cluster, roles=(*itself, *beside))


def refusal(fleet: Fleet, vm: str, source: str, target: str) -> Refusal | Step:
    """The step, or why it may not be taken: preflight, roles kept apart, hosts that are closed."""
    here = fleet[source]
    machine, vitals = here.vms[vm], here.vm_vitals.get(vm)
    if vitals is None:
        return Refusal(f"how {machine.name} is has not been read yet")
    if why := fleets.closed(fleet, target):
        return Refusal(why)
    role = fleets.role_of(fleet, source, machine)
    if role is None and here.vitals.link not in (Link.UP, Link.SLOW):
        return Refusal(f"{fleets.title(here)} does not answer")
    if role is not None:
        if role.locked:
            return Refusal(f"role {role.name} is locked from moving", "unlock the role first")
        if here.host.cluster != fleet[target].host.cluster:
            return Refusal(f"role {role.name} stays within its cluster")
    move, causes = way(fleet, vm, source, target, role)
    if failures := [cause for cause in causes if cause.verdict is Verdict.FAIL]:
        return Refusal(
            "; ".join(cause.text for cause in failures), failures[0].fix, tuple(failures)
        )
    if move is Move.OFFLINE and vitals.state in states.HAS_WORKER:
        return Refusal(f"{machine.name} would have to be stopped for it")
    if other := fleets.apart(fleet, role, target):
        return Refusal(f"{fleets.title(fleet[target])} has {other}, which is kept apart from it")
    warnings = tuple(cause for cause in causes if cause.verdict is Verdict.WARN)
    memory = fleets.held(machine, vitals)
    name = role.name if role else ""
    return Step(vm, machine.name, source, target, move, "", memory, name, warnings)


def spares(fleet: Fleet, step: Step, before: int, without: Iterable[str] = ()) -> str:
    """Why N-1 forbids a step; empty when it leaves no more to miss than ``before``, or when not
    all nodes are known."""
    cluster = fleet[step.target].host.cluster
    if not cluster or fleets.strangers(fleet, cluster):
        return ""
    after = fleets.moved(fleet, step.vm, step.target, step.source)
    lacks = spare.lacking(after, cluster, frozenset(without))
    if lacks <= before:
        return ""
    return f"if a node of {cluster} died then, {gb(lacks)} of memory would be missing"


def stands(fleet: Fleet, step: Step) -> bool:
    """Its machine is where it would leave from."""
    return step.source in fleet and step.vm in fleet[step.source].vms


def applied(fleet: Fleet, steps: Iterable[Step]) -> Fleet:
    """The fleet once all steps have been taken, those left out whose machine is elsewhere."""
    for step in steps:
        if step.vm and stands(fleet, step):
            fleet = fleets.moved(fleet, step.vm, step.target, step.source)
        elif not step.vm and step.role:
            cluster = fleet[step.target].host.cluster
            fleet = fleets.owned(fleet, cluster, step.role, fleets.title(fleet[step.target]))
    return fleet


def objections(fleet: Fleet, steps: Sequence[Step]) -> dict[str, str]:
    """Steps that may not be taken after those before them, by key, and why."""
    found: dict[str, str] = {}
    lacks: dict[str, int] = {}
    for step in steps:
        if not stands(fleet, step):
            found[step.key] = f"{step.name} is not on {step.source}"
            continue
        cluster = fleet[step.target].host.cluster
        if cluster not in lacks:
            lacks[cluster] = spare.lacking(fleet, cluster)
        answer = refusal(fleet, step.vm, step.source, step.target)
        why = answer.why if isinstance(answer, Refusal) else spares(fleet, step, lacks[cluster])
        if why:
            found[step.key] = why
        else:
            fleet = fleets.moved(fleet, step.vm, step.target, step.source)
    return found


def chained(fleet: Fleet, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Two steps of one machine become one, where the straight way is allowed as well."""
    current = list(steps)
    for vm in dict.fromkeys(step.vm for step in steps):
        own = [step for step in current if step.vm == vm]
        if len(own) < 2:
            continue
        shorter = [step for step in current if step.vm != vm or step is own[-1]]
        if own[0].source == own[-1].target:
            shorter = [step for step in shorter if step.vm != vm]
        straight = _straightened(shorter, own[-1], own[0].source)
        if not objections(fleet, straight):
            current = straight
    return tuple(current)


def _straightened(steps: Sequence[Step], last: Step, source: str) -> list[Step]:
    made = Step(
        last.vm, last.name, source, last.target, last.move, last.why, last.memory, last.role,
        last.warnings,
    )  # fmt: skip
    return [made if step is last else step for step in steps]

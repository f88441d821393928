"""Emptying a host for maintenance, and bringing everything home afterwards.

What runs is moved, on a node of a cluster every role as well; what is off stays, since nothing of
it is lost while the host is away. The order is the cluster's own: high priority first, and of the
same the largest first, since that is hardest to place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tui.hyperv import quorum, states
from tui.hyperv.cluster import OFFLINE, Cluster, Role
from tui.hyperv.model import Inventory, Vm, VmVitals
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans import spare
from tui.hyperv.plans.fleet import Fleet, Load
from tui.hyperv.plans.spare import MEDIUM
from tui.hyperv.plans.step import COPIES, Refusal, Step, move_of, refusal
from tui.hyperv.plans.words import gb, listed, share
from tui.hyperv.preflight import Move

_BUSY = {
    32768: "a checkpoint is being made",
    32769: "a checkpoint is being applied",
    32770: "a checkpoint is being deleted",
    32772: "disks are being merged",
    32773: "it is being exported",
    32774: "it is being moved",
}
"""Second OperationalStatus of a machine that had better come to its end first."""
WIRE = 0.8
"""Part of a network's speed that a migration gets out of it."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A machine that does not move, and why."""

    vm: str
    name: str
    why: str
    fix: str = ""
    harmless: bool = False
    """Nothing that runs is lost by it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast memory travels."""

    rate: float | None
    """Bytes a second; None when neither measured nor to be had from the network."""
    source: str
    """Where that is from, in words."""


@dataclass(frozen=True, slots=True)
class Drain:
    """All that emptying a host takes, and what it means."""

    host: str
    name: str
    cluster: str
    """Name of its cluster; empty for a host without one."""
    steps: tuple[Step, ...]
    stays: tuple[Stay, ...]
    pace: Pace
    seconds: float | None
    """How long the moves take at least; None when that cannot be told."""
    volumes: tuple[str, ...] = ()
    """Cluster shared volumes it owns."""
    jobs: tuple[str, ...] = ()
    """What is under way on it and should end first."""
    votes: tuple[str, ...] = ()
    """The arithmetic of the votes while it is away, line by line."""
    quorate: bool = True
    """The cluster goes on when it is gone."""
    remarks: tuple[str, ...] = ()
    """What holds while it is away."""
    strands: bool = False
    """If one more node died meanwhile, machines would find no room."""

    @property
    def held_up(self) -> tuple[Stay, ...]:
        """Machines that run and cannot leave."""
        return tuple(stay for stay in self.stays if not stay.harmless)

    @property
    def memory(self) -> int:
        """Bytes that travel."""
        return sum(step.memory for step in self.steps)


def drain(fleet: Fleet, host: str, *, rate: float | None = None) -> Drain:
    """The plan for emptying a host. ``rate``: bytes a second that were measured before."""
    here = fleet[host]
    cluster = fleets.cluster_of(fleet, host)
    after, steps, stays = _machines(fleet, host)
    if cluster is not None:
        after, more, left = _roles(after, host)
        steps, stays = [*steps, *more], [*stays, *left]
    pace = pace_of(here, rate)
    votes, quorate = _votes(cluster, here)
    return Drain(
        host,
        fleets.title(here),
        here.host.cluster,
        tuple(steps),
        tuple(stays),
        pace,
        _seconds(steps, pace),
        _volumes(cluster, here),
        _jobs(here, cluster),
        votes,
        quorate,
        *_remarks(after, host, cluster),
    )


# -- who goes where ------------------------------------------------------------------------


def _machines(fleet: Fleet, host: str) -> tuple[Fleet, list[Step], list[Stay]]:
    """Machines in the order they leave."""
    here = fleet[host]
    roles = fleets.roles_of(fleet, host)

    def rank(one: tuple[Vm, VmVitals]) -> tuple[int, int, str]:
        role = roles.get(one[0].id)
        priority = role.priority if role else MEDIUM
        return -priority, -fleets.held(*one), one[0].id

    known = [(vm, here.vm_vitals[key]) for key, vm in here.vms.items() if key in here.vm_vitals]
    steps: list[Step] = []
    stays = [
        Stay(vm.id, vm.name, "how it is has not been read yet")
        for key, vm in here.vms.items() if key not in here.vm_vitals
    ]  # fmt: skip
    for vm, vitals in sorted(known, key=rank):
        if vm.id not in roles and not fleets.weighs(vitals):
            word = states.word(vitals.state)
            stays.append(Stay(vm.id, vm.name, f"it is {word}", harmless=True))
            continue
        found = destination(fleet, vm.id, {host})
        if isinstance(found, Step):
            steps.append(found)
            fleet = fleets.moved(fleet, vm.id, found.target, host)
        else:
            idle = not fleets.weighs(vitals)
            stays.append(Stay(vm.id, vm.name, found.why, found.fix, harmless=idle))
    return fleet, steps, stays


def destination(fleet: Fleet, vm: str, without: set[str]) -> Step | Refusal:
    """Where a machine goes best, with the reason; or why it can go nowhere. It leaves the host in
    ``without`` that has it; when none has, the one that does."""
    left = sorted(host for host in without if host in fleet and vm in fleet[host].vms)
    source = left[0] if left else fleets.host_of(fleet, vm)
    machine, vitals = fleet[source].vms[vm], fleet[source].vm_vitals.get(vm)
    role = fleets.role_of(fleet, source, machine)
    weight = (fleets.held(machine, vitals), fleets.busy(machine, vitals)) if vitals else (0, 0.0)
    ranked: list[tuple[bool, int, float, str, Load]] = []
    for target in _reachable(fleet, source, role, without):
        after = fleets.load(fleet[target], *weight)
        liked = _preference(role, fleets.title(fleet[target]))
        # Of most machines without a role the files go along wherever they go: known beforehand.
        late = role is None and vitals is not None and move_of(
            fleet, vm, source, target, role) in COPIES  # fmt: skip
        ranked.append((late, liked, after.higher, target, after))
    copying: Step | None = None
    refusals: list[tuple[str, Refusal]] = []
    for late, liked, _, target, after in sorted(ranked, key=lambda one: one[:4]):
        answer = refusal(fleet, vm, source, target)
        if isinstance(answer, Refusal):
            refusals.append((target, answer))
            continue
        why = f"memory there then {share(after.memory)}"
        if role is not None and liked < len(role.preferred):
            why = f"preferred owner, {why}"
        step = replace(answer, why=why)
        if late or step.move not in COPIES:
            return step
        copying = copying or step
    return copying or _nowhere(fleet, source, refusals)


def _reachable(fleet: Fleet, source: str, role: Role | None, without: set[str]) -> list[str]:
    """Hosts a machine may go to: a role to nodes of its cluster, others to hosts without one
    and to the nodes beside it.
    """
    cluster = fleet[source].host.cluster
    allowed = {cluster} if role is not None else {cluster, ""}
    return sorted(
        host for host, one in fleet.items()
        if host != source and host not in without and one.host.cluster in allowed
    )  # fmt: skip


def _preference(role: Role | None, node: str) -> int:
    """Where a node stands among the preferred owners, those that are none last."""
    liked = [name.casefold() for name in role.preferred] if role else []
    return liked.index(node.casefold()) if node.casefold() in liked else len(liked)


def _nowhere(fleet: Fleet, source: str, refusals: Sequence[tuple[str, Refusal]]) -> Refusal:
    """Why a machine can go nowhere: the host where least stands in the way speaks for all."""
    known = spare.as_far(fleet, fleet[source].host.cluster)
    if not refusals:
        return Refusal(f"there is no other host it could go to{known}")
    host, best = min(refusals, key=lambda one: (not one[1].causes, len(one[1].causes), one[0]))
    more = f", and no other host can take it{known}" if len(refusals) > 1 or known else ""
    return Refusal(f"{fleets.title(fleet[host])}: {best.why}{more}", best.fix, best.causes)


def _roles(fleet: Fleet, host: str) -> tuple[Fleet, list[Step], list[Stay]]:
    """Roles without a machine, the cluster's own group among them."""
    cluster, name = fleets.cluster_of(fleet, host), fleets.title(fleet[host]).casefold()
    if cluster is None:
        return fleet, [], []
    held = {role.name for role in fleets.roles_of(fleet, host).values()}
    steps: list[Step] = []
    stays: list[Stay] = []
    for role in sorted(cluster.roles, key=lambda role: (-role.priority, role.name)):
        if role.owner.casefold() != name or role.name in held or not role.resources:
            continue
        target = _node_for(fleet, host, role)
        idle = role.state == OFFLINE
        if role.locked:
            stays.append(Stay("", role.name, "the role is locked from moving", harmless=idle))
        elif not target:
            why = f"no other node takes roles{spare.as_far(fleet, fleet[host].host.cluster)}"
            stays.append(Stay("", role.name, why, harmless=idle))
        else:
            why = "the role goes along"
            step = Step("", role.name, host, target, Move.CLUSTER, why, role=role.name)
            steps.append(step)
            node = fleets.title(fleet[target])
            fleet = fleets.owned(fleet, fleet[host].host.cluster, role.name, node)
    return fleet, steps, stays


def _node_for(fleet: Fleet, host: str, role: Role) -> str:
    """The node that takes a role without a machine; empty when none does."""
    nodes = [
        node for node in fleets.members(fleet, fleet[host].host.cluster)
        if node != host and not fleets.closed(fleet, node) and not fleets.apart(fleet, role, node)
    ]  # fmt: skip
    return min(
        nodes,
        key=lambda node: (
            _preference(role, fleets.title(fleet[node])), fleets.load(fleet[node]).higher, node,
        ),
        default="",
    )  # fmt: skip


# -- how long ------------------------------------------------------------------------------


def pace_of(here: Inventory, measured: float | None) -> Pace:
    """How fast a host's memory travels: as measured, else as its fastest adapter lets it."""
    if measured:
        return Pace(measured, f"{gb(measured)} a second, as measured before")
    speed = max((uplink.speed for uplink in here.host.uplinks if uplink.connected), default=0)
    if not speed:
        return Pace(None, "not known: no move has been measured and no adapter tells its speed")
    rate = speed / 8 * WIRE
    return Pace(rate, f"{gb(rate)} a second, from an adapter of {speed / 1e9:g} Gb/s")


def _seconds(steps: Sequence[Step], pace: Pace) -> float | None:
    """Time for the memory alone; files that are copied cannot be told."""
    if pace.rate is None or any(step.move in COPIES for step in steps):
        return None
    return sum(step.memory for step in steps) / pace.rate


# -- what it means -------------------------------------------------------------------------


def quorate(fleet: Fleet, host: str) -> bool:
    """Whether the cluster of a host goes on without it."""
    return _votes(fleets.cluster_of(fleet, host), fleet[host])[1]


def _votes(cluster: Cluster | None, here: Inventory) -> tuple[tuple[str, ...], bool]:
    name = fleets.title(here)
    if cluster is None or cluster.node(name) is None:
        return (), True
    return quorum.told(cluster, name), quorum.without(cluster, name).survived


def _volumes(cluster: Cluster | None, here: Inventory) -> tuple[str, ...]:
    name = fleets.title(here).casefold()
    volumes = cluster.volumes if cluster else ()
    return tuple(volume.name for volume in volumes if volume.owner.casefold() == name)


def _jobs(here: Inventory, cluster: Cluster | None) -> tuple[str, ...]:
    """What is under way: jobs, merges and moves of its machines, backups of its volumes."""
    names = {vm.id: vm.name for vm in here.vms.values()}
    found = []
    for job in here.jobs.values():
        if not job.finished:
            subject = names.get(job.subject, "")
            found.append(f"{job.name}{f' of {subject}' if subject else ''}: {job.percent}%")
    for vitals in here.vm_vitals.values():
        word = _BUSY.get(vitals.activity)
        if word and vitals.id in names:
            found.append(f"{names[vitals.id]}: {word}")
    name = fleets.title(here).casefold()
    found += [
        f"{volume.name}: a backup is under way"
        for volume in (cluster.volumes if cluster else ())
        if volume.backup and volume.owner.casefold() == name
    ]
    return tuple(sorted(found))


def _remarks(after: Fleet, host: str, cluster: Cluster | None) -> tuple[tuple[str, ...], bool]:
    """Whether the cluster survives the loss of a node more while this one is away: in words, and
    that it does not."""
    if cluster is None:
        return (), False
    name = after[host].host.cluster
    left = spare.Spare(after, name, {host})
    nodes = [node for node in left.nodes if not fleets.closed(after, node)]
    worst = max(map(left.loss, nodes), key=lambda loss: loss.lacking, default=None)
    if worst is None:
        return (), False
    known = spare.as_far(after, name)
    if not worst.lacking:
        words = "Memory: if one more node died meanwhile, every machine would find room"
        return (f"{words}{known}",), False
    names = [one.name for one in worst.stranded]
    return (
        f"Memory: if {fleets.title(after[worst.host])} died meanwhile, "
        f"{gb(worst.lacking)} would be missing{known}: {listed(names)}",
    ), True


# -- home ----------------------------------------------------------------------------------


def home(fleet: Fleet, away: Mapping[str, str]) -> tuple[tuple[Step, ...], tuple[Stay, ...]]:
    """Bring machines back. ``away``: GUID and the host that is its home."""
    steps: list[Step] = []
    stays: list[Stay] = []
    for vm, host in away.items():
        source = fleets.host_of(fleet, vm, host)
        if source == host:
            continue
        if not source or host not in fleet:
            stays.append(Stay(vm, vm, "it is on no host that is known"))
            continue
        answer = refusal(fleet, vm, source, host)
        if isinstance(answer, Refusal):
            name = fleet[source].vms[vm].name
            stays.append(Stay(vm, name, answer.why, answer.fix))
            continue
        steps.append(replace(answer, why=f"its home is {fleets.title(fleet[host])}"))
        fleet = fleets.moved(fleet, vm, host, source)
    return tuple(steps), tuple(stays)


def belongings(fleet: Fleet, host: str) -> dict[str, str]:
    """Machines elsewhere in a cluster whose first preferred owner is this node."""
    inventory = fleet[host]
    name = fleets.title(inventory).casefold()
    found: dict[str, str] = {}
    for node in fleets.members(fleet, inventory.host.cluster) if inventory.host.cluster else []:
        if node == host:
            continue
        for vm, role in sorted(fleets.roles_of(fleet, node).items()):
            if (
                vm in fleet[node].vms
                and role.preferred[:1]
                and role.preferred[0].casefold() == name
            ):
                found[vm] = host
    return found

"""A call on its way, and the target it names: what the act lane holds in its hands."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace

from tui.actions import CLUSTERED, Action, Kind, Target
from tui.collector.messages import Call, CallUpdate, Phase, Undo
from tui.collector.watch import Tier
from tui.errors import HalfDone
from tui.hyperv.model import Cluster, Inventory, Replica, Trouble
from tui.hyperv.outcome import Step
from tui.hyperv.replica import opposite
from tui.hyperv.verdict import HostVerdict
from tui.wsman.cim import CimRef

FIRST_POLL = 0.5
SLOWEST_POLL = 2.0
SLOWEST_LOOK = 10.0
LOOK_AGAIN = 2.0
"""Seconds between looks at a cluster while a call on it is followed."""


@dataclass(slots=True)
class Following:
    """A call from the moment it is sent until it is seen to be done."""

    call: Call
    action: Action
    target: Target
    """As it was when the call was sent."""
    asked_at: float
    sent_at: float
    """When the host was last heard of it: what was read before that tells nothing."""
    deadline: float
    job: CimRef | None = None
    followed: CimRef | None = None
    """The job that was followed last."""
    percent: int | None = None
    lost: Trouble | None = None
    """Its answer did not come; why."""
    steps: Generator[Step, None, object] | None = None
    """What remains of a verb of several steps, or of a question."""
    verdict: HostVerdict | None = None
    """What the host said when it was only asked."""
    step: str = ""
    poll: float = FIRST_POLL
    poll_at: float = 0.0
    shown: bool = False
    """The inventory shows it; where the host is asked as well, it is asked from then on."""
    look: float = FIRST_POLL
    look_at: float = 0.0
    reread_at: float = math.inf
    """When to have the cluster read again."""

    @property
    def due(self) -> float:
        """When it is to be looked after, unless an inventory comes before."""
        if self.job is not None:
            return self.poll_at
        asks = self.shown and self.action.looked is not None
        return min(self.look_at if asks else math.inf, self.reread_at, self.deadline)

    @property
    def name(self) -> str:
        """What the target is called."""
        return self.target.name

    def told(
        self, phase: Phase, now: float, trouble: Trouble | None, half: HalfDone | None
    ) -> CallUpdate:
        """Where it stands, as others hear of it."""
        call = self.call
        return CallUpdate(
            call.id,
            call.action,
            call.host,
            call.target,
            self.name,
            phase,
            now,
            self.percent,
            (self.job.key("InstanceID") or "") if self.job else "",
            trouble,
            step=self.step,
            made=half.made if half else (),
            undo=Undo(*half.undo) if half and half.undo else None,
        )

    @property
    def clustered(self) -> bool:
        """A cluster shows how it ends."""
        return is_clustered(self.action)

    @property
    def in_cluster(self) -> bool:
        """A cluster shows how it goes, though hosts may show how it ends."""
        return self.clustered or (
            self.action.under_way is not None and self.target.role is not None
        )


def is_clustered(action: Action) -> bool:
    """A cluster tells of what it does, not a host."""
    return action.of_cluster or action.kind in CLUSTERED


def tiers_of(following: Following) -> Tier:
    """What to read to see what it did: states show in the fast tier, settings in the slow one."""
    action = following.action
    if following.in_cluster:
        return Tier.FAST | Tier.CLUSTER | Tier.WHOLE
    if action.kind is Kind.HOST:
        return Tier.CHANGED | Tier.FACTS
    asks = action.needs_sheet or any(field.asked for field in action.form)
    deep = asks or action.deep or action.part is not None
    deep = deep or action.kind in (Kind.SWITCH, Kind.REPLICA)
    return Tier.CHANGED if deep else Tier.FAST


Fleet = Callable[[], Mapping[str, Inventory]]


def target_of(
    inventory: Inventory,
    kind: Kind,
    key: str,
    *,
    cluster: Cluster | None = None,
    fleet: Fleet | None = None,
) -> Target | None:
    """The target a call names, out of an inventory; None when the host does not have it."""
    found = _bare(inventory, kind, key, cluster)
    if found is None:
        return None
    if found.replica is not None and fleet is not None:
        found = replace(found, partner=_partner(found.replica, fleet()))
    return replace(found, around=lambda: inventory, fleet=fleet, cluster=cluster)


def _bare(inventory: Inventory, kind: Kind, key: str, cluster: Cluster | None) -> Target | None:
    """The thing itself."""
    host, vitals = inventory.host, inventory.vitals
    match kind:
        case Kind.HOST if key == host.id:
            node = cluster.node(host.name) if cluster else None
            return Target(kind, key, host.name or host.id, host, vitals, node=node)
        case Kind.VM if key in inventory.vm_vitals:
            return _machine(inventory, key, cluster)
        case Kind.SWITCH if key in inventory.switches:
            switch = inventory.switches[key]
            return Target(kind, key, switch.name, host, vitals, switch=switch)
        case Kind.JOB if key in inventory.jobs:
            job = inventory.jobs[key]
            return Target(kind, key, job.name, host, vitals, job=job)
        case Kind.REPLICA if key in inventory.replicas:
            replica = inventory.replicas[key]
            found = Target(kind, key, replica.name, host, vitals, replica=replica)
            return _with_machine(found, inventory, replica.vm)
        case Kind.ROLE | Kind.NODE | Kind.CSV if cluster is not None:
            return _of_cluster(inventory, kind, key, cluster)
        case _:
            return None


def _partner(replica: Replica, fleet: Mapping[str, Inventory]) -> Replica | None:
    """The other end, as its own host tells it."""
    ends = (one for inventory in fleet.values() for one in inventory.replicas.values())
    return next((one for one in ends if opposite(replica, one)), None)


def _machine(inventory: Inventory, key: str, cluster: Cluster | None) -> Target:
    vm, now = inventory.vms.get(key), inventory.vm_vitals[key]
    name = vm.name if vm else key
    role = cluster.role_of(key, name) if cluster else None
    host, vitals = inventory.host, inventory.vitals
    return Target(Kind.VM, key, name, host, vitals, vm=vm, vitals=now, role=role)


def _of_cluster(inventory: Inventory, kind: Kind, key: str, cluster: Cluster) -> Target | None:
    """A role, node or shared volume by its key, ``role:CLUSTER/NAME`` and the like."""
    name = key.removeprefix(f"{kind}:{cluster.name}/")
    target = Target(kind, key, name, inventory.host, inventory.vitals)
    match kind:
        case Kind.ROLE:
            role = next((one for one in cluster.roles if one.name == name), None)
            found = replace(target, role=role) if role is not None else None
            return _with_machine(found, inventory, role.vm) if found and role else None
        case Kind.NODE:
            node = cluster.node(name)
            return replace(target, node=node) if node is not None else None
        case _:
            volume = next((one for one in cluster.volumes if one.name == name), None)
            return replace(target, volume=volume) if volume is not None else None


def _with_machine(target: Target, inventory: Inventory, vm: str) -> Target:
    """The machine behind a role or a replica, where it is on this host."""
    return replace(target, vm=inventory.vms.get(vm), vitals=inventory.vm_vitals.get(vm))

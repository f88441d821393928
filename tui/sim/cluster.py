"""A failover cluster: its nodes, groups, shared volumes and witness, as all its nodes know them.

What a cluster is; how groups move and nodes fail is in ``cluster_*`` and ``outages``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui.sim import shapes, votes, win32
from tui.sim.machine import STARTING, Machine
from tui.sim.plan import ClusterPlan, RolePlan
from tui.wsman.cim import CimValue

if TYPE_CHECKING:
    from tui.sim.cluster_moves import Move
    from tui.sim.world import Fabric, SimHost

GROUP, STORAGE = "Cluster Group", "Available Storage"
CORE, AVAILABLE, VM_GROUP = 1, 2, 111
"""GroupType."""
UP, DOWN, PAUSED, JOINING = 0, 1, 2, 3
ISOLATED, QUARANTINED = 1, 2
ONLINE, OFFLINE, FAILED, PARTIAL, PENDING = 0, 1, 2, 3, 4
QUEUED, LACKING, UNMONITORED = 0x4, 0x8, 0x100
"""Bits of a group's StatusInformation: in the queue, no node has room, its node is isolated."""
NEVER = 4294967295


@dataclass(slots=True, eq=False)
class Node:
    """A member of the cluster."""

    host: SimHost
    number: int
    weight: int = 1
    dynamic: int = 1
    state: int = UP
    information: int = 0
    held: bool = False
    """It was paused, and stays so even when it is restarted."""
    drain: int = 0
    """NodeDrainStatus."""
    drains: int = 0
    """How often it has been drained."""
    drain_target: str = ""
    drain_error: int = 0
    failback: int = 0
    cut: bool = False
    """The other nodes cannot be reached from it."""
    isolations: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def active(self) -> bool:
        return self.state in (UP, PAUSED)

    def join(self) -> None:
        """It is a member again."""
        self.state = PAUSED if self.held else UP

    @property
    def heard(self) -> bool:
        """A member whose heartbeat still reaches the others."""
        return self.active and not self.host.down and not self.cut


@dataclass(slots=True, eq=False)
class Group:
    """A group of resources: a clustered machine, or one of the cluster's own."""

    name: str
    id: str
    kind: int
    node: str = ""
    """The owner of a group without a machine."""
    machine: Machine | None = None
    values: dict[str, CimValue] = field(default_factory=dict)
    """The properties an administrator may set."""
    private: dict[str, CimValue] = field(default_factory=dict)
    """Those of the resource 'Virtual Machine' that may be set."""
    preferred: tuple[str, ...] = ()
    pending: int = 0
    """The state its resource is in while it goes on or off line."""
    failed: bool = False
    lacking: bool = False
    unmonitored: bool = False
    wanted: bool = True
    """PersistentState: it is to be online."""
    released: bool = False
    """Its configuration is offline, too."""
    move: Move | None = None
    queued: bool = False
    home: str = ""
    """The node it was drained from."""
    error: int = 0
    """How its last operation ended."""
    restarts: list[float] = field(default_factory=list)
    failovers: list[float] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.machine.host.name if self.machine is not None else self.node

    @property
    def priority(self) -> int:
        value = self.values.get("Priority")
        return value if isinstance(value, int) else 0

    @property
    def apart(self) -> frozenset[str]:
        value = self.values.get("AntiAffinityClassNames")
        return frozenset(map(str, value)) if isinstance(value, tuple) else frozenset()

    @property
    def gone(self) -> bool:
        """Its machine was destroyed without asking the cluster."""
        machine = self.machine
        return machine is not None and machine.host.machines.get(machine.id) is not machine

    @property
    def running(self) -> bool:
        return self.machine is not None and not self.gone and self.machine.alive

    def look(self) -> None:
        """See whether its machine was started or stopped without asking the cluster."""
        machine = self.machine
        if machine is None or machine.host.down or self.pending or self.failed:
            return
        self.wanted = self.running or machine.state == STARTING

    @property
    def state(self) -> int:
        if self.pending or (self.move is not None and not self.queued):
            return PENDING
        if self.machine is None:
            return OFFLINE if self.kind == AVAILABLE or self.failed else ONLINE
        if self.gone or self.failed:
            return FAILED
        if self.machine.host.down and self.wanted:
            return ONLINE  # nobody has noticed yet
        if self.machine.state == STARTING:
            return PENDING
        return ONLINE if self.machine.alive else OFFLINE

    @property
    def information(self) -> int:
        bits = QUEUED if self.queued else 0
        bits |= LACKING if self.lacking else 0
        return bits | (UNMONITORED if self.unmonitored else 0)


@dataclass(slots=True, eq=False)
class Volume:
    """A cluster shared volume and the disk below it."""

    name: str
    index: int
    owner: str
    redirected: bool = False
    maintenance: bool = False
    backup: bool = False
    moving: bool = False

    @property
    def path(self) -> str:
        return f"C:\\ClusterStorage\\{self.name}"

    @property
    def disk(self) -> str:
        return f"Cluster Disk {self.index + 1}"

    @property
    def fault(self) -> int:
        """FaultState: 1 redirected access, 4 in maintenance."""
        return int(self.redirected) | (4 if self.maintenance else 0)


def _settings(plan: ClusterPlan) -> dict[str, CimValue]:
    return {
        "ClusterEnforcedAntiAffinity": 0,
        "CrossSubnetDelay": 1000,
        "CrossSubnetThreshold": 20,
        "AutoBalancerLevel": 1,
        "AutoBalancerMode": 2,
        "BlockCacheSize": 1024,
        "DrainOnShutdown": 1,
        "DynamicQuorumEnabled": 1,
        "LowerQuorumPriorityNodeId": 0,
        "MaximumParallelMigrations": plan.migrations,
        "QuarantineDuration": 7200,
        "QuarantineThreshold": 3,
        "ResiliencyDefaultPeriod": 240,
        "ResiliencyLevel": 2,
        "SameSubnetDelay": 1000,
        "SameSubnetThreshold": 10,
    }


class Cluster:
    """The state that all nodes of a failover cluster share."""

    def __init__(self, fabric: Fabric, plan: ClusterPlan) -> None:
        self.fabric = fabric
        self.plan = plan
        self.settings = _settings(plan)
        self.nodes: dict[str, Node] = {}
        """By name in lower case."""
        self.groups: dict[str, Group] = {}
        self.volumes: list[Volume] = []
        self.moves: list[Move] = []
        """Under way."""
        self.queue: list[Move] = []
        self.up = True
        """It has quorum."""
        self.witness = votes.Witness(bool(plan.witness), bool(plan.witness), 0)

    # -- forming ---------------------------------------------------------------------------

    def furnish(self) -> None:
        """Find out, once, what is there; every node is built for that."""
        if self.nodes:
            return
        hosts = self.fabric.nodes(self.plan.name)
        for index, host in enumerate(hosts):
            self.nodes[host.name.lower()] = Node(host, index + 1)
        for host in hosts:
            host.ensure()
        for index, name in enumerate(self.plan.volumes):
            self.volumes.append(Volume(name, index, hosts[index % len(hosts)].name))
        for name, kind in ((GROUP, CORE), (STORAGE, AVAILABLE)):
            self._put(Group(name, self.identity("group", name), kind, hosts[0].name))
        for host in hosts:
            roles = {plan.name: plan.role for plan in host.plan.vms}
            for machine in host.machines.values():
                if machine.clustered:
                    self.add(machine, roles.get(machine.name, RolePlan()))
        self.count()

    def _put(self, group: Group) -> Group:
        core = group.machine is None
        usual: dict[str, CimValue] = {
            "Priority": 3000 if core else 2000,
            "AutoFailbackType": 0,
            "FailoverThreshold": NEVER,
            "FailoverPeriod": 6,
            "FailbackWindowStart": -1,
            "FailbackWindowEnd": -1,
            "AntiAffinityClassNames": (),
            "ColdStartSetting": 0,
            "LockedFromMoving": 0,
            "ResiliencyPeriod": 240,
            "Description": "",
        }
        group.values = usual | group.values
        self.groups[group.name.lower()] = group
        return group

    def add(self, machine: Machine, plan: RolePlan) -> Group:
        """Make a machine a role of the cluster."""
        name, number = machine.name, 1
        while name.lower() in self.groups:
            number += 1
            name = f"{machine.name} ({number})"
        machine.clustered = True
        group = Group(name, self.identity("group", machine.id), VM_GROUP, machine=machine)
        group.preferred = plan.preferred
        group.wanted = machine.alive
        group.values = {
            "Priority": plan.priority,
            "AutoFailbackType": int(plan.failback),
            "AntiAffinityClassNames": plan.apart,
            "LockedFromMoving": int(plan.locked),
        }
        group.private = {
            "OfflineAction": 1,
            "ShutdownAction": 0,
            "CheckHeartbeat": 1,
            "DefaultMoveType": NEVER,
            "RefreshInterval": 1,
        }
        return self._put(group)

    def drop(self, group: Group) -> None:
        """A group is no more; its machine stays where it is."""
        del self.groups[group.name.lower()]
        if group.machine is not None:
            group.machine.clustered = False

    def identity(self, *words: object) -> str:
        """A GUID of the cluster's own, the same on every node."""
        return shapes.guid(self.fabric.random("cluster", self.plan.name, *words)).lower()

    # -- finding ---------------------------------------------------------------------------

    def node(self, name: str) -> Node:
        """A node by its name; the fault of the cluster API when there is none."""
        found = self.nodes.get(name.strip().partition(".")[0].lower())
        if found is None:
            raise win32.refused(win32.NODE_NOT_FOUND)
        return found

    def owner(self, group: Group) -> Node:
        return self.nodes[group.owner.lower()]

    def active(self) -> list[Node]:
        """The nodes that are members now."""
        return [node for node in self.nodes.values() if node.active]

    def roles(self) -> Iterator[Group]:
        """The groups that are machines, the most important first."""
        found = [group for group in self.groups.values() if group.machine is not None]
        return iter(sorted(found, key=lambda group: -group.priority))

    def on(self, node: Node) -> list[Group]:
        return [group for group in self.roles() if group.owner == node.name]

    def role_of(self, machine: Machine) -> Group | None:
        return next((group for group in self.roles() if group.machine is machine), None)

    def number(self, name: str) -> int:
        value = self.settings.get(name)
        return value if isinstance(value, int) else 0

    # -- membership ------------------------------------------------------------------------

    def answers(self, host: SimHost) -> bool:
        """The cluster service of a node is a member of a cluster with quorum."""
        return self.up and self.nodes[host.name.lower()].active

    def check(self, host: SimHost) -> None:
        """The fault a node answers with while its cluster service is no member."""
        if not self.answers(host):
            raise win32.refused(win32.NO_ENDPOINT)

    def votes(self, *without: Node) -> list[votes.Vote]:
        return [
            votes.Vote(node.number, node.weight, node.dynamic, node.heard and node not in without)
            for node in self.nodes.values()
        ]

    def holds(self, *without: Node) -> bool:
        """The active nodes keep their quorum without some of them."""
        return votes.majority(self.votes(*without), self.witness)

    def count(self) -> None:
        """Give votes anew to those who are there."""
        weights, witness = votes.adjusted(
            self.votes(),
            self.witness,
            dynamic=bool(self.number("DynamicQuorumEnabled")),
            lowest=self.number("LowerQuorumPriorityNodeId"),
        )
        for node in self.nodes.values():
            node.dynamic = weights[node.number]
        self.witness = replace(self.witness, dynamic=witness)

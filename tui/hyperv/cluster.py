"""The nouns of a failover cluster: nodes, roles, shared volumes, networks, as frozen records.

Names and numbers are those of root/MSCluster; a docstring names the property where ours differs.
"""

from __future__ import annotations

from tui.hyperv.record import Record

UP, DOWN, PAUSED, JOINING = 0, 1, 2, 3
"""MSCluster_Node.State."""
ISOLATED, QUARANTINED = 1, 2
"""Bits of MSCluster_Node.StatusInformation."""
DRAINING, DRAINED, DRAIN_FAILED = 1, 2, 3
"""MSCluster_Node.NodeDrainStatus."""
ONLINE, OFFLINE, FAILED, PARTIAL, PENDING = 0, 1, 2, 3, 4
"""MSCluster_ResourceGroup.State."""
RESOURCE_ONLINE, RESOURCE_OFFLINE, RESOURCE_FAILED = 2, 3, 4
"""MSCluster_Resource.State."""
MACHINE_ROLE = 111
"""MSCluster_ResourceGroup.GroupType of a virtual machine."""
REDIRECTED, NO_ACCESS, MAINTENANCE = 1, 2, 4
"""MSCluster_ClusterSharedVolume.FaultState."""


class ClusterNode(Record, frozen=True):
    """A node (MSCluster_Node)."""

    name: str
    state: int = UP
    information: int = 0
    """StatusInformation: bits ``ISOLATED`` and ``QUARANTINED``."""
    drain: int = 0
    """NodeDrainStatus: 0 not initiated, 1 in progress, 2 completed, 3 failed."""
    weight: int = 1
    """NodeWeight: the vote it was given."""
    dynamic_weight: int = 1
    """DynamicWeight: the vote that counts now."""

    @property
    def voting(self) -> bool:
        """Its vote counts now and is cast."""
        return bool(self.weight and self.dynamic_weight) and self.state in (UP, PAUSED)


class ClusterResource(Record, frozen=True):
    """A resource of a role (MSCluster_Resource)."""

    name: str
    type: str
    state: int
    owner: str = ""
    percent: int | None = None
    """How far the migration of a virtual machine is; None while there is none."""
    code: int = 0
    """LastOperationStatusCode: the Win32 error its last operation ended with."""


class Role(Record, frozen=True):
    """A role (MSCluster_ResourceGroup)."""

    name: str
    type: int
    """GroupType: 111 a virtual machine."""
    state: int
    owner: str
    """Name of the node that has it."""
    core: bool = False
    """Part of the cluster itself (IsCore)."""
    queued: bool = False
    """Its move waits for its turn (StatusInformation, bit 4)."""
    locked: bool = False
    """LockedFromMoving."""
    priority: int = 2000
    """0 no automatic start, 1000 low, 2000 medium, 3000 high."""
    preferred: tuple[str, ...] = ()
    """Names of its preferred owners, in their order."""
    failback: bool = False
    """AutoFailbackType."""
    failover_threshold: int = 0
    """Failovers allowed in a period; 4294967295: as many as there are nodes."""
    failover_period: int = 0
    """Hours."""
    anti_affinity: tuple[str, ...] = ()
    """AntiAffinityClassNames: roles that share one are kept apart."""
    vm: str = ""
    """GUID of its virtual machine; empty when it has none or none is told."""
    vm_name: str = ""
    """What its virtual machine resource calls the machine."""
    resources: tuple[ClusterResource, ...] = ()
    offline_action: int | None = None
    """OfflineAction of its virtual machine: 0 turn off, 1 save, 2 shut down, 3 with force."""

    @property
    def code(self) -> int:
        """The error that an operation of one of its resources ended with; 0 when none did."""
        return next((one.code for one in self.resources if one.code), 0)

    @property
    def percent(self) -> int | None:
        """How far its live migration is; None while there is none."""
        return next((one.percent for one in self.resources if one.percent is not None), None)

    @property
    def busy(self) -> bool:
        """It is on its way somewhere or to another state, or waits for its turn."""
        return self.state == PENDING or self.queued


class SharedVolume(Record, frozen=True):
    """A cluster shared volume."""

    name: str
    """Key of MSCluster_ClusterSharedVolume: its path or friendly name."""
    resource: str = ""
    """Name of its Physical Disk resource."""
    owner: str = ""
    state: int = 0
    """State of that resource."""
    fault: int = 0
    """FaultState: 0 none, 1 redirected access, 2 no access, 4 in maintenance."""
    backup: bool = False
    """A backup is under way."""
    path: str = ""
    """Where its files are, such as ``C:\\ClusterStorage\\Volume1``."""
    size: int = 0
    """Bytes."""
    free: int = 0
    """Bytes."""


class ClusterNetwork(Record, frozen=True):
    """A network of a cluster (MSCluster_Network)."""

    name: str
    address: str = ""
    prefix: int = 0
    role: int = 0
    """0 none, 1 cluster, 2 client, 3 both."""
    state: int = 3
    """0 unavailable, 1 down, 2 partitioned, 3 up."""
    metric: int = 0


class Cluster(Record, frozen=True):
    """A failover cluster as one of its nodes tells of it."""

    name: str
    fqdn: str = ""
    quorum: int = 0
    """QuorumTypeValue: 1 node, 2 file share witness, 3 storage, 4 none."""
    dynamic_quorum: bool = False
    witness: str = ""
    """Name of the witness resource; empty without one."""
    witness_state: int = 0
    """Its resource's state."""
    witness_weight: int = 0
    """WitnessDynamicWeight: its vote that counts now."""
    level: int = 0
    """ClusterFunctionalLevel."""
    parallel_migrations: int = 0
    """MaximumParallelMigrations of a node; 0 not told."""
    nodes: tuple[ClusterNode, ...] = ()
    roles: tuple[Role, ...] = ()
    volumes: tuple[SharedVolume, ...] = ()
    networks: tuple[ClusterNetwork, ...] = ()

    @property
    def moving(self) -> bool:
        """A role is on its way."""
        return any(role.state == PENDING for role in self.roles)

    def node(self, name: str) -> ClusterNode | None:
        """A node by its name, in any case."""
        wanted = name.casefold()
        return next((node for node in self.nodes if node.name.casefold() == wanted), None)

    def role_of(self, vm: str, name: str = "") -> Role | None:
        """The role of a virtual machine: by GUID, else by what its resource calls it."""
        roles = [role for role in self.roles if role.type == MACHINE_ROLE]
        exact = next((role for role in roles if role.vm and role.vm == vm), None)
        if exact is not None or not name:
            return exact
        named = [role for role in roles if not role.vm and role.vm_name == name]
        return named[0] if len(named) == 1 else None

"""What a scene asks for: virtual machines, adapters, disks, switches and hosts as plain records."""

from __future__ import annotations

from dataclasses import dataclass

GB = 1024
"""In memory plans, which count in MB as Msvm_MemorySettingData does."""


@dataclass(frozen=True, slots=True)
class NicPlan:
    """One adapter. An empty switch leaves it unconnected; ``vlan`` 0 leaves it untagged."""

    switch: str = ""
    vlan: int = 0
    trunk: tuple[int, ...] = ()
    legacy: bool = False
    static: bool = False
    spoofing: bool = False
    guards: bool = False
    limit: int = 0
    """Bits per second; 0 for no bandwidth setting."""
    name: str = "Network Adapter"
    mac: str = ""
    """An address of its own instead of one from the host's pool; makes it static."""


@dataclass(frozen=True, slots=True)
class CheckpointPlan:
    """One checkpoint, hung below the one before it."""

    name: str
    age: float
    """Seconds ago."""
    kind: str = "standard"
    """``standard``, ``production``, ``automatic`` or ``recovery``."""


@dataclass(frozen=True, slots=True)
class RolePlan:
    """What a cluster knows of a machine beyond the machine itself."""

    priority: int = 2000
    preferred: tuple[str, ...] = ()
    """Names of nodes, the best first."""
    apart: tuple[str, ...] = ()
    """AntiAffinityClassNames."""
    locked: bool = False
    failback: bool = False
    """It goes back to its first preferred owner as soon as that is up."""


@dataclass(frozen=True, slots=True)
class VmPlan:
    """One virtual machine."""

    name: str
    os: str
    character: str = "idle"
    cpus: int = 2
    memory: int = 4 * GB
    maximum: int = 0
    """Above zero: dynamic memory up to this many MB."""
    minimum: int = 512
    generation: int = 2
    disks: tuple[int, ...] = (60,)
    """Sizes in GB."""
    nics: tuple[NicPlan, ...] = (NicPlan(),)
    state: str = "running"
    """``running``, ``off``, ``saved``, ``paused``, ``stopping``, ``starting`` or ``critical``."""
    notes: str = ""
    checkpoints: tuple[CheckpointPlan, ...] = ()
    iso: str = ""
    uptime: float = 0.0
    """Seconds; 0 picks some days."""
    version: str = ""
    nested: bool = False
    tpm: bool = False
    stuck: bool = False
    """The guest accepts a shutdown and then never finishes it."""
    domain: str = ""
    clustered: bool = True
    role: RolePlan = RolePlan()
    volume: str = ""
    """Where its files live, instead of the host's default."""
    lost_disk: bool = False
    """Its disk image is not where the configuration says."""
    services_off: tuple[str, ...] = ()
    """Integration services that are switched off, by the word in their class names."""
    outdated: bool = False
    """Its integration services do not fit the host's."""
    fixed: bool = False
    """Its disks take all their space from the beginning."""
    template: str = ""
    """The image its first disk is a child of."""
    merge_disabled: bool = False
    """A backup left a differencing disk behind and merging switched off."""
    limited: bool = False
    """Its processor features are limited to what every processor of the vendor has."""
    passes_through: int = 0
    """Number of a spare disk of the host that it has as its own; 0 for none."""
    grows: float = 0.0
    """GB a day that its last disk grows by while it runs."""


@dataclass(frozen=True, slots=True)
class UplinkPlan:
    """A physical adapter of a host."""

    name: str
    description: str
    speed: int = 10_000_000_000
    members: tuple[str, ...] = ()
    """Names of the adapters it is a team of."""
    down: bool = False
    """It has no cable."""
    network: int = 10
    """The network on which the host has an address, when no switch has the adapter."""


@dataclass(frozen=True, slots=True)
class SwitchPlan:
    """A virtual switch: ``external`` over an uplink, ``internal``, ``private`` or ``nat``."""

    name: str
    kind: str
    uplinks: tuple[int, ...] = ()
    """Indexes into the host's uplinks; more than one makes an embedded team."""
    shared: bool = True
    """The management operating system has an adapter on it."""
    vlan: int = 0
    """Access VLAN of the management adapter."""


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """A volume: drive letter or cluster path, size and used space in GB, growth in GB a day."""

    name: str
    label: str
    size: int
    used: int
    growth: float = 1.5


@dataclass(frozen=True, slots=True)
class ReplicaPlan:
    """The replication of one machine to another host."""

    vm: str
    to: str
    interval: int = 300
    history: int = 0
    """Recovery points beyond the latest."""
    consistent: int = 0
    """Hours between application-consistent points."""
    state: int = 3
    """ReplicationState of the primary."""
    other: int = 3
    """ReplicationState of the replica."""
    lag: float = -1.0
    """Seconds since the last replication; below zero it is in time, 0 for none at all."""
    succeeded: int = 120
    missed: int = 0
    failed: int = 0
    rate: int = 0
    """KB a second that get through; 0 for a good line."""
    trouble: str = ""
    """What keeps it from getting through: ``down`` or ``full``."""
    failed_over: int = 0
    """FailedOverReplicationType of the replica."""
    test: bool = False
    """Somebody has left a test machine behind."""


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host."""

    name: str
    os: str = "ws2022"
    vendor: str = "Dell Inc."
    model: str = "PowerEdge R750"
    processor: str = "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"
    clock: int = 2000
    sockets: int = 2
    cores: int = 16
    memory: int = 256 * GB
    domain: str = "corp.example.com"
    uplinks: tuple[UplinkPlan, ...] = ()
    switches: tuple[SwitchPlan, ...] = ()
    volumes: tuple[VolumePlan, ...] = ()
    vms: tuple[VmPlan, ...] = ()
    uptime: float = 34 * 86400.0
    cluster: str = ""
    local: bool = False
    """Takes its own load from the machine that runs the simulator."""
    store: str = "D:\\Hyper-V"
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Groups of machines: a name and the names of the members."""
    pool: tuple[str, str] = ("", "")
    """First and last of the addresses for dynamic adapters; empty for a pool of its own."""
    recovery: bool = False
    """It takes replicas of machines from other hosts."""
    replicas: tuple[ReplicaPlan, ...] = ()
    """Which of its machines are replicated, and where to."""
    spare_disks: tuple[tuple[int, str, int], ...] = ()
    """Physical disks that are offline: number, name and size in GB."""
    shares: tuple[VolumePlan, ...] = ()
    """Shares of file servers it may open, named ``\\\\server\\share\\``; the same plan on several
    hosts is the same share."""
    migrates: bool = True
    """Live migration is switched on; outside a domain it never is."""
    authentication: int = 1
    """How it signs in for a migration: 0 CredSSP, 1 Kerberos."""
    delegates: tuple[str, ...] | None = None
    """Hosts to which it may delegate its callers' rights; None for all of its domain."""
    guardians: tuple[str, ...] = ()
    """Hosts whose guardian certificates it has, so that it can open their key protectors."""
    moves: int = 2
    """Live migrations at once, and storage migrations at once."""
    migration_networks: tuple[int, ...] = ()
    """Networks that migrations are to use; any when empty."""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """A failover cluster: what its nodes agree on."""

    name: str
    domain: str
    volumes: tuple[str, ...]
    """Names of its shared volumes, as below C:\\ClusterStorage."""
    networks: tuple[tuple[str, str, int], ...]
    """Name, IPv4 network and role."""
    witness: str = "File Share Witness"
    """The name of its witness; empty for none."""
    share: str = ""
    """The path of the witness."""
    migrations: int = 1
    """MaximumParallelMigrations."""


@dataclass(frozen=True, slots=True)
class HostSystem:
    """The Windows a host runs."""

    caption: str
    version: str
    build: str
    sku: int
    configuration: str
    """Newest configuration version of virtual machines."""


HOST_SYSTEMS: dict[str, HostSystem] = {
    "ws2019": HostSystem(
        "Microsoft Windows Server 2019 Datacenter", "10.0.17763", "17763", 8, "9.0"
    ),
    "ws2022": HostSystem(
        "Microsoft Windows Server 2022 Datacenter", "10.0.20348", "20348", 8, "10.0"
    ),
    "ws2025": HostSystem(
        "Microsoft Windows Server 2025 Datacenter", "10.0.26100", "26100", 8, "12.0"
    ),
    "w11": HostSystem("Microsoft Windows 11 Pro", "10.0.26100", "26100", 48, "12.0"),
    "german": HostSystem("Microsoft Windows Server 2019 Standard", "10.0.17763", "17763", 7, "9.0"),
}

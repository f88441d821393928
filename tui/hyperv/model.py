"""The nouns: hosts, virtual machines, virtual switches, jobs, as frozen records.

Raw units only (bytes, seconds, percent of one hundred, Unix time); formatting lives in
``rows.text``. Every record crosses the pipe between collector and deck, so each is an array-like
``msgspec.Struct``. Names are the field's own; where a field mirrors a CIM property its docstring
names it. Facts with their own clock are apart: ``Vm`` changes when someone reconfigures it,
``VmVitals`` with every fast tick, ``Host`` and ``HostVitals`` likewise.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from tui.hyperv.cluster import Cluster
from tui.hyperv.meters import Meters
from tui.hyperv.record import Record
from tui.hyperv.replica import Replica

__all__ = [
    "Checkpoint", "Cluster", "Disk", "Host", "HostVitals", "Integration", "Inventory", "Job",
    "Link", "Nic", "NicKind", "Record", "Replica", "Switch", "SwitchKind", "Trouble", "Uplink",
    "Vlan", "VlanMode", "Vm", "VmVitals", "Volume",
]  # fmt: skip


# -- hosts ---------------------------------------------------------------------------------


class Link(StrEnum):
    """How we stand with a host."""

    CONNECTING = "connecting"
    UP = "up"
    SLOW = "slow"
    """Answers, but slower than the refresh interval: its own interval is stretched."""
    DOWN = "down"


class Trouble(Record, frozen=True):
    """An error as shown: the parts of an ``HvError`` plus its class name."""

    kind: str
    title: str
    cause: str = ""
    hint: str = ""
    code: int = 0


class Volume(Record, frozen=True):
    """A volume or drive of a host (Win32_Volume)."""

    name: str
    """Drive letter or mount path, as Windows writes it."""
    label: str
    capacity: int
    """Bytes."""
    free: int
    """Bytes."""


class Uplink(Record, frozen=True):
    """A physical network adapter a switch can use (Msvm_ExternalEthernetPort)."""

    id: str
    """DeviceID."""
    name: str
    mac: str
    """Twelve hex digits."""
    speed: int
    """Bits per second; 0 unknown."""
    bound: bool
    """A virtual switch owns it (IsBound)."""
    connected: bool


class BootTemplate(Record, frozen=True):
    """A secure boot template: whose signatures a firmware trusts."""

    id: str
    """SecureBootTemplateId, in lower case."""
    name: str


class Host(Record, frozen=True):
    """What a host is. Changes seldom."""

    id: str
    """The name it has in the configuration: our key for it."""
    url: str
    name: str = ""
    """NetBIOS name as the host gives it."""
    cluster: str = ""
    domain: str = ""
    os: str = ""
    """Win32_OperatingSystem.Caption."""
    build: str = ""
    model: str = ""
    """Manufacturer and model."""
    processor: str = ""
    sockets: int = 0
    cores: int = 0
    logical_processors: int = 0
    memory: int = 0
    """Bytes of physical memory."""
    booted_at: float = 0.0
    hypervisor_present: bool | None = None
    """Win32_ComputerSystem.HypervisorPresent: a hypervisor runs."""
    vt_firmware: bool | None = None
    """VirtualizationFirmwareEnabled (VT-x/AMD-V); only meaningful without a hypervisor."""
    slat: bool | None = None
    """SecondLevelAddressTranslationExtensions; only meaningful without a hypervisor."""
    numa_nodes: int = 0
    numa_spanning: bool | None = None
    root_scheduler: bool | None = None
    enhanced_session: bool | None = None
    vhd_path: str = ""
    """DefaultVirtualHardDiskPath."""
    vm_path: str = ""
    """DefaultExternalDataRoot."""
    migration_enabled: bool | None = None
    max_migrations: int = 0
    """Live migrations at once."""
    max_storage_migrations: int = 0
    volumes: tuple[Volume, ...] = ()
    uplinks: tuple[Uplink, ...] = ()
    read_only: bool = False
    demo: bool = False
    mac_pool_start: str = ""
    """First address it gives to adapters (MinimumMacAddress), twelve hex digits."""
    mac_pool_end: str = ""
    """Last address of that pool (MaximumMacAddress)."""
    migration_authentication: int | None = None
    """AuthenticationType of its migrations: 0 CredSSP, 1 Kerberos; None not told."""
    migration_compression: bool | None = None
    migration_smb: bool | None = None
    migration_addresses: tuple[str, ...] = ()
    """Addresses it takes live migrations on (MigrationServiceListenerIPAddressList)."""
    migration_networks: tuple[str, ...] = ()
    """Networks it moves machines over, as ``10.0.0.0/24``; empty: any."""
    boot_templates: tuple[BootTemplate, ...] = ()
    """What it supports; empty when it does not tell."""


class HostVitals(Record, frozen=True):
    """How a host is, as of the last fast tick."""

    id: str
    link: Link = Link.CONNECTING
    trouble: Trouble | None = None
    """Why it is down, or what it last refused."""
    read_at: float = 0.0
    """Unix time of the newest successful answer; 0 never."""
    interval: float = 0.0
    """Seconds between fast ticks now (stretched when slow or failing)."""
    latency: float = 0.0
    """Seconds, median of recent round trips."""
    cpu: float | None = None
    """Percent of all logical processors, hypervisor's own view."""
    memory_free: int | None = None
    """Bytes."""
    net_in: float | None = None
    """Bytes per second through its virtual switches."""
    net_out: float | None = None
    disk_read: float | None = None
    """Bytes per second of its virtual storage devices."""
    disk_write: float | None = None
    clock: float | None = None
    """Seconds its clock is ahead of ours; None not told."""
    requests: int = 0
    """WS-Man requests since start."""
    bytes: int = 0


# -- virtual machines ----------------------------------------------------------------------


class NicKind(StrEnum):
    """Synthetic or emulated ("legacy")."""

    SYNTHETIC = "synthetic"
    EMULATED = "emulated"


class VlanMode(IntEnum):
    """Msvm_EthernetSwitchPortVlanSettingData.OperationMode; 0 is ours: no VLAN setting."""

    UNTAGGED = 0
    ACCESS = 1
    TRUNK = 2
    PRIVATE = 3


class Vlan(Record, frozen=True):
    """VLAN setting of a port."""

    mode: VlanMode = VlanMode.UNTAGGED
    id: int = 0
    """Access VLAN, native VLAN of a trunk, or primary VLAN."""
    trunk: tuple[int, ...] = ()
    """VLANs of a trunk; of a private promiscuous port its secondary VLANs."""
    secondary: int = 0
    private: int = 0
    """PvlanMode: 1 isolated, 2 community, 3 promiscuous; 0 unless private."""


class Nic(Record, frozen=True):
    """A virtual network adapter of a VM."""

    id: str
    """InstanceID of its setting."""
    name: str
    kind: NicKind
    mac: str
    """Twelve hex digits."""
    static_mac: bool
    connected: bool
    switch_id: str = ""
    """GUID of the virtual switch; empty when not connected."""
    switch_name: str = ""
    vlan: Vlan = Vlan()
    addresses: tuple[str, ...] = ()
    """IP addresses the guest reports, IPv4 first."""


class Disk(Record, frozen=True):
    """A drive of a VM and the image in it."""

    id: str
    """InstanceID of the drive's or image's setting."""
    path: str
    """Image path; empty for an empty DVD drive."""
    controller: str
    """``IDE`` or ``SCSI``."""
    controller_number: int
    slot: int
    dvd: bool = False
    physical: bool = False


class Checkpoint(Record, frozen=True):
    """A checkpoint of a VM (Msvm_VirtualSystemSettingData of a Snapshot type)."""

    id: str
    """InstanceID."""
    name: str
    created_at: float
    parent: str = ""
    """InstanceID of the parent checkpoint; empty at the root."""
    kind: str = "standard"
    """``standard``, ``production``, ``recovery``, ``replica``, ``planned`` or ``missing``."""
    automatic: bool = False
    current: bool = False
    """The running configuration hangs below this one ("now")."""


class Integration(Record, frozen=True):
    """One integration service of a VM."""

    name: str
    """``heartbeat``, ``kvp``, ``shutdown``, ``timesync``, ``vss`` or ``guest-services``."""
    enabled: bool
    status: int = 0
    """OperationalStatus of the running component, 32775 when it is of another version than the
    host; 0 while there is none."""


class Vm(Record, frozen=True):
    """What a virtual machine is: its settings. Changes when someone changes it."""

    id: str
    """The VM's GUID, upper case: its identity wherever it moves."""
    host: str
    """Id of the host it was seen on."""
    name: str
    notes: str = ""
    generation: int = 0
    version: str = ""
    """Configuration version, such as ``10.0``."""
    created_at: float = 0.0
    processors: int = 0
    memory_startup: int = 0
    """Bytes."""
    memory_minimum: int = 0
    memory_maximum: int = 0
    dynamic_memory: bool = False
    automatic_start: int = 0
    """AutomaticStartupAction: 2 nothing, 3 restart if running before, 4 always."""
    automatic_stop: int = 0
    """AutomaticShutdownAction: 2 turn off, 3 save, 4 shut down."""
    secure_boot: bool | None = None
    nested: bool = False
    guest: str = ""
    """Guest operating system as the guest reports it."""
    guest_name: str = ""
    """Fully qualified name the guest reports."""
    nics: tuple[Nic, ...] = ()
    disks: tuple[Disk, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    integration: tuple[Integration, ...] = ()
    complete: bool = False
    """False until the slow tier has been read: only what the summary tells is known."""
    tpm: bool | None = None
    """A virtual TPM is enabled."""
    shielded: bool | None = None
    limits_features: bool = False
    """Its processors show only what older ones have too (LimitProcessorFeatures)."""
    devices: tuple[str, ...] = ()
    """Devices of the host it holds: assigned PCI Express functions, GPU partitions."""
    start_delay: int = 0
    """Seconds (AutomaticStartupActionDelay)."""
    merging: bool | None = None
    """Msvm_DiskMergeSettingData.EnabledState: what deleted checkpoints leave on its disks is
    merged; None when the host knows no such setting."""
    folder: str = ""
    """Where its configuration and saved states are (ConfigurationDataRoot)."""


class VmVitals(Record, frozen=True):
    """How a virtual machine is, as of the last fast tick."""

    id: str
    host: str
    state: int
    """EnabledState (``wsman.values.EnabledState``); unknown numbers stay numbers."""
    state_text: str = ""
    """OtherEnabledState, when ``state`` is 1."""
    health: int = 0
    """HealthState: 5 OK, 20 major failure, 25 critical failure."""
    activity: int = 0
    """Second OperationalStatus (creating checkpoint, merging disks, migrating …); 0 none."""
    status: int = 0
    """First OperationalStatus."""
    cpu: int | None = None
    """ProcessorLoad, percent; None while not running."""
    memory: int | None = None
    """Bytes assigned (MemoryUsage)."""
    memory_available: int | None = None
    """Percent of the guest's memory still free; None unless dynamic memory tells."""
    started_at: float | None = None
    """Unix time, steady between ticks; None while not running."""
    heartbeat: int | None = None
    """2 OK, 6 error, 12 no contact, 13 lost communication."""
    net_in: float | None = None
    """Bytes per second, all adapters."""
    net_out: float | None = None
    disk_read: float | None = None
    """Bytes per second, all images."""
    disk_write: float | None = None
    replication: int = 0
    """ReplicationHealth: 0 not applicable, 1 OK, 2 warning, 3 critical."""
    since: float = 0.0
    """Unix time since which it is in this EnabledState (TimeOfLastStateChange)."""
    since_at_least: bool = False
    """It was in this state when first seen, and the host does not say since when."""
    process: int = 0
    """Id of its worker process on the host, as of the last slow tick; 0 not known."""
    had_contact: bool = False
    """Its heartbeat has been seen in this run: silence now is a loss."""
    replication_mode: int = 0
    """ReplicationMode: 0 none, 1 primary, 2 replica, 3 test replica, 4 extended replica; as of
    the last slow tick."""

    @property
    def demand(self) -> int | None:
        """Bytes the guest uses of what is assigned; None when the host does not say."""
        if self.memory is None or self.memory_available is None:
            return None
        return self.memory * max(0, 100 - self.memory_available) // 100


# -- networks, jobs ------------------------------------------------------------------------


class SwitchKind(StrEnum):
    """What a virtual switch reaches."""

    EXTERNAL = "external"
    INTERNAL = "internal"
    PRIVATE = "private"
    NAT = "nat"
    """The Default Switch of client Windows."""


class Switch(Record, frozen=True):
    """A virtual switch of one host."""

    id: str
    """``host:GUID``: GUIDs of switches repeat between hosts (Default Switch)."""
    host: str
    guid: str
    name: str
    kind: SwitchKind
    uplinks: tuple[str, ...] = ()
    """Names of the physical adapters, several when teamed."""
    shared: bool = False
    """The management operating system has a port on it."""
    teaming: bool = False
    iov: bool = False
    ports: int = 0
    """Connected VM adapters."""
    vms: tuple[str, ...] = ()
    """GUIDs of the VMs connected, each once, in order of name."""
    vlans: tuple[int, ...] = ()
    """VLANs in use by its VM adapters, ascending."""


class Job(Record, frozen=True):
    """A job on a host (CIM_ConcreteJob and kin)."""

    id: str
    """``host:InstanceID``."""
    host: str
    name: str
    """ElementName/Caption; for display only, hosts localise it."""
    type: int
    state: int
    """JobState: 7 completed, 8 terminated, 9 killed, 10 exception, 32768 with warnings."""
    percent: int
    started_at: float
    elapsed: float
    """Seconds."""
    error: str = ""
    error_code: int = 0
    cancellable: bool = False
    class_name: str = "Msvm_ConcreteJob"
    subject: str = ""
    """GUID of the VM it works on, when known."""

    @property
    def finished(self) -> bool:
        return self.state >= 7

    @property
    def succeeded(self) -> bool:
        return self.state in (7, 32768)


class Inventory(Record, frozen=True):
    """Everything known of one host at one instant."""

    host: Host
    vitals: HostVitals
    vms: dict[str, Vm] = msgspec.field(default_factory=dict)
    vm_vitals: dict[str, VmVitals] = msgspec.field(default_factory=dict)
    switches: dict[str, Switch] = msgspec.field(default_factory=dict)
    jobs: dict[str, Job] = msgspec.field(default_factory=dict)
    replicas: dict[str, Replica] = msgspec.field(default_factory=dict)
    cluster: Cluster | None = None
    """The cluster it is a node of, as it last told of it; None while another node tells."""
    cluster_at: float = 0.0
    """Unix time of that."""
    meters: Meters | None = None
    """Finer measurements; None while nobody looks at any."""

"""One virtual machine in full: what its sheet shows and its forms start from.

Read when a sheet is opened or a verb needs it, never on the refresh path. Same rules as
``model``: frozen records, raw units, CIM property names in the docstrings.
"""

from __future__ import annotations

from tui.hyperv.model import Record, Vlan


class Processor(Record, frozen=True):
    """Msvm_ProcessorSettingData."""

    id: str = ""
    count: int = 0
    """VirtualQuantity."""
    reservation: int = 0
    """Thousandths of a percent of the assigned processors, 0 to 100,000."""
    limit: int = 100_000
    weight: int = 100
    nested: bool = False
    """ExposeVirtualizationExtensions."""
    compatible: bool = False
    """LimitProcessorFeatures: may move to hosts with other processors of the same vendor."""
    per_numa_node: int = 0
    """MaxProcessorsPerNumaNode."""
    threads_per_core: int = 0


class Memory(Record, frozen=True):
    """Msvm_MemorySettingData; sizes in bytes."""

    id: str = ""
    startup: int = 0
    """VirtualQuantity."""
    minimum: int = 0
    """Reservation."""
    maximum: int = 0
    """Limit."""
    buffer: int = 20
    """TargetMemoryBuffer, percent."""
    weight: int = 5000
    """0 to 10,000."""
    dynamic: bool = False


class Security(Record, frozen=True):
    """Secure boot, virtual TPM, shielding and isolation."""

    id: str = ""
    """InstanceID of Msvm_SecuritySettingData; empty when the host has none for the machine."""
    secure_boot: bool = False
    template: str = ""
    """SecureBootTemplateId."""
    tpm: bool = False
    shielded: bool = False
    encrypt_traffic: bool = False
    """EncryptStateAndVmMigrationTraffic."""
    isolation: int = -1
    """GuestStateIsolationType; -1 when isolation is off or unknown to the host."""


class Automatic(Record, frozen=True):
    """What happens by itself, and the checkpoint policy."""

    start: int = 3
    """AutomaticStartupAction: 2 nothing, 3 restart if running before, 4 always."""
    start_delay: int = 0
    """Seconds."""
    stop: int = 3
    """AutomaticShutdownAction: 2 turn off, 3 save, 4 shut down."""
    critical: int = 1
    """AutomaticCriticalErrorAction: 0 nothing, 1 pause."""
    checkpoint_type: int = 3
    """UserSnapshotType: 2 none, 3 production or else standard, 4 production only, 5 standard."""
    automatic_checkpoints: bool = False


class Image(Record, frozen=True):
    """One file of a disk's chain (Msvm_VirtualHardDiskSettingData and …State)."""

    path: str
    kind: int = 0
    """Type: 2 fixed, 3 dynamic, 4 differencing; 0 unknown."""
    format: int = 0
    """2 VHD, 3 VHDX, 4 VHD set."""
    size: int = 0
    """Bytes the guest sees (MaxInternalSize)."""
    used: int = 0
    """Bytes of the file (FileSize)."""
    minimum: int = 0
    """Bytes it can shrink to (MinInternalSize); 0 unknown."""
    trouble: str = ""
    """Why nothing is known of it: missing, locked."""


class Controller(Record, frozen=True):
    """A place drives hang on."""

    id: str
    """InstanceID."""
    kind: str
    """``IDE`` or ``SCSI``."""
    number: int
    slots: int
    taken: tuple[int, ...] = ()


class Drive(Record, frozen=True):
    """A drive and what is in it."""

    id: str
    """InstanceID of the drive."""
    image_id: str
    """InstanceID of the image's allocation; empty for an empty DVD drive."""
    controller: str
    """``IDE`` or ``SCSI``."""
    controller_number: int
    slot: int
    path: str = ""
    dvd: bool = False
    physical: bool = False
    chain: tuple[Image, ...] = ()
    """From the file in use down to its oldest parent."""


class Adapter(Record, frozen=True):
    """A network adapter with the features of its port."""

    id: str
    name: str
    emulated: bool
    mac: str
    static_mac: bool
    connection: str = ""
    """InstanceID of its Msvm_EthernetPortAllocationSettingData; empty without one."""
    connected: bool = False
    switch_id: str = ""
    switch_name: str = ""
    vlan: Vlan = Vlan()
    vlan_id: str = ""
    """InstanceID of the VLAN setting; empty while untagged."""
    security_id: str = ""
    mac_spoofing: bool = False
    dhcp_guard: bool = False
    router_guard: bool = False
    bandwidth_id: str = ""
    bandwidth_limit: int = 0
    """Bits per second; 0 none."""
    bandwidth_reservation: int = 0
    """Bits per second; 0 none."""
    bandwidth_weight: int = 0
    """0 to 100; 0 none."""
    addresses: tuple[str, ...] = ()


class Instance(Record, frozen=True):
    """A CIM instance as text, for reading and searching."""

    class_name: str
    properties: tuple[tuple[str, str], ...]


class Sheet(Record, frozen=True):
    """Everything about one machine."""

    id: str
    """GUID."""
    host: str
    read_at: float
    processor: Processor = Processor()
    memory: Memory = Memory()
    security: Security = Security()
    automatic: Automatic = Automatic()
    controllers: tuple[Controller, ...] = ()
    drives: tuple[Drive, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    exchanged: tuple[tuple[str, str], ...] = ()
    """Key-value pairs of the guest."""
    boot: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """VM groups it belongs to (Msvm_VirtualSystemCollection)."""
    folder: str = ""
    """ConfigurationDataRoot."""
    raw: tuple[Instance, ...] = ()
    """Every instance behind this sheet, properties in alphabetical order."""

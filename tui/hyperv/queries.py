"""TABLE: what is read of a host, by tier. Columns are those of every supported version."""

from __future__ import annotations

from tui.hyperv import counters
from tui.hyperv.ask import Query
from tui.hyperv.devices import DISK, DVD, IDE_CONTROLLER, SCSI_CONTROLLER, SERVICES
from tui.wsman.schema import CIMV2, CLUSTER

# -- fast ----------------------------------------------------------------------------------

SUMMARY_CODES = (0, 1, 4, 100, 101, 103, 104, 105, 106, 109, 110, 112, 116, 132)
"""RequestedInformation: name, state, load, memory, heartbeat, uptime, guest, health."""
TASKS_CODE = 108
"""Jobs per machine; asked for only while a job's machine is unknown, for it makes rows large."""

SUMMARY = Query(
    "Msvm_SummaryInformation",
    (
        "Name",
        "ElementName",
        "NumberOfProcessors",
        "EnabledState",
        "OtherEnabledState",
        "HealthState",
        "OperationalStatus",
        "ProcessorLoad",
        "MemoryUsage",
        "MemoryAvailable",
        "Heartbeat",
        "UpTime",
        "GuestOperatingSystem",
        "ReplicationHealth",
    ),
)
STATES = Query(
    "Msvm_ComputerSystem",
    (
        "Name",
        "ElementName",
        "EnabledState",
        "OtherEnabledState",
        "HealthState",
        "OperationalStatus",
        "OnTimeInMilliseconds",
        "ReplicationHealth",
    ),
)
"""For hosts without any summaries."""
SERVICE = Query("Msvm_VirtualSystemManagementService", ("CreationClassName",))

PROCESSOR_COUNTER = Query(
    counters.PROCESSOR,
    counters.columns(counters.PROCESSOR),
    "Name = '_Total'",
    CIMV2,
    dense=True,
)
ADAPTER_COUNTER = Query(
    counters.ADAPTER,
    counters.columns(counters.ADAPTER, "BytesReceivedPersec", "BytesSentPersec"),
    namespace=CIMV2,
    dense=True,
)
STORAGE_COUNTER = Query(
    counters.STORAGE,
    counters.columns(counters.STORAGE, "ReadBytesPersec", "WriteBytesPersec"),
    namespace=CIMV2,
    dense=True,
)
FINE_COUNTERS = {
    name: Query(name, counters.columns(name), namespace=CIMV2, dense=True)
    for name in counters.TYPES
    if name != counters.PROCESSOR
}
"""All columns we know to read, by class; only while somebody looks."""
FREE_MEMORY = Query(
    "Win32_OperatingSystem", ("FreePhysicalMemory", "LocalDateTime"), namespace=CIMV2
)
JOBS = Query("CIM_ConcreteJob")

# -- slow ----------------------------------------------------------------------------------

SYSTEMS = Query(
    "Msvm_VirtualSystemSettingData",
    (
        "InstanceID",
        "ElementName",
        "VirtualSystemIdentifier",
        "VirtualSystemType",
        "VirtualSystemSubType",
        "Version",
        "CreationTime",
        "Notes",
        "Parent",
        "AutomaticStartupAction",
        "AutomaticStartupActionDelay",
        "AutomaticShutdownAction",
        "SecureBootEnabled",
        "ConfigurationDataRoot",
        "IsAutomaticSnapshot",
        "IsSaved",
        "UserSnapshotType",
    ),
    "VirtualSystemType = 'Microsoft:Hyper-V:System:Realized' "
    "OR VirtualSystemType LIKE 'Microsoft:Hyper-V:Snapshot:%'",
)
STANDINGS = Query(
    "Msvm_ComputerSystem",
    ("Name", "EnabledState", "TimeOfLastStateChange", "ProcessID", "ReplicationMode"),
)
PROCESSORS = Query(
    "Msvm_ProcessorSettingData",
    ("InstanceID", "VirtualQuantity", "ExposeVirtualizationExtensions", "LimitProcessorFeatures"),
)
MEMORY = Query(
    "Msvm_MemorySettingData",
    ("InstanceID", "VirtualQuantity", "Reservation", "Limit", "DynamicMemoryEnabled"),
)
SECURITY = Query("Msvm_SecuritySettingData", ("InstanceID", "TpmEnabled", "ShieldingRequested"))
MERGING = Query("Msvm_DiskMergeSettingData", ("InstanceID", "EnabledState"))
PORTS = Query("CIM_EthernetPortAllocationSettingData")
"""The base class: adapters, their connections and switch ports in one answer."""
VLANS = Query(
    "Msvm_EthernetSwitchPortVlanSettingData",
    (
        "InstanceID",
        "OperationMode",
        "AccessVlanId",
        "NativeVlanId",
        "TrunkVlanIdArray",
        "PrimaryVlanId",
        "SecondaryVlanId",
        "SecondaryVlanIdArray",
        "PvlanMode",
    ),
)
GUEST_NETWORKS = Query("Msvm_GuestNetworkAdapterConfiguration", ("InstanceID", "IPAddresses"))
SWITCHES = Query("Msvm_VirtualEthernetSwitch", ("Name", "ElementName"))
SWITCH_SETTINGS = Query(
    "Msvm_VirtualEthernetSwitchSettingData",
    ("InstanceID", "VirtualSystemIdentifier", "TeamingEnabled", "IOVPreferred"),
)
_PORT_COLUMNS = (
    "DeviceID",
    "ElementName",
    "Name",
    "PermanentAddress",
    "Speed",
    "MaxSpeed",
    "IsBound",
    "EnabledState",
    "OperationalStatus",
)
WIRED_PORTS = Query("Msvm_ExternalEthernetPort", _PORT_COLUMNS)
WIRELESS_PORTS = Query("Msvm_WiFiPort", _PORT_COLUMNS)
DRIVES = Query(
    "Msvm_ResourceAllocationSettingData",
    (
        "InstanceID",
        "ResourceType",
        "ResourceSubType",
        "Parent",
        "Address",
        "AddressOnParent",
        "HostResource",
    ),
    " OR ".join(f"ResourceType = {n}" for n in (IDE_CONTROLLER, SCSI_CONTROLLER, DVD, DISK)),
)
IMAGES = Query("Msvm_StorageAllocationSettingData", ("InstanceID", "Parent", "HostResource"))
SERVICE_SETTINGS = {
    name: Query(f"Msvm_{word}ComponentSettingData", ("InstanceID", "EnabledState"))
    for name, word in SERVICES
}
_COMPONENT_COLUMNS = ("SystemName", "OperationalStatus")
SERVICE_STATUS = {
    name: Query(
        f"Msvm_{word}Component",
        (*_COMPONENT_COLUMNS, "GuestIntrinsicExchangeItems")
        if name == "kvp"
        else _COMPONENT_COLUMNS,
    )
    for name, word in SERVICES
}
VOLUMES = Query("Win32_Volume", ("Name", "Label", "Capacity", "FreeSpace"), "DriveType = 3", CIMV2)
DRIVE_LETTERS = Query(
    "Win32_LogicalDisk", ("Name", "VolumeName", "Size", "FreeSpace"), "DriveType = 3", CIMV2
)
AFFECTED = Query("Msvm_AffectedJobElement")

# -- replication, with the slow tier, where machines take part in it ------------------------

REPLICATIONS = Query(
    "Msvm_ReplicationRelationship",
    (
        "InstanceID",
        "ElementName",
        "ReplicationState",
        "ReplicationHealth",
        "LastReplicationTime",
        "LastReplicationType",
        "LastApplyTime",
        "LastApplicationConsistentReplicationTime",
        "FailedOverReplicationType",
    ),
)
REPLICATION_SETTINGS = Query(
    "Msvm_ReplicationSettingData",
    (
        "InstanceID",
        "ReplicationInterval",
        "RecoveryHistory",
        "PrimaryHostSystem",
        "PrimaryConnectionPoint",
        "RecoveryHostSystem",
        "RecoveryConnectionPoint",
    ),
)
TEST_REPLICAS = Query("Msvm_ReplicaSystemDependency")

# -- facts ---------------------------------------------------------------------------------

COMPUTER = Query(
    "Win32_ComputerSystem",
    (
        "Name",
        "DNSHostName",
        "Domain",
        "PartOfDomain",
        "Manufacturer",
        "Model",
        "NumberOfProcessors",
        "NumberOfLogicalProcessors",
        "TotalPhysicalMemory",
        "HypervisorPresent",
    ),
    namespace=CIMV2,
)
OPERATING_SYSTEM = Query(
    "Win32_OperatingSystem", ("Caption", "BuildNumber", "LastBootUpTime"), namespace=CIMV2
)
SOCKETS = Query(
    "Win32_Processor",
    (
        "Name",
        "NumberOfCores",
        "NumberOfLogicalProcessors",
        "VirtualizationFirmwareEnabled",
        "SecondLevelAddressTranslationExtensions",
    ),
    namespace=CIMV2,
    widens=False,
)
"""LoadPercentage would make the host sample for a second per socket."""
NUMA_NODES = Query("Msvm_NumaNode", ("NodeID",))
SERVICE_OPTIONS = Query(
    "Msvm_VirtualSystemManagementServiceSettingData",
    (
        "NumaSpanningEnabled",
        "HypervisorRootSchedulerEnabled",
        "EnhancedSessionModeEnabled",
        "DefaultVirtualHardDiskPath",
        "DefaultExternalDataRoot",
        "MinimumMacAddress",
        "MaximumMacAddress",
    ),
)
MIGRATION_OPTIONS = Query(
    "Msvm_VirtualSystemMigrationServiceSettingData",
    (
        "EnableVirtualSystemMigration",
        "MaximumActiveVirtualSystemMigration",
        "MaximumActiveStorageMigration",
        "AuthenticationType",
        "EnableCompression",
        "EnableSmbTransport",
    ),
)
MIGRATION_LISTENER = Query(
    "Msvm_VirtualSystemMigrationService", ("MigrationServiceListenerIPAddressList",)
)
MIGRATION_NETWORKS = Query(
    "Msvm_VirtualSystemMigrationNetworkSettingData", ("SubnetNumber", "PrefixLength", "Metric")
)
CAPABILITIES = Query("Msvm_VirtualSystemManagementCapabilities", ("InstanceID",))
DEFINITIONS = "Msvm_SettingsDefineCapabilities"
"""Leads from these to the settings they define: versions and secure boot templates."""
CLUSTER_NAME = Query("MSCluster_Cluster", ("Name",), namespace=CLUSTER)

# -- cluster -------------------------------------------------------------------------------

CLUSTER_NODES = Query(
    "MSCluster_Node",
    ("Name", "State", "StatusInformation", "NodeDrainStatus", "NodeWeight", "DynamicWeight"),
    namespace=CLUSTER,
)
CLUSTER_GROUPS = Query("MSCluster_ResourceGroup", namespace=CLUSTER)
"""Whole: which columns there are depends on the version of Windows."""
CLUSTER_RESOURCES = Query("MSCluster_Resource", namespace=CLUSTER)
"""Whole: private properties come only with whole instances."""
CLUSTER_ITSELF = Query("MSCluster_Cluster", namespace=CLUSTER)
PREFERRED_OWNERS = Query("MSCluster_ResourceGroupToPreferredNode", namespace=CLUSTER)
SHARED_VOLUMES = Query(
    "MSCluster_ClusterSharedVolume", ("Name", "FaultState", "BackupState"), namespace=CLUSTER
)
SHARED_VOLUME_DISKS = Query("MSCluster_ClusterSharedVolumeToResource", namespace=CLUSTER)
SHARED_VOLUME_SPACES = Query("MSCluster_ClusterSharedVolumeToPartition", namespace=CLUSTER)
PARTITIONS = Query(
    "MSCluster_DiskPartition", ("Path", "MountPoints", "TotalSize", "FreeSpace"), namespace=CLUSTER
)
CLUSTER_NETWORKS = Query(
    "MSCluster_Network",
    ("Name", "Address", "IPv4PrefixLengths", "Role", "State", "Metric"),
    namespace=CLUSTER,
)

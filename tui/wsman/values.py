"""Numbers CIM properties, methods and WS-Management faults use, as names and words.

Hosts may send numbers newer than this table: an ``IntEnum`` here names constants to compare
with, and is never used to convert what a host sent; ``name_of`` words any number.
"""

from __future__ import annotations

from enum import IntEnum


def name_of(enum: type[IntEnum], number: int | None) -> str:
    """A number in words: ``name_of(EnabledState, 2) == "running"``; ``unknown (n)`` for others."""
    if number is None:
        return "unknown"
    try:
        return enum(number).name.lower().replace("_", " ")
    except ValueError:
        return f"unknown ({number})"


class EnabledState(IntEnum):
    """Msvm_ComputerSystem.EnabledState."""

    UNKNOWN = 0
    OTHER = 1
    RUNNING = 2
    OFF = 3
    STOPPING = 4
    SAVED = 6
    PAUSED = 9
    STARTING = 10
    RESET = 11
    SAVING = 32773
    PAUSING = 32776
    RESUMING = 32777
    FAST_SAVED = 32779
    FAST_SAVING = 32780
    FORCE_SHUTDOWN = 32781
    FORCE_REBOOT = 32782
    HIBERNATED = 32783
    COMPONENT_SERVICING = 32784
    RUNNING_CRITICAL = 32785
    OFF_CRITICAL = 32786
    STOPPING_CRITICAL = 32787
    SAVED_CRITICAL = 32788
    PAUSED_CRITICAL = 32789
    STARTING_CRITICAL = 32790
    RESET_CRITICAL = 32791
    SAVING_CRITICAL = 32792
    PAUSING_CRITICAL = 32793
    RESUMING_CRITICAL = 32794
    FAST_SAVED_CRITICAL = 32795
    FAST_SAVING_CRITICAL = 32796


class HealthState(IntEnum):
    """Msvm_ComputerSystem.HealthState."""

    OK = 5
    MAJOR_FAILURE = 20
    CRITICAL_FAILURE = 25


class OperationalStatus(IntEnum):
    """Msvm_ComputerSystem.OperationalStatus."""

    OK = 2
    DEGRADED = 3
    PREDICTIVE_FAILURE = 5
    STOPPED = 10
    IN_SERVICE = 11
    DORMANT = 15
    CREATING_SNAPSHOT = 32768
    APPLYING_SNAPSHOT = 32769
    DELETING_SNAPSHOT = 32770
    WAITING_TO_START = 32771
    MERGING_DISKS = 32772
    EXPORTING_VIRTUAL_MACHINE = 32773
    MIGRATING_VIRTUAL_MACHINE = 32774


class JobState(IntEnum):
    """Msvm_ConcreteJob.JobState."""

    NEW = 2
    STARTING = 3
    RUNNING = 4
    SUSPENDED = 5
    SHUTTING_DOWN = 6
    COMPLETED = 7
    TERMINATED = 8
    KILLED = 9
    EXCEPTION = 10
    SERVICE = 11
    COMPLETED_WITH_WARNINGS = 32768


class Heartbeat(IntEnum):
    """Msvm_SummaryInformation.Heartbeat."""

    OK = 2
    ERROR = 6
    NO_CONTACT = 12
    LOST_COMMUNICATION = 13


class ReplicationState(IntEnum):
    """Msvm_ComputerSystem.ReplicationState."""

    DISABLED = 0
    READY_FOR_REPLICATION = 1
    WAITING_TO_COMPLETE_INITIAL_REPLICATION = 2
    REPLICATING = 3
    SYNCED_REPLICATION_COMPLETE = 4
    RECOVERED = 5
    COMMITTED = 6
    SUSPENDED = 7
    CRITICAL = 8
    WAITING_TO_START_RESYNCHRONIZATION = 9
    RESYNCHRONIZING = 10
    RESYNCHRONIZATION_SUSPENDED = 11
    FAILOVER_IN_PROGRESS = 12
    FAILBACK_IN_PROGRESS = 13
    FAILBACK_COMPLETE = 14


class ReplicationHealth(IntEnum):
    """Msvm_ComputerSystem.ReplicationHealth."""

    NOT_APPLICABLE = 0
    OK = 1
    WARNING = 2
    CRITICAL = 3


class ReplicationMode(IntEnum):
    """Msvm_ComputerSystem.ReplicationMode."""

    NONE = 0
    PRIMARY = 1
    REPLICA = 2
    TEST_REPLICA = 3
    EXTENDED_REPLICA = 4


class EnhancedSession(IntEnum):
    """Msvm_ComputerSystem.EnhancedSessionModeState."""

    ALLOWED_AND_AVAILABLE = 2
    NOT_ALLOWED = 3
    ALLOWED_BUT_NOT_AVAILABLE = 6


class StartupAction(IntEnum):
    """Msvm_VirtualSystemSettingData.AutomaticStartupAction."""

    NONE = 2
    RESTART_IF_PREVIOUSLY_ACTIVE = 3
    ALWAYS_START = 4


class ShutdownAction(IntEnum):
    """Msvm_VirtualSystemSettingData.AutomaticShutdownAction."""

    TURN_OFF = 2
    SAVE_STATE = 3
    SHUTDOWN = 4


class RecoveryAction(IntEnum):
    """Msvm_VirtualSystemSettingData.AutomaticRecoveryAction."""

    NONE = 2
    RESTART = 3
    REVERT_TO_SNAPSHOT = 4


class CheckpointType(IntEnum):
    """Msvm_VirtualSystemSettingData.UserSnapshotType."""

    DISABLE = 2
    PRODUCTION_FALLBACK_TO_TEST = 3
    PRODUCTION_NO_FALLBACK = 4
    TEST = 5


class ResourceType(IntEnum):
    """Msvm_ResourceAllocationSettingData.ResourceType."""

    OTHER = 1
    COMPUTER_SYSTEM = 2
    PROCESSOR = 3
    MEMORY = 4
    IDE_CONTROLLER = 5
    PARALLEL_SCSI_HBA = 6
    FC_HBA = 7
    I_SCSI_HBA = 8
    IB_HCA = 9
    ETHERNET_ADAPTER = 10
    OTHER_NETWORK_ADAPTER = 11
    I_O_SLOT = 12
    I_O_DEVICE = 13
    DISKETTE_DRIVE = 14
    CD_DRIVE = 15
    DVD_DRIVE = 16
    DISK_DRIVE = 17
    TAPE_DRIVE = 18
    STORAGE_EXTENT = 19
    OTHER_STORAGE_DEVICE = 20
    SERIAL_PORT = 21
    PARALLEL_PORT = 22
    USB_CONTROLLER = 23
    GRAPHICS_CONTROLLER = 24
    IEEE_1394_CONTROLLER = 25
    PARTITIONABLE_UNIT = 26
    BASE_PARTITIONABLE_UNIT = 27
    POWER_SUPPLY = 28
    COOLING_DEVICE = 29
    ETHERNET_SWITCH_PORT = 30
    LOGICAL_DISK = 31
    STORAGE_VOLUME = 32
    ETHERNET_CONNECTION = 33


class RequestedState(IntEnum):
    """What Msvm_ComputerSystem.RequestStateChange takes."""

    ENABLED = 2
    """Start, resume or restore."""
    DISABLED = 3
    """Turn off; drops a saved state."""
    SHUT_DOWN = 4
    """Through the guest; documented for the first namespace version only."""
    OFFLINE = 6
    """Save."""
    QUIESCE = 9
    """Pause."""
    REBOOT = 10
    RESET = 11


class JobRequest(IntEnum):
    """What RequestStateChange of a job takes."""

    START = 2
    SUSPEND = 3
    TERMINATE = 4
    KILL = 5
    SERVICE = 6


class ReturnValue(IntEnum):
    """What Hyper-V's methods return."""

    COMPLETED = 0
    NOT_SUPPORTED_BY_SERVICE = 1
    JOB_STARTED = 4096
    FAILED = 32768
    ACCESS_DENIED = 32769
    NOT_SUPPORTED = 32770
    STATUS_UNKNOWN = 32771
    TIMEOUT = 32772
    INVALID_PARAMETER = 32773
    IN_USE = 32774
    INVALID_STATE = 32775
    INCORRECT_DATA_TYPE = 32776
    NOT_AVAILABLE = 32777
    OUT_OF_MEMORY = 32778
    FILE_NOT_FOUND = 32779
    NOT_READY = 32780
    LOCKED = 32781
    SHUTDOWN_IN_PROGRESS = 32782


class Wsman(IntEnum):
    """Codes of WS-Management faults (Windows SDK names, ERROR_WSMAN_ left out)."""

    ACCESS_DENIED = 5
    WIN32_INVALID_PARAMETER = 87
    RESOURCE_NOT_FOUND = 2150858752
    INVALID_ACTION_URI = 2150858753
    SOAP_VERSION_MISMATCH = 2150858765
    INVALID_MESSAGE_INFORMATION_HEADER = 2150858767
    MUST_UNDERSTAND = 2150858768
    MESSAGE_INFORMATION_HEADER_REQUIRED = 2150858769
    DESTINATION_UNREACHABLE = 2150858770
    ACTION_NOT_SUPPORTED = 2150858771
    ENDPOINT_UNAVAILABLE = 2150858772
    INVALID_REPRESENTATION = 2150858773
    FILTERING_NOT_SUPPORTED = 2150858776
    FILTER_DIALECT_UNAVAILABLE = 2150858777
    CANNOT_PROCESS_FILTER = 2150858778
    INVALID_ENUMERATION_CONTEXT = 2150858779
    ENUMERATE_TIMED_OUT = 2150858780
    OPERATION_TIMED_OUT = 2150858793
    CONCURRENCY = 2150858802
    ALREADY_EXISTS = 2150858803
    ENCODING_LIMIT = 2150858805
    INVALID_OPTIONS = 2150858809
    INVALID_PARAMETER = 2150858810
    INVALID_RESOURCE_URI = 2150858811
    INVALID_SELECTORS = 2150858813
    QUOTA_LIMIT = 2150858815
    SCHEMA_VALIDATION_ERROR = 2150858817
    UNSUPPORTED_FEATURE = 2150858818
    INVALID_XML = 2150858819
    MAX_ENVELOPE_SIZE = 2150858823
    MAX_ENVELOPE_SIZE_EXCEEDED = 2150858824
    PARAMETER_TYPE_MISMATCH = 2150858836
    PARAMETER_INVALID_NAME = 2150858837
    REPRESENTATION_INVALID_VALUES = 2150858838
    REPRESENTATION_MISSING_VALUES = 2150858839
    REPRESENTATION_INVALID_NAMESPACE = 2150858840
    REPRESENTATION_INVALID_FRAGMENT = 2150858841
    INSUFFICIENT_SELECTORS = 2150858842
    UNEXPECTED_SELECTORS = 2150858843
    SELECTOR_TYPE_MISMATCH = 2150858844
    SELECTOR_INVALID_VALUE = 2150858845
    AMBIGUOUS_SELECTORS = 2150858846
    DUPLICATE_SELECTORS = 2150858847
    UNSUPPORTED_ADDRESSING_MODE = 2150858870
    UNSUPPORTED_FRAGMENT = 2150858871
    MINIMUM_ENVELOPE_LIMIT = 2150858878
    INVALID_TIMEOUT_HEADER = 2150858881
    UNSUPPORTED_ENUMERATION_MODE = 2150858886
    UNSUPPORTED_LOCALE = 2150858887
    WMI_SINGLETON = 2150859002
    WMI_ENUM_WQL = 2150859003
    WMI_SERVICE_ACCESS_DENIED = 2150859012
    WMI_PROVIDER_ACCESS_DENIED = 2150859013
    WMI_CONNECT_ACCESS_DENIED = 2150859014
    REQUEST_NOT_SUPPORTED = 2150859064
    QUOTA_MAX_SHELLS = 2150859173
    QUOTA_MAX_OPERATIONS = 2150859174
    QUOTA_USER = 2150859175
    QUOTA_SYSTEM = 2150859176
    E_ACCESS_DENIED = 2147942405
    E_INVALID_ARGUMENT = 2147942487


_WORDS: dict[int, str] = {
    Wsman.ACCESS_DENIED: "Access is denied",
    Wsman.WIN32_INVALID_PARAMETER: "The parameter is incorrect",
    Wsman.RESOURCE_NOT_FOUND: "The object or class does not exist",
    Wsman.INVALID_ACTION_URI: "The action address is not valid",
    Wsman.SOAP_VERSION_MISMATCH: "The SOAP version is not supported",
    Wsman.INVALID_MESSAGE_INFORMATION_HEADER: "A message header is not valid",
    Wsman.MUST_UNDERSTAND: "A mandatory header is not understood",
    Wsman.MESSAGE_INFORMATION_HEADER_REQUIRED: "A required message header is missing",
    Wsman.DESTINATION_UNREACHABLE: "The resource cannot be reached",
    Wsman.ACTION_NOT_SUPPORTED: "The action is not supported by the resource",
    Wsman.ENDPOINT_UNAVAILABLE: "The resource is not available now",
    Wsman.INVALID_REPRESENTATION: "The instance in the message is not valid",
    Wsman.FILTERING_NOT_SUPPORTED: "The resource does not support filters",
    Wsman.FILTER_DIALECT_UNAVAILABLE: "The filter dialect is not supported",
    Wsman.CANNOT_PROCESS_FILTER: "The query cannot be processed",
    Wsman.INVALID_ENUMERATION_CONTEXT: "The enumeration is no longer known",
    Wsman.ENUMERATE_TIMED_OUT: "The enumeration has timed out",
    Wsman.OPERATION_TIMED_OUT: "The operation did not finish within its time",
    Wsman.CONCURRENCY: "Another operation is in the way",
    Wsman.ALREADY_EXISTS: "The object exists already",
    Wsman.ENCODING_LIMIT: "A limit of the message encoding is exceeded",
    Wsman.INVALID_OPTIONS: "An option is not valid",
    Wsman.INVALID_PARAMETER: "A parameter is not valid",
    Wsman.INVALID_RESOURCE_URI: "The resource address is not valid",
    Wsman.INVALID_SELECTORS: "The selectors are not valid for the resource",
    Wsman.QUOTA_LIMIT: "A quota of the service is exceeded",
    Wsman.SCHEMA_VALIDATION_ERROR: "The message does not fit the schema",
    Wsman.UNSUPPORTED_FEATURE: "The requested feature is not supported",
    Wsman.INVALID_XML: "The message is not valid XML",
    Wsman.MAX_ENVELOPE_SIZE: "The maximum envelope size is not acceptable",
    Wsman.MAX_ENVELOPE_SIZE_EXCEEDED: "The answer does not fit the maximum envelope size",
    Wsman.PARAMETER_TYPE_MISMATCH: "A parameter has the wrong type",
    Wsman.PARAMETER_INVALID_NAME: "A parameter name is not known",
    Wsman.REPRESENTATION_INVALID_VALUES: "The instance holds values that are not valid",
    Wsman.REPRESENTATION_MISSING_VALUES: "The instance lacks required values",
    Wsman.REPRESENTATION_INVALID_NAMESPACE: "The instance is of another class",
    Wsman.REPRESENTATION_INVALID_FRAGMENT: "The fragment is not valid",
    Wsman.INSUFFICIENT_SELECTORS: "Not enough selectors to identify one instance",
    Wsman.UNEXPECTED_SELECTORS: "A selector is not a key of the resource",
    Wsman.SELECTOR_TYPE_MISMATCH: "A selector has the wrong type",
    Wsman.SELECTOR_INVALID_VALUE: "A selector value is not valid",
    Wsman.AMBIGUOUS_SELECTORS: "The selectors match more than one instance",
    Wsman.DUPLICATE_SELECTORS: "A selector is given twice",
    Wsman.UNSUPPORTED_ADDRESSING_MODE: "Only anonymous reply addresses are supported",
    Wsman.UNSUPPORTED_FRAGMENT: "Access to fragments is not supported",
    Wsman.MINIMUM_ENVELOPE_LIMIT: "The maximum envelope size asked for is too small",
    Wsman.INVALID_TIMEOUT_HEADER: "The operation timeout is not valid",
    Wsman.UNSUPPORTED_ENUMERATION_MODE: "The enumeration mode is not supported",
    Wsman.UNSUPPORTED_LOCALE: "The locale is not supported",
    Wsman.WMI_SINGLETON: "The keys are missing and the class is not a singleton",
    Wsman.WMI_ENUM_WQL: "The class name must be '*' for a query",
    Wsman.WMI_SERVICE_ACCESS_DENIED: "The WMI service denied access",
    Wsman.WMI_PROVIDER_ACCESS_DENIED: "The WMI provider denied access",
    Wsman.WMI_CONNECT_ACCESS_DENIED: "Access to the WMI namespace is denied",
    Wsman.REQUEST_NOT_SUPPORTED: "The service does not support the request",
    Wsman.QUOTA_MAX_SHELLS: "The user has too many shells open",
    Wsman.QUOTA_MAX_OPERATIONS: "The user has too many operations open",
    Wsman.QUOTA_USER: "The quota of the user is exceeded",
    Wsman.QUOTA_SYSTEM: "The quota of the system is exceeded",
    Wsman.E_ACCESS_DENIED: "Access is denied",
    Wsman.E_INVALID_ARGUMENT: "The parameter is incorrect",
}
_WMI_ERRORS: dict[int, str] = {
    0x80041001: "WMI: the call failed",
    0x80041002: "WMI: the object was not found",
    0x80041003: "WMI: access is denied",
    0x80041004: "WMI: the provider failed",
    0x80041008: "WMI: a parameter is not valid",
    0x8004100E: "WMI: the namespace does not exist",
    0x80041010: "WMI: the class does not exist",
    0x80041017: "WMI: the query is not valid",
    0x80041024: "WMI: the provider is not capable of the operation",
    0x8004102E: "WMI: the method does not exist",
    0x8004102F: "WMI: the method parameters are not valid",
    0x8004106C: "WMI: a quota was exceeded",
}
RETRYABLE = frozenset(
    {
        Wsman.QUOTA_LIMIT,
        Wsman.QUOTA_MAX_OPERATIONS,
        Wsman.QUOTA_USER,
        Wsman.QUOTA_SYSTEM,
    }
)
"""Codes after which the same read may be tried again, after a pause."""


def words(code: int) -> str:
    """What a fault's code says, in English whatever the host's language."""
    known = _WORDS.get(code) or _WMI_ERRORS.get(code)
    if known:
        return known
    if code & 0xFFFFF000 == 0x80041000:
        return f"WMI error 0x{code:08X}"
    return f"WS-Management error {code}"

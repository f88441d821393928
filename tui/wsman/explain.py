"""What the numbers of a failure mean and what to do: WS-Man codes, HRESULTs, return values.

A table for people. Unknown numbers are called unknown, never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.wsman.values import Wsman, words

_REREAD = "refresh, and look whether the object is still there"
_OURS = "this is for hvdeck to get right: please report it with the log of calls"
_RIGHTS = (
    "the account must be in Administrators, or in Remote Management Users and "
    "Hyper-V Administrators, with Remote Enable on the WMI namespace"
)
_TOKEN = (
    "local administrators other than the built-in one need LocalAccountTokenFilterPolicy = 1 "
    "on the host"
)
_QUOTA = "wait a moment; close other WinRM clients of this account, or raise the quota on the host"
_ENVELOPE = "raise MaxEnvelopeSizekb on the host (winrm set winrm/config)"
_DELEGATION = (
    "allow Kerberos constrained delegation (cifs, Microsoft Virtual System Migration Service) "
    "for both hosts, with any authentication protocol, and set live migration to Kerberos"
)


_FACILITY_WIN32 = 0x8007


@dataclass(frozen=True, slots=True)
class Explanation:
    """One number: what it means, and what helps. ``hint`` may be empty."""

    code: int
    meaning: str
    hint: str

    @property
    def text(self) -> str:
        """The number as people look it up: HRESULTs in hexadecimal."""
        return f"0x{self.code:08X}" if self.code > 0xFFFF else str(self.code)


# Their meanings are in ``values``.
_FAULTS: dict[int, str] = {
    Wsman.ACCESS_DENIED: f"{_RIGHTS}; {_TOKEN}",
    Wsman.WIN32_INVALID_PARAMETER: _OURS,
    Wsman.RESOURCE_NOT_FOUND: _REREAD,
    Wsman.INVALID_ACTION_URI: _OURS,
    Wsman.SOAP_VERSION_MISMATCH: "is this Windows' own WinRM service?",
    Wsman.INVALID_MESSAGE_INFORMATION_HEADER: _OURS,
    Wsman.MUST_UNDERSTAND: _OURS,
    Wsman.MESSAGE_INFORMATION_HEADER_REQUIRED: _OURS,
    Wsman.DESTINATION_UNREACHABLE: _REREAD,
    Wsman.ACTION_NOT_SUPPORTED: "this version of Windows may not know the method yet",
    Wsman.ENDPOINT_UNAVAILABLE: "the provider is starting or stopping; try again shortly",
    Wsman.INVALID_REPRESENTATION: "a value was not accepted, or the property cannot be written",
    Wsman.FILTERING_NOT_SUPPORTED: _OURS,
    Wsman.FILTER_DIALECT_UNAVAILABLE: _OURS,
    Wsman.CANNOT_PROCESS_FILTER: "the class, a column or the whole namespace is missing there: "
    "is the Hyper-V role installed, and the query spelled right?",
    Wsman.INVALID_ENUMERATION_CONTEXT: "the host forgot the query, as it does with slow readers; "
    "refresh",
    Wsman.ENUMERATE_TIMED_OUT: "the host is slow; refresh, or raise operation_timeout",
    Wsman.OPERATION_TIMED_OUT: "the host may still finish it: read the state before trying again",
    Wsman.CONCURRENCY: "someone changes the same object; refresh and try again",
    Wsman.ALREADY_EXISTS: "choose another name",
    Wsman.ENCODING_LIMIT: _ENVELOPE,
    Wsman.INVALID_OPTIONS: _OURS,
    Wsman.INVALID_PARAMETER: "a parameter is missing or unknown to this version of Windows",
    Wsman.INVALID_RESOURCE_URI: "the namespace or class does not exist there",
    Wsman.INVALID_SELECTORS: _REREAD,
    Wsman.QUOTA_LIMIT: _QUOTA,
    Wsman.SCHEMA_VALIDATION_ERROR: "a parameter does not fit this version of Windows",
    Wsman.UNSUPPORTED_FEATURE: "this version of Windows cannot do that",
    Wsman.INVALID_XML: _OURS,
    Wsman.MAX_ENVELOPE_SIZE: _ENVELOPE,
    Wsman.MAX_ENVELOPE_SIZE_EXCEEDED: f"one object is larger than an answer may be; {_ENVELOPE}",
    Wsman.PARAMETER_TYPE_MISMATCH: _OURS,
    Wsman.PARAMETER_INVALID_NAME: "this version of Windows does not know the parameter",
    Wsman.REPRESENTATION_INVALID_VALUES: "a value was not accepted",
    Wsman.REPRESENTATION_MISSING_VALUES: "a required value is missing",
    Wsman.INSUFFICIENT_SELECTORS: _OURS,
    Wsman.UNEXPECTED_SELECTORS: _REREAD,
    Wsman.AMBIGUOUS_SELECTORS: "more than one object fits; name it in full",
    Wsman.MINIMUM_ENVELOPE_LIMIT: _OURS,
    Wsman.INVALID_TIMEOUT_HEADER: "check operation_timeout in the configuration",
    Wsman.UNSUPPORTED_ENUMERATION_MODE: "this version of Windows cannot list references so",
    Wsman.WMI_SINGLETON: _OURS,
    Wsman.WMI_ENUM_WQL: _OURS,
    Wsman.WMI_SERVICE_ACCESS_DENIED: _RIGHTS,
    Wsman.WMI_PROVIDER_ACCESS_DENIED: _RIGHTS,
    Wsman.WMI_CONNECT_ACCESS_DENIED: _RIGHTS,
    Wsman.REQUEST_NOT_SUPPORTED: "is this Windows' own WinRM service?",
    Wsman.QUOTA_MAX_SHELLS: _QUOTA,
    Wsman.QUOTA_MAX_OPERATIONS: _QUOTA,
    Wsman.QUOTA_USER: _QUOTA,
    Wsman.QUOTA_SYSTEM: _QUOTA,
    Wsman.E_ACCESS_DENIED: f"{_RIGHTS}; {_TOKEN}",
}

_HRESULTS: dict[int, tuple[str, str]] = {
    0x80041001: ("WMI: the call failed", "the host's WMI-Activity event log says more"),
    0x80041002: ("WMI: the object was not found", _REREAD),
    0x80041003: ("WMI: access is denied", _RIGHTS),
    0x80041004: ("WMI: the provider failed", "is the Virtual Machine Management service running?"),
    0x80041006: ("WMI: out of memory", "the host is short of memory"),
    0x80041008: ("WMI: a parameter is not valid", "a value was not accepted"),
    0x8004100E: (
        "WMI: the namespace does not exist",
        "install the Hyper-V role (or the cluster feature, for root/MSCluster)",
    ),
    0x80041010: ("WMI: the class does not exist", "this version of Windows may not have it"),
    0x80041013: ("WMI: the provider cannot be loaded", "repair or restart WMI on the host"),
    0x80041017: ("WMI: the query is not valid", "check spelling and quotes"),
    0x80041024: ("WMI: the provider cannot do that", ""),
    0x8004102E: ("WMI: the method does not exist", "this version of Windows may not have it"),
    0x8004102F: ("WMI: the method's parameters are not valid", ""),
    0x80041033: ("WMI: the service is shutting down", "the host may be restarting"),
    0x8004106C: ("WMI: a quota is exceeded", "the provider uses too much memory or handles"),
    0x80070002: ("the file was not found", "check the path on the host"),
    0x80070003: ("the folder was not found", "check the path on the host"),
    0x8007000E: ("out of memory", "the host is short of memory"),
    0x80070015: ("the device is not ready", "is the disk or volume online?"),
    0x80070020: ("the file is in use", "another VM, a mount or a backup may hold it"),
    0x80070032: ("not supported", ""),
    0x80070050: ("the file exists already", "choose another path"),
    0x80070057: ("a parameter is not valid", ""),
    0x80070070: ("the disk is full", "free space on the volume"),
    0x8007007B: ("the name or path is not valid", "check for characters Windows does not allow"),
    0x800700B7: ("the object exists already", "choose another name"),
    0x80070490: ("the element was not found", _REREAD),
    0x80070534: ("an account name cannot be resolved", "check the domain and its controllers"),
    0x80070569: (
        "the logon type was not granted",
        'give "NT VIRTUAL MACHINE\\Virtual Machines" the right to log on as a service',
    ),
    0x800705AA: ("not enough system resources", "the host is short of memory"),
    0x800706BA: ("the RPC server is unavailable", "the other host is down, or a firewall blocks"),
    0x80072746: ("the connection was reset by the other side", "check network and firewall"),
    0x8009030E: ("no credentials in the security package", _DELEGATION),
    0x80090322: ("the target's principal name is wrong", "use the host's full name; check its SPN"),
}

_RETURNS: dict[int, tuple[str, str]] = {
    0: ("completed", ""),
    4096: ("a job was started", ""),
    32768: ("failed", "the host's Hyper-V-VMMS event log says more"),
    32769: ("access denied", _RIGHTS),
    32770: ("not supported", "this kind of VM or version of Windows cannot do that"),
    32771: ("status is unknown", "read the state before trying again"),
    32772: ("timeout", "read the state before trying again"),
    32773: ("invalid parameter", "a value was not accepted"),
    32774: ("the system is in use", "another operation works on it: see the jobs"),
    32775: (
        "invalid state for this operation",
        "the VM is in that state already, or must be turned off or started first",
    ),
    32776: ("incorrect data type", _OURS),
    32777: ("the system is not available", "is the Virtual Machine Management service running?"),
    32778: ("out of memory", "the host has too little free memory; stop or shrink a VM"),
    32779: ("the file was not found, or is in use", "check the path and who holds the file"),
    32780: ("the system is not ready", "the guest's integration services do not answer yet"),
    32781: (
        "the guest is locked and cannot shut down without force",
        "someone is signed in there: use force, or sign them out",
    ),
    32782: ("a shutdown is in progress already", "wait for it"),
    32784: ("not compatible", "the processors or versions of the two hosts differ"),
    32787: ("the chain of differencing disks is circular", "check the parents of the disk"),
    32789: ("the object was not found", _REREAD),
}

# Win32 errors of the cluster API, which its provider reports bare or as HRESULTs.
_WIN32: dict[int, tuple[str, str]] = {
    2: ("a file was not found", "every node must see the files: are they on a shared volume?"),
    14: ("not enough memory on the node", "choose another node, or free memory there"),
    50: ("not supported", "the processors or versions of the two nodes may differ"),
    70: ("the node is paused", "resume it, or choose another node"),
    87: ("the parameters do not go together", _OURS),
    170: ("the node does as many migrations as it may", "wait for one to end and try again"),
    997: ("accepted, and under way", "look at the state"),
    1168: ("something it needs is not there", "has the node a virtual switch of the same name?"),
    1223: ("it was cancelled", ""),
    1460: ("it took too long", "does the guest answer? Look at its state before trying again"),
    1753: ("the cluster service does not answer", "is it running on this node?"),
    5005: ("the node is neither up nor paused", "choose a node that is up"),
    5007: ("the resource was not found", _REREAD),
    5010: ("it is in the cluster already", ""),
    5013: ("the role was not found", _REREAD),
    5018: ("a resource could not be brought on line", "the cluster's event log says why"),
    5023: (
        "the role is not in a state for that",
        "it is on its way already, or being deleted: wait, and look again",
    ),
    5038: ("a resource has failed", "the cluster's event log says why"),
    5042: ("the node was not found", _REREAD),
    5050: ("the node is down", "start it or its cluster service, or choose another node"),
    5058: ("the node is not paused", ""),
    5925: ("the cluster has no quorum", "start more nodes, or bring the witness back"),
    5960: ("the role is locked", "a backup or a migration works on it: wait for its end"),
}

# DSP1042 and relatives: methods that keep CIM's own small numbers.
_SMALL_RETURNS: dict[int, tuple[str, str]] = {
    1: ("not supported", "this kind of VM or version of Windows cannot do that"),
    2: ("failed", "the host's Hyper-V-VMMS event log says more"),
    3: ("timeout", "read the state before trying again"),
    4: ("invalid parameter", "a value was not accepted"),
    5: ("invalid state", "the VM must be turned off or started first"),
    6: ("incompatible parameters", "two of the values do not go together"),
}


def explain(code: int) -> Explanation | None:
    """A fault's code or an HRESULT, signed or not; None when it is not known."""
    code &= 0xFFFFFFFF
    if code in _FAULTS:
        return Explanation(code, words(code), _FAULTS[code])
    found = _HRESULTS.get(code) or _RETURNS.get(code)
    return explain_win32(code) if found is None else Explanation(code, *found)


def explain_win32(code: int) -> Explanation | None:
    """A Win32 error of the cluster API, bare or as an HRESULT; None when it is not known."""
    code &= 0xFFFFFFFF
    found = _WIN32.get(code & 0xFFFF if code >> 16 == _FACILITY_WIN32 else code)
    return None if found is None else Explanation(code, *found)


def explain_return(value: int) -> Explanation | None:
    """A method's return value, or a job's ErrorCode; None when it is not known."""
    found = _RETURNS.get(value) or _SMALL_RETURNS.get(value)
    return None if found is None else Explanation(value, *found)


def find(text: str) -> Explanation | None:
    """A number as a person writes it: ``0x8009030E``, ``-2146893042``, ``32775``."""
    try:
        return explain(int(text.strip(), 0))
    except ValueError:
        return None


def table() -> tuple[Explanation, ...]:
    """Everything known, in the order of the numbers; small return values left out."""
    codes = sorted({*_FAULTS, *_HRESULTS, *_RETURNS, *_WIN32})
    return tuple(found for code in codes if (found := explain(code)) is not None)

"""What error numbers of Hyper-V methods, jobs and faults mean, in words, with the way out.

Hosts answer the numbers of the DMTF profiles and Hyper-V's own for the same methods, so both
sets are read everywhere.
"""

from __future__ import annotations

from tui.errors import Fault
from tui.wsman.values import RETRYABLE, ReturnValue, Wsman

_STATE_HINT = "Refresh and look at its state; it may be there already, or on its way"
RIGHTS_HINT = (
    "Add the account to the group Hyper-V Administrators on that host, or use an administrator"
)

_RETURNS: dict[int, tuple[str, str]] = {
    1: ("The host does not support this", ""),
    2: ("The host could not do it", "The Hyper-V-VMMS event log of that host tells more"),
    3: ("The host ran out of time", "Look at the state before trying again"),
    4: ("The host does not accept one of the values", ""),
    5: ("Not possible in its present state", _STATE_HINT),
    6: ("The host does not accept the type of one of the values", ""),
    ReturnValue.FAILED: (
        "The host could not do it",
        "The Hyper-V-VMMS event log of that host tells more",
    ),
    ReturnValue.ACCESS_DENIED: ("Access denied by Hyper-V", RIGHTS_HINT),
    ReturnValue.NOT_SUPPORTED: ("The host does not support this", ""),
    ReturnValue.STATUS_UNKNOWN: ("The host does not know its status", "Refresh and look again"),
    ReturnValue.TIMEOUT: ("The host ran out of time", "Look at the state before trying again"),
    ReturnValue.INVALID_PARAMETER: ("The host does not accept one of the values", ""),
    ReturnValue.IN_USE: (
        "It is in use",
        "Another job, a backup or another program holds it; try again later",
    ),
    ReturnValue.INVALID_STATE: ("Not possible in its present state", _STATE_HINT),
    ReturnValue.INCORRECT_DATA_TYPE: ("The host does not accept the type of one of the values", ""),
    ReturnValue.NOT_AVAILABLE: (
        "Not available now",
        "The service in the guest or on the host may be starting",
    ),
    ReturnValue.OUT_OF_MEMORY: (
        "The host has not enough memory",
        "Free memory on the host, give the machine less, or move it to another host",
    ),
    ReturnValue.FILE_NOT_FOUND: (
        "A file was not found",
        "Look at the paths of its disks and configuration",
    ),
    ReturnValue.NOT_READY: ("The guest is not ready", "It may still be starting; try again later"),
    ReturnValue.LOCKED: (
        "The guest is locked or users are logged on",
        "Use force, or ask the users to log off",
    ),
    ReturnValue.SHUTDOWN_IN_PROGRESS: (
        "The guest is already shutting down",
        "Wait until it is off",
    ),
}

_GONE = frozenset({Wsman.RESOURCE_NOT_FOUND, 0x80041002})
_MISSING = frozenset(
    {Wsman.RESOURCE_NOT_FOUND, Wsman.CANNOT_PROCESS_FILTER, 0x8004100E, 0x80041010}
)
"""The last two are WMI's own: namespace and class that do not exist."""
_DENIED = frozenset(
    {
        Wsman.ACCESS_DENIED,
        Wsman.E_ACCESS_DENIED,
        Wsman.WMI_SERVICE_ACCESS_DENIED,
        Wsman.WMI_PROVIDER_ACCESS_DENIED,
        Wsman.WMI_CONNECT_ACCESS_DENIED,
        0x80041003,
    }
)
_BUSY = RETRYABLE | {Wsman.OPERATION_TIMED_OUT, Wsman.ENUMERATE_TIMED_OUT}


def of_return(code: int) -> tuple[str, str]:
    """Cause and hint of a method's return value."""
    return _RETURNS.get(code, (f"The host answered {code}, which hvdeck does not know", ""))


def of_job(code: int) -> str:
    """Hint for a job that ended with an error code; empty when there is none."""
    return _RETURNS.get(code, ("", ""))[1]


def is_gone(fault: Fault) -> bool:
    """The instance asked for is not there."""
    return fault.code in _GONE or fault.subcode == "DestinationUnreachable"


def is_missing(fault: Fault) -> bool:
    """A query that a host refuses because class, namespace or column do not exist there."""
    named = ("CannotProcessFilter", "DestinationUnreachable")
    return fault.code in _MISSING or fault.subcode in named


def is_denied(fault: Fault) -> bool:
    """The account may not do this."""
    return fault.code in _DENIED or fault.subcode == "AccessDenied"


def is_busy(fault: Fault) -> bool:
    """The service could not take the request now."""
    return fault.code in _BUSY or fault.subcode in ("QuotaLimit", "TimedOut")

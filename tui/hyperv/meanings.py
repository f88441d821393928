"""What error numbers of Hyper-V methods, jobs and faults mean, in words, with the way out.

Hosts answer the numbers of the DMTF profiles and Hyper-V's own for the same methods, so both
sets are read everywhere.
"""

from __future__ import annotations

from tui.errors import Fault

_STATE_HINT = "Refresh and look at its state; it may be there already, or on its way"
_RIGHTS_HINT = (
    "Add the account to the group Hyper-V Administrators on that host, or use an administrator"
)

_RETURNS: dict[int, tuple[str, str]] = {
    1: ("The host does not support this", ""),
    2: ("The host could not do it", "The Hyper-V-VMMS event log of that host tells more"),
    3: ("The host ran out of time", "Look at the state before trying again"),
    4: ("The host does not accept one of the values", ""),
    5: ("Not possible in its present state", _STATE_HINT),
    6: ("The host does not accept the type of one of the values", ""),
    32768: ("The host could not do it", "The Hyper-V-VMMS event log of that host tells more"),
    32769: ("Access denied by Hyper-V", _RIGHTS_HINT),
    32770: ("The host does not support this", ""),
    32771: ("The host does not know its status", "Refresh and look again"),
    32772: ("The host ran out of time", "Look at the state before trying again"),
    32773: ("The host does not accept one of the values", ""),
    32774: ("It is in use", "Another job, a backup or another program holds it; try again later"),
    32775: ("Not possible in its present state", _STATE_HINT),
    32776: ("The host does not accept the type of one of the values", ""),
    32777: ("Not available now", "The service in the guest or on the host may be starting"),
    32778: (
        "The host has not enough memory",
        "Free memory on the host, give the machine less, or move it to another host",
    ),
    32779: ("A file was not found", "Look at the paths of its disks and configuration"),
    32780: ("The guest is not ready", "It may still be starting; try again later"),
    32781: (
        "The guest is locked or users are logged on",
        "Use force, or ask the users to log off",
    ),
    32782: ("The guest is already shutting down", "Wait until it is off"),
}

_GONE = 2150858752
_GONE_SUBCODES = frozenset({"DestinationUnreachable"})
_NO_FILTER = 2150858778
_INVALID_NAMESPACE = 0x8004100E
_INVALID_CLASS = 0x80041010
_DENIED = frozenset({5, 0x80070005, 2150859012, 2150859013, 2150859014, 0x80041003})


def of_return(code: int) -> tuple[str, str]:
    """Cause and hint of a method's return value."""
    return _RETURNS.get(code, (f"The host answered {code}, which hvdeck does not know", ""))


def of_job(code: int) -> str:
    """Hint for a job that ended with an error code; empty when there is none."""
    return _RETURNS.get(code, ("", ""))[1]


def is_gone(fault: Fault) -> bool:
    """The instance asked for is not there."""
    return fault.code == _GONE or fault.subcode in _GONE_SUBCODES


def is_missing(fault: Fault) -> bool:
    """A query that a host refuses because class, namespace or column do not exist there."""
    return fault.code in (
        _NO_FILTER,
        _GONE,
        _INVALID_NAMESPACE,
        _INVALID_CLASS,
    ) or fault.subcode in ("CannotProcessFilter", "DestinationUnreachable")


def is_denied(fault: Fault) -> bool:
    """The account may not do this."""
    return fault.code in _DENIED or fault.subcode == "AccessDenied"

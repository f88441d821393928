"""What failures mean to the one who reads and acts: gone, missing, denied, busy, or a number.

Hosts answer the numbers of the DMTF profiles and Hyper-V's own for the same methods, so both
sets are read everywhere.
"""

from __future__ import annotations

import re

from tui.errors import Fault
from tui.wsman.explain import explain_return, explain_win32
from tui.wsman.values import RETRYABLE, ReturnValue, Wsman

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
    """Cause and hint of a method's return value or a job's error code."""
    known = explain_return(code)
    if known is None:
        return f"the host answered {code}, which hvdeck does not know", ""
    return known.meaning, known.hint


def of_cluster(code: int) -> tuple[str, str] | None:
    """Cause and hint of a Win32 error of the cluster API, bare or as an HRESULT."""
    known = explain_win32(code)
    return (known.meaning, known.hint) if known is not None else None


def is_under_way(code: int) -> bool:
    """The cluster API has accepted and works on it (ERROR_IO_PENDING)."""
    return code & 0xFFFFFFFF in (997, 0x800703E5)


_IN_TEXTS = {
    0x8009030E: "the source may not hand its caller on: let it sign in with Kerberos, and trust it "
    "for delegation to the target (cifs and Microsoft Virtual System Migration Service, any "
    "protocol); the migrate sheet (m) has the command",
    0x80090302: "both hosts must sign in the same way: set both to Kerberos",
    0x80070569: "give NT VIRTUAL MACHINE\\Virtual Machines the right to log on as a service on the "
    "target; a group policy may take it away",
    0x80072746: "the connection broke: look whether the target is up and port 6600 (445 for "
    "SMB) is open, then start the move again",
    0x8007274C: "the target does not answer: look at its network and its firewall (port 6600)",
    0x800700B7: "a machine or file of that name or identity is there already: look at the target",
}
"""What to do about numbers that hosts write into the words of failed migrations."""
_NUMBER = re.compile(r"0x([0-9A-Fa-f]{8})\b")


def of_text(words: str) -> str:
    """The way out of the first number in a host's words that we know; the words may be in any
    language."""
    known = (_IN_TEXTS.get(int(found, 16)) for found in _NUMBER.findall(words))
    return next(filter(None, known), "")


def rights_hint() -> str:
    """What an account needs that Hyper-V denies."""
    known = explain_return(ReturnValue.ACCESS_DENIED)
    return known.hint if known else ""


def is_gone(fault: Fault) -> bool:
    """The instance asked for is not there."""
    return fault.code in _GONE or fault.subcode == "DestinationUnreachable"


def is_missing(fault: Fault) -> bool:
    """A query that a host refuses because class, namespace or column do not exist there, or
    because it takes no queries at all."""
    named = (
        "CannotProcessFilter",
        "DestinationUnreachable",
        "FilterDialectRequestedUnavailable",
        "FilteringNotSupported",
    )
    return fault.code in _MISSING or fault.subcode in named


def is_denied(fault: Fault) -> bool:
    """The account may not do this."""
    return fault.code in _DENIED or fault.subcode == "AccessDenied"


def is_busy(fault: Fault) -> bool:
    """The service could not take the request now."""
    return fault.code in _BUSY or fault.subcode in ("QuotaLimit", "TimedOut")

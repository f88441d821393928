"""Win32 errors of the cluster API, and the faults its WMI provider makes of them."""

from __future__ import annotations

from dataclasses import replace

from tui.wsman.fault import Refusal, fault

MISSING_FILE, NOT_SUPPORTED, PAUSED, BAD_PARAMETER = 2, 50, 70, 87
OUT_OF_MEMORY, BUSY, NOT_FOUND, CANCELLED, TIMEOUT = 14, 170, 1168, 1223, 1460
NO_ENDPOINT = 1753
NODE_NOT_AVAILABLE, RESOURCE_NOT_FOUND, OBJECT_EXISTS = 5005, 5007, 5010
GROUP_NOT_FOUND, ONLINE_FAILED, RESOURCE_FAILED, INVALID_STATE = 5013, 5018, 5038, 5023
NODE_NOT_FOUND, NODE_DOWN, NOT_PAUSED, NO_QUORUM, LOCKED = 5042, 5050, 5058, 5925, 5960

WORDS = {
    MISSING_FILE: "The system cannot find the file specified.",
    NOT_SUPPORTED: "The request is not supported.",
    PAUSED: "The remote server has been paused or is in the process of being started.",
    BAD_PARAMETER: "The parameter is incorrect.",
    OUT_OF_MEMORY: "Not enough memory resources are available to complete this operation.",
    BUSY: "The requested resource is in use.",
    NOT_FOUND: "Element not found.",
    CANCELLED: "The operation was canceled by the user.",
    TIMEOUT: "This operation returned because the timeout period expired.",
    NO_ENDPOINT: "There are no more endpoints available from the endpoint mapper.",
    NODE_NOT_AVAILABLE: "A cluster node is not available for this operation.",
    RESOURCE_NOT_FOUND: "The cluster resource could not be found.",
    OBJECT_EXISTS: "The object already exists.",
    GROUP_NOT_FOUND: "The cluster group could not be found.",
    ONLINE_FAILED: "The cluster resource could not be brought online by the resource monitor.",
    RESOURCE_FAILED: "The cluster resource failed.",
    INVALID_STATE: "The group or resource is not in the correct state to perform the operation.",
    NODE_NOT_FOUND: "The cluster node was not found.",
    NODE_DOWN: "The cluster node is down.",
    NOT_PAUSED: "The cluster node is not paused.",
    NO_QUORUM: "The cluster node does not have quorum.",
    LOCKED: "The operation failed because either the specified cluster node is not the owner of "
    "the group, or the group is locked.",
}


def hresult(code: int) -> int:
    """A Win32 error as the HRESULT a provider reports (HRESULT_FROM_WIN32)."""
    return 0x80070000 | code


def refused(code: int) -> Refusal:
    """The fault of a call that the cluster API has refused."""
    return Refusal(replace(fault(hresult(code), shape=3), reason=WORDS[code], message=WORDS[code]))

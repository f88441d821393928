"""SOAP faults of a Windows WS-Management service, both ways.

The service role builds a ``FaultReply`` and raises it as ``Refusal``; the client role reads any
of the three shapes of detail Windows uses (MS-WSMV 2.2.4.43, 3.1.4.1.22) into ``errors.Fault``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from tui.errors import Fault, HvError
from tui.wsman import soap
from tui.wsman.values import Wsman, words

if TYPE_CHECKING:
    from tui.wsman.request import Header

_SPACES = {
    "wsman": "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
    "addressing": f"{soap.ADDRESSING}/fault",
    "enumeration": f"{soap.ENUMERATION}/fault",
    "transfer": f"{soap.TRANSFER}/fault",
    "eventing": f"{soap.EVENTING}/fault",
}


@dataclass(frozen=True, slots=True)
class FaultReply:
    """A refusal as the service sends it. ``subcode`` has its usual prefix, e.g. ``w:TimedOut``.

    ``shape`` 1 is a plain stack fault, 2 a fault inside a provider fault, 3 a CIM error instance.
    """

    code: int
    subcode: str
    detail: str = ""
    reason: str = ""
    message: str = ""
    shape: int = 1
    role: str = "Sender"
    action: str = _SPACES["wsman"]
    machine: str = ""
    operation: str = ""
    """Shape 2: the WMI operation that failed, e.g. ``ExecQuery``."""
    parameter: str = ""
    """Shape 2: what it was asked, e.g. the text of the query."""
    not_understood: str = ""
    """``{namespace}name`` of a header that had to be understood and was not."""


class Refusal(HvError):
    """Raised on the service's side to answer a request with a fault.

    ``header`` is the request's, when it could be read: the answer relates to its message id.
    """

    def __init__(self, reply: FaultReply, header: Header | None = None) -> None:
        super().__init__(reply.reason, cause=reply.message, code=reply.code)
        self.reply = reply
        self.header = header


# Role, subcode, detail, kind of action (OMI's table of Windows codes; MS-WSMV 3.1.4.1.21).
_TABLE: Mapping[int, tuple[str, str, str, str]] = {
    Wsman.ACCESS_DENIED: ("Sender", "w:AccessDenied", "", "wsman"),
    Wsman.WIN32_INVALID_PARAMETER: ("Sender", "w:InvalidParameter", "InvalidValue", "wsman"),
    Wsman.RESOURCE_NOT_FOUND: (
        "Sender",
        "a:DestinationUnreachable",
        "InvalidResourceURI",
        "addressing",
    ),
    Wsman.INVALID_ACTION_URI: ("Sender", "a:ActionNotSupported", "", "addressing"),
    Wsman.SOAP_VERSION_MISMATCH: ("VersionMismatch", "", "", "addressing"),
    Wsman.INVALID_MESSAGE_INFORMATION_HEADER: (
        "Sender",
        "a:InvalidMessageInformationHeader",
        "",
        "addressing",
    ),
    Wsman.MUST_UNDERSTAND: ("MustUnderstand", "", "", "addressing"),
    Wsman.MESSAGE_INFORMATION_HEADER_REQUIRED: (
        "Sender",
        "a:MessageInformationHeaderRequired",
        "",
        "addressing",
    ),
    Wsman.DESTINATION_UNREACHABLE: ("Sender", "a:DestinationUnreachable", "", "addressing"),
    Wsman.ACTION_NOT_SUPPORTED: ("Sender", "a:ActionNotSupported", "", "addressing"),
    Wsman.ENDPOINT_UNAVAILABLE: ("Receiver", "a:EndpointUnavailable", "", "addressing"),
    Wsman.INVALID_REPRESENTATION: ("Sender", "x:InvalidRepresentation", "", "transfer"),
    Wsman.REPRESENTATION_INVALID_VALUES: (
        "Sender",
        "x:InvalidRepresentation",
        "InvalidValues",
        "transfer",
    ),
    Wsman.REPRESENTATION_MISSING_VALUES: (
        "Sender",
        "x:InvalidRepresentation",
        "MissingValues",
        "transfer",
    ),
    Wsman.REPRESENTATION_INVALID_NAMESPACE: (
        "Sender",
        "x:InvalidRepresentation",
        "InvalidNamespace",
        "transfer",
    ),
    Wsman.REPRESENTATION_INVALID_FRAGMENT: (
        "Sender",
        "x:InvalidRepresentation",
        "InvalidFragment",
        "transfer",
    ),
    Wsman.FILTERING_NOT_SUPPORTED: ("Sender", "n:FilteringNotSupported", "", "enumeration"),
    Wsman.FILTER_DIALECT_UNAVAILABLE: (
        "Sender",
        "n:FilterDialectRequestedUnavailable",
        "",
        "enumeration",
    ),
    Wsman.CANNOT_PROCESS_FILTER: ("Sender", "n:CannotProcessFilter", "", "enumeration"),
    Wsman.INVALID_ENUMERATION_CONTEXT: (
        "Receiver",
        "n:InvalidEnumerationContext",
        "",
        "enumeration",
    ),
    Wsman.ENUMERATE_TIMED_OUT: ("Receiver", "n:TimedOut", "", "enumeration"),
    Wsman.OPERATION_TIMED_OUT: ("Receiver", "w:TimedOut", "", "wsman"),
    Wsman.CONCURRENCY: ("Sender", "w:Concurrency", "", "wsman"),
    Wsman.ALREADY_EXISTS: ("Sender", "w:AlreadyExists", "", "wsman"),
    Wsman.ENCODING_LIMIT: ("Sender", "w:EncodingLimit", "", "wsman"),
    Wsman.MAX_ENVELOPE_SIZE: ("Sender", "w:EncodingLimit", "MaxEnvelopeSize", "wsman"),
    Wsman.MAX_ENVELOPE_SIZE_EXCEEDED: (
        "Sender",
        "w:EncodingLimit",
        "MaxEnvelopeSizeExceeded",
        "wsman",
    ),
    Wsman.MINIMUM_ENVELOPE_LIMIT: (
        "Sender",
        "w:EncodingLimit",
        "MinimumEnvelopeLimit",
        "wsman",
    ),
    Wsman.INVALID_OPTIONS: ("Sender", "w:InvalidOptions", "", "wsman"),
    Wsman.INVALID_PARAMETER: ("Sender", "w:InvalidParameter", "", "wsman"),
    Wsman.PARAMETER_TYPE_MISMATCH: ("Sender", "w:InvalidParameter", "TypeMismatch", "wsman"),
    Wsman.PARAMETER_INVALID_NAME: ("Sender", "w:InvalidParameter", "InvalidName", "wsman"),
    Wsman.INVALID_RESOURCE_URI: (
        "Sender",
        "a:DestinationUnreachable",
        "InvalidResourceURI",
        "addressing",
    ),
    Wsman.INVALID_SELECTORS: ("Sender", "w:InvalidSelectors", "", "wsman"),
    Wsman.INSUFFICIENT_SELECTORS: (
        "Sender",
        "w:InvalidSelectors",
        "InsufficientSelectors",
        "wsman",
    ),
    Wsman.UNEXPECTED_SELECTORS: ("Sender", "w:InvalidSelectors", "UnexpectedSelectors", "wsman"),
    Wsman.SELECTOR_TYPE_MISMATCH: ("Sender", "w:InvalidSelectors", "TypeMismatch", "wsman"),
    Wsman.SELECTOR_INVALID_VALUE: ("Sender", "w:InvalidSelectors", "InvalidValue", "wsman"),
    Wsman.AMBIGUOUS_SELECTORS: ("Sender", "w:InvalidSelectors", "AmbiguousSelectors", "wsman"),
    Wsman.DUPLICATE_SELECTORS: ("Sender", "w:InvalidSelectors", "DuplicateSelectors", "wsman"),
    Wsman.QUOTA_LIMIT: ("Sender", "w:QuotaLimit", "", "wsman"),
    Wsman.SCHEMA_VALIDATION_ERROR: ("Sender", "w:SchemaValidationError", "", "wsman"),
    Wsman.UNSUPPORTED_FEATURE: ("Sender", "w:UnsupportedFeature", "", "wsman"),
    Wsman.UNSUPPORTED_ADDRESSING_MODE: (
        "Sender",
        "w:UnsupportedFeature",
        "AddressingMode",
        "wsman",
    ),
    Wsman.UNSUPPORTED_FRAGMENT: (
        "Sender",
        "w:UnsupportedFeature",
        "FragmentLevelAccess",
        "wsman",
    ),
    Wsman.UNSUPPORTED_ENUMERATION_MODE: (
        "Sender",
        "w:UnsupportedFeature",
        "EnumerationMode",
        "wsman",
    ),
    Wsman.UNSUPPORTED_LOCALE: ("Sender", "w:UnsupportedFeature", "Locale", "wsman"),
    Wsman.INVALID_XML: ("Sender", "w:InternalError", "Invalid", "wsman"),
    Wsman.INVALID_TIMEOUT_HEADER: (
        "Sender",
        "a:InvalidMessageInformationHeader",
        "InvalidTimeout",
        "wsman",
    ),
    Wsman.WMI_SINGLETON: ("Sender", "w:InvalidSelectors", "InsufficientSelectors", "wsman"),
    Wsman.WMI_ENUM_WQL: ("Sender", "w:InvalidSelectors", "", "wsman"),
    Wsman.WMI_SERVICE_ACCESS_DENIED: ("Sender", "w:AccessDenied", "", "wsman"),
    Wsman.WMI_PROVIDER_ACCESS_DENIED: ("Sender", "w:AccessDenied", "", "wsman"),
    Wsman.REQUEST_NOT_SUPPORTED: ("Sender", "w:UnsupportedFeature", "InvalidResourceURI", "wsman"),
    Wsman.QUOTA_MAX_SHELLS: ("Sender", "w:QuotaLimit", "", "wsman"),
    Wsman.QUOTA_MAX_OPERATIONS: ("Receiver", "w:InternalError", "", "wsman"),
    Wsman.QUOTA_USER: ("Sender", "w:QuotaLimit", "", "wsman"),
    Wsman.QUOTA_SYSTEM: ("Sender", "w:QuotaLimit", "", "wsman"),
    Wsman.E_ACCESS_DENIED: ("Receiver", "w:InternalError", "", "wsman"),
}


def fault(
    code: int,
    message: str = "",
    *,
    detail: str | None = None,
    shape: int = 1,
    operation: str = "",
    parameter: str = "",
) -> FaultReply:
    """The fault Windows sends for a code; ``message`` is the longer human text."""
    role, subcode, usual, kind = _TABLE.get(code, ("Receiver", "w:InternalError", "", "wsman"))
    reason = words(code)
    return FaultReply(
        code=int(code),
        subcode=subcode,
        detail=usual if detail is None else detail,
        reason=reason,
        message=message or reason,
        shape=shape,
        role=role,
        action=_SPACES[kind],
        operation=operation,
        parameter=parameter,
    )


def refuse(code: int, message: str = "", *, detail: str | None = None, shape: int = 1) -> Refusal:
    """``raise refuse(code, "why")``: a fault by its code."""
    return Refusal(fault(code, message, detail=detail, shape=shape))


# -- writing -------------------------------------------------------------------------------


def body_text(reply: FaultReply) -> str:
    """The ``s:Fault`` element."""
    subcode = f"<s:Subcode><s:Value>{reply.subcode}</s:Value></s:Subcode>" if reply.subcode else ""
    fault_detail = (
        f"<w:FaultDetail>{soap.FAULT_DETAIL}{soap.escape(reply.detail)}</w:FaultDetail>"
        if reply.detail
        else ""
    )
    # Human texts of WinRM end with a blank (its message table holds paragraphs).
    reason = soap.escape(reply.reason.rstrip()) + " "
    write = {2: _provider_fault, 3: _cim_error}.get(reply.shape, _stack_fault)
    return (
        f"<s:Fault><s:Code><s:Value>s:{reply.role}</s:Value>{subcode}</s:Code>"
        f'<s:Reason><s:Text xml:lang="{soap.MACHINE_LOCALE}">{reason}</s:Text></s:Reason>'
        f"<s:Detail>{fault_detail}{write(reply)}</s:Detail></s:Fault>"
    )


def _open_fault(reply: FaultReply) -> str:
    machine = soap.attribute(reply.machine or "localhost")
    return f'<f:WSManFault xmlns:f="{soap.FAULT}" Code="{reply.code}" Machine="{machine}">'


def _stack_fault(reply: FaultReply) -> str:
    message = soap.escape(reply.message.rstrip())
    return f"{_open_fault(reply)}<f:Message>{message} </f:Message></f:WSManFault>"


def _provider_fault(reply: FaultReply) -> str:
    status = ""
    if reply.operation:
        status = (
            f'<f:ExtendedError><p:__ExtendedStatus xmlns:p="{soap.WMI}root/cimv2/__ExtendedStatus"'
            f' xmlns:xsi="{soap.XSI}" xsi:type="p:__ExtendedStatus_Type">'
            f'<p:Description xsi:nil="true"/>'
            f"<p:Operation>{soap.escape(reply.operation)}</p:Operation>"
            f"<p:ParameterInfo>{soap.escape(reply.parameter)}</p:ParameterInfo>"
            f"<p:ProviderName>WinMgmt</p:ProviderName>"
            f'<p:StatusCode xsi:nil="true"/></p:__ExtendedStatus></f:ExtendedError>'
        )
    return (
        f"{_open_fault(reply)}<f:Message>"
        f'<f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">'
        f"{_stack_fault(reply)}{status}</f:ProviderFault></f:Message></f:WSManFault>"
    )


_ERROR_SPACE = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
_ERROR_TYPES = {"s": "cim:cimString", "i": "cim:cimUnsignedInt", "h": "cim:cimUnsignedShort"}


def _cim_error(reply: FaultReply) -> str:
    message = f"{reply.message.rstrip()} "
    fields: tuple[tuple[str, str, str | None], ...] = (
        ("CIMStatusCode", "i", "1"),
        ("CIMStatusCodeDescription", "s", None),
        ("ErrorSource", "s", None),
        ("ErrorSourceFormat", "h", "0"),
        ("ErrorType", "h", "0"),
        ("Message", "s", message),
        ("MessageID", "s", f"HRESULT 0x{reply.code:08x}"),
        ("OtherErrorSourceFormat", "s", None),
        ("OtherErrorType", "s", None),
        ("OwningEntity", "s", None),
        ("PerceivedSeverity", "h", "0"),
        ("ProbableCause", "h", "0"),
        ("ProbableCauseDescription", "s", None),
        ("error_Category", "i", "30"),
        ("error_Code", "i", str(reply.code)),
        ("error_Type", "s", "HRESULT"),
        ("error_WindowsErrorMessage", "s", message),
    )
    inner = "".join(_error_field(*entry) for entry in fields)
    return (
        f'<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:b="{soap.BINDING}" xmlns:cim="{soap.CIM}"'
        f' xmlns:p="{_ERROR_SPACE}" xmlns:xsi="{soap.XSI}" xsi:type="p:MSFT_WmiError_Type">'
        f"{inner}</p:MSFT_WmiError>"
    )


def _error_field(name: str, kind: str, value: str | None) -> str:
    typed = f'xsi:type="{_ERROR_TYPES[kind]}"'
    if value is None:
        return f'<p:{name} {typed} xsi:nil="true"/>'
    return f"<p:{name} {typed}>{soap.escape(value)}</p:{name}>"


# -- reading -------------------------------------------------------------------------------


def read(element: Element) -> Fault:
    """The error a ``s:Fault`` element stands for; every part of it may be missing."""
    code_element = soap.child(element, "Code")
    role = ""
    subcode = ""
    if code_element is not None:
        role = soap.content(soap.child(code_element, "Value"))
        inner = soap.child(code_element, "Subcode")
        subcode = "" if inner is None else soap.content(soap.child(inner, "Value"))
    reason_element = soap.child(element, "Reason")
    reason = "" if reason_element is None else _plain(reason_element)
    detail = soap.child(element, "Detail")
    code, message, fault_detail = _read_detail(detail)
    cause = message or reason
    known = words(code) if code else ""
    return Fault(
        known or reason or "The host refused the request",
        subcode=subcode.rpartition(":")[2],
        detail=fault_detail.rstrip("/").rpartition("/")[2],
        code=code,
        cause=cause,
        sender=not role.endswith("Receiver"),
    )


def _plain(element: Element) -> str:
    """All character data, white space folded, control characters out."""
    text = "".join(element.itertext())
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _read_detail(detail: Element | None) -> tuple[int, str, str]:
    """Code, message and the fault detail address of ``s:Detail``."""
    if detail is None:
        return 0, "", ""
    where = soap.content(soap.child(detail, "FaultDetail"))
    error = soap.child(detail, "MSFT_WmiError")
    if error is not None:
        code = _number(soap.content(soap.child(error, "error_Code")))
        text = soap.child(error, "Message")
        message = "" if text is None else _plain(text)
        if code:
            return code, message, where
    faults = [found for found in detail.iter() if soap.local(found.tag) == "WSManFault"]
    for found in reversed(faults):
        code = _number(found.get("Code", ""))
        if code:
            text = soap.child(found, "Message")
            return code, "" if text is None else _plain(text), where
    return 0, "" if not len(detail) else _plain(detail)[:500], where


def _number(text: str) -> int:
    """An unsigned 32-bit code; hosts also write it signed, or as hexadecimal."""
    text = text.strip()
    try:
        number = int(text, 16 if text.lower().startswith("0x") else 10)
    except ValueError:
        return 0
    return number & 0xFFFFFFFF


def at_machine(reply: FaultReply, machine: str) -> FaultReply:
    """The fault as told by the host of that name."""
    return reply if reply.machine else replace(reply, machine=machine)

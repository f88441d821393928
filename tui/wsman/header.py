"""The addressing and management headers of a request, with the rules Windows enforces on them.

The service role: breaking a rule of MS-WSMV 3.1.4.1.2 to 3.1.4.1.10 raises ``Refusal`` with the
fault Windows answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from xml.etree.ElementTree import Element

from tui.errors import WireError
from tui.wsman import soap
from tui.wsman.cim import interval_from_iso
from tui.wsman.fault import Refusal, fault, refuse
from tui.wsman.readers import read_selectors
from tui.wsman.values import Wsman

LONGEST_MESSAGE_ID = 2048
SMALLEST_ENVELOPE = 8192
SHORTEST_TIMEOUT = timedelta(milliseconds=500)
LONGEST_TIMEOUT = timedelta(seconds=60)

_UNDERSTOOD = {
    soap.ADDRESSING: {"To", "From", "ReplyTo", "FaultTo", "Action", "MessageID", "RelatesTo"},
    soap.WSMAN: {
        "ResourceURI",
        "SelectorSet",
        "OptionSet",
        "OperationTimeout",
        "MaxEnvelopeSize",
        "Locale",
        "FragmentTransfer",
        "RequestEPR",
    },
    soap.MSWSMAN: {
        "DataLocale",
        "SessionId",
        "OperationID",
        "SequenceId",
        "ActivityId",
        "CompressionType",
    },
}
_KNOWN = frozenset(f"{{{space}}}{name}" for space in _UNDERSTOOD for name in _UNDERSTOOD[space])


@dataclass(frozen=True, slots=True)
class Header:
    """What a request's header says. A timeout of None means that none was given."""

    message_id: str = ""
    """As sent, blanks included: the answer repeats it octet for octet."""
    to: str = ""
    reply_to: str = ""
    operation_timeout: timedelta | None = None
    max_envelope: int | None = None
    locale: str = soap.MACHINE_LOCALE
    action: str = ""
    resource: str = ""
    """ResourceURI as sent, without surrounding white space."""
    selectors: tuple[tuple[str, str], ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    fragment: str | None = None
    operation_id: str = ""
    """p:OperationID as sent: the answer repeats it, and clients that sent one insist on it."""

    @property
    def operation_text(self) -> str:
        """The client's OperationID given back; an answer is always the first and only one."""
        if not self.operation_id:
            return ""
        told = soap.escape(self.operation_id)
        return (
            f'<p:OperationID s:mustUnderstand="false">{told}</p:OperationID>'
            "<p:SequenceId>1</p:SequenceId>"
        )

    @property
    def timeout(self) -> timedelta:
        """The operation timeout as Windows clamps it: half a second to a minute."""
        asked = LONGEST_TIMEOUT if self.operation_timeout is None else self.operation_timeout
        return min(max(asked, SHORTEST_TIMEOUT), LONGEST_TIMEOUT)


def must_understand(element: Element) -> bool:
    """Also the spelling without a namespace, which pywinrm sends and Windows takes."""
    flags = (element.get(f"{{{soap.SOAP}}}mustUnderstand"), element.get("mustUnderstand"))
    return any(flag is not None and flag.strip().lower() in ("true", "1") for flag in flags)


def read(element: Element) -> Header:
    """All header rules, most basic first; a refusal carries what was read before it."""
    found = {child.tag: child for child in reversed(element)}
    message_id = found.get(f"{{{soap.ADDRESSING}}}MessageID")
    header = Header(
        message_id="" if message_id is None else message_id.text or "",
        to=soap.content(found.get(f"{{{soap.ADDRESSING}}}To")),
        action=soap.content(found.get(f"{{{soap.ADDRESSING}}}Action")),
        resource=soap.content(found.get(f"{{{soap.WSMAN}}}ResourceURI")),
        operation_id=soap.content(found.get(f"{{{soap.MSWSMAN}}}OperationID")),
    )
    try:
        _refuse_unknown(element)
        _check_addressing(header, found)
        return _complete(header, found)
    except Refusal as refusal:
        refusal.header = header
        raise


def _refuse_unknown(element: Element) -> None:
    for child in element:
        if child.tag not in _KNOWN and must_understand(child):
            reply = fault(Wsman.MUST_UNDERSTAND, f"The header {soap.local(child.tag)} is unknown.")
            raise Refusal(replace(reply, not_understood=child.tag))


def _check_addressing(header: Header, found: Mapping[str, Element]) -> None:
    if f"{{{soap.ADDRESSING}}}Action" not in found:
        raise refuse(Wsman.MESSAGE_INFORMATION_HEADER_REQUIRED, "The header wsa:Action is missing.")
    if not header.message_id.strip():
        raise refuse(
            Wsman.INVALID_MESSAGE_INFORMATION_HEADER,
            "The header wsa:MessageID is missing or empty.",
        )
    if len(header.message_id.encode("utf-8", "replace")) > LONGEST_MESSAGE_ID:
        raise refuse(
            Wsman.INVALID_MESSAGE_INFORMATION_HEADER, "The header wsa:MessageID is too long."
        )
    reply_to = found.get(f"{{{soap.ADDRESSING}}}ReplyTo")
    if reply_to is None:
        raise refuse(
            Wsman.MESSAGE_INFORMATION_HEADER_REQUIRED, "The header wsa:ReplyTo is missing."
        )
    for element in (reply_to, found.get(f"{{{soap.ADDRESSING}}}FaultTo")):
        if element is not None and _address(element) != soap.ANONYMOUS:
            raise refuse(
                Wsman.UNSUPPORTED_ADDRESSING_MODE,
                "Answers are sent to the anonymous address only.",
            )


def _address(element: Element) -> str:
    return soap.content(soap.child(element, "Address", soap.ADDRESSING))


def _complete(header: Header, found: Mapping[str, Element]) -> Header:
    """The header with the parts whose form can be wrong."""
    locale = found.get(f"{{{soap.WSMAN}}}Locale")
    for element, detail in (
        (locale, "Locale"),
        (found.get(f"{{{soap.MSWSMAN}}}DataLocale"), "DataLocale"),
    ):
        if element is not None and must_understand(element):
            raise refuse(Wsman.UNSUPPORTED_LOCALE, f"{detail} cannot be mandatory.", detail=detail)
    return replace(
        header,
        reply_to=soap.ANONYMOUS,
        operation_timeout=_timeout(found.get(f"{{{soap.WSMAN}}}OperationTimeout")),
        max_envelope=_envelope(found.get(f"{{{soap.WSMAN}}}MaxEnvelopeSize")),
        locale=soap.MACHINE_LOCALE
        if locale is None
        else locale.get(f"{{{soap.XML}}}lang") or soap.MACHINE_LOCALE,
        selectors=_selectors(found),
        options=_options(found.get(f"{{{soap.WSMAN}}}OptionSet")),
        fragment=_fragment(found.get(f"{{{soap.WSMAN}}}FragmentTransfer")),
    )


def _timeout(element: Element | None) -> timedelta | None:
    if element is None:
        return None
    try:
        span = interval_from_iso(soap.content(element))
    except (ValueError, OverflowError):
        span = timedelta(seconds=-1)
    if span < timedelta(0):
        raise refuse(
            Wsman.INVALID_MESSAGE_INFORMATION_HEADER,
            "The header wsman:OperationTimeout is not a positive duration.",
        )
    return span


def _envelope(element: Element | None) -> int | None:
    if element is None:
        return None
    text = soap.content(element)
    if not (text.isascii() and text.isdecimal()):
        raise refuse(
            Wsman.INVALID_MESSAGE_INFORMATION_HEADER,
            "The header wsman:MaxEnvelopeSize is not a number.",
        )
    size = int(text[:20])
    if size < SMALLEST_ENVELOPE:
        raise refuse(
            Wsman.MINIMUM_ENVELOPE_LIMIT, f"The smallest envelope is {SMALLEST_ENVELOPE} bytes."
        )
    return size


def _selectors(found: Mapping[str, Element]) -> tuple[tuple[str, str], ...]:
    element = found.get(f"{{{soap.WSMAN}}}SelectorSet")
    if element is None:
        return ()
    uri = soap.content(found.get(f"{{{soap.WSMAN}}}ResourceURI"))
    namespace, _ = soap.split_resource(uri) or ("", "")
    holder = Element("holder")
    holder.append(element)
    try:
        pairs = read_selectors(holder, namespace)
    except WireError as error:
        raise refuse(Wsman.SELECTOR_INVALID_VALUE, str(error)) from error
    names = [name.lower() for name, _ in pairs]
    if len(set(names)) != len(names):
        raise refuse(Wsman.DUPLICATE_SELECTORS, "A selector is given more than once.")
    if "" in names:
        raise refuse(Wsman.INVALID_SELECTORS, "A selector has no name.")
    return pairs


def _options(element: Element | None) -> dict[str, str]:
    if element is None:
        return {}
    return {
        option.get("Name", ""): option.text or ""
        for option in soap.children(element, "Option", soap.WSMAN)
    }


def _fragment(element: Element | None) -> str | None:
    if element is None:
        return None
    if not must_understand(element):
        raise refuse(
            Wsman.INVALID_MESSAGE_INFORMATION_HEADER,
            "The header wsman:FragmentTransfer must be mandatory.",
        )
    path = soap.content(element)
    if not path or path.startswith("/"):
        raise refuse(Wsman.CANNOT_PROCESS_FILTER, "The fragment is not a property name.")
    return path

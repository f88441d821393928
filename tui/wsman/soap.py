"""SOAP 1.2 envelopes: namespaces, escaping, safe parsing, resource addresses.

Common ground of requests and replies; knows no operation and no class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from uuid import uuid4
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tui.errors import UsageError, WireError

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MSWSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
BINDING = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"

ANONYMOUS = f"{ADDRESSING}/role/anonymous"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
CIM_SCHEMA = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
CLASS_METADATA = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
MACHINE_LOCALE = "en-US"

PREFIXES = {
    "s": SOAP,
    "a": ADDRESSING,
    "x": TRANSFER,
    "e": EVENTING,
    "n": ENUMERATION,
    "w": WSMAN,
    "p": MSWSMAN,
}
NIL = f"{{{XSI}}}nil"
MAX_CHARACTERS = 64 * 1024 * 1024
"""No WinRM service sends or takes an envelope near this size; beyond it we stop reading."""


# -- writing -------------------------------------------------------------------------------

_UNSENDABLE = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_SPECIAL = re.compile(f"[&<>\r{_UNSENDABLE}]")
_FORBIDDEN = re.compile(f"[{_UNSENDABLE}]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}


def _entity(match: re.Match[str]) -> str:
    return _ENTITIES.get(match[0], "?")


def escape(text: str) -> str:
    """Element content; what XML 1.0 cannot hold becomes ``?`` (MS-WSMV 3.1.4.1.25).

    A carriage return is written as a reference: a parser would make it a line feed.
    """
    return _SPECIAL.sub(_entity, text) if _SPECIAL.search(text) else text


def escape_strictly(text: str) -> str:
    """Element content; UsageError when XML 1.0 cannot hold it, so nothing is altered unseen."""
    if match := _FORBIDDEN.search(text):
        raise UsageError(
            "A value holds a character that cannot be sent",
            cause=f"U+{ord(match[0]):04X} in {text[:60]!r}",
            hint="Remove control characters from the text.",
        )
    return escape(text)


def attribute(text: str) -> str:
    """An attribute value, without the quotes around it."""
    return escape(text).replace('"', "&quot;").replace("\t", "&#x9;").replace("\n", "&#xA;")


def declarations(prefixes: Iterable[str]) -> str:
    """Namespace declarations, each with a leading blank."""
    return "".join(f' xmlns:{prefix}="{PREFIXES[prefix]}"' for prefix in prefixes)


def new_message_id() -> str:
    """As Windows writes it: ``uuid:`` and an upper-case GUID."""
    return f"uuid:{str(uuid4()).upper()}"


# -- reading -------------------------------------------------------------------------------

_PROLOG = re.compile(
    r"\s*(?:<\?xml\s(?P<declared>[^>]*?)\?>)?(?:\s|<!--.*?-->|<\?.*?\?>)*(?P<doctype><!DOCTYPE)?",
    re.DOTALL | re.IGNORECASE,
)
_ENCODING = re.compile(r"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_CODINGS = {"utf-8", "utf8", "utf-16", "utf16", "utf-16le", "utf-16be", "us-ascii", "ascii"}


def text_of_bytes(data: bytes) -> str:
    """A message's characters: UTF-8, or UTF-16 with or without a byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        coding = "utf-16"
    elif data[:2] == b"<\x00":
        coding = "utf-16-le"
    elif data[:2] == b"\x00<":
        coding = "utf-16-be"
    else:
        coding = "utf-8-sig"
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        raise WireError(
            "The message is not readable text", cause=f"{coding}: {error.reason} at {error.start}"
        ) from error


def parse(message: bytes | str) -> Element:
    """The root element. A document type is refused unread, so no entity is ever expanded."""
    text = message if isinstance(message, str) else text_of_bytes(message)
    # expat skips a byte order mark, so a second one would hide a document type from the prolog.
    text = text.lstrip("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise WireError("The message is too large", cause=f"{len(text)} characters")
    if not text.strip():
        raise WireError("The message is empty")
    prolog = _PROLOG.match(text)
    if prolog and prolog["doctype"]:
        raise WireError("The message holds a document type", cause="DTDs are refused")
    declared = _ENCODING.search(prolog["declared"] or "") if prolog else None
    if declared and declared[1].lower() not in _CODINGS:
        raise WireError("The message's encoding is not supported", cause=declared[1])
    try:
        # From text, expat is told the encoding and does not believe the declaration.
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise WireError("The message is not well-formed XML", cause=str(error)) from error


def local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def space(tag: str) -> str:
    """An element's namespace, or the empty string."""
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def child(element: Element, name: str, *spaces: str) -> Element | None:
    """The first child of that local name in one of the namespaces (in any, when none given)."""
    return next(children(element, name, *spaces), None)


def children(element: Element, name: str, *spaces: str) -> Iterator[Element]:
    """The children of that local name in one of the namespaces (in any, when none given)."""
    for found in element:
        if local(found.tag) == name and (not spaces or space(found.tag) in spaces):
            yield found


def content(element: Element | None) -> str:
    """Character data without surrounding white space; empty for a missing element."""
    return "" if element is None else (element.text or "").strip()


def is_nil(element: Element) -> bool:
    """Whether an element says that its value is null."""
    return element.get(NIL) in ("true", "1")


def envelope_parts(root: Element) -> tuple[Element, Element]:
    """Header and Body; a missing Header is an empty one."""
    if root.tag != f"{{{SOAP}}}Envelope":
        raise WireError("The message is not a SOAP 1.2 envelope", cause=f"root is {root.tag[:80]}")
    body = root.find(f"{{{SOAP}}}Body")
    if body is None:
        raise WireError("The envelope has no Body")
    header = root.find(f"{{{SOAP}}}Header")
    return (Element("Header") if header is None else header), body


# -- resource addresses --------------------------------------------------------------------


def resource_uri(namespace: str, class_name: str) -> str:
    """The WMI resource of a class, or of a whole namespace with ``*``."""
    return f"{WMI}{namespace.replace(chr(92), '/')}/{class_name}"


def split_resource(uri: str) -> tuple[str, str] | None:
    """Namespace and class of a WMI or DMTF resource; None for anything else.

    A DMTF resource carries no namespace: it is told by a selector (MS-WSMV 3.1.4.1.1).
    """
    uri = uri.strip()
    lowered = uri.lower()
    if lowered.startswith(WMI):
        namespace, _, name = uri[len(WMI) :].rpartition("/")
        rooted = namespace.lower() == "root" or namespace.lower().startswith("root/")
        return (namespace, name) if rooted and name else None
    if lowered.startswith(CIM_SCHEMA):
        return "", uri[len(CIM_SCHEMA) :]
    return None

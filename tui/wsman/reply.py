"""WS-Management replies as records, written by the service and read by the client.

Written exactly as Windows writes them: one line, ``xml:lang`` first, alphabetical properties.
Read tolerantly: nothing depends on prefixes, order or white space.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tui.errors import WireError
from tui.wsman import fault as faults
from tui.wsman import soap
from tui.wsman.cim import CimClass, CimInstance, CimProperty, CimRef, CimType, CimValue, text_of
from tui.wsman.declaration import class_text
from tui.wsman.elements import (
    endpoint_reference,
    find,
    fragment_text,
    guessed_property,
    instance_text,
    reference_parts,
    values_text,
)
from tui.wsman.fault import FaultReply, Refusal, fault, refuse
from tui.wsman.header import Header
from tui.wsman.operations import (
    Create,
    Delete,
    Enumerate,
    Get,
    GetClass,
    Identify,
    Invoke,
    Mode,
    Pull,
    Put,
    Release,
    Request,
)
from tui.wsman.readers import Plan, read_fragment, read_instance, read_reference, read_values
from tui.wsman.request import action_of, selected_class
from tui.wsman.schema import cim_class

__all__ = [
    "ClassDeclaration",
    "Created",
    "Deleted",
    "FaultReply",
    "Got",
    "Identity",
    "Items",
    "MethodOutput",
    "Page",
    "Refusal",
    "Released",
    "Reply",
    "decode",
    "encode",
    "fault",
    "item_size",
    "item_text",
    "refuse",
]

SECURITY = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which service answers. ``security`` holds names such as ``http/basic``."""

    product_version: str
    product_vendor: str = "Microsoft Corporation"
    protocol_version: str = soap.WSMAN
    security: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A page of an enumeration. Without a context there is nothing more to pull."""

    items: tuple[CimInstance | CimRef, ...]
    context: str | None = None
    end: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """``Items`` whose members are written already (``item_text``): the service only."""

    texts: tuple[str, ...]
    context: str | None = None
    end: bool = True


@dataclass(frozen=True, slots=True)
class Got:
    """The instance a Get or a Put answers with."""

    instance: CimInstance


@dataclass(frozen=True, slots=True)
class Released:
    """The enumeration is closed."""


@dataclass(frozen=True, slots=True)
class Created:
    """The reference of the new instance."""

    ref: CimRef


@dataclass(frozen=True, slots=True)
class Deleted:
    """The instance is gone."""


@dataclass(frozen=True, slots=True)
class MethodOutput:
    """What a method returned, and its out parameters; one that is void returns no value at all."""

    return_value: int
    values: dict[str, CimValue] = field(default_factory=dict)
    void: bool = False


@dataclass(frozen=True, slots=True)
class ClassDeclaration:
    """A class as CIM-XML text."""

    text: str

    @classmethod
    def of(cls, shape: CimClass) -> ClassDeclaration:
        return cls(class_text(shape))


Reply: TypeAlias = (
    Identity | Items | Got | Released | Created | Deleted | MethodOutput | ClassDeclaration
)


# -- the service's side --------------------------------------------------------------------

_FAULT_PREFIXES = "saxenwp"
_DECLARED = {
    Identity: "s",
    Items: "sanw",
    Page: "sanw",
    Released: "sanw",
    Got: "saxwp",
    Created: "saxwp",
    ClassDeclaration: "saxwp",
    Deleted: "sawp",
    MethodOutput: "sawp",
    FaultReply: _FAULT_PREFIXES,
}


def encode(
    reply: Reply | Page | FaultReply,
    *,
    request: Request | None = None,
    header: Header | None = None,
    projection: tuple[str, ...] | None = None,
) -> bytes:
    """The envelope Windows would send. A fault needs neither request nor header.

    ``projection`` holds the columns of ``SELECT a,b``: items are then written as fragments.
    """
    operation = header.operation_text if header else ""
    declared = _DECLARED[type(reply)]
    opening = _opening(declared if not operation or "p" in declared else f"{declared}p")
    if isinstance(reply, Identity):
        text = f"{opening}<s:Header/><s:Body>{_identity(reply)}</s:Body></s:Envelope>"
        return text.encode()
    if isinstance(reply, FaultReply):
        action, body = reply.action, faults.body_text(reply)
        extra = _not_understood(reply)
    else:
        if request is None:
            raise TypeError("a reply needs the request it answers")
        action = f"{header.action if header and header.action else action_of(request)}Response"
        body = _body(reply, request, projection)
        extra = _fragment_header(request) if isinstance(reply, Got) else ""
    relates = f"<a:RelatesTo>{soap.escape(header.message_id)}</a:RelatesTo>" if header else ""
    text = (
        f"{opening}<s:Header><a:Action>{soap.escape(action)}</a:Action>"
        f"<a:MessageID>{soap.new_message_id()}</a:MessageID>{operation}<a:To>{soap.ANONYMOUS}</a:To>"
        f"{relates}{extra}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    return text.encode()


@lru_cache(maxsize=32)
def _opening(prefixes: str) -> str:
    return f'<s:Envelope xml:lang="{soap.MACHINE_LOCALE}"{soap.declarations(prefixes)}>'


def _not_understood(reply: FaultReply) -> str:
    """The header SOAP 1.2 5.4.8 asks for with a MustUnderstand fault."""
    if not reply.not_understood:
        return ""
    name = soap.attribute(soap.local(reply.not_understood))
    where = soap.attribute(soap.space(reply.not_understood))
    return f'<s:NotUnderstood qname="q:{name}" xmlns:q="{where}"/>'


def _fragment_header(request: Request) -> str:
    if not isinstance(request, Get | Put) or request.fragment is None:
        return ""
    path = soap.escape(request.fragment)
    return f'<w:FragmentTransfer s:mustUnderstand="true">{path}</w:FragmentTransfer>'


def _identity(reply: Identity) -> str:
    profiles = "".join(
        f"<wsmid:SecurityProfileName>{soap.escape(SECURITY + name)}</wsmid:SecurityProfileName>"
        for name in reply.security
    )
    if profiles:
        profiles = f"<wsmid:SecurityProfiles>{profiles}</wsmid:SecurityProfiles>"
    return (
        f'<wsmid:IdentifyResponse xmlns:wsmid="{soap.IDENTITY}">'
        f"<wsmid:ProtocolVersion>{soap.escape(reply.protocol_version)}</wsmid:ProtocolVersion>"
        f"<wsmid:ProductVendor>{soap.escape(reply.product_vendor)}</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{soap.escape(reply.product_version)}</wsmid:ProductVersion>"
        f"{profiles}</wsmid:IdentifyResponse>"
    )


def _body(
    reply: Items | Page | Got | Released | Created | Deleted | MethodOutput | ClassDeclaration,
    request: Request,
    projection: tuple[str, ...] | None,
) -> str:
    if isinstance(reply, Items):
        namespace, mode = _asked(request)
        texts = (
            item_text(item, namespace=namespace, mode=mode, projection=projection)
            for item in reply.items
        )
        return _page(Page(tuple(texts), reply.context, reply.end), request)
    if isinstance(reply, Page):
        return _page(reply, request)
    if isinstance(reply, Got):
        return _got(reply, request)
    if isinstance(reply, MethodOutput):
        return _output(reply, request)
    if isinstance(reply, Created):
        parts = reference_parts(reply.ref, "", soap.escape)
        return f"<x:ResourceCreated>{parts}</x:ResourceCreated>"
    if isinstance(reply, ClassDeclaration):
        return reply.text
    return "<n:ReleaseResponse/>" if isinstance(reply, Released) else ""


def _asked(request: Request) -> tuple[str, Mode]:
    if isinstance(request, Enumerate):
        return request.namespace, request.mode
    return (request.namespace if isinstance(request, Pull) else ""), Mode.OBJECT


def item_text(
    item: CimInstance | CimRef,
    *,
    namespace: str = "",
    mode: Mode = Mode.OBJECT,
    projection: Iterable[str] | None = None,
) -> str:
    """One item of a page, written once: as object, as reference, as both, or as columns."""
    if isinstance(item, CimRef):
        return endpoint_reference(item, namespace)
    if projection is not None:
        return fragment_text(item, namespace, tuple(projection))
    if mode is Mode.OBJECT:
        return instance_text(item, namespace)
    if item.ref is None:
        raise TypeError(f"an item of {item.class_name} has no reference to write")
    reference = endpoint_reference(item.ref, item.namespace or namespace)
    if mode is Mode.EPR:
        return reference
    return f"<w:Item>{instance_text(item, namespace)}{reference}</w:Item>"


def item_size(text: str) -> int:
    """Octets as WinRM counts them against the envelope limit: in UTF-16 (section 8.4)."""
    return 2 * len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass"))


def _page(page: Page, request: Request) -> str:
    inner = "".join(page.texts)
    if isinstance(request, Pull):
        context = "" if page.end else _context(page.context)
        end = "<n:EndOfSequence/>" if page.end else ""
        return f"<n:PullResponse>{context}<n:Items>{inner}</n:Items>{end}</n:PullResponse>"
    context = _context(None if page.end else page.context)
    optimized = not isinstance(request, Enumerate) or request.optimize
    if not optimized and not page.texts:
        return f"<n:EnumerateResponse>{_context(page.context)}</n:EnumerateResponse>"
    end = "<w:EndOfSequence/>" if page.end else ""
    return f"<n:EnumerateResponse>{context}<w:Items>{inner}</w:Items>{end}</n:EnumerateResponse>"


def _context(context: str | None) -> str:
    return f"<n:EnumerationContext>{soap.escape(context or '')}</n:EnumerationContext>"


def _got(reply: Got, request: Request) -> str:
    namespace = request.ref.namespace if isinstance(request, Get | Put) else ""
    fragment = request.fragment if isinstance(request, Get | Put) else None
    if fragment is None:
        return instance_text(reply.instance, namespace)
    name, _, rest = fragment.partition("/")
    where = reply.instance.namespace or namespace
    shape = cim_class(where, reply.instance.class_name)
    known = shape.properties if shape else {}
    value = next(
        (held for key, held in reply.instance.values.items() if key.lower() == name.lower()), None
    )
    if rest == "text()":
        prop = find(known, name) or guessed_property(name, value)
        bare = "" if value is None else soap.escape(text_of(value, prop))
        return f'<w:XmlFragment xmlns:w="{soap.WSMAN}">{bare}</w:XmlFragment>'
    inner = values_text({name: value}, known, "p:", where, soap.escape)
    uri = soap.escape(soap.resource_uri(where, reply.instance.class_name))
    return (
        f'<w:XmlFragment xmlns:w="{soap.WSMAN}" xmlns:xsi="{soap.XSI}" xmlns:p="{uri}"'
        f' xmlns:cim="{soap.CIM}">{inner}</w:XmlFragment>'
    )


_RETURN = CimProperty("ReturnValue", CimType.UINT32)


def _outputs(request: Invoke) -> dict[str, CimProperty]:
    shape = cim_class(request.ref.namespace, request.ref.class_name)
    lowered = request.method.lower()
    methods = shape.methods.values() if shape else ()
    found = next((method for method in methods if method.name.lower() == lowered), None)
    return {**(found.outputs if found else {}), "ReturnValue": _RETURN}


def _output(reply: MethodOutput, request: Request) -> str:
    if not isinstance(request, Invoke):
        raise TypeError("a method's output answers an Invoke")
    known = _outputs(request)
    values = {**dict.fromkeys(known), **reply.values, "ReturnValue": reply.return_value}
    if reply.void:
        del values["ReturnValue"]
    namespace = request.ref.namespace
    inner = values_text(values, known, "p:", namespace, soap.escape)
    uri = soap.escape(soap.resource_uri(namespace, request.ref.class_name))
    tag = f"p:{request.method}_OUTPUT"
    return f'<{tag} xmlns:xsi="{soap.XSI}" xmlns:p="{uri}" xmlns:cim="{soap.CIM}">{inner}</{tag}>'


# -- the client's side ---------------------------------------------------------------------


def decode(envelope: bytes, request: Request, *, relates_to: str = "") -> Reply:
    """The answer to ``request``. A fault is raised as ``errors.Fault``, anything that is no
    proper answer as ``errors.WireError``. With ``relates_to`` an answer to another message is
    refused; an answer that relates to nothing is taken, early quota faults do that.
    """
    try:
        header, body = soap.envelope_parts(soap.parse(envelope))
        _check_relation(header, relates_to)
        return _read(body, request)
    except RecursionError as error:
        raise WireError("The answer is nested too deeply") from error


def _check_relation(header: Element, relates_to: str) -> None:
    told = soap.content(soap.child(header, "RelatesTo", soap.ADDRESSING))
    if relates_to and told and _bare(told) != _bare(relates_to):
        raise WireError("The answer belongs to another request", cause=f"it relates to {told[:80]}")


def _bare(message_id: str) -> str:
    """The identity in ``uuid:``, ``urn:uuid:`` or no clothes: servers change them."""
    return message_id.rpartition(":")[2].lower()


def _read(body: Element, request: Request) -> Reply:
    first = body[0] if len(body) else None
    if first is not None and first.tag == f"{{{soap.SOAP}}}Fault":
        raise faults.read(first)
    if isinstance(request, Delete):
        return Deleted()
    if isinstance(request, Release):
        return Released()
    if first is None:
        raise WireError("The answer's Body is empty")
    if isinstance(request, Identify):
        return _read_identity(first)
    if isinstance(request, Enumerate | Pull):
        return _read_items(first, request)
    if isinstance(request, Invoke):
        return _read_output(first, request)
    if isinstance(request, Create):
        return Created(read_reference(first, request.instance.namespace))
    if isinstance(request, GetClass):
        return ClassDeclaration(_serialised(first))
    return _read_got(first, request)


def _serialised(element: Element) -> str:
    return ElementTree.tostring(element, encoding="unicode", short_empty_elements=False)


def _expect(element: Element, name: str) -> None:
    if soap.local(element.tag) != name:
        raise WireError(
            "The answer is not what was asked for",
            cause=f"{name} expected, got {soap.local(element.tag)[:80]}",
        )


def _read_identity(element: Element) -> Identity:
    _expect(element, "IdentifyResponse")
    profiles = soap.child(element, "SecurityProfiles")
    names = soap.children(profiles, "SecurityProfileName") if profiles is not None else ()
    return Identity(
        product_version=soap.content(soap.child(element, "ProductVersion")),
        product_vendor=soap.content(soap.child(element, "ProductVendor")),
        protocol_version=soap.content(soap.child(element, "ProtocolVersion")),
        security=tuple(soap.content(name).removeprefix(SECURITY) for name in names),
    )


def _read_items(element: Element, request: Enumerate | Pull) -> Items:
    _expect(element, "EnumerateResponse" if isinstance(request, Enumerate) else "PullResponse")
    context = soap.content(soap.child(element, "EnumerationContext", soap.ENUMERATION)) or None
    end = soap.child(element, "EndOfSequence", soap.WSMAN, soap.ENUMERATION) is not None
    holder = soap.child(element, "Items", soap.WSMAN, soap.ENUMERATION)
    items = () if holder is None else tuple(_read_item(item, request) for item in holder)
    if end or context is None:
        return Items(items, None, end=True)
    return Items(items, context, end=False)


_EPR = f"{{{soap.ADDRESSING}}}EndpointReference"
_ITEM = f"{{{soap.WSMAN}}}Item"
_FRAGMENT = f"{{{soap.WSMAN}}}XmlFragment"


def _read_item(element: Element, request: Enumerate | Pull) -> CimInstance | CimRef:
    namespace = request.namespace
    if element.tag == _EPR:
        return read_reference(element, namespace)
    if element.tag == _FRAGMENT:
        return read_fragment(element, namespace, selected_class(request.wql))
    if element.tag != _ITEM:
        return read_instance(element, namespace)
    ref = element.find(_EPR)
    instance = next((child for child in element if child.tag != _EPR), None)
    if instance is None:
        raise WireError("An item of the answer lacks its object")
    if ref is None:
        return _read_item(instance, request)
    found = read_instance(instance, namespace)
    return CimInstance(
        found.class_name, found.values, found.namespace, read_reference(ref, namespace)
    )


def _read_got(element: Element, request: Request) -> Got:
    if not isinstance(request, Get | Put):
        raise WireError("The answer does not fit the request")
    ref = request.ref
    if element.tag != _FRAGMENT:
        return Got(read_instance(element, ref.namespace))
    name = (request.fragment or "").partition("/")[0]
    if len(element):
        return Got(read_fragment(element, ref.namespace, ref.class_name))
    holder = Element("holder")
    bare = Element(name)
    bare.text = element.text
    holder.append(bare)
    return Got(read_fragment(holder, ref.namespace, ref.class_name))


def _read_output(element: Element, request: Invoke) -> MethodOutput:
    _expect(element, f"{request.method}_OUTPUT")
    plan = Plan(_outputs(request), soap.space(element.tag), request.ref.namespace)
    values = read_values(element, plan, f"{request.ref.class_name}.{request.method}")
    returned = values.pop("ReturnValue", None)
    if not isinstance(returned, int):
        # MSCluster methods are declared void: no value means that it worked.
        returned = 0
    return MethodOutput(returned, values)

"""WS-Management requests, written by the client and read by the service.

Typing of values comes from the class table; what is asked is a record of ``operations``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from tui.errors import UsageError, WireError
from tui.wsman import header as headers
from tui.wsman import soap
from tui.wsman.cim import CimInstance, CimProperty, CimRef, CimType, CimValue
from tui.wsman.elements import find, selector_set, values_text
from tui.wsman.fault import Refusal, fault, refuse
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
from tui.wsman.readers import Plan, class_plan, read_values
from tui.wsman.schema import cim_class
from tui.wsman.soap import WQL
from tui.wsman.values import Wsman

__all__ = [
    "WQL",
    "Create",
    "Delete",
    "Enumerate",
    "Get",
    "GetClass",
    "Header",
    "Identify",
    "Invoke",
    "Mode",
    "Pull",
    "Put",
    "Release",
    "Request",
    "action_of",
    "decode",
    "encode",
    "selected_class",
]


_TRANSFER = {Get: "Get", GetClass: "Get", Put: "Put", Create: "Create", Delete: "Delete"}
_ENUMERATION = {Enumerate: "Enumerate", Pull: "Pull", Release: "Release"}
_FROM = re.compile(r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+(?P<name>\w+)", re.I | re.S)


def selected_class(wql: str | None) -> str:
    """The class after FROM of a SELECT; empty for anything else."""
    match = _FROM.match(wql or "")
    return match["name"] if match else ""


def resource_of(request: Request) -> str:
    """The ResourceURI header."""
    if isinstance(request, Enumerate | Pull | Release):
        return soap.resource_uri(request.namespace, request.class_name)
    if isinstance(request, GetClass):
        return soap.CLASS_METADATA
    if isinstance(request, Create):
        return soap.resource_uri(request.instance.namespace, request.instance.class_name)
    if isinstance(request, Identify):
        return ""
    return soap.resource_uri(request.ref.namespace, request.ref.class_name)


def action_of(request: Request) -> str:
    """The Action header."""
    if isinstance(request, Invoke):
        return f"{resource_of(request)}/{request.method}"
    if name := _TRANSFER.get(type(request)):
        return f"{soap.TRANSFER}/{name}"
    if name := _ENUMERATION.get(type(request)):
        return f"{soap.ENUMERATION}/{name}"
    return ""


# -- the client's side ---------------------------------------------------------------------

_PREFIXES = soap.declarations("sawpn")
_MANDATORY = 's:mustUnderstand="true"'


def encode(
    request: Request,
    *,
    to: str,
    message_id: str | None = None,
    operation_timeout: float = 20,
    max_envelope: int = 512000,
    locale: str = soap.MACHINE_LOCALE,
) -> bytes:
    """The envelope. UsageError when a value does not fit its type: nothing is sent then."""
    if isinstance(request, Identify):
        return (
            f'<s:Envelope xmlns:s="{soap.SOAP}" xmlns:wsmid="{soap.IDENTITY}"><s:Header/>'
            f"<s:Body><wsmid:Identify/></s:Body></s:Envelope>"
        ).encode()
    _check_target(request)
    escape = soap.escape_strictly
    seconds = f"{operation_timeout:.3f}".rstrip("0").rstrip(".")
    language = soap.attribute(locale)
    body = _body(request)
    return (
        f"<s:Envelope{_PREFIXES}><s:Header><a:To>{escape(to)}</a:To>"
        f"<w:ResourceURI {_MANDATORY}>{escape(resource_of(request))}</w:ResourceURI>"
        f"<a:ReplyTo><a:Address {_MANDATORY}>{soap.ANONYMOUS}</a:Address></a:ReplyTo>"
        f"<a:Action {_MANDATORY}>{escape(action_of(request))}</a:Action>"
        f"<a:MessageID>{escape(message_id or soap.new_message_id())}</a:MessageID>"
        f"<w:MaxEnvelopeSize {_MANDATORY}>{max_envelope}</w:MaxEnvelopeSize>"
        f'<w:Locale xml:lang="{language}" s:mustUnderstand="false"/>'
        f'<p:DataLocale xml:lang="{language}" s:mustUnderstand="false"/>'
        f"<w:OperationTimeout>PT{seconds}S</w:OperationTimeout>"
        f"{_selectors(request)}{_fragment(request)}</s:Header>"
        f"{f'<s:Body>{body}</s:Body>' if body else '<s:Body/>'}</s:Envelope>"
    ).encode()


def _check_target(request: Request) -> None:
    """A request whose address would be nonsense is a bug of the caller, told before sending."""
    uri = resource_of(request)
    if uri != soap.CLASS_METADATA and soap.split_resource(uri) is None:
        raise UsageError("The request names no CIM class", cause=uri)
    if isinstance(request, Enumerate) and request.wql is not None and request.class_name != "*":
        raise UsageError("A query needs the class name *", cause=request.class_name)
    if isinstance(request, Enumerate) and request.wql is None and request.class_name == "*":
        raise UsageError("An enumeration needs a class or a query")


def _selectors(request: Request) -> str:
    escape = soap.escape_strictly
    if isinstance(request, GetClass):
        keys = (("__cimnamespace", request.namespace), ("ClassName", request.class_name))
        return selector_set(CimRef("*", keys), "", escape)
    if isinstance(request, Get | Put | Delete | Invoke):
        return selector_set(request.ref, request.ref.namespace, escape)
    return ""


def _fragment(request: Request) -> str:
    if not isinstance(request, Get | Put) or request.fragment is None:
        return ""
    path = soap.escape_strictly(request.fragment)
    return f"<w:FragmentTransfer {_MANDATORY}>{path}</w:FragmentTransfer>"


def _body(request: Request) -> str:
    escape = soap.escape_strictly
    if isinstance(request, Enumerate):
        return _enumerate_body(request)
    if isinstance(request, Pull):
        limit = _max_elements("n", request.max_elements)
        context = escape(request.context)
        return f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>{limit}</n:Pull>"
    if isinstance(request, Release):
        context = escape(request.context)
        return f"<n:Release><n:EnumerationContext>{context}</n:EnumerationContext></n:Release>"
    if isinstance(request, Put):
        inner = _instance_body(request.ref.namespace, request.ref.class_name, request.values)
        if request.fragment is None:
            return inner
        return f'<w:XmlFragment xmlns:w="{soap.WSMAN}">{inner}</w:XmlFragment>'
    if isinstance(request, Create):
        made = request.instance
        return _instance_body(made.namespace, made.class_name, made.values)
    return _input_body(request) if isinstance(request, Invoke) else ""


def _max_elements(prefix: str, limit: int | None) -> str:
    return "" if limit is None else f"<{prefix}:MaxElements>{limit}</{prefix}:MaxElements>"


def _enumerate_body(request: Enumerate) -> str:
    optimize = "<w:OptimizeEnumeration/>" if request.optimize else ""
    limit = _max_elements("w", request.max_elements)
    mode = f"<w:EnumerationMode>{request.mode}</w:EnumerationMode>" if request.mode else ""
    query = ""
    if request.wql is not None:
        dialect = soap.attribute(request.dialect)
        text = soap.escape_strictly(request.wql)
        query = f'<w:Filter Dialect="{dialect}">{text}</w:Filter>'
    return f"<n:Enumerate>{optimize}{limit}{mode}{query}</n:Enumerate>"


def _declared(namespace: str, class_name: str) -> str:
    uri = soap.attribute(soap.resource_uri(namespace, class_name))
    return f' xmlns:xsi="{soap.XSI}" xmlns:p="{uri}" xmlns:cim="{soap.CIM}"'


def _instance_body(namespace: str, class_name: str, values: Mapping[str, CimValue]) -> str:
    shape = cim_class(namespace, class_name)
    inner = values_text(
        values, shape.properties if shape else {}, "p:", namespace, soap.escape_strictly
    )
    return f"<p:{class_name}{_declared(namespace, class_name)}>{inner}</p:{class_name}>"


def _input_body(request: Invoke) -> str:
    ref = request.ref
    known = _inputs(ref.namespace, ref.class_name, request.method)
    if known is not None:
        for name in request.parameters:
            if find(known, name) is None:
                raise UsageError(f"{ref.class_name}.{request.method} has no parameter {name}")
    inner = values_text(request.parameters, known or {}, "p:", ref.namespace, soap.escape_strictly)
    tag = f"p:{request.method}_INPUT"
    return f"<{tag}{_declared(ref.namespace, ref.class_name)}>{inner}</{tag}>"


def _inputs(namespace: str, class_name: str, method: str) -> Mapping[str, CimProperty] | None:
    """Parameters of a method; None when the table does not know class or method."""
    shape = cim_class(namespace, class_name)
    if shape is None:
        return None
    lowered = method.lower()
    found = next((known for name, known in shape.methods.items() if name.lower() == lowered), None)
    return found.inputs if found else None


# -- the service's side --------------------------------------------------------------------


def decode(envelope: bytes) -> tuple[Header, Request]:
    """Header and request; Refusal with the fault Windows answers when a rule is broken."""
    root = _parse(envelope)
    try:
        header_element, body = soap.envelope_parts(root)
    except WireError as error:
        raise refuse(Wsman.INVALID_XML, str(error)) from error
    if soap.child(body, "Identify", soap.IDENTITY) is not None:
        return Header(action=""), Identify()
    header = headers.read(header_element)
    try:
        return header, _read(header, body)
    except Refusal as refusal:
        refusal.header = header
        raise
    except (WireError, RecursionError) as error:
        raise Refusal(fault(Wsman.SCHEMA_VALIDATION_ERROR, str(error)), header) from error


def _parse(envelope: bytes) -> Element:
    try:
        root = soap.parse(envelope)
    except WireError as error:
        raise refuse(Wsman.INVALID_XML, str(error)) from error
    if soap.local(root.tag) == "Envelope" and soap.space(root.tag) != soap.SOAP:
        raise refuse(Wsman.SOAP_VERSION_MISMATCH, "Only SOAP 1.2 is supported.")
    return root


def _read(header: Header, body: Element) -> Request:
    operation = header.action.rpartition("/")[2]
    if header.action == f"{soap.TRANSFER}/Get" and header.resource == soap.CLASS_METADATA:
        return _read_get_class(header)
    transfer = header.action == f"{soap.TRANSFER}/{operation}"
    enumeration = header.action == f"{soap.ENUMERATION}/{operation}"
    known = (transfer and operation in _TRANSFER.values()) or (
        enumeration and operation in _ENUMERATION.values()
    )
    namespace, name = _resource(header)
    if not known:
        return _read_invoke(header, body, namespace, name)
    if enumeration:
        return _read_enumeration(operation, body, namespace, name)
    return _read_transfer(operation, header, body, namespace, name)


def _resource(header: Header) -> tuple[str, str]:
    """Namespace and class, the ``__cimnamespace`` selector heeded (MS-WSMV note 46)."""
    if not header.resource:
        raise refuse(Wsman.INVALID_RESOURCE_URI, "The header wsman:ResourceURI is missing.")
    found = soap.split_resource(header.resource)
    if found is None:
        wmi = header.resource.lower().startswith(soap.WMI)
        raise refuse(
            Wsman.INVALID_RESOURCE_URI if wmi else Wsman.RESOURCE_NOT_FOUND,
            f"The resource {header.resource[:200]} does not exist.",
        )
    namespace, name = found
    told = {key.lower(): value for key, value in header.selectors}.get("__cimnamespace")
    told = told.replace("\\", "/") if told else told
    if not namespace:
        return told or "root/hardware", name
    if told and told.lower() != namespace.lower():
        raise refuse(Wsman.E_INVALID_ARGUMENT, "The namespace selector names another namespace.")
    return namespace, name


def _ref(header: Header, namespace: str, name: str) -> CimRef:
    keys = tuple(pair for pair in header.selectors if pair[0].lower() != "__cimnamespace")
    return CimRef(name, keys, namespace)


def _read_get_class(header: Header) -> GetClass:
    told = {key.lower(): value for key, value in header.selectors}
    if not told.get("classname"):
        raise refuse(Wsman.INSUFFICIENT_SELECTORS, "The selector ClassName is missing.")
    namespace = told.get("__cimnamespace", "root/cimv2").replace("\\", "/")
    return GetClass(namespace, told["classname"])


def _read_enumeration(operation: str, body: Element, namespace: str, name: str) -> Request:
    element = soap.child(body, operation, soap.ENUMERATION)
    if element is None:
        raise refuse(Wsman.SCHEMA_VALIDATION_ERROR, f"The body holds no {operation}.")
    if operation == "Enumerate":
        return _read_enumerate(element, namespace, name)
    context = soap.content(soap.child(element, "EnumerationContext", soap.ENUMERATION))
    if operation == "Release":
        return Release(namespace, name, context)
    return Pull(namespace, name, context, _limit(element))


def _limit(element: Element) -> int | None:
    found = soap.child(element, "MaxElements", soap.ENUMERATION, soap.WSMAN)
    if found is None:
        return None
    text = soap.content(found)
    if not (text.isascii() and text.isdecimal() and int(text[:20])):
        raise refuse(Wsman.SCHEMA_VALIDATION_ERROR, "MaxElements is not a positive number.")
    return int(text[:20])


def _read_enumerate(element: Element, namespace: str, name: str) -> Enumerate:
    query = soap.child(element, "Filter", soap.WSMAN, soap.ENUMERATION)
    mode = soap.content(soap.child(element, "EnumerationMode", soap.WSMAN))
    if mode not in (Mode.EPR, Mode.OBJECT_AND_EPR, Mode.OBJECT, "EnumerateObject"):
        raise refuse(Wsman.UNSUPPORTED_ENUMERATION_MODE, f"{mode[:80]} is not a mode.")
    if query is None and name == "*":
        raise refuse(Wsman.CANNOT_PROCESS_FILTER, "A query is needed to enumerate all classes.")
    if query is not None and query.get("Dialect", "").lower() != WQL.lower():
        raise refuse(Wsman.FILTER_DIALECT_UNAVAILABLE, "Only WQL filters are supported.")
    if query is not None and name != "*":
        raise refuse(Wsman.WMI_ENUM_WQL, "The class name must be '*' when a WQL filter is used.")
    return Enumerate(
        namespace,
        name,
        wql=None if query is None else soap.content(query),
        max_elements=_limit(element),
        optimize=soap.child(element, "OptimizeEnumeration", soap.WSMAN) is not None,
        mode=Mode("" if mode == "EnumerateObject" else mode),
    )


def _read_transfer(
    operation: str, header: Header, body: Element, namespace: str, name: str
) -> Request:
    ref = _ref(header, namespace, name)
    if name == "*":
        raise refuse(Wsman.INVALID_RESOURCE_URI, "The class name cannot be '*' here.")
    if operation == "Get":
        return Get(ref, header.fragment)
    if operation == "Delete":
        return Delete(ref)
    values = _read_representation(header, body, namespace, name)
    if operation == "Put":
        return Put(ref, values, header.fragment)
    return Create(CimInstance(name, values, namespace))


def _read_representation(
    header: Header, body: Element, namespace: str, name: str
) -> dict[str, CimValue]:
    """The instance in the body of Put and Create."""
    element = body[0] if len(body) else None
    if element is not None and soap.local(element.tag) == "XmlFragment":
        inner = soap.child(element, name)
        element = element if inner is None else inner
    elif element is not None and soap.local(element.tag).lower() != name.lower():
        raise refuse(Wsman.REPRESENTATION_INVALID_NAMESPACE, "The body is of another class.")
    if element is None:
        raise refuse(Wsman.REPRESENTATION_MISSING_VALUES, "The body is empty.")
    uri = soap.resource_uri(namespace, name)
    plan = class_plan(namespace, name, uri)
    try:
        _check_children(element, plan, (header.resource, uri))
        return read_values(element, plan, name)
    except WireError as error:
        raise refuse(Wsman.REPRESENTATION_INVALID_VALUES, str(error)) from error


def _read_invoke(header: Header, body: Element, namespace: str, name: str) -> Invoke:
    resource, _, method = header.action.rpartition("/")
    if resource.lower() != header.resource.lower() or not method.isidentifier():
        raise refuse(Wsman.ACTION_NOT_SUPPORTED, f"The action {header.action[:200]} is unknown.")
    known = _inputs(namespace, name, method)
    if known is None and cim_class(namespace, name) is not None:
        raise refuse(Wsman.ACTION_NOT_SUPPORTED, f"{name} has no method {method[:80]}.")
    ref = _ref(header, namespace, name)
    if not len(body):
        return Invoke(ref, method)
    element = body[0]
    # Windows does not look at the namespace of the wrapper, only at the parameters'.
    if soap.local(element.tag).lower() != f"{method}_INPUT".lower():
        raise refuse(Wsman.SCHEMA_VALIDATION_ERROR, f"The body is not {method}_INPUT.")
    uri = soap.resource_uri(namespace, name)
    plan = Plan(known or {}, uri, namespace)
    if known is not None:
        _check_children(element, plan, (header.resource, uri))
    return Invoke(ref, method, read_values(element, plan, f"{name}.{method}"))


def _check_children(element: Element, plan: Plan, spaces: tuple[str, ...]) -> None:
    """Schema validation: names, namespace, and text where text is due."""
    lowered = [space.lower() for space in spaces]
    for child in element:
        label = soap.local(child.tag)
        prop = plan.find(label)
        if soap.space(child.tag).lower() not in lowered:
            raise WireError(f"{label[:80]} is in the wrong namespace")
        if prop is None:
            raise WireError(f"{label[:80]} is not known")
        plain = prop.type not in (CimType.REFERENCE, CimType.OBJECT, CimType.DATETIME)
        if plain and len(child):
            raise WireError(f"{label} holds elements where text is expected")
        if prop.type is CimType.REFERENCE and soap.child(child, "EndpointReference") is not None:
            raise WireError(f"{label} wraps its reference in another element")

"""CIM values, instances and references read from WS-CIM elements.

The reading half of ``elements``: tolerant of prefixes, casing, and every spelling of null and of
time seen from hosts. Types come from the class table; what it lacks stays text.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import lru_cache
from xml.etree.ElementTree import Element

from tui.errors import WireError
from tui.wsman import soap
from tui.wsman.cim import (
    CimInstance,
    CimProperty,
    CimRef,
    CimType,
    CimValue,
    datetime_from_text,
    reader,
    to_path,
)
from tui.wsman.embedded import from_text
from tui.wsman.schema import cim_class

_PLANS = 2048
_DEEPEST = 16
"""References within references; CIM knows one level, a hostile answer could hold thousands."""
_TYPE = f"{{{soap.XSI}}}type"


def read_reference(element: Element, namespace: str, depth: int = 0) -> CimRef:
    """From an element holding Address and ReferenceParameters, or a wrapper around them."""
    parameters = soap.child(element, "ReferenceParameters")
    if parameters is None:
        wrapped = soap.child(element, "EndpointReference")
        if wrapped is None or depth > _DEEPEST:
            raise WireError(f"{soap.local(element.tag)} is not a reference")
        return read_reference(wrapped, namespace, depth + 1)
    resource = soap.split_resource(soap.content(soap.child(parameters, "ResourceURI")))
    if resource is None:
        raise WireError(f"{soap.local(element.tag)} refers to no CIM class")
    keys = read_selectors(parameters, resource[0] or namespace, depth)
    return CimRef(
        resource[1],
        tuple(pair for pair in keys if pair[0].lower() != "__cimnamespace"),
        resource[0] or dict(keys).get("__cimnamespace", namespace),
    )


def read_selectors(parent: Element, namespace: str, depth: int = 0) -> tuple[tuple[str, str], ...]:
    """The selectors below ``w:SelectorSet``; a nested reference becomes its object path."""
    found = soap.child(parent, "SelectorSet")
    if found is None:
        return ()
    keys = []
    for selector in soap.children(found, "Selector"):
        nested = soap.child(selector, "EndpointReference")
        if nested is None:
            value = selector.text or ""
        elif depth > _DEEPEST:
            raise WireError("References are nested too deeply")
        else:
            value = to_path(read_reference(nested, namespace, depth + 1))
        keys.append((selector.get("Name", ""), value))
    return tuple(keys)


# -- values --------------------------------------------------------------------------------

_Entry = tuple[str, Callable[[str], CimValue] | None, bool, CimProperty | None]
"""Name, reader of plain text (None when the element itself must be read), whether the element
may repeat, and the property when the table has it."""


class Plan:
    """How to read the children of one kind of element, by their tags."""

    def __init__(self, known: Mapping[str, CimProperty], uri: str, namespace: str) -> None:
        self.namespace = namespace
        self._known = known
        self._lowered: dict[str, CimProperty] | None = None
        lead = f"{{{uri}}}" if uri else ""
        self.entries = {lead + name: _entry(prop) for name, prop in known.items()}

    def find(self, name: str) -> CimProperty | None:
        """A property by its name in any casing."""
        if self._lowered is None:
            self._lowered = {key.lower(): prop for key, prop in self._known.items()}
        return self._lowered.get(name.lower())

    def strange(self, tag: str) -> _Entry:
        """For a tag not planned: another namespace or casing, or a name the table lacks."""
        name = soap.local(tag)
        prop = self.find(name)
        return (name, None, True, None) if prop is None else _entry(prop)


def _entry(prop: CimProperty) -> _Entry:
    if prop.type in (CimType.REFERENCE, CimType.OBJECT, CimType.DATETIME):
        return prop.name, None, prop.array, prop
    if prop.type is CimType.UINT8 and prop.array:
        return prop.name, str, True, prop
    return prop.name, reader(prop.type), prop.array, prop


@lru_cache(maxsize=_PLANS)
def class_plan(namespace: str, class_name: str, uri: str) -> Plan:
    """The plan for a class's properties in elements of the given XML namespace."""
    shape = cim_class(namespace, class_name)
    return Plan(shape.properties if shape else {}, uri, namespace)


def read_values(element: Element, plan: Plan, owner: str) -> dict[str, CimValue]:
    """Typed values of an element's children. WireError names the property that does not fit."""
    values: dict[str, CimValue] = {}
    lists: dict[str, list[CimValue]] = {}
    entries = plan.entries
    child = element
    try:
        for child in element:
            name, read_text, repeats, prop = entries.get(child.tag) or plan.strange(child.tag)
            text = child.text
            if text and read_text is not None and not len(child):
                value = read_text(text)
            elif text is None and child.get(soap.NIL) == "true":
                value = None
            else:
                value = _read_other(child, read_text, prop, plan.namespace)
            if repeats:
                lists.setdefault(name, []).append(value)
            else:
                values[name] = value
        for name, members in lists.items():
            values[name] = _joined(members, plan.find(name))
    except (ValueError, OverflowError) as error:
        raise WireError(
            f"{owner}.{soap.local(child.tag)} cannot be read", cause=str(error)
        ) from error
    return values


def _read_other(
    element: Element,
    read_text: Callable[[str], CimValue] | None,
    prop: CimProperty | None,
    namespace: str,
) -> CimValue:
    """Whatever is not plain non-empty text: null, empty, times, references, objects."""
    if soap.is_nil(element):
        return None
    if prop is None:
        if soap.child(element, "ReferenceParameters") is not None:
            return read_reference(element, namespace)
        return "".join(element.itertext())
    if prop.type is CimType.OBJECT:
        if not len(element):
            return _read_text_object(element, namespace, prop.of)
        return read_object(element, namespace, prop.of)
    if prop.type is CimType.STRING:
        return "".join(element.itertext())
    if prop.type is CimType.REFERENCE:
        return read_reference(element, namespace) if len(element) else None
    if prop.type is CimType.DATETIME:
        inner = element[0] if len(element) else element
        return datetime_from_text(inner.text) if inner.text and inner.text.strip() else None
    text = "".join(element.itertext())
    return read_text(text) if read_text is not None and text.strip() else None


def _read_text_object(element: Element, namespace: str, of: str) -> CimValue:
    """An object without elements: null, an empty one, or CIM-XML text as in string parameters."""
    if "<INSTANCE" in (element.text or ""):
        return from_text(element.text or "", namespace)
    return read_object(element, namespace, of) if _TYPE in element.attrib else None


def _joined(members: list[CimValue], prop: CimProperty | None) -> CimValue:
    """An array from its elements. One nil element is how some hosts tell a null array."""
    if members == [None]:
        return None
    if prop is None:
        return members[0] if len(members) == 1 else tuple(members)
    if prop.type is CimType.UINT8:
        return octets([member for member in members if isinstance(member, str)])
    return tuple(members)


def octets(members: list[str]) -> bytes:
    """``uint8[]``: numbers, one to an element, or base64 text. A number has at most three
    digits and base64 at least four characters, so one never passes for the other."""
    found = bytearray()
    for member in members:
        text = member.strip()
        if len(text) <= 3:
            found.append(int(text)) if text else None
        else:
            found += b64decode("".join(text.split()), validate=True)
    return bytes(found)


# -- instances -----------------------------------------------------------------------------


def read_object(element: Element, namespace: str, of: str) -> CimInstance:
    """An embedded object; its children's namespace tells the class, ``xsi:type`` second."""
    typed = element.get(_TYPE, "")
    if not typed and len(element) == 1 and _is_object(element[0]):
        element = element[0]
        typed = element.get(_TYPE, "")
    uri = soap.space(element[0].tag) if len(element) else ""
    where, name = soap.split_resource(uri) or ("", "")
    where = where or namespace
    name = name or typed.rpartition(":")[2].removesuffix("_Type") or of
    return CimInstance(name, read_values(element, class_plan(where, name, uri), name), where)


def _is_object(element: Element) -> bool:
    """Is this an object wrapped in the property, and not a property of it?"""
    resource = soap.split_resource(soap.space(element.tag))
    named = resource is not None and resource[1].lower() == soap.local(element.tag).lower()
    return named or bool(element.get(_TYPE))


@lru_cache(maxsize=_PLANS)
def _instance_plan(tag: str, namespace: str) -> tuple[str, str, Plan]:
    uri = soap.space(tag)
    resource = soap.split_resource(uri)
    where, name = resource or (namespace, soap.local(tag))
    where = where or namespace
    if name.lower() != soap.local(tag).lower():
        raise WireError(
            "An instance's name and namespace differ", cause=f"{soap.local(tag)} in {uri}"[:200]
        )
    shape = cim_class(where, name)
    if shape is not None:
        where, name = shape.namespace, shape.name
    return where, name, class_plan(where, name, uri)


def read_instance(element: Element, namespace: str) -> CimInstance:
    """An instance element: its tag tells class and namespace."""
    where, name, plan = _instance_plan(element.tag, namespace)
    return CimInstance(name, read_values(element, plan, name), where)


def read_fragment(element: Element, namespace: str, class_name: str) -> CimInstance:
    """A row of a projection, typed as the class it was selected from."""
    shape = cim_class(namespace, class_name)
    if shape is not None:
        namespace, class_name = shape.namespace, shape.name
    plan = class_plan(namespace, class_name, "")
    return CimInstance(class_name, read_values(element, plan, class_name), namespace)

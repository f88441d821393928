"""CIM values, instances and references written as WS-CIM elements (DSP0230, MS-WSMV 3.1.4.1.25).

What a request and a reply share: how one property looks on the wire. Per-class rows are built
once, because a page holds hundreds of instances of few classes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from tui.wsman import soap
from tui.wsman.cim import (
    RANGES,
    CimInstance,
    CimProperty,
    CimRef,
    CimType,
    CimValue,
    from_path,
    misfit,
    text_of,
)
from tui.wsman.schema import cim_class

Escape = Callable[[str], str]
Writer = Callable[[CimValue], str]

_PLANS = 2048


# -- references ----------------------------------------------------------------------------


def reference_parts(ref: CimRef, namespace: str, escape: Escape) -> str:
    """Address and ReferenceParameters, for use under declared ``a`` and ``w`` prefixes."""
    where = ref.namespace or namespace
    return (
        f"<a:Address>{soap.ANONYMOUS}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escape(soap.resource_uri(where, ref.class_name))}</w:ResourceURI>"
        f"{selector_set(ref, namespace, escape)}</a:ReferenceParameters>"
    )


def selector_set(ref: CimRef, namespace: str, escape: Escape) -> str:
    """``w:SelectorSet``; a key that is itself a reference is told as an endpoint reference."""
    where = ref.namespace or namespace
    shape = cim_class(where, ref.class_name)
    parts = []
    for name, value in ref.keys:
        prop = shape.properties.get(name) if shape else None
        inner = escape(value)
        if prop is not None and prop.type is CimType.REFERENCE:
            inner = (
                "<a:EndpointReference>"
                f"{reference_parts(from_path(value), where, escape)}</a:EndpointReference>"
            )
        parts.append(f'<w:Selector Name="{soap.attribute(name)}">{inner}</w:Selector>')
    return f"<w:SelectorSet>{''.join(parts)}</w:SelectorSet>" if parts else ""


_DECLARED = f' xmlns:a="{soap.ADDRESSING}" xmlns:w="{soap.WSMAN}"'


def endpoint_reference(ref: CimRef, namespace: str) -> str:
    """The element of the EPR enumeration modes."""
    inner = reference_parts(ref, namespace, soap.escape)
    return f"<a:EndpointReference{_DECLARED}>{inner}</a:EndpointReference>"


# -- writing values ------------------------------------------------------------------------


def _boolean_writer(prop: CimProperty) -> Writer:
    def write(value: CimValue) -> str:
        if value is True:
            return "true"
        if value is False:
            return "false"
        raise misfit(value, prop)

    return write


def _integer_writer(prop: CimProperty) -> Writer:
    low, high = RANGES[prop.type]

    def write(value: CimValue) -> str:
        if type(value) is int and low <= value <= high:
            return str(value)
        return text_of(value, prop)

    return write


def _string_writer(prop: CimProperty, escape: Escape) -> Writer:
    def write(value: CimValue) -> str:
        if type(value) is str:
            return escape(value)
        return escape(text_of(value, prop))

    return write


def _datetime_writer(prop: CimProperty, tag: str) -> Writer:
    def write(value: CimValue) -> str:
        text = text_of(value, prop)
        name = "Datetime" if isinstance(value, datetime) else "Interval"
        return f"<{tag}{name}>{text}</{tag}{name}>"

    return write


@lru_cache(maxsize=_PLANS)
def _scalar_writer(prop: CimProperty, escape: Escape, prefix: str) -> Writer:
    """What goes between a property's tags, for types whose tags carry nothing of the value."""
    if prop.type is CimType.BOOLEAN:
        return _boolean_writer(prop)
    if prop.type in RANGES:
        return _integer_writer(prop)
    if prop.type is CimType.STRING:
        return _string_writer(prop, escape)
    if prop.type is CimType.DATETIME:
        return _datetime_writer(prop, "cim:" if prefix else "")
    return lambda value: escape(text_of(value, prop))


def _elements(
    prop: CimProperty, value: CimValue, prefix: str, namespace: str, escape: Escape
) -> str:
    """Every element of a property whose value is not null: one, or one per array member."""
    tag = f"{prefix}{prop.name}"
    if isinstance(value, bytes):
        if not (prop.array and prop.type is CimType.UINT8):
            raise misfit(value, prop)
        # An image or octet string travels as one base64 text; nothing for no octets.
        return f"<{tag}>{b64encode(value).decode()}</{tag}>" if value else ""
    if prop.array != isinstance(value, tuple):
        raise misfit(value, prop)
    members = value if isinstance(value, tuple) else (value,)
    if prop.type is CimType.REFERENCE:
        return "".join(_reference(tag, prop, one, namespace, escape) for one in members)
    if prop.type is CimType.OBJECT:
        return "".join(_object(tag, prop, one, prefix, namespace, escape) for one in members)
    write = _scalar_writer(prop, escape, prefix)
    open_, close = f"<{tag}>", f"</{tag}>"
    return "".join(
        f'<{tag} xsi:nil="true"/>' if one is None else f"{open_}{write(one)}{close}"
        for one in members
    )


def _reference(tag: str, prop: CimProperty, value: CimValue, namespace: str, escape: Escape) -> str:
    if not isinstance(value, CimRef):
        raise misfit(value, prop)
    return f"<{tag}{_DECLARED}>{reference_parts(value, namespace, escape)}</{tag}>"


def _object(
    tag: str, prop: CimProperty, value: CimValue, prefix: str, namespace: str, escape: Escape
) -> str:
    """An embedded object: children in the namespace of its own class (MS-WSMV 3.1.4.1.25)."""
    if not isinstance(value, CimInstance):
        raise misfit(value, prop)
    number = int(prefix[1:-1] or 0) + 1 if prefix else 1
    inner = f"p{number}"
    where = value.namespace or namespace
    uri = escape(soap.resource_uri(where, value.class_name))
    return (
        f'<{tag} xmlns:{inner}="{uri}" xsi:type="{inner}:{value.class_name}_Type">'
        f"{properties_text(value, where, f'{inner}:', escape)}</{tag}>"
    )


def guessed_property(name: str, value: CimValue) -> CimProperty:
    """For a value the class table has no entry for: the type its Python value stands for."""
    if isinstance(value, bytes):
        return CimProperty(name, CimType.UINT8, array=True)
    if isinstance(value, tuple):
        kind = guessed_property(name, value[0]).type if value else CimType.STRING
        return CimProperty(name, kind, array=True)
    kinds: tuple[tuple[type, CimType], ...] = (
        (bool, CimType.BOOLEAN),
        (int, CimType.SINT64),
        (float, CimType.REAL64),
        (str, CimType.STRING),
        (CimRef, CimType.REFERENCE),
        (CimInstance, CimType.OBJECT),
    )
    kind = next((kind for known, kind in kinds if isinstance(value, known)), CimType.DATETIME)
    if isinstance(value, int) and value > RANGES[CimType.SINT64][1]:
        kind = CimType.UINT64
    return CimProperty(name, kind)


def values_text(
    values: Mapping[str, CimValue],
    known: Mapping[str, CimProperty],
    prefix: str,
    namespace: str,
    escape: Escape,
) -> str:
    """Just the values given, alphabetically; a null scalar is told, a null array is not."""
    parts = []
    for name in sorted(values, key=str.lower):
        value = values[name]
        prop = known.get(name) or find(known, name) or guessed_property(name, value)
        if value is None:
            parts.append("" if prop.array else f'<{prefix}{prop.name} xsi:nil="true"/>')
        else:
            parts.append(_elements(prop, value, prefix, namespace, escape))
    return "".join(parts)


def find(known: Mapping[str, CimProperty], name: str) -> CimProperty | None:
    """A property by its name in any casing."""
    lowered = name.lower()
    return next((prop for key, prop in known.items() if key.lower() == lowered), None)


# -- writing instances ---------------------------------------------------------------------


_Row = tuple[str, Writer | None, str, str, str, CimProperty]
"""Name, writer (None for what ``_elements`` has to write: arrays, references, objects), start
tag, end tag, the element that tells null, and the property."""


@lru_cache(maxsize=_PLANS)
def _pieces(
    namespace: str, class_name: str, prefix: str, columns: tuple[str, ...] | None, escape: Escape
) -> tuple[tuple[_Row, ...], frozenset[str]]:
    """The rows of a class in wire order, and the names they cover."""
    shape = cim_class(namespace, class_name)
    known = dict(shape.properties) if shape else {}
    if columns is not None:
        named = {name: find(known, name) or CimProperty(name, CimType.STRING) for name in columns}
        known = {prop.name: prop for prop in named.values()}
    rows = []
    for name in sorted(known, key=str.lower):
        prop = known[name]
        simple = not prop.array and prop.type not in (CimType.REFERENCE, CimType.OBJECT)
        rows.append(
            (
                name,
                _scalar_writer(prop, escape, prefix) if simple else None,
                f"<{prefix}{name}>",
                f"</{prefix}{name}>",
                "" if prop.array else f'<{prefix}{name} xsi:nil="true"/>',
                prop,
            )
        )
    return tuple(rows), frozenset(known)


def properties_text(
    instance: CimInstance,
    namespace: str,
    prefix: str,
    escape: Escape,
    columns: tuple[str, ...] | None = None,
) -> str:
    """All properties of the class in wire order, nulls told; or only some columns of it."""
    rows, names = _pieces(namespace, instance.class_name, prefix, columns, escape)
    values = instance.values
    if columns is None and not values.keys() <= names:
        return _with_strangers(instance, namespace, prefix, escape)
    get = values.get
    parts = []
    for name, write, open_, close, nil, prop in rows:
        value = get(name)
        if value is None:
            parts.append(nil)
        elif write is not None:
            parts.append(open_ + write(value) + close)
        else:
            parts.append(_elements(prop, value, prefix, namespace, escape))
    return "".join(parts)


def _with_strangers(instance: CimInstance, namespace: str, prefix: str, escape: Escape) -> str:
    """An instance with values its class, as the table has it, does not know."""
    shape = cim_class(namespace, instance.class_name)
    known = shape.properties if shape else {}
    values: dict[str, CimValue] = {**dict.fromkeys(known), **instance.values}
    return values_text(values, known, prefix, namespace, escape)


_SPACES = f' xmlns:xsi="{soap.XSI}"'
_CIM_SPACE = f' xmlns:cim="{soap.CIM}"'


@lru_cache(maxsize=_PLANS)
def instance_tags(namespace: str, class_name: str) -> tuple[str, str]:
    """Start and end tag of an instance element, with every declaration it needs."""
    uri = soap.escape(soap.resource_uri(namespace, class_name))
    return (
        f'<p:{class_name}{_SPACES} xmlns:p="{uri}"{_CIM_SPACE} xsi:type="p:{class_name}_Type">',
        f"</p:{class_name}>",
    )


def instance_text(instance: CimInstance, namespace: str) -> str:
    """An instance as replies carry it: of its own class, whole, alphabetical."""
    where = instance.namespace or namespace
    start, end = instance_tags(where, instance.class_name)
    return f"{start}{properties_text(instance, where, 'p:', soap.escape)}{end}"


def fragment_text(instance: CimInstance, namespace: str, columns: tuple[str, ...]) -> str:
    """A row of a projection: ``w:XmlFragment`` with children in no namespace (note 58)."""
    where = instance.namespace or namespace
    inner = properties_text(instance, where, "", soap.escape, columns)
    return f'<w:XmlFragment{_SPACES} xmlns:w="{soap.WSMAN}">{inner}</w:XmlFragment>'

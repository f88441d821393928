"""Instances inside string parameters: CIM-XML 2.0 text (DSP0201), times in DMTF form.

The same text for both roles. Escaping it into the SOAP message is the caller's codec's work.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from tui.errors import WireError
from tui.wsman import soap
from tui.wsman.cim import (
    CimInstance,
    CimProperty,
    CimRef,
    CimType,
    CimValue,
    datetime_from_dmtf,
    datetime_to_dmtf,
    misfit,
    reader,
    text_of,
)
from tui.wsman.elements import find, guessed_property
from tui.wsman.schema import VIRTUALIZATION, cim_class

Escape = Callable[[str], str]
_DEEPEST = 16


class ScalarForArray(WireError):
    """An array property was written as a single one; hosts refuse that as invalid parameter."""


class BadDatetime(WireError):
    """A datetime was not in DMTF form; hosts fail on that."""


# -- writing -------------------------------------------------------------------------------


def to_text(instance: CimInstance, *, strict: bool = True) -> str:
    """``INSTANCE`` with the values given, typed by the class table.

    Strictly, a character XML cannot hold is a UsageError; otherwise it becomes ``?``, as hosts
    write it.
    """
    escape = soap.escape_strictly if strict else soap.escape
    return _instance(instance, escape)


def _instance(instance: CimInstance, escape: Escape) -> str:
    shape = cim_class(instance.namespace or VIRTUALIZATION, instance.class_name)
    known = shape.properties if shape else {}
    name = soap.attribute(shape.name if shape else instance.class_name)
    parts = []
    for key, value in instance.values.items():
        prop = known.get(key) or find(known, key) or guessed_property(key, value)
        parts.append(_property(prop, value, escape))
    return f'<INSTANCE CLASSNAME="{name}">{"".join(parts)}</INSTANCE>'


def _property(prop: CimProperty, value: CimValue, escape: Escape) -> str:
    name = soap.attribute(prop.name)
    if prop.type is CimType.REFERENCE:
        inner = "" if value is None else _reference(prop, value, escape)
        of = f' REFERENCECLASS="{soap.attribute(prop.of)}"' if prop.of else ""
        return f'<PROPERTY.REFERENCE NAME="{name}"{of}>{inner}</PROPERTY.REFERENCE>'
    if prop.type is CimType.OBJECT:
        return _object(prop, value, escape)
    tag = "PROPERTY.ARRAY" if prop.array else "PROPERTY"
    open_ = f'<{tag} NAME="{name}" TYPE="{prop.type}">'
    if value is None:
        return f"{open_}</{tag}>"
    if prop.array:
        members = tuple(value) if isinstance(value, tuple | bytes) else None
        if members is None:
            raise misfit(value, prop)
        inner = "".join(_value(prop, member, escape) for member in members)
        return f"{open_}<VALUE.ARRAY>{inner}</VALUE.ARRAY></{tag}>"
    return f"{open_}{_value(prop, value, escape)}</{tag}>"


def _value(prop: CimProperty, value: CimValue, escape: Escape) -> str:
    if value is None:
        return "<VALUE.NULL/>"
    if isinstance(value, datetime | timedelta):
        text_of(value, prop)
        return f"<VALUE>{datetime_to_dmtf(value)}</VALUE>"
    return f"<VALUE>{escape(text_of(value, prop))}</VALUE>"


def _reference(prop: CimProperty, value: CimValue, escape: Escape) -> str:
    if not isinstance(value, CimRef):
        raise misfit(value, prop)
    keys = "".join(
        f'<KEYBINDING NAME="{soap.attribute(name)}">'
        f'<KEYVALUE VALUETYPE="string">{escape(text)}</KEYVALUE></KEYBINDING>'
        for name, text in value.keys
    )
    inner = f'<INSTANCENAME CLASSNAME="{soap.attribute(value.class_name)}">{keys}</INSTANCENAME>'
    if value.namespace:
        steps = "".join(
            f'<NAMESPACE NAME="{soap.attribute(step)}"/>' for step in value.namespace.split("/")
        )
        inner = (
            f"<LOCALINSTANCEPATH><LOCALNAMESPACEPATH>{steps}</LOCALNAMESPACEPATH>"
            f"{inner}</LOCALINSTANCEPATH>"
        )
    return f"<VALUE.REFERENCE>{inner}</VALUE.REFERENCE>"


def _object(prop: CimProperty, value: CimValue, escape: Escape) -> str:
    """WMI's own extension of the DTD for embedded objects."""
    tag = "PROPERTY.OBJECTARRAY" if prop.array else "PROPERTY.OBJECT"
    if value is None:
        return f'<{tag} NAME="{soap.attribute(prop.name)}"></{tag}>'
    if prop.array != isinstance(value, tuple):
        raise misfit(value, prop)
    parts = []
    for member in value if isinstance(value, tuple) else (value,):
        if not isinstance(member, CimInstance):
            raise misfit(member, prop)
        parts.append(f"<VALUE.OBJECT>{_instance(member, escape)}</VALUE.OBJECT>")
    inner = "".join(parts)
    if prop.array:
        inner = f"<VALUE.OBJECTARRAY>{inner}</VALUE.OBJECTARRAY>"
    return f'<{tag} NAME="{soap.attribute(prop.name)}">{inner}</{tag}>'


# -- reading -------------------------------------------------------------------------------


def from_text(text: str, namespace: str) -> CimInstance:
    """The first INSTANCE of a CIM-XML text. WireError says what is wrong with it."""
    root = soap.parse(text)
    found = root if root.tag == "INSTANCE" else next(root.iter("INSTANCE"), None)
    if found is None:
        raise WireError("The text holds no CIM instance", cause=f"root is {root.tag[:60]}")
    try:
        return _read_instance(found, namespace, 0)
    except (ValueError, OverflowError) as error:
        raise WireError("A value in a CIM instance cannot be read", cause=str(error)) from error


def _read_instance(element: Element, namespace: str, depth: int) -> CimInstance:
    if depth > _DEEPEST:
        raise WireError("CIM instances are nested too deeply")
    name = element.get("CLASSNAME", "")
    if not name:
        raise WireError("A CIM instance names no class")
    shape = cim_class(namespace, name)
    known = {key.lower(): prop for key, prop in shape.properties.items()} if shape else {}
    values: dict[str, CimValue] = {}
    for child in element:
        if not child.tag.startswith("PROPERTY"):
            continue
        written = _written_property(child)
        prop = known.get(written.name.lower(), written)
        values[prop.name] = _read_property(child, prop, namespace, depth)
    return CimInstance(
        shape.name if shape else name, values, shape.namespace if shape else namespace
    )


def _written_property(element: Element) -> CimProperty:
    """The type as the text itself declares it, for properties the class table lacks."""
    name = element.get("NAME", "")
    if not name:
        raise WireError("A property in a CIM instance has no name")
    array = element.tag in ("PROPERTY.ARRAY", "PROPERTY.OBJECTARRAY")
    if element.tag == "PROPERTY.REFERENCE":
        return CimProperty(name, CimType.REFERENCE, False, element.get("REFERENCECLASS", ""))
    if element.tag.startswith("PROPERTY.OBJECT"):
        return CimProperty(name, CimType.OBJECT, array)
    try:
        return CimProperty(name, CimType(element.get("TYPE", "string").lower()), array)
    except ValueError:
        return CimProperty(name, CimType.STRING, array)


def _read_property(element: Element, prop: CimProperty, namespace: str, depth: int) -> CimValue:
    array = element.tag in ("PROPERTY.ARRAY", "PROPERTY.OBJECTARRAY")
    holder = soap.child(element, "VALUE.ARRAY") if array else None
    holder = soap.child(element, "VALUE.OBJECTARRAY") if array and holder is None else holder
    source = element if holder is None else holder
    members = [
        _read_member(child, prop, namespace, depth)
        for child in source
        if child.tag.startswith("VALUE")
    ]
    if array and holder is None and not members:
        return None
    if not array and not members:
        return None
    if prop.array and not array:
        raise ScalarForArray(f"{prop.name} must be written as an array")
    if not array:
        return members[0]
    if prop.type is CimType.UINT8:
        return bytes(member for member in members if isinstance(member, int))
    return tuple(members)


def _read_member(element: Element, prop: CimProperty, namespace: str, depth: int) -> CimValue:
    if element.tag == "VALUE.NULL":
        return None
    if element.tag == "VALUE.REFERENCE":
        return _read_reference(element, namespace)
    if element.tag == "VALUE.OBJECT":
        inner = soap.child(element, "INSTANCE")
        return None if inner is None else _read_instance(inner, namespace, depth + 1)
    text = "".join(element.itertext())
    if prop.type is CimType.DATETIME:
        try:
            return datetime_from_dmtf(text.strip())
        except ValueError as error:
            raise BadDatetime(f"{prop.name} is not a DMTF datetime", cause=text[:60]) from error
    try:
        return reader(prop.type)(text)
    except (ValueError, OverflowError) as error:
        raise WireError(f"{prop.name} is not a valid {prop.type}", cause=text[:60]) from error


def _read_reference(element: Element, namespace: str) -> CimRef:
    name = next(element.iter("INSTANCENAME"), None)
    if name is None:
        raise WireError("A reference in a CIM instance names no instance")
    keys = tuple(
        (binding.get("NAME", ""), "".join(binding.itertext()))
        for binding in soap.children(name, "KEYBINDING")
    )
    steps = [step.get("NAME", "") for step in element.iter("NAMESPACE")]
    return CimRef(name.get("CLASSNAME", ""), keys, "/".join(steps) or namespace)

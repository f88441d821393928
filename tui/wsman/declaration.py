"""A class of the schema table as the CIM-XML ``CLASS`` element WinRM serves (wsman-wire.md 11).

Only shapes: names, types, keys, references, methods. Classes come whole, inheritance flattened.
"""

from __future__ import annotations

from tui.wsman.cim import CimClass, CimMethod, CimProperty, CimType

_KEY = '<QUALIFIER NAME="key" TYPE="boolean"><VALUE>true</VALUE></QUALIFIER>'
_ASSOCIATION = '<QUALIFIER NAME="Association" TYPE="boolean"><VALUE>true</VALUE></QUALIFIER>'
_ABSTRACT = '<QUALIFIER NAME="Abstract" TYPE="boolean"><VALUE>true</VALUE></QUALIFIER>'
_IN = '<QUALIFIER NAME="In" TYPE="boolean"><VALUE>true</VALUE></QUALIFIER>'
_OUT = '<QUALIFIER NAME="Out" TYPE="boolean"><VALUE>true</VALUE></QUALIFIER>'


def class_text(shape: CimClass) -> str:
    """The CLASS element of a class."""
    qualifiers = {"association": _ASSOCIATION, "abstract": _ABSTRACT}.get(shape.kind, "")
    superclass = f' SUPERCLASS="{shape.superclass}"' if shape.superclass else ""
    keys = {key.lower() for key in shape.keys}
    properties = "".join(
        _property(prop, _KEY if prop.name.lower() in keys else "")
        for prop in shape.properties.values()
    )
    methods = "".join(_method(method) for method in shape.methods.values())
    return f'<CLASS NAME="{shape.name}"{superclass}>{qualifiers}{properties}{methods}</CLASS>'


def _property(prop: CimProperty, qualifiers: str) -> str:
    name = f'NAME="{prop.name}"'
    if prop.type is CimType.REFERENCE:
        reference = f' REFERENCECLASS="{prop.of}"' if prop.of else ""
        return _element("PROPERTY.REFERENCE", f"{name}{reference}", qualifiers)
    tag = "PROPERTY.ARRAY" if prop.array else "PROPERTY"
    return _element(tag, f"{name}{_type(prop)}", qualifiers)


def _method(method: CimMethod) -> str:
    outputs = {name.lower(): prop for name, prop in method.outputs.items()}
    parts = []
    for name, prop in method.inputs.items():
        both = outputs.pop(name.lower(), None) is not None
        parts.append(_parameter(prop, _IN + _OUT if both else _IN))
    parts += [_parameter(prop, _OUT) for prop in outputs.values()]
    return f'<METHOD NAME="{method.name}" TYPE="uint32">{"".join(parts)}</METHOD>'


def _parameter(prop: CimProperty, qualifiers: str) -> str:
    name = f'NAME="{prop.name}"'
    array = "ARRAY" if prop.array else ""
    if prop.type is CimType.REFERENCE:
        tag = f"PARAMETER.REF{array}" if array else "PARAMETER.REFERENCE"
        return _element(tag, f'{name} REFERENCECLASS="{prop.of}"', qualifiers)
    tag = f"PARAMETER.{array}" if array else "PARAMETER"
    return _element(tag, f"{name}{_type(prop)}", qualifiers)


def _type(prop: CimProperty) -> str:
    """CIM-XML knows no object type: an embedded object is a string that says so."""
    if prop.type is CimType.OBJECT:
        return ' TYPE="string" EmbeddedObject="object"'
    embedded = ' EmbeddedObject="instance"' if prop.of else ""
    return f' TYPE="{prop.type.value}"{embedded}'


def _element(tag: str, attributes: str, content: str) -> str:
    return f"<{tag} {attributes}>{content}</{tag}>"

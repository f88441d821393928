"""The table of CIM classes the codec knows: names, keys, property types and methods.

Facts about shapes only; what a class means is not its business. Class and namespace names are
compared without case, as WMI does. Classes are built when first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from tui.wsman.cim import CimClass, CimMethod, CimProperty, CimType

VIRTUALIZATION = "root/virtualization/v2"
CIMV2 = "root/cimv2"
CLUSTER = "root/MSCluster"
STANDARD = "root/StandardCimv2"
STORAGE = "root/Microsoft/Windows/Storage"

_KINDS = ("class", "abstract", "association")
_FILE = Path(__file__).with_name("schema.json")
_BOUND = 4096
"""Hosts choose the names asked for, so what is remembered of unknown ones must be bounded."""


class _Row(msgspec.Struct, array_like=True, gc=False):
    superclass: str
    kind: int
    singleton: int
    keys: msgspec.Raw
    properties: msgspec.Raw
    methods: msgspec.Raw


class _Table(msgspec.Struct, gc=False):
    returns: list[dict[str, str]]
    namespaces: dict[str, dict[str, _Row]]


class _Namespace:
    """One namespace of the table, indexed without case."""

    def __init__(self, name: str, rows: Mapping[str, _Row]) -> None:
        self.name = name
        self.rows = rows
        self.proper = {key.lower(): key for key in rows}
        self._children: dict[str, list[str]] | None = None

    def children(self) -> Mapping[str, list[str]]:
        if self._children is None:
            self._children = {}
            for name, row in self.rows.items():
                self._children.setdefault(row.superclass, []).append(name)
        return self._children


@cache
def _table() -> _Table:
    return msgspec.json.decode(_FILE.read_bytes(), type=_Table)


@cache
def _namespaces() -> Mapping[str, _Namespace]:
    return {name.lower(): _Namespace(name, rows) for name, rows in _table().namespaces.items()}


def _namespace(name: str) -> _Namespace | None:
    return _namespaces().get(name.replace("\\", "/").lower())


def namespaces() -> tuple[str, ...]:
    """The namespaces the table covers, in their proper casing."""
    return tuple(space.name for space in _namespaces().values())


def cim_class(namespace: str, name: str) -> CimClass | None:
    """A class with everything it inherits; None when the table does not have it."""
    space = _namespace(namespace)
    proper = space.proper.get(name.lower()) if space else None
    return _build(space.name, proper) if space and proper else None


def subclasses(namespace: str, name: str) -> frozenset[str]:
    """Proper-cased names of a class and everything below it; empty when it is unknown."""
    space = _namespace(namespace)
    proper = space.proper.get(name.lower()) if space else None
    return _family(space.name, proper) if space and proper else frozenset()


def is_a(namespace: str, name: str, base: str) -> bool:
    """Whether a class is ``base`` or inherits from it."""
    space = _namespace(namespace)
    if space is None:
        return False
    current = space.proper.get(name.lower())
    wanted = base.lower()
    while current:
        if current.lower() == wanted:
            return True
        row = space.rows.get(current)
        current = row.superclass if row else None
    return False


def property_of(type_text: str, name: str) -> CimProperty:
    """The table's spelling of a type, such as ``uint16[]`` or ``ref:CIM_Job``, as a property."""
    base, _, rest = type_text.partition("[]")
    array = base != type_text or rest != ""
    if base.startswith("string("):
        return CimProperty(name, CimType.STRING, array, base[len("string(EmbeddedInstance:") : -1])
    if base.startswith("ref:"):
        return CimProperty(name, CimType.REFERENCE, array, base[4:])
    if base.startswith("object"):
        return CimProperty(name, CimType.OBJECT, array, base[7:].strip("*"))
    return CimProperty(name, CimType(base), array)


_shared_property = lru_cache(maxsize=_BOUND)(property_of)


@cache
def _family(namespace: str, name: str) -> frozenset[str]:
    children = _namespaces()[namespace.lower()].children()
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        found.add(current)
        waiting.extend(children.get(current, ()))
    return frozenset(found)


@cache
def _build(namespace: str, name: str) -> CimClass:
    row = _namespaces()[namespace.lower()].rows[name]
    parent = cim_class(namespace, row.superclass) if row.superclass else None
    own = msgspec.json.decode(row.properties, type=dict[str, str])
    properties = dict(parent.properties) if parent else {}
    properties.update((key, _shared_property(text, key)) for key, text in own.items())
    methods = dict(parent.methods) if parent else {}
    for key, method in msgspec.json.decode(row.methods, type=_Methods).items():
        methods[key] = _method(key, *method)
    return CimClass(
        name=name,
        namespace=namespace,
        superclass=row.superclass,
        keys=msgspec.json.decode(row.keys, type=tuple[str, ...]),
        kind=_KINDS[row.kind],
        properties=properties,
        methods=methods,
        singleton=bool(row.singleton),
    )


_Methods = dict[str, tuple[dict[str, str], dict[str, str], int]]


def _method(
    name: str, inputs: Mapping[str, str], outputs: Mapping[str, str], returns: int
) -> CimMethod:
    return CimMethod(
        name,
        {key: _shared_property(text, key) for key, text in inputs.items()},
        {key: _shared_property(text, key) for key, text in outputs.items()},
        _returns(returns),
    )


@cache
def _returns(index: int) -> Mapping[int, str]:
    return {int(key): text for key, text in _table().returns[index].items()}

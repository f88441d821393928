"""CIM types, classes, instances and references as Python values. No XML and no IO here.

Values in Python: boolean ``bool``; integers ``int``; reals ``float``; string and char16 ``str``;
datetime ``datetime`` (always aware, UTC) or, for an interval, ``timedelta``; reference ``CimRef``;
embedded object ``CimInstance``; arrays ``tuple`` of these; null ``None``.
A ``string`` property with the EmbeddedInstance qualifier stays ``str``: CIM-XML text,
see ``embedded``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias, Union


class CimType(StrEnum):
    """Intrinsic CIM types (DSP0004), plus reference and embedded object."""

    BOOLEAN = "boolean"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    SINT8 = "sint8"
    SINT16 = "sint16"
    SINT32 = "sint32"
    SINT64 = "sint64"
    REAL32 = "real32"
    REAL64 = "real64"
    CHAR16 = "char16"
    STRING = "string"
    DATETIME = "datetime"
    REFERENCE = "reference"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class CimProperty:
    """One property or method parameter."""

    name: str
    type: CimType
    array: bool = False
    of: str = ""
    """Class of a reference, an embedded object, or the instance inside a string; else empty."""


@dataclass(frozen=True, slots=True)
class CimMethod:
    """A method: parameters by name, and what its return values mean."""

    name: str
    inputs: Mapping[str, CimProperty]
    outputs: Mapping[str, CimProperty]
    returns: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CimClass:
    """A class as the schema table knows it. ``properties`` are own and inherited."""

    name: str
    namespace: str
    superclass: str
    keys: tuple[str, ...]
    kind: str
    """``class``, ``abstract`` or ``association``."""
    properties: Mapping[str, CimProperty]
    methods: Mapping[str, CimMethod]
    singleton: bool = False


@dataclass(frozen=True, slots=True)
class CimRef:
    """Which instance: class and key values, as endpoint reference or as WMI object path.

    ``keys`` holds (name, value text) pairs in the order given. An empty ``namespace`` means the
    namespace of whatever holds the reference.
    """

    class_name: str
    keys: tuple[tuple[str, str], ...]
    namespace: str = ""

    def key(self, name: str) -> str | None:
        """The value of one key, names compared without case; None when it is not given."""
        lowered = name.lower()
        return next((value for key, value in self.keys if key.lower() == lowered), None)


@dataclass(frozen=True, slots=True)
class CimInstance:
    """An instance: class name and typed values. Missing is absent, null is ``None``."""

    class_name: str
    values: dict[str, CimValue]
    namespace: str = ""
    ref: CimRef | None = None
    """Its reference, when the answer carried one (EnumerateObjectAndEPR)."""

    def __getitem__(self, name: str) -> CimValue:
        return self.values[name]

    def get(self, name: str) -> CimValue:
        """A property's value, or None when it is null or absent."""
        return self.values.get(name)


CimValue: TypeAlias = Union[  # noqa: UP007 - the recursive alias needs the string form
    None, bool, int, float, str, datetime, timedelta, CimRef, CimInstance, tuple["CimValue", ...]
]

"""The WS-Management operations we speak, as records: what is asked of which class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.soap import WQL


class Mode(StrEnum):
    """What an enumeration returns (DSP0226 8.7); the value is its spelling on the wire."""

    OBJECT = ""
    EPR = "EnumerateEPR"
    OBJECT_AND_EPR = "EnumerateObjectAndEPR"


@dataclass(frozen=True, slots=True)
class Identify:
    """Which service is this?"""


@dataclass(frozen=True, slots=True)
class Enumerate:
    """Open an enumeration. ``wql`` needs the class name ``*``."""

    namespace: str
    class_name: str = "*"
    wql: str | None = None
    dialect: str = WQL
    max_elements: int | None = None
    optimize: bool = True
    mode: Mode = Mode.OBJECT


@dataclass(frozen=True, slots=True)
class Pull:
    """The next items of an enumeration. Without ``max_elements`` Windows returns one."""

    namespace: str
    class_name: str
    context: str
    max_elements: int | None = None
    wql: str | None = None
    """The query the enumeration began with. Not sent: a projection's rows name no class, so
    reading the answer needs it for types."""


@dataclass(frozen=True, slots=True)
class Release:
    """Close an enumeration early."""

    namespace: str
    class_name: str
    context: str


@dataclass(frozen=True, slots=True)
class Get:
    """One instance, or one property of it as a fragment."""

    ref: CimRef
    fragment: str | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Change properties of an instance."""

    ref: CimRef
    values: Mapping[str, CimValue]
    fragment: str | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """Make an instance."""

    instance: CimInstance


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an instance."""

    ref: CimRef


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call a method of an instance (or of a class, without keys)."""

    ref: CimRef
    method: str
    parameters: Mapping[str, CimValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GetClass:
    """The CIM-XML declaration of a class (MS-WSMV 3.1.4.1.38)."""

    namespace: str
    class_name: str


Request: TypeAlias = (
    Identify | Enumerate | Pull | Release | Get | Put | Create | Delete | Invoke | GetClass
)

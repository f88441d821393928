"""CIM types, classes, instances and references as Python values, and their text forms.

Numbers, DMTF and ISO times, WMI object paths; no XML and no IO here.

Values in Python: boolean ``bool``; integers ``int``; reals ``float``; string and char16 ``str``;
datetime ``datetime`` (always aware, UTC) or, for an interval, ``timedelta``; reference ``CimRef``;
embedded object ``CimInstance``; ``uint8[]`` is ``bytes``; other arrays ``tuple`` of these; null
``None``.
A ``string`` property with the EmbeddedInstance qualifier stays ``str``: CIM-XML text,
see ``embedded``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from math import isinf, isnan
from typing import TypeAlias, Union

from tui.errors import UsageError, WireError


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
    bool,
    int,
    float,
    str,
    bytes,
    datetime,
    timedelta,
    CimRef,
    CimInstance,
    tuple["CimValue", ...],
    None,
]

RANGES: Mapping[CimType, tuple[int, int]] = {
    CimType.UINT8: (0, 0xFF),
    CimType.UINT16: (0, 0xFFFF),
    CimType.UINT32: (0, 0xFFFFFFFF),
    CimType.UINT64: (0, 0xFFFFFFFFFFFFFFFF),
    CimType.SINT8: (-0x80, 0x7F),
    CimType.SINT16: (-0x8000, 0x7FFF),
    CimType.SINT32: (-0x80000000, 0x7FFFFFFF),
    CimType.SINT64: (-0x8000000000000000, 0x7FFFFFFFFFFFFFFF),
}
_SHOWN = 60
"""How much of a wrong text an error quotes."""


# -- times ---------------------------------------------------------------------------------

_DURATION = re.compile(
    r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d*))?S)?)?", re.ASCII
)
_DMTF_TIME = re.compile(r"(\d{14})\.(\d{6})([+-])(\d{3})", re.ASCII)
_DMTF_INTERVAL = re.compile(r"(\d{8})(\d\d)(\d\d)(\d\d)\.(\d{6}):000", re.ASCII)
_DMTF_WILD = re.compile(r"[\d*]{14}\.[\d*]{6}(?:[+-][\d*]{3}|:000)", re.ASCII)


def _fraction(microseconds: int) -> str:
    return f".{microseconds:06d}".rstrip("0") if microseconds else ""


def time_to_iso(moment: datetime) -> str:
    """UTC with ``Z``; the fraction loses its trailing zeros and vanishes when it is zero."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return (
        f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}"
        f"T{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d}"
        f"{_fraction(moment.microsecond)}Z"
    )


def time_from_iso(text: str) -> datetime:
    """Any offset, made UTC; a time without one is taken as UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # "never", told as the calendar's end in another time zone
        return moment.replace(tzinfo=UTC)


def interval_to_iso(span: timedelta) -> str:
    """All four fields, always (``P0DT0H30M0S``)."""
    sign, span = ("-", -span) if span < timedelta(0) else ("", span)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}P{span.days}DT{hours}H{minutes}M{seconds}{_fraction(span.microseconds)}S"


def interval_from_iso(text: str) -> timedelta:
    """An xs:duration without years and months, which have no fixed length."""
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise ValueError(f"not a duration: {text[:_SHOWN]!r}")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    span = timedelta(
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "").ljust(6, "0")[:6]),
    )
    return -span if sign else span


def time_to_dmtf(moment: datetime) -> str:
    """``yyyymmddHHMMSS.mmmmmm+000`` (DSP0004 2.2.1)."""
    utc = moment.astimezone(UTC)
    return (
        f"{utc.year:04d}{utc.month:02d}{utc.day:02d}"
        f"{utc.hour:02d}{utc.minute:02d}{utc.second:02d}.{utc.microsecond:06d}+000"
    )


def interval_to_dmtf(span: timedelta) -> str:
    """``ddddddddHHMMSS.mmmmmm:000``."""
    if span < timedelta(0) or span.days > 99999999:
        raise UsageError(f"{span} is not a CIM interval", cause="it must not be negative")
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{span.days:08d}{hours:02d}{minutes:02d}{seconds:02d}.{span.microseconds:06d}:000"


def datetime_from_dmtf(text: str) -> datetime | timedelta | None:
    """A timestamp or an interval; None when fields are left open with asterisks."""
    if match := _DMTF_INTERVAL.fullmatch(text):
        days, hours, minutes, seconds, micro = map(int, match.groups())
        return timedelta(days, seconds, micro, 0, minutes, hours)
    match = _DMTF_TIME.fullmatch(text)
    if match is None:
        if _DMTF_WILD.fullmatch(text):
            return None
        raise ValueError(f"not a CIM datetime: {text[:_SHOWN]!r}")
    digits, micro_text, sign, offset = match.groups()
    if not int(digits):
        return None
    moment = datetime(
        int(digits[:4]),
        int(digits[4:6]),
        int(digits[6:8]),
        int(digits[8:10]),
        int(digits[10:12]),
        int(digits[12:14]),
        int(micro_text),
        timezone(timedelta(minutes=int(sign + offset))),
    )
    return moment.astimezone(UTC)


def datetime_to_dmtf(value: datetime | timedelta) -> str:
    """Either form of a CIM datetime as DMTF text."""
    return time_to_dmtf(value) if isinstance(value, datetime) else interval_to_dmtf(value)


def datetime_from_text(text: str) -> datetime | timedelta | None:
    """A CIM datetime in any spelling met: ISO timestamp, xs:duration or DMTF."""
    text = text.strip()
    if text.startswith(("P", "-P")):
        return interval_from_iso(text)
    if text[14:15] == ".":
        return datetime_from_dmtf(text)
    if text.startswith("0000-"):  # no such year: a time that was never set
        return None
    return time_from_iso(text)


# -- scalars -------------------------------------------------------------------------------


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    raise ValueError(f"not a boolean: {text[:_SHOWN]!r}")


def _integer(text: str) -> int:
    # int() alone would take underscores and other scripts' digits, and quadratic time for
    # a number of a million digits.
    if len(text) < 20 and text.isascii() and text.isdecimal():
        return int(text)
    word = text.strip()
    if len(word) > 24 or not word.isascii() or "_" in word:
        raise ValueError(f"not an integer: {text[:_SHOWN]!r}")
    return int(word)


def _character(text: str) -> str:
    return chr(_integer(text)) if text.strip().isdecimal() else text


_READERS: Mapping[CimType, Callable[[str], CimValue]] = {
    CimType.BOOLEAN: _boolean,
    CimType.REAL32: float,
    CimType.REAL64: float,
    CimType.CHAR16: _character,
    CimType.STRING: str,
    CimType.DATETIME: datetime_from_text,
    **dict.fromkeys(RANGES, _integer),
}


def reader(kind: CimType) -> Callable[[str], CimValue]:
    """The function that reads one scalar of a type; it raises ValueError or OverflowError."""
    return _READERS.get(kind, str)


def value_of(text: str, prop: CimProperty) -> CimValue:
    """One scalar from its text; WireError names the property when the text does not fit."""
    try:
        return reader(prop.type)(text)
    except (ValueError, OverflowError) as error:
        raise WireError(
            f"{prop.name} is not a valid {prop.type}", cause=f"got {text[:_SHOWN]!r}"
        ) from error


def real_text(value: float) -> str:
    """xs:double: shortest round-trip digits, ``INF`` and ``NaN`` spelled its way."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "INF" if value > 0 else "-INF"
    return repr(value)


def text_of(value: CimValue, prop: CimProperty) -> str:
    """One scalar as text, ISO for times. UsageError when it is not of the property's type."""
    if isinstance(value, bool):
        fits = prop.type is CimType.BOOLEAN
        text = "true" if value else "false"
    elif isinstance(value, int):
        low, high = RANGES.get(prop.type, (0, -1))
        fits = low <= value <= high or prop.type in (CimType.REAL32, CimType.REAL64)
        text = str(value)
    elif isinstance(value, float):
        fits = prop.type in (CimType.REAL32, CimType.REAL64)
        text = real_text(value)
    elif isinstance(value, str):
        fits = prop.type is CimType.STRING or (prop.type is CimType.CHAR16 and len(value) == 1)
        text = str(ord(value)) if prop.type is CimType.CHAR16 and fits else value
    elif isinstance(value, datetime):
        fits = prop.type is CimType.DATETIME and value.tzinfo is not None
        text = time_to_iso(value) if fits else ""
    elif isinstance(value, timedelta):
        fits = prop.type is CimType.DATETIME
        text = interval_to_iso(value)
    else:
        fits, text = False, ""
    if not fits:
        raise misfit(value, prop)
    return text


def misfit(value: object, prop: CimProperty) -> UsageError:
    """The error for a value that a property cannot hold."""
    kind = f"{prop.type}[]" if prop.array else str(prop.type)
    return UsageError(
        f"{prop.name} does not take this value",
        cause=f"{kind} is needed, got {type(value).__name__} {repr(value)[:_SHOWN]}",
    )


# -- WMI object paths ----------------------------------------------------------------------

_PATH = re.compile(
    r"(?:[\\/]{2}(?P<host>[^\\/]+)[\\/])?(?:(?P<namespace>[^:=\"]+):)?"
    r"(?P<name>\w+)(?P<rest>.*)",
    re.DOTALL,
)
_KEY = re.compile(
    r"(?P<key>\w*)\s*=\s*"
    r"(?:\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[^,\"'\s]+))"
    r"\s*(?P<comma>,\s*|$)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def quoted(text: str) -> str:
    """A key value as a path holds it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def to_path(ref: CimRef, host: str = "") -> str:
    """The WMI object path: ``\\\\HOST\\root\\ns:Class.Key="value"``; no host, no backslashes."""
    if host:
        namespace = ref.namespace.replace("/", "\\")
        prefix = f"\\\\{host}\\{namespace}:"
    else:
        prefix = f"{ref.namespace}:" if ref.namespace else ""
    if not ref.keys:
        return f"{prefix}{ref.class_name}=@"
    keys = ",".join(f"{name}={quoted(value)}" for name, value in ref.keys)
    return f"{prefix}{ref.class_name}.{keys}"


def from_path(text: str) -> CimRef:
    """A reference from an object path, absolute or relative; the host part is dropped."""
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise _bad_path(text)
    namespace = (match["namespace"] or "").replace("\\", "/").strip("/")
    return CimRef(match["name"], _path_keys(match["rest"], text), namespace)


def _path_keys(rest: str, text: str) -> tuple[tuple[str, str], ...]:
    if rest in ("", "=@"):
        return ()
    # A class with one key may leave out its name: Win32_Service="vmms".
    named = rest.startswith(".")
    keys: list[tuple[str, str]] = []
    place = 1 if named else 0
    more = True
    while more:
        match = _KEY.match(rest, place)
        if match is None or bool(match["key"]) != named:
            raise _bad_path(text)
        value = match["bare"]
        if value is None:
            held = match["double"] if match["double"] is not None else match["single"]
            value = _ESCAPE.sub(r"\1", held)
        keys.append((match["key"], value))
        more = match["comma"] != ""
        place = match.end()
    return tuple(keys)


def _bad_path(text: str) -> WireError:
    return WireError("Not a WMI object path", cause=repr(text[:_SHOWN]))

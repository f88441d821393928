"""WQL conditions against instances: compiled once per query, typed by the class.

Three values, as in WMI: comparing with null gives neither true nor false, and only rows whose
condition is true are kept. Strings compare without case.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from tui.sim import wql
from tui.sim.wql import BadQuery, Both, Compare, Condition, Constant, Either, IsNull, Not, Op
from tui.wsman import schema
from tui.wsman.cim import (
    CimClass,
    CimInstance,
    CimProperty,
    CimRef,
    CimType,
    CimValue,
    datetime_from_dmtf,
    to_path,
)

Reader: TypeAlias = Callable[[CimInstance], CimValue]
Test: TypeAlias = Callable[[CimInstance], bool | None]

_OPERATORS: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What names in a condition mean."""

    cls: CimClass
    server: str
    ref_of: Callable[[CimInstance], CimRef]

    def property(self, name: str) -> CimProperty | None:
        """A property of the class by its name in any case."""
        found = self.cls.properties.get(name)
        if found is not None:
            return found
        lowered = name.lower()
        return next((p for p in self.cls.properties.values() if p.name.lower() == lowered), None)


def compile(condition: Condition, scope: Scope) -> Test:
    """The condition as a function of an instance; raises BadQuery when it does not fit."""
    if isinstance(condition, Both):
        return _both([compile(term, scope) for term in condition.terms])
    if isinstance(condition, Either):
        return _either([compile(term, scope) for term in condition.terms])
    if isinstance(condition, Not):
        return _not(compile(condition.term, scope))
    if isinstance(condition, IsNull):
        read = reader(condition.name, scope)
        return lambda row: read(row) is None
    return _comparison(condition, scope)


def pinned(condition: Condition | None, key: str) -> str | None:
    """The value a condition certainly demands of a key property, or None."""
    if isinstance(condition, Both):
        values = (pinned(term, key) for term in condition.terms)
        return next((value for value in values if value is not None), None)
    if (
        isinstance(condition, Compare)
        and condition.op is Op.EQ
        and condition.name.lower() == key.lower()
        and isinstance(condition.constant, str)
    ):
        return condition.constant
    return None


# -- names -----------------------------------------------------------------------------------

_SYSTEM: dict[str, Callable[[Scope, CimInstance], CimValue]] = {
    "__CLASS": lambda scope, row: row.class_name,
    "__SUPERCLASS": lambda scope, row: _ancestry(row)[1] if len(_ancestry(row)) > 1 else None,
    "__DYNASTY": lambda scope, row: _ancestry(row)[-1],
    "__GENUS": lambda scope, row: 2,
    "__PROPERTY_COUNT": lambda scope, row: len(row.values),
    "__NAMESPACE": lambda scope, row: row.namespace.replace("/", "\\"),
    "__SERVER": lambda scope, row: scope.server,
    "__RELPATH": lambda scope, row: to_path(replace(scope.ref_of(row), namespace="")),
    "__PATH": lambda scope, row: to_path(scope.ref_of(row), scope.server),
}


def system_name(name: str) -> str | None:
    """A system property in its proper case, or None."""
    return name.upper() if name.upper() in _SYSTEM else None


def reader(name: str, scope: Scope) -> Reader:
    """How to read a property, a system property, or a property of an embedded object."""
    proper = system_name(name)
    if proper is not None:
        system = _SYSTEM[proper]
        return lambda row: system(scope, row)
    first, _, rest = name.partition(".")
    found = scope.property(first)
    if found is None:
        raise BadQuery(f"{scope.cls.name} has no property {first}")
    key = found.name
    if not rest:
        return lambda row: row.values.get(key)
    if found.type is not CimType.OBJECT or found.array:
        raise BadQuery(f"{key} holds no object")
    return lambda row: _inside(row.values.get(key), rest)


def column(name: str, scope: Scope) -> Reader:
    """How to read a column of a projection: system properties come as text."""
    read = reader(name, scope)
    if system_name(name) is None:
        return read

    def as_text(row: CimInstance) -> CimValue:
        value = read(row)
        return None if value is None else str(value)

    return as_text


def _ancestry(row: CimInstance) -> list[str]:
    names = [row.class_name]
    cls = schema.cim_class(row.namespace, row.class_name)
    while cls is not None and cls.superclass:
        names.append(cls.superclass)
        cls = schema.cim_class(row.namespace, cls.superclass)
    return names


def _inside(value: CimValue, name: str) -> CimValue:
    for part in name.split("."):
        if not isinstance(value, CimInstance):
            return None
        lowered = part.lower()
        value = next((v for n, v in value.values.items() if n.lower() == lowered), None)
    return value


# -- logic -----------------------------------------------------------------------------------


def _both(terms: list[Test]) -> Test:
    def test(row: CimInstance) -> bool | None:
        found: bool | None = True
        for term in terms:
            value = term(row)
            if value is False:
                return False
            found = found if value else None
        return found

    return test


def _either(terms: list[Test]) -> Test:
    def test(row: CimInstance) -> bool | None:
        found: bool | None = False
        for term in terms:
            value = term(row)
            if value:
                return True
            found = None if value is None else found
        return found

    return test


def _not(term: Test) -> Test:
    def test(row: CimInstance) -> bool | None:
        found = term(row)
        return None if found is None else not found

    return test


# -- comparisons -----------------------------------------------------------------------------


def _comparison(condition: Compare, scope: Scope) -> Test:
    name, op, constant = condition.name, condition.op, condition.constant
    if op is Op.ISA:
        return _isa(name, constant, scope)
    read = reader(name, scope)
    proper = system_name(name)
    if proper is not None:
        kind = CimType.UINT32 if proper in ("__GENUS", "__PROPERTY_COUNT") else CimType.STRING
        found: CimProperty | None = CimProperty(proper, kind)
    else:
        found = scope.property(name)
    if found is None:
        return _loose(read, op, constant)
    if found.array:
        raise BadQuery(f"{found.name} is an array and cannot be compared")
    if op is Op.LIKE:
        return _like(read, found, constant)
    return _typed(read, found, op, constant)


def _typed(read: Reader, prop: CimProperty, op: Op, constant: Constant) -> Test:
    compare = _OPERATORS[op]
    fitting = fit(prop, constant)
    if prop.type in (CimType.BOOLEAN, CimType.REFERENCE) and op not in (Op.EQ, Op.NE):
        raise BadQuery(f"{prop.name} has no order")
    fold = _FOLDS.get(prop.type, _same)
    kind = type(fitting)

    def test(row: CimInstance) -> bool | None:
        value = read(row)
        if value is None:
            return None
        folded = fold(value)
        if isinstance(folded, datetime | timedelta) and not isinstance(folded, kind):
            return None
        return compare(folded, fitting)

    return test


def _loose(read: Reader, op: Op, constant: Constant) -> Test:
    """Inside an embedded object, whose class is known only at run time."""
    if op is Op.LIKE:
        return _like(read, CimProperty("", CimType.STRING), constant)
    compare = _OPERATORS[op]
    wanted = constant.lower() if isinstance(constant, str) else constant

    def test(row: CimInstance) -> bool | None:
        value = read(row)
        folded = value.lower() if isinstance(value, str) else value
        if folded is None or isinstance(folded, str) is not isinstance(wanted, str):
            return None
        return compare(folded, wanted)

    return test


def _isa(name: str, constant: Constant, scope: Scope) -> Test:
    if not isinstance(constant, str):
        raise BadQuery("ISA needs a class name")
    wanted = constant
    if name.lower() == "__this":
        space = scope.cls.namespace
        family = {found.lower() for found in schema.subclasses(space, wanted)}
        return lambda row: row.class_name.lower() in family
    read = reader(name, scope)
    found = scope.property(name)
    if found is not None and found.type not in (CimType.OBJECT, CimType.REFERENCE):
        raise BadQuery(f"{name} holds no object")

    def test(row: CimInstance) -> bool | None:
        value = read(row)
        if not isinstance(value, CimInstance | CimRef):
            return None
        return schema.is_a(value.namespace or row.namespace, value.class_name, wanted)

    return test


def _like(read: Reader, prop: CimProperty, constant: Constant) -> Test:
    if prop.type is not CimType.STRING or not isinstance(constant, str):
        raise BadQuery("LIKE compares strings")
    prefix = constant[:-1].lower()
    if constant.endswith("%") and not re.search(r"[%_\[]", prefix):

        def begins(row: CimInstance) -> bool | None:
            value = read(row)
            return value.lower().startswith(prefix) if isinstance(value, str) else None

        return begins
    pattern = like_pattern(constant)

    def matches(row: CimInstance) -> bool | None:
        value = read(row)
        return pattern.fullmatch(value) is not None if isinstance(value, str) else None

    return matches


def like_pattern(text: str) -> re.Pattern[str]:
    """A LIKE pattern: ``%`` any text, ``_`` one character, ``[a-f]`` or ``[^abc]`` one of a set.

    Microsoft's own examples write a range as ``[a=f]``; both spellings are taken.
    """
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        close = text.find("]", at + 2)
        if char == "[" and close > 0:
            out.append(_set(text[at + 1 : close]))
            at = close
        else:
            out.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
        at += 1
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL)


def _set(body: str) -> str:
    negated = body.startswith("^") and len(body) > 1
    body = body[negated:]
    parts: list[str] = []
    at = 0
    while at < len(body):
        if at + 2 < len(body) and body[at + 1] in "-=":
            low, high = sorted((body[at], body[at + 2]))
            parts.append(f"{re.escape(low)}-{re.escape(high)}")
            at += 3
        else:
            parts.append(re.escape(body[at]))
            at += 1
    return f"[{'^' if negated else ''}{''.join(parts)}]"


# -- constants -------------------------------------------------------------------------------


def fit(prop: CimProperty, constant: Constant) -> Any:
    """The constant as the property's type wants it, folded for comparing; raises BadQuery."""
    kind = prop.type
    try:
        if kind in (CimType.STRING, CimType.CHAR16) and not isinstance(constant, bool):
            return str(constant).lower()
        if kind is CimType.BOOLEAN:
            return _boolean(constant)
        if kind is CimType.DATETIME and isinstance(constant, str):
            return _time(constant)
        if kind is CimType.REFERENCE and isinstance(constant, str):
            return _path_identity(wql.path_ref(constant))
        if kind in (CimType.REAL32, CimType.REAL64) and not isinstance(constant, bool | None):
            return float(constant)
        if "int" in kind.value and not isinstance(constant, bool | None):
            return constant if isinstance(constant, float) else int(constant)
    except ValueError as error:
        raise BadQuery(f"{constant!r} does not fit {prop.name} ({kind.value})") from error
    raise BadQuery(f"{constant!r} does not fit {prop.name} ({kind.value})")


def _boolean(constant: Constant) -> bool:
    if isinstance(constant, str):
        if constant.lower() not in ("true", "false"):
            raise ValueError(constant)
        return constant.lower() == "true"
    return bool(constant)


def _time(text: str) -> datetime | timedelta:
    """A DMTF timestamp or interval, every field given."""
    value = datetime_from_dmtf(text)
    if value is None:
        raise ValueError(text)
    return value


def _path_identity(ref: CimRef) -> tuple[str, tuple[tuple[str, str], ...]]:
    keys = sorted((name.lower(), value.lower()) for name, value in ref.keys)
    return (ref.class_name.lower(), tuple(keys))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _folded_ref(value: Any) -> Any:
    return _path_identity(value) if isinstance(value, CimRef) else value


def _same(value: Any) -> Any:
    return value


_FOLDS: dict[CimType, Callable[[Any], Any]] = {
    CimType.STRING: _lower,
    CimType.CHAR16: _lower,
    CimType.REFERENCE: _folded_ref,
}

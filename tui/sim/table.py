"""The instances of one class, stored or computed, and how their keys compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tui.errors import WireError
from tui.wsman.cim import CimClass, CimInstance, CimRef, CimType, CimValue, from_path, to_path
from tui.wsman.fault import refuse
from tui.wsman.values import Wsman

Source: TypeAlias = Callable[[], Iterable[CimInstance]]
Near: TypeAlias = Callable[[CimRef], Iterable[CimInstance]]
Write: TypeAlias = Callable[[CimInstance, dict[str, CimValue]], None]
Identity: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class Table:
    """The instances of exactly one class."""

    cls: CimClass
    blank: dict[str, CimValue]
    """Every property of the class, null."""
    ends: tuple[str, ...]
    """The reference properties, when the class is an association."""
    rows: dict[tuple[str, ...], CimInstance] = field(default_factory=dict)
    source: Source | None = None
    near: Near | None = None
    write: Write | None = None
    """What Put does to an instance that is computed."""

    def fill(self, instance: CimInstance) -> CimInstance:
        """The instance with proper casing and every property of its class, same ``values``."""
        values = instance.values
        missing = self.blank.keys() - values.keys()
        if len(missing) + len(values) != len(self.blank):
            _respell(self.cls, values)
            missing = self.blank.keys() - values.keys()
        for name in missing:
            values[name] = None
        cls = self.cls
        if instance.class_name == cls.name and instance.namespace == cls.namespace:
            return instance
        return replace(instance, class_name=cls.name, namespace=cls.namespace)

    def key(self, instance: CimInstance) -> tuple[str, ...]:
        """Where the instance stands in ``rows``; instances of keyless classes stand alone."""
        if not self.cls.keys:
            return () if self.cls.singleton else (str(id(instance.values)),)
        return tuple(folded(instance.values[name], instance.namespace) for name in self.cls.keys)

    def __iter__(self) -> Iterator[CimInstance]:
        yield from list(self.rows.values())
        if self.source is not None:
            for instance in self.source():
                yield self.fill(instance)


def key_text(value: CimValue) -> str:
    """A key value as selector text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, CimRef):
        return to_path(value)
    return "" if value is None else str(value)


def folded(value: CimValue, namespace: str) -> str:
    """A key value for comparing: references by identity, all else without case."""
    if isinstance(value, CimRef):
        return str(identity(value, namespace))
    return key_text(value).lower()


def identity(ref: CimRef, namespace: str = "") -> Identity:
    """A reference without case and order, for comparing."""
    keys = sorted((name.lower(), value.lower()) for name, value in ref.keys)
    return (fold(ref.namespace or namespace), ref.class_name.lower(), tuple(keys))


def fold(namespace: str) -> str:
    return namespace.replace("\\", "/").strip("/").lower()


def _respell(cls: CimClass, values: dict[str, CimValue]) -> None:
    names = {name.lower(): name for name in cls.properties}
    for name in list(values):
        proper = names.get(name.lower())
        if proper is None:
            raise ValueError(f"{cls.name} has no property {name}")
        if proper != name:
            values[proper] = values.pop(name)


def has(row: CimInstance, keys: tuple[str, ...], wanted: dict[str, str]) -> bool:
    given = {name.lower(): name for name in keys}
    return all(
        name in given and folded(row.values[given[name]], row.namespace) == value
        for name, value in wanted.items()
    )


def selectors(cls: CimClass, ref: CimRef) -> dict[str, str]:
    """Selector values by lower-case key name, checked against the class."""
    wanted: dict[str, str] = {}
    keys = {name.lower(): name for name in cls.keys}
    for name, value in ref.keys:
        lowered = name.lower()
        if lowered in wanted:
            raise refuse(Wsman.DUPLICATE_SELECTORS, f"Selector {name} is given twice.")
        if keys and lowered not in keys:
            raise refuse(Wsman.UNEXPECTED_SELECTORS, f"{cls.name} has no key {name} to select by.")
        prop = cls.properties.get(keys.get(lowered, name))
        if prop is not None and prop.type.value[1:4] == "int" and not _is_integer(value):
            raise refuse(Wsman.SELECTOR_TYPE_MISMATCH, f"Selector {name} must be a number.")
        wanted[lowered] = value.lower()
        if prop is not None and prop.type is CimType.REFERENCE:
            wanted[lowered] = _folded_path(value, cls.namespace)
    return wanted


def _folded_path(text: str, namespace: str) -> str:
    try:
        return folded(from_path(text), namespace)
    except WireError:
        raise refuse(Wsman.SELECTOR_TYPE_MISMATCH, f"{text} is no reference.") from None


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()

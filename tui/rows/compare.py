"""How a filter's words compare with a value: globs, regular expressions, numbers with units."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from tui.errors import UsageError
from tui.rows.vocabulary import Unit

PIECE: Final = 200
"""Characters of a value that a regular expression sees: more than any name has."""
_PATTERN: Final = 120
_REPEATS: Final = 3
_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)(%?)")
_SIZES: Final = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SPANS: Final = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 604_800.0,
    "mo": 2_592_000.0,
    "y": 31_536_000.0,
}
_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ":": lambda value, wanted: bool(value == wanted),
    "=": lambda value, wanted: bool(value == wanted),
    "!=": lambda value, wanted: bool(value == wanted),
    "<": lambda value, wanted: bool(value < wanted),
    ">": lambda value, wanted: bool(value > wanted),
    "<=": lambda value, wanted: bool(value <= wanted),
    ">=": lambda value, wanted: bool(value >= wanted),
}
"""``!=`` is equality here: the caller turns the whole test round."""

Matches = Callable[[str], bool]


# -- text ----------------------------------------------------------------------------------


def words(wanted: str, *, quoted: bool = False, whole: bool = False) -> Matches:
    """Case aside: contains; or equals when ``whole``; or all of it by ``*`` and ``?``."""
    lowered = wanted.lower()
    if not quoted and ("*" in wanted or "?" in wanted):
        pattern = re.compile(_glob(lowered) + r"\Z", re.DOTALL)
        return lambda text: pattern.match(text.lower()) is not None
    if whole or not wanted:
        return lambda text: text.lower() == lowered
    return lambda text: lowered in text.lower()


def glob_inside(term: str) -> Matches:
    """A term with ``*``, anywhere; smart case."""
    flags = re.DOTALL | (re.IGNORECASE if term == term.lower() else 0)
    pattern = re.compile(_glob(term), flags)
    return lambda text: pattern.search(text[:PIECE]) is not None


def _glob(text: str) -> str:
    """``*`` and ``?`` as a pattern; runs of stars are one, so that it cannot explode."""
    kept = re.sub(r"\*+", "*", text)
    if kept.count("*") > _REPEATS + 1:
        raise UsageError(f"Too many * in {text}", hint=f"use at most {_REPEATS + 1}")
    parts = {"*": ".*", "?": "."}
    return "".join(parts.get(character, re.escape(character)) for character in kept)


def fuzzy(term: str) -> Matches:
    """Its letters in their order, anything between; smart case."""
    exact = term != term.lower()

    def matches(text: str) -> bool:
        letters = iter(text if exact else text.lower())
        return all(letter in letters for letter in term)

    return matches


def regex(pattern: str) -> Matches:
    """A search by regular expression over short strings; smart case.

    Patterns that could take for ever on a short string are refused: a repeated group may hold
    neither repetitions nor alternatives, and few unbounded repetitions are allowed in all.
    """
    if len(pattern) > _PATTERN:
        raise UsageError("The regular expression is too long", cause=f"over {_PATTERN} characters")
    if not pattern:
        raise UsageError("The regular expression is empty", hint="write it between two /")
    _refuse_explosive(pattern)
    lower = re.sub(r"\\.", "", pattern)
    try:
        compiled = re.compile(pattern, re.IGNORECASE if lower == lower.lower() else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"/{pattern}/ is not a regular expression", cause=str(error)) from error
    return lambda text: compiled.search(text[:PIECE]) is not None


def _refuse_explosive(pattern: str) -> None:
    # A group is risky when it repeats or branches inside; repeating it again is what explodes.
    bare = re.sub(r"\\.", "x", pattern)
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", bare)
    risky: list[bool] = [False]
    repeats = 0
    closed = False
    for position, character in enumerate(bare):
        repeated = character in "*+" or (
            character == "{" and re.match(r"\{\d*,?\d*\}", bare[position:])
        )
        if repeated:
            repeats += 1
            if closed:
                raise UsageError(
                    "The regular expression could take for ever",
                    cause="a repeated group holds repetitions or alternatives",
                )
            risky[-1] = True
        closed = False
        if character == "(":
            risky.append(False)
        elif character == ")" and len(risky) > 1:
            closed = risky.pop()
            risky[-1] = risky[-1] or closed
        elif character == "|":
            risky[-1] = True
    if repeats > _REPEATS:
        raise UsageError(
            "The regular expression could take for ever",
            cause=f"more than {_REPEATS} repetitions",
        )


# -- numbers -------------------------------------------------------------------------------


def number(name: str, unit: Unit, text: str, shares: bool) -> tuple[float, bool]:
    """A number as written for a field: its value in base units, and whether it is a share."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{name} takes a number, not {text}", hint=_example(name, unit))
    value, suffix, percent = float(found[1]), found[2].lower(), bool(found[3])
    if percent:
        if suffix or not (shares or unit is Unit.PERCENT):
            raise UsageError(f"{name} has no percentage", hint=_example(name, unit))
        return value, unit is not Unit.PERCENT
    if unit is Unit.SIZE:
        return _size(name, value, suffix), False
    if unit is Unit.AGE:
        if suffix not in _SPANS and not (value == 0 and not suffix):
            raise UsageError(f"{name} needs a span of time", hint=_example(name, unit))
        return value * _SPANS.get(suffix, 1.0), False
    if suffix:
        raise UsageError(f"{name} takes a plain number, not {text}", hint=_example(name, unit))
    return value, False


def _size(name: str, value: float, suffix: str) -> float:
    letter = suffix.removesuffix("/s").removesuffix("ib").removesuffix("b") or suffix[:1]
    if not suffix and value != 0:
        raise UsageError(f"{name} needs a unit", hint=_example(name, Unit.SIZE))
    if suffix and letter not in _SIZES:
        raise UsageError(f"{suffix} is not a unit of size", hint=_example(name, Unit.SIZE))
    return value * float(1024 ** _SIZES.get(letter, 0))


def _example(name: str, unit: Unit) -> str:
    samples = {
        Unit.SIZE: "4G",
        Unit.AGE: "3d",
        Unit.PERCENT: "80",
        Unit.NUMBER: "2",
        Unit.VERSION: "9.0",
    }
    return f"for example {name}>{samples.get(unit, '1')}"


def numeric(sign: str, wanted: float) -> Callable[[Any], bool]:
    """Does a number, or any of several, stand so to ``wanted``? What is unknown never does."""
    holds = _SIGNS[sign]

    def test(value: Any) -> bool:
        if value is None:
            return False
        if isinstance(value, tuple):
            return any(holds(one, wanted) for one in value)
        return holds(value, wanted)

    return test


def version(name: str, sign: str, text: str) -> Callable[[str], bool]:
    """Versions by their numbers; ``ver:9`` also finds 9.1."""
    wanted = _parts(text)
    if wanted is None:
        raise UsageError(f"{name} takes a version, not {text}", hint=_example(name, Unit.VERSION))
    if sign == ":":
        return lambda value: (_parts(value) or ())[: len(wanted)] == wanted
    holds = _SIGNS[sign]

    def test(value: str) -> bool:
        parts = _parts(value)
        if parts is None:
            return False
        length = max(len(parts), len(wanted))
        return holds(_filled(parts, length), _filled(wanted, length))

    return test


def _parts(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")
    # isdecimal alone accepts digits of other scripts, which int reads just as well
    return tuple(int(part) for part in parts) if all(p.isdecimal() for p in parts) else None


def _filled(parts: tuple[int, ...], length: int) -> tuple[int, ...]:
    return parts + (0,) * (length - len(parts))

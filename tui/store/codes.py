"""Readings as codes of sixteen bits: a small float of its own, for what is never negative.

Six bits tell the octave, from ``2**-10`` up, and ten the place in it: whole numbers up to 2048 are
exact, and nothing between a thousandth and 1e16 is more than 0.05 % off. Codes are in the order of
what they mean, so that the highest of many is found without decoding one.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from math import frexp
from typing import Final

MISSING: Final = 0
"""The code of no reading."""
ZERO: Final = 1
_FIRST, _LAST = 2, 0xFFFF
_LEAST = 2.0**-10
"""What ``_FIRST`` means."""
_EXPONENT_OF_LEAST = 1023 - 10
"""As the exponent is written in a double."""


def _values() -> array[float]:
    """What each code means. Doubles of neighbouring codes differ by one in their tenth bit of
    mantissa, and those bits are in a row with the exponent's.
    """
    start, step = _EXPONENT_OF_LEAST << 52, 1 << 42
    bits = array("Q", [0] * _FIRST)
    bits.extend(range(start, start + (_LAST - _FIRST + 1) * step, step))
    return array("d", bits.tobytes())


_VALUES = _values()
_MOST = _VALUES[_LAST]

value_of: Final[Callable[[int], float]] = _VALUES.__getitem__
"""What a code means; 0.0 for ``MISSING``."""


def codes_of(values: Iterable[float | None]) -> list[int]:
    """The nearest codes. What is below nought is nought, what is above all codes is the last."""
    codes = []
    for value in values:
        if value is None or value != value:
            codes.append(MISSING)
        elif _LEAST <= value < _MOST:
            fraction, exponent = frexp(value)
            # Both are in one sum, so that a fraction rounded up to 1 lands in the next octave.
            codes.append(int(1024 * exponent + 2048 * fraction + 8194.5))
        elif value < _LEAST:
            codes.append(ZERO if value < _LEAST / 2 else _FIRST)
        else:
            codes.append(_LAST)
    return codes


def mean_of(codes: array[int]) -> float | None:
    """Mean of what is known; None when nothing is."""
    known = len(codes) - codes.count(MISSING)
    return sum(map(value_of, codes)) / known if known else None

"""The levels in force, and the tone a value has by them.

Set once at start, like ``text.use_ascii``: cells and findings are functions of their row alone,
named in tables that are made when they are imported, and most of them would only hand a record
of levels on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tui.config.thresholds import Level, Thresholds

TONES: Final = ("", "warning", "error")
_SEVERITIES: Final = {"never": "", "warning": "warning", "critical": "error"}


class Finding(NamedTuple):
    """One thing that is wrong."""

    words: str
    tone: str
    """``warning`` or ``error``."""


class _InForce:
    """What the configuration says."""

    levels = Thresholds()


def use(levels: Thresholds) -> None:
    """From now on these count."""
    _InForce.levels = levels


def in_force() -> Thresholds:
    return _InForce.levels


def tone(measure: str, value: float | None) -> str:
    """``error``, ``warning`` or nothing: how a value of a measure of ``Thresholds`` stands.

    Percent for shares, seconds for everything that takes or lasts.
    """
    if value is None:
        return ""
    level: Level = getattr(_InForce.levels, measure)
    return TONES[level.reached(value)]


def severity(state: str) -> str:
    """The tone of a state of ``Thresholds`` that has no measure; nothing: it does not count."""
    return _SEVERITIES[getattr(_InForce.levels, state)]

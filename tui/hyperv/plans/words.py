"""Numbers as they are put in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def gb(count: float) -> str:
    """``4 GB``, ``512 MB``, ``1.5 GB``."""
    if abs(count) < 1 << 30:
        return f"{count / (1 << 20):.0f} MB"
    return f"{count / (1 << 30):.1f}".removesuffix(".0") + " GB"


def share(part: float) -> str:
    """A part of one as ``37%``."""
    return f"{part * 100:.0f}%"


def several(count: int, one: str, more: str = "") -> str:
    """``1 machine``, ``3 machines``; ``1 role stays``, ``2 roles stay``."""
    return f"{count} {one if count == 1 else more or f'{one}s'}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """``a, b and 3 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"

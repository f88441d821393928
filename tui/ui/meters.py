"""Meters of one line as plain text: bars."""

from __future__ import annotations


def bar(fraction: float, width: int, ascii: bool = False) -> str:
    """A meter ``width`` cells wide: thick where filled, thin where not."""
    filled, rest = bar_parts(bar_steps(fraction, width, ascii), width, ascii)
    return filled + rest


def bar_steps(fraction: float, width: int, ascii: bool = False) -> int:
    """How many half cells are filled: at least a step for anything above nothing.

    Lines are used, not blocks: in a table blocks of one row touch those of the next.
    """
    if width <= 0:
        return 0
    fraction = min(1.0, max(0.0, fraction))
    step = 2 if ascii else 1
    steps = round(fraction * width * 2 / step) * step
    return max(steps, step) if fraction > 0.005 else 0


def bar_parts(steps: int, width: int, ascii: bool = False) -> tuple[str, str]:
    """The filled part and the rest of a bar of ``steps`` half cells."""
    if width <= 0:
        return "", ""
    full, half = divmod(steps, 2)
    if ascii:
        return "#" * full, "." * (width - full)
    filled = "━" * full + "╸" * half
    return filled, "─" * (width - len(filled))

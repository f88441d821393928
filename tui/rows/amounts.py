"""Measurements in words: how often, how long. Knows no screen."""

from __future__ import annotations

from tui.rows import text


def often(per_second: float | None) -> str:
    """Operations or packets per second: ``0.4``, ``612``, ``12,400``."""
    if per_second is None:
        return text.NONE
    if 0 < per_second < 9.95:
        return f"{per_second:.1f}" if per_second >= 0.05 else "<0.1"
    return f"{per_second:,.0f}"


def brief(seconds: float | None) -> str:
    """A short time: ``45 µs``, ``4.2 ms``, ``18 ms``, ``1.2 s``; at most seven cells."""
    if seconds is None:
        return text.NONE
    if seconds < 0.0009995:
        return f"{seconds * 1e6:.0f} {'us' if text.ascii_in_use() else 'µs'}"
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    return text.latency(seconds)


def at_least(words: str) -> str:
    """Marks a sum of which only a part is known."""
    return f"{'>=' if text.ascii_in_use() else '≥'}{words}"


def added(*parts: float | None) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None

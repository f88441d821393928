"""Sizes, rates and times as people type them, and back. Field types of forms and options."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:([kmgtp])i?b?|b)?", re.IGNORECASE)
_RATE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([kmg])?(?:bit|b|bps|bit/s)?", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+(?:[.,]\d{1,3})?)\s*%?")
_SPAN = re.compile(r"(\d+)\s*([smhd])?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def size(text: str) -> int:
    """Bytes from ``4G``, ``512 MB``, ``1.5T``; units are powers of 1024."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size: write 512M, 4G or 1.5T")
    return round(_number(match[1]) * 1024.0 ** _POWERS[(match[2] or "").lower()])


def memory(text: str) -> int:
    """Bytes of memory; a bare number means megabytes, as Hyper-V counts them."""
    bare = text.strip()
    return int(bare) << 20 if bare.isdigit() else size(text)


def rate(text: str) -> int:
    """Bits per second from ``100M``, ``1.5 Gbit``; units are powers of 1000."""
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rate: write 100M or 1G, in bits per second")
    return round(_number(match[1]) * 1000.0 ** _POWERS[(match[2] or "").lower()])


def span(text: str) -> int:
    """Seconds from ``30``, ``90s``, ``5m``, ``2h``."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time: write 90s, 5m or 2h")
    return int(match[1]) * _SECONDS[(match[2] or "").lower()]


def percent(text: str) -> int:
    """Thousandths of a percent from ``50``, ``12.5 %``, as processors count them."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a percentage: write 50 or 12.5")
    return round(_number(match[1]) * 1000)


def mac(text: str) -> str:
    """Twelve hex digits from ``00-15-5D-01-02-03``, with any of the usual separators."""
    bare = re.sub(r"[-:. ]", "", text.strip()).upper()
    if re.fullmatch(r"[0-9A-F]{12}", bare) is None:
        raise ValueError(f"{text!r} is not a MAC address: write 00-15-5D-01-02-03")
    return bare


def words(text: str) -> tuple[str, ...]:
    """Words apart by spaces or commas, each once."""
    return tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", text.strip()))))


def names(text: str) -> tuple[str, ...]:
    """Names apart by commas, each once; spaces belong to a name."""
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))


def integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers and ranges, ascending: ``10,20,30-33``."""
    found: set[int] = set()
    for part in filter(None, re.split(r"[,\s]+", text.strip())):
        first, dash, last = part.partition("-")
        low, high = integer(first), integer(last) if dash else integer(first)
        if high < low or high - low > 4096:
            raise ValueError(f"{part!r} is not a range")
        found.update(range(low, high + 1))
    return tuple(sorted(found))


def shown_size(value: int) -> str:
    """A size in the largest unit that needs no more than two decimals."""
    for unit, power in (("TB", 4), ("GB", 3), ("MB", 2), ("KB", 1)):
        scaled = value / 1024**power
        if scaled >= 1 and round(scaled, 2) * 1024**power == value:
            return f"{scaled:.2f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{value} B"


def shown_rate(value: int) -> str:
    """Bits per second in the largest unit that needs no more than two decimals."""
    for unit, power in (("Gbit/s", 3), ("Mbit/s", 2), ("kbit/s", 1)):
        scaled = value / 1000**power
        if scaled >= 1 and round(scaled, 2) * 1000**power == value:
            return f"{scaled:.2f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{value} bit/s"


def shown_percent(value: int) -> str:
    """Thousandths of a percent as a percentage."""
    return f"{value / 1000:.3f}".rstrip("0").rstrip(".") + " %"


def shown_mac(value: str) -> str:
    """Twelve hex digits in pairs."""
    return "-".join(value[at : at + 2] for at in range(0, len(value), 2))


def shown_span(value: int) -> str:
    """Seconds in the largest unit that divides them."""
    for unit in ("d", "h", "m"):
        if value and value % _SECONDS[unit] == 0:
            return f"{value // _SECONDS[unit]}{unit}"
    return f"{value}s"


def shown_list(value: Sequence[object]) -> str:
    """Several values in one line."""
    return ", ".join(map(str, value))


def _number(text: str) -> float:
    return float(text.replace(",", "."))

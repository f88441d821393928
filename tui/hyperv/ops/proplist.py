"""Cluster property lists: how the cluster API takes named numbers (MS-CMRP 2.2.3.10)."""

from __future__ import annotations

import struct

_NAME, _DWORD, _END = 0x00040003, 0x00010002, 0


def property_list(*pairs: tuple[str, int]) -> tuple[int, ...]:
    """The list as the octets that a ``uint8[]`` parameter carries."""
    packed = b"".join(_property(name, value) for name, value in pairs)
    return tuple(struct.pack("<I", len(pairs)) + packed)


def _property(name: str, value: int) -> bytes:
    text = f"{name}\0".encode("utf-16-le")
    padding = bytes(-len(text) % 4)
    head = struct.pack("<II", _NAME, len(text))
    return head + text + padding + struct.pack("<IIII", _DWORD, 4, value, _END)

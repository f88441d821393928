"""The cluster property list of a move: which resource type goes how (hyperv-cim.md 14.4)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from tui.sim import win32

TURN_OFF, SAVE, SHUT_DOWN, FORCE_DOWN, LIVE = range(5)
NAME, DWORD = 0x00040003, 0x00010002
VM, CONFIGURATION = "Virtual Machine", "Virtual Machine Configuration"


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def number(self) -> int:
        return int(struct.unpack("<I", self.take(4))[0])

    def take(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) != count:
            raise win32.refused(win32.BAD_PARAMETER)
        self._at += count
        return taken

    def name(self) -> str:
        length = self.number()
        raw = self.take(length)
        self.take(-length % 4)
        try:
            text = raw.decode("utf-16-le")
        except UnicodeDecodeError:
            raise win32.refused(win32.BAD_PARAMETER) from None
        if not text.endswith("\0"):
            raise win32.refused(win32.BAD_PARAMETER)
        return text[:-1]


def decode(octets: bytes) -> Mapping[str, int]:
    """Numbers by name; the fault 87 when the list is none."""
    reader = _Reader(octets)
    found: dict[str, int] = {}
    for _ in range(reader.number()):
        if reader.number() != NAME:
            raise win32.refused(win32.BAD_PARAMETER)
        name = reader.name()
        if reader.number() != DWORD or reader.number() != 4:
            raise win32.refused(win32.BAD_PARAMETER)
        found[name] = reader.number()
        if reader.number() != 0:
            raise win32.refused(win32.BAD_PARAMETER)
    return found


def way(values: Mapping[str, int]) -> int | None:
    """How a machine is to go; None when the list does not say."""
    found = {value for name, value in values.items() if name in (VM, CONFIGURATION)}
    if not found:
        return None
    wanted = values.get(VM, next(iter(found)))
    if wanted not in range(5):
        raise win32.refused(win32.BAD_PARAMETER)
    return wanted

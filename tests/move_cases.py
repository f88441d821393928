"""A case for every verb that moves machines or their storage, in the scene migration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.verb_story_kit import SYSTEM, Given, Served


@dataclass(frozen=True)
class MoveCase:
    """A move, and what both hosts say afterwards."""

    action: str
    on: str
    host: str
    given: Given
    proof: Callable[[Served], object]
    """True when it has been done; never before."""

    @property
    def id(self) -> str:
        return f"{self.action} {self.on}"


def at(served: Served, name: str) -> list[str]:
    """Hosts that list a machine, each asked itself."""
    return [host for host in served.fabric.urls if name in served.truth(host).names()]


def root(served: Served, host: str, name: str) -> str:
    """Where its settings are."""
    (found,) = served.truth(host).the(name, SYSTEM, "ConfigurationDataRoot")
    return str(found)


MOVES: Final = (
    MoveCase("vm.migrate", "smb02", "MIG02", {"destination": "MIG01", "how": "live"},
             lambda s: at(s, "smb02") == ["MIG01"]
             and all(p.startswith("\\\\FS01\\") for p in s.truth("MIG01").images("smb02"))),
    MoveCase("vm.move-storage", "cpu01", "MIG01", {"folder": "E:\\cpu01"},
             lambda s: s.truth("MIG01").images("cpu01")
             == ["E:\\cpu01\\Virtual Hard Disks\\cpu01.vhdx"]),
    MoveCase("vm.migrate", "cpu01", "MIG01",
             {"destination": "MIG02", "how": "with its storage", "folder": "D:\\New"},
             lambda s: at(s, "cpu01") == ["MIG02"]
             and s.truth("MIG02").images("cpu01") == ["D:\\New\\Virtual Hard Disks\\cpu01.vhdx"]
             and root(s, "MIG02", "cpu01").startswith("D:\\New")
             and not s.truth("MIG01").file("E:\\cpu01\\Virtual Hard Disks\\cpu01.vhdx")),
    MoveCase("vm.migrate", "saved01", "MIG01", {"destination": "MIG02", "how": "offline"},
             lambda s: at(s, "saved01") == ["MIG02"]),
    MoveCase("vm.migrate", "compat01", "MIG01", {"destination": "MIG04", "switch": "LAN"},
             lambda s: at(s, "compat01") == ["MIG04"]),
)  # fmt: skip

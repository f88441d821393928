"""The scene ``cluster`` seen through one of its nodes, in words a story needs."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest

from tests.sim_kit import CLUSTER, V2, Bench, bench, one, word
from tui.errors import Fault
from tui.sim.cluster import Cluster
from tui.sim.world import SimHost
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

LIVE, DOWN, SAVE, OFF = 4, 2, 1, 0


def ref(kind: str, name: str) -> CimRef:
    return CimRef(f"MSCluster_{kind}", (("Name", name),), CLUSTER)


def property_list(*pairs: tuple[str, int]) -> bytes:
    """A cluster property list, written from its description (hyperv-cim.md 14.4)."""
    found = struct.pack("<I", len(pairs))
    for name, value in pairs:
        text = f"{name}\0".encode("utf-16-le")
        found += struct.pack("<II", 262147, len(text)) + text + b"\0" * (-len(text) % 4)
        found += struct.pack("<IIII", 65538, 4, value, 0)
    return found


def going(how: int) -> bytes:
    """The list os-win sends."""
    return property_list(("Virtual Machine", how), ("Virtual Machine Configuration", how))


@dataclass(frozen=True)
class Story:
    """A cluster, asked through one node."""

    bench: Bench

    def via(self, node: str) -> Story:
        return Story(self.bench.at(node))

    def host(self, name: str) -> SimHost:
        return self.bench.fabric.hosts[name]

    @property
    def state(self) -> Cluster:
        found = self.bench.fabric.cluster_of(self.bench.host)
        assert found is not None
        return found

    def get(self, kind: str, name: str) -> CimInstance:
        return self.bench.client.get(ref(kind, name))

    def all(self, kind: str) -> list[CimInstance]:
        return self.bench.all(f"MSCluster_{kind}", CLUSTER)

    def role(self, name: str) -> CimInstance:
        return self.get("ResourceGroup", name)

    def node(self, name: str) -> CimInstance:
        return self.get("Node", name)

    def resource(self, role: str) -> CimInstance:
        return self.get("Resource", f"Virtual Machine {role}")

    def private(self, role: str) -> dict[str, CimValue]:
        found = self.resource(role)["PrivateProperties"]
        assert isinstance(found, CimInstance)
        return found.values

    def owner(self, role: str) -> str:
        return word(self.role(role)["OwnerNode"])

    def roles_on(self, node: str) -> set[str]:
        return {
            word(g["Name"])
            for g in self.all("ResourceGroup")
            if g["OwnerNode"] == node and g["GroupType"] == 111
        }

    def machine(self, name: str) -> CimInstance:
        """The Msvm_ComputerSystem, on whichever node has it."""
        found = [
            item
            for node in self.bench.fabric.hosts.values()
            if not node.down
            for item in self.bench.at(node.name).all("Msvm_ComputerSystem")
            if item["ElementName"] == name
        ]
        return one(found, lambda item: True)

    def call(self, kind: str, name: str, method: str, **values: CimValue) -> MethodOutput:
        return self.bench.client.invoke(ref(kind, name), method, **values)

    def refused(self, kind: str, name: str, method: str, **values: CimValue) -> int:
        """The Win32 error of a call that is refused."""
        with pytest.raises(Fault) as caught:
            self.call(kind, name, method, **values)
        assert caught.value.code & 0xFFFF0000 == 0x80070000
        return caught.value.code & 0xFFFF

    def move(self, role: str, node: str, how: int = LIVE, flags: int = 14) -> MethodOutput:
        return self.call(
            "ResourceGroup",
            role,
            "MoveToNewNodeParams",
            NodeName=node,
            Parameters=going(how),
            Flags=flags,
        )

    def pass_(self, seconds: float) -> None:
        """Let time pass in small steps, as a client that polls would see it."""
        step = 1.0
        for _ in range(int(seconds / step)):
            self.bench.clock.advance(step)
            self.bench.fabric.advance()


def story(node: str = "NODE2") -> Story:
    found = Story(bench("cluster", node))
    found.state.furnish()
    return found


__all__ = ["V2", "Story", "going", "property_list", "ref", "story"]

"""A scene behind an in-process wire: bytes in, bytes out, and a clock moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tui.errors import Unreachable
from tui.sim import scenes
from tui.sim.answer import Enumerations, answer
from tui.sim.world import Fabric, SimHost, StillClock
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.client import CimClient
from tui.wsman.embedded import to_text
from tui.wsman.reply import MethodOutput

V2 = "root/virtualization/v2"
CIMV2 = "root/cimv2"
CLUSTER = "root/MSCluster"

VSMS = "Msvm_VirtualSystemManagementService"
SNAPSHOTS = "Msvm_VirtualSystemSnapshotService"
SWITCHES = "Msvm_VirtualEthernetSwitchManagementService"

T = TypeVar("T")


class Wire:
    """A transport that ends in the simulated service."""

    def __init__(self, host: SimHost) -> None:
        self._host = host
        self._enumerations = Enumerations()

    def send(self, envelope: bytes) -> bytes:
        if not self._host.present():
            raise Unreachable(f"{self._host.name} does not answer")
        return answer(self._host, self._enumerations, envelope, "tester")[1]

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True)
class Bench:
    """One simulated host, a client of it, and the fabric's clock."""

    fabric: Fabric
    clock: StillClock
    host: SimHost
    client: CimClient

    def at(self, host: str) -> Bench:
        """The same fabric, seen through another host."""
        found = self.fabric.hosts[host]
        return Bench(self.fabric, self.clock, found, CimClient(Wire(found), url="http://sim/"))

    def all(self, class_name: str, namespace: str = V2) -> list[CimInstance]:
        return self.client.query(namespace, f"SELECT * FROM {class_name}")

    def vm(self, name: str) -> CimInstance:
        return next(v for v in self.all("Msvm_ComputerSystem") if v["ElementName"] == name)

    def ref(self, name: str) -> CimRef:
        return system(str(self.vm(name)["Name"]))

    def state(self, name: str) -> CimValue:
        return self.vm(name)["EnabledState"]

    def settings(self, name: str) -> CimInstance:
        return self.client.get(settings_of(str(self.vm(name)["Name"])))

    def of(self, name: str, class_name: str) -> list[CimInstance]:
        """Settings of one class that belong to a machine."""
        prefix = f"Microsoft:{word(self.vm(name)['Name'])}\\"
        return [i for i in self.all(class_name) if str(i["InstanceID"]).startswith(prefix)]

    def call(self, service: str, method: str, **parameters: CimValue) -> MethodOutput:
        ref = CimRef(service, (("CreationClassName", service),), V2)
        return self.client.invoke(ref, method, **parameters)

    def change(self, name: str, state: int) -> MethodOutput:
        return self.client.invoke(self.ref(name), "RequestStateChange", RequestedState=state)

    def job(self, output: MethodOutput) -> CimInstance:
        ref = output.values["Job"]
        assert isinstance(ref, CimRef)
        return self.client.get(ref)

    def finish(self, output: MethodOutput, seconds: float = 120.0) -> CimInstance:
        """Let a started job end; the job."""
        assert output.return_value == 4096
        self.clock.advance(seconds)
        return self.job(output)

    def done(self, output: MethodOutput) -> list[CimInstance]:
        """Let a job end well; what it has affected."""
        job = self.finish(output)
        assert job["JobState"] == 7, job["ErrorDescription"]
        wql = f'ASSOCIATORS OF {{Msvm_ConcreteJob.InstanceID="{word(job["InstanceID"])}"}}'
        return self.client.query(V2, f"{wql} WHERE AssocClass=Msvm_AffectedJobElement")


def bench(scene: str = "datacenter", host: str = "HV01", **more: int) -> Bench:
    clock = StillClock()
    fabric = scenes.build(scene, clock=clock, **more)
    found = fabric.hosts[host]
    found.ensure()
    return Bench(fabric, clock, found, CimClient(Wire(found), url="http://sim/wsman"))


def system(name: str, class_name: str = "Msvm_ComputerSystem") -> CimRef:
    return CimRef(class_name, (("CreationClassName", class_name), ("Name", name)), V2)


def settings_of(name: str) -> CimRef:
    return CimRef("Msvm_VirtualSystemSettingData", (("InstanceID", f"Microsoft:{name}"),), V2)


def by_id(item: CimInstance) -> CimRef:
    return CimRef(item.class_name, (("InstanceID", str(item["InstanceID"])),), V2)


def embedded(class_name: str, **values: CimValue) -> str:
    return to_text(CimInstance(class_name, dict(values), V2))


def path_of(item: CimInstance) -> str:
    identity = str(item["InstanceID"]).replace("\\", "\\\\")
    return f'{item.class_name}.InstanceID="{identity}"'


def one(items: list[T], test: Callable[[T], bool]) -> T:
    found = [item for item in items if test(item)]
    assert len(found) == 1
    return found[0]


def word(value: CimValue) -> str:
    """A value that is known to be text."""
    assert isinstance(value, str)
    return value

"""Verbs as the deck runs them: real lanes over a simulated host, truth by plain WQL."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

from tests.hyperv_kit import HOST, describe, invoked
from tui.collector.messages import Call, CallUpdate, HostLink, Phase, Undo
from tui.collector.session import Session
from tui.hyperv.model import Inventory
from tui.sim.answer import Enumerations, answer
from tui.sim.files import VirtualFile
from tui.sim.plan import HostPlan
from tui.sim.world import Fabric, RunningClock, SimHost
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.client import CimClient, OnExchange, Throttle
from tui.wsman.request import Invoke

V2, CIMV2 = "root/virtualization/v2", "root/cimv2"
PATIENCE = 60.0
LINK = HostLink("hv01", "http://hv01:5985/wsman")


class Line:
    """A transport to the host; lanes share the host, so one request is answered at a time."""

    def __init__(self, bench: Verbs) -> None:
        self._bench = bench
        self._sessions = Enumerations()

    def send(self, envelope: bytes) -> bytes:
        with self._bench.lock:
            if (asked := invoked(envelope)) is not None:
                self._bench.invoked.append(asked)
                if self._bench.sabotage(asked):
                    self._bench.host.faults.job_fails_at = 50
                    self._bench.host.faults.job_fails = 1
            return answer(self._bench.host, self._sessions, envelope, "tester")[1]

    def close(self) -> None:
        self._sessions = Enumerations()


def nothing(asked: Invoke) -> bool:
    return False


@dataclass
class Verbs:
    """A host to run verbs on."""

    host: SimHost
    lock: threading.Lock = field(default_factory=threading.Lock)
    invoked: list[Invoke] = field(default_factory=list)
    sabotage: Callable[[Invoke], bool] = nothing
    """Jobs of the requests it is true for fail."""
    steps: list[str] = field(default_factory=list)
    _session: Session | None = None
    _number: int = 0

    def client(self) -> CimClient:
        return CimClient(Line(self), url="inproc:", name="hv01")

    def connect(self, link: HostLink, throttle: Throttle, on_exchange: OnExchange) -> CimClient:
        return self.client()

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = Session([LINK], connect=self.connect)
            self._session.load()
        return self._session

    def close(self) -> None:
        """End the lanes; the next call starts new ones."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def inventory(self) -> Inventory:
        return self.session.load()["hv01"]

    # -- truth -----------------------------------------------------------------------------

    def wql(self, text: str, namespace: str = V2) -> list[CimInstance]:
        return self.client().query(namespace, text)

    def one(self, class_name: str, **values: CimValue) -> CimInstance:
        """The one instance with these values."""
        rows = self.wql(f"SELECT * FROM {class_name}")
        found = [row for row in rows if all(row.get(k) == v for k, v in values.items())]
        assert len(found) == 1, found
        return found[0]

    def vm(self, name: str) -> str:
        return str(self.one("Msvm_ComputerSystem", ElementName=name)["Name"])

    def names(self, class_name: str = "Msvm_ComputerSystem") -> set[str]:
        return {str(row["ElementName"]) for row in self.wql(f"SELECT * FROM {class_name}")}

    def of(self, name: str, class_name: str) -> list[CimInstance]:
        """Settings of one class that belong to a machine."""
        prefix = f"Microsoft:{self.vm(name)}"
        rows = self.wql(f"SELECT * FROM {class_name}")
        return [row for row in rows if str(row["InstanceID"]).startswith(prefix)]

    def images(self, name: str) -> list[str]:
        """Paths in a machine's drives."""
        found: list[str] = []
        for row in self.of(name, "Msvm_StorageAllocationSettingData"):
            paths = row.get("HostResource")
            found += map(str, paths if isinstance(paths, tuple) else ())
        return found

    def drives(self, name: str, kind: int = 17) -> list[CimInstance]:
        rows = self.of(name, "Msvm_ResourceAllocationSettingData")
        return [row for row in rows if row["ResourceType"] == kind]

    def file(self, path: str) -> bool:
        """Whether Windows shows a file."""
        escaped = path.replace("\\", "\\\\").replace("'", "\\'")
        return bool(self.wql(f"SELECT Name FROM CIM_DataFile WHERE Name = '{escaped}'", CIMV2))

    def disk(self, path: str) -> VirtualFile:
        """An image as it is on the host."""
        found = self.host.files.get(path)
        assert found is not None, path
        return found

    # -- doing -----------------------------------------------------------------------------

    def target(self, name: str) -> str:
        """The id a call names: of the host, a switch, or a machine."""
        if name == "hv01":
            return name
        for switch in self.inventory().switches.values():
            if switch.name == name:
                return switch.id
        return self.vm(name)

    def call(self, action: str, target: str, /, **arguments: object) -> CallUpdate:
        """Run an action on the target with that id, to its end."""
        self._number += 1
        self.invoked.clear()
        self.steps.clear()
        call = Call(f"call-{self._number}", action, "hv01", target, dict(arguments))
        last = self.session.run([call], self._heard, timeout=PATIENCE)
        return last[call.id]

    def _heard(self, update: CallUpdate) -> None:
        if update.step and (not self.steps or self.steps[-1] != update.step):
            self.steps.append(update.step)

    def run(self, action: str, name: str, /, **arguments: object) -> CallUpdate:
        """The same by name; it must be seen to be done."""
        update = self.call(action, self.target(name), **arguments)
        assert update.phase is Phase.OBSERVED, update
        return update

    def refused(self, action: str, name: str, /, **arguments: object) -> str:
        """The same, refused before anything was asked of the host; the reason."""
        update = self.call(action, self.target(name), **arguments)
        assert update.phase is Phase.REFUSED, update
        assert self.changes == [], "nothing may have been changed"
        assert update.trouble is not None
        return update.trouble.cause

    def failed(self, action: str, name: str, /, **arguments: object) -> CallUpdate:
        """The same, failed midway or by the host."""
        update = self.call(action, self.target(name), **arguments)
        assert update.phase is Phase.FAILED, update
        return update

    def undo(self, undo: Undo | None) -> None:
        """What one key does after a failure."""
        assert undo is not None
        self.inventory()
        update = self.call(undo.action, undo.target, **undo.arguments)
        assert update.phase is Phase.OBSERVED, update

    @property
    def changes(self) -> list[str]:
        """Methods asked that change something."""
        return [describe(asked) for asked in self.invoked if not asked.method.startswith("Get")]


@contextlib.contextmanager
def verbs(plan: HostPlan = HOST, *, speed: float = 400.0) -> Iterator[Verbs]:
    """A host whose clock runs fast, and lanes that look often."""
    fabric = Fabric(RunningClock(speed), seed=7)
    made = Verbs(fabric.add(plan))
    with (
        patch("tui.collector.act.FIRST_POLL", 0.01),
        patch("tui.collector.act.SLOWEST_POLL", 0.05),
        patch("tui.collector.following.FIRST_POLL", 0.01),
    ):
        try:
            yield made
        finally:
            made.close()

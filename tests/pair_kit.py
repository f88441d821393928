"""The two hosts of the scene replica behind in-process wires, and lanes over them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

from tests.hyperv_kit import Wire
from tui.actions import Kind, Target
from tui.collector.following import target_of
from tui.collector.messages import Call, CallUpdate, HostLink
from tui.collector.session import Session
from tui.hyperv.model import Inventory, Replica
from tui.sim import scenes
from tui.sim.world import Fabric, RunningClock
from tui.wsman.cim import CimInstance
from tui.wsman.client import CimClient, OnExchange, Throttle

V2 = "root/virtualization/v2"
HOSTS = ("BERLIN", "DRESDEN")
PATIENCE = 60.0


class Guarded(Wire):
    """Lanes share the fabric, so one request is answered at a time."""

    lock = threading.Lock()

    def send(self, envelope: bytes) -> bytes:
        with self.lock:
            return super().send(envelope)


@dataclass
class Pair:
    """BERLIN and DRESDEN, and what can be done to their relationships."""

    fabric: Fabric
    session: Session = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        links = [HostLink(host, f"http://{host}:5985/wsman") for host in HOSTS]
        self.session = Session(links, connect=self._connect)
        self.session.load()

    def _connect(self, link: HostLink, throttle: Throttle, on_exchange: OnExchange) -> CimClient:
        return CimClient(Guarded(self.fabric.hosts[link.id]), url="inproc:", name=link.id)

    def read(self) -> dict[str, Inventory]:
        return self.session.load()

    def wql(self, host: str, text: str) -> list[CimInstance]:
        """Plain truth."""
        return CimClient(Guarded(self.fabric.hosts[host]), url="inproc:").query(V2, text)

    def end(self, name: str, host: str) -> Replica:
        ends = self.read()[host].replicas.values()
        return next(one for one in ends if one.name == name)

    def target(self, name: str, host: str) -> Target:
        """One end with all that is known around it."""
        return next(one for one in self.targets() if (one.name, one.host.id) == (name, host))

    def targets(self) -> list[Target]:
        """Every end."""
        found = self.read()
        ends = [(inventory, key) for inventory in found.values() for key in inventory.replicas]
        targets = [target_of(i, Kind.REPLICA, key, fleet=lambda: found) for i, key in ends]
        return [target for target in targets if target is not None]

    def call(self, action: str, name: str, host: str, **arguments: object) -> CallUpdate:
        """Run a verb on one end, to its end."""
        self._number += 1
        key = self.end(name, host).id
        call = Call(f"call-{self._number}", action, host, key, dict(arguments))
        return self.session.run([call], lambda update: None, timeout=PATIENCE)[call.id]

    def stop(self, name: str, host: str) -> None:
        """Cut the power of a machine."""
        vms = self.read()[host].vms.values()
        vm = next(one.id for one in vms if one.name == name)
        self._number += 1
        call = Call(f"call-{self._number}", "vm.turn-off", host, vm)
        self.session.run([call], lambda update: None, timeout=PATIENCE)


@contextlib.contextmanager
def pair(speed: float = 60.0) -> Iterator[Pair]:
    """Both hosts, on a clock that runs fast, and lanes that look often."""
    made = Pair(scenes.build("replica", clock=RunningClock(speed)))
    with (
        patch("tui.collector.act.FIRST_POLL", 0.01),
        patch("tui.collector.act.SLOWEST_POLL", 0.05),
        patch("tui.collector.following.FIRST_POLL", 0.01),
    ):
        try:
            yield made
        finally:
            made.session.close()

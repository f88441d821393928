"""A failover cluster under the real lanes, in this process; truth by plain WQL on another node."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

from tests.hyperv_kit import invoked
from tui.collector.messages import Call, CallUpdate, HostLink, Phase
from tui.collector.session import Session
from tui.collector.watch import Tier
from tui.errors import TimedOut, Unreachable
from tui.sim import outages, scenes
from tui.sim.answer import Enumerations, answer
from tui.sim.world import Fabric, RunningClock, SimHost
from tui.store.clusters import node_key, role_key, volume_key
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.client import CimClient, OnExchange, Throttle
from tui.wsman.request import Invoke

CLUSTER, V2 = "root/MSCluster", "root/virtualization/v2"
NAME = "FCL1"
NODES = ("NODE1", "NODE2", "NODE3", "NODE4")
CSV = "C:\\ClusterStorage\\"
PATIENCE = 60.0


class Line:
    """A transport to one node; the fabric answers one request at a time."""

    def __init__(self, herd: Herd, host: SimHost) -> None:
        self._herd = herd
        self._host = host
        self._sessions = Enumerations()

    def send(self, envelope: bytes) -> bytes:
        with self._herd.lock:
            if not self._host.present():
                raise Unreachable(f"{self._host.name} does not answer")
            asked = invoked(envelope)
            acts = asked is not None and asked.ref.namespace == CLUSTER
            if asked is not None and acts:
                self._herd.invoked.append(asked)
            found = answer(self._host, self._sessions, envelope, "tester")[1]
            if acts and self._herd.swallow:
                self._herd.swallow -= 1
                raise TimedOut("no answer in time")
            return found

    def close(self) -> None:
        self._sessions = Enumerations()


@dataclass
class Herd:
    """The nodes, and a session over them."""

    fabric: Fabric
    lock: threading.Lock = field(default_factory=threading.Lock)
    invoked: list[Invoke] = field(default_factory=list)
    """What was asked of the cluster."""
    swallow: int = 0
    """Answers to calls that get lost, though the call was carried out."""
    _session: Session | None = None
    _number: int = 0

    def client(self, node: str = "NODE4") -> CimClient:
        return CimClient(Line(self, self.fabric.hosts[node]), url="inproc:", name=node)

    def connect(self, link: HostLink, throttle: Throttle, on_exchange: OnExchange) -> CimClient:
        return self.client(link.id)

    @property
    def session(self) -> Session:
        if self._session is None:
            links = [HostLink(node, f"http://{node}:5985/wsman") for node in NODES]
            self._session = Session(links, connect=self.connect)
            self._session.load()
        return self._session

    # -- truth -----------------------------------------------------------------------------

    def wql(self, text: str, namespace: str = CLUSTER, node: str = "NODE4") -> list[CimInstance]:
        return self.client(node).query(namespace, text)

    def value(self, kind: str, name: str, column: str) -> CimValue:
        (row,) = [r for r in self.wql(f"SELECT * FROM MSCluster_{kind}") if r["Name"] == name]
        return row[column]

    def owner(self, role: str) -> str:
        return str(self.value("ResourceGroup", role, "OwnerNode"))

    def role_state(self, role: str) -> CimValue:
        return self.value("ResourceGroup", role, "State")

    def machine(self, name: str, node: str) -> CimInstance:
        """A machine, on the node that must have it."""
        wql = f"SELECT * FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
        (row,) = self.wql(wql, V2, node)
        return row

    def roles_on(self, node: str) -> set[str]:
        rows = self.wql("SELECT Name, OwnerNode, GroupType FROM MSCluster_ResourceGroup")
        return {str(r["Name"]) for r in rows if r["OwnerNode"] == node and r["GroupType"] == 111}

    # -- doing -----------------------------------------------------------------------------

    def fail(self, node: str) -> None:
        """The power of a node goes."""
        with self.lock:
            outages.fail_node(self.fabric, self.fabric.hosts[node])

    def until(self, happened: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, what
            threading.Event().wait(0.02)

    def key(self, noun: str, name: str) -> str:
        keys = {"role": role_key, "node": node_key, "csv": volume_key}
        return keys[noun](NAME, name)

    def call(
        self, action: str, name: str, /, via: str = "NODE1", target: str = "", **arguments: object
    ) -> CallUpdate:
        """Run an action on a thing of the cluster to its end."""
        self._number += 1
        noun = action.partition(".")[0]
        call = Call(f"call-{self._number}", action, via, target or self.key(noun, name), arguments)
        self.session.load(Tier.FAST | Tier.CLUSTER | Tier.WHOLE)
        self.invoked.clear()
        return self.session.run([call], lambda update: None, timeout=PATIENCE)[call.id]

    def run(self, action: str, name: str, /, **arguments: object) -> CallUpdate:
        """The same; it must be seen to be done."""
        update = self.call(action, name, **arguments)  # type: ignore[arg-type]
        assert update.phase is Phase.OBSERVED, update
        return update

    def refused(self, action: str, name: str, /, **arguments: object) -> str:
        """The same, refused before the cluster was asked; the reason."""
        update = self.call(action, name, **arguments)  # type: ignore[arg-type]
        assert update.phase is Phase.REFUSED, update
        assert not self.invoked
        assert update.trouble is not None
        return update.trouble.cause

    def failed(self, action: str, name: str, /, **arguments: object) -> str:
        """The same, failed; why, in words."""
        update = self.call(action, name, **arguments)  # type: ignore[arg-type]
        assert update.phase is Phase.FAILED, update
        assert update.trouble is not None
        return f"{update.trouble.title}: {update.trouble.cause}"


@contextlib.contextmanager
def herd(*, speed: float = 200.0) -> Iterator[Herd]:
    """The scene ``cluster`` on a clock that runs fast, and lanes that look often."""
    made = Herd(scenes.build("cluster", clock=RunningClock(speed)))
    with (
        patch("tui.collector.act.LOOK_AGAIN", 0.05),
        patch("tui.actions.members.SETTLED", 0.5),
        patch("tui.actions.roles._AT_ONCE", 0.2),
    ):
        try:
            yield made
        finally:
            if made._session is not None:
                made._session.close()

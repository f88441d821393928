"""Moves as the deck asks for them: real lanes over the scene ``migration``, truth by plain WQL."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from tests.hyperv_kit import invoked
from tui.collector.act import Act
from tui.collector.messages import Answer, Call, CallUpdate, HostLink, Phase
from tui.collector.session import Session
from tui.errors import Dropped, Unreachable
from tui.hyperv.model import Inventory
from tui.sim import scenes
from tui.sim.answer import Enumerations, answer
from tui.sim.world import Fabric, RunningClock
from tui.store import Store
from tui.wsman.cim import CimInstance
from tui.wsman.client import CimClient, OnExchange, Throttle

V2 = "root/virtualization/v2"
PATIENCE = 60.0
UNDER_WAY = (Phase.REQUESTED, Phase.ACCEPTED)
MIGRATE = "MigrateVirtualSystemToHost"


class Line:
    """A transport to one host; the hosts of a fabric share one world, so one at a time."""

    def __init__(self, moves: Moves, host: str) -> None:
        self._moves = moves
        self._host = host
        self._sessions = Enumerations()

    def send(self, envelope: bytes) -> bytes:
        with self._moves.lock:
            if self._moves.mute_after == self._host and self._moves.sent:
                raise Unreachable(f"{self._host} does not answer")
            asked = invoked(envelope)
            if asked is not None:
                self._moves.invoked.append((self._host, asked.method))
                if asked.method == MIGRATE and self._moves.unheard == "never sent":
                    raise Dropped("the line broke", sent=True)
            host = self._moves.fabric.hosts[self._host]
            told = answer(host, self._sessions, envelope, "tester")[1]
            if asked is not None and asked.method == MIGRATE and self._moves.unheard:
                raise Dropped("the line broke", sent=True)
            return told

    def close(self) -> None:
        self._sessions = Enumerations()


@dataclass
class Moves:
    """Hosts to move machines between."""

    fabric: Fabric
    lock: threading.Lock = field(default_factory=threading.Lock)
    invoked: list[tuple[str, str]] = field(default_factory=list)
    unheard: str = ""
    """``never sent`` or ``answer lost``: what becomes of the call that migrates."""
    mute_after: str = ""
    """The host that answers nothing more once something was asked to move."""
    updates: list[CallUpdate] = field(default_factory=list)
    _session: Session | None = None
    _number: int = 0

    def client(self, host: str) -> CimClient:
        return CimClient(Line(self, host), url="inproc:", name=host)

    def connect(self, link: HostLink, throttle: Throttle, on_exchange: OnExchange) -> CimClient:
        return self.client(link.id)

    @property
    def session(self) -> Session:
        if self._session is None:
            links = [HostLink(host, f"http://{host}/wsman") for host in self.fabric.hosts]
            self._session = Session(links, connect=self.connect)
            self._session.load()
        return self._session

    def inventories(self) -> dict[str, Inventory]:
        return self.session.load()

    # -- truth -----------------------------------------------------------------------------

    def wql(self, host: str, text: str) -> list[CimInstance]:
        return self.client(host).query(V2, text)

    def vm(self, host: str, name: str) -> str:
        (row,) = self.wql(
            host, f"SELECT Name FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
        )
        return str(row["Name"])

    def where(self, vm: str) -> list[str]:
        """Hosts that list the machine."""
        wql = f"SELECT Name FROM Msvm_ComputerSystem WHERE Name = '{vm}'"
        return [host for host in self.fabric.hosts if self.wql(host, wql)]

    def images(self, host: str, vm: str) -> list[str]:
        wql = (
            "SELECT * FROM Msvm_StorageAllocationSettingData "
            f"WHERE InstanceID LIKE 'Microsoft:{vm}%'"
        )
        paths = [row["HostResource"] for row in self.wql(host, wql)]
        return [str(path) for found in paths if isinstance(found, tuple) for path in found]

    def plugged(self, host: str, vm: str) -> set[str]:
        """Switches of the host that the machine is connected to."""
        switches = self.wql(host, "SELECT Name, ElementName FROM Msvm_VirtualEthernetSwitch")
        names = {str(row["Name"]).upper(): str(row["ElementName"]) for row in switches}
        wql = (
            "SELECT * FROM Msvm_EthernetPortAllocationSettingData "
            f"WHERE InstanceID LIKE 'Microsoft:{vm}%'"
        )
        ports = str([row["HostResource"] for row in self.wql(host, wql)]).upper()
        return {name for guid, name in names.items() if guid in ports}

    # -- doing -----------------------------------------------------------------------------

    def call(self, action: str, host: str, vm: str, **arguments: Any) -> CallUpdate:
        """Run an action on a machine of a host, to its end."""
        self._number += 1
        self.invoked.clear()
        self.updates.clear()
        call = Call(f"call-{self._number}", action, host, vm, arguments)
        last = self.session.run(
            [call], self.updates.append, timeout=PATIENCE, also=tuple(self.fabric.hosts)
        )
        return last[call.id]

    def carry(self, store: Store, host: str, vm: str, to: str) -> Phase:
        """A move that a store looks on at, from its start until the row has followed."""
        self._number += 1
        call = Call(f"call-{self._number}", "vm.migrate", host, vm, {"destination": to})
        hub = self.session._hub
        self.session._crew.submit(call)
        deadline = time.monotonic() + PATIENCE
        phase = Phase.REQUESTED
        while not phase.final or store.vms[vm].host.id != (to if phase is Phase.OBSERVED else host):
            assert time.monotonic() < deadline, (phase, store.vms[vm].host.id)
            store.apply(hub.batch(0.05), time.time())
            known = store.calls.get(call.id)
            phase = known.phase if known is not None else phase
            assert phase in (*UNDER_WAY, Phase.OBSERVED), known
        return phase

    def watched(self) -> Store:
        """A store that has taken in everything, with lanes that go on looking."""
        links = tuple(self.session.links.values())
        store = Store()
        store.configure(links)
        for link in links:
            self.session._hub.resync(link.id)
            self.session._crew.watch(link).start()
        deadline = time.monotonic() + PATIENCE
        while not store.vms or any(
            vm not in store.histories for vm, row in store.vms.items() if row.vitals.state == 2
        ):
            assert time.monotonic() < deadline, "no history of what runs"
            store.apply(self.session._hub.batch(0.05), time.time())
        return store

    def migrate(self, name: str, host: str, to: str, **arguments: Any) -> CallUpdate:
        """The same for a move to another host."""
        vm = self.vm(host, name)
        return self.call("vm.migrate", host, vm, destination=to, **arguments)

    def refused(self, name: str, host: str, to: str, **arguments: Any) -> str:
        """The same, refused before anything was asked of the host; why."""
        update = self.migrate(name, host, to, **arguments)
        assert update.phase is Phase.REFUSED, update
        assert MIGRATE not in [method for _, method in self.invoked]
        assert update.trouble is not None
        return update.trouble.cause

    def ask(self, name: str, host: str, to: str) -> Answer:
        """What the host says to it."""
        vm = self.vm(host, name)
        self.inventories()
        session = self.session
        self._number += 1
        call = Call(f"call-{self._number}", "vm.migrate", host, vm, {"destination": to}, ask=True)
        session._crew.submit(call)
        found: list[Answer] = []
        while not found:
            found = [one for one in session._hub.batch(PATIENCE).answers if one.id == call.id]
        return found[0]

    @property
    def sent(self) -> int:
        """How often a host was asked to move something."""
        return [method for _, method in self.invoked].count(MIGRATE)


@contextlib.contextmanager
def moves(
    scene: str = "migration", *, speed: float = 600.0,
    change: Callable[[Fabric], None] | None = None,
    **patience: float,
) -> Iterator[Moves]:  # fmt: skip
    """The scene with a clock that runs fast, and lanes that look often."""
    fabric = scenes.build(scene, clock=RunningClock(speed), seed=7)
    for host in fabric.hosts.values():
        host.ensure()
    if change is not None:
        change(fabric)
    made = Moves(fabric)
    defaults = {**(Act.__init__.__kwdefaults__ or {}), **patience}
    with (
        patch("tui.collector.act.FIRST_POLL", 0.01),
        patch("tui.collector.act.SLOWEST_POLL", 0.05),
        patch("tui.collector.act.LOOK_AGAIN", 0.1),
        patch("tui.collector.following.FIRST_POLL", 0.01),
        patch.object(Act.__init__, "__kwdefaults__", defaults),
    ):
        try:
            yield made
        finally:
            if made._session is not None:
                made._session.close()

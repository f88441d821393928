"""The collector's lanes over real sockets, and a fabric whose faults turn while it serves."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.hyperv_kit import describe
from tests.link_kit import PASSWORD, USER, serving
from tui.collector.crew import Crew
from tui.collector.hub import Hub
from tui.collector.messages import Batch, Call, CallUpdate, Configure, Exchange, HostLink, Phase
from tui.hyperv.model import HostVitals, Inventory, Link, Trouble, Vm
from tui.sim import command, scenes
from tui.sim.faults import Faults
from tui.sim.http import Answer, Endpoint
from tui.sim.world import Fabric, RunningClock
from tui.wsman import request
from tui.wsman.client import CimClient
from tui.wsman.transport import WinRMSettings, WinRMTransport

V2 = "root/virtualization/v2"
STATES = {"running": 2, "off": 3, "saved": 6, "paused": 9}
PATIENCE = 90.0
"""Seconds for anything to happen."""
CHANGING = ("RequestStateChange", "InitiateShutdown", "InitiateReboot", "ModifySystemSettings")


class Heard:
    """An ``Answer`` that keeps what it was asked, in a few words each."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Condition()
        self._asked: list[str] = []
        self._unread: list[bytes] = []

    def __call__(self, envelope: bytes, user: str) -> tuple[int, bytes]:
        with self._lock:
            self._unread.append(envelope)
            self._lock.notify_all()
        return self._answer(envelope, user)

    def wait(self, word: str, more: int = 1) -> None:
        """Until so many more requests that hold ``word`` have come."""
        wanted = self.count(word) + more
        with self._lock:
            arrived = self._lock.wait_for(lambda: self._count(word) >= wanted, PATIENCE)
        assert arrived, f"{word} was not asked"

    def take(self) -> list[str]:
        """What was asked since the last time."""
        with self._lock:
            self._read()
            asked, self._asked = self._asked, []
        return asked

    def count(self, word: str) -> int:
        """How many requests so far hold ``word``."""
        with self._lock:
            return self._count(word)

    def _count(self, word: str) -> int:
        self._read()
        return sum(word in asked for asked in self._asked)

    def _read(self) -> None:
        """Only when somebody wants to know: most of what is asked nobody does."""
        self._asked += (describe(request.decode(envelope)[1]) for envelope in self._unread)
        self._unread.clear()


@dataclass
class Estate:
    """A fabric served on loopback from a thread of this process."""

    fabric: Fabric
    endpoints: dict[str, Endpoint]
    heard: dict[str, Heard]
    first: str = ""

    def __post_init__(self) -> None:
        self.first = next(iter(self.endpoints))

    def faults(self, host: str = "") -> Faults:
        return self.fabric.hosts[host or self.first].faults

    def link(self, host: str = "", **more: object) -> HostLink:
        """How to reach a host: NTLM, sealed messages."""
        values: dict[str, object] = {
            "user": USER,
            "password": PASSWORD,
            "message_encryption": "always",
            "operation_timeout": 5,
            **more,
        }
        name = host or self.first
        return HostLink(name, self.endpoints[name].url, **values)  # type: ignore[arg-type]

    def links(self, **more: object) -> tuple[HostLink, ...]:
        return tuple(self.link(name, **more) for name in self.endpoints)

    def truth(self, host: str = "") -> dict[str, int]:
        """Machine names and states by plain WQL over a connection of its own."""
        return true_states(self.endpoints[host or self.first].url)

    def changes(self, host: str = "") -> int:
        """How many requests that change something the host has taken."""
        heard = self.heard[host or self.first]
        return sum(heard.count(word) for word in CHANGING)


def true_states(url: str, user: str = USER, password: str = PASSWORD) -> dict[str, int]:
    """Machine names and their EnabledState, asked of the host itself."""
    settings = WinRMSettings(url, user, password, message_encryption="always")
    transport = WinRMTransport(settings)
    try:
        rows = CimClient(transport, url=url).query(V2, "SELECT * FROM Msvm_ComputerSystem")
    finally:
        transport.close()
    states = {}
    for row in rows:
        state = row["EnabledState"]
        if row["Caption"] == "Virtual Machine" and isinstance(state, int):
            states[str(row["ElementName"])] = state
    return states


@contextlib.contextmanager
def estate(
    scene: str = "homelab", *, speed: float = 30.0, hosts: int = 0, vms: int = 0
) -> Iterator[Estate]:
    """A scene on loopback; its faults may be turned at any time."""
    fabric = scenes.build(scene, clock=RunningClock(speed), hosts=hosts, vms=vms)
    endpoints = {
        host.name: command.endpoint(host, "127.0.0.1", 0) for host in fabric.hosts.values()
    }
    heard = {}
    for name, endpoint in endpoints.items():
        endpoint.answer = heard[name] = Heard(endpoint.answer)
    with serving(*endpoints.values()):
        yield Estate(fabric, endpoints, heard)


@dataclass
class Line:
    """Hub and crew as the collector's process has them, and what they have told."""

    hub: Hub
    crew: Crew
    calls: dict[str, list[CallUpdate]] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    last: Batch = field(default_factory=Batch)
    vitals: list[HostVitals] = field(default_factory=list)
    """Every state of every host that was told, oldest first."""
    _number: int = 0

    def take(self, timeout: float = 1.0) -> Batch:
        """The next batch."""
        self.last = batch = self.hub.batch(timeout)
        for call in batch.calls:
            self.calls.setdefault(call.id, []).append(call)
        self.exchanges += batch.exchanges
        self.vitals += [update.vitals for update in batch.updates if update.vitals is not None]
        return batch

    def until(self, happened: Callable[[], object], what: str = "") -> None:
        """Take batches until something has happened."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, f"it never came to pass: {what} {self.calls}"
            self.take(0.2)

    def read(self, *hosts: str) -> None:
        """Until all tiers of these hosts have been read."""
        self.until(lambda: all(self._complete(host) for host in hosts), f"{hosts} complete")

    def _complete(self, host: str) -> bool:
        inventory = self.hub.inventory(host)
        if inventory is None or not inventory.host.memory or not inventory.host.numa_nodes:
            return False
        return all(vm.complete for vm in inventory.vms.values()) and self.is_up(host)

    def inventory(self, host: str) -> Inventory:
        inventory = self.hub.inventory(host)
        assert inventory is not None
        return inventory

    def is_up(self, host: str) -> bool:
        return self.inventory(host).vitals.link in (Link.UP, Link.SLOW)

    def is_down(self, host: str) -> bool:
        return self.inventory(host).vitals.link is Link.DOWN

    def trouble(self, host: str) -> Trouble:
        trouble = self.inventory(host).vitals.trouble
        assert trouble is not None
        return trouble

    def vm(self, host: str, name: str) -> Vm:
        return next(vm for vm in self.inventory(host).vms.values() if vm.name == name)

    def state(self, host: str, name: str) -> int:
        return self.inventory(host).vm_vitals[self.vm(host, name).id].state

    def call(self, action: str, host: str, vm_name: str, /, **arguments: object) -> Call:
        """A call as the deck would make it, seen state included."""
        self._number += 1
        vm = self.vm(host, vm_name)
        seen = self.inventory(host).vm_vitals[vm.id].state
        return Call(f"call-{self._number}", action, host, vm.id, dict(arguments), seen)

    def submit(self, *calls: Call) -> None:
        for call in calls:
            self.crew.submit(call)

    def final(self, call: Call) -> CallUpdate:
        """Wait for the end of a call."""
        self.until(lambda: self.phases(call) and self.calls[call.id][-1].phase.final, call.action)
        return self.calls[call.id][-1]

    def phases(self, call: Call) -> list[Phase]:
        """The phases gone through, each once."""
        found: list[Phase] = []
        for update in self.calls.get(call.id, ()):
            if update.phase not in found:
                found.append(update.phase)
        return found

    def everything_told(self) -> str:
        """All texts that could reach a screen or a log, as one."""
        told = [repr(update) for updates in self.calls.values() for update in updates]
        told += [repr(exchange) for exchange in self.exchanges]
        told += [repr(vitals) for vitals in self.vitals]
        told += [repr(inventory) for inventory in self.hub.inventories().values()]
        return json.dumps(told, ensure_ascii=False)


@contextlib.contextmanager
def line(links: Sequence[HostLink], *, fast: float = 0.2, slow: float = 600.0) -> Iterator[Line]:
    """Lanes to these hosts; no cap keeps them from being idle."""
    hub = Hub()
    crew = Crew(hub)
    crew.configure(Configure(tuple(links), fast, slow, requests_per_minute=0))
    try:
        yield Line(hub, crew)
    finally:
        crew.stop(5.0)

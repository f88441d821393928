"""Where lanes publish and the deck's credit is answered: one place, coalesced per host.

Lanes (threads) publish whole inventories and events; ``batch`` returns what changed since the
batch before. A burst from one host collapses to its last inventory; events are never dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from tui.collector.ledger import Ledger
from tui.collector.messages import Answer, Batch, CallUpdate, Exchange, HostLoad, Update
from tui.hyperv.cluster import Cluster
from tui.hyperv.meters import Meters
from tui.hyperv.model import Host, HostVitals, Inventory, Link, Record
from tui.hyperv.sheet import Sheet

SILENT_FOR = 60.0
"""Seconds a node that does not tell of its cluster is passed over."""
READS_PER_BATCH = 40
"""Reading exchanges are a sample; failures and acting ones are kept in full."""
LOADS_EVERY = 2.0
"""Seconds between what is told of loads, at least."""
OPERATIONS_EVERY = 10.0
"""The same of the operations behind them."""

R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class _Station:
    """What the hub holds of one host."""

    current: Inventory
    sent: Inventory | None = None
    seq: int = 0
    dirty: bool = True


@dataclass(slots=True)
class _Outbox:
    calls: list[CallUpdate] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    reads: deque[Exchange] = field(default_factory=lambda: deque(maxlen=READS_PER_BATCH))


@dataclass(slots=True)
class _Account:
    """A ledger, and when it is told of again."""

    ledger: Ledger
    due: float = 0.0
    operations_due: float = 0.0


class Hub:
    """Thread-safe meeting point of the lanes and whoever asks for batches."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._stations: dict[str, _Station] = {}
        self._outbox = _Outbox()
        self._accounts: dict[str, _Account] = {}
        self._busy: dict[object, bool] = {}
        self._listeners: list[Callable[[Inventory], None]] = []
        self._idle_told = False
        self._mute: dict[str, float] = {}
        """Hosts that did not tell of their cluster, and until when they are not asked."""

    # -- lanes -----------------------------------------------------------------------------

    def publish(self, inventory: Inventory) -> None:
        """A host as it is now. Takes the place of what was published before."""
        host = inventory.host.id
        with self._changed:
            station = self._stations.get(host)
            if station is None:
                self._stations[host] = _Station(inventory)
            else:
                station.current = inventory
                station.dirty = True
            self._changed.notify_all()
        for listener in tuple(self._listeners):
            listener(inventory)

    def forget(self, host: str) -> None:
        """The host is no longer configured."""
        with self._changed:
            self._stations.pop(host, None)
            self._accounts.pop(host, None)

    def report(self, update: CallUpdate) -> None:
        """Progress of a call."""
        with self._changed:
            self._outbox.calls.append(update)
            self._changed.notify_all()

    def answer(self, answer: Answer) -> None:
        """What a host said to a question."""
        with self._changed:
            self._outbox.answers.append(answer)
            self._changed.notify_all()

    def show(self, sheet: Sheet) -> None:
        """A machine in full. Takes the place of an earlier one not yet sent."""
        with self._changed:
            self._outbox.sheets[sheet.id] = sheet
            self._changed.notify_all()

    def log(self, exchange: Exchange) -> None:
        """One request and its answer."""
        with self._changed:
            if account := self._accounts.get(exchange.host):
                account.ledger.note(exchange, self._clock())
            if exchange.lane == "watch" and exchange.outcome == "ok":
                self._outbox.reads.append(exchange)
            else:
                self._outbox.exchanges.append(exchange)
                self._changed.notify_all()

    def ledger(self, host: str) -> Ledger:
        """Where what is asked of a host is counted from now on."""
        with self._changed:
            if host not in self._accounts:
                self._accounts[host] = _Account(Ledger(host))
            return self._accounts[host].ledger

    def listen(self, listener: Callable[[Inventory], None]) -> Callable[[], None]:
        """Call ``listener`` with every inventory published; answers how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def inventory(self, host: str) -> Inventory | None:
        """The newest inventory of a host."""
        with self._changed:
            station = self._stations.get(host)
            return station.current if station else None

    def inventories(self) -> dict[str, Inventory]:
        """The newest inventory of every host."""
        with self._changed:
            return {host: station.current for host, station in self._stations.items()}

    def speaker(self, cluster: str) -> str:
        """The host that tells of a cluster: the first by id of its nodes that answer. One whose
        cluster service does not is passed over for a while, as long as there is another.
        """
        now = time.monotonic()
        with self._changed:
            nodes = [
                host
                for host, station in self._stations.items()
                if station.current.host.cluster == cluster
                and station.current.vitals.link in (Link.UP, Link.SLOW)
            ]
        talking = [node for node in nodes if self._mute.get(node, 0.0) <= now]
        return min(talking or nodes, default="")

    def mute(self, host: str) -> None:
        """A node answers, but does not tell of its cluster."""
        with self._changed:
            self._mute[host] = time.monotonic() + SILENT_FOR

    def unmute(self, host: str) -> None:
        """It does again."""
        with self._changed:
            self._mute.pop(host, None)

    def cluster(self, name: str) -> tuple[Cluster, float] | None:
        """The newest word on a cluster, and its Unix time."""
        with self._changed:
            told = [
                (station.current.cluster_at, station.current.cluster)
                for station in self._stations.values()
                if station.current.cluster is not None and station.current.cluster.name == name
            ]
        if not told:
            return None
        at, found = max(told, key=lambda one: one[0])
        return found, at

    def set_busy(self, worker: object, *, busy: bool) -> None:
        """A lane tells whether it has work under way."""
        with self._changed:
            self._busy[worker] = busy
            if not busy:
                self._changed.notify_all()

    def retire(self, worker: object) -> None:
        """A lane has ended."""
        with self._changed:
            self._busy.pop(worker, None)

    # -- whoever asks ----------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """No refresh running, no call queued, no job followed."""
        with self._changed:
            return not any(self._busy.values())

    def resync(self, host: str) -> None:
        """Send the whole inventory of a host with the next batch."""
        with self._changed:
            if station := self._stations.get(host):
                station.sent = None
                station.dirty = True
                self._changed.notify_all()

    def batch(self, timeout: float) -> Batch:
        """What changed since the last batch; waits up to ``timeout`` seconds for something to."""
        with self._changed:
            self._changed.wait_for(self._worth_telling, timeout)
            idle = not any(self._busy.values())
            self._idle_told = idle
            updates = tuple(
                _update(station) for station in self._stations.values() if station.dirty
            )
            outbox, self._outbox = self._outbox, _Outbox()
            loads = tuple(self._loads(self._clock()))
        exchanges = (*outbox.exchanges, *outbox.reads)
        sheets = tuple(outbox.sheets.values())
        return Batch(
            updates, tuple(outbox.calls), sheets, tuple(outbox.answers), exchanges, loads, idle=idle
        )

    def _loads(self, now: float) -> Iterator[HostLoad]:
        """Of hosts that have been asked something, those whose load is due again."""
        for account in self._accounts.values():
            if now < account.due or not account.ledger.requests:
                continue
            whole = now >= account.operations_due
            account.due = now + LOADS_EVERY
            if whole:
                account.operations_due = now + OPERATIONS_EVERY
            yield account.ledger.load(now, operations=whole)

    def loads(self) -> tuple[HostLoad, ...]:
        """Of every host that has been asked something, as they stand now."""
        with self._changed:
            now = self._clock()
            ledgers = [account.ledger for account in self._accounts.values()]
            return tuple(one.load(now, operations=True) for one in ledgers if one.requests)

    def _worth_telling(self) -> bool:
        outbox = self._outbox
        waiting = outbox.calls or outbox.answers or outbox.exchanges or outbox.sheets
        if waiting or any(station.dirty for station in self._stations.values()):
            return True
        return not self._idle_told and not any(self._busy.values())


def _update(station: _Station) -> Update:
    """The step from what was sent to what is; marks it as sent."""
    old, new = station.sent, station.current
    station.seq += 1
    station.sent = new
    station.dirty = False
    full = old is None
    if old is None:
        old = Inventory(Host("", ""), HostVitals(""))
    return Update(
        host=new.host.id,
        seq=station.seq,
        read_at=new.vitals.read_at,
        full=full,
        info=new.host if new.host != old.host else None,
        vitals=new.vitals if new.vitals != old.vitals else None,
        vms=_changed(old.vms, new.vms),
        vm_vitals=_changed(old.vm_vitals, new.vm_vitals),
        gone_vms=_gone(old.vms, new.vms),
        switches=_changed(old.switches, new.switches),
        gone_switches=_gone(old.switches, new.switches),
        jobs=_changed(old.jobs, new.jobs),
        gone_jobs=_gone(old.jobs, new.jobs),
        replicas=_changed(old.replicas, new.replicas),
        gone_replicas=_gone(old.replicas, new.replicas),
        cluster=new.cluster if new.cluster != old.cluster else None,
        cluster_at=new.cluster_at,
        meters=_meters(old, new),
    )


def _meters(old: Inventory, new: Inventory) -> Meters | None:
    """The measurements when any has moved; empty ones when nobody looks any more."""
    if new.meters == old.meters:
        return None
    return new.meters or Meters(new.host.id)


def _changed(old: Mapping[str, R], new: Mapping[str, R]) -> tuple[R, ...]:
    return tuple(
        record
        for key, record in new.items()
        if (before := old.get(key)) is not record and before != record
    )


def _gone(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(key for key in old if key not in new)

"""What one host was asked and how fast it answered: the last minute, the last hour, by operation.

A fixed amount of memory, whatever is asked. Time arrives as an argument; has no lock of its own.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tui.collector.allowance import MINUTE, Allowance
from tui.collector.messages import Exchange, HostLoad, LaneLoad, OperationLoad

RECENT = 300.0
"""Seconds a round trip counts among the recent ones."""
TRIPS = 256
"""Recent round trips kept."""
OPERATIONS = 120
"""Kinds of request that are told apart; reading a node in full takes some 80."""
SAMPLES = 32
"""Durations kept of each of them."""
TOLD = 20
"""Operations told: those that took most time together."""
OTHERS = "(others, asked long ago)"

_VALUE = re.compile(r"'[^']*'|\{[^}]*\}")
_KEYED = re.compile(r"((?:Get|Put) \S+).*")


def kind_of(operation: str) -> str:
    """An operation without the values it was asked with, so that like is counted with like."""
    keyed = _KEYED.fullmatch(operation)
    return keyed[1] if keyed else _VALUE.sub(_emptied, operation)


def _emptied(value: re.Match[str]) -> str:
    """``'…'``, and of an object in braces its class."""
    text = value[0]
    return "'…'" if text[0] == "'" else f"{text.partition('.')[0].rstrip('}')}}}"


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The least of ascending values that ``share`` of them do not exceed."""
    if not ordered:
        return None
    return ordered[min(len(ordered), max(1, math.ceil(share * len(ordered)))) - 1]


class _Slots:
    """Sums over equal spans of time, the latest so many of them."""

    def __init__(self, step: float, slots: int) -> None:
        self._step = step
        self._sums = array("d", [0.0]) * slots
        self._head = 0

    def add(self, at: float, amount: float) -> None:
        self._turn(at)
        self._sums[self._head % len(self._sums)] += amount

    def values(self, at: float) -> list[float]:
        """All of them, the current one last."""
        self._turn(at)
        cut = (self._head + 1) % len(self._sums)
        return [*self._sums[cut:], *self._sums[:cut]]

    def total(self, at: float) -> float:
        self._turn(at)
        return sum(self._sums)

    def _turn(self, at: float) -> None:
        """Clear what is over. Time that goes back is taken for a standstill."""
        slot = int(at // self._step)
        count = len(self._sums)
        for passed in range(max(self._head + 1, slot - count + 1), slot + 1):
            self._sums[passed % count] = 0.0
        self._head = max(self._head, slot)


class _Lane:
    """The sums of the lanes of one name."""

    def __init__(self) -> None:
        self.requests = _Slots(1.0, int(MINUTE))
        self.bytes = _Slots(1.0, int(MINUTE))
        self.waited = _Slots(1.0, int(MINUTE))
        self.failures = _Slots(MINUTE, 60)


class _Trip(NamedTuple):
    seconds: float
    at: float
    operation: str


class _Operation:
    """What one kind of request has cost."""

    def __init__(self, lanes: Iterable[str] = ()) -> None:
        self.lanes = set(lanes)
        self.count = 0
        self.bytes = 0
        self.seconds = 0.0
        self.failures = 0
        self.at = 0.0
        self.latest: deque[float] = deque(maxlen=SAMPLES)

    def swallow(self, other: _Operation) -> None:
        """Count what another has cost as its own."""
        self.lanes |= other.lanes
        self.count += other.count
        self.bytes += other.bytes
        self.seconds += other.seconds
        self.failures += other.failures
        self.at = max(self.at, other.at)
        self.latest.extend(other.latest)


class Ledger:
    """One host's."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.allowance = Allowance()
        """What reading may ask."""
        self.requests = 0
        self.bytes = 0
        self._lanes: dict[str, _Lane] = {}
        self._minutes = _Slots(MINUTE, 60)
        self._trips: deque[_Trip] = deque(maxlen=TRIPS)
        self._operations: OrderedDict[str, _Operation] = OrderedDict()
        self._others = _Operation()

    def note(self, exchange: Exchange, at: float) -> None:
        """Count one exchange that ended at ``at``, on the clock all times here are of."""
        self.requests += exchange.requests
        self.bytes += exchange.bytes
        self._minutes.add(at, exchange.requests)
        lane = self._lanes.setdefault(exchange.lane, _Lane())
        lane.requests.add(at, exchange.requests)
        lane.bytes.add(at, exchange.bytes)
        lane.waited.add(at, exchange.waited)
        failed = exchange.outcome != "ok"
        if failed:
            lane.failures.add(at, 1)
        if not exchange.requests:
            return
        kind = kind_of(exchange.operation)
        self._trips.append(_Trip(exchange.seconds, at, kind))
        self._count(kind, exchange, failed=failed)

    def _count(self, kind: str, exchange: Exchange, *, failed: bool) -> None:
        known = self._operations.get(kind)
        if known is None:
            known = self._operations[kind] = _Operation()
        self._operations.move_to_end(kind)
        if len(self._operations) > OPERATIONS:
            _, oldest = self._operations.popitem(last=False)
            self._others.swallow(oldest)
        known.lanes.add(exchange.lane)
        known.count += exchange.requests
        known.bytes += exchange.bytes
        known.seconds += exchange.seconds
        known.failures += failed
        known.at = exchange.at
        known.latest.append(exchange.seconds)

    def load(self, at: float, *, operations: bool = False) -> HostLoad:
        """How it stands."""
        while self._trips and self._trips[0].at <= at - RECENT:
            self._trips.popleft()
        ordered = sorted(trip.seconds for trip in self._trips)
        slowest = max(self._trips, default=None)
        return HostLoad(
            self.host,
            self.requests,
            self.bytes,
            tuple(_lane(name, lane, at) for name, lane in sorted(self._lanes.items())),
            percentile(ordered, 0.5),
            percentile(ordered, 0.95),
            slowest.operation if slowest else "",
            slowest.seconds if slowest else 0.0,
            tuple(int(value) for value in self._minutes.values(at)),
            self.allowance.limit,
            self.allowance.held_until > at - MINUTE,
            self._costliest() if operations else None,
        )

    def _costliest(self) -> tuple[OperationLoad, ...]:
        known = [*self._operations.items()]
        if self._others.count:
            known.append((OTHERS, self._others))
        known.sort(key=lambda pair: -pair[1].seconds)
        return tuple(_operation(name, operation) for name, operation in known[:TOLD])


def _lane(name: str, lane: _Lane, at: float) -> LaneLoad:
    return LaneLoad(
        name,
        int(lane.requests.total(at)),
        int(lane.bytes.total(at)),
        lane.waited.total(at),
        int(lane.failures.total(at)),
    )


def _operation(name: str, operation: _Operation) -> OperationLoad:
    ordered = sorted(operation.latest)
    return OperationLoad(
        name,
        "+".join(sorted(operation.lanes)),
        operation.count,
        operation.bytes,
        operation.seconds,
        percentile(ordered, 0.5) or 0.0,
        percentile(ordered, 0.95) or 0.0,
        max(ordered, default=0.0),
        operation.failures,
        operation.at,
    )

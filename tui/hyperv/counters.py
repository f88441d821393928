r"""Raw performance counters cooked by hand: two samples of an instance give its values.

TABLE: which counter type each column is of. The formulas are those Windows documents for each
type; cooked classes would make the host sample itself, twice. Knows what instance names look
like, not what they are joined with.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from tui.hyperv import paths
from tui.wsman.cim import CimInstance, CimType
from tui.wsman.schema import CIMV2, cim_class

_TICKS = 10_000_000
"""Sys100NS ticks in a second."""
_SUMMED = 1.5
"""A total whose base grew by more than this many times the clock sums several processors."""
_WRAP = 1 << 32
_FASTEST = 50e6
"""Things per second that a 32-bit count may seem to have counted; beyond that it restarted."""
_LONGEST = 60.0
"""Seconds one operation may seem to take; beyond that its counters do not belong together."""
_SURE = 0.25
"""How far a reckoned number of times may be from a whole one."""
_WAITING = 100_000
"""So many never wait: a larger queue length is an integral over time."""

PROCESSOR = "Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor"
VIRTUAL_PROCESSOR = "Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor"
MEMORY = "Win32_PerfRawData_BalancerStats_HyperVDynamicMemoryVM"
BALANCER = "Win32_PerfRawData_BalancerStats_HyperVDynamicMemoryBalancer"
ADAPTER = "Win32_PerfRawData_NvspNicStats_HyperVVirtualNetworkAdapter"
SWITCH = "Win32_PerfRawData_NvspSwitchStats_HyperVVirtualSwitch"
STORAGE = "Win32_PerfRawData_Counters_HyperVVirtualStorageDevice"
UPLINK = "Win32_PerfRawData_Tcpip_NetworkInterface"
VOLUME = "Win32_PerfRawData_PerfDisk_LogicalDisk"
SHARED_VOLUME = "Win32_PerfRawData_CsvFsPerfProvider_ClusterCSVFS"


@dataclass(frozen=True, slots=True)
class Step:
    """Two samples of one instance; the first is None when there was none to go on from."""

    before: CimInstance | None
    after: CimInstance
    seconds: float
    """Between them, by the host's own clock."""
    narrow: Container[str] = frozenset()
    """Columns of 32 bits, which begin at zero again when they are full."""

    def grown(self, column: str) -> int | None:
        """By how much a count grew; None when it restarted or is not there."""
        if self.before is None:
            return None
        old, new = self.before.get(column), self.after.get(column)
        if not isinstance(old, int) or not isinstance(new, int):
            return None
        if new >= old:
            return new - old
        return (new - old) % _WRAP if column in self.narrow else None

    def counted(self, column: str) -> int | None:
        """``grown`` of something that is counted one by one, unless absurdly fast."""
        grown = self.grown(column)
        if grown is None or (column in self.narrow and grown > _FASTEST * max(self.seconds, 1.0)):
            return None
        return grown

    def number(self, column: str) -> int | None:
        found = self.after.get(column)
        return found if isinstance(found, int) else None


# -- counter types -------------------------------------------------------------------------


def rate(step: Step, column: str) -> float | None:
    """PERF_COUNTER_COUNTER and BULK_COUNT: so many a second."""
    count = step.counted(column)
    return count / step.seconds if step.seconds > 0 and count is not None else None


def share(step: Step, column: str) -> float | None:
    """PRECISION timers, percent of their base; without a base 100NSEC_TIMER, of the clock."""
    based = step.number(_base(column)) is not None
    run, whole = step.grown(column), step.grown(_base(column) if based else "Timestamp_Sys100NS")
    return _percent(run, whole) if run is not None and whole else None


def average_timer(step: Step, column: str) -> float | None:
    """PERF_AVERAGE_TIMER: seconds each took; None while there were none."""
    frequency = step.number("Frequency_PerfTime")
    spent, times = step.grown(column), step.counted(_base(column))
    if spent is None or not times or not frequency:
        return None
    seconds = spent / frequency / times
    return seconds if seconds <= _LONGEST else None


def device_latency(step: Step, column: str) -> float | None:
    """An average timer of a device. Its 32 bits are full within seconds where many wait; how
    often they were, the queue tells if it was as long before as after, or nothing does."""
    latency, times = average_timer(step, column), step.counted(_base(column))
    waiting = [sample.get("QueueLength") for sample in (step.before, step.after) if sample]
    lengths = [length for length in waiting if isinstance(length, int) and length <= _WAITING]
    frequency = step.number("Frequency_PerfTime")
    if latency is None or not times or not lengths or not frequency:
        return latency
    full = _WRAP / frequency
    overs = [(length * step.seconds - latency * times) / full for length in lengths]
    over = sum(overs) / len(overs)
    if over < _SURE:
        return latency
    sure = abs(over - round(over)) < _SURE and len(set(map(round, overs))) == 1
    return latency + round(over) * full / times if sure else None


def average_bulk(step: Step, column: str) -> float | None:
    """PERF_AVERAGE_BULK: how much each was; None while there were none."""
    amount, times = step.grown(column), step.counted(_base(column))
    return amount / times if amount is not None and times else None


def raw_count(step: Step, column: str) -> float | None:
    """PERF_COUNTER_RAWCOUNT and LARGE_RAWCOUNT: as it is now."""
    return step.number(column)


def queue_time(step: Step, column: str) -> float | None:
    """100NS_QUEUELEN: how many waited on the average."""
    waited, clock = step.grown(column), step.grown("Timestamp_Sys100NS")
    return waited / clock if waited is not None and clock else None


def queue_length(step: Step, column: str) -> float | None:
    """A RAWCOUNT, or a 100NS_QUEUELEN: which of both is unverified, and its size tells."""
    now = step.number(column)
    if now is None or now <= _WAITING:
        return now
    return queue_time(step, column)


CounterType: TypeAlias = Callable[[Step, str], float | None]

_BASED = (share, average_timer, device_latency, average_bulk)
_GAUGES = (raw_count, queue_length)

_TRAFFIC: Mapping[str, CounterType] = dict.fromkeys(
    (
        "BytesReceivedPersec",
        "BytesSentPersec",
        "PacketsReceivedPersec",
        "PacketsSentPersec",
        "DroppedPacketsIncomingPersec",
        "DroppedPacketsOutgoingPersec",
    ),
    rate,
)

TYPES: Mapping[str, Mapping[str, CounterType]] = {
    PROCESSOR: {"PercentTotalRunTime": share},
    VIRTUAL_PROCESSOR: {
        "PercentGuestRunTime": share,
        "PercentHypervisorRunTime": share,
        "CPUWaitTimePerDispatch": average_bulk,
        "LogicalProcessorDispatchesPersec": rate,
    },
    MEMORY: {
        "CurrentPressure": raw_count,
        "AveragePressure": raw_count,
        "GuestVisiblePhysicalMemory": raw_count,
        "GuestAvailableMemory": raw_count,
        "SmartPagingWorkingSetSize": raw_count,
    },
    BALANCER: {"AveragePressure": raw_count, "AvailableMemoryForBalancing": raw_count},
    ADAPTER: _TRAFFIC,
    SWITCH: _TRAFFIC,
    STORAGE: {
        "ReadBytesPersec": rate,
        "WriteBytesPersec": rate,
        "ReadOperationsPerSec": rate,
        "WriteOperationsPerSec": rate,
        "Latency": device_latency,
        "QueueLength": queue_length,
    },
    UPLINK: {
        "BytesReceivedPersec": rate,
        "BytesSentPersec": rate,
        "PacketsReceivedPersec": rate,
        "PacketsSentPersec": rate,
        "PacketsReceivedDiscarded": rate,
        "PacketsReceivedErrors": rate,
        "PacketsOutboundDiscarded": rate,
        "PacketsOutboundErrors": rate,
        "CurrentBandwidth": raw_count,
    },
    VOLUME: {
        "DiskReadBytesPersec": rate,
        "DiskWriteBytesPersec": rate,
        "DiskReadsPersec": rate,
        "DiskWritesPersec": rate,
        "AvgDisksecPerTransfer": average_timer,
        "AvgDiskQueueLength": queue_time,
        "CurrentDiskQueueLength": raw_count,
    },
    SHARED_VOLUME: {
        "ReadBytesPersec": rate,
        "WriteBytesPersec": rate,
        "ReadsPersec": rate,
        "WritesPersec": rate,
        "AvgsecPerRead": average_timer,
        "AvgsecPerWrite": average_timer,
        "AvgReadQueueLength": queue_time,
        "AvgWriteQueueLength": queue_time,
        "CurrentReadQueueLength": raw_count,
        "CurrentWriteQueueLength": raw_count,
    },
}
"""Discarded packets are totals (LARGE_RAWCOUNT) to Windows; a second's worth of them is ours."""


def columns(class_name: str, *names: str) -> tuple[str, ...]:
    """What to ask of a class for these columns (all of the table): clocks and bases included."""
    types = TYPES[class_name]
    wanted = names or tuple(types)
    bases = (_base(name) for name in wanted if types[name] in _BASED)
    return (*_CLOCKS, *wanted, *bases)


_CLOCKS = ("Name", "Timestamp_PerfTime", "Frequency_PerfTime", "Timestamp_Sys100NS")


def _base(column: str) -> str:
    return f"{column}_Base"


@lru_cache
def _narrow(class_name: str) -> frozenset[str]:
    """Columns of 32 bits."""
    known = cim_class(CIMV2, class_name)
    found = known.properties.values() if known is not None else ()
    return frozenset(one.name for one in found if one.type is CimType.UINT32)


# -- the total of processors ---------------------------------------------------------------


def elapsed(before: CimInstance, after: CimInstance) -> float:
    """Seconds between two samples by the host's own clocks; 0 when it has not looked again,
    below zero when its clock began anew."""
    frequency = after.get("Frequency_PerfTime")
    ticks = _apart(before, after, "Timestamp_PerfTime")
    if ticks and isinstance(frequency, int) and frequency > 0:
        return ticks / frequency
    return _apart(before, after, "Timestamp_Sys100NS") / _TICKS


def _apart(before: CimInstance, after: CimInstance, column: str) -> int:
    old, new = before.get(column), after.get(column)
    return new - old if isinstance(old, int) and isinstance(new, int) else 0


def busy(before: CimInstance, after: CimInstance, column: str, processors: int) -> float | None:
    """Percent of ``processors`` that a summed run-time column was busy.

    The base of a total may be summed like the value, or be one processor's; its growth against
    the clock tells which. Without a base the value counts 100 ns of run time.
    """
    step = Step(before, after, elapsed(before, after))
    run, clock = step.grown(column), step.grown("Timestamp_Sys100NS")
    base = step.grown(_base(column))
    if run is None:
        return None
    if base and (not clock or base > _SUMMED * clock or processors == 1):
        return _percent(run, base)
    whole = base or clock
    if not whole or processors < 1:
        return None
    return _percent(run, whole * processors)


def _percent(part: int, whole: int) -> float:
    return min(100.0, 100.0 * part / whole)


# -- instance names ------------------------------------------------------------------------

_REPEATED = re.compile(r"#\d+\Z")
_ALTERED = str.maketrans("()#/\\", "[]___")


def total(name: str) -> bool:
    """The sum of all instances."""
    return name.lower() == "_total"


def family(name: str) -> str:
    """An instance name without the number that sets it apart from others of its name."""
    return _REPEATED.sub("", name).lower()


def comparable(name: str) -> str:
    """A display name as instance names have it: some characters are altered, case is not told."""
    return name.translate(_ALTERED).lower()


def adapter_owner(name: str, vm_ids: Container[str]) -> str:
    """The VM whose GUID is in a network adapter's instance name; empty: the host's own."""
    return next((found for found in paths.guids(name) if found in vm_ids), "")


def image_key(path: str) -> str:
    r"""Path of an image and instance name of its counter, made comparable.

    Instance names have ``-`` for ``\`` and sometimes for ``:``, and may keep the ``\\?\`` prefix.
    """
    text = path.replace("\\", "-").replace(":", "-").replace("/", "-").lower()
    for prefix, replacement in (("--?-unc-", "--"), ("--?-", "")):
        if text.startswith(prefix):
            return replacement + text[len(prefix) :]
    return text


# -- meters --------------------------------------------------------------------------------

Values: TypeAlias = Mapping[str, float | None]
"""By column; None where the host does not tell it, or not yet."""


class Meter:
    """Successive readings of one raw class as values by instance name."""

    def __init__(self, class_name: str, types: Mapping[str, CounterType] | None = None) -> None:
        self._types = types if types is not None else TYPES[class_name]
        self._narrow = _narrow(class_name)
        self._lasting = [column for column, kind in self._types.items() if kind not in _GAUGES]
        self._before: dict[str, CimInstance] = {}
        self._values: dict[str, Values] = {}

    def feed(self, rows: Iterable[CimInstance]) -> dict[str, Values]:
        """Values of every instance; those that need two samples are None after the first.

        A host that answers the same sample again has not looked since: the values stand.
        """
        samples = _by_name(rows)
        steps = {name: self._step(name, row) for name, row in samples.items()}
        shuffled = self._shuffled(steps)
        values: dict[str, Values] = {}
        for name, step in steps.items():
            stands = step.before is not None and step.seconds == 0 and name in self._values
            if stands:
                values[name] = self._values[name]
                continue
            if family(name) in shuffled or self._restarted(step):
                step = Step(None, step.after, 0.0, step.narrow)
            values[name] = {column: kind(step, column) for column, kind in self._types.items()}
        self._before, self._values = samples, values
        return values

    def _step(self, name: str, row: CimInstance) -> Step:
        before = self._before.get(name)
        return Step(before, row, elapsed(before, row) if before else 0.0, self._narrow)

    def _restarted(self, step: Step) -> bool:
        """The clock or a 64-bit count went back: nothing of the instance can be compared."""
        if step.before is None:
            return False
        return step.seconds < 0 or any(
            _apart(step.before, step.after, each) < 0
            for column in self._lasting
            for each in (column, _base(column))
            if each not in self._narrow
        )

    def _shuffled(self, steps: Mapping[str, Step]) -> set[str]:
        """Names that several instances share, and that need not be the same ones any more:
        ``#1`` only tells in which order they come."""
        before, now = Counter(map(family, self._before)), Counter(map(family, steps))
        shared = {name for name in now if now[name] > 1 or before[name] > 1}
        if not shared:
            return shared
        return {
            family(name)
            for name, step in steps.items()
            if family(name) in shared and (step.before is None or self._restarted(step))
        } | {name for name in shared if before[name] != now[name]}


def _by_name(rows: Iterable[CimInstance]) -> dict[str, CimInstance]:
    """Rows by instance name; one that comes again is numbered as Windows does."""
    found: dict[str, CimInstance] = {}
    again: Counter[str] = Counter()
    for row in rows:
        name = unique = str(row.get("Name") or "")
        while unique in found:
            again[name] += 1
            unique = f"{name}#{again[name]}"
        found[unique] = row
    return found

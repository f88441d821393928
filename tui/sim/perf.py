"""Performance classes: cumulative counters as raw and as formatted instances.

Raw rows carry the timestamps of the moment they were read and ``_Base`` columns where the counter
type wants one (hyperv-cim.md 13.2). Times are in units of 100 ns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from tui.sim import counters, counters_network, counters_storage, shapes
from tui.sim.counters import EPOCH, TICKS, Maker, Row
from tui.wsman.cim import CimInstance, CimType, CimValue
from tui.wsman.schema import cim_class

if TYPE_CHECKING:
    from tui.sim.world import SimHost

MAKERS: dict[str, Maker] = {
    "HvStats_HyperVHypervisor": counters.hypervisor,
    "HvStats_HyperVHypervisorLogicalProcessor": counters.logical_processors,
    "HvStats_HyperVHypervisorRootVirtualProcessor": counters.root_processors,
    "HvStats_HyperVHypervisorVirtualProcessor": counters.virtual_processors,
    "BalancerStats_HyperVDynamicMemoryVM": counters.dynamic_memory,
    "BalancerStats_HyperVDynamicMemoryBalancer": counters.balancer,
    "VidPerfProvider_HyperVVMVidPartition": counters.vid_partitions,
    "NvspNicStats_HyperVVirtualNetworkAdapter": counters_network.adapters,
    "NvspSwitchStats_HyperVVirtualSwitch": counters_network.switches,
    "Counters_HyperVVirtualStorageDevice": counters_storage.storage,
    "VmmsVirtualMachineStats_HyperVVirtualMachineHealthSummary": counters.health,
    "PerfOS_Processor": counters.os_processors,
    "PerfOS_Memory": counters.os_memory,
    "PerfOS_System": counters.os_system,
    "PerfDisk_LogicalDisk": counters_storage.logical_disks,
    "PerfDisk_PhysicalDisk": counters_storage.physical_disks,
    "Tcpip_NetworkInterface": counters_network.interfaces,
}
"""By the word in the names of the classes, on every host."""
SHARED: dict[str, Maker] = {"CsvFsPerfProvider_ClusterCSVFS": counters_storage.shared_volumes}
"""On nodes of a cluster."""

WINDOW = 4.0
"""Seconds over which formatted classes reckon their rates."""


def _maker(word: str) -> Maker:
    return SHARED.get(word) or MAKERS[word]


def _unique(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Instances of one name get ``#1``, ``#2`` behind it."""
    seen: dict[str, int] = {}
    for row in rows:
        key = row.name.lower()
        again = seen.get(key, 0)
        seen[key] = again + 1
        yield (f"{row.name}#{again}" if again else row.name), row


@cache
def _narrow(word: str) -> frozenset[str]:
    """Columns of 32 bits."""
    known = cim_class(shapes.CIMV2, f"Win32_PerfRawData_{word}")
    assert known is not None
    return frozenset(p.name for p in known.properties.values() if p.type is CimType.UINT32)


def _wrapped(word: str, values: dict[str, CimValue]) -> dict[str, CimValue]:
    """Counters that are full begin at zero again."""
    narrow = _narrow(word)
    return {
        key: value % (1 << 32) if key in narrow and isinstance(value, int) else value
        for key, value in values.items()
    }


def raw(host: SimHost, word: str) -> Iterator[CimInstance]:
    """Rows of a Win32_PerfRawData class."""
    now = host.fabric.now()
    for name, row in _unique(_maker(word)(host, now)):
        at = row.at or now
        ticks = int((at + EPOCH) * TICKS)
        values: dict[str, CimValue] = {
            "Name": name or None,
            "Timestamp_PerfTime": int(at * TICKS),
            "Timestamp_Sys100NS": ticks,
            "Timestamp_Object": ticks,
            "Frequency_PerfTime": TICKS,
            "Frequency_Sys100NS": TICKS,
            "Frequency_Object": TICKS,
        }
        whole = (row.rates, row.gauges, row.queues, row.idle)
        for key, number in (pair for numbers in whole for pair in numbers.items()):
            values[key] = int(number)
        for key, number in row.shares.items():
            values[key] = int(number)
            if row.based:
                values[key + "_Base"] = int(row.base)
        for key, (number, times) in (*row.averages.items(), *row.timers.items()):
            values[key] = int(number)
            values[key + "_Base"] = int(times)
        yield shapes.counters(f"Win32_PerfRawData_{word}", _wrapped(word, values))


def _gauges(row: Row) -> dict[str, CimValue]:
    """Gauges as they are; those with a base in percent of it."""
    found: dict[str, CimValue] = {}
    for key, number in row.gauges.items():
        base = row.gauges.get(f"{key}_Base")
        if not key.endswith("_Base"):
            found[key] = int(number) if base is None else int(100 * number / max(1, base))
    return found


def formatted(host: SimHost, word: str) -> Iterator[CimInstance]:
    """Rows of a Win32_PerfFormattedData class: rates over the last seconds."""
    now = host.fabric.now()
    before = dict(_unique(_maker(word)(host, now - WINDOW)))
    for name, row in _unique(_maker(word)(host, now)):
        old = before.get(name, row)
        values: dict[str, CimValue] = {"Name": name or None}
        values |= _gauges(row) | _means(row, old)
        for key, number in row.rates.items():
            values[key] = max(0, int((number - old.rates.get(key, number)) / WINDOW))
        for key, number in row.queues.items():
            waited = number - old.queues.get(key, number)
            values[key] = max(0, int(waited / WINDOW / TICKS))
        for key, number in row.shares.items():
            passed = (row.base - old.base) if row.based else WINDOW * TICKS
            share = 100.0 * (number - old.shares.get(key, number)) / passed if passed > 0 else 0.0
            values[key] = max(0, int(share))
        for key, number in row.idle.items():
            share = 100.0 * (1.0 - (number - old.idle.get(key, number)) / WINDOW / TICKS)
            values[key] = min(100, max(0, int(share)))
        yield shapes.counters(f"Win32_PerfFormattedData_{word}", values)


def _means(row: Row, old: Row) -> dict[str, CimValue]:
    """What each was on the average meanwhile; timers in whole seconds, as Windows has them."""
    found: dict[str, CimValue] = {}
    for now, before, unit in ((row.averages, old.averages, 1), (row.timers, old.timers, TICKS)):
        for key, (number, times) in now.items():
            before_number, before_times = before.get(key, (number, times))
            done = times - before_times
            found[key] = int((number - before_number) / done / unit) if done else 0
    return found

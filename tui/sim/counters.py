"""What a host has counted so far: processors, memory, Windows itself. Exact integrals.

Cumulative numbers are of any two moments whose difference is the truth in between; ``perf`` makes
CIM instances of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tui.sim import hardware
from tui.sim.machine import Machine
from tui.sim.tally import reckon

if TYPE_CHECKING:
    from tui.sim.world import SimHost

TICKS = 10_000_000
"""Frequency of every clock here: 100 ns."""
EPOCH = 11_644_473_600
"""Seconds from 1601 to 1970."""
Numbers: TypeAlias = dict[str, float]
Averages: TypeAlias = dict[str, tuple[float, float]]
"""Average columns: sum so far, and how often so far, which is their base."""


@dataclass(frozen=True, slots=True)
class Row:
    """One instance at one moment: cumulative counters, fractions of a base, and gauges."""

    name: str
    rates: Numbers
    """Per-second columns: what has been counted so far."""
    shares: Numbers
    """Percent columns: 100 ns spent so far."""
    gauges: Numbers
    base: float = 0.0
    """100 ns that have passed, times the number of things added up."""
    based: bool = True
    """The percent columns have a ``_Base`` column."""
    averages: Averages = field(default_factory=dict)
    timers: Averages = field(default_factory=dict)
    """Average timers: 100 ns so far, and how often."""
    queues: Numbers = field(default_factory=dict)
    """Mean queue lengths: 100 ns that all who waited have waited so far."""
    idle: Numbers = field(default_factory=dict)
    """Percent columns that count 100 ns in which nothing was done, and have no base."""
    at: float = 0.0
    """The moment, when it is not the fabric's; Unix seconds."""


Maker: TypeAlias = Callable[["SimHost", float], Iterable[Row]]


# -- hypervisor ----------------------------------------------------------------------------


def running(host: SimHost) -> list[Machine]:
    return [machine for machine in host.machines.values() if machine.alive]


def root_share(host: SimHost, at: float) -> float:
    """100 ns the management operating system used of every processor so far."""
    swing = host.fabric.random(host.name, "root").uniform(0.8, 1.2)
    return (0.012 * swing * at + 0.004 * at) * TICKS


def guest_time(host: SimHost, now: float) -> float:
    """100 ns all guests used so far. Ended runs are kept, so that it never goes back."""
    total = host.spent
    for machine in running(host):
        total += machine.done(now).busy * machine.cpus
    return total * TICKS


def logical_processors(host: SimHost, now: float) -> Iterator[Row]:
    count = hardware.logical_processors(host)
    since = hardware.booted(host)
    passed = (now - host.fabric.origin + since) * TICKS
    guest, root = guest_time(host, now) / count, root_share(host, now - host.fabric.origin + since)
    if host.plan.local:
        yield from _local_processors(host, now)
        return
    total_guest = total_all = 0.0
    for index in range(count):
        skew = 1.0 + 0.3 * ((index * 7919 % count) / max(1, count - 1) - 0.5)
        used_guest, used_root = guest * skew, root
        total_guest += used_guest
        total_all += used_guest + used_root
        yield _processor(f"Hv LP {index}", used_guest, used_root, passed)
    yield _processor("_Total", total_guest, total_all - total_guest, passed * count)


def _local_processors(host: SimHost, now: float) -> Iterator[Row]:
    from tui.sim import local  # psutil is needed for this host only

    taken = local.sample()
    for index, (busy, total) in enumerate(zip(taken.busy, taken.total, strict=True)):
        yield _processor(f"Hv LP {index}", busy * TICKS, 0.0, total * TICKS, taken.at)
    busy, total = sum(taken.busy) * TICKS, sum(taken.total) * TICKS
    yield _processor("_Total", busy, 0.0, total, taken.at)


def _processor(name: str, guest: float, root: float, passed: float, at: float = 0.0) -> Row:
    hypervisor = (guest + root) * 0.02
    used = guest + root + hypervisor
    return Row(
        name,
        rates={"ContextSwitchesPersec": used / TICKS * 9000, "TotalInterruptsPersec": used / 2200},
        shares={
            "PercentGuestRunTime": guest + root,
            "PercentHypervisorRunTime": hypervisor,
            "PercentTotalRunTime": used,
            "PercentIdleTime": max(0.0, passed - used),
        },
        gauges={},
        base=passed,
        at=at,
    )


def root_processors(host: SimHost, now: float) -> Iterator[Row]:
    count = hardware.logical_processors(host)
    since = now - host.fabric.origin + hardware.booted(host)
    share = root_share(host, since)
    for index in range(count):
        yield _virtual(f"Root VP {index}", share, since * TICKS)
    yield _virtual("_Total", share * count, since * TICKS * count)


DISPATCHES = 4000
"""How often a second of a virtual processor's work is put on a real one."""
SHORTEST_WAIT = 2600.0
"""Nanoseconds a virtual processor waits for a real one that is free."""


def wait_for_processor(host: SimHost, start: float, end: float) -> float:
    """Nanoseconds each dispatch waited on the average: the longer, the busier the host was."""
    worked = sum(machine.worked(start, end).busy * machine.cpus for machine in running(host))
    busy = min(0.97, worked / max(0.001, end - start) / hardware.logical_processors(host))
    return SHORTEST_WAIT * (1.0 + 8.0 * busy * busy / (1.0 - busy))


def virtual_processors(host: SimHost, now: float) -> Iterator[Row]:
    total = passed = 0.0
    prices: dict[tuple[float, float], float] = {}

    def price(start: float, end: float) -> float:
        if (start, end) not in prices:
            prices[start, end] = wait_for_processor(host, start, end)
        return prices[start, end]

    waited = dispatched = 0.0
    for machine in running(host):
        busy = machine.done(now).busy * TICKS
        alive = (now - max(machine.started_at, machine.arrived)) * TICKS
        times = busy / TICKS * DISPATCHES
        wait = reckon(host.tallies, f"wait {machine.id}", now, times, price, SHORTEST_WAIT)
        waited += wait * machine.cpus
        dispatched += times * machine.cpus
        for index in range(machine.cpus):
            total += busy
            passed += alive
            yield _virtual(f"{machine.name}:Hv VP {index}", busy, alive, wait, times)
    yield _virtual("_Total", total, passed, waited, dispatched)


def _virtual(
    name: str, guest: float, passed: float, wait: float = 0.0, dispatches: float = 0.0
) -> Row:
    return Row(
        name,
        rates={
            "LogicalProcessorDispatchesPersec": guest / TICKS * DISPATCHES,
            "HypercallsPersec": guest / TICKS * 2500,
            "VirtualInterruptsPersec": guest / TICKS * 1500,
        },
        shares={
            "PercentGuestRunTime": guest,
            "PercentHypervisorRunTime": guest * 0.02,
            "PercentTotalRunTime": guest * 1.02,
            "PercentRemoteRunTime": guest * 0.05,
        },
        gauges={},
        base=passed,
        averages={"CPUWaitTimePerDispatch": (wait, dispatches)},
    )


def hypervisor(host: SimHost, now: float) -> Iterator[Row]:
    alive = running(host)
    count = hardware.logical_processors(host)
    gauges: Numbers = {
        "LogicalProcessors": count,
        "Partitions": len(alive) + 1,
        "VirtualProcessors": count + sum(machine.cpus for machine in alive),
        "TotalPages": 9000 + 1200 * len(alive),
        "MonitoredNotifications": len(alive),
    }
    yield Row("", {}, {}, gauges)


# -- memory --------------------------------------------------------------------------------


RECENTLY = (0.0, 20.0, 40.0, 60.0)
"""Seconds ago of what a pressure is averaged over."""


def dynamic_memory(host: SimHost, now: float) -> Iterator[Row]:
    for machine in running(host):
        if not machine.dynamic:
            continue
        assigned, demand = machine.memory(now), machine.demand(now)
        recent = [machine.demand(max(machine.started_at, now - ago)) for ago in RECENTLY]
        pressures = [round(100 * each / max(1, assigned)) for each in recent]
        gauges: Numbers = {
            "PhysicalMemory": assigned,
            "GuestVisiblePhysicalMemory": assigned,
            "GuestAvailableMemory": max(0, assigned - demand),
            "CurrentPressure": pressures[0],
            "AveragePressure": round(sum(pressures) / len(pressures)),
            "MinimumPressure": min(pressures),
            "MaximumPressure": max(pressures),
            "AddedMemory": assigned,
        }
        yield Row(machine.name, {}, {}, gauges)


def balancer(host: SimHost, now: float) -> Iterator[Row]:
    free = free_memory(host, now) >> 20
    pressures = [100 * m.demand(now) / max(1, m.memory(now)) for m in running(host) if m.dynamic]
    pressure = round(sum(pressures) / len(pressures)) if pressures else 0
    gauges: Numbers = {
        "AvailableMemory": free,
        "AvailableMemoryForBalancing": max(0, free - 1024),
        "AveragePressure": pressure,
        "SystemCurrentPressure": pressure,
    }
    yield Row("System Balancer", {}, {}, gauges)


def free_memory(host: SimHost, now: float) -> int:
    """Bytes the host has left."""
    if host.plan.local:
        from tui.sim import local  # psutil is needed for this host only

        return local.sample().memory_free
    total = hardware.physical_memory(host)
    system = min(total // 8, 6 << 30)
    return max(256 << 20, total - system - (host.memory_in_use() << 20))


def vid_partitions(host: SimHost, now: float) -> Iterator[Row]:
    total = 0
    for machine in running(host):
        pages = machine.memory(now) * 256
        total += pages
        node = machine.number % max(1, host.plan.sockets)
        gauges: Numbers = {"PhysicalPagesAllocated": pages, "PreferredNUMANodeIndex": node}
        yield Row(machine.name, {}, {}, gauges)
    yield Row("_Total", {}, {}, {"PhysicalPagesAllocated": total})


# -- Windows' own objects ------------------------------------------------------------------


def os_processors(host: SimHost, now: float) -> Iterator[Row]:
    """Only the root partition's processors, as on a real Hyper-V host."""
    for row in root_processors(host, now):
        name = row.name.replace("Root VP ", "")
        used = row.shares["PercentTotalRunTime"]
        average = hardware.logical_processors(host) if name == "_Total" else 1
        shares: Numbers = {
            "PercentIdleTime": (row.base - used) / average,
            "PercentUserTime": used * 0.3 / average,
            "PercentPrivilegedTime": used * 0.7 / average,
        }
        idle: Numbers = {"PercentProcessorTime": (row.base - used) / average}
        rates: Numbers = {"InterruptsPersec": used / 3000}
        yield Row(name, rates, shares, {}, based=False, idle=idle)


def os_memory(host: SimHost, now: float) -> Iterator[Row]:
    free = free_memory(host, now)
    total = hardware.physical_memory(host)
    gauges: Numbers = {
        "AvailableBytes": free,
        "AvailableKBytes": free >> 10,
        "AvailableMBytes": free >> 20,
        "CommittedBytes": total - free,
        "CommitLimit": total + (total >> 3),
        "CacheBytes": 400 << 20,
        "PoolNonpagedBytes": 900 << 20,
        "PoolPagedBytes": 700 << 20,
    }
    yield Row("", {"PageFaultsPersec": now * 900 % (1 << 31)}, {}, gauges)


def os_system(host: SimHost, now: float) -> Iterator[Row]:
    alive = len(running(host))
    since = now - host.fabric.origin + hardware.booted(host)
    gauges: Numbers = {
        "Processes": 140 + 2 * alive,
        "Threads": 2100 + 40 * alive,
        "SystemUpTime": int(((host.fabric.origin - hardware.booted(host)) + EPOCH) * TICKS),
        "ProcessorQueueLength": 0,
    }
    yield Row("", {"ContextSwitchesPersec": since * 9000 % (1 << 31)}, {}, gauges)


def health(host: SimHost, now: float) -> Iterator[Row]:
    bad = sum(1 for m in host.machines.values() if m.system.values["HealthState"] != 5)
    yield Row("", {}, {}, {"HealthOk": len(host.machines) - bad, "HealthCritical": bad})

"""What a host has counted so far: processors, memory, network, storage. Exact integrals.

Cumulative numbers are of any two moments whose difference is the truth in between; ``perf`` makes
CIM instances of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tui.sim import hardware, shapes
from tui.sim.load import Done
from tui.sim.machine import Machine
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.world import SimHost

TICKS = 10_000_000
"""Frequency of every clock here: 100 ns."""
EPOCH = 11_644_473_600
"""Seconds from 1601 to 1970."""
Numbers: TypeAlias = dict[str, float]


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
    averages: Numbers | None = None
    """Average columns: sum so far; their base is the number of operations so far."""
    operations: float = 0.0
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


def virtual_processors(host: SimHost, now: float) -> Iterator[Row]:
    total = passed = 0.0
    for machine in running(host):
        busy = machine.done(now).busy * TICKS
        alive = (now - max(machine.started_at, machine.arrived)) * TICKS
        for index in range(machine.cpus):
            total += busy
            passed += alive
            yield _virtual(f"{machine.name}:Hv VP {index}", busy, alive)
    yield _virtual("_Total", total, passed)


def _virtual(name: str, guest: float, passed: float) -> Row:
    return Row(
        name,
        rates={
            "LogicalProcessorDispatchesPersec": guest / TICKS * 4000,
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
        averages={"CPUWaitTimePerDispatch": guest / TICKS * 4000 * 2600},
        operations=guest / TICKS * 4000,
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


def dynamic_memory(host: SimHost, now: float) -> Iterator[Row]:
    for machine in running(host):
        if not machine.dynamic:
            continue
        assigned, demand = machine.memory(now), machine.demand(now)
        pressure = round(100 * demand / max(1, assigned))
        gauges: Numbers = {
            "PhysicalMemory": assigned,
            "GuestVisiblePhysicalMemory": assigned,
            "GuestAvailableMemory": max(0, assigned - demand),
            "CurrentPressure": pressure,
            "AveragePressure": pressure,
            "MinimumPressure": max(0, pressure - 9),
            "MaximumPressure": pressure + 12,
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


# -- network and storage -------------------------------------------------------------------


def _traffic(name: str, received: float, sent: float) -> Row:
    rates: Numbers = {
        "BytesReceivedPersec": received,
        "BytesSentPersec": sent,
        "BytesPersec": received + sent,
        "PacketsReceivedPersec": received // 780,
        "PacketsSentPersec": sent // 820,
        "PacketsPersec": received // 780 + sent // 820,
        "DirectedPacketsReceivedPersec": received // 800,
        "DirectedPacketsSentPersec": sent // 840,
    }
    return Row(name, rates, {}, {})


def nic_name(machine: Machine, nic: CimInstance) -> str:
    """VM name, adapter name, and both GUIDs (separators unverified)."""
    adapter = shapes.text(nic, "InstanceID").split("\\")[1]
    return f"{machine.name}_{shapes.text(nic, 'ElementName')}_{machine.id}--{adapter}"


def adapters(host: SimHost, now: float) -> Iterator[Row]:
    for machine in running(host):
        nics = machine.connected_nics
        done = machine.done(now)
        for nic in nics:
            received = done.amount(machine.load.net_in) / len(nics)
            sent = done.amount(machine.load.net_out) / len(nics)
            yield _traffic(nic_name(machine, nic), int(received), int(sent))


def switches(host: SimHost, now: float) -> Iterator[Row]:
    sums: dict[str, list[float]] = {}
    for switch in host.switches():
        sums[shapes.text(switch, "Name").upper()] = [0.0, 0.0]
    for machine in running(host):
        nics = machine.connected_nics
        done = machine.done(now)
        for nic in nics:
            port = machine.connection(nic)
            path = "".join(shapes.strings(port, "HostResource")) if port else ""
            total = sums.get(path.rpartition('Name="')[2].rstrip('"').upper())
            if total is not None:
                total[0] += done.amount(machine.load.net_out) / len(nics)
                total[1] += done.amount(machine.load.net_in) / len(nics)
    for switch in host.switches():
        identity = shapes.text(switch, "Name").upper()
        received, sent = sums[identity]
        gone = host.passed.get(identity, (0.0, 0.0))
        yield _traffic(
            shapes.text(switch, "ElementName"), int(received + gone[0]), int(sent + gone[1])
        )


def storage_name(path: str) -> str:
    """Instance name of a virtual storage device: a path without backslashes."""
    full = path if not path.lower().startswith("c:\\clusterstorage") else "\\\\?\\" + path
    return full.replace("\\", "-")


def storage(host: SimHost, now: float) -> Iterator[Row]:
    for machine in running(host):
        done = machine.done(now)
        images = [i for i in machine.images if i.values["Access"] != 1]
        shares = [0.6] + [0.4 / max(1, len(images) - 1)] * (len(images) - 1)
        if len(images) == 1:
            shares = [1.0]
        for image, share in zip(images, shares, strict=True):
            path = "".join(shapes.strings(image, "HostResource")[:1])
            yield _device(machine, path, share, done, now)


def _device(machine: Machine, path: str, share: float, done: Done, now: float) -> Row:
    load = machine.load
    read, written = done.amount(load.read) * share, done.amount(load.write) * share
    reads, writes = read // 24_000, written // 16_000
    busy = load.rate(load.read, now) + load.rate(load.write, now) if machine.state == 2 else 0.0
    rates: Numbers = {
        "ReadBytesPersec": int(read),
        "WriteBytesPersec": int(written),
        "ReadOperationsPerSec": reads,
        "WriteOperationsPerSec": writes,
    }
    gauges: Numbers = {
        "ReadCount": reads,
        "WriteCount": writes,
        "Throughput": int(busy * share) % (1 << 32),
        "NormalizedThroughput": int(busy * share / 8192),
        "QueueLength": int(busy * share / 40e6),
        "MaximumIORate": 0,
        "AdapterOpenChannelCount": 1,
    }
    seconds = (reads + writes) * 0.0011 * TICKS
    return Row(
        storage_name(path),
        rates,
        {},
        gauges,
        averages={"Latency": seconds, "LowerLatency": seconds * 0.8},
        operations=reads + writes,
    )


# -- Windows' own objects ------------------------------------------------------------------


def os_processors(host: SimHost, now: float) -> Iterator[Row]:
    """Only the root partition's processors, as on a real Hyper-V host."""
    for row in root_processors(host, now):
        name = row.name.replace("Root VP ", "")
        used = row.shares["PercentTotalRunTime"]
        average = hardware.logical_processors(host) if name == "_Total" else 1
        shares: Numbers = {
            "PercentProcessorTime": (row.base - used) / average,
            "PercentIdleTime": (row.base - used) / average,
            "PercentUserTime": used * 0.3 / average,
            "PercentPrivilegedTime": used * 0.7 / average,
        }
        yield Row(name, {"InterruptsPersec": used / 3000}, shares, {}, based=False)


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


def _disk_totals(host: SimHost, now: float) -> tuple[float, float, float, float, float]:
    if host.plan.local:
        from tui.sim import local  # psutil is needed for this host only

        taken = local.sample()
        return taken.read, taken.written, taken.reads, taken.writes, taken.at
    read, written = host.passed.get("disk", (0.0, 0.0))
    for machine in running(host):
        done = machine.done(now)
        read += done.amount(machine.load.read)
        written += done.amount(machine.load.write)
    return read, written, read // 24_000, written // 16_000, 0.0


def physical_disks(host: SimHost, now: float) -> Iterator[Row]:
    read, written, reads, writes, at = _disk_totals(host, now)
    for name in ("0 C:", "_Total"):
        rates: Numbers = {
            "DiskReadBytesPersec": int(read),
            "DiskWriteBytesPersec": int(written),
            "DiskBytesPersec": int(read + written),
            "DiskReadsPersec": reads % (1 << 32),
            "DiskWritesPersec": writes % (1 << 32),
            "DiskTransfersPersec": (reads + writes) % (1 << 32),
        }
        yield Row(name, rates, {}, {"CurrentDiskQueueLength": 0}, at=at)


def interfaces(host: SimHost, now: float) -> Iterator[Row]:
    plans = host.plan.uplinks
    received, sent, at = 0.0, 0.0, 0.0
    if host.plan.local:
        from tui.sim import local  # psutil is needed for this host only

        taken = local.sample()
        received, sent, at = taken.received, taken.sent, taken.at
    else:
        for row in switches(host, now):
            received += row.rates["BytesSentPersec"]
            sent += row.rates["BytesReceivedPersec"]
    for index, plan in enumerate(plans):
        rates: Numbers = {}
        if index == 0:
            rates = {
                "BytesReceivedPersec": int(received),
                "BytesSentPersec": int(sent),
                "BytesTotalPersec": int(received + sent),
                "PacketsReceivedPersec": received // 780,
                "PacketsSentPersec": sent // 820,
            }
        name = plan.description.replace("(", "[").replace(")", "]").replace("#", "_")
        yield Row(name, rates, {}, {"CurrentBandwidth": plan.speed}, at=at)


def health(host: SimHost, now: float) -> Iterator[Row]:
    bad = sum(1 for m in host.machines.values() if m.system.values["HealthState"] != 5)
    yield Row("", {}, {}, {"HealthOk": len(host.machines) - bad, "HealthCritical": bad})


MAKERS: dict[str, Maker] = {
    "HvStats_HyperVHypervisor": hypervisor,
    "HvStats_HyperVHypervisorLogicalProcessor": logical_processors,
    "HvStats_HyperVHypervisorRootVirtualProcessor": root_processors,
    "HvStats_HyperVHypervisorVirtualProcessor": virtual_processors,
    "BalancerStats_HyperVDynamicMemoryVM": dynamic_memory,
    "BalancerStats_HyperVDynamicMemoryBalancer": balancer,
    "VidPerfProvider_HyperVVMVidPartition": vid_partitions,
    "NvspNicStats_HyperVVirtualNetworkAdapter": adapters,
    "NvspSwitchStats_HyperVVirtualSwitch": switches,
    "Counters_HyperVVirtualStorageDevice": storage,
    "VmmsVirtualMachineStats_HyperVVirtualMachineHealthSummary": health,
    "PerfOS_Processor": os_processors,
    "PerfOS_Memory": os_memory,
    "PerfOS_System": os_system,
    "PerfDisk_PhysicalDisk": physical_disks,
    "Tcpip_NetworkInterface": interfaces,
}

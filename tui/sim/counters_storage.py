"""What a host has counted of its storage: images, volumes, physical disks.

All images of a volume wait for the same disks: what one of them asks for makes each operation
of the others take longer, on all hosts that use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tui.sim import hardware, shapes
from tui.sim.counters import TICKS, Numbers, Row, running
from tui.sim.files import SHARED
from tui.sim.load import Done
from tui.sim.machine import Machine
from tui.sim.plan import VolumePlan
from tui.sim.tally import Amounts, Passed, reckon

if TYPE_CHECKING:
    from tui.sim.world import SimHost

READ, WRITTEN = 24_000, 16_000
"""Bytes of an operation."""
QUICKEST = 0.0008
"""Seconds an operation takes on a volume that nobody else uses."""
CAPABLE, CAPABLE_SHARED = 5_500.0, 7_500.0
"""Operations a second of a volume."""


@dataclass(frozen=True, slots=True)
class Use:
    """One image, and its part of what its machine does."""

    machine: Machine
    path: str
    part: float
    volume: VolumePlan | None

    def amounts(self, done: Done) -> Amounts:
        """Bytes read and written."""
        load = self.machine.load
        return done.amount(load.read) * self.part, done.amount(load.write) * self.part


def uses(host: SimHost) -> Iterator[Use]:
    """The images that running machines of a host have open; the first is used most."""
    for machine in running(host):
        images = [i for i in machine.images if i.values["Access"] != 1]
        for index, image in enumerate(images):
            part = 0.4 / (len(images) - 1) if index else 0.6 if images[1:] else 1.0
            path = "".join(shapes.strings(image, "HostResource")[:1])
            yield Use(machine, path, part, host.files.volume(path))


def own(host: SimHost, now: float) -> Amounts:
    """Bytes the management operating system has read and written on its volume."""
    since = now - host.fabric.origin + hardware.booted(host)
    return 60e3 * since, 210e3 * since


def latency(host: SimHost, volume: VolumePlan | None, start: float, end: float) -> float:
    """Seconds an operation took on the average: the longer, the more was asked of the volume."""
    if volume is None:
        return QUICKEST
    shared = volume.name.lower().startswith(SHARED)
    hosts = host.fabric.nodes(host.plan.cluster) if shared else [host]
    asked = 0.0
    for user in hosts:
        for use in uses(user) if user.built else ():
            if use.volume is not None and use.volume.name == volume.name:
                read, written = use.amounts(use.machine.worked(start, end))
                asked += read / READ + written / WRITTEN
    capable = CAPABLE_SHARED if shared else CAPABLE
    busy = min(0.97, asked / max(0.001, end - start) / capable)
    return QUICKEST / (1.0 - busy)


class Latencies:
    """Latencies of the volumes of a host, each reckoned once for a span of time."""

    def __init__(self, host: SimHost) -> None:
        self._latency = cache(lambda volume, start, end: latency(host, volume, start, end))
        self._host = host

    def spent(self, key: str, at: float, times: float, volume: VolumePlan | None) -> float:
        """100 ns that so many operations on a volume have taken so far."""
        return TICKS * reckon(
            self._host.tallies,
            f"latency {key}",
            at,
            times,
            lambda start, end: self._latency(volume, start, end),
            QUICKEST,
        )

    def lately(self, key: str) -> float:
        """Seconds an operation took when it was last reckoned."""
        return self._host.tallies[f"latency {key}"].price


# -- images --------------------------------------------------------------------------------


def storage_name(path: str) -> str:
    """Instance name of a virtual storage device: a path without backslashes."""
    full = path if not path.lower().startswith("c:\\clusterstorage") else "\\\\?\\" + path
    return full.replace("\\", "-")


def storage(host: SimHost, now: float) -> Iterator[Row]:
    latencies = Latencies(host)
    for use in uses(host):
        yield _device(use, latencies, now)


def _device(use: Use, latencies: Latencies, now: float) -> Row:
    machine, load = use.machine, use.machine.load
    read, written = use.amounts(machine.done(now))
    reads, writes = read // READ, written // WRITTEN
    key = f"{machine.id} {use.path}"
    spent = latencies.spent(key, now, reads + writes, use.volume)
    taken = given = 0.0
    if machine.state == 2:
        taken = load.rate(load.read, now) * use.part
        given = load.rate(load.write, now) * use.part
    waiting = (taken / READ + given / WRITTEN) * latencies.lately(key)
    rates: Numbers = {
        "ReadBytesPersec": int(read),
        "WriteBytesPersec": int(written),
        "ReadOperationsPerSec": reads,
        "WriteOperationsPerSec": writes,
    }
    gauges: Numbers = {
        "ReadCount": reads,
        "WriteCount": writes,
        "Throughput": int(taken + given),
        "NormalizedThroughput": int((taken + given) / 8192),
        "QueueLength": round(waiting),
        "LowerQueueLength": round(waiting * 0.8),
        "MaximumIORate": 0,
        "AdapterOpenChannelCount": 1,
    }
    timers = {
        "Latency": (spent, reads + writes),
        "LowerLatency": (spent * 0.8, reads + writes),
    }
    return Row(storage_name(use.path), rates, {}, gauges, timers=timers)


# -- volumes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passage:
    """What a host has done with one of its volumes so far."""

    read: float
    written: float
    read_time: float
    """100 ns that all reads took."""
    write_time: float
    lately: float
    """Seconds an operation takes now."""

    @property
    def reads(self) -> float:
        return self.read // READ

    @property
    def writes(self) -> float:
        return self.written // WRITTEN


def _passage(host: SimHost, volume: VolumePlan, now: float, latencies: Latencies) -> Passage:
    there = {
        f"{use.machine.id} {use.path}": use.amounts(use.machine.done(now))
        for use in uses(host)
        if use.volume is not None and use.volume.name == volume.name
    }
    if volume is host.plan.volumes[0]:
        there["root"] = own(host, now)
    passed = host.volumes_passed.setdefault(volume.name, Passed())
    read, written = passed.through(now, there)
    reads, writes = f"reads {volume.name}", f"writes {volume.name}"
    return Passage(
        read,
        written,
        latencies.spent(reads, now, read // READ, volume),
        latencies.spent(writes, now, written // WRITTEN, volume),
        latencies.lately(reads),
    )


def _waiting(host: SimHost, volume: VolumePlan, now: float, lately: float) -> tuple[float, float]:
    """Reads and writes under way."""
    reads = writes = 0.0
    for use in uses(host):
        load = use.machine.load
        if use.machine.state == 2 and use.volume is not None and use.volume.name == volume.name:
            reads += load.rate(load.read, now) * use.part / READ
            writes += load.rate(load.write, now) * use.part / WRITTEN
    return reads * lately, writes * lately


def logical_disks(host: SimHost, now: float) -> Iterator[Row]:
    latencies = Latencies(host)
    for volume in host.plan.volumes:
        if volume.name.lower().startswith(SHARED):
            continue
        passage = _passage(host, volume, now, latencies)
        at = 0.0
        if host.plan.local:
            passage, at = _local_passage()
        reads, writes = _waiting(host, volume, now, passage.lately)
        capacity, free = host.files.space(volume)
        gauges: Numbers = {
            "CurrentDiskQueueLength": round(reads + writes),
            "FreeMegabytes": free >> 20,
            "PercentFreeSpace": free >> 20,
            "PercentFreeSpace_Base": capacity >> 20,
        }
        yield _disk(volume.name.rstrip("\\"), passage, now, gauges, at)


def _local_passage() -> tuple[Passage, float]:
    """What this machine has done with its disks, and when it was asked."""
    from tui.sim import local  # psutil is needed for this host only

    taken = local.sample()
    read, written = float(taken.read), float(taken.written)
    each = QUICKEST * TICKS
    return (
        Passage(read, written, read // READ * each, written // WRITTEN * each, QUICKEST),
        taken.at,
    )


def _disk(name: str, passage: Passage, now: float, gauges: Numbers, at: float = 0.0) -> Row:
    """A volume or disk in the columns of Windows' own disk objects."""
    reads, writes = passage.reads, passage.writes
    read_time, write_time = passage.read_time, passage.write_time
    times, spent = reads + writes, read_time + write_time
    rates: Numbers = {
        "DiskReadBytesPersec": int(passage.read),
        "DiskWriteBytesPersec": int(passage.written),
        "DiskBytesPersec": int(passage.read) + int(passage.written),
        "DiskReadsPersec": reads,
        "DiskWritesPersec": writes,
        "DiskTransfersPersec": times,
    }
    queues: Numbers = {
        "AvgDiskReadQueueLength": read_time,
        "AvgDiskWriteQueueLength": write_time,
        "AvgDiskQueueLength": spent,
    }
    averages = {
        "AvgDiskBytesPerRead": (passage.read, reads),
        "AvgDiskBytesPerWrite": (passage.written, writes),
        "AvgDiskBytesPerTransfer": (passage.read + passage.written, times),
    }
    timers = {
        "AvgDisksecPerRead": (read_time, reads),
        "AvgDisksecPerWrite": (write_time, writes),
        "AvgDisksecPerTransfer": (spent, times),
    }
    clock = (at or now) * TICKS
    shares: Numbers = {
        "PercentDiskReadTime": read_time,
        "PercentDiskWriteTime": write_time,
        "PercentDiskTime": spent,
        "PercentIdleTime": max(0.0, clock - spent),
    }
    return Row(
        name,
        rates,
        shares,
        gauges,
        base=clock,
        averages=averages,
        timers=timers,
        queues=queues,
        at=at,
    )


def shared_volumes(host: SimHost, now: float) -> Iterator[Row]:
    """Shared volumes as this node uses them, by the names of their folders."""
    latencies = Latencies(host)
    for volume in host.plan.volumes:
        if not volume.name.lower().startswith(SHARED):
            continue
        passage = _passage(host, volume, now, latencies)
        reads, writes = _waiting(host, volume, now, passage.lately)
        rates: Numbers = {
            "ReadBytesPersec": int(passage.read),
            "WriteBytesPersec": int(passage.written),
            "ReadsPersec": passage.reads,
            "WritesPersec": passage.writes,
            "FlushesPersec": passage.writes // 40,
            "MetadataIOPersec": passage.writes // 90,
        }
        gauges: Numbers = {
            "CurrentReadQueueLength": round(reads),
            "CurrentWriteQueueLength": round(writes),
            "Reads": passage.reads,
            "Writes": passage.writes,
            "Flushes": passage.writes // 40,
            "MetadataIO": passage.writes // 90,
            "FilesOpened": len([u for u in uses(host) if u.volume is volume]),
        }
        averages = {
            "AvgBytesPerRead": (passage.read, passage.reads),
            "AvgBytesPerWrite": (passage.written, passage.writes),
        }
        timers = {
            "AvgsecPerRead": (passage.read_time, passage.reads),
            "AvgsecPerWrite": (passage.write_time, passage.writes),
        }
        queues: Numbers = {
            "AvgReadQueueLength": passage.read_time,
            "AvgWriteQueueLength": passage.write_time,
        }
        name = volume.name.rstrip("\\").rpartition("\\")[2]
        yield Row(name, rates, {}, gauges, averages=averages, timers=timers, queues=queues)


def _disk_totals(host: SimHost, now: float) -> tuple[float, float, float]:
    if host.plan.local:
        from tui.sim import local  # psutil is needed for this host only

        taken = local.sample()
        return taken.read, taken.written, taken.at
    gone, itself = host.passed.get("disk", (0.0, 0.0)), own(host, now)
    read, written = gone[0] + itself[0], gone[1] + itself[1]
    for machine in running(host):
        done = machine.done(now)
        read += done.amount(machine.load.read)
        written += done.amount(machine.load.write)
    return read, written, 0.0


def physical_disks(host: SimHost, now: float) -> Iterator[Row]:
    read, written, at = _disk_totals(host, now)
    each = QUICKEST * TICKS
    passage = Passage(read, written, read // READ * each, written // WRITTEN * each, QUICKEST)
    for name in ("0 C:", "_Total"):
        yield _disk(name, passage, now, {"CurrentDiskQueueLength": 0}, at)

"""The machine the simulator runs on, as psutil sees it, read at most once a second.

It gives the host LOCALHOST its processor, memory, disk and network load.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

import psutil


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters since this machine started, and gauges, of one moment."""

    at: float
    """Unix time; rates are to be reckoned between these, whatever a fabric's clock says."""
    busy: tuple[float, ...]
    """Seconds each processor worked."""
    total: tuple[float, ...]
    """Seconds each processor existed."""
    memory_free: int
    read: int
    written: int
    reads: int
    writes: int
    received: int
    sent: int
    packets_in: int
    packets_out: int
    disk_total: int
    disk_free: int


_last: list[Sample] = []


@cache
def processors() -> int:
    return psutil.cpu_count() or 1


@cache
def memory_total() -> int:
    return int(psutil.virtual_memory().total)


def sample() -> Sample:
    """What this machine has done, at most one second old."""
    now = time.time()
    if not _last or now - _last[0].at >= 1.0 or now < _last[0].at:
        _last[:] = [_take(now)]
    return _last[0]


def _take(now: float) -> Sample:
    busy, total = [], []
    for times in psutil.cpu_times(percpu=True):
        idle = times.idle + getattr(times, "iowait", 0.0)
        whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        busy.append(max(0.0, whole - idle))
        total.append(whole)
    disk = psutil.disk_io_counters()
    net = psutil.net_io_counters()
    usage = psutil.disk_usage("/")
    return Sample(
        at=now,
        busy=tuple(busy),
        total=tuple(total),
        memory_free=int(psutil.virtual_memory().available),
        read=disk.read_bytes if disk else 0,
        written=disk.write_bytes if disk else 0,
        reads=disk.read_count if disk else 0,
        writes=disk.write_count if disk else 0,
        received=net.bytes_recv if net else 0,
        sent=net.bytes_sent if net else 0,
        packets_in=net.packets_recv if net else 0,
        packets_out=net.packets_sent if net else 0,
        disk_total=int(usage.total),
        disk_free=int(usage.free),
    )

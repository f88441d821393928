"""What is measured of a machine, host or switch besides, as facts for its detail."""

from __future__ import annotations

from collections.abc import Iterator

from tui.hyperv import paths
from tui.hyperv.counters import image_key
from tui.hyperv.meters import Look
from tui.hyperv.model import Disk, Nic
from tui.rows import levels, text
from tui.rows.amounts import added, brief, often
from tui.rows.meters import drops, iops, meter_of, rate
from tui.store import AdapterRow, DiskRow, HostRow, Stale, Store, SwitchRow, VmRow

Said = tuple[str, str, str]
"""Label, words, tone."""


def disk_line(row: VmRow, disk: Disk, store: Store) -> tuple[str, str]:
    """What an image does now, and its tone; empty while that is not measured."""
    found = store.measured.disks.get(f"disk:{row.host.id}:{image_key(disk.path)}")
    if found is None or not disk.path:
        return "", ""
    return flow(found), _aged(found, levels.tone("disk_latency", found.meter.latency))


def flow(found: DiskRow) -> str:
    """``412 IOPS  3.2 MB/s  12 ms``."""
    count = iops(found)
    said = (f"{often(count)} IOPS" if count is not None else "", text.rate(rate(found)),
            brief(found.meter.latency))  # fmt: skip
    return "  ".join(part for part in said if part)


def adapter_line(row: VmRow, nic: Nic, store: Store) -> tuple[str, str]:
    """What an adapter carries now."""
    found = _adapter(row, nic, store)
    if found is None:
        return "", ""
    lost = drops(found)
    tone = _aged(found, levels.tone("drops", lost))
    said = [f"in {text.rate(found.meter.net_in)}" if found.meter.net_in is not None else "",
            f"out {text.rate(found.meter.net_out)}" if found.meter.net_out is not None else "",
            f"drops {often(lost)}/s" if lost else ""]  # fmt: skip
    return "  ".join(part for part in said if part), tone


def _adapter(row: VmRow, nic: Nic, store: Store) -> AdapterRow | None:
    """By the GUID of its setting; where a machine has one of each, that one."""
    for guid in reversed(paths.guids(nic.id)):
        found = store.measured.adapters.get(f"nic:{row.host.id}:{guid}")
        if found is not None:
            return found
    rows: list[AdapterRow] = store.measured.rows_of(Look.ADAPTERS, row.host.id)
    own = [found for found in rows if found.meter.vm == row.vm.id]
    return own[0] if len(own) == len(row.vm.nics) == 1 else None


def _aged(found: DiskRow | AdapterRow, tone: str) -> str:
    return "dim" if found.stale > Stale.FRESH else tone


def of_machine(row: VmRow) -> Iterator[Said]:
    """How its processors and its memory fare."""
    meter = meter_of(row)
    if meter is None:
        return
    if meter.wait is not None:
        yield "CPU wait", brief(meter.wait), levels.tone("processor_wait", meter.wait)
    if meter.pressure is not None:
        average = f", average {meter.pressure_average}%" if meter.pressure_average else ""
        tone = levels.tone("memory_demand", meter.pressure)
        yield "Pressure", f"{text.percent(meter.pressure)}{average}", tone
    if meter.paged:
        yield "Paged", f"{text.size(meter.paged)} on the host's disk", "error"


def of_host(row: HostRow) -> Iterator[Said]:
    """How its dynamic memory fares."""
    if row.pressure is not None:
        give = f", {text.size(row.balancing)} to give" if row.balancing is not None else ""
        tone = levels.tone("memory_pressure", row.pressure)
        yield "Pressure", f"{text.percent(row.pressure)}{give}", tone


def of_switch(row: SwitchRow, store: Store) -> Iterator[Said]:
    """What a switch carries."""
    meter = store.measured.switches.get(row.key)
    if meter is None or meter.net_in is None:
        return
    yield "Traffic", f"in {text.rate(meter.net_in)}  out {text.rate(meter.net_out)}", ""
    lost = added(meter.drops_in, meter.drops_out)
    yield "Drops", f"{often(lost)}/s" if lost else "", levels.tone("drops", lost)

"""Columns of what is measured beside machines and hosts, as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tui.hyperv.meters import MachineMeter
from tui.hyperv.volumes import is_shared
from tui.rows import levels, text
from tui.rows.amounts import added, brief, often
from tui.rows.column import Cell, Column, plain
from tui.store import AdapterRow, DiskRow, HostVolumeRow, UplinkRow, VmRow

Flow = DiskRow | HostVolumeRow
Traffic = AdapterRow | UplinkRow


def owner(row: DiskRow | AdapterRow) -> str:
    """The machine it belongs to; empty when none is known."""
    machine = row.machine
    return machine.name if machine is not None else ""


def iops(row: Flow) -> float | None:
    """Operations per second."""
    return added(row.meter.reads, row.meter.writes)


def rate(row: Flow) -> float | None:
    """Bytes per second."""
    return added(row.meter.read, row.meter.write)


def drops(row: Traffic) -> float | None:
    """Packets lost per second, both ways."""
    return added(row.meter.drops_in, row.meter.drops_out)


def packets(row: Traffic) -> float | None:
    """Packets per second, both ways."""
    return added(row.meter.packets_in, row.meter.packets_out)


def traffic(row: Traffic) -> float | None:
    """Bytes per second, both ways."""
    return added(row.meter.net_in, row.meter.net_out)


def known(value: float | None, words: Callable[[float | None], str], tone: str = "") -> Cell:
    """A value, or the sign that its host does not tell it."""
    return Cell(text.unknown(), "dim") if value is None else Cell(words(value), tone)


def latency(row: Flow) -> Cell:
    """Seconds per operation; nothing where there were none."""
    value = row.meter.latency
    return Cell(brief(value), levels.tone("disk_latency", value))


def _amount(
    id: str, title: str, get: Callable[[Any], float | None],
    words: Callable[[float | None], str], width: int,
) -> Column[Any]:  # fmt: skip
    return Column(id, title, get, lambda row: known(get(row), words), width, right=True)


def _drops(row: Traffic) -> Cell:
    value = drops(row)
    return known(value, often, levels.tone("drops", value))


def _host(priority: int) -> Column[Any]:
    return Column("host", "Host", lambda r: r.host.id, plain(lambda r: r.host.id),
                  14, 9, priority=priority)  # fmt: skip


def _name(title: str, least: int) -> Column[Any]:
    return Column("name", title, lambda r: r.name, plain(lambda r: r.name), least + 4, least,
                  priority=0, grow=True)  # fmt: skip


_OWNER: Final[Column[Any]] = Column("vm", "VM", owner, plain(owner), 14, 10, priority=1)
_FLOW: Final = (
    _amount("iops", "IOPS", iops, often, 6),
    _amount("rate", "Rate", rate, text.rate, 9),
    Column("latency", "Latency", lambda r: r.meter.latency, latency, 7, right=True),
    _amount("queue", "Queue", lambda r: r.meter.queue, often, 5),
    _amount("reads", "Reads", lambda r: r.meter.reads, often, 6),
    _amount("writes", "Writes", lambda r: r.meter.writes, often, 6),
    _amount("read", "Read", lambda r: r.meter.read, text.rate, 9),
    _amount("write", "Write", lambda r: r.meter.write, text.rate, 9),
)
_TRAFFIC: Final = (
    _amount("in", "In", lambda r: r.meter.net_in, text.rate, 9),
    _amount("out", "Out", lambda r: r.meter.net_out, text.rate, 9),
    _amount("packets", "Packets", packets, often, 7),
    Column("drops", "Drops", drops, _drops, 6, right=True),
)


def _volume(row: DiskRow) -> str:
    return row.meter.volume


def volume_label(name: str) -> str:
    """``Volume1`` of a shared volume; a drive letter as it is."""
    bare = name.rstrip("\\")
    return bare.rpartition("\\")[2] if is_shared(f"{bare}\\") else name


def _path(row: DiskRow) -> str:
    return row.meter.path


def switch(row: AdapterRow) -> str:
    """Name of its switch, where one of its machine's adapters tells it."""
    guid = row.meter.switch.rpartition(":")[2]
    nics = row.machine.vm.nics if row.machine is not None else ()
    return next((nic.switch_name for nic in nics if guid and nic.switch_id == guid), "")


def _free(row: HostVolumeRow) -> float | None:
    found = row.volume
    return found.free if found is not None else None


def capacity(row: HostVolumeRow) -> int | None:
    """Bytes a volume has; None where nobody tells."""
    found = row.volume
    return getattr(found, "capacity", 0) or getattr(found, "size", 0) or None


def free_share(row: HostVolumeRow) -> float | None:
    """Percent of a volume that is free."""
    found, whole = row.volume, capacity(row)
    return None if found is None or whole is None else 100 * found.free / whole


def _free_cell(row: HostVolumeRow) -> Cell:
    share = free_share(row)
    return Cell(text.size(_free(row)), levels.tone("volume_free", share))


def _shared(row: HostVolumeRow) -> str:
    return "yes" if row.meter.shared else ""


DISK_COLUMNS: Final[tuple[Column[Any], ...]] = (
    _name("Disk", 16), _OWNER, _host(3),
    Column("volume", "Volume", _volume, plain(lambda r: volume_label(_volume(r))), 12, 7,
           priority=4),
    *_FLOW,
    Column("path", "Path", _path, plain(_path, "dim"), 40, 16,
           priority=11),
)  # fmt: skip
VOLUME_COLUMNS: Final[tuple[Column[Any], ...]] = (
    replace(_name("Volume", 12), cell=plain(lambda r: volume_label(r.name))), _host(0), *_FLOW,
    Column("free", "Free", _free, _free_cell, 8, right=True, priority=3),
    Column("shared", "Shared", _shared, plain(_shared), 6, priority=8),
)  # fmt: skip
ADAPTER_COLUMNS: Final[tuple[Column[Any], ...]] = (
    _name("Adapter", 15), _OWNER, _host(3), *_TRAFFIC,
    Column("switch", "Switch", switch, plain(switch), 14, 8, priority=8),
)  # fmt: skip
UPLINK_COLUMNS: Final[tuple[Column[Any], ...]] = (
    _name("Uplink", 18), _host(0),
    Column("speed", "Speed", lambda r: r.meter.speed or None,
           plain(lambda r: text.bits(r.meter.speed)), 8, right=True, priority=3),
    *_TRAFFIC,
)  # fmt: skip


def called(row: Flow | Traffic) -> str:
    """Its name and whose it is: ``sql03.vhdx of sql03``, ``Volume1 on HV02``."""
    name = volume_label(row.name) if isinstance(row, HostVolumeRow) else row.name
    machine = row.machine
    return f"{name} of {machine.name}" if machine is not None else f"{name} on {row.host.id}"


# -- machines ------------------------------------------------------------------------------


def meter_of(row: VmRow) -> MachineMeter | None:
    """What is measured of a machine where it is now."""
    meter = row.meter
    return meter if meter is not None and meter.host == row.host.id else None


def wait(row: VmRow) -> float | None:
    """Seconds its processors wait for a real one, each time."""
    meter = meter_of(row)
    return None if meter is None else meter.wait


def pressure_of(counter: float | None, wanted: float | None, had: float | None) -> float | None:
    """Percent of its memory that something wants: as the counter has it, which is defined as just
    that ratio and tells it of guests that want more than they have; else the ratio itself.
    """
    if counter is not None:
        return counter
    return 100.0 * wanted / had if wanted is not None and had else None


def pressure(row: VmRow) -> float | None:
    """That of a machine."""
    meter, free = meter_of(row), row.vitals.memory_available
    wanted = None if free is None or row.vitals.memory is None else 100.0 - free
    return pressure_of(None if meter is None else meter.pressure, wanted, 100.0)

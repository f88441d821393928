"""Finer measurements of a host: disks, adapters, switches, volumes, processors, memory.

They cost the host an answer each, so they are read only while somebody looks (``Look``). A value
is None where the host does not tell it; a whole group it does not answer for is in ``refused``.
Rates are per second between two readings by the host's own clock; latencies in seconds.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tui.hyperv.record import Record


class Look(StrEnum):
    """A group of measurements that is read together."""

    DISKS = "disks"
    """Images of virtual machines (Counters_HyperVVirtualStorageDevice)."""
    ADAPTERS = "adapters"
    """Virtual network adapters (NvspNicStats_HyperVVirtualNetworkAdapter)."""
    SWITCHES = "switches"
    """Virtual switches (NvspSwitchStats_HyperVVirtualSwitch)."""
    UPLINKS = "uplinks"
    """Physical network adapters (Tcpip_NetworkInterface)."""
    VOLUMES = "volumes"
    """Volumes (PerfDisk_LogicalDisk), shared ones too (CsvFsPerfProvider_ClusterCSVFS)."""
    PROCESSORS = "processors"
    """Virtual processors of machines (HvStats_HyperVHypervisorVirtualProcessor)."""
    MEMORY = "memory"
    """Dynamic memory (BalancerStats_HyperVDynamicMemoryVM and …Balancer)."""
    IMAGES = "images"
    """Files of disks and their chains, some at a time (``survey``)."""


class DiskMeter(Record, frozen=True):
    """An image, pass-through disk or DVD that a running machine uses."""

    id: str
    """``host:`` and the comparable form of its path (``counters.image_key``)."""
    host: str
    path: str
    """As the machine's setting has it; the counter's instance name when no machine names it."""
    vm: str = ""
    """GUID of the machine; empty when none is known to use it."""
    volume: str = ""
    """``Volume.name`` of the host that holds it; empty when not known."""
    read: float | None = None
    """Bytes per second."""
    write: float | None = None
    reads: float | None = None
    """Operations per second."""
    writes: float | None = None
    latency: float | None = None
    """Seconds per operation; None while there were none."""
    queue: float | None = None
    """Operations waiting."""


class AdapterMeter(Record, frozen=True):
    """A virtual network adapter, of a machine or of the management operating system."""

    id: str
    """``host:`` and the adapter's GUID, or its instance name where that holds none."""
    host: str
    name: str
    vm: str = ""
    """GUID of the machine; empty: the host's own."""
    switch: str = ""
    """``Switch.id``; empty when not known."""
    net_in: float | None = None
    """Bytes per second."""
    net_out: float | None = None
    packets_in: float | None = None
    packets_out: float | None = None
    drops_in: float | None = None
    """Packets dropped per second."""
    drops_out: float | None = None


class SwitchMeter(Record, frozen=True):
    """A virtual switch."""

    id: str
    """``Switch.id``."""
    host: str
    name: str
    net_in: float | None = None
    """Bytes per second."""
    net_out: float | None = None
    packets_in: float | None = None
    packets_out: float | None = None
    drops_in: float | None = None
    drops_out: float | None = None


class UplinkMeter(Record, frozen=True):
    """A physical network adapter."""

    id: str
    """``host:`` and its name."""
    host: str
    name: str
    """``Uplink.name`` where one matches, else the counter's instance name."""
    speed: int = 0
    """Bits per second (CurrentBandwidth)."""
    net_in: float | None = None
    """Bytes per second."""
    net_out: float | None = None
    packets_in: float | None = None
    packets_out: float | None = None
    drops_in: float | None = None
    """Packets discarded or in error per second."""
    drops_out: float | None = None


class VolumeMeter(Record, frozen=True):
    """A volume of a host, or a cluster shared volume as that host uses it."""

    id: str
    """``host:`` and its name in lower case."""
    host: str
    name: str
    """``Volume.name`` where one matches, else the counter's instance name."""
    shared: bool = False
    read: float | None = None
    """Bytes per second."""
    write: float | None = None
    reads: float | None = None
    """Operations per second."""
    writes: float | None = None
    latency: float | None = None
    """Seconds per operation; None while there were none."""
    queue: float | None = None


class MachineMeter(Record, frozen=True):
    """A running machine, more exactly than its summary tells."""

    id: str
    """Its GUID."""
    host: str
    guest: float | None = None
    """Percent of its virtual processors that ran the guest."""
    hypervisor: float | None = None
    """Percent of them that ran the hypervisor on its behalf."""
    wait: float | None = None
    """Seconds a virtual processor waits for a real one, each time it is dispatched."""
    pressure: int | None = None
    """CurrentPressure: what the guest wants in percent of what it has."""
    pressure_average: int | None = None
    """AveragePressure."""
    visible: int | None = None
    """Bytes the guest sees (GuestVisiblePhysicalMemory)."""
    available: int | None = None
    """Bytes free in the guest (GuestAvailableMemory)."""
    paged: int | None = None
    """Bytes of its memory that the host keeps on disk (SmartPagingWorkingSetSize)."""


class ImageFile(Record, frozen=True):
    """A file of a disk's chain (Msvm_VirtualHardDiskSettingData and …State)."""

    id: str
    """``host:`` and its path in lower case."""
    host: str
    path: str
    vm: str = ""
    """GUID of the machine whose chain it is in; empty when several share it."""
    kind: int = 0
    """Type: 2 fixed, 3 dynamic, 4 differencing; 0 not known."""
    size: int = 0
    """Bytes it may grow to (MaxInternalSize)."""
    used: int = 0
    """Bytes of the file (FileSize)."""
    parent: str = ""
    """Path of the file it differs from."""
    written: bool = False
    """The machine's own disk, not a parent below it: only this one grows."""
    read_at: float = 0.0
    """Unix time; 0 not read yet."""
    trouble: str = ""
    """Why nothing is known of it: missing, locked, refused."""


class Meters(Record, frozen=True):
    """All that one host tells of what is being looked at. Groups take turns in its fast ticks."""

    host: str
    at: float = 0.0
    """Unix time of the newest reading among them."""
    looks: tuple[Look, ...] = ()
    """What is read now."""
    refused: dict[Look, str] = msgspec.field(default_factory=dict)
    """Groups the host does not answer for, and why."""
    disks: tuple[DiskMeter, ...] = ()
    adapters: tuple[AdapterMeter, ...] = ()
    switches: tuple[SwitchMeter, ...] = ()
    uplinks: tuple[UplinkMeter, ...] = ()
    volumes: tuple[VolumeMeter, ...] = ()
    machines: tuple[MachineMeter, ...] = ()
    images: tuple[ImageFile, ...] = ()
    pressure: int | None = None
    """Average pressure of the host's dynamic memory (AveragePressure of its balancer)."""
    balancing: int | None = None
    """Bytes its balancer may still give (AvailableMemoryForBalancing)."""

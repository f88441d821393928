"""Rows of what is measured beside machines and hosts: images, adapters, uplinks, volumes.

They live while somebody looks at them and a while longer; no action applies to one, so their keys
are known to nobody but their tables and their histories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Final, Generic, TypeVar

from tui.hyperv.cluster import Cluster, SharedVolume
from tui.hyperv.meters import AdapterMeter, DiskMeter, UplinkMeter, VolumeMeter
from tui.hyperv.model import Host, HostVitals, Volume
from tui.store.fleet import HostEntry
from tui.store.rows import Stale, VmRow

MICRO: Final = 1e-6
"""A microsecond in seconds."""


class DiskMetric(IntEnum):
    """What is measured of an image or a volume, and its place in a slot of its history."""

    READ = 0
    """Bytes per second."""
    WRITE = 1
    READS = 2
    """Operations per second."""
    WRITES = 3
    LATENCY = 4
    """Microseconds: codes of readings hold nothing below a thousandth."""
    QUEUE = 5


class AdapterMetric(IntEnum):
    """The same of an adapter, virtual or physical."""

    NET_IN = 0
    """Bytes per second."""
    NET_OUT = 1
    PACKETS_IN = 2
    PACKETS_OUT = 3
    DROPS_IN = 4
    DROPS_OUT = 5


class MachineMetric(IntEnum):
    """The same of a machine, beside what its vitals tell."""

    GUEST = 0
    """Percent."""
    HYPERVISOR = 1
    WAIT = 2
    """Microseconds."""
    PRESSURE = 3
    """Percent."""
    VISIBLE = 4
    """Bytes."""
    AVAILABLE = 5


Meter = TypeVar("Meter", DiskMeter, AdapterMeter, UplinkMeter, VolumeMeter)


@dataclass(slots=True, eq=False)
class MeterRow(Generic[Meter]):
    """Something that is measured, on the host that tells of it."""

    key: str
    """Its kind, ``:`` and the id of its meter."""
    meter: Meter
    entry: HostEntry
    """Its host."""
    vms: Mapping[str, VmRow] = field(default_factory=dict)
    """Every machine there is."""
    left_at: float = 0.0
    """When its host stopped telling of it; 0: it still does."""
    age: Stale = Stale.FRESH
    """How old its values are, should its host be read as it ought to be."""
    marked: ClassVar[bool] = False
    pending: ClassVar[str] = ""

    @property
    def name(self) -> str:
        return ""

    @property
    def host(self) -> Host:
        return self.entry.info

    @property
    def host_vitals(self) -> HostVitals:
        return self.entry.vitals

    @property
    def stale(self) -> Stale:
        return max(self.age, self.entry.stale)

    @property
    def machine(self) -> VmRow | None:
        """The machine that uses it, where it is listed; of two that share a GUID the one there."""
        return None

    @property
    def goes(self) -> str:
        """Key of the machine, or of the host where there is none."""
        machine = self.machine
        return machine.key if machine is not None else self.host.id

    def _listed(self, guid: str) -> VmRow | None:
        if not guid:
            return None
        return self.vms.get(f"{guid}@{self.meter.host}") or self.vms.get(guid)


class DiskRow(MeterRow[DiskMeter]):
    """An image of a virtual machine."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self.meter.path.replace("/", "\\").rstrip("\\").rpartition("\\")[2]

    @property
    def machine(self) -> VmRow | None:
        return self._listed(self.meter.vm)


class AdapterRow(MeterRow[AdapterMeter]):
    """A virtual network adapter."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self.meter.name

    @property
    def machine(self) -> VmRow | None:
        return self._listed(self.meter.vm)


class UplinkRow(MeterRow[UplinkMeter]):
    """A physical network adapter."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self.meter.name


@dataclass(slots=True, eq=False)
class HostVolumeRow(MeterRow[VolumeMeter]):
    """A volume as one host uses it; of a shared one every node of the cluster has such a row."""

    cluster: Cluster | None = None
    """The cluster of its host, as it was last told of."""

    @property
    def name(self) -> str:
        return self.meter.name

    @property
    def volume(self) -> Volume | SharedVolume | None:
        """Its size and what is free of it, where host or cluster tell."""
        name = same_volume(self.meter.name)
        for volume in self.host.volumes:
            if same_volume(volume.name) == name:
                return volume
        for shared in self.cluster.volumes if self.cluster is not None else ():
            if name in (same_volume(shared.path), same_volume(shared.name)):
                return shared
        return None


def same_volume(name: str) -> str:
    """The name of a volume as it is compared."""
    return name.rstrip("\\").casefold()

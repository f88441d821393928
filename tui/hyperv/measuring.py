"""Counters of one host between its readings: fed row by row, told as rates and as meters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from tui.hyperv import counters, instances, meanings
from tui.hyperv.ask import Asker
from tui.hyperv.counters import Meter, Values
from tui.hyperv.machines import Rates
from tui.hyperv.meters import Look, Meters
from tui.hyperv.model import Inventory, Vm
from tui.hyperv.sources import SOURCES
from tui.wsman.cim import CimInstance

_WORDS: Mapping[Look, str] = {
    Look.DISKS: "virtual storage",
    Look.ADAPTERS: "virtual network adapters",
    Look.SWITCHES: "virtual switches",
    Look.UPLINKS: "network interfaces",
    Look.VOLUMES: "volumes",
    Look.PROCESSORS: "virtual processors",
    Look.MEMORY: "dynamic memory",
}

_NET = ("BytesReceivedPersec", "BytesSentPersec")
_DISK = ("ReadBytesPersec", "WriteBytesPersec")

Pair = tuple[float | None, float | None]


class Measuring:
    """What the counters of one host say."""

    def __init__(self, ask: Asker) -> None:
        self._ask = ask
        self._meters: dict[str, Meter] = {}
        self._told: dict[str, dict[str, Values]] = {}
        """By class, what the last reading of it gave."""
        self._looks: tuple[Look, ...] = ()
        self._read_at = 0.0

    @property
    def looks(self) -> tuple[Look, ...]:
        """What is being looked at."""
        return self._looks

    def attend(self, looks: Iterable[Look]) -> list[str]:
        """Look at these groups from now on. Answers the sources that are needed no more."""
        wanted = set(looks)
        self._looks = tuple(look for look in Look if look in wanted)
        dropped = [n for n, source in SOURCES.items() if source.look and source.look not in wanted]
        for name in dropped:
            if not SOURCES[name].serves:  # others are fed by their plain source
                self._told.pop(SOURCES[name].query.class_name, None)
                self._meters.pop(SOURCES[name].query.class_name, None)
        return dropped

    def take(self, name: str, rows: list[CimInstance] | None, at: float) -> None:
        """A reading of one source; None: the host did not answer for it."""
        source = SOURCES[name]
        class_name = source.query.class_name
        if rows is None:
            self._told.pop(class_name, None)
            return
        meter = self._meters.setdefault(class_name, Meter(class_name))
        self._told[class_name] = meter.feed(rows)
        if source.look is not None:
            self._read_at = at

    # -- in short --------------------------------------------------------------------------

    def rates(self, vm_ids: Collection[str], vms: Mapping[str, Vm]) -> dict[str, Rates]:
        """Bytes per second of machines: adapters are known by GUID, images by path."""
        net: dict[str, list[Values]] = {}
        for name, values in self._told.get(counters.ADAPTER, {}).items():
            net.setdefault(counters.adapter_owner(name, vm_ids), []).append(values)
        told = self._told.get(counters.STORAGE, {})
        disk = {counters.image_key(name): values for name, values in told.items()}
        found: dict[str, Rates] = {}
        for vm in vm_ids:
            drives = vms[vm].disks if vm in vms else ()
            keys = (counters.image_key(drive.path) for drive in drives if drive.path)
            images = [disk[key] for key in keys if key in disk]
            found[vm] = Rates(*_sums(net.get(vm, ()), _NET), *_sums(images, _DISK))
        return found

    def totals(self) -> Rates:
        """Bytes per second of all adapters and of all images."""
        adapters = self._told.get(counters.ADAPTER, {})
        images = self._told.get(counters.STORAGE, {})
        return Rates(*_sums(_apart(adapters), _NET), *_sums(_apart(images), _DISK))

    # -- in full ---------------------------------------------------------------------------

    def meters(self, inventory: Inventory) -> Meters | None:
        """All that is being looked at; None when nothing is."""
        if not self._looks:
            return None
        pressure, balancing = instances.join_balancer(self._of(counters.BALANCER))
        return Meters(
            host=inventory.host.id,
            at=self._read_at,
            looks=self._looks,
            refused=self._refused(clustered=bool(inventory.host.cluster)),
            disks=instances.join_disks(self._of(counters.STORAGE), inventory),
            adapters=instances.join_adapters(self._of(counters.ADAPTER), inventory),
            switches=instances.join_switches(self._of(counters.SWITCH), inventory),
            uplinks=instances.join_uplinks(self._of(counters.UPLINK), inventory),
            volumes=instances.join_volumes(
                self._of(counters.VOLUME), self._of(counters.SHARED_VOLUME), inventory
            ),
            machines=instances.join_machines(
                self._of(counters.VIRTUAL_PROCESSOR), self._of(counters.MEMORY), inventory
            ),
            pressure=pressure,
            balancing=balancing,
        )

    def _of(self, class_name: str) -> Mapping[str, Values]:
        """What was told of a class, if it is being looked at."""
        looked = any(
            source.look in self._looks and source.query.class_name == class_name
            for source in SOURCES.values()
        )
        return self._told.get(class_name, {}) if looked else {}

    def _refused(self, *, clustered: bool) -> dict[Look, str]:
        """Groups no source of which the host answers for, and why."""
        found: dict[Look, str] = {}
        for look in self._looks:
            sources = [
                source
                for source in SOURCES.values()
                if source.look is look and (clustered or not source.clustered)
            ]
            faults = [self._ask.refusal(source.query) for source in sources]
            reasons = [fault for fault in faults if fault is not None]
            if not reasons or len(reasons) < len(sources):
                continue
            if meanings.is_denied(reasons[0]):
                found[look] = f"the account may not read the counters of {_WORDS[look]}"
            else:
                found[look] = f"this host has no counters of {_WORDS[look]}"
        return found


def _apart(found: Mapping[str, Values]) -> Iterator[Values]:
    """Instances without their total."""
    return (values for name, values in found.items() if not counters.total(name))


def _sums(values: Iterable[Values], columns: tuple[str, str]) -> Pair:
    listed = list(values)
    return _sum(listed, columns[0]), _sum(listed, columns[1])


def _sum(values: Iterable[Values], column: str) -> float | None:
    known = [value for each in values if (value := each.get(column)) is not None]
    return sum(known) if known else None

"""One virtual machine of the simulated fabric: its CIM instances and what its guest is doing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.sim.guests import System
from tui.sim.load import Done, Load
from tui.wsman.cim import CimInstance, CimRef

if TYPE_CHECKING:
    from tui.sim.replication import End
    from tui.sim.world import SimHost

RUNNING, OFF, STOPPING, SAVED, PAUSED, STARTING, RESET = 2, 3, 4, 6, 9, 10, 11
SAVING, PAUSING, RESUMING = 32773, 32776, 32777
PAUSED_CRITICAL = 32789

CROWDED = 8e6
"""Bytes a second at the top of a load from which on packets are lost."""
SLACK = 3
"""Percent by which the memory of a machine may differ from what it should have."""

ALIVE = frozenset({RUNNING, STOPPING, PAUSED, SAVING, PAUSING, RESUMING, PAUSED_CRITICAL})
"""States in which a worker process holds memory for it."""


@dataclass(slots=True)
class Configuration:
    """Settings of a machine now, or at the time of a checkpoint."""

    settings: CimInstance
    resources: dict[str, CimInstance] = field(default_factory=dict)
    """By InstanceID in lower case; port features and boot sources included."""

    def of(self, *classes: str) -> Iterator[CimInstance]:
        return (item for item in self.resources.values() if item.class_name in classes)

    def first(self, class_name: str) -> CimInstance | None:
        return next(self.of(class_name), None)

    def at(self, device: str) -> CimInstance | None:
        """The resource with a well-known device identifier."""
        prefix = shapes.text(self.settings, "InstanceID")
        return self.resources.get(f"{prefix}\\{device}".lower())

    def put(self, instance: CimInstance) -> CimInstance:
        self.resources[shapes.text(instance, "InstanceID").lower()] = instance
        return instance

    def under(self, parent: str) -> list[CimInstance]:
        """Resources whose InstanceID continues another one's."""
        prefix = parent.lower() + "\\"
        return [item for key, item in self.resources.items() if key.startswith(prefix)]


@dataclass(slots=True)
class Machine:
    """A virtual machine. Its ``system`` instance holds the truth about its state and name."""

    host: SimHost
    id: str
    system: CimInstance
    current: Configuration
    guest: System
    fqdn: str
    load: Load
    number: int
    """Small, unique on its host: process and partition identifiers grow from it."""
    checkpoints: dict[str, Configuration] = field(default_factory=dict)
    """By the upper-case GUID of the checkpoint."""
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the guest calls itself on each adapter, by the adapter's InstanceID in lower case."""
    networks: dict[str, int] = field(default_factory=dict)
    """The VLAN on which the guest was given an address, by the same key."""
    runs: list[tuple[float, float | None]] = field(default_factory=list)
    """Spans in which its processors ran since it was started; the last may be open."""
    started_at: float = 0.0
    ready_at: float = 0.0
    """When the integration services of the guest begin to answer."""
    stuck: bool = False
    leaving: bool = False
    """The guest is on its way down."""
    kvp: tuple[str, tuple[str, ...]] | None = None
    """Cached data items of the guest and the address they were made for."""
    saved_state: bool = False
    merge_disabled: bool = False
    """A backup has left the merging of its disks switched off."""
    merging: bool = False
    assigned: int = 0
    """MB of memory it holds now."""
    balanced_at: float = 0.0
    domain: str = ""
    clustered: bool = False
    key: bytes = b""
    """Its key protector; empty when it has none."""
    unreadable: bool = False
    """What its virtual TPM holds was sealed for a key protector it no longer has."""
    sealed_by: str = ""
    """The host whose guardian can open its key protector; empty when any can."""
    outdated: bool = False
    """Its integration services speak an older protocol than the host's."""
    processor: str = ""
    """The processor whose features it found when it was started; empty: its host's."""
    moving: bool = False
    """A migration has it; nothing else may change it."""
    gone: bool = False
    """It has moved away, and this host has not noticed."""
    arrived: float = 0.0
    """When it came to its host in the middle of its run."""
    brought: Done | None = None
    """What it had done in this run before it came."""
    grows: float = 0.0
    """Bytes that its last disk grows by in a second of running."""
    grown_for: float | None = None
    """Seconds of its run that its disk has grown for."""
    replica: End | None = None
    """Its side of a replication."""
    _done: tuple[float, int, Done] | None = None
    """What it has done up to the moment it was last asked, and after how many spans."""

    # -- names and state -------------------------------------------------------------------

    @property
    def name(self) -> str:
        return shapes.text(self.system, "ElementName")

    @property
    def ref(self) -> CimRef:
        """The reference of what stands for it, real or planned."""
        return shapes.system_ref(self.id, self.system.class_name)

    @property
    def state(self) -> int:
        return shapes.number(self.system, "EnabledState")

    @property
    def settings(self) -> CimInstance:
        return self.current.settings

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def fixed(self) -> bool:
        """It runs or is saved: only what is hot-pluggable comes and goes."""
        return self.alive or self.state == SAVED

    @property
    def generation(self) -> int:
        return 2 if shapes.text(self.settings, "VirtualSystemSubType").endswith(":2") else 1

    @property
    def cpus(self) -> int:
        processor = self.current.at(shapes.PROCESSOR)
        return shapes.number(processor, "VirtualQuantity") if processor else 1

    @property
    def nics(self) -> list[CimInstance]:
        return list(
            self.current.of(
                "Msvm_SyntheticEthernetPortSettingData", "Msvm_EmulatedEthernetPortSettingData"
            )
        )

    @property
    def images(self) -> list[CimInstance]:
        """Disk and DVD images in its drives."""
        return list(self.current.of("Msvm_StorageAllocationSettingData"))

    def connection(self, nic: CimInstance) -> CimInstance | None:
        """The port allocation that ties an adapter to a switch."""
        below = self.current.under(shapes.text(nic, "InstanceID"))
        return next(
            (i for i in below if i.class_name == "Msvm_EthernetPortAllocationSettingData"), None
        )

    @property
    def connected_nics(self) -> list[CimInstance]:
        """Adapters that are plugged into a switch."""
        ports = ((nic, self.connection(nic)) for nic in self.nics)
        return [nic for nic, port in ports if port is not None and port.values["EnabledState"] == 2]

    # -- the guest -------------------------------------------------------------------------

    def responsive(self, now: float) -> bool:
        """Its integration services answer."""
        return self.state in (RUNNING, STOPPING) and self.guest.boot > 5 and now >= self.ready_at

    def spans(self, now: float) -> list[tuple[float, float]]:
        """Closed spans of running up to now."""
        return [
            (start, max(start, now if end is None else min(end, now))) for start, end in self.runs
        ]

    def done(self, now: float) -> Done:
        """Its work on this host since it was started; many classes ask for the same moment."""
        known = self._done
        if known is None or known[0] != now or known[1] != len(self.runs):
            done = self.load.done(self.spans(max(now, self.arrived)))
            if self.brought is not None:
                done = done.beyond(self.brought)
            self._done = known = (now, len(self.runs), done)
        return known[2]

    def worked(self, start: float, end: float) -> Done:
        """Its work on this host between two moments."""
        since = max(start, self.arrived)
        until = max(end, since)
        return self.load.done(self.spans(until)).beyond(self.load.done(self.spans(since)))

    def dropped(self, now: float) -> tuple[float, float]:
        """Packets lost on their way to it and from it so far: a few at the top of each burst."""
        heard, said = self.load.net_in.per_load, self.load.net_out.per_load
        if max(heard, said) < CROWDED:
            return 0.0, 0.0
        crests = self.load.crests(20.0 * max(heard, said) / CROWDED)
        lost = sum(
            crests.area(end) - crests.area(min(end, max(start, self.arrived)))
            for start, end in self.spans(now)
        )
        return (lost, 0.0) if heard >= said else (0.0, lost)

    def arrive(self, now: float) -> None:
        """Go on with its run on another host, which counts from nothing."""
        self.brought = self.load.done(self.spans(now)) if self.runs else None
        self.arrived = now if self.runs else 0.0
        self._done = None

    def begin(self, now: float) -> None:
        """Its processors start from nothing."""
        self.runs = [(now, None)]
        self._forget()
        if not self.saved_state:
            self.processor = self.host.plan.processor
        self.started_at = now
        self.ready_at = now + self.guest.boot
        self.leaving = False

    def _forget(self) -> None:
        self._done = self.brought = None
        self.arrived = 0.0

    def freeze(self, now: float) -> None:
        if self.runs and self.runs[-1][1] is None:
            self.runs[-1] = (self.runs[-1][0], now)
            self._done = None

    def thaw(self, now: float) -> None:
        if not self.runs:
            self.begin(now)
        elif self.runs[-1][1] is not None:
            self.runs.append((now, None))

    def stop(self) -> None:
        """Nothing is left of its run."""
        self.runs = []
        self._forget()
        self.started_at = 0.0
        self.leaving = False
        self.assigned = 0

    # -- memory ----------------------------------------------------------------------------

    def memory_setting(self) -> CimInstance:
        setting = self.current.at(shapes.MEMORY)
        assert setting is not None, "a machine always has memory settings"
        return setting

    @property
    def dynamic(self) -> bool:
        return bool(self.memory_setting().values["DynamicMemoryEnabled"])

    def demand(self, now: float) -> int:
        """MB the guest wants, buffer not included."""
        setting = self.memory_setting()
        startup = shapes.number(setting, "VirtualQuantity")
        if not self.runs or self.runs[-1][1] is not None:
            return int(self.assigned * 0.5)
        booted = min(1.0, 0.35 + (now - self.started_at) / 600.0)
        return int(startup * self.load.memory.value(now) * booted)

    def memory(self, now: float) -> int:
        """MB assigned; dynamic memory follows demand when that has moved far enough, and not
        faster than every ten seconds."""
        if not self.alive:
            return 0
        setting = self.memory_setting()
        startup = shapes.number(setting, "VirtualQuantity")
        if not self.dynamic:
            self.assigned = startup
            return startup
        if self.state != RUNNING or now < self.ready_at:
            self.assigned = self.assigned or startup
            return self.assigned
        if self.assigned and now - self.balanced_at < 10.0:
            return self.assigned
        buffer = shapes.number(setting, "TargetMemoryBuffer") or 20
        wanted = int(self.demand(now) * (100 + buffer) / 100)
        low = shapes.number(setting, "Reservation")
        high = max(low, shapes.number(setting, "Limit"))
        wanted = min(max(wanted, low), high) // 2 * 2
        self.balanced_at = now
        if abs(wanted - self.assigned) * 100 > SLACK * self.assigned:
            self.assigned = wanted
        return self.assigned

    # -- processor -------------------------------------------------------------------------

    def processor_load(self, now: float) -> int:
        """Percent of its own virtual processors, mean of the last seconds of running."""
        if not self.runs:
            return 0
        start, end = self.runs[-1]
        if end is not None:
            return 0
        since = max(start, now - 4.0)
        level = self.load.cpu.mean(since, now) if now > since else self.load.cpu.value(now)
        return max(0, min(100, round(level * 100)))

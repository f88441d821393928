"""An estate made of model records, and a collector that plays it: same API, no process."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tui.collector.messages import (
    Batch,
    Call,
    CallUpdate,
    Command,
    Configure,
    Exchange,
    HostLink,
    Inspect,
    Phase,
    Update,
)
from tui.collector.pipe import CollectorDied
from tui.hyperv.model import (
    Checkpoint,
    Disk,
    Host,
    HostVitals,
    Integration,
    Job,
    Link,
    Nic,
    NicKind,
    Switch,
    SwitchKind,
    Trouble,
    Uplink,
    Vlan,
    VlanMode,
    Vm,
    VmVitals,
    Volume,
)
from tui.hyperv.sheet import Controller, Memory, Processor, Sheet

GB = 1 << 30
START = 1_790_000_000.0
RUNNING, OFF, SAVED, PAUSED = 2, 3, 6, 9

NAMES = (
    "sql01", "sql02", "web01", "web02", "web03", "dc01", "dc02", "file01", "mail01", "build07",
    "print01", "erp-app", "erp-db", "jump", "wiki", "grafana", "k8s-a", "k8s-b", "k8s-c", "vdi-014",
)  # fmt: skip


def guid(number: int) -> str:
    """A GUID, upper case, that tells its number."""
    return f"{number:08X}-0000-4000-8000-00155D{number:06X}"


@dataclass
class Simulated:
    """One host of the estate and the sequence number of its updates."""

    info: Host
    vitals: HostVitals
    vms: dict[str, Vm] = field(default_factory=dict)
    vitals_of: dict[str, VmVitals] = field(default_factory=dict)
    switches: dict[str, Switch] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    seq: int = 0


class Estate:
    """Hosts with virtual machines, told as updates."""

    def __init__(self, now: float = START) -> None:
        self.now = now
        self.hosts: dict[str, Simulated] = {}
        self._count = 0

    # -- building --------------------------------------------------------------------------

    def add_host(self, name: str, cluster: str = "", **changes: Any) -> Simulated:
        """A healthy host of 32 processors and 256 GB."""
        info = Host(
            name,
            f"https://{name.lower()}.example.org:5986/wsman",
            name=name,
            cluster=cluster,
            domain="example.org",
            os="Microsoft Windows Server 2022 Datacenter",
            build="20348",
            model="Dell Inc. PowerEdge R650",
            processor="Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz",
            sockets=2,
            cores=16,
            logical_processors=32,
            memory=256 * GB,
            booted_at=self.now - 40 * 86_400,
            volumes=(Volume("C:\\", "System", 200 * GB, 90 * GB),),
            uplinks=(Uplink("nic1", "Ethernet 1", "00155D0000FF", 10_000_000_000, True, True),),
        )
        vitals = HostVitals(
            name,
            Link.UP,
            read_at=self.now,
            interval=2.0,
            latency=0.018,
            cpu=23.0,
            memory_free=100 * GB,
            net_in=2e6,
            net_out=1e6,
            disk_read=5e6,
            disk_write=3e6,
        )
        host = Simulated(info, msgspec.structs.replace(vitals, **changes))
        switch_id = f"{name}:{guid(9000 + len(self.hosts))}"
        host.switches[switch_id] = Switch(
            switch_id,
            name,
            switch_id.partition(":")[2],
            "vSwitch Prod",
            SwitchKind.EXTERNAL,
            uplinks=("Ethernet 1",),
            shared=True,
        )
        self.hosts[name] = host
        return host

    def add_vm(self, host: str, name: str, state: int = RUNNING, **changes: Any) -> Vm:
        """A virtual machine; ``changes`` go to its vitals."""
        self._count += 1
        number, place = self._count, self.hosts[host]
        switch = next(iter(place.switches.values()))
        running = state == RUNNING
        vm = Vm(
            guid(number),
            host,
            name,
            notes=f"{name} #prod",
            generation=2,
            version="10.0",
            created_at=self.now - 90 * 86_400,
            processors=4,
            memory_startup=4 * GB,
            memory_minimum=2 * GB,
            memory_maximum=8 * GB,
            dynamic_memory=True,
            automatic_start=3,
            automatic_stop=3,
            secure_boot=True,
            guest="Microsoft Windows Server 2019 Standard" if running else "",
            guest_name=f"{name}.example.org" if running else "",
            nics=(
                Nic(
                    f"{number}-nic",
                    "Network Adapter",
                    NicKind.SYNTHETIC,
                    f"00155D{number:06X}",
                    False,
                    True,
                    switch.guid,
                    switch.name,
                    Vlan(VlanMode.ACCESS, 20),
                    (f"10.1.2.{number}",) if running else (),
                ),
            ),
            disks=(Disk(f"{number}-disk", f"D:\\VMs\\{name}\\{name}.vhdx", "SCSI", 0, 0),),
            checkpoints=(Checkpoint(f"{number}-c1", "before update", self.now - 9 * 86_400),)
            if number % 5 == 0
            else (),
            integration=(Integration("heartbeat", True, 2), Integration("shutdown", True, 2)),
            complete=True,
        )
        vitals = VmVitals(
            vm.id,
            host,
            state,
            health=5,
            status=2,
            cpu=(number * 7) % 60 + 1 if running else None,
            memory=4 * GB if running else None,
            memory_available=35 if running else None,
            started_at=self.now - 86_400 * number if running else None,
            heartbeat=2 if running else None,
            net_in=1e5 if running else None,
            net_out=2e5 if running else None,
            disk_read=1e6 if running else None,
            disk_write=5e5 if running else None,
            since=self.now - 3600,
        )
        place.vms[vm.id] = vm
        place.vitals_of[vm.id] = msgspec.structs.replace(vitals, **changes)
        self._connect(place)
        return vm

    def _connect(self, place: Simulated) -> None:
        for key, switch in place.switches.items():
            vms = tuple(sorted(place.vms))
            place.switches[key] = msgspec.structs.replace(
                switch, vms=vms, ports=len(vms), vlans=(20,) if vms else ()
            )

    # -- happening -------------------------------------------------------------------------

    def find(self, name: str) -> tuple[Simulated, Vm]:
        """A machine by name, and its host."""
        for host in self.hosts.values():
            for vm in host.vms.values():
                if vm.name == name:
                    return host, vm
        raise KeyError(name)

    def vary(self, name: str, **changes: Any) -> Update:
        """Change a machine's vitals and tell it."""
        host, vm = self.find(name)
        vitals = msgspec.structs.replace(host.vitals_of[vm.id], **changes)
        host.vitals_of[vm.id] = vitals
        return self.update(host.info.id, vm_vitals=(vitals,))

    def move(self, name: str, to: str) -> tuple[Update, Update]:
        """Migrate: the source tells it is gone, the target that it came."""
        source, vm = self.find(name)
        target = self.hosts[to]
        moved = msgspec.structs.replace(vm, host=to)
        vitals = msgspec.structs.replace(source.vitals_of.pop(vm.id), host=to)
        del source.vms[vm.id]
        target.vms[vm.id], target.vitals_of[vm.id] = moved, vitals
        gone = self.update(source.info.id, gone_vms=(vm.id,))
        return gone, self.update(to, vms=(moved,), vm_vitals=(vitals,))

    def remove(self, name: str) -> Update:
        """Delete a machine."""
        host, vm = self.find(name)
        del host.vms[vm.id], host.vitals_of[vm.id]
        return self.update(host.info.id, gone_vms=(vm.id,))

    def lose(self, host: str, title: str = "No answer") -> Update:
        """The host stops answering."""
        place = self.hosts[host]
        place.vitals = msgspec.structs.replace(
            place.vitals,
            link=Link.DOWN,
            trouble=Trouble(
                "Unreachable",
                f"{host}: {title}",
                "nothing listens on port 5986",
                "Check that WinRM runs: winrm quickconfig",
            ),
        )
        return self.update(host, vitals=place.vitals)

    def update(self, host: str, **parts: Any) -> Update:
        """The host's next update, with whatever parts are given."""
        place = self.hosts[host]
        place.seq += 1
        if "vitals" not in parts:
            if place.vitals.link is not Link.DOWN:
                place.vitals = msgspec.structs.replace(place.vitals, read_at=self.now)
            parts["vitals"] = place.vitals
        return Update(host, place.seq, self.now, **parts)

    def full(self, host: str) -> Update:
        """Everything of a host."""
        place = self.hosts[host]
        return self.update(
            host,
            full=True,
            info=place.info,
            vms=tuple(place.vms.values()),
            vm_vitals=tuple(place.vitals_of.values()),
            switches=tuple(place.switches.values()),
            jobs=tuple(place.jobs.values()),
        )

    def everything(self) -> Batch:
        """Every host in full."""
        return Batch(tuple(self.full(host) for host in self.hosts), idle=True)

    def tick(self, seconds: float = 2.0) -> Batch:
        """Time passes: loads move, every running machine is told anew."""
        self.now += seconds
        updates = []
        for index, (name, place) in enumerate(self.hosts.items()):
            if place.vitals.link is Link.DOWN:
                continue
            wave = math.sin(self.now / 40 + index)
            for key, vitals in place.vitals_of.items():
                if vitals.cpu is not None:
                    turn = math.sin(self.now / 9 + int(key[:8], 16))
                    place.vitals_of[key] = msgspec.structs.replace(
                        vitals, cpu=int(50 + 45 * turn * wave), net_in=1e6 * (1 + turn)
                    )
            place.vitals = msgspec.structs.replace(
                place.vitals, cpu=40 + 30 * wave, read_at=self.now
            )
            told = tuple(v for v in place.vitals_of.values() if v.cpu is not None)
            updates.append(self.update(name, vitals=place.vitals, vm_vitals=told))
        return Batch(tuple(updates), idle=True, cpu=1.5, memory=60 << 20)

    def sheet(self, name: str) -> Sheet:
        """A machine in full, as it is now."""
        vm = self.find(name)[1]
        return Sheet(
            id=vm.id,
            host=vm.host,
            read_at=self.now,
            processor=Processor("p", 4),
            memory=Memory("m", startup=4 * GB, minimum=1 * GB, maximum=8 * GB, dynamic=True),
            controllers=(Controller("c", "SCSI", 0, 64, (0,)),),
        )

    @property
    def links(self) -> tuple[HostLink, ...]:
        return tuple(HostLink(h.info.id, h.info.url) for h in self.hosts.values())


def datacenter(now: float = START) -> Estate:
    """Two standalone hosts and a cluster of two, twenty machines."""
    estate = Estate(now)
    estate.add_host("HV01")
    estate.add_host("HV02")
    estate.add_host("CL1-N1", "CL1")
    estate.add_host("CL1-N2", "CL1")
    hosts = list(estate.hosts)
    for index, name in enumerate(NAMES):
        state = OFF if index % 4 == 3 else SAVED if index == 10 else RUNNING
        estate.add_vm(hosts[index % 4 if index < 16 else 2], name, state)
    return estate


class ScriptedCollector:
    """Plays batches; answers calls as the script says."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.commands: list[Command] = []
        self.calls: list[Call] = []
        self.restarts = 0
        self.stopped = False
        self.instant = True
        """Calls are accepted and observed at once."""
        self.reads = False
        """Machines are read as soon as that is asked."""
        self.fail: dict[str, Trouble] = {}
        """Calls on a target (GUID) that fail, and why."""
        self._batches: deque[Batch | CollectorDied] = deque()
        self._wake = asyncio.Event()

    async def start(self, configure: Configure) -> None:
        self.commands.append(configure)
        self.play(self.estate.everything())

    async def send(self, command: Command) -> None:
        self.commands.append(command)
        if isinstance(command, Call):
            self.calls.append(command)
            if self.instant:
                self.finish(command)
        elif isinstance(command, Inspect) and self.reads:
            names = [vm.name for vm in self._machines() if vm.id == command.vm]
            self.play(*(Batch(sheets=(self.estate.sheet(name),)) for name in names))

    def _machines(self) -> Iterator[Vm]:
        return (vm for host in self.estate.hosts.values() for vm in host.vms.values())

    async def next_batch(self) -> Batch:
        while not self._batches:
            self._wake.clear()
            await self._wake.wait()
        batch = self._batches.popleft()
        if isinstance(batch, CollectorDied):
            raise batch
        return batch

    async def restart(self, died: CollectorDied) -> None:
        self.restarts += 1
        self.play(self.estate.everything())

    async def stop(self) -> None:
        self.stopped = True

    def play(self, *batches: Batch | CollectorDied) -> None:
        """Make batches ready for the deck."""
        self._batches.extend(batches)
        self._wake.set()

    @property
    def drained(self) -> bool:
        return not self._batches

    def report(
        self, call: Call, phase: Phase, trouble: Trouble | None = None, percent: int | None = None
    ) -> None:
        """Say where a call stands."""
        name = next((vm.name for vm in self._machines() if vm.id == call.target), call.target)
        update = CallUpdate(
            call.id, call.action, call.host, call.target, name, phase, self.estate.now,
            percent, trouble=trouble,
        )  # fmt: skip
        line = Exchange(self.estate.now, call.host, "act", call.action, 0.031, 2048)
        self.play(Batch(calls=(update,), exchanges=(line,)))

    def finish(self, call: Call) -> None:
        """Accept and observe, or fail as scripted; a start or stop changes the estate."""
        trouble = self.fail.get(call.target)
        if trouble is not None:
            self.report(call, Phase.FAILED, trouble)
            return
        self.report(call, Phase.ACCEPTED)
        wanted = {"vm.start": RUNNING, "vm.shutdown": OFF, "vm.turn-off": OFF, "vm.save": SAVED}
        place = self.estate.hosts[call.host]
        if call.action in wanted and call.target in place.vms:
            name = place.vms[call.target].name
            self.play(Batch((self.estate.vary(name, state=wanted[call.action], cpu=None),)))
        self.report(call, Phase.OBSERVED)

"""An estate made of nothing: believable hosts and machines of any number, and how they change.

Run as a program it speaks the collector's side of the pipe (frames of batches for credit) and so
takes the place of collector, wire and hosts: what is measured then is the deck alone.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from tui.collector.framing import frame, read_frame
from tui.collector.messages import Batch, Command, Configure, HostLink, Next, Update
from tui.hyperv.model import (
    Disk,
    Host,
    HostVitals,
    Integration,
    Link,
    Nic,
    NicKind,
    Switch,
    SwitchKind,
    Vlan,
    VlanMode,
    Vm,
    VmVitals,
)

GB = 2**30
SERVICES = ("heartbeat", "kvp", "shutdown", "timesync", "vss", "guest-services")


def links(hosts: int) -> tuple[HostLink, ...]:
    """Links that lead nowhere: nobody follows them."""
    names = [f"HV{index + 1:03d}" for index in range(hosts)]
    return tuple(HostLink(name, f"http://{name.lower()}.example:5985/wsman") for name in names)


class Source:
    """One host: its whole inventory once, then what changes every tick.

    Every running machine has something new each tick (processor, memory, network, storage), one
    in fifty changes state now and then: the worst a quiet estate does.
    """

    def __init__(self, link: HostLink, vms: int, seed: int) -> None:
        self._rng = random.Random(seed)
        self._link = link
        self._seq = 0
        self._vms = [self._vm(number) for number in range(vms)]
        self._running = [number % 5 != 4 for number in range(vms)]

    def _vm(self, number: int) -> Vm:
        host = self._link.id
        first, last = self._rng.getrandbits(32), self._rng.getrandbits(48)
        guid = f"{first:08X}-{number:04X}-4000-8000-{last:012X}"
        nic = Nic(
            f"Microsoft:{guid}\\0", "Network Adapter", NicKind.SYNTHETIC, f"00155D{number:06X}",
            False, True, "S" + host, "Production", Vlan(VlanMode.ACCESS, 100 + number % 8),
            (f"10.{number % 200}.{self._rng.randrange(250)}.{self._rng.randrange(250)}",),
        )  # fmt: skip
        disk = Disk(f"Microsoft:{guid}\\1", f"D:\\VMs\\{guid}\\disk0.vhdx", "SCSI", number % 4, 0)
        return Vm(
            guid, host, f"vm-{host[2:]}-{number:03d}", f"#site{number % 4}", 2, "10.0",
            1.7e9 + number, 2 + number % 7, 4 * GB, 1 * GB, 8 * GB, number % 3 == 0, 3, 3, True,
            False, "Windows Server 2022 Datacenter", f"vm{number}.corp.example", (nic,), (disk,),
            (), tuple(Integration(name, True, 2) for name in SERVICES), True,
        )  # fmt: skip

    def _vital(self, number: int, now: float) -> VmVitals:
        vm, rng = self._vms[number], self._rng
        if not self._running[number]:
            return VmVitals(vm.id, vm.host, 3, health=5, status=2, since=1.7e9)
        return VmVitals(
            vm.id, vm.host, 2, "", 5, 0, 2, rng.randrange(100), 4 * GB + rng.randrange(64) * 2**20,
            rng.randrange(10, 60), 1.7e9 + number, 2, rng.random() * 1e6, rng.random() * 1e6,
            rng.random() * 1e7, rng.random() * 1e7, 0, 1.7e9,
        )  # fmt: skip

    def _vitals(self, now: float) -> HostVitals:
        rng = self._rng
        return HostVitals(
            self._link.id, Link.UP, None, now, 2.0, 0.004, rng.random() * 100, 200 * GB,
            rng.random() * 1e8, rng.random() * 1e8, rng.random() * 1e8, rng.random() * 1e8,
            3 * self._seq, 50_000 * self._seq,
        )  # fmt: skip

    def whole(self, now: float) -> Update:
        """Everything."""
        host = self._link.id
        self._seq += 1
        info = Host(
            host, self._link.url, host, f"CL{int(host[2:]) // 16 + 1:02d}", "corp.example",
            "Microsoft Windows Server 2022 Datacenter", "20348", "Dell R750", "Xeon", 2, 64, 128,
            512 * GB, 1.7e9, True, demo=True,
        )  # fmt: skip
        guids = tuple(vm.id for vm in self._vms)
        switch = Switch(
            f"{host}:S", host, "S", "Production", SwitchKind.EXTERNAL, ("SLOT 3 Port 1",),
            ports=len(guids), vms=guids,
        )  # fmt: skip
        return Update(
            host, self._seq, now, True, info, self._vitals(now), tuple(self._vms),
            tuple(self._vital(number, now) for number in range(len(self._vms))), (), (switch,),
        )  # fmt: skip

    def change(self, now: float) -> Update:
        """What two seconds do."""
        self._seq += 1
        touched = [number for number, on in enumerate(self._running) if on]
        if self._rng.random() < 0.02:
            flipped = self._rng.randrange(len(self._running))
            self._running[flipped] = not self._running[flipped]
            touched = sorted({*touched, flipped})
        vitals = tuple(self._vital(number, now) for number in touched)
        return Update(self._link.id, self._seq, now, vitals=self._vitals(now), vm_vitals=vitals)


def sources(found: Sequence[HostLink], vms: int) -> list[Source]:
    return [Source(link, vms, seed) for seed, link in enumerate(found)]


class Feeder:
    """Batches at the pace of credit: every host has something new each ``every`` seconds."""

    def __init__(self, found: Sequence[Source], every: float) -> None:
        self._every = every
        self._due = [(0.0, source) for source in found]
        self._told: set[int] = set()

    def batch(self) -> Batch:
        """All that is due, waiting until something is."""
        pause = min(due for due, _ in self._due) - time.monotonic()
        if pause > 0:
            threading.Event().wait(pause)
        return Batch(tuple(self._updates(time.monotonic())), idle=True)

    def _updates(self, now: float) -> Iterator[Update]:
        count = len(self._due)
        for index, (due, source) in enumerate(self._due):
            if due > now:
                continue
            whole = index not in self._told
            self._told.add(index)
            # Hosts answer at moments of their own, spread over the interval.
            start = now - now % self._every + self._every * (1 + index / count) if whole else due
            self._due[index] = (start + (0.0 if whole else self._every), source)
            yield source.whole(time.time()) if whole else source.change(time.time())


def serve(vms: int) -> None:
    """The collector's side of the pipe, on standard input and output."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    decoder = msgspec.msgpack.Decoder(Command)
    feeder: Feeder | None = None
    while (body := read_frame(sys.stdin.buffer)) is not None:
        command = decoder.decode(body)
        if isinstance(command, Configure):
            feeder = Feeder(sources(command.hosts, vms), command.fast)
        elif isinstance(command, Next) and feeder is not None:
            out.write(frame(feeder.batch()))
            out.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]))

"""A simulated host behind an in-process wire: bytes in, bytes out, and a clock we move."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tui.hyperv.read import Reader
from tui.sim.answer import Enumerations, answer
from tui.sim.jobs import Work
from tui.sim.plan import (
    CheckpointPlan,
    HostPlan,
    NicPlan,
    SwitchPlan,
    UplinkPlan,
    VmPlan,
    VolumePlan,
)
from tui.sim.world import Fabric, SimHost, StillClock
from tui.wsman import reply, request
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.client import CimClient
from tui.wsman.fault import FaultReply
from tui.wsman.request import Enumerate, Header, Invoke, Pull, Request

GB = 1024
ESCAPES = "evil\x1b[2J[bold]\u202egnp.exe"

VMS = (
    VmPlan(
        "sql01",
        "ws2022",
        "db",
        cpus=8,
        memory=8 * GB,
        notes="first line\nsecond #prod",
        disks=(60, 200),
        nics=(NicPlan("Prod", vlan=20), NicPlan("Lab", name="Second Adapter")),
        uptime=90000.0,
    ),
    VmPlan(
        "web01",
        "ubuntu24",
        "web",
        memory=2 * GB,
        maximum=8 * GB,
        nics=(NicPlan("Prod", trunk=(30, 31)),),
        checkpoints=(
            CheckpointPlan("before update", 7200.0),
            CheckpointPlan("backup", 3600.0, "recovery"),
        ),
        uptime=5000.0,
    ),
    VmPlan(
        "old01", "ws2012r2", generation=1, nics=(NicPlan("Prod", legacy=True),), iso="D:\\s.iso"
    ),
    VmPlan("idle01", "ws2019", state="off", nics=(NicPlan(),)),
    VmPlan("kept01", "w11", state="saved", tpm=True),
    VmPlan("held01", "ws2019", state="paused", nested=True),
    VmPlan(ESCAPES, "ws2019", state="off"),
    VmPlan("データベース", "ws2019", state="off"),
)
HOST = HostPlan(
    "HV01",
    uplinks=(
        UplinkPlan("NIC1", "Intel(R) Ethernet Converged Network Adapter X710"),
        UplinkPlan("NIC2", "Intel(R) Ethernet Converged Network Adapter X710 #2"),
    ),
    switches=(
        SwitchPlan("Prod", "external", (0,)),
        SwitchPlan("Lab", "private"),
        SwitchPlan("Desk", "internal"),
    ),
    volumes=(VolumePlan("C:\\", "System", 200, 80), VolumePlan("D:\\", "VMs", 2000, 700)),
    vms=VMS,
)

Intercept = Callable[[Request, Header], bytes | None]


@dataclass
class Wire:
    """A transport to a simulated host. Keeps what was asked, may answer in the host's stead."""

    host: SimHost
    intercept: Intercept | None = None
    sessions: Enumerations = field(default_factory=Enumerations)
    _sent: list[bytes] = field(default_factory=list)

    def send(self, envelope: bytes) -> bytes:
        self._sent.append(envelope)
        if self.intercept is not None:
            header, asked = request.decode(envelope)
            forged = self.intercept(asked, header)
            if forged is not None:
                return forged
        return answer(self.host, self.sessions, envelope, "tester")[1]

    def close(self) -> None:
        self.sessions = Enumerations()

    def take(self) -> list[Request]:
        """What was asked since the last time."""
        asked = self.asked
        self._sent.clear()
        return asked

    @property
    def asked(self) -> list[Request]:
        """What was asked so far, read only when somebody wants to know: most never do."""
        return [request.decode(envelope)[1] for envelope in self._sent]


@dataclass
class Bench:
    """A host, the way to it, and a reader."""

    fabric: Fabric
    clock: StillClock
    host: SimHost
    wire: Wire
    client: CimClient
    reader: Reader

    def wql(self, namespace: str, text: str) -> list[CimInstance]:
        """Plain truth: rows as the host tells them, without our model."""
        return CimClient(Wire(self.host), url="inproc:").query(namespace, text)

    def vm(self, name: str) -> str:
        """The GUID of a machine, by its name on the wire."""
        row = self.wql(
            "root/virtualization/v2",
            f"SELECT Name FROM Msvm_ComputerSystem WHERE ElementName = '{name}'",
        )[0]
        return str(row["Name"])

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)


def bench(plan: HostPlan = HOST, *, max_elements: int = 1000) -> Bench:
    clock = StillClock()
    fabric = Fabric(clock, seed=7)
    host = fabric.add(plan)
    wire = Wire(host)
    client = CimClient(wire, url="inproc:", max_elements=max_elements)
    reader = Reader(client, "hv01", "http://hv01:5985/wsman", now=clock.now)
    return Bench(fabric, clock, host, wire, client, reader)


_ACTION = re.compile(rb"Action[^>]*>\s*([^<]*)")
_READS = (b"/09/enumeration/", b"/09/transfer/")


def invoked(envelope: bytes) -> Invoke | None:
    """The method call that an envelope holds; one that reads is not read itself."""
    action = _ACTION.search(envelope)
    if action is not None and any(word in action[1] for word in _READS):
        return None
    asked = request.decode(envelope)[1]
    return asked if isinstance(asked, Invoke) else None


def describe(asked: Request) -> str:
    """A request in a few words."""
    match asked:
        case Enumerate():
            return asked.wql or asked.class_name
        case Invoke():
            return f"{asked.ref.class_name}.{asked.method}"
        case _:
            return type(asked).__name__


def questions(asked: list[Request]) -> list[str]:
    """Requests without the further pages of one already asked."""
    return [describe(each) for each in asked if not isinstance(each, Pull)]


def refusing(matches: Callable[[str], bool], fault: FaultReply) -> Intercept:
    """Answer matching requests with a fault."""

    def intercept(asked: Request, header: Header) -> bytes | None:
        if not matches(describe(asked)):
            return None
        return reply.encode(fault, request=asked, header=header)

    return intercept


def vm_ref(vm_id: str) -> CimRef:
    keys = (("CreationClassName", "Msvm_ComputerSystem"), ("Name", vm_id))
    return CimRef("Msvm_ComputerSystem", keys, "root/virtualization/v2")


def long_job(at: Bench, vm_id: str, *, cancellable: bool, class_name: str) -> CimRef:
    """A minute's work on a machine, as an export or a merge is."""
    assert at.host.repository
    work = Work(62, "Exporting", 60.0, cancellable=cancellable, class_name=class_name)
    return at.host.jobs.start(work, at.host.machines[vm_id])

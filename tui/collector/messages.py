"""What travels on the pipe between deck and collector, and its framing.

Frames are a four-byte little-endian length and a msgpack body. The deck sends ``Command``s, the
collector answers ``Next`` with exactly one ``Batch``. Passwords cross here and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from tui.hyperv.meters import Look, Meters
from tui.hyperv.model import (
    Cluster,
    Host,
    HostVitals,
    Job,
    Record,
    Replica,
    Switch,
    Trouble,
    Vm,
    VmVitals,
)
from tui.hyperv.sheet import Sheet
from tui.hyperv.verdict import HostVerdict

REQUESTS_PER_MINUTE = 600
"""What reading may ask of one host, unless said otherwise. A node that tells of its cluster, with
a machine's sheet open and at the shortest interval, is asked some 400.
"""

# -- deck to collector ---------------------------------------------------------------------


class HostLink(msgspec.Struct, frozen=True):
    """How to reach one host, secrets resolved. Its repr hides the password."""

    id: str
    url: str
    user: str = ""
    password: str = ""
    auth: str = "ntlm"
    message_encryption: str = "auto"
    server_cert_validation: str = "validate"
    ca_trust_path: str = ""
    proxy: str = ""
    cert_pem: str = ""
    cert_key_pem: str = ""
    kerberos_delegation: bool = False
    allow_cleartext: bool = False
    operation_timeout: int = 20
    read_only: bool = False
    demo: bool = False

    def __repr__(self) -> str:
        return f"HostLink(id={self.id!r}, url={self.url!r}, user={self.user!r}, password=***)"


class Configure(msgspec.Struct, frozen=True, tag=True):
    """First command: which hosts, how often. Sent again it replaces the set of hosts."""

    hosts: tuple[HostLink, ...]
    fast: float = 2.0
    """Seconds between fast ticks."""
    slow: float = 30.0
    """Seconds between slow ticks."""
    requests_per_minute: int = REQUESTS_PER_MINUTE
    """What reading may ask of each host; 0: no limit."""


class Next(msgspec.Struct, frozen=True, tag=True):
    """Credit for one batch."""


class Call(msgspec.Struct, frozen=True, tag=True):
    """Run an action on one target."""

    id: str
    """Chosen by the deck, unique; the same id is never executed twice."""
    action: str
    host: str
    target: str
    """VM GUID, host id, or the id of a switch, job, role, node, shared volume or replica."""
    arguments: dict[str, Any] = {}
    seen_state: int | None = None
    """EnabledState the person saw; the call is refused when the host says otherwise."""
    ask: bool = False
    """Only ask the host what it says to it: nothing is changed, and an ``Answer`` comes."""


class Inspect(msgspec.Struct, frozen=True, tag=True):
    """Keep the sheet of one machine fresh, until told of another; an empty ``vm`` ends it."""

    host: str
    vm: str = ""


class Attend(msgspec.Struct, frozen=True, tag=True):
    """What is being looked at, from now on: these measurements are read, no others."""

    everywhere: tuple[Look, ...] = ()
    """Of all hosts."""
    hosts: dict[str, tuple[Look, ...]] = {}
    """Of single hosts, besides."""

    def of(self, host: str) -> frozenset[Look]:
        """What is being looked at of one host."""
        return frozenset(self.everywhere) | frozenset(self.hosts.get(host, ()))


class Poke(msgspec.Struct, frozen=True, tag=True):
    """Refresh now; an empty host means all."""

    host: str = ""


class Pace(msgspec.Struct, frozen=True, tag=True):
    """New intervals in seconds; 0 leaves one as it is."""

    fast: float = 0.0
    slow: float = 0.0


class Resync(msgspec.Struct, frozen=True, tag=True):
    """Send the host's whole inventory with its next update: a gap was seen."""

    host: str


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End all lanes and exit."""


Command: TypeAlias = Configure | Next | Call | Inspect | Attend | Poke | Pace | Resync | Stop

# -- collector to deck ---------------------------------------------------------------------


class Update(msgspec.Struct, frozen=True, gc=False):
    """What changed of one host since its previous update. ``full``: replace all that is known."""

    host: str
    seq: int
    """Counts up by one per host; a gap means ask for ``Resync``."""
    read_at: float
    full: bool = False
    info: Host | None = None
    vitals: HostVitals | None = None
    vms: tuple[Vm, ...] = ()
    vm_vitals: tuple[VmVitals, ...] = ()
    gone_vms: tuple[str, ...] = ()
    switches: tuple[Switch, ...] = ()
    gone_switches: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
    gone_jobs: tuple[str, ...] = ()
    replicas: tuple[Replica, ...] = ()
    gone_replicas: tuple[str, ...] = ()
    cluster: Cluster | None = None
    """The whole of it when anything of it changed; roles come and go too often together."""
    cluster_at: float = 0.0
    """When the host last told of its cluster; 0: another node does."""
    meters: Meters | None = None
    """The whole of them when any has moved; empty ones when nobody looks any more."""


class Phase(StrEnum):
    """Where a call stands. The last four are final."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    """The host took it; a job may run."""
    OBSERVED = "observed"
    """The host was seen in the wanted state: done."""
    FAILED = "failed"
    REFUSED = "refused"
    """Not sent: the object changed or is gone, or the host is read-only."""
    UNKNOWN = "unknown"
    """Sent, and what became of it could not be established."""

    @property
    def final(self) -> bool:
        return self not in (Phase.REQUESTED, Phase.ACCEPTED)


class Undo(Record, frozen=True):
    """A call that takes back what a failed one has made."""

    action: str
    target: str
    arguments: dict[str, Any]


class CallUpdate(Record, frozen=True):
    """Progress of one call."""

    id: str
    action: str
    host: str
    target: str
    name: str
    """The target's display name."""
    phase: Phase
    at: float
    percent: int | None = None
    job: str = ""
    trouble: Trouble | None = None
    step: str = ""
    """What is being done, when the verb takes several steps."""
    made: tuple[str, ...] = ()
    """What a verb that failed midway has made."""
    undo: Undo | None = None
    """The action that takes it away again."""


class Answer(Record, frozen=True):
    """What a host says to a call it was only asked about."""

    id: str
    """The call's."""
    host: str
    target: str
    arguments: dict[str, Any]
    at: float
    verdict: HostVerdict | None = None
    trouble: Trouble | None = None
    """Why there is no verdict."""


class Exchange(Record, frozen=True):
    """One line of the log of calls: what was asked of a host, and how it went."""

    at: float
    host: str
    lane: str
    """``watch`` or ``act``."""
    operation: str
    """For people: ``Enumerate SELECT …`` or ``Msvm_ComputerSystem.RequestStateChange``."""
    seconds: float
    bytes: int
    outcome: str = "ok"
    requests: int = 1
    """Messages sent: more when it was sent again, none when it was not sent."""
    waited: float = 0.0
    """Seconds before that until it was its turn."""


class LaneLoad(Record, frozen=True):
    """What the lanes of one name asked of a host."""

    lane: str
    """``watch`` or ``act``."""
    requests: int
    """In the last minute, as are the next two."""
    bytes: int
    waited: float
    """Seconds for its turn or for the cap."""
    failures: int
    """In the last hour."""


class OperationLoad(Record, frozen=True):
    """What one kind of request to a host costs; values it was asked with are left out."""

    operation: str
    lanes: str
    """``watch``, ``act`` or both."""
    count: int
    """Since its first, as are bytes, seconds and failures."""
    bytes: int
    seconds: float
    """Together."""
    median: float
    """Seconds, of the latest ones, as are the next two."""
    p95: float
    worst: float
    failures: int
    at: float
    """Unix time of the last."""


class HostLoad(Record, frozen=True):
    """What hvdeck asks of one host, and how fast that is answered."""

    host: str
    requests: int
    """Since the collector began to count, as are the bytes."""
    bytes: int
    lanes: tuple[LaneLoad, ...] = ()
    p50: float | None = None
    """Seconds of a round trip in the last minutes; None without any."""
    p95: float | None = None
    slowest: str = ""
    """The operation that took longest in the last minutes."""
    worst: float = 0.0
    """Seconds it took."""
    minutes: tuple[int, ...] = ()
    """Requests of each minute of the last hour, the current one last."""
    cap: int = 0
    """Reading requests a minute; 0: no limit."""
    capped: bool = False
    """Reading waited for the cap in the last minute."""
    operations: tuple[OperationLoad, ...] | None = None
    """Those that took most time together; None: as told before."""


class Batch(msgspec.Struct, frozen=True):
    """Everything since the previous batch."""

    updates: tuple[Update, ...] = ()
    calls: tuple[CallUpdate, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    """Sheets that were read since the previous batch."""
    answers: tuple[Answer, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    """Acting exchanges and failures always; reading ones sampled, newest first."""
    loads: tuple[HostLoad, ...] = ()
    """Every couple of seconds, of every host that is asked something."""
    cpu: float = 0.0
    """Percent of one core the collector used."""
    memory: int = 0
    """Resident bytes of the collector."""
    threads: int = 0
    """Of the collector."""
    idle: bool = False
    """No refresh running, no call queued, no job followed."""

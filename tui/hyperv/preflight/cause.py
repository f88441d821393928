"""What a preflight is about: a trip, and the causes that speak for or against it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from tui.hyperv.cluster import Cluster, Role
from tui.hyperv.model import Disk, Host, Inventory, Nic, Vm, VmVitals
from tui.hyperv.sheet import Adapter, Drive, Sheet


class Verdict(IntEnum):
    """How far a cause speaks against a move; the worst is the greatest."""

    PASS = 0
    WARN = 1
    FAIL = 2


class Move(StrEnum):
    """The ways a machine can be moved."""

    LIVE = "live"
    """Its memory only: the storage is reached from both hosts."""
    STORAGE = "storage"
    """Its files only: it stays on its host."""
    BOTH = "both"
    """Memory and files together, sharing nothing."""
    OFFLINE = "offline"
    """A machine that does not run, with its files."""
    CLUSTER = "cluster"
    """Its role, to another node of its cluster."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing a move depends on, and how it stands."""

    id: str
    verdict: Verdict
    text: str
    """What and why, naming machine, hosts and thing."""
    fix: str = ""
    """The exact command or step that removes it, to copy."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A machine on its way from one host to another."""

    vm: Vm
    vitals: VmVitals
    source: Inventory
    target: Inventory
    move: Move
    sheet: Sheet | None = None
    added: int = 0
    """Bytes of memory that other planned moves bring to the target."""
    folder: str = ""
    """Where its files go; empty: the target's own folders."""
    switches: tuple[tuple[str, str], ...] = ()
    """Switches whose adapters go to another one: name here, name there."""
    cluster: Cluster | None = None

    @property
    def name(self) -> str:
        """What the machine is called."""
        return self.vm.name or self.vm.id

    @property
    def here(self) -> Host:
        """The host it is on."""
        return self.source.host

    @property
    def there(self) -> Host:
        """The host it goes to."""
        return self.target.host

    @property
    def role(self) -> Role | None:
        """The role that holds it, where it is known."""
        return self.cluster.role_of(self.vm.id, self.vm.name) if self.cluster else None

    @property
    def disks(self) -> Sequence[Disk | Drive]:
        """Its drives, out of its sheet where that has been read."""
        return self.sheet.drives if self.sheet else self.vm.disks

    @property
    def adapters(self) -> Sequence[Nic | Adapter]:
        """Its network adapters, likewise."""
        return self.sheet.adapters if self.sheet else self.vm.nics

    @property
    def plugged(self) -> list[Nic | Adapter]:
        """Those that are connected to a switch."""
        return [one for one in self.adapters if one.connected and one.switch_name]

    @property
    def copies(self) -> bool:
        """Its files are copied."""
        return self.move in (Move.STORAGE, Move.BOTH, Move.OFFLINE)

    @property
    def leaves(self) -> bool:
        """It goes to another host."""
        return self.move is not Move.STORAGE


def passed(cause_id: str, text: str) -> Cause:
    """Nothing stands in the way."""
    return Cause(cause_id, Verdict.PASS, text)


def warned(cause_id: str, text: str, fix: str = "") -> Cause:
    """It can go, and someone should know this."""
    return Cause(cause_id, Verdict.WARN, text, fix)


def failed(cause_id: str, text: str, fix: str = "") -> Cause:
    """It cannot go like this."""
    return Cause(cause_id, Verdict.FAIL, text, fix)


def worst(causes: Iterable[Cause]) -> Verdict:
    """The verdict of all together."""
    return max((cause.verdict for cause in causes), default=Verdict.PASS)


GB = 1 << 30


def size(count: int) -> str:
    """Bytes as a sentence says them: ``12.5 GB``."""
    if count >= 1 << 40:
        return f"{count / (1 << 40):.1f} TB"
    return f"{count / GB:.1f} GB" if count >= GB else f"{count / (1 << 20):.0f} MB"


def quoted(name: str) -> str:
    """A name as PowerShell takes it."""
    return "'" + name.replace("'", "''") + "'"


def called(trip: Trip) -> str:
    """The machine as a command of hvdeck takes it: by name and host."""
    return shlex.quote(f"{trip.name}@{trip.here.id}")

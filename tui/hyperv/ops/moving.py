"""Moving virtual machines: to another host, to other places, or both; and asking whether one can.

One method moves them all (Msvm_VirtualSystemMigrationService.MigrateVirtualSystemToHost); its
MigrationType says what goes. Machines of a failover cluster change their node with it as roles
(``clustering``), never by this service; their files it may move.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tui.errors import Dropped, HvError, JobFailed, LinkError, TimedOut, WireError
from tui.hyperv import jobs, meanings, paths
from tui.hyperv.ops.calling import by_instance_id, embedded, invoke, service_ref, vm_ref
from tui.hyperv.ops.making import Machine
from tui.hyperv.outcome import Outcome, Started, Step
from tui.hyperv.verdict import HostVerdict
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

SERVICE = "Msvm_VirtualSystemMigrationService"
MACHINE, STORAGE, WHOLE = 32768, 32769, 32771
"""MigrationType: the machine, its files, both."""
SETTING = "Msvm_VirtualSystemMigrationSettingData"
_UNMANAGED = "Msvm_MoveUnmanagedVhd"
_SYSTEM = "Msvm_VirtualSystemSettingData"
_IMAGE, _PORT = "Msvm_StorageAllocationSettingData", "Msvm_EthernetPortAllocationSettingData"
_ROOTS = (
    "ConfigurationDataRoot",
    "GuestStateDataRoot",
    "SnapshotDataRoot",
    "SuspendDataRoot",
    "SwapFileDataRoot",
)
_CONNECTED, _DISCONNECTED = 2, 3
_TCP = 5

Reach: TypeAlias = Callable[[], AbstractContextManager["CimClient"]]
"""How to speak with the other host, for as long as it takes to ask."""


@dataclass(frozen=True, slots=True)
class Journey:
    """How a machine is to be moved by the service."""

    machine: Machine
    kind: int
    """MigrationType."""
    to: str = ""
    """The other host, as the own one finds it; empty: the machine stays."""
    addresses: tuple[str, ...] = ()
    """Where the other host takes migrations."""
    disks: tuple[tuple[str, str], ...] = ()
    """InstanceID of an image's allocation, and the new path of its file."""
    parents: tuple[tuple[str, str], ...] = ()
    """Files that images descend from and no checkpoint has: path now, new path."""
    folder: str = ""
    """Where its settings, checkpoints and saved state go; empty: they stay."""
    ports: tuple[tuple[str, str], ...] = ()
    """InstanceID of an adapter's allocation, and the object path of its switch on the other host;
    an empty path leaves it not connected."""


# -- moving --------------------------------------------------------------------------------


def migrate(client: CimClient, journey: Journey) -> Outcome:
    """Move a machine; a Msvm_MigrationJob does it."""
    with _unsent(journey.machine.name):
        parameters = _parameters(client, journey)
    return invoke(
        client,
        service_ref(SERVICE),
        "MigrateVirtualSystemToHost",
        "move",
        journey.machine.name,
        **parameters,
    )


@contextmanager
def _unsent(name: str) -> Iterator[None]:
    """A time-out while all is still being read is no doubt about the move."""
    try:
        yield
    except TimedOut as error:
        title = f"{name} was not moved: {error.title}"
        raise Dropped(title, sent=False, cause=error.cause, hint=error.hint) from error


def _parameters(client: CimClient, journey: Journey) -> dict[str, CimValue]:
    system = _new_system(client, journey)
    return {
        "ComputerSystem": vm_ref(journey.machine.id),
        "DestinationHost": journey.to or None,
        "MigrationSettingData": embedded(SETTING, _setting(client, journey)),
        "NewSystemSettingData": system,
        "NewResourceSettingData": _new_resources(client, journey) or None,
    }


def _setting(client: CimClient, journey: Journey) -> dict[str, CimValue]:
    """The host's own default for such a move, with what is wanted of this one."""
    rows = client.query(
        VIRTUALIZATION, f"SELECT * FROM {SETTING} WHERE MigrationType = {journey.kind}"
    )
    if not rows:
        rows = client.query(
            VIRTUALIZATION, f"SELECT * FROM {SETTING} WHERE MigrationType = {MACHINE}"
        )
    values = dict(rows[0].values) if rows else {}
    values.setdefault("TransportType", _TCP)
    values["MigrationType"] = journey.kind
    if journey.addresses:
        values["DestinationIPAddressList"] = journey.addresses
    if journey.parents:
        values["UnmanagedVhds"] = tuple(
            embedded(_UNMANAGED, {"VhdSourcePath": old, "VhdDestinationPath": new})
            for old, new in journey.parents
        )
    return values


def _new_system(client: CimClient, journey: Journey) -> str | None:
    if not journey.folder:
        return None
    row = client.get(by_instance_id(_SYSTEM, f"Microsoft:{journey.machine.id}"))
    roots = {name: journey.folder for name in _ROOTS if row.get(name)}
    return embedded(_SYSTEM, {**row.values, **roots})


def _new_resources(client: CimClient, journey: Journey) -> tuple[str, ...]:
    """Allocations with another file or another switch, whole, as the host has them."""
    wanted = {paths.same(key): path for key, path in (*journey.disks, *journey.ports)}
    found: list[str] = []
    for class_name in (_IMAGE, _PORT) if wanted else ():
        for row in _owned(client, journey.machine, class_name):
            path = wanted.pop(paths.same(row.get("InstanceID")), None)
            if path is not None:
                found.append(embedded(class_name, _elsewhere(row, path, journey)))
    if wanted:
        raise WireError(
            f"{journey.machine.name} was not moved",
            cause="a disk or adapter that was to change is no longer there",
        )
    return tuple(found)


def _owned(client: CimClient, machine: Machine, class_name: str) -> list[CimInstance]:
    rows = client.query(
        VIRTUALIZATION,
        f"SELECT * FROM {class_name} WHERE InstanceID LIKE 'Microsoft:{machine.id}%'",
    )
    return [row for row in rows if paths.owner(row.get("InstanceID")) == machine.id]


def _elsewhere(row: CimInstance, path: str, journey: Journey) -> dict[str, CimValue]:
    values = dict(row.values)
    values["HostResource"] = (path,) if path else ()
    if row.class_name == _PORT:
        values["EnabledState"] = _CONNECTED if path else _DISCONNECTED
    if journey.to:
        values["PoolID"] = ""  # pools are of the host it leaves
    return values


# -- asking --------------------------------------------------------------------------------


def verdict(
    client: CimClient, journey: Journey, reach: Reach | None = None
) -> Generator[Step, None, HostVerdict]:
    """Ask the host whether it would; when not, ask it why, and the other one what it lacks."""
    parameters = _parameters(client, journey)
    asked = client.invoke(
        service_ref(SERVICE), "CheckVirtualSystemIsMigratableToHost", **parameters
    )
    if asked.return_value == 0 and asked.values.get("IsMigratable") is True:
        return HostVerdict(True)
    found = yield from _reasons(client, journey, parameters)
    if reach is not None:
        found += [reason for reason in _incompatible(client, journey, reach) if reason not in found]
    if not found:
        meaning, hint = meanings.of_return(asked.return_value)
        found = [
            meaning if asked.return_value else "the host gives no reason",
            *filter(None, [hint]),
        ]
    return HostVerdict(False, tuple(found))


def _reasons(
    client: CimClient, journey: Journey, parameters: dict[str, CimValue]
) -> Generator[Step, None, list[str]]:
    """What a job that checks it finds in the way."""
    step: Step | None = None
    try:
        outcome = invoke(
            client,
            service_ref(SERVICE),
            "CheckVirtualSystemIsMigratable",
            "check",
            journey.machine.name,
            **parameters,
        )
        step = Step("Asking why", outcome)
        yield step
    except JobFailed as error:
        started = step.outcome if step is not None else None
        told = jobs.messages(client, started.job) if isinstance(started, Started) else ()
        return list(told or (error.cause,))
    except LinkError:
        raise
    except HvError as error:
        return [error.cause or error.title]
    return []


def _incompatible(client: CimClient, journey: Journey, reach: Reach) -> list[str]:
    """What the other host says of the machine's processor and version; nothing when it cannot."""
    if not journey.to:
        return []
    try:
        told = client.invoke(
            service_ref(SERVICE),
            "GetSystemCompatibilityInfo",
            ComputerSystem=vm_ref(journey.machine.id),
        )
        with reach() as other:
            checked = other.invoke(
                service_ref(SERVICE),
                "CheckSystemCompatibilityInfo",
                CompatibilityInfo=told.values.get("CompatibilityInfo"),
            )
    except HvError:
        return []
    texts = checked.values.get("Reasons")
    return list(jobs.texts_of(texts)) if checked.return_value else []

"""Replication relationships out of CIM instances, and what a host says of how they do.

Joins are functions of their arguments; ``Statistics`` asks the host, a few relationships at a time.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.errors import Fault, WireError
from tui.hyperv import clean, meanings, paths
from tui.hyperv.model import Vm, VmVitals
from tui.hyperv.replica import HEALTHY, Replica
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.embedded import from_text
from tui.wsman.schema import VIRTUALIZATION
from tui.wsman.values import Wsman

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Relationships whose statistics are read in one slow tick."""
AT_FIRST = 24
"""The same in the first one."""
RETRY = 600.0
"""Seconds after which a host that does not know the method is asked again."""
ISSUES = 12
"""Health issues kept of one relationship."""
_SERVICE = "Msvm_ReplicationService"
_EXTENDED = "\\1"
_HOP = ("\\0", _EXTENDED)

Rows = Sequence[CimInstance]


# -- joining -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One reading of a host's relationships."""

    relationships: Rows
    settings: Rows = ()
    tests: Rows = ()
    """Msvm_ReplicaSystemDependency: replicas and the machines made to test them."""
    vms: Mapping[str, Vm]
    vitals: Mapping[str, VmVitals]


def join_replicas(
    previous: Mapping[str, Replica], parts: Parts, host: str, now: float, clock: float = 0.0
) -> dict[str, Replica]:
    """The ends of relationships on a host. ``clock``: seconds its clock is ahead of ours."""
    settings = _by_hop(parts.settings)
    tests = dict(_tests(parts.tests))
    found: dict[str, Replica] = {}
    for row in parts.relationships:
        vm = paths.owner(row.get("InstanceID"))
        vitals = parts.vitals.get(vm)
        mode = vitals.replication_mode if vitals else 0
        if not vm or not (mode or clean.number(row.get("ReplicationState"))):
            continue  # hosts also list machines that are not replicated
        replica = _end(row, vm, mode, host, now, now + clock)
        replica = _with_settings(replica, _setting_of(settings, replica))
        known = parts.vms.get(vm)
        test = tests.get(vm, "")
        made = parts.vms.get(test)
        replica = replace(
            replica,
            name=known.name if known else replica.name or vm,
            test=test,
            test_name=made.name if made else "",
        )
        found[replica.id] = _with_told(replica, previous.get(replica.id))
    return found


def _end(row: CimInstance, vm: str, mode: int, host: str, now: float, host_now: float) -> Replica:
    get = row.get
    last = clean.moment(get("LastReplicationTime"))
    identity = clean.text(get("InstanceID"))
    return Replica(
        id=f"{host}:{identity}",
        host=host,
        vm=vm,
        name=clean.text(get("ElementName")),
        mode=mode,
        state=clean.number(get("ReplicationState")),
        health=clean.number(get("ReplicationHealth")),
        last=last,
        applied=clean.moment(get("LastApplyTime")),
        failed_over=clean.number(get("FailedOverReplicationType")),
        extended=identity.endswith(_EXTENDED),
        consistent=clean.moment(get("LastApplicationConsistentReplicationTime")),
        last_type=clean.number(get("LastReplicationType")),
        lag=max(0.0, host_now - last) if last else None,
        read_at=now,
    )


def _by_hop(rows: Rows) -> dict[tuple[str, bool], CimInstance]:
    found: dict[tuple[str, bool], CimInstance] = {}
    for row in rows:
        identity = paths.same(row.get("InstanceID"))
        found.setdefault((paths.owner(identity), identity.endswith(_EXTENDED)), row)
    return found


def _setting_of(
    settings: Mapping[tuple[str, bool], CimInstance], replica: Replica
) -> CimInstance | None:
    return settings.get((replica.vm, replica.extended)) or settings.get((replica.vm, False))


def _with_settings(replica: Replica, setting: CimInstance | None) -> Replica:
    if setting is None:
        return replica
    get = setting.get
    return replace(
        replica,
        interval=clean.number(get("ReplicationInterval")),
        primary=clean.text(get("PrimaryHostSystem")) or clean.text(get("PrimaryConnectionPoint")),
        recovery=clean.text(get("RecoveryHostSystem"))
        or clean.text(get("RecoveryConnectionPoint")),
        history=clean.number(get("RecoveryHistory")),
    )


def _tests(rows: Rows) -> Iterable[tuple[str, str]]:
    """GUIDs of replicas and of the machines made from them."""
    for row in rows:
        source, made = row.get("Antecedent"), row.get("Dependent")
        if isinstance(source, CimRef) and isinstance(made, CimRef):
            yield paths.guid(source.key("Name")), paths.guid(made.key("Name"))


def _with_told(replica: Replica, before: Replica | None) -> Replica:
    """What statistics told earlier stays; reasons only for as long as they explain how it is."""
    if before is None:
        return replica
    same = (before.health, before.state, before.mode) == (
        replica.health, replica.state, replica.mode,
    )  # fmt: skip
    return replace(
        replica,
        pending=before.pending,
        latency=before.latency,
        missed=before.missed,
        succeeded=before.succeeded,
        failures=before.failures,
        tested=before.tested,
        reasons=before.reasons if same else (),
        asked_at=before.asked_at if same else 0.0,
    )


# -- statistics ----------------------------------------------------------------------------


class Statistics:
    """Asks a host how its relationships do: those that are not well or are looked at, the
    longest unasked first.
    """

    def __init__(self, client: CimClient, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._absent_until = 0.0
        self._first = True

    def read(self, replicas: Mapping[str, Replica], looked: str = "") -> dict[str, Replica]:
        """The same ends with what the host tells; ``looked``: GUID of the machine looked at."""
        found = dict(replicas)
        if self._now() < self._absent_until:
            return found
        wanted = [one for one in replicas.values() if one.health > HEALTHY or one.vm == looked]
        wanted.sort(key=lambda one: (one.vm != looked, one.asked_at))
        for replica in wanted[: AT_FIRST if self._first else AT_ONCE]:
            told = self._ask(replica)
            if told is None:
                break
            found[replica.id] = told
        self._first = self._first and not wanted
        return found

    def _ask(self, replica: Replica) -> Replica | None:
        """None when the host does not know the method."""
        vm = CimRef(
            "Msvm_ComputerSystem",
            (("CreationClassName", "Msvm_ComputerSystem"), ("Name", replica.vm)),
            VIRTUALIZATION,
        )
        service = CimRef(_SERVICE, (("CreationClassName", _SERVICE),), VIRTUALIZATION)
        try:
            output = self._client.invoke(service, "GetReplicationStatistics", ComputerSystem=vm)
        except Fault as fault:
            log.info("no statistics of %s: %s", replica.name, fault)
            if _is_unknown(fault) or meanings.is_denied(fault):
                self._absent_until = self._now() + RETRY
                return None
            return replace(replica, asked_at=self._now())
        if output.return_value != 0:
            return replace(replica, asked_at=self._now())
        rows = _instances(output.values.get("ReplicationStatistics"))
        issues = _instances(output.values.get("ReplicationHealthIssues"))
        told = _with_statistics(replica, _mine(rows, replica))
        return replace(told, reasons=reasons(issues, replica), asked_at=self._now())


def _is_unknown(fault: Fault) -> bool:
    """The host has no such method; that a machine is gone is another matter."""
    return fault.code == Wsman.ACTION_NOT_SUPPORTED or fault.subcode == "ActionNotSupported"


def _instances(value: CimValue) -> list[CimInstance]:
    """Embedded instances, as they came or as text; what cannot be read is left out."""
    found: list[CimInstance] = []
    for item in value if isinstance(value, tuple) else (value,):
        with contextlib.suppress(WireError):
            if isinstance(item, CimInstance):
                found.append(item)
            elif isinstance(item, str) and item:
                found.append(from_text(item, VIRTUALIZATION))
    return found


def _mine(rows: Sequence[CimInstance], replica: Replica) -> CimInstance | None:
    """The statistics of this hop; hosts with one relationship tell of that one."""
    ending = _HOP[replica.extended]
    fits = [row for row in rows if paths.same(row.get("InstanceID")).endswith(ending)]
    return next(iter(fits or rows), None)


def _with_statistics(replica: Replica, row: CimInstance | None) -> Replica:
    if row is None:
        return replica
    get = row.get
    latency = clean.maybe(get("ReplicationLatency"))
    return replace(
        replica,
        pending=clean.maybe(get("PendingReplicationSize")),
        latency=None if latency is None else float(latency),
        missed=clean.maybe(get("ReplicationMissCount")),
        succeeded=clean.maybe(get("ReplicationSuccessCount")),
        failures=clean.maybe(get("ReplicationFailureCount")),
        tested=clean.moment(get("LastTestFailoverTime")),
    )


def reasons(issues: Sequence[CimInstance], replica: Replica) -> tuple[str, ...]:
    """Messages of Msvm_Error, worst first, each once; those of another hop left out."""
    ending = _HOP[not replica.extended]
    mine = [row for row in issues if not paths.same(row.get("ErrorSource")).endswith(ending)]
    mine.sort(key=lambda row: -clean.number(row.get("PerceivedSeverity")))
    words = (clean.text(row.get("Message"), limit=clean.LONG) for row in mine)
    return tuple(dict.fromkeys(filter(None, words)))[:ISSUES]

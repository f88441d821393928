"""Methods: the replication service of a host: its settings, and whose replicas it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.sim import files, replica_info, replication, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.methods_replica import recovery_host, unfit
from tui.sim.outcome import FAILED, INVALID, NOT_FOUND, Call, Method, Stop
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.reply import MethodOutput

if TYPE_CHECKING:
    from tui.sim.world import SimHost

BOUNDS: Mapping[str, tuple[int, int]] = {
    "AllowedAuthenticationType": (0, 3),
    "HttpPort": (1, 65535),
    "HttpsPort": (1, 65535),
    "MonitoringInterval": (3600, 604800),
}
FREE = (*BOUNDS, "RecoveryServerEnabled", "CertificateThumbPrint", "MonitoringStartTime")


def modify_service(call: Call) -> MethodOutput:
    given = call.embedded(call.get("SettingData"))
    if given.class_name != replication.SERVICE_SETTING:
        raise Stop(INVALID)
    changes = {n: v for n, v in given.values.items() if n in FREE and v is not None}
    for name, (low, high) in BOUNDS.items():
        value = changes.get(name, low)
        if not isinstance(value, int) or not low <= value <= high:
            raise Stop(INVALID)
    present = replication.service(call.host)
    after = present | changes
    if after["RecoveryServerEnabled"] and not after["AllowedAuthenticationType"]:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        present.update(changes)
        return ()

    return call.job(Work(90, "Modifying Replication Server Settings", 0.5, done))


def _entries(host: SimHost) -> dict[str, CimInstance]:
    found = host.repository.instances(shapes.VIRTUALIZATION, replication.AUTHORIZATION)
    return {shapes.text(item, "AllowedPrimaryHostSystem").lower(): item for item in found}


def _asked_entry(call: Call) -> tuple[str, str, str]:
    given = call.embedded(call.get("AuthorizationEntry"))
    if given.class_name != replication.AUTHORIZATION:
        raise Stop(INVALID)
    primary = shapes.text(given, "AllowedPrimaryHostSystem").strip()
    place = files.clean(shapes.text(given, "ReplicaStorageLocation"))
    if not primary or not place:
        raise Stop(INVALID)
    return primary, place, shapes.text(given, "TrustGroup")


def add_entry(call: Call) -> MethodOutput:
    primary, place, group = _asked_entry(call)
    if primary.lower() in _entries(call.host):
        raise Stop(INVALID)
    return _put(call, primary, place, group)


def modify_entry(call: Call) -> MethodOutput:
    primary, place, group = _asked_entry(call)
    if primary.lower() not in _entries(call.host):
        raise Stop(NOT_FOUND)
    return _put(call, primary, place, group)


def _put(call: Call, primary: str, place: str, group: str) -> MethodOutput:
    def done(at: float) -> tuple[CimRef, ...]:
        call.host.repository.add(replica_info.entry(call.host, primary, place, group))
        return ()

    return call.job(Work(90, "Modifying Replication Server Settings", 0.5, done))


def remove_entry(call: Call) -> MethodOutput:
    item = _entries(call.host).get(call.text("AllowedPrimaryHostSystem").strip().lower())
    if item is None:
        raise Stop(NOT_FOUND)

    def done(at: float) -> tuple[CimRef, ...]:
        call.host.repository.remove(item)
        return ()

    return call.job(Work(90, "Modifying Replication Server Settings", 0.5, done))


def test_connection(call: Call) -> MethodOutput:
    """Whether a host would take replicas of this one; the job says why not."""
    names = ("RecoveryConnectionPoint", "RecoveryServerPortNumber", "AuthenticationType")
    terms = {name: call.get(name) for name in names}
    if terms["AuthenticationType"] not in (1, 2):
        raise Stop(INVALID)
    name, found = recovery_host(call, terms)
    trouble = unfit(call.host, found, name, terms)
    error = JobError(FAILED, trouble.words) if trouble is not None else None
    return call.job(Work(115, "Testing Replication Connection", 2.0, error=error))


SERVICE = replica_info.SERVICE
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ModifyServiceSettings"): modify_service,
    (SERVICE, "AddAuthorizationEntry"): add_entry,
    (SERVICE, "ModifyAuthorizationEntry"): modify_entry,
    (SERVICE, "RemoveAuthorizationEntry"): remove_entry,
    (SERVICE, "TestReplicationConnection"): test_connection,
}

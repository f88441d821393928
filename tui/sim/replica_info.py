"""The CIM side of Hyper-V Replica: relationships, their settings, statistics, and the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import disks, replica_health, replication, shapes
from tui.sim.machine import Machine
from tui.sim.replication import AUTHORIZATION, PRIMARY, SERVICE_SETTING, TEST, End
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.embedded import to_text

if TYPE_CHECKING:
    from tui.sim.links import Pair
    from tui.sim.world import SimHost

SERVICE = "Msvm_ReplicationService"
RELATIONSHIP = "Msvm_ReplicationRelationship"
SETTING = "Msvm_ReplicationSettingData"
STATISTICS = "Msvm_ReplicationStatistics"
PROVIDER = "22391CDC-272C-4DDF-BA88-9BEFB1A0975C"
DEFAULTS: dict[str, CimValue] = {
    "ReplicationInterval": 300,
    "RecoveryHistory": 0,
    "ApplicationConsistentSnapshotInterval": 0,
    "AuthenticationType": 1,
    "AutoResynchronizeEnabled": False,
    "AutoResynchronizeIntervalStart": shapes.span(18.5 * 3600),
    "AutoResynchronizeIntervalEnd": shapes.span(6 * 3600),
    "BypassProxyServer": False,
    "CertificateThumbPrint": "",
    "RootCertificateThumbPrint": "",
    "CompressionEnabled": True,
    "EnableWriteOrderPreservationAcrossDisks": False,
    "ReplicateHostKvpItems": True,
    "ReplicationProvider": PROVIDER,
    "AdditionalSettings": "",
    "PrimaryConnectionPoint": "",
    "PrimaryHostSystem": "",
    "RecoveryConnectionPoint": "",
    "RecoveryHostSystem": "",
    "RecoveryServerPortNumber": 0,
}


# -- what every host has -------------------------------------------------------------------


def furniture(host: SimHost) -> list[CimInstance]:
    """The settings of the service, and who may send replicas."""
    setting = shapes.new(
        SERVICE_SETTING,
        InstanceID=f"Microsoft:{host.name}\\HVR",
        ElementName="Hyper-V Replication Service",
        Caption="Hyper-V Replication Service",
        Description="Settings for the replication service.",
        AllowedAuthenticationType=1 if host.plan.recovery else 0,
        CertificateThumbPrint="",
        HttpPort=80,
        HttpsPort=443,
        MonitoringInterval=43200,
        MonitoringStartTime=shapes.span(9 * 3600),
        RecoveryServerEnabled=host.plan.recovery,
    )
    if not host.plan.recovery:
        return [setting]
    place = f"{host.plan.store}\\Hyper-V Replica"
    return [setting, entry(host, replication.EVERYBODY, place, "DEFAULT")]


def entry(host: SimHost, primary: str, place: str, group: str) -> CimInstance:
    """Who may send replicas, and where they are kept."""
    return shapes.new(
        AUTHORIZATION,
        InstanceID=f"Microsoft:{host.name}\\HVR\\{primary}",
        ElementName="Replication Authorization Setting Data",
        Caption="Replication Authorization Setting Data",
        Description="Settings for the authorization of a primary server.",
        AllowedPrimaryHostSystem=primary,
        ReplicaStorageLocation=place,
        TrustGroup=group,
    )


# -- machines ------------------------------------------------------------------------------


def ends(host: SimHost) -> Iterator[End]:
    """The ends of relationships on a host; test machines are none."""
    for machine in list(host.machines.values()):
        if machine.replica is not None and machine.replica.mode != TEST:
            yield machine.replica


def instance_id(machine: Machine) -> str:
    return f"Microsoft:{machine.id}\\HVR\\0"


def relationship(end: End) -> CimInstance:
    now = end.machine.host.fabric.now()
    values = replica_health.shown(end, now)
    severity = {1: (5, "OK"), 2: (10, "Degraded"), 3: (25, "Error")}
    level, status = severity.get(int(str(values["ReplicationHealth"])), (5, "OK"))
    applied = end.pair.applied_at
    return shapes.new(
        RELATIONSHIP,
        InstanceID=instance_id(end.machine),
        ElementName=end.machine.name,
        Name=end.machine.name,
        Caption="Replication Relationship",
        Description="Microsoft Replication Relationship",
        HealthState=level,
        OperationalStatus=(2,) if level == 5 else (3,) if level == 10 else (6,),
        StatusDescriptions=(status,),
        Status=status,
        LastApplyTime=shapes.when(applied) if applied else shapes.ZERO_TIME,
        **values,
    )


def relationships(host: SimHost) -> Iterator[CimInstance]:
    return (relationship(end) for end in ends(host))


def setting(machine: Machine) -> CimInstance:
    """How a machine is replicated, or would be if somebody said where to."""
    end = machine.replica if machine.replica and machine.replica.mode != TEST else None
    values: dict[str, CimValue] = DEFAULTS | (end.pair.terms if end is not None else {})
    if not values.get("IncludedDisks"):
        values["IncludedDisks"] = tuple(
            to_text(image, strict=False)
            for image in machine.images
            if not disks.image_path(image).lower().endswith(".iso")
        )
    return shapes.new(
        SETTING,
        InstanceID=f"Microsoft:{machine.id}\\HVR",
        ElementName=machine.name,
        Caption="Replication Settings",
        Description="Replication settings of the virtual machine.",
        VirtualSystemIdentifier=machine.id,
        VirtualSystemType="Microsoft:Hyper-V:Replica",
        **values,
    )


def settings(host: SimHost) -> Iterator[CimInstance]:
    return (setting(machine) for machine in list(host.machines.values()))


def statistics(end: End) -> CimInstance:
    """What the cycles came to since the monitoring interval began."""
    pair, counts = end.pair, end.pair.counts
    now = end.machine.host.fabric.now()
    done = max(1, counts.succeeded)
    return shapes.new(
        STATISTICS,
        InstanceID=instance_id(end.machine),
        ElementName=end.machine.name,
        Caption="Replication Statistics",
        Description="Replication statistics of the virtual machine.",
        ApplicationConsistentSnapshotFailureCount=counts.inconsistent,
        StartStatisticTime=shapes.when(counts.since),
        EndStatisticTime=shapes.when(now),
        LastTestFailoverTime=shapes.when(pair.tested_at) if pair.tested_at else shapes.ZERO_TIME,
        MaxReplicationLatency=round(counts.slowest),
        ReplicationLatency=round(counts.latency / done),
        MaxReplicationSize=counts.largest,
        ReplicationSize=counts.size // done,
        NetworkFailureCount=counts.network,
        PendingReplicationSize=pair.gather(now) if end.mode == PRIMARY else 0,
        ReplicationFailureCount=counts.failed,
        ReplicationMissCount=counts.missed,
        ReplicationSuccessCount=counts.succeeded,
        ReplicationHealth=replica_health.health(end, now),
    )


def error(end: End, issue: replica_health.Issue) -> str:
    """A reason as the text of an Msvm_Error."""
    made = CimInstance(
        "Msvm_Error",
        {
            "CIMStatusCode": 1,
            "ErrorSource": instance_id(end.machine),
            "ErrorSourceFormat": 2,
            "ErrorType": 4,
            "Message": issue.words,
            "MessageID": issue.code,
            "OwningEntity": "Hyper-V",
            "PerceivedSeverity": 4 if issue.health == replica_health.SEVERE else 3,
            "ProbableCause": issue.cause,
        },
        shapes.VIRTUALIZATION,
    )
    return to_text(made, strict=False)


# -- what belongs to what ------------------------------------------------------------------


def _refs(host: SimHost, machines: list[Machine]) -> Iterator[tuple[Machine, CimRef, CimRef]]:
    """Real machines with the references of their relationship and of its settings."""
    for machine in machines:
        if machine.id in host.machines:
            yield (
                machine,
                CimRef(
                    RELATIONSHIP, (("InstanceID", instance_id(machine)),), shapes.VIRTUALIZATION
                ),
                CimRef(
                    SETTING,
                    (("InstanceID", f"Microsoft:{machine.id}\\HVR"),),
                    shapes.VIRTUALIZATION,
                ),
            )


def _takes_part(machine: Machine) -> bool:
    return machine.replica is not None and machine.replica.mode != TEST


def machine_relationships(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine, relation, _ in _refs(host, machines):
        if _takes_part(machine):
            yield machine.ref, relation


def relationship_settings(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine, relation, setting in _refs(host, machines):
        if _takes_part(machine):
            yield relation, setting


def machine_settings(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    for machine, _, setting in _refs(host, machines):
        yield machine.ref, setting


def test_machines(host: SimHost, machines: list[Machine]) -> Iterator[Pair]:
    """A replica and the machine that was made from it for a test."""
    seen = set()
    for machine in machines:
        end = machine.replica
        if end is None:
            continue
        for one in (end, end.pair.replica, end.pair.primary):
            if one is not None and one.test is not None and one.machine.host is host:
                seen.add((one.machine.id, one.test.id))
    for source, made in sorted(seen):
        yield shapes.system_ref(source), shapes.system_ref(made)


def service_settings(host: SimHost) -> Iterator[Pair]:
    store = host.repository
    for service in store.instances(shapes.VIRTUALIZATION, SERVICE):
        for name in (SERVICE_SETTING, AUTHORIZATION):
            for item in store.instances(shapes.VIRTUALIZATION, name):
                yield store.ref_of(service), shapes.setting_ref(item)


def install(host: SimHost) -> None:
    """Register the computed classes with the host's repository."""
    host.repository.provide(shapes.VIRTUALIZATION, RELATIONSHIP, lambda: relationships(host))
    host.repository.provide(shapes.VIRTUALIZATION, SETTING, lambda: settings(host))

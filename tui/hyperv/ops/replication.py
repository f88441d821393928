"""Hyper-V Replica: pause, resume, resynchronize, failover of every kind, and the way back.

A planned failover goes over two hosts: the primary is prepared (the machine is off, what is left
is sent), then the replica is failed over and the direction reversed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.errors import Fault, Refused
from tui.hyperv.ops import state as machines
from tui.hyperv.ops.calling import (
    by_instance_id,
    embedded,
    gone_or,
    invoke,
    service_ref,
    vm_ref,
)
from tui.hyperv.ops.making import Making
from tui.hyperv.outcome import Outcome, Step, Steps
from tui.hyperv.replica import Replica
from tui.wsman.cim import CimRef, CimValue
from tui.wsman.values import ReplicationState as State

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

OVER_NETWORK, SEEDED = 1, 3
"""InitialReplicationType: send everything, or compare with the machine that is there already."""
_RELATIONSHIP = "Msvm_ReplicationRelationship"
_SETTING = "Msvm_ReplicationSettingData"
_KEPT = (
    "ReplicationInterval",
    "RecoveryHistory",
    "ApplicationConsistentSnapshotInterval",
    "AuthenticationType",
    "AutoResynchronizeEnabled",
    "AutoResynchronizeIntervalStart",
    "AutoResynchronizeIntervalEnd",
    "BypassProxyServer",
    "CertificateThumbPrint",
    "RootCertificateThumbPrint",
    "CompressionEnabled",
    "EnableWriteOrderPreservationAcrossDisks",
    "RecoveryServerPortNumber",
    "ReplicateHostKvpItems",
)
"""Terms of a relationship that hold in the other direction too."""


def _service() -> CimRef:
    return service_ref("Msvm_ReplicationService")


def _instance_id(replica: Replica) -> str:
    return replica.id.removeprefix(f"{replica.host}:")


def read_state(client: CimClient, replica: Replica) -> int:
    """ReplicationState as the host has it now; ``Refused`` when the relationship is gone."""
    try:
        row = client.get(by_instance_id(_RELATIONSHIP, _instance_id(replica)))
    except Fault as fault:
        found = gone_or(fault, replica.name)
        if found is fault:
            raise
        raise Refused(
            f"{replica.name} is not replicated on this host any more",
            cause="somebody has removed the relationship",
            hint="look again",
        ) from fault
    state = row.get("ReplicationState")
    return state if isinstance(state, int) else 0


# -- pause, resume, send -------------------------------------------------------------------


def pause(client: CimClient, replica: Replica) -> Outcome:
    """Send, or take in, nothing until it is resumed."""
    return _request(client, replica, State.SUSPENDED, "pause replication of")


def resume(client: CimClient, replica: Replica) -> Outcome:
    """Go on after a pause or an error; also the way out of a prepared planned failover."""
    return _request(client, replica, State.REPLICATING, "resume replication of")


def prepare(client: CimClient, replica: Replica) -> Outcome:
    """Send what is left of a machine that is off: its replica may then take over without loss."""
    return _request(
        client, replica, State.SYNCED_REPLICATION_COMPLETE, "prepare the planned failover of"
    )


def _request(client: CimClient, replica: Replica, state: State, verb: str) -> Outcome:
    ref = vm_ref(replica.vm)
    if not replica.extended:
        return invoke(
            client, ref, "RequestReplicationStateChange", verb, replica.name, RequestedState=state
        )
    relationship = embedded(_RELATIONSHIP, {"InstanceID": _instance_id(replica)})
    return invoke(
        client, ref, "RequestReplicationStateChangeEx", verb, replica.name,
        RequestedState=state, ReplicationRelationship=relationship,
    )  # fmt: skip


def start(client: CimClient, replica: Replica, how: int) -> Outcome:
    """Send the first copy."""
    return _call(
        client, replica, "StartReplication", "start replication of", InitialReplicationType=how
    )


def resynchronize(client: CimClient, replica: Replica) -> Outcome:
    """Compare both sides block by block and send what differs; the job lasts as long."""
    return _call(client, replica, "Resynchronize", "resynchronize")


def _call(
    client: CimClient, replica: Replica, method: str, verb: str, **parameters: CimValue
) -> Outcome:
    return invoke(
        client, _service(), method, verb, replica.name,
        ComputerSystem=vm_ref(replica.vm), **parameters,
    )  # fmt: skip


# -- failover ------------------------------------------------------------------------------


def fail_over(client: CimClient, replica: Replica, point: str = "", *, start: bool) -> Steps:
    """Let the replica take over; ``point``: InstanceID of a recovery point, else the latest."""
    with Making(f"The failover of {replica.name} is not complete") as making:
        yield Step("Failing over", _initiate(client, replica, point))
        making.add(f"{replica.name} failed over")
        making.undo = ("replica.cancel-failover", replica.id, {})
        if start:
            yield Step("Starting it", machines.start(client, replica.vm, replica.name))


def planned(client: CimClient, replica: Replica, *, reverse: bool, start: bool) -> Steps:
    """The replica's part of a planned failover, once the primary is prepared."""
    with Making(f"The planned failover of {replica.name} is not complete") as making:
        yield Step("Failing over", _initiate(client, replica, ""))
        making.add(f"{replica.name} failed over")
        making.undo = ("replica.cancel-failover", replica.id, {})
        if reverse:
            yield Step("Reversing replication", turn_round(client, replica))
            making.add("replication runs the other way")
            making.undo = None
        if start:
            yield Step("Starting it", machines.start(client, replica.vm, replica.name))


def _initiate(client: CimClient, replica: Replica, point: str) -> Outcome:
    return _call(client, replica, "InitiateFailover", "fail over", **_point(point))


def _point(point: str) -> dict[str, CimValue]:
    if not point:
        return {}
    return {"SnapshotSettingData": by_instance_id("Msvm_VirtualSystemSettingData", point)}


def revert(client: CimClient, replica: Replica) -> Outcome:
    """Undo a failover; what the machine has done since is thrown away."""
    return _call(client, replica, "RevertFailover", "cancel the failover of")


def commit(client: CimClient, replica: Replica) -> Outcome:
    """Make a failover final: its recovery points go."""
    return _call(client, replica, "CommitFailover", "complete the failover of")


def turn_round(client: CimClient, replica: Replica) -> Outcome:
    """Replicate back to the former primary, on the terms there are."""
    identity = f"Microsoft:{replica.vm}\\HVR"
    try:
        now = client.get(by_instance_id(_SETTING, identity))
    except Fault as fault:
        raise gone_or(fault, f"The replication setting of {replica.name}") from fault
    to = now.get("PrimaryConnectionPoint") or now.get("PrimaryHostSystem")
    if not to:
        raise Refused(
            f"Replication of {replica.name} was not reversed",
            cause="the host does not say which host it came from",
        )
    values: dict[str, CimValue] = {
        "InstanceID": identity,
        "RecoveryConnectionPoint": to,
        **{name: now.get(name) for name in _KEPT if now.get(name) is not None},
    }
    return _call(
        client, replica, "ReverseReplicationRelationship", "reverse replication of",
        ReplicationSettingData=embedded(_SETTING, values),
    )  # fmt: skip


# -- test ----------------------------------------------------------------------------------


def try_out(client: CimClient, replica: Replica, point: str) -> Outcome:
    """Make a machine of its own from the replica or a recovery point, with no network."""
    return _call(client, replica, "TestReplicaSystem", "test", **_point(point))


def stop_test(client: CimClient, replica: Replica, *, running: bool) -> Steps:
    """Take the machine away that was made for a test, with its disks."""
    name = replica.test_name or f"the test of {replica.name}"
    with Making(f"The test of {replica.name} is not cleaned up") as making:
        if running:
            yield Step(f"Turning off {name}", machines.turn_off(client, replica.test, name))
            making.add(f"{name} turned off")
        outcome = invoke(
            client, service_ref(), "DestroySystem", "delete", name,
            AffectedSystem=vm_ref(replica.test),
        )  # fmt: skip
        yield Step(f"Deleting {name}", outcome)

"""Lifecycle, name and notes of a virtual machine, and cancelling a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.errors import Fault, Refused
from tui.hyperv.ops.calling import gone_or, invoke, job_ref, modify_settings, vm_ref
from tui.hyperv.outcome import Outcome
from tui.wsman.cim import CimRef
from tui.wsman.schema import VIRTUALIZATION
from tui.wsman.values import JobRequest, OperationalStatus, RequestedState

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_REASON = "Requested by an administrator with hvdeck"

# -- state ---------------------------------------------------------------------------------


def read_state(client: CimClient, vm_id: str, name: str = "") -> int:
    """EnabledState as the host has it now; ``Refused`` when the machine is not there."""
    try:
        instance = client.get(vm_ref(vm_id))
    except Fault as fault:
        raise gone_or(fault, name or vm_id) from fault
    state = instance.get("EnabledState")
    return state if isinstance(state, int) else 0


def start(client: CimClient, vm_id: str, name: str = "") -> Outcome:
    """Switch on, or continue a saved machine."""
    return _request_state(client, vm_id, name, RequestedState.ENABLED, "start")


def turn_off(client: CimClient, vm_id: str, name: str = "") -> Outcome:
    """Cut the power; of a saved machine, throw the saved state away."""
    return _request_state(client, vm_id, name, RequestedState.DISABLED, "turn off")


def reset(client: CimClient, vm_id: str, name: str = "") -> Outcome:
    """Restart without the guest's consent."""
    return _request_state(client, vm_id, name, RequestedState.RESET, "reset")


def pause(client: CimClient, vm_id: str, name: str = "") -> Outcome:
    """Stop the processors, keep the memory."""
    return _request_state(client, vm_id, name, RequestedState.QUIESCE, "pause")


def resume(client: CimClient, vm_id: str, name: str = "") -> Outcome:
    """Let a paused machine go on."""
    return _request_state(client, vm_id, name, RequestedState.ENABLED, "resume")


def save(client: CimClient, vm_id: str, name: str = "") -> Outcome:
    """Write memory to disk and stop."""
    return _request_state(client, vm_id, name, RequestedState.OFFLINE, "save")


def _request_state(
    client: CimClient, vm_id: str, name: str, wanted: RequestedState, verb: str
) -> Outcome:
    return invoke(
        client, vm_ref(vm_id), "RequestStateChange", verb, name or vm_id, RequestedState=wanted
    )


# -- through the guest ---------------------------------------------------------------------


def shut_down(client: CimClient, vm_id: str, name: str = "", *, force: bool = False) -> Outcome:
    """Ask the guest to shut down."""
    component = _shutdown_component(client, vm_id, name or vm_id, "shut down")
    return invoke(
        client,
        component,
        "InitiateShutdown",
        "shut down",
        name or vm_id,
        Force=force,
        Reason=_REASON,
    )


def reboot(client: CimClient, vm_id: str, name: str = "", *, force: bool = False) -> Outcome:
    """Ask the guest to restart."""
    component = _shutdown_component(client, vm_id, name or vm_id, "reboot")
    return invoke(
        client, component, "InitiateReboot", "reboot", name or vm_id, Force=force, Reason=_REASON
    )


def _shutdown_component(client: CimClient, vm_id: str, name: str, verb: str) -> CimRef:
    """The running shutdown service of a guest.

    It exists only while the machine runs and the service is offered, and takes requests only
    while its first OperationalStatus is OK (or degraded by an older protocol).
    """
    found = client.query(
        VIRTUALIZATION, f"SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = '{vm_id}'"
    )
    if not found:
        raise Refused(
            f"Cannot ask {name} to {verb}",
            cause="the host offers no shutdown service for it: it is not running, or the "
            "integration service is switched off",
            hint="start it or enable the service, or turn the machine off",
        )
    component = found[0]
    statuses = component.get("OperationalStatus")
    status = statuses[0] if isinstance(statuses, tuple) and statuses else OperationalStatus.OK
    if status not in (OperationalStatus.OK, OperationalStatus.DEGRADED):
        raise Refused(
            f"Cannot ask {name} to {verb}",
            cause="the shutdown service inside the guest does not answer",
            hint="the guest may still be starting or have no integration services; "
            "try again later, or turn the machine off",
            code=status if isinstance(status, int) else 0,
        )
    names = ("CreationClassName", "DeviceID", "SystemCreationClassName", "SystemName")
    keys = tuple((key, str(component.get(key) or "")) for key in names)
    return CimRef("Msvm_ShutdownComponent", keys, VIRTUALIZATION)


# -- settings ------------------------------------------------------------------------------


def rename(client: CimClient, vm_id: str, name: str, new_name: str) -> Outcome:
    """Give another display name."""
    return modify_settings(client, vm_id, name, "rename", {"ElementName": new_name})


def set_notes(client: CimClient, vm_id: str, name: str, notes: str) -> Outcome:
    """Replace the notes. Hosts keep only the first element of the array."""
    return modify_settings(client, vm_id, name, "set the notes of", {"Notes": (notes,)})


# -- jobs ----------------------------------------------------------------------------------


def cancel_job(
    client: CimClient, instance_id: str, class_name: str = "Msvm_ConcreteJob", name: str = ""
) -> Outcome:
    """Ask a job to end, after checking that it is still there and lets itself be cancelled."""
    ref = job_ref(instance_id, class_name)
    what = name or f"job {instance_id}"
    try:
        job = client.get(ref)
    except Fault as fault:
        raise gone_or(fault, what) from fault
    if not job.get("Cancellable"):
        raise Refused(
            f"Cannot cancel {what}",
            cause="the host does not let this job be cancelled now",
            hint="wait until it ends",
        )
    return invoke(
        client, ref, "RequestStateChange", "cancel", what, RequestedState=JobRequest.TERMINATE
    )

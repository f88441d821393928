"""How every verb calls: references of things, embedded settings, what a return value means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.errors import Dropped, Fault, MethodFailed, Refused
from tui.hyperv import meanings
from tui.hyperv.outcome import Done, Outcome, Started
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.schema import VIRTUALIZATION
from tui.wsman.values import ReturnValue

if TYPE_CHECKING:
    from tui.wsman.client import CimClient
    from tui.wsman.reply import MethodOutput

# -- where things are ----------------------------------------------------------------------


def vm_ref(vm_id: str) -> CimRef:
    """The reference of a virtual machine."""
    keys = (("CreationClassName", "Msvm_ComputerSystem"), ("Name", vm_id))
    return CimRef("Msvm_ComputerSystem", keys, VIRTUALIZATION)


def service_ref(name: str = "Msvm_VirtualSystemManagementService") -> CimRef:
    """A service; its one key that is the same on every host suffices."""
    return CimRef(name, (("CreationClassName", name),), VIRTUALIZATION)


def by_instance_id(class_name: str, instance_id: str) -> CimRef:
    """The reference of anything whose key is its InstanceID."""
    return CimRef(class_name, (("InstanceID", instance_id),), VIRTUALIZATION)


def settings_ref(vm_id: str) -> CimRef:
    """The reference of a machine's current settings."""
    return by_instance_id("Msvm_VirtualSystemSettingData", settings_id(vm_id))


def job_ref(instance_id: str, class_name: str = "Msvm_ConcreteJob") -> CimRef:
    """The reference of a job."""
    return by_instance_id(class_name, instance_id)


def settings_id(vm_id: str) -> str:
    """InstanceID of a machine's current settings."""
    return f"Microsoft:{vm_id}"


# -- settings ------------------------------------------------------------------------------


def modify_settings(
    client: CimClient, vm_id: str, name: str, verb: str, values: dict[str, CimValue]
) -> Outcome:
    """Change some of a machine's settings; only what changes is sent."""
    changes = {"InstanceID": settings_id(vm_id), **values}
    return invoke(
        client,
        service_ref(),
        "ModifySystemSettings",
        verb,
        name or vm_id,
        SystemSettings=embedded("Msvm_VirtualSystemSettingData", changes),
    )


def embedded(class_name: str, values: Mapping[str, CimValue]) -> str:
    """An instance as the CIM-XML text that parameters of settings carry."""
    from tui.wsman.embedded import to_text  # the deck imports this module and never calls a host

    return to_text(CimInstance(class_name, dict(values), VIRTUALIZATION))


def modify_resources(
    client: CimClient,
    name: str,
    verb: str,
    changes: Sequence[tuple[str, Mapping[str, CimValue]]],
) -> Outcome:
    """Change resource settings: class name and values (InstanceID among them) of each."""
    texts = tuple(embedded(class_name, values) for class_name, values in changes)
    return invoke(
        client, service_ref(), "ModifyResourceSettings", verb, name, ResourceSettings=texts
    )


def add_resources(
    client: CimClient,
    vm_id: str,
    name: str,
    verb: str,
    additions: Sequence[tuple[str, Mapping[str, CimValue]]],
) -> Outcome:
    """Add resource settings to a machine."""
    return invoke(
        client,
        service_ref(),
        "AddResourceSettings",
        verb,
        name,
        AffectedConfiguration=settings_ref(vm_id),
        ResourceSettings=tuple(embedded(class_name, values) for class_name, values in additions),
    )


def remove_resources(
    client: CimClient, name: str, verb: str, removals: Sequence[tuple[str, str]]
) -> Outcome:
    """Remove resource settings: class name and InstanceID of each."""
    return invoke(
        client,
        service_ref(),
        "RemoveResourceSettings",
        verb,
        name,
        ResourceSettings=tuple(by_instance_id(*removal) for removal in removals),
    )


# -- calling -------------------------------------------------------------------------------


def invoke(
    client: CimClient, ref: CimRef, method: str, verb: str, name: str, **parameters: CimValue
) -> Outcome:
    """Invoke a method. Raises Refused when the object is gone, MethodFailed for an error number."""
    try:
        output = client.invoke(ref, method, **parameters)
    except Fault as fault:
        raise gone_or(fault, name) from fault
    return outcome(output, f"{ref.class_name}.{method}", f"Could not {verb} {name}")


def outcome(output: MethodOutput, method: str, title: str) -> Outcome:
    """What a return value means: done, a job, or an exception in words."""
    if output.return_value == ReturnValue.COMPLETED:
        return Done()
    if output.return_value == ReturnValue.JOB_STARTED:
        job = output.values.get("Job")
        if isinstance(job, CimRef):
            return Started(job)
        raise Dropped(  # it runs: only what becomes of its object tells how it ends
            title, sent=True, cause=f"{method} started a job and did not say which"
        )
    cause, hint = meanings.of_return(output.return_value)
    raise MethodFailed(title, method=method, code=output.return_value, cause=cause, hint=hint)


def gone_or(fault: Fault, name: str) -> Fault | Refused:
    """The same fault, or a plain sentence when it means that the object is not there."""
    if not meanings.is_gone(fault):
        return fault
    return Refused(
        f"{name} is no longer on this host",
        cause="it was deleted, moved to another host, or has ended",
        hint="look at where it is now and try there",
        code=fault.code,
    )

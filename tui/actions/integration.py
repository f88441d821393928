"""Integration services of virtual machines, on one or on a marked set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions.common import vm_of
from tui.actions.declare import Action, Choice, Field, Kind, Part, Risk, Target
from tui.hyperv.ops import integration

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

_GROUP = "Integration services"
_TITLES = {
    "heartbeat": "Heartbeat",
    "kvp": "Data exchange",
    "shutdown": "Guest shutdown",
    "timesync": "Time synchronization",
    "vss": "Backup (VSS)",
    "guest-services": "Guest services",
}


def _services(target: Target) -> Sequence[Choice]:
    """The services its host offers to it; all of them while that is not known."""
    found = vm_of(target).integration
    state = {service.name: "enabled" if service.enabled else "disabled" for service in found}
    return tuple(
        Choice(name, title, state.get(name, ""))
        for name, title in _TITLES.items()
        if name in state or not found
    )


def _service_problem(target: Target, value: Any) -> str | None:
    if any(choice.value == value for choice in _services(target)):
        return None
    return f"its host does not offer {value} to {target.name}"


_SERVICE = Field(
    "service",
    "Service",
    "Which integration service",
    choices=_services,
    problem=_service_problem,
)


def _offer(on: bool) -> Callable[[CimClient, Target, Mapping[str, Any]], Outcome]:
    def run(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
        service = str(arguments["service"])
        return integration.offer_service(client, target.id, target.name, service, on=on)

    return run


def _seen(on: bool) -> Callable[[Target, Mapping[str, Any]], bool]:
    def observed(target: Target, arguments: Mapping[str, Any]) -> bool:
        wanted = str(arguments["service"])
        return any(
            service.name == wanted and service.enabled is on
            for service in vm_of(target).integration
        )

    return observed


ACTIONS: tuple[Action, ...] = (
    Action(
        "integration.enable",
        "Enable service",
        "Offer an integration service to the guest",
        Kind.VM,
        _offer(on=True),
        form=(_SERVICE,),
        observed=_seen(on=True),
        effect="The guest may use the service from now on",
        calls="Msvm_VirtualSystemManagementService.ModifyResourceSettings(EnabledState 2)",
        part=Part.INTEGRATION,
        group=_GROUP,
    ),
    Action(
        "integration.disable",
        "Disable service",
        "Withdraw an integration service from the guest",
        Kind.VM,
        _offer(on=False),
        form=(_SERVICE,),
        observed=_seen(on=False),
        risk=Risk.AMBER,
        effect="What relies on the service stops: shutdown, backup, addresses, heartbeat or time",
        calls="Msvm_VirtualSystemManagementService.ModifyResourceSettings(EnabledState 3)",
        part=Part.INTEGRATION,
        group=_GROUP,
    ),
)

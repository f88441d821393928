"""Network adapters of a virtual machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.actions import amounts, names
from tui.actions.common import cold_only, hot_rule, nic_of, only, standing, there, vm_of
from tui.actions.declare import Action, Choice, Field, Kind, Part, Risk, Target
from tui.errors import Refused
from tui.hyperv import clean, hot
from tui.hyperv.model import Nic, NicKind, Vm
from tui.hyperv.ops import nics
from tui.hyperv.sheet import Adapter

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

_GROUP = "Network adapters"
_LIMITS = {NicKind.SYNTHETIC: 8, NicKind.EMULATED: 4}
_NO_ADDRESS = "000000000000"

# -- which ---------------------------------------------------------------------------------


def nic_choices(target: Target) -> Sequence[Choice]:
    """Adapters by name; the address tells those of the same name apart."""
    found = vm_of(target).nics
    titles = [nic.name for nic in found]
    return tuple(
        Choice(
            nic.id,
            nic.name if titles.count(nic.name) == 1 else f"{nic.name} {amounts.shown_mac(nic.mac)}",
            nic.switch_name if nic.connected else "not connected",
        )
        for nic in found
    )


def _switches(target: Target) -> Sequence[Choice]:
    around = target.around() if target.around else None
    found = sorted(around.switches.values(), key=lambda s: s.name.casefold()) if around else []
    return tuple(Choice(switch.guid, switch.name, switch.kind.value) for switch in found)


def _switch_problem(target: Target, value: Any) -> str | None:
    if any(choice.value == value for choice in _switches(target)):
        return None
    return f"{target.host.id} has no such switch any more"


NIC = Field(
    "nic",
    "Adapter",
    "Which network adapter",
    current=lambda target: only(nic_choices(target)),
    choices=nic_choices,
    problem=there(nic_choices, "adapter"),
)


def has_nics(target: Target) -> str | None:
    return None if vm_of(target).nics else f"{target.name} has no network adapter"


def adapter_meant(target: Target, arguments: Mapping[str, Any]) -> Adapter:
    """The adapter as the sheet, read just now, has it."""
    wanted = str(arguments["nic"]).casefold()
    adapters = target.sheet.adapters if target.sheet else ()
    for adapter in adapters:
        if adapter.id.casefold() == wanted:
            return adapter
    raise Refused(
        f"{target.name} has no such adapter any more", hint="look again and choose another"
    )


def nic_meant(target: Target, arguments: Mapping[str, Any]) -> Nic | None:
    wanted = str(arguments["nic"]).casefold()
    return next((nic for nic in vm_of(target).nics if nic.id.casefold() == wanted), None)


# -- add, remove ---------------------------------------------------------------------------


def _cannot_add(target: Target) -> str | None:
    return hot.why_not("nic", standing(target))


def _add_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    legacy = bool(arguments.get("legacy"))
    kind = NicKind.EMULATED if legacy else NicKind.SYNTHETIC
    if legacy and vm_of(target).generation == 2:
        return "a machine of generation 2 takes no legacy adapter"
    if sum(nic.kind is kind for nic in vm_of(target).nics) >= _LIMITS[kind]:
        return f"it has {_LIMITS[kind]} {kind.value} adapters already, the most there can be"
    return hot.why_not("legacy nic" if legacy else "nic", standing(target))


def _add(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Steps:
    return nics.add_nic(
        client, target.id, target.name,
        title=str(arguments["name"]), switch_id=str(arguments.get("switch") or ""),
        emulated=bool(arguments.get("legacy")), mac=str(arguments.get("mac") or ""),
    )  # fmt: skip


def _added(target: Target, before: Target, asked_at: float, arguments: Mapping[str, Any]) -> bool:
    """An adapter that was not there before is as it was wanted."""
    had = before.sheet.adapters if before.sheet else vm_of(before).nics
    known = {each.id.casefold() for each in had}
    return any(
        nic.id.casefold() not in known and _is_as_wanted(nic, arguments)
        for nic in vm_of(target).nics
    )


def _is_as_wanted(nic: Nic, arguments: Mapping[str, Any]) -> bool:
    switch, mac = str(arguments.get("switch") or ""), str(arguments.get("mac") or "")
    plugged = nic.connected and nic.switch_id == switch.upper()
    named = nic.name == clean.text(str(arguments["name"]))
    return named and (plugged or not switch) and (nic.mac == mac or not mac)


def _cannot_remove(target: Target, value: Any) -> str | None:
    if (why := there(nic_choices, "adapter")(target, value)) is not None:
        return why
    nic = nic_meant(target, {"nic": value})
    legacy = nic is not None and nic.kind is NicKind.EMULATED
    return hot.why_not("legacy nic" if legacy else "nic", standing(target))


def _remove(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return nics.remove_nic(client, target.name, adapter_meant(target, arguments))


def _removed(target: Target, arguments: Mapping[str, Any]) -> bool:
    return nic_meant(target, arguments) is None


# -- connect, disconnect -------------------------------------------------------------------


def _connect(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    nic, switch = adapter_meant(target, arguments), str(arguments["switch"])
    return nics.connect(client, target.id, target.name, nic, switch)


def _connected(target: Target, arguments: Mapping[str, Any]) -> bool:
    nic = nic_meant(target, arguments)
    return nic is not None and nic.connected and nic.switch_id == str(arguments["switch"]).upper()


def _disconnect(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return nics.disconnect(client, target.name, adapter_meant(target, arguments))


def _disconnected(target: Target, arguments: Mapping[str, Any]) -> bool:
    nic = nic_meant(target, arguments)
    return nic is not None and not nic.connected


def _now_on(target: Target) -> str | None:
    nic = nic_of(target)
    return (nic.switch_id or None) if nic else None


# -- address -------------------------------------------------------------------------------


def _mac_problem(target: Target, value: Any) -> str | None:
    """Form, and whether another adapter has it: of its host, or of any host that is known."""
    mac = str(value)
    if mac == _NO_ADDRESS:
        return "that is no address"
    if int(mac[:2], 16) & 1:
        return "that is a group address: the second digit must be even"
    taken = _holder(target, mac)
    return f"{taken} has this address already" if taken else None


def _holder(target: Target, mac: str) -> str:
    """Who else has the address, and where when that is another host."""
    mine, wanted = target.chosen.casefold(), mac.upper()
    for vm in _known(target):
        for nic in vm.nics:
            if nic.mac.upper() == wanted and nic.id.casefold() != mine:
                where = "" if vm.host == target.host.id else f" on {vm.host}"
                return f"{nic.name} of {vm.name}{where}"
    return ""


def _known(target: Target) -> Iterator[Vm]:
    """Machines of its own host first, then those of all others."""
    around = target.around() if target.around else None
    yield from around.vms.values() if around else ()
    for host, inventory in (target.fleet() if target.fleet else {}).items():
        if host != target.host.id:
            yield from inventory.vms.values()


def _no_mac(target: Target) -> str | None:
    return has_nics(target) or cold_only("a MAC address")(target)


def _static_problem(target: Target, value: Any) -> str | None:
    return hot_rule("static_mac", _is_static)(target, value)


def _is_static(target: Target) -> bool:
    nic = nic_of(target)
    return nic is not None and nic.static_mac


def _mac_now(target: Target) -> str | None:
    nic = nic_of(target)
    return (nic.mac or None) if nic else None


def _new_mac_problem(target: Target, value: Any) -> str | None:
    if _is_static(target) and value == _mac_now(target):
        return None
    return _mac_problem(target, value) or hot_rule("mac", lambda t: None)(target, value)


def _set_mac(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    mac = str(arguments.get("mac") or "") if arguments["static"] else ""
    return nics.set_mac(client, target.name, adapter_meant(target, arguments), mac)


def _mac_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    if arguments.get("static") and not arguments.get("mac"):
        return "a static address must be written"
    return None


def _mac_seen(target: Target, arguments: Mapping[str, Any]) -> bool:
    nic = nic_meant(target, arguments)
    if nic is None or nic.static_mac is not bool(arguments["static"]):
        return False
    return not nic.static_mac or nic.mac == arguments["mac"]


# -- the table -----------------------------------------------------------------------------

_SERVICE = "Msvm_VirtualSystemManagementService"

ACTIONS: tuple[Action, ...] = (
    Action(
        "nic.add",
        "Add adapter",
        "Add a network adapter, plugged into a switch or not",
        Kind.VM,
        _add,
        why_not=_cannot_add,
        form=(
            Field(
                "name",
                "Name",
                "What the adapter is called",
                current=lambda target: "Network Adapter",
                problem=lambda target, value: names.problem(str(value)),
            ),
            Field(
                "switch",
                "Switch",
                "The virtual switch to plug it into; none: not connected",
                choices=_switches,
                problem=_switch_problem,
                optional=True,
            ),
            Field(
                "mac",
                "MAC address",
                "A static address; none: the host gives it one",
                amounts.mac,
                problem=_mac_problem,
                shown=amounts.shown_mac,
                optional=True,
            ),
            Field(
                "legacy",
                "Legacy",
                "An emulated adapter that old guests and network boot of generation 1 know",
                bool,
                current=lambda target: False,
            ),
        ),
        conflict=_add_conflict,
        since=_added,
        effect="The machine gets another network adapter",
        calls=f"{_SERVICE}.AddResourceSettings",
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "nic.remove",
        "Remove adapter",
        "Take a network adapter out of the machine",
        Kind.VM,
        _remove,
        why_not=has_nics,
        form=(replace(NIC, problem=_cannot_remove),),
        observed=_removed,
        risk=Risk.AMBER,
        effect="The guest loses this adapter with its address and settings",
        calls=f"{_SERVICE}.RemoveResourceSettings",
        many=False,
        part=Part.NIC,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "nic.connect",
        "Connect",
        "Plug a network adapter into a virtual switch",
        Kind.VM,
        _connect,
        why_not=has_nics,
        form=(
            NIC,
            Field(
                "switch",
                "Switch",
                "The virtual switch to plug it into",
                current=_now_on,
                choices=_switches,
                problem=_switch_problem,
            ),
        ),
        observed=_connected,
        effect="The adapter is on that network from now on",
        calls=f"{_SERVICE}.ModifyResourceSettings(EnabledState 2, HostResource)",
        many=False,
        part=Part.NIC,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "nic.disconnect",
        "Disconnect",
        "Pull the plug of a network adapter",
        Kind.VM,
        _disconnect,
        why_not=has_nics,
        form=(NIC,),
        observed=_disconnected,
        risk=Risk.AMBER,
        effect="The guest has no network on this adapter until it is connected again",
        calls=f"{_SERVICE}.ModifyResourceSettings(EnabledState 3)",
        many=False,
        part=Part.NIC,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "nic.set-mac",
        "MAC address",
        "Give a network adapter a static address, or let its host choose",
        Kind.VM,
        _set_mac,
        why_not=_no_mac,
        form=(
            NIC,
            Field(
                "static",
                "Static",
                "Keep the address written below; otherwise the host gives one",
                bool,
                current=_is_static,
                problem=_static_problem,
            ),
            Field(
                "mac",
                "MAC address",
                "Twelve hex digits, such as 00-15-5D-01-02-03",
                amounts.mac,
                current=_mac_now,
                problem=_new_mac_problem,
                shown=amounts.shown_mac,
                when=lambda values: bool(values.get("static")),
            ),
        ),
        conflict=_mac_conflict,
        observed=_mac_seen,
        effect="The adapter has another address from the next start on",
        calls=f"{_SERVICE}.ModifyResourceSettings(Address, StaticMacAddress)",
        many=False,
        part=Part.NIC,
        needs_sheet=True,
        group=_GROUP,
    ),
)

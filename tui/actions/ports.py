"""Features of the port a network adapter is plugged into: VLAN, bandwidth, guards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from tui.actions import amounts
from tui.actions.common import adapter_of, between, given, in_sheet, nic_of, there
from tui.actions.declare import Action, Choice, Field, Kind, Part, Target
from tui.actions.nics import NIC, adapter_meant, has_nics, nic_choices, nic_meant
from tui.hyperv.model import Vlan, VlanMode
from tui.hyperv.ops import nics

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

_GROUP = "Network adapters"
_LAST_VLAN = 4094
_OCTET = 8

# -- which ---------------------------------------------------------------------------------


def _plug_problem(target: Target, value: Any) -> str | None:
    """Features hang on the port, which an adapter has once it has been connected."""
    if (why := there(nic_choices, "adapter")(target, value)) is not None:
        return why
    adapter = next(
        (a for a in (target.sheet.adapters if target.sheet else ()) if a.id == value), None
    )
    if adapter is not None and not adapter.connection:
        return f"{adapter.name} has never been connected: connect it first"
    return None


PLUGGED = replace(NIC, problem=_plug_problem)

# -- VLAN ----------------------------------------------------------------------------------

_MODES = (
    Choice(0, "untagged"),
    Choice(1, "access", "one VLAN"),
    Choice(2, "trunk", "several VLANs, tagged"),
    Choice(3, "private", "primary and secondary VLAN"),
)
_PRIVATE = (Choice(1, "isolated"), Choice(2, "community"), Choice(3, "promiscuous"))
_PROMISCUOUS = 3


def _vlan(target: Target) -> Vlan:
    adapter = adapter_of(target)
    if adapter is not None:
        return adapter.vlan
    nic = nic_of(target)
    return nic.vlan if nic else Vlan()


def _vlan_now(name: str) -> Callable[[Target], Any]:
    return lambda target: getattr(_vlan(target), name) or None


def _vlan_problem(target: Target, value: Any) -> str | None:
    return None if 1 <= value <= _LAST_VLAN else f"a VLAN is a number from 1 to {_LAST_VLAN}"


def _native_problem(target: Target, value: Any) -> str | None:
    if 0 <= value <= _LAST_VLAN:
        return None
    return f"a VLAN is a number from 1 to {_LAST_VLAN}, or 0 for none"


def _vlans_problem(target: Target, value: Any) -> str | None:
    return next(filter(None, (_vlan_problem(target, one) for one in value)), None)


def _mode(values: Mapping[str, Any]) -> int:
    return int(values.get("mode") or 0)


def _wanted_vlan(arguments: Mapping[str, Any]) -> Vlan:
    mode = VlanMode(_mode(arguments))
    first, several = int(arguments.get("vlan") or 0), tuple(arguments.get("vlans") or ())
    match mode:
        case VlanMode.UNTAGGED:
            return Vlan()
        case VlanMode.ACCESS:
            return Vlan(mode, first)
        case VlanMode.TRUNK:
            return Vlan(mode, int(arguments.get("native") or 0), trunk=several)
        case _:
            kind = int(arguments.get("kind") or 1)
            if kind == _PROMISCUOUS:
                return Vlan(mode, first, trunk=several, private=kind)
            second = int(arguments.get("secondary") or 0)
            return Vlan(mode, first, secondary=second, private=kind)


def _vlan_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    wanted = _wanted_vlan(arguments)
    several = wanted.mode is VlanMode.TRUNK or wanted.private == _PROMISCUOUS
    if wanted.mode in (VlanMode.ACCESS, VlanMode.PRIVATE) and not wanted.id:
        return f"mode {wanted.mode.name.lower()} needs a VLAN"
    if several and not wanted.trunk:
        return "which VLANs? Write them like 10,20,30-33"
    if wanted.mode is not VlanMode.PRIVATE:
        return None
    if not several and not wanted.secondary:
        return "a private VLAN needs a secondary VLAN"
    if wanted.id in (wanted.secondary, *wanted.trunk):
        return "the secondary VLAN cannot be the primary one"
    return None


def _set_vlan(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    nic = adapter_meant(target, arguments)
    return nics.set_vlan(client, target.name, nic, _wanted_vlan(arguments))


def _vlan_seen(target: Target, arguments: Mapping[str, Any]) -> bool:
    nic = nic_meant(target, arguments)
    return nic is not None and _sorted(nic.vlan) == _sorted(_wanted_vlan(arguments))


def _sorted(vlan: Vlan) -> Vlan:
    """Hosts need not keep the order of a list."""
    return msgspec.structs.replace(vlan, trunk=tuple(sorted(vlan.trunk)))


_VLAN_FORM = (
    PLUGGED,
    Field(
        "mode",
        "Mode",
        "How its frames are tagged",
        amounts.integer,
        current=lambda target: int(_vlan(target).mode),
        choices=lambda target: _MODES,
    ),
    Field(
        "kind",
        "Private as",
        "Isolated: alone; community: with those of the same secondary VLAN; promiscuous: with all",
        amounts.integer,
        current=lambda target: _vlan(target).private or 1,
        choices=lambda target: _PRIVATE,
        when=lambda values: _mode(values) == VlanMode.PRIVATE,
    ),
    Field(
        "vlan",
        "VLAN",
        "1 to 4094; the primary one when private",
        amounts.integer,
        current=_vlan_now("id"),
        problem=_vlan_problem,
        when=lambda values: _mode(values) in (VlanMode.ACCESS, VlanMode.PRIVATE),
    ),
    Field(
        "secondary",
        "Secondary VLAN",
        "1 to 4094",
        amounts.integer,
        current=_vlan_now("secondary"),
        problem=_vlan_problem,
        when=lambda values: (
            _mode(values) == VlanMode.PRIVATE and values.get("kind") != _PROMISCUOUS
        ),
    ),
    Field(
        "native",
        "Native VLAN",
        "Where untagged frames go, 0 for none",
        amounts.integer,
        current=lambda target: _vlan(target).id,
        problem=_native_problem,
        when=lambda values: _mode(values) == VlanMode.TRUNK,
    ),
    Field(
        "vlans",
        "VLANs",
        "Numbers and ranges, such as 10,20,30-33",
        amounts.numbers,
        current=_vlan_now("trunk"),
        problem=_vlans_problem,
        shown=amounts.shown_list,
        when=lambda values: (
            _mode(values) == VlanMode.TRUNK
            or (_mode(values) == VlanMode.PRIVATE and values.get("kind") == _PROMISCUOUS)
        ),
    ),
)

# -- bandwidth, guards ---------------------------------------------------------------------


def _of_adapter(name: str, otherwise: Any) -> Callable[[Target], Any]:
    def now(target: Target) -> Any:
        adapter = adapter_of(target)
        return getattr(adapter, name) if adapter is not None else otherwise

    return now


def _rate_problem(target: Target, value: Any) -> str | None:
    return None if value >= 0 else "not below 0"


def _bandwidth_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    least, most = arguments.get("minimum") or 0, arguments.get("maximum") or 0
    if least and arguments.get("weight"):
        return "either a minimum or a weight, as its switch reserves bandwidth"
    if 0 < most < least:
        return "the minimum is above the maximum"
    return None


def _set_bandwidth(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    nic = adapter_meant(target, arguments)
    return nics.set_bandwidth(
        client, target.name, nic,
        limit=given(arguments, "maximum", nic.bandwidth_limit),
        reservation=given(arguments, "minimum", nic.bandwidth_reservation),
        weight=given(arguments, "weight", nic.bandwidth_weight),
    )  # fmt: skip


def _bandwidth_seen(target: Target, before: Target, arguments: Mapping[str, Any]) -> bool:
    nic = adapter_meant(target, arguments)
    pairs = (
        (nic.bandwidth_limit, arguments.get("maximum")),
        (nic.bandwidth_reservation, arguments.get("minimum")),
        (nic.bandwidth_weight, arguments.get("weight")),
    )
    # Hosts count in bytes: what is no multiple of eight comes back rounded.
    return all(abs(now - wanted) < _OCTET for now, wanted in pairs if wanted is not None)


def _guards_seen(target: Target, before: Target, arguments: Mapping[str, Any]) -> bool:
    nic = adapter_meant(target, arguments)
    names = ("mac_spoofing", "dhcp_guard", "router_guard")
    return all(getattr(nic, name) is given(arguments, name, False) for name in names)


def _set_guards(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    nic = adapter_meant(target, arguments)
    return nics.set_guards(
        client, target.name, nic,
        spoofing=given(arguments, "mac_spoofing", nic.mac_spoofing),
        dhcp=given(arguments, "dhcp_guard", nic.dhcp_guard),
        router=given(arguments, "router_guard", nic.router_guard),
    )  # fmt: skip


_BANDWIDTH_FORM = (
    PLUGGED,
    Field(
        "minimum",
        "Minimum",
        "Bits per second kept for it, such as 100M; 0 for none",
        amounts.rate,
        current=_of_adapter("bandwidth_reservation", 0),
        problem=_rate_problem,
        shown=amounts.shown_rate,
    ),
    Field(
        "maximum",
        "Maximum",
        "Bits per second it may use, such as 1G; 0 for no limit",
        amounts.rate,
        current=_of_adapter("bandwidth_limit", 0),
        problem=_rate_problem,
        shown=amounts.shown_rate,
    ),
    Field(
        "weight",
        "Weight",
        "Its share where the switch reserves by weight, 0 to 100",
        amounts.integer,
        current=_of_adapter("bandwidth_weight", 0),
        problem=between(0, 100, _of_adapter("bandwidth_weight", 0)),
    ),
)
_GUARDS_FORM = (
    PLUGGED,
    Field(
        "mac_spoofing",
        "MAC spoofing",
        "Let it send from other addresses, as nested virtualization needs",
        bool,
        current=_of_adapter("mac_spoofing", False),
    ),
    Field(
        "dhcp_guard",
        "DHCP guard",
        "Drop what it offers as a DHCP server",
        bool,
        current=_of_adapter("dhcp_guard", False),
    ),
    Field(
        "router_guard",
        "Router guard",
        "Drop what it announces as a router",
        bool,
        current=_of_adapter("router_guard", False),
    ),
)

# -- the table -----------------------------------------------------------------------------

_SERVICE = "Msvm_VirtualSystemManagementService"

ACTIONS: tuple[Action, ...] = (
    Action(
        "nic.set-vlan",
        "VLAN",
        "Set how a network adapter is tagged: not at all, access, trunk or private",
        Kind.VM,
        _set_vlan,
        why_not=has_nics,
        form=_VLAN_FORM,
        conflict=_vlan_conflict,
        observed=_vlan_seen,
        effect="The adapter is in another VLAN from now on",
        calls=f"{_SERVICE}.ModifyFeatureSettings(Msvm_EthernetSwitchPortVlanSettingData)",
        many=False,
        part=Part.NIC,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "nic.set-bandwidth",
        "Bandwidth",
        "Set what a network adapter may use at most and gets at least",
        Kind.VM,
        _set_bandwidth,
        why_not=has_nics,
        form=_BANDWIDTH_FORM,
        conflict=_bandwidth_conflict,
        looked=in_sheet(_bandwidth_seen),
        effect="The switch meters this adapter from now on",
        calls=f"{_SERVICE}.ModifyFeatureSettings(Msvm_EthernetSwitchPortBandwidthSettingData)",
        many=False,
        part=Part.NIC,
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "nic.set-guards",
        "Guards",
        "Set MAC spoofing, DHCP guard and router guard of a network adapter",
        Kind.VM,
        _set_guards,
        why_not=has_nics,
        form=_GUARDS_FORM,
        looked=in_sheet(_guards_seen),
        effect="The switch lets through or drops what the guards are about",
        calls=f"{_SERVICE}.ModifyFeatureSettings(Msvm_EthernetSwitchPortSecuritySettingData)",
        many=False,
        part=Part.NIC,
        needs_sheet=True,
        group=_GROUP,
    ),
)

"""What can be done to virtual switches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import names, places
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.hyperv import clean
from tui.hyperv.model import Switch, SwitchKind, Uplink
from tui.hyperv.ops import switches
from tui.hyperv.ops.switches import NewSwitch

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]

MEMBERS = 8
_NONE = ""
_MODES = {"default": 0, "weight": 1, "absolute": 2, "none": 3}
_GROUP = "Network"

# -- what is there -------------------------------------------------------------------------


def _known(target: Target) -> tuple[Switch, ...]:
    inventory = places.around(target)
    return tuple(inventory.switches.values()) if inventory is not None else ()


def _name_problem(target: Target, value: Any) -> str | None:
    if (why := names.problem(str(value))) is not None:
        return why
    wanted = clean.text(str(value)).casefold()
    own = target.switch.id if target.switch else ""
    if target.switch is not None and str(value) == target.switch.name:
        return "that is its name already"
    if any(s.name.casefold() == wanted and s.id != own for s in _known(target)):
        return f"{target.host.id} has a switch of that name already"
    return None


def _uplink_note(uplink: Uplink) -> str:
    speed = f"{uplink.speed // 1_000_000} Mbit/s" if uplink.speed else "speed unknown"
    return speed if uplink.connected else f"{speed}, no link"


def _free_uplinks(target: Target) -> tuple[Uplink, ...]:
    return tuple(uplink for uplink in target.host.uplinks if not uplink.bound)


def _uplink_choices(target: Target) -> Sequence[Choice]:
    return tuple(Choice(u.id, u.name, _uplink_note(u)) for u in _free_uplinks(target))


def _first_uplink(target: Target) -> str | None:
    free = _free_uplinks(target)
    return free[0].id if free else None


def _uplink_named(target: Target, word: str) -> Uplink | None:
    wanted = word.casefold()
    return next((u for u in target.host.uplinks if wanted in (u.id.casefold(), u.name.casefold())),
                None)  # fmt: skip


def _is_external(values: Values) -> bool:
    return values.get("kind") == "external"


# -- create --------------------------------------------------------------------------------


def words_of(text: str) -> tuple[str, ...]:
    """Names apart by semicolons: those of adapters hold commas and brackets."""
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(";")))))


def _team_problem(target: Target, value: Any) -> str | None:
    for word in value:
        uplink = _uplink_named(target, str(word))
        if uplink is None:
            free = ", ".join(u.name for u in _free_uplinks(target)) or "none"
            return f"{target.host.id} has no adapter {word}; free are: {free}"
        if uplink.bound:
            return f"another virtual switch has {uplink.name}"
    return None


def _members(target: Target, values: Values) -> tuple[str, ...]:
    """DeviceIDs: the uplink and the other members of its team."""
    if not _is_external(values):
        return ()
    found = [_uplink_named(target, str(word)) for word in values.get("team") or ()]
    first = values.get("uplink")
    ids = [str(first)] if first else []
    return tuple(dict.fromkeys((*ids, *(uplink.id for uplink in found if uplink))))


def _create_conflict(target: Target, values: Values) -> str | None:
    if not _is_external(values):
        return None
    members = _members(target, values)
    if not members:
        return "an external switch needs a physical adapter, and none is free"
    taken = next((u for u in target.host.uplinks if u.id in members and u.bound), None)
    if taken is not None:
        return f"another virtual switch has {taken.name}"
    if len(members) > MEMBERS:
        return f"a team has at most {MEMBERS} adapters"
    if values.get("iov") and values.get("bandwidth") not in (None, "default", "none"):
        return "a switch for SR-IOV reserves no bandwidth: choose default or none"
    return None


def _create(client: CimClient, target: Target, values: Values) -> Outcome:
    kind, members = values["kind"], _members(target, values)
    external = kind == "external"
    new = NewSwitch(
        str(values["name"]),
        members,
        kind == "internal" or (external and bool(values.get("shared"))),
        external and bool(values.get("team")),
        external and bool(values.get("iov")),
        _MODES[str(values.get("bandwidth") or "default")],
        str(values.get("notes") or ""),
    )
    return switches.create(client, places.place(target), new)


def _listed(target: Target, values: Values) -> bool:
    wanted = clean.text(str(values["name"]))
    return any(switch.name == wanted for switch in _known(target))


# -- those that are there ------------------------------------------------------------------


def _windows_own(target: Target) -> str | None:
    if target.switch is not None and target.switch.kind is SwitchKind.NAT:
        return f"{target.name} belongs to Windows and stays as it is"
    return None


def _rename(client: CimClient, target: Target, values: Values) -> Outcome:
    assert target.switch is not None
    return switches.rename(client, target.switch.guid, target.name, str(values["name"]))


def _renamed(target: Target, values: Values) -> bool:
    return target.switch is not None and target.switch.name == clean.text(str(values["name"]))


def _uplink_now(target: Target) -> str:
    """DeviceID of its uplink; empty without one."""
    known = target.switch.uplinks if target.switch else ()
    uplink = _uplink_named(target, known[0]) if known else None
    return uplink.id if uplink else _NONE


def _set_choices(target: Target) -> Sequence[Choice]:
    now = _uplink_now(target)
    present = [Choice(u.id, u.name, "as it is") for u in target.host.uplinks if u.id == now]
    return (*present, *_uplink_choices(target), Choice(_NONE, "none", "internal or private"))


def _changes(target: Target, values: Values) -> dict[str, Any]:
    """What is different from now."""
    found: dict[str, Any] = {}
    uplink = values.get("uplink")
    if uplink is not None and uplink != _uplink_now(target):
        found["uplink"] = str(uplink)
    shared = values.get("shared")
    if shared is not None and target.switch is not None and shared != target.switch.shared:
        found["shared"] = bool(shared)
    return found


def _set_conflict(target: Target, values: Values) -> str | None:
    changes = _changes(target, values)
    if not changes:
        return "it is so already"
    if "uplink" in changes and target.switch is not None and target.switch.teaming:
        return "its uplink is a team, which is chosen when the switch is made"
    return None


def _set(client: CimClient, target: Target, values: Values) -> Steps:
    assert target.switch is not None
    place, guid = places.place(target), target.switch.guid
    return switches.change(client, place, guid, target.name, **_changes(target, values))


def _is_set(target: Target, values: Values) -> bool:
    return not _changes(target, values)


def _set_consequences(target: Target, values: Values) -> tuple[str, ...]:
    changes = _changes(target, values)
    lines = [f"{name} loses contact while it changes" for name in _connected(target)]
    if changes.get("shared") is False:
        lines.insert(0, "the host itself loses its adapter on this switch, and with it contact "
                        "if hvdeck reaches it there")  # fmt: skip
    return tuple(lines)


def _connected(target: Target) -> tuple[str, ...]:
    """Names of the machines on it."""
    inventory = places.around(target)
    if target.switch is None or inventory is None:
        return ()
    return tuple(inventory.vms[vm].name for vm in target.switch.vms if vm in inventory.vms)


def _delete_consequences(target: Target, values: Values) -> tuple[str, ...]:
    lines = [f"{name} loses its network" for name in _connected(target)]
    if target.switch is not None and target.switch.shared:
        lines.append("the host itself loses its adapter on this switch")
    return tuple(lines)


def _delete_danger(target: Target, values: Values) -> Risk:
    return Risk.RED if target.switch is not None and target.switch.vms else Risk.AMBER


def _delete_conflict(target: Target, values: Values) -> str | None:
    users = _connected(target)
    if users and not values.get("in_use"):
        return f"in use by {', '.join(users)}: say that it may go all the same"
    return None


def _delete(client: CimClient, target: Target, values: Values) -> Outcome:
    assert target.switch is not None
    return switches.delete(client, target.switch.guid, target.name)


# -- the table -----------------------------------------------------------------------------

_SERVICE = "Msvm_VirtualEthernetSwitchManagementService"
_SHARED_HELP = "The management operating system has an adapter on it"

ACTIONS: tuple[Action, ...] = (
    Action(
        "switch.create",
        "Create switch",
        "Make a virtual switch on the host",
        Kind.HOST,
        _create,
        observed=_listed,
        form=(
            Field("name", "Name", "As machines are connected by it", problem=_name_problem),
            Field(
                "kind",
                "Kind",
                "External reaches the wire, internal the host, private only machines",
                choices=lambda target: (
                    Choice("external", "external"),
                    Choice("internal", "internal"),
                    Choice("private", "private"),
                ),
                current=lambda target: "external" if _free_uplinks(target) else "internal",
            ),
            Field(
                "uplink",
                "Uplink",
                "The physical adapter; only those no other switch has",
                choices=_uplink_choices,
                current=_first_uplink,
                optional=True,
                when=_is_external,
            ),
            Field(
                "team",
                "Team with",
                "Further adapters for an embedded team (SET), apart by semicolons",
                words_of,
                optional=True,
                problem=_team_problem,
                shown="; ".join,
                when=_is_external,
            ),
            Field(
                "shared",
                "Share with host",
                _SHARED_HELP,
                bool,
                current=lambda target: True,
                when=_is_external,
            ),
            Field(
                "iov",
                "SR-IOV",
                "Adapters can pass by the switch; cannot be changed later",
                bool,
                current=lambda target: False,
                when=_is_external,
            ),
            Field(
                "bandwidth",
                "Bandwidth",
                "How minimum bandwidth is given; cannot be changed later",
                choices=lambda target: tuple(Choice(mode, mode) for mode in _MODES),
                current=lambda target: "default",
            ),
        ),
        conflict=_create_conflict,
        risk=Risk.AMBER,
        effect="An adapter that becomes an uplink loses contact for some seconds",
        calls=f"{_SERVICE}.DefineSystem",
        many=False,
        group=_GROUP,
    ),
    Action(
        "switch.rename",
        "Rename switch",
        "Give the switch another name",
        Kind.SWITCH,
        _rename,
        why_not=_windows_own,
        observed=_renamed,
        form=(
            Field(
                "name",
                "New name",
                "Live migration looks for switches of the same name on the other host",
                current=lambda target: target.name,
                problem=_name_problem,
            ),
        ),
        effect="Machines stay connected",
        calls=f"{_SERVICE}.ModifySystemSettings(ElementName)",
        many=False,
        group=_GROUP,
    ),
    Action(
        "switch.set",
        "Change switch",
        "Choose its uplink and whether the host shares it",
        Kind.SWITCH,
        _set,
        why_not=_windows_own,
        observed=_is_set,
        form=(
            Field(
                "uplink",
                "Uplink",
                "The physical adapter, or none",
                choices=_set_choices,
                current=_uplink_now,
            ),
            Field(
                "shared",
                "Share with host",
                _SHARED_HELP,
                bool,
                current=lambda target: target.switch.shared if target.switch else False,
            ),
        ),
        conflict=_set_conflict,
        consequences=_set_consequences,
        risk=Risk.AMBER,
        effect="Machines on it lose contact for a moment",
        calls=f"{_SERVICE}.ModifyResourceSettings, AddResourceSettings, RemoveResourceSettings",
        many=False,
        group=_GROUP,
    ),
    Action(
        "switch.delete",
        "Delete switch",
        "Take the switch away; adapters on it stay, without a connection",
        Kind.SWITCH,
        _delete,
        why_not=_windows_own,
        vanishes=True,
        form=(
            Field(
                "in_use",
                "Although in use",
                "Also when machines are connected to it",
                bool,
                current=lambda target: False,
            ),
        ),
        conflict=_delete_conflict,
        consequences=_delete_consequences,
        danger=_delete_danger,
        risk=Risk.AMBER,
        effect="What is connected to it loses its network",
        calls=f"{_SERVICE}.DestroySystem",
        many=False,
        group=_GROUP,
    ),
)

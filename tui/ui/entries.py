"""What palette, menu, help and jump offer: every action and every thing, as lines to choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tui.actions import ACTIONS, Action, Kind, Risk, Target
from tui.actions.panekeys import PANE_KEYS
from tui.rows import text
from tui.rows.clustering import node_state, role_state, volume_state
from tui.store import HostRow, NodeRow, RoleRow, Store, SwitchRow, VmRow, VolumeRow
from tui.ui.finder import Entry, matching, score
from tui.ui.hints import Keyed
from tui.ui.operate import Operator, Pairs

ACT, GO, KEY = "act:", "go:", "key:"
_TONES = {Risk.GREEN: "", Risk.AMBER: "warning", Risk.RED: "error"}
_HEADINGS = {Kind.VM: "virtual machines", Kind.HOST: "hosts", Kind.JOB: "jobs",
             Kind.SWITCH: "networks", Kind.APP: "", Kind.ROLE: "roles", Kind.NODE: "nodes",
             Kind.CSV: "shared volumes", Kind.REPLICA: ""}  # fmt: skip
MOVING = (
    ("j k, arrows", "Up and down"),
    ("g G, Home End", "First and last row"),
    ("PgUp PgDn, ctrl+u ctrl+d", "By a page, by half a page"),
    ("esc", "Back, one step at a time; never quits"),
    ("click, double click", "Select, open; shift+drag selects text"),
)


def action_entries(
    operator: Operator, label: Callable[[Action], str], *, here: bool = False, full: bool = False
) -> list[Entry]:
    """Actions as lines. ``here``: only those for what is selected; ``full``: all, with help."""
    entries = []
    subjects = operator.glance(anywhere=not here)
    for action in ACTIONS:
        if action.kind is Kind.APP and here:
            continue
        pairs = subjects(action)
        if here and not pairs:
            continue
        entries.append(_entry(action, operator, label(action), pairs, full=full))
    return entries


def _entry(action: Action, operator: Operator, key: str, pairs: Pairs, *, full: bool) -> Entry:
    title, why = action.title, ""
    if action.kind is not Kind.APP:
        title = operator.headline(action, pairs)
        why = operator.obstacle(action, pairs)
    risk = "" if action.risk is Risk.GREEN else f"[{action.risk}] "
    return Entry(
        ACT + action.id,
        action.title if full else title,
        risk + action.help,
        key=key,
        tone=_TONES[action.risk],
        group=" ".join(filter(None, (action.group, _HEADINGS[action.kind]))),
        why_not="" if full else why,
        words=f"{action.id} {action.id.replace('-', ' ')}",
    )


def offered(
    operator: Operator, actions: Sequence[Action], target: Target, label: Callable[[Action], str]
) -> list[Entry]:
    """Actions on one target as lines, those that cannot be done now last."""
    entries = [
        Entry(
            ACT + action.id,
            action.title,
            ("" if action.risk is Risk.GREEN else f"[{action.risk}] ") + action.help,
            key=label(action),
            tone=_TONES[action.risk],
            group=action.group,
            why_not=operator.why_not(action, target) or "",
            words=f"{action.id} {action.id.replace('-', ' ')}",
        )
        for action in actions
    ]
    return sorted(entries, key=lambda entry: bool(entry.why_not))


def help_entries(operator: Operator, label: Callable[[Keyed], str]) -> list[Entry]:
    """Every action by group, the keys of single panes, then how to move."""
    entries = action_entries(operator, label, full=True)
    entries += [
        Entry(KEY + key.id, key.title, key.help, key=label(key), group=f"In {key.pane}")
        for key in PANE_KEYS
    ]
    entries += [Entry(f"move:{keys}", title, keys, group="Moving about") for keys, title in MOVING]
    return entries


def things(store: Store) -> Iterator[Entry]:
    """Every host, machine, switch, and what clusters are made of."""
    for host in store.host_rows.values():
        state = text.host_state(host.vitals)
        words = f"{host.host.name} {host.host.cluster}"
        yield Entry(GO + host.key, host.host.id, f"host   {state}", group="Hosts", words=words)
    for vm in store.vms.values():
        state = text.vm_shown(vm.vitals)
        words = " ".join((*text.addresses(vm.vm.nics), vm.vm.guest_name, vm.vm.id))
        yield Entry(GO + vm.key, vm.name, f"VM on {vm.host.id}   {state}", group="VMs", words=words)
    for switch in store.switches.values():
        note = f"switch on {switch.host.id}   {switch.switch.kind.value}"
        yield Entry(GO + switch.key, switch.name, note, group="Switches")
    for node in store.clusters.nodes.values():
        note = f"node of {node.cluster.name}   {node_state(node)}"
        yield Entry(GO + node.key, node.name, note, group="Clusters")
    for volume in store.clusters.volumes.values():
        note = f"shared volume of {volume.cluster.name}   {volume_state(volume)}"
        yield Entry(GO + volume.key, volume.label, note, group="Clusters", words=volume.name)
    for role in store.clusters.roles.values():
        if role.machine is None:  # a machine is found as such
            note = f"role of {role.cluster.name}   {role_state(role)}"
            yield Entry(GO + role.key, role.name, note, group="Clusters")


def searching(
    store: Store, actions: Sequence[Entry], *, goods: bool = True
) -> Callable[[str], list[Entry]]:
    """Lines for what is typed: actions first, then things; nothing typed, actions alone."""

    def find(query: str) -> list[Entry]:
        found = matching(query, actions)
        if not goods or (actions and not query.strip()):
            return found
        places = matching(query, list(things(store)))
        if not query.strip():
            return places
        best = max((score(query, entry) for entry in found if not entry.why_not), default=0)
        top = score(query, places[0]) if places else 0
        return (places + found) if top > best else (found + places)

    return find


_KINDS: tuple[tuple[type, Kind], ...] = (
    (VmRow, Kind.VM), (HostRow, Kind.HOST), (SwitchRow, Kind.SWITCH),
    (RoleRow, Kind.ROLE), (NodeRow, Kind.NODE), (VolumeRow, Kind.CSV),
)  # fmt: skip


def kind_of(row: object) -> Kind | None:
    """The kind of a row one can go to."""
    return next((kind for sort, kind in _KINDS if isinstance(row, sort)), None)

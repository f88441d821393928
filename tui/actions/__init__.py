"""Every action, declared once. Keys, palette, help, forms, confirmations, CLI and README follow.

Knows verbs (``hyperv.ops``) and nouns (``hyperv.model``); knows no screen, no pipe, no store.
"""

from __future__ import annotations

from tui.actions import (
    checkpoints,
    deck,
    disks,
    dvd,
    exports,
    failover,
    hosts,
    integration,
    lifecycle,
    moving,
    nics,
    nodes,
    policy,
    ports,
    replicas,
    role_moves,
    roles,
    settings,
    switches,
    vm,
    volumes,
)
from tui.actions.declare import Action, Field, Kind, Risk, Target
from tui.hyperv.model import Link

__all__ = [
    "ACTIONS",
    "CLUSTERED",
    "Action",
    "Field",
    "Kind",
    "Risk",
    "Target",
    "by_id",
    "for_kind",
    "key_label",
    "keys",
    "why_not",
]

ACTIONS: tuple[Action, ...] = (
    *vm.ACTIONS,
    *lifecycle.ACTIONS,
    *exports.ACTIONS,
    *moving.ACTIONS,
    *settings.ACTIONS,
    *policy.ACTIONS,
    *disks.ACTIONS,
    *dvd.ACTIONS,
    *nics.ACTIONS,
    *ports.ACTIONS,
    *checkpoints.ACTIONS,
    *integration.ACTIONS,
    *switches.ACTIONS,
    *hosts.ACTIONS,
    *role_moves.ACTIONS,
    *roles.ACTIONS,
    *nodes.ACTIONS,
    *volumes.ACTIONS,
    *replicas.ACTIONS,
    *failover.ACTIONS,
    *deck.ACTIONS,
)

_BY_ID = {action.id: action for action in ACTIONS}
_THINGS = {
    Kind.VM: "virtual machines",
    Kind.HOST: "hosts",
    Kind.SWITCH: "virtual switches",
    Kind.JOB: "jobs",
    Kind.ROLE: "roles",
    Kind.NODE: "nodes",
    Kind.CSV: "cluster shared volumes",
    Kind.REPLICA: "replication relationships",
    Kind.APP: "the deck",
}
CLUSTERED = (Kind.ROLE, Kind.NODE, Kind.CSV)
"""Kinds of things that a cluster tells of, not a host."""
_STALE = 30.0
"""Seconds without an answer after which we no longer act on what we believe, at least."""
_STALE_TICKS = 8
_KEY_LABELS = {"comma": ",", "escape": "esc"}


def by_id(action_id: str) -> Action | None:
    """The action of that id; None when there is none."""
    return _BY_ID.get(action_id)


def for_kind(kind: Kind) -> tuple[Action, ...]:
    """Every action on one kind of thing, in the order of the table."""
    return tuple(action for action in ACTIONS if action.kind is kind)


def keys(action: Action) -> tuple[str, ...]:
    """Its default keys, one by one, as Textual's bindings spell them."""
    return tuple(key.strip() for key in action.key.split(",") if key.strip())


def key_label(key: str) -> str:
    """A key as people read it."""
    return _KEY_LABELS.get(key, key)


def why_not(
    action: Action, target: Target | None, *, read_only: bool = False, now: float | None = None
) -> str | None:
    """Why ``action`` cannot be done on ``target`` now, in words; None when it can.

    ``read_only`` is the deck's own switch; a host's is in the target. With ``now`` given, data
    that is too old to act on counts as a reason too.
    """
    if action.kind is Kind.APP:
        return None
    if target is None:
        return f"{action.title} needs one of the {_THINGS[action.kind]} selected"
    if target.kind is not action.kind:
        return f"{action.title} is for {_THINGS[action.kind]}, not for {_THINGS[target.kind]}"
    if action.changes:
        reason = _not_writable(target, read_only) or _not_reachable(target, now)
        if reason is not None:
            return reason
    return action.why_not(target) if action.why_not else None


def _not_writable(target: Target, read_only: bool) -> str | None:
    if read_only:
        return "hvdeck is read-only now"
    if target.host.read_only:
        return f"{target.host.id} is configured read-only"
    if target.guarded and target.kind in CLUSTERED:
        return f"{target.guarded}, a node of {target.host.cluster}, is configured read-only"
    return None


def _not_reachable(target: Target, now: float | None) -> str | None:
    vitals = target.host_vitals
    if vitals.link is Link.DOWN:
        cause = f": {vitals.trouble.title}" if vitals.trouble else ""
        return f"{target.host.id} is lost{cause}"
    if vitals.link is Link.CONNECTING:
        return f"{target.host.id} is not connected yet"
    if now is None:
        return None
    age = now - vitals.read_at
    if age > max(_STALE, _STALE_TICKS * vitals.interval):
        return f"what is known of {target.host.id} is {int(age)} seconds old"
    return None

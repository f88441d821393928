"""What verbs on roles share: how a role stands, and whether anything is under way with it."""

from __future__ import annotations

from tui.actions.declare import Target
from tui.hyperv.cluster import FAILED, MACHINE_ROLE, OFFLINE, ONLINE, PARTIAL, PENDING, Role

AS_SET = "as set"
"""Stands for what the role itself says."""
STATES = {ONLINE: "online", OFFLINE: "offline", FAILED: "failed", PARTIAL: "partly online",
          PENDING: "on its way"}  # fmt: skip


def role_of(target: Target) -> Role:
    """The role; one of which nothing is known where it is gone."""
    return target.role or Role(target.name, 0, -1, "")


def runs(target: Target) -> bool:
    return role_of(target).state in (ONLINE, PARTIAL)


def is_machine(target: Target) -> bool:
    return role_of(target).type == MACHINE_ROLE


def busy(target: Target) -> str | None:
    role = role_of(target)
    if target.role is None:
        return f"{target.name} is not in the cluster any more"
    if role.queued:
        return f"{role.name} waits for its turn to be moved"
    return f"{role.name} is on its way to another state or node" if role.busy else None


def settled(target: Target) -> bool:
    return target.role is not None and not target.role.busy


def part_of_cluster(target: Target) -> str | None:
    return f"{target.name} is part of the cluster itself" if role_of(target).core else None


def under_way(target: Target, before: Target) -> int | None:
    role = role_of(target)
    return (role.percent or 0) if role.busy else None


def owner(target: Target) -> str:
    """Name of the node that has it."""
    return role_of(target).owner

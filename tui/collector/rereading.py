"""A last look at a thing before it is acted upon: it must be as the screen showed it."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tui.actions import Kind, Target
from tui.collector.messages import Call
from tui.errors import Fault, Refused
from tui.hyperv import clusters, meanings, ops
from tui.hyperv.ops import clustering, replication
from tui.hyperv.replica import word
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.client import CimClient
from tui.wsman.values import EnabledState, name_of


def reread(client: CimClient, call: Call, target: Target) -> Target:
    """The target as the host has it this instant. Raises Refused when it changed since."""
    if target.kind is Kind.REPLICA and target.replica is not None:
        state = replication.read_state(client, target.replica)
        if call.seen_state is not None and state != call.seen_state:
            raise _changed(target, word(state), f"that it is {word(call.seen_state)}")
        return replace(target, replica=msgspec.structs.replace(target.replica, state=state))
    if target.kind is not Kind.VM or target.vitals is None:
        return _of_cluster(client, target)
    state = ops.read_state(client, target.id)
    if call.seen_state is not None and state != call.seen_state:
        seen = name_of(EnabledState, call.seen_state)
        raise _changed(target, name_of(EnabledState, state), seen)
    return replace(target, vitals=msgspec.structs.replace(target.vitals, state=state))


def _changed(target: Target, now: str, seen: str) -> Refused:
    return Refused(
        f"{target.name} has changed: it is {now} now",
        cause=f"the screen showed {seen}",
        hint="look again and repeat",
    )


# -- things of a cluster -------------------------------------------------------------------


def _of_cluster(client: CimClient, target: Target) -> Target:
    """A role, node or shared volume as its cluster tells of it now; other things as they are."""
    if target.kind is Kind.ROLE and target.role is not None:
        row = _read(client, clustering.role_ref(target.name), target.name)
        return replace(target, role=clusters.role_now(target.role, row))
    if target.kind is Kind.NODE:
        row = _read(client, clustering.node_ref(target.name), target.name)
        return replace(target, node=clusters.node_now(row))
    if target.kind is Kind.CSV and target.volume is not None:
        row = _read(client, clustering.volume_ref(target.name), target.name)
        return replace(target, volume=clusters.volume_now(target.volume, row))
    return target


def _read(client: CimClient, ref: CimRef, name: str) -> CimInstance:
    try:
        return client.get(ref)
    except Fault as fault:
        if not meanings.is_gone(fault):
            raise
        raise Refused(
            f"{name} is not in the cluster any more",
            hint="it was removed or renamed; look again and repeat",
            code=fault.code,
        ) from fault

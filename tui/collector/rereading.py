"""A last look at a thing before it is acted upon: it must be as the screen showed it."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tui.actions import Kind, Target
from tui.collector.messages import Call
from tui.errors import Refused
from tui.hyperv import ops
from tui.hyperv.ops import replication
from tui.hyperv.replica import word
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
        return target
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

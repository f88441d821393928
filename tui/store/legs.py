"""From a plan to its calls: each step as the action that takes it, checked when it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tui.actions import Action, Target, by_id, why_not
from tui.collector.messages import Call, CallUpdate
from tui.hyperv.cluster import DOWN, ISOLATED, PAUSED
from tui.hyperv.model import Link
from tui.hyperv.plans import draining
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans.fleet import Fleet
from tui.hyperv.plans.step import COPIES, Step
from tui.hyperv.preflight import Move
from tui.store.clusters import node_key, role_key
from tui.store.queue import ARRIVAL, Leg, Queue
from tui.store.rows import VmRow
from tui.store.store import Store
from tui.store.targets import everywhere

Launch = Callable[[Leg, Action, Target, dict[str, Any]], str]
"""Sends a call and answers its id."""
SLACK = 30.0
"""Seconds by which two readings of a machine's age may differ."""


# -- steps as calls ------------------------------------------------------------------------


def legs_of(fleet: Fleet, steps: Iterable[Step]) -> list[Leg]:
    """The steps as calls, in their order."""
    return [_leg(fleet, step) for step in steps]


def _leg(fleet: Fleet, step: Step) -> Leg:
    leg = Leg(step.key, step.name, "", "", {}, memory=step.memory, vm=step.vm)
    leg.arrived = not step.vm
    aim(leg, fleet, step)
    return leg


def aim(leg: Leg, fleet: Fleet, step: Step) -> None:
    """Let a leg take another step with the same machine."""
    here, there = fleet[step.source], fleet[step.target]
    leg.source, leg.target, leg.why = step.source, step.target, step.why
    leg.copies = step.move in COPIES
    if step.move is Move.CLUSTER:
        leg.action, leg.thing = "role.move", role_key(here.host.cluster, step.role)
        leg.arguments = {"node": fleets.title(there), "source": fleets.title(here)}
    else:
        leg.action, leg.thing = "vm.migrate", step.vm
        leg.arguments = {"destination": step.target}


def pause_of(fleet: Fleet, host: str) -> Leg | None:
    """The call that lets nothing new come to a node; None where there is no node to pause."""
    node = fleets.node_of(fleet, host)
    return _gate(fleet, host, "node.pause", {}) if node and not fleets.closed(fleet, host) else None


def resume_of(fleet: Fleet, host: str) -> Leg | None:
    """The call that opens a node that is paused; what was moved from it is brought back apart."""
    node = fleets.node_of(fleet, host)
    if node is None or node.state != PAUSED:
        return None
    return _gate(fleet, host, "node.resume", {"failback": "stay"})


def _gate(fleet: Fleet, host: str, action: str, arguments: dict[str, Any]) -> Leg:
    cluster, name = fleet[host].host.cluster, fleets.title(fleet[host])
    thing = node_key(cluster, name)
    why = "nothing new comes to it" if action == "node.pause" else "it takes roles again"
    return Leg(action, name, action, thing, arguments, source=host, gate=True, why=why)


# -- carrying it out -----------------------------------------------------------------------


@dataclass(slots=True)
class Campaign:
    """A queue over a store that lives: sends what is due, notices what happened meanwhile."""

    queue: Queue
    store: Store
    launch: Launch
    read_only: Callable[[], bool] = lambda: False

    def step(self, now: float) -> None:
        """Take note of the fleet, and send what is due."""
        self._look(now)
        while legs := self.queue.due():
            leg = legs[0]
            ready = self._ready(leg, now)
            if isinstance(ready, str):
                self.queue.let_go(leg, ready)
            else:
                self.queue.sent(leg, self.launch(leg, *ready), now)

    def heard(self, update: CallUpdate) -> bool:
        return self.queue.heard(update)

    def retry(self, leg: Leg) -> bool:
        """Let a leg wait again; its machine goes where it can go now."""
        if not self.queue.retry(leg):
            return False
        if leg.vm:
            fleet = everywhere(self.store)
            found = draining.destination(fleet, leg.vm, {leg.source}) if self._is_at(leg) else None
            if isinstance(found, Step) and fleets.closed(fleet, leg.target):
                aim(leg, fleet, found)
        return True

    # -- what happened meanwhile -----------------------------------------------------------

    def _look(self, now: float) -> None:
        for leg in self.queue.legs:
            if leg.call and self._lately(leg, now) and self._lost(leg.source):
                self.queue.lost_to(leg, self._restarted(leg))
            self._note_age(leg)
        self.queue.settle(self._seen_on, self.store.fleet.left, now)
        for leg in self.queue.waiting:
            before = self.queue.before(leg)
            if before is None or before.fine or before.astray:  # else it comes there later
                self.queue.lost_to(leg, self._restarted(leg) or self._went(leg))
        if self.queue.waiting and self._lost(lost := self.queue.waiting[0].source):
            self.queue.pause(f"{lost} is down: its cluster restarts elsewhere what was on it")
        if self.queue.paused or not self.queue.waiting:
            return
        for leg in self.queue.waiting[:1]:
            entry = self.store.hosts.get(leg.source)
            clustered = leg.action != "vm.migrate"
            if entry is not None and entry.vitals.link is Link.DOWN and not clustered:
                self.queue.pause(f"{leg.source} does not answer")

    def _lately(self, leg: Leg, now: float) -> bool:
        """It is under way, or ended so short a time ago that its host may have died under it."""
        ended = leg.result is not None and leg.result.phase.final
        return not leg.astray and (not ended or now - _at(leg) < ARRIVAL)

    def _lost(self, host: str) -> bool:
        """The cluster of a node has given it up, and restarts its roles elsewhere."""
        entry = self.store.hosts.get(host)
        if entry is None or not entry.info.cluster:
            return False
        row = self.store.clusters.nodes.get(node_key(entry.info.cluster, entry.info.name or host))
        return row is not None and row.thing.state == DOWN and not row.thing.information & ISOLATED

    def _silence(self, host: str) -> str:
        """How a host is that nothing comes from any more; empty while it answers."""
        entry = self.store.hosts.get(host)
        silent = entry is not None and entry.vitals.link is Link.DOWN
        return "is down" if self._lost(host) else "does not answer" if silent else ""

    def _note_age(self, leg: Leg) -> None:
        if leg.vm and self._is_at(leg):
            leg.ran = _age(self.store.vms[leg.vm])

    def _restarted(self, leg: Leg) -> str:
        """Where a machine began anew that ran when it was last seen where it leaves."""
        row = self.store.vms.get(leg.vm) if leg.vm else None
        if row is None or row.host.id == leg.source or _age(row) + SLACK > leg.ran:
            return ""
        why = f"{leg.source} {self._silence(leg.source) or 'answers, and it was no call from here'}"
        return f"it did not move: it was restarted on {row.host.id}, {why}"

    def _went(self, leg: Leg) -> str:
        """Where it is by now, if it is not where it leaves any more."""
        if leg.vm:
            row = self.store.vms.get(leg.vm)
            at = row.host.id if row is not None and row.host.id != leg.source else ""
        else:
            role = self.store.clusters.roles.get(leg.thing)
            at = role.thing.owner if role is not None else ""
            at = "" if at == leg.arguments.get("source") else at
        return f"it is on {at} already, by no call from here" if at else ""

    def _seen_on(self, vm: str) -> tuple[str, float]:
        row = self.store.vms.get(vm)
        return (row.host.id, row.host_vitals.read_at) if row is not None else ("", 0.0)

    def _astray(self, leg: Leg) -> str:
        """The host its machine is on, where that is not the one it is to leave."""
        host, _ = self._seen_on(leg.vm)
        return host if host != leg.source else ""

    def _is_at(self, leg: Leg) -> bool:
        row = self.store.vms.get(leg.vm)
        return row is not None and row.host.id == leg.source

    def _ready(self, leg: Leg, now: float) -> tuple[Action, Target, dict[str, Any]] | str:
        """What to send; or why it cannot be sent, in words."""
        action, target = by_id(leg.action), self.store.target(leg.thing)
        if action is None or target is None:
            return "it is not listed any more"
        if host := self._astray(leg):
            return f"it is on {host}, not on {leg.source}"
        if why := why_not(action, target, read_only=self.read_only(), now=now):
            return why
        if leg.target and (why := fleets.closed(everywhere(self.store), leg.target)):
            return why
        arguments = action.filled(target, leg.arguments)
        return action.objection(target, arguments) or (action, target, arguments)


def _at(leg: Leg) -> float:
    return leg.result.at if leg.result is not None else 0.0


def _age(row: VmRow) -> float:
    """Seconds a machine has run; 0 while it does not."""
    started = row.vitals.started_at
    return max(0.0, row.host_vitals.read_at - started) if started is not None else 0.0


def call_of(action: Action, target: Target, arguments: dict[str, Any]) -> Call:
    """A new call."""
    return Call(
        uuid.uuid4().hex, action.id, target.host.id, target.id, arguments, target.seen_state
    )

"""A call on its way, and the target it names: what the act lane holds in its hands."""

from __future__ import annotations

from dataclasses import dataclass

from tui.actions import Action, Kind, Target
from tui.collector.messages import Call
from tui.collector.watch import Tier
from tui.hyperv.model import Inventory, Trouble
from tui.hyperv.outcome import Steps
from tui.wsman.cim import CimRef

FIRST_POLL = 0.5
SLOWEST_POLL = 2.0


@dataclass(slots=True)
class Following:
    """A call from the moment it is sent until it is seen to be done."""

    call: Call
    action: Action
    target: Target
    """As it was when the call was sent."""
    asked_at: float
    sent_at: float
    """When the host was last heard of it: what was read before that tells nothing."""
    deadline: float
    job: CimRef | None = None
    percent: int | None = None
    lost: Trouble | None = None
    """Its answer did not come; why."""
    steps: Steps | None = None
    """What remains of a verb of several steps."""
    step: str = ""
    poll: float = FIRST_POLL
    poll_at: float = 0.0

    @property
    def name(self) -> str:
        """What the target is called."""
        return self.target.name


def tiers_of(action: Action) -> Tier:
    """What to read to see what it did: states show in the fast tier, settings in the slow one."""
    if action.kind is Kind.HOST:
        return Tier.CHANGED | Tier.FACTS
    settings = action.needs_sheet or any(field.asked for field in action.form)
    deep = settings or action.part is not None or action.kind is Kind.SWITCH
    return Tier.CHANGED if deep else Tier.FAST


def target_of(inventory: Inventory, kind: Kind, key: str) -> Target | None:
    """The target a call names, out of an inventory; None when the host does not have it."""
    host, vitals = inventory.host, inventory.vitals

    def around() -> Inventory:
        return inventory

    match kind:
        case Kind.HOST if key == host.id:
            return Target(kind, key, host.name or host.id, host, vitals, around=around)
        case Kind.VM if key in inventory.vm_vitals:
            vm = inventory.vms.get(key)
            name = vm.name if vm else key
            now = inventory.vm_vitals[key]
            return Target(kind, key, name, host, vitals, vm=vm, vitals=now, around=around)
        case Kind.SWITCH if key in inventory.switches:
            switch = inventory.switches[key]
            return Target(kind, key, switch.name, host, vitals, switch=switch, around=around)
        case Kind.JOB if key in inventory.jobs:
            job = inventory.jobs[key]
            return Target(kind, key, job.name, host, vitals, job=job, around=around)
        case _:
            return None

"""The act lane: runs calls on one host, over a connection of its own, and follows them to the end.

requested, accepted, observed: a call is done when the host is *seen* in the wanted state. A call
whose answer was lost is never sent again; what became of it is read from the host.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tui import actions
from tui.actions import Action, Kind, Target
from tui.collector.connect import Connect
from tui.collector.hub import Hub
from tui.collector.messages import Call, CallUpdate, Exchange, HostLink, Phase
from tui.collector.watch import Tier, bug, trouble_of
from tui.errors import Dropped, HvError, Refused, TimedOut
from tui.hyperv import jobs, ops
from tui.hyperv.model import Inventory, Job, Trouble
from tui.hyperv.outcome import Started
from tui.wsman.cim import CimRef
from tui.wsman.client import CimClient, Throttle
from tui.wsman.values import EnabledState, name_of

log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds to wait for the wanted state once the host has accepted."""
LOST_PATIENCE = 60.0
"""The same when the answer was lost and it is not known whether the host accepted."""
FIRST_POLL = 0.5
SLOWEST_POLL = 2.0
REMEMBERED = 1000


@dataclass(slots=True)
class Following:
    """A call on its way from accepted to observed."""

    call: Call
    action: Action
    name: str
    sent_at: float
    deadline: float
    job: CimRef | None = None
    percent: int | None = None
    lost: Trouble | None = None
    poll: float = FIRST_POLL
    poll_at: float = 0.0


def target_of(inventory: Inventory, kind: Kind, key: str) -> Target | None:
    """The target a call names, out of an inventory; None when the host does not have it."""
    host, vitals = inventory.host, inventory.vitals
    match kind:
        case Kind.HOST if key == host.id:
            return Target(kind, key, host.name or host.id, host, vitals)
        case Kind.VM if key in inventory.vm_vitals:
            vm = inventory.vms.get(key)
            name = vm.name if vm else key
            now = inventory.vm_vitals[key]
            return Target(kind, key, name, host, vitals, vm=vm, vitals=now)
        case Kind.SWITCH if key in inventory.switches:
            switch = inventory.switches[key]
            return Target(kind, key, switch.name, host, vitals, switch=switch)
        case Kind.JOB if key in inventory.jobs:
            job = inventory.jobs[key]
            return Target(kind, key, job.name, host, vitals, job=job)
        case _:
            return None


class Act:
    """Executes calls one after the other and follows all of them at once."""

    def __init__(
        self,
        link: HostLink,
        hub: Hub,
        *,
        connect: Connect,
        throttle: Throttle,
        poke: Callable[[Tier], None],
        now: Callable[[], float] = time.time,
        patience: float = PATIENCE,
        lost_patience: float = LOST_PATIENCE,
    ) -> None:
        self._link = link
        self._hub = hub
        self._connect = connect
        self._throttle = throttle
        self._poke = poke
        self._now = now
        self._patience = patience
        self._lost_patience = lost_patience
        self._client: CimClient | None = None
        self._wake = threading.Condition()
        self._queue: deque[Call] = deque()
        self._known: deque[str] = deque(maxlen=REMEMBERED)
        self._following: list[Following] = []
        self._fresh = False
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._unlisten: Callable[[], None] = lambda: None

    # -- life ------------------------------------------------------------------------------

    def submit(self, call: Call) -> None:
        """Queue a call. A call id seen before is ignored: nothing is ever executed twice."""
        with self._wake:
            if call.id in self._known:
                return
            self._known.append(call.id)
            self._queue.append(call)
            self._hub.set_busy(self, busy=True)
            if self._thread is None:
                self._unlisten = self._hub.listen(self._seen)
                self._thread = threading.Thread(
                    target=self._run, name=f"act {self._link.id}", daemon=True
                )
                self._thread.start()
            self._wake.notify()

    def stop(self, timeout: float | None = None) -> None:
        """End the thread. Jobs already accepted go on at the host; only our watching ends."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread is not None and timeout is not None:
            self._thread.join(timeout)

    def _seen(self, inventory: Inventory) -> None:
        if inventory.host.id == self._link.id:
            with self._wake:
                self._fresh = True
                self._wake.notify()

    def _run(self) -> None:
        try:
            while (call := self._next()) is not self._END:
                if call is not None:
                    self._execute(call)
                self._follow()
        finally:
            self._unlisten()
            if self._client is not None:
                self._client.close()
            self._hub.retire(self)

    _END = Call("", "", "", "")

    def _next(self) -> Call | None:
        """The next call; None when something followed is due; ``_END`` when stopped."""
        with self._wake:
            if not self._queue and not self._stopped:
                if not self._following:
                    self._hub.set_busy(self, busy=False)
                self._wake.wait_for(
                    lambda: self._fresh or self._stopped or self._queue, self._pause()
                )
            self._fresh = False
            if self._stopped:
                return self._END
            return self._queue.popleft() if self._queue else None

    def _pause(self) -> float | None:
        if not self._following:
            return None
        due = min(f.poll_at if f.job is not None else f.deadline for f in self._following)
        return max(0.0, due - time.monotonic())

    # -- requested -------------------------------------------------------------------------

    def _execute(self, call: Call) -> None:
        action = actions.by_id(call.action)
        inventory = self._hub.inventory(self._link.id)
        target = target_of(inventory, action.kind, call.target) if action and inventory else None
        name = target.name if target else call.target
        try:
            action, target = self._prepared(call, action, target)
        except Refused as error:
            self._report(call, name, Phase.REFUSED, trouble=trouble_of(error))
        except HvError as error:
            self._report(call, name, Phase.FAILED, trouble=trouble_of(error))
        except Exception as error:
            self._mistake(call, name, error)
        else:
            self._send(call, action, target)

    def _prepared(
        self, call: Call, action: Action | None, target: Target | None
    ) -> tuple[Action, Target]:
        """Everything that can stop a call before the host is asked. Raises Refused."""
        if action is None or isinstance(action.run, str):
            raise Refused(f"{call.action} is not an action a host can do")
        if target is None:
            raise Refused(
                f"{call.target} is not on {self._link.id} any more",
                hint="it was deleted or has moved; look again and repeat",
            )
        if self._link.read_only and action.changes:
            raise Refused(
                f"{self._link.id} is read-only for hvdeck",
                cause="read_only is set for this host",
                hint="change it in the configuration",
            )
        target = self._reread(self._connected(), call, target)
        reason = action.why_not(target) if action.why_not else None
        if reason is not None:
            raise Refused(f"{action.title} was not asked of {target.name}", cause=reason)
        return action, target

    def _send(self, call: Call, action: Action, target: Target) -> None:
        """Ask the host; from here on it may have happened."""
        assert not isinstance(action.run, str)
        self._report(call, target.name, Phase.REQUESTED)
        now = time.monotonic()
        following = Following(call, action, target.name, self._now(), now + self._patience)
        try:
            outcome = action.run(self._connected(), target, call.arguments)
        except (TimedOut, Dropped) as error:
            self._lost(following, error)
        except Refused as error:
            self._report(call, target.name, Phase.REFUSED, trouble=trouble_of(error))
        except HvError as error:
            self._report(call, target.name, Phase.FAILED, trouble=trouble_of(error))
        except Exception as error:
            self._mistake(call, target.name, error)
        else:
            if isinstance(outcome, Started):
                following.job = outcome.job
                following.poll_at = now + FIRST_POLL
            self._accepted(following)

    def _mistake(self, call: Call, name: str, error: Exception) -> None:
        log.exception("running %s on %s", call.action, self._link.id)
        self._report(call, name, Phase.FAILED, trouble=trouble_of(bug(error)))

    def _reread(self, client: CimClient, call: Call, target: Target) -> Target:
        """The target as the host has it this instant. Raises Refused when it changed since."""
        if target.vitals is None:
            return target
        state = ops.read_state(client, target.id)
        if call.seen_state is not None and state != call.seen_state:
            raise Refused(
                f"{target.name} has changed: it is {name_of(EnabledState, state)} now",
                cause=f"the screen showed {name_of(EnabledState, call.seen_state)}",
                hint="look again and repeat",
            )
        vitals = msgspec.structs.replace(target.vitals, state=state)
        return Target(
            target.kind,
            target.id,
            target.name,
            target.host,
            target.host_vitals,
            vm=target.vm,
            vitals=vitals,
        )

    def _connected(self) -> CimClient:
        if self._client is None:
            self._client = self._connect(self._link, self._throttle, self._exchanged)
        return self._client

    def _exchanged(self, operation: str, seconds: float, octets: int, outcome: str) -> None:
        exchange = Exchange(self._now(), self._link.id, "act", operation, seconds, octets, outcome)
        self._hub.log(exchange)

    # -- accepted --------------------------------------------------------------------------

    def _accepted(self, following: Following) -> None:
        following.sent_at = self._now()
        self._report(following.call, following.name, Phase.ACCEPTED, following=following)
        if following.action.observed is None and following.job is None:
            self._poke(Tier.FAST | Tier.SLOW)
            self._report(following.call, following.name, Phase.OBSERVED)
            return
        self._following.append(following)
        self._poke(Tier.FAST)

    def _lost(self, following: Following, error: HvError) -> None:
        """Sent or not, and no answer: from now on only the host's state tells."""
        certainly_not = isinstance(error, Dropped) and not error.sent
        if certainly_not or following.action.observed is None:
            phase = Phase.FAILED if certainly_not else Phase.UNKNOWN
            self._report(following.call, following.name, phase, trouble=trouble_of(error))
            return
        following.lost = trouble_of(error)
        following.deadline = time.monotonic() + self._lost_patience
        following.sent_at = self._now()
        self._following.append(following)
        self._poke(Tier.FAST)

    def _follow(self) -> None:
        for following in tuple(self._following):
            update = self._safely_progress(following)
            if update is not None:
                self._following.remove(following)
                phase, trouble = update
                self._report(following.call, following.name, phase, trouble=trouble)
                self._poke(Tier.FAST | Tier.SLOW)

    def _safely_progress(self, following: Following) -> tuple[Phase, Trouble | None] | None:
        try:
            return self._progress(following)
        except Exception as error:
            log.exception("following %s on %s", following.call.action, self._link.id)
            return Phase.UNKNOWN, trouble_of(bug(error))

    def _progress(self, following: Following) -> tuple[Phase, Trouble | None] | None:
        """The final phase of a followed call, or None while it goes on."""
        now = time.monotonic()
        if following.job is not None and now >= following.poll_at:
            trouble = self._poll(following)
            if trouble is not None:
                return Phase.FAILED, trouble
        done = following.action.observed is None or self._is_observed(following)
        if following.job is None and done:
            return Phase.OBSERVED, None
        if now >= following.deadline:
            return Phase.UNKNOWN, following.lost or self._never_seen(following)
        return None

    def _poll(self, following: Following) -> Trouble | None:
        """Read the job. Answers its failure; a finished or vanished job is followed no more."""
        assert following.job is not None
        following.poll = min(SLOWEST_POLL, following.poll * 1.5)
        following.poll_at = time.monotonic() + following.poll
        try:
            job = jobs.read(self._connected(), following.job, self._link.id)
            if job is not None:
                self._tell_percent(following, job)
            if job is None or job.finished:
                following.job = None
                following.sent_at = self._now()
                self._poke(Tier.FAST)
            if job is not None:
                jobs.raise_if_failed(job, following.action.title, following.name)
        except (TimedOut, Dropped) as error:
            log.info("polling a job on %s: %s", self._link.id, error.title)
        except HvError as error:
            return trouble_of(error)
        return None

    def _tell_percent(self, following: Following, job: Job) -> None:
        following.deadline = max(following.deadline, time.monotonic() + self._patience)
        if job.percent != following.percent:
            following.percent = job.percent
            self._report(following.call, following.name, Phase.ACCEPTED, following=following)

    def _is_observed(self, following: Following) -> bool:
        """The wanted state, in an inventory read after the host accepted."""
        inventory = self._hub.inventory(self._link.id)
        observed = following.action.wanted(following.call.arguments)
        if inventory is None or observed is None:
            return False
        if inventory.vitals.read_at <= following.sent_at:
            return False
        target = target_of(inventory, following.action.kind, following.call.target)
        return target is not None and observed(target)

    def _never_seen(self, following: Following) -> Trouble:
        return Trouble(
            "Unknown",
            f"{following.action.title} of {following.name}: accepted, not seen to happen",
            cause=f"the host took it, but did not show it within {self._patience:.0f} s",
            hint="look at the state, the jobs and the guest; nothing was sent twice",
        )

    def _report(
        self,
        call: Call,
        name: str,
        phase: Phase,
        *,
        trouble: Trouble | None = None,
        following: Following | None = None,
    ) -> None:
        job = dict(following.job.keys).get("InstanceID", "") if following and following.job else ""
        percent = following.percent if following else None
        self._hub.report(
            CallUpdate(
                call.id,
                call.action,
                call.host,
                call.target,
                name,
                phase,
                self._now(),
                percent,
                job,
                trouble,
            )
        )

"""The act lane: runs calls on one host, over a connection of its own, and follows them to the end.

requested, accepted, observed: a call is done when the host is *seen* in the wanted state. A call
whose answer was lost is never sent again; what became of it is read from the host.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import msgspec

from tui import actions
from tui.actions import CLUSTERED, Action, Target
from tui.collector.connect import Connect, exchange
from tui.collector.following import (
    FIRST_POLL,
    LOOK_AGAIN,
    SLOWEST_LOOK,
    SLOWEST_POLL,
    Following,
    tiers_of,
)
from tui.collector.hub import Hub
from tui.collector.messages import (
    Answer,
    Call,
    CallUpdate,
    HostLink,
    Phase,
)
from tui.collector.rereading import reread
from tui.collector.watch import Tier, bug, trouble_of
from tui.collector.witness import Witness
from tui.errors import Dropped, HalfDone, HvError, JobFailed, Refused, TimedOut
from tui.hyperv import jobs, sheets
from tui.hyperv.model import Inventory, Job, Trouble
from tui.hyperv.ops.moving import Reach
from tui.hyperv.outcome import Outcome, Started, Step
from tui.hyperv.verdict import HostVerdict
from tui.wsman.client import CimClient, Throttle, Trip

log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds to wait for the wanted state once the host has accepted."""
LOST_PATIENCE = 60.0
"""The same when the answer was lost and it is not known whether the host accepted."""
REMEMBERED = 1000


class Act:
    """Executes calls one after the other and follows all of them at once."""

    def __init__(
        self,
        link: HostLink,
        hub: Hub,
        *,
        connect: Connect,
        throttle: Throttle,
        poke: Callable[[str, Tier], None],
        reach: Callable[[str], Reach | None] = lambda host: None,
        now: Callable[[], float] = time.time,
        patience: float = PATIENCE,
        lost_patience: float = LOST_PATIENCE,
    ) -> None:
        self._link = link
        self._hub = hub
        self._connect = connect
        self._throttle = throttle
        self._poke = poke
        self._reach = reach
        self._now = now
        self._patience = patience
        self._lost_patience = lost_patience
        self._client: CimClient | None = None
        self._witness = Witness(link.id, hub)
        self._wake = threading.Condition()
        self._queue: deque[Call] = deque()
        self._known: deque[str] = deque(maxlen=REMEMBERED)
        self._following: list[Following] = []
        self._concerned = {link.id}
        """Hosts whose readings may show that something followed is done."""
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
        if self._thread is not None and timeout is not None and self._thread.is_alive():
            self._thread.join(timeout)

    def _seen(self, inventory: Inventory) -> None:
        if inventory.host.id in self._concerned:
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
        return max(0.0, min(f.due for f in self._following) - time.monotonic())

    # -- requested -------------------------------------------------------------------------

    def _execute(self, call: Call) -> None:
        action = actions.by_id(call.action)
        target = self._witness.target(action.kind, call.target) if action else None
        name = target.name if target else call.target
        try:
            call, action, target = self._prepared(call, action, target)
        except Refused as error:
            self._stop_short(call, name, Phase.REFUSED, error)
        except HvError as error:
            self._stop_short(call, name, Phase.FAILED, error)
        except Exception as error:
            mistake = self._mistake(call, error, "nothing was sent")
            self._stop_short(call, name, Phase.FAILED, mistake)
        else:
            self._send(call, action, target)

    def _prepared(
        self, call: Call, action: Action | None, target: Target | None
    ) -> tuple[Call, Action, Target]:
        """Everything that can stop a call before the host is asked. Raises Refused."""
        if action is None or isinstance(action.run, str) or (call.ask and not action.verdict):
            raise Refused(f"{call.action} is not an action a host can do")
        if target is None:
            raise Refused(
                f"{call.target} is not on {self._link.id} any more",
                hint="it was deleted or has moved; look again and repeat",
            )
        guarded = target.guarded if target.kind in CLUSTERED else ""
        locked = self._link.id if self._link.read_only else guarded
        if locked and action.changes and not call.ask:
            raise Refused(
                f"{locked} is read-only for hvdeck",
                cause="read_only is set for this host",
                hint="change it in the configuration",
            )
        target = reread(self._connected(), call, target)
        if action.needs_sheet:
            sheet = sheets.read(self._connected(), self._link.id, target.id, self._now)
            target = replace(target, sheet=sheet)
        arguments = action.filled(target, call.arguments)
        reason = action.why_not(target) if action.why_not else None
        reason = reason or action.objection(target, arguments)
        if reason is not None and not call.ask:
            raise Refused(f"{action.title} was not asked of {target.name}", cause=reason)
        return msgspec.structs.replace(call, arguments=arguments), action, target

    def _send(self, call: Call, action: Action, target: Target) -> None:
        """Ask the host; from here on it may have happened."""
        assert not isinstance(action.run, str)
        deadline = time.monotonic() + self._patience
        now = self._now()
        following = Following(call, action, target, now, now, deadline)
        self._report(following, Phase.REQUESTED)
        with self._failing(following):
            outcome = self._asked(following) or action.run(
                self._connected(), target, call.arguments
            )
            if isinstance(outcome, Generator):
                following.steps = outcome
                self._advance(following)
            else:
                self._follow_job(following, outcome)
                self._accepted(following)

    def _asked(self, following: Following) -> Generator[Step, None, HostVerdict] | None:
        """The question, where the host is only to be asked."""
        call, verdict = following.call, following.action.verdict
        if not call.ask or verdict is None:
            return None
        other = self._witness.elsewhere(following)
        reach = self._reach(other) if self._witness.answers(other) else None
        return verdict(self._connected(), reach, following.target, call.arguments)

    @contextmanager
    def _failing(self, following: Following) -> Iterator[None]:
        """Whatever goes wrong in asking a host, as the end of the call it belongs to."""
        try:
            yield
        except (TimedOut, Dropped) as error:
            self._lost(following, error)
        except Refused as error:
            self._end(following, Phase.REFUSED, trouble_of(error))
        except HalfDone as error:
            self._end(following, Phase.FAILED, trouble_of(error), half=error)
        except HvError as error:
            self._end(following, Phase.FAILED, trouble_of(error))
        except Exception as error:
            hint = "the host may have carried it out: look at the state before trying again"
            self._end(
                following, Phase.UNKNOWN, trouble_of(self._mistake(following.call, error, hint))
            )

    def _mistake(self, call: Call, error: Exception, hint: str) -> HvError:
        log.exception("running %s on %s", call.action, self._link.id)
        return bug(error, f"running {call.action} on {self._link.id}", hint)

    def _connected(self) -> CimClient:
        if self._client is None:
            self._client = self._connect(self._link, self._throttle, self._exchanged)
        return self._client

    def _exchanged(self, trip: Trip) -> None:
        self._hub.log(exchange(trip, self._link.id, "act", self._now()))

    # -- accepted --------------------------------------------------------------------------

    def _follow_job(self, following: Following, outcome: Outcome) -> None:
        if isinstance(outcome, Started):
            following.job = outcome.job
            following.poll, following.poll_at = FIRST_POLL, time.monotonic() + FIRST_POLL

    def _advance(self, following: Following, failure: JobFailed | None = None) -> None:
        """The next step of a verb of several; ``failure`` is how the step before it ended."""
        steps = following.steps
        assert steps is not None
        try:
            while following.job is None:
                step = steps.throw(failure) if failure is not None else next(steps)
                failure = None
                following.step, following.percent = step.title, None
                self._follow_job(following, step.outcome)
        except StopIteration as end:
            following.steps, following.step = None, ""
            if isinstance(end.value, HostVerdict):
                following.verdict = end.value
        self._accepted(following)

    def _accepted(self, following: Following) -> None:
        following.sent_at = self._now()
        self._report(following, Phase.ACCEPTED)
        if following.job is None and (following.call.ask or not following.action.shows):
            self._end(following, Phase.OBSERVED)
            return
        if following not in self._following:
            self._following.append(following)
        self._look(following)

    def _lost(self, following: Following, error: HvError) -> None:
        """Sent or not, and no answer: from now on only the host's state tells."""
        certainly_not = isinstance(error, Dropped) and not error.sent
        if certainly_not or not following.action.shows or following.steps is not None:
            self._end(
                following, Phase.FAILED if certainly_not else Phase.UNKNOWN, trouble_of(error)
            )
            return
        following.lost = trouble_of(error)
        following.deadline = time.monotonic() + self._lost_patience
        following.sent_at = self._now()
        self._following.append(following)
        self._look(following)

    def _follow(self) -> None:
        for following in tuple(self._following):
            with self._failing(following):
                self._progress(following)

    def _progress(self, following: Following) -> None:
        """Look where a followed call stands; it is followed no more once it has ended."""
        now = time.monotonic()
        if following.job is not None and now >= following.poll_at:
            self._poll(following)
        self._trace(following)
        if following.job is not None or following.steps is not None:
            if now >= following.deadline:
                self._give_up(following)
            return
        if self._is_observed(following):
            self._end(following, Phase.OBSERVED)
            return
        percent = self._witness.percent(following)
        trouble = self._witness.missed(following) if percent is None else None
        if percent is not None:
            self._tell_percent(following, percent)
        if trouble is not None:
            self._end(following, Phase.FAILED, trouble)
        elif now >= following.deadline:
            self._give_up(following)
        elif now >= following.reread_at:
            self._look(following)

    def _give_up(self, following: Following) -> None:
        self._end(following, Phase.UNKNOWN, self._witness.doubt(following, self._patience))

    def _trace(self, following: Following) -> None:
        """A call whose answer was lost is found again by its job."""
        if following.lost is None or following.job is not None:
            return
        job = self._witness.trace(following)
        if job is not None and job != following.followed:
            following.sent_at = self._now()
            following.deadline = time.monotonic() + self._patience
            self._follow_job(following, Started(job))
            self._report(following, Phase.ACCEPTED)

    def _poll(self, following: Following) -> None:
        """Read the job; at its end go on. Raises JobFailed when it ended badly."""
        assert following.job is not None
        following.poll = min(SLOWEST_POLL, following.poll * 1.5)
        following.poll_at = time.monotonic() + following.poll
        try:
            job = jobs.read(self._connected(), following.job, self._link.id)
        except HvError as error:  # the job goes on whether or not it can be read
            log.info("polling a job on %s: %s", self._link.id, error.title)
            return
        if job is not None and not job.finished:
            self._tell_percent(following, job.percent)
            return
        following.job, following.followed = None, following.job
        following.sent_at = self._now()
        self._job_ended(following, job)

    def _job_ended(self, following: Following, job: Job | None) -> None:
        failure: JobFailed | None = None
        try:
            if job is not None:
                jobs.raise_if_failed(job, following.step or following.action.title, following.name)
        except JobFailed as error:
            if following.steps is None:
                raise
            failure = error
        if following.steps is not None:
            self._advance(following, failure)
        else:
            self._look(following)

    def _look(self, following: Following) -> None:
        """Have the host read now what shows that it is done."""
        if following.in_cluster or following.lost is not None:
            following.reread_at = time.monotonic() + LOOK_AGAIN
        self._poke_for(following, tiers_of(following))

    def _tell_percent(self, following: Following, percent: int | None) -> None:
        following.deadline = max(following.deadline, time.monotonic() + self._patience)
        if percent != following.percent:
            following.percent = percent
            self._report(following, Phase.ACCEPTED)

    def _is_observed(self, following: Following) -> bool:
        """The wanted state, in an inventory and, where that does not tell, at the host itself."""
        following.shown = self._witness.is_shown(following)
        return following.shown and self._looks(following)

    def _looks(self, following: Following) -> bool:
        """Ask the host whether it is done, less and less often."""
        looked = following.action.looked
        if looked is None:
            return True
        if time.monotonic() < following.look_at:
            return False
        try:
            return looked(self._connected(), following.target, following.call.arguments)
        except HvError as error:  # what cannot be read now may be readable later
            log.info("looking for %s on %s: %s", following.action.id, self._link.id, error.title)
            return False
        finally:
            following.look = min(SLOWEST_LOOK, following.look * 1.5)
            following.look_at = time.monotonic() + following.look

    # -- telling ---------------------------------------------------------------------------

    def _forget(self, following: Following) -> None:
        if following in self._following:
            self._following.remove(following)

    def _poke_for(self, following: Following, tiers: Tier) -> None:
        """Have read what shows how a call ends."""
        hosts = self._witness.concerned(following)
        self._concerned |= hosts
        for host in sorted(hosts):
            self._poke(host, tiers)

    def _end(
        self,
        following: Following,
        phase: Phase,
        trouble: Trouble | None = None,
        *,
        half: HalfDone | None = None,
    ) -> None:
        """The last word on a call."""
        self._forget(following)
        following.job = None
        self._report(following, phase, trouble, half=half)
        if not following.call.ask:
            self._poke_for(following, Tier.CHANGED)

    def _report(
        self,
        following: Following,
        phase: Phase,
        trouble: Trouble | None = None,
        *,
        half: HalfDone | None = None,
    ) -> None:
        call = following.call
        if call.ask:
            if phase.final:
                self._answer(call, following.verdict, trouble)
            return
        self._hub.report(following.told(phase, self._now(), trouble, half))

    def _answer(self, call: Call, verdict: HostVerdict | None, trouble: Trouble | None) -> None:
        """What came of a question."""
        self._hub.answer(
            Answer(
                call.id, call.host, call.target, call.arguments, self._now(), verdict, trouble
            )
        )  # fmt: skip

    def _stop_short(self, call: Call, name: str, phase: Phase, error: HvError) -> None:
        """The last word on a call that was never sent."""
        if call.ask:
            self._answer(call, None, trouble_of(error))
            return
        self._hub.report(
            CallUpdate(
                call.id, call.action, call.host, call.target, name, phase, self._now(),
                trouble=trouble_of(error),
            )
        )  # fmt: skip

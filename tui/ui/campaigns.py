"""Plans under way in the deck, each by what it is for; and what they have moved away from home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.actions import Action, Target
from tui.store import Changes

if TYPE_CHECKING:
    from tui.store.legs import Campaign
    from tui.store.queue import Leg, Queue
    from tui.ui.operate import Operator

BALANCE = "balance"
"""What the run of a balance plan is known by; a drain's is its host's id."""


class Campaigns:
    """Runs of plans. Leaving a sheet ends none."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._running: dict[str, Campaign] = {}
        self.away: dict[str, str] = {}
        """Machines that a drain has moved, and the host that is their home."""
        self._bringing: set[str] = set()
        """Runs that bring machines home."""
        self._warned: set[str] = set()
        self._noted: set[str] = set()
        """Calls whose machine has been remembered or brought home."""

    def of(self, key: str) -> Campaign | None:
        """The run for a host, or of the balance plan; the last one when it is over."""
        return self._running.get(key)

    @property
    def busy(self) -> int:
        """Calls that wait in a run that goes on."""
        return sum(len(one.queue.waiting) for one in self._running.values() if not one.queue.stuck)

    def start(self, key: str, queue: Queue, *, home: bool = False) -> Campaign:
        """Begin a run."""
        from tui.store.legs import Campaign

        app = self._operator.app
        campaign = Campaign(queue, app.store, self._launch, lambda: app.read_only)
        self._running[key] = campaign
        self._warned.discard(key)
        self._bringing -= {key}
        if home:
            self._bringing.add(key)
        self._step(key, campaign)
        return campaign

    def go_on(self, key: str) -> None:
        """Something about a run has been changed: send what is due now."""
        if (campaign := self._running.get(key)) is not None:
            self._step(key, campaign)

    def _launch(self, leg: Leg, action: Action, target: Target, arguments: dict[str, Any]) -> str:
        run, changes = self._operator.dispatcher.submit(
            action, [(leg.thing, target)], arguments, planned=True
        )
        for change in changes:
            self._operator.app.show(change)
        return run.items[0].call.id

    def settled(self, changes: Changes) -> None:
        """Calls moved on, or hosts did."""
        for key, campaign in self._running.items():
            for call_id in changes.calls:
                update = self._operator.app.store.calls.get(call_id)
                if update is not None:
                    campaign.heard(update)
            self._step(key, campaign)

    def collector_died(self) -> None:
        """What was under way is in doubt; nothing more is sent until somebody says so."""
        for campaign in self._running.values():
            if campaign.queue.over:
                continue
            campaign.queue.pause("the refresh worker was restarted")

    def _step(self, key: str, campaign: Campaign) -> None:
        app, queue = self._operator.app, campaign.queue
        campaign.step(app.clock())
        self._remember(key, queue)
        if queue.over:
            if not queue.told:
                queue.told = True
                fine = all(leg.fine for leg in queue.legs)
                app.told(f"{queue.title}: {queue.tally() or 'nothing to do'}", error=not fine)
        elif queue.paused and queue.why and key not in self._warned:
            self._warned.add(key)
            app.told(f"{queue.title}: {queue.why}", warning=True)
        elif not queue.paused:
            self._warned.discard(key)

    def _remember(self, key: str, queue: Queue) -> None:
        """Whose home is elsewhere now, and who is home again."""
        for leg in queue.legs:
            if not leg.vm or not leg.fine or leg.call in self._noted:
                continue
            self._noted.add(leg.call)
            if self.away.get(leg.vm) == leg.target:
                del self.away[leg.vm]
            elif key not in self._bringing and key != BALANCE:
                self.away.setdefault(leg.vm, leg.source)

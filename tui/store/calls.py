"""Calls under way and done: requested, accepted, observed; or failed, refused, unknown."""

from __future__ import annotations

from collections.abc import Callable

from tui.actions.declare import Kind, Target
from tui.collector.messages import Call, CallUpdate, Phase
from tui.hyperv.model import Trouble
from tui.store.changes import Changes
from tui.store.rows import Mark

KEEP = 500
"""Calls remembered."""
SILENCE = 600.0
"""Seconds without a word until a call counts as unknown."""
DOUBT = 300.0
"""Seconds an unknown outcome stays on its row, waiting to be observed."""

RESTARTED = Trouble(
    "CollectorRestarted",
    "The collector was restarted while this call was under way",
    "Whether the host carried it out is not known; it was not sent again",
    "The row shows what the host says now",
)
UNHEARD = Trouble(
    "NoWord",
    "Nothing was heard of this call for ten minutes",
    "The host may still be working on it",
    "Look at the host's jobs",
)


class Calls:
    """Every call by id, and the pending marks on rows."""

    def __init__(self) -> None:
        self.known: dict[str, CallUpdate] = {}
        self.pending: dict[str, Mark] = {}
        """By row key."""
        self._rows: dict[str, str] = {}
        """Call id to row key."""

    def begin(
        self,
        call: Call,
        key: str,
        name: str,
        text: str,
        now: float,
        observed: Callable[[Target], bool] | None,
        changes: Changes,
    ) -> None:
        """A call leaves for the collector."""
        self._rows[call.id] = key
        phase = Phase.REQUESTED
        self.pending[key] = Mark(call.id, call.action, text, phase, now, now, observed=observed)
        changes.pending.add(key)
        self._note(
            CallUpdate(call.id, call.action, call.host, call.target, name, phase, now), changes
        )

    def update(self, call: CallUpdate, now: float, changes: Changes) -> None:
        """The collector says where a call stands."""
        before = self.known.get(call.id)
        if before is not None and before.phase.final and before.phase is not Phase.UNKNOWN:
            return
        self._note(call, changes)
        key = self._rows.get(call.id, call.target)
        mark = self.pending.get(key)
        if mark is None or mark.call != call.id:
            return
        mark.phase, mark.percent, mark.heard_at = call.phase, call.percent, now
        if call.phase.final and (call.phase is not Phase.UNKNOWN or mark.observed is None):
            del self.pending[key]
        changes.pending.add(key)

    def lost(self, hosts: set[str], now: float, changes: Changes) -> None:
        """Nobody follows these hosts' calls in flight any more."""
        for call in list(self.known.values()):
            if call.host in hosts and not call.phase.final:
                self._give_up(call, RESTARTED, now, changes)

    def expire(self, now: float, changes: Changes) -> None:
        """Calls without a word become unknown; doubts end."""
        for key, mark in list(self.pending.items()):
            call = self.known.get(mark.call)
            if mark.phase is Phase.UNKNOWN and now - mark.heard_at > DOUBT:
                del self.pending[key]
                changes.pending.add(key)
            elif call is not None and not call.phase.final and now - mark.heard_at > SILENCE:
                self._give_up(call, UNHEARD, now, changes)

    def set_back(self, seconds: float) -> None:
        """The clock was set back by so much."""
        for mark in self.pending.values():
            mark.heard_at -= seconds
            mark.since -= seconds

    def settle_unknown(
        self,
        target: Callable[[str], Target | None],
        left: Callable[[str, str, float], bool],
        now: float,
        changes: Changes,
    ) -> None:
        """A doubt ends when the thing is seen in the wanted state; one about a machine that is
        seen on another host, when its own does not list it any more (``left``).
        """
        for key in [key for key, mark in self.pending.items() if mark.phase is Phase.UNKNOWN]:
            mark, thing = self.pending[key], target(key)
            call = self.known.get(mark.call)
            if mark.observed is None or thing is None or call is None:
                continue
            if thing.kind is Kind.VM and thing.host.id != call.host:
                seen = left(thing.id, call.host, call.at)
            else:
                seen = any(key in delta.changed for delta in changes.deltas)
            if seen and mark.observed(thing):
                del self.pending[key]
                changes.pending.add(key)
                self._note(_moved(call, Phase.OBSERVED, now, None), changes)

    def text(self, key: str) -> str:
        """What a row says of its pending call, in a dozen cells."""
        mark = self.pending.get(key)
        if mark is None:
            return ""
        if mark.phase is Phase.UNKNOWN:
            return f"{mark.text}: unknown"
        return f"{mark.text} {mark.percent}%" if mark.percent is not None else f"{mark.text}…"

    def _give_up(self, call: CallUpdate, why: Trouble, now: float, changes: Changes) -> None:
        key = self._rows.get(call.id, call.target)
        mark = self.pending.get(key)
        if mark is not None and mark.call == call.id:
            mark.phase, mark.heard_at = Phase.UNKNOWN, now
            changes.pending.add(key)
        self._note(_moved(call, Phase.UNKNOWN, now, why), changes)

    def _note(self, call: CallUpdate, changes: Changes) -> None:
        self.known[call.id] = call
        changes.calls.add(call.id)
        if call.phase.final:
            changes.settled.append(call)
        while len(self.known) > KEEP:
            oldest = next(iter(self.known))
            del self.known[oldest]
            self._rows.pop(oldest, None)


def _moved(call: CallUpdate, phase: Phase, now: float, trouble: Trouble | None) -> CallUpdate:
    return CallUpdate(
        call.id,
        call.action,
        call.host,
        call.target,
        call.name,
        phase,
        now,
        call.percent,
        call.job,
        trouble,
    )

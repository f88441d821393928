"""An ordered run of calls, a few at a time: what may be sent now, and what became of each.

Deck and command line share it. It does no IO: whoever owns it makes the calls, and tells it what
the collector says of them. Nothing is called done that was not observed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.collector.messages import CallUpdate, Phase

ARRIVAL = 60.0
"""Seconds in which a machine that has been moved must be seen on its new host."""
ORDER = ("done", "under way", "waiting", "elsewhere", "failed", "refused", "unknown", "not sent")
_WORDS = {
    Phase.OBSERVED: "done",
    Phase.FAILED: "failed",
    Phase.REFUSED: "refused",
    Phase.UNKNOWN: "unknown",
}


@dataclass(slots=True, eq=False, kw_only=True)
class Entry:
    """One call of several, from before it is sent."""

    result: CallUpdate | None = None
    """None while it waits for its turn."""
    dropped: str = ""
    """Why it was not sent."""
    astray: str = ""
    """Where its machine went meanwhile, by none of these calls."""
    arrived: bool = True
    """Its machine has been seen on the host it was to go to, where it was to go to one."""
    overdue: bool = False
    """It has not been seen there for long."""

    @property
    def over(self) -> bool:
        if self.dropped or self.astray:
            return True
        if self.result is None or not self.result.phase.final:
            return False
        return self.result.phase is not Phase.OBSERVED or self.arrived or self.overdue

    @property
    def fine(self) -> bool:
        observed = self.result is not None and self.result.phase is Phase.OBSERVED
        return observed and self.arrived and not self.astray

    @property
    def in_doubt(self) -> bool:
        """It was sent, and not seen to be done: it may be yet."""
        return self.result is not None and self.result.phase in (Phase.UNKNOWN, Phase.FAILED)

    @property
    def word(self) -> str:
        """Where it stands."""
        if self.astray:
            return "elsewhere"
        if self.dropped:
            return "not sent"
        if self.result is None:
            return "waiting"
        if self.result.phase is Phase.OBSERVED and not self.arrived:
            return "unknown" if self.overdue else "under way"
        return _WORDS.get(self.result.phase, "under way")


def tally(entries: Iterable[Entry]) -> str:
    """``5 done, 1 failed, 1 waiting``."""
    counts = Counter(entry.word for entry in entries)
    return ", ".join(f"{counts[word]} {word}" for word in ORDER if counts[word])


@dataclass(slots=True, eq=False)
class Leg(Entry):
    """One call of a plan."""

    key: str
    """Unique in its queue."""
    name: str
    """What it is about."""
    action: str
    """Id of the action."""
    thing: str
    """Row key of the action's target."""
    arguments: Mapping[str, Any]
    source: str = ""
    """Host a machine leaves."""
    target: str = ""
    """Host it goes to."""
    vm: str = ""
    memory: int = 0
    """Bytes of memory that travel."""
    copies: bool = False
    """Its files travel as well, and how large they are is not known."""
    why: str = ""
    gate: bool = False
    """Nothing after it begins before it is done."""
    call: str = ""
    """Id of the call, once there is one."""
    sent_at: float = 0.0
    ran: float = 0.0
    """Seconds its machine had run when it was last seen where it leaves."""

    @property
    def flying(self) -> bool:
        """Sent, and not over."""
        return bool(self.call) and not self.over

    @property
    def ahead(self) -> float:
        """Bytes of its memory that have not travelled yet."""
        result = self.result
        if self.over or (result is not None and result.phase is Phase.OBSERVED):
            return 0.0
        percent = (result.percent or 0) if result is not None else 0
        return self.memory * (1 - percent / 100)


@dataclass(slots=True, eq=False)
class Queue:
    """Legs in their order. ``cap`` of them are under way at once."""

    legs: list[Leg]
    cap: int = 2
    stop_on_failure: bool = True
    paused: bool = False
    why: str = ""
    """Why it is paused, when nobody asked for it."""
    title: str = ""
    told: bool = False
    """Its end has been reported."""
    began: float = 0.0
    _failures: set[str] = field(default_factory=set)
    """Keys of legs whose failure has been taken note of."""
    _stops: dict[str, str] = field(default_factory=dict)
    """Keys of legs whose failure stopped it, and why it is paused then."""
    _held: str | None = None
    """Why it would be paused without them; None when it would not be."""

    # -- looking ---------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        return all(leg.over for leg in self.legs)

    @property
    def flying(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.flying]

    @property
    def waiting(self) -> list[Leg]:
        return [leg for leg in self.legs if not leg.call and not leg.over]

    @property
    def stuck(self) -> bool:
        """Nothing is under way, and nothing will be unless somebody does something."""
        return self.over or (self.paused and not self.flying)

    def tally(self) -> str:
        return tally(self.legs)

    def leg(self, key: str) -> Leg | None:
        return next((leg for leg in self.legs if leg.key == key), None)

    def rate(self) -> float | None:
        """Bytes a second while any of those that arrived was on its way; None before the first
        has. What took its files along says nothing of that.
        """
        arrived = [leg for leg in self.legs if leg.fine and leg.memory and not leg.copies]
        spans = [(leg.sent_at, leg.result.at) for leg in arrived if leg.result is not None]
        seconds = _covered(spans)
        return sum(leg.memory for leg in arrived) / seconds if seconds > 0 else None

    def left(self) -> float | None:
        """Seconds to go, by what was measured so far; None when that cannot be told."""
        if any(leg.copies for leg in self.legs if not leg.over):
            return None
        rate, ahead = self.rate(), sum(leg.ahead for leg in self.legs)
        return ahead / rate if rate and ahead else None

    def before(self, leg: Leg) -> Leg | None:
        """The step its machine takes before this one."""
        earlier = self.legs[: self.legs.index(leg)] if leg.vm else []
        return next((one for one in reversed(earlier) if one.vm == leg.vm), None)

    # -- going on --------------------------------------------------------------------------

    def due(self) -> list[Leg]:
        """Legs that may be sent now, in their order. Whoever asks sends them, or lets them go."""
        self._note_failures()
        if self.paused:
            return []
        free = self.cap - len(self.flying)
        found: list[Leg] = []
        for leg in self.legs:
            if leg.call or leg.over:
                if leg.gate and not leg.over:
                    break
                continue
            if len(found) >= free or (leg.gate and (self.flying or found)):
                break
            if (before := self.before(leg)) is not None and not before.over:
                break
            found.append(leg)
            if leg.gate:
                break
        return found

    def sent(self, leg: Leg, call: str, now: float) -> None:
        """A leg has been sent."""
        leg.call, leg.sent_at, leg.dropped = call, now, ""
        leg.result = CallUpdate(
            call, leg.action, leg.source, leg.thing, leg.name, Phase.REQUESTED, now
        )
        self.began = self.began or now

    def let_go(self, leg: Leg, why: str) -> None:
        """A leg cannot be sent."""
        leg.dropped = why
        self._note_failures()

    def lost_to(self, leg: Leg, where: str) -> None:
        """Its machine went elsewhere by itself, or by somebody else."""
        leg.astray = where

    def heard(self, update: CallUpdate) -> bool:
        """What the collector says of a call; False when it is none of these. A doubt may still
        be settled.
        """
        leg = next((one for one in self.legs if one.call == update.id), None)
        if leg is None:
            return False
        if leg.result is None or leg.result.phase in _OPEN:
            leg.result = update
        self._note_failures()
        return True

    def _note_failures(self) -> None:
        """Stop after the first failure, where that is wanted; always where a gate has failed. A
        doubt that ended well stops nothing any more.
        """
        for leg in self.legs:
            if not leg.over or leg.fine or leg.astray or leg.key in self._failures:
                continue
            self._failures.add(leg.key)
            if leg.gate or self.stop_on_failure:
                self._stops[leg.key] = f"stopped: {leg.name} {leg.word}"
                self.paused, self.why = True, self._stops[leg.key]
        self._end_stops()

    def _end_stops(self) -> None:
        ended = [leg.key for leg in self.legs if leg.fine and leg.key in self._stops]
        for key in ended:
            del self._stops[key]
        if ended and self._stops:
            self.why = list(self._stops.values())[-1]
        elif ended:
            self.paused, self.why, self._held = self._held is not None, self._held or "", None

    # -- being told ------------------------------------------------------------------------

    def pause(self, why: str = "") -> None:
        """Send nothing more; what is under way goes on."""
        self.paused, self.why, self._held = True, why, why

    def go_on(self) -> None:
        """Send again; a gate that has failed must be retried first."""
        barred = next((leg for leg in self.legs if leg.gate and leg.over and not leg.fine), None)
        if barred is None:
            self.paused, self.why, self._held = False, "", None
            self._stops.clear()

    def retry(self, leg: Leg) -> bool:
        """Let a leg that has ended otherwise than done wait again; False when it may not. What
        became of an unknown one is not known: sending it again could start it twice.
        """
        if not leg.over or leg.fine or leg.word in ("unknown", "elsewhere"):
            return False
        leg.call, leg.result, leg.dropped, leg.overdue = "", None, "", False
        self._failures.discard(leg.key)
        self.go_on()
        self.told = False
        return True

    def drop(self, why: str) -> None:
        """Nothing that waits is sent any more."""
        for leg in self.waiting:
            leg.dropped = why
            self._failures.add(leg.key)

    def settle(
        self,
        seen_on: Callable[[str], tuple[str, float]],
        left: Callable[[str, str, float], bool],
        now: float,
    ) -> None:
        """A machine has arrived once it is seen where it was to go. A doubt ends when it has left
        its source as well. ``seen_on``: the host a machine is on, and when that was read;
        ``left``: a host, read later than that, does not list a machine.
        """
        for leg in self.legs:
            if leg.result is None or not leg.vm or not leg.result.phase.final:
                continue
            if leg.fine or leg.astray:
                continue
            host, read_at = seen_on(leg.vm)
            if leg.result.phase is Phase.OBSERVED:
                leg.arrived = host == leg.target
                leg.overdue = not leg.arrived and now - leg.result.at > ARRIVAL
            elif (
                host == leg.target
                and leg.in_doubt
                and read_at > leg.result.at
                and left(leg.vm, leg.source, leg.result.at)
            ):
                leg.result, leg.arrived = _observed(leg.result, read_at), True
        self._note_failures()


_OPEN = (Phase.REQUESTED, Phase.ACCEPTED, Phase.UNKNOWN)


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds that lie in any of the spans."""
    seconds, until = 0.0, float("-inf")
    for begin, end in sorted(spans):
        seconds += max(0.0, end - max(begin, until))
        until = max(until, end)
    return seconds


def _observed(update: CallUpdate, at: float) -> CallUpdate:
    return CallUpdate(
        update.id, update.action, update.host, update.target, update.name, Phase.OBSERVED, at
    )

"""Plans as rows and lines: moves, machines that stay, hosts before and after, what would fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tui.hyperv.plans.capacity import Pool, Room
from tui.hyperv.plans.draining import Drain, Stay
from tui.hyperv.plans.placing import CROWDED, Place
from tui.hyperv.plans.spare import AS_FAR
from tui.hyperv.plans.step import Step
from tui.hyperv.plans.words import listed, several
from tui.hyperv.preflight import Verdict
from tui.rows import levels, text
from tui.rows.column import Cell, Column, plain
from tui.rows.moves import VERDICTS, WAYS
from tui.store.queue import Leg

TONES = {
    "done": "ok", "under way": "changing", "waiting": "dim", "elsewhere": "warning",
    "failed": "error", "refused": "warning", "unknown": "warning", "not sent": "warning",
}  # fmt: skip
"""How a leg of a run is drawn, by the word for where it stands."""

Line = Leg | Stay
"""A line of a plan: what moves, and what does not."""


# -- legs of a run -------------------------------------------------------------------------


def stands(line: Line) -> Cell:
    """Where a leg stands, with its percentage while it is under way."""
    if isinstance(line, Stay):
        return Cell("stays", "dim") if line.harmless else Cell("cannot move", "error")
    leg = line
    word, result = leg.word, leg.result
    percent = result.percent if result is not None and not leg.over else None
    said = f"{word} {percent}%" if percent is not None else word
    return Cell(said, TONES[word])


def reason(line: Line) -> str:
    """Why it stands there; what the move is for while nothing has happened."""
    if isinstance(line, Stay):
        return line.why
    leg = line
    if leg.dropped or leg.astray:
        return leg.dropped or leg.astray
    if leg.overdue:
        return f"the host took it, and {leg.target} has not shown it yet"
    trouble = leg.result.trouble if leg.result is not None else None
    if trouble is not None:
        return " - ".join(filter(None, (text.trouble(trouble), trouble.hint)))
    return leg.why


def _place(attribute: str) -> Callable[[Line], str]:
    return lambda line: str(getattr(line, attribute)) if isinstance(line, Leg) else ""


def _memory(line: Line) -> int | None:
    return (line.memory or None) if isinstance(line, Leg) else None


LEG_COLUMNS: tuple[Column[Line], ...] = (
    Column("name", "Machine", lambda line: line.name, plain(lambda line: line.name),
           18, 10, priority=0, grow=True),
    Column("source", "From", _place("source"), plain(_place("source")), 8, 6, priority=3),
    Column("target", "To", _place("target"), plain(_place("target")), 8, 6, priority=1),
    Column("memory", "Memory", _memory, plain(lambda line: text.size(_memory(line))),
           8, right=True, priority=4),
    Column("state", "Result", lambda line: stands(line).text, stands, 14, 10, priority=0,
           flash=True),
    Column("why", "Why", reason, plain(reason), 34, 12, priority=2, grow=True, prose=True),
)  # fmt: skip
LEG_DEFAULT = tuple(column.id for column in LEG_COLUMNS)


def leg_record(leg: Leg) -> dict[str, Any]:
    """One leg, for programs."""
    why = leg.result.trouble if leg.result is not None else None
    return {
        "action": leg.action,
        "name": leg.name,
        "vm": leg.vm,
        "from": leg.source,
        "to": leg.target,
        "memory": leg.memory,
        "result": leg.word,
        "why": reason(leg),
        "code": why.code if why else 0,
    }


def stay_record(stay: Stay) -> dict[str, Any]:
    """A machine that does not move, for programs."""
    return {"name": stay.name, "vm": stay.vm, "why": stay.why, "fix": stay.fix,
            "harmless": stay.harmless}  # fmt: skip


# -- a drain in words ----------------------------------------------------------------------


def duration(plan: Drain) -> str:
    """How long it takes, and how that is known."""
    if plan.seconds is not None:
        return f"at least {text.uptime(max(1, plan.seconds))} at {plan.pace.source}"
    if plan.pace.rate is not None:
        return "not known: files are copied as well, and how large they are has not been read"
    return plan.pace.source


def headline(plan: Drain) -> str:
    """``NODE2: 18 moves, 96 GB; 2 cannot move, 3 stay``."""
    words = [f"{len(plan.steps)} to move, {text.size(plan.memory)}"]
    harmless = len(plan.stays) - len(plan.held_up)
    if plan.held_up:
        words.append(f"{len(plan.held_up)} cannot")
    if harmless:
        words.append(several(harmless, "stays", "stay"))
    return f"{plan.name}: {', '.join(words)}"


def facts(plan: Drain) -> list[tuple[str, str, str]]:
    """What a drain means: heading, words, tone."""
    found = [("Time", duration(plan), "")]
    for at, line in enumerate(plan.votes):
        words = line.removeprefix("Votes now: ")
        found.append(("Votes now" if at == 0 else "", words, "" if plan.quorate else "error"))
    for line in plan.remarks:
        tone = "warning" if plan.strands else ""
        found.append(("Meanwhile", line.removeprefix("Memory: "), tone))
    if plan.volumes:
        found.append(("CSVs owned", ", ".join(plan.volumes), ""))
    for at, line in enumerate(plan.jobs):
        found.append(("Under way" if at == 0 else "", line, "warning"))
    return found


def lines(plan: Drain) -> list[str]:
    """The whole plan as text."""
    found = [headline(plan)]
    found += [f"  {f'{head}: ' if head else ''}{words}" for head, words, _ in facts(plan)]
    for step in plan.steps:
        size = f", {text.size(step.memory)}" if step.memory else ""
        found.append(f"  {step.name} to {step.target} ({WAYS[step.move]}{size}): {step.why}")
        found += [f"    warn: {cause.text}" for cause in step.warnings]
    for stay in plan.stays:
        word = "stays" if stay.harmless else "cannot move"
        found.append(f"  {stay.name} {word}: {stay.why}")
        if stay.fix:
            found.append(f"    {stay.fix}")
    return found


# -- hosts before and after ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Before:
    """A host in a plan of balance, as parts of one."""

    host: str
    memory: tuple[float, float]
    """Now, and after it."""
    cpu: tuple[float, float]


def before_after(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Before]:
    """Every host of a plan, by name."""
    return [
        Before(host, (load.memory, after[host].memory), (load.cpu, after[host].cpu))
        for host, load in before.items()
        if host in after
    ]


# -- steps to be taken or left -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Take:
    """A step of a plan, taken or left out."""

    step: Step
    taken: bool
    against: str = ""
    """Why it cannot be taken with the others that are."""


def _taken(take: Take) -> Cell:
    if take.against:
        return Cell("cannot", "error")
    return Cell("take", "ok") if take.taken else Cell("leave", "dim")


def _for(take: Take) -> str:
    return take.against or take.step.why


TAKE_COLUMNS: tuple[Column[Take], ...] = (
    Column("take", "Move", lambda take: take.taken, _taken, 6, priority=0),
    Column("name", "Machine", lambda take: take.step.name, plain(lambda take: take.step.name),
           18, 10, priority=0, grow=True),
    Column("source", "From", lambda take: take.step.source, plain(lambda take: take.step.source),
           8, 6, priority=1),
    Column("target", "To", lambda take: take.step.target, plain(lambda take: take.step.target),
           8, 6, priority=0),
    Column("memory", "Memory", lambda take: take.step.memory,
           plain(lambda take: text.size(take.step.memory)), 8, right=True, priority=3),
    Column("how", "How", lambda take: WAYS[take.step.move],
           plain(lambda take: WAYS[take.step.move]), 12, 4, priority=4),
    Column("why", "Why", _for, plain(_for), 34, 12, priority=2, grow=True, prose=True),
)  # fmt: skip


NOTHING = {
    False: "The hosts are even: nothing is to be moved",
    True: "No host can be emptied onto the others and one still be lost",
}
"""Why there is no move, by whether it is to free hosts."""


def step_record(step: Step) -> dict[str, Any]:
    """A step of a plan, for programs."""
    return {
        "name": step.name,
        "vm": step.vm,
        "from": step.source,
        "to": step.target,
        "memory": step.memory,
        "how": WAYS[step.move],
        "why": step.why,
        "warnings": [cause.text for cause in step.warnings],
    }


# -- rooms ---------------------------------------------------------------------------------


def _lost(room: Room) -> Cell:
    """What the death of a host would do, in a few words."""
    loss = room.loss
    words = []
    if loss.restarts:
        words.append(several(len(loss.restarts) - len(loss.stranded), "restarts", "restart"))
    if loss.stranded:
        find = several(len(loss.stranded), "finds", "find")
        words.append(f"{find} no {'known ' if loss.partly else ''}room")
    if loss.ends:
        words.append(f"{len(loss.ends)} lost")
    grave = loss.stranded and not loss.partly
    tone = "error" if grave else "warning" if loss.stranded or loss.ends else ""
    return Cell(", ".join(words) or "nothing runs", tone if words else "dim")


def _promised(room: Room) -> Cell:
    promised = room.overcommit * 100
    return Cell(text.percent(promised), levels.tone("memory_promised", promised))


def _crowd(room: Room) -> Cell:
    return Cell(f"{room.crowd:.1f}", "warning" if room.crowd > CROWDED else "")


def _used(room: Room) -> Cell:
    part = room.load.memory
    return Cell(text.percent(part * 100), levels.tone("host_memory", part * 100), part)


def _fits(room: Room) -> Cell:
    return Cell(room.closed, "warning") if room.closed else Cell(str(room.fits))


ROOM_COLUMNS: tuple[Column[Room], ...] = (
    Column("host", "Host", lambda room: room.host, plain(lambda room: room.host),
           12, 8, priority=0),
    Column("memory", "Memory", lambda room: room.memory,
           plain(lambda room: text.size(room.memory)), 8, right=True, priority=3),
    Column("used", "Used", lambda room: room.load.memory, _used, 10, 5, right=True, priority=0),
    Column("free", "Free", lambda room: room.free, plain(lambda room: text.size(room.free)),
           8, right=True, priority=1),
    Column("promised", "Promised", lambda room: room.overcommit, _promised, 8, right=True,
           priority=1),
    Column("cpu", "CPU", lambda room: room.load.cpu,
           plain(lambda room: text.percent(room.load.cpu * 100)), 5, right=True, priority=2),
    Column("crowd", "vCPU/LP", lambda room: room.crowd, _crowd, 8, right=True, priority=1),
    Column("fits", "Fits", lambda room: room.fits, _fits, 6, 4, right=True, priority=0),
    Column("lost", "If it dies", lambda room: room.loss.lacking, _lost, 28, 16, priority=0,
           grow=True),
)  # fmt: skip


def pool_fact(pool: Pool) -> tuple[str, str, str]:
    """A cluster, or the hosts without one, in a line."""
    if not pool.cluster:
        return "No cluster", f"{pool.fits} fit; what runs on a host ends with it", ""
    if pool.strangers:
        names = listed(pool.strangers)
        words = f"{pool.fits} fit{AS_FAR}: nothing is known of {names}"
        return pool.cluster, f"{words}; whether it survives the loss of a node is open", "warning"
    if pool.lacking:
        words = f"{text.size(pool.lacking)} of memory would be missing if the worst node died"
        return pool.cluster, f"{words}; {pool.fits} fit without making that worse", "error"
    return pool.cluster, f"{pool.fits} fit, and it still survives the loss of any one node", ""


# -- places --------------------------------------------------------------------------------


def _verdict(place: Place) -> Cell:
    state = VERDICTS[place.verdict]
    return Cell(str(state), state.tone)


def _words(place: Place) -> str:
    return "; ".join(place.reasons)


PLACE_COLUMNS: tuple[Column[Place], ...] = (
    Column("host", "Host", lambda one: one.host, plain(lambda one: one.host), 12, 8, priority=0),
    Column("verdict", "Place", lambda one: one.verdict, _verdict, 9, priority=0),
    Column("left", "Left", lambda one: one.left, plain(lambda one: text.size(max(0, one.left))),
           9, right=True, priority=1),
    Column("cpu", "CPU", lambda one: one.load.cpu,
           plain(lambda one: text.percent(one.load.cpu * 100)), 5, right=True, priority=2),
    Column("crowd", "vCPU/LP", lambda one: one.crowd, plain(lambda one: f"{one.crowd:.1f}"),
           8, right=True, priority=3),
    Column("why", "Why", _words, plain(_words), 50, 20, priority=1, grow=True, prose=True),
)  # fmt: skip


def best_fact(best: Place) -> tuple[str, str, str]:
    """The first of the places: heading, words, tone."""
    state = VERDICTS[best.verdict]
    where = best.host if best.verdict is not Verdict.FAIL else "no host"
    return "Best", f"{where} ({state.word}): {'; '.join(best.reasons)}", state.tone

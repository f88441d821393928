"""Where machines could go, as rows: hosts with the worst that speaks against each, and causes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tui.actions import Target, trips
from tui.actions.trips import Values
from tui.collector.messages import Answer
from tui.hyperv import preflight
from tui.hyperv.model import Host
from tui.hyperv.preflight import Cause, Move, Trip, Verdict
from tui.rows import text
from tui.rows.column import Cell, Column, plain
from tui.rows.text import State

Answers = Mapping[tuple[str, str], Answer]
"""What hosts said, by GUID and destination."""

VERDICTS: Mapping[Verdict, State] = {
    Verdict.PASS: State("✓", "+", "pass", "ok"),
    Verdict.WARN: State("!", "!", "warn", "warning"),
    Verdict.FAIL: State("✗", "x", "fail", "error"),
}
_YES, _NO = State("✓", "+", "yes", "ok"), State("✗", "x", "no", "error")
UNASKED = State("·", ".", "not asked", "dim")
ASKED = State("…", "..", "asking", "dim")
SILENT = State("·", ".", "cluster", "dim")
"""Roles are moved by their cluster, which gives no verdict beforehand."""
WAYS: Mapping[Move, str] = {
    Move.LIVE: "live",
    Move.BOTH: "with storage",
    Move.OFFLINE: "offline",
    Move.CLUSTER: "as role",
    Move.STORAGE: "storage",
}


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One cause of one machine."""

    key: str
    name: str
    """The machine's."""
    cause: Cause
    title: str = ""

    @property
    def verdict(self) -> Verdict:
        return self.cause.verdict


@dataclass(frozen=True, slots=True)
class Going:
    """A machine and one host it could go to."""

    target: Target
    way: Trip
    causes: tuple[Cause, ...]
    answer: Answer | None = None

    @property
    def askable(self) -> bool:
        """Its host can say beforehand whether it would."""
        return self.way.move is not Move.CLUSTER

    @property
    def ours(self) -> Verdict:
        """What the preflight finds."""
        return preflight.worst(self.causes)

    @property
    def verdict(self) -> Verdict:
        """What counts: the host's own word wins over ours."""
        said = self.answer.verdict if self.answer is not None else None
        if said is None:
            return self.ours
        return min(self.ours, Verdict.WARN) if said.allowed else Verdict.FAIL

    @property
    def overruled(self) -> bool:
        """The host would, although we find reasons against it."""
        return self.ours is Verdict.FAIL and self.verdict is not Verdict.FAIL


@dataclass(frozen=True, slots=True)
class HostLine:
    """A host and everything that is to go there."""

    key: str
    host: Host
    going: tuple[Going, ...]
    asked: bool = False
    """Its word is awaited."""

    @property
    def verdict(self) -> Verdict:
        return max((one.verdict for one in self.going), default=Verdict.PASS)

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.going)

    @property
    def left(self) -> int | None:
        """Bytes of memory free when all have come."""
        return preflight.left(self.going[-1].way) if self.going else None

    @property
    def ways(self) -> str:
        return ", ".join(sorted({WAYS[one.way.move] for one in self.going}))

    @property
    def reason(self) -> str:
        """The gravest reason of the machine that fares worst."""
        one = max(self.going, key=lambda one: one.verdict, default=None)
        if one is None:
            return ""
        said = one.answer.verdict if one.answer is not None else None
        if said is not None and not said.allowed and one.ours is not Verdict.FAIL:
            return said.reasons[-1] if said.reasons else "the host refuses"
        found = trips.gravest(one.causes)
        return found.text if found is not None and found.verdict else ""


# -- lines ---------------------------------------------------------------------------------


def host_lines(
    targets: Sequence[Target],
    values: Values,
    answers: Answers,
    asked: Iterable[tuple[str, str]] = (),
) -> list[HostLine]:
    """Every host at least one of the machines is not on, the best first."""
    if not targets:
        return []
    waiting = set(asked)
    hosts = trips.fleet(targets[0])
    held = [replace(target, fleet=lambda: hosts) for target in targets]
    lines = [
        line
        for host in sorted(hosts)
        if (line := _host_line(host, held, values, answers, waiting)) is not None
    ]
    return sorted(lines, key=lambda line: (line.verdict, line.count(Verdict.FAIL)))


def _host_line(
    host: str,
    targets: Sequence[Target],
    values: Values,
    answers: Answers,
    asked: set[tuple[str, str]],
) -> HostLine | None:
    going: list[Going] = []
    added = 0
    for target in targets:
        there = trips.destinations(target).get(host)
        way = trips.trip(target, there, values) if there is not None else None
        if way is None:
            continue
        way = replace(way, added=added)
        added += preflight.needed(way)
        answer = answers.get((target.id, host))
        going.append(Going(target, way, preflight.judge(way), answer))
    if not going:
        return None
    open_ = any((one.target.id, host) in asked and one.answer is None for one in going)
    return HostLine(host, going[0].way.there, tuple(going), open_)


def cause_lines(line: HostLine) -> list[CauseLine]:
    """What the host itself says, then every cause, the worst first; of a set machine by machine."""
    found: list[CauseLine] = []
    for one in line.going:
        id_, name = one.target.id, one.target.name
        found += _said(one)
        for number, cause in enumerate(one.causes):
            title = preflight.CAUSES[cause.id]
            found.append(CauseLine(f"{id_}:{cause.id}:{number}", name, cause, title))
    several = len(line.going) > 1
    if several:
        found = [one for one in found if one.verdict]
    return sorted(found, key=lambda one: (not one.title.startswith("Host"), -one.verdict))


def _said(one: Going) -> list[CauseLine]:
    """The host's own words as lines like ours."""
    answer, name = one.answer, one.target.name
    if answer is None:
        return []
    key = f"{one.target.id}:host"
    here = one.target.host.id
    if answer.verdict is None:
        why = text.trouble(answer.trouble)
        cause = Cause("host", Verdict.WARN, f"{here} gave no verdict: {why}")
        return [CauseLine(key, name, cause, "Host")]
    if answer.verdict.allowed:
        more = ", although hvdeck finds reasons against it" if one.overruled else ""
        cause = Cause("host", Verdict.PASS, f"{here} says that {name} can move now{more}")
        return [CauseLine(key, name, cause, "Host")]
    return [
        CauseLine(f"{key}:{number}", name, Cause("host", Verdict.FAIL, reason), "Host says")
        for number, reason in enumerate(reversed(answer.verdict.reasons or ("it cannot move",)))
    ]


# -- columns -------------------------------------------------------------------------------


def _verdict(line: HostLine) -> Cell:
    if len(line.going) == 1:
        state = VERDICTS[line.verdict]
        return Cell(str(state), state.tone)
    counts = [
        f"{line.count(verdict)} {VERDICTS[verdict].word}"
        for verdict in (Verdict.FAIL, Verdict.WARN, Verdict.PASS)
        if line.count(verdict)
    ]
    state = VERDICTS[line.verdict]
    sign = str(state).partition(" ")[0]
    return Cell(f"{sign} {', '.join(counts)}", state.tone)


def _host_says(line: HostLine) -> Cell:
    answers = [one.answer for one in line.going if one.answer is not None]
    if not any(one.askable for one in line.going):
        return Cell(str(SILENT), SILENT.tone)
    if not answers:
        state = ASKED if line.asked else UNASKED
        return Cell(str(state), state.tone)
    verdicts = [answer.verdict for answer in answers]
    if None in verdicts:
        return Cell("no word", "warning")
    yes = sum(1 for one in verdicts if one is not None and one.allowed)
    if len(line.going) > 1:
        return Cell(f"{yes} of {len(line.going)} yes", "ok" if yes == len(line.going) else "error")
    said = _YES if yes else _NO
    return Cell(str(said), said.tone)


def _left(line: HostLine) -> Cell:
    left = line.left
    tone = "" if left is None or left >= 0 else "error"
    return Cell("-" + text.size(-left) if left is not None and left < 0 else text.size(left), tone)


HOST_COLUMNS: tuple[Column[HostLine], ...] = (
    Column("host", "Host", lambda row: row.key, plain(lambda row: row.key), 14, 8, priority=0),
    Column("verdict", "Verdict", lambda row: int(row.verdict), _verdict, 10, 8, priority=0,
           flash=True),
    Column("says", "Host says", lambda row: _host_says(row).text, _host_says, 11, 11, priority=1,
           flash=True),
    Column("ways", "How", lambda row: row.ways, plain(lambda row: row.ways), 12, 12, priority=2),
    Column("left", "Free after", lambda row: row.left, _left, 10, 9, right=True, priority=1),
    Column("why", "Why", lambda row: row.reason, plain(lambda row: row.reason), 40, 12, priority=1,
           grow=True, prose=True),
)  # fmt: skip
SET_COLUMNS: tuple[Column[HostLine], ...] = tuple(
    replace(column, width=24, minimum=16) if column.id == "verdict" else column
    for column in HOST_COLUMNS
)
"""The same for several machines, whose verdicts are counted."""


def _cause_verdict(line: CauseLine) -> Cell:
    state = VERDICTS[line.verdict]
    return Cell(str(state), state.tone)


CAUSE_COLUMNS: tuple[Column[CauseLine], ...] = (
    Column("cause", "Cause", lambda row: row.title, plain(lambda row: row.title), 12, 10,
           priority=0),
    Column("verdict", "Verdict", lambda row: int(row.verdict), _cause_verdict, 7, 7, priority=0),
    Column("why", "Reason", lambda row: row.cause.text, plain(lambda row: row.cause.text), 50, 20,
           priority=0, grow=True, prose=True),
)  # fmt: skip
SET_CAUSES: tuple[Column[CauseLine], ...] = (
    Column("name", "Machine", lambda row: row.name, plain(lambda row: row.name), 14, 8, priority=0),
    *CAUSE_COLUMNS,
)

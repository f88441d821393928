"""Tells when the state of something watched changes, once and not for every flicker.

Hosts and failover clusters are always watched for being there at all; in full is watched what
the configuration names or somebody chose. What a host says counts at once; a load only when it
has lasted; and nothing is well again before it has been so for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tui.hyperv import quorum
from tui.hyperv.meters import Look
from tui.hyperv.model import Link, Volume
from tui.rows import levels, text
from tui.rows.amounts import brief
from tui.rows.clusterfindings import remarks_of
from tui.rows.findings import finding
from tui.rows.hostfindings import host_finding
from tui.rows.meters import pressure
from tui.store import Changes, HostRow, Notice, Stale, Store, VmRow
from tui.store.groups import PREFIX
from tui.store.space import space_key

LASTING: Final = 10.0
"""Seconds a load must be beyond a level before it counts."""
SETTLED: Final = 30.0
"""Seconds a state must be better before it counts as left."""
QUIET: Final = 10.0
"""Seconds between two messages at least; what changes meanwhile is told together."""
FORGOTTEN: Final = 600.0
"""Seconds after which the state of what is gone is forgotten."""
SLICE: Final = 200
"""Rows looked at a second though nothing was told of them: time alone makes some worse."""
_SHOWN: Final = 3


class Judgement(NamedTuple):
    """How bad something is, as a place in ``levels.TONES``, and why."""

    grade: int = 0
    why: str = ""
    gone: bool = False
    """It is not there at all."""


WELL: Final = Judgement()


@dataclass(slots=True)
class _Better:
    """A better state: since when, and the worst there was in it."""

    since: float
    worst: Judgement


class Latch:
    """The state of one thing as it was last told."""

    def __init__(self, state: Judgement, now: float, *, informed: bool = True) -> None:
        """``informed``: all there is to know was known."""
        self.state = state
        self.informed = informed
        self.seen = now
        self._above: tuple[float, Judgement] | None = None
        """Since when a load is worse than the state, and the least it was."""
        self._better: _Better | None = None

    @property
    def restless(self) -> bool:
        """It may change by the passing of time alone."""
        return self._above is not None or self._better is not None

    def rest(self) -> None:
        """Nothing is known for a while."""
        self._above = self._better = None

    def step(self, now: float, said: Judgement, load: Judgement = WELL) -> bool:
        """``said`` counts at once, ``load`` when it has lasted; whether the state is another."""
        self.seen = now
        before = self.state.grade
        if said.grade > before:
            self._turn(said)
        elif load.grade > before:
            self._rise(now, load)
        else:
            self._above = None
        if max(said.grade, load.grade) >= self.state.grade:
            self._better = None
        else:
            self._sink(now, max(said, load))
        return self.state.grade != before

    def _turn(self, state: Judgement) -> None:
        self.state = state
        self.rest()

    def _rise(self, now: float, load: Judgement) -> None:
        since, least = self._above or (now, load)
        least = min(least, load)
        self._above = (since, least)
        if now - since >= LASTING:
            self._turn(least)

    def _sink(self, now: float, better: Judgement) -> None:
        if self._better is None:
            self._better = _Better(now, better)
        self._better.worst = max(self._better.worst, better)
        if now - self._better.since >= SETTLED:
            self._turn(self._better.worst)


# -- how things stand ----------------------------------------------------------------------


def _of(tone: str, why: str) -> Judgement:
    return Judgement(levels.TONES.index(tone), why) if tone else WELL


Load = tuple[str, float | None, str, Callable[[float | None], str]]
"""Measure, value, what it is called, and how the value is written."""


def _worst(found: Iterable[Load]) -> Judgement:
    """The worst of several measures."""
    worst = WELL
    for measure, value, word, written in found:
        grade = levels.TONES.index(levels.tone(measure, value))
        if grade > worst.grade:
            worst = Judgement(grade, f"{word} {written(value)}")
    return worst


def judge_vm(store: Store, row: VmRow) -> tuple[Judgement, Judgement] | None:
    """What is said of a machine, and its load; None while its host does not answer."""
    if row.stale >= Stale.LOST:
        return None
    found = finding(row)
    said = _of(found.tone, found.words) if found else WELL
    if row.meter is not None and row.meter.paged:
        said = max(said, _of(levels.severity("smart_paging"), "runs out of a smart paging file"))
    return said, _worst(_loads_of(store, row))


def _loads_of(store: Store, row: VmRow) -> Iterator[Load]:
    """The finer ones are known while the machine is measured."""
    yield "vm_cpu", row.vitals.cpu, "CPU", text.percent
    yield "memory_demand", pressure(row), "demand", text.percent
    if row.meter is not None:
        yield "processor_wait", row.meter.wait, "waits for a processor", brief
    for disk in store.measured.rows_of(Look.DISKS, row.host.id):
        if disk.meter.vm == row.vm.id and disk.stale < Stale.LOST:
            yield "disk_latency", disk.meter.latency, "disk latency", brief


def judge_host(store: Store, row: HostRow) -> tuple[Judgement, Judgement] | None:
    """The same of a host; None before it has answered or failed to."""
    if row.vitals.link is Link.CONNECTING:
        return None
    found = host_finding(row) if row.watch or row.down else None
    said = _of(found.tone, found.words) if found else WELL
    if row.down or not row.watch:
        return said._replace(gone=row.down), WELL
    used = text.host_memory(row.host, row.vitals)
    loads: list[Load] = [
        ("host_cpu", row.vitals.cpu, "CPU", text.percent),
        ("host_memory", used, "memory", text.percent),
    ]
    filling = (_filling(store, row, volume) for volume in row.host.volumes)
    return said, _worst((*loads, *filling))


def _filling(store: Store, row: HostRow, volume: Volume) -> Load:
    """How soon a volume is full at the rate it grows."""
    trend = store.space.growth(space_key(row.host, volume.name)).trend
    left = trend.reaches(volume.free) if trend is not None else None
    return "time_to_full", left, f"{volume.name} full in", text.age


def judge_cluster(store: Store, row: HostRow) -> tuple[Judgement, Judgement] | None:
    """The same of a failover cluster: quorum and that a node answers; in full all findings."""
    if row.vitals.link is Link.CONNECTING:
        return None
    if not row.up:
        return Judgement(2, "no node answers", gone=True), WELL
    told = store.clusters.known.get(row.host.cluster)
    if told is None:
        return WELL, WELL
    now = quorum.tally(told.cluster)
    if not now.held:
        return Judgement(2, f"no quorum: {now}", gone=True), WELL
    if not row.watch:
        return WELL, WELL
    found = [_of(one.tone, one.says) for one in remarks_of(told.cluster) if one.tone != "accent"]
    return max(found, key=lambda one: one.grade, default=WELL), WELL


# -- watching ------------------------------------------------------------------------------


class Watcher:
    """Keeps the state of everything watched."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._latches: dict[str, Latch] = {}
        self._count = 0
        self._at = 0

    def look(self, changes: Changes, now: float) -> list[Notice]:
        """What is in another state since rows changed; rows that show it are noted as changed."""
        keys = changes.hosts.added | changes.hosts.changed
        if self._store.watches:
            keys |= changes.vms.added | changes.vms.changed
        if changes.nodes or changes.volumes or changes.roles or changes.hosts:
            keys |= self._store.groups.rows.keys()
        return self._judge_all(keys, changes, now)

    def tick(self, changes: Changes, now: float) -> list[Notice]:
        """What is in another state because time has passed."""
        keys = [key for key, latch in self._latches.items() if latch.restless]
        keys += self._slice()
        found = self._judge_all(dict.fromkeys(keys), changes, now)
        gone = [key for key, latch in self._latches.items() if now - latch.seen > FORGOTTEN]
        for key in gone:
            if self._store.row(key) is None:
                del self._latches[key]
        return found

    def _slice(self) -> list[str]:
        """Some of all that is watched, in turn."""
        keys = list(self._latches)
        if len(keys) <= SLICE:
            return keys
        self._at %= len(keys)
        some = (keys + keys)[self._at : self._at + SLICE]
        self._at += SLICE
        return some

    def _judge_all(self, keys: Iterable[str], changes: Changes, now: float) -> list[Notice]:
        return [notice for key in keys for notice in self._judge(key, changes, now)]

    def _judge(self, key: str, changes: Changes, now: float) -> Iterator[Notice]:
        row = self._store.row(key)
        if not isinstance(row, VmRow | HostRow):
            return
        if not row.watch and (isinstance(row, VmRow) or key == PREFIX):
            self._latches.pop(key, None)
            return
        latch, judged = self._latches.get(key), self._judgement(row)
        if judged is None:
            if latch is not None:
                latch.rest()
            return
        informed = self._informed(row)
        if latch is None or (informed and not latch.informed):
            # What is wrong from the start becomes known part by part; it is no change.
            latch = self._latches[key] = Latch(max(judged), now, informed=informed)
        before = latch.state
        if latch.step(now, *judged):
            yield self._notice(row, latch.state, now, told=latch.state.gone or before.gone)
        tone = levels.TONES[latch.state.grade] or "ok"
        if row.watch and row.watch != tone:
            row.watch = tone
            changes.touch_row(key, row)

    def _judgement(self, row: VmRow | HostRow) -> tuple[Judgement, Judgement] | None:
        if isinstance(row, VmRow):
            return judge_vm(self._store, row)
        return judge_cluster(self._store, row) if row.group else judge_host(self._store, row)

    def _informed(self, row: VmRow | HostRow) -> bool:
        """Settings, volumes and clusters are told later than states and loads."""
        if isinstance(row, VmRow):
            return row.vm.complete
        if row.group:
            return row.host.cluster in self._store.clusters.known
        return bool(row.host.os)

    def _notice(self, row: VmRow | HostRow, state: Judgement, now: float, *, told: bool) -> Notice:
        self._count += 1
        tone = levels.TONES[state.grade] or "ok"
        host = row.host.id if isinstance(row, VmRow) else "" if row.group else row.host.id
        name = row.vm.name if isinstance(row, VmRow) else row.host.name if row.group else host
        return Notice(f"watch:{self._count}", now, name, host, row.key, tone, state.why, told)


@dataclass(slots=True)
class Herald:
    """Gathers notices into messages that come one by one, with a pause between."""

    waiting: list[Notice] = field(default_factory=list)
    last: float = float("-inf")

    def add(self, notices: Iterable[Notice]) -> None:
        self.waiting += notices

    def due(self, now: float) -> list[Notice]:
        """What is to be told now, together."""
        # A clock that was set back must not silence anything for long.
        if not self.waiting or 0 <= now - self.last < QUIET:
            return []
        newest = {notice.target: notice for notice in self.waiting}
        self.waiting, self.last = [], now
        return list(newest.values())


def summary(notices: list[Notice]) -> str:
    """One sentence for all of them, the worst first."""
    worst = sorted(notices, key=lambda one: -levels.TONES.index(one.tone.replace("ok", "")))
    more = len(worst) - _SHOWN
    words = "; ".join(notice.words for notice in worst[:_SHOWN])
    return words + (f"; and {more} more" if more > 0 else "")


def worse(notices: Iterable[Notice]) -> bool:
    """Whether any of them tells of something wrong."""
    return any(notice.tone != "ok" for notice in notices)

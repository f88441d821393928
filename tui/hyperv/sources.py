"""TABLE: what a fast tick may read besides the summaries, and in which turn.

A tick asks a few questions, whatever there is to ask: sources take turns, the most overdue
first. Those that only somebody who looks needs are not read at all while nobody does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tui.hyperv import counters, queries
from tui.hyperv.ask import Query
from tui.hyperv.meters import Look


@dataclass(frozen=True, slots=True)
class Source:
    """One class to read. Without a ``look`` it is always read."""

    query: Query
    every: int = 1
    """In how many fast ticks it wants one reading."""
    look: Look | None = None
    """The group it is read for."""
    serves: str = ""
    """The plain source of the same class that it makes needless."""
    clustered: bool = False
    """Only nodes of a cluster have it."""


def _fine(class_name: str, look: Look, serves: str = "", *, clustered: bool = False) -> Source:
    return Source(queries.FINE_COUNTERS[class_name], 1, look, serves, clustered)


SOURCES: Mapping[str, Source] = {
    "cpu": Source(queries.PROCESSOR_COUNTER, 2),
    "jobs": Source(queries.JOBS, 2),
    "net": Source(queries.ADAPTER_COUNTER, 3),
    "disk": Source(queries.STORAGE_COUNTER, 3),
    "memory": Source(queries.FREE_MEMORY, 6),
    "disks": _fine(counters.STORAGE, Look.DISKS, "disk"),
    "adapters": _fine(counters.ADAPTER, Look.ADAPTERS, "net"),
    "switches": _fine(counters.SWITCH, Look.SWITCHES),
    "uplinks": _fine(counters.UPLINK, Look.UPLINKS),
    "volumes": _fine(counters.VOLUME, Look.VOLUMES),
    "shared volumes": _fine(counters.SHARED_VOLUME, Look.VOLUMES, clustered=True),
    "processors": _fine(counters.VIRTUAL_PROCESSOR, Look.PROCESSORS),
    "pressure": _fine(counters.MEMORY, Look.MEMORY),
    "balancer": _fine(counters.BALANCER, Look.MEMORY),
}

_ALWAYS = 2.0
"""How much more what is always read counts than what is only looked at: that stretches more."""
_NEVER = -max(source.every for source in SOURCES.values())


class Rotation:
    """Whose turn it is."""

    def __init__(self, is_absent: Callable[[Query], bool]) -> None:
        self._is_absent = is_absent
        self._read_in: dict[str, int] = {}

    def turn(
        self, tick: int, slots: int, looks: Collection[Look], *, urgent: str, clustered: bool
    ) -> list[str]:
        """The sources to read in this tick, the most overdue of those wanted; ``urgent`` first."""
        wanted = self.wanted(looks, clustered=clustered)
        looked = [name for name in wanted if SOURCES[name].look is not None]
        weights = {name: _ALWAYS / SOURCES[name].every for name in wanted}
        weights |= dict.fromkeys(looked, 1.0)
        if len(looked) == 1:
            weights[looked[0]] = 2 * _ALWAYS  # one alone is read in every tick with room for it
        if urgent in weights:
            weights[urgent] = _ALWAYS
        due = {name: (tick - self._read_in.get(name, _NEVER)) * weights[name] for name in wanted}
        chosen = sorted(due, key=lambda name: (name != urgent, -due[name]))[: max(0, slots)]
        self._read_in |= dict.fromkeys(chosen, tick)
        return chosen

    def wanted(self, looks: Collection[Look], *, clustered: bool) -> list[str]:
        """What is to be read at all: no class twice, none that the host does not have."""
        there = {
            name: source
            for name, source in SOURCES.items()
            if (source.look is None or source.look in looks)
            and (clustered or not source.clustered)
            and not self._is_absent(source.query)
        }
        served = {source.serves for source in there.values()}
        return [name for name in there if name not in served]

    def forget(self, name: str) -> None:
        """It was not wanted for a while; when it is again, it comes first."""
        self._read_in.pop(name, None)

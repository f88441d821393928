"""Sums of what happens often and costs more or less each time: waits, latencies, traffic.

A tally goes on from the moment it was last asked at: what has happened since then cost what it
cost on the average meanwhile. Two of its sums are apart by exactly what happened in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Price: TypeAlias = Callable[[float, float], float]
"""What each time cost on the average between two moments."""
Amounts: TypeAlias = tuple[float, float]
"""Bytes read and written so far."""


@dataclass(slots=True)
class Tally:
    """How often so far, what all of it has cost, and what each time cost lately."""

    at: float
    times: float
    cost: float
    price: float


def reckon(
    tallies: dict[str, Tally], key: str, at: float, times: float, price: Price, usual: float
) -> float:
    """The cost of all times up to a moment. Before it is first asked everything costs ``usual``."""
    tally = tallies.get(key)
    if tally is None:
        tally = tallies[key] = Tally(at, times, times * usual, usual)
    if at <= tally.at:
        return max(0.0, tally.cost - (tally.times - times) * tally.price)
    if times < tally.times:  # it began anew
        tally.times = tally.cost = 0.0
    tally.price = price(tally.at, at)
    tally.cost += (times - tally.times) * tally.price
    tally.at, tally.times = at, times
    return tally.cost


@dataclass(slots=True)
class Passed:
    """What has passed through a volume: it never goes back, whatever images come and go."""

    at: float = 0.0
    read: float = 0.0
    written: float = 0.0
    images: dict[str, Amounts] = field(default_factory=dict)
    """What each had passed when it was last looked at."""

    def through(self, at: float, images: Mapping[str, Amounts]) -> Amounts:
        """Bytes read and written up to a moment, given what each image there has passed."""
        read, written = self.read, self.written
        for key, (taken, given) in images.items():
            # What an image did before it came here passed elsewhere.
            old = self.images.get(key, (taken, given) if self.images else (0.0, 0.0))
            anew = at > self.at and taken < old[0]
            read += taken if anew else taken - old[0]
            written += given if anew else given - old[1]
        if at >= self.at:
            self.at, self.read, self.written = at, read, written
            self.images = dict(images)
        return max(0.0, read), max(0.0, written)

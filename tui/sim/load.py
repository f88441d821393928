"""How busy a guest is: deterministic functions of time with exact integrals. No CIM here.

A load is a floor plus trains of raised-cosine pulses. Each train has a closed-form integral, so a
counter read twice gives back exactly the mean of the rate in between, at any clock speed and
however long the pause between two reads was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, floor, pi, sin
from random import Random

DAY = 86400.0
HOUR = 3600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Pulses:
    """A train of pulses: ``height`` at the middle of each, ``width`` of every ``period`` seconds.

    With ``width == period`` it is a plain swing between zero and ``height``.
    """

    height: float
    period: float
    width: float
    phase: float = 0.0

    def value(self, at: float) -> float:
        inside = (at - self.phase) % self.period
        if inside >= self.width:
            return 0.0
        return self.height * (1.0 - cos(2.0 * pi * inside / self.width)) / 2.0

    def area(self, at: float) -> float:
        """Integral from the phase to ``at``."""
        whole = floor((at - self.phase) / self.period)
        inside = (at - self.phase) - whole * self.period
        full = self.height * self.width / 2.0
        if inside >= self.width:
            return (whole + 1) * full
        angle = 2.0 * pi * inside / self.width
        return whole * full + self.height / 2.0 * (inside - self.width / (2.0 * pi) * sin(angle))


@dataclass(frozen=True, slots=True)
class Curve:
    """A floor and trains of pulses, added up."""

    floor: float
    pulses: tuple[Pulses, ...] = ()

    def value(self, at: float) -> float:
        level = self.floor
        for train in self.pulses:
            level += train.value(at)
        return level

    def area(self, at: float) -> float:
        total = self.floor * at
        for train in self.pulses:
            total += train.area(at)
        return total

    def mean(self, start: float, end: float) -> float:
        """Mean level between two moments."""
        return (self.area(end) - self.area(start)) / (end - start)


@dataclass(frozen=True, slots=True)
class Flow:
    """A rate made of a floor, a part that follows the processor and one that follows the backup."""

    floor: float
    per_load: float
    per_backup: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """Everything a guest does. ``cpu`` is a fraction of its own virtual processors."""

    cpu: Curve
    memory: Curve
    """Fraction of its usual memory the guest wants."""
    backup: Curve
    net_in: Flow
    net_out: Flow
    read: Flow
    write: Flow

    def rate(self, flow: Flow, at: float) -> float:
        return (
            flow.floor
            + flow.per_load * self.cpu.value(at)
            + flow.per_backup * self.backup.value(at)
        )

    def crests(self, height: float) -> Pulses:
        """A train that rises only where the shortest bursts are near their tops."""
        bursts = [train for train in self.cpu.pulses if train.width < train.period]
        burst = min(bursts, key=lambda train: train.period, default=Pulses(0.0, 1.0, 1.0))
        begin = burst.phase + burst.width * 3 / 8
        return Pulses(height, burst.period, burst.width / 4, begin)

    def done(self, runs: Sequence[tuple[float, float]]) -> Done:
        """What the guest has done during the given spans of running."""
        return Done(
            sum(end - start for start, end in runs),
            sum(self.cpu.area(end) - self.cpu.area(start) for start, end in runs),
            sum(self.backup.area(end) - self.backup.area(start) for start, end in runs),
        )


@dataclass(frozen=True, slots=True)
class Done:
    """A guest's work so far: seconds it ran, seconds each processor was busy, backup seconds."""

    seconds: float
    busy: float
    backup: float

    def beyond(self, before: Done) -> Done:
        """The part of it that was done after something else."""
        return Done(
            self.seconds - before.seconds, self.busy - before.busy, self.backup - before.backup
        )

    def amount(self, flow: Flow) -> int:
        """What has flowed meanwhile."""
        return int(
            flow.floor * self.seconds + flow.per_load * self.busy + flow.per_backup * self.backup
        )


@dataclass(frozen=True, slots=True)
class Character:
    """What kind of guest it is. Heights are fractions of its processors; rates bytes a second."""

    floor: float
    day: float
    """Added at the middle of the working day."""
    burst: float
    swing: float
    night: float
    """Added while the nightly backup runs."""
    memory: float
    net_in: float
    net_out: float
    read: float
    write: float


MB = 1e6
CHARACTERS: dict[str, Character] = {
    "db": Character(0.06, 0.22, 0.24, 0.10, 0.20, 0.72, 3 * MB, 9 * MB, 45 * MB, 22 * MB),
    "web": Character(0.03, 0.26, 0.18, 0.12, 0.06, 0.48, 5 * MB, 26 * MB, 2 * MB, 1.5 * MB),
    "app": Character(0.05, 0.24, 0.20, 0.10, 0.08, 0.55, 6 * MB, 8 * MB, 6 * MB, 5 * MB),
    "dc": Character(0.01, 0.06, 0.05, 0.03, 0.06, 0.42, 0.4 * MB, 0.6 * MB, 0.6 * MB, 0.8 * MB),
    "file": Character(0.02, 0.12, 0.14, 0.06, 0.30, 0.38, 18 * MB, 30 * MB, 60 * MB, 35 * MB),
    "build": Character(0.02, 0.10, 0.72, 0.10, 0.02, 0.60, 12 * MB, 3 * MB, 40 * MB, 60 * MB),
    "mail": Character(0.05, 0.20, 0.16, 0.08, 0.24, 0.66, 6 * MB, 7 * MB, 24 * MB, 16 * MB),
    "backup": Character(0.01, 0.02, 0.06, 0.02, 0.80, 0.45, 70 * MB, 8 * MB, 20 * MB, 90 * MB),
    "monitor": Character(0.08, 0.04, 0.10, 0.12, 0.04, 0.58, 4 * MB, 1 * MB, 4 * MB, 12 * MB),
    "desktop": Character(0.02, 0.20, 0.34, 0.14, 0.02, 0.55, 3 * MB, 0.8 * MB, 5 * MB, 3 * MB),
    "idle": Character(0.004, 0.006, 0.02, 0.01, 0.01, 0.30, 4e3, 3e3, 3e3, 8e3),
}


def _swing(height: float, period: float, phase: float) -> Pulses:
    return Pulses(height, period, period, phase)


def load_of(character: str, random: Random) -> Load:
    """A guest's load: its character, shaped a little by chance so that no two are alike."""
    kind = CHARACTERS[character]
    size = random.uniform(0.7, 1.15)
    noon = random.uniform(5.0, 8.0) * HOUR
    backup_at = random.uniform(21.5, 24.0) * HOUR
    backup_width = random.uniform(0.8, 2.2) * HOUR
    swing = kind.swing * size
    burst_period = random.uniform(4.0, 19.0) * MINUTE
    cpu = Curve(
        kind.floor * size,
        (
            Pulses(kind.day * size, DAY, 13 * HOUR, noon),
            Pulses(kind.burst * size * 0.65, burst_period, burst_period * 0.35, noon),
            Pulses(kind.burst * size * 0.35, random.uniform(37, 96), random.uniform(9, 25)),
            _swing(swing * 0.6, random.uniform(140, 420), random.uniform(0, 100)),
            _swing(swing * 0.4, random.uniform(11, 31), random.uniform(0, 30)),
            Pulses(kind.night * size, DAY, backup_width, backup_at),
        ),
    )
    memory = Curve(
        kind.memory * random.uniform(0.85, 1.1),
        (
            Pulses(0.12, DAY, 14 * HOUR, noon),
            _swing(0.05, random.uniform(22, 70) * MINUTE, random.uniform(0, HOUR)),
            _swing(0.02, random.uniform(2, 6) * MINUTE, random.uniform(0, MINUTE)),
        ),
    )
    rate = random.uniform(0.6, 1.5)

    def flow(peak: float, night: float = 0.0) -> Flow:
        return Flow(peak * rate * 0.012, peak * rate, peak * rate * night)

    return Load(
        cpu=cpu,
        memory=memory,
        backup=Curve(0.0, (Pulses(1.0, DAY, backup_width, backup_at),)),
        net_in=flow(kind.net_in),
        net_out=flow(kind.net_out, 0.8),
        read=flow(kind.read, 0.9),
        write=flow(kind.write),
    )

"""Days in minutes: does the deck, or its collector, grow while nothing but time passes?

    python tests/bench/soak.py [--hours 30]

*deck*: the deck in this process over an estate that lives by a clock of its own. Loads move every
tick, machines move, come and go, hosts appear, fail and return, the terminal is resized,
panes are turned. *collector*: the real collector over fabrics whose clocks run fast, while half of
its hosts fail and return and what is asked for changes. Memory and threads are told by the hour.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import TITLE, line, quiet, sim
from tests.deck_kit import Deck, deck
from tests.scripted import Estate, datacenter
from tui.collector.fabric import links_of
from tui.collector.messages import Attend, Batch, Configure, HostLink
from tui.collector.pipe import CollectorProcess
from tui.hyperv.meters import Look
from tui.hyperv.model import Link

TICK = 10.0
"""Simulated seconds between two readings of the deck's estate."""
HOUR = 3600.0
MOST = 8
"""Hosts there are in the end; half of them appear one by one."""
SPEED = 400.0
"""How much faster the clock of the collector's fabric runs."""
SIZES = ((80, 24), (120, 40), (200, 60), (100, 30))
KEYS = ("o", "right", "1", "C", "0", "5", "w", "3", "down", "down", "4", "T", "escape", "V", "1")


@dataclass
class Course:
    """What was used, hour by hour."""

    memory: list[float] = field(default_factory=list)
    """Megabytes."""
    threads: list[int] = field(default_factory=list)

    def add(self, process: psutil.Process) -> None:
        self.memory.append(process.memory_info().rss / 2**20)
        self.threads.append(process.num_threads())

    def tell(self, what: str, after: int) -> None:
        """The middle of the hours up to ``after``, and of the last ones as many again."""
        after = min(after, len(self.memory) - 1)
        early, late = self.memory[after : after + 3], self.memory[-3:]
        growth = median(late) - median(early)
        figures = f"{median(early):.0f} -> {median(late):.0f} MB ({growth:+.1f}), {self.words}"
        line(f"{what}, hour {after} to hour {len(self.memory)}", figures, "flat")

    @property
    def words(self) -> str:
        return f"threads {min(self.threads)} to {max(self.threads)}"


# -- the deck ------------------------------------------------------------------------------


class Days:
    """An estate to which everything happens."""

    def __init__(self, seed: int = 7) -> None:
        self.rng = random.Random(seed)
        self.estate: Estate = datacenter()
        self._extra = 0
        self._down: set[str] = set()

    def tick(self) -> list[Batch]:
        """Ten seconds, and now and then more than that."""
        batches = [self.estate.tick(TICK)]
        for chance, happen in (
            (0.02, self._move), (0.01, self._fail), (0.03, self._recover), (0.01, self._come_or_go),
            (0.002, self._appear),
        ):  # fmt: skip
            if self.rng.random() < chance:
                batches.append(happen())
        return batches

    def _up(self) -> list[str]:
        return [host for host in self.estate.hosts if host not in self._down]

    def _move(self) -> Batch:
        names = [vm.name for host in self._up() for vm in self.estate.hosts[host].vms.values()]
        others = self._up()
        if not names or len(others) < 2:
            return Batch()
        name = self.rng.choice(names)
        here = self.estate.find(name)[0].info.id
        there = self.rng.choice([host for host in others if host != here])
        return Batch(self.estate.move(name, there))

    def _fail(self) -> Batch:
        up = self._up()
        if len(up) < 3:
            return Batch()
        host = self.rng.choice(up)
        self._down.add(host)
        return Batch((self.estate.lose(host),))

    def _recover(self) -> Batch:
        if not self._down:
            return Batch()
        host = self._down.pop()
        place = self.estate.hosts[host]
        place.vitals = msgspec.structs.replace(place.vitals, link=Link.UP, trouble=None)
        return Batch((self.estate.full(host),))

    def _appear(self) -> Batch:
        """A host nobody has heard of before, with a machine."""
        if len(self.estate.hosts) >= MOST:
            return Batch()
        name = f"NEW{len(self.estate.hosts)}"
        self.estate.add_host(name)
        self.estate.add_vm(name, f"first-{name}")
        return Batch((self.estate.full(name),))

    def _come_or_go(self) -> Batch:
        up = self._up()
        self._extra += 1
        host = self.rng.choice(up)
        passing = [v.name for v in self.estate.hosts[host].vms.values() if v.name[:5] == "guest"]
        if passing:
            return Batch((self.estate.remove(self.rng.choice(passing)),))
        self.estate.add_vm(host, f"guest{self._extra}")
        return Batch((self.estate.full(host),))


async def live(hours: int) -> Course:
    """The deck through all of it; a reading at the end of each hour."""
    days, course, process = Days(), Course(), psutil.Process()
    async with deck(days.estate, size=SIZES[0]) as d:
        for hour in range(hours):
            for _ in range(int(HOUR / TICK)):
                d.collector.play(*days.tick())
                await d.pilot.pause()
            await _look_around(d, hour)
            gc.collect()
            course.add(process)
    assert threading.active_count() <= 2, threading.enumerate()
    return course


async def _look_around(d: Deck, hour: int) -> None:
    """What a person does once an hour."""
    await d.pilot.resize_terminal(*SIZES[hour % len(SIZES)])
    await d.press(*KEYS)
    await d.press("slash")
    await d.type("web")
    await d.press("escape", "escape")


# -- the collector -------------------------------------------------------------------------


def _fabric(*more: str) -> subprocess.Popen[bytes]:
    scene = ("--scene", "large", "--hosts", "4", "--vms", "40", "--speed", str(SPEED))
    return subprocess.Popen(sim(*scene, *more), stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _ready(fabric: subprocess.Popen[bytes]) -> bytes:
    assert fabric.stdout is not None
    return fabric.stdout.readline()


async def collect(hosts: tuple[HostLink, ...], hours: int, unsteady: Unsteady) -> Course:
    """The collector by the fabric's hour: half of its hosts fail in every fourth, and what is
    asked for besides changes with each."""
    course, collector = Course(), CollectorProcess()
    await collector.start(Configure(hosts, fast=1.0, slow=5.0))
    rng = random.Random(3)
    looks = tuple(Look)
    try:
        for hour in range(hours):
            unsteady.be(up=hour % 4 != 3)
            until = time.monotonic() + HOUR / SPEED
            await collector.send(Attend(tuple(rng.sample(looks, rng.randrange(len(looks))))))
            while time.monotonic() < until:
                await collector.next_batch()
            found = psutil.Process().children()
            course.add(next(child for child in found if "tui.collector" in child.cmdline()))
    finally:
        await collector.stop()
    return course


class Unsteady:
    """Hosts that go and come back at their addresses."""

    def __init__(self) -> None:
        self._fabric = _fabric()
        self.told = _ready(self._fabric)
        told = json.loads(self.told)
        port = min(urlsplit(end["url"]).port or 0 for end in told["endpoints"])
        os.environ["HVDECK_SOAK"] = told["password"]
        self._again = ("--port", str(port), "--user", told["user"], "--password-env", "HVDECK_SOAK")

    def be(self, *, up: bool) -> None:
        """Start them, or end them."""
        if up and self._fabric.poll() is not None:
            self._fabric = _fabric(*self._again)
            _ready(self._fabric)
        elif not up:
            self._fabric.kill()
            self._fabric.wait()

    def stop(self) -> None:
        self.be(up=False)


def collector(hours: int) -> None:
    """Two fabrics with fast clocks, one of which fails, and a collector that watches both."""
    steady, unsteady = _fabric(), Unsteady()
    try:
        links = links_of(_ready(steady))
        others = [
            msgspec.structs.replace(link, id=f"X{link.id}") for link in links_of(unsteady.told)
        ]
        course = asyncio.run(collect((*links, *others), hours, unsteady))
    finally:
        unsteady.stop()
        steady.kill()
        steady.wait()
    course.tell("collector, 8 hosts x 40 machines", 3)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=30)
    parser.add_argument("--only", choices=("", "deck", "collector"), default="")
    options = parser.parse_args(arguments)
    print(TITLE)
    with quiet():
        if options.only in ("", "deck"):
            asyncio.run(live(options.hours)).tell("deck, 4 to 8 hosts, 20 machines and more", 25)
        if options.only in ("", "collector"):
            collector(options.hours)


if __name__ == "__main__":
    main()

"""Many machines: keys among 10,000 of them, memory, a slow line to eight hosts, requests.

    python tests/bench/bench_scale.py [--presses 300] [--only keys|real|large|memory|far|requests]

*keys*: the real deck in a pseudo-terminal, 100 hosts x 100 machines; in place of the collector a
light program feeds its pipe, so that no simulator competes for the processor. Every running
machine changes every 2 s. *real*: the same keys over 20 hosts x 50 machines of the simulator, all
processes as they are; *large*: over 200 x 50. *memory*: the deck's process after that, and the
store alone with a day of history of 10,000 machines (rings have their full size once their last
place was needed, so the day is fed in a few jumps). *far*: 8 hosts x 90 machines behind a round
trip, from the collector's start to rows at the deck's end of the pipe. *requests*: WS-Man requests
of each fast tick, as the client counts them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec
import psutil

from tests.bench.bench_deck import idle_cost, key_to_paint
from tests.bench.estate import Source, links, sources
from tests.bench.figures import TITLE, line, quiet, sim, write_config
from tests.bench.terminal import Terminal, hvdeck, terminal
from tui.collector.connect import connect
from tui.collector.fabric import links_of, start_fabric
from tui.collector.messages import Batch, Configure, HostLink, Update
from tui.collector.pipe import CollectorProcess
from tui.hyperv.read import Reader
from tui.store import Store
from tui.wsman.client import Throttle

LAST_PLACES = (898.0, 3598.0, 3640.0, 86_410.0, 86_800.0)
"""Seconds after which rings of 15 minutes, an hour and a day need their last place."""


def keys(presses: int, hosts: int = 100, vms: int = 100) -> None:
    """Key to paint among ``hosts * vms`` machines, all of them changing."""
    child = Path(__file__).with_name("fed_deck.py")
    with terminal([sys.executable, str(child), str(hosts), str(vms)]) as screen:
        every = screen.wait_for(f"of {hosts * vms}".encode())
        line(f"{hosts * vms} machines on {hosts} hosts, from start to all", f"{every:.2f} s")
        _use(screen, presses, f"{hosts * vms} machines, fed")


def real(presses: int, hosts: int = 20, vms: int = 50) -> None:
    """The same with the collector and the simulator beside it."""
    command = sim("--scene", "large", "--hosts", str(hosts), "--vms", str(vms))
    with (
        quiet() as places,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as fabric,
    ):
        assert fabric.stdin is not None
        assert fabric.stdout is not None
        write_config(places["config"], fabric.stdout.readline())
        with terminal(hvdeck()) as screen:
            every = screen.wait_for(f"of {hosts * vms}".encode(), 120)
            line(f"{hosts} hosts x {vms} simulated machines, all", f"{every:.2f} s")
            _use(screen, presses, f"{hosts} x {vms} simulated")
        fabric.stdin.close()


def _use(screen: Terminal, presses: int, what: str) -> None:
    screen.listen(8.0)
    key_to_paint(screen, presses, what)
    idle_cost(screen, 10.0, what, "350 MB at 10,000 machines", "-")


def memory(hosts: int = 100, vms: int = 100) -> None:
    """The store alone, in a process of its own."""
    command = [sys.executable, __file__, "--store", str(hosts), str(vms)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line(f"store of {hosts * vms} machines, a day of history", done.stdout.strip())


def _store(hosts: int, vms: int, ticks: int = 8) -> None:
    store, found = Store(), sources(links(hosts), vms)
    process = psutil.Process()
    store.configure(links(hosts))
    before = process.memory_info().rss
    now = time.time() - LAST_PLACES[-1] - 2 * ticks

    def feed(step: Callable[[Source, float], Update], at: float) -> float:
        batches = [_over_the_pipe(Batch((step(source, at),))) for source in found]
        started = time.perf_counter()
        for batch in batches:
            store.apply(batch, at)
        return time.perf_counter() - started

    feed(Source.whole, now)
    for _ in store.histories:
        store.histories.settle()
    for later in LAST_PLACES:
        feed(Source.change, now + later)
    now += LAST_PLACES[-1]
    spent = [feed(Source.change, now + 2 * tick) for tick in range(1, ticks + 1)]
    gc.collect()
    used = (process.memory_info().rss - before) / 2**20
    print(f"{used:.0f} MB, {1000 * median(spent) / hosts:.1f} ms per host's tick")


def _over_the_pipe(batch: Batch) -> Batch:
    """As it arrives at the deck: no object shared with whoever made it."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(batch), type=Batch)


# -- behind a slow line --------------------------------------------------------------------


def far(milliseconds: int, budget: str, hosts: int = 8, vms: int = 90) -> None:
    """First rows, all rows, all of them complete; and how long the fabric alone takes."""
    scene = ("--hosts", str(hosts), "--vms", str(vms), "--latency", str(milliseconds))
    command = sim("--scene", "large", *scene)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as fabric:
        assert fabric.stdin is not None
        assert fabric.stdout is not None
        reached = links_of(fabric.stdout.readline())
        asyncio.run(_watch(reached, hosts * vms))  # the simulator builds a host when first asked
        first, every, complete = asyncio.run(_watch(reached, hosts * vms))
        fabric.stdin.close()
    figures = f"first {first:.2f} s, all {every:.2f} s, complete {complete:.2f} s"
    line(f"{hosts} hosts x {vms} machines, {milliseconds} ms round trip", figures, budget)


async def _watch(reached: tuple[HostLink, ...], count: int) -> tuple[float, float, float]:
    started = time.perf_counter()
    collector = CollectorProcess()
    await collector.start(Configure(reached))
    seen: set[str] = set()
    done: set[str] = set()
    first = every = 0.0
    while len(done) < count and time.perf_counter() - started < 90:
        for update in (await collector.next_batch()).updates:
            seen |= {vm.id for vm in update.vms}
            done |= {vm.id for vm in update.vms if vm.complete}
        now = time.perf_counter() - started
        first = first or (now if seen else 0.0)
        every = every or (now if len(seen) >= count else 0.0)
    spent = time.perf_counter() - started
    await collector.stop()
    return first, every, spent


# -- requests ------------------------------------------------------------------------------


def requests(vms: int, ticks: int = 8) -> None:
    """Requests of each fast tick, paging included."""
    with start_fabric("large", "--hosts", "1", "--vms", str(vms)) as (host,):
        client = connect(host, Throttle(), lambda *_: None)
        reader = Reader(client, host.id, host.url, now=time.time)
        reader.fast()
        reader.facts()
        reader.slow()
        counts, octets = [], []
        for _ in range(ticks):
            before, size = client.requests, client.bytes
            reader.fast()
            counts.append(client.requests - before)
            octets.append(client.bytes - size)
        client.close()
    figures = f"at most {max(counts)}; {median(octets) / 1000:.0f} KB"
    line(f"requests per fast tick, {vms} machines", figures, "3")


def lines_far() -> None:
    far(20, "first 1 s, all 5 s")
    far(150, "all 8 s")


def all_requests() -> None:
    for vms in (6, 90, 300):
        requests(vms)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presses", type=int, default=300)
    parser.add_argument("--only", default="")
    parser.add_argument("--store", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.store:
        _store(*options.store)
        return
    parts: dict[str, Callable[[], None]] = {
        "keys": lambda: keys(options.presses),
        "memory": memory,
        "real": lambda: real(options.presses),
        "large": lambda: real(options.presses // 4, 200, 50),
        "far": lines_far,
        "requests": all_requests,
    }
    print(TITLE)
    for name, part in parts.items():
        if options.only in ("", name):
            with quiet():
                part()


if __name__ == "__main__":
    main()

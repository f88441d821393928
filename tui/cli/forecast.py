"""Commands that look ahead over the fleet: a balance plan, room, a place for a new machine."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.lists import emit
from tui.cli.reach import configuration, given, is_read_only, reached
from tui.cli.speak import narrate, prepare_glyphs, tell_troubles
from tui.errors import Refused, UsageError

if TYPE_CHECKING:
    from tui.collector.messages import HostLink
    from tui.collector.session import Session
    from tui.hyperv.plans.balance import Plan
    from tui.hyperv.plans.fleet import Fleet

MOST = 16
"""Moves at once, at most."""


@dataclass(frozen=True, slots=True)
class Sight:
    """All hosts, read with their loads."""

    session: Session
    links: tuple[HostLink, ...]
    fleet: Fleet

    @property
    def code(self) -> int:
        """What it means for the exit code that some hosts could not be read."""
        if len(self.session.troubles) == len(self.links):
            return exits.NO_HOST
        return exits.FAILED if self.session.troubles else exits.DONE


@contextlib.contextmanager
def _sight(arguments: argparse.Namespace) -> Iterator[Sight]:
    from tui.cli.gather import read
    from tui.collector.session import Session
    from tui.store.targets import everywhere

    prepare_glyphs(arguments)
    with reached(arguments) as links, Session(links) as session:
        store = read(session, rates=True)
        tell_troubles(session.troubles)
        yield Sight(session, tuple(links), everywhere(store))


# -- balance -------------------------------------------------------------------------------


def balance(arguments: argparse.Namespace) -> int:
    """``balance``: the plan; with ``--run`` what becomes of it."""
    from tui.hyperv.plans import balance as plans_of

    if not 1 <= arguments.cap <= MOST:
        raise UsageError(f"--cap takes 1 to {MOST}")
    config = None if given(arguments, "demo") else configuration(arguments)
    if arguments.run and is_read_only(arguments, config):
        raise Refused("hvdeck is read-only")
    with _sight(arguments) as sight:
        if sight.code == exits.NO_HOST:
            return exits.NO_HOST
        plan = plans_of.pack(sight.fleet) if arguments.pack else plans_of.spread(sight.fleet)
        if not arguments.run:
            _tell_plan(plan, arguments)
            return sight.code
        return _carry_out(sight, plan, arguments)


def _carry_out(sight: Sight, plan: Plan, arguments: argparse.Namespace) -> int:
    from tui.cli import planned
    from tui.store.legs import legs_of
    from tui.store.queue import Queue

    title = "Free hosts" if arguments.pack else "Balance"
    if plan.steps and not arguments.yes:
        told = [f"{one.name}: {one.source} to {one.target}, {one.why}" for one in plan.steps]
        planned.confirm(title, told, "The machines go on on the other hosts")
    queue = Queue(legs_of(sight.fleet, plan.steps), arguments.cap, title=title)
    planned.see_through(sight.session, sight.links, queue, arguments)
    return planned.end(title, {"action": "balance"}, (), queue, arguments)


def _tell_plan(plan: Plan, arguments: argparse.Namespace) -> None:
    from tui.rows import plans, text

    hosts = plans.before_after(plan.before, plan.after)
    if arguments.output == "json":
        found = {
            "action": "balance",
            "moves": [plans.step_record(step) for step in plan.steps],
            "hosts": [{"host": one.host, "memory": one.memory, "cpu": one.cpu} for one in hosts],
            "frees": plan.frees,
        }
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    takes = [plans.Take(step, taken=True) for step in plan.steps]
    emit(arguments.output, plans.TAKE_COLUMNS[1:], takes)
    if not plan.steps:
        narrate(plans.NOTHING[arguments.pack])
        return
    for one in hosts:
        now, after = ([text.percent(part[at] * 100) for part in (one.memory, one.cpu)]
                      for at in (0, 1))  # fmt: skip
        narrate(f"{one.host}: memory {now[0]} to {after[0]}, processors {now[1]} to {after[1]}")
    if plan.frees:
        narrate(f"frees {', '.join(plan.frees)}")


# -- room ----------------------------------------------------------------------------------


def capacity(arguments: argparse.Namespace) -> int:
    """``capacity``: every host, and what its loss would do."""
    from dataclasses import replace

    from tui.hyperv.plans import capacity as rooms
    from tui.rows import plans, text

    with _sight(arguments) as sight:
        wish = rooms.usual(sight.fleet)
        wish = replace(
            wish,
            memory=arguments.memory or wish.memory,
            processors=arguments.cpus or wish.processors,
        )
        pools = rooms.capacity(sight.fleet, wish)
        emit(arguments.output, plans.ROOM_COLUMNS, [room for pool in pools for room in pool.rooms])
        narrate(f"counted are machines of {text.size(wish.memory)} of memory")
        for pool in pools:
            name, words, _ = plans.pool_fact(pool)
            narrate(f"{name}: {words}")
        return sight.code


def place(arguments: argparse.Namespace) -> int:
    """``place``: hosts for a new machine, the best first."""
    from tui.hyperv.plans.placing import Wish, places
    from tui.hyperv.preflight import Verdict
    from tui.rows import plans

    wish = Wish(arguments.memory, arguments.cpus or 1, arguments.switch, arguments.disk)
    with _sight(arguments) as sight:
        if sight.code == exits.NO_HOST:
            return exits.NO_HOST
        found = places(sight.fleet, wish)
        emit(arguments.output, plans.PLACE_COLUMNS, found)
        head, words, _ = plans.best_fact(found[0])
        narrate(f"{head}: {words}")
        return exits.REFUSED if found[0].verdict is Verdict.FAIL else sight.code

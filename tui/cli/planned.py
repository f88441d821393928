"""Commands that carry out a plan: drain a host, end its maintenance; one move after the other."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tui.actions import Action, Risk, Target, why_not
from tui.cli import batch, exits
from tui.cli.gather import read
from tui.cli.lists import emit
from tui.cli.reach import configuration, given, host_tags, is_read_only, reached
from tui.cli.speak import narrate, prepare_glyphs, tell_troubles
from tui.collector.messages import Batch, Phase
from tui.collector.session import Session
from tui.errors import Refused, UsageError
from tui.hyperv.plans import draining
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans.draining import Drain, Stay
from tui.hyperv.plans.fleet import Fleet
from tui.rows import columns, plans, text
from tui.rows.filter import parse
from tui.store import Store
from tui.store.legs import Campaign, call_of, legs_of, pause_of, resume_of
from tui.store.queue import Leg, Queue
from tui.store.targets import everywhere

if TYPE_CHECKING:
    from tui.collector.messages import HostLink

CODES: Final = {
    "done": exits.DONE, "failed": exits.FAILED, "refused": exits.REFUSED,
    "not sent": exits.REFUSED, "elsewhere": exits.REFUSED,
}  # fmt: skip
"""What a leg's end means for the exit code; anything else is not known."""


@dataclass(slots=True)
class Errand:
    """What is to be done, in words and as calls."""

    action: Action
    target: Target
    legs: list[Leg]
    stays: Sequence[Stay]
    told: list[str]
    """The plan, line by line."""
    risk: Risk = Risk.AMBER
    facts: dict[str, Any] = field(default_factory=dict)
    """More of it, for programs."""


def act(arguments: argparse.Namespace) -> int:
    """Plan, ask, and see it through."""
    action: Action = arguments.action
    parse(arguments.filter, action.kind)
    config = None if given(arguments, "demo") else configuration(arguments)
    prepare_glyphs(arguments)
    values = {name.removeprefix("field_"): value for name, value in vars(arguments).items()
              if name.startswith("field_")}  # fmt: skip
    with reached(arguments) as links, Session(links) as session:
        store = read(session, rates=True)
        tell_troubles(session.troubles)
        if len(session.troubles) == len(links):
            return exits.NO_HOST
        wanted = parse(arguments.filter, action.kind, host_tags(arguments))
        targets = batch.resolve(store, action.kind, arguments.names, wanted)
        if len(targets) > 1:
            names = ", ".join(target.name for target in targets)
            raise UsageError(f"{action.title} takes one host, not {len(targets)}", cause=names)
        read_only = is_read_only(arguments, config)
        if why := why_not(action, targets[0], read_only=read_only):
            raise Refused(why)
        values = action.filled(targets[0], values)
        if why := action.objection(targets[0], values):
            raise UsageError(why)
        errand = _errand(action, targets[0], everywhere(store), values)
        if arguments.dry_run:
            return _rehearse(errand, arguments.output)
        if not arguments.yes:
            _confirm(errand)
        queue = Queue(errand.legs, values["cap"], not values["go_on"], title=action.title)
        see_through(session, links, queue, arguments)
    title = f"{action.title} {targets[0].name}"
    facts = {"action": action.id, "host": targets[0].host.id}
    return end(title, facts, errand.stays, queue, arguments)


# -- what to do ----------------------------------------------------------------------------


def _errand(action: Action, target: Target, fleet: Fleet, values: dict[str, Any]) -> Errand:
    if action.id == "host.drain":
        return _drain(action, target, fleet)
    return _resume(action, target, fleet, home=bool(values["home"]))


def _drain(action: Action, target: Target, fleet: Fleet) -> Errand:
    plan = draining.drain(fleet, target.host.id)
    first = pause_of(fleet, target.host.id)
    legs = [*([first] if first else []), *legs_of(fleet, plan.steps)]
    risk = action.risk_of(target, {})
    told = plans.lines(plan)
    if first is not None:
        told.insert(1, f"  node {first.name} is paused first: nothing new comes to it")
    return Errand(action, target, legs, plan.held_up, told, risk, _facts(plan))


def _facts(plan: Drain) -> dict[str, Any]:
    return {
        "seconds": plan.seconds,
        "pace": plan.pace.source,
        "votes": list(plan.votes),
        "quorate": plan.quorate,
        "volumes": list(plan.volumes),
        "jobs": list(plan.jobs),
        "remarks": list(plan.remarks),
        "stays": [plans.stay_record(stay) for stay in plan.stays],
    }


def _resume(action: Action, target: Target, fleet: Fleet, *, home: bool) -> Errand:
    host = target.host.id
    first = resume_of(fleet, host)
    told = [f"{target.name}: {'its node is resumed' if first else 'there is no node to resume'}"]
    cluster = fleets.cluster_of(fleet, host)
    open_fleet = fleets.resumed(fleet, host, cluster) if cluster else fleet
    away = draining.belongings(fleet, host) if home else {}
    steps, stays = draining.home(open_fleet, away)
    if home and not away:
        told.append("  no role has it as its first preferred owner and is elsewhere")
    told += [f"  {step.name} comes back from {step.source}: {step.why}" for step in steps]
    told += [f"  {stay.name} cannot come back: {stay.why}" for stay in stays]
    legs = [*([first] if first else []), *legs_of(fleet, steps)]
    facts = {"stays": [plans.stay_record(stay) for stay in stays]}
    return Errand(action, target, legs, stays, told, facts=facts)


def _rehearse(errand: Errand, form: str) -> int:
    if form == "json":
        found = {
            "action": errand.action.id,
            "host": errand.target.host.id,
            "moves": [plans.leg_record(leg) for leg in errand.legs],
            **errand.facts,
        }
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in errand.told)
    return exits.REFUSED if errand.stays else exits.DONE


def _confirm(errand: Errand) -> None:
    name = errand.target.name
    title = f"{errand.action.title} {name}"
    answer = name if errand.risk is Risk.RED else "y"
    confirm(title, errand.told, errand.action.effect, answer)


def confirm(title: str, told: Iterable[str], effect: str, answer: str = "y") -> None:
    """Ask; anything but the answer wanted ends it. Without a terminal ``--yes`` is needed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{title} asks first", hint="--yes says you mean it")
    sys.stderr.writelines(f"{line}\n" for line in told)
    ask = "[y/N] " if answer == "y" else "Type its name to go on: "
    sys.stderr.write(f"{title}? {effect}. {ask}")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != answer:
        raise Refused("Nothing was done")


# -- doing it ------------------------------------------------------------------------------


def see_through(
    session: Session, links: Iterable[HostLink], queue: Queue, arguments: argparse.Namespace
) -> None:
    """Send and follow; what still waits when the time is up is not sent."""
    store = Store()
    store.configure(tuple(links))

    def launch(leg: Leg, action: Action, target: Target, values: dict[str, Any]) -> str:
        call = call_of(action, target, values)
        session.submit(call)
        return call.id

    campaign = Campaign(queue, store, launch)
    said: dict[str, str] = {}

    def hear(found: Batch) -> bool:
        store.apply(found, time.time())
        for update in found.calls:
            campaign.heard(update)
        campaign.step(time.time())
        _tell(queue, said)
        if queue.stuck:
            return True
        return not arguments.wait and not queue.waiting and _accepted(queue)

    if not session.attend(hear, timeout=arguments.timeout):
        queue.drop("the time is up")


def _accepted(queue: Queue) -> bool:
    return all(
        leg.result is not None and leg.result.phase is not Phase.REQUESTED for leg in queue.flying
    )


def _tell(queue: Queue, said: dict[str, str]) -> None:
    """A line for each leg that stands otherwise than before."""
    for leg in queue.legs:
        words = plans.stands(leg).text
        if words != said.get(leg.key, "waiting"):
            said[leg.key] = words
            to = f" to {leg.target}" if leg.target else ""
            why = f": {plans.reason(leg)}" if leg.over and not leg.fine else ""
            verb = "" if leg.target else f" ({leg.action})"
            narrate(f"{leg.name}{to}{verb}: {words}{why}")


def end(
    title: str,
    facts: Mapping[str, Any],
    stays: Sequence[Stay],
    queue: Queue,
    arguments: argparse.Namespace,
) -> int:
    """Tell how a run ended; ``facts``: what it was, for programs."""
    if queue.why:
        narrate(queue.why)
    queue.drop(queue.why or "it was not its turn any more")
    if arguments.output == "json":
        found = {
            **facts,
            "legs": [plans.leg_record(leg) for leg in queue.legs],
            "stays": [plans.stay_record(stay) for stay in stays],
        }
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        shown = columns.select(plans.LEG_COLUMNS, "", plans.LEG_DEFAULT)
        emit(arguments.output, shown, queue.legs)
    for stay in stays:
        narrate(f"{stay.name} cannot move: {stay.why}{f'. {stay.fix}' if stay.fix else ''}")
    narrate(f"{title}: {queue.tally() or 'nothing to do'}{_measured(queue)}")
    return _verdict(stays, queue, waited=arguments.wait)


def _measured(queue: Queue) -> str:
    rate = queue.rate()
    return f", {text.rate(rate)}" if rate else ""


def _verdict(stays: Sequence[Stay], queue: Queue, *, waited: bool) -> int:
    """The worst of all legs; a machine that could not even be planned counts as refused."""
    rank = (exits.DONE, exits.REFUSED, exits.FAILED, exits.UNKNOWN)
    found = [exits.REFUSED] if stays else []
    for leg in queue.legs:
        under_way = exits.UNKNOWN if waited else exits.DONE
        found.append(under_way if leg.word == "under way" else CODES.get(leg.word, exits.UNKNOWN))
    return max(found, key=rank.index, default=exits.DONE)

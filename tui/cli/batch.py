"""A batch from the command line: which targets, what speaks against each, and how it ended."""

from __future__ import annotations

import fnmatch
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from tui.actions import Action, Kind, Risk, Target, why_not
from tui.actions.declare import highest
from tui.cli.exits import DONE, FAILED, REFUSED, UNKNOWN
from tui.cli.given import Conflict
from tui.cli.given import arguments as arguments_of
from tui.collector.messages import Answer, Call, CallUpdate, Phase
from tui.collector.watch import trouble_of
from tui.errors import HvError, UsageError
from tui.hyperv.model import Trouble
from tui.hyperv.sheet import Sheet
from tui.rows import text
from tui.rows.filter import Filter
from tui.store import Store

_SHOWN: Final = 12
"""Candidates named in an error."""


# -- which ---------------------------------------------------------------------------------


def rows_of(store: Store, kind: Kind | str) -> Mapping[str, Any]:
    """The rows of a kind, by key."""
    tables: dict[str, Mapping[str, Any]] = {
        "vm": store.vms,
        "host": store.host_rows,
        "switch": store.switches,
        "job": store.jobs,
        "role": store.clusters.roles,
        "node": store.clusters.nodes,
        "csv": store.clusters.volumes,
        "replica": store.replicas.rows,
    }
    return tables[str(kind)]


def resolve(store: Store, kind: Kind, names: Sequence[str], wanted: Filter) -> list[Target]:
    """The targets named: by name, id, ``name@host`` or glob; or by filter; or names it narrows.

    A plain name that fits several is refused with the candidates. Raises UsageError.
    """
    rows = rows_of(store, kind)
    if names:
        keys = dict.fromkeys(key for name in names for key in _named(rows, name))
    elif wanted:
        keys = dict.fromkeys(rows)
    else:
        raise UsageError(f"Which {kind}?", hint="give names, a pattern such as web*, or --filter")
    targets = [store.target(key) for key in keys if wanted.matches(rows[key])]
    found = [target for target in targets if target is not None]
    if not found:
        raise UsageError(f"No {kind} matches", cause=f"{len(rows)} known")
    return found


def _named(rows: Mapping[str, Any], name: str) -> list[str]:
    if "*" in name or "?" in name:
        pattern = re.compile(fnmatch.translate(name.casefold()))
        found = [key for key, row in rows.items() if pattern.match(_name(row))]
        if not found:
            raise UsageError(f"Nothing is named like {name}")
        return found
    exact = [key for key, row in rows.items() if _is(key, row, name)]
    if not exact and "@" in name:
        plain, _, host = name.rpartition("@")
        exact = [
            key for key, row in rows.items()
            if _is(key, row, plain) and host.casefold() in _places(row)
        ]  # fmt: skip
    if len(exact) == 1:
        return exact
    if exact:
        candidates = ", ".join(f"{key} on {rows[key].host.id}" for key in exact[:_SHOWN])
        raise UsageError(
            f"{name} is not one but {len(exact)}",
            cause=candidates,
            hint=f"use the id, or {name}@HOST",
        )
    near = get_close_matches(name.casefold(), {_name(row) for row in rows.values()}, 1, 0.6)
    raise UsageError(f"Nothing is named {name}", cause=f"did you mean {near[0]}?" if near else "")


def _places(row: Any) -> tuple[str, ...]:
    """What may stand behind the ``@``: its host, and the cluster it is a thing of."""
    cluster = getattr(row, "cluster", None)
    return (row.host.id.casefold(), *((cluster.name.casefold(),) if cluster else ()))


def _name(row: Any) -> str:
    return str(row.name).casefold()


def _is(key: str, row: Any, name: str) -> bool:
    lowered = name.casefold()
    ids = (key, row.host.id) if not hasattr(row, "host_vitals") else (key, key.partition("@")[0])
    if lowered == getattr(row, "label", "").casefold():
        return True
    return _name(row) == lowered or lowered in (part.casefold() for part in ids)


# -- what is asked -------------------------------------------------------------------------


@dataclass(slots=True)
class Plan:
    """An action on targets: the calls to make, and those that are refused beforehand."""

    action: Action
    arguments: dict[str, Any]
    targets: dict[str, Target]
    """By call id."""
    calls: list[Call]
    refused: list[CallUpdate]


def plan(
    action: Action,
    targets: Sequence[Target],
    given: Mapping[str, Any],
    *,
    read_only: bool,
    sheet: Callable[[Target], Sheet] | None = None,
) -> Plan:
    """Calls for every target nothing speaks against. Raises UsageError for a bad argument.

    ``sheet`` reads a machine in full, for the actions that start from that.
    """
    if len(targets) > 1 and not action.many:
        names = ", ".join(target.name for target in targets[:_SHOWN])
        raise UsageError(f"{action.title} takes one {action.kind}, not {len(targets)}", cause=names)
    made = Plan(action, dict(given), {}, [], [])
    for target in targets:
        call = Call(
            uuid.uuid4().hex, action.id, target.host.id, target.id,
            seen_state=target.seen_state,
        )  # fmt: skip
        trouble, target = _looked_at(action, target, read_only, sheet)
        if trouble is not None:
            made.refused.append(_refusal(call, target, trouble))
            continue
        try:
            arguments = arguments_of(action, target, given)
        except Conflict as error:
            if len(targets) == 1:
                raise
            made.refused.append(_refusal(call, target, trouble_of(error)))
            continue
        made.targets[call.id] = target
        made.calls.append(msgspec.structs.replace(call, arguments=arguments))
    return made


def _looked_at(
    action: Action,
    target: Target,
    read_only: bool,
    sheet: Callable[[Target], Sheet] | None,
) -> tuple[Trouble | None, Target]:
    """What speaks against it, if anything, and the target with all that the action needs."""
    reason = why_not(action, target, read_only=read_only)
    if reason is None and action.needs_sheet and sheet is not None:
        try:
            target = replace(target, sheet=sheet(target))
        except HvError as error:
            return trouble_of(error), target
        reason = why_not(action, target, read_only=read_only)
    return (Trouble("Refused", reason) if reason else None), target


def _refusal(call: Call, target: Target, trouble: Trouble) -> CallUpdate:
    return CallUpdate(
        call.id, call.action, call.host, call.target, target.name, Phase.REFUSED, time.time(),
        trouble=trouble,
    )  # fmt: skip


def arrivals(made: Plan) -> set[str]:
    """Other hosts on which the calls will show to be done."""
    arrives = made.action.arrives
    if arrives is None:
        return set()
    hosts = {arrives(made.targets[call.id], call.arguments) for call in made.calls}
    return hosts - {""}


def question(made: Plan) -> tuple[str, str]:
    """What to ask before an amber or red action, and the answer that means yes."""
    targets = list(made.targets.values())
    who = f"{targets[0].name} on {targets[0].host.id}" if len(targets) == 1 else (
        f"{len(targets)} {made.action.kind.value}s: "
        + ", ".join(f"{t.name}@{t.host.id}" for t in targets[:_SHOWN])
        + (" …" if len(targets) > _SHOWN else "")
    )  # fmt: skip
    effect = f" {made.action.effect}." if made.action.effect else ""
    told = foretold(made)
    effect += "".join(f"\n  {line}" for _, lines in told for line in lines)
    if highest(rung for rung, _ in told) is Risk.RED:
        word = targets[0].name if len(targets) == 1 else str(len(targets))
        what = "name" if len(targets) == 1 else "number of them"
        return f"{made.action.title} {who}?{effect} Type the {what} to go on: ", word
    return f"{made.action.title} {who}?{effect} [y/N] ", "y"


def foretold(made: Plan) -> list[tuple[Risk, Sequence[str]]]:
    """The rung of every call and what will go by it."""
    return [made.action.foretell(made.targets[call.id], call.arguments) for call in made.calls]


def rehearsal(made: Plan, said: Mapping[str, Answer]) -> list[dict[str, Any]]:
    """What would be called, target by target, and what its host says to it where it was asked."""
    return [
        {
            "action": call.action,
            "host": call.host,
            "name": made.targets[call.id].name,
            "target": call.target,
            "call": made.action.calls,
            "arguments": call.arguments,
            "consequences": list(told),
            **_word_of(said.get(call.id)),
        }
        for call, (_, told) in zip(made.calls, foretold(made), strict=True)
    ]


def _word_of(answer: Answer | None) -> dict[str, Any]:
    """``allowed`` is None where the host gave no verdict; ``reasons`` say why then, too."""
    if answer is None:
        return {}
    if answer.verdict is None:
        return {"allowed": None, "reasons": [text.trouble(answer.trouble)]}
    return {"allowed": answer.verdict.allowed, "reasons": list(answer.verdict.reasons)}


# -- how it ended --------------------------------------------------------------------------


def lost(made: Plan, last: Mapping[str, CallUpdate]) -> list[CallUpdate]:
    """The last word on every call, in order; silence is an unknown outcome."""
    return [last.get(call.id) or _silent(call, made.targets[call.id]) for call in made.calls]


def _silent(call: Call, target: Target) -> CallUpdate:
    return CallUpdate(
        call.id, call.action, call.host, call.target, target.name, Phase.UNKNOWN, time.time(),
        trouble=Trouble("TimedOut", "nothing was heard of it in time"),
    )  # fmt: skip


def verdict(results: Iterable[CallUpdate], *, waited: bool) -> int:
    """The exit code of a batch: the worst that happened to any of its targets."""
    worst = DONE
    rank: list[int] = [DONE, REFUSED, FAILED, UNKNOWN]
    for result in results:
        worst = max(worst, _code(result, waited=waited), key=rank.index)
    return worst


def _code(result: CallUpdate, *, waited: bool) -> int:
    match result.phase:
        case Phase.OBSERVED:
            return DONE
        case Phase.ACCEPTED if not waited and not result.step:
            return DONE
        case Phase.REFUSED:
            return REFUSED
        case Phase.FAILED:
            return FAILED
        case _:
            return UNKNOWN


def result_record(result: CallUpdate) -> dict[str, Any]:
    """One result, for programs."""
    why = result.trouble
    return {
        "action": result.action,
        "host": result.host,
        "target": result.target,
        "name": result.name,
        "phase": result.phase.value,
        "percent": result.percent,
        "job": result.job,
        "step": result.step,
        "made": list(result.made),
        "trouble": {"kind": why.kind, "title": why.title, "cause": why.cause, "hint": why.hint,
                    "code": why.code} if why else None,
    }  # fmt: skip

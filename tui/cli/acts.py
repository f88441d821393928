"""Commands that change: one action on everything named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.cli import exits
from tui.cli.lists import emit
from tui.cli.reach import configuration, given, host_tags, is_read_only, reached
from tui.cli.speak import narrate, prepare_glyphs, tell_troubles, trouble_line
from tui.errors import Refused, UsageError

if TYPE_CHECKING:
    from tui.actions import Action
    from tui.cli.batch import Plan
    from tui.collector.messages import Answer, CallUpdate


def act(arguments: argparse.Namespace) -> int:
    """One action on everything named."""
    from tui.actions import Risk
    from tui.cli import batch
    from tui.cli.gather import read
    from tui.collector.session import Session
    from tui.rows.filter import parse

    action: Action = arguments.action
    if action.planned:
        from tui.cli import planned

        return planned.act(arguments)
    parse(arguments.filter, action.kind)
    fields = {name.removeprefix("field_"): value for name, value in vars(arguments).items()
              if name.startswith("field_")}  # fmt: skip
    config = None if given(arguments, "demo") else configuration(arguments)
    prepare_glyphs(arguments)
    with reached(arguments) as links, Session(links) as session:
        store = read(session)
        tell_troubles(session.troubles)
        if len(session.troubles) == len(links):
            return exits.NO_HOST
        wanted = parse(arguments.filter, action.kind, host_tags(arguments))
        targets = batch.resolve(store, action.kind, arguments.names, wanted)
        made = batch.plan(
            action, targets, fields, read_only=is_read_only(arguments, config),
            sheet=lambda target: session.sheet(target.host.id, target.id),
        )  # fmt: skip
        if arguments.dry_run:
            asked = made.calls if action.verdict is not None else ()
            said = session.ask(asked, timeout=arguments.timeout)
            return _rehearse(arguments.output, made, said)
        if not arguments.yes and any(rung is not Risk.GREEN for rung, _ in batch.foretold(made)):
            _confirm(made)
        last = session.run(
            made.calls, tell, wait=arguments.wait, timeout=arguments.timeout,
            also=batch.arrivals(made),
        ) if made.calls else {}  # fmt: skip
    results = [*batch.lost(made, last), *made.refused]
    _emit_results(arguments.output, results)
    return batch.verdict(results, waited=arguments.wait)


def _rehearse(form: str, made: Plan, said: Mapping[str, Answer]) -> int:
    import json

    from tui.cli.batch import rehearsal

    calls = rehearsal(made, said)
    if form == "json":
        sys.stdout.write(json.dumps(calls, indent=2, ensure_ascii=False) + "\n")
    else:
        for call in calls:
            given = "".join(f" {name}={value!r}" for name, value in call["arguments"].items())
            sys.stdout.write(f"{call['host']}: {call['call']} on {call['name']}{given}\n")
            sys.stdout.writelines(f"  {line}\n" for line in call["consequences"])
            sys.stdout.writelines(f"  {line}\n" for line in _host_says(call))
    for refused in made.refused:
        tell(refused)
    against = any(call.get("allowed") is False for call in calls)
    return exits.REFUSED if made.refused or against else exits.DONE


def _host_says(call: dict[str, Any]) -> list[str]:
    """A host's own word on a call, where it was asked for one."""
    if "allowed" not in call:
        return []
    host, name = call["host"], call["name"]
    if call["allowed"]:
        return [f"{host} says that {name} can move now"]
    word = "gave no verdict" if call["allowed"] is None else f"says that {name} cannot move"
    return [f"{host} {word}: {reason}" for reason in call["reasons"] or ["it gives no reason"]]


def _confirm(made: Plan) -> None:
    """Ask; anything but the answer wanted ends it. Without a terminal ``--yes`` is needed."""
    from tui.cli.batch import question

    text, yes = question(made)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{made.action.title} asks first", hint="--yes says you mean it")
    sys.stderr.write(text)
    sys.stderr.flush()
    if sys.stdin.readline().strip() != yes:
        raise Refused("Nothing was done")


def tell(update: CallUpdate) -> None:
    """One line of progress."""
    from tui.rows.columns import PHASES

    word = PHASES[update.phase][0].lower()
    done = f" {update.percent}%" if update.percent is not None else ""
    step = f" {update.step}" if update.step else ""
    why = f": {trouble_line(update.trouble)}" if update.trouble else ""
    narrate(f"{update.name or update.target} on {update.host}: {word}{step}{done}{why}")
    for thing in update.made:
        narrate(f"  it left {thing}")


def _emit_results(form: str, results: Sequence[CallUpdate]) -> None:
    if form == "json":
        import json

        from tui.cli.batch import result_record

        data = [result_record(result) for result in results]
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        return
    from tui.rows import columns

    wanted = ("action", "name", "host", "phase", "trouble")
    emit(form, columns.select(columns.CALL_COLUMNS, "", wanted), results)

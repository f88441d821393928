"""The ``hvdeck`` command. Standard output is data, standard error is narration.

Everything heavy (the deck, WinRM, the simulator) is imported by the branch that needs it.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui.cli import (
    about,
    acts,
    exits,
    forecast,
    language,
    lists,
    perf,
    sample,
    storage,
    tapes,
    top,
)
from tui.cli.reach import configuration, entries, given, is_read_only, links_to, seen_as
from tui.cli.speak import code_of, complain, narrate, tolerant_output
from tui.errors import HvError, UsageError

if TYPE_CHECKING:
    from tui.ui.options import DeckOptions


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; answers the exit code."""
    words = language.normal(list(sys.argv[1:] if argv is None else argv))
    tolerant_output()
    try:
        arguments = language.build_parser(words).parse_args(words)
        code = HANDLERS[arguments.command](arguments)
        sys.stdout.flush()
    except HvError as error:
        complain(error)
        return code_of(error)
    except KeyboardInterrupt:
        narrate("interrupted; what a host has accepted goes on there")
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough; the interpreter must not fail once more when it flushes.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.DONE
    return code


def deck(arguments: argparse.Namespace) -> int:
    """Open the deck."""
    gc.disable()  # nothing that loading makes is garbage; the deck collects again once it is up
    try:
        options = _deck_options(arguments)
    except HvError:
        gc.enable()
        raise
    from tui.ui.options import calm
    from tui.ui.start import run

    calm(os.environ)
    return run(options)


def _deck_options(arguments: argparse.Namespace) -> DeckOptions:
    config = configuration(arguments)
    chosen = () if given(arguments, "demo") else entries(arguments, config)
    look = seen_as(arguments, config)
    fast = given(arguments, "refresh", config.settings.refresh.fast)
    if not 1 <= fast <= 86_400:
        raise UsageError("--refresh takes seconds, at least 1")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The deck needs a terminal", hint="`hvdeck vms` and others work without")
    return replace(
        look,
        links=links_to(chosen),
        scene=given(arguments, "demo", language.DEFAULT_SCENE),
        read_only=is_read_only(arguments, config),
        fast=fast,
        slow=max(fast, config.settings.refresh.slow),
        requests_per_minute=config.settings.refresh.requests_per_minute,
        host_tags={entry.id: entry.tags for entry in chosen if entry.tags},
        watch=config.settings.watch,
        notify=config.settings.notify,
    )


def simulate(arguments: argparse.Namespace) -> int:
    """Only the simulated fabric."""
    from tui.sim import command

    return command.run(arguments)


HANDLERS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "deck": deck,
    "list": lists.list_rows,
    "audit": lists.audit,
    "sample": sample.sample,
    "storage": storage.storage,
    "perf": perf.perf,
    "record": tapes.record,
    "replay": tapes.replay,
    "top": top.top,
    "act": acts.act,
    "balance": forecast.balance,
    "capacity": forecast.capacity,
    "place": forecast.place,
    "actions": about.list_actions,
    "wql": lists.query,
    "host refresh": lists.refresh,
    "config check": about.config_check,
    "config show": about.config_show,
    "explain": about.explain_code,
    "sim": simulate,
}
"""By the name the language gives each command."""

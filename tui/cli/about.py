"""Commands about hvdeck itself: its actions, its configuration, what a number means."""

from __future__ import annotations

import argparse
import sys

from tui.cli import exits
from tui.cli.lists import emit
from tui.cli.reach import configuration, entries
from tui.cli.speak import narrate
from tui.errors import UsageError


def list_actions(arguments: argparse.Namespace) -> int:
    """The action table."""
    from tui.actions import ACTIONS
    from tui.cli.catalogue import ACTION_COLUMNS, record

    if arguments.output == "json":
        import json

        sys.stdout.write(json.dumps([record(action) for action in ACTIONS], indent=2) + "\n")
    else:
        emit(arguments.output, ACTION_COLUMNS, ACTIONS)
    return exits.DONE


def config_check(arguments: argparse.Namespace) -> int:
    """Everything that can be checked without the network, and what would be connected."""
    from tui.actions.panekeys import ALL_KEYS
    from tui.config import config_path, key_map, masked

    config = configuration(arguments)
    key_map(config, ALL_KEYS)
    found = entries(arguments, config)
    narrate(f"{config.file} is good" if config.file else f"{config_path()} does not exist")
    if arguments.output == "json":
        import json

        names = ("id", "url", "auth", "user", "read_only")
        data = [{**{name: getattr(entry, name) for name in names},
                 "password": masked(entry.password)} for entry in found]  # fmt: skip
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return exits.DONE
    for entry in found:
        who = f" as {entry.user}" if entry.user else ""
        secret = f", password from {masked(entry.password)}" if entry.password else ""
        lock = ", read-only" if entry.read_only else ""
        sys.stdout.write(f"{entry.id}: {entry.url} by {entry.auth}{who}{secret}{lock}\n")
    return exits.DONE


def config_show(arguments: argparse.Namespace) -> int:
    """Every value in force and where it came from."""
    import json

    from tui.config.show import effective

    values = effective(configuration(arguments))
    if arguments.output == "json":
        data = [{"key": v.key, "value": v.value, "origin": v.origin} for v in values]
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return exits.DONE
    for value in values:
        shown = json.dumps(value.value, ensure_ascii=False)
        sys.stdout.write(f"{value.key} = {shown}  # {value.origin}\n")
    return exits.DONE


def explain_code(arguments: argparse.Namespace) -> int:
    """A number in words."""
    from tui.wsman.explain import find

    found = find(arguments.number)
    if found is None:
        raise UsageError(f"{arguments.number} is not a number hvdeck knows")
    hint = f"\n{found.hint}" if found.hint else ""
    sys.stdout.write(f"{found.text}: {found.meaning}{hint}\n")
    return exits.DONE

"""The command line's language: commands and options, verbs straight from the action table.

Light to import: the table is read only when one of its nouns occurs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tui import __version__
from tui.cli import exits, readings
from tui.cli.options import FORMS, global_options, list_options, positive

if TYPE_CHECKING:
    from tui.actions import Action, Field

LISTS: Final = {
    "hosts": "host",
    "vms": "vm",
    "networks": "switch",
    "jobs": "job",
    "roles": "role",
    "nodes": "node",
    "csvs": "csv",
    "replicas": "replica",
}
NOUNS: Final = {
    "vm": "act on virtual machines",
    "disk": "act on their disks",
    "dvd": "act on their DVD drives",
    "nic": "act on their network adapters",
    "checkpoint": "act on their checkpoints",
    "integration": "act on their integration services",
    "switch": "act on virtual switches",
    "host": "act on hosts",
    "job": "act on jobs of hosts",
    "role": "act on roles of failover clusters",
    "node": "act on nodes of failover clusters",
    "csv": "act on cluster shared volumes",
    "replica": "act on replication relationships",
}
AUDITS: Final = ("findings", "macs", "pools", "vlans", "switches", "adapters")
FORECASTS: Final = ("balance", "capacity", "place")
COMMANDS: Final = (
    *LISTS,
    *NOUNS,
    *FORECASTS,
    "audit",
    "sample",
    "storage",
    "top",
    "perf",
    "record",
    "replay",
    "actions",
    "wql",
    "config",
    "explain",
    "sim",
)
NOUNS_AND_SCENES: Final = ("replica",)
NAMED: Final = {
    "vm": ("NAME", "machines: name, id, NAME@HOST or a pattern such as web*"),
    "host": ("HOST", "hosts: name or a pattern such as hv*"),
    "switch": ("SWITCH", "switches: name, id, NAME@HOST or a pattern"),
    "job": ("JOB", "jobs: id or name"),
    "role": ("ROLE", "roles: name, NAME@CLUSTER or a pattern"),
    "node": ("NODE", "nodes: name, NAME@CLUSTER or a pattern"),
    "csv": ("VOLUME", "shared volumes: path or its last part, NAME@CLUSTER or a pattern"),
    "replica": ("NAME", "ends of a relationship: machine@HOST, id or a pattern"),
}
"""What an action's targets are called, and how they may be given; by kind."""
DEFAULT_SCENE: Final = "datacenter"
PATIENCE: Final = 300.0
"""Seconds ``--wait`` waits unless told otherwise."""
LONG: Final = 4 * 3600.0
"""The same for a whole plan of moves."""


def normal(words: Sequence[str]) -> list[str]:
    """Words as argparse can take them: ``--demo`` without a scene, ``--sort -COLUMN``."""
    done: list[str] = []
    rest = iter([*words, "", ""])
    word, following = next(rest), next(rest)
    for after in rest:
        if word == "--demo" and not _is_scene(following, after):
            done.append(f"--demo={DEFAULT_SCENE}")
        elif word == "--sort" and following.startswith("-"):
            done.append(f"--sort={following}")
            following, after = after, next(rest, "")
        else:
            done.append(word)
        word, following = following, after
    return done


def _is_scene(word: str, after: str) -> bool:
    """What follows ``--demo`` is its scene. One is called like a noun, which a verb follows."""
    if word in NOUNS_AND_SCENES:
        return after in COMMANDS or after[:1] in ("-", "")
    return word[:1] not in ("-", "") and word not in COMMANDS


# -- the language --------------------------------------------------------------------------


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser; verbs of a noun are only worked out when the noun occurs in ``words``."""
    codes = "\n".join(f"  {code:<4} {meaning}" for code, meaning in exits.MEANINGS.items())
    parser = argparse.ArgumentParser(
        prog="hvdeck",
        description="A terminal control deck for Hyper-V. Without a command: the deck itself, "
        "over the\nconfigured hosts, or over a simulated fabric when there are none.",
        epilog=f"exit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hvdeck {__version__}")
    global_options(parser)
    parser.set_defaults(command="deck")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, kind in LISTS.items():
        _list_parser(commands, name, kind)
    _audit_parser(commands)
    _balance_parser(commands)
    _capacity_parser(commands)
    _place_parser(commands)
    readings.add(commands)
    for noun, help_text in NOUNS.items():
        _noun_parser(commands, noun, help_text, wanted=noun in words)
    _other_parsers(commands)
    _sim_parser(commands, wanted="sim" in words)
    return parser


def _list_parser(commands: Any, name: str, kind: str) -> None:
    parser = commands.add_parser(name, help=f"list {name}", description=f"List {name}.")
    list_options(parser)
    parser.set_defaults(command="list", kind=kind)


def _audit_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "audit",
        help="compare the networks of hosts",
        description="Look for doubled addresses, overlapping pools, VLAN gaps and misspelt "
        "switches over all hosts.",
    )
    parser.add_argument(
        "table", nargs="?", choices=AUDITS, default=AUDITS[0], metavar="TABLE",
        help=f"{', '.join(AUDITS)}; the first unless told otherwise",
    )  # fmt: skip
    list_options(parser)
    parser.set_defaults(command="audit")


def _balance_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "balance",
        help="plan moves that even hosts out or free some",
        description="Plan the moves that even memory and processors out over the hosts. Nothing "
        "moves without --run.",
    )
    parser.add_argument("--pack", action="store_true", help="free hosts instead: fill the others")
    parser.add_argument("--run", action="store_true", help="carry the plan out")
    parser.add_argument("--cap", type=int, default=2, metavar="NUMBER", help="moves at once, 1-16")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--wait", action="store_true", help="until it is seen to be done")
    parser.add_argument(
        "--timeout", type=float, default=LONG, metavar="SECONDS",
        help=f"how long that may take, {LONG:.0f} unless told otherwise",
    )  # fmt: skip
    parser.add_argument("-o", "--output", choices=FORMS, default="table", help="how it is told")
    global_options(parser, deck=False)
    parser.set_defaults(command="balance")


def _capacity_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "capacity",
        help="what fits on each host, and what its loss would do",
        description="What fits on each host, what is promised more than once, and what the loss "
        "of each would do. Counted are machines of the size given, or of the usual one.",
    )
    _wish_options(parser, required=False)
    parser.set_defaults(command="capacity")


def _place_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "place",
        help="the best host for a new machine, with the reason",
        description="Rank the hosts for a new machine of a size, the best first.",
    )
    parser.add_argument("--switch", default="", metavar="NAME", help="virtual switch it needs")
    parser.add_argument("--disk", type=_size, default=0, metavar="SIZE", help="of its disk: 80G")
    _wish_options(parser, required=True)
    parser.set_defaults(command="place")


def _wish_options(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--memory", type=_memory, required=required, metavar="SIZE", help="of the machine: 16G"
    )
    parser.add_argument("--cpus", type=_number, metavar="NUMBER", help="its virtual processors")
    parser.add_argument("-o", "--output", choices=FORMS, default="table", help="how it is told")
    global_options(parser, deck=False)


def _number(word: str) -> int:
    return positive(word, int)


def _memory(word: str) -> int:
    from tui.actions.amounts import memory

    return positive(word, memory)


def _size(word: str) -> int:
    from tui.actions.amounts import size

    return positive(word, size)


def _noun_parser(commands: Any, noun: str, help_text: str, *, wanted: bool) -> None:
    parser = commands.add_parser(noun, help=help_text)
    if not wanted:
        return
    from tui.cli.catalogue import verbs

    actions = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for action in verbs().get(noun, ()):
        _verb_parser(actions, action)
    if noun == "host":
        _refresh_parser(actions)


def _refresh_parser(actions: Any) -> None:
    from tui.actions import by_id
    from tui.cli.catalogue import REFRESH

    action = by_id(REFRESH)
    assert action is not None
    noun, _, verb = action.id.partition(".")
    parser = actions.add_parser(
        verb, help=action.help, description=f"{action.help}, and tell how it is."
    )
    metavar, how = NAMED[noun]
    parser.add_argument("names", nargs="+", metavar=metavar, help=how)
    parser.add_argument("-o", "--output", choices=FORMS, default="table", help="how it is told")
    global_options(parser, deck=False)
    parser.set_defaults(command="host refresh")


def _verb_parser(actions: Any, action: Action) -> None:
    verb = action.id.partition(".")[2]
    told = [f"{action.help}."] + ([f"{action.effect}."] if action.effect else [])
    parser = actions.add_parser(verb, help=action.help, description=" ".join(told))
    metavar, how = NAMED[action.kind]
    parser.add_argument("names", nargs="*", metavar=metavar, help=how)
    parser.add_argument("--filter", default="", metavar="FILTER", help="those that match")
    for field in action.form:
        _field_option(parser, field, alone=len([f for f in action.form if f.asked]) == 1)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--wait", action="store_true", help="until it is seen to be done")
    patience = LONG if action.planned else PATIENCE
    parser.add_argument(
        "--timeout", type=float, default=patience, metavar="SECONDS",
        help=f"how long that may take, {patience:.0f} unless told otherwise",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", action="store_true", help="print the CIM calls, change nothing"
    )
    parser.add_argument("-o", "--output", choices=FORMS, default="table", help="how it is told")
    global_options(parser, deck=False)
    parser.set_defaults(command="act", action=action)


def _field_option(parser: argparse.ArgumentParser, field: Field, *, alone: bool) -> None:
    name, dest = "--" + field.id.replace("_", "-"), f"field_{field.id}"
    help_text = field.help.replace("%", "%%")
    if field.type is bool:
        parser.add_argument(
            name, dest=dest, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS,
            help=f"{field.title}: {help_text[:1].lower()}{help_text[1:]}",
        )  # fmt: skip
        return
    parser.add_argument(
        name, dest=dest, type=_reader(field), default=argparse.SUPPRESS, help=help_text,
        required=field.asked and alone and not field.optional and field.choices is None,
        metavar=field.id.upper(),
    )  # fmt: skip


def _reader(field: Field) -> Callable[[str], Any]:
    """From a word to the field's value; words of a choice wait until the target is known."""
    if field.choices is not None:
        return str

    def read(word: str) -> Any:
        if field.optional and not word.strip():
            return None
        try:
            return field.type(word)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _other_parsers(commands: Any) -> None:
    actions = commands.add_parser("actions", help="the action table: id, key, risk, fields")
    actions.add_argument("-o", "--output", choices=FORMS, default="table")
    actions.set_defaults(command="actions")
    wql = commands.add_parser("wql", help="a read-only WQL query against one host")
    global_options(wql, deck=False)
    wql.add_argument("namespace", help="such as root/virtualization/v2")
    wql.add_argument("query", help="such as 'SELECT * FROM Msvm_ComputerSystem'")
    wql.add_argument("-o", "--output", choices=FORMS, default="json")
    wql.set_defaults(command="wql")
    config = commands.add_parser("config", help="check or show the configuration")
    parts = config.add_subparsers(title="parts", metavar="check|show", required=True)
    for name in ("check", "show"):
        part = parts.add_parser(name)
        global_options(part, deck=False)
        part.add_argument("-o", "--output", choices=("table", "json"), default="table")
        part.set_defaults(command=f"config {name}")
    explain = commands.add_parser("explain", help="what an error number means and what helps")
    explain.add_argument("number", metavar="CODE", help="such as 0x8009030E, -2144108526 or 32775")
    explain.set_defaults(command="explain")


def _sim_parser(commands: Any, *, wanted: bool) -> None:
    parser = commands.add_parser("sim", help="serve the simulated fabric alone")
    parser.set_defaults(command="sim")
    if wanted:
        from tui.sim import command

        command.add_arguments(parser)

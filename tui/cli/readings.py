"""Commands that read for a while: samples, storage, rankings, load, recordings and replays."""

from __future__ import annotations

import argparse
from typing import Any, Final

from tui.cli.options import FORMS, global_options, list_options, look_options, positive
from tui.errors import UsageError

STORED: Final = ("volumes", "files", "hosts", "machines")
RANKINGS: Final = ("vms", "hosts", "disks", "adapters", "uplinks", "volumes")
"""The tables of ``top`` and ``sample``, as ``tui.rows.ranking`` declares them."""


def add(commands: Any) -> None:
    """All of them."""
    _sample_parser(commands)
    _storage_parser(commands)
    _top_parser(commands)
    _perf_parser(commands)
    _record_parser(commands)
    _replay_parser(commands)


def _sample_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "sample",
        help="read again and again what machines, hosts, disks, adapters, uplinks or volumes use",
        description="Read again and again what top ranks, and tell every sample as it comes. "
        "Hosts are read every two seconds at most, so that peaks between samples count: "
        "they are those since the first sample, of the last hour. Ends after --count samples, "
        "or with Ctrl-C.",
    )
    _what(parser)
    parser.add_argument(
        "--every", type=float, default=5.0, metavar="SECONDS",
        help="time between samples, at least 1, 5 unless told otherwise",
    )  # fmt: skip
    parser.add_argument("--count", type=int, metavar="N", help="samples; without, until Ctrl-C")
    parser.add_argument("--filter", default="", metavar="FILTER", help="as behind / in the deck")
    parser.add_argument("--sort", default="", metavar="COLUMN", help="-COLUMN turns it round")
    parser.add_argument("--columns", default="", help="name,cpu,… or +more, or all")
    parser.add_argument(
        "-o", "--output", choices=("table", "json", "csv"), default="table",
        help="how it is told; json is one object per line",
    )  # fmt: skip
    global_options(parser, deck=False)
    parser.set_defaults(command="sample")


def _storage_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "storage",
        help="how full volumes are and when they will be; files, and memory",
        description="Tell how full volumes are, what may still grow on them, and how fast they "
        "fill; or the files of all disks, the memory of hosts, or memory and disks of machines. "
        "Growth and the time until a volume is full take ten minutes of readings: --for.",
    )
    parser.add_argument(
        "table", nargs="?", choices=STORED, default=STORED[0], metavar="|".join(STORED),
        help=f"{STORED[0]} unless told otherwise",
    )  # fmt: skip
    _for(parser, "how long to go on reading before it is told", default=0)
    list_options(parser)
    parser.set_defaults(command="storage")


def _top_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "top",
        help="who uses most now: machines, hosts, disks, adapters, uplinks, volumes",
        description="Measure for a moment, and tell who uses most. Peaks are those of the time "
        "measured.",
    )
    _what(parser)
    _for(parser, "measure so long, a few readings unless told otherwise", default=0)
    list_options(parser)
    parser.set_defaults(command="top")


def _perf_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "perf",
        help="what reading costs the hosts",
        description="Read the hosts for a while as the deck does, and tell what each was asked, "
        "how fast it answered, and how near that is to the cap.",
    )
    _for(parser, "how long, at least 3 s, 20 s unless told otherwise", default=20)
    parser.add_argument("--operations", action="store_true", help="which queries took the time")
    parser.add_argument("--sort", default="", metavar="COLUMN", help="-COLUMN turns it round")
    parser.add_argument("-o", "--output", choices=FORMS, default="table", help="how it is told")
    global_options(parser, deck=False)
    parser.set_defaults(command="perf")


def _record_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "record",
        help="record everything the deck would show",
        description="Record everything the deck would show of the hosts, until Ctrl-C or for a "
        "while. The file holds names, addresses and notes of hosts and machines, no account and "
        "no password; only its owner may read it.",
    )
    parser.add_argument("file", metavar="FILE", help="to record into")
    parser.add_argument(
        "--every", type=float, default=2.0, metavar="SECONDS",
        help="time between readings, at least 1, 2 unless told otherwise",
    )  # fmt: skip
    _for(parser, "how long, until Ctrl-C unless told otherwise", default=None)
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    global_options(parser, deck=False)
    parser.set_defaults(command="record")


def _replay_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "replay",
        help="show a recording in the deck",
        description="Show a recording in the deck, as it was. No host is reached, and nothing "
        "can be done to one.",
    )
    parser.add_argument("file", metavar="FILE", help="made by record, or by Record in the deck")
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="times as fast, 1 unless told so"
    )
    parser.add_argument(
        "--at", metavar="TIME", help="begin there: 14:30, 2026-09-23T14:30 or +1h30m"
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, metavar="FILE",
                        help="configuration file to use")  # fmt: skip
    look_options(parser.add_argument_group("deck"), deck=True)
    parser.set_defaults(command="replay")


def _what(parser: argparse.ArgumentParser) -> None:
    """Which of the tables of top."""
    parser.add_argument(
        "what", nargs="?", choices=RANKINGS, default=RANKINGS[0], metavar="WHAT",
        help=f"{', '.join(RANKINGS)}; the first unless told otherwise",
    )  # fmt: skip


def _for(parser: argparse.ArgumentParser, help: str, *, default: int | None) -> None:
    """The option that says how long; in seconds where nothing else is said."""
    parser.add_argument(
        "--for", dest="seconds", type=_duration, default=default, metavar="DURATION",
        help=f"{help}: 90, 30s, 10m or 1h30m",
    )  # fmt: skip


def _duration(word: str) -> float:
    from tui.cli.tapes import duration

    try:
        return positive(word, lambda given: int(duration(given)))
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error} ({error.hint})") from None

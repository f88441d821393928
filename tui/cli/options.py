"""Options that several commands share, and how their words are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Final

FORMS: Final = ("table", "json", "csv", "markdown")


def global_options(parser: argparse.ArgumentParser, *, deck: bool = True) -> None:
    """Options that mean the same before and after the command; those of the deck alone are
    taken, but not listed, where there is no deck."""
    which = parser.add_argument_group("hosts")
    add: Callable[..., Any] = _adder(which)
    add(
        "--demo",
        metavar="SCENE",
        help="a simulated fabric: homelab, datacenter, troubled, cluster, migration, replica, "
        "large",
    )
    add("--host", action="append", metavar="HOST", help="a configured host, or an address or URL")
    add("--group", action="append", metavar="GROUP", help="the hosts of a configured group")
    add("--user", help=r"account for the hosts, DOMAIN\user or user@realm")
    add("--auth", choices=("ntlm", "negotiate", "kerberos", "basic", "certificate", "credssp"),
        metavar="METHOD",
        help="ntlm (the default), negotiate, kerberos, basic, certificate or credssp")  # fmt: skip
    add("--password-env", metavar="VAR", help="environment variable that holds the password")
    add("--keyring", metavar="SERVICE", help="keyring service that holds the password")
    add("--ca-trust", metavar="PATH", help="certificate authorities to trust")
    add("--ignore-certificate", action="store_true", help="accept any certificate")
    add("--allow-cleartext-basic", action="store_true", help="let basic send the password openly")
    add("--config", metavar="FILE", help="configuration file to use")
    group = parser.add_argument_group("deck" if deck else "more")
    change = _adder(group)
    change("--read-only", dest="read_only", action="store_true", help="withhold every change")
    change("--write", dest="read_only", action="store_false", help="allow changes")
    look_options(group, deck=deck)


def look_options(group: Any, *, deck: bool) -> None:
    """Options of what is seen."""
    look = _adder(group)
    look("--ascii", action="store_true", help="ASCII characters only")
    mouse, theme, refresh = (
        ("leave the mouse to the terminal", "colours of the deck",
         "time between refreshes, at least 1")
        if deck
        else (argparse.SUPPRESS,) * 3
    )  # fmt: skip
    look("--no-mouse", action="store_true", help=mouse)
    look("--theme", help=theme)
    look("--refresh", type=float, metavar="SECONDS", help=refresh)


def _adder(group: Any) -> Callable[..., Any]:
    # Without a default, an option given before the command is not undone by its absence after.
    return lambda *names, **options: group.add_argument(
        *names, default=argparse.SUPPRESS, **options
    )


def list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--filter", default="", metavar="FILTER", help="as behind / in the deck")
    parser.add_argument("--sort", default="", metavar="COLUMN", help="-COLUMN turns it round")
    parser.add_argument("--columns", default="", help="name,state,… or +more, or all")
    parser.add_argument("-o", "--output", choices=FORMS, default="table", help="how it is told")
    global_options(parser, deck=False)


def positive(word: str, read: Callable[[str], int]) -> int:
    try:
        found = read(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found < 1:
        raise argparse.ArgumentTypeError(f"{word} is nothing")
    return found

"""Which hosts a command line means, with their accounts: configured, named, or a demo."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import HostLink
    from tui.config import Config, HostEntry
    from tui.ui.options import DeckOptions


def given(arguments: argparse.Namespace, name: str, default: Any = None) -> Any:
    """An option that may not have been given at all."""
    return getattr(arguments, name, default)


def configuration(arguments: argparse.Namespace) -> Config:
    """The configuration the command line points at; its levels are in force from then on."""
    from tui.config import load
    from tui.rows import levels

    path = given(arguments, "config")
    config = load(Path(path).expanduser() if path else None)
    levels.use(config.settings.thresholds)
    return config


def seen_as(arguments: argparse.Namespace, config: Config) -> DeckOptions:
    """How the deck looks and which keys it has, over hosts or over a recording."""
    from tui.actions.panekeys import ALL_KEYS
    from tui.config import key_map
    from tui.ui.options import DeckOptions

    mapped = key_map(config, ALL_KEYS)
    return DeckOptions(
        theme=given(arguments, "theme", config.settings.theme),
        ascii=bool(given(arguments, "ascii", config.settings.ascii)),
        keys={id_: ",".join(mapped[id_]) for id_ in config.settings.keys},
        mouse=config.settings.mouse and not given(arguments, "no_mouse", False),
        thresholds=config.settings.thresholds,
    )


def entries(arguments: argparse.Namespace, config: Config) -> tuple[HostEntry, ...]:
    """The hosts the command line means, with what it says of their accounts."""
    from tui.config import choose

    named, groups = given(arguments, "host", ()), given(arguments, "group", ())
    return choose(config, named, groups, _overrides(arguments))


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    found = {name: given(arguments, name) for name in ("user", "auth") if given(arguments, name)}
    if given(arguments, "ca_trust"):
        found["ca_trust_path"] = arguments.ca_trust
    if given(arguments, "ignore_certificate"):
        found["server_cert_validation"] = "ignore"
    if given(arguments, "allow_cleartext_basic"):
        found["allow_cleartext_basic"] = True
    if given(arguments, "password_env"):
        found["password"] = f"env:{arguments.password_env}"
    elif given(arguments, "keyring"):
        found["password"] = f"keyring:{arguments.keyring}"
    return found


def links_to(found: Iterable[HostEntry]) -> tuple[HostLink, ...]:
    """Entries with their secrets resolved; one account is asked for once."""
    from tui.collector.messages import HostLink
    from tui.config import resolve_secret

    secrets: dict[tuple[str, str], str] = {}
    links = []
    for entry in found:
        key = (entry.user, entry.password)
        if key not in secrets:
            secrets[key] = resolve_secret(
                entry.password, prompt=ask_secret, user=entry.user, host=entry.id
            )
        links.append(HostLink(**entry.link_fields(secrets[key])))
    return tuple(links)


def ask_secret(text: str) -> str:
    """A password from the terminal."""
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for a password on", hint="--password-env VAR")
    return getpass.getpass(text)


@contextlib.contextmanager
def reached(arguments: argparse.Namespace) -> Iterator[tuple[HostLink, ...]]:
    """Links to the hosts meant, for a ``with`` block; a demo's fabric lives as long."""
    if given(arguments, "demo"):
        from tui.collector.fabric import start_fabric

        wanted = {name.casefold() for name in given(arguments, "host", ())}
        with start_fabric(arguments.demo) as links:
            chosen = [link for link in links if not wanted or link.id.casefold() in wanted]
            if not chosen:
                raise UsageError(f"No such host in {arguments.demo}", hint=names_of(links))
            yield tuple(chosen)
        return
    found = entries(arguments, configuration(arguments))
    if not found:
        raise UsageError(
            "No hosts are configured", hint="--host ADDRESS --user USER, a configuration, or --demo"
        )
    yield links_to(found)


def requests_per_minute(arguments: argparse.Namespace) -> int:
    """What reading may ask of one host."""
    from tui.collector.messages import REQUESTS_PER_MINUTE

    if given(arguments, "demo"):
        return REQUESTS_PER_MINUTE
    return configuration(arguments).settings.refresh.requests_per_minute


def names_of(links: Iterable[HostLink]) -> str:
    return "hosts: " + ", ".join(link.id for link in links)


def is_read_only(arguments: argparse.Namespace, config: Config | None) -> bool:
    """The flag, else the configuration."""
    said = given(arguments, "read_only")
    return bool(config and config.settings.read_only) if said is None else bool(said)


def host_tags(arguments: argparse.Namespace) -> dict[str, tuple[str, ...]]:
    if given(arguments, "demo"):
        return {}
    return {entry.id: entry.tags for entry in entries(arguments, configuration(arguments))}


def watched(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Patterns of what is watched."""
    return () if given(arguments, "demo") else configuration(arguments).settings.watch

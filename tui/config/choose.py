"""Which hosts a command line means: configured ones, groups, and addresses nobody configured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tui.config.hosts import NO_PASSWORD, check_entry, endpoint
from tui.config.settings import Config, HostEntry


def choose(
    config: Config,
    hosts: Sequence[str] = (),
    groups: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> tuple[HostEntry, ...]:
    """The hosts named and those of the groups; all configured ones when neither is given.

    A name that is not configured is an address. ``overrides`` are fields of ``HostEntry`` that
    hold for all of them. Raises ConfigError.
    """
    changes = dict(overrides or {})
    known = {entry.id.casefold(): entry for entry in config.entries}
    auth = changes.get("auth", "ntlm")
    chosen = [known.get(name.casefold()) or _unknown(name, auth) for name in hosts]
    if groups or not hosts:
        chosen.extend(config.select(groups))
    made = {}
    for entry in chosen:
        entry = msgspec.structs.replace(entry, **changes)
        if entry.user and not entry.password and entry.auth not in NO_PASSWORD:
            entry = msgspec.structs.replace(entry, password="prompt")
        check_entry(entry, config.file if entry.id in config.settings.hosts else "")
        made[entry.id] = entry
    return tuple(made.values())


def _unknown(address: str, auth: str) -> HostEntry:
    url = endpoint(address, auth)
    name = urlsplit(url).netloc.rpartition("@")[2] if "://" in address else address
    return HostEntry(id=name or address, url=url)

"""What is in force and where it came from, fit to be shown: secrets stay references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from tui.config.hosts import path_of
from tui.config.read import TABLES
from tui.config.secret import masked
from tui.config.settings import Config, HostEntry, HostSettings, Notify, Refresh, Settings
from tui.config.thresholds import Level, Thresholds, as_written


@dataclass(frozen=True, slots=True)
class Effective:
    """One value: ``origin`` is a file, an environment variable or ``default``."""

    key: str
    value: Any
    origin: str


def effective(config: Config) -> list[Effective]:
    """Every setting and, host by host, everything that is used to connect."""
    found: list[Effective] = []
    for field in msgspec.structs.fields(Settings):
        if field.name not in (*TABLES, "groups", "keys"):
            value = getattr(config.settings, field.name)
            usual = value == getattr(Settings(), field.name)
            value = list(value) if isinstance(value, tuple) else value
            found.append(Effective(field.name, value, _origin(config, field.name, usual)))
    found += _table(config, "refresh", config.settings.refresh, Refresh())
    found += _table(config, "notify", config.settings.notify, Notify())
    found += _table(config, "thresholds", config.settings.thresholds, Thresholds())
    for name, members in config.settings.groups.items():
        found.append(Effective(path_of("groups", name), list(members), config.file))
    for name, keys in config.settings.keys.items():
        shown = keys if isinstance(keys, str) else list(keys)
        found.append(Effective(path_of("keys", name), shown, config.file))
    for entry in config.entries:
        found.extend(_host(config, entry))
    return found


def _table(
    config: Config, table: str, now: msgspec.Struct, usual: msgspec.Struct
) -> Iterator[Effective]:
    """The fields of a table; of a measure both levels."""
    for field in msgspec.structs.fields(now):
        value, default = getattr(now, field.name), getattr(usual, field.name)
        key = f"{table}.{field.name}"
        if not isinstance(value, Level):
            yield Effective(key, value, _origin(config, "", value == default))
            continue
        for name in ("warning", "critical"):
            level = getattr(value, name)
            origin = _origin(config, "", level == getattr(default, name))
            yield Effective(f"{key}.{name}", as_written(level, value.unit), origin)


def _origin(config: Config, key: str, usual: bool) -> str:
    if key in config.environment:
        return config.environment[key]
    return "default" if usual else config.file


def _host(config: Config, entry: HostEntry) -> list[Effective]:
    own, general = config.settings.hosts[entry.id], config.settings.defaults
    prefix = path_of("hosts", entry.id)
    found = []
    for field in msgspec.structs.fields(HostEntry):
        if field.name == "id":
            continue
        value = getattr(entry, field.name)
        value = masked(value) if field.name == "password" else value
        shown = list(value) if isinstance(value, tuple) else value
        origin = _host_origin(config.file, field.name, own, general)
        if field.name == "groups" and value:
            origin = config.file
        found.append(Effective(f"{prefix}.{field.name}", shown, origin))
    return found


def _host_origin(file: str, name: str, own: HostSettings, general: HostSettings) -> str:
    if getattr(own, name) is not None:
        return file
    if name == "url":
        return f"{file} address" if own.address else f"{file} name"
    return f"{file} defaults" if getattr(general, name) is not None else "default"

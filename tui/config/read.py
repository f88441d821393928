"""The TOML file: found, parsed, taken apart key by key, so that an error can name its key."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
import platformdirs

from tui.config.hosts import entry, path_of
from tui.config.secret import check_reference
from tui.config.settings import (
    WATCHABLE,
    Config,
    HostSettings,
    Notify,
    Refresh,
    Settings,
    near,
)
from tui.config.thresholds import Level, Thresholds, as_written, level_of
from tui.errors import ConfigError


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Where the file is looked for: ``HVDECK_CONFIG``, else the platform's usual place."""
    chosen = (os.environ if environ is None else environ).get("HVDECK_CONFIG")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_config_path("hvdeck", appauthor=False) / "config.toml"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read and check the configuration. Raises ConfigError naming file and key.

    The file may be missing at its usual place, not where somebody pointed.
    """
    environ = os.environ if environ is None else environ
    wanted = path is not None or bool(environ.get("HVDECK_CONFIG"))
    path = path or config_path(environ)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        if wanted:
            raise ConfigError(f"{path} does not exist", file=str(path)) from error
        return _config({}, "", environ)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read", file=str(path), cause=_os(error)) from error
    return parse(text, str(path), environ)


def _os(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "" if isinstance(error, OSError) else "it is not UTF-8 text"


def parse(text: str, file: str, environ: Mapping[str, str] | None = None) -> Config:
    """Check the text of a configuration. Raises ConfigError naming file and key."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML", file=file, cause=str(error)) from error
    return _config(raw, file, {} if environ is None else environ)


def _config(raw: dict[str, Any], file: str, environ: Mapping[str, str]) -> Config:
    raw = {**raw, "keys": _flat(raw["keys"])} if isinstance(raw.get("keys"), dict) else dict(raw)
    from_environment = _overrides(raw, environ)
    take = _Taker(file, from_environment)
    tables = {name: take.table(raw.pop(name, {}), name) for name in TABLES}
    values: dict[str, Any] = take.fields(raw, Settings, "")
    values["defaults"] = HostSettings(**take.fields(tables["defaults"], HostSettings, "defaults"))
    values["refresh"] = Refresh(**take.fields(tables["refresh"], Refresh, "refresh"))
    values["notify"] = Notify(**take.fields(tables["notify"], Notify, "notify"))
    values["thresholds"] = _thresholds(take, tables["thresholds"])
    values["hosts"] = {
        name: HostSettings(**take.fields(take.table(host, path_of("hosts", name)), HostSettings,
                                         path_of("hosts", name)))
        for name, host in tables["hosts"].items()
    }  # fmt: skip
    settings = Settings(**values)
    _check_defaults(settings.defaults, file)
    _check_refresh(settings.refresh, file)
    _check_groups(settings, file)
    _check_watch(settings.watch, file)
    entries = tuple(entry(name, settings, file) for name in settings.hosts)
    return Config(settings=settings, file=file, environment=from_environment, entries=entries)


TABLES: Final = ("hosts", "defaults", "refresh", "notify", "thresholds")
"""Settings that are tables of named fields."""


def _thresholds(take: _Taker, raw: Mapping[str, Any]) -> Thresholds:
    """The levels given, over those that hold anyway."""
    usual = Thresholds()
    given: dict[str, Any] = {}
    for name, value in raw.items():
        level = getattr(usual, name, None)
        if isinstance(level, Level):
            given[name] = take.level(value, level, path_of("thresholds", name))
        else:
            given |= take.fields({name: value}, Thresholds, "thresholds")
    return Thresholds(**given)


_VARIABLES: Final = {
    "HVDECK_THEME": "theme",
    "HVDECK_ASCII": "ascii",
    "HVDECK_MOUSE": "mouse",
    "HVDECK_READ_ONLY": "read_only",
}


def _overrides(raw: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Put settings of the environment in place; answer which came from which variable."""
    came = {}
    words = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
    for variable, key in _VARIABLES.items():
        value = environ.get(variable, "")
        if value:
            raw[key] = value if key == "theme" else words.get(value.lower(), value)
            came[key] = variable
    return came


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """``vm.start = "s"`` without quotes makes tables within tables: join the names again."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


class _Taker:
    """Takes tables apart field by field, so that every error can name its key."""

    def __init__(self, file: str, environment: Mapping[str, str]) -> None:
        self._file = file
        self._environment = environment

    def table(self, value: Any, key: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        raise self._wrong(key, "a table", value)

    def fields(
        self, raw: Mapping[str, Any], kind: type[msgspec.Struct], key: str
    ) -> dict[str, Any]:
        known = {field.name: field for field in msgspec.structs.fields(kind)}
        taken = {}
        for name, value in raw.items():
            path = path_of(key, name)
            if name not in known:
                raise self._unknown(path, name, known, value)
            taken[name] = self._value(value, known[name].type, path)
        return taken

    def level(self, value: Any, usual: Level, key: str) -> Level:
        """``warning`` and ``critical`` of one measure; what is not given stays as usual."""
        taken: dict[str, float | None] = {}
        known = ("warning", "critical")
        for name, wanted in self.table(value, key).items():
            path = path_of(key, name)
            if name not in known:
                raise self._unknown(path, name, known, wanted)
            try:
                taken[name] = level_of(wanted, usual.unit)
            except ValueError as error:
                raise self._wrong(path, str(error), wanted, shown=str(wanted)) from None
        level = msgspec.structs.replace(usual, **taken)
        if level.warning is None or level.critical is None:
            return level
        milder = level.critical > level.warning if level.falling else level.critical < level.warning
        if milder:
            side = "above" if level.falling else "below"
            at = as_written(level.warning, level.unit)
            raise ConfigError(
                f"{self._file}: {key}.critical must not be {side} its warning level, {at}",
                file=self._file,
                key=f"{key}.critical",
            )
        return level

    def _value(self, value: Any, kind: Any, key: str) -> Any:
        parts = (kind,) if get_origin(kind) is Literal else get_args(kind)
        choices = [choice for choice in parts if get_args(choice)]
        for choice in choices:
            words = get_args(choice)
            if isinstance(value, str) and all(isinstance(word, str) for word in words):
                if value not in words:
                    wanted = "one of " + ", ".join(words)
                    raise self._wrong(key, wanted, value, near(value, words), shown=value)
                return value
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            found = re.match(r"Expected `(.+?)`", str(error))
            raise self._wrong(key, _words(found[1] if found else str(error)), value) from error

    def _unknown(self, path: str, name: str, known: Collection[str], value: Any) -> ConfigError:
        hint = ""
        if isinstance(value, dict) and path.startswith("hosts."):
            hint = 'quote a host name that holds dots: [hosts."hv01.corp.example"]'
        return ConfigError(
            f"{self._file or 'configuration'}: {path} is not a setting",
            file=self._file,
            key=path,
            cause=near(name, known),
            hint=hint or "Known here: " + ", ".join(known),
        )

    def _wrong(
        self, key: str, wanted: str, got: Any, cause: str = "", *, shown: str = ""
    ) -> ConfigError:
        # A value is shown only where it is one of a few words: elsewhere it might be a secret.
        where = self._environment.get(key) or self._file or "configuration"
        return ConfigError(
            f"{where}: {key} must be {wanted}, not {shown or _kind_of(got)}",
            file=self._file,
            key=key,
            cause=cause,
        )


FEWEST: Final = 10
"""Requests a minute with which a host is still read: three fast ticks."""

_KINDS: Final = {
    "str": "text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "a table",
    "null": "",
}


def _words(kinds: str) -> str:
    parts = (_KINDS.get(part.strip(), part.strip()) for part in kinds.split("|"))
    return " or ".join(part for part in parts if part)


def _kind_of(value: Any) -> str:
    names = {bool: "bool", str: "str", int: "int", float: "float", list: "array", dict: "object"}
    return _KINDS.get(names.get(type(value), ""), type(value).__name__)


# -- what fits together --------------------------------------------------------------------


def _check_defaults(defaults: HostSettings, file: str) -> None:
    if defaults.password:
        check_reference(defaults.password, file, "defaults.password")
    for key in ("address", "url"):
        if getattr(defaults, key):
            raise ConfigError(
                f"{file}: defaults.{key} cannot hold for every host",
                file=file,
                key=f"defaults.{key}",
            )


def _check_refresh(refresh: Refresh, file: str) -> None:
    for key, value, least in (("fast", refresh.fast, 1.0), ("slow", refresh.slow, refresh.fast)):
        if not least <= value <= 86_400:
            raise ConfigError(
                f"{file}: refresh.{key} must be at least {least:g} seconds, not {value:g}",
                file=file,
                key=f"refresh.{key}",
            )
    limit = refresh.requests_per_minute
    if limit and not FEWEST <= limit <= 100_000:
        raise ConfigError(
            f"{file}: refresh.requests_per_minute must be at least {FEWEST}, not {limit}",
            file=file,
            key="refresh.requests_per_minute",
            hint="0 sets no limit",
        )


def _check_groups(settings: Settings, file: str) -> None:
    for group, members in settings.groups.items():
        for member in members:
            if not any(fnmatchcase(name, member) for name in settings.hosts):
                raise ConfigError(
                    f"{file}: {path_of('groups', group)} names {member}, which is no host",
                    file=file,
                    key=path_of("groups", group),
                    cause=near(member, settings.hosts),
                )


def _check_watch(patterns: Iterable[str], file: str) -> None:
    for pattern in patterns:
        kind, colon, name = pattern.partition(":")
        if (colon and kind not in WATCHABLE) or not (name if colon else kind):
            raise ConfigError(
                f"{file}: watch names {pattern}, which is nothing to watch",
                file=file,
                key="watch",
                cause=near(kind, WATCHABLE) if colon else "",
                hint="Write the name of a host, or host:, vm: or cluster: and a name",
            )

"""Which keys do what: the defaults of the action table overlaid with ``[keys]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui.config.settings import Config, near
from tui.errors import ConfigError


def key_map(
    config: Config, actions: Iterable[tuple[str, str, tuple[str, ...]]]
) -> dict[str, tuple[str, ...]]:
    """The keys of every action: (id, kind, default keys) overlaid with ``[keys]``.

    Raises ConfigError for an unknown id, and for a key two actions of one kind, or an action
    and the deck (kind ``app``), would share. A pane's own keys (kind ``pane …``) may be those of
    actions: they go before them while the pane has the keys.
    """
    table = {action: (kind, keys) for action, kind, keys in actions}
    result = {action: keys for action, (_, keys) in table.items()}
    for action, keys in config.settings.keys.items():
        if action not in table:
            raise ConfigError(
                f"{config.file}: keys names {action}, which is no action",
                file=config.file,
                key=f'keys."{action}"',
                cause=near(action, table),
                hint="`hvdeck actions` lists them",
            )
        result[action] = tuple(filter(None, (keys,) if isinstance(keys, str) else keys))
    taken: dict[tuple[str, str], str] = {}
    for action, keys in result.items():
        for key in keys:
            _claim(config, taken, table[action][0], key, action)
    _refuse_shadowed(config, taken)
    return result


def _claim(
    config: Config, taken: dict[tuple[str, str], str], kind: str, key: str, action: str
) -> None:
    other = taken.setdefault((kind, key), action)
    if other != action:
        raise _conflict(config, key, other, action)


def _refuse_shadowed(config: Config, taken: Mapping[tuple[str, str], str]) -> None:
    for (kind, key), action in taken.items():
        if kind != "app" and not kind.startswith("pane ") and ("app", key) in taken:
            raise _conflict(config, key, taken["app", key], action)


def _conflict(config: Config, key: str, one: str, other: str) -> ConfigError:
    return ConfigError(
        f"{config.file or 'configuration'}: the key {key} is given to both {one} and {other}",
        file=config.file,
        key=f'keys."{other}"',
        hint='give one of them another key, or "" for none',
    )

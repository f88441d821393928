"""Hosts, settings and keys from one TOML file, checked, with an origin for every value.

Secrets are references, resolved only when a connection needs them. Knows no wire and no screen.
"""

from tui.config.choose import choose
from tui.config.hosts import check_entry, endpoint
from tui.config.keys import key_map
from tui.config.read import config_path, load, parse
from tui.config.secret import masked, resolve_secret
from tui.config.settings import Config, HostEntry, HostSettings, Notify, Refresh, Settings
from tui.config.thresholds import Level, Thresholds

__all__ = [
    "Config",
    "HostEntry",
    "HostSettings",
    "Level",
    "Notify",
    "Refresh",
    "Settings",
    "Thresholds",
    "check_entry",
    "choose",
    "config_path",
    "endpoint",
    "key_map",
    "load",
    "masked",
    "parse",
    "resolve_secret",
]

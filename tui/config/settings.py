"""What may be set, as records with the meaning under each field. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeAlias

import msgspec

from tui.config.thresholds import Thresholds
from tui.errors import ConfigError

Auth: TypeAlias = Literal["ntlm", "negotiate", "kerberos", "basic", "certificate", "credssp"]
Validation: TypeAlias = Literal["validate", "ignore"]
Encryption: TypeAlias = Literal["auto", "always", "never"]
Desktop: TypeAlias = Literal["off", "osc9", "osc777", "osc99"]

WATCHABLE: Final = ("host", "vm", "cluster")
"""What a pattern of ``watch`` may begin with, and a colon; a host's name needs neither."""


class HostSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[hosts.NAME]`` and ``[defaults]``: how to reach a host. Everything is optional."""

    address: str | None = None
    """Name or IP address, with a port if need be; the table's name when neither is given."""
    url: str | None = None
    """The whole endpoint, such as ``https://hv01.corp.example:5986/wsman``."""
    user: str | None = None
    """``DOMAIN\\user``, ``user@realm`` or a local account."""
    auth: Auth | None = None
    """How to log in; ntlm unless said otherwise."""
    password: str | None = None
    """Where the password comes from, never the password itself."""
    cert_pem: str | None = None
    """Client certificate, for auth = "certificate"."""
    cert_key_pem: str | None = None
    """Key of the client certificate."""
    ca_trust_path: str | None = None
    """File or folder of certificate authorities to trust instead of the built-in ones."""
    server_cert_validation: Validation | None = None
    """``ignore`` accepts any certificate, from anyone."""
    proxy: str | None = None
    """Proxy for this host; the environment's proxies are not used."""
    message_encryption: Encryption | None = None
    """Encryption inside http; ``auto`` encrypts whenever the transport is not https."""
    kerberos_delegation: bool | None = None
    """Let the host act as you towards other hosts."""
    allow_cleartext_basic: bool | None = None
    """Send user and password unprotected over http. Only for tests."""
    operation_timeout: int | None = None
    """Seconds a host may work on one request."""
    read_only: bool | None = None
    """Nothing on this host is ever changed."""
    tags: tuple[str, ...] | None = None
    """Words to filter by, as ``#tag``."""
    groups: tuple[str, ...] | None = None
    """Groups this host belongs to, for ``--group``."""


class Refresh(msgspec.Struct, frozen=True, kw_only=True):
    """``[refresh]``: how often hosts are read, in seconds, and how much they are asked."""

    fast: float = 2.0
    """States, loads and running jobs; at least 1."""
    slow: float = 30.0
    """Settings, switches, storage, checkpoints; not below ``fast``."""
    requests_per_minute: int = 600
    """What reading may ask of one host, at least 10; 0 for no limit. Actions are not held up."""


class Notify(msgspec.Struct, frozen=True, kw_only=True):
    """``[notify]``: what the terminal does when the state of something watched changes."""

    bell: bool = True
    """Ring."""
    desktop: Desktop = "off"
    """Ask for a notification on the desktop, in the way this terminal understands."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    hosts: dict[str, HostSettings] = {}
    """The hosts, by the name they are shown under."""
    groups: dict[str, tuple[str, ...]] = {}
    """Names for sets of hosts; members may hold ``*``."""
    defaults: HostSettings = HostSettings()
    """What holds for every host that does not say otherwise."""
    refresh: Refresh = Refresh()
    """How often hosts are read."""
    theme: str = ""
    """Colours; empty for the standard theme."""
    ascii: bool = False
    """Draw with ASCII characters only."""
    mouse: bool = True
    """Let the deck take the mouse."""
    read_only: bool = False
    """Start with every change withheld."""
    keys: dict[str, str | tuple[str, ...]] = {}
    """Action id to key, or to several; "" takes its key away."""
    watch: tuple[str, ...] = ()
    """What is watched in full: ``hv01``, ``vm:sql*``, ``cluster:CL1``; ``*`` stands for any."""
    notify: Notify = Notify()
    """What a change of what is watched sets off."""
    thresholds: Thresholds = Thresholds()
    """From where on values deserve a look, or are urgent."""


class HostEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One host with the defaults filled in; ``password`` is still a reference."""

    id: str
    url: str
    user: str = ""
    auth: Auth = "ntlm"
    password: str = ""
    """Secret reference; empty when the method needs none."""
    cert_pem: str = ""
    cert_key_pem: str = ""
    ca_trust_path: str = ""
    server_cert_validation: Validation = "validate"
    proxy: str = ""
    message_encryption: Encryption = "auto"
    kerberos_delegation: bool = False
    allow_cleartext_basic: bool = False
    operation_timeout: int = 20
    read_only: bool = False
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def link_fields(self, password: str) -> dict[str, Any]:
        """Keyword arguments for the collector's record of a host, with the secret put in."""
        fields = {name: getattr(self, name) for name in _LINK_FIELDS}
        return {**fields, "password": password, "allow_cleartext": self.allow_cleartext_basic}


_LINK_FIELDS: Final = (
    "id", "url", "user", "auth", "cert_pem", "cert_key_pem", "ca_trust_path",
    "server_cert_validation", "proxy", "message_encryption", "kerberos_delegation",
    "operation_timeout", "read_only",
)  # fmt: skip


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, and from where."""

    settings: Settings
    file: str = ""
    """The file read; empty when there is none."""
    environment: dict[str, str] = {}
    """Settings that came from the environment: key to variable."""
    entries: tuple[HostEntry, ...] = ()

    def select(self, groups: Sequence[str] = ()) -> tuple[HostEntry, ...]:
        """The hosts of these groups, or all. Raises ConfigError for an unknown group."""
        known = {*self.settings.groups, *(name for entry in self.entries for name in entry.groups)}
        for group in groups:
            if group not in known:
                raise ConfigError(
                    f"No group named {group}",
                    file=self.file,
                    key="groups",
                    cause=near(group, known),
                )
        if not groups:
            return self.entries
        return tuple(entry for entry in self.entries if set(groups) & set(entry.groups))


def near(name: str, known: Iterable[str]) -> str:
    """A question that names the nearest of the known; empty when nothing is near."""
    found = get_close_matches(name, list(known), 1, 0.5)
    return f"did you mean {found[0]}?" if found else ""

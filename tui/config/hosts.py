"""One host: defaults filled in, address expanded, and what must not be connected refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tui.config.secret import check_reference
from tui.config.settings import HostEntry, HostSettings, Settings
from tui.errors import ConfigError

NO_PASSWORD: Final = ("kerberos", "certificate")
_TLS_BY_NATURE: Final = ("basic", "certificate")
"""Methods that carry no message encryption of their own, so that ``address`` means https."""


def path_of(key: str, name: str) -> str:
    """The dotted name of a setting, quoted as TOML wants it."""
    quoted = name if re.fullmatch(r"[\w-]+", name) else f'"{name}"'
    return f"{key}.{quoted}" if key else quoted


def entry(name: str, settings: Settings, file: str) -> HostEntry:
    """A configured host with the defaults filled in, checked."""
    own, general = settings.hosts[name], settings.defaults
    merged: dict[str, Any] = {}
    for field in msgspec.structs.fields(HostSettings):
        value = getattr(own, field.name)
        value = getattr(general, field.name) if value is None else value
        if value is not None:
            merged[field.name] = value
    in_groups = {group for group, members in settings.groups.items()
                 if any(fnmatchcase(name, member) for member in members)}  # fmt: skip
    merged["groups"] = tuple(sorted(in_groups | set(merged.get("groups", ()))))
    address = own.address or (None if own.url else name)
    url = own.url or endpoint(address or name, merged.get("auth", "ntlm"))
    merged = {key: value for key, value in merged.items() if key not in ("address", "url")}
    made = HostEntry(id=name, url=url, **{**merged, **_password(merged)})
    check_entry(made, file)
    return made


def _password(merged: Mapping[str, Any]) -> dict[str, str]:
    """Ask, when nothing says where the password is and the method needs one."""
    needs = merged.get("user") and merged.get("auth", "ntlm") not in NO_PASSWORD
    return {} if merged.get("password") or not needs else {"password": "prompt"}


def endpoint(address: str, auth: str) -> str:
    """``hv01`` as an endpoint: http where the method encrypts messages itself, else https."""
    if "://" in address:
        return address
    host, port = address, ""
    if found := re.fullmatch(r"(\[.+\]|[^:]+):(\d+)", address):
        host, port = found.groups()
    elif address.count(":") > 1 and not address.startswith("["):
        host = f"[{address}]"
    secure = port in ("5986", "443") or (not port and auth in _TLS_BY_NATURE)
    port = port or ("5986" if secure else "5985")
    return f"{'https' if secure else 'http'}://{host}:{port}/wsman"


def check_entry(entry: HostEntry, file: str = "") -> None:
    """Refuse what could not or must not be connected. Raises ConfigError."""

    def refuse(key: str, title: str, hint: str = "") -> ConfigError:
        path = f"{path_of('hosts', entry.id)}.{key}"
        lead = f"{file}: {path}" if file else entry.id
        return ConfigError(f"{lead} {title}", file=file, key=path, hint=hint)

    if entry.password:
        check_reference(entry.password, file, f"{path_of('hosts', entry.id)}.password")
    for key in ("url", "proxy"):
        address = getattr(entry, key)
        if not address:
            continue
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable, parts = False, urlsplit("")
        if not usable:
            raise refuse(key, "must be an http or https address")
        if parts.password:
            hint = "use user and password = a reference" if key == "url" else ""
            raise refuse(key, "must not hold a password", hint)
    if entry.auth == "basic" and entry.url.startswith("http:") and not entry.allow_cleartext_basic:
        raise refuse(
            "auth",
            "would send the password in clear text over http",
            "use an https address, or set allow_cleartext_basic = true if that is what you want",
        )
    if entry.auth == "certificate" and not (entry.cert_pem and entry.cert_key_pem):
        raise refuse("auth", "is certificate, so cert_pem and cert_key_pem are needed")
    if not 1 <= entry.operation_timeout <= 600:
        raise refuse("operation_timeout", "must be between 1 and 600 seconds")

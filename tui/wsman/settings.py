"""How to reach one host, and which of such settings cannot or must not be tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tui.errors import ConfigError

METHODS = {  # as written in a configuration, and as pywinrm calls it
    "ntlm": "ntlm",
    "negotiate": "ntlm",
    "basic": "basic",
    "kerberos": "kerberos",
    "certificate": "certificate",
    "credssp": "credssp",
}


@dataclass(frozen=True, slots=True)
class WinRMSettings:
    """How to reach one host, secrets resolved and hidden from the repr."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    auth: str = "ntlm"
    message_encryption: str = "auto"
    server_cert_validation: str = "validate"
    ca_trust_path: str = ""
    proxy: str = field(default="", repr=False)
    """May hold a password, so it is hidden too."""
    cert_pem: str = ""
    cert_key_pem: str = ""
    kerberos_delegation: bool = False
    allow_cleartext: bool = False
    """Permit Basic over plain http, which shows the password to anyone on the way."""
    operation_timeout: float = 20

    @property
    def peer(self) -> str:
        """Host and port for people; never the user part of the URL."""
        parts = urlsplit(self.url)
        host = parts.hostname or self.url.rpartition("@")[2]
        return f"{host}:{parts.port}" if parts.port else host

    @property
    def secure(self) -> bool:
        return self.url.lower().startswith("https:")


def check(link: WinRMSettings) -> None:
    """What must not, or cannot, even be tried."""
    method = METHODS.get(link.auth.lower())
    if method is None:
        raise ConfigError(
            f"{link.peer}: unknown auth {link.auth!r}",
            key="auth",
            hint=f"one of {', '.join(METHODS)}",
        )
    if method == "basic" and not link.secure and not link.allow_cleartext:
        raise ConfigError(
            f"{link.peer}: Basic over plain http is refused",
            key="allow_cleartext",
            cause="anyone on the way could read the password",
            hint="use https, or auth = 'ntlm'; allow_cleartext = true permits it all the same",
        )
    if method == "certificate":
        _check_certificate(link)
    elif method != "kerberos" and not link.user:
        raise ConfigError(f"{link.peer}: auth {method!r} needs a user", key="user")
    if method in ("basic", "certificate") and link.message_encryption == "always":
        raise ConfigError(
            f"{link.peer}: auth {method!r} cannot encrypt messages",
            key="message_encryption",
            hint="use https, whose TLS encrypts everything, with message_encryption = 'auto'",
        )


def _check_certificate(link: WinRMSettings) -> None:
    if not link.secure:
        raise ConfigError(f"{link.peer}: auth 'certificate' needs an https URL", key="url")
    for key, path in (("cert_pem", link.cert_pem), ("cert_key_pem", link.cert_key_pem)):
        if not Path(path).is_file():
            raise ConfigError(f"{link.peer}: no file {path!r}", key=key)

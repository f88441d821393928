"""Server-side sign-in of the simulated hosts: Basic, Negotiate (raw NTLM and SPNEGO), sealing.

Knows HTTP header values and the multipart framing of sealed bodies, but no sockets and no XML.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import spnego
from spnego._ntlm_raw.crypto import ntowfv1

log = logging.getLogger(__name__)

NEGOTIATE = "negotiate"
BASIC = "basic"

SEALED_TYPE = (
    'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";'
    'boundary="Encrypted Boundary"'
)
_BOUNDARY = b"--Encrypted Boundary\r\n"
_END = b"--Encrypted Boundary--\r\n"
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"
_DATA = re.compile(
    rb"--Encrypted Boundary\r\n[\t ]*Content-Type: application/octet-stream\r\n", re.IGNORECASE
)
"""Where the sealed part begins. Windows indents with a tab; virt-who, for one, does not."""

_environment = threading.Lock()
"""Guards NTLM_USER_FILE, the only way to tell pyspnego's acceptor whom to accept."""


class BadSeal(Exception):
    """A sealed body that cannot be opened: broken framing, wrong key or a replayed message."""


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who may sign in, and how."""

    users: Mapping[str, str] = field(repr=False)
    """Passwords by user name."""
    schemes: tuple[str, ...] = (NEGOTIATE, BASIC)
    """In the order of the challenge."""
    allow_unencrypted: bool = False
    """Windows' AllowUnencrypted: clear text over http is answered."""
    domains: tuple[str, ...] = ()
    """Domain names accepted besides none, ``.``, WORKGROUP and the endpoints' own names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``user`` is None while the peer is not signed in; ``headers`` are WWW-Authenticate values."""

    user: str | None
    headers: tuple[str, ...] = ()


class Gate:
    """The user store all endpoints of one server share. A context manager: it owns a directory."""

    def __init__(self, settings: AuthSettings, names: tuple[str, ...] = ()) -> None:
        self.settings = settings
        self._directory = tempfile.TemporaryDirectory(prefix="hvdeck-")
        self._file = Path(self._directory.name) / "users"
        domains = ("", ".", "WORKGROUP", *settings.domains, *names)
        lines = [
            _user_line(domain, user, password)
            for user, password in settings.users.items()
            for domain in dict.fromkeys(name.upper() for name in domains)
        ]
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("".join(lines))

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._directory.cleanup()

    @property
    def challenges(self) -> tuple[str, ...]:
        """The WWW-Authenticate values of a refusal, one line each."""
        texts = {NEGOTIATE: "Negotiate", BASIC: 'Basic realm="WSMAN"'}
        return tuple(texts[scheme] for scheme in self.settings.schemes)

    def basic(self, blob: str) -> str | None:
        """The user a Basic credential proves to be, or None."""
        try:
            text = base64.b64decode(blob, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return None
        name, _, password = text.partition(":")
        wanted = name.rpartition("\\")[2].lower().encode()
        found: str | None = None
        for user, secret in self.settings.users.items():
            # Both comparisons always run, so time tells neither name nor password.
            same_name = hmac.compare_digest(user.lower().encode(), wanted)
            same_password = hmac.compare_digest(secret.encode(), password.encode())
            if same_name and same_password:
                found = user
        return found

    def acceptor(self) -> spnego.ContextProxy:
        """A fresh security context. The pure Python proxy takes SPNEGO and raw NTLM alike;
        without the option pyspnego would look for a keytab or for real Windows accounts.
        """
        with self._users():
            return spnego.server(
                protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate
            )

    def step(self, context: spnego.ContextProxy, token: bytes) -> bytes | None:
        with self._users():
            return context.step(token)

    @contextlib.contextmanager
    def _users(self) -> Iterator[None]:
        with _environment:
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = str(self._file)
            try:
                yield
            finally:
                if before is None:
                    del os.environ["NTLM_USER_FILE"]
                else:
                    os.environ["NTLM_USER_FILE"] = before


class Login:
    """Who is at the other end of one connection, and the keys agreed with them."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._context: spnego.ContextProxy | None = None
        self._user: str | None = None

    def check(self, authorization: str, *, refuse: bool = False) -> Verdict:
        """Judge one request by its Authorization header; without one the connection counts."""
        scheme, _, blob = authorization.partition(" ")
        scheme = "negotiate" if scheme.lower() == "ntlm" else scheme.lower()
        if not scheme:
            verdict = Verdict(self._user)
        elif scheme not in self._gate.settings.schemes:
            verdict = Verdict(None)
        elif scheme == BASIC:
            verdict = Verdict(self._gate.basic(blob.strip()))
        else:
            verdict = self._negotiate(blob.strip())
        if verdict.user is not None and refuse:
            self.forget()
            verdict = Verdict(None)
        if verdict.user is None and not verdict.headers:
            return Verdict(None, self._gate.challenges)
        return verdict

    def forget(self) -> None:
        self._context = None
        self._user = None

    def _negotiate(self, blob: str) -> Verdict:
        try:
            token = base64.b64decode(blob, validate=True)
        except binascii.Error:
            self.forget()
            return Verdict(None)
        if self._context is None or _opens(token):
            self.forget()
            self._context = self._gate.acceptor()
        try:
            answer = self._gate.step(self._context, token)
        except Exception as error:  # a peer's token may break the parser in any way it likes
            log.debug("sign-in refused: %s", type(error).__name__)
            self.forget()
            return Verdict(None)
        headers = (f"Negotiate {base64.b64encode(answer).decode()}",) if answer else ()
        if not self._context.complete:
            return Verdict(None, headers)
        self._user = (self._context.client_principal or "").rpartition("\\")[2]
        return Verdict(self._user, headers)

    def unseal(self, body: bytes) -> bytes:
        """The envelope inside a multipart/encrypted body (wsman-wire 2.3)."""
        if self._context is None or not self._context.complete:
            raise BadSeal("the connection has no keys")
        length, signature, sealed = _parts(body)
        try:
            plain = self._context.unwrap_winrm(signature, sealed)
        except Exception as error:  # as above: whatever the cipher or the signature check says
            raise BadSeal(f"the message cannot be opened ({type(error).__name__})") from error
        if len(plain) != length:
            raise BadSeal("the message has not the length it claims")
        return bytes(plain)

    def seal(self, plain: bytes, plain_type: str = "application/soap+xml;charset=UTF-8") -> bytes:
        """A multipart/encrypted body around an envelope."""
        if self._context is None:
            raise BadSeal("the connection has no keys")
        wrapped = self._context.wrap_winrm(plain)
        return b"".join(
            (
                _BOUNDARY,
                b"\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n",
                b"\tOriginalContent: type=%b;Length=%d\r\n" % (plain_type.encode(), len(plain)),
                _BOUNDARY,
                _OCTETS,
                len(wrapped.header).to_bytes(4, "little"),
                wrapped.header,
                wrapped.data,
                _END,
            )
        )


def _user_line(domain: str, user: str, password: str) -> str:
    """One smbpasswd line; unlike the other form it takes any password and holds only its hash."""
    name = f"{domain}\\{user}" if domain else user
    return f"{name}:0:{'0' * 32}:{ntowfv1(password).hex().upper()}:[U]:LCT-00000000\n"


def _opens(token: bytes) -> bool:
    """Does this token begin a new login: an NTLM type 1, or SPNEGO's first (RFC 2743 3.1)?"""
    return token[:12] == b"NTLMSSP\0\x01\0\0\0" or token[:1] == b"\x60"


def _parts(body: bytes) -> tuple[int, bytes, bytes]:
    """Announced length, signature and ciphertext. Cut by position, since ciphertext is binary."""
    found = _DATA.search(body)
    if found is None or not body.endswith(_END) or not body.startswith(_BOUNDARY):
        raise BadSeal("the multipart framing is broken")
    head, rest = body[: found.start()], body[found.end() :]
    announced = head.rpartition(b"Length=")[2].split(b"\r\n", 1)[0]
    size = int.from_bytes(rest[:4], "little")
    data = rest[4 : -len(_END)]
    if not announced.isdigit() or size > len(data):
        raise BadSeal("the multipart framing names a wrong length")
    return int(announced), data[:size], data[size:]

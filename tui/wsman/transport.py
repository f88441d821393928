"""Envelopes to a host and back: the only place that knows pywinrm, requests and their errors.

It knows nothing of what an envelope says.
"""

from __future__ import annotations

import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Protocol

from tui.errors import (
    AuthRejected,
    ConfigError,
    Dropped,
    HvError,
    LinkError,
    TimedOut,
    TlsRefused,
    Unreachable,
    WireError,
)
from tui.wsman.refusals import CERTIFICATE, GATEWAY, REJECTED, STATUS, UNKNOWN_ISSUER
from tui.wsman.settings import METHODS, WinRMSettings, check

__all__ = ["IDLE_LIMIT", "Transport", "WinRMSettings", "WinRMTransport"]

log = logging.getLogger(__name__)

IDLE_LIMIT = 90.0
"""Seconds after which a silent connection is not trusted any more; hosts drop it at 120."""

_CONNECT_TIMEOUT = 8.0
_GRACE = 10
"""Seconds the answer may come later than the host was told to stop working on it."""


class Transport(Protocol):
    """Sends one envelope at a time."""

    def send(self, envelope: bytes) -> bytes:
        """The body of the answer: HTTP 200, or an HTTP error that holds a SOAP envelope."""

    def close(self) -> None: ...


class WinRMTransport:
    """One connection to one host through pywinrm; safe to call from several threads in turn.

    pywinrm stays broken for ever once a sealed connection is lost: it logs in again and replays
    a message sealed with the old key. Here such a message is caught before the replay. It was
    answered 401, so it was not executed, and it is sealed and sent again on a new login.
    """

    def __init__(self, link: WinRMSettings, *, now: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._now = now
        self._lock = threading.Lock()
        self._session: Any = None
        self._used = 0.0
        self._closing = False
        self.logins = 0
        """Sessions opened so far."""

    def __repr__(self) -> str:
        return f"WinRMTransport({self._link.peer!r}, user={self._link.user!r})"

    def send(self, envelope: bytes) -> bytes:
        with self._lock:
            self._closing = False
            try:
                return self._send(envelope)
            finally:
                if self._closing:
                    self._disconnect()

    def close(self) -> None:
        """End the session; one in use by another thread ends when its request does."""
        self._closing = True
        if self._lock.acquire(blocking=False):
            try:
                self._disconnect()
            finally:
                self._lock.release()

    def _send(self, envelope: bytes) -> bytes:
        if self._session is not None and self._now() - self._used > IDLE_LIMIT:
            self._disconnect()
        for _ in range(2):
            self._connect()
            try:
                body: bytes = self._session.send_message(envelope)
            except _not_executed():
                log.debug("%s: the session was lost, logging in again", self._link.peer)
                self._disconnect()
                continue
            except Exception as error:
                fault = _soap_fault(error)
                if fault is None:
                    raise self._failure(error, sent=True) from None
                body = fault
            self._used = self._now()
            if not body:
                self._disconnect()
                raise WireError(
                    f"{self._link.peer}: the answer was empty",
                    cause="HTTP 200 without a body",
                    hint="is the URL that of WinRM (…:5985/wsman), and nothing in between?",
                )
            return body
        raise Dropped(
            f"{self._link.peer}: the session was lost twice in a row",
            sent=False,
            cause="the host ended a connection that had just signed in",
            hint="a load balancer or proxy that does not keep connections breaks NTLM",
        )

    def _connect(self) -> None:
        if self._session is not None:
            return
        check(self._link)
        try:
            self._session = _session(self._link)
            self._session.build_session()
        except Exception as error:
            raise self._failure(error, sent=False) from None
        self.logins += 1

    def _failure(self, error: Exception, *, sent: bool) -> Exception:
        """What to raise instead of an error of the layers below; the session is given up.

        Those errors hold requests with their credentials, so they are not chained either.
        """
        offered = getattr(getattr(self._session, "guard", None), "offered", "")
        self._disconnect()
        log.debug("%s: %s", self._link.peer, type(error).__name__)
        return _Mapping(self._link, sent, offered).of(error)

    def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close_session()


# -- pywinrm, imported at the first connection ----------------------------------------------


def preload() -> None:
    """Import pywinrm now, beside whatever else goes on: it takes most of a second."""
    _transport_class()


def _session(link: WinRMSettings) -> Any:
    """A pywinrm ``Transport`` that has not connected yet."""
    import winrm.transport as winrm

    method = METHODS[link.auth.lower()]
    missing = {"kerberos": not winrm.HAVE_KERBEROS, "credssp": not winrm.HAVE_CREDSSP}
    if missing.get(method):
        raise ConfigError(
            f"{link.peer}: auth {method!r} needs a package that is not installed",
            key="auth",
            hint=f"pip install 'hvdeck[{method}]'",
        )
    user: str | bytes | None = link.user or None
    password: str | bytes = link.password
    if method == "basic":  # as text, requests could take Latin-1 only
        user, password = link.user.encode(), link.password.encode()
    return _transport_class()(
        endpoint=link.url,
        username=user,
        password=password,
        auth_method=method,
        message_encryption=link.message_encryption,
        server_cert_validation=link.server_cert_validation,
        ca_trust_path=link.ca_trust_path or None,
        proxy=link.proxy or None,
        cert_pem=link.cert_pem or None,
        cert_key_pem=link.cert_key_pem or None,
        kerberos_delegation=link.kerberos_delegation,
        # requests takes (connect, read): an absent host need not cost an operation's time.
        read_timeout_sec=(_CONNECT_TIMEOUT, link.operation_timeout + _GRACE),
        service="HTTP",
    )


@cache
def _transport_class() -> Any:
    from requests.adapters import HTTPAdapter
    from winrm.transport import Transport as Winrm

    # At debug level pyspnego writes the tokens of a login, enough to guess passwords from.
    logging.getLogger("spnego").setLevel(logging.INFO)
    lost = _not_executed()

    class Guard(HTTPAdapter):
        """Stops a sealed message that met a connection without a login, whatever the scheme."""

        offered = ""
        """The schemes the host named when it last refused."""

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            response = super().send(request, *args, **kwargs)
            if response.status_code == 401:
                self.offered = response.headers.get("WWW-Authenticate", "")
                if request.headers.get("Content-Type", "").startswith("multipart/"):
                    response.close()
                    raise lost
            return response

    class Session(Winrm):
        """pywinrm's Transport with the guard, and without the environment's opinions."""

        guard: Guard | None = None

        def build_session(self) -> Any:
            session = super().build_session()
            self._arm(session)
            return session

        def setup_encryption(self, session: Any) -> None:
            self._arm(session)
            super().setup_encryption(session)

        def _arm(self, session: Any) -> None:
            if self.guard is not None:
                return
            self.guard = Guard(pool_connections=1, pool_maxsize=1)
            session.trust_env = False  # else .netrc and proxy variables would take part
            session.max_redirects = 0  # an endpoint that points elsewhere is not followed
            for scheme in ("http://", "https://"):
                session.get_adapter(scheme).close()
                session.mount(scheme, self.guard)

    return Session


@cache
def _not_executed() -> type[Exception]:
    from requests import RequestException

    class NotExecuted(RequestException):
        """401 answered a sealed message: the host has not looked inside."""

    return NotExecuted


# -- errors ---------------------------------------------------------------------------------


def _soap_fault(error: Exception) -> bytes | None:
    """The envelope inside pywinrm's HTTP error, if there is one. Windows sends faults with 500,
    other servers with 400 and more."""
    text = getattr(error, "response_text", "") or ""
    return text.encode() if "Envelope" in text else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything inside it: causes, urllib3's reasons, exceptions as arguments."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [getattr(current, "reason", None), current.__cause__, *current.args]


class _Mapping:
    """Errors of pywinrm, requests, urllib3, ssl and pyspnego as ours."""

    def __init__(self, link: WinRMSettings, sent: bool, offered: str) -> None:
        self._link = link
        self._sent = sent
        self._offered = offered

    def of(self, error: Exception) -> Exception:
        """Ours for this error; an error that no layer raises on purpose is a bug and stays."""
        from requests import RequestException
        from spnego.exceptions import SpnegoError
        from winrm.exceptions import InvalidCredentialsError, WinRMError, WinRMTransportError

        if isinstance(error, HvError):
            return error
        if isinstance(error, InvalidCredentialsError):
            return self._rejected()
        if isinstance(error, WinRMTransportError):
            return self._status(error.code)
        if isinstance(error, RequestException):
            return self._link_error(error)
        if not self._sent and isinstance(error, SpnegoError | PermissionError | KeyError):
            # requests_ntlm: a refusal, or an answer, without the challenge it needs.
            return self._rejected()
        if isinstance(error, OSError):
            return ConfigError(
                f"{self._link.peer}: a certificate file cannot be used",
                key="ca_trust_path",
                cause=error.strerror or str(error),
            )
        if isinstance(error, WinRMError | SpnegoError | ValueError | LookupError | struct.error):
            return WireError(
                f"{self._link.peer}: the answer cannot be decrypted",
                cause=f"its sealing is broken ({type(error).__name__})",
                hint="something between here and the host may change or cut messages",
            )
        return error

    def _rejected(self) -> HvError:
        method = METHODS[self._link.auth.lower()]
        scheme = "negotiate" if method == "ntlm" else method
        offered = [part.split()[0] for part in self._offered.split(",") if part.split()]
        if offered and scheme not in [name.lower() for name in offered]:
            return AuthRejected(
                f"{self._link.peer}: the host does not take auth {method!r}",
                cause=f"it offers {', '.join(offered)}",
                hint=f"enable it there (winrm/config/service/auth), or choose one of: "
                f"{', '.join(METHODS)}",
                code=401,
            )
        return AuthRejected(
            f"{self._link.peer}: sign-in refused for {self._link.user!r}",
            cause="user or password is wrong, or the account may not use WinRM",
            hint=REJECTED[method],
            code=401,
        )

    def _status(self, status: int) -> HvError:
        title, cause, hint = STATUS.get(status, ("an HTTP error instead of an answer", "", ""))
        title = f"{self._link.peer}: {title}"
        cause = cause or f"HTTP {status} without a SOAP message"
        if status in GATEWAY:
            return Dropped(title, sent=self._sent, cause=cause, hint=hint, code=status)
        kind = WireError if status == 413 else LinkError
        return kind(title, cause=cause, hint=hint, code=status)

    def _link_error(self, error: Exception) -> HvError:
        from requests import exceptions as http

        peer = self._link.peer
        names = {type(inner).__name__ for inner in _chain(error)}
        if isinstance(error, http.SSLError):
            return self._tls(error)
        if isinstance(error, http.ProxyError):
            return Unreachable(f"{peer}: the proxy does not let us through", hint="see 'proxy'")
        if isinstance(error, http.InvalidSchema | http.InvalidURL | http.MissingSchema):
            return ConfigError(f"{peer}: this is no http(s) URL", key="url")
        if isinstance(error, http.TooManyRedirects):
            return self._status(302)
        if names & {"ConnectTimeoutError", "ConnectTimeout", "NewConnectionError"} or (
            "NameResolutionError" in names
        ):
            return self._unreachable(error)
        if names & {"ReadTimeoutError", "ReadTimeout"}:
            return self._late()
        if "MutualAuthenticationError" in names or "KerberosExchangeError" in names:
            return self._rejected()
        return self._dropped(error)

    def _unreachable(self, error: Exception) -> HvError:
        peer = self._link.peer
        for inner in _chain(error):
            if isinstance(inner, socket.gaierror):
                return Unreachable(
                    f"{peer}: the name is not known",
                    cause=inner.strerror or "name resolution failed",
                    hint="check the spelling, DNS and VPN",
                )
            if isinstance(inner, ConnectionRefusedError):
                return Unreachable(
                    f"{peer}: nothing listens there",
                    cause="connection refused",
                    hint="is WinRM on (winrm quickconfig) and the port right: 5985 http, "
                    "5986 https?",
                )
        return Unreachable(
            f"{peer}: no answer",
            cause=f"no connection within {_CONNECT_TIMEOUT:g} s, or no route",
            hint="is the host on, and does a firewall let the port through?",
        )

    def _late(self) -> HvError:
        seconds = self._link.operation_timeout + _GRACE
        if not self._sent:
            return Unreachable(
                f"{self._link.peer}: connected, but the sign-in was not answered",
                cause="nothing came in time",
                hint="the host may be overloaded; if the port speaks https, use an https URL",
            )
        return TimedOut(
            f"{self._link.peer}: no answer in time",
            cause=f"nothing came for {seconds:g} s; the host may still be working on it",
            hint="read the object's state before trying again",
        )

    def _dropped(self, error: Exception) -> HvError:
        cause, hint = "the connection ended before the answer was complete", ""
        if any(type(inner).__name__ == "BadStatusLine" for inner in _chain(error)):
            cause = "what answered does not speak http"
            hint = "if the port speaks https, use an https URL"
        return Dropped(
            f"{self._link.peer}: the connection broke", sent=self._sent, cause=cause, hint=hint
        )

    def _tls(self, error: Exception) -> HvError:
        peer = self._link.peer
        for inner in _chain(error):
            if isinstance(inner, ssl.SSLCertVerificationError):
                cause, hint = CERTIFICATE.get(inner.verify_code, UNKNOWN_ISSUER)
                return TlsRefused(
                    f"{peer}: the certificate is not accepted",
                    cause=f"{cause} ({inner.verify_message})",
                    hint=hint,
                    code=inner.verify_code,
                )
        reason = next(
            (inner.reason for inner in _chain(error) if isinstance(inner, ssl.SSLError)), ""
        )
        return TlsRefused(
            f"{peer}: no secure connection",
            cause=f"the TLS handshake failed{f' ({reason})' if reason else ''}",
            hint="does this port speak https (5986)? 5985 speaks http",
        )

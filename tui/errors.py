"""Everything hvdeck raises on purpose.

HvError                    title, cause, hint
├─ ConfigError             file, key
├─ UsageError              the command line or a form was given something it cannot take
├─ LinkError               no messages could be exchanged
│  ├─ Unreachable          name, route or port
│  ├─ TlsRefused           certificate chain, name or expiry
│  ├─ AuthRejected         the host did not accept who we are
│  ├─ TimedOut             sent, and no answer in time: the outcome is unknown
│  └─ Dropped              the connection broke; `sent` tells whether the request may have run
├─ WireError               the peer's message is not what the protocol allows
├─ Fault                   a well-formed refusal by the WS-Management service
├─ MethodFailed            a CIM method returned an error number
├─ JobFailed               a Msvm_ConcreteJob ended badly
├─ HalfDone                a verb of several steps failed midway; says what it made
└─ Refused                 we did not ask: the object changed, is gone, or must not be touched
"""

from __future__ import annotations

from typing import Any


class HvError(Exception):
    """A failure fit to be shown: what happened, why, and the way out.

    ``title`` is one line naming the thing; ``cause`` and ``hint`` may be empty.
    """

    def __init__(self, title: str, *, cause: str = "", hint: str = "", code: int = 0) -> None:
        super().__init__(title)
        self.title = title
        self.cause = cause
        self.hint = hint
        self.code = code
        """The raw number behind it (WS-Man code, HRESULT, return value); 0 when there is none."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.title, self.cause) if part)


class ConfigError(HvError):
    """The configuration cannot be used; names file and key."""

    def __init__(
        self, title: str, *, file: str = "", key: str = "", cause: str = "", hint: str = ""
    ) -> None:
        super().__init__(title, cause=cause, hint=hint)
        self.file = file
        self.key = key


class UsageError(HvError):
    """A person gave a value that cannot be taken."""


class LinkError(HvError):
    """Messages could not be exchanged with a host."""


class Unreachable(LinkError):
    """Name, route or port: nothing answered, and nothing was executed."""


class TlsRefused(LinkError):
    """The TLS handshake failed: chain, name or expiry."""


class AuthRejected(LinkError):
    """The host did not accept the account."""


class TimedOut(LinkError):
    """The request was sent and no answer came in time: it may have been executed."""


class Dropped(LinkError):
    """The connection broke. ``sent`` is True when the request may have been executed."""

    def __init__(
        self, title: str, *, sent: bool, cause: str = "", hint: str = "", code: int = 0
    ) -> None:
        super().__init__(title, cause=cause, hint=hint, code=code)
        self.sent = sent


class WireError(HvError):
    """The peer's message is not what the protocol allows (malformed, truncated, too large)."""


class Fault(HvError):
    """A SOAP fault. ``code`` is the most specific number found (MSFT_WmiError error_Code, else
    the innermost WSManFault Code, else the outer one); ``subcode`` is the local name, such as
    ``InvalidSelectors``; ``detail`` the last segment of ``w:FaultDetail``.
    """

    def __init__(
        self,
        title: str,
        *,
        subcode: str = "",
        detail: str = "",
        code: int = 0,
        cause: str = "",
        hint: str = "",
        sender: bool = True,
    ) -> None:
        super().__init__(title, cause=cause, hint=hint, code=code)
        self.subcode = subcode
        self.detail = detail
        self.sender = sender


class MethodFailed(HvError):
    """``Class.Method`` returned ``code``; ``cause`` holds the number in words."""

    def __init__(
        self, title: str, *, method: str, code: int, cause: str = "", hint: str = ""
    ) -> None:
        super().__init__(title, cause=cause, hint=hint, code=code)
        self.method = method


class JobFailed(HvError):
    """A job ended in an error state; ``cause`` is the host's own (localised) description."""


class HalfDone(HvError):
    """A verb of several steps failed midway. ``made`` names what exists now because of it;
    ``undo`` is the action that takes it away: action id, target id and arguments.
    """

    def __init__(
        self,
        title: str,
        *,
        made: tuple[str, ...],
        undo: tuple[str, str, dict[str, Any]] | None = None,
        cause: str = "",
        hint: str = "",
        code: int = 0,
    ) -> None:
        super().__init__(title, cause=cause, hint=hint, code=code)
        self.made = made
        self.undo = undo


class Refused(HvError):
    """hvdeck itself stopped before asking the host."""

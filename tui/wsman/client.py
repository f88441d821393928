"""A CIM client over any transport: paging, tidying up, one retry of reads, errors in words.

It knows classes, instances and queries, but not what a virtual machine is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

from tui.errors import Dropped, Fault, HvError, LinkError, TimedOut, WireError
from tui.wsman import reply, request
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.explain import explain
from tui.wsman.operations import (
    Enumerate,
    Get,
    Identify,
    Invoke,
    Mode,
    Pull,
    Put,
    Release,
    Request,
)
from tui.wsman.reply import Got, Identity, Items, MethodOutput, Reply
from tui.wsman.soap import new_message_id
from tui.wsman.transport import Transport
from tui.wsman.values import Wsman

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trip:
    """One request and its answer."""

    operation: str
    """For people."""
    seconds: float
    """From the first octet sent until the answer was understood."""
    octets: int
    """Both ways."""
    outcome: str
    """``ok`` or what went wrong."""
    messages: int = 1
    """More than one when it was sent again; none when it was not sent."""
    waited: float = 0.0
    """Seconds before that until it was its turn."""


OnExchange: TypeAlias = Callable[[Trip], None]
"""Who is told of every exchange."""

_Answer = TypeVar("_Answer", bound=Reply)

IN_FLIGHT = 8
"""The WMI plug-in's documented quota is 15 operations of one user; others use it too."""

_BETWEEN = (
    "did the host just restart? Otherwise look at what stands between: a proxy, a load balancer, "
    "a firewall"
)
"""The way out when messages or connections break."""

_EMPTY_PAGES = 100
"""Pages without items in a row, after which a list is taken for endless."""

_LONGEST = 200

_FORGOTTEN = (Wsman.INVALID_ENUMERATION_CONTEXT, Wsman.ENUMERATE_TIMED_OUT)

# Faults that carry no number are looked up by their subcode.
_BY_SUBCODE: dict[str, int] = {
    "AccessDenied": Wsman.ACCESS_DENIED,
    "ActionNotSupported": Wsman.ACTION_NOT_SUPPORTED,
    "CannotProcessFilter": Wsman.CANNOT_PROCESS_FILTER,
    "DestinationUnreachable": Wsman.RESOURCE_NOT_FOUND,
    "EncodingLimit": Wsman.ENCODING_LIMIT,
    "InvalidSelectors": Wsman.INVALID_SELECTORS,
    "QuotaLimit": Wsman.QUOTA_LIMIT,
    "SchemaValidationError": Wsman.SCHEMA_VALIDATION_ERROR,
    "TimedOut": Wsman.OPERATION_TIMED_OUT,
}


class Throttle:
    """Operations of one host in flight at once, whichever of its clients asks."""

    def __init__(self, limit: int = IN_FLIGHT) -> None:
        self._free = threading.BoundedSemaphore(limit)

    def __enter__(self) -> float:
        """Waits for its turn; answers for how many seconds."""
        if self._free.acquire(blocking=False):
            return 0.0
        began = time.perf_counter()
        self._free.acquire()
        return time.perf_counter() - began

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._free.release()


class CimClient:
    """One host's CIM, over one transport.

    Every error is an ``HvError`` whose title names the host and what was asked of it. A request
    that may have been executed is sent again only when it reads.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        url: str,
        name: str = "",
        throttle: Throttle | None = None,
        max_elements: int = 1000,
        max_envelope: int = 512000,
        operation_timeout: float = 20,
        on_exchange: OnExchange | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._transport = transport
        self._url = url
        self._peer = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
        self.name = name or self._peer
        self._throttle = throttle or Throttle()
        self._max_elements = max_elements
        self._max_envelope = max_envelope
        self._operation_timeout = operation_timeout
        self._on_exchange = on_exchange
        self._busy: set[int] = set()
        self._abandoned: list[Release] = []
        self.requests = 0
        """Messages sent so far, repeated ones included."""
        self.bytes = 0
        """Octets of envelopes, both ways."""
        self.waited = 0.0
        """Seconds until it was their turn, of all messages together."""

    # -- operations ------------------------------------------------------------------------

    def identify(self) -> Identity:
        """Which service answers; proves connection and sign-in, not rights."""
        return self._ask(Identify(), Identity)

    def query(self, namespace: str, wql: str) -> list[CimInstance]:
        """Every instance a WQL query finds."""
        return _instances(self._all(Enumerate(namespace, wql=wql)))

    def query_iter(self, namespace: str, wql: str) -> Iterator[CimInstance]:
        """The same page by page; closing the iterator early releases the query on the host."""
        for page in self._pages(Enumerate(namespace, wql=wql)):
            yield from _instances(page)

    def references(self, namespace: str, wql: str) -> list[CimRef]:
        """References to what a query finds."""
        found = self._all(Enumerate(namespace, wql=wql, mode=Mode.EPR))
        return [item for item in found if isinstance(item, CimRef)]

    def enumerate(self, namespace: str, class_name: str) -> list[CimInstance]:
        """Every instance of a class and its subclasses."""
        return _instances(self._all(Enumerate(namespace, class_name)))

    def get(self, ref: CimRef) -> CimInstance:
        """One instance. A Fault when it is not there."""
        return self._ask(Get(ref), Got).instance

    def put(self, ref: CimRef, values: dict[str, CimValue]) -> CimInstance:
        """Change properties; answers the instance as it is then."""
        return self._ask(Put(ref, values), Got).instance

    def invoke(self, ref: CimRef, method: str, /, **parameters: CimValue) -> MethodOutput:
        """Call a method once. ``return_value`` may still say that it failed."""
        return self._ask(Invoke(ref, method, parameters), MethodOutput)

    def close(self) -> None:
        """End the connection; the next operation would open another."""
        self._transport.close()

    # -- enumerations ----------------------------------------------------------------------

    def _all(self, asked: Enumerate) -> list[CimInstance | CimRef]:
        """All items; begun anew once when the enumeration is lost between its pages."""
        pages: list[tuple[CimInstance | CimRef, ...]] = []
        try:
            pages.extend(self._pages(asked))
        except (Dropped, Fault) as error:
            lost = isinstance(error, Dropped) or error.code in _FORGOTTEN
            if not pages or not lost:
                raise
            log.debug("%s: asking again from the start: %s", self.name, error)
            pages = list(self._pages(asked))
        return [item for page in pages for item in page]

    def _pages(self, asked: Enumerate) -> Iterator[tuple[CimInstance | CimRef, ...]]:
        asked = replace(asked, max_elements=self._max_elements)
        page = self._ask(asked, Items)
        context = None if page.end else page.context
        empty = 0
        try:
            while True:
                yield page.items
                if context is None:
                    return
                empty = 0 if page.items else empty + 1
                if empty > _EMPTY_PAGES:
                    raise self._told(WireError("the list has no end"), _described(asked))
                pull = Pull(
                    asked.namespace, asked.class_name, context, self._max_elements, asked.wql
                )
                page = self._ask(pull, Items)
                context = None if page.end else page.context
        except (Exception, GeneratorExit) as error:
            if context is not None and _still_open(error):
                self._release(Release(asked.namespace, asked.class_name, context))
            raise

    def _release(self, release: Release) -> None:
        """Free an enumeration nobody will finish. Best effort: the host forgets it in time."""
        if threading.get_ident() in self._busy:
            # The garbage collector may close an iterator while this thread is sending.
            self._abandoned.append(release)
            return
        try:
            self._exchange(release)
        except HvError as error:
            log.debug("%s: could not release a query: %s", self.name, error)

    # -- exchanges -------------------------------------------------------------------------

    def _ask(self, asked: Request, kind: type[_Answer]) -> _Answer:
        while self._abandoned:
            self._release(self._abandoned.pop())
        answer = self._exchange(asked)
        if not isinstance(answer, kind):
            raise self._told(WireError("the answer is not what was asked for"), _described(asked))
        return answer

    def _exchange(self, asked: Request) -> Reply:
        what = _described(asked)
        message_id = new_message_id()
        envelope = request.encode(
            asked,
            to=self._url,
            message_id=message_id,
            operation_timeout=self._operation_timeout,
            max_envelope=self._max_envelope,
        )
        started, waited, sent = time.perf_counter(), self.waited, self.requests
        octets = 0
        outcome = "failed"
        self._busy.add(threading.get_ident())
        try:
            body = self._send(envelope, asked)
            octets = len(envelope) + len(body)
            answer = reply.decode(body, asked, relates_to=message_id)
            outcome = "ok"
            return answer
        except HvError as error:
            outcome = _short(error, self._peer)
            raise self._told(_unsure(error, asked), what) from None
        finally:
            self._busy.discard(threading.get_ident())
            self.bytes += octets
            if self._on_exchange is not None:
                waited = self.waited - waited
                seconds = time.perf_counter() - started - waited
                sent = self.requests - sent
                self._on_exchange(Trip(what, seconds, octets, outcome, sent, waited))

    def _send(self, envelope: bytes, asked: Request) -> bytes:
        try:
            return self._pass(envelope)
        except Dropped as error:
            reads = isinstance(asked, Identify | Enumerate | Get)
            if error.sent and not reads:
                raise
            if isinstance(asked, Release):
                raise
            log.debug("%s: sending again: %s", self.name, error)
        return self._pass(envelope)

    def _pass(self, envelope: bytes) -> bytes:
        with self._throttle as waited:
            self.waited += waited
            self.requests += 1
            return self._transport.send(envelope)

    def _told(self, error: HvError, what: str) -> HvError:
        """The error with a title naming host and request, and a hint from the table."""
        error.title = f"{self.name}: {what}: {_short(error, self._peer)}"
        if isinstance(error, Fault) and not error.hint:
            code = error.code or _BY_SUBCODE.get(error.subcode, 0)
            known = explain(code) if code else None
            if known is not None:
                error.hint = known.hint
            elif code:
                error.hint = f"the code {code} (0x{code:08X}) is unknown to hvdeck"
        if isinstance(error, Dropped | WireError) and not error.hint:
            error.hint = _BETWEEN
        return error


def _instances(
    items: list[CimInstance | CimRef] | tuple[CimInstance | CimRef, ...],
) -> list[CimInstance]:
    return [item for item in items if isinstance(item, CimInstance)]


def _still_open(error: BaseException) -> bool:
    """May the host still hold the enumeration, and is it worth a request to say so?"""
    if isinstance(error, Fault):
        return error.code not in _FORGOTTEN
    return not isinstance(error, LinkError)


def _unsure(error: HvError, asked: Request) -> HvError:
    """For requests that change something: an error that leaves open whether they were executed
    becomes one that says so."""
    if not isinstance(asked, Invoke | Put):
        return error
    hint = "it may have been executed: read the state before trying again"
    if isinstance(error, Fault) and error.code == Wsman.OPERATION_TIMED_OUT:
        return TimedOut(error.title, cause=error.cause, hint=hint, code=error.code)
    if isinstance(error, WireError) and error.code == 0:
        return Dropped(error.title, sent=True, cause=error.cause, hint=hint)
    if isinstance(error, Dropped) and error.sent and not error.hint:
        error.hint = hint
    return error


def _short(error: HvError, peer: str) -> str:
    return error.title.removeprefix(f"{peer}: ")


def _described(asked: Request) -> str:
    """The request for people: its kind and class or query, no values of parameters."""
    if isinstance(asked, Invoke):
        return _clean(f"{asked.ref.class_name}.{asked.method}")
    kind = type(asked).__name__
    if isinstance(asked, Enumerate | Pull):
        return _clean(f"{kind} {_squeezed(asked.wql or asked.class_name)}")
    if isinstance(asked, Get | Put):
        key = asked.ref.key("InstanceID") or asked.ref.key("Name") or ""
        return _clean(f"{kind} {asked.ref.class_name} {key}")
    return _clean(f"{kind} {getattr(asked, 'class_name', '')}")


def _squeezed(wql: str) -> str:
    """A query whose list of properties leaves room for what it is asked of."""
    properties, asks, rest = wql.partition(" FROM ")
    room = _LONGEST - len(asks) - len(rest) - 20
    if not asks or len(properties) <= room or room < len("SELECT "):
        return wql
    return f"{properties[:room]}…{asks}{rest}"


def _clean(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"

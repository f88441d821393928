"""A small HTTP/1.1 server for many WS-Man endpoints in one event loop, with faults to order.

It knows HTTP as HTTP.sys speaks it (wsman-wire 1, 2, 16) and sign-in, but no XML.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import TypeAlias

from tui.errors import ConfigError
from tui.sim.auth import SEALED_TYPE, AuthSettings, BadSeal, Gate, Login

log = logging.getLogger(__name__)

Answer: TypeAlias = Callable[[bytes, str], tuple[int, bytes]]
"""``(envelope, user) -> (HTTP status, body)``; called on the event loop, one at a time."""

ANONYMOUS = ""
"""The user handed to ``Answer`` with an Identify that asked not to sign in."""

ALWAYS = -1

_PLAIN_TYPE = "application/soap+xml;charset=UTF-8"
_WIDE_TYPE = "application/soap+xml;charset=UTF-16"
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
"""How a message in UTF-16 begins, which native Windows clients send."""
_IDENTITY = b"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
_HEAD_LIMIT = 64 * 1024
_READ_LIMIT = 32 * 1024 * 1024
_AWAY = 0.1
"""Seconds between two looks whether somebody has come back."""
_FRAMING = 1024
"""What sealing may add to a body of the largest size."""
_NOT_FOUND = b"<HTML><HEAD><TITLE>Not Found</TITLE></HEAD><BODY>Not Found</BODY></HTML>\r\n"


@dataclass(slots=True)
class HttpFaults:
    """What goes wrong below SOAP; every field may be changed while serving.

    Counters say for how many requests to come; ``ALWAYS`` never runs out.
    """

    latency: float = 0.0
    """Seconds before a request is looked at."""
    idle: float = 120.0
    """Seconds after which a silent connection is dropped; HTTP.sys takes 120."""
    drop_after: int = 0
    """Close each connection, unannounced, after this many executed requests; 0 never."""
    lose_requests: int = 0
    """Close the connection instead of executing."""
    lose_answers: int = 0
    """Execute, then close the connection instead of answering."""
    stall: int = 0
    """Execute, then never answer."""
    truncate: int = 0
    """End the connection in the middle of the body."""
    malformed: int = 0
    """Break the XML of the answer, inside a correct HTTP message."""
    refuse_auth: bool = False
    refuse_connections: bool = False
    """Reset every new connection."""

    def take(self, name: str) -> bool:
        """Use one of a counter up; True while there is something to use."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left != 0


@dataclass(slots=True)
class Endpoint:
    """One simulated host's listener. ``port`` 0 is replaced by the port found."""

    answer: Answer
    name: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    faults: HttpFaults = field(default_factory=HttpFaults)
    max_envelope: int = 500 * 1024
    """MaxEnvelopeSizekb in bytes; a longer request is answered 413."""
    watch: Callable[[str], None] | None = None
    """Told ``open``, ``login``, ``idle`` (dropped for it) and ``close``, on the event loop."""
    present: Callable[[], bool] = lambda: True
    """Whether there is anybody at all; if not, connections are cut and new ones refused."""
    secure: bool = False
    """Set by ``serve``."""
    executed: int = 0
    """Envelopes handed to ``answer``."""
    logins: int = 0
    """Sign-ins accepted. Basic signs in with every request, Negotiate once per connection."""

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}/wsman"

    def tell(self, event: str) -> None:
        if self.watch is not None:
            self.watch(event)


@contextlib.asynccontextmanager
async def serve(
    endpoints: Sequence[Endpoint], auth: AuthSettings, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Sequence[Endpoint]]:
    """Listen for every endpoint until the block is left; then every connection is cut."""
    tasks: set[asyncio.Task[None]] = set()
    listeners: list[_Listener] = []
    names = tuple(endpoint.name for endpoint in endpoints if endpoint.name)
    with Gate(auth, names) as gate:
        try:
            for endpoint in endpoints:
                endpoint.secure = tls is not None
                listeners.append(_Listener(endpoint, gate, tls, tasks))
                await listeners[-1].open()
            yield endpoints
        finally:
            for listener in listeners:
                listener.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class _Listener:
    """The listener of one endpoint. While nobody is there its port refuses connections."""

    def __init__(
        self,
        endpoint: Endpoint,
        gate: Gate,
        tls: ssl.SSLContext | None,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._endpoint = endpoint
        self._gate = gate
        self._tls = tls
        self._tasks = tasks
        self._server: asyncio.Server | None = None
        self._place: socket.socket | None = None
        """Holds the port, without listening, while the host is away."""
        self._closed = False

    async def open(self) -> None:
        endpoint = self._endpoint
        where = endpoint.host, endpoint.port
        try:
            self._server = await asyncio.start_server(
                self._connected, *where, ssl=self._tls, limit=_HEAD_LIMIT, backlog=256
            )
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {endpoint.host}:{endpoint.port}",
                cause=error.strerror or str(error),
                hint="choose another port, or 0 for any free one",
            ) from None
        endpoint.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._closed = True
        for one in (self._server, self._place):
            if one is not None:
                one.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(asyncio.current_task())
        # Cancelled only at the end of the server; asyncio would report it as an error.
        with contextlib.suppress(asyncio.CancelledError):
            connection = _Connection(self._endpoint, self._gate, reader, writer, self._leave)
            await connection.run()

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _leave(self) -> None:
        """Nobody is there: stop listening, and look from time to time for somebody."""
        if self._server is None or self._closed:
            return
        listening = self._server.sockets[0]
        family, address = listening.family, listening.getsockname()
        self._server.close()
        self._server = None
        self._place = socket.socket(family, socket.SOCK_STREAM)
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(address)
        self._look()

    def _look(self) -> None:
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        if self._endpoint.present():
            self._keep(loop.create_task(self._return()))
        else:
            loop.call_later(_AWAY, self._look)

    async def _return(self) -> None:
        place, self._place = self._place, None
        self._server = await asyncio.start_server(
            self._connected, sock=place, ssl=self._tls, limit=_HEAD_LIMIT, backlog=256
        )


@dataclass(slots=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]
    last: bool
    """No further request is to come on this connection."""
    body: bytes = b""
    too_large: bool = False

    @property
    def path(self) -> str:
        path = self.target.partition("?")[0]
        if "://" in path:
            path = "/" + path.split("://", 1)[1].partition("/")[2]
        return path.rstrip("/").lower()

    @property
    def sealed(self) -> bool:
        return self.headers.get("content-type", "").lower().startswith("multipart/")


@dataclass(slots=True)
class _Reply:
    status: int
    body: bytes = b""
    type: str = ""
    challenges: tuple[str, ...] = ()
    close: bool = False
    executed: bool = False


class _BadRequest(Exception):
    """Not HTTP as we take it."""


class _HangUp(Exception):
    """A fault was ordered: end the connection without a word."""


class _Connection:
    """One TCP connection, which is also one login."""

    def __init__(
        self,
        endpoint: Endpoint,
        gate: Gate,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        leave: Callable[[], None],
    ) -> None:
        self._endpoint = endpoint
        self._leave = leave
        self._gate = gate
        self._reader = reader
        self._writer = writer
        self._login = Login(gate)
        self._executed = 0

    async def run(self) -> None:
        self._endpoint.tell("open")
        try:
            if self._endpoint.faults.refuse_connections or self._away():
                self._writer.transport.abort()
                return
            while await self._turn():
                pass
        except (OSError, EOFError, _HangUp) as error:
            log.debug("%s: connection ended: %s", self._endpoint.name, type(error).__name__)
        finally:
            # close() of a TLS stream would wait for the peer's farewell.
            if self._endpoint.secure and not self._writer.is_closing():
                self._writer.transport.abort()
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
            self._endpoint.tell("close")

    async def _turn(self) -> bool:
        """One request and its reply; False when the connection is to end."""
        try:
            request = await self._read()
        except (_BadRequest, asyncio.LimitOverrunError, ValueError):
            return await self._deliver(_Reply(400, close=True))
        if request is None:
            return False
        if self._away():
            self._writer.transport.abort()
            return False
        latency = self._endpoint.faults.latency
        if latency > 0:
            # A future nobody completes: the wait ends with its time, or with the server.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(latency):
                    await asyncio.get_running_loop().create_future()
        reply = await self._respond(request)
        reply.close = reply.close or request.last
        return await self._deliver(reply)

    def _away(self) -> bool:
        """There is nobody to hear this connection, and nobody to take another."""
        if self._endpoint.present():
            return False
        self._leave()
        return True

    # -- reading ---------------------------------------------------------------------------

    async def _read(self) -> _Request | None:
        try:
            async with asyncio.timeout(self._endpoint.faults.idle):
                verb = await self._reader.readexactly(1)
                if not verb.isalpha():
                    raise _BadRequest("a TLS greeting, for one, has no end of line to wait for")
                head = verb + await self._reader.readuntil(b"\r\n\r\n")
        except TimeoutError:
            self._endpoint.tell("idle")
            return None
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise _BadRequest(first)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        wishes = {wish.strip() for wish in headers.get("connection", "").lower().split(",")}
        last = "close" in wishes or (words[2] == "HTTP/1.0" and "keep-alive" not in wishes)
        request = _Request(words[0], words[1], headers, last)
        if headers.get("expect", "").lower() == "100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            request.body = await self._read_chunks()
        else:
            request.body = await self._read_sized(int(headers.get("content-length", "0")))
        request.too_large = len(request.body) > self._endpoint.max_envelope + _FRAMING
        return request

    async def _read_sized(self, length: int) -> bytes:
        if not 0 <= length <= _READ_LIMIT:
            raise _BadRequest("length")
        return await self._reader.readexactly(length)

    async def _read_chunks(self) -> bytes:
        chunks: list[bytes] = []
        total = 0
        while True:
            line = await self._reader.readuntil(b"\r\n")
            size = int(line.split(b";", 1)[0], 16)
            total += size
            if size == 0:
                break
            chunks.append(await self._read_sized(size if total <= _READ_LIMIT else -1))
            await self._reader.readexactly(2)
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers say nothing we need
        return b"".join(chunks)

    # -- deciding --------------------------------------------------------------------------

    async def _respond(self, request: _Request) -> _Reply:
        """The order of wsman-wire 16: path, anonymous Identify, sign-in, empty body, envelope."""
        anonymous = request.headers.get("wsmanidentify", "").lower() == "unauthenticated"
        if request.path == "/wsman-anon/identify":
            anonymous = True
        elif request.path != "/wsman":
            return _Reply(404, _NOT_FOUND, "text/html; charset=us-ascii")
        if request.method != "POST":
            return _Reply(405)
        # Without the zero octets UTF-16 reads like UTF-8, as far as this name goes.
        if anonymous and not request.too_large and _IDENTITY in request.body.replace(b"\0", b""):
            return await self._execute(request.body, ANONYMOUS)
        authorization = request.headers.get("authorization", "")
        verdict = self._login.check(authorization, refuse=self._endpoint.faults.refuse_auth)
        if verdict.user is None:
            return _Reply(401, challenges=verdict.headers)
        if authorization:
            self._endpoint.logins += 1
            self._endpoint.tell("login")
        reply = await self._envelope(request, verdict.user) if request.body else _Reply(200)
        reply.challenges = verdict.headers
        return reply

    async def _envelope(self, request: _Request, user: str) -> _Reply:
        if request.too_large:
            return _Reply(413, close=True)
        plain = request.body
        if request.sealed:
            try:
                plain = self._login.unseal(request.body)
            except BadSeal as error:
                # The key streams are out of step: nothing on this connection can be read again.
                log.debug("%s: %s", self._endpoint.name, error)
                return _Reply(400, close=True)
        elif not self._endpoint.secure and not self._gate.settings.allow_unencrypted:
            return _Reply(500)
        if len(plain) > self._endpoint.max_envelope:
            return _Reply(413)
        reply = await self._execute(plain, user)
        if request.sealed and reply.body:
            reply.body, reply.type = self._login.seal(reply.body, reply.type), SEALED_TYPE
        return reply

    async def _execute(self, envelope: bytes, user: str) -> _Reply:
        faults = self._endpoint.faults
        if faults.take("lose_requests"):
            raise _HangUp
        self._endpoint.executed += 1
        self._executed += 1
        try:
            status, body = self._endpoint.answer(envelope, user)
        except Exception:  # one endpoint's defect must not take the other hosts down
            log.exception("%s: the request could not be answered", self._endpoint.name)
            return _Reply(500)
        if faults.take("lose_answers"):
            raise _HangUp
        if faults.take("stall"):
            await self._reader.read()  # until the client gives up
            raise _HangUp
        if faults.take("malformed"):
            body = body[: len(body) // 2] + b"<&>"
        kind = _PLAIN_TYPE if body else ""
        if body and envelope.startswith(_WIDE):
            # Windows answers in the charset it was asked in (wsman-wire 1).
            body, kind = body.decode("utf-8", "replace").encode("utf-16"), _WIDE_TYPE
        return _Reply(status, body, kind, executed=True)

    # -- answering -------------------------------------------------------------------------

    async def _deliver(self, reply: _Reply) -> bool:
        faults = self._endpoint.faults
        lines = [f"HTTP/1.1 {reply.status} "]  # HTTP.sys leaves the reason empty, blank kept
        if reply.type:
            lines.append(f"Content-Type: {reply.type}")
        lines.append("Server: Microsoft-HTTPAPI/2.0")
        lines.extend(f"WWW-Authenticate: {challenge}" for challenge in reply.challenges)
        lines.append(f"Date: {_date(int(time.time()))}")
        if reply.close:
            lines.append("Connection: close")
        if reply.status != 204:
            lines.append(f"Content-Length: {len(reply.body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        body = reply.body
        cut = bool(body) and reply.executed and faults.take("truncate")
        if cut:
            body = body[: len(body) // 2]
        last = cut or reply.close or (0 < faults.drop_after <= self._executed)
        farewell = last and self._writer.can_write_eof()
        if farewell:
            self._cork()
        self._writer.write(head + body)  # one write: two would wait for Nagle's timer
        if farewell:
            self._writer.write_eof()
        await self._writer.drain()
        return not last

    def _cork(self) -> None:
        """Let the end of the stream travel with the last bytes, where the system can: a client
        that has read the answer then sees the connection ended before it sends anything more.
        """
        wire = self._writer.get_extra_info("socket")
        if wire is not None and hasattr(socket, "TCP_CORK"):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)

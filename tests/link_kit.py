"""A loopback WS-Man endpoint in a thread, raw HTTP to speak to it, and test certificates."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tui.sim.auth import AuthSettings
from tui.sim.http import Answer, Endpoint, HttpFaults, serve
from tui.wsman.transport import WinRMSettings, WinRMTransport

USER = "tester"
PASSWORD = "let-me:in €"
ENVELOPE = b"<s:Envelope>\xe2\x82\xac ask</s:Envelope>"


class Watcher:
    """Events of an endpoint, to be waited for."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._change = threading.Condition()

    def __call__(self, event: str) -> None:
        with self._change:
            self._seen[event] += 1
            self._change.notify_all()

    def count(self, event: str) -> int:
        with self._change:
            return self._seen[event]

    def wait(self, event: str, times: int = 1) -> None:
        with self._change:
            assert self._change.wait_for(lambda: self._seen[event] >= times, 10), event


@dataclass
class Echo:
    """An ``Answer`` that keeps what it was asked and answers it back."""

    asked: list[tuple[bytes, str]] = field(default_factory=list)
    status: int = 200

    def __call__(self, envelope: bytes, user: str) -> tuple[int, bytes]:
        self.asked.append((envelope, user))
        return self.status, b"<s:Envelope>" + envelope + b"</s:Envelope>"


def reply_to(envelope: bytes) -> bytes:
    return b"<s:Envelope>" + envelope + b"</s:Envelope>"


def endpoint(answer: Answer, **faults: float | bool) -> Endpoint:
    made = Endpoint(answer, name="HV01", watch=Watcher())
    for name, value in faults.items():
        assert name in HttpFaults.__slots__
        setattr(made.faults, name, value)
    return made


def watcher(of: Endpoint) -> Watcher:
    assert isinstance(of.watch, Watcher)
    return of.watch


@contextlib.contextmanager
def serving(
    *endpoints: Endpoint,
    schemes: tuple[str, ...] = ("negotiate", "basic"),
    allow_unencrypted: bool = False,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Endpoint]:
    """Serve from a thread of its own; yields the first endpoint."""
    auth = AuthSettings(
        {USER: PASSWORD}, schemes=schemes, allow_unencrypted=allow_unencrypted, domains=("CORP",)
    )
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        stop = asyncio.Event()
        async with serve(endpoints, auth, tls=tls):
            loops.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield endpoints[0]
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()


@contextlib.contextmanager
def linked(to: Endpoint, **settings: object) -> Iterator[WinRMTransport]:
    """A pywinrm connection to an endpoint, NTLM with encryption unless told otherwise."""
    values: dict[str, object] = {
        "url": to.url,
        "user": USER,
        "password": PASSWORD,
        "message_encryption": "always",
        **settings,
    }
    transport = WinRMTransport(WinRMSettings(**values))  # type: ignore[arg-type]
    try:
        yield transport
    finally:
        transport.close()


# -- raw HTTP -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Response:
    """One HTTP response as it came."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    def all(self, name: str) -> list[str]:
        wanted = name.lower()
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return [value.strip() for key, _, value in pairs if key.lower() == wanted]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value


class Wire:
    """One TCP connection spoken by hand."""

    def __init__(self, to: Endpoint) -> None:
        self.socket = socket.create_connection((to.host, to.port), timeout=10)
        self._buffer = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def post(self, body: bytes = b"", *headers: str, target: str = "/wsman") -> Response:
        lines = [f"POST {target} HTTP/1.1", "Host: hv01", f"Content-Length: {len(body)}", *headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self.read()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> Response:
        head = self._until(b"\r\n\r\n")
        response = Response(head, b"")
        size = int(response.one("Content-Length")) if response.all("Content-Length") else 0
        while len(self._buffer) < size:
            self._more()
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return Response(head, body)

    def ended(self) -> bool:
        """Wait for the other side to close; False if it says something instead."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(self._buffer)
        self._buffer += data


# -- certificates ---------------------------------------------------------------------------


def certificate(
    directory: Path, *, name: str = "127.0.0.1", days: int = 30
) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate (PEM) and a server's TLS context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    alternative: x509.GeneralName = x509.DNSName(name)
    with contextlib.suppress(ValueError):
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = directory / f"{name}.pem"
    secret = directory / f"{name}.key"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return pem, context

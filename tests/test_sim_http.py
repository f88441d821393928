"""The endpoint's own promises, byte by byte, spoken to by hand and with SPNEGO."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import stat

import pytest
import spnego

from tests.link_kit import (
    ENVELOPE,
    PASSWORD,
    USER,
    Echo,
    Response,
    Wire,
    endpoint,
    reply_to,
    serving,
    watcher,
)
from tui.errors import ConfigError
from tui.sim.auth import SEALED_TYPE, AuthSettings, BadSeal, Gate, Login
from tui.sim.http import ALWAYS, Endpoint, serve

CLEAR = "Content-Type: application/soap+xml;charset=UTF-8"
IDENTIFY = (
    b'<s:Envelope xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    b"<wsmid:Identify/></s:Envelope>"
)


def basic(user: str = USER, password: str = PASSWORD) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Spnego:
    """A client that speaks SPNEGO and seals its messages."""

    def __init__(self, wire: Wire, password: str = PASSWORD, user: str = USER) -> None:
        self.wire = wire
        self.context = spnego.client(
            user,
            password,
            hostname="hv01",
            service="http",
            protocol="negotiate",
            options=spnego.NegotiateOptions.use_negotiate,
        )

    def sign_in(self) -> Response:
        token = self.context.step()
        while True:
            response = self.wire.post(
                b"", f"Authorization: Negotiate {base64.b64encode(token or b'').decode()}"
            )
            offers = response.all("WWW-Authenticate")
            blobs = [value[10:] for value in offers if value.startswith("Negotiate ")]
            if not blobs or self.context.complete:
                return response
            token = self.context.step(base64.b64decode(blobs[0]))
            if token is None:
                return response

    def seal(self, plain: bytes) -> bytes:
        wrapped = self.context.wrap_winrm(plain)
        size = len(wrapped.header).to_bytes(4, "little")
        return (
            b"--Encrypted Boundary\r\n"
            b"\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
            b"--Encrypted Boundary\r\n"
            b"\tContent-Type: application/octet-stream\r\n" % len(plain)
        ) + b"".join((size, wrapped.header, wrapped.data, b"--Encrypted Boundary--\r\n"))

    def open(self, body: bytes) -> bytes:
        head = re.match(
            rb"--Encrypted Boundary\r\n"
            rb"\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
            rb"\tOriginalContent: type=application/soap\+xml;charset=UTF-8;Length=(\d+)\r\n"
            rb"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n",
            body,
        )
        assert head is not None
        assert body.endswith(b"--Encrypted Boundary--\r\n")
        data = body[head.end() : -len(b"--Encrypted Boundary--\r\n")]
        size = int.from_bytes(data[:4], "little")
        assert size == 16
        plain = self.context.unwrap_winrm(data[4 : 4 + size], data[4 + size :])
        assert len(plain) == int(head[1])
        return plain

    def ask(self, plain: bytes) -> Response:
        return self.wire.post(self.seal(plain), f"Content-Type: {SEALED_TYPE}")


def test_the_challenge_is_one_line_per_scheme_and_the_reason_is_empty() -> None:
    with serving(endpoint(Echo())) as host, Wire(host) as wire:
        response = wire.post(ENVELOPE, CLEAR)
    assert response.head.startswith(b"HTTP/1.1 401 \r\n")
    assert response.all("WWW-Authenticate") == ["Negotiate", 'Basic realm="WSMAN"']
    assert response.one("Server") == "Microsoft-HTTPAPI/2.0"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", response.one("Date"))
    assert response.one("Content-Length") == "0"
    assert not host.executed


def test_basic_answers_as_windows_does() -> None:
    echo = Echo()
    with serving(endpoint(echo), allow_unencrypted=True) as host, Wire(host) as wire:
        response = wire.post(ENVELOPE, CLEAR, basic())
        assert wire.post(ENVELOPE, CLEAR).status == 401, "Basic proves one request only"
    assert response.head.startswith(b"HTTP/1.1 200 \r\n")
    assert response.one("Content-Type") == "application/soap+xml;charset=UTF-8"
    assert response.body == reply_to(ENVELOPE)
    assert echo.asked == [(ENVELOPE, USER)]


@pytest.mark.parametrize("user", [f"CORP\\{USER}", f"ANY\\{USER.upper()}"])
def test_basic_takes_any_domain_and_case(user: str) -> None:
    with serving(endpoint(Echo()), allow_unencrypted=True) as host, Wire(host) as wire:
        assert wire.post(ENVELOPE, CLEAR, basic(user)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        basic(password="wrong"),
        basic(user="nobody"),
        "Authorization: Basic !!!",
        "Authorization: Negotiate !!!",
        "Authorization: Negotiate AAAA",
        "Authorization: Kerberos YIIB",
        "Authorization: Negotiate " + base64.b64encode(b"NTLMSSP\0\3\0\0\0rest").decode(),
    ],
)
def test_bad_credentials_get_the_challenge_again(header: str) -> None:
    with serving(endpoint(Echo()), allow_unencrypted=True) as host, Wire(host) as wire:
        response = wire.post(ENVELOPE, CLEAR, header)
        assert response.status == 401
        assert response.all("WWW-Authenticate") == ["Negotiate", 'Basic realm="WSMAN"']
        assert wire.post(ENVELOPE, CLEAR, basic()).status == 200
    assert host.executed == 1


def test_clear_text_is_refused_with_an_empty_500() -> None:
    with serving(endpoint(Echo())) as host, Wire(host) as wire:
        response = wire.post(ENVELOPE, CLEAR, basic())
    assert response.head.startswith(b"HTTP/1.1 500 \r\n")
    assert response.body == b""
    assert not response.all("Content-Type")
    assert not host.executed


def test_spnego_signs_the_connection_in_and_answers_sealed() -> None:
    echo = Echo()
    with serving(endpoint(echo)) as host, Wire(host) as wire:
        client = Spnego(wire)
        final = client.sign_in()
        assert (final.status, final.body) == (200, b""), "an empty message ends the sign-in"
        assert client.context.complete
        for number in range(3):
            response = client.ask(ENVELOPE + b"%d" % number)
            assert response.head.startswith(b"HTTP/1.1 200 \r\n")
            assert response.one("Content-Type") == SEALED_TYPE
            assert client.open(response.body) == reply_to(ENVELOPE + b"%d" % number)
    assert [user for _, user in echo.asked] == [USER] * 3
    assert host.logins == 1


def test_a_fault_is_sealed_too_and_big_answers_survive() -> None:
    with serving(endpoint(lambda envelope, user: (500, b"<f>" * 90_000))) as host:
        with Wire(host) as wire:
            client = Spnego(wire)
            client.sign_in()
            response = client.ask(ENVELOPE)
        assert response.head.startswith(b"HTTP/1.1 500 \r\n")
        assert client.open(response.body) == b"<f>" * 90_000


def test_a_clear_message_on_a_signed_in_connection() -> None:
    with serving(endpoint(Echo())) as host, Wire(host) as wire:
        Spnego(wire).sign_in()
        assert wire.post(ENVELOPE, CLEAR).status == 500
    with serving(endpoint(Echo()), allow_unencrypted=True) as host, Wire(host) as wire:
        Spnego(wire).sign_in()
        response = wire.post(ENVELOPE, CLEAR)
        assert response.body == reply_to(ENVELOPE)
        assert response.one("Content-Type") == "application/soap+xml;charset=UTF-8"


def test_a_login_belongs_to_its_connection() -> None:
    with serving(endpoint(Echo())) as host:
        with Wire(host) as first, Wire(host) as second:
            client = Spnego(first)
            client.sign_in()
            sealed = client.seal(ENVELOPE)
            assert second.post(sealed, f"Content-Type: {SEALED_TYPE}").status == 401
            stranger = Spnego(second)
            stranger.sign_in()
            response = second.post(sealed, f"Content-Type: {SEALED_TYPE}")
            assert response.status == 400
            assert second.ended()
        assert not host.executed


def test_a_sign_in_may_start_over_in_mid_connection() -> None:
    with serving(endpoint(Echo())) as host, Wire(host) as wire:
        assert Spnego(wire, password="wrong").sign_in().status == 401
        half = base64.b64encode(Spnego(wire).context.step() or b"").decode()
        assert wire.post(b"", f"Authorization: Negotiate {half}").status == 401
        client = Spnego(wire)
        assert client.sign_in().status == 200
        again = Spnego(wire)
        assert again.sign_in().status == 200
        assert again.open(again.ask(ENVELOPE).body) == reply_to(ENVELOPE)
    assert host.logins == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-5],
        lambda body: body.replace(b"Length=", b"Length=9"),
        lambda body: body.replace(b"octet-stream\r\n\x10", b"octet-stream\r\n\xff\xff"),
        lambda body: body[:200] + bytes([body[200] ^ 1]) + body[201:],
    ],
)
def test_a_spoilt_seal_ends_the_connection_without_executing(spoil: object) -> None:
    assert callable(spoil)
    with serving(endpoint(Echo())) as host, Wire(host) as wire:
        client = Spnego(wire)
        client.sign_in()
        body = spoil(client.seal(ENVELOPE * 10))
        assert wire.post(body, f"Content-Type: {SEALED_TYPE}").status == 400
        assert wire.ended()
    assert not host.executed


def test_identify_may_come_without_a_sign_in() -> None:
    echo = Echo()
    with serving(endpoint(echo)) as host, Wire(host) as wire:
        anonymous = "WSMANIDENTIFY: unauthenticated"
        assert wire.post(IDENTIFY, CLEAR, anonymous).status == 200
        assert wire.post(IDENTIFY, CLEAR, target="/wsman-anon/identify").status == 200
        assert wire.post(IDENTIFY, CLEAR).status == 401
        assert wire.post(ENVELOPE, CLEAR, anonymous).status == 401
    assert [user for _, user in echo.asked] == ["", ""]


def test_paths_queries_and_methods() -> None:
    with serving(endpoint(Echo()), allow_unencrypted=True) as host, Wire(host) as wire:
        for good in ("/wsman?PSVersion=5.1", "/WSMAN", "/wsman/", "http://hv01:5985/wsman"):
            assert wire.post(ENVELOPE, CLEAR, basic(), target=good).status == 200
        missing = wire.post(ENVELOPE, CLEAR, basic(), target="/other")
        assert missing.status == 404
        assert missing.one("Content-Type").startswith("text/html")
        wire.send(b"GET /wsman HTTP/1.1\r\nHost: hv01\r\n\r\n")
        assert wire.read().status == 405
        wire.send(b"\x16\x03\x01\x02\x00\x01\x00")
        assert wire.read().status == 400
        assert wire.ended()


def test_chunked_and_expect_continue() -> None:
    head = f"POST /wsman HTTP/1.1\r\nHost: hv01\r\n{CLEAR}\r\n{basic()}\r\n"
    with serving(endpoint(Echo()), allow_unencrypted=True) as host, Wire(host) as wire:
        wire.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        wire.send(b"5\r\n%b\r\n%x;x=y\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n" % (b"hello", 3, b"you"))
        assert wire.read().body == reply_to(b"helloyou")
        wire.send(f"{head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        assert wire.read().status == 100
        wire.send(b"ok")
        assert wire.read().body == reply_to(b"ok")


def test_requests_too_large() -> None:
    with serving(endpoint(Echo()), allow_unencrypted=True) as host, Wire(host) as wire:
        host.max_envelope = 8192
        assert wire.post(b"x" * 8192, CLEAR, basic()).status == 200
        response = wire.post(b"x" * 8193, CLEAR, basic())
        assert (response.status, response.body) == (413, b"")
        assert wire.post(b"x" * 200_000, CLEAR, basic()).status == 413
    assert host.executed == 1


def test_one_connection_takes_many_requests_until_asked_to_close() -> None:
    with serving(endpoint(Echo()), allow_unencrypted=True) as host, Wire(host) as wire:
        for _ in range(3):
            assert not wire.post(ENVELOPE, CLEAR, basic()).all("Connection")
        assert wire.post(ENVELOPE, CLEAR, basic(), "Connection: close").status == 200
        assert wire.ended()


def test_a_defect_of_the_handler_is_an_empty_500_and_the_host_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(envelope: bytes, user: str) -> tuple[int, bytes]:
        raise RuntimeError("bug")

    with serving(endpoint(broken), allow_unencrypted=True) as host, Wire(host) as wire:
        for _ in range(2):
            response = wire.post(ENVELOPE, CLEAR, basic())
            assert (response.status, response.body) == (500, b"")
    assert "bug" in caplog.text


# -- faults to order ------------------------------------------------------------------------


def ask(host: Endpoint) -> Response | None:
    """One request on a connection of its own; None when it was not answered."""
    with Wire(host) as wire:
        try:
            return wire.post(ENVELOPE, CLEAR, basic())
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return None


def test_faults_last_as_long_as_ordered() -> None:
    with serving(endpoint(Echo()), allow_unencrypted=True) as host:
        host.faults.lose_requests = 2
        assert [ask(host) is None for _ in range(3)] == [True, True, False]
        assert host.executed == 1
        host.faults.lose_answers = ALWAYS
        assert [ask(host) is None for _ in range(3)] == [True, True, True]
        assert host.executed == 4
        host.faults.lose_answers = 0
        host.faults.truncate = 1
        assert ask(host) is None
        host.faults.malformed = 1
        bad = ask(host)
        assert bad is not None
        assert bad.body.endswith(b"<&>")
        host.faults.refuse_auth = True
        refused = ask(host)
        assert refused is not None
        assert refused.status == 401
        host.faults.refuse_auth = False
        host.faults.refuse_connections = True
        assert ask(host) is None
        host.faults.refuse_connections = False
        good = ask(host)
        assert good is not None
        assert good.status == 200


def test_latency_and_idle_time_are_kept() -> None:
    with serving(endpoint(Echo(), latency=0.05), allow_unencrypted=True) as host:
        with Wire(host) as wire:
            assert wire.post(ENVELOPE, CLEAR, basic()).status == 200
            host.faults.idle = 0.02
            wire.post(ENVELOPE, CLEAR, basic())
            assert wire.ended()
        assert watcher(host).count("idle") == 1


def test_drop_after_counts_executed_requests_only() -> None:
    host = endpoint(Echo(), drop_after=2)
    with serving(host, allow_unencrypted=True), Wire(host) as wire:
        wire.post(ENVELOPE, CLEAR)
        wire.post(ENVELOPE, CLEAR, basic())
        response = wire.post(ENVELOPE, CLEAR, basic())
        assert response.status == 200
        assert not response.all("Connection"), "unannounced"
        assert wire.ended()


def test_endpoints_live_side_by_side_and_a_taken_port_says_so() -> None:
    first, second = endpoint(Echo()), endpoint(Echo())
    with serving(first, second, allow_unencrypted=True):
        assert first.port != second.port
        for host in (first, second):
            assert ask(host) is not None
        assert first.url == f"http://127.0.0.1:{first.port}/wsman"
        taken = Endpoint(Echo(), port=first.port)
        with pytest.raises(ConfigError) as caught:
            start(taken)
    assert str(first.port) in caught.value.title


def start(host: Endpoint) -> None:
    async def main() -> None:
        async with serve([host], AuthSettings({})):
            pass

    asyncio.run(main())


# -- the user store -------------------------------------------------------------------------


def test_the_user_file_is_private_holds_no_password_and_goes_away() -> None:
    settings = AuthSettings({USER: PASSWORD})
    assert PASSWORD not in repr(settings)
    before = os.environ.get("NTLM_USER_FILE")
    with Gate(settings, ("HV01",)) as gate:
        path = gate._file
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert PASSWORD not in path.read_text()
        gate.acceptor()
        assert os.environ.get("NTLM_USER_FILE") == before
    assert not path.parent.exists()


def test_a_login_without_keys_neither_seals_nor_unseals() -> None:
    with Gate(AuthSettings({USER: PASSWORD})) as gate:
        login = Login(gate)
        with pytest.raises(BadSeal):
            login.unseal(b"x")
        with pytest.raises(BadSeal):
            login.seal(b"x")

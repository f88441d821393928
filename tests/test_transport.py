"""The transport through real pywinrm against a real socket: sign-in, loss, time, TLS, refusals."""

from __future__ import annotations

import base64
import logging
import socket
import threading
from pathlib import Path

import pytest

from tests.link_kit import (
    ENVELOPE,
    PASSWORD,
    USER,
    Echo,
    certificate,
    endpoint,
    linked,
    reply_to,
    serving,
    watcher,
)
from tui.errors import (
    AuthRejected,
    ConfigError,
    Dropped,
    LinkError,
    TimedOut,
    TlsRefused,
    Unreachable,
    WireError,
)
from tui.sim.http import Endpoint
from tui.wsman.transport import WinRMSettings, WinRMTransport


@pytest.mark.parametrize("encryption", ["auto", "always"])
def test_ntlm_seals_every_message_on_one_login(encryption: str) -> None:
    echo = Echo()
    with (
        serving(endpoint(echo)) as host,
        linked(host, message_encryption=encryption) as link,
    ):
        answers = [link.send(ENVELOPE + b"%d" % number) for number in range(5)]
    assert answers == [reply_to(ENVELOPE + b"%d" % number) for number in range(5)]
    assert [user for _, user in echo.asked] == [USER] * 5
    assert host.logins == 1
    assert watcher(host).count("open") == 1


@pytest.mark.parametrize("user", [f"CORP\\{USER}", f"hv01\\{USER}", USER.upper()])
def test_domain_and_case_of_the_user_do_not_matter(user: str) -> None:
    echo = Echo()
    with serving(endpoint(echo)) as host, linked(host, user=user) as link:
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)


def test_a_connection_dropped_every_second_request_is_not_noticed() -> None:
    echo = Echo()
    with serving(endpoint(echo, drop_after=2)) as host, linked(host) as link:
        for number in range(7):
            assert link.send(b"<s:Envelope>%d</s:Envelope>" % number)
    asked = [envelope for envelope, _ in echo.asked]
    assert asked == [b"<s:Envelope>%d</s:Envelope>" % number for number in range(7)]
    assert link.logins == 4


def test_a_call_after_an_idle_drop_signs_in_again_and_runs_once() -> None:
    echo = Echo()
    with serving(endpoint(echo)) as host, linked(host) as link:
        link.send(b"<s:Envelope>first</s:Envelope>")
        host.faults.idle = 0.02
        link.send(b"<s:Envelope>second</s:Envelope>")
        watcher(host).wait("close")
        assert watcher(host).count("idle") == 1
        host.faults.idle = 120.0
        link.send(b"<s:Envelope>third</s:Envelope>")
    assert len(echo.asked) == 3
    assert link.logins == 2


def test_a_connection_idle_too_long_is_not_used_again() -> None:
    clock = [0.0]
    with serving(endpoint(Echo())) as host:
        settings = WinRMSettings(host.url, USER, PASSWORD)
        link = WinRMTransport(settings, now=lambda: clock[0])
        link.send(ENVELOPE)
        clock[0] = 89.0
        link.send(ENVELOPE)
        assert link.logins == 1
        clock[0] = 89.0 + 91.0
        link.send(ENVELOPE)
        assert link.logins == 2
        link.close()


def test_a_read_time_out_is_told_and_the_next_call_works() -> None:
    echo = Echo()
    with serving(endpoint(echo)) as host, linked(host, operation_timeout=-8) as link:
        link.send(ENVELOPE)
        host.faults.stall = 1
        with pytest.raises(TimedOut) as caught:
            link.send(b"<s:Envelope>slow</s:Envelope>")
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)
    assert [envelope for envelope, _ in echo.asked].count(b"<s:Envelope>slow</s:Envelope>") == 1
    assert "127.0.0.1" in caught.value.title


def test_an_answer_lost_after_execution_is_never_sent_again() -> None:
    echo = Echo()
    with serving(endpoint(echo)) as host, linked(host) as link:
        link.send(ENVELOPE)
        host.faults.lose_answers = 1
        with pytest.raises(Dropped) as caught:
            link.send(b"<s:Envelope>once</s:Envelope>")
        assert caught.value.sent
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)
    assert [envelope for envelope, _ in echo.asked].count(b"<s:Envelope>once</s:Envelope>") == 1


def test_threads_share_one_connection_in_turn() -> None:
    echo = Echo()
    answers: list[bytes] = []
    with serving(endpoint(echo, drop_after=7)) as host, linked(host) as link:
        threads = [
            threading.Thread(target=lambda: answers.extend(link.send(ENVELOPE) for _ in range(20)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert answers == [reply_to(ENVELOPE)] * 80
    assert len(echo.asked) == 80


def test_a_wrong_password_names_user_host_and_way_out_but_no_secret() -> None:
    with serving(endpoint(Echo())) as host, linked(host, password="geheim-77") as link:
        with pytest.raises(AuthRejected) as caught:
            link.send(ENVELOPE)
        told = f"{caught.value} {caught.value.hint} {caught.value!r} {link!r}"
    assert USER in told
    assert "127.0.0.1" in told
    assert "geheim-77" not in told
    assert caught.value.__cause__ is None
    assert not host.executed


def test_a_host_that_refuses_everyone_recovers() -> None:
    with serving(endpoint(Echo(), refuse_auth=True)) as host, linked(host) as link:
        with pytest.raises(AuthRejected):
            link.send(ENVELOPE)
        host.faults.refuse_auth = False
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        host.faults.refuse_auth = True
        with pytest.raises(AuthRejected):
            link.send(ENVELOPE)


def test_an_auth_that_is_not_offered_is_named_with_what_is() -> None:
    with (
        serving(endpoint(Echo()), schemes=("negotiate",)) as host,
        linked(host, auth="basic", allow_cleartext=True, message_encryption="auto") as link,
        pytest.raises(AuthRejected) as caught,
    ):
        link.send(ENVELOPE)
    assert "Negotiate" in caught.value.cause


def test_basic_in_clear_text_is_refused_unless_allowed_in_words() -> None:
    echo = Echo()
    with serving(endpoint(echo), allow_unencrypted=True) as host:
        with (
            linked(host, auth="basic", message_encryption="auto") as link,
            pytest.raises(ConfigError) as caught,
        ):
            link.send(ENVELOPE)
        assert watcher(host).count("open") == 0
        assert "allow_cleartext" in caught.value.hint
        with linked(host, auth="basic", message_encryption="auto", allow_cleartext=True) as link:
            assert link.send(ENVELOPE) == reply_to(ENVELOPE)
            assert link.send(ENVELOPE) == reply_to(ENVELOPE)
    assert watcher(host).count("open") == 1


def test_clear_text_to_a_host_that_wants_encryption_says_so() -> None:
    with (
        serving(endpoint(Echo())) as host,
        linked(host, message_encryption="never") as link,
        pytest.raises(LinkError) as caught,
    ):
        link.send(ENVELOPE)
    assert "AllowUnencrypted" in caught.value.cause
    assert "message_encryption" in caught.value.hint


@pytest.mark.parametrize("status", [502, 504])
@pytest.mark.parametrize("encryption", ["always", "never"])
def test_what_stands_between_may_have_passed_the_request_on(status: int, encryption: str) -> None:
    asked = []

    def answer(envelope: bytes, user: str) -> tuple[int, bytes]:
        asked.append(envelope)
        return status, b"<html>no luck</html>"

    with (
        serving(endpoint(answer), allow_unencrypted=True) as host,
        linked(host, message_encryption=encryption) as link,
        pytest.raises(Dropped) as caught,
    ):
        link.send(ENVELOPE)
    assert caught.value.sent
    assert caught.value.code == status
    assert asked == [ENVELOPE]


def test_a_soap_fault_comes_back_as_bytes_and_keeps_the_session() -> None:
    echo = Echo(status=500)
    with serving(endpoint(echo)) as host, linked(host) as link:
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)
    assert link.logins == 1


def test_a_request_too_large_and_a_wrong_path_say_what_to_do() -> None:
    with serving(endpoint(Echo())) as host:
        host.max_envelope = 8192
        with linked(host) as link:
            with pytest.raises(WireError, match="too large") as caught:
                link.send(b"x" * 8193)
            assert "MaxEnvelopeSizekb" in caught.value.hint
            with pytest.raises(WireError, match="too large"):
                link.send(b"x" * 20000)
            assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        with (
            linked(host, url=host.url + "2") as link,
            pytest.raises(LinkError, match="no WinRM") as missing,
        ):
            link.send(ENVELOPE)
        assert missing.value.code == 404


def test_a_body_cut_short_is_a_broken_connection_and_the_next_call_works() -> None:
    with serving(endpoint(Echo(), truncate=1)) as host, linked(host) as link:
        with pytest.raises(Dropped) as caught:
            link.send(ENVELOPE)
        assert caught.value.sent
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    link = WinRMTransport(WinRMSettings(f"http://127.0.0.1:{port}/wsman", USER, PASSWORD))
    with pytest.raises(Unreachable) as caught:
        link.send(ENVELOPE)
    assert str(port) in caught.value.title
    assert "5985" in caught.value.hint


def test_a_name_nobody_knows() -> None:
    link = WinRMTransport(WinRMSettings("http://hv01.invalid:5985/wsman", USER, PASSWORD))
    with pytest.raises(Unreachable, match="name is not known"):
        link.send(ENVELOPE)


def test_connections_reset_at_once_were_not_sent_anything() -> None:
    with (
        serving(endpoint(Echo(), refuse_connections=True)) as host,
        linked(host) as link,
        pytest.raises(Dropped) as caught,
    ):
        link.send(ENVELOPE)
    assert not caught.value.sent


@pytest.mark.parametrize("encryption", ["auto", "always"])
def test_tls_with_a_trusted_certificate(tmp_path: Path, encryption: str) -> None:
    pem, tls = certificate(tmp_path)
    with (
        serving(endpoint(Echo()), tls=tls) as host,
        linked(host, ca_trust_path=str(pem), message_encryption=encryption) as link,
    ):
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)


def test_basic_over_tls(tmp_path: Path) -> None:
    pem, tls = certificate(tmp_path)
    with (
        serving(endpoint(Echo()), tls=tls) as host,
        linked(host, auth="basic", ca_trust_path=str(pem), message_encryption="auto") as link,
    ):
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)


def refusal(host: Endpoint, **settings: object) -> TlsRefused:
    with linked(host, **settings) as link, pytest.raises(TlsRefused) as caught:
        link.send(ENVELOPE)
    return caught.value


def test_tls_refusals_tell_issuer_expiry_and_name_apart(tmp_path: Path) -> None:
    pem, tls = certificate(tmp_path)
    with serving(endpoint(Echo()), tls=tls) as host:
        unknown = refusal(host)
        assert "self-signed" in unknown.cause
        assert "ca_trust_path" in unknown.hint
        with linked(host, server_cert_validation="ignore") as link:
            assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        with (
            linked(host, ca_trust_path=str(tmp_path / "none.pem")) as link,
            pytest.raises(ConfigError) as caught,
        ):
            link.send(ENVELOPE)
        assert caught.value.key == "ca_trust_path"
    pem, tls = certificate(tmp_path, days=-1)
    with serving(endpoint(Echo()), tls=tls) as host:
        assert "expired" in refusal(host, ca_trust_path=str(pem)).cause
    pem, tls = certificate(tmp_path, name="other.example")
    with serving(endpoint(Echo()), tls=tls) as host:
        assert "another name" in refusal(host, ca_trust_path=str(pem)).cause
    assert host.executed == 0


def test_https_to_a_port_that_speaks_http() -> None:
    with serving(endpoint(Echo())) as host:
        refused = refusal(host, url=host.url.replace("http:", "https:"))
    assert "5986" in refused.hint


@pytest.mark.parametrize("auth", ["kerberos", "credssp"])
def test_an_auth_whose_package_is_missing_names_the_extra(auth: str) -> None:
    winrm = pytest.importorskip("winrm.transport")
    if getattr(winrm, f"HAVE_{auth.upper()}"):
        pytest.skip(f"{auth} is installed here")
    link = WinRMTransport(WinRMSettings("http://hv01:5985/wsman", USER, PASSWORD, auth=auth))
    with pytest.raises(ConfigError) as caught:
        link.send(ENVELOPE)
    assert f"hvdeck[{auth}]" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (WinRMSettings("http://h/wsman", USER, auth="magic"), "auth"),
        (WinRMSettings("http://h/wsman"), "user"),
        (WinRMSettings("http://h/wsman", auth="certificate"), "url"),
        (WinRMSettings("https://h/wsman", auth="certificate", cert_pem="/no.pem"), "cert_pem"),
        (
            WinRMSettings("https://h/wsman", USER, auth="basic", message_encryption="always"),
            "message_encryption",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_before_connecting(
    settings: WinRMSettings, key: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        WinRMTransport(settings).send(ENVELOPE)
    assert caught.value.key == key


def test_settings_hide_their_secrets() -> None:
    settings = WinRMSettings("http://h/wsman", USER, "geheim", proxy="http://u:geheim@p")
    assert "geheim" not in repr(settings)
    assert settings.peer == "h"


def test_the_proxy_is_the_one_given_and_never_the_environments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    echo = Echo()
    with serving(endpoint(echo)) as host:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, nowhere)
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login other password other\n")
        monkeypatch.setenv("NETRC", str(netrc))
        with linked(host) as link:
            assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        monkeypatch.setenv("NO_PROXY", "*")
        proxy = f"http://127.0.0.1:{host.port}"
        with linked(host, url="http://hv01.invalid:5985/wsman", proxy=proxy) as link:
            assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        with (
            linked(host, proxy=nowhere.replace("//", "//me:geheim@")) as link,
            pytest.raises(Unreachable) as caught,
        ):
            link.send(ENVELOPE)
    assert "proxy" in caught.value.title
    assert "geheim" not in f"{caught.value} {caught.value.hint} {link!r}"
    assert [user for _, user in echo.asked] == [USER, USER]


def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        serving(endpoint(Echo(), drop_after=1), allow_unencrypted=True) as host,
    ):
        with linked(host) as link:
            link.send(ENVELOPE)
            link.send(ENVELOPE)
        with linked(host, auth="basic", message_encryption="auto", allow_cleartext=True) as link:
            link.send(ENVELOPE)
    assert caplog.records
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, token, "TlRMTVNT"):
        assert secret not in caplog.text


def test_a_redirect_is_not_followed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def redirect() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 302 \r\nLocation: http://elsewhere.invalid/\r\n"
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                )

        thread = threading.Thread(target=redirect)
        thread.start()
        link = WinRMTransport(WinRMSettings(f"http://127.0.0.1:{port}/wsman", USER, PASSWORD))
        with pytest.raises(LinkError, match="points elsewhere"):
            link.send(ENVELOPE)
        thread.join(10)


def test_a_host_that_never_answers_the_sign_in_was_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = WinRMSettings(
            f"http://127.0.0.1:{port}/wsman", USER, PASSWORD, operation_timeout=-9.9
        )
        with pytest.raises(Unreachable, match="sign-in was not answered"):
            WinRMTransport(settings).send(ENVELOPE)


def test_close_does_not_wait_for_a_request_and_a_later_one_connects_again() -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(envelope: bytes, user: str) -> tuple[int, bytes]:
        entered.set()
        assert leave.wait(10)
        return 200, reply_to(envelope)

    with serving(endpoint(slow)) as host, linked(host) as link:
        answers: list[bytes] = []
        thread = threading.Thread(target=lambda: answers.append(link.send(ENVELOPE)))
        thread.start()
        assert entered.wait(10)
        link.close()
        leave.set()
        thread.join(10)
        assert answers == [reply_to(ENVELOPE)]
        watcher(host).wait("close")
        assert link.send(ENVELOPE) == reply_to(ENVELOPE)
        assert link.logins == 2


def test_a_client_certificate_signs_in_by_tls_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    pem, tls = certificate(tmp_path)
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/wsman"

        def answer() -> None:
            connection, _ = listener.accept()
            with tls.wrap_socket(connection, server_side=True) as wire:
                asked = b""
                while not asked.endswith(ENVELOPE):
                    asked += wire.recv(65536)
                heads.append(asked)
                wire.sendall(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=answer)
        thread.start()
        settings = WinRMSettings(
            url,
            auth="certificate",
            ca_trust_path=str(pem),
            cert_pem=str(pem),
            cert_key_pem=str(pem.with_suffix(".key")),
        )
        link = WinRMTransport(settings)
        assert link.send(ENVELOPE) == b"ok"
        link.close()
        thread.join(10)
    (head,) = heads
    assert b"Authorization: http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual" in (
        head
    )

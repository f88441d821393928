"""Nothing outlives its owner, whatever a host does: lanes, processes, an interrupted command."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.live_kit import PATIENCE, estate, line
from tui.collector.crew import Crew
from tui.collector.framing import frame
from tui.collector.hub import Hub
from tui.collector.messages import Configure, HostLink

SOON = PATIENCE


@dataclass
class Silent:
    """A port where everybody is let in and nobody is answered."""

    listener: socket.socket
    taken: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/wsman"

    @property
    def link(self) -> HostLink:
        return HostLink("MUTE", self.url, "user", "password", operation_timeout=600)

    def hear(self) -> None:
        """Until somebody has come and asked something."""
        connection, _ = self.listener.accept()
        self.taken.append(connection)
        connection.settimeout(PATIENCE)
        assert connection.recv(1)

    def hang_up(self) -> None:
        for connection in self.taken:
            connection.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        host = Silent(listener)
        yield host
        host.hang_up()


def lanes() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith(("watch ", "act "))]


def test_all_lanes_end_with_their_crew() -> None:
    with estate() as lab, line(lab.links()) as told:
        told.read("NUC01")
        call = told.call("vm.pause", "NUC01", "media")
        told.submit(call)
        told.final(call)
        assert len(lanes()) == 2
        told.crew.stop(SOON)
        assert lanes() == []


def test_a_lane_in_a_silent_request_holds_nobody_up_and_ends_with_it(silent: Silent) -> None:
    crew = Crew(Hub())
    crew.configure(Configure((silent.link,)))
    silent.hear()
    (lane,) = lanes()
    started = time.monotonic()
    crew.stop(0.1)
    assert time.monotonic() - started < SOON
    assert lane.daemon, "the process does not wait for it"
    silent.listener.close()
    silent.hang_up()
    lane.join(SOON)
    assert not lane.is_alive()


def test_a_collector_ends_with_its_input_though_a_host_is_silent(silent: Silent) -> None:
    command = [sys.executable, "-m", "tui.collector"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(frame(Configure((silent.link,))))
        process.stdin.flush()
        silent.hear()
        process.stdin.close()
        assert process.wait(SOON) == 0


@contextlib.contextmanager
def command_line(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *words],
        env={**os.environ, "SECRET_OF_TEST": "password"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
def test_ctrl_c_ends_a_command_though_a_host_is_silent(silent: Silent) -> None:
    with command_line(
        "vms", "--host", silent.url, "--user", "user", "--password-env", "SECRET_OF_TEST"
    ) as process:
        silent.hear()
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON) == 130
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_a_lane_whose_start_was_interrupted_is_stopped_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    crew = Crew(Hub())
    watch = crew.watch(HostLink("NOBODY", "http://127.0.0.1:1/wsman"))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            watch.start()
    crew.stop(SOON)

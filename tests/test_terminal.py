"""The deck in real terminals: what shows, what is left of it afterwards, who outlives whom."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.fabric_kit import PASSWORD, USER, RunningFabric, running_fabric
from tests.live_kit import STATES, true_states

PATIENCE = 90.0
ENVIRONMENT = {
    "TERM": "xterm-256color",
    "XDG_CONFIG_HOME": "/nonexistent",
    "TEXTUAL_ANIMATIONS": "none",
    "FABRIC_SECRET": PASSWORD,
    "LC_ALL": "C.UTF-8",
}
DEMO = ("--demo", "homelab")
ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tui", *arguments]


def to_hosts(fabric: RunningFabric, *more: str) -> list[str]:
    """The deck over hosts of a running fabric; the password comes by a variable's name."""
    hosts = [word for url in fabric.urls.values() for word in ("--host", url)]
    return command(*hosts, "--user", USER, "--password-env", "FABRIC_SECRET", *more)


def soon(happened: Callable[[], object], what: str, every: float = 0.05) -> None:
    """Poll something of another process until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        select.select([], [], [], every)


def family(pid: int) -> list[psutil.Process]:
    """A process and everything below it; sessions of their own included."""
    me = psutil.Process(pid)
    return [me, *me.children(recursive=True)]


def all_gone(processes: list[psutil.Process]) -> bool:
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


# -- a raw pseudo-terminal -----------------------------------------------------------------


@dataclass
class Terminal:
    """The other side of the deck's screen."""

    fd: int
    process: subprocess.Popen[bytes]
    before: list[object]
    """Line discipline before the deck came."""
    slave: int
    seen: bytearray = field(default_factory=bytearray)

    def read(self, timeout: float = 0.05) -> None:
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if ready:
            with contextlib.suppress(OSError):
                self.seen += os.read(self.fd, 1 << 16)

    def until(self, happened: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, f"{what}: {bytes(self.seen[-2000:])!r}"
            self.read()

    def shows(self, words: str) -> None:
        """Until ``words`` have been written; cells painted apart count as apart."""
        self.until(lambda: words.encode() in self.seen, words)

    def alive(self) -> None:
        """Until hosts and machines are on the screen and all children run."""
        self.shows("homeassistant")
        self.until(lambda: len(family(self.process.pid)) >= 3, "fabric and collector")

    def ends(self) -> int:
        """The exit code, once the deck has ended and its last bytes are read."""
        self.until(lambda: self.process.poll() is not None, "the deck ends")
        for _ in range(20):
            self.read(0.01)
        return int(self.process.returncode)

    def is_restored(self) -> None:
        """What the deck switched on it has switched off, and the line is as it was."""
        written = bytes(self.seen)
        assert written.rfind(LEAVE_SCREEN) > written.rfind(ENTER_SCREEN) >= 0
        assert written.rfind(SHOW_CURSOR) > written.rfind(b"\x1b[?25l")
        assert written.rfind(MOUSE_OFF) > written.rfind(b"\x1b[?1000h")
        assert termios.tcgetattr(self.slave) == self.before
        assert b"Traceback" not in written


@contextlib.contextmanager
def terminal(
    words: list[str], *, columns: int = 120, rows: int = 40, **environment: str
) -> Iterator[Terminal]:
    """A program in a terminal of its own, as its session's leader."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    before = termios.tcgetattr(slave)

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        words,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, **ENVIRONMENT, **environment},
        preexec_fn=own_terminal,
    )
    opened = Terminal(master, process, before, slave)
    try:
        yield opened
    finally:
        children = family(process.pid) if process.poll() is None else []
        process.kill()
        process.wait(10)
        for child in children[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        for fd in (master, slave):
            with contextlib.suppress(OSError):
                os.close(fd)


@pytest.mark.parametrize(
    ("keys", "number", "code"),
    [(b"q", 0, 0), (b"\x03", 0, 0), (b"", signal.SIGTERM, 143), (b"", signal.SIGINT, 130)],
    ids=["q", "ctrl-c", "SIGTERM", "SIGINT"],
)
def test_leaving_restores_the_terminal_and_leaves_nobody(
    keys: bytes, number: int, code: int
) -> None:
    with terminal(command(*DEMO)) as t:
        t.alive()
        children = family(t.process.pid)[1:]
        if keys:
            os.write(t.fd, keys)
        else:
            t.process.send_signal(number)
        assert t.ends() == code
        t.is_restored()
        soon(lambda: all_gone(children), f"left behind: {children}")


def test_leaving_while_everything_is_still_starting() -> None:
    with terminal(command(*DEMO)) as t:
        t.until(lambda: ENTER_SCREEN in t.seen, "the first paint")
        everybody = family(t.process.pid)
        t.process.send_signal(signal.SIGTERM)
        t.ends()
        t.is_restored()
        soon(lambda: all_gone(everybody), f"left behind: {everybody}")


def test_a_terminal_that_goes_away_takes_everything_with_it() -> None:
    with terminal(command(*DEMO)) as t:
        t.alive()
        everybody = family(t.process.pid)
        os.close(t.slave)
        os.close(t.fd)
        soon(lambda: t.process.poll() is not None, "the deck ends")
        soon(lambda: all_gone(everybody), f"left behind: {everybody}")


def test_a_killed_deck_leaves_no_children() -> None:
    with terminal(command(*DEMO)) as t:
        t.alive()
        children = family(t.process.pid)[1:]
        assert len(children) >= 2
        t.process.kill()
        t.ends()
        soon(lambda: all_gone(children), f"left behind: {children}")


def test_no_password_in_any_process_of_the_deck() -> None:
    with running_fabric("homelab") as fabric, terminal(to_hosts(fabric)) as t:
        t.shows("homeassistant")
        everybody = family(t.process.pid)
        assert len(everybody) >= 2
        for process in everybody:
            assert PASSWORD not in " ".join(process.cmdline())
        assert PASSWORD.encode() not in t.seen
        os.write(t.fd, b"q")
        assert t.ends() == 0
        assert PASSWORD.encode() not in t.seen


def test_the_demo_tells_its_secret_to_nobody() -> None:
    with terminal(command(*DEMO)) as t:
        t.alive()
        for process in family(t.process.pid):
            assert "password" not in " ".join(process.cmdline()).lower()


def test_a_size_that_changes_under_it() -> None:
    exported = {"COLUMNS": "80", "LINES": "24"}
    with terminal(command(*DEMO), columns=80, rows=24, **exported) as t:
        t.alive()
        for columns, rows in ((200, 60), (20, 5), (1, 1), (120, 40)):
            t.seen.clear()
            fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            t.process.send_signal(signal.SIGWINCH)
            t.read(0.2)
        t.shows("homeassistant")
        os.write(t.fd, b"q")
        assert t.ends() == 0


# -- tmux ----------------------------------------------------------------------------------


@dataclass
class Tmux:
    """A tmux server of its own with one pane."""

    socket: str

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.socket, "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
            env={**os.environ, **ENVIRONMENT},
        )
        return done.stdout

    def screen(self) -> str:
        return self.run("capture-pane", "-p", "-t", "deck")

    def press(self, *keys: str) -> None:
        self.run("send-keys", "-t", "deck", *keys)

    def type(self, text: str) -> None:
        self.run("send-keys", "-t", "deck", "-l", text)

    def shows(self, *words: str) -> str:
        """Until all ``words`` are on the screen; answers it."""
        soon(lambda: all(word in self.screen() for word in words), f"{words} appear")
        return self.screen()

    def deck(self) -> int:
        """Process id of the deck: the shell's child."""
        shell = int(self.run("display-message", "-p", "-t", "deck", "#{pane_pid}"))
        return psutil.Process(shell).children()[0].pid


@contextlib.contextmanager
def tmux(words: list[str], *, columns: int, rows: int, tmp_path: Path) -> Iterator[Tmux]:
    """The deck started from a shell in a tmux pane, as an administrator does."""
    server = Tmux(f"hvdeck-{os.getpid()}-{tmp_path.name}")
    size = ("-x", str(columns), "-y", str(rows))
    server.run("new-session", "-d", "-s", "deck", *size, "env PS1='ready> ' sh")
    try:
        server.shows("ready>")
        server.type(" ".join(words))
        server.press("Enter")
        yield server
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            server.run("kill-server")


@needs_tmux
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (200, 60)])
def test_the_deck_shows_hosts_and_machines(columns: int, rows: int, tmp_path: Path) -> None:
    words = command(*DEMO)
    with tmux(words, columns=columns, rows=rows, tmp_path=tmp_path) as t:
        screen = t.shows("homeassistant", "Running", "DEMO")
        lines = screen.splitlines()
        assert len(lines) <= rows
        assert "hvdeck" in lines[0]
        t.press("2")
        t.shows("NUC01", "Up")
        t.press("3")
        t.shows("homeassistant")
        t.press("q")
        screen = t.shows("ready>")
        assert "homeassistant" not in screen, "the screen from before is back"
        t.type("stty -a")
        t.press("Enter")
        settings = t.shows("icanon")
        assert re.search(r"(?<!-)icanon", settings)
        assert re.search(r"(?<!-)\becho\b", settings)


@needs_tmux
def test_mark_three_on_two_hosts_and_shut_them_down(tmp_path: Path) -> None:
    scene = ("large", "--hosts", "2", "--vms", "6", "--speed", "20")
    with running_fabric(*scene) as fabric:
        words = to_hosts(fabric)
        with tmux(words, columns=120, rows=40, tmp_path=tmp_path) as t:
            t.shows("web-001-001", "job-002-002")
            for name in ("web-001-001", "app-001-002", "job-002-002"):
                t.press("f")
                t.shows("type to search")
                t.type(name)
                t.press("Enter")
                soon(lambda: "type to search" not in t.screen(), "the jump is made")
                t.press("Space")
            t.shows("3 marked")
            t.press("S")
            t.shows("Shut down 3 virtual machines on 2 hosts?")
            t.press("Enter")
            t.shows("Enter is not yes")
            soon(lambda: confirmed(t), "the answer counts", every=0.5)  # faster is no answer
            t.shows("3 done")
            t.press("Escape")
            t.shows("Off")
            truth: dict[str, int] = {}
            for url in fabric.urls.values():
                truth |= true_states(url, fabric.user, fabric.password)
            off = {name for name, state in truth.items() if state == STATES["off"]}
            assert off == {"web-001-001", "app-001-002", "job-002-002"}
            soon(lambda: left(t), "the deck is left", every=0.5)


def left(t: Tmux) -> bool:
    """Press quit unless the deck has gone: a late yes may have opened something over it."""
    if "ready>" in t.screen():
        return True
    t.press("q")
    return False


def confirmed(t: Tmux) -> bool:
    """Press yes unless it has been taken."""
    if "Shut down 3 virtual machines on 2 hosts?" not in t.screen():
        return True
    t.press("y")
    return False


@needs_tmux
def test_closing_the_pane_ends_everything(tmp_path: Path) -> None:
    with tmux(command(*DEMO), columns=100, rows=30, tmp_path=tmp_path) as t:
        t.shows("homeassistant")
        everybody = family(t.deck())
        assert len(everybody) >= 3
        t.run("kill-session", "-t", "deck")
        soon(lambda: all_gone(everybody), f"left behind: {everybody}")

"""A program in a pseudo-terminal of a known size, timed from outside, as a person would see it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psutil


@dataclass
class Terminal:
    """The other side of a program's screen."""

    fd: int
    pid: int
    started: float
    seen: bytearray = field(default_factory=bytearray)

    def read(self, timeout: float) -> bytes:
        """What it writes within ``timeout`` seconds, as soon as there is something."""
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return b""
        self.seen += data
        return data

    def wait_for(self, text: bytes, timeout: float = 60.0) -> float:
        """Seconds since the start until ``text`` has been written. Raises TimeoutError."""
        deadline = time.perf_counter() + timeout
        while text not in self.seen:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{text!r} did not appear")
            self.read(0.05)
        return time.perf_counter() - self.started

    def drain(self, quiet: float, longest: float = 5.0) -> int:
        """Read until nothing comes for ``quiet`` seconds; the number of bytes."""
        total, end = 0, time.perf_counter() + longest
        while (data := self.read(quiet)) and time.perf_counter() < end:
            total += len(data)
        return total

    def listen(self, seconds: float) -> list[tuple[float, int]]:
        """Everything written in ``seconds``: (when, bytes)."""
        end = time.perf_counter() + seconds
        heard: list[tuple[float, int]] = []
        while (left := end - time.perf_counter()) > 0:
            if data := self.read(left):
                heard.append((time.perf_counter(), len(data)))
        return heard

    def press(self, keys: bytes) -> float:
        """Write keys; seconds until the first byte comes back. Raises TimeoutError."""
        before = time.perf_counter()
        os.write(self.fd, keys)
        while not self.read(0.5):
            if time.perf_counter() - before > 10:
                raise TimeoutError(f"no answer to {keys!r}")
        return time.perf_counter() - before

    def family(self) -> list[psutil.Process]:
        """The program and all its children."""
        me = psutil.Process(self.pid)
        return [me, *me.children(recursive=True)]


@contextlib.contextmanager
def terminal(
    command: Sequence[str], *, columns: int = 120, rows: int = 40, **environment: str
) -> Iterator[Terminal]:
    """Run ``command`` in a pseudo-terminal; ended with SIGTERM after the block."""
    started = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        # The window has its size before the program can ask for it.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", **environment)
        for name in ("COLUMNS", "LINES", "NO_COLOR", "SSH_CONNECTION", "SSH_TTY"):
            os.environ.pop(name, None)
        os.execv(command[0], list(command))
    try:
        yield Terminal(fd, pid, started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if select.select([fd], [], [], 0.05)[0]:
                    os.read(fd, 1 << 16)
            if os.waitpid(pid, os.WNOHANG)[0]:
                break
        else:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(fd)


def hvdeck(*arguments: str) -> list[str]:
    """The command line of the deck of this environment."""
    return [sys.executable, "-m", "tui", *arguments]


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

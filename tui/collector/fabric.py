"""The embedded fabric: the simulator as a child process, and the links that lead to it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

import msgspec

from tui.collector.child import GRACE, ended
from tui.collector.messages import HostLink
from tui.errors import HvError

READY_WITHIN = 20.0
"""Seconds a fabric gets to come up."""


class Endpoint(msgspec.Struct, frozen=True):
    """One simulated host."""

    name: str
    url: str


class Ready(msgspec.Struct, frozen=True):
    """The one line a fabric prints when it serves."""

    ready: bool
    user: str
    password: str
    endpoints: tuple[Endpoint, ...]

    def __repr__(self) -> str:
        return f"Ready(user={self.user!r}, password=***, endpoints={len(self.endpoints)})"


def arguments(scene: str, *extra: str) -> list[str]:
    """The command line of a fabric that ends when its standard input does."""
    command = [sys.executable, "-m", "tui.sim", "--scene", scene, "--stop-with-stdin"]
    return [*command, *extra]


def links_of(line: bytes) -> tuple[HostLink, ...]:
    """What the ready line says, as links. Raises HvError when it says something else."""
    try:
        ready = msgspec.json.decode(line, type=Ready)
    except msgspec.DecodeError as error:
        raise HvError(
            "The embedded fabric did not start",
            cause="it ended before it was ready" if not line else "it said something unexpected",
            hint="`hvdeck sim` alone shows what it complains about",
        ) from error
    return tuple(
        HostLink(
            endpoint.name,
            endpoint.url,
            user=ready.user,
            password=ready.password,
            auth="ntlm",
            message_encryption="always",
            demo=True,
        )
        for endpoint in ready.endpoints
    )


class FabricProcess:
    """The fabric as the deck holds it: started and stopped on the event loop."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    async def start(self, scene: str, *extra: str) -> tuple[HostLink, ...]:
        """Start a scene and answer the links to its hosts. Raises HvError."""
        self._process = await asyncio.create_subprocess_exec(
            *arguments(scene, *extra),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), READY_WITHIN)
        except TimeoutError:
            line = b""
        return links_of(line)

    async def stop(self) -> None:
        """End the fabric."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        await ended(process)


@contextlib.contextmanager
def start_fabric(scene: str, *extra: str) -> Iterator[tuple[HostLink, ...]]:
    """The fabric for a ``with`` block: links inside, ended after it. Raises HvError."""
    with subprocess.Popen(
        arguments(scene, *extra),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield links_of(process.stdout.readline())
        finally:
            process.stdin.close()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()

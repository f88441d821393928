"""A simulated fabric as a child process, for tests that go over the socket."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

USER = "tester"
PASSWORD = "let-me-in"


@dataclass(frozen=True)
class RunningFabric:
    """A fabric that serves: host names and their URLs."""

    user: str
    password: str
    urls: dict[str, str]
    process: subprocess.Popen[bytes]

    def url(self, host: str = "") -> str:
        """One host's URL; the first host's by default."""
        return self.urls[host] if host else next(iter(self.urls.values()))


@contextlib.contextmanager
def running_fabric(scene: str, *options: str, basic: bool = False) -> Iterator[RunningFabric]:
    """``hvdeck sim`` with this scene; ``basic`` also lets clear text and Basic in."""
    command = [sys.executable, "-m", "tui", "sim", "--scene", scene, "--stop-with-stdin"]
    command += ["--user", USER, "--password-env", "SIM_PASSWORD", *options]
    if basic:
        command += ["--auth", "basic,negotiate", "--allow-unencrypted"]
    environment = {**os.environ, "SIM_PASSWORD": PASSWORD}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready: dict[str, Any] = json.loads(process.stdout.readline())
        urls = {endpoint["name"]: endpoint["url"] for endpoint in ready["endpoints"]}
        try:
            yield RunningFabric(ready["user"], ready["password"], urls, process)
        finally:
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()

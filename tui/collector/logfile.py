"""The collector's log: a file only its owner may read, in which no password stands.

Nothing that we write holds one; the text of an exception from a library might.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from tui.collector.hiding import secrets_of, without
from tui.collector.messages import HostLink

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Discreet(logging.Formatter):
    """Leaves out the secrets of the hosts it was told of, however a line came to hold them."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self._secrets: list[str] = []

    def hide(self, links: Iterable[HostLink]) -> None:
        """From now on nothing that would let anyone in as these links do is written."""
        self._secrets = secrets_of(links)

    def format(self, record: logging.LogRecord) -> str:
        return without(super().format(record), self._secrets)


def no_log() -> None:
    """Write nothing anywhere: on standard error it might hold a secret, and would be taken for
    the last words of a process that died of something else."""
    logging.getLogger().addHandler(logging.NullHandler())


def open_log(path: str, level: int = logging.INFO) -> Discreet:
    """Send what is logged in this process to a file. Raises OSError when it cannot be opened."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    with contextlib.suppress(OSError):  # somebody else's file that we may write: theirs to guard
        Path(path).chmod(0o600)
    formatter = Discreet()
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    return formatter

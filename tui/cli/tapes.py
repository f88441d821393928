"""``record`` and ``replay``: what the deck takes in, kept in a file and shown again."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui.cli import exits
from tui.cli.reach import configuration, reached, seen_as
from tui.cli.speak import narrate, prepare_glyphs, tell_troubles, trouble_line
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import Batch
    from tui.collector.session import Session
    from tui.collector.tape import Tape
    from tui.store.recorder import Recorder

PACE: Final = 2.0
"""Seconds between readings, as in the deck."""
LONGEST: Final = 86_400.0
SLOWEST, FASTEST = 0.1, 100.0
_SPAN: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_UNITS: Final = (86_400, 3_600, 60, 1)


# -- record --------------------------------------------------------------------------------


def record(arguments: argparse.Namespace) -> int:
    """Record until the time is up, or until Ctrl-C."""
    from tui.collector.session import Session
    from tui.store.recorder import check_place

    path = Path(arguments.file).expanduser()
    if not 1 <= arguments.every <= LONGEST:
        raise UsageError("--every takes seconds, at least 1")
    check_place(path, force=arguments.force)
    prepare_glyphs(arguments)
    with reached(arguments) as links, Session(links) as session:
        return _record(session, path, arguments)


def _record(session: Session, path: Path, arguments: argparse.Namespace) -> int:
    from tui.hyperv.plans.words import several
    from tui.store import Store
    from tui.store.recorder import Recorder

    links = tuple(session.links.values())
    session.load()
    tell_troubles(session.troubles)
    if len(session.troubles) == len(links):
        return exits.NO_HOST
    store = Store()
    store.configure(links)
    recorder = Recorder(path, store, links, time.time(), force=arguments.force)
    end = f"for {words_of(arguments.seconds)}" if arguments.seconds else "until Ctrl-C"
    hosts = several(len(links), "host")
    scribe = Scribe(recorder, store, arguments.seconds, set(session.troubles))
    try:
        with contextlib.suppress(KeyboardInterrupt), _ended_politely():
            narrate(f"recording {hosts} every {arguments.every:g} s into {path}, {end}")
            session.follow(scribe.hear, every=arguments.every)
    finally:
        _tell(recorder)
    if recorder.trouble is not None:
        raise recorder.trouble
    return exits.DONE


def _tell(recorder: Recorder) -> None:
    """How much was recorded."""
    from tui.hyperv.plans.words import several
    from tui.rows import text

    done = recorder.close()
    narrate(
        f"recorded {words_of(done.seconds)} in {several(done.batches, 'batch', 'batches')}, "
        f"{text.size(done.octets)}: hvdeck replay {done.path}"
    )


@contextlib.contextmanager
def _ended_politely() -> Iterator[None]:
    """SIGTERM ends it like Ctrl-C: a service manager sends that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Scribe:
    """Hands what comes to a recorder, and says which hosts come and go."""

    def __init__(
        self, recorder: Recorder, store: Any, seconds: float | None, silent: set[str]
    ) -> None:
        self._recorder = recorder
        self._store = store
        self._silent = silent
        """Hosts that do not answer, each told once."""
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def hear(self, batch: Batch) -> bool:
        """Take in what changed; whether that is enough."""
        now = time.time()
        changes = self._store.apply(batch, now)
        self._recorder.took(now, batch, changes)
        for update in batch.updates:
            self._tell_link(update.host)
        over = self._deadline is not None and time.monotonic() >= self._deadline
        return over or self._recorder.trouble is not None

    def _tell_link(self, host: str) -> None:
        from tui.hyperv.model import Link

        vitals = self._store.hosts[host].vitals
        if vitals.link is Link.DOWN and host not in self._silent:
            self._silent.add(host)
            line = trouble_line(vitals.trouble) if vitals.trouble else "no answer"
            narrate(line if line.startswith(host) else f"{host}: {line}")
        elif vitals.link in (Link.UP, Link.SLOW) and host in self._silent:
            self._silent.discard(host)
            narrate(f"{host} answers again")


# -- replay --------------------------------------------------------------------------------


def replay(arguments: argparse.Namespace) -> int:
    """Open the deck over a recording."""
    from tui.collector.tape import open_tape

    if not SLOWEST <= arguments.speed <= FASTEST:
        raise UsageError(f"--speed takes {SLOWEST:g} to {FASTEST:g}")
    with contextlib.closing(open_tape(Path(arguments.file).expanduser())) as tape:
        at = tape.begun if arguments.at is None else moment_of(arguments.at, tape)
        return _show(tape, at, arguments)


def _show(tape: Tape, at: float, arguments: argparse.Namespace) -> int:
    from tui.ui.options import calm

    options = replace(seen_as(arguments, configuration(arguments)), read_only=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The deck needs a terminal", hint="a recording is looked at in the deck")
    calm(os.environ)
    from tui.ui.start import replay as show

    return show(options, tape, speed=arguments.speed, at=at)


def moment_of(word: str, tape: Tape) -> float:
    """A moment of a recording: ``+1h30m`` from its start, a time of its day, or a date too."""
    later = word.startswith("+")
    found = tape.begun + duration(word[1:]) if later else _clock(word, tape.begun)
    if not tape.begun <= found <= tape.end:
        here = datetime.fromtimestamp(found).astimezone()
        first, last = (datetime.fromtimestamp(one).astimezone() for one in (tape.begun, tape.end))
        raise UsageError(
            f"--at {word}: {here:%Y-%m-%d %H:%M:%S} is not in {tape.path}",
            hint=f"it runs from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}",
        )
    return found


def _clock(word: str, begun: float) -> float:
    first = datetime.fromtimestamp(begun).astimezone()
    try:
        found = datetime.fromisoformat(word if len(word) > 8 else f"{first:%Y-%m-%d}T{word}")
    except ValueError:
        raise UsageError(
            f"--at {word} is no moment", hint="14:30, 14:30:05, 2026-09-23T14:30 or +1h30m"
        ) from None
    found = found.astimezone()
    if len(word) <= 8 and found < first.replace(microsecond=0):
        found += timedelta(days=1)  # it runs past midnight
    return max(found.timestamp(), begun) if begun - found.timestamp() < 1 else found.timestamp()


def duration(word: str) -> float:
    """Seconds, from ``90``, ``30s``, ``10m`` or ``1h30m``. Raises UsageError."""
    found = _SPAN.fullmatch(word)
    if found is None or not word:
        raise UsageError(f"{word or 'nothing'} is no duration", hint="90, 30s, 10m, 1h30m or 2d")
    return float(
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))
    )


def words_of(seconds: float) -> str:
    from tui.rows.text import uptime

    return uptime(seconds)

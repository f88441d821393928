"""Records what a store takes in. A thread of its own writes: a slow disk holds up nobody."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from queue import Empty, Queue
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from msgspec import structs

from tui.collector.bare import Seal, spot
from tui.collector.messages import Batch, HostLink
from tui.collector.tape import Entry, Header, Lost, Took, Writer
from tui.errors import HvError, UsageError
from tui.store.changes import Changes
from tui.store.picture import begun_of, picture
from tui.store.store import Store

FLUSH: Final = 2.0
"""Seconds a block is open at most: what a crash may cost."""
MINUTE: Final = 60.0
"""Seconds between pictures."""
BEHIND: Final = 600
"""Entries that wait for the disk at most."""
log = logging.getLogger(__name__)
_Job: TypeAlias = Entry | list[Entry] | None


class Recorded(NamedTuple):
    """What a recording amounts to."""

    path: Path
    seconds: float
    octets: int
    batches: int


class CannotRecord(HvError):
    """Nothing more is recorded; what was written stays."""


def check_place(path: Path, *, force: bool) -> None:
    """Refuse a file that must not or cannot be written, before anything else is done."""
    try:
        there = stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        there = 0
    except OSError as error:
        raise UsageError(f"{path} cannot be made", cause=error.strerror or "") from error
    if there == stat.S_IFDIR:
        raise UsageError(f"{path} is a folder", hint="name a file in it")
    if there and not force:
        raise UsageError(
            f"{path} exists already", hint="name another file, or --force to overwrite it"
        )
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path} cannot be made", cause="its folder does not exist")


def free_place(now: float) -> Path:
    """A file of that time that does not exist yet: here, or among the user's own state."""
    name = datetime.fromtimestamp(now).astimezone().strftime("hvdeck-%Y%m%d-%H%M%S")
    folder = Path.cwd()
    if not os.access(folder, os.W_OK):
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folder = Path(state) / "hvdeck"
        with contextlib.suppress(OSError):  # told when the file cannot be made
            folder.mkdir(parents=True, exist_ok=True)
    names = chain((f"{name}.tape",), (f"{name}-{number}.tape" for number in count(2)))
    return next(folder / one for one in names if not (folder / one).exists())


class Recorder:
    """A recording under way, of one store. ``took``, ``began`` and ``lost`` follow that."""

    def __init__(
        self,
        path: Path,
        store: Store,
        links: Sequence[HostLink],
        now: float,
        *,
        force: bool = False,
    ) -> None:
        """Raises UsageError or CannotRecord when there is no way to begin."""
        check_place(path, force=force)
        self.path = path
        self.begun = now
        self.trouble: CannotRecord | None = None
        """Why it has ended by itself."""
        self.batches = 0
        self._store = store
        self._last = self._pictured = now
        self._jobs: Queue[_Job] = Queue()
        try:
            self._stream = _opened(path)
        except OSError as error:
            raise CannotRecord(f"{path} cannot be made", cause=error.strerror or "") from error
        try:
            header = Header(tuple(spot(link) for link in links), now)
            self._writer = Writer(self._stream, header, Seal(links))
        except OSError as error:
            self._stream.close()
            raise _full(path, error) from error
        self._jobs.put(picture(store, now))
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    # -- what happens ----------------------------------------------------------------------

    def took(self, at: float, batch: Batch, changes: Changes) -> None:
        """The store has taken in a batch. What it settled by itself is told like what came."""
        self._last = at
        known = {call.id for call in batch.calls}
        ids = sorted(changes.calls & self._store.calls.keys() - known)
        more = [self._store.calls[id_] for id_ in ids]
        told = (batch.updates, batch.calls, batch.sheets, batch.answers, batch.exchanges)
        if not any((*told, batch.loads, more)):
            return
        self.batches += 1
        self._put(Took(at, structs.replace(batch, calls=(*batch.calls, *more))))
        if at - self._pictured >= MINUTE:
            self._pictured = at
            self._put(picture(self._store, at))

    def began(self, call: str) -> None:
        """A call is being sent."""
        for key, mark in self._store.pending.items():
            if mark.call == call:
                self._put(begun_of(self._store, key, mark))

    def lost(self, at: float, hosts: Sequence[str]) -> None:
        """A collector ended."""
        self._put(Lost(at, tuple(hosts)))

    def close(self) -> Recorded:
        """Write what waits, and end."""
        self._jobs.put(None)
        self._thread.join()
        return Recorded(self.path, self._last - self.begun, self._writer.written, self.batches)

    # -- writing ---------------------------------------------------------------------------

    def _put(self, job: _Job) -> None:
        if self.trouble is None and self._jobs.qsize() > BEHIND:
            self.trouble = CannotRecord(
                f"{self.path} is not recorded any more",
                cause="the disk does not keep up",
                hint="what was written until then can be replayed",
            )
        if self.trouble is None:
            self._jobs.put(job)

    def _work(self) -> None:
        with self._stream:
            try:
                self._follow()
                return
            except OSError as error:
                self.trouble = _full(self.path, error)
            except Exception as error:  # nobody would see that nothing is recorded any more
                log.exception("a recording ended by a fault of hvdeck")
                self.trouble = CannotRecord(
                    f"{self.path} is not recorded any more",
                    cause=f"a fault of hvdeck, {type(error).__name__}: {error}",
                    hint="what was written until then can be replayed",
                )
            with contextlib.suppress(OSError):  # the half of a block
                os.ftruncate(self._stream.fileno(), self._writer.written)

    def _follow(self) -> None:
        due = time.monotonic() + FLUSH
        while True:
            with contextlib.suppress(Empty):
                job = self._jobs.get(timeout=max(0.0, due - time.monotonic()))
                if job is None:
                    break
                if isinstance(job, list):
                    self._writer.picture(job)
                else:
                    self._writer.add(job)
            if time.monotonic() >= due:
                self._flush()
                due = time.monotonic() + FLUSH
        self._flush()
        with contextlib.suppress(OSError):  # no disk: a pipe, a device
            os.fsync(self._stream.fileno())

    def _flush(self) -> None:
        self._writer.flush()
        there, here = os.fstat(self._stream.fileno()), self.path.stat()
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            raise FileNotFoundError(2, "another file has taken its place")


def _opened(path: Path) -> BinaryIO:
    """The file, empty, its owner's alone; never through a link somebody else may have laid."""
    with contextlib.suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            path.unlink()
    exclusive = 0 if path.exists() else os.O_EXCL
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | exclusive, 0o600), "wb", buffering=0)


def _full(path: Path, error: OSError) -> CannotRecord:
    return CannotRecord(
        f"{path} is not recorded any more",
        cause=error.strerror or str(error),
        hint="what was written until then can be replayed"
        if path.exists()
        else "the file is gone: record into another one",
    )

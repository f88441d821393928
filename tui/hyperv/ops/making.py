"""What a verb of several steps works on, and what it has made so far: for ``HalfDone``."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tui.errors import Dropped, HalfDone, HvError, TimedOut
from tui.wsman.cim import CimRef, to_path

Undo = tuple[str, str, dict[str, Any]]
"""Action id, target id and arguments of what takes it away again."""


@dataclass(frozen=True, slots=True)
class Place:
    """A host as verbs need it."""

    id: str
    """Our key for it: the target of undoing actions."""
    computer: str = "."
    """What Windows calls it; object paths in settings name it."""

    def path(self, ref: CimRef) -> str:
        """The object path of something on it, as settings carry it."""
        return to_path(ref, self.computer or ".")


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine as verbs need it."""

    id: str
    name: str
    place: Place


class Making:
    """Keeps account of a verb's steps; an error on the way out says what there is now.

    An error before anything was made passes as it is: nothing is half done then.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._made: list[str] = []
        self.undo: Undo | None = None

    def add(self, what: str) -> None:
        """From now on this exists."""
        self._made.append(what)

    def drop(self, what: str) -> None:
        """It has been taken away again."""
        self._made.remove(what)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, HvError) or isinstance(error, HalfDone) or not self._made:
            return
        cause = f"{error.title}: {error.cause}" if error.cause else error.title
        if isinstance(error, TimedOut) or (isinstance(error, Dropped) and error.sent):
            cause += "; whether that step happened is not known"
        raise HalfDone(
            self._title,
            made=tuple(self._made),
            undo=self.undo,
            cause=cause,
            hint=error.hint,
            code=error.code,
        ) from error

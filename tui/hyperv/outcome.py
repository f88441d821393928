"""What a verb of ``ops`` answers."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

from tui.wsman.cim import CimRef


@dataclass(frozen=True, slots=True)
class Done:
    """The method answered 0: accepted and finished as far as the method goes."""


@dataclass(frozen=True, slots=True)
class Started:
    """The method answered 4096: a job works on it."""

    job: CimRef


Outcome: TypeAlias = Done | Started
"""Failure is an exception (``MethodFailed``, ``Fault``, ``LinkError``)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a verb that takes several: what it does, and how its call was answered."""

    title: str
    outcome: Outcome


Steps: TypeAlias = Generator[Step, None, None]
"""A verb of several calls. Whoever drives it follows each yielded step's job to its end before
asking for the next, and throws ``JobFailed`` in where a job ended badly, so that the verb can say
what it has made (``HalfDone``)."""

"""What a verb of ``ops`` answers."""

from __future__ import annotations

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

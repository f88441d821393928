"""Which EnabledState numbers mean the same to a person, and the words for them.

Numbers and critical twins as hosts of the v2 namespace use them (the documented critical
states are four lower than the real ones).
"""

from __future__ import annotations

RUNNING = frozenset({2, 32785})
OFF = frozenset({3, 32786})
SAVED = frozenset({6, 32788, 32779, 32795})
"""Saved or fast-saved."""
HIBERNATED = frozenset({32783})
PAUSED = frozenset({9, 32789})
STARTING = frozenset({10, 32790})
STOPPING = frozenset({4, 32787, 32781})
"""Stopping, or being shut down by force."""
SAVING = frozenset({32773, 32792, 32780, 32796})
PAUSING = frozenset({32776, 32793})
RESUMING = frozenset({32777, 32794})
RESETTING = frozenset({11, 32791, 32782})
"""Being reset, or rebooted by force."""
SERVICING = frozenset({32784})
CRITICAL = frozenset(range(32785, 32797))
MOVING = STARTING | STOPPING | SAVING | PAUSING | RESUMING | RESETTING | SERVICING
"""On the way from one state to another."""
STARTABLE = OFF | SAVED | HIBERNATED
HAS_WORKER = RUNNING | PAUSED | MOVING
"""A worker process holds the machine: there is something to cut off."""

_WORDS: tuple[tuple[frozenset[int], str], ...] = (
    (RUNNING, "running"),
    (OFF, "off"),
    (SAVED, "saved"),
    (HIBERNATED, "hibernated"),
    (PAUSED, "paused"),
    (STARTING, "starting"),
    (STOPPING, "stopping"),
    (SAVING, "being saved"),
    (PAUSING, "being paused"),
    (RESUMING, "being resumed"),
    (RESETTING, "being reset"),
    (SERVICING, "being serviced"),
)
_WORD_OF = {number: word for numbers, word in _WORDS for number in numbers}


def word(state: int) -> str:
    """How a sentence ends that begins "sql01 is": ``running``, ``off`` …"""
    return _WORD_OF.get(state, f"in a state hvdeck does not know ({state})")

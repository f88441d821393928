"""Which EnabledState numbers mean the same to a person, and the words for them.

Numbers and critical twins as hosts of the v2 namespace use them (the documented critical
states are four lower than the real ones).
"""

from __future__ import annotations

from tui.wsman.values import EnabledState as State


def _set(*members: State) -> frozenset[int]:
    return frozenset(members)


RUNNING = _set(State.RUNNING, State.RUNNING_CRITICAL)
OFF = _set(State.OFF, State.OFF_CRITICAL)
SAVED = _set(State.SAVED, State.SAVED_CRITICAL, State.FAST_SAVED, State.FAST_SAVED_CRITICAL)
"""Saved or fast-saved."""
HIBERNATED = _set(State.HIBERNATED)
PAUSED = _set(State.PAUSED, State.PAUSED_CRITICAL)
STARTING = _set(State.STARTING, State.STARTING_CRITICAL)
STOPPING = _set(State.STOPPING, State.STOPPING_CRITICAL, State.FORCE_SHUTDOWN)
"""Stopping, or being shut down by force."""
SAVING = _set(State.SAVING, State.SAVING_CRITICAL, State.FAST_SAVING, State.FAST_SAVING_CRITICAL)
PAUSING = _set(State.PAUSING, State.PAUSING_CRITICAL)
RESUMING = _set(State.RESUMING, State.RESUMING_CRITICAL)
RESETTING = _set(State.RESET, State.RESET_CRITICAL, State.FORCE_REBOOT)
"""Being reset, or rebooted by force."""
SERVICING = _set(State.COMPONENT_SERVICING)
CRITICAL = frozenset(state for state in State if state.name.endswith("_CRITICAL"))
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

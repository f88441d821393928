"""This machine's clock: how old what a host said is, and when that clock was set back.

Every moment in a store is one of this clock. A reading that is older than the one before tells that
it was set back. The moments since then come again: what was recorded of them is dropped, so that
recording goes on at once, times only rise, and nothing lies ahead of now. What ages keeps its age.
"""

from __future__ import annotations

from typing import Final

from tui.collector.messages import Update
from tui.hyperv.model import HostVitals, Link
from tui.store.fleet import HostEntry
from tui.store.rows import Stale

INTERVAL: Final = 2.0
"""Seconds between readings, assumed until a host tells its own."""
JITTER: Final = 10.0
"""Seconds a reading may be older than the one before; beyond, the clock was set back."""


def staleness(vitals: HostVitals, read_at: float, now: float) -> Stale:
    """How far to trust what a host said."""
    if vitals.link is Link.DOWN:
        return Stale.LOST
    if not read_at:
        return Stale.FRESH
    late = (now - read_at) / max(vitals.interval, INTERVAL)
    return Stale.OLD if late > 4 else Stale.DIM if late > 2 else Stale.FRESH


def read_anew(entry: HostEntry, update: Update, now: float) -> float:
    """When a host was read for this update; 0: not since the one before.

    What was read before the clock was set back, and is told afterwards, counts as read now.
    """
    told = max(update.read_at, update.vitals.read_at if update.vitals is not None else 0.0)
    if not told or told == entry.told_at:
        return 0.0
    entry.told_at = told
    return now if told > now + JITTER else told

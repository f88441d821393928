"""A host's own word on a move it was asked about: it wins over what we think."""

from __future__ import annotations

from tui.hyperv.record import Record


class HostVerdict(Record, frozen=True):
    """What CheckVirtualSystemIsMigratableToHost and the compatibility information say."""

    allowed: bool
    reasons: tuple[str, ...] = ()
    """Why not, in the host's words."""

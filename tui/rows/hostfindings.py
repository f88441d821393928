"""What is wrong with a host, beyond that it does not answer."""

from __future__ import annotations

from collections.abc import Iterator

from tui.hyperv.model import HostVitals, Link
from tui.rows import levels, text
from tui.rows.levels import Finding
from tui.store.rows import HostRow


def host_finding(row: HostRow) -> Finding | None:
    """The most urgent thing that is wrong with a host; None when nothing is."""
    found = list(_findings(row))
    return max(found, key=lambda one: levels.TONES.index(one.tone), default=None)


def _findings(row: HostRow) -> Iterator[Finding]:
    vitals = row.vitals
    if vitals.link is Link.DOWN:
        yield Finding(f"lost: {text.trouble_word(vitals.trouble)}", "error")
        return
    if vitals.link is Link.SLOW:
        yield Finding("answers slowly", "warning")
    if vitals.trouble is not None:
        yield Finding(text.trouble(vitals.trouble), "warning")
    if tone := clock_tone(vitals):
        yield Finding(f"its clock is {clock(vitals)}", tone)
    for volume in row.host.volumes:
        free = 100 * volume.free / volume.capacity if volume.capacity else None
        if tone := levels.tone("volume_free", free):
            yield Finding(f"{volume.name} has {text.size(volume.free)} free", tone)


def clock(vitals: HostVitals) -> str:
    """``1m 10s ahead``: a host's clock against ours."""
    if vitals.clock is None:
        return ""
    side = "ahead" if vitals.clock > 0 else "behind"
    return f"{text.uptime(abs(vitals.clock))} {side}"


def clock_tone(vitals: HostVitals) -> str:
    return levels.tone("clock_skew", None if vitals.clock is None else abs(vitals.clock))

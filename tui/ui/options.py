"""What the command line tells the deck. Importable without the deck's own imports."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from tui.collector.messages import REQUESTS_PER_MINUTE, HostLink
from tui.config.settings import Notify
from tui.config.thresholds import Thresholds

SLOW_LINK_FPS = "15"


@dataclass(frozen=True, slots=True)
class DeckOptions:
    """How to start: the hosts, or a scene of the embedded fabric when there are none."""

    links: tuple[HostLink, ...] = ()
    scene: str = "datacenter"
    """Played when ``links`` is empty."""
    fabric: tuple[str, ...] = ()
    """More arguments for the embedded fabric."""
    theme: str = ""
    ascii: bool = False
    read_only: bool = False
    fast: float = 2.0
    """Seconds between fast ticks."""
    slow: float = 30.0
    requests_per_minute: int = REQUESTS_PER_MINUTE
    """What reading may ask of one host."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Action id to keys, where they differ from the defaults."""
    host_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tags the configuration gives hosts, by host id."""
    mouse: bool = True
    watch: tuple[str, ...] = ()
    """Patterns of what is watched in full."""
    notify: Notify = field(default_factory=Notify)
    thresholds: Thresholds = field(default_factory=Thresholds)


def calm(environ: MutableMapping[str, str]) -> None:
    """Settle Textual's switches; before its first import. Over SSH it paints less often."""
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    for name in ("COLUMNS", "LINES"):  # a size that a shell exported would be kept for ever
        environ.pop(name, None)
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        environ.setdefault("TEXTUAL_FPS", SLOW_LINK_FPS)

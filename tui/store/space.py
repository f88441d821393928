"""What volumes hold, the files on them, and how both have grown.

A cluster shared volume is one thing, whichever node tells of it; a file on it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tui.collector.messages import Update
from tui.hyperv import volumes
from tui.hyperv.meters import ImageFile
from tui.hyperv.model import Host
from tui.store.fleet import HostEntry
from tui.store.growth import LONG, SPACING, Growth

OF_A_VOLUME: Final = 256
"""Readings kept of a volume."""
OF_A_FILE: Final = 48
"""Of a file; there are many."""
SWEPT: Final = 600.0
"""Seconds between two searches for growth of what is gone."""
_UNKNOWN: Final = Growth()
"""Of what was never read; nothing is ever recorded in it."""


def is_shared(host: Host, path: str) -> bool:
    """A path lies on a shared volume of the host's cluster."""
    return bool(host.cluster) and volumes.is_shared(path)


def space_key(host: Host, path: str) -> str:
    """Identity of a volume or of what lies at a path, the same on every node that shares it."""
    place = f"cluster:{host.cluster}" if is_shared(host, path) else host.id
    return f"{place}/{path.casefold().rstrip(chr(92))}"


class Space:
    """Kept while hosts are configured; files while somebody has them surveyed."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, ImageFile]] = {}
        """By host, then by key."""
        self._growth: dict[str, Growth] = {}
        self._told: dict[str, float] = {}
        """When a host's volumes were last recorded."""
        self._swept = 0.0

    def __iter__(self) -> Iterator[tuple[str, ImageFile]]:
        """Every file once, by key."""
        found: dict[str, ImageFile] = {}
        for files in self.files.values():
            for key, file in files.items():
                known = found.get(key)
                if known is None or file.read_at > known.read_at:
                    found[key] = file
        return iter(found.items())

    def growth(self, key: str) -> Growth:
        """How a volume or file has grown; empty when nothing is known."""
        return self._growth.get(key, _UNKNOWN)

    def apply(self, entry: HostEntry, update: Update) -> None:
        """Take in what one host tells. A volume that is not told anew holds what it held."""
        host, at = entry.info, entry.read_at
        if update.info is not None or not 0 <= at - self._told.get(host.id, 0.0) < SPACING:
            self._told[host.id] = at
            for volume in host.volumes:
                if volume.capacity:
                    used = volume.capacity - volume.free
                    self._record(space_key(host, volume.name), at, used, OF_A_VOLUME)
        if update.meters is not None and update.meters.images:
            self._take(entry.info, update.meters.images)
        if not 0 <= at - self._swept < SWEPT:
            self._sweep(at)

    def _take(self, host: Host, images: Iterable[ImageFile]) -> None:
        before = self.files.get(host.id, {})
        found = self.files[host.id] = {space_key(host, file.path): file for file in images}
        for key, file in found.items():
            known = before.get(key)
            if file.used and not file.trouble and (known is None or known.read_at != file.read_at):
                self._record(key, file.read_at, file.used, OF_A_FILE)

    def _record(self, key: str, at: float, used: int, most: int) -> None:
        growth = self._growth.get(key)
        if growth is None:
            growth = self._growth[key] = Growth(most)
        growth.record(at, used)

    def _sweep(self, now: float) -> None:
        """Files come and go with every checkpoint: what was not read for a day has no growth."""
        self._swept = now
        for key in [key for key, one in self._growth.items() if one.newest < now - LONG]:
            del self._growth[key]

    def forget(self, host: str) -> None:
        """A host is no longer configured."""
        self.files.pop(host, None)
        self._told.pop(host, None)
        kept = {key for files in self.files.values() for key in files}
        for key in [key for key in self._growth if key.startswith(f"{host}/") and key not in kept]:
            del self._growth[key]

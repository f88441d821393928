"""Which volume a path lies on, and what lies on a shared one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from tui.hyperv.model import Volume

SHARED: Final = "\\clusterstorage\\"
"""In a path on a cluster shared volume, in lower case: the folder below which a node sees them."""


def is_shared(path: str) -> bool:
    """It lies on a cluster shared volume."""
    return SHARED in path.casefold()


def volume_of(
    volumes: Iterable[Volume], path: str, alike: Callable[[str], str] = str.casefold
) -> Volume | None:
    """The volume a path lies on: the longest name that begins it. ``alike`` makes names and path
    comparable."""
    whole = alike(f"{path}\\")
    found = [v for v in volumes if v.name and whole.startswith(alike(_folder(v.name)))]
    return max(found, key=lambda volume: len(_folder(volume.name)), default=None)


def _folder(name: str) -> str:
    """A volume's name as what is below it begins."""
    return name.rstrip("\\") + "\\"

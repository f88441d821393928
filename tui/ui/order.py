"""The rows of a grid in their order, and which of them the cursor is on.

It knows keys only, neither the widget nor what a row is.
"""

from __future__ import annotations

from collections.abc import Iterable


class Order:
    """Keys, first to last. Once a row was chosen, the cursor stays with it whatever moves."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.cursor = 0
        self.chosen = False
        """Somebody has put the cursor where it is; until then it is on whatever comes first."""
        self._at: dict[str, int] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._at

    @property
    def key(self) -> str | None:
        """The row the cursor is on."""
        return self.keys[self.cursor] if self.keys else None

    def index(self, key: str) -> int:
        """Which line a row is; -1 when it is not there."""
        return self._at.get(key, -1)

    def replace(self, keys: Iterable[str]) -> None:
        """Other rows, or another order; the cursor goes along."""
        old, self.keys = self.keys, list(keys)
        self._at = {key: index for index, key in enumerate(self.keys)}
        self.cursor = self._follow(old)

    def _follow(self, old: list[str]) -> int:
        """Where the cursor goes: its row, else the nearest row that is still there."""
        if not self.keys or not self.chosen or not old:
            return 0
        for index in range(self.cursor, len(old)):
            if old[index] in self._at:
                return self._at[old[index]]
        for index in range(self.cursor - 1, -1, -1):
            if old[index] in self._at:
                return self._at[old[index]]
        return min(self.cursor, len(self.keys) - 1)

    def choose(self, index: int) -> None:
        """Put the cursor on a line, or on the nearest there is."""
        self.chosen = True
        self.cursor = max(0, min(index, len(self.keys) - 1))

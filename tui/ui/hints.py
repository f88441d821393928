"""How keys are read by people, and which of a pane's own the foot of the screen shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from tui.actions import by_id, key_label
from tui.actions.panekeys import PaneKey
from tui.ui.header import Hint

PANE_TITLES = {
    "app.graph-window": "Window", "app.freeze": "Freeze", "app.zoom": "Whole screen",
    "app.help": "Help", "app.back": "Back", "app.quit": "Quit",
}  # fmt: skip
"""Actions offered after a pane's own keys, and what they are called there and in ``FIRST``."""


OF_RANKS = ("app.neighbours", "app.graph-window")
"""What is offered before all else where things are ranked."""
FIRST = {"top": OF_RANKS, "neighbours": OF_RANKS}
"""By pane."""


class Keyed(Protocol):
    """An action, or a key of a pane."""

    @property
    def id(self) -> str: ...

    @property
    def key(self) -> str: ...


def keys_now(of: Keyed, own: Mapping[str, str]) -> list[str]:
    """Its keys: those of the configuration, or the defaults."""
    return [key.strip() for key in own.get(of.id, of.key).split(",") if key.strip()]


def leaving(own: Mapping[str, str]) -> set[str]:
    """Keys that leave the deck and that nobody types as text."""
    leave = by_id("app.quit")
    assert leave is not None
    return {"ctrl+c", *(key for key in keys_now(leave, own) if "+" in key)}


def label(of: Keyed, own: Mapping[str, str], taken: Collection[str] = ()) -> str:
    """Its first key that is not taken, as people read it."""
    return next((key_label(key) for key in keys_now(of, own) if key not in taken), "")


def pane_hints(keys: Sequence[PaneKey], own: Mapping[str, str]) -> tuple[list[Hint], set[str]]:
    """What the foot shows of a pane's keys, and every key they take from actions."""
    hints = []
    for foot, group in groupby(keys, key=lambda key: key.foot):
        members = list(group)
        words = " ".join(filter(None, (label(key, own) for key in members)))
        if foot and words:
            hints.append(Hint(words, foot, members[0].id))
    return hints, {key for of in keys for key in keys_now(of, own)}

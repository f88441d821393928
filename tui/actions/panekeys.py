"""Keys that mean something only while one pane has the keys, declared once.

Bindings, foot of the screen, help, configuration and README follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tui.actions import ACTIONS, keys


@dataclass(frozen=True, slots=True)
class PaneKey:
    """A key of one pane; there it goes before the key of an action."""

    id: str
    """``PANE.NAME``, as ``[keys]`` of the configuration calls it."""
    title: str
    help: str
    run: str
    """The pane's own method, as bindings call it."""
    key: str
    foot: str = ""
    """What the foot of the screen calls it; neighbours of the same name stand together."""

    @property
    def pane(self) -> str:
        return self.id.partition(".")[0]

    @property
    def keys(self) -> tuple[str, ...]:
        """Its default keys, one by one."""
        return tuple(self.key.split(","))


GRAPHS: Final = (
    PaneKey("graphs.cross-left", "Crosshair left", "Show the values at a time, then go back",
            "point(-1)", "left", "Crosshair"),
    PaneKey("graphs.cross-right", "Crosshair right", "Show the values at a time, then go on",
            "point(1)", "right", "Crosshair"),
    PaneKey("graphs.zoom-in", "Zoom in", "Show less time, about the crosshair if there is one",
            "zoom(-1)", "+,=", "Zoom"),
    PaneKey("graphs.zoom-out", "Zoom out", "Show more time, up to a day", "zoom(1)", "-", "Zoom"),
    PaneKey("graphs.earlier", "Earlier", "Go back by a quarter of the time shown",
            "pan(-1)", "[,shift+left", "Pan"),
    PaneKey("graphs.later", "Later", "Go on by a quarter of the time shown",
            "pan(1)", "],shift+right", "Pan"),
    PaneKey("graphs.oldest", "Oldest", "Go back to the first readings", "oldest", "home"),
    PaneKey("graphs.now", "Now", "Follow what happens now again", "follow", "end", "Now"),
    PaneKey("graphs.enlarge", "One graph", "Give the chosen graph the pane, or show all again",
            "enlarge", "enter", "One graph"),
    PaneKey("graphs.previous", "Previous graph", "Choose the graph before", "choose(-1)", "up,k"),
    PaneKey("graphs.next", "Next graph", "Choose the graph after", "choose(1)", "down,j"),
)  # fmt: skip

PANE_KEYS: Final = GRAPHS
ALL_KEYS: Final = (
    *((action.id, action.kind.value, keys(action)) for action in ACTIONS),
    *((key.id, f"pane {key.pane}", key.keys) for key in PANE_KEYS),
)
"""Id, kind and default keys of whatever the configuration may give another key."""
_BY_ID: Final = {key.id: key for key in PANE_KEYS}


def pane_key(id: str) -> PaneKey | None:
    """The key of that id; None when there is none."""
    return _BY_ID.get(id)


def keys_of(pane: str) -> tuple[PaneKey, ...]:
    """The keys of one pane, in the order of the table."""
    return tuple(key for key in PANE_KEYS if key.pane == pane)

"""The capacity page: what fits on which host, what is promised twice, what the loss of each does;
and the best host for a new machine of some size, with the reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.hyperv.plans import capacity
from tui.hyperv.plans.capacity import Pool, Room
from tui.hyperv.plans.placing import Place, Wish, places
from tui.hyperv.plans.words import several
from tui.rows import plans, text
from tui.rows.plans import PLACE_COLUMNS, ROOM_COLUMNS
from tui.store.targets import everywhere
from tui.ui.dialogs import Card
from tui.ui.planview import PlanView
from tui.ui.style import Glyphs

PROCESSORS = (1, 2, 4, 8, 16, 32)
LEAST, MOST = 512 << 20, 4 << 40
EVERY = 2.0
"""Seconds between two reckonings, at least."""


class CapacitySheet(PlanView):
    """Two tables in turn: hosts as they are, and hosts as places."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", show=False),
        Binding("tab,b", "turn", show=False),
        Binding("plus,right", "memory(1)", show=False),
        Binding("minus,left", "memory(-1)", show=False),
        Binding("v", "processors", show=False),
        Binding("w", "switch", show=False),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(ROOM_COLUMNS, glyphs, "No host has been read yet")
        self._placing = False
        self._wish: Wish | None = None
        """What a new machine would be; until it is changed, one of the usual size."""
        self._at = 0.0
        self._pools: list[Pool] = []
        self._places: list[Place] = []

    # -- reckoning -------------------------------------------------------------------------

    @property
    def wish(self) -> Wish:
        if self._wish is None:
            self._wish = capacity.usual(everywhere(self.app.store))
        return self._wish

    def _reckon(self, *, now: bool = False) -> None:
        if not now and self.app.clock() - self._at < EVERY:
            return
        self._at = self.app.clock()
        fleet = everywhere(self.app.store)
        if self._placing:
            self._places = places(fleet, self.wish)
        else:
            self._pools = capacity.capacity(fleet, self.wish)

    # -- showing ---------------------------------------------------------------------------

    def renew(self, *, now: bool = False) -> None:
        if not self.is_mounted:
            return
        self._reckon(now=now)
        wish = self.wish
        machine = f"{text.size(wish.memory)}, {several(wish.processors, 'virtual processor')}"
        plug = f", on {wish.switch}" if wish.switch else ""
        other = "capacity" if self._placing else "best host"
        keys = [("tab", other), ("+-", "memory"), ("v", "processors"), ("w", "switch"),
                ("enter", "more"), ("esc", "closes")]  # fmt: skip
        if self._placing:
            self.grid.set_columns(PLACE_COLUMNS)
            self.show({place.host: place for place in self._places})
            self.tell([("New machine", f"{machine}{plug}", ""), *self._best()])
            self.say(f"Best host for a machine of {machine}{plug}", keys)
            return
        self.grid.set_columns(ROOM_COLUMNS)
        self.show({room.host: room for pool in self._pools for room in pool.rooms})
        self.tell([("New machine", f"{machine} is what is counted as fitting", ""),
                   *map(plans.pool_fact, self._pools)])  # fmt: skip
        self.say("Capacity", keys)

    def _best(self) -> list[tuple[str, str, str]]:
        return [plans.best_fact(self._places[0])] if self._places else []

    def on_grid_activated(self) -> None:
        """Who would restart where, or why a place is good or bad."""
        row: Any = self.selected
        if isinstance(row, Place):
            parts = [("dialog-text", "\n".join(row.reasons))]
            self.app.push_screen(Card(row.host, parts))
        elif isinstance(row, Room):
            self.app.push_screen(Card(f"If {row.host} dies", [("dialog-text", _told(row))]))

    # -- doing -----------------------------------------------------------------------------

    def action_turn(self) -> None:
        self._placing = not self._placing
        self.renew(now=True)

    def action_memory(self, by: int) -> None:
        memory = self.wish.memory * 2 if by > 0 else self.wish.memory // 2
        self._wish = replace(self.wish, memory=min(MOST, max(LEAST, memory)))
        self.renew(now=True)

    def action_processors(self) -> None:
        known = self.wish.processors
        more = next((number for number in PROCESSORS if number > known), PROCESSORS[0])
        self._wish = replace(self.wish, processors=more)
        self.renew(now=True)

    def action_switch(self) -> None:
        """The next name of a switch that any host has, or none."""
        names = ["", *sorted({row.name for row in self.app.store.switches.values()})]
        at = names.index(self.wish.switch) if self.wish.switch in names else 0
        self._wish = replace(self.wish, switch=names[(at + 1) % len(names)])
        self.renew(now=True)


def _told(room: Room) -> str:
    loss = room.loss
    lines = [
        f"{one.name} restarts on {one.target}"
        if one.target
        else f"{one.name} stays down: {one.why}"
        for one in sorted(loss.restarts, key=lambda one: bool(one.target))
    ]
    lines += [f"{name} ends: no cluster starts it again" for name in loss.ends]
    return "\n".join(lines) or "Nothing runs on it"

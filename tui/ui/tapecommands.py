"""What a person does about recordings: makes one, or moves about in the one that is replayed."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from tui.errors import HvError
from tui.rows import text
from tui.store.recorder import free_place

if TYPE_CHECKING:
    from tui.ui.app import DeckApp
    from tui.ui.player import Player

BIT, MINUTE = 10.0, 60.0
"""Seconds a recording goes back or on by."""


class TapeCommands:
    """Their methods, as the action table names them."""

    def __init__(self, app: DeckApp) -> None:
        self._app = app

    def toggle_recording(self) -> None:
        """Begin to record into a file named after the time, or end that and say what it holds."""
        if self._app.replay is not None:
            self._app.told("This is a recording already", warning=True)
        elif (done := self._app.engine.stop_recording()) is not None:
            self._app.told(f"Recorded {text.uptime(done.seconds)} into {done.path}, "
                           f"{text.size(done.octets)}: hvdeck replay shows it")  # fmt: skip
        else:
            self._begin_recording()
        self._app.renew()

    def _begin_recording(self) -> None:
        path = free_place(self._app.clock())
        try:
            self._app.engine.record(path)
        except HvError as error:
            self._app.told(f"{error} {error.hint}".strip(), error=True)
            return
        self._app.told(f"Recording into {path}")

    def pause_replay(self) -> None:
        if (replay := self._played()) is not None:
            replay.pause(not replay.paused)
            self._app.renew()

    def back_a_bit(self) -> None:
        self._seek(-BIT)

    def on_a_bit(self) -> None:
        self._seek(BIT)

    def back_a_minute(self) -> None:
        self._seek(-MINUTE)

    def on_a_minute(self) -> None:
        self._seek(MINUTE)

    def go_to_start(self) -> None:
        self._seek(-inf)

    def go_to_end(self) -> None:
        self._seek(inf)

    def _seek(self, by: float) -> None:
        if (replay := self._played()) is not None:
            replay.seek(replay.position() + by)
            self._app.renew()

    def change_speed(self, by: int) -> None:
        if (replay := self._played()) is not None:
            replay.change_speed(by)
            self._app.renew()

    def _played(self) -> Player | None:
        if self._app.replay is None:
            self._app.told("Nothing is replayed here: hvdeck replay FILE does", warning=True)
        return self._app.replay

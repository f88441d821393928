"""Feeds the store from a recording: the deck's clock is the recording's, no host is reached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from tui.collector.messages import Command, Inspect
from tui.collector.tape import Tape
from tui.errors import WireError
from tui.store import Changes, Store
from tui.store.reel import REACH, Reel
from tui.ui.engine import Engine, Listener
from tui.ui.options import DeckOptions

SPEEDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
NEAR: Final = 120.0
"""Seconds ahead that are played rather than jumped over."""
AT_ONCE: Final = 0.3
"""Seconds of work a jump may take before the screen shows it, its picture aside."""
STEP: Final = 0.05
"""The same for playing on."""
SLICE: Final = 0.008
"""Seconds of work on the past between two looks at the keys."""


class Player(Engine):
    """An engine without hosts."""

    def __init__(
        self,
        tape: Tape,
        options: DeckOptions,
        *,
        speed: float = 1.0,
        at: float | None = None,
        watch: Callable[[], float] = time.monotonic,
    ) -> None:
        """``watch``: the time that passes here. Raises WireError when the tape is damaged."""
        super().__init__(Store(), options, self.position)
        self.tape = tape
        self.speed = speed
        self.paused = False
        self.trouble = ""
        """Why it stands still though the tape goes on."""
        self.late = False
        """More is due than could be taken in at once: the clock waits for that."""
        self._watch = watch
        self._anchor = (tape.begun, watch())
        """A moment of the recording, and when it was here."""
        self._past: Reel | None = None
        """A store that gets to know what was before the last jump."""
        self._reel = self._go(tape.begun if at is None else at)

    # -- time ------------------------------------------------------------------------------

    def position(self) -> float:
        """The moment of the recording that is shown."""
        moment, since = self._anchor
        still = self.paused or self.trouble
        passed = 0.0 if still else (self._watch() - since) * self.speed
        return min(max(moment + passed, self.tape.begun), self.tape.end)

    @property
    def ended(self) -> bool:
        """It stands at its end."""
        return self.position() >= self.tape.end

    @property
    def idle(self) -> bool:
        """All that is due was taken in, and nothing of the past is missing."""
        here = not self.late and self._reel.reached >= self.position()
        return self._past is None and (here or bool(self.trouble))

    def _hold(self, moment: float) -> None:
        self._anchor = (moment, self._watch())

    # -- what a person does ----------------------------------------------------------------

    def pause(self, on: bool) -> None:
        self._hold(self.position())
        self.paused = on

    def change_speed(self, by: int) -> None:
        """The next slower or faster one."""
        self._hold(self.position())
        if by > 0:
            self.speed = next((one for one in SPEEDS if one > self.speed), SPEEDS[-1])
        else:
            self.speed = next((one for one in reversed(SPEEDS) if one < self.speed), SPEEDS[0])

    def seek(self, moment: float) -> None:
        """Show another moment."""
        here = self.position()
        moment = min(max(moment, self.tape.begun), self.tape.end)
        if here <= moment <= here + NEAR and not self.trouble:
            self._hold(moment)
            self._advance()
            return
        try:
            self._reel = self._go(moment)
        except WireError as error:
            self._listener.told(str(error), error=True)
            return
        self._listener.jumped()
        self._tell_trouble()

    def post(self, command: Command) -> None:
        """Nobody is there to hear it."""
        if isinstance(command, Inspect):
            self.inspected = (command.host, command.vm)

    # -- playing ---------------------------------------------------------------------------

    async def warm(self) -> None:
        await asyncio.sleep(0)

    def launch(self, listener: Listener) -> None:
        self._listener = listener
        listener.jumped()
        if self.tape.cut:
            listener.told(f"{self.tape.path} is not whole: {self.tape.cut}; it plays up to there")
        self._tell_trouble()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await super().stop()
        self.tape.close()

    def _go(self, moment: float) -> Reel:
        """The store as it was: at once what was shown then, little by little what was before."""
        reel = Reel(self.tape, moment)
        self.trouble, self.late = "", False
        until = time.monotonic() + AT_ONCE
        try:
            for _ in reel.play(moment):
                if time.monotonic() >= until:
                    self.late = True
                    break
        except WireError as error:
            self.trouble, moment = str(error), reel.at
        reel.store.tick(moment)
        before = self.tape.before(moment - REACH)
        self._past = Reel(self.tape, moment - REACH) if before != reel.block else None
        self.store.become(reel.store)
        reel.store = self.store
        self._hold(moment)
        return reel

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._advance()
            await self._remember()
            if self.late and not self.trouble:
                await asyncio.sleep(0)
            else:
                await self._rest()

    def _advance(self) -> None:
        """Take in what is due, as far as it goes at once, and tell it as one change."""
        due = self.position()
        if due <= self._reel.reached or self.trouble:
            return
        changes, until = Changes(), time.monotonic() + STEP
        self.late = False
        try:
            for one in self._reel.play(due):
                changes.follow(one)
                if time.monotonic() >= until:
                    self.late = True
                    self._hold(due)
                    break
        except WireError as error:
            self.trouble = str(error)
            self._hold(self._reel.at)
            self._tell_trouble()
        self._listener.changed(changes)

    def _tell_trouble(self) -> None:
        if self.trouble:
            self._listener.told(f"{self.trouble}; a jump over it goes on", error=True)

    async def _remember(self) -> None:
        """Play the past beside the present until they are one, a slice at a time."""
        past, started = self._past, time.monotonic()
        try:
            while past is not None and past is self._past:
                if not self._catch_up(past, started + SLICE):
                    await asyncio.sleep(0)
                    self._advance()
                    started = time.monotonic()
        except WireError:
            self._past = None  # what is shown stands; only graphs begin later

    def _catch_up(self, past: Reel, until: float) -> bool:
        """Whether the past has become the present."""
        for _ in past.play(self._reel.at):
            if time.monotonic() >= until:
                return False
        self.store.become(past.store)
        past.store = self.store
        self._reel, self._past = past, None
        self._listener.jumped()
        return True

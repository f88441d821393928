"""What reading may ask of one host in a minute. Actions are asked at once and not counted.

A quarter of it may be asked at a time, the rest evenly, so a host at its cap is read more slowly
and not in jerks; together never more than all of it in any minute.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from tui.errors import HvError
from tui.wsman.client import Throttle

MINUTE = 60.0


class Allowance:
    """One host's; ``limit`` may change at any time, 0 is none."""

    def __init__(
        self,
        limit: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], bool] | None = None,
    ) -> None:
        """``rest`` waits so many seconds, and answers whether it is over for good."""
        self.limit = limit
        self.held_until = -math.inf
        """When reading waited for it the last time."""
        self._clock = clock
        self._closed = threading.Event()
        self._rest = rest or self._closed.wait
        self._due = -math.inf
        """When all that was asked would have been asked evenly."""

    @property
    def _burst(self) -> int:
        return max(1, self.limit // 4)

    @property
    def _step(self) -> float:
        """Seconds between requests that are asked evenly."""
        return MINUTE / max(1, self.limit - self._burst)

    def delay(self, now: float) -> float:
        """Seconds until the next request may be asked."""
        if self.limit <= 0:
            return 0.0
        return max(0.0, self._due - (self._burst - 1) * self._step - now)

    def spend(self, now: float) -> None:
        """A request is asked."""
        if self.limit > 0:
            self._due = max(self._due, now) + self._step

    def take(self) -> float:
        """Wait until one more may be asked; answers for how many seconds that was."""
        began = now = self._clock()
        while (pause := self.delay(now)) > 0:
            if self._rest(pause):
                raise HvError("reading has ended")
            now = self.held_until = self._clock()
        self.spend(now)
        return now - began

    def close(self) -> None:
        """Nothing is read any more; who waits is told."""
        self._closed.set()


class Paced(Throttle):
    """The throttle of a host as those who read it pass it: after their allowance."""

    def __init__(self, throttle: Throttle, allowance: Allowance) -> None:
        super().__init__()
        self._throttle = throttle
        self._allowance = allowance

    def __enter__(self) -> float:
        return self._allowance.take() + self._throttle.__enter__()

    def __exit__(self, *error: object) -> None:
        self._throttle.__exit__(None, None, None)

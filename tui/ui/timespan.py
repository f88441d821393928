"""Which span of time graphs show, and the moment their crosshair stands at. Knows no screen."""

from __future__ import annotations

from tui.rows import text

DAY = 86_400.0
"""As far back as there may be readings."""
SHORTEST, LONGEST = 60.0, DAY
WINDOWS = (60.0, 300.0, 900.0, 3600.0, 21_600.0, DAY)
"""What one key goes through."""
STEPS = (
    60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0, DAY,
)  # fmt: skip
"""What zooming goes through."""


class TimeSpan:
    """It follows now, or ends at a moment of the past."""

    def __init__(self, window: float = WINDOWS[1]) -> None:
        self.window = window
        self.end: float | None = None
        """None: it follows now."""
        self.cross: float | None = None
        """Where the crosshair stands."""
        self.fixed = False
        """The crosshair was put there, and does not go with the mouse."""
        self.held: float | None = None
        """The moment the picture was frozen at."""
        self._now = 0.0

    # -- time ------------------------------------------------------------------------------

    def tell(self, now: float) -> None:
        """Time passed."""
        self._now = now
        if self.end is not None and self.end > now:  # the clock was set back
            self.end = None
        self._leave_cross()

    @property
    def now(self) -> float:
        """The newest moment there is to show."""
        return self._now if self.held is None else self.held

    @property
    def until(self) -> float:
        return self.now if self.end is None else self.end

    @property
    def live(self) -> bool:
        """It moves."""
        return self.end is None and self.held is None

    @property
    def fixed_end(self) -> float | None:
        """Where it ends when it does not move."""
        return self.held if self.end is None else self.end

    def hold(self, moment: float | None) -> None:
        """Freeze the picture as of a moment, or let it go on."""
        self.held = moment

    # -- zoom and pan ----------------------------------------------------------------------

    def zoom(self, by: int) -> None:
        """The next longer (1) or shorter (-1) window, about the crosshair if there is one."""
        if by > 0:
            window = next((step for step in STEPS if step > self.window), LONGEST)
        else:
            window = next((step for step in reversed(STEPS) if step < self.window), SHORTEST)
        if self.cross is None:
            self._end_at(self.until, window)
            return
        share = (self.until - self.cross) / self.window
        self._end_at(self.cross + share * window, window)

    def pan(self, quarters: int) -> None:
        """Go back (negative) or on by so many quarters of the window."""
        self._end_at(self.until + quarters * self.window / 4, self.window)

    def next_window(self) -> None:
        """The next longer of a few windows, then the shortest again."""
        longer = next((window for window in WINDOWS if window > self.window), WINDOWS[0])
        self._end_at(self.until, longer)

    def begin_at(self, moment: float) -> None:
        """Show what came from a moment on."""
        self._end_at(moment + self.window, self.window)

    def follow(self) -> None:
        """Back to now."""
        self._end_at(self.now, self.window)

    def _end_at(self, moment: float, window: float) -> None:
        """End there; from now on it moves again, and before a day ago there is nothing."""
        self.window = window
        earliest = self.now - DAY + window
        self.end = None if moment >= self.now else max(moment, earliest)
        if self.end is not None and self.end >= self.now:
            self.end = None
        self._leave_cross()

    # -- crosshair -------------------------------------------------------------------------

    def point(self, moment: float | None, *, fixed: bool) -> None:
        """Put the crosshair there, or take it away."""
        self.cross = moment
        self.fixed = fixed and moment is not None

    def clear(self) -> None:
        self.point(None, fixed=False)

    def _leave_cross(self) -> None:
        """A crosshair that is not in the span any more is gone."""
        if self.cross is not None and not 0 <= self.until - self.cross <= self.window:
            self.clear()

    # -- words -----------------------------------------------------------------------------

    def words(self) -> str:
        """``last 5 min``, ``14:02-14:07, 12 min ago``, ``14:02-14:07, frozen``."""
        if self.live:
            return f"last {length(self.window)}"
        since, until = self.until - self.window, self.until
        span = f"{self._clock(since)}-{self._clock(until)}"
        if text.day(since)[:10] != text.day(self._now)[:10]:
            span = f"{text.day(since)[5:]} - {text.day(until)[5:]}"
        if self.end is not None:
            span = f"{span}, {length(self.now - self.end)} ago"
        return span if self.held is None else f"{span}, frozen"

    def _clock(self, moment: float) -> str:
        return text.clock(moment) if self.window < 300 else text.clock(moment)[:5]


def length(seconds: float) -> str:
    """``40 s``, ``12 min``, ``6 h``."""
    whole = max(0, round(seconds))
    if whole < 60 or (whole < 120 and whole % 60):
        return f"{whole} s"
    if whole < 3600 or (whole < 7200 and whole % 3600):
        return f"{round(whole / 60)} min"
    return f"{round(whole / 3600)} h"

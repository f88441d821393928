"""A screen that comes up styled once and sends only the cells that changed.

Textual repaints a changed region from its widget's left edge on, which for one number in a wide
table is most of the line; over SSH that is most of the traffic. This is the one place that leans
on Textual's inside (its version is pinned, and a test measures the bytes).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from rich.console import Console
from textual import events
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.geometry import Region, Size
from textual.screen import UPDATE_PERIOD, Screen
from textual.strip import Strip

from tui.ui.chops import Line
from tui.ui.sparing import sparing

Answer = TypeVar("Answer")


class _ExactUpdate(ChopsUpdate):
    """The same spans, cut at both ends."""

    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, x1), min(end, x2)
                if strip is None or left >= right:
                    continue
                if (left, right) != (x, end):
                    strip = strip.crop(left - x, right - x)
                parts.append(f"\x1b[{y + 1};{left + 1}H{strip.render(console)}")
        return sparing("".join(parts))


class _SparingLayout(LayoutUpdate):
    """A whole region in as few bytes."""

    def render_segments(self, console: Console) -> str:
        return sparing(super().render_segments(console))


class _ExactCompositor(Compositor):
    """Paints no widget where others cover it, and none on lines that nobody asked for.

    Textual renders every widget that touches the box around all changes, also those behind others,
    and cuts each of their lines into pieces; most of a page is covered at least three deep.
    """

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        lines = [Line(cuts) for cuts in self.cuts]
        asked = [y for y in crop.line_range if y < len(lines) and is_rendered_line(y)]
        for y in asked:
            lines[y].open(crop.x, crop.right)
        for widget, (region, clip) in self.visible_widgets.items():  # front to back
            seen = region.intersection(clip)
            rows = [
                y for y in asked
                if seen.y <= y < seen.bottom and lines[y].lacks(seen.x, seen.right)
            ]  # fmt: skip
            if not rows:
                continue
            top = rows[0]
            part = Region(0, top, seen.width, rows[-1] - top + 1).translate(
                (seen.x - region.x, -region.y)
            )
            strips = widget.render_lines(part)
            for y in rows:
                lines[y].fill(seen.x, strips[y - top], seen.width)
        return cast("Sequence[Mapping[int, Strip]]", [line.pieces for line in lines])

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        if update is None:
            return None
        return _ExactUpdate(update.chops, update.spans, update.chop_ends)

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        update = super().render_full_update(simplify)
        return _SparingLayout(update.strips, update.region)


class Exact(Screen[Answer]):
    """How every screen of the deck paints.

    What changes after a quiet moment is painted at once instead of at the next beat of Textual's
    timer; only what follows within a beat waits for it. A key is answered without delay, and a
    slow line still gets no more paints than its beat allows.

    A screen below another one is not painted at all. It shows through as it was when it was
    covered, or when the one above was last painted as a whole, and is current when that one goes.
    Textual would paint it tinted again, whole lines at a time, at every beat.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._compositor = _ExactCompositor()
        self._painted_at = 0.0
        self._painted_size = Size(0, 0)

    @property
    def is_current(self) -> bool:
        """It is the one in front."""
        return self.app.screen_stack[-1:] == [self]

    async def _on_idle(self, event: events.Idle) -> None:
        # Textual goes on to call the handler of the base class, which finds nothing left to do.
        if not self.is_current:
            self._fit()
            return
        rested = time.monotonic() - self._painted_at >= UPDATE_PERIOD
        if rested and self._dirty_widgets and not self._layout_required:
            self._on_timer_update()

    def _fit(self) -> None:
        """Below another one it is laid out only for a terminal that has another size now."""
        if self._layout_required and self._painted_size != self.size:
            self._layout_required = False
            self._refresh_layout()

    def _on_timer_update(self) -> None:
        super()._on_timer_update()
        self._painted_at, self._painted_size = time.monotonic(), self.size


class ExactScreen(Exact[None]):
    """Return one from ``App.get_default_screen``."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._came_up = False

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        # Called before the base class's handler, which would style everything once more.
        event.refresh_styles = event.refresh_styles and self._came_up
        self._came_up = True

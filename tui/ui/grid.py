"""The one table widget: any number of rows, of which only the visible ones cost anything.

It is told an ordered list of keys and where to look a row up; it knows nothing of what rows are,
keeps the cursor with its row whatever the order does, and repaints only cells that look different.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from tui.rows.column import Cell, Column
from tui.ui import gridevents
from tui.ui.order import Order
from tui.ui.rowline import (
    GUTTER,
    PLAIN,
    Brushes,
    Flashes,
    Look,
    Painter,
    Piece,
    Place,
    arrange,
    indent_of,
    piece,
)
from tui.ui.style import UNICODE, Glyphs, PlainScrollBar, tones

__all__ = ["Grid", "Look"]

Row = TypeVar("Row")
_HEADER = 1
_KEPT = 600
"""Lines remembered; far more than any screen, far fewer than rows."""


@dataclass(slots=True)
class _Drawn:
    """A row as last put on the screen."""

    pieces: list[Piece]
    look: Look
    kind: int = -1
    strip: Strip | None = None


class Grid(ScrollView, Generic[Row], can_focus=True):
    """A table of rows known by key."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--header",
        "grid--cursor",
        "grid--cursor-blurred",
        "grid--changed",
        "grid--match",
        "grid--empty",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="grid.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="grid.up"),
        Binding("home,g", "first", "First row", show=False, id="grid.first"),
        Binding("end,G,shift+g", "last", "Last row", show=False, id="grid.last"),
        Binding("pagedown", "page(1.0)", "Page down", show=False, id="grid.page-down"),
        Binding("pageup", "page(-1.0)", "Page up", show=False, id="grid.page-up"),
        Binding("ctrl+d", "page(0.5)", "Half page down", show=False, id="grid.half-down"),
        Binding("ctrl+u", "page(-0.5)", "Half page up", show=False, id="grid.half-up"),
        Binding("enter", "activate", "Open", show=False, id="grid.open"),
    ]

    CursorMoved = gridevents.CursorMoved
    Activated = gridevents.Activated
    Toggled = gridevents.Toggled
    MarkClicked = gridevents.MarkClicked
    HeaderClicked = gridevents.HeaderClicked

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        source: Callable[[str], Row],
        *,
        look: Callable[[Row], Look] | None = None,
        tree: bool = False,
        glyphs: Glyphs = UNICODE,
        empty: str = "",
        flash_for: float = 5.0,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """``source`` looks a row up by key; a KeyError from it draws a blank line.

        ``flash_for``: seconds a changed cell of a flashing column stays highlighted.
        """
        super().__init__(id=id, classes=classes)
        self._columns = list(columns)
        self._source = source
        self._look = look
        self._tree = tree
        self._glyphs = glyphs
        self._empty = empty
        self._flash_for = flash_for
        self._order = Order()
        self._drawn: dict[str, _Drawn] = {}
        self._places: list[Place] = []
        self._painter: Painter | None = None
        self._sort = ""
        self._descending = False
        self._needle = ""
        self._flashes = Flashes()
        self._fading: Timer | None = None

    # -- what it shows -------------------------------------------------------------------------

    @property
    def keys(self) -> Sequence[str]:
        return self._order.keys

    @property
    def cursor_key(self) -> str | None:
        return self._order.key

    @property
    def cursor_index(self) -> int:
        return self._order.cursor

    def index_of(self, key: str) -> int:
        """Which line a row is; -1 when it is not shown."""
        return self._order.index(key)

    @property
    def visible_keys(self) -> list[str]:
        top = self._top
        return self._order.keys[top : top + self._page_size]

    @property
    def hidden_columns(self) -> list[Column[Row]]:
        """Columns the width has no room for."""
        shown = {place.column.id for place in self._places}
        return [column for column in self._columns if column.id not in shown]

    def set_keys(self, keys: Sequence[str]) -> None:
        """Show these rows in this order. The cursor stays with its row, at its screen line."""
        order, new = self._order, list(keys)
        if new == order.keys:
            return
        before, cursor_before = self.visible_keys, self.cursor_key
        count, top, offset = len(order.keys), self._top, order.cursor - self._top
        steady = 0 <= offset < self._page_size
        anchor = cursor_before if steady or not before else before[0]
        order.replace(new)
        if len(new) != count:
            self.virtual_size = Size(self.size.width, len(new) + _HEADER)
        if not order.chosen:
            top = 0
        elif steady:
            top = order.cursor - offset
        elif anchor is not None and anchor in order:
            top = order.index(anchor)
        self._scroll_top(top)
        self._repaint_difference(before, cursor_before)
        if self.cursor_key != cursor_before:
            self.post_message(self.CursorMoved(self, self.cursor_key))

    def _repaint_difference(self, before: list[str], cursor_before: str | None) -> None:
        after = self.visible_keys
        if not before or not after:
            self.refresh()
            return
        cursor = self.cursor_key
        for line in range(max(len(before), len(after))):
            was = before[line] if line < len(before) else None
            now = after[line] if line < len(after) else None
            moved = was is not None and (was == cursor_before) != (now == cursor)
            if was != now or moved:
                self._refresh_screen_line(line + _HEADER)

    def touch(self, keys: Iterable[str]) -> None:
        """These rows changed: cells on the screen that look different now are painted again."""
        top, size = self._top, self._page_size
        for key in keys:
            drawn = self._drawn.get(key)
            if drawn is None:
                continue
            index = self._order.index(key)
            if top <= index < top + size:
                self._compare(key, drawn, index - top + _HEADER)
            else:
                del self._drawn[key]

    def touch_all(self) -> None:
        """Compare every visible row again: time passed, or something they share changed."""
        visible = self.visible_keys
        for key in self._drawn.keys() - set(visible):
            del self._drawn[key]
        self.touch(visible)

    def _compare(self, key: str, drawn: _Drawn, line: int) -> None:
        pieces, look = self._pieces(key)
        if look != drawn.look:
            self._refresh_screen_line(line)
        for place, was, now in zip(self._places, drawn.pieces, pieces, strict=True):
            if was == now:
                continue
            self.refresh(Region(place.x, line, place.width, 1))
            if place.column.flash and was.text != now.text:
                self._flash(key, place.column.id)
        if look != drawn.look or pieces != drawn.pieces:
            drawn.pieces, drawn.look, drawn.strip = pieces, look, None

    def set_columns(self, columns: Sequence[Column[Row]]) -> None:
        self._columns = list(columns)
        self._arrange()

    def set_sort(self, column_id: str, *, descending: bool = False) -> None:
        """Which title carries the arrow; the order itself is the owner's, see ``set_keys``."""
        if (column_id, descending) != (self._sort, self._descending):
            self._sort, self._descending = column_id, descending
            self._refresh_screen_line(0)

    def set_empty(self, text: str) -> None:
        """What to say when there are no rows."""
        if text != self._empty:
            self._empty = text
            if not self._order.keys:
                self.refresh()

    def set_needle(self, text: str) -> None:
        """Highlight this text wherever it occurs, case aside."""
        if text.lower() != self._needle:
            self._needle = text.lower()
            self._forget_strips()

    # -- highlights that fade ------------------------------------------------------------------

    def flash(self, keys: Iterable[str]) -> None:
        """Highlight the first column of these rows for a moment: they are new."""
        if not self._places:
            return
        for key in keys:
            if key in self._order:
                self._flash(key, self._places[0].column.id)

    def _flash(self, key: str, column: str) -> None:
        self._flashes.add(key, column, time.monotonic() + self._flash_for)
        self._forget_strip(key)
        if self._fading is None:
            self._fading = self.set_interval(1.0, self._fade)

    def _fade(self) -> None:
        self.fade(time.monotonic())

    def fade(self, now: float) -> None:
        """End the highlights that are over."""
        for key in self._flashes.end(now):
            self._forget_strip(key)
        if not self._flashes.count and self._fading is not None:
            self._fading.stop()
            self._fading = None

    # -- the cursor ----------------------------------------------------------------------------

    def move_to(self, key: str) -> bool:
        """Put the cursor on this row; False when the grid does not have it."""
        if key not in self._order:
            return False
        self._move(self._order.index(key))
        return True

    def bring_back(self, key: str) -> None:
        """The cursor goes to a row that has returned, on the screen line it is on."""
        line = self._order.cursor - self._top
        if self.move_to(key):
            self._scroll_top(self._order.cursor - line)

    def _move(self, index: int) -> None:
        order = self._order
        if not order.keys:
            return
        was = order.cursor
        order.choose(index)
        index = order.cursor
        if was != index:
            self._refresh_row(was)
            self._refresh_row(index)
            self.post_message(self.CursorMoved(self, self.cursor_key))
        top, size = self._top, self._page_size
        if index < top:
            self._scroll_top(index)
        elif index >= top + size:
            self._scroll_top(index - size + 1)

    def action_move(self, rows: int) -> None:
        self._move(self._order.cursor + rows)

    def action_first(self) -> None:
        self._move(0)

    def action_last(self) -> None:
        self._move(len(self._order.keys) - 1)

    def action_page(self, pages: float) -> None:
        rows = int(max(1, self._page_size - 1) * pages) or (1 if pages > 0 else -1)
        self._scroll_top(self._top + rows)
        self._move(self._order.cursor + rows)

    def action_activate(self) -> None:
        key = self.cursor_key
        if key is not None:
            self.post_message(self.Activated(self, key))

    # -- events --------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < _HEADER:
            self._click_header(offset.x)
            return
        index = offset.y - _HEADER + self._top
        if not 0 <= index < len(self._order.keys):
            return
        key = self._order.keys[index]
        self._move(index)
        if event.chain == 2:
            self.post_message(self.Activated(self, key))
        elif offset.x < GUTTER:
            self.post_message(self.MarkClicked(self, key))
        elif self._on_fold_glyph(key, offset.x):
            self.post_message(self.Toggled(self, key))

    def _click_header(self, x: int) -> None:
        for place in self._places:
            if place.x <= x <= place.x + place.width:
                self.post_message(self.HeaderClicked(self, place.column.id))
                return

    def _on_fold_glyph(self, key: str, x: int) -> bool:
        drawn = self._drawn.get(key)
        if not self._tree or drawn is None or drawn.look.branch is None:
            return False
        start = GUTTER + 2 * drawn.look.depth
        return start <= x < start + 2

    def on_mount(self) -> None:
        if self._glyphs.ascii:
            self.vertical_scrollbar.renderer = PlainScrollBar  # type: ignore[misc]

    def on_resize(self) -> None:
        self._arrange()
        self._scroll_top(self._top)

    def on_focus(self) -> None:
        self._refresh_row(self._order.cursor)

    def on_blur(self) -> None:
        self._refresh_row(self._order.cursor)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter = None
        for drawn in self._drawn.values():
            drawn.strip = None

    # -- painting ------------------------------------------------------------------------------

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _page_size(self) -> int:
        return max(0, self.scrollable_content_region.height - _HEADER)

    def _scroll_top(self, top: int) -> None:
        self.scroll_to(y=max(0, top), animate=False, immediate=True)

    def _arrange(self) -> None:
        self._places = arrange(self._columns, self._width)
        self._drawn.clear()
        self.refresh()

    def _refresh_row(self, index: int) -> None:
        line = index - self._top
        if 0 <= line < self._page_size:
            self._refresh_screen_line(line + _HEADER)

    def _refresh_screen_line(self, line: int) -> None:
        self.refresh(Region(0, line, self.size.width, 1))

    def _forget_strip(self, key: str) -> None:
        drawn = self._drawn.get(key)
        if drawn is not None:
            drawn.strip = None
            self._refresh_row(self._order.index(key))

    def _forget_strips(self) -> None:
        for drawn in self._drawn.values():
            drawn.strip = None
        self.refresh()

    def _pieces(self, key: str) -> tuple[list[Piece], Look]:
        glyphs = self._glyphs
        try:
            row = self._source(key)
        except KeyError:
            # Removed between the store's change and the next set_keys.
            return [piece(Cell(""), place, glyphs) for place in self._places], PLAIN
        look = PLAIN if self._look is None else self._look(row)
        indent = indent_of(look, glyphs, tree=self._tree)
        pieces = []
        for place in self._places:
            pieces.append(piece(place.column.cell(row), place, glyphs, indent=indent))
            indent = ""
        return pieces, look

    def _brush(self) -> Painter:
        if self._painter is None:
            style = self.get_component_rich_style
            brushes = Brushes(
                row=self.rich_style,
                cursor=style("grid--cursor"),
                cursor_blurred=style("grid--cursor-blurred"),
                header=style("grid--header"),
                changed=style("grid--changed", partial=True),
                match=style("grid--match", partial=True),
                empty=style("grid--empty"),
                tones=tones(self.app),
            )
            self._painter = Painter(brushes, self._glyphs)
        return self._painter

    def render_line(self, y: int) -> Strip:
        painter, width = self._brush(), self._width
        if y < _HEADER:
            hidden = len(self._columns) - len(self._places)
            return painter.header(
                self._places, width, self._sort, descending=self._descending, hidden=hidden
            )
        index = y - _HEADER + self._top
        if not self._order.keys:
            return painter.message(self._empty, y - _HEADER, self._page_size, width)
        if index >= len(self._order.keys):
            return Strip.blank(width, painter.brushes.row)
        return self._row_line(painter, index, width)

    def _row_line(self, painter: Painter, index: int, width: int) -> Strip:
        key = self._order.keys[index]
        drawn = self._drawn.get(key)
        if drawn is None:
            if len(self._drawn) >= _KEPT:
                self._drawn.clear()
            drawn = self._drawn[key] = _Drawn(*self._pieces(key))
        kind = 0
        if index == self._order.cursor:
            kind = 1 if self.has_focus else 2
        if drawn.strip is None or drawn.kind != kind:
            drawn.kind = kind
            drawn.strip = painter.line(
                drawn.pieces,
                self._places,
                drawn.look,
                width,
                kind=kind,
                changed=self._flashes.of(key),
                needle=self._needle,
            )
        return drawn.strip

"""The line of a replay: how it plays, where it stands, how long it is, and the keys for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from tui.actions import Action, by_id
from tui.rows import text
from tui.ui.meters import bar_parts
from tui.ui.patch import Patch
from tui.ui.player import Player
from tui.ui.style import Glyphs, tones

KEYS: Final = (
    (("app.replay-pause",), "pause"),
    (("app.replay-back", "app.replay-on"), "10 s"),
    (("app.replay-back-minute", "app.replay-on-minute"), "1 min"),
    (("app.slower", "app.faster"), "speed"),
    (("app.replay-start", "app.replay-end"), "start, end"),
)
"""What can be done, the most wanted first."""
SHORTEST: Final = 8
LONGEST: Final = 40
"""Cells of the bar."""


class TapeLine(Patch):
    """One line above the footer."""

    def __init__(self, player: Player, glyphs: Glyphs, label: Callable[[Action], str]) -> None:
        super().__init__(id="tape", classes="tape")
        self._player = player
        self._glyphs = glyphs
        self._label = label

    def renew(self) -> None:
        """Say where the replay stands; paints only what reads differently."""
        if not self.is_mounted:
            return
        ink, player = tones(self.app), self._player
        here, length = player.position() - player.tape.begun, player.tape.end - player.tape.begun
        word, tone = self._state()
        line = Text(no_wrap=True)
        line.append(f"{word:<12}", style=ink.style(tone) + Style(bold=True))
        day = text.day(player.position()).partition(" ")[0]
        line.append(f"{day}  {span(here)}").append(f" of {span(length)}", style=ink.style("dim"))
        keys = self._keys(self.content_size.width - cell_len(line.plain) - SHORTEST - 4)
        room = self.content_size.width - cell_len(line.plain) - cell_len(keys.plain) - 4
        cells = max(0, min(room, LONGEST))
        steps = round(2 * cells * here / length) if length else 2 * cells
        done, rest = bar_parts(min(steps, 2 * cells), cells, self._glyphs.ascii)
        line.append("  ").append(done, style=ink.style("accent"))
        line.append(rest, style=ink.style("faint")).append("  ").append_text(keys)
        self.put(line)

    def _state(self) -> tuple[str, str]:
        """One word, and its tone."""
        player = self._player
        if player.trouble:
            return "damaged", "error"
        if player.late:
            return "catches up", "changing"
        if player.ended:
            return "at its end", "changing"
        if player.paused:
            return "paused", "changing"
        return f"plays {player.speed:g}x", "accent"

    def _keys(self, room: int) -> Text:
        ink = tones(self.app)
        line = Text()
        for ids, words in KEYS:
            actions = [action for id_ in ids if (action := by_id(id_)) is not None]
            keys = " ".join(filter(None, map(self._label, actions)))
            gap = 2 if line.plain else 0
            if not keys or cell_len(f"{line.plain}{keys} {words}") + gap > room:
                continue
            line.append(" " * gap).append(keys, style=ink.style("accent") + Style(bold=True))
            line.append(f" {words}", style=ink.style("dim"))
        return line


def span(seconds: float) -> str:
    """``0:00:12``: hours, minutes and seconds."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"

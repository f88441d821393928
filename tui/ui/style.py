"""Themes, semantic colours, glyphs, and where the stylesheets are.

It knows no widget and no row: a cell says only a tone's name, this file says how that looks.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.scrollbar import ScrollBarRender
from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App

# -- glyphs --------------------------------------------------------------------------------

_PLAIN = str.maketrans(
    "●○◉◌◍◐◑◒◓◔◕◫◆◇■□▪▫▲△▼▽▶▷◀▸▾→←↑↓↻⟳✓✔✗✘✕×…⋯·•—–│┃─━├└›‹»«⚠‖▌█░▒▓≈≥≤⏸⏵⏹☰⌕⏎µ",  # noqa: RUF001
    "*o@.%%%%%%%|#o#-#-^^vv>><>v><^v@@++xxxx...*--||--|`><><!=|#.:#~><=>#=/<u",
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few symbols widgets draw by themselves. Each is one cell wide but the ellipsis."""

    ascii: bool
    ellipsis: str
    ascending: str
    descending: str
    expanded: str
    collapsed: str
    marked: str
    pending: str
    peak: str
    old: str = "~"
    """Row's data is old."""
    lost: str = "?"
    """Row's host does not answer."""
    watched: str = ":"

    def plain(self, text: str) -> str:
        """``text`` with our own symbols spelled in ASCII when the terminal wants that.

        Letters of other scripts stay: they are a name somebody chose.
        """
        return text.translate(_PLAIN) if self.ascii and not text.isascii() else text


UNICODE = Glyphs(
    ascii=False,
    ellipsis="…",
    ascending="▲",
    descending="▼",
    expanded="▾",
    collapsed="▸",
    marked="▌",
    pending="»",
    peak="▲",
    watched="•",
)
ASCII = Glyphs(
    ascii=True,
    ellipsis="..",
    ascending="+",
    descending="-",
    expanded="-",
    collapsed="+",
    marked="*",
    pending=">",
    peak="^",
)


def glyphs_for(*, ascii: bool) -> Glyphs:
    return ASCII if ascii else UNICODE


class PlainScrollBar(ScrollBarRender):
    """A scroll bar of coloured blanks, without the eighth blocks at its ends."""

    VERTICAL_BARS = [" "]  # noqa: RUF012 - Textual declares these as lists
    HORIZONTAL_BARS = [" "]  # noqa: RUF012


def wants_ascii(environ: Mapping[str, str]) -> bool:
    """Whether the terminal's locale cannot show more than ASCII."""
    if environ.get("TERM", "") in ("dumb", "linux-m", "vt100", "vt102", "vt220"):
        return True
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if not locale:
        return False
    return "utf" not in locale.lower() and locale not in ("C.UTF-8",)


def wants_colour(environ: Mapping[str, str]) -> bool:
    """No colour for a dumb terminal or anyone who says so (no-color.org)."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


# -- themes --------------------------------------------------------------------------------

DEFAULT_THEME = "deck-dark"
COLOURLESS_THEME = "deck-plain"

DECK_DARK = Theme(
    name="deck-dark",
    primary="#5fa8e0",
    secondary="#7f93aa",
    accent="#5fa8e0",
    success="#7fc796",
    warning="#e2b562",
    error="#ee7d7d",
    foreground="#d3dce6",
    background="#0f141b",
    surface="#141b24",
    panel="#1b2430",
    boost="#223040",
    dark=True,
    variables={
        "border": "#5fa8e0",
        "border-blurred": "#2c3a4a",
        "vm-running": "#7fc796",
        "vm-off": "#8593a3",
        "vm-saved": "#94a9e0",
        "vm-paused": "#e2b562",
        "vm-critical": "#ff8585",
        "vm-transition": "#62c6d8",
        "vm-unknown": "#c39bd3",
        "good": "#7fc796",
        "warn": "#e2b562",
        "danger": "#ff8585",
        "severe": "#d59bf0",
        "dim": "#74849a",
        "faint": "#435265",
        "stale": "#66758a",
        "pending": "#62c6d8",
        "mark": "#e9c46a",
        "accent-bar": "#5fa8e0",
        "track": "#263341",
        "grid-header": "#8fa3b8",
        "grid-cursor": "#24405c",
        "grid-cursor-blurred": "#1d2733",
        "grid-changed": "#2b3f3a",
        "grid-match": "#e9c46a",
        "graph-1": "#5fa8e0",
        "graph-2": "#7fc796",
        "graph-3": "#e2b562",
        "graph-4": "#c39bd3",
        "graph-5": "#62c6d8",
        "graph-6": "#ee9a7d",
        "scrollbar": "#33455a",
        "scrollbar-hover": "#456080",
        "scrollbar-active": "#5fa8e0",
        "scrollbar-background": "#121922",
        "scrollbar-background-hover": "#121922",
        "scrollbar-background-active": "#121922",
        "scrollbar-corner-color": "#121922",
    },
)

# Blue against orange with luminance steps between states: Okabe and Ito's palette, which
# people with deuteranopia, protanopia or tritanopia tell apart.
DECK_CONTRAST = Theme(
    name="deck-contrast",
    primary="#56b4e9",
    secondary="#c8c8c8",
    accent="#ffb000",
    success="#56b4e9",
    warning="#f0e442",
    error="#ff8c3b",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#141414",
    boost="#222222",
    dark=True,
    variables={
        "border": "#ffb000",
        "border-blurred": "#7a7a7a",
        "vm-running": "#56b4e9",
        "vm-off": "#a8a8a8",
        "vm-saved": "#e0a3c8",
        "vm-paused": "#f0e442",
        "vm-critical": "#ff8c3b",
        "vm-transition": "#ffffff",
        "vm-unknown": "#e0a3c8",
        "good": "#56b4e9",
        "warn": "#f0e442",
        "danger": "#ff8c3b",
        "severe": "#ff9bd8",
        "dim": "#b0b0b0",
        "faint": "#6a6a6a",
        "stale": "#9a9a9a",
        "pending": "#f0e442",
        "mark": "#ffb000",
        "accent-bar": "#56b4e9",
        "track": "#3a3a3a",
        "grid-header": "#ffffff",
        "grid-cursor": "#004a86",
        "grid-cursor-blurred": "#303030",
        "grid-changed": "#4a3a00",
        "grid-match": "#ffb000",
        "graph-1": "#56b4e9",
        "graph-2": "#ffb000",
        "graph-3": "#e0a3c8",
        "graph-4": "#f0e442",
        "graph-5": "#ffffff",
        "graph-6": "#00c896",
        "scrollbar": "#7a7a7a",
        "scrollbar-hover": "#b0b0b0",
        "scrollbar-active": "#ffb000",
        "scrollbar-background": "#141414",
        "scrollbar-background-hover": "#141414",
        "scrollbar-background-active": "#141414",
        "scrollbar-corner-color": "#141414",
    },
)

DECK_LIGHT = Theme(
    name="deck-light",
    primary="#1f6fb2",
    secondary="#5b6b7c",
    accent="#1f6fb2",
    success="#24703f",
    warning="#855800",
    error="#c0362c",
    foreground="#1d2733",
    background="#f3f5f8",
    surface="#ffffff",
    panel="#e8edf3",
    boost="#dde5ee",
    dark=False,
    variables={
        "border": "#1f6fb2",
        "border-blurred": "#c3cdd8",
        "vm-running": "#24703f",
        "vm-off": "#566477",
        "vm-saved": "#4a5fb0",
        "vm-paused": "#855800",
        "vm-critical": "#c0362c",
        "vm-transition": "#0f7487",
        "vm-unknown": "#81449b",
        "good": "#24703f",
        "warn": "#855800",
        "danger": "#c0362c",
        "severe": "#8a2fb0",
        "dim": "#62717f",
        "faint": "#a9b5c2",
        "stale": "#7b8896",
        "pending": "#0f7487",
        "mark": "#8f5000",
        "accent-bar": "#3b86c4",
        "track": "#d5dee8",
        "grid-header": "#4c5c6d",
        "grid-cursor": "#cfe2f4",
        "grid-cursor-blurred": "#e6ebf1",
        "grid-changed": "#dcefe2",
        "grid-match": "#8f5000",
        "graph-1": "#3b86c4",
        "graph-2": "#24703f",
        "graph-3": "#b9791a",
        "graph-4": "#81449b",
        "graph-5": "#0f7487",
        "graph-6": "#c0362c",
        "scrollbar": "#b5c1ce",
        "scrollbar-hover": "#93a4b6",
        "scrollbar-active": "#1f6fb2",
        "scrollbar-background": "#eceff4",
        "scrollbar-background-hover": "#eceff4",
        "scrollbar-background-active": "#eceff4",
        "scrollbar-corner-color": "#eceff4",
    },
)

# Under NO_COLOR Textual strips every colour, but only of an app made with ``ansi_color=True``;
# of any other it makes greys.
DECK_PLAIN = Theme(
    name="deck-plain",
    primary="ansi_default",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    ansi=True,
    variables={
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border": "ansi_default",
        "border-blurred": "ansi_default",
        "scrollbar": "ansi_default",
        "scrollbar-background": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "ansi_default",
        "input-selection-foreground": "ansi_default",
    },
)

THEMES: tuple[Theme, ...] = (DECK_DARK, DECK_CONTRAST, DECK_LIGHT, DECK_PLAIN)

_DEFAULTS = {
    "vm-running": "text-success",
    "vm-off": "foreground-muted",
    "vm-saved": "text-secondary",
    "vm-paused": "text-warning",
    "vm-critical": "text-error",
    "vm-transition": "text-accent",
    "vm-unknown": "text-warning",
    "good": "text-success",
    "warn": "text-warning",
    "danger": "text-error",
    "severe": "text-error",
    "dim": "foreground-muted",
    "faint": "foreground-disabled",
    "stale": "foreground-muted",
    "pending": "text-accent",
    "mark": "text-warning",
    "accent-bar": "primary",
    "track": "panel",
    "grid-header": "foreground-muted",
    "grid-cursor": "primary-muted",
    "grid-cursor-blurred": "panel",
    "grid-changed": "success-muted",
    "grid-match": "text-accent",
    "graph-1": "primary",
    "graph-2": "success",
    "graph-3": "warning",
    "graph-4": "accent",
    "graph-5": "secondary",
    "graph-6": "error",
}
_ANSI_DEFAULTS = {
    "vm-running": "ansi_green",
    "vm-off": "ansi_default",
    "vm-saved": "ansi_blue",
    "vm-paused": "ansi_yellow",
    "vm-critical": "ansi_bright_red",
    "vm-transition": "ansi_cyan",
    "vm-unknown": "ansi_magenta",
    "good": "ansi_green",
    "warn": "ansi_yellow",
    "danger": "ansi_bright_red",
    "severe": "ansi_bright_magenta",
    "dim": "ansi_default",
    "faint": "ansi_bright_black",
    "stale": "ansi_bright_black",
    "pending": "ansi_cyan",
    "mark": "ansi_yellow",
    "accent-bar": "ansi_blue",
    "track": "ansi_black",
    "grid-header": "ansi_default",
    "grid-cursor": "ansi_blue",
    "grid-cursor-blurred": "ansi_black",
    "grid-changed": "ansi_black",
    "grid-match": "ansi_yellow",
    "graph-1": "ansi_blue",
    "graph-2": "ansi_green",
    "graph-3": "ansi_yellow",
    "graph-4": "ansi_magenta",
    "graph-5": "ansi_cyan",
    "graph-6": "ansi_red",
}

VARIABLES: frozenset[str] = frozenset(_DEFAULTS)
"""Every semantic variable the stylesheets may use beside Textual's own."""


def variable_defaults(theme: Theme) -> dict[str, str]:
    """What the semantic variables are in a theme that never heard of them."""
    if theme.ansi:
        return dict(_ANSI_DEFAULTS)
    generated = theme.to_color_system().generate()
    return {name: generated[source] for name, source in _DEFAULTS.items()}


def register(app: App[Any]) -> None:
    for theme in THEMES:
        app.register_theme(theme)


def silence_colour(environ: MutableMapping[str, str]) -> bool | None:
    """What to give ``App(ansi_color=…)``; call before, since the app reads ``NO_COLOR`` once."""
    if wants_colour(environ):
        return None
    environ["NO_COLOR"] = "1"
    return True


def theme_for(environ: Mapping[str, str], wanted: str = DEFAULT_THEME) -> str:
    """The theme to start with: the wanted one unless the terminal should stay colourless."""
    return wanted if wants_colour(environ) else COLOURLESS_THEME


# -- tones ---------------------------------------------------------------------------------

_BOLD = frozenset({"vm-critical", "danger", "severe", "mark"})
_VARIABLE_OF = {
    "heading": "foreground",
    "running": "vm-running",
    "off": "vm-off",
    "saved": "vm-saved",
    "paused": "vm-paused",
    "critical": "vm-critical",
    "changing": "vm-transition",
    "unknown": "vm-unknown",
    "ok": "good",
    "warning": "warn",
    "error": "danger",
    "accent": "accent",
}
TONES: frozenset[str] = VARIABLES | frozenset(_VARIABLE_OF)
"""Every tone a cell may carry: a semantic variable's name, or the short names rows use."""


class Tones:
    """Tone names resolved against one theme's variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._background = _colour(variables.get("background", ""), None)
        self._styles: dict[str, Style] = {"": Style.null()}
        self._variables = variables

    def style(self, tone: str) -> Style:
        """Foreground style of a tone; an unknown tone is plain text."""
        found = self._styles.get(tone)
        if found is None:
            found = self._styles[tone] = self._resolve(tone)
        return found

    def background(self, variable: str) -> Style:
        colour = _colour(self._variables.get(variable, ""), self._background)
        return Style.null() if colour is None else Style(bgcolor=colour.rich_color)

    def _resolve(self, tone: str) -> Style:
        if tone not in TONES:
            return Style.null()
        variable = _VARIABLE_OF.get(tone, tone)
        colour = _colour(self._variables.get(variable, ""), self._background)
        bold = True if variable in _BOLD or tone == "heading" else None
        return Style(color=None if colour is None else colour.rich_color, bold=bold)


def _colour(text: str, background: Color | None) -> Color | None:
    try:
        colour = Color.parse(text)
    except ColorParseError:
        return None
    if colour.a < 1 and background is not None and colour.ansi is None:
        return background.blend(colour, colour.a, alpha=1.0)
    return colour


def tones(app: App[Any]) -> Tones:
    return Tones(app.theme_variables)


# -- stylesheets ---------------------------------------------------------------------------

SHEETS = ("base.tcss", "panes.tcss", "dialogs.tcss")


def stylesheet_folder() -> Path:
    """``styles`` inside the package (wheel) or beside it (source run, editable install)."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "styles"
    return inside if inside.is_dir() else package.parent / "styles"


def stylesheets() -> list[str | PurePath]:
    folder = stylesheet_folder()
    return [folder / name for name in SHEETS]

"""Writes the generated blocks of README.md: keys from the action table, levels from theirs.

python tests/make_readme.py
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

from tui.actions import ACTIONS, Action, Kind, Risk, key_label, keys
from tui.actions.panekeys import PANE_KEYS, PaneKey
from tui.cli.catalogue import command_of
from tui.config.thresholds import Level, Thresholds, Unit, as_written

README = Path(__file__).parent.parent / "README.md"
OPEN = "<!-- keys: written by tests/make_readme.py -->"
CLOSE = "<!-- /keys -->"
LEVELS_OPEN = "<!-- levels: written by tests/make_readme.py -->"
LEVELS_CLOSE = "<!-- /levels -->"
RISK = {
    Risk.GREEN: "",
    Risk.AMBER: "asks `y`",
    Risk.RED: "asks for the name, or the number of objects",
}


def key_table() -> str:
    """Every action by group: key, what it does, what it asks."""
    lines: list[str] = []
    ordered = sorted(ACTIONS, key=lambda action: (action.kind is Kind.APP, action.group))
    for group, actions in groupby(ordered, key=lambda action: action.group):
        lines += ["", f"**{group}**", "", "| Key | Action | | Asks |", "|---|---|---|---|"]
        lines += [row(action) for action in actions]
    for pane, keys_there in groupby(PANE_KEYS, key=lambda key: key.pane):
        lines += ["", f"**While the {pane} have the keys**", "", "| Key | | |", "|---|---|---|"]
        lines += [pane_row(key) for key in keys_there]
    return "\n".join(lines)


def pane_row(key: PaneKey) -> str:
    shown = " ".join(f"`{escaped(key_label(each))}`" for each in key.keys)
    return f"| {shown} | {key.title} (`{key.id}`) | {key.help} |"


def row(action: Action) -> str:
    shown = " ".join(f"`{escaped(key_label(key))}`" for key in keys(action))
    words = command_of(action)
    command = f" (`{words}`)" if words else ""
    return f"| {shown} | {action.title}{command} | {action.help} | {RISK[action.risk]} |"


def escaped(text: str) -> str:
    """A pipe would end the cell."""
    return text.replace("|", "\\|")


def level_table() -> str:
    """Every level with what it is of and where it begins unless said otherwise."""
    usual = Thresholds()
    lines = ["", "| `[thresholds]` | | `warning` | `critical` |", "|---|---|---|---|"]
    for name, meaning in meanings():
        value = getattr(usual, name)
        if isinstance(value, Level):
            cells = [_level(level, value.unit) for level in (value.warning, value.critical)]
        else:
            cells = ["" if value != grade else "yes" for grade in ("warning", "critical")]
        lines.append(f"| `{name}` | {meaning} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def meanings() -> Iterator[tuple[str, str]]:
    """Every field of the levels with what its docstring says, without the full stop."""
    body = ast.parse(inspect.getsource(Thresholds)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, words in pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr):
            yield ast.unparse(field.target), ast.literal_eval(words.value).rstrip(".")


def _level(value: float | None, unit: Unit) -> str:
    shown = as_written(value, unit)
    return f"{shown:g} %" if isinstance(shown, float) else str(shown)


def rendered(page: str) -> str:
    """The page with its blocks written anew."""
    page = _within(page, LEVELS_OPEN, LEVELS_CLOSE, level_table())
    return _within(page, OPEN, CLOSE, f"{key_table()}\n")


def _within(page: str, begin: str, end: str, block: str) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{block}\n{end}{after}"


def commands(page: str) -> Iterator[str]:
    """Every command line the page shows."""
    for line in page.splitlines():
        if line.startswith("hvdeck "):
            yield line


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")

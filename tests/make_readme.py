"""Writes the generated block of README.md: the key table, from the action table.

python tests/make_readme.py
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tui.actions import ACTIONS, Action, Kind, Risk, key_label, keys
from tui.actions.panekeys import PANE_KEYS, PaneKey
from tui.cli.catalogue import command_of

README = Path(__file__).parent.parent / "README.md"
OPEN = "<!-- keys: written by tests/make_readme.py -->"
CLOSE = "<!-- /keys -->"
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


def rendered(page: str) -> str:
    """The page with its block written anew."""
    before, _, rest = page.partition(OPEN)
    _, _, after = rest.partition(CLOSE)
    return f"{before}{OPEN}\n{key_table()}\n\n{CLOSE}{after}"


def commands(page: str) -> Iterator[str]:
    """Every command line the page shows."""
    for line in page.splitlines():
        if line.startswith("hvdeck "):
            yield line


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")

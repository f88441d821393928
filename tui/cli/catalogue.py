"""The action table as rows, and an action as the command line takes it."""

from __future__ import annotations

from typing import Any, Final

from tui.actions import ACTIONS, Action, Kind, key_label, keys
from tui.rows.column import Column, plain

NOUNS: Final = {
    "vm": "virtual machines",
    "host": "hosts",
    "switch": "virtual switches",
    "job": "jobs",
    "role": "roles",
    "node": "nodes",
    "csv": "cluster shared volumes",
    "replica": "replication relationships",
}


def is_verb(action: Action) -> bool:
    """A host is asked for it; the rest is of the deck alone."""
    return action.kind is not Kind.APP and action.changes


def verbs() -> dict[str, list[Action]]:
    """The actions a command line can do, by noun."""
    found: dict[str, list[Action]] = {}
    for action in ACTIONS:
        if is_verb(action):
            found.setdefault(action.id.partition(".")[0], []).append(action)
    return found


REFRESH: Final = "host.refresh"
"""The one verb that changes nothing and is there without the deck as well."""


def command_of(action: Action) -> str | None:
    """The words for it after ``hvdeck``; None for what only the deck can do."""
    known = is_verb(action) or action.id == REFRESH
    return action.id.replace(".", " ") if known else None


def shown_keys(action: Action) -> str:
    """Its keys as people read them."""
    return ", ".join(key_label(key) for key in keys(action))


def _fields(action: Action) -> str:
    return ", ".join(field.id for field in action.form)


def record(action: Action) -> dict[str, Any]:
    """Everything the declaration says, for programs."""
    return {
        "id": action.id,
        "title": action.title,
        "help": action.help,
        "kind": action.kind.value,
        "keys": list(keys(action)),
        "risk": action.risk.value,
        "effect": action.effect,
        "calls": action.calls,
        "many": action.many,
        "group": action.group,
        "command": command_of(action),
        "fields": [
            {
                "id": f.id,
                "title": f.title,
                "help": f.help,
                "type": f.type.__name__,
                "choice": f.choices is not None,
                "optional": f.optional,
            }
            for f in action.form
        ],
    }


ACTION_COLUMNS: tuple[Column[Action], ...] = (
    Column("id", "Action", lambda a: a.id, plain(lambda a: a.id), 18, priority=0),
    Column("title", "Title", lambda a: a.title, plain(lambda a: a.title), 16, 10, priority=2),
    Column("kind", "On", lambda a: a.kind.value, plain(lambda a: a.kind.value), 6, priority=1),
    Column("key", "Key", shown_keys, plain(shown_keys), 10, priority=1),
    Column("risk", "Risk", lambda a: a.risk.value, plain(lambda a: a.risk.value), 6, priority=1),
    Column("fields", "Fields", _fields, plain(_fields), 12, 6, priority=4),
    Column("help", "What it does", lambda a: a.help, plain(lambda a: a.help),
           50, 20, priority=3, grow=True),
)  # fmt: skip

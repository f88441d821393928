"""When an app has nothing left to do: told by its event loop, never by how busy the machine is.

Textual's pilot takes a process that got no processor for a moment for one that is at rest.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from typing import Any

from textual import events
from textual.app import App
from textual.geometry import Offset
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key

PATIENCE = 90.0


async def quiet(app: App[Any], at_most: float = PATIENCE) -> bool:
    """Until only time or news can make the app do something, and what it did is painted; False
    where that takes longer.
    """
    loop: Any = asyncio.get_running_loop()
    deadline = time.monotonic() + at_most
    while app._exception is None and app.is_running:
        await asyncio.sleep(0)
        if loop._ready:
            if time.monotonic() > deadline:
                return False
            continue
        app.screen._on_timer_update()
        await asyncio.sleep(0)
        if not loop._ready:
            break
    return True


def key_event(key: str) -> events.Key:
    """A key as a terminal's driver tells it."""
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    try:
        character: str | None = unicodedata.lookup(
            _get_unicode_name_from_key(REPLACED_KEYS.get(name, name))
        )
    except KeyError:
        character = name if len(name) == 1 else None
    return events.Key(name, character)


def click(at: Offset) -> list[events.MouseDown | events.MouseUp]:
    """The button is pressed there and let go, as a terminal's driver tells it."""
    return [kind(None, at.x, at.y, 0, 0, 1, False, False, False, at.x, at.y)
            for kind in (events.MouseDown, events.MouseUp)]  # fmt: skip

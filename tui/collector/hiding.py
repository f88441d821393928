"""Passwords as they may stand in a text, and texts without them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Final

from tui.collector.messages import HostLink

_HIDDEN: Final = "***"


def secrets_of(links: Iterable[HostLink], shortest: int = 1) -> list[str]:
    """All that would let anyone in as these links do. The longest first: a password may be a part
    of another.
    """
    found = {secret for link in links if link.password for secret in _forms(link)}
    return sorted((one for one in found if len(one) >= shortest), key=len, reverse=True)


def _forms(link: HostLink) -> Iterable[str]:
    """A password as itself, as a literal of it, and as Basic sends it."""
    yield link.password
    yield repr(link.password)[1:-1]
    yield base64.b64encode(f"{link.user}:{link.password}".encode(errors="replace")).decode()


def without(text: str, secrets: Sequence[str]) -> str:
    """The text without them."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text

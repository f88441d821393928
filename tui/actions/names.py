"""What a name may be: of machines, adapters, checkpoints, switches. Hosts agree on all of them."""

from __future__ import annotations

NAME_LIMIT = 100


def problem(name: str) -> str | None:
    """Why a host would not take the name, in words."""
    if not name.strip():
        return "A name cannot be empty"
    if name != name.strip():
        return "A name cannot begin or end with a space"
    if len(name) > NAME_LIMIT:
        return f"A name has at most {NAME_LIMIT} characters"
    if has_control(name):
        return "A name cannot hold control characters"
    return None


def has_control(text: str, allowed: str = "") -> bool:
    """Characters that could steer a terminal."""
    return any(
        (character < " " or character == "\x7f") and character not in allowed for character in text
    )

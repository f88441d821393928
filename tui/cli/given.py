"""What a verb is given on the command line, turned into its arguments for one target.

Options carry values of their field's type, or plain words where a field offers choices: those
depend on the target and are looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui.actions import Action, Field, Target
from tui.actions.declare import Choice
from tui.errors import UsageError


class Conflict(UsageError):
    """The values are fine, and cannot be taken together for one target."""


_SHOWN: Final = 12
"""Choices named in an error."""


def option(field: str) -> str:
    """The name of a field's option, without the dashes."""
    return field.replace("_", "-")


def arguments(action: Action, target: Target, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, and for the rest what holds now. Raises UsageError."""
    found: dict[str, Any] = {}
    for field in action.form:
        at = action.about(target, found)
        asked = field.when is None or field.when(found)
        if field.id in given:
            if not asked:
                raise UsageError(f"--{option(field.id)} does not go with the other options")
            found[field.id] = _taken(field, at, given[field.id])
        else:
            found[field.id] = _standing(field, at, asked=asked)
    if action.conflict is not None:
        reason = action.conflict(action.about(target, found), found)
        if reason is not None:
            raise Conflict(f"{action.title} of {target.name}: {reason}")
    return found


def _taken(field: Field, target: Target, given: Any) -> Any:
    value = given
    if field.choices is not None and isinstance(given, str):
        value = _chosen(field, target, field.choices(target), given)
    if value is None or field.problem is None:
        return value
    if (why := field.problem(target, value)) is not None:
        raise UsageError(f"--{option(field.id)} for {target.name}: {why}")
    return value


def _standing(field: Field, target: Target, *, asked: bool) -> Any:
    """The value of a field nobody gave."""
    value = field.current(target) if field.current is not None else None
    if value is not None or field.optional or not asked:
        return value
    offered = field.choices(target) if field.choices is not None else ()
    raise UsageError(f"--{option(field.id)} is needed", cause=field.help, hint=_offer(offered))


def _chosen(field: Field, target: Target, offered: Sequence[Choice], given: str) -> Any:
    """The choice meant: by value, by text, or by a part of the text that only one has."""
    word = given.strip().casefold()
    if not word and field.optional:
        return None
    exact = [c for c in offered if word in (str(c.value).casefold(), c.text.casefold())]
    if not exact and not field.free:
        exact = [c for c in offered if word in c.text.casefold()]
    if len(exact) == 1:
        return exact[0].value
    if field.free and not exact:
        try:
            return field.type(given)
        except ValueError as error:
            raise UsageError(f"--{option(field.id)}: {error}") from None
    what = f"is not one but {len(exact)}" if exact else "is not there"
    raise UsageError(
        f"--{option(field.id)} for {target.name}: {given} {what}", hint=_offer(exact or offered)
    )


def _offer(choices: Sequence[Choice]) -> str:
    named = [
        c.text if str(c.value) == c.text else f"{c.text} ({c.value})" for c in choices[:_SHOWN]
    ]
    more = ", …" if len(choices) > _SHOWN else ""
    return f"one of: {', '.join(named)}{more}" if named else ""

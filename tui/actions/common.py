"""What the tables of verbs share: the part a form is about, and what its machine allows now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from tui.actions.declare import Choice, Target
from tui.hyperv import hot, states
from tui.hyperv.hot import Standing
from tui.hyperv.model import Checkpoint, Nic, Vm
from tui.hyperv.sheet import Adapter

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

T = TypeVar("T")
Problem = Callable[[Target, Any], str | None]


def given(arguments: Mapping[str, Any], name: str, now: T) -> T:
    """An argument, or what holds now where none was given."""
    value = arguments.get(name)
    return now if value is None else value


def standing(target: Target) -> Standing:
    """How the machine stands, by the newest that is known of it."""
    found = hot.standing(target.vm, target.vitals)
    if target.sheet is None:
        return found
    return replace(found, dynamic=target.sheet.memory.dynamic)


def is_off(target: Target) -> bool:
    """It is off, neither running nor saved."""
    return target.vitals is not None and target.vitals.state in states.OFF


def cold_only(what: str) -> Callable[[Target], str | None]:
    """A ``why_not``: only while the machine is off."""

    def why_not(target: Target) -> str | None:
        state = target.vitals.state if target.vitals else 0
        if state in states.OFF:
            return None
        return f"{what} can only change while the machine is off; it is {states.word(state)}"

    return why_not


def hot_rule(key: str, now: Callable[[Target], Any]) -> Problem:
    """A field's ``problem``: the row of the table of hot changes."""
    return lambda target, value: hot.why_not(key, standing(target), now(target), value)


def between(
    low: int, high: int, now: Callable[[Target], Any], shown: Callable[[int], str] = str
) -> Problem:
    """A field's ``problem``: out of bounds. What a machine has already is never wrong."""

    def problem(target: Target, value: Any) -> str | None:
        if low <= value <= high or value == now(target):
            return None
        return f"between {shown(low)} and {shown(high)}"

    return problem


def first_of(*problems: Problem) -> Problem:
    """The first of several reasons."""

    def problem(target: Target, value: Any) -> str | None:
        return next((why for each in problems if (why := each(target, value))), None)

    return problem


# -- parts ---------------------------------------------------------------------------------


def vm_of(target: Target) -> Vm:
    """The machine; an empty one where nothing is known of it."""
    return target.vm or Vm(target.id, target.host.id, target.name)


def _meant(parts: Sequence[T], chosen: str) -> T | None:
    """The part chosen, or the only one there is."""
    if not chosen:
        return parts[0] if len(parts) == 1 else None
    wanted = chosen.casefold()
    return next((part for part in parts if _identity(part) == wanted), None)


def _identity(part: object) -> str:
    return str(getattr(part, "id", "")).casefold()


def nic_of(target: Target) -> Nic | None:
    """The adapter a form is about, out of the inventory."""
    return _meant(vm_of(target).nics, target.chosen)


def adapter_of(target: Target) -> Adapter | None:
    """The same with the features of its port, out of the sheet."""
    return _meant(target.sheet.adapters, target.chosen) if target.sheet else None


def checkpoint_of(target: Target) -> Checkpoint | None:
    """The checkpoint a form is about."""
    return _meant(vm_of(target).checkpoints, target.chosen)


def in_sheet(
    seen: Callable[[Target, Target, Mapping[str, Any]], bool],
) -> Callable[[CimClient, Target, Mapping[str, Any]], bool]:
    """A ``looked``: what shows in the machine's sheet, read anew, beside the one before."""

    def looked(client: CimClient, before: Target, arguments: Mapping[str, Any]) -> bool:
        from tui.hyperv import sheets  # the deck imports this and never calls a host

        sheet = sheets.read(client, before.host.id, before.id, time.time)
        return seen(replace(before, sheet=sheet), before, arguments)

    return looked


def only(parts: Sequence[Choice]) -> str | None:
    """Which part, when there is only one to choose."""
    return str(parts[0].value) if len(parts) == 1 else None


def there(
    choices: Callable[[Target], Sequence[Choice]], what: str
) -> Callable[[Target, Any], str | None]:
    """A field's ``problem``: the part is not, or no longer, there."""

    def problem(target: Target, value: Any) -> str | None:
        wanted = str(value).casefold()
        if any(str(choice.value).casefold() == wanted for choice in choices(target)):
            return None
        return f"{target.name} has no such {what} any more"

    return problem

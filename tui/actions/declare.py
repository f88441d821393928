"""What an action is: kind, risk, target, form field, and the row that ties them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tui.hyperv.model import Host, HostVitals, Job, Switch, Vm, VmVitals

if TYPE_CHECKING:  # the deck reads this table at start-up and never calls a host itself
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient


class Kind(StrEnum):
    """What an action applies to."""

    VM = "vm"
    HOST = "host"
    SWITCH = "switch"
    JOB = "job"
    APP = "app"
    """The deck itself; needs no target."""


class Risk(StrEnum):
    """The rung of the confirmation ladder."""

    GREEN = "green"
    """Nothing is asked."""
    AMBER = "amber"
    """A dialog names object, host and effect; answered by ``y``, never by Enter."""
    RED = "red"
    """The name, or for a set the number of objects, is typed. Never bound to a single key."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing an action may act on, with all that is known of it and its host."""

    kind: Kind
    id: str
    name: str
    host: Host
    host_vitals: HostVitals
    vm: Vm | None = None
    vitals: VmVitals | None = None
    switch: Switch | None = None
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form; on the command line one option ``--id``."""

    id: str
    title: str
    help: str
    type: type = str
    current: Callable[[Target], Any] | None = None
    """The value now, shown and pre-filled."""
    problem: Callable[[Target, Any], str | None] | None = None
    """Why a value cannot be taken, in words; None when it can."""
    multiline: bool = False
    asked: bool = True
    """False: an option of the command line alone; the deck uses the current value."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    id: str
    """``noun.verb``: keymap id, CLI verb, help anchor."""
    title: str
    help: str
    """One sentence, no full stop."""
    kind: Kind
    run: Callable[[CimClient, Target, Mapping[str, Any]], Outcome] | str
    """The verb, run by the collector; or the name of a method of the deck."""
    key: str = ""
    """Default key, several separated by commas; empty: palette and CLI only."""
    why_not: Callable[[Target], str | None] | None = None
    """Pure and cheap: why it cannot be done now, in words; None when it can."""
    observed: Callable[[Target, Mapping[str, Any]], bool] | None = None
    """True when the host is seen as the arguments want it; None: done when the host says so."""
    form: tuple[Field, ...] = ()
    risk: Risk = Risk.GREEN
    effect: str = ""
    """What the confirmation says will happen."""
    calls: str = ""
    """The CIM method behind it, as the confirmation and ``--dry-run`` show it."""
    many: bool = True
    """May act on a marked set."""
    group: str = ""
    """Heading in palette and help."""

    @property
    def changes(self) -> bool:
        """It changes a host, so read-only mode withholds it."""
        return not isinstance(self.run, str)

    def wanted(self, arguments: Mapping[str, Any]) -> Callable[[Target], bool] | None:
        """``observed`` for one call: what its target must look like for it to be done."""
        observed = self.observed
        if observed is None:
            return None
        return lambda target: observed(target, arguments)

"""What methods have in common: their arguments, how they find objects, and how they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tui.errors import HvError, WireError
from tui.sim import shapes
from tui.sim.machine import Machine
from tui.wsman.cim import CimInstance, CimRef, CimValue, from_path
from tui.wsman.embedded import BadDatetime, ScalarForArray, from_text
from tui.wsman.reply import MethodOutput

if TYPE_CHECKING:
    from tui.sim.jobs import Work
    from tui.sim.world import SimHost

DONE, JOB = 0, 4096
FAILED, DENIED, UNSUPPORTED, UNKNOWN, TIMEOUT = 32768, 32769, 32770, 32771, 32772
INVALID, IN_USE, STATE, WRONG_TYPE, UNAVAILABLE, MEMORY = 32773, 32774, 32775, 32776, 32777, 32778
NOT_FOUND = 32779


class Stop(Exception):
    """The method ends here with this return value."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method."""

    host: SimHost
    instance: CimInstance
    parameters: dict[str, CimValue]

    def get(self, name: str) -> CimValue:
        return self.parameters.get(name)

    def number(self, name: str, default: int = 0) -> int:
        value = self.parameters.get(name)
        return value if isinstance(value, int) else default

    def text(self, name: str) -> str:
        value = self.parameters.get(name)
        return value if isinstance(value, str) else ""

    def many(self, name: str) -> tuple[CimValue, ...]:
        """An array parameter; a single value counts as an array of one."""
        value = self.parameters.get(name)
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (value,)

    # -- objects ---------------------------------------------------------------------------

    def ref(self, value: CimValue) -> CimRef:
        """A reference given as such, or as an object path."""
        if isinstance(value, CimRef):
            return value
        if isinstance(value, str) and value:
            try:
                return from_path(value)
            except HvError:
                raise Stop(INVALID) from None
        raise Stop(INVALID)

    def object(self, value: CimValue) -> CimInstance:
        """The object a reference names; 32773 when there is none."""
        found = self.host.repository.get(self.ref(value), shapes.VIRTUALIZATION)
        if found is None:
            raise Stop(INVALID)
        return found

    def machine(self, value: CimValue) -> Machine:
        """The machine a reference names, by itself or by one of its settings."""
        ref = self.ref(value)
        name = ref.key("Name")
        if name:
            found = self.host.machine(name)
            if found is not None:
                return _here(found)
        owner = self.host.owner_of(ref.key("InstanceID") or "?")
        if owner is None:
            raise Stop(INVALID)
        return _here(owner[0])

    def free(self, machine: Machine) -> Machine:
        """The machine, when no migration has it."""
        if machine.moving or machine.gone:
            raise Stop(STATE)
        return machine

    def embedded(self, value: CimValue, wrong: int = INVALID) -> CimInstance:
        """An instance given as CIM-XML text; ``wrong`` when an array was given as a scalar."""
        if not isinstance(value, str) or not value.strip():
            raise Stop(INVALID)
        try:
            return from_text(value, shapes.VIRTUALIZATION)
        except ScalarForArray:
            raise Stop(wrong) from None
        except BadDatetime:
            raise Stop(FAILED) from None
        except WireError:
            raise Stop(INVALID) from None

    # -- answers ---------------------------------------------------------------------------

    def job(self, work: Work, machine: Machine | None = None) -> MethodOutput:
        """The answer of a method that has started a job; nobody changes what migrates."""
        if machine is not None:
            self.free(machine)
        return MethodOutput(JOB, {"Job": self.host.jobs.start(work, machine)})


def _here(machine: Machine) -> Machine:
    """The machine, unless it has moved away and the host has not noticed."""
    if machine.gone:
        raise Stop(STATE)
    return machine


Method: TypeAlias = Callable[[Call], MethodOutput]


def returned(code: int = DONE, **values: CimValue) -> MethodOutput:
    return MethodOutput(code, dict(values))

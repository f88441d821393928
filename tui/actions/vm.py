"""What can be done to a virtual machine: lifecycle, name and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tui.actions import names
from tui.actions.declare import Action, Field, Kind, Risk, Target
from tui.hyperv import clean, machines, ops, states

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

# -- when ----------------------------------------------------------------------------------


def _state(target: Target) -> int:
    return target.vitals.state if target.vitals else 0


def _only_when(
    allowed: frozenset[int], verb: str, instead: Mapping[frozenset[int], str] | None = None
) -> Callable[[Target], str | None]:
    """A ``why_not``: nothing in ``allowed`` states, else why ``verb`` is impossible, in words."""

    def why_not(target: Target) -> str | None:
        state = _state(target)
        if state in allowed:
            return None
        for states_, text in (instead or {}).items():
            if state in states_:
                return text.format(name=target.name)
        return f"{target.name} is {states.word(state)}, so it cannot be {verb}"

    return why_not


def _cannot_ask_guest(target: Target) -> str | None:
    """Guest shutdown and reboot need a running guest whose shutdown service answers."""
    state = _state(target)
    if state in states.OFF:
        return f"{target.name} is already off"
    if state not in states.RUNNING:
        return f"{target.name} is {states.word(state)}, so its guest cannot be asked"
    services = target.vm.integration if target.vm else ()
    if any(service.name == "shutdown" and not service.enabled for service in services):
        return f"the shutdown service of {target.name} is switched off"
    return None


def _already_off(target: Target) -> str | None:
    """Any other state may be cut off: a machine that is stuck is what this is for."""
    return f"{target.name} is already off" if _state(target) in states.OFF else None


def _in(numbers: frozenset[int]) -> Callable[[Target, Mapping[str, Any]], bool]:
    return lambda target, arguments: _state(target) in numbers


def _runs_anew(
    target: Target, before: Target, asked_at: float, arguments: Mapping[str, Any]
) -> bool:
    """It has been up for less long than before, or only since it was asked.

    The first is true however fast the host's clock goes, the second also for a machine that had
    only just started. The time of a start alone tells nothing: it moves while a machine is paused.
    """
    now, then = target.vitals, before.vitals
    if now is None or now.started_at is None or now.state not in states.RUNNING:
        return False
    if then is None or then.started_at is None:
        return now.started_at > asked_at
    up = target.host_vitals.read_at - now.started_at
    was_up = before.host_vitals.read_at - then.started_at
    moved = now.started_at - then.started_at > machines.STEADY
    return up < was_up - machines.STEADY or (moved and now.started_at > asked_at)


def _renamed(target: Target, arguments: Mapping[str, Any]) -> bool:
    return target.name == clean.text(str(arguments["name"]))


def _noted(target: Target, arguments: Mapping[str, Any]) -> bool:
    return target.vm is not None and target.vm.notes == clean.lines(str(arguments["notes"]))


# -- forms ---------------------------------------------------------------------------------


def _name_problem(target: Target, value: Any) -> str | None:
    if (why := names.problem(str(value))) is not None:
        return why
    return "That is its name already" if str(value) == target.name else None


def _notes_problem(target: Target, value: Any) -> str | None:
    if names.has_control(str(value), "\n\r\t"):
        return "Notes cannot hold control characters"
    return None


def _notes_now(target: Target) -> str:
    return target.vm.notes if target.vm else ""


def _off(target: Target) -> bool:
    return False


_FORCE = Field(
    "force",
    "Force",
    "Also when users are logged on or the screen is locked",
    bool,
    current=_off,
    asked=False,
)

# -- verbs on targets ----------------------------------------------------------------------


def _simple(
    verb: Callable[[CimClient, str, str], Outcome],
) -> Callable[[CimClient, Target, Mapping[str, Any]], Outcome]:
    return lambda client, target, arguments: verb(client, target.id, target.name)


def _shut_down(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return ops.shut_down(client, target.id, target.name, force=bool(arguments.get("force")))


def _reboot(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return ops.reboot(client, target.id, target.name, force=bool(arguments.get("force")))


def _rename(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return ops.rename(client, target.id, target.name, str(arguments["name"]))


def _set_notes(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return ops.set_notes(client, target.id, target.name, str(arguments["notes"]))


# -- the table -----------------------------------------------------------------------------

_POWER = "Power"
_SETTINGS = "Settings"

ACTIONS: tuple[Action, ...] = (
    Action(
        "vm.start",
        "Start",
        "Switch the machine on, or continue from its saved state",
        Kind.VM,
        _simple(ops.start),
        key="s",
        why_not=_only_when(
            states.STARTABLE,
            "started",
            {
                states.RUNNING: "{name} is already running",
                states.STARTING: "{name} is already starting",
                states.PAUSED: "{name} is paused: resume it instead",
            },
        ),
        observed=_in(states.RUNNING),
        effect="The machine starts",
        calls="Msvm_ComputerSystem.RequestStateChange(2)",
        group=_POWER,
    ),
    Action(
        "vm.shutdown",
        "Shut down",
        "Ask the guest operating system to shut down",
        Kind.VM,
        _shut_down,
        key="S",
        why_not=_cannot_ask_guest,
        observed=_in(states.OFF),
        form=(_FORCE,),
        risk=Risk.AMBER,
        effect="The guest closes its programs and the machine goes off",
        calls="Msvm_ShutdownComponent.InitiateShutdown",
        group=_POWER,
    ),
    Action(
        "vm.reboot",
        "Reboot",
        "Ask the guest operating system to restart",
        Kind.VM,
        _reboot,
        why_not=_cannot_ask_guest,
        since=_runs_anew,
        form=(_FORCE,),
        risk=Risk.AMBER,
        effect="The guest closes its programs and starts again",
        calls="Msvm_ShutdownComponent.InitiateReboot",
        group=_POWER,
    ),
    Action(
        "vm.pause",
        "Pause",
        "Stop the machine's processors and keep its memory",
        Kind.VM,
        _simple(ops.pause),
        why_not=_only_when(states.RUNNING, "paused", {states.PAUSED: "{name} is already paused"}),
        observed=_in(states.PAUSED),
        risk=Risk.AMBER,
        effect="The machine stands still until it is resumed; its clients lose contact",
        calls="Msvm_ComputerSystem.RequestStateChange(9)",
        group=_POWER,
    ),
    Action(
        "vm.resume",
        "Resume",
        "Let a paused machine go on",
        Kind.VM,
        _simple(ops.resume),
        why_not=_only_when(states.PAUSED, "resumed", {states.RUNNING: "{name} is already running"}),
        observed=_in(states.RUNNING),
        effect="The machine goes on where it stood",
        calls="Msvm_ComputerSystem.RequestStateChange(2)",
        group=_POWER,
    ),
    Action(
        "vm.save",
        "Save",
        "Write the machine's memory to disk and stop it",
        Kind.VM,
        _simple(ops.save),
        why_not=_only_when(
            states.RUNNING | states.PAUSED, "saved", {states.SAVED: "{name} is already saved"}
        ),
        observed=_in(states.SAVED),
        risk=Risk.AMBER,
        effect="The machine stops; starting it later continues where it stood",
        calls="Msvm_ComputerSystem.RequestStateChange(6)",
        group=_POWER,
    ),
    Action(
        "vm.turn-off",
        "Turn off",
        "Cut the power without telling the guest",
        Kind.VM,
        _simple(ops.turn_off),
        why_not=_already_off,
        observed=_in(states.OFF),
        risk=Risk.RED,
        effect="What the guest has not written to disk, or a saved state, is lost",
        calls="Msvm_ComputerSystem.RequestStateChange(3)",
        group=_POWER,
    ),
    Action(
        "vm.reset",
        "Reset",
        "Restart the machine hard, without telling the guest",
        Kind.VM,
        _simple(ops.reset),
        why_not=_only_when(states.HAS_WORKER, "reset"),
        since=_runs_anew,
        risk=Risk.RED,
        effect="What the guest has not written to disk is lost",
        calls="Msvm_ComputerSystem.RequestStateChange(11)",
        group=_POWER,
    ),
    Action(
        "vm.rename",
        "Rename",
        "Give the machine another display name",
        Kind.VM,
        _rename,
        form=(
            Field(
                "name",
                "New name",
                "The display name on the host; the guest's own name stays",
                current=lambda target: target.name,
                problem=_name_problem,
            ),
        ),
        observed=_renamed,
        effect="The machine is listed under the new name; its files keep theirs",
        calls="Msvm_VirtualSystemManagementService.ModifySystemSettings(ElementName)",
        many=False,
        group=_SETTINGS,
    ),
    Action(
        "vm.set-notes",
        "Notes",
        "Write the notes kept with the machine",
        Kind.VM,
        _set_notes,
        key="t",
        form=(
            Field(
                "notes",
                "Notes",
                "Free text kept on the host; words like #prod count as tags",
                current=_notes_now,
                problem=_notes_problem,
                multiline=True,
            ),
        ),
        observed=_noted,
        effect="The notes are replaced",
        calls="Msvm_VirtualSystemManagementService.ModifySystemSettings(Notes)",
        group=_SETTINGS,
    ),
)

"""What forms of verbs on files and machines share: paths as Windows takes them, what is around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.actions.declare import Target
from tui.actions.names import has_control
from tui.hyperv import states
from tui.hyperv.model import Inventory, Vm

if TYPE_CHECKING:
    from tui.hyperv.ops.making import Machine, Place

PATH_LIMIT = 259
_FORBIDDEN = '<>"|?*'
_NOT_IN_NAMES = _FORBIDDEN + ":/\\"
_RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
)
DISKS = ("vhdx", "vhd")

# -- paths ---------------------------------------------------------------------------------


def bad_path(value: object, endings: Sequence[str] = ()) -> str | None:
    """Why this is no full path of a file (with one of these endings), or of a folder."""
    path = str(value)
    drive = len(path) > 2 and path[0].isascii() and path[0].isalpha() and path[1:3] == ":\\"
    if not drive and not path.startswith("\\\\"):
        return "write the full path on the host, such as D:\\VMs\\name"
    if len(path) > PATH_LIMIT:
        return f"a path has at most {PATH_LIMIT} characters"
    rest = path[2:] if drive else path
    wrong = sorted({c for c in rest if c in _FORBIDDEN + ":/" or has_control(c)})
    if wrong:
        return f"a path cannot hold {' '.join(map(repr, wrong))}"
    parts = [part for part in rest.split("\\") if part]
    if any(part in (".", "..") or part != part.rstrip(" .") for part in parts):
        return "no part of a path can end with a dot or a space"
    if any(part.partition(".")[0].upper() in _RESERVED for part in parts):
        return "Windows keeps that name for a device"
    if endings and (not parts or not path.lower().endswith(tuple(f".{e}" for e in endings))):
        return f"it must end in {' or '.join(f'.{ending}' for ending in endings)}"
    return None


def file_name(name: str) -> str:
    """A display name as Windows allows it in a path."""
    kept = "".join("_" if c in _NOT_IN_NAMES or has_control(c) else c for c in name)
    kept = kept.strip().rstrip(".")
    return f"{kept}_" if kept.upper() in _RESERVED else kept or "_"


def within(folder: str, name: str) -> str:
    """A path in a folder; only the name when the folder is not known."""
    bare = folder.rstrip("\\")
    return f"{bare}\\{name}" if bare else name


# -- what is around ------------------------------------------------------------------------


def around(target: Target) -> Inventory | None:
    """Everything known of its host."""
    return target.around() if target.around is not None else None


def machines(target: Target) -> tuple[Vm, ...]:
    """The machines of its host."""
    inventory = around(target)
    return tuple(inventory.vms.values()) if inventory is not None else ()


def user_of(target: Target, path: str, *, but: str = "") -> str:
    """Name of a machine that has this file in a drive; empty when none is known."""
    wanted = path.casefold()
    for vm in machines(target):
        if vm.id != but and any(disk.path.casefold() == wanted for disk in vm.disks):
            return vm.name
    return ""


def vacant(target: Target, folder: str, name: str, kind: str) -> str:
    """A path in a folder that no known machine uses."""
    taken = {disk.path.casefold() for vm in machines(target) for disk in vm.disks}
    for tail in ("", *(f" {number}" for number in range(2, 100))):
        path = within(folder, f"{name}{tail}.{kind}")
        if path.casefold() not in taken:
            return path
    return within(folder, f"{name}.{kind}")


def room(target: Target, path: str) -> int | None:
    """Bytes free on the volume of a path, as last read."""
    lowered = path.casefold()
    fitting = [v for v in target.host.volumes if lowered.startswith(v.name.casefold())]
    nearest = max(fitting, key=lambda volume: len(volume.name), default=None)
    return nearest.free if nearest is not None else None


# -- the target ----------------------------------------------------------------------------


def state(target: Target) -> int:
    """EnabledState; 0 while not known."""
    return target.vitals.state if target.vitals else 0


def is_live(target: Target) -> bool:
    """A worker process holds the machine."""
    return state(target) in states.HAS_WORKER


def must_be_off(target: Target) -> str | None:
    """Why not, for what only a machine that is off allows."""
    now = state(target)
    if now in states.OFF:
        return None
    return f"{target.name} is {states.word(now)}; this needs it to be off"


def not_saved(target: Target) -> str | None:
    """Why not, for what a saved machine does not allow."""
    now = state(target)
    if now in states.SAVED | states.HIBERNATED:
        return f"{target.name} is {states.word(now)}: its devices change when it is off or running"
    if now in states.MOVING:
        return f"{target.name} is {states.word(now)}: wait until it is done"
    return None


def place(target: Target) -> Place:
    """Its host, as verbs take it."""
    from tui.hyperv.ops.making import Place

    return Place(target.host.id, target.host.name or ".")


def machine(target: Target) -> Machine:
    """It, as verbs take it."""
    from tui.hyperv.ops.making import Machine

    return Machine(target.id, target.name, place(target))

"""What can be done to cluster shared volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import members
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.actions.members import cluster_of, same
from tui.hyperv.cluster import MAINTENANCE, UP, SharedVolume
from tui.hyperv.model import Inventory, Vm
from tui.hyperv.ops import clustering
from tui.hyperv.plans.words import several
from tui.hyperv.states import OFF

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome
    from tui.wsman.client import CimClient

Values = Mapping[str, Any]

_GROUP = "Cluster"
_ON, _OFF = "on", "off"


def _volume(target: Target) -> SharedVolume:
    """The volume; one of which nothing is known where it is gone."""
    return target.volume or SharedVolume(target.name)


# -- moving --------------------------------------------------------------------------------


def _quietest(target: Target) -> str | None:
    """The other node that coordinates the fewest volumes."""
    cluster = cluster_of(target)
    others = [
        node.name
        for node in cluster.nodes
        if node.state == UP and not same(node.name, _volume(target).owner)
    ]
    held = {name: sum(same(v.owner, name) for v in cluster.volumes) for name in others}
    return min(others, key=lambda name: held[name], default=None)


def _cannot_move(target: Target) -> str | None:
    if target.volume is None:
        return f"{target.name} is not in the cluster any more"
    return members.lonely(target, _volume(target).owner)


def _move(client: CimClient, target: Target, values: Values) -> Outcome:
    return clustering.move_volume(client, target.name, members.text(values, "node"))


def _moved(target: Target, values: Values) -> bool:
    return same(_volume(target).owner, members.text(values, "node"))


# -- maintenance ---------------------------------------------------------------------------


def _maintained(target: Target) -> bool:
    return bool(_volume(target).fault & MAINTENANCE)


def _maintain(client: CimClient, target: Target, values: Values) -> Outcome:
    on = members.text(values, "mode") == _ON
    return clustering.maintain_volume(client, target.name, on=on)


def _maintenance_conflict(target: Target, values: Values) -> str | None:
    on = members.text(values, "mode") == _ON
    if on is not _maintained(target):
        return None
    return f"{target.name} is {'' if on else 'not '}in maintenance already"


def _is_so(target: Target, values: Values) -> bool:
    return target.volume is not None and _maintained(target) is (
        members.text(values, "mode") == _ON
    )


def running_on(target: Target) -> list[str]:
    """Machines that run from the volume, as far as the nodes are configured here."""
    root = (_volume(target).path or target.name).casefold() + "\\"
    found = [
        f"{vm.name} on {inventory.host.id}"
        for inventory in (target.fleet().values() if target.fleet else ())
        if inventory.host.cluster == target.host.cluster
        for vm in inventory.vms.values()
        if _uses(vm, root) and _alive(inventory, vm)
    ]
    return sorted(found)


def _uses(vm: Vm, root: str) -> bool:
    return any(disk.path.casefold().startswith(root) for disk in vm.disks)


def _alive(inventory: Inventory, vm: Vm) -> bool:
    vitals = inventory.vm_vitals.get(vm.id)
    return vitals is not None and vitals.state not in OFF


def _maintenance_danger(target: Target, values: Values) -> Risk:
    if members.text(values, "mode") != _ON:
        return Risk.GREEN
    return Risk.RED if running_on(target) else Risk.AMBER


def _maintenance_consequences(target: Target, values: Values) -> Sequence[str]:
    if members.text(values, "mode") != _ON:
        return ()
    machines = running_on(target)
    if not machines:
        return ("No machine that is known here runs from it",)
    lose = several(
        len(machines), "running from it loses its disks", "running from it lose their disks"
    )
    return (f"{lose}: {members.some(machines)}",)


ACTIONS: tuple[Action, ...] = (
    Action(
        "csv.move",
        "Move volume",
        "Have another node coordinate the shared volume; machines on it go on",
        Kind.CSV,
        _move,
        why_not=_cannot_move,
        observed=_moved,
        form=(
            Field(
                "node",
                "To node",
                "The node that coordinates it from now on",
                current=_quietest,
                choices=lambda target: members.choices(target, _volume(target).owner, best=False),
                problem=lambda target, value: members.unfit(
                    target, str(value), _volume(target).owner
                ),
            ),
        ),
        effect="Metadata of the volume is written by the other node; its files stay",
        calls="MSCluster_ClusterSharedVolume.MoveToNewHost",
        group=_GROUP,
    ),
    Action(
        "csv.maintenance",
        "Volume maintenance",
        "Put the shared volume into maintenance, where nobody can use it, or back to work",
        Kind.CSV,
        _maintain,
        observed=_is_so,
        form=(
            Field(
                "mode",
                "Maintenance",
                "On keeps everybody from the volume; off gives it back",
                current=lambda target: _OFF if _maintained(target) else _ON,
                choices=lambda target: (Choice(_ON, "on"), Choice(_OFF, "off")),
            ),
        ),
        conflict=_maintenance_conflict,
        danger=_maintenance_danger,
        consequences=_maintenance_consequences,
        effect="While it is in maintenance no node can use the volume",
        calls="MSCluster_ClusterSharedVolume.TurnOnMaintenance",
        group=_GROUP,
    ),
)

"""Groups of machines on a host, groups of groups, and their members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tui.sim import shapes
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

MACHINES, GROUPS = 0, 1
"""What a collection is of, as DefineCollection's Type tells."""
CLASSES = {MACHINES: "Msvm_VirtualSystemCollection", GROUPS: "Msvm_ManagementCollection"}
LINKS = {MACHINES: "Msvm_CollectedVirtualSystems", GROUPS: "Msvm_CollectedCollections"}


@dataclass(slots=True)
class Group:
    """A collection of machines, or of other collections."""

    id: str
    name: str
    kind: int = MACHINES
    members: dict[str, None] = field(default_factory=dict)
    """GUIDs of machines or of groups, in the order they came."""

    @property
    def ref(self) -> CimRef:
        return CimRef(CLASSES[self.kind], (("CollectionID", self.id),), shapes.VIRTUALIZATION)


def instance(group: Group) -> CimInstance:
    values: dict[str, CimValue] = {
        "CollectionID": group.id,
        "InstanceID": f"Microsoft:{group.id}",
        "ElementName": group.name,
        "Caption": "Collection",
        "Description": "Microsoft Virtual System Collection",
    }
    if group.kind == GROUPS:
        return shapes.new(CLASSES[GROUPS], **values)
    replica: dict[str, CimValue] = {
        "ReplicationMode": 0,
        "ReplicationState": 0,
        "FailedOverReplicationType": 0,
        "LastApplyConsistencyLevel": 0,
        "LastApplyTime": shapes.ZERO_TIME,
    }
    return shapes.new(CLASSES[MACHINES], **values | replica)


def furnish(host: SimHost) -> None:
    """The groups a scene asks for; members that are not on the host are left out."""
    random = host.fabric.random(host.name, "groups")
    by_name = {machine.name: machine.id for machine in host.machines.values()}
    for name, members in host.plan.groups:
        group = Group(shapes.guid(random), name)
        group.members = {by_name[member]: None for member in members if member in by_name}
        host.groups[group.id] = group


def install(host: SimHost) -> None:
    """Register the classes of groups with the host's repository."""
    for kind in (MACHINES, GROUPS):
        host.repository.provide(shapes.VIRTUALIZATION, CLASSES[kind], partial(of, host, kind))
        every = partial(links, host, kind)
        host.repository.provide(shapes.VIRTUALIZATION, LINKS[kind], every, every)


def of(host: SimHost, kind: int) -> Iterator[CimInstance]:
    return (instance(group) for group in list(host.groups.values()) if group.kind == kind)


def links(host: SimHost, kind: int, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """Group and member. A machine that has left the host is a member no more."""
    for group in list(host.groups.values()):
        for member in group.members if group.kind == kind else ():
            other = host.groups.get(member)
            if kind == MACHINES and member in host.machines:
                yield shapes.new(
                    LINKS[kind], Collection=group.ref, Member=shapes.system_ref(member)
                )
            elif other is not None:
                yield shapes.new(LINKS[kind], Collection=group.ref, Member=other.ref)

"""Methods: groups of machines (Msvm_CollectionManagementService)."""

from __future__ import annotations

from uuid import UUID

from tui.sim import groups, shapes
from tui.sim.groups import Group
from tui.sim.jobs import JobError, Work
from tui.sim.methods_settings import named
from tui.sim.outcome import INVALID, NOT_FOUND, Call, Method, Stop
from tui.wsman.cim import CimRef
from tui.wsman.reply import MethodOutput


def _group(call: Call, name: str = "Collection") -> Group:
    ref = call.ref(call.get(name))
    return _known(call, ref.key("CollectionID") or ref.key("InstanceID") or "")


def _known(call: Call, identity: str) -> Group:
    found = call.host.groups.get(identity.removeprefix("Microsoft:").strip("{}").upper())
    if found is None:
        raise Stop(NOT_FOUND)
    return found


def _identity(call: Call) -> str:
    """The identifier the client wants, or a new one; one that is in use is refused."""
    wish = call.text("Id")
    if not wish:
        number = call.host.next_number()
        return shapes.guid(call.host.fabric.random(call.host.name, "group", number))
    try:
        identity = str(UUID(wish)).upper()
    except ValueError:
        raise Stop(INVALID) from None
    if identity in call.host.groups:
        raise Stop(INVALID)
    return identity


def define(call: Call) -> MethodOutput:
    name, kind = named(call.get("Name")), call.number("Type")
    if kind not in groups.CLASSES:
        raise Stop(INVALID)
    identity = _identity(call)

    def done(at: float) -> tuple[CimRef, ...]:
        group = call.host.groups[identity] = Group(identity, name, kind)
        return (group.ref,)

    return call.job(Work(190, "Defining Collection", 0.4, done))


def destroy(call: Call) -> MethodOutput:
    """Its members stay; a group that holds it loses it."""
    group = _group(call)

    def done(at: float) -> tuple[CimRef, ...]:
        call.host.groups.pop(group.id, None)
        for other in call.host.groups.values():
            other.members.pop(group.id, None)
        return ()

    return call.job(Work(191, "Destroying Collection", 0.4, done, affected=(group.ref,)))


def rename(call: Call) -> MethodOutput:
    group, name = _group(call), named(call.get("NewName"))

    def done(at: float) -> tuple[CimRef, ...]:
        group.name = name
        return ()

    return call.job(Work(192, "Renaming Collection", 0.3, done, affected=(group.ref,)))


def _member(call: Call, group: Group) -> str:
    """The GUID of a machine for a group of machines, of a group for a group of groups."""
    ref = call.ref(call.get("Member"))
    if group.kind == groups.MACHINES:
        return call.machine(ref).id
    if not ref.key("CollectionID"):
        raise Stop(INVALID)
    return _known(call, ref.key("CollectionID") or "").id


def _holds(call: Call, outer: str, inner: str) -> bool:
    """A group is in another one, however deep, or is that one."""
    known = call.host.groups.get(outer)
    below = known.members if known is not None and known.kind == groups.GROUPS else ()
    return outer == inner or any(_holds(call, member, inner) for member in below)


def add(call: Call) -> MethodOutput:
    group = _group(call)
    member = _member(call, group)
    if member in group.members or _holds(call, member, group.id):
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        if group.id not in call.host.groups:
            raise JobError(NOT_FOUND, f"The collection '{group.name}' was not found.")
        group.members[member] = None
        return ()

    return call.job(Work(193, "Adding Member to Collection", 0.3, done, affected=(group.ref,)))


def remove(call: Call) -> MethodOutput:
    return _remove(call, _group(call))


def remove_by_id(call: Call) -> MethodOutput:
    return _remove(call, _known(call, call.text("CollectionId")))


def _remove(call: Call, group: Group) -> MethodOutput:
    member = _member(call, group)
    if member not in group.members:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        group.members.pop(member, None)
        return ()

    return call.job(Work(194, "Removing Member from Collection", 0.3, done, affected=(group.ref,)))


SERVICE = "Msvm_CollectionManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "DefineCollection"): define,
    (SERVICE, "DestroyCollection"): destroy,
    (SERVICE, "RenameCollection"): rename,
    (SERVICE, "AddMember"): add,
    (SERVICE, "RemoveMember"): remove,
    (SERVICE, "RemoveMemberById"): remove_by_id,
}

"""Tags of a virtual machine: ``#words`` in its notes, and groups shared by several machines."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.errors import Fault, Refused
from tui.hyperv import clean
from tui.hyperv.ops.calling import (
    gone_or,
    invoke,
    modify_settings,
    service_ref,
    settings_ref,
    vm_ref,
)
from tui.hyperv.ops.making import Making
from tui.hyperv.outcome import Outcome, Step, Steps
from tui.wsman.cim import CimRef
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_COLLECTION = "Msvm_VirtualSystemCollection"
_OF_MACHINES = 0
_TRAILING = ".,;:"
"""What may follow a tag in a sentence without being part of it."""


def retagged(notes: str, add: Sequence[str], remove: Sequence[str]) -> str:
    """Notes with some tags more and some less; everything else stays where it is."""
    gone = {tag.casefold() for tag in remove}
    lines = [_without(line, gone) for line in notes.split("\n")] if gone else notes.split("\n")
    present = {
        word.rstrip(_TRAILING)[1:].casefold()
        for line in lines
        for word in line.split()
        if word.startswith("#")
    }
    new = [f"#{tag}" for tag in dict.fromkeys(add) if tag.casefold() not in present]
    if new:
        lines[-1] = " ".join(filter(None, [lines[-1].rstrip(), *new]))
    return "\n".join(lines)


def _without(line: str, gone: set[str]) -> str:
    words = line.split(" ")
    kept = [
        word
        for word in words
        if not (word.startswith("#") and word.rstrip(_TRAILING)[1:].casefold() in gone)
    ]
    return line if len(kept) == len(words) else " ".join(kept).strip()


def tag(
    client: CimClient,
    vm_id: str,
    name: str,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    join: Sequence[str] = (),
    leave: Sequence[str] = (),
) -> Steps:
    """Add tags to the notes and take some out, and change the groups it belongs to.

    A group that no machine has had yet is made first.
    """
    with Making(f"Tagging {name}") as making:
        notes = _notes(client, vm_id, name) if add or remove else ""
        wanted = retagged(notes, add, remove)
        if wanted != notes:
            outcome = modify_settings(client, vm_id, name, "tag", {"Notes": (wanted,)})
            yield Step("Writing the notes", outcome)
            making.add(f"the notes of {name} as wanted")
        for group in join:
            found = _find(client, group)
            if found is None:
                yield Step(f"Making the group {group}", _define(client, group))
                making.add(f"the group {group}")
                found = _need(client, group)
            yield Step(f"Joining {group}", _member("AddMember", client, vm_id, name, found))
            making.add(f"the place of {name} in {group}")
        for group in leave:
            found = _find(client, group)
            if found is not None:
                outcome = _member("RemoveMember", client, vm_id, name, found)
                yield Step(f"Leaving {group}", outcome)


def _notes(client: CimClient, vm_id: str, name: str) -> str:
    """The notes as the host has them: what is shown of them is made safe to draw."""
    try:
        settings = client.get(settings_ref(vm_id))
    except Fault as fault:
        raise gone_or(fault, name) from fault
    first = clean.first(settings.get("Notes"))
    return first if isinstance(first, str) else ""


def _find(client: CimClient, group: str) -> CimRef | None:
    rows = client.query(VIRTUALIZATION, f"SELECT CollectionID, ElementName FROM {_COLLECTION}")
    for row in rows:
        if clean.text(row.get("ElementName")).casefold() == group.casefold():
            identity = str(row.get("CollectionID") or "")
            return CimRef(_COLLECTION, (("CollectionID", identity),), VIRTUALIZATION)
    return None


def _need(client: CimClient, group: str) -> CimRef:
    found = _find(client, group)
    if found is None:
        raise Refused(
            f"The group {group} was made and is not there",
            cause="somebody else may have removed it",
            hint="look again and repeat",
        )
    return found


def _define(client: CimClient, group: str) -> Outcome:
    return invoke(
        client, service_ref("Msvm_CollectionManagementService"), "DefineCollection",
        "make the group", group, Name=group, Id=str(uuid.uuid4()).upper(), Type=_OF_MACHINES,
    )  # fmt: skip


def _member(method: str, client: CimClient, vm_id: str, name: str, group: CimRef) -> Outcome:
    verb = "add" if method == "AddMember" else "remove"
    return invoke(
        client, service_ref("Msvm_CollectionManagementService"), method,
        f"{verb} the group of", name, Member=vm_ref(vm_id), Collection=group,
    )  # fmt: skip

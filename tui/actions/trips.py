"""Where a machine could go, and how: what forms, sheets and verbs of moving share. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tui.actions import places
from tui.actions.declare import Target
from tui.hyperv import preflight, states
from tui.hyperv.model import Host, Inventory
from tui.hyperv.preflight import Cause, Move, Trip, Verdict
from tui.hyperv.preflight import places as plain
from tui.hyperv.sheet import Drive
from tui.wsman.cim import CimRef, to_path
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.hyperv.ops.moving import Journey

Values = Mapping[str, Any]
WORDS = {Verdict.PASS: "pass", Verdict.WARN: "warn", Verdict.FAIL: "fail"}
AUTO, LIVE, BOTH, OFFLINE, QUICK, DOWN = "auto", "live", "both", "offline", "quick", "shutdown"
_MOVES = {LIVE: Move.LIVE, BOTH: Move.BOTH, OFFLINE: Move.OFFLINE}
DISKS_IN = "Virtual Hard Disks"


# -- where ---------------------------------------------------------------------------------


def fleet(target: Target) -> Mapping[str, Inventory]:
    """Every host known, by id."""
    return target.fleet() if target.fleet is not None else {}


def destinations(target: Target) -> dict[str, Inventory]:
    """Every host but its own, by id."""
    known = fleet(target)
    return {host: known[host] for host in sorted(known) if host != target.host.id}


def trip(target: Target, there: Inventory, values: Values) -> Trip | None:
    """The machine on its way; None while the machine itself is not known."""
    here = target.around() if target.around is not None else None
    if target.vm is None or target.vitals is None or here is None:
        return None
    cluster = target.cluster or preflight.cluster_of(here, there)
    usual = preflight.move_for(
        target.vm, target.vitals, here, there, sheet=target.sheet, cluster=cluster
    )
    how = str(values.get("how") or AUTO)
    move = usual if usual in (Move.CLUSTER, Move.STORAGE) else _MOVES.get(how, usual)
    return Trip(
        target.vm,
        target.vitals,
        here,
        there,
        move,
        target.sheet,
        folder=str(values.get("folder") or ""),
        switches=replaced(target, there, str(values.get("switch") or "")),
        cluster=cluster,
    )


def replaced(target: Target, there: Inventory, switch: str) -> tuple[tuple[str, str], ...]:
    """Switches that are missing there, and the one taken instead."""
    if not switch or target.vm is None:
        return ()
    here = {one.name for one in there.switches.values()}
    adapters = target.sheet.adapters if target.sheet else target.vm.nics
    names = sorted({one.switch_name for one in adapters if one.connected and one.switch_name})
    return tuple((name, switch) for name in names if name not in here)


def chosen(target: Target, values: Values) -> Trip | None:
    """The trip that the values of a form mean; None when its host is not known."""
    there = destinations(target).get(str(values.get("destination") or ""))
    return trip(target, there, values) if there is not None else None


# -- whether -------------------------------------------------------------------------------


def gravest(causes: tuple[Cause, ...]) -> Cause | None:
    """The first of the worst causes."""
    worst = preflight.worst(causes)
    return next((cause for cause in causes if cause.verdict is worst), None)


def lines(causes: tuple[Cause, ...]) -> list[str]:
    """Causes as a confirmation lists them: what speaks against it first, what passes in a line."""
    told = sorted((one for one in causes if one.verdict), key=lambda one: -one.verdict)
    heavy = {one.id for one in told}
    fine = dict.fromkeys(preflight.CAUSES[one.id] for one in causes if one.id not in heavy)
    said = [f"{WORDS[one.verdict]}: {preflight.CAUSES[one.id]}: {one.text}" for one in told]
    return [*said, f"{WORDS[Verdict.PASS]}: {', '.join(fine)}"] if fine else said


def impossible(target: Target, way: Trip, how: str) -> str | None:
    """Why it cannot go like that, whatever hosts say."""
    inside = way.move is Move.CLUSTER
    if inside and how in (BOTH, OFFLINE):
        return f"{way.name} is a role of its cluster: its files stay where all nodes reach them"
    if not inside and how in (QUICK, DOWN):
        return f"only a role of a cluster moves to another of its nodes by {how}"
    if how == LIVE and not inside and way.vitals.state in states.OFF:
        return f"{way.name} is off: it moves offline"
    if way.there.read_only:
        return f"{way.there.id} is configured read-only"
    return None


# -- how -----------------------------------------------------------------------------------


def name_of(host: Host) -> str:
    """A host as another one finds it."""
    name = host.name or host.id
    return f"{name}.{host.domain}" if host.domain and "." not in name else name


def folders(way: Trip) -> tuple[str, str]:
    """Where its disks go, and its settings."""
    if way.folder:
        return places.within(way.folder, DISKS_IN), way.folder
    name, there = places.file_name(way.name), way.there
    disks = there.vhd_path or there.vm_path
    return places.within(disks, name), places.within(there.vm_path or disks, name)


def journey(target: Target, way: Trip, values: Values) -> Journey:
    """The same trip as the service takes it. The machine's sheet has been read."""
    from tui.hyperv.ops import moving

    kind = {Move.LIVE: moving.MACHINE, Move.STORAGE: moving.STORAGE}.get(way.move, moving.WHOLE)
    to = name_of(way.there) if way.leaves else ""
    copied = _copied(way, str(values.get("disk") or "")) if way.copies else []
    one = bool(values.get("disk"))
    disks, settings = folders(way)
    place = way.folder if one else disks
    return moving.Journey(
        places.machine(target),
        kind,
        to,
        way.there.migration_addresses if way.leaves else (),
        _new_paths([(drive.image_id, drive.path) for drive in copied], place),
        _new_paths(_parents(way, copied), place),
        settings if way.copies and not one else "",
        _ports(way),
    )


def _copied(way: Trip, disk: str) -> list[Drive]:
    """Drives whose files go: what both hosts reach stays where no folder is named."""
    return [
        drive
        for drive in (way.sheet.drives if way.sheet else ())
        if drive.image_id
        and drive.path
        and not drive.dvd
        and not drive.physical
        and (not disk or drive.id == disk)
        and (way.folder or not plain.is_shared(way, drive.path))
    ]


def _parents(way: Trip, copied: list[Drive]) -> list[tuple[str, str]]:
    """Images that only other images know of; those of checkpoints the host finds by itself."""
    if way.vm.checkpoints:
        return []
    return [(image.path, image.path) for drive in copied for image in drive.chain[1:]]


def _new_paths(files: list[tuple[str, str]], folder: str) -> tuple[tuple[str, str], ...]:
    """Each file in the folder, under its own name as long as that is free."""
    taken: set[str] = set()
    found: list[tuple[str, str]] = []
    for key, path in files:
        name = path.rpartition("\\")[2]
        stem, dot, ending = name.rpartition(".")
        number = 2
        while name.casefold() in taken:
            name, number = f"{stem} {number}{dot}{ending}", number + 1
        taken.add(name.casefold())
        found.append((key, places.within(folder, name)))
    return tuple(found)


def _ports(way: Trip) -> tuple[tuple[str, str], ...]:
    """Adapters whose switch is missing there, and the switch taken instead."""
    instead = dict(way.switches)
    there = {one.name: one for one in way.target.switches.values()}
    found: list[tuple[str, str]] = []
    for adapter in way.sheet.adapters if way.sheet else ():
        switch = there.get(instead.get(adapter.switch_name, ""))
        if switch is not None and adapter.connected and adapter.connection:
            keys = (("CreationClassName", "Msvm_VirtualEthernetSwitch"), ("Name", switch.guid))
            ref = CimRef("Msvm_VirtualEthernetSwitch", keys, VIRTUALIZATION)
            found.append((adapter.connection, to_path(ref, way.there.name or way.there.id)))
    return tuple(found)

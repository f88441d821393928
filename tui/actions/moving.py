"""Moving virtual machines to other hosts and their files to other places."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import places, trips
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.actions.drives import disk_choices
from tui.actions.lifecycle import GROUP
from tui.actions.trips import AUTO, BOTH, DOWN, LIVE, OFFLINE, QUICK, Values
from tui.errors import Refused
from tui.hyperv import meanings, preflight, states
from tui.hyperv.model import Disk, Job
from tui.hyperv.ops import clustering, moving
from tui.hyperv.preflight import Move, Trip, Verdict

if TYPE_CHECKING:
    from tui.hyperv.ops.moving import Reach
    from tui.hyperv.outcome import Outcome, Step
    from tui.hyperv.verdict import HostVerdict
    from tui.wsman.client import CimClient

_HOW = (
    (AUTO, "as it can", "within its cluster, live where the storage is shared, else with it"),
    (LIVE, "live", "without its files: both hosts reach them"),
    (BOTH, "with its storage", "running or not; nothing is shared"),
    (OFFLINE, "offline", "off or saved, with its files"),
    (QUICK, "quick", "a role of a cluster: saved, moved, resumed"),
    (DOWN, "shut down", "a role of a cluster: shut down, moved, started"),
)
_LEAVES = {QUICK: clustering.SAVE, DOWN: clustering.SHUT_DOWN}
_SETTLED = 5.0
"""Seconds after which a role that is to move is on its way."""
_SOON = 5.0
"""Seconds a host's clock and ours are taken for the same."""


# -- questions -----------------------------------------------------------------------------


def _not_at_rest(target: Target) -> str | None:
    now = places.state(target)
    if now in states.MOVING:
        return f"{target.name} is {states.word(now)}: wait until it is done"
    return None


def _nowhere(target: Target) -> str | None:
    if (why := _not_at_rest(target)) is not None:
        return why
    return None if target.fleet is not None else "hvdeck knows no other host"


def destination_choices(target: Target) -> Sequence[Choice]:
    """Other hosts, each with the preflight's verdict and its gravest reason."""
    return [_choice(target, host) for host in trips.destinations(target)]


def _choice(target: Target, host: str) -> Choice:
    way = trips.chosen(target, {"destination": host})
    causes = preflight.judge(way) if way is not None else ()
    gravest = trips.gravest(causes)
    if gravest is None:
        return Choice(host, host)
    word = trips.WORDS[gravest.verdict]
    return Choice(host, host, f"{word}: {gravest.text}" if gravest.verdict else word)


def _switch_choices(target: Target) -> Sequence[Choice]:
    """Names of switches of other hosts."""
    names = {one.name for host in trips.destinations(target).values()
             for one in host.switches.values()}  # fmt: skip
    return [Choice("", "none"), *(Choice(name, name) for name in sorted(names))]


def _bad_folder(target: Target, value: Any) -> str | None:
    return places.bad_path(value)


# -- migrate -------------------------------------------------------------------------------


def _conflict(target: Target, values: Values) -> str | None:
    way = trips.chosen(target, values)
    if way is None:
        return f"{values.get('destination')} is no other host that hvdeck knows"
    if way.leaves and way.there.read_only:
        return f"{way.there.id} is configured read-only"
    if (why := trips.impossible(target, way, str(values.get("how") or AUTO))) is not None:
        return why
    if values.get("force"):
        return None
    return _against(way)


def _against(way: Trip) -> str | None:
    """Everything that speaks against it; the host is not asked to try."""
    failing = [one for one in preflight.judge(way) if one.verdict is Verdict.FAIL]
    if not failing:
        return None
    fix = f"; the way out: {failing[0].fix}" if len(failing) == 1 and failing[0].fix else ""
    return "; ".join(one.text for one in failing) + fix


def _consequences(target: Target, values: Values) -> Sequence[str]:
    way = trips.chosen(target, values)
    if way is None:
        return ()
    told = [f"{target.name}: {_said(way)}"]
    return [*told, *(f"  {line}" for line in trips.lines(preflight.judge(way)))]


def _said(way: Trip) -> str:
    words = {
        Move.CLUSTER: "as a role, by MSCluster_ResourceGroup.MoveToNewNodeParams,",
        Move.LIVE: "live",
        Move.BOTH: "live, with its storage",
        Move.OFFLINE: "offline, with its storage",
        Move.STORAGE: "its storage",
    }
    to = f"to {way.there.id}" if way.leaves else ""
    place = f"into {trips.folders(way)[0]}" if way.copies else ""
    return " ".join(filter(None, (words[way.move], to, place)))


def _migrate(client: CimClient, target: Target, values: Values) -> Outcome:
    way = trips.chosen(target, values)
    assert way is not None, "objection was asked before"
    if way.move is not Move.CLUSTER:
        return moving.migrate(client, trips.journey(target, way, values))
    node = way.cluster.node(way.there.name) if way.cluster else None
    role = way.role
    if role is None or node is None:
        raise Refused(
            f"{target.name} was not moved", cause=f"it is no role that {way.there.id} could take"
        )
    running = way.vitals.state in states.HAS_WORKER
    how = _LEAVES.get(str(values.get("how")), clustering.LIVE)
    return clustering.move_machine(
        client, role.name, node.name, how if running else clustering.LIVE
    )


def _under_way(target: Target, before: Target) -> int | None:
    """How far the cluster is with the move of a role."""
    role = target.role
    return (role.percent or 0) if role is not None and role.busy else None


def _missed(target: Target, values: Values, seconds: float) -> str | None:
    """Why a role will not arrive any more: it stands still where it was."""
    role = target.role
    if role is None or role.busy or seconds < _SETTLED:
        return None
    if role.owner.casefold() != target.host.name.casefold():
        return None
    known = meanings.of_cluster(role.code)
    return known[0] if known else f"{role.name} is on {role.owner} and no longer on its way"


def _ask(
    client: CimClient, reach: Reach | None, target: Target, values: Values
) -> Generator[Step, None, HostVerdict]:
    way = trips.chosen(target, values)
    if way is None or way.move is Move.CLUSTER:
        raise Refused(
            f"{target.host.id} was not asked about {target.name}",
            cause="a role of a cluster is moved by the cluster, which gives no verdict beforehand"
            if way is not None
            else "the destination is not known",
        )
    return (yield from moving.verdict(client, trips.journey(target, way, values), reach))


def _arrives(target: Target, values: Values) -> str:
    return str(values.get("destination") or "")


def _arrived(target: Target, values: Values) -> bool:
    return target.host.id == values.get("destination")


def traced(target: Target, asked_at: float) -> Job | None:
    """The migration job on the machine's host that began after a move was asked of it."""
    inventory = places.around(target)
    if inventory is None:
        return None
    since = asked_at + (inventory.vitals.clock or 0.0) - _SOON
    found = [
        job
        for job in inventory.jobs.values()
        if job.class_name == preflight.MIGRATION_JOB
        and job.subject == target.id
        and job.started_at >= since
    ]
    return max(found, key=lambda job: (not job.finished, job.started_at), default=None)


# -- storage -------------------------------------------------------------------------------


def _here(target: Target, values: Values) -> Trip | None:
    inventory = places.around(target)
    return trips.trip(target, inventory, values) if inventory is not None else None


def _storage_conflict(target: Target, values: Values) -> str | None:
    way = _here(target, values)
    if way is None:
        return f"{target.name} is not known"
    if not way.folder:
        return "no folder is named"
    moved = _moved(target, values)
    if not moved:
        return f"{target.name} has no disk to move"
    if all(_inside(disk.path, way.folder) for disk in moved):
        return f"the files are in {way.folder} already"
    if values.get("force"):
        return None
    return _against(way)


def _moved(target: Target, values: Values) -> list[Disk]:
    """The disks that are meant."""
    return [
        disk
        for disk in (target.vm.disks if target.vm else ())
        if disk.path
        and not disk.dvd
        and not disk.physical
        and values.get("disk") in (None, "", disk.id)
    ]


def _inside(path: str, folder: str) -> bool:
    return path.casefold().startswith(folder.rstrip("\\").casefold() + "\\")


def _move_storage(client: CimClient, target: Target, values: Values) -> Outcome:
    way = _here(target, values)
    assert way is not None, "objection was asked before"
    return moving.migrate(client, trips.journey(target, way, values))


def _storage_consequences(target: Target, values: Values) -> Sequence[str]:
    way = _here(target, values)
    if way is None:
        return ()
    size = preflight.amount(way) or 0
    told = [f"{target.name}: {preflight.size(size)} go to {way.folder}"] if size else []
    return [*told, *(f"  {line}" for line in trips.lines(preflight.judge(way)))]


def _stored(target: Target, values: Values) -> bool:
    disks, folder = _moved(target, values), str(values.get("folder") or "")
    return bool(disks) and all(_inside(disk.path, folder) for disk in disks)


def _some_disk(target: Target) -> Sequence[Choice]:
    return [Choice("", "all of them, and the settings"), *disk_choices(target)]


# -- the table -----------------------------------------------------------------------------

_FORCE = Field(
    "force",
    "In spite of it",
    "Ask the host although hvdeck finds reasons against it: the host's own verdict wins",
    bool,
    current=lambda target: False,
)


ACTIONS: tuple[Action, ...] = (
    Action(
        "vm.migrate",
        "Migrate",
        "Move the machine to another host, running or not",
        Kind.VM,
        _migrate,
        key="m",
        why_not=_nowhere,
        observed=_arrived,
        arrives=_arrives,
        under_way=_under_way,
        missed=_missed,
        traced=traced,
        verdict=_ask,
        form=(
            Field(
                "destination",
                "Destination",
                "The host it goes to",
                choices=destination_choices,
            ),
            Field(
                "how",
                "How",
                "How it goes; only a role of a cluster goes quick or by shutting down",
                choices=lambda target: [Choice(*row) for row in _HOW],
                current=lambda target: AUTO,
            ),
            Field(
                "folder",
                "Folder",
                "For its files, where they are copied; empty: the destination's own folders",
                optional=True,
                problem=_bad_folder,
                when=lambda values: values.get("how") in (AUTO, BOTH, OFFLINE),
            ),
            Field(
                "switch",
                "Switch",
                "Of the destination, for adapters whose own switch it lacks",
                choices=_switch_choices,
                current=lambda target: "",
                optional=True,
            ),
            _FORCE,
        ),
        conflict=_conflict,
        risk=Risk.AMBER,
        effect="The machine goes on on the other host; what follows was found beforehand",
        consequences=_consequences,
        calls=f"{moving.SERVICE}.MigrateVirtualSystemToHost",
        needs_sheet=True,
        opens="open_migrate",
        group=GROUP,
    ),
    Action(
        "vm.move-storage",
        "Move storage",
        "Move the machine's files to another folder, while it goes on",
        Kind.VM,
        _move_storage,
        why_not=_not_at_rest,
        observed=_stored,
        traced=traced,
        form=(
            Field(
                "folder",
                "Folder",
                "Full path on the host or on a share; the disks get a folder in it",
                problem=_bad_folder,
            ),
            Field(
                "disk",
                "Disk",
                "One disk alone, straight into the folder",
                choices=_some_disk,
                current=lambda target: "",
                optional=True,
            ),
            _FORCE,
        ),
        conflict=_storage_conflict,
        risk=Risk.AMBER,
        effect="The files are copied, then the old ones deleted; the machine goes on meanwhile",
        consequences=_storage_consequences,
        calls=f"{moving.SERVICE}.MigrateVirtualSystemToHost",
        needs_sheet=True,
        group=GROUP,
    ),
)

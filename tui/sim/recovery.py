"""The recovery side of Hyper-V Replica: replica machines, their recovery points, test machines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui.sim import create, definitions, disks, files, merging, papers, replication, shapes
from tui.sim.machine import OFF, Configuration, Machine
from tui.sim.plan import CheckpointPlan
from tui.sim.replication import APPLICATION, PLANNED, REGULAR, End, Pair
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.world import SimHost

HOUR = 3600.0
KINDS = {
    REGULAR: "Microsoft:Hyper-V:Snapshot:Replica:Standard",
    APPLICATION: "Microsoft:Hyper-V:Snapshot:Replica:ApplicationConsistent",
    PLANNED: "Microsoft:Hyper-V:Snapshot:Replica:PlannedFailover",
}
IMAGE = "Msvm_StorageAllocationSettingData"
_BRANCH = re.compile(r"_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")


# -- the replica machine -------------------------------------------------------------------


def place(
    source: Machine, host: SimHost, folder: str, included: tuple[str, ...], *, seeded: bool
) -> Machine:
    """Put the replica of a machine on a host; ``seeded`` when its disks hold the data already."""
    words = {f"\\\\{source.host.name}\\root": f"\\\\{host.name}\\root"}
    current = definitions.copy(source.current, words)
    home = f"{folder}\\{source.id}"
    for word in ("Configuration", "GuestState", "Snapshot", "Suspend", "SwapFile", "Log"):
        current.settings.values[f"{word}DataRoot"] = home
    current.settings.values["Parent"] = None
    current.settings.values["IsSaved"] = False
    _images(source, host, current, f"{folder}\\Virtual hard disks\\{source.id}", included, seeded)
    system = create.system_of(source.name, source.id, OFF)
    system.values["InstallDate"] = shapes.when(host.fabric.now())
    made = Machine(
        host,
        source.id,
        system,
        current,
        source.guest,
        source.fqdn,
        source.load,
        host.next_number(),
        domain=source.domain,
        clustered=False,
    )
    definitions.reconnect(host, current)
    host.adopt(made)
    return made


def _images(
    source: Machine,
    host: SimHost,
    current: Configuration,
    folder: str,
    included: tuple[str, ...],
    seeded: bool,
) -> None:
    """The replica's own disks; what is not included, and media, stay behind."""
    for key, image in list(current.resources.items()):
        if image.class_name != IMAGE:
            continue
        path = disks.image_path(image)
        chain = source.host.files.chain(path)
        if not chain or not chain[0].kind or (included and key not in included):
            del current.resources[key]
            continue
        stem, _, kind = files.name_of(path).rpartition(".")
        ending = "vhd" if kind.lower().endswith("vhd") else "vhdx"
        target = f"{folder}\\{_BRANCH.sub('', stem)}.{ending}"
        image.values["HostResource"] = (target,)
        used = sum(file.used for file in chain) if seeded else files.HEADER
        made = files.disk(target, chain[0].size, min(used, chain[0].size + files.HEADER))
        made.partitioned = chain[0].partitioned
        host.files.add(made, there=seeded)


def fill(pair: Pair) -> None:
    """The replica's disks take what a complete transfer has brought."""
    source, target = pair.primary, pair.replica
    assert source is not None
    assert target is not None
    sent = [used for _, used in replication.sizes(source.machine)]
    for image, used in zip(target.machine.images, sent, strict=False):
        file = target.machine.host.files.get(disks.image_path(image))
        if file is not None:
            file.used = max(file.used, min(used, file.size + files.HEADER))


# -- recovery points -----------------------------------------------------------------------


def _number(pair: Pair, name: str) -> int:
    value = pair.terms.get(name)
    return value if isinstance(value, int) else 0


def due(pair: Pair, at: float) -> int:
    """What kind the next replication is: application consistent when its hours are over."""
    hours = _number(pair, "ApplicationConsistentSnapshotInterval")
    source = pair.primary
    if not hours or source is None or at - pair.consistent_at < hours * HOUR:
        return REGULAR
    if source.machine.alive and not source.machine.responsive(at):
        pair.counts.inconsistent += 1
        return REGULAR
    return APPLICATION


def keep(pair: Pair, at: float) -> None:
    """Once an hour what has arrived becomes a recovery point; the oldest beyond the limit goes."""
    limit = _number(pair, "RecoveryHistory")
    target = pair.replica
    assert target is not None
    if limit and (at - pair.pointed_at >= HOUR or pair.kind in (APPLICATION, PLANNED)):
        point(target.machine, pair.kind, pair.shipped_at)
        pair.pointed_at = at
    have = points(target.machine)
    drop(target.machine, have[: max(0, len(have) - limit)])


def points(machine: Machine) -> list[str]:
    """GUIDs of a machine's recovery points, oldest first."""
    known = set(KINDS.values())
    return [
        key
        for key, item in machine.checkpoints.items()
        if item.settings.values["VirtualSystemType"] in known
    ]


def point(machine: Machine, kind: int, taken: float) -> CimInstance:
    """Make one recovery point."""
    host = machine.host
    identity = shapes.guid(host.fabric.random(machine.id, "point", host.next_number()))
    now = host.fabric.now()
    made = create.add_checkpoint(
        machine, CheckpointPlan("", max(0.0, now - taken), "production"), identity, now
    )
    made.values["VirtualSystemType"] = KINDS[kind]
    return made


def drop(machine: Machine, doomed: list[str]) -> None:
    """Recovery points go, and their disks are merged at once."""
    from tui.sim.methods_snapshot import take_out  # checkpoints look back at machines

    if not doomed:
        return
    before = merging.owned(machine)
    for key in doomed:
        take_out(machine, key)
    merging.sweep(machine, before)
    merging.finish(machine)


# -- test machines -------------------------------------------------------------------------


def try_out(end: End, checkpoint: str) -> Machine:
    """A machine of its own, made from a replica or one of its points, to try it out."""
    source = end.machine
    host = source.host
    identity = shapes.guid(host.fabric.random(source.id, "test", host.next_number()))
    base = source.checkpoints[checkpoint] if checkpoint else source.current
    current = create.copy_of(base, checkpoint or source.id, identity)
    name = f"{source.name} - Test"
    values = current.settings.values
    values["ElementName"] = name
    values["VirtualSystemType"] = shapes.REALIZED
    values["VirtualSystemIdentifier"] = values["ConfigurationID"] = identity
    values["ConfigurationFile"] = f"Virtual Machines\\{identity}.vmcx"
    values["GuestStateFile"] = f"Virtual Machines\\{identity}.vmgs"
    values["Description"] = "Active settings for the virtual machine."
    values["CreationTime"] = shapes.when(host.fabric.now())
    values["Parent"] = None
    system = create.system_of(name, identity, OFF)
    system.values["InstallDate"] = shapes.when(host.fabric.now())
    made = Machine(
        host, identity, system, current, source.guest, source.fqdn, source.load, host.next_number()
    )
    made.domain = source.domain
    for port in current.of(definitions.CONNECTION):
        port.values["EnabledState"], port.values["HostResource"] = 3, None
    for image in made.images:
        create.branch(made, image, identity)
    made.replica = End(end.pair, made, replication.TEST, replication.DISABLED)
    end.test = made
    end.pair.tested_at = host.fabric.now()
    host.adopt(made)
    return made


def left(machine: Machine) -> None:
    """A machine of a relationship has been destroyed."""
    end = machine.replica
    machine.replica = None
    if end is None or end.mode != replication.TEST:
        return
    for path in list(disks.held(machine.current)):
        file = machine.host.files.get(path)
        if file is not None and file.automatic:
            machine.host.files.remove(path)
    papers.erase(machine)
    target = end.pair.replica if end.pair.replica is not None else None
    for other in (target, end.pair.primary):
        if other is not None and other.test is machine:
            other.test = None

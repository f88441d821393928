"""Causes that lie with the machine: its state, processor, memory, devices, checkpoints, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tui.hyperv import states
from tui.hyperv.model import Host
from tui.hyperv.plans.words import several
from tui.hyperv.preflight.cause import (
    GB,
    Cause,
    Move,
    Trip,
    called,
    failed,
    passed,
    quoted,
    size,
    warned,
)
from tui.hyperv.replica import PRIMARY, REPLICA, TEST

_SPACES = re.compile(r"\s+")
_MARKS = re.compile(r"\((?:R|TM)\)|\bCPU\b|\bProcessor\b|@.*$", re.IGNORECASE)
_TIGHT = 0.05
"""Share of a host's memory below which what is left is little."""
_LOW = 2 * GB
_MERGING, _MIGRATING = 32772, 32774
"""VmVitals.activity."""


def state(trip: Trip) -> Iterator[Cause]:
    """It stands still or runs, nobody else works on it, and the other host has no twin of it."""
    number, name = trip.vitals.state, trip.name
    if trip.leaves and trip.here.id == trip.there.id:
        yield failed("state", f"{name} is on {trip.there.id} already")
        return
    if number in states.MOVING:
        yield failed("state", f"{name} is {states.word(number)}: wait until it is not")
    elif number in states.PAUSED and number in states.CRITICAL:
        yield warned("state", f"{name} is paused for want of storage: it arrives like that")
    elif trip.move is Move.OFFLINE and number in states.HAS_WORKER:
        yield failed(
            "state",
            f"{name} is {states.word(number)}, and only a machine that does not run moves offline",
            f"hvdeck vm shutdown {called(trip)} --wait",
        )
    if trip.vitals.activity == _MIGRATING:
        yield failed("state", f"{name} is being moved already: wait for the end of that move")
        return
    busy = [
        job for job in trip.source.jobs.values() if job.subject == trip.vm.id and not job.finished
    ]
    for job in busy[:1]:
        yield failed("state", f"{name} is being worked on: {job.name} ({job.percent} %)")
    if trip.leaves and trip.vm.id in trip.target.vm_vitals:
        yield failed(
            "state",
            f"{trip.there.id} has a machine of the same identity as {name} already",
            f"hvdeck vms --filter id:{trip.vm.id}",
        )


# -- processor -----------------------------------------------------------------------------


def vendor(name: str) -> str:
    """Who made a processor, from its name; empty when the name does not say."""
    low = name.lower()
    if "amd" in low or "epyc" in low or "ryzen" in low:
        return "AMD"
    return "Intel" if "intel" in low or "xeon" in low else ""


def model(name: str) -> str:
    """A processor's name without marks and clock: what two alike have in common."""
    return _SPACES.sub(" ", _MARKS.sub(" ", name)).strip().lower()


def processor(trip: Trip) -> Iterator[Cause]:
    """What it may use of its processor now, it must find there too."""
    if not trip.leaves:
        return
    mine, theirs = trip.here.processor, trip.there.processor
    name = trip.name
    if trip.vitals.state in states.OFF:
        yield passed("processor", f"{name} is off: it takes what it finds when it starts")
    elif not mine or not theirs:
        who = trip.here.id if not mine else trip.there.id
        yield warned("processor", f"{who} does not tell what processors it has")
    elif vendor(mine) != vendor(theirs):
        yield failed(
            "processor",
            f"{trip.there.id} has processors of another vendor ({theirs}) than {trip.here.id} "
            f"({mine}), on which {name} is {states.word(trip.vitals.state)}",
            f"hvdeck vm shutdown {called(trip)} --wait",
        )
    elif model(mine) == model(theirs):
        yield passed("processor", f"{trip.here.id} and {trip.there.id} have the same processors")
    elif trip.vm.limits_features:
        yield passed(
            "processor",
            f"other processors ({theirs}), and {name} uses only what all of that vendor have",
        )
    else:
        yield warned(
            "processor",
            f"{trip.there.id} has other processors ({theirs}) than {trip.here.id} ({mine}), and "
            f"{name} may use features they lack",
            f"hvdeck vm set-cpu {called(trip)} --compatibility",
        )


# -- memory --------------------------------------------------------------------------------


def needed(trip: Trip) -> int:
    """Bytes it takes on the target from its first moment; 0 while it does not run."""
    if trip.vitals.state not in states.HAS_WORKER:
        return 0
    return trip.vitals.memory or trip.vm.memory_startup


def left(trip: Trip) -> int | None:
    """Bytes the target has free after the move; None when it does not tell."""
    free = trip.target.vitals.memory_free
    return None if free is None else free - needed(trip) - trip.added


def memory(trip: Trip) -> Iterator[Cause]:
    """Memory that remains on the target."""
    if not trip.leaves:
        return
    there, name, after = trip.there, trip.name, left(trip)
    free = trip.target.vitals.memory_free
    if after is None or free is None:
        yield warned("memory", f"{there.id} does not tell how much memory it has free")
        return
    others = f", and {size(trip.added)} of it are for moves before this one" if trip.added else ""
    amount, start = needed(trip), trip.vm.memory_startup
    if amount and after < 0:
        yield failed(
            "memory",
            f"{name} has {size(amount)} of memory; {there.id} has {size(free)} free{others}",
            f"free {size(-after)} on {there.id}, or lower the memory of {name} first",
        )
    elif not amount and start > free - trip.added:
        yield warned(
            "memory",
            f"{name} does not run, so it fits; to start on {there.id} it needs {size(start)} of "
            f"memory, and {size(free)} are free{others}",
        )
    elif amount and after < max(_LOW, int(there.memory * _TIGHT)):
        yield warned("memory", f"{there.id} has only {size(after)} of memory free afterwards")
    else:
        yield passed("memory", f"{there.id} has {size(after)} of memory free afterwards")


def numa(trip: Trip) -> Iterator[Cause]:
    """Processors it has there, and whether a NUMA node holds it."""
    if not trip.leaves:
        return
    vm, there = trip.vm, trip.there
    if there.logical_processors and vm.processors > there.logical_processors:
        yield failed(
            "numa",
            f"{trip.name} has {several(vm.processors, 'virtual processor')}; {there.id} "
            f"has {several(there.logical_processors, 'logical one')}",
            f"hvdeck vm set-cpu {called(trip)} --count {there.logical_processors}",
        )
        return
    if there.numa_nodes < 2 or not there.memory:
        return
    node = there.memory // there.numa_nodes
    amount = trip.vitals.memory or vm.memory_startup
    if amount <= node:
        yield passed("numa", f"a NUMA node of {there.id} ({size(node)}) holds {trip.name}")
    elif there.numa_spanning is False:
        yield failed(
            "numa",
            f"{trip.name} has {size(amount)} of memory, a NUMA node of {there.id} {size(node)}, "
            "and machines may not span nodes there",
            f"hvdeck host set {there.id} --numa-spanning",
        )
    else:
        yield warned(
            "numa",
            f"{trip.name} ({size(amount)}) spans NUMA nodes of {there.id} ({size(node)} each): "
            "its memory is slower in parts",
        )


# -- what it holds -------------------------------------------------------------------------


def devices(trip: Trip) -> Iterator[Cause]:
    """Devices of the host that stay behind."""
    if not trip.leaves:
        return
    name = trip.name
    for device in trip.vm.devices:
        yield failed(
            "devices",
            f"{name} has a device of {trip.here.id}: {device}. It stays behind",
            f"Remove-VMAssignableDevice -VMName {quoted(name)} "
            f"-ComputerName {quoted(trip.here.name or trip.here.id)}, while it is off",
        )
    for disk in trip.disks:
        if disk.physical and trip.move is Move.CLUSTER:
            yield warned(
                "devices",
                f"{name} has a physical disk at {disk.controller} {disk.controller_number}:"
                f"{disk.slot}: every node must reach it",
            )
        elif disk.physical:
            yield failed(
                "devices",
                f"{name} has a physical disk of {trip.here.id} at {disk.controller} "
                f"{disk.controller_number}:{disk.slot}, which {trip.there.id} does not reach",
                f"Get-VMHardDiskDrive -VMName {quoted(name)} -ComputerName "
                f"{quoted(trip.here.name or trip.here.id)} | Where-Object DiskNumber -ne $null | "
                "Remove-VMHardDiskDrive",
            )


def checkpoints(trip: Trip) -> Iterator[Cause]:
    """Checkpoints go along; a broken chain does not."""
    name, number = trip.name, len(trip.vm.checkpoints)
    for drive in trip.sheet.drives if trip.sheet else ():
        for image in drive.chain:
            if image.trouble:
                yield failed(
                    "checkpoints",
                    f"{image.path} of {name} cannot be read on {trip.here.id}: {image.trouble}",
                    f"hvdeck disk merge {called(trip)}",
                )
                return
    if trip.vitals.activity == _MERGING:
        yield warned("checkpoints", f"disks of {name} are being merged: the move waits or ends it")
    elif number:
        go = several(number, "checkpoint of {} goes along", "checkpoints of {} go along")
        yield (
            warned(
                "checkpoints",
                f"{go.format(name)}, with all files of their chains",
                f"Get-VMSnapshot -VMName {quoted(name)} -ComputerName "
                f"{quoted(trip.here.name or trip.here.id)} | Remove-VMSnapshot",
            )
            if trip.copies
            else passed("checkpoints", go.format(name))
        )
    elif any(disk.path.lower().endswith((".avhdx", ".avhd")) for disk in trip.disks):
        yield warned(
            "checkpoints",
            f"{name} runs on a differencing disk although it has no checkpoint: a merge is due",
            f"hvdeck disk merge {called(trip)}",
        )


def tpm(trip: Trip) -> Iterator[Cause]:
    """Who can open what its virtual TPM is sealed with."""
    if not trip.leaves or not (trip.vm.tpm or trip.vm.shielded):
        return
    here = quoted(trip.here.name or trip.here.id)
    running = trip.vitals.state not in states.OFF
    yield warned(
        "tpm",
        f"{trip.name} has a virtual TPM: {trip.there.id} must hold the guardian's certificates of "
        f"{trip.here.id} or attest to the same guardian service, else it "
        + ("cannot be moved while it runs" if running else "does not start there"),
        f"Invoke-Command {here} {{ Get-ChildItem 'Cert:\\LocalMachine\\Shielded VM Local "
        "Certificates' | Export-PfxCertificate -FilePath C:\\guardian.pfx -Password "
        "(Read-Host -AsSecureString) }, then Import-PfxCertificate on "
        f"{trip.there.name or trip.there.id}",
    )


def replica(trip: Trip) -> Iterator[Cause]:
    """What becomes of its replication."""
    mode, name = trip.vitals.replication_mode, trip.name
    if not trip.leaves or not mode or trip.move is Move.CLUSTER:
        return
    relation = next((one for one in trip.source.replicas.values() if one.vm == trip.vm.id), None)
    other = "" if relation is None else relation.recovery if mode == PRIMARY else relation.primary
    if mode == TEST:
        text = f"{name} is a test replica of {trip.here.id}: end the test failover instead"
        fix = (
            f"Stop-VMFailover -VMName {quoted(name)} "
            f"-ComputerName {quoted(trip.here.name or trip.here.id)}"
        )
        yield failed("replica", text, fix)
    elif mode == PRIMARY:
        to = f" to {other}" if other else ""
        at = f" -ComputerName {quoted(other)}" if other else ""
        yield warned(
            "replica",
            f"{name} is replicated{to}: the replica server must accept {trip.there.id} as its "
            "primary, else replication turns critical",
            "New-VMReplicationAuthorizationEntry -AllowedPrimaryServer "
            f"{quoted(_full(trip.there))}{at}",
        )
    else:
        what = "a replica" if mode == REPLICA else "an extended replica"
        at = f" -ComputerName {quoted(other)}" if other else ""
        yield warned(
            "replica",
            f"{name} is {what}: its primary goes on sending to {trip.here.id} until it is told of "
            f"{trip.there.id}",
            f"Set-VMReplication -VMName {quoted(name)}{at} -ReplicaServerName "
            f"{quoted(_full(trip.there))}",
        )


def _full(host: Host) -> str:
    name = host.name or host.id
    return f"{name}.{host.domain}" if host.domain else name

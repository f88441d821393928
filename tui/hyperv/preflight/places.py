"""Causes that lie with places: switches and VLANs to plug into, files to reach or to have room."""

from __future__ import annotations

from collections.abc import Iterator

from tui.hyperv import volumes
from tui.hyperv.model import Inventory, Nic, Switch, SwitchKind, VlanMode
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
from tui.hyperv.sheet import Adapter

_TIGHT = 0.05


# -- networks ------------------------------------------------------------------------------


def landing(trip: Trip, nic: Nic | Adapter) -> str:
    """The name of the switch an adapter is to be plugged into on the target."""
    return dict(trip.switches).get(nic.switch_name, nic.switch_name)


def switch_named(inventory: Inventory, name: str) -> Switch | None:
    """A switch of a host by its name."""
    return next((one for one in inventory.switches.values() if one.name == name), None)


def switch(trip: Trip) -> Iterator[Cause]:
    """The target has a switch for every adapter that is connected."""
    if not trip.leaves:
        return
    there, name = trip.there, trip.name
    wanted = {landing(trip, nic): nic for nic in trip.plugged}
    for title, nic in sorted(wanted.items()):
        if not title:
            yield warned("switch", f"{nic.name} of {name} arrives not connected")
            continue
        found = switch_named(trip.target, title)
        if found is None:
            yield _missing(trip, title, nic)
            continue
        here = switch_named(trip.source, nic.switch_name)
        if found.kind is SwitchKind.EXTERNAL and here and here.kind is SwitchKind.EXTERNAL:
            continue
        if here and here.kind is not found.kind:
            yield warned(
                "switch",
                f"the switch {title} is {here.kind} on {trip.here.id} and {found.kind} on "
                f"{there.id}: {name} may reach other things there",
            )
        else:
            yield warned(
                "switch",
                f"the switch {title} is {found.kind}: {name} loses contact with what stays on "
                f"{trip.here.id}",
            )


def _missing(trip: Trip, title: str, nic: Nic | Adapter) -> Cause:
    others = ", ".join(sorted(one.name for one in trip.target.switches.values())) or "none"
    computer = quoted(trip.there.name or trip.there.id)
    here = switch_named(trip.source, nic.switch_name)
    kind = "Private" if here and here.kind is SwitchKind.PRIVATE else "Internal"
    how = (
        "-NetAdapterName 'ADAPTER'"
        if here is None or here.kind is SwitchKind.EXTERNAL
        else f"-SwitchType {kind}"
    )
    return failed(
        "switch",
        f"{trip.there.id} has no switch called {title}, to which {nic.name} of {trip.name} is "
        f"connected (it has: {others})",
        f"New-VMSwitch -Name {quoted(title)} {how} -ComputerName {computer}",
    )


def vlan(trip: Trip) -> Iterator[Cause]:
    """The VLAN of each adapter is known where it goes. What a physical port lets pass, no host
    tells: another machine that uses the VLAN is the best sign there is."""
    if not trip.leaves:
        return
    told: set[tuple[str, tuple[int, ...]]] = set()
    for nic in trip.plugged:
        found = switch_named(trip.target, landing(trip, nic))
        if found is None:
            continue
        cable = _unplugged(trip, found)
        numbers = _vlans(nic)
        new = tuple(number for number in numbers if number not in found.vlans)
        if (found.name, new) in told:
            continue
        told.add((found.name, new))
        if cable:
            yield cable
        elif new and found.kind is SwitchKind.EXTERNAL:
            words = ", ".join(str(number) for number in new)
            yield warned(
                "vlan",
                f"no machine on {found.name} of {trip.there.id} uses VLAN {words} yet, which "
                f"{nic.name} of {trip.name} needs: the physical port must let it pass",
                f"on the physical switch: allow VLAN {words} on the ports of "
                f"{', '.join(found.uplinks) or trip.there.id}",
            )
        elif numbers:
            yield passed("vlan", f"VLAN {numbers[0]} is in use on {found.name} of {trip.there.id}")


def _vlans(nic: Nic | Adapter) -> tuple[int, ...]:
    setting = nic.vlan
    if setting.mode is VlanMode.UNTAGGED:
        return ()
    numbers = {setting.id, setting.secondary}
    if setting.mode is VlanMode.PRIVATE:
        numbers |= set(setting.trunk)
    return tuple(sorted(numbers - {0}))


def _unplugged(trip: Trip, found: Switch) -> Cause | None:
    """An external switch none of whose adapters has a cable."""
    known = [one for one in trip.target.host.uplinks if one.name in found.uplinks]
    if not known or any(one.connected for one in known):
        return None
    return warned(
        "vlan",
        f"no adapter of the switch {found.name} of {trip.there.id} has a link: {trip.name} would "
        "be cut off",
    )


# -- files ---------------------------------------------------------------------------------


def is_shared(trip: Trip, path: str) -> bool:
    """Both hosts reach a file under the same path: a share, or a volume of their cluster."""
    if path.startswith("\\\\"):
        return True
    same = trip.here.cluster and trip.here.cluster == trip.there.cluster
    return bool(same) and volumes.is_shared(path)


def iso(trip: Trip) -> Iterator[Cause]:
    """Images in DVD drives that the target does not have."""
    if not trip.leaves:
        return
    for disk in trip.disks:
        if not disk.dvd or not disk.path:
            continue
        if is_shared(trip, disk.path):
            yield passed("iso", f"{disk.path} in its DVD drive is reached from both hosts")
        else:
            yield failed(
                "iso",
                f"{trip.name} has {disk.path} in its DVD drive, a file of {trip.here.id} that "
                f"{trip.there.id} does not reach",
                f"hvdeck dvd eject {called(trip)}",
            )


def local_disks(trip: Trip) -> tuple[str, ...]:
    """Images of hard disks that only the source reaches."""
    return tuple(
        disk.path
        for disk in trip.disks
        if disk.path and not disk.dvd and not disk.physical and not is_shared(trip, disk.path)
    )


def local_files(trip: Trip) -> tuple[str, ...]:
    """The same, and the folder of its configuration where that has been read."""
    folder = trip.sheet.folder if trip.sheet else ""
    own = (folder,) if folder and not is_shared(trip, folder) else ()
    return (*local_disks(trip), *own)


def destination(trip: Trip) -> str:
    """The folder its files go to."""
    return trip.folder or trip.there.vhd_path or trip.there.vm_path


def amount(trip: Trip) -> int | None:
    """Bytes of files to be copied; None when nobody has read how large they are."""
    if trip.sheet is None:
        return None
    files = {
        image.path.lower(): image.used
        for drive in trip.sheet.drives
        if not drive.dvd and not drive.physical
        for image in drive.chain
    }
    return sum(files.values())


def storage(trip: Trip) -> Iterator[Cause]:
    """Files the target reaches as they are, or has room for."""
    if trip.move in (Move.LIVE, Move.CLUSTER):
        yield from _reached(trip)
    elif any(disk.path and not disk.dvd for disk in trip.disks):
        yield from _room(trip)
    elif trip.vm.complete or trip.sheet:
        yield passed("storage", f"{trip.name} has no disk to copy")


def _reached(trip: Trip) -> Iterator[Cause]:
    local = local_files(trip)
    if not local:
        yield passed("storage", f"{trip.there.id} reaches the files of {trip.name} where they are")
        return
    more = f" and {len(local) - 1} more" if len(local) > 1 else ""
    fix = (
        f"hvdeck vm move-storage {called(trip)} --folder 'C:\\ClusterStorage\\Volume1'"
        if trip.move is Move.CLUSTER
        else f"hvdeck vm migrate {called(trip)} --destination {trip.there.id} --how both"
    )
    yield failed(
        "storage",
        f"{local[0]}{more} of {trip.name} is on {trip.here.id} alone: {trip.there.id} cannot "
        "reach it",
        fix,
    )


def _room(trip: Trip) -> Iterator[Cause]:
    there, folder = trip.there, destination(trip)
    if not folder:
        yield failed("storage", f"{there.id} does not tell where its disks go: name a folder")
        return
    if folder.startswith("\\\\"):
        yield warned("storage", f"how much room there is at {folder}, {there.id} does not tell")
        return
    volume, bytes_ = volumes.volume_of(trip.there.volumes, folder), amount(trip)
    if volume is None:
        drives = ", ".join(one.name for one in there.volumes) or "none told"
        if there.volumes:
            yield failed("storage", f"{there.id} has no volume for {folder} (it has: {drives})")
        else:
            yield warned("storage", f"{there.id} does not tell what volumes it has")
    elif bytes_ is None:
        yield warned(
            "storage",
            f"{volume.name} of {there.id} has {size(volume.free)} free; how large the files of "
            f"{trip.name} are has not been read",
        )
    elif bytes_ > volume.free:
        yield failed(
            "storage",
            f"the files of {trip.name} take {size(bytes_)}; {volume.name} of {there.id} has "
            f"{size(volume.free)} free",
            f"free {size(bytes_ - volume.free)} on {volume.name} of {there.id}, or choose a "
            "folder on another volume",
        )
    elif volume.free - bytes_ < max(GB, int(volume.capacity * _TIGHT)):
        rest = size(volume.free - bytes_)
        yield warned("storage", f"{volume.name} of {there.id} has only {rest} free afterwards")
    else:
        yield passed(
            "storage",
            f"{size(bytes_)} go to {folder}; {volume.name} of {there.id} has "
            f"{size(volume.free - bytes_)} free afterwards",
        )

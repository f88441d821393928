r"""What is inside virtual machines: drives and images, integration services, guest facts.

Everything here is a function of its arguments. Devices belong to the machine whose GUID begins
their InstanceID (``Microsoft:<VM>\<device>…``); those of checkpoints begin with another GUID.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui.errors import WireError
from tui.hyperv import clean, paths
from tui.hyperv.model import Disk, Integration
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.embedded import from_text
from tui.wsman.schema import VIRTUALIZATION

IDE_CONTROLLER, SCSI_CONTROLLER, DVD, DISK = 5, 6, 16, 17
_PHYSICAL = "microsoft:hyper-v:physical disk drive"
_IMAGE_ENDING = "\\l"
_DRIVE_ENDING = "\\d"

SERVICES: tuple[tuple[str, str], ...] = (
    ("heartbeat", "Heartbeat"),
    ("kvp", "KvpExchange"),
    ("shutdown", "Shutdown"),
    ("timesync", "TimeSync"),
    ("vss", "Vss"),
    ("guest-services", "GuestServiceInterface"),
)
"""Our name of each integration service and the word in its class names."""
GUEST_FACTS = ("OSName", "FullyQualifiedDomainName")
_ENABLED = 2
_OTHER_VERSION = 32775


# -- drives --------------------------------------------------------------------------------


def join_disks(
    resources: Iterable[CimInstance], images: Iterable[CimInstance]
) -> dict[str, tuple[Disk, ...]]:
    """Drives by VM: hard disks in order of controller and slot, DVD drives among them."""
    rows = list(resources)
    paths_in = _image_paths(images)
    controllers = _controllers(rows)
    found: dict[str, list[Disk]] = {}
    for row in rows:
        if row.get("ResourceType") not in (DVD, DISK):
            continue
        disk = _disk(row, controllers, paths_in)
        found.setdefault(paths.owner(row.get("InstanceID")), []).append(disk)
    return {
        vm: tuple(
            sorted(disks, key=lambda disk: (disk.controller, disk.controller_number, disk.slot))
        )
        for vm, disks in found.items()
        if vm
    }


def _image_paths(images: Iterable[CimInstance]) -> dict[str, str]:
    """Path of the image by InstanceID of the drive that holds it."""
    found: dict[str, str] = {}
    for image in images:
        drive = paths.same(paths.key(image.get("Parent"), "InstanceID"))
        if not drive:
            drive = paths.same(image.get("InstanceID")).removesuffix(_IMAGE_ENDING) + _DRIVE_ENDING
        found[drive] = clean.text(clean.first(image.get("HostResource")), limit=clean.LONG)
    return found


def _controllers(rows: Iterable[CimInstance]) -> dict[str, tuple[str, int]]:
    """Kind and number of each controller by InstanceID. SCSI ones count in order of listing."""
    found: dict[str, tuple[str, int]] = {}
    counts: dict[str, int] = {}
    for row in rows:
        identity = paths.same(row.get("InstanceID"))
        vm = paths.owner(identity)
        if row.get("ResourceType") == IDE_CONTROLLER:
            found[identity] = ("IDE", _ordinal(row.get("Address"), _ordinal(_last(identity))))
        elif row.get("ResourceType") == SCSI_CONTROLLER:
            found[identity] = ("SCSI", counts.get(vm, 0))
            counts[vm] = counts.get(vm, 0) + 1
    return found


def _disk(
    row: CimInstance, controllers: Mapping[str, tuple[str, int]], images: Mapping[str, str]
) -> Disk:
    identity = paths.same(row.get("InstanceID"))
    parent = paths.same(paths.key(row.get("Parent"), "InstanceID"))
    controller, number = controllers.get(parent) or ("SCSI", 0)
    physical = paths.same(row.get("ResourceSubType")) == _PHYSICAL
    own = clean.text(clean.first(row.get("HostResource")), limit=clean.LONG) if physical else ""
    return Disk(
        id=clean.text(row.get("InstanceID")),
        path=images.get(identity, own),
        controller=controller,
        controller_number=number,
        slot=_ordinal(row.get("AddressOnParent")),
        dvd=row.get("ResourceType") == DVD,
        physical=physical,
    )


def _last(instance_id: str) -> str:
    return instance_id.rpartition("\\")[2]


def _ordinal(value: CimValue, default: int = 0) -> int:
    return int(value) if isinstance(value, str) and value.isdecimal() else default


# -- integration services ------------------------------------------------------------------


def join_integration(
    settings: Mapping[str, Iterable[CimInstance] | None],
    running: Mapping[str, Iterable[CimInstance] | None],
) -> dict[str, tuple[Integration, ...]]:
    """Services by VM, out of setting and runtime instances by our name of the service."""
    status = {
        (name, paths.guid(row.get("SystemName"))): _condition(row.get("OperationalStatus"))
        for name, rows in running.items()
        for row in rows or ()
    }
    found: dict[str, list[Integration]] = {}
    for name, _ in SERVICES:
        for row in settings.get(name) or ():
            vm = paths.owner(row.get("InstanceID"))
            enabled = row.get("EnabledState") == _ENABLED
            service = Integration(name, enabled, status.get((name, vm), 0))
            found.setdefault(vm, []).append(service)
    return {vm: tuple(services) for vm, services in found.items() if vm}


def _condition(statuses: CimValue) -> int:
    """What a component says of itself: why it is degraded where it tells that as well."""
    second = statuses[1:2] if isinstance(statuses, tuple) else ()
    return _OTHER_VERSION if second == (_OTHER_VERSION,) else clean.number(clean.first(statuses))


# -- guests --------------------------------------------------------------------------------


def join_guests(exchanges: Iterable[CimInstance]) -> dict[str, dict[str, str]]:
    """What guests say of themselves through the key-value exchange, by VM."""
    return {
        vm: facts
        for exchange in exchanges
        if (vm := paths.guid(exchange.get("SystemName")))
        and (facts := _facts(exchange.get("GuestIntrinsicExchangeItems")))
    }


def _facts(items: CimValue) -> dict[str, str]:
    """The items we show. Only these are parsed: each guest sends some twenty."""
    found: dict[str, str] = {}
    for item in items if isinstance(items, tuple) else ():
        if not isinstance(item, str) or not any(name in item for name in GUEST_FACTS):
            continue
        try:
            values = from_text(item, VIRTUALIZATION)
        except WireError:
            continue  # one guest's odd item must not cost the host's reading
        name = clean.text(values.get("Name"))
        if name in GUEST_FACTS:
            found[name] = clean.text(values.get("Data"))
    return found

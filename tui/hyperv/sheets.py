"""Reads one machine in full: settings, parts with their features, image chains, groups, raw text.

Some ten requests plus two per image file; made when a sheet is open or a verb needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from tui.errors import Fault, HvError, Refused, WireError
from tui.hyperv import clean, devices, meanings, networks, paths
from tui.hyperv.model import Nic, NicKind
from tui.hyperv.ops.images import describe
from tui.hyperv.sheet import (
    Adapter,
    Automatic,
    Controller,
    Drive,
    Image,
    Instance,
    Memory,
    Processor,
    Security,
    Sheet,
)
from tui.wsman.cim import CimInstance, CimProperty, CimRef, CimType, CimValue, text_of
from tui.wsman.embedded import from_text
from tui.wsman.schema import VIRTUALIZATION, cim_class

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

MEGABYTE = 1 << 20
LONGEST_CHAIN = 64
SLOTS = {"IDE": 2, "SCSI": 64}
_CONTROLLERS = {devices.IDE_CONTROLLER: "IDE", devices.SCSI_CONTROLLER: "SCSI"}
_CONNECTED = 2


def read(client: CimClient, host: str, vm_id: str, now: Callable[[], float]) -> Sheet:
    """The sheet of one machine. Raises Refused when the host does not have it."""
    at = now()
    settings_id = f"Microsoft:{vm_id}"
    try:
        system = client.get(
            CimRef("Msvm_VirtualSystemSettingData", (("InstanceID", settings_id),), VIRTUALIZATION)
        )
    except Fault as fault:
        if not meanings.is_gone(fault):
            raise Refused(f"{vm_id} cannot be read on {host}", cause=str(fault)) from fault
        raise Refused(
            f"{vm_id} is not on {host} any more",
            cause="it was deleted or moved to another host",
            hint="look at where it is now and try there",
            code=fault.code,
        ) from fault
    path = f'Msvm_VirtualSystemSettingData.InstanceID="{settings_id}"'
    parts = client.query(
        VIRTUALIZATION,
        f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_VirtualSystemSettingDataComponent",
    )
    features = _maybe(client, _owned("Msvm_EthernetSwitchPortFeatureSettingData", vm_id))
    security = _maybe(client, _owned("Msvm_SecuritySettingData", vm_id))
    guests = _maybe(client, f"SELECT * FROM Msvm_KvpExchangeComponent WHERE SystemName = '{vm_id}'")
    networks_ = _maybe(
        client,
        "SELECT * FROM Msvm_GuestNetworkAdapterConfiguration "
        f"WHERE InstanceID LIKE 'Microsoft:GuestNetwork\\\\{vm_id}\\\\%'",
    )
    switches = _maybe(client, "SELECT Name, ElementName FROM Msvm_VirtualEthernetSwitch")
    return Sheet(
        id=vm_id,
        host=host,
        read_at=at,
        processor=join_processor(parts),
        memory=join_memory(parts),
        security=join_security(system, security),
        automatic=join_automatic(system),
        controllers=join_controllers(parts),
        drives=tuple(_with_chain(client, drive) for drive in join_drives(parts)),
        adapters=join_adapters(parts, features, networks_, switches),
        exchanged=tuple(item for guest in guests for item in join_exchange(guest)),
        boot=clean.texts(system.get("BootSourceOrder")),
        groups=_groups(client, vm_id),
        folder=clean.text(system.get("ConfigurationDataRoot"), limit=clean.LONG),
        raw=tuple(raw(one) for one in (system, *parts, *features, *security, *guests)),
    )


def _owned(class_name: str, vm_id: str) -> str:
    return f"SELECT * FROM {class_name} WHERE InstanceID LIKE 'Microsoft:{vm_id}%'"


def _maybe(client: CimClient, wql: str) -> list[CimInstance]:
    """The rows; none where the host does not know the class."""
    try:
        return client.query(VIRTUALIZATION, wql)
    except Fault:
        return []


def _of(parts: Iterable[CimInstance], class_name: str) -> CimInstance | None:
    return next((part for part in parts if part.class_name == class_name), None)


# -- settings ------------------------------------------------------------------------------


def join_processor(parts: Iterable[CimInstance]) -> Processor:
    row = _of(parts, "Msvm_ProcessorSettingData")
    if row is None:
        return Processor()
    return Processor(
        id=clean.text(row.get("InstanceID")),
        count=clean.number(row.get("VirtualQuantity")),
        reservation=clean.number(row.get("Reservation")),
        limit=clean.number(row.get("Limit"), 100_000),
        weight=clean.number(row.get("Weight"), 100),
        nested=clean.truth(row.get("ExposeVirtualizationExtensions")) or False,
        compatible=clean.truth(row.get("LimitProcessorFeatures")) or False,
        per_numa_node=clean.number(row.get("MaxProcessorsPerNumaNode")),
        threads_per_core=clean.number(row.get("HwThreadsPerCore")),
    )


def join_memory(parts: Iterable[CimInstance]) -> Memory:
    row = _of(parts, "Msvm_MemorySettingData")
    if row is None:
        return Memory()
    return Memory(
        id=clean.text(row.get("InstanceID")),
        startup=clean.number(row.get("VirtualQuantity")) * MEGABYTE,
        minimum=clean.number(row.get("Reservation")) * MEGABYTE,
        maximum=clean.number(row.get("Limit")) * MEGABYTE,
        buffer=clean.number(row.get("TargetMemoryBuffer"), 20),
        weight=clean.number(row.get("Weight"), 5000),
        dynamic=clean.truth(row.get("DynamicMemoryEnabled")) or False,
    )


def join_security(system: CimInstance, rows: Iterable[CimInstance]) -> Security:
    row = next(iter(rows), None)
    get: Callable[[str], CimValue] = row.get if row is not None else lambda name: None
    isolated = clean.truth(system.get("GuestStateIsolationEnabled"))
    return Security(
        id=clean.text(get("InstanceID")),
        secure_boot=clean.truth(system.get("SecureBootEnabled")) or False,
        template=clean.text(system.get("SecureBootTemplateId")),
        tpm=clean.truth(get("TpmEnabled")) or False,
        shielded=clean.truth(get("ShieldingRequested")) or False,
        encrypt_traffic=clean.truth(get("EncryptStateAndVmMigrationTraffic")) or False,
        isolation=clean.number(system.get("GuestStateIsolationType"), -1) if isolated else -1,
    )


def join_automatic(system: CimInstance) -> Automatic:
    return Automatic(
        start=clean.number(system.get("AutomaticStartupAction"), 3),
        start_delay=int(clean.seconds(system.get("AutomaticStartupActionDelay"))),
        stop=clean.number(system.get("AutomaticShutdownAction"), 3),
        critical=clean.number(system.get("AutomaticCriticalErrorAction"), 1),
        checkpoint_type=clean.number(system.get("UserSnapshotType"), 3),
        automatic_checkpoints=clean.truth(system.get("AutomaticSnapshotsEnabled")) or False,
    )


# -- drives --------------------------------------------------------------------------------


def join_drives(parts: list[CimInstance]) -> tuple[Drive, ...]:
    """Drives in order of controller and slot, without their chains."""
    images = [part for part in parts if part.class_name == "Msvm_StorageAllocationSettingData"]
    disks = devices.join_disks(parts, images)
    holding = {paths.same(paths.key(image.get("Parent"), "InstanceID")): image for image in images}
    return tuple(
        Drive(
            id=disk.id,
            image_id=clean.text(image.get("InstanceID"))
            if (image := holding.get(paths.same(disk.id)))
            else "",
            controller=disk.controller,
            controller_number=disk.controller_number,
            slot=disk.slot,
            path=disk.path,
            dvd=disk.dvd,
            physical=disk.physical,
        )
        for found in disks.values()
        for disk in found
    )


def join_controllers(parts: list[CimInstance]) -> tuple[Controller, ...]:
    """Controllers with the slots in use."""
    drives = join_drives(parts)
    found: list[Controller] = []
    counts = {"IDE": 0, "SCSI": 0}
    for part in parts:
        kind = _CONTROLLERS.get(clean.number(part.get("ResourceType")))
        if kind is None:
            continue
        number, counts[kind] = counts[kind], counts[kind] + 1
        taken = tuple(
            drive.slot
            for drive in drives
            if (drive.controller, drive.controller_number) == (kind, number)
        )
        found.append(
            Controller(clean.text(part.get("InstanceID")), kind, number, SLOTS[kind], taken)
        )
    return tuple(found)


def _with_chain(client: CimClient, drive: Drive) -> Drive:
    if not drive.path or drive.physical or drive.dvd:
        return drive
    chain: list[Image] = []
    path = drive.path
    while path and len(chain) < LONGEST_CHAIN:
        image, path = read_image(client, path)
        chain.append(image)
    return Drive(
        drive.id,
        drive.image_id,
        drive.controller,
        drive.controller_number,
        drive.slot,
        drive.path,
        drive.dvd,
        drive.physical,
        tuple(chain),
    )


def read_image(client: CimClient, path: str) -> tuple[Image, str]:
    """One image file and the path of its parent (empty at the end of the chain)."""
    try:
        setting = describe(client, "GetVirtualHardDiskSettingData", "SettingData", path)
        state = describe(client, "GetVirtualHardDiskState", "State", path)
    except HvError as error:
        return Image(path, trouble=error.cause or error.title), ""
    image = Image(
        path,
        kind=clean.number(setting.get("Type")),
        format=clean.number(setting.get("Format")),
        size=clean.number(setting.get("MaxInternalSize")),
        used=clean.number(state.get("FileSize")),
        minimum=clean.number(state.get("MinInternalSize")),
    )
    return image, clean.text(setting.get("ParentPath"), limit=clean.LONG)


# -- adapters ------------------------------------------------------------------------------


def join_adapters(
    parts: list[CimInstance],
    features: Iterable[CimInstance],
    guests: list[CimInstance],
    switches: list[CimInstance],
) -> tuple[Adapter, ...]:
    """Adapters with their connection and the features of its port."""
    rows = list(features)
    ports = [part for part in parts if "EthernetPort" in part.class_name]
    vlans = [row for row in rows if row.class_name == "Msvm_EthernetSwitchPortVlanSettingData"]
    nics = networks.join_nics(ports, vlans, guests, switches)
    return tuple(_adapter(nic, ports, rows) for found in nics.values() for nic in found)


def _adapter(nic: Nic, ports: Iterable[CimInstance], features: Iterable[CimInstance]) -> Adapter:
    below = paths.same(nic.id) + "\\"
    mine = {
        row.class_name: row
        for row in features
        if paths.same(row.get("InstanceID")).startswith(below)
    }
    connection = next(
        (
            clean.text(port.get("InstanceID"))
            for port in ports
            if port.class_name == "Msvm_EthernetPortAllocationSettingData"
            and paths.same(port.get("InstanceID")).startswith(below)
        ),
        "",
    )
    vlan = mine.get("Msvm_EthernetSwitchPortVlanSettingData")
    guard = mine.get("Msvm_EthernetSwitchPortSecuritySettingData")
    speed = mine.get("Msvm_EthernetSwitchPortBandwidthSettingData")
    return Adapter(
        id=nic.id,
        name=nic.name,
        emulated=nic.kind is NicKind.EMULATED,
        mac=nic.mac,
        static_mac=nic.static_mac,
        connection=connection,
        connected=nic.connected,
        switch_id=nic.switch_id,
        switch_name=nic.switch_name,
        vlan=nic.vlan,
        vlan_id=_id(vlan),
        security_id=_id(guard),
        mac_spoofing=_flag(guard, "AllowMacSpoofing"),
        dhcp_guard=_flag(guard, "EnableDhcpGuard"),
        router_guard=_flag(guard, "EnableRouterGuard"),
        bandwidth_id=_id(speed),
        bandwidth_limit=_amount(speed, "Limit"),
        bandwidth_reservation=_amount(speed, "Reservation"),
        bandwidth_weight=_amount(speed, "Weight"),
        addresses=nic.addresses,
    )


def _id(row: CimInstance | None) -> str:
    return clean.text(row.get("InstanceID")) if row is not None else ""


def _flag(row: CimInstance | None, name: str) -> bool:
    return bool(row is not None and clean.truth(row.get(name)))


def _amount(row: CimInstance | None, name: str) -> int:
    return clean.number(row.get(name)) if row is not None else 0


# -- guest, groups, raw --------------------------------------------------------------------


def join_exchange(guest: CimInstance) -> tuple[tuple[str, str], ...]:
    """Name and value of every key-value pair the guest offers, intrinsic ones first."""
    found: list[tuple[str, str]] = []
    for name in ("GuestIntrinsicExchangeItems", "GuestExchangeItems"):
        items = guest.get(name)
        for item in items if isinstance(items, tuple) else ():
            try:
                values = from_text(str(item), VIRTUALIZATION)
            except WireError:
                continue  # one odd item must not cost the others
            found.append(
                (clean.text(values.get("Name")), clean.text(values.get("Data"), limit=clean.LONG))
            )
    return tuple(found)


def _groups(client: CimClient, vm_id: str) -> tuple[str, ...]:
    path = f'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="{vm_id}"'
    rows = _maybe(
        client, f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_CollectedVirtualSystems"
    )
    return tuple(sorted(clean.text(row.get("ElementName")) for row in rows))


def raw(instance: CimInstance) -> Instance:
    """An instance as text: what the host said, made safe to draw."""
    known = cim_class(instance.namespace or VIRTUALIZATION, instance.class_name)
    types: Mapping[str, CimProperty] = known.properties if known else {}
    return Instance(
        instance.class_name,
        tuple(
            (name, _as_text(value, types.get(name)))
            for name, value in sorted(instance.values.items(), key=lambda item: item[0].lower())
        ),
    )


def _as_text(value: CimValue, known: CimProperty | None) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(_as_text(item, known) for item in value)
    plain = known or CimProperty("", CimType.STRING)
    if isinstance(value, CimRef | CimInstance | bytes):
        return clean.text(str(value), limit=clean.LONG)
    scalar = CimProperty(plain.name, plain.type)
    return clean.text(text_of(value, scalar), limit=clean.LONG)

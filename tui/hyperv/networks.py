r"""Virtual switches, adapters and physical ports out of CIM instances.

Everything here is a function of its arguments. A port allocation whose InstanceID begins with a
VM's GUID connects an adapter; one that begins with a switch's GUID is that switch's own port.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from tui.hyperv import clean, paths
from tui.hyperv.model import Nic, NicKind, Switch, SwitchKind, Uplink, Vlan, VlanMode
from tui.wsman.cim import CimInstance, CimValue

_SYNTHETIC = "Msvm_SyntheticEthernetPortSettingData"
_EMULATED = "Msvm_EmulatedEthernetPortSettingData"
_CONNECTION = "Msvm_EthernetPortAllocationSettingData"
_EXTERNAL = frozenset({"msvm_externalethernetport", "msvm_wifiport"})
_HOST = "msvm_computersystem"
_DEFAULT_SWITCH = "C08CB7B8-9B3C-408E-8E30-5E16A3AEB444"
_GUEST_NETWORK = "microsoft:guestnetwork\\"
_PROMISCUOUS = 3
_ENABLED = 2
_OPERATIONAL = 2

Rows = Sequence[CimInstance]

# -- adapters ------------------------------------------------------------------------------


def join_nics(
    ports: Rows, vlans: Iterable[CimInstance], guests: Iterable[CimInstance], switches: Rows
) -> dict[str, tuple[Nic, ...]]:
    """Adapters by VM (and by checkpoint, which nobody asks for)."""
    names = {paths.guid(row.get("Name")): clean.text(row.get("ElementName")) for row in switches}
    connections = _connections(ports)
    tags = _vlans(vlans, ports)
    addresses = _addresses(guests)
    found: dict[str, list[Nic]] = {}
    for port in ports:
        if port.class_name not in (_SYNTHETIC, _EMULATED):
            continue
        identity = paths.same(port.get("InstanceID"))
        nic = _nic(port, connections.get(identity), names, tags.get(identity, Vlan()))
        nic_guid = next(iter(paths.guids(identity)[1:2]), "")
        known = addresses.get((paths.owner(identity), nic_guid), ())
        found.setdefault(paths.owner(identity), []).append(_addressed(nic, known))
    return {vm: tuple(nics) for vm, nics in found.items() if vm}


def _connections(ports: Rows) -> dict[str, CimInstance]:
    """The connection of each adapter by the adapter's InstanceID."""
    nics = {
        paths.same(port.get("InstanceID"))
        for port in ports
        if port.class_name in (_SYNTHETIC, _EMULATED)
    }
    found: dict[str, CimInstance] = {}
    for port in ports:
        if port.class_name != _CONNECTION:
            continue
        owner = paths.same(paths.key(port.get("Parent"), "InstanceID"))
        owner = owner or _nearest(paths.same(port.get("InstanceID")), nics)
        if owner:
            found[owner] = port
    return found


def _nearest(identity: str, known: Iterable[str]) -> str:
    """The known InstanceID that another one continues; itself included."""
    candidates = known if isinstance(known, set | dict) else set(known)
    while identity and identity not in candidates:
        identity = paths.above(identity)
    return identity


def _nic(
    port: CimInstance, connection: CimInstance | None, names: Mapping[str, str], vlan: Vlan
) -> Nic:
    target = clean.first(connection.get("HostResource")) if connection else None
    switch_id = paths.guid(paths.key(target, "Name"))
    connected = bool(switch_id) and bool(connection and connection.get("EnabledState") == _ENABLED)
    last = clean.text(connection.get("LastKnownSwitchName")) if connection else ""
    return Nic(
        id=clean.text(port.get("InstanceID")),
        name=clean.text(port.get("ElementName")),
        kind=NicKind.SYNTHETIC if port.class_name == _SYNTHETIC else NicKind.EMULATED,
        mac=clean.text(port.get("Address")).upper(),
        static_mac=port.get("StaticMacAddress") is True,
        connected=connected,
        switch_id=switch_id if connected else "",
        switch_name=names.get(switch_id, last) if connected else last,
        vlan=vlan,
    )


def _addressed(nic: Nic, addresses: tuple[str, ...]) -> Nic:
    return replace(nic, addresses=addresses) if addresses else nic


# -- VLANs ---------------------------------------------------------------------------------


def _vlans(rows: Iterable[CimInstance], ports: Rows) -> dict[str, Vlan]:
    """VLAN settings by InstanceID of the adapter they hang below."""
    nics = {
        paths.same(port.get("InstanceID"))
        for port in ports
        if port.class_name in (_SYNTHETIC, _EMULATED)
    }
    found: dict[str, Vlan] = {}
    for row in rows:
        nic = _nearest(paths.same(row.get("InstanceID")), nics)
        if nic:
            found[nic] = join_vlan(row)
    return found


def join_vlan(row: CimInstance) -> Vlan:
    """One VLAN setting."""
    match row.get("OperationMode"):
        case 1:
            return Vlan(VlanMode.ACCESS, clean.number(row.get("AccessVlanId")))
        case 2:
            return Vlan(
                VlanMode.TRUNK,
                clean.number(row.get("NativeVlanId")),
                trunk=_numbers(row.get("TrunkVlanIdArray")),
            )
        case 3:
            private = clean.number(row.get("PvlanMode"))
            several = _numbers(row.get("SecondaryVlanIdArray")) if private == _PROMISCUOUS else ()
            return Vlan(
                VlanMode.PRIVATE,
                clean.number(row.get("PrimaryVlanId")),
                trunk=several,
                secondary=0 if several else clean.number(row.get("SecondaryVlanId")),
                private=private,
            )
        case _:
            return Vlan()


def _numbers(value: CimValue) -> tuple[int, ...]:
    return tuple(n for n in value if isinstance(n, int)) if isinstance(value, tuple) else ()


# -- guest addresses -----------------------------------------------------------------------


def _addresses(rows: Iterable[CimInstance]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Addresses the guest reports by (VM, adapter GUID), IPv4 first."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows:
        identity = paths.same(row.get("InstanceID"))
        parts = paths.guids(identity)
        if identity.startswith(_GUEST_NETWORK) and len(parts) == 2:
            known = sorted(filter(_is_address, clean.texts(row.get("IPAddresses"))), key=_version)
            found[parts[0], parts[1]] = tuple(known)
    return found


def _is_address(text: str) -> bool:
    """Guests may report anything; only what is an address is shown as one."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _version(address: str) -> int:
    return 6 if ":" in address else 4


# -- physical ports ------------------------------------------------------------------------


def join_uplinks(ports: Iterable[CimInstance]) -> tuple[Uplink, ...]:
    """Physical adapters a switch can use, by name."""
    found = [
        Uplink(
            id=clean.text(port.get("DeviceID")),
            name=clean.text(port.get("ElementName")) or clean.text(port.get("Name")),
            mac=clean.text(port.get("PermanentAddress")).upper(),
            speed=clean.number(port.get("Speed")) or clean.number(port.get("MaxSpeed")),
            bound=port.get("IsBound") is True,
            connected=port.get("EnabledState") == _ENABLED
            and clean.first(port.get("OperationalStatus")) in (None, _OPERATIONAL),
        )
        for port in ports
    ]
    return tuple(sorted(found, key=lambda uplink: (uplink.name, uplink.id)))


# -- switches ------------------------------------------------------------------------------


def join_switches(
    host: str,
    switches: Rows,
    settings: Iterable[CimInstance],
    ports: Rows,
    uplinks: Iterable[Uplink],
    nics: Mapping[str, tuple[str, tuple[Nic, ...]]],
) -> dict[str, Switch]:
    """Switches of one host. ``nics`` maps VM GUID to its name and adapters."""
    options = {_system_of(row): row for row in settings}
    cards = {paths.same(uplink.id): uplink.name for uplink in uplinks}
    found: dict[str, Switch] = {}
    for row in switches:
        guid = paths.guid(row.get("Name"))
        if not guid:
            continue
        option = options.get(guid)
        external, shared = _reach(guid, ports, cards)
        connected = [
            (name, vm, nic)
            for vm, (name, adapters) in nics.items()
            for nic in adapters
            if nic.switch_id == guid
        ]
        found[f"{host}:{guid}"] = Switch(
            id=f"{host}:{guid}",
            host=host,
            guid=guid,
            name=clean.text(row.get("ElementName")) or guid,
            kind=_kind(guid, external=bool(external), shared=shared),
            uplinks=external,
            shared=shared,
            teaming=option is not None and option.get("TeamingEnabled") is True,
            iov=option is not None and option.get("IOVPreferred") is True,
            ports=len(connected),
            vms=tuple(dict.fromkeys(vm for _, vm, _ in sorted(connected, key=lambda c: c[:2]))),
            vlans=_tags_in_use(nic for _, _, nic in connected),
        )
    return found


def _system_of(row: CimInstance) -> str:
    return paths.guid(row.get("VirtualSystemIdentifier")) or paths.owner(row.get("InstanceID"))


def _reach(guid: str, ports: Rows, cards: Mapping[str, str]) -> tuple[tuple[str, ...], bool]:
    """Names of the physical adapters behind a switch, and whether the host has a port on it."""
    external: list[str] = []
    shared = False
    for port in ports:
        if port.class_name != _CONNECTION or paths.owner(port.get("InstanceID")) != guid:
            continue
        targets = port.get("HostResource")
        for target in targets if isinstance(targets, tuple) else ():
            kind = paths.class_of(target).lower()
            if kind in _EXTERNAL:
                device = paths.key(target, "DeviceID")
                external.append(cards.get(paths.same(device)) or clean.text(device))
            shared = shared or kind == _HOST
    return tuple(external), shared


def _kind(guid: str, *, external: bool, shared: bool) -> SwitchKind:
    if guid == _DEFAULT_SWITCH:
        return SwitchKind.NAT
    if external:
        return SwitchKind.EXTERNAL
    return SwitchKind.INTERNAL if shared else SwitchKind.PRIVATE


def _tags_in_use(nics: Iterable[Nic]) -> tuple[int, ...]:
    tags: set[int] = set()
    for nic in nics:
        tags.update(nic.vlan.trunk)
        if nic.vlan.mode is not VlanMode.UNTAGGED and nic.vlan.id:
            tags.add(nic.vlan.id)
        if nic.vlan.secondary:
            tags.add(nic.vlan.secondary)
    return tuple(sorted(tags))

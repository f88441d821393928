"""Virtual switches: making, renaming, changing what they reach, taking away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.errors import Refused
from tui.hyperv import clean, paths
from tui.hyperv.ops.calling import by_instance_id, embedded, invoke, service_ref
from tui.hyperv.ops.making import Making, Place
from tui.hyperv.outcome import Outcome, Step, Steps
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_SERVICE = "Msvm_VirtualEthernetSwitchManagementService"
_SWITCH = "Msvm_VirtualEthernetSwitch"
_SETTINGS = "Msvm_VirtualEthernetSwitchSettingData"
_PORT = "Msvm_EthernetPortAllocationSettingData"
_CARDS = ("Msvm_ExternalEthernetPort", "Msvm_WiFiPort")
_HOST = "Msvm_ComputerSystem"


@dataclass(frozen=True, slots=True)
class NewSwitch:
    """What a switch to be made is like."""

    name: str
    uplinks: tuple[str, ...] = ()
    """DeviceIDs of physical adapters: none for an internal or private one, several for a team."""
    shared: bool = False
    """The management operating system gets a port."""
    team: bool = False
    iov: bool = False
    bandwidth: int = 0
    """BandwidthReservationMode: 0 default, 1 weight, 2 absolute, 3 none."""
    notes: str = ""


# -- making --------------------------------------------------------------------------------


def create(client: CimClient, place: Place, new: NewSwitch) -> Outcome:
    """Make a switch with all its ports in one call."""
    title = f"{new.name} was not created"
    cards = [_card(client, place, device, title) for device in new.uplinks]
    ports = [_port({"HostResource": (card,)}, f"{new.name}_External") for card in cards]
    if new.shared:
        ports.append(_port({"HostResource": (_host_path(place),)}, new.name))
    settings: dict[str, CimValue] = {"ElementName": new.name}
    if new.team:
        settings["TeamingEnabled"] = True
    if new.iov:
        settings["IOVPreferred"] = True
    if new.bandwidth:
        settings["BandwidthReservationMode"] = new.bandwidth
    if new.notes:
        settings["Notes"] = (new.notes,)
    return _invoke(
        client,
        "DefineSystem",
        "create",
        new.name,
        SystemSettings=embedded(_SETTINGS, settings),
        ResourceSettings=tuple(ports) or None,
    )


def _port(values: Mapping[str, CimValue], name: str) -> str:
    return embedded(_PORT, {"ElementName": name, **values})


def _host_path(place: Place) -> str:
    keys = (("CreationClassName", _HOST), ("Name", place.computer))
    return place.path(CimRef(_HOST, keys, VIRTUALIZATION))


def _card(client: CimClient, place: Place, device: str, title: str) -> str:
    """The object path of a physical adapter. Refused when it is gone or taken."""
    for class_name in _CARDS:
        rows = client.query(VIRTUALIZATION, f"SELECT * FROM {class_name}")
        for row in rows:
            if paths.same(row.get("DeviceID")) == paths.same(device):
                return _free(place, row, title)
    raise Refused(title, cause="the physical adapter is not on the host any more")


def _free(place: Place, row: CimInstance, title: str) -> str:
    name = clean.text(row.get("ElementName")) or clean.text(row.get("Name"))
    if row.get("IsBound") is True:
        raise Refused(
            title, cause=f"another virtual switch has {name}", hint="choose one that is free"
        )
    names = ("SystemCreationClassName", "SystemName", "CreationClassName", "DeviceID")
    keys = tuple((key, str(row.get(key) or "")) for key in names)
    return place.path(CimRef(row.class_name, keys, VIRTUALIZATION))


# -- changing ------------------------------------------------------------------------------


def rename(client: CimClient, guid: str, name: str, new_name: str) -> Outcome:
    """Give another name; machines stay connected."""
    values = {"InstanceID": f"Microsoft:{guid}", "ElementName": new_name}
    settings = embedded(_SETTINGS, values)
    return _invoke(client, "ModifySystemSettings", "rename", name, SystemSettings=settings)


def change(
    client: CimClient,
    place: Place,
    guid: str,
    name: str,
    *,
    uplink: str | None = None,
    shared: bool | None = None,
) -> Steps:
    """Another uplink (empty: none), a port for the management system or none; None: as it is."""
    ports = _ports(client, guid)
    title = f"{name} was not changed"
    external = [port for port in ports if _reaches(port, _CARDS)]
    internal = [port for port in ports if _reaches(port, (_HOST,))]
    card = _card(client, place, uplink, title) if uplink else ""
    with Making(f"{name} is only partly changed") as making:
        if uplink is not None:
            yield Step(f"Changing the uplink of {name}", _move(client, guid, name, external, card))
            making.add(f"{name} has its new uplink" if card else f"{name} has no uplink any more")
        if shared and not internal:
            port = _port({"HostResource": (_host_path(place),)}, name)
            yield Step("Giving the host a port", _add(client, guid, name, port))
        elif shared is False and internal:
            yield Step("Taking the host's port away", _remove(client, name, internal))


def _ports(client: CimClient, guid: str) -> list[CimInstance]:
    rows = client.query(
        VIRTUALIZATION, f"SELECT * FROM {_PORT} WHERE InstanceID LIKE 'Microsoft:{guid}%'"
    )
    return [row for row in rows if paths.owner(row.get("InstanceID")) == guid.upper()]


def _reaches(port: CimInstance, classes: Sequence[str]) -> bool:
    wanted = {name.lower() for name in classes}
    targets = port.get("HostResource")
    found = targets if isinstance(targets, tuple) else ()
    return any(paths.class_of(target).lower() in wanted for target in found)


def _move(
    client: CimClient, guid: str, name: str, external: Sequence[CimInstance], card: str
) -> Outcome:
    if not card:
        return _remove(client, name, external)
    if not external:
        return _add(client, guid, name, _port({"HostResource": (card,)}, f"{name}_External"))
    values: dict[str, CimValue] = {
        "InstanceID": external[0].get("InstanceID"),
        "HostResource": (card,),
    }
    texts = (embedded(_PORT, values),)
    return _invoke(
        client, "ModifyResourceSettings", "change the uplink of", name, ResourceSettings=texts
    )


def _add(client: CimClient, guid: str, name: str, port: str) -> Outcome:
    return _invoke(
        client,
        "AddResourceSettings",
        "add a port to",
        name,
        AffectedConfiguration=by_instance_id(_SETTINGS, f"Microsoft:{guid}"),
        ResourceSettings=(port,),
    )


def _remove(client: CimClient, name: str, ports: Sequence[CimInstance]) -> Outcome:
    refs = tuple(by_instance_id(_PORT, str(port.get("InstanceID"))) for port in ports)
    return _invoke(
        client, "RemoveResourceSettings", "take a port from", name, ResourceSettings=refs
    )


# -- taking away ---------------------------------------------------------------------------


def delete(client: CimClient, guid: str, name: str) -> Outcome:
    """Take the switch away; adapters of machines stay, unconnected."""
    keys = (("CreationClassName", _SWITCH), ("Name", guid))
    ref = CimRef(_SWITCH, keys, VIRTUALIZATION)
    return _invoke(client, "DestroySystem", "delete", name, AffectedSystem=ref)


def _invoke(
    client: CimClient, method: str, verb: str, name: str, **parameters: CimValue
) -> Outcome:
    return invoke(client, service_ref(_SERVICE), method, verb, name, **parameters)

"""Integration services of a virtual machine: offered to the guest, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.errors import Refused
from tui.hyperv import clean, paths
from tui.hyperv.devices import SERVICES
from tui.hyperv.ops.calling import modify_resources
from tui.hyperv.outcome import Done, Outcome
from tui.wsman.cim import CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_ON, _OFF = 2, 3
_WORDS = dict(SERVICES)


def offer_service(client: CimClient, vm_id: str, name: str, service: str, *, on: bool) -> Outcome:
    """Offer a service (our name of it) to the guest, or withdraw it."""
    class_name = f"Msvm_{_WORDS[service]}ComponentSettingData"
    rows = client.query(
        VIRTUALIZATION,
        f"SELECT InstanceID, EnabledState FROM {class_name} "
        f"WHERE InstanceID LIKE 'Microsoft:{vm_id}%'",
    )
    mine = [row for row in rows if paths.owner(row.get("InstanceID")) == vm_id.upper()]
    if not mine:
        raise Refused(
            f"{name} has no {service} service",
            cause="its host does not offer this integration service to it",
            hint="older hosts and machines have fewer of them",
        )
    wanted = _ON if on else _OFF
    if mine[0].get("EnabledState") == wanted:
        return Done()
    values: dict[str, CimValue] = {
        "InstanceID": clean.text(mine[0].get("InstanceID")),
        "EnabledState": wanted,
    }
    verb = f"{'enable' if on else 'disable'} the {service} service of"
    return modify_resources(client, name, verb, [(class_name, values)])

"""Settings of a host's services: where things are kept, NUMA, sessions, live migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.errors import WireError
from tui.hyperv.ops import files
from tui.hyperv.ops.calling import embedded, invoke, service_ref
from tui.hyperv.ops.making import Making
from tui.hyperv.outcome import Outcome, Step, Steps
from tui.wsman.cim import CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_MANAGEMENT = "Msvm_VirtualSystemManagementServiceSettingData"
_MIGRATION = "Msvm_VirtualSystemMigrationServiceSettingData"
_FOLDERS = ("DefaultVirtualHardDiskPath", "DefaultExternalDataRoot")


def change(
    client: CimClient,
    name: str,
    management: Mapping[str, CimValue],
    migration: Mapping[str, CimValue],
) -> Steps:
    """Change properties of the two services; only those given are sent."""
    for key in _FOLDERS:
        if management.get(key):
            files.require_folder(client, str(management[key]), f"{name} was not changed")
    with Making(f"The settings of {name} are only partly changed") as making:
        if management:
            yield Step(
                f"Changing {name}",
                _modify(
                    client,
                    name,
                    "Msvm_VirtualSystemManagementService",
                    "SettingData",
                    _MANAGEMENT,
                    management,
                ),
            )
            making.add(", ".join(management))
        if migration:
            yield Step(
                f"Changing live migration of {name}",
                _modify(
                    client,
                    name,
                    "Msvm_VirtualSystemMigrationService",
                    "ServiceSettingData",
                    _MIGRATION,
                    migration,
                ),
            )


def _modify(
    client: CimClient,
    name: str,
    service: str,
    parameter: str,
    class_name: str,
    changes: Mapping[str, CimValue],
) -> Outcome:
    rows = client.query(VIRTUALIZATION, f"SELECT * FROM {class_name}")
    if not rows:
        raise WireError(f"{name} does not tell its settings", cause=f"no {class_name}")
    values = {"InstanceID": rows[0].get("InstanceID"), **changes}
    text = embedded(class_name, values)
    verb = "change the settings of"
    return invoke(
        client, service_ref(service), "ModifyServiceSettings", verb, name, **{parameter: text}
    )

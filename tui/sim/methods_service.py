"""Methods: settings of the host's services (virtual machine management, migration)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui.sim import nics, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.outcome import FAILED, INVALID, Call, Method, Stop
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

MANAGEMENT = "Msvm_VirtualSystemManagementServiceSettingData"
MIGRATION = "Msvm_VirtualSystemMigrationServiceSettingData"
FIXED = frozenset({"InstanceID", "Caption", "Description", "HypervisorRootSchedulerEnabled"})
FOLDERS = ("DefaultExternalDataRoot", "DefaultVirtualHardDiskPath")
_FOLDER = re.compile(r"(?:[A-Za-z]:\\|\\\\[^\\/:*?\"<>|]+\\[^\\/:*?\"<>|]+)[^/:*?\"<>|]*$")
BOUNDS: Mapping[str, tuple[int, int]] = {
    "AuthenticationType": (0, 1),
    "MaximumActiveVirtualSystemMigration": (0, 1024),
    "MaximumActiveStorageMigration": (0, 1024),
    "DefaultVirtualHardDiskCachingMode": (0, 2),
    "HbaLunTimeout": (0, 600),
}


def _asked(call: Call, parameter: str, class_name: str) -> tuple[CimInstance, dict[str, CimValue]]:
    """The only instance of a class of settings, and what a client wants different in it."""
    given = call.embedded(call.get(parameter))
    if given.class_name != class_name:
        raise Stop(INVALID)
    present = next(iter(call.host.repository.instances(shapes.VIRTUALIZATION, class_name)))
    changes: dict[str, CimValue] = {}
    for name, value in given.values.items():
        old = present.values.get(name)
        if name in FIXED or name not in present.values or value is None or value == old:
            continue
        if isinstance(old, bool) and not isinstance(value, bool):
            raise Stop(INVALID)
        low, high = BOUNDS.get(name, (0, 0))
        if name in BOUNDS and not (isinstance(value, int) and low <= value <= high):
            raise Stop(INVALID)
        changes[name] = value
    return present, changes


def modify_management(call: Call) -> MethodOutput:
    present, changes = _asked(call, "SettingData", MANAGEMENT)
    for name in FOLDERS:
        value = changes.get(name)
        if name in changes and not (isinstance(value, str) and _FOLDER.match(value)):
            raise Stop(INVALID)
    _check_pool(present.values | changes, changes)

    def done(at: float) -> tuple[CimRef, ...]:
        present.values.update(changes)
        return ()

    return call.job(Work(4, "Modifying Management Service Settings", 0.4, done))


def _check_pool(after: Mapping[str, CimValue], changes: dict[str, CimValue]) -> None:
    """The pool of hardware addresses runs upwards from one address of a station to another."""
    ends = ("MinimumMacAddress", "MaximumMacAddress")
    if changes.keys().isdisjoint(ends):
        return
    low, high = (after[name] for name in ends)
    if not nics.is_address(low) or not nics.is_address(high):
        raise Stop(INVALID)
    if int(str(low), 16) > int(str(high), 16):
        raise Stop(INVALID)
    for name in ends:
        changes[name] = str(after[name]).upper()


def modify_migration(call: Call) -> MethodOutput:
    """A host outside a domain has nobody to trust and cannot be made to migrate."""
    present, changes = _asked(call, "ServiceSettingData", MIGRATION)
    error = None
    if changes.get("EnableVirtualSystemMigration") and not call.host.plan.domain:
        error = JobError(FAILED, "Virtual machine migration needs a computer that is in a domain.")

    def done(at: float) -> tuple[CimRef, ...]:
        present.values.update(changes)
        return ()

    return call.job(Work(4, "Modifying Migration Service Settings", 0.4, done, error=error))


METHODS: dict[tuple[str, str], Method] = {
    ("Msvm_VirtualSystemManagementService", "ModifyServiceSettings"): modify_management,
    ("Msvm_VirtualSystemMigrationService", "ModifyServiceSettings"): modify_migration,
}

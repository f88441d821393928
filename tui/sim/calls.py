"""Whether a method call fits the class: the method exists, its parameters are there and hold."""

from __future__ import annotations

from collections.abc import Mapping

from tui.wsman.cim import RANGES, CimClass, CimMethod, CimProperty, CimValue
from tui.wsman.fault import refuse
from tui.wsman.values import Wsman

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "RequestStateChange": ("RequestedState",),
    "InitiateShutdown": ("Force", "Reason"),
    "InitiateReboot": ("Force", "Reason"),
    "DestroySystem": ("AffectedSystem",),
    "ModifySystemSettings": ("SystemSettings",),
    "ModifyResourceSettings": ("ResourceSettings",),
    "AddResourceSettings": ("AffectedConfiguration", "ResourceSettings"),
    "RemoveResourceSettings": ("ResourceSettings",),
    "ModifyFeatureSettings": ("FeatureSettings",),
    "AddFeatureSettings": ("AffectedConfiguration", "FeatureSettings"),
    "RemoveFeatureSettings": ("FeatureSettings",),
    "GetSummaryInformation": ("RequestedInformation",),
    "GetVirtualSystemThumbnailImage": ("TargetSystem", "WidthPixels", "HeightPixels"),
    "CreateSnapshot": ("AffectedSystem",),
    "DefineCollection": ("Name",),
    "DestroyCollection": ("Collection",),
    "RenameCollection": ("Collection", "NewName"),
    "AddMember": ("Member", "Collection"),
    "RemoveMember": ("Member", "Collection"),
    "ModifySecuritySettings": ("SecuritySettingData",),
    "SetKeyProtector": ("SecuritySettingData", "KeyProtector"),
    "GetKeyProtector": ("SecuritySettingData",),
    "ModifyGuestServiceSettings": ("GuestServiceSettings",),
    "ApplySnapshot": ("Snapshot",),
    "DestroySnapshot": ("AffectedSnapshot",),
    "DestroySnapshotTree": ("SnapshotSettingData",),
    "MigrateVirtualSystemToHost": ("ComputerSystem",),
    "CheckVirtualSystemIsMigratableToHost": ("ComputerSystem",),
    "CheckVirtualSystemIsMigratable": ("ComputerSystem",),
    "GetSystemCompatibilityInfo": ("ComputerSystem",),
    "CheckSystemCompatibilityInfo": ("CompatibilityInfo",),
    "RequestReplicationStateChange": ("RequestedState",),
    "RequestReplicationStateChangeEx": ("ReplicationRelationship", "RequestedState"),
    "CreateReplicationRelationship": ("ComputerSystem", "ReplicationSettingData"),
    "ModifyReplicationSettings": ("ComputerSystem", "ReplicationSettingData"),
    "ReverseReplicationRelationship": ("ComputerSystem", "ReplicationSettingData"),
    "RemoveReplicationRelationship": ("ComputerSystem",),
    "RemoveReplicationRelationshipEx": ("ComputerSystem", "ReplicationRelationship"),
    "StartReplication": ("ComputerSystem", "InitialReplicationType"),
    "InitiateFailover": ("ComputerSystem",),
    "RevertFailover": ("ComputerSystem",),
    "CommitFailover": ("ComputerSystem",),
    "TestReplicaSystem": ("ComputerSystem",),
    "Resynchronize": ("ComputerSystem",),
}
"""Parameters without which a call means nothing; the class table does not tell."""


STATIC: Mapping[str, tuple[str, ...]] = {
    "MSFT_HgsGuardian": ("NewByGenerateCertificates",),
    "MSFT_HgsKeyProtector": ("NewByGuardians",),
}
"""Methods of a class and not of its instances: they are called without selectors."""


def method_of(cls: CimClass, name: str) -> CimMethod:
    """The method by its name in any case."""
    lowered = name.lower()
    for method in cls.methods.values():
        if method.name.lower() == lowered:
            return method
    raise refuse(Wsman.ACTION_NOT_SUPPORTED, f"{cls.name} has no method {name[:80]}.")


def check(method: CimMethod, parameters: Mapping[str, CimValue]) -> None:
    """Refuse parameters that are missing or out of the range of their type."""
    for name in REQUIRED.get(method.name, ()):
        if name in method.inputs and parameters.get(name) is None:
            raise refuse(Wsman.SCHEMA_VALIDATION_ERROR, f"The parameter {name} is missing.")
    for name, value in parameters.items():
        prop = method.inputs.get(name)
        if prop is None:
            raise refuse(
                Wsman.SCHEMA_VALIDATION_ERROR, f"{method.name} has no parameter {name[:80]}."
            )
        if not all(_fits(one, prop) for one in (value if isinstance(value, tuple) else (value,))):
            raise refuse(
                Wsman.PARAMETER_TYPE_MISMATCH, f"{name} does not fit its type {prop.type}."
            )


def _fits(value: CimValue, prop: CimProperty) -> bool:
    if not isinstance(value, int):
        return True
    low, high = RANGES.get(prop.type, (value, value))
    return low <= value <= high

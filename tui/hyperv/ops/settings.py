"""Processor, memory, security, automatic actions and version of a virtual machine.

Each verb compares with what the machine has and sends only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from tui.errors import Fault, HvError, MethodFailed, Refused
from tui.hyperv import meanings
from tui.hyperv.ops.calling import (
    embedded,
    invoke,
    modify_resources,
    modify_settings,
    service_ref,
    settings_ref,
    vm_ref,
)
from tui.hyperv.ops.making import Making
from tui.hyperv.outcome import Done, Outcome, Step, Steps
from tui.hyperv.sheet import Automatic, Memory, Processor, Security
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

MEGABYTE = 1 << 20
_PROCESSOR = "Msvm_ProcessorSettingData"
_MEMORY = "Msvm_MemorySettingData"
_SECURITY = "Msvm_SecuritySettingData"


def _changes(pairs: Mapping[str, tuple[CimValue, CimValue]]) -> dict[str, CimValue]:
    """What differs of property: (now, wanted)."""
    return {name: wanted for name, (now, wanted) in pairs.items() if now != wanted}


# -- processor, memory ---------------------------------------------------------------------


def set_processor(client: CimClient, name: str, now: Processor, wanted: Processor) -> Outcome:
    """Count, shares and features of the virtual processors."""
    changes = _changes(
        {
            "VirtualQuantity": (now.count, wanted.count),
            "Reservation": (now.reservation, wanted.reservation),
            "Limit": (now.limit, wanted.limit),
            "Weight": (now.weight, wanted.weight),
            "ExposeVirtualizationExtensions": (now.nested, wanted.nested),
            "LimitProcessorFeatures": (now.compatible, wanted.compatible),
        }
    )
    if not changes:
        return Done()
    return modify_resources(
        client, name, "set the processor of", [(_PROCESSOR, {"InstanceID": now.id, **changes})]
    )


def set_memory(client: CimClient, vm_id: str, name: str, now: Memory, wanted: Memory) -> Steps:
    """Sizes, buffer and weight of the memory; static memory has all three sizes the same.

    Dynamic memory and virtual NUMA exclude each other, so virtual NUMA is switched with it:
    before it when dynamic memory comes, after it when it goes.
    """
    changes = _memory_changes(now, wanted)
    if not changes:
        return
    switched = now.dynamic != wanted.dynamic
    gave_up_numa = False
    if switched and wanted.dynamic and _has_numa(client, vm_id):
        yield Step("Switching virtual NUMA off", _set_numa(client, vm_id, name, on=False))
        gave_up_numa = True
    try:
        yield Step(
            "Setting the memory",
            modify_resources(
                client, name, "set the memory of", [(_MEMORY, {"InstanceID": now.id, **changes})]
            ),
        )
    except HvError:
        if gave_up_numa:
            yield Step("Switching virtual NUMA on again", _set_numa(client, vm_id, name, on=True))
        raise
    if switched and not wanted.dynamic and not _has_numa(client, vm_id):
        yield Step("Switching virtual NUMA on", _set_numa(client, vm_id, name, on=True))


def _memory_changes(now: Memory, wanted: Memory) -> dict[str, CimValue]:
    minimum, maximum = wanted.minimum, wanted.maximum
    if not wanted.dynamic:
        resized = wanted.startup != now.startup or now.dynamic
        minimum = maximum = wanted.startup
        if not resized:
            minimum, maximum = now.minimum, now.maximum
    return _changes(
        {
            "VirtualQuantity": (now.startup // MEGABYTE, wanted.startup // MEGABYTE),
            "Reservation": (now.minimum // MEGABYTE, minimum // MEGABYTE),
            "Limit": (now.maximum // MEGABYTE, maximum // MEGABYTE),
            "TargetMemoryBuffer": (now.buffer, wanted.buffer),
            "Weight": (now.weight, wanted.weight),
            "DynamicMemoryEnabled": (now.dynamic, wanted.dynamic),
        }
    )


def _has_numa(client: CimClient, vm_id: str) -> bool:
    return client.get(settings_ref(vm_id)).get("VirtualNumaEnabled") is True


def _set_numa(client: CimClient, vm_id: str, name: str, *, on: bool) -> Outcome:
    return modify_settings(
        client, vm_id, name, "set the virtual NUMA of", {"VirtualNumaEnabled": on}
    )


# -- security ------------------------------------------------------------------------------

HGS = "root/Microsoft/Windows/HGS"
_GUARDIAN = "UntrustedGuardian"
"""The guardian Hyper-V Manager, too, seals the keys of local virtual TPMs with."""
_EMPTY_PROTECTOR = 4
"""Bytes of the answer for a machine without a key protector."""


def set_security(
    client: CimClient, vm_id: str, name: str, now: Security, wanted: Security
) -> Steps:
    """Secure boot and its template, virtual TPM, encryption of state and migration traffic."""
    system = _changes(
        {
            "SecureBootEnabled": (now.secure_boot, wanted.secure_boot),
            "SecureBootTemplateId": (now.template, wanted.template),
        }
    )
    flags = _changes(
        {
            "TpmEnabled": (now.tpm, wanted.tpm),
            "EncryptStateAndVmMigrationTraffic": (now.encrypt_traffic, wanted.encrypt_traffic),
        }
    )
    with Making(f"Setting the security of {name}") as making:
        if system:
            outcome = modify_settings(client, vm_id, name, "set the secure boot of", system)
            yield Step("Setting secure boot", outcome)
            making.add(f"secure boot of {name} as wanted")
            making.undo = _security_undo(vm_id, now)
        if flags.get("TpmEnabled") and not _has_key(client, now.id, name):
            yield Step("Sealing a key for the virtual TPM", _seal(client, now.id, name))
            making.add(f"a key protector of {name}")
        if flags:
            yield Step("Setting the security", _set_flags(client, now.id, name, flags))


def _security_undo(vm_id: str, now: Security) -> tuple[str, str, dict[str, object]]:
    return (
        "vm.set-security",
        vm_id,
        {"secure_boot": now.secure_boot, "template": now.template, "tpm": now.tpm},
    )


def _about(setting_id: str, values: Mapping[str, CimValue] | None = None) -> str:
    return embedded(_SECURITY, {"InstanceID": setting_id, **(values or {})})


def _security_service() -> CimRef:
    return service_ref("Msvm_SecurityService")


def _set_flags(
    client: CimClient, setting_id: str, name: str, flags: Mapping[str, CimValue]
) -> Outcome:
    return invoke(
        client, _security_service(), "ModifySecuritySettings", "set the security of", name,
        SecuritySettingData=_about(setting_id, flags),
    )  # fmt: skip


def _has_key(client: CimClient, setting_id: str, name: str) -> bool:
    """A protector must never be replaced: what it seals could not be read any more."""
    output = client.invoke(
        _security_service(), "GetKeyProtector", SecuritySettingData=_about(setting_id)
    )
    if output.return_value != 0:
        cause, hint = meanings.of_return(output.return_value)
        raise MethodFailed(
            f"Could not read the key protector of {name}", cause=cause, hint=hint,
            method="Msvm_SecurityService.GetKeyProtector", code=output.return_value,
        )  # fmt: skip
    key = output.values.get("KeyProtector")
    return isinstance(key, bytes | tuple) and len(key) > _EMPTY_PROTECTOR


def _seal(client: CimClient, setting_id: str, name: str) -> Outcome:
    """A key protector of this host's own guardian: the machine starts on this host alone."""
    try:
        output = client.invoke(
            CimRef("MSFT_HgsKeyProtector", (), HGS),
            "NewByGuardians",
            Owner=_guardian(client),
            AllowUntrustedRoot=True,
        )
    except Fault as fault:
        raise _no_guardian(name, fault) from fault
    made = output.values.get("cmdletOutput")
    raw = made.get("RawData") if isinstance(made, CimInstance) else None
    if output.return_value != 0 or not raw:
        raise _no_guardian(name)
    return invoke(
        client, _security_service(), "SetKeyProtector", "seal a key for", name,
        SecuritySettingData=_about(setting_id), KeyProtector=raw,
    )  # fmt: skip


def _guardian(client: CimClient) -> CimInstance:
    """The local guardian, made on first use."""
    known = client.query(HGS, f"SELECT * FROM MSFT_HgsGuardian WHERE Name = '{_GUARDIAN}'")
    if known:
        return known[0]
    output = client.invoke(
        CimRef("MSFT_HgsGuardian", (), HGS),
        "NewByGenerateCertificates",
        Name=_GUARDIAN,
        GenerateCertificates=True,
    )
    made = output.values.get("cmdletOutput")
    return made if isinstance(made, CimInstance) else CimInstance("MSFT_HgsGuardian", {}, HGS)


def _no_guardian(name: str, fault: Fault | None = None) -> Refused:
    return Refused(
        f"Could not seal a key for the virtual TPM of {name}",
        cause=fault.title if fault else "the host's guardian service gave no key",
        hint="the host needs the feature Host Guardian Hyper-V Support, or an account that may "
        "use it",
        code=fault.code if fault else 0,
    )


# -- automatic actions, version ------------------------------------------------------------


def set_automatic(
    client: CimClient, vm_id: str, name: str, now: Automatic, wanted: Automatic
) -> Outcome:
    """What happens by itself when the host starts, stops or loses storage; checkpoint policy."""
    changes = _changes(
        {
            "AutomaticStartupAction": (now.start, wanted.start),
            "AutomaticStartupActionDelay": (
                timedelta(seconds=now.start_delay),
                timedelta(seconds=wanted.start_delay),
            ),
            "AutomaticShutdownAction": (now.stop, wanted.stop),
            "AutomaticCriticalErrorAction": (now.critical, wanted.critical),
            "UserSnapshotType": (now.checkpoint_type, wanted.checkpoint_type),
            "AutomaticSnapshotsEnabled": (
                now.automatic_checkpoints,
                wanted.automatic_checkpoints,
            ),
        }
    )
    if not changes:
        return Done()
    return modify_settings(client, vm_id, name, "set the automatic actions of", changes)


def upgrade_version(client: CimClient, vm_id: str, name: str) -> Outcome:
    """The newest configuration version of its host. There is no way back."""
    return invoke(
        client, service_ref(), "UpgradeSystemVersion", "upgrade the version of", name,
        ComputerSystem=vm_ref(vm_id), UpgradeSettingData="",
    )  # fmt: skip

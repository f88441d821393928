"""TABLE: what of a machine may change in which state, and why not in words.

One row for each setting and each device. Forms, *why not* and the tests against the simulator
all read it; hosts refuse the same with 32775, only later and without saying what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tui.hyperv import states
from tui.hyperv.model import Vm, VmVitals

_RESIZABLE = 8.0
"""Configuration version from which a running machine can be resized."""
_OFF_ONLY = "while the machine is off"


class When(StrEnum):
    """In which states something may change."""

    ALWAYS = "always"
    OFF = "off"
    """Neither running nor saved."""
    STATIC = "static"
    """Off; or running with static memory and a configuration version of 2016 or later."""
    RISES = "rises"
    """Off; or running when it rises, or while memory is static."""
    FALLS = "falls"
    """Off; or running when it falls, or while memory is static."""
    SECOND = "second"
    """Off; or running, of generation 2."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: when, the subject of the sentence that says why not, and what the host calls it."""

    when: When
    subject: str
    class_name: str = ""
    property: str = ""


_SYSTEM = "Msvm_VirtualSystemSettingData"
_PROCESSOR = "Msvm_ProcessorSettingData"
_MEMORY = "Msvm_MemorySettingData"
_SECURITY = "Msvm_SecuritySettingData"
_ADAPTER = "Msvm_SyntheticEthernetPortSettingData"

SETTINGS: Mapping[str, Rule] = {
    "name": Rule(When.ALWAYS, "the name", _SYSTEM, "ElementName"),
    "notes": Rule(When.ALWAYS, "the notes", _SYSTEM, "Notes"),
    "start": Rule(When.ALWAYS, "the start action", _SYSTEM, "AutomaticStartupAction"),
    "stop": Rule(When.ALWAYS, "the stop action", _SYSTEM, "AutomaticShutdownAction"),
    "checkpoint_type": Rule(When.ALWAYS, "the checkpoint type", _SYSTEM, "UserSnapshotType"),
    "count": Rule(When.OFF, "the processor count", _PROCESSOR, "VirtualQuantity"),
    "cpu_weight": Rule(When.ALWAYS, "the processor weight", _PROCESSOR, "Weight"),
    "reservation": Rule(When.ALWAYS, "the processor reservation", _PROCESSOR, "Reservation"),
    "limit": Rule(When.ALWAYS, "the processor limit", _PROCESSOR, "Limit"),
    "nested": Rule(When.OFF, "nested virtualization", _PROCESSOR, "ExposeVirtualizationExtensions"),
    "compatibility": Rule(
        When.OFF, "processor compatibility", _PROCESSOR, "LimitProcessorFeatures"
    ),
    "startup": Rule(When.STATIC, "the startup memory", _MEMORY, "VirtualQuantity"),
    "dynamic": Rule(When.OFF, "dynamic memory", _MEMORY, "DynamicMemoryEnabled"),
    "minimum": Rule(When.FALLS, "the minimum memory", _MEMORY, "Reservation"),
    "maximum": Rule(When.RISES, "the maximum memory", _MEMORY, "Limit"),
    "buffer": Rule(When.ALWAYS, "the memory buffer", _MEMORY, "TargetMemoryBuffer"),
    "memory_weight": Rule(When.ALWAYS, "the memory weight", _MEMORY, "Weight"),
    "secure_boot": Rule(When.OFF, "secure boot", _SYSTEM, "SecureBootEnabled"),
    "template": Rule(When.OFF, "the secure boot template", _SYSTEM, "SecureBootTemplateId"),
    "tpm": Rule(When.OFF, "the virtual TPM", _SECURITY, "TpmEnabled"),
    "encrypt_traffic": Rule(
        When.OFF,
        "the encryption of state and migration traffic",
        _SECURITY,
        "EncryptStateAndVmMigrationTraffic",
    ),
    "mac": Rule(When.OFF, "the MAC address", _ADAPTER, "Address"),
    "static_mac": Rule(When.OFF, "the MAC address", _ADAPTER, "StaticMacAddress"),
}

DEVICES: Mapping[str, Rule] = {
    "nic": Rule(When.SECOND, "network adapters"),
    "legacy nic": Rule(When.OFF, "legacy network adapters"),
    "connection": Rule(When.ALWAYS, "the connection of a network adapter"),
    "scsi disk": Rule(When.ALWAYS, "disks on a SCSI controller"),
    "ide disk": Rule(When.OFF, "disks on an IDE controller"),
    "scsi dvd drive": Rule(When.ALWAYS, "DVD drives on a SCSI controller"),
    "ide dvd drive": Rule(When.OFF, "DVD drives on an IDE controller"),
    "media": Rule(When.ALWAYS, "the media in a DVD drive"),
    "scsi controller": Rule(When.OFF, "SCSI controllers"),
}
"""What can be added or removed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules ask about a machine."""

    state: int
    dynamic: bool = False
    version: float = 0.0
    """Configuration version."""
    generation: int = 2

    @property
    def off(self) -> bool:
        return self.state in states.OFF

    @property
    def live(self) -> bool:
        return self.state in states.RUNNING | states.PAUSED


def standing(vm: Vm | None, vitals: VmVitals | None) -> Standing:
    """How a machine stands, out of the inventory."""
    state = vitals.state if vitals is not None else 0
    if vm is None:
        return Standing(state)
    return Standing(state, vm.dynamic_memory, version(vm), vm.generation)


def version(vm: Vm) -> float:
    """Its configuration version as a number; 0 when it is not known."""
    try:
        return float(vm.version)
    except ValueError:
        return 0.0


def why_not(key: str, at: Standing, old: object = None, new: object = None) -> str | None:
    """Why that setting, or device, cannot change now; None when it can.

    ``old`` and ``new`` matter where the direction does. A value that does not change is no
    change.
    """
    rule = SETTINGS.get(key) or DEVICES[key]
    if rule.when is When.ALWAYS or at.off or (old is not None and old == new):
        return None
    reason = _LIVE_REASONS[rule.when](at, old, new) if at.live else _OFF_ONLY
    if reason is None:
        return None
    subject = rule.subject if key in SETTINGS else f"{rule.subject} can be added and removed"
    can = "can only change" if key in SETTINGS else "only"
    return f"{subject} {can} {reason}; it is {states.word(at.state)}"


def _never(at: Standing, old: object, new: object) -> str | None:
    return _OFF_ONLY


def _static(at: Standing, old: object, new: object) -> str | None:
    if at.dynamic:
        return "while the machine is off, because its memory is dynamic"
    if at.version < _RESIZABLE:
        return f"while the machine is off, because its version is {at.version:g}"
    return None


def _rises(at: Standing, old: object, new: object) -> str | None:
    return _towards(at, old, new, up=True)


def _falls(at: Standing, old: object, new: object) -> str | None:
    return _towards(at, old, new, up=False)


def _towards(at: Standing, old: object, new: object, *, up: bool) -> str | None:
    """Dynamic memory can be given more room while it runs, not less."""
    if not at.dynamic or not isinstance(old, int) or not isinstance(new, int):
        return None
    if (new >= old) if up else (new <= old):
        return None
    return f"{'upwards' if up else 'downwards'} while the machine is not off"


def _second(at: Standing, old: object, new: object) -> str | None:
    if at.generation == 2:
        return None
    return "while the machine is off, because it is of generation 1"


_LIVE_REASONS = {
    When.OFF: _never,
    When.STATIC: _static,
    When.RISES: _rises,
    When.FALLS: _falls,
    When.SECOND: _second,
}

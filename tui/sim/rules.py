"""TABLE: what may be changed of a machine, in which state, and within which bounds.

One row for each property of hyperv-cim.md 6.4; what needs more than one property to be judged is
in ``resource_rules`` and ``methods_settings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tui.sim.machine import OFF, Machine
from tui.sim.outcome import FAILED, INVALID, STATE, Stop
from tui.wsman.cim import CimValue

SYSTEM = "Msvm_VirtualSystemSettingData"
PROCESSOR = "Msvm_ProcessorSettingData"
MEMORY = "Msvm_MemorySettingData"
SYNTHETIC = "Msvm_SyntheticEthernetPortSettingData"
EMULATED = "Msvm_EmulatedEthernetPortSettingData"
DISPLAY = "Msvm_SyntheticDisplayControllerSettingData"
SECURITY = "Msvm_SecuritySettingData"

TEMPLATES = {
    "1734c6e8-3154-4dda-ba5f-a874cc483422": ("MicrosoftWindows", "Microsoft Windows"),
    "272e7447-90a4-4563-a4b9-8e4ab00526ce": (
        "MicrosoftUEFICertificateAuthority",
        "Microsoft UEFI Certificate Authority",
    ),
    "4292ae2b-ee2c-42b5-a969-dd8f8689f6f3": ("OpenSourceShieldedVM", "Open Source Shielded VM"),
}
"""Secure Boot templates every host knows: name and description."""


class When(StrEnum):
    """In which states a property may change."""

    ALWAYS = "always"
    OFF = "off"
    """Neither running nor saved."""
    STATIC = "off, or running with static memory and configuration version 8 or later"
    UP = "off, or running when it rises"
    DOWN = "off, or running when it falls"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one property may change, and the code that refuses it at the wrong time."""

    when: When = When.ALWAYS
    low: int | None = None
    high: int | None = None
    choices: frozenset[int | str] | None = None
    code: int = STATE
    step: int = 1

    def fits(self, value: CimValue) -> bool:
        """The value is one that the property can have."""
        if self.choices is not None:
            folded = value.lower() if isinstance(value, str) else value
            return folded in self.choices
        if self.low is None or self.high is None:
            return True
        return isinstance(value, int) and self.low <= value <= self.high and not value % self.step

    def holds(self, machine: Machine, old: CimValue, new: CimValue) -> bool:
        """The machine is in a state in which this change is possible."""
        if self.when is When.ALWAYS or machine.state == OFF:
            return True
        if not machine.alive:
            return False
        if self.when is When.STATIC:
            return not machine.dynamic and version(machine) >= 8.0
        if not isinstance(old, int) or not isinstance(new, int):
            return False
        if self.when is When.UP:
            return new >= old or not machine.dynamic
        if self.when is When.DOWN:
            return new <= old or not machine.dynamic
        return False


def version(machine: Machine) -> float:
    """The configuration version as a number; 0 when it is none."""
    try:
        return float(str(machine.settings.values["Version"]))
    except ValueError:
        return 0.0


def _one_of(*values: int, when: When = When.ALWAYS) -> Rule:
    return Rule(when, choices=frozenset(values))


_OFF = Rule(When.OFF)
_LARGEST = 12 << 20
_BLOCKS = (32, _LARGEST)

RULES: Mapping[str, Mapping[str, Rule]] = {
    SYSTEM: {
        "ElementName": Rule(),
        "Notes": Rule(),
        "AutomaticStartupAction": _one_of(2, 3, 4),
        "AutomaticStartupActionDelay": Rule(),
        "AutomaticStartupActionSequenceNumber": Rule(low=0, high=65535),
        "AutomaticShutdownAction": _one_of(2, 3, 4),
        "AutomaticRecoveryAction": _one_of(2, 3, 4),
        "AutomaticCriticalErrorAction": _one_of(0, 1),
        "AutomaticCriticalErrorActionTimeout": Rule(),
        "AutomaticSnapshotsEnabled": Rule(),
        "UserSnapshotType": _one_of(2, 3, 4, 5),
        "IncrementalBackupEnabled": Rule(),
        "LockOnDisconnect": Rule(),
        "EnhancedSessionTransportType": _one_of(0, 1),
        "NetworkBootPreferredProtocol": _one_of(4096, 4097),
        "BootSourceOrder": Rule(),
        "TurnOffOnGuestRestart": Rule(),
        "BootOrder": _OFF,
        "ConsoleMode": _one_of(0, 1, 2, 3, when=When.OFF),
        "SecureBootEnabled": _OFF,
        "SecureBootTemplateId": Rule(When.OFF, choices=frozenset(TEMPLATES)),
        "VirtualNumaEnabled": _OFF,
        "LowMmioGapSize": _OFF,
        "HighMmioGapSize": _OFF,
        "HighMmioGapBase": _OFF,
        "GuestControlledCacheTypes": _OFF,
        "GuestStateIsolationEnabled": _OFF,
        "GuestStateIsolationType": _OFF,
        "EnableHibernation": _OFF,
        "BIOSGUID": _OFF,
        "BIOSSerialNumber": _OFF,
        "BaseBoardSerialNumber": _OFF,
        "ChassisSerialNumber": _OFF,
        "ChassisAssetTag": _OFF,
        "BIOSNumLock": Rule(When.OFF, code=FAILED),
    },
    PROCESSOR: {
        "ElementName": Rule(),
        "Weight": Rule(low=1, high=10000),
        "Reservation": Rule(low=0, high=100000),
        "Limit": Rule(low=0, high=100000),
        "CpuGroupId": Rule(),
        "VirtualQuantity": Rule(When.OFF, low=1, high=2048),
        "HwThreadsPerCore": Rule(When.OFF, low=0, high=2),
        "LimitProcessorFeatures": _OFF,
        "LimitCPUID": _OFF,
        "ExposeVirtualizationExtensions": _OFF,
        "EnableHostResourceProtection": _OFF,
        "HideHypervisorPresent": _OFF,
        "MaxProcessorsPerNumaNode": Rule(When.OFF, low=1, high=2048),
        "MaxNumaNodesPerSocket": Rule(When.OFF, low=1, high=64),
    },
    MEMORY: {
        "ElementName": Rule(),
        "Weight": Rule(low=0, high=10000),
        "TargetMemoryBuffer": Rule(low=5, high=2000),
        "VirtualQuantity": Rule(When.STATIC, *_BLOCKS, step=2),
        "Limit": Rule(When.UP, *_BLOCKS, step=2),
        "Reservation": Rule(When.DOWN, *_BLOCKS, step=2),
        "DynamicMemoryEnabled": _OFF,
        "MaxMemoryBlocksPerNumaNode": Rule(When.OFF, *_BLOCKS, step=2),
        "HugePagesEnabled": _OFF,
        "SgxEnabled": _OFF,
        "SgxSize": _OFF,
    },
    DISPLAY: {
        "HorizontalResolution": _OFF,
        "VerticalResolution": _OFF,
        "ResolutionType": _one_of(2, 3, 4, when=When.OFF),
    },
    SYNTHETIC: {"Address": _OFF, "StaticMacAddress": _OFF},
    EMULATED: {"Address": _OFF, "StaticMacAddress": _OFF},
    SECURITY: {
        "TpmEnabled": _OFF,
        "ShieldingRequested": _OFF,
        "EncryptStateAndVmMigrationTraffic": _OFF,
        "DataProtectionRequested": _OFF,
        "VirtualizationBasedSecurityOptOut": _OFF,
        "KsdEnabled": _OFF,
        "BindToHostTpm": _OFF,
    },
}
"""By class and property. A property without a row may change at any time."""

CLOSED = frozenset({PROCESSOR, MEMORY})
"""Classes of which a property without a row may change only while the machine is off."""


def rule_of(class_name: str, name: str) -> Rule:
    default = _OFF if class_name in CLOSED else Rule()
    return RULES.get(class_name, {}).get(name, default)


def check(
    machine: Machine,
    class_name: str,
    old: Mapping[str, CimValue],
    changes: Mapping[str, CimValue],
) -> None:
    """Refuse what cannot be: first values that are none (32773), then the wrong state."""
    for name, value in changes.items():
        if not rule_of(class_name, name).fits(value):
            raise Stop(INVALID)
        if isinstance(old.get(name), timedelta) and not isinstance(value, timedelta):
            raise Stop(INVALID)
        if isinstance(old.get(name), bool) and not isinstance(value, bool):
            raise Stop(INVALID)
    for name, value in changes.items():
        rule = rule_of(class_name, name)
        if not rule.holds(machine, old.get(name), value):
            raise Stop(rule.code)

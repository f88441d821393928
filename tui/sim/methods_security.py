"""Methods: virtual TPM and shielding (Msvm_SecurityService), and guardians for its key."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from tui.sim import rules, shapes
from tui.sim.jobs import JobError, Work
from tui.sim.machine import OFF, Machine
from tui.sim.outcome import FAILED, INVALID, STATE, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

if TYPE_CHECKING:
    from tui.sim.world import SimHost

HGS = "root/Microsoft/Windows/HGS"
GUARDIAN, PROTECTOR = "MSFT_HgsGuardian", "MSFT_HgsKeyProtector"
NO_KEY = bytes(4)
"""What a host answers for a machine without a key protector."""
FLAGS = frozenset(rules.RULES[rules.SECURITY])


def _target(call: Call) -> tuple[Machine, CimInstance, CimInstance]:
    """The machine, its present security settings and those the client sends."""
    given = call.embedded(call.get("SecuritySettingData"))
    if given.class_name != rules.SECURITY:
        raise Stop(INVALID)
    owner = call.host.owner_of(shapes.text(given, "InstanceID") or "?")
    if owner is None:
        raise Stop(INVALID)
    machine, checkpoint = owner
    if checkpoint:
        raise Stop(STATE)
    present = machine.current.first(rules.SECURITY)
    if present is None:
        raise Stop(INVALID)
    return machine, present, given


def modify(call: Call) -> MethodOutput:
    machine, present, given = _target(call)
    old = present.values
    changes = {
        name: value
        for name, value in given.values.items()
        if name in FLAGS and value is not None and value != old[name]
    }
    rules.check(machine, rules.SECURITY, old, changes)
    if machine.generation == 1 and any(changes.values()):
        raise Stop(INVALID)
    error = None
    after = old | changes
    if after["TpmEnabled"] and not machine.key:
        error = "without a valid key protector configured"
    elif after["ShieldingRequested"] and not after["TpmEnabled"]:
        error = "that is shielded and has no virtual TPM"

    def done(at: float) -> tuple[CimRef, ...]:
        old.update(changes)
        machine.system.values["TimeOfLastConfigurationChange"] = shapes.when(at)
        return ()

    words = f"Cannot modify the security settings of virtual machine '{machine.name}'"
    return call.job(
        Work(
            2,
            "Modifying Security Settings",
            0.4,
            done,
            error=JobError(FAILED, f"{words} {error}.") if error else None,
        ),
        machine,
    )


def set_key_protector(call: Call) -> MethodOutput:
    """A new protector; state that an older one sealed can then no longer be read."""
    machine, present, _ = _target(call)
    key = call.get("KeyProtector")
    sealed = bytes(key) if isinstance(key, (bytes, tuple)) else b""  # type: ignore[arg-type]
    if len(sealed) <= len(NO_KEY):
        raise Stop(INVALID)
    if machine.state != OFF:
        raise Stop(STATE)

    def done(at: float) -> tuple[CimRef, ...]:
        replaced = bool(machine.key) and machine.key != sealed
        machine.unreadable = machine.unreadable or (replaced and bool(present.values["TpmEnabled"]))
        machine.key = sealed
        machine.sealed_by = call.host.name
        return ()

    return call.job(Work(2, "Setting Key Protector", 0.4, done), machine)


def get_key_protector(call: Call) -> MethodOutput:
    machine, _, _ = _target(call)
    return returned(KeyProtector=machine.key or NO_KEY)


def elements(host: SimHost) -> Iterator[CimInstance]:
    """Msvm_SecurityElement of each machine."""
    for machine in list(host.machines.values()):
        settings = machine.current.first(rules.SECURITY)
        values = settings.values if settings is not None else {}
        yield shapes.new(
            "Msvm_SecurityElement",
            CreationClassName="Msvm_SecurityElement",
            SystemCreationClassName="Msvm_ComputerSystem",
            SystemName=machine.id,
            ElementName="Security Element",
            EnabledState=2,
            Shielded=bool(values.get("ShieldingRequested")),
            EncryptStateAndVmMigrationTrafficEnabled=bool(
                values.get("EncryptStateAndVmMigrationTraffic")
            ),
        )


# -- root/Microsoft/Windows/HGS ------------------------------------------------------------


def new_guardian(call: Call) -> MethodOutput:
    """A guardian with certificates of this host's own; one of the name is refused."""
    name = call.text("Name")
    known = [shapes.text(g, "Name").lower() for g in call.host.repository.instances(HGS, GUARDIAN)]
    if not name or not call.get("GenerateCertificates") or name.lower() in known:
        return returned(INVALID)
    made = CimInstance(GUARDIAN, {"Name": name}, HGS)
    return returned(cmdletOutput=call.host.repository.add(made))


def new_protector(call: Call) -> MethodOutput:
    """A key protector sealed for a guardian this host knows."""
    owner = call.get("Owner")
    if not isinstance(owner, CimInstance):
        return returned(INVALID)
    name = shapes.text(owner, "Name")
    known = call.host.repository.get(CimRef(GUARDIAN, (("Name", name),), HGS))
    if known is None or not call.get("AllowUntrustedRoot"):
        return returned(INVALID)
    raw: CimValue = new_key(call.host.fabric.random(call.host.name, name, call.host.next_number()))
    return returned(cmdletOutput=CimInstance(PROTECTOR, {"RawData": raw}, HGS))


def new_key(random: Random) -> bytes:
    return random.randbytes(512)


SERVICE = "Msvm_SecurityService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ModifySecuritySettings"): modify,
    (SERVICE, "SetKeyProtector"): set_key_protector,
    (SERVICE, "GetKeyProtector"): get_key_protector,
    (GUARDIAN, "NewByGenerateCertificates"): new_guardian,
    (PROTECTOR, "NewByGuardians"): new_protector,
}

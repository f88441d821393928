"""Methods: moving machines to other hosts and other places (Msvm_VirtualSystemMigrationService)."""

from __future__ import annotations

import json
from ipaddress import ip_network

from tui.sim import migration, move_checks, moves, moving, processors, shapes
from tui.sim.jobs import Work
from tui.sim.machine import OFF
from tui.sim.methods_job import error_text
from tui.sim.migration import LIVE, NETWORK, SERVICE, STORAGE, WHOLE
from tui.sim.outcome import INVALID, STATE, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

NOT_COMPATIBLE = 32784
SMALL = {INVALID: 4, STATE: 5, 32770: 1}
"""The check answers with CIM's own small numbers."""
CHECKS = {
    LIVE: (301, "Checking Virtual Machine Compatibility"),
    WHOLE: (302, "Checking Virtual Machine and Storage Compatibility"),
    STORAGE: (304, "Checking Storage Migration"),
}
"""JobType and name, by MigrationType."""


def migrate(call: Call) -> MethodOutput:
    """A job of the source's; what is in the way of the move, the job says."""
    move = _ready(call)
    return MethodOutput(4096, {"Job": moving.start(move)})


def _ready(call: Call) -> moves.Move:
    move = moves.read(call)
    if move_checks.busy(move):
        raise Stop(STATE)
    return move


def check_job(call: Call) -> MethodOutput:
    move = _ready(call)
    kind, words = CHECKS[move.kind]
    work = Work(
        kind,
        words,
        2.0,
        error=move_checks.error(move),
        class_name=moving.CLASS,
        more=moving.told(move),
    )
    return call.job(work, move.machine)


def check(call: Call) -> MethodOutput:
    """Whether the move could begin now; the reasons are for the job to tell."""
    try:
        move = _ready(call)
    except Stop as stop:
        return returned(SMALL.get(stop.code, 2))
    return returned(0, IsMigratable=move_checks.error(move) is None)


# -- compatibility -------------------------------------------------------------------------


def get_compatibility(call: Call) -> MethodOutput:
    """What a machine asks of a host, for that host alone to read."""
    machine = call.machine(call.get("ComputerSystem"))
    setting = machine.current.at(shapes.PROCESSOR)
    told = {
        "id": machine.id,
        "name": machine.name,
        "processor": machine.processor or call.host.plan.processor,
        "off": machine.state == OFF,
        "limited": bool(setting and setting.values["LimitProcessorFeatures"]),
        "version": shapes.text(machine.settings, "Version"),
    }
    return returned(0, CompatibilityInfo=json.dumps(told).encode())


def check_compatibility(call: Call) -> MethodOutput:
    """0, or 32784 with the reasons."""
    given = call.get("CompatibilityInfo")
    try:
        told = json.loads(bytes(given))  # type: ignore[arg-type]
        found = list(_incompatible(call, told))
    except (TypeError, ValueError, KeyError, AttributeError):
        raise Stop(INVALID) from None
    if not found:
        return returned(0, Reasons=None)
    return returned(NOT_COMPATIBLE, Reasons=tuple(found))


def _incompatible(call: Call, told: dict[str, str]) -> list[str]:
    host, name = call.host, str(told["name"])
    own, here = str(told["processor"]), host.plan.processor
    same = processors.vendor(own) == processors.vendor(here)
    fits = told["limited"] or processors.features(own) <= processors.features(here)
    found = []
    if not told["off"] and not (same and fits):
        words = f"The processor of '{host.name}' is not compatible with virtual machine '{name}'."
        found.append(error_text(host.name, move_checks.LIVE_FAILED, f"{words} (0x80048054)"))
    if float(told["version"] or 0) > float(host.system.configuration):
        words = f"Configuration version {told['version']} of '{name}' is not supported."
        found.append(error_text(host.name, move_checks.VERSION, words))
    return found


# -- networks ------------------------------------------------------------------------------


def _given_network(call: Call, text: CimValue) -> CimInstance:
    given = call.embedded(text)
    if given.class_name != NETWORK:
        raise Stop(INVALID)
    return _checked(call, given)


def _checked(call: Call, given: CimInstance) -> CimInstance:
    """The network settings as they are kept; 32773 when they name no network."""
    try:
        found = ip_network(
            f"{shapes.text(given, 'SubnetNumber')}/{shapes.text(given, 'PrefixLength')}"
        )
    except ValueError:
        raise Stop(INVALID) from None
    metric, tags = shapes.number(given, "Metric"), given.values.get("Tags")
    return migration.network(call.host, str(found.network_address), found.prefixlen, metric, tags)


def add_networks(call: Call) -> MethodOutput:
    made = [_given_network(call, text) for text in call.many("NetworkSettings")]
    known = {shapes.text(item, "InstanceID").lower() for item in migration.networks(call.host)}
    names = [shapes.text(item, "InstanceID").lower() for item in made]
    if not made or len(set(names)) != len(names) or known & set(names):
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        return tuple(shapes.setting_ref(call.host.repository.add(item)) for item in made)

    return call.job(Work(4, "Adding Migration Networks", 0.4, done))


def _network(call: Call, name: str) -> CimInstance:
    for item in migration.networks(call.host):
        if shapes.text(item, "InstanceID").lower() == name.lower():
            return item
    raise Stop(INVALID)


def remove_networks(call: Call) -> MethodOutput:
    refs = [call.ref(value) for value in call.many("NetworkSettings")]
    found = [_network(call, ref.key("InstanceID") or "") for ref in refs]
    if not found:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for item in found:
            call.host.repository.remove(item)
        return ()

    return call.job(Work(4, "Removing Migration Networks", 0.4, done))


def modify_networks(call: Call) -> MethodOutput:
    """A network is told by its InstanceID; its subnet may change, and the InstanceID with it."""
    todo = []
    for text in call.many("NetworkSettings"):
        present = _network(call, shapes.text(call.embedded(text), "InstanceID"))
        given = {k: v for k, v in call.embedded(text).values.items() if v is not None}
        after = CimInstance(NETWORK, {**present.values, **given}, present.namespace)
        todo.append((present, _checked(call, after)))
    if not todo:
        raise Stop(INVALID)

    def done(at: float) -> tuple[CimRef, ...]:
        for present, made in todo:
            call.host.repository.remove(present)
            call.host.repository.add(made)
        return ()

    return call.job(Work(4, "Modifying Migration Networks", 0.4, done))


METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "MigrateVirtualSystemToHost"): migrate,
    (SERVICE, "CheckVirtualSystemIsMigratableToHost"): check,
    (SERVICE, "CheckVirtualSystemIsMigratable"): check_job,
    (SERVICE, "GetSystemCompatibilityInfo"): get_compatibility,
    (SERVICE, "CheckSystemCompatibilityInfo"): check_compatibility,
    (SERVICE, "AddNetworkSettings"): add_networks,
    (SERVICE, "RemoveNetworkSettings"): remove_networks,
    (SERVICE, "ModifyNetworkSettings"): modify_networks,
}

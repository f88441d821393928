"""Methods: integration components of the guest, and key-value pairs of the host."""

from __future__ import annotations

from tui.sim import devices, power, shapes
from tui.sim.jobs import Work
from tui.sim.machine import PAUSED, RUNNING, Machine
from tui.sim.outcome import FAILED, INVALID, NOT_FOUND, STATE, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.embedded import from_text, to_text
from tui.wsman.reply import MethodOutput

NOT_READY, UNDER_WAY = 32780, 32782
MOST = 128
"""Data items in one call."""


def _guest(call: Call) -> Machine:
    machine = call.host.machine(shapes.text(call.instance, "SystemName"))
    if machine is None:
        raise Stop(FAILED)
    call.free(machine)
    if machine.leaving:
        raise Stop(UNDER_WAY)
    if machine.state == PAUSED:
        raise Stop(STATE)
    now = call.host.fabric.now()
    if machine.state != RUNNING or not machine.responsive(now):
        raise Stop(NOT_READY)
    return machine


def shut_down(call: Call) -> MethodOutput:
    power.leave(_guest(call), reboot=False)
    return returned()


def reboot(call: Call) -> MethodOutput:
    power.leave(_guest(call), reboot=True)
    return returned()


# -- key-value pairs -----------------------------------------------------------------------


def _items(setting: CimInstance) -> dict[str, CimInstance]:
    texts = shapes.strings(setting, "HostExchangeItems")
    found = [from_text(text, shapes.VIRTUALIZATION) for text in texts]
    return {shapes.text(item, "Name"): item for item in found}


def _change(call: Call, verb: str) -> MethodOutput:
    machine = call.machine(call.get("TargetSystem"))
    given = [call.embedded(text) for text in call.many("DataItems")]
    setting = machine.current.first("Msvm_KvpExchangeComponentSettingData")
    if not given or len(given) > MOST or setting is None:
        raise Stop(INVALID)
    known = _items(setting)
    for item in given:
        name = shapes.text(item, "Name")
        if not name or (verb == "add" and name in known):
            raise Stop(INVALID)
        if verb != "add" and name not in known:
            raise Stop(NOT_FOUND)
        if verb == "remove":
            del known[name]
        else:
            known[name] = devices.kvp_item(name, shapes.text(item, "Data"), 0)

    def done(at: float) -> tuple[CimRef, ...]:
        assert setting is not None
        setting.values["HostExchangeItems"] = tuple(to_text(item) for item in known.values())
        return ()

    return call.job(Work(31, "Modifying Virtual Machine Resources", 0.3, done), machine)


def add(call: Call) -> MethodOutput:
    return _change(call, "add")


def modify(call: Call) -> MethodOutput:
    return _change(call, "modify")


def remove(call: Call) -> MethodOutput:
    return _change(call, "remove")


SERVICE = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    ("Msvm_ShutdownComponent", "InitiateShutdown"): shut_down,
    ("Msvm_ShutdownComponent", "InitiateReboot"): reboot,
    (SERVICE, "AddKvpItems"): add,
    (SERVICE, "ModifyKvpItems"): modify,
    (SERVICE, "RemoveKvpItems"): remove,
}

"""Methods: summaries, pictures of the screen, the keyboard, settings of the service."""

from __future__ import annotations

from tui.sim import shapes, summary
from tui.sim.machine import Machine
from tui.sim.outcome import FAILED, INVALID, STATE, Call, Method, Stop, returned
from tui.sim.thumbnail import picture
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.reply import MethodOutput

LARGEST = 4096
"""Pixels in one direction."""


def get_summary_information(call: Call) -> MethodOutput:
    """Rows for the settings named, or for every machine; unrequested properties stay null."""
    codes = [value for value in call.many("RequestedInformation") if isinstance(value, int)]
    if any(code > 300 for code in codes):
        raise Stop(INVALID)
    wanted = call.many("SettingData")
    if not wanted:
        rows = tuple(summary.everything(call.host, codes))
        return returned(0, SummaryInformation=rows)
    return returned(0, SummaryInformation=tuple(_row(call, value, codes) for value in wanted))


def _row(call: Call, value: object, codes: list[int]) -> CimInstance:
    ref = call.ref(value if isinstance(value, CimRef) else str(value or ""))
    owner = call.host.owner_of(ref.key("InstanceID") or "?")
    if owner is None:
        return shapes.new(summary.CLASS, Name="")
    machine, checkpoint = owner
    settings = machine.checkpoints[checkpoint].settings if checkpoint else machine.settings
    return summary.summary(machine, settings, codes, call.host.fabric.now())


def get_thumbnail(call: Call) -> MethodOutput:
    machine = call.machine(call.get("TargetSystem"))
    width, height = call.number("WidthPixels"), call.number("HeightPixels")
    if not 0 < width <= LARGEST or not 0 < height <= LARGEST:
        raise Stop(INVALID)
    if not machine.alive:
        raise Stop(STATE)
    data = picture(machine, width, height, call.host.fabric.now())
    return returned(0, ImageData=data)


def _keyboard(call: Call) -> Machine:
    machine = call.host.machine(shapes.text(call.instance, "SystemName"))
    if machine is None or not machine.alive:
        raise Stop(FAILED)
    return machine


def type_text(call: Call) -> MethodOutput:
    _keyboard(call)
    typed = call.text("asciiText")
    if len(typed) > (512 if typed.isascii() else 256):
        raise Stop(INVALID)
    return returned(0 if all(c.isprintable() or c in "\t\r\n" for c in typed) else 1)


def press(call: Call) -> MethodOutput:
    _keyboard(call)
    return returned()


def is_pressed(call: Call) -> MethodOutput:
    _keyboard(call)
    return returned(0, keyState=False)


SERVICE = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "GetSummaryInformation"): get_summary_information,
    (SERVICE, "GetVirtualSystemThumbnailImage"): get_thumbnail,
    ("Msvm_Keyboard", "TypeText"): type_text,
    ("Msvm_Keyboard", "TypeCtrlAltDel"): press,
    ("Msvm_Keyboard", "TypeScancodes"): press,
    ("Msvm_Keyboard", "TypeKey"): press,
    ("Msvm_Keyboard", "PressKey"): press,
    ("Msvm_Keyboard", "ReleaseKey"): press,
    ("Msvm_Keyboard", "IsKeyPressed"): is_pressed,
}

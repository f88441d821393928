"""TABLE: what the methods of each class do. The nouns are in ``methods_*``.

A method that fails still answers with a return value; only what the wire refuses is a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.sim import (
    methods_console,
    methods_guest,
    methods_job,
    methods_resources,
    methods_settings,
    methods_snapshot,
    methods_state,
    methods_switch,
)
from tui.sim.outcome import Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.fault import refuse
from tui.wsman.reply import MethodOutput
from tui.wsman.values import Wsman

if TYPE_CHECKING:
    from tui.sim.world import SimHost

METHODS: Mapping[tuple[str, str], Method] = {
    **methods_state.METHODS,
    **methods_settings.METHODS,
    **methods_resources.METHODS,
    **methods_snapshot.METHODS,
    **methods_switch.METHODS,
    **methods_guest.METHODS,
    **methods_console.METHODS,
    **methods_job.METHODS,
}


def invoke(
    host: SimHost, instance: CimInstance, method: str, parameters: dict[str, CimValue]
) -> MethodOutput:
    """Run a method; 32770 when this host knows it but does not do it."""
    found = METHODS.get((instance.class_name, method))
    if found is None:
        if instance.namespace.lower() != "root/virtualization/v2":
            raise refuse(Wsman.ACTION_NOT_SUPPORTED, f"{instance.class_name} has no {method}.")
        return returned(32770)
    try:
        return found(Call(host, instance, parameters))
    except Stop as stop:
        return returned(stop.code)

"""Network adapters of machines: making, plugging in, and the addresses they may have."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tui.sim import build, network, shapes
from tui.sim.create import UNTAGGED
from tui.sim.machine import SAVED, Configuration, Machine
from tui.sim.outcome import INVALID, STATE, Call, Stop
from tui.sim.plan import NicPlan
from tui.wsman.cim import CimInstance, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

SYNTHETIC, LEGACY = 8, 4
"""How many adapters of a kind a machine can have."""
PORT = "Msvm_EthernetPortAllocationSettingData"
VLAN = "Msvm_EthernetSwitchPortVlanSettingData"
NOTHING = "000000000000"
"""The address of a dynamic adapter that has not been given one."""


def adapter(
    call: Call, machine: Machine, target: Configuration, random: Random, *, legacy: bool
) -> CimInstance:
    """A new adapter; generation 2 takes it while running, and has no legacy ones."""
    word = "Emulated" if legacy else "Synthetic"
    present = list(target.of(f"Msvm_{word}EthernetPortSettingData"))
    if legacy and machine.generation == 2:
        raise Stop(INVALID)
    if machine.state == SAVED or (machine.alive and (legacy or machine.generation == 1)):
        raise Stop(STATE)
    if len(present) >= (LEGACY if legacy else SYNTHETIC):
        raise Stop(INVALID)
    prefix = shapes.text(target.settings, "InstanceID")
    return build.adapter(prefix, random, NicPlan(legacy=legacy))


def furnish(host: SimHost, machine: Machine, made: CimInstance, wanted: CimValue) -> None:
    """Give a new adapter its address: a static one is checked, a dynamic one comes from the
    pool."""
    if made.values["StaticMacAddress"]:
        wishes: dict[str, CimValue] = {"Address": wanted, "StaticMacAddress": True}
        check_address(host, machine, made.values | wishes, wishes)
        made.values.update(wishes)
    else:
        made.values["Address"] = host.next_address()


# -- addresses -----------------------------------------------------------------------------


def is_address(value: CimValue) -> bool:
    """Twelve hexadecimal digits that name one station: not a group, not zero."""
    if not isinstance(value, str) or len(value) != 12 or value == NOTHING:
        return False
    if any(c not in "0123456789abcdefABCDEF" for c in value):
        return False
    return not int(value[:2], 16) & 1


def check_address(
    host: SimHost,
    machine: Machine,
    after: dict[str, CimValue],
    wanted: dict[str, CimValue],
) -> None:
    """Refuse an address out of form, and a static one that a machine at work here has."""
    if "ElementName" in wanted and not wanted["ElementName"]:
        raise Stop(INVALID)
    if not {"Address", "StaticMacAddress"} & set(wanted):
        return
    address = after["Address"]
    if after["StaticMacAddress"]:
        if not is_address(address) or taken(host, machine, str(address)):
            raise Stop(INVALID)
        wanted["Address"] = str(address).upper()
        return
    if address not in (None, "", NOTHING) and not is_address(address):
        raise Stop(INVALID)
    if "StaticMacAddress" in wanted or not is_address(address):
        wanted["Address"] = host.next_address()
    else:
        wanted.pop("Address")


def taken(host: SimHost, owner: Machine, address: str) -> bool:
    """Another machine at work on this host has the address."""
    return any(
        shapes.text(nic, "Address").upper() == address.upper()
        for machine in host.machines.values()
        if machine is not owner and machine.alive
        for nic in machine.nics
    )


# -- plugs ---------------------------------------------------------------------------------


def connection(
    call: Call, machine: Machine, nic: CimInstance, given: CimInstance, made: CimInstance
) -> None:
    """Connect a new port allocation to the switch the client names, if any."""
    if machine.connection(nic) is not None:
        raise Stop(INVALID)
    state = given.values.get("EnabledState")
    if state not in (None, 2, 3):
        raise Stop(INVALID)
    paths = given.values.get("HostResource")
    if isinstance(paths, tuple) and paths and paths[0]:
        made.values.update(plugged(call, paths))
        given.values["HostResource"] = None
        if state == 3:
            made.values["HostResource"] = None
    elif state == 2:
        raise Stop(INVALID)


def plugged(call: Call, paths: tuple[CimValue, ...]) -> dict[str, CimValue]:
    """What a port allocation says once it is connected to the switch a path names."""
    if len(paths) != 1:
        raise Stop(INVALID)
    switch = call.object(paths[0])
    if switch.class_name != network.SWITCH:
        raise Stop(INVALID)
    name = shapes.text(switch, "Name")
    path = shapes.object_path(call.host.name, shapes.system_ref(name, network.SWITCH))
    return {
        "HostResource": (path,),
        "EnabledState": 2,
        "LastKnownSwitchName": switch.values["ElementName"],
    }


def change_port(
    call: Call, machine: Machine, present: CimInstance, wanted: dict[str, CimValue]
) -> None:
    """Connect to a switch, or disconnect: 3 keeps the name of the switch and nothing else."""
    if wanted.get("EnabledState", 2) not in (2, 3):
        raise Stop(INVALID)
    paths = wanted.get("HostResource")
    if isinstance(paths, tuple) and paths:
        state = wanted.get("EnabledState", 2)
        wanted.update(plugged(call, paths) | {"EnabledState": state})
    elif "HostResource" in wanted:
        wanted["EnabledState"] = 3
    state = wanted.get("EnabledState", present.values["EnabledState"])
    if state == 3:
        wanted["HostResource"] = None
    elif not (wanted.get("HostResource") or present.values["HostResource"]):
        raise Stop(INVALID)


def settle(host: SimHost, machine: Machine, port: CimInstance) -> None:
    """The guest has the address of the network its adapter is on now."""
    place = shapes.text(port, "InstanceID").rpartition("\\")[0].lower()
    nic = machine.current.resources.get(place)
    if nic is None or port.values["EnabledState"] != 2:
        return
    number = network_of(machine, port)
    key = shapes.text(nic, "InstanceID").lower()
    if key in machine.addresses and machine.networks.get(key, number) == number:
        machine.networks[key] = number
        return
    address = shapes.text(nic, "Address") or NOTHING
    machine.networks[key] = number
    machine.addresses[key] = host.fabric.lease(host.site, number, address)


def network_of(machine: Machine, port: CimInstance) -> int:
    """The VLAN that a port's untagged traffic is on."""
    tag = f"{shapes.text(port, 'InstanceID')}\\{shapes.FEATURES[VLAN]}".lower()
    vlan = machine.current.resources.get(tag)
    if vlan is None:
        return UNTAGGED
    mode = shapes.number(vlan, "OperationMode")
    name = {2: "NativeVlanId", 3: "PrimaryVlanId"}.get(mode, "AccessVlanId")
    return shapes.number(vlan, name) or UNTAGGED

"""What a host has counted of its networks: adapters, switches, physical interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from tui.sim import shapes
from tui.sim.counters import Numbers, Row, running
from tui.sim.machine import Machine
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.world import SimHost

Pair: TypeAlias = tuple[float, float]


def _traffic(name: str, received: float, sent: float, lost: Pair = (0.0, 0.0)) -> Row:
    """``lost``: packets dropped on the way in and on the way out."""
    rates: Numbers = {
        "BytesReceivedPersec": received,
        "BytesSentPersec": sent,
        "BytesPersec": received + sent,
        "PacketsReceivedPersec": received // 780,
        "PacketsSentPersec": sent // 820,
        "PacketsPersec": received // 780 + sent // 820,
        "DirectedPacketsReceivedPersec": received // 800,
        "DirectedPacketsSentPersec": sent // 840,
        "DroppedPacketsIncomingPersec": int(lost[0]),
        "DroppedPacketsOutgoingPersec": int(lost[1]),
    }
    return Row(name, rates, {}, {})


def nic_name(machine: Machine, nic: CimInstance) -> str:
    """VM name, adapter name, and both GUIDs (separators unverified)."""
    adapter = shapes.text(nic, "InstanceID").split("\\")[1]
    return f"{machine.name}_{shapes.text(nic, 'ElementName')}_{machine.id}--{adapter}"


def adapters(host: SimHost, now: float) -> Iterator[Row]:
    for machine in running(host):
        nics = machine.connected_nics
        done = machine.done(now)
        for nic in nics:
            received = done.amount(machine.load.net_in) / len(nics)
            sent = done.amount(machine.load.net_out) / len(nics)
            lost, missed = (each / len(nics) for each in machine.dropped(now))
            yield _traffic(nic_name(machine, nic), int(received), int(sent), (lost, missed))


def switches(host: SimHost, now: float) -> Iterator[Row]:
    sums: dict[str, list[float]] = {}
    for switch in host.switches():
        sums[shapes.text(switch, "Name").upper()] = [0.0] * 4
    for machine in running(host):
        nics = machine.connected_nics
        done = machine.done(now)
        for nic in nics:
            port = machine.connection(nic)
            path = "".join(shapes.strings(port, "HostResource")) if port else ""
            total = sums.get(path.rpartition('Name="')[2].rstrip('"').upper())
            if total is not None:
                total[0] += done.amount(machine.load.net_out) / len(nics)
                total[1] += done.amount(machine.load.net_in) / len(nics)
                lost, missed = machine.dropped(now)
                total[2] += missed / len(nics)  # what a machine sends comes in to the switch
                total[3] += lost / len(nics)
    for switch in host.switches():
        identity = shapes.text(switch, "Name").upper()
        received, sent, lost, missed = sums[identity]
        gone = host.passed.get(identity, (0.0, 0.0))
        dropped = host.passed.get(f"{identity} dropped", (0.0, 0.0))
        yield _traffic(
            shapes.text(switch, "ElementName"),
            int(received + gone[0]),
            int(sent + gone[1]),
            (lost + dropped[0], missed + dropped[1]),
        )


def interfaces(host: SimHost, now: float) -> Iterator[Row]:
    plans = host.plan.uplinks
    received, sent, at = 0.0, 0.0, 0.0
    if host.plan.local:
        from tui.sim import local  # psutil is needed for this host only

        taken = local.sample()
        received, sent, at = taken.received, taken.sent, taken.at
    else:
        for row in switches(host, now):
            received += row.rates["BytesSentPersec"]
            sent += row.rates["BytesReceivedPersec"]
    for index, plan in enumerate(plans):
        rates: Numbers = {}
        if index == 0:
            rates = {
                "BytesReceivedPersec": int(received),
                "BytesSentPersec": int(sent),
                "BytesTotalPersec": int(received + sent),
                "PacketsReceivedPersec": received // 780,
                "PacketsSentPersec": sent // 820,
            }
        name = plan.description.replace("(", "[").replace(")", "]").replace("#", "_")
        yield Row(name, rates, {}, {"CurrentBandwidth": plan.speed}, at=at)

"""Virtual switches: made, renamed, changed and deleted, told by plain WQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.hyperv_kit import HOST
from tests.verb_kit import Verbs, verbs
from tui.actions import Risk, Target, by_id
from tui.collector.following import target_of
from tui.sim.plan import UplinkPlan
from tui.wsman.cim import from_path

PORT = "Msvm_EthernetPortAllocationSettingData"
SETTINGS = "Msvm_VirtualEthernetSwitchSettingData"
PLAN = replace(
    HOST,
    uplinks=(
        *HOST.uplinks,
        UplinkPlan("NIC3", "Mellanox ConnectX-6, port 1"),
        UplinkPlan("NIC4", "Mellanox ConnectX-6, port 2"),
    ),
)


@pytest.fixture
def at() -> Iterator[Verbs]:
    with verbs(PLAN) as made:
        made.host.ensure()
        yield made


def guid(at: Verbs, name: str) -> str:
    return str(at.one("Msvm_VirtualEthernetSwitch", ElementName=name)["Name"])


def reach(at: Verbs, name: str) -> list[str]:
    """Class of what each port of a switch reaches, in order."""
    prefix = f"Microsoft:{guid(at, name)}\\"
    rows = at.wql(f"SELECT * FROM {PORT}")
    found = []
    for row in rows:
        targets = row.get("HostResource")
        if str(row["InstanceID"]).startswith(prefix) and isinstance(targets, tuple):
            found += [from_path(str(target)).class_name for target in targets]
    return sorted(found)


def uplink(at: Verbs, name: str) -> str:
    rows = at.wql("SELECT * FROM Msvm_ExternalEthernetPort")
    (row,) = (r for r in rows if name in (r["ElementName"], r["Name"]))
    return str(row["DeviceID"])


def free(at: Verbs) -> list[str]:
    rows = at.wql("SELECT * FROM Msvm_ExternalEthernetPort")
    return [str(row["DeviceID"]) for row in rows if not row["IsBound"]]


EXTERNAL, HOST_PORT = "Msvm_ExternalEthernetPort", "Msvm_ComputerSystem"


@pytest.mark.parametrize(
    ("kind", "shared", "ports"),
    [
        ("external", True, [HOST_PORT, EXTERNAL]),
        ("external", False, [EXTERNAL]),
        ("internal", None, [HOST_PORT]),
        ("private", None, []),
    ],
)
def test_every_kind_of_switch(at: Verbs, kind: str, shared: bool | None, ports: list[str]) -> None:
    name = f"new {kind} & 'co'"
    more: dict[str, object] = {} if shared is None else {"shared": shared}
    if kind == "external":
        more["uplink"] = free(at)[0]
    at.run("switch.create", "hv01", name=name, kind=kind, **more)
    assert reach(at, name) == ports
    if kind == "external":
        assert more["uplink"] not in free(at)


def test_a_team_and_its_options(at: Verbs) -> None:
    first, second = free(at)[:2]
    at.run(
        "switch.create",
        "hv01",
        name="SET",
        kind="external",
        uplink=first,
        team=(second,),
        shared=False,
        bandwidth="weight",
    )
    assert reach(at, "SET") == [EXTERNAL, EXTERNAL]
    row = at.one(SETTINGS, ElementName="SET")
    assert (row["TeamingEnabled"], row["BandwidthReservationMode"]) == (True, 1)


def test_a_switch_for_sr_iov(at: Verbs) -> None:
    at.run("switch.create", "hv01", name="fast", kind="external", uplink=free(at)[0], iov=True)
    assert at.one(SETTINGS, ElementName="fast")["IOVPreferred"] is True
    reason = at.refused(
        "switch.create", "hv01", name="f2", kind="external", iov=True, bandwidth="weight"
    )
    assert "SR-IOV" in reason


def test_names_and_adapters_that_are_taken(at: Verbs) -> None:
    assert "already" in at.refused("switch.create", "hv01", name="Prod", kind="private")
    assert "100 characters" in at.refused("switch.create", "hv01", name="x" * 200, kind="private")
    rows = at.wql("SELECT * FROM Msvm_ExternalEthernetPort")
    bound = next(str(row["DeviceID"]) for row in rows if row["IsBound"])
    reason = at.refused("switch.create", "hv01", name="n", kind="external", uplink=bound)
    assert "another virtual switch has" in reason
    reason = at.refused("switch.create", "hv01", name="n", kind="external", team=("nobody",))
    assert "no adapter nobody" in reason


def test_renaming_keeps_everything_connected(at: Verbs) -> None:
    before = guid(at, "Prod")
    at.run("switch.rename", "Prod", name="100% Prod <1>")
    assert guid(at, "100% Prod <1>") == before
    ports = at.of("sql01", PORT)
    assert any(before in str(port["HostResource"]) for port in ports)
    assert at.changes[0].endswith("ModifySystemSettings")


def test_another_uplink_leaves_the_hosts_port(at: Verbs) -> None:
    wanted, before = free(at)[-1], reach(at, "Prod")
    at.run("switch.set", "Prod", uplink=wanted)
    assert reach(at, "Prod") == before
    assert wanted not in free(at)
    assert [text.rpartition(".")[2] for text in at.changes] == ["ModifyResourceSettings"]


def test_sharing_and_not(at: Verbs) -> None:
    shared = HOST_PORT in reach(at, "Prod")
    at.run("switch.set", "Prod", shared=not shared)
    assert (HOST_PORT in reach(at, "Prod")) is not shared
    at.run("switch.set", "Prod", shared=shared)
    assert (HOST_PORT in reach(at, "Prod")) is shared


def test_external_and_back(at: Verbs) -> None:
    at.run("switch.set", "Desk", uplink=free(at)[0])
    assert reach(at, "Desk") == [HOST_PORT, EXTERNAL]
    at.run("switch.set", "Desk", uplink="")
    assert reach(at, "Desk") == [HOST_PORT]
    assert "so already" in at.refused("switch.set", "Desk")


def test_a_change_that_stops_midway_says_what_is(at: Verbs) -> None:
    at.sabotage = lambda asked: asked.method == "RemoveResourceSettings"
    update = at.failed("switch.set", "Desk", uplink=free(at)[0], shared=False)
    assert update.made == ("Desk has its new uplink",)


def target(at: Verbs, name: str) -> Target:
    inventory = at.inventory()
    (key,) = (s.id for s in inventory.switches.values() if s.name == name)
    by = by_id("switch.delete")
    assert by is not None
    found = target_of(inventory, by.kind, key)
    assert found is not None
    return found


def test_deleting_a_switch_in_use_names_who_loses_it(at: Verbs) -> None:
    reason = at.refused("switch.delete", "Prod")
    assert "sql01" in reason
    assert "web01" in reason
    action, used = by_id("switch.delete"), target(at, "Prod")
    assert action is not None
    assert action.risk_of(used, {}) is Risk.RED
    assert action.consequences is not None
    assert "sql01 loses its network" in action.consequences(used, {})
    at.run("switch.delete", "Prod", in_use=True)
    assert "Prod" not in at.names("Msvm_VirtualEthernetSwitch")
    (port, *_) = at.of("web01", PORT)
    assert port["EnabledState"] == 3


def test_deleting_an_unused_switch(at: Verbs) -> None:
    action = by_id("switch.delete")
    assert action is not None
    assert action.risk_of(target(at, "Desk"), {}) is Risk.AMBER
    at.run("switch.delete", "Desk")
    assert "Desk" not in at.names("Msvm_VirtualEthernetSwitch")

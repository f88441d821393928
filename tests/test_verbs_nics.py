"""Network adapters: what the host shows afterwards, and what is refused before and by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from tests.action_kit import V2, action, attempt, objection, only, perform, rows, target
from tests.hyperv_kit import Bench, bench, refusing
from tui.actions import amounts
from tui.errors import HalfDone, MethodFailed
from tui.hyperv.model import Host, HostVitals, Inventory, Vm
from tui.wsman.cim import CimInstance
from tui.wsman.fault import fault
from tui.wsman.values import Wsman

NIC = "Msvm_SyntheticEthernetPortSettingData"
LEGACY = "Msvm_EmulatedEthernetPortSettingData"
PORT = "Msvm_EthernetPortAllocationSettingData"
VLAN = "Msvm_EthernetSwitchPortVlanSettingData"
GUARD = "Msvm_EthernetSwitchPortSecuritySettingData"
SPEED = "Msvm_EthernetSwitchPortBandwidthSettingData"
ON, OFF, TRUNKED, FIRST = "sql01", "idle01", "web01", "old01"


def switch(at: Bench, name: str) -> str:
    wql = f"SELECT Name FROM Msvm_VirtualEthernetSwitch WHERE ElementName = '{name}'"
    return str(only(at.wql(V2, wql))["Name"])


def nic(at: Bench, name: str, number: int = 0) -> str:
    """InstanceID of an adapter, in the order of the inventory."""
    found = target(at, name, sheet=False).vm
    assert found is not None
    return found.nics[number].id


def of(at: Bench, class_name: str, name: str, number: int = 0) -> list[CimInstance]:
    """Instances that hang below an adapter."""
    head = nic(at, name, number).lower()
    found = rows(at, class_name, name)
    return [row for row in found if str(row["InstanceID"]).lower().startswith(head)]


def plug(at: Bench, name: str, number: int = 0) -> tuple[object, str]:
    """Whether a port is enabled, and the switch it names."""
    row = only(of(at, PORT, name, number))
    paths = row.get("HostResource")
    return row["EnabledState"], str(paths[0]).upper() if isinstance(paths, tuple) else ""


# -- adapters ------------------------------------------------------------------------------


def test_an_adapter_is_added_and_plugged_in() -> None:
    at = bench()
    before = {str(row["InstanceID"]) for row in rows(at, NIC, OFF)}
    ran = perform(
        at, "nic.add", OFF, name="Backup <1> & more", switch=switch(at, "Lab"), mac="02155D0A0B0C"
    )
    assert ran.steps == ["Adding the adapter", "Plugging it in"]
    made = only(row for row in rows(at, NIC, OFF) if str(row["InstanceID"]) not in before)
    assert (made["ElementName"], made["Address"], made["StaticMacAddress"]) == (
        "Backup <1> & more",
        "02155D0A0B0C",
        True,
    )
    ports = [
        row
        for row in rows(at, PORT, OFF)
        if str(row["InstanceID"]).startswith(str(made["InstanceID"]))
    ]
    assert only(ports)["EnabledState"] == 2
    assert switch(at, "Lab") in str(only(ports)["HostResource"])


def test_an_adapter_without_a_switch_and_a_legacy_one() -> None:
    at = bench()
    assert perform(at, "nic.add", ON, name="Spare").steps == ["Adding the adapter"]
    assert "Spare" in {row["ElementName"] for row in rows(at, NIC, ON)}
    assert "only while the machine is off" in objection(at, "nic.add", FIRST, legacy=True)


def test_an_adapter_that_cannot_be_plugged_in_goes_in_one_step() -> None:
    at = bench()
    calls: list[str] = []

    def second(text: str) -> bool:
        calls.append(text)
        return sum(each.endswith("AddResourceSettings") for each in calls) == 2

    at.wire.intercept = refusing(second, fault(Wsman.ACCESS_DENIED))
    with pytest.raises(HalfDone) as caught:
        attempt(at, "nic.add", OFF, name="Odd", switch=switch(at, "Lab"))
    at.wire.intercept = None
    assert caught.value.made == ("the adapter Odd",)
    assert "Odd" in {row["ElementName"] for row in rows(at, NIC, OFF)}
    assert caught.value.undo is not None
    action_id, vm_id, arguments = caught.value.undo
    assert vm_id == at.vm(OFF)
    perform(at, action_id, OFF, **arguments)
    assert "Odd" not in {row["ElementName"] for row in rows(at, NIC, OFF)}


def test_an_adapter_is_removed_with_its_port() -> None:
    at = bench()
    gone = nic(at, ON, 1)
    perform(at, "nic.remove", ON, nic=gone)
    for class_name in (NIC, PORT):
        assert not [r for r in rows(at, class_name, ON) if str(r["InstanceID"]).startswith(gone)]
    assert len(rows(at, NIC, ON)) == 1


def test_an_adapter_moves_to_another_switch_and_is_unplugged() -> None:
    at = bench()
    perform(at, "nic.connect", ON, nic=nic(at, ON), switch=switch(at, "Desk"))
    assert plug(at, ON)[0] == 2
    assert switch(at, "Desk") in plug(at, ON)[1]
    perform(at, "nic.disconnect", ON, nic=nic(at, ON))
    assert plug(at, ON) == (3, "")
    perform(at, "nic.connect", ON, nic=nic(at, ON), switch=switch(at, "Prod"))
    assert switch(at, "Prod") in plug(at, ON)[1]


def test_an_adapter_that_never_was_connected_gets_its_port() -> None:
    at = bench()
    perform(at, "nic.add", OFF, name="Bare")
    bare = next(str(r["InstanceID"]) for r in rows(at, NIC, OFF) if r["ElementName"] == "Bare")
    assert "connect it first" in objection(at, "nic.set-vlan", OFF, nic=bare, mode=1, vlan=5)
    perform(at, "nic.connect", OFF, nic=bare, switch=switch(at, "Lab"))
    perform(at, "nic.set-vlan", OFF, nic=bare, mode=1, vlan=5)
    (row,) = (r for r in rows(at, VLAN, OFF) if str(r["InstanceID"]).startswith(bare))
    assert row["AccessVlanId"] == 5


@pytest.mark.parametrize(
    ("action_id", "name", "given", "says"),
    [
        ("nic.add", ON, {"name": ""}, "A name cannot be empty"),
        ("nic.add", ON, {"name": "x" * 200}, "at most 100"),
        ("nic.add", ON, {"legacy": True}, "generation 2 takes no legacy adapter"),
        ("nic.add", FIRST, {}, "because it is of generation 1"),
        ("nic.add", "kept01", {}, "only while the machine is off; it is saved"),
        ("nic.add", ON, {"switch": "11111111-1111-1111-1111-111111111111"}, "no such switch"),
        ("nic.remove", ON, {}, "Adapter is not given"),
        ("nic.remove", ON, {"nic": "Microsoft:gone"}, "no such adapter any more"),
        ("nic.remove", FIRST, {}, "only while the machine is off"),
        ("nic.set-mac", ON, {}, "a MAC address can only change while the machine is off"),
    ],
)
def test_adapters_that_cannot_be(
    action_id: str, name: str, given: dict[str, Any], says: str
) -> None:
    assert says in objection(bench(), action_id, name, **given)


def test_eight_adapters_are_the_most() -> None:
    at = bench()
    for number in range(7):
        perform(at, "nic.add", OFF, name=f"N{number}")
    assert "8 synthetic adapters already" in objection(at, "nic.add", OFF)


# -- addresses -----------------------------------------------------------------------------


def test_an_address_is_kept_and_given_back() -> None:
    at = bench()
    perform(at, "nic.set-mac", OFF, static=True, mac=amounts.mac("02-15-5d-aa-bb-cc"))
    row = only(rows(at, NIC, OFF))
    assert (row["Address"], row["StaticMacAddress"]) == ("02155DAABBCC", True)
    perform(at, "nic.set-mac", OFF, static=False)
    row = only(rows(at, NIC, OFF))
    assert row["StaticMacAddress"] is False
    assert row["Address"] != "02155DAABBCC"


def test_an_address_that_somebody_has() -> None:
    at = bench()
    taken = str(rows(at, NIC, ON)[0]["Address"])
    says = objection(at, "nic.set-mac", OFF, static=True, mac=taken)
    assert f"of {ON} has this address already" in says


def test_an_address_that_somebody_on_another_host_has() -> None:
    at, mac = bench(), "02155DAABBCC"
    here, row = target(at, OFF), action("nic.set-mac")
    mine = here.vm
    assert mine is not None
    card = structs.replace(mine.nics[0], id="there", name="Public", mac=mac.lower())
    fleet = {
        host: Inventory(Host(host, ""), HostVitals(host), {vm.id: vm})
        for host, vm in (
            ("hv01", mine),
            ("hv02", Vm("FAR", "hv02", "far01", nics=(card,))),
            ("hv03", structs.replace(mine, host="hv03")),
        )
    }
    known = replace(here, fleet=lambda: fleet)
    given = row.filled(known, {"static": True, "mac": mac})
    says = row.objection(known, given)
    assert says == "MAC address: Public of far01 on hv02 has this address already"
    assert row.objection(here, given) is None
    own = row.filled(known, {"static": True})
    assert row.objection(known, own) is None, "the same machine elsewhere, as a replica is"
    added = {"name": "N", "mac": mac, "legacy": False}
    assert "far01 on hv02" in (action("nic.add").objection(known, added) or "")


@pytest.mark.parametrize(
    ("mac", "says"),
    [("000000000000", "that is no address"), ("01005E000001", "group address")],
)
def test_addresses_no_station_has(mac: str, says: str) -> None:
    assert says in objection(bench(), "nic.set-mac", OFF, static=True, mac=mac)


@pytest.mark.parametrize("text", ["", "00-15-5D", "00155D01020G", "00155D0102030"])
def test_text_that_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not a MAC address"):
        amounts.mac(text)


# -- VLAN ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"mode": 1, "vlan": 4094}, {"OperationMode": 1, "AccessVlanId": 4094}),
        (
            {"mode": 2, "vlans": [10, 20, 21], "native": 5},
            {"OperationMode": 2, "NativeVlanId": 5, "TrunkVlanIdArray": (10, 20, 21)},
        ),
        (
            {"mode": 3, "kind": 2, "vlan": 7, "secondary": 8},
            {"OperationMode": 3, "PrimaryVlanId": 7, "SecondaryVlanId": 8, "PvlanMode": 2},
        ),
        (
            {"mode": 3, "kind": 3, "vlan": 7, "vlans": [8, 9]},
            {"PrimaryVlanId": 7, "SecondaryVlanIdArray": (8, 9), "PvlanMode": 3},
        ),
    ],
)
def test_every_way_of_tagging(given: dict[str, Any], expected: dict[str, object]) -> None:
    at = bench()
    for name, number in ((ON, 1), (TRUNKED, 0)):
        perform(at, "nic.set-vlan", name, nic=nic(at, name, number), **given)
        row = only(of(at, VLAN, name, number))
        assert {key: row[key] for key in expected} == expected


def test_untagged_takes_the_setting_away() -> None:
    at = bench()
    assert len(of(at, VLAN, ON)) == 1
    perform(at, "nic.set-vlan", ON, nic=nic(at, ON), mode=0)
    assert of(at, VLAN, ON) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mode": 1, "vlan": 4095}, "a VLAN is a number from 1 to 4094"),
        ({"mode": 1, "vlan": 0}, "a VLAN is a number from 1 to 4094"),
        ({"mode": 2, "vlans": [10, 5000]}, "a VLAN is a number from 1 to 4094"),
        ({"mode": 2}, "VLANs is not given"),
        ({"mode": 2, "vlans": []}, "which VLANs?"),
        ({"mode": 3, "vlan": 7}, "Secondary VLAN is not given"),
        ({"mode": 3, "vlan": 7, "secondary": 7}, "cannot be the primary one"),
    ],
)
def test_vlans_that_cannot_be(given: dict[str, Any], says: str) -> None:
    at = bench()
    assert says in objection(at, "nic.set-vlan", ON, nic=nic(at, ON), **given)


# -- bandwidth, guards ---------------------------------------------------------------------


def test_bandwidth_is_metered_and_freed() -> None:
    at = bench()
    perform(at, "nic.set-bandwidth", ON, nic=nic(at, ON), maximum=amounts.rate("500M"))
    row = only(of(at, SPEED, ON))
    assert (row["Limit"], row["Reservation"]) == (500_000_000, 0)
    perform(at, "nic.set-bandwidth", ON, nic=nic(at, ON), maximum=0)
    assert of(at, SPEED, ON) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"minimum": 2_000, "maximum": 1_000}, "the minimum is above the maximum"),
        ({"minimum": 2_000, "weight": 5}, "either a minimum or a weight"),
        ({"weight": 101}, "between 0 and 100"),
    ],
)
def test_bandwidth_that_cannot_be(given: dict[str, Any], says: str) -> None:
    at = bench()
    assert says in objection(at, "nic.set-bandwidth", ON, nic=nic(at, ON), **given)


def test_guards_are_set_one_by_one() -> None:
    at = bench()
    perform(at, "nic.set-guards", ON, nic=nic(at, ON), dhcp_guard=True, router_guard=True)
    row = only(of(at, GUARD, ON))
    flags = ("EnableDhcpGuard", "EnableRouterGuard", "AllowMacSpoofing")
    assert tuple(row[flag] for flag in flags) == (True, True, False)
    perform(at, "nic.set-guards", ON, nic=nic(at, ON), dhcp_guard=False, mac_spoofing=True)
    row = only(of(at, GUARD, ON))
    assert tuple(row[flag] for flag in flags) == (False, True, True)


def test_the_host_has_the_last_word() -> None:
    at = bench()
    with pytest.raises(MethodFailed) as caught:
        attempt(at, "nic.set-vlan", ON, nic=nic(at, ON), mode=1, vlan=4095)
    assert caught.value.code == 32773
    assert "set the VLAN of sql01" in caught.value.title

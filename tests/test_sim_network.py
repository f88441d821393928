"""Adapters, ports and switches of a simulated host, and what Windows tells of its networks."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.sim_kit import (
    SWITCHES,
    V2,
    VSMS,
    Bench,
    bench,
    by_id,
    embedded,
    one,
    path_of,
    settings_of,
    system,
    word,
)
from tui.sim import rules
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

STANDARD = "root/StandardCimv2"
PORT = "Msvm_EthernetPortAllocationSettingData"
VLAN = "Msvm_EthernetSwitchPortVlanSettingData"
BANDWIDTH = "Msvm_EthernetSwitchPortBandwidthSettingData"
SECURITY = "Msvm_EthernetSwitchPortSecuritySettingData"
OFFLOAD = "Msvm_EthernetSwitchPortOffloadSettingData"
ACL = "Msvm_EthernetSwitchPortAclSettingData"
SWITCH = "Msvm_VirtualEthernetSwitch"
SETTINGS = "Msvm_VirtualEthernetSwitchSettingData"
EXTERNAL = "Msvm_ExternalEthernetPort"


@pytest.fixture
def world() -> Bench:
    return bench()


def ended(world: Bench, output: MethodOutput) -> int:
    """What a call came to: its refusal, the error of its job, or 4096 when all went well."""
    if output.return_value != 4096:
        return output.return_value or 4096
    failed = world.finish(output)["ErrorCode"]
    assert isinstance(failed, int)
    return failed or 4096


def add(world: Bench, name: str, *texts: str) -> int:
    target = settings_of(str(world.vm(name)["Name"]))
    return ended(
        world,
        world.call(
            VSMS, "AddResourceSettings", AffectedConfiguration=target, ResourceSettings=texts
        ),
    )


def change(world: Bench, item: CimInstance, **values: CimValue) -> int:
    text = embedded(item.class_name, InstanceID=item["InstanceID"], **values)
    return ended(world, world.call(VSMS, "ModifyResourceSettings", ResourceSettings=(text,)))


def remove(world: Bench, *items: CimInstance) -> int:
    refs = tuple(by_id(item) for item in items)
    return ended(world, world.call(VSMS, "RemoveResourceSettings", ResourceSettings=refs))


def switch_of(world: Bench, name: str) -> CimInstance:
    return one(world.all(SWITCH), lambda s: s["ElementName"] == name)


def switch_path(world: Bench, name: str) -> str:
    found = word(switch_of(world, name)["Name"])
    return f'{SWITCH}.CreationClassName="{SWITCH}",Name="{found}"'


# -- adapters ------------------------------------------------------------------------------


def test_adapters_are_limited_in_number_and_kind() -> None:
    world = bench("datacenter", "HV02")
    synthetic = embedded(rules.SYNTHETIC, ElementName="More")
    legacy = embedded(rules.EMULATED, ElementName="Old")
    for _ in range(8 - len(world.of("test-sql", rules.SYNTHETIC))):
        assert add(world, "test-sql", synthetic) == 4096
    assert add(world, "test-sql", synthetic) == 32773
    assert add(world, "test-sql", legacy) == 32773, "generation 2"
    assert world.finish(world.change("winxp-plc", 3))["JobState"] == 7
    for _ in range(4 - len(world.of("winxp-plc", rules.EMULATED))):
        assert add(world, "winxp-plc", legacy) == 4096
    assert add(world, "winxp-plc", legacy) == 32773


def test_only_generation_two_takes_an_adapter_while_running(world: Bench) -> None:
    text = embedded(rules.SYNTHETIC, ElementName="Hot")
    assert add(world, "print01", text) == 32775
    assert add(world, "dc01", text) == 4096
    nic = one(world.of("dc01", rules.SYNTHETIC), lambda n: n["ElementName"] == "Hot")
    assert remove(world, nic) == 4096
    assert remove(world, world.of("print01", rules.SYNTHETIC)[0]) == 32775
    assert add(bench("datacenter", "HV02"), "win10-ltsc", text) == 32775, "saved"


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("02aabbccddee", 4096),
        ("02AABBCCDDE", 32773),
        ("02-AA-BB-CC-DD-EE", 32773),
        ("02AABBCCDDEG", 32773),
        ("01005E000001", 32773),
        ("FFFFFFFFFFFF", 32773),
        ("000000000000", 32773),
        ("", 32773),
    ],
)
def test_a_static_address_is_twelve_digits_of_one_station(
    world: Bench, address: str, answer: int
) -> None:
    nic = world.of("pki-root", rules.SYNTHETIC)[0]
    assert change(world, nic, Address=address, StaticMacAddress=True) == answer
    if answer == 4096:
        after = world.of("pki-root", rules.SYNTHETIC)[0]
        assert (after["Address"], after["StaticMacAddress"]) == (address.upper(), True)


def test_an_address_at_work_on_the_host_is_taken_and_on_another_host_is_not(world: Bench) -> None:
    nic = world.of("pki-root", rules.SYNTHETIC)[0]
    used = world.of("dc01", rules.SYNTHETIC)[0]["Address"]
    assert change(world, nic, Address=used, StaticMacAddress=True) == 32773
    far = world.at("HV02").of("git01", rules.SYNTHETIC)[0]["Address"]
    assert change(world, nic, Address=far, StaticMacAddress=True) == 4096
    assert change(world, nic, StaticMacAddress=False) == 4096
    again = str(world.of("pki-root", rules.SYNTHETIC)[0]["Address"])
    pool = world.all("Msvm_VirtualSystemManagementServiceSettingData")[0]
    assert str(pool["MinimumMacAddress"]) <= again <= str(pool["MaximumMacAddress"])


def test_an_adapter_is_made_with_an_address_of_its_own(world: Bench) -> None:
    text = embedded(rules.SYNTHETIC, Address="02AABBCCDDEE", StaticMacAddress=True)
    assert add(world, "dc01", text) == 4096
    assert "02AABBCCDDEE" in [n["Address"] for n in world.of("dc01", rules.SYNTHETIC)]
    bare = embedded(rules.SYNTHETIC, StaticMacAddress=True)
    assert add(world, "dc01", bare) == 32773


# -- plugs ---------------------------------------------------------------------------------


def ports_of(world: Bench, switch: str) -> list[CimInstance]:
    name = switch_of(world, switch)["Name"]
    return [p for p in world.all("Msvm_EthernetSwitchPort") if p["SystemName"] == name]


def test_a_plug_is_pulled_and_put_back(world: Bench) -> None:
    before = len(ports_of(world, "Production"))
    plug = world.of("dc01", PORT)[0]
    assert change(world, plug, EnabledState=3) == 4096
    pulled = world.of("dc01", PORT)[0]
    assert (pulled["EnabledState"], pulled.get("HostResource")) == (3, None)
    assert pulled["LastKnownSwitchName"] == "Production"
    assert len(ports_of(world, "Production")) == before - 1
    assert change(world, plug, EnabledState=2) == 32773, "to what?"
    path = switch_path(world, "DMZ")
    assert change(world, plug, EnabledState=2, HostResource=(path,)) == 4096
    assert world.of("dc01", PORT)[0]["LastKnownSwitchName"] == "DMZ"
    assert change(world, plug, EnabledState=4) == 32773
    assert change(world, plug, HostResource=(path, path)) == 32773


def test_a_new_adapter_is_plugged_in_by_a_port_allocation(world: Bench) -> None:
    assert add(world, "dc01", embedded(rules.SYNTHETIC, ElementName="Second")) == 4096
    nic = one(world.of("dc01", rules.SYNTHETIC), lambda n: n["ElementName"] == "Second")
    path = switch_path(world, "DMZ")
    assert add(world, "dc01", embedded(PORT, Parent=path_of(nic), EnabledState=2)) == 32773
    text = embedded(PORT, Parent=path_of(nic), HostResource=(path,))
    assert add(world, "dc01", text) == 4096
    assert add(world, "dc01", text) == 32773, "it has one"
    plug = one(world.of("dc01", PORT), lambda p: p["LastKnownSwitchName"] == "DMZ")
    assert plug["EnabledState"] == 2
    assert remove(world, plug) == 4096
    assert len(world.of("dc01", PORT)) == 1


# -- features ------------------------------------------------------------------------------


def feature(world: Bench, port: CimInstance, class_name: str, **values: CimValue) -> int:
    text = embedded(class_name, **values)
    return ended(
        world,
        world.call(
            VSMS, "AddFeatureSettings", AffectedConfiguration=by_id(port), FeatureSettings=(text,)
        ),
    )


def retune(world: Bench, item: CimInstance, **values: CimValue) -> int:
    text = embedded(item.class_name, InstanceID=item["InstanceID"], **values)
    return ended(world, world.call(VSMS, "ModifyFeatureSettings", FeatureSettings=(text,)))


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"OperationMode": 1, "AccessVlanId": 1}, 4096),
        ({"OperationMode": 1, "AccessVlanId": 4094}, 4096),
        ({"OperationMode": 1, "AccessVlanId": 4095}, 32773),
        ({"OperationMode": 1, "AccessVlanId": 0}, 32773),
        ({"OperationMode": 1}, 32773),
        ({"OperationMode": 4, "AccessVlanId": 5}, 32773),
        ({"OperationMode": 2, "NativeVlanId": 10, "TrunkVlanIdArray": (10, 20)}, 4096),
        ({"OperationMode": 2, "NativeVlanId": 0, "TrunkVlanIdArray": (20,)}, 4096),
        ({"OperationMode": 2, "NativeVlanId": 10}, 32773),
        ({"OperationMode": 2, "NativeVlanId": 10, "TrunkVlanIdArray": (20, 4095)}, 32773),
        (
            {"OperationMode": 3, "PvlanMode": 1, "PrimaryVlanId": 10, "SecondaryVlanId": 200},
            4096,
        ),
        (
            {"OperationMode": 3, "PvlanMode": 2, "PrimaryVlanId": 10, "SecondaryVlanId": 10},
            32773,
        ),
        (
            {
                "OperationMode": 3,
                "PvlanMode": 3,
                "PrimaryVlanId": 10,
                "SecondaryVlanIdArray": (200, 201),
            },
            4096,
        ),
        ({"OperationMode": 3, "PvlanMode": 3, "PrimaryVlanId": 10}, 32773),
    ],
)
def test_vlans_are_tagged_by_one_of_three_modes(
    world: Bench, values: dict[str, CimValue], answer: int
) -> None:
    port = world.of("pki-root", PORT)[0]
    assert feature(world, port, VLAN, **values) == answer
    found = world.of("pki-root", VLAN)
    assert [{k: v[k] for k in values} for v in found] == ([values] if answer == 4096 else [])


def test_a_guest_gets_an_address_of_its_new_vlan(world: Bench) -> None:
    def addresses() -> CimValue:
        nic = word(world.of("dc01", rules.SYNTHETIC)[0]["InstanceID"]).partition(":")[2]
        found = one(
            world.all("Msvm_GuestNetworkAdapterConfiguration"),
            lambda i: word(i["InstanceID"]).endswith(nic),
        )
        return found["IPAddresses"]

    before = addresses()
    vlan = world.of("dc01", VLAN)[0]
    assert retune(world, vlan, AccessVlanId=99) == 4096
    assert str(before).startswith("('10.20.10.")
    assert str(addresses()).startswith("('10.20.99.")


@pytest.mark.parametrize(
    ("class_name", "values", "answer"),
    [
        (BANDWIDTH, {"Limit": 100_000_000, "Reservation": 50_000_000}, 4096),
        (BANDWIDTH, {"Limit": 10, "Reservation": 50}, 32773),
        (BANDWIDTH, {"Weight": 30}, 32773),
        (BANDWIDTH, {"Weight": 30, "Reservation": 50}, 32773),
        (SECURITY, {"AllowMacSpoofing": True, "EnableDhcpGuard": True}, 4096),
        (SECURITY, {"MonitorMode": 3}, 32773),
        (OFFLOAD, {"VMQOffloadWeight": 0, "IOVOffloadWeight": 100}, 4096),
        (OFFLOAD, {"VMQOffloadWeight": 101}, 32773),
        (OFFLOAD, {"IOVQueuePairsRequested": 0}, 32773),
    ],
)
def test_features_stay_within_what_the_switch_does(
    world: Bench, class_name: str, values: dict[str, CimValue], answer: int
) -> None:
    port = world.of("dc01", PORT)[0]
    assert feature(world, port, class_name, **values) == answer
    if answer == 4096:
        found = world.of("dc01", class_name)[0]
        assert {name: found[name] for name in values} == values
        assert feature(world, port, class_name, **values) == 32773, "there is one"
        refs = (by_id(found),)
        assert ended(world, world.call(VSMS, "RemoveFeatureSettings", FeatureSettings=refs)) == 4096
        assert world.of("dc01", class_name) == []


def test_a_switch_that_shares_by_weight_takes_weights(world: Bench) -> None:
    assert define(world, "Weighed", BandwidthReservationMode=1) == 4096
    plug = world.of("dc01", PORT)[0]
    assert change(world, plug, HostResource=(switch_path(world, "Weighed"),)) == 4096
    assert feature(world, plug, BANDWIDTH, Reservation=50_000_000) == 32773
    assert feature(world, plug, BANDWIDTH, Weight=30) == 4096
    assert retune(world, world.of("dc01", BANDWIDTH)[0], Weight=101) == 32773


def test_a_port_has_several_access_lists(world: Bench) -> None:
    port = world.of("dc01", PORT)[0]
    for address in ("10.0.0.1", "10.0.0.2"):
        values: dict[str, CimValue] = {"Action": 2, "Direction": 1, "AclType": 2}
        assert feature(world, port, ACL, LocalAddress=address, **values) == 4096
    assert len(world.of("dc01", ACL)) == 2
    parents = world.client.query(V2, f"ASSOCIATORS OF {{{path_of(port)}}} WHERE ResultClass={ACL}")
    assert len(parents) == 2


def test_every_host_has_default_features_to_start_from(world: Bench) -> None:
    wql = f"SELECT * FROM {VLAN} WHERE InstanceID LIKE '%Default%'"
    default = world.client.query(V2, wql)[0]
    assert (default["OperationMode"], default["AccessVlanId"]) == (0, 0)
    assert retune(world, default, AccessVlanId=5, OperationMode=1) == 32773
    feature_id = word(default["InstanceID"]).split("\\")[1]
    path = f'Msvm_EthernetSwitchFeatureCapabilities.InstanceID="Microsoft:{feature_id}"'
    found = world.client.query(
        V2, f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_FeatureSettingsDefineCapabilities"
    )
    assert [i["InstanceID"] for i in found] == [default["InstanceID"]]


def test_the_hosts_own_port_is_tagged_by_the_switch_service(world: Bench) -> None:
    port = own_port(world, "Backup")
    text = embedded(VLAN, OperationMode=1, AccessVlanId=77)
    output = world.call(
        SWITCHES, "AddFeatureSettings", AffectedConfiguration=by_id(port), FeatureSettings=(text,)
    )
    assert ended(world, output) == 4096
    address = one(
        world.all("MSFT_NetIPAddress", STANDARD),
        lambda a: a["InterfaceAlias"] == "vEthernet (Backup)" and a["AddressFamily"] == 2,
    )
    assert str(address["IPAddress"]).startswith("10.20.77.")


# -- switches ------------------------------------------------------------------------------


def free_uplink(world: Bench) -> CimInstance:
    return next(p for p in world.all(EXTERNAL) if not p["IsBound"])


def uplink_text(port: CimInstance, **values: CimValue) -> str:
    keys = ("CreationClassName", "DeviceID", "SystemCreationClassName", "SystemName")
    texts = (f'{key}="{word(port[key])}"' for key in keys)
    return embedded(PORT, HostResource=(f"{EXTERNAL}.{','.join(texts)}",), **values)


def own_text(world: Bench, name: str = "") -> str:
    name_of = "Msvm_ComputerSystem"
    path = f'{name_of}.CreationClassName="{name_of}",Name="{world.host.name}"'
    return embedded(PORT, HostResource=(path,), ElementName=name or None)


def own_port(world: Bench, switch: str) -> CimInstance:
    return one(
        switch_ports(world, switch), lambda p: ":Msvm_ComputerSystem." in str(p["HostResource"])
    )


def switch_ports(world: Bench, switch: str) -> list[CimInstance]:
    head = f"Microsoft:{word(switch_of(world, switch)['Name'])}\\"
    return [p for p in world.all(PORT) if word(p["InstanceID"]).startswith(head)]


def define(world: Bench, name: str, *ports: str, **values: CimValue) -> int:
    output = world.call(
        SWITCHES,
        "DefineSystem",
        SystemSettings=embedded(SETTINGS, ElementName=name, **values),
        ResourceSettings=ports or None,
    )
    return ended(world, output)


def test_switches_of_three_kinds(world: Bench) -> None:
    uplink = free_uplink(world)
    assert define(world, "Outside", uplink_text(uplink), own_text(world, "Management")) == 4096
    assert define(world, "Inside", own_text(world)) == 4096
    assert define(world, "Alone") == 4096
    assert len(switch_ports(world, "Outside")) == 2
    assert own_port(world, "Outside")["ElementName"] == "Management"
    assert own_port(world, "Inside")["ElementName"] == "Inside"
    assert switch_ports(world, "Alone") == []
    assert one(world.all(EXTERNAL), lambda p: p["DeviceID"] == uplink["DeviceID"])["IsBound"]
    assert define(world, "Again", uplink_text(uplink)) == 32774
    assert define(world, "x" * 101) == 32773


def test_two_calls_at_once_cannot_have_the_same_adapter(world: Bench) -> None:
    text = uplink_text(free_uplink(world))
    outputs = [
        world.call(
            SWITCHES,
            "DefineSystem",
            SystemSettings=embedded(SETTINGS, ElementName=name),
            ResourceSettings=(text,),
        )
        for name in ("First", "Second")
    ]
    assert [world.finish(output)["ErrorCode"] for output in outputs] == [0, 32774]
    assert "Second" not in [s["ElementName"] for s in world.all(SWITCH)]


def test_a_team_needs_a_switch_that_was_made_for_it(world: Bench) -> None:
    other = bench("datacenter", "NODE1")
    settings = {s["ElementName"]: s for s in other.all(SETTINGS)}
    assert settings["Production"]["TeamingEnabled"] is True
    ref = system(str(switch_of(other, "Production")["Name"]), SWITCH)
    assert ended(other, other.call(SWITCHES, "DestroySystem", AffectedSystem=ref)) == 4096
    two = [uplink_text(p) for p in other.all(EXTERNAL) if "Mellanox" in str(p["ElementName"])]
    assert len(two) == 2
    assert define(other, "Team", *two) == 32773
    assert define(other, "Team", two[0], two[0], TeamingEnabled=True) == 32773
    assert define(other, "Team", *two, TeamingEnabled=True) == 4096
    assert len(switch_ports(other, "Team")) == 2
    target = by_id(one(world.all(SETTINGS), lambda s: s["ElementName"] == "DMZ"))
    output = world.call(
        SWITCHES,
        "AddResourceSettings",
        AffectedConfiguration=target,
        ResourceSettings=(uplink_text(free_uplink(world)),),
    )
    assert output.return_value == 32773, "a second adapter without a team"


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"ElementName": "Renamed"}, 4096),
        ({"ElementName": ""}, 32773),
        ({"IOVPreferred": True}, 32773),
        ({"TeamingEnabled": False}, 32773),
        ({"BandwidthReservationMode": 1}, 32773),
        ({"Notes": ("uplinks of rack 4",)}, 4096),
    ],
)
def test_a_switch_keeps_what_it_was_made_with(
    world: Bench, values: dict[str, CimValue], answer: int
) -> None:
    target = one(world.all(SETTINGS), lambda s: s["ElementName"] == "Production")
    text = embedded(SETTINGS, InstanceID=target["InstanceID"], **values)
    output = world.call(SWITCHES, "ModifySystemSettings", SystemSettings=text)
    assert ended(world, output) == answer
    after = world.client.get(by_id(target))
    assert ({name: after[name] for name in values} == values) is (answer == 4096)


def test_a_renamed_switch_is_known_by_its_new_name_everywhere(world: Bench) -> None:
    target = one(world.all(SETTINGS), lambda s: s["ElementName"] == "Production")
    text = embedded(SETTINGS, InstanceID=target["InstanceID"], ElementName="Prod")
    assert ended(world, world.call(SWITCHES, "ModifySystemSettings", SystemSettings=text)) == 4096
    assert switch_of(world, "Prod")["Name"] == target["VirtualSystemIdentifier"]
    assert own_port(world, "Prod")["ElementName"] == "Prod"
    assert world.of("dc01", PORT)[0]["LastKnownSwitchName"] == "Prod"


def test_a_switch_for_sr_iov_reserves_no_bandwidth(world: Bench) -> None:
    assert define(world, "Fast", IOVPreferred=True) == 32773, "nothing to offload to"
    uplink = uplink_text(free_uplink(world))
    assert define(world, "Fast", uplink, IOVPreferred=True, BandwidthReservationMode=2) == 32773
    assert define(world, "Fast", uplink, IOVPreferred=True) == 4096
    made = one(world.all(SETTINGS), lambda s: s["ElementName"] == "Fast")
    assert (made["IOVPreferred"], made["BandwidthReservationMode"]) == (True, 3)


def test_a_switch_gets_another_uplink_and_keeps_the_hosts_port(world: Bench) -> None:
    old = one(switch_ports(world, "DMZ"), lambda p: EXTERNAL in str(p["HostResource"]))
    device = str(old["HostResource"])
    fresh = free_uplink(world)
    text = uplink_text(fresh, InstanceID=old["InstanceID"])
    assert ended(
        world, world.call(SWITCHES, "ModifyResourceSettings", ResourceSettings=(text,))
    ) == (4096)
    bound = {p["DeviceID"]: p["IsBound"] for p in world.all(EXTERNAL)}
    assert bound[fresh["DeviceID"]] is True
    assert [b for d, b in bound.items() if word(d).split("{")[1] in device] == [False]
    refs = (by_id(old),)
    removed = world.call(SWITCHES, "RemoveResourceSettings", ResourceSettings=refs)
    assert ended(world, removed) == 4096
    assert switch_ports(world, "DMZ") == []


def test_the_plugs_of_a_switch_that_is_gone_remember_it(world: Bench) -> None:
    ref = system(str(switch_of(world, "DMZ")["Name"]), SWITCH)
    assert ended(world, world.call(SWITCHES, "DestroySystem", AffectedSystem=ref)) == 4096
    plug = world.of("proxy01", PORT)[0]
    assert (plug["EnabledState"], plug["LastKnownSwitchName"]) == (3, "DMZ")
    assert plug.get("HostResource") is None


# -- what Windows tells --------------------------------------------------------------------


def test_the_hosts_own_adapters_have_names_and_addresses(world: Bench) -> None:
    adapters = {a["Name"]: a for a in world.all("MSFT_NetAdapter", STANDARD)}
    virtual = adapters["vEthernet (Production)"]
    assert (virtual["Virtual"], virtual["HardwareInterface"]) == (True, False)
    physical = adapters["SLOT 2 Port 1"]
    port = one(world.all(EXTERNAL), lambda p: word(physical["DeviceID"]) in word(p["DeviceID"]))
    assert port["PermanentAddress"] == physical["PermanentAddress"]
    found = world.all("MSFT_NetIPAddress", STANDARD)
    names = {a["InterfaceAlias"] for a in found}
    assert "vEthernet (Production)" in names
    assert "SLOT 2 Port 1" not in names, "its address is the virtual adapter's"
    counted = Counter(a["IPAddress"] for a in found if a["AddressFamily"] == 2)
    assert len({a["Name"] for a in found}) == len(found)
    assert counted


def test_neighbours_tell_the_addresses_of_guests(world: Bench) -> None:
    nic = word(world.of("dc01", rules.SYNTHETIC)[0]["Address"])
    dashed = "-".join(nic[i : i + 2] for i in range(0, 12, 2))
    found = world.all("MSFT_NetNeighbor", STANDARD)
    mine = [n for n in found if n["LinkLayerAddress"] == dashed]
    assert {n["AddressFamily"] for n in mine} == {2, 23}
    assert {n["State"] for n in mine} == {5}


def test_a_team_of_windows_has_members_and_an_adapter() -> None:
    world = bench("datacenter", "HV02")
    team = world.all("MSFT_NetLbfoTeam", STANDARD)[0]
    members = world.all("MSFT_NetLbfoTeamMember", STANDARD)
    assert {m["Team"] for m in members} == {team["Name"]} == {"Team-OT"}
    assert [m["Name"] for m in members] == ["SLOT 5 Port 1", "SLOT 5 Port 2"]
    assert [n["Team"] for n in world.all("MSFT_NetLbfoTeamNic", STANDARD)] == ["Team-OT"]


def test_a_wire_can_be_followed_from_the_adapter_to_the_switch(world: Bench) -> None:
    machine = word(world.vm("dc01")["Name"])
    ports = world.all("Msvm_SyntheticEthernetPort")
    port = one(ports, lambda p: p["SystemName"] == machine)
    keys = ("CreationClassName", "DeviceID", "SystemCreationClassName", "SystemName")
    values = ((key, word(port[key]).replace("\\", "\\\\")) for key in keys)
    path = f"{port.class_name}." + ",".join(f'{key}="{value}"' for key, value in values)

    def follow(start: str, link: str, result: str) -> CimInstance:
        wql = f"ASSOCIATORS OF {{{start}}} WHERE AssocClass={link} ResultClass={result}"
        found = world.client.query(V2, wql)
        assert len(found) == 1
        return found[0]

    def endpoint(item: CimInstance) -> str:
        names = ("CreationClassName", "Name", "SystemCreationClassName", "SystemName")
        pairs = ((name, word(item[name]).replace("\\", "\\\\")) for name in names)
        return f"{item.class_name}." + ",".join(f'{name}="{value}"' for name, value in pairs)

    end = "Msvm_LANEndpoint"
    near = follow(path, "Msvm_EthernetDeviceSAPImplementation", end)
    assert near["MACAddress"] == port["PermanentAddress"]
    far = follow(endpoint(near), "Msvm_ActiveConnection", end)
    assert far["SystemName"] == switch_of(world, "Production")["Name"]
    last = follow(endpoint(far), "Msvm_EthernetDeviceSAPImplementation", "Msvm_EthernetSwitchPort")
    assert last["SystemName"] == far["SystemName"]


def test_a_team_inside_a_switch_has_members_one_of_them_without_a_cable() -> None:
    world = bench("datacenter", "NODE2")
    links = world.all("Msvm_VirtualEthernetSwitchNicTeamingMember")
    assert len(links) == 2
    path = switch_path(world, "Production")
    wql = f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_VirtualEthernetSwitchNicTeamingMember"
    devices = {word(p["DeviceID"]).partition(":")[2] for p in world.client.query(V2, wql)}
    cables = {
        a["Name"]: a["MediaConnectState"]
        for a in world.all("MSFT_NetAdapter", STANDARD)
        if a["DeviceID"] in devices
    }
    assert cables == {"SLOT 3 Port 1": 1, "SLOT 3 Port 2": 2}
    settings = world.all("Msvm_VirtualEthernetSwitchNicTeamingSettingData")
    assert [s["LoadBalancingAlgorithm"] for s in settings] == [5]


def test_the_features_of_the_hosts_own_port_belong_to_it() -> None:
    world = bench("datacenter", "NODE1")
    port = own_port(world, "Production")
    wql = f"ASSOCIATORS OF {{{path_of(port)}}} WHERE ResultClass={VLAN}"
    assert [v["AccessVlanId"] for v in world.client.query(V2, wql)] == [10]


def test_the_default_switch_cannot_be_removed() -> None:
    world = bench("datacenter", "LOCALHOST")
    ref = system(str(switch_of(world, "Default Switch")["Name"]), SWITCH)
    assert ended(world, world.call(SWITCHES, "DestroySystem", AffectedSystem=ref)) == 32775


# -- the datacenter is worth auditing ------------------------------------------------------


@pytest.fixture(scope="module")
def hosts() -> list[Bench]:
    world = bench()
    return [world.at(name) for name in ("HV01", "HV02", "NODE1", "NODE2", "NODE3", "NODE4")]


def test_two_hosts_have_the_same_static_address(hosts: list[Bench]) -> None:
    known = Counter(
        str(nic["Address"])
        for world in hosts
        for machine in world.all("Msvm_ComputerSystem")
        for class_name in (rules.SYNTHETIC, rules.EMULATED)
        for nic in world.of(str(machine["ElementName"]), class_name)
    )
    assert [address for address, count in known.items() if count > 1] == ["00155DF0CA7E"]


def test_two_pools_overlap(hosts: list[Bench]) -> None:
    pools = {}
    for world in hosts:
        pool = world.all("Msvm_VirtualSystemManagementServiceSettingData")[0]
        pools[world.host.name] = (str(pool["MinimumMacAddress"]), str(pool["MaximumMacAddress"]))
    overlaps = [
        (one_host, other)
        for one_host, (low, _) in pools.items()
        for other, (bottom, top) in pools.items()
        if one_host != other and bottom <= low <= top
    ]
    assert overlaps == [("NODE4", "NODE3")]


def test_a_name_nearly_fits_and_a_vlan_is_missing(hosts: list[Bench]) -> None:
    names = {w.host.name: {s["ElementName"] for s in w.all(SWITCH)} for w in hosts}
    assert "vSwitch-Prod" in names["HV01"]
    assert "vSwitch_Prod" in names["HV02"]
    vlans = {w.host.name: {v["AccessVlanId"] for v in w.all(VLAN)} for w in hosts}
    assert [host for host, used in vlans.items() if 70 in used] == ["NODE2"]


def test_a_plug_hangs_loose_and_remembers_a_switch_that_is_gone(hosts: list[Bench]) -> None:
    loose = [p for p in hosts[1].of("test-app", PORT) if p["EnabledState"] == 3]
    assert [p["LastKnownSwitchName"] for p in loose] == ["Old-Prod"]
    ref = CimRef(PORT, (("InstanceID", str(loose[0]["InstanceID"])),), V2)
    assert hosts[1].client.get(ref).get("HostResource") is None

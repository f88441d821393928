"""Verbs on settings and parts from the command line, over sockets, judged by plain WQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hyperv_kit import HOST, VMS
from tests.link_kit import PASSWORD, USER, serving
from tests.test_cli_verbs import Line
from tui.sim import command
from tui.sim.http import Endpoint
from tui.sim.plan import NicPlan, VmPlan
from tui.sim.world import Fabric, RunningClock

V2 = "root/virtualization/v2"
SYSTEM = "Msvm_VirtualSystemSettingData"
PROCESSOR = "Msvm_ProcessorSettingData"
MEMORY = "Msvm_MemorySettingData"
NIC = "Msvm_SyntheticEthernetPortSettingData"
PORT = "Msvm_EthernetPortAllocationSettingData"
VLAN = "Msvm_EthernetSwitchPortVlanSettingData"
GUARD = "Msvm_EthernetSwitchPortSecuritySettingData"
SPEED = "Msvm_EthernetSwitchPortBandwidthSettingData"
PLAN = replace(
    HOST,
    vms=(
        *VMS,
        VmPlan("past01", "ws2019", state="off", version="9.0", nics=(NicPlan("Lab"),)),
        VmPlan("left01", "ws2019", state="off", merge_disabled=True),
    ),
)

CASES: dict[str, tuple[str, tuple[str, ...], str, dict[str, Any]]] = {
    "vm.set-cpu": ("idle01", ("--count", "3", "--limit", "75", "--nested"), PROCESSOR,
                   {"VirtualQuantity": 3, "Limit": 75_000,
                    "ExposeVirtualizationExtensions": True}),
    "vm.set-memory": ("idle01", ("--startup", "1G", "--dynamic", "--minimum", "512M",
                                 "--maximum", "2G"), MEMORY,
                      {"VirtualQuantity": 1024, "Reservation": 512, "Limit": 2048,
                       "DynamicMemoryEnabled": True}),
    "vm.set-security": ("past01", ("--secure-boot", "--template", "uefi", "--tpm"), SYSTEM,
                        {"SecureBootTemplateId": "272e7447-90a4-4563-a4b9-8e4ab00526ce"}),
    "vm.set-automatic": ("sql01", ("--start", "always", "--start-delay", "2m", "--stop",
                                   "shut down"), SYSTEM,
                         {"AutomaticStartupAction": 4, "AutomaticShutdownAction": 4}),
    "vm.tag": ("sql01", ("--add", "#gold tier-1", "--remove", "prod", "--groups", "Night"), SYSTEM,
               {"Notes": ["first line\nsecond #gold #tier-1"]}),
    "vm.upgrade-version": ("past01", (), SYSTEM, {"Version": "10.0"}),
    "nic.add": ("held01", ("--name", "Backup", "--switch", "lab"), NIC, {"ElementName": "Backup"}),
    "nic.remove": ("held01", ("--nic", "Backup"), NIC, {"ElementName": "Network Adapter"}),
    "nic.connect": ("past01", ("--switch", "Desk"), PORT, {"LastKnownSwitchName": "Desk"}),
    "nic.disconnect": ("past01", (), PORT, {"EnabledState": 3}),
    "nic.set-vlan": ("past01", ("--mode", "trunk", "--vlans", "10,20-22", "--native", "3"), VLAN,
                     {"NativeVlanId": 3, "TrunkVlanIdArray": [10, 20, 21, 22]}),
    "nic.set-mac": ("past01", ("--static", "--mac", "02-15-5d-00-11-22"), NIC,
                    {"Address": "02155D001122", "StaticMacAddress": True}),
    "nic.set-bandwidth": ("past01", ("--maximum", "250M"), SPEED, {"Limit": 250_000_000}),
    "nic.set-guards": ("past01", ("--dhcp-guard", "--no-mac-spoofing"), GUARD,
                       {"EnableDhcpGuard": True, "AllowMacSpoofing": False}),
    "checkpoint.create": ("held01", ("--name", "one", "--type", "standard"), SYSTEM,
                          {"ElementName": "held01"}),
    "checkpoint.rename": ("held01", ("--checkpoint", "one", "--name", "two"), SYSTEM,
                          {"ElementName": "held01"}),
    "checkpoint.apply": ("held01", ("--checkpoint", "two", "--stop", "turn it off"), SYSTEM,
                         {"ElementName": "held01"}),
    "checkpoint.delete": ("held01", ("--checkpoint", "before applying"), SYSTEM,
                          {"ElementName": "held01"}),
    "checkpoint.delete-tree": ("held01", ("--checkpoint", "two"), SYSTEM, {"Parent": None}),
    "checkpoint.enable-merge": ("left01", (), "Msvm_DiskMergeSettingData", {"EnabledState": 1}),
    "integration.disable": ("sql01", ("--service", "data exchange"),
                            "Msvm_KvpExchangeComponentSettingData", {"EnabledState": 3}),
    "integration.enable": ("sql01", ("--service", "kvp"),
                           "Msvm_KvpExchangeComponentSettingData", {"EnabledState": 2}),
}  # fmt: skip
"""Machine, options, and what a class of its settings says afterwards. In this order."""


LEFT = {
    "checkpoint.create": {"one"},
    "checkpoint.rename": {"two"},
    "checkpoint.apply": {"two", "Before applying two"},
    "checkpoint.delete": {"two"},
    "checkpoint.delete-tree": set[str](),
}
"""Checkpoints of that machine after each case."""


@pytest.fixture(scope="module")
def served() -> Iterator[Endpoint]:
    fabric = Fabric(RunningClock(60.0), seed=7)
    with serving(command.endpoint(fabric.add(PLAN), "127.0.0.1", 0)) as endpoint:
        yield endpoint


@pytest.fixture
def line(
    served: Endpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Line:
    file = tmp_path / "config.toml"
    host = f'[hosts.hv01]\nurl = "{served.url}"\n'
    file.write_text(f'[defaults]\nuser = "{USER}"\npassword = "env:FABRIC"\n{host}')
    monkeypatch.setenv("HVDECK_CONFIG", str(file))
    monkeypatch.setenv("FABRIC", PASSWORD)
    return Line(capsys)


def asked(line: Line, wql: str) -> list[dict[str, Any]]:
    """Properties of rows as the host tells them."""
    ran = line("wql", V2, wql)
    assert ran.code == 0, ran.err
    return [row["properties"] for row in json.loads(ran.out)]


def mine(line: Line, class_name: str, name: str) -> list[dict[str, Any]]:
    """Rows of a class that belong to a machine."""
    where = f"SELECT Name FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
    (found,) = asked(line, where)
    head = f"microsoft:{found['Name'].lower()}"
    rows = asked(line, f"SELECT * FROM {class_name}")
    return [row for row in rows if str(row["InstanceID"]).lower().startswith(head)]


def checkpoints(line: Line, name: str) -> set[str]:
    (found,) = asked(line, f"SELECT Name FROM Msvm_ComputerSystem WHERE ElementName = '{name}'")
    wql = f"SELECT * FROM {SYSTEM} WHERE VirtualSystemIdentifier = '{found['Name']}'"
    return {
        row["ElementName"] for row in asked(line, wql) if "Snapshot" in row["VirtualSystemType"]
    }


@pytest.mark.parametrize("action", CASES)
def test_a_verb_does_what_it_says(action: str, line: Line) -> None:
    name, options, class_name, expected = CASES[action]
    noun, verb = action.split(".")
    dry = line(noun, verb, name, *options, "--dry-run", "-o", "json")
    assert dry.code == 0, dry.err
    ran = line(noun, verb, name, *options, "--yes", "--wait", "-o", "json")
    assert ran.code == 0, ran.out + ran.err
    assert [call["phase"] for call in json.loads(ran.out)] == ["observed"]
    rows = mine(line, class_name, name)
    assert [row for row in rows if {key: row.get(key) for key in expected} == expected], rows
    if action in LEFT:
        assert checkpoints(line, name) == LEFT[action]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("vm", "set-cpu", "sql01", "--count", "2"), 2, "while the machine is off"),
        (("vm", "set-memory", "idle01", "--startup", "1025"), 2, "multiples of 2 MB"),
        (("vm", "set-memory", "idle01", "--startup", "lots"), 2, "'lots' is not a size"),
        (("vm", "set-cpu", "idle01", "--limit", "20", "--reservation", "30"), 2, "above the limit"),
        (("vm", "set-security", "old01", "--tpm"), 3, "generation 1"),
        (("nic", "set-vlan", "sql01", "--mode", "access", "--vlan", "5"), 2, "--nic is needed"),
        (("nic", "set-vlan", "idle01", "--vlan", "5"), 2, "does not go with the other options"),
        (("nic", "set-vlan", "past01", "--mode", "access", "--vlan", "4095"), 2, "1 to 4094"),
        (("nic", "set-mac", "idle01", "--static", "--mac", "12"), 2, "is not a MAC address"),
        (("nic", "connect", "past01", "--switch", "nowhere"), 2, "one of: Desk"),
        (("nic", "remove", "sql01", "--nic", "second"), 2, "asks first"),
        (("checkpoint", "create", "idle01", "--name", "x" * 200), 2, "at most 100"),
        (("checkpoint", "delete", "sql01", "--yes"), 3, "sql01 has no checkpoint"),
        (("integration", "enable", "sql01"), 2, "--service"),
        (("integration", "enable", "sql01", "--service", "magic"), 2, "Heartbeat (heartbeat)"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_asked(
    line: Line, words: tuple[str, ...], code: int, says: str
) -> None:
    try:
        ran = line(*words)
        answered, told = ran.code, ran.out + ran.err
    except SystemExit as stop:
        answered, told = int(stop.code or 0), line.capture.readouterr().err
    assert answered == code, told
    assert says in told


def test_a_set_takes_one_service_and_one_policy(line: Line) -> None:
    ran = line("vm", "set-automatic", "sql01", "web01", "old01", "--stop", "turn off", "--wait")
    assert ran.code == 0, ran.err
    for name in ("sql01", "web01", "old01"):
        (row,) = mine(line, SYSTEM, name)
        assert row["AutomaticShutdownAction"] == 2
    (left,) = mine(line, SYSTEM, "idle01")
    assert left["AutomaticShutdownAction"] != 2

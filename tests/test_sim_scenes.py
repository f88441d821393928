"""The named scenes: what is in them, what goes wrong in them, and the command that serves them."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys

import pytest

from tests.sim_kit import CIMV2, CLUSTER, VSMS, Bench, bench, one
from tui.errors import Fault, UsageError
from tui.sim import command, scenes
from tui.sim.faults import Faults, apply
from tui.sim.world import Fabric, StillClock
from tui.wsman.cim import CimValue


def everyone(fabric: Fabric) -> list[tuple[str, str, int]]:
    """Host, name and state of every machine."""
    for host in fabric.hosts.values():
        host.ensure()
    return [
        (host.name, machine.name, machine.state)
        for host in fabric.hosts.values()
        for machine in host.machines.values()
    ]


def test_homelab_is_one_host_with_six_machines() -> None:
    fabric = scenes.build("homelab", clock=StillClock())
    assert len(fabric.hosts) == 1
    assert len(everyone(fabric)) == 6


def test_the_datacenter_has_its_hosts_its_cluster_and_seventy_machines() -> None:
    fabric = scenes.build("datacenter", clock=StillClock())
    assert list(fabric.hosts) == ["HV01", "HV02", "LOCALHOST", "NODE1", "NODE2", "NODE3", "NODE4"]
    machines = everyone(fabric)
    assert len(machines) == 70
    assert {2, 3, 6, 9} <= {state for _, _, state in machines}
    names = [name for _, name, _ in machines]
    assert len(set(names)) == len(names)


def test_the_datacenter_shows_every_kind_of_thing() -> None:
    world = bench()
    worlds = [world, *(world.at(n) for n in ("HV02", "LOCALHOST", "NODE1", "NODE2", "NODE4"))]

    def seen(class_name: str, column: str) -> set[CimValue]:
        return {item.get(column) for w in worlds for item in w.all(class_name)}

    assert {1, 2} <= seen("Msvm_EthernetSwitchPortVlanSettingData", "OperationMode")
    kinds = seen("Msvm_VirtualSystemSettingData", "VirtualSystemType")
    assert "Microsoft:Hyper-V:Snapshot:Recovery" in kinds
    assert "C08CB7B8-9B3C-408E-8E30-5E16A3AEB444" in seen("Msvm_VirtualEthernetSwitch", "Name")
    assert {"Msvm_EmulatedEthernetPortSettingData"} <= {
        i.class_name for i in worlds[1].all("CIM_EthernetPortAllocationSettingData")
    }
    assert any("#tier1" in str(n) for n in seen("Msvm_SummaryInformation", "Notes"))


def test_guests_of_both_families_report_their_addresses() -> None:
    world = bench()
    found = world.all("Msvm_GuestNetworkAdapterConfiguration")
    told = [i for i in found if i.get("IPAddresses")]
    assert len(told) > 8
    addresses = [str(a) for i in told for a in i["IPAddresses"]]  # type: ignore[union-attr]
    assert len(set(addresses)) == len(addresses)


def test_the_troubled_scene_has_its_troubles() -> None:
    fabric = scenes.build("troubled", clock=StillClock())
    faults = {name: host.faults for name, host in fabric.hosts.items()}
    assert faults["HV-REFUSES"].http.refuse_auth
    assert faults["HV-SLOW"].http.latency > 1
    assert faults["HV-FLAKY"].http.drop_after
    states = {name: state for _, name, state in everyone(fabric)}
    assert states["stuck-stopping"] == 4
    assert states["sql-full"] == 32789
    assert "データベース01" in states
    assert any("\x1b" in name for name in states)
    assert any("[red]" in name for name in states)


def test_a_stuck_machine_has_been_stopping_for_an_hour() -> None:
    world = bench("troubled", "HV-BAD")
    world.clock.advance(7200)
    assert world.state("stuck-stopping") == 4
    assert world.state("stuck-starting") == 10


def test_a_host_that_denies_access_says_so() -> None:
    world = bench("troubled", "HV-DENIED")
    with pytest.raises(Fault) as caught:
        world.all("Msvm_ComputerSystem")
    assert caught.value.subcode == "AccessDenied"


def test_a_german_host_translates_what_windows_translates() -> None:
    world = bench("troubled", "HV-DE")
    host = one(world.all("Msvm_ComputerSystem"), lambda v: v["Name"] == "HV-DE")
    assert host["Description"] == "Microsoft-Hostcomputersystem"
    assert world.all("Win32_OperatingSystem", CIMV2)[0]["OSLanguage"] == 1031


def test_large_builds_hosts_only_when_they_are_asked() -> None:
    fabric = scenes.build("large", clock=StillClock(), hosts=30, vms=50)
    assert len(fabric.hosts) == 30
    assert not any(host.machines for host in fabric.hosts.values())
    host = fabric.hosts["HV007"]
    host.ensure()
    assert len(host.machines) == 50
    assert not fabric.hosts["HV008"].machines


def test_a_cluster_node_knows_machines_of_nodes_nobody_has_asked() -> None:
    world = bench("datacenter", "NODE3")
    assert len(world.all("MSCluster_ResourceGroup", CLUSTER)) == 44


# -- knobs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "read", "value"),
    [
        ("latency=250", "latency", 0.25),
        ("refuse_auth", "refuse_auth", True),
        ("auth=off", "refuse_auth", False),
        ("drop-after=3", "drop_after", 3),
        ("idle=1.5", "idle", 1.5),
    ],
)
def test_http_knobs_are_turned_by_text(text: str, read: str, value: object) -> None:
    faults = Faults()
    apply(faults, text)
    assert getattr(faults.http, read) == value


def test_service_knobs_are_turned_by_text() -> None:
    faults = Faults()
    for text in ("quota=2", "shape=2", "job=30", "unknown=A,b", "namespace=Root/CIMV2"):
        apply(faults, text)
    assert (faults.quota, faults.shape, faults.job_fails_at) == (2, 2, 30)
    assert faults.unknown_classes == {"a", "b"}
    assert faults.missing_namespaces == {"root/cimv2"}


@pytest.mark.parametrize("text", ["speed=3", "drop_after=often", "http=1"])
def test_a_knob_that_is_not_there_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=text.partition("=")[0]):
        apply(Faults(), text)


def test_a_quota_runs_out_and_then_answers_again() -> None:
    world = bench()
    apply(world.host.faults, "quota=1")
    with pytest.raises(Fault) as caught:
        world.all("Win32_OperatingSystem", CIMV2)
    assert caught.value.code == 2150859174
    assert world.all("Win32_OperatingSystem", CIMV2)


# -- command -------------------------------------------------------------------------------


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_faults_of_the_command_line_reach_their_host() -> None:
    fabric = command.furnish(
        options("--scene", "homelab", "--latency", "20", "--fault", "NUC01:refuse_auth")
    )
    host = fabric.hosts["NUC01"]
    assert host.faults.http.refuse_auth
    assert host.faults.http.latency == pytest.approx(0.02)


@pytest.mark.parametrize(
    "words",
    [
        ("--scene", "nowhere"),
        ("--fault", "HV99:refuse_auth"),
        ("--fault", "refuse_auth"),
        ("--speed", "0"),
    ],
)
def test_wrong_options_are_usage_errors(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        command.furnish(options(*words))


def test_the_command_says_when_it_is_ready_and_stops_with_stdin() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tui.sim", "--scene", "homelab", "--stop-with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert isinstance(process.stdout, io.BufferedReader)
        ready = json.loads(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(20) == 0
    assert ready["ready"] is True
    assert ready["user"] == "administrator"
    assert len(ready["password"]) >= 12
    assert [e["name"] for e in ready["endpoints"]] == ["NUC01"]
    assert ready["endpoints"][0]["url"].startswith("http://127.0.0.1:")


def test_a_whole_host_is_summarised_through_bytes() -> None:
    world: Bench = bench("large", "HV002", hosts=3, vms=100)
    output = world.call(VSMS, "GetSummaryInformation", RequestedInformation=(0, 1, 100, 101))
    rows = output.values["SummaryInformation"]
    assert isinstance(rows, tuple)
    assert len(rows) == 100

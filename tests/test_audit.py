"""The network audits: what is wrong between hosts is found, what is meant so is left alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.hyperv_kit import bench
from tests.scripted import OFF, RUNNING, START, Estate, Simulated, guid
from tui import cli
from tui.cli import language
from tui.collector.fabric import start_fabric
from tui.collector.messages import HostLink
from tui.hyperv.model import Link, Switch, SwitchKind, Vlan, VlanMode
from tui.rows import matrix
from tui.rows.audit import (
    adapter_lines,
    alike,
    mac_lines,
    pool_lines,
    switch_lines,
    vlan_lines,
)
from tui.rows.column import find
from tui.rows.remarks import remarks
from tui.sim.plan import HostPlan, SwitchPlan, VmPlan
from tui.store import Store


def estate() -> Estate:
    made = Estate()
    made.add_host("HV01")
    made.add_host("CL1-N1", "CL1")
    made.add_host("CL1-N2", "CL1")
    return made


def known(made: Estate) -> Store:
    store = Store()
    store.configure(made.links)
    store.apply(made.everything(), START)
    return store


def add(made: Estate, host: str, name: str, state: int = RUNNING, **nic: Any) -> None:
    """A machine whose one adapter is as told."""
    vm = made.add_vm(host, name, state)
    made.hosts[host].vms[vm.id] = replace(vm, nics=(replace(vm.nics[0], **nic),))


def switch(place: Simulated, name: str, kind: SwitchKind = SwitchKind.EXTERNAL) -> None:
    """One more switch of a host."""
    number = 9500 + sum(map(ord, place.info.id + name))
    key = f"{place.info.id}:{guid(number)}"
    place.switches[key] = Switch(key, place.info.id, guid(number), name, kind)


def found(made: Estate, topic: str) -> list[tuple[str, str]]:
    return [(r.tone, r.says) for r in remarks(known(made)) if r.topic == topic]


# -- addresses -----------------------------------------------------------------------------


def test_an_address_two_machines_have_is_found_over_hosts() -> None:
    made = estate()
    add(made, "HV01", "a", mac="00155D010203")
    add(made, "CL1-N1", "b", mac="00155d010203")
    add(made, "CL1-N2", "c", mac="00155D010204")
    assert found(made, "MAC") == [
        ("error", "00-15-5D-01-02-03 is the address of a on HV01 and b on CL1-N1; 2 of them run")
    ]


@pytest.mark.parametrize("change", [{"state": OFF}, {"connected": False}])
def test_a_double_that_cannot_speak_now_is_a_warning(change: dict[str, Any]) -> None:
    made = estate()
    add(made, "HV01", "a", mac="00155D010203")
    add(made, "CL1-N1", "b", mac="00155D010203", **change)
    assert [tone for tone, _ in found(made, "MAC")] == ["warning"]


def test_addresses_not_yet_given_are_not_doubles() -> None:
    made = estate()
    add(made, "HV01", "a", mac="000000000000")
    add(made, "CL1-N1", "b", mac="000000000000")
    add(made, "CL1-N1", "c", mac="")
    add(made, "CL1-N2", "d", mac="")
    assert mac_lines(known(made)) == []


def test_one_machine_listed_by_two_hosts_is_not_its_own_double() -> None:
    made = estate()
    add(made, "CL1-N1", "moving", mac="00155D010203")
    source, vm = made.find("moving")
    made.hosts["CL1-N2"].vms[vm.id] = replace(vm, host="CL1-N2")
    made.hosts["CL1-N2"].vitals_of[vm.id] = replace(source.vitals_of[vm.id], host="CL1-N2")
    store = known(made)
    made.now += 60
    for _ in range(2):
        store.apply(made.everything(), made.now)
    assert not [line for line in mac_lines(store) if line.twice]


def pooled(made: Estate, host: str, first: str, last: str) -> None:
    place = made.hosts[host]
    place.info = replace(place.info, mac_pool_start=first, mac_pool_end=last)


def test_hosts_that_give_out_the_same_addresses() -> None:
    made = estate()
    pooled(made, "HV01", "00155D010000", "00155D0100FF")
    pooled(made, "CL1-N1", "00155D0100FF", "00155D0101FF")
    pooled(made, "CL1-N2", "00155D010200", "00155D0102FF")
    assert found(made, "Pool") == [("warning", "HV01 gives out the same addresses as CL1-N1")]
    shared = {line.hosts[0]: line.shared_with for line in pool_lines(known(made))}
    assert shared == {"HV01": ("CL1-N1",), "CL1-N1": ("HV01",), "CL1-N2": ()}


def test_a_pool_counts_its_addresses_wherever_they_went_and_tells_when_few_are_left() -> None:
    made = estate()
    pooled(made, "HV01", "00155D010000", "00155D010009")
    for number in range(9):
        add(made, ("HV01", "CL1-N1")[number % 2], f"vm{number}", mac=f"00155D01000{number}")
    (line,) = pool_lines(known(made))
    assert (line.size, line.used) == (10, 9)
    assert found(made, "Pool left") == [("warning", "HV01 has 1 of 10 addresses left")]


@pytest.mark.parametrize("ends", [("", ""), ("00155D0100FF", "00155D010000"), ("x", "y")])
def test_a_pool_that_makes_no_sense_is_left_out(ends: tuple[str, str]) -> None:
    made = estate()
    pooled(made, "HV01", *ends)
    assert pool_lines(known(made)) == []


# -- VLANs ---------------------------------------------------------------------------------


def test_vlans_by_host_and_the_gaps_of_a_cluster() -> None:
    made = estate()
    add(made, "HV01", "a", vlan=Vlan(VlanMode.ACCESS, 10))
    add(made, "CL1-N1", "b", vlan=Vlan(VlanMode.ACCESS, 20))
    add(made, "CL1-N1", "c", vlan=Vlan(VlanMode.TRUNK, 30, trunk=(20, 40)))
    add(made, "CL1-N2", "d", vlan=Vlan(VlanMode.PRIVATE, 40, secondary=41))
    add(made, "CL1-N2", "e", vlan=Vlan())
    add(made, "CL1-N2", "f", vlan=Vlan(VlanMode.ACCESS, 99), connected=False)
    lines = {line.vlan: (dict(line.counts), line.gaps) for line in vlan_lines(known(made))}
    assert lines == {
        0: ({"CL1-N2": 1}, ()),
        10: ({"HV01": 1}, ()),
        20: ({"CL1-N1": 2}, ("CL1-N2",)),
        30: ({"CL1-N1": 1}, ("CL1-N2",)),
        40: ({"CL1-N1": 1, "CL1-N2": 1}, ()),
        41: ({"CL1-N2": 1}, ("CL1-N1",)),
    }
    assert ("accent", "VLAN 20 is in use in CL1, but not on CL1-N2") in found(made, "VLAN")


def test_a_trunk_of_everything_is_not_use_of_everything() -> None:
    made = estate()
    add(made, "HV01", "router", vlan=Vlan(VlanMode.TRUNK, 5, trunk=tuple(range(1, 4095))))
    assert [line.vlan for line in vlan_lines(known(made))] == [5]


def test_a_host_never_read_is_no_gap() -> None:
    made = estate()
    add(made, "CL1-N1", "b", vlan=Vlan(VlanMode.ACCESS, 20))
    silent = made.hosts["CL1-N2"]
    silent.vitals = replace(silent.vitals, link=Link.DOWN, read_at=0.0)
    assert [line.gaps for line in vlan_lines(known(made))] == [()]


def test_the_table_of_vlans_has_a_column_for_every_host() -> None:
    made = estate()
    add(made, "CL1-N1", "b", vlan=Vlan(VlanMode.ACCESS, 20))
    (line,) = vlan_lines(known(made))
    columns = matrix.vlan_columns(["HV01", "CL1-N1", "CL1-N2"])
    cells = {column.title: column.cell(line).text for column in columns}
    assert cells["HV01"] == ""
    assert cells["CL1-N1"] == "1"
    assert cells["CL1-N2"] == "–"  # noqa: RUF001
    assert cells["Cluster nodes without"] == "● CL1-N2"
    assert find(columns, "cl1-n1").cell(line).text == "1"


# -- names of switches ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("vSwitch-Prod", "vSwitch_Prod", True),
        ("vSwitch Prod", "vswitchprod", True),
        ("vSwitch-Prod", "vSwitch-Prdo", True),
        ("vSwitch-Prod", "vSwitch-Prod", False),
        ("vSwitch1", "vSwitch2", False),
        ("VLAN 10", "VLAN 100", False),
        ("Internal", "External", False),
        ("LAN", "WAN", False),
        ("-", "_", False),
        ("Größe", "GRÖSSE", True),
        ("生産", "生産2", False),
    ],
)
def test_names_that_look_the_same(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same
    assert alike(other, one) is same


def test_a_name_written_twice_over_hosts_is_told_once() -> None:
    made = estate()
    switch(made.hosts["HV01"], "vSwitch-Back")
    switch(made.hosts["CL1-N1"], "vSwitch_Back")
    switch(made.hosts["CL1-N2"], "vSwitch_Back")
    assert found(made, "Switch") == [
        ("warning", "vSwitch-Back on HV01 is vSwitch_Back on CL1-N1 and CL1-N2")
    ]


def test_two_similar_switches_of_one_host_are_two_on_purpose() -> None:
    made = estate()
    switch(made.hosts["CL1-N1"], "Backup-A")
    switch(made.hosts["CL1-N1"], "Backup-B")
    switch(made.hosts["CL1-N2"], "Backup-A")
    switch(made.hosts["CL1-N2"], "Backup-B")
    assert found(made, "Switch") == []


def test_a_switch_a_node_lacks_matters_when_machines_use_it() -> None:
    made = estate()
    switch(made.hosts["CL1-N1"], "Storage")
    assert found(made, "Switch missing") == [("accent", "Storage is missing on CL1-N2")]
    place = made.hosts["CL1-N1"]
    key = next(k for k, s in place.switches.items() if s.name == "Storage")
    place.switches[key] = replace(place.switches[key], vms=(guid(1), guid(2)))
    assert found(made, "Switch missing") == [
        ("warning", "Storage is missing on CL1-N2, 2 machines on it elsewhere")
    ]


def test_a_near_miss_within_a_cluster_keeps_machines_from_moving() -> None:
    made = estate()
    switch(made.hosts["CL1-N1"], "Fast-Net")
    switch(made.hosts["CL1-N2"], "Fast_Net")
    place = made.hosts["CL1-N1"]
    key = next(k for k, s in place.switches.items() if s.name == "Fast-Net")
    place.switches[key] = replace(place.switches[key], vms=(guid(1),))
    assert [tone for tone, _ in found(made, "Switch")] == ["error"]
    assert found(made, "Switch missing") == [], "it is not missing, it is misspelt"
    line = next(one for one in switch_lines(known(made)) if one.name == "Fast-Net")
    columns = matrix.switch_columns(["CL1-N1", "CL1-N2"])
    assert [find(columns, host).cell(line).text for host in ("CL1-N1", "CL1-N2")] == [
        "External",
        "Fast_Net",
    ]


def test_one_name_two_kinds() -> None:
    made = estate()
    switch(made.hosts["CL1-N1"], "Lab", SwitchKind.PRIVATE)
    switch(made.hosts["CL1-N2"], "Lab", SwitchKind.INTERNAL)
    assert [tone for tone, _ in found(made, "Switch kind")] == ["warning"]


def test_the_default_switch_is_not_compared() -> None:
    made = estate()
    switch(made.hosts["CL1-N1"], "Default Switch", SwitchKind.NAT)
    assert "Default Switch" not in [line.name for line in switch_lines(known(made))]


# -- adapters ------------------------------------------------------------------------------


def test_adapters_connected_to_nothing_matter_on_machines_that_run() -> None:
    made = estate()
    add(made, "HV01", "off1", OFF, connected=False)
    add(made, "HV01", "web1", connected=False, switch_name="vSwitch Prod")
    add(made, "HV01", "web2")
    assert [(line.vm, line.running) for line in adapter_lines(known(made))] == [
        ("web1", True),
        ("off1", False),
    ]
    assert found(made, "Adapter") == [
        (
            "warning",
            "web1 runs with Network Adapter connected to nothing; it was on vSwitch Prod",
        )
    ]


def test_findings_come_worst_first_and_lead_to_the_thing() -> None:
    made = estate()
    add(made, "CL1-N1", "cut", connected=False, mac="00155DAAAAAA")
    add(made, "HV01", "a", mac="00155D010203")
    add(made, "CL1-N1", "b", mac="00155D010203", vlan=Vlan(VlanMode.ACCESS, 77))
    store = known(made)
    said = remarks(store)
    order = [remark.tone for remark in said]
    assert order == sorted(order, key=["error", "warning", "accent"].index)
    assert {"error", "warning", "accent"} <= set(order)
    assert all(store.row(remark.goes) is not None for remark in said)


# -- off the wire --------------------------------------------------------------------------


def test_pools_and_versions_of_services_are_read_from_the_host() -> None:
    plan = HostPlan(
        "HV01",
        pool=("00155D0A0000", "00155D0A00FF"),
        switches=(SwitchPlan("Lab", "private"),),
        vms=(VmPlan("old", "ws2012r2", outdated=True, uptime=5000.0),),
    )
    at = bench(plan)
    at.reader.fast()
    at.reader.facts()
    host = at.reader.slow().host
    assert (host.mac_pool_start, host.mac_pool_end) == ("00155D0A0000", "00155D0A00FF")
    (vm,) = at.reader.slow().vms.values()
    states = {service.name: service.status for service in vm.integration if service.enabled}
    assert states["shutdown"] == 32775
    assert states["heartbeat"] == 2


# -- on the command line -------------------------------------------------------------------


def test_the_command_offers_every_audit() -> None:
    assert tuple(audit.id for audit in matrix.AUDITS) == language.AUDITS


@pytest.fixture(scope="module")
def fabric() -> Iterator[tuple[HostLink, ...]]:
    with start_fabric("datacenter") as links:
        yield links


def test_the_command_tells_findings_and_tables(
    fabric: tuple[HostLink, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "hosts.toml"
    lines = [f'[defaults]\nuser = "{fabric[0].user}"\npassword = "env:FABRIC"\n']
    lines += [f'[hosts."{link.id}"]\nurl = "{link.url}"\n' for link in fabric]
    file.write_text("".join(lines))
    monkeypatch.setenv("HVDECK_CONFIG", str(file))
    monkeypatch.setenv("FABRIC", fabric[0].password)
    assert cli.main(["audit", "-o", "json", "--filter", "is:problem"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {line["topic"] for line in said} == {"MAC", "Pool", "Switch"}
    assert {line["level"] for line in said} == {"warning"}
    for audit in matrix.AUDITS:
        assert cli.main(["audit", audit.id, "-o", "csv"]) == 0
        titles, *rows = csv.reader(capsys.readouterr().out.splitlines())
        assert rows or audit.id == "adapters"
        assert len(set(titles)) == len(titles)
    with pytest.raises(SystemExit):
        cli.main(["audit", "nonsense"])
    assert cli.main(["audit", "--filter", "colour:red"]) == 2
    assert "No field named colour" in capsys.readouterr().err

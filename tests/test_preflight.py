"""Every cause of the preflight, both ways: what it finds in the way, and what it lets pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.preflight_kit import (
    GB,
    LOCAL,
    OFF,
    SHARED,
    VM,
    checkpoints,
    cluster,
    found,
    inventory,
    job,
    nic,
    role,
    sheet,
    state,
    switch,
    trip,
    verdict,
    vitals,
    vm,
)
from tui.hyperv import preflight
from tui.hyperv.cluster import DOWN, PAUSED, PENDING
from tui.hyperv.model import Disk, Link, SwitchKind, Trouble, Uplink, Volume
from tui.hyperv.preflight import Move, Trip, Verdict
from tui.hyperv.preflight.hosts import newest_version
from tui.hyperv.replica import PRIMARY, REPLICA, TEST, Replica

PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL
BOTH, LIVE, STORAGE, OFFLINE, CLUSTER = (
    Move.BOTH, Move.LIVE, Move.STORAGE, Move.OFFLINE, Move.CLUSTER,
)  # fmt: skip
AMD, OLD = "AMD EPYC 7763 64-Core Processor", "Intel(R) Xeon(R) Silver 4214 CPU @ 2.20GHz"
ISO = Disk("dvd", "D:\\ISO\\setup.iso", "SCSI", 0, 1, dvd=True)
PHYSICAL = Disk("raw", "", "SCSI", 0, 2, physical=True)
SCRATCH = Volume("D:\\", "", 4000 * GB, 20 * GB)


def with_disk(disk: Disk, path: str = SHARED) -> dict[str, Any]:
    machine = vm(path)
    return {"vm": replace(machine, disks=(*machine.disks, disk))}


def replicated(mode: int) -> dict[str, Any]:
    relation = Replica("HV01:r", "HV01", VM, mode=mode, recovery="REP01", primary="PRI01")
    return {
        "vitals": state(replication_mode=mode),
        "source": {"replicas": {relation.id: relation}},
    }


CASES: list[tuple[str, Verdict, Callable[[], Trip], str]] = [
    # state
    ("state", PASS, lambda: trip(), ""),
    ("state", FAIL, lambda: trip(vitals=state(10)), "starting"),
    ("state", FAIL, lambda: trip(vitals=state(activity=32774)), "moved already"),
    ("state", FAIL, lambda: trip(OFFLINE, vitals=state()), "does not run"),
    ("state", PASS, lambda: trip(OFFLINE), ""),
    ("state", FAIL, lambda: trip(target={"vm_vitals": {VM: state()}}), "same identity"),
    ("state", FAIL, lambda: trip(source={"jobs": {"j": job("HV01", subject=VM)}}), "40 %"),
    ("state", PASS, lambda: trip(source={"jobs": {"j": job("HV01", subject=VM, state=7)}}), ""),
    ("state", FAIL, lambda: trip(there={"link": Link.DOWN}), "HV02 does not answer"),
    ("state", FAIL, lambda: trip(there={"link": Link.CONNECTING}), "not connected"),
    # enabled
    ("enabled", PASS, lambda: trip(), ""),
    ("enabled", FAIL, lambda: trip(here={"migration_enabled": False}), "HV01"),
    ("enabled", FAIL, lambda: trip(there={"migration_enabled": False}), "HV02"),
    ("enabled", WARN, lambda: trip(there={"migration_enabled": None}), "HV02"),
    ("enabled", PASS, lambda: trip(STORAGE, here={"migration_enabled": False}), ""),
    ("enabled", PASS, lambda: trip(CLUSTER, here={"migration_enabled": False}), ""),
    # limits
    ("limits", PASS, lambda: trip(target={"jobs": {"j": job("HV02")}}), ""),
    ("limits", WARN, lambda: trip(target={"jobs": {str(n): job("HV02", n) for n in (1, 2)}}),
     "HV02 does 2 live"),
    ("limits", PASS, lambda: trip(target={"jobs": {str(n): job("HV02", n, 307) for n in (1, 2)}}),
     ""),
    ("limits", FAIL, lambda: trip(here={"max_migrations": 0}), "HV01"),
    ("limits", WARN, lambda: trip(STORAGE, source={"jobs": {str(n): job("HV01", n, 307)
                                                            for n in (1, 2)}}), "2 storage"),
    # authentication
    ("authentication", PASS, lambda: trip(), "delegation to HV02"),
    ("authentication", FAIL, lambda: trip(here={"migration_authentication": 0}), "0x8009030E"),
    ("authentication", FAIL, lambda: trip(there={"migration_authentication": 0}), "CredSSP"),
    ("authentication", WARN, lambda: trip(there={"domain": "other.example"}), "other.example"),
    ("authentication", WARN, lambda: trip(here={"migration_authentication": None}), "HV01"),
    ("authentication", PASS, lambda: trip(STORAGE, here={"migration_authentication": 0}), ""),
    # processor
    ("processor", PASS, lambda: trip(), "the same processors"),
    ("processor", FAIL, lambda: trip(there={"processor": AMD}), "another vendor"),
    ("processor", PASS, lambda: trip(OFFLINE, there={"processor": AMD}), "off"),
    ("processor", FAIL, lambda: trip(vitals=state(6), there={"processor": AMD}), "another vendor"),
    ("processor", WARN, lambda: trip(there={"processor": OLD}), "4214"),
    ("processor", PASS, lambda: trip(vm=vm(limits_features=True), there={"processor": OLD}), ""),
    ("processor", WARN, lambda: trip(there={"processor": ""}), "HV02"),
    # version
    ("version", PASS, lambda: trip(), "10.0"),
    ("version", FAIL, lambda: trip(there={"build": "17763"}), "up to 9.0"),
    ("version", PASS, lambda: trip(vm=vm(version="9.0"), there={"build": "17763"}), ""),
    ("version", PASS, lambda: trip(there={"build": "10.0.26100"}), ""),
    ("version", WARN, lambda: trip(there={"build": ""}), "not told"),
    # memory
    ("memory", PASS, lambda: trip(), "120.0 GB"),
    ("memory", FAIL, lambda: trip(there={"memory_free": 7 * GB}), "HV02 has 7.0 GB free"),
    ("memory", FAIL, lambda: trip(there={"memory_free": 20 * GB}, added=15 * GB), "15.0 GB"),
    ("memory", WARN, lambda: trip(there={"memory_free": 9 * GB}), "only 1.0 GB"),
    ("memory", WARN, lambda: trip(OFFLINE, there={"memory_free": GB}), "to start"),
    ("memory", WARN, lambda: trip(there={"memory_free": None}), "HV02"),
    ("memory", PASS, lambda: trip(STORAGE, here={"memory_free": 0}), ""),
    # numa
    ("numa", PASS, lambda: trip(), "holds sql01"),
    ("numa", FAIL, lambda: trip(vm=vm(processors=80)), "64 logical"),
    ("numa", WARN, lambda: trip(vitals=state(memory=140 * GB)), "spans"),
    ("numa", FAIL, lambda: trip(vitals=state(memory=140 * GB), there={"numa_spanning": False}),
     "may not span"),
    # switch
    ("switch", PASS, lambda: trip(), ""),
    ("switch", FAIL, lambda: trip(target={"switches": {"x": switch("HV02", "LAN")}}),
     "no switch called Production"),
    ("switch", PASS, lambda: trip(target={"switches": {"x": switch("HV02", "LAN")}},
                                  switches=(("Production", "LAN"),)), ""),
    ("switch", WARN, lambda: trip(target={"switches": {
        "x": switch("HV02", kind=SwitchKind.PRIVATE)}}), "private on HV02"),
    ("switch", PASS, lambda: trip(vm=vm(nics=())), ""),
    # vlan
    ("vlan", PASS, lambda: trip(), "VLAN 20 is in use"),
    ("vlan", WARN, lambda: trip(vm=vm(nics=(nic(vlan=77),))), "VLAN 77"),
    ("vlan", PASS, lambda: trip(vm=vm(nics=(nic(vlan=0),))), ""),
    ("vlan", WARN, lambda: trip(there={"uplinks": (Uplink("1", "NIC1", "", 0, True, False),)}),
     "has a link"),
    # iso
    ("iso", PASS, lambda: trip(), ""),
    ("iso", FAIL, lambda: trip(**with_disk(ISO)), "setup.iso"),
    ("iso", PASS, lambda: trip(**with_disk(replace(ISO, path="\\\\FS01\\ISO\\setup.iso"))), ""),
    ("iso", PASS, lambda: trip(**with_disk(replace(ISO, path=""))), ""),
    # devices
    ("devices", PASS, lambda: trip(), ""),
    ("devices", FAIL, lambda: trip(vm=vm(devices=("NVIDIA A2",))), "NVIDIA A2"),
    ("devices", FAIL, lambda: trip(**with_disk(PHYSICAL)), "SCSI 0:2"),
    ("devices", WARN, lambda: trip(CLUSTER, **with_disk(PHYSICAL)), "every node"),
    # storage
    ("storage", PASS, lambda: trip(), "reaches the files"),
    ("storage", FAIL, lambda: trip(vm=vm(LOCAL)), "HV01 alone"),
    ("storage", PASS, lambda: trip(BOTH, sheet=sheet()), "40.0 GB go to"),
    ("storage", FAIL, lambda: trip(BOTH, sheet=sheet(900 * GB)), "800.0 GB free"),
    ("storage", WARN, lambda: trip(BOTH, sheet=sheet(750 * GB)), "only 50.0 GB free"),
    ("storage", WARN, lambda: trip(BOTH), "has not been read"),
    ("storage", FAIL, lambda: trip(BOTH, sheet=sheet(), folder="X:\\VMs"), "no volume"),
    ("storage", FAIL, lambda: trip(BOTH, there={"volumes": (SCRATCH,)}, sheet=sheet()), "20.0 GB"),
    ("storage", PASS, lambda: trip(STORAGE, sheet=sheet(), folder="C:\\VMs"), "C:\\VMs"),
    ("storage", WARN, lambda: trip(STORAGE, sheet=sheet(), folder="\\\\FS01\\VMs"), "FS01"),
    ("storage", PASS, lambda: trip(BOTH, vm=vm(disks=())), "no disk"),
    # checkpoints
    ("checkpoints", PASS, lambda: trip(), ""),
    ("checkpoints", PASS, lambda: trip(vm=vm(checkpoints=checkpoints(2))), "2 checkpoints"),
    ("checkpoints", WARN, lambda: trip(BOTH, vm=vm(LOCAL, checkpoints=checkpoints(1))),
     "1 checkpoint of"),
    ("checkpoints", FAIL, lambda: trip(BOTH, sheet=sheet(trouble="it is missing")), "missing"),
    ("checkpoints", WARN, lambda: trip(vitals=state(activity=32772)), "merged"),
    ("checkpoints", WARN, lambda: trip(vm=vm("\\\\FS01\\VMs\\a.avhdx")), "a merge is due"),
    # tpm
    ("tpm", PASS, lambda: trip(), ""),
    ("tpm", WARN, lambda: trip(vm=vm(tpm=True)), "while it runs"),
    ("tpm", WARN, lambda: trip(OFFLINE, vm=vm(tpm=True)), "does not start there"),
    # replica
    ("replica", PASS, lambda: trip(), ""),
    ("replica", WARN, lambda: trip(**replicated(PRIMARY)), "REP01"),
    ("replica", WARN, lambda: trip(**replicated(REPLICA)), "its primary"),
    ("replica", FAIL, lambda: trip(**replicated(TEST)), "test replica"),
    # networks
    ("networks", PASS, lambda: trip(), "compressed over TCP"),
    ("networks", WARN, lambda: trip(there={"migration_addresses": ("192.168.1.2",)}), "10.20.90.0"),
    ("networks", PASS, lambda: trip(here={"migration_networks": ()},
                                    there={"migration_addresses": ("192.168.1.2",)}), ""),
    ("networks", WARN, lambda: trip(there={"migration_addresses": ()}), "no address"),
    ("networks", WARN, lambda: trip(there={"migration_smb": True}), "445"),
    # clock
    ("clock", PASS, lambda: trip(), "agree"),
    ("clock", WARN, lambda: trip(there={"clock": 90.0}), "HV02 is 90 s ahead"),
    ("clock", WARN, lambda: trip(here={"clock": 400.0}), "Kerberos refuses"),
    ("clock", PASS, lambda: trip(here={"clock": None}), ""),
    # role
    ("role", PASS, lambda: trip(), ""),
    ("role", WARN, lambda: trip(there={"cluster": "CLU"}), "not restarted elsewhere"),
    ("role", FAIL, lambda: trip(cluster=cluster()), "is not in that cluster"),
    ("role", PASS, lambda: trip(CLUSTER, cluster=cluster()), "moves sql01 to HV02"),
    ("role", FAIL, lambda: trip(CLUSTER, cluster=role(locked=True)), "locked"),
    ("role", FAIL, lambda: trip(CLUSTER, cluster=role(state=PENDING, queued=True)), "its turn"),
    ("role", WARN, lambda: trip(CLUSTER, cluster=role(preferred=("HV01",))), "preferred owners"),
    ("role", PASS, lambda: trip(CLUSTER, cluster=role(preferred=("hv02",))), ""),
    ("role", FAIL, lambda: trip(CLUSTER), "no role"),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "wanted", "made", "says"), CASES)
def test_a_cause(cause: str, wanted: Verdict, made: Callable[[], Trip], says: str) -> None:
    way = made()
    told = found(way, cause)
    assert preflight.worst(told) is wanted, told
    assert says in " / ".join(one.text for one in told)
    if wanted is FAIL:
        assert all(one.text.strip() for one in told)
        assert "sql01" in str(told) or "HV0" in str(told)


@pytest.mark.parametrize("state_of_node", [DOWN, PAUSED])
def test_a_node_that_takes_no_roles(state_of_node: int) -> None:
    here, there = cluster().nodes
    spoilt = cluster(nodes=(here, replace(there, state=state_of_node)))
    assert verdict(trip(CLUSTER, cluster=spoilt), "role") is FAIL


def test_roles_that_are_to_be_kept_apart() -> None:
    (own,) = cluster().roles
    own = replace(own, anti_affinity=("sql",))
    other = replace(own, name="sql02", owner="HV02", vm="")
    assert "sql02" in found(trip(CLUSTER, cluster=cluster(roles=(own, other))), "role")[0].text


def test_every_failure_says_the_way_out() -> None:
    without = {"state", "memory", "storage", "version", "role"}
    for cause, wanted, made, _ in CASES:
        if wanted is FAIL and cause not in without:
            assert all(one.fix for one in found(made(), cause)), cause


def test_a_way_free_of_everything_passes() -> None:
    assert preflight.worst(preflight.judge(trip())) is PASS
    assert preflight.worst(preflight.judge(trip(BOTH, sheet=sheet()))) is PASS
    assert {one.id for _, _, made, _ in CASES for one in preflight.judge(made())} == set(
        preflight.CAUSES
    )


def test_how_a_machine_would_go() -> None:
    here, there = inventory("HV01"), inventory("HV02")
    go = preflight.move_for
    assert go(vm(SHARED), state(), here, there) is LIVE
    assert go(vm(SHARED), state(OFF), here, there) is LIVE
    assert go(vm(LOCAL), state(), here, there) is BOTH
    assert go(vm(LOCAL), state(OFF), here, there) is OFFLINE
    assert go(vm(LOCAL), state(), here, here) is STORAGE
    assert go(vm(LOCAL), state(), here, there, cluster=cluster()) is CLUSTER
    assert go(vm(LOCAL), state(), here, inventory("HV09"), cluster=cluster()) is BOTH


def test_a_volume_of_the_cluster_is_shared_within_it() -> None:
    path = "C:\\ClusterStorage\\Volume1\\sql01.vhdx"
    inside = {"cluster": "CLU"}
    assert (
        verdict(trip(LIVE, vm=vm(path), here=dict(inside), there=dict(inside)), "storage") is PASS
    )
    assert verdict(trip(LIVE, vm=vm(path)), "storage") is FAIL


def test_what_the_other_host_lost_is_told() -> None:
    lost = vitals("HV02", link=Link.DOWN, trouble=Trouble("Unreachable", "no route to HV02"))
    way = trip(target={"vitals": lost})
    assert "no route to HV02" in found(way, "state")[0].text


def test_names_are_quoted_for_powershell_and_the_shell() -> None:
    way = trip(vm=vm(name="it's $(here)", devices=("gpu",)))
    assert "-VMName 'it''s $(here)'" in found(way, "devices")[0].fix
    way = trip(there={"processor": OLD}, vm=vm(name="two words"))
    assert found(way, "processor")[0].fix == "hvdeck vm set-cpu 'two words@HV01' --compatibility"


@pytest.mark.parametrize(
    ("build", "wanted"),
    [("9600", "5.0"), ("14393", "8.0"), ("17763", "9.0"), ("20348", "10.0"), ("26100", "12.0"),
     ("10.0.20348", "10.0"), ("20348.2113", "10.0"), ("19045", ""), ("", ""), ("7601", "")],
)  # fmt: skip
def test_the_newest_version_a_build_knows(build: str, wanted: str) -> None:
    assert newest_version(build) == wanted

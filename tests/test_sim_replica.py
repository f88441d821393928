"""Hyper-V Replica in the simulated fabric: cycles, health, and every method."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from tests.link_kit import PASSWORD, USER
from tests.live_kit import PATIENCE, estate
from tests.replica_kit import (
    NEVER,
    RELATIONSHIP,
    SERVICE,
    SETTING,
    Ends,
    ask,
    change,
    ends,
    linked,
    measured,
    points,
    relation,
    setting,
    wish,
)
from tests.sim_kit import SNAPSHOTS, V2, VSMS, Bench, bench, by_id, embedded, one, word
from tests.storage_kit import ended, failed
from tui.sim import faults
from tui.sim.world import StillClock
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.client import CimClient
from tui.wsman.embedded import from_text
from tui.wsman.reply import MethodOutput
from tui.wsman.schema import cim_class
from tui.wsman.transport import WinRMSettings, WinRMTransport

STATE, INVALID, NOT_FOUND = 32775, 32773, 32779
SCENE = {
    "erp-db": (3, 3, 1),
    "shop-web": (3, 3, 2),
    "files": (3, 3, 2),
    "mail": (7, 3, 2),
    "intranet": (3, 7, 1),
    "crm": (8, 3, 3),
    "archive": (8, 8, 3),
    "wiki": (9, 3, 3),
    "docs": (10, 10, 2),
    "vdi-gold": (11, 3, 2),
    "hr-app": (1, 2, 2),
    "legacy-app": (2, 2, 1),
    "print": (4, 3, 2),
    "build": (8, 5, 3),
    "license": (8, 6, 3),
    "dns02": (3, 3, 1),
}
"""States on BERLIN and DRESDEN, and health on BERLIN."""


@pytest.fixture
def world() -> Ends:
    return ends()


def codes(issues: list[CimInstance]) -> set[str]:
    return {word(issue["MessageID"]) for issue in issues}


def number(instance: CimInstance, name: str) -> int:
    value = instance[name]
    assert isinstance(value, int)
    return value


def last(at: Bench, name: str) -> datetime:
    value = relation(at, name)["LastReplicationTime"]
    assert isinstance(value, datetime)
    return value


# -- what is there -------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["BERLIN", "DRESDEN"])
def test_the_scene_has_every_state_whoever_is_asked_first(first: str) -> None:
    begun = bench("replica", first)
    world = Ends(begun.at("BERLIN"), begun.at("DRESDEN"))
    assert {name: world.states(name) for name in SCENE} == {
        name: (one, other) for name, (one, other, _) in SCENE.items()
    }
    healths = {
        str(item["ElementName"]): item["ReplicationHealth"]
        for item in world.berlin.all(RELATIONSHIP)
    }
    assert healths == {name: health for name, (_, _, health) in SCENE.items()}


@pytest.mark.parametrize(
    "name",
    [
        SERVICE,
        RELATIONSHIP,
        SETTING,
        "Msvm_ReplicationServiceSettingData",
        "Msvm_ReplicationAuthorizationSettingData",
    ],
)
def test_instances_have_every_property_of_their_class(world: Ends, name: str) -> None:
    shape = cim_class(V2, name)
    assert shape is not None
    found = list(world.berlin.host.repository.instances(V2, name))
    assert found
    assert all(set(item.values) == set(shape.properties) for item in found)


def test_both_ends_are_one_machine_in_two_roles(world: Ends) -> None:
    source, copy = (at.vm("erp-db") for at in world)
    assert source["Name"] == copy["Name"]
    assert (source["ReplicationMode"], copy["ReplicationMode"]) == (1, 2)
    assert (source["EnabledState"], copy["EnabledState"]) == (2, 3)
    assert (
        relation(world.berlin, "erp-db")["InstanceID"]
        == f"Microsoft:{word(source['Name'])}\\HVR\\0"
    )
    for at in world:
        relationship = relation(at, "erp-db")
        same = ("ReplicationState", "ReplicationHealth", "LastReplicationTime")
        assert [at.vm("erp-db")[n] for n in same] == [relationship[n] for n in same]
    lab = world.berlin.vm("lab")
    assert (lab["ReplicationMode"], lab["ReplicationState"], lab["ReplicationHealth"]) == (0, 0, 0)
    assert lab["LastReplicationTime"] == NEVER


def test_a_summary_tells_of_both_roles(world: Ends) -> None:
    def rows(at: Bench) -> dict[CimValue, CimInstance]:
        wanted = (1, 114, 115, 116, 118, 119)
        output = at.call(VSMS, "GetSummaryInformation", RequestedInformation=wanted)
        found = output.values["SummaryInformation"]
        assert isinstance(found, tuple)
        return {r["ElementName"]: r for r in found if isinstance(r, CimInstance)}

    berlin, dresden = rows(world.berlin), rows(world.dresden)
    mode = ("ReplicationMode", "ReplicationState", "ReplicationHealth")
    assert [berlin["crm"][name] for name in mode] == [1, 8, 3]
    assert [dresden["crm"][name] for name in mode] == [2, 3, 2]
    assert berlin["crm"]["ReplicationStateEx"] == (8,)
    assert berlin["dns02 - Test"]["ReplicationMode"] == 3
    test = berlin["dns02"]["TestReplicaSystem"]
    assert isinstance(test, CimRef)
    assert test.key("Name") == berlin["dns02 - Test"]["Name"]


def test_settings_name_both_hosts_and_the_disks(world: Ends) -> None:
    for at in world:
        found = setting(at, "erp-db")
        assert found["PrimaryHostSystem"] == "BERLIN.corp.example.com"
        assert found["RecoveryHostSystem"] == "DRESDEN.corp.example.com"
        assert (found["ReplicationInterval"], found["RecoveryHistory"]) == (30, 24)
        disks = found["IncludedDisks"]
        assert isinstance(disks, tuple)
        assert len(disks) == 2
    (back,) = world.berlin.client.query(
        V2,
        f'ASSOCIATORS OF {{{RELATIONSHIP}.InstanceID="'
        + word(relation(world.berlin, "erp-db")["InstanceID"]).replace("\\", "\\\\")
        + '"} WHERE AssocClass = Msvm_SettingsDefineState',
    )
    assert back["InstanceID"] == setting(world.berlin, "erp-db")["InstanceID"]
    assert setting(world.berlin, "lab")["RecoveryConnectionPoint"] == ""


def test_a_test_machine_hangs_from_its_replica(world: Ends) -> None:
    found = linked(world.berlin, "dns02", "Msvm_ComputerSystem", "Msvm_ReplicaSystemDependency")
    assert found["ElementName"] == "dns02 - Test"


# -- cycles --------------------------------------------------------------------------------


def test_every_interval_a_cycle_brings_the_replica_up_to_date(world: Ends) -> None:
    before, _ = measured(world.berlin, "erp-db")
    world.wait(600)
    after, issues = measured(world.berlin, "erp-db")
    done = number(after, "ReplicationSuccessCount") - number(before, "ReplicationSuccessCount")
    assert done == 20
    assert not issues
    now = world.berlin.host.now()
    for at in world:
        assert now - last(at, "erp-db") < timedelta(seconds=31)
    applied = relation(world.dresden, "erp-db")["LastApplyTime"]
    assert isinstance(applied, datetime)
    assert applied > last(world.dresden, "erp-db")
    assert number(after, "MaxReplicationSize") >= number(after, "ReplicationSize") > 0


def test_what_the_guest_writes_waits_until_it_is_shipped(world: Ends) -> None:
    ended(world.berlin, change(world.berlin, "erp-db", 7))
    first = number(measured(world.berlin, "erp-db")[0], "PendingReplicationSize")
    world.wait(300)
    then = number(measured(world.berlin, "erp-db")[0], "PendingReplicationSize")
    assert then > first
    assert number(measured(world.dresden, "erp-db")[0], "PendingReplicationSize") == 0
    ended(world.berlin, change(world.berlin, "erp-db", 3))
    world.wait(60)
    assert number(measured(world.berlin, "erp-db")[0], "PendingReplicationSize") < then


def test_writes_of_a_run_that_is_over_are_not_forgotten(world: Ends) -> None:
    world.wait(60)
    running = number(measured(world.berlin, "crm")[0], "PendingReplicationSize")
    ended(world.berlin, world.berlin.change("crm", 3))
    off = number(measured(world.berlin, "crm")[0], "PendingReplicationSize")
    assert off >= running > 0
    world.wait(600)
    assert number(measured(world.berlin, "crm")[0], "PendingReplicationSize") == off


def test_a_slow_line_makes_cycles_miss_and_the_replica_fall_behind(world: Ends) -> None:
    world.dresden.host.faults.replica_rate = 0.02
    ask(world.berlin, "ResetReplicationStatistics", "erp-db")
    world.wait(4000)
    after, issues = measured(world.berlin, "erp-db")
    assert number(after, "ReplicationMissCount") > number(after, "ReplicationSuccessCount")
    assert {"32095", "32096"} <= codes(issues)
    assert relation(world.berlin, "erp-db")["ReplicationHealth"] == 2
    assert relation(world.dresden, "erp-db")["ReplicationHealth"] == 2, "it knows the lag"


def test_a_fifth_of_the_cycles_missed_is_a_warning(world: Ends) -> None:
    machine = world.berlin.host.machine(word(world.berlin.vm("intranet")["Name"]))
    assert machine is not None
    assert machine.replica is not None
    counts = machine.replica.pair.counts
    counts.succeeded, counts.missed = 81, 19
    assert relation(world.berlin, "intranet")["ReplicationHealth"] == 1
    counts.succeeded, counts.missed = 80, 20
    assert relation(world.berlin, "intranet")["ReplicationHealth"] == 2
    assert "32095" in codes(measured(world.berlin, "intranet")[1])


def test_an_hour_behind_is_a_warning(world: Ends) -> None:
    world.wait(3600 - 0.7 * 3600 - 10)
    assert "32096" not in codes(measured(world.berlin, "mail")[1])
    world.wait(20)
    assert "32096" in codes(measured(world.berlin, "mail")[1])


def test_a_line_that_is_down_is_tried_again_and_then_critical(world: Ends) -> None:
    world.dresden.host.faults.replica_down = True
    ask(world.berlin, "ResetReplicationStatistics", "erp-db")
    world.wait(62)
    after, issues = measured(world.berlin, "erp-db")
    assert relation(world.berlin, "erp-db")["ReplicationState"] == 3
    assert number(after, "NetworkFailureCount") == number(after, "ReplicationFailureCount") == 2
    told = one(issues, lambda issue: issue["MessageID"] == "32315")
    assert "0x00002EFD" in word(told["Message"])
    assert told["ProbableCause"] == 5
    world.wait(60)
    assert world.states("erp-db") == (8, 3)
    assert relation(world.berlin, "erp-db")["ReplicationHealth"] == 3
    ended(world.berlin, change(world.berlin, "erp-db", 3))
    assert relation(world.berlin, "erp-db")["ReplicationState"] == 3
    world.dresden.host.faults.replica_down = False
    world.wait(65)
    assert not {"32315", "12029", "32091"} & codes(measured(world.berlin, "erp-db")[1])


def test_knobs_are_turned_by_name(world: Ends) -> None:
    knobs = world.dresden.host.faults
    for text in ("replica_down", "replica_rate=0.5", "replica_full=on"):
        faults.apply(knobs, text)
    assert (knobs.replica_down, knobs.replica_rate, knobs.replica_full) == (True, 0.5, True)


def test_a_full_volume_stops_both_ends_at_once(world: Ends) -> None:
    world.dresden.host.faults.replica_full = True
    world.wait(40)
    assert world.states("erp-db") == (8, 8)
    told = one(measured(world.berlin, "erp-db")[1], lambda i: i["MessageID"] == "32038")
    assert "0x80070070" in word(told["Message"])
    assert told["PerceivedSeverity"] == 4
    world.dresden.host.faults.replica_full = False
    ended(world.berlin, change(world.berlin, "erp-db", 3))
    world.wait(31)
    assert world.states("erp-db") == (3, 3)


def test_a_pause_on_the_replica_makes_the_primary_fail(world: Ends) -> None:
    ended(world.dresden, change(world.dresden, "erp-db", 7))
    world.wait(35)
    assert world.states("erp-db") == (3, 7)
    told = one(measured(world.berlin, "erp-db")[1], lambda i: i["MessageID"] == "32315")
    assert "paused on the replica server" in word(told["Message"])
    world.wait(200)
    assert world.states("erp-db") == (8, 7)
    ended(world.dresden, change(world.dresden, "erp-db", 3))
    ended(world.berlin, change(world.berlin, "erp-db", 3))
    world.wait(31)
    assert world.states("erp-db") == (3, 3)


def test_a_log_that_outgrows_the_disks_asks_for_resynchronization(world: Ends) -> None:
    ended(world.berlin, change(world.berlin, "shop-web", 7))
    machine = world.berlin.host.machine(word(world.berlin.vm("shop-web")["Name"]))
    assert machine is not None
    assert machine.replica is not None
    machine.replica.pair.pending = 31 << 30
    world.wait(301)
    assert world.states("shop-web") == (9, 3)
    assert relation(world.berlin, "shop-web")["ReplicationHealth"] == 3
    assert change(world.berlin, "shop-web", 3).return_value == STATE


def test_a_relationship_may_resynchronize_by_itself(world: Ends) -> None:
    start, end = timedelta(0), timedelta(hours=24)
    text = wish(
        world.berlin,
        "wiki",
        AutoResynchronizeEnabled=True,
        AutoResynchronizeIntervalStart=start,
        AutoResynchronizeIntervalEnd=end,
    )
    ended(world.berlin, ask(world.berlin, "ModifyReplicationSettings", "wiki", **settings(text)))
    assert world.states("wiki") == (9, 3)
    world.wait(1800)
    assert world.states("wiki") == (3, 3)


def settings(text: str) -> dict[str, CimValue]:
    return {"ReplicationSettingData": text}


def test_recovery_points_come_every_hour_and_go_at_their_limit(world: Ends) -> None:
    assert len(points(world.dresden, "erp-db")) == 24
    oldest = points(world.dresden, "erp-db")[0]["InstanceID"]
    kinds = {
        str(p["VirtualSystemType"]).rpartition(":")[2] for p in points(world.dresden, "erp-db")
    }
    assert kinds == {"Standard", "ApplicationConsistent"}
    world.wait(2 * 3600)
    now = points(world.dresden, "erp-db")
    assert len(now) == 24
    assert oldest not in [p["InstanceID"] for p in now]
    assert points(world.berlin, "erp-db") == []
    consistent = relation(world.dresden, "erp-db")["LastApplicationConsistentReplicationTime"]
    assert isinstance(consistent, datetime)
    assert world.berlin.host.now() - consistent < timedelta(hours=4)


def test_statistics_begin_anew(world: Ends) -> None:
    ended(world.berlin, ask(world.berlin, "ResetReplicationStatistics", "shop-web"))
    after, _ = measured(world.berlin, "shop-web")
    assert number(after, "ReplicationMissCount") == 0
    world.wait(43300)
    later, _ = measured(world.berlin, "erp-db")
    assert number(later, "ReplicationSuccessCount") < 1440, "a monitoring interval has passed"
    text = embedded(RELATIONSHIP, InstanceID=relation(world.berlin, "erp-db")["InstanceID"])
    for method in ("GetReplicationStatisticsEx", "ResetReplicationStatisticsEx"):
        output = ask(world.berlin, method, "erp-db", ReplicationRelationship=text)
        assert output.return_value in (0, 4096)
    assert ask(world.berlin, "GetReplicationStatistics", "lab").return_value == STATE


# -- pausing and resuming ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state"),
    [("mail", 7), ("hr-app", 3), ("lab", 7), ("erp-db", 3), ("erp-db", 9), ("erp-db", 1)],
)
def test_what_does_not_fit_the_state_is_refused(world: Ends, name: str, state: int) -> None:
    output = world.berlin.client.invoke(
        world.berlin.ref(name), "RequestReplicationStateChange", RequestedState=state
    )
    assert output.return_value == STATE


def test_states_that_cannot_be_asked_for_are_invalid(world: Ends) -> None:
    assert change(world.berlin, "erp-db", 5).return_value == INVALID
    text = embedded(RELATIONSHIP, InstanceID=relation(world.berlin, "mail")["InstanceID"])
    output = world.berlin.client.invoke(
        world.berlin.ref("erp-db"),
        "RequestReplicationStateChangeEx",
        ReplicationRelationship=text,
        RequestedState=7,
    )
    assert output.return_value == INVALID


def test_a_paused_relationship_goes_on(world: Ends) -> None:
    job = ended(world.berlin, change(world.berlin, "mail", 3))
    assert job["JobType"] == 96
    world.wait(120)
    assert world.states("mail") == (3, 3)
    assert relation(world.berlin, "mail")["ReplicationHealth"] == 1


def test_initial_replication_can_be_stopped_paused_and_resumed(world: Ends) -> None:
    ended(world.berlin, change(world.berlin, "legacy-app", 7))
    assert world.states("legacy-app") == (7, 2)
    ended(world.berlin, change(world.berlin, "legacy-app", 3))
    assert world.states("legacy-app") == (2, 2)
    ended(world.berlin, change(world.berlin, "legacy-app", 1))
    assert world.states("legacy-app") == (1, 2)
    jobs = world.berlin.all("Msvm_ConcreteJob")
    assert not [j for j in jobs if j["JobType"] == 116 and j["JobState"] in (3, 4)]


# -- resynchronizing -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wiki", "crm", "mail", "vdi-gold", "erp-db"])
def test_a_resynchronization_is_a_long_job_on_both_ends(world: Ends, name: str) -> None:
    machine = world.berlin.host.machine(word(world.berlin.vm(name)["Name"]))
    assert machine is not None
    assert machine.replica is not None
    machine.replica.pair.line.down = False
    output = ask(world.berlin, "Resynchronize", name)
    assert world.states(name) == (10, 10)
    assert ask(world.berlin, "Resynchronize", name).return_value == STATE
    job = ended(world.berlin, output)
    assert job["JobType"] == 107
    assert world.states(name) == (3, 3)


def test_a_resynchronization_can_be_paused_cancelled_or_postponed(world: Ends) -> None:
    ended(world.berlin, change(world.berlin, "docs", 7))
    assert relation(world.berlin, "docs")["ReplicationState"] == 11
    ended(world.berlin, change(world.berlin, "docs", 3))
    assert world.states("docs") == (10, 10)
    ended(world.berlin, change(world.berlin, "docs", 9))
    assert world.states("docs") == (9, 3)
    later = world.berlin.host.now() + timedelta(hours=2)
    ended(world.berlin, ask(world.berlin, "Resynchronize", "docs", StartTime=later))
    assert world.states("docs") == (9, 3)
    world.wait(7200)
    assert world.states("docs") == (10, 10)
    ended(world.dresden, change(world.dresden, "docs", 3))
    assert world.states("docs") == (9, 3)


def test_a_resynchronization_without_a_line_fails(world: Ends) -> None:
    world.dresden.host.faults.replica_down = True
    failed(world.berlin, ask(world.berlin, "Resynchronize", "wiki"), number="0x00002EFD")
    assert world.states("wiki") == (9, 3)


# -- creating and removing -----------------------------------------------------------------


def create(world: Ends, **values: CimValue) -> MethodOutput:
    terms: dict[str, CimValue] = {
        "RecoveryConnectionPoint": "dresden.corp.example.com",
        "AuthenticationType": 1,
        "RecoveryServerPortNumber": 80,
        **values,
    }
    text = wish(world.berlin, "lab", **terms)
    return ask(world.berlin, "CreateReplicationRelationship", "lab", **settings(text))


def test_a_new_relationship_goes_all_the_way(world: Ends) -> None:
    job = ended(world.berlin, create(world, ReplicationInterval=30, RecoveryHistory=2))
    assert job["JobType"] == 91
    assert world.states("lab") == (1, 2)
    assert world.modes("lab") == (1, 2)
    assert relation(world.berlin, "lab")["ReplicationHealth"] == 2
    assert world.dresden.of("lab", "Msvm_StorageAllocationSettingData")
    assert create(world).return_value == STATE
    started = ask(world.berlin, "StartReplication", "lab", InitialReplicationType=1)
    ended(world.berlin, started)
    assert world.states("lab") == (2, 2)
    sending = [job for job in world.berlin.all("Msvm_ConcreteJob") if job["JobType"] == 116]
    assert len(sending) == 2, "and the one of legacy-app"
    assert all(job["Cancellable"] for job in sending)
    world.wait(1800)
    assert world.states("lab") == (3, 3)
    assert relation(world.berlin, "lab")["ReplicationHealth"] == 1
    world.wait(3 * 3600)
    assert len(points(world.dresden, "lab")) == 2


def test_initial_replication_may_wait_be_seeded_or_be_carried(world: Ends) -> None:
    later = world.berlin.host.now() + timedelta(hours=1)
    call = ask(
        world.berlin, "StartReplication", "hr-app", InitialReplicationType=3, StartTime=later
    )
    ended(world.berlin, call)
    assert world.states("hr-app") == (1, 2)
    world.wait(3600)
    assert world.states("hr-app") == (2, 2)
    world.wait(600)
    assert world.states("hr-app") == (3, 3)
    ended(world.berlin, create(world))
    bad = ask(world.berlin, "StartReplication", "lab", InitialReplicationType=2)
    assert bad.return_value == INVALID
    place = "E:\\Carry"
    exported = ask(
        world.berlin,
        "StartReplication",
        "lab",
        InitialReplicationType=2,
        InitialReplicationExportLocation=place,
    )
    ended(world.berlin, exported)
    world.wait(3600)
    assert world.states("lab") == (2, 2)
    ended(
        world.dresden,
        ask(world.dresden, "ImportInitialReplica", "lab", InitialReplicationImportLocation=place),
    )
    assert world.states("lab") == (3, 3)


@pytest.mark.parametrize(
    "values",
    [
        {"ReplicationInterval": 60},
        {"RecoveryHistory": 25},
        {"AuthenticationType": 7},
        {"RecoveryConnectionPoint": ""},
        {"RecoveryConnectionPoint": "BERLIN"},
    ],
)
def test_settings_that_cannot_be_are_refused(world: Ends, values: dict[str, CimValue]) -> None:
    assert create(world, **values).return_value == INVALID


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"RecoveryConnectionPoint": "nowhere"}, "0x00002EE7"),
        ({"RecoveryServerPortNumber": 8080}, "0x00002EFD"),
        ({"AuthenticationType": 2, "RecoveryServerPortNumber": 443}, "0x80090322"),
    ],
)
def test_a_host_that_cannot_be_reached_fails_the_job(
    world: Ends, values: dict[str, CimValue], says: str
) -> None:
    failed(world.berlin, create(world, **values), number=says)
    assert world.berlin.vm("lab")["ReplicationMode"] == 0


def test_a_host_says_whom_it_takes(world: Ends) -> None:
    entry = "Msvm_ReplicationAuthorizationSettingData"
    removed = world.dresden.call(SERVICE, "RemoveAuthorizationEntry", AllowedPrimaryHostSystem="*")
    ended(world.dresden, removed)
    failed(world.berlin, create(world), number="0x80070005")
    text = embedded(
        entry,
        AllowedPrimaryHostSystem="BERLIN.corp.example.com",
        ReplicaStorageLocation="D:\\From Berlin",
        TrustGroup="berlin",
    )
    ended(
        world.dresden, world.dresden.call(SERVICE, "AddAuthorizationEntry", AuthorizationEntry=text)
    )
    again = world.dresden.call(SERVICE, "AddAuthorizationEntry", AuthorizationEntry=text)
    assert again.return_value == INVALID
    ended(
        world.dresden,
        world.dresden.call(SERVICE, "ModifyAuthorizationEntry", AuthorizationEntry=text),
    )
    gone = world.dresden.call(SERVICE, "RemoveAuthorizationEntry", AllowedPrimaryHostSystem="x")
    assert gone.return_value == NOT_FOUND
    ended(world.berlin, create(world))
    assert str(world.dresden.settings("lab")["ConfigurationDataRoot"]).startswith("D:\\From Berlin")


def test_a_recovery_server_can_be_switched_off(world: Ends) -> None:
    name = "Msvm_ReplicationServiceSettingData"
    (before,) = world.dresden.all(name)
    assert before["RecoveryServerEnabled"]
    text = embedded(name, **{**dict(before.values), "RecoveryServerEnabled": False})
    ended(world.dresden, world.dresden.call(SERVICE, "ModifyServiceSettings", SettingData=text))
    failed(world.berlin, create(world), number="0x00002EFD")
    bad = embedded(name, AllowedAuthenticationType=9)
    output = world.dresden.call(SERVICE, "ModifyServiceSettings", SettingData=bad)
    assert output.return_value == INVALID


def test_a_connection_can_be_tried(world: Ends) -> None:
    def attempt(port: int, name: str = "DRESDEN") -> MethodOutput:
        return world.berlin.call(
            SERVICE,
            "TestReplicationConnection",
            RecoveryConnectionPoint=name,
            RecoveryServerPortNumber=port,
            AuthenticationType=1,
            BypassProxyServer=False,
        )

    assert ended(world.berlin, attempt(80))["JobType"] == 115
    failed(world.berlin, attempt(81), number="0x00002EFD")
    failed(world.berlin, attempt(80, "nowhere"), number="0x00002EE7")


def test_settings_of_a_relationship_can_be_changed(world: Ends) -> None:
    text = wish(world.berlin, "erp-db", ReplicationInterval=300, RecoveryHistory=3)
    ended(world.berlin, ask(world.berlin, "ModifyReplicationSettings", "erp-db", **settings(text)))
    assert setting(world.dresden, "erp-db")["ReplicationInterval"] == 300
    world.wait(3700)
    assert len(points(world.dresden, "erp-db")) == 3
    bad = wish(world.berlin, "erp-db", ReplicationInterval=77)
    output = ask(world.berlin, "ModifyReplicationSettings", "erp-db", **settings(bad))
    assert output.return_value == INVALID


def test_each_end_is_removed_by_itself(world: Ends) -> None:
    ended(world.berlin, ask(world.berlin, "RemoveReplicationRelationship", "erp-db"))
    assert world.modes("erp-db") == (0, 2)
    text = embedded(RELATIONSHIP, InstanceID=relation(world.dresden, "erp-db")["InstanceID"])
    ended(
        world.dresden,
        ask(
            world.dresden,
            "RemoveReplicationRelationshipEx",
            "erp-db",
            ReplicationRelationship=text,
        ),
    )
    assert world.modes("erp-db") == (0, 0)
    assert points(world.dresden, "erp-db") == []
    ended(world.dresden, world.dresden.change("erp-db", 2))


def test_a_replica_that_is_destroyed_is_missed(world: Ends) -> None:
    ended(
        world.dresden,
        world.dresden.call(VSMS, "DestroySystem", AffectedSystem=world.dresden.ref("erp-db")),
    )
    world.wait(40)
    assert relation(world.berlin, "erp-db")["ReplicationState"] == 8
    told = one(measured(world.berlin, "erp-db")[1], lambda i: i["MessageID"] == "32024")
    assert "could not be found" in word(told["Message"])


# -- failover ------------------------------------------------------------------------------


def prepare(world: Ends) -> None:
    ended(world.berlin, world.berlin.change("erp-db", 3))
    job = ended(world.berlin, change(world.berlin, "erp-db", 4))
    assert job["JobType"] == 100


def reverse(at: Bench, name: str) -> MethodOutput:
    found = setting(at, name)
    text = wish(at, name, RecoveryConnectionPoint=found["PrimaryConnectionPoint"])
    return ask(at, "ReverseReplicationRelationship", name, **settings(text))


def test_a_running_machine_cannot_be_prepared(world: Ends) -> None:
    failed(world.berlin, change(world.berlin, "erp-db", 4), code=STATE)
    assert world.states("erp-db") == (3, 3)
    assert ask(world.berlin, "InitiateFailover", "erp-db").return_value == STATE
    assert change(world.dresden, "erp-db", 4).return_value == STATE


def test_a_planned_failover_there_and_back(world: Ends) -> None:
    prepare(world)
    assert world.states("erp-db") == (4, 3)
    assert relation(world.dresden, "erp-db")["LastReplicationType"] == 3
    assert number(measured(world.berlin, "erp-db")[0], "PendingReplicationSize") == 0
    failed(world.berlin, world.berlin.change("erp-db", 2), code=STATE)
    failed(world.dresden, world.dresden.change("erp-db", 2), code=STATE)
    output = ask(world.dresden, "InitiateFailover", "erp-db")
    assert relation(world.dresden, "erp-db")["ReplicationState"] == 12
    assert ended(world.dresden, output)["JobType"] == 97
    assert world.states("erp-db") == (4, 5)
    assert relation(world.dresden, "erp-db")["FailedOverReplicationType"] == 3
    assert change(world.berlin, "erp-db", 3).return_value == STATE, "too late to cancel"
    assert ended(world.dresden, reverse(world.dresden, "erp-db"))["JobType"] == 104
    assert world.states("erp-db") == (3, 3)
    assert world.modes("erp-db") == (2, 1)
    assert setting(world.berlin, "erp-db")["PrimaryHostSystem"] == "DRESDEN.corp.example.com"
    ended(world.dresden, world.dresden.change("erp-db", 2))
    world.wait(120)
    assert relation(world.dresden, "erp-db")["ReplicationHealth"] == 1
    assert number(measured(world.dresden, "erp-db")[0], "ReplicationSuccessCount") >= 4
    ended(world.dresden, world.dresden.change("erp-db", 3))
    ended(world.dresden, change(world.dresden, "erp-db", 4))
    ended(world.berlin, ask(world.berlin, "InitiateFailover", "erp-db"))
    ended(world.berlin, reverse(world.berlin, "erp-db"))
    ended(world.berlin, world.berlin.change("erp-db", 2))
    assert world.modes("erp-db") == (1, 2)
    assert world.states("erp-db") == (3, 3)


def test_a_prepared_failover_can_be_cancelled_on_either_side(world: Ends) -> None:
    prepare(world)
    ended(world.dresden, ask(world.dresden, "InitiateFailover", "erp-db"))
    ended(world.dresden, ask(world.dresden, "RevertFailover", "erp-db"))
    assert world.states("erp-db") == (4, 3)
    assert relation(world.dresden, "erp-db")["FailedOverReplicationType"] == 0
    assert ended(world.berlin, change(world.berlin, "erp-db", 3))["JobType"] == 101
    ended(world.berlin, world.berlin.change("erp-db", 2))
    world.wait(60)
    assert relation(world.berlin, "erp-db")["ReplicationHealth"] == 1


def test_an_unplanned_failover_there_and_back(world: Ends) -> None:
    point = points(world.dresden, "erp-db")[-4]
    output = ask(
        world.dresden,
        "InitiateFailover",
        "erp-db",
        SnapshotSettingData=by_id(point),
    )
    ended(world.dresden, output)
    assert relation(world.dresden, "erp-db")["ReplicationState"] == 5
    assert relation(world.dresden, "erp-db")["FailedOverReplicationType"] in (1, 2)
    assert relation(world.dresden, "erp-db")["ReplicationHealth"] == 2
    ended(world.dresden, world.dresden.change("erp-db", 2))
    assert ask(world.dresden, "RevertFailover", "erp-db").return_value == STATE
    world.wait(60)
    assert relation(world.berlin, "erp-db")["ReplicationState"] == 8
    told = measured(world.berlin, "erp-db")[1]
    assert any("has been failed over" in word(issue["Message"]) for issue in told)
    assert ended(world.dresden, ask(world.dresden, "CommitFailover", "erp-db"))["JobType"] == 99
    assert relation(world.dresden, "erp-db")["ReplicationState"] == 6
    assert points(world.dresden, "erp-db") == []
    failed(world.dresden, reverse(world.dresden, "erp-db"), code=STATE)
    ended(world.berlin, world.berlin.change("erp-db", 3))
    ended(world.dresden, reverse(world.dresden, "erp-db"))
    assert world.modes("erp-db") == (2, 1)
    assert world.states("erp-db") == (2, 1)
    ended(
        world.dresden,
        ask(world.dresden, "StartReplication", "erp-db", InitialReplicationType=3),
    )
    world.wait(3600)
    assert world.states("erp-db") == (3, 3)


def test_an_unplanned_failover_can_be_undone(world: Ends) -> None:
    ended(world.dresden, ask(world.dresden, "InitiateFailover", "erp-db"))
    assert relation(world.dresden, "erp-db")["FailedOverReplicationType"] == 1
    world.wait(31)
    assert world.states("erp-db") == (8, 5)
    ended(world.dresden, ask(world.dresden, "RevertFailover", "erp-db"))
    assert relation(world.dresden, "erp-db")["FailedOverReplicationType"] == 0
    assert world.states("erp-db") == (8, 3)
    ended(world.berlin, change(world.berlin, "erp-db", 3))
    world.wait(31)
    assert world.states("erp-db") == (3, 3)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("InitiateFailover", "hr-app"),
        ("InitiateFailover", "build"),
        ("InitiateFailover", "docs"),
        ("RevertFailover", "erp-db"),
        ("RevertFailover", "license"),
        ("CommitFailover", "erp-db"),
        ("TestReplicaSystem", "legacy-app"),
        ("TestReplicaSystem", "edge02"),
        ("StartReplication", "erp-db"),
        ("Resynchronize", "erp-db"),
    ],
)
def test_a_method_in_the_wrong_state_or_role_is_refused(
    world: Ends, method: str, name: str
) -> None:
    more: dict[str, CimValue] = {"InitialReplicationType": 1} if "Start" in method else {}
    assert ask(world.dresden, method, name, **more).return_value == STATE
    with_settings = ask(
        world.dresden,
        "ReverseReplicationRelationship",
        "erp-db",
        **settings(wish(world.dresden, "erp-db")),
    )
    assert with_settings.return_value == STATE


def test_a_job_that_fails_leaves_the_state_as_it_was(world: Ends) -> None:
    world.dresden.host.faults.job_fails_at = 50
    failed(world.dresden, ask(world.dresden, "InitiateFailover", "erp-db"))
    assert relation(world.dresden, "erp-db")["ReplicationState"] == 3


def test_a_test_failover_makes_a_machine_and_goes_by_destroying_it(world: Ends) -> None:
    found = world.dresden.done(ask(world.dresden, "TestReplicaSystem", "erp-db"))
    made = one(found, lambda i: i["ElementName"] == "erp-db - Test")
    assert (made["ReplicationMode"], made["EnabledState"]) == (3, 3)
    assert made["Name"] != world.dresden.vm("erp-db")["Name"]
    assert ask(world.dresden, "TestReplicaSystem", "erp-db").return_value == STATE
    assert isinstance(measured(world.dresden, "erp-db")[0]["LastTestFailoverTime"], datetime)
    ports = world.dresden.of("erp-db - Test", "Msvm_EthernetPortAllocationSettingData")
    assert {port["EnabledState"] for port in ports} == {3}
    ended(world.dresden, world.dresden.change("erp-db - Test", 2))
    world.wait(600)
    assert world.states("erp-db") == (3, 3), "replication goes on meanwhile"
    busy = world.dresden.call(VSMS, "DestroySystem", AffectedSystem=world.dresden.ref("erp-db"))
    assert busy.return_value == STATE
    ended(world.dresden, world.dresden.change("erp-db - Test", 3))
    before = files_below(world)
    ended(
        world.dresden,
        world.dresden.call(
            VSMS, "DestroySystem", AffectedSystem=world.dresden.ref("erp-db - Test")
        ),
    )
    assert "erp-db - Test" not in {
        v["ElementName"] for v in world.dresden.all("Msvm_ComputerSystem")
    }
    assert len(list(files_below(world))) < len(list(before))
    ended(world.dresden, ask(world.dresden, "TestReplicaSystem", "erp-db"))


def files_below(world: Ends) -> list[str]:
    return [file.path for file in world.dresden.host.files]


def test_a_replica_takes_no_checkpoint(world: Ends) -> None:
    output = world.dresden.call(
        SNAPSHOTS, "CreateSnapshot", AffectedSystem=world.dresden.ref("erp-db"), SnapshotType=2
    )
    assert output.return_value == STATE


def test_only_included_disks_are_replicated(world: Ends) -> None:
    disks = setting(world.berlin, "erp-db")["IncludedDisks"]
    assert isinstance(disks, tuple)
    names = {word(from_text(word(text), V2)["InstanceID"]) for text in disks}
    there = world.dresden.of("erp-db", "Msvm_StorageAllocationSettingData")
    assert {word(item["InstanceID"]) for item in there} == names


# -- over the socket -----------------------------------------------------------------------


@contextlib.contextmanager
def served() -> Iterator[Ends]:
    """Both hosts behind sockets, NTLM and sealed messages; time runs fast."""
    with estate("replica", speed=60) as at, contextlib.ExitStack() as stack:
        found = []
        for name in ("BERLIN", "DRESDEN"):
            url = at.endpoints[name].url
            settings = WinRMSettings(url, USER, PASSWORD, message_encryption="always")
            transport = WinRMTransport(settings)
            stack.callback(transport.close)
            client = CimClient(transport, url=url)
            found.append(Bench(at.fabric, StillClock(), at.fabric.hosts[name], client))
        yield Ends(*found)


def until(happened: Callable[[], object], what: str) -> None:
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"it never came to pass: {what}"
        pause.wait(0.05)


def test_a_planned_failover_over_the_socket() -> None:
    with served() as world:

        def done(at: Bench, output: MethodOutput) -> None:
            until(lambda: number(at.job(output), "JobState") >= 7, "the job ends")
            assert at.job(output)["JobState"] == 7, at.job(output)["ErrorDescription"]

        berlin, dresden = world
        done(berlin, change(berlin, "mail", 3))
        until(lambda: world.states("mail") == (3, 3), "resumed")
        done(berlin, berlin.change("mail", 3))
        done(berlin, change(berlin, "mail", 4))
        assert world.states("mail") == (4, 3)
        done(dresden, ask(dresden, "InitiateFailover", "mail"))
        assert world.states("mail") == (4, 5)
        done(dresden, reverse(dresden, "mail"))
        assert (world.modes("mail"), world.states("mail")) == ((2, 1), (3, 3))
        done(dresden, dresden.change("mail", 2))
        before = last(berlin, "mail")
        until(lambda: last(berlin, "mail") > before, "a cycle in the other direction")
        assert measured(dresden, "mail")[1] == []

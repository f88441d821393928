"""Replication from the wire to the rows: what is read, when it is asked, and what it means."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.hyperv_kit import Wire, bench, questions, refusing
from tests.pair_kit import HOSTS, Pair, pair
from tui.cli.gather import store_of
from tui.collector.messages import Batch, Update
from tui.hyperv import replicas as reading
from tui.hyperv.model import Replica
from tui.hyperv.read import Reader
from tui.hyperv.replica import EXTENDED, PRIMARY, REPLICA, TEST, opposite, short
from tui.rows import columns, replicas
from tui.rows.filter import parse
from tui.sim import scenes
from tui.sim.world import Fabric, StillClock
from tui.store import ReplicaRow, Store
from tui.wsman.cim import CimInstance
from tui.wsman.client import CimClient
from tui.wsman.fault import fault
from tui.wsman.values import Wsman

BERLIN, DRESDEN = HOSTS
STATISTICS = "Msvm_ReplicationService.GetReplicationStatistics"


class Stage:
    """One host of the scene, a reader, and a clock that we move."""

    def __init__(self, host: str = BERLIN) -> None:
        self.clock = StillClock()
        self.fabric: Fabric = scenes.build("replica", clock=self.clock)
        self.wire = Wire(self.fabric.hosts[host])
        client = CimClient(self.wire, url="inproc:")
        self.reader = Reader(client, host, f"http://{host}:5985/wsman", now=self.clock.now)
        self.reader.fast()
        self.reader.facts()

    def slow(self, looked: str = "") -> dict[str, Replica]:
        self.wire.take()
        return {one.name: one for one in self.reader.slow(looked).replicas.values()}

    def asked(self) -> int:
        """How many statistics since the last reading began."""
        return questions(self.wire.take()).count(STATISTICS)


@pytest.fixture(scope="module")
def store() -> Store:
    with pair(speed=1.0) as hosts:
        return told(hosts)


def told(hosts: Pair) -> Store:
    return store_of(hosts.session.links.values(), hosts.read(), {})


def row(store: Store, name: str, host: str) -> ReplicaRow:
    rows = store.replicas.rows.values()
    return next(one for one in rows if (one.name, one.host.id) == (name, host))


# -- reading -------------------------------------------------------------------------------


def test_a_host_without_replication_is_asked_nothing_more() -> None:
    at = bench()
    at.reader.fast()
    at.wire.take()
    at.reader.slow()
    assert not [each for each in questions(at.wire.take()) if "Replic" in each.partition("FROM")[2]]


def test_relationships_are_read_as_the_host_tells_them() -> None:
    stage = Stage()
    found = stage.slow()
    assert len(found) == 16
    mail, dns = found["mail"], found["dns02"]
    assert (mail.mode, mail.state, mail.health, mail.interval) == (PRIMARY, 7, 2, 300)
    assert (mail.primary, mail.recovery) == ("BERLIN.corp.example.com", "DRESDEN.corp.example.com")
    assert mail.reasons == ("Replication is paused for 'mail'.",)
    assert (mail.pending or 0) > 1 << 30
    assert mail.lag == pytest.approx(0.7 * 3600)
    assert (dns.mode, dns.partner, dns.test_name) == (REPLICA, "DRESDEN", "dns02 - Test")
    assert found["hr-app"].lag is None


def test_statistics_are_asked_of_what_is_not_well_or_looked_at() -> None:
    stage = Stage()
    found = stage.slow()
    assert stage.asked() == sum(one.health > 1 for one in found.values())
    assert not found["erp-db"].asked_at
    looked = stage.slow(found["erp-db"].vm)["erp-db"]
    assert stage.asked() == reading.AT_ONCE
    assert looked.succeeded == 719


def test_statistics_take_turns() -> None:
    stage = Stage()
    stage.slow()
    times = set()
    for _ in range(3):
        stage.clock.advance(30)
        found = stage.slow()
        assert stage.asked() <= reading.AT_ONCE
        times.add(min(one.asked_at for one in found.values() if one.health > 1))
    assert len(times) > 1, "the longest unasked comes first"


def test_a_change_of_health_is_read_at_once() -> None:
    stage = Stage()
    stage.slow()
    assert not stage.reader.wants_slow
    stage.fabric.hosts[BERLIN].faults.replica_down = True
    for _ in range(4):
        stage.clock.advance(400)
        stage.reader.fast()
    assert stage.reader.wants_slow
    assert stage.slow()["shop-web"].health > 1
    assert not stage.reader.wants_slow


def test_a_host_without_the_classes_tells_of_no_relationship() -> None:
    stage = Stage()
    missing = fault(Wsman.CANNOT_PROCESS_FILTER)
    stage.wire.intercept = refusing(lambda words: "ReplicationRelationship" in words, missing)
    assert stage.slow() == {}
    assert "Msvm_ReplicationRelationship" in stage.reader.unavailable


def test_a_host_without_statistics_keeps_the_rest() -> None:
    stage = Stage()
    unknown = fault(Wsman.ACTION_NOT_SUPPORTED)
    stage.wire.intercept = refusing(lambda words: words == STATISTICS, unknown)
    found = stage.slow()
    assert stage.asked() == 1
    assert found["mail"].state == 7
    assert found["mail"].reasons == ()
    stage.slow()
    assert stage.asked() == 0


def test_reasons_go_when_what_they_explain_is_over() -> None:
    stage = Stage()
    before = stage.slow()["mail"]
    now = structs.replace(before, state=3, health=1, reasons=(), asked_at=0.0, pending=None)
    told = reading._with_told(now, before)
    assert told.reasons == ()
    assert told.pending == before.pending
    assert not told.asked_at


def test_issues_are_the_hosts_words_worst_first_each_once() -> None:
    def issue(severity: int, words: str, source: str = "Microsoft:X\\HVR\\0") -> CimInstance:
        return CimInstance(
            "Msvm_Error",
            {"PerceivedSeverity": severity, "Message": words, "ErrorSource": source},
        )

    issues = [
        issue(3, "late"), issue(4, "no\x1b[2J room"), issue(3, "late"),
        issue(4, "of another hop", "Microsoft:X\\HVR\\1"),
    ]  # fmt: skip
    assert reading.reasons(issues, Replica("h:i", "h", "X")) == ("no room", "late")


# -- the noun ------------------------------------------------------------------------------


def test_a_chain_has_two_relationships() -> None:
    first = Replica("A:0", "A", "VM", mode=PRIMARY)
    middle = Replica("B:0", "B", "VM", mode=REPLICA)
    onward = Replica("B:1", "B", "VM", mode=REPLICA, extended=True)
    last = Replica("C:0", "C", "VM", mode=EXTENDED)
    assert opposite(first, middle)
    assert opposite(onward, last)
    assert not opposite(first, last)
    assert not opposite(middle, onward)
    assert [one.is_primary for one in (first, middle, onward, last)] == [True, False, True, False]


def test_late_is_more_than_the_interval_explains() -> None:
    on_time = Replica("A:0", "A", "VM", state=3, interval=300, lag=590.0)
    assert not on_time.late
    assert structs.replace(on_time, lag=610.0).late
    assert not structs.replace(on_time, lag=9e9, state=5).late
    assert not structs.replace(on_time, lag=None).late


def test_a_name_is_shown_without_its_domain() -> None:
    assert short("berlin.corp.example.com") == "berlin"
    assert short("10.0.0.7") == "10.0.0.7"
    assert short("fd00::7") == "fd00::7"


# -- rows ----------------------------------------------------------------------------------


def test_both_ends_know_each_other(store: Store) -> None:
    here, there = row(store, "erp-db", BERLIN), row(store, "erp-db", DRESDEN)
    assert here.other is there
    assert there.other is here
    target = store.target(there.key)
    assert target is not None
    assert target.partner == here.replica
    assert target.vitals is not None
    assert target.vitals.host == DRESDEN


def test_an_end_whose_host_goes_is_alone() -> None:
    with pair(speed=1.0) as hosts:
        store = told(hosts)
        links = [hosts.session.links[BERLIN]]
    changes = store.configure(links)
    assert all(one.host.id == BERLIN for one in store.replicas.rows.values())
    assert all(one.other is None for one in store.replicas.rows.values())
    assert row(store, "erp-db", BERLIN).key in changes.replicas.changed


def test_a_replica_never_takes_the_row_of_the_machine_that_works(store: Store) -> None:
    guid = row(store, "erp-db", BERLIN).replica.vm
    assert store.vms[guid].host.id == BERLIN
    assert store.vms[f"{guid}@{DRESDEN}"].host.id == DRESDEN
    assert not store.vms[guid].duplicate
    assert not store.vms[f"{guid}@{DRESDEN}"].duplicate


def test_the_reason_names_the_end_that_is_the_cause(store: Store) -> None:
    assert replicas.reason(row(store, "intranet", BERLIN)) == "Paused on DRESDEN."
    assert replicas.reason(row(store, "mail", DRESDEN)).startswith("Paused on BERLIN.")
    assert replicas.reason(row(store, "build", BERLIN)).startswith("Failed over to DRESDEN.")
    crm = replicas.reason(row(store, "crm", BERLIN))
    assert "A connection with the replica server" in crm
    assert "Virtual machine ID" not in crm
    assert replicas.reason(row(store, "erp-db", BERLIN)) == ""


def test_a_reason_is_derived_where_the_host_gives_none(store: Store) -> None:
    bare = row(store, "files", DRESDEN)
    silent = structs.replace(bare.replica, reasons=(), missed=None)
    alone = ReplicaRow(bare.key, silent, bare.host, bare.host_vitals)
    assert replicas.reason(alone) == "2h 12m behind, every 15m is agreed."
    alone.replica = structs.replace(silent, missed=9, succeeded=15)
    assert replicas.reason(alone) == "9 of 24 cycles missed."
    alone.replica = structs.replace(silent, state=9, health=3)
    assert replicas.reason(alone) == "It is in need of resynchronization."


STEPS = (
    ("print", BERLIN, "planned failover on DRESDEN, or cancel the failover here"),
    ("print", DRESDEN, "planned failover here"),
    ("build", BERLIN, "on DRESDEN: reverse replication, or cancel the failover"),
    ("license", DRESDEN, "reverse replication"),
    ("mail", BERLIN, "resume replication"),
    ("mail", DRESDEN, "on BERLIN: resume replication"),
    ("hr-app", BERLIN, "start initial replication"),
    ("wiki", BERLIN, "resynchronize"),
    ("dns02", BERLIN, "look at the test machine, then stop the test failover"),
    ("erp-db", BERLIN, ""),
)


@pytest.mark.parametrize(("name", "host", "words"), STEPS)
def test_the_next_step_is_said(store: Store, name: str, host: str, words: str) -> None:
    assert replicas.next_step(row(store, name, host)) == words


FILTERS = (
    ("is:paused", {"mail", "vdi-gold", "intranet"}),
    ("is:primary health:critical", {"crm", "archive", "wiki", "build", "license"}),
    ("lag>20h is:replica", {"wiki", "license"}),
    ("is:prepared", {"print"}),
    ("is:tested", {"dns02"}),
    ("missed>20% is:primary", {"shop-web", "files"}),
    ("reason:space", {"archive"}),
    ("pending>1m is:paused is:primary", {"mail", "vdi-gold"}),
)


@pytest.mark.parametrize(("text", "names"), FILTERS)
def test_rows_can_be_filtered(store: Store, text: str, names: set[str]) -> None:
    found = parse(text, "replica").select(store.replicas.rows.values())
    assert {one.name for one in found} == names


def test_columns_show_state_health_and_lag_by_more_than_colour(store: Store) -> None:
    every, usual = columns.BY_KIND["replica"]
    cells = {
        column.id: column.cell(row(store, "files", BERLIN)) for column in every
    }  # fmt: skip
    assert cells["state"].text == "● Replicating"
    assert (cells["health"].text, cells["health"].tone) == ("▲ Warning", "warning")
    assert (cells["lag"].text, cells["lag"].tone) == ("2h12m/15m", "warning")
    assert cells["way"].text == "BERLIN → DRESDEN"
    assert cells["cycles"].text == "9/24"
    assert set(usual) <= set(cells)


def test_machines_show_their_part(store: Store) -> None:
    column = columns.find(columns.VM_COLUMNS, "replication")
    by_name = {(one.name, one.host.id): column.cell(one) for one in store.vms.values()}
    assert by_name["archive", BERLIN].text == "Primary Critical"
    assert by_name["archive", DRESDEN].text == "Replica Critical"
    assert by_name["dns02 - Test", BERLIN].text == "Test"
    assert by_name["lab", BERLIN].text == ""
    test = next(one for one in store.vms.values() if one.name == "dns02 - Test")
    assert test.vitals.replication_mode == TEST


def test_a_row_tells_when_its_other_end_changed(store: Store) -> None:
    here, there = row(store, "mail", BERLIN), row(store, "mail", DRESDEN)
    seq = store.hosts[BERLIN].seq + 1
    resumed = structs.replace(here.replica, state=3)
    update = Update(BERLIN, seq, 0.0, replicas=(resumed,))
    changes = store.apply(Batch(updates=(update,)), 0.0)
    assert {here.key, there.key} <= changes.replicas.changed

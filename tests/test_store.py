"""What the store makes of batches: identity, moves, gaps, age, history, calls."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.scripted import GB, OFF, RUNNING, START, Estate, datacenter, guid
from tui.collector.messages import Batch, Call, CallUpdate, Exchange, HostLink, Phase, Update
from tui.hyperv.model import Link, Trouble
from tui.store import Changes, Delta, History, Metric, Stale, Store


@pytest.fixture
def estate() -> Estate:
    return datacenter()


def key_of(estate: Estate, name: str) -> str:
    return estate.find(name)[1].id


def call_on(estate: Estate, name: str, action: str = "vm.start") -> Call:
    host, vm = estate.find(name)
    return Call("call-1", action, host.info.id, vm.id)


def said(call: Call, phase: Phase, **more: object) -> Batch:
    update = CallUpdate(
        call.id, call.action, call.host, call.target, "x", phase, START, **more  # type: ignore[arg-type]
    )  # fmt: skip
    return Batch(calls=(update,))


def test_hosts_appear_before_anything_was_read() -> None:
    store = Store()
    changes = store.configure([HostLink("HV01", "https://hv01/wsman", read_only=True)])
    assert changes.hosts.added == {"HV01"}
    row = store.host_rows["HV01"]
    assert row.vitals.link is Link.CONNECTING
    assert row.host.read_only
    assert row.stale is Stale.FRESH


def test_a_full_update_fills_every_kind(store: Store) -> None:
    assert len(store.vms) == 20
    assert len(store.switches) == 4
    assert store.host_rows["HV01"].total == 4
    assert sum(row.running for row in store.host_rows.values()) == 14


def test_only_what_changed_is_reported(store: Store, estate: Estate) -> None:
    changes = store.apply(Batch((estate.vary("sql01", cpu=99),)), estate.now)
    assert changes.vms.changed == {key_of(estate, "sql01")}
    assert not changes.vms.added
    assert not changes.switches


def test_a_migrated_machine_keeps_row_mark_and_history(store: Store, estate: Estate) -> None:
    key = key_of(estate, "sql01")
    row = store.vms[key]
    store.mark([key], True)
    for _ in range(5):
        store.apply(estate.tick(), estate.now)
    estate.now += 2
    gone, came = estate.move("sql01", "HV02")
    store.apply(Batch((came,)), estate.now)
    changes = store.apply(Batch((gone,)), estate.now)
    assert store.vms[key] is row
    assert row.host.id == "HV02"
    assert row.marked
    assert key not in changes.vms.removed
    assert store.history(key).latest(Metric.CPU) is not None


def test_marks_wait_for_a_machine_between_two_hosts(store: Store, estate: Estate) -> None:
    key = key_of(estate, "sql01")
    store.mark([key], True)
    gone, came = estate.move("sql01", "HV02")
    assert store.apply(Batch((gone,)), estate.now).vms.removed == {key}
    store.apply(Batch((came,)), estate.now)
    assert store.vms[key].marked


def test_marks_of_deleted_machines_are_forgotten_in_the_end(store: Store, estate: Estate) -> None:
    key = key_of(estate, "sql01")
    store.mark([key], True)
    store.apply(Batch((estate.remove("sql01"),)), estate.now)
    store.tick(estate.now + 599)
    assert key in store.marks
    store.tick(estate.now + 700)
    assert key not in store.marks
    assert key not in store.histories


def twin(estate: Estate) -> str:
    """Copy sql01 with its GUID to HV02."""
    host, vm = estate.find("sql01")
    other = estate.hosts["HV02"]
    other.vms[vm.id], other.vitals_of[vm.id] = vm, host.vitals_of[vm.id]
    return vm.id


def test_a_guid_on_two_hosts_is_two_rows_once_it_lasts(store: Store, estate: Estate) -> None:
    key = twin(estate)
    estate.now += 2
    store.apply(Batch((estate.full("HV02"),)), estate.now)
    store.apply(Batch((estate.full("HV01"),)), estate.now)
    assert f"{key}@HV01" not in store.vms, "a migration shows both for a moment"
    assert store.vms[key].host.id == "HV02"
    estate.now += 12
    changes = store.apply(estate.everything(), estate.now)
    assert changes.vms.added == {f"{key}@HV01"}
    assert store.vms[key].duplicate
    assert store.vms[f"{key}@HV01"].duplicate
    assert store.vms[f"{key}@HV01"].host.id == "HV01"


def test_when_a_twin_goes_the_other_is_no_duplicate(store: Store, estate: Estate) -> None:
    key = twin(estate)
    store.apply(estate.everything(), estate.now)
    estate.now += 12
    store.apply(estate.everything(), estate.now)
    store.mark([key], True)
    del estate.hosts["HV02"].vms[key], estate.hosts["HV02"].vitals_of[key]
    store.apply(Batch((estate.update("HV02", gone_vms=(key,)),)), estate.now)
    assert [k for k in store.vms if k.startswith(key)] == [key]
    assert store.vms[key].host.id == "HV01"
    assert not store.vms[key].duplicate
    assert not store.vms[key].marked, "the mark was on the machine that went"


def test_a_lost_host_does_not_make_twins_after_failover(store: Store, estate: Estate) -> None:
    store.apply(Batch((estate.lose("HV01"),)), estate.now)
    key = twin(estate)
    for _ in range(8):
        estate.now += 4
        store.apply(Batch((estate.full("HV02"),)), estate.now)
    assert [k for k in store.vms if k.startswith(key)] == [key]
    assert store.vms[key].host.id == "HV02"


def test_a_gap_asks_for_everything(store: Store, estate: Estate) -> None:
    estate.update("HV01")
    lost = store.apply(Batch((estate.vary("sql01", cpu=5),)), estate.now)
    assert lost.resync == {"HV01"}
    following = store.apply(Batch((estate.vary("sql01", cpu=6),)), estate.now)
    assert not following.resync
    repaired = store.apply(Batch((estate.full("HV01"),)), estate.now)
    assert not repaired.resync


def test_a_full_update_removes_what_it_does_not_name(store: Store, estate: Estate) -> None:
    key = key_of(estate, "sql01")
    estate.remove("sql01")
    changes = store.apply(Batch((estate.full("HV01"),)), estate.now)
    assert changes.vms.removed == {key}
    assert store.host_rows["HV01"].total == 3


def test_data_ages_in_four_steps(store: Store, estate: Estate) -> None:
    row = store.vms[key_of(estate, "sql01")]
    levels = []
    for seconds in (1, 5, 9):
        store.tick(estate.now + seconds)
        levels.append(row.stale)
    assert levels == [Stale.FRESH, Stale.DIM, Stale.OLD]
    changes = store.apply(Batch((estate.lose("HV01"),)), estate.now)
    assert row.stale is Stale.LOST
    assert row.key in changes.vms.changed
    assert changes.links[0].after is Link.DOWN
    assert store.vms[key_of(estate, "sql02")].stale is Stale.FRESH


def test_the_oldest_data_names_its_host(store: Store, estate: Estate) -> None:
    estate.now += 10
    store.apply(Batch((estate.update("HV01"), estate.update("HV02"), estate.update("CL1-N1"))),
                estate.now)  # fmt: skip
    age, host = store.oldest(estate.now)
    assert (age, host) == (10.0, "CL1-N2")


def test_groups_sum_their_members(store: Store) -> None:
    tree = store.tree()
    assert [row.key for row in tree][:3] == ["cluster:CL1", "CL1-N1", "CL1-N2"]
    cluster = tree[0]
    assert (cluster.members, cluster.up, cluster.total) == (2, 2, 12)
    assert cluster.host.memory == 512 * GB
    assert cluster.vitals.memory_free == 200 * GB
    folded = store.tree(frozenset({"cluster:CL1"}))
    assert [row.key for row in folded] == ["cluster:CL1", "cluster:", "HV01", "HV02"]


def test_a_call_is_seen_from_request_to_observation(store: Store, estate: Estate) -> None:
    call = call_on(estate, "web02")
    key = call.target
    store.begin(call, key, text="Start", now=START)
    assert store.vms[key].pending == "Start…"
    store.apply(said(call, Phase.ACCEPTED, percent=40), START + 1)
    assert store.vms[key].pending == "Start 40%"
    changes = store.apply(said(call, Phase.OBSERVED), START + 2)
    assert store.vms[key].pending == ""
    assert key in changes.vms.changed
    assert [c.phase for c in changes.settled] == [Phase.OBSERVED]


def test_a_failed_call_leaves_its_reason(store: Store, estate: Estate) -> None:
    call = call_on(estate, "web02")
    store.begin(call, call.target, text="Start", now=START)
    trouble = Trouble("MethodFailed", "web02 did not start", "not enough memory")
    store.apply(said(call, Phase.FAILED, trouble=trouble), START + 1)
    assert not store.pending
    kept = store.calls[call.id].trouble
    assert kept == trouble


def test_a_lost_collector_leaves_calls_unknown_until_observed(store: Store, estate: Estate) -> None:
    host, vm = estate.find("web02")
    estate.vary("web02", state=OFF)
    store.apply(Batch((estate.full(host.info.id),)), estate.now)
    call = call_on(estate, "web02")
    store.begin(
        call, vm.id, text="Start", now=START,
        observed=lambda target: target.vitals is not None and target.vitals.state == RUNNING,
    )  # fmt: skip
    store.collector_lost(START + 1)
    assert store.calls[call.id].phase is Phase.UNKNOWN
    assert store.vms[vm.id].pending == "Start: unknown"
    changes = store.apply(Batch((estate.vary("web02", state=RUNNING, cpu=3),)), START + 5)
    assert store.calls[call.id].phase is Phase.OBSERVED
    assert store.vms[vm.id].pending == ""
    assert changes.settled[0].phase is Phase.OBSERVED


def test_a_move_in_doubt_is_not_done_while_both_hosts_have_the_machine(
    store: Store, estate: Estate
) -> None:
    key = key_of(estate, "web02")
    call = call_on(estate, "web02", "vm.migrate")
    host, target = call.host, "HV02" if call.host != "HV02" else "HV01"
    store.begin(call, key, text="Migrate", now=START, observed=lambda seen: seen.host.id == target)
    store.apply(said(call, Phase.UNKNOWN), START)
    estate.now += 2
    left, came = estate.move("web02", target)
    store.apply(Batch((came,)), estate.now)
    assert store.vms[key].host.id == target
    assert store.vms[key].pending == "Migrate: unknown"
    estate.now += 2
    store.apply(Batch((estate.vary("web02", cpu=7),)), estate.now)
    assert store.calls[call.id].phase is Phase.UNKNOWN, f"{host} lists it as well"
    store.apply(Batch((left,)), estate.now)
    assert store.calls[call.id].phase is Phase.OBSERVED
    assert store.vms[key].pending == ""


def test_after_a_restart_the_sequence_may_begin_anew(store: Store, estate: Estate) -> None:
    store.collector_lost(estate.now)
    for host in estate.hosts.values():
        host.seq = 0
    assert not store.apply(estate.everything(), estate.now).resync


def test_silence_makes_a_call_unknown_and_then_lets_go(store: Store, estate: Estate) -> None:
    call = call_on(estate, "web02")
    store.begin(call, call.target, text="Start", now=START)
    store.tick(START + 601)
    assert store.calls[call.id].phase is Phase.UNKNOWN
    assert store.pending
    store.tick(START + 1000)
    assert not store.pending
    assert store.vms[call.target].pending == ""


def test_the_log_is_bounded_and_newest_first(store: Store) -> None:
    lines = tuple(Exchange(float(n), "HV01", "watch", "Enumerate", 0.1, 10) for n in range(1500))
    store.apply(Batch(exchanges=tuple(reversed(lines))), START)
    assert len(store.exchanges) == 1000
    assert store.exchanges[0].at == 1499.0


def test_a_host_that_leaves_the_configuration_takes_its_rows(store: Store, estate: Estate) -> None:
    changes = store.configure([link for link in estate.links if link.id != "HV01"])
    assert changes.hosts.removed == {"HV01"}
    assert len(changes.vms.removed) == 4
    assert len(store.switches) == 3


def test_updates_of_unknown_machines_are_harmless(store: Store, estate: Estate) -> None:
    estate.hosts["HV01"].seq += 1
    stray = Update("HV01", estate.hosts["HV01"].seq, estate.now, gone_vms=(guid(77_777),))
    assert not store.apply(Batch((stray,)), estate.now).vms


# -- history -------------------------------------------------------------------------------


def recorded(*readings: tuple[float, float]) -> History:
    history = History()
    for at, cpu in readings:
        history.record(at, (cpu, None, None, None, None, None))
    return history


def test_points_are_means_of_their_span() -> None:
    history = recorded(*((START + 2 * n, float(n)) for n in range(10)))
    assert history.points(Metric.CPU, START, START + 20, 5) == [0.5, 2.5, 4.5, 6.5, 8.5]


def test_a_slower_refresh_leaves_no_holes_but_an_outage_does() -> None:
    history = recorded((START, 10.0), (START + 10, 20.0), (START + 60, 30.0))
    points = history.points(Metric.CPU, START, START + 64, 32)
    assert points[:6] == [10.0] * 5 + [20.0]
    assert points[20] is None
    assert points[30] == 30.0


def test_a_day_is_kept_and_older_is_dropped() -> None:
    history = recorded(*((START + 20 * n, 50.0 if n < 1000 else 80.0) for n in range(6000)))
    end = START + 120_000
    early = history.points(Metric.CPU, end - 110_000, end, 11)
    assert early[:2] == [None, None]
    assert (early[3], early[-1]) == (80.0, 80.0)
    assert history.peak(Metric.CPU, START, START + 15_000) is None
    assert history.peak(Metric.CPU, START, end) == 80.0


def test_machines_that_are_off_take_no_history() -> None:
    history = History()
    history.record(START, (None,) * 6)
    assert history.fine is None
    assert history.points(Metric.CPU, START, START + 60, 3) == [None] * 3


def test_what_happened_after_is_added_whole() -> None:
    """Several batches told as one: a replay, a deck that was busy."""
    for one in fields(Changes):
        first, later = Changes(), Changes()
        empty = getattr(later, one.name)
        happened = {
            Delta: Delta(changed={"x"}), set: {"x"}, list: ["x"], bool: True,
        }[type(empty)]  # fmt: skip
        setattr(later, one.name, happened)
        first.follow(later)
        assert getattr(first, one.name) == happened, one.name

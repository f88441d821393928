"""Verbs of replication: what they ask of the host, why not, and what is half done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.pair_kit import Pair, pair
from tui.actions import by_id, why_not
from tui.actions.declare import Risk
from tui.collector.messages import Call, CallUpdate, Phase
from tui.wsman.values import ReplicationState as State

BERLIN, DRESDEN = "BERLIN", "DRESDEN"
ALL = (
    "replica.pause", "replica.resume", "replica.start", "replica.resync",
    "replica.test-failover", "replica.stop-test", "replica.prepare-failover",
    "replica.planned-failover", "replica.failover", "replica.cancel-failover",
    "replica.commit", "replica.reverse",
)  # fmt: skip


@pytest.fixture
def hosts() -> Iterator[Pair]:
    with pair() as made:
        yield made


@pytest.fixture(scope="module")
def still() -> Iterator[Pair]:
    """Hosts nothing is done to."""
    with pair(speed=1.0) as made:
        yield made


def reason(hosts: Pair, action_id: str, name: str, host: str) -> str:
    action = by_id(action_id)
    assert action is not None
    return why_not(action, hosts.target(name, host)) or ""


def done(update: CallUpdate) -> None:
    assert update.phase is Phase.OBSERVED, update


# -- why not -------------------------------------------------------------------------------

REASONS = (
    ("replica.pause", "mail", BERLIN, "mail is paused already"),
    ("replica.pause", "license", DRESDEN,
     "license is failed over for good: there is nothing to pause"),
    ("replica.resume", "mail", DRESDEN, "it is paused on BERLIN: resume it there"),
    ("replica.resume", "erp-db", BERLIN, "erp-db is replicating, neither paused nor in error"),
    ("replica.resync", "mail", DRESDEN, "see BERLIN: resynchronization is done on the primary"),
    ("replica.resync", "docs", BERLIN, "docs is being resynchronized already"),
    ("replica.resync", "build", BERLIN, "the replica on DRESDEN is failed over"),
    ("replica.start", "erp-db", BERLIN,
     "erp-db is replicating: its initial replication was started already"),
    ("replica.prepare-failover", "erp-db", BERLIN, "erp-db is running: shut it down first"),
    ("replica.prepare-failover", "print", BERLIN,
     "print is prepared for a planned failover already: go on with the planned failover on "
     "DRESDEN"),
    ("replica.planned-failover", "print", BERLIN,
     "see DRESDEN: the second half of a planned failover is done on the replica"),
    ("replica.planned-failover", "erp-db", DRESDEN,
     "erp-db on BERLIN is not prepared: prepare the failover there first"),
    ("replica.failover", "hr-app", DRESDEN,
     "hr-app is in its initial replication: it cannot take over now"),
    ("replica.failover", "build", DRESDEN, "build is failed over: it cannot take over now"),
    ("replica.cancel-failover", "erp-db", BERLIN,
     "erp-db is replicating: no planned failover is prepared"),
    ("replica.commit", "license", DRESDEN,
     "license is failed over for good: there is no failover to complete"),
    ("replica.reverse", "erp-db", DRESDEN,
     "erp-db is replicating: only what has failed over can be reversed"),
    ("replica.test-failover", "dns02", BERLIN,
     "dns02 - Test is there already: stop that test first"),
    ("replica.stop-test", "erp-db", DRESDEN, "erp-db has no test machine on DRESDEN"),
)  # fmt: skip


@pytest.mark.parametrize(("action_id", "name", "host", "words"), REASONS)
def test_every_refusal_says_why_and_where(
    still: Pair, action_id: str, name: str, host: str, words: str
) -> None:
    assert reason(still, action_id, name, host) == words


def test_every_verb_is_possible_somewhere(still: Pair) -> None:
    actions = [action for action in map(by_id, ALL) if action is not None]
    targets = still.targets()
    possible = {row.id for row in actions if any(why_not(row, one) is None for one in targets)}
    assert set(ALL) - possible == {"replica.prepare-failover"}, "all of those machines run"


def test_failover_is_red_and_says_what_is_lost(still: Pair) -> None:
    action = by_id("replica.failover")
    assert action is not None
    target = still.target("crm", DRESDEN)
    risk, told = action.foretell(target, {})
    assert risk is Risk.RED
    assert "what BERLIN has written since" in told[0]
    assert told[1] == "crm still runs on BERLIN: there would be two of it"
    (prepared,) = action.foretell(still.target("print", DRESDEN), {})[1]
    assert "a planned failover does the same" in prepared


def test_a_planned_failover_is_red_where_nobody_watches_the_primary(still: Pair) -> None:
    action = by_id("replica.planned-failover")
    assert action is not None
    target = still.target("print", DRESDEN)
    assert action.foretell(target, {}) == (Risk.AMBER, ())
    risk, told = action.foretell(replace(target, partner=None), {})
    assert risk is Risk.RED
    assert "BERLIN is not watched here" in told[0]


def test_an_unplanned_reverse_is_red(still: Pair) -> None:
    action = by_id("replica.reverse")
    assert action is not None
    risk, told = action.foretell(still.target("license", DRESDEN), {})
    assert risk is Risk.RED
    assert told[0] == "what license holds on BERLIN alone is overwritten"


def test_recovery_points_are_offered_newest_first(still: Pair) -> None:
    action = by_id("replica.failover")
    assert action is not None
    target = still.target("erp-db", DRESDEN)
    (field,) = (one for one in action.form if one.id == "point")
    assert field.choices is not None
    assert field.problem is not None
    latest, *points = field.choices(target)
    assert latest.value == ""
    assert len(points) == 24
    assert [point.text for point in points] == sorted((p.text for p in points), reverse=True)
    assert field.problem(target, points[3].value) is None
    assert field.problem(target, "Microsoft:nothing") is not None


# -- doing ---------------------------------------------------------------------------------


def test_the_way_of_a_planned_failover_there_and_back(hosts: Pair) -> None:
    hosts.stop("dns02", DRESDEN)
    done(hosts.call("replica.stop-test", "dns02", BERLIN))
    done(hosts.call("replica.prepare-failover", "dns02", DRESDEN))
    assert "on with the planned failover on BERLIN" in reason(
        hosts, "replica.prepare-failover", "dns02", DRESDEN
    )
    done(hosts.call("replica.planned-failover", "dns02", BERLIN))
    here, there = hosts.end("dns02", BERLIN), hosts.end("dns02", DRESDEN)
    assert (here.is_primary, there.is_replica) == (True, True)
    assert (here.state, there.state) == (State.REPLICATING, State.REPLICATING)


def test_an_unplanned_failover_to_an_old_point_and_its_end(hosts: Pair) -> None:
    target = hosts.target("erp-db", DRESDEN)
    points = sorted(target.vm.checkpoints if target.vm else (), key=lambda one: one.created_at)
    done(hosts.call("replica.failover", "erp-db", DRESDEN, point=points[0].id, start=False))
    assert hosts.end("erp-db", DRESDEN).state == State.RECOVERED
    done(hosts.call("replica.cancel-failover", "erp-db", DRESDEN))
    done(hosts.call("replica.failover", "erp-db", DRESDEN, start=False))
    done(hosts.call("replica.commit", "erp-db", DRESDEN))
    assert hosts.end("erp-db", DRESDEN).state == State.COMMITTED
    refused = hosts.call("replica.cancel-failover", "erp-db", DRESDEN)
    assert refused.phase is Phase.REFUSED


def test_after_a_failover_the_direction_is_reversed_and_everything_compared(hosts: Pair) -> None:
    done(hosts.call("replica.reverse", "license", DRESDEN))
    here = hosts.end("license", DRESDEN)
    assert here.is_primary
    assert (here.primary, here.recovery) == (
        "DRESDEN.corp.example.com", "BERLIN.corp.example.com",
    )  # fmt: skip
    done(hosts.call("replica.start", "license", DRESDEN, how=3))


def test_pause_resume_and_resynchronization(hosts: Pair) -> None:
    done(hosts.call("replica.pause", "erp-db", BERLIN))
    done(hosts.call("replica.resume", "erp-db", BERLIN))
    done(hosts.call("replica.resync", "wiki", BERLIN))
    assert hosts.end("wiki", BERLIN).state == State.REPLICATING


def test_a_test_machine_comes_and_goes(hosts: Pair) -> None:
    done(hosts.call("replica.test-failover", "erp-db", DRESDEN))
    end = hosts.end("erp-db", DRESDEN)
    assert end.test_name == "erp-db - Test"
    assert hosts.read()[DRESDEN].vm_vitals[end.test].replication_mode == 3
    done(hosts.call("replica.stop-test", "erp-db", DRESDEN))
    assert "erp-db - Test" not in {
        str(row["ElementName"]) for row in hosts.wql(DRESDEN, "SELECT * FROM Msvm_ComputerSystem")
    }


# -- when things go wrong ------------------------------------------------------------------


def test_what_changed_since_it_was_seen_is_not_touched(hosts: Pair) -> None:
    end = hosts.end("mail", BERLIN)
    call = Call("seen", "replica.resume", BERLIN, end.id, seen_state=State.CRITICAL)
    update = hosts.session.run([call], lambda update: None, timeout=60.0)[call.id]
    assert update.phase is Phase.REFUSED
    assert update.trouble is not None
    assert update.trouble.title == "mail has changed: it is paused now"


def test_a_reverse_that_fails_leaves_the_failover_and_the_way_back(hosts: Pair) -> None:
    hosts.fabric.hosts[BERLIN].faults.replica_down = True
    update = hosts.call("replica.planned-failover", "print", DRESDEN)
    assert update.phase is Phase.FAILED
    assert update.made == ("print failed over",)
    assert update.undo is not None
    assert update.undo.action == "replica.cancel-failover"
    assert hosts.end("print", DRESDEN).state == State.RECOVERED
    done(hosts.call(update.undo.action, "print", DRESDEN))

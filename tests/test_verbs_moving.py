"""Moving machines and their storage: done, refused beforehand, failed, lost and disputed."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from tests.moving_kit import MIGRATE, Moves, moves
from tui.collector.messages import Call, Phase
from tui.hyperv.ops import cancel_job
from tui.hyperv.preflight import CAUSES


@pytest.fixture
def at() -> Iterator[Moves]:
    with moves() as made:
        yield made


# -- done ----------------------------------------------------------------------------------


def test_a_running_machine_moves_with_its_storage(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    update = at.migrate("live01", "MIG01", "MIG02")
    assert update.phase is Phase.OBSERVED, update
    assert at.where(vm) == ["MIG02"]
    assert at.images("MIG02", vm) == ["D:\\Hyper-V\\Virtual Hard Disks\\live01\\live01.vhdx"]
    assert at.plugged("MIG02", vm) == {"Production"}
    assert any(one.percent for one in at.updates)
    assert at.sent == 1


def test_a_machine_on_a_share_moves_without_its_files(at: Moves) -> None:
    vm = at.vm("MIG01", "smb01")
    before = at.images("MIG01", vm)
    assert at.migrate("smb01", "MIG01", "MIG02").phase is Phase.OBSERVED
    assert at.where(vm) == ["MIG02"]
    assert at.images("MIG02", vm) == before


@pytest.mark.parametrize(("name", "to"), [("off01", "MIG03"), ("saved01", "MIG02")])
def test_what_does_not_run_moves_offline(at: Moves, name: str, to: str) -> None:
    vm = at.vm("MIG01", name)
    assert at.migrate(name, "MIG01", to, how="offline").phase is Phase.OBSERVED
    assert at.where(vm) == [to]


def test_a_folder_takes_disks_and_settings(at: Moves) -> None:
    vm = at.vm("MIG01", "tree01")
    update = at.migrate("tree01", "MIG01", "MIG02", folder="D:\\Moved\\tree01")
    assert update.phase is Phase.OBSERVED, update
    images = at.images("MIG02", vm)
    assert len(images) >= 2
    assert all(path.startswith("D:\\Moved\\tree01\\") for path in images)
    (row,) = at.wql("MIG02", "SELECT * FROM Msvm_VirtualSystemSettingData "
                    f"WHERE InstanceID = 'Microsoft:{vm}'")  # fmt: skip
    assert str(row["ConfigurationDataRoot"]).startswith("D:\\Moved\\tree01")


def test_adapters_are_plugged_into_the_switch_chosen(at: Moves) -> None:
    vm = at.vm("MIG01", "compat01")
    assert "no switch called Production" in at.refused("compat01", "MIG01", "MIG04")
    # MIG04 may delegate to nobody, but others may delegate to it
    update = at.migrate("compat01", "MIG01", "MIG04", switch="LAN")
    assert update.phase is Phase.OBSERVED, update
    assert at.where(vm) == ["MIG04"]
    assert at.plugged("MIG04", vm) == {"LAN"}


def test_storage_moves_under_a_running_machine(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    update = at.call("vm.move-storage", "MIG01", vm, folder="E:\\Fast\\live01")
    assert update.phase is Phase.OBSERVED, update
    assert at.images("MIG01", vm) == ["E:\\Fast\\live01\\Virtual Hard Disks\\live01.vhdx"]
    assert at.where(vm) == ["MIG01"]
    again = at.call("vm.move-storage", "MIG01", vm, folder="E:\\Fast\\live01")
    assert again.phase is Phase.REFUSED
    assert "already" in str(again.trouble)


def test_one_disk_moves_alone(at: Moves) -> None:
    vm = at.vm("MIG01", "tree01")
    disks = at.inventories()["MIG01"].vms[vm].disks
    chosen, other = disks[0], disks[1]
    update = at.call("vm.move-storage", "MIG01", vm, folder="E:\\Alone", disk=chosen.id)
    assert update.phase is Phase.OBSERVED, update
    images = at.images("MIG01", vm)
    assert sum(path.startswith("E:\\Alone\\") for path in images) == 1
    assert other.path in images


# -- within a cluster ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["auto", "quick", "shutdown"])
def test_a_role_moves_to_another_node_with_its_machine(how: str) -> None:
    with moves("cluster", speed=30.0) as at:
        vm = at.vm("NODE1", "metrics")
        update = at.migrate("metrics", "NODE1", "NODE2", how=how)
        assert update.phase is Phase.OBSERVED, update
        assert at.where(vm) == ["NODE2"]
        assert at.sent == 0, "a role is never moved by the service"
        assert ("NODE1", "MoveToNewNodeParams") in at.invoked


def test_what_keeps_a_role_is_named_before_the_start() -> None:
    with moves("cluster", speed=30.0) as at:
        assert "locked" in at.refused("licences", "NODE2", "NODE1")
        assert "C:\\ISO\\setup.iso" in at.refused("installer", "NODE3", "NODE1")
        assert "no switch called Plant" in at.refused("plc-gateway", "NODE3", "NODE2")
        assert "its files stay" in at.refused("metrics", "NODE1", "NODE2", how="both")
        assert "MoveToNewNodeParams" not in [method for _, method in at.invoked]
        answer = at.ask("metrics", "NODE1", "NODE2")
        assert answer.verdict is None
        assert "the cluster" in str(answer.trouble)


# -- over and over -------------------------------------------------------------------------


def test_rows_marks_and_history_outlive_a_hundred_random_moves() -> None:
    with moves(speed=3000.0) as at:
        store = at.watched()
        names = ("live01", "off01", "smb01", "cpu01", "compat01")
        ids = [at.vm("MIG01", name) for name in names]
        before = set(store.vms)
        store.marks |= set(ids[:3])
        histories = {vm: store.histories[vm] for vm in ids if store.vms[vm].vitals.state == 2}
        assert len(histories) == 4
        chance = random.Random(4)
        for _ in range(100):
            vm = chance.choice(ids)
            here = store.vms[vm].host.id
            there = "MIG02" if here == "MIG01" else "MIG01"
            assert at.carry(store, here, vm, there) is Phase.OBSERVED
            assert at.where(vm) == [there]
        assert set(store.vms) == before
        assert store.marks == set(ids[:3])
        assert all(store.histories[vm] is histories[vm] for vm in histories)
        assert [store.vms[vm].name for vm in ids] == list(names)


# -- refused before anything is asked -------------------------------------------------------

CLASSICS = [
    ("delegation", "cred01", "MIG05", "MIG01", "0x8009030E"),
    ("switch", "lab01", "MIG01", "MIG02", "no switch called Lab"),
    ("processor", "live01", "MIG01", "MIG03", "another vendor"),
    ("version", "live01", "MIG01", "MIG04", "configuration version 10.0"),
    ("space", "huge01", "MIG01", "MIG02", "free"),
    ("memory", "ram01", "MIG01", "MIG02", "96.0 GB of memory"),
    ("switched off", "live01", "MIG01", "MIG06", "switched off on MIG06"),
    ("image", "iso01", "MIG01", "MIG02", "ubuntu-24.04-server.iso"),
    ("physical disk", "raw01", "MIG01", "MIG02", "physical disk"),
]


@pytest.mark.parametrize(
    ("name", "host", "to", "says"), [row[1:] for row in CLASSICS], ids=[row[0] for row in CLASSICS]
)
def test_failures_are_named_before_the_start(
    at: Moves, name: str, host: str, to: str, says: str
) -> None:
    assert says in at.refused(name, host, to)
    answer = at.ask(name, host, to)
    assert answer.verdict is not None, answer
    assert not answer.verdict.allowed
    assert answer.verdict.reasons


def test_a_missing_delegation_is_explained_after_a_failure_too(at: Moves) -> None:
    update = at.migrate("old01", "MIG04", "MIG02", force=True)
    assert update.phase is Phase.FAILED, update
    assert update.trouble is not None
    assert "0x8009030E" in update.trouble.cause
    assert "Microsoft Virtual System Migration Service" in update.trouble.hint


def test_the_host_can_be_asked_to_try_nevertheless(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    update = at.migrate("live01", "MIG01", "MIG03", force=True)
    assert update.phase is Phase.FAILED, update
    assert update.trouble is not None
    assert "MIG03" in update.trouble.cause
    assert at.where(vm) == ["MIG01"]


# -- the host's own verdict ----------------------------------------------------------------


def test_a_host_says_yes_and_nothing_moves(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    answer = at.ask("live01", "MIG01", "MIG02")
    assert answer.verdict is not None
    assert answer.verdict.allowed
    assert at.where(vm) == ["MIG01"]
    assert at.sent == 0


def test_the_other_host_is_asked_what_processors_lack(at: Moves) -> None:
    answer = at.ask("old01", "MIG04", "MIG03")
    assert answer.verdict is not None
    told = " / ".join(answer.verdict.reasons)
    assert "0x8009030E" in told, "the way is barred for want of delegation"
    assert "processor" in told, "and the other host says more than that"
    assert ("MIG03", "CheckSystemCompatibilityInfo") in at.invoked


def test_a_question_about_a_machine_that_is_gone_has_no_verdict(at: Moves) -> None:
    vm = at.vm("MIG02", "smb02")
    at.inventories()
    call = Call("gone", "vm.migrate", "MIG01", vm, {"destination": "MIG02"}, ask=True)
    at.session._crew.submit(call)
    (answer,) = at.session._hub.batch(30.0).answers or at.session._hub.batch(30.0).answers
    assert answer.verdict is None
    assert answer.trouble is not None


# -- when things go wrong ------------------------------------------------------------------


def test_an_answer_that_is_lost_is_found_by_its_job() -> None:
    with moves(speed=12.0, lost_patience=30.0) as at:
        vm = at.vm("MIG01", "live01")
        at.unheard = "answer lost"
        update = at.migrate("live01", "MIG01", "MIG02")
        assert update.phase is Phase.OBSERVED, update
        assert at.where(vm) == ["MIG02"]
        assert at.sent == 1
        assert any(one.job for one in at.updates), "its job was followed"
        assert any(one.percent for one in at.updates)


def test_a_lost_answer_of_a_move_that_fails_is_a_failure() -> None:
    with moves(speed=12.0, lost_patience=30.0) as at:
        vm = at.vm("MIG01", "live01")
        at.unheard = "answer lost"
        at.fabric.hosts["MIG01"].faults.moves_fail_at = 50
        update = at.migrate("live01", "MIG01", "MIG02")
        assert update.phase is Phase.FAILED, update
        assert at.where(vm) == ["MIG01"]
        assert at.sent == 1


def test_a_move_that_was_over_before_its_job_was_seen_is_done(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    at.unheard = "answer lost"
    assert at.migrate("live01", "MIG01", "MIG02").phase is Phase.OBSERVED
    assert at.where(vm) == ["MIG02"]
    assert at.sent == 1


def test_a_request_that_never_came_is_told_as_unknown() -> None:
    with moves(lost_patience=1.5) as at:
        vm = at.vm("MIG01", "live01")
        at.unheard = "never sent"
        update = at.migrate("live01", "MIG01", "MIG02")
        assert update.phase is Phase.UNKNOWN, update
        assert update.trouble is not None
        assert "still on MIG01, with no job" in update.trouble.cause
        assert at.where(vm) == ["MIG01"]
        assert at.sent == 1


def test_source_and_target_that_both_have_it_are_told() -> None:
    with moves(patience=2.0) as at:
        vm = at.vm("MIG01", "live01")
        at.fabric.hosts["MIG01"].faults.listed_twice = 1e9
        update = at.migrate("live01", "MIG01", "MIG02")
        assert update.phase is Phase.UNKNOWN, update
        assert update.trouble is not None
        assert "MIG01 and MIG02 both have it" in update.trouble.title
        assert at.where(vm) == ["MIG01", "MIG02"]


def test_a_move_that_fails_on_its_way_leaves_the_machine(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    at.fabric.hosts["MIG01"].faults.moves_fail_at = 60
    update = at.migrate("live01", "MIG01", "MIG02")
    assert update.phase is Phase.FAILED, update
    assert update.trouble is not None
    assert "0x80072746" in update.trouble.cause
    assert at.where(vm) == ["MIG01"]


def test_a_target_that_vanishes_on_the_way_ends_the_move(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    at.fabric.hosts["MIG02"].faults.vanishes_at = 60
    update = at.migrate("live01", "MIG01", "MIG02")
    assert update.phase is Phase.FAILED, update
    assert update.trouble is not None
    assert "port 6600" in update.trouble.hint
    wql = f"SELECT Name FROM Msvm_ComputerSystem WHERE Name = '{vm}'"
    assert at.wql("MIG01", wql)


def test_a_target_that_falls_silent_leaves_it_unknown() -> None:
    with moves(patience=2.0) as at:
        vm = at.vm("MIG01", "live01")
        at.mute_after = "MIG02"
        update = at.migrate("live01", "MIG01", "MIG02")
        assert update.phase is Phase.UNKNOWN, update
        assert update.trouble is not None
        assert "MIG02 does not tell whether it has come" in update.trouble.title
        at.mute_after = ""
        assert at.where(vm) == ["MIG02"]


def test_somebody_else_moves_the_same_machine_at_the_same_time() -> None:
    with moves(speed=5.0) as at:
        vm = at.vm("MIG01", "live01")
        at.inventories()
        other = Moves(at.fabric, at.lock)
        first: list[Phase] = []
        thread = threading.Thread(
            target=lambda: first.append(other.migrate("live01", "MIG01", "MIG02").phase)
        )
        thread.start()
        while not at.wql("MIG01", "SELECT * FROM Msvm_MigrationJob WHERE JobState = 4"):
            pass
        second = at.migrate("live01", "MIG01", "MIG02")
        assert second.phase in (Phase.REFUSED, Phase.FAILED), second
        thread.join(60)
        assert other._session is not None
        other._session.close()
        assert first == [Phase.OBSERVED]
        assert at.where(vm) == ["MIG02"]


def test_a_move_is_cancelled_by_its_job() -> None:
    with moves(speed=5.0) as at:
        vm = at.vm("MIG01", "live01")
        at.inventories()
        update: list[Phase] = []
        thread = threading.Thread(
            target=lambda: update.append(at.migrate("live01", "MIG01", "MIG02").phase)
        )
        thread.start()
        running: list[str] = []
        while not running:
            rows = at.wql("MIG01", "SELECT * FROM Msvm_MigrationJob WHERE JobState = 4")
            running = [str(row["InstanceID"]) for row in rows]
        host = at.fabric.hosts["MIG01"]
        cancel_job(at.client("MIG01"), running[0], "Msvm_MigrationJob", "Moving")
        thread.join(60)
        assert update == [Phase.FAILED]
        assert at.where(vm) == ["MIG01"]
        assert not host.moves


def test_a_machine_that_has_left_is_not_moved_again(at: Moves) -> None:
    vm = at.vm("MIG01", "live01")
    first = at.migrate("live01", "MIG01", "MIG02")
    assert first.phase is Phase.OBSERVED
    second = at.call("vm.migrate", "MIG01", vm, destination="MIG02")
    assert second.phase is Phase.REFUSED
    assert MIGRATE not in [method for _, method in at.invoked]


def test_every_cause_has_a_title() -> None:
    assert all(CAUSES.values())

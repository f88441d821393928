"""Checkpoints: what the host shows afterwards, and what happens when a step fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from tests.action_kit import (
    V2,
    Ran,
    action,
    attempt,
    drive,
    objection,
    only,
    perform,
    rows,
    target,
)
from tests.hyperv_kit import HOST, Bench, bench, describe, refusing
from tui.actions import why_not
from tui.errors import Fault, HalfDone, JobFailed, MethodFailed
from tui.hyperv import merging
from tui.hyperv.merging import Merge
from tui.sim.plan import VmPlan
from tui.wsman.cim import CimInstance
from tui.wsman.fault import fault
from tui.wsman.request import Header, Invoke, Request
from tui.wsman.values import EnabledState, Wsman

SYSTEM = "Msvm_VirtualSystemSettingData"
ON, OFF, SAVED, KEPT = "sql01", "idle01", "kept01", "web01"
STANDARD, PRODUCTION = "standard", "production"


def checkpoints(at: Bench, name: str) -> dict[str, CimInstance]:
    """A machine's checkpoints on the wire, by name."""
    wql = f"SELECT * FROM {SYSTEM} WHERE VirtualSystemIdentifier = '{at.vm(name)}'"
    found = at.wql(V2, wql)
    return {
        str(row["ElementName"]): row
        for row in found
        if ":Snapshot:" in str(row["VirtualSystemType"])
    }


def key(at: Bench, name: str, title: str) -> str:
    return str(checkpoints(at, name)[title]["InstanceID"])


def state(at: Bench, name: str) -> object:
    wql = f"SELECT EnabledState FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
    return only(at.wql(V2, wql))["EnabledState"]


def policy(at: Bench, name: str) -> object:
    return only(rows(at, SYSTEM, name))["UserSnapshotType"]


def kind(at: Bench, name: str, title: str) -> str:
    found = next(c for c in vm(at, name).checkpoints if c.name == title)
    return str(found.kind)


def vm(at: Bench, name: str) -> Any:
    return target(at, name, sheet=False).vm


def failing(at: Bench, method: str) -> Callable[[Request, Header], None]:
    """The job of the next call of that method fails."""

    def intercept(asked: Request, header: Header) -> None:
        if isinstance(asked, Invoke) and describe(asked).endswith(method):
            at.host.faults.job_fails, at.host.faults.job_fails_at = 1, 50

    return intercept


# -- create --------------------------------------------------------------------------------


def test_a_checkpoint_with_a_name() -> None:
    at = bench()
    ran = perform(at, "checkpoint.create", ON, name="before <the> & update")
    assert ran.steps == ["Creating the checkpoint", "Naming it"]
    assert set(checkpoints(at, ON)) == {"before <the> & update"}
    assert kind(at, ON, "before <the> & update") == PRODUCTION


def test_a_checkpoint_named_by_the_host() -> None:
    at = bench()
    assert perform(at, "checkpoint.create", OFF).steps == ["Creating the checkpoint"]
    assert len(checkpoints(at, OFF)) == 1


def test_a_type_for_this_one_alone() -> None:
    at = bench()
    before = policy(at, ON)
    ran = perform(at, "checkpoint.create", ON, name="with memory", type=5)
    assert ran.steps == [
        "Choosing its type",
        "Creating the checkpoint",
        "Putting the type back",
        "Naming it",
    ]
    assert kind(at, ON, "with memory") == STANDARD
    assert policy(at, ON) == before
    perform(at, "checkpoint.create", ON, name="quiet", type=4)
    assert kind(at, ON, "quiet") == PRODUCTION
    assert policy(at, ON) == before


def test_the_type_is_put_back_when_the_checkpoint_fails() -> None:
    at = bench()
    before = policy(at, ON)
    at.wire.intercept = failing(at, "CreateSnapshot")
    with pytest.raises(JobFailed):
        attempt(at, "checkpoint.create", ON, type=5)
    assert policy(at, ON) == before
    assert checkpoints(at, ON) == {}


def test_the_type_is_put_back_when_the_checkpoint_is_refused() -> None:
    at = bench()
    before = policy(at, ON)
    at.wire.intercept = refusing(
        lambda text: text.endswith("CreateSnapshot"), fault(Wsman.ACCESS_DENIED)
    )
    with pytest.raises(Fault):
        attempt(at, "checkpoint.create", ON, type=5)
    assert policy(at, ON) == before


def test_a_checkpoint_that_could_not_be_named_can_be_taken_away() -> None:
    at = bench()
    at.wire.intercept = failing(at, "ModifySystemSettings")
    with pytest.raises(HalfDone) as caught:
        attempt(at, "checkpoint.create", ON, name="x")
    at.wire.intercept = None
    assert caught.value.made == ("a checkpoint of sql01",)
    assert len(checkpoints(at, ON)) == 1
    assert caught.value.undo is not None
    action_id, vm_id, arguments = caught.value.undo
    assert vm_id == at.vm(ON)
    perform(at, action_id, ON, **arguments)
    assert checkpoints(at, ON) == {}


@pytest.mark.parametrize(
    ("given", "says"),
    [({"name": "x" * 101}, "at most 100"), ({"name": "a\x1bb"}, "control characters")],
)
def test_names_that_cannot_be(given: dict[str, Any], says: str) -> None:
    assert says in objection(bench(), "checkpoint.create", ON, **given)


def test_checkpoints_switched_off_want_a_type() -> None:
    at = bench()
    perform(at, "vm.set-automatic", ON, checkpoint_type=2)
    assert "checkpoints are disabled for sql01" in objection(at, "checkpoint.create", ON)
    perform(at, "checkpoint.create", ON, name="all the same", type=5)
    assert "all the same" in checkpoints(at, ON)
    assert policy(at, ON) == 2


# -- apply ---------------------------------------------------------------------------------


def test_apply_after_turning_off_with_a_safety_checkpoint() -> None:
    at = bench()
    perform(at, "checkpoint.create", ON, name="clean")
    perform(at, "vm.set-cpu", ON, weight=900)
    ran = perform(at, "checkpoint.apply", ON, checkpoint=key(at, ON, "clean"))
    assert ran.steps == [
        "Creating the checkpoint",
        "Naming the safety checkpoint",
        "Stopping the machine",
        "Applying the checkpoint",
    ]
    assert set(checkpoints(at, ON)) == {"clean", "Before applying clean"}
    assert state(at, ON) == EnabledState.OFF
    assert only(rows(at, "Msvm_ProcessorSettingData", ON))["Weight"] == 100
    perform(
        at, "checkpoint.apply", ON, checkpoint=key(at, ON, "Before applying clean"), safety=False
    )
    assert only(rows(at, "Msvm_ProcessorSettingData", ON))["Weight"] == 900


def test_apply_a_standard_checkpoint_leaves_the_machine_saved() -> None:
    at = bench()
    perform(at, "checkpoint.create", ON, name="alive", type=5)
    ran = perform(
        at, "checkpoint.apply", ON, checkpoint=key(at, ON, "alive"), safety=False, stop="save"
    )
    assert ran.steps == ["Stopping the machine", "Applying the checkpoint"]
    assert state(at, ON) == EnabledState.SAVED


def test_apply_to_a_machine_that_is_off_stops_nothing() -> None:
    at = bench()
    perform(at, "checkpoint.create", OFF, name="cold")
    ran = perform(at, "checkpoint.apply", OFF, checkpoint=key(at, OFF, "cold"), safety=False)
    assert ran.steps == ["Applying the checkpoint"]


def test_an_apply_that_fails_says_what_there_is_now() -> None:
    at = bench()
    perform(at, "checkpoint.create", ON, name="clean")
    at.wire.intercept = failing(at, "ApplySnapshot")
    with pytest.raises(HalfDone) as caught:
        attempt(at, "checkpoint.apply", ON, checkpoint=key(at, ON, "clean"))
    assert caught.value.made == ("a checkpoint of sql01", "sql01 stopped")
    assert caught.value.undo is not None
    assert caught.value.undo[0] == "checkpoint.delete"
    assert state(at, ON) == EnabledState.OFF


def test_the_host_applies_nothing_to_a_machine_started_meanwhile() -> None:
    at = bench()
    perform(at, "checkpoint.create", OFF, name="cold")
    row, looked_at = action("checkpoint.apply"), target(at, OFF)
    wanted = {"checkpoint": key(at, OFF, "cold"), "safety": False}
    perform(at, "vm.start", OFF)
    with pytest.raises(MethodFailed) as caught:
        drive(at, row, looked_at, Ran(row, row.filled(looked_at, wanted)))
    assert caught.value.code == 32775
    assert state(at, OFF) == EnabledState.RUNNING


# -- rename, delete ------------------------------------------------------------------------


def test_a_checkpoint_is_renamed() -> None:
    at = bench()
    perform(at, "checkpoint.rename", KEPT, checkpoint=key(at, KEPT, "before update"), name="v1")
    assert "v1" in checkpoints(at, KEPT)
    assert "before update" not in checkpoints(at, KEPT)


def test_a_left_over_recovery_checkpoint_goes() -> None:
    at = bench()
    recovery = next(c for c in vm(at, KEPT).checkpoints if c.kind == "recovery")
    perform(at, "checkpoint.delete", KEPT, checkpoint=recovery.id)
    assert not [c for c in vm(at, KEPT).checkpoints if c.kind == "recovery"]
    assert len(checkpoints(at, KEPT)) == 1


def test_a_recovery_checkpoint_cannot_be_applied() -> None:
    at = bench()
    recovery = next(c for c in vm(at, KEPT).checkpoints if c.kind == "recovery")
    says = objection(at, "checkpoint.apply", KEPT, checkpoint=recovery.id)
    assert "no such checkpoint" in says


def test_one_goes_and_its_children_stay_or_the_whole_tree_goes() -> None:
    at = bench()
    for name in ("a", "b", "c"):
        perform(at, "checkpoint.create", OFF, name=name)
    perform(at, "checkpoint.delete", OFF, checkpoint=key(at, OFF, "b"))
    assert set(checkpoints(at, OFF)) == {"a", "c"}
    assert key(at, OFF, "a").lower() in str(checkpoints(at, OFF)["c"]["Parent"]).lower()
    perform(at, "checkpoint.delete-tree", OFF, checkpoint=key(at, OFF, "a"))
    assert checkpoints(at, OFF) == {}


def test_a_checkpoint_that_vanished_meanwhile() -> None:
    at = bench()
    says = objection(at, "checkpoint.delete", KEPT, checkpoint="Microsoft:GONE")
    assert "has no such checkpoint any more" in says
    assert why_not(action("checkpoint.delete"), target(at, ON)) == "sql01 has no checkpoint"


# -- merging -------------------------------------------------------------------------------


def test_merging_is_switched_on_again() -> None:
    at = bench()
    at.host.machines[at.vm(KEPT)].merge_disabled = True
    assert only(rows(at, "Msvm_DiskMergeSettingData", KEPT))["EnabledState"] == 0
    perform(at, "checkpoint.enable-merge", KEPT)
    assert only(rows(at, "Msvm_DiskMergeSettingData", KEPT))["EnabledState"] == 1
    says = why_not(action("checkpoint.enable-merge"), target(at, KEPT))
    assert says == "the disks of web01 are merged by themselves already"


def test_how_merging_stands() -> None:
    plan = VmPlan("held01", "ws2022", disks=(40, 40), merge_disabled=True, uptime=900.0)
    at = bench(replace(HOST, vms=(plan,)))
    held = target(at, "held01")
    assert held.vm is not None
    assert merging.standing(held.vm, 0, held.sheet) is Merge.DISABLED
    assert (merging.left(held.vm), merging.left(held.vm, held.sheet)) == (2, 2)
    perform(at, "checkpoint.enable-merge", "held01")
    now = target(at, "held01")
    assert now.vm is not None
    assert now.vitals is not None
    assert merging.standing(now.vm, now.vitals.activity) is Merge.RUNNING
    assert merging.standing(now.vm, 0) is Merge.WAITING
    at.pass_time(3600)
    done = target(at, "held01")
    assert done.vm is not None
    assert done.vitals is not None
    assert merging.standing(done.vm, done.vitals.activity, done.sheet) is Merge.NONE


def test_images_that_checkpoints_need_do_not_wait() -> None:
    at = bench()
    kept = target(at, KEPT)
    assert kept.vm is not None
    assert kept.sheet is not None
    assert merging.standing(kept.vm, 0, kept.sheet) is Merge.NONE
    first = structs.replace(kept.vm.checkpoints[0], current=True)
    assert merging.left(structs.replace(kept.vm, checkpoints=(first,)), kept.sheet) == 1
    assert merging.left(structs.replace(kept.vm, checkpoints=()), kept.sheet) == 2


def test_a_host_without_the_setting_for_merging_always_merges() -> None:
    at = bench()
    at.host.faults.unknown_classes.add("msvm_diskmergesettingdata")
    says = why_not(action("checkpoint.enable-merge"), target(at, KEPT))
    assert says == "hv01 knows no such setting: it always merges"

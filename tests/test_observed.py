"""Nothing is done because a host says so: what it took and never did ends as unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from tests.hyperv_kit import HOST, VMS
from tests.test_verbs_disks import FOLDER, drive_of
from tests.verb_kit import Verbs, verbs
from tui.actions import ACTIONS
from tui.collector import act
from tui.collector.messages import CallUpdate, Phase
from tui.sim.files import disk
from tui.sim.outcome import Call
from tui.sim.plan import NicPlan, VmPlan
from tui.wsman.reply import MethodOutput

GB = 1 << 30
MACHINES, IMAGES = "Msvm_VirtualSystemManagementService", "Msvm_ImageManagementService"
POINTS, FILES = "Msvm_VirtualSystemSnapshotService", "CIM_DataFile"
LEFT = f"{FOLDER}\\left.vhdx"
PLAN = replace(
    HOST,
    vms=(
        *VMS,
        VmPlan("past01", "ws2019", state="off", version="9.0", nics=(NicPlan("Lab"),)),
        VmPlan("left01", "ws2019", state="off", merge_disabled=True),
    ),
)
METHODS = "tui.sim.methods.METHODS"

LIES: list[tuple[str, str, tuple[str, str], dict[str, Any]]] = [
    ("disk.resize", "past01", (IMAGES, "ResizeVirtualHardDisk"), {"size": 200 * GB}),
    ("disk.resize", "past01", (IMAGES, "ResizeVirtualHardDisk"), {"size": 60 * GB + (1 << 20)}),
    ("disk.convert", "past01", (IMAGES, "ConvertVirtualHardDisk"),
     {"kind": "fixed", "path": f"{FOLDER}\\other.vhdx", "use": False}),
    ("disk.convert", "past01", (MACHINES, "ModifyResourceSettings"),
     {"kind": "dynamic", "path": f"{FOLDER}\\other.vhdx"}),
    ("disk.delete-file", "hv01", (FILES, "Delete"), {"path": LEFT}),
    ("nic.add", "past01", (MACHINES, "AddResourceSettings"), {"name": "Second"}),
    ("nic.set-bandwidth", "past01", (MACHINES, "AddFeatureSettings"), {"maximum": 10**9}),
    ("nic.set-guards", "past01", (MACHINES, "AddFeatureSettings"), {"dhcp_guard": True}),
    ("checkpoint.create", "past01", (POINTS, "CreateSnapshot"), {}),
    ("checkpoint.enable-merge", "left01", (MACHINES, "ModifyDiskMergeSettings"), {}),
    ("vm.upgrade-version", "past01", (MACHINES, "UpgradeSystemVersion"), {}),
]  # fmt: skip


@pytest.fixture
def at() -> Iterator[Verbs]:
    with verbs(PLAN) as made:
        made.host.ensure()
        made.host.files.add(disk(LEFT, 20 * GB, GB))
        yield made


def idle(call: Call) -> MethodOutput:
    """A host that says it is done and has done nothing."""
    return MethodOutput(0)


def unseen(update: CallUpdate) -> bool:
    told = update.trouble.title if update.trouble else ""
    return update.phase is Phase.UNKNOWN and "accepted, not seen to happen" in told


@pytest.mark.parametrize(
    ("action", "name", "method", "given"), LIES, ids=[f"{lie[0]}-{lie[2][1]}" for lie in LIES]
)
def test_what_a_host_only_says_is_not_done(
    at: Verbs,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    name: str,
    method: tuple[str, str],
    given: dict[str, Any],
) -> None:
    monkeypatch.setattr(act.Act.__init__, "__kwdefaults__", {
        **(act.Act.__init__.__kwdefaults__ or {}), "patience": 1.0})  # fmt: skip
    with patch.dict(METHODS, {method: idle}):
        update = at.call(action, at.target(name), **given)
    assert unseen(update), update
    assert f"{method[0]}.{method[1]}" in at.changes


def test_a_merge_that_is_not_used_is_not_done(at: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    child = f"{FOLDER}\\child.vhdx"
    at.run("disk.add", "past01", source="differencing", path=child, parent=LEFT)
    drive = drive_of(at, "past01", child)
    monkeypatch.setattr(act.Act.__init__, "__kwdefaults__", {
        **(act.Act.__init__.__kwdefaults__ or {}), "patience": 1.0})  # fmt: skip
    at.close()
    with patch.dict(METHODS, {(MACHINES, "ModifyResourceSettings"): idle}):
        assert unseen(at.call("disk.merge", at.target("past01"), disk=drive))


def test_what_comes_late_is_waited_for(at: Verbs) -> None:
    def late(call: Call) -> MethodOutput:
        def gone(now: float) -> None:
            call.host.files.remove(LEFT)

        call.host.fabric.after(400.0, gone)
        return MethodOutput(0)

    with patch.dict(METHODS, {(FILES, "Delete"): late}):
        at.run("disk.delete-file", "hv01", path=LEFT)
    assert not at.file(LEFT)


def test_only_these_rest_on_the_word_of_a_job() -> None:
    resting = {row.id for row in ACTIONS if row.changes and not row.planned and not row.shows}
    assert resting == {"vm.export", "disk.compact"}

"""The survey of a host's files: all of them in time, a few with every step, each with its truth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hyperv_kit import GB, HOST, Bench, bench, describe
from tui.hyperv.meters import ImageFile
from tui.hyperv.survey import FILES_PER_STEP, REST_EVERY, SIZE_EVERY, Survey
from tui.sim.files import DIFFERENCING, DYNAMIC, VirtualFile

GIGABYTE = GB * 2**20


class Scene:
    """A host with machines, and a survey of its files."""

    def __init__(self) -> None:
        # No file of Windows has control characters in its name.
        plain = tuple(vm for vm in HOST.vms if vm.name.isprintable())
        self.at: Bench = bench(replace(HOST, vms=plain))
        self.at.reader.fast()
        self.inventory = self.at.reader.slow()
        self.survey = Survey("hv01")
        self.at.wire.take()

    def step(self) -> dict[str, ImageFile]:
        vitals = self.inventory.vm_vitals
        running = [vm for vm, one in vitals.items() if one.state == 2]
        found = self.survey.step(self.at.client, self.inventory.vms, running, self.at.clock.now())
        return {file.path: file for file in found}

    def all(self) -> dict[str, ImageFile]:
        found = self.step()
        while any(not file.read_at for file in found.values()):
            found = self.step()
        return found

    def truth(self, path: str) -> VirtualFile:
        file = self.at.host.files.get(path)
        assert file is not None
        return file

    def asked(self) -> list[str]:
        return [describe(each) for each in self.at.wire.take()]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_few_files_with_every_step_until_all_are_known(scene: Scene) -> None:
    first = scene.step()
    assert sum(bool(file.read_at) for file in first.values()) == FILES_PER_STEP
    assert len(scene.asked()) <= 2 * FILES_PER_STEP
    found = scene.all()
    assert len(found) > FILES_PER_STEP
    for path, file in found.items():
        truth = scene.truth(path)
        assert (file.kind, file.size, file.used) == (truth.kind, truth.size, truth.used)
        assert file.parent == (truth.parent if truth.kind == DIFFERENCING else "")
    scene.asked()
    scene.step()
    assert scene.asked() == [], "what is known is not asked for again at once"


def test_chains_are_followed_and_only_their_end_is_written_to(scene: Scene) -> None:
    found = scene.all()
    web01 = scene.at.vm("web01").upper()
    mine = [file for file in found.values() if file.vm == web01]
    assert {file.kind for file in mine} >= {DYNAMIC, DIFFERENCING}
    top = [file for file in mine if file.written]
    assert len(top) == 1
    assert top[0].parent in found
    assert not found[top[0].parent].written


def test_what_grows_is_looked_at_more_often(scene: Scene) -> None:
    found = scene.all()
    running = next(f for f in found.values() if f.written and f.vm == scene.at.vm("sql01").upper())
    scene.asked()
    truth = scene.truth(running.path)
    truth.used += GIGABYTE
    scene.at.pass_time(SIZE_EVERY + 1)
    for _ in range(10):
        found = scene.step()
    assert found[running.path].used == truth.used
    asked = scene.asked()
    assert all(words.endswith("GetVirtualHardDiskState") for words in asked), asked
    scene.at.pass_time(REST_EVERY + 1)
    scene.step()
    assert any(words.endswith("GetVirtualHardDiskSettingData") for words in scene.asked())


def test_a_clock_set_back_keeps_nobody_waiting(scene: Scene) -> None:
    before = scene.all()
    scene.at.clock.advance(-7 * 3600.0)
    found = scene.all()
    for _ in before:
        found = scene.step()
    now = scene.at.clock.now()
    assert {file.read_at for file in found.values()} == {now}
    scene.asked()
    scene.step()
    assert scene.asked() == []


def test_a_file_that_is_gone_says_so_and_the_rest_is_read(scene: Scene) -> None:
    lost = next(
        disk.path
        for vm in scene.inventory.vms.values()
        if vm.name == "sql01"
        for disk in vm.disks
        if not disk.dvd
    )
    scene.at.host.files.remove(lost)
    found = scene.all()
    assert found[lost].trouble
    assert not found[lost].used
    assert all(not file.trouble for path, file in found.items() if path != lost)


def test_a_survey_that_begins_anew_reads_first_what_is_not_known(scene: Scene) -> None:
    """A connection that is lost must not make known sizes unknown."""
    first = scene.step()
    scene.survey = Survey("hv01", first.values())
    assert scene.asked()
    found = scene.step()
    assert {path: file for path, file in found.items() if first[path].read_at} == {
        path: file for path, file in first.items() if file.read_at
    }
    assert sum(bool(file.read_at) for file in found.values()) == 2 * FILES_PER_STEP
    scene.at.pass_time(SIZE_EVERY + 1)
    scene.all()
    assert scene.survey.unread is False


def test_files_go_with_their_machine(scene: Scene) -> None:
    found = scene.all()
    gone = scene.at.vm("sql01").upper()
    mine = {path for path, file in found.items() if file.vm == gone}
    assert mine
    vms = {key: vm for key, vm in scene.inventory.vms.items() if key != gone}
    left = scene.survey.step(scene.at.client, vms, (), scene.at.clock.now())
    assert not mine & {file.path for file in left}

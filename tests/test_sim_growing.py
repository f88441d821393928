"""Disks of the fabric grow with what their guests write, and volumes fill by as much."""

from __future__ import annotations

from dataclasses import replace

from tests.hyperv_kit import HOST, bench
from tui.sim.files import GIB, HEADER
from tui.sim.machine import OFF, RUNNING
from tui.sim.plan import VmPlan, VolumePlan

HOUR = 3600.0
BUSY = VmPlan("busy", "ws2022", "db", disks=(60, 100), grows=240.0)
IDLE = VmPlan("idle", "ws2022", "db", disks=(100,), grows=240.0, state="off")
VOLUMES = (VolumePlan("C:\\", "System", 200, 80, 0), VolumePlan("D:\\", "VMs", 2000, 700, 0))
PLAN = replace(HOST, vms=(BUSY, IDLE), volumes=VOLUMES)


def test_a_running_machine_fills_its_disk_and_its_volume() -> None:
    at = bench(PLAN)
    drive = VOLUMES[1]
    assert at.vm("busy"), "a host is furnished when it is first asked"
    before = at.host.files.space(drive)[1]
    sizes = {file.path: file.used for file in at.host.files}
    at.pass_time(HOUR)
    assert before - at.host.files.space(drive)[1] == 10 * GIB
    grown = {f.path: f.used - sizes[f.path] for f in at.host.files if f.used != sizes[f.path]}
    assert list(grown.values()) == [10 * GIB]
    assert "busy" in next(iter(grown)), "its last disk, and no other machine's"
    at.pass_time(100 * HOUR)
    at.host.files.settle()
    file = at.host.files.get(next(iter(grown)))
    assert file is not None
    assert file.used == file.size + HEADER, "no disk outgrows its limit"


def test_nothing_is_written_while_it_does_not_run() -> None:
    at = bench(PLAN)
    drive = VOLUMES[1]
    machine = at.host.machines[at.vm("busy").upper()]
    at.host.files.space(drive)
    assert machine.state == RUNNING
    machine.runs[-1] = (machine.runs[-1][0], at.clock.now())
    machine.system.values["EnabledState"] = OFF
    before = at.host.files.space(drive)[1]
    at.pass_time(HOUR)
    assert at.host.files.space(drive)[1] == before

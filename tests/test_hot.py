"""The table of hot changes against the simulator: we say no exactly where the host refuses."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from tests.action_kit import inventory, rows, target
from tests.hyperv_kit import GB, HOST, Bench, bench
from tui.actions import Target
from tui.errors import JobFailed, MethodFailed
from tui.hyperv import hot, jobs, sheets, states
from tui.hyperv.model import Inventory
from tui.hyperv.ops import calling
from tui.hyperv.outcome import Outcome, Started
from tui.hyperv.sheet import Drive
from tui.sim.files import VirtualFile, disk
from tui.sim.plan import HostPlan, NicPlan, VmPlan
from tui.wsman.cim import CimValue, to_path
from tui.wsman.values import EnabledState as State

SYSTEM = "Msvm_VirtualSystemSettingData"
STATE = 32775
SECURITY = "Msvm_SecuritySettingData"


@dataclass(frozen=True)
class Case:
    """A machine in a state: one column of the matrix."""

    state: str
    dynamic: bool = False
    generation: int = 2
    version: str = ""

    @property
    def name(self) -> str:
        memory = "dynamic" if self.dynamic else "static"
        return (
            f"{self.state}-{memory}-gen{self.generation}{'-' if self.version else ''}{self.version}"
        )

    @property
    def plan(self) -> VmPlan:
        return VmPlan(
            self.name, "ws2022", state=self.state, generation=self.generation, memory=2 * GB,
            maximum=4 * GB if self.dynamic else 0, version=self.version, nics=(NicPlan("Prod"),),
            cpus=2, uptime=5000.0,
        )  # fmt: skip


COLUMNS = tuple(
    Case(state, dynamic, generation, version)
    for state in ("running", "off", "saved", "paused")
    for dynamic in (False, True)
    for generation, version in ((2, ""), (1, ""), (2, "5.0"))
)
PLAN = HostPlan(
    "HV01", uplinks=HOST.uplinks, switches=HOST.switches, volumes=HOST.volumes,
    vms=tuple(case.plan for case in COLUMNS),
)  # fmt: skip
UEFI_CA = "272e7447-90a4-4563-a4b9-8e4ab00526ce"
NEW: Mapping[str, CimValue] = {
    "name": "other", "notes": ("other",), "start": 4, "stop": 2, "checkpoint_type": 5,
    "count": 3, "cpu_weight": 300, "reservation": 10_000, "limit": 90_000,
    "buffer": 55, "memory_weight": 7000, "template": UEFI_CA, "mac": "02155DAABBCC",
}  # fmt: skip
"""Another value for each setting; switches are turned over, sizes go up and down."""
RAISED = {"startup": (64,), "minimum": (-64, 64), "maximum": (-64, 64)}


@pytest.fixture(scope="module")
def at() -> Bench:
    """For refusals, which change nothing."""
    return bench(PLAN)


@pytest.fixture(scope="module")
def machines(at: Bench) -> Inventory:
    return inventory(at)


def cells() -> list[tuple[str, Case, int]]:
    """Setting, column, and by how many megabytes it is raised where it is a size."""
    return [
        (key, case, delta)
        for key, case in itertools.product(hot.SETTINGS, COLUMNS)
        for delta in RAISED.get(key, (0,))
        if not (case.generation == 1 and hot.SETTINGS[key].class_name == SECURITY)
        and not (case.generation == 1 and key in ("secure_boot", "template"))
        and not (not case.dynamic and key in ("minimum", "maximum"))
    ]


@pytest.mark.parametrize(
    ("key", "case", "delta"),
    cells(),
    ids=lambda each: each.name if isinstance(each, Case) else None,
)
def test_we_say_no_where_the_host_refuses(
    at: Bench, machines: Inventory, key: str, case: Case, delta: int
) -> None:
    rule = hot.SETTINGS[key]
    old = rows(at, rule.class_name, case.name)[0].get(rule.property)
    new: CimValue = NEW.get(key, not old)
    if delta:
        assert isinstance(old, int)
        new = old + delta
    vm_id = at.vm(case.name)
    at_now = hot.standing(machines.vms[vm_id], machines.vm_vitals[vm_id])
    ours = hot.why_not(key, at_now, old, new)
    if ours is None:
        assert asked(bench(alone(case)), case, rule, new) == 0
        return
    assert asked(at, case, rule, new) == STATE
    assert rule.subject in ours
    assert "off" in ours


def alone(case: Case) -> HostPlan:
    """A host with that machine and no other: a change that is taken must not meet the next one."""
    return replace(PLAN, vms=(case.plan,))


def asked(at: Bench, case: Case, rule: hot.Rule, new: CimValue) -> int:
    """The code a host refuses with; 0 when it does as asked."""
    mine = rows(at, rule.class_name, case.name)[0]
    values: dict[str, CimValue] = {"InstanceID": str(mine["InstanceID"]), rule.property: new}
    vm_id = at.vm(case.name)
    if rule.property == "Address":
        values["StaticMacAddress"] = True
    if rule.property == "DynamicMemoryEnabled" and case.state == "off":
        prepared = {"VirtualNumaEnabled": False}
        settle(at, calling.modify_settings(at.client, vm_id, "", "prepare", dict(prepared)))
    if rule.property == "TpmEnabled":
        # A TPM needs a key first; another flag of the same class is judged by the same rule.
        values = {"InstanceID": values["InstanceID"], "KsdEnabled": True}
    try:
        settle(at, change(at, vm_id, rule, values))
    except (MethodFailed, JobFailed) as error:
        return error.code
    return 0


def change(at: Bench, vm_id: str, rule: hot.Rule, values: dict[str, CimValue]) -> Outcome:
    if rule.class_name == SYSTEM:
        return calling.modify_settings(at.client, vm_id, "", "change", values)
    if rule.class_name == SECURITY:
        return calling.invoke(
            at.client, calling.service_ref("Msvm_SecurityService"), "ModifySecuritySettings",
            "change", "", SecuritySettingData=calling.embedded(rule.class_name, values),
        )  # fmt: skip
    return calling.modify_resources(at.client, "", "change", [(rule.class_name, values)])


def settle(at: Bench, outcome: Outcome) -> None:
    while isinstance(outcome, Started):
        job = jobs.read(at.client, outcome.job, "hv01")
        if job is None or job.finished:
            if job is not None:
                jobs.raise_if_failed(job)
            return
        at.pass_time(1)


ADAPTERS = [
    (key, case) for key, case in itertools.product(("nic", "legacy nic"), COLUMNS)
    if not (key == "legacy nic" and case.generation == 2)
]  # fmt: skip


@pytest.mark.parametrize(("key", "case"), ADAPTERS)
def test_adapters_come_where_the_host_takes_them(key: str, case: Case) -> None:
    own = bench(alone(case))
    machine = target(own, case.name, sheet=False)
    ours = hot.why_not(key, hot.standing(machine.vm, machine.vitals))
    kind = "Emulated" if key == "legacy nic" else "Synthetic"
    values: dict[str, CimValue] = {
        "ResourceType": 10,
        "ResourceSubType": f"Microsoft:Hyper-V:{kind} Ethernet Port",
    }
    added = [(f"Msvm_{kind}EthernetPortSettingData", values)]
    if ours is None:
        settle(own, calling.add_resources(own.client, machine.id, "", "add", added))
        return
    assert "only while the machine is off" in ours
    with pytest.raises(MethodFailed) as caught:
        settle(own, calling.add_resources(own.client, machine.id, "", "add", added))
    assert caught.value.code == STATE


DEVICE, IMAGE = "Msvm_ResourceAllocationSettingData", "Msvm_StorageAllocationSettingData"
ISO, SPARE = "D:\\s.iso", "D:\\spare.vhdx"
KINDS = {"disk": (17, "Synthetic Disk Drive"), "dvd drive": (16, "Synthetic DVD Drive")}
STORAGE = [
    (key, case) for key, case in itertools.product(
        ("scsi disk", "ide disk", "scsi dvd drive", "ide dvd drive", "media", "scsi controller"),
        COLUMNS,
    )
    if not (key.startswith("ide") and case.generation == 2)
    and not (key == "scsi dvd drive" and case.generation == 1)
]  # fmt: skip


def storage(case: Case) -> Bench:
    """A machine with both kinds of controllers its generation has, and files to put into them."""
    plan = replace(case.plan, disks=(20, 20, 20, 20))
    own = bench(replace(PLAN, vms=(plan,)))
    own.host.ensure()
    own.host.files.add(VirtualFile(ISO, GB << 20, GB << 20))
    own.host.files.add(disk(SPARE, GB << 20, 0))
    return own


@pytest.mark.parametrize(("key", "case"), STORAGE)
def test_disks_and_discs_come_where_the_host_takes_them(key: str, case: Case) -> None:
    own = storage(case)
    machine = target(own, case.name)
    ours = hot.why_not(key, hot.standing(machine.vm, machine.vitals))
    if ours is None:
        add_storage(own, machine, key)
        return
    assert "only while the machine is off" in ours
    with pytest.raises(MethodFailed) as caught:
        add_storage(own, machine, key)
    assert caught.value.code == STATE


@pytest.mark.parametrize(
    ("key", "case"), [cell for cell in STORAGE if cell[0] not in ("media", "scsi controller")]
)
def test_disks_and_drives_go_where_the_host_lets_them(key: str, case: Case) -> None:
    own = storage(case)
    machine = target(own, case.name)
    ours = hot.why_not(key, hot.standing(machine.vm, machine.vitals))
    bus, _, what = key.partition(" ")
    assert machine.sheet is not None
    drive = next(
        drive for drive in machine.sheet.drives
        if drive.controller == bus.upper() and drive.dvd == (what != "disk")
    )  # fmt: skip
    if ours is None:
        remove(own, drive)
        assert drive.id not in {left.id for left in drives(own, machine)}
        return
    with pytest.raises(MethodFailed) as caught:
        remove(own, drive)
    assert caught.value.code == STATE


def drives(own: Bench, machine: Target) -> tuple[Drive, ...]:
    """What the machine has now."""
    return sheets.read(own.client, "hv01", machine.id, own.clock.now).drives


def remove(own: Bench, drive: Drive) -> None:
    parts = [(IMAGE, drive.image_id)] if drive.image_id else []
    for part in (*parts, (DEVICE, drive.id)):
        settle(own, calling.remove_resources(own.client, "", "remove", [part]))


def add_storage(own: Bench, machine: Target, key: str) -> None:
    """What the row of the table is about, asked of the host."""
    assert machine.sheet is not None
    if key == "scsi controller":
        add(own, machine, DEVICE, 6, "Synthetic SCSI Controller")
        return
    if key == "media":
        empty = next(drive for drive in machine.sheet.drives if drive.dvd and not drive.path)
        add(own, machine, IMAGE, 31, "Virtual CD/DVD Disk", empty.id, HostResource=(ISO,))
        return
    bus, _, what = key.partition(" ")
    controllers = [c for c in machine.sheet.controllers if c.kind == bus.upper()]
    free = next(c for c in controllers if len(c.taken) < c.slots)
    add(own, machine, DEVICE, *KINDS[what], free.id)
    old = {drive.id for drive in machine.sheet.drives}
    made = next(drive for drive in drives(own, machine) if drive.id not in old)
    if what == "disk":
        add(own, machine, IMAGE, 31, "Virtual Hard Disk", made.id, HostResource=(SPARE,))


def add(
    own: Bench, machine: Target, name: str, kind: int, title: str, parent: str = "",
    **more: CimValue,
) -> None:  # fmt: skip
    values: dict[str, CimValue] = {
        "ResourceType": kind, "ResourceSubType": f"Microsoft:Hyper-V:{title}", **more,
    }  # fmt: skip
    if parent:
        values["Parent"] = to_path(calling.by_instance_id(DEVICE, parent), ".")
    settle(own, calling.add_resources(own.client, machine.id, "", "add", [(name, values)]))


@pytest.mark.parametrize("key", [*hot.SETTINGS, *hot.DEVICES])
def test_a_machine_between_two_states_is_left_alone(key: str) -> None:
    for state in states.MOVING:
        ours = hot.why_not(key, hot.Standing(state, version=10.0))
        rule = hot.SETTINGS.get(key) or hot.DEVICES[key]
        assert (ours is None) == (rule.when is hot.When.ALWAYS)


def test_a_value_that_stays_is_no_change() -> None:
    at = hot.Standing(State.RUNNING, version=10.0)
    assert hot.why_not("count", at, 4, 4) is None
    assert hot.why_not("count", at, 4, 8) == (
        "the processor count can only change while the machine is off; it is running"
    )

"""The table of actions: what every other surface relies on, and when an action applies."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from msgspec import structs

from tests.hyperv_kit import Bench, bench, long_job
from tui.actions import ACTIONS, Action, Kind, Risk, Target, by_id, for_kind, keys, why_not
from tui.actions.declare import Part
from tui.hyperv import jobs
from tui.hyperv.model import (
    Host,
    HostVitals,
    Integration,
    Inventory,
    Job,
    Link,
    Trouble,
    Vm,
    VmVitals,
)
from tui.hyperv.outcome import Done, Outcome, Started
from tui.wsman.values import EnabledState as State

ISSUE_IDS = {
    "vm.start",
    "vm.shutdown",
    "vm.turn-off",
    "vm.reset",
    "vm.reboot",
    "vm.pause",
    "vm.resume",
    "vm.save",
    "vm.rename",
    "vm.set-notes",
    "host.refresh",
    "job.cancel",
    "vm.set-cpu",
    "vm.set-memory",
    "vm.set-security",
    "vm.set-automatic",
    "vm.upgrade-version",
    "vm.tag",
    "nic.add",
    "nic.remove",
    "nic.connect",
    "nic.disconnect",
    "nic.set-vlan",
    "nic.set-mac",
    "nic.set-bandwidth",
    "nic.set-guards",
    "checkpoint.create",
    "checkpoint.apply",
    "checkpoint.rename",
    "checkpoint.delete",
    "checkpoint.delete-tree",
    "checkpoint.enable-merge",
    "integration.enable",
    "integration.disable",
}
NOUNS: dict[Kind, tuple[str, ...]] = {Kind.VM: (*Part, "role"), Kind.HOST: ("vm", "switch", "disk")}
"""What actions of a kind may be named after: parts of a machine, and what is made on a host."""
TRUSTED = set("abcdefghijklmnopqrstuvwxyz/:?!@#[]-+=,.<>0123456789")
NAMED_KEYS = {"space", "enter", "escape", "tab", "shift+tab", "comma", "ctrl+p"}


def action(action_id: str) -> Action:
    found = by_id(action_id)
    assert found is not None, action_id
    return found


def vm_target(
    state: int,
    *,
    name: str = "sql01",
    link: Link = Link.UP,
    read_only: bool = False,
    trouble: Trouble | None = None,
    integration: tuple[Integration, ...] = (),
    read_at: float = 1000.0,
    started_at: float | None = None,
) -> Target:
    return Target(
        Kind.VM,
        "6B29FC40-CA47-1067-B31D-00DD010662DA",
        name,
        Host("hv01", "http://hv01:5985/wsman", read_only=read_only),
        HostVitals("hv01", link=link, trouble=trouble, read_at=read_at, interval=2.0),
        vm=Vm("6B29FC40-CA47-1067-B31D-00DD010662DA", "hv01", name, integration=integration),
        vitals=VmVitals(
            "6B29FC40-CA47-1067-B31D-00DD010662DA", "hv01", state, started_at=started_at
        ),
    )


def job_target(state: int, *, cancellable: bool) -> Target:
    job = Job("hv01:J1", "hv01", "Merging", 50, state, 40, 0.0, 0.0, cancellable=cancellable)
    host, vitals = Host("hv01", ""), HostVitals("hv01", link=Link.UP)
    return Target(Kind.JOB, "hv01:J1", "Merging", host, vitals, job=job)


# -- the table -----------------------------------------------------------------------------


def test_every_id_of_the_issue_is_there() -> None:
    assert {row.id for row in ACTIONS} >= ISSUE_IDS


def test_ids_are_unique_and_name_their_kind() -> None:
    ids = [row.id for row in ACTIONS]
    assert len(ids) == len(set(ids))
    for row in ACTIONS:
        noun, _, verb = row.id.partition(".")
        assert noun in (row.kind.value, *NOUNS.get(row.kind, ())), row.id
        assert row.part is None or noun == row.part.value
        assert verb
        assert verb == verb.lower()
        assert " " not in verb


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: row.id)
def test_help_is_one_sentence_without_full_stop(row: Action) -> None:
    assert row.help
    assert row.help[0].isupper()
    assert not row.help.endswith(".")
    assert ". " not in row.help
    assert "\n" not in row.help
    assert row.title
    assert row.group


def test_no_key_means_two_things_at_once() -> None:
    app = {key for row in for_kind(Kind.APP) for key in keys(row)}
    for kind in Kind:
        own = [key for row in for_kind(kind) for key in keys(row)]
        assert len(own) == len(set(own)), kind
        if kind is not Kind.APP:
            assert not app & set(own), kind


def test_only_keys_that_terminals_deliver_are_bound() -> None:
    for row in ACTIONS:
        for key in keys(row):
            assert key in NAMED_KEYS or key.lower() in TRUSTED, f"{row.id}: {key}"


def test_red_actions_have_no_key() -> None:
    red = {row.id for row in ACTIONS if row.risk is Risk.RED}
    assert red >= {
        "vm.turn-off",
        "vm.reset",
        "vm.upgrade-version",
        "checkpoint.apply",
        "checkpoint.delete-tree",
    }
    assert all(not action(action_id).key for action_id in red)


def test_the_trigger_key_never_confirms() -> None:
    assert not any({"y", "enter"} & set(keys(row)) for row in ACTIONS if row.risk is not Risk.GREEN)


def test_what_must_be_confirmed_says_what_happens_and_what_is_called() -> None:
    for row in ACTIONS:
        if row.changes:
            assert row.calls, row.id
            assert row.effect, row.id
        if row.risk is not Risk.GREEN:
            assert row.changes, row.id


def test_every_expected_risk() -> None:
    amber = {row.id for row in ACTIONS if row.risk is Risk.AMBER}
    assert amber >= {
        "vm.shutdown",
        "vm.reboot",
        "vm.save",
        "vm.pause",
        "nic.remove",
        "nic.disconnect",
        "checkpoint.delete",
        "integration.disable",
        "job.cancel",
    }


def test_the_keys_people_know() -> None:
    expected = {
        "vm.start": ("s",),
        "vm.shutdown": ("S",),
        "vm.set-notes": ("t",),
        "host.refresh": ("r",),
        "app.help": ("?",),
        "app.palette": (":", "ctrl+p"),
        "app.filter": ("/",),
        "app.sort": ("comma",),
        "app.quit": ("q",),
    }
    assert {action_id: keys(action(action_id)) for action_id in expected} == expected


def test_the_table_loads_without_the_wire_library_or_a_screen() -> None:
    code = (
        "import sys, tui.actions; "
        "print([m for m in ('winrm', 'requests', 'textual', 'rich') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# -- when ----------------------------------------------------------------------------------

POSSIBLE = {
    State.RUNNING: {"shutdown", "reboot", "turn-off", "reset", "pause", "save"},
    State.OFF: {"start"},
    State.SAVED: {"start", "turn-off"},
    State.FAST_SAVED: {"start", "turn-off"},
    State.PAUSED: {"resume", "save", "turn-off", "reset"},
    State.PAUSED_CRITICAL: {"resume", "save", "turn-off", "reset"},
    State.STARTING: {"turn-off", "reset"},
    State.STOPPING: {"turn-off", "reset"},
    State.OFF_CRITICAL: {"start"},
}
LIFECYCLE = (
    "start",
    "shutdown",
    "reboot",
    "turn-off",
    "reset",
    "pause",
    "resume",
    "save",
)


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(POSSIBLE, LIFECYCLE)))
def test_what_a_state_allows(state: State, verb: str) -> None:
    reason = why_not(action(f"vm.{verb}"), vm_target(state))
    if verb in POSSIBLE[state]:
        assert reason is None
    else:
        assert reason is not None
        assert "sql01" in reason


def test_reasons_are_words() -> None:
    start = action("vm.start")
    assert why_not(start, vm_target(State.RUNNING)) == "sql01 is already running"
    assert why_not(start, vm_target(State.PAUSED)) == "sql01 is paused: resume it instead"
    pause = why_not(action("vm.pause"), vm_target(State.SAVING))
    assert pause == "sql01 is being saved, so it cannot be paused"


def test_a_state_nobody_knows_can_still_be_turned_off() -> None:
    assert why_not(action("vm.turn-off"), vm_target(40000)) is None
    assert why_not(action("vm.start"), vm_target(40000)) is not None


def test_shutdown_needs_the_service_in_the_guest() -> None:
    off = Integration("shutdown", enabled=False)
    target = vm_target(State.RUNNING, integration=(off,))
    assert why_not(action("vm.shutdown"), target) == (
        "the shutdown service of sql01 is switched off"
    )
    on = Integration("shutdown", enabled=True, status=2)
    assert why_not(action("vm.shutdown"), vm_target(State.RUNNING, integration=(on,))) is None


def test_read_only_withholds_changes_and_nothing_else() -> None:
    start, target = action("vm.start"), vm_target(State.OFF)
    assert why_not(start, target, read_only=True) == "hvdeck is read-only now"
    assert why_not(start, vm_target(State.OFF, read_only=True)) == "hv01 is configured read-only"
    host = Target(Kind.HOST, "hv01", "HV01", target.host, target.host_vitals)
    assert why_not(action("host.refresh"), host, read_only=True) is None
    assert why_not(action("app.help"), None, read_only=True) is None


def test_a_lost_host_is_the_reason() -> None:
    trouble = Trouble("Unreachable", "hv01 does not answer")
    lost = vm_target(State.OFF, link=Link.DOWN, trouble=trouble)
    assert why_not(action("vm.start"), lost) == "hv01 is lost: hv01 does not answer"
    slow = vm_target(State.OFF, link=Link.SLOW)
    assert why_not(action("vm.start"), slow) is None


def test_old_data_is_no_ground_to_act_on() -> None:
    start, target = action("vm.start"), vm_target(State.OFF, read_at=1000.0)
    assert why_not(start, target, now=1029.0) is None
    assert why_not(start, target, now=1045.0) == "what is known of hv01 is 45 seconds old"


def test_the_wrong_kind_and_nothing_at_all_are_said() -> None:
    reason = why_not(action("vm.start"), job_target(4, cancellable=True))
    assert reason == "Start is for virtual machines, not for jobs"
    assert why_not(action("vm.start"), None) is not None


def test_only_running_cancellable_jobs_can_be_cancelled() -> None:
    cancel = action("job.cancel")
    assert why_not(cancel, job_target(4, cancellable=True)) is None
    assert why_not(cancel, job_target(4, cancellable=False)) is not None
    assert why_not(cancel, job_target(7, cancellable=True)) == "Merging has ended"


# -- seen ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        ("start", State.RUNNING),
        ("shutdown", State.OFF),
        ("turn-off", State.OFF),
        ("pause", State.PAUSED),
        ("resume", State.RUNNING),
        ("save", State.SAVED),
        ("save", State.FAST_SAVED),
    ],
)
def test_done_is_seen_by_state(verb: str, state: State) -> None:
    observed = action(f"vm.{verb}").observed
    assert observed is not None
    assert observed(vm_target(state), {})
    assert not observed(vm_target(State.STOPPING), {})


@pytest.mark.parametrize("verb", ["reset", "reboot"])
@pytest.mark.parametrize(
    ("state", "was", "now", "seen"),
    [
        (State.RUNNING, (1000, 100), (1010, 1005), True),
        (State.RUNNING, (1000, 100), (1010, 100), False),
        (State.RUNNING, (1000, 100), (1010, 103), False),
        (State.RUNNING, (1000, 990), (1012, 1007), True),
        (State.RUNNING, (1000, 990), (1012, 991), False),
        (State.RUNNING, (1000, -9000), (1010, -9300), False),
        (State.RUNNING, (1000, -9000), (1010, 800), True),
        (State.RUNNING, (1000, None), (1010, 1005), True),
        (State.RUNNING, (1000, None), (1010, 900), False),
        (State.RUNNING, (1000, 100), (1010, None), False),
        (State.PAUSED, (1000, 990), (1060, 1050), False),
        (State.STARTING, (1000, 100), (1010, 1005), False),
        (State.OFF, (1000, 100), (1010, None), False),
    ],
    ids=[
        "up anew", "up as before", "the figure wobbles", "young, up anew", "young, as before",
        "a fast clock goes on", "a fast clock begins anew", "unknown before, up anew",
        "unknown before, an old start", "no figure yet", "paused, its clock stands", "starting",
        "off",
    ],
)  # fmt: skip
def test_a_restart_is_seen_by_time_up(
    verb: str,
    state: State,
    was: tuple[float, float | None],
    now: tuple[float, float | None],
    seen: bool,
) -> None:
    before = vm_target(State.RUNNING, read_at=was[0], started_at=was[1])
    after = vm_target(state, read_at=now[0], started_at=now[1])
    wanted = action(f"vm.{verb}").wanted({}, before, 1001.0)
    assert wanted is not None
    assert wanted(after) is seen


# -- forms ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "  ", " sql02", "sql02 ", "a\x1b[2Jb", "a\nb", "x" * 101])
def test_names_a_machine_cannot_have(name: str) -> None:
    (field,) = action("vm.rename").form
    assert field.problem is not None
    assert field.problem(vm_target(State.OFF), name) is not None


def test_a_new_name_is_not_the_old_one() -> None:
    (field,) = action("vm.rename").form
    assert field.problem is not None
    assert field.current is not None
    target = vm_target(State.OFF)
    assert field.current(target) == "sql01"
    assert field.problem(target, "sql01") == "That is its name already"
    assert field.problem(target, "データベース <1>") is None


def test_notes_keep_lines_and_refuse_escapes() -> None:
    (field,) = action("vm.set-notes").form
    assert field.multiline
    assert field.problem is not None
    assert field.problem(vm_target(State.OFF), "first\nsecond\t#prod") is None
    assert field.problem(vm_target(State.OFF), "\x1b]0;title\x07") is not None


# -- run against the simulator -------------------------------------------------------------

VM_CASES: dict[str, tuple[str, dict[str, object]]] = {
    "vm.start": ("idle01", {}),
    "vm.shutdown": ("sql01", {}),
    "vm.reboot": ("sql01", {"force": True}),
    "vm.turn-off": ("sql01", {}),
    "vm.reset": ("sql01", {}),
    "vm.pause": ("sql01", {}),
    "vm.resume": ("held01", {}),
    "vm.save": ("sql01", {}),
    "vm.rename": ("idle01", {"name": "renamed <1>"}),
    "vm.set-notes": ("sql01", {"notes": "one\ntwo #prod"}),
}


def inventory_of(at: Bench) -> Inventory:
    """Everything, read anew; the host counts as connected, as the collector would say."""
    at.reader.fast()
    at.reader.slow()
    for _ in range(3):
        inventory = at.reader.fast()
    vitals = structs.replace(inventory.vitals, link=Link.UP, read_at=at.clock.now())
    return structs.replace(inventory, vitals=vitals)


def target_in(inventory: Inventory, vm_id: str) -> Target:
    vm = inventory.vms[vm_id]
    return Target(
        Kind.VM,
        vm_id,
        vm.name,
        inventory.host,
        inventory.vitals,
        vm=vm,
        vitals=inventory.vm_vitals[vm_id],
    )


def let_finish(at: Bench, outcome: Outcome) -> None:
    while isinstance(outcome, Started):
        job = jobs.read(at.client, outcome.job, "hv01")
        if job is None or job.finished:
            if job is not None:
                jobs.raise_if_failed(job)
            break
        at.pass_time(1)
    at.pass_time(120)


def test_every_changing_action_has_its_story() -> None:
    files = [Path(__file__), *Path(__file__).parent.glob("test_verbs_*.py")]
    told = "".join(file.read_text() for file in files)
    assert [row.id for row in ACTIONS if row.changes and f'"{row.id}"' not in told] == []


@pytest.mark.parametrize("action_id", VM_CASES)
def test_actions_do_what_they_say(action_id: str) -> None:
    name, arguments = VM_CASES[action_id]
    at, row = bench(), action(action_id)
    vm_id = at.vm(name)
    before = target_in(inventory_of(at), vm_id)
    assert why_not(row, before, now=at.clock.now()) is None
    assert row.observed is None or not row.observed(before, arguments)
    assert not isinstance(row.run, str)
    at.pass_time(300)
    outcome = row.run(at.client, before, arguments)
    assert not isinstance(outcome, Generator)
    let_finish(at, outcome)
    after = target_in(inventory_of(at), vm_id)
    if row.observed is not None:
        assert row.observed(after, arguments)
    if action_id == "vm.rename":
        assert after.name == arguments["name"]
    elif action_id == "vm.set-notes":
        assert after.vm is not None
        assert after.vm.notes == arguments["notes"]
    elif row.observed is not None:
        assert why_not(row, after) is not None
    else:
        assert before.vitals is not None
        assert after.vitals is not None
        assert (after.vitals.started_at or 0) > (before.vitals.started_at or 0)


def test_cancelling_a_job_ends_it() -> None:
    at, row = bench(), action("job.cancel")
    ref = long_job(at, at.vm("sql01"), cancellable=True, class_name="Msvm_StorageJob")
    inventory = inventory_of(at)
    job = inventory.jobs[f"hv01:{ref.key('InstanceID')}"]
    target = Target(Kind.JOB, job.id, job.name, inventory.host, inventory.vitals, job=job)
    assert why_not(row, target) is None
    assert not isinstance(row.run, str)
    assert row.observed is not None
    assert not row.observed(target, {})
    assert row.run(at.client, target, {}) == Done()
    ended = inventory_of(at).jobs[job.id]
    after = Target(Kind.JOB, job.id, job.name, inventory.host, inventory.vitals, job=ended)
    assert row.observed(after, {})
    assert why_not(row, after) == "Exporting has ended"

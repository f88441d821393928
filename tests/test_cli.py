"""The command line: its language, its exit codes, and the same actions against a fabric."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.test_filter import vm_row
from tui import actions, cli
from tui.actions import ACTIONS, Field, Kind
from tui.cli import batch, catalogue, given, language
from tui.collector.fabric import start_fabric
from tui.collector.messages import Batch, CallUpdate, HostLink, Phase, Update
from tui.errors import ConfigError, Fault, HvError, Refused, Unreachable, UsageError
from tui.hyperv.model import Host, HostVitals, Link, Vm, VmVitals
from tui.rows.filter import parse
from tui.store import Store


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HVDECK_CONFIG", "HVDECK_THEME", "HVDECK_READ_ONLY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))


@dataclass
class Ran:
    """What one run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Command:
    """Runs the command in this process."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *words: str) -> Ran:
        self._capture.readouterr()
        try:
            code = cli.main(words)
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = self._capture.readouterr()
        assert "Traceback" not in err
        return Ran(code, out, err)


@pytest.fixture
def hvdeck(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


# -- language ------------------------------------------------------------------------------


def test_importing_the_command_and_its_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; import tui.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = ('textual', 'rich', 'winrm', 'requests', 'spnego', 'tui.sim.world',"
        " 'tui.collector', 'tui.ui', 'asyncio')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_action_on_a_host_is_a_verb_that_may_ask() -> None:
    by_noun = catalogue.verbs()
    assert set(by_noun) <= set(language.NOUNS)
    for action in [action for verbs in by_noun.values() for action in verbs]:
        noun, verb = action.id.split(".", 1)
        fields = [field for field in action.form if field.asked and field.type is not bool]
        words = [noun, verb, "x", *(option_of(field) for field in fields if len(fields) == 1)]
        parsed = language.build_parser(words).parse_args(words)
        assert (parsed.command, parsed.action) == ("act", action)
        assert parsed.names == ["x"]
        assert parsed.yes is False


def option_of(field: Field) -> str:
    """An option with words its type takes."""
    for words in ("1", "1G", "00155D010203"):
        try:
            field.type(words)
        except ValueError:
            continue
        return f"--{given.option(field.id)}={words}"
    raise AssertionError(f"no words for {field.id}")


def test_a_verb_without_its_value_says_which(hvdeck: Command) -> None:
    ran = hvdeck("vm", "rename", "sql01")
    assert ran.code == 2
    assert "--name" in ran.err


@pytest.mark.parametrize(
    ("words", "normal"),
    [
        (["--demo"], ["--demo=datacenter"]),
        (["--demo", "vms"], ["--demo=datacenter", "vms"]),
        (["--demo", "homelab", "vms"], ["--demo", "homelab", "vms"]),
        (["vms", "--demo", "--sort", "cpu"], ["vms", "--demo=datacenter", "--sort", "cpu"]),
        (["vms", "--sort", "-cpu"], ["vms", "--sort=-cpu"]),
        (["vms", "--sort", "-cpu", "-o", "csv"], ["vms", "--sort=-cpu", "-o", "csv"]),
        ([], []),
    ],
)
def test_demo_takes_a_scene_or_none(words: list[str], normal: list[str]) -> None:
    assert language.normal(words) == normal


def test_options_of_the_hosts_may_stand_on_either_side() -> None:
    for words in (["--config", "c", "vms"], ["vms", "--config", "c"]):
        assert language.build_parser(words).parse_args(words).config == "c"


def test_the_exit_codes_are_documented(hvdeck: Command) -> None:
    ran = hvdeck("--help")
    assert ran.code == 0
    for word in ("exit codes:", "130", "no host could be reached"):
        assert word in ran.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["vms", "--filter", "stat:off"], "did you mean state?"),
        (["vms", "--columns", "memry"], "did you mean memory?"),
        (["networks", "--sort", "-vmz"], "did you mean vms?"),
        (["vms"], "No hosts are configured"),
        (["vm", "start"], "No hosts are configured"),
        (["--config", "/nonexistent.toml", "vms"], "does not exist"),
        (["--group", "x", "vms"], "No group named x"),
        (["explain", "elephants"], "not a number"),
        (["--host", "hv01", "--auth", "certificate", "vms"], "cert_pem"),
        (["--host", "http://hv01/wsman", "--auth", "basic", "--user", "u", "vms"], "clear text"),
        (["--host", "hv01", "--user", "u", "vms"], "no terminal to ask for a password"),
        (["--host", "hv01", "--user", "u", "--password-env", "NOPE", "vms"], "NOPE is not set"),
        (["--demo", "--refresh", "0.1"], "at least 1"),
        ([], "needs a terminal"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_what_cannot_be_used_ends_with_two(hvdeck: Command, words: list[str], says: str) -> None:
    ran = hvdeck(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert says in ran.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (ConfigError("x"), 2),
        (Refused("x"), 3),
        (Unreachable("x"), 4),
        (Fault("x"), 1),
    ],
)
def test_an_error_becomes_its_code_and_lines(
    hvdeck: Command, monkeypatch: pytest.MonkeyPatch, error: HvError, code: int
) -> None:
    error.hint = "do\x1b[2J this"

    def fail(_: object) -> int:
        raise error

    monkeypatch.setitem(cli.HANDLERS, "actions", fail)
    ran = hvdeck("actions")
    assert ran.code == code
    assert ran.err == "hvdeck: x\nhvdeck:   do [2J this\n"


def test_an_interrupt_is_130_and_no_traceback(
    hvdeck: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.HANDLERS, "actions", interrupt)
    assert hvdeck("actions").code == 130


def test_a_reader_that_has_enough_is_no_error() -> None:
    script = "import sys; from tui.cli import main; sys.exit(main(['actions', '-o', 'json']))"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


# -- what needs no host --------------------------------------------------------------------


def test_the_action_table(hvdeck: Command) -> None:
    data = hvdeck("actions", "-o", "json").data
    assert [entry["id"] for entry in data] == [action.id for action in ACTIONS]
    start = next(entry for entry in data if entry["id"] == "vm.start")
    assert (start["risk"], start["command"]) == ("green", "vm start")
    only_the_deck = {entry["id"] for entry in data if entry["command"] is None}
    assert "app.quit" in only_the_deck
    assert "host.refresh" not in only_the_deck
    assert not only_the_deck & {a.id for a in ACTIONS if a.kind is not Kind.APP and a.changes}
    assert "vm.start" in hvdeck("actions").out


def test_a_number_explained(hvdeck: Command) -> None:
    ran = hvdeck("explain", "0x80070005")
    assert ran.code == 0
    assert ran.out.startswith("0x80070005: ")


CONFIG = """
theme = "deck-light"
[defaults]
user = 'CORP\\admin'
[hosts.hv01]
password = "command:pass show hv/s3cret"
[hosts.hv02]
password = "env:HV02"
read_only = true
"""


def test_checking_and_showing_the_configuration(hvdeck: Command, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(CONFIG)
    ran = hvdeck("--config", str(file), "config", "check")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "hv01: http://hv01:5985/wsman by ntlm as CORP\\admin, password from command:pass …",
        "hv02: http://hv02:5985/wsman by ntlm as CORP\\admin, password from env:HV02, read-only",
    ]
    shown = hvdeck("config", "show", "--config", str(file), "-o", "json")
    origins = {value["key"]: (value["value"], value["origin"]) for value in shown.data}
    assert origins["theme"] == ("deck-light", str(file))
    assert origins["mouse"] == (True, "default")
    assert origins["hosts.hv01.user"] == ("CORP\\admin", f"{file} defaults")
    assert origins["hosts.hv01.url"] == ("http://hv01:5985/wsman", f"{file} name")
    assert "s3cret" not in shown.out + ran.out + ran.err


def test_a_check_finds_keys_that_cannot_be(hvdeck: Command, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[keys]\nvm.stat = "x"\n')
    ran = hvdeck("--config", str(file), "config", "check")
    assert ran.code == 2
    assert "did you mean vm.start?" in ran.err


# -- which targets -------------------------------------------------------------------------


def store_with(*vms: tuple[str, str, str, int]) -> Store:
    """A store of (guid, host, name, state)."""
    store = Store()
    hosts = sorted({host for _, host, _, _ in vms})
    store.configure([HostLink(host, f"http://{host}/wsman") for host in hosts])
    for host in hosts:
        mine = [vm for vm in vms if vm[1] == host]
        update = Update(
            host, 1, 100.0, full=True,
            info=Host(host, f"http://{host}/wsman"),
            vitals=HostVitals(host, link=Link.UP, read_at=100.0),
            vms=tuple(Vm(guid, host, name) for guid, _, name, _ in mine),
            vm_vitals=tuple(VmVitals(guid, host, state) for guid, _, _, state in mine),
        )  # fmt: skip
        store.apply(Batch(updates=(update,)), 100.0)
    return store


STORE = store_with(
    ("G1", "hv01", "sql01", 3),
    ("G2", "hv02", "sql02", 2),
    ("G3", "hv01", "twin", 3),
    ("G4", "hv02", "twin", 3),
    ("G5", "hv02", "a@b", 3),
)


def resolved(*names: str, where: str = "") -> list[str]:
    return [t.id for t in batch.resolve(STORE, Kind.VM, names, parse(where, "vm"))]


def test_targets_by_name_id_pattern_host_and_filter() -> None:
    assert resolved("SQL01") == ["G1"]
    assert resolved("g2", "sql01", "G2") == ["G2", "G1"]
    assert sorted(resolved("sql*")) == ["G1", "G2"]
    assert resolved("twin@HV02") == ["G4"]
    assert resolved("a@b") == ["G5"]
    assert sorted(resolved(where="@hv01")) == ["G1", "G3"]
    assert resolved("*", where="state:running") == ["G2"]


@pytest.mark.parametrize(
    ("names", "where", "says"),
    [
        (["twin"], "", "twin is not one but 2: G3 on hv01, G4 on hv02"),
        (["sq101"], "", "did you mean sql01?"),
        (["x*"], "", "Nothing is named like x*"),
        ([], "", "Which vm?"),
        ([], "name:zzz", "No vm matches"),
        (["twin@hv03"], "", "Nothing is named twin@hv03"),
    ],
)
def test_names_that_do_not_say_which(names: list[str], where: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(*names, where=where)
    assert says in str(caught.value)


def planned(action_id: str, *names: str, read_only: bool = False, **given: Any) -> batch.Plan:
    action = actions.by_id(action_id)
    assert action is not None
    targets = batch.resolve(STORE, Kind.VM, names, parse("", "vm"))
    return batch.plan(action, targets, given, read_only=read_only)


def test_a_plan_sets_aside_what_speaks_against_itself() -> None:
    made = planned("vm.start", "sql01", "sql02")
    assert [(call.host, call.target, call.seen_state) for call in made.calls] == [("hv01", "G1", 3)]
    (refused,) = made.refused
    assert refused.phase is Phase.REFUSED
    assert refused.trouble is not None
    assert "sql02 is already running" in refused.trouble.title


def test_read_only_refuses_everything() -> None:
    made = planned("vm.start", "sql01", read_only=True)
    assert made.calls == []
    assert len(made.refused) == 1


def test_arguments_are_checked_before_anything_is_sent() -> None:
    assert planned("vm.rename", "sql01", name="db01").calls[0].arguments == {"name": "db01"}
    with pytest.raises(UsageError, match="--name for sql01: A name cannot be empty"):
        planned("vm.rename", "sql01", name=" ")
    with pytest.raises(UsageError, match="takes one vm, not 2"):
        planned("vm.rename", "sql01", "sql02", name="x")


def test_the_question_names_things_and_enter_is_never_yes() -> None:
    text, yes = batch.question(planned("vm.shutdown", "sql02"))
    assert "sql02 on hv02" in text
    assert yes == "y"
    text, word = batch.question(planned("vm.turn-off", "sql02"))
    assert word == "sql02"
    assert "Type the name" in text


@pytest.mark.parametrize(
    ("phases", "waited", "code"),
    [
        ([Phase.OBSERVED], True, 0),
        ([Phase.ACCEPTED], False, 0),
        ([Phase.ACCEPTED], True, 5),
        ([Phase.OBSERVED, Phase.REFUSED], True, 3),
        ([Phase.REFUSED, Phase.FAILED], True, 1),
        ([Phase.FAILED, Phase.UNKNOWN, Phase.OBSERVED], True, 5),
    ],
)
def test_the_worst_result_is_the_exit_code(phases: list[Phase], waited: bool, code: int) -> None:
    results = [CallUpdate(str(i), "vm.start", "h", "G", "n", p, 0.0) for i, p in enumerate(phases)]
    assert batch.verdict(results, waited=waited) == code


def test_a_verb_left_between_its_steps_is_not_done() -> None:
    update = CallUpdate("1", "vm.create", "h", "G", "n", Phase.ACCEPTED, 0.0, step="Starting n")
    assert batch.verdict([update], waited=False) == 5


def test_a_call_nothing_was_heard_of_is_unknown() -> None:
    made = planned("vm.start", "sql01")
    (result,) = batch.lost(made, {})
    assert (result.phase, result.name) == (Phase.UNKNOWN, "sql01")


def test_rows_of_the_store_are_those_of_the_panes() -> None:
    assert {row.name for row in batch.rows_of(STORE, "vm").values()} >= {"sql01", "twin"}
    assert vm_row("x").name == "x"


# -- against a fabric ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def fabric() -> Iterator[tuple[HostLink, ...]]:
    with start_fabric("homelab", "--speed", "20") as links:
        yield links


@pytest.fixture
def live(
    fabric: tuple[HostLink, ...], hvdeck: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command with a configuration that leads to the fabric."""
    file = tmp_path / "live.toml"
    lines = [f'[defaults]\nuser = "{fabric[0].user}"\npassword = "env:FABRIC"\n']
    lines += [f'[hosts."{link.id}"]\nurl = "{link.url}"\ntags = ["lab"]\n' for link in fabric]
    file.write_text("".join(lines))
    monkeypatch.setenv("HVDECK_CONFIG", str(file))
    monkeypatch.setenv("FABRIC", fabric[0].password)
    return hvdeck


def test_lists_are_the_panes_rows(live: Command, fabric: tuple[HostLink, ...]) -> None:
    table = live("vms")
    assert table.code == 0, table.err
    names = [vm["name"] for vm in live("vms", "-o", "json").data]
    assert len(names) >= 5
    assert names == sorted(names, key=str.casefold)
    assert all(name in table.out for name in names)
    running = live("vms", "--filter", "is:running #lab", "--columns", "name,state", "-o", "json")
    assert {vm["state"] for vm in running.data} == {"Running"}
    rows = list(csv.reader(io.StringIO(live("hosts", "-o", "csv", "--columns", "name,vms").out)))
    assert rows[1:] == [[fabric[0].id, str(len(names))]]
    networks = live("networks", "-o", "json", "--sort", "-vms").data
    counts = [switch["vms"] for switch in networks]
    assert counts == sorted(counts, reverse=True)
    assert fabric[0].password not in table.out + table.err


def test_a_host_is_read_again_and_says_so(live: Command, fabric: tuple[HostLink, ...]) -> None:
    host = fabric[0].id
    ran = live("host", "refresh", f"{host[:2].lower()}*", "-o", "json")
    assert ran.code == 0, ran.err
    assert [row["name"] for row in ran.data] == [host]
    assert f"{host}: read again, " in ran.err
    unknown = live("host", "refresh", "hv99")
    assert unknown.code == 2
    assert "Nothing is named hv99" in unknown.err
    nowhere = live("--host", "http://127.0.0.1:9/wsman", "--user", "u", "--password-env", "FABRIC",
                   "host", "refresh", "*")  # fmt: skip
    assert nowhere.code == 4
    assert "read again" not in nowhere.err


def one_vm(live: Command, where: str) -> str:
    found = live("vms", "--filter", where, "--columns", "name", "-o", "json").data
    return str(found[0]["name"])


def test_a_vm_is_started_and_seen_running(live: Command) -> None:
    name = one_vm(live, "is:off")
    rehearsed = live("vm", "start", name, "--dry-run", "-o", "json")
    assert rehearsed.code == 0
    assert rehearsed.data[0]["call"] == "Msvm_ComputerSystem.RequestStateChange(2)"
    assert one_vm(live, f'is:off name="{name}"') == name
    ran = live("vm", "start", name, "--wait", "-o", "json")
    assert (ran.code, ran.data[0]["phase"]) == (0, "observed"), ran.err
    assert f"{name} on" in ran.err
    assert one_vm(live, f'is:running name="{name}"') == name
    again = live("vm", "start", name)
    assert again.code == 3
    assert "already" in again.out


def test_what_asks_first_needs_yes_without_a_terminal(live: Command) -> None:
    name = one_vm(live, "is:running")
    ran = live("vm", "turn-off", name)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert one_vm(live, f'is:running name="{name}"') == name
    assert live("vm", "turn-off", name, "--yes", "--read-only").code == 3
    assert one_vm(live, f'is:running name="{name}"') == name


def test_renaming_takes_its_value_from_an_option(live: Command) -> None:
    name = one_vm(live, "is:off | is:running")
    ran = live("vm", "rename", name, "--name", f"{name}-x", "--yes", "--wait")
    assert ran.code == 0, ran.err
    assert one_vm(live, f'name="{name}-x"') == f"{name}-x"
    assert live("vm", "rename", f"{name}-x", "--name", name, "--yes", "--wait").code == 0


def test_a_raw_query(live: Command) -> None:
    ran = live("wql", "root/virtualization/v2", "SELECT Name, ElementName FROM Msvm_ComputerSystem")
    assert ran.code == 0, ran.err
    assert len(ran.data) >= 6
    assert {"ElementName", "Name"} <= set(ran.data[0]["properties"])
    bad = live("wql", "root/virtualization/v2", "SELECT * FROM No_Such_Class")
    assert bad.code == 1
    assert bad.out == ""


def test_a_host_that_is_not_there(live: Command, fabric: tuple[HostLink, ...]) -> None:
    nowhere = "http://127.0.0.1:9/wsman"
    account = ("--user", "u", "--password-env", "FABRIC")
    lost = live("--host", nowhere, *account, "vms")
    assert lost.code == 4
    assert "127.0.0.1:9" in lost.err
    some = live("--host", nowhere, "--host", fabric[0].id, "vms", "-o", "json", "--password-env",
                "FABRIC", "--user", fabric[0].user)  # fmt: skip
    assert some.code == 1
    assert len(some.data) >= 5
    hosts = live("--host", nowhere, *account, "hosts", "-o", "json")
    assert hosts.code == 4
    assert hosts.data[0]["trouble"]


def test_a_wrong_password_is_said_and_not_shown(
    live: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FABRIC", "wr0ng-passw0rd")
    ran = live("vms")
    assert ran.code == 4
    assert "wr0ng-passw0rd" not in ran.out + ran.err
    assert ran.err


def test_a_demo_from_the_command_line(hvdeck: Command) -> None:
    ran = hvdeck("--demo", "homelab", "vms", "-o", "json")
    assert ran.code == 0, ran.err
    assert len(ran.data) >= 5
